"""How hard a journal in SQLite works: rows and steps of its machine, counted where SQLite counts them.

No clock: the same work is the same number on every machine, so a test can say that something does not
grow. SQLite tells of every statement of every connection that is made meanwhile (`apsw.connection_hooks`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw
from msgspec import Struct

STEPS = "SQLITE_STMTSTATUS_VM_STEP"


class Work(Struct, frozen=True):
    """What some calls cost. `steps`: of SQLite's machine; a scan that finds nothing counts, too."""

    statements: int = 0
    rows: int = 0
    steps: int = 0
    most: int = 0  # rows of the one statement that answered most
    hardest: str = ""  # the statement of the most steps


class Effort:
    """Of all connections that were made in its block; `taken` is what was done since it was last asked."""

    def __init__(self) -> None:
        self._statements = self._rows = self._steps = self._most = self._hard = 0
        self._hardest = ""
        self._open: dict[int, int] = {}  # rows of the statements that are still answering

    def hook(self, connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_ROW | apsw.SQLITE_TRACE_PROFILE, self._heard)

    def _heard(self, event: dict[str, Any]) -> None:
        if event["code"] == apsw.SQLITE_TRACE_ROW:
            self._open[event["id"]] = self._open.get(event["id"], 0) + 1
            return
        rows, steps = self._open.pop(event["id"], 0), event["stmt_status"][STEPS]
        self._statements, self._rows, self._steps = self._statements + 1, self._rows + rows, self._steps + steps
        self._most = max(self._most, rows)
        if steps > self._hard:
            self._hard, self._hardest = steps, event["sql"]

    def taken(self) -> Work:
        found = Work(self._statements, self._rows, self._steps, self._most, self._hardest)
        self._statements = self._rows = self._steps = self._most = self._hard = 0
        self._open.clear()  # what was left half read is not answered any more, and its number comes again
        return found


@contextmanager
def counted() -> Iterator[Effort]:
    effort = Effort()
    apsw.connection_hooks.append(effort.hook)
    try:
        yield effort
    finally:
        apsw.connection_hooks.remove(effort.hook)


__all__ = ["Effort", "Work", "counted"]
