"""What a database runs for a change: looks, a conditional write, and what follows from them.

A change is a generator (`gateway.engine.journal.Change`). What it asks last goes together with the
commit, so that it costs no round trip of its own. What is decided here without a database (which
edges may be gone, which rows must still be as they were read) is decided for every journal alike,
that of the explorer included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.engine.journal import Ask, Change, Put, Steps, Write
from gateway.engine.movement import Movement, Step
from gateway.engine.states import EDGES, IllegalEdge
from gateway.journal import rows

T = TypeVar("T")
Row = tuple[Any, ...]


class Last(NamedTuple):
    """Of the journal's own changes: answered when the transaction is durable; nothing follows."""

    asks: Sequence[Ask]


class Alone(Change[T], Generic[T], frozen=True, kw_only=True):
    """One that changes rows without saying which: it shares no transaction."""


class Failed(NamedTuple):
    """What a change itself raised: it reaches whoever asked for it, and nobody else."""

    error: Exception


def last(asked: Any) -> bool:
    """Whether nothing may follow."""
    return isinstance(asked, Write | Last)


def write(*asks: Ask, key: str = "", repeatable: bool = True) -> Change[list[list[Row]]]:
    """A change that looks at nothing; its answer is what each query returned."""

    def steps(again: bool) -> Steps[list[list[Row]]]:
        return (yield Last(asks))  # type: ignore[misc, no-any-return]  # the journal's own step, which the engine does not know

    return Change(steps=steps, key=key, repeatable=repeatable)


# ---------------------------------------------------------------- what a write leans on


def allowed(write: Write) -> None:
    """Raises `IllegalEdge`: a movement was to go where no edge leads."""
    for before, after, _ in write.puts:
        if before.key != after.key:
            raise IllegalEdge(f"{before.key} was to become {after.key}")
        if before.decided:
            stands = (before.state, before.outcome, before.decided_at) == (after.state, after.outcome, after.decided_at)
            if not stands:
                raise IllegalEdge(f"{before.key}: decided, {before.state}")
        elif after.state not in EDGES[before.state]:
            raise IllegalEdge(f"{before.key}: no edge leads from {before.state} to {after.state}")


def leans_on(write: Write) -> list[Movement]:
    """The rows that must be as they were read."""
    return [*(put.before for put in write.puts), *write.touched, *write.leaned]


def raised(write: Write) -> list[Put]:
    """The rows whose revision is raised, each once: what is put, and what is touched besides."""
    if not write.touched:
        return list(write.puts)
    put = {each.before.key for each in write.puts}
    touched = {m.key: m for m in write.touched if m.key not in put}
    return [*write.puts, *(Put(m, m) for m in touched.values())]


def stands(write: Write, revisions: Mapping[str, int]) -> bool:
    """Whether everything that it leans on is still as it was read; a row that has gone is not."""
    return all(revisions.get(m.key) == m.revision for m in leans_on(write))


def at_once(write: Write) -> bool:
    """Whether its one statement is its own condition, or it has none."""
    if not write.puts:
        return (
            not write.touched and not write.leaned and {key for key, _ in write.steps} <= {m.key for m in write.insert}
        )
    return len(write.puts) == 1 and not (write.touched or write.leaned or write.steps or write.insert)


def keys(write: Write) -> list[str]:
    """What must not change before it is written, in the order in which everybody locks."""
    return sorted({m.key for m in leans_on(write)} | {key for key, _ in write.steps} - {m.key for m in write.insert})


# ---------------------------------------------------------------- as queries


def queries(write: Write, *, leased: bool) -> Iterator[Ask]:
    """Its statements. `leased`: the database's clock counts how long something lasts."""
    for before, after, lasts in raised(write):
        found = rows.changed(before, after)
        if leased and lasts is not None:
            found = {**found, "due_at": lasts // rows.MICROSECOND}
            query = f"lease {' '.join(name for name in found if name != 'due_at')}"
            values = [*(value for name, value in found.items() if name != "due_at"), found["due_at"]]
        else:
            query, values = f"put {' '.join(found)}", list(found.values())
        yield Ask(query.strip(), (*values, before.key, before.revision))
    lasts = write.lasts if leased else None
    for m in write.insert:
        due = rows.micros(m.due_at) if lasts is None else lasts // rows.MICROSECOND
        yield Ask("insert" if lasts is None else "insert_leased", rows.insert_values(m, due))
    if write.steps:
        yield from story(write.steps)


def story(steps: Iterable[tuple[str, Step]]) -> Iterator[Ask]:
    """Lines of stories, written while the rows are held."""
    found = list(steps)
    for key, step in found:
        detail = step.detail[: rows.DETAIL_MAX]
        yield Ask("step", (key, rows.micros(step.at), step.what.value, detail, key))
    for key in dict.fromkeys(key for key, _ in found):
        yield Ask("trim", (key, key))
