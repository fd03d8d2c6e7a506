"""Both simulators against each other over real HTTP: every dialect, and every fault."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from gateway.play.book import rules_of
from gateway.play.choose import dialect_named, keys_of, settings_of
from gateway.play.faults import FAULTS, parse_fault
from gateway.play.mask import Mask
from gateway.play.player import Totals
from gateway.play.provider import Plan, calling, play, summary
from gateway.play.purse import Purse
from gateway.play.teller import Exchange, Teller
from gateway.play.wallet import WalletServer, listener, log_line, serving
from gateway.serve.discover import names

SIX = ("native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball")


def wallet_of(name: str, *faults: str, seed: int = 3, seen: Any = lambda exchange: None) -> WalletServer:
    dialect = dialect_named(name)
    settings = settings_of(dialect, [])
    teller = Teller(
        dialect=dialect,
        settings=settings,
        keys=keys_of(dialect, settings, []),
        purse=Purse(rules_of(dialect), opening=Decimal("1000.00")),
    )
    return WalletServer(teller, faults=[parse_fault(text) for text in faults], seed=seed, seen=seen)


async def session(server: WalletServer, plan: Plan) -> list[Totals]:
    teller = server.teller
    async with (
        serving(server, listener("127.0.0.1", 0)) as url,
        calling(teller.dialect, teller.settings, teller.keys, url) as caller,
    ):
        return await play(caller(sleep=lambda seconds: asyncio.sleep(0)), plan)


def differences(server: WalletServer, books: list[Totals]) -> dict[str, tuple[Decimal, Decimal]]:
    purse = server.teller.purse
    return {
        book.player: (book.net, purse.cash[book.player, "EUR"] - 1000)
        for book in books
        if (book.player, "EUR") in purse.cash and purse.cash[book.player, "EUR"] - 1000 != book.net
    }


@pytest.mark.parametrize("name", names())
async def test_every_dialect_plays_with_itself(name: str) -> None:
    server = wallet_of(name)
    books = await session(server, Plan(players=2, rounds=6, seed=5))
    assert differences(server, books) == {}
    assert all(book.rounds == 6 and not book.in_doubt for book in books)
    assert server.teller.purse.book
    assert summary(name, 5, books)["calls"].keys() <= {"accepted", "declined", "unknown"}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("delay", "forget")])
@pytest.mark.parametrize("name", SIX)
async def test_doubt_is_settled_by_repeats_and_cancels(name: str, fault: str) -> None:
    server = wallet_of(name, f"{fault}:0.15")
    books = await session(server, Plan(players=2, rounds=8, seed=7))
    assert differences(server, books) == {}
    assert not [tx_id for book in books for tx_id in book.in_doubt]


async def test_a_forgetful_wallet_is_found_out() -> None:
    server = wallet_of("netgaming", "forget:1")
    books = await session(server, Plan(players=3, rounds=20, seed=1))
    assert differences(server, books) != {}


async def test_the_same_seed_is_the_same_history() -> None:
    first, second = [await session(wallet_of("kyren"), Plan(players=2, rounds=4, seed=9)) for _ in range(2)]
    assert summary("kyren", 9, first) == summary("kyren", 9, second)


async def test_late_answers_come_late() -> None:
    server = wallet_of("native", "delay:1:0.05")
    books = await session(server, Plan(players=1, rounds=1, seed=2))
    assert differences(server, books) == {}


async def test_the_book_and_the_purses_can_be_asked_for() -> None:
    server = wallet_of("native")
    async with serving(server, listener("127.0.0.1", 0)) as url, httpx.AsyncClient(trust_env=False) as client:
        teller = server.teller
        async with calling(teller.dialect, teller.settings, teller.keys, url) as caller:
            await play(caller(), Plan(players=1, rounds=2, seed=4))
        book = (await client.get(f"{url}/_book")).json()
        players = (await client.get(f"{url}/_players")).json()
        assert (await client.get(f"{url}/nothing/here")).status_code == 404
        assert (await client.get(f"{url}/debit")).headers["allow"] == "POST"
        assert (await client.post(f"{url}/debit", content=b" " * (1 << 21))).status_code == 413
    moved = sum(Decimal(entry["delta"]) for entry in book)
    assert players == [{"player": "demo-1", "currency": "EUR", "opening": "1000.00", "balance": f"{1000 + moved:.2f}"}]
    assert book[0]["kind"] == "debit"


async def test_a_player_goes_on_under_the_session_that_its_wallet_gave() -> None:
    """A provider whose wallet gives it a token shows that one from then on, and no other."""
    exchanges: list[Exchange] = []
    server = wallet_of("neverending")
    server.seen = exchanges.append
    await session(server, Plan(players=1, rounds=2, seed=3))
    hello, *others = exchanges
    token = json.loads(hello.response.body)["token"]
    assert {exchange.request.header("authorization") for exchange in others} == {f"Bearer {token}"}
    assert not hello.request.header("authorization")


async def test_a_forged_signature_moves_nothing() -> None:
    server = wallet_of("scorpio_play")
    teller = server.teller
    others = keys_of(teller.dialect, teller.settings, ["secret=another-secret-altogether"])
    async with (
        serving(server, listener("127.0.0.1", 0)) as url,
        calling(teller.dialect, teller.settings, others, url) as caller,
    ):
        books = await play(caller(sleep=lambda seconds: asyncio.sleep(0)), Plan(players=1, rounds=2, seed=1))
    assert server.teller.purse.book == []
    assert books[0].bets == 0


@pytest.mark.parametrize("name", SIX)
async def test_no_secret_and_no_session_in_the_log(name: str) -> None:
    lines: list[bytes] = []
    server = wallet_of(name)
    mask = Mask(server.teller.dialect, [value for key in server.teller.keys for value in key.parts.values()])

    def seen(exchange: Exchange) -> None:
        lines.append(log_line(exchange, mask))

    server.seen = seen
    await session(server, Plan(players=1, rounds=3, seed=6))
    assert lines
    for line in lines:
        assert b"sess-" not in line
        assert not [value for key in server.teller.keys for value in key.parts.values() if value.encode() in line]
