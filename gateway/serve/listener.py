"""One listening address: uvicorn's server with our limits, its signals left to us."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import uvicorn

from gateway.serve.accepting import Accepting
from gateway.serve.config import Listen, Tls
from gateway.serve.logs import Log
from gateway.serve.protocol import LimitedProtocol

KEEP_ALIVE_SECONDS = 75
CLOSE_SECONDS = 2  # for answers that are still being written when the drain is over


class CannotListen(Exception):
    """Why an address cannot be listened on; for people."""


class Listener(uvicorn.Server):
    """Serves one application on one socket that is bound already."""

    def __init__(
        self,
        app: Any,
        bound: socket.socket,
        *,
        tls: ssl.SSLContext | None = None,
        protocol: Callable[..., asyncio.Protocol] = LimitedProtocol,
    ) -> None:
        """`protocol` makes what reads and writes for this application: `LimitedProtocol` for ASGI ones. It is given `came`,
        which is to be told of each connection."""
        config = uvicorn.Config(
            app,
            http=cast(Any, partial(protocol, came=self._came)),  # it wants a class, and only calls it
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)
        self._socket = bound
        self._accepting = Accepting(bound, self._protocol, tls)
        self.ready = asyncio.Event()

    async def run_until_told(self) -> None:
        """Serves until `should_exit`."""
        await self.serve(sockets=[self._socket])

    def _protocol(self) -> asyncio.Protocol:
        """One for a connection, as uvicorn makes them."""
        made: Any = self.config.http_protocol_class
        return made(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[no-any-return]  # any class

    def _came(self) -> None:
        self._accepting.more()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def stop_accepting(self) -> None:
        """New connections are refused, open ones live on."""
        for server in self.servers:
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Two servers share the process: its signals are not theirs."""
        yield

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()[:2]
        scheme = "https" if self.config.ssl else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def bind_several(listen: Listen, number: int) -> list[socket.socket]:
    """So many sockets on one address, between which the kernel divides connections: one socket for all
    would leave nearly all of them to the process that wakes first. Raises `CannotListen`."""
    with bind(listen) as alone:  # else a second gateway could share the port without a word
        listen = Listen(listen.host, alone.getsockname()[1])
    return [bind(listen, shared=True) for _ in range(number)]


def bind(listen: Listen, *, shared: bool = False) -> socket.socket:
    """A socket bound to the address. Raises `CannotListen`."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, number)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
            bound.listen(0)  # else two that start together both bind, and only the second finds out when it is too late
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise CannotListen(f"cannot listen on {listen}: {error.strerror or error}") from None
    bound.setblocking(False)
    return bound


def tls_context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or later; with `client_ca` a caller without a certificate of theirs gets no connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.cert, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, OSError) as error:
        raise CannotListen(f"server.tls cannot be used: {error.strerror or error}") from None
    return context


class _ToLog(logging.Handler):
    """What uvicorn and asyncio complain about, as lines of ours: never with a text that could quote a body."""

    def __init__(self, log: Log) -> None:
        super().__init__(level=logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said = str(record.msg).splitlines()[0][:200] if record.msg else record.name
        if error is not None:
            self._log.bug(said, error, logger=record.name)
        else:
            self._log.warning(said, logger=record.name)


def libraries_log_to(log: Log) -> None:
    for name in ("uvicorn", "asyncio", "psycopg"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_ToLog(log)], False
        logger.setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
