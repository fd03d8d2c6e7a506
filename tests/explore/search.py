"""Every history of a world up to a number of events, breadth first: so what is found is the shortest."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from gateway.engine.states import State
from gateway.model import Accepted, Declined, Unknown
from tests.explore.place import PAUSE, POLL, Drive, Place
from tests.explore.prints import Prints, show, word
from tests.explore.spoken import noticing
from tests.explore.stage import Stage
from tests.explore.stepper import KEPT
from tests.explore.truth import wrong_at_rest, wrong_step
from tests.explore.worlds import IN_FLIGHT, REMEMBERS, SILENT, World

JUMPS = {"leases": PAUSE, "lands": IN_FLIGHT, "silent": SILENT, "forgets": REMEMBERS}
JUMPED = {
    "leases": "a minute passes: leases and pauses are over",
    "lands": "two minutes pass: what is not there by now never will be",
    "silent": "ten minutes of silence",
    "forgets": "two days pass: the wallet forgets",
}
TO_THE_END = (PAUSE, PAUSE, IN_FLIGHT, PAUSE, PAUSE, SILENT, PAUSE, PAUSE, IN_FLIGHT, PAUSE, PAUSE)
Event = tuple[str, str, Callable[[Stage], Any], str]
"""What happens, at which node, how, and which fault it uses."""


class Result(Struct, kw_only=True):
    """What the exploration of one world came to."""

    world: str
    states: int = 0
    steps: int = 0
    depth: int = 0
    complete: bool = False  # nothing was left to try
    fired: dict[str, int] = {}
    violation: str = ""
    history: list[str] = []


# ---------------------------------------------------------------- what may happen


def events(stage: Stage, place: Place) -> Iterator[Event]:
    """All that may happen next."""
    left, world = place.left, stage.world
    for drive in place.drives:
        yield from _of_drive(place, drive, left)
    for f in place.flown:
        name = f"{'query about' if f.query else 'attempt of'} {f.key}"
        if not f.sent:
            yield f"{name} arrives", f.node, (lambda s, n=f.number: s.arrive(n, refuse=False)), ""
            if left["refuses"] and not f.query:
                yield f"{name} arrives, refused", f.node, (lambda s, n=f.number: s.arrive(n, refuse=True)), "refuses"
        if not f.open:
            continue
        if f.answer is not None:
            yield f"{name} is answered", f.node, (lambda s, n=f.number: s.land(n, s.flight(n).answer)), ""
        if left["lost"]:
            yield f"{name}: no answer comes", f.node, (lambda s, n=f.number: s.land(n, Unknown())), "lost"
            if not f.sent and not f.query:
                yield (
                    f"{name}: nothing was sent", f.node,
                    (lambda s, n=f.number: s.land(n, Unknown(), left=False)), "lost",
                )  # fmt: skip
        if f.young and left["slow"]:
            yield f"{name} takes long", f.node, (lambda s, n=f.number: s.age(n)), "slow"
    for deed in world.deeds:
        if _may(place, world, deed):
            for node in place.nodes if place.said else place.nodes[:1]:
                times = " again" if place.said.get(deed.name) else ""
                yield f"the provider sends {deed.name}{times}", node, (lambda s, d=deed.name: s.call(d, s.node)), ""
    if left["stalls"] and place.drives and not any(f.open for f in place.flown):
        for node in place.nodes:
            if any(d.node == node for d in place.drives):
                yield "the process stands still for a minute", node, (lambda s: s.stall()), "stalls"
    if left["dies"]:
        for node in place.nodes:
            if any(d.node == node for d in place.drives):
                yield "the process dies", node, (lambda s: s.die(s.node)), "dies"
    if not any(f.open for f in place.flown) and all(d.stalled for d in place.drives):
        yield from _at_rest(place, left)


def _of_drive(place: Place, drive: Drive, left: dict[str, int]) -> Iterator[Event]:
    who = f"{drive.name or 'settlement'}"
    number = drive.number
    if drive.outcome is not None:
        yield f"{who} is answered: {word(drive.outcome)}", drive.node, (lambda s: s.answer(number, heard=True)), ""
        yield f"{who}: the answer is lost", drive.node, (lambda s: s.answer(number, heard=False)), "unheard"
        return
    top = drive.frames[-1]
    if not top.parked:
        yield f"{who}: {show(top.move, top.case)}", drive.node, (lambda s: s.go(number)), ""
    elif top.parked == POLL and place.rows[top.case.own.key].revision != top.case.own.revision:
        yield f"{who} looks again", drive.node, (lambda s: s.poll(number)), ""
    if drive.open and left["slow"]:
        yield f"{who}: the provider's time is over", drive.node, (lambda s: s.over(number)), "slow"


def _at_rest(place: Place, left: dict[str, int]) -> Iterator[Event]:
    for name, ahead in JUMPS.items():
        if left[name] and not place.drives and _matters(place, name):
            yield JUMPED[name], place.nodes[0], (lambda s, by=ahead: s.jump(by)), name
    for row in place.rows.values():
        if row.due_at is not None and row.due_at <= place.now:
            for node in place.nodes:
                yield f"settlement takes {row.key}", node, (lambda s, k=row.key: s.settle(k)), ""
        on_its_way = any(f.key == row.key and not f.sent for f in place.flown)  # no wallet's book shows that it comes
        if row.state is State.PERSON and left["person"] and not on_its_way:
            yield f"a person resolves {row.key}", place.nodes[0], (lambda s, k=row.key: s.person(k)), "person"


def _matters(place: Place, name: str) -> bool:
    if not place.rows:
        return False
    open_ones = [m for m in place.rows.values() if not m.decided or m.due_at is not None]
    if name == "leases":
        return any(m.due_at is not None and m.due_at > place.now for m in open_ones)
    return bool(open_ones)


def _may(place: Place, world: World, deed: Any) -> bool:
    said = place.said.get(deed.name, 0)
    if said >= deed.times or not all(place.said.get(name) for name in deed.after):
        return False
    return not said or world.overlap or not any(d.deed == deed.name and d.open for d in place.drives)


# ---------------------------------------------------------------- the search


def explore(world: World, *, depth: int, states: int = 10**9, keeps: int = KEPT) -> Result:
    """All histories of up to `depth` events, until so many states are seen or something is wrong. `keeps`: how much of
    the engine's pure work is done once."""
    fired, stage = Counter[str](), Stage(world, keeps)
    gc.disable()  # states hold no circles, and there are very many
    try:
        with noticing(fired):
            result = _explored(stage, depth, states)
    finally:
        stage.forget()
        gc.enable()
    result.fired = dict(fired)
    return result


def _explored(stage: Stage, depth: int, states: int) -> Result:
    world = stage.world
    result = Result(world=world.name)
    prints = Prints(clock=world.clock)
    first = stage.first()
    number = prints.place(first)
    seen: dict[int, tuple[int, str]] = {number: (0, "")}
    ends: set[int] = set()
    level: list[tuple[int, Place]] = [(number, first)]
    for result.depth in range(1, depth + 1):
        following: list[tuple[int, Place]] = []
        for number, place in level:
            for what, node, how, fault in events(stage, place):
                after = place.copy()
                stage.enter(after, node)
                result.steps += 1
                label = f"{what} [{node}]"
                try:
                    answer = how(stage)
                except Exception as error:  # whatever it is, its history is what is wanted
                    return _found(result, seen, number, label, f"CRASH: {type(error).__name__}: {error}")
                if answer is False:
                    continue
                if fault:
                    after.left = {**after.left, fault: after.left[fault] - 1}
                if isinstance(answer, Accepted | Declined):
                    label += f": {word(answer)}"
                wrong = stage.wrong[0] if stage.wrong else wrong_step(place.rows, after.rows)
                if wrong:
                    return _found(result, seen, number, label, wrong)
                print_ = prints.place(after)
                if print_ in seen:
                    continue
                seen[print_] = (number, label)
                wrong = _rest(stage, prints, ends, after)
                if wrong:
                    return _found(result, seen, number, label, wrong)
                following.append((print_, after))
            if len(seen) >= states:
                result.states = len(seen)
                return result
        result.states = len(seen)
        if not following:
            result.complete = True
            return result
        level = following
        prints.clear()
    return result


def _found(result: Result, seen: dict[int, tuple[int, str]], number: int, last: str, what: str) -> Result:
    lines = [last]
    while seen[number][1]:
        number, line = seen[number]
        lines.append(line)
    result.states, result.violation, result.history = len(seen), what, list(reversed(lines))
    # `lines` names each state by the event that led to it
    return result


def _rest(stage: Stage, prints: Prints, ends: set[int], place: Place) -> str:
    """Where nothing is under way: whether all that is open can be brought to an end, and adds up there."""
    if place.drives or any(f.open for f in place.flown) or any(not f.sent for f in place.flown):
        return ""
    calm = place.copy()
    calm.left = dict.fromkeys(calm.left, 0)
    number = prints.place(calm)
    if number in ends:
        return ""
    ends.add(number)
    try:
        settled(stage, calm)
    except Exception as error:  # whatever it is, its history is what is wanted
        return f"CRASH when it settles: {type(error).__name__}: {error}"
    if stage.wrong:
        return stage.wrong[0] + " (when it settles)"
    return wrong_at_rest(stage.world, calm)


def settled(stage: Stage, place: Place) -> None:
    """The faults have stopped: settlement runs to a fixed point."""
    node = place.nodes[0]
    stage.enter(place, node)
    for ahead in (*TO_THE_END, REMEMBERS, PAUSE, PAUSE, PAUSE, PAUSE):
        if not any(m.due_at is not None for m in place.rows.values()):
            return
        stage.jump(ahead)
        due = [m.key for m in place.rows.values() if m.due_at is not None and m.due_at <= place.now]
        for key in due:
            row = place.rows[key]
            if row.due_at is not None and row.due_at <= place.now:
                stage.settle(key)
                _run(stage, place)


def _run(stage: Stage, place: Place) -> None:
    """Everything that was begun, to its end, with a wallet that answers at once."""
    for _ in range(500):
        held = next((d for d in place.drives if d.frames and not d.frames[-1].parked), None)
        if held is not None:
            stage.go(held.number)
            continue
        f = next((f for f in place.flown if f.open), None)
        if f is None:
            assert not place.drives, "a drive waits for nothing"
            return
        answer = stage.arrive(f.number, refuse=False) if f.answer is None else f.answer
        stage.land(f.number, answer)
    raise AssertionError("settlement goes round in a circle")
