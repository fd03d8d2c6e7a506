"""The real driver, taken apart: it performs one move over a journal that answers at once; where it would wait for
the wallet it is left (`Parked`), and what it waits for is data (`tests/explore/place.py`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from gateway.engine.case import Air, Asked, Case, Move
from gateway.engine.drive import Carried, Driver
from gateway.engine.exchange import Exchanges
from gateway.engine.flights import Landed
from gateway.engine.identity import key_of
from gateway.engine.moment import Moment
from gateway.engine.movement import Movement
from gateway.engine.opening import Opened, Order
from gateway.engine.parts import giving_back
from gateway.engine.setup import Provider, Setup
from gateway.engine.world import World as Ports
from gateway.model import Outcome
from tests.explore.place import Drive, Place

CALL_SECONDS, LOOK_SECONDS, SHARE_SECONDS = 3.9, 10.0, 2.5
KEPT = 50_000  # looks and openings: more would cost more memory than they save time
LEASES = {seconds: timedelta(seconds=seconds + 5) for seconds in (0.0, CALL_SECONDS, LOOK_SECONDS)}


class Parked(BaseException):  # no error: the driver waits here
    """A method of the driver waits for requests about a movement."""

    def __init__(self, key: str, *, takes: bool) -> None:
        super().__init__(key)
        self.key, self.takes = key, takes


class Item(BaseException):  # no error: an item of a batch is carried
    """A batch goes on with its next item."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.wire.id)
        self.order = order


class Child(BaseException):  # no error: another movement goes on first
    """A method of the driver carries another movement."""

    def __init__(self, case: Case, move: Move | None, waits: bool) -> None:  # three facts, said once
        super().__init__(case.own.key)
        self.case, self.move, self.waits = case, move, waits


class Errand:
    """A call's or settlement's, as the driver asks for it."""

    __slots__ = ("keys", "lease", "name", "open", "provider", "seconds", "settling", "setup")

    def __init__(self, setup: Setup, provider: Provider, drive: Drive | None) -> None:
        self.setup, self.provider = setup, provider
        self.name, self.open, self.keys = "", False, set[str]()
        if drive is not None:
            self.name, self.open, self.keys = drive.name, drive.open, set(drive.keys)
        self.settling = not self.name
        self.seconds = (CALL_SECONDS if self.open else 0.0) if self.name else LOOK_SECONDS
        self.lease = LEASES[self.seconds]

    def left(self) -> float:
        return self.seconds


class Launched:
    handle: object = None
    waiters = 0


class Flights:
    """What is in the air at one node, out of the state."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self.landed: list[Landed] = []
        self.waiting = False  # whether somebody waits for the one that lands now

    def _calls(self, key: str) -> int:
        node = self.stepper.node
        return len([1 for d in self.stepper.place.drives if d.key == key and d.node == node and d.name and d.frames])

    def of(self, key: str, ticks: float, errand: object = None) -> Air:
        here = [f for f in self.stepper.place.flown if f.key == key and f.open and f.node == self.stepper.node]
        young = SHARE_SECONDS if any(f.young for f in here) else 0.0
        return Air(len(here), young, self._calls(key))

    def take_up(self, key: str, errand: object) -> None:
        """A drive that has an answer writes what it decides before another is stepped, or is stale."""

    def put_down(self, key: str, errand: object) -> None: ...

    def launch(self, key: str, ticks: float, share: float, *, again: bool = False) -> Launched:
        return Launched()

    def land(self, flight: Launched, landed: Landed) -> None:
        if self.waiting:
            self.landed.append(landed)

    async def wait(self, world: Any, key: str, seconds: float, *, takes: bool, launched: Any = None) -> None:
        raise Parked(key, takes=takes)

    def taken(self, key: str) -> list[Landed]:
        found, self.landed = self.landed, []
        return found


class NoMeter:
    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class _NoBalances:
    """No balance is shown in these worlds."""

    def moved(self, *_: object) -> None: ...

    async def last_balance(self, *_: object) -> None:
        return None


class _Clock:
    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper

    def look(self) -> Moment:
        return Moment(self.stepper.place.now)


class Stepper(Driver):
    """The real driver, whose waiting is seen from outside, at one node of one state."""

    def __init__(self, ports: Ports, provider: Provider, keeps: int) -> None:
        super().__init__(ports, cast("Exchanges", _NoBalances()))
        self.place, self.provider = Place(), provider
        self.air = Flights(self)
        self.flights = self.air  # type: ignore[assignment]  # the same words, over the state
        self.clockwork = _Clock(self)  # type: ignore[assignment]  # the same words, over the state
        self.begun: tuple[str, ...] = ()
        self.results: dict[str, tuple[Outcome, str]] = {}  # of a batch: the outcome, and what undid it
        self.pending = ""
        self.to_look: list[str] = []  # movements that somebody begins to look at, with nobody waiting
        self.keeps = keeps
        self.kept: dict[object, tuple[Any, ...]] = {}  # pure work that was done, and the rows that it was done on
        self.content = msgspec.msgpack.Encoder().encode

    async def carry(self, errand: Any, order: Order) -> Carried:
        if order.wire.id not in self.results:
            raise Item(order)
        outcome, undone_by = self.results[order.wire.id]
        return Carried(outcome, order.wire, undone_by=undone_by)

    async def heard(self, errand: Any, told: Any) -> bool:
        held = await super().heard(errand, told)
        if not held:  # all of it is carried again
            self.results = {}
        return held

    async def undo(self, errand: Any, taken: Movement, batch: str) -> Movement | None:
        part = giving_back(taken)
        self.pending = f"undo {part.tx.id}"
        key = key_of(self.provider.dialect, "p", part.name, part.tx)
        self.begun = (key,) if self.pending in self.results else ()
        return await super().undo(errand, taken, batch)

    def nobody(self, setup: Setup, provider: Provider) -> Any:
        return Errand(setup, provider, None)

    async def bring(self, errand: Any, key: str, **more: Any) -> None:
        self.to_look.append(key)

    async def _look(self, errand: Any, key: str, asked: Asked | None, tried: frozenset[str]) -> Case | None:
        """The real look, made once of what it reads: the rows, the moment and the node."""
        rows = self.place.rows
        read = (key, self.node, self.place.now, *map(id, rows.values()))
        found = self.kept.get(read)
        if found is None:
            found = self.keep(read, (tuple(rows.values()), await super()._look(errand, key, None, frozenset())))
        case: Case | None = found[1]
        return replace(case, asked=asked, tried=tried) if case is not None else None

    async def _open(self, errand: Any, order: Order) -> Opened:
        """The real opening, made once of what it reads, and what it wrote then is written again."""
        rows = self.place.rows
        read = (self.content(order), errand.open, errand.seconds, self.node, self.place.now, *map(id, rows.values()))
        found = self.kept.get(read)
        if found is None:
            before = dict(rows)
            opened = await super()._open(errand, order)
            written = {key: m for key, m in rows.items() if before.get(key) is not m}
            found = self.keep(read, (tuple(before.values()), opened, written))
        rows.update(found[2])
        return cast("Opened", found[1])

    def keep(self, read: object, found: tuple[Any, ...]) -> tuple[Any, ...]:
        """A row that was written twice is one object (`DictJournal.same`), and is kept with what was made of it: so it
        goes by its address."""
        if len(self.kept) >= self.keeps:
            self.kept.clear()
        if self.keeps:
            self.kept[read] = found
        return found

    async def _carry_another(self, errand: Any, order: Order, *, waits: bool, tried: frozenset[str]) -> str | None:
        if self.begun:
            key, self.begun = self.begun[0], self.begun[1:]
            return key
        opened = await self._open(errand, order)
        if opened.case is None:
            return None
        raise Child(replace(opened.case, tried=tried), opened.move, waits)


async def never(*_: object) -> Any:
    raise AssertionError("nobody waits in these worlds")
