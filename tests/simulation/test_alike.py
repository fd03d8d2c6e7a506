"""What is told in one name or in none: equal bets that no cancel of their page tells apart, the judge takes together, and
excuses nothing for that; two wins under the id of their bet are one.

Ten short histories, half a second together.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine import opening, ties
from gateway.model import Credit, Debit
from tests.simulation.history import History
from tests.simulation.invariants import violations
from tests.simulation.players import Actor, Story
from tests.simulation.rooms import a_room, played
from tests.simulation.scenes import ROUND, a_plan

Acts = Callable[[Actor], Coroutine[Any, Any, None]]


def a_bet(actor: Actor) -> Story:
    return actor.story(actor.tx(Debit(amount=Decimal(10)), actor.new_id(), ROUND))


async def two_stand(actor: Actor) -> list[Story]:
    bets = [a_bet(actor), a_bet(actor)]
    for bet in bets:
        await actor.insist(bet.tx, [bet], persist=False)
    return bets


async def overtaken(actor: Actor) -> None:
    """One stands; the cancel of the other comes before that one."""
    standing = a_bet(actor)
    await actor.insist(standing.tx, [standing], persist=False)
    await actor.cancelled_before(a_bet(actor))


async def the_first(actor: Actor) -> None:
    await actor.cancel((await two_stand(actor))[0])


async def both(actor: Actor) -> None:
    for bet in await two_stand(actor):
        await actor.cancel(bet)


def judged(acts: Acts, change: Callable[[History], None] | None = None) -> list[str]:
    with a_room() as room, played(room, a_plan("vivo_vgs", "native"), acts=acts) as history:
        if change is not None:
            change(history)
        return list(violations(history))


@pytest.mark.parametrize("acts", [overtaken, the_first, both])
def test_which_of_two_equal_bets_goes_is_one(acts: Acts) -> None:
    """*The cancel gave back the one that stood, the other came and was taken: the same money, and four violations.*"""
    assert judged(acts) == []


def the_one_that_stands(delta: Decimal) -> Callable[[History], None]:
    def change(history: History) -> None:
        book = history.tills["wallet0"].purse.book
        at = next(n for n, entry in enumerate(book) if entry.delta < 0 and not entry.undone_by)
        book[at] = replace(book[at], delta=delta)

    return change


@pytest.mark.parametrize("acts", [overtaken, the_first])
@pytest.mark.parametrize("moved", [0, -20])
def test_of_two_that_one_was_taken_is_still_asked(acts: Acts, moved: int) -> None:
    """One of them was cancelled: its wallet's book shows neither of them taken, or both."""
    said = judged(acts, the_one_that_stands(Decimal(moved)))
    assert any(each.startswith("ACCEPTED") for each in said), said
    assert any(each.startswith("ORDER") for each in said), said


def test_a_cancel_that_is_spent_on_what_is_back_already_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that takes the newest, whatever became of it: both cancels are told as done, and one bet stands."""
    monkeypatch.setattr(ties, "_turn", lambda bet, aimed: ties.STANDS)
    said = judged(both)
    assert any(each.startswith("ZERO") and each.endswith(": -10.00 moved") for each in said), said


# ---------------------------------------------------------------- two wins of one bet


async def won_twice(actor: Actor) -> None:
    bet = a_bet(actor)
    await actor.insist(bet.tx, [bet], persist=False)
    for _ in range(2):
        await actor.win(ROUND, bet)


def test_two_wins_under_the_id_of_their_bet_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """*The second one would be a repeat of the first to its wallet, told as paid and paid by nobody.*"""
    with a_room() as room, played(room, a_plan("native", "evolution"), acts=won_twice) as history:
        assert list(violations(history)) == []
    real = opening._with_its_bet

    def the_first(*given: Any) -> Any:
        row = yield from real(*given)
        act = row.tx.act
        return replace(row, tx=replace(row.tx, act=replace(act, further=False))) if isinstance(act, Credit) else row

    monkeypatch.setattr(opening, "_with_its_bet", the_first)
    with a_room() as room, played(room, a_plan("native", "evolution"), acts=won_twice) as history:
        assert any(each.startswith("ALIAS") for each in violations(history))
