"""RSA: what verifies, what does not, and which half of a key each end has."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.auth import InHeader, Key, RsaSigned, raw_body
from gateway.http import Request
from gateway.model import Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "x-proof"
BODY = b'{"amount":125000}'


def private_pem(key: Any, password: bytes = b"") -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode())


def public_pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


SENDER, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
AUTH = RsaSigned(
    covers=raw_body, carried=lambda settings: InHeader(HEADER), demo=(public_pem(SENDER), private_pem(SENDER))
)
OURS = Key(id="ours", parts={"private_key": private_pem(SENDER)})
THEIRS = Key(id="theirs", parts={"public_key": public_pem(SENDER)})
STRANGER = Key(id="stranger", parts={"public_key": public_pem(OTHER)})


def post(body: bytes = BODY, proof: str = "") -> Request:
    return Request(method="POST", path="/bet", body=body, headers={HEADER: proof} if proof else {})


def test_what_one_end_signs_the_other_verifies() -> None:
    """By the key that it is, whichever of several, old and new; a blank around the proof is no part of it."""
    signed = AUTH.sign(post(), [OURS], None, NOW)
    assert AUTH.verify(signed, [STRANGER, THEIRS], None, NOW) == "theirs"
    assert AUTH.verify(signed.put((HEADER, f" {signed.header(HEADER)} ")), [THEIRS], None, NOW) == "theirs"
    assert AUTH.sign(post(), [OURS], None, NOW) == signed, "it is the same each time"


def other_hash() -> str:
    return base64.b64encode(SENDER.sign(BODY, padding.PKCS1v15(), SHA1())).decode()


def other_padding() -> str:
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)
    return base64.b64encode(SENDER.sign(BODY, pss, SHA256())).decode()


GOOD = AUTH.sign(post(), [OURS], None, NOW).header(HEADER)
FORGED = {
    "none": "",
    "no Base64": "!" * 344,
    "other letters": "é" * 344,
    "cut": GOOD[:-8],
    "twice": f"{GOOD}, {GOOD}",
    "in hex": base64.b64decode(GOOD).hex(),
    "another key's": base64.b64encode(OTHER.sign(BODY, padding.PKCS1v15(), SHA256())).decode(),
    "with SHA-1": other_hash(),
    "with another padding": other_padding(),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_does_not_verify(case: str) -> None:
    with pytest.raises(Refused, match="signature"):
        AUTH.verify(post(proof=FORGED[case]), [THEIRS], None, NOW)


def test_the_bytes_of_the_body_are_signed_and_not_what_they_say() -> None:
    for body in (b'{"amount": 125000}', BODY + b"\n", b'{"amount":125001}', b""):
        with pytest.raises(Refused, match="does not verify"):
            AUTH.verify(post(body, GOOD), [THEIRS], None, NOW)


def test_a_public_key_signs_nothing() -> None:
    """And says how the sender's signature came about."""
    with pytest.raises(Refused, match="signs nothing"):
        AUTH.sign(post(), [THEIRS], None, NOW)
    said = dict(AUTH.explain(post(), THEIRS, None))
    assert said["message 1"] == BODY.decode()
    assert dict(AUTH.explain(post(), OURS, None))["signature 1"] == GOOD


FAULTS = {
    "its own half": ("public_key", public_pem(SENDER), ""),
    "our half": ("private_key", private_pem(SENDER), ""),
    "a short key": ("public_key", public_pem(WEAK), "1024 bits"),
    "another kind of key": ("public_key", public_pem(CURVE), "no RSA key"),
    "another kind of ours": ("private_key", private_pem(CURVE), "no RSA key"),
    "a locked key": ("private_key", private_pem(SENDER, b"pw"), "without a password"),
    "the halves exchanged": ("private_key", public_pem(SENDER), "no private key"),
    "no key": ("public_key", "hello", "no public key"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_with_a_key_is_told_at_load(case: str) -> None:
    part, value, fault = FAULTS[case]
    found = AUTH.fault(part, value, None)
    assert (fault in found) if fault else found == ""


def test_each_end_has_its_half() -> None:
    assert [(part.name, part.secret, part.end) for part in AUTH.parts(None)] == [
        ("public_key", False, "provider"),
        ("private_key", True, "wallet"),
    ]
