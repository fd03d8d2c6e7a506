"""Attempts that overlap: what an old one says when another one was made meanwhile is no word about that one."""

from __future__ import annotations

from decimal import Decimal

from gateway.model import Kind
from tests.engine.acts import bet, undo
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, nothing_is_open, word
from tests.simulation.behaviours import arrives, lost_after, lost_before
from tests.simulation.bench import QUERY, Bench, Trip, a_wallet

STANDS_STILL = 400.0


def stands_still(bench_of: MakeBench) -> Bench:
    """A node has written that it asks for a bet, and stands still before a byte of it leaves; long after that its provider
    repeats the bet at another node."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False))
    still = bench.second(Trip(stops_after=1, stands_still=STANDS_STILL))
    bench.begin_at(still, bet("b1"))
    bench.rest(STANDS_STILL / 2)
    return bench


def test_rule_24_a_node_that_wakes_up_takes_back_no_attempt_of_another_one(bench_of: MakeBench) -> None:
    """The other node found that the bet had never arrived, asked for it and heard yes; the first one woke up, wrote that its
    own attempt had not left, and so took away the only one that counted: the cancel was told as done, nothing was sent, and
    the stake stayed taken."""
    bench = stands_still(bench_of)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    bench.settlement(STANDS_STILL, 5)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_24_a_bet_that_another_node_asked_for_is_not_one_that_never_left(bench_of: MakeBench) -> None:
    """The same, and the answer to the other node was lost: the bet was declined, "it never reached the wallet", and its stake
    had been taken."""
    bench = stands_still(bench_of)
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.then(arrives, kind=Kind.STATUS)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert bench.till.balance() == Decimal("990.00")
    bench.settlement(STANDS_STILL, 5)
    bench.till.heal()
    bench.settlement(STANDS_STILL, 5)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)
