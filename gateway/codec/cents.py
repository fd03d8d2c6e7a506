"""Money as whole numbers: hundredths of the major unit whatever the currency, or ISO 4217 minor units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from gateway.call import Call
from gateway.codec.fields import Fields, Number
from gateway.codec.form import Draft, Line
from gateway.codec.form import currency as currency_line
from gateway.codec.frame import amount_of, needed
from gateway.codec.units import Scaled, bounded
from gateway.currency import Currencies
from gateway.model import Flaw, Reason, Refused, Transaction

WireScale = Literal["fixed2", "iso4217"]
UNITS: Mapping[WireScale, Scaled] = {"fixed2": Scaled(2), "iso4217": Scaled(None)}

_LENGTH_MAX = 30  # digits; more is nobody's money


def read_whole(fields: Fields, name: str) -> int:
    """What a movement moves: `100`, `100.0`, `1e2` or the text `"100"`; never negative, never a fraction."""
    found = fields.value(name)
    if isinstance(found, str):
        _check_form(fields, name, found)
    whole = fields.integer(name)
    if whole < 0:
        raise fields.wrong(name, Flaw.TOO_LOW, "is negative")
    return whole


def _check_form(fields: Fields, name: str, found: str) -> None:
    digits = found.removeprefix("-")
    only_digits = digits.isascii() and digits.isdigit()
    if only_digits and len(digits) > _LENGTH_MAX:
        flaw = Flaw.TOO_HIGH if digits == found else Flaw.TOO_LOW
        raise fields.wrong(name, flaw, "is out of bounds")
    # A number may be spelled 1e2, a text may not: whoever writes texts writes digits.
    if found.strip() and not only_digits and not isinstance(found, Number):
        raise fields.wrong(name, Flaw.NOT_INTEGER, "is not an integer")


def read_balance(fields: Fields, name: str, unit: Scaled, currency: str, currencies: Currencies) -> Decimal:
    """A balance, as number or text; it may be negative, and where the wire is finer it is rounded down."""
    whole = Decimal(fields.integer(name))
    return currencies.shown(bounded(whole.scaleb(-unit.scale(currency, currencies)), name), currency)


def read_currency(fields: Fields, name: str, currencies: Currencies) -> str:
    """A currency we know, in any case; as it is configured, or in capitals, from here on."""
    try:
        return currencies.meant(fields.text(name))
    except Refused as refused:
        if refused.reason is not Reason.CURRENCY_MISMATCH:
            raise
        raise fields.wrong(name, Flaw.INVALID, "is no currency we know") from None


# ---------------------------------------------------------------- lines


def unit_of(call: Call) -> Scaled:
    """By the dialect's setting `wire_scale`."""
    scale: WireScale = call.settings.wire_scale
    return UNITS[scale]


def money(amount: str, currency: str) -> tuple[Line, Line]:
    """The lines of what a movement moves and of its currency, in either order: the later one knows both."""

    def exact(whole: int, draft: Draft, call: Call) -> Decimal:
        return unit_of(call).read(whole, draft.currency, call.currencies, amount)

    def read_amount(fields: Fields, draft: Draft, call: Call) -> None:
        draft.whole = read_whole(fields, amount)
        if draft.currency:
            draft.amount_if_any = exact(draft.whole, draft, call)

    def read_code(fields: Fields, draft: Draft, call: Call) -> None:
        draft.currency = read_currency(fields, currency, call.currencies)
        if draft.whole is not None:
            draft.amount_if_any = exact(draft.whole, draft, call)

    def write_amount(tx: Transaction, call: Call) -> int:
        return unit_of(call).write(amount_of(tx), needed("currency", tx.currency), call.currencies)

    return Line(amount, read_amount, write_amount), Line(currency, read_code, currency_line(currency).write)
