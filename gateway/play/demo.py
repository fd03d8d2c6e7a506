"""The demo: real sessions over real HTTP on loopback, and a reconciliation that adds up."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from gateway.currency import Currencies
from gateway.play.ledger import Ledger, Purse
from gateway.play.scenes import Director, play_all
from gateway.play.show import Screen
from gateway.play.stage import LINKS, WALLETS, Stage, staged

_COLUMNS = ("player", "at", "opening", "- bets", "+ wins", "+ refunds", "= must be", "wallet says", "")


async def run_demo(*, keep: bool, screen: Screen, staging: Callable[[Path], Any] = staged) -> bool:
    """Whether every purse adds up. Ends early, and clean, on SIGINT and SIGTERM."""
    over = asyncio.Event()
    this = asyncio.current_task()
    assert this is not None
    playing = [True]

    def stop() -> None:
        over.set()
        if playing[0]:
            this.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    with tempfile.TemporaryDirectory(prefix="gateway-demo-") as folder:
        async with staging(Path(folder)) as stage:
            ledger = opened()
            director = Director(stage, screen, ledger)
            await play_all(director)
            good = await reconcile(stage, ledger, screen)
            if keep and not over.is_set():
                playing[0] = False
                _addresses(stage, screen)
                await over.wait()
    return good


def opened() -> Ledger:
    ledger = Ledger()
    for link in LINKS:
        for player, opening in link.players.items():
            ledger.open(player, link.currency, Decimal(opening))
    return ledger


async def reconcile(stage: Stage, ledger: Ledger, screen: Screen) -> bool:
    """Opening - bets + wins + refunds against what each wallet says, to the last minor unit."""
    says = await _purses(stage)
    rows = [_row(purse, says.get(purse.player)) for purse in ledger.purses.values()]
    screen.line()
    screen.title("reconciliation: what the providers heard, and what the wallets hold")
    widths = [max(len(row[n]) for row in [_COLUMNS, *rows]) for n in range(len(_COLUMNS))]
    for row in [_COLUMNS, *rows]:
        screen.line("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    wrong = [row for row in rows if row[-1] != "ok"]
    screen.line()
    if wrong:
        text = f"gateway demo: {len(wrong)} of {len(rows)} purses do not add up"
        screen.line(screen.paint(text, "red", bold=True))
    else:
        screen.line(screen.paint(f"gateway demo: {len(rows)} purses add up", "green", bold=True))
    return not wrong


async def _purses(stage: Stage) -> dict[str, Decimal]:
    """What the wallets say over HTTP, as an outsider would ask."""
    says: dict[str, Decimal] = {}
    async with httpx.AsyncClient(trust_env=False) as client:
        for url in stage.wallet_urls.values():
            for row in (await client.get(f"{url}/_players")).json():
                says[row["player"]] = Decimal(row["balance"])
    return says


def _row(purse: Purse, says: Decimal | None) -> tuple[str, ...]:
    link = next(link for link in LINKS if purse.player in link.players)
    amounts = (purse.opening, purse.bets, purse.wins, purse.refunds, purse.expected)
    wallet = "nothing" if says is None else _text(says, purse.currency)
    verdict = "ok" if says == purse.expected else "WRONG"
    shown = [_text(amount, purse.currency) for amount in amounts]
    return (purse.player, f"{link.dialect} → {WALLETS[link.wallet]}", *shown, wallet, verdict)


def _text(amount: Decimal, currency: str) -> str:
    return f"{Currencies().exact(amount, currency):f} {currency}"


def _addresses(stage: Stage, screen: Screen) -> None:
    screen.line()
    screen.title("everything goes on running; Ctrl-C ends it")
    screen.say("configuration", str(stage.folder / "gateway.yaml"))
    screen.say("admin", f"{stage.admin}  ({stage.admin}/console, {stage.admin}/metrics)")
    for link in LINKS:
        screen.say(link.dialect, f"{stage.gateway}/{link.name}  → wallet {link.wallet}")
    for name, url in stage.wallet_urls.items():
        screen.say(f"wallet {name}", f"{url}  ({WALLETS[name]}; {url}/_book, {url}/_players)")
