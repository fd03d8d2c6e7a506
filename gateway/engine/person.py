"""What a person does with a movement that cannot settle itself: `gateway tx retry` and `resolve`.

What a process carries just now is left alone. Who did it and why is a step of the movement's story, in
the same transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialect import Dialect
from gateway.engine.capability import encodes
from gateway.engine.case import Case, shown
from gateway.engine.gather import Hands, case_of
from gateway.engine.identity import own_id
from gateway.engine.journal import Ask, Change, Journal, Look, Looks, Put, Steps, Write
from gateway.engine.judge import again, id_was_used, landed, remembered
from gateway.engine.moment import Moment
from gateway.engine.movement import BY_A_PERSON, Event, Movement, Step, clocked_again, decided, left
from gateway.engine.movement import freed as no_longer_claimed
from gateway.engine.opening import in_vain
from gateway.engine.parts import by_round, by_stake, gone
from gateway.engine.rules import ROLLED_BACK, STANDS, taken
from gateway.engine.setup import Setup, Wallet
from gateway.engine.states import State
from gateway.engine.ties import ROUND_MAX, deeper_of, tied
from gateway.engine.undoing import leaves_some, turned, turns_told, undoes_whole, undone_before, with_amount
from gateway.engine.words import nameless
from gateway.model import Accepted, Declined, Kind, Reason, Status, Transaction, amounts

NOW = timedelta(0)  # due at once


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
    wallet_id: str = ""  # what its wallet calls a hold that it named itself


async def retry(journal: Journal, setup: Setup, key: str, by: str, now: datetime) -> Movement:
    """Due at once; what waited for a person is in doubt or owed again. Raises `NotDone`."""

    step = Step(now, Event.RETRY, _by(by))

    def steps(again: bool) -> Steps[Movement]:
        done = (yield from _done_before(key, step)) if again else None
        if done is not None:
            return done
        own = yield from _open_one(key, now)
        _may_be_asked(own, setup, now)
        after = replace(left(own, own.open_state, "", now), tries=0)
        held = yield Write(puts=(Put(own, after, NOW),), steps=((key, step),))
        return _done(after, held=held)

    return await journal.make(Change(steps=steps, key=key))


async def resolve(journal: Journal, setup: Setup, key: str, verdict: Verdict, now: datetime) -> Movement:
    """The decision that a person made, for ever. Raises `NotDone`."""
    word = "accepted" if verdict.accepted else "declined"
    step = Step(now, Event.RESOLVED, f"{word}{_by(verdict.by, ' by ')}: {verdict.reason}")

    def steps(again: bool) -> Steps[Movement]:
        done = (yield from _done_before(key, step)) if again else None
        if done is not None:
            return done
        own = yield from _open_one(key, now)
        if verdict.wallet_id:
            _is_named_there(own, setup, verdict)
        asks = (
            Ask("parts", (key,)), Ask("own", (own.target,)), Ask("own", (own.parent,)), Ask("parts", (own.target,)),
            Ask("found", (own.provider, own.reference)), Ask("batch", (own.batch,)),
        )  # fmt: skip
        parts, target, whole, legs, named, batch = yield Look(asks)
        _no_open_parts(parts)
        if not verdict.force:
            ends = own.kind in (Kind.ROLLBACK, Kind.RELEASE) and verdict.accepted  # what it names, with it
            for each in (own, *((*target, *legs) if ends else ())):
                if not each.decided:
                    _nothing_in_flight(each, setup, now)
        aim, above = next(iter(target), None), next(iter(whole), None)
        chain, _ = (yield from deeper_of(aim)) if aim is not None else ((), ())
        provider = setup.provider_by_id(own.provider)
        dialect = provider.dialect if provider is not None else None
        case = (yield from _case(setup, own, now)) if aim is not None and own.undoes else None
        rest = case.rest_of(aim) if case is not None and aim is not None else None
        unknown = aim is None and not parts and not (yield from _bets_of(own, dialect))
        after = decided(
            own, _yes(own, verdict, case) if verdict.accepted else _no(own, aim, named, unknown=unknown), now
        )
        freed = (yield from _freed(setup, own, aim)) if not verdict.accepted else ()
        puts = [Put(own, after), *_its_target(after, aim, dialect, rest, now), *_its_whole(above, now)]
        puts += [Put(m, looked, NOW) for m in freed if (looked := clocked_again(m, now)) is not m]
        turns = turned(after, aim, chain, dialect) if own.undoes else []
        puts += [Put(was, m) for was, m in turns]
        puts += in_vain(after, [m for m in batch if m.key != key], now)
        told = [(key, step)]
        if above is not None and not above.decided:
            told.append((above.key, Step(now, Event.RETRY, f"its part {key} was resolved")))
        if aim is not None and aim.undone_by == key and not gone(after):
            told.append((aim.key, Step(now, Event.RELEASED, key)))
        told += turns_told(key, turns, now)
        held = yield Write(puts=tuple(puts), steps=tuple(told))
        return _done(after, held=held)

    return await journal.make(Change(steps=steps, key=key))


def _by(name: str, before: str = "by ") -> str:
    return f"{before}{name}" if name else ""


def _done(after: Movement, *, held: bool) -> Movement:
    if not held:
        raise NotDone("it changed at the same moment: try again")
    return after


def _done_before(key: str, step: Step) -> Looks[Movement | None]:
    """The movement as it is by now, if its story says that this was done: only the confirmation was lost, and what came
    of it meanwhile stands."""
    found, story = yield Look((Ask("own", (key,)), Ask("story", (key,))))
    said = any((s.at, s.what) == (step.at, step.what) and step.detail.startswith(s.detail) for s in story)
    return next(iter(found), None) if said else None


def _open_one(key: str, now: datetime) -> Looks[Movement]:
    """The movement, if nobody carries it just now and it is not decided."""
    (found,) = yield Look((Ask("own", (key,)),))
    own: Movement | None = next(iter(found), None)
    if own is None:
        raise Unfound(f"no movement has the key {key} (`gateway tx list` prints keys)")
    if own.decided:
        raise NotDone(f"it is {own.state.value}, and a decision stands")
    over = own.lease_over if own.lease_over is not None else own.due_at is not None and own.due_at <= now
    if own.owner and not over:
        raise NotDone("a process carries it just now: try again in some seconds")
    return own


def _may_be_asked(movement: Movement, setup: Setup, now: datetime) -> None:
    """A wallet that may not be asked again is not, whoever wishes it (rule 14)."""
    wallet = setup.wallets.get(movement.wallet)
    if wallet is None or not movement.attempts:
        return
    instead = "find out there what became of it, and say so with `gateway tx resolve`"
    if id_was_used(movement):
        raise NotDone(f"wallet {wallet.name} has another movement under its id: {instead}")
    if not remembered(movement, wallet, Moment(now)):
        raise NotDone(f"wallet {wallet.name} does not remember it any more: {instead}")
    if movement.owes and again(movement, wallet) == "never":
        raise NotDone(f"wallet {wallet.name} may not be asked again about a {movement.kind.value}: {instead}")
    if not movement.owes and not _can_be_queried(wallet, movement, setup):
        raise NotDone(f"only its provider's repeat asks a {movement.kind.value} again, and no query exists: {instead}")


def _can_be_queried(wallet: Wallet, movement: Movement, setup: Setup) -> bool:
    act = Status(reference=movement.tx.id, reference_kind=movement.kind)
    return not nameless(movement, wallet.dialect) and encodes(
        wallet.dialect, wallet.settings, Transaction(act=act, player="p-1"), setup.currencies
    )


def _nothing_in_flight(movement: Movement, setup: Setup, now: datetime) -> None:
    """What waits for a person may be resolved at once; what the gateway still settles, not before its
    request can no longer be on the way (rule 10)."""
    wallet = setup.wallets.get(movement.wallet)
    if movement.state is State.PERSON or wallet is None or not movement.attempts or movement.asked_at is None:
        return
    if not landed(movement, wallet, Moment(now)):
        ends = (movement.asked_at + wallet.in_flight_max).strftime("%H:%M:%S")
        raise NotDone(
            f"the gateway still settles {movement.key}, and wallet {wallet.name} may still apply it until {ends} UTC: wait, or --force"
        )


def _no_open_parts(parts: list[Movement]) -> None:
    """A whole follows its parts: deciding it alone would leave their money where it is (rules 16, 18)."""
    open_ones = [part.key for part in parts if not part.decided]
    if open_ones:
        raise NotDone(f"it is made of parts, and follows them; resolve those that are open: {' '.join(open_ones)}")


def _is_named_there(movement: Movement, setup: Setup, verdict: Verdict) -> None:
    """Whether a wallet's own name of it is of any use: what ends a hold is told under that."""
    wallet = setup.wallets.get(movement.wallet)
    names = wallet is not None and movement.kind is Kind.RESERVE and wallet.dialect.as_wallet.makes_hold_ids
    if not (names and verdict.accepted):
        raise NotDone(
            "only a hold that was accepted, at a wallet that names holds itself, has a wallet's id: leave it out"
        )


def _yes(movement: Movement, verdict: Verdict, case: Case | None) -> Accepted | Declined:
    """It says no more of a rollback than a wallet's yes would.

    *Two cancels of one bet came again after the journal had forgotten them, and a person saw that the bet was given back: both
    were accepted, and the journal had it given back twice (rule 30).*
    """
    yes = Accepted(currency=movement.tx.currency, wallet_id=verdict.wallet_id or own_id(movement.key))
    word = with_amount(case, undone_before(case, yes)) if case is not None and case.way is not None else yes
    return replace(word, message=BY_A_PERSON) if isinstance(word, Declined) else word


def _no(movement: Movement, target: Movement | None, named: list[Movement], *, unknown: bool) -> Declined:
    """In words that every dialect has; a person's own never leave the journal. A rollback whose movement came after
    it, and was declined for it, is told that there is none: not that it stands. *Of a bet that nobody had seen its
    provider heard, too, that it stands, and when it came it was refused (rule 15).*"""
    if movement.undoes:
        buried = any(m.undone_by == movement.key and m.state is State.DECLINED for m in named)
        gone = unknown or buried or (target is not None and target.state is State.DECLINED)
        reason = Reason.TRANSACTION_NOT_FOUND if gone else Reason.ALREADY_SETTLED
    else:
        reason = Reason.UNSUPPORTED if movement.owes else Reason.ALREADY_ROLLED_BACK
    return Declined(reason=reason, message=BY_A_PERSON)


def _bets_of(refund: Movement, dialect: Dialect | None) -> Looks[bool]:
    """Whether a round's refund that names none of them, or a cancel by round and amount, means bets that stand (rule 16).
    *Its provider heard that there are none.*"""
    tx, stake = refund.tx, dialect is not None and by_stake(dialect, refund)
    if dialect is None or not (stake or by_round(dialect, tx.act)):
        return False
    (bets,) = yield Look((Ask("round_bets", (refund.provider, tx.player, tx.round_id, ROUND_MAX if stake else 1)),))
    return any(not stake or amounts(bet.tx.act) == amounts(tx.act) for bet in bets)


def _case(setup: Setup, own: Movement, now: datetime) -> Looks[Case | None]:
    """What is known of a rollback; None: its provider is not configured any more."""
    provider = setup.provider_by_id(own.provider)
    if provider is None:
        return None
    hands = Hands(setup=setup, provider=provider, node="", nonce="", moment=Moment(now), lease=NOW)
    return (yield from case_of(hands, own))


def _its_target(
    rollback: Movement, target: Movement | None, dialect: Dialect | None, rest: Decimal | None, now: datetime
) -> list[Put]:
    """A rollback that was done ends the doubt about its target (rule 5); one that will not be frees it. *A part was
    given back, a person said so, and the refund of the rest heard that nothing was left (rule 17).*"""
    if target is None or rollback.kind not in (Kind.ROLLBACK, Kind.RELEASE):
        return []
    if not gone(rollback):
        if target.undone_by != rollback.key:
            return []
        freed = no_longer_claimed(target, rollback)
        if target.decided:
            return [Put(target, freed)]
        return [Put(target, replace(left(freed, target.open_state, "", now), tries=0), NOW)]
    if rollback.undoes and not undoes_whole(rollback, target, dialect, rest):
        return []
    if target.decided:
        held = rollback.kind is Kind.RELEASE  # of what is held it is only a word
        return [] if target.undone_by or held else [Put(target, replace(target, undone_by=rollback.key))]
    claimed = replace(target, undone_by=target.undone_by or rollback.key)
    if leaves_some(rollback, target):
        return [Put(target, decided(claimed, shown(taken(target), target.key), now))]
    return [Put(target, decided(claimed, STANDS if target.undoes else ROLLED_BACK, now))]


def _freed(setup: Setup, own: Movement, target: Movement | None) -> Looks[tuple[Movement, ...]]:
    """Whose clock a win or a capture had stopped that is none after all."""
    if own.kind is Kind.CAPTURE and target is not None:
        return (target,)
    return (yield from tied(setup, own)) if own.kind is Kind.CREDIT else ()


def _its_whole(whole: Movement | None, now: datetime) -> list[Put]:
    """The movement that it is a part of is looked at, at once."""
    if whole is None or whole.decided:
        return []
    return [Put(whole, replace(left(whole, whole.open_state, "", now), tries=0), NOW)]
