"""Reads the named queries of a SQL file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.engine.states import EDGES, State, sources
from gateway.journal import rows

HERE = Path(__file__).parent
_NAMED = re.compile(r"^-- (\w+): ", re.M)


def load(*paths: Path, **columns: str) -> Mapping[str, str]:
    """name -> SQL; a later file replaces queries of an earlier one. `{row}` and the like are replaced
    by what is given."""
    return {name: _filled(text, columns) for path in paths for name, text in _named(path.read_text(encoding="utf-8"))}


def of(*paths: Path, **dialect: str) -> Mapping[str, str]:
    """The queries of the journal. `dialect`: where one database is not like the other."""
    return load(
        HERE / "queries.sql",
        *paths,
        row=rows.MOVEMENT_COLUMNS,
        session=rows.SESSION_COLUMNS,
        before_asking=_listed(sources(State.ASKING)),
        edges=", ".join(f"'{state.value}>{target.value}'" for state, edges in EDGES.items() for target in edges),
        before_decided=_listed(sources(State.ACCEPTED, State.DECLINED)),
        **dialect,
    )


def migrations(folder: Path) -> list[tuple[int, str]]:
    """(version, SQL), in order; `0001_what.sql` is version 1."""
    return [(int(path.name.split("_")[0]), path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]


def _named(text: str) -> Iterable[tuple[str, str]]:
    parts = _NAMED.split(text)
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        lines = part.partition("\n")[2].strip().splitlines()
        yield name, "\n".join(line for line in lines if not line.startswith("--"))


def _filled(sql: str, columns: Mapping[str, str]) -> str:
    for column, listed in columns.items():
        sql = sql.replace("{" + column + "}", listed)
    return sql


def _listed(states: Iterable[State]) -> str:
    """For an IN list of a query; the names are ours."""
    return ", ".join(f"'{state.value}'" for state in states)
