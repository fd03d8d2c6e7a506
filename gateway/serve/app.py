"""The provider side: `/<provider>[/<path_token>]<the dialect's own path>`.

One way from a request that came to its answer: this is the hot path. What a provider hears is the
engine's; only what no dialect can say is said for it: here 500, and 404 and 413 by whoever reads
and writes (`callers.py`), one line of text each.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, MutableMapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from msgspec import Struct

from gateway.auth.guards import path_token_holder
from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider, Setup
from gateway.http import Request, Response
from gateway.serve.live import clock, nonce
from gateway.serve.logs import Log, call_event
from gateway.serve.metrics import Metrics

Network = IPv4Network | IPv6Network

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Asked(Struct, kw_only=True):
    """A request's head as it came; header names in lower case, those that stood twice joined, as HTTP says."""

    method: str
    path: str  # raw
    query: str
    target: str
    headers: dict[str, str]
    client: tuple[str, int] | None
    certificate: str
    started: float  # monotonic seconds at its first byte


class Begun(Struct, kw_only=True):
    """A request that was looked at: whom it is for, and with which configuration it goes on."""

    asked: Asked
    setup: Setup
    trusted: Sequence[Network]
    provider: Provider | None  # None: nobody's
    path: str
    request_id: str


class Carrier(Protocol):
    """Who answers: the engine."""

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer: ...


class Current:
    """What a reload swaps. A call keeps the `setup` that it began with."""

    def __init__(self, setup: Setup, *, max_body: int, trusted: Sequence[Network] = ()) -> None:
        self.setup, self.max_body, self.trusted = setup, max_body, tuple(trusted)
        self.draining = False


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

    @property
    def max_body(self) -> int:
        return self._current.max_body

    @property
    def draining(self) -> bool:
        return self._current.draining

    def begin(self, asked: Asked) -> Begun:
        """When a request's head is there and its turn has come; its body may still be on its way."""
        current, headers = self._current, asked.headers
        request_id = headers["x-request-id"] = sane(headers.get("x-request-id", "")) or nonce()
        provider, path = self._find(current.setup, asked.path) or (None, "")
        return Begun(
            asked=asked,
            setup=current.setup,
            trusted=current.trusted,
            provider=provider,
            path=path,
            request_id=request_id,
        )

    async def carry(self, begun: Begun, body: bytes) -> Answer:
        """What its provider hears."""
        asked, provider = begun.asked, begun.provider
        assert provider is not None
        request = Request(
            method=asked.method,
            path=begun.path,
            query=asked.query,
            headers=asked.headers,
            body=body,
            peer=peer(asked.client, asked.headers, begun.trusted),
            certificate=asked.certificate,
            target=asked.target,
        )
        return await self._carry(begun.setup, provider, request, asked.started, begun.request_id)

    def unheard(self, begun: Begun, answer: Answer) -> None:
        """The connection was gone before the answer was written."""
        assert begun.provider is not None
        self._unheard(begun.provider, answer)

    def told(self, begun: Begun, answer: Answer) -> None:
        """The call is over."""
        assert begun.provider is not None
        seconds = time.monotonic() - begun.asked.started
        self._log.call(call_event(begun.provider.name, answer, begun.request_id, seconds))

    def bug(self, begun: Begun, error: Exception) -> None:
        name = begun.provider.name if begun.provider is not None else ""
        self._log.bug("the answer cannot be written", error, provider=name, request_id=begun.request_id)

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
