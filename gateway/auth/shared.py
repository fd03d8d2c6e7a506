"""A key that is sent as it is, in a header behind a word, and a token of the operator's in a session's place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import Auth, InBody, Part, bad_signature
from gateway.http import Request


class SharedKey(Auth):
    """A part of the key as it stands, in a header behind a word (`Basic`, `Bearer`) that a sender may leave out.

    `stand_in`: another part, which stands in the body field `instead_of` where a call has no session: late ones, whose
    player is gone. It proves nothing, the key does. But it is a secret and no session: it is told apart here, so that
    nobody keeps it as one or passes it on to a wallet.
    """

    def __init__(
        self, part: Part, header: str, word: str, *, stand_in: Part | None = None, instead_of: str = "session"
    ) -> None:
        self._part, self._header, self._word = part, header, word
        self._parts = (part, stand_in) if stand_in else (part,)
        self.stand_in = stand_in.name if stand_in else ""
        self._session = InBody(instead_of)

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given = request.header(self._header).strip()
        word, _, rest = given.partition(" ")
        if word.lower() == self._word.lower():  # RFC 9110, 11.1: in any case
            given = rest.strip()
        for key in keys:
            if same(given, key.part(self._part.name)):
                return key.id
        raise bad_signature("the key is missing or wrong", self._part.name)

    def shows_stand_in(self, request: Request, keys: Sequence[Key]) -> bool:
        given = self._session.read(request)
        return any(same(given, own) for own in self._stand_ins(keys))

    def holds_stand_in(self, keys: Sequence[Key]) -> bool:
        return bool(self._stand_ins(keys))

    def _stand_ins(self, keys: Sequence[Key]) -> list[str]:
        return [own for key in keys if self.stand_in and (own := key.parts.get(self.stand_in))]

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        stand_ins = self._stand_ins(keys)
        if stand_ins and not self._session.read(request):
            request = self._session.write(request, stand_ins[0])
        return request.put((self._header, f"{self._word} {keys[0].part(self._part.name)}"))

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        steps = [("carried in", f"header {self._header}: {self._word}, then the key's {self._part.name} as it is")]
        if self.stand_in:
            where = f"body field {self._session.name}, where a call has no session: the key's {self.stand_in} as it is"
            steps.append(("stands in", where))
        return steps
