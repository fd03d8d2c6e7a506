"""Sections of the configuration: known keys, names of one's own, and what a dialect decides later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gateway.serve.config.places import Node, Reader
from gateway.serve.config.shapes import BAD, Shape, Text


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
