"""`gateway laws`: the laws of a dialect, from wherever it is."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from textwrap import indent

import click
import msgspec

from gateway.cli.common import fail
from gateway.laws import subjects
from gateway.serve import discover

LINES_MAX = 12  # of one law's failure, without --json


@click.command("laws")
@click.argument("dialect", metavar="NAME|FOLDER")
@click.option(
    "--only", default="", metavar="LAW", help="Only laws whose name holds this: 'law 7', 'describes', 'means'."
)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write JUnit XML, too.")
@click.option(
    "--inputs", type=click.IntRange(1), metavar="N", help="Try N broken requests and answers, not some hundred."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(dialect: str, only: str, junit: Path | None, inputs: int | None, as_json: bool) -> None:
    """Try the laws on one dialect: of the house, of a package that is installed, or of the FOLDER that holds its dialect.py.

    \b
    gateway laws kyren
    gateway laws ./tinyplay --only 'law 7'
    """
    name = named(dialect, "NAME|FOLDER")
    try:
        from gateway.laws.trial import tried  # pytest and hypothesis are needed for this command only
    except ModuleNotFoundError as error:
        raise fail(f"the laws are tests, and {error.name} is missing: pip install 'seamless-gateway[laws]'") from None
    verdict = tried(name, only, junit, inputs)
    if not verdict.held and not verdict.failed:
        raise click.BadParameter(f"no law is called so; there are: {', '.join(verdict.laws)}", param_hint="--only")
    if as_json:
        facts = {
            "dialect": name,
            "folder": str(subjects.folder_of(name)),
            "held": verdict.held,
            "failed": verdict.failed,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(facts), indent=2).decode())
    else:
        for failed in verdict.failed:
            click.echo(f"{failed.law}{f': {failed.vector}' if failed.vector else ''}")
            lines = failed.message.splitlines()
            more = [f"... and {len(lines) - LINES_MAX} lines more (--json)"] if len(lines) > LINES_MAX else []
            click.echo(indent("\n".join([*lines[:LINES_MAX], *more]), "    "))
        click.echo(f"{name}: {verdict.held:,} held, {len(verdict.failed):,} failed")
    if verdict.failed:
        raise click.exceptions.Exit(1)


def named(dialect: str, where: str) -> str:
    """The dialect that was named, or whose folder was; another name is a wrong call."""
    try:
        return subjects.given(dialect)
    except subjects.NoDialect:
        near = get_close_matches(dialect, discover.names(), 1)
        hint = (
            f"did you mean {near[0]}?" if near else "name a folder that holds a dialect.py, or see `gateway dialects`"
        )
        raise click.BadParameter(f"there is no dialect {dialect!r}; {hint}", param_hint=where) from None
    except subjects.BrokenDialect as error:
        raise fail(str(error)) from None
