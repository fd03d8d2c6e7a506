"""Times as Unix milliseconds on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.call import Call
from gateway.codec.fields import Fields
from gateway.codec.form import Draft, Line
from gateway.model import Flaw, Reason, Refused, Transaction

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


def read_moment(fields: Fields, name: str, *, seconds: bool = True) -> datetime | None:
    """Milliseconds, or `seconds` where so few of them were long ago. In a form that is neither it is not known: it only
    describes."""
    try:
        found, _ = fields.decimal(name)
        return from_millis(found * 1000 if seconds and found < 10**11 else found, name)
    except Refused:
        return None


def moment(name: str, *, seconds: bool = True, as_text: bool = False) -> Line:
    """The line of when it happened, written in milliseconds: now, where nobody knows it."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.occurred_at = read_moment(fields, name, seconds=seconds)

    def write(tx: Transaction, call: Call) -> int | str:
        millis = to_millis(tx.occurred_at or call.now)
        return str(millis) if as_text else millis

    return Line(name, read, write)
