"""Two transactions on two connections, in every order of their steps."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.engine.journal import Change
from gateway.journal.commits import Commits
from gateway.journal.lanes import Connection, Ticket
from gateway.journal.postgres import DECODERS, SQL, connect, where

LOOK_SECONDS = 0.02  # a step that has not ended then may wait for the other transaction: the database knows
BLOCKED_SECONDS = 1.0  # where it does not say
END_SECONDS = 5.0
WAITS = b"SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
OPENING = frozenset({SQL["lock_names"], "COMMIT"})  # three gates: the look behind the locks has one, too
WRITING = frozenset({SQL["begin"], "COMMIT"})


class Paced:
    """One connection whose transaction stands still at its gates."""

    def __init__(self, connection: Connection, beside: Connection, gated: frozenset[Any] = OPENING) -> None:
        self._connection, self._beside, self._gated = connection, beside, gated
        self._gate: asyncio.Future[None] | None = None
        self._arrived = asyncio.Event()
        self._locked = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[Any]:
        async with self._connection.pipeline() as pipeline:
            self._pipeline = pipeline
            yield pipeline

    async def execute(self, sql: Any, *values: Any) -> Any:
        if sql in self._gated or self._locked:
            self._locked = False
            await self._stand()
        cursor = await self._connection.execute(sql, *values)
        if sql == SQL["lock_names"]:
            await self._pipeline.sync()
            self._locked = True
        return cursor

    async def _stand(self) -> None:
        self._gate = asyncio.get_running_loop().create_future()
        self._arrived.set()
        await self._gate

    async def step(self, work: asyncio.Task[Any]) -> None:
        """Through one gate, to the next one or to the end, if the other transaction lets it."""
        if self._gate is None or self._gate.done():
            await self._reached(work)
        if self._gate is not None and not self._gate.done():
            self._arrived.clear()
            self._gate.set_result(None)
            await self._reached(work)

    async def _reached(self, work: asyncio.Task[Any]) -> None:
        waiting = asyncio.create_task(self._arrived.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BLOCKED_SECONDS):
                while True:
                    await asyncio.wait([work, waiting], timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                    if work.done() or waiting.done() or await self._waits_for_a_lock():
                        break
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting

    async def _waits_for_a_lock(self) -> bool:
        cursor = await self._beside.execute(WAITS, (self._connection.info.backend_pid,))
        return (await cursor.fetchone()) is not None


def orders(gates: int) -> Iterator[str]:
    """Every way in which the steps of A and B can follow each other."""
    length = 2 * gates
    for places in itertools.combinations(range(length), gates):
        yield "".join("A" if place in places else "B" for place in range(length))


@asynccontextmanager
async def two_nodes(
    url: str, gated: frozenset[Any]
) -> AsyncIterator[Callable[[Change[Any], Change[Any], str], Awaitable[tuple[Any, Any]]]]:
    """What two changes return whose transactions, on a connection each, take their steps in an order."""
    connections = [await connect(where(url, "")) for _ in range(3)]

    async def both(first: Change[Any], second: Change[Any], order: str) -> tuple[Any, Any]:
        return await _both([Paced(each, connections[2], gated) for each in connections[:2]], (first, second), order)

    yield both
    for connection in connections:
        await connection.close()


async def _both(sides: list[Paced], changes: Sequence[Change[Any]], order: str) -> tuple[Any, Any]:
    tickets = [Ticket(change, asyncio.get_running_loop().create_future()) for change in changes]
    commits = Commits(SQL, DECODERS, lambda seconds: None)
    work = [asyncio.create_task(_carried(commits, side, ticket)) for side, ticket in zip(sides, tickets, strict=True)]
    try:
        async with asyncio.timeout(END_SECONDS):
            for side in order:
                await sides["AB".index(side)].step(work["AB".index(side)])
            while not all(task.done() for task in work):
                for paced, task in zip(sides, work, strict=True):
                    await paced.step(task)
        return tickets[0].future.result(), tickets[1].future.result()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def _carried(commits: Commits, connection: Paced, ticket: Ticket) -> None:
    left = [ticket]
    while left:
        left = await commits.carry(connection, left)  # type: ignore[arg-type]  # it stands for the connection
