"""A connection to a wallet: HTTP/1.1 over httptools, one request at a time, sent once.

Whether a byte of a request may have left decides about money (rule 4). Here it is known: before
`Connection.ask` nothing left, from there on everything may have. What is no whole answer is
silence, whatever the wallet wrote up to there: cut, garbled, too large, too late. And whatever
comes where nothing was asked belongs to nobody: such a connection is not used again.
"""

from __future__ import annotations

import asyncio
import re
import select
import ssl
import time
from collections.abc import Callable
from functools import lru_cache
from typing import cast
from urllib.parse import quote

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway import __version__
from gateway.engine.world import Silence
from gateway.http import Request, Response

ANSWER_BYTES_MAX = 1 << 20
HEAD_BYTES_MAX = 64 * 1024  # of an answer, the interim ones before it included
AROUND_BYTES_MAX = 1 << 20  # what stands around a body: its head, and what it is cut into chunks by
IDLE_SECONDS_MAX = 15.0  # below what servers keep, so that a call rarely meets a connection being closed
PROMISED_SECONDS_SPARE = 1.0  # a wallet that says how long it keeps connections is left so long before
CUT = "the connection was closed before a whole answer came"

_WITHOUT = frozenset({"content-length", "transfer-encoding", "connection"})  # a request says these as it is sent
_USER_AGENT = f"User-Agent: seamless-gateway/{__version__}\r\n"
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})  # these say that their body is empty
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NO_TARGET = re.compile(r'[^!-~]|["#<>]')  # what a target cannot hold as it is
_AS_IT_IS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"#<>')
_LENIENT = {  # what servers get wrong without anybody being in doubt where their answer ends
    "lenient_optional_cr_before_lf": True,
    "lenient_spaces_after_chunk_size": True,
    "lenient_chunked_length": True,  # a length beside chunks counts for nothing
}
_TIMEOUT = re.compile(r"\btimeout=(\d{1,6})\b")


def target(path: str) -> str:
    """What is asked for as it stands on the wire: what cannot stand there is escaped, all else is as it is."""
    found = quote(path, safe=_AS_IT_IS) if _NO_TARGET.search(path) else path
    return found if found.startswith("/") else f"/{found}"


def written(request: Request, target: str, host: str) -> bytes:
    """The request as bytes. Raises `Silence` where it cannot be."""
    headers = request.headers
    try:
        head = f"{_method(request.method)} {target} HTTP/1.1\r\n"
        for name, value in headers.items():
            if has_control(value):
                raise ValueError("the value of a header holds control characters")
            if name not in _WITHOUT:
                head += f"{_titled(name)}: {value}\r\n"
        if "host" not in headers:
            head += f"Host: {host}\r\n"
        if "user-agent" not in headers:
            head += _USER_AGENT
        if "accept" not in headers:
            head += "Accept: */*\r\n"
        if request.body or request.method in _WITH_LENGTH:
            head += f"Content-Length: {len(request.body)}\r\n"
        return f"{head}\r\n".encode() + request.body
    except ValueError as error:
        raise Silence("unreachable", f"the request cannot be written: {error}", left=False) from None


@lru_cache(maxsize=1024)
def is_token(name: str) -> bool:
    """Whether it can be the name of a header."""
    return _TOKEN.fullmatch(name) is not None


def has_control(value: str) -> bool:
    """Whether it would end a header's line, or is no text at all."""
    return not value.isprintable() and _CONTROL.search(value) is not None


@lru_cache(maxsize=64)
def _method(name: str) -> str:
    if not is_token(name):
        raise ValueError("its method is none")
    return name


@lru_cache(maxsize=1024)
def _titled(name: str) -> str:
    """`Content-Type`: HTTP does not care, servers that search for it do."""
    if not is_token(name):
        raise ValueError("the name of a header is none")
    return name.title()


class Connection(asyncio.Protocol):
    """One connection. `freed` is told when it may be used again, `lost` when it is over."""

    def __init__(self, freed: Callable[[Connection], None], lost: Callable[[Connection], None]) -> None:
        self._freed, self._lost = freed, lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._waiter: asyncio.Future[Response] | None = None  # who asked, until it is answered
        self._timer: asyncio.TimerHandle | None = None
        self._headless = False  # the answer to HEAD has no body, whatever its headers say
        self._clear()
        self._until = 0.0  # when it is too old to be used again
        self._kernel = select.poll()

    def _clear(self) -> None:
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = self._fed = self._status = 0
        self._in_body = self._to_the_end = self._whole = self._keep = False

    # -- asking

    def ask(self, sent: bytes, seconds: float, *, headless: bool = False) -> asyncio.Future[Response]:
        """Sends: from here on a byte may have left. The future holds the answer, or `Silence`. Only where `usable`
        has just said so. Who does not wait to the end says so by `forget`."""
        assert self._transport is not None
        assert self._waiter is None
        self._headless = headless
        self._clear()
        self._waiter = waiter = self._loop.create_future()
        self._timer = self._loop.call_later(seconds, self._give_up, "timeout", "no complete answer in time")
        self._transport.write(sent)
        return waiter

    def forget(self, waiter: asyncio.Future[Response]) -> None:
        """Who asked does not wait any more. Somebody else may ask here already: that is left alone."""
        if self._waiter is waiter:
            self._give_up("broken", "nobody waits for the answer")

    def usable(self, now: float) -> bool:
        """Whether a request may be sent: the connection lives, as far as can be known here."""
        if self._transport is None or self._transport.is_closing() or self.expired(now):
            return False
        return not self._kernel.poll(0)  # bytes, or the end, that the loop has not read yet

    def expired(self, now: float) -> bool:
        return now >= self._until

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """At once: what was not written yet never is."""
        if self._transport is not None:
            self._transport.abort()

    def _settled(self) -> asyncio.Future[Response] | None:
        """Who waited; from here on nobody does."""
        waiter, self._waiter = self._waiter, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return waiter

    def _give_up(self, result: str, detail: str) -> None:
        """Silence, and the end of the connection."""
        waiter = self._settled()
        self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(Silence(result, detail, left=True))

    # -- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**_LENIENT)
        self._kernel.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        self._until = time.monotonic() + IDLE_SECONDS_MAX

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._parser is None:  # what nobody asked for could be taken for the next answer
            self.abort()
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._keep = False
            if not self._whole:
                self._give_up("broken", _cause(error))
                return
        if self._whole:
            self._answer()
        elif self._fed > (self._size + AROUND_BYTES_MAX if self._in_body else HEAD_BYTES_MAX):
            self._give_up("broken", "the answer is larger than an answer is")

    def eof_received(self) -> None:
        """The wallet closed. An answer that says no length ends with the connection."""
        if self._waiter is None:
            return
        if self._to_the_end and self._was_no_cut():
            self._answer()
        else:
            self._give_up("broken", CUT)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up("broken", str(exc) if exc else CUT)
        self._transport = self._parser = None
        self._lost(self)

    # -- the parser's callbacks

    def on_message_begin(self) -> None:
        if self._whole:  # a second answer to one request
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:  # a trailer: nobody reads it
            return
        headers, key, text = self._headers, _lowered(name), value.decode("latin-1")
        if text.endswith("\t"):
            text = text.rstrip(" \t")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        if self._whole:
            return
        self._status = status = self._parser.get_status_code()
        if status < 200:
            if status < 100 or status == 101:  # nobody asked for another protocol
                raise ValueError(f"{status} is no answer")
            self._headers.clear()  # an interim answer: the real one follows
            return
        self._in_body = True
        self._keep = self._parser.should_keep_alive()
        coded = self._headers.get("transfer-encoding", "identity")
        if self._headless:
            self._whole, self._keep = True, False  # the parser waits for a body that never comes
        elif "content-length" in self._headers:
            self._keep = self._keep and coded == "identity"  # where both stand, others may see another end
        elif coded == "identity" and status not in (204, 304):
            self._to_the_end, self._keep = True, False

    def on_body(self, data: bytes) -> None:
        if self._whole:
            return
        self._size += len(data)
        if self._size > ANSWER_BYTES_MAX:
            raise ValueError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
        self._chunks.append(data)

    def on_message_complete(self) -> None:
        self._whole = self._in_body

    # -- the end of an answer

    def _answer(self) -> None:
        waiter, transport = self._settled(), self._transport
        assert waiter is not None
        assert transport is not None
        if waiter.done():  # cancelled a moment ago: whoever did it is about to say so
            self.abort()
            return
        chunks, headers = self._chunks, self._headers
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        waiter.set_result(Response(status=self._status, headers=headers, body=body))
        kept = _kept(headers["keep-alive"]) if "keep-alive" in headers else IDLE_SECONDS_MAX
        if self._keep and kept > 0 and not transport.is_closing() and not transport.get_write_buffer_size():
            self._until = time.monotonic() + kept
            self._freed(self)
        else:
            self.close()

    def _was_no_cut(self) -> bool:
        """TLS says that nobody but the wallet ended the connection; TCP alone cannot."""
        assert self._transport is not None
        secured = self._transport.get_extra_info("ssl_object")
        if secured is None:
            return True
        try:
            return not secured.read(1)
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError:
            return False


@lru_cache(maxsize=1024)
def _lowered(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _kept(said: str) -> float:
    """How long an idle connection is kept: less than the wallet says that it does."""
    found = _TIMEOUT.search(said)
    promised = float(found[1]) - PROMISED_SECONDS_SPARE if found else IDLE_SECONDS_MAX
    return min(promised, IDLE_SECONDS_MAX)


def _cause(error: Exception) -> str:
    return str(error.__context__ or error)
