"""Each wallet has its own share of settlement: one that is down does not slow another one's (issue 7, 6)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.engine.settle import AT_ONCE_MAX, TICK_SECONDS
from gateway.engine.setup import Route, Wallet
from gateway.engine.states import State
from gateway.engine.world import Silence
from gateway.http import Response
from gateway.model import Kind
from tests.engine.acts import win
from tests.engine.conftest import MakeBench
from tests.engine.crowds import owed
from tests.journal.effort import Effort, Work, counted
from tests.simulation.behaviours import Behaviour, Post, lost_after, unreachable
from tests.simulation.bench import A_MOMENT_SECONDS, Bench, a_wallet

DOWN, WELL = a_wallet("native", "down", url="https://down.example"), a_wallet("native", "well")
GONE = a_wallet("native", "gone", url="https://gone.example")  # in no configuration any more
ROUTES = (Route(wallet="well"), Route(wallet="down", game=re.compile("never")))
MANY = 100_000


class Hanging:
    """A wallet that takes every connection and never answers; `most` is how many waited at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, post: Post) -> Response:
        self.now += 1
        self.most = max(self.most, self.now)
        await post.bench.scheduler.sleep(DOWN.give_up_after.total_seconds())
        self.now -= 1
        raise Silence("timeout", "no answer", left=True)


def two_wallets(bench_of: MakeBench, behaviour: Behaviour, number: int, of: Wallet = DOWN) -> tuple[Bench, Effort]:
    """One that is well, and one that does so with everything and is owed so many wins."""
    with counted() as effort:
        bench = bench_of("native", WELL, wallets=(DOWN,), routes=ROUTES)
    bench.tills["down"].always(behaviour)
    owed(bench, of, number)
    return bench, effort


def until(bench: Bench, seconds: float) -> None:
    """Settlement looks as often as it does."""
    bench.settlement(seconds, TICK_SECONDS)


@pytest.mark.parametrize(
    ("number", "behaviour", "of"),
    [(MANY, Hanging(), DOWN), (5000, unreachable, DOWN), (5000, unreachable, GONE)],
    ids=["hangs", "is not there", "is not configured any more"],
)
def test_a_win_owed_by_a_good_wallet_does_not_wait_for_a_dead_one(
    bench_of: MakeBench, number: int, behaviour: Behaviour, of: Wallet
) -> None:
    """A night's wins wait for an operator that is down. Another operator's player has won, and the answer
    was lost: that money comes with the first look that is due, as if nobody else waited."""
    bench, _ = two_wallets(bench_of, behaviour, number, of)
    until(bench, 3)  # settlement has all that it can carry under way
    bench.till.then(*[lost_after] * 9)
    bench.call(win("w"))
    bench.till.heal()
    waiting = bench.row(Kind.CREDIT, "w")
    assert waiting.due_at is not None
    assert waiting.state is State.OWED
    while bench.scheduler.clock() + timedelta(seconds=TICK_SECONDS) < waiting.due_at:
        until(bench, TICK_SECONDS)
    assert bench.row(Kind.CREDIT, "w").tries == waiting.tries
    until(bench, TICK_SECONDS)
    bench.look()
    bench.rest(A_MOMENT_SECONDS)
    assert bench.row(Kind.CREDIT, "w").state is State.ACCEPTED


def test_a_dead_wallet_has_its_share_and_no_more(bench_of: MakeBench) -> None:
    """A wallet that hangs was asked for its whole share at every look, four times a second: thousands of
    connections were open to a machine that was overloaded already."""
    hanging = Hanging()
    bench, _ = two_wallets(bench_of, hanging, 2000)
    until(bench, 2 * DOWN.give_up_after.total_seconds())
    assert hanging.most == AT_ONCE_MAX


def test_a_look_of_settlement_costs_what_it_begins(bench_of: MakeBench) -> None:
    """A look at 100,000 that are due costs what a look at 1,000 does."""

    def look(number: int) -> tuple[Work, Work]:
        bench, effort = two_wallets(bench_of, Hanging(), number)
        effort.taken()
        works = []
        for _ in range(2):
            bench.look()
            bench.scheduler.run(seconds=0)
            works.append(effort.taken())
        return works[0], works[1]

    (few, none), (many, none_of_many) = look(1000), look(MANY)
    assert (many.rows, many.statements) == (few.rows, few.statements)
    assert many.steps <= few.steps * 1.05
    assert none_of_many.rows <= none.rows <= 3, "its share is under way: nothing more of it is read"
