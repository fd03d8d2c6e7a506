"""`gateway tx`: the journal, for people and scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli.tx_journal import CONFIG, JSON, gateway_runs, journal
from gateway.cli.tx_person import resolve_command, retry_command
from gateway.codec.plain import utc_text
from gateway.codec.times import parse_duration
from gateway.engine.movement import Listing, Movement
from gateway.engine.setup import Setup
from gateway.engine.states import State
from gateway.journal.reader import Reader
from gateway.serve.admin import provider_id
from gateway.serve.shown import amount_text, movement_to_plain, states, story_to_plain

COLUMNS = ("KEY", "STATE", "KIND", "PLAYER", "AMOUNT", "WALLET", "CREATED", "NOTE")


@click.group("tx")
def command() -> None:
    """The journal: what is in doubt, owed to a wallet, or waits for a person."""


@command.command("list")
@CONFIG
@click.option("--in-doubt", is_flag=True, help="Not definite, whoever must act.")
@click.option("--owed", is_flag=True, help="Owed to a wallet: the gateway goes on asking.")
@click.option("--person", is_flag=True, help="Waiting for `gateway tx resolve`.")
@click.option("--older-than", metavar="DURATION", help="Begun longer ago: 5m, 48h.")
@click.option("--provider", default="", metavar="NAME", help="Of this provider only.")
@click.option("--player", default="", metavar="ID", help="Of this player only.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), metavar="N")
@JSON
def list_command(
    config: Path,
    in_doubt: bool,
    owed: bool,
    person: bool,
    older_than: str | None,
    provider: str,
    player: str,
    limit: int,
    as_json: bool,
) -> None:
    """Movements, the newest first; KEY is what the other commands take.

    Without --in-doubt, --owed or --person all are listed, the decided ones included.
    """
    before = datetime.now(UTC) - _duration(older_than) if older_than else None
    with journal(config) as (loaded, reader):
        wanted = states(in_doubt=in_doubt, owed=owed, person=person)
        if in_doubt and not gateway_runs(loaded.journal):
            wanted = (*wanted, State.ASKING)  # who asked cannot hear the answer any more
        listing = Listing(
            states=wanted, provider=provider_id(loaded.setup, provider), player=player, before=before, limit=limit
        )
        found = reader.listed(listing)
        if as_json:
            click.echo(msgspec.json.encode([movement_to_plain(m, loaded.setup) for m in found]).decode())
        else:
            _table([COLUMNS, *map(_row, found)])


@command.command("show")
@CONFIG
@JSON
@click.argument("key")
def show_command(config: Path, key: str, as_json: bool) -> None:
    """The whole story of one movement: what it was, what became of it, and every step with its time."""
    with journal(config) as (loaded, reader):
        found = reader.get(key)
        if found is None:
            click.echo(f"no movement has the key {key} (`gateway tx list` prints keys)", err=True)
            raise SystemExit(1)
        plain = _told(reader, found, loaded.setup)
        if as_json:
            click.echo(msgspec.json.encode(plain).decode())
        else:
            _facts(plain)


command.add_command(retry_command)
command.add_command(resolve_command)


def _told(reader: Reader, movement: Movement, setup: Setup) -> dict[str, Any]:
    plain, key = movement_to_plain(movement, setup), movement.key
    plain["story"] = story_to_plain(movement, reader.story(key), reader.aimed(key))
    parts = [_told(reader, part, setup) for part in reader.parts(key)]
    return plain | ({"parts": parts} if parts else {})


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.UsageError(f"--older-than: {error}") from None


def _row(m: Movement) -> tuple[str, ...]:
    amount = amount_text(m.tx)
    return (m.key, m.state.value, m.kind.value, m.tx.player, amount, m.wallet, utc_text(m.created_at), m.note)


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _facts(plain: dict[str, Any], indent: str = "") -> None:
    for name, value in plain.items():
        label = f"{indent}{name.replace('_', ' ')}"
        if name == "story":
            click.echo(f"{label}:")
            for step in value:
                what = step["what"].replace("_", " ")
                click.echo(f"{indent}  {step['at']}  {what:<11}  {step.get('detail', '')}".rstrip())
        elif isinstance(value, dict):
            click.echo(f"{label}:")
            _facts(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                click.echo(f"{label}:")
                _facts(item, indent + "  ")
        else:
            click.echo(f"{label}: {str(value).lower() if isinstance(value, bool) else value}")
