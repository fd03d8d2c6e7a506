"""The clock that gives back what its provider was silent about: for whom it runs, and what turns it off."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.model import Adjust, Kind, Reason, Release, Reserve, Status, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DOUBT,
    SPLITTING,
    declined_by_a_person,
    listed,
    nothing_is_open,
    refuses,
    word,
)
from tests.simulation.behaviours import late, lost_after, lost_before, silent
from tests.simulation.bench import NEVER, Bench, Trip, a_call, a_provider, a_wallet, at_once

WALLETS = ("native", *SPLITTING)
SILENT = timedelta(seconds=20)
TAKES = {
    "debit": bet("x1"),
    "settle": settle("x1"),
    "adjust": a_call(Adjust(amount=Decimal("-10.00")), "x1"),
    "reserve": a_call(Reserve(amount=Decimal("10.00")), "x1"),
}
"""Whatever takes."""


def clocked(bench_of: MakeBench, wallet: str = "native", **more: object) -> Bench:
    return bench_of(a_provider("native", after_doubt=SILENT), a_wallet(wallet, **more))


def in_doubt(bench: Bench, call: Transaction) -> None:
    """It was applied, and no answer came back."""
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(call)) == DOUBT
    bench.till.heal()


# ---------------------------------------------------------------- history 11


@pytest.mark.parametrize("call", TAKES.values(), ids=TAKES)
def test_rule_12_whatever_takes_is_given_back_when_its_provider_is_silent(
    bench_of: MakeBench, call: Transaction
) -> None:
    """A correction and a hold were found accepted later, and nobody gave them back or counted them."""
    bench = clocked(bench_of)
    in_doubt(bench, call)
    bench.settlement(10, 1)
    assert listed(bench) == 1
    bench.settlement(600, 5)
    if call.kind in (Kind.DEBIT, Kind.SETTLE) or not listed(bench):  # where there are no words for it, it is seen
        assert bench.till.balance() == Decimal("1000.00")
        assert word(bench.call(call)) == Reason.ALREADY_ROLLED_BACK
        nothing_is_open(bench)


@pytest.mark.parametrize("call", TAKES.values(), ids=TAKES)
def test_rule_12_until_then_it_is_unresolved_wherever_that_counts(bench_of: MakeBench, call: Transaction) -> None:
    """Found accepted, and its clock still runs: a reload that takes its wallet away must be refused (rule 25)."""
    bench = clocked(bench_of)
    in_doubt(bench, call)
    bench.settlement(15, 1)
    assert bench.row(call.kind, "x1").state.decided
    assert bench.unresolved() == {"main": 1}
    assert listed(bench) == 1


@pytest.mark.parametrize("call", TAKES.values(), ids=TAKES)
def test_rule_12_what_its_provider_heard_turns_the_clock_off(bench_of: MakeBench, call: Transaction) -> None:
    """The repeat hears the decision: the stake stands."""
    bench = clocked(bench_of)
    in_doubt(bench, call)
    before = bench.till.balance()
    bench.settlement(5, 1)
    assert word(bench.call(call)) == ACCEPTED
    bench.settlement(600, 5)
    assert bench.till.balance() == before
    assert bench.unresolved() == {}
    nothing_is_open(bench)


def test_rule_12_one_id_in_two_key_spaces_has_two_clocks(bench_of: MakeBench) -> None:
    """Debit b1 and settle b1: our rollbacks' ids were one, and the second was never sent."""
    bench = clocked(bench_of)
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(settle("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    assert word(bench.call(settle("b1"))) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


def test_rule_12_one_id_in_four_key_spaces_has_four_clocks(bench_of: MakeBench) -> None:
    """Whatever takes, under one id."""
    bench = clocked(bench_of)
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    for call in TAKES.values():
        assert word(bench.call(call)) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("1000.00") or listed(bench) > 0
    assert bench.till.asked(Kind.ROLLBACK, Kind.RELEASE) >= 2


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_12_a_bet_and_a_split_settle_of_one_id_have_two_clocks(bench_of: MakeBench, wallet: str) -> None:
    """The same where the settle is two movements."""
    bench = clocked(bench_of, wallet)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(settle("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(900, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_12_a_release_of_a_hold_whose_clock_runs_ends_it_once(bench_of: MakeBench) -> None:
    """The provider releases it itself, and our rollback adds nothing."""
    bench = clocked(bench_of)
    in_doubt(bench, TAKES["reserve"])
    bench.settlement(5, 1)
    yes(bench.call(a_call(Release(reference="x1"), "end")))
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_12_a_release_that_is_under_way_stops_the_clock_of_its_hold(bench_of: MakeBench) -> None:
    """The clock released it beside its provider, whose own release met a hold that was gone: it was asked until the wallet
    had forgotten the hold, and waited for a person."""
    bench = clocked(bench_of)
    in_doubt(bench, TAKES["reserve"])
    bench.settlement(5, 1)
    bench.till.always(lost_before, kind=Kind.RELEASE)
    release = a_call(Release(reference="x1"), "end")
    assert word(bench.call(release)) == DOUBT
    bench.settlement(120, 2)
    bench.till.heal()
    bench.settlement(600, 5)
    assert word(bench.call(release)) == ACCEPTED
    assert {tx.id for tx in bench.till.sent if tx.kind is Kind.RELEASE} == {"end"}
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 6


@pytest.mark.parametrize("stands_still", [12.0, 9.0, 15.0])
def test_rule_26_a_node_that_stood_still_takes_no_hearing_from_another_one(
    bench_of: MakeBench, stands_still: float
) -> None:
    """Its own call heard doubt, the repeat at the other node heard accepted: the last word stands, and the stake."""
    bench = clocked(bench_of, tombstones=False)
    trip = Trip()
    frozen = bench.second(trip)
    bench.till.then(late(1.0), kind=Kind.DEBIT)
    first = bench.begin_at(frozen, bet("b1"))
    bench.rest(0.5)
    trip.seconds = stands_still
    assert word(bench.finish(first).outcome) == DOUBT
    bench.rest(6.5)
    second = bench.begin(bet("b1"))
    assert word(bench.finish(second).outcome) == ACCEPTED
    bench.rest(30)
    bench.settlement(120, 1)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_26_two_calls_of_one_process_hear_each_for_itself(bench_of: MakeBench) -> None:
    """The first hears doubt as its repeat hears the yes: the repeat's word counts."""
    bench = clocked(bench_of, repeats=NEVER)
    bench.till.then(late(5.0), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    first = bench.begin(bet("b1"))
    bench.rest(2)
    second = bench.begin(bet("b1"))
    assert word(bench.finish(first).outcome) == DOUBT
    heard = word(bench.finish(second).outcome)
    bench.till.heal()
    bench.settlement(120, 1)
    assert (heard, bench.till.balance()) in [(ACCEPTED, Decimal("990.00")), (DOUBT, Decimal("1000.00"))]
    nothing_is_open(bench)


def test_rule_26_doubt_told_last_begins_the_clock_anew_only_where_nobody_heard_the_yes(bench_of: MakeBench) -> None:
    """A yes that was heard by one call is not unheard by another whose connection was gone."""
    bench = clocked(bench_of)
    yes(bench.call(bet("b1")))
    yes(bench.call(bet("b1")))
    gone = bench.answers[-1]
    bench.scheduler.spawn(bench.process.engine.unheard(gone), bench.process)
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(bet("b1"))) == ACCEPTED
    nothing_is_open(bench)


def test_rule_26_an_answer_that_nobody_read_is_doubt_told(bench_of: MakeBench) -> None:
    """The only call's connection was gone before its answer was written: the clock runs."""
    bench = clocked(bench_of)
    yes(bench.call(bet("b1")))
    bench.scheduler.spawn(bench.process.engine.unheard(bench.answers[-1]), bench.process)
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


def test_rule_12_that_a_cancel_was_refused_stops_no_clock_where_nobody_read_it(bench_of: MakeBench) -> None:
    """Heard, it would say that the bet stands. Its answer was lost after the bet had been looked at: doubt was the last
    word about it, the stake stayed taken, and nobody looked again."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("b1"))
    bench.settlement(5, 1)
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    unread = bench.answers[-1]
    bench.settlement(60, 1)
    assert (bench.till.balance(), listed(bench)) == (Decimal("990.00"), 0)
    bench.scheduler.spawn(bench.process.engine.unheard(unread), bench.process)
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_12_a_cancel_whose_refusal_nobody_read_hears_what_silence_did_since(bench_of: MakeBench) -> None:
    """It came again after the clock had given its bet back, and read the refusal of before: its provider counted on a bet
    whose stake was gone (seed 2911620). While the giving back is under way it hears doubt."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("b1"))
    bench.settlement(5, 1)
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    bench.scheduler.spawn(bench.process.engine.unheard(bench.answers[-1]), bench.process)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.settlement(60, 1)
    assert bench.row(Kind.DEBIT, "b1").undone_by
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("1000.00")
    assert [word(bench.call(undo("r1", "b1"))) for _ in range(2)] == [Reason.ALREADY_ROLLED_BACK] * 2
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


def test_rule_12_nor_where_the_giving_back_failed(bench_of: MakeBench) -> None:
    """Its wallet keeps the bet whoever asks: the refusal stands."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("b1"))
    bench.settlement(5, 1)
    bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    bench.scheduler.spawn(bench.process.engine.unheard(bench.answers[-1]), bench.process)
    bench.settlement(60, 1)
    declined_by_a_person(bench)
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    nothing_is_open(bench)


def test_rule_26_that_a_cancel_was_refused_is_heard_by_each_call_of_it(bench_of: MakeBench) -> None:
    """Two calls of one cancel read that the bet stands, then it turned out that the first had not: nothing was known of the
    second, silence gave the bet back, and its provider believed in it (seed 2463416)."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("b1"))
    bench.settlement(5, 1)
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    assert [word(bench.call(undo("r1", "b1"))) for _ in range(2)] == [Reason.ALREADY_SETTLED] * 2
    bench.scheduler.spawn(bench.process.engine.unheard(bench.answers[-2]), bench.process)
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(bet("b1"))) == ACCEPTED
    nothing_is_open(bench)


def test_rule_26_a_hearing_said_late_does_not_revive_what_was_taken_away(bench_of: MakeBench) -> None:
    """In any order, as often as a lost commit makes us say it."""
    bench = clocked(bench_of)
    yes(bench.call(bet("b1")))
    for _ in range(3):
        bench.scheduler.spawn(bench.process.engine.unheard(bench.answers[-1]), bench.process)
        bench.rest(0.1)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_26_a_decision_journalled_while_its_call_was_open_counts_as_heard_after_a_crash(
    bench_of: MakeBench,
) -> None:
    """The balance for its answer was being fetched when the process died: only its provider moves it now."""
    bench = bench_of(a_provider("netgaming", after_doubt=SILENT), "gameball")
    bench.till.always(silent(600), kind=Kind.BALANCE)
    bench.begin(bet("b1"))
    bench.rest(1)
    assert bench.row(Kind.DEBIT, "b1").state.decided
    bench.crash()
    bench.restart()
    bench.settlement(120, 1)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_12_the_clock_never_runs_out_while_a_call_of_it_is_open(bench_of: MakeBench) -> None:
    """A repeat is being answered as the silence would end: it is no silence, and what it hears counts anew."""
    bench = clocked(bench_of)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.always(silent(600), kind=Kind.DEBIT)
    bench.till.always(silent(600), kind=Kind.STATUS)
    bench.settlement(18, 0.5)
    call = bench.begin(bet("b1"))
    bench.settlement(3.5, 0.25)
    assert not call.done()
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert word(bench.finish(call).outcome) == DOUBT
    bench.settlement(15, 0.5)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    bench.settlement(10, 0.5)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- a win, a cancel and the clock


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_12_a_cancel_joins_the_rollback_that_the_clock_began(bench_of: MakeBench, wallet: str) -> None:
    """One rollback per movement; the provider that cancels after all hears that it is done, or that no bet is there."""
    bench = clocked(bench_of, wallet, tombstones=False)
    in_doubt(bench, bet("b1"))
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(undo("r1", "b1"))) in (ACCEPTED, Reason.TRANSACTION_NOT_FOUND)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    nothing_is_open(bench)


@pytest.mark.parametrize("offset", [0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.13, 0.25])
def test_rule_12_a_win_beside_the_clock_at_two_nodes_ends_in_one_truth(bench_of: MakeBench, offset: float) -> None:
    """The win is read at one node while the other begins its own rollback: given back or won, never both."""
    bench = clocked(bench_of, "netgaming", repeats=NEVER, in_flight_max=timedelta(seconds=5))
    in_doubt(bench, bet("b1"))
    other = bench.second(Trip(0.02))
    bench.till.always(late(0.1))
    bench.rest(19.9)
    call = bench.begin(win("w1", of="b1"))
    bench.rest(0.1)
    bench.look(other)
    bench.rest(offset)
    bench.look()
    bench.finish(call)
    bench.till.heal()
    bench.settlement(900, 2, bench.process, other)
    undone = word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    sent = bench.till.asked(Kind.ROLLBACK) > 0
    assert undone is sent
    if not sent:
        assert bench.till.balance() in (Decimal("990.00"), Decimal("1015.00"))
    assert sum(entry.kind is Kind.ROLLBACK for entry in bench.till.purse.book) <= 1


@pytest.mark.parametrize("begun", [-0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05])
def test_rule_12_a_repeat_beside_the_clock_at_two_nodes_hears_what_becomes_of_it(
    bench_of: MakeBench, begun: float
) -> None:
    """Either it hears accepted and the stake stands, or it hears `already_rolled_back` and has it back."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("b1"))
    bench.settlement(15, 1)
    other = bench.second(Trip(0.02))
    bench.till.always(late(0.1), kind=Kind.ROLLBACK)
    bench.rest(5.0 + begun)
    call = bench.begin_at(other, bet("b1"))
    bench.settlement(2, 0.01)
    heard = word(bench.finish(call).outcome)
    bench.till.heal()
    bench.settlement(120, 1)
    assert (heard, bench.till.balance()) in [
        (ACCEPTED, Decimal("990.00")),
        (Reason.ALREADY_ROLLED_BACK, Decimal("1000.00")),
        (DOUBT, Decimal("1000.00")),
    ]
    nothing_is_open(bench)


def test_rule_12_a_clock_that_was_read_before_a_repeat_heard_yes_gives_nothing_back(bench_of: MakeBench) -> None:
    """A node read that its provider had been silent for long enough. Before it wrote, the repeat came at another node and
    heard that the bet is accepted; then the stake was given back: the rollback was opened on the bet as it was by then."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("b1"))
    bench.settlement(15, 1)
    still = bench.second(Trip(stops_after=3, stands_still=2.0))  # it has taken what is due, and looked
    bench.rest(6)
    bench.look(still)
    bench.rest(0.1)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(bet("b1"))) == ACCEPTED
    nothing_is_open(bench)


# ---------------------------------------------------------------- told by a query


def test_rule_12_a_status_is_heard(bench_of: MakeBench) -> None:
    """*Its provider asked what had become of the bet, heard that it stands, and the clock of the first doubt gave it back.*"""
    bench = clocked(bench_of)
    in_doubt(bench, bet("x1"))
    bench.settlement(10, 1)
    yes(bench.call(Transaction(act=Status(reference="x1"))))
    bench.settlement(200, 1)
    yes(bench.call(Transaction(act=Status(reference="x1"))))
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_26_a_status_that_nobody_read_is_not(bench_of: MakeBench) -> None:
    """Its connection was gone before the answer was written: doubt is still the last word."""
    bench = clocked(bench_of)
    in_doubt(bench, bet("x1"))
    bench.settlement(10, 1)
    yes(bench.call(Transaction(act=Status(reference="x1"))))
    at_once(bench.process.engine.unheard(bench.answers[-1]))
    bench.settlement(200, 1)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_12_a_status_hears_what_a_repeat_would(bench_of: MakeBench) -> None:
    """*The clock had given the bet back, and its provider, who asked, heard that it stands.*"""
    bench = clocked(bench_of)
    in_doubt(bench, bet("x1"))
    bench.settlement(200, 1)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(Transaction(act=Status(reference="x1")))) == Reason.ALREADY_ROLLED_BACK
    assert word(bench.call(bet("x1"))) == Reason.ALREADY_ROLLED_BACK
