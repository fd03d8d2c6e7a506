"""`retry` and `resolve` over the admin API: who may, what is changed, and what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from gateway.engine.states import State
from gateway.journal.sqlite import SqliteJournal
from gateway.serve.admin import Admin
from gateway.serve.app import Current
from gateway.serve.live import clock
from gateway.serve.metrics import Metrics

from .helpers import key, listening, setup
from .rows import bet, fill, win

HELD = {"authorization": "Bearer k-1"}
SAID = {"as": "accepted", "reason": "it is in their book", "by": "Ada"}
IN_DOUBT, OWED, PERSON, DECIDED = bet(2).key, win(1).key, win(2).key, bet(1).key


class Place:
    def __init__(self, http: httpx.AsyncClient, journal: SqliteJournal, metrics: Metrics) -> None:
        self.http, self.journal, self.metrics = http, journal, metrics

    async def post(self, key: str, action: str, said: Any = None, **more: Any) -> httpx.Response:
        headers = more.get("headers", HELD)
        return await self.http.post(
            f"/api/transactions/{quote(key, safe='')}/{action}", json=said or {}, headers=headers
        )


@asynccontextmanager
async def place(*, demo: bool = False, keys: bool = True) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        journal = await SqliteJournal.start(f"{folder}/journal.db", clock())
        stack.push_async_callback(journal.close)
        await fill(journal)
        metrics = Metrics()
        admin = Admin(
            current=Current(setup(), max_body=1000), journal=journal, metrics=metrics,
            keys=[key("k-1", id="ops")] if keys else [], open_to_all=True, demo=demo,
        )  # fmt: skip
        _, port = await stack.enter_async_context(listening(admin.app()))
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        yield Place(await stack.enter_async_context(client), journal, metrics)


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize("action", ["retry", "resolve"])
async def test_moving_money_needs_a_key_on_loopback_too(action: str) -> None:
    async with place() as here:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            assert (await here.post(PERSON, action, SAID, headers=headers)).status_code == 401
        assert (await here.http.get(f"/api/transactions/{PERSON}")).status_code == 200
        found = await here.journal.get(PERSON)
    assert found is not None
    assert found.state is State.PERSON


async def test_without_any_key_configured_it_is_said_what_to_do() -> None:
    async with place(keys=False) as here:
        answer = await here.post(PERSON, "retry", headers={})
    assert (answer.status_code, "admin.keys" in answer.text) == (403, True)


async def test_a_demo_needs_none() -> None:
    async with place(demo=True, keys=False) as here:
        assert (await here.post(PERSON, "resolve", SAID, headers={})).status_code == 200


async def test_no_other_sites_page_may() -> None:
    async with place() as here:
        answer = await here.post(PERSON, "retry", headers={**HELD, "origin": "https://evil.example"})
    assert answer.status_code == 403


# ---------------------------------------------------------------- what it does


async def test_a_person_decides_and_it_is_kept_who_and_why() -> None:
    async with place() as here:
        answer = await here.post(PERSON, "resolve", SAID)
        shown = (await here.http.get(f"/api/transactions/{PERSON}")).json()
        text = here.metrics.expose("")[0].decode()
    assert answer.status_code == 200
    assert (shown["state"], shown["told"]) == ("accepted", "unknown")
    steps = {step["what"]: step.get("detail") for step in shown["story"]}
    assert steps["resolved"] == "accepted by Ada (key ops): it is in their book"
    assert "book" not in str(shown["outcome"]), "no provider hears the reason"
    assert 'gateway_recovered_total{kind="credit",outcome="accepted",wallet="main"} 1.0' in text


async def test_it_decides_once() -> None:
    async with place() as here:
        await here.post(PERSON, "resolve", SAID)
        for movement in (PERSON, DECIDED):
            answer = await here.post(movement, "resolve", {**SAID, "as": "declined"})
            assert (answer.status_code, "decision stands" in answer.text) == (409, True)
        assert (await here.post(DECIDED, "retry")).status_code == 409


async def test_retry_makes_it_due_and_the_gateways_again() -> None:
    async with place() as here:
        answer = await here.post(PERSON, "retry", {"by": "Ada"})
        due = [m.key for m in await here.journal.take_due(clock(), "a-node", timedelta(seconds=1), {"main": 10})]
    assert (answer.status_code, answer.json()["state"]) == (200, "owed")
    assert PERSON in due
    assert ("retry", "by Ada (key ops)") in [(step["what"], step.get("detail")) for step in answer.json()["story"]]


@pytest.mark.parametrize("path", ["acme-id/debit/b%2F2", "acme-id%2Fdebit%2Fb%252F2"])
async def test_the_key_may_stand_there_as_it_is_or_encoded(path: str) -> None:
    async with place() as here:
        answer = await here.http.post(f"/api/transactions/{path}/retry", headers=HELD)
    assert (answer.status_code, answer.json()["key"]) == (200, IN_DOUBT)


async def test_a_movement_called_retry_can_be_read() -> None:
    async with place() as here:
        answer = await here.http.get("/api/transactions/acme-id/debit/retry")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({**SAID, "as": "maybe"}, "as"),
        ({"as": "accepted", "by": "Ada"}, "reason"),
        ({**SAID, "reason": ""}, "reason"),
        ({**SAID, "by": ""}, "by"),
        ({**SAID, "who": "Ada"}, "who"),
        ({**SAID, "wallet_id": "7" * 257}, "wallet_id"),
    ],
)
async def test_what_is_wrong_is_named(said: dict[str, str], field: str) -> None:
    async with place() as here:
        answer = await here.post(PERSON, "resolve", said)
    assert (answer.status_code, answer.json().get("field")) == (422, field)


async def test_a_wallets_name_of_what_is_no_hold_is_refused() -> None:
    """It is read, and its refusal says what to write."""
    async with place() as here:
        answer = await here.post(PERSON, "resolve", {**SAID, "wallet_id": "7"})
    assert (answer.status_code, "leave it out" in answer.text) == (409, True)


async def test_unknown_keys_and_bodies_that_are_none() -> None:
    async with place() as here:
        assert (await here.post("acme-id/debit/zz", "retry")).status_code == 404
        body = await here.http.post(f"/api/transactions/{PERSON}/resolve", content=b"{", headers=HELD)
        assert body.status_code == 400


async def test_what_a_process_carries_just_now_is_left_alone() -> None:
    async with place() as here:
        taken = await here.journal.take_due(clock(), "another", timedelta(days=365), {"main": 10})
        assert OWED in [movement.key for movement in taken]
        answer = await here.post(OWED, "retry")
    assert (answer.status_code, "just now" in answer.text) == (409, True)
