"""`gateway serve`: the product."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click
import uvloop

from gateway.engine.journal import JournalLost
from gateway.journal.sqlite import JournalError
from gateway.serve.config import ConfigErrors, load
from gateway.serve.listener import CannotListen
from gateway.serve.process import run

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("serve")
@click.option("--config", required=True, type=FILE, metavar="FILE", help="The configuration (see `gateway check`).")
@click.option("--workers", default=1, show_default=True, metavar="N", help="Processes that share the work.")
def command(config: Path, workers: int) -> None:
    """Serves providers and the operator until SIGTERM.

    Prints `ready http://HOST:PORT admin http://HOST:PORT` when both listen. SIGTERM drains: calls
    in flight are answered, then it exits 0. SIGHUP reads the configuration again; a wrong one is
    refused and the old one stays.
    """
    if workers != 1:
        raise click.UsageError("--workers: this gateway serves with one process so far (write 1)")
    environ = dict(os.environ)
    try:
        loaded = load(config, environ)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(loaded, environ, _say, click.echo))
    except (ConfigErrors, CannotListen, JournalError, JournalLost) as error:
        _say(str(error))
        raise SystemExit(1) from None


def _say(text: str) -> None:
    click.echo(text, err=True)
