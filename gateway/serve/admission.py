"""Who is carried next, where more calls come than one process can carry at once.

What runs out is the processor: of more calls than it can carry within their provider's limit, carried all at once, all
are answered too late, wins and cancels among them. So only so many are in our own hands at a time (one that waits for
its wallet is in the wallet's). The others wait here, before they are proved or decoded, which costs next to nothing:

- what gives or gives back goes first, the oldest first: its provider cannot be told no;
- then new bets and reads, the newest first: those that waited long would only make the others late, too;
- providers take turns, so that one that calls too much makes nobody else wait;
- whoever waited for too much of its limit is not carried any more, and told doubt in time: it was not read, and nothing
  moved. Not at once: a caller that is answered at once calls again at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from gateway.engine.setup import Provider
from gateway.engine.world import Crowded

HANDS = 64  # calls that we work at, at a time: more would each take longer, and not be more a second
FIRST_SHARE = 0.85  # of its limit a call that gives may wait: the rest is for carrying it
OTHER_SHARE = 0.5  # a bet: what it may move in vain must be heard of, and its wallet may be slow
TOLD_SHARE = 0.65  # when it hears of it, at the latest
TOLD_AT_ONCE = (
    32  # as many a beat, and in a turn of the loop where it is high time: a thousand answers would be a long one
)
BEAT_SECONDS = 0.05  # how often it is looked who waited long enough
STUCK_SECONDS = 1.0  # in our hands for so long, a call waits for something else than us: another call, a database
TOLD_SECONDS = 5.0  # how often the log says how many were turned away

TOO_LATE = "more calls came than can be answered in time"
TOO_MANY = "too many calls of this provider are under way"

Later = Callable[[float, Callable[[], None]], Any]


class Door:
    """The engine's `Door`. One per process; each call brings the limits of its own configuration."""

    def __init__(
        self,
        ticks: Callable[[], float],
        overload: Callable[[str, str], None],
        told: Callable[[str, int], None] = lambda provider, number: None,
        later: Later = lambda seconds, call: asyncio.get_running_loop().call_later(seconds, call),
    ) -> None:
        """`overload` counts who was turned away: (provider, blank). `told` is for the log: (provider, how many lately)."""
        self._ticks, self._overload, self._told, self._later = ticks, overload, told, later
        self._hands: dict[Stay, float] = {}  # since when, the oldest first
        self._carried: defaultdict[str, int] = defaultdict(int)  # by provider, those that wallets hold included
        self._first, self._others = Line(newest_first=False), Line(newest_first=True)
        self._beating = False
        self._gone_at = 0.0  # when one was taken to be stuck
        self._turned: defaultdict[str, int] = defaultdict(int)

    async def enter(self, provider: Provider, *, first: bool, started: float, within: float) -> Stay:
        stay = Stay(self, provider, first=first)
        if self._full(stay):
            self._refused(provider)
            raise Crowded(TOO_MANY)
        if len(self._hands) < HANDS:
            self._let_in(stay)
            return stay
        carried, told = (FIRST_SHARE, FIRST_SHARE) if first else (OTHER_SHARE, TOLD_SHARE)
        if started + within * carried <= self._ticks():  # it waited to be read
            self._refused(provider)
            raise Crowded(TOO_LATE)
        waiter = Waiter(stay, started + within * carried, started + within * told)
        (self._first if first else self._others).join((provider.name, within), waiter)
        self._beat_soon()
        try:
            refusal = await waiter.answer
        except asyncio.CancelledError:
            stay.ends()  # it may have been let in at the same moment
            raise
        if refusal:
            raise Crowded(refusal)
        return stay

    # -- what a call does

    def _let_in(self, stay: Stay) -> None:
        stay.inside = True
        self._carried[stay.provider.name] += 1
        self._hands[stay] = self._ticks()

    def rests(self, stay: Stay) -> None:
        if self._hands.pop(stay, None) is not None:
            self._next()

    def goes_on(self, stay: Stay) -> None:
        if stay.inside:
            self._hands[stay] = self._ticks()

    def ends(self, stay: Stay) -> None:
        if stay.inside:
            stay.inside = False
            self._carried[stay.provider.name] -= 1
            self._hands.pop(stay, None)
            self._next()

    # -- who waits

    def _next(self) -> None:
        while (self._first or self._others) and len(self._hands) < HANDS:
            now = self._ticks()
            waiter = self._first.take(now) or self._others.take(now)
            if waiter is None:
                return
            if waiter.answer.done():
                continue  # its call was cancelled
            if waiter.until <= now:
                self._refuse(waiter, TOO_LATE)
            elif self._full(waiter.stay):
                self._refuse(waiter, TOO_MANY)
            else:
                self._let_in(waiter.stay)
                waiter.answer.set_result("")

    def _full(self, stay: Stay) -> bool:
        limits = stay.provider.limits
        most = limits.in_flight if stay.first else limits.in_flight - limits.reserved
        return self._carried[stay.provider.name] >= most

    def _beat_soon(self, seconds: float = BEAT_SECONDS) -> None:
        if not self._beating:
            self._beating = True
            self._later(seconds, self._beat)

    def _beat(self) -> None:
        self._beating, now = False, self._ticks()
        self._let_go(now)
        late = [*self._first.late(now, TOLD_AT_ONCE), *self._others.late(now, TOLD_AT_ONCE)]
        for waiter in late:
            self._refuse(waiter, TOO_LATE)
        self._next()
        if self._first or self._others:
            hurry = self._first.hurries(now) or self._others.hurries(now)
            self._beat_soon(0.0 if hurry else BEAT_SECONDS)

    def _let_go(self, now: float) -> None:
        """Of one that waits for something else. One in a while: on a machine that is very slow they are at work, all of them."""
        stay, since = next(iter(self._hands.items()), (None, now))
        if stay is not None and since <= now - STUCK_SECONDS and self._gone_at <= now - BEAT_SECONDS:
            del self._hands[stay]
            self._gone_at = now

    def _refuse(self, waiter: Waiter, why: str) -> None:
        if not waiter.answer.done():
            self._refused(waiter.stay.provider)
            waiter.answer.set_result(why)

    # -- what is told

    def _refused(self, provider: Provider) -> None:
        self._overload(provider.name, "")
        if not self._turned:
            self._later(TOLD_SECONDS, self._tell)
        self._turned[provider.name] += 1

    def _tell(self) -> None:
        turned, self._turned = self._turned, defaultdict(int)
        for provider, number in turned.items():
            self._told(provider, number)


class Stay:
    """One call, from where it asks to be carried to its answer."""

    __slots__ = ("_door", "first", "inside", "provider")

    def __init__(self, door: Door, provider: Provider, *, first: bool) -> None:
        self._door, self.provider, self.first, self.inside = door, provider, first, False

    def rests(self) -> None:
        self._door.rests(self)

    def goes_on(self) -> None:
        self._door.goes_on(self)

    def ends(self) -> None:
        self._door.ends(self)


class Waiter:
    """A call that waits: until when it may be carried, and when it must be told that it was not."""

    __slots__ = ("answer", "stay", "told", "until")

    def __init__(self, stay: Stay, until: float, told: float) -> None:
        self.stay, self.until, self.told = stay, until, told
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()  # why not, or blank


class Line:
    """Those who wait, by provider and limit: so the oldest of each is the first whose time is over."""

    def __init__(self, *, newest_first: bool) -> None:
        self._newest_first = newest_first
        self._queues: dict[tuple[str, float], deque[Waiter]] = {}  # the next one's turn first

    def __bool__(self) -> bool:
        return bool(self._queues)

    def join(self, place: tuple[str, float], waiter: Waiter) -> None:
        self._queues.setdefault(place, deque()).append(waiter)

    def take(self, now: float) -> Waiter | None:
        """Whose turn it is, and who no longer waits then."""
        for place, queue in self._queues.items():
            if self._newest_first and queue[-1].until <= now:
                continue  # then all of them only wait to be told
            waiter = queue.pop() if self._newest_first else queue.popleft()
            del self._queues[place]
            if queue:
                self._queues[place] = queue  # behind the others
            return waiter
        return None

    def late(self, now: float, most: int) -> list[Waiter]:
        """Who will not be carried any more, so many of them, the oldest first; they no longer wait."""
        found: list[Waiter] = []
        for place, queue in list(self._queues.items()):
            while queue and queue[0].until <= now and len(found) < most:
                found.append(queue.popleft())
            if not queue:
                del self._queues[place]
        return found

    def hurries(self, now: float) -> bool:
        """Whether it is high time that somebody is told."""
        return any(queue[0].told <= now for queue in self._queues.values())
