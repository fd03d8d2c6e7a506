"""The provider side over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from gateway.auth.guards import Guard
from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider, Setup
from gateway.http import Request
from gateway.serve.app import Carrier, Current, ProviderApp, peer
from gateway.serve.callers import CallerProtocol
from gateway.serve.config import Tls
from gateway.serve.intake import Caller, Intake
from gateway.serve.listener import Listener, tls_context
from gateway.serve.logs import Log, Writer
from gateway.serve.metrics import Metrics

from .helpers import Authority, Mirror, connected, ended, heard, key, listening, provider, setup, until

JSON_POST = b"POST /acme/v1/bet?a=%20b&c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Request-Id: r-1\r\n\r\n{}"


class Quick(CallerProtocol):
    request_seconds_max = 0.3


class Place:
    """An application on a port, and all that stands around it."""

    def __init__(self, engine: Carrier, *, max_body: int = 1000, trusted: str = "") -> None:
        guarded = provider("guarded", Guard(path_token=(key("to%2Fken", "p"),)))
        networks = (ip_network(trusted),) if trusted else ()
        self.read, write = os.pipe()
        os.set_blocking(self.read, False)
        self._write = write
        self.writer = Writer(write)
        self.current = Current(setup(provider(), guarded), max_body=max_body, trusted=networks)
        self.metrics = Metrics()
        self.unheard: list[Answer] = []
        self.app = ProviderApp(
            engine, self.current, self.metrics, Log(self.writer), lambda provider, answer: self.unheard.append(answer)
        )
        self.port = 0
        self.listener: Listener | None = None

    def logged(self) -> list[dict[str, object]]:
        self.writer.close()
        os.close(self._write)
        with os.fdopen(self.read, "rb") as pipe:
            return [json.loads(line) for line in pipe.read().splitlines()]


@asynccontextmanager
async def place(
    engine: Carrier | None = None, *, max_body: int = 1000, trusted: str = "", quick: bool = False
) -> AsyncIterator[Place]:
    found = Place(engine or Mirror(), max_body=max_body, trusted=trusted)
    async with listening(found.app, protocol=Quick if quick else CallerProtocol) as (found.listener, port):
        found.port = port
        yield found


async def ask(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    async with connected(port) as (reader, writer):
        writer.write(request)
        return await heard(reader)


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


async def test_a_call_reaches_the_engine_as_it_was_sent() -> None:
    async with place() as here:
        status, headers, body = await ask(here.port, JSON_POST)
    seen = json.loads(body)
    assert (status, headers["x-request-id"], headers["content-type"]) == (200, "r-1", "application/json")
    assert (seen["path"], seen["query"], seen["body"]) == ("/v1/bet", "a=%20b&c", "{}")
    assert seen["target"] == "/acme/v1/bet?a=%20b&c"
    assert (seen["peer"], seen["provider"]) == ("127.0.0.1", "acme")


async def test_one_line_a_call_is_logged() -> None:
    async with place() as here:
        await ask(here.port, JSON_POST)
    (line,) = here.logged()
    assert line["event"] == "call"
    assert (line["provider"], line["kind"], line["outcome"]) == ("acme", "debit", "accepted")
    assert (line["transaction"], line["request_id"], line["status"]) == ("t-1", "r-1", 200)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/acme", "/"),
        ("/acme/", "/"),
        ("/acme/v1/bet/", "/v1/bet/"),
        ("/acme//v1", "//v1"),
        ("/acme/%2e%2e/x", "/%2e%2e/x"),
        ("/guarded/to%2Fken/v1/bet", "/v1/bet"),
        ("/guarded/to%2Fken", "/"),
    ],
)
async def test_paths_are_cut_raw(path: str, seen: str) -> None:
    async with place() as here:
        status, _, body = await ask(here.port, get(path))
    assert (status, json.loads(body)["path"]) == (200, seen)


@pytest.mark.parametrize(
    "path", ["/", "/nobody/v1", "/Acme/v1", "/%61cme/v1", "//acme/v1", "/guarded/v1", "/guarded", "/guarded/to/ken"]
)
async def test_strangers_are_404(path: str) -> None:
    async with place() as here:
        status, headers, body = await ask(here.port, get(path))
    assert (status, body, "location" in headers) == (404, b"not found\n", False)


async def test_path_tokens_are_counted() -> None:
    async with place() as here:
        await ask(here.port, get("/guarded/wrong/v1"))
        await ask(here.port, get("/guarded/to%2Fken/v1"))
        text = here.metrics.expose("")[0].decode()
    assert 'gateway_signature_failures_total{key="path_token",provider="guarded"} 1.0' in text
    assert 'gateway_key_uses_total{key="p",provider="guarded"} 1.0' in text


@pytest.mark.parametrize("sent", ["", "has space", "x" * 65, "a;b"])
async def test_insane_request_ids_are_replaced(sent: str) -> None:
    async with place() as here:
        _, headers, _ = await ask(here.port, get("/acme/x", f"X-Request-Id: {sent}"))
    assert headers["x-request-id"] not in ("", sent)


@pytest.mark.parametrize("sent", ["r-1", "has space", ""])
async def test_a_dialect_says_the_request_id_that_is_answered_and_logged(sent: str) -> None:
    """Gameball's errors carry a requestId; another one than in the log line helps nobody who asks about it."""
    async with place() as here:
        _, headers, body = await ask(here.port, get("/acme/x", *([f"X-Request-Id: {sent}"] if sent else [])))
    assert json.loads(body)["headers"]["x-request-id"] == headers["x-request-id"]


async def test_repeated_headers_are_joined() -> None:
    async with place() as here:
        _, _, body = await ask(here.port, get("/acme/x", "X-A: 1", "x-a: 2"))
    assert json.loads(body)["headers"]["x-a"] == "1, 2"


@pytest.mark.parametrize("body", [b"x" * 1001, b"x" * 500_000])
@pytest.mark.parametrize("chunked", [False, True])
async def test_large_bodies_are_413(body: bytes, chunked: bool) -> None:
    how = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    wire = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    async with place(engine := Mirror()) as here, connected(here.port) as (reader, writer):
        writer.write(b"POST /acme/x HTTP/1.1\r\nHost: x\r\n" + how + b"\r\n\r\n" + wire)
        status, headers, answer = await heard(reader)
        assert (status, headers["connection"]) == (413, "close")
        assert answer.count(b"\n") == 1
        assert await ended(reader)
    assert engine.asked == []


async def test_a_body_at_the_limit_passes() -> None:
    async with place() as here:
        request = b"POST /acme/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
        status, _, _ = await ask(here.port, request)
    assert status == 200


async def test_a_body_in_pieces_is_whole() -> None:
    async with place() as here, connected(here.port) as (reader, writer):
        writer.write(b"POST /acme/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        await writer.drain()
        writer.write(b"cd")
        _, _, body = await heard(reader)
    assert json.loads(body)["body"] == "abcd"


async def test_a_slow_body_is_408() -> None:
    async with place(engine := Mirror(), quick=True) as here, connected(here.port) as (reader, writer):
        writer.write(b"POST /acme/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        status, headers, _ = await heard(reader)
        assert (status, headers["connection"]) == (408, "close")
        assert await ended(reader)
    assert engine.asked == []


async def test_slow_headers_are_408() -> None:
    async with place(quick=True) as here, connected(here.port) as (reader, writer):
        writer.write(b"POST /acme/x HTTP/1.1\r\nHost: x\r\n")
        assert (await heard(reader))[0] == 408
        assert await ended(reader)


async def test_who_waits_for_us_to_read_is_not_too_slow() -> None:
    """In an overload a caller that has sent everything would be told that it had not."""

    class Full(Intake):
        def take(self, caller: Caller, data: bytes) -> None:
            self._hold(caller, data)

    class Held(Quick):
        full = Full()

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, intake=self.full, **kwargs)

    here = Place(Mirror())
    async with listening(here.app, protocol=Held) as (_, port), connected(port) as (reader, writer):
        writer.write(JSON_POST)
        await asyncio.sleep(2 * Quick.request_seconds_max)
        Held.full.turn()
        assert (await heard(reader))[0] == 200


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_silent_connections_are_closed(sent: bytes) -> None:
    async with place(quick=True) as here, connected(here.port) as (reader, writer):
        writer.write(sent)
        assert await ended(reader)


async def test_slow_headers_wait_for_the_answer_before() -> None:
    class Slow(Mirror):
        async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
            await asyncio.sleep(0.5)
            return await super().handle(setup, provider, request, started)

    async with place(Slow(), quick=True) as here, connected(here.port) as (reader, writer):
        writer.write(get("/acme/one") + b"GET /acme/two")
        status, headers, _ = await heard(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await ended(reader)


@pytest.mark.parametrize(
    "headers",
    [b"".join(b"x-%d: 1\r\n" % n for n in range(101)), b"x: " + b"y" * 16_500 + b"\r\n", b"x: " + b"y" * 20_000],
    ids=["many", "long", "endless"],
)
async def test_excessive_headers_are_431(headers: bytes) -> None:
    async with place() as here, connected(here.port) as (reader, writer):
        writer.write(b"GET /acme/x HTTP/1.1\r\n" + headers)
        if not headers.endswith(b"y"):
            writer.write(b"\r\n")
        assert (await heard(reader))[0] == 431
        assert await ended(reader)


async def test_hundred_headers_pass() -> None:
    async with place() as here:
        status, _, _ = await ask(here.port, get("/acme/x", *(f"X-{n}: {'v' * 100}" for n in range(99))))
    assert status == 200


@pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_nonsense_is_400(request_: bytes) -> None:
    async with place() as here, connected(here.port) as (reader, writer):
        writer.write(request_)
        assert (await heard(reader))[0] in (400, 404)


async def test_our_bug_is_500_counted_and_loud_without_values() -> None:
    class Buggy:
        async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
            raise ValueError(f"cannot read {request.body!r}")

    async with place(Buggy()) as here:
        status, _, body = await ask(here.port, b"POST /acme/x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsecret")
        text = here.metrics.expose("")[0].decode()
    assert (status, body) == (500, b"internal error\n")
    assert 'outcome="unknown",provider="acme",reason="internal"} 1.0' in text
    assert 'gateway_inflight{provider="acme"} 0.0' in text
    bug, _ = here.logged()
    assert (bug["level"], bug["error"]) == ("error", "ValueError")
    assert "handle" in str(bug["frames"])
    assert "secret" not in json.dumps(bug)


async def test_connections_are_kept_and_close_while_draining() -> None:
    async with place() as here, connected(here.port) as (reader, writer):
        for _ in range(3):
            writer.write(get("/acme/x"))
            _, headers, _ = await heard(reader)
            assert "connection" not in headers
        here.current.draining = True
        writer.write(get("/acme/x"))
        status, headers, _ = await heard(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await ended(reader)


async def test_a_call_keeps_its_generation() -> None:
    gate = asyncio.Event()

    class Gated(Mirror):
        async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
            await gate.wait()
            return await super().handle(setup, provider, request, started)

    async with place(Gated()) as here, connected(here.port) as (reader, writer):
        writer.write(get("/acme/x"))
        await until(lambda: here.metrics.inflight["acme"] == 1)
        here.current.setup = Setup(generation=2, providers={}, wallets={}, routes=[])
        gate.set()
        _, _, body = await heard(reader)
        assert json.loads(body)["generation"] == 1
        assert (await ask(here.port, get("/acme/x")))[0] == 404


async def test_an_answer_that_finds_nobody_is_told() -> None:
    gate = asyncio.Event()

    class Gated(Mirror):
        async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
            await gate.wait()
            return await super().handle(setup, provider, request, started)

    async with place(Gated()) as here:
        async with connected(here.port) as (_, writer):
            writer.write(get("/acme/x"))
            await until(lambda: here.metrics.inflight["acme"] == 1)
            writer.transport.abort()
        await until(lambda: here.listener is not None and not here.listener.server_state.connections)
        gate.set()
        await until(lambda: here.metrics.inflight["acme"] == 0)
        await until(lambda: len(here.unheard) == 1)


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1:4000", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4000", "2001:db8::1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.1, unknown", "unknown"),
    ],
)
def test_peer(client: str, forwarded: str, expected: str) -> None:
    assert peer((client, 1), {"x-forwarded-for": forwarded}, [ip_network("10.0.0.0/8")]) == expected


def test_peer_without_trusted_proxies() -> None:
    assert peer(("10.0.0.1", 1), {"x-forwarded-for": "1.1.1.1"}, []) == "10.0.0.1"


async def test_the_callers_certificate_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, private = authority.issue("server")
    context = tls_context(Tls(cert=cert, key=private, client_ca=authority.ca))
    client = ssl.create_default_context(cafile=str(authority.ca))
    client.load_cert_chain(*authority.issue("acme"))
    here = Place(Mirror())
    async with listening(here.app, tls=context, protocol=CallerProtocol) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        writer.write(get("/acme/x"))
        _, _, body = await heard(reader)
        writer.close()
        await writer.wait_closed()
        assert json.loads(body)["certificate"] == "CN=acme"
        stranger = ssl.create_default_context(cafile=str(authority.ca))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _byte_heard(port, stranger)


async def _byte_heard(port: int, context: ssl.SSLContext) -> None:
    """TLS 1.3 tells a client without a certificate only when it reads."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(get("/acme/x"))
    try:
        if await reader.read(1) == b"":
            raise ConnectionError
    finally:
        writer.close()
