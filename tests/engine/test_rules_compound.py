"""Rules 16 to 20: rounds, parts, settles, batches, and what is not sent at all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.states import State
from gateway.model import Batch, Capture, Declined, Kind, Reason, Reserve, Rollback, Status, Transaction, Unknown
from tests.engine.acts import bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import DAYS, nothing_is_open, waits_for_a_person
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import NEVER, Bench, a_call, a_provider, a_wallet, declaring, vectors_of

SPLITTING = ["netgaming", "dragon_gaming", "kyren", "scorpio_play"]
"""Wallets that know neither settles nor batches."""


def refund_of_round(bench: Bench, reference: str, round_id: str = "880011") -> Transaction:
    """Kyren's Refund: a round, and a reference that may be no bet of it."""
    named = bet(reference, round_id=round_id)
    return replace(named, act=Rollback(reference=reference, scope="round"), id=f"refund:{reference}")


# ---------------------------------------------------------------- 16


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming", "scorpio_play"])
def test_rule_16_a_rounds_refund_is_one_rollback_for_every_open_bet_in_order(bench_of: MakeBench, wallet: str) -> None:
    """The reference is no bet: every open bet of that player and round, each with an id of its own."""
    bench = bench_of("kyren", wallet)
    for id, amount in (("b1", "10.00"), ("b2", "20.00"), ("b3", "30.00")):
        yes(bench.call(bet(id, amount)))
    yes(bench.call(bet("other", "40.00", round_id="880012")))
    yes(bench.call(bench.undo(bet("b2"), "refund:b2")))
    yes(bench.call(refund_of_round(bench, "rf")))
    sent = [tx for tx in bench.till.sent if tx.kind is Kind.ROLLBACK][1:]
    debits = {tx.id: tx for tx in bench.till.sent if tx.kind is Kind.DEBIT}
    assert [debits[tx.act.reference].act.amount for tx in sent] == [Decimal("10.00"), Decimal("30.00")]  # type: ignore[union-attr]  # rollbacks of debits
    assert bench.till.balance() == Decimal("960.00")


def test_rule_16_the_ids_are_the_refunds_own_and_then_one_for_each_bet(bench_of: MakeBench) -> None:
    """The first is told as the refund itself, the others as `<refund id>:<bet id>`; each carries its scope."""
    bench = bench_of("kyren", "native")
    for id in ("b1", "b2"):
        yes(bench.call(bet(id)))
    yes(bench.call(refund_of_round(bench, "rf")))
    sent = [tx for tx in bench.till.sent if tx.kind is Kind.ROLLBACK]
    assert [tx.id for tx in sent] == ["refund:rf", "refund:rf:b2"]
    assert {tx.act.scope for tx in sent} == {"round"}  # type: ignore[union-attr]  # rollbacks
    yes(bench.call(refund_of_round(bench, "rf")))
    assert bench.till.asked(Kind.ROLLBACK) == 2


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming", "scorpio_play"])
def test_rule_16_what_a_rounds_refund_moved_is_the_sum_of_its_parts(bench_of: MakeBench, wallet: str) -> None:
    """Not what the last of them moved: an operator's books are compared with it."""
    bench = bench_of("kyren", wallet)
    for id, amount in (("b1", "10.00"), ("b2", "20.00"), ("b3", "5.00")):
        yes(bench.call(bet(id, amount)))
    yes(bench.call(refund_of_round(bench, "rf")))
    assert yes(bench.row(Kind.ROLLBACK, "refund:rf").outcome or Unknown()).moved == Decimal("35.00")


def test_rule_16_a_refund_that_names_a_known_bet_means_that_bet(bench_of: MakeBench) -> None:
    """And no other of its round."""
    bench = bench_of("kyren", "netgaming")
    for id, amount in (("b1", "10.00"), ("b2", "20.00")):
        yes(bench.call(bet(id, amount)))
    yes(bench.call(bench.undo(bet("b1"), "refund:b1", scope="round")))
    assert bench.till.balance() == Decimal("980.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming", "kyren"])
def test_rule_15_a_cancel_that_overtakes_its_bet_touches_no_other_bet_of_the_round(
    bench_of: MakeBench, wallet: str
) -> None:
    """*Kyren's Cancel took back the only open bet of the round, and its own bet was then accepted.*"""
    bench = bench_of("kyren", wallet)
    yes(bench.call(bet("b1")))
    late = bet("b2", "5.00")
    bench.call(bench.undo(late, "refund:b2"))
    assert bench.till.balance() == Decimal("990.00")
    bench.call(late)
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("990.00")
    yes(bench.call(bench.undo(bet("b1"), "refund:b1")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_16_with_a_win_in_the_round_it_is_already_settled(bench_of: MakeBench) -> None:
    """A round that paid is not given back."""
    bench = bench_of("kyren", "native")
    yes(bench.call(bet("b1")))
    yes(bench.call(win("w1")))
    bench.call(refund_of_round(bench, "rf"))
    assert bench.answers[-1].reason == Reason.ALREADY_SETTLED
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_16_a_bet_in_doubt_is_owed_and_doubt_is_answered_until_it_is_done(bench_of: MakeBench) -> None:
    """The definite one is rolled back; of the other nobody knows yet."""
    bench = bench_of("kyren", a_wallet("netgaming", repeats=NEVER))
    yes(bench.call(bet("b1", "10.00")))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.call(bet("b2", "20.00"))
    assert bench.till.balance() == Decimal("970.00")
    bench.call(refund_of_round(bench, "rf"))
    assert bench.answers[-1].outcome == "unknown"
    assert bench.till.balance() == Decimal("980.00")
    bench.rest(130)
    yes(bench.call(refund_of_round(bench, "rf")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_16_a_rounds_tombstone_refuses_only_bets_of_its_round(bench_of: MakeBench) -> None:
    """The refund came before any bet of its round."""
    bench = bench_of("kyren", "native")
    bench.call(refund_of_round(bench, "rf", "r-1"))
    assert bench.answers[-1].reason == Reason.TRANSACTION_NOT_FOUND
    bench.call(bet("rf", round_id="r-1"))
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    yes(bench.call(bet("rf2", round_id="r-2")))
    assert bench.till.balance() == Decimal("990.00")


def test_rule_16_natives_scope_is_for_the_record(bench_of: MakeBench) -> None:
    """A native rollback always means exactly the movement that it names, a win in the round or not."""
    bench = bench_of("native", "netgaming")
    for id in ("b1", "b2"):
        yes(bench.call(bet(id)))
    yes(bench.call(win("w1")))
    elsewhere = a_call(Rollback(reference="elsewhere", scope="round"), "r0")
    assert why(bench.call(elsewhere)) is Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.ROLLBACK) == 0
    yes(bench.call(a_call(Rollback(reference="b1", scope="round"), "r1")))
    yes(bench.call(bet("b3")))
    assert bench.till.balance() == Decimal("1005.00")


def test_rule_15_the_cancel_of_a_bet_nobody_saw_gives_back_no_other_providers(bench_of: MakeBench) -> None:
    """At a Kyren wallet two providers' bets may stand in one round; a Cancel there means its own reference."""
    bench = bench_of(
        a_provider("netgaming", "one"), "kyren", providers=(a_provider("scorpio_play", "two"),),
    )  # fmt: skip
    yes(bench.call(bet("b1"), "one"))
    lost = bet("lost")
    bench.call(bench.undo(lost, "r1", provider="two"), "two")
    assert bench.answers[-1].reason == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.balance() == Decimal("990.00")
    bench.call(lost, "two")
    assert bench.answers[-1].outcome == "declined", "the late bet meets the tombstone"
    bench.call(bench.undo(bet("lost", round_id="7"), "r2", provider="two"), "two")
    assert bench.answers[-1].reason == Reason.TRANSACTION_NOT_FOUND


def test_rule_14_the_refund_of_a_bet_that_its_wallet_forgot_gives_back_no_other_providers(bench_of: MakeBench) -> None:
    """A Kyren wallet takes a bet that it does not know any more for the whole round: another provider's 20.00 were given
    back (seed 2413302)."""
    bench = bench_of(
        "kyren", a_wallet("kyren", remembers=timedelta(minutes=30)), providers=(a_provider("scorpio_play", "two"),)
    )
    yes(bench.call(bet("b1")))
    bench.rest(3600)
    yes(bench.call(bet("b2", "20.00"), "two"))
    bench.call(bench.undo(bet("b1"), "refund:b1", scope="round"))
    assert bench.answers[-1].outcome == "unknown"
    assert bench.row(Kind.ROLLBACK, "refund:b1").state is State.PERSON
    assert bench.till.asked(Kind.ROLLBACK) == 0


def test_rule_16_the_refund_of_a_bet_in_doubt_gives_back_no_other(bench_of: MakeBench) -> None:
    """A Kyren wallet takes a bet that never reached it for the whole round: b1, which stands, was given back (seed 2579501)."""
    bench = bench_of("kyren", "kyren")
    yes(bench.call(bet("b1")))
    lost = bet("b2", "20.00")
    bench.till.then(*[lost_before] * 99, kind=Kind.DEBIT)
    bench.call(lost)
    bench.till.heal()
    bench.call(bench.undo(lost, "refund:b2", scope="round"))
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("990.00")
    yes(bench.call(bench.undo(bet("b1"), "refund:b1", scope="round")))
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_16_the_part_of_a_refund_that_may_mean_another_bet_waits_for_that(bench_of: MakeBench) -> None:
    """Nobody knows whether b1's part of the refund arrived; b2's, which never came, gave b1 back in its stead."""
    bench = bench_of("kyren", a_wallet("kyren", repeats=NEVER))
    yes(bench.call(bet("b1")))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    bench.call(bet("b2", "20.00"))
    bench.till.then(lost_before, kind=Kind.ROLLBACK)
    bench.call(refund_of_round(bench, "rf"))
    bench.settlement(DAYS, 3600)
    assert bench.till.balance() == Decimal("990.00")
    assert bench.till.asked(Kind.ROLLBACK) == 1
    waits_for_a_person(bench)


# ---------------------------------------------------------------- 17


def test_rule_17_partial_refunds_never_exceed_what_is_left(bench_of: MakeBench) -> None:
    """Gameball: several are allowed until nothing is left, a refund above the rest is cut to the rest."""
    bench = bench_of("gameball", "native")
    yes(bench.call(bet("b1", "10.00")))
    for id, amount in (("r1", "4.00"), ("r2", "5.00")):
        yes(bench.call(undo(id, "b1", amount)))
    yes(bench.call(undo("r3", "b1", "9.00")))
    assert bench.till.balance() == Decimal("1000.00")
    bench.call(undo("r4", "b1", "1.00"))
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["native", "gameball"])
def test_rule_17_the_rest_is_what_the_parts_left(bench_of: MakeBench, wallet: str) -> None:
    """A refund of all of it, after a part was given back; the outcome says what moved."""
    bench = bench_of("gameball", wallet)
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    heard = yes(bench.call(undo("r2", "b1")))
    assert heard.moved == Decimal("6.00")
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("provider", ["netgaming", "dragon_gaming"])
def test_rule_17_more_than_the_bet_is_refused(bench_of: MakeBench, provider: str) -> None:
    """NetGaming: 2009 INVALID_AMOUNT; the wallet is not asked."""
    bench = bench_of(provider, "native")
    yes(bench.call(bet("b1", "10.00")))
    bench.call(undo("r1", "b1", "10.01"))
    assert bench.answers[-1].reason == Reason.INVALID_REQUEST
    assert b"2009" in bench.answers[-1].response.body
    yes(bench.call(undo("r2", "b1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_a_part_is_passed_on_where_the_wallet_can_say_it_and_waits_for_a_person_where_not(
    bench_of: MakeBench,
) -> None:
    """Kyren's Cancel is always all of the bet: a part of it cannot be said."""
    bench = bench_of("netgaming", "native")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(undo("r1", "b1", "4.00")))
    assert bench.till.balance() == Decimal("994.00")
    other = bench_of("netgaming", "kyren")
    yes(other.call(bet("b1", "10.00")))
    other.call(undo("r1", "b1", "4.00"))
    assert other.answers[-1].outcome == "unknown"
    assert other.row(Kind.ROLLBACK, "r1").state is State.PERSON
    assert other.till.asked(Kind.ROLLBACK) == 0


def test_rule_17_what_was_sent_is_asked_again_as_it_was_said_whoever_came_at_the_same_moment(
    bench_of: MakeBench,
) -> None:
    """*Of two refunds of all of a bet that came in one moment the first was sent, and its second asking said 0.00, for what the
    other one, which waited for it, might give back: its wallet called it another refund.*"""
    bench = bench_of(declaring("gameball", excess="cut"), "native")
    yes(bench.call(bet("b1")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    first = bench.begin(undo("c9", "b1", "10.00"))
    bench.rest(0)
    second = bench.begin(undo("c8", "b1", "10.00"))
    yes(bench.finish(first).outcome)
    bench.finish(second)
    told = [tx.act.amount for tx in bench.till.sent if isinstance(tx.act, Rollback)]
    assert (len(told), {*told}) == (2, {Decimal("10.00")})
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- 18


def test_rule_18_a_wallet_that_can_say_a_settle_gets_one_movement(bench_of: MakeBench) -> None:
    """All or nothing, over there."""
    bench = bench_of()
    yes(bench.call(settle("s1")))
    assert bench.till.asked() == bench.till.asked(Kind.SETTLE) == 1
    assert bench.till.balance() == Decimal("1015.00")


@pytest.mark.parametrize("wallet", [*SPLITTING, "gameball"])
def test_rule_18_elsewhere_it_is_a_debit_and_then_a_credit(bench_of: MakeBench, wallet: str) -> None:
    """Two movements in one round."""
    bench = bench_of("native", wallet)
    first = yes(bench.call(settle("s1")))
    assert [tx.kind for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.CREDIT)] == [Kind.DEBIT, Kind.CREDIT]
    assert len({tx.id for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.CREDIT)}) == 2
    assert bench.till.balance() == Decimal("1015.00")
    again = yes(bench.call(settle("s1")))
    assert (again.replayed, again.wallet_id) == (True, first.wallet_id)
    assert bench.till.asked() == 2


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_18_a_declined_debit_declines_the_settle(bench_of: MakeBench, wallet: str) -> None:
    """The win is not sent."""
    bench = bench_of("native", wallet)
    assert why(bench.call(settle("s1", "5000.00", "6000.00"))) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.CREDIT) == 0


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_18_a_declined_win_rolls_the_debit_back_and_declines(bench_of: MakeBench, wallet: str) -> None:
    """The one exception to rule 6."""
    bench = bench_of("native", wallet)
    bench.till.then(says(Declined(reason=Reason.SESSION_EXPIRED)), kind=Kind.CREDIT)
    assert why(bench.call(settle("s1"))) is Reason.SESSION_EXPIRED
    assert bench.till.balance() == Decimal("1000.00")
    assert why(bench.call(settle("s1"))) is Reason.SESSION_EXPIRED
    assert bench.till.asked(Kind.ROLLBACK) == 1


@pytest.mark.parametrize("wallet", ["netgaming", "scorpio_play"])
def test_rule_18_so_it_does_where_only_the_last_bet_of_a_round_may_be_undone(bench_of: MakeBench, wallet: str) -> None:
    """*The rollback of the debit waited for what came after it in its round: its own settle, which waited for the rollback.
    The stake stayed taken, and both were looked at for ever.* What keeps a bet keeps no leg of a settle."""
    bench = bench_of("groove", wallet)
    bench.till.then(says(Declined(reason=Reason.SESSION_EXPIRED)), kind=Kind.CREDIT)
    bench.call(settle("s1"))
    bench.settlement(60, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_18_until_the_debit_is_back_it_is_doubt(bench_of: MakeBench) -> None:
    """Its repeat finishes what is left to do."""
    bench = bench_of("native", "netgaming")
    bench.till.then(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.CREDIT)
    bench.till.always(lost_before, Kind.ROLLBACK)
    assert isinstance(bench.call(settle("s1")), Unknown)
    assert bench.till.balance() == Decimal("990.00")
    bench.till.heal()
    assert why(bench.call(settle("s1"))) is Reason.PLAYER_NOT_FOUND
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.till.asked(Kind.CREDIT) == 1


def test_rule_18_a_win_in_doubt_stays_owed(bench_of: MakeBench) -> None:
    """Doubt is answered; the repeat brings the win, and the debit is not taken twice."""
    bench = bench_of("native", "netgaming")
    bench.till.always(lost_before, Kind.CREDIT)
    assert isinstance(bench.call(settle("s1")), Unknown)
    bench.till.heal()
    yes(bench.call(settle("s1")))
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_18_a_debit_in_doubt_is_doubt(bench_of: MakeBench) -> None:
    """Nothing else is sent."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(settle("s1")), Unknown)
    assert bench.till.asked(Kind.CREDIT) == 0


def test_rule_18_a_cancel_undoes_the_credit_and_then_the_debit(bench_of: MakeBench) -> None:
    """A native provider cancels its settle; the wallet is another gateway's, and knows no settle of it."""
    bench = bench_of("native", "native")
    yes(bench.call(settle("s1")))
    yes(bench.call(undo("r1", "s1", kind=Kind.SETTLE)))
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_18_the_cancel_of_a_split_settle_where_a_win_cannot_be_undone(bench_of: MakeBench, wallet: str) -> None:
    """These wallets know no rollback of a win: nothing is undone by half, and a person decides."""
    bench = bench_of("native", wallet)
    yes(bench.call(settle("s1")))
    assert isinstance(bench.call(undo("r1", "s1", kind=Kind.SETTLE)), Unknown)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_18_gameball_can_undo_both(bench_of: MakeBench) -> None:
    """The credit first, then the debit."""
    bench = bench_of("native", "gameball")
    yes(bench.call(settle("s1")))
    yes(bench.call(undo("r1", "s1", kind=Kind.SETTLE)))
    sent = {tx.id: tx.kind for tx in bench.till.sent}
    undone = [sent[tx.act.reference] for tx in bench.till.sent if isinstance(tx.act, Rollback)]
    assert undone == [Kind.CREDIT, Kind.DEBIT]
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- 19


def batch(*items: Transaction, atomic: bool = True, id: str = "") -> Transaction:
    return a_call(Batch(items=items, atomic=atomic), id, round_id="")


@pytest.mark.parametrize("wallet", ["native", *SPLITTING])
def test_rule_19_debits_come_first_and_credits_last(bench_of: MakeBench, wallet: str) -> None:
    """Whatever their order was; the answers keep the provider's."""
    bench = bench_of("native", wallet)
    heard = yes(bench.call(batch(win("w1", "25.00"), bet("b1", "10.00"), bet("b2", "20.00"))))
    moved = [tx.kind for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.CREDIT)]
    assert moved in ([Kind.DEBIT, Kind.DEBIT, Kind.CREDIT], [])  # or one call, where the wallet takes batches
    assert len(heard.items) == 3
    assert bench.till.balance() == Decimal("995.00")


@pytest.mark.parametrize("wallet", ["native", *SPLITTING])
def test_rule_19_an_atomic_batch_gives_back_what_it_took(bench_of: MakeBench, wallet: str) -> None:
    """A debit is declined: the debits before it are rolled back, credits were not sent yet."""
    bench = bench_of("native", wallet)
    heard = bench.call(batch(bet("b1", "10.00"), win("w1"), bet("b2", "5000.00")))
    assert why(heard) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.CREDIT) == 0
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_19_until_it_is_given_back_it_is_doubt(bench_of: MakeBench) -> None:
    """The repeat goes on where the first call had to stop."""
    bench = bench_of("native", "netgaming")
    bench.till.always(lost_before, Kind.ROLLBACK)
    whole = batch(bet("b1", "10.00"), bet("b2", "5000.00"))
    assert isinstance(bench.call(whole), Unknown)
    assert bench.till.balance() == Decimal("990.00")
    bench.till.heal()
    assert why(bench.call(whole)) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.till.asked(Kind.DEBIT) == 2


def test_rule_19_what_a_declined_batch_gave_back_was_never_accepted_by_itself(bench_of: MakeBench) -> None:
    """Its items may be sent again alone; the provider believes that they failed."""
    bench = bench_of("native", "netgaming")
    whole = batch(bet("b1", "10.00"), bet("b2", "5000.00"))
    for _ in range(2):
        assert why(bench.call(whole)) is Reason.INSUFFICIENT_FUNDS
    assert why(bench.call(bet("b1", "10.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_19_items_may_leave_player_session_and_currency_to_the_batch(bench_of: MakeBench) -> None:
    """As adapters/native/NOTES.md says; the round is each item's own."""
    bench = bench_of("native", "netgaming")
    bare = [replace(item, player="", session="", currency="") for item in (bet("b1", "10.00"), win("w1", "25.00"))]
    yes(bench.call(batch(*bare)))
    assert bench.till.balance() == Decimal("1015.00")
    assert {tx.session for tx in bench.till.sent} == {"sess-p-1"}


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_19_in_a_batch_that_is_not_atomic_each_item_has_its_own_outcome(bench_of: MakeBench, wallet: str) -> None:
    """One is declined, the others stand."""
    bench = bench_of("native", wallet)
    heard = yes(bench.call(batch(bet("b1", "10.00"), bet("b2", "5000.00"), win("w1"), atomic=False)))
    assert [type(item).__name__ for item in heard.items] == ["Accepted", "Declined", "Accepted"]
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_19_known_items_are_answered_from_the_journal(bench_of: MakeBench) -> None:
    """Each item has its own key, the batch none."""
    bench = bench_of("native", "netgaming")
    yes(bench.call(bet("b1", "10.00")))
    heard = yes(bench.call(batch(bet("b1", "10.00"), win("w1"))))
    assert [item.replayed for item in heard.items] == [True, False]  # type: ignore[union-attr]  # decided
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("1015.00")
    yes(bench.call(win("w1")))
    assert bench.till.asked(Kind.CREDIT) == 1


def test_rule_19_an_item_with_other_content_is_a_mismatch(bench_of: MakeBench) -> None:
    """Its first decision stands, and an atomic batch with it is declined."""
    bench = bench_of("native", "netgaming")
    yes(bench.call(bet("b1", "10.00")))
    assert why(bench.call(batch(bet("b1", "11.00"), win("w1")))) is Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("990.00")


def test_rule_19_kyrens_result_with_a_promo_win_is_two_credits(bench_of: MakeBench) -> None:
    """The second has promoWinReference as its own id; either may be known already."""
    bench = bench_of("kyren", "netgaming", opening={"u-300": Decimal("1000.00")}, currency="USD")
    vector = next(v for v in vectors_of("kyren") if v.name == "result_with_promo")
    assert vector.transaction is not None
    items = vector.transaction.act.items  # type: ignore[union-attr]  # a batch
    won = sum(item.act.amount for item in items)
    for _ in range(2):
        assert bench.raw(vector.request).status == 200
        assert bench.answers[-1].outcome == "accepted"
    assert bench.till.asked(Kind.CREDIT) == len(items) == 2
    assert bench.till.balance("u-300") == 1000 + won


# ---------------------------------------------------------------- 20


@pytest.mark.parametrize("wallet", ["scorpio_play", "gameball"])
def test_rule_20_a_free_debit_is_never_sent_to_a_wallet_that_cannot_say_so(bench_of: MakeBench, wallet: str) -> None:
    """Sent as it is, it would take cash."""
    bench = bench_of("netgaming", wallet)
    heard = yes(bench.call(bet("f1", "10.00", free=True, free_round_id="c-1")))
    assert heard.balance == Decimal("1000.00")
    assert bench.till.asked() == 0
    yes(bench.call(undo("r1", "f1", "10.00")))
    assert bench.till.asked() == 0
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_20_where_the_wallet_can_say_it_the_free_debit_is_told(bench_of: MakeBench, wallet: str) -> None:
    """It takes no cash there."""
    bench = bench_of("netgaming", wallet)
    yes(bench.call(bet("f1", "10.00", free=True, free_round_id="c-1")))
    assert bench.till.last(Kind.DEBIT).act.free_round  # type: ignore[union-attr]  # a debit
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"])
def test_rule_20_a_tracking_only_debit_is_told_to_nobody_without_words_for_it(bench_of: MakeBench, wallet: str) -> None:
    """Told for the record; it moves nothing at all."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("f1", "10.00", tracking=True)))
    assert bench.till.asked() == 0
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_20_zero_is_not_sent_where_the_wallet_refuses_zero(bench_of: MakeBench) -> None:
    """Gameball's manual wants more than nothing; the lost round of a casino is a win of 0."""
    bench = bench_of("netgaming", "gameball")
    assert yes(bench.call(win("w1", "0.00", closed=True))).balance == Decimal("1000.00")
    assert bench.till.asked() == 0
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED


def test_rule_20_elsewhere_zero_is_sent(bench_of: MakeBench) -> None:
    """It closes the round."""
    bench = bench_of("dragon_gaming", "netgaming")
    yes(bench.call(win("w1", "0.00", closed=True)))
    told = bench.till.last(Kind.CREDIT)
    assert told.round is not None
    assert told.round.closed is True


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"])
@pytest.mark.parametrize("provider", ["native", "netgaming", "dragon_gaming", "kyren"])
def test_rule_20_the_rollback_of_a_free_debit_gives_no_cash(bench_of: MakeBench, provider: str, wallet: str) -> None:
    """It took none, whatever its amount said; nor does its rollback, whatever amount that says."""
    bench = bench_of(provider, wallet)
    free = bet("f1", "10.00", free=True, free_round_id="c-1")
    yes(bench.call(free))
    yes(bench.call(bench.undo(free, "refund:f1")))
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("provider", ["native", "netgaming"])
def test_rule_17_a_part_is_never_told_to_a_wallet_that_gives_back_all(bench_of: MakeBench, provider: str) -> None:
    """Scorpio Play's cancel is of the full bet amount; the wallet would give more than was asked for."""
    bench = bench_of(provider, "scorpio_play")
    yes(bench.call(bet("b1", "10.00")))
    assert isinstance(bench.call(undo("r1", "b1", "4.00")), Unknown)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- holds


def hold(amount: str = "30.00") -> Transaction:
    return a_call(Reserve(amount=Decimal(amount)), "", round_id="")


@pytest.mark.parametrize("wallet", ["native", "gameball"])
def test_rule_15_a_hold_is_made_used_and_refunded(bench_of: MakeBench, wallet: str) -> None:
    """A refund of what was captured gives it back."""
    bench = bench_of("gameball", wallet)
    heard = yes(bench.call(hold()))
    assert bench.till.balance() == Decimal("970.00")
    reserve = a_call(Capture(reference=bench.answers[-1].transaction_id), "rdm-1", round_id="")
    assert heard.wallet_id == bench.answers[-1].transaction_id
    yes(bench.call(reserve))
    assert bench.till.balance() == Decimal("970.00")
    yes(bench.call(undo("rfd-1", "rdm-1")))
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["native", a_wallet("native", ids_as_is=False), "gameball"])
def test_rule_15_a_hold_is_told_with_its_customer(bench_of: MakeBench, wallet: object) -> None:
    """Gameball's answer names the customer, its question does not: whose hold it is the journal knows.
    A wallet that knows the hold by another name is asked by that one."""
    bench = bench_of("gameball", wallet)
    yes(bench.call(hold()))
    reference = bench.answers[-1].transaction_id
    asked = a_call(Status(reference=reference, reference_kind=Kind.RESERVE), "", player="", round_id="")
    heard = yes(bench.call(asked))
    assert (heard.state, heard.moved) == ("active", Decimal("30.00"))
    assert heard.profile is not None
    assert heard.profile.player == "p-1"
    yes(bench.call(a_call(Capture(reference=reference), "rdm-1", round_id="")))
    assert yes(bench.call(asked)).state == "used"


def test_rule_15_a_refund_means_whatever_has_that_id(bench_of: MakeBench) -> None:
    """Gameball's wire does not tell what is reversed; the journal does, and the wallet is told."""
    bench = bench_of("gameball", "native")
    yes(bench.call(win("m1", "25.00", round_id="")))
    yes(bench.call(undo("rfd-1", "m1")))
    assert bench.till.last(Kind.ROLLBACK).act.reference_kind is Kind.CREDIT  # type: ignore[union-attr]  # a rollback has one
    assert bench.till.balance() == Decimal("1000.00")
    other = bench_of("gameball", a_wallet("netgaming"), opening={"p-1": Decimal("1000.00")})
    other.launch(game="42")
    yes(other.call(win("m1", "25.00")))
    assert isinstance(other.call(undo("rfd-1", "m1")), Unknown)  # NetGaming has no word for the rollback of a win
    assert other.row(Kind.ROLLBACK, "rfd-1").state is State.PERSON
