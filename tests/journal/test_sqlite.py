"""What only a file can do: its disk fails, fills up, or its only process was away while clocks moved."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.engine.journal import JournalLost, Put
from gateway.engine.movement import left
from gateway.engine.states import State
from gateway.journal.sqlite import SqliteJournal
from gateway.journal.writer import BROKEN_DISK, Writer
from tests.journal.homes import HOUR, bet, found, now, opened, wrote


class Disk(apsw.VFS):
    """A disk that does not sync when it is told to fail."""

    def __init__(self) -> None:
        super().__init__("failing", "")
        self.fails = False

    def xOpen(self, name: Any, flags: Any) -> Any:  # SQLite's name
        disk = self

        class File(apsw.VFSFile):
            def xSync(self, flags: int) -> None:  # SQLite's name
                if disk.fails:
                    raise apsw.IOError
                super().xSync(flags)

        return File("", name, flags)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.unregister()


async def test_a_failed_fsync_ends_the_process(tmp_path: Path, disk: Disk) -> None:
    """The kernel drops the pages that it could not write and says yes the next time: a bet would be
    answered that no restart knows (rule 30)."""
    connection, ended = apsw.Connection(str(tmp_path / "j.db"), vfs="failing"), list[BaseException]()
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)").fetchall()
    writer = Writer(connection, lambda seconds: None, ended.append)
    await writer.submit(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    disk.fails = True
    work = [writer.submit(lambda db: db.execute("INSERT INTO t VALUES (2)")) for _ in range(3)]
    told = await asyncio.gather(*work, return_exceptions=True)
    assert [type(each) for each in told] == [JournalLost] * 3
    assert all(isinstance(error, apsw.IOError) for error in ended)
    assert ended
    assert not writer.writable
    disk.fails = False
    await writer.close()
    connection.close()


async def test_what_one_turn_of_the_loop_writes_shares_a_commit(tmp_path: Path) -> None:
    """The writer was woken by the first call of a turn, took it alone and committed it, while the loop was still about the
    others: of four players at a time only two shared an fsync."""
    commits, connection = list[float](), apsw.Connection(str(tmp_path / "j.db"))
    connection.execute("CREATE TABLE t (x)").fetchall()
    writer = Writer(connection, commits.append)
    work = list[asyncio.Future[Any]]()
    for number in range(8):
        work.append(writer.submit(lambda db, number=number: db.execute("INSERT INTO t VALUES (?)", (number,))))
        hashlib.sha256(bytes(1_000_000)).digest()  # what else a turn is about, without the interpreter: others may run
    await asyncio.gather(*work)
    assert len(commits) == 1
    await writer.close()


def test_what_ends_the_process_is_said() -> None:
    """Whoever restarts it reads why."""
    code = "from gateway.journal.writer import end; end(OSError('disk I/O error'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == BROKEN_DISK
    assert done.stderr.splitlines() == ["the journal's disk failed, the gateway ends: disk I/O error"]


async def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    """Nothing was written, everybody knows: calls are answered with doubt until there is room again."""
    journal = await SqliteJournal.start(str(tmp_path / "j.db"), now())
    connection = journal._connections[0]
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalLost):
        await wrote(journal, insert=tuple(bet(f"b-{number}") for number in range(100)))
    assert not journal.writable()
    connection.execute("PRAGMA max_page_count = 100000")
    await opened(journal, bet("again"))
    assert journal.writable()
    await journal.close()


async def test_nobody_carries_what_is_open_when_the_only_process_starts(tmp_path: Path) -> None:
    """It was killed and its clock set back by a day: owed credits must not wait for that day."""
    path = str(tmp_path / "j.db")
    journal = await SqliteJournal.start(path, now())
    doubt, person = await opened(journal, bet("b-1")), await opened(journal, bet("b-2"))
    await wrote(journal, Put(doubt, left(doubt, State.DOUBT, "", now() + 24 * HOUR)))
    await wrote(journal, Put(person, left(person, State.PERSON, "", None)))
    read = await found(journal, doubt.key)
    (taken,) = await journal.take_due(now() + 24 * HOUR, "n-2", HOUR, {"*": 9})
    assert taken.owner == "n-2"
    journal.abandon()
    journal = await SqliteJournal.start(path, now())
    last = await found(journal, doubt.key)
    assert (last.owner, last.state) == ("", State.DOUBT)
    assert last.revision > read.revision  # nobody decides by what he read before
    assert last.due_at is not None
    assert last.due_at < now() + timedelta(minutes=2)
    assert (await found(journal, person.key)).due_at is None
    await journal.close()
