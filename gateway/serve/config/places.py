"""YAML with places: every key and value knows its line and column, and every mistake is collected.

The tree is read by ruamel's pure round-trip loader up to its nodes (YAML 1.2: `NO` is a text), so
that equal keys and places are still there; meaning begins in `shapes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

_TAGS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "integer",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:bool": "boolean",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "time",
}
DIGITS_MAX = 40  # a longer number is a slip, and stays the text that it was
_MERGE = "tag:yaml.org,2002:merge"


class Problem(Struct, frozen=True, order=True):
    """One mistake in a file: where, what, and what to write instead."""

    file: str
    line: int
    column: int
    problem: str
    instead: str = ""

    def __str__(self) -> str:
        tail = f" ({self.instead})" if self.instead else ""
        return f"{self.file}:{self.line}:{self.column}: {self.problem}{tail}"


class ConfigErrors(Exception):
    """Everything that is wrong with a configuration, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class Node:
    """A value of the file. `what` is map, list, text, integer, number, boolean, time, nothing or a tag."""

    __slots__ = ("column", "items", "line", "pairs", "text", "what")

    def __init__(self, what: str, line: int, column: int, text: str = "") -> None:
        self.what, self.line, self.column, self.text = what, line, column, text
        self.items: list[Node] = []
        self.pairs: list[tuple[Node, Node]] = []

    @property
    def shown(self) -> str:
        """What stands there, for a message; never the text, which may be a secret."""
        article = "an" if self.what[0] in "ai" else "a"
        return self.what if self.what == "nothing" else f"{article} {self.what}"

    def child(self, name: str) -> Node | None:
        return next((value for key, value in self.pairs if key.text == name), None)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


def plain(node: Node, depth: int = 8) -> Any:
    """The value as Python has it; a number that is no integer keeps its digits as `Decimal`."""
    match node.what:
        case "map" if depth:
            return {key.text: plain(value, depth - 1) for key, value in node.pairs}
        case "list" if depth:
            return [plain(item, depth - 1) for item in node.items]
        case "integer" if len(node.text) <= DIGITS_MAX and node.text.lstrip("-").isdigit():
            return int(node.text)
        case "number":
            try:
                return Decimal(node.text)
            except ArithmeticError:
                return node.text
        case "boolean":
            return node.text.lower() == "true"
        case "nothing":
            return None
        case _:
            return node.text


class Reader:
    """What reading needs from outside, and the mistakes found so far."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path, self.folder, self.environ = path, path.resolve().parent, environ
        self.demo = False  # `server.demo`: literal secrets are allowed
        self.problems: list[Problem] = []

    def wrong(self, node: Node, problem: str, instead: str = "") -> None:
        self.problems.append(Problem(str(self.path), node.line, node.column, problem, instead))

    def unknown(self, node: Node, what: str, name: str, known: Iterable[str]) -> None:
        """A name that is none of the known ones; the nearest is proposed."""
        self.wrong(node, f"unknown {what} {shortened(name)!r}", nearest(name, known))


def shortened(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[:length] + "..."


def nearest(name: str, known: Iterable[str]) -> str:
    """What to write instead of `name`, for a message."""
    names = list(known)
    found = get_close_matches(name, names, 1) or [k for k in names if k.lower() == name.lower()]
    if found:
        return f"write {found[0]}"
    return f"one of {', '.join(names)}" if names else "there is none"


def read_tree(reader: Reader) -> Node | None:
    """The tree of the file; None, and a problem, where it is no YAML or no map."""
    try:
        text = reader.path.read_text(encoding="utf-8")
        root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Node("text", mark.line + 1, mark.column + 1) if mark else _TOP
        what = ", ".join(part for part in (error.context, error.problem) if part)
        reader.wrong(place, f"this is not YAML: {what}", "one YAML 1.2 document, names followed by a colon and a space")
    except (YAMLError, RecursionError):
        reader.wrong(_TOP, "this is not YAML: a character that is not allowed, or too many levels", "see config/")
    except UnicodeDecodeError:
        reader.wrong(_TOP, "the file is not UTF-8 text", "save it as UTF-8")
    except OSError as error:
        reader.wrong(_TOP, f"the file cannot be read: {error.strerror}", "name a readable file")
    else:
        return _root(root, reader)
    return None


_TOP = Node("text", 1, 1)


def _root(root: Any, reader: Reader) -> Node | None:
    if root is None:
        reader.wrong(_TOP, "the file is empty", "begin with version: 1; see config/minimal.yaml")
        return None
    node = _converted(root, reader, {})
    if node.what != "map":
        reader.wrong(node, f"the file holds {node.shown}, not a map", "begin with version: 1; see config/minimal.yaml")
        return None
    return node


def _converted(raw: Any, reader: Reader, done: dict[int, Node]) -> Node:
    """Our node for ruamel's. `done` keeps aliases one node, so that a cycle ends."""
    if id(raw) in done:
        return done[id(raw)]
    line, column = raw.start_mark.line + 1, raw.start_mark.column + 1
    if isinstance(raw, ScalarNode):
        node = done[id(raw)] = Node(_TAGS.get(str(raw.tag), f"tag {raw.tag}"), line, column, raw.value)
    elif isinstance(raw, SequenceNode):
        node = done[id(raw)] = Node("list", line, column)
        node.items = [_converted(item, reader, done) for item in raw.value]
    else:
        assert isinstance(raw, MappingNode)
        node = done[id(raw)] = Node("map", line, column)
        _fill(node, raw, reader, done)
    return node


def _fill(node: Node, raw: MappingNode, reader: Reader, done: dict[int, Node]) -> None:
    merged: list[Node] = []
    places: dict[str, Node] = {}
    for raw_key, raw_value in raw.value:
        key, value = _converted(raw_key, reader, done), _converted(raw_value, reader, done)
        if raw_key.tag == _MERGE:
            merged += value.items if value.what == "list" else [value]
            if any(part.what != "map" for part in merged):
                reader.wrong(value, "<< takes in sections only", "write <<: *name, where &name marks a section")
        elif key.what in ("map", "list"):
            reader.wrong(key, f"a key is {key.shown}", "a key is a text")
        elif key.text in places:
            first = places[key.text]
            problem = f"the key {shortened(key.text)!r} stands twice, first in line {first.line}"
            reader.wrong(key, problem, "keep one of them")
        else:
            places[key.text] = key
            node.pairs.append((key, value))
    for other in merged:
        known = {key.text for key, _ in node.pairs}
        node.pairs += [(key, value) for key, value in other.pairs if key.text not in known]
