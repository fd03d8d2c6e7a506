"""Virtual time: coroutines, a heap of (time, tie-break, what), and no clock but its own.

The engine awaits what its world gives. Here it gives moments on a heap; a seed breaks ties, so one
seed is one history. Nothing sleeps and nothing runs in parallel.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process that ran this coroutine is gone."""


class Moment:
    """Awaited: goes on when it is resolved."""

    __slots__ = ("error", "ready", "value", "wake")

    def __init__(self) -> None:
        self.ready, self.value, self.error = False, None, None
        self.wake: list[Callable[[], None]] = []

    def resolve(self, value: Any = None, error: BaseException | None = None) -> None:
        if self.ready:
            return
        self.ready, self.value, self.error = True, value, error
        for wake in self.wake:
            wake()

    def __await__(self) -> Generator[Moment, None, Any]:
        if not self.ready:
            yield self
        if self.error is not None:
            raise self.error
        return self.value


class Task:
    """A coroutine on its way; the engine's `Handle`."""

    def __init__(self, scheduler: Scheduler, coroutine: Coroutine[Any, Any, Any], owner: object) -> None:
        self.scheduler, self.coroutine, self.owner = scheduler, coroutine, owner
        self.finished = Moment()
        scheduler.soon(self.step)

    def done(self) -> bool:
        return self.finished.ready

    def result(self) -> Any:
        if self.finished.error is not None:
            raise self.finished.error
        return self.finished.value

    def step(self) -> None:
        if self.finished.ready:
            return
        before, self.scheduler.current = self.scheduler.current, self
        try:
            moment = self.coroutine.send(None)
        except StopIteration as stop:
            self.finished.resolve(stop.value)
        except BaseException as error:
            self.finished.resolve(error=error)
            self.scheduler.failed(self, error)
        else:
            assert isinstance(moment, Moment), f"awaited something of another world: {moment!r}"
            moment.wake.append(lambda: self.scheduler.soon(self.step))
        finally:
            self.scheduler.current = before

    def kill(self) -> None:
        """Ends it where it stands, as a process that dies does: nothing of it runs any more."""
        if not self.finished.ready:
            self.finished.ready, self.finished.error = True, Killed()
            self.coroutine.close()


class Scheduler:
    """The loop. `errors` holds what no coroutine caught."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.now = 0.0
        self.skew = timedelta(0)  # the wall clock's jumps
        self.current: Task | None = None
        self.errors: list[BaseException] = []
        self.forgives: tuple[type[BaseException], ...] = ()  # what a task may end with
        self._heap: list[tuple[float, float, int, Callable[[], None]]] = []
        self._count = 0
        self._tasks: set[Task] = set()

    def clock(self) -> datetime:
        return BEGIN + timedelta(seconds=self.now) + self.skew

    def ticks(self) -> float:
        return self.now

    def nonce(self) -> str:
        h = f"{self.draw.getrandbits(128):032x}"
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + max(0.0, seconds), self.draw.random(), self._count, what))

    def soon(self, what: Callable[[], None]) -> None:
        self.at(0.0, what)

    def spawn(self, coroutine: Coroutine[Any, Any, Any], owner: object = None) -> Task:
        """`owner` = the process it runs in; by default that of the coroutine that spawns it."""
        if owner is None and self.current is not None:
            owner = self.current.owner
        task = Task(self, coroutine, owner)
        self._tasks.add(task)
        return task

    async def sleep(self, seconds: float) -> None:
        moment = Moment()
        self.at(seconds, moment.resolve)
        await moment

    async def wait(self, handles: Sequence[Any], seconds: float) -> None:
        """Until one handle is done or the time is over."""
        if not handles or any(handle.done() for handle in handles):
            return
        moment = Moment()
        for handle in handles:
            handle.finished.wake.append(moment.resolve)
        self.at(seconds, moment.resolve)
        await moment

    def kill(self, owner: object) -> None:
        """Every coroutine of one process ends where it stands."""
        for task in [task for task in self._tasks if task.owner is owner]:
            task.kill()
        self._tasks = {task for task in self._tasks if not task.done()}

    def failed(self, task: Task, error: BaseException) -> None:
        if not isinstance(error, (Killed, *self.forgives)):
            self.errors.append(error)

    def run(self, until: Callable[[], bool] = lambda: False, *, seconds: float = float("inf")) -> None:
        """Plays the heap until it is empty, `until` holds, or so much virtual time has passed."""
        end = self.now + seconds
        while self._heap and not until():
            when, _, _, what = heapq.heappop(self._heap)
            if when > end:
                heapq.heappush(self._heap, (when, 0.0, 0, what))
                self.now = end
                return
            self.now = when
            what()

    def finish(self, coroutine: Coroutine[Any, Any, Any], owner: object = None) -> Any:
        """Runs one coroutine to its end and returns what it returns."""
        task = self.spawn(coroutine, owner)
        self.run(task.done)
        return task.result()
