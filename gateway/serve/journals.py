"""The journal that a configuration names, on SQLite or on PostgreSQL.

PostgreSQL's driver is imported where it is used: it takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import apsw

from gateway.journal import sqlite
from gateway.journal.kept import JournalError, KeptJournal
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


Fetch = Callable[[str], list[tuple[Any, ...]]]
"""All rows of a query without values."""


@contextmanager
def fetching(at: JournalAt) -> Iterator[Fetch]:
    """Plain queries of one moment, only to read, beside whoever writes it. Raises `JournalError`."""
    with _of_postgres(at) if at.shared else _of_sqlite(at.path) as fetch:
        yield fetch


@contextmanager
def _of_sqlite(path: str) -> Iterator[Fetch]:
    connection = sqlite.connect(path, readonly=True)
    try:
        connection.execute("BEGIN")
        yield lambda sql: connection.execute(sql).fetchall()
    except apsw.Error as error:
        raise JournalError(f"cannot read the journal {path}: {error}") from None
    finally:
        connection.close()


@contextmanager
def _of_postgres(at: JournalAt) -> Iterator[Fetch]:
    import psycopg

    from gateway.journal import postgres

    try:
        with psycopg.connect(postgres.where(at.url, at.password) + " target_session_attrs=any") as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield lambda sql: connection.execute(sql.encode()).fetchall()
    except psycopg.errors.UndefinedTable:
        raise JournalError("there is no journal in this database yet: no gateway has used it") from None
    except psycopg.Error as error:
        raise JournalError(f"cannot read the journal's database: {str(error).strip().splitlines()[0]}") from None
