"""What Pragmatic Play's calls are made of: names, numbers of errors, settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.units import Major
from gateway.dialect import Wire
from gateway.model import Adjust, Batch, Debit, Declined, Kind, Reason, Transaction, owes

# ---------------------------------------------------------------- settings, units


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`bonus_win`: `notify` = each free spin's win came by `result`, bonusWin only tells their total; `credit` = it pays it."""

    bonus_win: Literal["notify", "credit"] = "notify"


UNIT = Major()  # 2.5 is 2.50 EUR, in requests as text, in answers as a number

# ---------------------------------------------------------------- names

NAMES = frozenset(
    {
        "hash", "providerId", "userId", "token", "gameId", "roundId", "amount", "reference", "timestamp", "roundDetails",
        "bonusCode", "promoWinAmount", "promoWinReference", "jackpotDetails", "campaignId", "gameIdList",
    }
)  # fmt: skip
PASSED_ON = ("providerId", "roundDetails", "jackpotDetails", "campaignId")
NO_CODE = frozenset({"", "0", "false"})  # a bonusCode that is none, as the family spells it
PROVIDER = "PragmaticPlay"  # what we say to a wallet: another provider's own number means nothing there
DETAILS = "spin"  # of a bet or a result whose roundDetails, mandatory and for people only, nobody said

# ---------------------------------------------------------------- calls


def _wire(name: str, *kinds: Kind) -> Wire:
    return Wire(name=name, method="POST", path=f"/{name}.html", kinds=kinds)


CALLS = (
    _wire("authenticate", Kind.AUTHENTICATE),
    _wire("balance", Kind.BALANCE),
    _wire("bet", Kind.DEBIT),
    _wire("result", Kind.CREDIT, Kind.BATCH),
    _wire("bonusWin", Kind.NOTICE, Kind.CREDIT),
    _wire("jackpotWin", Kind.CREDIT),
    _wire("promoWin", Kind.CREDIT),
    _wire("endRound", Kind.CLOSE_ROUND),
    _wire("refund", Kind.ROLLBACK),
    _wire("adjustment", Kind.ADJUST),
    _wire("GetBalancePerGame", Kind.BALANCE),
)
BY_PATH: Mapping[str, str] = {wire.path.lower(): wire.name for wire in CALLS}
UNKNOWN_CALL = "unknown"  # any other path is answered with error 7

# ---------------------------------------------------------------- ids

JACKPOT, PROMO, BONUS, RESULT = "jackpot:", "promo:", "bonus:", "result:"
"""What pays beside a result may carry its reference, which is the key "per call": towards a wallet each has an id of its own.
A result whose own reference begins like one of ours has a word before it, too, so that no two ever meet."""


def result_id(said: str) -> str:
    return RESULT + said if said.startswith((JACKPOT, PROMO, BONUS, RESULT)) else said


# ---------------------------------------------------------------- errors

SUCCESS = "0"
RETRY, RETRY_END_ROUND = "100", "130"  # "internal error, retry": doubt, said and heard
DO_NOT_RETRY = "120"

# Reason -> error. 120 is heard as `round_closed`, of a refund, too: heard as `already_settled` it would be final, and a
# stake could stay taken because of what the same number also calls an internal error.
ERRORS = ErrorTable(
    {
        Reason.INSUFFICIENT_FUNDS: "1",
        Reason.PLAYER_NOT_FOUND: "2",
        Reason.NOT_AUTHENTICATED: "4",
        Reason.SESSION_EXPIRED: "4",
        Reason.BAD_SIGNATURE: "5",
        Reason.PLAYER_BLOCKED: "6",
        Reason.INVALID_REQUEST: "7",
        Reason.GAME_NOT_FOUND: "8",
        Reason.LIMIT_EXCEEDED: "50",
        Reason.ROUND_CLOSED: DO_NOT_RETRY,
        Reason.ALREADY_ROLLED_BACK: DO_NOT_RETRY,
        Reason.ALREADY_SETTLED: DO_NOT_RETRY,
        Reason.DUPLICATE_MISMATCH: DO_NOT_RETRY,
        Reason.CURRENCY_MISMATCH: DO_NOT_RETRY,
        Reason.TRANSACTION_NOT_FOUND: DO_NOT_RETRY,  # of a bet or a read; of a win see `error_of`
        Reason.UNSUPPORTED: DO_NOT_RETRY,
    },
    doubt=frozenset({RETRY, RETRY_END_ROUND}),
    heard={"3": Reason.LIMIT_EXCEEDED},  # "bet not allowed"; we say 50
)

DESCRIPTIONS: Mapping[str, str] = {
    SUCCESS: "Success",
    "1": "Insufficient balance",
    "2": "Player not found",
    "4": "Invalid or expired token",
    "5": "Invalid hash",
    "6": "Player frozen",
    "7": "Bad parameters",
    "8": "Game not found or disabled",
    "50": "Bet limit reached",
    RETRY: "Internal error, please retry",
    DO_NOT_RETRY: "Internal error, do not retry",
    RETRY_END_ROUND: "Internal error in endRound, please retry",
}

FINAL = frozenset({Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED, Reason.DUPLICATE_MISMATCH})
"""What ends a win or a refund; any other decline of one is told as 100, for its repeats to reach the wallet (rule 6)."""

NOBODY = frozenset({Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED})


def error_of(declined: Declined, tx: Transaction | None, currency: str) -> str:
    """The number that says `declined`. `tx` None: the request could not be read; `currency` as far as it is known."""
    if tx is not None and (isinstance(tx.act, Batch) or owes(tx.act)):
        return DO_NOT_RETRY if declined.reason in FINAL else RETRY
    act = tx.act if tx is not None else None
    if isinstance(act, Debit | Adjust) and declined.reason in NOBODY and not currency:
        # A bet names no token: what nobody knows is the player's currency. That hardly any has such an amount comes first.
        fine = act.amount != round(act.amount, 2)
        return ERRORS.code(Reason.INVALID_REQUEST if fine else Reason.PLAYER_NOT_FOUND)
    return ERRORS.code(declined.reason)
