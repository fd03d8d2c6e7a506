"""Two transactions on two connections, in every order of their steps."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.journal.change import Change
from gateway.journal.commits import Commits
from gateway.journal.lanes import Connection, Ticket
from gateway.journal.postgres import SQL, connect, where

BLOCKED_SECONDS = 0.02  # a step that has not ended then waits for the other transaction
END_SECONDS = 5.0
GATES = 3  # before the locks, before the first look, before the commit
GATED = {SQL["lock_names"], "COMMIT"}


class Paced:
    """One connection whose transaction stands still at its gates."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
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
        if sql in GATED or self._locked:
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
        await asyncio.wait([work, waiting], timeout=BLOCKED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting


def orders(gates: int = GATES) -> Iterator[str]:
    """Every way in which the steps of A and B can follow each other."""
    length = 2 * gates
    for places in itertools.combinations(range(length), gates):
        yield "".join("A" if place in places else "B" for place in range(length))


async def both(url: str, first: Change[Any], second: Change[Any], order: str) -> tuple[Any, Any]:
    """What two changes return whose transactions take their steps in this order."""
    connections = [Paced(await connect(where(url, ""))) for _ in range(2)]
    tickets = [Ticket(change, asyncio.get_running_loop().create_future()) for change in (first, second)]
    commits = Commits(SQL, lambda seconds: None)
    work = [
        asyncio.create_task(_carried(commits, connection, ticket))
        for connection, ticket in zip(connections, tickets, strict=True)
    ]
    try:
        async with asyncio.timeout(END_SECONDS):
            for side in order:
                await connections["AB".index(side)].step(work["AB".index(side)])
            while not all(task.done() for task in work):
                for connection, task in zip(connections, work, strict=True):
                    await connection.step(task)
        return tickets[0].future.result(), tickets[1].future.result()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for connection in connections:
            await connection.close()


async def _carried(commits: Commits, connection: Paced, ticket: Ticket) -> None:
    left = [ticket]
    while left:
        left = await commits.carry(connection, left)  # type: ignore[arg-type]  # it stands for the connection
