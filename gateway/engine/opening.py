"""A movement that may be new: inserted with all that must be known at that moment, or found as a repeat.

One generator of looks, which ends with a write: a database runs it in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.case import Around, Ask, Asked, Case, Decide, Move, Tell
from gateway.engine.complete import Completed, completing
from gateway.engine.gather import Hands, Turns, around_of, case_of, case_with, unmet
from gateway.engine.identity import cancel_id_of, fingerprint, key_of, said_currency, same_player
from gateway.engine.journal import Ask as LookFor
from gateway.engine.journal import Doubt, Looks, Put, Steps, Write
from gateway.engine.movement import Event, Movement, Session, Step, buried, carried, decided, told
from gateway.engine.parts import by_stake, kept, named_apart, refusable, undoable
from gateway.engine.places import route_of, way_of
from gateway.engine.rules import already_decided, clocked, next_move, other_content, taken_back
from gateway.engine.setup import Provider
from gateway.engine.states import State
from gateway.engine.ties import (
    Found,
    bets_of,
    first_asks,
    keeps_others,
    look,
    named_bets,
    of_its_stake,
    one,
    target_of,
    tombstone_of,
    twin_of,
    with_its_stake,
)
from gateway.engine.undoing import claims, leaves_some, not_its_own
from gateway.engine.words import Known, Way, moves_nothing
from gateway.model import Accepted, Credit, Declined, Game, Kind, Reason, Refused, Transaction, cancel_id

RETRY_MAX = timedelta(hours=24)  # the longest that a provider repeats a call (rule 30)


class Order(Struct, frozen=True, kw_only=True):
    """A movement that is to be opened, if it is not there yet."""

    wire: Transaction  # as it was decoded: its content is what the wire said
    space: str
    call: str = ""  # the name of the provider's call that asks for it; blank: no provider named it
    waits: bool = False
    patient: bool = False
    left: float = 0.0
    parent: Movement | None = None
    target: str = ""  # the key of the movement meant, where it is known beforehand
    ours: bool = False
    batch: str = ""
    atomic: bool = False
    joint: bool = False  # one of several items: heard with all of them
    id_space: str = ""  # where the alias lives, if not in `space`
    leaned: tuple[Movement, ...] = ()  # what the wish to open it leaned on
    settled: bool = False  # everybody was asked who could say who plays


class Opened(Struct, frozen=True, kw_only=True):
    """What opening came to. `case` None: something is missing that a session may say (`lacking`), or what
    it leaned on changed meanwhile."""

    case: Case | None
    done: Completed
    move: Move | None = None
    lacking: bool = False


def opening(hands: Hands, order: Order, again: bool) -> Steps[Opened]:
    """Insert it, or find what is there, with all that must be known at that moment."""
    done = yield from completing(hands.provider, order.wire, hands.moment.now, order.space)
    done = done.checked(hands.setup.currencies)
    if done.asks_who and not order.settled:
        return Opened(case=None, done=done, lacking=True)
    return (yield from _opened(hands, order, done, done.tx.id, again))


def _opened(hands: Hands, order: Order, done: Completed, id: str, again: bool) -> Steps[Opened]:
    """The same, once it is complete. `id`: what it is called here."""
    row, way = _row(hands, order, replace(done.tx, id=id), done.session)
    here = (row.provider, row.tx.player, row.tx.round_id)
    asks = {"own": LookFor("own", (row.key,)), "doubts": LookFor("doubts")}
    if row.tx.round_id:
        asks["place"] = LookFor("round_place", here)
    asks |= first_asks(hands.provider, row, fresh=True, waits=order.waits)
    read = {"session": _listed(done.launched)}
    if done.silent and asks.pop("last_session", None) is not None:
        read["last_session"] = _listed(done.session)
    first = yield from look(asks, (*_names(row), *_told_names(way, order, row)))
    first = {**first, **read}
    own = one(first, "own")
    if own is not None and (apart := _called_apart(order, own, row)) != id:
        return (yield from _opened(hands, order, done, apart, again))
    if own is not None:
        ours = again and (own.owner, own.created_at) == (row.owner, row.created_at) and own.state is State.ASKING
        if not ours:
            return (yield from _found(hands, order, own, done))
        return Opened(case=(yield from case_of(hands, own)), done=done)  # committed, and nobody told us
    target, stranger = target_of(hands.provider, row, first)
    if "stakes" in first:
        target = yield from of_its_stake(row, first)
        row = with_its_stake(row, target, spoke=done.spoke) if target is not None else row
    named = next(iter(named_bets(hands.provider, row, first)), None)
    row = _placed(row, way, target or named, one(first, "place"))
    way, astray = way_of(hands.setup, hands.provider, row, way)
    row = replace(row, alias=(yield from unmet(way, row, _alias(way, order, row)))) if way is not None else row
    row = yield from _with_its_bet(hands.provider, way, row, first)
    row = _with_its_game(way, _with_its_round(way, row, target) if row.undoes else row, target, first)
    around = yield from around_of(hands, way, row, first, target, stranger=stranger, fresh=True)
    meant = target.key if target is not None else ""
    row = replace(row, target=meant) if row.target != meant else row
    fresh = case_with(hands, row, way, astray, around)
    feared = _perhaps_forgotten(fresh, first.get("doubts", ()))
    case = _asked_for(replace(fresh, own=feared) if feared is not row else fresh, order, done, again=False)
    if hands.provider.dialect.as_provider.bare_ids and case.asked is not None:
        case = replace(case, asked=replace(case.asked, twin=twin_of(case.own, first)))
    return (yield from _inserted(hands, order, case, done, first))


def _listed(session: Session | None) -> list[Session]:
    """A session that was read before, as a look answers it."""
    return [session] if session is not None else []


def refused_already(hands: Hands, order: Order) -> Looks[bool]:
    """Whether the journal alone refuses it: its id is another movement's, or was declined, or named by a cancel."""
    done = yield from completing(hands.provider, order.wire, hands.moment.now, order.space)
    row, _ = _row(hands, order, done.tx, done.session)
    asks = {"own": LookFor("own", (row.key,)), **first_asks(hands.provider, row, fresh=True)}
    first = yield from look(asks)
    own = one(first, "own")
    if own is None:
        return tombstone_of(hands.provider, row, first) is not None
    same = own.fingerprint == row.fingerprint and same_player(own.tx.player, row.tx.player)
    return own.state is State.DECLINED or not same


def _called_apart(order: Order, own: Movement, row: Movement) -> str:
    """What a cancel is called whose id is made of the movement that it names, where another player's, or one in another
    currency, has that id, and nobody here knows whose that movement is: the wire gave neither of them an id, so neither is
    the other one's repeat, and each is put to the wallet (rules 2, 15).

    *A cancel under a wrong player, of a bet that no journal knows, was denied by its wallet; the right player's heard that its
    id is used for another movement, no wallet was asked, and the stake stayed taken.*
    """
    tx = row.tx
    made = row.undoes and not (row.parent or row.ours) and tx.id == cancel_id(row.reference)
    if not made or not own.undoes or own.target:
        return tx.id
    currency = order.wire.currency
    if same_player(own.tx.player, tx.player) and said_currency(own.fingerprint) == currency:
        return tx.id
    return cancel_id_of(tx.player, currency, row.reference)


def _row(hands: Hands, order: Order, tx: Transaction, session: Session | None) -> tuple[Movement, Way | None]:
    provider, now = hands.provider, hands.moment.now
    way = route_of(hands.setup, provider, tx, session)
    row = Movement(
        key=key_of(provider.dialect, provider.id, order.space, tx),
        provider=provider.id,
        space=order.space,
        kind=tx.kind,
        tx=tx,
        fingerprint=fingerprint(order.wire, provider.dialect),
        wallet=way.wallet.name if way is not None else "",
        place=way.wallet.place if way is not None else "",
        route=way.route.players if way is not None else "",
        target=order.target,
        parent=order.parent.key if order.parent is not None else "",
        batch=order.batch,
        atomic=order.atomic,
        ours=order.ours,
        owner=hands.node,
        due_at=now + hands.lease,
        created_at=now,
    )
    return row, way


def _with_its_bet(provider: Provider, way: Way | None, row: Movement, first: Found) -> Looks[Movement]:
    """A win with the bet that it ties to, at a wallet that pays one win for each bet, and whether it is a further one of it
    (rule 11). Found out once and kept: asked in other words later, because another bet came or the first win was declined
    meanwhile, it would be another movement there. Of the win of a bet whose wallet is away, too, however that speaks.

    *A second win came while its wallet was away, and was told as the first one when that was back: it was paid by nobody.*
    """
    act = row.tx.act
    if not isinstance(act, Credit) or row.parent:
        return row
    if not (way.wallet.dialect.as_wallet.one_win if way is not None else act.reference):
        return row
    named = named_bets(provider, row, first)
    bets = named if act.reference else [m for m in bets_of(provider, row, first) if m.kind is Kind.DEBIT]
    bet = bets[0] if len(bets) == 1 else None
    reference = act.reference or (bet.tx.id if bet is not None else "")
    if not reference:
        return row
    wins = yield from look({"wins": LookFor("naming_wins", (row.provider, reference, row.tx.player))})
    untold = bet is not None and bet.state is State.ACCEPTED and not bet.attempts
    return replace(row, tx=replace(row.tx, act=replace(act, reference=reference, further=bool(wins["wins"]) or untold)))


def _with_its_round(way: Way | None, row: Movement, target: Movement | None) -> Movement:
    """A rollback that said no round with that of its bet, where its wallet is told nothing else of it but an amount: the next
    such bet there looks for it by that (rule 16)."""
    if way is None or not way.wallet.dialect.by_stake or target is None or row.tx.round_id:
        return row
    return replace(row, tx=replace(row.tx, round=target.tx.round))


def _with_its_game(way: Way | None, row: Movement, target: Movement | None, first: Found) -> Movement:
    """With the game that the wire did not name, for a wallet that wants one: found out once and kept, for by the next
    asking its player may have been launched into another one.

    *A win was told in the game of its player's launch, and asked again in that of the next one: to a wallet that looks
    whether the game is the same it was another movement under a used id.*
    """
    if way is None or not way.wallet.dialect.as_wallet.wants_game or row.tx.game_id:
        return row
    bet = next(iter(named_bets(way.provider, row, first)), None)
    known = Known(way=way, target=target, bet=bet, last_session=one(first, "last_session"), latest=one(first, "latest"))
    id = known.game()
    return replace(row, tx=replace(row.tx, game=replace(row.tx.game or Game(), id=id))) if id else row


def _names(row: Movement) -> tuple[str, ...]:
    """What it is called, what it names, and its round: everything by which a movement and its tombstone,
    or two rollbacks of one movement, could miss each other."""
    tx = row.tx
    found = [f"{row.provider}\x1f{tx.id}"]
    if row.reference:
        found.append(f"{row.provider}\x1f{row.reference}")
    if tx.round_id:
        found.append(f"{row.provider}\x1f{tx.player}\x1f{tx.round_id}")
    if row.batch:
        found.append(f"batch\x1f{row.batch}")
    return tuple(found)


def _placed(row: Movement, way: Way | None, target: Movement | None, around: Movement | None) -> Movement:
    """What is later in a round, or names a movement, goes where that went, whatever the routes say by now (rule 23)."""
    for other in (target, around):
        if other is not None and other.wallet:
            return replace(row, wallet=other.wallet, place=other.place, route=other.route)
    return row


def _alias(way: Way, order: Order, row: Movement) -> Turns:
    """The parts of a round's refund are told as its own ids, in its own space (rule 16)."""
    if not row.parent and not row.ours:
        return partial(_told_as, way, row.space, named_apart(way.provider.dialect, row.tx), False)
    return partial(_told_as, way, order.id_space or order.space, row.tx, row.ours or not order.id_space)


def _told_as(way: Way, space: str, tx: Transaction, made: bool, turn: int) -> str:
    return way.alias(space, tx, made=made, turn=turn)


def _told_names(way: Way | None, order: Order, row: Movement) -> tuple[str, ...]:
    """Of two movements that come to one id, the second one sees the first. So do a bet and what its wallet may take for a
    rollback of it, whichever providers they are of (rule 16)."""
    scarce = way is not None and way.wallet.dialect.as_wallet.ids.scarce
    told = (f"told\x1f{_alias(way, order, row)(0)}",) if way is not None and scarce else ()
    if way is None or not way.wallet.guesses:
        return told
    return (*told, f"{way.wallet.name}\x1f{row.tx.player}\x1f{row.tx.round_id}\x1f")


def _perhaps_forgotten(case: Case, doubts: Sequence[Doubt]) -> Movement:
    """As if one attempt of it had been made, whose last byte left at the moment of the word (rule 30). What
    its wallet is never told (rule 20) was not told before, either."""
    row = case.own
    most = RETRY_MAX if case.way is None else max(RETRY_MAX, case.wallet.remembers)
    words = [doubt for doubt in doubts if case.moment.passed(doubt.said_at) < most]
    if not words or (moves_nothing(row.tx) and (case.way is None or isinstance(case.said(), Refused))):
        return row
    said, since = words[0].said_at, min(word.since for word in words)
    return replace(row, attempts=1, asked_at=said, forgot_at=said, forgot_since=since)


def _found(hands: Hands, order: Order, own: Movement, done: Completed) -> Steps[Opened]:
    """A repeat: what it hears is journalled at once, and what is open is taken into these hands (rules 12, 24)."""
    if own.decided:
        undoer = yield from _undoer(own)
        restorer = (yield from _undoer(undoer)) if undoer is not None else None
        target = (yield from _own("target", own.target)) if kept(own) else None
        claimer = (yield from _undoer(target)) if target is not None else None
        around = Around(undoer=undoer, restorer=restorer, target=target, claimer=claimer)
        known = case_with(hands, own, None, "", around)
    else:
        known = yield from case_of(hands, _joined(own, order, hands.provider))
    case = _asked_for(known, order, done, again=True)
    rules: tuple[Callable[[Case], Move | None], ...] = (other_content, taken_back, already_decided)
    move = next((move for rule in rules if (move := rule(case)) is not None), None) if order.call else None
    after, lines = _as_a_repeat(hands, order, case, move)
    if after is own and not lines:
        return Opened(case=case, done=done, move=move)
    lasts = hands.lease if after.owner != own.owner else None
    puts = (Put(own, after, lasts),) if after is not own else ()
    if not (yield Write(puts=puts, steps=tuple((own.key, line) for line in lines))):
        return Opened(case=None, done=done)
    after = replace(after, revision=own.revision + 1) if puts else own
    return Opened(case=replace(case, own=after), done=done, move=move)


def _joined(own: Movement, order: Order, provider: Provider) -> Movement:
    """In doubt by itself, and now an item of a batch: that batch's credits tie to it from now on (rules 11, 19)."""
    if own.batch or own.owes or not order.batch or fingerprint(order.wire, provider.dialect) != own.fingerprint:
        return own
    if not same_player(own.tx.player, order.wire.player):
        return own
    return replace(own, batch=order.batch, atomic=order.atomic)


def _undoer(own: Movement) -> Looks[Movement | None]:
    return (yield from _own("undoer", own.undone_by))


def _own(name: str, key: str) -> Looks[Movement | None]:
    found = (yield from look({name: LookFor("own", (key,))})) if key else {}
    return one(found, name)  # type: ignore[no-any-return]  # a look's answer is untyped


def _as_a_repeat(hands: Hands, order: Order, case: Case, move: Move | None) -> tuple[Movement, list[Step]]:
    """The row after a call of it came again, and the lines of its story."""
    own, now = case.own, hands.moment.now
    lines = [Step(now, Event.REPEATED if case.asked.same(own) else Event.CONFLICT)] if case.asked is not None else []
    if isinstance(move, Tell) and own.decided and not hears_undone(case, move.outcome):
        if not _tells(move, own) or not unheard_by(case):
            return own, lines
        after = told(own, order.call, now)
        return after, [*lines, Step(now, Event.TOLD, after.told)] if after.told != own.told else lines
    if isinstance(move, Tell) and isinstance(move.outcome, Declined) and not is_mismatch(move.outcome):
        # a word that a win must not undo
        after = replace(own, told=State.DECLINED.value, told_at=now)
        return after, [*lines, Step(now, Event.TOLD, after.told)] if after.told != own.told else lines
    if move is None and not own.decided and _free(own, hands):
        after = replace(carried(own, hands.node), due_at=now + hands.lease)
        died = after.state is not own.state
        return after, [*lines, Step(now, Event.TAKEN, "its process was silent")] if died else lines
    return own, lines


def hears_undone(case: Case, outcome: object) -> bool:
    """Whether this call hears of what was accepted that it is rolled back, before it is: a word that no win undoes, and nobody
    else knows (rule 11)."""
    own, asked = case.own, case.asked
    if not own.undone_by or own.state is not State.ACCEPTED or own.told == State.DECLINED.value or not own.takes:
        return False
    if asked is None or asked.joint or not isinstance(outcome, Declined) or is_mismatch(outcome):
        return False
    return case.undoer is not None and not case.undoer.decided


def unheard_by(case: Case) -> bool:
    """Whether that this call hears the decision must be known: doubt was the last word, or would be if
    another call turned out not to have heard it (rules 12, 26)."""
    own, asked = case.own, case.asked
    if asked is None or asked.joint or not own.decided or asked.call in own.names:
        return False
    stops = own.undoes and kept(own) and case.provider.after_doubt is not None  # the clock of what it names
    return own.told != own.state.value or stops or clocked(case.provider, own)


def _tells(move: Tell, own: Movement) -> bool:
    outcome = move.outcome
    yes = isinstance(outcome, Accepted)
    return yes is (own.state is State.ACCEPTED) and not is_mismatch(outcome)


def is_mismatch(outcome: object) -> bool:
    return isinstance(outcome, Declined) and outcome.reason is Reason.DUPLICATE_MISMATCH and not outcome.replayed


def _free(own: Movement, hands: Hands) -> bool:
    if own.owner in ("", hands.node):
        return own.owner == ""
    over = own.lease_over
    return over if over is not None else own.due_at is not None and own.due_at <= hands.moment.now


def _asked_for(case: Case, order: Order, done: Completed, *, again: bool) -> Case:
    asked = None
    if order.call:
        content = fingerprint(order.wire, case.provider.dialect) if again else case.own.fingerprint
        asked = Asked(
            call=order.call, content=content, player=done.tx.player, again=again,
            request_id=order.wire.request_id, decided=case.own.decided, batch=order.batch, joint=order.joint,
        )  # fmt: skip
    return replace(
        case, asked=asked, waits=order.waits, patient=order.patient, left=order.left, nobody=done.nobody
    )  # fmt: skip


def _inserted(hands: Hands, order: Order, case: Case, done: Completed, first: Found) -> Steps[Opened]:
    """With its first attempt begun where the rules ask for it at once; with its end where it has come too late. Raises
    `Refused` where it names what is not its own: nothing is kept of that.

    *A cancel under a wrong player had used up the one id that a cancel of its bet can have: the right player's heard that
    this is another movement, and the stake never came back.*
    """
    case, meant = _not_buried(case)
    own, around = case.own, case.around
    target = around.target if isinstance(around.target, Movement) else None
    # Of one whose cancel came before it more is to be gathered (`too_little`).
    move: Move | None = next_move(case) if not own.undone_by else None
    row = own
    match move:
        case Decide(outcome=Declined() as outcome) if move == not_its_own(case):
            # Of a movement that it cannot mean it is no end, nor the one that its id is for, if that is made of what it names.
            raise Refused(outcome.reason, outcome.message)
        case Ask():
            row = replace(own, attempts=own.attempts + 1, asked_at=hands.moment.now)
        case Decide(outcome=Declined() as outcome) if isinstance(around.tombstone, Movement):
            row = buried(own, around.tombstone.key, outcome, hands.moment.now)
        case Decide(outcome=outcome) if not own.undoes and not isinstance(outcome, Accepted):
            row = decided(own, outcome, hands.moment.now, "" if order.joint else order.call)
    wished = {m.key: m for m in order.leaned}  # as they were read when the wish came up: it is none once they changed
    siblings = around.siblings if isinstance(around.siblings, tuple) else ()
    puts = meant + in_vain(row, siblings, hands.moment.now)
    if isinstance(around.tombstone, Movement) and hands.provider.dialect.by_stake:
        puts += _meant_at_last(hands.provider, row, around.tombstone)
    taken: Movement | None = None
    rest = case.rest_of(target) if target is not None and row.undoes else None
    if (
        target is not None
        and not row.decided
        and claims(row, target, hands.provider.dialect, free=case.unclaimed, rest=rest)
    ):
        given_back = row.ours and row.batch and target.decided  # nobody need look at it any more
        taken = replace(target, undone_by=row.key, due_at=None if given_back else target.due_at)
        puts.append(Put(target, taken))
    puts = [Put(wished.get(put.before.key, put.before), put.after) for put in puts]
    changed = {put.before.key for put in puts}
    touched = tuple(
        wished.get(m.key, m) for m in _concerned(hands.provider, row, around, first) if m.key not in changed
    )
    changed.update(m.key for m in touched)
    leaned = tuple(m for m in order.leaned if m.key not in changed)
    lasts = None if row.decided else hands.lease
    twin = case.asked.twin if case.asked is not None else ""
    steps = ((row.key, Step(hands.moment.now, Event.TWIN, twin)),) if twin else ()
    write = Write(insert=(row,), lasts=lasts, puts=tuple(puts), touched=touched, leaned=leaned, steps=steps)
    if not (yield write):
        return Opened(case=None, done=done)
    if taken is not None:
        around = replace(around, target=replace(taken, revision=taken.revision + 1))
    kept: Move | None = move if row.attempts > own.attempts else None
    if row.outcome is not None:
        kept = Tell(row.outcome)
    after = replace(case, own=row, around=_raised(around, touched), memo={} if kept is None else case.memo)
    return Opened(case=after, done=done, move=kept)


def _not_buried(case: Case) -> tuple[Case, list[Put]]:
    """It, and what is written of the cancel of a part that named it before it came, where the journal may have forgotten it: what
    leaves something of it is no tombstone, but its cancel as any other is (rules 17, 30).

    *The journal forgot a bet of ten, the cancel of four of it came and was done, and the bet's repeat heard that it is rolled
    back, while six stayed taken.*
    """
    own, cancel = case.own, case.around.tombstone
    if not isinstance(cancel, Movement) or not case.only_feared or cancel.undone_by:
        return case, []
    if cancel.reference != own.tx.id or not leaves_some(cancel, own):
        return case, []
    puts = [Put(cancel, replace(cancel, target=own.key))]
    if claims(cancel, own, case.provider.dialect, free=True):
        own = replace(own, undone_by=cancel.key)
    return replace(case, own=own, around=replace(case.around, tombstone=None), memo={}), puts


def _meant_at_last(provider: Provider, row: Movement, cancel: Movement) -> list[Put]:
    """A cancel by round and amount that came before its bet: this is the one that it meant, and no other."""
    buried_here = row.undone_by == cancel.key and by_stake(provider.dialect, cancel)
    return [Put(cancel, replace(cancel, target=row.key))] if buried_here else []


def in_vain(after: Movement, siblings: Sequence[Movement], now: datetime) -> list[Put]:
    """What an atomic batch did before one of its items was declined is looked at, at once: it is undone, also where
    nobody waits for the batch any more (rule 19)."""
    if after.state is not State.DECLINED or not after.atomic or not refusable(after):
        return []
    taken = [m for m in siblings if m.state is State.ACCEPTED and undoable(m, (*siblings, after)) and not m.undone_by]
    return [Put(m, replace(m, due_at=now)) for m in taken]


def _concerned(provider: Provider, row: Movement, around: Around, first: Found) -> tuple[Movement, ...]:
    """The movements that are not at their end and that the newcomer concerns: their revision is raised."""
    rows = [around.target, around.whole, around.claimer, *first.get("naming", ()), *first.get("same", ())]
    rows += first.get("early", ())  # of such a win its wallet may say just now that there is no bet
    rows += (*around.aside, *around.undoings, *around.guesses)
    if "of_round" in first and keeps_others(provider, row):
        rows += [m for m in first["of_round"] if m.undoes]
    if row.kind is Kind.CREDIT and isinstance(around.bets, tuple) and isinstance(around.cancels, tuple):
        rows += (*around.bets, *around.cancels)  # a cancel that is about to be sent found no win (rule 11)
    if isinstance(around.siblings, tuple):
        rows += around.siblings
    still = {m.key: m for m in rows if isinstance(m, Movement) and (not m.decided or m.due_at is not None)}
    return tuple(still.values())


def _raised(around: Around, touched: Sequence[Movement]) -> Around:
    """Their revisions as they are now."""
    keys = {m.key for m in touched}

    def raised(value: Any) -> Any:
        if isinstance(value, Movement) and value.key in keys:
            return replace(value, revision=value.revision + 1)
        if isinstance(value, tuple):
            return tuple(raised(each) for each in value)
        return value

    changed = {name: raised(getattr(around, name)) for name in around.__struct_fields__} if keys else {}
    return replace(around, **changed) if keys else around
