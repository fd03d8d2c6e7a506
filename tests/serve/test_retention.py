"""How fast retention goes: a law over durations, and what follows from it in a made-up hour. No test waits."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.engine.journal import JournalLost
from gateway.engine.moment import Moment
from gateway.engine.setup import Setup
from gateway.journal.kept import KeptJournal
from gateway.serve.config import Retention
from gateway.serve.retention import (
    AGAIN_SECONDS,
    COMMIT,
    EASY,
    HARD,
    MOST,
    PAUSE_SECONDS_LEAST,
    ROUND_SECONDS,
    STEP_SECONDS,
    Step,
    Times,
    Went,
    keep_walking,
    paced,
)

MILLI = 0.001
LEAST = KeptJournal.leave_least
TIMES = Times.of(Retention(), Setup(providers={}, wallets={}, routes=()), Moment(datetime(2026, 1, 1, tzinfo=UTC)))

SIZES = {
    "as it is": (100, Went(held=2.5 * MILLI, lasted=5 * MILLI), 100),
    "half as long": (100, Went(held=1.25 * MILLI, lasted=3 * MILLI), 200),
    "in no time": (100, Went(held=0.0, lasted=1 * MILLI), 200),
    "twice as long": (100, Went(held=5 * MILLI, lasted=9 * MILLI), 50),
    "the disk stood still": (100, Went(held=900 * MILLI, lasted=1000 * MILLI), 50),
    "little of it left": (100, Went(held=0.1 * MILLI, lasted=1 * MILLI, full=False), 100),
    "never less": (30, Went(held=900 * MILLI, lasted=1000 * MILLI), LEAST),
    "never more": (900, Went(held=0.1 * MILLI, lasted=1 * MILLI), MOST),
    # 100 had arrived in 10 ms, and the shortest pause is too long: 1.9 times as many; twice the time at most
    "too late": (100, Went(held=2.5 * MILLI, lasted=14.6 * MILLI, stretch=10 * MILLI), 190),
    "much too late": (100, Went(held=4 * MILLI, lasted=50 * MILLI, stretch=10 * MILLI), 125),
}


@pytest.mark.parametrize("case", SIZES)
def test_a_step_is_as_large_as_takes_five_milliseconds(case: str) -> None:
    """A bet that comes meanwhile waits that long. What the disk did once says little; what hardly anything left from says
    nothing of a step from which all of it leaves."""
    most, went, size = SIZES[case]
    assert paced(most, went, busy=True, least=LEAST)[0] == size


PAUSES = {
    "a fifth of the time": (Went(held=2.5 * MILLI, lasted=6 * MILLI), True, EASY * 6 * MILLI),
    "so much did not arrive": (Went(held=2.5 * MILLI, lasted=6 * MILLI, stretch=3600.0), True, EASY * 6 * MILLI),
    "as much arrives": (Went(held=2.5 * MILLI, lasted=6 * MILLI, stretch=20 * MILLI), True, 12 * MILLI),
    "more arrives": (Went(held=2.5 * MILLI, lasted=6 * MILLI, stretch=7 * MILLI), True, HARD * 5 * MILLI),
    "all at one moment": (Went(held=2.5 * MILLI, lasted=6 * MILLI, stretch=0.0), True, HARD * 5 * MILLI),
    "nobody calls": (Went(held=2.5 * MILLI, lasted=6 * MILLI), False, HARD * 5 * MILLI),
    "hardly anything was done": (Went(held=0.0, lasted=0.1 * MILLI), False, PAUSE_SECONDS_LEAST),
}


@pytest.mark.parametrize("case", PAUSES)
def test_a_pause_lets_calls_come_first(case: str) -> None:
    """A fifth of the time is retention's, more only where more arrives, and two thirds never."""
    went, busy, pause = PAUSES[case]
    assert paced(50, went, busy=busy, least=LEAST)[1] == pytest.approx(pause)


@given(
    st.integers(LEAST, MOST), st.floats(0, 10), st.floats(0, 10), st.floats(0, math.inf), st.booleans(), st.booleans()
)
def test_no_duration_makes_it_stand_still_or_rush(
    most: int, held: float, waited: float, stretch: float, full: bool, busy: bool
) -> None:
    """A clock that stands, a disk that hangs, an hour without a call: a size within bounds, and a pause that ends."""
    lasted = held + waited
    size, pause = paced(most, Went(held, lasted, stretch, full), busy=busy, least=LEAST)
    assert max(LEAST, most // 2) <= size <= min(MOST, 2 * most)
    least = max(PAUSE_SECONDS_LEAST, HARD * COMMIT * held)
    assert least <= pause <= max(least, EASY * lasted)
    if size > most:
        assert COMMIT * held * size / most <= 2 * STEP_SECONDS * 1.05  # a size is a whole number


# ---------------------------------------------------------------- in a made-up hour


class World:
    """Movements become old at a steady rate; one that leaves costs the writer some time, and each step waits
    for something: the loop, the commit of others, a disk, a database that is far away."""

    def __init__(self, rate: float, cost: float, waits: float, old: float, seconds: float) -> None:
        self._rate, self._cost, self._waits, self._seconds = rate, cost, waits, seconds
        self._until = -old / rate  # everything that became old before then has left
        self.now = 0.0
        self.rests, self.least = AGAIN_SECONDS, LEAST
        self.held: list[float] = []

    @property
    def backlog(self) -> float:
        return (self.now - self._until) * self._rate

    async def step(self, times: Times, most: int) -> Step:
        gone = min(most, int(self.backlog))
        held = gone * self._cost / COMMIT
        self.held.append(held)
        self.now += self._waits + gone * self._cost
        self._until += gone / self._rate
        return Step(gone, gone == most, held, gone / self._rate)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self._seconds:
            raise asyncio.CancelledError

    async def live(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await keep_walking(self, lambda: TIMES, lambda: True, lambda: self.now, self.sleep)


@settings(deadline=None, max_examples=40)
@given(st.floats(1, 5000), st.floats(20e-6, 250e-6), st.floats(0, 2 * MILLI), st.floats(0, 60))
async def test_what_is_old_leaves_as_fast_as_movements_arrive(
    rate: float, cost: float, waits: float, behind: float
) -> None:
    """202 left in a second, whatever arrived: above that a journal grew until its disk was full. One that leaves costs 90 to
    250 microseconds (measured); where that leaves the writer less than 45 of 100, no law helps."""
    assume(rate * cost <= 0.55)
    world = World(rate, cost, waits, old=behind * rate, seconds=30.0)
    await world.live()
    assert world.backlog <= max(behind * rate, 5 * rate + 2 * MOST)


async def test_a_backlog_is_gone_in_the_end_and_a_call_waits_ten_milliseconds_at_most() -> None:
    """A gateway of before is replaced by this one: some minutes of 1,000 calls a second are too old."""
    world = World(rate=1000, cost=120e-6, waits=2 * MILLI, old=100_000, seconds=600.0)
    await world.live()
    assert world.backlog <= 5000
    assert max(world.held) * COMMIT <= 2 * STEP_SECONDS


async def test_steps_that_hang_are_made_up_for() -> None:
    """A disk that is busy for 120 ms every third time: on the average, too, no less leaves than arrives."""

    class Hiccups(World):
        async def step(self, times: Times, most: int) -> Step:
            self.now += 120 * MILLI if len(self.held) % 3 == 0 else 0.0
            return await super().step(times, most)

    world = Hiccups(rate=1000, cost=120e-6, waits=1 * MILLI, old=20_000, seconds=60.0)
    await world.live()
    assert world.backlog <= 20_000


async def test_where_little_arrives_a_backlog_takes_a_fifth_of_the_writer_at_most() -> None:
    """What is too old already has waited: it is no reason to slow calls down."""
    world = World(rate=10, cost=120e-6, waits=0.0, old=1_000_000, seconds=60.0)
    await world.live()
    assert sum(world.held) * COMMIT <= world.now / 5 * 1.01


async def test_a_database_that_went_away_is_asked_again_soon() -> None:
    """Ten minutes without retention for a second without the database would be ten minutes of calls to catch up with."""
    pauses: list[float] = []

    class Away(World):
        async def step(self, times: Times, most: int) -> Step:
            if len(pauses) < 2:
                raise JournalLost("away")
            return Step(0, more=False)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    away = Away(1.0, 0.0, 0.0, 0.0, math.inf)
    away.rests = ROUND_SECONDS
    with pytest.raises(asyncio.CancelledError):
        await keep_walking(away, lambda: TIMES, lambda: True, lambda: 0.0, sleep)
    assert pauses == [AGAIN_SECONDS, AGAIN_SECONDS, ROUND_SECONDS]
