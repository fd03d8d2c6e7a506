"""One seed, one history: everything starts, everything fails, the faults stop, and all must settle."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
from msgspec.structs import replace

from gateway.engine.journal import Movement
from gateway.engine.pipeline import Answer
from gateway.engine.setup import Route, Setup
from gateway.engine.states import State
from gateway.journal.sqlite import SqliteJournal
from gateway.journal.writer import DirectWriter
from gateway.model import Accepted, Declined, Kind, Outcome, Transaction
from gateway.play.book import Place
from tests.simulation.bench import CURRENCIES, Tally, a_provider, a_wallet, at_once
from tests.simulation.draw import CONDUCT, Plan, SKEW_MAX_SECONDS, WalletPlan, draw_plan, seconds
from tests.simulation.network import OUTSIDE, Network
from tests.simulation.node import Line, Node
from tests.simulation.players import Actor, Story
from tests.simulation.scheduler import BEGIN, Scheduler
from tests.simulation.tills import Till

LIVENESS_SECONDS = 3 * 3600.0  # so long after the faults stopped everything must be settled
REFEREE_SECONDS = 5.0
NOTES_MAX = 4000
ASKED_GRACE_SECONDS = 3.0  # a lease lives a little longer than its call


class Seen:
    """What the journal's own trigger saw of one movement: the truth beside what the engine says."""

    __slots__ = ("alias", "decided_at", "due", "id", "kind", "number", "player", "provider", "reference", "round", "state", "told", "undone", "wallet")

    def __init__(self, provider: str, kind: str, id: str, player: str, round: str) -> None:
        self.provider, self.kind, self.id, self.player, self.round = provider, kind, id, player, round
        self.wallet, self.alias, self.state, self.told = "", "", "", ""
        self.due: float | None = None
        self.decided_at: float | None = None
        self.undone = False
        self.reference, self.number = "", 0


TRIGGER = """
CREATE TEMP TRIGGER seen_{event} AFTER {event} ON movements BEGIN
  SELECT saw(NEW.key, NEW.provider, NEW.kind, NEW.id, NEW.player, NEW.round, NEW.wallet, NEW.alias, NEW.state, NEW.told, NEW.due_at, NEW.undone_by, NEW.reference);
END
"""


class History:
    def __init__(self, plan: Plan, path: Path, *, dies_at: int = 0) -> None:
        self.plan, self.path, self.dies_at = plan, path, dies_at
        self.scheduler, self.chance = Scheduler(plan.seed), random.Random(f"world/{plan.seed}")
        self.calm = False
        self.over = ""
        self.fired: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.edges: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []
        self.notes: deque[tuple[Any, ...]] = deque(maxlen=NOTES_MAX)
        self.meter, self.answers = Tally(), list[Answer]()
        self.stories: dict[tuple[str, Kind, str], Story] = {}
        self.carried: dict[Line, tuple[list[Story], list[list[float]]]] = {}
        self.rows: dict[str, Seen] = {}
        self.places: dict[tuple[str, Place], str] = {}
        self.killed = 0
        self.intact: set[tuple[str, Place]] = set()
        self.setup = self._setup()
        players = sorted({f"p{n}" for p in plan.providers for n in range(1, p.players + 1)})
        self.tills = {
            w.name: Till(w, self.setup.wallets[w.name], players, self.fired) for w in plan.wallets
        }  # fmt: skip
        self.network = Network(self)
        self.journal = self._journal()
        self.nodes: list[Node | None] = [Node(self, f"node{n}", self.setup) for n in range(plan.nodes)]
        if plan.nodes > 1:
            self.fire("two_nodes")

    # -- the configuration

    def _setup(self) -> Setup:
        providers = [
            a_provider(p.dialect, p.name, after_doubt=seconds(p.after_doubt) if p.after_doubt else None)
            for p in self.plan.providers
        ]
        wallets = [
            a_wallet(
                w.dialect, w.name, repeats=dict(w.repeats), tombstones=w.tombstones,
                in_flight_max=seconds(w.in_flight_max), remembers=seconds(w.remembers),
                answer_within=seconds(w.answer_within), give_up_after=seconds(w.give_up_after),
            )
            for w in self.plan.wallets
        ]  # fmt: skip
        return Setup(
            providers={p.name: p for p in providers},
            wallets={w.name: w for w in wallets},
            routes=[Route(wallet=w.name, sessions="sess-{player}") for w in wallets],
            currencies=CURRENCIES,
        )

    def _next_setup(self) -> Setup:
        """Other routes and other times; what is in the air finishes on its own generation."""
        routes = list(self.setup.routes)
        self.chance.shuffle(routes)
        wallets = {
            name: replace(w, answer_within=seconds(self.chance.choice((0.4, 1.0)))) for name, w in self.setup.wallets.items()
        }  # fmt: skip
        return replace(self.setup, generation=self.setup.generation + 1, routes=routes, wallets=wallets)

    def undoes_wins(self, provider: str) -> bool:
        """Whether every wallet can undo a settle, or a win alone."""
        return all(w.dialect == "native" for w in self.plan.wallets)

    # -- the journal, and what its trigger sees

    def _journal(self) -> SqliteJournal:
        def make_writer(connection: apsw.Connection, committed: Callable[[float], None]) -> DirectWriter:
            connection.execute("PRAGMA synchronous = OFF")  # the machine does not fail here, only the process
            connection.create_scalar_function("saw", self._saw, 13)
            for event in ("INSERT", "UPDATE"):
                connection.execute(TRIGGER.format(event=event))
            return DirectWriter(connection, committed)

        journal: SqliteJournal = at_once(
            SqliteJournal.start(str(self.path), self.scheduler.clock(), make_writer=make_writer)
        )
        return journal

    def _saw(self, *row: Any) -> None:
        key, provider, kind, id, player, round_id, wallet, alias, state, told, due_at, undone_by, reference = row
        seen = self.rows.get(key)
        if seen is None:
            seen = self.rows[key] = Seen(provider, kind, id, player, round_id)
            seen.reference, seen.number = reference, len(self.rows)
            self.note_row(key, "", state, told)
        elif (seen.state, seen.told) != (state, told):
            self.note_row(key, seen.state, state, told)
        if seen.state != state:
            if seen.state:
                self.edges[seen.state, state] += 1
            self.states[state] += 1
            if state in ("accepted", "declined"):
                seen.decided_at = self.scheduler.now
        seen.state, seen.told = state, told
        seen.due = None if due_at is None else due_at / 1e6 - BEGIN.timestamp()
        seen.undone = seen.undone or bool(undone_by)
        if (seen.wallet, seen.alias) != (wallet, alias):
            seen.wallet, seen.alias = wallet, alias
        if wallet in self.tills:
            place = self.tills[wallet].told(provider, Kind(kind), alias, id)
            self.places[wallet, place] = key  # a refund's first part is told under the refund's own id

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

    # -- the log of this history

    def note(self, what: str, who: str, tx: Transaction | None, outcome: Outcome | None) -> None:
        self.notes.append((self.scheduler.now, what, who, tx, outcome))

    def note_row(self, key: str, before: str, after: str, told: str) -> None:
        self.notes.append((self.scheduler.now, "row", key, before, after, told))

    def event(self, text: str) -> None:
        self.notes.append((self.scheduler.now, "event", text))

    # -- online checks

    def arrived(self, till: Till, kind: Kind, place: Place, sent: float) -> None:
        """A debit reached a wallet: it was not decided when its bytes left, and somebody waited for it (9)."""
        key = self.places.get((till.plan.name, place))
        if key is None:
            if kind is Kind.ROLLBACK:
                return  # some dialects make its id themselves
            self.wrong.append(f"ALIAS a wallet was told {place}, which is no movement's id")
            return
        row = self.rows[key]
        if row.kind == "credit":
            self._win_came(row, sent)
        if row.kind not in ("debit", "settle"):
            return
        if row.decided_at is not None and row.decided_at < sent - 1e-9:
            self.wrong.append(f"ASKED_DECIDED {key} was asked at {sent:.3f}, decided at {row.decided_at:.3f}")
        if not self._waited_for(row, sent):
            self.wrong.append(f"ASKED_UNWAITED {key} was asked at {sent:.3f}, and nobody waited for it")

    def _win_came(self, win: Seen, sent: float) -> None:
        """The bet that a win names is out of doubt, or on its way back, when the win is sent (13)."""
        for bet in self.rows.values():
            named = (bet.provider, bet.kind, bet.id) == (win.provider, "debit", win.reference)
            if not win.reference or not named or bet.number > win.number or bet.undone:
                continue
            if bet.decided_at is None or bet.decided_at > sent:
                self.wrong.append(f"WIN_FIRST {win.provider}/credit/{win.id} was sent at {sent:.3f}, {bet.id} in doubt")

    def _waited_for(self, row: Seen, when: float) -> bool:
        for story in self.stories.values():
            if story.provider != row.provider or story.tx.player != row.player or story.tx.round_id != row.round:
                continue
            wanted = story.kind in (Kind.CREDIT, Kind.SETTLE) or story.id == row.id
            if wanted and (story.kind is Kind.CREDIT and story.spans or story.open_at(when, ASKED_GRACE_SECONDS)):
                return True
        return False

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
            self.journal, self.journal_open = self._journal(), True
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
            scheduler.spawn(Actor(self, plan, self.setup.providers[plan.name], number).play())
            for plan in self.plan.providers for number in range(1, plan.players + 1)
        ]  # fmt: skip
        trouble = [scheduler.spawn(self._trouble(name)) for name in ("kill", "freeze", "skew", "reload", "mood")]
        while scheduler.now < self.plan.calm_after and not all(actor.done() for actor in actors):
            await scheduler.sleep(1.0)
        self.calm = True
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
        return not flights and all(row.due is None or self.waits_with_its_bet(row) for row in self.rows.values())

    def waits_with_its_bet(self, row: Seen) -> bool:
        """A win is not sent before a person has said what became of its bet (13)."""
        bets = (r for r in self.rows.values() if (r.provider, r.player, r.round) == (row.provider, row.player, row.round))
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
            self.setup = self._next_setup()
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


# ---------------------------------------------------------------- where histories are kept


class Room:
    """A folder for journals, with an empty one that is copied: migrations take longer than a history."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._empty = folder, folder / "empty.db"
        at_once(SqliteJournal.start(str(self._empty), BEGIN, make_writer=DirectWriter)).abandon()
        self._count = 0

    def path(self) -> Path:
        self._count += 1
        path = self.folder / f"journal-{self._count}.db"
        shutil.copyfile(self._empty, path)
        return path

    def clear(self, path: Path) -> None:
        for ending in ("", "-wal", "-shm", ".lock"):
            Path(f"{path}{ending}").unlink(missing_ok=True)


@contextmanager
def a_room() -> Iterator[Room]:
    with tempfile.TemporaryDirectory() as folder:
        yield Room(Path(folder))


@contextmanager
def played(room: Room, plan: Plan, *, dies_at: int = 0) -> Iterator[History]:
    path = room.path()
    history = History(plan, path, dies_at=dies_at)
    try:
        history.play()
        yield history
    finally:
        history.close()
        room.clear(path)


def play_seed(room: Room, seed: int) -> Any:
    return played(room, draw_plan(seed))
