"""Settles at wallets that cannot say one: what a cancel, a no or a silence does to a whole and its parts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.model import Kind, Reason, Transaction
from tests.engine.acts import settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    NOES,
    SPLITTING,
    ended,
    nothing_is_open,
    refuses,
    waits_for_a_person,
    word,
)
from tests.simulation.behaviours import late, lost_after, lost_before, queued, unreachable
from tests.simulation.bench import NEVER, QUERY, Bench, a_provider, a_wallet

S1 = settle("s1")
UNDONE = (ACCEPTED, Reason.ALREADY_ROLLED_BACK, Reason.TRANSACTION_NOT_FOUND)
"""What a cancel may hear of what is gone: it was this one, another, or there was nothing."""


def cancel(bench: Bench, id: str = "c1") -> Transaction:
    return bench.undo(S1, id)


def gone(bench: Bench, heard: str = DOUBT) -> None:
    """The cancelled settle left nothing, and every word from now on says so; a yes that was heard stands."""
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    assert not [entry for entry in bench.till.purse.book if entry.kind is Kind.CREDIT]
    assert word(bench.call(cancel(bench))) in UNDONE
    assert word(bench.call(S1)) == (ACCEPTED if heard == ACCEPTED else Reason.ALREADY_ROLLED_BACK)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 1


@pytest.mark.parametrize("after", [0.05, 0.3, 0.7])
@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_11_a_cancel_read_while_the_debit_of_a_settle_is_in_the_air_leaves_nothing(
    bench_of: MakeBench, wallet: str, after: float
) -> None:
    """Once it is read no further leg is sent: the player had 25.00 that nobody won."""
    bench = bench_of("native", wallet)
    bench.till.then(late(0.8), kind=Kind.DEBIT)
    first = bench.begin(S1)
    bench.rest(after)
    second = bench.begin(cancel(bench))
    assert word(bench.finish(first).outcome) != ACCEPTED
    assert word(bench.finish(second).outcome) in (ACCEPTED, DOUBT)
    gone(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_11_a_cancel_at_another_node_stops_the_credit_of_a_settle_as_well(
    bench_of: MakeBench, wallet: str
) -> None:
    """The node that carries the settle knows of the cancel by the journal alone."""
    bench = bench_of("native", wallet)
    other = bench.second()
    bench.till.then(late(0.8), kind=Kind.DEBIT)
    first = bench.begin(S1)
    bench.rest(0.3)
    second = bench.begin_at(other, cancel(bench))
    assert word(bench.finish(first).outcome) != ACCEPTED
    bench.finish(second)
    gone(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_11_the_late_debit_of_a_cancelled_settle_is_followed_by_no_credit(
    bench_of: MakeBench, wallet: str
) -> None:
    """Doubt was told, the cancel read, then the debit's answer comes: settlement looks, and sends no win."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(late(8), kind=Kind.DEBIT)
    assert word(bench.call(S1)) == DOUBT
    second = bench.begin(cancel(bench))
    bench.settlement(30, 0.25)
    assert second.done()
    gone(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
@pytest.mark.parametrize("lost", [lost_after, lost_before, queued(20)], ids=["applied", "never came", "queued"])
def test_rule_11_a_cancelled_settle_whose_debit_is_in_doubt_ends_with_nothing(
    bench_of: MakeBench, wallet: str, lost: object
) -> None:
    """Whatever became of the debit: it is awaited, and undone where it was taken."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(lost, kind=Kind.DEBIT)  # type: ignore[arg-type]  # a behaviour
    assert word(bench.call(S1)) == DOUBT
    assert word(bench.call(cancel(bench))) == DOUBT
    assert word(bench.call(S1)) == Reason.ALREADY_ROLLED_BACK
    gone(bench)


def test_rule_11_the_credit_in_the_air_is_awaited_and_undone_where_it_can_be(bench_of: MakeBench) -> None:
    """Gameball's wallet takes a win back: first the win, then the bet."""
    bench = bench_of("native", "gameball")
    bench.till.then(late(0.8), kind=Kind.CREDIT)
    first = bench.begin(S1)
    bench.rest(0.3)
    second = bench.begin(cancel(bench))
    bench.finish(first)
    bench.finish(second)
    bench.settlement(600, 2)
    assert word(bench.call(cancel(bench))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_18_the_credit_in_the_air_is_awaited_and_a_person_undoes_it_where_nobody_else_can(
    bench_of: MakeBench, wallet: str
) -> None:
    """Nothing is undone by half, the cancel is no yes, and an operator sees it."""
    bench = bench_of("native", wallet)
    bench.till.then(late(0.8), kind=Kind.CREDIT)
    first = bench.begin(S1)
    bench.rest(0.3)
    second = bench.begin(cancel(bench))
    bench.finish(first)
    assert word(bench.finish(second).outcome) == DOUBT
    bench.settlement(DAYS, 3600)
    assert bench.till.balance() == Decimal("1015.00")
    assert bench.till.asked(Kind.ROLLBACK) == 0
    waits_for_a_person(bench)


def test_rule_11_a_wallet_that_can_say_a_settle_loses_nothing_to_its_cancel(bench_of: MakeBench) -> None:
    """One movement, in the air or queued, with tombstones or without."""
    for tombstones, way in ((True, late(0.8)), (False, late(0.8)), (True, queued(20)), (False, queued(20))):
        bench = bench_of("native", a_wallet("native", tombstones=tombstones, repeats=QUERY))
        bench.till.then(way, kind=Kind.SETTLE)
        first = bench.begin(S1)
        bench.rest(0.3)
        second = bench.begin(cancel(bench))
        heard = word(bench.finish(first).outcome)
        bench.finish(second)
        gone(bench, heard)


# ---------------------------------------------------------------- history 8a


@pytest.mark.parametrize(("wallet", "reason"), NOES)
def test_rule_18_a_settle_whose_undoing_is_refused_ends_or_is_a_persons(
    bench_of: MakeBench, wallet: str, reason: Reason
) -> None:
    """Its win was declined, its bet is not given back: it was looked at every minute, for ever, and nobody saw it."""
    bench = bench_of("native", wallet)
    bench.till.then(refuses(Reason.SESSION_EXPIRED), kind=Kind.CREDIT)
    bench.till.always(refuses(reason), kind=Kind.ROLLBACK)
    assert word(bench.call(S1)) != ACCEPTED
    bench.settlement(DAYS, 3600)
    ended(bench)
    heard = word(bench.call(S1))
    assert heard != ACCEPTED
    decided = bench.row(Kind.SETTLE, "s1").state.decided
    assert (heard != DOUBT) is decided


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_18_an_undoing_that_was_refused_for_a_moment_is_done_and_the_settle_is_declined(
    bench_of: MakeBench, wallet: str
) -> None:
    """The wallet took that bet: `transaction_not_found` contradicts it, and is asked again (rule 6)."""
    bench = bench_of("native", wallet)
    bench.till.then(refuses(Reason.SESSION_EXPIRED), kind=Kind.CREDIT)
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.ROLLBACK)
    assert word(bench.call(S1)) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    assert word(bench.call(S1)) == Reason.SESSION_EXPIRED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 8d


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_11_the_cancel_of_a_settle_whose_credit_never_left_undoes_its_debit(
    bench_of: MakeBench, wallet: str
) -> None:
    """The wallet cannot be reached for the win: a cancel that was read then has the debit alone to undo."""
    bench = bench_of("native", wallet)
    bench.till.then(*[unreachable] * 6, kind=Kind.CREDIT)
    first = bench.begin(S1)
    bench.rest(0.1)
    second = bench.begin(cancel(bench))
    bench.finish(first)
    bench.finish(second)
    bench.till.heal()
    gone(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_18_the_cancel_of_a_settle_whose_credit_is_in_doubt_is_a_persons_or_done(
    bench_of: MakeBench, wallet: str
) -> None:
    """Nobody knows whether the win came: it is found out first; whatever cannot be undone is seen."""
    bench = bench_of("native", wallet)
    bench.till.then(*[lost_after] * 4, kind=Kind.CREDIT)
    bench.call(S1)
    bench.call(cancel(bench))
    bench.till.heal()
    bench.settlement(DAYS, 3600)
    told = word(bench.call(cancel(bench)))
    assert (told, bench.till.balance()) == (DOUBT, Decimal("1015.00"))
    waits_for_a_person(bench)


# ---------------------------------------------------------------- the clock of a split settle (rules 12, 18)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_12_the_clock_of_a_settle_undoes_its_debit_and_sends_no_win(bench_of: MakeBench, wallet: str) -> None:
    """Its own credit ties to nothing: it stops no clock of its whole, and does not make its debit wanted."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(minutes=1)), wallet)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(S1)) == DOUBT
    bench.till.heal()
    bench.settlement(900, 1)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(S1)) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["native", *SPLITTING])
def test_rule_11_a_win_that_is_no_part_of_it_does_not_stop_the_cancel_of_a_settle(
    bench_of: MakeBench, wallet: str
) -> None:
    """A win of another bet in another round goes its own way."""
    bench = bench_of("native", wallet)
    bench.till.then(late(0.8))
    first = bench.begin(S1)
    bench.rest(0.1)
    second = bench.begin(cancel(bench))
    third = bench.begin(win("w9", "7.00", of="b9", round_id="9"))
    for call in (first, second, third):
        bench.finish(call)
    bench.settlement(300, 2)
    assert bench.till.balance() == Decimal("1007.00")
    assert word(bench.call(cancel(bench))) in (ACCEPTED, Reason.TRANSACTION_NOT_FOUND)
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_12_two_cancels_of_a_settle_undo_it_once(bench_of: MakeBench, wallet: str) -> None:
    """Under two ids, at two nodes, while its debit is in the air."""
    bench = bench_of("native", wallet)
    other = bench.second()
    bench.till.then(late(0.8), kind=Kind.DEBIT)
    calls = [bench.begin(S1)]
    bench.rest(0.2)
    calls += [bench.begin(cancel(bench)), bench.begin_at(other, cancel(bench, "c2"))]
    for call in calls:
        bench.finish(call)
    gone(bench)
    assert word(bench.call(undo("c2", "s1", kind=Kind.SETTLE))) in UNDONE


def test_rule_18_the_providers_other_settles_go_on(bench_of: MakeBench) -> None:
    """What was cancelled holds back nobody else."""
    bench = bench_of("native", "netgaming")
    bench.till.then(late(0.8), kind=Kind.DEBIT)
    calls = [bench.begin(S1)]
    bench.rest(0.2)
    calls += [bench.begin(cancel(bench)), bench.begin(settle("s2"))]
    for call in calls:
        bench.finish(call)
    yes(bench.call(settle("s2")))
    assert bench.till.balance() == Decimal("1015.00")
