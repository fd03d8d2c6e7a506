"""Dialects whose bets come to one end, whose wallets pay one win for a bet, or whose sessions are replaced.

Native's words, with what such a page says: that it holds for any dialect that declares it.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.ends import Kept, Owed
from gateway.engine.setup import Provider, Wallet
from gateway.engine.states import State
from gateway.http import Response
from gateway.model import (
    Accepted,
    Authenticate,
    Batch,
    Credit,
    Declined,
    Kind,
    Missing,
    Outcome,
    Reason,
    Transaction,
    Unknown,
)
from tests.engine.acts import balance, bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.test_person import decide
from tests.simulation.behaviours import late, lost_after, lost_before, says, unreachable
from tests.simulation.bench import (
    PLAYER,
    SESSION,
    Bench,
    Trip,
    a_call,
    a_provider,
    a_wallet,
    always,
    declared,
    declaring,
)

NOT_THERE = Declined(reason=Reason.TRANSACTION_NOT_FOUND)


ENDING = declaring(kept_by=always(Kept.ITS_WIN), one_end=True)
KEEPING = declaring(kept_by=always(Kept.ITS_WIN))
RENEWING = declaring(kept_by=always(Kept.ITS_WIN), one_end=True, renews=lambda settings: True)


# ---------------------------------------------------------------- one end


def test_rule_15_a_cancel_after_the_win_is_already_settled(bench_of: MakeBench) -> None:
    """No wallet is asked: it would give the stake back beside the win."""
    bench = bench_of(ENDING)
    yes(bench.call(bet("t1")))
    yes(bench.call(win("w1", of="t1")))
    assert why(bench.call(undo("c1", "t1"))) is Reason.ALREADY_SETTLED
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_15_a_win_after_the_cancel_is_already_rolled_back(bench_of: MakeBench) -> None:
    """And so is its repeat."""
    bench = bench_of(ENDING)
    yes(bench.call(bet("t1")))
    yes(bench.call(undo("c1", "t1")))
    for _ in range(2):
        assert why(bench.call(win("w1", of="t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.CREDIT) == 0
    assert bench.till.balance() == Decimal("1000.00")
    assert not bench.unresolved()


def test_rule_15_a_win_of_a_bet_that_was_declined_is_paid_by_nobody(bench_of: MakeBench) -> None:
    """No stake was taken: the wallet, which never saw that bet, is not asked. Elsewhere it decides."""
    for provider, paid in ((ENDING, False), (declaring(), True)):
        bench = bench_of(provider)
        assert why(bench.call(bet("t1", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
        assert why(bench.call(undo("c2", "t2"))) is Reason.TRANSACTION_NOT_FOUND
        assert why(bench.call(bet("t2"))) is Reason.ALREADY_ROLLED_BACK
        for of, reason in (("t1", Reason.TRANSACTION_NOT_FOUND), ("t2", Reason.ALREADY_ROLLED_BACK)):
            heard = bench.call(win(f"w-{of}", of=of))
            assert isinstance(heard, Accepted) if paid else (isinstance(heard, Declined) and heard.reason is reason)
        assert bench.till.balance() == Decimal("1050.00" if paid else "1000.00")
        assert not bench.unresolved()


def test_rule_15_bets_of_one_round_come_to_their_ends_in_any_mix(bench_of: MakeBench) -> None:
    """A win ends the bet that it names, and no other of the round."""
    bench = bench_of(ENDING)
    for number in ("t1", "t2", "t3"):
        yes(bench.call(bet(number)))
    yes(bench.call(win("w1", of="t1")))
    yes(bench.call(undo("c2", "t2")))
    yes(bench.call(win("w3", "0.00", of="t3")))
    assert why(bench.call(undo("c3", "t3"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1005.00")


def test_rule_11_a_win_that_names_no_bet_is_none_of_a_bets(bench_of: MakeBench) -> None:
    """A gift in the round of a bet in doubt does not complete it: its cancel is done."""
    bench = bench_of(ENDING)
    bench.till.always(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    yes(bench.call(win("gift", "5.00")))
    bench.till.heal()
    assert why(bench.call(undo("c1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1005.00")


def test_rule_15_a_win_waits_for_what_becomes_of_its_bets_cancel(bench_of: MakeBench) -> None:
    """Nobody knows whether the stake was given back: the win is owed until then, and paid by nobody after."""
    bench = bench_of(ENDING)
    yes(bench.call(bet("t1")))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    bench.till.heal()
    bench.settlement(3600)
    assert bench.row(Kind.CREDIT, "w1").state is State.DECLINED
    assert why(bench.call(win("w1", of="t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_11_a_win_stops_a_cancel_that_never_left(bench_of: MakeBench) -> None:
    """*No byte of the cancel had left, for its wallet was down: it waited for the win, the win waited for it, and neither
    came to an end when the wallet was there again.*"""
    bench = bench_of(ENDING)
    yes(bench.call(bet("t1")))
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    bench.call(win("w1", of="t1"))
    bench.till.heal()
    bench.settlement(600)
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED
    assert bench.row(Kind.ROLLBACK, "c1").outcome.reason is Reason.ALREADY_SETTLED  # type: ignore[union-attr]  # declined
    assert bench.till.balance() == Decimal("1015.00")
    assert not bench.unresolved()


@pytest.mark.parametrize(
    ("provider", "paid"), [(ENDING, False), (KEEPING, True)], ids=["one end", "kept by its win alone"]
)
def test_rule_11_a_bet_that_was_told_as_rolled_back_is_kept_by_no_win(
    bench_of: MakeBench, provider: Provider, *, paid: bool
) -> None:
    """*The bet had been taken, which nobody knew, when it was told as rolled back. Then it was found, the win that came for it
    was paid, and its cancel heard that the bet stands.* The cancel goes first; where a bet has one end, it is this one."""
    bench = bench_of(provider, a_wallet("native", tombstones=False))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    bench.till.heal()
    heard = bench.call(win("w1", of="t1"))
    assert isinstance(heard, Accepted) if paid else why(heard) is Reason.ALREADY_ROLLED_BACK
    yes(bench.call(undo("c1", "t1")))
    assert bench.till.balance() == Decimal("1025.00" if paid else "1000.00")
    assert not bench.unresolved()


def test_rule_11_what_the_repeat_of_an_accepted_bet_hears_of_its_cancel_no_win_undoes(bench_of: MakeBench) -> None:
    """*Doubt was told of the bet, the wallet was down when its cancel came, and the bet's repeat heard that it is rolled back.
    That word was in no journal: a win kept the bet, and its cancel heard that it stands.*"""
    bench = bench_of(ENDING)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    bench.settlement(60, 5)
    assert bench.row(Kind.DEBIT, "t1").state is State.ACCEPTED
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    bench.till.heal()
    bench.settlement(600, 5)
    yes(bench.call(undo("c1", "t1")))
    assert why(bench.call(win("w1", of="t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    assert not bench.unresolved()


@pytest.mark.parametrize(("trip", "offset"), [(0.01, 0.02), (0.01, 0.03), (0.02, 0.07), (0.02, 0.08), (0.05, 0.15)])
def test_rule_11_a_win_stops_no_cancel_that_another_node_is_sending(
    bench_of: MakeBench, trip: float, offset: float
) -> None:
    """*That node had looked for a win before it came, and the win saw a cancel that had not left: both were sent, and the
    stake was given back beside its win.*"""
    bench = bench_of(ENDING)
    slow = bench.second(Trip(trip))
    yes(bench.call(bet("t1")))
    bench.till.always(unreachable, kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("c1", "t1")), Unknown)
    bench.till.heal()
    bench.till.always(late(0.3))
    bench.rest(30)
    bench.look(slow)
    bench.rest(offset)
    bench.call(win("w1", of="t1"))
    bench.till.heal()
    bench.settlement(300)
    assert bench.till.balance() in (Decimal("1000.00"), Decimal("1015.00"))
    assert not bench.unresolved()


def test_rule_06_what_a_wallet_says_of_the_win_of_a_bet_that_nobody_knows_is_final(bench_of: MakeBench) -> None:
    """Its page has a word for it. Elsewhere such a win is owed."""
    for provider, final in ((ENDING, True), (declaring(), False)):
        bench = bench_of(provider)
        bench.till.always(says(NOT_THERE), kind=Kind.CREDIT)
        heard = bench.call(win("w1", of="t1"))
        assert (isinstance(heard, Declined) and heard.reason is Reason.TRANSACTION_NOT_FOUND) is final
        assert bench.row(Kind.CREDIT, "w1").state is (State.DECLINED if final else State.OWED)


def test_rule_06_that_a_wallet_does_not_know_a_bet_that_it_took_ends_no_win(bench_of: MakeBench) -> None:
    """*A lagging replica said it:* the win is owed, and paid when the wallet knows better."""
    bench = bench_of(ENDING)
    yes(bench.call(bet("t1")))
    bench.till.always(says(NOT_THERE), kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1", of="t1")), Unknown)
    bench.till.heal()
    bench.settlement(600)
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1015.00")


# ---------------------------------------------------------------- one win


def one_win() -> Wallet:
    wallet = a_wallet("native")
    return replace(wallet, dialect=declared(wallet.dialect, one_win=True))


def win_of(bench: Bench, id: str) -> tuple[str, bool]:
    """The bet that the journal has for a win, and whether it is a further one."""
    act = bench.row(Kind.CREDIT, id).tx.act
    assert isinstance(act, Credit)
    return act.reference, act.further


def test_a_second_win_of_a_bet_is_known_as_one_where_its_wallet_pays_one_for_each(bench_of: MakeBench) -> None:
    """From the moment it came on, for ever: in the journal, whatever becomes of the first one."""
    bench = bench_of("native", one_win())
    yes(bench.call(bet("t1")))
    bench.till.always(lost_before, kind=Kind.CREDIT)
    for number, of in (("w1", "t1"), ("w2", "t1"), ("w3", "t3")):
        assert isinstance(bench.call(win(number, of=of)), Unknown)
    decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=False, force=True)
    assert [win_of(bench, number) for number in ("w1", "w2", "w3")] == [("t1", False), ("t1", True), ("t3", False)]


def test_rule_11_a_win_is_told_with_the_only_bet_of_its_round_where_its_wallet_pays_one_for_each(
    bench_of: MakeBench,
) -> None:
    """Once that is known it stays so, though another bet comes; of two bets it names none."""
    bench = bench_of("native", one_win())
    yes(bench.call(bet("t1")))
    yes(bench.call(win("w1")))
    yes(bench.call(win("w2")))
    yes(bench.call(bet("t2")))
    yes(bench.call(win("w3")))
    yes(bench.call(win("w1")))
    assert [win_of(bench, number) for number in ("w1", "w2", "w3")] == [("t1", False), ("t1", True), ("", False)]
    assert bench.till.asked(Kind.CREDIT) == 3


def test_rule_11_the_win_of_a_list_is_told_with_its_bet(bench_of: MakeBench) -> None:
    """*It was told as one of no bet: the bet stayed open there, and a later win of it counted as its first.* With two bets
    beside it, it names none."""
    bench = bench_of("native", one_win())
    yes(bench.call(a_call(Batch(items=(bet("t1"), win("w1")), atomic=True))))
    yes(bench.call(win("w2", of="t1")))
    yes(bench.call(a_call(Batch(items=(bet("t3"), bet("t4"), win("w3")), atomic=True))))
    assert [win_of(bench, number) for number in ("w1", "w2", "w3")] == [("t1", False), ("t1", True), ("", False)]
    yes(bench.call(a_call(Batch(items=(bet("t1"), win("w1")), atomic=True))))
    assert bench.till.asked(Kind.CREDIT) == 3


@pytest.mark.parametrize("asks_again", [False, True])
def test_rule_06_a_bet_that_was_found_for_its_wallet_is_none_that_its_provider_named(
    bench_of: MakeBench, *, asks_again: bool
) -> None:
    """*The win named none, its wallet was told the only bet of its round, said that it had been given back, and the win was
    lost.* The page speaks of wins that name their bet, and knows nothing of what this wallet wants."""
    gone = Declined(reason=Reason.ALREADY_ROLLED_BACK)
    bench = bench_of(declaring(final_noes={Owed.NAMED_WIN: frozenset({gone.reason})}), one_win())
    yes(bench.call(bet("t1")))
    bench.till.always(says(gone), kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1")), Unknown)
    if asks_again:
        bench.settlement(60)
    assert bench.row(Kind.CREDIT, "w1").owes
    assert win_of(bench, "w1") == ("t1", False)
    assert why(bench.call(win("w2", of="t1"))) is gone.reason
    bench.till.heal()
    yes(bench.call(win("w1")))


def test_rule_20_the_win_of_a_bet_that_its_wallet_was_never_told_is_a_further_one(bench_of: MakeBench) -> None:
    """A free bet was answered by a balance: under its name no wallet pays anything."""
    wallet = a_wallet("scorpio_play")
    bench = bench_of("native", replace(wallet, dialect=declared(wallet.dialect, one_win=True)))
    yes(bench.call(bet("f1", free=True)))
    yes(bench.call(win("w1", of="f1")))
    assert win_of(bench, "w1") == ("f1", True)


def test_elsewhere_no_win_is_a_further_one(bench_of: MakeBench) -> None:
    """A wallet that is told each win under an id of its own pays each."""
    bench = bench_of()
    yes(bench.call(bet("t1")))
    for number in ("w1", "w2"):
        yes(bench.call(win(number, of="t1")))
    yes(bench.call(win("w3")))
    assert [win_of(bench, number) for number in ("w2", "w3")] == [("t1", False), ("", False)]


# ---------------------------------------------------------------- sessions that are replaced


def checked(bench: Bench, session: str) -> str:
    """The session that the answer gives."""
    who = yes(bench.call(a_call(Authenticate(), session=session, round_id="", game=None))).profile
    assert who is not None
    return who.session


def under(tx: Transaction, session: str) -> Transaction:
    return replace(tx, session=session)


def test_rule_22_the_session_that_was_replaced_refuses_reads_and_bets(bench_of: MakeBench) -> None:
    """From the answer on; the wallet knows its own session all the time."""
    bench = bench_of(RENEWING)
    fresh = checked(bench, SESSION)
    assert fresh not in ("", SESSION)
    assert why(bench.call(under(bet("t1"), SESSION))) is Reason.SESSION_EXPIRED
    assert why(bench.call(under(balance(), SESSION))) is Reason.SESSION_EXPIRED
    assert bench.till.asked(Kind.DEBIT, Kind.BALANCE) == 0
    yes(bench.call(under(bet("t2"), fresh)))
    yes(bench.call(under(balance(), fresh)))
    assert bench.till.last(Kind.DEBIT).session == SESSION


def test_rule_22_each_check_replaces_the_one_before(bench_of: MakeBench) -> None:
    """Whoever lost an answer asks again with what it had."""
    bench = bench_of(RENEWING)
    first = checked(bench, SESSION)
    second = checked(bench, first)
    assert len({SESSION, first, second}) == 3
    assert why(bench.call(under(bet("t1"), first))) is Reason.SESSION_EXPIRED
    yes(bench.call(under(bet("t2"), second)))
    third = checked(bench, first)
    yes(bench.call(under(bet("t3"), third)))


def test_rule_22_a_replaced_session_refuses_no_repeat_no_cancel_and_no_win_of_a_known_bet(bench_of: MakeBench) -> None:
    """But the win of a bet that nobody here knows."""
    bench = bench_of(RENEWING)
    one, two = under(bet("t1"), SESSION), under(bet("t2"), SESSION)
    yes(bench.call(one))
    yes(bench.call(two))
    checked(bench, SESSION)
    assert yes(bench.call(one)).replayed
    yes(bench.call(under(win("w1", of="t1"), SESSION)))
    yes(bench.call(under(undo("c2", "t2"), SESSION)))
    yes(bench.call(under(win("gift"), SESSION)))
    assert why(bench.call(under(win("w9", of="t9"), SESSION))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.CREDIT) == 2


def test_rule_22_elsewhere_a_check_replaces_nothing(bench_of: MakeBench) -> None:
    """The provider's own session goes on."""
    bench = bench_of(ENDING)
    checked(bench, SESSION)
    yes(bench.call(under(bet("t1"), SESSION)))


# ---------------------------------------------------------------- the balance beside a no


def shows_balances(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    """A dialect that says no decline without the balance, if anybody knows it."""
    if isinstance(outcome, Declined) and outcome.balance is None and "balance" not in call.unknown:
        raise Missing("balance")
    return a_provider("native").dialect.encode_response(outcome, tx, call)


def test_rule_08_the_balance_of_a_no_is_asked_for_and_never_made_up(bench_of: MakeBench) -> None:
    """*0.00 was shown, where nobody knew.*"""
    bench = bench_of(declaring(encode_response=shows_balances))
    limit = says(Declined(reason=Reason.LIMIT_EXCEEDED))
    bench.till.always(limit, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.BALANCE)
    assert why(bench.call(bet("t1"))) is Reason.LIMIT_EXCEEDED
    assert "balance" not in json.loads(bench.answers[-1].response.body)
    bench.till.heal()
    bench.till.always(limit, kind=Kind.DEBIT)
    heard = bench.call(bet("t2"))
    assert isinstance(heard, Declined)
    assert heard.balance == Decimal("1000.00")
    assert isinstance(bench.call(balance(player=PLAYER)), Accepted)
