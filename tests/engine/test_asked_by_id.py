"""A status by an id alone, over all kinds of movements (`StatusBy.ID`)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.ends import StatusBy
from gateway.engine.setup import Provider
from gateway.model import Accepted, Declined, Kind, Outcome, Reason, Status, Transaction, Unknown
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import DOUBT, forgetting, nothing_is_open, word
from tests.simulation.behaviours import lost_after, lost_before, silent
from tests.simulation.bench import QUERY, Bench, a_call, a_provider, a_wallet, declared

WHOLE = Decimal("1000.00")
NOT_FOUND, USED = Reason.TRANSACTION_NOT_FOUND, Reason.DUPLICATE_MISMATCH
MOVES = ("debit", "credit", "rollback")


def asking(**more: Any) -> Provider:
    """A provider of one id space that asks by an id alone: what its wire says of the kind is not looked at."""
    found = a_provider("native", **more)
    spaces = dict.fromkeys(MOVES, "movement")
    return replace(found, dialect=declared(found.dialect, spaces=spaces, status_by=StatusBy.ID))


def status(id: str, **more: Any) -> Transaction:
    return a_call(Status(reference=id), "", **more)


def ask(bench: Bench, id: str, **more: Any) -> Outcome:
    return bench.call(status(id, **more))


@pytest.mark.parametrize("late", [bet("n"), win("n"), undo("n", "b")], ids=lambda tx: str(tx.kind))
def test_rule_15_what_nobody_knew_when_it_was_asked_about_is_declined_for_good(
    bench_of: MakeBench, late: Transaction
) -> None:
    """*A bet timed out, its provider asked, heard that it was not booked and told the player so; then it arrived.*"""
    bench = bench_of(asking())
    yes(bench.call(bet("b")))
    for _ in range(2):
        assert why(ask(bench, "n")) is NOT_FOUND
    for _ in range(2):
        assert why(bench.call(late)) is USED
    assert why(ask(bench, "n")) is NOT_FOUND
    assert bench.till.balance() == Decimal("990.00")
    assert bench.till.asked() == 1
    nothing_is_open(bench)


def test_rule_07_each_kind_is_found_by_its_id(bench_of: MakeBench) -> None:
    """The first decision, which a later rollback does not change; its wallet is not asked."""
    bench = bench_of(asking())
    made = {id: yes(bench.call(tx)).wallet_id for id, tx in (("b", bet("b")), ("w", win("w")), ("x", undo("x", "b")))}
    assert why(bench.call(bet("poor", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    for id, wallet_id in made.items():
        found = yes(ask(bench, id))
        assert (found.wallet_id, found.replayed) == (wallet_id, True)
    assert why(ask(bench, "poor")) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.STATUS) == 0


def test_what_is_in_doubt_is_doubt(bench_of: MakeBench) -> None:
    bench = bench_of(asking(), a_wallet("native", repeats=QUERY))
    bench.till.always(lost_after)
    assert word(bench.call(bet("b"))) == DOUBT
    assert word(ask(bench, "b")) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    yes(ask(bench, "b"))


@pytest.mark.parametrize(("id", "tx"), [("b", bet("b")), ("w", win("w"))])
def test_rule_30_what_the_journal_forgot_its_wallet_may_know(bench_of: MakeBench, id: str, tx: Transaction) -> None:
    """*A bet that was taken was told as not booked, after a restored copy.*"""
    bench = bench_of(asking())
    made = yes(bench.call(tx)).wallet_id
    forgetting(bench)
    assert yes(ask(bench, id)).wallet_id == made


def test_a_wallet_that_does_not_answer_leaves_doubt_and_no_word(bench_of: MakeBench) -> None:
    bench = bench_of(asking())
    for trouble in (lost_before, silent(60)):
        bench.till.always(trouble, Kind.STATUS)
        assert isinstance(ask(bench, "b"), Unknown)
    yes(bench.call(bet("b")))


def test_a_wallet_that_cannot_be_asked_is_not_waited_for(bench_of: MakeBench) -> None:
    bench = bench_of(asking(), "netgaming")
    assert why(ask(bench, "b")) is NOT_FOUND
    assert why(bench.call(bet("b"))) is USED
    assert bench.till.asked(Kind.DEBIT) == 0


def test_rule_12_who_hears_that_it_was_booked_has_heard_it(bench_of: MakeBench) -> None:
    """*Its provider asked, heard yes and let the game go on; then the clock of the doubt before gave the stake back.*"""
    bench = bench_of(asking(after_doubt=timedelta(minutes=10)), a_wallet("native", repeats=QUERY))
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert word(bench.call(bet("b"))) == DOUBT
    bench.till.heal()
    bench.settlement(120, 5)
    yes(ask(bench, "b"))
    bench.settlement(3600, 60)
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_12_what_the_gateway_gave_back_is_not_booked(bench_of: MakeBench) -> None:
    """*It was told as booked, and its round was played for a stake that the player had back.*"""
    bench = bench_of(asking(after_doubt=timedelta(minutes=10)), a_wallet("native", repeats=QUERY))
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert word(bench.call(bet("b"))) == DOUBT
    bench.till.heal()
    bench.settlement(1200, 10)
    assert bench.till.balance() == WHOLE
    assert why(ask(bench, "b")) is NOT_FOUND


def test_a_late_call_that_comes_first_is_answered_as_itself(bench_of: MakeBench) -> None:
    """Between the journal's look and its wallet's no the bet came: what it is then is told."""
    bench = bench_of(asking())
    began = bench.begin(status("b"))
    heard = bench.call(bet("b"))
    told = bench.finish(began).outcome
    booked = isinstance(heard, Accepted)
    assert isinstance(told, Accepted | Unknown) if booked else isinstance(told, Declined)
    assert bench.till.balance() == (Decimal("990.00") if booked else WHOLE)
