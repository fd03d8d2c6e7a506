"""What stands on Red Tiger's wire: money, codes, ids, calls. Its meaning is in the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Literal, TypeVar

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import Major
from gateway.dialect import Call, Wire
from gateway.model import Flaw, Kind, Reason, Refused

T = TypeVar("T")

# ---------------------------------------------------------------- money

DIGITS = 2  # of every amount, whatever the currency; a payout's jackpot has six
NOTHING, NO_JACKPOT = "0.00", "0.000000"
_CENT = Decimal(1).scaleb(-DIGITS)
_UNIT = Major()


def read_amount(fields: Fields, name: str, currency: str, call: Call) -> Decimal:
    """What a movement moves: a text, or a number, exact either way."""
    amount, _ = fields.decimal(name)
    if amount < 0:
        raise fields.wrong(name, Flaw.TOO_LOW, "is negative")
    return _UNIT.read(amount, currency, call.currencies, name, number=False)


def read_currency(fields: Fields, call: Call) -> str:
    """One with two digits: nobody has seen what stands on this wire for another (trap 5)."""
    code = call.currencies.meant(fields.text("currency", length_max=CURRENCY_MAX))
    if call.currencies.digits(code) != DIGITS:
        message = f"{code} is no currency of {DIGITS} digits"
        raise Refused(Reason.CURRENCY_MISMATCH, message, field="currency", flaw=Flaw.INVALID)
    return code


def shown(balance: Decimal) -> str:
    """Two digits, rounded down: nobody is shown what is not there."""
    return f"{balance.quantize(_CENT, rounding=ROUND_FLOOR):f}"


# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`promo_buyin`: a buyin takes its stake, or nothing (trap 3). `repeat`: an equal repeat hears the first answer again,
    or code 401."""

    promo_buyin: Literal["charge", "free"] = "charge"
    repeat: Literal["answer", "code_401"] = "answer"


# ---------------------------------------------------------------- calls

AUTH, STAKE, PAYOUT, REFUND = "auth", "stake", "payout", "refund"
BUYIN, SETTLE, PROMO_REFUND = "promo/buyin", "promo/settle", "promo/refund"
CALLS = tuple(
    Wire(name=name, method="POST", path=f"/{name}", kinds=(kind,))
    for name, kind in (
        (AUTH, Kind.AUTHENTICATE),
        (STAKE, Kind.DEBIT),
        (PAYOUT, Kind.CREDIT),
        (REFUND, Kind.ROLLBACK),
        (BUYIN, Kind.DEBIT),
        (SETTLE, Kind.CREDIT),
        (PROMO_REFUND, Kind.ROLLBACK),
    )
)
LATE = frozenset({PAYOUT, SETTLE, REFUND, PROMO_REFUND})
"""Calls that may come when the player is gone: with the reconciliation token, and nothing in them that only describes
stops them."""
REFUNDS = frozenset({REFUND, PROMO_REFUND})

PROMO = "promo"  # the type of a buyin and of a settle
NAMES = frozenset(
    {
        "token", "userId", "casino", "currency", "ip", "channel", "affiliate", "extras", "transaction", "jackpot", "game",
        "round", "promo", "retry",
    }
)  # fmt: skip
TOKEN_MAX, PLAYER_MAX, CURRENCY_MAX, ID_MAX, GAME_MAX, CODE_MAX = 128, 36, 8, 32, 128, 64
CHANNEL_MAX, CASINO_MAX, AFFILIATE_MAX = 8, 50, 255


def softly(read: Callable[[], T], otherwise: T, call: Call) -> T:
    """What `read` gives; `otherwise` where that is wrong, and a late call may not be refused for it."""
    try:
        return read()
    except Refused:
        if call.name not in LATE:
            raise
        return otherwise


# ---------------------------------------------------------------- ids

_WORDS: Mapping[str, tuple[str, str]] = {
    STAKE: ("stake", "buyin"), BUYIN: ("stake", "buyin"), PAYOUT: ("payout", "settle"), SETTLE: ("payout", "settle"),
}  # fmt: skip


def canonical_id(name: str, said: str) -> str:
    """The id of what `name` moves: a stake and a buyin may share theirs, so a buyin's is `buyin:<id>`, a settle's
    `settle:<id>`. A stake whose own id begins like that is `stake:<id>`, so that two never meet."""
    plain, promo = _WORDS[name]
    if name in (BUYIN, SETTLE):
        return f"{promo}:{said}"
    return f"{plain}:{said}" if said.startswith((f"{plain}:", f"{promo}:")) else said


# ---------------------------------------------------------------- errors

DUPLICATE, DOUBT = 401, 500

# Reason -> code. A code is heard as the first of its row; 401 depends on the call (`answers.py`).
ERRORS = ErrorTable(
    {
        Reason.BAD_SIGNATURE: 100,
        Reason.INVALID_REQUEST: 200,
        Reason.GAME_NOT_FOUND: 200,
        Reason.ROUND_CLOSED: 200,
        Reason.UNSUPPORTED: 200,
        Reason.NOT_AUTHENTICATED: 301,
        Reason.SESSION_EXPIRED: 301,
        Reason.PLAYER_NOT_FOUND: 302,
        Reason.PLAYER_BLOCKED: 303,
        Reason.INSUFFICIENT_FUNDS: 304,
        Reason.CURRENCY_MISMATCH: 305,
        Reason.LIMIT_EXCEEDED: 306,
        Reason.TRANSACTION_NOT_FOUND: 400,
        Reason.DUPLICATE_MISMATCH: DUPLICATE,
        Reason.ALREADY_ROLLED_BACK: DUPLICATE,
        Reason.ALREADY_SETTLED: DUPLICATE,
    },
    # 201 generic, 501 maintenance; 0 is what Valkyrie says for whatever it has no entry for.
    doubt=frozenset({0, 201, DOUBT, 501}),
)

MESSAGES: Mapping[int, str] = {
    100: "API authentication error",
    200: "Invalid input",
    301: "Not authorized",
    302: "User not found",
    303: "Banned user",
    304: "Insufficient funds",
    305: "Wrong currency",
    306: "User limited",
    400: "Transaction not found",
    DUPLICATE: "Duplicate transaction",
    DOUBT: "Internal error",
}

STATUSES = frozenset({200, 400, 401, 500})
"""HTTP statuses of an error that are heard: [code] says 400 and 401, another wallet 500. The body decides."""
