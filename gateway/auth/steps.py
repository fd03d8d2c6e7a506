"""The steps of a proof as its scheme declares them: what `gateway sign` tells, and what `--against` varies.

No call asks for any of it: covers and digests stay plain functions, and what they say of themselves hangs on them (`told`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from gateway.auth.keys import Key
from gateway.body import Number
from gateway.http import Request

Cover = Callable[[Request, Any], Iterable[bytes]]
"""What is signed. Several candidates where a sender may mean one of several spellings (the first
is what we write); raises `Refused` (bad_signature) where nothing can be covered."""

Digest = Callable[[Key, bytes], bytes]
Encoding = Callable[[bytes], str]

Field = tuple[str, Any]
"""A name and its value, as it was read: a text, bytes, a number with its text, a boolean, None, an object, a list."""


def same_text(text: str) -> str:
    return text


def as_bytes(text: str | bytes) -> bytes:
    """UTF-8; half a surrogate pair, which it cannot hold, as JavaScript signs it: U+FFFD."""
    if not isinstance(text, str):
        return text
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALF.sub("\ufffd", text).encode()


_HALF = re.compile("[\ud800-\udfff]")


def as_found(fields: Sequence[Field]) -> Sequence[Field]:
    return fields


def none_beside(request: Request, settings: Any) -> Sequence[Field]:
    return ()


class Spelling(Struct, frozen=True, kw_only=True):
    """How a value that is no text becomes one."""

    true: str = "true"
    false: str = "false"
    null: str = ""
    number: Callable[[str], str] = same_text

    def text(self, value: Any) -> str | bytes:
        if isinstance(value, bool):
            return self.true if value else self.false
        if value is None:
            return self.null
        if isinstance(value, int | Number):
            return self.number(str(value))
        return value if isinstance(value, str | bytes) else compact(value)


def compact(value: Any) -> str:
    """An object or a list as compact JSON, numbers as they stood."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(name)}:{compact(each)}" for name, each in value.items()) + "}"
    return (
        "[" + ",".join(map(compact, value)) + "]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    )


class Composed(Struct, frozen=True, kw_only=True):
    """A text that is made of fields. `written` makes the first candidate of its cover; with one step replaced, what a sender
    signs who does that step in another way."""

    found: Callable[[Request, Any], Sequence[Field]]  # what is signed, as it stands there
    beside: Callable[[Request, Any], Sequence[Field]] = none_beside  # what stands there, too, and is not signed
    own: str = ""  # which of those carries the proof, in lower case: the scheme knows, not the cover
    order: Callable[[Sequence[Field]], Sequence[Field]] = as_found
    spelling: Spelling = Spelling()
    coded: Callable[[str | bytes], bytes] = as_bytes
    names: bytes | None = None  # what stands between a name and its value; None: names are not signed
    between: bytes = b""
    around: tuple[bytes, bytes] = (b"", b"")

    def written(self, request: Request, settings: Any) -> bytes:
        said = self.order(self.found(request, settings))
        texts = [(name, self.coded(self.spelling.text(value))) for name, value in said]
        if self.names is None:
            pairs = [text for _, text in texts]
        else:
            pairs = [self.coded(name) + self.names + text for name, text in texts]
        return self.around[0] + self.between.join(pairs) + self.around[1]


class Steps(Struct, frozen=True, kw_only=True):
    """How a text comes about, in words; and its fields, where it is made of such."""

    selected: str
    order: str = ""  # blank: one part
    form: str
    joined: str = ""
    fields: Composed | None = None

    def lines(self) -> Iterator[tuple[str, str]]:
        said = {"selected": self.selected, "order": self.order, "form": self.form, "joined": self.joined}
        return ((title, words) for title, words in said.items() if words)


def letters(text: str) -> bytes:
    """its letters as UTF-8"""
    return text.encode()


class Hashing(Struct, frozen=True, kw_only=True):
    """A digest under a part of a key: an HMAC, or (`keyed` false) a plain one with the secret behind the text."""

    algorithm: str
    part: str = "secret"
    keyed: bool = True
    key_of: Callable[[str], bytes] = letters

    @property
    def words(self) -> str:
        name = self.algorithm.upper().replace("SHA", "SHA-").replace("SHA-3_", "SHA3-")
        return (
            f"HMAC-{name.replace('-', '')}" if self.keyed else f"{name} of the text with the secret behind it (no HMAC)"
        )


F = TypeVar("F", bound=Callable[..., Any])


def told(said: Steps | Callable[[Request], Steps] | Hashing) -> Callable[[F], F]:
    """What a cover (perhaps not of each request the same) or a digest says of itself, kept with the function."""

    def keep(function: F) -> F:
        function.__dict__["told"] = said
        return function

    return keep


def steps_of(cover: Cover, request: Request) -> Steps:
    """What a cover says of this request; of one that says nothing, its docstring."""
    said = getattr(cover, "told", None)
    found = said(request) if callable(said) else said
    return found if isinstance(found, Steps) else Steps(selected=words_of(cover), form="as the dialect writes it")


def hashing_of(digest: Digest) -> Hashing | None:
    said = getattr(digest, "told", None)
    return said if isinstance(said, Hashing) else None


def words_of(function: Callable[..., Any]) -> str:
    """A function in words: its docstring's first line, else its name."""
    first = (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return first or getattr(function, "__name__", type(function).__name__).strip("_").replace("_", " ")


class Proof(Struct, frozen=True, kw_only=True):
    """One proof of a scheme, as it is made of a part of a key. Without `covers`, that part is sent as it is."""

    carried: str  # where it stands
    part: str = "secret"
    covers: Cover | None = None
    digest: Digest | None = None  # None beside a cover: `made` says how the proof is made
    made: str = ""
    encoding: Encoding | None = None
    before: str = ""  # what stands in front of it, in any case
    optional: bool = False  # that may be left out
    folded: bool = False  # upper case is understood, too
    own: str = ""  # the name of the field or header that carries it, in lower case
    moments: tuple[str, ...] = ()  # headers that are signed and hold a time in Unix seconds
    title: str = ""  # what sets it apart from the others of its scheme
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def summary(self) -> str:
        """How it is made and where it stands, in one line."""
        if self.covers is None:
            return f"{self.part} as it is in {self.carried}{f', behind {self.before.strip()}' if self.before else ''}"
        return f"{self._digest_words}{f' as {words_of(self.encoding)}' if self.encoding else ''} in {self.carried}"

    def texts(self, request: Request, settings: Any) -> list[bytes]:
        """What is signed, in each spelling that is believed. Raises `Refused` where nothing can be."""
        return list(dict.fromkeys(self.covers(request, settings))) if self.covers else []

    def proof(self, key: Key, text: bytes) -> str:
        assert self.digest
        assert self.encoding
        return self.before + self.encoding(self.digest(key, text))

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        """The steps in their order, by that key, whose secret is not shown."""
        if self.covers is None:
            return [*self._named([("carried in", f"{self.carried}: {self._plain}")]), *self.notes]
        texts = self.texts(request, settings)
        lines = [*steps_of(self.covers, request).lines()]
        lines += [(f"message {n}", text.decode(errors="backslashreplace")) for n, text in enumerate(texts, 1)]
        lines += [("keyed with", self.key_words(key)), ("digest", self._digest_words)]
        lines += [("encoding", words_of(self.encoding))] if self.encoding else []
        lines += [(f"signature {n}", self._signature(key, text)) for n, text in enumerate(texts, 1)]
        front = f', behind "{self.before}"' if self.before else ""
        return [*self._named([*lines, ("carried in", f"{self.carried}{front}")]), *self.notes]

    def _named(self, lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        return ((f"{self.title}, {title}" if self.title else title, words) for title, words in lines)

    @property
    def _plain(self) -> str:
        front = f"{self.before.strip()}, then " if self.before else ""
        return f"{front}the key's {self.part} as it is. It signs nothing: it says who calls, not what is said"

    def key_words(self, key: Key) -> str:
        hashing = hashing_of(self.digest) if self.digest else None
        return f"{self.part} of key {key.id}{f', {words_of(hashing.key_of)}' if hashing else ''}"

    @property
    def _digest_words(self) -> str:
        hashing = hashing_of(self.digest) if self.digest else None
        return hashing.words if hashing else self.made or words_of(self.digest or self.texts)

    def _signature(self, key: Key, text: bytes) -> str:
        return self.proof(key, text)
