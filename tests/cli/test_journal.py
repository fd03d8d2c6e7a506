"""`gateway journal`: a copy while it is written, whether it holds together, and what it forgot."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import psycopg
import pytest

from gateway.journal.rows import micros
from gateway.journal.sqlite import SqliteJournal
from tests.cli.helpers import call
from tests.cli.test_tx import CONFIG
from tests.postgres import Server, running
from tests.serve.rows import bet, fill, filled, now, win

DOUBTS = "CREATE TABLE IF NOT EXISTS doubts (since {0} NOT NULL, said_at {0} NOT NULL, reason TEXT NOT NULL, by_whom TEXT NOT NULL)"
DOUBT = ("journal", "doubt", "--reason", "restored the copy of the night", "--by", "Ada")
ACCEPTED, IN_DOUBT, OWED, PERSON = bet(1).key, bet(2).key, win(1).key, win(2).key


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A journal of four movements, which no gateway holds."""
    filled(tmp_path / "journal.db")
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    return tmp_path / "gateway.yaml"


def said(config: Path, sql: str) -> list[tuple[object, ...]]:
    """What somebody does to the file with SQLite's own tools."""
    connection = apsw.Connection(str(config.with_name("journal.db")))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def while_served(config: Path, work: Callable[[], None]) -> None:
    """As if a gateway ran: it holds the file, and what it wrote is not in the file itself yet."""

    async def serve() -> None:
        journal = await SqliteJournal.start(str(config.with_name("journal.db")), now())
        await fill(journal)
        work()
        await journal.close()

    asyncio.run(serve())


# ---------------------------------------------------------------- backup


def test_a_copy_is_taken_while_a_gateway_writes_and_is_whole(config: Path) -> None:
    """An operator must not stop the gateway for it, nor lose what is still in the `-wal`."""
    config.with_name("journal.db").unlink()
    copy = config.with_name("copy.db")

    def take() -> None:
        done = call("journal", "backup", "--config", config, copy)
        assert (done.exit_code, done.stderr) == (0, ""), done.stderr
        assert done.stdout.startswith(f"{copy}: {copy.stat().st_size} bytes; it knows what was journalled before 20")

    while_served(config, take)
    assert sorted(p.name for p in config.parent.iterdir() if p.name.startswith("copy")) == ["copy.db"]
    assert copy.stat().st_mode & 0o077 == 0
    text = CONFIG.replace("journal.db", "copy.db")
    config.write_text(text)
    listed = json.loads(call("tx", "list", "--config", config, "--json").stdout)
    assert {row["key"]: row["state"] for row in listed} == {
        ACCEPTED: "accepted", IN_DOUBT: "doubt", OWED: "owed", PERSON: "person",
    }  # fmt: skip
    assert call("journal", "verify", copy).stdout == f"{copy}: holds together\n"


def test_every_copy_under_load_is_one_moment(config: Path) -> None:
    """Two rows of one transaction are in it, or neither."""
    stop = threading.Event()

    def write() -> None:
        connection = apsw.Connection(str(config.with_name("journal.db")))
        connection.execute("CREATE TABLE pairs (number INTEGER)")
        while not stop.is_set():
            with connection:
                connection.execute("INSERT INTO pairs VALUES (1)")
                connection.execute("INSERT INTO pairs VALUES (2)")
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy = config.with_name(f"{number}.db")
            assert call("journal", "backup", "--config", config, copy).exit_code == 0
            connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'pairs'").fetchall():
                ((ones, rows),) = connection.execute("SELECT count(*) FILTER (WHERE number = 1), count(*) FROM pairs")
                assert rows == 2 * ones
            connection.close()
    finally:
        stop.set()
        writer.join()


def test_a_copy_is_never_overwritten_and_half_of_one_never_stays(config: Path) -> None:
    """The copy of yesterday may be the only one that is good."""
    older = config.with_name("older.db")
    older.write_text("the only one")
    refused = call("journal", "backup", "--config", config, older)
    assert (refused.exit_code, older.read_text()) == (2, "the only one")
    assert "exists already" in refused.stderr
    nowhere = call("journal", "backup", "--config", config, config.parent / "no" / "folder.db")
    assert (nowhere.exit_code, nowhere.stdout) == (1, "")
    config.with_name("journal.db").unlink()
    gone = call("journal", "backup", "--config", config, config.with_name("new.db"))
    assert (gone.exit_code, "cannot copy the journal" in gone.stderr or "cannot open" in gone.stderr) == (1, True)
    assert not [p for p in config.parent.iterdir() if p.name.startswith("new")]


@pytest.mark.parametrize(("url", "status", "sentence"), [
    ("postgresql://gw@127.0.0.1:1/gw", 2, "pg_dump"),
    ("sqlite:///:memory:", 1, "lives in the memory of its server"),
])  # fmt: skip
def test_what_is_no_file_is_not_copied(config: Path, url: str, status: int, sentence: str) -> None:
    """PostgreSQL has tools of its own for it; they are named."""
    config.write_text(CONFIG.replace("sqlite:///journal.db", url))
    refused = call("journal", "backup", "--config", config, config.with_name("copy.db"))
    assert (refused.exit_code, refused.stdout) == (status, "")
    assert sentence in refused.stderr
    assert not config.with_name("copy.db").exists()


# ---------------------------------------------------------------- verify

SECOND = 1_000_000
LATER = f"(SELECT max(created_at) + {SECOND} FROM movements)"


def whole(due: str) -> tuple[str, str]:
    """A settle in doubt whose two parts are decided."""
    return (
        f"UPDATE movements SET state = 'doubt', due_at = {due} WHERE key = '{IN_DOUBT}'",
        f"UPDATE movements SET parent = '{IN_DOUBT}', state = 'accepted', decided_at = created_at, due_at = NULL, "
        f"outcome = '{{}}' WHERE key IN ('{OWED}', '{PERSON}')",
    )


# The bet in doubt is declined as never sent, although the win that named it was read before that.
PAID = (
    f"UPDATE movements SET player = 'anna', reference = 'b/2', state = 'accepted', outcome = '{{}}', due_at = NULL, "
    f"created_at = created_at - {SECOND}, decided_at = created_at WHERE key = '{OWED}'",
    f"UPDATE movements SET state = 'declined', due_at = NULL, decided_at = {LATER}, "
    f'outcome = \'{{"outcome":"declined","reason":"already_rolled_back"}}\' WHERE key = \'{IN_DOUBT}\'',
)
CANCELLED = (
    *PAID,
    f"UPDATE movements SET kind = 'rollback', reference = 'b/2', target = '{IN_DOUBT}', state = 'accepted', "
    f"outcome = '{{}}', decided_at = created_at WHERE key = '{PERSON}'",
)
PRUNED = f"DELETE FROM steps; DELETE FROM movements WHERE key = '{PERSON}'"


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ((), []),
        ((f"UPDATE movements SET state = 'lost' WHERE key = '{OWED}'",), [f"{OWED}: no state is called 'lost'"]),
        (
            (f"UPDATE movements SET outcome = NULL WHERE key = '{ACCEPTED}'",),
            [f"{ACCEPTED}: it is accepted, and what was decided, or when, is not there"],
        ),
        *[
            ((f"UPDATE movements SET {column} = 'no/such/key' WHERE key = '{key}'",), [
                f"{key}: its {column} no/such/key is not there"
            ])
            for column in ("target", "undone_by", "parent")
            for key in (ACCEPTED, IN_DOUBT)
        ],
        # retention takes decided movements one by one: what another decided one names may be gone
        ((PRUNED.replace(PERSON, OWED), f"UPDATE movements SET target = '{OWED}' WHERE key = '{ACCEPTED}'"), []),
        (
            (PRUNED.replace(PERSON, OWED), f"UPDATE movements SET target = '{OWED}' WHERE key = '{IN_DOUBT}'"),
            [f"{IN_DOUBT}: its target {OWED} is not there"],
        ),
        (
            (f"UPDATE movements SET due_at = NULL WHERE key IN ('{IN_DOUBT}', '{PERSON}')",),
            [f"{IN_DOUBT}: it is in state doubt, nobody will look at it, and no person was told"],
        ),
        # a part that its whole looks after
        ((f"UPDATE movements SET due_at = NULL, parent = '{IN_DOUBT}' WHERE key = '{OWED}'",), []),
        # a part has ended just now, and its whole is looked at soon; or it was looked at for hours
        (whole(LATER), []),
        (whole(f"{LATER} + 3600 * {SECOND}"), [f"{IN_DOUBT}: it is in state doubt although all its parts are decided"]),
        (
            whole("NULL"),
            [
                f"{IN_DOUBT}: it is in state doubt, nobody will look at it, and no person was told",
                f"{IN_DOUBT}: it is in state doubt although all its parts are decided",
            ],
        ),
        (
            PAID,
            [f"{OWED}: it was paid, and its bet {IN_DOUBT}, in doubt when it came, was then declined as never sent"],
        ),
        # the bet was cancelled by its provider: about the win the wallet decides
        (CANCELLED, []),
        # the win came after its bet was declined
        ((*PAID, f"UPDATE movements SET created_at = {LATER} WHERE key = '{OWED}'"), []),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_a_line_each(config: Path, changes: tuple[str, ...], lines: list[str]) -> None:
    """Two truths about money, or something open that nobody will ever look at."""
    for change in changes:
        said(config, change)
    done = call("journal", "verify", "--config", config)
    assert done.stderr == ""
    expected = lines or ["sqlite:///journal.db: holds together"]
    assert (done.exit_code, done.stdout.splitlines()) == (int(bool(lines)), expected)


def test_a_damaged_file_is_said_and_nothing_is_written(config: Path) -> None:
    """A disk that lies must not be found out by a player."""
    path = config.with_name("journal.db")
    said(config, "PRAGMA wal_checkpoint(TRUNCATE)")
    whole_file = path.read_bytes()
    for damaged in (whole_file[:4096] + os.urandom(4096) + whole_file[8192:], b"no database at all" * 400, b""):
        copy = config.with_name("damaged.db")
        copy.write_bytes(damaged)
        done = call("journal", "verify", copy)
        assert done.exit_code == 1
        assert "Traceback" not in done.stderr
        assert done.stdout + done.stderr
        assert copy.read_bytes() == damaged


def test_it_is_verified_beside_a_gateway(config: Path) -> None:
    """Whoever doubts a journal must not stop its gateway first."""
    config.with_name("journal.db").unlink()

    def verify() -> None:
        done = call("journal", "verify", "--config", config)
        assert (done.exit_code, done.stdout) == (0, "sqlite:///journal.db: holds together\n")

    while_served(config, verify)


def test_without_a_file_and_without_a_configuration_the_call_is_wrong(config: Path) -> None:
    assert call("journal", "verify", "--config", config.with_name("none.yaml")).exit_code == 2
    assert call("journal", "verify", config.with_name("none.db")).exit_code == 2


# ---------------------------------------------------------------- doubt


def test_the_word_that_it_forgot_is_recorded(config: Path) -> None:
    """After a restored copy, and before its gateway starts."""
    said(config, DOUBTS.format("INTEGER"))
    began = datetime.now(UTC)
    done = call(*DOUBT, "--config", config, "--since", "2026-11-28T04:00:00+01:00")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "recorded: what came since 2026-11-28T03:00:00Z may be forgotten\n"
    ((since, said_at, reason, by),) = said(config, "SELECT since, said_at, reason, by_whom FROM doubts")
    assert (since, reason, by) == (
        micros(datetime(2026, 11, 28, 3, tzinfo=UTC)),
        "restored the copy of the night",
        "Ada",
    )
    assert isinstance(said_at, int)
    assert (micros(began) or 0) <= said_at <= (micros(datetime.now(UTC)) or 0)
    feared = said(config, "SELECT key, forgot_at FROM movements WHERE forgot_at IS NOT NULL ORDER BY key")
    assert feared == [(key, said_at) for key in sorted((IN_DOUBT, OWED, PERSON))]


def test_the_word_is_refused_while_a_gateway_holds_the_file(config: Path) -> None:
    """What it judged in between would not know it."""

    def speak() -> None:
        done = call(*DOUBT, "--config", config, "--since", "2026-11-28T04:00:00Z")
        assert (done.exit_code, done.stdout) == (1, "")
        assert "a gateway holds the journal: stop it first" in done.stderr

    config.with_name("journal.db").unlink()
    while_served(config, speak)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "yesterday"), "write it as 2026-12-01T04:00:00Z"),
        (("--since", (datetime.now(UTC) + timedelta(hours=1)).isoformat()), "still to come"),
        (("--since", "2026-11-28", "--by", " "), "--by is blank"),
        ((), "--since"),
    ],
)
def test_a_word_that_says_nothing_is_a_wrong_call(config: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = call(*DOUBT, "--config", config, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_there_is_nothing_to_doubt_where_there_is_no_journal(config: Path) -> None:
    """A slip in `journal.url` must not make a new file that nobody reads."""
    config.with_name("journal.db").unlink()
    done = call(*DOUBT, "--config", config, "--since", "2026-11-28")
    assert done.exit_code == 1
    assert "there is no journal at" in done.stderr
    assert not config.with_name("journal.db").exists()


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running() as server:
        yield server


def test_postgresql_is_verified_and_doubted_while_its_gateways_run(config: Path, postgres: Server) -> None:
    """Several nodes share it: none of them must be stopped for it."""
    url = postgres.create("edges")
    config.write_text(CONFIG.replace("sqlite:///journal.db", url))
    unused = call("journal", "verify", "--config", config)
    assert (unused.exit_code, unused.stdout) == (1, "")
    assert "there is no journal in this database yet" in unused.stderr

    from gateway.journal.postgres import PostgresJournal

    async def use() -> None:
        journal = await PostgresJournal.start(url)
        await fill(journal)  # type: ignore[arg-type]  # what it needs of the port, this one has, too
        await journal.close()

    asyncio.run(use())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(DOUBTS.format("BIGINT").encode())
        verified = call("journal", "verify", "--config", config)
        assert (verified.exit_code, verified.stdout) == (0, f"{url}: holds together\n"), verified.stdout
        connection.execute(f"UPDATE movements SET parent = 'no/such/key' WHERE key = '{IN_DOUBT}'".encode())
        done = call(*DOUBT, "--config", config, "--since", "2026-11-28T04:00:00Z")
        assert (done.exit_code, done.stderr) == (0, "")
        assert connection.execute("SELECT reason, by_whom FROM doubts").fetchall() == [
            ("restored the copy of the night", "Ada")
        ]
        feared = connection.execute("SELECT key FROM movements WHERE forgot_at IS NOT NULL ORDER BY key").fetchall()
        assert feared == [(key,) for key in sorted((IN_DOUBT, OWED, PERSON))]
    broken = call("journal", "verify", "--config", config)
    assert (broken.exit_code, broken.stdout) == (1, f"{IN_DOUBT}: its parent no/such/key is not there\n")
