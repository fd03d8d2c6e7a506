"""What stands on NetGaming's wire: units, errors, settings, fields. Its meaning is in dialect.py."""

from __future__ import annotations

from msgspec import Struct

from gateway.codec.cents import UNITS, WireScale
from gateway.codec.fields import Fields, known
from gateway.codec.numbered import NumberedErrors, Pair
from gateway.codec.units import Scaled
from gateway.dialect import Call
from gateway.model import Flaw, Reason

# ---------------------------------------------------------------- units, polarity

# `status` and `error` say the same thing with opposite signs; the family's other member turns
# `status` round, so these are nobody else's.
SUCCESS, FAILURE = 1, 0
ERROR, NO_ERROR = 1, 0

AMOUNT_TYPES = {"real": False, "promo_freespin": True}  # word -> free round
REFUND_TYPES = {"real": False}
TOKEN_LENGTH_MAX = 1024  # the operator makes it; nothing is documented
CHANNEL_LENGTH_MAX = 64
NAME_LENGTH_MAX = 256
NOTE_LENGTH_MAX = 1024

# ---------------------------------------------------------------- errors

ROWS: dict[Reason, Pair] = {
    Reason.BAD_SIGNATURE: (1001, "INVALID_API_KEY"),
    Reason.CURRENCY_MISMATCH: (2006, "INVALID_CURRENCY"),
    Reason.SESSION_EXPIRED: (101, "INVALID_TOKEN"),
    Reason.NOT_AUTHENTICATED: (101, "INVALID_TOKEN"),
    Reason.PLAYER_NOT_FOUND: (102, "PLAYER_NOT_FOUND"),
    Reason.DUPLICATE_MISMATCH: (103, "DUPLICATE_TRANSACTION"),
    Reason.INSUFFICIENT_FUNDS: (105, "INSUFFICIENT_FUNDS"),
    Reason.TRANSACTION_NOT_FOUND: (107, "TRANSACTION_NOT_FOUND"),
    Reason.PLAYER_BLOCKED: (108, "PLAYER_BLOCKED"),
    Reason.LIMIT_EXCEEDED: (109, "LIMIT_EXCEEDED"),
    Reason.GAME_NOT_FOUND: (110, "GAME_NOT_FOUND"),
    Reason.ALREADY_ROLLED_BACK: (112, "ALREADY_REFUNDED"),
    Reason.ALREADY_SETTLED: (113, "ALREADY_SETTLED"),
    Reason.ROUND_CLOSED: (114, "ROUND_CLOSED"),
}
DOUBT: tuple[Pair, ...] = ((104, "SERVER_NOT_READY"), (100, "INTERNAL_ERROR"))
ERRORS = NumberedErrors(ROWS, doubt=DOUBT)

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    wire_scale: WireScale = "fixed2"
    default_country: str | None = None
    errors: dict[Reason, Pair] = {}
    """Rows that a certification replaced: `{insufficient_funds: [205, NO_MONEY]}`."""
    doubt: Pair = (104, "SERVER_NOT_READY")

    def __post_init__(self) -> None:
        if Reason.INVALID_REQUEST in self.errors:
            raise ValueError("errors: invalid_request is documented (2001 to 2011), it cannot be replaced")


def errors_of(call: Call) -> NumberedErrors:
    settings: Settings = call.settings
    if not settings.errors and settings.doubt == DOUBT[0]:
        return ERRORS
    return NumberedErrors({**ROWS, **settings.errors}, doubt=(settings.doubt, *DOUBT))


def unit_of(call: Call) -> Scaled:
    scale: WireScale = call.settings.wire_scale
    return UNITS[scale]


# ---------------------------------------------------------------- fields

SESSION_FIELDS = frozenset({"token"})
BALANCE_FIELDS = SESSION_FIELDS | {"game_id", "player_id"}
REFUND_FIELDS = BALANCE_FIELDS | {
    "amount", "amount_type", "currency", "round_id", "game_type", "game_name", "transaction_id", "note",
    "original_transaction_id",
}  # fmt: skip
MOVE_FIELDS = REFUND_FIELDS - {"original_transaction_id"} | {"channel", "game_ended", "additional_details"}


def token_of(fields: Fields) -> str:
    return fields.id("token", length_max=TOKEN_LENGTH_MAX)


def is_free(fields: Fields, words: dict[str, bool]) -> bool:
    """Whether it is a promotional free round. `game_type` may hold `promo_freespin`, too: it decides nothing."""
    word = fields.text("amount_type") if "amount_type" in fields else "real"
    if word not in words:
        raise fields.wrong("amount_type", Flaw.INVALID, f"is none of {', '.join(words)}")
    return words[word]


def extra_of(fields: Fields, names: frozenset[str], note: str) -> dict[str, str]:
    return fields.unknown(names) | fields.opaque("game_type") | known(note=note)


def error_of(fields: Fields) -> tuple[int | None, str]:
    """The error's number and word; the game server itself nests them."""
    if "error_detail" in fields:
        nested = fields.object("error_detail")
        return nested.integer("id") if "id" in nested else None, nested.text("code", "")
    return fields.integer("error_id") if "error_id" in fields else None, fields.text("error_code", "")


def message_of(fields: Fields) -> str:
    texts = fields.opaque("error_message") | fields.object("error_detail", None).opaque("message")
    return next(iter(texts.values()), "")[:NOTE_LENGTH_MAX]
