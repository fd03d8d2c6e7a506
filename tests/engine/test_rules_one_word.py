"""A wallet that has one word for what it did before and for what it does not do because its bet had the other end
(`AsWallet.ended_by`): the two are asked one after the other, and what was asked before is not taken for what is known.

Evolution's, whose BET_ALREADY_SETTLED is both, and a provider whose page says nothing of such ends. Under two seconds.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.states import State
from gateway.model import Accepted, Credit, Kind, Reason, Unknown
from gateway.play.book import rules_of
from gateway.serve.discover import find, names
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import forgetting, restored
from tests.engine.test_person import decide
from tests.simulation.behaviours import Behaviour, lost_after, lost_before, unreachable
from tests.simulation.bench import Bench, a_provider, a_wallet
from tests.simulation.pages import refusing

BET = "0190d5a4-7e3b-7c1d-8f2a-3b4c5d6e7f80"
TAKEN, PAID, WHOLE = Decimal("990.00"), Decimal("1015.00"), Decimal("1000.00")
CLOCK = timedelta(minutes=10)


def after_a_bet(bench_of: MakeBench, **given: Any) -> Bench:
    bench = bench_of(a_provider("native"), a_wallet("evolution", **given))
    yes(bench.call(bet("t1")))
    return bench


def test_rule_05_a_cancel_is_not_told_as_done_where_the_win_keeps_its_bet(bench_of: MakeBench) -> None:
    """*Its first answer, that the bet was won, was lost; asked again, the same word was taken for the cancel's own yes, and the
    provider was told that its bet was given back.*"""
    bench = after_a_bet(bench_of)
    yes(bench.call(win("w1", of="t1")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    assert why(bench.call(undo("c1", "t1"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == PAID
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert not bench.unresolved()


@pytest.mark.parametrize("lost", [lost_before, lost_after])
def test_rule_05_a_cancel_waits_for_the_win_of_its_bet(bench_of: MakeBench, lost: Behaviour) -> None:
    """*Both were in doubt, and each heard the other's word as its own yes.*"""
    bench = after_a_bet(bench_of)
    bench.till.always(lost)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    bench.till.heal()
    bench.till.then(lost_before, kind=Kind.CREDIT)
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("c1", "t1"))
    bench.settlement(600, 5)
    assert why(bench.call(undo("c1", "t1"))) is Reason.ALREADY_SETTLED
    yes(bench.call(win("w1", of="t1")))
    assert bench.till.balance() == PAID
    assert not bench.unresolved()


@pytest.mark.parametrize("lost", [lost_before, lost_after])
def test_rule_05_a_win_waits_for_the_cancel_of_its_bet(bench_of: MakeBench, lost: Behaviour) -> None:
    """Once that is done its wallet pays no win of the bet, and nobody asks it: the win is a person's."""
    bench = after_a_bet(bench_of)
    bench.till.always(lost, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    bench.till.then(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    assert bench.till.asked(Kind.CREDIT) == 0
    bench.till.heal()
    bench.settlement(600, 5)
    yes(bench.call(undo("c1", "t1")))
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    assert (bench.row(Kind.CREDIT, "w1").state, bench.till.asked(Kind.CREDIT)) == (State.PERSON, 0)
    assert bench.till.balance() == WHOLE


@pytest.mark.parametrize("doubted", [False, True])
def test_rule_05_a_win_is_not_told_as_paid_where_its_bet_was_given_back(bench_of: MakeBench, *, doubted: bool) -> None:
    """*Its wallet said that the bet had its end, the answer was lost, and at its repeat the same word was the win's yes: told as
    paid, and paid by nobody.*"""
    bench = bench_of("native", "evolution")
    if doubted:
        bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.call(bet("t1"))
    bench.till.heal()
    bench.call(undo("c1", "t1", "10.00"))
    bench.settlement(300, 5)
    yes(bench.call(undo("c1", "t1", "10.00")))
    assert bench.till.balance() == WHOLE
    bench.till.then(lost_after, kind=Kind.CREDIT)
    for _ in range(2):
        assert isinstance(bench.call(win("w1", of="t1")), Unknown)
        bench.settlement(60, 5)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    assert bench.row(Kind.CREDIT, "w1").note


def test_rule_05_a_win_beside_the_clock_of_its_bet(bench_of: MakeBench) -> None:
    """The gateway's own giving back is a cancel to its wallet; it waits for the win, and is then for nobody."""
    bench = bench_of(a_provider("native", after_doubt=CLOCK), "evolution")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.settlement(700, 10)
    assert bench.till.asked(Kind.ROLLBACK)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    assert bench.till.asked(Kind.CREDIT) == 0
    bench.till.heal()
    bench.settlement(900, 10)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    assert bench.till.balance() == WHOLE


def test_rule_11_a_bet_that_was_told_as_rolled_back_is_a_persons_where_its_win_was_paid(bench_of: MakeBench) -> None:
    """*The win was in doubt, the cancel waited for it, the bet heard that it is rolled back, and its cancel then that it stands.*
    No wallet can give it back any more, and nobody is told that it stands."""
    bench = bench_of("native", "evolution")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    bench.till.always(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    bench.till.heal()
    bench.settlement(600, 5)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert bench.row(Kind.ROLLBACK, "c1").state is State.PERSON
    yes(bench.call(win("w1", of="t1")))
    assert bench.till.balance() == PAID


def test_rule_05_what_is_no_end_of_a_bet_stops_nothing(bench_of: MakeBench) -> None:
    """A prize beside it, which its wallet is told as one of no bet: the bet is given back, and another prize is paid."""
    bench = after_a_bet(bench_of)
    prize = win("w1", of="t1")
    assert isinstance(prize.act, Credit)
    yes(bench.call(replace(prize, act=replace(prize.act, type="jackpot"))))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(undo("c1", "t1")))
    assert bench.till.balance() == Decimal("1025.00")
    yes(bench.call(win("w2", "5.00", of="t1")))
    assert bench.till.balance() == Decimal("1030.00")


def test_rule_05_a_win_that_a_person_declined_keeps_no_bet(bench_of: MakeBench) -> None:
    """It waits as long as nobody knows, and no longer."""
    bench = after_a_bet(bench_of, repeats={"debit": "safe", "credit": "never", "rollback": "safe"})
    bench.till.then(lost_before, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    bench.settlement(60, 5)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=False, force=True)
    bench.settlement(600, 5)
    yes(bench.call(undo("c1", "t1")))
    assert bench.till.balance() == WHOLE


@pytest.mark.parametrize("kind", [Kind.ROLLBACK, Kind.CREDIT])
def test_rule_30_the_word_for_both_is_no_yes_where_the_journal_may_have_forgotten(
    bench_of: MakeBench, kind: Kind
) -> None:
    """*The journal forgot a win, and the cancel of its bet was told as done; it forgot the cancel, and the win was told as paid.*
    Nobody can tell what that word is about: it is a person's."""
    bench = after_a_bet(bench_of)
    first, second = (win("w1", of="t1"), undo("c1", "t1"))
    if kind is Kind.CREDIT:
        first, second = second, first
    restored(bench, lambda: yes(bench.call(first)))
    assert isinstance(bench.call(second), Unknown)
    bench.settlement(300, 5)
    row = bench.row(kind, second.id)
    assert (row.state, "one word" in row.note) == (State.PERSON, True)
    assert bench.till.balance() == (PAID if kind is Kind.ROLLBACK else WHOLE)


@pytest.mark.parametrize("provider", ["evolution", "native"])
def test_rule_30_of_two_ends_that_the_journal_may_have_forgotten_neither_waits_for_ever(
    bench_of: MakeBench, provider: str
) -> None:
    """*The cancel came again first, and nothing of it left; then came the win. The win waited for the cancel, which may have been
    asked before, and the cancel for the win.* The win goes first, and what may have been asked beside it is a person's."""
    bench = bench_of(provider, "evolution")
    yes(bench.call(bet("t1")))
    forgot = win("t1", of="t1")
    restored(bench, lambda: None)
    bench.till.always(unreachable)
    for tx in (undo("refund:t1", "t1", "10.00"), forgot):
        assert isinstance(bench.call(tx), Unknown)
    bench.till.heal()
    asked = bench.till.asked(Kind.ROLLBACK)  # of which no byte left
    bench.settlement(600, 5)
    yes(bench.call(forgot))
    assert bench.row(Kind.ROLLBACK, "refund:t1").state is State.PERSON
    assert (bench.till.balance(), bench.till.asked(Kind.ROLLBACK)) == (PAID, asked)


@pytest.mark.parametrize("forgot", [False, True])
def test_rule_30_neither_end_of_a_bet_in_doubt_that_was_told_as_rolled_back_waits_for_ever(
    bench_of: MakeBench, *, forgot: bool
) -> None:
    """*The cancel waited for its win, which may have been sent before the journal forgot it, the win for its bet, and that for the
    cancel, until nobody remembered anything.* Nothing stops that cancel: it goes first, and its wallet says whether it did."""
    bench = bench_of("native", "evolution")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    bench.till.heal()
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    restored(bench, lambda: bench.settlement(600, 5) if forgot else None)
    bench.settlement(600, 5)
    assert bench.row(Kind.ROLLBACK, "c1").state is State.ACCEPTED
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    assert bench.till.balance() == WHOLE


@pytest.mark.parametrize("name", names())
def test_whoever_has_one_word_for_both_ends_says_so(name: str) -> None:
    """Of those whose wallets end a bet once: what a win, or a cancel, that comes too late hears at its repeat is no yes."""
    dialect = find(name).dialect
    ends = ((Kind.ROLLBACK, Reason.ALREADY_SETTLED), (Kind.CREDIT, Reason.ALREADY_ROLLED_BACK))
    apart = not any(isinstance(refusing(name, kind, reason, again=True), Accepted) for kind, reason in ends)
    assert apart or not rules_of(dialect).one_end or dialect.as_wallet.ended_by is not None


@pytest.mark.parametrize("name", names())
def test_whoever_has_one_word_for_a_bet_and_its_rollback_says_so(name: str) -> None:
    """What a bet hears at its repeat, at a wallet that its rollback reached first, is a yes at those and at no other."""
    alike = refusing(name, Kind.DEBIT, Reason.ALREADY_ROLLED_BACK, again=True)
    assert isinstance(alike, Accepted) is find(name).dialect.as_wallet.one_word


def test_rule_05_the_word_for_both_is_no_yes_where_nobody_knows_the_bet(bench_of: MakeBench) -> None:
    """From before the gateway: neither end waits for the other, and what its wallet says of both is a person's. *A cancel was
    told as done beside the win that its wallet had paid.*"""
    bench = after_a_bet(bench_of)
    told = bench.row(Kind.DEBIT, "t1").alias
    forgetting(bench)
    bench.rest(20 * 86_400)
    yes(bench.call(win("w1", of="t1")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("c1", "t1", "10.00")), Unknown)
    meant = bench.till.last(Kind.ROLLBACK).act
    assert (getattr(meant, "reference", ""), bench.till.asked(Kind.ROLLBACK)) == (told, 2)
    assert bench.row(Kind.ROLLBACK, "c1").state is State.PERSON
    assert bench.till.balance() == PAID


# ---------------------------------------------------------------- a win that had another name


def test_rule_30_a_win_is_not_told_in_another_name_after_the_journal_forgot_its_bet(bench_of: MakeBench) -> None:
    """*It had been paid under its bet's id. Then the journal forgot both, the win came again, was told as one of no bet, and was
    paid twice.* Of no round it never had a bet, and is asked again as it was."""
    bench = bench_of("native", "evolution")
    alone = win("w0", "5.00", round_id="")

    def played() -> None:
        for tx in (bet("t1"), win("w1"), alone):
            yes(bench.call(tx))

    restored(bench, played)
    assert isinstance(bench.call(win("w1")), Unknown)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    yes(bench.call(alone))
    assert bench.till.balance() == Decimal("1020.00")


def test_rule_30_a_win_of_no_bet_is_not_told_as_the_only_bets_after_the_journal_forgot_another(
    bench_of: MakeBench,
) -> None:
    """*Its round had two bets, so that it was told as one of none. Then the journal forgot the second bet and the win, which came
    again, was told as that of the first, and was paid twice.* In a round that has begun since it is paid."""
    bench = after_a_bet(bench_of)
    restored(bench, lambda: [yes(bench.call(tx)) for tx in (bet("t2"), win("w1"))])
    assert isinstance(bench.call(win("w1")), Unknown)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    assert bench.till.balance() == Decimal("1005.00")
    for tx in (bet("t3", round_id="r3"), win("w3", round_id="r3")):
        yes(bench.call(tx))
    assert bench.till.balance() == Decimal("1020.00")


def test_rule_30_a_further_win_is_not_told_as_one_after_the_journal_forgot(bench_of: MakeBench) -> None:
    """*The second win of a bet came again before the first one, which was then the further one, and was paid twice.*"""
    bench = after_a_bet(bench_of)
    restored(bench, lambda: [yes(bench.call(win(id, "5.00", of="t1"))) for id in ("w1", "w2")])
    bench.call(win("w2", "5.00", of="t1"))
    assert isinstance(bench.call(win("w1", "5.00", of="t1")), Unknown)
    assert bench.till.balance() == TAKEN + 10


@pytest.mark.parametrize("wallet", ["hundred_hp", "betgames"])
@pytest.mark.parametrize("names", [True, False])
def test_rule_30_that_its_bet_was_won_is_no_yes_to_a_win_where_the_journal_may_have_forgotten_another(
    bench_of: MakeBench, wallet: str, *, names: bool
) -> None:
    """*A bet's first win was paid and forgotten; the second one was told by the bet, too, its wallet said that it has that one,
    and it was told as paid.* Its amount stands in no such word. What is told by an id of its own is asked again as it was."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("t1")))
    of, alone = {"of": "t1"} if names else {}, win("w0", "5.00", round_id="")

    def paid() -> None:
        for tx in (win("w1", "1.00", **of), alone):
            yes(bench.call(tx))

    restored(bench, paid)
    assert isinstance(bench.call(win("w2", **of)), Unknown)
    row = bench.row(Kind.CREDIT, "w2")
    # One that names none may have been told otherwise before, and is not asked at all.
    assert (row.state, ("another win" if names else "another bet") in row.note) == (State.PERSON, True)
    yes(bench.call(alone))
    assert bench.till.balance() == TAKEN + 6


def test_rule_30_that_its_bet_was_won_is_a_yes_where_a_bet_has_one_win(bench_of: MakeBench) -> None:
    """Its provider's page knows no second one."""
    bench = bench_of("hundred_hp", "hundred_hp")
    yes(bench.call(bet(BET)))
    restored(bench, lambda: yes(bench.call(win(BET, of=BET))))
    yes(bench.call(win(BET, of=BET)))
    assert bench.till.balance() == PAID
