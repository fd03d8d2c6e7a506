"""Times as Unix milliseconds on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.model import Flaw, Reason, Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = Decimal(253402300799999)  # the end of the year 9999


def from_millis(millis: Decimal, field: str) -> datetime:
    """The moment, to the millisecond. Raises `Refused` (invalid_request) where there is none."""
    if not 0 <= millis <= _LAST:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is not a time", field=field, flaw=Flaw.INVALID)
    return _EPOCH + timedelta(milliseconds=int(millis))


def to_millis(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
