"""When settlement looks at a movement again: longer and longer, never all at one moment."""

from __future__ import annotations

import hashlib
from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(seconds=60)
DOUBLINGS_MAX = 6


def pause(key: str, tries: int) -> timedelta:
    """1 s, 2 s, 4 s ... 60 s, between 80 % and 120 % of it by the movement's own key."""
    whole: timedelta = min(FIRST * (1 << min(tries, DOUBLINGS_MAX)), LONGEST)
    draw = int.from_bytes(hashlib.sha256(f"{key}#{tries}".encode()).digest()[:2], "big")
    return whole * (80 + draw * 40 // 65536) / 100
