"""The journal as a plain list: what both databases must agree with. One call at a time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.engine.journal import Intent, Movement, Opened, Session, taken_back
from gateway.engine.states import EDGES, State
from gateway.model import Accepted, Declined, Kind, Outcome, Reason, Rollback

BURIES = (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)


class Model:
    def __init__(self) -> None:
        self.rows: dict[str, Movement] = {}  # in the order of arrival
        self.heard: dict[str, int] = {}
        self.sessions: dict[tuple[str, str], Session] = {}

    # -- opening

    def open(self, intent: Intent) -> Opened:
        m = intent.movement
        found = self.rows.get(m.key)
        if found is not None:
            if intent.claim and found.target and not found.state.decided:
                self._claim(found.target, found.key)
            return self._opened(intent, found, fresh=False)
        m = self._routed(m)
        stones = [r for r in self.rows.values() if self._buries(r, intent)]
        stones.sort(key=lambda r: r.reference != m.tx.id)  # who names it comes before who names its round
        stone = next(iter(stones), None)
        if stone is not None:
            no = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back before it came")
            m = replace(
                m, state=State.DECLINED, outcome=no, attempts=0, asked_at=None, undone_by=stone.key, told="declined",
                told_at=m.created_at, decided_at=m.created_at, owner="", due_at=None,
            )  # fmt: skip
            self._insert(m)
            return Opened(movement=m, fresh=True, tombstone=stone.key)
        target = self._target(intent)
        if target is not None:
            if intent.alone and target.undone_by:
                return Opened(movement=self.rows[target.undone_by], fresh=False, target=target)
            if intent.alone and target.told == "accepted":
                return Opened(movement=target, fresh=False, target=target)
            m = replace(
                m, target=target.key, wallet=target.wallet or m.wallet, route=target.route if target.wallet else m.route
            )
            if intent.claim:
                self._claim(target.key, m.key)
        self._insert(m)
        return self._opened(intent, m, fresh=True)

    def _insert(self, m: Movement) -> None:
        self.rows[m.key], self.heard[m.key] = m, 0

    def _claim(self, target: str, by: str) -> None:
        if not self.rows[target].undone_by:
            self.rows[target] = replace(self.rows[target], undone_by=by)

    def _opened(self, intent: Intent, m: Movement, *, fresh: bool) -> Opened:
        target = self.rows.get(m.target)
        around: list[Movement] = []
        if m.tx.round_id and (intent.by_round or intent.wins):
            around = self._round(m)
            open_bets = [b for b in around if b.kind is Kind.DEBIT and not b.state.decided]
            around = around if intent.by_round or open_bets else []
        undone = Decimal(0)
        if target is not None and intent.several:
            undone = sum((_moved(r, target) for r in self.rows.values() if self._undoes(r, target, m)), undone)
        return Opened(movement=m, fresh=fresh, target=target, round=tuple(around), undone=undone)

    def _undoes(self, r: Movement, target: Movement, own: Movement) -> bool:
        return r.target == target.key and r.key != own.key and r.state is not State.DECLINED

    def _round(self, m: Movement) -> list[Movement]:
        return [
            r for r in self.rows.values()
            if (r.provider, r.tx.player, r.tx.round_id) == (m.provider, m.tx.player, m.tx.round_id)
        ]  # fmt: skip

    def _routed(self, m: Movement) -> Movement:
        first = next((r for r in self._round(m) if r.wallet), None) if m.tx.round_id and m.wallet else None
        return replace(m, wallet=first.wallet, route=first.route) if first is not None else m

    def _buries(self, r: Movement, intent: Intent) -> bool:
        m, act = intent.movement, r.tx.act
        if not intent.buried_by or not isinstance(act, Rollback) or r.target or r.provider != m.provider:
            return False
        if isinstance(r.outcome, Declined) and r.outcome.reason not in BURIES:
            return False
        whole = act.scope == "round"
        named = act.reference == m.tx.id and act.reference_kind in intent.buried_by
        if named and (not whole or r.tx.round_id == m.tx.round_id):
            return True
        return whole and bool(m.tx.round_id) and (r.tx.player, r.tx.round_id) == (m.tx.player, m.tx.round_id)

    def _target(self, intent: Intent) -> Movement | None:
        m = intent.movement
        if intent.target:
            return self.rows.get(intent.target)
        for kind in intent.targets if m.reference else ():
            for r in self.rows.values():
                if (r.provider, r.kind, r.tx.id) == (m.provider, kind, m.reference) and not r.parent:
                    mine = r.tx.player == m.tx.player or not r.tx.player or not m.tx.player
                    return r if mine else self._lone(intent)
        return self._lone(intent)

    def _lone(self, intent: Intent) -> Movement | None:
        if not intent.lone_bet or not intent.targets or not intent.movement.tx.round_id:
            return None
        bets = [r for r in self._round(intent.movement) if r.kind is Kind.DEBIT]
        bets = [r for r in bets if r.state is not State.DECLINED and not r.undone_by and not r.parent]
        return bets[0] if len(bets) == 1 else None

    # -- changes

    def take(self, key: str, owner: str, at: datetime, until: datetime, *, over: bool) -> Movement | None:
        m = self.rows[key]
        if m.state.decided:
            return m
        if m.owner not in ("", owner) and not over:
            return None
        if m.state is State.ASKING and m.owner not in ("", owner):
            m = replace(m, state=m.open_state, told="unknown", told_at=at)
        return self._set(replace(m, owner=owner, due_at=until))

    def ask(self, key: str, at: datetime) -> Movement:
        m = self.rows[key]
        if State.ASKING not in EDGES[m.state]:
            return m
        return self._set(replace(m, attempts=m.attempts + 1, asked_at=at, state=State.ASKING))

    def not_left(self, key: str) -> Movement:
        m = self.rows[key]
        return m if m.state.decided else self._set(taken_back(m))

    def never_applied(self, key: str) -> Movement:
        m = self.rows[key]
        return m if m.state.decided else self._set(replace(m, attempts=0))

    def decide(self, key: str, outcome: Accepted | Declined, at: datetime, *, heard: bool) -> Movement:
        m = self.rows[key]
        if m.state.decided:
            return m
        state = State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED
        self.heard[key] += int(heard)
        told = self.heard[key] > 0
        watched = state is State.ACCEPTED and not m.owes and not told
        return self._set(
            replace(
                m, state=state, outcome=outcome, decided_at=at, note="", owner="", due_at=at if watched else None,
                told=state.value if told else m.told, told_at=at if told else m.told_at,
            )
        )  # fmt: skip

    def leave_open(
        self, key: str, state: State, note: str, told_at: datetime | None, due_at: datetime | None, *, owner: str
    ) -> Movement:
        m = self.rows[key]
        if m.state.decided or m.owner not in ("", owner):
            return m
        m = replace(m, state=state, note=note, owner="", due_at=due_at)
        return self._set(replace(m, told="unknown", told_at=told_at) if told_at is not None else m)

    def watch(self, key: str, due_at: datetime | None, *, owner: str) -> None:
        if self.rows[key].owner in ("", owner):
            self._set(replace(self.rows[key], due_at=due_at))

    def tell(self, key: str, told: str, at: datetime) -> None:
        m = self.rows[key]
        self.heard[key] += 1
        self._set(replace(m, told=told, told_at=at, due_at=None if m.state.decided else m.due_at))

    def unheard(self, key: str, at: datetime, *, counted: bool) -> None:
        m = self.rows[key]
        self.heard[key] -= int(counted)
        if self.heard[key] <= 0:
            watched = m.state is State.ACCEPTED and not m.owes
            self._set(replace(m, told="unknown", told_at=at, due_at=at if watched else m.due_at))

    def release(self, key: str) -> None:
        target = self.rows.get(self.rows[key].target)
        if target is not None and target.undone_by == key:
            self._set(replace(target, undone_by=""))

    def _set(self, m: Movement) -> Movement:
        self.rows[m.key] = m
        return m


def _moved(rollback: Movement, target: Movement) -> Decimal:
    outcome: Outcome | None = rollback.outcome
    if isinstance(outcome, Accepted) and outcome.moved is not None:
        return outcome.moved
    said: Any = getattr(rollback.tx.act, "amount", None)
    return Decimal(said if said is not None else target.tx.act.amount)  # type: ignore[union-attr]  # targets are bets here
