"""What is old and decided leaves the journal in small steps, so that no call waits for it.

A step walks over the oldest movements in the order in which they came and takes away those that
nothing protects (rule 27): decided, not watched, younger neither than `retention.decided`
nor than what their wallet remembers or their provider may still repeat, and with nothing open that
leans on them. Then sessions that no movement used which is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from gateway.engine.journal import JournalLost
from gateway.engine.moment import Moment
from gateway.engine.setup import Setup
from gateway.journal.kept import KeptJournal
from gateway.serve.config import Retention

REPEATS_LONGEST = timedelta(hours=24)  # of all providers we know of: Pragmatic Play's queue
STEP, STEP_BUSY = 500, 50  # movements looked at while nobody calls, and while somebody does
SESSIONS_STEP = 50  # each is compared with its player's movements
PAUSE_SECONDS = 0.25  # between two steps
ROUND_SECONDS = 600.0  # after everything that is old was looked at


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


class Pruner:
    """One process's walk. Several nodes walk at the same time and do no harm to each other."""

    def __init__(self, journal: KeptJournal) -> None:
        self._journal = journal
        self._place: tuple[object, ...] | None = None
        self._session = ("", "")
        self._sessions_turn = False

    async def step(self, times: Times, most: int) -> tuple[int, bool]:
        """(how many left, whether there is more to be looked at)."""
        if self._sessions_turn:
            return await self._sessions(times)
        walked = await self._journal.forget_movements(self._place, times.youngest, times.before, most)
        self._place = walked.place
        if not walked.more:
            self._place, self._sessions_turn = None, True
        return walked.gone, True

    async def _sessions(self, times: Times) -> tuple[int, bool]:
        walked = await self._journal.forget_sessions(self._session, times.sessions, times.now, SESSIONS_STEP)
        self._session = walked.place if walked.more else ("", "")
        self._sessions_turn = walked.more
        return walked.gone, walked.more


async def keep_pruning(journal: KeptJournal, times: Callable[[], Times], busy: Callable[[], bool]) -> None:
    """For ever."""
    pruner = Pruner(journal)
    while True:
        try:
            _, more = await pruner.step(times(), STEP_BUSY if busy() else STEP)
        except JournalLost:
            more = False
        await asyncio.sleep(PAUSE_SECONDS if more else ROUND_SECONDS)
