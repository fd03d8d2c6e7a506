"""Wins whose bet is in doubt: which bet a win ties to, and that bet and win never end in two truths."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.engine.states import State
from gateway.model import Kind, Reason, Rollback, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DAYS, DOUBT, SPLITTING, listed, nothing_is_open, word
from tests.simulation.behaviours import lost_after, lost_before
from tests.simulation.bench import NEVER, QUERY, Bench, a_provider, a_wallet

WALLETS = ("native", *SPLITTING)
SILENT = timedelta(seconds=60)


def asked_by_query(bench_of: MakeBench) -> Bench:
    return bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False, in_flight_max=timedelta(seconds=30)))


def both_stand(bench: Bench, bet_id: str = "b1", win_id: str = "w1", **more: object) -> None:
    """The bet was taken and its win paid, and every word says the same."""
    assert bench.till.balance() == Decimal("1015.00")
    assert word(bench.call(bet(bet_id, **more))) == ACCEPTED
    assert bench.row(Kind.CREDIT, win_id).state.decided
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


def a_person_sees_the_bet(bench: Bench) -> None:
    """Its win is listed beside it, and is paid once the bet is resolved."""
    assert bench.row(Kind.DEBIT, "b1").state is State.PERSON
    assert not bench.row(Kind.CREDIT, "w1").state.decided
    assert listed(bench) == 2


# ---------------------------------------------------------------- history 3


@pytest.mark.parametrize("named", ["b1", ""], ids=["named", "the only one"])
@pytest.mark.parametrize("cancelled", [False, True], ids=["alone", "a cancel before"])
@pytest.mark.parametrize("step", [0.5, 7.0])
def test_rule_09_a_bet_that_a_win_came_for_is_completed_whoever_looks_first(
    bench_of: MakeBench, named: str, cancelled: bool, step: float
) -> None:
    """Settlement looked at the bet alone, found it never applied and declined it; the win was then paid."""
    bench = asked_by_query(bench_of)
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    if cancelled:
        assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert word(bench.call(win("w1", of=named))) == DOUBT
    bench.settlement(300, step)
    if cancelled:
        assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    both_stand(bench)
    assert word(bench.call(win("w1", of=named))) == ACCEPTED


@pytest.mark.parametrize("round_id", ["", "r2"], ids=["no round", "another round"])
def test_rule_09_a_win_from_elsewhere_completes_the_bet_it_names(bench_of: MakeBench, round_id: str) -> None:
    """The tie is the name, in whatever round or none."""
    bench = asked_by_query(bench_of)
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(win("w1", of="b1", round_id=round_id))) == DOUBT
    bench.settlement(300, 0.5)
    both_stand(bench)


def test_rule_09_settlement_of_two_nodes_completes_the_bet_of_a_win_once(bench_of: MakeBench) -> None:
    """Another node's look at the bet alone knows of the win, too."""
    bench = asked_by_query(bench_of)
    other = bench.second()
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.finish(bench.begin_at(other, win("w1", of="b1")))
    bench.settlement(300, 0.5, bench.process, other)
    both_stand(bench)
    assert sum(entry.kind is Kind.DEBIT for entry in bench.till.purse.book) == 1


def test_rule_09_a_repeat_of_the_bet_beside_its_win_is_one_bet(bench_of: MakeBench) -> None:
    """The provider repeats both while nobody knows."""
    bench = asked_by_query(bench_of)
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.rest(31)
    calls = [bench.begin(win("w1", of="b1")), bench.begin(bet("b1"))]
    for call in calls:
        bench.finish(call)
    bench.settlement(300, 0.5)
    both_stand(bench)


def test_rule_09_a_bet_in_doubt_that_was_applied_stands_beside_its_win(bench_of: MakeBench) -> None:
    """The query finds it; the win is paid after it."""
    bench = asked_by_query(bench_of)
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.call(win("w1", of="b1"))
    bench.till.heal()
    bench.settlement(300, 0.5)
    both_stand(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_13_where_the_bet_may_not_be_asked_again_its_win_waits_for_the_same_person(
    bench_of: MakeBench, wallet: str
) -> None:
    """Nobody can find out about the bet: the win is not paid beside a bet that nobody knows."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(win("w1", of="b1"))) == DOUBT
    bench.settlement(DAYS, 3600)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.till.asked(Kind.CREDIT) == 0
    a_person_sees_the_bet(bench)


# ---------------------------------------------------------------- history 4


@pytest.mark.parametrize(
    ("wallet", "bets", "wins"),
    [
        *[("native", bets, wins) for bets, wins in (("", ""), ("r1", ""), ("", "r2"))],
        *[(wallet, "r1", wins) for wallet in WALLETS for wins in ("r2", "r1")],
    ],
)
def test_rule_12_the_clock_is_stopped_by_the_win_that_names_its_bet_whatever_its_round(
    bench_of: MakeBench, wallet: str, bets: str, wins: str
) -> None:
    """The stake was given back and the win kept, because the win did not say the bet's round."""
    bench = bench_of(a_provider("native", after_doubt=SILENT), a_wallet(wallet, tombstones=False))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1", round_id=bets))) == DOUBT
    assert word(bench.call(win("w1", of="b1", round_id=wins))) == DOUBT
    bench.settlement(30)
    bench.till.heal()
    bench.settlement(900, 2)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    both_stand(bench, round_id=bets)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_13_a_win_that_names_another_bet_ties_to_none_of_its_round(bench_of: MakeBench, wallet: str) -> None:
    """It names a bet that stands: it is paid at once, and the silent bet of its own round is given back."""
    bench = bench_of(a_provider("native", after_doubt=SILENT), a_wallet(wallet, tombstones=False))
    yes(bench.call(bet("b0", round_id="r0")))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1", "20.00", round_id="r1"))) == DOUBT
    assert word(bench.call(win("w1", of="b0", round_id="r1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("995.00")
    bench.till.heal()
    bench.settlement(900, 2)
    assert bench.till.balance() == Decimal("1015.00")
    assert word(bench.call(bet("b1", "20.00", round_id="r1"))) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_11_a_win_that_names_its_bet_elsewhere_stops_the_cancel_that_was_not_sent(
    bench_of: MakeBench, wallet: str
) -> None:
    """The provider paid a win for that bet: the cancel is told `already_settled`, and the bet is completed."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.call(win("w1", of="b1", round_id="bonus"))
    bench.till.heal()
    bench.settlement(900, 2)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    assert bench.till.asked(Kind.ROLLBACK) == 0
    both_stand(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_11_a_bet_that_was_given_back_is_not_the_only_bet_of_its_round(bench_of: MakeBench, wallet: str) -> None:
    """One of two bets was cancelled: the win without a name ties to the other, which is in doubt."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    yes(bench.call(bet("b0", "20.00")))
    yes(bench.call(bench.undo(bet("b0", "20.00"), "r0")))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(win("w1"))) == DOUBT
    assert bench.till.asked(Kind.CREDIT) == 0
    bench.till.heal()
    bench.settlement(300, 2)
    both_stand(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_11_the_parts_of_a_whole_are_no_bets_of_a_round(bench_of: MakeBench, wallet: str) -> None:
    """A split settle and a bet in one round: the win without a name ties to the bet alone."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    yes(bench.call(settle("s1", "5.00", "5.00")))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(win("w1"))) == DOUBT
    assert bench.till.asked(Kind.CREDIT) == 1
    bench.till.heal()
    bench.settlement(300, 2)
    both_stand(bench)


def test_rule_15_once_the_rollback_may_have_left_a_win_goes_to_the_wallet(bench_of: MakeBench) -> None:
    """Nothing stops it then: the bet is over, and the wallet decides about the win."""
    bench = bench_of("native", "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.then(lost_after, lost_after, lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("r1", "b1"))
    assert word(bench.call(win("w1", of="b1", round_id="bonus"))) == ACCEPTED
    bench.till.heal()
    bench.settlement(300, 2)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1025.00")
    assert next(tx.act.reference for tx in bench.till.sent if isinstance(tx.act, Rollback)) == "b1"
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_14_a_win_whose_bet_the_wallet_forgot_ends_at_a_person(bench_of: MakeBench, wallet: str) -> None:
    """Days later the wallet knows no id of then: nothing is asked that could take the stake twice."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False, remembers=timedelta(hours=2)))
    bench.till.always(lost_before)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(win("w1", of="b1", round_id="r2"))) == DOUBT
    bench.settlement(3600 * 5, 60)
    bench.till.heal()
    bench.settlement(3600, 60)
    assert bench.till.balance() == Decimal("1000.00")
    a_person_sees_the_bet(bench)


# ---------------------------------------------------------------- wins that were themselves undone

WORDS = {"loose": {}, "named": {"of": "b1"}}
"""A win that names no bet, and one that names the bet."""


def taken_back(bench: Bench, **words: str) -> None:
    """A win, paid and taken back again."""
    yes(bench.call(win("w1", **words)))
    yes(bench.call(undo("u1", "w1", kind=Kind.CREDIT)))
    assert bench.till.balance() == Decimal("1000.00") - 10 * bench.till.asked(Kind.DEBIT)


def ends_without_a_stake(bench: Bench, repeat: Transaction, heard: str) -> None:
    """Settlement looks for minutes; then its provider's repeat hears this, no stake is taken, and nothing is open."""
    bench.till.heal()
    bench.settlement(300, 2)
    assert word(bench.call(repeat)) == heard
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_rule_11_a_win_that_was_taken_back_stops_no_cancel(bench_of: MakeBench, words: dict[str, str]) -> None:
    """The cancel of a bet in doubt heard `already_settled` for a win that was no more: the stake stayed taken, and no win stood
    beside it."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    taken_back(bench, **words)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    ends_without_a_stake(bench, undo("r1", "b1"), ACCEPTED)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_rule_09_no_bet_is_asked_for_again_for_a_win_that_was_taken_back(
    bench_of: MakeBench, words: dict[str, str]
) -> None:
    """The bet had never arrived, its provider gave up, and settlement took the stake for a win that was no more."""
    bench = asked_by_query(bench_of)
    taken_back(bench, **words)
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    ends_without_a_stake(bench, bet("b1"), Reason.ALREADY_ROLLED_BACK)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_rule_12_the_clock_that_a_win_stopped_stays_off_where_that_is_taken_back(
    bench_of: MakeBench, words: dict[str, str]
) -> None:
    """Who settles a bet anew takes its first win back: the bet stands, as its provider believes, and no silence is meant."""
    bench = bench_of(a_provider("native", after_doubt=SILENT), "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(5, 1)
    yes(bench.call(win("w1", **words)))
    yes(bench.call(undo("u1", "w1", kind=Kind.CREDIT)))
    bench.settlement(300, 2)
    yes(bench.call(win("w2", "5.00", **words)))
    assert bench.till.balance() == Decimal("995.00")
    nothing_is_open(bench)
