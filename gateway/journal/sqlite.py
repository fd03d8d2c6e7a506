"""The journal on SQLite: WAL, `synchronous=FULL`, one writer that groups commits.

Reads use connections of their own and see every write that was returned before. Nothing is asked on
the loop's own thread: each connection has one. The file has one owner at a time: a second process is
refused, because it would take the first one's open calls for those of a dead process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import apsw

from gateway.engine.journal import Ask, Change, JournalLost, Look, Looks, Write
from gateway.engine.movement import Listing, Movement
from gateway.journal import change as changes
from gateway.journal import queries, rows
from gateway.journal.change import Failed, Last, Row
from gateway.journal.kept import FOR_CALLS, JournalError, KeptJournal
from gateway.journal.reader import Reader
from gateway.journal.readhand import ReadHand, Reads
from gateway.journal.writer import Submits, Writer

T = TypeVar("T")

NEWEST_FIRST = "number DESC"
DIALECT = {
    "arrival": "number",
    "arrival_down": NEWEST_FIRST,
    "came_before": "number < coalesce((SELECT number FROM movements WHERE key = ?), 9223372036854775807)",
    "now": "?",
    "moment": "?",
    "skip": "",
    "place": "number",
    "after": "number > ?",
    # Retention's rows go as JSON texts of numbers, and come as one: each row that Python fetches may wait for its lock.
    "movements_given": "json_each(?) AS old CROSS JOIN movements ON movements.number = old.value ->> 0",
    "before": "old.value ->> 1",
    "movements_left": "count(*), json_group_array(movements.number)",
    "movements_gone": "number IN (SELECT value FROM json_each(?))",
    "session_place": "provider, session, rowid",
    "sessions_given": "json_each(?) AS old CROSS JOIN sessions ON sessions.rowid = old.value ->> 0",
    "sessions_left": "count(*), json_group_array(sessions.rowid)",
    "sessions_gone": "rowid IN (SELECT value FROM json_each(?))",
}
SQL = queries.of(lease="?", over="NULL", **DIALECT)
DECODERS = queries.decoders()
ROW = f"{', '.join(rows.MOVEMENT)}, NULL"
MIGRATIONS = queries.migrations(queries.HERE / "migrations")
BUSY_MILLISECONDS = 5000
STATEMENTS_MAX = 300  # kept prepared: every query, and the puts that occur
AT_START = timedelta(seconds=60)  # what is open is due no later: the wall clock may have been set back

TOGETHER = 16  # looks of calls that are answered at once: each takes some 50 us
LISTING_SECONDS_MAX = 2.5  # as PostgreSQL's statement_timeout: gauges and reloads wait behind it

Committed = Callable[[float], None]
MakeWriter = Callable[[apsw.Connection, Committed], Submits]
MakeReads = Callable[[str, apsw.Connection, int], Reads]


def _fetch(connection: apsw.Connection | apsw.Cursor, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
    """All rows at once: a statement left half read would hold its snapshot."""
    return connection.execute(sql, values).fetchall()


def connect(path: str, *, readonly: bool = False) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    try:
        connection = apsw.Connection(path, flags=flags | apsw.SQLITE_OPEN_URI, statementcachesize=STATEMENTS_MAX)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)  # else partial indexes make it plan anew for every value
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    except apsw.Error as error:
        raise JournalError(f"cannot open the journal {path}: {error}") from None
    return connection


@contextmanager
def reading(path: str) -> Iterator[Reader]:
    """The journal, only to be read, beside whoever owns it. Raises `JournalError`."""
    connection = connect(path, readonly=True)
    try:
        why = queries.behind(_version(connection), MIGRATIONS[-1][0])
        if why:
            raise JournalError(why)
        yield Reader(lambda sql, values: _fetch(connection, sql, values), SQL, ROW, NEWEST_FIRST)
    except apsw.Error as error:
        raise JournalError(f"cannot read the journal {path}: {error}") from None
    finally:
        connection.close()


def _version(connection: apsw.Connection) -> int:
    return int(_fetch(connection, "PRAGMA user_version")[0][0])


def migrate(connection: apsw.Connection) -> None:
    """Brings the schema forward, one version a transaction; a newer one than ours is refused."""
    version, newest = _version(connection), MIGRATIONS[-1][0]
    if version > newest:
        raise JournalError(queries.behind(version, newest))
    for number, sql in MIGRATIONS:
        if number > version:
            with connection:
                connection.execute(sql)
                connection.execute(f"PRAGMA user_version = {number}")


class SqliteJournal(KeptJournal):
    """See `gateway.engine.journal.Journal`. Make it with `start`."""

    def __init__(
        self, path: str, lock: int | None, make_writer: MakeWriter, make_reads: MakeReads, committed: Committed
    ) -> None:
        self._lock = lock
        write_connection = connect(path)
        migrate(write_connection)
        calls, people = (connect(path, readonly=True) for _ in range(2))
        self._writer = make_writer(write_connection, committed)
        self._calls, self._people = make_reads("calls' reads", calls, TOGETHER), make_reads("people's reads", people, 1)
        self._connections = (write_connection, calls, people)

    @classmethod
    async def start(
        cls,
        path: str,
        now: datetime,
        committed: Committed = lambda seconds: None,
        *,
        make_writer: MakeWriter = Writer,
        make_reads: MakeReads = ReadHand,
    ) -> SqliteJournal:
        """Opens the file, migrates it and turns what a dead process left open into doubt.

        `committed` hears the seconds of each commit. Raises `JournalError`.
        """
        if path == ":memory:":  # several connections, one database
            path, lock = f"file:/gateway-{os.urandom(8).hex()}?vfs=memdb", None
        else:
            lock = _own(path)
        try:
            journal = cls(path, lock, make_writer, make_reads, committed)
        except BaseException as error:
            _disown(lock)
            if isinstance(error, apsw.Error):
                raise JournalError(f"cannot open the journal {path}: {error}") from None
            raise
        when, soon = rows.micros(now), rows.micros(now + AT_START)
        asks = (Ask("orphan_steps", (when,)), Ask("orphans", (when, when)), Ask("disowned", (soon,)))
        try:
            await journal.make(changes.write(*asks))
        except JournalLost as error:
            await journal.close()
            raise JournalError(f"cannot write the journal {path}: {error}") from None
        return journal

    def abandon(self) -> None:
        """Lets go of the file without another write, as a process that dies does."""
        for hand in (self._calls, self._people, self._writer):
            hand.abandon()
        self._let_go()

    async def make(self, change: Change[T]) -> T:
        return await self._writer.submit(lambda db: _made(db, change))  # type: ignore[no-any-return]  # the writer is untyped inside

    async def look(self, looks: Looks[T]) -> T:
        try:
            asked = next(looks)
            while not asked.asks:  # what asks nothing waits for nobody
                asked = looks.send([])
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration carries what the generator returns
        return await self._calls.read(lambda db: _seen(db, looks, asked))  # type: ignore[no-any-return]  # reads are untyped inside

    async def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Row]:
        reads = self._calls if query in FOR_CALLS else self._people
        return await reads.read(lambda db: _fetch(db, SQL[query], values))  # type: ignore[no-any-return]  # reads are untyped inside

    async def listed(self, listing: Listing) -> list[Movement]:
        sql, values = rows.listing(listing, ROW, NEWEST_FIRST)

        def read(db: apsw.Connection) -> list[Movement]:
            return [rows.movement(row) for row in _fetch(db, sql, values)]  # a thousand are 20 ms, and not the loop's

        return await self._people.read(read, LISTING_SECONDS_MAX)  # type: ignore[no-any-return]  # reads are untyped inside

    def writable(self) -> bool:
        return self._writer.writable

    async def close(self) -> None:
        for hand in (self._calls, self._people, self._writer):  # who is closed last brings the file up to date
            await hand.close()
        self._let_go()

    def _let_go(self) -> None:
        lock, self._lock = self._lock, None
        _disown(lock)


def _seen(db: apsw.Connection, looks: Looks[T], asked: Look) -> T:
    """All its looks, from the one that is asked: one way to the thread and back."""
    try:
        while True:
            asked = looks.send(_looked(db, asked))
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration carries what the generator returns


def _looked(db: apsw.Connection | apsw.Cursor, look: Look | Last) -> list[list[Any]]:
    return [_decoded(ask.query, _fetch(db, SQL[ask.query], ask.values)) for ask in look.asks]


def _decoded(query: str, found: list[Row]) -> list[Any]:
    return [*map(DECODERS.get(query, _as_it_is), found)] if found else found


def _as_it_is(row: Row) -> Row:
    return row


def _made(db: apsw.Cursor, change: Change[T]) -> T | Failed:
    """One change inside the writer's transaction, where nothing can come between. What the change
    itself raises rolls nothing back: it is raised before anything of it was written."""
    steps: Any = change.steps(False)
    answer: Any = None
    asked: Any = None
    while True:
        try:
            before, asked = asked, steps.send(answer)
            assert not changes.last(before), "nothing may be asked after the last step"
            if isinstance(asked, Write):
                changes.allowed(asked)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration carries what the generator returns
        except Exception as error:  # whatever it is, it is its own
            return Failed(error)
        answer = _written(db, asked) if isinstance(asked, Write) else _looked(db, asked)


def _written(db: apsw.Cursor, write: Write) -> bool:
    alone = changes.at_once(write)
    if not alone:
        found: dict[str, int] = dict(row for key in changes.keys(write) for row in _fetch(db, SQL["held"], (key,)))
        if not changes.stands(write, found):
            return False
    answers = [_fetch(db, SQL[ask.query], ask.values) for ask in changes.queries(write, leased=False)]
    return bool(answers[0]) if alone and write.puts else True


# ---------------------------------------------------------------- one owner


def _own(path: str) -> int:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"cannot open the journal {path}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise JournalError(f"the journal {path} belongs to a gateway that is running") from None
    return lock


def _disown(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


__all__ = ["JournalError", "SqliteJournal", "connect", "reading"]
