"""A journal over dicts, for worlds in which everything is tried: the same looks, the same conditional
write, and the checks of the real one. It waits for nothing and can be copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from gateway.engine.journal import Change, Doubt, Look, Looks, Steps, Write
from gateway.engine.movement import Count, Event, Listing, Movement, Session, Step, carried, doubted
from gateway.engine.setup import Unresolved
from gateway.engine.states import State
from gateway.journal import change as changes
from gateway.journal.kept import ANY, DIED
from gateway.model import Kind, Rollback

T = TypeVar("T")

NAMING = (Kind.ROLLBACK, Kind.CAPTURE, Kind.RELEASE)


class DictJournal:
    """`rows` are in the order of arrival."""

    def __init__(self) -> None:
        self.rows: dict[str, Movement] = {}
        self.stories: dict[str, tuple[Step, ...]] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        self.words: tuple[Doubt, ...] = ()
        self.known: dict[bytes, Movement] = {}
        self.content = msgspec.msgpack.Encoder().encode

    def same(self, row: Movement) -> Movement:
        """One object for all rows that say the same: so what was made of one is found again by its address."""
        return self.known.setdefault(self.content(row), row)

    def copy(self) -> DictJournal:
        """Values are frozen: the dicts are all that there is to copy."""
        found = DictJournal()
        found.rows, found.stories = dict(self.rows), dict(self.stories)
        found.sessions, found.words = dict(self.sessions), self.words
        return found

    # -- the port

    async def make(self, change: Change[T]) -> T:
        return self.walked(change.steps(False))

    async def look(self, looks: Looks[T]) -> T:
        return self.walked(looks)

    def walked(self, steps: Looks[T] | Steps[T]) -> T:
        asked: Any = None
        answer: Any = None
        while True:
            try:
                before, asked = asked, steps.send(answer)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]  # StopIteration carries what the generator returns
            assert not isinstance(before, Write), "nothing may be asked after the last step"
            answer = self.written(asked) if isinstance(asked, Write) else self.answers(asked)

    def answers(self, look: Look) -> list[list[Any]]:
        return [list(LOOKS[ask.query](self, *ask.values)) for ask in look.asks]

    def written(self, write: Write) -> bool:
        changes.allowed(write)
        if not changes.stands(write, {key: m.revision for key, m in self.rows.items()}):
            return False
        for before, after, _ in changes.raised(write):
            self.rows[before.key] = self.same(replace(after, revision=before.revision + 1))
        for m in write.insert:
            assert m.key not in self.rows, "whoever inserts has looked, in the same transaction"
            self.rows[m.key] = self.same(m)
        for key, step in write.steps:
            self.stories[key] = (*self.stories.get(key, ()), step)
        return True

    async def take_due(self, at: datetime, owner: str, lasts: timedelta, wallets: Mapping[str, int]) -> list[Movement]:
        due = sorted((m for m in self.rows.values() if m.due_at is not None and m.due_at <= at), key=_longest_due)
        left, taken = dict(wallets), []
        for m in due:
            name = m.wallet if m.wallet in wallets else ANY
            if left.get(name, 0) > 0:
                left[name] -= 1
                taken.append(self._taken(m, at, owner, lasts))
        return taken

    def _taken(self, m: Movement, at: datetime, owner: str, lasts: timedelta) -> Movement:
        after = m if m.decided else carried(m, owner)
        if after.state is not m.state:
            after = doubted(after, at)
            self.stories[m.key] = (*self.stories.get(m.key, ()), Step(at, Event.DIED, DIED))
        self.rows[m.key] = self.same(replace(after, due_at=at + lasts, revision=m.revision + 1))
        return self.rows[m.key]

    async def hasten(self, at: datetime) -> None:
        for key, m in self.rows.items():
            if not m.owner and m.due_at is not None and m.due_at > at:
                self.rows[key] = replace(m, due_at=at)
            if m.attempts and not m.decided:
                self.rows[key] = replace(self.rows[key], asked_at=at, revision=m.revision + 1)

    async def catch_up(self, at: datetime, most: timedelta, leases: timedelta) -> None:
        for key, m in self.rows.items():
            if m.due_at is not None and m.due_at > at + (leases if m.owner else most):
                self.rows[key] = replace(m, due_at=at + leases if m.owner else at)

    async def note(self, key: str, steps: Iterable[Step]) -> None:
        self.written(Write(steps=tuple((key, step) for step in steps)))

    async def learn(self, session: Session, *, handed_over: bool = False) -> None:
        before = self.sessions.get((session.provider, session.session))
        if handed_over and before is not None and before.player != session.player:
            before = None
        said = {
            name: getattr(before, name)
            for name in Session.__struct_fields__
            if before is not None and not getattr(session, name)
        }
        self.sessions[session.provider, session.session] = replace(session, **said)

    async def get(self, key: str) -> Movement | None:
        return self.rows.get(key)

    async def story(self, key: str) -> list[Step]:
        return list(self.stories.get(key, ()))

    async def doubts(self) -> list[Doubt]:
        return list(LOOKS["doubts"](self))

    # -- for people

    async def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        found = _found(self, provider, id)
        return next((m for kind in kinds for m in found if m.kind is kind), None)

    async def children(self, parent: str) -> list[Movement]:
        return list(LOOKS["parts"](self, parent))

    async def aimed_at(self, target: str) -> list[Movement]:
        return list(LOOKS["aimed"](self, target))

    async def latest(self, provider: str, player: str) -> Movement | None:
        return next(iter(_latest(self, provider, player, "")), None)

    async def session(self, provider: str, session: str) -> Session | None:
        return self.sessions.get((provider, session))

    async def last_session(self, provider: str, player: str, game: str = "") -> Session | None:
        return next(iter(_last_session(self, provider, player, game)), None)

    async def listed(self, listing: Listing) -> list[Movement]:
        found = [m for m in reversed(self.rows.values()) if listing.provider in ("", m.provider)]
        found = [m for m in found if listing.player in ("", m.tx.player)]
        found = [m for m in found if not listing.states or m.state in listing.states]
        return [m for m in found if listing.before is None or m.created_at < listing.before][: listing.limit]

    async def unresolved(self) -> list[Unresolved]:
        watched = (m for m in self.rows.values() if not m.decided or (m.state is State.ACCEPTED and m.due_at))
        numbers = Counter((m.provider, m.wallet, m.place) for m in watched)
        return [Unresolved(*where, number) for where, number in sorted(numbers.items())]

    async def counts(self) -> list[Count]:
        """Nothing reads gauges where everything is tried."""
        return []

    def writable(self) -> bool:
        return True

    async def close(self) -> None:
        """It holds nothing."""


# ---------------------------------------------------------------- the named looks


def _of_round(j: DictJournal, provider: str, player: str, round_id: str) -> list[Movement]:
    return [
        m
        for m in j.rows.values()
        if round_id and (m.provider, m.tx.player, m.tx.round_id) == (provider, player, round_id)
    ]


def _stands(m: Movement, *kinds: Kind) -> bool:
    return m.kind in kinds and not m.parent and m.state is not State.DECLINED


def _own(j: DictJournal, key: str) -> list[Movement]:
    return [j.rows[key]] if key in j.rows else []


def _found(j: DictJournal, provider: str, id: str) -> list[Movement]:
    return [m for m in j.rows.values() if (m.provider, m.tx.id) == (provider, id) and not m.parent and not m.ours]


def _naming(j: DictJournal, provider: str, reference: str) -> list[Movement]:
    return [m for m in _by_reference(j, provider, reference) if m.kind in NAMING and not m.parent and not m.ours][:20]


def _naming_wins(j: DictJournal, provider: str, reference: str, player: str) -> list[Movement]:
    wins = [m for m in _by_reference(j, provider, reference) if _stands(m, Kind.CREDIT)]
    return [m for m in wins if m.tx.player in (player, "")][:1]


def _standing_win(j: DictJournal, provider: str, reference: str, player: str) -> list[Movement]:
    wins = [m for m in _by_reference(j, provider, reference) if _stands(m, Kind.CREDIT)]
    return [m for m in wins if m.tx.player in (player, "") and _may_stand(j, m)][:1]


def _by_reference(j: DictJournal, provider: str, reference: str) -> list[Movement]:
    return [m for m in j.rows.values() if reference and (m.provider, m.reference) == (provider, reference)]


def _round_bets(j: DictJournal, provider: str, player: str, round_id: str, limit: int) -> list[Movement]:
    around = _of_round(j, provider, player, round_id)
    return [m for m in around if _stands(m, Kind.DEBIT) and (not m.undone_by or not m.decided)][:limit]


def _standing_round_win(j: DictJournal, *round: str) -> list[Movement]:
    """The first win of the round that may stand."""
    wins = [m for m in _of_round(j, *round) if _stands(m, Kind.CREDIT, Kind.SETTLE)]
    return [m for m in wins if _may_stand(j, m)][:1]


def _may_stand(j: DictJournal, m: Movement) -> bool:
    """What is to undo it is not done."""
    undoer = j.rows.get(m.undone_by)
    return not m.undone_by or (undoer is not None and not undoer.decided)


def _round_loose_win(j: DictJournal, *round: str) -> list[Movement]:
    wins = [m for m in _of_round(j, *round) if _stands(m, Kind.CREDIT)]
    return [m for m in wins if not m.reference and not m.batch][:1]


def _standing_loose_win(j: DictJournal, *round: str) -> list[Movement]:
    wins = [m for m in _of_round(j, *round) if _stands(m, Kind.CREDIT)]
    return [m for m in wins if not m.reference and not m.batch and _may_stand(j, m)][:1]


def _round_last(j: DictJournal, provider: str, player: str, round_id: str, key: str) -> list[Movement]:
    """The last bet or win of the round that may stand, or the one named."""
    found = [m for m in _of_round(j, provider, player, round_id) if _stands(m, Kind.DEBIT, Kind.CREDIT, Kind.SETTLE)]
    return [m for m in found if m.wallet and (m.key == key or _may_stand(j, m))][-1:]


def _round_refunds(j: DictJournal, *round: str) -> list[Movement]:
    undoing = [m for m in _of_round(j, *round) if isinstance(m.tx.act, Rollback) and m.tx.act.scope == "round"]
    return [m for m in undoing if not m.target and not m.parent][:100]


def _round_undoing(j: DictJournal, provider: str, player: str, round_id: str, whole: str) -> list[Movement]:
    undoing = [m for m in _of_round(j, provider, player, round_id) if m.undoes and m.target and m.parent != whole]
    return [m for m in undoing if not m.decided][:1]


def _round_rollbacks(j: DictJournal, wallet: str, player: str, round_id: str) -> list[Movement]:
    here = [
        m for m in j.rows.values() if (m.wallet, m.tx.player, m.tx.round_id) == (wallet, player, round_id) and round_id
    ]
    return [m for m in here if m.undoes and (not m.decided or m.attempts > 1)]


def _latest(j: DictJournal, provider: str, player: str, key: str) -> list[Movement]:
    before = takewhile(lambda m: m.key != key, j.rows.values())
    return [m for m in before if (m.provider, m.tx.player) == (provider, player)][-1:]


def _sessions(j: DictJournal, **said: str) -> list[Session]:
    found = [s for s in j.sessions.values() if all(getattr(s, name) == value for name, value in said.items())]
    return sorted(found, key=lambda s: s.seen_at, reverse=True)


def _last_session(j: DictJournal, provider: str, player: str, game: str) -> list[Session]:
    known = _sessions(j, provider=provider, player=player)
    return sorted(known, key=lambda s: s.game != game)[:1]


def _longest_due(m: Movement) -> tuple[datetime, str]:
    assert m.due_at is not None
    return m.due_at, m.key


LOOKS: dict[str, Callable[..., Iterable[Any]]] = {
    "own": _own,
    "found": _found,
    "naming": _naming,
    "naming_wins": _naming_wins,
    "standing_win": _standing_win,
    "wins": lambda j, provider, id, player: [
        m for m in _by_reference(j, provider, id) if _stands(m, Kind.CREDIT) and m.tx.player == player
    ],
    "of_round": lambda j, *round: [m for m in _of_round(j, *round) if m.wallet and not m.parent and not m.ours],
    "aimed": lambda j, target: [m for m in j.rows.values() if target and m.target == target],
    "parts": lambda j, parent: [m for m in j.rows.values() if parent and m.parent == parent],
    "batch": lambda j, batch: [m for m in j.rows.values() if batch and m.batch == batch],
    "round_place": lambda j, *round: [m for m in _of_round(j, *round) if m.wallet][:1],
    "round_bets": _round_bets,
    "standing_round_win": _standing_round_win,
    "round_loose_win": _round_loose_win,
    "standing_loose_win": _standing_loose_win,
    "standing_wins": lambda j, provider, reference, player: [
        m for m in _by_reference(j, provider, reference) if _stands(m, Kind.CREDIT) and m.tx.player in (player, "")
    ],
    "standing_loose_wins": lambda j, *round: [
        m for m in _of_round(j, *round) if _stands(m, Kind.CREDIT) and not m.reference and not m.batch
    ],
    "round_last": _round_last,
    "round_refunds": _round_refunds,
    "round_undoing": _round_undoing,
    "round_rollbacks": _round_rollbacks,
    "latest": _latest,
    "other_of": lambda j, provider, player, key: [
        m
        for m in j.rows.values()
        if (m.provider, m.tx.player) == (provider, player) and m.key != key and m.state is not State.DECLINED
    ][:1],
    "session": lambda j, provider, session: [s for s in [j.sessions.get((provider, session))] if s is not None],
    "session_by_launch": lambda j, provider, token: (
        _sessions(j, provider=provider, launch_token=token)[:1] if token else []
    ),
    "last_session": _last_session,
    "doubts": lambda j: sorted(j.words, key=lambda word: word.said_at, reverse=True),
}
