"""What a person does with a movement that cannot settle itself: `gateway tx retry` and `resolve`.

Both take the movement first, as a process does that carries it: what is being asked just now is
left alone. Who did it and why is a step of the movement's story, in the same transaction.
Numbers are those of SEMANTICS.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.capability import encodes
from gateway.engine.identity import own_id
from gateway.engine.journal import Event, Journal, Movement, Step
from gateway.engine.judge import again, remembered, settled_in_flight
from gateway.engine.setup import Setup, Wallet
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Kind, Reason, Status, Transaction

OWNER = "person:"  # whose lease it is while a person decides
LEASE = timedelta(seconds=5)


class NotDone(Exception):
    """Nothing was changed; says why, and what to do instead."""


class Unfound(NotDone):
    """No movement has this key."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What a person says of a movement. `reason` and `by` are recorded, and never told to a provider."""

    accepted: bool
    reason: str
    by: str
    force: bool = False  # also where the wallet may still apply it


async def retry(journal: Journal, setup: Setup, key: str, by: str, now: datetime) -> Movement:
    """Due at once; what waited for a person is in doubt or owed again. Raises `NotDone`."""
    movement = await _open_one(journal, key)
    _may_be_asked(movement, setup, now)
    taken = await _taken(journal, movement, now)
    fresh = replace(taken, tries=0)
    steps = [Step(now, Event.RETRY, _by(by))]
    return await journal.leave_open(fresh, taken.open_state, "", None, now, steps=steps)


async def resolve(journal: Journal, setup: Setup, key: str, verdict: Verdict, now: datetime) -> Movement:
    """The decision that a person made, for ever. Raises `NotDone`."""
    movement = await _open_one(journal, key)
    await _no_open_parts(journal, movement)
    if not verdict.force:
        _nothing_in_flight(movement, setup, now)
    taken = await _taken(journal, movement, now)
    word = "accepted" if verdict.accepted else "declined"
    step = Step(now, Event.RESOLVED, f"{word}{_by(verdict.by, ' by ')}: {verdict.reason}")
    target = await journal.get(taken.target) if taken.target else None
    outcome = _yes(taken) if verdict.accepted else _no(taken, target)
    decided = await journal.decide(taken, outcome, now, heard=False, steps=[step])
    if decided.outcome is not outcome:
        raise NotDone(f"it was decided at the same moment: {decided.state.value}")
    if decided.kind is Kind.ROLLBACK:
        await _its_target(journal, decided, target, now)
    await _its_whole(journal, decided, now)
    return decided


def _by(name: str, before: str = "by ") -> str:
    return f"{before}{name}" if name else ""


async def _open_one(journal: Journal, key: str) -> Movement:
    movement = await journal.get(key)
    if movement is None:
        raise Unfound(f"no movement has the key {key} (`gateway tx list` prints keys)")
    if movement.state.decided:
        raise NotDone(f"it is {movement.state.value}, and a decision stands")
    return movement


async def _taken(journal: Journal, movement: Movement, now: datetime) -> Movement:
    """The movement for us alone (24), as it is now."""
    taken = await journal.take(movement, f"{OWNER}{now.isoformat()}", now, now + LEASE)
    if taken is None:
        raise NotDone("a process carries it just now: try again in some seconds")
    if taken.state.decided:
        raise NotDone(f"it was decided meanwhile: {taken.state.value}")
    return taken


def _may_be_asked(movement: Movement, setup: Setup, now: datetime) -> None:
    """A wallet that may not be asked again is not, whoever wishes it (14)."""
    wallet = setup.wallets.get(movement.wallet)
    if wallet is None or not movement.attempts:
        return
    instead = "find out there what became of it, and say so with `gateway tx resolve`"
    if not remembered(movement, wallet, now):
        raise NotDone(f"wallet {wallet.name} does not remember it any more: {instead}")
    if movement.owes and again(movement, wallet) == "never":
        raise NotDone(f"wallet {wallet.name} may not be asked again about a {movement.kind.value}: {instead}")
    if not movement.owes and not _can_be_queried(wallet, movement, setup):
        raise NotDone(f"only its provider's repeat asks a {movement.kind.value} again, and no query exists: {instead}")


def _can_be_queried(wallet: Wallet, movement: Movement, setup: Setup) -> bool:
    act = Status(reference=movement.tx.id, reference_kind=movement.kind)
    return encodes(wallet.dialect, wallet.settings, Transaction(act=act, player="p-1"), setup.currencies)


def _nothing_in_flight(movement: Movement, setup: Setup, now: datetime) -> None:
    """What waits for a person may be resolved at once; what the gateway still settles, not before its
    request can no longer be on the way (10)."""
    wallet = setup.wallets.get(movement.wallet)
    if movement.state is State.PERSON or wallet is None or not movement.attempts:
        return
    if not settled_in_flight(movement, wallet, now):
        assert movement.asked_at is not None
        ends = (movement.asked_at + wallet.in_flight_max).strftime("%H:%M:%S")
        raise NotDone(
            f"the gateway still settles it, and wallet {wallet.name} may still apply it until {ends} UTC: wait, or --force"
        )


async def _no_open_parts(journal: Journal, movement: Movement) -> None:
    """A whole follows its parts: deciding it alone would leave their money where it is (16, 18)."""
    open_ones = [part.key for part in await journal.children(movement.key) if not part.state.decided]
    if open_ones:
        raise NotDone(f"it is made of parts, and follows them; resolve those that are open: {' '.join(open_ones)}")


def _yes(movement: Movement) -> Accepted:
    return Accepted(currency=movement.tx.currency, wallet_id=own_id(movement.key))


def _no(movement: Movement, target: Movement | None) -> Declined:
    """In words that every dialect has; a person's own never leave the journal."""
    if movement.kind is Kind.ROLLBACK:
        gone = target is not None and target.state is State.DECLINED
        reason = Reason.TRANSACTION_NOT_FOUND if gone else Reason.ALREADY_SETTLED
    else:
        reason = Reason.UNSUPPORTED if movement.owes else Reason.ALREADY_ROLLED_BACK
    return Declined(reason=reason, message="decided by a person")


async def _its_target(journal: Journal, rollback: Movement, target: Movement | None, now: datetime) -> None:
    """A rollback that was done ends the doubt about its target (5); one that will not be frees it."""
    if rollback.state is State.DECLINED:
        await journal.release_target(rollback.key, now)
    elif target is not None and not target.state.decided:
        refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back")
        await journal.decide(target, refusal, now, heard=False)


async def _its_whole(journal: Journal, part: Movement, now: datetime) -> None:
    """The movement that it is a part of is looked at, at once."""
    whole = await journal.get(part.parent) if part.parent else None
    if whole is None or whole.state.decided:
        return
    taken = await journal.take(whole, f"{OWNER}{now.isoformat()}", now, now + LEASE)
    if taken is not None and not taken.state.decided:
        steps = [Step(now, Event.RETRY, f"its part {part.key} was resolved")]
        await journal.leave_open(taken, taken.open_state, "", None, now, steps=steps)
