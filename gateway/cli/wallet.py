"""`gateway wallet`: a wallet that speaks any dialect, for tests and demos."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import click
from msgspec import Struct

from gateway.currency import Currencies
from gateway.play.book import rules_of
from gateway.play.choose import BadChoice, address_of, dialect_named, keys_of, settings_of
from gateway.play.faults import FAULTS, BadFault, Fault, parse_fault
from gateway.play.mask import Mask
from gateway.play.players import BadPlayers, open_players
from gateway.play.purse import Purse
from gateway.play.teller import Exchange, Teller
from gateway.play.wallet import WalletServer, listener, log_line, serving

OPENING = Decimal("1000.00")
FILE = click.Path(path_type=Path, dir_okay=False)
_FAULT_HELP = "Trouble, with its rate from 0 to 1. " + ". ".join(f"{name}: {text}" for name, text in FAULTS.items())


class _Place(Struct, frozen=True, kw_only=True):
    """Where the wallet listens and writes."""

    host: str
    port: int
    log: Path | None


@click.command("wallet")
@click.option("--dialect", required=True, metavar="NAME", help="What it speaks (see `gateway dialects`).")
@click.option(
    "--key", multiple=True, metavar="PART=VALUE", help="A part of its key; @FILE reads it. Else the demo key."
)
@click.option("--setting", multiple=True, metavar="NAME=VALUE", help="A setting of the dialect.")
@click.option("--listen", default="127.0.0.1:9100", show_default=True, metavar="HOST:PORT", help="Port 0: a free one.")
@click.option("--players", type=FILE, metavar="FILE", help="Who has a purse here: JSON or CSV, see above.")
@click.option("--currency", default="EUR", show_default=True, metavar="CODE", help="Of calls that name none.")
@click.option("--log", type=FILE, metavar="FILE", help="Append one JSON line a call, secrets and sessions hidden.")
@click.option("--fault", multiple=True, metavar="KIND:RATE", help=_FAULT_HELP + ".")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Of the faults.")
def command(
    dialect: str,
    key: tuple[str, ...],
    setting: tuple[str, ...],
    listen: str,
    players: Path | None,
    currency: str,
    log: Path | None,
    fault: tuple[str, ...],
    seed: int,
) -> None:
    """A wallet that speaks any dialect: real balances, strict checks, faults on demand.

    It has one id space for all movements and checks player, session and balance before it looks
    at the id (native: looks for the id first). GET /_book answers every movement it applied, GET
    /_players the purses. Unsigned dialects need no proof here.

    --players FILE names who has a purse, as CSV with a head line or as JSON:

    \b
        player,currency,balance
        anna,EUR,250.00
    \b
        [{"player": "anna", "currency": "EUR", "balance": "250.00", "blocked": false}]

    Without it every player is opened on first sight with 1000.00 of the currency of that call
    (of --currency where the call names none). A session `sess-anna` that nobody announced belongs
    to the player `anna`.
    """
    try:
        teller = _teller(dialect, setting, key, players, currency)
        faults = [parse_fault(text) for text in fault]
        host, port = address_of(listen)
    except (BadChoice, BadFault, BadPlayers) as error:
        raise click.UsageError(str(error)) from None
    asyncio.run(_run(teller, faults, seed, _Place(host=host, port=port, log=log)))


def _teller(
    dialect: str, settings: tuple[str, ...], keys: tuple[str, ...], players: Path | None, currency: str
) -> Teller:
    spoken, currencies = dialect_named(dialect), Currencies()
    typed = settings_of(spoken, settings)
    if not currencies.knows(currency):
        raise BadChoice(f"unknown currency {currency!r} (write an ISO 4217 code such as EUR)")
    purse = Purse(rules_of(spoken), opening=None if players else OPENING, currency=currency)
    if players:
        open_players(purse, players, currencies)
    return Teller(dialect=spoken, settings=typed, keys=keys_of(spoken, typed, keys), purse=purse, currencies=currencies)


@contextlib.contextmanager
def _log_file(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from None
    with file:
        yield file


async def _run(teller: Teller, faults: list[Fault], seed: int, place: _Place) -> None:
    mask = Mask(teller.dialect, [value for key in teller.keys for value in key.parts.values()])
    try:
        bound = listener(place.host, place.port)
    except OSError as error:
        raise click.UsageError(f"cannot listen on {place.host}:{place.port}: {error.strerror}") from None
    over = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    with _log_file(place.log) as file:

        def seen(exchange: Exchange) -> None:
            if file is not None:
                file.write(log_line(exchange, mask) + b"\n")

        server = WalletServer(teller, faults=faults, seed=seed, seen=seen)
        async with serving(server, bound) as url:
            click.echo(f"ready {url}")
            await over.wait()
