"""Two processes on one journal: whatever comes between two steps of one of them, one truth is left."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.ends import Kept
from gateway.model import Capture, Kind, Reason, Release, Reserve
from tests.engine.acts import bet, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, SPLITTING, nothing_is_open, word
from tests.simulation.behaviours import late, lost_after, lost_before
from tests.simulation.bench import NEVER, Bench, Trip, a_call, a_provider, a_wallet, always, declaring

WALLETS = ("native", *SPLITTING)
OFFSETS = (0.0, 0.01, 0.03, 0.05, 0.07, 0.09, 0.13)
"""When the other node begins: before, between and after the trips of the first one to the journal."""
TRIP = 0.02


def rollbacks(bench: Bench) -> int:
    """How many the wallet applied."""
    return sum(entry.kind is Kind.ROLLBACK for entry in bench.till.purse.book)


# ---------------------------------------------------------------- history 7


@pytest.mark.parametrize("wallet", SPLITTING)
@pytest.mark.parametrize("offset", OFFSETS)
def test_rule_11_a_win_stops_no_cancel_that_another_node_is_sending(
    bench_of: MakeBench, wallet: str, offset: float
) -> None:
    """The cancel was told `already_settled`, the bet accepted and the win paid; and the wallet gave the stake back."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False, in_flight_max=timedelta(seconds=30)))
    slow = bench.second(Trip(TRIP))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.till.heal()
    bench.rest(40)
    bench.till.then(late(0.4), kind=Kind.ROLLBACK)
    call = bench.begin_at(slow, win("w1", of="b1"))
    bench.rest(offset)
    bench.look()
    bench.finish(call)
    bench.settlement(200)
    told = [word(bench.call(tx)) for tx in (undo("r1", "b1"), bet("b1"), win("w1", of="b1"))]
    given_back, balance = rollbacks(bench), bench.till.balance()
    assert (*told, given_back, balance) in [
        (Reason.ALREADY_SETTLED, ACCEPTED, ACCEPTED, 0, Decimal("1015.00")),
        (ACCEPTED, Reason.ALREADY_ROLLED_BACK, ACCEPTED, 1, Decimal("1025.00")),  # a win goes to its wallet (rule 15)
    ]
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_rule_11_a_cancel_beside_a_win_at_two_nodes_ends_in_one_truth(
    bench_of: MakeBench, wallet: str, offset: float
) -> None:
    """Both are read at once, of a bet in doubt."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False, in_flight_max=timedelta(seconds=5)))
    slow = bench.second(Trip(TRIP))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.rest(10)
    bench.till.always(late(0.1))
    calls = [bench.begin_at(slow, win("w1", of="b1"))]
    bench.rest(offset)
    calls.append(bench.begin(undo("r1", "b1")))
    for call in calls:
        bench.finish(call)
    bench.till.heal()
    bench.settlement(300, 1)
    cancelled, stands, won = [word(bench.call(tx)) for tx in (undo("r1", "b1"), bet("b1"), win("w1", of="b1"))]
    assert won == ACCEPTED
    if cancelled == ACCEPTED:  # a bet whose yes was heard before it was undone keeps its word
        assert stands in (Reason.ALREADY_ROLLED_BACK, ACCEPTED)
        assert (rollbacks(bench), bench.till.balance()) == (1, Decimal("1025.00"))
    else:
        assert (cancelled, stands) == (Reason.ALREADY_SETTLED, ACCEPTED)
        assert (rollbacks(bench), bench.till.balance()) == (0, Decimal("1015.00"))
    nothing_is_open(bench)


# ---------------------------------------------------------------- two cancels


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_rule_12_two_cancels_at_two_nodes_are_one_rollback(bench_of: MakeBench, wallet: str, offset: float) -> None:
    """Each looked, saw no other, and both were sent: a wallet that gives back twice has paid 10.00 for nothing."""
    bench = bench_of("native", wallet)
    slow = bench.second(Trip(TRIP))
    yes(bench.call(bet("b1")))
    bench.till.always(late(0.1), kind=Kind.ROLLBACK)
    calls = [bench.begin_at(slow, undo("r1", "b1"))]
    bench.rest(offset)
    calls.append(bench.begin(undo("r2", "b1")))
    for call in calls:
        bench.finish(call)
    bench.settlement(120, 1)
    told = sorted(word(bench.call(undo(id, "b1"))) for id in ("r1", "r2"))
    assert told == [ACCEPTED, Reason.ALREADY_ROLLED_BACK]
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("offset", OFFSETS)
def test_rule_17_parts_at_two_nodes_never_exceed_what_is_left(bench_of: MakeBench, offset: float) -> None:
    """60 and 60 of 100: no more than 100 come back, and the outcomes say what moved."""
    bench = bench_of("gameball", "native")
    slow = bench.second(Trip(TRIP))
    bench.call(bet("b1", "100.00"))
    bench.till.always(late(0.1), kind=Kind.ROLLBACK)
    calls = [bench.begin_at(slow, undo("r1", "b1", "60.00"))]
    bench.rest(offset)
    calls.append(bench.begin(undo("r2", "b1", "60.00")))
    for call in calls:
        bench.finish(call)
    bench.settlement(120, 1)
    assert Decimal("900.00") < bench.till.balance() <= Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- a bet beside its tombstone


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("first", ["bet", "cancel"])
def test_rule_15_a_bet_beside_its_cancel_at_two_nodes_is_taken_by_neither_or_given_back(
    bench_of: MakeBench, wallet: str, offset: float, first: str
) -> None:
    """One node sees no bet, the other no tombstone: `transaction_not_found`, and the stake was taken."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    slow = bench.second(Trip(TRIP))
    both = [bet("b1"), undo("r1", "b1")]
    if first == "cancel":
        both.reverse()
    bench.till.always(late(0.1))
    calls = [bench.begin_at(slow, both[0])]
    bench.rest(offset)
    calls.append(bench.begin(both[1]))
    heard = {call.result().tx.id: word(call.result().outcome) for call in calls if bench.finish(call)}
    bench.settlement(300, 1)
    assert bench.till.balance() == Decimal("1000.00")
    again = word(bench.call(bet("b1")))
    assert again == (ACCEPTED if heard["b1"] == ACCEPTED else Reason.ALREADY_ROLLED_BACK)
    assert word(bench.call(undo("r1", "b1"))) in (ACCEPTED, Reason.TRANSACTION_NOT_FOUND)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("ends", [Release(reference="h1"), Capture(reference="h1")], ids=["release", "capture"])
def test_rule_15_a_reserve_beside_what_ends_it_at_two_nodes_holds_nothing(
    bench_of: MakeBench, offset: float, ends: Release | Capture
) -> None:
    """The end of it is read while the hold is being made elsewhere: nothing is held without an end."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    slow = bench.second(Trip(TRIP))
    bench.till.always(late(0.1))
    hold = a_call(Reserve(amount=Decimal("10.00")), "h1")
    calls = [bench.begin_at(slow, hold)]
    bench.rest(offset)
    calls.append(bench.begin(a_call(ends, "end")))
    for call in calls:
        bench.finish(call)
    bench.till.heal()
    bench.settlement(300, 1)
    ended = word(bench.call(a_call(ends, "end")))
    taken = ended == ACCEPTED and isinstance(ends, Capture)
    assert ended in (ACCEPTED, Reason.TRANSACTION_NOT_FOUND)
    assert bench.till.balance() == (Decimal("990.00") if taken else Decimal("1000.00"))
    nothing_is_open(bench)


# ---------------------------------------------------------------- one movement, two nodes


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_rule_24_a_repeat_at_another_node_waits_for_the_one_that_asks(
    bench_of: MakeBench, wallet: str, offset: float
) -> None:
    """A balancer sends it there: the wallet is asked once, and both hear the same."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    slow = bench.second(Trip(TRIP))
    bench.till.always(late(0.2), kind=Kind.DEBIT)
    calls = [bench.begin_at(slow, bet("b1"))]
    bench.rest(offset)
    calls.append(bench.begin(bet("b1")))
    assert [word(bench.finish(call).outcome) for call in calls] == [ACCEPTED, ACCEPTED]
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("offset", OFFSETS)
def test_rule_12_a_cancel_beside_the_clock_at_two_nodes_is_one_rollback(bench_of: MakeBench, offset: float) -> None:
    """The provider cancels at the moment at which its silence is over: it joins ours, or ours is not made."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)), "native")
    slow = bench.second(Trip(TRIP))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(15, 1)
    bench.till.always(late(0.1), kind=Kind.ROLLBACK)
    bench.rest(5.0)
    call = bench.begin_at(slow, undo("r1", "b1"))
    bench.rest(offset)
    bench.look()
    bench.finish(call)
    bench.till.heal()
    bench.settlement(300, 1, bench.process, slow)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert rollbacks(bench) == 1
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- a win that stands again


@pytest.mark.parametrize("offset", [*OFFSETS, None])
@pytest.mark.parametrize("first", ["cancel", "win"])
def test_rule_31_a_win_that_stands_again_beside_its_bets_cancel_is_as_if_one_of_them_came_first(
    bench_of: MakeBench, first: str, offset: float | None
) -> None:
    """A win whose rollback is undone ties to its bet again, and raises no revision of it: whoever decides about the bet at that
    moment may not have seen it. That is as if it had come before, for whether the win stands again hangs on nothing of the
    bet: nothing that was decided leaned on what was not seen. `None`: one after the other."""
    bench = bench_of(declaring("native", kept_by=always(Kept.ITS_WIN)))
    slow = bench.second(Trip(TRIP))
    for call in (bet("b1"), win("w1", of="b1"), undo("r1", "w1", kind=Kind.CREDIT)):
        yes(bench.call(call))
    again, cancel = undo("u1", "r1", kind=Kind.ROLLBACK), undo("c1", "b1")
    bench.till.then(late(0.1), kind=Kind.ROLLBACK)
    here, there = (again, cancel) if first == "cancel" else (cancel, again)
    begun = bench.begin_at(slow, there)
    if offset is None:
        bench.finish(begun)
    bench.rest(offset or 0.0)
    bench.finish(bench.begin(here))
    bench.finish(begun)
    bench.settlement(60)
    told = [word(bench.call(tx)) for tx in (again, cancel)]
    assert (*told, bench.till.balance()) in [
        (ACCEPTED, ACCEPTED, Decimal("1025.00")),
        (ACCEPTED, Reason.ALREADY_SETTLED, Decimal("1015.00")),
    ]
    nothing_is_open(bench)
