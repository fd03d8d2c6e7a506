"""What workers and their supervisor say to each other: JSON lines over a socket pair.

Counters of all workers make one scrape: each tells its numbers every second, and at once when
another one is asked for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Struct

from gateway.serve.metrics import Metrics, Snapshot

LINE_MAX = 64 << 20
TELL_SECONDS = 1.0
SCRAPE_SECONDS_MAX = 1.0  # after which a scrape shows what is known


class Seat(Struct, frozen=True):
    """What a worker is given: the sockets of providers and admin, and its end of the talk. `again`: it takes
    the place of one that died, with the configuration that is in use."""

    sockets: Sequence[socket.socket]
    end: socket.socket
    again: bool = False


class FromWorker(Struct, frozen=True, omit_defaults=True):
    """`numbers`: what it counted. `scraped`: it wants those of all the others. `reloaded`: how that went."""

    ready: bool = False
    numbers: Snapshot | None = None
    scraped: bool = False
    reloaded: bool | None = None


class ToWorker(Struct, frozen=True, omit_defaults=True):
    """`others`: what the other workers counted, the dead ones included. `reload`: the configuration's
    next generation; `first` decides whether it may be used."""

    tell: bool = False
    others: list[Snapshot] | None = None
    reload: int = 0
    first: bool = False


encode = msgspec.json.Encoder().encode
from_worker = msgspec.json.Decoder(FromWorker).decode
to_worker = msgspec.json.Decoder(ToWorker).decode


class Family:
    """A worker's end."""

    def __init__(self, end: socket.socket, metrics: Metrics) -> None:
        self._end, self._metrics = end, metrics
        self._writer: asyncio.StreamWriter | None = None
        self._others: asyncio.Future[Sequence[Snapshot]] | None = None

    async def live(self, reload: Callable[[int, bool], Awaitable[bool]], alone: Callable[[], None]) -> None:
        """Listens to the supervisor; `alone` is called when it is gone."""
        reader, self._writer = await asyncio.open_connection(sock=self._end, limit=LINE_MAX)
        self._say(FromWorker(ready=True))
        telling = asyncio.get_running_loop().create_task(self._telling())
        try:
            while line := await reader.readline():
                await self._heed(to_worker(line), reload)
            alone()
        finally:
            telling.cancel()
            self._writer.close()

    async def others(self) -> Sequence[Snapshot]:
        """What the other workers counted."""
        if self._others is None or self._others.done():
            self._others = asyncio.get_running_loop().create_future()
            self._say(FromWorker(scraped=True))
        try:
            async with asyncio.timeout(SCRAPE_SECONDS_MAX * 2):
                return await asyncio.shield(self._others)
        except TimeoutError:
            return ()

    async def _heed(self, message: ToWorker, reload: Callable[[int, bool], Awaitable[bool]]) -> None:
        if message.tell:
            self._say(FromWorker(numbers=self._metrics.snapshot()))
        if message.others is not None and self._others is not None and not self._others.done():
            self._others.set_result(message.others)
        if message.reload:
            self._say(FromWorker(reloaded=await reload(message.reload, message.first)))

    async def _telling(self) -> None:
        while True:
            self._say(FromWorker(numbers=self._metrics.snapshot()))
            await asyncio.sleep(TELL_SECONDS)

    def _say(self, message: FromWorker) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(encode(message) + b"\n")
