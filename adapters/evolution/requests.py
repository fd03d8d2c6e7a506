"""Evolution's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from adapters.evolution.wire import (
    CHANNELS,
    CHANNELS_OUT,
    NAMES,
    OTHER_GAME,
    OTHER_PROMO,
    PROMOS,
    PROMOS_OUT,
    amount_out,
    label,
    read_amount,
    read_currency,
    read_win,
)
from gateway.codec.fields import Fields, known
from gateway.codec.frame import needed, post, reader_of, unsaid
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    ID_LENGTH_MAX,
    Authenticate,
    Balance,
    Check,
    Credit,
    Debit,
    Game,
    Kind,
    Missing,
    Rollback,
    Round,
    Transaction,
    cancel_id,
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    reader = reader_of(READERS, call)
    return reader(Fields.of(request), call)


def _head(fields: Fields) -> Transaction:
    """What all calls share."""
    return Transaction(
        act=Balance(),
        session=fields.id("sid", length_max=1024),
        player=fields.id("userId"),
        request_id=label(fields.value("uuid", None), 256),
        extra=fields.unknown(NAMES),
    )


def _read_check(fields: Fields, call: Call) -> Transaction:
    return replace(
        _head(fields), act=Authenticate(), channel=CHANNELS.get(label(_inside(fields, "channel", "type"), 8), "")
    )


def _read_balance(fields: Fields, call: Call) -> Transaction:
    head = replace(_head(fields), currency=read_currency(fields, call))
    return replace(_with_game(head, fields), round=None)


def _read_debit(fields: Fields, call: Call) -> Transaction:
    head = replace(_head(fields), currency=read_currency(fields, call))
    fields.object("game").id("id")  # a bet says its round; what ends it may do without
    moved = fields.object("transaction")
    act = Debit(amount=read_amount(moved, head.currency, call))
    return _with_movement(_with_game(head, fields), moved, act)


def _read_credit(fields: Fields, call: Call) -> Transaction:
    head = replace(_head(fields), currency=read_currency(fields, call))
    moved = fields.object("transaction")
    act = Credit(amount=read_win(moved, head.currency, call), reference=moved.id("refId"))
    return _with_movement(_with_game(head, fields), moved, act)


def _read_cancel(fields: Fields, call: Call) -> Transaction:
    """It carries the debit's `transaction.id`, and always means all of it: its amount is kept, and decides nothing."""
    head = replace(_head(fields), currency=read_currency(fields, call))
    moved = fields.object("transaction")
    reference = moved.id("refId")
    cancel = _with_movement(_with_game(head, fields), moved, Rollback(reference=reference))
    said = known(amount=moved.opaque("amount").get("amount", "")[:64])
    return replace(cancel, id=cancel_id(reference), extra=cancel.extra | said)


def _read_promo(fields: Fields, call: Call) -> Transaction:
    head = replace(_head(fields), currency=read_currency(fields, call))
    promo = fields.object("promoTransaction")
    word = label(promo.value("type", None), 64)
    act = Credit(amount=read_win(promo, head.currency, call), type=PROMOS.get(word, "promo"))
    said = known(promo_type=word, remaining_rounds=label(promo.value("remainingRounds", None), 32))
    paid = _with_game(replace(head, act=act, id=f"promo:{promo.id('id')}"), fields)
    return replace(paid, free_round_id=label(promo.value("voucherId", None), ID_LENGTH_MAX), extra=paid.extra | said)


READERS: Mapping[str, Callable[[Fields, Call], Transaction]] = {
    "check": _read_check,
    "balance": _read_balance,
    "debit": _read_debit,
    "credit": _read_credit,
    "cancel": _read_cancel,
    "promo_payout": _read_promo,
}


def _with_movement(head: Transaction, moved: Fields, act: Debit | Credit | Rollback) -> Transaction:
    """The bet's `refId` is what debit, credit and cancel are known by; `transaction.id` is only told on."""
    said = known(transaction_id=label(moved.value("id", None), ID_LENGTH_MAX))
    return replace(head, act=act, id=moved.id("refId"), extra=head.extra | said)


def _with_game(head: Transaction, fields: Fields) -> Transaction:
    """Round, game and table, as far as they can be read."""
    found = fields.raw.get("game")
    if not isinstance(found, dict):
        return head
    # `details` is a Go field without a JSON name of its own: other writers spell it `Details`.
    details = next((value for name, value in found.items() if name.lower() == "details"), None)
    table = details.get("table") if isinstance(details, dict) else None
    table = table if isinstance(table, dict) else {}
    game = Game(id=label(table.get("id"), ID_LENGTH_MAX), type=label(found.get("type"), 64))
    round_id = label(found.get("id"), ID_LENGTH_MAX)
    return replace(
        head,
        round=Round(round_id) if round_id else None,
        game=game if game != Game() else None,
        extra=head.extra | known(vid=label(table.get("vid"), ID_LENGTH_MAX)),
    )


def _inside(fields: Fields, name: str, inner: str) -> Any:
    found = fields.raw.get(name)
    return found.get(inner) if isinstance(found, dict) else None


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() | Check():
            channel = {"type": CHANNELS_OUT.get(tx.channel, "P")}
            return _post("check", _head_fields(tx) | {"channel": channel}, call)
        case Balance():
            return _post("balance", _head_fields(tx) | _currency(tx) | {"game": None}, call)
        case Debit(tracking_only=True) | Credit(tracking_only=True) | Debit(free_round=True):
            raise unsaid(tx)
        case Debit() as act:
            moved = {"id": tx.id, "refId": tx.id, "amount": amount_out(act.amount)}
            return _post("debit", _of_a_bet(tx, tx.id, moved), call)
        case Credit() as act if ends_its_bet(act):
            moved = {"id": tx.id, "refId": act.reference, "amount": amount_out(act.amount)}
            return _post("credit", _of_a_bet(tx, act.reference, moved), call)
        case Credit() as act:
            return _post("promo_payout", _promo_fields(tx, act), call)
        case Rollback() as act:
            return _post("cancel", _cancel_fields(tx, act), call)
        case _:
            raise unsaid(tx)


def _post(name: str, fields: dict[str, Any], call: Call) -> Request:
    # `uuid` is unique per request, so that an answer is never taken for another attempt's.
    return post(f"/{name}", {**fields, "uuid": call.nonce})


def _head_fields(tx: Transaction) -> dict[str, Any]:
    return {"sid": needed("session", tx.session), "userId": needed("player", tx.player)}


def _currency(tx: Transaction) -> dict[str, Any]:
    return {"currency": needed("currency", tx.currency)}


def _of_a_bet(tx: Transaction, bet: str, moved: dict[str, Any]) -> dict[str, Any]:
    return _head_fields(tx) | _currency(tx) | {"game": _game(tx, tx.round_id or bet), "transaction": moved}


def _game(tx: Transaction, round_id: str) -> dict[str, Any]:
    game = tx.game or Game()
    table = {"table": {"id": game.id, "vid": tx.extra.get("vid")}} if game.id else {}
    return {"id": round_id, "type": game.type or OTHER_GAME, "details": table}


def ends_its_bet(win: Credit) -> bool:
    """Whether it is told as the credit of its bet, of which there is one; every other win is a promo_payout."""
    return bool(win.reference) and not win.further and _promo_of(win) == OTHER_PROMO and win.type != "promo"


def _promo_of(act: Credit) -> str:
    return PROMOS_OUT["free_round"] if act.free_round else PROMOS_OUT.get(act.type, OTHER_PROMO)


def _promo_fields(tx: Transaction, act: Credit) -> dict[str, Any]:
    """A win of no bet, and a further one of a bet: a second credit for it would pay nothing."""
    rounds = tx.extra.get("remaining_rounds", "")
    left = {"remainingRounds": int(rounds)} if rounds.isascii() and rounds.isdigit() and len(rounds) < 10 else {}
    promo = {
        "type": _promo_of(act),
        "id": tx.id,
        "amount": amount_out(act.amount),
        "voucherId": tx.free_round_id or tx.id,
    }
    game = _game(tx, tx.round_id) if tx.round_id else None
    return _head_fields(tx) | _currency(tx) | {"game": game, "promoTransaction": promo | left}


def _cancel_fields(tx: Transaction, act: Rollback) -> dict[str, Any]:
    if act.reference_kind is not Kind.DEBIT:
        raise unsaid(tx)
    # The debit's own `transaction.id`, which is what it was called, too.
    bet = needed("reference", act.reference)
    said = _of_a_bet(tx, bet, {"id": bet, "refId": bet})
    if act.amount is None:
        raise Missing("amount")
    return said | {"transaction": said["transaction"] | {"amount": amount_out(act.amount)}}
