"""A wallet's answers byte by byte: what is not whole is silence, and nobody hears the answer of another.

Most of this is over real sockets; where the moment or the piece in which bytes come is the point, they are handed
to the connection as asyncio would.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engine.setup import Send
from gateway.engine.world import Silence
from gateway.http import Request, Response
from gateway.serve import pool as pools
from gateway.serve.client import HttpWalletClient
from gateway.serve.live import clock
from gateway.serve.pool import place_at
from gateway.serve.wire import ANSWER_BYTES_MAX, AROUND_BYTES_MAX, HEAD_BYTES_MAX, Connection, target

from .helpers import Authority, RawServer, raw_server, until, wallet
from .test_client import POST, tls_server

YES = b'{"outcome":"accepted","transaction_id":"t-1"}'
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(YES) + YES
CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    b"a;x=y\r\n" + YES[:10] + b"\r\n%x\r\n" % len(YES[10:]) + YES[10:] + b"\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH
LINES = LENGTH.replace(b"\r\n", b"\n")
WHOLE = {"length": LENGTH, "chunks": CHUNKS, "interim": INTERIM, "lines": LINES}
TO_THE_END = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + YES
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
async def client() -> AsyncIterator[HttpWalletClient]:
    found = HttpWalletClient(clock, connect_seconds=1)
    yield found
    await found.close()


def says(answer: bytes, *, then: bool = True) -> Callable[..., Awaitable[bool]]:
    """A wallet that answers every request with these bytes, and hangs up or not."""

    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(answer)
        return then

    return script


async def silence(client: HttpWalletClient, url: str, request: Request = POST, send: Send | None = None) -> Silence:
    with pytest.raises(Silence) as caught:
        await client.send(wallet(url, send), request, 5)
    return caught.value


# ---------------------------------------------------------------- cut at any byte


async def cut_anywhere(client: HttpWalletClient, whole: bytes, *, reset: bool) -> list[Response | Silence]:
    """What is heard of an answer that ends after 0, 1, 2, ... of its bytes."""
    at = iter(range(len(whole)))

    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(whole[: next(at)])
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        return False

    heard: list[Response | Silence] = []
    async with raw_server(script) as server:
        for _ in whole:
            try:
                heard.append(await client.send(wallet(server.url), POST, 5))
            except Silence as error:
                heard.append(error)
    assert len(server.requests) == len(whole), "each was sent once, and none twice"
    return heard


@pytest.mark.parametrize("form", WHOLE)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_an_answer_cut_at_any_byte_is_silence(client: HttpWalletClient, form: str, reset: bool) -> None:
    """Half of a yes is no yes: the stake may be taken or not, and nobody may be told either."""
    for heard in await cut_anywhere(client, WHOLE[form], reset=reset):
        assert isinstance(heard, Silence)
        assert (heard.result, heard.left) == ("broken", True)


async def test_an_answer_without_a_length_is_never_whole_before_its_body(client: HttpWalletClient) -> None:
    """Such an answer ends with its connection: a cut head is silence, a cut body is no JSON and doubt to every
    dialect. A reset is silence wherever it comes."""
    body_from = TO_THE_END.index(b"\r\n\r\n") + 4
    for at, heard in enumerate(await cut_anywhere(client, TO_THE_END, reset=False)):
        if at < body_from:
            assert isinstance(heard, Silence)
        else:
            assert isinstance(heard, Response)
            assert heard.body == TO_THE_END[body_from:at]
    assert all(isinstance(heard, Silence) for heard in await cut_anywhere(client, TO_THE_END, reset=True))


@pytest.mark.parametrize("notified", [True, False], ids=["said", "cut"])
async def test_tls_says_whether_the_end_is_the_wallets(
    client: HttpWalletClient, tmp_path: Path, notified: bool
) -> None:
    """Who can cut a connection could else shorten an answer at will."""

    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(TO_THE_END)
        if not notified:
            raw = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
            raw.shutdown(socket.SHUT_WR)
            raw.close()
            await server.forever.wait()
            writer.transport.abort()
        return False

    authority = Authority(tmp_path)
    send = Send(ca=authority.ca.read_bytes())
    async with raw_server(script, tls_server(authority)) as server:
        url = server.url.replace("http:", "https:")
        if notified:
            assert (await client.send(wallet(url, send), POST, 5)).body == YES
        else:
            found = await silence(client, url, send=send)
            assert (found.result, found.left) == ("broken", True)


# ---------------------------------------------------------------- pieces


class Wire(asyncio.Transport):
    """What asyncio would hand to a connection, without a network."""

    def __init__(self) -> None:
        self._pair = socket.socketpair()
        super().__init__({"socket": self._pair[0]})
        self.sent: list[bytes] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True
        for each in self._pair:
            each.close()

    abort = close


class Line:
    """A connection over `Wire`."""

    def __init__(self) -> None:
        self.freed: list[Connection] = []
        self.wire = Wire()
        self.connection = Connection(self.freed.append, lambda _: None)
        self.connection.connection_made(self.wire)

    def hears(self, *pieces: bytes) -> asyncio.Future[Response]:
        waiter = self.connection.ask(b"GET / HTTP/1.1\r\n\r\n", 60)
        for piece in pieces:
            self.connection.data_received(piece)
        return waiter

    def end(self) -> None:
        self.wire.close()
        self.connection.connection_lost(None)


def pieces_of(whole: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(whole), *(cut % len(whole) for cut in cuts)})
    return [whole[begin:end] for begin, end in pairwise(at)]


@pytest.mark.parametrize("form", WHOLE)
async def test_in_whatever_pieces_an_answer_comes_it_is_the_same(form: str) -> None:
    whole = WHOLE[form]
    line = Line()
    expected = await line.hears(whole)
    assert (expected.status, expected.body) == (200, YES)
    assert set(expected.headers) <= {"content-type", "content-length", "transfer-encoding"}, "no trailer, no hint"
    ways = [[whole[:at], whole[at:]] for at in range(1, len(whole))]
    for pieces in [*ways, [bytes([byte]) for byte in whole]]:  # over one connection: nothing is left of the one before
        assert await line.hears(*pieces) == expected
    assert not line.wire.closing
    line.end()


@settings(deadline=None)
@given(form=st.sampled_from(sorted(WHOLE)), cuts=st.lists(st.integers(0, 1000), max_size=20))
def test_in_whatever_many_pieces_an_answer_comes_it_is_the_same(form: str, cuts: list[int]) -> None:
    async def play() -> None:
        line = Line()
        assert (await line.hears(*pieces_of(WHOLE[form], cuts))).body == YES
        assert line.freed == [line.connection]
        line.end()

    asyncio.run(play())


@settings(deadline=None)
@given(form=st.sampled_from(sorted(WHOLE)), at=st.integers(0, 1000), byte=st.integers(0, 255))
def test_a_damaged_answer_is_silence_or_an_answer_of_its_own_length(form: str, at: int, byte: int) -> None:
    """The wire may change a byte anywhere: whatever is made of it, the connection and its next answer are not
    taken for each other."""

    async def play() -> None:
        damaged = bytearray(WHOLE[form])
        damaged[at % len(damaged)] = byte
        line = Line()
        waiter = line.hears(bytes(damaged))
        if not waiter.done():
            line.connection.connection_lost(None)
        found = waiter.exception()
        assert found is None or (isinstance(found, Silence) and found.left)
        if line.freed and not line.wire.closing:
            assert (await line.hears(LENGTH)).body == YES
        line.end()

    asyncio.run(play())


# ---------------------------------------------------------------- whose answer it is


async def test_bytes_that_nobody_asked_for_are_nobodys_answer(client: HttpWalletClient) -> None:
    """A yes that comes while nothing is asked would be taken for that of the next bet."""
    late = asyncio.Event()

    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(LENGTH)
        if server.connections == 1:
            await writer.drain()
            writer.write(LENGTH.replace(b"t-1", b"t-0"))
            await writer.drain()
            late.set()
        return True

    async with raw_server(script) as server:
        await client.send(wallet(server.url), POST, 5)
        await late.wait()
        assert (await client.send(wallet(server.url), POST, 5)).body == YES
    assert server.connections == 2


@pytest.mark.parametrize("rest", [LENGTH.replace(b"t-1", b"t-0"), b"x", b"HT"], ids=["yes", "byte", "begin"])
async def test_what_follows_an_answer_ends_the_connection(client: HttpWalletClient, rest: bytes) -> None:
    async with raw_server(says(LENGTH + rest)) as server:
        for _ in range(2):
            assert (await client.send(wallet(server.url), POST, 5)).body == YES
    assert server.connections == 2


async def test_who_gave_up_does_not_end_the_call_of_another() -> None:
    """The answer came, the connection was taken by another call, and only then the first call is cancelled."""
    line = Line()
    first = line.hears(LENGTH)
    second = line.connection.ask(b"GET / HTTP/1.1\r\n\r\n", 60)
    line.connection.forget(first)
    assert not line.wire.closing
    line.connection.data_received(LENGTH)
    assert (await second).body == YES
    line.end()


async def test_an_answer_to_who_gave_up_is_nobodys() -> None:
    line = Line()
    waiter = line.connection.ask(b"GET / HTTP/1.1\r\n\r\n", 60)
    waiter.cancel()
    line.connection.data_received(LENGTH)
    assert line.wire.closing
    assert line.freed == []
    line.connection.connection_lost(None)


async def test_a_request_that_is_still_being_written_keeps_no_connection(client: HttpWalletClient) -> None:
    """What is left of it would be read as the begin of the next one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        answered.append(True)
        await over.wait()
        writer.close()

    answered: list[bool] = []
    over = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    large = Request(method="POST", path="/debit", body=b"x" * (64 << 20))
    try:
        for _ in range(2):
            assert (await client.send(wallet(url), large, 5)).status == 413
        assert len(answered) == 2
    finally:
        over.set()
        server.close()


async def test_a_connection_is_not_used_when_the_wallet_is_about_to_close_it() -> None:
    """Node's servers keep a connection 5 s, and say so: a bet that crosses the end of it would be in doubt."""
    line = Line()
    await line.hears(LENGTH.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5, max=100\r\n\r\n"))
    now = asyncio.get_running_loop().time()  # the clock of `time.monotonic`
    assert line.connection.usable(now + 3)
    assert not line.connection.usable(now + 4.5)
    await line.hears(LENGTH)
    assert line.connection.usable(now + 14)
    assert not line.connection.usable(now + 15.5)
    await line.hears(LENGTH.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=1\r\n\r\n"))
    assert line.wire.closing
    line.end()


@pytest.mark.parametrize(
    "answer",
    [
        LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        LENGTH.replace(b"HTTP/1.1", b"HTTP/1.0"),
        CHUNKS.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1),
    ],
    ids=["close", "1.0", "two lengths"],
)
async def test_answers_after_which_a_connection_is_over(client: HttpWalletClient, answer: bytes) -> None:
    async with raw_server(says(answer)) as server:
        for _ in range(2):
            assert (await client.send(wallet(server.url), POST, 5)).body == YES
    assert server.connections == 2


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_some_answers_have_no_body(client: HttpWalletClient, status: bytes) -> None:
    async with raw_server(says(b"HTTP/1.1 " + status + b"\r\nX-A: 1\r\n\r\n")) as server:
        for _ in range(2):
            found = await client.send(wallet(server.url), POST, 5)
            assert (found.status, found.body, found.header("x-a")) == (int(status[:3]), b"", "1")
    assert server.connections == 1


async def test_the_answer_to_head_has_no_body(client: HttpWalletClient) -> None:
    async with raw_server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n")) as server:
        found = await client.send(wallet(server.url), Request(method="HEAD", path="/a"), 5)
    assert (found.status, found.body) == (200, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 000 What\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 99999 What\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        b"{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * HEAD_BYTES_MAX),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * HEAD_BYTES_MAX,
        b"HTTP/1.1 100 Continue\r\n\r\n" * HEAD_BYTES_MAX,
        b"HTTP/1.1 200 " + b"x" * (2 * HEAD_BYTES_MAX),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * (AROUND_BYTES_MAX // 4),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * (AROUND_BYTES_MAX // 4),
        b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * (ANSWER_BYTES_MAX + 1),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (ANSWER_BYTES_MAX + 1),
    ],
    ids=lambda answer: bytes(answer[:60]).decode("latin-1").replace("\r\n", " "),
)
async def test_what_is_no_answer_is_silence_at_once(client: HttpWalletClient, answer: bytes) -> None:
    async with raw_server(says(answer)) as server:
        found = await silence(client, server.url)
        assert (found.result, found.left, len(server.requests)) == ("broken", True, 1)


async def test_an_answer_of_the_largest_size_is_heard(client: HttpWalletClient) -> None:
    body = b"x" * ANSWER_BYTES_MAX
    async with raw_server(says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as server:
        assert (await client.send(wallet(server.url), POST, 5)).body == body


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="POST", path="/a", headers={"x-a": "1\r\nx-b: 2"}),
        Request(method="POST", path="/a", headers={"x-a": "1\n"}),
        Request(method="POST", path="/a", headers={"x-a\r\nx-b": "1"}),
        Request(method="POST", path="/a", headers={"": "1"}),
        Request(method="PO ST", path="/a"),
    ],
    ids=lambda request_: repr(request_.headers or request_.method),
)
async def test_a_request_that_cannot_be_written_is_not_sent(client: HttpWalletClient, request_: Request) -> None:
    async with raw_server(says(LENGTH)) as server:
        found = await silence(client, server.url, request_)
    assert (found.result, found.left, server.requests) == ("unreachable", False, [])


async def test_a_request_says_its_own_length_and_nothing_about_connections(client: HttpWalletClient) -> None:
    """Else a header of a dialect could hide a second request in its body."""
    lies = {"content-length": "1", "transfer-encoding": "chunked", "connection": "close", "x-a": "é"}
    async with raw_server(says(LENGTH)) as server:
        await client.send(wallet(server.url), Request(method="POST", path="/a", headers=lies, body=b"0123"), 5)
        await client.send(wallet(server.url), Request(method="POST", path="/a"), 5)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert (head.count(b"Content-Length: 4"), head.lower().count(b"content-length"), body) == (1, 1, b"0123")
    assert b"transfer-encoding" not in head.lower()
    assert b"\r\nX-A: \xc3\xa9\r\n" in head
    assert b"\r\nContent-Length: 0\r\n" in server.requests[1]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/"),
        ("?a=1", "/?a=1"),
        ("/api/a?b=%20c&d=/./..'[]{}|\\", "/api/a?b=%20c&d=/./..'[]{}|\\"),
        ("/a b\r\nX: y", "/a%20b%0D%0AX:%20y"),
        ("/é#x", "/%C3%A9%23x"),
        ("/players/../balance", "/players/../balance"),
    ],
)
def test_what_is_asked_for(path: str, asked: str) -> None:
    """Nothing ends the line early, and nothing that an id holds is taken for a way through folders."""
    assert target(path) == asked


@pytest.mark.parametrize(
    ("url", "host", "port", "said", "path"),
    [
        ("http://w.example/api", "w.example", 80, "w.example", "/api"),
        ("https://W.example:443", "w.example", 443, "w.example", ""),
        ("https://w.example:80/a/b", "w.example", 80, "w.example:80", "/a/b"),
        ("http://[::1]:8080/", "::1", 8080, "[::1]:8080", "/"),
        ("http://bücher.example/x", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/x"),
    ],
)
def test_where_a_url_points(url: str, host: str, port: int, said: str, path: str) -> None:
    found = place_at(url)
    assert (found.host, found.port, found.said, found.path) == (host, port, said, path)


# ---------------------------------------------------------------- how many, and how they come about


async def test_no_more_connections_than_there_may_be(client: HttpWalletClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wallet that hangs must not eat every file descriptor."""
    monkeypatch.setattr(pools, "CONNECTIONS_MAX", 3)

    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        await server.forever.wait()
        writer.write(LENGTH)
        return True

    async with raw_server(script) as server:
        calls = [asyncio.create_task(client.send(wallet(server.url), POST, 5)) for _ in range(3)]
        await until(lambda: len(server.requests) == 3)
        found = await silence(client, server.url)
        assert (found.result, found.left) == ("unreachable", False)
        server.forever.set()
        assert [(await call).body for call in calls] == [YES] * 3
        assert (await client.send(wallet(server.url), POST, 5)).body == YES
    assert (len(server.requests), server.connections) == (4, 3)


async def test_an_address_that_is_dead_is_not_the_last(
    client: HttpWalletClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wallet whose name has two addresses, one of them refusing."""
    real = socket.getaddrinfo

    def both(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host != "wallet.invalid":
            return real(host, port, *args, **kwargs)
        return [*real("127.0.0.1", dead), *real("127.0.0.1", port, type=socket.SOCK_STREAM)]

    async with raw_server(says(LENGTH)) as gone:
        dead = gone.port
    monkeypatch.setattr(socket, "getaddrinfo", both)
    async with raw_server(says(LENGTH)) as server:
        found = await client.send(wallet(f"http://wallet.invalid:{server.port}/api"), POST, 5)
    assert (found.body, b"\r\nHost: wallet.invalid:" in server.requests[0]) == (YES, True)


@pytest.mark.parametrize("what", ["ca", "cert", "key", "locked"])
async def test_tls_settings_that_cannot_be_used_leave_nothing(
    client: HttpWalletClient, tmp_path: Path, what: str
) -> None:
    """Not even a question at the terminal, which OpenSSL asks for the password of a key."""
    authority = Authority(tmp_path)
    cert, private = (path.read_bytes() for path in authority.issue("gateway"))
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    send = {
        "ca": Send(ca=b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "cert": Send(client_cert=b"x", client_key=private),
        "key": Send(client_cert=cert, client_key=b"x" * (1 << 20)),
        "locked": Send(client_cert=cert, client_key=locked),
    }[what]
    async with raw_server(says(LENGTH), tls_server(authority)) as server:
        found = await silence(client, server.url.replace("http:", "https:"), send=send)
    assert (found.result, found.left, server.requests) == ("unreachable", False, [])


async def test_a_certificate_for_another_name_is_refused(client: HttpWalletClient, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("localhost"))
    async with raw_server(says(LENGTH), context) as server:
        url = f"https://localhost:{server.port}/api"  # it is for 127.0.0.1
        found = await silence(client, url, send=Send(ca=authority.ca.read_bytes()))
    assert (found.result, found.left, server.requests) == ("unreachable", False, [])


async def test_kept_tls_connections_are_used_again(client: HttpWalletClient, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    send = Send(ca=authority.ca.read_bytes())
    async with raw_server(says(LENGTH), tls_server(authority)) as server:
        for _ in range(3):
            found = await client.send(wallet(server.url.replace("http:", "https:"), send), POST, 5)
            assert found.body == YES
    assert (len(server.requests), server.connections) == (3, 1)
