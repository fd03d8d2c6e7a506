"""The journal on SQLite: WAL, `synchronous=FULL`, one writer that groups commits.

Reads use a connection of their own and see every write that was returned before. The file has one
owner at a time: a second process is refused, because it would take the first one's open calls for
those of a dead process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
from msgspec.structs import replace

from gateway.engine.identity import same_player
from gateway.engine.journal import OF_THE_WALLET, Count, Intent, Listing, Movement, Opened, Session, Step, taken_back
from gateway.engine.states import IllegalEdge, State, sources
from gateway.journal import queries, rows
from gateway.journal.writer import Submits, Writer
from gateway.model import Accepted, Declined, Kind, Reason, Rollback

HERE = Path(__file__).parent
SQL = queries.load(
    HERE / "queries.sql",
    row=rows.MOVEMENT_COLUMNS,
    session=rows.SESSION_COLUMNS,
    before_asking=rows.states(sources(State.ASKING)),
    before_open=rows.states(sources(State.DOUBT, State.OWED, State.PERSON)),
    before_decided=rows.states(sources(State.ACCEPTED, State.DECLINED)),
)
MIGRATIONS = queries.migrations(HERE / "migrations")
BUSY_MILLISECONDS = 5000

Committed = Callable[[float], None]
MakeWriter = Callable[[apsw.Connection, Committed], Submits]


def _rows(
    connection: apsw.Connection | apsw.Cursor, sql: str, values: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """All rows at once: a statement left half read would hold its snapshot."""
    return iter(connection.execute(sql, values).fetchall())


class JournalError(Exception):
    """Why the journal cannot be opened; for people."""


def connect(path: str, *, readonly: bool = False) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    try:
        connection = apsw.Connection(path, flags=flags | apsw.SQLITE_OPEN_URI)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    except apsw.Error as error:
        raise JournalError(f"cannot open the journal {path}: {error}") from None
    return connection


def migrate(connection: apsw.Connection) -> None:
    """Brings the schema forward, one version a transaction; a newer one than ours is refused."""
    version = int(next(_rows(connection, "PRAGMA user_version"))[0])
    newest = MIGRATIONS[-1][0]
    if version > newest:
        raise JournalError(f"the journal has schema {version}, this gateway knows {newest}: use a newer gateway")
    for number, sql in MIGRATIONS:
        if number > version:
            with connection:
                connection.execute(sql)
                connection.execute(f"PRAGMA user_version = {number}")


class SqliteJournal:
    """See `gateway.engine.journal.Journal`. Make it with `start`."""

    def __init__(self, path: str, lock: int | None, make_writer: MakeWriter, committed: Committed) -> None:
        self._lock = lock
        write = connect(path)
        migrate(write)
        self._read = Reader(connect(path))
        self._writer = make_writer(write, committed)
        self._connections = (write, self._read.connection)

    @classmethod
    async def start(
        cls, path: str, now: datetime, committed: Committed = lambda seconds: None, *, make_writer: MakeWriter = Writer
    ) -> SqliteJournal:
        """Opens the file, migrates it and turns what a dead process left open into doubt.

        `committed` hears the seconds of each commit. Raises `JournalError`.
        """
        if path == ":memory:":  # two connections, one database
            path, lock = f"file:/gateway-{os.urandom(8).hex()}?vfs=memdb", None
        else:
            lock = _own(path)
        try:
            journal = cls(path, lock, make_writer, committed)
        except BaseException:
            _disown(lock)
            raise
        await journal._writer.submit(lambda db: _orphans(db, rows.micros(now)))
        return journal

    def abandon(self) -> None:
        """Lets go of the file without another write, as a process that dies does."""
        for connection in self._connections:
            connection.close()
        _disown(self._lock)

    # -- writes

    async def open(self, intent: Intent) -> Opened:
        return await self._writer.submit(lambda db: _open(Reader(db), db, intent))  # type: ignore[no-any-return]  # the writer is untyped inside

    async def take(self, movement: Movement, owner: str, at: datetime, until: datetime) -> Movement | None:
        values = (owner, rows.micros(until), movement.key, owner, rows.micros(at))

        def operation(db: apsw.Cursor) -> Movement | None:
            db.execute(SQL["taken_steps"], (rows.micros(at), movement.key, owner, rows.micros(at)))
            before = db.connection.total_changes()
            db.execute(SQL["take"], values)
            return Reader(db).get(movement.key) if db.connection.total_changes() > before else None

        return await self._writer.submit(operation)  # type: ignore[no-any-return]  # the writer is untyped inside

    async def ask(self, movement: Movement, at: datetime, *, steps: Sequence[Step] = ()) -> Movement:
        asked = replace(movement, attempts=movement.attempts + 1, asked_at=at, state=State.ASKING)
        return await self._change("ask", (rows.micros(at), asked.key), asked, steps)

    async def not_left(self, movement: Movement, *, steps: Sequence[Step] = ()) -> Movement:
        return await self._change("not_left", (movement.key,), taken_back(movement), steps)

    async def never_applied(self, movement: Movement, *, steps: Sequence[Step] = ()) -> Movement:
        return await self._change("never_applied", (movement.key,), replace(movement, attempts=0), steps)

    async def decide(
        self, movement: Movement, outcome: Accepted | Declined, at: datetime, *, heard: bool, steps: Sequence[Step] = ()
    ) -> Movement:
        state = State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED
        when, told = rows.micros(at), state.value
        watched = not heard and not movement.owes and state is State.ACCEPTED
        values = (
            told, rows.text(outcome), when, movement.attempts, watched, when, heard, told, heard, when, movement.key,
        )  # fmt: skip
        decided = replace(
            movement, state=state, outcome=outcome, decided_at=at, note="", owner="", due_at=at if watched else None
        )
        decided = replace(decided, told=told, told_at=at) if heard else decided
        return await self._change("decide", values, decided, steps)

    async def leave_open(
        self,
        movement: Movement,
        state: State,
        note: str,
        told_at: datetime | None,
        due_at: datetime | None,
        *,
        steps: Sequence[Step] = (),
    ) -> Movement:
        told, when = told_at is not None, rows.micros(told_at)
        left = replace(movement, state=state, note=note, owner="", due_at=due_at)
        values = (state.value, note, rows.micros(due_at), movement.tries, told, told, when, movement.key)
        left = replace(left, told="unknown", told_at=told_at) if told else left
        return await self._change("leave_open", values, left, steps)

    async def watch(self, movement: Movement, due_at: datetime | None) -> None:
        await self._writer.submit(lambda db: db.execute(SQL["watch"], (rows.micros(due_at), movement.key)))

    async def tell(self, movement: Movement, told: str, at: datetime, *, steps: Sequence[Step] = ()) -> None:
        def operation(db: apsw.Cursor) -> None:
            db.execute(SQL["tell"], (told, rows.micros(at), movement.key))
            _write_steps(db, movement.key, steps)

        await self._writer.submit(operation)

    async def release_target(self, key: str, at: datetime) -> None:
        def operation(db: apsw.Cursor) -> None:
            db.execute(SQL["released_steps"], (rows.micros(at), key, key))
            db.execute(SQL["release"], (key,))

        await self._writer.submit(operation)

    async def note(self, key: str, steps: Sequence[Step]) -> None:
        await self._writer.submit(lambda db: _write_steps(db, key, steps))

    async def learn(self, session: Session) -> None:
        await self._writer.submit(lambda db: db.execute(SQL["learn"], rows.session_values(session)))

    async def _change(
        self, query: str, values: tuple[Any, ...], changed: Movement, steps: Sequence[Step] = ()
    ) -> Movement:
        """`changed`, if the row could still change; else the row as it was decided."""

        def operation(db: apsw.Cursor) -> Movement:
            before = db.connection.total_changes()
            db.execute(SQL[query], values)
            if db.connection.total_changes() > before:
                _write_steps(db, changed.key, steps)
                return changed
            _write_steps(db, changed.key, [step for step in steps if step.what in OF_THE_WALLET])
            found = Reader(db).get(changed.key)
            assert found is not None, "a movement never leaves while it is carried"
            if not found.state.decided:
                raise IllegalEdge(f"{query}: no edge leads there from {found.state}")
            return found

        return await self._writer.submit(operation)  # type: ignore[no-any-return]  # the writer is untyped inside

    # -- reads

    async def due(self, at: datetime, limit: int) -> list[Movement]:
        return self._read.many("due", (rows.micros(at), limit))

    async def get(self, key: str) -> Movement | None:
        return self._read.get(key)

    async def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        return self._read.find(provider, kinds, id)

    async def children(self, parent: str) -> list[Movement]:
        return self._read.many("children", (parent,))

    async def aimed_at(self, target: str) -> list[Movement]:
        return self._read.many("aimed_at", (target,))

    async def latest(self, provider: str, player: str) -> Movement | None:
        return next(iter(self._read.many("latest", (provider, player))), None)

    async def round(self, provider: str, player: str, round_id: str) -> list[Movement]:
        return self._read.many("round", (provider, player, round_id))

    async def story(self, key: str) -> list[Step]:
        return self._read.story(key)

    async def session(self, provider: str, session: str) -> Session | None:
        return self._read.session("session", (provider, session))

    async def session_by_launch(self, provider: str, launch_token: str) -> Session | None:
        return self._read.session("session_by_launch", (provider, launch_token))

    async def last_session(self, provider: str, player: str, game: str = "") -> Session | None:
        return self._read.session("last_session", (provider, player, game))

    async def listed(self, listing: Listing) -> list[Movement]:
        return self._read.listed(listing)

    async def counts(self) -> list[Count]:
        return self._read.counts()

    async def unresolved_by_wallet(self) -> Mapping[str, int]:
        return dict(_rows(self._read.connection, SQL["unresolved"]))

    def writable(self) -> bool:
        return self._writer.writable

    async def close(self) -> None:
        await self._writer.close()
        self.abandon()


class Reader:
    """Reads movements and sessions, inside a transaction or beside it."""

    def __init__(self, connection: apsw.Connection | apsw.Cursor) -> None:
        self.connection = connection

    def many(self, query: str, values: tuple[Any, ...]) -> list[Movement]:
        return [rows.movement(row) for row in _rows(self.connection, SQL[query], values)]

    def get(self, key: str) -> Movement | None:
        return next(iter(self.many("get", (key,))), None)

    def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        """In the order of `kinds`; the parts of a split movement are nobody's reference."""
        found = [m for m in self.many("find", (provider, id)) if not m.parent]
        for kind in kinds:
            for movement in found:
                if movement.kind is kind:
                    return movement
        return None

    def story(self, key: str) -> list[Step]:
        return [rows.step(row) for row in _rows(self.connection, SQL["story"], (key,))]

    def session(self, query: str, values: tuple[Any, ...]) -> Session | None:
        return next((rows.session(row) for row in _rows(self.connection, SQL[query], values)), None)

    def listed(self, listing: Listing) -> list[Movement]:
        where, values = ["1 = 1"], []
        if listing.states:
            where.append(f"state IN ({', '.join('?' * len(listing.states))})")
            values += [state.value for state in listing.states]
        for column, value in (("provider", listing.provider), ("player", listing.player)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if listing.before is not None:
            where.append("created_at < ?")
            values.append(str(rows.micros(listing.before)))
        sql = f"SELECT {rows.MOVEMENT_COLUMNS} FROM movements WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"  # noqa: S608  # columns and marks only, every value is bound
        return [rows.movement(row) for row in _rows(self.connection, sql, (*values, listing.limit))]

    def counts(self) -> list[Count]:
        found = []
        for wallet, kind, state, number, oldest in _rows(self.connection, SQL["counts"]):
            since = rows.moment(oldest)
            assert since is not None
            found.append(Count(wallet, kind, State(state), number, since))
        return found


# ---------------------------------------------------------------- inside the writer


def _write_steps(db: apsw.Cursor, key: str, steps: Sequence[Step]) -> None:
    for step in steps:
        db.execute(SQL["step"], (key, rows.micros(step.at), step.what.value, step.detail[: rows.DETAIL_MAX], key))
    if steps:
        db.execute(SQL["trim"], (key, key))


def _orphans(db: apsw.Cursor, now: int | None) -> None:
    db.execute(SQL["orphan_steps"], (now,))
    db.execute(SQL["orphans"], (now, now))


# ---------------------------------------------------------------- opening, inside the writer


def _open(reader: Reader, db: apsw.Cursor, intent: Intent) -> Opened:
    movement = intent.movement
    found = reader.get(movement.key)
    if found is not None:
        if intent.claim and found.target and not found.state.decided:  # the rollback before it may have been refused
            db.execute(SQL["claim"], (found.key, found.target))
        return _facts(reader, intent, found, fresh=False)
    movement = _where_its_round_went(db, movement)
    tombstone = _tombstone(reader, intent)
    if tombstone is not None:
        refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back before it came")
        movement = replace(
            movement, state=State.DECLINED, attempts=0, asked_at=None, outcome=refusal, undone_by=tombstone.key,
            told=State.DECLINED.value, told_at=movement.created_at, decided_at=movement.created_at,
        )  # fmt: skip
        db.execute(SQL["insert"], rows.insert_values(movement))
        return Opened(movement=movement, fresh=True, tombstone=tombstone.key)
    target = _target(reader, intent) if intent.targets or intent.target else None
    if target is not None:
        wallet, route = (target.wallet, target.route) if target.wallet else (movement.wallet, movement.route)
        movement = replace(movement, target=target.key, wallet=wallet, route=route)
        if intent.alone and target.undone_by:
            other = reader.get(target.undone_by)
            assert other is not None, "a claim never outlives its rollback"
            return Opened(movement=other, fresh=False, target=target)
        if intent.claim:
            db.execute(SQL["claim"], (movement.key, target.key))
    db.execute(SQL["insert"], rows.insert_values(movement))
    return _facts(reader, intent, movement, fresh=True)


def _facts(reader: Reader, intent: Intent, movement: Movement, *, fresh: bool) -> Opened:
    """The movement with everything that a decision about it may need."""
    target = reader.get(movement.target) if movement.target else None
    tx = movement.tx
    around: tuple[Movement, ...] = ()
    here = (movement.provider, tx.player, tx.round_id)
    if tx.round_id and (intent.by_round or (intent.wins and _exists(reader, "round_open", here))):
        around = tuple(reader.many("round", here))
    undone = Decimal(0)
    if target is not None and intent.several:
        undone = sum(
            (_moved(m, target) for m in reader.many("undoing", (target.key,)) if m.key != movement.key), undone
        )
    return Opened(movement=movement, fresh=fresh, target=target, round=around, undone=undone)


def _exists(reader: Reader, query: str, values: tuple[Any, ...]) -> bool:
    return next(_rows(reader.connection, SQL[query], values), None) is not None


def _where_its_round_went(db: apsw.Cursor, movement: Movement) -> Movement:
    """What is later in a round goes where the round went, whatever the routes say by now (rule 23)."""
    tx = movement.tx
    if not tx.round_id or not movement.wallet:
        return movement
    for wallet, route in _rows(db, SQL["round_wallet"], (movement.provider, tx.player, tx.round_id)):
        return replace(movement, wallet=wallet, route=route)
    return movement


def _tombstone(reader: Reader, intent: Intent) -> Movement | None:
    """The rollback that came before this movement, if one did and was not refused for another reason."""
    if not intent.buried_by:
        return None
    m = intent.movement
    named = [
        found
        for found in reader.many("buried", (m.provider, m.tx.id, m.tx.round_id))
        if isinstance(found.tx.act, Rollback) and found.tx.act.reference_kind in intent.buried_by
    ]
    if m.tx.round_id and intent.rounds:
        named += reader.many("buried_round", (m.provider, m.tx.player, m.tx.round_id))
    return next((found for found in named if _buries(found)), None)


def _buries(rollback: Movement) -> bool:
    outcome = rollback.outcome
    if isinstance(outcome, Declined):
        return outcome.reason in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)
    return True


def _target(reader: Reader, intent: Intent) -> Movement | None:
    m = intent.movement
    if intent.target:
        return reader.get(intent.target)
    target = reader.find(m.provider, intent.targets, m.reference) if m.reference else None
    if target is not None and not same_player(target.tx.player, m.tx.player):
        target = None  # another player's movement is none that this call may touch
    if target is None and intent.lone_bet and m.tx.round_id:
        bets = [bet for bet in reader.many("round", (m.provider, m.tx.player, m.tx.round_id)) if is_open_bet(bet)]
        return bets[0] if len(bets) == 1 else None
    return target


def is_open_bet(movement: Movement) -> bool:
    """Accepted or in doubt, and not rolled back (rule 16)."""
    gone = movement.state is State.DECLINED or movement.undone_by or movement.parent
    return movement.kind is Kind.DEBIT and not gone


def _moved(rollback: Movement, target: Movement) -> Decimal:
    """What a rollback moves, as far as it is known: more is never assumed to be left than is."""
    if isinstance(rollback.outcome, Accepted) and rollback.outcome.moved is not None:
        return rollback.outcome.moved
    said = getattr(rollback.tx.act, "amount", None)
    return said if said is not None else getattr(target.tx.act, "amount", Decimal(0))


# ---------------------------------------------------------------- one owner


def _own(path: str) -> int:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise JournalError(f"the journal {path} belongs to a gateway that is running") from None
    return lock


def _disown(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
