"""Requests that nobody proved: with one byte changed, under a stranger's key, swollen (law 6)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from gateway.auth.keys import Key
from gateway.codec.fields import read_json, text_of
from gateway.dialect import Dialect
from gateway.http import Request
from gateway.laws.calls import no_other_than
from gateway.laws.descriptions import another, placed
from gateway.model import Refused
from gateway.vectors import Vector


def swollen(request: Request) -> Request | None:
    """As a forger would send it: as many values as a body may hold, and the proof of another one. None: neither an object
    nor a form."""
    body, numbers = request.body.strip(), range(4000)
    if body.startswith(b"{") and body.endswith(b"}"):
        more = b",".join(b'"k%05d":%d' % (number, number) for number in numbers)
        return replace(request, body=body[:-1] + (b"," if body[1:-1].strip() else b"") + more + b"}")
    if "form" in request.header("content-type"):
        return replace(request, body=b"&".join([body, *(b"k%05d=%d" % (number, number) for number in numbers)]))
    return None


def strangers(dialect: Dialect, vector: Vector) -> list[Key]:
    """What a forger has: what is no secret."""
    secret = {part.name for part in dialect.auth.parts(vector.call.settings) if part.secret}
    known = [
        {name: f"{value}-0" if name in secret else value for name, value in key.parts.items()} for key in vector.keys
    ]
    return [Key(id="forged", parts=parts) for parts in known]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def tampered(request: Request) -> Iterator[Request]:
    """The request with one byte changed, at up to 24 places of each part."""

    def places(length: int) -> range:
        return range(0, length, max(1, length // 24))

    for at in places(len(request.body)):
        yield replace(request, body=flipped(request.body, at))
    for part in ("path", "query"):
        text = getattr(request, part).encode()
        for at in places(len(text)):
            changed = {part: flipped(text, at).decode(errors="replace")}
            path, query = changed.get("path", request.path), changed.get("query", request.query)
            yield replace(request, **changed, target=f"{path}?{query}" if query else path)
    for name, value in request.headers.items():
        for at in places(len(value.encode())):
            yield request.put((name, flipped(value.encode(), at).decode(errors="replace")))


def signed_parts(dialect: Dialect, vector: Vector, request: Request) -> set[bytes]:
    """What is signed, in each spelling that would be believed; empty where nothing can be covered."""
    found = set()
    for proof in dialect.auth.proofs(vector.call.settings):
        texts = no_other_than(Refused, proof.texts, request, vector.call.settings)
        found |= set() if isinstance(texts, Refused) else {*texts}
    return found


def holds_for_these_bytes(dialect: Dialect, vector: Vector) -> None:
    auth, facts = dialect.auth, (vector.keys, vector.call.settings, vector.call.now)
    original = vector.request

    def refused(request: Request) -> bool:
        return isinstance(no_other_than(Refused, auth.verify, request, *facts), Refused)

    if not auth.parts(vector.call.settings) or refused(original):
        return
    signed = signed_parts(dialect, vector, original)
    for request in tampered(original):
        if not signed & signed_parts(dialect, vector, request):
            assert not signed or refused(request), (
                f"{vector.name}: accepted although a signed byte was changed: {request}"
            )
    proofs = [name for name in original.headers if refused(original.put((name, "")))]
    for name in proofs:
        other = "".join(chr(ord(c) ^ 1) for c in original.headers[name])
        assert refused(original.put((name, other))), f"{vector.name}: accepted with another {name}"
    texts = [text for title, text in auth.explain(original, vector.keys[0], vector.call.settings) if len(text) >= 16]
    for text in (t.encode() for t in texts):
        if text in original.body and b" " not in text:  # a proof that stands in the body
            proofs.append("body")
            body = original.body.replace(text, flipped(text, len(text) // 2))
            assert refused(replace(original, body=body)), f"{vector.name}: accepted with another signature in the body"
    fields = no_other_than(Refused, read_json, original.body) if not (proofs or signed) else {}
    for field, value in fields.items() if isinstance(fields, dict) else ():  # a key that stands in the body as it is
        if refused(replace(original, body=text_of(placed(fields, (field,))).encode())):
            proofs.append(f"body {field}")
            changed = replace(original, body=text_of(placed(fields, (field,), another(value))).encode())
            assert refused(changed), f"{vector.name}: accepted with another {field}"
    for pair in original.query.split("&"):  # a proof that stands in the query
        name, _, value = pair.partition("=")
        if refused(replace(original, query=original.query.replace(pair, f"{name}="))):
            proofs.append(f"query {name}")
            other = f"{name}={flipped(value.encode(), len(value) // 2).decode(errors='replace')}"
            assert refused(replace(original, query=original.query.replace(pair, other))), (
                f"{vector.name}: accepted with another {name}"
            )
    assert proofs or signed, f"{vector.name}: nothing in this request is a proof, and it was accepted"
