"""What means another movement, in the kinds less travelled: whose it is, in which currency, and how much of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.model import Adjust, Batch, Capture, Declined, Kind, Reason, Release, Reserve, Rollback, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, last_word, nothing_is_open, restored, waits_for_a_person, word
from tests.engine.test_person import decide
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import PLAYER, Bench, Trip, a_call, a_provider

WHOLE = Decimal("1000.00")
BIG = bet("big", "5000.00")


def reserve(id: str = "h1") -> Transaction:
    return a_call(Reserve(amount=Decimal("10.00")), id)


def capture(id: str = "end", **more: str) -> Transaction:
    return a_call(Capture(reference="h1"), id, **more)


def release(id: str = "end", **more: str) -> Transaction:
    return a_call(Release(reference="h1"), id, **more)


def batch(*items: Transaction) -> Transaction:
    return a_call(Batch(items=items, atomic=True), "")


def with_dollars(bench: Bench) -> Bench:
    """The player has a purse in another currency, too."""
    bench.till.purse.open(PLAYER, "USD", WHOLE)
    return bench


def purses(bench: Bench) -> tuple[Decimal, Decimal]:
    return bench.till.purse.cash[PLAYER, "EUR"], bench.till.purse.cash[PLAYER, "USD"]


# ---------------------------------------------------------------- in two currencies


@pytest.mark.parametrize(
    "call", [bet("x1"), settle("x1"), win("x1"), a_call(Adjust(amount=Decimal("-10.00")), "x1")], ids=lambda tx: tx.kind
)
def test_rule_15_a_cancel_of_all_of_it_in_another_currency_gives_nobody_anything(
    bench_of: MakeBench, call: Transaction
) -> None:
    """Only a cancel that said its amount was compared: 10.00 EUR were taken and 10.00 USD given back."""
    bench = with_dollars(bench_of())
    yes(bench.call(call))
    before = purses(bench)
    assert word(bench.call(undo("r1", "x1", kind=call.kind, currency="USD"))) == Reason.CURRENCY_MISMATCH
    assert purses(bench) == before
    assert bench.till.asked(Kind.ROLLBACK) == 0
    yes(bench.call(undo("r2", "x1", kind=call.kind)))
    assert purses(bench) == (WHOLE, WHOLE)
    nothing_is_open(bench)


@pytest.mark.parametrize("end", [capture, release])
def test_rule_15_a_hold_ends_in_its_own_currency(bench_of: MakeBench, end: object) -> None:
    """What was held in EUR was given back in USD."""
    bench = with_dollars(bench_of())
    yes(bench.call(reserve()))
    assert word(bench.call(end(currency="USD"))) == Reason.CURRENCY_MISMATCH  # type: ignore[operator]  # it makes a call
    assert purses(bench) == (Decimal("990.00"), WHOLE)
    yes(bench.call(release("again")))
    assert purses(bench) == (WHOLE, WHOLE)
    nothing_is_open(bench)


def test_rule_21_a_cancel_that_says_no_currency_is_in_that_of_its_bet(bench_of: MakeBench) -> None:
    """The player was launched again in another currency: the session's word would be that of another movement."""
    bench = with_dollars(bench_of())
    yes(bench.call(bet("b1", currency="USD")))
    bench.launch(currency="EUR")
    yes(bench.call(undo("r1", "b1", currency="")))
    assert purses(bench) == (WHOLE, WHOLE)
    nothing_is_open(bench)


@pytest.mark.parametrize("said", ["EUR", "USD"])
@pytest.mark.parametrize("wallet", ["native", "kyren", "netgaming"])
def test_rule_16_a_rounds_refund_gives_each_stake_back_in_its_own_currency(
    bench_of: MakeBench, wallet: str, said: str
) -> None:
    """The 7.00 USD of the second bet were given back as 7.00 EUR."""
    bench = with_dollars(bench_of("kyren", wallet))
    yes(bench.call(bet("k1")))
    yes(bench.call(bet("k2", "7.00", currency="USD")))
    refund = replace(bet("rf", currency=said), act=Rollback(reference="rf", scope="round"), id="refund:rf")
    yes(bench.call(refund))
    assert purses(bench) == (WHOLE, WHOLE)
    nothing_is_open(bench)


# ---------------------------------------------------------------- whose


@pytest.mark.parametrize("end", [capture, release])
def test_rule_15_nobody_ends_another_players_hold(bench_of: MakeBench, end: object) -> None:
    """A release that named it put what the one had set aside into the other's purse."""
    bench = bench_of(opening={PLAYER: WHOLE, "p-2": WHOLE})
    yes(bench.call(reserve()))
    stranger = end(player="p-2", session="sess-p-2")  # type: ignore[operator]  # it makes a call
    assert word(bench.call(stranger)) == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.CAPTURE, Kind.RELEASE) == 0
    yes(bench.call(release("mine")))
    assert (bench.till.balance(), bench.till.balance("p-2")) == (WHOLE, WHOLE)
    nothing_is_open(bench)


NAMED_BY_THEIR_BET = [
    "evolution", "pragmatic_play", "red_tiger", "tom_horn", "neverending", "kyren", "scorpio_play", "netgaming", "dragon_gaming",
]  # fmt: skip
"""Whose cancels have no id of their own."""
SAYING_THEIR_CURRENCY = {"evolution", "red_tiger", "kyren"}


@pytest.mark.parametrize("provider", NAMED_BY_THEIR_BET)
def test_rule_15_a_cancel_under_a_wrong_player_is_not_the_bets_own(bench_of: MakeBench, provider: str) -> None:
    """Refused as another player's, it had used up the one id that a cancel of that bet can have: the right player's heard
    that this is another movement's, and the stake never came back."""
    bench = bench_of(provider, opening={PLAYER: WHOLE, "p-2": WHOLE})
    bench.launch()
    bench.launch("sess-p-2", player="p-2")
    yes(bench.call(bet("501")))
    wrong = bench.undo(bet("501", player="p-2", session="sess-p-2"), "refund:501")
    for _ in range(2):
        bench.call(wrong)
        assert last_word(bench) == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.ROLLBACK) == 0
    bench.call(bench.undo(bet("501"), "refund:501"))
    assert last_word(bench) == ACCEPTED
    assert (bench.till.balance(), bench.till.balance("p-2")) == (WHOLE, WHOLE)
    bench.call(wrong)
    assert bench.till.balance("p-2") == WHOLE
    nothing_is_open(bench)


@pytest.mark.parametrize("provider", NAMED_BY_THEIR_BET)
def test_rule_15_a_cancel_under_a_wrong_player_that_overtook_the_bet_is_its_tombstone_alone(
    bench_of: MakeBench, provider: str
) -> None:
    """The bet was declined for it, whoever it named; the right player's cancel of that bet heard that its id was used for
    another movement."""
    bench = bench_of(provider, opening={PLAYER: WHOLE, "p-2": WHOLE})
    bench.launch()
    bench.launch("sess-p-2", player="p-2")
    heard = []
    wrong = bench.undo(bet("501", player="p-2", session="sess-p-2"), "refund:501")
    for call in (wrong, bet("501"), bench.undo(bet("501"), "refund:501"), wrong):
        bench.call(call)
        heard.append(last_word(bench))
    gone = Reason.TRANSACTION_NOT_FOUND
    assert heard == [gone, Reason.ALREADY_ROLLED_BACK, gone, gone]
    assert (bench.till.balance(), bench.till.balance("p-2")) == (WHOLE, WHOLE)
    nothing_is_open(bench)


@pytest.mark.parametrize(
    ("provider", "stranger"),
    [(each, {"player": "p-2", "session": "sess-p-2"}) for each in NAMED_BY_THEIR_BET]
    + [(each, {"currency": "USD"}) for each in sorted(SAYING_THEIR_CURRENCY)],
)
def test_rule_15_a_cancel_under_a_wrong_player_of_a_bet_that_no_journal_knows_is_not_the_bets_own(
    bench_of: MakeBench, provider: str, stranger: dict[str, Any]
) -> None:
    """Its wallet denied it, and it had used up the one id that a cancel of that bet can have: the right one heard that this is
    another movement's, the wallet was not asked, and the stake never came back. The bet here is one from before the copy of
    the journal, days ago, that only the wallet still has."""
    bench = with_dollars(bench_of(a_provider(provider, currency=""), opening={PLAYER: WHOLE, "p-2": WHOLE}))
    bench.launch()
    bench.launch("sess-p-2", player="p-2")
    restored(bench, lambda: yes(bench.call(bet("501"))))
    bench.rest(timedelta(days=3).total_seconds())
    bench.till.then(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.ROLLBACK)
    wrong, right = bench.undo(bet("501", **stranger), "refund:501"), bench.undo(bet("501"), "refund:501")
    heard = []
    for call in (wrong, right, wrong, right):
        bench.call(call)
        heard.append(last_word(bench))
    assert heard == [Reason.TRANSACTION_NOT_FOUND, ACCEPTED] * 2
    assert bench.till.asked(Kind.ROLLBACK) == 2
    assert (purses(bench), bench.till.balance("p-2")) == ((WHOLE, WHOLE), WHOLE)
    nothing_is_open(bench)


@pytest.mark.parametrize("provider", sorted(SAYING_THEIR_CURRENCY))
def test_rule_15_nor_is_one_in_a_wrong_currency(bench_of: MakeBench, provider: str) -> None:
    """Its refusal stood for the bet's own cancel, too."""
    bench = bench_of(a_provider(provider, currency=""))
    bench.launch()
    yes(bench.call(bet("501")))
    bench.call(bench.undo(bet("501", currency="USD"), "refund:501"))
    assert last_word(bench) == Reason.CURRENCY_MISMATCH
    bench.call(bench.undo(bet("501"), "refund:501"))
    assert (last_word(bench), bench.till.balance()) == (ACCEPTED, WHOLE)
    nothing_is_open(bench)


@pytest.mark.parametrize("end", ["cancel", "release"])
def test_rule_15_nobody_undoes_another_players_bet_after_a_crash_either(bench_of: MakeBench, end: str) -> None:
    """The process died between reading that cancel and deciding it. Whoever went on with it did not look whose bet it named,
    and the wallet gave one player's stake to another."""
    bench = bench_of(opening={PLAYER: WHOLE, "p-2": WHOLE})
    yes(bench.call(bet("b1")))
    yes(bench.call(reserve()))
    node = bench.second(Trip(seconds=0.2))
    ends = undo("r1", "b1", player="p-2") if end == "cancel" else release(player="p-2")
    bench.begin_at(node, ends)
    bench.rest(0.5)
    bench.crash()
    bench.scheduler.kill(node)
    bench.restart()
    bench.settlement(200, 1)
    assert word(bench.call(ends)) == Reason.TRANSACTION_NOT_FOUND
    assert (bench.till.balance(), bench.till.balance("p-2")) == (Decimal("980.00"), WHOLE)
    nothing_is_open(bench)


# ---------------------------------------------------------------- how much of it


@pytest.mark.parametrize("wallet", ["netgaming", "gameball"])
def test_rule_17_a_part_of_a_split_settle_is_a_persons(bench_of: MakeBench, wallet: str) -> None:
    """A cancel of 3.00 of it took all of the win and gave back all of the stake."""
    bench = bench_of("native", wallet)
    yes(bench.call(settle("s1")))
    assert word(bench.call(undo("r1", "s1", "3.00", kind=Kind.SETTLE))) == DOUBT
    bench.settlement(60, 1)
    assert bench.till.balance() == Decimal("1015.00")
    waits_for_a_person(bench)


def test_rule_17_a_settles_cancel_may_say_all_of_it(bench_of: MakeBench) -> None:
    """25.00 won less 10.00 staked."""
    bench = bench_of("native", "gameball")
    yes(bench.call(settle("s1")))
    yes(bench.call(undo("r1", "s1", "15.00", kind=Kind.SETTLE)))
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


# ---------------------------------------------------------------- an end of a hold in a batch


@pytest.mark.parametrize("end", [capture, release])
@pytest.mark.parametrize("wallet", ["native", "gameball"])
def test_rule_19_no_hold_is_ended_by_a_batch_that_is_declined(bench_of: MakeBench, wallet: str, end: object) -> None:
    """It was captured first; then the bet beside it was declined, and its provider heard that nothing had moved."""
    bench = bench_of("native", wallet)
    yes(bench.call(reserve()))
    last = end()  # type: ignore[operator]  # it makes a call
    assert word(bench.call(batch(last, BIG))) == Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.CAPTURE, Kind.RELEASE) == 0
    yes(bench.call(release("mine")))
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_19_a_release_waits_for_the_cancel_beside_it(bench_of: MakeBench) -> None:
    """What a cancel undid may be told to be undone; what ended a hold may not."""
    bench = bench_of()
    yes(bench.call(reserve()))
    assert word(bench.call(batch(release(), undo("r1", "nothing")))) == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.RELEASE) == 0
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("wallet", ["netgaming", "gameball"])
def test_rule_19_a_settle_pays_nothing_before_the_bets_beside_it_stand(bench_of: MakeBench, wallet: str) -> None:
    """Its win was paid, then the bet was declined: NetGaming's wallet cannot be told to take a win back."""
    bench = bench_of("native", wallet)
    assert word(bench.call(batch(settle("s1"), BIG))) == Reason.INSUFFICIENT_FUNDS
    bench.settlement(60, 1)
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


# ---------------------------------------------------------------- undone, and that undone


@pytest.mark.parametrize("by_a_person", [True, False], ids=["by a person", "by its wallet"])
def test_rule_15_a_bet_whose_cancel_stands_again_is_not_given_back_twice(
    bench_of: MakeBench, by_a_person: bool
) -> None:
    """Its cancel was undone, and that undoing was undone: the next cancel went to the wallet, and its player had the
    stake twice."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    yes(bench.call(undo("u1", "r1", kind=Kind.ROLLBACK)))
    if by_a_person:
        bench.till.always(lost_before, kind=Kind.ROLLBACK)
        bench.till.always(lost_before, kind=Kind.STATUS)
        assert word(bench.call(undo("v1", "u1", kind=Kind.ROLLBACK))) == DOUBT
        decide(bench, bench.row(Kind.ROLLBACK, "v1").key, accepted=True, force=True)
        bench.till.heal()
    else:
        yes(bench.call(undo("v1", "u1", kind=Kind.ROLLBACK)))
        assert bench.till.balance() == WHOLE
    asked = bench.till.asked(Kind.ROLLBACK)
    assert word(bench.call(undo("r2", "b1"))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.ROLLBACK) == asked
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    nothing_is_open(bench)


def test_rule_15_whatever_undoes_the_undoing_of_an_undoing(bench_of: MakeBench) -> None:
    """One further: the bet stands, and its next cancel gives it back once."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    for id, of, kind in (("r1", "b1", Kind.DEBIT), ("u1", "r1", Kind.ROLLBACK), ("v1", "u1", Kind.ROLLBACK),
                         ("x1", "v1", Kind.ROLLBACK)):  # fmt: skip
        yes(bench.call(undo(id, of, kind=kind)))
    asked = bench.till.asked(Kind.ROLLBACK)
    bench.call(undo("r2", "b1"))
    assert bench.till.asked(Kind.ROLLBACK) == asked + 1  # its wallet decides: it was rolled forward again


def test_rule_19_a_capture_is_given_back_with_its_batch(bench_of: MakeBench) -> None:
    """Two captures of one hold: the second was declined, its provider heard that nothing had moved, and the first had
    taken 4.00."""
    bench = bench_of()
    yes(bench.call(reserve()))
    both = [a_call(Capture(reference="h1", amount=Decimal(amount)), id) for id, amount in (("c1", "4"), ("c2", "6"))]
    assert word(bench.call(batch(*both))) == Reason.TRANSACTION_NOT_FOUND
    bench.settlement(60, 1)
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


# ---------------------------------------------------------------- what moves nothing, and what was said before


@pytest.mark.parametrize("wallet", ["netgaming", "dragon_gaming", "gameball"])
def test_rule_18_the_cancel_of_a_split_settle_that_had_lost_gives_its_stake_back(
    bench_of: MakeBench, wallet: str
) -> None:
    """It waited for a person, because the wallet cannot be told to take a win back: there was none."""
    bench = bench_of("native", wallet)
    yes(bench.call(settle("s1", "10.00", "0.00")))
    assert yes(bench.call(undo("r1", "s1", kind=Kind.SETTLE))).moved is None  # all of it
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_05_a_wallet_that_looks_for_the_id_first_says_of_a_capture_what_it_said_first(bench_of: MakeBench) -> None:
    """There was no such hold any more; the answer was lost, and every repeat heard doubt although its wallet said the
    same again, as a replay."""
    bench = bench_of()
    yes(bench.call(reserve()))
    yes(bench.call(capture("c1")))
    bench.till.always(lost_after, kind=Kind.CAPTURE)
    assert word(bench.call(capture("c2"))) == DOUBT
    bench.till.heal()
    assert word(bench.call(capture("c2"))) == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)
