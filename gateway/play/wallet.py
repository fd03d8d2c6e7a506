"""The HTTP server around a teller: faults, the book and the purses for whoever wants to check."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.http import Request, Response
from gateway.play.faults import Fault, draw
from gateway.play.mask import Mask
from gateway.play.teller import Exchange, Teller, reason_of, word_of

BODY_MAX = 1 << 20
# A page may say its own numbers as HTTP statuses, beyond 599 where uvicorn's table ends; they have no phrase.
STATUS_LINE.update({status: f"HTTP/1.1 {status} \r\n".encode() for status in range(600, 1000)})
Seen = Callable[[Exchange], None]


class WalletServer:
    """One simulated wallet. `next_faults` are used up first, one a call; then chance decides."""

    def __init__(
        self, teller: Teller, *, faults: Sequence[Fault] = (), seed: int = 0, seen: Seen = lambda exchange: None
    ) -> None:
        self.teller, self.faults, self.seen = teller, tuple(faults), seen
        self.next_faults: list[Fault] = []
        self._chance = random.Random(seed)  # noqa: S311  # play, not secrets
        routes = [
            Route("/_book", self._book, methods=["GET"]),
            Route("/_players", self._players, methods=["GET"]),
            Route("/{path:path}", _Raw(self._call)),
        ]
        self.app = Starlette(routes=routes)

    async def _book(self, request: HttpRequest) -> HttpResponse:
        return _json([_entry(entry) for entry in self.teller.purse.book])

    async def _players(self, request: HttpRequest) -> HttpResponse:
        purse = self.teller.purse
        rows = [
            {"player": player, "currency": currency, "balance": f"{cash:f}", "opening": f"{purse.opened[at]:f}"}
            for at, cash in purse.cash.items()
            for player, currency in [at]
        ]
        return _json(rows)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await HttpRequest(scope, receive).body()
        if len(body) > BODY_MAX:
            await HttpResponse(status_code=413)(scope, receive, send)
            return
        fault = self.next_faults.pop(0) if self.next_faults else draw(self.faults, self._chance)
        kind = fault.kind if fault else ""
        if fault and kind == "delay":
            await asyncio.sleep(fault.seconds)
        if kind == "drop-before":
            await _hang_up(receive)
            return
        now, nonce = datetime.now(UTC), str(uuid.uuid4())
        exchange = self.teller.answer(_request(scope, body), now, nonce, forget=kind == "forget")
        self.seen(msgspec.structs.replace(exchange, fault=kind))
        if kind == "drop-after":
            await _hang_up(receive)
            return
        answer = _spoiled(exchange.response, kind)
        await HttpResponse(answer.body, answer.status, dict(answer.headers))(scope, receive, send)


class _Raw:
    """An ASGI endpoint as an object: Starlette would wrap a function and hide the connection."""

    def __init__(self, call: Callable[[Scope, Receive, Send], Any]) -> None:
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._call(scope, receive, send)


def _request(scope: Scope, body: bytes) -> Request:
    """The request as a plain value, path and query as they were sent."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    target = f"{path}?{query}" if query else path
    peer = scope["client"][0] if scope.get("client") else ""
    return Request(method=scope["method"], path=path, query=query, headers=headers, body=body, peer=peer, target=target)


def _spoiled(response: Response, fault: str) -> Response:
    if fault == "error-after":
        return Response(status=500, headers={"content-type": "text/plain"}, body=b"internal error\n")
    if fault == "garbage":
        return Response(status=response.status, headers=response.headers, body=response.body[: len(response.body) // 2])
    return response


async def _hang_up(receive: Receive) -> None:
    """Close the connection without a byte. ASGI has no word for it: uvicorn's cycle holds the socket."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("this server does not let go of its connections")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(value: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), media_type="application/json")


def _entry(entry: Any) -> dict[str, object]:
    """A row of the book; amounts are texts."""
    plain = {name: getattr(entry, name) for name in entry.__struct_fields__}
    return plain | {name: f"{plain[name]:f}" for name in ("delta", "worth", "undone")}


# ---------------------------------------------------------------- running


def listener(address: str, port: int) -> socket.socket:
    """A bound socket, so that the address is known before the server starts."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio leaves Nagle on
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Quiet(uvicorn.Server):
    """A server inside of another program: signals are not its business."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.asynccontextmanager
async def serving(server: WalletServer, bound: socket.socket) -> AsyncIterator[str]:
    """The wallet on a bound socket, as long as the block lasts; yields its address."""
    config = uvicorn.Config(
        server.app,
        http="httptools",  # `_hang_up` knows its cycle
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    inner = _Quiet(config)
    task = asyncio.create_task(inner.serve(sockets=[bound]))
    try:
        await inner.ready.wait()
        yield url_of(bound)
    finally:
        inner.should_exit = True
        await task
        bound.close()


def log_line(exchange: Exchange, mask: Mask) -> bytes:
    """One call as a JSON line, secrets and sessions hidden."""
    request, response, tx = exchange.request, exchange.response, exchange.tx
    return msgspec.json.encode(
        {
            "at": exchange.at,
            "method": request.method,
            "target": mask.target(request),
            "headers": mask.headers(request.headers),
            "body": mask.body(request.body),
            "kind": tx.kind.value if tx else "",
            "transaction_id": tx.id if tx else "",
            "player": tx.player if tx else "",
            "outcome": word_of(exchange.outcome),
            "reason": reason_of(exchange.outcome),
            "fault": exchange.fault,
            "status": response.status,
            "answer": mask.body(response.body),
        }
    )
