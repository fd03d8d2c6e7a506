"""How much of what callers send is read in one turn of the loop."""

from __future__ import annotations

import asyncio

from gateway.serve.intake import BEGUN, HELD_MAX, OLD_SECONDS, Intake


class Caller:
    def __init__(self, intake: Intake, name: str, heard: list[str]) -> None:
        self._intake, self.name, self._heard = intake, name, heard
        self.was_cut, self.arrived = False, 0.0

    def sends(self, data: bytes = b"x") -> None:
        self._intake.take(self, data)

    def read(self, data: bytes, arrived: float) -> None:
        self._heard.append(f"{self.name}:{data.decode()}")
        self.arrived = arrived

    def cut(self) -> None:
        self.was_cut = True


class Crowd:
    def __init__(self, number: int) -> None:
        self.now = 100.0
        self.intake, self.heard = Intake(lambda: self.now), list[str]()
        self.callers = [Caller(self.intake, str(each), self.heard) for each in range(number)]


async def test_what_comes_on_an_ordinary_day_is_read_at_once() -> None:
    """No call waits a turn of the loop because others might have come."""
    crowd = Crowd(BEGUN)
    for _ in range(3):
        crowd.heard.clear()
        for caller in crowd.callers:
            caller.sends()
        assert len(crowd.heard) == BEGUN
        await asyncio.sleep(0)


async def test_a_thousand_requests_are_not_one_turn_of_the_loop() -> None:
    """Else the calls under way, and `/livez`, come after all of them, in each of their turns."""
    crowd = Crowd(4 * BEGUN)
    for caller in crowd.callers:
        caller.sends()
    read = [len(crowd.heard)]
    for _ in range(4):
        await asyncio.sleep(0)
        read.append(len(crowd.heard))
    assert read == [BEGUN, 2 * BEGUN, 3 * BEGUN, 4 * BEGUN, 4 * BEGUN]


async def test_the_oldest_are_read_first() -> None:
    """Who came first waits no longer than those who came later."""
    crowd = Crowd(3 * BEGUN)
    for caller in crowd.callers:
        caller.sends()
    await asyncio.sleep(0)
    assert crowd.heard == [f"{number}:x" for number in range(2 * BEGUN)]


async def test_where_the_oldest_are_late_whatever_is_done_the_newest_are_read_too() -> None:
    """Where more come than can be read for long, some are answered in time, and nobody waits for ever."""
    crowd = Crowd(4 * BEGUN)
    for caller in crowd.callers:
        caller.sends()
    crowd.now += OLD_SECONDS + 0.1
    await asyncio.sleep(0)
    read = {int(each.partition(":")[0]) for each in crowd.heard}
    assert read == {*range(BEGUN), *range(BEGUN, BEGUN + BEGUN // 2), *range(4 * BEGUN - BEGUN // 2, 4 * BEGUN)}


async def test_what_one_caller_sends_stays_in_order() -> None:
    """A body that comes in pieces while its beginning waits is still one request; its time began with the first."""
    crowd = Crowd(BEGUN + 1)
    for caller in crowd.callers:
        caller.sends(b"a")
    late, began = crowd.callers[-1], crowd.now
    crowd.now += 1.0
    late.sends(b"b")
    late.sends(b"c")
    await asyncio.sleep(0)
    assert crowd.heard[-1] == f"{BEGUN}:abc"
    assert late.arrived == began


async def test_who_is_gone_is_not_read() -> None:
    """Nobody waits for its answer, and its provider knows that it heard none."""
    crowd = Crowd(BEGUN + 1)
    for caller in crowd.callers:
        caller.sends()
    crowd.intake.forget(crowd.callers[-1])
    crowd.intake.forget(crowd.callers[0])
    await asyncio.sleep(0)
    assert len(crowd.heard) == BEGUN


async def test_who_sends_without_end_while_it_waits_is_cut() -> None:
    """What waits is memory: a caller that minds no limit must not have it all."""
    crowd = Crowd(BEGUN + 1)
    for caller in crowd.callers:
        caller.sends()
    endless = crowd.callers[-1]
    endless.sends(b"x" * (HELD_MAX - 1))
    assert not endless.was_cut
    endless.sends(b"x")
    assert endless.was_cut
    await asyncio.sleep(0)
    assert len(crowd.heard) == BEGUN
