"""Batches whose wire names no currency: each item is completed and compared as if it had come alone (rules 2, 19, 21)."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from gateway.engine.states import State
from gateway.http import FORM_HEADERS, Request
from gateway.model import Kind
from tests.engine.acts import bet
from tests.engine.conftest import MakeBench
from tests.engine.histories import nothing_is_open
from tests.simulation.bench import PLAYER, Bench, a_provider, a_wallet

PLAY = {"userId": PLAYER, "gameId": "42", "roundId": "880011", "timestamp": "1760000100000", "roundDetails": "spin"}
WITH_PROMO = {"amount": "10.00", "reference": "w1", "promoWinAmount": "3.00", "promoWinReference": "w1p"}


def bench_for(bench_of: MakeBench, wallet: str = "native") -> Bench:
    """A provider without a currency of its own, as the dialect's wire has none."""
    bench = bench_of(a_provider("pragmatic_play", currency=""), a_wallet(wallet, currency=""))
    bench.launch()
    return bench


def result(bench: Bench, **fields: str) -> int:
    """The error that a `result` is answered with."""
    provider = bench.provider
    request = Request(
        method="POST", path="/result.html", headers=FORM_HEADERS, body=urlencode({**PLAY, **fields}).encode()
    )
    signed = provider.dialect.auth.sign(request, provider.keys, provider.settings, bench.scheduler.clock())
    found: int = json.loads(bench.raw(signed).body)["error"]
    return found


@pytest.mark.parametrize("wallet", ["native", "netgaming", "kyren", "pragmatic_play"])
def test_rule_19_the_wins_of_a_batch_without_a_currency_are_both_paid_once(bench_of: MakeBench, wallet: str) -> None:
    """The items' currency stayed blank, which no currency is: both wins were refused for ever, and stood in no journal."""
    bench = bench_for(bench_of, wallet)
    bench.call(bet("b1"))
    assert [result(bench, **WITH_PROMO) for _ in range(2)] == [0, 0]
    assert bench.till.balance() == Decimal("1003.00")
    nothing_is_open(bench)


def test_rule_02_an_item_has_the_content_of_the_same_movement_alone(bench_of: MakeBench) -> None:
    """The item had the currency that was found for its batch, the lone one had none: its repeat was another movement."""
    bench = bench_for(bench_of)
    bench.call(bet("b1"))
    assert result(bench, **WITH_PROMO) == 0
    alone = {name: text for name, text in WITH_PROMO.items() if not name.startswith("promo")}
    assert result(bench, **alone) == 0
    assert bench.till.balance() == Decimal("1003.00")


@pytest.mark.parametrize("odd", ["amount", "promoWinAmount"])
def test_rule_19_a_batch_with_an_amount_of_no_currency_moves_nothing(bench_of: MakeBench, odd: str) -> None:
    """Its other win would be paid, and its provider told that nothing was."""
    bench = bench_for(bench_of)
    bench.call(bet("b1"))
    assert result(bench, **{**WITH_PROMO, odd: "10.005"}) == 100
    assert bench.till.balance() == Decimal("990.00")
    assert result(bench, **WITH_PROMO) == 0
    assert bench.till.balance() == Decimal("1003.00")


def test_rule_21_wins_of_nobodys_currency_are_for_a_person(bench_of: MakeBench) -> None:
    """Owed money that nobody can say an amount of is not lost: somebody must look."""
    bench = bench_of(a_provider("pragmatic_play", currency=""), a_wallet("native", currency=""))
    assert result(bench, **WITH_PROMO) == 100
    assert {bench.row(Kind.CREDIT, id).state for id in ("w1", "promo:w1p")} == {State.PERSON}
    assert bench.till.balance() == Decimal("1000.00")
