"""The events: each is what one node does between two awaits that others may use, performed on a state that was
copied for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from msgspec.structs import replace

from gateway.engine.exchange import Exchange
from gateway.engine.flights import Landed
from gateway.engine.opening import Order
from gateway.engine.person import NotDone, Verdict, resolve
from gateway.model import Outcome, Unknown
from tests.explore import purse as till
from tests.explore.drives import Drives
from tests.explore.place import LEASE, PAUSE, Drive, Flown, Place
from tests.explore.stepper import Errand, Launched
from tests.explore.worlds import IN_FLIGHT, REMEMBERS
from tests.simulation.bench import at_once


class Stage(Drives):
    """Performs events."""

    def first(self) -> Place:
        place = Place()
        faults = self.world.faults
        place.left = {name: getattr(faults, name) for name in faults.__struct_fields__}
        place.nodes = tuple(str(n + 1) for n in range(self.world.nodes))
        return place

    # -- drives

    def call(self, name: str, node: str) -> None:
        """The provider calls."""
        place, deed = self.place, self.orders[name]
        number = place.said.get(name, 0)
        place.said = {**place.said, name: number + 1}
        call = f"{name}.{number}"
        drive = Drive(number=place.next(), node=node, name=call, deed=name, open=True)
        if deed.tx is None:
            self._batch(drive)
            return
        self._carry(drive, Order(wire=deed.tx, space=deed.tx.kind.value, call=call, waits=True))

    def settle(self, key: str) -> None:
        """Settlement takes a movement that is due."""
        m = self.place.rows[key]
        self.journal._taken(m, self.place.now, self.node, LEASE)  # one of what `take_due` takes
        self._begin_look(key)

    def go(self, number: int) -> None:
        """Performs what a drive holds."""
        self._go(self.drive(number))

    def poll(self, number: int) -> None:
        """What another process carried has changed."""
        self._resume(self.drive(number), ())

    # -- requests

    def flight(self, number: int) -> Flown:
        return next(f for f in self.place.flown if f.number == number)

    def _fly(self, number: int, after: Flown | None) -> None:
        gone = after is None or (after.sent and not after.open)
        self.place.flown = tuple(
            f if f.number != number else after for f in self.place.flown if f.number != number or not gone
        )  # type: ignore[assignment]  # gone ones are filtered

    def arrive(self, number: int, *, refuse: bool) -> Outcome:
        """A request reaches the wallet."""
        f = self.flight(number)
        purse = self.place.purse = dict(self.place.purse)
        overtaken = any(
            (o.node, o.key, o.query) == (f.node, f.key, False) and o.number > number for o in self.place.flown
        )
        again = f.case.own.attempts > 1 or (overtaken and f.open)
        answer = till.ask(self.world, purse, f.tx, refuse=refuse, again=again)
        self._fly(number, replace(f, sent=True, answer=answer))
        return answer

    def land(self, number: int, outcome: Outcome, *, left: bool = True) -> None:
        """An answer reaches us; `Unknown`: none will."""
        f, place, driver = self.flight(number), self.place, self.driver
        self._fly(number, replace(f, open=False) if left and f.answer is None else None)
        waiting = [d for d in place.drives if d.node == f.node and d.frames and d.frames[-1].parked == f.key]
        takers = [d for d in waiting if d.frames[-1].takes]
        flights = driver.air
        flights.waiting, flights.landed = bool(takers), []
        launched = Launched()
        launched.waiters = len(takers)
        mine = next((d for d in place.drives if d.name == f.name and f.name), None)
        errand = self._errand(mine) if mine is not None else Errand(self.setup, self.provider, None)
        if not left:
            at_once(driver._never_left(f.case.own, []))  # its own step
            flights.land(launched, Landed())
        else:
            came = driver._came_back(  # its own step
                errand, f.case, cast("Any", launched), Exchange(outcome), list, query=f.query, ordinary=f.ordinary,
                began=f.began,
            )  # fmt: skip
            at_once(came)
        landed, flights.landed = flights.landed, []
        self._spawned()
        for drive in waiting:
            if any(d.number == drive.number for d in self.place.drives):
                takes = drive.frames[-1].takes
                self._resume(self.drive(drive.number), landed if takes else ())
                landed = [] if takes else landed

    def age(self, number: int) -> None:
        """A request has had its share of the time."""
        f = self.flight(number)
        self._fly(number, replace(f, young=False))
        if any(g.young and g.open and g.key == f.key and g.node == f.node for g in self.place.flown):
            return
        for drive in [*self.place.drives]:
            top = drive.frames[-1] if drive.frames else None
            if drive.node == f.node and top is not None and top.parked == f.key and top.share:
                self._resume(self.drive(drive.number), ())

    def over(self, number: int) -> None:
        """The provider's time is over: it hears doubt."""
        drive = replace(self.drive(number), open=False)
        self._doubts(drive)
        at_once(self.driver.unheard(drive.key, drive.name))
        alone = drive
        if drive.pending and not drive.pending.startswith("undo"):  # what it carries goes on by itself
            alone = replace(drive, number=self.place.next(), pending="", results=(), deed="")
            self.place.drives = tuple(d for d in self.place.drives if d.number != number)
        self.put(alone)
        if alone.frames[-1].parked:
            self._resume(alone, ())
        if alone is not drive:
            done = (*drive.results, (drive.pending, Unknown(), ""))
            self._batch(replace(drive, frames=(), pending="", results=done))

    def stall(self) -> None:
        """This process stands still for a minute."""
        place = self.place
        place.now += PAUSE
        place.flown = tuple(f for f in place.flown if place.now - f.began < IN_FLIGHT)
        place.drives = tuple(replace(d, stalled=True) if d.node == self.node else d for d in place.drives)
        for drive in [d for d in place.drives if d.open]:
            self.over(drive.number)

    def answer(self, number: int, *, heard: bool) -> None:
        """Our answer reaches the provider, or its connection is gone."""
        drive = self.drive(number)
        assert drive.outcome is not None
        self.put(replace(drive, outcome=None))
        if heard:
            self._hears(drive, drive.outcome)
            return
        self._doubts(drive)
        for key in sorted(drive.keys | {drive.key}):
            at_once(self.driver.unheard(key, drive.name))

    def die(self, node: str) -> None:
        """A process ends, and another one is there in its place."""
        place = self.place
        place.died = True
        for drive in place.drives:
            if drive.node == node and (drive.open or drive.outcome is not None):
                self._doubts(drive)
        place.drives = tuple(d for d in place.drives if d.node != node)
        place.flown = tuple(
            replace(f, open=False) if f.node == node else f for f in place.flown if f.node != node or not f.sent
        )
        place.nodes = tuple(f"{n}'" if n == node else n for n in place.nodes)

    def jump(self, ahead: timedelta) -> None:
        """Nothing happens for so long. What has not arrived by the end of `in_flight_max` never will."""
        place = self.place
        place.now += ahead
        place.flown = tuple(f for f in place.flown if place.now - f.began < IN_FLIGHT)
        if self.world.says_yes and ahead >= REMEMBERS:
            place.purse = {id: replace(entry, forgot=True) for id, entry in place.purse.items()}

    def person(self, key: str) -> bool:
        """Somebody looked at the wallet, and says what is there."""
        row = self.place.rows[key]
        entry = self.place.purse.get(row.alias)
        done = entry is not None and not entry.refused and not entry.tomb
        verdict = Verdict(accepted=done, reason="seen", by="op")
        try:
            at_once(resolve(cast("Any", self.journal), self.setup, key, verdict, self.place.now))
        except NotDone:
            return False
        return True
