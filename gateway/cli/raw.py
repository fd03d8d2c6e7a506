"""One raw HTTP request, or an answer, as people paste it: CRLF or LF, with or without the provider's segments."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from gateway.cli.common import fail
from gateway.engine.setup import Provider, Wallet, path_of
from gateway.http import Request, Response


class Pasted(Struct, frozen=True, kw_only=True):
    """The request with the dialect's own path, the path token that stood in it, and remarks."""

    request: Request
    token: str | None = None  # None: the path had no provider's segments
    notes: tuple[str, ...] = ()


def read_request(source: Path | None) -> tuple[Request, tuple[str, ...]]:
    """From a file, or from standard input where none is named or the name is `-`."""
    return parse(*_read(source))


def read_message(source: Path | None) -> tuple[Request | Response, tuple[str, ...]]:
    """The same, or an answer: it begins with a status line."""
    raw, name = _read(source)
    return _answer(raw, name) if raw.lstrip(b"\r\n").startswith(b"HTTP/") else parse(raw, name)


def _read(source: Path | None) -> tuple[bytes, str]:
    """What stands there, and what that is called."""
    if source is None or str(source) == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return source.read_bytes(), str(source)
    except OSError as error:
        raise fail(f"{source}: cannot be read: {error.strerror}") from None


def parse(raw: bytes, name: str) -> tuple[Request, tuple[str, ...]]:
    """The request and remarks about how it was read; a `ClickException` says what is no HTTP."""
    first, headers, body, notes = _parts(raw, name)
    method, target = _first_line(first, name)
    path, _, query = target.partition("?")
    return Request(method=method, path=path, query=query, headers=headers, body=body, target=target), notes


def _answer(raw: bytes, name: str) -> tuple[Response, tuple[str, ...]]:
    first, headers, body, notes = _parts(raw, name)
    found = re.fullmatch(r"HTTP/[0-9](?:\.[0-9])? +([1-9][0-9]{2})(?: .*)?", first)
    if not found:
        raise fail(f"{name}:1:1: this is no HTTP answer (write HTTP/1.1 200 OK)")
    return Response(status=int(found[1]), headers=headers, body=body), notes


def _parts(raw: bytes, name: str) -> tuple[str, dict[str, str], bytes, tuple[str, ...]]:
    """First line, headers, body, remarks."""
    head, body = _split(raw.lstrip(b"\r\n"))
    first, *lines = head.decode("latin-1").split("\n")
    headers: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        field, colon, value = line.strip("\r").partition(":")
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", field):
            raise fail(f"{name}:{number}:1: this is no header (write Name: value, and a blank line before the body)")
        key, value = field.lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return first.strip(), headers, *_exact(body, headers, name)


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """Head and body; whichever blank line comes first ends the head."""
    found = re.search(rb"\r?\n\r?\n", raw)
    if not found:
        return raw.rstrip(b"\r\n"), b""
    return raw[: found.start()], raw[found.end() :]


def _first_line(line: str, name: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Za-z]{1,16}) +(\S+)(?: +HTTP/\d(?:\.\d)?)?", line)
    if not found:
        raise fail(f"{name}:1:1: this is no HTTP request (write POST /path HTTP/1.1)")
    target = found[2]
    if re.match(r"https?://", target, re.IGNORECASE):
        parts = urlsplit(target)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.startswith("/"):
        raise fail(f"{name}:1:1: the path does not begin with a slash (write {found[1]} /{target[:40]})")
    return found[1].upper(), target


def _exact(body: bytes, headers: dict[str, str], name: str) -> tuple[bytes, tuple[str, ...]]:
    """The body as it was sent: Content-Length decides; without it one line end at the end is the editor's."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        raise fail(f"{name}: the body is chunked (write the body itself, and no Transfer-Encoding)")
    said = headers.get("content-length", "")
    if said:
        if not (said.isascii() and said.isdigit() and len(said) <= 12):
            raise fail(f"{name}: Content-Length {said[:20]!r} is no number (leave it out)")
        if int(said) > len(body):
            raise fail(
                f"{name}: Content-Length says {said} bytes, there are {len(body)} (is the body cut, or are its line ends changed?)"
            )
        cut = body[: int(said)]
        return cut, ("what follows the body was left out",) if body[int(said) :].strip() else ()
    for end in (b"\r\n", b"\n"):
        if body.endswith(end):
            return body.removesuffix(end), ("no Content-Length: the line end at the end was not taken for the body's",)
    return body, ()


def of_provider(request: Request, notes: tuple[str, ...], provider: Provider) -> Pasted:
    """The request with the provider's segments taken off, if they are there."""
    parts = request.path.split("/")
    if len(parts) < 2 or parts[1] != provider.name:
        if not provider.guard.path_token:  # a signature may cover what stands in front, too
            request = replace(request, target=f"/{provider.name}{request.target}")
        return Pasted(request=request, notes=notes)
    rest, token = parts[2:], ""
    if provider.guard.path_token:
        token, rest = (rest[0] if rest else ""), rest[1:]
    return Pasted(request=replace(request, path="/" + "/".join(rest)), token=token, notes=notes)


def of_wallet(request: Request, wallet: Wallet) -> Request:
    """The request with the dialect's own path, and the target that we send: the path of the wallet's url in front."""
    before = path_of(wallet.url)
    if before and f"{request.path}/".startswith(f"{before}/"):
        request = replace(request, path=request.path.removeprefix(before) or "/")
    return replace(request, target=wallet.target(request.url))


def written(message: Request | Response) -> bytes:
    """The request as it goes over the wire, or the answer."""
    if isinstance(message, Request):
        lines = [f"{message.method} {message.target or message.url} HTTP/1.1"]
    else:
        lines = [f"HTTP/1.1 {message.status}"]
    lines += [f"{_cased(name)}: {value}" for name, value in message.headers.items() if name != "content-length"]
    if message.body:
        lines.append(f"Content-Length: {len(message.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + message.body


def _cased(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))
