"""The players of a simulated wallet: a JSON or CSV file, or whoever comes."""

from __future__ import annotations

import csv
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from gateway.currency import Currencies
from gateway.model import Refused
from gateway.play.purse import Purse

COLUMNS = ("player", "currency", "balance")


class BadPlayers(ValueError):
    """A players file that cannot be read, as FILE:LINE: what is wrong."""


def open_players(purse: Purse, path: Path, currencies: Currencies) -> int:
    """Open a purse for every row (`blocked`: true is understood, too); how many there were."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPlayers(f"{path}: {getattr(error, 'strerror', None) or 'is no text'}") from None
    rows = _json_rows(path, text) if text.lstrip().startswith(("[", "{")) else _csv_rows(path, text)
    for line, row in rows:
        _open(purse, row, f"{path}:{line}", currencies)
    if not rows:
        raise BadPlayers(f"{path}: names no player (write the columns {', '.join(COLUMNS)})")
    return len(rows)


def _json_rows(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise BadPlayers(f"{path}:{line}: is not JSON: {error}") from None
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise BadPlayers(f'{path}:1: is no list of players (write [{{"player": "p1", "currency": "EUR", ...}}])')
    return list(enumerate(rows, 1))


def _csv_rows(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise BadPlayers(f"{path}:1: has no column {missing[0]} (write {','.join(COLUMNS)})")
    return [(reader.line_num, dict(row)) for row in reader]


def _open(purse: Purse, row: dict[str, Any], place: str, currencies: Currencies) -> None:
    missing = [name for name in COLUMNS if not row.get(name)]
    if missing:
        raise BadPlayers(f"{place}: {missing[0]} is missing")
    player, currency = str(row["player"]), str(row["currency"])
    try:
        balance = currencies.exact(Decimal(str(row["balance"])), currency, "balance")
    except InvalidOperation:
        raise BadPlayers(f"{place}: {row['balance']!r} is no amount (write 12.50)") from None
    except Refused as refused:
        raise BadPlayers(f"{place}: {refused.message}") from None
    purse.open(player, currency, balance)
    if str(row.get("blocked", "")).lower() in ("true", "1", "yes"):
        purse.blocked.add(player)
