"""Settlement: what is in doubt or owed is brought to an end, durably.

It asks the same rules as a provider's call, with nobody waiting: one step a look. Each wallet has its own
share of what is under way, so one that is dead does not slow the others.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from gateway.engine.backoff import LONGEST
from gateway.engine.drive import SETTLE_SECONDS, Driver, row_change
from gateway.engine.errand import LEASE_MARGIN_SECONDS
from gateway.engine.journal import JournalLost
from gateway.engine.movement import Movement
from gateway.engine.setup import Setup
from gateway.engine.world import Handle

TICK_SECONDS = 0.25
AT_ONCE_MAX = 32  # movements of one wallet under way at the same time
LEASE_MARGIN = timedelta(seconds=LEASE_MARGIN_SECONDS)
LEASE = timedelta(seconds=SETTLE_SECONDS) + LEASE_MARGIN
NOBODY = timedelta(seconds=60)  # until a movement whose provider is not configured is looked at again
LOOKS_WITHIN = 2 * LONGEST  # a look that no silence is waited for is put off no longer
CATCH_UP_SECONDS = 60.0  # between two searches for looks and leases that lie further ahead than any is put
OTHERS = "*"  # wallets that are not configured any more


class Settler:
    """The loop of one process."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self.world = driver, driver.world
        self._open: dict[str, tuple[str, Handle[None]]] = {}
        self._steps, self._catches_up = 0, -math.inf

    async def run(self, current: Callable[[], Setup]) -> None:
        """For ever. `current` is asked each time: a reload holds from the next look on."""
        while True:
            await self.world.sleep(TICK_SECONDS)
            with contextlib.suppress(JournalLost):  # its database is away just now: this loop must outlive that
                await self.look(current())

    async def look(self, setup: Setup) -> int:
        """Begins what is due; how much that was."""
        await self._catch_up(setup)
        await self._clock_stepped()
        self._open = {key: each for key, each in self._open.items() if self._goes_on(key, each[1])}
        room = self._room(setup)
        if not any(room.values()):
            return 0
        due = await self.world.journal.take_due(self.world.clock(), self.driver.node, LEASE, room)
        for movement in due:
            name = movement.wallet if movement.wallet in setup.wallets else OTHERS
            self._open[movement.key] = (name, self.world.spawn(self._settle(setup, movement)))
        return len(due)

    def _goes_on(self, key: str, handle: Handle[None]) -> bool:
        """A request of it is still in the air, perhaps, when its look is over: that is under way at its wallet."""
        return not handle.done() or self.driver.flights.of(key, self.world.ticks()).requests > 0

    def _room(self, setup: Setup) -> dict[str, int]:
        """How much more of each wallet may be begun; none of one whose share is under way."""
        under_way: dict[str, int] = {}
        for wallet, _ in self._open.values():
            under_way[wallet] = under_way.get(wallet, 0) + 1
        names = (*setup.wallets, OTHERS)
        return {name: max(AT_ONCE_MAX - under_way.get(name, 0), 0) for name in names}

    async def _catch_up(self, setup: Setup) -> None:
        """The same, of a step that no process lived to notice, or of the database's clock alone: its looks lie later than any is
        ever put off, and its leases later than any lasts. *A node stood still when the clock was set back, and died: another one
        had begun in between, and for hours nobody brought on what the first had carried.*"""
        if self.world.ticks() < self._catches_up:
            return
        providers = setup.providers.values()
        silent = (provider.after_doubt for provider in providers if provider.after_doubt is not None)
        calls = (limit + LEASE_MARGIN for provider in providers for limit in provider.answer_within.values())
        most, leases = max([LOOKS_WITHIN, *silent]), 2 * max([LEASE, *calls])
        await self.world.journal.catch_up(self.world.clock(), most, leases)
        self._catches_up = self.world.ticks() + CATCH_UP_SECONDS

    async def _clock_stepped(self) -> None:
        """Looks that a clock set which was then set back would come hours too late (rule 29)."""
        steps = self.driver.clockwork.look().steps
        if len(steps) > self._steps:
            await self.world.journal.hasten(self.world.clock())
            self._steps = len(steps)

    async def _settle(self, setup: Setup, movement: Movement) -> None:
        """One look at one movement."""
        with contextlib.suppress(JournalLost):  # it is due again when its lease is over
            provider = setup.provider_by_id(movement.provider)
            if provider is None:
                await self._wait(movement)
                return
            await self.driver.bring(self.driver.nobody(setup, provider), movement.key)

    async def _wait(self, movement: Movement) -> None:
        """Its provider is not configured any more: it waits, listed with that reason (rule 25)."""
        later = self.world.clock() + NOBODY
        note = f"its provider {movement.provider} is not configured any more"

        def changed(own: Movement) -> Movement:
            return replace(own, owner="", due_at=later, note=own.note if own.decided else note)

        await self.world.journal.make(row_change(movement.key, changed, ()))
