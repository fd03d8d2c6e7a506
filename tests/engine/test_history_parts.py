"""Cancels of a part: what they say of the bet that they are of, where that is in doubt (rules 11, 17)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.states import State
from gateway.model import Accepted, Kind, Reason, Transaction
from tests.engine.acts import bet, undo, win
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, forgetting, last_word, nothing_is_open, waits_for_a_person
from tests.engine.test_person import decide
from tests.simulation.behaviours import Behaviour, lost_after, lost_before, says
from tests.simulation.bench import NEVER, Bench, a_provider, a_wallet, declared

HOW_MUCH = pytest.mark.parametrize("provider", ["dragon_gaming", "netgaming", "scorpio_play", "spribe", "native"])
"""Whose page knows one cancel of a bet, and it says an amount."""


def bet_in_doubt(bench: Bench, fate: Behaviour = lost_after) -> None:
    bench.launch()
    bench.till.always(fate, kind=Kind.DEBIT)
    bench.call(bet("501"))
    assert last_word(bench) == DOUBT
    bench.till.heal()


def heard(bench: Bench, tx: Transaction) -> str:
    bench.call(tx)
    return last_word(bench)


@HOW_MUCH
@pytest.mark.parametrize("tombstones", [True, False], ids=["at once", "when it has landed"])
def test_rule_17_a_yes_to_a_part_says_that_the_bet_in_doubt_was_taken(
    bench_of: MakeBench, provider: str, *, tombstones: bool
) -> None:
    """*4.00 of 10.00 were given back while the bet was in doubt, the bet was declined as rolled back, and 6.00 stayed taken
    (seed 25000646).*"""
    bench = bench_of(provider, a_wallet("gameball", tombstones=tombstones))
    bet_in_doubt(bench)
    bench.till.always(lost_before, kind=Kind.STATUS)
    part = undo("901", "501", "4.00")
    first = heard(bench, part)
    if not tombstones:
        assert (first, heard(bench, bet("501"))) == (DOUBT, DOUBT)  # not that it is rolled back: 6.00 of it may stay
    bench.settlement(900, 5)
    assert (heard(bench, part), heard(bench, bet("501"))) == (ACCEPTED, ACCEPTED)
    assert bench.till.balance() == Decimal("994.00")
    assert bench.row(Kind.DEBIT, "501").state is State.ACCEPTED
    assert heard(bench, undo("902", "501", "6.00")) == Reason.ALREADY_ROLLED_BACK  # its page knows one
    nothing_is_open(bench)


@HOW_MUCH
def test_rule_11_nor_is_a_bet_told_as_rolled_back_of_which_a_part_is_left(bench_of: MakeBench, provider: str) -> None:
    """*It was found to be taken after doubt had been told, a part of it was given back, and its repeat heard that it is rolled
    back.*"""
    bench = bench_of(provider, a_wallet("native", tombstones=False))
    bet_in_doubt(bench)
    bench.settlement(60, 5)
    assert heard(bench, undo("901", "501", "4.00")) == ACCEPTED
    assert heard(bench, bet("501")) == ACCEPTED
    assert bench.till.balance() == Decimal("994.00")
    nothing_is_open(bench)


@HOW_MUCH
def test_rule_11_a_part_of_a_bet_that_never_arrived_ends_it(bench_of: MakeBench, provider: str) -> None:
    """No part of it can be given back, and nobody asks for it again."""
    bench = bench_of(provider, a_wallet("gameball", tombstones=True))
    bet_in_doubt(bench, lost_before)
    assert heard(bench, undo("901", "501", "4.00")) == Reason.TRANSACTION_NOT_FOUND
    bench.settlement(60, 5)
    assert heard(bench, bet("501")) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@HOW_MUCH
def test_rule_17_so_does_a_persons_yes_to_a_part(bench_of: MakeBench, provider: str) -> None:
    """*A person had seen 4.00 of 10.00 given back, and the bet was declined as rolled back.*"""
    bench = bench_of(provider, a_wallet("gameball", repeats=NEVER, tombstones=True))
    bet_in_doubt(bench)
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    part = undo("901", "501", "4.00")
    assert heard(bench, part) == DOUBT
    decide(bench, bench.row(Kind.ROLLBACK, "901").key, accepted=True, force=True)
    assert (heard(bench, part), heard(bench, bet("501"))) == (ACCEPTED, ACCEPTED)
    assert bench.till.balance() == Decimal("994.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("fate", [lost_after, lost_before], ids=["it was taken", "it never arrived"])
@pytest.mark.parametrize("wallet", ["native", "slotegrator"], ids=["it is queried", "it is a person's"])
def test_rule_17_a_wallet_that_says_yes_to_nothing_does_not_say_by_it_that_the_bet_was_taken(
    bench_of: MakeBench, wallet: str, fate: Behaviour
) -> None:
    """Of the bet whose part it says that it gave back only its query tells; where there is none, a person does."""
    found = a_wallet(wallet, tombstones=True)
    bench = bench_of("netgaming", replace(found, dialect=declared(found.dialect, yes_to_unknown=True)))
    bet_in_doubt(bench, fate)
    taken = fate is lost_after
    bench.till.always(lost_before, kind=Kind.STATUS)
    if not taken:
        bench.till.always(says(Accepted(balance=Decimal("1000.00"), currency="EUR", wallet_id="7")), kind=Kind.ROLLBACK)
    assert heard(bench, undo("901", "501", "4.00")) == ACCEPTED
    assert bench.till.balance() == Decimal("994.00" if taken else "1000.00")
    assert heard(bench, bet("501")) == DOUBT
    bench.till.heal()
    if wallet == "slotegrator":
        bench.settlement(60, 5)
        waits_for_a_person(bench)
        return
    bench.settlement(900, 5)
    assert heard(bench, bet("501")) == (ACCEPTED if taken else Reason.ALREADY_ROLLED_BACK)
    nothing_is_open(bench)


KNOWS_PARTS = pytest.mark.parametrize(
    "provider", ["dragon_gaming", "netgaming", "scorpio_play", "spribe", "native", "gameball"]
)


@KNOWS_PARTS
@pytest.mark.parametrize("open_", [False, True], ids=["its cancel is done", "its cancel is open"])
def test_rule_30_the_cancel_of_a_part_buries_no_bet_that_the_journal_forgot(
    bench_of: MakeBench, provider: str, *, open_: bool
) -> None:
    """*4.00 of the bet of 10.00 were given back, which the journal had forgotten, and its repeat heard that it was rolled back
    before it came: 6.00 stayed taken.*"""
    bench = bench_of(provider, a_wallet("gameball", tombstones=True))
    bet_in_doubt(bench)
    forgetting(bench)
    bench.launch()
    part = undo("901", "501", "4.00")
    if open_:
        bench.till.always(lost_after, kind=Kind.ROLLBACK)
    assert heard(bench, part) == (DOUBT if open_ else ACCEPTED)
    assert heard(bench, bet("501")) in ((DOUBT, ACCEPTED) if open_ else (ACCEPTED,))
    bench.till.heal()
    bench.settlement(900, 5)
    assert (heard(bench, part), heard(bench, bet("501"))) == (ACCEPTED, ACCEPTED)
    assert bench.till.balance() == Decimal("994.00")
    nothing_is_open(bench)


def test_rule_30_nor_a_win(bench_of: MakeBench) -> None:
    """The same of a win of 25.00 of which 5.00 were taken back."""
    bench = bench_of("native", "native")
    assert heard(bench, win("501")) == ACCEPTED
    forgetting(bench)
    assert heard(bench, undo("901", "501", "5.00", Kind.CREDIT)) == ACCEPTED
    assert heard(bench, win("501")) == ACCEPTED
    assert (bench.till.balance(), bench.till.asked(Kind.CREDIT)) == (Decimal("1020.00"), 1)
    nothing_is_open(bench)


@KNOWS_PARTS
def test_rule_30_it_buries_one_that_its_wallet_never_saw(bench_of: MakeBench, provider: str) -> None:
    """A bet that the journal may have forgotten is asked for by no wallet that knew nothing of it when its cancel came."""
    bench = bench_of(provider, a_wallet("gameball", tombstones=True))
    bet_in_doubt(bench, lost_before)
    forgetting(bench)
    bench.launch()
    assert heard(bench, undo("901", "501", "4.00")) == Reason.TRANSACTION_NOT_FOUND
    assert heard(bench, bet("501")) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_17_a_refund_of_a_part_that_joins_the_gateways_own_says_no_more_than_it_asked_for(
    bench_of: MakeBench,
) -> None:
    """*It was told as 5.63, which all of the bet was, and 5.62 had been asked for.*"""
    bench = bench_of(a_provider("netgaming", after_doubt=timedelta(seconds=20)), "native")
    bench.launch()
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.call(bet("501", "5.63"))
    assert last_word(bench) == DOUBT
    bench.till.heal()
    bench.settlement(60, 1)
    assert bench.till.balance() == Decimal("1000.00")
    assert heard(bench, undo("901", "501", "5.62")) == ACCEPTED
    joined = bench.row(Kind.ROLLBACK, "901").outcome
    assert isinstance(joined, Accepted)
    assert joined.moved == Decimal("5.62")
    nothing_is_open(bench)


@HOW_MUCH
def test_rule_06_a_win_of_a_bet_of_which_a_part_was_given_back_is_paid(bench_of: MakeBench, provider: str) -> None:
    """*At a page that declines the win of a bet that was rolled back (Spribe), the journal declined that of one of which 6.00 of
    10.00 still stood.*"""
    bench = bench_of(provider, "native")
    bench.launch()
    assert heard(bench, bet("501")) == ACCEPTED
    assert heard(bench, undo("901", "501", "4.00")) == ACCEPTED
    assert heard(bench, win("801", "25.00", of="501")) == ACCEPTED
    assert bench.till.balance() == Decimal("1019.00")
    nothing_is_open(bench)
