"""A wallet of each kind as a simple purse with exact semantics. Pure: a purse is a dict of entries."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.words import gains
from gateway.model import Accepted, Credit, Declined, Outcome, Reason, Rollback, Status, Transaction
from tests.explore.worlds import World, ends_its_bet

NO = {"credit": Reason.PLAYER_BLOCKED, "rollback": Reason.PLAYER_BLOCKED}


class Entry(Struct, frozen=True):
    """What it has under one id. `times`: how often the money moved for it."""

    delta: Decimal
    refused: str = ""
    times: int = 1
    names: str = ""  # what a rollback undid
    undone: bool = False
    tomb: bool = False  # only a rollback that named it is remembered
    won: bool = False  # its win ended it, where there is one word for that and for its cancel
    forgot: bool = False  # its wallet knows it no more, and says yes to what it does not know


Purse = dict[str, Entry]


def moved(purse: Purse, id: str) -> Decimal:
    """What is left of a movement and all that undid it."""
    own = purse.get(id)
    undone = sum((e.delta * e.times for e in purse.values() if e.names == id), Decimal(0))
    return undone + (own.delta * own.times if own is not None and not own.refused and not own.tomb else 0)


def ask(world: World, purse: Purse, tx: Transaction, *, refuse: bool, again: bool) -> Outcome:
    """One request arrives, as we hear its answer: `again`, that it was ended is heard as done before. Changes `purse`."""
    act = tx.act
    if isinstance(act, Status):
        return _status(world, purse, act)
    had = purse.get(tx.id)
    if had is not None and not had.tomb:
        known = _again(world, purse, tx, had)
        if known is not None:
            return known
    if had is not None and had.tomb:
        met = world.met_word and again
        return Accepted(currency="EUR", replayed=True) if met else Declined(reason=Reason.ALREADY_ROLLED_BACK)
    if world.one_word and _ended(purse, tx):
        return Accepted(currency="EUR", replayed=True) if again else Declined(reason=Reason.ALREADY_SETTLED)
    if refuse:
        return _refused(world, purse, tx, NO.get(tx.kind.value, Reason.INSUFFICIENT_FUNDS))
    if isinstance(act, Rollback):
        return _undo(world, purse, tx, act)
    if world.one_word and isinstance(act, Credit) and ends_its_bet(act) and act.reference in purse:
        purse[act.reference] = replace(purse[act.reference], won=True)
    before = had.times if had is not None and not had.refused else 0
    purse[tx.id] = Entry(gains(act, None, None), times=before + 1)
    return Accepted(currency="EUR", wallet_id=f"w-{tx.id}")


def _ended(purse: Purse, tx: Transaction) -> bool:
    """Whether its bet had the other end."""
    bet = purse.get(getattr(tx.act, "reference", ""))
    if bet is None or bet.tomb:
        return False
    return (
        bet.won if isinstance(tx.act, Rollback) else isinstance(tx.act, Credit) and ends_its_bet(tx.act) and bet.undone
    )


def _again(world: World, purse: Purse, tx: Transaction, had: Entry) -> Outcome | None:
    """What it says to an id that it has; None: it takes it for a new one."""
    if had.refused:
        return Declined(reason=Reason(had.refused), replayed=True) if world.repeats == "safe" else None
    if world.repeats == "never":
        return None
    if world.repeats == "query" and not isinstance(tx.act, Rollback):  # it looks at the balance first
        return Declined(reason=Reason.INSUFFICIENT_FUNDS)
    return Accepted(currency="EUR", wallet_id=f"w-{tx.id}", replayed=True)


def _refused(world: World, purse: Purse, tx: Transaction, reason: Reason) -> Declined:
    if world.repeats == "safe":
        purse[tx.id] = Entry(Decimal(0), refused=reason.value)
    return Declined(reason=reason)


def _undo(world: World, purse: Purse, tx: Transaction, act: Rollback) -> Outcome:
    target = purse.get(act.reference)
    if (target is None or target.tomb) and world.rounds and act.scope == "round" and (bets := _open_bets(purse)):
        if world.tombstones:
            purse[act.reference] = Entry(Decimal(0), tomb=True)
        return _given_back(purse, tx, *bets)
    if target is None or target.refused or target.tomb or target.forgot:
        if world.tombstones and target is None:
            purse[act.reference] = Entry(Decimal(0), tomb=True)
        if world.says_yes:
            purse[tx.id] = Entry(Decimal(0))
            return Accepted(currency="EUR", wallet_id=f"w-{tx.id}")
        return _refused(world, purse, tx, Reason.TRANSACTION_NOT_FOUND)
    if target.undone:
        return _refused(world, purse, tx, Reason.ALREADY_ROLLED_BACK)
    return _given_back(purse, tx, act.reference)


def _open_bets(purse: Purse) -> list[str]:
    """Of the one round that is played where this is asked: at most one, beside the one that is named."""
    return [id for id, e in purse.items() if e.delta < 0 and not (e.refused or e.names or e.undone)]


def _given_back(purse: Purse, tx: Transaction, bet: str) -> Accepted:
    target = purse[bet]
    purse[bet] = replace(target, undone=True)
    purse[tx.id] = Entry(-target.delta, names=bet)
    return Accepted(currency="EUR", wallet_id=f"w-{tx.id}", moved=abs(target.delta))


def _status(world: World, purse: Purse, act: Status) -> Outcome:
    had = purse.get(act.reference)
    if had is None or had.tomb:
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND)
    if had.refused:
        return Declined(reason=Reason(had.refused), replayed=True)
    return Accepted(currency="EUR", wallet_id=f"w-{act.reference}", replayed=True)
