"""One seed, one history: everything starts, everything fails, the faults stop, and all must settle."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.engine.pipeline import Answer
from gateway.model import Kind
from gateway.play.book import Place
from tests.simulation.bench import Tally
from tests.simulation.draw import SKEW_MAX_SECONDS, Plan
from tests.simulation.network import OUTSIDE, Network
from tests.simulation.node import Line, Node
from tests.simulation.players import Actor, Story
from tests.simulation.scheduler import BEGIN, Scheduler
from tests.simulation.setups import next_setup, setup_of
from tests.simulation.tills import Till
from tests.simulation.watch import Seen, Watched

LIVENESS_SECONDS = 1800.0  # so long after the faults stopped everything must be settled
REFEREE_SECONDS = 5.0


Acts = Callable[[Actor], Coroutine[Any, Any, None]]
"""What a player does, where it is no play of chance."""
Script = Mapping[Kind, Sequence[str]]
"""What happens to the first requests of a kind at a wallet, where it is no fault of chance."""


class History(Watched):
    def __init__(
        self, plan: Plan, path: Path, *, dies_at: int = 0, acts: Acts | None = None, script: Script | None = None
    ) -> None:
        super().__init__(Scheduler(plan.seed), path)
        self.plan, self.dies_at = plan, dies_at
        self.acts, self.script = acts, dict(script or {})
        self.chance = random.Random(f"world/{plan.seed}")
        self.calm = False
        self.over = ""
        self.fired: Counter[str] = Counter()
        self.meter, self.answers = Tally(), list[Answer]()
        self.carried: dict[Line, tuple[list[Story], list[list[float]]]] = {}
        self.killed, self.points_when_done = 0, 0
        self.intact: set[tuple[str, Place]] = set()
        self.setup = setup_of(plan)
        players = sorted({f"p{n}" for p in plan.providers for n in range(1, p.players + 1)})
        self.tills = {
            w.name: Till(w, self.setup.wallets[w.name], players, self.fired) for w in plan.wallets
        }  # fmt: skip
        self.network = Network(self)
        self.journal = self.open_journal()
        self.nodes: list[Node | None] = [Node(self, f"node{n}", self.setup) for n in range(plan.nodes)]
        if plan.nodes > 1:
            self.fire("two_nodes")

    # -- what it is made of

    def undoes_wins(self, provider: str) -> bool:
        """Whether every wallet can undo a settle, or a win alone."""
        return all(w.dialect == "native" for w in self.plan.wallets)

    def until_due(self, least: float, most: float) -> float:
        wall = self.scheduler.now + self.scheduler.skew.total_seconds()
        soonest = min((row.due for row in self.rows.values() if row.due is not None), default=wall + most)
        return min(most if self.calm else 1.0, max(least, soonest - wall))

    # -- chance

    def hit(self, fault: str) -> bool:
        if self.calm or not self.plan.rates.get(fault) or self.chance.random() >= self.plan.rates[fault]:
            return False
        self.fire(fault)
        return True

    def lying(self, share: float) -> bool:
        return not self.calm and self.chance.random() < share

    def fire(self, name: str) -> None:
        self.fired[name] += 1

    def true_time(self) -> datetime:
        return BEGIN + timedelta(seconds=self.scheduler.now)

    # -- who is alive

    def some_node(self) -> Node | None:
        alive = [node for node in self.nodes if node is not None]
        return self.chance.choice(alive) if alive else None

    def cut_off(self, line: Line) -> None:
        """Its process died while it carried this call."""
        stories, spans = self.carried.get(line, ([], []))
        for story in stories:
            story.unread = True
        for span in spans:
            span[1] = min(span[1], self.scheduler.now)

    def unread(self, stories: list[Story]) -> None:
        for story in stories:
            story.unread = True

    def die(self, number: int = 0) -> None:
        node = self.nodes[number]
        if node is None:
            return
        self.event(f"{node.name} dies")
        self.dies_at = 0
        self.killed += 1
        node.kill()
        self.nodes[number] = None
        if not any(self.nodes):
            self.journal.abandon()
            self.journal_open = False
        self.scheduler.at(self.chance.uniform(0.2, 8.0), lambda: self.rise(number))

    journal_open = True

    def rise(self, number: int) -> None:
        if self.nodes[number] is not None:
            return
        if not self.journal_open:
            self.journal, self.journal_open = self.open_journal(), True
        self.nodes[number] = Node(self, f"node{number}", self.setup)
        self.event(f"node{number} is back")

    # -- the whole of it

    def play(self) -> None:
        self.scheduler.spawn(self._run(), OUTSIDE)
        self.scheduler.run(lambda: bool(self.over))
        self.over = self.over or "the heap ran empty"

    async def _run(self) -> None:
        scheduler = self.scheduler
        actors = [
            scheduler.spawn((self.acts or Actor.play)(Actor(self, plan, self.setup.providers[plan.name], number)))
            for plan in self.plan.providers for number in range(1, plan.players + 1)
        ]  # fmt: skip
        trouble = [scheduler.spawn(self._trouble(name)) for name in ("kill", "freeze", "skew", "reload", "mood")]
        while scheduler.now < self.plan.calm_after and not all(actor.done() for actor in actors):
            await scheduler.sleep(1.0)
        self.calm = True
        self.points_when_done = sum(node.points for node in self.nodes if node is not None)
        self.event("the faults stop")
        end = scheduler.now + LIVENESS_SECONDS
        while not all(task.done() for task in [*actors, *trouble]) or not self._quiet():
            await scheduler.sleep(REFEREE_SECONDS)
            if scheduler.now > end:
                self.over = "time is over"
                return
        self.over = "settled"

    def _quiet(self) -> bool:
        if self.scheduler.errors or not all(self.nodes):
            return not self.killed or bool(self.scheduler.errors)
        flights = any(node.engine.movements.flights or node.engine.asker.air for node in self.nodes if node)
        return not flights and all(row.due is None or self.waits_for_person(row) for row in self.rows.values())

    def waits_for_person(self, row: Seen) -> bool:
        """A win is not sent before a person has said what became of its bet (13), nor a cancel beside another."""
        if row.kind == "rollback" and row.target in self.rows:
            other = self.rows.get(self.rows[row.target].undone_by)
            return other is not None and other is not row and other.state == "person"
        bets = (
            r for r in self.rows.values() if (r.provider, r.player, r.round) == (row.provider, row.player, row.round)
        )
        return row.kind == "credit" and any(bet.kind == "debit" and bet.state == "person" for bet in bets)

    async def _trouble(self, name: str) -> None:
        happens = {
            "kill": self._kill, "freeze": self._freeze, "skew": self._skew, "reload": self._reload, "mood": self._mood
        }[name]  # fmt: skip
        while not self.calm:
            await self.scheduler.sleep(self.chance.uniform(1.0, 8.0))
            if not self.calm:
                await happens()

    async def _kill(self) -> None:
        if self.plan.rate("kill") and self.chance.random() < self.plan.rate("kill") * 2:
            self.fire("kill")
            self.die(self.chance.randrange(len(self.nodes)))

    async def _freeze(self) -> None:
        node = self.some_node()
        if node is None or not self.plan.rate("freeze") or self.chance.random() > self.plan.rate("freeze") * 2:
            return
        self.fire("freeze")
        self.event(f"{node.name} stands still")
        node.stop()
        await self.scheduler.sleep(self.chance.uniform(0.5, 20.0))
        node.go_on()
        self.event(f"{node.name} goes on")

    async def _skew(self) -> None:
        if self.hit("skew"):
            self.scheduler.skew = timedelta(seconds=self.chance.uniform(0, SKEW_MAX_SECONDS))
            self.event(f"the clock is {self.scheduler.skew.total_seconds():.1f} s ahead")

    async def _reload(self) -> None:
        if self.hit("reload"):
            self.setup = next_setup(self.setup, self.chance)
            for node in self.nodes:
                if node is not None:
                    node.setup = self.setup
            for name, till in self.tills.items():
                till.wallet = till.purse.wallet = self.setup.wallets[name]
            self.event(f"generation {self.setup.generation}: {[r.wallet for r in self.setup.routes]}")

    async def _mood(self) -> None:
        till = self.chance.choice(list(self.tills.values()))
        for mood in ("key_rotated", "refuses"):
            if self.plan.rate(mood) and self.chance.random() < self.plan.rate(mood) * 2:
                till.purse.mood = mood
                self.event(f"{till.plan.name}: {mood}")
                await self.scheduler.sleep(self.chance.uniform(1.0, 15.0))
                till.purse.mood = ""
                self.event(f"{till.plan.name} is itself again")
                return

    def close(self) -> None:
        """Nothing of it runs any more."""
        for task in list(self.scheduler._tasks):
            task.kill()
        if self.journal_open:
            self.journal.abandon()
