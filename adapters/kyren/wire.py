"""What Kyren's JSON is made of: names, numbers of errors, amounts, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, read_json
from gateway.codec.units import Major
from gateway.codec.unix import from_millis
from gateway.dialect import Call, Wire
from gateway.model import Declined, Kind, Reason, Refused

# ---------------------------------------------------------------- settings, units


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`error_as_string`: `"0"` in every answer. `family_md5`: the edition that sends `hash`."""

    error_as_string: bool = False
    family_md5: bool = False


UNIT = Major()  # the page's bet of "13" is 13.00 USD

# ---------------------------------------------------------------- names

# The pages mix userId and userid, timeStamp and timestamp, TransactionId and transactionId.
NAMES = frozenset(
    {
        "uuid", "providerId", "userId", "sessionId", "currency", "gameId", "gameName", "roundId", "reference", "amount",
        "bonusCode", "roundDetails", "timestamp", "win", "platform", "jackpotId", "promoCampaignId", "campaignId",
        "promoCampaignType", "promoWinAmount", "promoWinReference", "hash", "authToken", "transactionId", "cash",
        "bonus", "error", "description",
    }
)  # fmt: skip
SPELLED: Mapping[str, str] = {name.lower(): name for name in NAMES}

# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="Check", method="POST", path="/v1/Check", kinds=(Kind.CHECK,)),
    Wire(name="Balance", method="POST", path="/v1/Balance", kinds=(Kind.BALANCE,)),
    Wire(name="Bet", method="POST", path="/v1/Bet", kinds=(Kind.DEBIT,)),
    Wire(name="Result", method="POST", path="/V4/Result", kinds=(Kind.CREDIT, Kind.BATCH)),
    Wire(name="BonusWin", method="POST", path="/V4/BonusWin", kinds=(Kind.CREDIT,)),
    Wire(name="JackpotWin", method="POST", path="/V4/JackPotWin", kinds=(Kind.CREDIT,)),
    Wire(name="PromoWin", method="POST", path="/V4/PromoWin", kinds=(Kind.CREDIT,)),
    Wire(name="Cancel", method="POST", path="/v1/Cancel", kinds=(Kind.ROLLBACK,)),
    Wire(name="Refund", method="POST", path="/v1/Refund", kinds=(Kind.ROLLBACK,)),
    Wire(name="EndRound", method="POST", path="/v1/EndRound", kinds=(Kind.CLOSE_ROUND,)),
    Wire(name="SessionExpired", method="POST", path="/v1/SessionExpired", kinds=(Kind.CLOSE_SESSION,)),
)
PATHS: Mapping[str, str] = {wire.name: wire.path for wire in CALLS}

# credit_type -> call; every other credit is a Result
WINS: Mapping[str, str] = {"bonus": "BonusWin", "jackpot": "JackpotWin", "promo": "PromoWin"}
CREDITS = frozenset({"Result", *WINS.values()})
WIN_TYPES: Mapping[str, str] = {name: word for word, name in WINS.items()}
WITHOUT_CURRENCY = frozenset({"BonusWin", "JackpotWin"})
SCOPES: Mapping[str, str] = {"Cancel": "transaction", "Refund": "round"}
PASSED_ON = ("providerId", "roundDetails", "platform", "jackpotId", "promoCampaignType", "win")

# ---------------------------------------------------------------- errors

RETRY = 100  # "internal error, caller shall retry": doubt, said and heard
NOT_ALLOWED = 3

# Reason -> error. The wallet's own table was not found; these are the parent protocol's numbers.
# 120 is heard as `round_closed`, of a rollback, too: heard as `already_settled` it would be final,
# and a stake could stay taken because of what the same number also calls an internal error.
ERRORS = ErrorTable(
    {
        Reason.INSUFFICIENT_FUNDS: 1,
        Reason.PLAYER_NOT_FOUND: 2,
        Reason.UNSUPPORTED: NOT_ALLOWED,
        Reason.TRANSACTION_NOT_FOUND: NOT_ALLOWED,  # of a Bet, Check, ...; see `error_of` for the others
        Reason.SESSION_EXPIRED: 4,
        Reason.NOT_AUTHENTICATED: 4,
        Reason.BAD_SIGNATURE: 5,
        Reason.PLAYER_BLOCKED: 6,
        Reason.INVALID_REQUEST: 7,
        Reason.CURRENCY_MISMATCH: 7,
        Reason.GAME_NOT_FOUND: 8,
        Reason.LIMIT_EXCEEDED: 50,
        Reason.ROUND_CLOSED: 120,
        Reason.ALREADY_SETTLED: 120,
        Reason.DUPLICATE_MISMATCH: 120,
        Reason.ALREADY_ROLLED_BACK: 120,
    },
    doubt=frozenset({RETRY}),
)

DESCRIPTIONS: Mapping[int, str] = {
    0: "Success",
    1: "Insufficient balance",
    2: "Player not found or logged out",
    NOT_ALLOWED: "Bet not allowed",
    4: "Invalid or expired token",
    5: "Invalid hash",
    6: "Player frozen",
    7: "Bad parameters",
    8: "Game not found or disabled",
    50: "Bet limit reached",
    RETRY: "Internal error, please retry",
    120: "Internal error, do not retry",
}


def error_of(declined: Declined, name: str) -> int:
    """The number that says `declined` to this call."""
    if declined.reason is Reason.TRANSACTION_NOT_FOUND and name in CREDITS:
        return RETRY  # the bet may still come; the Result is sent ten times
    if declined.reason is Reason.GAME_NOT_FOUND and name != "Bet":
        return NOT_ALLOWED  # 8 is a Bet's only: a Result is paid even for a game that is gone
    return ERRORS.code(declined.reason)


def error_heard(fields: Fields) -> int | None:
    """The error of an answer, integer or text; None = it says none."""
    found = fields.value("error", None)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 4 and str(int(found)) == found:
        return int(found)
    return None


# ---------------------------------------------------------------- reading


def read_currency(fields: Fields, call: Call) -> str:
    return call.currencies.meant(fields.text("currency"))


def read_amount(fields: Fields, name: str, currency: str, call: Call) -> Decimal:
    """A text or a number; only a number is forgiven a float's artefact."""
    amount, number = fields.decimal(name)
    return UNIT.read(amount, currency, call.currencies, name, number=number)


def read_time(fields: Fields) -> datetime | None:
    """For the log only: in a form that is none it is not known."""
    try:
        return from_millis(fields.decimal("timestamp")[0], "timestamp")
    except Refused:
        return None


# ---------------------------------------------------------------- writing


def amount_text(amount: Decimal, currency: str, call: Call) -> str:
    """Texts, as Kyren's own examples; BonusWin and JackpotWin may come without a currency."""
    return f"{UNIT.write(amount, currency, call.currencies) if currency else amount:f}"


def shown_text(balance: Decimal, currency: str, call: Call) -> str:
    return f"{UNIT.show(balance, currency, call.currencies) if currency else balance:f}"


def details_out(text: str) -> Any:
    """`roundDetails` as it came: an object or a list as JSON again, anything else as text."""
    if not text:
        return {}  # the Bet page's example is an object
    if text[0] not in "{[":
        return text
    try:
        found = read_json(b'{"is":' + text.encode() + b"}")
    except (Refused, UnicodeEncodeError):
        return text
    return found["is"] if len(found) == 1 else text  # not `[], "amount": 1`


def error_out(code: int, name: str, settings: Settings) -> int | str:
    """Refund's page says `"0"`, in table and example; every other example says 0."""
    return str(code) if settings.error_as_string or name == "Refund" else code
