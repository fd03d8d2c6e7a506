"""Many callers of one gateway at once, each with a connection of its own: signed calls of Scorpio Play, from one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from bench import bets

Said = dict[str, Any]


class Heard(Struct, frozen=True):
    """What one call heard, and when."""

    call: str
    word: str
    seconds: float
    body: Said


class Caller(asyncio.Protocol):
    """One connection, one call at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, found, body = self._came.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head) and self._answer is not None:
            self._came = b""
            self._answer.set_result(body)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("cut off"))

    async def call(self, body: Said, word: str) -> Heard:
        began, self._answer = time.monotonic(), asyncio.get_running_loop().create_future()
        self._transport.write(request(body))  # type: ignore[attr-defined]  # TCP: a transport that writes
        answer = msgspec.json.decode(await self._answer)
        return Heard(word, answer["statusCode"], time.monotonic() - began, body)

    def leave(self) -> None:
        self._transport.abort()  # type: ignore[attr-defined]  # as above


def _length(head: bytes) -> int:
    (line,) = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(line.partition(b":")[2])


def request(body: Said) -> bytes:
    text = bets.text(body)
    head = (
        f"POST /sp HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
        f"x-request-signature: {bets.signature(body)}\r\ncontent-length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


class Crowd:
    """Callers that are connected; what they heard."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._callers: list[Caller] = []
        self.heard: list[Heard] = []

    async def comes(self, number: int) -> None:
        for _ in range(number):
            _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", self._port)
            self._callers.append(caller)

    async def goes_on(self, seconds: float, made: Callable[[], tuple[str, Said]]) -> None:
        """Every caller, one call after the other, without a pause."""
        end = time.monotonic() + seconds

        async def one(caller: Caller) -> None:
            while time.monotonic() < end:
                word, body = made()
                self.heard.append(await caller.call(body, word))

        await asyncio.gather(*map(one, self._callers))

    async def comes_at(self, rate: float, seconds: float, made: Callable[[], tuple[str, Said]]) -> None:
        """So many calls a second, whatever becomes of those before; callers that are free make them."""
        calls: list[asyncio.Task[None]] = []

        async def one(word: str, body: Said) -> None:
            if not self._callers:
                await self.comes(1)
            caller = self._callers.pop()
            self.heard.append(await caller.call(body, word))
            self._callers.append(caller)

        begun = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            calls.append(asyncio.create_task(one(*made())))
        await asyncio.gather(*calls)

    def leaves(self) -> None:
        for caller in self._callers:
            caller.leave()
