"""Covers over the fields of a query, and a proof that is carried there as one more field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.covers import between_words, by_code_unit, code_units, not_read, split, unreadable
from gateway.auth.scheme import bad_signature, hex_text
from gateway.auth.steps import Composed, Cover, Encoding, Field, Steps, told
from gateway.body import Unreadable
from gateway.http import Request


def caseless(request: Request) -> Mapping[str, str | bytes]:
    """The fields of the query by their names in lower case. Raises `Refused` (bad_signature) where two have one name, or there
    are none that can be read: nobody knows what was signed."""
    fields = request.asked
    if isinstance(fields, Unreadable):
        raise bad_signature(f"the query cannot be read: {fields.message}")
    found = {name.lower(): value for name, value in fields.items()}
    if len(found) != len(fields):
        raise bad_signature("two fields of the query differ only by case: nobody knows which one was signed")
    return found


def listed_values(names: Callable[[Request], Sequence[str]]) -> Cover:
    """The values of these fields, decoded and as they were sent, with nothing between them; one that is missing is nothing."""

    def found(request: Request, settings: Any) -> Sequence[Field]:
        fields = caseless(request)
        return [(name, fields.get(name.lower(), "")) for name in names(request)]

    def beside(request: Request, settings: Any) -> Sequence[Field]:
        listed = {name.lower() for name in names(request)}
        return [(name, value) for name, value in caseless(request).items() if name not in listed]

    said = Steps(
        selected="the values of fields of the query that the page lists for this call; one that is missing is nothing",
        order="that of the page's list",
        form="decoded, as they were sent; names are not signed",
        joined="with nothing between them",
        fields=Composed(found=found, beside=beside),
    )

    @told(said)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        fields = caseless(request)
        values = [fields.get(name.lower(), "") for name in names(request)]
        yield b"".join(value.encode() if isinstance(value, str) else value for value in values)

    return cover


def query_values(*, without: str, sorted_as: Mapping[str, str]) -> Cover:
    """The values of a query's fields, decoded, with nothing between them, in the byte order of the names as they were sent;
    neither the names nor the field `without` (in any case) are signed. `sorted_as`: names that stand where another would."""

    def taken(name: str, value: Any) -> bool:
        return name.lower() != without

    def order(fields: Sequence[Field]) -> list[Field]:
        return sorted(fields, key=lambda field: sorted_as.get(field[0], field[0]).encode())

    moved = "".join(f"; {name} stands where {other} would" for name, other in sorted_as.items())
    steps = Steps(
        selected=f"the values of the fields of the query without {without}; their names are not signed",
        order=f"by their names as they were sent, by bytes{moved}",
        form="decoded",
        joined=between_words(""),
        fields=split(_query_fields, taken, order=order),
    )

    @told(steps)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        fields = request.asked
        if isinstance(fields, Unreadable):
            raise not_read(fields, fields.message)
        said = {name: value for name, value in fields.items() if name.lower() != without}
        names = sorted(said, key=lambda name: sorted_as.get(name, name).encode())
        yield b"".join(value.encode() if isinstance(value, str) else value for value in map(said.__getitem__, names))

    return cover


def _query_fields(request: Request, settings: Any) -> list[Field]:
    fields = request.asked
    if isinstance(fields, Unreadable):
        raise not_read(fields, fields.message)
    return [*fields.items()]


def _quoted(text: str | bytes) -> bytes:
    """A text as one of the canonical form of JSON, which escapes it as Python does."""
    return json.dumps(text if isinstance(text, str) else text.decode(errors="replace"), ensure_ascii=False).encode()


@told(
    Steps(
        selected="the fields of the query as one JSON object",
        order="by their names, by UTF-16 code unit",
        form="decoded, as texts of canonical JSON (RFC 8785): no blanks, letters as they are",
        fields=Composed(
            found=_query_fields, order=code_units, coded=_quoted, names=b":", between=b",", around=(b"{", b"}")
        ),
    )
)
def canonical_query(request: Request, settings: Any) -> Iterator[bytes]:
    """The fields of the query, decoded, as one JSON object of texts in canonical form (RFC 8785).

    A field that stands twice is told as unreadable: nobody knows which one was signed, and no object has both.
    """
    fields = request.asked
    if isinstance(fields, Unreadable):
        raise unreadable(fields.message)
    said = {name: fields[name] for name in by_code_unit(fields)}
    if any(isinstance(value, bytes) for value in said.values()):
        raise unreadable("the query is not UTF-8")
    # Without its blanks and with letters as they are, Python escapes a text as the canonical form does.
    yield json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


class InQuery(Struct, frozen=True):
    """The proof stands in a field of the query."""

    name: str
    encoding: Encoding = hex_text

    @property
    def place(self) -> str:
        return f"the field {self.name} of the query"

    def read(self, request: Request) -> str:
        found = caseless(request).get(self.name.lower(), "")
        return found if isinstance(found, str) else ""

    def write(self, request: Request, proof: str) -> Request:
        path, mark, asked = request.target.partition("?")
        target = f"{path}?{self._with(asked, proof)}" if mark or path else ""
        return replace(request, query=self._with(request.query, proof), target=target)

    def _with(self, query: str, proof: str) -> str:
        kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0].lower() != self.name.lower()]
        return "&".join([*kept, f"{self.name}={quote(proof, safe='')}"])
