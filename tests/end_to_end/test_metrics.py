"""Traffic of known numbers, then /metrics: each metric of the contract that it moves, by value."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from msgspec import Struct
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from gateway import __version__
from tests.end_to_end import configuration as c
from tests.end_to_end.odd_wallets import ANSWERS, SILENT, OddWallet, player
from tests.end_to_end.processes import free_port, serving
from tests.end_to_end.speakers import SPEAKERS, YES, Sent, Word, new_id, speak
from tests.end_to_end.stages import Numbers, clients, counted, numbers, wallet_server

CALLS, WALLET_CALLS = "gateway_calls_total", "gateway_wallet_requests_total"


class Stage(Struct, frozen=True, kw_only=True):
    client: httpx.AsyncClient
    admin: httpx.AsyncClient
    north: OddWallet

    async def word(self, name: str, sent: Sent) -> Word:
        return SPEAKERS[name].word(await speak(self.client, sent))

    async def numbers(self) -> Numbers:
        return await numbers(self.admin)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """`main` may be asked again, `north` never a bet, `once` nothing at all, and `nobody` is not there."""
    main, north = (OddWallet(wallet_server(dialect), dict(ANSWERS)) for dialect in ("native", "netgaming"))
    async with AsyncExitStack() as stack:
        for wallet in (main, north):
            await stack.enter_async_context(wallet.serving())
        waits = {"answer_within": "300ms", "give_up_after": "1s", "in_flight_max": "1h"}
        wallets = {
            "main": c.native_wallet(main.url),
            "north": {"dialect": "netgaming", "url": north.url, "repeats": {**c.STRICT, "credit": "safe"}, **waits},
            "once": {"dialect": "netgaming", "url": north.url, "repeats": c.STRICT, **waits},
            "nobody": c.native_wallet(f"http://127.0.0.1:{free_port()}", **waits),
        }
        ways = {"na": "main", "gb": "main", "ng": "north", "dg": "once", "sp": "nobody"}
        providers: dict[str, Any] = {name: dict(c.PROVIDERS[name]) for name in ways}
        for name in ("ng", "dg", "sp"):
            providers[name]["answer_within"] = "700ms"
        routes = [{"when": {"provider": [name]}, "wallet": wallet} for name, wallet in ways.items()]
        config = c.write(tmp_path, c.configuration(wallets, providers=providers, routes=routes))
        _, url, admin_url = await stack.enter_async_context(serving(config))
        client, admin = await stack.enter_async_context(clients(url, admin_url))
        yield Stage(client=client, admin=admin, north=north)


async def test_before_the_first_call(stage: Stage) -> None:
    """An alert on a series that is not there never fires: gauges stand at zero from the start."""
    found = await stage.numbers()
    assert found.get("gateway_build_info", version=__version__) == 1
    assert found.get("gateway_config_generation") == 1
    for wallet in ("main", "north", "once", "nobody"):
        assert found.series("gateway_breaker_open")[frozenset({("wallet", wallet)})] == 0
        assert found.series("gateway_unresolved_oldest_seconds")[frozenset({("wallet", wallet)})] == 0
        for name in ("gateway_unresolved", "gateway_owed", "gateway_for_person"):
            assert found.series(name)[frozenset({("wallet", wallet), ("kind", "debit")})] == 0
    for provider in ("na", "gb", "ng", "dg", "sp"):
        assert found.series("gateway_inflight")[frozenset({("provider", provider)})] == 0


async def test_decisions(stage: Stage) -> None:
    speaker, bet, win = SPEAKERS["na"], new_id(), new_id()
    first = speaker.good("bet", bet, "anna")
    assert await stage.word("na", first) == YES
    assert await stage.word("na", speaker.good("bet", new_id(), "anna")) == YES
    assert await stage.word("na", speaker.good("win", win, "anna", bet)) == YES
    assert await stage.word("na", speaker.good("undo", new_id(), "anna", bet)) == YES
    poor = speaker.sent("bet", speaker.say("bet", new_id(), "anna", "").put(amount='"5000.00"'))
    assert await stage.word("na", poor) == (200, "insufficient_funds")
    assert await stage.word("na", first) == YES
    other = speaker.sent("bet", speaker.say("bet", bet, "anna", "").put(amount='"3.00"'))
    assert await stage.word("na", other) == (200, "duplicate_mismatch")
    assert await stage.word("na", first.but(webhook_signature="v1,AAAA")) == (401, "bad_signature")
    assert await stage.word("na", speaker.sent("bet", b"{")) == (400, "invalid_request")
    assert (await stage.client.get("/na/debit")).status_code == 405
    assert (await stage.client.get("/na/nothing")).status_code == 404

    found = await stage.numbers()

    def calls(kind: str, outcome: str, reason: str = "") -> float:
        return found.get(CALLS, provider="na", dialect="native", kind=kind, outcome=outcome, reason=reason)

    assert calls("debit", "accepted") == 3
    assert calls("credit", "accepted") == calls("rollback", "accepted") == 1
    assert calls("debit", "declined", "insufficient_funds") == 1
    assert calls("debit", "declined", "duplicate_mismatch") == 1
    assert calls("debit", "refused", "bad_signature") == 1
    assert calls("debit", "refused", "invalid_request") == 1
    assert calls("unknown", "refused", "invalid_request") == 2
    assert sum(found.series(CALLS).values()) == 11

    def asked(kind: str, result: str) -> float:
        return found.get(WALLET_CALLS, wallet="main", kind=kind, result=result)

    assert (asked("debit", "answered"), asked("debit", "refused")) == (2, 1)
    assert (asked("credit", "answered"), asked("rollback", "answered")) == (1, 1)
    assert asked("balance", "answered") == 1, "a repeat shows the balance of now"
    assert sum(found.series(WALLET_CALLS).values()) == 6

    assert found.get("gateway_replays_total", provider="na", kind="debit", verdict="same") == 1
    assert found.get("gateway_replays_total", provider="na", kind="debit", verdict="conflict") == 1
    assert found.get("gateway_key_uses_total", provider="na", key="k1") == 8
    failures = found.series("gateway_signature_failures_total")
    assert [(dict(labels)["provider"], value) for labels, value in failures.items()] == [("na", 1)]
    _times(found)


def _times(found: Numbers) -> None:
    """Seven calls with a wallet's time in them, and our own part without it."""
    debits = {"provider": "na", "kind": "debit"}
    assert found.get("gateway_call_seconds_count", **debits) == 7
    assert found.get("gateway_call_seconds_bucket", **debits, le="+Inf") == 7
    assert found.get("gateway_wallet_seconds_count", wallet="main", kind="debit") == 3
    whole = sum(found.series("gateway_call_seconds_sum").values())
    wallet = sum(found.series("gateway_wallet_seconds_sum").values())
    own = found.get("gateway_overhead_seconds_sum", provider="na")
    assert found.get("gateway_overhead_seconds_count", provider="na") == 11
    assert 0 < wallet < whole
    assert abs(whole - wallet - own) < whole / 4
    # each of the five movements is durable before and after its wallet call; some share a commit
    assert found.get("gateway_journal_commit_seconds_count") >= 5
    assert 0 < found.get("gateway_journal_commit_seconds_sum") < 10


async def test_guards_and_keys(stage: Stage) -> None:
    net, dragon, ball = SPEAKERS["ng"], SPEAKERS["dg"], SPEAKERS["gb"]
    assert await stage.word("ng", net.good("bet", new_id(), "anna")) == YES
    assert (await stage.word("ng", net.good("bet", new_id(), "anna").but(x_api_key=None)))[1] == 1001
    assert (await stage.word("dg", dragon.good("bet", new_id(), "anna").but(x_gw_signature="00")))[1] == 1001
    assert (await stage.word("gb", ball.good("bet", new_id(), "anna").but(secretkey="no")))[1] == 1001
    found = await stage.numbers()
    assert found.get("gateway_signature_failures_total", provider="ng", key="api_key") == 1
    assert found.get("gateway_signature_failures_total", provider="dg", key="hmac") == 1
    assert found.get("gateway_signature_failures_total", provider="gb", key="secret_key") == 1
    assert found.series("gateway_key_uses_total") == {frozenset({("provider", "ng"), ("key", "k1")}): 1}


async def test_doubt(stage: Stage) -> None:
    """Each open movement stands where it must be looked for: in doubt, owed, or waiting for a person."""
    net, dragon, scorpio = SPEAKERS["ng"], SPEAKERS["dg"], SPEAKERS["sp"]
    silent = asyncio.create_task(speak(stage.client, net.good("bet", new_id(), player(SILENT))))
    await counted(stage.admin, lambda found: found.get("gateway_inflight", provider="ng") == 1)
    assert net.word(await silent) == net.doubt
    assert await stage.word("ng", net.good("bet", new_id(), player("500"))) == net.doubt
    assert await stage.word("ng", net.good("win", new_id(), player("html"))) == net.doubt
    assert await stage.word("dg", dragon.good("win", new_id(), player("html"))) == dragon.doubt
    assert await stage.word("sp", scorpio.good("bet", new_id(), "anna")) == scorpio.doubt

    found = await stage.numbers()
    assert found.get("gateway_inflight", provider="ng") == 0
    assert found.get(CALLS, provider="ng", dialect="netgaming", kind="debit", outcome="unknown", reason="") == 2
    assert found.get(WALLET_CALLS, wallet="north", kind="debit", result="broken") >= 1
    assert found.get(WALLET_CALLS, wallet="once", kind="credit", result="broken") == 1
    assert found.get(WALLET_CALLS, wallet="nobody", kind="debit", result="unreachable") >= 1
    assert found.get("gateway_unresolved", wallet="north", kind="debit") == 2
    assert found.get("gateway_unresolved", wallet="north", kind="credit") == 1
    assert found.get("gateway_owed", wallet="north", kind="credit") == 1
    assert found.get("gateway_owed", wallet="north", kind="debit") == 0
    assert found.get("gateway_for_person", wallet="once", kind="credit") == 1
    assert 0 < found.get("gateway_unresolved_oldest_seconds", wallet="north") < 60
    assert found.get("gateway_unresolved", wallet="main", kind="debit") == 0
    await _late_silence(stage)
    await _recovered(stage)


async def _late_silence(stage: Stage) -> None:
    """The wallet call went on to `give_up_after`, and then it was a timeout."""
    timed_out = {"wallet": "north", "kind": "debit", "result": "timeout"}
    await counted(stage.admin, lambda found: found.get(WALLET_CALLS, **timed_out) == 1)


async def _recovered(stage: Stage) -> None:
    """The wallet is well again: the win that it is owed reaches it, and is counted as settled after doubt."""
    assert isinstance(stage.north.answers, dict)
    del stage.north.answers["html"]
    owed = {"wallet": "north", "kind": "credit"}
    recovered = {**owed, "outcome": "accepted"}
    found = await counted(stage.admin, lambda found: found.get("gateway_recovered_total", **recovered) == 1, 20)
    assert found.get("gateway_owed", **owed) == 0
    assert found.get("gateway_unresolved", **owed) == 0


async def test_openmetrics_and_no_label_that_grows(stage: Stage) -> None:
    """OpenMetrics on request; no label holds a player, a round or a transaction."""
    speaker, tx_id = SPEAKERS["na"], new_id()
    assert await stage.word("na", speaker.good("bet", tx_id, "a-player-by-name")) == YES
    answer = await stage.admin.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = openmetrics(answer.text)  # type: ignore[no-untyped-call]  # only the package's other parser is typed
    values = {value for family in families for sample in family.samples for value in sample.labels.values()}
    assert values.isdisjoint({tx_id, "a-player-by-name", "6200100300", json.dumps(tx_id)})
    plain = await stage.admin.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
