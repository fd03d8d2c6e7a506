"""A person's word that a journal forgot what came since a moment (rule 30)."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw
from msgspec import Struct

from gateway.cli.tx_journal import holding
from gateway.journal import rows
from gateway.journal.kept import JournalError
from gateway.journal.sqlite import SQL, connect, migrate
from gateway.serve.config.values import JournalAt
from gateway.serve.journals import open_journal


class Word(Struct, frozen=True, kw_only=True):
    """What is recorded."""

    since: datetime
    said_at: datetime
    reason: str
    by: str

    @property
    def queries(self) -> dict[str, tuple[int | str | None, ...]]:
        """What writes it, in one transaction, by name."""
        said = rows.micros(self.said_at)
        return {"doubt": (rows.micros(self.since), said, self.reason, self.by), "feared": (said,)}


def say(at: JournalAt, word: Word) -> None:
    """Durable when it returns. A file must have no gateway meanwhile; on PostgreSQL they may run, and the
    word is written without the checks of a start, which may wait for it. Raises `JournalError`."""
    if at.shared:
        _in_postgres(at, word)
    else:
        _in_file(at.path, word)


def _in_file(path: str, word: Word) -> None:
    if not Path(path).exists():
        raise JournalError(f"there is no journal at {path}")
    with holding(path), closing(connect(path)) as connection:
        try:
            migrate(connection)  # a copy may be older than this gateway
            with connection:
                for name, values in word.queries.items():
                    connection.execute(SQL[name], values)
        except apsw.Error as error:
            raise JournalError(f"cannot write to the journal {path}: {error}") from None


def _in_postgres(at: JournalAt, word: Word) -> None:
    import psycopg

    from gateway.journal import postgres
    from gateway.journal.lanes import bound

    def write() -> None:
        with psycopg.connect(postgres.where(at.url, at.password)) as connection:
            for name, values in word.queries.items():
                connection.execute(*bound(postgres.SQL[name], values))

    try:
        try:
            write()
        except psycopg.errors.UndefinedTable:  # older than this gateway, or new
            asyncio.run(_migrated(at, word))
            write()
    except psycopg.Error as error:
        raise JournalError(
            f"cannot write to the journal's database: {str(error).strip().partition(chr(10))[0]}"
        ) from None


async def _migrated(at: JournalAt, word: Word) -> None:
    await (await open_journal(at, word.said_at, lambda seconds: None)).close()
