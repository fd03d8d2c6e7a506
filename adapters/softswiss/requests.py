"""SOFTSWISS's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from msgspec.structs import replace

from adapters.softswiss.wire import BODY_MAX, CURRENCY, NAMES, PATHS, UUID, WIN, amount_text, read_amount, read_currency
from gateway.codec.fields import Fields, known
from gateway.codec.frame import needed, post
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Act,
    Balance,
    Batch,
    CloseRound,
    Credit,
    Debit,
    Flaw,
    Game,
    Kind,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Transaction,
    unsupported,
)

T = TypeVar("T")

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    if len(request.body) > BODY_MAX:
        message = "the body is larger than 64 KiB"
        raise Refused(Reason.INVALID_REQUEST, message, field="request_body", flaw=Flaw.TOO_LONG)
    fields = Fields.of(request)
    if "actions" in fields.raw:
        raise fields.wrong("actions", Flaw.INVALID, "is the older edition's, which is another dialect")
    head = Transaction(
        act=Balance(),
        player=fields.id("account_id"),
        currency=read_currency(fields, call.currencies),
        session=_described(lambda: fields.text("session_id", ""), ""),  # optional, and decides nothing
        extra=fields.unknown(NAMES),
    )
    match call.name:
        case "balance":
            return replace(head, game=Game(id=fields.id("game_id")))
        case "betwin":
            return _read_betwin(fields, head, call)
        case "rollback":
            return _read_rollback(fields, head)
        case _:
            return replace(head, act=CloseRound(), round=Round(fields.id("round_id")))


def _read_betwin(fields: Fields, head: Transaction, call: Call) -> Transaction:
    round_id, movements = fields.id("round_id"), _movements(fields)
    items = [_read_movement(each, head.currency, call) for each in movements]
    if len({item.id for item in items}) < len(items):
        raise fields.wrong("transactions", Flaw.INVALID, "hold one id_provider twice: nobody knows which is meant")
    takes = any(isinstance(item.act, Debit) for item in items)
    return _together(_of_play(fields, head, round_id, strict=takes), items, atomic=True)


def _read_movement(fields: Fields, currency: str, call: Call) -> Transaction:
    tx_id, word = fields.id("id_provider"), fields.choice("type", {"bet": "bet", "win": "win"})
    amount = read_amount(fields, currency, call.currencies)
    return Transaction(act=Debit(amount=amount) if word == "bet" else Credit(amount=amount), id=tx_id)


def _read_rollback(fields: Fields, head: Transaction) -> Transaction:
    """The wire does not say whether it is a bet or a win that is undone; `rollback_kinds` lets it be either."""
    round_id = fields.id("round_id_provider")
    items = [_read_undoing(each) for each in _movements(fields)]
    return _together(_of_play(fields, head, round_id, strict=False), items, atomic=False)


def _read_undoing(fields: Fields) -> Transaction:
    tx_id = fields.id("id_provider")
    fields.choice("type", {"rollback": "rollback"}, "rollback")
    return Transaction(act=Rollback(reference=fields.id("original_id_provider")), id=tx_id)


def _movements(fields: Fields) -> list[Fields]:
    found = fields.value("transactions")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise fields.wrong("transactions", Flaw.INVALID, "is no list of movements")
    return [Fields(each, f"transactions[{number}].") for number, each in enumerate(found)]


def _of_play(fields: Fields, head: Transaction, round_id: str, *, strict: bool) -> Transaction:
    """With its round and game. `strict` false: what gives, or gives back, is not refused for what only describes it."""
    game_id = _described(lambda: fields.id("game_id"), "", strict=strict)
    closed = _described(lambda: fields.flag("finished") if "finished" in fields else None, None, strict=strict)
    return replace(head, round=Round(round_id, closed), game=Game(id=game_id) if game_id else None)


def _described(read: Callable[[], T], otherwise: T, *, strict: bool = False) -> T:
    """What a field says; where it is not there, or in another form, `otherwise`."""
    try:
        return read()
    except Refused:
        if strict:
            raise
        return otherwise


def _together(head: Transaction, items: Sequence[Transaction], *, atomic: bool) -> Transaction:
    """A list of one, the normal case, is that movement: all or nothing by itself, and never a batch of its own."""
    if len(items) == 1:
        return replace(head, act=items[0].act, id=items[0].id)
    named = tuple(replace(item, player=head.player, currency=head.currency) for item in items)
    return replace(head, act=Batch(items=named, atomic=atomic))


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            return post(PATHS["balance"], _player_fields(tx) | _game_fields(tx) | _session_fields(tx))
        case CloseRound():
            return _finish(tx)
        case Credit(amount=amount, tracking_only=False) if not amount and _closed(tx):
            return _finish(tx)  # there are no wins of zero: a lost round ends
        case Rollback():
            return _rollback(tx, [_undoing(tx.id, tx.act)] if tx.act.reference_kind is not Kind.SETTLE else _both(tx))
        case Batch(items=items, atomic=False) if all(isinstance(item.act, Rollback) for item in items):
            return _rollback(tx, [_undoing(item.id, item.act) for item in _of_one_play(tx, items)])
        case Batch(items=items, atomic=True):
            return _betwin(tx, [_movement(item.id, item.act, tx, call) for item in _of_one_play(tx, items)])
        case Settle():
            return _betwin(tx, _settle(tx, tx.act, call))
        case _:
            return _betwin(tx, [_movement(tx.id, tx.act, tx, call)])


def _closed(tx: Transaction) -> bool:
    return tx.round is not None and tx.round.closed is True


def _player_fields(tx: Transaction) -> dict[str, Any]:
    player, currency = needed("player", tx.player), needed("currency", tx.currency)
    if not CURRENCY.fullmatch(currency):
        raise unsupported(f"the currency {currency}")
    return {"account_id": player, "currency": currency}


def _game_fields(tx: Transaction) -> dict[str, Any]:
    return {"game_id": needed("game", tx.game_id)}


def _session_fields(tx: Transaction) -> dict[str, Any]:
    """Optional, and a UUID: another form would only be refused."""
    return known(session_id=tx.session if UUID.fullmatch(tx.session) else "")


def _round_of(tx: Transaction) -> str:
    """Required, so without one the session stands for it: in each attempt, and in what undoes it, the same."""
    return tx.round_id or needed("session", tx.session)


def _finish(tx: Transaction) -> Request:
    return post(PATHS["finish"], _player_fields(tx) | {"round_id": _round_of(tx)} | _session_fields(tx))


def _betwin(tx: Transaction, movements: list[dict[str, Any]]) -> Request:
    said = _player_fields(tx) | _game_fields(tx) | {"round_id": _round_of(tx)} | _session_fields(tx)
    closed = tx.round.closed if tx.round else None
    return post(PATHS["betwin"], said | known(finished=closed) | {"transactions": movements})


def _movement(tx_id: str, act: Act, tx: Transaction, call: Call) -> dict[str, Any]:
    if not isinstance(act, Debit | Credit):
        raise unsupported(tx.kind.value)
    if act.tracking_only or (isinstance(act, Debit) and act.free_round):
        raise unsupported(f"a {tx.kind.value} that moves no cash")
    return _moving("bet" if isinstance(act, Debit) else "win", tx_id, act.amount, tx, call)


def _moving(word: str, tx_id: str, amount: Decimal, tx: Transaction, call: Call) -> dict[str, Any]:
    if not amount:
        raise unsupported("an amount of zero")
    needed("currency", tx.currency)
    return {"id_provider": needed("id", tx_id), "type": word, "amount": amount_text(amount, tx, call.currencies)}


def _settle(tx: Transaction, act: Settle, call: Call) -> list[dict[str, Any]]:
    if act.free_round:
        raise unsupported("a free settle")
    return [_moving("bet", _without_win(tx.id), act.debit, tx, call), _moving("win", tx.id + WIN, act.credit, tx, call)]


def _without_win(tx_id: str) -> str:
    """An id that cannot be taken for another's win."""
    if tx_id.endswith(WIN):
        raise unsupported(f"a settle whose id ends with {WIN}")
    return tx_id


def _rollback(tx: Transaction, undoings: list[dict[str, Any]]) -> Request:
    said = _player_fields(tx) | _game_fields(tx) | {"round_id_provider": _round_of(tx)} | _session_fields(tx)
    return post(PATHS["rollback"], said | {"finished": _closed(tx), "transactions": undoings})


def _undoing(tx_id: str, act: Act) -> dict[str, Any]:
    assert isinstance(act, Rollback)
    if act.reference_kind not in (Kind.DEBIT, Kind.CREDIT):
        raise unsupported(f"a rollback of a {act.reference_kind.value}")
    if act.amount is not None:
        raise unsupported("the amount of a rollback")  # it is always all of it
    return {
        "id_provider": needed("id", tx_id),
        "type": "rollback",
        "original_id_provider": needed("reference", act.reference),
    }


def _both(tx: Transaction) -> list[dict[str, Any]]:
    """A settle is a bet and a win here: first the win, as the page's example does."""
    act = tx.act
    assert isinstance(act, Rollback)
    bet = replace(act, reference_kind=Kind.DEBIT)
    undone = _undoing(_without_win(tx.id), bet)
    return [_undoing(tx.id + WIN, replace(bet, reference=act.reference + WIN)), undone]


def _of_one_play(tx: Transaction, items: Sequence[Transaction]) -> Sequence[Transaction]:
    """The items of a batch, where the call's own fields hold for each of them."""
    for item in items:
        own = (item.player or tx.player, item.currency or tx.currency, item.round_id or tx.round_id)
        if own != (tx.player, tx.currency, tx.round_id):
            raise unsupported("a batch of several players, currencies or rounds")
    return items
