"""What a wallet's dialect can be told of a transaction, and how what it cannot say is bridged.

Judged by trying: `encode_request` either makes a request, names what it misses, or refuses. What
it misses is stood in for by a placeholder, if the engine will know the value when it is real: from
the journal, the launch, the settings (docs/dialects.md).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.currency import Currencies
from gateway.dialect import Call, Dialect
from gateway.engine.parts import Part, halves, in_order, items_of
from gateway.engine.words import moves_nothing, spoken
from gateway.http import Request
from gateway.model import (
    Authenticate,
    Batch,
    Capture,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Game,
    Kind,
    Notice,
    Refused,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    reference_of,
)

SAME, BRIDGED, REFUSED = "same", "bridged", "refused"

AMOUNT_STAND_IN = Decimal(31415926)
"""Stands for an amount that only the journal knows; its digits are not to be taken for money."""
CURRENCY_STAND_IN = "XTS"  # ISO 4217's code for tests
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"

Alter = Callable[[Transaction, str], Transaction]
"""(transaction, name of the part it is of a larger one, or blank) -> the same in the wallet's terms."""


class Told(Struct, frozen=True, kw_only=True):
    """A judgement: the verdict, what bridges or is missing, and the requests in order.

    `spoken` are the transactions that the requests say, stand-ins included.
    """

    verdict: str
    text: str = ""
    requests: tuple[Request, ...] = ()
    spoken: tuple[Transaction, ...] = ()


def sayable(dialect: Dialect, settings: Any, tx: Transaction, currencies: Currencies) -> tuple[str, str]:
    """(`same`, ``), (`bridged`, by what) or (`refused`, why)."""
    call = Call(settings=settings, now=NOW, nonce=NONCE, provider="acme", currencies=currencies)
    told = tell(dialect, tx, call, lambda tx, part: _in_its_ids(dialect, tx))
    return told.verdict, told.text


def _in_its_ids(dialect: Dialect, tx: Transaction) -> Transaction:
    """With ids and a round that such a wallet takes: what is none is told as one that is made of it (rule 3)."""
    act, meant, ids, rounds = tx.act, reference_of(tx.act), dialect.as_wallet.ids, dialect.as_wallet.rounds
    if meant and not ids.holds(meant):
        act = replace(act, reference=ids.made(meant))
    round = tx.round
    if round is not None and round.id and rounds is not None and not rounds.holds(round.id):
        round = Round(rounds.made(round.id), round.closed)
    return replace(tx, act=act, round=round, id=tx.id if not tx.id or ids.holds(tx.id) else ids.made(tx.id))


def encodes(dialect: Dialect, settings: Any, tx: Transaction, currencies: Currencies) -> bool:
    """Whether the dialect has words for exactly this, once everything is known."""
    call = Call(settings=settings, now=NOW, nonce=NONCE, provider="acme", currencies=currencies)
    return _plainly(dialect, tx, call).verdict != REFUSED


def tell(dialect: Dialect, tx: Transaction, call: Call, aliased: Alter = lambda tx, part: tx, part: str = "") -> Told:
    """How this wallet is told of `tx`. `aliased` turns a movement into the wallet's ids."""
    call = replace(call, currencies=_with_stand_in(call.currencies))
    if isinstance(tx.act, Batch):  # always: each item has its own key, and a known one is not sent again
        items = items_of(tx, tx.act)
        ordered = [(items[number], "") for number in in_order(items)]
        return _several(dialect, ordered, call, aliased, "split: debits first, credits last")
    if tx.asks_the_line:
        return Told(verdict=BRIDGED, text="means nobody: answered without the wallet")
    direct = _plainly(dialect, aliased(tx, part), call)
    if direct.verdict != REFUSED:
        return direct
    match tx.act:
        case Debit() | Credit() | Rollback() if moves_nothing(tx):
            return Told(verdict=BRIDGED, text="moves no cash: not sent, answered by a balance")
        case Settle():
            bet, win = halves(tx, tx.act)
            named = _of_its_debit(dialect, bet, call, aliased)
            legs = [(bet.tx, bet.name), (win.tx, win.name)]
            return _several(dialect, legs, call, named, "split: the debit, then the credit")
        case Rollback(scope="round"):
            return _round(dialect, tx, tx.act, call, aliased, direct)
        case Rollback(amount=Decimal()):
            return _all_of_it(dialect, tx, tx.act, call, aliased, direct)
        case CloseRound() | CloseSession() | Notice():
            return Told(verdict=BRIDGED, text="moves nothing: not sent, answered by a balance")
        case Check() | Authenticate():
            return Told(verdict=BRIDGED, text="answered from the launch or the journal, and a balance")
        case Status():
            return Told(verdict=BRIDGED, text="answered from the journal")
        case _:
            return direct


def _with_stand_in(currencies: Currencies) -> Currencies:
    return Currencies({CURRENCY_STAND_IN: 2, **currencies.configured})


# ---------------------------------------------------------------- one transaction


def _plainly(dialect: Dialect, tx: Transaction, call: Call) -> Told:
    """Encode `tx`, with a stand-in for whatever the engine will know."""
    try:
        said = spoken(dialect, tx, call, lambda tx, what: _supplied(tx, what, call.currency))
    except Refused as refused:
        return Told(verdict=REFUSED, text=refused.message)
    verdict = BRIDGED if said.notes else SAME
    return Told(verdict=verdict, text="; ".join(said.notes), requests=(said.request,), spoken=(said.tx,))


def _supplied(tx: Transaction, what: str, currency: str) -> tuple[Transaction, str] | None:
    """The transaction with a stand-in, and where the real value comes from; None = from nowhere."""
    if what == "currency" and currency:
        return replace(tx, currency=currency), "the settings"
    found = _SUPPLY.get(what)
    return found(tx) if found else None


def _refers(tx: Transaction) -> bool:
    """Whether it belongs to a movement that the journal can be asked for."""
    return isinstance(tx.act, Rollback | Status) or bool(getattr(tx.act, "reference", ""))


def _player(tx: Transaction) -> tuple[Transaction, str]:
    return replace(tx, player="<player>"), "the launch or the journal"


def _currency(tx: Transaction) -> tuple[Transaction, str]:
    return replace(tx, currency=CURRENCY_STAND_IN), "the launch, the journal or the settings"


def _session(tx: Transaction) -> tuple[Transaction, str]:
    return replace(tx, session="<session>"), "the launch, the player's last session or the route"


def _reference(tx: Transaction) -> tuple[Transaction, str] | None:
    if not isinstance(tx.act, Rollback | Credit) or (isinstance(tx.act, Credit) and tx.round is None):
        return None  # a win of no round belongs to no bet that anybody knows
    return replace(tx, act=replace(tx.act, reference="<bet>")), "the journal"


def _beyond(tx: Transaction) -> tuple[Transaction, str] | None:
    return (replace(tx, act=replace(tx.act, beyond="<bet>")), "the journal") if isinstance(tx.act, Rollback) else None


def _amount(tx: Transaction) -> tuple[Transaction, str] | None:
    if not isinstance(tx.act, Rollback | Capture):
        return None
    return replace(tx, act=replace(tx.act, amount=AMOUNT_STAND_IN)), "the journal"


def _round_of(tx: Transaction) -> tuple[Transaction, str] | None:
    return (replace(tx, round=Round("<round>")), "the journal") if _refers(tx) else None


def _game(tx: Transaction) -> tuple[Transaction, str]:
    return replace(tx, game=replace(tx.game or Game(), id="<game>")), "the journal" if _refers(tx) else "the launch"


def _id(tx: Transaction) -> tuple[Transaction, str] | None:
    # A movement without an id of the provider's has none to be made from; a read needs any.
    return (replace(tx, id="<id>"), "the gateway") if tx.kind in _READS else None


_READS = frozenset({Kind.BALANCE, Kind.CHECK, Kind.AUTHENTICATE, Kind.STATUS, Kind.CLOSE_ROUND, Kind.CLOSE_SESSION})
_SUPPLY: dict[str, Callable[[Transaction], tuple[Transaction, str] | None]] = {
    "player": _player,
    "currency": _currency,
    "session": _session,
    "reference": _reference,
    "amount": _amount,
    "beyond": _beyond,
    "round": _round_of,
    "game": _game,
    "id": _id,
}


# ---------------------------------------------------------------- movements that are more than one


def _several(dialect: Dialect, parts: list[tuple[Transaction, str]], call: Call, aliased: Alter, how: str) -> Told:
    """Told one after the other; the worst of them decides."""
    told = [tell(dialect, tx, call, aliased, part) for tx, part in parts]
    refused = list(dict.fromkeys(each.text for each in told if each.verdict == REFUSED))
    if refused:
        return Told(verdict=REFUSED, text="; ".join(refused))
    notes = dict.fromkeys(note for each in told for note in each.text.split("; ") if note)
    return Told(
        verdict=BRIDGED,
        text="; ".join([how, *notes]),
        requests=tuple(request for each in told for request in each.requests),
        spoken=tuple(tx for each in told for tx in each.spoken),
    )


def _of_its_debit(dialect: Dialect, bet: Part, call: Call, aliased: Alter) -> Alter:
    """The win of a settle as that of its debit, if the wallet is told of that and pays one win for each bet."""
    if not dialect.as_wallet.one_win or not tell(dialect, bet.tx, call, aliased, bet.name).requests:
        return aliased
    told = aliased(bet.tx, bet.name).id

    def named(tx: Transaction, part: str) -> Transaction:
        own = aliased(tx, part)
        return replace(own, act=replace(own.act, reference=told)) if isinstance(own.act, Credit) else own

    return named


def _round(dialect: Dialect, tx: Transaction, act: Rollback, call: Call, aliased: Alter, direct: Told) -> Told:
    """Rule 16: a rollback for every open bet of the round, or for the one that has its amount; the journal knows them."""
    each = replace(tx, act=replace(act, reference=act.reference or "<bet>", scope="transaction"))
    told = tell(dialect, each, call, aliased)
    if told.verdict == REFUSED:
        return direct
    meant = "every open bet of the round" if act.amount is None else "the open bet of the round that has its amount"
    text = "; ".join(filter(None, (f"one rollback for {meant}", told.text)))
    return replace(told, verdict=BRIDGED, text=text)


def _all_of_it(dialect: Dialect, tx: Transaction, act: Rollback, call: Call, aliased: Alter, direct: Told) -> Told:
    """For a wallet that always rolls back the whole bet: the amount is left out where it is just that."""
    told = _plainly(dialect, aliased(replace(tx, act=replace(act, amount=None)), ""), call)
    if told.verdict == REFUSED:
        return direct
    text = "; ".join(filter(None, ("without its amount, where the journal shows that it is all of the bet", told.text)))
    return replace(told, verdict=BRIDGED, text=text)
