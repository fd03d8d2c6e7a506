"""A body, read once and exactly. JSON: numbers keep their text, equal keys are refused, `NaN` is no number.
A form: every field is a text or the bytes that it is, equal names are refused.

Nothing passes through a float. What is wrong with a body is told by whoever needed it, in words of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, overload
from urllib.parse import quote_plus, unquote_to_bytes

import msgspec
from msgspec import Struct

T = TypeVar("T")


class Number(str):
    """A JSON number, as the text that stood in the body."""

    __slots__ = ()


class Unreadable(Struct, frozen=True):
    """Why a body cannot be read. `twice`: a name stands twice in one object or form, and nobody knows which one is meant."""

    message: str
    twice: bool = False


class _Twice(Exception):
    """A key stands twice in one object."""


class _NoNumber(Exception):
    """`NaN` and `Infinity`, which Python's reader would take."""


def _twice(pairs: list[tuple[str, Any]]) -> Any:
    raise _Twice


def _constant(text: str) -> Any:
    raise _NoNumber(text)


def _decoder(doubled: Callable[[list[tuple[str, Any]]], Any]) -> Callable[[str], Any]:
    def object_of(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        return found if len(found) == len(pairs) else doubled(pairs)

    return json.JSONDecoder(
        object_pairs_hook=object_of, parse_int=Number, parse_float=Number, parse_constant=_constant
    ).decode


_decode = _decoder(_twice)


_quickly = msgspec.json.Decoder(float_hook=Number).decode


def parsed(body: bytes) -> Any:
    """The value that a body holds; `Unreadable` where it holds none. An integer may be an `int`, any number a `Number`.

    Nearly every body is one flat object, and is read in less time by a reader that would take the last of two equal keys,
    and -0 for 0. Each key and each text has its two quotes: where there are no more of them than the object accounts for,
    no key stood twice, here or further in.
    """
    if b"[" in body or b"-0" in body:
        return strictly(body)
    try:
        said = _quickly(body)
    except (ValueError, RecursionError):  # of which msgspec's own errors and that of UTF-8 are
        return strictly(body)
    if type(said) is dict and body.count(b'"') == 2 * (len(said) + [*map(type, said.values())].count(str)):
        return said
    return strictly(body)


def strictly(body: bytes, doubled: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value that a body holds, each number as a `Number`; `Unreadable` where it holds none. `doubled`: what stands for an
    object in which a key stands twice, made of its pairs; else there is none in a body that can be read."""
    decode = _decode if doubled is None else _decoder(doubled)
    try:
        return decode(body.decode())
    except UnicodeDecodeError:
        return Unreadable("the body is not UTF-8")
    except _Twice:
        return Unreadable("a key stands twice in one object", twice=True)
    except _NoNumber as error:
        return Unreadable(f"{error} is not JSON")
    except RecursionError:
        return Unreadable("the body is nested too deeply")
    except ValueError as error:
        return Unreadable(f"the body is not JSON: {str(error)[:80]}")


def fields_of(body: bytes) -> Mapping[str, str | bytes] | Unreadable:
    """The fields of a web form (`application/x-www-form-urlencoded`) in their order; `Unreadable` where it holds none.

    A value that is no UTF-8 stays bytes: a text that was cut within a letter is still signed and passed on, and is no id.
    """
    found: dict[str, str | bytes] = {}
    for pair in filter(None, body.split(b"&")):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        try:
            key = unquote_to_bytes(name).decode()
        except UnicodeDecodeError:
            return Unreadable("the name of a field is not UTF-8")
        if key in found:
            return Unreadable("a field stands twice", twice=True)
        found[key] = _text_or_bytes(unquote_to_bytes(value))
    return found


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def form_text(pairs: Iterable[tuple[str, str | bytes]]) -> str:
    """A form as PHP's `http_build_query` writes it: a blank is `+`, and of the signs only `-`, `_` and `.` stay.

    Half a surrogate pair, which no wire can say, becomes a question mark.
    """
    return "&".join(f"{_php(name)}={_php(value)}" for name, value in pairs)


def _php(text: str | bytes) -> str:
    return quote_plus(text.encode(errors="replace") if isinstance(text, str) else text).replace("~", "%7E")


class kept(Generic[T]):
    """A property that is made when it is first asked for, and kept with its owner (a struct with `dict=True`).

    As `functools.cached_property`, which takes a lock each time that it makes one.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self._name, self.__doc__ = make, make.__name__, make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> kept[T]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> kept[T] | T:
        if owner is None:
            return self
        made: T = self._make(owner)
        owner.__dict__[self._name] = made
        return made
