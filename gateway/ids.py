"""The ids that a wallet takes: what it may be told as it is, and what is made where it may not be (rule 3).

A domain has two parts that never meet: the ids that a provider's own may be, and those that are made. What is made
is a digest of who the movement is, so it is the same for ever; where a domain is so small that two digests may meet,
it says so (`scarce`), and the journal gives the later one the next (`turn` in `engine/identity.py`).
"""

from __future__ import annotations

import hashlib
import re
from typing import Protocol
from uuid import UUID

from msgspec import Struct

INT64_MAX = 2**63 - 1
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Ids(Protocol):
    """A wallet's domain of ids."""

    @property
    def scarce(self) -> bool:
        """Whether two movements of one wallet may come to be told as one, by chance: the journal looks."""
        ...

    def holds(self, id: str) -> bool:
        """Whether the wallet takes it as an id."""
        ...

    def keeps(self, id: str) -> bool:
        """Whether it may be told as it is, where that is wished for: the wallet takes it, and it is none that is made."""
        ...

    def made(self, plain: str, *, bare: bool = False) -> str:
        """An id for who is named by `plain`. `bare`: none is told as it is there, so `plain` itself may be one."""
        ...


def _digest(plain: str) -> bytes:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()


class TextIds(Struct, frozen=True):
    """Any text of up to `length_max` characters, which is 29 at the least. Made is a `~`, with which no provider's id
    begins, and a digest, of which 28 characters are 112 bits."""

    length_max: int = 128
    scarce: bool = False

    def holds(self, id: str) -> bool:
        return 0 < len(id) <= self.length_max

    def keeps(self, id: str) -> bool:
        return self.holds(id) and not (id.startswith("~") and len(id) == min(65, self.length_max))

    def made(self, plain: str, *, bare: bool = False) -> str:
        return plain if bare and self.holds(plain) else ("~" + _digest(plain).hex())[: self.length_max]


class UuidIds(Struct, frozen=True):
    """A UUID in its usual form. Made ones have the `version` that such wallets expect and begin with `0000`, which of
    a provider's own one in 65,536 does (a version 7 none since February 1970): that one is not told as it is. Upper case
    is not told as it is either: to a wallet it may be the same as lower case. 106 bits are the digest's."""

    version: int = 4
    scarce: bool = False

    def holds(self, id: str) -> bool:
        return _UUID.fullmatch(id) is not None

    def keeps(self, id: str) -> bool:
        return self.holds(id) and not id.startswith("0000")

    def made(self, plain: str, *, bare: bool = False) -> str:
        raw = bytearray(b"\x00\x00" + _digest(plain)[:14])
        raw[6] = raw[6] & 0x0F | self.version << 4
        raw[8] = raw[8] & 0x3F | 0x80  # the variant of RFC 9562
        return str(UUID(bytes=bytes(raw)))


class IntegerIds(Struct, frozen=True):
    """A positive integer below 2^63, as its decimal text. A provider's own has up to 18 digits; made ones have 19.

    8.2 * 10^18 of them are few: among a hundred million movements two meet with a chance of 6 in 10,000, among a
    thousand million with 6 in 100. So it is scarce.
    """

    scarce: bool = True

    def holds(self, id: str) -> bool:
        digits = id.isascii() and id.isdigit() and not id.startswith("0") and len(id) <= 19
        return digits and int(id) <= INT64_MAX

    def keeps(self, id: str) -> bool:
        return self.holds(id) and len(id) <= 18

    def made(self, plain: str, *, bare: bool = False) -> str:
        least: int = 10**18
        return str(least + int.from_bytes(_digest(plain), "big") % (INT64_MAX - least + 1))
