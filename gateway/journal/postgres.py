"""The journal on PostgreSQL, for several workers and nodes.

What differs from SQLite: leases are counted by the database's clock; nobody is dead because we
start, only because a lease is over; and a commit may be lost on its way back. Isolation is READ
COMMITTED, with row locks on what must not be missed (see migrations_postgres/0001).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gateway.engine.journal import Ask, Change, JournalLost, Looks
from gateway.engine.movement import Listing, Movement
from gateway.journal import queries, rows
from gateway.journal.change import Row, write
from gateway.journal.commits import Commits
from gateway.journal.joined import Joined
from gateway.journal.kept import FOR_CALLS, JournalError, KeptJournal
from gateway.journal.lanes import Connection, Lanes, bound, original, read, shut
from gateway.journal.reader import Reader

T = TypeVar("T")

NEWEST_FIRST = "created_at DESC, key DESC"
NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
MOMENT = NOW.replace("clock", "statement")  # the same for every row: an index can be asked with it
OVER = f"due_at <= {NOW}"
MIGRATIONS = queries.migrations(queries.HERE / "migrations_postgres")
WRITE_LANES, READ_LANES, PEOPLE_LANES = 2, 2, 1  # connections of one process
HOME_BEATS = 15
BEAT_SECONDS = 1.0  # how soon it is noticed, without a call, that the database went away
SILENT_SECONDS_MAX = 3.0  # without a commit, beats included: not ready
PREPARED_MAX = 500
PIECE = 20  # rows that are read at a stretch of a listing: half a millisecond
TRIES_MAX = 5
TEXT = "UTF8"
WAITS_SECONDS = 0.02  # until the other transaction certainly waits
WRONG_ISOLATION = (
    "the journal's database does not do READ COMMITTED: who waits for a lock does not see what its holder wrote"
    " (YugabyteDB: yb_enable_read_committed_isolation=true)"
)

STRANGER = (
    "the journal's database is another server than the one on which it was last written, or took over from it: it may"
    " have forgotten movements. Say since when, with `gateway journal doubt --since TIME`, and start again"
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
    # Planned once: every look has an index of its own, whatever its values are.
    b"SELECT set_config(name, 'force_generic_plan', false) FROM pg_settings WHERE name = 'plan_cache_mode'",
    b"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)

Committed = Callable[[float], None]


def marked(text: str) -> bytes:
    """With psycopg's marks for values."""
    numbered = re.sub(r"\?(\d)", r"%(\1)s", text.replace("%", "%%"))
    return numbered.replace("?", "%s").encode()


class Marked(dict[str, bytes]):
    """The same queries, for psycopg."""

    def __init__(self, named: queries.Queries) -> None:
        super().__init__({name: marked(text) for name, text in named.items()})
        self._named = named

    def __missing__(self, name: str) -> bytes:
        self[name] = marked(self._named[name])
        return self[name]


HERE = queries.HERE / "queries_postgres.sql"
SESSIONS = "unnest(CAST(? AS TEXT[]), CAST(? AS TEXT[]))"
NAMED = queries.of(
    HERE,
    lease=f"{NOW} + CAST(? AS BIGINT)",
    over=OVER,
    arrival="created_at, key",
    arrival_down=NEWEST_FIRST,
    came_before="created_at < coalesce((SELECT created_at FROM movements WHERE key = ?), 9223372036854775807)",
    now=NOW,
    moment=MOMENT,
    skip=" FOR UPDATE SKIP LOCKED",
    place="created_at, key",
    after="(created_at, key) > (?, ?)",
    movements_given="unnest(CAST(? AS TEXT[]), CAST(? AS BIGINT[])) AS old (key, before) JOIN movements USING (key)",
    before="old.before",
    movements_left="movements.key",
    movements_gone="key = ANY(CAST(? AS TEXT[]))",
    session_place="provider, session",
    sessions_given=f"{SESSIONS} AS old (provider, session) JOIN sessions USING (provider, session)",
    sessions_left="sessions.provider, sessions.session",
    sessions_gone=f"(provider, session) IN (SELECT * FROM {SESSIONS})",  # noqa: S608  # words of ours only
)
SQL = Marked(NAMED)
DECODERS = queries.decoders(HERE)
ROW = f"{', '.join(rows.MOVEMENT)}, {OVER}"


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
            connection = await connect(conninfo)
            try:
                await at_home(connection)
            except BaseException:
                await shut(connection)
                raise
            return connection

        self._loop = asyncio.get_running_loop()
        self._commits = Commits(SQL, DECODERS, committed)
        self._up, self._heard_at = True, self._loop.time()
        self._writes = Lanes(connected, self._commits.carry, WRITE_LANES, self._heard)
        self._reads = Lanes(connected, read, READ_LANES, lambda up: None)
        self._people = Lanes(connected, read, PEOPLE_LANES, lambda up: None)
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
            await at_home(connection)
            other = await connect(conninfo)
            try:
                sees = await sees_what_it_waited_for(connection, other, SQL["begin"])
            finally:
                await shut(other)
        except Stranger as error:
            raise JournalError(str(error)) from None
        except psycopg.Error as error:
            raise JournalError(f"cannot prepare the journal's database: {_sentence(error)}") from None
        finally:
            await shut(connection)
        if not sees:
            raise JournalError(WRONG_ISOLATION)
        return cls(conninfo, committed)

    leave_least = 200  # fewer take as long: round trips are most of it, and other lanes write meanwhile

    # -- leases, by the database's clock; the order of arrival; rows of retention

    _first, _session_name, _holds = (0, ""), slice(0, 2), True

    def _given(self, found: Sequence[Row]) -> tuple[Any, ...]:
        return tuple([*column] for column in zip(*found, strict=True))

    def _leaving(self, answer: list[Row]) -> tuple[int, tuple[Any, ...]]:
        return len(answer), self._given(answer)

    def _lease(self, at: datetime, lasts: timedelta) -> Any:
        return lasts // rows.MICROSECOND

    def _now(self, at: datetime) -> tuple[Any, ...]:
        return ()

    # -- the database

    async def make(self, change: Change[T]) -> T:
        return await self._writes.submit(change)  # type: ignore[no-any-return]  # the lanes are untyped inside

    async def look(self, looks: Looks[T]) -> T:
        try:
            asked = next(looks)
            while True:
                joined = Joined(SQL, DECODERS, asked.asks)
                found = await self._reads.submit(joined.statements) if joined.statements else []
                answers = joined.answers(found)
                asked = looks.send(answers)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration carries what the generator returns

    async def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Row]:
        lanes = self._reads if query in FOR_CALLS else self._people
        return (await lanes.submit([(SQL[query], values)]))[0]  # type: ignore[no-any-return]  # the lanes are untyped inside

    async def listed(self, listing: Listing) -> list[Movement]:
        sql, values = rows.listing(listing, ROW, NEWEST_FIRST)
        found = []
        for number, row in enumerate((await self._people.submit([(marked(sql), values)]))[0], 1):
            found.append(rows.movement(row))
            if number % PIECE == 0:
                await asyncio.sleep(0)  # calls go on in between
        return found

    def writable(self) -> bool:
        silent = self._loop.time() - self._heard_at > SILENT_SECONDS_MAX
        return self._up and not silent and not self._commits.refused

    async def close(self) -> None:
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        await self._writes.close()
        await self._reads.close()
        await self._people.close()

    def _heard(self, up: bool) -> None:
        self._up = up
        if up:
            self._heard_at = self._loop.time()

    async def _beat(self) -> None:
        for number in itertools.count(1):
            with contextlib.suppress(JournalLost):
                await self.make(write(Ask("beat")))
                if (
                    number % HOME_BEATS == 0
                ):  # so that a word said before the database was lost is not taken for one said after
                    await self._rows("still_home")
            await asyncio.sleep(BEAT_SECONDS)


# ---------------------------------------------------------------- where the journal lives


class Stranger(psycopg.OperationalError):
    """This server is not the one on which the journal was last written."""


async def at_home(connection: Connection) -> None:
    """Raises `Stranger` where another server, or another history of this one, may have forgotten
    movements, until a person has said so (rule 30). An engine that cannot tell is believed."""
    try:
        here = await (await connection.execute(SQL["here"])).fetchone()
    except (psycopg.ProgrammingError, psycopg.NotSupportedError):
        return
    if await (await connection.execute(SQL["at_home"], here)).fetchone() is None:
        raise Stranger(STRANGER)


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
            raise JournalError(queries.behind(version, newest))
        for number, sql in MIGRATIONS:
            if number > version:
                await connection.execute(sql.encode(), prepare=False)
                await connection.execute("UPDATE gateway_schema SET version = %s WHERE one = 1", (number,))


SAME_MOMENT = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable, psycopg.errors.DuplicateObject)
"""What PostgreSQL says to two that make one table: which of them depends on how far the other one is (its row type comes first)."""


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
        except SAME_MOMENT:
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
                return original(connection.execute(*bound(marked(sql), values)).fetchall())

            ((version,),) = fetch("SELECT version FROM gateway_schema", ())
            why = queries.behind(int(version), MIGRATIONS[-1][0])
            if why:
                raise JournalError(why)
            yield Reader(fetch, NAMED, ROW, NEWEST_FIRST)
    except psycopg.errors.UndefinedTable:
        raise JournalError("there is no journal in this database yet: no gateway has used it") from None
    except psycopg.Error as error:
        raise JournalError(f"cannot read the journal's database: {_sentence(error)}") from None
