"""The independent ledger of the pair law: what the canonical acts add up to, the refused ones skipped.

It reads no answer and asks no engine: from the acts alone, and whether a wallet's dialect has words
for each, it says what must be decided and what must be in the purse.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.ends import Kept
from gateway.engine.setup import Provider
from gateway.model import (
    Adjust,
    Batch,
    Capture,
    CloseRound,
    Credit,
    Debit,
    Kind,
    Reason,
    Release,
    Reserve,
    Rollback,
    Settle,
    Transaction,
)

ZERO = Decimal(0)
DOUBT = "unknown"
ACCEPTED = "accepted"


class Entry(Struct):
    """One act that was decided."""

    tx: Transaction
    verdict: str  # accepted, unknown, or the reason of the decline
    change: Decimal = ZERO  # to the purse
    undone: Decimal = ZERO  # of what it took or gave
    gone: bool = False  # a rollback left nothing of it
    held: Decimal = ZERO


class Ledger:
    """One player's account at one provider."""

    def __init__(self, provider: Provider, cash: Decimal, *, says_yes: bool = False, gives_back: bool = True) -> None:
        """`says_yes`: its wallet answers the rollback of what it never saw like one that it did. `gives_back`: it can be told
        to undo a bet."""
        self.gives_back = gives_back
        self.dialect, self.cash, self.says_yes = provider.dialect, cash, says_yes
        self.kept_by = provider.kept_by
        self.entries: dict[tuple[str, str], Entry] = {}
        self.buried: set[str] = set()
        self.awaited: list[
            tuple[str, Decimal | None]
        ] = []  # round and amount of cancels that name no bet, and found none

    def post(self, tx: Transaction, refused: bool) -> str:
        """What its provider must hear: accepted, unknown, or the reason of a decline."""
        if isinstance(tx.act, Batch):
            return self._batch(tx.act, refused)
        if isinstance(tx.act, CloseRound):
            return ACCEPTED  # a lost round, for who knows no win of zero
        place = (self.dialect.as_provider.space(self._call(tx.kind), tx.kind), tx.id)
        known = self.entries.get(place)
        if known is not None and known.verdict != DOUBT:
            return known.verdict
        entry = Entry(tx=tx, verdict="")
        entry.verdict = self._decided(entry, refused)
        self.cash += entry.change
        self.entries[place] = entry
        return entry.verdict

    def rename(self, old: str, new: str) -> None:
        """The gateway made the id of this hold."""
        for entry in self.entries.values():
            if entry.tx.kind is Kind.RESERVE and entry.tx.id == old:
                entry.tx = replace(entry.tx, id=new)

    def _call(self, kind: Kind) -> str:
        return next((wire.name for wire in self.dialect.calls if kind in wire.kinds), "")

    def _decided(self, entry: Entry, refused: bool) -> str:
        tx, act = entry.tx, entry.tx.act
        if isinstance(act, Rollback):
            return self._rollback(entry, act, refused)
        if isinstance(act, Debit | Settle | Credit) and tx.id in self.buried:
            return Reason.ALREADY_ROLLED_BACK
        if self._over(tx):
            return Reason.ROUND_CLOSED
        if isinstance(act, Debit) and (tx.round_id, act.amount) in self.awaited:
            self.awaited.remove((tx.round_id, act.amount))
            return Reason.ALREADY_ROLLED_BACK
        if isinstance(act, Credit) and (ended := self._ended(tx, act)) is not None:
            return ended
        owes = isinstance(act, Credit) or (isinstance(act, Adjust) and act.amount > 0)
        if refused:
            return DOUBT if owes else Reason.UNSUPPORTED
        match act:
            case Debit():
                return self._take(entry, ZERO if act.free_round or act.tracking_only else act.amount, ZERO)
            case Settle():
                return self._take(entry, ZERO if act.free_round else act.debit, act.credit)
            case Credit():
                return self._take(entry, ZERO, ZERO if act.tracking_only else act.amount)
            case Adjust():
                return self._take(entry, max(-act.amount, ZERO), max(act.amount, ZERO))
            case Reserve():
                entry.held = act.amount
                return self._take(entry, act.amount, ZERO)
            case Capture() | Release():
                return self._end_hold(entry, act)
        raise AssertionError(f"the ledger does not know {act}")

    def _take(self, entry: Entry, stake: Decimal, gain: Decimal) -> str:
        if stake > self.cash:
            return Reason.INSUFFICIENT_FUNDS
        entry.change = gain - stake
        return ACCEPTED

    def _end_hold(self, entry: Entry, act: Capture | Release) -> str:
        held = next(e for e in self.entries.values() if e.tx.kind is Kind.RESERVE and e.tx.id == act.reference)
        if not held.held:
            return Reason.TRANSACTION_NOT_FOUND
        taken = ZERO if isinstance(act, Release) else (held.held if act.amount is None else act.amount)
        entry.change, held.held = held.held - taken, ZERO
        # A refund of the capture gives back what it took, although its own change to the purse is none.
        entry.held = taken
        return ACCEPTED

    # -- rollbacks

    def _rollback(self, entry: Entry, act: Rollback, refused: bool) -> str:
        targets = self.meant(entry.tx, act)
        if self.dialect.by_stake and not targets:
            self.awaited.append((entry.tx.round_id, act.amount))
            return Reason.TRANSACTION_NOT_FOUND
        if self.named(act) is None and not self.dialect.by_stake:
            self.buried.add(act.reference)  # whatever else it means: the late bet is declined
        if act.scope == "round" and self.dialect.round_refunds and self._won(entry.tx):
            return Reason.ALREADY_SETTLED
        if not targets and not refused and self.says_yes and (act.amount is not None or "amount" in entry.tx.extra):
            return ACCEPTED
        if not targets:
            return DOUBT if refused else Reason.TRANSACTION_NOT_FOUND
        if all(target.verdict not in (ACCEPTED, DOUBT) for target in targets):
            return Reason.TRANSACTION_NOT_FOUND
        if all(target.gone for target in targets):
            return Reason.ALREADY_ROLLED_BACK
        if any(map(self._stays, targets)):
            return Reason.ALREADY_SETTLED
        left = sum((self.left(target) for target in targets), ZERO)
        if self.dialect.as_provider.excess == "refuse" and act.amount is not None and act.amount > abs(left) > 0:
            return Reason.INVALID_REQUEST
        if refused and (left or any(target.verdict != ACCEPTED for target in targets)):
            return DOUBT  # of what moved nothing nothing is to be told
        back = left if act.amount is None else min(act.amount, abs(left)).copy_sign(left)
        entry.change = back
        for target in targets:
            share = self.left(target) if act.amount is None else back
            target.undone += abs(share)
            target.gone = not self.left(target)
        return ACCEPTED

    def left(self, target: Entry) -> Decimal:
        """What undoing all of it would still give; less than nothing: take."""
        moved = target.held if isinstance(target.tx.act, Capture) else -target.change
        return (abs(moved) - target.undone).copy_sign(moved)

    def named(self, act: Rollback) -> Entry | None:
        kinds = self.dialect.as_provider.rollback_kinds.get(act.reference_kind.value, (act.reference_kind,))
        for kind in kinds:
            for entry in self.entries.values():
                if (entry.tx.kind, entry.tx.id) == (kind, act.reference):
                    return entry
        return None

    def meant(self, tx: Transaction, act: Rollback) -> list[Entry]:
        """The movements that it undoes."""
        named = self.named(act)
        if named is not None:
            return [named]
        around = [e for e in self.entries.values() if e.tx.round_id == tx.round_id and e.tx.kind is Kind.DEBIT]
        around = [e for e in around if e.verdict in (ACCEPTED, DOUBT) and not e.undone]
        if self.dialect.by_stake:
            return [e for e in around if isinstance(e.tx.act, Debit) and e.tx.act.amount == act.amount][-1:]
        return around if act.scope == "round" and self.dialect.round_refunds else []

    def is_first_win(self, tx: Transaction) -> bool:
        """Whether a bet that took stands in its round, and no win of it."""
        stood = self._of_round(tx)
        return [e.tx.kind for e in stood] == [Kind.DEBIT] and bool(stood[0].change)

    def has_bet(self, tx: Transaction) -> bool:
        """Whether a bet stands in its round."""
        mine = [e for e in self.entries.values() if e.tx.kind is Kind.DEBIT and e.tx.round_id == tx.round_id]
        return any(e.verdict == ACCEPTED and not e.gone for e in mine)

    def _won(self, tx: Transaction) -> bool:
        wins = [e for e in self.entries.values() if e.tx.kind in (Kind.CREDIT, Kind.SETTLE)]
        return any(e.tx.round_id == tx.round_id and e.verdict in (ACCEPTED, DOUBT) for e in wins)

    # -- rounds

    def _over(self, tx: Transaction) -> bool:
        """Whether its round was said to be over, where nothing like it comes then."""
        page = self.dialect.as_provider
        if page.closed_to is None or not page.closed_to(tx):
            return False
        return any(page.closed_by(e.tx) and bool(e.tx.round and e.tx.round.closed) for e in self._of_round(tx))

    def _stays(self, bet: Entry) -> bool:
        """Whether what came after it keeps it against its cancel, or it was its own win."""
        round = self._of_round(bet.tx)
        bets, wins = ([e for e in round if e.tx.kind in kinds] for kinds in ((Kind.DEBIT,), (Kind.CREDIT, Kind.SETTLE)))
        if bet.tx.kind is Kind.SETTLE:
            return self.kept_by is Kept.LATER
        if bet.tx.kind is not Kind.DEBIT or bet.verdict != ACCEPTED:
            return False
        match self.kept_by:
            case Kept.NOTHING:
                return False
            case Kept.LATER:
                return round[-1:] != [bet]
            case Kept.ROUND_WIN:
                return bool(wins)
            case Kept.ITS_WIN:
                lone = bets == [bet] and not self.dialect.as_provider.one_end
                return bool(self._wins_of(bet.tx.id)) or (lone and any(e in wins for e in self._wins_of("")))

    def _ended(self, tx: Transaction, win: Credit) -> Reason | None:
        """Why nobody pays the win of a bet that had its one end, or never began."""
        if not self.dialect.as_provider.one_end or not win.reference:
            return None
        bet = next((e for e in self.entries.values() if e.tx.kind is Kind.DEBIT and e.tx.id == win.reference), None)
        if bet is None or bet.verdict == DOUBT:
            return None
        if bet.gone or bet.verdict == Reason.ALREADY_ROLLED_BACK:
            return Reason.ALREADY_ROLLED_BACK
        return Reason.TRANSACTION_NOT_FOUND if bet.verdict != ACCEPTED else None

    def _wins_of(self, bet: str) -> list[Entry]:
        """Those that stand and name it, or that name none."""
        wins = [e for e in self.entries.values() if isinstance(e.tx.act, Credit) and e.tx.act.reference == bet]
        return [e for e in wins if e.verdict in (ACCEPTED, DOUBT) and not e.gone]

    def _of_round(self, tx: Transaction) -> list[Entry]:
        """The bets and wins of its round that stand, in the order in which they came."""
        kinds = (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE)
        mine = [e for e in self.entries.values() if e.tx.kind in kinds and tx.round_id and e.tx.round_id == tx.round_id]
        return [e for e in mine if e.verdict in (ACCEPTED, DOUBT) and not e.gone]

    # -- batches

    def _batch(self, act: Batch, refused: bool) -> str:
        """All or nothing where it is atomic; every debit is fit to be taken before any credit is given."""
        before = self.cash, dict(self.entries)
        order = sorted(act.items, key=lambda item: item.kind is Kind.CREDIT)
        for item in order:
            verdict = self.post(item, refused)
            if act.atomic and verdict not in (ACCEPTED, DOUBT):
                if self.cash < before[0] and not self.gives_back:
                    return DOUBT  # what was taken waits for a person (rule 19)
                self.cash, self.entries = before
                return verdict
        return ACCEPTED
