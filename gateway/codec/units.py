"""Units of money on the wire. A unit is a value: exact, or `Refused`. Only a balance is rounded, down."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from gateway.call import Call
from gateway.codec.fields import Fields, Number
from gateway.codec.form import Draft, Line
from gateway.codec.frame import amount_of
from gateway.currency import Currencies
from gateway.model import AMOUNT_MAX, Flaw, Reason, Refused, Transaction

ARTEFACT = Decimal("1e-9")  # how far a JSON number may stand from the amount that was meant
DIGITS_UNKNOWN = 8  # digits kept of a number whose currency is not known yet; `complete` checks them


class Major(Struct, frozen=True):
    """Major units: 12.5 is 12.50 EUR."""

    def read(self, amount: Decimal, currency: str, currencies: Currencies, field: str, *, number: bool) -> Decimal:
        """The amount. `number` (a JSON number, not a text) forgives a float's artefact."""
        bounded(amount, field)
        if number:
            digits = currencies.digits(currency) if currency else DIGITS_UNKNOWN
            rounded = round(amount, digits)
            if abs(rounded - amount) <= ARTEFACT:
                return _zero_unsigned(rounded)
        return _zero_unsigned(currencies.exact(amount, currency, field) if currency else amount)

    def write(self, amount: Decimal, currency: str, currencies: Currencies) -> Decimal:
        """Exactly the currency's digits."""
        return currencies.exact(amount, currency)

    def show(self, balance: Decimal, currency: str, currencies: Currencies) -> Decimal:
        return currencies.shown(balance, currency)

    def number(self, balance: Decimal, currency: str, currencies: Currencies) -> Number:
        """A balance as a JSON number: 97.5, 20, without superfluous zeros and without exponent. As it is, where nobody knows its
        currency."""
        return token(plain(self.show(balance, currency, currencies) if currencies.knows(currency) else balance))

    def heard(
        self, fields: Fields, name: str, currency: str, currencies: Currencies, *, minor: bool = False
    ) -> Decimal | None:
        """A balance in an answer, rounded down if it must be; None if there is none to be read. `minor`: it is told in minor
        units."""
        try:
            return self.balance(fields, name, currency, currencies, minor=minor)
        except Refused:
            return None

    def balance(
        self, fields: Fields, name: str, currency: str, currencies: Currencies, *, minor: bool = False
    ) -> Decimal:
        """The same where there must be one. Raises `Refused`."""
        amount, number = fields.decimal(name)
        if minor:
            amount = amount.scaleb(-currencies.digits(currency))
        bounded(amount, name)
        try:
            return self.read(amount, currency, currencies, name, number=number)
        except Refused:
            return currencies.shown(amount, currency)


class Scaled(Struct, frozen=True):
    """Integers: major units times 10 ** `digits`, the same for every currency (JPY 150 = 15000)."""

    digits: int | None = 2
    """None = the currency's own ISO 4217 digits."""

    def scale(self, currency: str, currencies: Currencies) -> int:
        return currencies.digits(currency) if self.digits is None else self.digits

    def read(self, amount: int, currency: str, currencies: Currencies, field: str) -> Decimal:
        """Raises `Refused` where the currency has no such amount (JPY 150.50)."""
        found = bounded(Decimal(amount).scaleb(-self.scale(currency, currencies)), field)
        try:
            return currencies.exact(found, currency, field)
        except Refused as refused:
            if refused.reason is Reason.CURRENCY_MISMATCH:
                raise
            raise Refused(refused.reason, refused.message, field=field, flaw=Flaw.NOT_INTEGER) from None

    def write(self, amount: Decimal, currency: str, currencies: Currencies) -> int:
        """Raises `Refused` (unsupported) where the wire cannot hold the amount exactly."""
        scaled = amount.scaleb(self.scale(currency, currencies))
        whole = scaled.to_integral_value()
        if whole != scaled:
            raise Refused(Reason.UNSUPPORTED, f"{amount:f} {currency} has no exact form on this wire", field="amount")
        return int(whole)

    def show(self, balance: Decimal, currency: str, currencies: Currencies) -> int:
        """A balance, rounded down where the wire is coarser than the currency."""
        return int(balance.scaleb(self.scale(currency, currencies)).__floor__())

    def heard(self, fields: Fields, name: str, currency: str, currencies: Currencies) -> Decimal | None:
        """A balance in an answer, rounded down if it must be; None if there is none to be read."""
        try:
            found = Decimal(fields.integer(name)).scaleb(-self.scale(currency, currencies))
            return currencies.shown(bounded(found, name), currency)
        except Refused:
            return None


def whole(amount: Decimal, field: str, *, number: bool) -> int:
    """An integer. `number` (a JSON number, not a text) forgives a float's artefact."""
    found = round(amount)
    if amount != found and not (number and abs(amount - found) <= ARTEFACT):
        raise Refused(Reason.INVALID_REQUEST, f"{field} is not an integer", field=field, flaw=Flaw.NOT_INTEGER)
    return found


def _zero_unsigned(amount: Decimal) -> Decimal:
    """`-0` is nothing less than zero, and would be shown as `-0.00`."""
    return amount if amount else abs(amount)


def bounded(amount: Decimal, field: str) -> Decimal:
    if abs(amount) >= AMOUNT_MAX:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is too large", field=field, flaw=Flaw.TOO_HIGH)
    return amount


def plain(amount: Decimal) -> Decimal:
    """The same amount without superfluous zeros and without exponent: 19989.5, 150, 0.3."""
    short = amount.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]  # finite


def token(amount: Decimal) -> Number:
    """An amount as the text of a JSON number, as it will be written."""
    return Number(f"{amount:f}")


def read_major(fields: Fields, name: str, currency: str, call: Call) -> Decimal:
    """An amount in major units, a text or a number."""
    amount, number = fields.decimal(name)
    return Major().read(amount, currency, call.currencies, name, number=number)


def in_major(name: str) -> Line:
    """The line of what a movement moves, as a text in major units with all digits of its currency. A number is understood,
    too; it stands behind the currency, where its call names one."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.amount_if_any = read_major(fields, name, draft.currency, call)

    def write(tx: Transaction, call: Call) -> str:
        amount = amount_of(tx)
        return f"{Major().write(amount, tx.currency, call.currencies) if tx.currency else amount:f}"

    return Line(name, read, write)
