"""Proofs that are no digest under a shared secret: keys that are sent as they are, and RSA signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.auth.compare import same
from gateway.auth.keys import Key, live
from gateway.auth.rsa import PRIVATE, belongs, public_of
from gateway.cli import against_rsa
from gateway.cli.causes import OF_KEYS, Cause
from gateway.cli.readings import Reading, is_ours
from gateway.cli.trial import Suspect, Trial, both


class PlainTrial(Trial):
    """A key that is sent as it is. Nothing of it is shown, nor where another one differs from it."""

    _makers = OF_KEYS

    def right(self) -> str:
        keys = live(self._keys, self._now)
        return next((self._held.label(key, 0) for key in keys if self._is(key.part(self._proof.part))), "")

    @cached_property
    def _said(self) -> str:
        front = self._proof.before.strip()
        text = self._given.strip()
        return text[len(front) :].strip() if front and text.lower().startswith(front.lower()) else text

    def _is(self, wanted: str | bytes) -> bool:
        return bool(wanted) and same(self._said, wanted)

    def explained(self) -> list[str]:
        return next(([words] for words in self._words()), [])

    def _words(self) -> Iterator[str]:
        part = self._proof.part
        for key in self._keys:
            if self._is(key.part(part)):
                yield f"it is the {part} of key {key.id}, which holds no more since {key.until}"
        for label, other in self._strangers():
            if self._is(other.part(part)):
                yield f"it is another key: {label}"
        for key in self._keys:
            found = re.fullmatch(r"([A-Za-z]+)[ =:]+(.+)", self._said)
            if found and same(found[2], key.part(part)):
                wanted = (
                    f"{self._proof.before.strip()} is wanted there" if self._proof.before else "nothing is wanted there"
                )
                yield f"it is the {part} of key {key.id} behind the word {found[1]}: {wanted}"
            for cause in OF_KEYS:
                if cause.key and self._is(cause.key(key.part(part))):
                    yield f"it is {cause.words} ({part} of key {key.id})"

    def given_up(self) -> Iterator[str]:
        yield f"{self._proof.carried}: no common mistake explains it: another key"
        yield f"tried: {len(self._keys)} of its own, {len(self._others)} others of the configuration; of its own, too:"
        yield f"  {'; '.join(cause.words for cause in OF_KEYS)}"


class RsaTrial(Trial):
    """A signature of a private half, which the public one verifies."""

    _makers = ()

    def can(self, key: Key) -> bool:
        return public_of(key) is not None

    def _public(self, key: Key) -> RSAPublicKey:
        found = public_of(key)
        assert found
        return found

    @cached_property
    def _size(self) -> int:
        return self._public(self._keys[0]).key_size // 8 if self._keys else 0

    def _strangers(self) -> Iterator[tuple[str, Key]]:
        for key in self._keys:
            if not belongs(key):
                half = Key(id=key.id, parts={PRIVATE: key.part(PRIVATE)})
                yield f"the {PRIVATE} of key {key.id}, which is not the other half of its public_key", half
        for label, key in self._others:
            if key not in self._keys and self.can(key):
                yield label, key

    def fits(self, key: Key, text: bytes, cause: Cause | None = None) -> Reading | None:
        public = self._public(key)
        return next((way for way in self._long_enough if against_rsa.verifies(public, way.data, text)), None)

    @cached_property
    def _long_enough(self) -> list[Reading]:
        return [reading for reading in self._readings if len(reading.data) >= self._size]

    def _exact(self, key: Key, text: bytes) -> bool:
        found = self.fits(key, text)
        return found is not None and is_ours(found, self._proof)

    def explained(self) -> list[str]:
        lines = super().explained()
        return [*self._unpaired(), *lines] if lines else []

    def _unpaired(self) -> Iterator[str]:
        yield from (f"the halves of key {key.id} do not belong together" for key in self._keys if not belongs(key))

    def _by_makers(self, texts: Iterable[tuple[str, bytes]]) -> Iterator[Suspect]:
        for words, text in texts:
            for key in (*self._keys, *(key for _, key in self._strangers())):
                for way in self._long_enough:
                    if by := against_rsa.verified_as(self._public(key), way.data, text):
                        said = f"it is made by {by}, this dialect wants {self._proof.made} (key {key.id})"
                        yield both(words, said), text, way

    def facts(self) -> Iterator[str]:
        """What the keys say of a signature whose text nobody knows."""
        yield from self._unpaired()
        named = [(f"key {key.id}", key) for key in self._keys] + [*self._strangers()]
        made = [
            label
            for label, key in named
            for way in self._long_enough
            if against_rsa.made_with(self._public(key), way.data)
        ]
        if made:
            yield f"it was made with the other half of {made[0]}: the key is right, another text or another hash was signed"
        elif self._long_enough:
            yield "it was not made with the other half of any key here, by PKCS #1 v1.5: another key"

    def tried(self) -> Iterator[str]:
        yield from super().tried()
        yield f"  scheme: {'; '.join(words for words, *_ in against_rsa.schemes())}"
