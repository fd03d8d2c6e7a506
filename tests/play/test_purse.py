"""The purse: strict by default, and as a native wallet must be in native mode."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Reason,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
)
from gateway.play.book import Rules, rules_of
from gateway.play.purse import Purse
from gateway.serve.discover import find

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NATIVE = Rules(native=True, tombstones=True, current_balance=True, several=True, cuts=True)


def tx(act: Act, tx_id: str = "", **more: Any) -> Transaction:
    return Transaction(**({"act": act, "id": tx_id, "player": "anna", "currency": "EUR"} | more))


class Till:
    """A purse with anna's 100.00 EUR."""

    def __init__(self, rules: Rules) -> None:
        self.purse = Purse(rules, opening=None)
        self.purse.open("anna", "EUR", Decimal(100))

    def __call__(self, act: Act, tx_id: str = "", provider: str = "acme", now: datetime = NOW, **more: Any) -> Outcome:
        return self.purse.apply(tx(act, tx_id, **more), provider, now)

    def yes(self, act: Act, tx_id: str = "", **more: Any) -> Accepted:
        outcome = self(act, tx_id, **more)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def no(self, act: Act, tx_id: str = "", **more: Any) -> Reason:
        outcome = self(act, tx_id, **more)
        assert isinstance(outcome, Declined), outcome
        return outcome.reason

    @property
    def cash(self) -> Decimal:
        return self.purse.cash["anna", "EUR"]


def test_a_win_that_says_only_its_bet_is_its_players() -> None:
    """As a wallet whose page names no player in a win; a bet that it never took it does not know."""
    till = Till(Rules(one_end=True))
    till.yes(Debit(amount=Decimal(10)), "b-1")
    alone = {"player": "", "currency": ""}
    assert till.yes(Credit(amount=Decimal(25), reference="b-1"), "b-1", **alone).balance == Decimal(115)
    assert till.no(Credit(amount=Decimal(25), reference="b-2"), "b-2", **alone) is Reason.TRANSACTION_NOT_FOUND
    assert till.cash == Decimal(115)


@pytest.fixture
def native() -> Till:
    return Till(NATIVE)


@pytest.fixture
def strict() -> Till:
    return Till(Rules())


def bet(amount: str) -> Debit:
    return Debit(amount=Decimal(amount))


def win(amount: str) -> Credit:
    return Credit(amount=Decimal(amount))


def test_native_replays_the_first_decision_with_the_balance_of_now(native: Till) -> None:
    first = native.yes(bet("10"), "1")
    native.yes(win("5"), "1")  # another kind, another key
    again = native.yes(bet("10"), "1")
    assert (again.replayed, again.wallet_id, again.balance) == (True, first.wallet_id, Decimal(95))
    assert native.yes(bet("10"), "1", provider="other").wallet_id != first.wallet_id


def test_native_looks_at_the_id_before_anything_else(native: Till) -> None:
    native.yes(bet("100"), "1")
    native.purse.blocked.add("anna")
    assert native.yes(bet("100"), "1").replayed
    assert native.no(bet("1"), "2") is Reason.PLAYER_BLOCKED
    assert native.yes(win("1"), "3").balance == Decimal(1)


def test_strict_looks_at_the_balance_before_the_id(strict: Till) -> None:
    strict.yes(bet("60"), "1")
    assert strict.no(bet("60"), "1") is Reason.INSUFFICIENT_FUNDS
    strict.yes(win("60"), "2")
    assert strict.yes(bet("60"), "1").replayed
    assert strict.cash == 100


def test_strict_has_one_id_space(strict: Till) -> None:
    strict.yes(bet("10"), "1")
    assert strict.no(win("10"), "1") is Reason.DUPLICATE_MISMATCH
    assert strict.yes(bet("10"), "1", provider="other").replayed  # played free: the history of rule 3
    assert strict.cash == 90


def test_other_content_is_a_mismatch(native: Till) -> None:
    native.yes(bet("10"), "1", round=Round("r1"))
    assert native.no(bet("11"), "1", round=Round("r1")) is Reason.DUPLICATE_MISMATCH
    assert native.no(bet("10"), "1", round=Round("r2")) is Reason.DUPLICATE_MISMATCH
    assert native.yes(bet("10.00"), "1", round=Round("r1", True), session="other").replayed


def test_declines_are_remembered_where_they_are_final(native: Till, strict: Till) -> None:
    for till, replayed in ((native, True), (strict, False)):
        assert till.no(bet("200"), "1") is Reason.INSUFFICIENT_FUNDS
        till.yes(win("500"), "2")
        outcome = till(bet("200"), "1")
        assert isinstance(outcome, Declined) == replayed
    native.purse.cash.pop(("anna", "EUR"))
    assert native.no(win("1"), "9") is Reason.PLAYER_NOT_FOUND
    native.purse.open("anna", "EUR", Decimal(0))
    assert native.yes(win("1"), "9").balance == Decimal(1)


def test_rollback_before_its_bet_leaves_a_tombstone(native: Till, strict: Till) -> None:
    undo = Rollback(reference="1")
    assert native.no(undo, "u1") is Reason.TRANSACTION_NOT_FOUND
    assert native.no(bet("10"), "1") is Reason.ALREADY_ROLLED_BACK
    assert strict.no(undo, "u1") is Reason.TRANSACTION_NOT_FOUND
    assert strict.yes(bet("10"), "1").balance == Decimal(90)


def test_second_rollback_moves_nothing_and_names_the_first(native: Till) -> None:
    native.yes(bet("10"), "1")
    first = native.yes(Rollback(reference="1"), "u1")
    assert first.moved == Decimal(10)
    outcome = native(Rollback(reference="1"), "u2")
    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.wallet_id) == (Reason.ALREADY_ROLLED_BACK, first.wallet_id)
    assert native.yes(Rollback(reference="1"), "u1").replayed
    assert native.cash == 100


def test_partial_rollbacks_never_exceed_what_is_left(native: Till) -> None:
    native.yes(bet("10"), "1")
    assert native.yes(Rollback(reference="1", amount=Decimal(4)), "u1").moved is None
    assert native.yes(Rollback(reference="1", amount=Decimal(9)), "u2").moved == Decimal(6)
    assert native.no(Rollback(reference="1", amount=Decimal(1)), "u3") is Reason.ALREADY_ROLLED_BACK
    assert native.cash == 100


def test_of_a_refund_that_was_taken_back_in_part_only_that_part_is_left(native: Till) -> None:
    """And of its undoing, undone in part, so much less."""
    native.yes(bet("10"), "1")
    native.yes(Rollback(reference="1"), "u1")
    native.yes(Rollback(reference="u1", reference_kind=Kind.ROLLBACK, amount=Decimal(4)), "x1")
    native.yes(Rollback(reference="x1", reference_kind=Kind.ROLLBACK, amount=Decimal(1)), "y1")
    assert native.cash == 97
    assert native.yes(Rollback(reference="1", amount=Decimal(10)), "u2").moved == Decimal(3)
    assert native.no(Rollback(reference="1"), "u3") is Reason.ALREADY_ROLLED_BACK
    assert native.yes(Rollback(reference="u1", reference_kind=Kind.ROLLBACK), "x2").moved == Decimal(7)
    assert native.cash == 93


def test_of_a_rounds_refund_that_was_taken_back_in_part_the_first_bets_stand_again(strict: Till) -> None:
    for tx_id in ("1", "2"):
        strict.yes(bet("10"), tx_id, round=Round("r1"))
    strict.yes(Rollback(reference="x", scope="round"), "u1", round=Round("r1"))
    strict.yes(Rollback(reference="u1", reference_kind=Kind.ROLLBACK, amount=Decimal(12)), "x1")
    assert [entry.left for entry in strict.purse.book[:2]] == [Decimal(10), Decimal(2)]
    assert strict.cash == 88


def test_a_strict_wallet_undoes_once_and_refuses_more(strict: Till) -> None:
    strict.yes(bet("10"), "1")
    assert strict.no(Rollback(reference="1", amount=Decimal(11)), "u0") is Reason.INVALID_REQUEST
    strict.yes(Rollback(reference="1", amount=Decimal(4)), "u1")
    assert strict.no(Rollback(reference="1", amount=Decimal(6)), "u2") is Reason.ALREADY_ROLLED_BACK
    strict.yes(win("3"), "2")
    assert strict.no(Rollback(reference="2"), "u3") is Reason.TRANSACTION_NOT_FOUND


def test_whole_cancels_ignore_their_amount() -> None:
    till = Till(Rules(whole=True))
    till.yes(bet("10"), "1")
    assert till.yes(Rollback(reference="1", amount=Decimal(3)), "u1").moved == Decimal(10)


def test_rollbacks_of_credits_settles_and_rollbacks(native: Till) -> None:
    native.yes(win("30"), "w")
    native.yes(bet("120"), "b")
    undo = Rollback(reference="w", reference_kind=Kind.CREDIT)
    assert native.yes(undo, "u1").balance == Decimal(-20)  # spent already: cash may go below zero
    assert native.no(bet("1"), "b2") is Reason.INSUFFICIENT_FUNDS
    assert native.yes(Rollback(reference="u1", reference_kind=Kind.ROLLBACK), "u2").balance == Decimal(10)
    native.yes(Settle(debit=Decimal(5), credit=Decimal(8)), "s")
    assert native.yes(Rollback(reference="s", reference_kind=Kind.SETTLE), "u3").balance == Decimal(10)


def test_a_round_refund_of_a_strict_wallet_means_its_open_bets(strict: Till) -> None:
    for tx_id in ("1", "2"):
        strict.yes(bet("10"), tx_id, round=Round("r1"))
    strict.yes(bet("10"), "3", round=Round("r2"))
    undo = strict.yes(Rollback(reference="x", scope="round"), "u1", round=Round("r1"))
    assert (undo.moved, strict.cash) == (Decimal(20), Decimal(90))


def test_a_kyren_wallet_buries_what_a_cancel_or_refund_names_and_guesses_at_nothing() -> None:
    """Its card: a Cancel that overtakes its bet leaves the round's other bet alone, and refuses its own."""
    till = Till(rules_of(find("kyren").dialect))
    till.yes(bet("10"), "1", round=Round("r1"))
    assert till.no(Rollback(reference="2"), "refund:2", round=Round("r1")) is Reason.TRANSACTION_NOT_FOUND
    assert till.cash == 90
    assert till.no(bet("5"), "2", round=Round("r1")) is Reason.ALREADY_ROLLED_BACK
    assert till.yes(Rollback(reference="3", scope="round"), "refund:3", round=Round("r1")).moved == 10
    assert till.no(bet("5"), "3", round=Round("r1")) is Reason.ALREADY_ROLLED_BACK
    assert till.cash == 100


def test_a_pragmatic_play_wallet_buries_what_a_refund_names() -> None:
    """Its card: the reference of an unknown bet is remembered, and a later bet with it is refused."""
    till = Till(rules_of(find("pragmatic_play").dialect))
    assert till.no(Rollback(reference="2"), "refund:2") is Reason.TRANSACTION_NOT_FOUND
    assert till.no(bet("5"), "2") is Reason.ALREADY_ROLLED_BACK


def test_native_rollbacks_mean_exactly_what_they_name(native: Till) -> None:
    native.yes(bet("10"), "1", round=Round("r1"))
    assert native.no(Rollback(reference="x", scope="round"), "u1", round=Round("r1")) is Reason.TRANSACTION_NOT_FOUND


def test_settle_is_all_or_nothing(native: Till) -> None:
    assert native.no(Settle(debit=Decimal(101), credit=Decimal(500)), "1") is Reason.INSUFFICIENT_FUNDS
    assert native.yes(Settle(debit=Decimal(100), credit=Decimal(7)), "2").balance == Decimal(7)


def test_an_atomic_batch_moves_all_or_nothing(native: Till) -> None:
    items = (tx(bet("60"), "1"), tx(bet("60"), "2"))
    assert native.no(Batch(items=items, atomic=True)) is Reason.INSUFFICIENT_FUNDS
    assert (native.cash, native.purse.book) == (Decimal(100), [])
    mixed = native.yes(Batch(items=items))
    assert [type(item) for item in mixed.items] == [Accepted, Declined]
    assert native.yes(Batch(items=items)).replayed
    assert native.cash == 40


def test_a_batch_that_was_taken_back_undoes_nothing_later(native: Till) -> None:
    """*What its rollback had undone was remembered beside a place in the book that the next bet then had: when that was given
    back, the first one stood again, and was given back twice.*"""
    native.yes(bet("10"), "1")
    items = (tx(Rollback(reference="1"), "u"), tx(bet("500"), "2"))
    assert native.no(Batch(items=items, atomic=True)) is Reason.INSUFFICIENT_FUNDS
    native.yes(bet("10"), "3")
    for of in "13":
        native.yes(Rollback(reference=of), f"u{of}")
    assert native.no(Rollback(reference="1"), "u1-again") is Reason.ALREADY_ROLLED_BACK
    assert native.cash == 100


def test_reserves_are_held_captured_released_and_expire(native: Till) -> None:
    later = NOW + timedelta(minutes=10)
    native.yes(Reserve(amount=Decimal(30), expires_at=later), "h1")
    native.yes(Reserve(amount=Decimal(20), expires_at=later), "h2")
    native.yes(Reserve(amount=Decimal(50), expires_at=later), "h3")
    assert native.no(bet("1"), "b") is Reason.INSUFFICIENT_FUNDS
    part = native.yes(Capture(reference="h1", amount=Decimal(25)), "c1")
    assert part.balance == Decimal(5)
    assert native.yes(Release(reference="h2"), "r1", player="").balance == Decimal(25)
    assert native.no(Release(reference="h2"), "r2") is Reason.TRANSACTION_NOT_FOUND
    assert native.no(Release(reference="hx"), "r3", player="", currency="") is Reason.TRANSACTION_NOT_FOUND
    states = {h: native.yes(Status(reference=h, reference_kind=Kind.RESERVE)).state for h in ("h1", "h2", "h3")}
    assert states == {"h1": "used", "h2": "released", "h3": "active"}
    assert native.yes(Balance(), now=later).balance == Decimal(75)
    assert native.no(Capture(reference="h3"), "c3", now=later) is Reason.TRANSACTION_NOT_FOUND
    assert native.yes(Rollback(reference="c1", reference_kind=Kind.CAPTURE), "u1").balance == Decimal(100)


def test_free_and_tracked_movements_take_nothing(native: Till) -> None:
    native.yes(Debit(amount=Decimal(500), free_round=True), "1")
    native.yes(Debit(amount=Decimal(500), tracking_only=True), "2")
    native.yes(Credit(amount=Decimal(500), tracking_only=True), "3")
    native.yes(Rollback(reference="1"), "u1")
    assert native.no(Rollback(reference="1"), "u2") is Reason.ALREADY_ROLLED_BACK
    assert native.cash == 100
    assert native.yes(Credit(amount=Decimal(5), free_round=True), "4").balance == Decimal(105)


def test_adjust_is_signed(native: Till) -> None:
    assert native.yes(Adjust(amount=Decimal(-40)), "1").balance == Decimal(60)
    assert native.yes(Adjust(amount=Decimal(5)), "2").balance == Decimal(65)
    assert native.no(Adjust(amount=Decimal(-66)), "3") is Reason.INSUFFICIENT_FUNDS


def test_a_dead_session_stops_bets_only(native: Till) -> None:
    native.yes(bet("10"), "1", session="s1")
    native.yes(CloseSession(), session="s1")
    assert native.no(bet("10"), "2", session="s1") is Reason.SESSION_EXPIRED
    assert native.no(Authenticate(), session="s1") is Reason.SESSION_EXPIRED
    native.yes(win("10"), "3", session="s1")
    native.yes(Rollback(reference="1"), "u1", session="s1")


def test_reads_answer_the_balance(native: Till) -> None:
    assert native.yes(CloseRound(), round=Round("r1")).balance == Decimal(100)
    found = native.yes(Authenticate(launch_token="sess-anna"), player="", currency="")
    assert found.profile is not None
    assert (found.profile.player, found.currency) == ("anna", "EUR")
    assert native.no(Authenticate(), player="", currency="", session="stranger") is Reason.SESSION_EXPIRED
    assert native.no(Balance(), player="bert") is Reason.PLAYER_NOT_FOUND
    assert native.no(Balance(), currency="USD") is Reason.CURRENCY_MISMATCH
    assert native.no(Status(reference="nothing")) is Reason.TRANSACTION_NOT_FOUND


def test_status_tells_the_first_decision(native: Till) -> None:
    first = native.yes(bet("10"), "1")
    native.yes(Rollback(reference="1"), "u1")
    assert native.yes(Status(reference="1")) == first


def test_players_are_opened_on_first_sight() -> None:
    purse = Purse(Rules(), opening=Decimal(1000))
    outcome = purse.apply(tx(bet("1"), "1", player="new", currency="USD"), "", NOW)
    assert isinstance(outcome, Accepted)
    assert (outcome.balance, outcome.currency) == (Decimal(999), "USD")
    assert isinstance(purse.apply(tx(bet("1"), "2", player="new", currency="EUR"), "", NOW), Declined)
    by_session = purse.apply(tx(Balance(), player="", currency="", session="sess-new"), "", NOW)
    assert isinstance(by_session, Accepted)
    assert by_session.balance == Decimal(999)


def test_a_wallet_that_forgets_moves_the_money_again(strict: Till) -> None:
    strict.yes(bet("10"), "1")
    strict.purse.forget(tx(bet("10"), "1"), "acme")
    strict.yes(bet("10"), "1")
    assert (strict.cash, len(strict.purse.book)) == (Decimal(80), 2)
