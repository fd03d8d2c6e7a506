"""Drives as data: what a drive holds is chosen by the rules, performed by the driver's own methods
(`tests/explore/stepper.py`), and put back, where it waits or has ended."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, cast

from msgspec.structs import replace

from gateway.engine import rules
from gateway.engine.batches import Batches
from gateway.engine.case import Ask, Case, Decide, First, Leave, Query, Rollback, Split, Tell, Wait
from gateway.engine.flights import Landed
from gateway.engine.movement import Movement
from gateway.engine.opening import Order, unheard_by
from gateway.engine.world import World as Ports
from gateway.model import Accepted, Declined, Outcome, Unknown
from tests.explore.journal import DictJournal
from tests.explore.place import POLL, Drive, Flown, Frame, Place, with_top
from tests.explore.stepper import KEPT, SHARE_SECONDS, Child, Errand, Item, NoMeter, Parked, Stepper, never
from tests.explore.truth import wrong_when_sent, wrong_when_told
from tests.explore.worlds import World
from tests.simulation.bench import at_once


class Drives:
    """The driver's loop, one move after the other, on a state that is put in and taken out. One for each world."""

    def __init__(self, world: World, keeps: int = KEPT) -> None:
        self.world, self.setup = world, world.setup()
        self.provider = self.setup.providers["p"]
        self.journal = DictJournal()
        self.place, self.node = Place(), "1"
        self.spawned: list[Coroutine[Any, Any, Any]] = []
        self.wrong: list[str] = []
        self.errands: dict[tuple[str, bool], Errand] = {}
        ports = Ports(
            clock=lambda: self.place.now, ticks=lambda: 0.0, nonce=lambda: "n", send=never, spawn=self._spawn,
            wait=never, sleep=never, journal=cast("Any", self.journal), meter=cast("Any", NoMeter()),
        )  # fmt: skip
        self.driver = Stepper(ports, self.provider, keeps)
        self.orders = {deed.name: deed for deed in world.deeds}

    def forget(self) -> None:
        """What was kept to be done once: it is much, and its world is done."""
        self.driver.kept.clear()
        self.journal.known.clear()

    def _spawn(self, coro: Coroutine[Any, Any, Any]) -> Any:
        self.spawned.append(coro)
        return None

    # -- between the state and the driver

    def enter(self, place: Place, node: str) -> None:
        self.place, self.node = place, node
        self.driver.node, self.driver.place, self.driver.to_look = node, place, []
        self.journal.rows = place.rows
        self.journal.stories = {}
        self.spawned = []

    def _errand(self, drive: Drive) -> Any:
        """Whoever has the same name and hears the same has the same errand, one after the other."""
        errand = self.errands.get((drive.name, drive.open))
        if errand is None:
            errand = self.errands[drive.name, drive.open] = Errand(self.setup, self.provider, drive)
        errand.keys = set(drive.keys)
        return errand

    def put(self, drive: Drive) -> None:
        """In its place; gone where nothing is left of it."""
        place = self.place
        rest = tuple(d for d in place.drives if d.number != drive.number)
        place.drives = (*rest, drive) if drive.frames or drive.outcome is not None else rest

    def _launch(self, coro: Any, drive: Drive, *, query: bool) -> Case:
        said = coro.cr_frame.f_locals
        coro.close()
        case: Case = said["case"]
        place = self.place
        flown = Flown(
            number=place.next(), node=self.node, key=case.own.key, query=query, tx=said["tx"], case=case,
            began=said.get("began", place.now), ordinary=said.get("ordinary", False), name=drive.name,
        )  # fmt: skip
        place.flown = (*place.flown, flown)
        if not query:
            self.wrong += wrong_when_sent(self.world, case.own, place.rows)
        return case

    # -- beginnings

    def _carry(self, drive: Drive, order: Order) -> None:
        """A movement is opened, or found, for a call."""
        opened = None
        while opened is None or opened.case is None:
            opened = at_once(self.driver._open(self._errand(drive), order))  # its own step
        case, move = opened.case, opened.move
        keys = drive.keys | ({case.own.key} if isinstance(move, Tell) and case.own.decided else set())
        drive = replace(drive, key=case.own.key, keys=keys)
        if case.asked is not None and case.asked.again and not case.own.decided:
            others = [d for d in self.place.drives if d.key == case.own.key and d.node == drive.node and d.name]
            case = replace(case, asked=replace(case.asked, joined=bool(others)))
        frame = Frame(case=case, waits=True, move=move, begun=isinstance(move, Ask))
        if isinstance(move, Ask | Tell):
            self._go(replace(drive, frames=(frame,)))
        else:
            self._hold(replace(drive, frames=(frame,)), frame)

    def _batch(self, drive: Drive) -> None:
        """The batch goes on, with what its items came to so far."""
        deed, driver = self.orders[drive.deed], self.driver
        driver.results = {name: (outcome, undone_by) for name, outcome, undone_by in drive.results}
        driver.pending = ""
        try:
            outcome = at_once(Batches(driver, "batch").carry(self._errand(drive), deed.items, atomic=True))
        except (Item, Child) as stop:
            stopped = stop.with_traceback(None)
        else:
            if drive.open:
                self._hears(replace(drive, frames=()), outcome)
            return
        drive = replace(drive, results=tuple((name, *result) for name, result in driver.results.items()))
        if isinstance(stopped, Child):
            frame = Frame(case=stopped.case, waits=stopped.waits)
            self._below(replace(drive, pending=driver.pending, frames=(frame,)), stopped)
            return
        under = replace(drive, pending=stopped.order.wire.id, frames=())
        if drive.open:
            self._carry(under, stopped.order)
        else:  # its time is over: the item goes on by itself
            self._carry(replace(under, number=self.place.next(), pending="", results=(), deed=""), stopped.order)
            self._batch(replace(drive, results=(*drive.results, (stopped.order.wire.id, Unknown(), ""))))

    def _begin_look(self, key: str) -> None:
        drive = Drive(number=self.place.next(), node=self.node)
        case = at_once(self.driver._look(self._errand(drive), key, None, frozenset()))  # its own step
        if case is not None:
            self._hold(drive, Frame(case=case, waits=False))

    # -- one drive

    def drive(self, number: int) -> Drive:
        return next(d for d in self.place.drives if d.number == number)

    def _hold(self, drive: Drive, frame: Frame) -> None:
        """What the rules choose by a case that was just read. Performed later, if it writes anything."""
        self.put(with_top(drive, frame))  # its own call counts as open from here on
        frame = self._chosen(drive, frame)
        drive, move = with_top(drive, frame), frame.move
        free = isinstance(move, First | Wait) or (isinstance(move, Tell) and _free(frame.case, drive))
        if free or not self.world.races:
            self._go(drive)
        else:
            self.put(drive)

    def _chosen(self, drive: Drive, frame: Frame) -> Frame:
        """The real choice, made once of what it looks at: the same rows as one look gathered them, the call, and
        what is in the air."""
        place, driver, case = self.place, self.driver, frame.case
        air = [(f.key, f.young) for f in place.flown if f.open and f.node == self.node]
        calls = [d.key for d in place.drives if d.name and d.frames and d.node == self.node]
        read = (
            id(case.own), id(case.around), id(case.memo), case.asked, case.tried, case.turn, case.hopeless, case.nobody,
            place.now, self.node, drive.name, drive.open, frame.waits, *air, *calls,
        )  # fmt: skip
        found = driver.kept.get(read)
        if found is None:
            timed = driver._timed(self._errand(drive), case, waits=frame.waits)  # its own step
            chosen = Frame(case=timed, waits=frame.waits, move=rules.next_move(timed))
            found = driver.keep(read, (case, chosen))
        return cast("Frame", found[1])

    def _go(self, drive: Drive) -> None:
        self.put(drive)
        errand = self._errand(drive)
        try:
            case, after, told = self._performed(errand, drive.frames[-1])
        except (Parked, Child) as stop:
            stopped = stop.with_traceback(None)  # and performed outside: what fails there must not hold on to this
        else:
            frame = replace(drive.frames[-1], case=case)
            self._went(replace(drive, keys=frozenset(errand.keys)), frame, after, told)
            return
        if isinstance(stopped, Parked):
            self._waits(drive, stopped)
        else:
            frame = drive.frames[-1]
            parent = replace(frame, opened=(*frame.opened, stopped.case.own.key))
            self._below(replace(drive, frames=(*drive.frames[:-1], parent, frame)), stopped)

    def _performed(self, errand: Any, frame: Frame) -> tuple[Case, Case | None, Outcome | None]:
        """The driver's own step: the case as it is then, the one that came of it, and what was told."""
        driver, case, move = self.driver, frame.case, frame.move
        driver.begun = frame.opened
        after: Case | None = None
        told: Outcome | None = None
        match move:
            case Tell(outcome=outcome):
                told = outcome if at_once(driver._hears(errand, case, outcome)) else None  # its own step
            case Decide(outcome=outcome):
                here = [d for d in self.place.drives if d.node == self.node]
                driver._driving = {f.case.own.key: 1 for d in here for f in d.frames}  # what it would count
                after = at_once(driver._decide(errand, case, outcome))  # its own step
            case Leave():
                told = at_once(driver._leave(errand, case, move))  # its own step
            case Ask(first=first):
                after = at_once(driver._ask(errand, case, first=first, begun=frame.begun))  # its own step
            case Query():
                after = at_once(driver._query(errand, case))  # its own step
            case Wait():
                raise Parked(POLL if move.poll else move.key, takes=move.key == case.own.key and not move.poll)
            case First(other=other):
                if not frame.opened:
                    part = other.parent == case.own.key
                    tried = case.tried | {case.own.key}
                    looked = at_once(driver._look(errand, other.key, None, tried))  # its own step
                    raise Child(looked, None, frame.waits and part)
                case = replace(case, tried=case.tried | {other.key})
            case Rollback():
                at_once(driver._roll_back(errand, case))  # its own step
            case Split():
                case = at_once(driver._split(errand, case, move, waits=frame.waits))  # its own step
        return case, after, told

    def _waits(self, drive: Drive, parked: Parked) -> None:
        frame, move = drive.frames[-1], drive.frames[-1].move
        if drive.stalled and isinstance(move, Ask | Query):  # its lease is looked at before bytes leave
            self._never_left(query=isinstance(move, Query))
            self._went(drive, frame, None, None)
            return
        case = self._sent(drive) or frame.case
        share = isinstance(move, Ask | Query) or (isinstance(move, Wait) and move.seconds <= SHARE_SECONDS)
        waits = replace(frame, case=case, parked=parked.key, takes=parked.takes, share=share, begun=False)
        self.put(with_top(drive, waits))

    def _below(self, drive: Drive, child: Child) -> None:
        """Another movement goes on first, in the top frame's place."""
        begun = isinstance(child.move, Ask)
        frame = Frame(case=child.case, waits=child.waits, move=child.move, begun=begun)
        if begun:
            self._go(with_top(drive, frame))
        else:
            self._hold(drive, frame)

    def _never_left(self, *, query: bool) -> None:
        for coro in [*self.spawned]:
            self.spawned.remove(coro)
            if coro.__name__ == "_attempt" and not query:
                asked: Movement = coro.cr_frame.f_locals["case"].own  # type: ignore[attr-defined]  # a coroutine of ours
                at_once(self.driver._never_left(asked, []))  # its own step
            coro.close()

    def _sent(self, drive: Drive) -> Case | None:
        for coro in [*self.spawned]:
            if coro.__name__ in ("_attempt", "_queried"):
                self.spawned.remove(coro)
                return self._launch(coro, drive, query=coro.__name__ == "_queried")
        return None

    def _went(self, drive: Drive, frame: Frame, after: Case | None, told: Outcome | None) -> None:
        """A move was performed: the next one follows, or the drive is over."""
        self._spawned()
        if told is not None:
            self._ended(drive, frame.case.own.key, told)
            return
        case = frame.case
        if isinstance(frame.move, Ask | Query):
            case = replace(case, turn=case.turn + 1)
        if after is None:
            again = at_once(self.driver._look_again(self._errand(drive), case))  # its own step
            self._hold(drive, replace(frame, case=again))
            return
        timed = self.driver._timed(self._errand(drive), after, waits=frame.waits)  # its own step
        onward = replace(frame, case=timed, move=rules.next_move(timed), begun=False, parked="", opened=())
        self._go(with_top(drive, onward))

    def _ended(self, drive: Drive, key: str, outcome: Outcome) -> None:
        frames = drive.frames[:-1]
        if frames:
            under = replace(drive, frames=frames)
            if isinstance(frames[-1].move, First):
                self._go(under)
            else:
                self.put(under)
            return
        if not drive.name:
            self.put(replace(drive, frames=()))
        elif drive.pending:
            self.put(replace(drive, frames=()))
            row = self.place.rows.get(drive.key)
            result = (drive.pending, outcome, row.undone_by if row is not None else "")
            self._batch(replace(drive, frames=(), pending="", results=(*drive.results, result)))
        elif not drive.open:
            at_once(self.driver.unheard(drive.key, drive.name))
            self.put(replace(drive, frames=()))
        elif self.place.left.get("unheard"):
            self.put(replace(drive, frames=(), outcome=outcome))
        else:
            self.put(replace(drive, frames=()))
            self._hears(drive, outcome)

    def _hears(self, drive: Drive, outcome: Outcome) -> None:
        word = "accepted" if isinstance(outcome, Accepted) else "unknown"
        if isinstance(outcome, Declined):
            word = "batch_declined" if self.orders[drive.deed].items else outcome.reason.value
        place = self.place
        names = self._names(drive)
        place.last = {**place.last, **dict.fromkeys(names, word)}
        if word != "unknown":
            heard = {name: place.words.get(name, ()) for name in names}
            place.words = {**place.words, **{n: (*had, word) for n, had in heard.items() if word not in had}}
        if not self.orders[drive.deed].items:
            row = place.rows[drive.key]
            self.wrong += wrong_when_told(row, word, place.words.get(drive.deed, ()), place.purse.get(row.alias))

    def _doubts(self, drive: Drive) -> None:
        """Doubt, or nothing, is the last word that its provider heard."""
        self.place.last = {**self.place.last, **dict.fromkeys(self._names(drive), "unknown")}

    def _names(self, drive: Drive) -> list[str]:
        """Of what its call is about."""
        return [drive.deed, *(item.id for item in self.orders[drive.deed].items)]

    def _spawned(self) -> None:
        """What was spawned meanwhile happens; what is looked at is looked at."""
        to_look = self.driver.to_look
        while self.spawned or to_look:
            if self.spawned:
                coro = self.spawned.pop(0)
                if coro.__name__ == "_note":
                    coro.close()
                else:
                    at_once(coro)
            else:
                self._begin_look(to_look.pop(0))

    def _resume(self, drive: Drive, landed: Sequence[Landed]) -> None:
        """What a drive waited for is there, or the time that it would wait is over."""
        frame, errand = drive.frames[-1], self._errand(drive)
        self.driver.air.landed = list(landed)
        after = at_once(self.driver._landed(errand, frame.case)) if frame.takes else None  # its own step
        self._went(drive, replace(frame, parked="", takes=False, share=False), after, None)


def _free(case: Case, drive: Drive) -> bool:
    """Whether hearing it writes nothing."""
    return not drive.open or not unheard_by(case)
