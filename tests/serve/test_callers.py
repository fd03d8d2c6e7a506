"""A provider's connection byte by byte: what is read when, what is carried when, and who hears what.

`test_app.py` and `end_to_end` play it over real sockets; here bytes and moments are handed to the protocol as asyncio
would.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from uvicorn.server import ServerState

from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider, Setup
from gateway.http import Request, Response
from gateway.serve.callers import CallerProtocol

from .helpers import Mirror, connected, ended, heard, until
from .test_app import Place, get, place
from .test_wire import Wire, pieces_of

CHUNKED = (
    b"POST /acme/one?a=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5;x=y\r\n{"a":\r\n2\r\n1}\r\n0\r\nX-Trailer: evil\r\n\r\n'
)
LENGTH = b"POST /acme/two HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-2\r\nContent-Length: 7\r\n\r\n" + b'{"b":2}'
STRANGER = b"POST /nobody HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-3\r\nContent-Length: 2\r\n\r\n{}"
STREAM = CHUNKED + b"\r\n" + LENGTH + STRANGER + LENGTH.replace(b"two", b"three")


class Gated(Mirror):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
        self.asked.append(request)
        await self.gate.wait()
        return Answer(response=Response(body=b"ok"), kind="debit", outcome="accepted")


class Said(Mirror):
    """Answers always the same."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._response = response

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
        return replace(await super().handle(setup, provider, request, started), response=self._response)


class Flow(Wire):
    """A transport that says whether it is read."""

    reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Line:
    """A connection of a caller, without a network."""

    def __init__(self, engine: Any, *, max_body: int = 1000) -> None:
        self.place = Place(engine, max_body=max_body)
        self.state = ServerState()
        config = uvicorn.Config(self.place.app, timeout_keep_alive=75)
        self.protocol = CallerProtocol(config=config, server_state=self.state, app_state={})
        self.wire = Flow()
        self.protocol.connection_made(self.wire)

    async def hears(self, *pieces: bytes) -> bytes:
        """What is written until nothing moves any more."""
        for piece in pieces:
            self.protocol.data_received(piece)
        for _ in range(20):
            await asyncio.sleep(0)
        said, self.wire.sent[:] = b"".join(self.wire.sent), []
        return said

    def end(self) -> None:
        self.wire.close()
        self.protocol.connection_lost(None)
        self.place.logged()


async def played(engine: Mirror, *pieces: bytes) -> bytes:
    line = Line(engine)
    try:
        return await line.hears(*pieces)
    finally:
        line.end()


# ---------------------------------------------------------------- pieces and cuts


async def test_in_whatever_pieces_requests_come_they_are_the_same() -> None:
    expected = await played(first := Mirror(), STREAM)
    assert [(asked.path, asked.body) for asked in first.asked] == [
        ("/one", b'{"a":1}'),
        ("/two", b'{"b":2}'),
        ("/three", b'{"b":2}'),
    ]
    assert "x-trailer" not in first.asked[0].headers
    assert expected.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert expected.count(b"HTTP/1.1 404 Not Found\r\n") == 1
    ways = [[STREAM[:at], STREAM[at:]] for at in range(1, len(STREAM), 3)]
    for pieces in [*ways, [bytes([byte]) for byte in STREAM]]:
        assert await played(engine := Mirror(), *pieces) == expected
        assert engine.asked == first.asked


@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_in_whatever_many_pieces_requests_come_they_are_the_same(cuts: list[int]) -> None:
    async def play() -> None:
        engine = Mirror()
        assert (await played(engine, *pieces_of(STREAM, cuts))).count(b"HTTP/1.1 200 OK\r\n") == 3
        assert len(engine.asked) == 3

    asyncio.run(play())


@settings(deadline=None, max_examples=60)
@given(at=st.integers(0, 2000), byte=st.integers(0, 255))
def test_a_damaged_request_ends_nothing_but_its_connection(at: int, byte: int) -> None:
    async def play() -> None:
        damaged = bytearray(STREAM)
        damaged[at % len(damaged)] = byte
        said = await played(Mirror(), bytes(damaged))
        assert not said or said.startswith(b"HTTP/1.1 ")

    asyncio.run(play())


@pytest.mark.parametrize("whole", [CHUNKED, LENGTH], ids=["chunked", "length"])
async def test_a_request_cut_at_any_byte_is_never_carried(whole: bytes) -> None:
    """A bet whose amount is cut off is another bet."""
    async with place(engine := Mirror()) as here:
        for at in range(len(whole)):
            async with connected(here.port) as (reader, writer):
                writer.write(whole[:at])
                writer.write_eof()
                assert await ended(reader)
        assert engine.asked == []


# ---------------------------------------------------------------- one call at a time


async def test_calls_of_one_connection_are_carried_one_after_the_other() -> None:
    line = Line(engine := Gated())
    assert await line.hears(get("/acme/one"), get("/acme/two")) == b""
    assert [asked.path for asked in engine.asked] == ["/one"]
    assert not line.wire.reading, "what comes meanwhile stays with the caller"
    engine.gate.set()
    assert (await line.hears()).count(b"\r\n\r\nok") == 2
    assert [asked.path for asked in engine.asked] == ["/one", "/two"]
    assert line.wire.reading
    line.end()


async def test_while_one_call_is_carried_the_connection_is_read_so_that_its_end_is_noticed() -> None:
    line = Line(Gated())
    await line.hears(get("/acme/one"), b"GET /acme/two HTTP/1.1\r\n")
    assert line.wire.reading
    line.end()


async def test_who_does_not_read_its_answers_is_carried_no_further() -> None:
    """Else its answers pile up here."""
    line = Line(engine := Mirror())
    line.protocol.pause_writing()
    assert await line.hears(get("/acme/one"), get("/acme/two")) == b""
    assert engine.asked == []
    assert not line.wire.reading
    line.protocol.resume_writing()
    assert (await line.hears()).count(b"HTTP/1.1 200 OK") == 2
    assert line.wire.reading
    line.end()


async def test_nothing_is_carried_for_who_has_gone() -> None:
    """What waited was not read: its caller knows that it was not answered, and comes again."""
    line = Line(engine := Gated())
    await line.hears(get("/acme/one"), get("/acme/two"))
    line.end()
    engine.gate.set()
    await line.hears()
    assert [asked.path for asked in engine.asked] == ["/one"]
    assert len(line.place.unheard) == 1
    assert not line.state.connections
    assert not line.state.tasks


async def test_who_closes_its_half_hears_nothing_and_that_is_told() -> None:
    async with place(engine := Gated()) as here, connected(here.port) as (reader, writer):
        writer.write(get("/acme/x"))
        await until(lambda: here.metrics.inflight["acme"] == 1)
        writer.write_eof()
        assert await ended(reader)
        engine.gate.set()
        await until(lambda: len(here.unheard) == 1)


# ---------------------------------------------------------------- ends


async def test_a_mistake_behind_a_call_takes_no_answer_away() -> None:
    line = Line(engine := Gated())
    await line.hears(get("/acme/one"), get("/acme/two"), b"nonsense\r\n\r\n", get("/acme/three"))
    engine.gate.set()
    said = await line.hears()
    assert said.count(b"\r\n\r\nok") == 2
    assert (said.count(b"connection: close"), said.count(b" 400 ")) == (1, 0)
    assert line.wire.closing
    line.end()


async def test_after_the_last_request_of_a_connection_nothing_is_carried() -> None:
    said = await played(engine := Mirror(), get("/acme/one", "Connection: close") + get("/acme/two"))
    assert (len(engine.asked), said.count(b"HTTP/1.1"), b"connection: close" in said) == (1, 1, True)


@pytest.mark.parametrize("headers", [[], ["Connection: keep-alive"]], ids=["", "kept"])
async def test_http_1_0_is_answered_once(headers: list[str]) -> None:
    line = Line(Mirror())
    said = await line.hears(get("/acme/one", *headers).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (said.count(b"200 OK"), said.count(b"connection: close"), line.wire.closing) == (1, 1, True)
    line.end()


async def test_a_server_that_ends_waits_for_what_is_under_way() -> None:
    idle, begun, carried = Line(Mirror()), Line(Mirror()), Line(engine := Gated())
    await begun.hears(LENGTH[:-3])
    await carried.hears(LENGTH)
    for line in (idle, begun, carried):
        line.protocol.shutdown()
    assert (idle.wire.closing, begun.wire.closing, carried.wire.closing) == (True, False, False)
    engine.gate.set()
    for line, rest in ((begun, LENGTH[-3:]), (carried, b"")):
        said = await line.hears(rest)
        assert (said.count(b"200 OK"), said.count(b"connection: close"), line.wire.closing) == (1, 1, True)
    for line in (idle, begun, carried):
        line.end()


async def test_a_cancelled_call_closes_its_connection() -> None:
    """The process ends before the wallet answers: its caller hears no half of an answer."""
    line = Line(Gated())
    await line.hears(LENGTH)
    (task,) = line.state.tasks
    task.cancel()
    assert await line.hears() == b""
    assert line.wire.closing
    line.end()


async def test_idle_connections_are_closed() -> None:
    async with place(quick=True) as here:
        assert here.listener is not None
        here.listener.config.timeout_keep_alive = 0
        async with connected(here.port) as (reader, writer):
            writer.write(get("/acme/x"))
            assert (await heard(reader))[0] == 200
            assert await ended(reader)


# ---------------------------------------------------------------- answers


async def test_a_caller_that_asks_first_is_told_to_go_on() -> None:
    line = Line(engine := Mirror())
    asks = LENGTH.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1)
    assert await line.hears(asks[:-7]) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await line.hears(asks[-7:])).startswith(b"HTTP/1.1 200 OK\r\n")
    assert not (await line.hears(asks)).startswith(b"HTTP/1.1 100"), "it did not wait"
    assert len(engine.asked) == 2
    line.end()


@pytest.mark.parametrize(
    ("request_", "status"),
    [(LENGTH.replace(b"Length: 7", b"Length: 7000"), b"413"), (STRANGER, b"404")],
    ids=["large", "stranger"],
)
async def test_a_caller_that_asks_first_and_in_vain_is_told_so(request_: bytes, status: bytes) -> None:
    head = request_.split(b"\r\n\r\n")[0] + b"\r\nExpect: 100-continue\r\n\r\n"
    assert (await played(Mirror(), head)).startswith(b"HTTP/1.1 " + status)


async def test_a_large_body_is_read_for_a_while_and_kept_never() -> None:
    line = Line(engine := Mirror())
    said = await line.hears(
        b"POST /acme/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001
    )
    assert said.startswith(b"HTTP/1.1 413 ")
    assert not line.wire.closing, "its caller may not have read the answer"
    for _ in range(16):
        await line.hears(b"\r\n10000\r\n" + b"x" * 0x10000)
    assert line.wire.closing
    assert engine.asked == []
    line.end()


@pytest.mark.parametrize(
    "rest",
    [b"0\r\nX: " + b"y" * 40_000, b"0\r\n" + b"X: y\r\n" * 6000, b"1;x=" + b"y" * 40_000],
    ids=["line", "many", "size"],
)
async def test_what_stands_around_a_body_has_its_limit(rest: bytes) -> None:
    """A trailer without end would be gathered until the memory is full."""
    line = Line(engine := Mirror())
    begin = CHUNKED.split(b"0\r\n")[0]
    said = await line.hears(begin, *pieces_of(rest, list(range(0, len(rest), 4000))))
    assert said.startswith(b"HTTP/1.1 431 ")
    assert line.wire.closing
    assert engine.asked == []
    line.end()


async def test_a_body_in_chunks_of_a_byte_passes() -> None:
    body = (
        b"POST /acme/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1\r\nx\r\n" * 60_000
        + b"0\r\n\r\n"
    )
    line = Line(engine := Said(Response()), max_body=65536)
    assert (await line.hears(*pieces_of(body, list(range(0, len(body), 3000))))).startswith(b"HTTP/1.1 200 ")
    assert engine.asked[0].body == b"x" * 60_000
    line.end()


async def test_large_bodies_wait_for_their_turn_and_fill_nothing() -> None:
    line = Line(engine := Gated())
    large = LENGTH.replace(b"Length: 7", b"Length: 5000")[:-7] + b"x" * 5000
    await line.hears(get("/acme/one") + large + get("/acme/three"))
    engine.gate.set()
    said = await line.hears()
    assert [said.count(b"200 OK"), said.count(b" 413 ")] == [1, 1]
    assert line.wire.closing
    assert [asked.path for asked in engine.asked] == ["/one"]
    line.end()


async def test_a_status_that_http_does_not_know_has_no_phrase() -> None:
    """Some pages say their own numbers so: the answer stands as any other."""
    said = await played(Said(Response(status=603, body=b"{}")), get("/acme/x") + get("/acme/x"))
    assert said.startswith(b"HTTP/1.1 603 \r\n")
    assert said.count(b"content-length: 2\r\n") == 2


async def test_the_answer_to_head_has_no_body() -> None:
    said = await played(Said(Response(body=b"four")), get("/acme/x").replace(b"GET", b"HEAD") + get("/acme/x"))
    first, second = said.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert b"content-length: 4\r\n" in first
    assert (first.endswith(b"\r\n\r\n"), second.endswith(b"\r\n\r\nfour")) == (True, True)


@pytest.mark.parametrize(
    "headers", [{"x-a": "1\r\nset-cookie: x"}, {"x-a\r\nb": "1"}, {"x-a": "€"}], ids=["value", "name", "no latin-1"]
)
async def test_a_header_that_cannot_be_sent_is_our_bug(headers: dict[str, str]) -> None:
    """What a player is called must not write headers of our answer."""
    line = Line(Said(Response(headers=headers, body=b"secret")))
    said = await line.hears(get("/acme/x"))
    assert said.startswith(b"HTTP/1.1 500 ")
    assert said.endswith(b"\r\n\r\ninternal error\n")
    line.wire.close()
    line.protocol.connection_lost(None)
    bug, call = line.place.logged()
    assert (bug["level"], bug["event"], call["event"]) == ("error", "the answer cannot be written", "call")
    assert "secret" not in json.dumps(bug)


async def test_whoever_asks_for_another_protocol_hears_this_one() -> None:
    said = await played(engine := Mirror(), get("/acme/x", "Upgrade: websocket", "Connection: Upgrade") + b"\x81\x00")
    assert (len(engine.asked), said.count(b"200 OK"), said.count(b"HTTP/1.1")) == (1, 1, 1)


@pytest.mark.parametrize(
    ("line", "path", "query", "target"),
    [
        ("/acme/x?a=1?b&c=%20", "/x", "a=1?b&c=%20", "/acme/x?a=1?b&c=%20"),
        ("http://gateway.example/acme/x?a=1", "/x", "a=1", "http://gateway.example/acme/x?a=1"),
        ("/acme/x?a=1#f", "/x", "a=1", "/acme/x?a=1#f"),
        ("/acme?a", "/", "a", "/acme?a"),
    ],
)
async def test_what_is_asked_for(line: str, path: str, query: str, target: str) -> None:
    await played(engine := Mirror(), get(line))
    (asked,) = engine.asked
    assert (asked.path, asked.query, asked.target) == (path, query, target)


# ---------------------------------------------------------------- time


async def within(here: Place, act: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> tuple[int, bool]:
    """(the status that is heard, whether the connection ends then)."""
    async with connected(here.port) as (reader, writer):
        await act(writer)
        status, _, _ = await heard(reader)
        return status, await ended(reader)


async def test_a_body_that_had_to_wait_for_its_turn_has_its_whole_time_from_there() -> None:
    """The time of the call before it is not its caller's."""
    async with place(engine := Gated(), quick=True) as here, connected(here.port) as (reader, writer):
        writer.write(get("/acme/one") + LENGTH[:-3])
        await until(lambda: here.metrics.inflight["acme"] == 1)
        await asyncio.sleep(0.35)  # more than a request may take here
        engine.gate.set()
        assert (await heard(reader))[0] == 200
        writer.write(LENGTH[-3:])
        assert (await heard(reader))[0] == 200
    assert [asked.body for asked in engine.asked] == [b"", b'{"b":2}']


async def test_a_strangers_body_that_never_comes_ends_its_connection() -> None:
    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(STRANGER[:-1])

    async with place(quick=True) as here:
        assert await within(here, act) == (404, True)
