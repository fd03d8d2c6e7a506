"""The journal that a configuration names, on SQLite or on PostgreSQL.

PostgreSQL's driver is imported where it is used: it takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from gateway.journal import sqlite
from gateway.journal.kept import KeptJournal
from gateway.journal.reader import Reader
from gateway.serve.config.values import JournalAt


async def open_journal(at: JournalAt, now: datetime, committed: Callable[[float], None]) -> KeptJournal:
    """Opened, migrated, ready to be written. Raises `JournalError`."""
    if at.shared:
        from gateway.journal import postgres

        return await postgres.PostgresJournal.start(at.url, at.password, committed)
    return await sqlite.SqliteJournal.start(at.path, now, committed)


@contextmanager
def reading(at: JournalAt) -> Iterator[Reader]:
    """The journal, only to be read, beside whoever writes it. Raises `JournalError`."""
    if at.shared:
        from gateway.journal import postgres

        with postgres.reading(at.url, at.password) as reader:
            yield reader
    else:
        with sqlite.reading(at.path) as reader:
            yield reader
