"""RSA signatures of somebody else's: they are verified, not compared, and a key tells whether its other half made one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

HASHES = (
    hashes.SHA256(),
    hashes.SHA1(),  # noqa: S303  # to tell the mistake by
    hashes.SHA384(),
    hashes.SHA512(),
    hashes.MD5(),  # noqa: S303  # to tell the mistake by
)


def schemes() -> Iterator[tuple[str, AsymmetricPadding, hashes.HashAlgorithm]]:
    """What senders may have signed by, the likeliest first."""
    for hashed in HASHES:
        yield f"RSASSA-PKCS1-v1_5 with {_name(hashed)}", PKCS1v15(), hashed
    for hashed in HASHES:
        for inner in (hashed, HASHES[1]) if hashed is not HASHES[1] else (hashed,):
            yield f"RSASSA-PSS with {_name(hashed)} (MGF1 with {_name(inner)})", PSS(MGF1(inner), PSS.AUTO), hashed


def _name(hashed: hashes.HashAlgorithm) -> str:
    return hashed.name.upper().replace("SHA", "SHA-")


def verifies(key: RSAPublicKey, proof: bytes, text: bytes) -> bool:
    """By the scheme that is spoken here."""
    return _verifies(key, proof, text, PKCS1v15(), HASHES[0])


def verified_as(key: RSAPublicKey, proof: bytes, text: bytes) -> str:
    """The scheme that verifies this text; blank where none does."""
    return next((words for words, padding, hashed in schemes() if _verifies(key, proof, text, padding, hashed)), "")


def _verifies(
    key: RSAPublicKey, proof: bytes, text: bytes, padding: AsymmetricPadding, hashed: hashes.HashAlgorithm
) -> bool:
    with contextlib.suppress(InvalidSignature, UnsupportedAlgorithm, ValueError):
        key.verify(proof, text, padding, hashed)
        return True
    return False


def made_with(key: RSAPublicKey, proof: bytes) -> bool:
    """Whether that key's other half made it by PKCS #1 v1.5, whatever it was that was signed."""
    try:
        key.recover_data_from_signature(proof, PKCS1v15(), None)
    except (InvalidSignature, ValueError):
        return False
    return True
