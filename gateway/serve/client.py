"""The wallets' HTTP client: pooled, HTTP/1.1, no redirects, no second sending.

Whether a byte of a request may have left decides about money (rule 4). The classes of
pyreqwest's exceptions do not tell: a request that was sent and never answered raises
`ConnectTimeoutError`, one whose connection was closed after it was read `ConnectError`. Only the
chain of causes does: hyper says `client error (Connect)` where no connection came about. Should
those words ever change, everything counts as left, which is the safe side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, PoolTimeoutError, PyreqwestError, RequestTimeoutError
from pyreqwest.http import Url
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.response import Response as Answer

from gateway import __version__
from gateway.auth.guards import hmac_signature
from gateway.engine.setup import Send, Wallet
from gateway.engine.world import Silence
from gateway.http import Request, Response

ANSWER_BYTES_MAX = 1 << 20
CONNECT_SECONDS_MAX = 2.0
POOL_SECONDS_MAX = 1.0
CONNECTIONS_MAX = 1000  # a wallet that hangs must not eat every file descriptor
IDLE_SECONDS_MAX = 15.0  # below what servers keep, so that a call rarely meets a connection being closed
NO_CONNECTION = "client error (Connect)"


class WalletClient(Protocol):
    """How the outer ring talks to wallets."""

    async def send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        """The complete answer to `request`, sent at most once. Raises `Silence`."""
        ...

    async def close(self) -> None: ...


class _Pool(Struct, frozen=True):
    send: Send
    client: Client


class HttpWalletClient:
    """One pool of connections for each wallet and way of sending."""

    def __init__(self, clock: Callable[[], datetime], *, connect_seconds: float = CONNECT_SECONDS_MAX) -> None:
        self._clock, self._connect_seconds = clock, connect_seconds
        self._pools: dict[str, list[_Pool]] = {}

    async def send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        if seconds <= 0:
            raise Silence("timeout", "no time was left to ask", left=False)
        dressed = dress(wallet, request, self._clock)
        try:
            builder = self._client(wallet).request(dressed.method, wallet.address(dressed.url))
            builder = builder.headers(dressed.headers).timeout(timedelta(seconds=seconds))
            if dressed.body:
                builder = builder.body_bytes(dressed.body)
            async with builder.build_streamed() as answer:
                return await _read(answer)
        except PyreqwestError as error:
            raise silence(error) from None

    def keep(self, wallets: Iterable[Wallet]) -> None:
        """After a reload: forgets pools that no wallet uses. Calls on them end undisturbed."""
        sends = {wallet.name: wallet.send for wallet in wallets}
        for name, pools in list(self._pools.items()):
            self._pools[name] = [pool for pool in pools if pool.send == sends.get(name)]

    async def close(self) -> None:
        for pools in self._pools.values():
            for pool in pools:
                await pool.client.close()
        self._pools.clear()

    def _client(self, wallet: Wallet) -> Client:
        pools = self._pools.setdefault(wallet.name, [])
        for pool in pools:
            if pool.send is wallet.send or pool.send == wallet.send:
                return pool.client
        client = connect(wallet.send, self._connect_seconds)
        pools.insert(0, _Pool(wallet.send, client))
        return client


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
    )
    if send.ca:
        builder = builder.add_root_certificate_pem(send.ca)
    if send.client_cert:
        builder = builder.identity_pem(send.client_cert + b"\n" + send.client_key)
    if send.proxy:
        builder = builder.proxy(ProxyBuilder.all(send.proxy))
    return builder.build()


def dress(wallet: Wallet, request: Request, clock: Callable[[], datetime]) -> Request:
    """The request with what `send` adds: headers, shared key, HMAC."""
    send = wallet.send
    extra = [*send.headers.items()]
    if send.api_key:
        extra.append(("x-api-key", send.api_key))
    if send.hmac:
        stamp = str(int(clock().timestamp()))
        extra.append(("x-gw-timestamp", stamp))
        extra.append(("x-gw-signature", hmac_signature(send.hmac, stamp, _targeted(wallet, request))))
    return request.put(*extra) if extra else request


def _targeted(wallet: Wallet, request: Request) -> Request:
    """A call without a body signs its target as it will stand on the wire, the wallet's own path included."""
    if request.body:
        return request
    url = Url(wallet.address(request.url))
    target = f"{url.path}?{url.query_string}" if url.query_string else url.path
    return replace(request, target=target)


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
