"""Who signs, when and the proof in three headers, the moment covered by the proof (Spribe)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import Auth, Part, bad_signature, hex_text, hmac_of
from gateway.http import Request

WINDOW_SECONDS = 300


class Stamped(Auth):
    """Lower-case hex HMAC-SHA256, understood in any case. `holder`, `stamp`, `proof`: the headers' names.

    `covers` gives what is signed, the time stamp (Unix seconds) as it stands in its header among it; several candidates
    as in `Cover`.
    """

    def __init__(
        self,
        *,
        holder: str,
        stamp: str,
        proof: str,
        parts: tuple[Part, Part],
        covers: Callable[[str, Request, Any], Iterable[bytes]],
    ) -> None:
        """`parts`: who signs, and the secret."""
        self._holder, self._stamp, self._proof = holder, stamp, proof
        self._parts, self._covers = parts, covers
        self._digest = hmac_of("sha256", parts[1].name)

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given = request.header(self._proof).strip().lower()
        if not given:
            raise bad_signature(f"{self._proof} is missing")
        stamp = request.header(self._stamp)
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise bad_signature(f"{self._stamp} is missing or no Unix time")
        if abs(int(stamp) - now.timestamp()) > WINDOW_SECONDS:
            raise bad_signature(f"{self._stamp} is more than {WINDOW_SECONDS} s away")
        who = self._parts[0].name
        held = [key for key in keys if same(request.header(self._holder).strip(), key.part(who))]
        if not held:
            raise bad_signature(f"{self._holder} is missing or nobody's", who)
        for message in self._covers(stamp, request, settings):
            for key in held:
                if same(given, hex_text(self._digest(key, message))):
                    return key.id
        raise bad_signature("the signature does not verify")

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        key, stamp = keys[0], str(int(now.timestamp()))
        message = next(iter(self._covers(stamp, request, settings)))
        return request.put(
            (self._holder, key.part(self._parts[0].name)),
            (self._stamp, stamp),
            (self._proof, hex_text(self._digest(key, message))),
        )

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        steps: list[tuple[str, str]] = []
        covered = dict.fromkeys(self._covers(request.header(self._stamp), request, settings))
        for number, message in enumerate(covered, 1):
            steps.append((f"message {number}", message.decode(errors="backslashreplace")))
            steps.append((f"signature {number}", hex_text(self._digest(key, message))))
        return [*steps, ("carried in", f"header {self._proof}, beside {self._holder} and {self._stamp}")]
