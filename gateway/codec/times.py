"""Durations as people write them: `250ms`, `4s`, `10m`, `48h`, `35d`."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_THOUSANDTHS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def parse_duration(text: str) -> timedelta:
    """The duration; `ValueError` says what to write instead."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no duration (write one like 250ms, 4s, 10m, 48h or 35d)")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def shortly(time: timedelta) -> str:
    """As people write it: in the largest unit that it is a whole number of."""
    thousandths = time // timedelta(milliseconds=1)
    unit, size = next((unit, size) for unit, size in _THOUSANDTHS if thousandths % size == 0)
    return f"{thousandths // size}{unit}"
