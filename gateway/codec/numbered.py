"""Errors as pairs of a number and a word, where a wrong field has a number of its own for each flaw.

2001 to 2011 say how the field was wrong, the word says which one it was: a missing `amount` is
2001 `INVALID_AMOUNT`. Everything else is a row of the dialect's own table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import known
from gateway.model import Declined, Flaw, Outcome, Reason

Pair = tuple[int, str]

_PREFIX = "INVALID_"
_BODY = "request_body"  # `INVALID_REQUEST_BODY`: what is wrong is no single field
_NUMBERS: Mapping[Flaw, int] = {
    Flaw.MISSING: 2001,
    Flaw.NULL: 2002,
    Flaw.BLANK: 2003,
    Flaw.TOO_SHORT: 2004,
    Flaw.TOO_LONG: 2005,
    Flaw.NOT_INTEGER: 2008,
    Flaw.TOO_HIGH: 2009,
    Flaw.TOO_LOW: 2010,
}
_INVALID = 2006  # every other flaw: "not a valid string"
_FLAWS: Mapping[int, Flaw] = {
    **{number: flaw for flaw, number in _NUMBERS.items()},
    _INVALID: Flaw.INVALID,
    2007: Flaw.INVALID,  # an e-mail address: heard, never said
    2011: Flaw.TOO_LONG,  # "string too large", beside 2005 "too long": heard, never said
}


class NumberedErrors:
    """The table of one dialect, read in both directions.

    `doubt` are the pairs that mean "I do not know"; the first is the one we say. `also` are words
    that are heard and never said.
    """

    def __init__(
        self, rows: Mapping[Reason, Pair], *, doubt: Sequence[Pair], also: Mapping[str, Reason] | None = None
    ) -> None:
        self._rows, self._doubt = rows, tuple(doubt)
        numbers, words = (frozenset(half) for half in zip(*doubt, strict=True))
        self._pairs = ErrorTable(rows, doubt=frozenset(doubt))
        # A number of a flaw needs its word to mean more than that.
        alone = {reason: number for reason, (number, _) in rows.items() if number not in _FLAWS}
        self._by_number = ErrorTable(alone, doubt=numbers)
        self._by_word = ErrorTable({reason: word for reason, (_, word) in rows.items()}, doubt=words)
        self._also = also or {}

    def fields(self, outcome: Outcome) -> dict[str, Any]:
        """The fields of an error. A yes that is told here is one to nobody knows what, so doubt."""
        number, word = self._said(outcome) if isinstance(outcome, Declined) else self._doubt[0]
        message = outcome.message if isinstance(outcome, Declined) else ""
        return {"error_id": number, "error_code": word} | known(error_message=message)

    def _said(self, declined: Declined) -> Pair:
        found = self._rows.get(declined.reason)
        if found is not None:
            return found
        # `unsupported` has no row, and its `field` is no field of the wire.
        return _complaint(declined if declined.reason is Reason.INVALID_REQUEST else Declined(reason=declined.reason))

    def heard(self, number: int | None, word: str) -> Declined | None:
        """What a pair means; None = doubt. What is not there is None or blank; both must agree."""
        if number is not None and word:
            reason = self._pairs.reason((number, word))
        elif word:
            reason = self._by_word.reason(word) or self._also.get(word)
        else:
            reason = self._by_number.reason(number or 0)
        if reason is not None:
            return Declined(reason=reason)
        flaw = Flaw.INVALID if number is None else _FLAWS.get(number)
        about_a_field = word.startswith(_PREFIX) or (number is not None and not word)
        return _complaint_heard(flaw, word) if flaw and about_a_field else None


def _complaint(declined: Declined) -> Pair:
    name = declined.field or _BODY
    word = re.sub(r"[^A-Z0-9_]", "_", name.upper())[:64]
    return _NUMBERS.get(declined.flaw, _INVALID), _PREFIX + word


def _complaint_heard(flaw: Flaw, word: str) -> Declined:
    field = word.removeprefix(_PREFIX).lower()[:64]
    if field == _BODY and flaw is Flaw.INVALID:
        flaw = Flaw.UNPARSABLE
    return Declined(reason=Reason.INVALID_REQUEST, field=field, flaw=flaw)
