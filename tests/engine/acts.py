"""The calls that the tests of the engine play, and what they look for in an answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Reason,
    Rollback,
    Settle,
    Transaction,
)
from tests.simulation.bench import a_call

REFUSING_PAIRS = (
    ("native", "native"),
    ("native", "netgaming"),
    ("netgaming", "native"),
    ("netgaming", "dragon_gaming"),
)


def bet(id: str, amount: str = "10.00", *, free: bool = False, tracking: bool = False, **more: Any) -> Transaction:
    return a_call(Debit(amount=Decimal(amount), free_round=free, tracking_only=tracking), id, **more)


def win(id: str, amount: str = "25.00", *, of: str = "", free: bool = False, **more: Any) -> Transaction:
    return a_call(Credit(amount=Decimal(amount), reference=of, free_round=free), id, **more)


def undo(id: str, of: str, amount: str = "", kind: Kind = Kind.DEBIT, **more: Any) -> Transaction:
    whole = Decimal(amount) if amount else None
    return a_call(Rollback(reference=of, reference_kind=kind, amount=whole), id, **more)


def settle(id: str, stake: str = "10.00", gain: str = "25.00", **more: Any) -> Transaction:
    return a_call(Settle(debit=Decimal(stake), credit=Decimal(gain)), id, **more)


def balance(**more: Any) -> Transaction:
    return a_call(Balance(), **more)


def why(outcome: Outcome) -> Reason:
    """The reason of a decline; anything else is none."""
    assert isinstance(outcome, Declined), outcome
    return outcome.reason


def yes(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    return outcome
