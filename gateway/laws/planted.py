"""Signatures that are wrong in one known way. `gateway sign --against` must tell each by that way, whatever the scheme.

They are made of the text that a scheme says it signs, and of none of the causes that explain them (gateway/cli/causes.py).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import cast

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from msgspec.structs import replace

from gateway.auth import Key, base64_text, hex_text, upper_hex
from gateway.auth.rsa import PRIVATE, PUBLIC, RsaProof
from gateway.auth.steps import Proof, steps_of
from gateway.body import strictly
from gateway.cli.against import compare
from gateway.cli.hide import LENGTH_MIN
from gateway.codec.fields import text_of
from gateway.dialect import Dialect
from gateway.engine.setup import Provider
from gateway.model import Refused
from gateway.vectors import Vector

Planted = tuple[str, str, str]
"""What was done, the signature that comes of it, and what the explanation must hold."""
CASES = {hex_text, upper_hex}


def once_each(vectors: Iterable[Vector]) -> list[Vector]:
    """One vector for all whose scheme looks at the same parts of a request: the others would repeat it."""
    shapes = {
        (repr(v.call.settings), v.request.method, bool(v.request.body), v.request.in_xml): v
        for v in reversed([*vectors])
    }
    return [*shapes.values()]


def told_wrong(dialect: Dialect, vector: Vector) -> Iterator[str]:
    """What is wrong in a known way and is told as something else, or with a secret in the words."""
    settings, key = vector.call.settings, vector.keys[0]
    entry = Provider(name="acme", id="acme", dialect=dialect, settings=settings, keys=(key,), answer_within={})
    other, proofs = _stranger(key), dialect.auth.proofs(settings)
    if dialect.auth.parts(settings) and not proofs:
        yield f"{vector.name}: {type(dialect.auth).__name__} says nothing of its steps (Auth.proofs)"
    explained = _explained(dialect, vector)
    for part in dialect.auth.parts(settings):
        if part.secret and len(key.parts.get(part.name, "")) >= LENGTH_MIN and key.part(part.name) in explained:
            yield f"{vector.name}: --explain shows {part.name}"
    for proof in proofs:
        secrets = [each.parts.get(proof.part, "") for each in (key, other)]
        for what, given, words in _plants(proof, vector, key, other):
            verdict = compare(entry, vector.request, vector.request, given, [("another's", other)], now=vector.call.now)
            said = "\n".join(verdict.lines)
            if verdict.same or words not in said:
                yield f"{vector.name}: {what} ({proof.carried}), which should be told as “{words}”, is told as:\n{said}"
            if any(secret in said for secret in secrets if len(secret) >= LENGTH_MIN):
                yield f"{vector.name}: {what} ({proof.carried}) is told with a secret in it"


def _explained(dialect: Dialect, vector: Vector) -> str:
    try:
        return "\n".join(text for _, text in dialect.auth.explain(vector.request, vector.keys[0], vector.call.settings))
    except Refused:
        return ""  # of this request nothing is signed


def _plants(proof: Proof, vector: Vector, key: Key, other: Key) -> Iterator[Planted]:
    if proof.covers is None:
        yield "another's key", other.part(proof.part), "another key"
        yield "the key as Base64", base64.b64encode(key.part(proof.part).encode()).decode(), "the secret as Base64"
        return
    try:
        texts = proof.texts(vector.request, vector.call.settings)
    except Refused:
        return  # of this request nothing is signed
    yield from _of_rsa(texts[0], key, other) if isinstance(proof, RsaProof) else _of_digest(proof, texts[0], key, other)
    for what, text, words in _other_texts(proof, vector, texts[0]):
        if text not in texts:
            yield what, proof.proof(key, text), words


def _of_digest(proof: Proof, text: bytes, key: Key, other: Key) -> Iterator[Planted]:
    assert proof.digest
    yield "another's key", proof.proof(other, text), "another key"
    digest = proof.digest(key, text)
    for written in (hex_text, upper_hex, base64_text):
        if written is not proof.encoding and not (proof.folded and written is upper_hex):
            words = "only upper and lower case" if {written, proof.encoding} == CASES else "its encoding is not"
            yield f"written as {written.__doc__}", written(digest), words
    yield "cut", proof.before + base64_text(digest[:-4]), "it is cut"


def _of_rsa(text: bytes, key: Key, other: Key) -> Iterator[Planted]:
    ours, theirs = _half(key), _half(other)
    yield "another's key", base64_text(theirs.sign(text, PKCS1v15(), SHA256())), "another key"
    yield "another hash", base64_text(ours.sign(text, PKCS1v15(), SHA512())), "RSASSA-PKCS1-v1_5 with SHA-512"
    yield "another padding", base64_text(ours.sign(text, PSS(MGF1(SHA256()), 32), SHA256())), "RSASSA-PSS with SHA-256"
    yield "written as hex", ours.sign(text, PKCS1v15(), SHA256()).hex(), "its encoding is not"


def _other_texts(proof: Proof, vector: Vector, text: bytes) -> Iterator[tuple[str, bytes, str]]:
    """What a sender may have signed in this one's place."""
    assert proof.covers
    request, settings = vector.request, vector.call.settings
    yield "a line end", text + b"\n", "with a line end behind it"
    composed = steps_of(proof.covers, request).fields
    if composed is not None:
        assert composed.written(request, settings) == text, (
            f"{vector.name}: the declared steps do not give what is signed"
        )
        yield "not sorted", replace(composed, order=lambda fields: fields).written(request, settings), "not sorted"
    body = strictly(request.body)
    if isinstance(body, dict):
        again = json.dumps(json.loads(request.body)).encode()
        if text_of(strictly(again)) == text_of(body):  # else Python writes a number in another way
            spaced = proof.texts(replace(request, body=again), settings)[0]
            yield "JSON that was read and written again", spaced, "JSON with spaces"


def _stranger(key: Key) -> Key:
    """Another key with the same parts."""
    if PRIVATE in key.parts:
        return _other_pair()
    return Key(id="other", parts={name: _other_letters(text) for name, text in key.parts.items()})


@cache
def _other_pair() -> Key:
    private = generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Key(id="other", parts={PRIVATE: pem, PUBLIC: public})


def _other_letters(text: str) -> str:
    """As long and of the same kind, so that it is a key wherever the first one is."""
    prefix, mark, rest = text.rpartition("_")
    return prefix + mark + rest.swapcase()


def _half(key: Key) -> RSAPrivateKey:
    pem = key.part(PRIVATE).encode()  # of a test: to look at its numbers takes 90 ms
    return cast(RSAPrivateKey, load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True))
