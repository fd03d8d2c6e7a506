"""Rules 12, 24: when our own clock rings, and who may send while another process carries a movement."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.model import Kind, Reason, Transaction
from tests.engine.acts import bet, win
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, nothing_is_open, word
from tests.simulation.behaviours import lost_after, lost_before
from tests.simulation.bench import Trip, a_provider

# ---------------------------------------------------------------- 12


@pytest.mark.parametrize("id", ["b1", "b2", "b3", "b4", "b5"])
def test_rule_12_settlement_does_not_sleep_past_the_end_of_the_silence(bench_of: MakeBench, id: str) -> None:
    """The looks at a bet in doubt grow rarer, up to a minute; the player has the stake back when it is due."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=90)))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet(id))) == DOUBT
    bench.settlement(89, 0.5)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    bench.settlement(3, 0.5)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(bet(id))) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


# ---------------------------------------------------------------- 24


@pytest.mark.parametrize("trips", [1, 2, 3])
@pytest.mark.parametrize("call", [bet("x1"), win("x1")], ids=["debit", "credit"])
def test_rule_24_a_process_that_wakes_up_after_the_takeover_sends_nothing(
    bench_of: MakeBench, call: Transaction, trips: int
) -> None:
    """It had journalled its intent and stood still; meanwhile another process took over and asked."""
    bench = bench_of()
    stopped = bench.second(Trip(stops_after=trips, stands_still=12.0))
    first = bench.begin_at(stopped, call)
    bench.finish(first)
    bench.rest(6)
    assert word(bench.call(call)) == ACCEPTED
    bench.rest(30)
    assert bench.till.asked(call.kind) == 1
    nothing_is_open(bench)


@pytest.mark.parametrize("trips", [1, 2, 3])
@pytest.mark.parametrize("call", [bet("x1"), win("x1")], ids=["debit", "credit"])
def test_rule_24_a_lease_outlives_its_call_as_long_as_bytes_may_leave(
    bench_of: MakeBench, call: Transaction, trips: int
) -> None:
    """It wakes up a moment after its call's time: whoever took over by then would ask beside it."""
    bench = bench_of()
    stopped = bench.second(Trip(stops_after=trips, stands_still=5.0))
    first = bench.begin_at(stopped, call)
    bench.finish(first)
    bench.rest(0.5)
    second = bench.begin(call)
    bench.finish(second)
    bench.rest(30)
    assert bench.till.asked(call.kind) <= 1
