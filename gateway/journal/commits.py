"""Many changes in one PostgreSQL transaction.

The names of all movements that are being opened are locked first, in one order; then the changes
take their steps together, each step of all of them in one round trip, and the last one goes with
the commit. Two groups that wait for each other all the same, or any other refusal of the database:
nothing of the group is durable, and its changes are made again one by one.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg

from gateway.journal.change import Ask, Change, Last, Row, Steps
from gateway.journal.lanes import GROUP_SECONDS_MAX, Connection, Ticket, gone, original, plain, shut

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
        self._steps: Steps[Any] = self.change.steps(ticket.again)
        self.asks: Sequence[Ask] = ()
        self.ended = self.last = False
        self.value: Any = None
        self._go_on(lambda: next(self._steps))

    def answer(self, answers: list[list[Row]]) -> None:
        self._go_on(lambda: self._steps.send(answers))

    def _go_on(self, move: Callable[[], Any]) -> None:
        try:
            step = move()
        except StopIteration as stop:
            self.ended, self.value, self.asks = True, stop.value, ()
        else:
            self.asks, self.last = step.asks, isinstance(step, Last)


class Commits:
    """Carries groups of changes. `committed` hears the seconds of each."""

    def __init__(self, sql: Mapping[str, bytes], committed: Callable[[float], None]) -> None:
        self._sql, self._committed = sql, committed
        self.refused = False  # the database answers, and the last change could not be committed

    async def carry(self, connection: Connection, tickets: list[Ticket]) -> list[Ticket]:
        loop = asyncio.get_running_loop()
        started, sent = loop.time(), asyncio.Event()
        try:
            async with asyncio.timeout(GROUP_SECONDS_MAX):
                walks = await self._transaction(connection, tickets, sent)
        except Exception as error:  # whatever it was, a bug of a change included: the others must not go with it
            return await self._failed(connection, tickets, error, sent.is_set())
        self._committed(loop.time() - started)
        self.refused = False
        for walk in walks:
            walk.ticket.answer(walk.value)
        return []

    # -- one transaction

    async def _transaction(self, connection: Connection, tickets: list[Ticket], sent: asyncio.Event) -> list[_Walk]:
        walks = [_Walk(ticket) for ticket in tickets]
        walks.sort(key=lambda walk: (not walk.change.names, walk.change.key))
        async with connection.pipeline() as pipeline:
            await connection.execute(self._sql["begin"])
            slots = sorted({slot(name) for walk in walks for name in walk.change.names})
            if slots:
                await connection.execute(self._sql["lock_names"], (slots,))
            while looking := [walk for walk in walks if not walk.ended and not walk.last]:
                await self._together(connection, pipeline, looking)
            ending = [walk for walk in walks if not walk.ended]
            cursors = [await self._asked(connection, walk) for walk in ending]
            sent.set()
            commit = await connection.execute(COMMITTED)
            await pipeline.sync()
            answers = [[await _rows(cursor) for cursor in asked] for asked in cursors]
        if commit.statusmessage != COMMITTED:
            raise NotCommitted(f"the transaction ended with {commit.statusmessage}")
        for walk, answer in zip(ending, answers, strict=True):
            walk.answer(answer)
            assert walk.ended, "nothing may be asked after the last step"
        return walks

    async def _together(
        self, connection: Connection, pipeline: psycopg.AsyncPipeline, looking: Sequence[_Walk]
    ) -> None:
        cursors = [await self._asked(connection, walk) for walk in looking]
        await pipeline.sync()
        for walk, asked in zip(looking, cursors, strict=True):
            walk.answer([await _rows(cursor) for cursor in asked])

    async def _asked(self, connection: Connection, walk: _Walk) -> list[psycopg.AsyncCursor[Row]]:
        return [await connection.execute(self._sql[ask.query], plain(ask.values)) for ask in walk.asks]

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
            ticket.lose(error)
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


async def _rows(cursor: psycopg.AsyncCursor[Row]) -> list[Row]:
    result = cursor.pgresult
    return original(await cursor.fetchall()) if result is not None and result.nfields else []


def slot(name: str) -> int:
    """Which row of name_locks stands for a name, on every node of every version."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % NAME_SLOTS
