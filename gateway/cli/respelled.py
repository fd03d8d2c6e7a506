"""JSON written again, as the libraries of senders do before they sign. Numbers keep their text, where nothing else is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from gateway.auth import js_number
from gateway.body import Number


def _as_it_stands(text: str) -> str:
    return text


class Json(Struct, frozen=True, kw_only=True):
    """How a library writes JSON. `escaped`: signs within texts that it escapes though it need not."""

    between: str = ","
    colon: str = ":"
    indent: int = 0
    ascii: bool = False
    escaped: dict[str, str] = {}
    in_order: bool = False
    nulls: bool = True
    number: Callable[[str], str] = _as_it_stands
    quoted: bool = False  # numbers as texts

    def written(self, value: Any, depth: int = 1) -> str:
        if isinstance(value, Number):
            text = self.number(str(value))
            return f'"{text}"' if self.quoted else text
        if isinstance(value, dict):
            names = sorted(value) if self.in_order else value
            kept = [(name, value[name]) for name in names if self.nulls or value[name] is not None]
            return self._inside(
                "{}", [f"{self._text(name)}{self.colon}{self.written(v, depth + 1)}" for name, v in kept], depth
            )
        if isinstance(value, list):
            return self._inside("[]", [self.written(item, depth + 1) for item in value], depth)
        return self._text(value) if isinstance(value, str) else json.dumps(value)

    def _inside(self, marks: str, texts: list[str], depth: int) -> str:
        if not self.indent or not texts:
            return marks[0] + self.between.join(texts) + marks[1]
        line, end = "\n" + " " * self.indent * depth, "\n" + " " * self.indent * (depth - 1)
        return marks[0] + line + f",{line}".join(texts) + end + marks[1]

    def _text(self, text: str) -> str:
        found = json.dumps(text, ensure_ascii=self.ascii)
        for sign, escape in self.escaped.items():
            found = found.replace(sign, escape)
        return found


_SLASHES = {"/": "\\/"}
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}

BODIES: tuple[tuple[str, Json], ...] = (
    ("compact JSON", Json()),
    ("JSON with spaces", Json(between=", ", colon=": ")),
    ("compact JSON with ASCII escapes", Json(ascii=True)),
    ("JSON with spaces and ASCII escapes (Python's own)", Json(between=", ", colon=": ", ascii=True)),
    ("compact JSON with escaped slashes", Json(escaped=_SLASHES)),
    ("compact JSON with escaped slashes and ASCII escapes (PHP's own)", Json(escaped=_SLASHES, ascii=True)),
    ("compact JSON with <, > and & escaped (Go's own)", Json(escaped=_HTML)),
    ("compact JSON in the order of its keys", Json(in_order=True)),
    ("JSON with spaces in the order of its keys", Json(between=", ", colon=": ", in_order=True)),
    ("compact JSON in the order of its keys with ASCII escapes", Json(in_order=True, ascii=True)),
    ("JSON indented by two", Json(indent=2, colon=": ")),
    ("JSON indented by four", Json(indent=4, colon=": ")),
    ("compact JSON with numbers as JavaScript prints them", Json(number=js_number)),
    ("compact JSON with numbers as floats are printed", Json(number=lambda text: repr(float(text)))),
    ("compact JSON with numbers as texts", Json(quoted=True)),
    ("compact JSON without what is null", Json(nulls=False)),
)
