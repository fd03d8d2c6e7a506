"""Gameball's answers, written and read: encode_response and decode_response."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC
from decimal import Decimal
from typing import Any

from adapters.gameball import wire
from gateway.codec.fields import Fields, known, moment
from gateway.codec.frame import answer, needed
from gateway.codec.units import Major, plain
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Adjust,
    Balance,
    Capture,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Release,
    Reserve,
    Rollback,
    Status,
    Transaction,
    Unknown,
    of_another_currency,
    unsupported,
)

UNIT = Major()

# ---------------------------------------------------------------- encode_response


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    """The decision as Gameball would say it. A repeated id is an error, not the stored success."""
    if isinstance(outcome, Declined):
        return _refusal(outcome, tx, call)
    if isinstance(outcome, Unknown) or tx is None:
        return _error(wire.DOUBT, "", call)
    if outcome.replayed and tx.kind in MONEY_KINDS:
        return _error(wire.USED, "", call)
    return answer(_answer(outcome, tx, call))


def _refusal(outcome: Declined, tx: Transaction | None, call: Call) -> Response:
    own = wire.OWN_SHAPE.get((outcome.field, outcome.flaw)) if call.name == "manual" else None
    if own:
        return answer({"error": 400, "message": own}, 400)
    of_hold = call.name in ("get_hold", "release_hold") or (tx is not None and tx.kind is Kind.CAPTURE)
    # Only what we found wrong with the request is told; a wallet's own words are for its operator.
    message = outcome.message if outcome.flaw is not Flaw.NONE else ""
    return _error(wire.code_of(outcome, call.name, of_hold=of_hold), message, call)


def _error(code: wire.Code, message: str, call: Call) -> Response:
    status, number = code
    body = known(
        code=number, type=wire.type_of(number), message=message or wire.MESSAGES[number], requestId=_request_id(call)
    )
    return answer(body, status)


_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def _request_id(call: Call) -> str:
    given = call.request.header("x-request-id") if call.request else ""
    return given if _SANE_ID.fullmatch(given) else call.nonce


def _answer(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    factor = call.settings.redemption_factor
    match tx.act:
        case Debit(amount=amount) | Credit(amount=amount) if call.name == "manual":
            return _answer_manual(outcome, tx, amount if isinstance(tx.act, Credit) else -amount, factor)
        case Debit(amount=amount) | Capture(amount=amount):
            moved = _moved(outcome, amount)
            return {
                "customerId": tx.player,
                "gameballTransactionId": outcome.wallet_id,
                "transactionId": tx.id,
                "redeemAmount": plain(moved),
                "redeemEquivalentPoints": wire.points_of(moved, factor),
            } | known(reason=tx.extra.get("reason"))
        case Rollback(amount=amount):
            moved = _moved(outcome, amount)
            return {
                "gameballTransactionId": outcome.wallet_id,
                "refundTransactionId": tx.id,
                "refundAmount": plain(moved),
                "refundEquivalentPoints": wire.points_of(moved, factor),
            }
        case Reserve(amount=amount):
            return {"customerId": tx.player} | _held(outcome, amount, factor) | {"holdReference": tx.id}
        case Status():
            return _answer_status(outcome, tx, factor)
        case Release():
            return {"success": True, "message": "Hold released"}
        case Balance():
            return _answer_balance(outcome, tx, call)
        case _:
            raise unsupported(f"an answer to {tx.kind}")


def _moved(outcome: Accepted, asked: Decimal | None) -> Decimal:
    """What really moved; a whole refund and a capture are only known from the wallet or the journal."""
    moved = asked if outcome.moved is None else outcome.moved
    if moved is None:
        raise Missing("amount")
    return moved


def _held(outcome: Accepted, asked: Decimal | None, factor: Decimal) -> dict[str, Any]:
    held = _moved(outcome, asked)
    return {"holdAmount": plain(held), "holdEquivalentPoints": wire.points_of(held, factor)}


def _answer_manual(outcome: Accepted, tx: Transaction, signed: Decimal, factor: Decimal) -> dict[str, Any]:
    return {
        "customerId": tx.player,
        "gameballTransactionId": _number_of(outcome.wallet_id),
        "transactionId": tx.id,
        "points": wire.points_of(signed, factor),
        "amount": plain(signed),
    }


_OWN_NUMBER_MIN, _OWN_NUMBER_END = 10**15, 2**53  # 16 digits, exact in a JavaScript number


def _number_of(wallet_id: str) -> int:
    """A number, which manual's page wants; one of ours has 16 digits and so is nobody else's."""
    if re.fullmatch(r"[1-9][0-9]{0,14}", wallet_id):
        return int(wallet_id)
    digest = hashlib.sha256(wallet_id.encode()).digest()
    return _OWN_NUMBER_MIN + int.from_bytes(digest) % (_OWN_NUMBER_END - _OWN_NUMBER_MIN)


# Gameball has no word for a released hold; what it says is that nothing is held any more.
_STATES = {"active": "active", "used": "used", "expired": "expired", "released": "expired"}


def _answer_status(outcome: Accepted, tx: Transaction, factor: Decimal) -> dict[str, Any]:
    player = tx.player or (outcome.profile.player if outcome.profile else "")
    if not player:
        raise Missing("player")
    if outcome.state not in _STATES:
        raise Missing("state")
    ends = outcome.expires_at
    # Without a zone, as in the docs' example; it is UTC.
    ends_text = ends.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") if ends else ""
    answer = {"customerId": player} | _held(outcome, None, factor) | {"state": _STATES[outcome.state]}
    return answer | known(dateToExpire=ends_text)


def _answer_balance(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    balance = needed("balance", outcome.balance)
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    value = plain(UNIT.show(balance, currency, call.currencies))
    points = wire.points_shown(value, call.settings.redemption_factor)
    return {
        "totalPointsBalance": points,
        "totalPointsValue": value,
        "availablePointsBalance": points,
        "availablePointsValue": value,
        "pendingPoints": 0,
        "pendingPointsValue": 0,
        "currency": currency,
        "pointsName": call.settings.points_name,
    }


# ---------------------------------------------------------------- decode_response


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    """What Gameball decided. An answer that is not whole, not ours or not listed is doubt."""
    try:
        fields = Fields.of(response)
        if 200 <= response.status < 300:
            return _read_success(fields, tx, call)
        return _read_error(response.status, fields, tx, call)
    except Refused as refused:
        return Unknown(detail=f"HTTP {response.status}: {refused.message}")


def _read_error(status: int, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    message = fields.opaque("message").get("message", "")[:200]
    if status == 400 and "code" not in fields and tx.kind in (Kind.CREDIT, Kind.ADJUST):
        if fields.integer("error") == 400:  # manual's own shape
            return Declined(reason=Reason.INVALID_REQUEST, message=message)
        return Unknown(detail="HTTP 400 without a code")
    code = status, fields.integer("code")
    if code == wire.USED and call.again and tx.kind in _WITH_ID:
        return Accepted(replayed=True)  # "a client must read 9004 after its own timeout as: the first try worked"
    reason = wire.heard(code)
    if reason is None:
        return Unknown(detail=f"HTTP {status}, code {code[1]}")
    part = "secret_key" if code == wire.SECRET_KEY else "api_key"
    return Declined(reason=reason, message=message, field=part if reason is Reason.BAD_SIGNATURE else "")


_WITH_ID = frozenset({Kind.DEBIT, Kind.CREDIT, Kind.CAPTURE, Kind.ADJUST, Kind.ROLLBACK, Kind.RELEASE})
"""What is told under an id: a release is, under that of its hold, and a hold is not."""


def _read_success(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    match tx.act:
        case Balance():
            return _read_balance(fields, tx, call)
        case Debit(amount=amount):
            return _read_movement(fields, tx, call, "transactionId", "redeemAmount", amount)
        case Capture():
            return _read_movement(fields, tx, call, "transactionId", "redeemAmount", None)
        case Credit(amount=amount) | Adjust(amount=amount):
            return _read_movement(fields, tx, call, "transactionId", "amount", amount)
        case Rollback(amount=amount):
            return _read_movement(fields, tx, call, "refundTransactionId", "refundAmount", amount)
        case Reserve(amount=amount):
            _echoed(fields, "customerId", tx.player)
            if _said(fields, "holdAmount", tx, call) != amount:
                return Unknown(detail="another amount is held than was asked")
            return Accepted(wallet_id=fields.id("holdReference", length_max=256))
        case Release() if fields.boolean("success"):
            return Accepted()
        case Status():
            return _read_status(fields, tx, call)
        case _:
            return Unknown(detail=f"no answer to a {tx.kind}")


def _echoed(fields: Fields, name: str, wanted: str) -> None:
    if fields.id(name, length_max=1024) != wanted:
        raise fields.wrong(name, Flaw.INVALID, "is not the one that was asked about")


def _said(fields: Fields, name: str, tx: Transaction, call: Call) -> Decimal:
    """An amount in an answer, number or text (`"5"` in the docs' example of a hold)."""
    amount, number = fields.decimal(name)
    return UNIT.read(amount, tx.currency or call.currency, call.currencies, name, number=number)


def _read_movement(
    fields: Fields, tx: Transaction, call: Call, own_id: str, amount_field: str, asked: Decimal | None
) -> Outcome:
    """A yes that names this movement. Only a refund may have moved less than was asked."""
    rollback = tx.kind is Kind.ROLLBACK
    if not rollback:  # the refund's answer names no customer
        _echoed(fields, "customerId", tx.player)
    _echoed(fields, own_id, tx.id)
    wallet_id = fields.id("gameballTransactionId", length_max=256)
    moved = _said(fields, amount_field, tx, call)
    if moved == asked:
        return Accepted(wallet_id=wallet_id)
    if (asked is not None and (not rollback or moved > asked)) or moved < 0:
        return Unknown(detail="another amount was moved than was asked")
    return Accepted(wallet_id=wallet_id, moved=moved)


def _read_status(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    player = fields.id("customerId", length_max=1024)
    if tx.player and player != tx.player:
        return Unknown(detail="the hold is another customer's")
    state = fields.text("state").lower()
    if state not in ("active", "used", "expired"):
        return Unknown(detail="the hold's state is none that is documented")
    ends = fields.text("dateToExpire", "")
    return Accepted(
        state=state,
        moved=_said(fields, "holdAmount", tx, call),
        expires_at=moment(ends, "dateToExpire") if ends else None,
        profile=None if tx.player else Profile(player=player),
    )


def _read_balance(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """What is available, never the total: pending points cannot be redeemed."""
    currency = call.currencies.meant(fields.text("currency"))
    wanted = tx.currency or call.currency
    if other := of_another_currency(tx.act, wanted, currency):
        return other
    amount, number = fields.decimal("availablePointsValue")
    try:
        balance = UNIT.read(amount, currency, call.currencies, "availablePointsValue", number=number)
    except Refused as refused:
        if refused.flaw is not Flaw.INVALID or refused.reason is not Reason.INVALID_REQUEST:
            raise
        balance = UNIT.show(amount, currency, call.currencies)  # points are finer than the currency
    return Accepted(balance=balance, currency=currency)
