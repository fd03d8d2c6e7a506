"""Guards: who may call, for dialects that do not sign (docs/configuration.md, "Guards").

Every guard that is configured must hold; one that fails is `bad_signature` in the dialect's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from msgspec import Struct

from gateway.auth.compare import same
from gateway.auth.keys import Key, live
from gateway.auth.mac import Mac
from gateway.auth.scheme import bad_signature, hex_text, hmac_of, loosely
from gateway.auth.steps import Composed, Field, Proof, Steps, told
from gateway.http import Request
from gateway.model import Refused

HMAC_WINDOW_SECONDS = 300


class Guard(Struct, frozen=True, kw_only=True):
    """What a caller must prove beside the dialect's own signature. Keys hold one part, `secret`."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    api_key: tuple[Key, ...] = ()
    path_token: tuple[Key, ...] = ()  # matched while the path is read, not here
    hmac: tuple[Key, ...] = ()
    client_cert: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.networks or self.api_key or self.path_token or self.hmac or self.client_cert)


def check(guard: Guard, request: Request, body_field: str, now: datetime) -> list[str]:
    """The ids of the keys used; raises `Refused` (bad_signature) with the guard's name as field.

    `body_field` is where the dialect's page lets a shared key stand in the body, or blank.
    """
    if guard.networks and not _within(request.peer, guard.networks):
        raise _failed("networks", "the address is not allowed")
    if guard.client_cert and request.certificate not in guard.client_cert:
        raise _failed("client_cert", "the client certificate is not allowed")
    used = []
    if guard.api_key:
        given = request.header("x-api-key").strip() or _from_body(request, body_field)
        used.append(_holder(given, live(guard.api_key, now), "api_key"))
    if guard.hmac:
        used.append(_check_hmac(request, live(guard.hmac, now), now))
    return used


def hmac_signature(secret: str, timestamp: str, request: Request) -> str:
    """`X-Gw-Signature`: lowercase hex HMAC-SHA256 over timestamp, a point and the raw body; a call
    without a body signs its raw target instead (docs/configuration.md)."""
    return _hmac_of(Mac(secret.encode(), "sha256"), timestamp, request)


def _hmac_of(mac: Mac, timestamp: str, request: Request) -> str:
    return mac.digest(timestamp.encode() + b"." + _whole(request)).hex()


def _whole(request: Request) -> bytes:
    return request.body or (request.target or request.url).encode()


def _mac(key: Key) -> Mac:
    return Mac(key.part("secret").encode(), "sha256")


def path_token_holder(given: str, keys: Sequence[Key], now: datetime) -> str | None:
    """The id of the path token, None if it is nobody's (the answer is then 404)."""
    found = None
    for key in live(keys, now):
        if same(given, key.part("secret")):
            found = key.id
    return found


def _check_hmac(request: Request, keys: Sequence[Key], now: datetime) -> str:
    timestamp = request.header("x-gw-timestamp").strip()
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise _failed("hmac", "X-Gw-Timestamp is missing or no Unix time")
    if abs(int(timestamp) - now.timestamp()) > HMAC_WINDOW_SECONDS:
        raise _failed("hmac", f"X-Gw-Timestamp is more than {HMAC_WINDOW_SECONDS} s away")
    given = request.header("x-gw-signature").strip()
    for key in keys:
        if same(given, _hmac_of(key.mac("guard", _mac), timestamp, request)):
            return key.id
    raise _failed("hmac", "X-Gw-Signature does not verify")


def _holder(given: str, keys: Sequence[Key], guard: str) -> str:
    for key in keys:
        if given and same(given, key.part("secret")):
            return key.id
    raise _failed(guard, "the shared key is missing or wrong")


def _from_body(request: Request, field: str) -> str:
    found = (loosely(request) or {}).get(field) if field else None
    return found if type(found) is str else ""  # a number is one of a subclass


def _within(peer: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def _failed(guard: str, message: str) -> Refused:
    return bad_signature(message, guard)


# ---------------------------------------------------------------- told by `gateway sign`


def _parts(request: Request, settings: Any) -> list[Field]:
    return [("X-Gw-Timestamp", request.header("x-gw-timestamp")), ("body or target", _whole(request))]


PARTS = Composed(found=_parts, between=b".")


@told(
    Steps(
        selected="X-Gw-Timestamp and the body; of a call without a body its target, the query included",
        order="in this order",
        form="as they were sent",
        joined='by "."',
        fields=PARTS,
    )
)
def _covered(request: Request, settings: Any) -> Iterator[bytes]:
    yield PARTS.written(request, settings)


HMAC_PROOF = Proof(
    carried="header X-Gw-Signature",
    covers=_covered,
    digest=hmac_of("sha256"),
    encoding=hex_text,
    moments=("x-gw-timestamp",),
    title="guard hmac",
)
API_KEY_PROOF = Proof(carried="header X-Api-Key", title="guard api_key")
