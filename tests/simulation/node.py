"""One life of a gateway process in the made-up world: it can be killed, stopped and let go on.

Every await of the engine goes through its world, so every await is a point where the process may
die or stand still; two nodes on one journal interleave there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, cast

from gateway.engine.journal import Journal, JournalLost
from gateway.engine.pipeline import Answer, Engine
from gateway.engine.setup import Setup, Wallet
from gateway.engine.world import World
from gateway.http import Request, Response
from gateway.play.book import Place
from tests.simulation.bench import at_once
from tests.simulation.scheduler import Moment, Task
from tests.simulation.seam import noting

if TYPE_CHECKING:
    from tests.simulation.history import History

JOURNAL_SECONDS = 0.004
LOOK_LEAST_SECONDS, LOOK_MOST_SECONDS = 0.25, 30.0
PAUSE_LEAST_SECONDS = 0.1
CANNOT_BE_WRITTEN = "the journal cannot be written"  # why the engine tells doubt of what may be decided
NO_CHANGES = frozenset({"story", "listed", "counts", "unresolved_by_wallet", "writable", "close", "session_by_launch"})
READS = frozenset({"get", "find", "children", "aimed_at", "latest", "round", "due", "session", "last_session"})


class Line:
    """A provider's connection: `gone` when it hung up, `response` when it was answered."""

    def __init__(self) -> None:
        self.finished = Moment()
        self.gone = False
        self.answers: list[Answer] = []  # what was meant by the response
        self.read_by_nobody = False  # the balancer's first try: its answer goes nowhere

    def done(self) -> bool:
        return self.finished.ready

    def result(self) -> Any:
        return self.finished.value


class Ported:
    """The journal as a process reaches it: each call takes a moment, in which much may happen."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        node, method = self._node, getattr(self._node.history.journal, name)

        async def read(*given: Any, **more: Any) -> Any:
            found = await method(*given, **more)
            await node.point()
            return found

        async def write(*given: Any, **more: Any) -> Any:
            await node.point()
            node.commit_fails(name)
            found = await method(*given, **more)
            await node.point()
            node.confirmation_is_lost(name)
            return found

        made = read if name in READS else write
        setattr(self, name, made)
        return made


class Node:
    def __init__(self, history: History, name: str, setup: Setup) -> None:
        self.history, self.name, self.setup = history, name, setup
        self.scheduler = history.scheduler
        history.begun.append((self.scheduler.now, self.scheduler.clock()))
        self.alive = True
        self.points = 0
        self._stopped: Moment | None = None
        self._stops = 0  # by how many things it is held
        self.lines: set[Line] = set()
        self._unread: list[tuple[Line, Answer]] = []  # answers by which nobody heard a decision
        self._heard: list[tuple[float, str, Place]] = []
        self.paused = 0.0  # seconds that its machine stood still, and its monotonic clock with it
        self.lost = False  # a commit of it failed: what it heard may be nowhere
        self.journal = cast(Journal, Ported(self))
        world = World(
            clock=self.scheduler.clock, ticks=self.ticks, nonce=self.scheduler.nonce, send=self._send,
            spawn=self._spawn, wait=self._wait, sleep=self._sleep, journal=self.journal,
            meter=history.meter,
        )  # fmt: skip
        self.engine = Engine(world)
        if any(till.renames for till in history.tills.values()):
            noting(self.engine, history.telling)
        self._spawn(self._settle())

    # -- its world

    def ticks(self) -> float:
        return self.scheduler.now - self.paused

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        """Work of this process that no call waits for."""
        return self._spawn(coroutine)

    def commit_fails(self, name: str) -> None:
        """Nothing of it is durable. Some processes end there: what the disk holds is read at the next start (rule 30)."""
        history = self.history
        if name not in NO_CHANGES and history.hit("failed_commit"):
            self.lost = True
            if history.chance.random() < 0.5:
                history.scheduler.soon(lambda: history.die(history.nodes.index(self)) if self.alive else None)
            raise JournalLost("the disk is full")

    def confirmation_is_lost(self, name: str) -> None:
        if name not in NO_CHANGES and self.history.hit("late_commit"):
            self.lost = True
            raise JournalLost("the database went away while it committed")

    async def point(self) -> None:
        """A moment passes; here the process may die, or stand still."""
        await self.scheduler.sleep(self.scheduler.draw.random() * JOURNAL_SECONDS)
        await self._gate()

    async def _gate(self) -> None:
        self.points += 1
        if self.points == self.history.dies_at:
            self.history.scheduler.soon(lambda: self.history.die(self.history.nodes.index(self)))
            await Moment()
        while self._stopped is not None:
            await self._stopped

    async def _send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        await self._gate() if self._stopped is None else None  # a point to die at, no more to stand still
        try:
            return await self.history.network.to_wallet(self, wallet, request, seconds)
        finally:
            if self.alive:
                await self._gate()

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        return self.scheduler.spawn(coroutine, self)

    async def _wait(self, handles: Sequence[Any], seconds: float) -> None:
        end = self.ticks() + seconds
        await self.scheduler.wait(handles, seconds)
        await self._gate()
        while self.ticks() < end - PAUSE_LEAST_SECONDS and not any(handle.done() for handle in handles):
            await self.scheduler.wait(handles, end - self.ticks())
            await self._gate()

    async def _sleep(self, seconds: float) -> None:
        end = self.ticks() + seconds
        await self.scheduler.sleep(seconds)
        await self._gate()
        while self.ticks() < end - PAUSE_LEAST_SECONDS:  # its machine was paused: it has slept less
            await self.scheduler.sleep(end - self.ticks())
            await self._gate()

    # -- its work

    async def serve(self, name: str, request: Request, line: Line) -> None:
        """One call of a provider, as the server does it."""
        await self._gate()
        self.lines.add(line)
        answer = await self.engine.handle(self.setup, self.setup.providers[name], request, self.ticks())
        await self._gate()
        self.lines.discard(line)
        self.history.answers.append(answer)
        if line.gone:
            self.history.fire("answer_gone")
            self._unread.append((line, answer))
            await self.engine.unheard(answer)
        else:
            if answer.detail == CANNOT_BE_WRITTEN:
                self._unread.append((line, answer))
            line.answers.append(answer)
            line.finished.resolve(answer.response)

    async def _settle(self) -> None:
        """Settlement; it looks when something is due, because nobody pays for virtual time."""
        while True:
            await self._sleep(self.history.until_due(LOOK_LEAST_SECONDS, LOOK_MOST_SECONDS))
            with contextlib.suppress(JournalLost):  # as the loop of a process does
                await self.engine.settler.look(self.setup)

    # -- what happens to it

    def stop(self) -> None:
        self._stops += 1
        self._stopped = self._stopped or Moment()

    def go_on(self) -> None:
        self._stops -= 1
        if self._stops == 0:
            stopped, self._stopped = self._stopped, None
            assert stopped is not None
            stopped.resolve()

    def hears(self, wallet: str, yes: Place) -> None:
        """A yes came whole: what it says must not be lost, unless this process dies of a sudden."""
        self._heard.append((self.scheduler.now, wallet, yes))
        self.history.intact.add((wallet, yes))

    @property
    def stands_still(self) -> bool:
        return self._stopped is not None

    def kill(self) -> None:
        self.alive = False
        for when, wallet, yes in self._heard:
            if self._stopped is not None or self.scheduler.now - when < 1.0 or self.lost:
                self.history.intact.discard((wallet, yes))
        self.scheduler.kill(self)
        for line in [*self.lines, *(line for line, answer in self._unread if self._counts_as_heard(answer))]:
            self.history.cut_off(line)

    def _counts_as_heard(self, answer: Answer) -> bool:
        """That nobody read it, or that it was doubt because a commit, durable all the same, was not confirmed, could not be
        written yet, and by now nobody else can know it: the decision was journalled while its call was open (rule 26)."""
        if not self.lost:
            return False
        rows = [at_once(self.history.journal.get(key)) for key in {*answer.keys, answer.key} - {""}]
        return any(row is not None and answer.call in row.names for row in rows)
