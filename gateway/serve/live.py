"""The live world: the machine's clock, chance, asyncio, the wallet client."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from gateway.engine.journal import Journal, JournalLost
from gateway.engine.world import Door, Gate, Handle, Meter, OpenDoor, OpenGate, Silence, World
from gateway.serve.client import WalletClient
from gateway.serve.logs import Log

_VARIANT = "89ab"


def clock() -> datetime:
    return datetime.now(UTC)


_CHANCE_BYTES = 4096


class _Chance:
    """Random bytes by the pool: each fetch gives the interpreter away, and a call needs three."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._pool = iter(list[str]())

    def draw(self) -> str:
        """32 hexadecimal digits. Taking them is one step of the interpreter: no two threads get the same."""
        found = next(self._pool, "")
        if not found:
            more = os.urandom(_CHANCE_BYTES).hex()
            pool = iter([more[at : at + 32] for at in range(0, len(more), 32)])
            found, self._pool = next(pool), pool
        return found


_chance = _Chance()
os.register_at_fork(after_in_child=_chance.forget)  # else parent and child would name their calls alike


def nonce() -> str:
    """A random UUID (version 4) as text; a fraction of the cost of `uuid.uuid4`."""
    h = _chance.draw()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"


class Tasks:
    """Work that goes on by itself: held, so that it is not collected, and waited for at the end."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> Handle[Any]:
        if self._loop is None:  # asked for once: Python 3.11 asks the system who it is each time
            self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def drain(self, seconds: float) -> int:
        """Waits for everything under way, what it starts itself included; how many were left."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._tasks and loop.time() < end:
            await asyncio.wait(self._tasks, timeout=end - loop.time())
            await asyncio.sleep(0)  # the callbacks take the finished ones out
        return len(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, JournalLost):  # the database is away: settlement goes on from what is durable
            self._log.warning("the journal was lost", detail=str(error))
        elif error is not None and not isinstance(error, Silence):
            self._log.bug("background work failed", error)


async def wait(handles: Sequence[Handle[Any]], seconds: float) -> None:
    """As `asyncio.wait` for the first of them, without its sets: every bet waits twice."""
    tasks = cast("Sequence[asyncio.Task[Any]]", handles)  # `spawn` makes no others
    for task in tasks:
        if task.done():
            return
    if not tasks:
        return
    loop = tasks[0].get_loop()
    over = loop.create_future()

    def wake(_: object) -> None:
        if not over.done():
            over.set_result(None)

    timer = loop.call_later(max(0.0, seconds), wake, None)
    for task in tasks:
        task.add_done_callback(wake)
    try:
        await over
    finally:
        timer.cancel()
        for task in tasks:
            task.remove_done_callback(wake)


def live_world(
    *,
    client: WalletClient,
    tasks: Tasks,
    journal: Journal,
    meter: Meter,
    gate: Gate | None = None,
    door: Door | None = None,
) -> World:
    return World(
        clock=clock,
        ticks=time.monotonic,
        nonce=nonce,
        send=client.send,
        spawn=tasks.spawn,
        wait=wait,
        sleep=asyncio.sleep,
        journal=journal,
        meter=meter,
        gate=gate or OpenGate(),
        door=door or OpenDoor(),
    )
