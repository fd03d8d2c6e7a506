"""Gameball's paths, its redemption factor and its error table: what both ends share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import bounded
from gateway.dialect import Call, NoCall
from gateway.http import Request
from gateway.model import Declined, Flaw, Reason, Refused, unsupported

# ---------------------------------------------------------------- paths

PREFIX = "/api/v4.0/integrations"
PREFIXES = (PREFIX, "/api/v4.1/integrations")  # v4.1: the same calls

REDEEM, REFUND, HOLD = "/transactions/redeem", "/transactions/refund", "/transactions/hold"
MANUAL, CASHBACK, OTP = "/transactions/manual", "/transactions/cashback", "/transactions/otp"
PAYMENTS, ORDERS = "/payments", "/orders"

_FIXED: Mapping[str, Mapping[str, str]] = {
    REDEEM: {"POST": "redeem"},
    REFUND: {"POST": "refund"},
    HOLD: {"POST": "hold"},
    MANUAL: {"POST": "manual"},
    CASHBACK: {"POST": "cashback"},
    PAYMENTS: {"POST": "payments"},
    ORDERS: {"POST": "orders"},
    OTP: {"POST": "otp"},
}
_MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def route(request: Request, settings: Any) -> str:
    """The wire call's name; the path is split before anything in it is decoded."""
    rest = _rest(request.path)
    methods = _FIXED.get(rest) or _with_id(rest.split("/")[1:])
    if not methods:
        raise NoCall
    if request.method not in methods:
        raise NoCall(tuple(methods))
    return methods[request.method]


def _rest(path: str) -> str:
    for prefix in PREFIXES:
        if path.startswith(prefix + "/"):
            return path[len(prefix) :].rstrip("/")
    raise NoCall


def _with_id(parts: list[str]) -> Mapping[str, str]:
    match parts:
        case ["transactions", "hold", reference] if reference:
            return {"GET": "get_hold", "DELETE": "release_hold"}
        case ["customers", customer, "balance"] if customer:
            return {"GET": "balance"}
        case _:
            return {}


def id_in_path(request: Request, name: str, position: int) -> str:
    """The id in a path, percent-decoded once: `%2F` belongs to it."""
    parts = _rest(request.path).split("/")[1:]
    fields = Fields({name: _decoded(parts[position] if position < len(parts) else "", name)})
    return fields.id(name)


def _decoded(segment: str, name: str) -> str:
    try:
        if _MALFORMED.search(segment):
            raise ValueError
        return unquote_to_bytes(segment).decode()
    except ValueError:  # UnicodeError is one
        raise Refused(Reason.INVALID_REQUEST, f"{name} is no UTF-8", field=name, flaw=Flaw.INVALID) from None


def segment_of(text: str, what: str) -> str:
    """An id as a part of a path. `.` and `..` would be taken out by every URL parser, encoded or not."""
    if text in (".", ".."):
        raise unsupported(f"the {what} {text!r} in a path")
    return quote(text, safe="")


# ---------------------------------------------------------------- points

POINTS_MAX = 10**18


def money_of(points: int, factor: Decimal, field: str, call: Call) -> Decimal:
    """Points as money, exact; `Refused` where the currency has no such amount."""
    if abs(points) > POINTS_MAX:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is too large", field=field, flaw=Flaw.TOO_HIGH)
    amount = bounded(points * factor, field)
    return call.currencies.exact(amount, call.currency, field) if call.currency else amount


def points_of(amount: Decimal, factor: Decimal) -> int:
    """Equivalent points of a movement, rounded half up (away from zero where it takes)."""
    points = Fraction(amount) / Fraction(factor)
    whole = (abs(points) + Fraction(1, 2)).__floor__()
    return whole if points >= 0 else -whole


def points_shown(balance: Decimal, factor: Decimal) -> int:
    """Points of a balance, rounded down: nobody is shown a point that cannot be redeemed."""
    return (Fraction(balance) / Fraction(factor)).__floor__()


# ---------------------------------------------------------------- errors

Code = tuple[int, int]  # HTTP status, Gameball's code

SECRET_KEY: Code = (401, 1001)
USED: Code = (422, 9004)
HOLD_NOT_FOUND: Code = (404, 9006)
DOUBT: Code = (503, 5003)
FAILED: Code = (400, 4000)

ERRORS = ErrorTable[Code](
    {
        Reason.BAD_SIGNATURE: (401, 1000),
        Reason.NOT_AUTHENTICATED: (403, 1002),
        Reason.INVALID_REQUEST: (422, 3003),
        Reason.PLAYER_NOT_FOUND: (404, 7000),
        Reason.PLAYER_BLOCKED: (422, 3009),
        Reason.INSUFFICIENT_FUNDS: (422, 9008),
        Reason.LIMIT_EXCEEDED: (422, 3011),
        Reason.CURRENCY_MISMATCH: (422, 3003),
        Reason.GAME_NOT_FOUND: FAILED,
        Reason.ROUND_CLOSED: FAILED,
        Reason.TRANSACTION_NOT_FOUND: (404, 9002),
        Reason.ALREADY_ROLLED_BACK: (422, 9001),
        Reason.ALREADY_SETTLED: (422, 9000),
        Reason.DUPLICATE_MISMATCH: USED,
        Reason.UNSUPPORTED: (400, 3004),
    },
    # 4000 is Gameball's "failed due to internal issue"; 9004 is a no and a late yes, see `heard`.
    doubt=frozenset({FAILED, USED}),
)

FLAWS: Mapping[Flaw, Code] = {
    Flaw.MISSING: (400, 3000),
    Flaw.NULL: (422, 3001),
    Flaw.IMPOSSIBLE: (400, 3004),
    Flaw.UNKNOWN_CALL: (400, 3004),
    Flaw.UNPARSABLE: (400, 3016),
    Flaw.CONTENT_TYPE: (415, 3013),
}
"""Finer codes of `invalid_request`; every other flaw is a bad value, 3003."""

NOT_COVERED: Mapping[str, Code] = {
    "cashback": (422, 6001),  # their amount is a basis for points, not a movement
    "payments": (422, 6001),
    "orders": (422, 6001),
    "otp": (403, 8000),
}

_TIME = "transactionTime"
_ALSO_HEARD: Mapping[Code, Reason] = {
    SECRET_KEY: Reason.BAD_SIGNATURE,
    (403, 1002): Reason.BAD_SIGNATURE,  # Gameball knows no sessions: it is our key that lacks permission
    (400, 3000): Reason.INVALID_REQUEST,
    (422, 3001): Reason.INVALID_REQUEST,
    (400, 3004): Reason.INVALID_REQUEST,
    (415, 3013): Reason.INVALID_REQUEST,
    (400, 3016): Reason.INVALID_REQUEST,
    (422, 9003): Reason.INVALID_REQUEST,  # another transaction has this very time: nothing moved
    (422, 9007): Reason.INVALID_REQUEST,
    (404, 9005): Reason.TRANSACTION_NOT_FOUND,
    HOLD_NOT_FOUND: Reason.TRANSACTION_NOT_FOUND,
}

MESSAGES: Mapping[int, str] = {
    1000: "Unauthorized access",
    1001: "A valid secret key is required",
    1002: "No permission to access the resource",
    3000: "Required arguments are missing",
    3001: "Null passed for required arguments",
    3003: "Provided value is invalid",
    3004: "Operation could not be achieved",
    3009: "Customer is inactive",
    3011: "Operation exceeds allowed limits",
    3013: "Content type must be application/json",
    3016: "Payload is invalid",
    4000: "Operation failed",
    5003: "Service temporarily unavailable",
    6001: "Cashback disabled",
    7000: "Customer not found",
    8000: "Feature unavailable",
    9000: "Transaction cannot be reversed",
    9001: "Transaction already cancelled",
    9002: "Transaction not found",
    9004: "Transaction ID already exists",
    9005: "Reversed transaction not found",
    9006: "Hold reference not found",
    9007: "Transaction time is not valid",
    9008: "Insufficient balance points",
}

_TYPES = {
    1: "AUTHENTICATION_ERROR",
    3: "PAYLOAD_ERROR",
    4: "GENERAL_ERROR",
    5: "SERVER_ERROR",
    6: "CONFIGURATIONS_ERROR",
    7: "CUSTOMER_ERROR",
    8: "SUBSCRIPTION_ERROR",
    9: "TRANSACTIONS_ERROR",
}


def type_of(code: int) -> str:
    """The category, upper case as it was seen live, not `Payload Error` as in the docs' example."""
    return _TYPES[code // 1000]


def code_of(outcome: Declined, call: str, *, of_hold: bool) -> Code:
    """What a no is called in answer to `call`. `of_hold`: its reference is a hold's."""
    reason, flaw = outcome.reason, outcome.flaw
    if reason is Reason.BAD_SIGNATURE:
        return SECRET_KEY if outcome.field == "secret_key" else ERRORS.code(reason)
    if call in NOT_COVERED:
        return NOT_COVERED[call]
    if reason is Reason.INVALID_REQUEST:
        if outcome.field == _TIME and flaw is Flaw.TOO_HIGH:
            return 422, 9007
        return FLAWS.get(flaw, ERRORS.code(reason))
    # A used, expired or unknown hold cannot be released; which of these it was is not told.
    gone = (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_SETTLED, Reason.ALREADY_ROLLED_BACK)
    if (call == "release_hold" and reason in gone) or (of_hold and reason is Reason.TRANSACTION_NOT_FOUND):
        return HOLD_NOT_FOUND
    if call == "refund" and reason is Reason.TRANSACTION_NOT_FOUND:
        return 404, 9005
    return ERRORS.code(reason)


def heard(code: Code) -> Reason | None:
    """What an error of Gameball's means; None = doubt. Status and code must belong together."""
    return _ALSO_HEARD.get(code) or ERRORS.reason(code)


# ---------------------------------------------------------------- manual's own four errors

OWN_SHAPE: Mapping[tuple[str, Flaw], str] = {
    ("expiryAfter", Flaw.TOO_LOW): "expiryAfter cannot be negative",
    ("expiryAfter", Flaw.IMPOSSIBLE): "expiryAfter cannot be used when deducting points",
    ("points", Flaw.IMPOSSIBLE): "Only one of points and amount can be sent",
    ("points", Flaw.MISSING): "Either points or amount is required",
}
"""(field, flaw) -> message of `{"error": 400, "message": ...}`, a shape that only `manual` has."""
