"""A digest whose holder is named beside it, as fields of the call, in JSON and in SOAP."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.auth import InCall, Key, Named, Part, hmac_of, upper_hex
from gateway.http import Request
from gateway.model import Flaw, Reason, Refused
from gateway.xml import enveloped, soap_of, written

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = (Key(id=name, parts={"who": "acme", "secret": f"s-{name}"}) for name in ("old", "new"))
OTHER = Key(id="other", parts={"who": "else", "secret": "s-other"})


def covers(request: Request, settings: Any) -> Iterable[bytes]:
    fields = request.soap[1] if isinstance(request.soap, tuple) else request.said
    yield f"{fields['who']}|{fields['a']}".encode()


AUTH = Named(
    holder=Part("who", secret=False, demo="acme"), named=InCall("who"), covers=covers, digest=hmac_of("sha256"),
    carried=InCall("proof", upper_hex), demo="s",
)  # fmt: skip


def proof(key: Key, a: str = "1", who: str = "") -> str:
    message = f"{who or key.part('who')}|{a}".encode()
    return hmac.new(key.part("secret").encode(), message, hashlib.sha256).hexdigest().upper()


def in_json(**fields: Any) -> Request:
    return Request(method="POST", path="/do", body=json.dumps(fields).encode())


def in_soap(**fields: Any) -> Request:
    return Request(method="POST", path="/", body=written(enveloped("Do", fields, "u:1")))


FORMS = pytest.mark.parametrize("form", [in_json, in_soap])


def why(request: Request) -> Refused:
    with pytest.raises(Refused) as refused:
        AUTH.verify(request, (OLD, NEW, OTHER), None, NOW)
    return refused.value


@FORMS
def test_any_key_of_its_holder_verifies(form: Any) -> None:
    for key in (OLD, NEW, OTHER):
        request = form(who=key.part("who"), proof=proof(key), a="1")
        assert AUTH.verify(request, (OLD, NEW, OTHER), None, NOW) == key.id


@FORMS
def test_nobodys_name_is_not_authenticated_and_a_wrong_proof_a_bad_signature(form: Any) -> None:
    for fields in ({}, {"who": ""}, {"who": "ACME"}, {"who": "acme "}, {"who": "nobody"}):
        refused = why(form(proof=proof(OLD), a="1", **fields))
        assert (refused.reason, refused.field) == (Reason.NOT_AUTHENTICATED, "who")
    for given in ({}, {"proof": ""}, {"proof": proof(OLD, "2")}, {"proof": proof(OLD).lower()}):
        assert why(form(who="acme", a="1", **given)).reason is Reason.BAD_SIGNATURE
    # The secret of another holder proves nothing, whatever it signs.
    for said in ("acme", "else"):
        assert why(form(who="acme", a="1", proof=proof(OTHER, who=said))).reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"{", b'{"who":"acme","who":"acme"}', b"<a/>", b"<", b"<!DOCTYPE a><a/>"]
)
def test_a_body_that_cannot_be_read_is_no_forgery(body: bytes) -> None:
    refused = why(Request(method="POST", path="/do", body=body))
    assert (refused.reason, refused.flaw) == (Reason.INVALID_REQUEST, Flaw.UNPARSABLE)


def test_a_holder_may_be_a_number_and_is_none_of_the_other_forms() -> None:
    seven = Key(id="seven", parts={"who": "7", "secret": "s"})
    request = in_json(who=7, proof=proof(seven), a="1")
    assert AUTH.verify(request, (seven,), None, NOW) == "seven"
    for odd in (True, None, [7], {"who": "7"}):
        with pytest.raises(Refused) as refused:
            AUTH.verify(in_json(who=odd, proof=proof(seven), a="1"), (seven,), None, NOW)
        assert refused.value.reason is Reason.NOT_AUTHENTICATED


@FORMS
def test_what_we_sign_we_verify_and_nothing_else_changes(form: Any) -> None:
    signed = AUTH.sign(form(who="", proof="", a="1", b="x"), (NEW, OLD), None, NOW)
    assert AUTH.verify(signed, (OLD, NEW), None, NOW) == "new"
    said = {"who": "acme", "proof": proof(NEW), "a": "1", "b": "x"}
    if form is in_json:
        assert signed.said == said
    else:
        found = soap_of(signed.body)
        assert isinstance(found, tuple)
        assert (found[0], list(found[1].items())) == ("Do", [("@xmlns", "u:1"), *said.items()])  # in its place


def test_both_parts_make_a_key() -> None:
    assert [(part.name, part.secret) for part in AUTH.parts(None)] == [("who", False), ("secret", True)]
    assert not AUTH.weak(None)
