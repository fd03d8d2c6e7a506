"""Holds at a wallet that names them itself: what nobody heard the name of can neither be asked about nor asked again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.person import NotDone, Verdict, resolve, retry
from gateway.engine.states import State
from gateway.model import Capture, Kind, Reason, Release, Reserve, Status, Transaction, Unknown
from tests.engine.acts import bet, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    forgetting,
    nothing_is_open,
    open_rows,
    refuses,
    waits_for_a_person,
    word,
)
from tests.simulation.behaviours import Behaviour, late, lost_after, lost_before, queued, unreachable
from tests.simulation.bench import NEVER, QUERY, SAFE, Bench, Trip, a_call, a_provider, a_wallet, at_once

APPLIED = {"debit": "applied", "credit": "applied", "rollback": "applied"}
SILENT = timedelta(seconds=20)
HOLD = a_call(Reserve(amount=Decimal("10.00")), "h1")
RELEASE, CAPTURE = a_call(Release(reference="h1"), "end"), a_call(Capture(reference="h1"), "end")
ENDS = pytest.mark.parametrize("end", [RELEASE, CAPTURE], ids=["release", "capture"])


def in_doubt(bench: Bench, way: Behaviour = lost_after) -> Bench:
    """The hold's requests meet that, and its provider hears doubt."""
    bench.till.always(way, kind=Kind.RESERVE)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(HOLD)) == DOUBT
    bench.till.heal()
    return bench


def decided(bench: Bench, kind: Kind, id: str, *, accepted: bool, named: str = "") -> None:
    """A person says what became of it, whatever may still be on its way."""
    said = Verdict(accepted=accepted, reason="as its book says", by="anna", force=True, wallet_id=named)
    at_once(resolve(bench.journal, bench.setup, bench.row(kind, id).key, said, bench.scheduler.clock()))


@pytest.mark.parametrize("repeats", [SAFE, APPLIED, NEVER], ids=["safe", "applied", "never"])
@pytest.mark.parametrize("way", [lost_after, late(5), queued(60)], ids=["lost", "late", "queued"])
def test_rule_14_a_hold_that_its_wallet_names_is_asked_once(
    bench_of: MakeBench, way: Behaviour, repeats: dict[str, str]
) -> None:
    """*The answer to a hold was lost; it was asked again, as the configuration said of debits, and the wallet, which knows no
    name of ours, held the amount once more, four times in all.* Nor is it asked about by such a name, which it denies."""
    bench = in_doubt(bench_of("native", a_wallet("gameball", repeats=repeats)), way)
    for _ in range(3):
        bench.settlement(100)
        bench.call(HOLD)
    assert bench.till.balance() == Decimal("990.00")
    assert bench.till.asked(Kind.RESERVE) == 1
    assert bench.till.asked(Kind.STATUS) == 0


def test_rule_14_a_hold_in_doubt_that_its_wallet_names_comes_to_a_person(bench_of: MakeBench) -> None:
    """Nobody else can say whether it holds anything; nor is it asked again by his word."""
    bench = in_doubt(bench_of("native", "gameball"))
    with pytest.raises(NotDone, match="no query exists"):
        at_once(retry(bench.journal, bench.setup, bench.row(Kind.RESERVE, "h1").key, "anna", bench.scheduler.clock()))
    bench.settlement(DAYS, 3600)
    waits_for_a_person(bench)
    assert word(bench.call(HOLD)) == DOUBT
    assert bench.till.asked(Kind.RESERVE, Kind.STATUS) == 1


def test_rule_04_a_hold_of_which_no_byte_left_is_asked_for(bench_of: MakeBench) -> None:
    """The other side of it: that attempt was not made."""
    bench = bench_of("native", "gameball")
    bench.till.then(unreachable, kind=Kind.RESERVE)
    yes(bench.call(HOLD))
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("way", [lost_after, lost_before], ids=["held", "never came"])
def test_rule_15_the_release_of_a_hold_whose_name_nobody_heard_is_a_persons(
    bench_of: MakeBench, way: Behaviour
) -> None:
    """*It was sent under a name of ours, the wallet denied that, and both were declined: the amount stayed held, and its
    provider believed that it was not.*"""
    bench = in_doubt(bench_of("native", "gameball"), way)
    assert word(bench.call(RELEASE)) == DOUBT
    bench.settlement(400)
    assert word(bench.call(RELEASE)) == DOUBT
    assert bench.row(Kind.RELEASE, "end").state is State.PERSON
    assert bench.till.asked(Kind.RELEASE, Kind.STATUS) == 0
    bench.settlement(DAYS, 3600)
    waits_for_a_person(bench)
    assert bench.row(Kind.RESERVE, "h1").state is State.PERSON


def test_rule_15_a_hold_that_a_person_says_never_came_has_nothing_to_release(bench_of: MakeBench) -> None:
    """The release that waited for him hears that, and so does one that comes later."""
    bench = in_doubt(bench_of("native", "gameball"), lost_before)
    assert word(bench.call(RELEASE)) == DOUBT
    bench.settlement(400)
    decided(bench, Kind.RESERVE, "h1", accepted=False)
    assert word(bench.call(RELEASE)) == Reason.TRANSACTION_NOT_FOUND
    assert word(bench.call(a_call(Release(reference="h1"), "other"))) == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.RELEASE) == 0
    nothing_is_open(bench)


def test_rule_15_a_hold_that_a_person_found_is_released_by_one(bench_of: MakeBench) -> None:
    """His word that it is held says no name; what he released there ends it."""
    bench = in_doubt(bench_of("native", "gameball"))
    decided(bench, Kind.RESERVE, "h1", accepted=True)
    assert word(bench.call(RELEASE)) == DOUBT
    assert bench.till.asked(Kind.RELEASE) == 0
    waits_for_a_person(bench)
    decided(bench, Kind.RELEASE, "end", accepted=True)
    assert word(bench.call(RELEASE)) == ACCEPTED
    nothing_is_open(bench)


@pytest.mark.parametrize(
    ("end", "before"), [(RELEASE, False), (RELEASE, True), (CAPTURE, False)], ids=["release", "it waited", "capture"]
)
def test_rule_15_a_hold_that_a_person_found_by_its_name_is_ended_there(
    bench_of: MakeBench, end: Transaction, before: bool
) -> None:
    """Nobody could say what the wallet calls it: its capture was declined and its release waited for a person, although he
    had it before his eyes."""
    bench = in_doubt(bench_of("native", "gameball"))
    if before:
        assert word(bench.call(end)) == DOUBT
        bench.settlement(400)
    decided(bench, Kind.RESERVE, "h1", accepted=True, named=bench.till.purse.book[0].id)
    assert word(bench.call(HOLD)) == (Reason.ALREADY_ROLLED_BACK if before else ACCEPTED)
    assert word(bench.call(end)) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00" if end is RELEASE else "990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize(("kind", "accepted"), [(Kind.RESERVE, False), (Kind.DEBIT, True)], ids=["declined", "a bet"])
def test_a_wallets_name_is_refused_where_it_says_nothing(bench_of: MakeBench, kind: Kind, accepted: bool) -> None:
    """A person who says it believes that it is used; nothing is changed."""
    bench = in_doubt(bench_of("native", "gameball"))
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.call(bet("b1"))
    with pytest.raises(NotDone, match="leave it out"):
        decided(bench, kind, "h1" if kind is Kind.RESERVE else "b1", accepted=accepted, named="77")
    assert not bench.row(kind, "h1" if kind is Kind.RESERVE else "b1").decided


def test_rule_15_a_capture_of_a_hold_whose_name_nobody_heard_is_declined(bench_of: MakeBench) -> None:
    """It was sent under a name of ours, and the wallet's no was taken for one about the hold. Nothing of it was sent now,
    and nothing will be."""
    bench = in_doubt(bench_of("native", "gameball"))
    assert word(bench.call(CAPTURE)) == DOUBT
    bench.settlement(400)
    assert word(bench.call(CAPTURE)) == Reason.UNSUPPORTED
    assert bench.till.asked(Kind.CAPTURE) == 0
    assert bench.row(Kind.RESERVE, "h1").state in (State.DOUBT, State.PERSON)


@ENDS
def test_rule_15_what_ends_a_hold_waits_for_its_late_answer(bench_of: MakeBench, end: Transaction) -> None:
    """The wallet says its name after its provider heard doubt: then it is told that."""
    bench = in_doubt(bench_of("native", "gameball"), late(6))
    bench.call(end)
    bench.settlement(200)
    assert word(bench.call(end)) == ACCEPTED
    assert bench.till.asked(Kind.RELEASE, Kind.CAPTURE) == 1
    assert bench.till.balance() == Decimal("1000.00" if end is RELEASE else "990.00")
    nothing_is_open(bench)


@ENDS
@pytest.mark.parametrize("way", [lost_after, lost_before], ids=["done", "never came"])
def test_rule_14_what_ends_a_hold_is_asked_again_as_its_wallet_takes_it(
    bench_of: MakeBench, end: Transaction, way: Behaviour
) -> None:
    """Only a hold has no name: its end has one, and a wallet that looks for it first is asked again."""
    bench = bench_of("native", "gameball")
    yes(bench.call(HOLD))
    bench.till.then(way, kind=end.kind)
    yes(bench.call(end))
    assert bench.till.balance() == Decimal("1000.00" if end is RELEASE else "990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("repeats", [SAFE, APPLIED], ids=["safe", "applied"])
def test_rule_05_that_a_hold_is_gone_is_no_answer_to_its_second_release(
    bench_of: MakeBench, repeats: dict[str, str]
) -> None:
    """The first one's answer was lost: it was released by that, or it had expired. A release is told under no id of its own, so
    no wallet can look whether it did it; *it was told as refused, and it was done.*"""
    bench = bench_of("native", a_wallet("gameball", repeats=repeats))
    yes(bench.call(HOLD))
    bench.till.then(lost_after, kind=Kind.RELEASE)
    bench.till.always(refuses(Reason.TRANSACTION_NOT_FOUND), kind=Kind.RELEASE)
    assert word(bench.call(RELEASE)) == DOUBT
    bench.settlement(400, 20)
    assert word(bench.call(RELEASE)) == DOUBT
    bench.settlement(DAYS, 3600)
    waits_for_a_person(bench)


@pytest.mark.parametrize(("first", "second"), [(RELEASE, CAPTURE), (CAPTURE, RELEASE)], ids=["release", "capture"])
def test_rule_15_of_two_ends_of_a_hold_its_wallet_does_one(
    bench_of: MakeBench, first: Transaction, second: Transaction
) -> None:
    """The answer to the first was lost: the second hears that the hold is gone, and then the first that it was done."""
    bench = bench_of("native", "gameball")
    yes(bench.call(HOLD))
    bench.till.then(lost_after, kind=first.kind)
    bench.till.always(lost_before, kind=first.kind)
    assert word(bench.call(first)) == DOUBT
    assert word(bench.call(replace(second, id="other"))) == Reason.TRANSACTION_NOT_FOUND
    bench.till.heal()
    bench.settlement(200, 5)
    assert word(bench.call(first)) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00" if first is RELEASE else "990.00")
    nothing_is_open(bench)


@ENDS
def test_rule_30_the_end_of_a_hold_that_the_journal_forgot_is_a_persons(bench_of: MakeBench, end: Transaction) -> None:
    """*The wallet denied the name that we had for it, the release was told as refused, and the amount stayed held:* what it
    is called there went with the journal."""
    bench = bench_of("native", "gameball")
    yes(bench.call(HOLD))
    forgetting(bench)
    assert word(bench.call(end)) == DOUBT
    bench.settlement(400, 20)
    assert word(bench.call(end)) == DOUBT
    assert bench.till.asked(end.kind) == 0
    waits_for_a_person(bench)


def test_rule_04_a_part_of_a_hold_is_declined_and_the_hold_stays(bench_of: MakeBench) -> None:
    """This wallet takes all of a hold or nothing: what was refused without a word to it leaves the hold to be released."""
    bench = bench_of("native", "gameball")
    yes(bench.call(HOLD))
    assert word(bench.call(a_call(Capture(reference="h1", amount=Decimal("4.00")), "part"))) == Reason.UNSUPPORTED
    assert bench.till.balance() == Decimal("990.00")
    yes(bench.call(RELEASE))
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_12_silence_gives_no_hold_back_whose_name_nobody_heard(bench_of: MakeBench) -> None:
    """*The clock's own release went out under a name of ours; the wallet denied it, and the hold was told as released.*"""
    bench = in_doubt(bench_of(a_provider("native", after_doubt=SILENT), "gameball"))
    bench.settlement(600, 10)
    assert bench.till.asked(Kind.RELEASE, Kind.STATUS) == 0
    assert [row.kind for row in open_rows(bench) if row.state is State.PERSON] == [Kind.RELEASE]
    bench.settlement(DAYS, 3600)
    waits_for_a_person(bench)


def test_rule_12_silence_releases_a_hold_that_was_found_accepted(bench_of: MakeBench) -> None:
    """The other side of it: its late answer said the name."""
    bench = in_doubt(bench_of(a_provider("native", after_doubt=SILENT), "gameball"), late(6))
    bench.settlement(600, 10)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("repeats", [SAFE, APPLIED, QUERY], ids=["safe", "applied", "query"])
@pytest.mark.parametrize("reason", [Reason.BAD_SIGNATURE, Reason.PLAYER_NOT_FOUND])
def test_rule_12_the_clocks_release_is_owed_as_its_rollback_is(
    bench_of: MakeBench, reason: Reason, repeats: dict[str, str]
) -> None:
    """*Its key was not ours for a minute: the release that silence had brought about waited for a person, and the amount
    stayed held.* So it is where a batch that is declined gives it back."""
    bench = in_doubt(bench_of(a_provider("native", after_doubt=SILENT), a_wallet("native", repeats=repeats)))
    bench.till.always(refuses(reason), kind=Kind.RELEASE)
    bench.settlement(90, 2)
    assert bench.till.balance() == Decimal("990.00")
    bench.till.heal()
    bench.settlement(600, 10)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_12_a_hold_that_its_wallet_says_is_used_is_a_persons(bench_of: MakeBench) -> None:
    """The other side of it: that no is final, and it was told as given back."""
    bench = in_doubt(bench_of(a_provider("native", after_doubt=SILENT), "native"))
    bench.till.always(refuses(Reason.ALREADY_SETTLED), kind=Kind.RELEASE)
    bench.settlement(90, 2)
    waits_for_a_person(bench)


@pytest.mark.parametrize("reason", [Reason.PLAYER_NOT_FOUND, Reason.TRANSACTION_NOT_FOUND])
def test_rule_14_a_no_to_the_release_of_what_nobody_has_seen_is_one(bench_of: MakeBench, reason: Reason) -> None:
    """No hold of ours can be gone by the first asking: a `safe` wallet's no to the second is what it says elsewhere."""
    bench = bench_of("native", "gameball")
    bench.till.then(lost_before, refuses(reason), kind=Kind.RELEASE)
    assert word(bench.call(RELEASE)) == reason
    nothing_is_open(bench)


@pytest.mark.parametrize("offset", [0.0, 0.03, 0.09])
def test_rule_24_two_nodes_ask_for_one_hold_once(bench_of: MakeBench, offset: float) -> None:
    """Its repeat reaches another node while the first one asks, and the answer is lost."""
    bench = bench_of("native", "gameball")
    slow = bench.second(Trip(0.02))
    bench.till.always(lost_after, kind=Kind.RESERVE)
    calls = [bench.begin_at(slow, HOLD)]
    bench.rest(offset)
    calls.append(bench.begin(HOLD))
    assert {word(bench.finish(call).outcome) for call in calls} == {DOUBT}
    bench.settlement(60, 1.0, slow, bench.process)
    assert bench.till.asked(Kind.RESERVE) == 1
    assert bench.till.balance() == Decimal("990.00")


def test_rule_05_a_no_to_the_only_asking_of_a_hold_is_one(bench_of: MakeBench) -> None:
    """It moved nothing there, and there is nothing to release."""
    bench = bench_of("native", "gameball")
    bench.till.then(refuses(Reason.INSUFFICIENT_FUNDS), kind=Kind.RESERVE)
    assert word(bench.call(HOLD)) == Reason.INSUFFICIENT_FUNDS
    assert word(bench.call(RELEASE)) == Reason.TRANSACTION_NOT_FOUND
    nothing_is_open(bench)


def test_rule_15_a_hold_whose_name_nobody_heard_is_told_from_the_journal(bench_of: MakeBench) -> None:
    """A status asks the wallet by its own name or not at all: it denied ours, and that is nothing about the hold."""
    bench = in_doubt(bench_of("native", "gameball"))
    asked = bench.call(a_call(Status(reference="h1", reference_kind=Kind.RESERVE), round_id=""))
    assert isinstance(asked, Unknown)
    assert bench.till.asked(Kind.STATUS) == 0
