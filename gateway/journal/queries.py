"""Reads the named queries of a SQL file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_NAMED = re.compile(r"^-- (\w+): ", re.M)


def load(path: Path, **columns: str) -> Mapping[str, str]:
    """name -> SQL. `{row}` and the like are replaced by the column lists given."""
    parts = _NAMED.split(path.read_text(encoding="utf-8"))
    found = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        sql = text.partition("\n")[2].strip()
        for column, listed in columns.items():
            sql = sql.replace("{" + column + "}", listed)
        found[name] = sql
    return found


def migrations(folder: Path) -> list[tuple[int, str]]:
    """(version, SQL), in order; `0001_what.sql` is version 1."""
    return [(int(path.name.split("_")[0]), path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]
