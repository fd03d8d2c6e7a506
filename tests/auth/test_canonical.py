"""A query that is signed as one canonical JSON object (RFC 8785)."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.auth import canonical_query
from gateway.http import Request
from gateway.model import Flaw, Reason, Refused

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


def signed(query: str) -> str:
    (message,) = canonical_query(Request(method="GET", path="/balance", query=query), None)
    return message.decode()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "{}"),
        ("a=1", '{"a":"1"}'),
        ("b=2&a=1&Z=&c", '{"Z":"","a":"1","b":"2","c":""}'),
        ("a=s%C3%A9%3C41%3E", '{"a":"sé<41>"}'),
        ("a=s\u00c3\u00a9", '{"a":"sé"}'),  # raw bytes beyond ASCII, as a server reads a target
        ("a=+%2B%20", '{"a":" + "}'),
        ("a=%22%5C%2F%08%0C%0A%0D%09%01%1F%7F", '{"a":"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"}'),
        # RFC 8785, 3.2.3: by UTF-16 code unit, so a letter beyond the first 65,536 stands before U+FB00
        ("%EF%AC%80=1&%F0%9F%98%80=2&%E2%82%AC=3", '{"\u20ac":"3","\U0001f600":"2","\ufb00":"1"}'),
        ("a=%E2%80%A8", '{"a":"\u2028"}'),
    ],
)
def test_it_is_canonical(query: str, text: str) -> None:
    """By hand from the RFC: its example of the order of keys, and what it escapes."""
    assert signed(query) == text


@pytest.mark.parametrize("query", ["a=1&a=2", "a=1&b=2&a=1", "a=1&%61=1", "a=%FF", "%FF=1", "a=%ED%A0%80"])
def test_what_nobody_can_sign_is_unreadable(query: str) -> None:
    """It is no forgery: the sender is told that its query cannot be read."""
    with pytest.raises(Refused) as refused:
        signed(query)
    assert (refused.value.reason, refused.value.flaw) == (Reason.INVALID_REQUEST, Flaw.UNPARSABLE)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_it_says_what_the_query_says(fields: dict[str, str]) -> None:
    """Whatever is asked, the text that is signed is JSON of exactly that."""
    assert json.loads(signed(urlencode(fields))) == fields
