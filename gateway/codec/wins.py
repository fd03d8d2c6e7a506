"""Several wins in one call of a provider, where its answer is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gateway.call import Call
from gateway.codec.fields import REQUIRED, Fields
from gateway.codec.units import read_major
from gateway.model import Accepted, Batch, Credit, Declined, Flaw, Outcome, Transaction, Unknown


def with_promo(
    win: Transaction, fields: Fields, call: Call, extra: Mapping[str, str], *, unnamed: Any = REQUIRED, named: str = "",
    word: str = "",
) -> Transaction:  # fmt: skip
    """A result that may hold a second win (`promoWinAmount`, `promoWinReference`), which `extra` is said of: money without a
    reference of its own is refused, it could not be told from its own repeat. `unnamed`: what no reference is read as;
    `named`: the result's own, where its id is not that; `word`: what the second win's id has before it."""
    if fields.raw.get("promoWinAmount") in (None, ""):
        return win
    amount = read_major(fields, "promoWinAmount", win.currency, call)
    if not amount and not fields.id("promoWinReference", ""):
        return win
    reference = fields.id("promoWinReference", unnamed)
    if reference in ("", named or win.id):
        raise fields.wrong("promoWinReference", Flaw.INVALID, "names no win of its own")
    own = replace(win, request_id="")
    act = Credit(amount=amount, type="promo")
    items = (own, replace(own, act=act, id=word + reference, free_round_id="", extra=dict(extra)))
    return replace(win, act=Batch(items=items), id="", free_round_id="", occurred_at=None, extra={})


def one_of(batch: Accepted) -> Outcome:
    """The one answer to a call that held several wins: yes only if all were taken.

    Where one was not, the provider shall send the call again: the others are known by then.
    """
    taken = [item for item in batch.items if isinstance(item, Accepted)]
    if len(taken) == len(batch.items):
        last = next((item for item in (batch, *reversed(taken)) if item.balance is not None), batch)
        return Accepted(wallet_id=taken[0].wallet_id, balance=last.balance, bonus=last.bonus, currency=last.currency)
    if all(isinstance(item, Declined) for item in batch.items):
        return batch.items[0]
    return Unknown(detail="not every win of this call was taken")
