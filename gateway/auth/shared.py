"""Secrets that are sent as they are: a key in a header behind a word, and a token in a session's place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import Auth, InBody, Part, bad_signature
from gateway.http import Request


class SharedKey(Auth):
    """A part of the key as it stands, in a header behind a word (`Basic`, `Bearer`) that a sender may leave out."""

    def __init__(self, part: Part, header: str, word: str) -> None:
        self._part, self._header, self._word = part, header, word

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return (self._part,)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given = request.header(self._header).strip()
        word, _, rest = given.partition(" ")
        if word.lower() == self._word.lower():  # RFC 9110, 11.1: in any case
            given = rest.strip()
        for key in keys:
            if same(given, key.part(self._part.name)):
                return key.id
        raise bad_signature("the key is missing or wrong", self._part.name)

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return request.put((self._header, f"{self._word} {keys[0].part(self._part.name)}"))

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        return [("carried in", f"header {self._header}: {self._word}, then the key's {self._part.name} as it is")]


class WithStandIn(Auth):
    """`inner`, beside a part of the key that stands in the field of the player's session where a call has none: late ones,
    whose player is gone.

    It proves nothing, `inner` does. But it is a secret and no session: it is told apart here, so that nobody keeps it as
    one or passes it on to a wallet.
    """

    def __init__(self, inner: Auth, part: Part, field: str) -> None:
        self._inner, self._part, self._field = inner, part, InBody(field)
        self.stand_in = part.name

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return (*self._inner.parts(settings), self._part)

    def fault(self, part: str, value: str) -> str:
        return self._inner.fault(part, value)

    def weak(self, settings: Any) -> bool:
        return self._inner.weak(settings)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        return self._inner.verify(request, keys, settings, now)

    def shows_stand_in(self, request: Request, keys: Sequence[Key]) -> bool:
        given = self._field.read(request)
        return any(own and same(given, own) for own in self._own(keys))

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        own = next(filter(None, self._own(keys)), "")
        if own and not self._field.read(request):
            request = self._field.write(request, own)
        return self._inner.sign(request, keys, settings, now)

    def _own(self, keys: Sequence[Key]) -> list[str]:
        return [key.parts.get(self._part.name, "") for key in keys]

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        where = f"body field {self._field.name}, where a call has no session: the key's {self._part.name} as it is"
        return [*self._inner.explain(request, key, settings), ("stands in", where)]
