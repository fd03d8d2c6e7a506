"""HMAC whose key was hashed beforehand: a call pays for its own message only."""

from __future__ import annotations

import hmac


class Mac:
    """`hmac.digest`, with the state behind its key kept and copied a call."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes, algorithm: str) -> None:
        self._keyed = hmac.new(secret, digestmod=algorithm)

    def digest(self, message: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(message)
        return mac.digest()
