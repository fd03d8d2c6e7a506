"""A provider's connection: HTTP/1.1 over httptools, one call at a time, straight to the application.

What a caller may not do is answered here, before anybody is asked: 431 where headers are too many or
too large, 408 where a request is not whole in time, 413 where its body is too large. Calls that come
before the one before them is answered wait, and meanwhile nothing more is read. The end of a
connection is noticed while a call is carried: its answer is then told as unheard (rule 26).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from uvicorn.config import Config
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from gateway.http import Headers, Response
from gateway.serve.app import Asked, Begun, ProviderApp
from gateway.serve.intake import Intake
from gateway.serve.protocol import (
    BAD_REQUEST,
    HEADER_BYTES_MAX,
    HEADERS_MAX,
    REQUEST_SECONDS_MAX,
    TOO_LARGE_HEADERS,
    TOO_SLOW,
    certificate,
)
from gateway.serve.wire import has_control, is_token

LINGER_BYTES_MAX = 1 << 20
LINGER_SECONDS_MAX = 2.0
AROUND_MAX = 8  # bytes that a byte of a body may take: alone in its chunk it takes six; trailers are headers
NEVER = float("inf")  # seconds
TEXT: Headers = {"content-type": "text/plain; charset=utf-8"}


class Visit:
    """One request as it comes in."""

    __slots__ = (
        "asked", "begun", "chunks", "done", "headers", "keep", "large", "ready", "since", "size", "started", "url", "whole",
    )  # fmt: skip

    def __init__(self, started: float) -> None:
        self.started = self.since = started  # its first byte; since when it is this caller's turn to send the rest
        self.url = b""
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.size = 0
        self.ready = self.whole = False  # its headers, all of it came
        self.large = self.done = False  # more than a body may have; answered, what still comes is nobody's
        self.keep = True
        self.asked: Asked | None = None
        self.begun: Begun | None = None


class CallerProtocol(asyncio.Protocol):
    """One connection. Made by uvicorn's server, which knows it by `shutdown` and in the set of its connections."""

    request_seconds_max = REQUEST_SECONDS_MAX

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        intake: Intake | None = None,
        came: Callable[[], None] = lambda: None,
    ) -> None:
        """`intake` says when what has come is read; at once where there is none. `came` is told of each connection."""
        self._intake, self._came = intake, came
        self._app = cast(ProviderApp, config.app)
        self._keep_seconds = config.timeout_keep_alive
        self._server = server_state
        self._loop = asyncio.get_running_loop()
        self._parser: HttpRequestParser | None = None
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # there before anything else happens
        self._peer: tuple[str, int] | None = None
        self._certificate = ""
        self._stamp: tuple[object, str] = (None, "")
        self._visit: Visit | None = None  # what is being read
        self._waiting: deque[Visit] = deque()  # whose headers came and that are not carried yet
        self._running: asyncio.Task[None] | None = None
        self._last = False  # what waits is answered, then the connection ends
        self._deaf = False  # what still comes is not read
        self._lingering = False
        self._number = self._size = self._fed = 0  # of the headers: how many, their bytes, all bytes since they began
        self._excess = False
        self._arrived = 0.0
        self._reading = self._may_write = True
        self._deadline = NEVER
        self._timer: asyncio.TimerHandle | None = None

    # -- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._came()
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(cast(Any, self))  # uvicorn's type names its own protocols
        self._peer, self._certificate = get_remote_addr(self._transport), certificate(transport)
        self._parser = HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # what follows is not read: no mistake
        self._deadline = time.monotonic() + self.request_seconds_max
        self._look_again(self.request_seconds_max)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(cast(Any, self))  # as above
        if self._intake is not None:
            self._intake.forget(self)
        if self._timer is not None:
            self._timer.cancel()
        self._parser = self._visit = None
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        if self._intake is not None:
            self._intake.take(self, data)
        else:
            self.read(data, time.monotonic())

    def cut(self) -> None:
        self._transport.abort()

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self._turn()

    def shutdown(self) -> None:
        """The server ends: so does the connection, when what is under way has been answered."""
        if self._running is not None or self._waiting:
            self._last = True
        else:
            self._transport.close()

    def read(self, data: bytes, arrived: float) -> None:
        if self._deaf or self._parser is None or self._transport.is_closing():
            return
        self._arrived = arrived
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:  # it is answered as if it had asked for nothing; what follows may be anything
            self._deaf = self._last = True
        except HttpParserError:
            self._refuse(TOO_LARGE_HEADERS if self._excess else BAD_REQUEST)
            return
        visit = self._visit
        if visit is not None and self._fed > HEADER_BYTES_MAX + AROUND_MAX * visit.size:
            self._refuse(TOO_LARGE_HEADERS)  # httptools gathers an endless line without telling anybody
            return
        if visit is None and not self._waiting and self._running is None:  # bytes that are none of a request
            self._deadline = min(self._deadline, arrived + self.request_seconds_max)
        self._turn()

    # -- the parser's callbacks

    def on_message_begin(self) -> None:
        self._visit = Visit(self._arrived)
        if self._intake is not None:
            self._visit.since = time.monotonic()  # while it waited to be read, nobody waited for it
        self._number = self._size = 0

    def on_url(self, url: bytes) -> None:
        assert self._visit is not None
        self._visit.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        visit = self._visit
        if visit is None or visit.ready:  # a trailer: nobody reads it
            return
        self._number += 1
        self._size += len(name) + len(value) + 4
        if self._number > HEADERS_MAX or self._size + len(visit.url) > HEADER_BYTES_MAX:
            self._excess = True
            raise ValueError("headers beyond the limit")  # stops the parser
        headers, key, text = visit.headers, lowered(name), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        visit, parser = self._visit, self._parser
        assert visit is not None
        assert parser is not None
        path, query = split(visit.url)
        headers = visit.headers
        visit.keep = parser.should_keep_alive() and ("connection" not in headers or parser.get_http_version() != "1.0")
        visit.asked = Asked(
            method=parser.get_method().decode("ascii"),
            path=path,
            query=query,
            target=visit.url.decode("latin-1"),
            headers=headers,
            client=self._peer,
            certificate=self._certificate,
            started=visit.started,
        )
        visit.ready = True
        self._fed = 0
        self._waiting.append(visit)

    def on_body(self, data: bytes) -> None:
        visit = self._visit
        assert visit is not None
        visit.size += len(data)
        if visit.done:
            if self._lingering and visit.size > self._app.max_body + LINGER_BYTES_MAX:
                self._end()
        elif visit.size <= self._app.max_body:
            visit.chunks.append(data)
        else:
            visit.large = True
            visit.chunks.clear()

    def on_message_complete(self) -> None:
        assert self._visit is not None
        self._visit.whole = True
        self._visit, self._fed = None, 0

    # -- calls, one after the other

    def _turn(self) -> None:
        """Goes on with what came, as far as it can be gone on with."""
        while self._running is None and self._waiting and self._may_write and not self._transport.is_closing():
            visit = self._waiting[0]
            if visit.begun is None and not visit.done:
                self._begin(visit)
            if visit.large and not visit.done:
                self._too_large(visit)
            if not visit.whole:
                break
            self._waiting.popleft()
            if visit.done:
                self._deadline = time.monotonic() + self._keep_seconds
                if self._lingering:
                    self._end()
            else:
                self._running = self._loop.create_task(self._carry(visit))
                self._server.tasks.add(self._running)
        self._pace()

    def _begin(self, visit: Visit) -> None:
        assert visit.asked is not None
        if not self._reading:  # it had to wait for its turn
            visit.since = time.monotonic()
        visit.begun = begun = self._app.begin(visit.asked)
        if begun.provider is None:
            self._say(visit, 404, "not found")
        elif int(visit.headers.get("content-length") or 0) > self._app.max_body:  # the parser let only digits pass
            visit.large = True
        elif not visit.whole and visit.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _carry(self, visit: Visit) -> None:
        begun = visit.begun
        assert begun is not None
        try:
            answer = await self._app.carry(begun, b"".join(visit.chunks))
            if self._transport.is_closing():
                self._app.unheard(begun, answer)
            else:
                self._write(visit, answer.response)
            self._app.told(begun, answer)
        except BaseException:  # the server ends before the call does
            self._transport.close()
            raise
        finally:
            self._server.tasks.discard(cast(Any, self._running))  # it is this very task
            self._running = None
        self._deadline = time.monotonic() + self._keep_seconds
        if not self._transport.is_closing():
            self._turn()

    def _write(self, visit: Visit, response: Response) -> None:
        assert visit.asked is not None
        assert visit.begun is not None
        others = bool(self._waiting) and self._waiting[-1] is not visit
        closes = not visit.keep or self._app.draining or (self._last and not others)
        body = b"" if visit.asked.method == "HEAD" else response.body
        request_id = visit.begun.request_id
        try:
            said = head(response, self._dated(), request_id, closes=closes)
        except ValueError as error:
            self._app.bug(visit.begun, error)
            response = Response(status=500, headers=TEXT, body=b"internal error\n")
            said, body = head(response, self._dated(), request_id, closes=closes), response.body
        self._transport.write(said + body)
        if closes:
            self._end() if visit.whole else self._linger()

    def _say(self, visit: Visit, status: int, text: str) -> None:
        """What no dialect says."""
        visit.done = True
        visit.chunks.clear()
        self._write(visit, Response(status=status, headers=TEXT, body=text.encode() + b"\n"))

    def _too_large(self, visit: Visit) -> None:
        visit.keep = False
        self._say(visit, 413, f"the body is larger than {self._app.max_body} bytes")

    def _dated(self) -> str:
        """uvicorn's server writes its `Date` anew each second."""
        headers = self._server.default_headers
        if self._stamp[0] is not headers:
            lines = [f"{name.decode()}: {value.decode()}\r\n" for name, value in headers]
            self._stamp = (headers, "".join(lines))
        return self._stamp[1]

    # -- pace and ends

    def _pace(self) -> None:
        """What may be read now, and until when it must have come."""
        visit, busy = self._visit, self._running is not None
        ahead = bool(self._waiting) and (busy or not self._may_write)  # it came before its turn: no more of it
        if ahead is self._reading and not self._deaf and not self._transport.is_closing():
            self._reading = not ahead
            if ahead:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
        if self._lingering:
            return
        if visit is not None and (not visit.ready or not busy) and not ahead:
            self._deadline = visit.since + self.request_seconds_max
        elif busy or self._waiting:
            self._deadline = NEVER

    def _refuse(self, answer: bytes) -> None:
        """Answers and closes; where earlier calls are under way, these are answered first, and this one never."""
        visit, self._visit = self._visit, None
        self._deaf = True
        if visit is not None and self._waiting and self._waiting[-1] is visit:
            self._waiting.pop()
        if self._running is not None or self._waiting:
            self._last, self._deadline = True, NEVER
            self._transport.pause_reading()
            self._turn()
            return
        if visit is not None and not visit.done and not self._transport.is_closing():
            self._transport.write(answer)
        self._end()

    def _linger(self) -> None:
        """What still comes is read a while: closing on unread bytes would reset the connection, and the answer could
        be lost with it."""
        self._lingering = True
        self._deadline = time.monotonic() + LINGER_SECONDS_MAX
        self._look_again(LINGER_SECONDS_MAX)

    def _end(self) -> None:
        self._deaf = True
        self._transport.close()

    def _look_again(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """One timer for all limits of time: it comes at least as often as the shortest of them is long."""
        self._timer = None
        left = self._deadline - time.monotonic()
        if self._transport.is_closing():
            return
        if self._intake is not None and self._intake.holds(self):  # it waits for us, not we for it
            self._look_again(self.request_seconds_max)
        elif left > 0:
            self._look_again(min(left, self.request_seconds_max))
        elif self._visit is None or self._visit.done:
            self._end()
        else:
            self._refuse(TOO_SLOW)
            self._look_again(self.request_seconds_max)


def head(response: Response, dated: str, request_id: str, *, closes: bool) -> bytes:
    """Raises `ValueError` where a header cannot be sent."""
    said = f"{_first_line(response.status)}{dated}"
    for name, value in response.headers.items():
        if name == "content-length":
            continue
        if not is_token(name) or has_control(value):
            raise ValueError("a header of the answer cannot be sent")
        said += f"{name}: {value}\r\n"
    said += f"content-length: {len(response.body)}\r\nx-request-id: {request_id}\r\n"
    return f"{said}connection: close\r\n\r\n".encode("latin-1") if closes else f"{said}\r\n".encode("latin-1")


@lru_cache(maxsize=256)
def _first_line(status: int) -> str:
    try:
        return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    except ValueError:
        return f"HTTP/1.1 {status} \r\n"


@lru_cache(maxsize=4096)
def lowered(name: bytes) -> str:
    return name.decode("latin-1").lower()


def split(url: bytes) -> tuple[str, str]:
    """(path, query) as they were sent. Raises where they are none."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
    else:  # the whole URL, as a proxy is asked for it
        parsed = parse_url(url)
        path, query = parsed.path or b"", parsed.query or b""
    return path.decode("ascii"), query.decode("latin-1")
