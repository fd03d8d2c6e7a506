"""Keys as values: named parts, and until when they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from gateway.auth.mac import Mac

T = TypeVar("T")


class Key(Struct, frozen=True, kw_only=True, dict=True):
    """One key of an integration, its secrets already read. `until` None = no end."""

    id: str
    parts: Mapping[str, str]
    until: datetime | None = None

    def __repr__(self) -> str:
        return f"Key({self.id!r})"  # never its parts: a key must not reach a log

    def part(self, name: str) -> str:
        return self.parts[name]

    def mac(self, use: str, make: Callable[[Key], Mac]) -> Mac:
        """The HMAC that `make` makes of its parts."""
        return self.made(use, make)

    def made(self, use: str, make: Callable[[Key], T]) -> T:
        """What `make` makes of its parts: made once for each `use`, and gone with the key (a reload reads anew)."""
        found: T | None = self.__dict__.get(use)
        if found is None:
            found = self.__dict__[use] = make(self)
        return found


def live(keys: Sequence[Key], now: datetime) -> list[Key]:
    """The keys that hold at `now`, in the configuration's order."""
    return [key for key in keys if key.until is None or now < key.until]
