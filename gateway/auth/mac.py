"""HMAC whose key was hashed beforehand: a call pays for its own message only."""

from __future__ import annotations

import hashlib

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Mac:
    """RFC 2104: `hmac.digest`, at half of its price for a message as short as a call's."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes, algorithm: str) -> None:
        size = hashlib.new(algorithm).block_size
        block = secret if len(secret) <= size else hashlib.new(algorithm, secret).digest()
        block = block.ljust(size, b"\0")
        self._inner = hashlib.new(algorithm, block.translate(_INNER))
        self._outer = hashlib.new(algorithm, block.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()
