"""Histories that the exploration found (tests/explore/), each as short as it was found."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from gateway.engine.world import Silence
from gateway.http import Response
from gateway.model import Batch, Debit, Kind, Reason, Rollback, Unknown
from tests.engine.acts import bet, undo, win
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, nothing_is_open, word
from tests.simulation.behaviours import Post, late, lost_after
from tests.simulation.bench import a_call, a_wallet


def test_an_item_that_is_read_when_the_time_is_over_is_a_movement_all_the_same(bench_of: MakeBench) -> None:
    """The first bet of a batch took all the time; the second one failed with an exception, and nobody saw it."""
    bench = bench_of("native", "native")
    bench.till.always(late(20.0), kind=Kind.DEBIT)
    items = tuple(a_call(Debit(amount=Decimal(5)), id) for id in ("b1", "b2"))
    assert isinstance(bench.call(a_call(Batch(items=items, atomic=False))), Unknown)
    bench.rest(1)
    assert bench.row(Kind.DEBIT, "b2").attempts == 0
    bench.till.heal()
    bench.settlement(200)
    assert not bench.unresolved()


def test_a_refund_whose_part_may_have_moved_is_stopped_by_no_win(bench_of: MakeBench) -> None:
    """The bet was given back, the answer was lost, a win came: the refund was told that its round is closed."""
    bench = bench_of("kyren", "native")
    bench.call(bet("b1"))
    refund = replace(bet("b0"), act=Rollback(reference="b0", scope="round"), id="refund:b0")
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    assert word(bench.call(refund)) == DOUBT
    bench.call(win("w1"))
    bench.till.heal()
    assert word(bench.call(refund)) in (ACCEPTED, DOUBT)
    bench.settlement(200)
    assert word(bench.call(refund)) == ACCEPTED
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


async def _refused_late(post: Post) -> Response:
    """The connection is not made, and that takes its time."""
    await post.bench.scheduler.sleep(1.0)
    raise Silence("unreachable", "no connection", left=False)


def test_a_bet_of_which_nothing_left_is_not_denied_beside_its_win(bench_of: MakeBench) -> None:
    """Its cancel waited for it, its win came meanwhile: the cancel's look said that it never came, the win was paid."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    bench.till.then(_refused_late, kind=Kind.DEBIT)
    stake = bench.begin(bet("b1"))
    bench.rest(0.2)
    calls = [bench.begin(undo("r1", "b1")), bench.begin(win("w1", of="b1"))]
    for call in (stake, *calls):
        bench.finish(call)
    bench.settlement(200)
    told = [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"), win("w1", of="b1"))]
    assert told == [ACCEPTED, Reason.ALREADY_SETTLED, ACCEPTED]
    nothing_is_open(bench)
