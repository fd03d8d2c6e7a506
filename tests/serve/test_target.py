"""What a dialect signs as its target is what stands on the wire: the wallet's own path in front, the query behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.auth import Auth, Key
from gateway.dialect import Dialect
from gateway.engine.setup import Route, Setup, Wallet
from gateway.engine.words import Known, Way, encode
from gateway.http import Request
from gateway.serve.client import HttpWalletClient
from gateway.serve.discover import find, names
from gateway.serve.live import clock
from gateway.vectors import CURRENCIES, Vector, load_all

from .helpers import RawServer, provider, raw_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
QUERY = "a=1&b=%20x&c=ä"


class Told(Auth):
    """A proof that says which target it was told, for whoever reads the wire."""

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return request.put(("x-told", request.target))


async def answers(server: RawServer, writer: asyncio.StreamWriter, number: int) -> bool:
    writer.write(OK)
    return True


def told(dialect: Dialect, query: str) -> Dialect:
    """The same, with this proof and, in each of its requests, this query; of what a cancel means no journal is asked here."""
    encode = (
        dialect.encode_request if not query else lambda tx, call: replace(dialect.encode_request(tx, call), query=query)
    )
    return replace(dialect, auth=Told(), encode_request=encode, by_stake=False)


def one_of_each_kind(dialect: Dialect, vectors: Sequence[Vector]) -> Iterator[Vector]:
    seen = set()
    for vector in vectors:
        kind = vector.transaction.kind if vector.transaction is not None else None
        if kind is not None and "out" in vector.ends and kind not in seen:
            seen.add(kind)
            yield vector


def wallet_at(url: str, dialect: Dialect, vector: Vector) -> Wallet:
    return Wallet(
        name="main", dialect=dialect, settings=vector.call.settings, url=url, currency=vector.call.currency,
        repeats={"debit": "safe", "credit": "safe", "rollback": "safe"},
    )  # fmt: skip


@pytest.mark.parametrize("query", ["", QUERY], ids=["as it is", "with a query"])
@pytest.mark.parametrize("path", ["", "/api", "/deep/er/~a:b"])
@pytest.mark.parametrize("name", names())
async def test_what_is_signed_is_what_is_sent(name: str, path: str, query: str) -> None:
    found = find(name)
    client, asked = HttpWalletClient(clock), []
    async with raw_server(answers) as server:
        for vector in one_of_each_kind(found.dialect, load_all(found.dialect, found.folder / "vectors")):
            wallet = wallet_at(f"http://127.0.0.1:{server.port}{path}", told(found.dialect, query), vector)
            setup = Setup(providers={}, wallets={"main": wallet}, routes=(), currencies=CURRENCIES)
            way = Way(setup=setup, provider=provider(), wallet=wallet, route=Route(wallet="main"))
            assert vector.transaction is not None
            request = encode(Known(way=way), vector.transaction, vector.call.now, vector.call.nonce)
            await client.send(wallet, request, 5)
            asked.append(request)
        await client.close()
    assert asked, "no vector of this dialect is for the wallet's end"
    for request, sent in zip(asked, server.requests, strict=True):
        head = sent.split(b"\r\n\r\n")[0].decode()
        target = head.split(" ", 2)[1]
        told_it = next(line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("x-told: "))
        assert told_it == target == request.target
        assert target.startswith(path or "/")
        assert target.endswith(query.replace("ä", "%C3%A4"))


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("https://w.example", "/debit", "/debit"), ("https://w.example", "/", "/"), ("https://w.example/api", "/", "/api"),
        ("https://w.example/api", "/?a=b", "/api?a=b"), ("https://w.example", "/?a=b", "/?a=b"), ("https://w.example:8443/a/b", "/debit?a=%20", "/a/b/debit?a=%20"),
        ("https://w.example/a b", '/"x"?y=<ü>#z', "/a%20b/%22x%22?y=%3C%C3%BC%3E%23z"),
    ],
)  # fmt: skip
def test_a_target_is_what_can_stand_in_a_request_line(url: str, path: str, target: str) -> None:
    found = find("native")
    wallet = Wallet(name="w", dialect=found.dialect, settings=found.dialect.settings(), url=url, repeats={})
    assert wallet.target(path) == target
