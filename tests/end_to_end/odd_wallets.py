"""Wallets that misbehave on the wire: a player's name says how. Everybody else is served well."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from gateway.http import Request
from gateway.play.teller import Teller
from gateway.play.wallet import WalletServer

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
Answer = Callable[[bytes], bytes]
"""What the wallet would have answered -> what it writes."""


def reply(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _json(body: bytes) -> bytes:
    return reply("200 OK", body, "content-type: application/json")


def _half(good: bytes) -> bytes:
    return _json(good[: len(good) // 2])


def _cut(good: bytes) -> bytes:
    whole = _json(good)
    return whole[: -len(good) // 2 or -1]


def _twice(good: bytes) -> bytes:
    return _json(good[:-1] + b"," + good[1:])


ANSWERS: Mapping[str, Answer] = {
    "html": lambda good: reply("200 OK", HTML, "content-type: text/html"),
    "empty": lambda good: _json(b""),
    "half": _half,
    "twice": _twice,
    "list": lambda good: _json(b"[" + good + b"]"),
    "null": lambda good: _json(b"null"),
    "object": lambda good: _json(b"{}"),
    "500": lambda good: reply("500 Internal Server Error", b"oops"),
    "502-with-a-good-body": lambda good: reply("502 Bad Gateway", good, "content-type: application/json"),
    "202": lambda good: reply("202 Accepted", good, "content-type: application/json"),
    "204": lambda good: b"HTTP/1.1 204 No Content\r\n\r\n",
    "301": lambda good: reply("301 Moved Permanently", b"", "location: /elsewhere"),
    "307": lambda good: reply("307 Temporary Redirect", b"", "location: /elsewhere"),
    "cut": _cut,
    "nonsense": lambda good: b"SMTP ready\r\n\r\n",
    "hangs-up": lambda good: b"",
}
"""Each is doubt, whatever the dialect. `silent` is no answer at all."""
BREAKS = frozenset({"cut", "nonsense", "hangs-up"})
"""After these the connection is over. After the others it is not: to close it unannounced would spoil a good call."""
SILENT = "silent"


class OddWallet:
    """A wallet whose purse does what it is asked, and whose answers to some players are spoilt."""

    def __init__(self, server: WalletServer, answers: Mapping[str, Answer] = ANSWERS) -> None:
        self.teller: Teller = server.teller
        self.answers = answers
        self.targets: list[str] = []
        self.url = ""
        self._over = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[OddWallet]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self._over.set()
            server.close()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        over = asyncio.create_task(self._over.wait())
        try:
            while not self._over.is_set():
                reading = asyncio.create_task(_request(reader))
                await asyncio.wait({reading, over}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    reading.cancel()
                    break
                if not await self._answered(reading.result(), writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the gateway went away
        finally:
            over.cancel()
            writer.close()
            self._calls.discard(task)

    async def _answered(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection lives on."""
        self.targets.append(request.target)
        good = self.teller.answer(request, datetime.now(UTC), str(uuid.uuid4())).response
        oddity = self._oddity(request)
        if oddity == SILENT:
            await self._over.wait()
            return False
        if oddity is None:
            writer.write(reply(f"{good.status} Said", good.body, "content-type: application/json"))
        else:
            writer.write(self.answers[oddity](good.body))
        await writer.drain()
        return oddity not in BREAKS

    def _oddity(self, request: Request) -> str | None:
        said = request.body.decode() + request.target
        names = sorted((*self.answers, SILENT), key=len, reverse=True)
        return next((name for name in names if f"odd-{name}-player" in said), None)


def player(oddity: str) -> str:
    """The player for whom the wallet misbehaves like this."""
    return f"odd-{oddity}-player"


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    return Request(method=method, path=path, query=query, headers=headers, body=body, target=target)


def other(field: str, value: object) -> Answer:
    """A good answer about somebody or something else."""

    def answer(good: bytes) -> bytes:
        said = json.loads(good)
        assert field in said, f"{field} is not in {said}"
        return _json(json.dumps(said | {field: value}).encode())

    return answer
