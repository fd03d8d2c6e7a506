"""Letting callers in: as many in one turn of the loop as are there, up to a bound.

uvloop takes one connection a turn from a listening socket. Where turns are long, new callers would wait longest: the last
of two hundred for seconds, before anybody has counted their time. So whoever is let in says so, and those who wait behind
it are let in, too.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

ACCEPTS = 64  # in one turn


class Accepting:
    """For one listening socket that a loop serves already."""

    def __init__(
        self, bound: socket.socket, factory: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None = None
    ) -> None:
        self._bound, self._factory, self._tls = bound, factory, tls
        self._tasks: set[asyncio.Task[object]] = set()
        self._busy = False

    def more(self) -> None:
        """One was let in: who else waits? Once a turn."""
        if self._busy:
            return
        self._busy, loop = True, asyncio.get_running_loop()
        loop.call_soon(self._next_turn)
        for _ in range(ACCEPTS - 1):
            try:
                caller, _ = self._bound.accept()
            except OSError:  # nobody waits; or there is no descriptor left, which is the loop's to bear
                return
            caller.setblocking(False)
            task: asyncio.Task[object] = loop.create_task(self._let_in(caller))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next_turn(self) -> None:
        self._busy = False

    async def _let_in(self, caller: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._factory, caller, ssl=self._tls)
        except OSError:  # it is gone, or spoke no TLS: `ssl.SSLError` is one
            caller.close()
