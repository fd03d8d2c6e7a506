"""One seed, one history: everything starts, everything fails, the faults stop, and all must settle."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from gateway.engine.journal import JournalLost, Listing
from gateway.engine.pipeline import Answer
from gateway.engine.setup import Setup
from gateway.model import Kind
from gateway.play.book import Place
from tests.simulation import pages
from tests.simulation.bench import Tally, at_once
from tests.simulation.draw import Plan
from tests.simulation.network import OUTSIDE, Network
from tests.simulation.node import Line, Node
from tests.simulation.players import Actor, Story
from tests.simulation.scheduler import BEGIN, Scheduler
from tests.simulation.seam import busy
from tests.simulation.setups import ELSEWHERE, a_launch, at, setup_of
from tests.simulation.tills import Till
from tests.simulation.trouble import TRIES_MAX, Happens, copied, resolve, truth
from tests.simulation.trouble import of as troubles_of
from tests.simulation.watch import DECIDED, Seen, Watched

LIVENESS_SECONDS = 3600.0
"""So long after the faults stopped everything must be settled: a settle's win, its cancel and its own undoing may each
wait, one after the other, until its wallet remembers nothing, and then for a person (seed 211525)."""
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
        self.calm, self.calm_at = False, float("inf")
        self.over = ""
        self.fired: Counter[str] = Counter()
        self.meter, self.answers = Tally(), list[Answer]()
        self.carried: dict[Line, tuple[list[Story], list[list[float]]]] = {}
        self.killed, self.points_when_done = 0, 0
        self.intact: set[tuple[str, Place]] = set()
        self._setup = setup_of(plan)
        players = sorted({f"p{n}" for p in plan.providers for n in range(1, p.players + 1)})
        self.tills = {
            w.name: Till(w, self.setup.wallets[w.name], players, self.fired, self.true_time) for w in plan.wallets
        }  # fmt: skip
        if plan.rate("moved"):
            for w in plan.wallets:
                there = replace(w, name=f"{w.name}{ELSEWHERE}")
                self.tills[there.name] = Till(there, self.setup.wallets[w.name], players, self.fired, self.true_time)
        if plan.rate("late_commit") or plan.rate("failed_commit"):
            self.scheduler.forgives = (JournalLost,)  # a process logs it, and goes on from what is durable
        self.skewed = self.stepped = timedelta(0)
        self.clock_set: list[tuple[float, datetime]] = []  # when the clock was set, and what it showed before
        self.leaps: list[tuple[float, timedelta]] = []  # when it was set, by how much ahead
        self.slept: list[tuple[float, float]] = []  # from when to when a machine was paused
        self.begun: list[tuple[float, datetime]] = []  # when a process began, and what the clock showed
        self.away = ""  # the wallet that the configuration of just now lacks, or has elsewhere
        self.restored: float | None = None
        self.touched: set[str] = set()  # what the loss of commits changed
        self.resolved: set[str] = set()
        self.tried: Counter[str] = Counter()  # how often a person was refused who wanted to resolve it
        self.setup = self._setup
        self.network = Network(self)
        self.journal = self.open_journal()
        self._hand_over()
        self.nodes: list[Node | None] = [Node(self, f"node{n}", self.setup) for n in range(plan.nodes)]
        if plan.nodes > 1:
            self.fire("two_nodes")

    def _hand_over(self) -> None:
        """The operator's platform tells of the launches that some pages need (rule 22)."""
        now = self.scheduler.clock()
        for plan in self.plan.providers:
            for number in range(1, plan.players + 1) if plan.launched else ():
                session = a_launch(self.setup.providers[plan.name], f"p{number}", now)
                at_once(self.journal.learn(session, handed_over=True))

    # -- what it is made of

    @property
    def setup(self) -> Setup:
        return self._setup

    @setup.setter
    def setup(self, setup: Setup) -> None:
        self._setup = setup
        self.where = {name: at(wallet.url) for name, wallet in setup.wallets.items()}
        for name, till in self.where.items():
            if self.pointed.setdefault(name, [till])[-1] != till:
                self.pointed[name].append(till)

    def undoes_wins(self, provider: str) -> bool:
        """Whether every wallet can undo a settle, or a win alone."""
        return all(Kind.CREDIT in self.tills[w.name].wallet.dialect.as_wallet.undoes for w in self.plan.wallets)

    @property
    def forgetful(self) -> bool:
        """Whether the journal may forget what it had said: nobody can tell then what is another movement."""
        return self.plan.rate("lost_commits") > 0

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

    def all_die(self) -> None:
        """Nobody holds the journal any more."""
        for number in range(len(self.nodes)):
            self.die(number)
        if self.journal_open:  # it was put back, and nobody had risen yet
            self.journal.abandon()
            self.journal_open = False

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
        trouble = [scheduler.spawn(self._trouble(happens)) for happens in troubles_of(self.plan.rates)]
        while scheduler.now < self.plan.calm_after and not all(actor.done() for actor in actors):
            await scheduler.sleep(1.0)
        self.calm, self.calm_at = True, scheduler.now
        self.points_when_done = sum(node.points for node in self.nodes if node is not None)
        self.event("the faults stop")
        end = scheduler.now + LIVENESS_SECONDS
        while not all(task.done() for task in [*actors, *trouble]) or not self._quiet() or self._person_is_needed():
            await scheduler.sleep(REFEREE_SECONDS)
            await resolve(self)
            if scheduler.now > end:
                self.over = "time is over"
                return
        self.over = "settled"

    def _dies_now(self) -> bool:
        """The point was reached, and the process dies before anything else happens."""
        return self.dies_at > 0 and any(node is not None and node.points >= self.dies_at for node in self.nodes)

    def _quiet(self) -> bool:
        if self._dies_now():
            return False
        if self.scheduler.errors or not all(self.nodes):
            return not self.killed or bool(self.scheduler.errors)
        working = any(busy(node.engine) for node in self.nodes if node)
        return not working and all(row.due is None or self._may_rest(row) for row in self.rows.values())

    def _may_rest(self, row: Seen) -> bool:
        """What was begun and is in nobody's hands any more, as after a lost confirmation, is looked at all the same."""
        return self.waits_for_person(row) and row.state != "asking"

    def _person_is_needed(self) -> bool:
        """Somebody still looks up what he can."""
        if not self.plan.rate("resolve"):
            return False
        waiting = [row for row in self.rows.values() if row.state == "person" and self.tried[row.key] < TRIES_MAX]
        return any(truth(self, row) is not None or self._may_arrive(row) for row in waiting)

    def _may_arrive(self, row: Seen) -> bool:
        honest = not any(wallet.lie for wallet in self.plan.wallets)
        near = [row, self.rows.get(row.target, row)]
        till = self.tills.get(row.till)
        if till is None or not honest or any(other.parent == row.key for other in self.rows.values()):
            return False
        return any(self.scheduler.now - each.asked_at < till.plan.in_flight_max for each in near)

    def is_away(self, row: Seen) -> bool:
        """Its wallet is gone from the configuration, or points elsewhere: it is sent nowhere (rule 23)."""
        return bool(row.wallet) and self.where.get(row.wallet) != row.till

    def waits_for_person(self, row: Seen) -> bool:
        """A win is not sent before a person has said what became of its bet (rule 13), or of its cancel where it may have
        been sent (rule 30), nor a cancel beside another. A whole waits for its part that does, and what a whole is to
        undo waits for that (rule 18)."""
        if self.is_away(row) or self._part_waits(row.key) or (row.undone_by and self._part_waits(row.undone_by)):
            return True
        if self._undoing_waits(row) or self.round_waits(row) or self._end_waits(row):
            return True
        if row.kind == "rollback" and row.target in self.rows:
            other = self.rows.get(self.rows[row.target].undone_by)
            undoing = self.rows.get(other.undone_by) if other is not None else None  # the one before may stand again
            if any(r is not None and r is not row and r.state == "person" for r in (other, undoing)):
                return True
            # Several parts may be given back, and none of them has the bet for itself: what is left is not known. Which of
            # them came first, a clock that was set back between them says otherwise than they came.
            others = [r for r in self.rows.values() if r.target == row.target and r.kind == "rollback" and r is not row]
            parts = pages.several(self.setup.providers[row.provider].dialect) and not (row.attempts - self._feared(row))
            return parts and any(r.state == "person" and (r.attempts or r.came < row.came) for r in others)
        bets = (
            r for r in self.rows.values()
            if (r.provider, r.player) == (row.provider, row.player) and (r.round == row.round or r.id == row.reference)
        )  # fmt: skip
        return row.kind == "credit" and any(
            bet.kind == "debit" and (bet.state == "person" or self._undoing_waits(bet)) for bet in bets
        )

    def _end_waits(self, row: Seen) -> bool:
        """Where a bet comes to one end, or stays once it is won, its win and its cancel wait for each other (rule 15)."""
        provider = self.setup.providers[row.provider]
        dialect, target = provider.dialect, self.rows.get(row.target)
        one_word = row.till in self.tills and pages.one_word(self.tills[row.till].wallet.dialect)
        if row.kind == "credit" and (one_word or pages.flag(dialect, "one_end")):
            bets = [
                r for r in self.rows.values() if (r.provider, r.kind, r.id) == (row.provider, "debit", row.reference)
            ]
            return any(self.rows[bet.undone_by].state == "person" for bet in bets if bet.undone_by in self.rows)
        if row.kind == "credit" and not row.attempts and self._goes_after(row):
            return True
        if row.kind != "rollback" or target is None:
            return False
        if one_word and any(
            (r.provider, r.kind, r.reference, r.state) == (row.provider, "credit", target.id, "person")
            for r in self.rows.values()
        ):
            return True
        if row.ours or not pages.keeps_won(dialect, provider.settings):  # no win keeps it from being ours (rule 12)
            return False
        if row.attempts > self._feared(row):  # it was sent, and is asked again whatever has come for its bet
            return False
        here = (target.provider, target.player)
        ends = [
            r for r in self.rows.values() if (r.provider, r.player) == here and r.kind in ("credit", "debit", "settle")
        ]
        ends = [
            r for r in ends if r is not target and (r.reference == target.id or (r.round and r.round == target.round))
        ]
        undoing = [self.rows[r.undone_by] for r in ends if r.undone_by in self.rows]
        return any(r.state == "person" for r in (*ends, *undoing))

    def _goes_after(self, win: Seen) -> bool:
        """A cancel that no win stops any more, since its provider heard that the bet is rolled back, goes before a win of which
        nothing has left (rule 11); a person may have to say what became of it."""
        bets = [r for r in self.rows.values() if (r.provider, r.kind, r.player) == (win.provider, "debit", win.player)]
        bets = [r for r in bets if r.id == win.reference or (not win.reference and r.round and r.round == win.round)]
        cancels = [(bet, self.rows[bet.undone_by]) for bet in bets if bet.undone_by in self.rows]
        return any(
            cancel.state == "person" and (bet.told == "declined" or cancel.told == "accepted")
            for bet, cancel in cancels
        )  # fmt: skip

    def round_waits(self, row: Seen) -> bool:
        """A round's refund, beside what undoes one of its bets (rule 16)."""
        here = (row.provider, row.player, row.round)
        undoing = [r for r in self.rows.values() if r.kind == "rollback" and r.target and r.state == "person"]
        refund = row.kind == "rollback" and not row.target and bool(row.round)
        return refund and any((r.provider, r.player, r.round) == here for r in undoing)

    def _undoing_waits(self, row: Seen) -> bool:
        undoer = self.rows.get(row.undone_by)
        return row.state not in DECIDED and undoer is not None and undoer.state == "person"

    def _feared(self, row: Seen) -> int:
        """The attempt that a journal which forgot may have forgotten is none that anybody made: of what came since, and of
        what was open in the copy (rule 30)."""
        return int(bool(row.attempts) and self.restored is not None)

    def _part_waits(self, whole: str) -> bool:
        parts = [r for r in self.rows.values() if r.parent == whole and r.state not in DECIDED]
        return any(self.waits_for_person(part) for part in parts)

    async def _trouble(self, happens: Happens) -> None:
        while not self.calm:
            await self.scheduler.sleep(self.chance.uniform(1.0, 8.0))
            if not self.calm:
                await happens(self)

    def strikes(self, fault: str) -> bool:
        """Whether it happens at this look; faults of processes are rarer than those of requests."""
        return not self.calm and bool(self.plan.rate(fault)) and self.chance.random() < self.plan.rate(fault) * 2

    # -- the journal that was, and the one that is

    def reopened(self) -> Any:
        """The journal, while no process lives."""
        if not self.journal_open:
            self.journal, self.journal_open = self.open_journal(), True
        return self.journal

    def copy_journal(self, copy: Path) -> None:
        copied(self.path, copy)

    def forgets(self) -> None:
        """The journal is an older one; its rows are what it says, and what differs was touched by its loss."""
        self.restored, self.older = self.scheduler.now, True
        before = self.words()
        journal = self.reopened()
        self.touched |= self.as_the_journal_says(before, at_once(journal.listed(Listing(limit=100_000))))
        self.older = False

    def close(self) -> None:
        """Nothing of it runs any more."""
        for task in list(self.scheduler._tasks):
            task.kill()
        if self.journal_open:
            self.journal.abandon()
