"""Secrets and files: `{env: NAME}`, `{file: PATH}`, and what PEM files must hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from msgspec import Struct

from gateway.serve.config.places import Node, Reader, nearest
from gateway.serve.config.shapes import BAD

INSTEAD = "write {env: NAME} or {file: PATH}"
_REFERENCE = {
    "type": "object",
    "properties": {"env": {"type": "string"}, "file": {"type": "string"}},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}


class Given(Struct, frozen=True):
    """A text that came by reference or stood there plainly (`literal`)."""

    text: str
    node: Node
    literal: bool

    def __repr__(self) -> str:
        return "Given(...)"  # it may be a secret


def refuse_literal(node: Node, reader: Reader) -> None:
    reader.wrong(node, "a secret stands here in plain text", INSTEAD)


class Part(Struct, frozen=True):
    """A part of a key: a reference, or a literal where the dialect says that it is no secret."""

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what == "map":
            text = _referred(node, reader)
            return BAD if text is None else Given(text, node, literal=False)
        if node.what != "text" or not node.text:
            reader.wrong(node, f"this is {node.shown if node.what != 'text' else 'blank'}, not a text", INSTEAD)
            return BAD
        return Given(node.text, node, literal=True)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, _REFERENCE]}


class Secret(Struct, frozen=True):
    """A secret: a reference, and a literal only in a demo. Read, it is its text."""

    def read(self, node: Node, reader: Reader) -> Any:
        given = Part().read(node, reader)
        if given is BAD:
            return BAD
        if given.literal and not reader.demo:
            refuse_literal(node, reader)
            return BAD
        return given.text

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "description": "only with server.demo: true"}, _REFERENCE]}


class Pem(Struct, frozen=True):
    """A PEM file by reference: `certificate`, `private key` or `public key`. Read, it is its bytes."""

    holds: str

    def read(self, node: Node, reader: Reader) -> Any:
        text = _referred(node, reader) if node.what == "map" else None
        if text is None:
            if node.what != "map":
                reader.wrong(node, f"this is {node.shown}, not a reference", "write {file: PATH}")
            return BAD
        if not pem_ok(self.holds, text):
            reader.wrong(node, f"this holds no {self.holds} in PEM form", f"-----BEGIN {self.holds.upper()}-----")
            return BAD
        return text.encode()

    def schema(self) -> dict[str, Any]:
        return _REFERENCE


class PemPath(Struct, frozen=True):
    """A PEM file that is opened again by the server: `{file: PATH}` only. Read, it is its path."""

    holds: str

    def read(self, node: Node, reader: Reader) -> Any:
        if node.what != "map" or node.child("file") is None:
            reader.wrong(node, "this is not a file", "write {file: PATH}")
            return BAD
        if Pem(self.holds).read(node, reader) is BAD:
            return BAD
        named = node.child("file")
        assert named is not None
        return reader.folder / named.text

    def schema(self) -> dict[str, Any]:
        return {**_REFERENCE, "properties": {"file": {"type": "string"}}}


class FileOf(Struct, frozen=True):
    """`{file: PATH}`: read, it is (path, the node that names it)."""

    def read(self, node: Node, reader: Reader) -> Any:
        named = node.child("file") if node.what == "map" and len(node.pairs) == 1 else None
        if named is None or named.what != "text" or not named.text:
            reader.wrong(node, "this is not a file", "write {file: PATH}")
            return BAD
        return reader.folder / named.text, named

    def schema(self) -> dict[str, Any]:
        return {**_REFERENCE, "properties": {"file": {"type": "string"}}}


def _referred(node: Node, reader: Reader) -> str | None:
    """The text behind `{env: NAME}` or `{file: PATH}`; None, and a problem, where there is none."""
    ways: dict[str, Callable[[Node, str, Reader], str | None]] = {"env": _from_env, "file": _from_file}
    if len(node.pairs) != 1:
        reader.wrong(node, "a reference names one place", INSTEAD)
        return None
    (key, value) = node.pairs[0]
    if key.text not in ways:
        reader.wrong(key, f"{key.text!r} is no kind of reference", f"{nearest(key.text, ways)}; {INSTEAD}")
        return None
    if value.what != "text" or not value.text:
        reader.wrong(value, "a reference names nothing", INSTEAD)
        return None
    return ways[key.text](value, value.text, reader)


def _from_env(node: Node, name: str, reader: Reader) -> str | None:
    found = reader.environ.get(name, "").rstrip("\r\n")
    if not found:
        said = "is empty" if name in reader.environ else "is not set"
        reader.wrong(node, f"the environment variable {name} {said}", f"set {name}, or use {{file: PATH}}")
        return None
    return found


def _from_file(node: Node, name: str, reader: Reader) -> str | None:
    found = file_text(reader.folder / name, node, reader)
    if found is not None and not found.strip():
        reader.wrong(node, f"the file {name} is empty", "put the value into it")
        return None
    return found.rstrip("\r\n") if found is not None else None


def file_text(path: Path, node: Node, reader: Reader) -> str | None:
    """The text of a file; None, and a problem at `node`, where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        reader.wrong(node, f"the file {path} is not UTF-8 text", "save it as text (PEM, not DER)")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "impossible name"
        reader.wrong(node, f"the file {path} cannot be read: {why}", "a path relative to this file's folder")
    return None


def pem_ok(holds: str, text: str) -> bool:
    """Whether the text is PEM and holds such a thing."""
    try:
        if holds == "certificate":
            return bool(x509.load_pem_x509_certificates(text.encode()))
        if holds == "private key":
            load_pem_private_key(text.encode(), None)
        else:
            load_pem_public_key(text.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
