"""What several commands share: reading the configuration, choosing an entry of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import click

from gateway.serve.config import ConfigErrors, Loaded, load

T = TypeVar("T")

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
config_option = click.option(
    "--config",
    type=FILE,
    default=Path("gateway.yaml"),
    metavar="FILE",
    help="The configuration; ./gateway.yaml if not named.",
)


def loaded(path: Path) -> Loaded:
    """The configuration; every mistake goes to standard error, and the status is 1."""
    try:
        return load(path, os.environ)
    except ConfigErrors as errors:
        click.echo(str(errors), err=True)
        raise click.exceptions.Exit(1) from None


def chosen(what: str, name: str, among: Mapping[str, T]) -> T:
    """The entry of that name; a wrong name is a wrong call (status 2)."""
    if name in among:
        return among[name]
    near = get_close_matches(name, among, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(among) or 'none'}"
    raise click.BadParameter(f"no {what} is called {name!r}; {hint}", param_hint=f"--{what}")


def fail(message: str) -> click.ClickException:
    """The thing that was checked is wrong (status 1)."""
    return click.ClickException(message)


def table(rows: Sequence[tuple[str, ...]], indent: str = "  ") -> str:
    """Columns as wide as they must be; the last one runs free."""
    if not rows:
        return ""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]) - 1)]
    lines = [
        indent + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
