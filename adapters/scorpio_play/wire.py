"""What Scorpio Play's JSON is made of: units, codes, settings, commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.units import Major, Scaled
from gateway.dialect import Call, Wire
from gateway.model import Kind, Reason

MAJOR = Major()
MINOR = Scaled(None)

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`wide_codes`: wrong player and wrong account have their code on every command.
    `php_booleans`: the sender signs true as `1` and false as nothing. `variant`: iGamingAce's fields."""

    amount_unit: Literal["major", "minor"] = "major"
    wide_codes: bool = False
    php_booleans: bool = False
    variant: Literal["standard", "igamingace"] = "standard"


def is_ace(call: Call) -> bool:
    return bool(call.settings.variant == "igamingace")


# ---------------------------------------------------------------- errors

OK, ANY_FAILURE = "OK", "ERR_UNKNOWN"
ROWS: Mapping[Reason, str] = {
    Reason.BAD_SIGNATURE: "ERR_INTEGRITY_CHECK_FAILED",
    Reason.SESSION_EXPIRED: "ERR_NOT_AUTHENTICATED",
    Reason.NOT_AUTHENTICATED: "ERR_NOT_AUTHENTICATED",
    Reason.PLAYER_NOT_FOUND: "ERR_INVALID_PLAYER_ID",
    Reason.CURRENCY_MISMATCH: "ERR_INVALID_ACCOUNT",
    Reason.INSUFFICIENT_FUNDS: "ERR_NOT_ENOUGH_MONEY",
    Reason.TRANSACTION_NOT_FOUND: "ERR_TRANSACTION_DOES_NOT_EXIST",
    Reason.ALREADY_ROLLED_BACK: "ERR_TRANSACTION_ROLLED_BACK",
    Reason.INVALID_REQUEST: ANY_FAILURE,  # and every reason without a row
}
ERRORS = ErrorTable(ROWS, doubt=frozenset({ANY_FAILURE}))

EVERYWHERE = frozenset({"ERR_INTEGRITY_CHECK_FAILED", "ERR_NOT_AUTHENTICATED"})
WIDE = frozenset({"ERR_INVALID_PLAYER_ID", "ERR_INVALID_ACCOUNT"})
# command -> the codes that its page lists
LISTED: Mapping[str, frozenset[str]] = {
    "balance": EVERYWHERE | WIDE,
    "bet": EVERYWHERE | {"ERR_NOT_ENOUGH_MONEY"},
    "win": EVERYWHERE,
    "cancel": EVERYWHERE | {"ERR_TRANSACTION_DOES_NOT_EXIST", "ERR_TRANSACTION_ROLLED_BACK"},
}


def code_of(reason: Reason, command: str, settings: Settings) -> str:
    """The code that says `reason` to this command: only codes that the command's page lists."""
    code, listed = ERRORS.code(reason), LISTED.get(command, EVERYWHERE)
    if code in listed or (settings.wide_codes and code in WIDE):
        return code
    # A player whom bet, win and cancel cannot call unknown is not logged in.
    return "ERR_NOT_AUTHENTICATED" if reason is Reason.PLAYER_NOT_FOUND else ANY_FAILURE


def reason_heard(code: str, command: str) -> Reason | None:
    """What `code` means on this command; None = doubt. Operators say the wide ones everywhere."""
    return ERRORS.reason(code) if code in LISTED[command] | WIDE else None


# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="balance", method="POST", path="/", kinds=(Kind.BALANCE,)),
    Wire(name="bet", method="POST", path="/", kinds=(Kind.DEBIT,)),
    Wire(name="win", method="POST", path="/", kinds=(Kind.CREDIT,)),
    Wire(name="cancel", method="POST", path="/", kinds=(Kind.ROLLBACK,)),
)
COMMAND_OF: Mapping[Kind, str] = {kind: wire.name for wire in CALLS for kind in wire.kinds}
NO_COMMAND = "unknown"  # answered ERR_UNKNOWN, with status 200 like everything here

NAMES = frozenset(
    {
        "command", "transactionId", "playerId", "roundId", "providerId", "providerName", "gameCode", "gameName",
        "currency", "amount", "timestamp", "isRoundFinished", "isCall", "referenceId", "isBonusBusy", "bonusId",
    }
)  # fmt: skip
