"""The connections to one wallet: kept while they are good, and how new ones come about.

Nothing leaves while a connection comes about: whatever goes wrong here, the wallet was not asked.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.engine.setup import Send
from gateway.engine.world import Silence
from gateway.http import Response
from gateway.serve.wire import IDLE_SECONDS_MAX, Connection

CONNECT_SECONDS_MAX = 2.0
CONNECTIONS_MAX = 1000  # a wallet that hangs must not eat every file descriptor
NEXT_ADDRESS_SECONDS = 0.25  # then the next address of a name is tried beside the one that does not answer
TLS_CLOSE_SECONDS_MAX = 2.0

T = TypeVar("T")
Address = tuple[Any, ...]  # as `getaddrinfo` has it


class Place(Struct, frozen=True, kw_only=True):
    """Where a wallet's URL points."""

    tls: bool
    host: str
    port: int
    said: str  # the header `Host`
    path: str  # what the dialect's own paths are appended to


def place_at(url: str) -> Place:
    """Raises `ValueError` where the URL is none."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    if not host.isascii():
        host = host.encode("idna").decode()
    usual = 443 if tls else 80
    port = parts.port or usual
    name = f"[{host}]" if ":" in host else host
    path = url.partition("://")[2].removeprefix(parts.netloc)
    return Place(tls=tls, host=host, port=port, said=name if port == usual else f"{name}:{port}", path=path)


class Pool:
    """The connections of one wallet and way of sending."""

    def __init__(self, place: Place, send: Send, connect_seconds: float = CONNECT_SECONDS_MAX) -> None:
        self.place = place
        self._connect_seconds = connect_seconds
        self._idle: list[Connection] = []  # used longest ago first
        self._open: set[Connection] = set()
        self._busy = 0
        self._retired = False
        self._sweeping: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()
        self._addresses = _Shared(self._look_up)
        self._tls = _Shared(lambda: asyncio.to_thread(tls_context, send), keep=True)

    async def ask(self, sent: bytes, seconds: float, *, headless: bool = False) -> Response:
        """The answer to a request that is sent once. Raises `Silence`."""
        if self._busy >= CONNECTIONS_MAX:
            raise Silence("unreachable", f"{CONNECTIONS_MAX} calls are under way", left=False)
        self._busy += 1
        try:
            connection = self._kept()
            if connection is None:
                until = time.monotonic() + seconds
                connection = await self._connected(seconds)
                seconds = until - time.monotonic()
            waiter = connection.ask(sent, seconds, headless=headless)
            try:
                return await waiter
            except BaseException:
                connection.forget(waiter)
                raise
        finally:
            self._busy -= 1

    def retire(self) -> None:
        """Nobody begins here any more; what is under way ends undisturbed."""
        self._retired = True
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def close(self) -> None:
        """All connections are over when this returns."""
        self.retire()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in list(self._open):
            connection.abort()
        if self._open:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 1.0)

    # -- kept connections

    def _kept(self) -> Connection | None:
        """The one that was used last: the others become superfluous, and end."""
        now = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(now):
                return connection
            connection.close()
        return None

    def _freed(self, connection: Connection) -> None:
        if self._retired:
            connection.close()
            return
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweep_later()

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._open:
            self._over.set()

    def _sweep_later(self) -> None:
        self._sweeping = asyncio.get_running_loop().call_later(IDLE_SECONDS_MAX, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in self._idle:
            if connection.expired(now):
                connection.close()
        self._idle = [connection for connection in self._idle if not connection.expired(now)]
        self._sweeping = None
        if self._idle:
            self._sweep_later()

    # -- new connections

    async def _connected(self, seconds: float) -> Connection:
        """A new connection. Raises `Silence`: nothing left."""
        try:
            async with asyncio.timeout(min(self._connect_seconds, seconds)):
                return await self._connect()
        except TimeoutError:
            raise Silence("unreachable", "no connection came about in time", left=False) from None
        except (OSError, ValueError) as error:
            raise Silence("unreachable", _why(error), left=False) from None

    async def _connect(self) -> Connection:
        tls = await self._tls.result() if self.place.tls else None
        opened = await _first_open(await self._addresses.result())
        connection = Connection(self._freed, self._lost)
        self._open.add(connection)
        self._over.clear()
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                sock=opened,
                ssl=tls,
                server_hostname=self.place.host if tls else None,
                ssl_shutdown_timeout=TLS_CLOSE_SECONDS_MAX if tls else None,
            )
        except BaseException:  # the socket is the transport's by now, and ends with it
            self._lost(connection)
            raise
        return connection

    async def _look_up(self) -> Sequence[Address]:
        host, port = self.place.host, self.place.port
        try:
            version = ip_address(host).version
        except ValueError:
            return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]


class _Shared(Generic[T]):
    """Work for all who need its result just now, done once: a name server that hangs is asked by one thread.
    `keep`: a good result is kept for those who come later."""

    def __init__(self, work: Callable[[], Awaitable[T]], *, keep: bool = False) -> None:
        self._work, self._keep = work, keep
        self._task: asyncio.Future[T] | None = None

    async def result(self) -> T:
        if self._task is None:
            self._task = asyncio.ensure_future(self._work())
            self._task.add_done_callback(self._done)
        return await asyncio.shield(self._task)

    def _done(self, task: asyncio.Future[T]) -> None:
        if task.cancelled() or task.exception() is not None or not self._keep:
            self._task = None


async def _first_open(addresses: Sequence[Address]) -> socket.socket:
    """The socket that is connected first; the next address is tried when one fails, or takes long."""
    if len(addresses) == 1:
        return await _opened(addresses[0])
    attempts: set[asyncio.Task[socket.socket]] = set()
    error: BaseException = OSError("the name has no address")
    left = list(addresses)
    try:
        while left or attempts:
            if left:
                attempts.add(asyncio.create_task(_opened(left.pop(0))))
            pause = NEXT_ADDRESS_SECONDS if left else None
            done, _ = await asyncio.wait(attempts, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                attempts.discard(attempt)
                failed = attempt.exception()
                if failed is None:
                    return attempt.result()
                error = failed
        raise error
    finally:
        for attempt in attempts:
            attempt.add_done_callback(_close_late)
            attempt.cancel()


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


async def _opened(address: Address) -> socket.socket:
    family, kind, proto, _, where = address
    opened = socket.socket(family, kind, proto)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(opened, where)
    except BaseException:
        opened.close()
        raise
    return opened


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the wallet's certificate: {error.verify_message}"
    if isinstance(error, (ssl.SSLError, socket.gaierror)):
        return error.strerror or str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error)


# ---------------------------------------------------------------- TLS


def tls_context(send: Send) -> ssl.SSLContext:
    """TLS 1.2 or later; whom the system trusts, and `send.ca`, may sign for a wallet. Raises `OSError` or
    `ValueError` where what `send` holds cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs()
    if send.ca:
        context.load_verify_locations(cadata=send.ca.decode())
    if send.client_cert:
        with _as_file(send.client_cert) as cert, _as_file(send.client_key) as key:
            context.load_cert_chain(cert, key, password=_no_password)
    return context


def _no_password() -> str:
    """Else OpenSSL would ask at the terminal."""
    return ""


@contextmanager
def _as_file(pem: bytes) -> Iterator[str]:
    """A path that `ssl` reads these bytes from, once: it takes no bytes, and a key is never written to a disk."""
    reads, writes = os.pipe()
    try:
        try:
            os.set_blocking(writes, False)
            if os.write(writes, pem) < len(pem):
                raise ValueError("a certificate or key of this size cannot be used")
        finally:
            os.close(writes)
        yield f"/dev/fd/{reads}"
    finally:
        os.close(reads)
