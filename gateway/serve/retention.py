"""What is old and decided leaves the journal in small steps, as fast as movements arrive.

Two walks. One goes over the movements in the order in which they came and takes away those that nothing
protects (rule 27): decided, not watched, younger neither than `retention.decided` nor than what
their wallet remembers or their provider may still repeat, and with nothing open that leans on them. At its
end it goes on from where it stands as soon as more is old; from the first again, for what was protected
and is not any more, only now and then. The other goes over the sessions: one leaves that no movement
used which is kept.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec import Struct

from gateway.engine.journal import JournalLost
from gateway.engine.moment import Moment
from gateway.engine.setup import Setup
from gateway.journal.kept import KeptJournal
from gateway.serve.config import Retention

REPEATS_LONGEST = timedelta(hours=24)  # of all providers we know of: Pragmatic Play's queue
STEP_SECONDS = 0.005  # of the writer, for one step
COMMIT = 2.0  # with the commit, which writes the pages, a step takes so many times what its statements do (measured)
MOST = 1000  # movements or sessions that leave in one step
EASY = 4.0  # a pause is so many times what the step lasted: a fifth of the time at most
HARD = 0.5  # and never shorter than so many times what it took of the writer, however much arrives: two thirds
PAUSE_SECONDS_LEAST = 0.002
AHEAD = 0.9  # of the time in which so many arrived: less, so that a backlog shrinks
OWED_SECONDS_MAX = 1.0  # by which steps may be late, and hurry
AGAIN_SECONDS = 1.0  # after everything that is old was looked at, until more is
ROUND_SECONDS = 600.0  # before what was protected is looked at again; or EASY times what that took

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Times(Struct, frozen=True):
    """Before when a movement was decided that may leave, by wallet; and the time of sessions."""

    now: datetime
    decided: timedelta
    sessions: datetime
    remembers: dict[str, timedelta]

    @classmethod
    def of(cls, retention: Retention, setup: Setup, moment: Moment) -> Times:
        """*A clock jumped two months ahead, and within minutes every decided movement had left: the repeat of a bet was a
        new bet (rules 27, 29).*"""
        now = moment.surely
        remembers = {name: wallet.remembers for name, wallet in setup.wallets.items()}
        return cls(now, max(retention.decided, REPEATS_LONGEST), now - retention.sessions, remembers)

    def before(self, wallet: str) -> datetime:
        """A wallet that is configured no more may remember as long as any that is."""
        longest = max(self.remembers.values(), default=timedelta(0))
        return self.now - max(self.decided, self.remembers.get(wallet, longest))

    @property
    def youngest(self) -> datetime:
        """Nothing younger is looked at."""
        return self.now - self.decided


class Went(NamedTuple):
    """How a step went, in seconds."""

    held: float  # its statements, in the writer
    lasted: float  # from when it was to begin until its end: with all that it waited for, and what is owed
    stretch: float = math.inf  # in which what it looked at had arrived
    full: bool = True  # what was allowed to leave did, most of it: so long does a step of that size take


def paced(most: int, went: Went, *, busy: bool, least: int) -> tuple[int, float]:
    """The next step's size, and the pause before it.

    A step is as large as takes `STEP_SECONDS`, and it rests for `EASY` times what it lasted, if anybody calls.
    Where more arrives than leaves so, the pause is shorter; where the shortest is too long, because each step
    waits for something, the step is larger, but never made for more than twice `STEP_SECONDS`.
    """
    took, in_time = went.held * COMMIT, went.stretch * AHEAD
    shortest = max(PAUSE_SECONDS_LEAST, HARD * took)
    easy = EASY * went.lasted if busy else shortest
    pause = max(shortest, min(easy, in_time - went.lasted))
    fits = STEP_SECONDS / took if took > 0 else math.inf
    late = (went.lasted + shortest) / in_time if in_time > 0 else math.inf
    factor = max(fits, min(late, 2 * fits)) if late > 1 else fits
    size = round(most * max(0.5, min(factor, 2.0))) if went.full else most
    return max(least, min(size, MOST)), pause


class Step(NamedTuple):
    gone: int
    more: bool
    held: float = 0.0
    stretch: float = math.inf


class Walk(Protocol):
    """One process's. Several nodes walk at the same time and do no harm to each other."""

    rests: float  # seconds after its end
    least: int  # of what leaves in one step

    async def step(self, times: Times, most: int) -> Step: ...


class Movements:
    """From the first on, and from its end on as soon as more is old. What it has been past it looks at again
    only each `ROUND_SECONDS`."""

    rests = AGAIN_SECONDS

    def __init__(self, journal: KeptJournal, clock: Clock = time.monotonic) -> None:
        self._journal, self._clock, self.least = journal, clock, journal.leave_least
        self._place: tuple[object, ...] | None = None
        self._came: datetime | None = None
        self._began, self._again_at = clock(), math.inf

    async def step(self, times: Times, most: int) -> Step:
        now = self._clock()
        if now >= self._again_at:
            self._place, self._came, self._began, self._again_at = None, None, now, math.inf
        walked = await self._journal.forget_movements(self._place, times.youngest, times.before, most, self._clock)
        if not walked.more and self._again_at == math.inf:
            now = self._clock()
            self._again_at = now + max(ROUND_SECONDS, EASY * (now - self._began))
        stretch = math.inf
        if walked.came is not None:
            if self._came is not None:
                stretch = max(0.0, (walked.came - self._came).total_seconds())
            self._came = walked.came
        self._place = walked.place
        return Step(walked.gone, walked.more, walked.held, stretch)


class Sessions:
    """All of them, in the order of their names, each `ROUND_SECONDS`."""

    rests = ROUND_SECONDS

    def __init__(self, journal: KeptJournal, clock: Clock = time.monotonic) -> None:
        self._journal, self._clock, self.least = journal, clock, journal.leave_least
        self._place = ("", "")

    async def step(self, times: Times, most: int) -> Step:
        walked = await self._journal.forget_sessions(self._place, times.sessions, times.now, most, self._clock)
        self._place = walked.place if walked.more else ("", "")
        return Step(walked.gone, walked.more, walked.held)


async def keep_pruning(journal: KeptJournal, times: Callable[[], Times], busy: Callable[[], bool]) -> None:
    """For ever."""
    async with asyncio.TaskGroup() as walks:
        for walk in (Movements(journal), Sessions(journal)):
            walks.create_task(keep_walking(walk, times, busy))


async def keep_walking(
    walk: Walk,
    times: Callable[[], Times],
    busy: Callable[[], bool],
    clock: Clock = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """For ever."""
    most, begins = walk.least, clock()
    while True:
        try:
            step = await walk.step(times(), most)
            went = Went(step.held, clock() - begins, step.stretch, full=2 * step.gone >= most)
            most, pause = paced(most, went, busy=busy(), least=walk.least)
            if step.more:  # one step that hung is made up for by those behind it
                begins = max(clock() - OWED_SECONDS_MAX, min(clock() + pause, begins + went.stretch * AHEAD))
            else:
                pause = walk.rests
                begins = clock() + pause
        except JournalLost:
            pause = AGAIN_SECONDS
            begins = clock() + pause
        await sleep(pause)
