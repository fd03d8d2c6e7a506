"""What senders do otherwise than a scheme says, one small value each. `gateway sign --against` tries them on the steps that a
scheme declares (gateway/auth/steps.py), whichever dialect it belongs to: a new mistake is a line here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import starmap
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.steps import Composed, Hashing, Proof
from gateway.body import Unreadable, strictly
from gateway.cli.respelled import BODIES, Json
from gateway.http import Request

STAMP_SECONDS = 300


class Cause(Struct, frozen=True, kw_only=True):
    """One step done otherwise: exactly one of the changes is set. `listed`: how the list of what was tried names it and its
    like."""

    step: str
    words: str
    listed: str = ""
    alone: bool = False  # never tried together with another one: there are too many of its like
    shown: bool = True  # false: what is to be hidden could not be found in what comes of it
    request: Callable[[Request], Request] | None = None  # signed as if this had been sent
    fields: Callable[[Composed], Composed] | None = None
    instead: Callable[[Request], bytes] | None = None  # signed in place of everything else
    text: Callable[[bytes], bytes] | None = None
    key: Callable[[str], bytes] | None = None  # of its letters: what is used as the key
    digest: Callable[[Hashing, bytes, bytes], bytes] | None = None  # of the key and the text

    @property
    def said(self) -> str:
        if self.key:
            return f"its key is {self.words}"
        return f"its digest is {self.words}" if self.digest else f"it signs {self.words}"


# ---------------------------------------------------------------- the request


def _body(words: str, change: Callable[[bytes], bytes]) -> Cause:
    return Cause(step="body", words=words, request=lambda request: replace(request, body=change(request.body)))


def _url(words: str, change: Callable[[str], str]) -> Cause:
    """Of the target and the query, and of a body that is a form."""

    def changed(request: Request) -> Request:
        path, mark, query = request.target.partition("?")
        body = request.body
        if body[:1] not in (b"{", b"[", b"<"):
            body = change(body.decode("latin-1")).encode("latin-1", "replace")
        return replace(request, query=change(request.query), target=path + mark + change(query), body=body)

    return Cause(step="encoding of query and form", words=words, request=changed)


def _target(words: str, change: Callable[[Request], str]) -> Cause:
    return Cause(step="path", words=words, request=lambda request: replace(request, target=change(request)))


def escapes(case: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: re.sub(r"%[0-9A-Fa-f]{2}", lambda found: case(found[0]), text)


def _anew(spelled: Json, body: bytes) -> bytes:
    """A JSON text as that library writes it; what is none stays."""
    found = strictly(body) if body else Unreadable("")
    return body if isinstance(found, Unreadable) else spelled.written(found).encode(errors="replace")


def _json(words: str, spelled: Json) -> Cause:
    return replace(
        _body(f"the body as {words}", lambda body: _anew(spelled, body)), listed="the body as JSON written anew"
    )


def _sorted_pairs(text: str) -> str:
    return "&".join(sorted(text.split("&")))


OF_REQUESTS: tuple[Cause, ...] = (
    _body("the body with a line end behind it", lambda body: body + b"\n"),
    _body("the body with CRLF behind it", lambda body: body + b"\r\n"),
    _body("the body without white space around it", bytes.strip),
    _body("the body with LF for CRLF", lambda body: body.replace(b"\r\n", b"\n")),
    _body("the body with CRLF for LF", lambda body: body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
    _body("the body with a byte order mark before it", lambda body: b"\xef\xbb\xbf" + body),
    *starmap(_json, BODIES),
    _body("an empty body", lambda body: b""),
    _body("the body {} where there is none", lambda body: body or b"{}"),
    _body("XML without the blanks between its elements", lambda body: re.sub(rb">\s+<", b"><", body)),
    Cause(
        step="body", words="the query for its body", request=lambda request: replace(request, body=request.query.encode())
    ),
    _url("blanks as %20, not +", lambda text: text.replace("+", "%20")),
    _url("blanks as +, not %20", lambda text: text.replace("%20", "+")),
    _url("escapes in lower-case hex", escapes(str.lower)),
    _url("escapes in upper-case hex", escapes(str.upper)),
    _url("the fields decoded, which were sent encoded", unquote),
    _url("the fields encoded twice", lambda text: text.replace("%", "%25")),
    _url("the fields in the order of their names", _sorted_pairs),
    Cause(
        step="path",
        words="the request without its query",
        request=lambda request: replace(request, query="", target=request.target.partition("?")[0]),
    ),
    _target("the dialect's own path alone", lambda request: request.url),
    _target("the path without its query", lambda request: request.target.partition("?")[0]),
    _target("the path without the slash before it", lambda request: request.target.removeprefix("/")),
    _target("the path with a slash behind it", lambda request: "/?".join(request.target.split("?", 1)).rstrip("/") + ("" if "?" in request.target else "/")),
    _target("the path decoded", lambda request: unquote(request.target)),
    _target("the whole URL (https)", lambda request: f"https://{request.header('host')}{request.target}"),
    _target("the whole URL (http)", lambda request: f"http://{request.header('host')}{request.target}"),
    _target("the method before the path", lambda request: request.method + request.target),
)  # fmt: skip


# ---------------------------------------------------------------- the time stamp


def of_moments(proof: Proof, request: Request, now: datetime) -> Iterator[Cause]:
    """The same call at another time: the nearest first."""
    for name in proof.moments:
        said = request.header(name)
        yield _stamped(name, f"{said}000", f"{name} in milliseconds")
        yield _stamped(name, "", f"no {name}")
        middle = int(said) if said.isascii() and said.isdigit() and len(said) <= 12 else int(now.timestamp())
        for away in sorted(range(-STAMP_SECONDS, STAMP_SECONDS + 1), key=abs):
            moment = str(middle + away)
            words = f"{name} {moment}, not {said or 'the one that is missing'}"
            yield replace(_stamped(name, moment, words), listed=f"another {name}, up to {STAMP_SECONDS} s away")


def _stamped(name: str, value: str, words: str) -> Cause:
    return Cause(step="time stamp", words=words, alone=True, request=lambda request: request.put((name, value)))


# ---------------------------------------------------------------- the text


def _text(words: str, change: Callable[[bytes], bytes]) -> Cause:
    return Cause(step="text", words=words, text=change)


def _unshown(words: str, change: Callable[[bytes], bytes]) -> Cause:
    return replace(_text(words, change), shown=False)


def _respelled(words: str, spelled: Json) -> Cause:
    return replace(
        _text(f"the text as {words}", lambda text: _anew(spelled, text)), listed="the text as JSON written anew"
    )


def _instead(words: str, text: Callable[[Request], bytes]) -> Cause:
    return Cause(step="selection", words=words, instead=text)


def _sent(request: Request) -> bytes:
    return (request.target or request.url).encode("latin-1", "backslashreplace")


OF_WHOLES: tuple[Cause, ...] = (
    _instead("the body's own bytes", lambda request: request.body),
    _instead("the target alone", _sent),
    _instead("the query alone", lambda request: request.query.encode("latin-1", "backslashreplace")),
    _instead("the target and the body", lambda request: _sent(request) + request.body),
    _instead("method, target and body", lambda request: request.method.encode() + _sent(request) + request.body),
)


OF_TEXTS: tuple[Cause, ...] = (
    _text("the text with a line end behind it", lambda text: text + b"\n"),
    _text("the text with CRLF behind it", lambda text: text + b"\r\n"),
    _text("the text without white space around it", bytes.strip),
    _unshown("the text in lower case", bytes.lower),
    _unshown("the text in upper case", bytes.upper),
    _unshown("the text as Base64", base64.b64encode),
    _text("the text in another alphabet (Latin-1)", lambda text: text.decode(errors="replace").encode("latin-1", "replace")),
    *starmap(_respelled, BODIES),
)  # fmt: skip


# ---------------------------------------------------------------- the key, the digest


def _key(words: str, use: Callable[[str], bytes]) -> Cause:
    return Cause(step="key", words=words, key=use)


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _decoded(read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    def use(text: str) -> bytes:
        try:
            return read(text)
        except (binascii.Error, ValueError):
            return b""

    return use


OF_KEYS: tuple[Cause, ...] = (
    _key("the secret's own letters", str.encode),
    _key("the secret with a line end behind it", lambda text: text.encode() + b"\n"),
    _key("the secret with CRLF behind it", lambda text: text.encode() + b"\r\n"),
    _key("the secret with a blank behind it", lambda text: text.encode() + b" "),
    _key("the secret without white space around it", lambda text: text.strip().encode()),
    _key("the secret decoded from hex", _decoded(bytes.fromhex)),
    _key("the secret decoded from Base64", _decoded(lambda text: base64.b64decode(_padded(text), validate=True))),
    _key("the secret decoded from base64url", _decoded(lambda text: base64.urlsafe_b64decode(_padded(text)))),
    _key("the secret as Base64", lambda text: base64.b64encode(text.encode())),
    _key("the secret with a colon behind it, as Base64", lambda text: base64.b64encode(text.encode() + b":")),
    _key("the secret with a colon before it, as Base64", lambda text: base64.b64encode(b":" + text.encode())),
    _key("the secret as hex", lambda text: text.encode().hex().encode()),
    _key("the secret in upper case", lambda text: text.upper().encode()),
    _key("the secret in lower case", lambda text: text.lower().encode()),
    _key("the secret encoded for a URL", lambda text: quote(text, safe="").encode()),
    _key("the secret in quotation marks", lambda text: f'"{text}"'.encode()),
    _key("the letters behind the secret's prefix", lambda text: text.partition("_")[2].encode()),
    _key("nothing, an empty secret", lambda text: b""),
)


def made(algorithm: str, key: bytes, text: bytes, *, keyed: bool) -> bytes:
    if keyed:
        return hmac.digest(key, text, algorithm)
    return hashlib.new(algorithm, text + key, usedforsecurity=False).digest()


def declared(hashing: Hashing, key: bytes, text: bytes) -> bytes:
    """The digest as its scheme declares it."""
    return made(hashing.algorithm, key, text, keyed=hashing.keyed)


def _digest(words: str, digest: Callable[[Hashing, bytes, bytes], bytes]) -> Cause:
    return Cause(step="digest", words=words, digest=digest)


def _plain(hashing: Hashing, text: bytes) -> bytes:
    return hashlib.new(hashing.algorithm, text, usedforsecurity=False).digest()


def _family(algorithm: str) -> Iterator[Cause]:
    name = algorithm.upper().replace("SHA", "SHA-")
    yield _digest(name, lambda hashing, key, text: made(algorithm, key, text, keyed=hashing.keyed))
    other = f"{name}, an HMAC where the secret is appended or the other way round"
    turned = _digest(other, lambda hashing, key, text: made(algorithm, key, text, keyed=not hashing.keyed))
    yield replace(turned, listed="each of them as an HMAC and with the secret appended")


OF_DIGESTS: tuple[Cause, ...] = (
    _digest("a plain one of text and secret, not an HMAC", lambda h, key, text: _plain(h, text + key)),
    _digest("a plain one with the secret in front", lambda h, key, text: _plain(h, key + text)),
    _digest("a plain one with the secret on both sides", lambda h, key, text: _plain(h, key + text + key)),
    _digest('a plain one with "&key=" and the secret behind', lambda h, key, text: _plain(h, text + b"&key=" + key)),
    _digest("an HMAC", lambda h, key, text: made(h.algorithm, key, text, keyed=True)),
    _digest("an HMAC with text and key in each other's place", lambda h, key, text: made(h.algorithm, text, key, keyed=True)),
    _digest("one of the text alone, without any secret", lambda h, key, text: _plain(h, text)),
    *(cause for algorithm in ("sha256", "sha512", "sha1", "md5", "sha384", "sha224") for cause in _family(algorithm)),
)  # fmt: skip
