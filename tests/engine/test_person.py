"""`gateway tx retry` and `resolve` on the engine's own movements: only open ones, by the state machine."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.movement import Event, Movement
from gateway.engine.person import NotDone, Unfound, Verdict, resolve, retry
from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.model import Accepted, Batch, Declined, Kind, Reason, Release, Reserve, Rollback, Unknown
from tests.engine import acts
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import forgetting
from tests.engine.test_story import settle
from tests.simulation.behaviours import lost_after, lost_before, queued, says, unreachable
from tests.simulation.bench import NEVER, Bench, Distant, Trip, a_call, a_provider, a_wallet

IN_FLIGHT_SECONDS = 130.0
SECOND = timedelta(seconds=1)


def done(bench: Bench, work: Coroutine[Any, Any, Movement]) -> Movement:
    """What came of it; `NotDone` is raised here, not in the air."""
    outcome: list[Movement | NotDone] = []

    async def quietly() -> None:
        try:
            outcome.append(await work)
        except NotDone as not_done:
            outcome.append(not_done)

    bench.scheduler.finish(quietly())
    if isinstance(outcome[0], NotDone):
        raise outcome[0]
    return outcome[0]


def decide(bench: Bench, key: str, *, accepted: bool, force: bool = False) -> Movement:
    verdict = Verdict(accepted=accepted, reason="seen in their book", by="Ada", force=force)
    return done(bench, resolve(bench.journal, bench.setup, key, verdict, bench.scheduler.clock()))


def again(bench: Bench, key: str) -> Movement:
    return done(bench, retry(bench.journal, bench.setup, key, "Ada", bench.scheduler.clock()))


def in_doubt(bench_of: MakeBench, *, wallet: str = "netgaming") -> Bench:
    """A debit that no query can settle."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    return bench


def for_a_person(bench_of: MakeBench) -> Bench:
    """A credit that the wallet may not be asked about again."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1")), Unknown)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    return bench


# ---------------------------------------------------------------- resolve


@pytest.mark.parametrize("accepted", [True, False])
def test_what_waits_for_a_person_is_decided_and_the_provider_hears_it(bench_of: MakeBench, accepted: bool) -> None:
    bench = for_a_person(bench_of)
    row = decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=accepted)
    assert row.state is (State.ACCEPTED if accepted else State.DECLINED)
    asked = bench.till.asked(Kind.CREDIT)
    outcome = bench.call(win("w1"))
    assert isinstance(outcome, Accepted) is accepted
    assert bench.till.asked(Kind.CREDIT) == asked, "a decided one is never asked again"


def test_a_cancel_that_buried_its_bet_is_told_by_a_person_that_there_is_none(bench_of: MakeBench) -> None:
    """The bet came after its cancel and was declined for it: `already_settled` would say that it stands."""
    bench = bench_of("native", a_wallet("native", repeats=NEVER))
    bench.till.then(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=False, force=True)
    assert why(bench.call(undo("r1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_15_a_cancel_of_a_bet_that_nobody_has_seen_is_not_told_by_a_person_that_it_stands(
    bench_of: MakeBench,
) -> None:
    """*The cancel overtook its bet, its answer was lost and a person found nothing in the book; the provider heard
    `already_settled`, sent the bet that it now took to stand, and that was refused.* There is none, and when it comes it
    meets its tombstone."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER, tombstones=True))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("r1", "t1", "10.00")), Unknown)
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=False)
    assert why(bench.call(undo("r1", "t1", "10.00"))) is Reason.TRANSACTION_NOT_FOUND
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.DEBIT) == 0
    assert bench.till.balance() == Decimal("1000.00")


def test_a_decision_stands(bench_of: MakeBench) -> None:
    bench = bench_of()
    yes(bench.call(bet("t1")))
    key = bench.row(Kind.DEBIT, "t1").key
    with pytest.raises(NotDone, match="a decision stands"):
        decide(bench, key, accepted=False, force=True)
    with pytest.raises(NotDone, match="a decision stands"):
        again(bench, key)
    with pytest.raises(Unfound):
        decide(bench, "acme/debit/zz", accepted=False)


def test_what_is_being_asked_just_now_is_left_alone(bench_of: MakeBench) -> None:
    bench = bench_of()
    bench.till.always(lost_before)
    begun = bench.begin(bet("t1"))
    bench.rest(0.01)
    key = bench.row(Kind.DEBIT, "t1").key
    with pytest.raises(NotDone, match="just now"):
        decide(bench, key, accepted=True, force=True)
    bench.finish(begun)


def test_doubt_is_not_decided_while_the_wallet_may_still_apply_it(bench_of: MakeBench) -> None:
    bench = in_doubt(bench_of)
    key = bench.row(Kind.DEBIT, "t1").key
    with pytest.raises(NotDone, match="--force"):
        decide(bench, key, accepted=True)
    bench.rest(IN_FLIGHT_SECONDS)
    assert decide(bench, key, accepted=True).state is State.ACCEPTED


def test_a_late_answer_does_not_change_what_a_person_decided_but_is_told(bench_of: MakeBench) -> None:
    bench = in_doubt(bench_of)
    key = bench.row(Kind.DEBIT, "t1").key
    decide(bench, key, accepted=False, force=True)
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK


def test_rule_12_a_bet_that_its_cancel_heard_to_stand_is_not_given_back_by_silence(bench_of: MakeBench) -> None:
    """Its win stopped its cancel, which heard `already_settled`; then a person found that the win had never come, and the
    clock of the first doubt gave the stake back behind its provider's back (seed 2302160)."""
    provider = a_provider("native", after_doubt=timedelta(seconds=20))
    repeats = {"debit": "safe", "credit": "never", "rollback": "never"}
    bench = bench_of(provider, a_wallet("native", repeats=repeats, tombstones=False))
    bench.till.always(lost_before)
    assert all(isinstance(bench.call(tx), Unknown) for tx in (bet("t1"), undo("r1", "t1"), win("w1", of="t1")))
    assert why(bench.call(undo("r1", "t1"))) is Reason.ALREADY_SETTLED
    bench.till.heal()
    bench.till.always(lost_before, kind=Kind.CREDIT)
    bench.settlement(300)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    assert bench.till.balance() == Decimal("990.00")
    decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=False)
    bench.settlement(600)
    assert bench.till.balance() == Decimal("990.00")
    assert why(bench.call(undo("r1", "t1"))) is Reason.ALREADY_SETTLED
    assert bench.unresolved() == {}


def test_a_rollback_that_was_done_ends_the_doubt_about_its_bet(bench_of: MakeBench) -> None:
    bench = in_doubt(bench_of)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    bench.rest(IN_FLIGHT_SECONDS)
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=True)
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert bench.unresolved() == {}


def test_rule_10_a_cancel_is_not_resolved_while_its_bet_may_still_be_applied(bench_of: MakeBench) -> None:
    """Its bet was declined with it, arrived all the same, and kept the stake with nothing open."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    bench.till.always(queued(20), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    for tx in (bet("t1"), undo("r1", "t1")):
        assert isinstance(bench.call(tx), Unknown)
    key = bench.row(Kind.ROLLBACK, "r1").key
    with pytest.raises(NotDone, match=r"debit/t1.*--force"):
        decide(bench, key, accepted=True)
    bench.till.heal()
    settle(bench, 600)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


@pytest.mark.parametrize(
    ("provider", "said"), [("kyren", Reason.ALREADY_SETTLED), ("native", Reason.TRANSACTION_NOT_FOUND)]
)
def test_rule_16_a_persons_no_to_a_rounds_refund_says_that_its_bets_stand(
    bench_of: MakeBench, provider: str, said: Reason
) -> None:
    """Which bet it named the journal may have forgotten. `transaction_not_found` would say that nothing is to be given
    back, of a round with two bets that stand (seed 2419681). Native means the movement that it names, and no other."""
    bench = bench_of(provider, a_wallet("native", repeats=NEVER))
    forgetting(bench)
    for id in ("b1", "b2"):
        bench.call(bet(id))
    refund = replace(undo("refund:rf", "rf"), act=Rollback(reference="rf", scope="round"))
    bench.till.then(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.call(refund)
    decide(bench, bench.row(Kind.ROLLBACK, "refund:rf").key, accepted=False, force=True)
    bench.call(refund)
    assert bench.answers[-1].reason == said


def test_rule_15_a_release_that_will_not_be_done_frees_its_reserve(bench_of: MakeBench) -> None:
    """The reserve was accepted, and its repeat heard `already_rolled_back`: 10.00 were held for nobody."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    bench.till.always(lost_after, kind=Kind.RESERVE)
    bench.till.always(lost_before, kind=Kind.STATUS)
    reserve = a_call(Reserve(amount=Decimal("10.00")), "h1")
    for tx in (reserve, a_call(Release(reference="h1"), "l1")):
        assert isinstance(bench.call(tx), Unknown)
    decide(bench, bench.row(Kind.RELEASE, "l1").key, accepted=False)
    bench.till.heal()
    settle(bench, 300)
    yes(bench.call(reserve))


@pytest.mark.parametrize("how", ["its provider repeats it", "tx retry"])
def test_rule_05_a_rollback_whose_id_was_used_is_not_asked_again(bench_of: MakeBench, how: str) -> None:
    """Asked again, the same no looked like its own first asking: it was told as done, and 10.00 stayed taken."""
    bench = bench_of()
    yes(bench.call(bet("t1")))
    bench.till.always(says(Declined(reason=Reason.DUPLICATE_MISMATCH)), kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    key = bench.row(Kind.ROLLBACK, "r1").key
    if how == "tx retry":
        with pytest.raises(NotDone, match="another movement under its id"):
            again(bench, key)
    else:
        assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    assert bench.till.asked(Kind.ROLLBACK) == 1


@pytest.mark.parametrize("ours_first", [True, False])
def test_rule_03_a_batchs_giving_back_meets_no_providers_id(bench_of: MakeBench, ours_first: bool) -> None:
    """The provider's cancel was called as the gateway calls its own: whichever came second was told as done."""
    bench = bench_of()
    yes(bench.call(bet("b0", "7.00")))
    batch = a_call(Batch(items=(bet("b1"), bet("big", "5000.00")), atomic=True))
    cancel = undo("rollback:b1", "b0")
    for tx in (batch, batch, cancel, cancel) if ours_first else (cancel, cancel, batch, batch):
        bench.call(tx)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


def test_rule_03_the_gateways_own_rollback_meets_no_providers_id(bench_of: MakeBench) -> None:
    """A provider's cancel called `gw:debit:b1` kept the silent bet b1 from being given back."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)))
    yes(bench.call(bet("b0")))
    yes(bench.call(undo("gw:debit:b1", "b0")))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert isinstance(bench.call(bet("b1")), Unknown)
    bench.till.heal()
    settle(bench, 600)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


def test_a_rollback_that_will_not_be_done_frees_its_bet(bench_of: MakeBench) -> None:
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    yes(bench.call(bet("t1")))
    bench.till.then(lost_before, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=False)
    assert bench.row(Kind.DEBIT, "t1").undone_by == ""
    assert why(bench.call(undo("r1", "t1"))) is Reason.ALREADY_SETTLED
    yes(bench.call(undo("r2", "t1")))


def a_partial_refund_for_a_person(bench_of: MakeBench, **more: Any) -> Bench:
    """4.00 of a bet of 10.00 were given back, and the answer was lost: the wallet may not be asked again."""
    once = {"debit": "safe", "credit": "safe", "rollback": "never"}
    bench = bench_of(a_provider("gameball", **more), a_wallet("native", repeats=once))
    yes(bench.call(bet("b1")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert isinstance(bench.call(undo("r1", "b1", "4.00")), Unknown)
    return bench


def test_rule_17_a_partial_refund_that_a_person_saw_leaves_the_rest_to_be_refunded(bench_of: MakeBench) -> None:
    """*Its bet counted as undone: the refund of the rest heard that it was rolled back before, and 6.00 stayed taken.*"""
    bench = a_partial_refund_for_a_person(bench_of)
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=True, force=True)
    yes(bench.call(undo("r2", "b1", "6.00")))
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


@pytest.mark.parametrize("amount", ["3.00", "4.00"])
def test_rule_17_a_person_undoes_no_more_of_a_bet_than_was_given_back(bench_of: MakeBench, amount: str) -> None:
    """Four of a refund of ten were taken back, three were refunded and a person said so: the bet counted as undone, and one
    stayed taken."""
    once = {"debit": "safe", "credit": "safe", "rollback": "never"}
    bench = bench_of("native", a_wallet("native", repeats=once))
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    yes(bench.call(undo("r2", "r1", "4.00", kind=Kind.ROLLBACK)))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert isinstance(bench.call(undo("r3", "b1", amount)), Unknown)
    decide(bench, bench.row(Kind.ROLLBACK, "r3").key, accepted=True, force=True)
    rest = bench.call(undo("r4", "b1", "1.00"))
    assert isinstance(rest, Accepted) if amount == "3.00" else why(rest) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


def test_rule_17_a_refund_of_all_that_is_left_that_a_person_saw_is_the_last_one(bench_of: MakeBench) -> None:
    """The other side of it: a whole refund undoes the bet, whoever says that it was done."""
    once = {"debit": "safe", "credit": "safe", "rollback": "never"}
    bench = bench_of("gameball", a_wallet("native", repeats=once))
    yes(bench.call(bet("b1")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert isinstance(bench.call(undo("r1", "b1")), Unknown)
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=True, force=True)
    bench.call(undo("r2", "b1", "6.00"))
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.row(Kind.DEBIT, "b1").undone_by == bench.row(Kind.ROLLBACK, "r1").key


def test_rule_12_silence_gives_back_what_a_partial_refund_left(bench_of: MakeBench) -> None:
    """*The clock was off for a bet of which a person knew that a part had been given back.*"""
    bench = bench_of(a_provider("gameball", after_doubt=timedelta(seconds=60)), a_wallet("native", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(bet("b1")), Unknown)
    bench.call(undo("r1", "b1", "4.00"))
    decide(bench, bench.row(Kind.ROLLBACK, "r1").key, accepted=True, force=True)
    assert bench.row(Kind.DEBIT, "b1").state is not State.DECLINED, "a part of it was given back: it was taken"
    bench.till.heal()
    settle(bench, 300)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


def test_a_whole_follows_its_parts(bench_of: MakeBench) -> None:
    """A settle whose win is for a person: the win is resolved, and the settle is decided by itself."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(acts.settle("s1")), Unknown)
    whole = bench.row(Kind.SETTLE, "s1")
    parts = bench.scheduler.finish(bench.journal.children(whole.key))
    (part,) = [part for part in parts if not part.state.decided]
    with pytest.raises(NotDone, match="made of parts"):
        decide(bench, whole.key, accepted=True, force=True)
    decide(bench, part.key, accepted=True)
    settle(bench, 3)
    assert bench.row(Kind.SETTLE, "s1").state is State.ACCEPTED


@pytest.mark.parametrize("wallet", ["netgaming", "scorpio_play"])
def test_rule_18_a_settle_whose_win_stays_keeps_its_bet(bench_of: MakeBench, wallet: str) -> None:
    """*Its wallet cannot be told to take a win back, and a person said that it was not: then the stake was given back
    beside that win, and the cancel waited for a person again.* A settle is not undone by half."""
    bench = bench_of("native", wallet)
    yes(bench.call(acts.settle("s1")))
    cancel = bench.undo(acts.settle("s1"), "c1")
    assert isinstance(bench.call(cancel), Unknown)
    whole = bench.row(Kind.ROLLBACK, "c1")
    (part,) = bench.scheduler.finish(bench.journal.children(whole.key))
    assert part.state is State.PERSON
    decide(bench, part.key, accepted=False)
    settle(bench, 3)
    assert why(bench.call(cancel)) is Reason.ALREADY_SETTLED
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("1015.00")
    yes(bench.call(acts.settle("s1")))
    assert bench.unresolved() == {}


# ---------------------------------------------------------------- retry


def test_a_wallet_that_may_not_be_asked_again_is_not_whoever_wishes_it(bench_of: MakeBench) -> None:
    bench = for_a_person(bench_of)
    with pytest.raises(NotDone, match=r"may not be asked again about a credit.*tx resolve"):
        again(bench, bench.row(Kind.CREDIT, "w1").key)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON


def test_a_debit_is_not_asked_again_either(bench_of: MakeBench) -> None:
    bench = in_doubt(bench_of)
    with pytest.raises(NotDone, match="only its provider's repeat"):
        again(bench, bench.row(Kind.DEBIT, "t1").key)


def an_owed_win(bench: Bench) -> str:
    """Its wallet was away; by now it is there. The win's key."""
    bench.till.always(unreachable)
    assert isinstance(bench.call(win("w1")), Unknown)
    settle(bench, 30)
    bench.till.heal()
    return bench.row(Kind.CREDIT, "w1").key


def test_what_is_owed_is_brought_at_once(bench_of: MakeBench) -> None:
    bench = bench_of()
    key = an_owed_win(bench)
    assert again(bench, key).tries == 0
    settle(bench, 1)
    row = bench.row(Kind.CREDIT, "w1")
    assert row.state is State.ACCEPTED
    story = bench.scheduler.finish(bench.journal.story(key))
    assert "by Ada" in [step.detail for step in story if step.what is Event.RETRY]


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_what_no_route_led_to_is_brought_where_one_leads_now(bench_of: MakeBench, wallet: str) -> None:
    bench = bench_of(wallet=wallet, routes=())
    assert isinstance(bench.call(win("w1")), Unknown)
    key = bench.row(Kind.CREDIT, "w1").key
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    bench.setup = replace(bench.setup, routes=[Route(wallet="main", sessions="sess-{player}")])
    assert again(bench, key).state is State.OWED
    settle(bench, 2)
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1025.00")
    assert bench.till.last(Kind.CREDIT).id, "it is told by an id"


# ---------------------------------------------------------------- done, and its confirmation was lost


def unconfirmed(bench: Bench, seconds: float = 0.0) -> Any:
    """The journal of another node, whose first commit is durable and not confirmed; it says it again after so long."""
    return Distant(bench.journal, bench.scheduler, Trip(unconfirmed=1, stops_after=1, stands_still=seconds))


def lines(bench: Bench, key: str, what: Event) -> list[str]:
    return [step.detail for step in bench.scheduler.finish(bench.journal.story(key)) if step.what is what]


@pytest.mark.parametrize("accepted", [True, False])
def test_rule_31_what_a_person_decided_is_said_as_done_though_its_confirmation_was_lost(
    bench_of: MakeBench, accepted: bool
) -> None:
    """*She was told that nothing was done, because a decision stood: her own.*"""
    bench = for_a_person(bench_of)
    key = bench.row(Kind.CREDIT, "w1").key
    verdict = Verdict(accepted=accepted, reason="seen in their book", by="Ada")
    row = done(bench, resolve(unconfirmed(bench), bench.setup, key, verdict, bench.scheduler.clock()))
    assert row.state is (State.ACCEPTED if accepted else State.DECLINED)
    assert len(lines(bench, key, Event.RESOLVED)) == 1


def test_rule_31_anothers_decision_is_not_said_as_done(bench_of: MakeBench) -> None:
    """Two persons at one moment: who came second is told so, also where that confirmation was lost."""
    bench = for_a_person(bench_of)
    key = bench.row(Kind.CREDIT, "w1").key
    decide(bench, key, accepted=False)
    verdict = Verdict(accepted=True, reason="seen in their book", by="Bob")
    with pytest.raises(NotDone, match="a decision stands"):
        done(bench, resolve(unconfirmed(bench), bench.setup, key, verdict, bench.scheduler.clock() + SECOND))


@pytest.mark.parametrize("seconds", [0.0, 30.0])
def test_rule_31_a_retry_whose_confirmation_was_lost_is_made_once(bench_of: MakeBench, seconds: float) -> None:
    """*It was made again after all had been done: two lines in its story, or "nothing was done" beside a win that had just
    been paid.*"""
    bench = bench_of()
    key = an_owed_win(bench)
    made: list[Movement] = []

    async def later() -> None:
        made.append(await retry(unconfirmed(bench, seconds), bench.setup, key, "Ada", bench.scheduler.clock()))

    task = bench.scheduler.spawn(later())
    settle(bench, 60)
    assert task.done()
    assert made[0].state is (State.ACCEPTED if seconds else State.OWED)
    assert lines(bench, key, Event.RETRY) == ["by Ada"]
    assert bench.till.balance() == Decimal("1025.00")
