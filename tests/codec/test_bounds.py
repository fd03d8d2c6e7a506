"""What a body may hold before anybody has proved who sent it."""

from __future__ import annotations

import json

import pytest

from gateway.auth.bounds import IN_TEXTS, too_many_values

MOST = 10
FEW = {f"field-{number}": number for number in range(MOST)}


def body(fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    "few",
    [
        b"",
        b"a,form,body" + b",," * 50 + b"&" * (MOST - 1),
        b"<xml>" + b"," * 50 + b"</xml>",
        body(FEW),
        body({**dict(list(FEW.items())[1:]), "name": "Ace, King, Queen" * 20}),
        body({"detail": '{"of": [1, 2, 3, "a text with \\"quotes\\", and commas"]}' * 20}),
        body({"list": list(range(MOST))}),
    ],
)
def test_what_a_call_holds_is_let_through(few: bytes) -> None:
    """A player's win is not refused because its game has a name with commas, or a detail that is JSON itself."""
    assert not too_many_values(few, MOST)
    assert not too_many_values(few * 3, 0), "a dialect that has seen the proof minds nothing"


@pytest.mark.parametrize(
    "many",
    [
        body({**FEW, "one more": 1}),
        body({"list": list(range(MOST + 1))}),
        body({"object": {"name": "x", **FEW, "one more": 1}}),
        body({"lists": [[number] for number in range(MOST + 1)]}),
        body(list(range(MOST + 1))),
        b"{" + b",".join(b'"a":1' for _ in range(MOST + 1)) + b"}",
        b"{" + b'"a":1,' * MOST,
        b" \n" + body({str(number): "," for number in range(MOST + 1)}),
        body({"text": "," * (IN_TEXTS + MOST + 1)}),
    ],
)
def test_more_than_any_call_holds_is_not_read(many: bytes) -> None:
    """However it is spelt: many fields, a long list, one field again and again, an end that never comes."""
    assert too_many_values(many, MOST)
