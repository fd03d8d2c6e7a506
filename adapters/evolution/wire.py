"""What Evolution's JSON is made of: settings, calls, status words, money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Literal

from msgspec import Struct

from gateway.codec.fields import Fields
from gateway.codec.units import Major, bounded
from gateway.dialect import Call, Wire
from gateway.model import Flaw, Kind, Reason, Refused

# ---------------------------------------------------------------- settings, calls


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`retransmission`: doubt invites to ask again. `check`: whether it answers the sid that it got, or a new one."""

    retransmission: bool = True
    check: Literal["keep", "refresh"] = "keep"


CALLS = (
    Wire(name="check", method="POST", path="/check", kinds=(Kind.AUTHENTICATE, Kind.CHECK)),
    Wire(name="balance", method="POST", path="/balance", kinds=(Kind.BALANCE,)),
    Wire(name="debit", method="POST", path="/debit", kinds=(Kind.DEBIT,)),
    Wire(name="credit", method="POST", path="/credit", kinds=(Kind.CREDIT,)),
    Wire(name="cancel", method="POST", path="/cancel", kinds=(Kind.ROLLBACK,)),
    Wire(name="promo_payout", method="POST", path="/promo_payout", kinds=(Kind.CREDIT,)),
)
OF_A_BET = frozenset({"credit", "cancel"})
GIVING = OF_A_BET | {"promo_payout"}  # what a decline does not end, but for a few reasons

# ---------------------------------------------------------------- names

NAMES = frozenset({"sid", "userId", "uuid", "currency", "channel", "game", "transaction", "promoTransaction"})
CHANNELS: Mapping[str, str] = {"P": "desktop", "M": "mobile"}
CHANNELS_OUT: Mapping[str, str] = {word: letter for letter, word in CHANNELS.items()}
PROMOS: Mapping[str, str] = {"FreeRoundPlayableSpent": "free_round", "JackpotWin": "jackpot"}  # every other: promo
PROMOS_OUT: Mapping[str, str] = {word: name for name, word in PROMOS.items()}
OTHER_PROMO = "PromoPayout"
OTHER_GAME = "slot"

# ---------------------------------------------------------------- status words

OK, DOUBT, SETTLED, EXISTS = "OK", "TEMPORARY_ERROR", "BET_ALREADY_SETTLED", "BET_ALREADY_EXIST"
BAD_KEY, BAD_FIELD, BAD_SESSION = "INVALID_TOKEN_ID", "INVALID_PARAMETER", "INVALID_SID"
NO_BET, NO_FUNDS, LOCKED, FINAL = (
    "BET_DOES_NOT_EXIST",
    "INSUFFICIENT_FUNDS",
    "ACCOUNT_LOCKED",
    "FINAL_ERROR_ACTION_FAILED",
)

SAID: Mapping[Reason, str] = {
    Reason.BAD_SIGNATURE: BAD_KEY,
    Reason.SESSION_EXPIRED: BAD_SESSION,
    Reason.NOT_AUTHENTICATED: BAD_SESSION,
    Reason.PLAYER_NOT_FOUND: BAD_SESSION,
    Reason.PLAYER_BLOCKED: LOCKED,
    Reason.INVALID_REQUEST: BAD_FIELD,
    Reason.CURRENCY_MISMATCH: BAD_FIELD,
    Reason.GAME_NOT_FOUND: BAD_FIELD,
    Reason.INSUFFICIENT_FUNDS: NO_FUNDS,
    Reason.TRANSACTION_NOT_FOUND: NO_BET,
    Reason.LIMIT_EXCEEDED: FINAL,
    Reason.UNSUPPORTED: FINAL,
    Reason.ALREADY_ROLLED_BACK: FINAL,
    Reason.ALREADY_SETTLED: FINAL,
    Reason.DUPLICATE_MISMATCH: FINAL,
    Reason.ROUND_CLOSED: FINAL,
}
ENDED = frozenset(
    {Reason.ALREADY_SETTLED, Reason.ROUND_CLOSED, Reason.ALREADY_ROLLED_BACK, Reason.DUPLICATE_MISMATCH}
)  # fmt: skip
"""Of a credit or a cancel: the bet had its end."""


def status_of(reason: Reason, name: str) -> str:
    """The word that says `reason` to this call, once it was understood.

    What is given is declined for good for a few reasons only (rule 6): anything else may pass, so it is doubt, and comes again.
    """
    if reason is Reason.BAD_SIGNATURE or name not in GIVING:
        return SAID[reason]
    if name in OF_A_BET and reason in ENDED:
        return SETTLED
    if name in OF_A_BET and reason is Reason.TRANSACTION_NOT_FOUND:
        return NO_BET
    # Its id was used for another payout: that decision stands, however often it is asked for.
    return FINAL if reason is Reason.DUPLICATE_MISMATCH else DOUBT


HEARD: Mapping[str, Reason] = {
    BAD_SESSION: Reason.SESSION_EXPIRED,
    "FATAL_ERROR_CLOSE_USER_SESSION": Reason.SESSION_EXPIRED,
    BAD_KEY: Reason.BAD_SIGNATURE,
    BAD_FIELD: Reason.INVALID_REQUEST,
    NO_BET: Reason.TRANSACTION_NOT_FOUND,
    NO_FUNDS: Reason.INSUFFICIENT_FUNDS,
    "INSUFFICIENT_FUNDS_TIPS": Reason.INSUFFICIENT_FUNDS,
    FINAL: Reason.UNSUPPORTED,
    LOCKED: Reason.PLAYER_BLOCKED,
    "GEOLOCATION_FAIL": Reason.PLAYER_BLOCKED,
    "BONUS_LIMIT_EXCEEDED": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_STAKE": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_LOSS": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_TURNOVER": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_SESSION_TIME": Reason.LIMIT_EXCEEDED,
}
"""Every other word is doubt: TEMPORARY_ERROR, OPERATION_IN_PROCESS, UNKNOWN_ERROR, and what is on no list."""

WITH_BALANCE = frozenset({NO_FUNDS, NO_BET, SETTLED, FINAL})
"""The declines that are never said without the balance, if anybody knows it."""
WITHOUT_BALANCE = frozenset({BAD_SESSION, BAD_KEY, BAD_FIELD})
"""Whose it is, is not proved."""

# ---------------------------------------------------------------- money

UNIT = Major()
SIX = Decimal("0.000001")


def read_currency(fields: Fields, call: Call) -> str:
    return call.currencies.meant(fields.text("currency"))


def read_amount(fields: Fields, currency: str, call: Call) -> Decimal:
    """Up to six decimals, and no more than the currency has: nothing is rounded, and no float's artefact forgiven."""
    amount, _ = fields.decimal("amount")
    if amount < 0:
        raise fields.wrong("amount", Flaw.TOO_LOW, "is negative")
    return UNIT.read(amount, currency, call.currencies, "amount", number=False)


def read_win(fields: Fields, currency: str, call: Call) -> Decimal:
    """Exact, also below what the currency has (4.005 EUR): refused it would be lost, so whoever cannot book it says so."""
    amount, _ = fields.decimal("amount")
    bounded(amount, "amount")
    if amount < 0:
        raise fields.wrong("amount", Flaw.TOO_LOW, "is negative")
    if amount != round(amount, max(6, call.currencies.digits(currency))):
        raise fields.wrong("amount", Flaw.INVALID, "has more than six decimals")
    fitted = call.currencies.shown(amount, currency)
    return fitted if fitted == amount else amount


def amount_out(amount: Decimal) -> Decimal:
    """With exactly six decimals. Raises `Refused` (unsupported) where it has more."""
    said = amount.quantize(SIX)
    if said != amount:
        raise Refused(Reason.UNSUPPORTED, f"{amount:f} has more than six decimals", field="amount")
    return said


def shown(balance: Decimal, currency: str, call: Call) -> Decimal:
    """Rounded down to what the currency has, padded to six decimals."""
    rounded = UNIT.show(balance, currency, call.currencies) if call.currencies.knows(currency) else balance
    return rounded.quantize(SIX, rounding=ROUND_FLOOR)


def read_balance(fields: Fields, name: str, currency: str, call: Call) -> Decimal | None:
    """A balance in an answer, rounded down if it must be; None if there is none to be read."""
    try:
        amount, _ = fields.decimal(name)
        return UNIT.show(bounded(amount, name), currency, call.currencies)
    except Refused:
        return None


# ---------------------------------------------------------------- what only describes


def label(value: Any, length_max: int) -> str:
    """A text or a number that only describes, blank where it is something else: it never refuses a movement."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if text.strip() and len(text) <= length_max and "\x00" not in text else ""
