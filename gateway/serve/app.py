"""The provider side: `/<provider>[/<path_token>]<the dialect's own path>`.

A bare ASGI callable with one way through it: this is the hot path. What a provider hears is the
engine's; said here is only what no dialect can say: 404, 413, 500, one line of text each.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Protocol

from gateway.auth.guards import path_token_holder
from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider, Setup
from gateway.http import Request, Response
from gateway.serve.live import clock, nonce
from gateway.serve.logs import Log, call_event
from gateway.serve.metrics import Metrics

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Network = IPv4Network | IPv6Network

LINGER_BYTES_MAX = 1 << 20
LINGER_SECONDS_MAX = 2.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


class Carrier(Protocol):
    """Who answers: the engine."""

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer: ...


class Current:
    """What a reload swaps. A call keeps the `setup` that it began with."""

    def __init__(self, setup: Setup, *, max_body: int, trusted: Sequence[Network] = ()) -> None:
        self.setup, self.max_body, self.trusted = setup, max_body, tuple(trusted)
        self.draining = False


class TooLarge(Exception):
    """The body is larger than `server.max_body`. `more`: some of it is still to come."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more


class Gone(Exception):
    """The caller went away, or was sent away, before its request was whole."""


def no_matter(provider: Provider, answer: Answer) -> None:
    """Nobody wants to know which answers found nobody."""


class ProviderApp:
    """The application behind `server.listen`."""

    def __init__(
        self,
        engine: Carrier,
        current: Current,
        metrics: Metrics,
        log: Log,
        unheard: Callable[[Provider, Answer], None] = no_matter,
    ) -> None:
        """`unheard` is told of an answer whose connection was gone before it was written (rule 26)."""
        self._engine, self._current, self._metrics, self._log = engine, current, metrics, log
        self._unheard = unheard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        started: float = state.get("started") or time.monotonic()
        current = self._current
        headers = joined(scope["headers"])
        request_id = headers["x-request-id"] = sane(headers.get("x-request-id", "")) or nonce()
        found = self._find(current.setup, scope["raw_path"].decode("latin-1"))
        if found is None:
            await self._text(send, 404, "not found", request_id)
            return
        provider, path = found
        try:
            body = await whole_body(receive, headers.get("content-length", ""), current.max_body)
        except TooLarge as large:
            await self._too_large(send, receive if large.more else None, request_id)
            return
        except Gone:
            return
        query = scope["query_string"].decode("latin-1")
        target: bytes = state.get("target") or b""
        request = Request(
            method=scope["method"],
            path=path,
            query=query,
            headers=headers,
            body=body,
            peer=peer(scope["client"], headers, current.trusted),
            certificate=state.get("certificate", ""),
            target=target.decode("latin-1"),
        )
        answer = await self._carry(current.setup, provider, request, started, request_id)
        transport = state.get("transport")
        if transport is not None and transport.is_closing():
            self._unheard(provider, answer)
        response = answer.response
        await self._answer(send, response.status, encoded(response), response.body, request_id)
        self._log.call(call_event(provider.name, answer, request_id, time.monotonic() - started))

    def _find(self, setup: Setup, raw: str) -> tuple[Provider, str] | None:
        """The provider that the raw path names, and the dialect's own path; nothing is decoded."""
        name, rest = first_segment(raw)
        provider = setup.providers.get(name)
        if provider is None:
            return None
        tokens = provider.guard.path_token
        if tokens:
            token, rest = first_segment(rest)
            holder = path_token_holder(token, tokens, clock())
            if holder is None:
                self._metrics.signature_failure(provider.name, "path_token")
                return None
            self._metrics.key_use(provider.name, holder)
        return provider, rest or "/"

    async def _carry(
        self, setup: Setup, provider: Provider, request: Request, started: float, request_id: str
    ) -> Answer:
        inflight = self._metrics.inflight
        inflight[provider.name] += 1
        try:
            return await self._engine.handle(setup, provider, request, started)
        except Exception as error:  # whatever it is, it is our bug: the provider must hear doubt, and we must hear it
            self._log.bug("call failed", error, provider=provider.name, request_id=request_id)
            seconds = time.monotonic() - started
            self._metrics.call(provider.name, provider.dialect.name, "unknown", "unknown", "internal", seconds, 0.0)
            text = Response(status=500, headers={"content-type": "text/plain; charset=utf-8"}, body=b"internal error\n")
            return Answer(response=text, kind="unknown", outcome="unknown", reason="internal")
        finally:
            inflight[provider.name] -= 1

    async def _text(self, send: Send, status: int, text: str, request_id: str) -> None:
        await self._answer(send, status, _TEXT, text.encode() + b"\n", request_id)

    async def _answer(
        self, send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, request_id: str
    ) -> None:
        lines = [*headers, (b"content-length", b"%d" % len(body)), (b"x-request-id", request_id.encode())]
        if self._current.draining:
            lines.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body})

    async def _too_large(self, send: Send, rest: Receive | None, request_id: str) -> None:
        """413 at once, then what still comes is read a while: closing on unread bytes would reset the
        connection, and the answer could be lost with it."""
        body = b"the body is larger than %d bytes\n" % self._current.max_body
        lines = [
            *_TEXT,
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": lines})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if rest is not None:
            with contextlib.suppress(TimeoutError, TooLarge, Gone):
                async with asyncio.timeout(LINGER_SECONDS_MAX):
                    await whole_body(rest, "", LINGER_BYTES_MAX)
        await send({"type": "http.response.body", "body": b""})


async def whole_body(receive: Receive, content_length: str, max_body: int) -> bytes:
    """The body. Raises `TooLarge` as soon as it must be, `Gone` where it never becomes whole."""
    if content_length and int(content_length) > max_body:  # the parser let only digits pass
        raise TooLarge(more=True)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > max_body:
            raise TooLarge(more=message.get("more_body", False))
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; one that stands twice is joined, as HTTP says."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def encoded(response: Response) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
        if name != "content-length"
    ]


def sane(request_id: str) -> str:
    """The caller's own request id, where it can stand in a log line and a header; else blank."""
    return request_id if _REQUEST_ID.fullmatch(request_id) else ""


def first_segment(path: str) -> tuple[str, str]:
    """(`acme`, `/v1/Bet`) of `/acme/v1/Bet`."""
    end = path.find("/", 1)
    return (path[1:], "") if end < 0 else (path[1:end], path[end:])


def peer(client: tuple[str, int] | None, headers: MutableMapping[str, str], trusted: Sequence[Network]) -> str:
    """Who calls: the connection's other end or, where that is a trusted proxy, the rightmost hop of
    `X-Forwarded-For` that is none. What is left of it may be invented."""
    address = client[0] if client else ""
    if not trusted:
        return address
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    while hops and within(address, trusted):
        address = without_port(hops.pop())
    return address


def without_port(hop: str) -> str:
    """Some proxies write `203.0.113.7:51234` or `[2001:db8::7]:51234`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(plain in network for network in networks)
