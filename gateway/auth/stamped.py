"""A signature that covers who sends and when, and sometimes a word that is used once: headers beside the proof."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import InHeader, Part, Signed, bad_signature
from gateway.auth.steps import Cover, Digest, Proof
from gateway.http import Request

WINDOW_SECONDS = 300


class Stamp(Struct, frozen=True, kw_only=True):
    """The headers' names; `who`: which part of a key the sender's name is (no secret)."""

    who: Part
    sender: str
    moment: str  # Unix seconds
    nonce: str = ""  # blank: this sender has none

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.sender, self.moment, self.nonce)))


class Stamped(Signed):
    """`Signed`, where `covers` holds the headers of a stamp.

    The moment may be `WINDOW_SECONDS` away; `late` says of which requests it may be further, because they are repeated.
    `content` is what a nonce stands for: the body, or what of it a repeat does not change.
    """

    def __init__(
        self, *, stamp: Stamp, covers: Cover, digest: Digest, carried: InHeader, demo: str, weak: bool = False,
        late: Callable[[Request], bool] = lambda request: False,
        content: Callable[[Request], bytes] = lambda request: request.body,
    ) -> None:  # fmt: skip
        super().__init__(covers=covers, digest=digest, carried=carried, demo=demo, weak=weak)
        self._stamp, self._late, self._content = stamp, late, content

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._stamp.who, *super().parts(settings)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        stamp = self._stamp
        if not self._carried.read(request):
            raise bad_signature(f"{self._carried.name} is missing")
        sender = request.header(stamp.sender).strip()
        held = [key for key in keys if same(sender, key.part(stamp.who.name))]
        if not held:
            raise bad_signature(f"{stamp.sender} is missing or nobody's", stamp.who.name)
        if stamp.nonce and not request.header(stamp.nonce):
            raise bad_signature(f"{stamp.nonce} is missing")
        self._check_moment(request, now)
        return super().verify(request, held, settings, now)

    def _check_moment(self, request: Request, now: datetime) -> None:
        name, text = self._stamp.moment, request.header(self._stamp.moment)
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise bad_signature(f"{name} is missing or no Unix time")
        if abs(int(text) - now.timestamp()) > WINDOW_SECONDS and not self._late(request):
            raise bad_signature(f"{name} is more than {WINDOW_SECONDS} s away")

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        """A moment and a nonce that stand there already stay: a sample is explained by its own."""
        stamp = self._stamp
        moment = request.header(stamp.moment) or str(int(now.timestamp()))
        made = hashlib.sha256(moment.encode() + b"." + request.body).hexdigest()[:32]
        values = keys[0].part(stamp.who.name), moment, request.header(stamp.nonce) or made
        return super().sign(request.put(*zip(stamp.names, values, strict=False)), keys, settings, now)

    def once(self, request: Request, settings: Any) -> tuple[str, bytes]:
        """Each sender has its own. *Two houses counted from one, and the win of the second was refused as a forgery.*"""
        stamp = self._stamp
        word = f"{request.header(stamp.sender).strip()}\x1f{request.header(stamp.nonce)}"
        return (word, self._content(request)) if stamp.nonce else ("", b"")

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        stamp, notes = self._stamp, (("sent beside it", ", ".join(self._stamp.names)),)
        return tuple(replace(proof, moments=(stamp.moment,), notes=notes) for proof in super().proofs(settings))


class Seen:
    """Words that are used once, as one process saw them: with the same content it is a repeat, with another one none.

    The oldest are forgotten where they are too many.
    """

    MOST = 200_000

    def __init__(self, lasts: timedelta = timedelta(minutes=10)) -> None:
        self._lasts, self._known = lasts, dict[tuple[str, str], tuple[datetime, bytes]]()

    def check(self, sender: str, word: str, content: bytes, now: datetime) -> None:
        """Raises `Refused` (bad_signature) where this word was used for something else."""
        self._forget(now)
        digest = hashlib.sha256(content).digest()
        _, known = self._known.setdefault((sender, word), (now, digest))
        if known != digest:
            raise bad_signature("the nonce was used before, for something else")

    def _forget(self, now: datetime) -> None:
        """In the order in which they came; a clock that went back lets them stay longer."""
        while self._known:
            first = next(iter(self._known))
            if len(self._known) < self.MOST and now - self._known[first][0] < self._lasts:
                return
            del self._known[first]
