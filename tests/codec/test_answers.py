"""What several dialects make of answers: tables of errors, balances, one answer for several wins."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, Number
from gateway.codec.units import Major
from gateway.codec.wins import one_of
from gateway.currency import Currencies
from gateway.model import Accepted, Declined, Outcome, Reason, Unknown

TABLE = ErrorTable(
    {Reason.INVALID_REQUEST: 7, Reason.ROUND_CLOSED: 120, Reason.ALREADY_SETTLED: 120, Reason.UNSUPPORTED: 100},
    doubt=frozenset({100}),
    heard={3: Reason.LIMIT_EXCEEDED},
)


def test_a_code_may_be_heard_and_never_said() -> None:
    assert TABLE.reason(3) is Reason.LIMIT_EXCEEDED
    assert TABLE.code(Reason.LIMIT_EXCEEDED) == 7
    assert (TABLE.reason(120), TABLE.reason(100), TABLE.reason(99)) == (Reason.ROUND_CLOSED, None, None)


@pytest.mark.parametrize(
    ("said", "currency", "balance"),
    [
        (Number("20"), "EUR", "20.00"),
        ("20.5", "EUR", "20.50"),
        (Number("20.009"), "EUR", "20.00"),
        (Number("-3.101"), "EUR", "-3.11"),
        (Number("19.499999999999996"), "EUR", "19.50"),
        (Number("1500.9"), "JPY", "1500"),
        (Number("1e400"), "EUR", None),
        ("", "EUR", None),
        ("twenty", "EUR", None),
        (True, "EUR", None),
        (None, "EUR", None),
        (Number("20"), "NONE", None),
    ],
)
def test_a_balance_is_heard_and_rounded_only_down(said: object, currency: str, balance: str | None) -> None:
    heard = Major().heard(Fields({"cash": said}), "cash", currency, Currencies())
    assert heard == (None if balance is None else Decimal(balance))


A = Accepted(wallet_id="w-1", balance=Decimal(10), currency="EUR")
B = Accepted(wallet_id="w-2", balance=Decimal(13), bonus=Decimal(1), currency="EUR")
NO = Declined(reason=Reason.PLAYER_BLOCKED)


@pytest.mark.parametrize(
    ("batch", "answer"),
    [
        (Accepted(items=(A, B)), Accepted(wallet_id="w-1", balance=Decimal(13), bonus=Decimal(1), currency="EUR")),
        (Accepted(items=(A, Accepted(wallet_id="w-2"))), A),
        (Accepted(items=(A, B), balance=Decimal(20), currency="EUR"), Accepted(wallet_id="w-1", balance=Decimal(20), currency="EUR")),
        (Accepted(items=(NO, Declined(reason=Reason.LIMIT_EXCEEDED))), NO),
    ],
)  # fmt: skip
def test_one_answer_for_several_wins(batch: Accepted, answer: Outcome) -> None:
    assert one_of(batch) == answer


@pytest.mark.parametrize("items", [(A, NO), (NO, A), (A, Unknown()), (NO, Unknown())])
def test_it_is_doubt_where_they_differ(items: tuple[Outcome, ...]) -> None:
    assert isinstance(one_of(Accepted(items=items)), Unknown)
