"""What Slotegrator's forms and answers are made of: names, words, ids, codes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gateway.codec.errors import ErrorTable
from gateway.codec.units import Major
from gateway.dialect import Wire
from gateway.model import Kind, Reason

UNIT = Major()  # "2.5" is 2.50 EUR


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`echoed_ids`: a wallet that repeats our `transaction_id` as its own, whatever it booked."""

    echoed_ids: bool = False


# ---------------------------------------------------------------- names

SENDER, MOMENT, NONCE = "X-Merchant-Id", "X-Timestamp", "X-Nonce"  # signed by these very names, in this case
LIST = "rollback_transactions"
RETRIES = "casino_request_retry_count"
NAMES = frozenset(
    {
        "action", "amount", "currency", "player_id", "session_id", "game_uuid", "transaction_id", "type", "freespin_id",
        "quantity", "round_id", "finished", "transaction_datetime", RETRIES, "bet_transaction_id", "provider_round_id",
        LIST,
    }
)  # fmt: skip

# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="balance", method="POST", path="/", kinds=(Kind.BALANCE,)),
    Wire(name="bet", method="POST", path="/", kinds=(Kind.DEBIT,)),
    Wire(name="win", method="POST", path="/", kinds=(Kind.CREDIT,)),
    Wire(name="refund", method="POST", path="/", kinds=(Kind.ROLLBACK,)),
    # A rollback of nothing is a read; at the wallet's end it takes one win or refund back.
    Wire(name="rollback", method="POST", path="/", kinds=(Kind.BATCH, Kind.ROLLBACK, Kind.BALANCE)),
)
ACTIONS = frozenset(wire.name for wire in CALLS)
NO_ACTION = "unknown"  # answered INTERNAL_ERROR, with status 200 like everything here

# An element's action -> the kind of movement that it takes back, and the reverse
UNDONE: Mapping[str, Kind] = {"bet": Kind.DEBIT, "win": Kind.CREDIT, "refund": Kind.ROLLBACK}
ACTION_OF: Mapping[Kind, str] = {kind: action for action, kind in UNDONE.items()}

# ---------------------------------------------------------------- ids


def apart(id: str) -> str:
    """Each half of an element's id (`<rollback>:<reference>`): no colon inside, so none is another."""
    return id.replace("%", "%25").replace(":", "%3A")


def of_refund(id: str) -> str:
    """A refund's id: both are rollbacks to a wallet that takes ids as they are (rule 3), and an element's has one colon."""
    return apart(id) if "%" in id or id.count(":") == 1 else id


def said_by_refund(id: str) -> str:
    """The reverse: as the wire said it."""
    return id.replace("%3A", ":").replace("%25", "%")


# ---------------------------------------------------------------- errors

NO_MONEY, ANY_FAILURE = "INSUFFICIENT_FUNDS", "INTERNAL_ERROR"

# The one code for "no" and for "I do not know" is doubt when heard, whatever its description says.
ERRORS = ErrorTable(
    {Reason.INSUFFICIENT_FUNDS: NO_MONEY, Reason.INVALID_REQUEST: ANY_FAILURE},  # and every reason without a row
    doubt=frozenset({ANY_FAILURE}),
)
NO_MONEY_TEXT = "Not enough money"  # the card's example; every other description is the canonical reason
DOUBT_TEXT = "unknown"

# What a refund, or an element of a rollback, finds where there is nothing to give back (any more)
GONE = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})
