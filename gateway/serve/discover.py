"""Finding dialects: by importing `adapters.<name>.dialect`, or by the entry-point group of outsiders.

There is no list to edit. A broken adapter fails when it is asked for, and only then.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from msgspec import Struct

import adapters
from gateway.dialect import Dialect

GROUP = "gateway.dialects"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")


class Found(Struct, frozen=True):
    """A dialect and the folder that holds its vectors and notes."""

    dialect: Dialect
    folder: Path


class NoDialect(LookupError):
    """There is no dialect of this name."""


class BrokenDialect(Exception):
    """There is one, and it cannot be imported."""


def names() -> list[str]:
    """Every dialect there is, without importing any."""
    return sorted({*_in_the_house(), *_outsiders()})


@cache
def find(name: str) -> Found:
    """The dialect. Raises `NoDialect` or `BrokenDialect`."""
    point = _outsiders().get(name)
    if name in _in_the_house():
        found = _loaded(name, lambda: importlib.import_module(f"adapters.{name}.dialect"))
    elif point is not None:
        found = _loaded(name, point.load)
    else:
        raise NoDialect(name)
    dialect, folder = found
    if dialect.name != name:
        raise BrokenDialect(f"the dialect {name} calls itself {dialect.name}")
    return Found(dialect, folder)


def _in_the_house() -> set[str]:
    folders = [Path(path) for path in adapters.__path__]
    return {
        file.parent.name
        for folder in folders
        for file in folder.glob("*/dialect.py")
        if _NAME.fullmatch(file.parent.name)
    }


def _outsiders() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(name: str, load: object) -> tuple[Dialect, Path]:
    """What an import gave: a module with `DIALECT`, or the dialect itself."""
    assert callable(load)
    try:
        found = load()
        module = found if isinstance(found, ModuleType) else importlib.import_module(found.decode_request.__module__)
        dialect = found.DIALECT if isinstance(found, ModuleType) else found
    except Exception as error:  # whatever an adapter raises while it is imported
        raise BrokenDialect(f"the dialect {name} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(dialect, Dialect) or module.__file__ is None:
        raise BrokenDialect(f"the dialect {name} is no Dialect")
    return dialect, Path(module.__file__).parent
