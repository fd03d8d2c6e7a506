"""The dialects that the laws are tried on, each with the folder that holds its vectors and notes."""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from pathlib import Path

import adapters
from gateway.dialect import Dialect
from gateway.serve import discover
from gateway.serve.discover import BrokenDialect, Found, NoDialect
from gateway.vectors import Vector, load

__all__ = ["BrokenDialect", "Found", "NoDialect", "dialect_of", "folder_of", "given", "house", "stems", "vector_of", "vectors_of"]  # fmt: skip

ROOT = Path(adapters.__path__[0])
_FOLDERS: dict[str, Found] = {}  # of dialects that were named by their folder
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def house() -> list[str]:
    """The dialects of this tree, without importing any."""
    return sorted(path.parent.name for path in ROOT.glob("*/dialect.py"))


def given(text: str) -> str:
    """The name of a dialect that is named, or whose folder is. Raises `NoDialect` or `BrokenDialect`."""
    folder = Path(text)
    if (folder / "dialect.py").is_file():
        found = _in_folder(folder.resolve())
        _FOLDERS[found.dialect.name] = found
        return found.dialect.name
    return discover.find(text).dialect.name


def dialect_of(name: str) -> Dialect:
    found = _FOLDERS.get(name) or discover.find(name)
    return found.dialect


def folder_of(name: str) -> Path:
    """Of one of the house without importing it."""
    if name in _FOLDERS:
        return _FOLDERS[name].folder
    return ROOT / name if name in house() else discover.find(name).folder


def stems(name: str) -> list[str]:
    """Its vectors by name, unread."""
    return [path.stem for path in sorted((folder_of(name) / "vectors").glob("*.txt"))]


@cache
def vector_of(name: str, stem: str) -> Vector:
    return load(dialect_of(name), folder_of(name) / "vectors" / f"{stem}.txt")


def vectors_of(name: str) -> list[Vector]:
    return [vector_of(name, stem) for stem in stems(name)]


def _in_folder(folder: Path) -> Found:
    """Imported as what it is a part of: the packages above it are those whose folders say so."""
    top, parts = folder, [folder.name, "dialect"]
    while (top.parent / "__init__.py").is_file():
        top = top.parent
        parts.insert(0, top.name)
    if not all(map(_NAME.fullmatch, parts)):
        raise BrokenDialect(f"{folder}: a folder with a dialect is named by letters, digits and underscores")
    if str(top.parent) not in sys.path:
        sys.path.insert(0, str(top.parent))
    try:
        module = importlib.import_module(".".join(parts))
        dialect = module.DIALECT
    except Exception as error:  # whatever a dialect raises while it is imported
        raise BrokenDialect(f"{folder}/dialect.py: {type(error).__name__}: {error}") from error
    if module.__file__ is None or Path(module.__file__).resolve().parent != folder:
        raise BrokenDialect(f"{folder}: another package is called {parts[0]}, and stands at {module.__file__}")
    if not isinstance(dialect, Dialect):
        raise BrokenDialect(f"{folder}/dialect.py: DIALECT is no Dialect")
    return Found(dialect, folder)
