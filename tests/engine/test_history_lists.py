"""Batches whose items lean on each other, or on what their call says for all of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.parts import items_of
from gateway.model import Batch, Kind, Reason, Round, Transaction
from tests.engine.acts import bet, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, nothing_is_open, refuses, word
from tests.simulation.behaviours import lost_after, lost_before
from tests.simulation.bench import ROUND, a_call, a_wallet


def batch(*items: Transaction, atomic: bool = True) -> Transaction:
    return a_call(Batch(items=items, atomic=atomic))


def test_rule_11_a_list_that_cancels_a_bet_before_its_win_cancels_both(bench_of: MakeBench) -> None:
    """The win, which stood as yet, stopped the cancel of its bet in doubt; then it was cancelled itself, and the stake
    stayed taken."""
    bench = bench_of("native", a_wallet("native"))
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.call(batch(bet("b1"), win("w1")))
    bench.till.heal()
    undoing = batch(undo("x1", "b1"), undo("x2", "w1", kind=Kind.CREDIT), atomic=False)
    outcome = bench.call(undoing)
    assert word(outcome) == ACCEPTED
    assert [word(item) for item in outcome.items] == [Reason.TRANSACTION_NOT_FOUND] * 2  # type: ignore[union-attr]  # accepted
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("provider", ["native", "softswiss"])
@pytest.mark.parametrize("settled", [True, False])
def test_rule_19_a_list_is_not_told_as_refused_while_its_win_stays_paid(
    bench_of: MakeBench, provider: str, settled: bool
) -> None:
    """Both were in doubt, the bet alone was cancelled, and the list came again, before its win was settled or after: its
    provider heard that it was rolled back, and the win stayed paid."""
    bench = bench_of(provider, "native")
    bench.till.always(lost_after, kind=Kind.CREDIT)
    list_ = batch(bet("b1"), win("w1"))
    assert word(bench.call(list_)) == DOUBT
    assert word(bench.call(batch(undo("c1", "b1"), atomic=False))) == ACCEPTED
    bench.till.heal()
    bench.settlement(300 if settled else 1, 1)
    assert word(bench.call(list_)) == DOUBT
    bench.settlement(300, 5)
    assert bench.till.balance() == Decimal("1025.00")
    assert word(bench.call(batch(undo("c2", "w1", kind=Kind.CREDIT), atomic=False))) == ACCEPTED
    assert word(bench.call(list_)) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_18_the_round_that_a_batch_closes_is_closed_by_its_last_item() -> None:
    """The bet told its wallet that the round was over, before its win came."""
    silent = tuple(replace(item, round=None) for item in (win("w1"), bet("b1"), bet("b2")))
    said = items_of(a_call(Batch(items=silent), closed=True), Batch(items=silent))
    assert [(item.id, item.round) for item in said] == [
        ("w1", Round(ROUND, True)), ("b1", Round(ROUND)), ("b2", Round(ROUND)),
    ]  # fmt: skip


def test_an_item_keeps_a_round_of_its_own() -> None:
    items = (win("w1", closed=False), bet("b1", closed=True))
    said = items_of(a_call(Batch(items=items), closed=True), Batch(items=items))
    assert [item.round for item in said] == [Round(ROUND, False), Round(ROUND, True)]


def test_rule_6_that_nothing_was_there_is_no_contradiction_of_what_moved_nothing(bench_of: MakeBench) -> None:
    """A wallet took a win of zero for the end of its round, and knows no such movement: its cancel waited for a person, and
    so did that of the lost settle it was a part of, while the stake stayed taken."""
    bench = bench_of("native", a_wallet("native"))
    assert word(bench.call(win("w1", "0.00"))) == ACCEPTED
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), Kind.ROLLBACK)
    assert word(bench.call(undo("x1", "w1", kind=Kind.CREDIT))) == Reason.TRANSACTION_NOT_FOUND
    nothing_is_open(bench)


def test_rule_8_the_balance_of_a_list_is_that_after_its_last_movement(bench_of: MakeBench) -> None:
    """A list of a win and a bet showed the balance between them."""
    bench = bench_of("native", "netgaming")
    assert yes(bench.call(batch(win("w1"), bet("b1")))).balance == Decimal("1015.00")
