"""What Hub88's JSON is made of: settings, calls, statuses, money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.units import Scaled
from gateway.dialect import Call, NoCall, Wire
from gateway.http import Request
from gateway.model import Kind, Reason

UNIT = Scaled(5)  # 1.25 EUR = 125000, 5 JPY = 500000: the same for every currency

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`variant`: the paths, fields and codes of Caleta. `round_down_credits`: a win finer than its currency is paid
    rounded down; else it waits."""

    variant: Literal["hub88", "caleta"] = "hub88"
    round_down_credits: bool = False


def is_caleta(settings: Settings) -> bool:
    return settings.variant == "caleta"


def caleta(call: Call) -> bool:
    return is_caleta(call.settings)


# ---------------------------------------------------------------- calls

INFO, BALANCE, BET, WIN, ROLLBACK, CHECK = (
    "user/info", "user/balance", "transaction/bet", "transaction/win", "transaction/rollback", "wallet/check",
)  # fmt: skip
CALLS = (
    Wire(name=INFO, method="POST", path="/user/info", kinds=(Kind.BALANCE,)),
    Wire(name=BALANCE, method="POST", path="/user/balance", kinds=(Kind.BALANCE,)),
    Wire(name=BET, method="POST", path="/transaction/bet", kinds=(Kind.DEBIT,)),
    Wire(name=WIN, method="POST", path="/transaction/win", kinds=(Kind.CREDIT,)),
    Wire(name=ROLLBACK, method="POST", path="/transaction/rollback", kinds=(Kind.ROLLBACK,)),
    Wire(name=CHECK, method="POST", path="/wallet/check", kinds=(Kind.AUTHENTICATE,)),
)
PATHS: Mapping[str, Mapping[str, str]] = {
    "hub88": {wire.name: wire.path for wire in CALLS if wire.name != CHECK},
    "caleta": {
        CHECK: "/wallet/check",
        BALANCE: "/wallet/balance",
        BET: "/wallet/bet",
        WIN: "/wallet/win",
        ROLLBACK: "/wallet/rollback",
    },
}
NAMES: Mapping[str, Mapping[str, str]] = {
    variant: {path: name for name, path in paths.items()} for variant, paths in PATHS.items()
}
MOVES: Mapping[Kind, str] = {Kind.DEBIT: BET, Kind.CREDIT: WIN, Kind.ROLLBACK: ROLLBACK}


def route(request: Request, settings: Settings) -> str:
    name = NAMES[settings.variant].get(request.path.rstrip("/"))
    if name is None:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    return name


# ---------------------------------------------------------------- statuses

OK = "RS_OK"
UNKNOWN, TIMEOUT = "RS_ERROR_UNKNOWN", "RS_ERROR_TIMEOUT"  # both are doubt when heard; the first is said
WRONG_SYNTAX, WRONG_TYPES = "RS_ERROR_WRONG_SYNTAX", "RS_ERROR_WRONG_TYPES"
INVALID_TOKEN = "RS_ERROR_INVALID_TOKEN"  # noqa: S105  # a status, and no secret
DUPLICATE = "RS_ERROR_DUPLICATE_TRANSACTION"
LIMITS: Mapping[str, str] = {"hub88": "RS_ERROR_LIMIT_REACHED", "caleta": "RS_ERROR_BET_LIMIT_EXCEEDED"}
ROWS: Mapping[Reason, str] = {
    Reason.NOT_AUTHENTICATED: INVALID_TOKEN,
    Reason.SESSION_EXPIRED: "RS_ERROR_TOKEN_EXPIRED",
    Reason.GAME_NOT_FOUND: "RS_ERROR_INVALID_GAME",
    Reason.CURRENCY_MISMATCH: "RS_ERROR_WRONG_CURRENCY",
    Reason.INSUFFICIENT_FUNDS: "RS_ERROR_NOT_ENOUGH_MONEY",
    Reason.PLAYER_BLOCKED: "RS_ERROR_USER_DISABLED",
    Reason.PLAYER_NOT_FOUND: "RS_ERROR_USER_DISABLED",
    Reason.BAD_SIGNATURE: "RS_ERROR_INVALID_SIGNATURE",
    Reason.INVALID_REQUEST: WRONG_SYNTAX,
    Reason.DUPLICATE_MISMATCH: DUPLICATE,
    Reason.ALREADY_SETTLED: DUPLICATE,
    Reason.TRANSACTION_NOT_FOUND: "RS_ERROR_TRANSACTION_DOES_NOT_EXIST",
    Reason.ALREADY_ROLLED_BACK: "RS_ERROR_TRANSACTION_ROLLED_BACK",
    Reason.UNSUPPORTED: UNKNOWN,  # no status says it: a rollback follows, and finds nothing
    Reason.ROUND_CLOSED: UNKNOWN,
}
ERRORS = ErrorTable(ROWS, doubt=frozenset({UNKNOWN, TIMEOUT}))
HEARD: Mapping[str, Reason] = {
    WRONG_TYPES: Reason.INVALID_REQUEST,
    "RS_ERROR_INVALID_PARTNER": Reason.PLAYER_BLOCKED,  # the operator or the brand is switched off
    **dict.fromkeys(LIMITS.values(), Reason.LIMIT_EXCEEDED),
}
"""Statuses that have another word, or none, when they are said."""

ENDS: frozenset[Reason] = frozenset(
    {
        Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST, Reason.DUPLICATE_MISMATCH, Reason.ALREADY_SETTLED,
        Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK,
    }
)  # fmt: skip
"""What ends a win or a rollback. Of everything else the provider must ask again: it takes most of its statuses for final."""


def reason_heard(status: str) -> Reason | None:
    """What a status means; None = doubt."""
    return HEARD.get(status) or ERRORS.reason(status)


KNOWN = frozenset(
    {
        "user", "token", "request_uuid", "game_code", "supplier_user", "transaction_uuid", "round", "round_closed", "amount",
        "currency", "is_free", "reward_uuid", "campaign_uuid", "bet", "meta", "supplier_transaction_id", "is_aggregated",
        "reference_transaction_uuid", "jackpot_win", "game_id",
    }
)  # fmt: skip
PASSED_ON = (
    "supplier_user", "bet", "meta", "supplier_transaction_id", "is_aggregated", "campaign_uuid", "jackpot_win", "game_id",
)  # fmt: skip
"""What is kept and not interpreted; `jackpot_win` is part of `amount`."""
