"""Native JSON: what is shown of an amount that its currency does not have, and what is asked of a wallet."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.native.dialect import DIALECT
from gateway.codec.fields import Fields, Number
from gateway.codec.plain import transaction_from_plain, transaction_to_plain
from gateway.currency import Currencies
from gateway.dialect import Call
from gateway.model import Batch, Credit, Debit, Reason, Refused, Settle, Transaction

CALL = Call(now=datetime(2026, 1, 1, tzinfo=UTC), nonce="n-1", provider="acme")
FINE, WHOLE = Decimal("6.125"), Decimal("6.1200")


@pytest.mark.parametrize(
    ("amount", "text"), [(FINE, "6.125"), (WHOLE, "6.12"), (Decimal(6), "6.00"), (Decimal("-0"), "0.00")]
)
def test_an_amount_is_shown_as_it_was_said(amount: Decimal, text: str) -> None:
    """A win of 6.125 EUR waits for a person, who must see it; only what the currency has is written with its digits."""
    tx = Transaction(act=Credit(amount=amount), id="t-1", player="p", currency="EUR")
    assert transaction_to_plain(tx, "acme", Currencies())["amount"] == text


def test_a_currency_nobody_knows_is_still_refused() -> None:
    tx = Transaction(act=Credit(amount=FINE), id="t-1", player="p", currency="ZZZ")
    with pytest.raises(Refused) as refused:
        transaction_to_plain(tx, "acme", Currencies())
    assert refused.value.reason is Reason.CURRENCY_MISMATCH


@pytest.mark.parametrize(
    "act",
    [
        Credit(amount=FINE), Debit(amount=FINE), Settle(debit=Decimal(1), credit=FINE),
        Batch(items=(Transaction(act=Credit(amount=FINE), id="i-1"),)),
    ],
)  # fmt: skip
def test_a_native_wallet_is_never_asked_for_what_it_must_refuse(act: Credit | Debit | Settle | Batch) -> None:
    """It would say invalid_request for ever, and the win would be asked for again and again."""
    with pytest.raises(Refused, match="more digits"):
        DIALECT.encode_request(Transaction(act=act, id="t-1", player="p", currency="EUR"), CALL)


DESCRIBING = (
    "session", "game_id", "game_name", "game_type", "studio", "free_round_id", "channel", "occurred_at", "request_id", "extra",
)  # fmt: skip
OWED: dict[str, dict[str, str]] = {
    "credit": {"amount": "4.00"},
    "rollback": {"reference_kind": "debit", "reference_transaction_id": "t-0"},
    "release": {"reference_transaction_id": "t-0"},
}


@pytest.mark.parametrize("name", DESCRIBING)
@pytest.mark.parametrize("kind", OWED)
def test_what_only_describes_stops_nothing_that_is_owed(kind: str, name: str) -> None:
    """A win died of a channel called 2048, also in our own words. A bet may be refused for it."""
    said = {"provider": "acme", "transaction_id": "t-1", "player": "p-1", "currency": "EUR"}
    for odd in (Number("2048"), {"a": [Number("1")]}, "A" * 3000):
        fields = Fields({"kind": kind, **said, **OWED[kind], name: odd})
        assert transaction_from_plain(fields, Currencies())[0].kind.value == kind
        bet = Fields({"kind": "debit", **said, "amount": "4.00", name: odd})
        with pytest.raises(Refused):
            transaction_from_plain(bet, Currencies())
