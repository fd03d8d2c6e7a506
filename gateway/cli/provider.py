"""`gateway provider`: a provider that speaks any dialect, with its documented retries and cancels."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

import click

from gateway.currency import Currencies
from gateway.play.choose import BadChoice, dialect_named, headers_of, keys_of, settings_of
from gateway.play.provider import Guard, Plan, calling, play, reached, summary

_COLUMNS = ("player", "rounds", "bets", "wins", "refunds", "net", "declined", "cancelled", "repeats", "balance")


@click.command("provider")
@click.option("--dialect", required=True, metavar="NAME", help="What it speaks (see `gateway dialects`).")
@click.option("--url", required=True, metavar="URL", help="Where the dialect's own paths begin: HOST/provider[/token].")
@click.option(
    "--key", multiple=True, metavar="PART=VALUE", help="A part of its key; @FILE reads it. Else the demo key."
)
@click.option("--setting", multiple=True, metavar="NAME=VALUE", help="A setting of the dialect.")
@click.option("--header", multiple=True, metavar="NAME=VALUE", help="Sent along, for a guard: X-Api-Key=...")
@click.option("--hmac", default="", metavar="SECRET", help="Sign for the guard `hmac`, too (X-Gw-Signature).")
@click.option("--currency", default="EUR", show_default=True, metavar="CODE", help="What the players play in.")
@click.option("--players", default=3, show_default=True, type=click.IntRange(1, 10_000), metavar="N")
@click.option("--rounds", default=10, show_default=True, type=click.IntRange(0), metavar="N", help="Per player.")
@click.option("--rate", default=0.0, type=click.FloatRange(0), metavar="R", help="Rounds a second in all; 0: no limit.")
@click.option("--seed", type=int, metavar="N", help="Of chance and ids: the same again repeats every id. Else drawn.")
@click.option("--json", "as_json", is_flag=True, help="The book as one JSON object.")
def command(
    dialect: str,
    url: str,
    key: tuple[str, ...],
    setting: tuple[str, ...],
    header: tuple[str, ...],
    hmac: str,
    currency: str,
    players: int,
    rounds: int,
    rate: float,
    seed: int | None,
    as_json: bool,
) -> None:
    """A provider that speaks any dialect, with its documented retries and cancels.

    Its players demo-1, demo-2, ... log in (their sessions are sess-demo-1, ...), bet, win, get
    refunds; what is not answered is repeated and cancelled as the dialect's page says. It ends
    with its own book: what the answers said. Reading: net = wins + refunds - bets.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.UsageError(f"{url!r} is no address (write http://127.0.0.1:8080/acme)")
    if not Currencies().knows(currency):
        raise click.UsageError(f"unknown currency {currency!r} (write an ISO 4217 code such as EUR)")
    try:
        spoken = dialect_named(dialect)
        settings = settings_of(spoken, setting)
        keys, guard = keys_of(spoken, settings, key), Guard(headers=headers_of(header), hmac=hmac)
    except BadChoice as error:
        raise click.UsageError(str(error)) from None
    drawn = secrets.randbelow(10**9) if seed is None else seed
    plan = Plan(players=players, rounds=rounds, rate=rate, seed=drawn)

    async def run() -> tuple[dict[str, Any], bool]:
        async with calling(spoken, settings, keys, url, currency=currency, guard=guard) as caller:
            books = await play(caller(), plan)
        return summary(spoken.name, drawn, books), reached(books)

    book, answered = asyncio.run(run())
    click.echo(json.dumps(book) if as_json else _table(book))
    if not answered:
        click.echo(f"nobody answers at {parts.scheme}://{parts.netloc}", err=True)
        raise SystemExit(1)


def _table(book: dict[str, Any]) -> str:
    rows = [list(_COLUMNS), *([str(row[name]) for name in _COLUMNS] for row in book["players"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    calls = ", ".join(f"{number} {word}" for word, number in book["calls"].items())
    lines.append(f"{book['dialect']}, seed {book['seed']}: calls {calls}")
    lines += [f"cannot say {what}" for what in book["unsaid"]]
    lines.append(f"in doubt: {', '.join(book['in_doubt'])}" if book["in_doubt"] else "nothing in doubt")
    return "\n".join(lines)
