"""`gateway serve`: the product."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import click
import uvloop

from gateway.engine.journal import JournalLost
from gateway.journal.kept import JournalError
from gateway.serve.config import ConfigErrors, Loaded, load
from gateway.serve.family import Seat
from gateway.serve.listener import CannotListen
from gateway.serve.placed import Misplaced
from gateway.serve.process import run
from gateway.serve.workers import Supervisor

ONE_WRITER = (
    "a journal on SQLite has one writer, and one process fills it; write --workers 1, or put the journal on PostgreSQL"
)
WORKERS_MAX = 64
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("serve")
@click.option("--config", required=True, type=FILE, metavar="FILE", help="The configuration (see `gateway check`).")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, WORKERS_MAX),
    metavar="N",
    help="Processes that share the work; more than one needs a journal on PostgreSQL.",
)
def command(config: Path, workers: int) -> None:
    """Serves providers and the operator until SIGTERM.

    Prints `ready http://HOST:PORT admin http://HOST:PORT` when both listen. SIGTERM drains: calls
    in flight are answered, then it exits 0. SIGHUP reads the configuration again; a wrong one is
    refused and the old one stays.
    """
    environ = dict(os.environ)
    try:
        loaded = load(config, environ)
        if workers == 1:
            _serve(loaded, environ, None)
            return
        if not loaded.journal.shared:
            raise click.UsageError(f"--workers {workers}: {ONE_WRITER}")
        supervisor = Supervisor(
            loaded, environ, workers, _say, click.echo, lambda loaded, seat: _worker(loaded, environ, seat)
        )
        raise SystemExit(supervisor.run())
    except (ConfigErrors, CannotListen, JournalError, JournalLost, Misplaced) as error:
        _say(str(error))
        raise SystemExit(1) from None


def _serve(loaded: Loaded, environ: Mapping[str, str], seat: Seat | None) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(loaded, dict(environ), click.echo if seat is None else _nothing, seat))


def _worker(loaded: Loaded, environ: Mapping[str, str], seat: Seat) -> int:
    """The exit status; why it is not 0 is said."""
    try:
        _serve(loaded, environ, seat)
    except (CannotListen, JournalError, JournalLost, Misplaced) as error:
        _say(str(error))
        return 1
    return 0


def _nothing(text: str) -> None:
    """The supervisor says when all are ready."""


def _say(text: str) -> None:
    click.echo(text, err=True)
