"""A wallet that is not there, under load: answered at once, not hammered, and everything arrives when it is back.

And one that hangs: the limits of how much may be under way at it and at a provider.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from gateway.play.wallet import listener
from gateway.play.wallet import serving as serving_wallet
from tests.end_to_end import configuration as c
from tests.end_to_end.odd_wallets import SILENT, OddWallet, player
from tests.end_to_end.processes import free_port, serving
from tests.end_to_end.speakers import SPEAKERS, YES, Sent, Word, new_id, speak
from tests.end_to_end.stages import Numbers, clients, in_book, listed, numbers, wallet_server

AT_ONCE_SECONDS = 1.0  # far below what the provider waits, on a busy machine
PROVIDER_SECONDS = "8s"
BREAKER = {"failures": 5, "cool_off": "1s"}
CALLERS = 20
NATIVE = SPEAKERS["na"]


class Stage(Struct, frozen=True, kw_only=True):
    client: httpx.AsyncClient
    admin: httpx.AsyncClient
    config: Path


class Heard(Struct, frozen=True):
    id: str
    word: Word
    seconds: float


@asynccontextmanager
async def before(folder: Path, url: str, *, provider: Any = None, **wallet: Any) -> AsyncIterator[Stage]:
    """The gateway in front of a wallet that may not be there."""
    providers = {"na": {**c.PROVIDERS["na"], "answer_within": PROVIDER_SECONDS, **(provider or {})}}
    config = c.write(folder, c.configuration({"main": c.native_wallet(url, **wallet)}, providers=providers))
    async with serving(config) as (_, gateway, admin_url), clients(gateway, admin_url) as (client, admin):
        yield Stage(client=client, admin=admin, config=config)


async def said(stage: Stage, sent: Sent, id: str) -> Heard:
    began = time.monotonic()
    answer = await speak(stage.client, sent, 20)
    return Heard(id, NATIVE.word(answer), time.monotonic() - began)


async def calls(stage: Stage, call: str, number: int, who: str = "anna") -> list[Heard]:
    """So many calls of so many callers at once."""
    ids = [new_id() for _ in range(number)]
    return await asyncio.gather(*(said(stage, NATIVE.good(call, id, who), id) for id in ids))


def _requests(found: Numbers, kind: str) -> float:
    name = "gateway_wallet_requests_total"
    return sum(value for labels, value in found.series(name).items() if ("kind", kind) in labels)


async def _until_settled(stage: Stage, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await listed(stage.config, "--in-doubt"):  # noqa: ASYNC110  # another process sets no event of ours
            await asyncio.sleep(0.2)


def _doubt(heard: Sequence[Heard]) -> bool:
    return all(each.word == NATIVE.doubt for each in heard)


async def test_a_dead_wallet_is_left_alone_and_everything_arrives_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    async with before(tmp_path, f"http://127.0.0.1:{port}", limits={"breaker": BREAKER}) as stage:
        assert _doubt(await calls(stage, "bet", CALLERS))  # these find out
        opened = await numbers(stage.admin)
        assert opened.get("gateway_breaker_open", wallet="main") == 1
        heard = [each for _ in range(20) for each in await calls(stage, "bet", CALLERS)]
        assert _doubt(heard)
        assert max(each.seconds for each in heard) < AT_ONCE_SECONDS
        wins = await calls(
            stage, "win", 10, "berta"
        )  # a win of anna's would complete the last bet of its round (rule 11)
        assert _doubt(wins)
        tried = await numbers(stage.admin)
        assert _requests(tried, "debit") - _requests(opened, "debit") < len(heard) / 4, "it is hammered"
        assert tried.get("gateway_overload_total", provider="na", wallet="main") == 0

        async with AsyncExitStack() as back:
            wallet = wallet_server("native")
            await back.enter_async_context(serving_wallet(wallet, listener("127.0.0.1", port)))
            await _until_settled(stage, 40)
            assert (await numbers(stage.admin)).get("gateway_breaker_open", wallet="main") == 0
            assert sorted(in_book(wallet, "credit")) == sorted(each.id for each in wins)
            assert in_book(wallet) == [], "nobody waited for these bets any more"
            (again,) = await calls(stage, "bet", 1)
            assert again.word == (200, YES[1])
            for each in heard[:3]:
                late = await said(stage, NATIVE.good("bet", each.id, "anna"), each.id)
                assert late.word[1] == "already_rolled_back"


async def test_a_wallet_that_hangs_takes_no_more_than_it_may(tmp_path: Path) -> None:
    limits = {"in_flight": 8, "reserve": 0.5, "breaker": {"failures": 1000}}
    async with AsyncExitStack() as stack:
        odd = OddWallet(wallet_server("native"), {})
        await stack.enter_async_context(odd.serving())
        stage = await stack.enter_async_context(
            before(tmp_path, odd.url, limits=limits, answer_within="6s", give_up_after="7s", repeats=c.STRICT)
        )
        hanging = [asyncio.create_task(calls(stage, "bet", 4, player(SILENT)))]
        await asyncio.sleep(0.5)
        refused = await calls(stage, "bet", CALLERS)
        assert _doubt(refused)
        assert max(each.seconds for each in refused) < AT_ONCE_SECONDS
        (won,) = await calls(stage, "win", 1)
        assert won.word == (200, YES[1]), "the reserve is for what is owed"
        assert (await numbers(stage.admin)).get("gateway_overload_total", provider="na", wallet="main") == CALLERS
        await asyncio.gather(*hanging)


async def test_a_provider_is_answered_at_once_where_too_many_of_its_calls_are_under_way(tmp_path: Path) -> None:
    limits = {"in_flight": 8, "reserve": 0.5}
    async with AsyncExitStack() as stack:
        odd = OddWallet(wallet_server("native"), {})
        await stack.enter_async_context(odd.serving())
        stage = await stack.enter_async_context(
            before(
                tmp_path, odd.url, provider={"limits": limits}, answer_within="6s", give_up_after="7s", repeats=c.STRICT
            )
        )
        hanging = [asyncio.create_task(calls(stage, "bet", 4, player(SILENT)))]
        await asyncio.sleep(0.5)
        refused = await calls(stage, "bet", CALLERS)
        assert _doubt(refused)
        assert max(each.seconds for each in refused) < AT_ONCE_SECONDS
        (won,) = await calls(stage, "win", 1)
        assert won.word == (200, YES[1])
        assert (await numbers(stage.admin)).get("gateway_overload_total", provider="na", wallet="") == CALLERS
        await asyncio.gather(*hanging)
        again = await said(stage, NATIVE.good("bet", refused[0].id, "anna"), refused[0].id)
        assert again.word == (200, YES[1]), "it was not read, so its repeat is a first call"
