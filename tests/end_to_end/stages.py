"""A running gateway in front of wallets, with clients for both of its sides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from gateway.play.book import rules_of
from gateway.play.choose import dialect_named, keys_of, settings_of
from gateway.play.purse import Purse
from gateway.play.teller import Teller
from gateway.play.wallet import WalletServer, listener
from gateway.play.wallet import serving as serving_wallet
from tests.end_to_end import configuration as c
from tests.end_to_end.processes import Process, run, serving

NATIVE_KEY = [f"secret={c.NATIVE_SECRET}"]


class Stage(Struct, frozen=True, kw_only=True):
    """What runs. `wallet` is the one that takes every call."""

    process: Process
    config: Path
    client: httpx.AsyncClient
    admin: httpx.AsyncClient
    wallet: WalletServer


def wallet_server(dialect_name: str, *, opening: str = "1000", keys: list[str] | None = None) -> WalletServer:
    """A wallet that opens every player on first sight."""
    dialect = dialect_named(dialect_name)
    settings = settings_of(dialect, [])
    purse = Purse(rules_of(dialect), opening=Decimal(opening))
    given = NATIVE_KEY if dialect_name == "native" and keys is None else keys or []
    return WalletServer(Teller(dialect=dialect, settings=settings, keys=keys_of(dialect, settings, given), purse=purse))


@asynccontextmanager
async def clients(url: str, admin_url: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client,
        httpx.AsyncClient(base_url=admin_url, trust_env=False, timeout=10) as admin,
    ):
        yield client, admin


@asynccontextmanager
async def staged(folder: Path, **sections: Any) -> AsyncIterator[Stage]:
    """The gateway in front of one native wallet; `sections` replace those of the configuration."""
    async with AsyncExitStack() as stack:
        wallet = wallet_server("native")
        url = await stack.enter_async_context(serving_wallet(wallet, listener("127.0.0.1", 0)))
        wallets = {"main": c.native_wallet(url, **sections.pop("wallet", {}))}
        config = c.write(folder, c.configuration(wallets, **sections))
        process, url, admin_url = await stack.enter_async_context(serving(config))
        client, admin = await stack.enter_async_context(clients(url, admin_url))
        yield Stage(process=process, config=config, client=client, admin=admin, wallet=wallet)


async def listed(config: Path, *filters: str) -> list[dict[str, Any]]:
    """`gateway tx list --json`."""
    status, out, err = await run("tx", "list", "--config", str(config), "--limit", "10000", "--json", *filters)
    assert (status, err) == (0, ""), err
    found: list[dict[str, Any]] = json.loads(out)
    return found


class Numbers:
    """What `/metrics` says, at one moment."""

    def __init__(self, text: str) -> None:
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def get(self, name: str, **labels: str) -> float:
        """0 where no such series is there."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def series(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        return {labels: value for (found, labels), value in self._samples.items() if found == name}


async def numbers(admin: httpx.AsyncClient) -> Numbers:
    answer = await admin.get("/metrics")
    assert answer.status_code == 200
    return Numbers(answer.text)


async def counted(admin: httpx.AsyncClient, reached: Callable[[Numbers], bool], seconds: float = 10.0) -> Numbers:
    """The metrics, as soon as they say so."""
    async with asyncio.timeout(seconds):
        while not reached(found := await numbers(admin)):  # noqa: ASYNC110  # another process tells nobody when something changes
            await asyncio.sleep(0.02)
    return found


def in_book(wallet: WalletServer, kind: str = "debit") -> list[str]:
    """The ids of the movements of this kind that a wallet applied, in order."""
    return [entry.id for entry in wallet.teller.purse.book if entry.kind.value == kind]
