"""What a write does, as steps that either database runs.

A change is a generator: it asks, is answered, and asks again, all in one transaction. What it asks
last goes together with the commit, so that it costs no round trip of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

T = TypeVar("T")
Row = tuple[Any, ...]


class Ask(NamedTuple):
    """A named query (queries.sql) and its values."""

    query: str
    values: tuple[Any, ...] = ()


class Look(NamedTuple):
    """Answered at once: more follows in the same transaction."""

    asks: Sequence[Ask]


class Last(NamedTuple):
    """Answered when the transaction is durable; nothing may be asked after it."""

    asks: Sequence[Ask]


Steps = Generator[Look | Last, list[list[Row]], T]


class Change(Struct, Generic[T], frozen=True, kw_only=True):
    """One write. `steps` is called for every try; its argument says whether an earlier try may have
    been committed without our hearing of it (only where `repeatable`)."""

    steps: Callable[[bool], Steps[T]]
    key: str = ""  # of the movement that it changes; changes of one transaction lock in this order
    names: tuple[str, ...] = ()
    """What no other change may look at meanwhile: see `opening.names`."""
    repeatable: bool = True
    """Made twice, it comes to the same."""


def write(*asks: Ask, key: str = "", repeatable: bool = True) -> Change[list[list[Row]]]:
    """A change that looks at nothing; its answer is what each query returned."""

    def steps(again: bool) -> Steps[list[list[Row]]]:
        return (yield Last(asks))

    return Change(steps=steps, key=key, repeatable=repeatable)
