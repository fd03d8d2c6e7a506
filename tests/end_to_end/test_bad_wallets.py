"""Wallets that answer what is no decision: doubt, in time, in the provider's own words.

Once for every provider in front of a native wallet, and once for every wallet behind a native
provider. Nothing of it is ever accepted or declined, and the purse is right after the repeats.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct
from msgspec.structs import replace

from gateway.play.purse import SESSION_PREFIX
from tests.end_to_end import configuration as c
from tests.end_to_end.odd_wallets import ANSWERS, SILENT, OddWallet, other, player
from tests.end_to_end.processes import Process, free_port, serving
from tests.end_to_end.speakers import SPEAKERS, YES, Sent, Word, new_id, speak
from tests.end_to_end.stages import clients, listed, numbers, wallet_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROVIDER_WAITS, WALLET_WAITS = "500ms", "200ms"
LATEST_SECONDS = 2.5  # an answer in time, on a busy machine
DIALECTS = ("native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball")
FOR_OTHERS: Mapping[str, Mapping[str, tuple[str, object]]] = {
    "native": {"other-currency": ("currency", "USD")},
    "netgaming": {"other-player": ("player_id", "somebody"), "other-currency": ("currency", "USD")},
    "dragon_gaming": {"other-player": ("account_id", "somebody"), "other-currency": ("currency", "USD")},
    "kyren": {"other-currency": ("currency", "USD")},
    "scorpio_play": {},
    "gameball": {"other-player": ("customerId", "somebody"), "other-id": ("transactionId", "another")},
}
"""What a dialect's answer echoes, and what stands there instead (rule 4)."""


class Stage(Struct, frozen=True, kw_only=True):
    client: httpx.AsyncClient
    admin: httpx.AsyncClient
    process: Process
    wallets: Mapping[str, OddWallet]
    config: Any


def _wallet(dialect: str, url: str) -> dict[str, Any]:
    keys = {
        "native": {"secret": c.NATIVE_SECRET},
        "scorpio_play": {"secret": c.SCORPIO_SECRET},
        "gameball": c.GAMEBALL_KEY,
    }
    said: dict[str, Any] = {"dialect": dialect, "url": url, "currency": "EUR", "answer_within": WALLET_WAITS}
    said["repeats"] = {"debit": "never", "credit": "safe", "rollback": "safe"} if dialect != "native" else c.SAFE
    said |= {"give_up_after": "3s", "limits": c.PATIENT}
    return said | ({"keys": [{"id": "w1", **keys[dialect]}]} if dialect in keys else {"send": {"api_key": "w-key"}})


def _providers() -> dict[str, Any]:
    """Each provider once, and native once more for every wallet."""
    found = {name: {**said, "answer_within": PROVIDER_WAITS} for name, said in c.PROVIDERS.items()}
    return found | {f"to-{dialect}": dict(found["na"]) for dialect in (*DIALECTS, "nobody")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        wallets = {}
        for dialect in DIALECTS:
            others = {name: other(*said) for name, said in FOR_OTHERS[dialect].items()}
            odd = OddWallet(wallet_server(dialect), {**ANSWERS, **others})
            wallets[dialect] = await stack.enter_async_context(odd.serving())
        said = {dialect: _wallet(dialect, wallet.url) for dialect, wallet in wallets.items()}
        said["nobody"] = _wallet("native", f"http://127.0.0.1:{free_port()}")
        routes = [
            {
                "when": {"provider": [f"to-{name}"]},
                "wallet": name,
                "sessions": {"to_wallet": SESSION_PREFIX + "{player}"},
            }
            for name in said
        ]
        config = c.configuration(said, providers=_providers(), routes=[*routes, {"wallet": "native"}])
        path = c.write(tmp_path_factory.mktemp("bad_wallets"), config)
        process, url, admin_url = await stack.enter_async_context(serving(path))
        client, admin = await stack.enter_async_context(clients(url, admin_url))
        yield Stage(client=client, admin=admin, process=process, wallets=wallets, config=path)


TURNS = asyncio.Semaphore(24)  # calls at once: with a hundred it is our own client's time that is measured


async def timely(stage: Stage, sent: Sent) -> httpx.Response:
    async with TURNS:
        begun = time.monotonic()
        answer = await speak(stage.client, sent)
        assert time.monotonic() - begun < LATEST_SECONDS
    return answer


async def good_call(stage: Stage, name: str, prefix: str = "") -> None:
    speaker = SPEAKERS[name]
    sent = _to(prefix, speaker.good("bet", new_id(), "anna"))
    assert speaker.word(await timely(stage, sent)) == YES


def _to(prefix: str, sent: Sent) -> Sent:
    """Said by native to another integration than its own."""
    return replace(sent, target=prefix + sent.target.removeprefix("/na")) if prefix else sent


@pytest.mark.parametrize("name", SPEAKERS)
async def test_every_provider_hears_doubt_in_its_own_words(stage: Stage, name: str) -> None:
    """Bet, win and cancel: what comes back is neither yes nor no."""
    speaker = SPEAKERS[name]

    async def heard(oddity: str) -> list[Word]:
        who, bet = player(oddity), new_id()
        first = await asyncio.gather(
            timely(stage, speaker.good("bet", bet, who)), timely(stage, speaker.good("win", new_id(), who))
        )
        last = await timely(stage, speaker.good("undo", new_id(), who, bet))
        return [speaker.word(answer) for answer in (*first, last)]

    oddities = (*ANSWERS, SILENT)
    words = dict(zip(oddities, await asyncio.gather(*map(heard, oddities)), strict=True))
    assert words == dict.fromkeys(oddities, [speaker.doubt] * 3)
    await good_call(stage, name)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_no_wallet_is_believed_what_it_did_not_say(stage: Stage, dialect: str) -> None:
    speaker, prefix = SPEAKERS["na"], f"/to-{dialect}"

    async def heard(oddity: str) -> Word:
        return speaker.word(await timely(stage, _to(prefix, speaker.good("bet", new_id(), player(oddity)))))

    oddities = [*ANSWERS, SILENT, *FOR_OTHERS[dialect]]
    words = dict(zip(oddities, await asyncio.gather(*map(heard, oddities)), strict=True))
    named = {"202": YES} if dialect == "gameball" else {}  # its page: "2xx success"
    assert words == dict.fromkeys(oddities, speaker.doubt) | named
    await good_call(stage, "na", prefix)


async def test_a_wallet_that_is_not_there(stage: Stage) -> None:
    """No byte left: it may be asked again, and meanwhile it is doubt (rule 4)."""
    speaker = SPEAKERS["na"]
    answer = await timely(stage, _to("/to-nobody", speaker.good("bet", new_id(), "anna")))
    assert speaker.word(answer) == speaker.doubt
    assert (await numbers(stage.admin)).get(
        "gateway_wallet_requests_total", wallet="nobody", kind="debit", result="unreachable"
    ) > 0


async def test_nobody_was_sent_elsewhere(stage: Stage) -> None:
    """A redirect is no answer, and is never followed."""
    assert not [target for wallet in stage.wallets.values() for target in wallet.targets if "elsewhere" in target]


async def test_all_of_it_is_in_the_journal_as_doubt(stage: Stage) -> None:
    """Last in this file: what was doubt to a provider is open in the journal, and nothing else is."""
    open_ones = await listed(stage.config, "--in-doubt")
    assert {m["transaction"]["player"] for m in open_ones} == {
        *(player(oddity) for oddity in (*ANSWERS, SILENT)),
        *(player(oddity) for said in FOR_OTHERS.values() for oddity in said),
        "anna",
    }
    assert {m["transaction"]["player"] for m in open_ones if m["wallet"] != "nobody"}.isdisjoint({"anna"})
