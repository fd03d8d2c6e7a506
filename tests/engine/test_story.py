"""The story of a movement: every step out of the ordinary, and no write for an ordinary call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from gateway.engine.movement import Event, Listing, Step
from gateway.engine.states import State
from gateway.engine.story import scrubbed, story
from gateway.engine.world import Silence
from gateway.http import Response
from gateway.model import Kind, Reason, Transaction, Unknown
from tests.engine import acts
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import Post, lost_after, lost_before
from tests.simulation.bench import NEVER, QUERY, Bench, a_provider, a_wallet, at_once
from tests.simulation.scheduler import BEGIN


def steps(bench: Bench, kind: Kind, id: str) -> list[Step]:
    found: list[Step] = at_once(bench.journal.story(bench.row(kind, id).key))
    return found


def told(bench: Bench, kind: Kind, id: str) -> list[str]:
    """`what detail`, in order."""
    row = bench.row(kind, id)
    found = story(row, steps(bench, kind, id), at_once(bench.journal.aimed_at(row.key)))
    assert found == sorted(found, key=lambda step: step.at)
    return [f"{step.what.value} {step.detail}".strip() for step in found]


def settle(bench: Bench, seconds: float) -> None:
    """Settlement looks twice a second."""
    for _ in range(int(seconds * 2)):
        bench.scheduler.finish(bench.process.engine.settler.look(bench.setup), bench.process)
        bench.rest(0.5)


async def refused_at_once(post: Post) -> Response:
    raise Silence("unreachable", "wallet main is not asked just now", left=False, hopeless=True)


def in_order(found: Sequence[str], *wanted: str) -> bool:
    """Whether the lines stand there in this order, others between them."""
    rest = iter(found)
    return all(any(line.startswith(want) for line in rest) for want in wanted)


# ---------------------------------------------------------------- ordinary calls


@pytest.mark.parametrize("call", [bet("t1"), win("t1"), undo("t1", "none")], ids=["debit", "credit", "rollback"])
def test_an_ordinary_call_writes_no_step(bench_of: MakeBench, call: Transaction) -> None:
    bench = bench_of()
    bench.call(call)
    (row,) = bench.scheduler.finish(bench.journal.listed(Listing()))
    assert at_once(bench.journal.story(row.key)) == []


def test_the_story_of_an_ordinary_call_is_told_by_its_row(bench_of: MakeBench) -> None:
    bench = bench_of()
    yes(bench.call(bet("t1")))
    assert told(bench, Kind.DEBIT, "t1") == [
        "received debit", "asked attempt 1", "decided accepted", "told accepted",
    ]  # fmt: skip


def test_a_rollback_is_in_the_story_of_its_bet(bench_of: MakeBench) -> None:
    bench = bench_of()
    yes(bench.call(bet("t1")))
    yes(bench.call(undo("r1", "t1")))
    lines, key = told(bench, Kind.DEBIT, "t1"), bench.row(Kind.ROLLBACK, "r1").key
    assert in_order(lines, "decided accepted", f"claimed by {key}", f"rolled_back by {key}")
    assert steps(bench, Kind.DEBIT, "t1") == []


# ---------------------------------------------------------------- doubt


def test_doubt_its_attempts_and_its_end(bench_of: MakeBench) -> None:
    bench = bench_of(wallet=a_wallet("native", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    yes(bench.call(bet("t1")))
    lines = told(bench, Kind.DEBIT, "t1")
    assert in_order(
        lines, "received", "asked attempt 1", "silent broken: connection reset", "queried accepted", "decided"
    )


def test_repeats_and_what_is_no_repeat(bench_of: MakeBench) -> None:
    bench = bench_of()
    for amount in ("10.00", "10.00", "11.00"):
        bench.call(bet("t1", amount))
    lines = told(bench, Kind.DEBIT, "t1")
    assert in_order(lines, "decided accepted", "repeated", "conflict")


def test_queries_and_a_movement_never_applied(bench_of: MakeBench) -> None:
    bench = bench_of(wallet=a_wallet("native", repeats=QUERY))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(130)
    yes(bench.call(bet("t1")))
    lines = told(bench, Kind.DEBIT, "t1")
    assert in_order(
        lines, "asked attempt 1", "silent broken", "queried declined, transaction_not_found", "told unknown", "repeated",
        "queried declined, transaction_not_found", "asked attempt 1", "answered accepted", "decided accepted", "told accepted",
    )  # fmt: skip


def test_what_is_owed_and_settlement(bench_of: MakeBench) -> None:
    bench = bench_of()
    bench.till.always(lost_before, Kind.CREDIT)
    assert isinstance(bench.call(win("w1")), Unknown)
    settle(bench, 4)
    bench.till.heal()
    settle(bench, 10)
    lines = told(bench, Kind.CREDIT, "w1")
    assert in_order(
        lines, "told unknown", "asked attempt", "silent broken", "looked", "asked", "answered accepted", "decided"
    )


def test_who_waits_for_a_person_and_why(bench_of: MakeBench) -> None:
    bench = bench_of(wallet=a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1")), Unknown)
    assert in_order(
        told(bench, Kind.CREDIT, "w1"), "silent", "for_person wallet main may not be asked again", "told unknown"
    )


def test_a_process_that_died_and_the_next_one(bench_of: MakeBench) -> None:
    bench = bench_of()
    bench.till.always(lost_before)
    begun = bench.begin(bet("t1"))
    bench.rest(0.01)
    bench.crash()
    bench.restart()
    bench.till.heal()
    bench.finish(begun)
    assert in_order(told(bench, Kind.DEBIT, "t1"), "received", "asked", "died", "told unknown")


def test_a_rollback_that_will_not_undo_it_after_all(bench_of: MakeBench) -> None:
    """A win stops the cancel of a bet in doubt."""
    bench = bench_of("native", a_wallet("netgaming"))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    bench.till.heal()
    yes(bench.call(win("w1", of="t1")))
    lines = told(bench, Kind.DEBIT, "t1")
    assert in_order(lines, "told unknown", f"released {bench.row(Kind.ROLLBACK, 'r1').key}", "decided accepted")


# ---------------------------------------------------------------- bounded, and without secrets


def test_a_long_story_keeps_its_beginning_and_its_end(bench_of: MakeBench) -> None:
    bench = bench_of()
    yes(bench.call(bet("t1")))
    key, begin = bench.row(Kind.DEBIT, "t1").key, bench.scheduler.clock()
    for n in range(300):
        what = Event.RETRY if n == 150 else Event.REPEATED
        at_once(bench.journal.note(key, [Step(begin + timedelta(seconds=n), what, str(n))]))
    kept = [int(step.detail) for step in at_once(bench.journal.story(key))]
    assert kept == [*range(100), 150, *range(200, 300)]


def test_no_token_is_in_a_story() -> None:
    assert scrubbed([Step(BEGIN, Event.SILENT, "GET /x?session=s-1 failed")], "", "s-1") == [
        Step(BEGIN, Event.SILENT, "GET /x?session=*** failed")
    ]


# ---------------------------------------------------------------- a debit that never left us


def test_a_debit_that_was_never_sent_is_declined_when_nobody_waits_for_it_any_more(bench_of: MakeBench) -> None:
    """Rule 10. Its provider's repeat is waited for, some seconds."""
    bench = bench_of()
    bench.till.always(refused_at_once)
    began = bench.scheduler.now
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.scheduler.now - began < 0.1, "answered at once"
    assert len(bench.till.sent) == 1, "nothing is tried again at once"
    settle(bench, 3)
    assert bench.row(Kind.DEBIT, "t1").state is State.DOUBT
    settle(bench, 8)
    row = bench.row(Kind.DEBIT, "t1")
    assert row.outcome is not None
    assert why(row.outcome) is Reason.ALREADY_ROLLED_BACK
    bench.till.heal()
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    assert in_order(
        told(bench, Kind.DEBIT, "t1"), "asked", "silent unreachable: wallet main", "told unknown", "decided"
    )


def test_its_repeat_in_time_is_asked(bench_of: MakeBench) -> None:
    bench = bench_of(wallet=a_wallet("native", repeats=NEVER))
    bench.till.then(refused_at_once)
    assert isinstance(bench.call(bet("t1")), Unknown)
    settle(bench, 2)
    yes(bench.call(bet("t1")))
    assert bench.row(Kind.DEBIT, "t1").attempts == 1


@pytest.mark.parametrize("wallet", ["native", "netgaming", "kyren"])
def test_the_cancel_of_a_debit_that_was_never_sent_needs_no_wallet(bench_of: MakeBench, wallet: str) -> None:
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.always(refused_at_once)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert why(bench.call(undo("r1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert bench.till.asked(Kind.ROLLBACK) == 0


def test_a_credit_that_was_not_sent_stays_owed_and_arrives(bench_of: MakeBench) -> None:
    bench = bench_of()
    bench.till.always(refused_at_once)
    assert isinstance(bench.call(win("w1")), Unknown)
    settle(bench, 8)
    assert bench.row(Kind.CREDIT, "w1").state is State.OWED
    bench.till.heal()
    settle(bench, 20)
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED


def test_a_settles_bet_that_was_never_sent_ends_the_settle(bench_of: MakeBench) -> None:
    bench = bench_of("native", a_wallet("netgaming"))
    bench.till.always(refused_at_once)
    assert isinstance(bench.call(acts.settle("s1")), Unknown)
    settle(bench, 12)
    assert bench.row(Kind.SETTLE, "s1").state is State.DECLINED
    assert bench.unresolved() == {}


def test_with_after_doubt_no_rollback_is_made_for_it(bench_of: MakeBench) -> None:
    bench = bench_of(provider=a_provider("native", after_doubt=timedelta(minutes=1)))
    bench.till.always(refused_at_once)
    assert isinstance(bench.call(bet("t1")), Unknown)
    settle(bench, 90)
    assert bench.unresolved() == {}
    assert bench.till.asked(Kind.ROLLBACK) == 0
