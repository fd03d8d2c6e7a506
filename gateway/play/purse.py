"""A wallet's book over canonical transactions: real balances, and no help for whoever asks.

A strict wallet has one id space for all kinds and providers, looks at player, block, session and
balance before it looks at the id, and remembers only what it accepted. With `native` rules it is
the wallet of the native dialect: the key (provider, kind, id) first, tombstones, batches. Pure: the
time is an argument, so that a simulation in virtual time can use it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.engine.complete import says_only_its_bet
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Adjust,
    Authenticate,
    Batch,
    Capture,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Profile,
    Reason,
    Release,
    Reserve,
    Rollback,
    Settle,
    Status,
    Transaction,
)
from gateway.play.book import ZERO, Decision, Entry, Hold, Place, Rules, content_of, takes

SESSION_PREFIX = "sess-"
FIRST_WALLET_ID = 700_001
_ASKS = frozenset({Kind.DEBIT, Kind.SETTLE, Kind.RESERVE})
"""Kinds that a blocked player or a dead session stops; credits and rollbacks never are."""
_FINAL = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED})


def stake_of(tx: Transaction) -> Place:
    """What a bet, and its cancel, say of themselves where that alone ties them."""
    amount = getattr(tx.act, "amount", None)
    return ("stake", f"{tx.player}\x1f{tx.round_id}", "" if amount is None else f"{amount.normalize():f}")


def _stake(entry: Entry) -> Place:
    return ("stake", f"{entry.player}\x1f{entry.round_id}", f"{entry.worth.normalize():f}")


class Purse:
    """`opening`: with so much in its first currency a player is opened on first sight; None = never."""

    def __init__(self, rules: Rules, *, opening: Decimal | None = Decimal(1000), currency: str = "EUR") -> None:
        self.rules, self.opening, self.currency = rules, opening, currency
        self.cash: dict[tuple[str, str], Decimal] = {}
        self.opened: dict[tuple[str, str], Decimal] = {}
        self.blocked: set[str] = set()
        self.book: list[Entry] = []
        self._sessions: dict[str, str] = {}
        self._dead: set[str] = set()
        self._decided: dict[Place, Decision] = {}
        self._entry_at: dict[Place, int] = {}
        self._holds: dict[Place, Hold] = {}
        self._buried: set[Place] = set()
        self._shares: dict[int, list[tuple[int, Decimal]]] = {}  # what each rollback undid of which entry
        self._numbers = FIRST_WALLET_ID

    def open(self, player: str, currency: str, balance: Decimal) -> None:
        self.cash[player, currency] = self.opened[player, currency] = balance

    def apply(self, tx: Transaction, provider: str, now: datetime) -> Outcome:
        """What this wallet answers, and does."""
        self._expire(now)
        if isinstance(tx.act, Batch):
            return self._batch(tx, tx.act, provider, now)
        tx = self._complete(tx, provider)
        if tx.kind not in MONEY_KINDS:
            return self._read(tx, provider)
        place, content = self._place(provider, tx.kind, tx.id), content_of(tx)
        if not self.rules.native:
            refused = self._refused(tx)
            if refused:
                return refused
        known = self._decided.get(place)
        if known:
            return self._again(known, content, tx)
        outcome = (self._refused(tx) if self.rules.native else None) or self._move(tx, place, provider, now)
        if isinstance(outcome, Accepted) or (self.rules.native and self._final(tx, outcome)):
            self._decided[place] = Decision(content, outcome, tx)
        return outcome

    def forget(self, tx: Transaction, provider: str) -> None:
        """A wallet that loses its memory: the next asking moves the money again."""
        for item in tx.act.items if isinstance(tx.act, Batch) else (tx,):
            self._decided.pop(self._place(provider, item.kind, item.id), None)

    # ---- who

    def player_of(self, tx: Transaction, provider: str) -> str:
        """Who plays, by what the call says and what this wallet knows; blank: nobody."""
        return self._complete(tx, provider).player

    def _complete(self, tx: Transaction, provider: str) -> Transaction:
        """Player and currency, where the call names only a session or a movement; opens on first sight."""
        player = tx.player or self._sessions.get(tx.session, "") or self._named_by(tx)
        currency = tx.currency
        meant = self._meant(tx, provider)
        if meant is not None:
            player, currency = player or meant.player, currency or meant.currency
        currency = currency or self._main_currency(player)
        if player and self.opening is not None and not self._main_currency(player, ""):
            self.open(player, currency, self.opening)
        if player and tx.session:
            self._sessions.setdefault(tx.session, player)
        return replace(tx, player=player, currency=currency)

    def _named_by(self, tx: Transaction) -> str:
        """The player of a session nobody opened here: the tokens of the simulators name their player."""
        token = tx.session
        if isinstance(tx.act, Authenticate):
            token = tx.act.launch_token or tx.session
        player = token.removeprefix(SESSION_PREFIX)
        known = self.opening is not None or self._main_currency(player, "")
        return player if known else ""

    def _meant(self, tx: Transaction, provider: str) -> Hold | Entry | None:
        reference = str(getattr(tx.act, "reference", ""))
        if isinstance(tx.act, Capture | Release):
            return self._holds.get(self._place(provider, Kind.RESERVE, reference))
        if isinstance(tx.act, Rollback):
            found = self._targets(tx, tx.act, provider)
            return self.book[found[0]] if found else None
        if says_only_its_bet(tx):
            bet = self._entry_at.get(self._place(provider, Kind.DEBIT, reference))
            return self.book[bet] if bet is not None else None
        return None

    def _main_currency(self, player: str, otherwise: str | None = None) -> str:
        for known, currency in self.cash:
            if known == player:
                return currency
        return self.currency if otherwise is None else otherwise

    def _place(self, provider: str, kind: Kind, tx_id: str) -> Place:
        if self.rules.native:
            return (provider, kind.value, tx_id)
        return ("", kind.value if self.rules.one_end else "", tx_id)

    # ---- answers

    def _no(self, reason: Reason, tx: Transaction, wallet_id: str = "") -> Declined:
        cash = self.cash.get((tx.player, tx.currency))
        currency = tx.currency if cash is not None else ""
        message = reason.value.replace("_", " ")
        return Declined(reason=reason, message=message, balance=cash, currency=currency, wallet_id=wallet_id)

    def _yes(self, tx: Transaction, **more: Any) -> Accepted:
        return Accepted(balance=self.cash[tx.player, tx.currency], currency=tx.currency, **more)

    def _again(self, known: Decision, content: tuple[object, ...], tx: Transaction) -> Outcome:
        if known.content != content:
            return self._no(Reason.DUPLICATE_MISMATCH, tx)
        first = known.outcome
        assert isinstance(first, Accepted | Declined)
        cash = self.cash.get((tx.player, tx.currency))
        if not self.rules.current_balance or cash is None:
            return replace(first, replayed=True)
        return replace(first, replayed=True, balance=cash, currency=tx.currency)

    def _final(self, tx: Transaction, outcome: Outcome) -> bool:
        """Whether a decline is remembered: rule 6."""
        if tx.kind is Kind.CREDIT or (isinstance(tx.act, Adjust) and tx.act.amount > 0):
            return False
        return tx.kind is not Kind.ROLLBACK or (isinstance(outcome, Declined) and outcome.reason in _FINAL)

    def _refused(self, tx: Transaction) -> Declined | None:
        """The checks that have nothing to do with ids."""
        nameless = isinstance(tx.act, Rollback | Capture | Release) or (self.rules.one_end and says_only_its_bet(tx))
        if not tx.player and nameless:
            return None  # of something unknown: it is not found
        if not tx.player:
            return self._no(Reason.SESSION_EXPIRED if tx.session else Reason.PLAYER_NOT_FOUND, tx)
        if not self._main_currency(tx.player, ""):
            return self._no(Reason.PLAYER_NOT_FOUND, tx)
        if (tx.player, tx.currency) not in self.cash:
            return self._no(Reason.CURRENCY_MISMATCH, tx)
        if tx.kind in _ASKS and tx.player in self.blocked:
            return self._no(Reason.PLAYER_BLOCKED, tx)
        if tx.kind in _ASKS and tx.session in self._dead:
            return self._no(Reason.SESSION_EXPIRED, tx)
        if takes(tx) > max(self.cash[tx.player, tx.currency], ZERO):
            return self._no(Reason.INSUFFICIENT_FUNDS, tx)
        return None

    # ---- reads

    def _read(self, tx: Transaction, provider: str) -> Outcome:
        if isinstance(tx.act, Status):
            return self._status(tx, tx.act, provider)
        if tx.asks_the_line:
            return Accepted()
        refused = self._refused(tx)
        if refused:
            return refused
        if isinstance(tx.act, CloseSession):
            self._dead.add(tx.session)
        if not isinstance(tx.act, Authenticate):
            return self._yes(tx)
        if tx.session in self._dead:
            return self._no(Reason.SESSION_EXPIRED, tx)
        session = tx.session or SESSION_PREFIX + tx.player
        self._sessions.setdefault(session, tx.player)
        who = Profile(player=tx.player, session=session, country="SE", username=tx.player, language="en")
        return self._yes(tx, profile=who)

    def _status(self, tx: Transaction, act: Status, provider: str) -> Outcome:
        places = [self._place(provider, act.reference_kind, id) for id in (act.reference, *act.others)]
        place = next((place for place in places if place in self._decided), places[0])
        known = self._decided.get(place)
        if known is None:
            return self._no(Reason.TRANSACTION_NOT_FOUND, tx)
        hold = self._holds.get(place)
        if hold and isinstance(known.outcome, Accepted):
            return replace(known.outcome, state=hold.state, expires_at=hold.expires_at)
        if self.rules.lists and isinstance(known.outcome, Accepted):
            return replace(known.outcome, meant=() if known.tx is None else (known.tx,))
        # A rollback that was declined because its bet is not there was seen, and is no 404.
        return replace(known.outcome, replayed=True) if isinstance(known.outcome, Declined) else known.outcome

    # ---- movements

    def _batch(self, tx: Transaction, act: Batch, provider: str, now: datetime) -> Outcome:
        before = self._snapshot()
        items: list[Outcome] = []
        for item in act.items:
            player, session = item.player or tx.player, item.session or tx.session
            whole = replace(item, player=player, session=session, currency=item.currency or tx.currency)
            outcome = self.apply(whole, provider, now)
            items.append(outcome)
            if act.atomic and isinstance(outcome, Declined):
                before()
                tx = self._complete(tx, provider)
                return self._no(outcome.reason, tx)
        tx = self._complete(replace(tx, currency=tx.currency or act.items[0].currency), provider)
        taken = [item for item in items if isinstance(item, Accepted)]
        return Accepted(
            balance=self.cash.get((tx.player, tx.currency)),
            currency=tx.currency,
            wallet_id=taken[0].wallet_id if taken else "",
            replayed=all(isinstance(item, Accepted | Declined) and item.replayed for item in items),
            items=tuple(items),
        )

    def _snapshot(self) -> Callable[[], None]:
        """How to make everything as it is now."""
        tables: list[dict[Any, Any]] = [self.cash, self.opened, self._sessions]
        tables += [self._decided, self._entry_at, self._holds, self._shares]
        kept = [dict(table) for table in tables]
        book, buried = list(self.book), set(self._buried)

        def restore() -> None:
            for table, rows in zip(tables, kept, strict=True):
                table.clear()
                table.update(rows)
            self.book[:], self._buried = book, buried

        return restore

    def _move(self, tx: Transaction, place: Place, provider: str, now: datetime) -> Outcome:
        if place in self._buried:
            return self._no(Reason.ALREADY_ROLLED_BACK, tx)
        if self.rules.by_stake and isinstance(tx.act, Debit) and stake_of(tx) in self._buried:
            self._buried.discard(stake_of(tx))
            return self._no(Reason.ALREADY_ROLLED_BACK, tx)
        match tx.act:
            case Debit() | Settle():
                gain = tx.act.credit if isinstance(tx.act, Settle) else ZERO
                return self._post(tx, place, provider, now, gain - takes(tx))
            case Credit() as act:
                if self.rules.one_end and act.reference and (ended := self._ended(tx, act, provider)):
                    return ended
                return self._post(tx, place, provider, now, ZERO if act.tracking_only else act.amount)
            case Adjust() as act:
                return self._post(tx, place, provider, now, act.amount)
            case Rollback() as act:
                return self._roll_back(tx, act, place, provider, now)
            case Reserve() as act:
                held = Hold(
                    place=place, player=tx.player, currency=tx.currency, held=act.amount, expires_at=act.expires_at
                )
                self._holds[place] = held
                outcome = self._post(tx, place, provider, now, -act.amount, worth=ZERO)
                return replace(outcome, state="active", expires_at=act.expires_at)
            case Capture() | Release():
                return self._end_hold(tx, place, provider, now)
            case _:
                return self._no(Reason.UNSUPPORTED, tx)

    def _ended(self, tx: Transaction, act: Credit, provider: str) -> Declined | None:
        """A win of a bet that is not there, or was cancelled."""
        bet = self._entry_at.get(self._place(provider, Kind.DEBIT, act.reference))
        if bet is None:
            return self._no(Reason.TRANSACTION_NOT_FOUND, tx)
        return self._no(Reason.ALREADY_ROLLED_BACK, tx) if self.book[bet].undone_by else None

    def _won(self, reference: str) -> bool:
        return any(entry.kind is Kind.CREDIT and entry.reference == reference for entry in self.book)

    def took(self, provider: str, kind: Kind, id: str) -> bool:
        """Whether it has a movement of that name."""
        return self._place(provider, kind, id) in self._entry_at

    def _post(
        self,
        tx: Transaction,
        place: Place,
        provider: str,
        now: datetime,
        delta: Decimal,
        *,
        worth: Decimal | None = None,
        moved: Decimal | None = None,
    ) -> Accepted:
        """Move `delta` and write it down; undoing it is worth the opposite unless said otherwise."""
        entry = Entry(
            wallet_id=str(self._numbers),
            provider=provider,
            kind=tx.kind,
            id=tx.id,
            player=tx.player,
            currency=tx.currency,
            round_id=tx.round_id,
            reference=str(getattr(tx.act, "reference", "")),
            delta=delta,
            worth=-delta if worth is None else worth,
            at=now,
        )
        self._numbers += 1
        self._entry_at[place] = len(self.book)
        self.book.append(entry)
        self.cash[tx.player, tx.currency] += delta
        return self._yes(tx, wallet_id=entry.wallet_id, moved=moved)

    def _roll_back(self, tx: Transaction, act: Rollback, place: Place, provider: str, now: datetime) -> Outcome:
        targets = self._targets(tx, act, provider)
        named = self._place(provider, act.reference_kind, act.reference)
        if self.rules.tombstones and named not in self._entry_at:
            self._buried.add(named)  # also where its whole round was meant
        if self.rules.by_stake and not targets:
            self._buried.add(stake_of(tx))
        if not targets:
            return self._no(Reason.TRANSACTION_NOT_FOUND, tx)
        if self.rules.one_end and self._won(act.reference):
            return self._no(Reason.ALREADY_SETTLED, tx)
        open_ones = [n for n in targets if not self.book[n].over and (self.rules.several or not self.book[n].undone_by)]
        if not open_ones:
            return self._no(Reason.ALREADY_ROLLED_BACK, tx, self.book[targets[0]].undone_by)
        left = sum((self.book[n].left for n in open_ones), ZERO)
        asked = left if act.amount is None or self.rules.whole else act.amount
        if asked > left and not self.rules.cuts:
            return self._no(Reason.INVALID_REQUEST, tx)
        moved = min(asked, left)
        delta = moved if self.book[open_ones[0]].worth >= 0 else -moved
        told = moved if moved != act.amount else None
        outcome = self._post(tx, place, provider, now, delta, moved=told)
        shares = self._shares[len(self.book) - 1] = []
        for n in open_ones:
            share = min(moved, self.book[n].left)
            moved -= share
            shares.append((n, share))
            self._undone(n, share, outcome.wallet_id)
        return outcome

    def _undone(self, n: int, share: Decimal, by: str) -> None:
        """So much more of an entry is undone, or, below zero, less; and of what it had undone itself so much stands again, or
        falls again, the first of several first."""
        entry, before = self.book[n], ZERO
        self.book[n] = replace(entry, undone=entry.undone + share, undone_by="" if share < 0 else by)
        for target, of in self._shares.get(n, ()):
            was, now = (min(max(undone - before, ZERO), of) for undone in (entry.undone, entry.undone + share))
            before += of
            if was != now:
                self._undone(target, was - now, entry.wallet_id)

    def _targets(self, tx: Transaction, act: Rollback, provider: str) -> list[int]:
        """Where in the book the movements stand that a rollback means."""
        if self.rules.by_stake:
            equal = [n for n, entry in enumerate(self.book) if entry.kind is Kind.DEBIT and not entry.undone_by]
            return [n for n in equal if stake_of(tx) == _stake(self.book[n])][-1:]
        found = self._entry_at.get(self._place(provider, act.reference_kind, act.reference))
        if found is not None:
            kinds = self.rules.undoes | {act.reference_kind}
            return [found] if self.book[found].kind in kinds else []
        if self.rules.native or act.scope != "round" or not tx.round_id:
            return []
        # Kyren's Refund whose reference is no bet: every open bet of that player and round. Its Cancel: nothing.
        return [
            n
            for n, entry in enumerate(self.book)
            if (entry.kind, entry.round_id) == (Kind.DEBIT, tx.round_id) and tx.player in ("", entry.player)
        ]

    # ---- holds

    def _end_hold(self, tx: Transaction, place: Place, provider: str, now: datetime) -> Outcome:
        reference = str(getattr(tx.act, "reference", ""))
        hold = self._holds.get(self._place(provider, Kind.RESERVE, reference))
        if hold is None or hold.state != "active":
            return self._no(Reason.TRANSACTION_NOT_FOUND, tx)
        if isinstance(tx.act, Release):
            self._holds[hold.place] = replace(hold, state="released")
            return self._post(tx, place, provider, now, hold.held, worth=ZERO)
        asked = tx.act.amount if isinstance(tx.act, Capture) else None
        taken = hold.held if asked is None else asked
        if taken > hold.held:
            return self._no(Reason.INVALID_REQUEST, tx)
        self._holds[hold.place] = replace(hold, state="used")
        told = taken if asked is None else None
        return self._post(tx, place, provider, now, hold.held - taken, worth=taken, moved=told)

    def _expire(self, now: datetime) -> None:
        for place, hold in list(self._holds.items()):
            if hold.state == "active" and hold.expires_at is not None and hold.expires_at <= now:
                self._holds[place] = replace(hold, state="expired")
                self.cash[hold.player, hold.currency] += hold.held
