"""A TCP proxy before PostgreSQL that loses what a test says: the confirmation of a commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

CONFIRMED = b"COMMIT\x00"  # the tag of a command that is complete


class Proxy:
    """`lose`: so many of the next confirmations are swallowed, and their connection breaks."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = 0
        self.lose = self.lost = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        up_reader, up_writer = await asyncio.open_connection(self._there.hostname, self._there.port)
        self._writers |= {writer, up_writer}
        await asyncio.gather(
            _copied(reader, up_writer, writer, lambda data: True), _copied(up_reader, writer, up_writer, self._passes)
        )
        self._open -= 1

    def _passes(self, data: bytes) -> bool:
        if not self.lose or CONFIRMED not in data:
            return True
        self.lose -= 1
        self.lost += 1
        return False

    async def ended(self) -> None:
        for writer in self._writers:
            writer.close()
        while self._open:  # noqa: ASYNC110  # connections tell nobody when they have ended
            await asyncio.sleep(0.01)


async def _copied(
    reader: asyncio.StreamReader, to: asyncio.StreamWriter, back: asyncio.StreamWriter, passes: Callable[[bytes], bool]
) -> None:
    """Until one end is closed, or something does not pass; then both are."""
    with contextlib.suppress(ConnectionError):
        while (data := await reader.read(1 << 16)) and passes(data):
            to.write(data)
            await to.drain()
    to.close()
    back.close()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    proxy.url = url.replace(f":{parts.port}/", f":{port}/")
    try:
        yield proxy
    finally:
        server.close()
        await proxy.ended()
