"""Many changes in one PostgreSQL transaction.

The changes take their steps together, each step of all of them in one round trip, and what they
write goes with the commit. What would miss each other if they were looked at side by side does not
share a transaction: of those that lock one name only the first goes on, the others come in the next
one; of two writes that lean on one row the second one is stale. Two groups that wait for each other
all the same, or any other refusal of the database: nothing of the group is durable, and its changes
are made again one by one.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg

from gateway.engine.journal import Ask, Change, Look, Write
from gateway.journal import change as changes
from gateway.journal.change import Alone, Last, Row
from gateway.journal.joined import Joined
from gateway.journal.lanes import GROUP_SECONDS_MAX, Connection, Ticket, bound, gone, original, plain, shut
from gateway.journal.queries import Decode

NAME_SLOTS = 131_072  # as migrations_postgres/0001 made; nodes that disagree would miss each other
TRIES_MAX = 5
PAUSE_SECONDS = 0.02
COMMITTED = "COMMIT"

# What another transaction is the reason of: the same again, alone, may pass.
PASSING = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.UniqueViolation,
)


class NotCommitted(psycopg.OperationalError):
    """The database ended the transaction otherwise."""


class _Walk:
    """A change on its way through one transaction."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket, self.change = ticket, ticket.work
        self._steps: Any = self.change.steps(ticket.again)
        self.asked: Any = None  # what it waits for; None: it has ended
        self.last: Sequence[Ask] | None = None  # what it asks together with the commit
        self.value: Any = None
        self.error: Exception | None = None
        self.go_on(None)

    def go_on(self, answer: Any) -> None:
        """To its next step. What it raises is its own affair."""
        over, self.asked = changes.last(self.asked), None
        try:
            self.asked = self._steps.send(answer)
            assert not over, "nothing may be asked after the last step"
            if isinstance(self.asked, Write):
                changes.allowed(self.asked)
        except StopIteration as stop:
            self.value = stop.value
        except Exception as error:  # whatever it is
            self.asked, self.error = None, error

    @property
    def moves(self) -> bool:
        """Whether it has a step to take before the commit."""
        return self.asked is not None and self.last is None

    def written(self, answers: list[list[Any]]) -> None:
        """The answer to what went with the commit."""
        if isinstance(self.asked, Write):
            conditional = self.asked.puts and changes.at_once(self.asked)
            self.go_on(bool(answers[0]) if conditional else True)
        else:
            self.go_on(answers)

    def deliver(self) -> None:
        if self.error is not None:
            self.ticket.fail(self.error)
        else:
            self.ticket.answer(self.value)


class _Group:
    """The changes of one transaction, and what keeps them apart."""

    def __init__(self, tickets: Sequence[Ticket]) -> None:
        shared = [ticket for ticket in tickets if not isinstance(ticket.work, Alone)]
        together = shared if tickets[0] in shared else tickets[:1]
        self.walks = sorted(map(_Walk, together), key=lambda walk: walk.change.key)
        self.later = [ticket for ticket in tickets if ticket not in together]
        self._slots: set[int] = set()
        self._written: set[str] = set()

    @property
    def moving(self) -> list[_Walk]:
        return [walk for walk in self.walks if walk.moves]

    def slots(self) -> list[int]:
        """What this round locks. Who names what another one of the group has named waits for the next
        transaction: side by side neither would see the other."""
        found: set[int] = set()
        for walk in self.moving:
            named = {slot(name) for name in walk.asked.names} if isinstance(walk.asked, Look) else set()
            if named & self._slots:
                self._put_off(walk)
            else:
                self._slots |= named
                found |= named
        return sorted(found)

    def stale(self, walk: _Walk) -> bool:
        """Whether its write leans on what another one of the group writes."""
        write = walk.asked
        if self._written & {m.key for m in write.insert}:
            self._put_off(walk)
            return True
        if self._written & {m.key for m in changes.leans_on(write)}:
            walk.go_on(False)
            return True
        return False

    def writes(self, walk: _Walk) -> None:
        self._written |= {put.before.key for put in changes.raised(walk.asked)} | {m.key for m in walk.asked.insert}
        walk.last = [*changes.queries(walk.asked, leased=True)]

    def _put_off(self, walk: _Walk) -> None:
        walk.asked = None
        self.walks.remove(walk)
        self.later.append(walk.ticket)


class Commits:
    """Carries groups of changes. `committed` hears the seconds of each."""

    def __init__(
        self, sql: Mapping[str, bytes], decoders: Mapping[str, Decode], committed: Callable[[float], None]
    ) -> None:
        self._sql, self._decoders, self._committed = sql, decoders, committed
        self.refused = False  # the database answers, and the last change could not be committed

    async def carry(self, connection: Connection, tickets: list[Ticket]) -> list[Ticket]:
        loop = asyncio.get_running_loop()
        started, sent, group = loop.time(), asyncio.Event(), _Group(tickets)
        try:
            async with asyncio.timeout(GROUP_SECONDS_MAX):
                await self._transaction(connection, group, sent)
        except Exception as error:  # whatever it was: the others must not go with it
            taken = [ticket for ticket in tickets if ticket not in group.later]
            return [*await self._failed(connection, taken, error, sent.is_set()), *group.later]
        self._committed(loop.time() - started)
        self.refused = False
        for walk in group.walks:
            walk.deliver()
        return group.later

    # -- one transaction

    async def _transaction(self, connection: Connection, group: _Group, sent: asyncio.Event) -> None:
        async with connection.pipeline() as pipeline:
            await connection.execute(self._sql["begin"])
            while group.moving:
                await self._round(connection, pipeline, group)
            ending = [(walk, walk.last) for walk in group.walks if walk.last is not None]
            asked = [Joined(self._sql, self._decoders, asks) for _, asks in ending]
            cursors = [await _sent(connection, each) for each in asked]
            sent.set()
            commit = await connection.execute(COMMITTED)
            await pipeline.sync()
            answers = [each.answers(await _read(sent)) for each, sent in zip(asked, cursors, strict=True)]
        if commit.statusmessage != COMMITTED:
            raise NotCommitted(f"the transaction ended with {commit.statusmessage}")
        for (walk, _), answer in zip(ending, answers, strict=True):
            walk.written(answer)

    async def _round(self, connection: Connection, pipeline: psycopg.AsyncPipeline, group: _Group) -> None:
        """One step of every change: names are locked, rows are held, looks are answered."""
        slots = group.slots()
        if slots:
            await connection.execute(self._sql["lock_names"], (slots,))
        looking = [walk for walk in group.moving if isinstance(walk.asked, Look)]
        writing = [walk for walk in group.moving if isinstance(walk.asked, Write)]
        for walk in group.moving:
            if isinstance(walk.asked, Last):
                walk.last = walk.asked.asks
        held = sorted({key for walk in writing if not changes.at_once(walk.asked) for key in changes.keys(walk.asked)})
        holding = await connection.execute(self._sql["held"], plain((held,))) if held else None
        asked = [Joined(self._sql, self._decoders, walk.asked.asks) for walk in looking]
        cursors = [await _sent(connection, each) for each in asked]
        if slots or held or any(cursors):
            await pipeline.sync()
        revisions: dict[str, int] = dict(original(await holding.fetchall())) if holding is not None else {}
        for walk in writing:
            if not group.stale(walk):
                if changes.at_once(walk.asked) or changes.stands(walk.asked, revisions):
                    group.writes(walk)
                else:
                    walk.go_on(False)
        for walk, each, sent in zip(looking, asked, cursors, strict=True):
            walk.go_on(each.answers(await _read(sent)))

    # -- when it fails

    async def _failed(
        self, connection: Connection, tickets: list[Ticket], error: Exception, sent: bool
    ) -> list[Ticket]:
        """What is to be tried again."""
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):  # another node takes the writes by now
            await shut(connection)
            return tickets
        if gone(error, connection) or not await _rolled_back(connection):
            await shut(connection)
            return _unconfirmed(tickets, error) if sent else tickets
        if len(tickets) > 1:
            return [left for ticket in tickets for left in await self._alone(connection, ticket)]
        ticket = tickets[0]
        ticket.tries += 1
        if not isinstance(error, PASSING) or ticket.tries >= TRIES_MAX:
            self.refused = isinstance(error, psycopg.Error)
            ticket.lose(error) if isinstance(error, psycopg.Error | OSError | TimeoutError) else ticket.fail(error)
            return []
        await asyncio.sleep(PAUSE_SECONDS * random.random() * ticket.tries)  # noqa: S311  # to miss each other, no secret
        return await self._alone(connection, ticket)

    async def _alone(self, connection: Connection, ticket: Ticket) -> list[Ticket]:
        return [ticket] if connection.closed else await self.carry(connection, [ticket])


def _unconfirmed(tickets: list[Ticket], error: Exception) -> list[Ticket]:
    """The commit was sent and not confirmed: it may have happened. Only what comes to the same twice
    is made again; of the rest nobody knows."""
    again = []
    for ticket in tickets:
        change: Change[Any] = ticket.work
        if change.repeatable:
            ticket.again = True
            again.append(ticket)
        else:
            ticket.lose(error)
    return again


async def _rolled_back(connection: Connection) -> bool:
    try:
        async with asyncio.timeout(GROUP_SECONDS_MAX):
            await connection.execute("ROLLBACK")
    except (psycopg.Error, OSError, TimeoutError):
        return False
    return True


async def _sent(connection: Connection, asked: Joined) -> list[psycopg.AsyncCursor[Row]]:
    return [await connection.execute(*bound(*statement)) for statement in asked.statements]


async def _read(cursors: Sequence[psycopg.AsyncCursor[Row]]) -> list[list[Row]]:
    return [original(await cursor.fetchall()) if cursor.description else [] for cursor in cursors]


def slot(name: str) -> int:
    """Which row of name_locks stands for a name, on every node of every version."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % NAME_SLOTS
