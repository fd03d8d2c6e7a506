"""What happens to the nodes and to the database, drawn from the seed."""

from __future__ import annotations

import asyncio
import random
import time

import httpx
from msgspec import Struct

from tests.chaos.stage import DEATH_SECONDS, Node, Options, Stage
from tests.chaos.toxics import NONE, Toxic, schedule

CALM_SECONDS, CALM_LATENCY = 2.0, 0.06  # before the first fault
OF_NODES = ("kill", "kill", "freeze", "kill", "leave", "freeze", "kill two")
OF_DATABASE = ("fast", "immediate")
WALLET_TOXICS = ("latency", "reset", "cut", "hole", "hold")
WALLET_LATENCY, DATABASE_LATENCY = 0.6, 0.15
AWAKE_SECONDS = 2.0  # so long every node plays before the last fault
NOTICED_SECONDS = 4.5  # after which a node that lost its database says so
BACK_SECONDS = 8.0  # after which it is ready again
DATABASE_AFTER_SECONDS = 4.0  # for which calls may suffer from a database that is back


class Fate(Struct, frozen=True, kw_only=True):
    what: str
    at: float
    seconds: float
    nodes: tuple[int, ...] = ()


def fates(options: Options) -> list[Fate]:
    """Of the nodes and of the database, in order; each kind once before any comes again."""
    return sorted([*_of_nodes(options), *_of_database(options)], key=lambda fate: fate.at)


def _of_nodes(options: Options) -> list[Fate]:
    chance, found, bag, at = random.Random(f"{options.seed}/nodes"), list[Fate](), list[str](), 0.0
    while True:
        at += chance.uniform(0.4, 0.9) * options.every
        if at >= options.seconds:
            return found
        bag = bag or chance.sample(OF_NODES, len(OF_NODES))
        what = bag.pop() if found else "freeze"  # which lasts the longest, and so comes first
        if what == "freeze" and at + options.freeze[0] > options.seconds and found:
            what = "kill"
        number = min(2 if what == "kill two" else 1, options.nodes)
        nodes = tuple(chance.sample(range(options.nodes), number))
        lasts = chance.uniform(*options.freeze) if what == "freeze" else chance.uniform(0.0, 1.5)
        found.append(Fate(what=what, at=at, seconds=lasts, nodes=nodes))


def _of_database(options: Options) -> list[Fate]:
    chance, found, bag, at = random.Random(f"{options.seed}/database"), list[Fate](), list[str](), 0.0
    while True:
        at += chance.uniform(1.0, 3.0) * options.every
        if at >= options.seconds:
            return found
        bag = bag or chance.sample(OF_DATABASE, len(OF_DATABASE))
        # every other time long enough for the nodes to notice and say so
        lasts = chance.uniform(NOTICED_SECONDS + 0.5, NOTICED_SECONDS + 2) if len(found) % 2 == 0 else 0.0
        found.append(Fate(what=bag.pop(), at=at, seconds=lasts))
        at += lasts


async def play(stage: Stage) -> None:
    """All of it, and good weather at the end: every node runs, no network is bad."""
    options = stage.options
    # A wallet that is some way off: the second of two nodes always meets a movement that is being asked.
    stage.to_wallet.turn(Toxic(kind="latency", at=0.0, seconds=CALM_SECONDS, latency=CALM_LATENCY))
    await asyncio.sleep(CALM_SECONDS)
    stage.to_wallet.turn(NONE)
    stage.calm_until = time.time()
    every = options.every
    wallet = schedule(f"{options.seed}/w", WALLET_TOXICS, options.seconds, every=every * 0.6, latency=WALLET_LATENCY)
    database = schedule(f"{options.seed}/d", WALLET_TOXICS, options.seconds, every=every, latency=DATABASE_LATENCY)
    began, going = time.monotonic(), []
    weather = asyncio.create_task(stage.to_wallet.follow(wallet))
    storm = asyncio.create_task(_database_weather(stage, database))
    try:
        for fate in fates(options):
            await asyncio.sleep(began + fate.at - time.monotonic())
            going.append(asyncio.create_task(_befall(stage, fate)))
        await asyncio.gather(weather, storm, *going)
        # Last of all the database, and no node is started again after it: they must go on by themselves.
        await asyncio.sleep(AWAKE_SECONDS)
        await _restart(stage, Fate(what="immediate", at=options.seconds, seconds=NOTICED_SECONDS + 1.0))
    finally:
        for task in (weather, storm, *going):
            task.cancel()
        await asyncio.gather(weather, storm, *going, return_exceptions=True)


async def _database_weather(stage: Stage, toxics: list[Toxic]) -> None:
    """As `Proxy.follow`, and it is noted when."""
    began, proxy = time.monotonic(), stage.to_database
    try:
        for toxic in toxics:
            await asyncio.sleep(began + toxic.at - time.monotonic())
            with stage.database_bad.lasting(DATABASE_AFTER_SECONDS):
                proxy.turn(toxic)
                await asyncio.sleep(toxic.seconds)
                proxy.turn(NONE)
    finally:
        proxy.turn(NONE)


async def _befall(stage: Stage, fate: Fate) -> None:
    if fate.what in OF_DATABASE:
        await _restart(stage, fate)
    else:
        await asyncio.gather(*(_strike(stage, stage.nodes[number], fate) for number in fate.nodes))


async def _strike(stage: Stage, node: Node, fate: Fate) -> None:
    async with node.busy:
        stage.counts[f"node: {fate.what}"] += 1
        if fate.what == "freeze":
            await node.freeze(fate.seconds)
        elif fate.what == "leave":
            await _leave(stage, node)
        else:
            await node.die(fate.seconds)


async def _leave(stage: Stage, node: Node) -> None:
    status = await node.leave()
    if status:
        stage.wrong.append(f"{node.name}: exit status {status} after SIGTERM: {node.complained()[-300:]}")
    with node.down.lasting(DEATH_SECONDS):
        await node.start()


async def _restart(stage: Stage, fate: Fate) -> None:
    stage.counts[f"database: {fate.what} stop"] += 1
    with stage.database_bad.lasting(DATABASE_AFTER_SECONDS):
        await asyncio.to_thread(stage.postgres.stop, fate.what)
        with stage.database_away.lasting():
            await asyncio.sleep(fate.seconds)
        await asyncio.to_thread(stage.postgres.start)


# ---------------------------------------------------------------- are they ready?


async def watch(stage: Stage) -> None:
    """Asks every node four times a second, for ever."""
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        await asyncio.gather(*(_watch(client, node) for node in stage.nodes))


async def _watch(client: httpx.AsyncClient, node: Node) -> None:
    while True:
        asked = time.time()
        try:
            status = (await client.get(node.admin + "/readyz")).status_code
        except httpx.TransportError:
            status = 0
        node.statuses.append((asked, status))
        await asyncio.sleep(0.25)


def unready(stage: Stage) -> list[str]:
    """Nodes that said they were ready without a database, or did not come back with it."""
    wrong = []
    for begin, end in stage.database_away.spans:
        if end - begin <= NOTICED_SECONDS:
            continue
        for node in stage.nodes:
            if node.excused(begin, end):
                continue
            stage.counts["times a node was to say that its database is away"] += 1
            said = {status for at, status in node.statuses if begin + NOTICED_SECONDS <= at <= end}
            if said - {503}:
                wrong.append(f"{node.name}: /readyz said {sorted(said)} while its database was away")
            wrong += _not_back(stage, node, begin, end)
    return wrong


def _not_back(stage: Stage, node: Node, begin: float, end: float) -> list[str]:
    until = end + BACK_SECONDS
    others = [span for span in stage.database_bad.spans if not span[0] <= begin <= span[1]]
    if node.excused(end, until) or any(since <= until and end <= over for since, over in others):
        return []  # something else befell it meanwhile
    stage.counts["times a node was to come back without a restart"] += 1
    said = [status for at, status in node.statuses if end <= at <= until]
    return [] if 200 in said else [f"{node.name}: not ready {BACK_SECONDS} s after its database was back"]
