"""The journal as the engine sees it: looks, and one conditional write.

The engine says what it wants as a generator: it looks, is answered, looks again, and ends with at
most one write. A database runs all of it in one transaction. Nothing else decides anything there:
a write is made only if every row that it leans on is still as it was read (rule 31).

Who comes later raises the revision of every open row that it concerns (`Write.touched`): its bet, its
rollback, what named it before it came. So whoever leaned on its absence finds the write stale. Opens
of one name go one after the other (`Look.names`), so of two that concern each other the second one
always sees the first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from gateway.engine.movement import Count, Listing, Movement, Session, Step
from gateway.engine.setup import Unresolved
from gateway.model import Kind

T = TypeVar("T")


class JournalLost(Exception):
    """A write is not durable: the disk is full, the file or the database is gone. It may still be
    there later (its confirmation may be what was lost): whoever asked for it knows nothing."""


class Ask(NamedTuple):
    """A named look (the queries of `journal/queries.sql`) and its values: text, or a number of rows."""

    query: str
    values: tuple[Any, ...] = ()


class Look(Struct, frozen=True):
    """Answered at once, in order; more follows in the same transaction. Answers are lists of
    `Movement`, `Session` or plain rows, as the query says. `names`: nobody else who names one of these looks before
    this transaction has ended."""

    asks: tuple[Ask, ...]
    names: tuple[str, ...] = ()


class Put(NamedTuple):
    """One row as it was read, and as it is to be. `lasts`: it is due after so much time, by the clock
    of the database; None: `after.due_at` stands as it is."""

    before: Movement
    after: Movement
    lasts: timedelta | None = None


class Write(Struct, frozen=True, kw_only=True):
    """All of it or nothing, and only if every `before`, `leaned` and `touched` row is as it was read.

    The answer is whether it was written. Every row that is put or touched has its revision raised by one.
    """

    insert: tuple[Movement, ...] = ()
    lasts: timedelta | None = None  # of what is inserted: its lease
    puts: tuple[Put, ...] = ()
    touched: tuple[Movement, ...] = ()
    leaned: tuple[Movement, ...] = ()
    steps: tuple[tuple[str, Step], ...] = ()  # (key of the movement, line of its story)


Answers = list[list[Any]]
Looks = Generator[Look, Answers, T]
"""Looks only: may also be run beside every transaction."""
Steps = Generator[Look | Write, Any, T]
"""Looks, then at most one write, answered with whether it held."""


class Change(Struct, Generic[T], frozen=True, kw_only=True):
    """One transaction. `steps` is called for every try; its argument says whether an earlier try may
    have been committed without our hearing of it. `repeatable`: made twice it comes to the same;
    else such a try ends as `JournalLost`."""

    steps: Callable[[bool], Steps[T]]
    key: str = ""  # of the movement that it changes; changes of one transaction lock in this order
    repeatable: bool = True


class Doubt(Struct, frozen=True, kw_only=True):
    """A person's word that the journal forgot what came since `since` (rule 30)."""

    since: datetime
    said_at: datetime


class Journal(Protocol):
    """Reads see every write that was returned before. Writes are durable when they return."""

    async def make(self, change: Change[T]) -> T:
        """One transaction. Raises `JournalLost`, or what `steps` raises."""
        ...

    async def look(self, looks: Looks[T]) -> T:
        """The same looks beside every transaction: the first of them may be older than the last."""
        ...

    async def take_due(self, at: datetime, owner: str, lasts: timedelta, wallets: Mapping[str, int]) -> list[Movement]:
        """What settlement may look at now, at most so many of each wallet, the longest due first: taken
        for `owner` for a while, so that no other node looks at it, too. What a dead process was asking is doubt
        by then (`carried`). The wallet `*` stands for every name that is not in the mapping."""
        ...

    async def hasten(self, at: datetime) -> None:
        """The clock stepped: every look that is still to come is due `at`, and every request in flight begins its
        time again, for the next process, too (rule 29)."""
        ...

    async def catch_up(self, at: datetime, most: timedelta, leases: timedelta) -> None:
        """A process begins. Looks that lie further ahead than `most`, which none is put off, were set by a clock that
        was set back while no process saw it: they are due `at`. A lease that lasts longer than `leases`, which none
        does, ends then: whoever has it may have died since (rule 29)."""
        ...

    async def note(self, key: str, steps: Sequence[Step]) -> None:
        """Lines of a story, of a movement that does not change."""
        ...

    async def learn(self, session: Session, *, handed_over: bool = False) -> None:
        """What is said of a session; what is not said stays. Only where the operator handed it over to another player
        does nothing stay: a wallet may write its player's name otherwise."""
        ...

    # -- for people, gauges and the admin side

    async def get(self, key: str) -> Movement | None: ...

    async def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        """The movement with the provider's own id; never a part, never our own."""
        ...

    async def children(self, parent: str) -> list[Movement]: ...

    async def aimed_at(self, target: str) -> list[Movement]:
        """The rollbacks, captures and releases of one movement."""
        ...

    async def latest(self, provider: str, player: str) -> Movement | None: ...

    async def story(self, key: str) -> list[Step]:
        """The steps of a movement, in the order of the journal. Of a long story the first and the
        last hundred are kept, and what a person did."""
        ...

    async def session(self, provider: str, session: str) -> Session | None: ...

    async def last_session(self, provider: str, player: str, game: str = "") -> Session | None: ...

    async def listed(self, listing: Listing) -> list[Movement]: ...

    async def counts(self) -> list[Count]: ...

    async def unresolved(self) -> list[Unresolved]:
        """Movements that are not at their end, the accepted ones that a clock still runs for included,
        by provider and by where their wallet was (rules 12, 25)."""
        ...

    async def doubts(self) -> list[Doubt]:
        """The recorded words that the journal forgot something, the newest first."""
        ...

    def writable(self) -> bool:
        """Whether the last commit worked (`/readyz`)."""
        ...

    async def close(self) -> None: ...
