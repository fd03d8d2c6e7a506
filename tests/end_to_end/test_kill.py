"""kill -9 under load, and again: nothing that was answered is lost, and everything else is settled by its provider."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from gateway.play.purse import SESSION_PREFIX
from tests.end_to_end import configuration as c
from tests.end_to_end.load import Load, Movement
from tests.end_to_end.processes import serving, started
from tests.end_to_end.speakers import YES, Speaker, new_id, speak
from tests.end_to_end.stages import listed, numbers

KILLS = 3
ANSWERS_BEFORE = 60
SETTLED_SECONDS = 20.0
REPLAYED_BY_GAMEBALL = (422, 9004, "TRANSACTIONS_ERROR")
UNDONE: Mapping[str, Collection[object]] = {
    "ng": (YES, (200, 107, "TRANSACTION_NOT_FOUND"), (200, 112, "ALREADY_REFUNDED")),
    "dg": (YES, (200, 107, "ROUND_NOT_FOUND"), (200, 112, "ALREADY_REFUNDED")),
    "ky": (YES,),
    "sp": (YES, (200, "ERR_TRANSACTION_DOES_NOT_EXIST"), (200, "ERR_TRANSACTION_ROLLED_BACK")),
    "gb": (YES, (404, 9005, "TRANSACTIONS_ERROR"), REPLAYED_BY_GAMEBALL),
    "na": (YES, (200, "transaction_not_found"), (200, "already_rolled_back")),
}
"""What a provider may hear when a bet that it gave up is gone. Gameball's own repeat of a refund is 9004."""


class Wallet(Struct, frozen=True):
    """A wallet of its own process, and what it can be asked."""

    dialect: str
    providers: tuple[str, ...]
    settings: dict[str, Any]


WALLETS = [
    Wallet("native", ("ng", "dg", "ky", "sp", "gb", "na"), {"keys": [{"id": "w1", "secret": c.NATIVE_SECRET}], "repeats": c.SAFE}),
    # strict: it looks at the balance first, remembers no rollback of what it never saw, and cannot be asked
    Wallet(
        "netgaming",
        ("ng", "dg", "sp"),  # a cancel of Kyren names no amount: where its bet never came, it waits for a person
        {"send": {"api_key": "w-key"}, "repeats": {"debit": "never", "credit": "safe", "rollback": "safe"},
         "give_up_after": "2500ms", "in_flight_max": "2500ms"},
    ),
]  # fmt: skip


@asynccontextmanager
async def wallet_of(folder: Path, dialect: str, *faults: str) -> AsyncIterator[tuple[str, Path]]:
    """(address, log) of `gateway wallet`."""
    log = folder / "wallet.log"
    key = [f"--key=secret={c.NATIVE_SECRET}"] if dialect == "native" else []
    arguments = ["wallet", "--dialect", dialect, "--listen", "127.0.0.1:0", "--log", str(log), *key]
    async with started(folder, "wallet", *arguments, *(f"--fault={fault}" for fault in faults)) as process:
        yield (await process.ready())[0], log


async def get(url: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        found: list[dict[str, Any]] = (await client.get(url)).json()
        return found


def asked_for(log: Path, ids: Collection[str]) -> int:
    """How often the wallet was asked for one of these movements; it answers `balance` besides."""
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    return sum(line["transaction_id"].rpartition(":")[2] in ids for line in lines)


def replayed(speaker: Speaker, first: httpx.Response, again: httpx.Response) -> bool:
    """Whether a repeat heard the first decision, as its page says."""
    if speaker.dialect == "gameball":
        return speaker.word(again) == REPLAYED_BY_GAMEBALL
    one, other = first.json(), again.json()
    if speaker.dialect == "kyren":
        return bool(one["transactionId"]) and one["transactionId"] == other["transactionId"]
    if speaker.dialect == "native":
        return one["wallet_transaction_id"] == other["wallet_transaction_id"] and other["replayed"] is True
    return bool(one == other)


async def insist(client: httpx.AsyncClient, movement: Movement) -> None:
    """What its provider does about a call that was never answered: a win is said again, a bet is cancelled."""
    speaker = movement.speaker
    sent = movement.sent
    wanted: Collection[object] = (YES, REPLAYED_BY_GAMEBALL)
    if movement.call == "bet":
        sent, wanted = speaker.good("undo", new_id(), movement.player, movement.id), UNDONE[movement.name]
    end, word = time.monotonic() + SETTLED_SECONDS, speaker.doubt
    while word == speaker.doubt and time.monotonic() < end:
        word = speaker.word(await speak(client, sent))
    assert word in wanted, f"{movement.name} {movement.call} {movement.id}: {word}"


@pytest.mark.parametrize("wallet", WALLETS, ids=lambda wallet: wallet.dialect)
async def test_kill_under_load(tmp_path: Path, wallet: Wallet) -> None:
    async with AsyncExitStack() as stack:
        url, log = await stack.enter_async_context(wallet_of(tmp_path, wallet.dialect, "delay:0.5:0.05"))
        route = {"wallet": "main", "sessions": {"to_wallet": SESSION_PREFIX + "{player}"}}
        config = c.write(
            tmp_path,
            c.configuration({"main": {"dialect": wallet.dialect, "url": url, **wallet.settings}}, routes=[route]),
        )
        taken: list[Movement] = []
        moved: Counter[str] = Counter()
        in_the_air = 0
        for number in range(KILLS):
            load = await _killed_under(config, wallet, number)
            open_ones = [m for m in load.movements if m.undecided]
            in_the_air += len(open_ones)
            open_before = await _nothing_answered_is_open(config, load)
            async with (
                serving(config) as (_, gateway, admin),
                httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=10) as client,
            ):
                await _open_ones_are_counted(admin, open_before)
                await _answers_stand(client, load, log)
                for movement in open_ones:
                    await insist(client, movement)
                assert await _still_in_doubt(config) == []
            taken += [m for m in load.movements if m.taken]
            moved.update({player: load.moved(player) for player in load.players})
            moved.update({m.player: 1000 for m in open_ones if m.call == "win"})
        assert in_the_air, "it was never killed while it carried something"
        await _adds_up(url, taken, moved)


async def _killed_under(config: Path, wallet: Wallet, number: int) -> Load:
    async with serving(config) as (process, url, _):
        load = Load(url, wallet.providers, seed=number)
        load.begin()
        await load.reach(ANSWERS_BEFORE)
        process.kill()
        await load.ended()
    return load


async def _nothing_answered_is_open(config: Path, load: Load) -> int:
    """Read while nobody serves: what was being asked is in doubt, what was answered with a yes is not."""
    open_ids = {m["transaction"]["transaction_id"] for m in await listed(config, "--in-doubt")}
    assert open_ids <= {m.id for m in load.movements if not m.taken}
    return len(open_ids)


async def _still_in_doubt(config: Path) -> list[dict[str, Any]]:
    """A bet ends with its cancel, but by a write of its own: a moment later, or at settlement's next look."""
    end = time.monotonic() + SETTLED_SECONDS
    while (found := await listed(config, "--in-doubt")) and time.monotonic() < end:
        pass
    return found


async def _open_ones_are_counted(admin: str, open_before: int) -> None:
    """From the restart on, what the dead process was asking is doubt (rule 26), until it is settled."""
    async with httpx.AsyncClient(base_url=admin, trust_env=False) as client:
        counted = (await numbers(client)).series("gateway_unresolved")
    assert sum(counted.values()) <= open_before


async def _answers_stand(client: httpx.AsyncClient, load: Load, log: Path) -> None:
    """Every accepted movement hears its first decision again, and the wallet is not asked for it."""
    taken = {m.id for m in load.movements if m.taken}
    before = asked_for(log, taken)
    for movement in load.movements:
        if movement.taken:
            first = next(answer for answer in movement.answers if movement.speaker.word(answer) == YES)
            again = await speak(client, movement.sent.but(connection=None))
            assert replayed(movement.speaker, first, again), (first.text, again.text)
    assert asked_for(log, taken) == before


async def _adds_up(url: str, taken: list[Movement], moved: Counter[str]) -> None:
    """The wallet's book holds every answered movement once, nothing twice, and every purse is right."""
    kinds = {"bet": "debit", "win": "credit"}
    book = Counter((row["kind"], row["id"].rpartition(":")[2]) for row in await get(f"{url}/_book"))
    assert {(kinds[m.call], m.id): book[kinds[m.call], m.id] for m in taken} == {
        (kinds[m.call], m.id): 1 for m in taken
    }
    assert set(book.values()) == {1}
    purses = {row["player"]: Decimal(row["balance"]) - Decimal(row["opening"]) for row in await get(f"{url}/_players")}
    assert purses == {player: Decimal(cents) / 100 for player, cents in moved.items()}
