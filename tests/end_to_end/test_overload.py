"""More calls than one process can carry: what gives is carried in time, the rest hears doubt in time, health is answered.

How much that is, is measured first: the test is the same on a machine ten times as fast.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from bench import bets
from gateway.serve.admission import HANDS, TOLD_SECONDS, TOLD_SHARE
from gateway.serve.process import more_files
from tests.end_to_end import configuration as c
from tests.end_to_end.crowds import Crowd, Heard, Said
from tests.end_to_end.processes import Process, free_port, started, until
from tests.end_to_end.stages import clients, listed, numbers

LIMIT_SECONDS = 4.0  # at most; less where a process carries more in that time than we can ask for
CARRIED = 2000  # calls in one limit
TIMES = 1.25  # as many bets come as would fill a process, beside what gives
GIVES = 0.25  # of what it carries
SECONDS = 3.0
CALLERS_MAX = 1500
HEALTH_SECONDS = 1.0
TRIES = 3
SAME_SHARE = 0.9  # of a core: less than that, and a process carries less than was measured

_numbers = itertools.count(1)


def bet() -> tuple[str, Said]:
    return "bet", bets.bet(next(_numbers))


def gives() -> tuple[str, Said]:
    number = next(_numbers)
    return ("win", bets.win(number)) if number % 4 else ("cancel", bets.cancel(number))


class Stage(Struct, frozen=True, kw_only=True):
    process: Process
    config: Path
    said: dict[str, Any]  # of the configuration
    port: int
    admin: httpx.AsyncClient


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """One process in front of a wallet that answers at once, which is a process, too."""
    wallet_port, port = free_port(), free_port()
    key = {"id": "k1", "secret": bets.TOKEN}
    url = f"http://127.0.0.1:{wallet_port}"
    said = c.configuration(
        {"main": {"dialect": "netgaming", "url": url, "repeats": "safe", "send": {"headers": {"x-test": "1"}}}},
        server={"listen": f"127.0.0.1:{port}", "demo": True},
        providers={"sp": {"dialect": "scorpio_play", "keys": [key]}},
        routes=[{"wallet": "main", "sessions": {"to_wallet": "{player}"}}],
    )
    config = c.write(folder, said)
    teller = Process(folder, "wallet", str(wallet_port), command=(sys.executable, "-m", "bench.wallet"))
    try:
        async with (
            started(folder, "serve", "serve", "--config", str(config)) as process,
            clients(*await process.ready()) as (_, admin),
        ):
            yield Stage(process=process, config=config, said=said, port=port, admin=admin)
    finally:
        teller.kill()


class Core:
    """How much of a core a process has had since; 0 where the system does not say."""

    def __init__(self, process: Process) -> None:
        self._stat = Path(f"/proc/{process.pid}/stat")
        self._began, self._had = time.monotonic(), self._seconds()

    def _seconds(self) -> float:
        if not self._stat.exists():
            return 0.0
        user, system = self._stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def share(self) -> float:
        return (self._seconds() - self._had) / (time.monotonic() - self._began)


async def carried_a_second(stage: Stage) -> tuple[float, float]:
    """How many calls, and the share of a core that it took."""
    crowd = Crowd(stage.port)
    await crowd.comes(HANDS // 2)
    await crowd.goes_on(0.5, bet)  # everything has been met once
    crowd.heard.clear()
    began, core = time.monotonic(), Core(stage.process)
    await crowd.goes_on(1.5, bet)
    crowd.leaves()
    assert {each.word for each in crowd.heard} == {"OK"}
    return len(crowd.heard) / (time.monotonic() - began), core.share()


async def with_limit(stage: Stage, seconds: float) -> None:
    """The provider waits so long from now on."""
    before = stage.process.complained().count("is in use")
    stage.said["providers"]["sp"]["answer_within"] = f"{int(seconds * 1000)}ms"
    stage.said["wallets"]["main"]["answer_within"] = f"{int(seconds * 500)}ms"
    c.write(stage.config.parent, stage.said)
    stage.process.send(signal.SIGHUP)
    await until(lambda: stage.process.complained().count("is in use") > before)


async def asked(admin: httpx.AsyncClient, seconds: float) -> list[float]:
    """How long `/livez` and `/metrics` took, again and again."""
    taken, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for path in ("/livez", "/metrics"):
            began = time.monotonic()
            assert (await admin.get(path)).status_code == 200
            taken.append(time.monotonic() - began)
        await asyncio.sleep(0.2)
    return taken


async def test_what_gives_is_carried_and_bets_hear_doubt_in_time(tmp_path: Path) -> None:
    """*Two thousand connections: 25 calls in 2,221 were answered in time, and no win among them.* A provider that is told
    doubt in time asks again; one that is told nothing has players who were told nothing."""
    more_files()
    async with staged(tmp_path) as stage:
        for again in reversed(range(TRIES)):
            rate, share = await carried_a_second(stage)
            limit = min(LIMIT_SECONDS, CARRIED / rate)
            await with_limit(stage, limit)
            turned_away = await overloads(stage)
            many, few, core = Crowd(stage.port), Crowd(stage.port), Core(stage.process)
            await many.comes(HANDS + min(CALLERS_MAX, int(rate * limit * TOLD_SHARE * TIMES)))
            async with asyncio.TaskGroup() as group:
                health = group.create_task(asked(stage.admin, SECONDS))
                group.create_task(many.goes_on(SECONDS, bet))
                group.create_task(few.comes_at(rate * GIVES, SECONDS, gives))
            slowed = core.share() < share * SAME_SHARE and late(many.heard + few.heard, limit)
            if not (again and slowed):
                break
            many.leaves()  # others had taken its core away: the rate that the limit was made of was that of another machine
            few.leaves()
        assert {each.word for each in few.heard} == {"OK"}, late(few.heard, limit)
        assert late(few.heard, limit) == []
        assert {each.word for each in many.heard} == {"OK", "ERR_UNKNOWN"}
        assert late(many.heard, limit) == []
        assert max(health.result()) < HEALTH_SECONDS
        doubted = [each for each in many.heard if each.word == "ERR_UNKNOWN"]
        found = await overloads(stage) - turned_away
        assert 0 < found <= len(doubted)
        await until(lambda: "too many calls: some were turned away" in stage.process.complained(), 2 * TOLD_SECONDS)
        assert await listed(stage.config, "--in-doubt") == [], "nothing moved, and nobody has to ask"
        few.heard.clear()
        repeats = iter([("bet", each.body) for each in doubted[:10]])
        await few.comes_at(50, 0.2, lambda: next(repeats))
        assert {each.word for each in few.heard} == {"OK"}, "they were not read, so their repeats are first calls"
        many.leaves()
        few.leaves()


async def overloads(stage: Stage) -> float:
    return (await numbers(stage.admin)).get("gateway_overload_total", provider="sp", wallet="")


def late(heard: list[Heard], limit: float) -> list[tuple[str, str, float]]:
    return [(each.call, each.word, each.seconds) for each in heard if each.seconds > limit]
