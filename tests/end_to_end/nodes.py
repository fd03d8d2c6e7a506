"""Gateways on one PostgreSQL, in front of one native wallet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from gateway.play.wallet import WalletServer, listener
from gateway.play.wallet import serving as serving_wallet
from tests.end_to_end import configuration as c
from tests.end_to_end.processes import Process, started
from tests.end_to_end.speakers import SPEAKERS, Sent, speak
from tests.end_to_end.stages import clients, wallet_server
from tests.postgres import Postgres

NATIVE = SPEAKERS["na"]
PROVIDER = {**c.PROVIDERS["na"], "answer_within": "2s"}


class Node(Struct, frozen=True, kw_only=True):
    """One gateway: a process, or a supervisor with its workers."""

    process: Process
    config: Path
    client: httpx.AsyncClient
    admin: httpx.AsyncClient

    async def says(self, sent: Sent) -> object:
        """What the provider hears, in native's words."""
        return NATIVE.word(await speak(self.client, sent))

    async def ready(self) -> bool:
        try:
            return (await self.admin.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


class Family(Struct, frozen=True, kw_only=True):
    nodes: Sequence[Node]
    wallet: WalletServer
    database: str


@asynccontextmanager
async def nodes(
    folder: Path, server: Postgres, database: str, *, number: int = 1, workers: int = 1, **wallet: Any
) -> AsyncIterator[Family]:
    """`number` gateways, each with so many workers."""
    async with AsyncExitStack() as stack:
        teller = wallet_server("native")
        url = await stack.enter_async_context(serving_wallet(teller, listener("127.0.0.1", 0)))
        wallets = {"main": c.native_wallet(url, **{"answer_within": "1s", "give_up_after": "5s"} | wallet)}
        journal = {"url": await asyncio.to_thread(server.create, database)}
        folders = [folder / f"node-{n}" for n in range(number)]
        for each in folders:
            each.mkdir()
        made = [await _node(stack, each, wallets, journal, workers) for each in folders]
        yield Family(nodes=made, wallet=teller, database=database)


async def _node(
    stack: AsyncExitStack, folder: Path, wallets: dict[str, Any], journal: dict[str, str], workers: int
) -> Node:
    listen = {"server": {"listen": "127.0.0.1:0", "demo": True}, "admin": {"listen": "127.0.0.1:0"}}
    config = c.write(folder, c.configuration(wallets, journal=journal, providers={"na": PROVIDER}, **listen))
    many = ["--workers", str(workers)] if workers > 1 else []
    process = await stack.enter_async_context(started(folder, "serve", "serve", "--config", str(config), *many))
    client, admin = await stack.enter_async_context(clients(*await process.ready()))
    return Node(process=process, config=config, client=client, admin=admin)


async def eventually(reached: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not await reached():  # noqa: ASYNC110  # another process tells nobody when something changes
            await asyncio.sleep(0.05)
