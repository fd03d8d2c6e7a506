"""What stands in a query: a secret as it is, and the values that a proof in a header covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.auth import (
    InHeader,
    Key,
    OneOf,
    Part,
    Signed,
    StaticQuery,
    Unsigned,
    base64_bytes,
    base64_text,
    hmac_of,
    query_values,
    raw_target,
)
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


# ---------------------------------------------------------------- what a proof covers

VALUES = Signed(
    covers=query_values(without="call", sorted_as={"oldgame": "game"}),
    digest=hmac_of("sha256"),
    carried=InHeader("x-proof"),
    demo="demo",
)
TARGET = Signed(
    covers=raw_target,
    digest=hmac_of("sha256", key_of=base64_bytes),
    carried=InHeader("authorization", base64_text, before="HMAC Signature="),
    demo="ZGVtbw==",
)
EITHER = OneOf(str, {"values": VALUES, "target": TARGET}, unproved="none")
DEMO, DEMO_64 = Key(id="demo", parts={"secret": "demo"}), Key(id="demo", parts={"secret": "ZGVtbw=="})


def covered(query: str) -> bytes:
    (message,) = query_values(without="call", sorted_as={"oldgame": "game"})(asked(query), None)
    return message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("call=bet&b=2&a=1", b"12"),
        ("CALL=bet&b=2&a=1", b"12"),
        ("b=2&B=3&a=1", b"312"),  # capitals come first: the names as they were sent, in byte order
        ("amount=1&oldgame=9&round=2", b"192"),  # where `game` would stand
        ("a=x%2Dy+z&b=%C3%A9", "x-y z\u00e9".encode()),  # decoded once
        ("a=x%252Dy", b"x%2Dy"),
        ("a=&b=2", b"2"),
        ("a=%ff", b"\xff"),
        ("", b""),
    ],
)
def test_values_are_joined_in_the_order_of_their_names(query: str, message: bytes) -> None:
    assert covered(query) == message


def test_a_field_that_stands_twice_is_signed_by_nobody() -> None:
    """Nobody knows which one is meant."""
    with pytest.raises(Refused) as refused:
        covered("a=1&a=1")
    assert refused.value.reason is Reason.BAD_SIGNATURE


def test_the_form_of_the_proof_is_what_the_settings_say() -> None:
    """What one form proves proves nothing under another; none is weak, has no key, and lets everything pass."""
    call = Request(method="GET", path="/", query="call=bet&a=1", target="/acme?call=bet&a=1")
    for word, key, other in (("values", DEMO, "target"), ("target", DEMO_64, "values")):
        signed = EITHER.sign(call, (key,), word, NOW)
        assert EITHER.verify(signed, (key,), word, NOW) == "demo"
        assert not EITHER.weak(word)
        for changed in (
            call,
            Request(**{name: getattr(signed, name) for name in ("method", "path", "headers")}, query="a=2"),
        ):
            with pytest.raises(Refused):
                EITHER.verify(changed, (key,), word, NOW)
        with pytest.raises(Refused):
            EITHER.verify(signed, (DEMO, DEMO_64), other, NOW)
    assert EITHER.parts("none") == ()
    assert EITHER.weak("none")
    assert EITHER.verify(call, (), "none", NOW) == ""
    assert EITHER.sign(call, (), "none", NOW) == call


def test_a_key_that_is_no_base64_proves_and_signs_nothing() -> None:
    call = Request(method="GET", path="/", query="a=1")
    for use in (TARGET.sign, TARGET.verify):
        with pytest.raises(Refused) as refused:
            use(call.put(("authorization", "HMAC Signature=x")), (Key(id="k", parts={"secret": "?"}),), None, NOW)
        assert refused.value.reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("said", "read"), [("HMAC Signature=x", "x"), ("hmac signature= x ", "x"), ("x", ""), ("", "")]
)
def test_a_proof_stands_behind_its_word(said: str, read: str) -> None:
    assert InHeader("authorization", before="HMAC Signature=").read(asked("").put(("authorization", said))) == read


def test_a_word_that_is_used_once_is_that_of_the_form_which_is_asked_for() -> None:
    """*It was nobody's: another body under a known nonce was let through.*"""

    class Worded(Unsigned):
        def once(self, request: Request, settings: Any) -> tuple[str, bytes]:
            return "word", request.body

    either, call = OneOf(str, {"worded": Worded()}, unproved="none"), Request(method="POST", path="/", body=b"a=1")
    assert either.once(call, "worded") == ("word", b"a=1")
    assert either.once(call, "none") == ("", b"")
