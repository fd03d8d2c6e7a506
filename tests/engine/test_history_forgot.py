"""Histories of a journal that forgot (rule 30): that an attempt is feared must not make it blind to what it does know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.rules import next_move
from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.model import Batch, Declined, Kind, Reason, Reserve, Rollback, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.cases import NOW, in_the_air, in_words, row, sent, settling, waiting
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    SPLITTING,
    forgetting,
    last_word,
    nothing_is_open,
    open_rows,
    restored,
    waits_for_a_person,
    word,
)
from tests.engine.test_person import decide
from tests.simulation.behaviours import arrives, late, lost_after, lost_before, queued, says, unreachable
from tests.simulation.bench import NEVER, PLAYER, QUERY, SAFE, Bench, a_call, a_provider, a_wallet

CAN_BE_ASKED, CANNOT = "native", "kyren"
FORGOT = pytest.mark.parametrize("forgot", [False, True], ids=["all is known", "forgot"])


def perhaps(bench: Bench, forgot: bool) -> Bench:
    """What is right is right on every day: a journal that may have forgotten decides the same."""
    if forgot:
        forgetting(bench)
    return bench


def refund(id: str) -> Transaction:
    return a_call(Rollback(reference=id, scope="round"), f"refund:{id}")


@FORGOT
def test_rule_15_a_rollback_of_another_players_bet_gives_nobody_its_stake(bench_of: MakeBench, forgot: bool) -> None:
    """The day after a restored backup p-2's rollback named p-1's bet, and p-2 was given its 10.00."""
    purses = {PLAYER: Decimal("1000.00"), "p-2": Decimal("1000.00")}
    bench = perhaps(bench_of("native", "native", opening=purses), forgot)
    bench.call(bet("b1"))
    heard = bench.call(undo("r1", "b1", player="p-2", session="sess-p-2"))
    assert word(heard) == Reason.TRANSACTION_NOT_FOUND
    assert (bench.till.balance(), bench.till.balance("p-2")) == (Decimal("990.00"), Decimal("1000.00"))


@FORGOT
@pytest.mark.parametrize("provider", ["native", "gameball"])
def test_rule_11_a_second_cancel_of_a_bet_hears_that_the_first_was_done(
    bench_of: MakeBench, provider: str, forgot: bool
) -> None:
    """The journal knows the first of the two itself: its wallet is not asked to give the bet back again, unless the first
    may have been undone since."""
    bench = perhaps(bench_of(provider, "native"), forgot)
    told = [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"), undo("r2", "b1"))]
    assert told == [ACCEPTED, ACCEPTED, Reason.ALREADY_ROLLED_BACK]
    assert bench.till.asked(Kind.ROLLBACK) == (2 if forgot and provider == "native" else 1)
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", [SAFE, QUERY], ids=["safe", "query"])
def test_rule_30_a_second_cancel_of_a_bet_whose_first_was_undone_gives_it_back(
    bench_of: MakeBench, wallet: Mapping[str, str]
) -> None:
    """The journal knows the first cancel and forgot that it had been undone: the second heard that the bet was rolled back,
    and the stake stayed taken (seed 2414442)."""
    bench = bench_of("native", a_wallet("native", repeats=wallet))
    for tx in (bet("b1"), undo("r1", "b1")):
        bench.call(tx)
    restored(bench, lambda: bench.call(undo("u1", "r1", kind=Kind.ROLLBACK)))
    assert bench.till.balance() == Decimal("990.00")
    bench.rest(300)
    gone = ACCEPTED if wallet is QUERY else Reason.ALREADY_ROLLED_BACK  # whether its yes is of this one no wallet says
    assert word(bench.call(undo("r2", "b1"))) == gone
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_30_a_yes_that_a_wallet_says_to_that_of_nothing_is_the_first_cancels(bench_of: MakeBench) -> None:
    """A bet's second cancel was asked once the wallet's 404 was final, as a first attempt then, and the wallet said yes, as it does
    where there is nothing to give back: the journal had the stake given back twice."""
    bench = bench_of("native", a_wallet("vivo_vgs", repeats=QUERY))
    for tx in (bet("b1"), undo("r1", "b1", "10.00")):
        yes(bench.call(tx))
    restored(bench, lambda: None)
    bench.rest(300)
    assert word(bench.call(undo("r2", "b1", "10.00"))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_30_the_cancel_of_a_settle_whose_win_was_forgotten_is_a_persons(bench_of: MakeBench, wallet: str) -> None:
    """The journal forgot that the win of 25.00 was paid: the cancel gave the stake back beside it and was told as done
    (seed 2579908)."""
    bench = bench_of("native", wallet)
    bench.till.then(late(0.8), kind=Kind.DEBIT)
    bench.begin(settle("s1"))
    bench.rest(0.1)
    restored(bench, lambda: bench.call(settle("s1")))
    assert bench.till.balance() == Decimal("1015.00")
    cancel = undo("c1", "s1", kind=Kind.SETTLE)
    assert word(bench.call(cancel)) == DOUBT
    bench.settlement(DAYS, 3600)
    assert (word(bench.call(cancel)), bench.till.balance()) == (DOUBT, Decimal("1015.00"))
    waits_for_a_person(bench)


@FORGOT
@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_16_a_rounds_refund_gives_back_all_its_bets(bench_of: MakeBench, wallet: str, forgot: bool) -> None:
    """The refund was not split, its wallet did not know it, the provider was told success, and 30.00 stayed taken. Where
    the journal may have forgotten the bet that it names, a person says which of them it means."""
    bench = perhaps(bench_of("kyren", wallet), forgot)
    for tx in (bet("b1"), bet("b2", "20.00")):
        bench.call(tx)
    assert word(bench.call(refund("rf"))) == (DOUBT if forgot else ACCEPTED)
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("970.00" if forgot else "1000.00")
    waits_for_a_person(bench) if forgot else nothing_is_open(bench)


@pytest.mark.parametrize("seconds", [0.0, 600.0], ids=["at once", "when all has landed"])
@pytest.mark.parametrize("repeats", [SAFE, QUERY], ids=["safe", "query"])
def test_rule_30_a_refund_of_a_round_whose_bet_was_forgotten_is_a_persons(
    bench_of: MakeBench, repeats: Mapping[str, str], seconds: float
) -> None:
    """Its wallet does not know the id that it names: the provider was told that there was nothing to give back, the bet's
    repeat that it was rolled back, and the stake stayed taken (seed 410163)."""
    bench = bench_of("kyren", a_wallet(CAN_BE_ASKED, repeats=repeats))
    bench.call(bet("b1"))
    forgetting(bench)
    bench.rest(seconds)
    bench.call(refund("rf"))
    assert last_word(bench) == DOUBT
    bench.settlement(600, 2)
    bench.call(refund("rf"))
    assert last_word(bench) == DOUBT
    assert word(bench.call(bet("b1"))) == ACCEPTED
    assert bench.till.asked(Kind.DEBIT) <= 2
    assert bench.till.balance() == Decimal("990.00")
    waits_for_a_person(bench)


def test_rule_30_a_refund_of_a_bet_that_was_forgotten_gives_back_no_other(bench_of: MakeBench) -> None:
    """The journal forgot b1 and knows b2 of the same round: the refund of b1 was taken for one of the whole round, and gave
    back b2."""
    bench = bench_of("kyren", CAN_BE_ASKED)
    bench.call(bet("b1"))
    forgetting(bench)
    bench.call(bet("b2", "20.00"))
    assert word(bench.call(refund("b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("980.00")
    nothing_is_open(bench)


def test_rule_30_a_refund_of_one_forgotten_bet_buries_no_other_of_its_round(bench_of: MakeBench) -> None:
    """Both were forgotten. b1's refund was done, and b2's repeat heard that it was rolled back: it stood."""
    bench = bench_of("kyren", CAN_BE_ASKED)
    for tx in (bet("b1"), bet("b2", "20.00")):
        bench.call(tx)
    forgetting(bench)
    told = [word(bench.call(tx)) for tx in (refund("b1"), bet("b2", "20.00"), bet("b1"))]
    assert told[:2] == [ACCEPTED, ACCEPTED]
    assert last_word(bench) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("980.00")
    nothing_is_open(bench)


def test_rule_30_a_rounds_refund_of_which_a_part_was_refused_is_not_done(bench_of: MakeBench) -> None:
    """b1 was given back and b2 refused: a person's. The journal forgot the refund; its wallet knew the first part by the
    refund's id and said so to its third asking, which was taken for the refund itself (seed 2402869)."""
    bench = bench_of("kyren", CAN_BE_ASKED)
    for tx in (bet("b1"), bet("b2", "20.00")):
        bench.call(tx)

    def forgotten() -> None:
        bench.till.then(arrives, says(Declined(reason=Reason.ALREADY_SETTLED)), kind=Kind.ROLLBACK)
        assert word(bench.call(refund("rf"))) == DOUBT

    restored(bench, forgotten)
    bench.till.then(lost_after, lost_after, kind=Kind.ROLLBACK)
    for _ in range(2):
        bench.call(refund("rf"))
        assert last_word(bench) == DOUBT
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("980.00")
    waits_for_a_person(bench)


@pytest.mark.parametrize("named", ["rf", "b1"], ids=["its round", "its bet"])
@pytest.mark.parametrize("wallet", [CAN_BE_ASKED, CANNOT])
def test_rule_30_a_win_does_not_refuse_a_refund_that_may_have_been_done(
    bench_of: MakeBench, wallet: str, named: str
) -> None:
    """It was forgotten; then a win of the round came, and its repeat heard `already_settled` while the stake was back."""
    bench = bench_of("kyren", a_wallet(wallet, repeats=QUERY if wallet == CAN_BE_ASKED else NEVER))
    bench.call(bet("b1"))
    restored(bench, lambda: bench.call(refund(named)))
    bench.call(win("w1"))
    for _ in range(2):
        bench.call(refund(named))
        bench.settlement(600, 5)
    known = wallet == CAN_BE_ASKED and named == "b1"
    assert last_word(bench) == (ACCEPTED if known else DOUBT)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench) if known else waits_for_a_person(bench)


def test_rule_30_it_refuses_one_that_its_wallet_has_never_seen(bench_of: MakeBench) -> None:
    """The other side of it: nothing was forgotten, and nothing is given back beside the win."""
    bench = bench_of("kyren", a_wallet(CAN_BE_ASKED, repeats=QUERY))
    bench.call(bet("b1"))
    restored(bench, lambda: None)
    bench.call(win("w1"))
    bench.call(refund("b1"))
    bench.settlement(600, 5)
    bench.call(refund("b1"))
    assert last_word(bench) == Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["netgaming", "scorpio_play"])
def test_rule_30_that_there_is_nothing_to_undo_is_not_final_while_what_was_forgotten_may_be_queued(
    bench_of: MakeBench, wallet: str
) -> None:
    """The bet was on its way when the journal forgot it; its cancel found nothing, the provider was told so, and then the
    bet arrived: the stake stayed taken, and nothing was open."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    bench.till.always(queued(20), kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    forgetting(bench)
    assert word(bench.call(undo("r1", "b1", "10.00"))) == DOUBT
    bench.settlement(600, 2)
    assert word(bench.call(undo("r1", "b1", "10.00"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@FORGOT
def test_rule_11_a_win_stops_a_cancel_of_which_no_byte_left(bench_of: MakeBench, forgot: bool) -> None:
    """The cancel was sent all the same, its bet declined as never there, and its win paid without a stake."""
    bench = perhaps(bench_of("native", a_wallet("native", tombstones=False)), forgot)
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    for tx in (bet("b1"), undo("r1", "b1"), win("w1", of="b1")):
        assert word(bench.call(tx)) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [ACCEPTED, Reason.ALREADY_SETTLED]
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


@FORGOT
def test_rule_11_a_cancel_waits_for_a_bet_that_is_still_queued(bench_of: MakeBench, forgot: bool) -> None:
    """Sent at once its wallet would not know the bet, and take it afterwards."""
    bench = perhaps(bench_of("native", a_wallet("native", tombstones=False)), forgot)
    bench.till.always(queued(20), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert bench.till.asked(Kind.ROLLBACK) == 0
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_30_a_plain_no_to_the_bet_of_a_split_settle_is_doubt(bench_of: MakeBench) -> None:
    """The stake had emptied the purse before the journal forgot; the repeat's `insufficient_funds` was told as final."""
    bench = bench_of("native", a_wallet(CANNOT, repeats=QUERY), opening={PLAYER: Decimal("10.00")})
    assert word(bench.call(settle("s1", "10.00", "0.00"))) == ACCEPTED
    forgetting(bench)
    bench.till.then(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.DEBIT)
    assert word(bench.call(settle("s1", "10.00", "0.00"))) == DOUBT
    assert bench.till.balance() == 0
    waits_for_a_person(bench)


@pytest.mark.parametrize("call", [bet("t1"), win("t1")], ids=["bet", "win"])
def test_rule_30_a_wallet_that_can_be_asked_is_asked_about_it_first(bench_of: MakeBench, call: Transaction) -> None:
    """A minute after the journal forgot the win its repeat was sent at once, and paid a second time: this wallet looks
    at no id first, but would have said what became of it."""
    bench = bench_of("native", a_wallet(CAN_BE_ASKED, repeats=QUERY))
    assert word(bench.call(call)) == ACCEPTED
    forgetting(bench)
    assert word(bench.call(call)) == ACCEPTED
    assert bench.till.asked(call.kind) == 1
    nothing_is_open(bench)


@pytest.mark.parametrize("call", [win("t1"), undo("t1", "b0", "10.00")], ids=["win", "cancel"])
def test_rule_30_what_is_owed_is_not_sent_while_what_was_forgotten_of_it_may_be_queued(
    bench_of: MakeBench, call: Transaction
) -> None:
    """The wallet did not know the win yet, it was sent again, and then both arrived: the player was paid twice."""
    bench = bench_of("native", a_wallet(CAN_BE_ASKED, repeats=QUERY, tombstones=False))
    bench.call(bet("b0"))
    bench.till.always(queued(20), kind=call.kind)
    assert word(bench.call(call)) == DOUBT
    bench.till.heal()
    forgetting(bench)
    assert word(bench.call(call)) == DOUBT
    bench.settlement(300, 2)
    assert word(bench.call(call)) == ACCEPTED
    assert bench.till.asked(call.kind) == 1
    nothing_is_open(bench)


@FORGOT
def test_rule_19_the_win_of_a_batch_that_was_declined_is_not_paid(bench_of: MakeBench, forgot: bool) -> None:
    """Its one bet never arrived, and was declined; the win of the same batch was asked for as if it stood alone."""
    bench = perhaps(bench_of("native", a_wallet("native", repeats=QUERY)), forgot)
    bench.till.always(lost_before)
    batch = a_call(Batch(items=(bet("b1"), win("w1", "50.00")), atomic=True))
    assert word(bench.call(batch)) == DOUBT
    assert bench.till.asked(Kind.CREDIT) == 0
    bench.till.heal()
    bench.till.always(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.DEBIT)
    bench.settlement(600, 2)
    bench.till.heal()
    bench.settlement(600, 2)
    assert (bench.row(Kind.DEBIT, "b1").state, bench.row(Kind.CREDIT, "w1").state) == (State.DECLINED, State.DECLINED)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@FORGOT
def test_rule_14_a_win_that_only_may_have_been_asked_is_brought_as_soon_as_its_wallet_is_there(
    bench_of: MakeBench, forgot: bool
) -> None:
    """Its wallet was away for a minute: no byte of the win had left, and it was left to a person as asked once."""
    bench = perhaps(bench_of("native", a_wallet(CANNOT, repeats=NEVER)), forgot)
    bench.till.always(unreachable)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.settlement(60, 2)
    bench.till.heal()
    bench.settlement(60, 2)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


@FORGOT
def test_rule_20_a_rollback_of_what_no_wallet_was_told_moves_nothing(bench_of: MakeBench, forgot: bool) -> None:
    """A free bet was answered by a balance; its wallet was asked to roll it back, and did not know it."""
    bench = perhaps(bench_of("native", "scorpio_play"), forgot)
    told = [word(bench.call(tx)) for tx in (bet("b1", free=True), undo("r1", "b1"))]
    assert told == [ACCEPTED, ACCEPTED]
    assert bench.till.asked(Kind.DEBIT) == bench.till.asked(Kind.ROLLBACK) == 0
    nothing_is_open(bench)


def test_rule_15_a_refund_that_its_wallet_would_take_for_another_movement_is_a_persons() -> None:
    """Whether the bet that it means was forgotten nobody knows: `transaction_not_found` would be a guess, and the
    wallet, if it were asked, would give back another provider's bet of that round."""
    fresh = row(undo("r1", "b1"))
    feared = replace(fresh, attempts=1, asked_at=NOW, forgot_at=NOW)
    told = [in_words(next_move(waiting(own, guessed=True))) for own in (fresh, feared)]
    assert told == ["decide transaction_not_found", "leave person"]


# ---------------------------------------------------------------- what is open in the copy


OPEN = {"bet": (bet("x1"), "990.00"), "win": (win("x1"), "1025.00"), "cancel": (undo("x1", "b0"), "1000.00")}


@pytest.mark.parametrize(("call", "purse"), OPEN.values(), ids=OPEN)
def test_rule_30_what_is_open_in_the_copy_may_have_been_asked_since(
    bench_of: MakeBench, call: Transaction, purse: str
) -> None:
    """No byte of a win had left when the copy was made; it was paid, the copy was restored, and it was paid again to a
    wallet that would have said so. Only what came after the word was feared."""
    bench = bench_of("native", a_wallet(CAN_BE_ASKED, repeats=QUERY))
    if call.kind is Kind.ROLLBACK:
        bench.call(bet("b0"))
    bench.till.always(unreachable)
    assert word(bench.call(call)) == DOUBT
    bench.till.heal()
    never_arrived = bench.till.asked(call.kind)

    def brought() -> None:
        assert word(bench.call(call)) == ACCEPTED

    restored(bench, brought)
    assert not bench.row(call.kind, "x1").decided
    bench.settlement(600, 5)
    assert word(bench.call(call)) == ACCEPTED
    assert (bench.till.asked(call.kind) - never_arrived, bench.till.balance()) == (1, Decimal(purse))
    nothing_is_open(bench)


def test_rule_30_a_stopped_cancel_is_not_sent_while_its_wallet_is_asked_whether_it_was() -> None:
    """The question was in the air and counted as the cancel itself: it was sent, nothing was there to undo, and the bet was
    declined whose provider had heard that it stands (seed 2464597)."""
    own = replace(row(undo("r1", "b1")), attempts=1, asked_at=NOW, forgot_at=NOW, state=State.OWED)
    case = settling(own, target=sent(bet("b1")), target_won=True, air=in_the_air(own, young=0.0))
    assert in_words(next_move(case)) == "leave owed"


@pytest.mark.parametrize("wallet", [CAN_BE_ASKED, CANNOT])
def test_rule_30_a_win_does_not_stop_a_cancel_that_may_have_been_sent(bench_of: MakeBench, wallet: str) -> None:
    """The cancel had been done, the copy of the minute before was restored, a win came, and the cancel heard
    `already_settled`: its provider believed in a stake that the player had back."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    bench.till.heal()

    restored(bench, lambda: bench.settlement(600, 5))
    assert bench.till.balance() == Decimal("1000.00")
    told = word(bench.call(win("w1", of="b1")))
    bench.settlement(600, 5)
    if wallet == CANNOT:
        assert (told, word(bench.call(undo("r1", "b1")))) == (DOUBT, DOUBT)
        assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    else:
        assert word(bench.call(undo("r1", "b1"))) == ACCEPTED


def test_rule_30_a_stopped_cancel_of_which_its_wallet_remembers_nothing_is_a_persons(bench_of: MakeBench) -> None:
    """Its wallet remembers a minute, and a request may be on its way for two: its 404 was never final, and it was asked
    about the cancel for ever (seed 2100505)."""
    minute = timedelta(seconds=60)
    bench = bench_of("native", a_wallet(CAN_BE_ASKED, tombstones=False, remembers=minute, in_flight_max=2 * minute))
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    restored(bench, lambda: None)
    assert word(bench.call(win("w1", of="b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON


def test_rule_11_a_bet_is_completed_for_its_win_as_soon_as_its_stopped_cancel_is_decided(bench_of: MakeBench) -> None:
    """The journal may have forgotten that both were asked. *While the wallet was asked about the cancel it knew nothing of the
    bet, which was declined, and its win paid.* *The cancel was declined, for the bet stands, which then waited for its next look:
    by then its wallet remembered nothing any more, and a person declined it.*"""
    minute = timedelta(seconds=60)
    bench = bench_of("native", a_wallet(CAN_BE_ASKED, tombstones=False, remembers=1.5 * minute, in_flight_max=minute))
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert [word(bench.call(tx)) for tx in (bet("b1"), undo("r1", "b1"))] == [DOUBT, DOUBT]
    restored(bench, lambda: None)
    assert word(bench.call(win("w1", of="b1"))) == DOUBT
    bench.till.heal()
    bench.rest(45)
    bench.look()
    bench.rest(20)
    bench.till.then(late(0.3), late(0.6), kind=Kind.STATUS)
    bench.look()
    bench.rest(5)
    assert [bench.row(kind, id).state for kind, id in ((Kind.DEBIT, "b1"), (Kind.ROLLBACK, "r1"))] == [
        State.ACCEPTED, State.DECLINED
    ]  # fmt: skip
    assert word(bench.call(win("w1", of="b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_30_the_gateways_own_rollback_may_have_been_asked_before_too(bench_of: MakeBench) -> None:
    """A bet was given back after silence, the copy of the minute before was restored, and it was given back again: what
    the gateway itself would do again it may have done before."""
    clocked = a_provider("native", after_doubt=timedelta(seconds=20))
    bench = bench_of(clocked, a_wallet(CAN_BE_ASKED, repeats=QUERY))
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()

    restored(bench, lambda: bench.settlement(120, 5))
    assert (bench.till.asked(Kind.ROLLBACK), bench.till.balance()) == (1, Decimal("1000.00"))
    bench.settlement(600, 5)
    assert (bench.till.asked(Kind.ROLLBACK), bench.till.balance()) == (1, Decimal("1000.00"))
    nothing_is_open(bench)


# ---------------------------------------------------------------- what no wallet can be told by now

A_HOLD = a_call(Reserve(amount=Decimal("10.00")), "h1")
ROUTES = pytest.mark.parametrize("routes", [(Route(wallet="other"),), ()], ids=["no words", "no route"])


@ROUTES
def test_rule_30_what_was_taken_elsewhere_and_can_be_told_nowhere_by_now_is_doubt(
    bench_of: MakeBench, routes: tuple[Route, ...]
) -> None:
    """The journal had forgotten a hold, and its repeat came by other routes to a wallet that knows none: it was told as
    unsupported, and the amount stayed held."""
    bench = bench_of("native", "native", wallets=(a_wallet("netgaming", "other"),))
    restored(bench, lambda: bench.call(A_HOLD))
    bench.setup = replace(bench.setup, routes=routes)
    for _ in range(2):
        assert word(bench.call(A_HOLD)) == DOUBT
        bench.settlement(400, 20)
    assert bench.till.balance() == Decimal("990.00")
    waits_for_a_person(bench)


@ROUTES
def test_rule_30_it_is_declined_where_nothing_can_be_forgotten(bench_of: MakeBench, routes: tuple[Route, ...]) -> None:
    """The other side of it."""
    bench = bench_of("native", "native", wallets=(a_wallet("netgaming", "other"),))
    bench.setup = replace(bench.setup, routes=routes)
    assert word(bench.call(A_HOLD)) == Reason.UNSUPPORTED
    nothing_is_open(bench)


def test_rule_30_nor_is_a_bet_declined_whose_session_went_with_the_journal(bench_of: MakeBench) -> None:
    """Its player had been launched since the copy: at the repeat nobody could tell its wallet a session, and the bet that it
    had taken was told as not authenticated."""
    bench = bench_of("native", "netgaming", routes=(Route(wallet="main"),))

    def played() -> None:
        bench.launch(wallet_session="theirs")
        yes(bench.call(bet("b1")))

    restored(bench, played)
    heard = word(bench.call(bet("b1", session="")))
    assert (heard, bench.till.balance()) == (DOUBT, Decimal("990.00"))


def test_rule_30_a_person_gives_a_bet_back_once_though_two_cancels_of_it_are_feared(bench_of: MakeBench) -> None:
    """*Both cancels had reached nobody that answered, and a person who saw the bet given back said so of each: the journal had
    it given back twice, and the books did not add up (seed 10057973).*"""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    yes(bench.call(bet("t1")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    restored(bench, lambda: bench.call(undo("c1", "t1")))
    for id in ("c1", "c2"):
        bench.call(undo(id, "t1"))
    for id in ("c1", "c2"):
        bench.settlement(300, 5)
        decide(bench, bench.row(Kind.ROLLBACK, id).key, accepted=True)
    told = [word(bench.call(undo(id, "t1"))) for id in ("c1", "c2")]
    assert told == [ACCEPTED, Reason.ALREADY_ROLLED_BACK]
    nothing_is_open(bench)


@pytest.mark.parametrize("knows", [True, False], ids=["its bet is known", "forgot its bet"])
def test_rule_30_that_a_bet_was_rolled_back_says_nothing_of_how_much_where_a_part_may_be_forgotten(
    bench_of: MakeBench, *, knows: bool
) -> None:
    """*Four of ten had been refunded, which the journal forgot, and a wallet that knows one rollback of a bet said of the
    refund of the rest that it was done: it was told as done, and 6.00 stayed taken.*"""
    bench = bench_of("native", "netgaming")
    played = (bet("t1"), undo("c1", "t1", "4.00"))
    if knows:
        yes(bench.call(played[0]))
    restored(bench, lambda: [yes(bench.call(tx)) for tx in played])
    assert word(bench.call(undo("c2", "t1", "6.00"))) == DOUBT
    assert bench.till.balance() == Decimal("994.00")
    waits_for_a_person(bench)


def test_rule_30_nor_does_it_to_the_gateways_own(bench_of: MakeBench) -> None:
    """*Nobody knew any more that the bet had been accepted and a part of it refunded. Silence gave it back, its wallet said that
    this was done, and the refund of that part heard that there was nothing to give back.*"""
    bench = bench_of(a_provider("native", after_doubt=timedelta(minutes=10)), "netgaming")
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(unreachable, kind=Kind.DEBIT)
    assert word(bench.call(bet("t1"))) == DOUBT
    bench.till.heal()

    def forgotten() -> None:
        yes(bench.call(bet("t1")))
        yes(bench.call(undo("c1", "t1", "4.00")))

    restored(bench, forgotten)
    bench.settlement(900, 10)
    assert word(bench.call(undo("c1", "t1", "4.00"))) == DOUBT
    assert [row.state for row in open_rows(bench) if row.ours] == [State.PERSON]
    assert bench.till.balance() == Decimal("994.00")


@pytest.mark.parametrize("copied", [True, False], ids=["in the copy", "came since"])
def test_rule_30_a_win_is_not_asked_when_its_wallet_has_forgotten_what_the_journal_forgot(
    bench_of: MakeBench, *, copied: bool
) -> None:
    """*It had been paid, which the journal forgot. When it could be sent again its wallet did not remember it any more either,
    and paid it twice.* What comes when that is over is new to everybody."""
    bench = bench_of("native", a_wallet(CANNOT, repeats=SAFE))
    yes(bench.call(bet("t1")))
    if copied:
        bench.till.always(unreachable, kind=Kind.CREDIT)
        assert word(bench.call(win("w1", of="t1"))) == DOUBT
        bench.till.heal()
    restored(bench, lambda: yes(bench.call(win("w1", of="t1"))))
    bench.till.always(unreachable)
    bench.call(win("w1", of="t1"))
    bench.rest(2 * DAYS)
    bench.till.heal()
    bench.settlement(DAYS, 3600)
    assert word(bench.call(win("w1", of="t1"))) == DOUBT
    assert bench.till.balance() == Decimal("1015.00")
    waits_for_a_person(bench)
    yes(bench.call(bet("t2")))


def test_rule_30_what_the_journal_forgot_is_as_old_as_the_copy_and_not_as_the_word_about_it(
    bench_of: MakeBench,
) -> None:
    """*Last night's copy was restored at noon. A win of the night came again while its wallet was away, was sent when that had
    forgotten it, and paid twice: its age was counted from noon.*"""
    hour = timedelta(hours=1)
    bench = bench_of("native", a_wallet(CANNOT, repeats=SAFE, remembers=20 * hour))
    yes(bench.call(bet("t1")))

    def forgotten() -> None:
        yes(bench.call(win("w1", of="t1")))
        bench.rest(10 * 3600)

    restored(bench, forgotten)
    bench.till.always(unreachable)
    bench.call(win("w1", of="t1"))
    bench.rest(11 * 3600)
    bench.till.heal()
    bench.settlement(60, 5)
    assert (bench.till.balance(), bench.row(Kind.CREDIT, "w1").state) == (Decimal("1015.00"), State.PERSON)
    yes(bench.call(bet("t2")))  # new to everybody, though the word about it is younger than that memory


def test_rule_30_a_second_cancel_that_its_wallet_never_saw_gives_nothing_back_twice(bench_of: MakeBench) -> None:
    """*Both waited in the restored copy. The first was done; of the second its wallet knew nothing, so that it was asked as a
    first attempt, and the yes that this wallet says of nothing, too, was another giving back in the journal.*"""
    bench = bench_of("native", a_wallet("vivo_vgs", repeats=QUERY))
    yes(bench.call(bet("t1")))
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    for id in ("c1", "c2"):
        assert word(bench.call(undo(id, "t1", "10.00"))) == DOUBT
    restored(bench, lambda: None)
    bench.till.heal()
    bench.settlement(600, 10)
    told = [word(bench.call(undo(id, "t1", "10.00"))) for id in ("c1", "c2")]
    assert sorted(map(str, told)) == sorted((str(ACCEPTED), str(Reason.ALREADY_ROLLED_BACK)))
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_30_a_win_of_a_bet_that_the_journal_knows_as_declined_is_paid_by_nobody(bench_of: MakeBench) -> None:
    """*Its provider had heard so. The journal forgot that, and the win was put to the wallet, which paid it.* Where the bet's no is
    in the copy, no win of it was ever sent."""
    bench = bench_of("evolution", "scorpio_play")
    bench.till.then(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.DEBIT)
    assert word(bench.call(bet("t1"))) == Reason.INSUFFICIENT_FUNDS
    restored(bench, lambda: bench.call(win("t1", of="t1")))
    assert word(bench.call(win("t1", of="t1"))) == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.CREDIT) == 0
    nothing_is_open(bench)


@pytest.mark.parametrize("known", [True, False], ids=["in the copy", "it came again"])
def test_rule_14_a_win_that_its_wallet_may_have_forgotten_is_a_persons(bench_of: MakeBench, known: bool) -> None:
    """The journal knew that the win waited for its bet, and forgot that it was paid. When a person had found the bet in the
    wallet's book, the wallet remembered no win either, and paid it a second time."""
    repeats = {"debit": "never", "credit": "safe", "rollback": "safe"}
    bench = bench_of("native", a_wallet("netgaming", repeats=repeats, remembers=timedelta(minutes=20)))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    if known:
        assert word(bench.call(win("w1", of="b1"))) == DOUBT

    def forgotten() -> None:
        decide(bench, bench.row(Kind.DEBIT, "b1").key, accepted=True, force=True)
        assert word(bench.call(win("w1", of="b1"))) == ACCEPTED

    restored(bench, forgotten)
    bench.settlement(900, 5)
    assert word(bench.call(win("w1", of="b1"))) == DOUBT
    bench.settlement(600, 5)
    decide(bench, bench.row(Kind.DEBIT, "b1").key, accepted=True)
    bench.settlement(1200, 5)
    assert bench.till.asked(Kind.CREDIT) == 1
    waits_for_a_person(bench)


def test_rule_14_nor_is_a_bet_asked_that_its_wallet_may_have_forgotten(bench_of: MakeBench) -> None:
    """It had not left when the journal's copy was made; its repeat came when its wallet, which had taken it, remembered it no
    more, and took it a second time."""
    bench = bench_of("native", a_wallet("netgaming", repeats=SAFE, remembers=timedelta(minutes=20)))
    bench.till.always(unreachable)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    restored(bench, lambda: yes(bench.call(bet("b1"))))
    asked = bench.till.asked(Kind.DEBIT)
    bench.settlement(1500, 5)
    assert word(bench.call(bet("b1"))) == DOUBT
    assert bench.till.asked(Kind.DEBIT) == asked
    waits_for_a_person(bench)
