"""The law of descriptions finds, in each medium, an author who reads one as strictly as money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.body import Unreadable
from gateway.codec.fields import Fields
from gateway.dialect import Call
from gateway.http import Request
from gateway.laws.calls import heard_by
from gateway.laws.descriptions import IN_JSON, stopped
from gateway.laws.subjects import dialect_of
from gateway.model import Reason, Refused, Transaction


def in_params(request: Request) -> Mapping[str, Any]:
    assert isinstance(request.xml, tuple)
    found: Mapping[str, Any] = request.xml[1]["params"]
    return found


def in_query(request: Request) -> Mapping[str, Any]:
    assert not isinstance(request.asked, Unreadable)
    return request.asked


def in_form(request: Request) -> Mapping[str, Any]:
    assert not isinstance(request.form, Unreadable)
    return request.form


STRICT: dict[str, tuple[str, str, str, Callable[[Request], Mapping[str, Any]], set[str]]] = {
    "JSON": (
        "kyren", "Result", "gameName", lambda request: Fields.of(request).raw,
        {*IN_JSON} - {"blank", "a time"},
    ),
    "a form": (
        "pragmatic_play", "result", "roundDetails", in_form,
        {"300 letters", "half an emoji", "half an emoji in UTF-16", "letters in Latin-1", "bytes as they are", "a zero byte",
         "control characters"},
    ),
    "a query": (
        "groove", "result", "device", in_query,
        {"300 letters", "half an emoji", "half an emoji in UTF-16", "letters in Latin-1", "bytes as they are", "a zero byte",
         "control characters"},
    ),
    "XML": (
        "betgames", "transaction_bet_payout", "bet_time", in_params,
        {"300 letters", "control characters", "null", "an object", "text and elements", "twice"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("medium", STRICT)
def test_a_description_that_is_read_strictly_is_told(medium: str) -> None:
    """With its name and each form that stops a win, and no others."""
    name, call_name, field, said, forms = STRICT[medium]
    dialect = dialect_of(name)

    def strictly(request: Request, call: Call) -> Transaction:
        found = said(request).get(field, "")
        if call.name == call_name and (type(found) is not str or len(found) > 64 or not found.isprintable()):
            raise Refused(Reason.INVALID_REQUEST, "is no short text", field=field)
        return dialect.decode_request(request, call)

    assert stopped(dialect, heard_by(name)) == []
    told = stopped(replace(dialect, decode_request=strictly), heard_by(name))
    assert {wrong.partition(": ")[2].rpartition(".")[2] for wrong in told} == {f"{field} as {form}" for form in forms}
