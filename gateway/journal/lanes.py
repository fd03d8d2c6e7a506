"""Connections to a PostgreSQL database, each with one worker: a lane.

What is submitted waits in one queue; a free lane takes all of it, sends it in one pipeline and, for
writes, commits it in one transaction. So under load many calls share a round trip and a commit, and
without load each goes at once. A lane that lost its connection connects again, for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import psycopg

from gateway.engine.journal import JournalLost
from gateway.journal.change import Row

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Connect = Callable[[], Coroutine[Any, Any, Connection]]

GROUP_MAX = 64  # what one pipeline carries
GROUP_SECONDS_MAX = 3.0  # after that the connection is given up
WAIT_SECONDS_MAX = 3.0  # for an answer
WAIT_SECONDS_LOST = 0.5  # the same, while the database is known to be away
PAUSE_SECONDS_FIRST = 0.05  # between attempts to connect, doubled each time
PAUSE_SECONDS_MAX = 1.0
CLOSE_SECONDS_MAX = 5.0
NUMBERED = b"%(1)s"
NUL, ESCAPE = "\x00", "\ufffe"  # the escape is no character: nothing that is text holds it


class Ticket:
    """One piece of work, and who waits for it. `again`: it may have been done without our hearing of it."""

    __slots__ = ("again", "future", "tries", "work")

    def __init__(self, work: Any, future: asyncio.Future[Any]) -> None:
        self.work, self.future = work, future
        self.again, self.tries = False, 0

    def answer(self, value: Any) -> None:
        if not self.future.done():
            self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def lose(self, error: BaseException) -> None:
        """Whoever waits knows nothing of it."""
        lost = JournalLost(f"{type(error).__name__}: {error}")
        lost.__cause__ = error
        self.fail(lost)


Carry = Callable[[Connection, list[Ticket]], Awaitable[list[Ticket]]]
"""Answers tickets; what it returns is to be tried again. Closes a connection that is of no use any more."""


class Lanes:
    """A few lanes behind one queue. `up` hears of every success (True) and every lost connection (False)."""

    def __init__(self, connect: Connect, carry: Carry, number: int, up: Callable[[bool], None]) -> None:
        self._connect, self._carry, self._up = connect, carry, up
        self._queue: deque[Ticket] = deque()
        self._wake = asyncio.Event()
        self._closing = self._down = False
        self._loop = asyncio.get_running_loop()
        self._lanes = [self._loop.create_task(self._lane()) for _ in range(number)]

    async def submit(self, work: Any) -> Any:
        """Its answer. Raises `JournalLost`."""
        if self._closing:
            raise JournalLost("the journal is closed")
        ticket = Ticket(work, self._loop.create_future())
        self._queue.append(ticket)
        self._wake.set()
        try:
            async with asyncio.timeout(WAIT_SECONDS_LOST if self._down else WAIT_SECONDS_MAX):
                return await ticket.future
        except TimeoutError:
            raise JournalLost("the database does not answer") from None

    async def close(self) -> None:
        """What is queued is carried first, if the database answers."""
        self._closing = True
        self._wake.set()
        await asyncio.wait(self._lanes, timeout=CLOSE_SECONDS_MAX)
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)

    async def _lane(self) -> None:
        connection: Connection | None = None
        try:
            while await self._some():
                if connection is None or connection.closed:
                    connection = await self._connected()
                tickets = self._take()
                if tickets:
                    self._queue.extendleft(reversed(await self._carry(connection, tickets)))
                self._turn(up=not connection.closed)
        finally:
            if connection is not None:
                await shut(connection)

    async def _some(self) -> bool:
        """Waits for work; False: there will be none."""
        while not self._queue:
            if self._closing:
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    def _take(self) -> list[Ticket]:
        """What somebody still waits for: what was given up must not be done later."""
        taken: list[Ticket] = []
        while self._queue and len(taken) < GROUP_MAX:
            ticket = self._queue.popleft()
            if not ticket.future.done():
                taken.append(ticket)
        return taken

    async def _connected(self) -> Connection:
        pause = PAUSE_SECONDS_FIRST
        while True:
            try:
                async with asyncio.timeout(GROUP_SECONDS_MAX):
                    return await self._connect()
            except (psycopg.Error, OSError, TimeoutError):
                self._turn(up=False)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_SECONDS_MAX)

    def _turn(self, *, up: bool) -> None:
        self._down = not up
        self._up(up)


async def shut(connection: Connection) -> None:
    """Ends a connection, whatever state it is in."""
    with contextlib.suppress(psycopg.Error, OSError):
        await connection.close()


async def read(connection: Connection, tickets: list[Ticket]) -> list[Ticket]:
    """Carries groups of queries, (SQL, values) each: one round trip for all of them."""
    try:
        async with asyncio.timeout(GROUP_SECONDS_MAX), connection.pipeline():
            cursors = [[await connection.execute(*bound(*asked)) for asked in ticket.work] for ticket in tickets]
            answers = [[original(await cursor.fetchall()) for cursor in asked] for asked in cursors]
    except (psycopg.Error, OSError, TimeoutError) as error:
        if gone(error, connection):
            await shut(connection)
            return tickets
        if len(tickets) == 1:
            tickets[0].lose(error)
            return []
        return [left for ticket in tickets for left in await read(connection, [ticket])]
    for ticket, answer in zip(tickets, answers, strict=True):
        ticket.answer(answer)
    return []


def gone(error: BaseException, connection: Connection) -> bool:
    """Whether the connection is of no use any more."""
    return isinstance(error, OSError | TimeoutError) or connection.closed or connection.broken


def bound(sql: bytes, values: tuple[Any, ...]) -> tuple[bytes, Any]:
    """A statement and its values; by number where it says one more than once."""
    found = plain(values)
    return sql, {str(number): value for number, value in enumerate(found, 1)} if NUMBERED in sql else found


def plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """PostgreSQL's text holds no NUL. SQLite's does, and so may ids that a provider sends."""
    return tuple([_plain(value) for value in values])


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return _escaped(value) if isinstance(value, str) and not value.isprintable() else value


def original(found: list[Row]) -> list[Row]:
    """Rows as they were written."""
    if not any(isinstance(value, str) and ESCAPE in value for row in found for value in row):
        return found
    return [tuple(_unescaped(value) if isinstance(value, str) else value for value in row) for row in found]


def _escaped(text: str) -> str:
    return text.replace(ESCAPE, ESCAPE + "1").replace(NUL, ESCAPE + "0")


def _unescaped(text: str) -> str:
    return text.replace(ESCAPE + "0", NUL).replace(ESCAPE + "1", ESCAPE)
