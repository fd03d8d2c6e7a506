"""What a value of the configuration may be: each shape reads a node and describes itself as JSON schema.

One declaration (`declaration.py`) is made of these; it validates, and `config/schema.json` is
written from it. A shape reports every mistake to the reader and answers `BAD` instead of a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
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


class Field(Struct, frozen=True):
    """A key of a section: its shape, what it means, whether it must stand there."""

    shape: Shape
    help: str = ""
    required: bool = False
    default: Any = None


class Section:
    """A section that was read: values by key, and where they stand."""

    __slots__ = ("_bad", "_places", "extra", "node", "values")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.values: dict[str, Any] = {}
        self.extra: dict[str, tuple[Node, Any]] = {}  # further keys, by name: (key, value)
        self._places: dict[str, Node] = {}
        self._bad: set[str] = set()

    def put(self, name: str, node: Node, value: Any) -> None:
        self._places[name] = node
        if value is BAD:
            self._bad.add(name)
        else:
            self.values[name] = value

    def miss(self, name: str) -> None:
        self._bad.add(name)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def __contains__(self, name: str) -> bool:
        """Whether the key stands in the file, right or wrong."""
        return name in self._places

    def ok(self, *names: str) -> bool:
        """Whether none of these was wrong or missing."""
        return self._bad.isdisjoint(names)

    def at(self, name: str) -> Node:
        return self._places.get(name, self.node)


class Map(Struct, frozen=True):
    """A section with known keys. `extra` is the shape of further ones, if they are allowed."""

    fields: Mapping[str, Field]
    extra: Shape | None = None

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "map":
            reader.wrong(node, f"this is {node.shown}, not a section", f"write keys below it: {', '.join(self.fields)}")
            return BAD
        section = Section(node)
        for key, value in node.pairs:
            self._take(section, key, value, reader)
        for name, field in self.fields.items():
            if name not in section:
                if field.required:
                    reader.wrong(node, f"{name} is missing", f"write {name}: ...")
                    section.miss(name)
                else:
                    section.values[name] = field.default
        return section

    def _take(self, section: Section, key: Node, value: Node, reader: Reader) -> None:
        field = self.fields.get(key.text)
        if field is not None:
            section.put(key.text, value, field.shape.read(value, reader))
        elif self.extra is not None:
            section.extra[key.text] = (key, self.extra.read(value, reader))
        else:
            reader.unknown(key, "key", key.text, self.fields)

    def schema(self) -> dict[str, Any]:
        properties = {}
        for name, field in self.fields.items():
            properties[name] = field.shape.schema() | ({"description": field.help} if field.help else {})
            if isinstance(field.default, str | bool | int):
                properties[name]["default"] = field.default
        required = [name for name, field in self.fields.items() if field.required]
        further: Any = self.extra.schema() if self.extra is not None else False
        schema = {"type": "object", "properties": properties, "additionalProperties": further}
        return schema | ({"required": required} if required else {})


class Named(Struct, frozen=True):
    """A map from names of one's own to values: name -> (key, value)."""

    name: Text
    of: Shape

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "map":
            reader.wrong(
                node, f"this is {node.shown}, not a section", "write names of your own below it, each with a colon"
            )
            return BAD
        found: dict[str, tuple[Node, Any]] = {}
        for key, value in node.pairs:
            good = self.name.read(key, reader)
            found[key.text] = (key, BAD if good is BAD else self.of.read(value, reader))
        return found

    def schema(self) -> dict[str, Any]:
        if not self.name.pattern:
            return {"type": "object", "additionalProperties": self.of.schema()}
        return {
            "type": "object",
            "patternProperties": {self.name.pattern: self.of.schema()},
            "additionalProperties": False,
        }


class Either(Struct, frozen=True):
    """A plain value, or a section."""

    scalar: Shape
    section: Shape

    def read(self, node: Node, reader: Reader) -> Any:
        return (self.section if node.what == "map" else self.scalar).read(node, reader)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [self.scalar.schema(), self.section.schema()]}


class Anything(Struct, frozen=True):
    """A section whose keys depend on a dialect; it is read later, as the node that it is."""

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what == "map":
            return node
        reader.wrong(node, f"this is {node.shown}, not a section", "write {name: value}; see `gateway dialects`")
        return BAD

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


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
