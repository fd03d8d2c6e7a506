"""Attempts that overlap: what an old one says when another one was made meanwhile is no word about that one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.http import Response
from gateway.model import Declined, Kind, Reason
from tests.engine.acts import bet, undo
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, nothing_is_open, word
from tests.simulation.behaviours import Behaviour, Post, arrives, late, lost_after, lost_before
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


# ---------------------------------------------------------------- a no that comes late


def no_after(seconds: float, reason: Reason) -> Behaviour:
    """The wallet says no, moves nothing and remembers nothing; its answer comes so late."""

    async def behave(post: Post) -> Response:
        response = post.till.words(Declined(reason=reason), post.request)
        await post.bench.scheduler.sleep(seconds)
        return response

    return behave


@pytest.mark.parametrize("fate", [lost_after, late(25)], ids=["its answer lost", "its answer still to come"])
def test_rule_28_a_no_to_an_attempt_before_the_first_is_no_no_to_it(bench_of: MakeBench, fate: Behaviour) -> None:
    """The wallet refused a bet and its answer took long. Meanwhile a query said that it never came, its provider repeated it,
    it was asked as a first attempt and applied; then the old no arrived, and was taken for the answer to that one: the
    provider was told that the player has too little, and the stake was gone."""
    wallet = a_wallet("native", repeats=QUERY, tombstones=False, in_flight_max=timedelta(seconds=10))
    bench = bench_of("native", wallet)
    bench.till.then(no_after(25, Reason.INSUFFICIENT_FUNDS), fate, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.rest(12)
    bench.till.then(arrives, kind=Kind.STATUS)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.rest(20)
    bench.till.heal()
    bench.settlement(60, 5)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)
