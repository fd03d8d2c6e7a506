"""A TCP proxy that makes a network bad: latency, resets, cut answers, black holes, by a seeded schedule.

Every chunk is read at once and handed on later, so what the proxy saw and when does not depend on
what it does with it. A `hole` loses what comes; a `hold` delivers it when it is over, as a network
does that was only away: a request may arrive long after its sender gave it up.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

CHUNK = 1 << 16
CUT_BYTES_MAX = 400  # of one direction of a connection: within the head or the body of an answer
DAMAGED_RATE = 0.3  # of the connections that `reset` and `cut` meet
CONNECT_SECONDS_MAX = 3.0
RST = struct.pack("ii", 1, 0)  # SO_LINGER 0: closing sends a reset, and what is unsent is lost

Saw = Callable[[bytes, float], None]
"""(a chunk towards the server, `time.time()` when it left its sender)"""


class Toxic(Struct, frozen=True, kw_only=True):
    """What is wrong with the network for a while. `kind`: latency, reset, cut, hole, hold."""

    kind: str
    at: float  # seconds after the begin
    seconds: float
    latency: float = 0.0
    jitter: float = 0.0


NONE = Toxic(kind="none", at=0.0, seconds=0.0)
LONGEST = {"latency": 3.0, "reset": 2.0, "cut": 2.0, "hole": 3.5, "hold": 3.0}


def schedule(seed: str, kinds: tuple[str, ...], seconds: float, *, every: float, latency: float) -> list[Toxic]:
    """One toxic after the other, with good times between; each kind once before any comes again."""
    chance = random.Random(seed)
    found: list[Toxic] = []
    bag: list[str] = []
    at = chance.uniform(0.3, 1.0) * every
    while at < seconds:
        bag = bag or chance.sample(kinds, len(kinds))
        kind = bag.pop()
        lasts = min(chance.uniform(0.3, 1.0) * LONGEST[kind], seconds - at)
        slow = chance.uniform(0.2, 1.0) * latency if kind == "latency" else 0.0
        found.append(Toxic(kind=kind, at=at, seconds=lasts, latency=slow, jitter=slow / 2))
        at += lasts + chance.uniform(0.5, 1.5) * every
    return found


class Proxy:
    """Between everybody and one server. `toxic` holds for what is read from now on."""

    def __init__(self, host: str, port: int, *, seed: str, saw: Saw = lambda chunk, at: None) -> None:
        self._host, self._port, self.saw = host, port, saw
        self._chance = random.Random(seed)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.toxic = NONE
        self.over = asyncio.Event()  # of the toxic of now
        self.counts: Counter[str] = Counter()
        self.port = 0

    def turn(self, toxic: Toxic) -> None:
        """From now on; connections that lost something in a hole are of no use any more."""
        before, self.toxic = self.toxic, toxic
        self.over.set()
        self.over = asyncio.Event()
        if toxic.kind != "none":
            self.counts[f"times of {toxic.kind}"] += 1
        for link in list(self._links):
            if before.kind == "hole" and link.lost:
                link.reset()
            elif toxic.kind == "reset" and self._chance.random() < DAMAGED_RATE:
                self.counts["connections reset"] += 1
                link.reset()

    async def follow(self, toxics: list[Toxic]) -> None:
        """Turns as a schedule says; good weather at its end, whatever happens."""
        began = time.monotonic()
        try:
            for toxic in toxics:
                await asyncio.sleep(began + toxic.at - time.monotonic())
                self.turn(toxic)
                await asyncio.sleep(toxic.seconds)
                self.turn(NONE)
        finally:
            self.turn(NONE)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- for its connections

    def delay(self) -> float:
        toxic = self.toxic
        return max(0.0, self._chance.gauss(toxic.latency, toxic.jitter)) if toxic.latency else 0.0

    def draw(self, kind: str) -> bool:
        """Whether this toxic holds now and meets this connection."""
        return self.toxic.kind == kind and self._chance.random() < DAMAGED_RATE

    def cut_after(self) -> int:
        return self._chance.randrange(CUT_BYTES_MAX)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.carry(self._host, self._port)
        finally:
            link.end()
            self._links.discard(link)


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy, self._reader = proxy, reader
        self._writers = [writer]
        self.lost = self._clean = self._waited = False

    async def carry(self, host: str, port: int) -> None:
        while self._proxy.toxic.kind in ("hole", "hold"):  # a connection attempt is lost, too
            self._waited = True
            await self._proxy.over.wait()
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            self._proxy.counts["server not there"] += 1
            return
        self._writers.append(writer)
        ways = [
            asyncio.create_task(self._way(self._reader, writer, up=True)),
            asyncio.create_task(self._way(reader, self._writers[0], up=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def end(self) -> None:
        """As its ends did, or with a reset."""
        if not self._clean:
            return self.reset()
        for writer in self._writers:
            writer.close()
        return None

    def reset(self) -> None:
        for writer in self._writers:
            kept: socket.socket | None = writer.get_extra_info("socket")
            if kept is not None and kept.fileno() >= 0 and not writer.is_closing():
                with contextlib.suppress(OSError):
                    kept.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
            writer.transport.abort()

    async def _way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        """Reads at once; hands on when it is time."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        reading = asyncio.create_task(self._read_on(reader, queue, up=up))
        try:
            await self._hand_on(queue, writer, up=up)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read_on(
        self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]], *, up: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(CHUNK):
                if up and not self._waited:
                    self._proxy.saw(chunk, time.time())
                queue.put_nowait((time.monotonic() + self._proxy.delay(), chunk))
        queue.put_nowait((0.0, b""))

    async def _hand_on(
        self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        proxy = self._proxy
        with contextlib.suppress(ConnectionError):
            while True:
                when, chunk = await queue.get()
                await asyncio.sleep(when - time.monotonic())
                while proxy.toxic.kind == "hold":
                    proxy.counts["chunks held back"] += 1
                    await proxy.over.wait()
                if not chunk:
                    self._clean = True
                    return
                if proxy.toxic.kind == "hole":
                    proxy.counts["chunks lost"] += 1
                    self.lost = True
                    continue
                if proxy.draw("reset"):
                    proxy.counts["connections reset"] += 1
                    return
                cut = proxy.cut_after() if proxy.draw("cut") else len(chunk)
                writer.write(chunk[:cut])
                await writer.drain()
                if cut < len(chunk):
                    proxy.counts["answers cut" if not up else "requests cut"] += 1
                    await asyncio.sleep(0.01)  # what was handed on arrives before the reset
                    return
