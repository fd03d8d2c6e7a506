"""Gameball's requests, read and written: decode_request and encode_request."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from adapters.gameball import reading, wire
from gateway.codec.fields import Fields, known
from gateway.codec.frame import post, unsaid
from gateway.codec.times import parse_duration
from gateway.codec.units import plain
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Adjust,
    Balance,
    Capture,
    Credit,
    Debit,
    Flaw,
    Kind,
    Missing,
    Release,
    Reserve,
    Rollback,
    Status,
    Transaction,
    unsupported,
)

# ---------------------------------------------------------------- decode_request


def decode_request(request: Request, call: Call) -> Transaction:
    """What the client means. Nothing is asked of a wallet for the calls that are no movement."""
    match call.name:
        case "redeem":
            return _read_redeem(reading.json_body(request), call)
        case "refund":
            return _read_refund(reading.json_body(request), call)
        case "hold":
            return _read_hold(reading.json_body(request), call)
        case "manual":
            return _read_manual(reading.json_body(request), call)
        case "get_hold":
            reference = wire.id_in_path(request, "holdReferenceId", 2)
            return Transaction(act=Status(reference=reference, reference_kind=Kind.RESERVE), currency=call.currency)
        case "release_hold":
            reference = wire.id_in_path(request, "holdReferenceId", 2)
            # A DELETE has no id of its own, and one hold is released once.
            return Transaction(act=Release(reference=reference), id=f"release:{reference}", currency=call.currency)
        case "balance":
            customer = wire.id_in_path(request, "customerId", 1)
            return Transaction(act=Balance(), player=customer, currency=call.currency)
        case _:
            raise unsupported(call.name)


_REDEEM = frozenset({"customerId", "transactionId", "transactionTime", "amount", "points", "holdReference", "reason"})


def _read_redeem(fields: Fields, call: Call) -> Transaction:
    player, tx_id, at = fields.id("customerId"), fields.id("transactionId"), reading.time_of(fields, call)
    amount, points = reading.money(fields, "amount", call), reading.points(fields, "points", call)
    hold = fields.id("holdReference", "")
    chosen = reading.one_of(fields, {"amount": amount, "points": points, "holdReference": hold})
    extra = reading.extra_of(fields, _REDEEM, *reading.PROOF) | known(reason=fields.text("reason", ""))
    act: Debit | Capture
    if chosen == "holdReference":
        act = Capture(reference=hold)
    else:
        act = Debit(amount=_only(amount if chosen == "amount" else points))
    return Transaction(act=act, id=tx_id, player=player, currency=call.currency, occurred_at=at, extra=extra)


_REFUND = frozenset(
    {"customerId", "refundTransactionId", "reverseTransactionId", "transactionTime", "refundAmount", "lineItems"}
)


def _read_refund(fields: Fields, call: Call) -> Transaction:
    player, tx_id = fields.id("customerId"), fields.id("refundTransactionId")
    reference, at = fields.id("reverseTransactionId"), reading.time_of(fields, call)
    amount = reading.money(fields, "refundAmount", call)
    if amount is not None and not amount:
        raise fields.wrong("refundAmount", Flaw.TOO_LOW, "is zero")
    if amount is None and "lineItems" in fields:
        raise fields.wrong("lineItems", Flaw.IMPOSSIBLE, "without refundAmount: a wallet cannot price items")
    return Transaction(
        # The wire does not say what is reversed; `rollback_kinds` lets it be whatever has that id.
        act=Rollback(reference=reference, reference_kind=Kind.DEBIT, amount=amount),
        id=tx_id,
        player=player,
        currency=call.currency,
        occurred_at=at,
        extra=reading.extra_of(fields, _REFUND, "lineItems"),
    )


_HOLD = frozenset({"customerId", "transactionTime", "amountToHold", "pointsToHold", "ruleId"})


def _read_hold(fields: Fields, call: Call) -> Transaction:
    player, at = fields.id("customerId"), reading.time_of(fields, call)
    amount, points = reading.money(fields, "amountToHold", call), reading.points(fields, "pointsToHold", call)
    chosen = reading.one_of(fields, {"amountToHold": amount, "pointsToHold": points, "ruleId": fields.id("ruleId", "")})
    if chosen == "ruleId":
        raise fields.wrong("ruleId", Flaw.IMPOSSIBLE, "is a rule that only Gameball knows")
    return Transaction(
        act=Reserve(
            amount=_only(amount if chosen == "amountToHold" else points),
            expires_at=call.now + parse_duration(call.settings.hold_life),
        ),
        id=call.nonce,  # the wire has none; it is answered as holdReference
        player=player,
        currency=call.currency,
        occurred_at=at,
        extra=reading.extra_of(fields, _HOLD, *reading.PROOF),
    )


_MANUAL = frozenset(
    {"customerId", "transactionId", "username", "reason", "transactionTime", "points", "amount", "expiryAfter"}
)


def _read_manual(fields: Fields, call: Call) -> Transaction:
    player, tx_id = fields.id("customerId"), fields.id("transactionId")
    said = {"username": fields.text("username"), "reason": fields.text("reason")}
    at = reading.time_of(fields, call, default="")
    points, amount = (
        reading.points(fields, "points", call, signed=True),
        reading.money(fields, "amount", call, signed=True),
    )
    chosen = reading.one_of(fields, {"points": points, "amount": amount}, both=Flaw.IMPOSSIBLE)
    value = _only(amount if chosen == "amount" else points)
    said |= _expiry(fields, value)
    act = Credit(amount=value) if value > 0 else Debit(amount=-value)
    extra = reading.extra_of(fields, _MANUAL) | said
    return Transaction(act=act, id=tx_id, player=player, currency=call.currency, occurred_at=at, extra=extra)


def _expiry(fields: Fields, value: Decimal) -> dict[str, str]:
    if "expiryAfter" not in fields:
        return {}
    days = fields.integer("expiryAfter")
    if days < 0:
        raise fields.wrong("expiryAfter", Flaw.TOO_LOW, "is negative")
    if value < 0:
        raise fields.wrong("expiryAfter", Flaw.IMPOSSIBLE, "stands with a deduction")
    return {"expiryAfter": str(days)}


def _only(value: Decimal | None) -> Decimal:
    assert value is not None
    return value


# ---------------------------------------------------------------- encode_request


def encode_request(tx: Transaction, call: Call) -> Request:
    """What Gameball is asked. It has no rounds, games, sessions or currencies."""
    match tx.act:
        case Balance():
            return Request(
                method="GET", path=f"{wire.PREFIX}/customers/{wire.segment_of(_player(tx), 'player')}/balance"
            )
        case Status(reference=reference, reference_kind=Kind.RESERVE):
            return Request(method="GET", path=_hold_path(reference))
        case Release(reference=reference):
            return Request(method="DELETE", path=_hold_path(reference))
        case Debit(amount=amount, free_round=free, tracking_only=tracking):
            if free:
                raise unsaid(tx)
            return post(wire.PREFIX + wire.REDEEM, _redeem(tx, call, amount=_sayable(amount, tx, call, tracking)))
        case Capture(reference=reference, amount=amount):
            if amount is not None:
                raise unsupported("a capture of a part")
            return post(wire.PREFIX + wire.REDEEM, _redeem(tx, call, holdReference=reference))
        case Credit(amount=amount, tracking_only=tracking):
            return post(wire.PREFIX + wire.MANUAL, _manual(tx, _sayable(amount, tx, call, tracking)))
        case Adjust(amount=amount):
            return post(wire.PREFIX + wire.MANUAL, _manual(tx, _sayable(amount, tx, call)))
        case Rollback() as act:
            return post(wire.PREFIX + wire.REFUND, _refund(tx, act, call))
        case Reserve(amount=amount):
            said = {
                "customerId": _player(tx),
                "transactionTime": _now(call),
                "amountToHold": _sayable(amount, tx, call),
            }
            return post(wire.PREFIX + wire.HOLD, said | _passed_on(tx, *_PASSED, *_PASSED_PROOF))
        case Status(reference_kind=kind):
            raise unsupported(f"a status of a {kind}")
        case _:
            raise unsaid(tx)


def _hold_path(reference: str) -> str:
    if not reference:
        raise Missing("reference")
    return f"{wire.PREFIX}{wire.HOLD}/{wire.segment_of(reference, 'reference')}"


def _player(tx: Transaction) -> str:
    if not tx.player:
        raise Missing("player")
    return tx.player


def _now(call: Call) -> str:
    """Two transactions of a customer with one time collide (9003): the clock's time, which rises."""
    return call.now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sayable(amount: Decimal, tx: Transaction, call: Call, tracking_only: bool = False) -> Decimal:
    """An amount as a number; its currency cannot be said, so it must be the account's."""
    if tracking_only:
        raise unsaid(tx)
    if not amount:
        raise unsupported("a zero amount")
    if tx.currency and call.currency and tx.currency != call.currency:
        raise unsupported("a currency other than the account's")
    currency = tx.currency or call.currency
    if not currency:
        raise Missing("currency")
    return plain(call.currencies.exact(amount, currency))


_PASSED, _PASSED_PROOF = ("email", "mobile"), ("otp",)


def _passed_on(tx: Transaction, *names: str) -> dict[str, Any]:
    """Opaque texts of a Gameball client, on their way to Gameball."""
    found: dict[str, Any] = known(**{name: tx.extra.get(name) for name in names})
    if "otp" in names:
        found |= known(hash=tx.extra.get("player_proof"))
        spelled = {"true": True, "false": False}
        found |= known(ignoreOTP=spelled.get(tx.extra.get("ignoreOTP", "")))
    return found


def _redeem(tx: Transaction, call: Call, **what: Any) -> dict[str, Any]:
    said = {"customerId": _player(tx), "transactionId": tx.id, "transactionTime": _now(call)}
    return said | what | _passed_on(tx, "reason", *_PASSED, *_PASSED_PROOF)


def _manual(tx: Transaction, signed: Decimal) -> dict[str, Any]:
    """Without a time: Gameball then takes its own, which collides with nothing."""
    return {
        "customerId": _player(tx),
        "transactionId": tx.id,
        "username": "gateway",
        "reason": f"{tx.kind} {tx.round_id}".rstrip(),
        "amount": signed,
    } | _passed_on(tx, *_PASSED)


def _refund(tx: Transaction, act: Rollback, call: Call) -> dict[str, Any]:
    if not act.reference:
        raise Missing("reference")
    if act.reference_kind not in _REVERSIBLE:
        raise unsaid(tx)
    return {
        "customerId": _player(tx),
        "refundTransactionId": tx.id,
        "reverseTransactionId": act.reference,
        "transactionTime": _now(call),
    } | (_passed_on(tx, *_PASSED) | known(refundAmount=None if act.amount is None else _sayable(act.amount, tx, call)))


_REVERSIBLE = frozenset({Kind.DEBIT, Kind.CREDIT, Kind.CAPTURE, Kind.ADJUST})
