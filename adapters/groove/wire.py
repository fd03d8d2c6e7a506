"""What stands on Groove's wire: calls, fields, money, codes. What they mean is in dialect.py, requests.py and answers.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import Major, bounded, plain
from gateway.dialect import Call, Wire
from gateway.model import Flaw, Kind, Reason, Transaction, unsupported

# ---------------------------------------------------------------- settings, units


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`signature_form`: `A` = over the values in the order of their names, `B` = over the target as sent, `none`."""

    signature_form: Literal["A", "B", "none"] = "A"


UNIT = Major()
AMOUNT = re.compile(r"[0-9]{1,22}(\.[0-9]{1,10})?")  # Decimal(32,10), main units; no sign, no exponent, never a float
DIGITS_MAX = 10

# ---------------------------------------------------------------- names

NAMES = frozenset(
    {
        "request", "gamesessionid", "accountid", "device", "apiversion", "gameid", "nogsgameid", "roundid", "transactionid",
        "betamount", "result", "gamestatus", "frbid", "rollbackamount", "amount",
    }
)  # fmt: skip
SPELLED: Mapping[str, str] = {name: name for name in NAMES}  # of our lower-case names: `rollbackAmount`, `frbId`
OLD_GAME = "nogsgameid"  # an older edition's name of gameid
SESSION_MAX, PLAYER_MAX, GAME_MAX, ID_MAX = 64, 60, 100, 255
WALLET_ID_MAX = 50
VERSION = "1.2"  # what we say, and answer to who says none
VERSION_MAX = 16
DEVICES = ("desktop", "mobile")
STATUS: Mapping[str, bool] = {"completed": True, "pending": False}  # gamestatus -> whether the round is over
NOTHING = ("", "null")  # how a field is written that is none
FREE = "0"  # betamount of a free round

# ---------------------------------------------------------------- calls


def _wire(name: str, *kinds: Kind) -> Wire:
    return Wire(name=name, method="GET", path=f"/?request={name}", kinds=kinds)


CALLS = (
    _wire("getaccount", Kind.AUTHENTICATE),
    _wire("getbalance", Kind.BALANCE),
    _wire("wager", Kind.DEBIT),
    _wire("result", Kind.CREDIT),
    _wire("wagerAndResult", Kind.SETTLE),
    _wire("jackpot", Kind.CREDIT),
    _wire("rollback", Kind.ROLLBACK),
    _wire("reversewin", Kind.ROLLBACK),
    _wire("rollbackrollback", Kind.ROLLBACK),
)
BY_WORD: Mapping[str, str] = {wire.name.lower(): wire.name for wire in CALLS}
BATCH = "WagerByBatch"  # the only POST; its layout is not known
NO_CALL = "unknown"
REVERSALS = frozenset({"rollback", "reversewin", "rollbackrollback"})
OWED = REVERSALS | {"result", "jackpot"}

# ---------------------------------------------------------------- ids

# A rollback carries the wager's transactionid, a jackpot may carry a result's: towards a wallet each has an id of its own.
# A result whose own id begins like one of ours has a word before it, too, so that no two ever meet.
JACKPOT, RESULT, REFUND, PART, REVERSE, RESTORE = (
    "jackpot:", "result:", "refund:", "refund=", "reversewin:", "rollbackrollback:",
)  # fmt: skip


def result_id(said: str) -> str:
    return RESULT + said if said.startswith((JACKPOT, RESULT)) else said


def refund_id(said: str, amount: Decimal | None) -> str:
    """A part of a wager is given back under the same transactionid as the next part: its amount tells them apart."""
    return REFUND + said if amount is None else f"{PART}{text_of(amount)}:{said}"


# ---------------------------------------------------------------- codes

OK, DOUBT, NOT_FOUND, REFUSED = 200, 1, 102, 110
MISMATCH, CLOSED, LOGGED_OFF, NOT_PROVED = 400, 409, 1000, 1003
DONE = 0  # "the only expected return code for a valid rollback": heard of one, never said
SUCCESS, DUPLICATE = "Success", "Success - duplicate request"

STATUSES: Mapping[int, str] = {
    DOUBT: "Technical error",
    NOT_FOUND: "Wager not found",
    REFUSED: "Operation not allowed",
    MISMATCH: "Transaction parameter mismatch",
    CLOSED: "Round closed or transaction id exists",
    LOGGED_OFF: "Not logged on",
    NOT_PROVED: "Authentication failed",
    1006: "Out of money",
    1019: "Gaming limit",
    1035: "Account blocked",
}

# Reason -> code. A code is heard as the first of its row: 110 as `invalid_request`, of a rollback, too, for
# `already_settled` would be final there, and a stake could stay taken because of what may be another reason.
ERRORS = ErrorTable(
    {
        Reason.INVALID_REQUEST: REFUSED,
        Reason.UNSUPPORTED: REFUSED,
        Reason.PLAYER_NOT_FOUND: REFUSED,
        Reason.ALREADY_SETTLED: REFUSED,
        Reason.ALREADY_ROLLED_BACK: REFUSED,
        Reason.CURRENCY_MISMATCH: REFUSED,
        Reason.GAME_NOT_FOUND: REFUSED,
        Reason.TRANSACTION_NOT_FOUND: NOT_FOUND,
        Reason.DUPLICATE_MISMATCH: MISMATCH,
        Reason.ROUND_CLOSED: CLOSED,
        Reason.SESSION_EXPIRED: LOGGED_OFF,
        Reason.NOT_AUTHENTICATED: LOGGED_OFF,
        Reason.BAD_SIGNATURE: NOT_PROVED,
        Reason.INSUFFICIENT_FUNDS: 1006,
        Reason.LIMIT_EXCEEDED: 1019,
        Reason.PLAYER_BLOCKED: 1035,
    },
    doubt=frozenset({DOUBT}),
)


def code_of(reason: Reason, name: str) -> int:
    """The code that says `reason` to this call."""
    if reason is Reason.TRANSACTION_NOT_FOUND and name not in REVERSALS:
        return REFUSED
    if reason is Reason.NOT_AUTHENTICATED and name == "getaccount":
        return NOT_PROVED
    code = ERRORS.code(reason)
    return (
        DOUBT if code == LOGGED_OFF and name in OWED else code
    )  # "1000 is never a valid answer" there: it is sent again


def reason_heard(code: int, kind: Kind, *, again: bool) -> Reason | None:
    """What a code means that is no success; None = doubt."""
    if code == CLOSED and again:
        return None  # "or transaction id exists": it may be what our first attempt did
    if code == NOT_PROVED and kind is Kind.AUTHENTICATE:
        return Reason.NOT_AUTHENTICATED
    return ERRORS.reason(code)


# ---------------------------------------------------------------- money


def read_amount(fields: Fields, name: str) -> Decimal:
    """Exact. No call names a currency: whether it has such an amount is checked once it is known."""
    text = fields.text(name)
    if not AMOUNT.fullmatch(text):
        raise fields.wrong(name, Flaw.INVALID, "is no decimal text such as 2.50")
    return bounded(Decimal(text), name)


def text_of(amount: Decimal) -> str:
    return f"{plain(amount):f}"


def amount_text(amount: Decimal, tx: Transaction, call: Call) -> str:
    """The wallet takes it in its player's own currency, which no call names."""
    if tx.currency and call.currency not in ("", tx.currency):
        raise unsupported(f"{tx.currency} to a wallet of {call.currency}")
    exact = UNIT.write(amount, tx.currency, call.currencies) if tx.currency else amount
    text = text_of(exact)
    if not AMOUNT.fullmatch(text):
        raise unsupported(f"an amount of more than {DIGITS_MAX} digits behind the point")
    return text


def read_balances(fields: Fields, tx: Transaction, call: Call) -> dict[str, Any]:
    """Cash and bonus money of an answer, with their currency; `balance` alone is both together."""
    said = fields.opaque("currency").get("currency", "")
    currency = said if call.currencies.knows(said) else tx.currency or call.currency
    if not call.currencies.knows(currency):
        return {}
    found = {
        name: UNIT.heard(fields, name, currency, call.currencies)
        for name in ("balance", "real_balance", "bonus_balance")
    }
    whole, real, bonus = found.values()
    cash = real if real is not None or whole is None else whole - (bonus or Decimal(0))
    if cash is None:
        return {}
    return {"balance": cash, "bonus": bonus or None, "currency": currency}  # 0 is said for "there is none", too
