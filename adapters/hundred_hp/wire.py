"""What stands on 100HP's wire: calls, money, ids, error codes. Its meaning is in dialect.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Any, Literal

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import Major, bounded
from gateway.dialect import NoCall, Wire, posts
from gateway.http import Request, Response
from gateway.model import Flaw, Kind, Reason

# ---------------------------------------------------------------- settings, calls


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`error_status`: an error's HTTP status is its code (603), as the page wants it, or one that HTTP knows (402)."""

    error_status: Literal["same", "http"] = "same"


AUTH, BALANCE, WITHDRAWAL, DEPOSIT, ROLLBACK, BONUS = "auth", "balance", "withdrawal", "deposit", "rollback", "bonusWin"
CALLS = (
    Wire(name=AUTH, method="POST", path="/auth", kinds=(Kind.AUTHENTICATE,)),
    Wire(name=BALANCE, method="POST", path="/balance", kinds=(Kind.BALANCE,)),
    Wire(name=WITHDRAWAL, method="POST", path="/withdrawal", kinds=(Kind.DEBIT,)),
    Wire(name=DEPOSIT, method="POST", path="/deposit", kinds=(Kind.CREDIT,)),
    Wire(name=ROLLBACK, method="POST", path="/rollback", kinds=(Kind.ROLLBACK,)),
    Wire(name=BONUS, method="POST", path="/bonusWin", kinds=(Kind.CREDIT,)),
)
LIVENESS = "/liveness"
_posted = posts({wire.path: wire.name for wire in CALLS})


def route(request: Request, settings: Any) -> str:
    if request.path.rstrip("/") != LIVENESS:
        return _posted(request, settings)
    if request.method not in ("GET", "HEAD"):
        raise NoCall(("GET",))
    raise NoCall(answer=Response())


NAMES = frozenset({"secret", "sessionId", "txId", "amount", "promoId"})
SESSION_MAX = 255
NO_PROMO = "extra"  # the promotion of a win that belongs to none

# ---------------------------------------------------------------- money, ids

DIGITS = 2  # of every amount and balance; nobody has seen a currency with others
UNIT = Major()
_CENT = Decimal(1).scaleb(-DIGITS)
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def read_amount(fields: Fields) -> Decimal:
    """A decimal text. Here, and here only, what is finer than the currency is cut, not refused: "more than 2 decimal places are
    truncated", so 104.129 and 104.12 are one amount."""
    found = fields.text("amount", length_max=64)
    if not _AMOUNT.fullmatch(found):
        raise fields.wrong("amount", Flaw.INVALID, "must be a decimal text such as 2.50")
    return bounded(Decimal(found), "amount").quantize(_CENT, rounding=ROUND_DOWN)


def fits(amount: Decimal) -> bool:
    """Whether it stands on this wire as it is: a wallet would cut what is finer."""
    return amount == amount.quantize(_CENT, rounding=ROUND_DOWN)


def shown(balance: Decimal) -> str:
    """Two places, rounded down; nothing has no sign."""
    return f"{balance.quantize(_CENT, rounding=ROUND_FLOOR) or Decimal(0).quantize(_CENT):f}"


def read_uuid(fields: Fields) -> str:
    """Of any version: the page wants version 7, and its own example of bonusWin has version 4."""
    found = fields.text("txId")
    if not _UUID.fullmatch(found):
        raise fields.wrong("txId", Flaw.INVALID, "must be a UUID")
    return found


# ---------------------------------------------------------------- error codes

OK, EXISTS, REFUNDED, SETTLED, DOUBT = 200, 607, 608, 609, 702

MESSAGES: Mapping[int, str] = {
    400: "Validation error",
    601: "Invalid secret key",
    603: "Insufficient balance",
    604: "Session not found",
    605: "Transaction not found",
    EXISTS: "Transaction already exists",
    REFUNDED: "Transaction already refunded",
    SETTLED: "Transaction already settled",
    DOUBT: "Internal Server Error",
}
STATUSES: Mapping[int, int] = {
    400: 400, 601: 401, 603: 402, 604: 404, 605: 404, EXISTS: 409, REFUNDED: 409, SETTLED: 409, DOUBT: 500,
}  # fmt: skip
"""What HTTP calls them, where `error_status` says so."""
HEARD = frozenset({OK, *STATUSES, *STATUSES.values()}) - {DOUBT, STATUSES[DOUBT]}
"""HTTP statuses of a wallet that mean something: an error may also come under 200, from a server that can say no other."""


def _table(*rows: Mapping[Reason, int]) -> ErrorTable[int]:
    """The codes of one call: what has no row is 702, which is doubt to whoever hears it, as is a code that the call does not
    have. After any error of a withdrawal comes a rollback, and what is owed is sent again."""
    said: dict[Reason, int] = {Reason.INVALID_REQUEST: 400, Reason.BAD_SIGNATURE: 601}
    for each in rows:
        said |= each
    said |= {reason: DOUBT for reason in Reason if reason not in said}
    return ErrorTable(said, doubt=frozenset({DOUBT}))


# A code is heard as the first reason of its rows.
_SESSION = {Reason.SESSION_EXPIRED: 604, Reason.NOT_AUTHENTICATED: 604, Reason.PLAYER_NOT_FOUND: 604}
_OF_A_BET = {Reason.TRANSACTION_NOT_FOUND: 605, Reason.ALREADY_ROLLED_BACK: REFUNDED, Reason.ALREADY_SETTLED: SETTLED}
UNREAD = _table()  # of a call that nobody could read
ERRORS: Mapping[str, ErrorTable[int]] = {
    AUTH: _table(_SESSION),  # its page lists 603 and 607, too: copied from another one
    BALANCE: _table(_SESSION),
    # A bet whose rollback came before it is refused as one that was here before.
    WITHDRAWAL: _table(
        _SESSION,
        {Reason.INSUFFICIENT_FUNDS: 603, Reason.DUPLICATE_MISMATCH: EXISTS, Reason.ALREADY_ROLLED_BACK: EXISTS},
    ),
    DEPOSIT: _table(_OF_A_BET, {Reason.DUPLICATE_MISMATCH: SETTLED}),  # another amount: that bet has its win
    ROLLBACK: _table(_OF_A_BET),
    BONUS: _table(_SESSION, {Reason.DUPLICATE_MISMATCH: EXISTS}),
}
DONE: Mapping[str, int] = {WITHDRAWAL: EXISTS, DEPOSIT: SETTLED, BONUS: EXISTS}
"""What a wallet says to a call that it has done already: a yes to our own repeat."""
