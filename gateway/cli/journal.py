"""`gateway journal`: the journal as a whole. Its copy, whether it holds together, what it forgot."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.common import fail
from gateway.cli.journal_checks import Violation, violations
from gateway.cli.journal_copy import backup
from gateway.cli.journal_doubt import Word, say
from gateway.cli.tx_journal import CONFIG, IN_MEMORY, config_of, gateway_runs
from gateway.codec.plain import utc_text
from gateway.journal.kept import JournalError
from gateway.serve.config.values import JournalAt
from gateway.serve.journals import fetching

POSTGRES_COPIES = (
    "this journal is PostgreSQL's, and so is its copy: pg_dump --format=custom for a copy of now, "
    "pg_basebackup and an archive of the WAL for one of any moment"
)
AGAIN_SECONDS = 2.0  # a gateway that is at work has ended by then what a first look saw in between


@click.group("journal")
def command() -> None:
    """The journal as a whole: copy it, check it, say what it forgot."""


@command.command("backup")
@CONFIG
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_command(config: Path, file: Path) -> None:
    """A consistent copy in FILE, while the gateway runs; FILE must not exist.

    A journal that is restored from a copy has forgotten what came since: before its gateway starts,
    say so with `gateway journal doubt --since` the moment that this command prints.
    """
    at = _kept(config)
    if at.shared:
        raise click.UsageError(POSTGRES_COPIES)
    if file.exists():
        raise click.BadParameter(f"{file} exists already: name another file, an older copy is not overwritten")
    begun = datetime.now(UTC)
    try:
        size = backup(at.path, file)
    except JournalError as error:
        raise fail(str(error)) from None
    click.echo(f"{file}: {size} bytes; it knows what was journalled before {utc_text(begun.replace(microsecond=0))}")


@command.command("verify")
@click.option(
    "--config",
    default="gateway.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration, where no FILE is named; it says where the journal is.",
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_command(config: Path, file: Path | None) -> None:
    """Whether the journal, or the copy in FILE, holds together. Nothing is written.

    Looks at the file itself and at what must be true of its movements; a line for each that is not,
    and status 1. It may run beside the gateway, and takes a while: it reads everything.
    """
    at = JournalAt(url=f"sqlite:///{file}", path=str(file)) if file else _journal(config)
    try:
        found = _seen(at)
        if found and file is None and gateway_runs(at):
            time.sleep(AGAIN_SECONDS)
            again = set(_seen(at))
            found = [violation for violation in found if violation in again]
    except JournalError as error:
        raise fail(str(error)) from None
    for violation in found:
        click.echo(f"{violation.key}: {violation.what}" if violation.key else violation.what)
    if found:
        raise SystemExit(1)
    click.echo(f"{file or at.url}: holds together")


@command.command("doubt")
@CONFIG
@click.option(
    "--since", required=True, metavar="TIME", help="From when on it may have forgotten: 2026-12-01T04:00:00Z."
)
@click.option("--reason", required=True, metavar="TEXT", help="How that came; recorded.")
@click.option("--by", required=True, metavar="NAME", help="Who says so; recorded.")
def doubt_command(config: Path, since: str, reason: str, by: str) -> None:
    """Say that the journal forgot movements: it was restored from a copy, or a standby took over that was behind.

    Until the wallets' memory (`remembers`) is over, what comes, and what is open in it, is then treated as if
    it may have been sent before. Say it before the gateway starts again; on PostgreSQL it may run.
    """
    for name, text in (("--reason", reason), ("--by", by)):
        if not text.strip():
            raise click.UsageError(f"{name} is blank")
    at, now = _kept(config), datetime.now(UTC)
    word = Word(since=_moment(since, now), said_at=now, reason=reason.strip(), by=by.strip())
    try:
        if not at.shared and gateway_runs(at):
            raise JournalError(
                "a gateway holds the journal: stop it first, so that nothing is judged without this word meanwhile"
            )
        say(at, word)
    except JournalError as error:
        raise fail(str(error)) from None
    click.echo(f"recorded: what came since {utc_text(word.since)} may be forgotten")


def _journal(config: Path) -> JournalAt:
    if not config.exists():
        raise click.UsageError(f"there is no {config}: name the journal's FILE, or a configuration with --config")
    return _kept(config)


def _kept(config: Path) -> JournalAt:
    """Where the journal is; one that is nowhere is said: exit 1."""
    at = config_of(config).journal
    if at.path == IN_MEMORY:
        raise fail("this journal lives in the memory of its server: it is not kept, and ends with it")
    return at


def _seen(at: JournalAt) -> list[Violation]:
    with fetching(at) as fetch:
        return violations(fetch, sqlite=not at.shared)


def _moment(text: str, now: datetime) -> datetime:
    """Without a zone it is UTC, as in the configuration."""
    found = None
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found is None:
        raise click.UsageError(f"--since: {text!r} is not a time; write it as 2026-12-01T04:00:00Z")
    if found > now:
        raise click.UsageError(f"--since: {utc_text(found)} is still to come")
    return found
