"""Both databases do what the explorer's dicts do, whatever is written in whatever order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test
from msgspec.structs import replace

from gateway.engine.journal import Ask, Journal, Look, Looks, Put, Write
from gateway.engine.movement import (
    Event,
    Fact,
    Movement,
    Step,
    begun,
    buried,
    carried,
    decided,
    doubted,
    left,
    not_left,
    told,
    unheard,
)
from gateway.engine.states import IllegalEdge, State
from gateway.journal.kept import KeptJournal
from gateway.journal.postgres import PostgresJournal
from gateway.journal.sqlite import SqliteJournal
from gateway.model import Accepted, Declined, Reason, Round
from tests.explore.journal import LOOKS, DictJournal
from tests.journal.homes import HOUR, bet, cancel, now, win, writing
from tests.postgres import Server

MINUTE = timedelta(minutes=1)
IDS = st.sampled_from(["1", "2", "3"])
NODES = st.sampled_from(["n-1", "n-2", ""])
CALLS = st.sampled_from(["c-1", "c-2"])
DUES = st.sampled_from([None, -HOUR, HOUR])
YES, NO = Accepted(balance=Decimal(5), currency="EUR"), Declined(reason=Reason.TRANSACTION_NOT_FOUND)
OUTCOMES = st.sampled_from([YES, Accepted(moved=Decimal("2.50")), NO])
_examples = itertools.count(1)


def _due(after: timedelta | None) -> Any:
    return None if after is None else now() + after


CHANGES: st.SearchStrategy[Callable[[Movement], Movement]] = st.one_of(
    st.builds(lambda node, first: lambda m: begun(m, now(), node, first=first), NODES, st.booleans()),
    st.just(lambda m: not_left(m, m.asked_at)),
    st.builds(lambda node: lambda m: carried(m, node), NODES),
    st.builds(lambda outcome, call: lambda m: decided(m, outcome, now(), call), OUTCOMES, CALLS),
    st.builds(lambda call: lambda m: told(m, call, now()), CALLS),
    st.builds(lambda call: lambda m: unheard(m, call, now()), CALLS),
    st.just(lambda m: doubted(m, now())),
    st.just(lambda m: buried(m, "by", NO, now())),
    st.builds(
        lambda state, due: lambda m: left(m, state, "why", _due(due)), st.sampled_from([*State][1:4]), DUES
    ),
    st.builds(lambda target: lambda m: replace(m, target=target, undone_by=target), IDS),
    st.builds(lambda yes: lambda m: replace(m, fact=Fact(outcome=yes, began=now()), wallet="", tries=m.tries + 1), OUTCOMES),
    st.just(lambda m: replace(m, key="another")),
)  # fmt: skip


class Journals(RuleBasedStateMachine):
    """One write at a time, to the model and to both journals; the rows are compared after each."""

    rows = Bundle("rows")  # as they were read: what was read long ago may be stale

    def __init__(self, runner: asyncio.Runner, journals: list[KeptJournal]) -> None:
        super().__init__()
        self.runner, self.kept, self.model = runner, journals, DictJournal()
        self.provider = f"provider-{next(_examples)}"

    @property
    def all(self) -> list[Journal]:
        return [self.model, *self.kept]

    @rule(
        target=rows,
        make=st.sampled_from([bet, win, cancel]),
        id=IDS,
        reference=IDS,
        round=st.sampled_from(["", "r-1", "r-2"]),
        player=st.sampled_from(["anna", "bob"]),
        parent=st.sampled_from(["", "", "whole"]),
        wide=st.booleans(),
        fields=st.fixed_dictionaries({"batch": st.sampled_from(["", "k"]), "ours": st.booleans(), "place": IDS}),
        touched=st.lists(rows, max_size=2),
    )
    def insert(self, make: Any, id: str, reference: str, round: str, touched: list[Movement], **said: Any) -> Any:
        kept = {"player": said["player"], "parent": said["parent"], "round": Round(round) if round else None}
        scope = {"scope": "round" if said["wide"] else "transaction"}
        m = make(reference, id, **kept, **scope) if make is cancel else make(id, **kept)
        key = f"{self.provider}/{m.kind.value}/{m.tx.id}{said['parent']}"
        m = replace(m, provider=self.provider, key=key, wallet=f"{self.provider}-{reference}", **said["fields"])
        if key in self.model.rows:
            return multiple()
        self._write(Write(insert=(m,), touched=tuple(touched), steps=((key, self._line()),)))
        return self.model.rows[key] if key in self.model.rows else multiple()

    @rule(
        target=rows,
        puts=st.lists(st.tuples(rows, CHANGES), max_size=3, unique_by=lambda put: put[0].key),
        touched=st.lists(rows, max_size=2),
        leaned=st.lists(rows, max_size=2),
        fresh=st.booleans(),
        lines=st.booleans(),
    )
    def change(
        self, puts: Sequence[Any], touched: list[Movement], leaned: list[Movement], fresh: bool, lines: bool
    ) -> Any:
        read: Callable[[Movement], Movement] = (lambda m: self.model.rows[m.key]) if fresh else (lambda m: m)
        made = tuple(Put(read(m), change(read(m))) for m, change in puts)
        steps = tuple((put.before.key, self._line()) for put in made) if lines else ()
        self._write(Write(puts=made, touched=tuple(map(read, touched)), leaned=tuple(map(read, leaned)), steps=steps))
        return multiple(*(self.model.rows[put.before.key] for put in made))

    @rule(owner=NODES.filter(bool), most=st.integers(1, 3), names=st.sets(IDS))
    def take_due(self, owner: str, most: int, names: set[str]) -> None:
        at, wallets = now(), {f"{self.provider}-{name}": most for name in names}
        found = [self._run(journal.take_due(at, owner, HOUR, wallets)) for journal in self.all]
        for taken in found[1:]:
            same(taken, found[0])
        self._compare()

    @rule(id=IDS, round=st.sampled_from(["", "r-1", "r-2"]), player=st.sampled_from(["anna", "bob"]))
    def look(self, id: str, round: str, player: str) -> None:
        here = (self.provider, player, round)
        values: dict[str, tuple[Any, ...]] = {name: here for name in LOOKS if name.startswith("round_")}
        values |= {
            "round_bets": (*here, 2),
            "round_undoing": (*here, "whole"),
            "round_last": (*here, ""),
            "latest": (*here[:2], ""),
            "aimed": (id,),
            "parts": ("whole",),
            "batch": ("",),
        }
        values |= dict.fromkeys(("found", "naming"), (self.provider, id))
        values |= {"naming_wins": (self.provider, id, player)}

        def looks() -> Looks[list[list[Movement]]]:
            return (yield Look(tuple(Ask(name, given) for name, given in values.items())))

        found = [self._run(journal.look(looks())) for journal in self.all]
        for answers in found[1:]:
            for name, answer, expected in zip(values, answers, found[0], strict=True):
                if name == "naming_wins":  # whether there is one; which of them says nothing
                    assert bool(answer) is bool(expected)
                    continue
                mine = [m for m in answer if m.provider == self.provider]
                same(mine, [m for m in expected if m.provider == self.provider], name)

    # -- comparing

    def _line(self) -> Step:
        return Step(now(), Event.LOOKED, "x")

    def _write(self, write: Write) -> None:
        found = [self._run(_answer(journal, write)) for journal in self.all]
        assert found[1:] == found[:1] * len(self.kept), write
        self._compare()

    def _run(self, work: Any) -> Any:
        return self.runner.run(work)

    def _compare(self) -> None:
        unresolved = self._run(self.model.unresolved())
        for journal in self.kept:
            mine = [each for each in self._run(journal.unresolved()) if each.provider == self.provider]
            assert mine == unresolved
            for key, expected in self.model.rows.items():
                same([self._run(journal.get(key))], [expected])
                assert self._run(journal.story(key)) == self._run(self.model.story(key))


async def _answer(journal: Journal, write: Write) -> Any:
    try:
        return await journal.make(writing(write))
    except IllegalEdge as error:
        return str(error)


def same(found: Sequence[Movement], expected: Sequence[Movement], what: str = "") -> None:
    """A lease ends by the database's own clock."""
    plain = [[replace(m, due_at=None, lease_over=None) for m in side] for side in (found, expected)]
    assert plain[0] == plain[1], what
    for one, other in zip(found, expected, strict=True):
        assert (one.due_at is None) == (other.due_at is None)
        assert one.due_at is None or other.due_at is None or abs(one.due_at - other.due_at) < MINUTE


def test_both_databases_do_what_plain_dicts_do(tmp_path: Path, postgres: Server) -> None:
    """What is explored over dicts holds where the money is: the same writes hold, the same rows are there."""

    async def started() -> list[KeptJournal]:
        url = postgres.create("model")
        return [await SqliteJournal.start(str(tmp_path / "model.db"), now()), await PostgresJournal.start(url)]

    with asyncio.Runner() as runner:
        journals = runner.run(started())
        try:
            machine: Any = lambda: Journals(runner, journals)  # noqa: E731  # hypothesis asks for a class, and calls it
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            for journal in journals:
                runner.run(journal.close())
