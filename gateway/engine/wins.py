"""Wins: the bet that a win ties to is completed first (SEMANTICS.md 11, 13)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.engine.backoff import pause
from gateway.engine.journal import Movement, Opened
from gateway.engine.plan import Way
from gateway.engine.states import State
from gateway.engine.ticket import Flight, Ticket
from gateway.model import Credit, Debit, Declined, Outcome, Reason, Transaction, Unknown

if TYPE_CHECKING:
    from gateway.engine.movements import Movements


async def bets_settled(movements: Movements, ticket: Ticket, opened: Opened) -> bool:
    """Whether the bet that a win ties to is out of doubt; it is completed first (13)."""
    for bet in tied_bets(opened.movement.tx, opened.round):
        if bet.state.decided or (bet.undone_by and not await _cancel_stopped(movements, ticket, bet)):
            continue  # once its rollback may have left, the win goes to the wallet (12, 15)
        if not (await _complete_bet(movements, ticket, bet)).state.decided:
            return False
    return True


async def _cancel_stopped(movements: Movements, ticket: Ticket, bet: Movement) -> bool:
    """A win stops a cancel that has not been sent and of which its provider heard no success (11)."""
    cancel = await movements.world.journal.get(bet.undone_by)
    if cancel is None or cancel.attempts or cancel.state.decided or cancel.key in movements.flights:
        return False
    await movements.world.journal.release_target(cancel.key, movements.world.clock())
    refusal = Declined(reason=Reason.ALREADY_SETTLED, message="a win came for this bet")
    await movements.asker.decide(ticket.errand, cancel, refusal)
    return True


async def _complete_bet(movements: Movements, ticket: Ticket, bet: Movement) -> Movement:
    """The bet when whoever carries it has ended, or our time has."""
    flight = movements.flights.get(bet.key)
    if flight is None:
        way = movements.way_of(ticket, bet)
        if way is None:
            return bet
        handle = movements.world.spawn(_ask_for(movements, ticket, way, bet))
        flight = movements.flights[bet.key] = Flight(handle, bet.fingerprint, bet.tx.player)
    await movements.world.wait([flight.handle], ticket.errand.left())
    return await movements.world.journal.get(bet.key) or bet


async def _ask_for(movements: Movements, ticket: Ticket, way: Way, bet: Movement) -> Outcome:
    """Asks for the bet under a lease of its own, like a repeat of its provider would (9, 24)."""
    world = movements.world
    try:
        taken = await movements.take(ticket, bet)
        if taken is None:
            return Unknown(detail="another process is asking")
        if not taken.state.decided:
            job = replace(await movements.job(ticket, way, taken, None, Decimal(0)), won=True)
            taken = await movements.asker.bring(job, taken, fresh=False)
            taken = await movements.left_open(way, taken)  # its own look may never come between the win's
        if not taken.state.decided:
            person = taken.state is State.PERSON  # it may not be asked again: a person's it stays
            state, note = (State.PERSON, taken.note) if person else (taken.open_state, "its win waits for it")
            due = None if person else world.clock() + pause(taken.key, taken.tries)
            taken = await world.journal.leave_open(taken, state, note, None, due)
        return taken.outcome if taken.outcome is not None else Unknown(detail="the bet is in doubt")
    finally:
        movements.flights.pop(bet.key, None)


def tied_bets(tx: Transaction, around: tuple[Movement, ...]) -> list[Movement]:
    """The bet that a win names, or the only one of its round (11)."""
    bets = [m for m in around if isinstance(m.tx.act, Debit) and not m.parent and m.state is not State.DECLINED]
    said = tx.act.reference if isinstance(tx.act, Credit) else ""
    named = [bet for bet in bets if said and bet.tx.id == said]
    return named or (bets if len(bets) == 1 else [])
