"""What a value of the configuration may be: each shape reads a node and describes itself as JSON schema.

One declaration (`declaration.py`) is made of these; it validates, and `config/schema.json` is
written from it. A shape reports every mistake to the reader and answers `BAD` instead of a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct

from gateway.codec.times import parse_duration
from gateway.serve.config.places import Node, Reader, shortened

DURATION_MAX = timedelta(days=3650)


class Bad:
    """A value that was wrong and has been reported."""

    def __repr__(self) -> str:
        return "BAD"


BAD = Bad()


class Shape(Protocol):
    def read(self, node: Node, reader: Reader) -> Any: ...

    def schema(self) -> dict[str, Any]: ...


class Text(Struct, frozen=True):
    """A text that `check` turns into a value; it raises `ValueError` with what to write instead."""

    check: Callable[[str], Any] = str
    expects: str = "a text"
    pattern: str = ""
    quiet: bool = False
    """It may hold a password by mistake, so no message repeats it."""

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "text":
            reader.wrong(node, f"this is {node.shown}, not {self.expects}", self._instead(node.text))
            return BAD
        try:
            return self.check(node.text)
        except ValueError as error:
            said = "this" if self.quiet else repr(shortened(node.text))
            reader.wrong(node, f"{said} is not {self.expects}", str(error))
            return BAD

    def _instead(self, text: str) -> str:
        if not text:
            return f"write {self.expects}"
        try:
            self.check(text)
        except ValueError as error:
            return str(error)
        return f'put it in quotes: "{shortened(text)}"'

    def schema(self) -> dict[str, Any]:
        return {"type": "string"} | ({"pattern": self.pattern} if self.pattern else {})


def matching(pattern: str, expects: str, instead: str) -> Text:
    """A text that matches the whole pattern."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(instead)
        return text

    return Text(check, expects, f"^(?:{pattern})$")


class Bool(Struct, frozen=True):
    """true or false."""

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "boolean":
            reader.wrong(node, f"this is {node.shown}, not true or false", "write true or false, without quotes")
            return BAD
        return node.text.lower() == "true"

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Integer(Struct, frozen=True):
    """A whole number within bounds, both included."""

    lowest: int
    highest: int

    def read(self, node: Node, reader: Reader) -> Any:
        plain = node.what == "integer" and re.fullmatch(r"-?\d{1,18}", node.text)
        if not plain or not self.lowest <= int(node.text) <= self.highest:
            bounds = f"{self.lowest} to {self.highest}" if self.lowest < self.highest else f"{self.lowest}"
            reader.wrong(
                node, f"this is not a number that is possible here: {node.text or node.what}", f"write {bounds}"
            )
            return BAD
        return int(node.text)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}


class Share(Struct, frozen=True):
    """A part of a whole: from nothing to nine tenths."""

    highest: Decimal = Decimal("0.9")

    def read(self, node: Node, reader: Reader) -> Any:
        plain = node.what in ("number", "integer") and re.fullmatch(r"\d(\.\d{1,6})?", node.text)
        if not plain or Decimal(node.text) > self.highest:
            reader.wrong(
                node, f"this is not a share: {shortened(node.text or node.what)}", f"write 0 to {self.highest}: 0.2"
            )
            return BAD
        return Decimal(node.text)

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": 0, "maximum": 0.9}


class Choice(Struct, frozen=True):
    """One of several words."""

    words: tuple[str, ...]

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "text" or node.text not in self.words:
            reader.wrong(node, f"{shortened(node.text or node.what)!r} is not possible here", " or ".join(self.words))
            return BAD
        return node.text

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


class Items(Struct, frozen=True):
    """A list. `or_one`: a single value stands for a list of one."""

    of: Shape
    or_one: bool = False
    empty: bool = False

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "list":
            if self.or_one:
                found = self.of.read(node, reader)
                return BAD if found is BAD else [found]
            reader.wrong(
                node, f"this is {node.shown}, not a list", "write [one, another] or lines that begin with a dash"
            )
            return BAD
        if not node.items and not self.empty:
            reader.wrong(node, "the list is empty", "name at least one, or leave the key out")
            return BAD
        found = [self.of.read(item, reader) for item in node]
        return BAD if BAD in found else found

    def schema(self) -> dict[str, Any]:
        many = {"type": "array", "items": self.of.schema()} | ({} if self.empty else {"minItems": 1})
        return {"anyOf": [self.of.schema(), many]} if self.or_one else many


class Moment(Struct, frozen=True):
    """A point in time, ISO 8601; without a zone it is UTC."""

    def read(self, node: Node, reader: Reader) -> Any:
        try:
            if node.what not in ("time", "text"):
                raise ValueError
            found = datetime.fromisoformat(node.text)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            reader.wrong(node, "this is not a time", "write it as 2026-12-01T00:00:00Z")
            return BAD

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


def _duration(text: str) -> timedelta:
    try:
        found = parse_duration(text)
    except (ValueError, OverflowError):
        found = timedelta(0)
    if not timedelta(0) < found <= DURATION_MAX:
        raise ValueError("write a number and ms, s, m, h or d, more than nothing and at most 3650d: 250ms, 4s, 35d")
    return found


_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def _size(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,8})(B|KiB|MiB|GiB)", text)
    if not found:
        raise ValueError("write a whole number and B, KiB, MiB or GiB: 64KiB")
    return int(found[1]) * _UNITS[found[2]]


DURATION = Text(_duration, "a duration", r"^[0-9]{1,9}(ms|s|m|h|d)$")
SIZE = Text(_size, "a size", r"^[1-9]\d*(B|KiB|MiB|GiB)$")
