"""The outside checker itself: which sums a provider's words allow, as a table, and what no book explains."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Capture,
    Debit,
    Declined,
    Kind,
    Outcome,
    Reason,
    Release,
    Reserve,
    Rollback,
    Settle,
    Transaction,
    Unknown,
)
from tests.simulation.outside import allowed
from tests.simulation.players import STANDS, UNKNOWN, Story

WORDS: dict[str, Outcome] = {
    "yes": Accepted(),
    "doubt": Unknown(),
    "funds": Declined(reason=Reason.INSUFFICIENT_FUNDS),
    "gone": Declined(reason=Reason.ALREADY_ROLLED_BACK),
    "nowhere": Declined(reason=Reason.TRANSACTION_NOT_FOUND),
    "settled": Declined(reason=Reason.ALREADY_SETTLED),
}
BET = Debit(amount=Decimal(10))
ALL, HALF = Rollback(reference="1"), Rollback(reference="1", amount=Decimal(5))
BACK = Rollback(reference="c0", reference_kind=Kind.ROLLBACK)
HOLD, FREED, TAKEN = Reserve(amount=Decimal(10)), Release(reference="1"), Capture(reference="1", amount=Decimal(4))
# What is sent, each when the one before was answered, with the word that was heard; the sums that are allowed.
ONE_AFTER_THE_OTHER: list[tuple[list[tuple[Act, str]], list[int]]] = [
    ([(BET, "yes")], [-10]),
    ([(BET, "funds")], [0]),
    ([(BET, "doubt")], [-10, 0]),
    ([(BET, "doubt"), (ALL, "yes")], [0]),
    ([(BET, "doubt"), (ALL, "settled")], [-10]),
    ([(BET, "yes"), (ALL, "doubt")], [-10, 0]),
    ([(BET, "yes"), (ALL, "nowhere")], []),  # told accepted, and then that there is no such bet
    ([(BET, "yes"), (ALL, "gone")], []),  # nobody gave it back
    ([(BET, "doubt"), (ALL, "nowhere")], [0]),
    ([(BET, "yes"), (ALL, "yes"), (ALL, "gone")], [0]),
    ([(BET, "yes"), (HALF, "yes")], [-5]),
    ([(BET, "yes"), (HALF, "yes"), (HALF, "doubt")], [-5, 0]),
    ([(BET, "yes"), (HALF, "yes"), (HALF, "yes")], [0]),
    ([(Settle(debit=Decimal(10), credit=Decimal(25)), "yes"), (ALL, "yes")], [0]),
    ([(Settle(debit=Decimal(10), credit=Decimal(25)), "doubt")], [0, 15]),
    ([(Adjust(amount=Decimal(3)), "yes")], [3]),
    ([(HOLD, "yes"), (TAKEN, "yes")], [-4]),
    ([(HOLD, "yes"), (FREED, "yes")], [0]),
    ([(HOLD, "yes"), (FREED, "nowhere")], []),  # it is held, and its provider was told that nothing is
    ([(HOLD, "doubt"), (FREED, "nowhere")], [0]),
]


def told(sent: list[tuple[Act, str]], *, beside: bool = False) -> Story:
    """A movement, and all that was sent about it, in order or all at once."""
    stories = []
    for number, (act, word) in enumerate(sent):
        story = Story("acme", Transaction(act=act, id="1" if number == 0 else f"c{number - 1}", player="p-1"))
        begun = 0.0 if beside else 10.0 * number
        story.said.append(begun)
        story.words.append((begun + 1.0, WORDS[word]))
        stories.append(story)
    first = stories[0]
    for story in stories[1:]:
        about_a_cancel = getattr(story.tx.act, "reference_kind", None) is Kind.ROLLBACK
        whole = (
            stories[1].cancels if about_a_cancel else first.ends if story.kind is not Kind.ROLLBACK else first.cancels
        )
        whole.append(story)
    return first


def sums(story: Story, *, clock: bool = False, refused: bool = False, kept: bool = False) -> list[Decimal]:
    return sorted(allowed(story, clock=clock, refused=refused, kept=kept))


@pytest.mark.parametrize(("sent", "left"), ONE_AFTER_THE_OTHER)
def test_the_sums_that_a_provider_may_expect(sent: list[tuple[Act, str]], left: list[int]) -> None:
    """An empty list is a contradiction: no honest book tells this provider what it heard."""
    assert sums(told(sent)) == left


def test_a_cancel_beside_its_bet_may_have_come_first() -> None:
    """The wallet did not know the bet then, and refused it when it came: nothing moved."""
    assert sums(told([(BET, "doubt"), (ALL, "nowhere")], beside=True)) == [0]
    assert sums(told([(HOLD, "doubt"), (FREED, "nowhere")], beside=True)) == [0]


def test_a_cancel_that_is_taken_back_leaves_the_bet_and_it_can_be_cancelled_again() -> None:
    """*A second cancel heard `already_rolled_back`, and the stake stayed taken.*"""
    begun: list[tuple[Act, str]] = [(BET, "yes"), (ALL, "yes"), (BACK, "yes")]
    assert sums(told(begun)) == [-10]
    assert sums(told([*begun, (ALL, "yes")])) == [0]
    assert sums(told([*begun, (ALL, "gone")])) == []


def test_the_gateways_own_clock_may_give_back_what_nobody_heard_of() -> None:
    """Without `after_doubt`, or where the yes was heard, it may not: the caller says so."""
    assert sums(told([(BET, "doubt")]), clock=True) == [-10, 0]
    assert sums(told([(BET, "yes")]), clock=True) == [-10, 0]


def test_a_win_that_stopped_the_cancel_of_a_bet_that_its_wallet_refuses() -> None:
    """The wallet's own no is the last word about a stake, whatever its cancel was told."""
    assert sums(told([(BET, "doubt"), (ALL, "settled")]), refused=True) == [-10, 0]


def test_a_bet_whose_repeat_heard_of_its_cancel_and_that_its_wallet_then_kept() -> None:
    """The repeat must be told so once the cancel is read; only a wallet that keeps the bet may make it stand."""
    told_so = told([(BET, "gone"), (ALL, "settled")], beside=True)
    assert sums(told_so) == []
    assert sums(told_so, kept=True) == [-10]
    assert sums(told([(BET, "gone"), (ALL, "yes")], beside=True), kept=True) == [0]


def test_a_rounds_refund_that_was_refused_says_of_no_bet_that_it_stands() -> None:
    """Another bet of its round was kept: nothing was given back, and one in doubt may never have come (rule 16)."""
    in_doubt, taken = told([(BET, "doubt"), (ALL, "settled")]), told([(BET, "yes"), (ALL, "settled")])
    assert (sums(in_doubt), in_doubt.believes()) == ([-10], STANDS)  # a cancel of its own
    for bet in (in_doubt, taken):
        bet.cancels[0].of_several = True
    assert (sums(in_doubt), in_doubt.believes()) == ([-10, 0], UNKNOWN)
    assert (sums(taken), taken.believes()) == ([-10], STANDS)
