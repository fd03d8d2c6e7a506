"""One state as a number: of two states with one number the same can happen, and the same is judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from gateway.engine.case import Around, Ask, Case, Decide, Leave, Move, Query, Split, Tell
from gateway.engine.movement import Movement
from gateway.model import Accepted, Declined, Outcome
from tests.explore.place import PAUSE, Drive, Flown, Frame, Place
from tests.explore.worlds import IN_FLIGHT, REMEMBERS, SILENT

SECOND = timedelta(seconds=1)
A_WHILE = timedelta(seconds=5)


def show(move: Move | None, case: Case) -> str:
    """What a drive is about to do."""
    key = case.own.key
    match move:
        case Tell(outcome=outcome):
            return f"tells {key} {word(outcome)}"
        case Decide(outcome=outcome):
            return f"decides {key} {word(outcome)}"
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


def word(outcome: Outcome) -> str:
    """What it comes to."""
    if isinstance(outcome, Accepted):
        return "accepted"
    return outcome.reason.value if isinstance(outcome, Declined) else "unknown"


class Prints:
    """Values are frozen, and many states share them: the number of each is made once, and found by its address."""

    def __init__(self, *, clock: bool) -> None:
        self.clock = clock
        self.kept: dict[int, tuple[object, Any]] = {}
        self.times: dict[tuple[int, datetime], int] = {}

    def clear(self) -> None:
        self.times.clear()  # before what it says is let go: addresses are used again
        self.kept.clear()

    def _once(self, value: Any, make: Callable[[Any], Any]) -> Any:
        found = self.kept.get(id(value))
        if found is None:
            found = self.kept[id(value)] = (value, make(value))
        return found[1]

    # -- rows

    def row(self, m: Movement) -> int:
        number: int = self._once(m, _row)
        return number

    def timed(self, m: Movement, now: datetime) -> int:
        """A row and what its moments mean by now."""
        at = (id(m), now)
        found = self.times.get(at)
        if found is None:
            found = self.times[at] = hash((self.row(m), self._times(m, now)))
        return found

    def _times(self, m: Movement, now: datetime) -> tuple[object, ...]:
        due = -1 if m.due_at is None else max(0, (m.due_at - now) // SECOND)
        if m.due_at is not None and due and not m.owner and m.due_at - now < PAUSE:
            due = 1
        if m.decided and not (self.clock and m.told == "unknown"):
            return (due,)
        asked = None if m.asked_at is None else min(now - m.asked_at, IN_FLIGHT)
        told = None if m.told_at is None else min(now - m.told_at, SILENT)
        return due, asked, told, now - m.created_at >= REMEMBERS, now - m.created_at >= A_WHILE

    # -- drives

    def frame(self, f: Frame) -> int:
        number: int = self._once(f, self._frame)
        return number

    def _frame(self, f: Frame) -> int:
        case, asked = f.case, f.case.asked
        return hash((
            case.own.key, self.row(case.own), f.waits, f.begun, f.parked, f.takes, f.share, f.opened,
            None if f.move is None else (show(f.move, case), type(f.move).__name__),
            None if asked is None else (asked.call, asked.again, asked.decided, asked.joined),
            case.turn, case.hopeless, case.tried, self._once(case.around, _around)[0],
        ))  # fmt: skip

    def stale(self, case: Case, rows: dict[str, Movement]) -> tuple[str, ...]:
        """Which of the rows that a case was read from have changed since."""
        own, others = case.own, self._once(case.around, _around)[1]
        changed = [key for key, revision in others if rows[key].revision != revision]
        return (own.key, *changed) if rows[own.key].revision != own.revision else tuple(changed)

    def _drive(self, d: Drive) -> tuple[Any, ...]:
        return (
            d.node, d.name, d.open, word(d.outcome) if d.outcome else "", d.pending, d.stalled,
            tuple((name, word(outcome), undone_by) for name, outcome, undone_by in d.results), tuple(self.frame(f) for f in d.frames),
        )  # fmt: skip

    # -- the whole

    def place(self, place: Place) -> int:
        rows, now = place.rows, place.now
        drives = [
            (self._once(d, self._drive), *[self.stale(f.case, rows) for f in d.frames]) for d in place.drives
        ]  # fmt: skip
        flown = [
            (self._once(f, _flown), now - f.began, self.stale(f.case, rows) if f.open else ()) for f in place.flown
        ]  # fmt: skip
        drives.sort()
        flown.sort()
        return hash((
            frozenset([self.timed(m, now) for m in rows.values()]), tuple(drives), tuple(flown),
            self._once(place.purse, _items), self._once(place.said, _items), self._once(place.words, _items),
            self._once(place.last, _items), tuple(place.left.values()), place.nodes,
        ))  # fmt: skip


def _row(m: Movement) -> int:
    fact = None if m.fact is None else (word(m.fact.outcome), m.fact.query, _replayed(m.fact.outcome))
    outcome = None if m.outcome is None else (word(m.outcome), str(getattr(m.outcome, "moved", None)))
    return hash((
        m.key, m.state, m.attempts, m.asked_at is None, fact, m.target, m.undone_by, m.parent, m.batch,
        m.wallet, outcome, m.told, m.heard, m.note, m.owner,
    ))  # fmt: skip


def _around(around: Around) -> tuple[tuple[object, ...], list[tuple[str, int]]]:
    """How much is there, and what was read."""
    many = (around.others, around.parts, around.bets, around.siblings, around.round_undoing)
    one = (around.won, around.target_won, around.unclaimed, around.unclaiming, around.ended)
    sizes = [len(each) if isinstance(each, tuple) else -1 for each in many]
    read = [(m.key, m.revision) for m in (*around.rows().values(), *around.refused)]
    return (*sizes, *one, getattr(around.restorer, "state", None)), read


def _flown(f: Flown) -> tuple[Any, ...]:
    said = "" if f.answer is None else f"{word(f.answer)}{_replayed(f.answer)}"
    return (f.node, f.key, f.query, f.sent, f.open, f.young, f.name, f.ordinary, f.case.own.attempts, said)


def _items(values: dict[Any, Any]) -> int:
    return hash(frozenset(values.items()))


def _replayed(outcome: Outcome) -> bool:
    return bool(getattr(outcome, "replayed", False))
