"""Ids on the wire."""

from __future__ import annotations

INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1


def integer(text: str, integer_max: int = INT64_MAX) -> int | None:
    """An id as the integer that it is; None where it is none, or too large a one."""
    # 007 is not 7: an id that would come back changed stays a text.
    if text.isascii() and text.isdigit() and len(text) <= 20 and str(int(text)) == text and int(text) <= integer_max:
        return int(text)
    return None


def integer_or_text(text: str, integer_max: int) -> int | str:
    """An id for a field that is documented as integer: bare if it is one and fits, else as it is."""
    number = integer(text, integer_max)
    return text if number is None else number


def told_id(id: str, word: str) -> str:
    """The id on a wallet's wire: a canonical one without the `word` that our decoder put before it, because two calls of the
    dialect may share an id (rule 1); an alias as it is. An alias has two colons, or none and a `~` before it, so the two
    never meet."""
    rest = id.removeprefix(word)
    return id if not rest or ":" in rest or rest.startswith("~") else rest
