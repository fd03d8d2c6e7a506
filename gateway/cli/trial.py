"""One proof, made in every way that senders are known to make it: the search behind `gateway sign --against`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import combinations

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.keys import Key, live
from gateway.auth.steps import Hashing, Proof, as_found, hashing_of, steps_of
from gateway.cli.causes import OF_DIGESTS, OF_KEYS, OF_REQUESTS, OF_TEXTS, OF_WHOLES, Cause, declared, of_moments
from gateway.cli.causes_fields import OF_FIELDS, of_these_fields
from gateway.cli.readings import Reading, bare, hit, likeliest, parts, readings, remarks
from gateway.engine.setup import Provider, Wallet
from gateway.http import Request
from gateway.model import Refused

Entry = Provider | Wallet
TRIES_MOST = 100_000
AROUND = 24  # letters of a text that are shown on either side of where two differ
NOTHING = "no common mistake explains it: another secret, or another text"
Suspect = tuple[str, bytes, Reading]
"""What was done otherwise, the text that this gives, and how the signature was read."""


class Held(Struct, frozen=True, kw_only=True):
    """A proof that an entry asks for, and the keys that make it. `whose`: what its keys are called."""

    proof: Proof
    keys: tuple[Key, ...]
    whose: str

    @property
    def guards(self) -> bool:
        """Whether it is the configuration's, and not the dialect's own."""
        return self.whose != "key"

    def label(self, key: Key, number: int) -> str:
        if self.proof.covers is None:
            return " ".join(filter(None, (f"the {self.proof.part} of", self.whose, key.id, f"({self.proof.carried})")))
        if not self.guards:
            return f"signature {number} of key {key.id}"
        return " ".join(filter(None, ("the hmac of", self.whose, key.id)))


class Trial:
    """One proof, made in every way that senders are known to make it."""

    def __init__(
        self, entry: Entry, held: Held, request: Request, signed: Request, given: str,
        others: Sequence[tuple[str, Key]], now: datetime, quiet: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._entry, self._held, self._proof = entry, held, held.proof
        self._given, self._others, self._now, self._quiet = given, others, now, quiet
        self._keys = [key for key in held.keys if self.can(key)]
        stamped = all(request.header(name) for name in held.proof.moments)
        self._base = request if stamped and self._texts_of(request) else signed
        self._left = TRIES_MOST
        self._unshown = set[bytes]()  # texts in which nobody would find what is to be hidden

    # ------------------------------------------------------------ what is made of a key

    _makers: Sequence[Cause] = (*OF_KEYS, *OF_DIGESTS)

    def can(self, key: Key) -> bool:
        return self._proof.part in key.parts

    @cached_property
    def _hashing(self) -> Hashing | None:
        return hashing_of(self._proof.digest) if self._proof.digest else None

    @cached_property
    def _readings(self) -> list[Reading]:
        return readings(self._given, self._proof)

    @cached_property
    def _size(self) -> int:
        """How many bytes a proof holds."""
        return len(self._digest(self._keys[0], b"")) if self._keys else 0

    def _digest(self, key: Key, text: bytes) -> bytes:
        assert self._proof.digest
        return self._proof.digest(key, text)

    def fits(self, key: Key, text: bytes, cause: Cause | None = None) -> Reading | None:
        """The reading that this text under this key gives, by that key or digest made otherwise."""
        self._left -= 1
        if self._left < 0:
            return None
        try:
            if cause is None:
                return hit(self._readings, self._digest(key, text))
            if self._hashing is None:  # its dialect says nothing of its digest: the key can be another one all the same
                return None
            secret = key.part(self._proof.part)
            used = cause.key(secret) if cause.key else self._hashing.key_of(secret)
            return hit(self._readings, (cause.digest or declared)(self._hashing, used, text))
        except (Refused, ValueError):
            return None

    def _strangers(self) -> Iterator[tuple[str, Key]]:
        """Each part of any other key, as if it were this proof's."""
        own = self._keys[0].parts if self._keys else {}
        for label, key in self._others:
            for part, text in key.parts.items():
                if part != self._proof.part or key not in self._keys:
                    yield f"{label}, its {part}", Key(id=key.id, parts={**own, self._proof.part: text})

    # ------------------------------------------------------------ what is signed

    def _texts_of(self, request: Request) -> list[bytes]:
        try:
            return self._proof.texts(request, self._entry.settings)
        except (Refused, ValueError, RecursionError):
            return []

    @cached_property
    def _texts(self) -> list[bytes]:
        return self._texts_of(self._base)

    @cached_property
    def _causes(self) -> list[Cause]:
        """Everything that a sender may have signed otherwise, and that this scheme can vary."""
        assert self._proof.covers
        composed = steps_of(self._proof.covers, self._base).fields if self._texts else None
        said = composed.found(self._base, self._entry.settings) if composed else ()
        by_names = [*of_these_fields(said)]  # of a list of the page's they say more than any other order
        fields = [*by_names, *OF_FIELDS] if composed and composed.order is as_found else [*OF_FIELDS, *by_names]
        fields = fields if composed else []
        return [*fields, *OF_REQUESTS, *OF_WHOLES, *OF_TEXTS, *of_moments(self._proof, self._base, self._now)]

    def _made(self, *causes: Cause) -> list[bytes]:
        """What is signed with these changes, in each spelling; nothing where they change nothing."""
        request, texts = self._base, self._texts
        try:
            for cause in causes:
                request = cause.request(request) if cause.request else request
            if request is not self._base:
                texts = [] if request == self._base else self._texts_of(request)
            if any(cause.fields for cause in causes):
                assert self._proof.covers
                composed = steps_of(self._proof.covers, request).fields
                composed = replace(composed, own=self._proof.own) if composed else None
                for cause in causes:
                    composed = cause.fields(composed) if cause.fields and composed else composed
                texts = [composed.written(request, self._entry.settings)] if composed else []
            if whole := next((cause.instead for cause in causes if cause.instead), None):
                texts = [whole(request)]
            for cause in causes:
                texts = [cause.text(text) for text in texts] if cause.text else texts
        except (Refused, ValueError, RecursionError):
            return []
        if not all(cause.shown for cause in causes):
            self._unshown.update(texts)
        return texts

    def _others_texts(self) -> Iterator[tuple[Cause, bytes]]:
        """Each other text once, with the likeliest cause for it."""
        seen = set(self._texts)
        for cause in self._causes:
            for text in self._made(cause):
                if text not in seen:
                    seen.add(text)
                    yield cause, text

    # ------------------------------------------------------------ the verdict

    def right(self) -> str:
        """What it is, where it is right; else blank."""
        for number, text in enumerate(self._texts, 1):
            for key in live(self._keys, self._now):
                if self._exact(key, text):
                    return self._held.label(key, number)
        return ""

    def _exact(self, key: Key, text: bytes) -> bool:
        try:
            wanted = self._proof.proof(key, text)
        except (Refused, ValueError):
            return False
        wanted = bare(wanted, self._proof)
        each = parts(self._given, self._proof)
        return any(same(part.lower() if self._proof.folded else part, wanted) for part in each)

    def explained(self) -> list[str]:
        """The likeliest cause that gives this very signature, and where the signed texts differ; nothing where none does."""
        for words, text, reading in self._suspects() if self._readings else ():
            return [
                *remarks(reading, self._proof, self._size, right=not words),
                *filter(None, (words,)),
                *self._apart(text),
            ]
        return []

    def _suspects(self) -> Iterator[Suspect]:
        keys = live(self._keys, self._now)
        for key in self._keys:
            for text in self._texts:
                if found := self.fits(key, text):
                    ended = key.until and key not in keys
                    gone = f"it is signature 1 of key {key.id}, which holds no more since {key.until}" if ended else ""
                    yield gone, text, found
        yield from self._by_others(("", text) for text in self._texts)
        near = []
        for cause, text in self._others_texts():
            for key in self._keys:
                if found := self.fits(key, text):
                    yield f"{cause.said} ({self._held.label(key, 1)})", text, found
            near += [] if cause.alone else [(cause.said, text)]
        yield from self._by_makers(("", text) for text in self._texts)
        yield from self._by_others(near)
        yield from self._by_makers(near)
        yield from self._by_two({*self._texts, *(text for _, text in near)})

    def _by_others(self, texts: Iterable[tuple[str, bytes]]) -> Iterator[Suspect]:
        keys = [*self._strangers()]
        for words, text in texts:
            for label, key in keys:
                if found := self.fits(key, text):
                    yield both(words, f"it is made with another key: {label}"), text, found

    def _by_makers(self, texts: Iterable[tuple[str, bytes]]) -> Iterator[Suspect]:
        for words, text in texts:
            for cause in self._makers:
                for key in self._keys:
                    if found := self.fits(key, text, cause):
                        yield f"{both(words, cause.said)} ({self._held.label(key, 1)})", text, found

    def _by_two(self, seen: set[bytes]) -> Iterator[Suspect]:
        """Two steps done otherwise, which gives another text than those that were seen."""
        causes = [cause for cause in self._causes if not cause.alone]
        for one, other in combinations(causes, 2):
            if one.text or one.instead or (one.request and other.request):
                continue
            for text in self._made(one, other):
                if text not in seen:
                    seen.add(text)
                    for key in self._keys:
                        if found := self.fits(key, text):
                            yield f"{both(one.said, other.said)} ({self._held.label(key, 1)})", text, found

    def _apart(self, text: bytes) -> list[str]:
        """Where that text and ours differ, what is secret hidden before anything is cut out of it."""
        if not self._texts or text in (*self._texts[:1], *self._unshown):
            return []
        theirs, ours = (self._quiet(each.decode(errors="backslashreplace")) for each in (text, self._texts[0]))
        if theirs == ours:
            return ["the signed texts differ within what is hidden (--show-sessions)"]
        at = _first(theirs, ours)
        cut = slice(max(0, at - AROUND), at + AROUND)
        where = f"from character {at + 1} on" if at < min(len(theirs), len(ours)) else f"after character {at}"
        return [f"the signed texts differ {where}:\n  given: {theirs[cut]!r}\n  ours:  {ours[cut]!r}"]

    def given_up(self) -> Iterator[str]:
        """What is to be said where nothing explains it: of its form, and what was tried."""
        likely = likeliest(self._readings, self._proof, self._size)
        if likely is None:
            yield "it is neither hex nor base64: cut, or not the signature alone"
        else:
            yield from remarks(likely, self._proof, self._size, right=False)
        yield from self.facts()
        yield NOTHING
        yield from self.tried()
        for key in [key for key in self._keys[:1] if self._proof.part in key.parts]:
            for text in self._texts[:1]:
                yield difference(self._quiet(self._given), self._proof.proof(key, text))

    def facts(self) -> Iterator[str]:
        return iter(())

    def tried(self) -> Iterator[str]:
        by_step: dict[str, dict[str, None]] = {}
        for cause in (*self._causes, *self._makers):
            by_step.setdefault(cause.step, {})[cause.listed or cause.words] = None
        yield "tried, alone and by twos:"
        yield f"  whose key: {len(self._keys)} of its own, {len(self._others)} others of the configuration"
        yield from (f"  {step}: {'; '.join(words)}" for step, words in by_step.items())


def both(*words: str) -> str:
    return ", and ".join(filter(None, words))


def _first(one: str, other: str) -> int:
    """Where two texts differ first; behind the shorter one, if not before."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def difference(given: str, ours: str) -> str:
    at = _first(given, ours)
    where = f"from character {at + 1} on" if at < min(len(given), len(ours)) else f"after character {at}"
    return f"they differ {where}:\n  given: {given}\n  ours:  {ours}"
