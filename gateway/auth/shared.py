"""A key that is sent as it is, in a header behind a word, and a token of the operator's in a session's place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import Auth, InBody, InHeader, Part, bad_signature
from gateway.auth.steps import Proof
from gateway.http import Request

SESSION = InBody("session")


class SharedKey(Auth):
    """A part of the key as it stands, in a header behind a word (`Basic`, `Bearer`) that a sender may leave out (`bare`).

    `stand_in`: another part, which stands where a call has its session (`instead_of`), if it has none: late ones, whose
    player is gone. It proves nothing, the key does. But it is a secret and no session: it is told apart here, so that
    nobody keeps it as one or passes it on to a wallet.
    """

    def __init__(
        self, part: Part, header: str, word: str, *, bare: bool = True, stand_in: Part | None = None,
        instead_of: InBody | InHeader = SESSION,
    ) -> None:  # fmt: skip
        self._part, self._header, self._word, self._bare = part, header, word, bare
        self._parts = (part, stand_in) if stand_in else (part,)
        self.stand_in = stand_in.name if stand_in else ""
        self._session = instead_of

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given = request.header(self._header).strip()
        word, _, rest = given.partition(" ")
        if word.lower() == self._word.lower():  # RFC 9110, 11.1: in any case
            given = rest.strip()
        elif not self._bare:
            given = ""
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

    def stood_in(self, request: Request, keys: Sequence[Key]) -> Request | None:
        stand_ins = self._stand_ins(keys)
        fresh = bool(stand_ins) and self._session.read(request) not in stand_ins
        return self._session.write(request, stand_ins[0]) if fresh else None

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        stand_ins = self._stand_ins(keys)
        if stand_ins and not self._session.read(request):
            request = self._session.write(request, stand_ins[0])
        return request.put((self._header, f"{self._word} {keys[0].part(self._part.name)}"))

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        where = f"{self._session.place}, where a call has no session: the key's {self.stand_in} as it is"
        notes = (("stands in", where),) if self.stand_in else ()
        place, front = f"header {self._header}", f"{self._word} "
        return (Proof(carried=place, part=self._part.name, before=front, optional=self._bare, notes=notes),)
