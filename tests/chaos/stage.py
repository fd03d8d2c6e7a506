"""What runs: three gateway nodes on one PostgreSQL, one wallet, and a bad network before both of them."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import random
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from tests.chaos.toxics import Proxy
from tests.end_to_end import configuration as c
from tests.end_to_end.processes import Process, started
from tests.postgres import Postgres, running

ANSWER_WITHIN = {"sp": 2.8, "ng": 3.5, "na": 3.5, "ky": 3.5}
WALLET_WITHIN, GIVE_UP_SECONDS, IN_FLIGHT_SECONDS = 0.8, 4.0, 8.0
START_SECONDS_MAX = 60.0
STAMP = re.compile(rb"webhook-timestamp: ([0-9]+)", re.IGNORECASE)
STALE_SECONDS = 14.0  # settlement's 10 s, 2 s more, whole seconds in the stamp, a busy machine
FAULTS = ("drop-before", "drop-after", "error-after", "garbage")
FAULT_RATE, DELAY_RATE, DELAY_SECONDS = 0.02, 0.03, 1.6
DEATH_SECONDS = 0.5  # around a kill and a wake-up, in which a call may suffer from it
PORTS = (20_000, 30_000)  # below what systems give to outgoing connections: an address must outlive a restart


class Options(Struct, frozen=True, kw_only=True):
    """One run. `repeats`: `safe`, or `query`: a wallet that moves the money again when it is asked again."""

    seconds: float = 60.0
    seed: int = 1
    nodes: int = 3
    repeats: str = "safe"
    players: int = 3  # of each provider
    pause: float = 0.08  # mean, between two rounds of a player
    every: float = 5.0  # mean, between two faults of a kind
    silent: float = 10.0  # `after_doubt` of the provider that goes silent
    freeze: tuple[float, float] = (9.5, 18.0)  # longer than a lease: that of a call is answer_within + 5 s
    patience: float = 90.0  # until everything is settled


class Spans:
    """Stretches of time in which something was so."""

    def __init__(self) -> None:
        self.spans: list[list[float]] = []

    @contextmanager
    def lasting(self, after: float = 0.0) -> Iterator[None]:
        span = [time.time(), float("inf")]
        self.spans.append(span)
        try:
            yield
        finally:
            span[1] = time.time() + after

    def add(self, since: float, until: float) -> None:
        self.spans.append([since, until])

    def meet(self, since: float, until: float) -> bool:
        return any(begin <= until and since <= end for begin, end in self.spans)


class Node:
    """One `gateway serve`, through all of its lives."""

    def __init__(self, name: str, config: Path, url: str, admin: str) -> None:
        self.name, self.config, self.url, self.admin = name, config, url, admin
        self.down, self.frozen = Spans(), Spans()
        self.busy = asyncio.Lock()  # one fate at a time
        self.statuses: list[tuple[float, int]] = []  # what /readyz said and when it was asked
        self._process: Process | None = None

    def excused(self, since: float, until: float) -> bool:
        """Whether the process itself was away for some of this time."""
        return self.down.meet(since, until) or self.frozen.meet(since, until)

    async def start(self) -> None:
        """As a supervisor does: again, until it is ready. Its database may be away just now."""
        async with asyncio.timeout(START_SECONDS_MAX):
            while True:
                self._process = Process(self.config.parent, self.name, "serve", "--config", str(self.config))
                try:
                    await self._process.ready()
                except (AssertionError, TimeoutError):
                    self._process.kill()
                    await asyncio.sleep(0.2)
                else:
                    return

    async def die(self, pause: float) -> None:
        """kill -9, and a new start after a while."""
        assert self._process is not None
        with self.down.lasting(DEATH_SECONDS):
            self._process.kill()
            await asyncio.sleep(pause)
            await self.start()

    async def leave(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        with self.down.lasting():
            self._process.send(signal.SIGTERM)
            return await self._process.ended()

    async def freeze(self, seconds: float) -> None:
        """SIGSTOP and SIGCONT: it knows nothing of the time between."""
        assert self._process is not None
        with self.frozen.lasting(DEATH_SECONDS):
            self._process.send(signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                self._process.send(signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()

    def complained(self) -> str:
        return self._process.complained() if self._process is not None else ""


class Stage:
    """Everything that runs, and what was seen of it."""

    def __init__(self, options: Options, folder: Path, nodes: list[Node], postgres: Postgres) -> None:
        self.options, self.folder, self.nodes, self.postgres = options, folder, nodes, postgres
        self.database_away = Spans()  # the server itself
        self.database_bad = Spans()  # the same, or a network between that does not let through
        self.machine_busy = Spans()
        self.wallet_url = ""
        self.wallet_log = folder / "wallet.log"
        self.to_wallet: Proxy
        self.to_database: Proxy
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()
        self.calm_until = float("inf")

    def saw(self, chunk: bytes, at: float) -> None:
        """A node that was stopped looks at its lease just before bytes leave (rule 24)."""
        stamp = STAMP.search(chunk)
        if stamp is None:
            return
        age = at - float(stamp[1])
        self.counts["oldest request that left, s"] = max(self.counts["oldest request that left, s"], round(age))
        if age > STALE_SECONDS and not self.machine_busy.meet(at - 1.0, at):
            self.wrong.append(f"a request left {age:.1f} s after it was signed: its lease was over by then")

    def wallet_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.wallet_log.read_bytes().splitlines()]

    async def wallet_rows(self, path: str) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            found: list[dict[str, Any]] = (await client.get(self.wallet_url + path)).json()
            return found


def players_of(options: Options) -> Iterator[tuple[str, int, str]]:
    """(provider, number, player)."""
    for name in ANSWER_WITHIN:
        for number in range(options.players):
            yield name, number, f"{name}-player-{number}"


def opening_of(number: int) -> str:
    """Every third player is soon without money."""
    return "40.00" if number % 3 == 2 else "20000.00"


@asynccontextmanager
async def staged(options: Options, folder: Path) -> AsyncIterator[Stage]:
    """Everything runs; it is ended whatever happens."""
    async with AsyncExitStack() as stack:
        postgres = await asyncio.to_thread(stack.enter_context, running())
        stage = Stage(options, folder, [], postgres)
        wallet = await stack.enter_async_context(_wallet(options, stage))
        stage.wallet_url = wallet
        to_wallet = Proxy("127.0.0.1", urlsplit(wallet).port or 0, seed=f"{options.seed}/w", saw=stage.saw)
        stage.to_wallet = await stack.enter_async_context(to_wallet.serving())
        to_database = Proxy("127.0.0.1", postgres.port, seed=f"{options.seed}/d")
        stage.to_database = await stack.enter_async_context(to_database.serving())
        for number in range(1, options.nodes + 1):
            node = _node(options, stage, f"node-{number}")
            stack.callback(node.end)
            stage.nodes.append(node)
        await asyncio.gather(*(node.start() for node in stage.nodes))
        watch = asyncio.create_task(_heartbeat(stage))
        stack.push_async_callback(_ended, watch)
        yield stage


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _heartbeat(stage: Stage) -> None:
    """Notes when this machine was too busy for us to judge who was late."""
    while True:
        before = time.time()
        await asyncio.sleep(0.1)
        if time.time() - before > 0.5:
            stage.machine_busy.add(before - 0.5, time.time() + 0.5)


@asynccontextmanager
async def _wallet(options: Options, stage: Stage) -> AsyncIterator[str]:
    purses = stage.folder / "purses.csv"
    with purses.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["player", "currency", "balance"])
        rows.writerows([player, "EUR", opening_of(number)] for _, number, player in players_of(options))
    faults = [f"--fault={kind}:{FAULT_RATE}" for kind in FAULTS] + [f"--fault=delay:{DELAY_RATE}:{DELAY_SECONDS}"]
    if options.repeats == "query":
        faults.append("--fault=forget:1")  # the last: whatever has no other fault
    arguments = ["wallet", "--dialect", "native", "--listen", "127.0.0.1:0", f"--key=secret={c.NATIVE_SECRET}"]
    arguments += ["--players", str(purses), "--log", str(stage.wallet_log), "--seed", str(options.seed)]
    async with started(stage.folder, "wallet", *arguments, *faults) as process:
        yield (await process.ready())[0]


def _node(options: Options, stage: Stage, name: str) -> Node:
    folder = stage.folder / name
    folder.mkdir()
    port, admin = quiet_port(), quiet_port()
    repeats = dict.fromkeys(("debit", "credit", "rollback"), options.repeats)
    wallet = c.native_wallet(
        f"http://127.0.0.1:{stage.to_wallet.port}",
        answer_within=_ms(WALLET_WITHIN), give_up_after=_ms(GIVE_UP_SECONDS), in_flight_max=_ms(IN_FLIGHT_SECONDS),
        repeats=repeats, limits={"breaker": {"cool_off": "1s"}},
    )  # fmt: skip
    providers = {name: {**c.PROVIDERS[name], "answer_within": _ms(within)} for name, within in ANSWER_WITHIN.items()}
    providers["ng"]["after_doubt"] = {"silent": _ms(options.silent)}
    config = c.configuration(
        {"main": wallet},
        providers=providers,
        server={"listen": f"127.0.0.1:{port}", "demo": True},
        admin={"listen": f"127.0.0.1:{admin}"},
        journal={"url": stage.postgres.url().replace(f":{stage.postgres.port}/", f":{stage.to_database.port}/")},
    )
    return Node(name, c.write(folder, config), f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}")


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def quiet_port() -> int:
    """A port that no outgoing connection takes while its server is down."""
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


def kept(folder: Path) -> Iterable[Path]:
    """What everybody said, and the configurations."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
