"""Durations as people write them: `250ms`, `4s`, `10m`, `48h`, `35d`."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """The duration; `ValueError` says what to write instead."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no duration (write one like 250ms, 4s, 10m, 48h or 35d)")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
