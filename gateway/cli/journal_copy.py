"""A copy of a journal on SQLite, taken while its gateway writes."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path

import apsw

from gateway.journal.kept import JournalError
from gateway.journal.sqlite import connect


def backup(source: str, target: Path) -> int:
    """The bytes of the copy: SQLite's online backup in one step, so that it is the journal of one moment and
    no writer waits for it. It stands under its name only once it is whole and on disk. Raises `JournalError`."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds sessions and players
        with closing(connect(source, readonly=True)) as ours, closing(apsw.Connection(str(partial))) as copy:
            with copy.backup("main", ours, "main") as copying:
                while not copying.done:
                    copying.step(-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a `-wal` that could be left behind
        _sync(partial)
        partial.rename(target)
        _sync(target.parent)
    except (apsw.Error, OSError) as error:
        raise JournalError(f"cannot copy the journal {source} to {target}: {error}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return target.stat().st_size


def _sync(path: Path) -> None:
    found = os.open(path, os.O_RDONLY)
    try:
        os.fsync(found)
    finally:
        os.close(found)
