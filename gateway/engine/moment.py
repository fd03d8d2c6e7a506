"""What time has really passed: the wall clock beside the monotonic one (rule 29).

What is journalled is wall time. A wall clock that moved otherwise than the monotonic one stepped (NTP,
a machine that was resumed): what lies on both sides of a step is compared without it, and every request in
flight begins its time again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

NOTICED = timedelta(seconds=1)  # less than this is what a clock is slewed by, or a busy machine
STEPS_MAX = 20
NONE = timedelta(0)


class Stepped(Struct, frozen=True):
    """One step of the wall clock: from what it would have shown to what it showed, when it was noticed."""

    before: datetime
    after: datetime
    looked: timedelta = NONE  # since the look before: so long ago it may have stepped

    @property
    def ahead(self) -> timedelta:
        return self.after - self.before


class Moment(Struct, frozen=True):
    """Now, by the wall clock, and the steps that it made in this process' life."""

    now: datetime
    steps: tuple[Stepped, ...] = ()
    began: datetime | None = None  # this process, by its own clock

    def passed(self, since: datetime) -> timedelta:
        """How much really passed since a journalled moment: never more than that."""
        if self.now < since <= self.now + NOTICED:  # it came while this moment was looked at
            return NONE
        found = self._readings(since)
        if found:
            return max(min(found), NONE)
        found = [max(line, NONE) for line in self._readings(since, anywhere=True) if line >= -NOTICED]
        if self._to_come(since):  # by a clock that was never ours, perhaps: since the last step, or our beginning
            known = self.steps[-1].after if self.steps else self.began
            found.append(max(self.now - known, NONE) if known is not None else NONE)
        return min(found)

    def _to_come(self, since: datetime) -> bool:
        """Whether our clock, as it goes now or as it went before some step, would not have come to that moment yet.

        *It was set back while no process lived, then ahead over the moment that doubt was told:* for the hours of that
        jump no time had passed since, and a settle that had never left us had no end.
        """
        return any(line < -NOTICED for line in self._readings(since, anywhere=True))

    def at_most(self, since: datetime) -> timedelta:
        """How much may have passed: never less than that. A jump ahead may be a machine that slept, and its monotonic
        clock with it; a smaller one is not noticed. (A sleep that a jump back hides shows on no clock of this process.)

        *Every process was down when the clock was set back:* how old a bet of before is no clock says, also where a jump
        ahead went over it since.
        """
        found = self._readings(since, slept=True)
        if not found and since > self.now:
            return NOTICED if since <= self.now + NOTICED else timedelta.max
        if not found and self._to_come(since):
            return timedelta.max
        return max(found or self._readings(since, anywhere=True, slept=True)) + NOTICED

    def _readings(self, since: datetime, *, anywhere: bool = False, slept: bool = False) -> list[timedelta]:
        """What passed by the clock without its steps, for each stretch between two of them in which it can have
        shown that moment. (Several: it was set back. None: another machine's clock showed it, while ours stepped.)
        `slept`: what it jumped ahead is time that passed."""
        found: list[timedelta] = []
        end, passed = self.now, self.now - since
        for step in reversed(self.steps):
            if anywhere or step.after - step.looked <= since <= end:
                found.append(passed)
            end, passed = step.before, passed - (min(step.ahead, NONE) if slept else step.ahead)
        return [*found, passed] if anywhere or since <= end else found

    @property
    def surely(self) -> datetime:
        """The moment that it is at least: what the clock jumped ahead in this process' life may not have passed."""
        return self.now - sum((max(step.ahead, NONE) for step in self.steps), NONE)

    def in_flight(self, since: datetime) -> timedelta:
        """How long a request that began then is certainly on its way or landed."""
        passed = self.passed(since)
        return min(passed, max(self.now - self.steps[-1].after, NONE)) if self.steps else passed


class Clockwork:
    """Compares the clocks at every look."""

    def __init__(self, clock: Callable[[], datetime], ticks: Callable[[], float]) -> None:
        self._clock, self._ticks = clock, ticks
        self._wall, self._tick = clock(), ticks()
        self._began = self._wall
        self._steps: tuple[Stepped, ...] = ()

    def look(self) -> Moment:
        wall, tick = self._clock(), self._ticks()
        expected = self._wall + timedelta(seconds=tick - self._tick)
        if abs(wall - expected) > NOTICED:
            self._steps = (*self._steps, Stepped(expected, wall, timedelta(seconds=tick - self._tick)))[-STEPS_MAX:]
        self._wall, self._tick = wall, tick
        return Moment(wall, self._steps, self._began)
