"""XML: read once and exactly, written as it is read, never expanded; SOAP around it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import Unreadable
from gateway.codec.fields import Fields
from gateway.http import Request, Response
from gateway.model import Flaw, Reason, Refused
from gateway.xml import DEPTH_MAX, MARKS_MAX, SOAP, SPACE, enveloped, parsed, sayable, soap_of, written

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<a/>", {"a": ""}),
        ("<a><b>1</b><c> x </c></a>", {"a": {"b": "1", "c": " x "}}),
        ("<a>\n  <b>1</b>\n</a>", {"a": {"b": "1"}}),
        ("<a><b>1</b><b>2</b><b>3</b></a>", {"a": {"b": ["1", "2", "3"]}}),
        (f"<a {XSI}><b xsi:nil='true'/><c xsi:nil='1'>x</c><d xsi:nil='false'/></a>", {"a": {"b": None, "c": None, "d": ""}}),
        ("<a><b id='7'>x</b></a>", {"a": {"b": "x"}}),
        ("<n:a xmlns:n='u:1'><n:b>1</n:b></n:a>", {"a": {SPACE: "u:1", "b": "1"}}),
        ("<n:a xmlns:n='u:1'><b><c/></b></n:a>", {"a": {SPACE: "u:1", "b": {SPACE: "", "c": ""}}}),
        ("<a><b><![CDATA[<&>]]>&lt;&amp;&#x31;<!-- no --><?no?>2</b></a>", {"a": {"b": "<&><&12"}}),
        ("<?xml version='1.0' encoding='iso-8859-1'?><a>\xfc</a>", {"a": "\xfc"}),
    ],
)  # fmt: skip
def test_what_xml_says(body: str, said: Any) -> None:
    assert parsed(body.encode("latin-1")) == said


def test_other_encodings_are_read_by_their_mark() -> None:
    assert parsed('<?xml version="1.0" encoding="utf-16"?><a>\u0416</a>'.encode("utf-16")) == {"a": "\u0416"}
    assert parsed("\ufeff<a>\u0416</a>".encode()) == {"a": "\u0416"}


BOMB = "<!DOCTYPE a [<!ENTITY x 'ha'>" + "".join(f"<!ENTITY x{n} '&x;&x;'>" for n in range(3)) + "]><a>&x2;</a>"


@pytest.mark.parametrize(
    "body",
    [
        "", " ", "<", "<a>", "<a></b>", "<a/><b/>", "text", "{}", "<a>&x;</a>", "<a b=1/>", "<a>\x00</a>", "<a>&#0;</a>", BOMB,
        "<!DOCTYPE a><a/>", "<!DOCTYPE a SYSTEM 'http://example.invalid/a.dtd'><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>", "<!DOCTYPE a [<!ENTITY % x SYSTEM 'u:'> %x;]><a/>",
        "<a xmlns:n='u:1'><m:b/></a>", "<?xml version='1.0' encoding='no-such'?><a/>", "<?xml version='1.0' encoding='utf-7'?><a/>",
        "<a>" * (DEPTH_MAX + 1) + "</a>" * (DEPTH_MAX + 1), "<a>" * 100_000, "<a>" + "<b/>" * MARKS_MAX + "</a>",
        "<a " + " ".join(f"a{n}='1'" for n in range(MARKS_MAX + 1)) + "/>",
    ],
)  # fmt: skip
def test_what_is_no_xml_or_declares_something_is_not_read(body: str) -> None:
    assert isinstance(parsed(body.encode()), Unreadable)


def test_bytes_that_are_no_text_are_not_read() -> None:
    for body in (b"<a>\xff</a>", b"\xff\xfe<", b"<\xff/>"):
        assert isinstance(parsed(body), Unreadable)


def test_it_is_written_as_it_is_read() -> None:
    fields = {"a": {SPACE: "u:1", "b": "<&>\"'", "c": {"d": "1"}, "e": ["2", "3"], "f": ""}}
    body = written(fields)
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?><a xmlns="u:1"><b>&lt;&amp;&gt;')
    assert body.endswith(b"<c><d>1</d></c><e>2</e><e>3</e><f></f></a>")
    assert parsed(body) == fields
    assert parsed(written({"a": {"n": Decimal("1E+2"), "m": 7, "gone": None}})) == {"a": {"n": "100", "m": "7"}}


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


@given(TEXTS)
def test_a_text_comes_back_as_it_went_or_is_not_written(text: str) -> None:
    if sayable(text) == text:
        assert parsed(written({"a": {"b": text}})) == {"a": {"b": text}}
    else:
        with pytest.raises(Refused) as refused:
            written({"a": {"b": text}})
        assert refused.value.reason is Reason.UNSUPPORTED
    assert parsed(written({"a": {"b": sayable(text)}})) == {"a": {"b": sayable(text)}}


@given(
    st.binary(max_size=60) | st.text(max_size=40).map(lambda text: f"<a>{text}</a>".encode("utf-8", "surrogatepass"))
)
def test_nothing_leaves_the_reader(body: bytes) -> None:
    assert isinstance(parsed(body), dict | Unreadable)
    assert isinstance(soap_of(body), tuple | Unreadable)


# ---------------------------------------------------------------- SOAP


def test_a_soap_message_is_its_one_call() -> None:
    fields = {SPACE: "u:1", "a": "1", "b": ""}
    assert soap_of(written(enveloped("Do", {"a": "1", "b": ""}, "u:1"))) == ("Do", fields)
    headed = f"<s:Envelope xmlns:s='{SOAP}'><s:Header><x/><x/></s:Header><s:Body><Do/></s:Body></s:Envelope>"
    assert soap_of(headed.encode()) == ("Do", {})


@pytest.mark.parametrize(
    ("inner", "twice"), [("<Do/><Do/>", True), ("<Do/><Undo/>", False), ("", False), ("text", False)]
)
def test_a_body_of_none_or_several_calls_is_no_message(inner: str, twice: bool) -> None:
    found = soap_of(f"<Envelope xmlns='{SOAP}'><Body>{inner}</Body></Envelope>".encode())
    assert isinstance(found, Unreadable)
    assert found.twice is twice


@pytest.mark.parametrize(
    "body", ["<Body><Do/></Body>", "<Envelope/>", "<Envelope><Body/><Body/></Envelope>", "<Do/>", "x"]
)
def test_what_is_no_envelope_is_no_message(body: str) -> None:
    assert isinstance(soap_of(body.encode()), Unreadable)
    with pytest.raises(Refused) as refused:
        Fields.of_soap(Response(body=body.encode()))
    assert (refused.value.reason, refused.value.flaw) == (Reason.INVALID_REQUEST, Flaw.UNPARSABLE)


def test_fields_are_read_from_soap_as_from_json() -> None:
    body = written(enveloped("Do", {"id": "7", "amount": "2.50", "two": ["1", "2"], "in": {"x": "y"}}, "u:1"))
    fields = Fields.of_soap(Request(method="POST", path="/", body=body))
    assert (fields.id("id"), fields.decimal("amount"), fields.object("in").text("x")) == (
        "7",
        (Decimal("2.50"), False),
        "y",
    )
    with pytest.raises(Refused):
        fields.text("two")


@pytest.mark.parametrize(
    ("content_type", "body", "xml"),
    [
        ("text/xml", b"{}", True), ("Text/XML; charset=utf-8", b"", True), ("application/json", b"{}", False), ("", b"<a/>", True),
        ("", b"\xef\xbb\xbf \r\n<a/>", True), ("", b"", False), ("text/plain", b"a<b", False),
    ],
)  # fmt: skip
def test_what_is_taken_for_xml(content_type: str, body: bytes, xml: bool) -> None:
    headers = {"content-type": content_type}
    assert Request(method="POST", path="/", headers=headers, body=body).in_xml is xml
    assert Response(headers=headers, body=body).in_xml is xml
