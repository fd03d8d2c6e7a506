"""Rollbacks: what the journal decides by itself, when one may be sent, and what its end says.

Numbers in comments are those of SEMANTICS.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.dialect import Dialect
from gateway.engine.complete import reference_kinds
from gateway.engine.errand import Errand
from gateway.engine.identity import same_player
from gateway.engine.journal import Movement, Opened
from gateway.engine.judge import settled_in_flight
from gateway.engine.plan import Way
from gateway.engine.states import State
from gateway.engine.ticket import Ticket
from gateway.model import Accepted, Act, Credit, Debit, Declined, Flaw, Kind, Reason, Reserve, Rollback, Transaction

if TYPE_CHECKING:
    from gateway.engine.movements import Movements

OWN_ROLLBACK = "gw:"  # how the id of a rollback of the gateway's own begins (12)


class Rollbacks:
    """The rules of rollbacks; the movements themselves are carried by `Movements`."""

    def __init__(self, movements: Movements) -> None:
        self.movements, self.world = movements, movements.world

    async def by_journal(self, ticket: Ticket, opened: Opened) -> Movement | None:
        """A rollback that is decided by what the journal knows (15, 16, 17)."""
        movement, target = opened.movement, opened.target
        was_sent = not opened.fresh and (movement.attempts > 0 or movement.asked_at is not None)
        if not isinstance(movement.tx.act, Rollback) or was_sent:
            return None  # what the wallet was asked is brought to its own answer (13)
        refusal: Accepted | Declined | None = await self._refusal(ticket, opened)
        if refusal is None and target is not None and target.undone_by not in ("", movement.key):
            refusal = await self._after_another(ticket, target.undone_by)
            if refusal is None and not ticket.errand.provider.dialect.partial:
                return await self.movements.hold_back(movement, opened.fresh, "another rollback of it is under way")
        if refusal is None and target is not None and await self._never_sent(target):
            return await self._by_itself(ticket, movement, Accepted(moved=Decimal(0), currency=target.tx.currency))
        if refusal is None:
            return None
        if isinstance(refusal, Declined):
            await self.world.journal.release_target(movement.key, self.world.clock())
        return await self._by_itself(ticket, movement, refusal)

    async def ended(self, errand: Errand, movement: Movement) -> Movement:
        """A movement in doubt whose rollback was decided by a late answer, or just before a crash (5)."""
        rollback = await self.world.journal.get(movement.undone_by)
        if rollback is None or not rollback.state.decided:
            return movement
        await self.undone(errand, rollback, movement)
        return await self.world.journal.get(movement.key) or movement

    async def unknown(self, ticket: Ticket, movement: Movement) -> Movement:
        """A rollback of a bet that never came through here, at a wallet that cannot be told it: only
        the bet would have said what its dialect needs. The wallet cannot have taken what we never
        brought, and the late bet meets the tombstone (15)."""
        refusal = Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="no such movement came through here")
        return await self._by_itself(ticket, movement, refusal)

    async def _never_sent(self, movement: Movement) -> bool:
        """Accepted without a wallet: nothing moved there, so nothing is undone there (20).

        A split settle was not sent either, but its parts were (18).
        """
        unsent = movement.state is State.ACCEPTED and movement.attempts == 0
        return unsent and not await self.world.journal.children(movement.key)

    async def _by_itself(self, ticket: Ticket, movement: Movement, outcome: Accepted | Declined) -> Movement:
        tx = movement.tx
        balance = await self.movements.asker.last_balance(movement.provider, tx.player, tx.currency)
        if outcome.balance is None and balance is not None:
            outcome = replace(outcome, balance=balance, currency=tx.currency)
        return await self.movements.asker.decide(ticket.errand, replace(movement, attempts=0), outcome)

    async def _refusal(self, ticket: Ticket, opened: Opened) -> Declined | None:
        movement, target, dialect = opened.movement, opened.target, ticket.errand.provider.dialect
        act = movement.tx.act
        assert isinstance(act, Rollback)
        if by_round(dialect, act) and any(_is_win(m) for m in opened.round):
            return Declined(reason=Reason.ALREADY_SETTLED, message="the round has a win")  # 16
        if target is None:
            return await self._of_another(ticket, movement)
        if target.state is State.DECLINED:
            return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement was declined")  # 15
        whole = amount_of(target)
        if dialect.partial and whole is not None and opened.undone >= whole > 0 and await self._all_done(target):
            return Declined(reason=Reason.ALREADY_ROLLED_BACK, message="nothing is left of that movement")
        if act.amount is None or whole is None:
            return None
        if movement.tx.currency != target.tx.currency:
            return Declined(reason=Reason.CURRENCY_MISMATCH, message=f"that movement was in {target.tx.currency}")
        if dialect.excess == "refuse" and act.amount > whole - opened.undone:
            message = "more than is left of that movement"
            return Declined(reason=Reason.INVALID_REQUEST, message=message, field="amount", flaw=Flaw.TOO_HIGH)  # 17
        return None

    async def _of_another(self, ticket: Ticket, rollback: Movement) -> Declined | None:
        """A rollback of another player's movement: no wallet is to give this one that money."""
        provider, act = ticket.errand.provider, rollback.tx.act
        if provider.dialect.scope != "provider" or not rollback.reference:
            return None
        meant = await self.world.journal.find(provider.id, reference_kinds(provider, act), rollback.reference)
        if meant is None or same_player(meant.tx.player, rollback.tx.player):
            return None
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement is another player's")

    async def _all_done(self, target: Movement) -> bool:
        undoing = [m for m in await self.world.journal.aimed_at(target.key) if m.kind is Kind.ROLLBACK]
        return all(m.state.decided for m in undoing if m.attempts)

    async def _after_another(self, ticket: Ticket, other: str) -> Accepted | Declined | None:
        """What a second rollback of one movement hears when the first is done; None: it is not.

        The gateway's own rollback is one that this provider joins: it never heard of it (12).
        """
        flight = self.movements.flights.get(other)
        if flight is not None:
            await self.world.wait([flight.handle], ticket.errand.left())
        found = await self.world.journal.get(other)
        if found is not None and isinstance(found.outcome, Accepted):
            if found.tx.id.startswith(OWN_ROLLBACK):
                return replace(found.outcome, balance=None, bonus=None)
            return Declined(
                reason=Reason.ALREADY_ROLLED_BACK, message="rolled back before", wallet_id=found.outcome.wallet_id
            )
        return None

    async def undoable(
        self, ticket: Ticket, way: Way, movement: Movement, target: Movement
    ) -> Movement | tuple[Movement]:
        """The target when its rollback may be sent (11); in a tuple: the rollback, and it may not yet."""
        fresh = movement.attempts <= 1 and movement.state is State.ASKING
        if await self._unsent(ticket, movement, target):
            return (await self._never_was(ticket, movement),)
        if target.state.decided or way.wallet.tombstones or movement.attempts > 1:
            return target
        target = await self._wait_for(ticket, target)
        if not target.state.decided:
            target = await self._ask_about(ticket, way, target)
        if target.state is State.DECLINED:
            return (await self._never_was(ticket, movement),)
        if target.state.decided or settled_in_flight(target, way.wallet, self.world.clock()):
            return target
        return (await self.movements.hold_back(movement, fresh, "its bet is in doubt"),)

    async def _unsent(self, ticket: Ticket, movement: Movement, target: Movement) -> bool:
        """Whether no byte of its bet ever left us: then the bet is over, and no wallet need be asked (10).

        The bet is taken first, and its repeats are refused since its cancel was read: nobody sends it now.
        """
        unsent = target.state is State.DOUBT and not target.attempts and target.undone_by == movement.key
        if not unsent or target.key in self.movements.flights or target.key in self.movements.asker.air:
            return False
        taken = await self.world.journal.take(
            target, self.movements.node, self.world.clock(), self.movements.lease_ends(ticket.errand)
        )
        if taken is None or taken.state is not State.DOUBT or taken.attempts or target.key in self.movements.flights:
            return False
        refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it never reached the wallet")
        ended = await self.world.journal.decide(taken, refusal, self.world.clock(), heard=False)
        return ended.state is State.DECLINED

    async def _never_was(self, ticket: Ticket, movement: Movement) -> Movement:
        await self.world.journal.release_target(movement.key, self.world.clock())
        refusal = Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement was declined")
        return await self._by_itself(ticket, movement, refusal)

    async def _wait_for(self, ticket: Ticket, target: Movement) -> Movement:
        """The target when the call that carries it in this process has ended, or our time has."""
        flight = self.movements.flights.get(target.key)
        handles = [flight.handle] if flight is not None else [*self.movements.asker.air.get(target.key, ())]
        if handles:
            await self.world.wait(handles, ticket.errand.left() / 2)
        return await self.world.journal.get(target.key) or target

    async def _ask_about(self, ticket: Ticket, way: Way, target: Movement) -> Movement:
        """A query, where this wallet can be asked about the movement."""
        job = await self.movements.job(ticket, way, target, None, Decimal(0))
        return await self.movements.asker.ask_about(job, target)

    async def undone(self, errand: Errand, rollback: Movement, target: Movement) -> None:
        """What the end of a rollback says of its target."""
        if not rollback.state.decided:
            return
        outcome = rollback.outcome
        gone = isinstance(outcome, Accepted) or (
            isinstance(outcome, Declined) and outcome.reason is Reason.TRANSACTION_NOT_FOUND
        )
        if not target.state.decided and gone:  # a rollback ends the doubt about its target (5, 10)
            refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back")
            await self.world.journal.decide(target, refusal, self.world.clock(), heard=False)
        elif not gone:
            await self.world.journal.release_target(rollback.key, self.world.clock())


def by_round(dialect: Dialect, act: Act) -> bool:
    """Whether a rollback may mean a whole round (16)."""
    return isinstance(act, Rollback) and act.scope == "round" and dialect.round_refunds


def undoes_all(tx: Transaction, target: Movement | None) -> bool:
    """A rollback of all of it is a cancel (11), also where partial ones are known."""
    whole = amount_of(target) if target is not None else None
    asked = tx.act.amount if isinstance(tx.act, Rollback) else None
    return asked is None or (whole is not None and asked >= whole)


def _is_win(movement: Movement) -> bool:
    return movement.kind in (Kind.CREDIT, Kind.SETTLE) and movement.state is not State.DECLINED


def amount_of(movement: Movement) -> Decimal | None:
    """What a movement moved, where a rollback of it can be compared with it."""
    act = movement.tx.act
    if isinstance(act, Debit | Credit | Reserve):
        return act.amount
    return None
