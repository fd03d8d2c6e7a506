"""What stands on Spribe's wire: calls, units, codes, fields. Its meaning is in dialect.py."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from gateway.codec.cents import read_whole
from gateway.codec.fields import Fields
from gateway.codec.units import Scaled, bounded
from gateway.dialect import Call, Wire
from gateway.model import Kind, Reason, Refused

# ---------------------------------------------------------------- settings, units


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`signed_path` own: the dialect's own path alone, behind a proxy that eats what stands before it.
    `crypto`: currencies that are counted in hundred millionths."""

    signed_path: Literal["full", "own"] = "full"
    crypto: tuple[str, ...] = ("BTC", "ETH", "LTC", "XRP", "USDT")


FIAT, CRYPTO = Scaled(3), Scaled(8)  # by the kind of the currency, not by its digits: 5 JPY is 5000


def unit_of(currency: str, settings: Settings) -> Scaled:
    return CRYPTO if currency in settings.crypto else FIAT


def rescaled(amount: Decimal, currency: str, settings: Settings) -> Decimal:
    """An amount that was read in thousandths because its call named no currency."""
    unit = unit_of(currency, settings)
    return amount if unit is FIAT else amount.scaleb(3 - 8)


def read_amount(fields: Fields, currency: str, call: Call) -> Decimal:
    """Exact, also below what the currency has (6.125 EUR): whoever cannot book that says so."""
    unit = unit_of(currency, call.settings)
    amount = bounded(Decimal(read_whole(fields, "amount")).scaleb(-unit.scale(currency, call.currencies)), "amount")
    shown = call.currencies.shown(amount, currency) if currency else amount
    return shown if shown == amount else amount


def read_balance(fields: Fields, name: str, currency: str, call: Call) -> Decimal | None:
    """A balance in an answer, rounded down if it must be; None if there is none to be read."""
    try:
        unit = unit_of(currency, call.settings)
        found = Decimal(fields.integer(name)).scaleb(-unit.scale(currency, call.currencies))
        return call.currencies.shown(bounded(found, name), currency)
    except Refused:
        return None


# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="auth", method="POST", path="/auth", kinds=(Kind.AUTHENTICATE,)),
    Wire(name="info", method="POST", path="/info", kinds=(Kind.BALANCE,)),
    Wire(name="withdraw", method="POST", path="/withdraw", kinds=(Kind.DEBIT,)),
    Wire(name="deposit", method="POST", path="/deposit", kinds=(Kind.CREDIT,)),
    Wire(name="rollback", method="POST", path="/rollback", kinds=(Kind.ROLLBACK,)),
)
# The last segment of a path, without an imitator's `_spribe` -> call
BY_WORD: Mapping[str, str] = {wire.name: wire.name for wire in CALLS} | {"player_info": "info"}
# The same of `action` in the body, where an operator gave one URL for all
BY_ACTION: Mapping[str, str] = {**BY_WORD, "bet": "withdraw", "win": "deposit"}
NO_CALL = "unknown"
OWED = frozenset({"deposit", "rollback"})

DEFAULT_PROVIDER = "spribe_crash"
FREE = "freebet"

NAMES = frozenset(
    {
        "user_token", "session_token", "platform", "currency", "user_id", "amount", "provider", "provider_tx_id", "game",
        "action", "action_id", "withdraw_provider_tx_id", "rollback_provider_tx_id",
    }
)  # fmt: skip

# ---------------------------------------------------------------- codes

OK, DUPLICATE, REFUSED, DOUBT = 200, 409, 405, 500

MESSAGES: Mapping[int, str] = {
    OK: "ok",
    401: "User token is invalid",
    402: "Insufficient fund",
    403: "User token is expired",
    REFUSED: "Internal error, no retry",
    408: "Transaction does not found",
    DUPLICATE: "Duplicate transaction",
    413: "Invalid Client-Signature",
    DOUBT: "Internal error",
}

# Reason -> code, said of a withdraw or a read; what has no row is 405
CODES: Mapping[Reason, int] = {
    Reason.NOT_AUTHENTICATED: 401,
    Reason.PLAYER_NOT_FOUND: 401,
    Reason.INSUFFICIENT_FUNDS: 402,
    Reason.SESSION_EXPIRED: 403,
    Reason.ALREADY_ROLLED_BACK: DUPLICATE,
    Reason.ALREADY_SETTLED: DUPLICATE,
    Reason.BAD_SIGNATURE: 413,
}
# The same of a deposit or a rollback: what is final. Whatever else was refused is sent again (500)
OF_A_WIN: Mapping[Reason, int] = {
    Reason.ALREADY_ROLLED_BACK: DUPLICATE,
    Reason.ALREADY_SETTLED: DUPLICATE,
    Reason.DUPLICATE_MISMATCH: REFUSED,
    Reason.BAD_SIGNATURE: 413,
}
FINAL: Mapping[str, Mapping[Reason, int]] = {
    "deposit": OF_A_WIN,
    "rollback": {**OF_A_WIN, Reason.TRANSACTION_NOT_FOUND: 408},
}

# Code -> reason, heard. 405 of what is owed, 500, and what is not listed are doubt
HEARD: Mapping[int, Reason] = {
    401: Reason.NOT_AUTHENTICATED,
    402: Reason.INSUFFICIENT_FUNDS,
    403: Reason.SESSION_EXPIRED,
    404: Reason.PLAYER_NOT_FOUND,
    REFUSED: Reason.INVALID_REQUEST,
    408: Reason.TRANSACTION_NOT_FOUND,
    DUPLICATE: Reason.DUPLICATE_MISMATCH,
    413: Reason.BAD_SIGNATURE,
}


def code_of(reason: Reason, name: str) -> int:
    """The code that says `reason` to this call."""
    if name in OWED:
        return FINAL[name].get(reason, DOUBT)
    return CODES.get(reason, REFUSED)
