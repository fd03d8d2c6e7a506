"""The wallet client over real sockets: what left us, what did not, and what was sent once only."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.auth.guards import Guard, check
from gateway.engine.setup import Send
from gateway.engine.world import Silence
from gateway.http import Request
from gateway.serve.client import HttpWalletClient
from gateway.serve.live import clock
from gateway.serve.wire import ANSWER_BYTES_MAX

from .helpers import Authority, RawServer, key, raw_server, until, wallet

POST = Request(method="POST", path="/debit", headers={"content-type": "application/json"}, body=b'{"id":"t-1"}')
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def answers(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    writer.write(OK)
    return True


async def hangs(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    await server.forever.wait()
    return False


async def closes(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    return False


async def closes_second(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    if number == 1:
        writer.write(OK)
    return number == 1


async def resets_second(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    if number == 1:
        writer.write(OK)
    else:
        writer.transport.abort()
    return number == 1


async def answers_once(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    writer.write(OK)
    return False


@pytest.fixture
async def client() -> AsyncIterator[HttpWalletClient]:
    found = HttpWalletClient(clock, connect_seconds=0.3)
    yield found
    await found.close()


async def silence(client: HttpWalletClient, url: str, seconds: float = 5.0, send: Send | None = None) -> Silence:
    with pytest.raises(Silence) as caught:
        await client.send(wallet(url, send), POST, seconds)
    return caught.value


async def test_an_answer_is_whole(client: HttpWalletClient) -> None:
    async def twice(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(b"HTTP/1.1 402 P\r\nX-A: 1\r\nx-a: 2\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")
        return True

    async with raw_server(twice) as server:
        response = await client.send(wallet(server.url), POST, 5)
    assert (response.status, response.body, response.header("X-A")) == (402, b"{}", "1, 2")
    head = server.requests[0].lower()
    assert server.requests[0].startswith(b"POST /api/debit HTTP/1.1\r\n")
    assert head.endswith(b'\r\n\r\n{"id":"t-1"}')
    assert b"accept-encoding" not in head


async def test_a_dialect_of_one_url_is_posted_to_that_very_url(client: HttpWalletClient) -> None:
    """Scorpio Play: POST to one URL, the operator's. With a slash behind it many servers answer 404 or 301."""
    async with raw_server(answers) as server:
        await client.send(wallet(server.url), replace(POST, path="/"), 5)
    assert server.requests[0].startswith(b"POST /api HTTP/1.1\r\n")


async def test_so_is_one_whose_calls_stand_in_the_query(client: HttpWalletClient) -> None:
    """Groove: GET, the operator's own URL and a question mark behind it."""
    async with raw_server(answers) as server:
        await client.send(wallet(server.url), Request(method="GET", path="/", query="request=wager"), 5)
    assert server.requests[0].startswith(b"GET /api?request=wager HTTP/1.1\r\n")


async def test_connections_are_kept(client: HttpWalletClient) -> None:
    async with raw_server(answers) as server:
        for _ in range(5):
            await client.send(wallet(server.url), POST, 5)
    assert (len(server.requests), server.connections) == (5, 1)


async def test_refused_connection_left_nothing(client: HttpWalletClient) -> None:
    async with raw_server(answers) as server:
        url = server.url
    found = await silence(client, url)
    assert (found.result, found.left) == ("unreachable", False)
    assert "refused" in found.detail


async def test_unknown_name_left_nothing(client: HttpWalletClient) -> None:
    found = await silence(client, "http://nobody.invalid/api")
    assert (found.result, found.left) == ("unreachable", False)


async def test_handshake_that_never_comes_left_nothing(client: HttpWalletClient) -> None:
    async with raw_server(hangs) as server:
        found = await silence(client, server.url.replace("http:", "https:"))
    assert (found.result, found.left, server.requests) == ("unreachable", False, [])


async def test_untrusted_certificate_left_nothing(client: HttpWalletClient, tmp_path: Path) -> None:
    async with raw_server(answers, tls_server(Authority(tmp_path))) as server:
        found = await silence(client, server.url.replace("http:", "https:"))
    assert (found.result, found.left, server.requests) == ("unreachable", False, [])


async def test_trusted_certificate_and_ours(client: HttpWalletClient, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, private = authority.issue("gateway")
    context = tls_server(authority)
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    send = Send(ca=authority.ca.read_bytes(), client_cert=cert.read_bytes(), client_key=private.read_bytes())
    async with raw_server(answers, context) as server:
        response = await client.send(wallet(server.url.replace("http:", "https:"), send), POST, 5)
    assert response.status == 200


async def test_no_time_sends_nothing(client: HttpWalletClient) -> None:
    async with raw_server(answers) as server:
        found = await silence(client, server.url, seconds=0)
    assert (found.result, found.left, server.connections) == ("timeout", False, 0)


async def test_no_answer_is_a_timeout_that_left(client: HttpWalletClient) -> None:
    async with raw_server(hangs) as server:
        found = await silence(client, server.url, seconds=0.5)
        await until(lambda: len(server.requests) == 1)
    assert (found.result, found.left, len(server.requests)) == ("timeout", True, 1)


async def test_read_and_closed_is_sent_once(client: HttpWalletClient) -> None:
    async with raw_server(closes) as server:
        found = await silence(client, server.url)
    assert (found.result, found.left, len(server.requests)) == ("broken", True, 1)


@pytest.mark.parametrize("script", [closes_second, resets_second])
async def test_read_and_closed_on_a_kept_connection_is_sent_once(client: HttpWalletClient, script: object) -> None:
    async with raw_server(script) as server:  # type: ignore[arg-type]  # pytest's parameters are objects
        await client.send(wallet(server.url), POST, 5)
        found = await silence(client, server.url)
    assert (found.result, found.left) == ("broken", True)
    assert (len(server.requests), server.connections) == (2, 1)


async def test_a_connection_closed_meanwhile_is_no_silence(client: HttpWalletClient) -> None:
    """Nothing of the second request was written to the dead connection, so it may go out on a new one."""
    async with raw_server(answers_once) as server:
        await client.send(wallet(server.url), POST, 5)
        await until(lambda: server.ends == 1)
        await client.send(wallet(server.url), POST, 5)
    assert (len(server.requests), server.connections) == (2, 2)


CUTS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "header": b"HTTP/1.1 200 OK\r\nContent-Len",
    "garbage": b"hello, who is there?\r\n\r\n",
    "large": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 0x10000 + b"\r\n",
}


@pytest.mark.parametrize("cut", ["length", "chunk", "header", "garbage"])
async def test_a_cut_answer_is_broken(client: HttpWalletClient, cut: str) -> None:
    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(CUTS[cut])
        return False

    async with raw_server(script) as server:
        found = await silence(client, server.url)
    assert (found.result, found.left, len(server.requests)) == ("broken", True, 1)


async def test_an_endless_answer_is_broken(client: HttpWalletClient) -> None:
    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * (2 * ANSWER_BYTES_MAX))
        await server.forever.wait()
        return False

    async with raw_server(script) as server:
        found = await silence(client, server.url)
    assert (found.result, found.left) == ("broken", True)


async def test_a_slow_body_is_a_timeout(client: HttpWalletClient) -> None:
    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(CUTS["length"])
        await server.forever.wait()
        return False

    async with raw_server(script) as server:
        found = await silence(client, server.url, seconds=0.5)
    assert (found.result, found.left) == ("timeout", True)


async def test_a_redirect_is_an_answer(client: HttpWalletClient) -> None:
    async def script(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(b"HTTP/1.1 307 T\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        return True

    async with raw_server(script) as server:
        response = await client.send(wallet(server.url), POST, 5)
    assert (response.status, len(server.requests)) == (307, 1)


async def test_a_cancelled_call_is_dropped(client: HttpWalletClient) -> None:
    async with raw_server(hangs) as server:
        call = asyncio.create_task(client.send(wallet(server.url), POST, 30))
        await until(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert len(server.requests) == 1


async def test_details_hold_no_url(client: HttpWalletClient) -> None:
    async with raw_server(closes) as server:
        with pytest.raises(Silence) as caught:
            await client.send(wallet(server.url), Request(method="GET", path="/a", query="session=s-123"), 5)
    assert "s-123" not in caught.value.detail


@pytest.mark.parametrize(
    "request_", [POST, Request(method="GET", path="/balance", query="a=1&b=%20x")], ids=["body", "no body"]
)
async def test_what_send_adds(client: HttpWalletClient, request_: Request) -> None:
    """The HMAC verifies at a guard that reads the bytes on the wire, as ours does."""
    send = Send(headers={"X-Brand": "acme"}, api_key="k-secret", hmac="h-secret")
    async with raw_server(answers) as server:
        await client.send(wallet(server.url, send), request_, 5)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    received = Request(method="X", path="/", headers=headers, body=body, target=first.split()[1])
    guard = Guard(api_key=(key("k-secret", "a"),), hmac=(key("h-secret", "h"),))
    assert check(guard, received, "", clock()) == ["a", "h"]
    assert headers["x-brand"] == "acme"
    assert received.target.startswith("/api/")


async def test_only_the_configured_proxy_is_asked(client: HttpWalletClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with raw_server(answers) as server, raw_server(answers) as proxy:
        await client.send(wallet(server.url), POST, 5)
        through = Send(proxy=f"http://127.0.0.1:{proxy.port}")
        await client.send(wallet("http://wallet.invalid/api", through, "other"), POST, 5)
    assert len(server.requests) == 1
    assert proxy.requests[0].startswith(b"POST http://wallet.invalid/api/debit HTTP/1.1\r\n")


async def test_a_reload_keeps_the_pools_in_use(client: HttpWalletClient) -> None:
    async with raw_server(answers) as server:
        before = wallet(server.url)
        await client.send(before, POST, 5)
        same = wallet(server.url)
        client.keep([same])
        await client.send(same, POST, 5)
        changed = wallet(server.url, Send(api_key="new"))
        client.keep([changed])
        await client.send(changed, POST, 5)
    assert (len(server.requests), server.connections) == (3, 2)


def tls_server(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("wallet"))
    return context
