"""`gateway ...`, and a list of what it asks a disk for on its event loop, from its `ready` line to its end.

Nothing of the gateway's own is wrapped: SQLite tells of every statement and every end of a connection
(`apsw.connection_hooks`), Python of every file that is opened and every name that is resolved (audit hooks).
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import apsw
import click

LIST = "GATEWAY_TEST_SPIED"
EVENTS = {
    "open",
    "os.listdir",
    "os.scandir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "shutil.copyfile",
    "socket.getaddrinfo",
}
STATEMENTS = apsw.SQLITE_TRACE_STMT | apsw.SQLITE_TRACE_CLOSE


class Spy:
    def __init__(self) -> None:
        self.on_the_loop: list[str] = []
        self.elsewhere: Counter[str] = Counter()  # by what it was
        self.serving = False

    def connected(self, connection: apsw.Connection) -> None:
        connection.trace_v2(STATEMENTS, self._statement)

    def _statement(self, event: dict[str, Any]) -> None:
        self._note("sql", event.get("sql", "the end of a connection"))

    def audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS:
            self._note(event, str(arguments[0] if arguments else ""))

    def _note(self, what: str, said: str) -> None:
        if not self.serving:
            return
        if asyncio._get_running_loop() is None:
            self.elsewhere[what] += 1
            return
        self.serving = False  # to say where reads files, too
        where = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_stack(limit=12)[:-2]]
        self.on_the_loop.append(f"{what}: {' '.join(said.split())[:120]} ({' '.join(where)})")
        self.serving = True


def main() -> None:
    spy = Spy()
    apsw.connection_hooks.append(spy.connected)
    sys.addaudithook(spy.audited)
    echo = click.echo

    def told(message: Any = None, **more: Any) -> None:
        echo(message, **more)
        spy.serving = spy.serving or str(message).startswith("ready ")

    def written() -> None:
        spy.serving = False
        told = {"on the loop": spy.on_the_loop, "elsewhere": spy.elsewhere}
        Path(os.environ[LIST]).write_text(json.dumps(told), encoding="utf-8")

    click.echo = told
    atexit.register(written)
    from gateway.cli.main import main as gateway

    gateway()


if __name__ == "__main__":
    main()
