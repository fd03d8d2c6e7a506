"""The demo's stage: wallets in this process, the gateway as a process of its own, all on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from ruamel.yaml import YAML

from gateway.play.book import rules_of
from gateway.play.caller import Caller
from gateway.play.choose import dialect_named, keys_of, settings_of
from gateway.play.mask import Mask
from gateway.play.provider import Guard, calling
from gateway.play.purse import SESSION_PREFIX, Purse
from gateway.play.teller import Exchange, Teller
from gateway.play.wallet import WalletServer, listener, serving

READY_SECONDS = 20.0
STOP_SECONDS = 5.0
_READY = re.compile(r"ready (http://\S+) admin (http://\S+)")


class Link(Struct, frozen=True, kw_only=True):
    """One integration of the demo: a provider, its wallet, and who plays there."""

    name: str
    dialect: str
    wallet: str
    guard: str = ""  # of the gateway, for dialects that do not sign
    currency: str
    players: Mapping[str, str]  # name -> opening balance
    launched: bool = False  # the operator's platform hands the launch over


LINKS = (
    Link(
        name="nordlicht",
        dialect="netgaming",
        wallet="scorpio",
        guard="api_key",
        currency="EUR",
        players={"anna": "100.00"},
        launched=True,
    ),
    Link(
        name="jade", dialect="dragon_gaming", wallet="main", guard="hmac", currency="CAD", players={"bruno": "250.00"}
    ),
    Link(
        name="baccarat",
        dialect="kyren",
        wallet="north",
        guard="path_token",
        currency="USD",
        players={"chen": "812.50", "dora": "0.00"},
    ),
    Link(name="aurora", dialect="scorpio_play", wallet="north", currency="KWD", players={"emil": "50.000"}),
    Link(name="points", dialect="gameball", wallet="main", currency="USD", players={"frida": "30.00"}),
    Link(name="ours", dialect="native", wallet="scorpio", currency="JPY", players={"goro": "15000"}, launched=True),
)
WALLETS = {"main": "native", "north": "netgaming", "scorpio": "scorpio_play"}
_SAFE = {"debit": "safe", "credit": "safe", "rollback": "safe"}
# A strict wallet looks at the balance before it looks at the id: a second asking of a debit proves nothing.
_STRICT = {"debit": "never", "credit": "safe", "rollback": "safe"}


class Broken(Exception):
    """The demo cannot go on; the message says why."""


class Stage(Struct, frozen=True, kw_only=True):
    """Everything that runs."""

    callers: Mapping[str, Caller]
    wallets: Mapping[str, WalletServer]
    wallet_urls: Mapping[str, str]
    asked: Mapping[str, list[Exchange]]  # by wallet, everything it was asked
    masks: Mapping[str, Mask]  # by dialect
    gateway: str
    admin: str
    folder: Path


@contextlib.asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """Wallets, gateway and providers, as long as the block lasts; nothing is left behind."""
    proofs = {link.name: secrets.token_hex(32) for link in LINKS}
    proofs["send"] = secrets.token_hex(32)
    asked: dict[str, list[Exchange]] = {name: [] for name in WALLETS}
    async with contextlib.AsyncExitStack() as stack:
        wallets, urls = {}, {}
        for name, dialect in WALLETS.items():
            wallets[name] = WalletServer(_teller(name, dialect), seen=asked[name].append)
            urls[name] = await stack.enter_async_context(serving(wallets[name], listener("127.0.0.1", 0)))
        config = folder / "gateway.yaml"
        config.write_text(config_text(urls, proofs, _free_port(), _free_port()), encoding="utf-8")
        gateway, admin = await stack.enter_async_context(gateway_process(config, folder / "gateway.log"))
        await hand_over(admin)
        callers = {}
        for link in LINKS:
            callers[link.name] = await stack.enter_async_context(_caller(link, gateway, proofs[link.name]))
        masks = {
            name: Mask(dialect_named(name), proofs.values())
            for name in {*WALLETS.values(), *(link.dialect for link in LINKS)}
        }
        yield Stage(
            callers=callers,
            wallets=wallets,
            wallet_urls=urls,
            asked=asked,
            masks=masks,
            gateway=gateway,
            admin=admin,
            folder=folder,
        )


def _teller(wallet: str, dialect_name: str) -> Teller:
    """A wallet with the purses of its links' players, and of nobody else."""
    dialect = dialect_named(dialect_name)
    settings = settings_of(dialect, [])
    purse = Purse(rules_of(dialect), opening=None)
    for link in LINKS:
        for player, opening in link.players.items():
            if link.wallet == wallet:
                purse.open(player, link.currency, Decimal(opening))
    return Teller(dialect=dialect, settings=settings, keys=keys_of(dialect, settings, []), purse=purse)


@contextlib.asynccontextmanager
async def _caller(link: Link, gateway: str, proof: str) -> AsyncIterator[Caller]:
    dialect = dialect_named(link.dialect)
    settings = settings_of(dialect, [])
    url = f"{gateway}/{link.name}" + (f"/{proof}" if link.guard == "path_token" else "")
    guard = Guard(
        headers={"x-api-key": proof} if link.guard == "api_key" else {}, hmac=proof if link.guard == "hmac" else ""
    )
    keys = keys_of(dialect, settings, [])
    async with calling(dialect, settings, keys, url, currency=link.currency, guard=guard) as caller:
        yield caller(name=link.name)


# ---------------------------------------------------------------- the gateway


def config_text(urls: Mapping[str, str], proofs: Mapping[str, str], port: int, admin_port: int) -> str:
    """The configuration: literal secrets, which only `server.demo` allows."""
    config: dict[str, Any] = {
        "version": 1,
        "server": {"listen": f"127.0.0.1:{port}", "demo": True},
        "admin": {"listen": f"127.0.0.1:{admin_port}"},
        "journal": {"url": "sqlite:///journal.db"},
        "providers": {link.name: _provider(link, proofs[link.name]) for link in LINKS},
        "wallets": {name: _wallet(dialect, urls[name], proofs["send"]) for name, dialect in WALLETS.items()},
        "routes": [_route(wallet) for wallet in WALLETS],
    }
    text = io.StringIO()
    YAML().dump(config, text)
    return text.getvalue()


def _keys(dialect_name: str) -> list[dict[str, str]]:
    dialect = dialect_named(dialect_name)
    return [{"id": key.id, **key.parts} for key in keys_of(dialect, settings_of(dialect, []), [])]


def _provider(link: Link, proof: str) -> dict[str, Any]:
    found: dict[str, Any] = {"dialect": link.dialect, "currency": link.currency}
    if link.guard:
        found["guard"] = {link.guard: [{"id": "demo", "secret": proof}]}
    keys = _keys(link.dialect)
    return found | ({"keys": keys} if keys else {})


def _wallet(dialect: str, url: str, proof: str) -> dict[str, Any]:
    found: dict[str, Any] = {"dialect": dialect, "url": url, "repeats": dict(_SAFE if dialect == "native" else _STRICT)}
    keys = _keys(dialect)
    return found | ({"keys": keys} if keys else {"send": {"api_key": proof}})


def _route(wallet: str) -> dict[str, Any]:
    providers = [link.name for link in LINKS if link.wallet == wallet]
    found: dict[str, Any] = {"when": {"provider": providers}, "wallet": wallet}
    return found | ({"sessions": {"to_wallet": SESSION_PREFIX + "{player}"}} if wallet == "north" else {})


@contextlib.asynccontextmanager
async def gateway_process(config: Path, log: Path) -> AsyncIterator[tuple[str, str]]:
    """`gateway serve`, until the block ends; yields the addresses of its `ready` line."""
    command = (sys.executable, "-m", "gateway", "serve", "--config", str(config))
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    try:
        yield await _ready(process, log)
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process, log: Path) -> tuple[str, str]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            while line := await process.stdout.readline():
                found = _READY.search(line.decode(errors="replace"))
                if found:
                    return found[1], found[2]
    except TimeoutError:
        raise Broken(f"the gateway was not ready within {READY_SECONDS:g} s\n{_tail(log)}") from None
    raise Broken(f"the gateway ended before it was ready\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Politely first; the demo never leaves a process behind."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def hand_over(admin: str) -> None:
    """What an operator's platform does at a launch: tell the gateway who plays (rule 22)."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for link in LINKS:
            for player in link.players if link.launched else ():
                launch = {"provider": link.name, "player": player, "session": SESSION_PREFIX + player}
                answer = await client.post(f"{admin}/api/sessions", json=launch | {"currency": link.currency})
                if answer.status_code >= 300:
                    raise Broken(f"the launch of {player} was refused: {answer.status_code} {answer.text[:200]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def link_of(name: str) -> Link:
    return next(link for link in LINKS if link.name == name)
