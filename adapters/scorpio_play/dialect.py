"""Scorpio Play (SlotCity; also Bull Play, iGamingAce): one URL, a `command` in a flat, signed body.

Source: slotcity.gitbook.io/scorpio-play-casino-api-doc (balance, bet, win, cancel, the signature),
the Bull Play mirror of these pages, public code of two operators. The older Scorpio protocol with a
nested `data` is another one and refused. What the pages leave open is decided in NOTES.md.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.scorpio_play.wire import (
    ANY_FAILURE,
    CALLS,
    COMMAND_OF,
    LISTED,
    MAJOR,
    MINOR,
    NAMES,
    NO_COMMAND,
    OK,
    Settings,
    code_of,
    is_ace,
    reason_heard,
)
from gateway.auth import InHeader, Signed, base64_text, hmac_of, js_number, loosely, sorted_values
from gateway.codec.fields import Fields, Number, known, write_json
from gateway.codec.ids import INT64_MAX, integer_or_text
from gateway.codec.units import ARTEFACT, bounded, plain, token
from gateway.codec.unix import from_millis, to_millis
from gateway.dialect import Call, Dialect, NoCall
from gateway.ends import AsProvider, AsWallet
from gateway.http import JSON_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
    Refused,
    Rollback,
    Round,
    Transaction,
    Unknown,
    unsupported,
)

# ---------------------------------------------------------------- signature

SIGNED = Signed(
    covers=sorted_values(between=",", php_booleans=lambda settings: bool(settings.php_booleans)),
    digest=hmac_of("sha512"),
    carried=InHeader("x-request-signature", base64_text),
    demo="sp-test-token-7f3a",
)

# ---------------------------------------------------------------- which call it is


def route(request: Request, settings: Any) -> str:
    """The command in the body; else the one appended to the path; else a `referenceId` means cancel."""
    word = request.path.strip("/")
    if "/" in word:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    fields = loosely(request)
    if fields is None:
        return NO_COMMAND
    command = fields.get("command")
    if command is not None and command != "":
        word = command if isinstance(command, str) else NO_COMMAND
    elif word.lower() not in LISTED and fields.get("referenceId") is not None:
        return "cancel"
    return word.lower() if word.lower() in LISTED else NO_COMMAND


# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of(request)
    if "data" in fields.raw and "check" in fields.raw:
        raise fields.wrong("data", Flaw.INVALID, "and check are Scorpio's older protocol, which is another one")
    match call.name:
        case "balance":
            return _read_balance(fields, call)
        case "bet" | "win":
            return _read_move(fields, call)
        case "cancel":
            return _read_cancel(fields, call)
        case _:
            raise fields.wrong("command", Flaw.UNKNOWN_CALL, "is none of balance, bet, win, cancel")


def _read_balance(fields: Fields, call: Call) -> Transaction:
    return Transaction(
        act=Balance(),
        player=fields.id("playerId"),
        extra=fields.unknown(NAMES) | known(providerId=fields.words("providerId")),
        currency=_currency(fields, call),
        occurred_at=_time(fields),
    )


def _read_head(fields: Fields) -> Transaction:
    """What bet, win and cancel share, in the order of their table, up to the money."""
    return Transaction(
        act=Balance(),
        id=fields.id("transactionId"),
        player=fields.id("playerId"),
        round=Round(fields.id("roundId")),
        extra=fields.unknown(NAMES)
        | known(providerId=fields.words("providerId"), providerName=fields.words("providerName")),
        game=Game(id=fields.id("gameCode"), name=fields.words("gameName")),
    )


def _read_move(fields: Fields, call: Call) -> Transaction:
    head, currency = _read_head(fields), _currency(fields, call)
    amount = _amount(fields, currency, call)
    occurred_at = _time(fields)
    # Missing means false: a win may still follow. One operator assumes true, and closes too early.
    closed = fields.flag("isRoundFinished", False)
    marker = "isBonusBusy" if is_ace(call) else "isCall"
    extra = head.extra | ({marker: "true"} if fields.words(marker).lower() in ("true", "1") else {})  # only a marker
    bonus_id = fields.id("bonusId", "") if is_ace(call) else ""
    return replace(
        head,
        # Inside a bonus call or not, the amount is what moves.
        act=Debit(amount=amount) if call.name == "bet" else Credit(amount=amount),
        currency=currency,
        round=Round(head.round_id, closed),
        free_round_id="" if bonus_id == "0" else bonus_id,
        occurred_at=occurred_at,
        extra=extra,
    )


def _read_cancel(fields: Fields, call: Call) -> Transaction:
    head, bare = _read_head(fields), is_ace(call)
    currency = "" if bare and "currency" not in fields else _currency(fields, call)
    # iGamingAce's table has no amount: all of it.
    amount = None if bare and "amount" not in fields else _amount(fields, currency, call)
    occurred_at = _time(fields)
    # Live calls exist with the bet's id in `transactionId` and no reference.
    reference = fields.id("referenceId", "") or head.id
    return replace(
        head,
        act=Rollback(reference=reference, amount=amount),
        id=f"refund:{reference}" if reference == head.id else head.id,
        currency=currency,
        occurred_at=occurred_at,
    )


def _currency(fields: Fields, call: Call) -> str:
    return call.currencies.meant(fields.text("currency"))


def _amount(fields: Fields, currency: str, call: Call) -> Decimal:
    """A number; live traffic has texts, too, which are forgiven nothing."""
    amount, number = fields.decimal("amount")
    if call.settings.amount_unit == "minor":
        code = currency or call.currency
        if not code:
            raise fields.wrong("currency", Flaw.MISSING, "is missing, and minor units mean nothing without it")
        whole = round(amount)
        if amount != whole and not (number and abs(amount - whole) <= ARTEFACT):
            raise fields.wrong("amount", Flaw.NOT_INTEGER, "is not an integer")
        return MINOR.read(whole, code, call.currencies, "amount")
    return MAJOR.read(amount, currency, call.currencies, "amount", number=number)


def _time(fields: Fields) -> datetime | None:
    """Milliseconds in the examples, seconds in the example of the signature. In a form that is neither it is not known: it
    only describes."""
    try:
        found, _ = fields.decimal("timestamp")
        return from_millis(found * 1000 if found < 10**11 else found, "timestamp")
    except Refused:
        return None


# ---------------------------------------------------------------- provider's end: the answer


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted):
        if outcome.balance is None:
            raise Missing("balance")
        return _answer(OK, _balance_out(outcome.balance, outcome, tx, call))
    code = code_of(outcome.reason, call.name, call.settings) if isinstance(outcome, Declined) else ANY_FAILURE
    if call.name == "balance":
        return _answer(code, None)  # the page's error answers carry none
    if isinstance(outcome, Declined) and outcome.balance is not None:
        return _answer(code, _balance_out(outcome.balance, outcome, tx, call))
    return _answer(code, Number("0"))  # mandatory, so not known is 0


def _answer(code: str, balance: Number | None) -> Response:
    return Response(status=200, headers=JSON_HEADERS, body=write_json(known(balance=balance, statusCode=code)))


def _balance_out(balance: Decimal, outcome: Accepted | Declined, tx: Transaction | None, call: Call) -> Number:
    """19989.5, 150, 0.3: no superfluous zeros and never an exponent."""
    currency = outcome.currency or (tx.currency if tx else "") or call.currency
    if not call.currencies.knows(currency):
        return token(plain(balance))
    if call.settings.amount_unit == "minor":
        return Number(MINOR.show(balance, currency, call.currencies))
    return token(plain(MAJOR.show(balance, currency, call.currencies)))


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            return _post("balance", _player_fields(tx) | _timestamp(tx, call))
        case Debit() | Credit() if tx.act.tracking_only:
            raise unsupported(f"a tracking-only {tx.kind.value}")
        case Debit() if tx.act.free_round:
            raise unsupported("a free debit")
        case Debit() | Credit():
            return _post(COMMAND_OF[tx.kind], _move_fields(tx, tx.act.amount, call))
        case Rollback():
            return _post("cancel", _cancel_fields(tx, tx.act, call))
        case _:
            raise unsupported(tx.kind.value)


def _post(command: str, fields: dict[str, Any]) -> Request:
    body = write_json({"command": command, **fields})
    return Request(method="POST", path="/", headers={**JSON_HEADERS, "accept": "application/json"}, body=body)


def _needed(what: str, value: str) -> str:
    if not value:
        raise Missing(what)
    return value


def _player_fields(tx: Transaction) -> dict[str, Any]:
    return {"playerId": _needed("player", tx.player), "currency": _needed("currency", tx.currency)}


def _head_fields(tx: Transaction, call: Call) -> dict[str, Any]:
    """The common fields, money aside: all are mandatory, so what nobody knows has a filler."""
    game = tx.game or Game()
    return {
        "transactionId": _id_out(tx.id, call),
        "playerId": _needed("player", tx.player),
        "roundId": _id_out(_needed("round", tx.round_id), call),
        "providerId": _studio_number(tx),
        "providerName": tx.extra.get("providerName", game.studio),
        "gameCode": _id_out(_needed("game", game.id), call),
        "gameName": game.name or game.id,
    }


def _id_out(text: str, call: Call) -> int | str:
    """iGamingAce's ids are long integers, here and nowhere else."""
    if not is_ace(call):
        return text
    number = integer_or_text(text, INT64_MAX)
    if isinstance(number, str):
        raise unsupported("an id that is not an integer")
    return number


def _studio_number(tx: Transaction) -> int:
    number = integer_or_text(tx.extra.get("providerId", ""), INT64_MAX)
    return number if isinstance(number, int) else 0


def _amount_out(amount: Decimal, currency: str, call: Call) -> Number:
    """In JavaScript's form, so that every receiver signs the same text; plain where that would lose digits."""
    if call.settings.amount_unit == "minor":
        return Number(MINOR.write(amount, currency, call.currencies))
    exact = token(plain(MAJOR.write(amount, currency, call.currencies)))
    shortest = js_number(exact)
    return Number(shortest) if Decimal(shortest) == amount else exact


def _timestamp(tx: Transaction, call: Call) -> dict[str, Any]:
    return {"timestamp": to_millis(tx.occurred_at or call.now)}


def _move_fields(tx: Transaction, amount: Decimal, call: Call) -> dict[str, Any]:
    currency = _needed("currency", tx.currency)
    said = _head_fields(tx, call) | {"currency": currency, "amount": _amount_out(amount, currency, call)}
    if is_ace(call):
        bonus = integer_or_text(tx.free_round_id, INT64_MAX)
        said |= {
            "isBonusBusy": tx.extra.get("isBonusBusy") == "true",
            "bonusId": bonus if isinstance(bonus, int) else 0,
        }
    else:
        closed = tx.round is not None and tx.round.closed is True
        said |= {"isRoundFinished": closed, "isCall": tx.extra.get("isCall") == "true"}
    return said | _timestamp(tx, call)


def _cancel_fields(tx: Transaction, act: Rollback, call: Call) -> dict[str, Any]:
    if act.reference_kind is not Kind.DEBIT:
        raise unsupported(f"a rollback of a {act.reference_kind.value}")
    said = _head_fields(tx, call) | {"referenceId": _id_out(_needed("reference", act.reference), call)}
    if act.amount is None and is_ace(call):
        return said | known(currency=tx.currency) | _timestamp(tx, call)
    if act.amount is None:
        raise Missing("amount")
    currency = _needed("currency", tx.currency)
    return said | {"currency": currency, "amount": _amount_out(act.amount, currency, call)} | _timestamp(tx, call)


# ---------------------------------------------------------------- wallet's end: the answer


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    if response.status != 200:
        return Unknown(detail=f"HTTP {response.status}")
    try:
        fields = Fields.of(response)
        code = fields.text("statusCode", length_max=64)
    except Refused as refused:
        return Unknown(detail=refused.message)
    balance = _balance_heard(fields, tx.currency or call.currency, call)
    if code == OK:
        if balance is None and tx.kind is Kind.BALANCE:
            return Unknown(detail="a balance call was answered without a balance")
        return Accepted(balance=balance, currency=_of(balance, tx, call))
    reason = reason_heard(code, COMMAND_OF.get(tx.kind, "win"))
    if reason is None:
        return Unknown(detail="ERR_UNKNOWN" if code == ANY_FAILURE else "a code that is not on this command's page")
    shown = balance or None  # 0 is also how a wallet says that it does not know
    return Declined(reason=reason, balance=shown, currency=_of(shown, tx, call))


def _of(balance: Decimal | None, tx: Transaction, call: Call) -> str:
    return "" if balance is None else tx.currency or call.currency


def _balance_heard(fields: Fields, currency: str, call: Call) -> Decimal | None:
    """The balance, rounded down if it must be; None if there is none to be read."""
    try:
        amount, number = fields.decimal("balance")
        if call.settings.amount_unit == "minor":
            amount = amount.scaleb(-call.currencies.digits(currency))
        bounded(amount, "balance")
        try:
            return MAJOR.read(amount, currency, call.currencies, "balance", number=number)
        except Refused:
            return call.currencies.shown(amount, currency)
    except Refused:
        return None


DIALECT = Dialect(
    name="scorpio_play",
    title="Scorpio Play (SlotCity, Bull Play, iGamingAce)",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"x-request-signature"}),
    as_provider=AsProvider(
        values_max=100, answer_within={"default": "3s", "credit": "4s", "rollback": "4s"}, excess="pass"
    ),
    as_wallet=AsWallet(
        # "Full bet amount": what a wallet makes of another amount is its own affair, so it is never told one.
        undoes_whole=True
    ),
)
