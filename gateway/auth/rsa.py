"""RSA signatures: RSASSA-PKCS1-v1_5 with SHA-256. Each end has its half of the key: who calls us gave its public one,
what we send is signed with our private one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256  # others than SHA-256: to tell a mistake by
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from gateway.auth.keys import Key
from gateway.auth.scheme import Auth, InHeader, Part, bad_signature, base64_text
from gateway.auth.steps import Cover, Proof
from gateway.http import Request

PUBLIC, PRIVATE = "public_key", "private_key"
BITS_LEAST = 2048  # fewer are within reach of who wants to forge bets


class RsaSigned(Auth):
    """One signature over what is covered, Base64 in a header, whose name may hang on the settings."""

    def __init__(self, *, covers: Cover, carried: Callable[[Any], InHeader], demo: tuple[str, str]) -> None:
        self._covers, self._carried = covers, carried
        public, private = demo
        self._parts = (
            Part(PUBLIC, secret=False, demo=public, end="provider"),
            Part(PRIVATE, demo=private, end="wallet"),
        )

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def fault(self, part: str, value: str, settings: Any) -> str:
        try:
            size = (_public(value) if part == PUBLIC else _private(value)).key_size
        except ValueError as error:
            return f"{part}: {error}"
        return "" if size >= BITS_LEAST else f"{part} has {size} bits, and fewer than {BITS_LEAST} can be forged"

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given = self._carried(settings).read(request)
        if not given:
            raise bad_signature("the signature is missing")
        try:
            proof = base64.b64decode(given.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise bad_signature("the signature is not Base64") from None
        for message in self._covers(request, settings):
            for key in keys:
                if _verifies(key.made(PUBLIC, _public_of), proof, message):
                    return key.id
        raise bad_signature("the signature does not verify")

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        if PRIVATE not in keys[0].parts:
            raise bad_signature("a public key verifies, and signs nothing")
        message = next(iter(self._covers(request, settings)))
        return self._carried(settings).write(request, _proof(keys[0], message))

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return (
            RsaProof(
                carried=self._carried(settings).place,
                part=PRIVATE,
                covers=self._covers,
                made="RSASSA-PKCS1-v1_5 with SHA-256",
                encoding=base64_text,
            ),
        )


class RsaProof(Proof, frozen=True):
    """One that the sender's private half makes and the public one verifies."""

    def proof(self, key: Key, text: bytes) -> str:
        return _proof(key, text) if PRIVATE in key.parts else "made with the sender's private key"

    def key_words(self, key: Key) -> str:
        made = f"{PRIVATE} of key {key.id}" if PRIVATE in key.parts else "the sender's private key"
        return f"{made}; verified by {PUBLIC}{'' if belongs(key) else ', WHICH IS NOT ITS OTHER HALF'}"


def belongs(key: Key) -> bool:
    """Whether both halves are one pair; one alone has nothing to contradict it."""
    if PUBLIC not in key.parts or PRIVATE not in key.parts:
        return True
    private = key.made(PRIVATE, _private_of)
    return key.made(PUBLIC, _public_of).public_numbers() == private.public_key().public_numbers()


def public_of(key: Key) -> RSAPublicKey | None:
    """What verifies what this key signs; None where it has neither half."""
    if PUBLIC in key.parts:
        return key.made(PUBLIC, _public_of)
    return key.made(PRIVATE, _private_of).public_key() if PRIVATE in key.parts else None


def _proof(key: Key, message: bytes) -> str:
    return base64_text(key.made(PRIVATE, _private_of).sign(message, PKCS1v15(), SHA256()))


def _verifies(key: RSAPublicKey, proof: bytes, message: bytes) -> bool:
    try:
        key.verify(proof, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _public_of(key: Key) -> RSAPublicKey:
    return _public(key.part(PUBLIC))


def _private_of(key: Key) -> RSAPrivateKey:
    return _private(key.part(PRIVATE))


def _public(pem: str) -> RSAPublicKey:
    """Raises `ValueError` where it is none."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is no public key in PEM form") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("it is no RSA key")
    return key


def _private(pem: str) -> RSAPrivateKey:
    """Raises `ValueError` where it is none, or locked with a password."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("it is no private key in PEM form without a password") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("it is no RSA key")
    return key
