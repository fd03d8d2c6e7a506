"""How many digits a currency has: ISO 4217, plus the codes that a configuration adds.

Source: the `iso4217` package, made from the tables of the ISO 4217 maintenance agency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

import iso4217
from msgspec import Struct

from gateway.model import Flaw, Reason, Refused

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,15}")  # mBTC, USDT_TRC20, 1INCH: as aggregators write them

ISO_DIGITS: Mapping[str, int] = {c.code: c.exponent for c in iso4217.Currency if c.exponent is not None}
"""Digits by upper-case code; codes without minor units (XAU, XXX, ...) are no money here."""


class Currencies(Struct, frozen=True):
    """The currencies of one configuration."""

    configured: Mapping[str, int] = {}

    def digits(self, code: str) -> int:
        """Digits behind the point. Raises `Refused` (currency_mismatch) for an unknown code."""
        found = self.configured.get(code)
        if found is None:
            found = ISO_DIGITS.get(code)
        if found is None:
            raise Refused(
                Reason.CURRENCY_MISMATCH, f"unknown currency {code[:12]!r}", field="currency", flaw=Flaw.INVALID
            )
        return found

    def meant(self, said: str) -> str:
        """The code that a wire says: matched exactly, else without regard to case. Raises like `digits`."""
        if self.knows(said):
            return said
        alike = [code for code in self.configured if code.lower() == said.lower()] if said.isascii() else []
        alike += [said.upper()] if said.isascii() and said.upper() in ISO_DIGITS and said.upper() not in alike else []
        if len(alike) == 1:  # of mBTC and MBTC nobody knows which one mbtc is
            return alike[0]
        self.digits(said)
        return said

    def knows(self, code: str) -> bool:
        return code in self.configured or code in ISO_DIGITS

    def exact(self, amount: Decimal, code: str, field: str = "amount") -> Decimal:
        """`amount` with exactly the currency's digits; `Refused` where that would change it."""
        digits = self.digits(code)
        fitted = amount.quantize(_QUANTUM[digits])
        if fitted != amount:
            raise Refused(
                Reason.INVALID_REQUEST, f"{field} has more digits than {code}", field=field, flaw=Flaw.INVALID
            )
        return fitted

    def text(self, amount: Decimal, code: str) -> str:
        """`12.50`, `150`, `1.250`: exactly the currency's digits, no exponent."""
        return f"{self.exact(amount, code):f}"

    def shown(self, balance: Decimal, code: str) -> Decimal:
        """A balance for display: the only thing that may be rounded, and only down."""
        return balance.quantize(_QUANTUM[self.digits(code)], rounding=ROUND_FLOOR)


_QUANTUM = [Decimal(1).scaleb(-n) for n in range(13)]
