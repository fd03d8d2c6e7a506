"""Why two signatures differ: the mistakes that senders make, tried one after the other."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.guards import hmac_signature
from gateway.cli.hide import who_is
from gateway.codec.fields import Number, read_json
from gateway.engine.setup import Provider, Wallet
from gateway.http import Request
from gateway.model import Refused
from gateway.serve.config import Loaded

Entry = Provider | Wallet


class Verdict(Struct, frozen=True):
    """Whether a signature is right, and what is to be said about it."""

    same: bool
    lines: tuple[str, ...]


def compare(entry: Entry, request: Request, signed: Request, given: str, config: Loaded) -> Verdict:
    """`request` is what was pasted; its own time stamps count. `signed` is ours, where it holds none."""
    base = request if signatures(entry, request) else signed
    found = _which(entry, base, given)
    if found:
        return Verdict(True, (f"the same: {found}",))
    reasons = list(dict.fromkeys(_reasons(entry, base, given, config)))
    ours = [text for _, text in signatures(entry, base)]
    lines = reasons[:3] or ["no common mistake explains it: another secret, or another text"]
    return Verdict(False, (*lines, *([_difference(given, ours[0])] if ours else [])))


def signatures(entry: Entry, request: Request) -> list[tuple[str, str]]:
    """(what it is, signature) of everything that would be right for this request."""
    found = []
    for key in entry.keys:
        try:
            steps = entry.dialect.auth.explain(request, key, entry.settings)
        except (Refused, ValueError):
            continue
        found += [(f"{label} of key {key.id}", text) for label, text in steps if label.startswith("signature")]
    timestamp = request.header("x-gw-timestamp")
    for name, secret in _hmac_secrets(entry) if timestamp else ():
        found.append((f"the hmac of {name}", hmac_signature(secret, timestamp, request)))
    return found


def _hmac_secrets(entry: Entry) -> list[tuple[str, str]]:
    if isinstance(entry, Provider):
        return [(f"guard key {key.id}", key.part("secret")) for key in entry.guard.hmac]
    return [("send", entry.send.hmac)] if entry.send.hmac else []


def _which(entry: Entry, request: Request, given: str) -> str:
    return next((label for label, text in signatures(entry, request) if same(text, given)), "")


def _reasons(entry: Entry, request: Request, given: str, config: Loaded) -> Iterator[str]:
    """What explains the difference, the likeliest first."""
    ours = [text for _, text in signatures(entry, request)]
    if any(same(given.lower(), text.lower()) for text in ours):
        yield "only upper and lower case differ"
    elif _digest(given) and any(same(_digest(given), _digest(text)) for text in ours):
        yield "the digest is right, its encoding is not: hex and base64 are mixed up"
    for what, other in variants(request):
        label = _which(entry, other, given)
        if label:
            yield f"it signs {what} ({label})"
    for other_entry in _others(entry, config):
        label = _which(other_entry, request, given)
        if label:
            yield f"it is {label} of the {who_is(other_entry)}"
    lengths = sorted({len(_digest(text)) for text in ours})
    forms = sorted({_form(text) for text in ours})
    if _digest(given) and forms and _form(given) not in forms:
        yield f"it is written as {_form(given)}, this dialect wants {' or '.join(forms)}"
    if not _digest(given):
        yield "it is neither hex nor base64: cut, or not the signature alone"
    elif lengths and len(_digest(given)) not in lengths:
        wanted = " or ".join(map(str, lengths))
        yield f"it holds {len(_digest(given))} bytes where {wanted} are wanted: another algorithm, or cut"


def variants(request: Request) -> Iterator[tuple[str, Request]]:
    """The same request as a sender may have signed it by mistake."""
    body = request.body
    yield "the body with a line end behind it", replace(request, body=body + b"\n")
    yield "the body with CRLF behind it", replace(request, body=body + b"\r\n")
    yield "the body without white space around it", replace(request, body=body.strip())
    yield "the body with LF for CRLF", replace(request, body=body.replace(b"\r\n", b"\n"))
    yield "the body with CRLF for LF", replace(request, body=body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    yield "an empty body", replace(request, body=b"")
    for what, text in _respelled(body):
        yield what, replace(request, body=text)
    if request.query:
        yield "the request without its query", replace(request, query="", target=request.target.partition("?")[0])
    if request.target not in ("", request.url):
        yield "the dialect's own path alone", replace(request, target=request.url)


def _respelled(body: bytes) -> Iterator[tuple[str, bytes]]:
    """JSON written again, as many libraries do before they sign; numbers keep their text."""
    try:
        found = read_json(body)
    except Refused:
        return
    yield "the body as compact JSON", _spelled(found, ",", ":").encode()
    yield "the body as JSON with spaces", _spelled(found, ", ", ": ").encode()
    yield "the body as compact JSON in the order of its keys", _spelled(_sorted(found), ",", ":").encode()


def _spelled(value: Any, between: str, colon: str) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(name, ensure_ascii=False)}{colon}{_spelled(v, between, colon)}" for name, v in value.items()
        )
        return "{" + between.join(pairs) + "}"
    if isinstance(value, list):
        return "[" + between.join(_spelled(item, between, colon) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _others(entry: Entry, config: Loaded) -> Iterator[Entry]:
    """Other entries that speak this dialect: keys get mixed up."""
    everyone: list[Entry] = [*config.setup.providers.values(), *config.setup.wallets.values()]
    for other in everyone:
        if other is not entry and other.dialect.name == entry.dialect.name:
            yield other


def _form(signature: str) -> str:
    text = signature.removeprefix("v1,")
    if re.fullmatch(r"(?:[0-9a-f]{2})+", text):
        return "lower-case hex"
    return "upper-case hex" if re.fullmatch(r"(?:[0-9A-F]{2})+", text) else "base64"


def _digest(signature: str) -> bytes:
    """The bytes behind a signature, whichever way it is written; none if it is no such thing."""
    text = signature.removeprefix("v1,")
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _difference(given: str, ours: str) -> str:
    place = next((n for n, (a, b) in enumerate(zip(given, ours, strict=False), 1) if a != b), None)
    where = f"from character {place} on" if place else f"after character {min(len(given), len(ours))}"
    return f"they differ {where}:\n  given: {given}\n  ours:  {ours}"
