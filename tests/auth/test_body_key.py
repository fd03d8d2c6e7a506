"""A secret that stands in a body, as it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.auth import Key, Part, StaticBody
from gateway.http import Request
from gateway.model import Flaw, Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUTH = StaticBody(Part("secret", demo="demo"), "key")
OLD, NEW = Key(id="old", parts={"secret": "k-old"}), Key(id="new", parts={"secret": 'k"new ü'})


def asked(body: str) -> Request:
    return Request(method="POST", path="/balance", body=body.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("body", "key"), [('{"key":"k-old","a":1}', "old"), ('{"a":1,"key":"k\\"new \\u00fc"}', "new")]
)
def test_any_key_verifies_however_it_is_escaped(body: str, key: str) -> None:
    """What it means is the same key."""
    assert AUTH.verify(asked(body), (OLD, NEW), None, NOW) == key


@pytest.mark.parametrize("given", ["k-ol", "k-old2", "K-OLD", " k-old", "\u0000", "ключ"])
def test_another_key_is_a_forgery(given: str) -> None:
    """With its part named: which of a key's proofs failed is counted."""
    for keys in ((OLD, NEW), ()):
        with pytest.raises(Refused) as refused:
            AUTH.verify(asked(json.dumps({"key": given})), keys, None, NOW)
        assert (refused.value.reason, refused.value.field) == (Reason.BAD_SIGNATURE, "secret")


def refusal(body: str) -> tuple[Reason, str, Flaw]:
    with pytest.raises(Refused) as refused:
        AUTH.verify(asked(body), (OLD, NEW), None, NOW)
    return refused.value.reason, refused.value.field, refused.value.flaw


@pytest.mark.parametrize(
    "body",
    ["{}", '{"key":""}', '{"key":null}', '{"key":5}', '{"key":["k-old"]}', '{"Key":"k-old"}', '{"a":{"key":"k-old"}}'],
)
def test_no_key_is_a_missing_field(body: str) -> None:
    """A page tells the two apart."""
    assert refusal(body) == (Reason.INVALID_REQUEST, "key", Flaw.MISSING)


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "{", "key=k-old", '{"key":"x","key":"k-old"}', '{"key":"k-old","a":1,"a":2}']
)
def test_a_body_that_nobody_can_read_is_no_forgery(body: str) -> None:
    """Also where a name stands twice: nobody knows which one is meant."""
    assert refusal(body) == (Reason.INVALID_REQUEST, "request_body", Flaw.UNPARSABLE)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(secret=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40))
def test_what_we_send_we_verify(secret: str) -> None:
    """Whatever stands in the key, beside the fields that were there."""
    key = Key(id="k", parts={"secret": secret})
    request = AUTH.sign(asked('{"amount":"2.50","n":1.10}'), (key,), None, NOW)
    assert b'"amount":"2.50","n":1.10' in request.body
    assert AUTH.verify(request, (OLD, key), None, NOW) == "k"


def test_how_it_came_about_is_told_without_the_key() -> None:
    """`gateway sign --explain` is shown to people."""
    assert "k-old" not in str(AUTH.explain(asked('{"key":"k-old"}'), OLD, None))


def test_half_an_emoji_is_signed_as_it_stood() -> None:
    """A sample of a text that was cut within one ended `gateway sign` in a traceback, and so did one that is no object."""
    signed = AUTH.sign(asked('{"a":"Fruit \\ud83c", "n":1.50,"key":"old"}'), (NEW,), None, NOW)
    assert signed.body == '{"a":"Fruit \\ud83c","n":1.50,"key":"k\\"new ü"}'.encode()
    assert AUTH.verify(signed, (NEW,), None, NOW) == "new"
    for body in ("[]", "key=k", '"key"'):
        with pytest.raises(Refused) as refused:
            AUTH.sign(asked(body), (NEW,), None, NOW)
        assert refused.value.flaw is Flaw.UNPARSABLE
