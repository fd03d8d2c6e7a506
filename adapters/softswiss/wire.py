"""What SOFTSWISS's JSON is made of: money, codes, calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import Major, bounded
from gateway.currency import Currencies
from gateway.dialect import Wire
from gateway.model import Flaw, Kind, Reason, Refused, Transaction, unsupported

BODY_MAX = 64 * 1024  # bytes of a request, as they came
MONEY = re.compile(r"[0-9]+(\.[0-9]{1,16})?")  # main units; no sign and no exponent: the form comes before arithmetic
MONEY_LENGTH_MAX = 40
CURRENCY = re.compile(r"[A-Z][A-Z0-9_]{2,31}")
UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")  # the form of `session_id`
MAJOR = Major()
WIN = ":w"  # behind the id of a settle: its win, a movement of its own here

# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="balance", method="POST", path="/balance", kinds=(Kind.BALANCE,)),
    Wire(name="betwin", method="POST", path="/betwin", kinds=(Kind.BATCH, Kind.DEBIT, Kind.CREDIT, Kind.SETTLE)),
    Wire(name="rollback", method="POST", path="/rollback", kinds=(Kind.BATCH, Kind.ROLLBACK)),
    Wire(name="finish", method="POST", path="/finish", kinds=(Kind.CLOSE_ROUND,)),
)
PATHS: Mapping[str, str] = {wire.name: wire.path for wire in CALLS}
NAMES = frozenset(
    {"account_id", "currency", "game_id", "session_id", "round_id", "round_id_provider", "finished", "transactions"}
)

# ---------------------------------------------------------------- errors

FAULT = "500"
ROWS: Mapping[Reason, str] = {
    Reason.INSUFFICIENT_FUNDS: "100",
    Reason.PLAYER_NOT_FOUND: "101",
    Reason.NOT_AUTHENTICATED: "101",
    Reason.SESSION_EXPIRED: "101",
    Reason.LIMIT_EXCEEDED: "105",
    Reason.GAME_NOT_FOUND: "107",
    Reason.PLAYER_BLOCKED: "110",
    Reason.CURRENCY_MISMATCH: "154",
    Reason.DUPLICATE_MISMATCH: "155",
    Reason.INVALID_REQUEST: "400",  # and unsupported, round_closed, already_settled: no row
    Reason.BAD_SIGNATURE: "403",
    Reason.TRANSACTION_NOT_FOUND: "404",
    Reason.ALREADY_ROLLED_BACK: "409",
}
ERRORS = ErrorTable(ROWS, doubt=frozenset({FAULT}))
# api_code -> what it means when heard; it is never said
HEARD_ONLY: Mapping[str, Reason] = {
    "106": Reason.LIMIT_EXCEEDED,  # above the maximum bet
    "153": Reason.PLAYER_BLOCKED,  # country restricted
    "405": Reason.GAME_NOT_FOUND,  # game off
    "410": Reason.PLAYER_BLOCKED,  # casino off
    "411": Reason.UNSUPPORTED,  # end point or event switched off
    "420": Reason.UNSUPPORTED,
    "421": Reason.UNSUPPORTED,
}
WITH_BALANCE = frozenset({"100", "105", "106"})  # without it the player sees a wrong one, and nobody an error
MESSAGES: Mapping[str, str] = {
    "100": "not enough funds",
    "101": "player is invalid",
    "105": "bet limit reached",
    "107": "game is forbidden to the player",
    "110": "player is disabled",
    "154": "currency is not allowed",
    "155": "a set field may not change",
    "400": "bad request",
    "403": "bad signature",
    "404": "not found",
    "409": "already rolled back",
    FAULT: "unknown",
}


def code_of(reason: Reason, call: str) -> str:
    """The api_code that says `reason` to this call."""
    code = ERRORS.code(reason)
    return "400" if code == "404" and call != "betwin" else code  # elsewhere 404 would be doubt


def reason_heard(code: str, call: str) -> Reason | None:
    """What an api_code means on this call; None = doubt, and so is what the table does not list."""
    if code == "404" and call != "betwin":
        return None
    return ERRORS.reason(code) or HEARD_ONLY.get(code)


# ---------------------------------------------------------------- money


def read_currency(fields: Fields, currencies: Currencies) -> str:
    """A currency we know, as it stands: lower case is refused, not lifted."""
    code = fields.text("currency")
    if not CURRENCY.fullmatch(code):
        raise fields.wrong("currency", Flaw.INVALID, "is no currency code")
    currencies.digits(code)
    return code


def read_amount(fields: Fields, currency: str, currencies: Currencies) -> Decimal:
    amount = _money(fields, "amount")
    if not amount:
        raise Refused(Reason.INVALID_REQUEST, "amount must be above zero", field="amount", flaw=Flaw.TOO_LOW)
    return MAJOR.read(amount, currency, currencies, "amount", number=False)


def read_balance(fields: Fields, currency: str, currencies: Currencies) -> Decimal | None:
    """A balance, rounded down where the wire is finer; None if there is none to be read."""
    try:
        return MAJOR.show(_money(fields, "balance"), currency, currencies)
    except Refused:
        return None


def _money(fields: Fields, name: str) -> Decimal:
    found = fields.value(name)
    # A number of JSON is a subclass of text.
    if type(found) is not str or len(found) > MONEY_LENGTH_MAX or not MONEY.fullmatch(found):
        raise fields.wrong(name, Flaw.INVALID, "is no decimal text such as 2.50")
    return bounded(Decimal(found), name)


def amount_text(amount: Decimal, tx: Transaction, currencies: Currencies) -> str:
    text = f"{MAJOR.write(amount, tx.currency, currencies):f}"
    if not MONEY.fullmatch(text):
        raise unsupported("an amount with more than 16 digits behind the point")
    return text


def balance_text(balance: Decimal, currency: str, currencies: Currencies) -> str:
    """Exactly the currency's digits; what is below zero has no form here, and nothing can be bet from it."""
    return f"{MAJOR.show(max(balance, Decimal(0)), currency, currencies):f}"
