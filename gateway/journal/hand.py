"""A thread that works on a database file, so that the loop never waits for a disk.

What is submitted waits in one queue; the thread takes what is there, does it in order, and tells the
loop of as much of it at once as its kind of work allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Any

import apsw

from gateway.engine.journal import JournalLost
from gateway.journal.change import Failed

Ticket = tuple[Any, "asyncio.Future[Any]"]
Result = tuple["asyncio.Future[Any]", Any]

CLOSED = "the journal is closed"


class Hand(ABC):
    """One connection and its thread, which alone uses it from then on. What it does is its own: `_do`."""

    def __init__(self, name: str, connection: apsw.Connection) -> None:
        self._connection = connection
        self._gathered: list[Ticket] = []
        self._queue: SimpleQueue[list[Ticket]] = SimpleQueue()
        self._closing = self._dead = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Any) -> asyncio.Future[Any]:
        """The result of `work`. Raises `JournalLost` from the future."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closing:
            future.set_exception(JournalLost(CLOSED))
            return future
        if not self._gathered:  # all of one turn of the loop goes together: the thread is woken once
            self._loop.call_soon(self._hand_on)
        self._gathered.append((work, future))
        return future

    def _hand_on(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._queue.put(gathered)

    async def close(self) -> None:
        """Ends the thread behind what is queued, and with it the connection: the last one that is closed writes."""
        self._hand_on()  # before the thread may end, or nobody would do it
        self._closing = True
        self._queue.put([])
        await self._loop.run_in_executor(None, self._thread.join)

    def abandon(self) -> None:
        """The same for a process that dies: what waits is not done, and nobody hears of it."""
        self._closing = self._dead = True
        self._hand_on()
        self._thread.join()

    # -- in the thread

    @abstractmethod
    def _do(self, group: list[Ticket]) -> None:
        """Does all of it, and delivers each result."""

    def _run(self) -> None:
        try:
            while not self._closing or not self._queue.empty():
                group = self._take()
                if group and not self._dead:
                    self._do(group)
        finally:
            self._closing = True
            with contextlib.suppress(apsw.Error):  # whatever it wanted to tidy up the next start finds in the log
                self._connection.close()

    def _take(self) -> list[Ticket]:
        """All that is there, as soon as there is something."""
        queue = self._queue
        taken = queue.get()
        for _ in range(queue.qsize()):  # nobody else takes
            taken += queue.get()
        return taken

    def _deliver(self, results: Iterable[Result]) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, list(results))
        except RuntimeError:  # the loop is closed: nobody waits any more
            return


def lost(error: Exception) -> Failed:
    """Only what the database says is a loss; a bug is told as it is."""
    if not isinstance(error, apsw.Error):
        return Failed(error)
    told = JournalLost(f"{type(error).__name__}: {error}")
    told.__cause__ = error
    return Failed(told)


def _settle(results: list[Result]) -> None:
    for future, answer in results:
        if future.done():
            continue  # its call was cancelled; what was written is durable all the same
        if isinstance(answer, Failed):
            future.set_exception(answer.error)
        else:
            future.set_result(answer)
