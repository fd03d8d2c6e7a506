"""Clocks that step, and what a wallet remembers: when an absence is final, and when a no is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.drive import row_change
from gateway.engine.states import State
from gateway.model import Adjust, Kind, Reason, Reserve, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DOUBT,
    SPLITTING,
    listed,
    nothing_is_open,
    refuses,
    waits_for_a_person,
    word,
)
from tests.simulation.behaviours import late, lost_after, lost_before, queued, silent, unreachable
from tests.simulation.bench import NEVER, QUERY, Bench, a_call, a_provider, a_wallet, at_once

WALLETS = ("native", *SPLITTING)
STEP = timedelta(minutes=3)
APPLIED = {"debit": "applied", "credit": "applied", "rollback": "applied"}
ASKED = {
    "debit": bet("x1"),
    "settle": settle("x1"),
    "reserve": a_call(Reserve(amount=Decimal("10.00")), "x1"),
    "adjust": a_call(Adjust(amount=Decimal("-10.00")), "x1"),
}


def queued_at_a_query_wallet(bench_of: MakeBench, seconds: float = 40) -> Bench:
    """The bet is on its way for so long; the wallet can be asked, and buries nothing."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False))
    bench.till.then(queued(seconds), kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    return bench


def back_or_never(bench: Bench) -> None:
    """The cancelled bet is back, whatever arrived late; and its cancel says so."""
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(undo("r1", "b1"))) != DOUBT
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 14: 29


@pytest.mark.parametrize("step", [timedelta(minutes=3), timedelta(hours=5), timedelta(seconds=121)])
def test_rule_29_a_clock_that_jumped_ahead_makes_no_404_final(bench_of: MakeBench, step: timedelta) -> None:
    """The clock jumped three minutes, the query's 404 became final, and the queued bet arrived: 10.00 gone."""
    bench = queued_at_a_query_wallet(bench_of)
    bench.scheduler.skew = step
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.settlement(400)
    back_or_never(bench)


def test_rule_29_a_jump_that_settlement_sees_first_makes_no_404_final(bench_of: MakeBench) -> None:
    """Its own look notices it, too: nobody declines the bet before the time has really passed."""
    bench = queued_at_a_query_wallet(bench_of)
    bench.settlement(10)
    bench.scheduler.skew = STEP
    bench.settlement(300)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_29_a_jump_ahead_sends_no_rollback_too_early(bench_of: MakeBench, wallet: str) -> None:
    """Where the wallet cannot be asked, the rollback waits until nothing can be on its way."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    bench.till.always(queued(40), kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.scheduler.skew = STEP
    bench.call(undo("r1", "b1"))
    bench.settlement(400)
    back_or_never(bench)


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_29_a_jump_that_was_seen_is_not_forgotten_by_a_restart(bench_of: MakeBench, wallet: str) -> None:
    """In flight began again when it was seen; the next process knows no more than the journal tells it."""
    bench = bench_of("native", a_wallet(wallet, repeats=QUERY, tombstones=False))
    bench.till.then(queued(40), kind=Kind.DEBIT)
    call = bench.begin(bet("b1"))
    bench.rest(5)
    assert call.done()
    bench.settlement(2)
    bench.scheduler.skew = STEP
    bench.settlement(2)
    bench.crash()
    bench.restart()
    bench.call(undo("r1", "b1"))
    bench.settlement(400)
    back_or_never(bench)


def test_rule_29_a_jump_back_delays_nothing_owed(bench_of: MakeBench) -> None:
    """By five hours: an owed win was not looked at until the clock had caught up."""
    bench = bench_of()
    bench.till.then(*[lost_before] * 40, kind=Kind.CREDIT)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.settlement(20)
    bench.till.heal()
    bench.scheduler.skew = -timedelta(hours=5)
    bench.settlement(300)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


def test_rule_29_a_jump_back_delays_no_cancel_in_doubt(bench_of: MakeBench) -> None:
    """In flight begins again, and ends again: some minutes, not five hours."""
    bench = queued_at_a_query_wallet(bench_of)
    bench.call(undo("r1", "b1"))
    bench.scheduler.skew = -timedelta(hours=5)
    bench.settlement(600)
    back_or_never(bench)


def test_rule_29_a_jump_ahead_and_one_back_delay_no_cancel_in_doubt(bench_of: MakeBench) -> None:
    """The hours ahead were taken off what came after the jump back: for so long no 404 was final, and the cancel
    of a bet that had never arrived had no end."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False))
    bench.till.then(silent(20), kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.call(undo("r1", "b1"))
    for step in (timedelta(hours=2), -timedelta(hours=3)):
        bench.scheduler.skew = step
        bench.settlement(10)
    bench.settlement(600)
    back_or_never(bench)


def test_rule_29_a_jump_back_and_two_ahead_let_a_wallet_forget(bench_of: MakeBench) -> None:
    """What the clock was set back between two jumps ahead is time that passed: a cancel that its wallet denies comes
    to a person once the wallet does not remember its bet, and is not asked for hours longer."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False, remembers=timedelta(minutes=10)))
    assert word(bench.call(bet("b1"))) == ACCEPTED
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    for hours in (5, 2, 4):
        bench.scheduler.skew = timedelta(hours=hours)
        bench.settlement(10)
    bench.settlement(560)
    assert bench.row(Kind.ROLLBACK, "r1").state is not State.PERSON
    bench.settlement(120)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON


def test_rule_29_a_jump_back_a_restart_and_a_jump_ahead_let_a_wallet_forget(bench_of: MakeBench) -> None:
    """The next process knows of no jump back: for an hour it could not tell that any time had passed since the bet came,
    and nobody was asked (seed 700513). But the jump, when it was seen, had begun the time of its last attempt again."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False, remembers=timedelta(minutes=10)))
    bench.till.then(silent(20), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.scheduler.skew = -timedelta(hours=1)
    bench.settlement(5)
    bench.crash()
    bench.restart()
    bench.scheduler.skew = timedelta(0)
    bench.settlement(900, 5)
    waits_for_a_person(bench)


def test_rule_14_after_a_machine_slept_the_no_of_a_wallet_that_may_have_forgotten_is_none(bench_of: MakeBench) -> None:
    """Asleep for half a minute, its monotonic clock with it: the cancel was sent in what seemed time, its wallet had
    honestly forgotten the bet, was believed, and the stake stayed taken with nothing open."""
    memory = {"in_flight_max": timedelta(seconds=60), "remembers": timedelta(seconds=90)}
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER, tombstones=False, **memory))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    bench.scheduler.skew = timedelta(seconds=30)
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.ROLLBACK)
    bench.settlement(180)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    assert not bench.row(Kind.DEBIT, "b1").decided


def test_rule_29_after_a_jump_back_and_a_restart_the_no_of_a_wallet_that_forgot_is_none(bench_of: MakeBench) -> None:
    """The next process takes the bet to be younger by that jump. But the jump, when it was seen, had begun the time of its
    last attempt again, so the bet is no younger than that; its wallet had honestly forgotten it, its no to the cancel was
    believed, and the stake stayed taken with nothing open (seed 2303700)."""
    repeats = {"debit": "never", "credit": "safe", "rollback": "safe"}
    memory = {"in_flight_max": timedelta(seconds=60), "remembers": timedelta(minutes=10)}
    bench = bench_of("native", a_wallet("netgaming", repeats=repeats, tombstones=True, **memory))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    bench.scheduler.skew = -timedelta(minutes=5)
    bench.settlement(30, 5)
    bench.crash()
    bench.restart()
    bench.settlement(640)
    bench.till.heal()
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.ROLLBACK)
    bench.settlement(900)
    assert bench.till.asked(Kind.ROLLBACK) >= 1
    assert not bench.row(Kind.DEBIT, "b1").decided
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON


def test_rule_29_a_jump_back_makes_no_yes_to_a_cancel_of_before_it_a_persons(bench_of: MakeBench) -> None:
    """When it came no clock hides. The jump had begun the time of its last attempt again, at a moment that a process of long
    ago may have shown, too: the bet was taken to be that old, and the yes to its cancel not to be believed (seed 7005078)."""
    memory = {"in_flight_max": timedelta(seconds=60), "remembers": timedelta(minutes=10)}
    bench = bench_of("native", a_wallet("hub88", repeats=NEVER, tombstones=False, **memory))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    bench.scheduler.skew = -timedelta(hours=3)
    bench.settlement(180)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    back_or_never(bench)


def test_rule_29_a_jump_back_leaves_a_yes_to_a_person_where_no_clock_tells_the_bet_from_an_old_one(
    bench_of: MakeBench,
) -> None:
    """It bears a time that was there before the jump, too, so a process of before may have written it, and its wallet have
    forgotten it: then such a yes says nothing. Why it waits was told as if no answer had come (seed 7004716)."""
    bench = bench_of("native", a_wallet("hub88", repeats=NEVER, tombstones=False, remembers=timedelta(minutes=10)))
    yes(bench.call(bet("b0")))
    bench.scheduler.skew = -timedelta(hours=3)
    bench.settlement(10)
    yes(bench.call(bet("b1")))
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    assert "no clock says whether it remembers" in bench.row(Kind.ROLLBACK, "r1").note


def test_rule_29_a_jump_ahead_gives_nothing_back_too_early(bench_of: MakeBench) -> None:
    """The silence of its provider counts what really passed: its repeat comes in time."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(minutes=10)), "native")
    bench.till.always(lost_after)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(60)
    bench.scheduler.skew = timedelta(hours=2)
    bench.settlement(120)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    bench.settlement(1200, 5)
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_29_after_a_jump_back_the_silence_still_ends(bench_of: MakeBench) -> None:
    """Ten minutes of silence are ten minutes, and not five hours more."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(minutes=10)), "native")
    bench.till.always(lost_after)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.scheduler.skew = -timedelta(hours=5)
    bench.settlement(1800, 5)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_29_after_a_jump_back_that_no_process_saw_the_silence_still_ends(bench_of: MakeBench) -> None:
    """The clock was set back by five hours between two processes: for so long nobody looked at the bet, and the stake
    stayed taken (seed 971255)."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)), "native")
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(5)
    bench.crash()
    bench.scheduler.skew = -timedelta(hours=5)
    bench.restart()
    bench.settlement(120)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_29_what_a_node_carried_that_died_after_a_jump_back_is_brought_on(bench_of: MakeBench) -> None:
    """It stood still when the clock was set back by five hours, and died; another one had begun in between, and took for so
    long the lease of the first for one that lasts: nobody paid the win."""
    bench = bench_of()
    bench.till.then(silent(600.0), kind=Kind.CREDIT)
    bench.begin(win("w1", "25.00"))
    bench.rest(0.1)
    bench.scheduler.skew = -timedelta(hours=5)
    other = bench.second()
    bench.settlement(2, 1.0, other)
    bench.scheduler.kill(bench.process)
    bench.settlement(120, 1.0, other)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("tx", [bet("x1"), settle("x1")], ids=lambda tx: str(tx.kind))
def test_rule_29_what_never_left_ends_although_a_jump_ahead_went_over_its_time(
    bench_of: MakeBench, tx: Transaction
) -> None:
    """No byte of it had left. The clock was set back between two processes, then went ahead over the moment that doubt was
    told: for the hours of that jump no time had passed since, and it had no end (seed 2603384)."""
    bench = bench_of("native", "netgaming")
    bench.till.always(unreachable)
    assert word(bench.call(tx)) == DOUBT
    bench.crash()
    bench.till.heal()
    bench.scheduler.skew = -timedelta(hours=4)
    bench.restart()
    bench.settlement(3)
    bench.scheduler.skew = timedelta(hours=3)
    bench.settlement(120)
    assert word(bench.call(tx)) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_29_a_jump_ahead_over_the_time_of_a_doubt_keeps_no_silence_from_ending(bench_of: MakeBench) -> None:
    """The same history of a bet that was taken: it was given back hours too late."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)), "native")
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.crash()
    bench.scheduler.skew = -timedelta(hours=4)
    bench.restart()
    bench.settlement(3)
    bench.till.heal()
    bench.scheduler.skew = timedelta(hours=3)
    bench.settlement(120)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_29_a_jump_ahead_makes_no_wallet_forget(bench_of: MakeBench) -> None:
    """Three days ahead by mistake: the win is owed on, and paid, not left for a person."""
    bench = bench_of()
    bench.till.then(*[lost_before] * 8, kind=Kind.CREDIT)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.scheduler.skew = timedelta(days=3)
    bench.settlement(300)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("step", [STEP, -timedelta(hours=5)])
def test_rule_29_a_jump_while_a_bet_is_asked_changes_nothing_for_it(bench_of: MakeBench, step: timedelta) -> None:
    """It is answered as if nothing had happened."""
    bench = bench_of()
    bench.till.then(late(1.0), kind=Kind.DEBIT)
    call = bench.begin(bet("b1"))
    bench.rest(0.5)
    bench.scheduler.skew = step
    assert word(bench.finish(call).outcome) == ACCEPTED
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    bench.settlement(60)
    nothing_is_open(bench)


def test_rule_29_a_jump_back_between_two_cancels_leaves_the_first_one_first(bench_of: MakeBench) -> None:
    """The first had the bet, the second had come earlier by the clock: each waited for the other for ever."""
    bench = bench_of("native", a_wallet("kyren", tombstones=False, in_flight_max=timedelta(seconds=30)))
    bench.till.always(lost_before)
    bench.call(bet("b1"))
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.scheduler.skew = -timedelta(hours=5)
    assert word(bench.call(undo("r2", "b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(300, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_29_a_jump_gives_nobody_the_lease_of_another(bench_of: MakeBench) -> None:
    """A lease is judged by the clock that gave it: the second node does not ask beside the first."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False))
    other = bench.second()
    bench.till.then(late(2.0), kind=Kind.DEBIT)
    first = bench.begin(bet("b1"))
    bench.rest(0.5)
    bench.scheduler.skew = STEP
    second = bench.begin_at(other, bet("b1"))
    assert word(bench.finish(first).outcome) == ACCEPTED
    assert word(bench.finish(second).outcome) == ACCEPTED
    assert bench.till.asked(Kind.DEBIT) == 1


# ---------------------------------------------------------------- `safe`, `applied`: 14, 5, 28


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_14_a_wallet_that_remembers_what_it_applied_says_nothing_with_a_later_no(
    bench_of: MakeBench, wallet: str
) -> None:
    """The first attempt was queued, the second heard `insufficient_funds`; then the first arrived, and the bet stands."""
    bench = bench_of("native", a_wallet(wallet, repeats=APPLIED, tombstones=False))
    bench.till.then(queued(20), kind=Kind.DEBIT)
    bench.till.always(refuses(Reason.INSUFFICIENT_FUNDS), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert listed(bench) == 1
    bench.till.heal()
    bench.rest(30)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    assert sum(entry.kind is Kind.DEBIT for entry in bench.till.purse.book) == 1
    nothing_is_open(bench)


@pytest.mark.parametrize("call", ASKED.values(), ids=ASKED)
def test_rule_14_of_whatever_takes_a_later_no_is_doubt_at_an_applied_wallet(
    bench_of: MakeBench, call: Transaction
) -> None:
    """Kinds that are not named follow `debit`."""
    bench = bench_of("native", a_wallet("native", repeats=APPLIED, tombstones=False))
    bench.till.then(silent(20), kind=call.kind)
    bench.till.always(refuses(Reason.INSUFFICIENT_FUNDS), kind=call.kind)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(call)) == DOUBT
    assert not bench.row(call.kind, "x1").state.decided


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_14_the_first_no_of_an_applied_wallet_is_a_no(bench_of: MakeBench, wallet: str) -> None:
    """There was no earlier attempt that could still arrive."""
    bench = bench_of("native", a_wallet(wallet, repeats=APPLIED))
    assert word(bench.call(bet("b1", "5000.00"))) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.DEBIT) == 1
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("way", [lost_after, lost_before], ids=["applied", "never came"])
def test_rule_14_an_applied_wallet_is_asked_again_at_once(bench_of: MakeBench, wallet: str, way: object) -> None:
    """It looks for the id first: a bet, a win and a cancel move once."""
    bench = bench_of("native", a_wallet(wallet, repeats=APPLIED))
    for call, kind in ((bet("b1"), Kind.DEBIT), (win("w1"), Kind.CREDIT)):
        bench.till.then(way, kind=kind)  # type: ignore[arg-type]  # a behaviour
        yes(bench.call(call))
    yes(bench.call(bet("b2", round_id="2")))
    bench.till.then(way, kind=Kind.ROLLBACK)  # type: ignore[arg-type]  # a behaviour
    yes(bench.call(undo("r2", "b2")))
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_05_the_cancel_of_a_bet_whose_later_no_was_doubt_gives_back_what_arrived(
    bench_of: MakeBench, wallet: str
) -> None:
    """The provider gives up: whatever the first attempt became, the stake is not gone."""
    bench = bench_of("native", a_wallet(wallet, repeats=APPLIED, tombstones=False))
    bench.till.then(queued(20), kind=Kind.DEBIT)
    bench.till.always(refuses(Reason.INSUFFICIENT_FUNDS), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.call(undo("r1", "b1"))
    bench.till.heal()
    bench.settlement(400)
    back_or_never(bench)


@pytest.mark.parametrize("wallet", ["netgaming", "native"])
def test_rule_14_a_no_to_a_bet_that_a_win_ties_to_counts_once_nothing_of_it_can_be_queued(
    bench_of: MakeBench, wallet: str
) -> None:
    """The wallet remembers only what it applied, and the player had no money: it was asked four times a minute, each no was
    doubt because of the attempt before, and the bet and its win waited for a person at the end of the wallet's memory."""
    bench = bench_of("native", a_wallet(wallet, repeats=APPLIED, remembers=timedelta(hours=1)))
    bench.till.always(lost_before)
    assert word(bench.call(bet("b1", "40.00"))) == DOUBT
    bench.till.heal()
    bench.till.always(refuses(Reason.INSUFFICIENT_FUNDS), kind=Kind.DEBIT)
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.STATUS)
    bench.call(win("w1", "1.00", of="b1"))
    bench.settlement(1500, 5)
    assert bench.row(Kind.DEBIT, "b1").state is State.DECLINED
    assert bench.till.asked(Kind.DEBIT) < 12


def test_rule_29_a_look_set_by_a_databases_clock_that_was_set_back_does_not_wait_for_hours(bench_of: MakeBench) -> None:
    """*PostgreSQL's clock was set back by hours, and no clock of a process with it: an owed win was looked at again once one
    began.*"""
    bench = bench_of()
    bench.till.always(lost_before)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.till.heal()
    bench.settlement(5)
    owed = bench.row(Kind.CREDIT, "w1")
    later = replace(owed, due_at=bench.scheduler.clock() + timedelta(hours=5))
    at_once(bench.journal.make(row_change(owed.key, lambda own: later, ())))
    bench.settlement(70)
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED
    nothing_is_open(bench)
