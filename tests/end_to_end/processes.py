"""The command line as real processes: started, waited for with deadlines, never left behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

READY = re.compile(r"^ready (http://\S+)(?: admin (http://\S+))?$", re.MULTILINE)
READY_SECONDS = 30.0
END_SECONDS = 30.0
_COMMAND = (sys.executable, "-m", "gateway")


class Process:
    """One `gateway ...`. What it says goes to files, so that a full pipe never stops it."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self._said_before = out.tell()
            self._popen = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(environ or {})},
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def said(self) -> str:
        """Standard output since this start."""
        return self.out.read_bytes()[self._said_before :].decode()

    def complained(self) -> str:
        """Standard error, that of earlier starts under this name included."""
        return self.err.read_text(encoding="utf-8")

    async def ready(self) -> tuple[str, str]:
        """The addresses of the `ready` line; the second is blank where there is none."""
        await until(lambda: not self.running or READY.search(self.said()) is not None, READY_SECONDS)
        found = READY.search(self.said())
        assert found is not None, f"it ended before it was ready: {self.complained()}"
        return found[1], found[2] or ""

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    async def ended(self) -> int:
        """Its exit status."""
        await until(lambda: not self.running, END_SECONDS)
        return self._popen.returncode

    def kill(self) -> None:
        """Gone, at once and for certain."""
        self._popen.kill()
        self._popen.wait()


@asynccontextmanager
async def started(
    folder: Path, name: str, *arguments: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """A process as long as the block lasts, at the longest."""
    process = Process(folder, name, *arguments, environ=environ)
    try:
        yield process
    finally:
        process.kill()


@asynccontextmanager
async def serving(config: Path, environ: Mapping[str, str] | None = None) -> AsyncIterator[tuple[Process, str, str]]:
    """`gateway serve`, ready: (process, providers' address, admin's address)."""
    async with started(config.parent, "serve", "serve", "--config", str(config), environ=environ) as process:
        url, admin = await process.ready()
        yield process, url, admin


async def run(*arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of a command that ends by itself."""
    return await asyncio.to_thread(_run, arguments, stdin, environ or {})


def _run(arguments: tuple[str, ...], stdin: bytes, environ: Mapping[str, str]) -> tuple[int, str, str]:
    done = subprocess.run(
        [*_COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=END_SECONDS * 2,
        env={**os.environ, **environ},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def until(reached: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for what another process does; fails when the time is over."""
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110  # another process tells nobody when something changes
            await asyncio.sleep(0.01)


def free_port() -> int:
    """For addresses that must outlive a restart."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
