"""The journal over queries: what SQLite and PostgreSQL have in common, which is nearly all.

A database runs changes (`make`) and queries (`_rows`); the rest of `gateway.engine.journal.Journal`
is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from gateway.engine.journal import Ask, Change, Doubt, Look, Looks, Steps, Write
from gateway.engine.movement import Count, Event, Listing, Movement, Session, Step, carried, doubted
from gateway.engine.setup import Unresolved
from gateway.journal import change as changes
from gateway.journal import rows
from gateway.journal.change import Alone, Last, Row
from gateway.model import Kind

T = TypeVar("T")

ANY = "*"  # of wallets: every name that is not named
DIED = "the process that carried it ended"
FOR_CALLS = frozenset({"own", "found", "parts", "aimed", "latest", "session", "last_session"})
"""The queries that a call may wait for: a few rows of an index. The others, which people, gauges and retention ask, may
take long, and no call waits behind them."""


class JournalError(Exception):
    """Why the journal cannot be opened; for people."""


class Walked(NamedTuple):
    """A step of retention: how many left, whether there is more, and where it goes on."""

    gone: int
    more: bool
    place: Any


class KeptJournal(ABC):
    """See `gateway.engine.journal.Journal`."""

    @abstractmethod
    async def make(self, change: Change[T]) -> T:
        """Durable when it returns. Raises `JournalLost`, or what the change raises."""

    @abstractmethod
    async def look(self, looks: Looks[T]) -> T: ...

    @abstractmethod
    async def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """What a named query answers, beside every transaction."""

    @abstractmethod
    async def listed(self, listing: Listing) -> list[Movement]: ...

    @abstractmethod
    def writable(self) -> bool: ...

    @abstractmethod
    async def close(self) -> None: ...

    # -- what differs: the order of arrival, and where leases are judged by the database's clock

    _first: tuple[Any, ...] = (0,)
    """Before the first movement, in the order of arrival."""

    def _place(self, row: Row) -> tuple[Any, ...]:
        """Where a row of the query `old` stands in that order."""
        return row[:1]

    def _lease(self, at: datetime, lasts: timedelta) -> Any:
        """The value of a lease's end for the query `take`."""
        return rows.micros(at + lasts)

    def _now(self, at: datetime) -> tuple[Any, ...]:
        """The moment of a look, where the database does not tell it by itself."""
        return (rows.micros(at),)

    # -- writes

    async def take_due(self, at: datetime, owner: str, lasts: timedelta, wallets: Mapping[str, int]) -> list[Movement]:
        lease, now = self._lease(at, lasts), self._now(at)

        def steps(again: bool) -> Steps[list[Movement]]:
            (known,) = yield Look((Ask("due_wallets"),))
            names = [name for (name,) in known]
            asked = [(name, wallets.get(name, wallets.get(ANY, 0))) for name in names]
            asked = [(name, most) for name, most in asked if most > 0]
            answers = yield Look(tuple(Ask("due", (name, *now, most)) for name, most in asked))
            named = [m for found in answers for m in found if m.wallet in wallets]
            others = [m for found in answers for m in found if m.wallet not in wallets]
            chosen = _longest_due(_longest_due(others)[: wallets.get(ANY, 0)] + named)
            asks = [Ask("take", _taken(m, at, owner, lease)) for m in chosen]
            lines = [(m.key, Step(at, Event.DIED, DIED)) for m in chosen if _died(m, owner)]
            taken = yield Last([*asks, *changes.story(lines)])  # type: ignore[misc]  # the journal's own step
            return [row for found in taken[: len(asks)] for row in found]

        return await self.make(Alone(steps=steps))

    async def hasten(self, at: datetime) -> None:
        now = self._now(at)
        await self.make(changes.write(Ask("hasten", now + now), Ask("fly_again", now)))

    async def catch_up(self, at: datetime, most: timedelta) -> None:
        now, ahead = self._now(at), most // timedelta(microseconds=1)

        def steps(again: bool) -> Steps[None]:
            (known,) = yield Look((Ask("due_wallets"),))
            yield Last([Ask("catch_up", (*now, name, *now, ahead)) for (name,) in known])  # type: ignore[misc]  # the journal's own step

        await self.make(Alone(steps=steps))

    async def note(self, key: str, steps: Sequence[Step]) -> None:
        def noted(again: bool) -> Steps[None]:
            yield Write(steps=tuple((key, step) for step in steps))

        await self.make(Change(steps=noted, key=key))

    async def learn(self, session: Session, *, handed_over: bool = False) -> None:
        others = [Ask("disown", (session.provider, session.session, session.player))] if handed_over else []
        await self.make(changes.write(*others, Ask("learn", rows.session_values(session))))

    async def doubt(self, doubt: Doubt, reason: str, by_whom: str) -> None:
        """A person's word that the journal forgot something: also what became of what is open in it."""
        said = rows.micros(doubt.said_at)
        values = (rows.micros(doubt.since), said, reason, by_whom)
        await self.make(changes.write(Ask("doubt", values), Ask("feared", (said,))))

    # -- retention (rule 27)

    async def forget_movements(
        self, place: tuple[Any, ...] | None, youngest: datetime, before: Callable[[str], datetime], most: int
    ) -> Walked:
        """The next `most` movements behind `place` in the order of arrival: those leave that were
        decided `before` the moment of their wallet, and on which nothing open leans."""
        found = await self._rows("old", (*(place or self._first), most))
        old = [row for row in found if row[-1] < (rows.micros(youngest) or 0)]
        asks = tuple(Ask("forget", (key, rows.micros(before(wallet)))) for *_, key, wallet, _ in old)
        gone = await self._forget(asks, "forget_steps")
        more = len(found) == most and len(old) == len(found)
        return Walked(gone, more, self._place(old[-1]) if old else place or self._first)

    async def forget_sessions(self, place: tuple[str, str], seen: datetime, expired: datetime, most: int) -> Walked:
        """The next `most` sessions behind `place`: those leave that were seen before, and that no
        movement used which is kept."""
        found = await self._rows("old_sessions", (*place, most))
        when, now = rows.micros(seen), rows.micros(expired)
        gone = await self._forget(tuple(Ask("forget_session", (*row, when, now)) for row in found), "")
        return Walked(gone, len(found) == most, found[-1] if found else place)

    async def _forget(self, asks: tuple[Ask, ...], behind: str) -> int:
        def steps(again: bool) -> Steps[int]:
            gone = [row for found in (yield Look(asks)) for row in found]
            yield Last([Ask(behind, (key,)) for (key,) in gone] if behind else [])  # type: ignore[misc]  # the journal's own step
            return len(gone)

        return await self.make(Alone(steps=steps)) if asks else 0

    # -- reads

    async def _many(self, query: str, values: tuple[Any, ...]) -> list[Movement]:
        return [rows.movement(row) for row in await self._rows(query, values)]

    async def get(self, key: str) -> Movement | None:
        return next(iter(await self._many("own", (key,))), None)

    async def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        found = await self._many("found", (provider, id))
        return next((m for kind in kinds for m in found if m.kind is kind), None)

    async def children(self, parent: str) -> list[Movement]:
        return await self._many("parts", (parent,))

    async def aimed_at(self, target: str) -> list[Movement]:
        return await self._many("aimed", (target,))

    async def latest(self, provider: str, player: str) -> Movement | None:
        return next(iter(await self._many("latest", (provider, player))), None)

    async def story(self, key: str) -> list[Step]:
        return [rows.step(row) for row in await self._rows("story", (key,))]

    async def session(self, provider: str, session: str) -> Session | None:
        return await self._session("session", (provider, session))

    async def last_session(self, provider: str, player: str, game: str = "") -> Session | None:
        return await self._session("last_session", (provider, player, game))

    async def _session(self, query: str, values: tuple[Any, ...]) -> Session | None:
        return next((rows.session(row) for row in await self._rows(query, values)), None)

    async def counts(self) -> list[Count]:
        return [rows.count(row) for row in await self._rows("counts")]

    async def unresolved(self) -> list[Unresolved]:
        return [rows.unresolved(row) for row in await self._rows("unresolved")]

    async def doubts(self) -> list[Doubt]:
        return [rows.doubt(row) for row in await self._rows("doubts")]


def _longest_due(found: Sequence[Movement]) -> list[Movement]:
    return sorted(found, key=lambda m: (m.due_at or rows.EPOCH, m.key))


def _died(m: Movement, owner: str) -> bool:
    return not m.decided and carried(m, owner).state is not m.state


def _taken(m: Movement, at: datetime, owner: str, lease: Any) -> tuple[Any, ...]:
    """For the query `take`. What is decided is nobody's: it is only looked at again later."""
    after = m if m.decided else carried(m, owner)
    if _died(m, owner):
        after = doubted(after, at)
    return after.state.value, after.told, rows.micros(after.told_at), after.owner, lease, m.key
