"""A form (`application/x-www-form-urlencoded`), as a dialect reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.body import Unreadable, form_text
from gateway.codec.fields import unparsable
from gateway.http import Headers, Request

FORM_HEADERS: Headers = {"content-type": "application/x-www-form-urlencoded"}


def read_form(request: Request) -> Mapping[str, str]:
    """Every field by its whole name, in the order in which they came. Raises `Refused` (unparsable)."""
    said = request.form
    if isinstance(said, Unreadable):
        raise unparsable(said.message)
    return said


def write_form(fields: Mapping[str, str]) -> bytes:
    """In this order, as PHP writes it."""
    return form_text(fields.items()).encode()
