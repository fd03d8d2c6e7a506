"""What must hold, at each step and where nothing is under way any more: the purse is the truth, the journal says
what was decided, and the words say what the provider heard."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from gateway.ends import Kept, Owed
from gateway.engine.movement import Movement
from gateway.engine.parts import gone
from gateway.engine.rules import NEVER_REACHED
from gateway.engine.states import State
from gateway.engine.words import gains
from gateway.model import Declined, Kind, Reason, Transaction
from tests.explore.place import Place
from tests.explore.purse import Entry, moved
from tests.explore.worlds import PAGES, World, closed_to, kept_by

STOOD = """A bet that its provider heard nothing but doubt of, accepted by the time that it came again as an item: it stood
before its batch, and stays when the batch is declined (rule 19)."""
MOVES = (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE)


def wrong_at_rest(world: World, place: Place) -> str:
    """The first thing that is wrong; blank: nothing."""
    rows = place.rows
    for m in rows.values():
        for found in (_open(m, rows), _whole(m, rows), _once(m, place), _journal(m, place), _stake(world, m, rows)):
            if found:
                return found
    return _told(world, place)


def _open(m: Movement, rows: dict[str, Movement]) -> str:
    if m.decided or _waits_for_person(m, rows, frozenset()):
        return ""
    if m.state is not State.PERSON:
        return f"SETTLES: {m.key} is {m.state.value} ({m.note}), and settlement brings it to no end"
    return "" if m.note else f"REASON: {m.key} waits for a person and does not say why"


def _waits_for_person(m: Movement, rows: dict[str, Movement], seen: frozenset[str]) -> bool:
    """What it waits for is a person's, and says why."""
    near = [rows[key] for key in (m.undone_by, m.target, m.parent) if key in rows]
    near += [rows[t.undone_by] for t in near if t.key == m.target and t.undone_by in rows]
    near += [r for t in near if t.key == m.target for r in rows.values() if _may_keep(r, t, rows)]
    near += [r for r in rows.values() if r.parent == m.key or (r.batch and r.batch == m.batch) or ties(m, r, rows)]
    near += [rows[r.undone_by] for r in near if ties(m, r, rows) and r.undone_by in rows]
    return any(
        each.state is State.PERSON or _waits_for_person(each, rows, seen | {m.key})
        for each in near
        if not each.decided and each.key not in seen and each.key != m.key
    )


def _may_keep(other: Movement, bet: Movement, rows: dict[str, Movement]) -> bool:
    """Whether a bet's cancel may wait for that one, as its page says what keeps a bet."""
    return other.kind in MOVES and (ties(other, bet, rows) or other.tx.round_id == bet.tx.round_id)


def _whole(m: Movement, rows: dict[str, Movement]) -> str:
    parts = [p for p in rows.values() if p.parent == m.key]
    if m.decided and any(not p.decided for p in parts):
        return f"WHOLE: {m.key} is {m.state.value}, and a part of it is open"
    return ""


def _once(m: Movement, place: Place) -> str:
    had = place.purse.get(m.alias)
    return f"ONCE: {m.key} was applied {had.times} times" if had is not None and had.times > 1 else ""


def _family(m: Movement, rows: dict[str, Movement]) -> list[Movement]:
    """It, its parts, and all that is aimed at one of these."""
    found, todo = dict[str, Movement](), [m]
    while todo:
        one = todo.pop()
        if one.key not in found:
            found[one.key] = one
            todo += [r for r in rows.values() if one.key in (r.parent, r.target)]
    return list(found.values())


def _net(m: Movement, place: Place) -> Decimal:
    parts = [p for p in place.rows.values() if p.parent == m.key and not p.undoes]
    own = moved(place.purse, m.alias) if not any(p.alias == m.alias for p in parts) else Decimal(0)
    return own + sum((moved(place.purse, p.alias) for p in parts), Decimal(0))


def _for_person(m: Movement, place: Place) -> bool:
    return any(r.state is State.PERSON for r in _family(m, place.rows))


def _journal(m: Movement, place: Place) -> str:
    """A movement moved what its decision says."""
    if m.kind not in MOVES or m.parent or not m.decided or _for_person(m, place):
        return ""
    net, worth = _net(m, place), gains(m.tx.act, None, None)
    undoer = place.rows.get(m.undone_by)
    if m.state is State.DECLINED:
        return f"JOURNAL: {m.key} is declined, and moved {net}" if net else ""
    if undoer is not None and undoer.decided and gone(undoer):
        return f"JOURNAL: {m.key} is rolled back, and moved {net}" if net else ""
    return f"JOURNAL: {m.key} is accepted, and moved {net}, not {worth}" if net != worth else ""


def _stake(world: World, m: Movement, rows: dict[str, Movement]) -> str:
    """No win is paid for a bet that is said to have never come; a win is never declined, but where its page says so."""
    if m.kind is Kind.CREDIT and m.state is State.DECLINED and _ended_by_its_page(world, m, rows):
        return ""
    if m.kind is not Kind.CREDIT or m.parent:
        return ""
    if m.state is State.DECLINED and not m.undone_by and not m.batch:
        return f"OWED: {m.key} is a win, and is declined"
    return ""


def _ended_by_its_page(world: World, win: Movement, rows: dict[str, Movement]) -> bool:
    """Its bet was cancelled or declined, or its round is over, and its page lets it be declined then."""
    reason = win.outcome.reason if isinstance(win.outcome, Declined) else None
    if reason is Reason.ROUND_CLOSED:
        return closed_to(world, win.tx)
    bets = [m for m in rows.values() if m.kind is Kind.DEBIT and m.tx.id == win.reference]
    over, page = all(m.state is State.DECLINED or m.undone_by for m in bets), PAGES[world.page]
    return bool(win.reference) and over and (page.one_end or Owed.NAMED_WIN in page.final_noes)


def wrong_when_sent(world: World, own: Movement, rows: dict[str, Movement]) -> list[str]:
    """What must hold at the moment when a movement is sent."""
    wrong = (
        _beside_an_end(world, own, rows) if world.page and own.attempts == 1 and not (own.ours or own.parent) else []
    )
    if own.undoes and own.attempts == 1 and own.target in rows and not own.ours and not own.parent:
        target = rows[own.target]
        wins = [m for m in rows.values() if ties(m, target, rows)]
        heard = own.told == "accepted" or target.told == "declined"  # either says that the bet is undone
        if not target.decided and wins and not heard and target.kind == "debit":
            wrong.append(f"STAKE: {own.key} is sent although {wins[0].key} ties to {target.key}, in doubt")
    if own.kind == "credit" and not own.parent and own.attempts == 1:
        for bet in rows.values():
            undoer = rows.get(bet.undone_by)
            if ties(own, bet, rows) and not bet.decided and (undoer is None or not undoer.attempts):
                wrong.append(f"WIN_FIRST: {own.key} is sent while {bet.key} is in doubt")
    return wrong


def _beside_an_end(world: World, own: Movement, rows: dict[str, Movement]) -> list[str]:
    """What its page says of a bet's end, or a round's, holds when a movement is first sent (rule 15)."""
    around = [m for m in rows.values() if m.kind in MOVES and not m.parent and m.tx.round_id == own.tx.round_id]
    before = [m for m in around if m.key != own.key and m.state is State.ACCEPTED and _was_before(m, own, rows)]
    target = rows.get(own.target)
    if own.undoes and target is not None and target.state is State.ACCEPTED:
        wins = [m for m in before if m.kind is not Kind.DEBIT and not m.undone_by]
        ties_here = [m for m in wins if m.reference == target.tx.id or (not m.reference and _alone(target, around))]
        later = [m for m in before if _was_before(target, m, rows) and not m.undone_by]
        keeps = {Kept.NOTHING: [], Kept.ITS_WIN: ties_here, Kept.ROUND_WIN: wins, Kept.LATER: later}
        kept = keeps[kept_by(world)]
        return [f"KEPT: {own.key} is sent although {m.key} keeps {target.key}" for m in kept[:1]]
    if own.kind is Kind.CREDIT and PAGES[world.page].one_end:
        bets = [m for m in before if m.tx.id == own.reference and m.undone_by]
        ended = [m for m in bets if rows[m.undone_by].state is State.ACCEPTED and not rows[m.undone_by].ours]
        return [f"KEPT: {own.key} is sent although {m.key} was cancelled" for m in ended]
    over = [
        m
        for m in before
        if closed_to(world, own.tx) and m.tx.round is not None and m.tx.round.closed and not m.undone_by
    ]
    return [f"OVER: {own.key} is sent although {m.key} ended its round" for m in over[:1]]


def _was_before(one: Movement, other: Movement, rows: dict[str, Movement]) -> bool:
    keys = list(rows)
    return keys.index(one.key) < keys.index(other.key)


def _alone(bet: Movement, around: Sequence[Movement]) -> bool:
    return [m.key for m in around if m.kind is Kind.DEBIT and m.state is not State.DECLINED] == [bet.key]


NEITHER = ("batch_declined", "already_rolled_back", "duplicate_mismatch", "accepted")
"""Words after which a movement need not be declined."""


def wrong_when_told(row: Movement, word: str, words: Sequence[str], had: Entry | None) -> list[str]:
    """What must hold at the moment when its provider hears something, the latest of `words`. `had`: what its wallet has of it."""
    wrong = []
    if word == "accepted" and had is not None and had.tomb:
        wrong.append(f"TOLD: its provider heard that {row.key} is accepted, and its wallet has its rollback alone")
    if word == "accepted" and row.state is not State.ACCEPTED:
        wrong.append(f"TOLD: {row.key} is {row.state.value}, and its provider heard accepted")
    heard = {w for w in words if w not in NEITHER}
    if heard and row.state is not State.DECLINED:
        wrong.append(f"TOLD: {row.key} is {row.state.value}, and its provider heard {sorted(heard)}")
    return wrong


def wrong_step(before: dict[str, Movement], after: dict[str, Movement]) -> str:
    """No bet is said to have never come while a win is there that ties to it, and that nothing stops."""
    for key, row in after.items():
        was = before.get(key)
        if row is was or was is None or was.decided or row.outcome != NEVER_REACHED or row.kind is not Kind.DEBIT:
            continue
        undoer = before.get(was.undone_by)
        heard = undoer is not None and (undoer.told == "accepted" or was.told == "declined")  # that it is undone
        if undoer is not None and (undoer.attempts or heard or undoer.decided):
            continue
        win = next((m for m in before.values() if ties(m, was, before)), None)
        if win is not None:
            return f"STAKE: {key} is said to have never come, and {win.key} ties to it"
    return ""


def _told(world: World, place: Place) -> str:
    """What the provider heard is what became of it."""
    said = [item for deed in world.deeds for item in (deed.items or (deed.tx,)) if item is not None]
    for tx in {tx.id: tx for tx in said}.values():
        words, m = place.words.get(tx.id, ()), _row(tx, place)
        if m is None or m.kind not in MOVES or _for_person(m, place):
            continue
        others = [
            r for r in _family(m, place.rows) if r.key != m.key and r.undoes and (not r.parent or r.target == m.key)
        ]
        won = any(
            r.kind is Kind.CREDIT and r.state is not State.DECLINED
            for r in place.rows.values()
            if r.key != m.key and not r.parent
        )
        net = _net(m, place)
        if "accepted" in words and not others and net != gains(m.tx.act, None, None):
            return f"ACCEPTED: {m.key} was told accepted, and moved {net}"
        stood = not m.batch and set(words) == {"batch_declined"}  # see STOOD
        if words and "accepted" not in words and net and not (won or stood):
            return f"ZERO: {m.key} was told {words[-1]}, and moved {net}"
        silent = (
            world.clock and place.last.get(tx.id) == "unknown" and not words and m.takes and not won and not place.died
        )
        if silent and net and not others:
            return f"SILENT: {m.key}: its provider heard doubt and was silent, and it moved {net}"
        for cancel in others:
            name = cancel.tx.id
            if "accepted" in place.words.get(name, ()) and net:
                return f"ZERO: {m.key} moved {net}, and its cancel {name} was told accepted"
    return ""


def _row(tx: Transaction, place: Place) -> Movement | None:
    return next((r for r in place.rows.values() if r.tx.id == tx.id and r.kind is tx.kind and not r.parent), None)


def ties(m: Movement, bet: Movement, rows: dict[str, Movement]) -> bool:
    """Rule 11, said again by itself."""
    if m.kind != "credit" or m.parent or bet.kind != "debit" or bet.parent or m.state is State.DECLINED:
        return False
    if m.reference:
        return m.reference == bet.tx.id
    bets = [
        b
        for b in rows.values()
        if b.kind == "debit"
        and not b.parent
        and b.tx.round_id == m.tx.round_id
        and b.state is not State.DECLINED
        and (not b.undone_by or not b.decided)
    ]
    return [b.key for b in bets] == [bet.key]
