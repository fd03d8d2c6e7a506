"""Processes of a run: started, ended politely, and how much CPU their threads used."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROC = Path("/proc")
START_SECONDS = 60  # on a machine that is busy
LABELS = {"journal": "journal", "logs": "log"}
"""What a thread is called in /proc, and in the table; the wallet client's are tokio's."""


class DidNotStart(Exception):
    """With what it said."""


@contextlib.contextmanager
def started(command: Sequence[str], environ: Mapping[str, str], port: int, folder: Path = ROOT) -> Iterator[int]:
    """The number of a process that listens on `port`; ended politely when the block ends."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        try:
            _listens(process, port, lambda: os.pread(said.fileno(), 2000, 0).decode(errors="replace"))
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(process: subprocess.Popen[bytes], port: int, said: object) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            assert callable(said)
            raise DidNotStart(f"{' '.join(map(str, process.args))} did not start: {said()}")  # type: ignore[arg-type]  # a list
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)


def ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


# ---------------------------------------------------------------- CPU


def family(pid: int) -> Iterator[int]:
    """A process and all that came of it."""
    yield pid
    for task in _listed(PROC / str(pid) / "task"):
        for child in _text(task / "children").split():
            yield from family(int(child))


def cpu(pid: int, whole: str = "") -> dict[str, float]:
    """Nanoseconds of CPU that each thread of a process and of its children has used, by what it does;
    all of it under one name, `whole`, where that is given."""
    used: defaultdict[str, float] = defaultdict(float)
    for each in family(pid):
        for task in _listed(PROC / str(each) / "task"):
            words = _text(task / "schedstat").split()
            if words:
                used[whole or label(_text(task / "comm").strip(), main=task.name == str(each))] += float(words[0])
    return dict(used)


def label(comm: str, *, main: bool) -> str:
    if comm in LABELS:
        return LABELS[comm]
    if main:
        return "loop"
    return "client" if comm.startswith(("tokio", "pyreqwest")) else "others"


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []  # it has ended


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
