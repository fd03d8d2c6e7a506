"""Every history of a world up to a number of events, breadth first: so what is found is the shortest."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from gateway.engine.case import Ask, Case, Decide, Leave, Move, Query, Split, Tell, Wait
from gateway.engine.movement import Movement
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Kind, Outcome, Unknown
from tests.explore.stage import FIRED, PAUSE, POLL, Drive, Frame, Place, Stage, watch_rules
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
Event = tuple[str, Callable[[], Any], str]  # what happens, how, and which fault it uses


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


def events(stage: Stage, place: Place) -> Iterator[tuple[str, str, Callable[[Stage], Any], str]]:
    """(what, at which node, how, which fault it uses)."""
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


def _of_drive(
    place: Place, drive: Drive, left: dict[str, int]
) -> Iterator[tuple[str, str, Callable[[Stage], Any], str]]:
    who = f"{drive.name or 'settlement'}"
    number = drive.number
    if drive.outcome is not None:
        yield f"{who} is answered: {_word(drive.outcome)}", drive.node, (lambda s: s.answer(number, heard=True)), ""
        yield f"{who}: the answer is lost", drive.node, (lambda s: s.answer(number, heard=False)), "unheard"
        return
    top = drive.frames[-1]
    if not top.parked:
        yield f"{who}: {show(top.move, top.case)}", drive.node, (lambda s: s.go(number)), ""
    elif top.parked == POLL and place.rows[top.case.own.key].revision != top.case.own.revision:
        yield f"{who} looks again", drive.node, (lambda s: s.poll(number)), ""
    if drive.open and left["slow"]:
        yield f"{who}: the provider's time is over", drive.node, (lambda s: s.over(number)), "slow"


def _at_rest(place: Place, left: dict[str, int]) -> Iterator[tuple[str, str, Callable[[Stage], Any], str]]:
    for name, ahead in JUMPS.items():
        if left[name] and not place.drives and _matters(place, name):
            yield JUMPED[name], place.nodes[0], (lambda s, by=ahead: s.jump(by)), name
    for row in place.rows.values():
        if row.due_at is not None and row.due_at <= place.now:
            for node in place.nodes:
                yield f"settlement takes {row.key}", node, (lambda s, k=row.key: s.settle(k)), ""
        if row.state is State.PERSON and left["person"]:
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


# ---------------------------------------------------------------- shown


def show(move: Move | None, case: Case) -> str:
    """What a drive is about to do."""
    key = case.own.key
    match move:
        case Tell(outcome=outcome):
            return f"tells {key} {_word(outcome)}"
        case Decide(outcome=outcome):
            return f"decides {key} {_word(outcome)}"
        case Ask(first=first):
            return f"asks {key}{' as a first attempt' if first else ''}"
        case Query():
            return f"queries {key}"
        case Leave(state=state, note=note):
            return f"leaves {key} {state.value}" + (f" ({note})" if note else "")
        case Split(parts=parts):
            return f"opens {', '.join(p.name or 'a rollback' for p in parts)} of {key}"
        case _:
            return f"{type(move).__name__} {key}"


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Accepted):
        return "accepted"
    return outcome.reason.value if isinstance(outcome, Declined) else "unknown"


# ---------------------------------------------------------------- one state as a number


class Prints:
    """Of values that many states share, once. Cleared between levels: ids are used again."""

    def __init__(self, *, clock: bool) -> None:
        self.clock = clock
        self.rows: dict[int, tuple[Movement, int]] = {}
        self.frames: dict[int, tuple[Frame, int]] = {}
        self.reads: dict[int, tuple[Case, tuple[tuple[str, int], ...]]] = {}

    def clear(self) -> None:
        self.rows.clear()
        self.frames.clear()
        self.reads.clear()

    def row(self, m: Movement) -> int:
        found = self.rows.get(id(m))
        if found is None:
            fact = None if m.fact is None else (_word(m.fact.outcome), m.fact.query, _replayed(m.fact.outcome))
            outcome = None if m.outcome is None else (_word(m.outcome), str(getattr(m.outcome, "moved", None)))
            number = hash((
                m.key, m.state, m.attempts, m.asked_at is None, fact, m.target, m.undone_by, m.parent, m.batch,
                m.wallet, outcome, m.told, m.heard, m.note, m.owner,
            ))  # fmt: skip
            found = self.rows[id(m)] = (m, number)
        return found[1]

    def times(self, m: Movement, place: Place) -> tuple[object, ...]:
        now = place.now
        due = -1 if m.due_at is None else max(0, int((m.due_at - now).total_seconds()))
        if m.due_at is not None and due and not m.owner and due < PAUSE.total_seconds():
            due = 1
        if m.decided and not (self.clock and m.told == "unknown"):
            return (due,)
        asked = None if m.asked_at is None else min(now - m.asked_at, IN_FLIGHT)
        told = None if m.told_at is None else min(now - m.told_at, SILENT)
        return due, asked, told, now - m.created_at >= REMEMBERS, now - m.created_at >= timedelta(seconds=5)

    def frame(self, f: Frame) -> int:
        found = self.frames.get(id(f))
        if found is None:
            case, around = f.case, f.case.around
            asked = case.asked
            sizes = tuple(len(v) if isinstance(v, tuple) else repr(v) for v in (
                around.others, around.parts, around.bets, around.siblings, around.won, around.round_won,
                around.target_won, around.unclaimed, around.unclaiming, around.captured, getattr(around.restorer, "state", None),
            ))  # fmt: skip
            number = hash((
                case.own.key, self.row(case.own), f.waits, f.begun, f.parked, f.takes, f.share, f.opened,
                None if f.move is None else (show(f.move, case), type(f.move).__name__),
                None if asked is None else (asked.call, asked.again, asked.decided, asked.joined),
                case.turn, case.hopeless, case.tried, sizes,
            ))  # fmt: skip
            found = self.frames[id(f)] = (f, number)
        return found[1]

    def stale(self, case: Case, rows: dict[str, Movement]) -> tuple[str, ...]:
        """Which of the rows that a case was read from have changed since."""
        found = self.reads.get(id(case))
        if found is None:
            read = tuple((m.key, m.revision) for m in (case.own, *case.around.rows().values()))
            found = self.reads[id(case)] = (case, read)
        return tuple([key for key, revision in found[1] if rows[key].revision != revision])

    def place(self, place: Place) -> int:
        rows = place.rows
        drives = sorted(
            (
                d.node, d.name, d.open, _word(d.outcome) if d.outcome else "", d.pending, d.stalled,
                tuple((name, _word(outcome)) for name, outcome in d.results),
                tuple((self.frame(f), self.stale(f.case, rows)) for f in d.frames),
            )
            for d in place.drives
        )  # fmt: skip
        flown = sorted(
            (
                f.node, f.key, f.query, f.sent, f.open, f.young, f.name, f.ordinary, f.case.own.attempts,
                "" if f.answer is None else (_word(f.answer) + str(_replayed(f.answer))), str(place.now - f.began),
                self.stale(f.case, rows) if f.open else (),
            )
            for f in place.flown
        )  # fmt: skip
        return hash((
            frozenset([(self.row(m), self.times(m, place)) for m in rows.values()]),
            frozenset(place.purse.items()), tuple(drives), tuple(flown), frozenset(place.said.items()),
            frozenset(place.words.items()), frozenset(place.last.items()), tuple(place.left.values()), place.nodes,
        ))  # fmt: skip


def _replayed(outcome: Outcome) -> bool:
    return bool(getattr(outcome, "replayed", False))


# ---------------------------------------------------------------- the search


def explore(world: World, *, depth: int, states: int = 10**9) -> Result:
    """All histories of up to `depth` events, until so many states are seen or something is wrong."""
    gc.disable()  # states hold no circles, and there are very many
    try:
        result = _explored(world, depth, states)
    finally:
        gc.enable()
    result.fired = dict(FIRED)
    return result


def _explored(world: World, depth: int, states: int) -> Result:
    stage, result = Stage(world), Result(world=world.name)
    prints = Prints(clock=world.clock)
    first = stage.first()
    number = prints.place(first)
    seen: dict[int, tuple[int, str]] = {number: (0, "")}
    ends: set[int] = set()
    level: list[tuple[int, Place]] = [(number, first)]
    FIRED.clear()
    watch_rules()
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
                    after.left[fault] -= 1
                if isinstance(answer, Accepted | Declined):
                    label += f": {_word(answer)}"
                wrong = stage.wrong[0] if stage.wrong else wrong_step(place.rows, after.rows)
                if wrong:
                    return _found(result, seen, number, label, wrong)
                print_ = prints.place(after)
                if print_ in seen:
                    continue
                seen[print_] = (number, label)
                wrong = _rest(stage, prints, ends, after)
                if wrong:
                    result.states = len(seen)
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
        gc.collect()
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
            stage.node = held.node
            stage.go(held.number)
            continue
        f = next((f for f in place.flown if f.open), None)
        if f is None:
            assert not place.drives, "a drive waits for nothing"
            return
        answer = stage.arrive(f.number, refuse=False) if f.answer is None else f.answer
        stage.land(f.number, answer)
    raise AssertionError("settlement goes round in a circle")


def fixed(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(values)


__all__ = ["Kind", "Result", "Wait", "explore"]
