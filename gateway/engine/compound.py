"""Movements that are more than one: a round's refund, a settle that a wallet cannot say, a batch.

Each part is a movement of its own in the journal, with the whole as its `parent`; the whole is
decided when its parts are (SEMANTICS.md 16, 18, 19).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.engine.complete import Completed
from gateway.engine.errand import Errand
from gateway.engine.identity import fingerprint, key_of
from gateway.engine.journal import Movement, Opened
from gateway.engine.plan import Way, enveloped
from gateway.engine.states import State
from gateway.engine.ticket import Ticket
from gateway.model import (
    Accepted,
    Act,
    Batch,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Reason,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)

if TYPE_CHECKING:
    from gateway.engine.movements import Movements


async def carry_parts(movements: Movements, ticket: Ticket, way: Way, opened: Opened) -> Movement | None:
    """The whole, after its parts; None: it is one movement."""
    movement, act = opened.movement, opened.movement.tx.act
    if isinstance(act, Settle) and not await movements.sayable(ticket, way, movement):
        outcome = await _settle(movements, ticket, movement)
    elif isinstance(act, Rollback) and opened.target is None and act.scope == "round":
        bets = await _bets(movements, movement, opened.round)
        if not bets:
            return None
        outcome = await _undo_round(movements, ticket, movement, bets)
    elif isinstance(act, Rollback) and opened.target is not None:
        legs = await movements.world.journal.children(opened.target.key)
        if not legs:
            return None
        outcome = await _undo_settle(movements, ticket, movement, legs)
    else:
        return None
    unsent = replace(movement, attempts=0)
    if not isinstance(outcome, Unknown):
        return await movements.asker.decide(ticket.errand, unsent, outcome)
    parts = await movements.world.journal.children(movement.key)
    if any(part.state is State.PERSON for part in parts):  # what a part waits for, the whole waits for
        return await movements.for_person(unsent, outcome.detail)
    return replace(unsent, note=outcome.detail)


def _part(
    movements: Movements, ticket: Ticket, whole: Movement, name: str, act: Act, *, id: str, target: str = "",
    closes: bool = False, refusable: bool = False,
) -> Ticket:  # fmt: skip
    """The ticket of one part. Its key space is its own, so it meets no other movement's key."""
    around = whole.tx.round
    tx = replace(whole.tx, id=id, act=act, round=around if closes or around is None else Round(around.id))
    provider = ticket.errand.provider
    space = f"{whole.space}.{name}"
    return replace(
        ticket,
        done=Completed(tx=tx),
        space=space,
        content=fingerprint(tx),
        key=key_of(provider.dialect, provider.id, space, tx),
        parent=whole.key,
        target=target,
        refusable=refusable,
        id_space="",
    )


# ---------------------------------------------------------------- a round's refund (16)


async def _bets(movements: Movements, whole: Movement, around: Sequence[Movement]) -> list[Movement]:
    """The open bets of the round, and those that earlier parts of this refund already took."""
    taken = {part.target for part in await movements.world.journal.children(whole.key)}
    return [m for m in around if m.kind is Kind.DEBIT and not m.parent and (m.key in taken or _is_open(m))]


def _is_open(bet: Movement) -> bool:
    return bet.state is not State.DECLINED and not bet.undone_by


async def _undo_round(movements: Movements, ticket: Ticket, whole: Movement, bets: list[Movement]) -> Outcome:
    outcomes: list[tuple[Outcome, Decimal]] = []
    for number, bet in enumerate(bets):
        act = Rollback(reference=bet.tx.id, reference_kind=bet.kind, scope="round")
        own = whole.tx.id if number == 0 else f"{whole.tx.id}:{bet.tx.id}"
        part = _part(movements, ticket, whole, "part", act, id=own, target=bet.key)
        part = replace(part, id_space=whole.space)  # the first is told to the wallet as the refund itself
        outcomes.append((await movements.carry(part), getattr(bet.tx.act, "amount", Decimal(0))))
    return _together(outcomes)


def _together(outcomes: list[tuple[Outcome, Decimal]]) -> Outcome:
    """One outcome of several rollbacks: doubt while one is in doubt; what moved is the sum."""
    unknown = next((outcome for outcome, _ in outcomes if isinstance(outcome, Unknown)), None)
    if unknown is not None:
        return unknown
    accepted = [(outcome, amount) for outcome, amount in outcomes if isinstance(outcome, Accepted)]
    if not accepted:
        return outcomes[0][0]
    moved = sum((amount if outcome.moved is None else outcome.moved for outcome, amount in accepted), Decimal(0))
    last = accepted[-1][0]
    return replace(last, moved=moved, wallet_id=accepted[0][0].wallet_id, replayed=False)


# ---------------------------------------------------------------- settle (18)


async def _settle(movements: Movements, ticket: Ticket, whole: Movement) -> Outcome:
    act, own = whole.tx.act, whole.tx.id
    assert isinstance(act, Settle)
    bet = Debit(amount=act.debit, free_round=act.free_round)
    debit_ticket = _part(movements, ticket, whole, "debit", bet, id=own)
    debit = await movements.carry(debit_ticket)
    if not isinstance(debit, Accepted):
        return debit
    win = Credit(amount=act.credit, free_round=act.free_round)
    credit = await movements.carry(_part(movements, ticket, whole, "credit", win, id=own, closes=True, refusable=True))
    if isinstance(credit, Accepted):
        return replace(credit, wallet_id=debit.wallet_id, replayed=False)
    if isinstance(credit, Unknown):
        return credit
    undo = Rollback(reference=own, reference_kind=Kind.DEBIT)
    undone = await movements.carry(
        _part(movements, ticket, whole, "rollback", undo, id=f"rollback:{own}", target=debit_ticket.key)
    )
    if isinstance(undone, Accepted):
        return replace(credit, balance=undone.balance, currency=undone.currency, replayed=False)
    return Unknown(detail="its win was declined, and its bet is not rolled back yet")


async def _undo_settle(movements: Movements, ticket: Ticket, whole: Movement, legs: list[Movement]) -> Outcome:
    """The credit first, then the debit."""
    outcomes: list[tuple[Outcome, Decimal]] = []
    begun = {part.target for part in await movements.world.journal.children(whole.key)}
    for leg in sorted((leg for leg in legs if leg.kind in (Kind.CREDIT, Kind.DEBIT)), key=lambda leg: leg.kind):
        if leg.state is State.DECLINED and leg.key not in begun:  # what a part of this one undid is declined, too
            continue
        act = Rollback(reference=leg.tx.id, reference_kind=leg.kind)
        own = f"{whole.tx.id}:{leg.kind.value}"
        outcome = await movements.carry(_part(movements, ticket, whole, "part", act, id=own, target=leg.key))
        if isinstance(outcome, Unknown):
            return outcome
        outcomes.append((outcome, Decimal(0)))
    if not outcomes and all(leg.state is State.DECLINED for leg in legs):
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement was declined")
    return _together(outcomes) if outcomes else Unknown(detail="there is nothing to undo yet")


# ---------------------------------------------------------------- batch (19)

GIVE_BACK = "batch.rollback"  # the key space of the rollbacks of a batch that was declined
GIVEN_BACK = f"/{GIVE_BACK}/"
CarryOne = Callable[[Transaction, str], Awaitable[Outcome]]
"""(item, key space or blank) -> its outcome."""


async def carry_batch(errand: Errand, tx: Transaction, carry_one: CarryOne) -> Outcome:
    """Debits first, credits last; each item by its own key, known ones from the journal.

    An atomic batch of which a debit is declined gives the debits back that were taken.
    """
    act = tx.act
    assert isinstance(act, Batch)
    act = replace(act, items=tuple(enveloped(tx, item) for item in act.items))
    outcomes: dict[int, Outcome] = {}
    order = sorted(range(len(act.items)), key=lambda n: act.items[n].kind is Kind.CREDIT)
    for number in order:
        item = act.items[number]
        stopped = act.atomic and not all(isinstance(done, Accepted) for done in outcomes.values())
        if stopped:
            break
        outcomes[number] = await carry_one(item, "")
    return await _whole(act, outcomes, carry_one)


async def _whole(act: Batch, outcomes: dict[int, Outcome], carry_one: CarryOne) -> Outcome:
    unknown = next((outcome for outcome in outcomes.values() if isinstance(outcome, Unknown)), None)
    if unknown is not None:
        return unknown
    refused = next((outcome for outcome in outcomes.values() if isinstance(outcome, Declined)), None)
    if act.atomic and refused is not None:
        return await _give_back(act, outcomes, refused, carry_one)
    told = [outcomes[number] for number in sorted(outcomes)]
    shown = next((o for o in reversed(told) if not isinstance(o, Unknown) and o.balance is not None), None)
    first = next((o.wallet_id for o in told if isinstance(o, Accepted)), "")
    if shown is None or isinstance(shown, Unknown):
        return Accepted(items=tuple(told), wallet_id=first)
    return Accepted(
        items=tuple(told), wallet_id=first, balance=shown.balance, bonus=shown.bonus, currency=shown.currency,
        replayed=all(not isinstance(o, Unknown) and o.replayed for o in told),
    )  # fmt: skip


async def _give_back(act: Batch, outcomes: dict[int, Outcome], refused: Declined, carry_one: CarryOne) -> Outcome:
    for number, outcome in outcomes.items():
        if not isinstance(outcome, Accepted):
            continue
        item = act.items[number]
        undo = Rollback(reference=item.id, reference_kind=item.kind)
        gone = await carry_one(replace(item, id=f"rollback:{item.id}", act=undo), GIVE_BACK)
        if not isinstance(gone, Accepted):
            return Unknown(detail="part of the batch was declined, and another part is not given back yet")
        refused = replace(refused, balance=gone.balance, currency=gone.currency)
    return replace(refused, items=())
