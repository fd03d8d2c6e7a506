"""Batches: what ties to them, in what order they are told, and what of them is given back."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Listing
from gateway.engine.states import State
from gateway.model import Adjust, Batch, Kind, Reason, Reserve, Round, Transaction
from tests.engine.acts import bet, settle, undo, win
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    declined_by_a_person,
    nothing_is_open,
    refuses,
    waits_for_a_person,
    word,
)
from tests.simulation.behaviours import Behaviour, arrives, late, lost_after, lost_before, unreachable
from tests.simulation.bench import NEVER, QUERY, SAFE, Bench, Trip, a_call, a_provider, a_wallet, at_once, vectors_of

SOON = timedelta(seconds=30)
SETTLED = refuses(Reason.ALREADY_SETTLED)
BIG = bet("big", "5000.00")


def batch(*items: Transaction, atomic: bool = True) -> Transaction:
    return a_call(Batch(items=items, atomic=atomic), round_id="")


def test_rule_11_wins_of_a_batch_without_a_bet_complete_the_only_bet_of_their_round(bench_of: MakeBench) -> None:
    """The wins waited for the bet, the bet's own look saw no win and declined it: 1030.00, and nobody saw it."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False, in_flight_max=SOON))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    bench.call(bet("b1"))
    bench.call(batch(win("w1"), win("w2", "5.00"), atomic=False))
    bench.settlement(300, 1)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1020.00")


def test_rule_11_kyrens_result_with_a_promotion_completes_the_bet_of_its_round(bench_of: MakeBench) -> None:
    """The same, where the provider's one Result is two wins."""
    wallet = a_wallet("native", repeats=QUERY, tombstones=False, in_flight_max=SOON, currency="USD")
    bench = bench_of("kyren", wallet, opening={"u-300": Decimal("1000.00")}, currency="USD")
    vector = next(v for v in vectors_of("kyren") if v.name == "result_with_promo")
    assert vector.transaction is not None
    first = vector.transaction.act.items[0]  # type: ignore[union-attr]  # a batch
    bench.till.always(lost_before)
    whose = bet("b1", player="u-300", session=vector.transaction.session, currency="USD")
    bench.call(replace(whose, round=first.round, game=first.game))
    bench.till.heal()
    bench.raw(vector.request)
    bench.settlement(300, 1)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    assert bench.till.balance("u-300") == Decimal("1020.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_11_a_bet_in_doubt_that_comes_again_in_a_batch_ties_to_its_win(bench_of: MakeBench, wallet: str) -> None:
    """The batch's win was paid, and the bet that came before it by itself was declined or stayed in doubt."""
    repeats = QUERY if wallet == "native" else SAFE
    bench = bench_of("native", a_wallet(wallet, repeats=repeats, tombstones=False, in_flight_max=SOON))
    bench.till.always(lost_before)
    bench.call(bet("b0"))
    bench.till.heal()
    bench.till.then(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.call(batch(bet("b0"), bet("b1", "20.00"), win("w1", "50.00")))
    bench.till.heal()
    bench.settlement(600, 2)
    assert bench.row(Kind.DEBIT, "b0").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1020.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_19_a_settle_and_a_bet_under_one_id_are_both_given_back(bench_of: MakeBench, wallet: str) -> None:
    """The second giving back met the first one's id, was taken for done, and 10.00 stayed taken, seen by nobody.
    NetGaming's wallet knows no rollback of a settle's win: there a person sees it."""
    bench = bench_of("native", wallet)
    assert word(bench.call(batch(bet("x1"), BIG))) == Reason.INSUFFICIENT_FUNDS
    told = word(bench.call(batch(settle("x1", "10.00", "1.00"), settle("big2", "5000.00"))))
    bench.settlement(60, 2)
    if wallet == "native":
        assert (told, bench.till.balance()) == (Reason.INSUFFICIENT_FUNDS, Decimal("1000.00"))
        nothing_is_open(bench)
    else:
        assert (told, bench.till.balance()) == (DOUBT, Decimal("991.00"))
        waits_for_a_person(bench)


def test_rule_19_what_a_batch_gives_comes_after_what_it_takes(bench_of: MakeBench) -> None:
    """A correction in the player's favour stayed with him, and its batch was declined."""
    bench = bench_of("native", "native")
    bonus = a_call(Adjust(amount=Decimal("50.00")), "a1")
    assert word(bench.call(batch(bonus, BIG))) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.balance() == Decimal("1000.00")
    bench.call(bet("b0"))
    assert word(bench.call(batch(undo("r0", "b0"), bet("big2", "5000.00")))) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.balance() == Decimal("990.00")


def test_rule_19_what_a_batch_holds_is_given_back_by_its_release(bench_of: MakeBench) -> None:
    """A rollback of a hold moves nothing at the wallet, which says yes to it."""
    bench = bench_of("native", "native")
    hold = a_call(Reserve(amount=Decimal("10.00")), "h1")
    assert word(bench.call(batch(hold, BIG))) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.RELEASE) == 1
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_19_a_batch_has_an_end_once_a_person_said_that_its_bet_stands(bench_of: MakeBench) -> None:
    """The provider heard doubt for ever, and nothing was open."""
    bench = bench_of("native", "netgaming")
    bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    whole = batch(bet("b1"), BIG)
    assert word(bench.call(whole)) == DOUBT
    declined_by_a_person(bench)
    assert word(bench.call(whole)) == Reason.INSUFFICIENT_FUNDS
    nothing_is_open(bench)


def test_rule_19_a_refused_giving_back_of_a_split_settle_is_a_persons(bench_of: MakeBench) -> None:
    """It was declined, the win stayed with the player, and nobody saw it."""
    bench = bench_of("native", "gameball")
    bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    assert word(bench.call(batch(settle("x1"), settle("big", "5000.00")))) == DOUBT
    bench.settlement(300, 2)
    waits_for_a_person(bench)


PAIR = batch(bet("b1"), bet("b2", "20.00"))


def half_taken(bench_of: MakeBench, refused: Behaviour) -> Bench:
    """The first bet of an atomic batch is taken, the second never arrives, and the first cancel fares as `refused`; its
    wallet may be asked for a rollback only once."""
    repeats = {"debit": "safe", "credit": "safe", "rollback": "never"}
    bench = bench_of("native", a_wallet("netgaming", repeats=repeats, tombstones=False, in_flight_max=SOON))
    bench.till.then(arrives, lost_after, kind=Kind.DEBIT)
    bench.till.then(refused, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(PAIR)) == DOUBT
    return bench


@pytest.mark.parametrize("refused", [lost_before, refuses(Reason.ALREADY_SETTLED)], ids=["a person", "its wallet"])
def test_rule_19_a_bet_whose_cancel_was_refused_is_not_given_back_with_its_batch(
    bench_of: MakeBench, refused: Behaviour
) -> None:
    """The provider cancelled both bets of a batch in doubt, heard that the first one stands, for a person or the wallet
    had said so, and when the second was undone the first was given back all the same: its player kept the stake."""
    bench = half_taken(bench_of, refused)
    bench.call(undo("c1", "b1"))
    declined_by_a_person(bench)
    assert word(bench.call(undo("c1", "b1"))) == Reason.ALREADY_SETTLED
    bench.call(undo("c2", "b2", amount="20.00"))
    bench.till.heal()
    bench.settlement(300, 1)
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("refused", [lost_before, refuses(Reason.ALREADY_SETTLED)], ids=["a person", "its wallet"])
def test_rule_19_nor_with_the_repeat_of_its_batch(bench_of: MakeBench, refused: Behaviour) -> None:
    """*Settlement let it stand, but when the batch came again that call gave it back, although its provider had heard that
    it stands.*"""
    bench = half_taken(bench_of, refused)
    bench.call(undo("c1", "b1"))
    declined_by_a_person(bench)
    bench.call(undo("c2", "b2", amount="20.00"))
    bench.till.heal()
    bench.settlement(300, 1)
    assert [word(bench.call(PAIR)) for _ in range(2)] == [Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_ROLLED_BACK]
    assert word(bench.call(undo("c1", "b1"))) == Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("trips", [4, 5, 6, 8])
def test_rule_19_nor_where_that_was_said_while_its_batch_was_being_given_back(bench_of: MakeBench, trips: int) -> None:
    """Its batch came again and went to give it back, also had begun with that; then a person said that the wallet keeps the
    bet, its cancel heard that it stands, and it was given back all the same."""
    bench = half_taken(bench_of, lost_before)
    bench.call(undo("c1", "b1"))
    bench.call(undo("c2", "b2", amount="20.00"))
    bench.till.heal()
    bench.settlement(300, 1)
    still = bench.second(Trip(stops_after=trips, stands_still=1.0))
    call = bench.begin_at(still, PAIR)
    bench.rest(0.2)
    declined_by_a_person(bench)
    bench.finish(call)
    assert word(bench.call(undo("c1", "b1"))) == Reason.ALREADY_SETTLED
    bench.settlement(300, 1)
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(PAIR)) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


# ---------------------------------------------------------------- nobody comes again


def in_doubt_and_silent(bench: Bench) -> None:
    """The first bet of an atomic batch is taken, the second never arrives, and its provider does not come again."""
    bench.till.then(arrives, lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(batch(bet("b1"), bet("b2", "20.00")))) == DOUBT
    bench.till.heal()


@pytest.mark.parametrize("nodes", [1, 2])
def test_rule_19_what_a_batch_took_is_given_back_when_settlement_finds_the_rest_never_arrived(
    bench_of: MakeBench, nodes: int
) -> None:
    """The stake of the first bet stayed taken until a repeat came, which never did."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False, in_flight_max=SOON))
    others = [bench.second() for _ in range(nodes - 1)]
    in_doubt_and_silent(bench)
    bench.settlement(300, 1, bench.process, *others)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert word(bench.call(batch(bet("b1"), bet("b2", "20.00")))) == Reason.ALREADY_ROLLED_BACK
    nothing_is_open(bench)


def test_rule_19_what_a_batch_took_is_given_back_when_a_person_declines_the_rest(bench_of: MakeBench) -> None:
    """The same, where nobody can ask the wallet about the second bet."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER, in_flight_max=SOON))
    in_doubt_and_silent(bench)
    bench.settlement(DAYS, 3600)
    declined_by_a_person(bench)
    bench.settlement(300, 1)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_19_what_a_batch_took_is_given_back_though_its_process_died_before_that(bench_of: MakeBench) -> None:
    """The second bet was declined, and then the process was gone."""
    bench = bench_of("native", "native")
    bench.till.then(arrives, refuses(Reason.INSUFFICIENT_FUNDS), kind=Kind.DEBIT)
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    bench.begin(batch(bet("b1"), bet("b2", "20.00")))
    declined = Listing(states=(State.DECLINED,))
    bench.scheduler.run(lambda: bool(at_once(bench.journal.listed(declined))))
    bench.crash()
    bench.restart()
    bench.till.heal()
    bench.settlement(300, 1)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- one answer


CLOCKED = a_provider("native", after_doubt=timedelta(seconds=20))
TWO_BETS = (bet("b1"), bet("b2", "20.00"))


def dies_after(bench: Bench, whole: Transaction, events: int) -> bool:
    """The process dies so many events after the batch was sent, and its provider does not come again: whether it had
    answered before."""
    call, seen = bench.begin(whole), itertools.count()
    bench.scheduler.run(lambda: call.done() or next(seen) >= events)
    if call.done():
        return True
    bench.crash()
    bench.restart()
    bench.settlement(120, 2)
    return False


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic", "not atomic"])
@pytest.mark.parametrize("items", [TWO_BETS, (*TWO_BETS, win("w1", "50.00"))], ids=["two bets", "and a win"])
def test_rule_26_the_items_of_a_batch_are_heard_all_or_none(
    bench_of: MakeBench, items: tuple[Transaction, ...], atomic: bool
) -> None:
    """*The process died while the second bet was asked for: the first one counted as heard, and silence gave back the
    second alone.* The provider hears one answer, and without it takes the whole batch for failed."""
    whole = Decimal("970.00") if len(items) == len(TWO_BETS) else Decimal("1020.00")
    found: dict[int, Decimal] = {}
    for events in range(1, 500):
        bench = bench_of(CLOCKED, "native")
        if dies_after(bench, batch(*items, atomic=atomic), events):
            break
        found[events] = bench.till.balance()
        nothing_is_open(bench)
    assert {events: left for events, left in found.items() if left not in (Decimal("1000.00"), whole)} == {}
    assert Decimal("1000.00") in found.values()


def test_rule_12_a_batch_whose_answer_was_heard_is_given_back_by_no_clock(bench_of: MakeBench) -> None:
    """Every one of its bets counts as heard with the answer, also those that were decided long before the last one; and
    where the connection was gone before it was written, none."""
    bench = bench_of(CLOCKED, "native")
    bench.till.then(arrives, late(1.5), kind=Kind.DEBIT)
    assert word(bench.call(batch(*TWO_BETS))) == ACCEPTED
    assert {bench.row(Kind.DEBIT, id).told for id in ("b1", "b2")} == {ACCEPTED}
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("970.00")
    at_once(bench.process.engine.unheard(bench.answers[-1]))
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("nodes", [1, 2])
def test_rule_12_no_clock_runs_out_while_its_batch_is_open(bench_of: MakeBench, nodes: int) -> None:
    """The first bet was decided, and the batch waited for the second one for longer than a provider is silent that
    believes it failed."""
    short = a_provider("native", after_doubt=timedelta(seconds=1))
    bench = bench_of(short, "native")
    others = [bench.second() for _ in range(nodes - 1)]
    bench.till.then(arrives, late(2.4), kind=Kind.DEBIT)
    call = bench.begin(batch(*TWO_BETS))
    bench.settlement(2.2, 0.1, bench.process, *others)
    assert word(bench.finish(call).outcome) == ACCEPTED
    bench.settlement(30, 1, bench.process, *others)
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


def test_rule_12_a_batch_whose_repeat_was_heard_is_given_back_by_no_clock(bench_of: MakeBench) -> None:
    """Doubt was told first; the repeat told everything from the journal, in one answer."""
    bench = bench_of(CLOCKED, "native")
    bench.till.then(arrives, kind=Kind.DEBIT)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    whole = batch(*TWO_BETS)
    assert word(bench.call(whole)) == DOUBT
    bench.till.heal()
    bench.settlement(8, 1)
    assert word(bench.call(whole)) == ACCEPTED
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("changed", range(1, 10))
def test_rule_31_a_batch_is_heard_though_one_of_its_rows_changed_meanwhile(bench_of: MakeBench, changed: int) -> None:
    """Another process looked at one of its bets just then: it was told as taken, and silence gave both back."""
    bench = bench_of(CLOCKED, "native")
    bench.process = bench.second(Trip(changed=changed))
    assert word(bench.call(batch(*TWO_BETS))) == ACCEPTED
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


def test_rule_19_a_batch_that_is_declined_at_its_first_bet_keeps_no_other_one(bench_of: MakeBench) -> None:
    """Doubt was told, both bets turned out to be taken, the first one was cancelled and the batch came again: it was
    declined at that bet, and nobody looked at the second, which its provider took for failed."""
    bench = bench_of("native", "native")
    whole = batch(*TWO_BETS)
    bench.till.then(arrives, kind=Kind.DEBIT)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(whole)) == DOUBT
    bench.till.heal()
    bench.settlement(30, 1)
    assert word(bench.call(undo("c1", "b1"))) == ACCEPTED
    assert [word(bench.call(whole)) for _ in range(2)] == [Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_ROLLED_BACK]
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- batches that give back


def two_cancels(bench_of: MakeBench, wallet: str = "native", *, second: Behaviour = SETTLED) -> Bench:
    """Two bets stand, and an atomic batch is to cancel both: the first cancel is done, the second one is not."""
    bench = bench_of("native", wallet)
    for one in TWO_BETS:
        bench.call(one)
    bench.till.then(arrives, second, kind=Kind.ROLLBACK)
    return bench


CANCELS = batch(undo("r1", "b1"), undo("r2", "b2"))


@pytest.mark.parametrize("changes", ["first", "bet", "win", "round"])
def test_rule_2_a_batch_that_comes_again_with_another_amount_gives_nothing_back(
    bench_of: MakeBench, changes: str
) -> None:
    """The first decision stands: its stake was given back, and its win stayed paid. *So was what stands behind the item that is
    another one now: nobody had come to it.*"""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE))
    changed = {
        "first": (bet("b1", "11.00"), bet("b2", "20.00"), win("w1")),
        "round": tuple(replace(item, round=Round("another")) for item in (bet("b1"), bet("b2", "20.00"), win("w1"))),
        "bet": (bet("b1"), bet("b2", "21.00"), win("w1")),
        "win": (bet("b1"), bet("b2", "20.00"), win("w1", "26.00")),
    }
    first = batch(bet("b1"), bet("b2", "20.00"), win("w1"))
    assert word(bench.call(first)) == ACCEPTED
    assert word(bench.call(batch(*changed[changes]))) == Reason.DUPLICATE_MISMATCH
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("995.00")
    assert word(bench.call(first)) == ACCEPTED
    nothing_is_open(bench)


def test_rule_2_nor_does_a_batch_in_doubt(bench_of: MakeBench) -> None:
    """Its bet was given back beside its win, which was owed."""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE))
    bench.till.always(lost_before, kind=Kind.CREDIT)
    assert word(bench.call(batch(bet("b1"), win("w1")))) == DOUBT
    assert word(bench.call(batch(bet("b1", "11.00"), win("w1")))) == Reason.DUPLICATE_MISMATCH
    bench.till.heal()
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


def test_rule_2_nor_what_it_took_under_ids_that_were_not_looked_at(bench_of: MakeBench) -> None:
    """The first of two bets had another amount, nobody looked at the second, and that one was given back."""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE))
    assert word(bench.call(batch(bet("b1"), bet("b2", "20.00")))) == ACCEPTED
    assert word(bench.call(batch(bet("b1", "11.00"), bet("b2", "20.00")))) == Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


def test_rule_2_nor_what_it_took_beside_one_that_stood_before_it(bench_of: MakeBench) -> None:
    """Both bets had been accepted in one batch, one of them from before; that one came again with another amount."""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE))
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert word(bench.call(batch(bet("b1"), bet("b2", "20.00")))) == ACCEPTED
    assert word(bench.call(batch(bet("b1", "11.00"), bet("b2", "20.00")))) == Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("known", ["another amount", "cancelled"])
@pytest.mark.parametrize("beside", [(), (bet("b1"),)], ids=["wins", "a bet and wins"])
def test_rule_19_no_win_of_a_batch_is_paid_where_the_journal_refuses_another(
    bench_of: MakeBench, known: str, beside: tuple[Transaction, ...]
) -> None:
    """The first win was paid, the second refused, and its provider heard that nothing had moved."""
    bench = bench_of("native", "native")
    reason = Reason.DUPLICATE_MISMATCH if known == "another amount" else Reason.ALREADY_ROLLED_BACK
    bench.call(win("w2", "6.00") if known == "another amount" else undo("x", "w2", kind=Kind.CREDIT))
    before = bench.till.balance()
    for _ in range(2):
        assert word(bench.call(batch(*beside, win("w1"), win("w2", "5.00")))) == reason
        assert bench.till.balance() == before
    nothing_is_open(bench)


def test_rule_19_nor_where_the_bet_beside_them_is_in_doubt(bench_of: MakeBench) -> None:
    """The bet used up the time of its call, and the win that is not refused was owed from then on."""
    bench = bench_of("native", "native")
    bench.call(undo("x", "w2", kind=Kind.CREDIT))
    bench.till.always(late(30), kind=Kind.DEBIT)
    whole = batch(bet("b1"), win("w1"), win("w2", "5.00"))
    bench.call(whole)
    bench.till.heal()
    assert word(bench.call(whole)) == Reason.ALREADY_ROLLED_BACK
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_19_what_a_batch_took_beside_a_used_id_is_given_back(bench_of: MakeBench) -> None:
    """None of what it asked for stands; what had the id before does, and so it is at each repeat."""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE))
    assert word(bench.call(bet("b2", "20.00"))) == ACCEPTED
    for _ in range(2):
        assert word(bench.call(batch(bet("b1"), bet("b2", "21.00")))) == Reason.DUPLICATE_MISMATCH
        assert bench.till.balance() == Decimal("980.00")
    nothing_is_open(bench)


def test_rule_19_of_an_atomic_batch_of_cancels_none_is_done_where_one_is_refused(bench_of: MakeBench) -> None:
    """*The provider heard that nothing was cancelled, and the first stake had been given back: its bet went on, free.*
    Declined means that nothing moved; the bet stands, and may be cancelled again."""
    bench = two_cancels(bench_of)
    assert [word(bench.call(CANCELS)) for _ in range(2)] == [Reason.ALREADY_SETTLED, Reason.ALREADY_SETTLED]
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    assert word(bench.call(undo("r9", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("980.00")


def test_rule_19_what_a_wallet_cannot_take_again_is_a_persons(bench_of: MakeBench) -> None:
    """NetGaming knows no rollback of a rollback: its provider hears doubt until somebody has said what becomes of it."""
    bench = two_cancels(bench_of, "netgaming")
    assert word(bench.call(CANCELS)) == DOUBT
    waits_for_a_person(bench)
    declined_by_a_person(bench)
    assert word(bench.call(CANCELS)) == Reason.ALREADY_SETTLED


def test_rule_19_a_cancel_is_taken_again_when_settlement_finds_the_other_one_refused(bench_of: MakeBench) -> None:
    """The second cancel was in doubt when the provider was answered, and it did not come again."""
    bench = two_cancels(bench_of, second=lost_before)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(CANCELS)) == DOUBT
    bench.till.heal()
    bench.till.then(SETTLED, kind=Kind.ROLLBACK)
    bench.settlement(300, 1)
    assert bench.row(Kind.ROLLBACK, "r2").state is State.DECLINED
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)


def refused_for_its_cancel(bench: Bench, whole: Transaction, dies: bool) -> None:
    """Its process ends as soon as one of its items is declined, or says so; either way nothing of it has moved."""
    call = bench.begin(whole)
    declined = Listing(states=(State.DECLINED,))
    bench.scheduler.run(lambda: dies and bool(at_once(bench.journal.listed(declined))))
    if dies:
        bench.crash()
        bench.restart()
    else:
        assert word(bench.finish(call).outcome) == Reason.ALREADY_SETTLED
    bench.settlement(300, 1)
    assert bench.till.balance() == Decimal("993.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("dies", [True, False])
def test_rule_19_what_a_batch_took_is_given_back_when_its_cancel_is_refused(bench_of: MakeBench, dies: bool) -> None:
    """*The call gave the bet back where it lived to; settlement looked for a bet that was declined, and found none: the
    stake stayed taken.*"""
    bench = bench_of("native", "native")
    bench.call(bet("b0", "7.00"))
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    refused_for_its_cancel(bench, batch(bet("b1"), undo("r0", "b0")), dies)


@pytest.mark.parametrize("dies", [True, False])
def test_rule_19_a_bet_that_its_own_batch_cancelled_is_not_taken_again(bench_of: MakeBench, dies: bool) -> None:
    """*The cancel was undone with its batch, so its bet stood again, and nobody gave it back: the provider heard that
    nothing had moved, and the stake stayed taken with nothing open.*"""
    bench = bench_of("native", "native")
    bench.call(bet("b0", "7.00"))
    bench.till.then(arrives, SETTLED, kind=Kind.ROLLBACK)
    whole = batch(bet("b1"), undo("r1", "b1"), undo("r0", "b0"))
    refused_for_its_cancel(bench, whole, dies)
    assert word(bench.call(whole)) == Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("993.00")


def test_rule_12_the_clock_goes_on_for_a_bet_whose_cancel_was_undone_with_its_batch(bench_of: MakeBench) -> None:
    """*Doubt was told of the bet; the batch that cancelled it was declined, and with its cancel the clock was gone, too: the
    stake stayed taken, and nobody looked at it again.*"""
    bench = bench_of(CLOCKED, "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.call(bet("b2", "20.00"))
    bench.settlement(8, 1)
    bench.till.then(arrives, SETTLED, kind=Kind.ROLLBACK)
    assert word(bench.call(CANCELS)) == Reason.ALREADY_SETTLED
    bench.settlement(120, 1)
    assert bench.till.balance() == Decimal("980.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("atomic", [True, False])
def test_rule_12_a_list_is_not_told_as_accepted_of_which_the_clock_gave_a_bet_back(
    bench_of: MakeBench, atomic: bool
) -> None:
    """Its repeat was open, and asked for the second bet: the silence since the first call gave the first one back, the
    list was told as accepted, and one of its stakes was free."""
    silent = a_provider("native", after_doubt=timedelta(seconds=5))
    bench = bench_of(silent, a_wallet("native", repeats=SAFE))
    bench.till.then(arrives, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.DEBIT)
    both = batch(bet("b1"), bet("b2", "20.00"), atomic=atomic)
    assert word(bench.call(both)) == DOUBT
    bench.till.heal()
    bench.rest(5.0)
    bench.till.then(late(2.0), kind=Kind.DEBIT)
    repeat = bench.begin(both)
    bench.rest(0.5)
    bench.settlement(1, 1)
    told = bench.finish(repeat).outcome
    bench.settlement(60, 2)
    assert word(told) == Reason.ALREADY_ROLLED_BACK if atomic else told
    assert bench.till.balance() == Decimal("1000.00" if atomic else "980.00")
    assert bench.row(Kind.DEBIT, "b1").told != State.ACCEPTED.value
    nothing_is_open(bench)


@pytest.mark.parametrize("then", ["alone", "in another batch"])
def test_rule_19_a_bet_that_was_heard_to_stand_is_not_given_back_with_its_batch(bench_of: MakeBench, then: str) -> None:
    """Its batch was in doubt; then it came again without the rest, and its provider heard yes. *When the rest was cancelled
    its stake went back all the same: the bet went on, free.*"""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False, in_flight_max=SOON))
    in_doubt_and_silent(bench)
    again = bet("b1") if then == "alone" else batch(bet("b1"), bet("b3", "5.00"))
    assert word(bench.call(again)) == ACCEPTED
    bench.call(undo("c2", "b2", amount="20.00"))
    bench.settlement(300, 1)
    assert word(bench.call(batch(bet("b1"), bet("b2", "20.00")))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("990.00" if then == "alone" else "985.00")
    assert word(bench.call(again)) == ACCEPTED
    nothing_is_open(bench)


def test_rule_2_nor_where_the_other_item_was_there_before_its_batch(bench_of: MakeBench) -> None:
    """Its provider heard that both bets stand. *The one that the batch had brought was given back, and its repeat heard yes.*"""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE))
    pair = batch(bet("b1"), bet("b2", "20.00"))
    assert [word(bench.call(one)) for one in (bet("b1"), pair)] == [ACCEPTED, ACCEPTED]
    assert word(bench.call(batch(bet("b1", "11.00"), bet("b2", "20.00")))) == Reason.DUPLICATE_MISMATCH
    bench.settlement(120, 2)
    assert word(bench.call(pair)) == ACCEPTED
    assert bench.till.balance() == Decimal("970.00")
    nothing_is_open(bench)
