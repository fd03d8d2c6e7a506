"""What is in the air in this process: requests to wallets, and the calls that wait for them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from gateway.engine.case import Air
from gateway.engine.errand import Errand
from gateway.engine.movement import Fact, Step
from gateway.engine.world import Handle, World


class Landed(Struct, frozen=True, kw_only=True):
    """What a request came to. `fact` None: nothing definite."""

    fact: Fact | None = None
    steps: tuple[Step, ...] = ()
    hopeless: bool = False


class Flight:
    """One request about a movement. `waiters`: drivers that wait for it just now. `again`: it is not the only asking for it that
    left by now, so that "I have that already" may mean ours."""

    __slots__ = ("again", "handle", "key", "landed", "waiters", "young_until")

    def __init__(self, key: str, young_until: float, *, again: bool) -> None:
        self.key, self.young_until, self.again = key, young_until, again
        self.handle: Handle[None] | None = None
        self.landed: Landed | None = None
        self.waiters = 1  # whoever launched it

    @property
    def over(self) -> bool:
        """It landed, or its task failed: that was our fault, and is loud elsewhere."""
        return self.landed is not None or (self.handle is not None and self.handle.done())

    @property
    def brought(self) -> bool:
        """What it came to is for somebody who has not taken it yet."""
        return self.landed is not None and self.landed.fact is not None


class Flights:
    """By the key of their movement."""

    def __init__(self) -> None:
        self._open: dict[str, list[Flight]] = {}
        self.calls: dict[str, int] = {}  # of providers, open here
        self.hands: dict[str, list[Errand]] = {}  # by whom an answer was taken that is not journalled yet

    def any(self) -> bool:
        return bool(self._open)

    def of(self, key: str, ticks: float, errand: Errand | None = None) -> Air:
        """As `errand` sees it."""
        calls = self.calls.get(key, 0)
        in_hand = key in self.hands and any(other is not errand for other in self.hands[key])
        if key not in self._open:
            return Air(calls=calls, in_hand=in_hand)
        in_hand = in_hand or any(flight.brought for flight in self._open[key])
        flights = [flight for flight in self._open[key] if not flight.over]
        young = max([flight.young_until - ticks for flight in flights], default=0.0)
        return Air(len(flights), max(young, 0.0), calls, in_hand)

    def take_up(self, key: str, errand: Errand) -> None:
        """`errand` has an answer about it, and is going to journal what it decides."""
        self.hands.setdefault(key, []).append(errand)

    def put_down(self, key: str, errand: Errand) -> None:
        """What it had is journalled, or nothing could be done with it."""
        left = [other for other in self.hands.get(key, ()) if other is not errand]
        if left:
            self.hands[key] = left
        else:
            self.hands.pop(key, None)

    def launch(self, key: str, ticks: float, share: float, *, again: bool = False) -> Flight:
        """`again`: it is another asking for it. *A first one was queued and the second was done before it; the first one's "that
        is done already" was taken for a stranger's, and the bet went to a person.*"""
        flight = Flight(key, ticks + share, again=again)
        others = self._open.setdefault(key, [])
        for other in others if again else ():
            other.again = True
        others.append(flight)
        return flight

    def land(self, flight: Flight, landed: Landed) -> None:
        """It is over. What it brought is for whoever waits; else it is forgotten here."""
        flight.landed = landed
        if not flight.waiters:
            self._forget(flight)

    def _forget(self, flight: Flight) -> None:
        flights = [other for other in self._open.get(flight.key, ()) if other is not flight]
        if flights:
            self._open[flight.key] = flights
        else:
            self._open.pop(flight.key, None)

    async def wait(
        self, world: World, key: str, seconds: float, *, takes: bool, launched: Flight | None = None
    ) -> None:
        """Until one of them is over, or so long. `takes`: what comes back is for this waiter."""
        flights = list(self._open.get(key, ()))
        handles: list[Handle[Any]] = [flight.handle for flight in flights if flight.handle is not None]
        for flight in flights:
            flight.waiters += int(takes)
        try:
            if handles and not any(flight.over for flight in flights):
                await world.wait(handles, seconds)
        finally:
            for flight in flights:
                flight.waiters -= int(takes)
            if launched is not None:
                launched.waiters -= 1

    def taken(self, key: str) -> list[Landed]:
        """What came back, for the one who takes it."""
        over = [flight for flight in self._open.get(key, ()) if flight.over]
        for flight in over:
            self._forget(flight)
        return [flight.landed for flight in over if flight.landed is not None]
