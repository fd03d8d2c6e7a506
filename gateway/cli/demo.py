"""`gateway demo`: wallets, the gateway and providers of several dialects, on an empty machine."""

from __future__ import annotations

import asyncio

import click

from gateway.play.demo import run_demo
from gateway.play.show import Screen
from gateway.play.stage import Broken


@click.command("demo")
@click.option(
    "--keep", is_flag=True, help="Leave everything running afterwards and print the addresses; Ctrl-C ends it."
)
def command(keep: bool) -> None:
    """Real sessions of several dialects through a real gateway, on loopback, and a reconciliation.

    Starts three wallets (native, netgaming, scorpio_play), the gateway with a configuration made
    for the occasion, and six providers; shows what each call says, means, becomes and is answered.
    Needs no server and no account, leaves nothing behind. Exit status 1: a purse does not add up.
    """
    try:
        good = asyncio.run(run_demo(keep=keep, screen=Screen()))
    except Broken as broken:
        raise click.ClickException(str(broken)) from None
    except asyncio.CancelledError:
        raise SystemExit(130) from None
    raise SystemExit(0 if good else 1)
