"""Kyren's rounds and everybody's batches: what is undone with what, and what is left of half of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.model import Batch, Kind, Reason, Rollback, Transaction
from tests.engine.acts import bet, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    SPLITTING,
    ended,
    last_word,
    listed,
    nothing_is_open,
    open_rows,
    refuses,
    word,
)
from tests.simulation.behaviours import arrives, late, lost_after, lost_before, unreachable
from tests.simulation.bench import NEVER, a_call, a_provider, a_wallet, declaring

WALLETS = ("native", *SPLITTING)
ONE_BET = ("native", "netgaming", "dragon_gaming", "scorpio_play")
"""Wallets that undo exactly what is named."""
ALREADY_SETTLED, NOT_FOUND = Reason.ALREADY_SETTLED, Reason.TRANSACTION_NOT_FOUND


def refund(reference: str = "rf", **more: object) -> Transaction:
    """Kyren's Refund of a round."""
    named = bet(reference, **more)
    return replace(named, act=Rollback(reference=reference, scope="round"), id=f"refund:{reference}")


def batch(*items: Transaction, atomic: bool = True) -> Transaction:
    return a_call(Batch(items=items, atomic=atomic))


# ---------------------------------------------------------------- history 5


@pytest.mark.parametrize("wallet", ONE_BET)
@pytest.mark.parametrize("scope", ["transaction", "round"], ids=["Cancel", "Refund"])
def test_rule_15_what_overtakes_its_bet_buries_the_bet_it_names(bench_of: MakeBench, wallet: str, scope: str) -> None:
    """The named bet was accepted after its cancel had heard success: the provider's book and the purse part."""
    bench = bench_of("kyren", wallet)
    bench.call(bet("b1"))
    bench.call(bench.undo(bet("b2", "5.00"), "refund:b2", scope=scope))
    bench.call(bet("b2", "5.00"))
    assert last_word(bench) == Reason.ALREADY_ROLLED_BACK
    assert "b2" not in {entry.id for entry in bench.till.purse.book if entry.delta == Decimal("-5.00")}
    assert bench.till.balance() in (Decimal("990.00"), Decimal("1000.00"))
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ONE_BET)
def test_rule_15_a_cancel_that_came_first_is_the_same_after_its_bet_came(bench_of: MakeBench, wallet: str) -> None:
    """Its repeats hear what it heard, and move nothing more."""
    bench = bench_of("kyren", wallet)
    bench.call(bet("b1"))
    for call in (bench.undo(bet("b2"), "refund:b2"), bet("b2"), bench.undo(bet("b2"), "refund:b2"), bet("b2")):
        bench.call(call)
    assert last_word(bench) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() in (Decimal("990.00"), Decimal("1000.00"))


@pytest.mark.parametrize("wallet", ONE_BET)
def test_rule_15_the_bet_and_the_cancel_that_overtakes_it_by_a_moment(bench_of: MakeBench, wallet: str) -> None:
    """Another node reads the bet in the same moment: one of the two is first, and both say so."""
    bench = bench_of("kyren", wallet)
    other = bench.second()
    bench.till.always(late(0.3), kind=Kind.DEBIT)
    calls = [bench.begin(bench.undo(bet("b2"), "refund:b2")), bench.begin_at(other, bet("b2"))]
    for call in calls:
        bench.finish(call)
    bench.settlement(300, 1)
    bench.call(bet("b2"))
    bench.call(bench.undo(bet("b2"), "refund:b2"))
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 15


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_16_a_refund_of_which_a_part_was_refused_is_not_told_as_done(bench_of: MakeBench, wallet: str) -> None:
    """The provider wrote 1000.00 into its book, and the purse held 980.00."""
    bench = bench_of("kyren", wallet)
    bench.call(bet("b1"))
    bench.call(bet("b2", "20.00"))
    bench.till.then(arrives, refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    for _ in range(2):
        bench.call(refund())
        assert last_word(bench) == DOUBT
    bench.settlement(DAYS, 3600)
    assert bench.till.balance() == Decimal("980.00")
    ended(bench)
    assert listed(bench) > 0


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_16_a_refund_of_which_nothing_moved_is_refused_with_that_reason(bench_of: MakeBench, wallet: str) -> None:
    """Every part was refused alike."""
    bench = bench_of("kyren", wallet)
    bench.call(bet("b1"))
    bench.call(bet("b2", "20.00"))
    bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    bench.call(refund())
    assert last_word(bench) == Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming", "scorpio_play"])
def test_rule_16_a_part_that_is_undone_already_spoils_nothing(bench_of: MakeBench, wallet: str) -> None:
    """Somebody gave that one back before: all of it is back."""
    bench = bench_of("kyren", wallet)
    bench.call(bet("b1"))
    bench.call(bet("b2", "20.00"))
    bench.till.then(arrives, refuses(Reason.ALREADY_ROLLED_BACK), kind=Kind.ROLLBACK)
    bench.call(refund())
    assert last_word(bench) == ACCEPTED
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ONE_BET)
def test_rule_16_a_part_that_its_wallet_denies_is_asked_again(bench_of: MakeBench, wallet: str) -> None:
    """It accepted both bets: `transaction_not_found` to the second is a contradiction (rule 6)."""
    bench = bench_of("kyren", wallet)
    bench.call(bet("b1"))
    bench.call(bet("b2", "20.00"))
    bench.till.then(arrives, *[refuses(Reason.TRANSACTION_NOT_FOUND)] * 30, kind=Kind.ROLLBACK)
    bench.call(refund())
    assert last_word(bench) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    bench.call(refund())
    assert last_word(bench) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("others", [1, 0])
@pytest.mark.parametrize("in_doubt", [False, True], ids=["it is known", "in doubt"])
@pytest.mark.parametrize("refused", [False, True], ids=["done", "refused"])
def test_rule_16_a_refund_waits_for_the_cancel_of_a_bet_of_its_round(
    bench_of: MakeBench, refused: bool, in_doubt: bool, others: int
) -> None:
    """The refund gave back the other bet and was told as done; the cancel under way was then refused, and 10.00 stayed
    taken (seed 2413302)."""
    bench = bench_of("kyren", "native")
    if in_doubt:
        bench.till.always(lost_after, kind=Kind.DEBIT)
        bench.till.always(unreachable, kind=Kind.STATUS)
    bench.call(bet("b1"))
    bench.till.heal()
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    bench.call(bench.undo(bet("b1"), "refund:b1"))
    bench.till.heal()
    bench.till.then(unreachable, kind=Kind.ROLLBACK) if others == 0 else bench.call(bet("b2", "20.00"))
    for _ in range(2):
        bench.call(refund())
        assert last_word(bench) == DOUBT
    if refused:
        bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    bench.settlement(600, 2)
    bench.call(refund())
    end = ALREADY_SETTLED if refused and not others else DOUBT if refused else ACCEPTED if others else NOT_FOUND
    assert last_word(bench) == end
    assert bench.till.balance() == Decimal("990.00" if refused else "1000.00")
    ended(bench)


@pytest.mark.parametrize("wallet", ONE_BET)
def test_rule_16_a_bet_beside_the_refund_of_its_round_is_in_it_or_after_it(bench_of: MakeBench, wallet: str) -> None:
    """At two nodes at once: it is given back, or it stands and is not said to be back."""
    bench = bench_of("kyren", wallet)
    other = bench.second()
    bench.call(bet("b1"))
    bench.till.always(late(0.3), kind=Kind.DEBIT)
    calls = [bench.begin_at(other, bet("b2", "20.00")), bench.begin(refund())]
    for call in calls:
        bench.finish(call)
    bench.settlement(300, 1)
    bench.call(bet("b2", "20.00"))
    stands = last_word(bench) == ACCEPTED and not bench.row(Kind.DEBIT, "b2").undone_by
    assert bench.till.balance() == (Decimal("980.00") if stands else Decimal("1000.00"))
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 8c


def of_three() -> Transaction:
    """Its second bet cannot be paid: the first is to be given back, the win is never sent."""
    return batch(bet("b1"), bet("b2", "5000.00"), win("w1", of="b1"))


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_19_a_giving_back_that_is_refused_leaves_the_item_for_a_person(bench_of: MakeBench, wallet: str) -> None:
    """The batch heard doubt for ever, the stake stayed taken, and no row was open: nobody saw it."""
    bench = bench_of("native", wallet)
    bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    for _ in range(2):
        assert word(bench.call(of_three())) == DOUBT
        bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("990.00")
    assert listed(bench) > 0
    bench.settlement(DAYS, 3600)
    ended(bench)
    assert open_rows(bench)


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("way", [lost_after, lost_before, unreachable], ids=["applied", "never came", "unreachable"])
def test_rule_19_a_giving_back_in_doubt_is_brought_to_its_end(bench_of: MakeBench, wallet: str, way: object) -> None:
    """Whoever repeats the batch or nobody: the stake comes back, and then the batch is declined."""
    bench = bench_of("native", wallet)
    bench.till.always(way, kind=Kind.ROLLBACK)  # type: ignore[arg-type]  # a behaviour
    assert word(bench.call(of_three())) == DOUBT
    assert listed(bench) > 0
    bench.till.heal()
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(of_three())) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_19_a_giving_back_that_its_wallet_denies_is_asked_again(bench_of: MakeBench, wallet: str) -> None:
    """It took that bet a moment ago: `transaction_not_found` is no answer (rule 6)."""
    bench = bench_of("native", wallet)
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.ROLLBACK)
    assert word(bench.call(of_three())) == DOUBT
    assert listed(bench) > 0
    bench.till.heal()
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(of_three())) == Reason.INSUFFICIENT_FUNDS
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 12


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_19_a_batch_gives_back_only_what_it_took(bench_of: MakeBench, wallet: str) -> None:
    """A bet that stood before it, and was told so, stands after it."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    assert word(bench.call(of_three())) == Reason.INSUFFICIENT_FUNDS
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    assert bench.till.asked(Kind.ROLLBACK) == 0
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_19_a_batch_gives_back_what_it_took_beside_what_stood_before(bench_of: MakeBench, wallet: str) -> None:
    """Three bets: one stood, one was taken by the batch, one was refused."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    whole = batch(bet("b1"), bet("b3", "30.00"), bet("b2", "5000.00"))
    assert word(bench.call(whole)) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(whole)) == Reason.INSUFFICIENT_FUNDS
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 13


def of_two_and_a_win() -> Transaction:
    return batch(bet("b1"), bet("b2", "20.00"), win("w1", "50.00"))


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_12_a_batch_with_a_win_is_completed_and_never_given_back_by_silence(
    bench_of: MakeBench, wallet: str
) -> None:
    """Its win was owed, its bets came back by the clock, and then the win was paid: 1050.00."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)), wallet)
    bench.till.always(lost_after, kind=Kind.CREDIT)
    assert word(bench.call(of_two_and_a_win())) == DOUBT
    bench.settlement(60, 5)
    bench.till.heal()
    bench.settlement(300, 5)
    assert bench.till.balance() == Decimal("1020.00")
    assert word(bench.call(of_two_and_a_win())) == ACCEPTED
    assert bench.till.balance() == Decimal("1020.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_12_a_batch_whose_last_bet_is_in_doubt_ends_as_all_or_nothing(bench_of: MakeBench, wallet: str) -> None:
    """Its credits tie to all of its debits: all of it stands, or nothing of it."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)), a_wallet(wallet, tombstones=False))
    bench.till.then(arrives, *[lost_after] * 60, kind=Kind.DEBIT)
    assert word(bench.call(of_two_and_a_win())) == DOUBT
    bench.settlement(10, 1)
    bench.till.heal()
    bench.settlement(600, 2)
    assert (bench.till.balance(), word(bench.call(of_two_and_a_win()))) in [
        (Decimal("1020.00"), ACCEPTED),
        (Decimal("1000.00"), Reason.ALREADY_ROLLED_BACK),
        (Decimal("970.00"), ACCEPTED),  # this very call gave the win
    ]
    assert bench.till.balance() in (Decimal("1000.00"), Decimal("1020.00"))
    nothing_is_open(bench)


def test_rule_16_a_win_that_was_taken_back_keeps_no_round(bench_of: MakeBench) -> None:
    """No page has both the refund of a round and a cancel of a win yet. Where one does: *a win that had been taken back refused
    the refund of its round for ever, and the stake stayed taken*; one that is being taken back is waited for."""
    bench = bench_of(declaring("kyren", rollback_kinds={"debit": (Kind.DEBIT, Kind.CREDIT)}))
    bench.call(bet("b1"))
    bench.call(win("w1"))
    bench.call(refund())
    assert last_word(bench) == ALREADY_SETTLED
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    bench.call(bench.undo(bet("w1"), "refund:w1"))
    bench.call(refund("rf2"))
    assert (last_word(bench), bench.till.balance()) == (DOUBT, Decimal("1015.00"))
    bench.till.heal()
    bench.settlement(600, 2)
    bench.call(refund("rf2"))
    assert (last_word(bench), bench.till.balance()) == (ACCEPTED, Decimal("1000.00"))
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_19_a_cancelled_bet_of_a_batch_in_doubt_is_not_taken_again(bench_of: MakeBench, wallet: str) -> None:
    """The provider cancels one of its bets under the bet's own id while the batch is in doubt."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    both = batch(bet("b1"), bet("b2", "20.00"))
    assert word(bench.call(both)) == DOUBT
    bench.call(undo("r1", "b1"))
    bench.settlement(600, 2)
    told = word(bench.call(both))
    assert told == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_19_a_batch_at_two_nodes_takes_each_item_once(bench_of: MakeBench) -> None:
    """The provider's balancer sends it twice."""
    bench = bench_of("native", "netgaming")
    other = bench.second()
    bench.till.always(late(0.2))
    calls = [bench.begin(of_two_and_a_win()), bench.begin_at(other, of_two_and_a_win())]
    for call in calls:
        bench.finish(call)
    bench.settlement(60, 1)
    assert word(bench.call(of_two_and_a_win())) == ACCEPTED
    assert bench.till.balance() == Decimal("1020.00")
    assert (bench.till.asked(Kind.DEBIT), bench.till.asked(Kind.CREDIT)) == (2, 1)
    nothing_is_open(bench)
