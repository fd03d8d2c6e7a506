"""The proxy does to a connection what it says, and nothing in good weather."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.fates import WALLET_TOXICS
from tests.chaos.toxics import NONE, Proxy, Toxic, schedule
from tests.end_to_end.processes import until

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LINE = b"x" * 1000 + b"\n"


class Echo:
    """A server that says what it is told, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self.port = self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1 << 16):
                self.heard += chunk
                writer.write(chunk)
        writer.close()
        self.open -= 1


@asynccontextmanager
async def behind(seed: str = "1") -> AsyncIterator[tuple[Echo, Proxy]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    echo.port = server.sockets[0].getsockname()[1]
    try:
        async with Proxy("127.0.0.1", echo.port, seed=seed).serving() as proxy:
            yield echo, proxy
        await until(lambda: not echo.open)
    finally:
        server.close()


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def said(ends: Ends, line: bytes = LINE) -> bytes:
    ends[1].write(line)
    return await asyncio.wait_for(ends[0].readline(), 5)


def weather(kind: str, **more: float) -> Toxic:
    return Toxic(kind=kind, at=0.0, seconds=1.0, **more)


async def test_good_weather() -> None:
    async with behind() as (_, proxy), connected(proxy) as ends:
        assert await said(ends) == LINE
        ends[1].write_eof()
        assert await asyncio.wait_for(ends[0].read(), 5) == b""


async def test_latency_delays_and_keeps_the_order() -> None:
    async with behind() as (_, proxy), connected(proxy) as ends:
        proxy.turn(weather("latency", latency=0.1))
        began = time.monotonic()
        assert [await said(ends, line) for line in (b"1\n", b"2\n")] == [b"1\n", b"2\n"]
        assert time.monotonic() - began >= 0.4  # there and back, twice


async def test_a_reset_meets_connections_that_are_open() -> None:
    async with behind() as (_, proxy):
        for _ in range(40):
            async with connected(proxy) as ends:
                assert await said(ends) == LINE
                proxy.turn(weather("reset"))
                proxy.turn(NONE)
                if proxy.counts["connections reset"]:
                    with pytest.raises(ConnectionResetError):
                        await said(ends)
                    return
    pytest.fail("nobody was reset")


async def test_a_cut_lets_through_a_part() -> None:
    async with behind() as (_, proxy):
        proxy.turn(weather("cut"))
        for _ in range(40):
            async with connected(proxy) as ends:
                ends[1].write(LINE)
                try:
                    got = await asyncio.wait_for(ends[0].read(len(LINE)), 5)
                except ConnectionResetError:  # the request was cut
                    continue
                if got and got != LINE:
                    assert LINE.startswith(got)
                    return
    pytest.fail("no answer was cut")


async def test_a_hole_loses_and_its_connections_die() -> None:
    async with behind() as (echo, proxy), connected(proxy) as ends:
        assert await said(ends) == LINE
        proxy.turn(weather("hole"))
        ends[1].write(b"lost\n")
        await until(lambda: proxy.counts["chunks lost"] == 1)
        proxy.turn(NONE)
        with pytest.raises(ConnectionResetError):
            await said(ends)
        assert b"lost" not in echo.heard


async def test_what_was_held_arrives_although_its_sender_has_gone() -> None:
    async with behind() as (echo, proxy):
        async with connected(proxy) as ends:
            assert await said(ends) == LINE
            proxy.turn(weather("hold"))
            ends[1].write(b"late\n")
        await until(lambda: proxy.counts["chunks held back"] == 1)
        assert b"late" not in echo.heard
        proxy.turn(NONE)
        await until(lambda: b"late" in echo.heard)


def test_a_schedule_is_its_seed_and_has_every_kind() -> None:
    one, same, other = (schedule(seed, WALLET_TOXICS, 60, every=3, latency=0.5) for seed in ("1", "1", "2"))
    assert one == same != other
    assert {toxic.kind for toxic in one} == set(WALLET_TOXICS)
    assert all(toxic.at + toxic.seconds <= 60 for toxic in one)
    assert all(before.at + before.seconds < after.at for before, after in itertools.pairwise(one))
