"""What the commands of `gateway tx` share: the configuration, its journal, and whether a gateway runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gateway.journal.kept import JournalError
from gateway.journal.reader import Reader
from gateway.serve.config import ConfigErrors, Loaded, load
from gateway.serve.config.values import JournalAt
from gateway.serve.journals import reading

CONFIG = click.option(
    "--config",
    default="gateway.yaml",
    show_default=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration; it says where the journal is.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for scripts.")
STANDS_IN = "whsec_" + "bm90LW5lZWRlZC1oZXJl" * 2  # native's form of a key; the others take any text
IN_MEMORY = ":memory:"


class NoSecrets(dict[str, str]):
    """The environment; a secret that is not in this shell is not needed to read the journal."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name) or STANDS_IN


@contextmanager
def journal(config: Path) -> Iterator[tuple[Loaded, Reader]]:
    """The configuration and its journal, only to be read. What is wrong with them is said: exit 1."""
    try:
        loaded = load(config, NoSecrets(os.environ))
        if loaded.journal.path == IN_MEMORY:
            raise JournalError("this journal lives in the memory of its server; ask its admin API")
        with reading(loaded.journal) as reader:
            yield loaded, reader
    except (ConfigErrors, JournalError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from None


def config_of(path: Path) -> Loaded:
    """The configuration, without its secrets; what is wrong with it is said: exit 1."""
    try:
        return load(path, NoSecrets(os.environ))
    except ConfigErrors as errors:
        click.echo(str(errors), err=True)
        raise SystemExit(1) from None


@contextmanager
def holding(path: str) -> Iterator[None]:
    """The journal's file is ours alone meanwhile, as a gateway holds it. Raises `JournalError`."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise JournalError(f"the journal {path} belongs to a gateway that is running") from None
    finally:
        os.close(lock)


def gateway_runs(at: JournalAt) -> bool:
    """Whether a gateway holds the journal (it locks the file beside it while it lives). PostgreSQL
    is nobody's alone: whoever writes there takes a lease, so the admin API is asked first."""
    if at.shared:
        return True
    if at.path == IN_MEMORY:
        return True  # else there is no journal at all
    try:
        with Path(f"{at.path}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
