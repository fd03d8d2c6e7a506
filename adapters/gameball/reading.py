"""The fields of Gameball's requests, read one by one: times, money, points, what is opaque."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.gameball import wire
from gateway.codec.fields import Fields, moment
from gateway.codec.units import Major
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import Flaw, Reason, Refused

UNIT = Major()
AHEAD_MAX = timedelta(minutes=5)
EXTRA_LENGTH_MAX = 4096  # of an opaque field; a longer one is dropped, not cut

_COMMON = ("email", "mobile", "merchant")  # opaque in every call
PROOF = ("hash", "otp", "ignoreOTP")  # of the customer, not of the request: passed through
_SECRET = frozenset({"apikey", "secretkey"})


def json_body(request: Request) -> Fields:
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(
            Reason.INVALID_REQUEST, "the content type is not application/json", field="Content-Type",
            flaw=Flaw.CONTENT_TYPE,
        )  # fmt: skip
    return Fields.of(request)


def extra_of(fields: Fields, documented: frozenset[str], *opaque: str) -> dict[str, str]:
    strange = fields.unknown(documented | frozenset((*_COMMON, *PROOF, "player_proof", *opaque)))
    kept = {name: text for name, text in strange.items() if name.lower() not in _SECRET}
    kept |= fields.opaque(*_COMMON, *opaque)
    if "hash" in kept:
        kept["player_proof"] = kept.pop("hash")
    return {name: text for name, text in kept.items() if text and len(text) <= EXTRA_LENGTH_MAX and "\0" not in text}


def time_of(fields: Fields, call: Call, default: str | None = None) -> datetime | None:
    """ISO 8601, without a zone UTC; more than five minutes ahead is 9007."""
    name = "transactionTime"
    text = fields.text(name) if default is None else fields.text(name, default)
    if not text:
        return None
    at = moment(text, name)
    if at - call.now > AHEAD_MAX:
        raise fields.wrong(name, Flaw.TOO_HIGH, "is in the future")
    return at


def money(fields: Fields, name: str, call: Call, *, signed: bool = False) -> Decimal | None:
    """Money in major units, None where it is absent or null."""
    if name not in fields:
        return None
    amount, number = fields.decimal(name)
    if amount < 0 and not signed:
        raise fields.wrong(name, Flaw.TOO_LOW, "is negative")
    return UNIT.read(amount, call.currency, call.currencies, name, number=number)


def points(fields: Fields, name: str, call: Call, *, signed: bool = False) -> Decimal | None:
    """Points as the money they are worth."""
    if name not in fields:
        return None
    count = fields.integer(name)
    if count < 0 and not signed:
        raise fields.wrong(name, Flaw.TOO_LOW, "is negative")
    return wire.money_of(count, call.settings.redemption_factor, name, call)


def one_of(fields: Fields, said: Mapping[str, Decimal | str | None], both: Flaw = Flaw.INVALID) -> str:
    """Which one of the alternatives is said. 0 beside another one is absent: the docs' own example."""
    there = [name for name, value in said.items() if value not in (None, "")]
    counted = [name for name in there if said[name] != 0]
    if len(counted) > 1:
        raise fields.wrong(counted[0], both, f"stands beside {counted[1]}")
    if counted:
        return counted[0]
    if there:
        raise fields.wrong(there[0], Flaw.TOO_LOW, "is zero")
    raise fields.wrong(next(iter(said)), Flaw.MISSING, f"is missing, and so is {' and '.join(list(said)[1:])}")
