"""What stands on NeverEnding's wire: calls, names, money, errors, and the two names of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.units import Major
from gateway.dialect import Wire
from gateway.http import Request
from gateway.ids import UuidIds
from gateway.model import Kind, Reason

UNIT = Major()  # 10.55 is 10.55 EUR
IDS = UuidIds()


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`free_bet_debit`: a bet under a `freeBets` campaign takes its amount in cash. `wallet_id`, `operator_id`: what a
    wallet of this dialect knows us and our brand by."""

    free_bet_debit: bool = False
    wallet_id: str = ""
    operator_id: str = ""


# ---------------------------------------------------------------- calls

AUTHENTICATE, BALANCE, TRANSACTION, CANCEL, PAYOUT = "authenticate", "balance", "transaction", "cancel", "payout"
CALLS = (
    Wire(name=AUTHENTICATE, method="POST", path="/authenticate", kinds=(Kind.AUTHENTICATE,)),
    Wire(name=BALANCE, method="POST", path="/balance", kinds=(Kind.BALANCE,)),
    # A list of one is that movement.
    Wire(name=TRANSACTION, method="POST", path="/transaction", kinds=(Kind.BATCH, Kind.DEBIT, Kind.CREDIT)),
    Wire(name=CANCEL, method="POST", path="/cancel", kinds=(Kind.ROLLBACK,)),
    Wire(name=PAYOUT, method="POST", path="/payout", kinds=(Kind.CREDIT,)),
)

FREE_BETS, TOURNAMENT = "freeBets", "tournament"  # types of a campaign
TYPE, FINISHED, JACKPOT = "campaign.type", "campaign.finished", "jpAmount"  # names in `extra`
NAMES = frozenset(
    {
        "sessionId", "walletId", "operatorId", "game", "key", "playerId", "transactions", "round", "campaign",
        "regulatory", "originalSessionId", "transactionId", "roundId", "payoutId", "amount",
    }
)  # fmt: skip

NOTHING: tuple[Any, ...] = (None, False, "", [], {})  # how PHP and others write that there is no object

# ---------------------------------------------------------------- who plays

SESSION_MAX = 1024


def bearer(request: Request) -> str:
    """The token behind `Authorization: Bearer`, blank where there is none. Headers are read as Latin-1, and written as UTF-8."""
    word, _, token = request.header("authorization").strip().partition(" ")
    token = token.strip() if word.lower() == "bearer" else ""  # RFC 9110, 11.1: in any case
    try:
        return token.encode("latin-1").decode()
    except UnicodeError:
        return token


def both_names(session_id: str, token: str) -> str:
    """One name for a session that its wallet knows by two: ours, and the token that it gave."""
    return f"{session_id}~{token}"


def parted(session: str) -> tuple[str, str]:
    """(sessionId, token) of what `both_names` joined. A session of another provider is no UUID: one is made of it, always the
    same; and where nobody heard of a token, the session itself is shown for one."""
    first, mark, token = session[:36], session[36:37], session[37:]
    if mark == "~" and token and IDS.holds(first):
        return first, token
    return (session if IDS.holds(session) else IDS.made(f"session:{session}")), session


# ---------------------------------------------------------------- errors

OK, DOUBT = 200, 500  # the statuses of errors are ours: the page names codes only
FAILED, NO_CANCEL_NEEDED, CANCEL_NEEDED = "TRANSACTION_FAILED", "INTERNAL_ERROR", "CANCEL_REQUIRED"

# Any other reason is said, and heard, as invalid_request.
ERRORS = ErrorTable(
    {
        Reason.INVALID_REQUEST: FAILED,
        Reason.NOT_AUTHENTICATED: "PLAYER_UNAUTHORIZED",
        Reason.BAD_SIGNATURE: "SERVER_UNAUTHORIZED",
        Reason.SESSION_EXPIRED: "SESSION_EXPIRED",
        Reason.LIMIT_EXCEEDED: "LOSS_LIMIT",
        Reason.INSUFFICIENT_FUNDS: "INSUFFICIENT_FUNDS",
        Reason.TRANSACTION_NOT_FOUND: "TRANSACTION_NOT_FOUND",
    }
)
STATUSES: Mapping[str, int] = {
    FAILED: 400,
    "PLAYER_UNAUTHORIZED": 401,
    "SERVER_UNAUTHORIZED": 401,
    "SESSION_EXPIRED": 403,
    "LOSS_LIMIT": 403,
    "INSUFFICIENT_FUNDS": 402,
    "TRANSACTION_NOT_FOUND": 404,
    CANCEL_NEEDED: DOUBT,
    NO_CANCEL_NEEDED: DOUBT,
}
MESSAGES: Mapping[str, str] = {
    FAILED: "The transaction was not processed",
    "PLAYER_UNAUTHORIZED": "The token is missing or wrong",
    "SERVER_UNAUTHORIZED": "The signature is missing or wrong",
    "SESSION_EXPIRED": "The session has expired",
    "LOSS_LIMIT": "A limit of the player is reached",
    "INSUFFICIENT_FUNDS": "Not enough money",
    "TRANSACTION_NOT_FOUND": "There is no such transaction",
    CANCEL_NEEDED: "The outcome is not known: send a cancel",
    NO_CANCEL_NEEDED: "The outcome is not known: send it again",
}
