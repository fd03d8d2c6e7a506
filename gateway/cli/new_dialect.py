"""`gateway new-dialect`: the beginning of a dialect, and what is still to be said."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import fail
from gateway.cli.laws import named
from gateway.laws import begun, subjects


@click.command("new-dialect")
@click.argument("name")
@click.option("--like", required=True, metavar="OTHER", help="The living dialect that is most like it.")
@click.option(
    "--package", type=click.Path(path_type=Path), metavar="FOLDER", help="A project of its own in this folder."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where its folder goes; else adapters/.",
)
def command(name: str, like: str, package: Path | None, out: Path | None) -> None:
    """Begin the dialect NAME with a copy of OTHER that says of each vector and each question that it is not answered yet.

    \b
    gateway new-dialect acme --like kyren                     a folder in adapters/
    gateway new-dialect acme --like kyren --package ./acme    a project with its entry point and tests
    """
    if package is not None and out is not None:
        raise click.UsageError("name one: --package FOLDER or --out DIR")
    other = named(like, "--like")
    into, imported = _place(name, package, out)
    try:
        files = begun.begin(name, other, subjects.folder_of(other), into, imported)
    except begun.CannotBegin as error:
        raise fail(str(error)) from None
    files += begun.begin_package(name, package) if package is not None else []
    vectors = sum(path.suffix == ".txt" for path in files)
    click.echo(f"{into}: {len(files)} files, {vectors} of them vectors, as {other} says them")
    click.echo(f"next: gateway laws {into}  names what is still to say")


def _place(name: str, package: Path | None, out: Path | None) -> tuple[Path, str]:
    """Its folder, and what it is imported as."""
    if package is not None:
        return package / name, name
    if out is not None:
        return out / name, name
    return subjects.ROOT / name, f"adapters.{name}"
