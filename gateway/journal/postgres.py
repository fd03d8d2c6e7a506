"""The journal on PostgreSQL, for several workers and nodes.

What differs from SQLite: leases are counted by the database's clock; nobody is dead because we
start, only because a lease is over; and a commit may be lost on its way back. Isolation is READ
COMMITTED, with row locks on what must not be missed (see migrations_postgres/0001).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gateway.engine.journal import JournalLost, Listing, Movement
from gateway.engine.states import State
from gateway.journal import queries, rows
from gateway.journal.change import Ask, Change, Row, write
from gateway.journal.commits import Commits
from gateway.journal.kept import JournalError, KeptJournal
from gateway.journal.lanes import Connection, Lanes, original, plain, read, shut
from gateway.journal.reader import Reader

T = TypeVar("T")

NEWEST_FIRST = "created_at DESC, key DESC"
NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
MIGRATIONS = queries.migrations(queries.HERE / "migrations_postgres")
WRITE_LANES, READ_LANES = 2, 2  # connections of one process
BEAT_SECONDS = 1.0  # how soon it is noticed, without a call, that the database went away
SILENT_SECONDS_MAX = 3.0  # without a commit, beats included: not ready
PREPARED_MAX = 500
TRIES_MAX = 5
TEXT = "UTF8"
WAITS_SECONDS = 0.02  # until the other transaction certainly waits
WRONG_ISOLATION = (
    "the journal's database does not do READ COMMITTED: who waits for a lock does not see what its holder wrote"
    " (YugabyteDB: yb_enable_read_committed_isolation=true)"
)

CONNECTION = {
    "application_name": "seamless-gateway",
    "client_encoding": TEXT,
    "connect_timeout": "2",
    "target_session_attrs": "read-write",  # of several hosts the one that takes writes
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
SESSION = (
    b"SET statement_timeout = '2500ms'",
    b"SET lock_timeout = '1000ms'",
    b"SET idle_in_transaction_session_timeout = '2500ms'",  # a process that was stopped must not hold its locks
    b"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)

Committed = Callable[[float], None]


def marked(text: str) -> bytes:
    """With psycopg's marks for values."""
    return text.replace("%", "%%").replace("?", "%s").encode()


NAMED = queries.of(
    queries.HERE / "queries_postgres.sql",
    arrival="created_at, key",
    arrival_down=NEWEST_FIRST,
    hold=" FOR UPDATE",
    now=NOW,
    lease=f"{NOW} + CAST(? AS BIGINT)",
    dead=f" AND due_at <= {NOW}",
    place="created_at",
    after="(created_at, key) > (?, ?)",
)
SQL = {name: marked(text) for name, text in NAMED.items()}


def where(url: str, password: str) -> str:
    """What libpq is told. Raises `JournalError`."""
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        raise JournalError(f"journal.url cannot be read: {str(error).strip()}") from None
    return make_conninfo(**(CONNECTION | given | ({"password": password} if password else {})))


async def connect(conninfo: str) -> Connection:
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=0)
    connection.prepared_max = PREPARED_MAX
    try:
        for setting in SESSION:
            await connection.execute(setting, prepare=False)
    except BaseException:
        await shut(connection)
        raise
    return connection


class PostgresJournal(KeptJournal):
    """See `gateway.engine.journal.Journal`. Make it with `start`."""

    def __init__(self, conninfo: str, committed: Committed) -> None:
        async def connected() -> Connection:
            return await connect(conninfo)

        self._loop = asyncio.get_running_loop()
        self._commits = Commits(SQL, committed)
        self._up, self._heard_at = True, self._loop.time()
        self._writes = Lanes(connected, self._commits.carry, WRITE_LANES, self._heard)
        self._reads = Lanes(connected, read, READ_LANES, lambda up: None)
        self._beating = self._loop.create_task(self._beat())

    @classmethod
    async def start(cls, url: str, password: str = "", committed: Committed = lambda seconds: None) -> PostgresJournal:
        """Connects and migrates. `committed` hears the seconds of each commit. Raises `JournalError`."""
        conninfo = where(url, password)
        try:
            connection = await connect(conninfo)
        except (psycopg.Error, OSError) as error:
            raise JournalError(f"cannot reach the journal's database: {_sentence(error)}") from None
        try:
            await _migrate(connection)
            other = await connect(conninfo)
            try:
                sees = await sees_what_it_waited_for(connection, other, SQL["begin"])
            finally:
                await shut(other)
        except psycopg.Error as error:
            raise JournalError(f"cannot prepare the journal's database: {_sentence(error)}") from None
        finally:
            await shut(connection)
        if not sees:
            raise JournalError(WRONG_ISOLATION)
        return cls(conninfo, committed)

    # -- leases, by the database's clock; the order of arrival

    _first = (0, "")

    def _place(self, row: Row) -> tuple[Any, ...]:
        return row[:2]

    def _insert_values(self, movement: Movement) -> tuple[Any, ...]:
        return rows.insert_values(movement, lasts=True)

    def _lease(self, at: datetime, until: datetime) -> Any:
        return (until - at) // rows.MICROSECOND

    def _now(self, at: datetime) -> tuple[Any, ...]:
        return ()

    async def due(self, at: datetime, limit: int) -> list[Movement]:
        found = await super().due(at, limit)
        if any(movement.state is State.ASKING for movement in found):  # a process ended, or was stopped
            when = rows.micros(at)
            await self._write(write(Ask("orphan_steps", (when,)), Ask("orphans", (when, when))))
            found = await super().due(at, limit)
        return found

    # -- the database

    async def _write(self, change: Change[T]) -> T:
        return await self._writes.submit(change)  # type: ignore[no-any-return]  # the lanes are untyped inside

    async def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Row]:
        return await self._reads.submit((SQL[query], plain(values)))  # type: ignore[no-any-return]  # as above

    async def _listed(self, listing: Listing) -> list[Row]:
        sql, values = rows.listing(listing, NEWEST_FIRST)
        return await self._reads.submit((marked(sql), plain(values)))  # type: ignore[no-any-return]  # as above

    def writable(self) -> bool:
        silent = self._loop.time() - self._heard_at > SILENT_SECONDS_MAX
        return self._up and not silent and not self._commits.refused

    async def close(self) -> None:
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        await self._writes.close()
        await self._reads.close()

    def _heard(self, up: bool) -> None:
        self._up = up
        if up:
            self._heard_at = self._loop.time()

    async def _beat(self) -> None:
        while True:
            with contextlib.suppress(JournalLost):
                await self._write(write(Ask("beat")))
            await asyncio.sleep(BEAT_SECONDS)


# ---------------------------------------------------------------- the schema


async def _migrate(connection: Connection) -> None:
    """Brings the schema forward; nodes that start together go one after the other."""
    await _version_table(connection)
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SET LOCAL lock_timeout = 0")
        cursor = await connection.execute("SELECT version FROM gateway_schema WHERE one = 1 FOR UPDATE")
        found = await cursor.fetchone()
        version, newest = int(found[0]) if found else 0, MIGRATIONS[-1][0]
        if version > newest:
            raise JournalError(f"the journal has schema {version}, this gateway knows {newest}: use a newer gateway")
        for number, sql in MIGRATIONS:
            if number > version:
                await connection.execute(sql.encode(), prepare=False)
                await connection.execute("UPDATE gateway_schema SET version = %s WHERE one = 1", (number,))


async def _version_table(connection: Connection) -> None:
    encoding = await (await connection.execute("SELECT current_setting('server_encoding')")).fetchone()
    if encoding is not None and encoding[0] != TEXT:
        raise JournalError(f"the journal's database is encoded in {encoding[0]}: create it with ENCODING 'UTF8'")
    for tries in range(TRIES_MAX):
        try:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS gateway_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)"
            )
            await connection.execute("INSERT INTO gateway_schema VALUES (1, 0) ON CONFLICT (one) DO NOTHING")
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):  # two at the same moment
            if tries == TRIES_MAX - 1:
                raise
        else:
            return


async def sees_what_it_waited_for(first: Connection, second: Connection, begin: bytes) -> bool:
    """Whether a transaction that waited for a row's lock sees, or refuses to miss, what its holder
    committed: what keeps a bet and its rollback from missing each other. Tried, not believed: an
    engine may understand READ COMMITTED as a snapshot of the transaction's beginning."""
    slot = -1 - secrets.randbelow(1 << 30)
    for connection in (first, second):
        await connection.execute(begin)
    lock = b"SELECT version FROM gateway_schema WHERE one = 1 FOR UPDATE"
    await first.execute(lock)
    await first.execute(b"INSERT INTO name_locks VALUES (%s)", (slot,))
    waiting = asyncio.create_task(second.execute(lock))
    await asyncio.sleep(WAITS_SECONDS)
    await first.execute(b"COMMIT")
    try:
        await waiting
        found = await (await second.execute(b"SELECT 1 FROM name_locks WHERE slot = %s", (slot,))).fetchone()
    except psycopg.errors.SerializationFailure:
        return True
    finally:
        await second.execute(b"ROLLBACK")
        await first.execute(b"DELETE FROM name_locks WHERE slot = %s", (slot,))
    return found is not None


def _sentence(error: BaseException) -> str:
    """The first line of what the driver says: it names hosts and users, never a password."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


# ---------------------------------------------------------------- beside the gateway


@contextmanager
def reading(url: str, password: str) -> Iterator[Reader]:
    """The journal, only to be read, without a loop. Raises `JournalError`."""
    try:
        with psycopg.connect(where(url, password) + " target_session_attrs=any", autocommit=True) as connection:
            connection.read_only = True

            def fetch(sql: str, values: tuple[Any, ...]) -> list[Row]:
                return original(connection.execute(marked(sql), plain(values)).fetchall())

            yield Reader(fetch, NAMED, NEWEST_FIRST)
    except psycopg.errors.UndefinedTable:
        raise JournalError("there is no journal in this database yet: no gateway has used it") from None
    except psycopg.Error as error:
        raise JournalError(f"cannot read the journal's database: {_sentence(error)}") from None
