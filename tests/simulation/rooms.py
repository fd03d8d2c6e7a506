"""Where histories are kept while they last, and how one is played."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from gateway.journal.readhand import DirectReads
from gateway.journal.sqlite import SqliteJournal
from gateway.journal.writer import DirectWriter
from tests.simulation.bench import at_once
from tests.simulation.draw import Plan, draw_plan
from tests.simulation.history import Acts, History, Script
from tests.simulation.scheduler import BEGIN

MEMORY = Path("/dev/shm")  # no history is lost with it, and a disk takes a quarter of its time
"""Where a machine has it."""


class Room:
    """A folder for journals, with an empty one that is copied: migrations take longer than a history."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._empty = folder, folder / "empty.db"
        at_once(
            SqliteJournal.start(str(self._empty), BEGIN, make_writer=DirectWriter, make_reads=DirectReads)
        ).abandon()
        self._count = 0

    def path(self) -> Path:
        self._count += 1
        path = self.folder / f"journal-{self._count}.db"
        shutil.copyfile(self._empty, path)
        return path

    def clear(self, path: Path) -> None:
        for ending in ("", "-wal", "-shm", ".lock"):
            Path(f"{path}{ending}").unlink(missing_ok=True)


@contextmanager
def a_room() -> Iterator[Room]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Room(Path(folder))


@contextmanager
def played(
    room: Room, plan: Plan, *, dies_at: int = 0, acts: Acts | None = None, script: Script | None = None
) -> Iterator[History]:
    path = room.path()
    history = History(plan, path, dies_at=dies_at, acts=acts, script=script)
    try:
        history.play()
        yield history
    finally:
        history.close()
        room.clear(path)


def play_seed(room: Room, seed: int, *, first: bool = False, bias: str = "") -> AbstractContextManager[History]:
    """`first`: as it was when only the pages that came first were drawn."""
    return played(room, draw_plan(seed, first=first, bias=bias))
