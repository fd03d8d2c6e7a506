"""One thread writes; many calls share one commit (and so one fsync).

Single durable commits reach some thousands a second, groups of 64 some two hundred thousand rows.
A call waits for the commit that holds its write, and for nothing else.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, Protocol

import apsw

from gateway.journal.change import Failed
from gateway.journal.hand import Hand, Ticket, lost

Operation = Callable[[apsw.Cursor], Any]
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

    def abandon(self) -> None:
        """Lets go of the file without another write, as a process that dies does."""
        ...


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
        self.abandon()

    def abandon(self) -> None:
        self._connection.close()


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


class Writer(Hand):
    """Commits what is submitted, in order, in groups: a result is told when it is durable, and what is queued at the
    end is committed. `fatal` hears of a disk that failed."""

    def __init__(self, connection: apsw.Connection, committed: Callable[[float], None], fatal: Fatal = end) -> None:
        self._committed, self._fatal = committed, fatal
        self.writable = True
        super().__init__("journal", connection)

    # -- in the thread

    def _do(self, group: list[Ticket]) -> None:
        started = time.perf_counter()
        try:
            answers = transaction(self._connection, [operation for operation, _ in group])
        except Exception as error:  # whatever it was, nothing of this group is durable
            if isinstance(error, apsw.IOError):
                self._fatal(error)
            elif len(group) > 1:  # one bad write must not take its neighbours with it
                for ticket in group:
                    self._do([ticket])
                return
            self.writable = not isinstance(error, apsw.Error)
            self._deliver([(future, lost(error)) for _, future in group])
            return
        self.writable = True
        self._committed(time.perf_counter() - started)
        self._deliver([(future, answer) for (_, future), answer in zip(group, answers, strict=True)])
