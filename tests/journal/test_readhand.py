"""The threads that read a file: nobody waits for another's slow question, and nothing is left standing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.engine.journal import JournalLost
from gateway.engine.movement import Listing
from gateway.journal.kept import JournalError
from gateway.journal.readhand import ReadHand
from gateway.journal.sqlite import SqliteJournal, connect
from tests.journal.homes import bet, found, looked, now, opened

FOREVER = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
SOON = 5.0  # what a test waits for at most


def forever(begun: threading.Event) -> Callable[[apsw.Connection], Any]:
    """A question that has no end."""

    def ask(db: apsw.Connection) -> Any:
        begun.set()
        return db.execute(FOREVER).fetchall()

    return ask


def one(db: apsw.Connection) -> Any:
    return db.execute("SELECT 1").fetchall()


@pytest.fixture
async def hand(tmp_path: Path) -> AsyncIterator[ReadHand]:
    path = str(tmp_path / "j.db")
    connect(path).close()
    made = ReadHand("reads", connect(path, readonly=True), 1)
    yield made
    async with asyncio.timeout(SOON):
        await made.close()


async def busy(hand: ReadHand, seconds: float = float("inf")) -> asyncio.Future[Any]:
    """It is at a question without an end."""
    begun = threading.Event()
    asked = asyncio.ensure_future(hand.read(forever(begun), seconds))
    await asyncio.to_thread(begun.wait)
    return asked


async def test_a_persons_question_holds_up_no_call(tmp_path: Path) -> None:
    """*One GET over 1.5 million rows stopped every bet for 0.3 s.*"""
    journal = await SqliteJournal.start(str(tmp_path / "j.db"), now())
    asked = await busy(journal._people)  # type: ignore[arg-type]  # it is one here
    async with asyncio.timeout(SOON):
        m = await opened(journal, bet("b-1"))
        assert await looked(journal, "own", m.key)
        assert await journal.find("acme", (m.kind,), "b-1")
        await journal.close()
    with pytest.raises(JournalLost, match="closed"):
        await asked


async def test_whoever_asks_too_much_is_told(hand: ReadHand) -> None:
    """A scan of ten million rows is given up in time: gauges and reloads wait behind it."""
    with pytest.raises(JournalLost, match=r"longer than 0\.05 seconds"):
        await hand.read(forever(threading.Event()), 0.05)
    assert await hand.read(one) == [(1,)]


async def test_whoever_went_away_is_asked_for_no_more(hand: ReadHand) -> None:
    """A caller that hangs up must not leave a question behind that everybody else waits for."""
    asked, never = await busy(hand), threading.Event()
    waiting = asyncio.ensure_future(hand.read(forever(never)))
    await asyncio.sleep(0)
    waiting.cancel()
    asked.cancel()
    async with asyncio.timeout(SOON):
        assert await hand.read(one) == [(1,)]
    assert not never.is_set()


async def test_what_the_database_refuses_is_lost_and_a_bug_is_a_bug(hand: ReadHand) -> None:
    """The engine tells doubt for the first; the second must be found."""
    with pytest.raises(JournalLost, match="no such table"):
        await hand.read(lambda db: db.execute("SELECT * FROM nowhere").fetchall())
    with pytest.raises(JournalLost, match="readonly"):
        await hand.read(lambda db: db.execute("CREATE TABLE t (x)").fetchall())
    with pytest.raises(ZeroDivisionError):
        await hand.read(lambda db: 1 // 0)
    assert await hand.read(one) == [(1,)]


async def test_a_process_that_dies_waits_for_no_question(tmp_path: Path) -> None:
    journal = await SqliteJournal.start(str(tmp_path / "j.db"), now())
    asked = await busy(journal._people)  # type: ignore[arg-type]  # it is one here
    await asyncio.to_thread(journal.abandon)
    with pytest.raises(JournalLost):
        await journal.get("acme/debit/b-1")
    asked.cancel()
    again = await SqliteJournal.start(str(tmp_path / "j.db"), now())
    await again.close()


def test_a_loop_that_ended_is_not_told(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a question."""
    path = str(tmp_path / "j.db")
    connect(path).close()

    async def begin() -> ReadHand:
        made = ReadHand("reads", connect(path, readonly=True), 1)
        await busy(made)
        return made

    hand = asyncio.run(begin())
    hand.abandon()
    assert not [thread for thread in threading.enumerate() if thread.name == "reads"]


async def test_reads_see_what_was_written_before(tmp_path: Path) -> None:
    """Whoever was told that a bet is durable finds it, on every way, while others write."""
    journal = await SqliteJournal.start(str(tmp_path / "j.db"), now())

    async def player(name: str) -> None:
        for number in range(20):
            m = await opened(journal, bet(f"{name}-{number}", player=name))
            (last,) = await looked(journal, "latest", "acme", name, "")
            (listed,) = await journal.listed(Listing(provider="acme", player=name, limit=1))
            assert m.key == last.key == listed.key == (await found(journal, m.key)).key

    await asyncio.gather(*(player(f"player-{number}") for number in range(8)))
    await journal.close()


async def test_a_journal_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """Whoever starts it reads a sentence, and can start again where that is mended."""
    path = tmp_path / "j.db"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(JournalError, match=r"cannot open the journal .*j\.db"):
        await SqliteJournal.start(str(path), now())
    path.unlink()
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot open the journal"):
        await SqliteJournal.start(str(tmp_path / "file" / "j.db"), now())
    await (await SqliteJournal.start(str(path), now())).close()
