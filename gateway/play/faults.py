"""What may go wrong with a simulated wallet, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from msgspec import Struct

FAULTS = {
    "drop-before": "hangs up and does nothing",
    "drop-after": "does it and hangs up without an answer",
    "delay": "does it, but only after so many seconds (DELAY:RATE:SECONDS, default 5)",
    "error-after": "does it and answers HTTP 500",
    "garbage": "does it and answers half of its answer",
    "forget": "has forgotten this movement: a repeat moves the money again",
}
DELAY_SECONDS = 5.0


class Fault(Struct, frozen=True, kw_only=True):
    """One kind of trouble, and how likely it is for a call."""

    kind: str
    rate: float
    seconds: float = DELAY_SECONDS


class BadFault(ValueError):
    """A fault that cannot be read; the message says what to write instead."""


def parse_fault(text: str) -> Fault:
    """`drop-after:0.1`, `delay:0.05:3`."""
    kind, _, rest = text.partition(":")
    if kind not in FAULTS:
        raise BadFault(f"unknown fault {kind!r} (one of {', '.join(FAULTS)})")
    rate, _, seconds = rest.partition(":")
    try:
        fault = Fault(kind=kind, rate=float(rate), seconds=float(seconds) if seconds else DELAY_SECONDS)
    except ValueError:
        raise BadFault(f"{text!r} has no rate (write {kind}:0.1)") from None
    if not 0 <= fault.rate <= 1 or not 0 <= fault.seconds <= 3600:
        raise BadFault(f"{text!r}: the rate is a number from 0 to 1 (write {kind}:0.1)")
    return fault


def draw(faults: Sequence[Fault], chance: random.Random) -> Fault | None:
    """The fault of this call, if any; every fault is drawn, so that a seed stays one history."""
    drawn = [fault for fault in faults if chance.random() < fault.rate]
    return drawn[0] if drawn else None
