"""Error tables: one table, read in both directions, total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from gateway.model import Reason

C = TypeVar("C")

Row = tuple[str, *tuple[Reason, ...]]
"""The text of a code, and the reasons that it says; it is heard as the first of them."""

_ALIKE = {Reason.SESSION_EXPIRED: Reason.NOT_AUTHENTICATED, Reason.NOT_AUTHENTICATED: Reason.SESSION_EXPIRED}


class ErrorTable(Generic[C]):
    """Reason -> code. A code that stands for several reasons is heard as the first of them.

    A reason without a row is said like `invalid_request`; `session_expired` and
    `not_authenticated` like each other. A code that is not in the table, or that the dialect
    also uses for doubt (`doubt`), is heard as doubt. `heard` are codes that we hear and never say.
    """

    def __init__(
        self, rows: Mapping[Reason, C], *, doubt: frozenset[C] = frozenset(), heard: Mapping[C, Reason] | None = None
    ) -> None:
        self._codes = dict(rows)
        self._reasons: dict[C, Reason] = dict(heard or {})
        for reason, code in rows.items():
            if code not in doubt:
                self._reasons.setdefault(code, reason)

    def code(self, reason: Reason) -> C:
        """The code that says `reason`."""
        for candidate in (reason, _ALIKE.get(reason), Reason.INVALID_REQUEST):
            if candidate is not None and candidate in self._codes:
                return self._codes[candidate]
        raise KeyError(reason)

    def reason(self, code: C) -> Reason | None:
        """What `code` means; None = doubt."""
        return self._reasons.get(code)


def of_rows(
    rows: Mapping[C, Row], *, doubt: frozenset[C] = frozenset(), heard: Mapping[C, Reason] | None = None
) -> ErrorTable[C]:
    """The table of a page that has a row for each code."""
    said = {reason: code for code, (_, *reasons) in rows.items() for reason in reasons}
    return ErrorTable(said, doubt=doubt, heard=heard)
