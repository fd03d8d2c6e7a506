"""Standard Webhooks 1.0.0, symmetric (https://www.standardwebhooks.com): what the native dialect speaks.

Signed is `<webhook-id>.<webhook-timestamp>.<raw body>`; the key is written `whsec_<base64>`. The
header `webhook-signature` is a list, so that a key can be rotated without a gap.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from gateway.auth.compare import same
from gateway.auth.keys import Key, live
from gateway.auth.mac import Mac
from gateway.auth.scheme import Auth, Part, bad_signature, base64_text
from gateway.auth.steps import Composed, Field, Hashing, Proof, Steps, told
from gateway.http import Request

PREFIX = "whsec_"
WINDOW_SECONDS = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class StandardWebhooks(Auth):
    """One `v1,<base64>` per live key is sent; any one that verifies is enough."""

    def __init__(self, *, demo: str) -> None:
        self._parts = (Part("secret", demo=demo),)

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def fault(self, part: str, value: str, settings: Any) -> str:
        return "" if _secret(value) else f"the secret is not {PREFIX}<base64>"

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        message = _message(request)
        if abs(int(request.header(TIMESTAMP)) - now.timestamp()) > WINDOW_SECONDS:
            raise bad_signature(f"{TIMESTAMP} is more than {WINDOW_SECONDS} s away")
        given = [part for part in request.header(SIGNATURE).split() if part.startswith("v1,")]
        if not given:
            raise bad_signature(f"{SIGNATURE} holds no v1 signature")
        for key in live(keys, now):
            wanted = _signature(key, message)
            if wanted and any(same(part, wanted) for part in given):
                return key.id
        raise bad_signature("the signature does not verify")

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        request = request.put((TIMESTAMP, str(int(now.timestamp()))))
        message = _message(request)
        signatures = [signature for key in live(keys, now) if (signature := _signature(key, message))]
        if not signatures:
            raise bad_signature(f"no live key is {PREFIX}<base64>")
        return request.put((SIGNATURE, " ".join(signatures)))

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return (PROOF,)


def _message(request: Request) -> bytes:
    moment = request.header(TIMESTAMP)
    if not request.header(ID):
        raise bad_signature(f"{ID} is missing")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        raise bad_signature(f"{TIMESTAMP} is missing or no Unix time")
    return f"{request.header(ID)}.{moment}.".encode("utf-8", "surrogatepass") + request.body


def _signature(key: Key, message: bytes) -> str:
    """Blank where the key is none: it then verifies nothing, whatever was sent."""
    try:
        return "v1," + base64_text(key.mac("webhook", _mac).digest(message))
    except ValueError:
        return ""


def _mac(key: Key) -> Mac:
    secret = _secret(key.part("secret"))
    if not secret:
        raise ValueError("no key")
    return Mac(secret, "sha256")


def _secret(text: str) -> bytes:
    """The key's bytes, none if it is not `whsec_<base64>`; padding may be left out."""
    if not text.startswith(PREFIX):
        return b""
    encoded = text.removeprefix(PREFIX).rstrip("=")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


# ---------------------------------------------------------------- told by `gateway sign`


def _parts(request: Request, settings: Any) -> list[Field]:
    return [(ID, request.header(ID)), (TIMESTAMP, request.header(TIMESTAMP)), ("body", request.body)]


@told(
    Steps(
        selected=f"{ID}, {TIMESTAMP} and the body",
        order="in this order",
        form="as they were sent, the body's own bytes",
        joined='by "."',
        fields=Composed(found=_parts, between=b"."),
    )
)
def _covered(request: Request, settings: Any) -> Iterator[bytes]:
    yield _message(request)


def _after_prefix(text: str) -> bytes:
    """the Base64 after whsec_, decoded"""
    return _secret(text)


@told(Hashing(algorithm="sha256", key_of=_after_prefix))
def _digest(key: Key, message: bytes) -> bytes:
    """Raises `Refused` (bad_signature) where the key is none."""
    try:
        return key.mac("webhook", _mac).digest(message)
    except ValueError:
        raise bad_signature(f"the secret is not {PREFIX}<base64>") from None


PROOF = Proof(
    carried=f"header {SIGNATURE}, one of a list separated by spaces",
    covers=_covered,
    digest=_digest,
    encoding=base64_text,
    before="v1,",
    moments=(TIMESTAMP,),
)
