"""A digest whose holder is named beside it, both as fields of the call: in JSON, or in a SOAP message (Tom Horn)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import InBody, Part, Signed, hex_text
from gateway.auth.steps import Cover, Digest, Encoding
from gateway.body import Unreadable
from gateway.http import Request
from gateway.model import Flaw, Reason, Refused
from gateway.xml import SPACE, enveloped, written


def _call_fields(request: Request) -> Mapping[str, Any]:
    """The fields of the call, whichever way its body is written. Raises `Refused` (unparsable): a body that cannot be read
    is no forgery, and one in which a name stands twice is not read."""
    found = request.soap if request.in_xml else request.said
    fields = found[1] if isinstance(found, tuple) else found
    if isinstance(fields, Mapping):
        return fields
    message = fields.message if isinstance(fields, Unreadable) else "the body is not a JSON object"
    raise Refused(Reason.INVALID_REQUEST, message, field="request_body", flaw=Flaw.UNPARSABLE)


class InCall(Struct, frozen=True):
    """A field of the call."""

    name: str
    encoding: Encoding = hex_text

    @property
    def place(self) -> str:
        return f"the field {self.name} of the call"

    def read(self, request: Request) -> str:
        found = _call_fields(request).get(self.name)
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""

    def write(self, request: Request, text: str) -> Request:
        if not request.in_xml:
            return InBody(self.name).write(request, text)
        fields = {**_call_fields(request), self.name: text}
        assert isinstance(request.soap, tuple)  # else its fields were not read
        return replace(request, body=written(enveloped(request.soap[0], fields, fields.get(SPACE, ""))))


class Named(Signed):
    """The `holder` part of a key is no secret and says who signs: only that one's keys are tried. Nobody's name is told as
    not authenticated, a wrong digest as a bad signature."""

    def __init__(
        self, *, holder: Part, named: InCall, covers: Cover, digest: Digest, carried: InCall, demo: str
    ) -> None:
        super().__init__(covers=covers, digest=digest, carried=carried, demo=demo)
        self._holder, self._named = holder, named
        self._parts = (holder, *self._parts)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given, part = self._named.read(request), self._holder.name
        held = [key for key in keys if same(given, key.part(part))]
        if not held:
            raise Refused(Reason.NOT_AUTHENTICATED, f"{self._named.name} is missing or nobody's", field=part)
        return super().verify(request, held, settings, now)

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        """The holder is written first, for it is signed, too."""
        named = self._named.write(request, keys[0].part(self._holder.name))
        return super().sign(named, keys, settings, now)
