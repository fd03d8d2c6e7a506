"""A digest over values of the query in the order of a page's list, carried there as one more field; names have no case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

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
