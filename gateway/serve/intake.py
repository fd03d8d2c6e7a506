"""How much of what callers send is read in one turn of the loop.

Whatever has arrived is there at once, a thousand requests as well as one, and reading them all would be one long turn:
the calls under way, the wallets' answers and `/livez` would come after it, and then after the next one. So only so many
are begun in a turn; the bytes of the others wait, which costs nothing. The oldest first; but where more come than can be
read for long, so that the oldest are late whatever is done, the newest are read, too: some are answered in time then.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

BEGUN = 64  # in one turn
OLD_SECONDS = 1.5  # waiting so long, the oldest share the turns with the newest
HELD_MAX = 256 * 1024  # bytes of one caller that wait


class Caller(Protocol):
    """A connection."""

    def read(self, data: bytes, arrived: float) -> None:
        """Takes what has come since `arrived` (monotonic seconds)."""
        ...

    def cut(self) -> None:
        """Ends the connection: it sends without end."""
        ...


class Held:
    """What waits of one caller."""

    __slots__ = ("arrived", "chunks", "size")

    def __init__(self, arrived: float) -> None:
        self.arrived, self.size = arrived, 0
        self.chunks: list[bytes] = []


class Intake:
    """One per listener."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._held: OrderedDict[Caller, Held] = OrderedDict()
        self._left = BEGUN
        self._counting = False

    def take(self, caller: Caller, data: bytes) -> None:
        """Now, if this turn has not begun enough."""
        if self._left and caller not in self._held:
            self._left -= 1
            caller.read(data, self._ticks())
        else:
            self._hold(caller, data)
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self.turn)

    def holds(self, caller: Caller) -> bool:
        return caller in self._held

    def forget(self, caller: Caller) -> None:
        """It is gone: what it sent is not read, and nobody waits for an answer."""
        self._held.pop(caller, None)

    def _hold(self, caller: Caller, data: bytes) -> None:
        held = self._held.get(caller)
        if held is None:
            held = self._held[caller] = Held(self._ticks())
        held.chunks.append(data)
        held.size += len(data)
        if held.size > HELD_MAX:
            self.forget(caller)
            caller.cut()

    def turn(self) -> None:
        """The next turn of the loop begins."""
        self._left, self._counting = BEGUN, False
        while self._held and self._left:
            self._left -= 1
            caller, held = self._held.popitem(last=self._left % 2 == 0 and self._late())
            caller.read(b"".join(held.chunks), held.arrived)
        if self._left < BEGUN:
            self._counting = True
            asyncio.get_running_loop().call_soon(self.turn)

    def _late(self) -> bool:
        return self._ticks() - next(iter(self._held.values())).arrived > OLD_SECONDS
