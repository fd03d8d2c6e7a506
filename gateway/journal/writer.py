"""One thread writes; many calls share one commit (and so one fsync).

Single durable commits reach some thousands a second, groups of 64 some two hundred thousand rows.
A call waits for the commit that holds its write, and for nothing else.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, Protocol

import apsw

from gateway.engine.journal import JournalLost
from gateway.journal.change import Failed

Operation = Callable[[apsw.Cursor], Any]
Ticket = tuple[Operation, "asyncio.Future[Any]"]
Result = tuple["asyncio.Future[Any]", Any]
Fatal = Callable[[BaseException], None]

BROKEN_DISK = 70  # EX_SOFTWARE: what the disk holds is read at the next start


def end(error: BaseException) -> NoReturn:
    """Ends the process: after a failed fsync nobody knows what the disk holds, and a second one may
    say that all is well although pages are gone (rule 30)."""
    print(f"the journal's disk failed, the gateway ends: {error}", file=sys.stderr, flush=True)
    os._exit(BROKEN_DISK)


class Submits(Protocol):
    """Where a journal sends its writes."""

    writable: bool

    def submit(self, operation: Operation) -> Awaitable[Any]: ...

    async def close(self) -> None: ...


class DirectWriter:
    """Commits each write at once, in the caller's own thread: for worlds without a loop."""

    def __init__(self, connection: apsw.Connection, committed: Callable[[float], None]) -> None:
        self._connection, self._committed = connection, committed
        self.writable = True

    async def submit(self, operation: Operation) -> Any:
        (answer,) = transaction(self._connection, [operation])
        self._committed(0.0)
        if isinstance(answer, Failed):
            raise answer.error
        return answer

    async def close(self) -> None:
        """There is nothing queued."""


def transaction(connection: apsw.Connection, operations: list[Operation]) -> list[Any]:
    """All of them or none."""
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        answers = [operation(cursor) for operation in operations]
        cursor.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise
    return answers


class Writer:
    """Commits what is submitted, in order, in groups. `fatal` hears of a disk that failed."""

    def __init__(self, connection: apsw.Connection, committed: Callable[[float], None], fatal: Fatal = end) -> None:
        self._connection, self._committed, self._fatal = connection, committed, fatal
        self._queue: deque[Ticket] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self.writable = True
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation) -> asyncio.Future[Any]:
        """The result of `operation`, once it is durable. Raises `JournalLost` from the future."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closing:
            future.set_exception(JournalLost("the journal is closed"))
            return future
        self._queue.append((operation, future))
        if not self._wake.is_set():  # the thread clears it before it looks at the queue
            self._wake.set()
        return future

    async def close(self) -> None:
        """Commits what is queued and ends the thread."""
        self._closing = True
        self._wake.set()
        await self._loop.run_in_executor(None, self._thread.join)

    # -- in the thread

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            group = self._take()
            while group:
                self._commit(group)
                group = self._take()
            if self._closing and not self._queue:
                return

    def _take(self) -> list[Ticket]:
        queue = self._queue
        return [queue.popleft() for _ in range(len(queue))]

    def _commit(self, group: list[Ticket]) -> None:
        started = time.perf_counter()
        try:
            answers = transaction(self._connection, [operation for operation, _ in group])
        except Exception as error:  # whatever it was, nothing of this group is durable
            if isinstance(error, apsw.IOError):
                self._fatal(error)
            elif len(group) > 1:  # one bad write must not take its neighbours with it
                for ticket in group:
                    self._commit([ticket])
                return
            self.writable = not isinstance(error, apsw.Error)
            self._deliver([(future, _lost(error)) for _, future in group])
            return
        self.writable = True
        self._committed(time.perf_counter() - started)
        self._deliver([(future, answer) for (_, future), answer in zip(group, answers, strict=True)])

    def _deliver(self, results: list[Result]) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, results)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return


def _lost(error: Exception) -> Failed:
    """Only what the database says is a loss; a bug is told as it is."""
    if not isinstance(error, apsw.Error):
        return Failed(error)
    lost = JournalLost(f"{type(error).__name__}: {error}")
    lost.__cause__ = error
    return Failed(lost)


def _settle(results: list[Result]) -> None:
    for future, answer in results:
        if future.done():
            continue  # its call was cancelled; the write is durable all the same
        if isinstance(answer, Failed):
            future.set_exception(answer.error)
        else:
            future.set_result(answer)
