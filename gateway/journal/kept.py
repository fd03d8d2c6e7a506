"""The journal over queries: what SQLite and PostgreSQL have in common, which is nearly all.

A database runs changes (`make`) and queries (`_rows`); the rest of `gateway.engine.journal.Journal`
is here.
"""

from __future__ import annotations

import functools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from gateway.engine.journal import Ask, Change, Doubt, Look, Looks, Steps, Write
from gateway.engine.movement import Count, Event, Listing, Movement, Session, Step, carried, doubted
from gateway.engine.setup import Unresolved
from gateway.journal import change as changes
from gateway.journal import rows
from gateway.journal.change import Alone, Last, Row
from gateway.model import Kind

T = TypeVar("T")
Clock = Callable[[], float]
Judge = Callable[[Row], bool]

ANY = "*"  # of wallets: every name that is not named
DIED = "the process that carried it ended"
FOR_CALLS = frozenset({"own", "found", "parts", "aimed", "latest", "session", "last_session"})
"""The queries that a call may wait for: a few rows of an index. The others, which people, gauges and retention ask, may
take long, and no call waits behind them."""
DECIDED_WITHIN = timedelta(minutes=1)  # of their arrival nearly all movements are
LOOKED_MAX = 500  # rows in one step of retention, whether they may leave or not


class JournalError(Exception):
    """Why the journal cannot be opened; for people."""


class Walked(NamedTuple):
    """A step of retention: how many left, whether there is more, and where it goes on."""

    gone: int
    more: bool
    place: Any
    came: datetime | None = None  # the movement that was looked at last
    held: float = 0.0  # seconds for which its statements held the writer


class _Seen(NamedTuple):
    """Rows that were looked at: those that may be too old, the last one of all, where it goes on, and
    whether there is more."""

    old: list[Row]
    last: Row | None
    place: Row
    more: bool


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

    leave_least: int = 20
    """So many movements or sessions leave in one step of retention, however long that takes."""

    # -- what differs: the order of arrival, the rows of retention, and where leases are judged by the database's clock

    _first: tuple[Any, ...] = (0,)
    """Before the first movement, in the order of arrival. The last value of a place names its movement."""
    _session_name: slice = slice(2, 3)
    """What names a session, in the query `old_sessions`."""
    _holds: bool = False
    """Whether others write at the same time, so that what is to leave is held first."""

    def _given(self, found: Sequence[Row]) -> tuple[Any, ...]:
        """Many rows as the values of one statement."""
        return (json.dumps(found),)

    def _leaving(self, answer: list[Row]) -> tuple[int, tuple[Any, ...]]:
        """How many may leave, and their names as the values of one statement."""
        ((number, names),) = answer
        return number, (names,)

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

    async def catch_up(self, at: datetime, most: timedelta, leases: timedelta) -> None:
        now, ahead, longest = self._now(at), most // rows.MICROSECOND, leases // rows.MICROSECOND

        def steps(again: bool) -> Steps[None]:
            (known,) = yield Look((Ask("due_wallets"),))
            looks = [Ask("catch_up", (*now, name, *now, ahead)) for (name,) in known]
            held = [Ask("cut_short", (*now, longest, name, *now, longest)) for (name,) in known]
            yield Last([*looks, *held])  # type: ignore[misc]  # the journal's own step

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
        self,
        place: Row | None,
        youngest: datetime,
        before: Callable[[str], datetime],
        most: int,
        clock: Clock = monotonic,
    ) -> Walked:
        """Of the next movements behind `place`, in the order of arrival, `most` leave that were decided
        `before` the moment of their wallet, and on which nothing open leans."""
        end, settled = rows.micros(youngest) or 0, rows.micros(youngest - DECIDED_WITHIN) or 0
        moment = functools.cache(lambda wallet: rows.micros(before(wallet)))

        def old(row: Row) -> bool:
            *_, wallet, _, decided_at = row
            return decided_at is not None and decided_at < moment(wallet)

        found = await self._seen(
            "old",
            place or self._first,
            most,
            within=lambda row: row[-2] < end,
            old=old,
            past=lambda row: row[-2] < settled,
        )
        name = len(self._first) - 1
        given = [(row[name], moment(row[-3])) for row in found.old]
        gone, held = await self._forget("movements", given, (), ("forget_steps", "forget_movements"), clock)
        came = rows.moment(found.last[-2]) if found.last else None
        return Walked(gone, found.more, found.place, came, held)

    async def forget_sessions(
        self, place: tuple[str, str], seen: datetime, expired: datetime, most: int, clock: Clock = monotonic
    ) -> Walked:
        """Of the next sessions behind `place`, `most` leave that were seen before, and that no movement
        used which is kept."""
        when, now = rows.micros(seen) or 0, rows.micros(expired)
        found = await self._seen("old_sessions", place, most, within=_any, old=lambda row: row[-1] < when, past=_any)
        given = [row[self._session_name] for row in found.old]
        gone, held = await self._forget("sessions", given, (when, now), ("forget_sessions",), clock)
        return Walked(gone, found.more, found.place, held=held)

    async def _seen(self, query: str, place: Row, most: int, *, within: Judge, old: Judge, past: Judge) -> _Seen:
        """Rows behind `place`, until `most` of them may be too old, or nothing more is `within`. What is
        protected is gone past in larger strides, beside the writer; at the end only what is `past` waiting for."""
        found: list[Row] = []
        last, looked, limit, begins = None, 0, most, place
        while looked < LOOKED_MAX:
            page = await self._rows(query, (*begins, limit))
            for row in filter(within, page):
                last, begins, looked = row, row[: len(place)], looked + 1
                if past(row):
                    place = begins
                if old(row):
                    found.append(row)
                if len(found) == most:
                    return _Seen(found, last, begins, more=True)
            if len(page) < limit or not all(map(within, page)):
                return _Seen(found, last, place, more=False)
            limit = min(2 * limit, LOOKED_MAX)
        return _Seen(found, last, begins, more=True)

    async def _forget(
        self, what: str, given: Sequence[Row], more: Row, deletes: Sequence[str], clock: Clock
    ) -> tuple[int, float]:
        """How many left, and the seconds that it held the writer. All of it is one transaction."""

        def steps(again: bool) -> Steps[tuple[int, float]]:
            began, values = clock(), self._given(given)
            if self._holds:
                (held,) = yield Look((Ask(f"hold_{what}", values),))
                if not held:
                    return 0, clock() - began
                values = self._given(held)
            (answer,) = yield Look((Ask(f"leaving_{what}", (*values, *more)),))
            gone, names = self._leaving(answer)
            if gone:
                yield Last([Ask(delete, names) for delete in deletes])  # type: ignore[misc]  # the journal's own step
            return gone, clock() - began

        return await self.make(Alone(steps=steps)) if given else (0, 0.0)

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
        return next(iter(await self._many("latest", (provider, player, ""))), None)

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


def _any(row: Row) -> bool:
    return True


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
