"""What stands on Dragon Gaming's wire: units, errors, settings, fields. Its meaning is in dialect.py."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gateway.codec.cents import UNITS, WireScale
from gateway.codec.fields import Fields, Number, known
from gateway.codec.numbered import NumberedErrors
from gateway.codec.units import Scaled
from gateway.dialect import Call
from gateway.model import Flaw, Reason, Refused

AMOUNT_TYPES = {"real": False, "promo_freespin": True}  # word -> free round
LEGACY_AMOUNT_TYPES = {**AMOUNT_TYPES, "cash": False}
REFUND_TYPES = {"real": False}
LEGACY_REFUND_TYPES = {**REFUND_TYPES, "cash": False}
TOKEN_LENGTH_MAX = 1024  # the operator makes it; nothing is documented
NAME_LENGTH_MAX = 256
NOTE_LENGTH_MAX = 1024

# ---------------------------------------------------------------- errors

ERRORS = NumberedErrors(
    {
        Reason.SESSION_EXPIRED: (101, "INVALID_TOKEN"),
        Reason.NOT_AUTHENTICATED: (101, "INVALID_TOKEN"),
        Reason.BAD_SIGNATURE: (1001, "INVALID_API_KEY"),
        Reason.CURRENCY_MISMATCH: (2006, "INVALID_CURRENCY"),
        Reason.PLAYER_NOT_FOUND: (102, "ACCOUNT_DOESNT_EXIST"),
        Reason.DUPLICATE_MISMATCH: (103, "DUPLICATE_TRANSACTION"),
        Reason.INSUFFICIENT_FUNDS: (105, "INSUFFICIENT_FUNDS"),
        Reason.TRANSACTION_NOT_FOUND: (107, "ROUND_NOT_FOUND"),
        Reason.PLAYER_BLOCKED: (108, "PLAYER_BLOCKED"),
        Reason.LIMIT_EXCEEDED: (109, "LIMIT_EXCEEDED"),
        Reason.GAME_NOT_FOUND: (110, "GAME_NOT_FOUND"),
        Reason.ALREADY_ROLLED_BACK: (112, "ALREADY_REFUNDED"),
        Reason.ALREADY_SETTLED: (113, "ALREADY_SETTLED"),
        Reason.ROUND_CLOSED: (114, "ROUND_CLOSED"),
    },
    doubt=((104, "SERVER_NOT_READY"), (100, "INTERNAL_ERROR")),
    also={"ROUND_EXISTS": Reason.DUPLICATE_MISMATCH},  # the aggregator's word for 103
)

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    wire_scale: WireScale = "fixed2"
    default_country: str | None = None
    success_status: Literal[0, 1] = 0
    legacy_amount_types: bool = False
    bonus_amount_as_string: bool = False
    echo_transaction_id: bool = False
    """Answer the request's `transaction_id` instead of the wallet's own id."""


def unit_of(call: Call) -> Scaled:
    scale: WireScale = call.settings.wire_scale
    return UNITS[scale]


def status_of(call: Call, *, success: bool) -> int:
    """0 is success on most pages, 1 on one of them and at the aggregator."""
    yes: int = call.settings.success_status
    return yes if success else 1 - yes


# ---------------------------------------------------------------- fields

SESSION_FIELDS = frozenset({"token"})
BALANCE_FIELDS = SESSION_FIELDS | {"account_id"}
DEBIT_FIELDS = BALANCE_FIELDS | {
    "amount", "amount_type", "currency", "game_id", "transaction_id", "round_id", "game_type", "game_name", "note",
    "bonus_id",
}  # fmt: skip
CREDIT_FIELDS = DEBIT_FIELDS | {"round_end_state", "isfreespins", "isfreespin"}
REFUND_FIELDS = DEBIT_FIELDS - {"bonus_id"} | {"original_transaction_id"}


def token_of(fields: Fields) -> str:
    return fields.id("token", length_max=TOKEN_LENGTH_MAX)


def is_free(fields: Fields, words: dict[str, bool]) -> bool:
    """Whether it is a promotional free round; not said is real play."""
    word = fields.text("amount_type") if "amount_type" in fields else "real"
    if word not in words:
        raise fields.wrong("amount_type", Flaw.INVALID, f"is none of {', '.join(words)}")
    return words[word]


def extra_of(fields: Fields, names: frozenset[str], note: str) -> dict[str, str]:
    return fields.unknown(names) | fields.opaque("game_type") | known(note=note)


def feature_of(fields: Fields) -> dict[str, str]:
    """`isfreespins` in the table, `isfreespin` in the example: an in-game feature, no promotional round."""
    said = fields.opaque("isfreespins", "isfreespin")
    return {"in_game_freespin": next(iter(said.values()))} if said else {}


def error_of(fields: Fields) -> tuple[int | None, str]:
    """The error's number and word. `error_code` is typed Integer and shown as a word: it may be either."""
    code = fields.value("error_code", "")
    if isinstance(code, Number) or (isinstance(code, str) and code.isascii() and code.isdigit()):
        return fields.integer("error_code"), ""
    try:
        number = fields.integer("error_id") if "error_id" in fields else None
    except Refused:
        number = None  # the word is what counts
    return number, fields.text("error_code", "")
