"""Reads the named queries of a SQL file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gateway.journal import rows

HERE = Path(__file__).parent
_NAMED = re.compile(r"^-- (\w+): ", re.M)

Decode = Callable[[tuple[Any, ...]], Any]


class Queries(dict[str, str]):
    """name -> SQL. Made when they are asked for: `put` and `lease` with the columns that they change,
    and `join` with the looks that it is to answer together, each row behind the number of its look."""

    def __init__(self, named: dict[str, str], lease: str) -> None:
        super().__init__(named)
        self._lease = lease

    def __missing__(self, name: str) -> str:
        verb, *columns = name.split(" ")
        if verb == "join":
            texts = [self[each].rstrip(";") for each in columns]
            looks = [f"SELECT {n} AS look, * FROM ({text}) AS look_{n}" for n, text in enumerate(texts)]  # noqa: S608  # our own queries, every value is bound
            self[name] = " UNION ALL ".join(looks)
            return self[name]
        if verb not in ("put", "lease"):
            raise KeyError(name)
        sets = [f"{column} = ?" for column in columns] + ([f"due_at = {self._lease}"] if verb == "lease" else [])
        changes = ", ".join([*sets, "revision = revision + 1"])
        self[name] = f"UPDATE movements SET {changes} WHERE key = ? AND revision = ? RETURNING key"  # noqa: S608  # columns only, every value is bound
        return self[name]


def of(*paths: Path, lease: str, over: str, **dialect: str) -> Queries:
    """The queries of the journal; a later file replaces those of an earlier one. What is given says
    where one database is not like the other; `over`: whether a lease is over, by its clock."""
    filled = {
        "row": f"{', '.join(rows.MOVEMENT)}, {over} AS lease_over",
        "session": rows.SESSION_COLUMNS,
        "doubt": "since, said_at",
        "step": "at, what, detail",
        "inserted": ", ".join(rows.INSERTED),
        "marks": ", ".join("?" for _ in rows.INSERTED),
        "marks_leased": ", ".join(lease if name == "due_at" else "?" for name in rows.INSERTED),
        "lease": lease,
        "may_stand": "(undone_by = '' OR (SELECT o.state FROM movements o WHERE o.key = movements.undone_by)"
        " NOT IN ('accepted', 'declined'))",
        **dialect,
    }
    found = {name: _filled(text, filled) for path in (HERE / "queries.sql", *paths) for name, text in named(path)}
    return Queries(found, lease)


def decoders(*paths: Path) -> dict[str, Decode]:
    """name -> how a row of its answer is read; what is not here stays as it is."""
    found: dict[str, Decode] = {}
    for path in (HERE / "queries.sql", *paths):
        for name, text in named(path):
            found.update((name, decode) for mark, decode in rows.DECODED.items() if mark in text)
    return found


def migrations(folder: Path) -> list[tuple[int, str]]:
    """(version, SQL), in order; `0001_what.sql` is version 1."""
    return [(int(path.name.split("_")[0]), path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]


def behind(version: int, newest: int) -> str:
    """Why a journal of another version cannot be read; blank: it can."""
    if version == newest:
        return ""
    so = "use a newer gateway" if version > newest else "start this gateway first, which brings it forward"
    return f"the journal has schema {version}, this gateway knows {newest}: {so}"


def named(path: Path) -> Iterable[tuple[str, str]]:
    parts = _NAMED.split(path.read_text(encoding="utf-8"))
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        lines = part.partition("\n")[2].strip().splitlines()
        yield name, "\n".join(line for line in lines if not line.startswith("--"))


def _filled(sql: str, given: dict[str, str]) -> str:
    for name, text in given.items():
        sql = sql.replace("{" + name + "}", text)
    return sql
