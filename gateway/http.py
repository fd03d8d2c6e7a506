"""HTTP as plain values: what a dialect reads and writes. No sockets here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.body import Unreadable, fields_of, kept, parsed
from gateway.xml import document_of, soap_of

Headers = Mapping[str, str]
"""Names in lower case; HTTP does not tell them apart. Repeated headers are joined by `, `."""


class Request(Struct, frozen=True, kw_only=True, dict=True):
    """A request. `path` is the dialect's own (after the provider's segments), as sent, not decoded."""

    method: str
    path: str
    query: str = ""  # raw, without the question mark
    headers: Headers = {}
    body: bytes = b""
    peer: str = ""  # address of the caller, proxies already resolved
    certificate: str = ""  # subject of the caller's TLS certificate, as `CN=acme`
    target: str = ""  # all of it as the caller sends it: the provider's segments or the wallet's path, and the query

    @kept
    def said(self) -> Any:
        """What the body says as JSON: read once for route, proof and decode. Nobody changes it.

        `gateway.body.Unreadable` where it is no JSON: each reader tells that in its own words.
        """
        return parsed(self.body)

    @kept
    def form(self) -> Mapping[str, str | bytes] | Unreadable:
        """What the body says as a web form, as `said` for JSON."""
        return fields_of(self.body)

    @kept
    def soap(self) -> tuple[str, Mapping[str, Any]] | Unreadable:
        """The call that the body holds as SOAP, and its fields, as `said` for JSON."""
        return soap_of(self.body)

    @kept
    def xml(self) -> tuple[str, Mapping[str, Any]] | Unreadable:
        """The body as one XML document, its name and its fields, as `said` for JSON."""
        return document_of(self.body)

    @property
    def in_xml(self) -> bool:
        return _in_xml(self.headers, self.body)

    @kept
    def asked(self) -> Mapping[str, str | bytes] | Unreadable:
        """What the query says, as `form` for a body."""
        return fields_of(self.query.encode("latin-1", "backslashreplace"))  # as a target's bytes were read

    def asks(self, name: str) -> str:
        """A field of the query whose name, in lower case, is `name`; blank where there is none, or nothing can be read."""
        asked = {} if isinstance(self.asked, Unreadable) else self.asked
        found = next((value for each, value in asked.items() if each.lower() == name), "")
        return found if isinstance(found, str) else ""

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def put(self, *pairs: tuple[str, str]) -> Request:
        """The same request with these headers set."""
        return replace(self, headers={**self.headers, **{name.lower(): value for name, value in pairs}})

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class Response(Struct, frozen=True, kw_only=True, dict=True):
    """An answer; `body` is complete (a cut one never becomes a `Response`)."""

    status: int = 200
    headers: Headers = {}
    body: bytes = b""

    @kept
    def said(self) -> Any:
        """As `Request.said`."""
        return parsed(self.body)

    @kept
    def soap(self) -> tuple[str, Mapping[str, Any]] | Unreadable:
        """As `Request.soap`."""
        return soap_of(self.body)

    @kept
    def xml(self) -> tuple[str, Mapping[str, Any]] | Unreadable:
        """As `Request.xml`."""
        return document_of(self.body)

    @property
    def in_xml(self) -> bool:
        return _in_xml(self.headers, self.body)

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


def _in_xml(headers: Headers, body: bytes) -> bool:
    """Whether it says `text/xml`, or begins as XML does."""
    return headers.get("content-type", "").lower().startswith("text/xml") or body.lstrip(_BEFORE).startswith(b"<")


_BEFORE = b"\xef\xbb\xbf \t\r\n"  # a byte order mark, and blanks

JSON_HEADERS: Headers = {"content-type": "application/json"}
FORM_HEADERS: Headers = {"content-type": "application/x-www-form-urlencoded"}
XML_HEADERS: Headers = {"content-type": "text/xml; charset=utf-8"}
