"""What no other test here noticed when one rule was taken away (tests/simulation/bugs.py), each with its rule's number."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.engine import movement
from gateway.engine.states import State
from gateway.model import Batch, Declined, Kind, Reason, Transaction
from tests.engine.acts import bet, undo, win
from tests.engine.cases import NOW, done
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, forgetting, nothing_is_open, word
from tests.simulation.behaviours import arrives, late, lost_after, lost_before, says
from tests.simulation.bench import PLAYER, QUERY, Trip, a_call, a_provider, a_wallet

CAN_BE_ASKED, CANNOT = "native", "kyren"


@pytest.mark.parametrize("wallet", [CAN_BE_ASKED, CANNOT])
def test_rule_30_after_the_journal_forgot_a_new_bet_is_asked_although_its_wallet_is_strict(
    bench_of: MakeBench, wallet: str
) -> None:
    """Or nobody could play until everything on its way has landed."""
    bench = bench_of("native", a_wallet(wallet, repeats=QUERY))
    forgetting(bench)
    assert word(bench.call(bet("t1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")


def test_rule_30_a_plain_no_after_the_journal_forgot_is_doubt_and_a_persons(bench_of: MakeBench) -> None:
    """The first was applied, and emptied the purse; the repeat's `insufficient_funds` is no decision about it."""
    bench = bench_of("native", a_wallet(CANNOT, repeats=QUERY))
    assert word(bench.call(bet("t1"))) == ACCEPTED
    forgetting(bench)
    bench.till.then(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)))
    assert word(bench.call(bet("t1"))) == DOUBT
    assert bench.row(Kind.DEBIT, "t1").state is State.PERSON
    assert bench.till.asked(Kind.DEBIT) == 2


def of_two_and_a_win() -> Transaction:
    items = (bet("b1", "10.00"), bet("b2", "20.00"), win("w1", "50.00"))
    return a_call(Batch(items=items, atomic=True))


@pytest.mark.parametrize("wallet", ["netgaming", "scorpio_play"])
def test_rule_19_the_win_of_a_batch_whose_last_bet_is_declined_after_doubt_is_not_paid(
    bench_of: MakeBench, wallet: str
) -> None:
    """Its first bet is given back, and it is nobody's win."""
    bench = bench_of("native", a_wallet(wallet), opening={PLAYER: Decimal("25.00")})
    bench.till.then(arrives, *[lost_before] * 20, kind=Kind.DEBIT)
    assert word(bench.call(of_two_and_a_win())) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("25.00")
    assert bench.row(Kind.CREDIT, "w1").state is State.DECLINED
    assert bench.till.asked(Kind.CREDIT) == 0
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_09_settlement_asks_no_bet_again_that_nobody_waits_for(bench_of: MakeBench, wallet: str) -> None:
    """Its provider has given up and told the player so: who asks again takes the stake."""
    bench = bench_of("native", a_wallet(wallet))
    bench.till.always(lost_before)
    assert word(bench.call(bet("b1"))) == DOUBT
    asked = bench.till.asked(Kind.DEBIT)
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.asked(Kind.DEBIT) == asked
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_14_a_wallet_that_has_forgotten_a_bet_is_not_believed_that_there_was_none(
    bench_of: MakeBench, wallet: str
) -> None:
    """It took the stake; its honest `transaction_not_found` to the cancel hours later would keep it for ever."""
    bench = bench_of("native", a_wallet(wallet, remembers=timedelta(minutes=30)))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.rest(3600)
    bench.till.always(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.ROLLBACK)
    assert word(bench.call(undo("c1", "b1"))) == DOUBT
    assert not bench.row(Kind.ROLLBACK, "c1").decided


def test_rule_10_a_bet_whose_cancel_may_have_left_is_not_asked_although_a_win_came(bench_of: MakeBench) -> None:
    """The query says that it never arrived; asked now, its stake would be given back beside its win."""
    bench = bench_of("native", a_wallet("native", tombstones=True))
    bench.till.always(lost_before)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(undo("c1", "b1"))) == DOUBT
    assert bench.till.asked(Kind.ROLLBACK)
    asked = bench.till.asked(Kind.DEBIT)
    bench.till.heal()
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    assert word(bench.call(win("w1", of="b1"))) == ACCEPTED
    bench.settlement(300, 5)
    bench.till.heal()
    bench.settlement(300, 5)
    assert bench.till.asked(Kind.DEBIT) == asked
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


def test_rule_13_a_win_goes_to_the_wallet_once_its_bets_cancel_may_have_left(bench_of: MakeBench) -> None:
    """The wallet knows which came first; a win that waited for the bet would wait for ever."""
    bench = bench_of("native", a_wallet("netgaming", tombstones=True))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(undo("c1", "b1"))) == DOUBT
    assert word(bench.call(win("w1", of="b1"))) == ACCEPTED
    assert bench.till.asked(Kind.CREDIT) == 1


def test_rule_26_taking_a_hearing_away_is_final_for_that_call_in_any_order() -> None:
    """A lost commit makes us say either of them twice, and late."""
    heard = movement.told(done(bet("b1"), told="", told_at=None), "first", NOW)
    for own in (
        movement.unheard(heard, "first", NOW),
        movement.told(movement.unheard(heard, "first", NOW), "first", NOW),
    ):
        assert (own.told, own.names) == ("unknown", frozenset())
    both = movement.told(heard, "second", NOW)
    assert (
        movement.unheard(both, "first", NOW).told
        == movement.told(movement.unheard(both, "first", NOW), "first", NOW).told
        == "accepted"
    )


def test_rule_12_a_win_stops_the_clock_of_a_bet_that_was_accepted_after_doubt(bench_of: MakeBench) -> None:
    """Its stake would be given back beside its win: doubt was the last word about the bet, but the win says more."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=60)), "native")
    bench.till.always(lost_after)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(10, 1)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    assert word(bench.call(win("w1", of="b1"))) == ACCEPTED
    bench.settlement(300, 5)
    assert bench.till.balance() == Decimal("1015.00")
    assert bench.till.asked(Kind.ROLLBACK) == 0
    nothing_is_open(bench)


def test_rule_31_a_win_that_comes_while_its_bet_is_being_declined_elsewhere_completes_it(bench_of: MakeBench) -> None:
    """That node had looked before: no win. Its bet was declined as never applied, and the win was paid."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY))
    slow = bench.second(Trip(0.05))
    bench.till.always(lost_before)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.rest(300)
    bench.till.then(late(0.5), kind=Kind.STATUS)
    bench.look(slow)
    bench.rest(0.2)
    bench.call(win("w1", of="b1"))
    bench.settlement(300, 5)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("offset", [0.1, 0.15, 0.2, 0.225, 0.25, 0.3])
def test_rule_31_a_cancel_that_looked_before_the_win_came_is_not_sent_after_it(
    bench_of: MakeBench, offset: float
) -> None:
    """It leans on there being no win: what was read at another node is seen before its bytes leave."""
    trip = timedelta(seconds=0.05)
    bench = bench_of("native", a_wallet("netgaming", in_flight_max=timedelta(seconds=5)))
    slow = bench.second(Trip(trip.total_seconds()))
    bench.till.always(lost_after)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.rest(10)
    call = bench.begin_at(slow, undo("c1", "b1"))
    bench.rest(offset)
    bench.call(win("w1", of="b1"))
    bench.finish(call)
    bench.settlement(300, 5)
    cancel, came = bench.row(Kind.ROLLBACK, "c1"), bench.row(Kind.CREDIT, "w1").created_at
    assert cancel.asked_at is None or cancel.asked_at + trip <= came
    nothing_is_open(bench)


def test_rule_11_a_cancel_that_a_win_stops_is_not_declined_while_its_own_call_waits(bench_of: MakeBench) -> None:
    """Its bet is in doubt: settlement said `already_settled` to the call that was just to hear doubt."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    trip = Trip()
    slow = bench.second(trip)
    bench.till.always(lost_after)
    for tx in (bet("b1"), win("w1", of="b1")):
        assert word(bench.finish(bench.begin_at(slow, tx)).outcome) == DOUBT
    bench.rest(60)
    trip.stops_after, trip.stands_still = trip.made + 1, 0.5  # the cancel is in the journal, and its call looks next
    call = bench.begin_at(slow, undo("c1", "b1"))
    bench.look(slow)
    assert word(bench.finish(call).outcome) == DOUBT
    bench.till.heal()
    bench.settlement(300, 5, slow)
    assert word(bench.call(undo("c1", "b1"))) == Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


def test_rule_11_a_win_does_not_stop_a_cancel_once_its_provider_heard_that_the_bet_is_rolled_back(
    bench_of: MakeBench,
) -> None:
    """The repeat of the bet was told so; the win that comes after that word goes to the wallet."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(undo("c1", "b1"))) == DOUBT
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    bench.call(win("w1", of="b1"))
    bench.till.heal()
    bench.settlement(300, 2)
    told = [word(bench.call(tx)) for tx in (undo("c1", "b1"), bet("b1"), win("w1", of="b1"))]
    assert told == [ACCEPTED, Reason.ALREADY_ROLLED_BACK, ACCEPTED]
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)
