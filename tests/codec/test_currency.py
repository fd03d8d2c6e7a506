"""Currency codes as they stand on the wire."""

from __future__ import annotations

import pytest

from gateway.currency import Currencies
from gateway.model import Reason, Refused

CURRENCIES = Currencies({"BTC": 8, "MBTC": 5})


@pytest.mark.parametrize(
    ("said", "meant"),
    [("EUR", "EUR"), ("eur", "EUR"), ("Eur", "EUR"), ("BTC", "BTC"), ("btc", "BTC"), ("mBTC", "MBTC")],
)
def test_a_code_is_matched_exactly_and_then_without_regard_to_case(said: str, meant: str) -> None:
    """A provider that writes `usd` was told that the player has no such currency."""
    assert CURRENCIES.meant(said) == meant


def test_the_codes_of_aggregators_keep_their_letters() -> None:
    """Caleta's mBTC is a currency of its own; where two differ only in case, a third spelling is neither."""
    both = Currencies({"mBTC": 5, "MBTC": 2, "USDT_TRC20": 6, "uBTC": 2})
    assert [both.meant(said) for said in ("mBTC", "MBTC", "usdt_trc20", "UBTC")] == [
        "mBTC",
        "MBTC",
        "USDT_TRC20",
        "uBTC",
    ]
    with pytest.raises(Refused):
        both.meant("mbtc")


@pytest.mark.parametrize("said", ["", "XX", "EURO", "ZZZ", "XAU", "eur ", "ſek"])
def test_what_is_no_currency_is_refused(said: str) -> None:
    """Nobody guesses; a long s is no s."""
    with pytest.raises(Refused) as refused:
        CURRENCIES.meant(said)
    assert refused.value.reason is Reason.CURRENCY_MISMATCH
