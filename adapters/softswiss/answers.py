"""SOFTSWISS's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.softswiss.wire import (
    FAULT,
    MESSAGES,
    WIN,
    WITH_BALANCE,
    balance_text,
    code_of,
    read_balance,
    reason_heard,
)
from gateway.codec.fields import Fields
from gateway.codec.frame import answer, heard, needed
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import (
    Accepted,
    Balance,
    Batch,
    CloseRound,
    Credit,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Settle,
    Transaction,
    Unknown,
)

# ---------------------------------------------------------------- provider's end

NOTHING_TO_UNDO = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})
"""Noes that a rollback hears as done: anything but a 200 would be asked again for ever."""


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    answers = _answers(outcome, tx)
    if any(isinstance(answer, Unknown) for _, answer in answers):
        return _error(500, "internal", FAULT, {})
    refused = next((answer for _, answer in answers if _is_no(answer, tx, call)), None)
    if isinstance(refused, Declined):
        return _refusal(refused, tx, call)
    assert not isinstance(outcome, Unknown)
    needed("balance", outcome.balance)
    assert tx is not None
    return answer(_accepted(outcome, answers, tx, call))


Answers = Sequence[tuple[Transaction | None, Outcome]]
"""Each movement of a call with what became of it."""


def _answers(outcome: Outcome, tx: Transaction | None) -> Answers:
    act = tx.act if tx is not None else None
    if not isinstance(act, Batch) or isinstance(outcome, Unknown):
        return [(tx, outcome)]
    each = outcome.items if len(outcome.items) == len(act.items) else [outcome] * len(act.items)
    return list(zip(act.items, each, strict=True))


def _is_no(answer: Outcome, tx: Transaction | None, call: Call) -> bool:
    if not isinstance(answer, Declined) or tx is None:
        return isinstance(answer, Declined)
    if call.name == "rollback":
        return answer.reason not in NOTHING_TO_UNDO
    return not (call.name == "finish" and answer.reason is Reason.ROUND_CLOSED)  # finished before: that is done


def _accepted(outcome: Accepted | Declined, answers: Answers, tx: Transaction, call: Call) -> dict[str, Any]:
    assert outcome.balance is not None
    shown = {"balance": _shown(outcome.balance, outcome, tx, call)}
    if call.name not in ("betwin", "rollback"):
        return shown
    moved = [_moved(item, answer, tx, call) for item, answer in answers if item is not None]
    return {"round_id": tx.round_id, "transactions": moved} | shown


def _moved(item: Transaction, answer: Outcome, tx: Transaction, call: Call) -> dict[str, Any]:
    assert not isinstance(answer, Unknown)
    undone = not isinstance(answer, Declined) or answer.reason is not Reason.TRANSACTION_NOT_FOUND
    moved = {"id_provider": item.id, "id": answer.wallet_id if undone else ""}
    if call.name == "rollback":
        return moved
    # No wallet says how much of a movement was bonus money.
    return moved | {"bonus_amount": balance_text(Decimal(0), tx.currency, call.currencies)}


def _shown(balance: Decimal, outcome: Accepted | Declined, tx: Transaction, call: Call) -> str:
    return balance_text(balance, outcome.currency or tx.currency or call.currency, call.currencies)


def _refusal(refused: Declined, tx: Transaction | None, call: Call) -> Response:
    code = code_of(refused.reason, call.name)
    balance = {}
    if code in WITH_BALANCE and tx is not None:
        balance = {"balance": _shown(needed("balance", refused.balance), refused, tx, call)}
    # Only what we found wrong with the request is told; a wallet's own words are for its operator.
    return _error(400, "invalid_argument", code, balance, refused.message if refused.flaw is not Flaw.NONE else "")


def _error(status: int, word: str, code: str, balance: dict[str, Any], message: str = "") -> Response:
    text = message or MESSAGES[code]
    body = {"code": word, "msg": text, "meta": {"api_code": code, "api_message": text} | balance}
    return answer(body, status)


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    read = _no_heard if response.status == 400 else _yes_heard
    return heard(response, read, tx, call, statuses=(200, 400))


def _no_heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    meta = fields.object("meta")
    code = meta.id("api_code")  # a text on the page; a number would say the same
    reason = reason_heard(code, _call_of(tx))
    if reason is None or fields.raw.get("code") == "internal":
        return Unknown(detail=f"api_code {code[:16]}")
    balance = _balance_heard(meta, tx, call)
    return Declined(reason=reason, balance=balance, currency=_currency_of(balance, tx, call))


def _yes_heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    balance = _balance_heard(fields, tx, call)
    shown = Accepted(balance=balance, currency=_currency_of(balance, tx, call))
    if _call_of(tx) in ("balance", "finish"):  # their yes is nothing but the balance
        return shown if balance is not None else Unknown(detail="accepted without a readable balance")
    made = _made(fields)
    if made is None or sorted(made) != sorted(_ids(tx)):
        return Unknown(detail="the answer does not name what was asked for")
    if isinstance(tx.act, Batch):
        items = tuple(_of_one([made[item.id]], item, Accepted()) for item in tx.act.items)
        if any(isinstance(item, Unknown) for item in items):
            return Unknown(detail="an item without a readable id")
        return replace(shown, wallet_id=next((i.wallet_id for i in items if isinstance(i, Accepted)), ""), items=items)
    return _of_one([made[tx_id] for tx_id in _ids(tx)], tx, shown)


def _of_one(ids: Sequence[str | None], tx: Transaction, shown: Accepted) -> Outcome:
    """One movement, which the wallet knows by one id, or by two: those of a settle's bet and its win."""
    if not isinstance(tx.act, Rollback):
        return replace(shown, wallet_id=ids[0] or "")
    if None in ids or len({not each for each in ids}) > 1:
        return Unknown(detail="the answer does not say whether it was undone")
    if not ids[0]:
        return Declined(
            reason=Reason.TRANSACTION_NOT_FOUND,
            message="nothing to undo",
            balance=shown.balance,
            currency=shown.currency,
        )
    return replace(shown, wallet_id=ids[0])


def _call_of(tx: Transaction) -> str:
    """The call that it was said with."""
    act = tx.act
    if isinstance(act, Balance):
        return "balance"
    if isinstance(act, CloseRound) or (isinstance(act, Credit) and not act.amount):
        return "finish"
    undoes = isinstance(act, Rollback) or (isinstance(act, Batch) and isinstance(act.items[0].act, Rollback))
    return "rollback" if undoes else "betwin"


def _ids(tx: Transaction) -> list[str]:
    """What it was called; of a settle the bet first."""
    act = tx.act
    if isinstance(act, Batch):
        return [item.id for item in act.items]
    whole = isinstance(act, Settle) or (isinstance(act, Rollback) and act.reference_kind is Kind.SETTLE)
    return [tx.id, tx.id + WIN] if whole else [tx.id]


def _made(fields: Fields) -> dict[str, str | None] | None:
    """The wallet's ids by ours, blank where there was nothing to undo; None: no such list, or one id twice."""
    found = fields.value("transactions")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    made = {Fields(each).id("id_provider", length_max=1024): _wallet_id(each) for each in found}
    return made if len(made) == len(found) else None


def _wallet_id(raw: dict[str, Any]) -> str | None:
    """None: there is none to be read."""
    if raw.get("id") == "":
        return ""
    try:
        return Fields(raw).id("id", length_max=256)
    except Refused:
        return None


def _balance_heard(fields: Fields, tx: Transaction, call: Call) -> Decimal | None:
    return read_balance(fields, tx.currency or call.currency, call.currencies)


def _currency_of(balance: Decimal | None, tx: Transaction, call: Call) -> str:
    return "" if balance is None else tx.currency or call.currency
