"""The admin side over a real listener, with a real journal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from msgspec.structs import replace

from gateway.journal.sqlite import SqliteJournal
from gateway.serve.admin import Admin
from gateway.serve.app import Current
from gateway.serve.live import clock
from gateway.serve.metrics import Metrics

from .helpers import key, listening, setup, wallet
from .rows import bet, fill

LAUNCH = {"provider": "acme", "player": "anna", "session": "s-1", "currency": "EUR"}


class Place:
    def __init__(self, http: httpx.AsyncClient, journal: SqliteJournal, current: Current) -> None:
        self.http, self.journal, self.current = http, journal, current


@asynccontextmanager
async def place(*, open_to_all: bool = True) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        journal = await SqliteJournal.start(f"{folder}/journal.db", clock())
        stack.push_async_callback(journal.close)
        metrics, current = Metrics(), Current(setup(), max_body=1000)
        metrics.wallets = ("main",)
        admin = Admin(current=current, journal=journal, metrics=metrics, keys=[key("k-1")], open_to_all=open_to_all)
        _, port = await stack.enter_async_context(listening(admin.app()))
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        yield Place(await stack.enter_async_context(client), journal, current)


async def test_health() -> None:
    async with place() as here:
        assert (await here.http.get("/livez")).status_code == 200
        assert (await here.http.get("/readyz")).status_code == 200
        here.current.draining = True
        assert (await here.http.get("/livez")).status_code == 200
        assert (await here.http.get("/readyz")).status_code == 503


async def test_metrics_are_exposed_in_both_forms() -> None:
    async with place() as here:
        await fill(here.journal)
        plain = await here.http.get("/metrics")
        open_metrics = await here.http.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert plain.headers["content-type"].startswith("text/plain")
    assert 'gateway_owed{kind="credit",wallet="main"} 1.0' in plain.text
    assert open_metrics.text.endswith("# EOF\n")


async def test_a_journal_that_does_not_answer_is_said() -> None:
    """Whoever looks for a movement learns that nobody can say just now; the other numbers are seen all the same."""
    async with place() as here:
        await here.journal.close()
        for path in ("/api/transactions", "/api/transactions?in_doubt=1", "/api/transactions/x"):
            answer = await here.http.get(path)
            assert (answer.status_code, list(answer.json())) == (503, ["error"])
            assert answer.json()["error"].startswith("the journal does not answer: ")
        assert (await here.http.get("/metrics")).status_code == 200


@pytest.mark.parametrize("path", ["/api/transactions", "/api/config", "/api/transactions/x"])
@pytest.mark.parametrize(
    ("authorization", "status"), [(None, 401), ("Bearer wrong", 401), ("Basic k-1", 401), ("bearer k-1", 0)]
)
async def test_the_api_needs_a_key(path: str, authorization: str | None, status: int) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with place(open_to_all=False) as here:
        response = await here.http.get(path, headers=headers)
        health = [await here.http.get(open_path) for open_path in ("/livez", "/readyz", "/metrics")]
    assert response.status_code == (status or (404 if path.endswith("/x") else 200))
    assert [answer.status_code for answer in health] == [200, 200, 200]


async def test_other_sites_pages_are_refused() -> None:
    async with place() as here:
        response = await here.http.post("/api/sessions", json=LAUNCH, headers={"Origin": "https://evil.example"})
        assert response.status_code == 403
        assert await here.journal.session("acme-id", "s-1") is None


async def test_a_launch_is_remembered_by_the_immutable_id() -> None:
    more = {"game": "g", "brand": "b", "wallet": "main", "wallet_session": "w-1", "launch_token": "l-1"}
    async with place() as here:
        response = await here.http.post("/api/sessions", json=LAUNCH | more | {"expires_at": "2030-01-01T00:00:00Z"})
        found = await here.journal.session("acme-id", "s-1")
    assert (response.status_code, response.json()) == (201, {"sessions": 1})
    assert found is not None
    assert (found.player, found.wallet_session, found.launch_token, found.game) == ("anna", "w-1", "l-1", "g")
    assert found.expires_at is not None


async def test_rule_22_a_token_handed_over_to_another_player_is_all_his() -> None:
    """The first player's session at the wallet was told with the second one's bets; what is handed over to the same player
    again keeps what is not said."""
    async with place() as here:
        for said in ({"wallet_session": "annas", "game": "g"}, {}):
            await here.http.post("/api/sessions", json=LAUNCH | said)
        anna = await here.journal.session("acme-id", "s-1")
        await here.http.post("/api/sessions", json=LAUNCH | {"player": "bob"})
        bob = await here.journal.session("acme-id", "s-1")
    assert anna is not None
    assert bob is not None
    assert [(found.player, found.wallet_session, found.game) for found in (anna, bob)] == [
        ("anna", "annas", "g"), ("bob", "", ""),
    ]  # fmt: skip


async def test_a_list_is_all_or_nothing() -> None:
    async with place() as here:
        good = await here.http.post("/api/sessions", json=[LAUNCH, LAUNCH | {"session": "s-2", "provider": "acme-id"}])
        bad = await here.http.post("/api/sessions", json=[LAUNCH | {"session": "s-3"}, LAUNCH | {"currency": "XXX"}])
        assert await here.journal.session("acme-id", "s-2") is not None
        assert await here.journal.session("acme-id", "s-3") is None
    assert (good.status_code, good.json()) == (201, {"sessions": 2})
    assert (bad.status_code, bad.json()["field"]) == (422, "[1].currency")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"wallet": "nobody"}, "wallet"),
        ({"currency": "eur"}, "currency"),
        ({"player": 7}, "player"),
        ({"player": ""}, "player"),
        ({"session": None}, "session"),
        ({"session": "x" * 9000}, "session"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": 12}, "expires_at"),
        ({"suprise": 1}, "suprise"),
    ],
)
async def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    async with place() as here:
        response = await here.http.post("/api/sessions", json=LAUNCH | change)
    assert (response.status_code, response.json()["field"]) == (422, field)


@pytest.mark.parametrize("name", list(LAUNCH))
async def test_a_missing_field_is_named(name: str) -> None:
    async with place() as here:
        response = await here.http.post("/api/sessions", json={k: v for k, v in LAUNCH.items() if k != name})
    assert (response.status_code, response.json()["field"]) == (422, name)


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 400), ("{", 400), ('{"provider": "a", "provider": "b"}', 400), ("[]", 422), ("7", 422), ("[[]]", 422)],
)
async def test_what_is_no_handover_is_refused(body: str, status: int) -> None:
    async with place() as here:
        response = await here.http.post("/api/sessions", content=body)
    assert response.status_code == status
    assert response.json()["error"]


async def test_transactions_are_listed() -> None:
    async with place() as here:
        await fill(here.journal)

        async def ids(query: str) -> list[str]:
            response = await here.http.get(f"/api/transactions{query}")
            return [row["transaction"]["transaction_id"] for row in response.json()["transactions"]]

        assert await ids("") == ["w2", "w1", "b/2", "b/1"]
        assert await ids("?in_doubt=1") == ["w2", "w1", "b/2"]
        assert await ids("?in-doubt=true&older-than=5m") == ["b/2"]
        assert await ids("?owed") == ["w1"]
        assert await ids("?owed=1&person=1") == ["w2", "w1"]
        assert await ids("?player=anna&limit=1") == ["b/2"]
        assert await ids("?provider=acme&person=yes") == ["w2"]
        assert await ids("?provider=other") == []


@pytest.mark.parametrize(
    ("query", "field"), [("x=1", "x"), ("limit=0", "limit"), ("older_than=5", "older_than"), ("owed=maybe", "owed")]
)
async def test_a_wrong_filter_is_named(query: str, field: str) -> None:
    async with place() as here:
        response = await here.http.get(f"/api/transactions?{query}")
    assert (response.status_code, response.json()["field"]) == (422, field)


async def test_one_transaction_without_its_tokens() -> None:
    async with place() as here:
        await fill(here.journal)
        asked = bet(1).key
        for spelling in (asked, quote(asked, safe="")):
            response = await here.http.get(f"/api/transactions/{spelling}")
            assert response.json()["key"] == asked
        assert (await here.http.get("/api/transactions/acme-id/debit/zz")).status_code == 404
    row = response.json()
    assert (row["state"], row["told"], row["transaction"]["amount"]) == ("accepted", "accepted", "12.50")
    assert row["outcome"]["balance"] == "87.50"
    assert "secret" not in response.text


async def test_the_configuration_without_secrets() -> None:
    async with place() as here:
        secret_url = wallet("https://user:pass@wallet.example/api?x=secret")
        here.current.setup = replace(here.current.setup, generation=4, wallets={"main": secret_url})
        response = await here.http.get("/api/config")
    plain = response.json()
    assert (plain["generation"], plain["wallets"]["main"]["url"]) == (4, "https://wallet.example/api")
    assert plain["providers"]["acme"]["keys"] == ["demo"]
    assert "whsec" not in json.dumps(plain)
    assert "pass" not in json.dumps(plain)
