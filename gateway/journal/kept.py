"""The journal over queries: what SQLite and PostgreSQL have in common, which is nearly all.

A database runs changes (`_write`) and queries (`_rows`); the rest of `gateway.engine.journal.Journal`
is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from gateway.engine.journal import OF_THE_WALLET, Count, Intent, Listing, Movement, Opened, Session, Step, taken_back
from gateway.engine.states import IllegalEdge, State
from gateway.journal import opening, rows
from gateway.journal.change import Ask, Change, Last, Look, Row, Steps, write
from gateway.model import Accepted, Declined, Kind

T = TypeVar("T")


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
    async def _write(self, change: Change[T]) -> T:
        """Durable when it returns. Raises `JournalLost`."""

    @abstractmethod
    async def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """What a named query answers, beside every transaction."""

    @abstractmethod
    async def _listed(self, listing: Listing) -> list[Row]: ...

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

    def _insert_values(self, movement: Movement) -> tuple[Any, ...]:
        return rows.insert_values(movement)

    def _lease(self, at: datetime, until: datetime) -> Any:
        """The value of a lease's end for the query `take`."""
        return rows.micros(until)

    def _now(self, at: datetime) -> tuple[Any, ...]:
        """The moment of a look, where the database does not tell it by itself."""
        return (rows.micros(at),)

    # -- writes

    async def open(self, intent: Intent) -> Opened:
        return await self._write(opening.change(intent, self._insert_values))

    async def take(self, movement: Movement, owner: str, at: datetime, until: datetime) -> Movement | None:
        key, now = movement.key, self._now(at)
        asks = (
            Ask("hold", (key,)),
            Ask("taken_steps", (rows.micros(at), key, owner, *now)),
            Ask("take", (owner, owner, owner, rows.micros(at), owner, self._lease(at, until), key, owner, *now)),
        )
        taken = (await self._write(write(*asks, key=key)))[-1]
        if taken:
            return rows.movement(taken[0])
        found = await self.get(key)
        return found if found is not None and found.state.decided else None

    async def ask(self, movement: Movement, at: datetime, *, steps: Sequence[Step] = ()) -> Movement:
        asked = replace(movement, attempts=movement.attempts + 1, asked_at=at, state=State.ASKING)
        return await self._change("ask", (rows.micros(at), asked.key), asked, steps, repeatable=False)

    async def not_left(self, movement: Movement, *, steps: Sequence[Step] = ()) -> Movement:
        return await self._change("not_left", (movement.key,), taken_back(movement), steps, repeatable=False)

    async def never_applied(self, movement: Movement, *, steps: Sequence[Step] = ()) -> Movement:
        return await self._change("never_applied", (movement.key,), replace(movement, attempts=0), steps)

    async def decide(
        self, movement: Movement, outcome: Accepted | Declined, at: datetime, *, heard: bool, steps: Sequence[Step] = ()
    ) -> Movement:
        state = State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED
        when, told = rows.micros(at), state.value
        stands, one = not movement.owes and state is State.ACCEPTED, int(heard)
        values = (
            told, rows.text(outcome), when, movement.attempts, stands, one, when, one, told, one, when, one, movement.key,
        )  # fmt: skip
        watched = stands and not heard
        decided = replace(
            movement, state=state, outcome=outcome, decided_at=at, note="", owner="", due_at=at if watched else None
        )
        decided = replace(decided, told=told, told_at=at) if heard else decided
        return await self._change("decide", values, decided, steps)

    async def leave_open(
        self,
        movement: Movement,
        state: State,
        note: str,
        told_at: datetime | None,
        due_at: datetime | None,
        *,
        steps: Sequence[Step] = (),
    ) -> Movement:
        told, when = told_at is not None, rows.micros(told_at)
        left = replace(movement, state=state, note=note, owner="", due_at=due_at)
        values = (
            state.value, note, rows.micros(due_at), movement.tries, told, told, when, movement.key, state.value,
            movement.owner,
        )  # fmt: skip
        left = replace(left, told="unknown", told_at=told_at) if told else left
        return await self._change("leave_open", values, left, steps, owner=movement.owner)

    async def watch(self, movement: Movement, due_at: datetime | None) -> None:
        ask = Ask("watch", (rows.micros(due_at), movement.key, movement.owner))
        await self._write(write(ask, key=movement.key))

    async def tell(self, movement: Movement, told: str, at: datetime, *, steps: Sequence[Step] = ()) -> None:
        await self._write(_counted(movement.key, Ask("tell", (told, rows.micros(at), movement.key)), steps))

    async def unheard(self, key: str, at: datetime, *, counted: bool, steps: Sequence[Step] = ()) -> None:
        one, when = int(counted), rows.micros(at)
        await self._write(_counted(key, Ask("unheard", (one, one, one, when, one, when, key)), steps))

    async def release_target(self, key: str, at: datetime) -> None:
        line = Ask("released_steps", (rows.micros(at), key, key, key))
        await self._write(write(line, Ask("release", (key, key))))

    async def note(self, key: str, steps: Sequence[Step]) -> None:
        await self._write(write(Ask("hold", (key,)), *_lines(key, steps), key=key))

    async def learn(self, session: Session) -> None:
        await self._write(write(Ask("learn", rows.session_values(session))))

    async def _change(
        self,
        query: str,
        values: tuple[Any, ...],
        changed: Movement,
        lines: Sequence[Step],
        *,
        owner: str | None = None,
        repeatable: bool = True,
    ) -> Movement:
        """`changed`, if the row could still change; else the row as it is: decided, or (where `owner`
        is named) carried by another process by now."""
        key, ask = changed.key, Ask(query, values)

        def change(again: bool) -> Steps[tuple[bool, bool]]:
            if not lines:
                (touched,) = yield Last([ask])
                return bool(touched), again
            (touched,) = yield Look([ask])
            yield Last(_lines(key, lines if touched else [line for line in lines if line.what in OF_THE_WALLET]))
            return bool(touched), again

        done, again = await self._write(Change(steps=change, key=key, repeatable=repeatable))
        if done:
            return changed
        found = await self.get(key)
        assert found is not None, "a movement never leaves while it is carried"
        if found.state.decided:
            ours = again and (found.outcome, found.decided_at) == (changed.outcome, changed.decided_at)
            return changed if ours else found
        if owner is not None and found.owner not in ("", owner):
            return found
        raise IllegalEdge(f"{query}: no edge leads there from {found.state}")

    # -- retention (SEMANTICS.md 27)

    async def forget_movements(
        self, place: tuple[Any, ...] | None, youngest: datetime, before: Callable[[str], datetime], most: int
    ) -> Walked:
        """The next `most` movements behind `place` in the order of arrival: those leave that were
        decided `before` the moment of their wallet, and on which nothing open leans."""
        found = await self._rows("old", (*(place or self._first), most))
        old = [row for row in found if row[-1] < (rows.micros(youngest) or 0)]
        asks = [Ask("forget", (key, rows.micros(before(wallet)))) for *_, key, wallet, _ in old]
        gone = await self._forget(asks, "forget_steps")
        more = len(found) == most and len(old) == len(found)
        return Walked(gone, more, self._place(old[-1]) if old else place or self._first)

    async def forget_sessions(self, place: tuple[str, str], seen: datetime, expired: datetime, most: int) -> Walked:
        """The next `most` sessions behind `place`: those leave that were seen before, and that no
        movement used which is kept."""
        found = await self._rows("old_sessions", (*place, most))
        when, now = rows.micros(seen), rows.micros(expired)
        gone = await self._forget([Ask("forget_session", (*row, when, now)) for row in found], "")
        return Walked(gone, len(found) == most, found[-1] if found else place)

    async def _forget(self, asks: Sequence[Ask], behind: str) -> int:
        def change(again: bool) -> Steps[int]:
            gone = [row for found in (yield Look(asks)) for row in found]
            yield Last([Ask(behind, (key,)) for (key,) in gone] if behind else [])
            return len(gone)

        return await self._write(Change(steps=change)) if asks else 0

    # -- reads

    async def _many(self, query: str, values: tuple[Any, ...]) -> list[Movement]:
        return [rows.movement(row) for row in await self._rows(query, values)]

    async def due(self, at: datetime, limit: int) -> list[Movement]:
        return await self._many("due", (*self._now(at), limit))

    async def get(self, key: str) -> Movement | None:
        return next(iter(await self._many("get", (key,))), None)

    async def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        return opening.first_of(await self._many("find", (provider, id)), kinds)

    async def children(self, parent: str) -> list[Movement]:
        return await self._many("children", (parent,))

    async def aimed_at(self, target: str) -> list[Movement]:
        return await self._many("aimed_at", (target,))

    async def latest(self, provider: str, player: str) -> Movement | None:
        return next(iter(await self._many("latest", (provider, player))), None)

    async def round(self, provider: str, player: str, round_id: str) -> list[Movement]:
        return await self._many("round", (provider, player, round_id))

    async def story(self, key: str) -> list[Step]:
        return [rows.step(row) for row in await self._rows("story", (key,))]

    async def session(self, provider: str, session: str) -> Session | None:
        return await self._session("session", (provider, session))

    async def session_by_launch(self, provider: str, launch_token: str) -> Session | None:
        return await self._session("session_by_launch", (provider, launch_token))

    async def last_session(self, provider: str, player: str, game: str = "") -> Session | None:
        return await self._session("last_session", (provider, player, game))

    async def _session(self, query: str, values: tuple[Any, ...]) -> Session | None:
        return next((rows.session(row) for row in await self._rows(query, values)), None)

    async def listed(self, listing: Listing) -> list[Movement]:
        return [rows.movement(row) for row in await self._listed(listing)]

    async def counts(self) -> list[Count]:
        return [rows.count(row) for row in await self._rows("counts")]

    async def unresolved_by_wallet(self) -> Mapping[str, int]:
        return dict(await self._rows("unresolved"))


def _lines(key: str, steps: Sequence[Step]) -> list[Ask]:
    """The lines of a movement's story, written while its row is held."""
    found = [
        Ask("step", (key, rows.micros(step.at), step.what.value, step.detail[: rows.DETAIL_MAX], key)) for step in steps
    ]
    return [*found, Ask("trim", (key, key))] if found else found


def _counted(key: str, ask: Ask, steps: Sequence[Step]) -> Change[None]:
    """A change that must not be made twice; its line in the story tells whether it was made."""
    made = {(rows.micros(step.at), step.what.value, step.detail[: rows.DETAIL_MAX]) for step in steps}

    def change(again: bool) -> Steps[None]:
        if again:
            (story,) = yield Look([Ask("story", (key,))])
            if made & set(story):
                return
        yield Last([ask, *_lines(key, steps)])

    return Change(steps=change, key=key, repeatable=bool(made))


__all__ = ["JournalError", "KeptJournal"]
