"""A digest over listed values of the query, carried there, too."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.auth import InQuery, Key, Signed, digest_of, listed_values
from gateway.body import form_text
from gateway.http import Request
from gateway.model import Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUTH = Signed(
    covers=listed_values(lambda request: ("userId", "Amount")), digest=digest_of("md5"), carried=InQuery("hash"),
    demo="demo",
)  # fmt: skip
OLD, NEW = Key(id="old", parts={"secret": "k-old"}), Key(id="new", parts={"secret": "k-new"})


def asked(query: str) -> Request:
    return Request(method="GET", path="/a", query=query, target=f"/p/a?{query}")


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "query",
    [
        "userId=p-1&Amount=2.50&hash=", "Amount=2.50&x=9&userId=p-1&hash=", "USERID=p-1&amount=2.50&Hash=",
        "userId=p%2D1&Amount=2%2e50&hash=", "userId=p-1&Amount=2.50&&hash=",
    ],
)  # fmt: skip
def test_values_are_signed_decoded_in_the_order_of_the_list(query: str) -> None:
    """Whatever the order, the case of the names, the encoding and what else stands there."""
    for key in (OLD, NEW):
        assert AUTH.verify(asked(query + md5(f"p-12.50{key.part('secret')}")), (OLD, NEW), None, NOW) == key.id


@pytest.mark.parametrize(
    "query",
    [
        "", "userId=p-1&Amount=2.50", "userId=p-1&Amount=2.50&hash=", "userId=p-1&Amount=2.5&hash={}",
        "userId=p-1&Amount=2.50&hash={}&HASH={}", "userId=p-1&userId=p-1&Amount=2.50&hash={}",
        "userId=p-1&USERID=p-1&Amount=2.50&hash={}", "%ff=1&userId=p-1&Amount=2.50&hash={}",
        "userId=p-1&Amount=2.50&hash=%ff",
    ],
)  # fmt: skip
def test_what_was_not_signed_or_stands_twice_is_refused(query: str) -> None:
    with pytest.raises(Refused) as refused:
        AUTH.verify(asked(query.replace("{}", md5("p-12.50k-old"))), (OLD,), None, NOW)
    assert refused.value.reason is Reason.BAD_SIGNATURE


def test_the_proof_stands_in_the_query_and_in_the_target() -> None:
    """Once: a sample that is signed again carries the new one only."""
    said = f"userId=p-1&Amount=2.50&hash={md5('p-12.50k-old')}"
    signed = AUTH.sign(asked("userId=p-1&Amount=2.50"), (OLD,), None, NOW)
    assert (signed.query, signed.target) == (said, f"/p/a?{said}")
    assert AUTH.sign(AUTH.sign(asked("userId=p-1&Amount=2.50"), (NEW,), None, NOW), (OLD,), None, NOW) == signed
    bare = AUTH.sign(Request(method="GET", path="/a"), (OLD,), None, NOW)
    assert (bare.query, bare.target) == (f"hash={md5('k-old')}", "")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(values=st.tuples(st.text(max_size=20), st.text(max_size=20)))
def test_what_we_send_we_verify(values: tuple[str, str]) -> None:
    query = form_text(zip(("userId", "Amount"), values, strict=True))
    signed = AUTH.sign(asked(query), (OLD,), None, NOW)
    assert AUTH.verify(signed, (NEW, OLD), None, NOW) == "old"
    other = form_text([("userId", values[0] + "x"), ("Amount", values[1])])
    with pytest.raises(Refused):
        AUTH.verify(replace(signed, query=f"{other}&hash={md5('x')}"), (OLD,), None, NOW)
