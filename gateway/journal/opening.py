"""Opening a movement: insert it, or find what is there, and all that must be known at that moment.

One atomic step. On SQLite there is one writer. On PostgreSQL two nodes may open at once what
concerns each other (a bet, and the rollback that names it): whoever opens first locks its names in
the database, and the other one looks only when the first is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.engine.identity import same_player
from gateway.engine.journal import Intent, Movement, Opened
from gateway.engine.states import State
from gateway.journal import rows
from gateway.journal.change import Ask, Change, Last, Look, Row, Steps
from gateway.model import Accepted, Declined, Kind, Reason, Rollback

Answers = Mapping[str, list[Row]]
InsertValues = Callable[[Movement], tuple[Any, ...]]


def change(intent: Intent, insert_values: InsertValues) -> Change[Opened]:
    def steps(again: bool) -> Steps[Opened]:
        return _opening(intent, insert_values, again)

    return Change(steps=steps, key=intent.movement.key, names=names(intent))


def names(intent: Intent) -> tuple[str, ...]:
    """What this movement is called, what it names, and its round: everything by which a movement and
    its tombstone, or two rollbacks of one movement, could miss each other."""
    m, tx = intent.movement, intent.movement.tx
    found = [f"{m.provider}\x1f{tx.id}"]
    if m.reference:
        found.append(f"{m.provider}\x1f{m.reference}")
    if tx.round_id:
        found.append(f"{m.provider}\x1f{tx.player}\x1f{tx.round_id}")
    return tuple(found)


def _opening(intent: Intent, insert_values: InsertValues, again: bool) -> Steps[Opened]:
    m = intent.movement
    known = yield from _look(_first_look(intent))
    own = _movement(known["own"])
    if own is not None:
        ours = again and (own.owner, own.created_at, own.attempts) == (m.owner, m.created_at, m.attempts)
        return (yield from _found(intent, own, fresh=ours and own.state is State.ASKING))
    movement = _where_its_round_went(intent, known)
    tombstone = _tombstone(intent, known)
    if tombstone is not None:
        buried = _buried(movement, tombstone)
        yield Last([Ask("insert", insert_values(buried))])
        return Opened(movement=buried, fresh=True, tombstone=tombstone.key)
    target = _target(intent, known)
    if target is not None and target.key not in _held(known):
        held = yield from _look({"bet": Ask("get_target", (target.key,))})  # found by its round: not held yet
        target = next((bet for bet in map(rows.movement, held["bet"]) if is_open_bet(bet)), None)
    if target is not None:
        return (yield from _aimed(intent, movement, target, known, insert_values))
    more = yield from _look(_round_look(intent, known))
    yield Last([Ask("insert", insert_values(movement))])
    return Opened(movement=movement, fresh=True, round=_around(intent, known, more, movement))


def _look(asks: Mapping[str, Ask]) -> Generator[Look | Last, list[list[Row]], Answers]:
    if not asks:
        return {}
    answers = yield Look(list(asks.values()))
    return dict(zip(asks, answers, strict=True))


def _first_look(intent: Intent) -> dict[str, Ask]:
    m, tx = intent.movement, intent.movement.tx
    here = (m.provider, tx.player, tx.round_id)
    asks = {"own": Ask("get", (m.key,))}
    if tx.round_id and m.wallet:
        asks["wallet"] = Ask("round_wallet", here)
    if intent.buried_by:
        asks["buried"] = Ask("buried", (m.provider, tx.id, tx.round_id))
        if tx.round_id and intent.rounds:
            asks["buried_round"] = Ask("buried_round", here)
    if intent.target:
        asks["target"] = Ask("get_target", (intent.target,))
    elif intent.targets and m.reference:
        asks["targets"] = Ask("find_target", (m.provider, m.reference))
    if tx.round_id and (intent.by_round or intent.lone_bet):
        asks["round"] = Ask("round", here)
    elif tx.round_id and intent.wins:
        asks["open"] = Ask("round_open", here)
    return asks


def _round_look(intent: Intent, known: Answers) -> dict[str, Ask]:
    """The bets of a win's round matter only if one of them is open."""
    m, tx = intent.movement, intent.movement.tx
    return {"round": Ask("round", (m.provider, tx.player, tx.round_id))} if known.get("open") else {}


def _around(intent: Intent, known: Answers, more: Answers, movement: Movement) -> tuple[Movement, ...]:
    """The movements of the round, with the one that is just being opened."""
    found = more.get("round", known.get("round"))
    if found is None or not (intent.by_round or intent.wins):
        return ()
    return (*map(rows.movement, found), movement)


# ---------------------------------------------------------------- it was there before


def _found(intent: Intent, own: Movement, *, fresh: bool) -> Steps[Opened]:
    asks = {}
    if own.tx.round_id and (intent.by_round or intent.wins):  # where it was, whatever the repeat says of its round
        asks["round"] = Ask("round", (own.provider, own.tx.player, own.tx.round_id))
    if own.target:
        asks["target"] = Ask("get_target", (own.target,))
        asks |= _undoing(intent, own.target)
    more = yield from _look(asks)
    target = _movement(more.get("target", ()))
    if target is not None and intent.claim and not own.state.decided and not target.undone_by:
        yield Last([Ask("claim", (own.key, target.key))])  # the rollback before it may have been refused
        target = replace(target, undone_by=own.key)
    around = tuple(rows.movement(row) for row in more.get("round", ()))
    if not intent.by_round and not any(_is_open(m) for m in around):
        around = ()
    return Opened(movement=own, fresh=fresh, target=target, round=around, undone=_undone(more, own, target))


def _is_open(m: Movement) -> bool:
    return m.kind is Kind.DEBIT and not m.state.decided


# ---------------------------------------------------------------- it names another one


def _aimed(
    intent: Intent, movement: Movement, target: Movement, known: Answers, insert_values: InsertValues
) -> Steps[Opened]:
    asks = _round_look(intent, known) | _undoing(intent, target.key)
    if intent.alone and target.undone_by:
        asks["other"] = Ask("get", (target.undone_by,))
    more = yield from _look(asks)
    other = _movement(more.get("other", ()))
    if other is not None:
        return Opened(movement=other, fresh=False, target=target)
    if intent.alone and target.told == State.ACCEPTED.value:  # its provider has heard the decision by now (12)
        return Opened(movement=target, fresh=False, target=target)
    wallet, route = (target.wallet, target.route) if target.wallet else (movement.wallet, movement.route)
    movement = replace(_sent_to(intent, movement, wallet, route), target=target.key)
    last = [Ask("insert", insert_values(movement))]
    if intent.claim and not target.undone_by:
        last.insert(0, Ask("claim", (movement.key, target.key)))
        target = replace(target, undone_by=movement.key)
    yield Last(last)
    around = _around(intent, known, more, movement)
    return Opened(
        movement=movement, fresh=True, target=target, round=around, undone=_undone(more, movement, target)
    )  # fmt: skip


def _held(known: Answers) -> set[str]:
    """The keys of the movements that nobody else changes until this one is opened."""
    return {row[0] for name in ("target", "targets") for row in known.get(name, ())}


def _undoing(intent: Intent, target: str) -> dict[str, Ask]:
    """What the other rollbacks of the target move, where there may be several."""
    return {"undoing": Ask("undoing", (target,))} if intent.several else {}


def _undone(more: Answers, movement: Movement, target: Movement | None) -> Decimal:
    if target is None:
        return Decimal(0)
    others = [rows.movement(row) for row in more.get("undoing", ())]
    return sum((_moved(m, target) for m in others if m.key != movement.key), Decimal(0))


def _moved(rollback: Movement, target: Movement) -> Decimal:
    """What a rollback moves, as far as it is known: more is never assumed to be left than is."""
    if isinstance(rollback.outcome, Accepted) and rollback.outcome.moved is not None:
        return rollback.outcome.moved
    said = getattr(rollback.tx.act, "amount", None)
    return said if said is not None else getattr(target.tx.act, "amount", Decimal(0))


# ---------------------------------------------------------------- what the answers mean


def _movement(found: list[Row] | tuple[()]) -> Movement | None:
    return rows.movement(found[0]) if found else None


def _where_its_round_went(intent: Intent, known: Answers) -> Movement:
    """What is later in a round goes where the round went, whatever the routes say by now (rule 23)."""
    for wallet, route in known.get("wallet", ()):
        return _sent_to(intent, intent.movement, wallet, route)
    return intent.movement


def _sent_to(intent: Intent, movement: Movement, wallet: str, route: str) -> Movement:
    """With the id that this wallet is told: another wallet's alias may be another movement's here."""
    return replace(movement, wallet=wallet, route=route, alias=intent.aliases.get(wallet, movement.alias))


def _tombstone(intent: Intent, known: Answers) -> Movement | None:
    """The rollback that came before this movement, if one did and was not refused for another reason."""
    named = [rows.movement(row) for row in known.get("buried", ())]
    named = [
        found
        for found in named
        if isinstance(found.tx.act, Rollback) and found.tx.act.reference_kind in intent.buried_by
    ]
    named += [rows.movement(row) for row in known.get("buried_round", ())]
    return next((found for found in named if _buries(found)), None)


def _buries(rollback: Movement) -> bool:
    outcome = rollback.outcome
    if isinstance(outcome, Declined):
        return outcome.reason in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)
    return True


def _buried(movement: Movement, tombstone: Movement) -> Movement:
    """It came too late: declined from the journal, and told so."""
    refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back before it came")
    return replace(
        movement, state=State.DECLINED, attempts=0, asked_at=None, outcome=refusal, undone_by=tombstone.key,
        told=State.DECLINED.value, told_at=movement.created_at, decided_at=movement.created_at, owner="", due_at=None,
    )  # fmt: skip


def _target(intent: Intent, known: Answers) -> Movement | None:
    m = intent.movement
    if intent.target:
        return _movement(known["target"])
    target = first_of([rows.movement(row) for row in known.get("targets", ())], intent.targets)
    if target is not None and not same_player(target.tx.player, m.tx.player):
        target = None  # another player's movement is none that this call may touch
    if target is None and intent.lone_bet and intent.targets:
        bets = [bet for bet in map(rows.movement, known.get("round", ())) if is_open_bet(bet)]
        return bets[0] if len(bets) == 1 else None
    return target


def first_of(found: Sequence[Movement], kinds: Sequence[Kind]) -> Movement | None:
    """In the order of `kinds`; the parts of a split movement are nobody's reference."""
    whole = [m for m in found if not m.parent]
    return next((m for kind in kinds for m in whole if m.kind is kind), None)


def is_open_bet(movement: Movement) -> bool:
    """Accepted or in doubt, and not rolled back (rule 16)."""
    gone = movement.state is State.DECLINED or movement.undone_by or movement.parent
    return movement.kind is Kind.DEBIT and not gone
