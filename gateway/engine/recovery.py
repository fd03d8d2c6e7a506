"""Settlement: what is in doubt or owed is brought to an end, durably, one settler a movement.

It walks the same way as a provider's call, with nobody waiting: a debit is only queried (9), a
credit or rollback is asked again as `repeats` allows (13, 14), and the gateway's own rollback is
made where the provider's silence means it (12). Numbers are those of SEMANTICS.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.engine.backoff import pause
from gateway.engine.complete import Completed
from gateway.engine.errand import Errand
from gateway.engine.identity import key_of, space_of
from gateway.engine.journal import JournalLost, Movement
from gateway.engine.movements import Movements
from gateway.engine.plan import Way
from gateway.engine.rollbacks import OWN_ROLLBACK
from gateway.engine.setup import Provider, Setup
from gateway.engine.states import State
from gateway.engine.ticket import Ticket
from gateway.engine.wins import tied_bets
from gateway.engine.world import Handle
from gateway.model import Credit, Debit, Kind, Rollback, Settle, Transaction

TICK_SECONDS = 0.25
AT_ONCE_MAX = 64  # movements under way at the same time
SETTLE_SECONDS = 10.0  # one look at one movement
NOBODY = timedelta(seconds=60)  # until a movement whose provider is not configured is looked at again


class Settler:
    """The loop of one process; `ways` makes tickets like a provider's call does."""

    def __init__(self, movements: Movements, ways: Callable[[Errand, Completed], Way | None]) -> None:
        self.movements, self.world = movements, movements.world
        self._ways = ways
        self._open: dict[str, Handle[None]] = {}

    async def run(self, current: Callable[[], Setup]) -> None:
        """For ever. `current` is asked each time: a reload holds from the next look on."""
        while True:
            await self.world.sleep(TICK_SECONDS)
            with contextlib.suppress(JournalLost):  # its database is away just now: this loop must outlive that
                await self.look(current())

    async def look(self, setup: Setup) -> int:
        """Begins what is due; how much that was."""
        self._open = {key: handle for key, handle in self._open.items() if not handle.done()}
        room = AT_ONCE_MAX - len(self._open)
        if room <= 0:
            return 0
        begun = 0
        for movement in await self.world.journal.due(self.world.clock(), room + len(self._open)):
            if movement.key in self._open or movement.key in self.movements.flights:
                continue
            self._open[movement.key] = self.world.spawn(self.settle(setup, movement))
            begun += 1
        return begun

    async def settle(self, setup: Setup, movement: Movement) -> None:
        """One look at one movement."""
        provider = setup.provider_by_id(movement.provider)
        if provider is None:
            await self.world.journal.watch(movement, self.world.clock() + NOBODY)
            return
        if movement.state is State.PERSON or movement.state is State.DECLINED:
            await self.world.journal.watch(movement, None)
            return
        silence = await self._silence_ends(provider, movement)
        if silence is not None and silence <= self.world.clock():
            await self._roll_back(setup, provider, movement)
        elif movement.state is State.ACCEPTED:
            await self.world.journal.watch(movement, silence)
        else:
            await self._go_on(setup, provider, movement, silence)

    async def _go_on(self, setup: Setup, provider: Provider, movement: Movement, silence: datetime | None) -> None:
        errand = Errand.of_settlement(setup, provider, self.world.ticks, SETTLE_SECONDS)
        await self.movements.carry(self._ticket(errand, movement))
        if silence is None:
            return
        found = await self.world.journal.get(movement.key)
        if found is not None and not found.state.decided and found.due_at is not None and found.due_at > silence:
            await self.world.journal.watch(found, silence)  # not later than the silence ends

    def _ticket(self, errand: Errand, movement: Movement) -> Ticket:
        done = Completed(tx=movement.tx)
        way = self._ways(errand, done)
        ticket = self.movements.ticket(errand, way, done, movement.space, movement.tx)
        return replace(
            ticket,
            key=movement.key,
            content=movement.fingerprint,
            parent=movement.parent,
            target=movement.target,
            refusable=bool(movement.parent) and isinstance(movement.tx.act, Credit),
        )

    # -- the gateway's own rollback (12)

    async def _silence_ends(self, provider: Provider, movement: Movement) -> datetime | None:
        """When its provider's silence means that it believes the bet failed; None: never."""
        bet = isinstance(movement.tx.act, Debit | Settle) and not movement.parent
        if provider.after_doubt is None or not bet or movement.told != "unknown" or movement.told_at is None:
            return None
        if movement.undone_by or await self._won(movement):
            return None
        return movement.told_at + provider.after_doubt

    async def _won(self, bet: Movement) -> bool:
        """A win that ties to the bet stops the clock (11, 12)."""
        tx = bet.tx
        if not tx.round_id:
            return False
        around = tuple(await self.world.journal.round(bet.provider, tx.player, tx.round_id))
        wins = [m for m in around if isinstance(m.tx.act, Credit) and not m.parent]
        return any(bet.key in {tied.key for tied in tied_bets(win.tx, around)} for win in wins)

    async def _roll_back(self, setup: Setup, provider: Provider, bet: Movement) -> None:
        """Sent as a cancel is (11); one for one movement, and never beside a provider's own."""
        tx = Transaction(
            act=Rollback(reference=bet.tx.id, reference_kind=bet.kind),
            id=OWN_ROLLBACK + bet.tx.id,
            player=bet.tx.player,
            session=bet.tx.session,
            currency=bet.tx.currency,
            round=bet.tx.round,
            game=bet.tx.game,
        )
        errand = Errand.of_settlement(setup, provider, self.world.ticks, SETTLE_SECONDS)
        done = Completed(tx=tx, target=bet)
        space = space_of(provider.dialect, Kind.ROLLBACK)
        way = self._ways(errand, done)
        ticket = self.movements.ticket(errand, way, done, space, tx)
        ticket = replace(ticket, key=key_of(provider.dialect, provider.id, space, tx), target=bet.key, alone=True)
        await self.movements.carry(ticket)
        found = await self.world.journal.get(bet.key)
        if found is None:
            return
        if found.state.decided:
            await self.world.journal.watch(found, None)
        else:
            tries = found.tries + 1
            await self.world.journal.watch(found, self.world.clock() + pause(found.key, tries))
