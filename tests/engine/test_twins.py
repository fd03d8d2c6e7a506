"""One call twice at the same time, at one process: whatever the first is at just then, both hear what its wallet said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from gateway.model import Accepted, Transaction
from tests.engine.acts import bet, settle, win
from tests.engine.conftest import MakeBench
from tests.simulation.bench import NEVER, Bench, Process, Trip, a_wallet

A_TRIP_SECONDS = 0.02
LATER = [number * A_TRIP_SECONDS / 5 for number in range(30)]  # between the two


def _slow_journal(bench: Bench) -> Process:
    return bench.second(Trip(seconds=A_TRIP_SECONDS))


def _slow_turns(bench: Bench) -> Process:
    return bench.busy(A_TRIP_SECONDS)


@pytest.mark.parametrize("node", [_slow_journal, _slow_turns])
@pytest.mark.parametrize("tx", [bet(""), win(""), settle("")], ids=lambda tx: tx.kind.value)
def test_rule_28_who_asks_twice_at_once_hears_one_decision(
    bench_of: MakeBench, tx: Transaction, node: Callable[[Bench], Process]
) -> None:
    """*A wallet that may be asked once had answered, and its answer was on its way into the journal, or to the call that
    waited for it: the second call saw a bet that had been asked, and nothing in the air. It heard doubt at once and the
    first one yes; killed just then, the gateway had told nothing but doubt of a bet that stood.*"""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    process = node(bench)
    for number, seconds in enumerate(LATER):
        twin = replace(tx, id=f"t{number}")
        first = bench.begin_at(process, twin)
        bench.rest(seconds)
        second = bench.begin_at(process, twin)
        heard = [bench.finish(call).outcome for call in (first, second)]
        assert [each for each in heard if isinstance(each, Accepted)] == heard, f"after {seconds} s"
