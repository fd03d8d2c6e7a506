"""What a dialect's page decides about money, as its declaration says it: no rule knows a dialect's name."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from gateway.ends import Owed
from gateway.engine.states import State
from gateway.model import Declined, Game, Kind, Reason, Rollback
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import restored
from tests.engine.test_person import decide
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import NEVER, a_wallet, declaring

NO_MONEY = Declined(reason=Reason.INSUFFICIENT_FUNDS)


# ---------------------------------------------------------------- more than is left


def test_rule_17_what_is_asked_beyond_what_is_left_is_cut(bench_of: MakeBench) -> None:
    """The smaller of asked and refundable moves; the wallet is told that, and the journal records it."""
    bench = bench_of(declaring(excess="cut", partial=True), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("r2", "b1", "9.00")))
    assert bench.till.last(Kind.ROLLBACK).act.amount == Decimal("6.00")  # type: ignore[union-attr]  # it is a rollback
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("6.00")  # type: ignore[union-attr]  # it was accepted
    assert bench.till.balance() == Decimal("1000.00")
    assert why(bench.call(undo("r3", "b1", "1.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_a_cut_that_is_all_of_it_can_be_said_to_a_wallet_without_amounts(bench_of: MakeBench) -> None:
    """Kyren's Cancel is always all of the bet: twice of it is all of it, too."""
    bench = bench_of(declaring(excess="cut", partial=True), "kyren")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "20.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_a_cut_is_asked_again_with_the_same_amount(bench_of: MakeBench) -> None:
    """Its answer was lost: the second asking is the same movement, whatever else came in between."""
    bench = bench_of(declaring(excess="cut", partial=True), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    bench.till.then(lost_after, lost_after, lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("r2", "b1", "9.00"))
    bench.call(undo("r3", "b1", "5.00"))
    bench.settlement(120, 5)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("6.00")  # type: ignore[union-attr]  # it was accepted
    assert bench.row(Kind.ROLLBACK, "r3").state is State.DECLINED


def test_rule_17_a_yes_without_an_amount_moved_no_more_than_was_left(bench_of: MakeBench) -> None:
    """*3.38 of 6.75 were asked for twice and the wallet gave the 3.37 that were left; its answer was lost, its word for "done
    before" says no amount, and the journal counted 3.38.* A person's yes says none, either."""
    bench = bench_of("gameball", "gameball")
    yes(bench.call(bet("b1", "6.75")))
    yes(bench.call(undo("r1", "b1", "3.38")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(undo("r2", "b1", "3.38")))
    assert (bench.till.asked(Kind.ROLLBACK), bench.till.balance()) == (3, Decimal("1000.00"))
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("3.37")  # type: ignore[union-attr]  # it was accepted
    bench = bench_of("gameball", a_wallet("gameball", repeats=NEVER))
    yes(bench.call(bet("b1", "6.75")))
    yes(bench.call(undo("r1", "b1", "3.38")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("r2", "b1", "3.38"))
    decide(bench, bench.row(Kind.ROLLBACK, "r2").key, accepted=True)
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("3.37")  # type: ignore[union-attr]  # it was accepted


PARTS: dict[str, Any] = {"excess": "cut", "partial": True, "undoes_rollbacks": True}


def test_rule_17_a_cut_is_the_same_though_what_was_given_before_is_taken_back(bench_of: MakeBench) -> None:
    """*Asked again for nine where six had moved, its wallet took it for another movement, and the next refund gave one of the
    four that were left.* The four are taken back once the six are known."""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("r2", "b1", "9.00"))
    bench.till.heal()
    bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK))
    bench.settlement(300, 5)
    asked = {tx.act.amount for tx in bench.till.sent if tx.id == "r2"}  # type: ignore[union-attr]  # it is a rollback
    assert asked == {Decimal("6.00")}
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("6.00")  # type: ignore[union-attr]  # it was accepted
    assert bench.till.balance() == Decimal("996.00")
    yes(bench.call(undo("r3", "b1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_a_part_that_was_itself_undone_is_left_again(bench_of: MakeBench) -> None:
    """Four of ten were given back and taken again: all ten are left, and a refund of all gives them."""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK)))
    yes(bench.call(undo("r2", "b1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")
    assert why(bench.call(undo("r3", "b1", "10.00"))) is Reason.ALREADY_ROLLED_BACK


def test_rule_17_all_of_it_undone_and_undone_again(bench_of: MakeBench) -> None:
    """*The bet's refund was undone by its amount, the bet counted as given back, and the stake stayed taken.*"""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    yes(bench.call(undo("x1", "r1", "10.00", Kind.ROLLBACK)))
    assert bench.till.balance() == Decimal("990.00")
    yes(bench.call(undo("r2", "b1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_no_more_is_taken_back_of_a_refund_than_it_gave(bench_of: MakeBench) -> None:
    """The refund asked for nine and gave the six that were left; so six are taken back, whatever is said."""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("r2", "b1", "9.00")))
    yes(bench.call(undo("x1", "r2", "9.00", Kind.ROLLBACK)))
    assert bench.till.last(Kind.ROLLBACK).act.amount == Decimal("6.00")  # type: ignore[union-attr]  # it is a rollback
    assert bench.till.balance() == Decimal("994.00")


def test_rule_15_a_refund_waits_for_what_is_itself_being_undone(bench_of: MakeBench) -> None:
    """Nobody knows yet whether four or ten are left."""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK))
    bench.call(undo("r2", "b1", "10.00"))
    assert bench.answers[-1].outcome == "unknown"
    assert not bench.row(Kind.ROLLBACK, "r2").sent
    bench.till.heal()
    bench.settlement(120, 5)
    assert bench.row(Kind.ROLLBACK, "r2").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_of_a_refund_a_part_was_taken_back(bench_of: MakeBench) -> None:
    """*Four of the ten were taken back, the bet counted as given back, and the next refund was told as done.*"""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    yes(bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK)))
    yes(bench.call(undo("r2", "b1", "10.00")))
    assert bench.till.last(Kind.ROLLBACK).act.amount == Decimal("4.00")  # type: ignore[union-attr]  # it is a rollback
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_the_first_of_two_parts_was_taken_back(bench_of: MakeBench) -> None:
    """*The second one asked for all and was cut to the rest, and stood for all: the first's four were told as given back.*"""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("r2", "b1", "10.00")))
    yes(bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK)))
    yes(bench.call(undo("r3", "b1", "4.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_a_part_that_stands_again_is_a_part(bench_of: MakeBench) -> None:
    """*A refund of four was undone, that was undone, too, and the other six were told as given back.*"""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK)))
    yes(bench.call(undo("y1", "x1", "4.00", Kind.ROLLBACK)))
    assert bench.till.balance() == Decimal("994.00")
    yes(bench.call(undo("r2", "b1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_15_a_refund_waits_for_an_undoing_that_is_being_undone(bench_of: MakeBench) -> None:
    """*The refund gave all of it, and then the part stood again, too.*"""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK)))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("y1", "x1", "4.00", Kind.ROLLBACK))
    bench.call(undo("r2", "b1", "10.00"))
    assert not bench.row(Kind.ROLLBACK, "r2").sent
    bench.till.heal()
    bench.settlement(120, 5)
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("6.00")  # type: ignore[union-attr]  # it was accepted
    assert bench.till.balance() == Decimal("1000.00")


class Sums:
    """What each rollback moved, and of what: cut to what is left of that, and of what stands undone again with it."""

    def __init__(self) -> None:
        self.moved, self.of = {"b1": Decimal(10)}, dict[str, str]()

    def left(self, key: str) -> Decimal:
        return self.moved[key] - sum((self.left(each) for each, of in self.of.items() if of == key), Decimal())

    def undo(self, key: str, of: str, amount: Decimal) -> None:
        again = self.of.get(self.of.get(of, ""))
        moved = min(amount, self.left(of), *([self.left(again)] if again is not None else []))
        if moved > 0:
            self.moved[key], self.of[key] = moved, of

    def depth(self, key: str) -> int:
        return 1 + self.depth(self.of[key]) if key in self.of else 0


@pytest.mark.parametrize("loses", [False, True])
def test_rule_17_whatever_is_undone_and_undone_again_the_sums_are_right(bench_of: MakeBench, *, loses: bool) -> None:
    """Refunds of a bet, parts of them taken back, parts of those given again: as the sums say after each, answers lost or not."""
    for seed in range(30):
        chance, bench, sums = Random(seed), bench_of(declaring(**PARTS), "native"), Sums()
        yes(bench.call(bet("b1", "10.00")))
        for number in range(7):
            of = chance.choice(["b1", *(key for key in sums.moved if sums.depth(key) < 3)])
            amount = Decimal(chance.choice([2, 4, 6, 10, 10]))
            if loses and chance.random() < 0.3:
                bench.till.then(lost_after, lost_after, lost_after, kind=Kind.ROLLBACK)
            bench.call(undo(f"u{number}", of, f"{amount}.00", Kind.DEBIT if of == "b1" else Kind.ROLLBACK))
            if loses:
                bench.settlement(200, 5)
            sums.undo(f"u{number}", of, amount)
            assert bench.till.balance() == 1000 - sums.left("b1"), f"seed {seed}, step {number}"


def test_rule_17_a_part_of_a_refund_was_taken_back_and_only_that_part_is_left(bench_of: MakeBench) -> None:
    """Also where the page knows no parts of a bet. *Four of ten that were refunded were taken back, and the next refund
    gave ten.*"""
    bench = bench_of("native", "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    yes(bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK)))
    assert why(bench.call(undo("r2", "b1", "10.00"))) is Reason.INVALID_REQUEST
    assert bench.till.asked(Kind.ROLLBACK) == 2
    assert bench.till.balance() == Decimal("996.00")
    yes(bench.call(undo("r3", "b1")))
    assert bench.till.last(Kind.ROLLBACK).act.amount == Decimal("4.00")  # type: ignore[union-attr]  # it is a rollback
    assert bench.till.balance() == Decimal("1000.00")
    assert why(bench.call(undo("r4", "b1", "1.00"))) is Reason.ALREADY_ROLLED_BACK


def test_rule_17_the_taking_back_of_nothing_leaves_nothing(bench_of: MakeBench) -> None:
    """*The refund counted as undone, and the next one gave all of it again.*"""
    bench = bench_of("native", "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    yes(bench.call(undo("x1", "r1", "0.00", Kind.ROLLBACK)))
    asked = bench.till.asked(Kind.ROLLBACK)
    assert why(bench.call(undo("r2", "b1", "10.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.ROLLBACK) == asked
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_a_refund_waits_for_the_undoing_of_an_undoing_where_more_is_refused(bench_of: MakeBench) -> None:
    """Nobody knows yet whether all or nothing is left: it is not told that it is too much."""
    bench = bench_of("native", "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    yes(bench.call(undo("x1", "r1", "10.00", Kind.ROLLBACK)))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("y1", "x1", "10.00", Kind.ROLLBACK))
    bench.call(undo("r2", "b1", "10.00"))
    assert bench.answers[-1].outcome == "unknown"
    assert not bench.row(Kind.ROLLBACK, "r2").sent
    bench.till.heal()
    bench.settlement(120, 5)
    assert bench.row(Kind.ROLLBACK, "r2").state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("amount", ["", "9.00"])
def test_rule_17_what_was_told_of_a_refund_is_told_again(bench_of: MakeBench, amount: str) -> None:
    """A part that came before it is taken back while it is in doubt: it was told six, and asked again it says six."""
    bench = bench_of(declaring(**PARTS), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("r2", "b1", amount))
    bench.till.heal()
    bench.call(undo("x1", "r1", "4.00", Kind.ROLLBACK))
    bench.settlement(120, 5)
    assert bench.row(Kind.ROLLBACK, "r2").outcome.moved == Decimal("6.00")  # type: ignore[union-attr]  # it was accepted
    assert bench.row(Kind.ROLLBACK, "x1").state is State.ACCEPTED
    assert {tx.act.amount for tx in bench.till.sent if tx.id == "r2"} == {Decimal("6.00")}  # type: ignore[union-attr]  # rollbacks
    assert bench.till.balance() == Decimal("996.00")


REFUSES: dict[str, Any] = {"partial": True, "undoes_rollbacks": True}  # more than is left is refused, as elsewhere


def test_rule_17_a_refund_waits_for_the_part_before_it_where_more_is_refused(bench_of: MakeBench) -> None:
    """*It was told that it is too much while that part was in doubt, and then the part was declined.*"""
    bench = bench_of(declaring(**REFUSES), "native")
    yes(bench.call(bet("b1", "10.00")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.call(undo("r1", "b1", "4.00"))
    bench.call(undo("r2", "b1", "8.00"))
    assert bench.answers[-1].outcome == "unknown"
    bench.till.heal()
    bench.settlement(120, 5)
    assert bench.row(Kind.ROLLBACK, "r2").state is State.DECLINED
    assert bench.till.balance() == Decimal("994.00")


@pytest.mark.parametrize("cuts", [False, True])
def test_rule_17_all_that_is_left_is_told_and_can_be_taken_back(bench_of: MakeBench, *, cuts: bool) -> None:
    """A refund without an amount: its wallet hears the rest, not `all of it`, and so much is what is taken back of it.
    *A refund of the other six stood for ten, and six of them taken back left it half undone.*"""
    bench = bench_of(declaring(**(PARTS if cuts else REFUSES)), "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    yes(bench.call(undo("r2", "b1")))
    assert bench.till.last(Kind.ROLLBACK).act.amount == Decimal("6.00")  # type: ignore[union-attr]  # it is a rollback
    yes(bench.call(undo("x1", "r2", "6.00", Kind.ROLLBACK)))
    assert not bench.row(Kind.DEBIT, "b1").undone_by
    assert bench.till.balance() == Decimal("994.00")
    yes(bench.call(undo("r3", "b1", "6.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_the_rest_is_never_told_as_all_of_it(bench_of: MakeBench) -> None:
    """*A part was given back by hand, as this wallet cannot be told one; its Cancel of the rest gave back all of the bet.*"""
    bench = bench_of(declaring(**PARTS), "kyren")
    yes(bench.call(bet("b1", "10.00")))
    bench.call(undo("r1", "b1", "4.00"))
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=True)
    for id, amount in (("r2", "6.00"), ("r3", "")):
        bench.call(undo(id, "b1", amount))
        assert bench.answers[-1].outcome == "unknown"
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("loses", [False, True])
def test_rule_17_where_the_page_knows_no_parts_no_more_is_given_than_is_left(
    bench_of: MakeBench, *, loses: bool
) -> None:
    """Refunds of a bet and parts of them taken back: no wallet is asked for more, whatever it would make of that."""
    for seed in range(30):
        chance, bench, sums = Random(seed), bench_of("native", "native"), Sums()
        yes(bench.call(bet("b1", "10.00")))
        for number in range(7):
            id, of = f"u{number}", chance.choice(["b1", *(key for key in sums.moved if sums.depth(key) < 2)])
            amount = chance.choice(["", "2.00", "4.00", "6.00", "10.00"])
            if loses and chance.random() < 0.3:
                bench.till.then(lost_after, lost_after, lost_after, kind=Kind.ROLLBACK)
            before, sent = bench.till.balance(), len(bench.till.sent)
            bench.call(undo(id, of, amount, Kind.DEBIT if of == "b1" else Kind.ROLLBACK))
            if loses:
                bench.settlement(200, 5)
            asked = [tx.act.amount for tx in bench.till.sent[sent:] if isinstance(tx.act, Rollback)]
            assert all((sums.moved[of] if each is None else each) <= sums.left(of) for each in asked), f"seed {seed}"
            moved = abs(bench.till.balance() - before)
            assert moved <= sums.left(of), f"seed {seed}, step {number}"
            assert (bench.row(Kind.ROLLBACK, id).state is State.ACCEPTED) == (moved > 0)
            sums.undo(id, of, moved)
            assert bench.till.balance() == 1000 - sums.left("b1"), f"seed {seed}, step {number}"


# ---------------------------------------------------------------- noes to a rollback that takes


def test_rule_06_a_no_that_its_page_tells_of_a_rollback_that_takes_is_final(bench_of: MakeBench) -> None:
    """Taking a win back may be refused for lack of money, and its provider hears that; another rollback may take it later."""
    bench = bench_of(declaring(final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})}), "native")
    yes(bench.call(win("w1", "25.00")))
    bench.till.then(says(NO_MONEY), kind=Kind.ROLLBACK)
    taken = undo("r1", "w1", "25.00", Kind.CREDIT)
    assert why(bench.call(taken)) is Reason.INSUFFICIENT_FUNDS
    assert why(bench.call(taken)) is Reason.INSUFFICIENT_FUNDS
    bench.settlement(60, 5)
    assert bench.till.balance() == Decimal("1025.00")
    yes(bench.call(undo("r2", "w1", "25.00", Kind.CREDIT)))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_06_the_same_no_to_a_rollback_that_gives_stays_owed(bench_of: MakeBench) -> None:
    """*A wallet said it of a refund, once:* a stake would have stayed taken."""
    bench = bench_of(declaring(final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})}), "native")
    yes(bench.call(bet("b1", "10.00")))
    bench.till.always(says(NO_MONEY), kind=Kind.ROLLBACK)
    bench.call(undo("r1", "b1", "10.00"))
    assert bench.answers[-1].outcome == "unknown"
    bench.till.heal()
    bench.settlement(60, 5)
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_05_after_doubt_it_is_no_no_to_the_first_asking(bench_of: MakeBench) -> None:
    """The win was taken back and the answer lost; what its wallet says of the second asking says nothing of the first."""
    bench = bench_of(declaring(final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})}), "native")
    yes(bench.call(win("w1", "25.00")))
    bench.till.then(lost_after, says(NO_MONEY), kind=Kind.ROLLBACK)
    bench.call(undo("r1", "w1", "25.00", Kind.CREDIT))
    bench.settlement(120, 5)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- sessions


def test_rule_22_a_bet_in_another_games_session_is_declined_and_nothing_else_is(bench_of: MakeBench) -> None:
    """What gives, or gives back, is not refused for the session that it came in."""
    bench = bench_of(declaring(bets_in_own_session=True), "native")
    bench.launch(game="42")
    yes(bench.call(bet("b1", "10.00")))
    other = Game(id="43")
    assert why(bench.call(bet("b2", "10.00", game=other))) is Reason.GAME_NOT_FOUND
    assert bench.till.asked(Kind.DEBIT) == 1
    yes(bench.call(win("w1", "25.00", game=other)))
    yes(bench.call(undo("r1", "b1", "10.00", game=other)))
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_22_a_bet_in_another_players_session_is_declined(bench_of: MakeBench) -> None:
    """Whose stake it is, the handover said."""
    bench = bench_of(declaring(bets_in_own_session=True), "native", opening={"p-1": Decimal(100), "p-2": Decimal(100)})
    bench.launch(player="p-2")
    assert why(bench.call(bet("b1", "10.00"))) is Reason.NOT_AUTHENTICATED
    assert bench.till.balance() == Decimal("100.00")


@pytest.mark.parametrize("declared", [{}, {"bets_in_own_session": True}])
def test_rule_22_a_session_that_names_no_game_binds_to_none(bench_of: MakeBench, declared: dict[str, Any]) -> None:
    """A lobby's session is handed over without a game; and where the page says nothing, no session binds."""
    bench = bench_of(declaring(**declared), "native")
    bench.launch(game="" if declared else "42")
    yes(bench.call(bet("b1", "10.00", game=Game(id="43"))))


def test_rule_22_a_bet_that_may_have_left_is_not_declined_for_its_session(bench_of: MakeBench) -> None:
    """The launch came after the bet: what was sent is brought to its answer."""
    bench = bench_of(declaring(bets_in_own_session=True), "native")
    bench.till.then(lost_before, lost_after, kind=Kind.DEBIT)
    bench.call(bet("b1", "10.00"))
    bench.launch(game="77")
    yes(bench.call(bet("b1", "10.00")))
    assert bench.till.balance() == Decimal("990.00")


def test_rule_30_a_bet_in_another_games_session_is_declined_although_the_journal_forgot(bench_of: MakeBench) -> None:
    """That it may have been asked before is feared only: it came after the launch, so it was never sent, and its wallet took it."""
    bench = bench_of(declaring(bets_in_own_session=True), "native")
    bench.launch(game="42")
    restored(bench, lambda: None)
    assert why(bench.call(bet("b1", "10.00", game=Game(id="43")))) is Reason.GAME_NOT_FOUND
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_30_a_bet_that_the_journal_forgot_is_not_declined_for_a_later_launch(bench_of: MakeBench) -> None:
    """Its wallet had taken it before anybody knew for which game that session is."""
    bench = bench_of(declaring(bets_in_own_session=True), "native")
    restored(bench, lambda: bench.call(bet("b1", "10.00")))
    bench.rest(1.0)
    bench.launch(game="77")
    yes(bench.call(bet("b1", "10.00")))
    assert bench.till.balance() == Decimal("990.00")
