"""What stands on Swipe Games' wire: calls, amounts, refusals, names. Its meaning is in dialect.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import Major, bounded
from gateway.dialect import Wire, table
from gateway.model import Flaw, Kind, Reason

# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="balance", method="GET", path="/balance", kinds=(Kind.BALANCE,)),
    Wire(name="bet", method="POST", path="/bet", kinds=(Kind.DEBIT,)),
    Wire(name="win", method="POST", path="/win", kinds=(Kind.CREDIT,)),
    Wire(name="refund", method="POST", path="/refund", kinds=(Kind.ROLLBACK,)),
)
route = table({wire.path: {wire.method: wire.name} for wire in CALLS})

NAMES = frozenset({"type", "sessionID", "amount", "txID", "roundID", "frID", "origTxID"})
TYPES = {"regular": False, "free": True}
SESSION_MAX = 1024

# ---------------------------------------------------------------- money

UNIT = Major()  # "2.50" is 2.50 EUR: main units since version 1.7.2 of the page, "smallest units" before
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_AMOUNT_LENGTH_MAX = 64


def read_amount(fields: Fields) -> Decimal:
    """A decimal text, exact. No call names its currency, so nothing is known of its digits yet."""
    found = fields.text("amount", length_max=_AMOUNT_LENGTH_MAX)
    if not _AMOUNT.fullmatch(found):
        raise fields.wrong("amount", Flaw.INVALID, "is no decimal text such as 2.50")
    return bounded(Decimal(found), "amount")


def amount_said(text: str) -> Decimal | None:
    """An amount that was passed on as it came; None where it is none."""
    return Decimal(text) if len(text) <= _AMOUNT_LENGTH_MAX and _AMOUNT.fullmatch(text) else None


# ---------------------------------------------------------------- refusals

OK, DOUBT = 200, 500  # of 500 and silence alone the studio believes that a stake may have been taken: it refunds them
BAD_REQUEST, WRONG_SIGNATURE, NOBODY = 400, 401, 404
STATUSES: Mapping[Reason, int] = {
    Reason.BAD_SIGNATURE: WRONG_SIGNATURE,
    Reason.NOT_AUTHENTICATED: NOBODY,
    Reason.PLAYER_NOT_FOUND: NOBODY,
}  # any other reason: 400

# Reason -> `code`; blank: only a message. What has no row here has none, either.
CODES = ErrorTable(
    {
        Reason.INVALID_REQUEST: "",
        Reason.BAD_SIGNATURE: "",
        Reason.NOT_AUTHENTICATED: "session_not_found",
        Reason.PLAYER_NOT_FOUND: "session_not_found",
        Reason.SESSION_EXPIRED: "session_expired",
        Reason.INSUFFICIENT_FUNDS: "insufficient_funds",
        Reason.LIMIT_EXCEEDED: "bet_limit",
        Reason.PLAYER_BLOCKED: "account_blocked",
        Reason.GAME_NOT_FOUND: "game_not_found",
        Reason.CURRENCY_MISMATCH: "currency_not_supported",
    },
    heard={
        "loss_limit": Reason.LIMIT_EXCEEDED,
        "time_limit": Reason.LIMIT_EXCEEDED,
        "locale_not_supported": Reason.INVALID_REQUEST,
        "client_connection_error": Reason.INVALID_REQUEST,
    },
)

# A player may be shown these.
MESSAGES: Mapping[Reason, str] = {
    Reason.BAD_SIGNATURE: "Wrong signature",
    Reason.NOT_AUTHENTICATED: "Session not found",
    Reason.PLAYER_NOT_FOUND: "Session not found",
    Reason.SESSION_EXPIRED: "Session expired",
    Reason.INSUFFICIENT_FUNDS: "Not enough money",
    Reason.LIMIT_EXCEEDED: "Limit reached",
    Reason.PLAYER_BLOCKED: "Account blocked",
    Reason.GAME_NOT_FOUND: "Game not found",
    Reason.CURRENCY_MISMATCH: "Currency not supported",
}
REFUSED, FAILED = "The request was refused", "Internal error"


def reason_heard(status: int, code: str) -> Reason | None:
    """What a refusal means; None = doubt. `code` goes before the status, where there is one."""
    if code or status == BAD_REQUEST:
        return CODES.reason(code)
    return Reason.BAD_SIGNATURE if status == WRONG_SIGNATURE else Reason.NOT_AUTHENTICATED
