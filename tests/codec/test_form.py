"""A web form: read once and exactly, written, signed; what is cut within a letter is passed on, and is no id."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.auth import InForm, Key, Signed, digest_of, filled_pairs
from gateway.body import Unreadable, fields_of
from gateway.codec.fields import Fields, write_form, write_query
from gateway.dialect import NoSettings
from gateway.http import FORM_HEADERS, Request
from gateway.model import Flaw, Reason, Refused
from gateway.vectors import DEFAULT_NOW
from tests.codec.test_fields import EXAMPLES

KEY = Key(id="k1", parts={"secret": "of-the-form"})
SIGNED = Signed(
    covers=filled_pairs(between="&", without="hash"),
    digest=digest_of("md5"),
    carried=InForm("hash"),
    demo="x",
    weak=True,
)
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name != "hash")


def of(body: bytes) -> Request:
    return Request(method="POST", path="/", headers=FORM_HEADERS, body=body)


def verified(body: bytes) -> str:
    return SIGNED.verify(of(body), [KEY], NoSettings(), DEFAULT_NOW)


def proof(signed: bytes) -> bytes:
    return hashlib.md5(signed + b"of-the-form").hexdigest().encode()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a", {"a": ""}),
        (b"&&a=1&", {"a": "1"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=+%2B+&b+c=%26%3D", {"a": " + ", "b c": "&="}),
        (b"a=100%&b=%zz&c=%4", {"a": "100%", "b": "%zz", "c": "%4"}),
        (b"a=caf%C3%A9&b=caf\xc3\xa9", {"a": "café", "b": "café"}),
        (b"a=caf%C3&b=1", {"a": b"caf\xc3", "b": "1"}),
        (b"a;b=1", {"a;b": "1"}),
        (b"A=1&a=2", {"A": "1", "a": "2"}),
    ],
)
def test_what_a_form_says(body: bytes, fields: dict[str, str | bytes]) -> None:
    found = of(body).form
    assert found == fields
    assert list(found) == list(fields)  # in their order: a dialect with lists wants it


@pytest.mark.parametrize(("body", "twice"), [(b"a=1&b=2&a=1", True), (b"a=1&%61=2", True), (b"%FF=1", False)])
def test_what_is_no_form(body: bytes, twice: bool) -> None:
    found = fields_of(body)
    assert isinstance(found, Unreadable)
    assert found.twice is twice
    with pytest.raises(Refused) as refused:
        Fields.of_form(of(body))
    assert (refused.value.reason, refused.value.flaw) == (Reason.INVALID_REQUEST, Flaw.UNPARSABLE)
    with pytest.raises(Refused) as unproved:
        verified(body + b"&hash=" + proof(b"a=1&b=2"))
    assert unproved.value.reason is Reason.BAD_SIGNATURE


@EXAMPLES
@given(st.dictionaries(NAMES, st.text(max_size=12), max_size=5))
@example({"a": "\x00", "b": "\U0001f3b0 &=+%"})
def test_what_is_written_is_read(fields: dict[str, str]) -> None:
    assert fields_of(write_form(fields)) == fields
    assert write_form(fields) == urlencode(fields).replace("~", "%7E").encode()


def test_it_is_written_as_php_writes_it() -> None:
    said = {"a[0][b]": "x y~z", "ä": "1-_.!'()*/%", "c": b"caf\xc3"}
    assert write_form(said) == b"a%5B0%5D%5Bb%5D=x+y%7Ez&%C3%A4=1-_.%21%27%28%29%2A%2F%25&c=caf%C3"


def test_half_a_surrogate_pair_is_still_written() -> None:
    assert write_form({"a": "Fruit \ud83c"}) == b"a=Fruit+%3F"


@EXAMPLES
@given(st.binary(max_size=60))
@example(b"a=%FF&b=%00&&=&a")
def test_any_body_is_read_or_refused(body: bytes) -> None:
    found = fields_of(body)
    if isinstance(found, Unreadable):
        return
    assert fields_of(write_form(found)) == found
    assert {name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in found.items()} == {
        a.encode("latin-1"): b.encode("latin-1")
        for a, b in parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    }


# ---------------------------------------------------------------- fields


def test_bytes_that_are_no_text_are_no_id_and_no_amount_and_still_a_description() -> None:
    fields = Fields.of_form(of(b"a=R%FF&b=12.5%FF&note=caf%C3"))
    for read in (fields.id, fields.text, fields.decimal):
        with pytest.raises(Refused) as refused:
            read("a" if read != fields.decimal else "b")
        assert refused.value.flaw is Flaw.INVALID
    assert fields.opaque("note") == {"note": "caf\ufffd"}
    assert fields.unknown(frozenset()) == {}


def test_an_id_that_only_describes_is_blank_where_it_is_none() -> None:
    fields = Fields({"long": "x" * 129, "none": None, "zero": "a\x00", "list": [], "blank": " ", "good": "7"})
    assert [fields.id_if_any(name) for name in ("long", "none", "zero", "list", "blank", "missing", "good")] == [
        *[""] * 6,
        "7",
    ]


# ---------------------------------------------------------------- the proof in it


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        (b"b=2&a=1", b"a=1&b=2"),
        (b"b=2&a=1&c=", b"a=1&b=2"),  # empty fields are not signed
        (b"b=free+spin&a=%26%3D", b"a=&=&b=free spin"),  # as decoded
        (b"a=1&B=2&%C3%A9=3", "B=2&a=1&é=3".encode()),  # by bytes: capitals first
        (b"a=caf%C3&b=1", b"a=caf\xc3&b=1"),
        (b"", b""),
    ],
)
def test_what_is_signed(body: bytes, signed: bytes) -> None:
    assert verified(body + b"&hash=" + proof(signed)) == "k1"
    assert SIGNED.sign(of(body), [KEY], NoSettings(), DEFAULT_NOW).form == {
        **dict(of(body).form),  # type: ignore[arg-type]  # each of these can be read
        "hash": proof(signed).decode(),
    }


@pytest.mark.parametrize(
    "body", [b"a=1", b"a=1&hash=", b"a=1&hash=%FF", b"a=1&hash=x", b"hash=" + proof(b"a=2") + b"&a=1"]
)
def test_what_does_not_verify(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        verified(body)
    assert refused.value.reason is Reason.BAD_SIGNATURE


def test_signing_again_replaces_the_proof() -> None:
    once = SIGNED.sign(of(b"hash=old&a=1"), [KEY], NoSettings(), DEFAULT_NOW)
    assert once.body == b"a=1&hash=" + proof(b"a=1")
    assert SIGNED.sign(once, [KEY], NoSettings(), DEFAULT_NOW) == once


# ---------------------------------------------------------------- a query


def test_a_query_is_read_as_a_form_is() -> None:
    """Its names as they stand; in any case where they are given, and then two that differ by nothing else are refused."""
    asked = Request(method="GET", path="/", query="betAmount=1%2E5&Caf=%C3%A9")
    assert Fields.of_query(asked).raw == {"betAmount": "1.5", "Caf": "é"}
    assert Fields.of_query(asked, {"betamount": "bet", "caf": "caf"}).raw == {"bet": "1.5", "caf": "é"}
    for query, spelled in (("a=1&A=2", {"a": "a"}), ("a=1&a=2", None)):
        with pytest.raises(Refused):
            Fields.of_query(Request(method="GET", path="/", query=query), spelled)
    assert Fields.of_query(Request(method="GET", path="/", query="a=1&A=2")).raw == {"a": "1", "A": "2"}


def test_a_query_is_written_without_a_plus_for_a_blank() -> None:
    assert write_query({"a b": "c d+~é"}) == "a%20b=c%20d%2B~%C3%A9"
