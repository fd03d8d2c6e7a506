"""Slotegrator's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from adapters.slotegrator.wire import ACTION_OF, LIST, NAMES, NONCE, RETRIES, UNDONE, UNIT, apart, of_refund
from gateway.codec.fields import Fields, known, moment, write_form
from gateway.codec.frame import needed, unsaid
from gateway.codec.plain import utc_text
from gateway.codec.units import plain
from gateway.codec.unix import from_millis
from gateway.dialect import Call
from gateway.http import FORM_HEADERS, Request
from gateway.model import (
    Balance,
    Batch,
    Credit,
    Debit,
    Flaw,
    Game,
    Kind,
    Refused,
    Rollback,
    Round,
    Transaction,
    unsupported,
)

# ---------------------------------------------------------------- provider's end

Form = Mapping[str, str | bytes]


def is_repeated(request: Request) -> bool:
    """Whether its sender says that it sent it before: then its time may be long ago."""
    said = request.form
    count = said.get(RETRIES, "") if isinstance(said, Mapping) else ""
    return count.isascii() and count.isdigit() and len(count) < 10 and int(count) > 0


def without_count(request: Request) -> bytes:
    """The body but for the number of the retry: a repeat under the nonce of the first call is one all the same."""
    return write_form({name: value for name, value in Fields.of_form(request).raw.items() if name != RETRIES})


def decode_request(request: Request, call: Call) -> Transaction:
    form = Fields.of_form(request).raw
    fields = Fields({name: value for name, value in form.items() if "[" not in name})
    match call.name:
        case "balance":
            return _balance(fields, call)
        case "bet":
            return _bet(fields, call)
        case "win":
            return _win(fields, call)
        case "refund":
            return _refund(fields, call)
        case "rollback":
            return _rollback(fields, form, call)
        case _:
            raise fields.wrong("action", Flaw.UNKNOWN_CALL, "is none of balance, bet, win, refund, rollback")


def _balance(fields: Fields, call: Call) -> Transaction:
    return Transaction(
        act=Balance(),
        player=fields.id("player_id"),
        currency=_currency(fields, call),
        session=_perhaps(fields, "session_id", 1024),
        extra=fields.unknown(NAMES),
    )


def _bet(fields: Fields, call: Call) -> Transaction:
    head, word = _head(fields, call), fields.choice("type", {"bet": "bet", "tip": "tip", "freespin": "freespin"})
    free = word == "freespin"
    fields.id("session_id", length_max=1024)
    fields.id("game_uuid")
    campaign = fields.id("freespin_id") if free else head.free_round_id
    act = Debit(amount=_amount(fields, "amount", head.currency, call), type="bet" if free else word, free_round=free)
    return replace(head, act=act, round=_round(fields.id("round_id", ""), fields), free_round_id=campaign)


def _win(fields: Fields, call: Call) -> Transaction:
    """There are more words for wins than are documented: each pays its amount."""
    head, word = _head(fields, call), _perhaps(fields, "type", 64)
    act = Credit(
        amount=_amount(fields, "amount", head.currency, call),
        type="jackpot" if word == "jackpot" else "win",
        free_round=word == "freespin",
        reference=_perhaps(fields, "bet_transaction_id"),
    )
    other = known(type=word) if word not in ("win", "jackpot", "freespin") else {}
    return replace(head, act=act, extra=head.extra | other)


def _refund(fields: Fields, call: Call) -> Transaction:
    head = _head(fields, call)
    amount = _amount(fields, "amount", head.currency, call)
    act = Rollback(reference=fields.id("bet_transaction_id"), amount=amount)
    return replace(head, act=act, id=of_refund(head.id), extra=head.extra | known(type=_perhaps(fields, "type", 64)))


def _rollback(fields: Fields, form: Form, call: Call) -> Transaction:
    """Not atomic. What was refunded is taken back before its bet is given back, whatever the order of the list.

    *Of a refunded bet the list said bet, then refund: the bet was given back already, and then the refund was taken.*
    """
    head = _head(fields, call)
    own, elements = _perhaps(fields, "provider_round_id"), _elements(form)
    round_id = head.round_id or own
    head = replace(
        head, round=_round(round_id, fields), extra=head.extra | known(provider_round_id=own if own != round_id else "")
    )
    items: dict[str, Transaction] = {}
    for element in elements:
        item = _item(element, head, call)
        twin = items.get(item.id)
        if twin is not None and _kind_meant(twin) is not _kind_meant(item):  # a bet and a win of one id
            item = replace(item, id=f"{item.id}%{element.raw['action']}")
            twin = items.get(item.id)
        if twin is not None and twin != item:
            raise element.wrong("amount", Flaw.INVALID, "is another one than before, of one transaction")
        items[item.id] = item
    if not items:
        return head  # a read: an empty list is no field at all in a form
    ordered = sorted(items.values(), key=lambda item: _kind_meant(item) is not Kind.ROLLBACK)
    return replace(head, act=Batch(items=tuple(ordered)))


_ELEMENT = re.compile(rf"{LIST}\[(0|[1-9][0-9]{{0,4}})\]\[([a-z_]{{1,64}})\](.*)", re.DOTALL)


def _elements(form: Form) -> list[Fields]:
    """The elements in the order of their indices. The only form is the one with brackets, each index written out."""
    found: dict[int, dict[str, str | bytes]] = {}
    for name, value in form.items():
        if not name.startswith((f"{LIST}[", f"{LIST}.")) and (name != LIST or not value.strip()):
            continue
        said = _ELEMENT.fullmatch(name)
        if said is None:
            raise Fields({}).wrong(LIST, Flaw.INVALID, f"is not written as {LIST}[0][...]")
        if not said[3]:  # what lies deeper is no field that we know
            found.setdefault(int(said[1]), {})[said[2]] = value
    return [Fields(found[index], f"{LIST}[{index}].") for index in sorted(found)]


def _item(element: Fields, head: Transaction, call: Call) -> Transaction:
    kind, said = element.choice("action", UNDONE), element.id("transaction_id")
    act = Rollback(
        reference=of_refund(said) if kind is Kind.ROLLBACK else said,
        reference_kind=kind,
        amount=_amount(element, "amount", head.currency, call),
    )
    # The rest is the batch's.
    return Transaction(act=act, id=f"{apart(head.id)}:{apart(said)}", player=head.player, currency=head.currency)


def _kind_meant(item: Transaction) -> Kind:
    assert isinstance(item.act, Rollback)
    return item.act.reference_kind


def _head(fields: Fields, call: Call) -> Transaction:
    """What all but balance share. Whose, in what, under which id is needed; the rest stops no win and no rollback."""
    game = _perhaps(fields, "game_uuid")
    return Transaction(
        act=Balance(),
        id=fields.id("transaction_id"),
        player=fields.id("player_id"),
        session=_perhaps(fields, "session_id", 1024),
        currency=_currency(fields, call),
        round=_round(_perhaps(fields, "round_id"), fields),
        game=Game(id=game) if game else None,
        free_round_id=_perhaps(fields, "freespin_id"),
        occurred_at=_time(fields),
        extra=fields.unknown(NAMES) | known(quantity=_perhaps(fields, "quantity", 20)),
    )


def _perhaps(fields: Fields, name: str, length_max: int = 128) -> str:
    """A field that may say what it likes; what is no id is not known."""
    try:
        return fields.id(name, "", length_max=length_max)
    except Refused:
        return ""


def _currency(fields: Fields, call: Call) -> str:
    return call.currencies.meant(fields.text("currency"))


def _amount(fields: Fields, name: str, currency: str, call: Call) -> Decimal:
    amount, _ = fields.decimal(name)
    return UNIT.read(amount, currency, call.currencies, name, number=False)


def _round(id: str, fields: Fields) -> Round | None:
    closed = {"1": True, "true": True, "0": False, "false": False}.get(fields.raw.get("finished", "").lower())
    return Round(id, closed) if id or closed is not None else None


def _time(fields: Fields) -> datetime | None:
    """A text, seen with microseconds, or Unix seconds; only told on."""
    try:
        text = fields.text("transaction_datetime", "", length_max=64)
        if not re.fullmatch(r"[0-9]{9,11}(\.[0-9]{1,9})?", text):
            return moment(text, "transaction_datetime") if text else None
        return from_millis(Decimal(text) * 1000, "transaction_datetime")
    except Refused:
        return None


# ---------------------------------------------------------------- wallet's end

Pairs = dict[str, str]


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            said = {"player_id": needed("player", tx.player), "currency": needed("currency", tx.currency)}
            return _post("balance", said | known(session_id=tx.session), call)
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            return _post("bet", _move_fields(tx, tx.act.amount, _bet_type(tx, tx.act), call), call)
        case Credit():
            return _post("win", _move_fields(tx, tx.act.amount, _win_type(tx, tx.act), call), call)
        case Rollback() if tx.act.reference_kind is Kind.DEBIT:
            bet = {"bet_transaction_id": needed("reference", tx.act.reference)}
            return _post("refund", _move_fields(tx, needed("amount", tx.act.amount), bet, call), call)
        case Rollback():
            return _post("rollback", _list_fields(tx, (tx,), call), call)
        case Batch():
            return _post("rollback", _list_fields(tx, tx.act.items, call), call)
        case _:
            raise unsaid(tx)


def _post(action: str, fields: Pairs, call: Call) -> Request:
    headers = {**FORM_HEADERS, "accept": "application/json", **known(**{NONCE.lower(): call.nonce})}
    return Request(method="POST", path="/", headers=headers, body=write_form({"action": action, **fields}))


def _bet_type(tx: Transaction, act: Debit) -> Pairs:
    """A bet is free because of its type, and then names its campaign."""
    if not act.free_round:
        return {"type": "tip" if act.type == "tip" else "bet"}
    if not tx.free_round_id:
        raise unsupported("a free debit without its campaign")
    return {"type": "freespin"} | _campaign(tx)


def _win_type(tx: Transaction, act: Credit) -> Pairs:
    bet = known(bet_transaction_id=act.reference)
    if act.free_round:
        return bet | {"type": "freespin"} | (_campaign(tx) if tx.free_round_id else {})
    return bet | {"type": "jackpot" if act.type == "jackpot" else "win"}


def _campaign(tx: Transaction) -> Pairs:
    quantity = tx.extra.get("quantity", "")
    counted = quantity.isascii() and quantity.isdigit()
    return {"freespin_id": tx.free_round_id, "quantity": quantity if counted else "1"}


def _amount_out(amount: Decimal, currency: str, call: Call) -> str:
    return f"{plain(UNIT.write(amount, currency, call.currencies)):f}"


def _who_fields(tx: Transaction) -> Pairs:
    return {
        "currency": needed("currency", tx.currency),
        "game_uuid": needed("game", tx.game_id),
        "player_id": needed("player", tx.player),
        "session_id": needed("session", tx.session),
        "transaction_id": needed("id", tx.id),
    }


def _move_fields(tx: Transaction, amount: Decimal, own: Pairs, call: Call) -> Pairs:
    """What bet, win and refund share, around what is their `own`."""
    who = _who_fields(tx)
    said = {"amount": _amount_out(amount, tx.currency, call)} | who | own
    closed = tx.round.closed if tx.round else None
    finished = "" if closed is None else "1" if closed else "0"
    return said | known(round_id=tx.round_id, finished=finished, transaction_datetime=_time_out(tx))


def _time_out(tx: Transaction) -> str:
    return utc_text(tx.occurred_at) if tx.occurred_at else ""


def _list_fields(tx: Transaction, items: tuple[Transaction, ...], call: Call) -> Pairs:
    """One element for each item; its id is the wallet's to make."""
    round_id = needed("round", tx.round_id)
    said = _who_fields(tx) | {
        "type": "rollback",
        "round_id": round_id,
        "provider_round_id": tx.extra.get("provider_round_id", round_id),
    }
    for index, item in enumerate(items):
        element = _element(item, item.currency or tx.currency, call)
        said |= {f"{LIST}[{index}][{name}]": value for name, value in element.items()}
    return said | known(transaction_datetime=_time_out(tx))


def _element(item: Transaction, currency: str, call: Call) -> Pairs:
    act = item.act
    if not isinstance(act, Rollback):
        raise unsupported(f"a {item.kind.value} in a list")
    action = ACTION_OF.get(act.reference_kind)
    if action is None:
        raise unsupported(f"a rollback of a {act.reference_kind.value}")
    return {
        "action": action,
        "amount": _amount_out(needed("amount", act.amount), currency, call),
        "transaction_id": needed("reference", act.reference),
        "type": "win" if action == "win" else "bet",
    }
