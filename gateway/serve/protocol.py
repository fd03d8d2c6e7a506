"""uvicorn's httptools protocol with limits: on headers, and on how long a request may take to come.

What a caller may not do is answered here, before any application is asked: 431 where headers are
too many or too large, 408 where a request is not whole in time. It also says to the application
what ASGI does not: when the first byte came, the target as it was sent, and who the caller's
certificate names.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.serve.intake import Intake

HEADERS_MAX = 100
HEADER_BYTES_MAX = 16 * 1024
REQUEST_SECONDS_MAX = 10.0  # from the first byte of a request to its last


def refusal(status: str) -> bytes:
    text = status.encode()
    return (
        b"HTTP/1.1 " + text + b"\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: "
        + str(len(text) + 1).encode() + b"\r\nconnection: close\r\n\r\n" + text + b"\n"
    )  # fmt: skip


TOO_SLOW = refusal("408 Request Timeout")
TOO_LARGE_HEADERS = refusal("431 Request Header Fields Too Large")
BAD_REQUEST = refusal("400 Bad Request")


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    request_seconds_max = REQUEST_SECONDS_MAX

    def __init__(
        self, *args: Any, intake: Intake | None = None, came: Callable[[], None] = lambda: None, **kwargs: Any
    ) -> None:
        """`intake` says when what has come is read; at once where there is none. `came` is told of each connection."""
        super().__init__(*args, **kwargs)
        self._came = came
        self._intake, self._arrived = intake, 0.0
        self._reading_headers = True
        self._whole = True  # whether the last request came to its end
        self._number = self._size = 0
        self._fed = 0  # bytes since the headers began
        self._excess = False
        self._slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        self._came()
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        named = certificate(transport)
        if named:
            self.app_state["certificate"] = named
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        if self._intake is not None:
            self._intake.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._intake is not None:
            self._intake.take(self, data)
        else:
            self.read(data, time.monotonic())

    def cut(self) -> None:
        self.transport.abort()

    def read(self, data: bytes, arrived: float) -> None:
        if self.transport.is_closing():
            return
        self._arrived = arrived
        if self._reading_headers:
            self._fed += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reading_headers and not self._whole and self._fed > HEADER_BYTES_MAX:
            # httptools gathers an endless header line without telling anybody
            self._refuse(TOO_LARGE_HEADERS)
        elif self._whole and self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self._slow is None:  # a request has begun, or bytes came that are none (uvicorn's own timer is off)
            self._arm()

    # -- the parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_headers, self._whole = True, False
        self._number = self._size = 0
        self.scope["state"]["started"] = self._arrived

    def on_header(self, name: bytes, value: bytes) -> None:
        self._number += 1
        self._size += len(name) + len(value) + 4
        if self._number > HEADERS_MAX or self._size + len(self.url) > HEADER_BYTES_MAX:
            self._excess = True
            raise ValueError("headers beyond the limit")  # stops the parser, which has uvicorn answer below
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._reading_headers, self._fed = False, 0
        self.scope["state"]["target"] = self.url
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reading_headers, self._whole = True, True

    def send_400_response(self, msg: str) -> None:
        self._refuse(TOO_LARGE_HEADERS if self._excess else BAD_REQUEST)

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody's business: the request is answered as if it had asked for nothing."""

    # -- ends

    def _too_slow(self) -> None:
        self._slow = None
        waits = self._intake is not None and self._intake.holds(self)  # for us, not we for it
        if waits or self.pipeline:  # earlier requests are answered first
            self._arm()
        else:
            self._refuse(TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        """Answers and closes; only closes where an answer to this or an earlier request is under way."""
        self._disarm()
        if self.transport.is_closing():
            return
        cycle = self.cycle
        busy = cycle is not None and not cycle.response_complete
        if busy and not self._reading_headers:  # the body of this very request did not come
            busy = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
        if busy and self._reading_headers:
            cycle.keep_alive = False  # the earlier request is still answered, then the connection ends
            self.flow.pause_reading()
            return
        if not busy and not self._whole:
            self.transport.write(answer)
        self.transport.close()

    def _arm(self) -> None:
        self._slow = self.loop.call_later(self.request_seconds_max, self._too_slow)

    def _disarm(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None


def certificate(transport: asyncio.BaseTransport) -> str:
    """The subject of the caller's certificate as RFC 4514 writes it (`CN=acme`), or blank."""
    ssl_object = transport.get_extra_info("ssl_object")
    der = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
    return x509.load_der_x509_certificate(der).subject.rfc4514_string() if der else ""
