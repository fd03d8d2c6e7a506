"""Rollbacks that were themselves undone, words that were lost or came too late, and what they left behind silently."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from msgspec.structs import replace

from gateway.ends import Kept
from gateway.engine.journal import JournalLost
from gateway.engine.parts import part_id
from gateway.engine.states import State
from gateway.model import Batch, Capture, Declined, Kind, Reason, Reserve, Rollback, Round, Transaction
from tests.engine.acts import bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    listed,
    nothing_is_open,
    open_rows,
    refuses,
    waits_for_a_person,
    word,
)
from tests.engine.test_person import again, decide
from tests.simulation.behaviours import Behaviour, Post, Response, arrives, lost_after, lost_before, unreachable
from tests.simulation.bench import (
    NEVER,
    PLAYER,
    QUERY,
    SAFE,
    Bench,
    Trip,
    a_call,
    a_provider,
    a_wallet,
    declared,
    declaring,
)

CLOCKED = a_provider("native", after_doubt=timedelta(seconds=20))
FORWARD = undo("u1", "r1", kind=Kind.ROLLBACK)
"""The rollback of the cancel `r1`: its bet is to stand again."""


def refund(id: str, round_id: str = "r-1") -> Transaction:
    """Kyren's Refund of a round."""
    return replace(
        bet("x"), act=Rollback(reference=id, scope="round"), id=f"refund:{id}", round=Round(round_id)
    )  # fmt: skip


# ---------------------------------------------------------------- a cancel that was itself undone


def test_rule_06_a_cancel_that_was_undone_before_it_left_is_not_told_as_done(bench_of: MakeBench) -> None:
    """The wallet could not be reached for the cancel, its provider took it back and cancelled anew: the second cancel heard
    that the bet was rolled back already, and the player never saw the stake again."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert word(bench.call(FORWARD)) == Reason.TRANSACTION_NOT_FOUND
    bench.till.heal()
    bench.settlement(600, 2)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("990.00")
    assert word(bench.call(undo("r2", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_11_a_bet_in_doubt_whose_cancel_was_undone_is_not_declined(bench_of: MakeBench) -> None:
    """The bet had been taken and nobody knew; its cancel never left and was undone: the bet was declined, and the stake
    stayed taken with nothing open."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert [word(bench.call(call)) for call in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    assert word(bench.call(FORWARD)) == Reason.TRANSACTION_NOT_FOUND
    bench.till.heal()
    bench.settlement(600, 2)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_11_a_cancel_waits_while_the_undoing_of_the_one_before_is_in_doubt(bench_of: MakeBench) -> None:
    """It was told for good that the bet was rolled back before; then it turned out that the bet stood again."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert [word(bench.call(call)) for call in (FORWARD, undo("r2", "b1"))] == [DOUBT, DOUBT]
    bench.till.heal()
    bench.settlement(300, 2)
    assert [word(bench.call(call)) for call in (FORWARD, undo("r2", "b1"))] == [ACCEPTED, ACCEPTED]
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_11_where_that_undoing_is_refused_the_later_cancel_ends_as_done_before(bench_of: MakeBench) -> None:
    """The wait has an end, and nothing is given back twice."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert [word(bench.call(call)) for call in (FORWARD, undo("r2", "b1"))] == [DOUBT, DOUBT]
    bench.till.heal()
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    bench.settlement(300, 2)
    told = [word(bench.call(call)) for call in (FORWARD, undo("r2", "b1"))]
    assert told == [Reason.ALREADY_SETTLED, Reason.ALREADY_ROLLED_BACK]
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def accepted_after_doubt(bench_of: MakeBench) -> Bench:
    """A bet whose yes its provider never heard."""
    bench = bench_of()
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(60, 2)
    yes(bench.call(undo("r1", "b1")))
    return bench


def test_rule_07_the_repeat_of_a_bet_whose_cancel_was_undone_hears_that_it_stands(bench_of: MakeBench) -> None:
    """It was told `already_rolled_back`, although the stake was taken: the player's bet counted nowhere."""
    bench = accepted_after_doubt(bench_of)
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    yes(bench.call(FORWARD))
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("kept_by", [Kept.LATER, Kept.ITS_WIN], ids=["a later bet", "its win"])
@pytest.mark.parametrize("done", [True, False], ids=["the cancel was done", "it never left"])
def test_rule_15_a_bet_that_stands_again_is_kept_as_any_other(
    bench_of: MakeBench, kept_by: Kept, *, done: bool
) -> None:
    """Its repeat had heard that it was rolled back; then that rollback was itself undone, and the bet cancelled anew. That word
    of before let the second cancel go out beside what the page keeps the bet for."""
    bench = bench_of(declaring(kept_by=lambda settings: kept_by))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(60, 2)
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert [word(bench.call(call)) for call in (undo("r1", "b1"), bet("b1"))] == [DOUBT, Reason.ALREADY_ROLLED_BACK]
    if done:
        bench.till.heal()
        bench.settlement(300, 2)
        yes(bench.call(FORWARD))
    else:
        assert word(bench.call(FORWARD)) == Reason.TRANSACTION_NOT_FOUND
        bench.till.heal()
        bench.settlement(300, 2)
    yes(bench.call(bet("b2") if kept_by is Kept.LATER else win("w1", of="b1")))
    before = bench.till.balance()
    assert word(bench.call(undo("r2", "b1"))) == Reason.ALREADY_SETTLED
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.balance() == before
    nothing_is_open(bench)


def test_rule_07_while_nobody_knows_whether_its_cancel_was_undone_it_hears_doubt(bench_of: MakeBench) -> None:
    """Neither word would be true for sure."""
    bench = accepted_after_doubt(bench_of)
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert [word(bench.call(call)) for call in (FORWARD, bet("b1"))] == [DOUBT, DOUBT]
    bench.till.heal()
    bench.settlement(300, 2)
    assert [word(bench.call(call)) for call in (FORWARD, bet("b1"))] == [ACCEPTED, ACCEPTED]
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_11_a_bet_whose_cancel_a_person_knows_to_be_undone_is_asked_about(bench_of: MakeBench) -> None:
    """The bet, its cancel and the undoing of that were all in doubt; a person saw the last one in the wallet's book, and the
    bet that stood was declined as rolled back."""
    bench = bench_of()
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    told = [word(bench.call(call)) for call in (bet("b1"), undo("r1", "b1"), FORWARD)]
    assert told == [DOUBT, DOUBT, DOUBT]
    decide(bench, bench.row(Kind.ROLLBACK, "u1").key, accepted=True, force=True)
    bench.till.heal()
    bench.settlement(600, 2)
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    assert word(bench.call(undo("r2", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["gameball", "native"])
def test_rule_06_the_undoing_of_a_split_settles_cancel_is_a_persons(bench_of: MakeBench, wallet: str) -> None:
    """It was told that this cancel had been declined; it had been done, and as two movements of which the provider's id is
    none. A wallet that knows settles is asked."""
    bench = bench_of("native", wallet)
    yes(bench.call(settle("s1")))
    yes(bench.call(undo("r1", "s1", kind=Kind.SETTLE)))
    told = word(bench.call(FORWARD))
    if wallet == "native":
        assert (told, bench.till.balance()) == (ACCEPTED, Decimal("1015.00"))
    else:
        assert (told, bench.till.balance()) == (DOUBT, Decimal("1000.00"))
        waits_for_a_person(bench)


@pytest.mark.parametrize("forward", [True, False], ids=["it stands again", "it stays undone"])
def test_rule_11_a_bet_that_was_rolled_forward_is_a_bet_of_its_round_again(bench_of: MakeBench, forward: bool) -> None:
    """The win named no bet, and two of its round stood; the one in doubt was taken for the only one, and asked for again
    although nobody waited for it."""
    bench = bench_of("native", a_wallet("native", repeats=SAFE, tombstones=False))
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    if forward:
        yes(bench.call(FORWARD))
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b2", "20.00"))) == DOUBT
    bench.till.heal()
    asked = bench.till.asked(Kind.DEBIT)
    bench.call(win("w1", "5.00"))
    bench.settlement(300, 2)
    assert (bench.till.asked(Kind.DEBIT) == asked) is forward
    assert bench.row(Kind.DEBIT, "b2").state is (State.DECLINED if forward else State.ACCEPTED)
    assert bench.till.balance() == (Decimal("995.00") if forward else Decimal("985.00"))
    nothing_is_open(bench)


def test_rule_12_no_clock_gives_back_what_its_provider_rolled_forward(bench_of: MakeBench) -> None:
    """Doubt was told of the bet, then it was cancelled, and then the cancel undone: its provider knows that it stands."""
    bench = bench_of(CLOCKED, "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(8, 1)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    yes(bench.call(undo("r1", "b1")))
    yes(bench.call(FORWARD))
    bench.settlement(300, 2)
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_16_a_bet_that_was_rolled_forward_is_refunded_with_its_round(bench_of: MakeBench) -> None:
    """Its round's refund found no open bet, and the stake stayed taken."""
    native = a_provider("native")
    rounds = replace(native, dialect=replace(native.dialect, round_refunds=True))
    bench = bench_of(rounds, "native")
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    yes(bench.call(FORWARD))
    yes(bench.call(bet("b2", "20.00")))
    yes(bench.call(replace(undo("rf", "none"), act=Rollback(reference="none", scope="round"))))
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- words that were lost, or came beside each other


@pytest.mark.parametrize("unconfirmed", range(1, 12))
@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_04_whichever_confirmation_is_lost_a_bet_that_left_stays_one_that_left(
    bench_of: MakeBench, wallet: str, unconfirmed: int
) -> None:
    """The bet was taken and its answer lost; the wallet could not be reached again. That this second attempt had not left
    was written twice, so the first one had not left either: it was declined, "it never reached the wallet"."""
    bench = bench_of("native", wallet)
    bench.process = bench.second(Trip(unconfirmed=unconfirmed))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(unreachable)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.settlement(30, 1)
    bench.till.heal()
    bench.settlement(60, 1)
    lost = [error for error in bench.scheduler.errors if isinstance(error, JournalLost)]
    assert lost == bench.scheduler.errors
    bench.scheduler.errors.clear()
    if bench.till.asked(Kind.DEBIT):
        assert bench.row(Kind.DEBIT, "b1").state is not State.DECLINED
        assert bench.till.balance() == Decimal("990.00")


def answers_at(second: float, outcome: Declined | None = None) -> Behaviour:
    """It is decided at once and answered then; None: by the wallet itself."""

    async def behave(post: Post) -> Response:
        response = post.arrive() if outcome is None else post.till.words(outcome, post.request)
        world = post.bench.scheduler
        await world.sleep(max(0.0, second - world.ticks()))
        return response

    return behave


def test_rule_28_a_late_yes_is_not_lost_beside_a_late_no(bench_of: MakeBench) -> None:
    """Both attempts were answered within ten milliseconds, and the no to the second was written over the yes to the first:
    the bet stayed in doubt for ever, with "accepted" in its story."""
    applied = {"debit": "applied", "credit": "safe", "rollback": "safe"}
    bench = bench_of("native", a_wallet("netgaming", repeats=applied, answer_within=timedelta(seconds=1)))
    broke = Declined(reason=Reason.INSUFFICIENT_FUNDS, balance=Decimal("0.00"), currency="EUR")
    bench.till.then(answers_at(12.0), kind=Kind.DEBIT)
    bench.till.always(answers_at(12.01, broke), kind=Kind.DEBIT)
    bench.process = bench.second(Trip(seconds=0.02))
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.rest(120)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    nothing_is_open(bench)


@pytest.mark.parametrize("changed", range(1, 8))
def test_rule_31_that_an_answer_was_not_heard_is_written_though_its_row_changed_meanwhile(
    bench_of: MakeBench, changed: int
) -> None:
    """On a database of several processes somebody else may write a row between the look and the write of another. The
    connection was gone before the yes was written, that was not journalled, and the stake stayed taken."""
    bench = bench_of(CLOCKED, "native")
    bench.process = bench.second(Trip(changed=changed))
    yes(bench.call(bet("b1")))
    bench.scheduler.finish(bench.process.engine.unheard(bench.answers[-1]))
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("changed", range(1, 12))
def test_rule_28_a_late_answer_is_written_though_its_row_changed_meanwhile(bench_of: MakeBench, changed: int) -> None:
    """The same, of a yes that came after its provider had been answered: nobody could ask for it again."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER, answer_within=timedelta(seconds=1)))
    bench.process = bench.second(Trip(changed=changed))
    bench.till.then(answers_at(8.0), kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.settlement(60, 2)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    nothing_is_open(bench)


# ---------------------------------------------------------------- refunds


REFUNDS = [("a", "b:c", "a:b", "c"), ("a", "b", "a:b", "c")]


@pytest.mark.parametrize(("one", "bet_of_one", "other", "bet_of_other"), REFUNDS)
@pytest.mark.parametrize("wallet", ["netgaming", "dragon_gaming"])
def test_rule_03_the_rollbacks_of_two_refunds_are_two(
    bench_of: MakeBench, wallet: str, one: str, bet_of_one: str, other: str, bet_of_other: str
) -> None:
    """Refund `a` of bet `b:c` and refund `a:b` of bet `c` shared a key: the second went round in a circle, and the stake
    of its bet stayed taken."""
    bench = bench_of("kyren", wallet)
    rounds = {"r-1": ("b1", bet_of_one), "r-2": ("d1", bet_of_other)}
    for round_id, ids in rounds.items():
        for id in ids:
            yes(bench.call(bet(id, round_id=round_id)))
    bench.call(refund(one, "r-1"))
    bench.call(refund(other, "r-2"))
    bench.settlement(60, 5)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("direct_first", [True, False])
@pytest.mark.parametrize("scope", ["round", "transaction"], ids=["a Refund", "a Cancel"])
@pytest.mark.parametrize("wallet", ["native", "netgaming", "kyren"])
def test_rule_03_a_refund_that_is_named_as_a_rounds_part_is_told_as_another_one(
    bench_of: MakeBench, wallet: str, scope: str, direct_first: bool
) -> None:
    """Refund `a` of a round with the bet `b`, and the refund of the bet `a:b`: the wallet took the second one of them for
    the first, and the stake of its bet stayed taken."""
    bench = bench_of("kyren", wallet)
    for id, round_id in (("b1", "r-1"), ("b", "r-1"), ("a:b", "r-2")):
        yes(bench.call(bet(id, round_id=round_id)))
    direct = replace(refund("a:b", "r-2"), act=Rollback(reference="a:b", scope=scope))
    for call in (direct, refund("a", "r-1")) if direct_first else (refund("a", "r-1"), direct):
        yes(bench.call(call))
    assert len({tx.id for tx in bench.till.sent if tx.kind is Kind.ROLLBACK}) == 3
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_16_the_ids_of_a_refunds_rollbacks_are_never_another_ones() -> None:
    """`<refund id>:<bet id>` as wallets know them, and whatever a provider's ids hold no two are the same."""
    assert part_id("refund:rf", "b2") == "refund:rf:b2"
    assert part_id("rf", "b2") == "rf:b2"
    ids = ["".join(letters) for length in (1, 2, 3) for letters in product("a:%3", repeat=length)]
    refunds = [f"refund:{id}" for id in ids]
    made = {part_id(one) for one in refunds} | {part_id(one, other) for one in refunds for other in ids}
    assert len(made) == len(ids) * (len(ids) + 1)


def test_rule_16_a_refund_goes_on_when_its_part_that_was_a_persons_has_ended(bench_of: MakeBench) -> None:
    """A person had the part asked again and it was done; the refund itself waited for a person for ever."""
    bench = bench_of("kyren", a_wallet("native", repeats=NEVER))
    yes(bench.call(bet("b1", round_id="r-1")))
    yes(bench.call(bet("b2", "20.00", round_id="r-1")))
    bench.till.then(arrives, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.call(refund("rf"))
    bench.settlement(600, 5)
    (part,) = [row.key for row in open_rows(bench) if row.parent]
    bench.till.heal()
    bench.restart_with(a_wallet("native"))  # the operator has learnt that it looks for the id first
    again(bench, part)
    bench.settlement(DAYS, 3600)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- what stops a clock, and what does not any more


def test_rule_12_a_capture_stops_the_clock_of_its_hold(bench_of: MakeBench) -> None:
    """A hold in doubt was captured, so its provider knew of it; then the clock released it, the wallet knew no such hold
    any more, and the hold was told as rolled back although its money had been taken."""
    bench = bench_of(CLOCKED, "native")
    bench.till.always(lost_after, kind=Kind.RESERVE)
    bench.till.always(lost_before, kind=Kind.STATUS)
    hold = a_call(Reserve(amount=Decimal("10.00")), "h1")
    assert word(bench.call(hold)) == DOUBT
    bench.till.heal()
    bench.settlement(5, 1)
    yes(bench.call(a_call(Capture(reference="h1", amount=Decimal("10.00")), "c1")))
    bench.settlement(120, 2)
    assert word(bench.call(hold)) == ACCEPTED
    assert bench.till.asked(Kind.RELEASE) == 0
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("by_a_person", [True, False], ids=["by a person", "by its wallet"])
def test_rule_12_a_capture_that_was_refused_stops_no_clock(bench_of: MakeBench, by_a_person: bool) -> None:
    """The hold would have held the money without end, and nobody looked at it."""
    bench = bench_of(CLOCKED, "native")
    bench.till.always(lost_after, kind=Kind.RESERVE)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h1"))) == DOUBT
    bench.till.heal()
    bench.settlement(5, 1)
    bench.till.then(lost_before if by_a_person else refuses(Reason.PLAYER_BLOCKED), kind=Kind.CAPTURE)
    bench.till.always(lost_before, kind=Kind.CAPTURE)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.call(a_call(Capture(reference="h1", amount=Decimal("10.00")), "c1"))
    if by_a_person:
        bench.settlement(60, 1)
        assert bench.till.asked(Kind.RELEASE) == 0
        decide(bench, bench.row(Kind.CAPTURE, "c1").key, accepted=False, force=True)
    assert bench.row(Kind.CAPTURE, "c1").state is State.DECLINED
    bench.settlement(120, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("ties", ["its batch", "its name", "its round"])
def test_rule_12_a_win_that_a_person_declined_stops_no_clock(bench_of: MakeBench, ties: str) -> None:
    """The win had stopped the clock of its bet; a person said that it would never be paid, and the clock did not run
    again: the stake stayed taken with nothing open."""
    once = {"debit": "safe", "credit": "never", "rollback": "safe"}
    bench = bench_of(CLOCKED, a_wallet("netgaming", repeats=once))
    bench.till.then(lost_before, kind=Kind.CREDIT)
    if ties == "its batch":
        bench.call(a_call(Batch(items=(bet("b1"), win("w1")), atomic=True), round_id=""))
    else:
        bench.till.always(lost_after, kind=Kind.DEBIT)
        assert word(bench.call(bet("b1"))) == DOUBT
        bench.till.heal()
        bench.till.then(lost_before, kind=Kind.CREDIT)
        assert word(bench.call(win("w1", of="b1" if ties == "its name" else ""))) == DOUBT
    bench.settlement(60, 1)
    assert bench.row(Kind.DEBIT, "b1").state is State.ACCEPTED
    assert bench.till.balance(PLAYER) == Decimal("990.00")
    decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=False)
    bench.settlement(3600, 5)
    assert bench.till.balance() == Decimal("1000.00")
    assert listed(bench) == 0


def test_rule_20_the_cancel_of_a_win_that_was_paid_by_hand_is_a_persons(bench_of: MakeBench) -> None:
    """No route led to a wallet, a person paid the win and said so. Its cancel was told as done, because nothing of that win
    had ever been sent; the player kept it, and nothing was open."""
    bench = bench_of("native", "netgaming")
    routes, bench.setup = bench.setup.routes, replace(bench.setup, routes=())
    assert word(bench.call(win("w1"))) == DOUBT
    bench.setup = replace(bench.setup, routes=routes)
    decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=True)
    cancel = undo("r1", "w1", kind=Kind.CREDIT)
    assert word(bench.call(cancel)) == DOUBT
    bench.settlement(120, 5)
    assert word(bench.call(cancel)) == DOUBT
    assert bench.till.asked() == 0
    waits_for_a_person(bench)


def test_rule_12_the_undoing_of_a_cancel_that_joined_our_own_is_a_persons(bench_of: MakeBench) -> None:
    """Its wallet knows our rollback, and nothing of the cancel that joined it. The undoing of that cancel was told as done
    without a wallet: the provider's bet stood, and its stake had been given back."""
    bench = bench_of(CLOCKED, "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(60, 1)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(FORWARD)) == DOUBT
    assert bench.till.balance() == Decimal("1000.00")
    waits_for_a_person(bench)


def test_rule_10_a_wallet_that_undoes_once_is_asked_what_became_of_the_first(bench_of: MakeBench) -> None:
    """*Its answer was lost and another part given back: the query about the first was taken for a second rollback, which such a
    wallet is never told, and never made: the first was told as refused, once its undoing was done.* A query undoes nothing."""
    wallet = a_wallet("native", repeats=QUERY, tombstones=False)
    bench = bench_of(declaring(partial=True), replace(wallet, dialect=declared(wallet.dialect, undoes_once=True)))
    yes(bench.call(bet("b")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(unreachable, kind=Kind.STATUS)
    assert word(bench.call(undo("u", "b", "4.00"))) == DOUBT
    yes(bench.call(undo("w", "b", "6.00")))
    assert word(bench.call(undo("v", "u", kind=Kind.ROLLBACK))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.row(Kind.ROLLBACK, "u").state is bench.row(Kind.ROLLBACK, "v").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("996.00")


PARTS = pytest.mark.parametrize("parts", [False, True], ids=["native", "parts"])


@PARTS
def test_rule_17_what_is_left_once_a_part_of_a_refund_was_taken_back_goes_back(
    bench_of: MakeBench, *, parts: bool
) -> None:
    """*Four of a refund of ten were taken back, then three refunded: the bet counted as undone, and one stayed taken.*"""
    bench = bench_of(declaring(partial=parts))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b", "10.00")))
    yes(bench.call(undo("v", "u", "4.00", kind=Kind.ROLLBACK)))
    for id, amount in (("w", "3.00"), ("x", "1.00")):
        yes(bench.call(undo(id, "b", amount)))
    assert why(bench.call(undo("y", "b", "1.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


@PARTS
@pytest.mark.parametrize("amount", ["4.00", "10.00", ""])
def test_rule_17_what_stands_again_gives_back_no_more_than_is_left(
    bench_of: MakeBench, amount: str, *, parts: bool
) -> None:
    """*A bet's cancel was undone, the bet cancelled anew, and then that undoing was undone: the stake was given back twice.*
    Where a part is left, so much goes back."""
    bench = bench_of(declaring(partial=parts))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b", "10.00")))
    yes(bench.call(undo("v", "u", amount, kind=Kind.ROLLBACK)))
    yes(bench.call(undo("w", "b", amount)))
    asked = bench.till.asked()
    assert why(bench.call(undo("x", "v", amount, kind=Kind.ROLLBACK))) is Reason.ALREADY_ROLLED_BACK
    assert (bench.till.balance(), bench.till.asked()) == (Decimal("1000.00"), asked)


@PARTS
def test_rule_17_what_stands_again_in_part_gives_back_what_is_left(bench_of: MakeBench, *, parts: bool) -> None:
    """Three of the four that were taken back were refunded since: of the undoing one may be undone, and no more."""
    bench = bench_of(declaring(partial=parts))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b", "10.00")))
    yes(bench.call(undo("v", "u", "4.00", kind=Kind.ROLLBACK)))
    yes(bench.call(undo("w", "b", "3.00")))
    assert why(bench.call(undo("x", "v", "4.00", kind=Kind.ROLLBACK))) is Reason.INVALID_REQUEST
    yes(bench.call(undo("y", "v", "1.00", kind=Kind.ROLLBACK)))
    assert why(bench.call(undo("z", "b", "1.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


@PARTS
@pytest.mark.parametrize("amount", ["4.00", "10.00", ""])
def test_rule_17_nor_does_what_stands_again_two_steps_further_down(
    bench_of: MakeBench, amount: str, *, parts: bool
) -> None:
    """*The undoing of a cancel was undone and that undone, too: the bet stood, and counted as undone. It was cancelled anew,
    and when the last of those was undone the stake came back a second time.*"""
    bench = bench_of(declaring(partial=parts))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b", "10.00")))
    for id, of in (("v", "u"), ("x", "v"), ("y", "x")):
        yes(bench.call(undo(id, of, amount, kind=Kind.ROLLBACK)))
    assert bench.row(Kind.DEBIT, "b").undone_by == ""
    yes(bench.call(undo("w", "b", amount)))
    asked = bench.till.asked()
    assert why(bench.call(undo("z", "y", amount, kind=Kind.ROLLBACK))) is Reason.ALREADY_ROLLED_BACK
    assert (bench.till.balance(), bench.till.asked()) == (Decimal("1000.00"), asked)
