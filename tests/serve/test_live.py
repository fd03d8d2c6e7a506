"""The live world: clock, chance, work that goes on by itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from datetime import UTC, timedelta

import pytest

from gateway.engine.world import Silence
from gateway.serve.live import Tasks, clock, nonce, wait
from gateway.serve.logs import Log, Writer


def test_nonces_are_random_uuids() -> None:
    found = {nonce() for _ in range(1000)}
    assert len(found) == 1000
    for text in found:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)


def test_a_forked_process_draws_other_nonces_than_its_parent() -> None:
    """A call is known by its nonce in the journal: two workers with one pool would hear each other's decisions."""
    nonce()  # the parent has a pool now
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writes, nonce().encode())
        finally:
            # Not `os._exit`, around which coverage saves what it has: where that failed, the child went on as the parent.
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert os.read(reads, 100).decode() not in {nonce() for _ in range(1000)}


def test_the_clock_is_utc() -> None:
    assert clock().tzinfo is UTC
    assert clock().utcoffset() == timedelta(0)


async def test_wait_ends_with_the_first_and_cancels_nobody() -> None:
    tasks, gate = Tasks(Log()), asyncio.Event()

    async def quick() -> int:
        return 7

    slow, first = tasks.spawn(gate.wait()), tasks.spawn(quick())
    await wait([slow, first], 5)
    assert (first.done(), first.result(), slow.done()) == (True, 7, False)
    await wait([slow], 0.01)
    await wait([slow], -1)
    await wait([], 1)
    assert not slow.done()
    gate.set()
    await wait([slow], 5)
    assert slow.done()


async def test_drain_waits_for_what_work_starts() -> None:
    tasks, gate = Tasks(Log()), asyncio.Event()
    done: list[str] = []

    async def second() -> None:
        await gate.wait()
        done.append("second")

    async def first() -> None:
        tasks.spawn(second())
        done.append("first")

    tasks.spawn(first())
    assert await tasks.drain(0.05) == 1
    asyncio.get_running_loop().call_later(0.05, gate.set)
    assert await tasks.drain(5) == 0
    assert (done, len(tasks)) == (["first", "second"], 0)


@pytest.mark.parametrize(
    ("error", "lines"), [(ValueError("secret"), 1), (Silence("timeout", "no answer", left=True), 0)]
)
async def test_failed_work_is_logged_without_its_text(error: Exception, lines: int) -> None:
    read, write = os.pipe()
    writer = Writer(write)
    tasks = Tasks(Log(writer))

    async def fails() -> None:
        raise error

    handle = tasks.spawn(fails())
    await tasks.drain(5)
    with pytest.raises(type(error)):
        handle.result()
    writer.close()
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        found = [json.loads(line) for line in pipe.read().splitlines()]
    assert len(found) == lines
    assert "secret" not in str(found)
