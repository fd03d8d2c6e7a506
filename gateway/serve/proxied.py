"""Calls to wallets behind an HTTP proxy, by pyreqwest: CONNECT, TLS within it and the like are its own.

The classes of its exceptions do not tell whether a byte of a request may have left: a request that
was sent and never answered raises `ConnectTimeoutError`, one whose connection was closed after it
was read `ConnectError`. Only the chain of causes does: hyper says `client error (Connect)` where no
connection came about. Should those words ever change, everything counts as left, which is the safe
side.
"""

from __future__ import annotations

from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, PoolTimeoutError, PyreqwestError, RequestTimeoutError
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.response import Response as Answer

from gateway import __version__
from gateway.engine.setup import Send
from gateway.engine.world import Silence
from gateway.http import Request, Response
from gateway.serve.pool import CONNECTIONS_MAX
from gateway.serve.wire import ANSWER_BYTES_MAX, IDLE_SECONDS_MAX

POOL_SECONDS_MAX = 1.0
NO_CONNECTION = "client error (Connect)"


class Proxied:
    """The connections to one wallet through its proxy."""

    def __init__(self, send: Send, connect_seconds: float) -> None:
        self._client = connect(send, connect_seconds)

    async def ask(self, request: Request, address: str, seconds: float) -> Response:
        """The answer to a request that is sent once. Raises `Silence`."""
        try:
            builder = self._client.request(request.method, address)
            builder = builder.headers(request.headers).timeout(timedelta(seconds=seconds))
            if request.body:
                builder = builder.body_bytes(request.body)
            async with builder.build_streamed() as answer:
                return await _read(answer)
        except PyreqwestError as error:
            raise silence(error) from None

    def retire(self) -> None:
        """Calls under way end undisturbed; what nobody holds any more is closed."""

    async def close(self) -> None:
        await self._client.close()


def connect(send: Send, connect_seconds: float) -> Client:
    """A client that does exactly what it is told: the environment's proxies are not asked."""
    builder = (
        ClientBuilder()
        .user_agent(f"seamless-gateway/{__version__}")
        .http1_only()
        .follow_redirects(False)
        .referer(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .no_proxy()
        .max_connections(CONNECTIONS_MAX)
        .connect_timeout(timedelta(seconds=connect_seconds))
        .pool_timeout(timedelta(seconds=POOL_SECONDS_MAX))
        .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS_MAX))
        .proxy(ProxyBuilder.all(send.proxy))
    )
    if send.ca:
        builder = builder.add_root_certificate_pem(send.ca)
    if send.client_cert:
        builder = builder.identity_pem(send.client_cert + b"\n" + send.client_key)
    return builder.build()


async def _read(answer: Answer) -> Response:
    """The whole answer, as long as it is of a size that an answer has."""
    reader, chunks, size = answer.body_reader, [], 0
    while (chunk := await reader.read_chunk()) is not None:
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise Silence("broken", f"the answer is larger than {ANSWER_BYTES_MAX} bytes", left=True)
        chunks.append(chunk.to_bytes())
    headers: dict[str, str] = {}
    for name, value in answer.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Response(status=answer.status, headers=headers, body=b"".join(chunks))


def silence(error: PyreqwestError) -> Silence:
    causes = _causes(error)
    if isinstance(error, BuilderError):
        return Silence("unreachable", f"the request cannot be written: {causes[-1]}", left=False)
    if isinstance(error, PoolTimeoutError):
        return Silence("unreachable", f"{CONNECTIONS_MAX} calls are under way", left=False)
    if NO_CONNECTION in causes:
        return Silence("unreachable", causes[-1], left=False)
    if isinstance(error, RequestTimeoutError):
        return Silence("timeout", "no complete answer in time", left=True)
    return Silence("broken", causes[-1], left=True)


def _causes(error: PyreqwestError) -> list[str]:
    """What happened, the innermost last. The outermost quotes the URL, which may hold a session."""
    found = (getattr(error, "details", None) or {}).get("causes") or []
    messages = [str(cause["message"]) for cause in found if "for url (" not in str(cause["message"])]
    return messages or [type(error).__name__]
