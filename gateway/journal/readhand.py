"""A thread reads, on a connection of its own that can do nothing else.

A read begins after every write that was returned before it was asked for, so it sees it. There are two
of them: one for what a call waits for, which asks an index for a few rows, and one for what people, gauges
and retention ask, which may take its time and is given up when its time is over.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

import apsw

from gateway.engine.journal import JournalLost
from gateway.journal.change import Failed
from gateway.journal.hand import CLOSED, Hand, Ticket, lost

Operation = Callable[[apsw.Connection], Any]

STEPS = 50_000  # of SQLite's machine, a few ms, between two looks at whether anybody still waits


class Reads(Protocol):
    """Where a journal sends its reads."""

    def read(self, operation: Operation, seconds: float = math.inf) -> Awaitable[Any]:
        """Its answer. Raises `JournalLost`, also when the time is over."""
        ...

    async def close(self) -> None: ...

    def abandon(self) -> None: ...


class DirectReads:
    """Reads at once, in the caller's own thread: for worlds without a loop."""

    def __init__(self, name: str, connection: apsw.Connection, together: int) -> None:
        self._connection = connection

    async def read(self, operation: Operation, seconds: float = math.inf) -> Any:
        return operation(self._connection)

    async def close(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        self._connection.close()


class _Work(NamedTuple):
    operation: Operation
    seconds: float


class ReadHand(Hand):
    """Reads what is submitted, in order. `together`: so many answers are told at once; where one may take
    long it is 1, for none may wait for another's."""

    def __init__(self, name: str, connection: apsw.Connection, together: int) -> None:
        self._together = together
        self._given_up: Callable[[], bool] = lambda: False
        connection.set_progress_handler(self._ends, STEPS)
        super().__init__(name, connection)

    def read(self, operation: Operation, seconds: float = math.inf) -> Awaitable[Any]:
        return self.submit(_Work(operation, seconds))

    # -- in the thread

    def _do(self, group: list[Ticket]) -> None:
        for begin in range(0, len(group), self._together):
            some = group[begin : begin + self._together]
            self._deliver([(ticket[1], self._answer(*ticket)) for ticket in some])

    def _answer(self, work: _Work, future: Any) -> Any:
        if self._closing:
            return Failed(JournalLost(CLOSED))
        if future.done():
            return None  # its caller is gone
        until = time.monotonic() + work.seconds
        self._given_up = lambda: future.done() or time.monotonic() > until
        try:
            return work.operation(self._connection)
        except apsw.InterruptError:
            return Failed(JournalLost(CLOSED if self._closing else f"it takes longer than {work.seconds:g} seconds"))
        except Exception as error:  # whatever it is, it is its caller's
            return lost(error)

    def _ends(self) -> bool:
        """Asked by SQLite while it works: whether it is to stop."""
        return self._closing or self._given_up()


__all__ = ["DirectReads", "ReadHand", "Reads"]
