"""A secret that stands in the query, as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.auth import Key, Part, StaticQuery
from gateway.http import Request
from gateway.model import Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUTH = StaticQuery(Part("api_key", demo="demo"), "authToken")
OLD, NEW = Key(id="old", parts={"api_key": "k-old"}), Key(id="new", parts={"api_key": "k+new/&= ü"})


def asked(query: str) -> Request:
    return Request(method="POST", path="/balance", query=query)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("authToken=k-old", "old"),
        ("x=1&authToken=k-old&y=2", "old"),
        ("authToken=k%2Dold", "old"),
        ("authToken=k+new%2F%26%3D%20%C3%BC", "new"),
    ],
)
def test_any_key_verifies_however_it_is_encoded(query: str, key: str) -> None:
    """A library may encode more than it must; what it means is the same key."""
    assert AUTH.verify(asked(query), (OLD, NEW), None, NOW) == key


@pytest.mark.parametrize(
    "query",
    [
        "", "authToken", "authToken=", "authtoken=k-old", "token=k-old", "authToken=k-ol", "authToken=k-old2",
        "authToken=%ff", "authToken=k-old&authToken=k-old", "authToken=k-old&authToken=x", "authToken=\ud800",
    ],
)  # fmt: skip
def test_another_key_two_of_them_or_none_is_refused(query: str) -> None:
    """With its part named: which of a key's proofs failed is counted."""
    with pytest.raises(Refused) as refused:
        AUTH.verify(asked(query), (OLD, NEW), None, NOW)
    assert (refused.value.reason, refused.value.field) == (Reason.BAD_SIGNATURE, "api_key")


def test_no_key_is_live() -> None:
    """Then nobody may call, and nobody is let in by an empty one."""
    with pytest.raises(Refused):
        AUTH.verify(asked("authToken=k-old"), (), None, NOW)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(secret=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40))
def test_what_we_send_we_verify(secret: str) -> None:
    """Whatever stands in the key, beside a query that was there."""
    key = Key(id="k", parts={"api_key": secret})
    request = AUTH.sign(asked("x=1"), (key,), None, NOW)
    assert request.query.startswith("x=1&authToken=")
    assert AUTH.verify(request, (OLD, key), None, NOW) == "k"


def test_how_it_came_about_is_told_without_the_key() -> None:
    """`gateway sign --explain` is shown to people."""
    assert "k-old" not in str(AUTH.explain(asked("authToken=k-old"), OLD, None))
