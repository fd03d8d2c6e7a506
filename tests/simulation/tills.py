"""Wallets of every kind: honest ones, forgetful ones, and liars whose every lie is written down."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.setup import Wallet
from gateway.http import Request, Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Batch,
    Capture,
    Credit,
    Declined,
    Kind,
    Missing,
    Outcome,
    Reason,
    Release,
    Reserve,
    Rollback,
    Status,
    Transaction,
    Unknown,
    any_no,
    repeats_as,
)
from gateway.play.book import Decision, Entry, Place, content_of, rules_of
from gateway.play.purse import Purse
from gateway.play.teller import Teller
from tests.simulation import pages
from tests.simulation.bench import CURRENCIES, keys_of
from tests.simulation.draw import LAG_SECONDS, WalletPlan
from tests.simulation.scheduler import BEGIN

FORGETS_AFTER = timedelta(seconds=4)
OPENING = 60


class SimPurse(Purse):
    """As strict as its plan says: what is not `safe` applies a second asking again.

    `safe` looks for the id before anything else, whatever takes and was declined included; every other kind has no memory for a repeat, but
    knows what became of an id where its dialect can ask.
    """

    def __init__(
        self, plan: WalletPlan, wallet: Wallet, fired: Counter[str], time: Callable[[], datetime] | None = None
    ) -> None:
        rules = replace(rules_of(wallet.dialect), tombstones=plan.tombstones)
        super().__init__(rules, opening=None, currency="EUR")
        self.plan, self.wallet, self.fired = plan, wallet, fired
        self.time = time  # its own clock, which does not jump with the gateway's
        self.mood = ""
        self.kept: dict[Place, bool] = {}  # what it was to undo, and whether it refused that
        self._declined: set[Place] = set()
        self._chance = random.Random(f"habits/{plan.name}/{plan.in_flight_max}/{plan.remembers}")
        self.lies: dict[Place, str] = {}
        self.unsaid: set[Place] = set()  # what it refused in a word that decides nothing when asked again
        self.meant: dict[str, Kind] = {}  # the kind that an applied rollback, capture or release names, by wallet id
        self._since: dict[Place, datetime] = {}
        self._as = ""  # as what all items of a call are taken again

    def place(self, provider: str, kind: Kind, id: str) -> Place:
        return self._place(provider, kind, id)

    def apply(self, tx: Transaction, provider: str, now: datetime) -> Outcome:
        own = self.time() if self.time is not None else now
        if isinstance(tx.act, Reserve) and tx.act.expires_at is not None:  # its life is read by the clock that signs
            tx = replace(tx, act=replace(tx.act, expires_at=tx.act.expires_at + (own - now)))
        now = own
        if isinstance(tx.act, Batch):
            return self._together(tx, tx.act, provider, now)
        self._recall(self._reference(tx, provider), now)
        if tx.kind not in MONEY_KINDS:
            unseen = isinstance(tx.act, Status) and self._lags("replica", self._reference(tx, provider), now)
            return self._no(Reason.TRANSACTION_NOT_FOUND, tx) if unseen else super().apply(tx, provider, now)
        place = self._place(provider, tx.kind, tx.id)
        if tx.kind is Kind.CREDIT and not self.player_of(tx, provider):
            self.kept[place] = (
                True  # of a session that nobody opened here: no asking again makes it known (rules 6, 14)
            )
        self._recall(place, now)
        known = self._decided.get(place)
        again = self.takes_again(tx)
        applied = known is not None and isinstance(known.outcome, Accepted)
        if known is not None and (again == "safe" or (again == "applied" and applied)):
            return self._again(known, content_of(self._complete(tx, provider)), self._complete(tx, provider))
        if again == "applied":
            self._decided.pop(place, None)
            self.fired["anew"] += place in self._declined
            outcome = self._refused_by_habit(tx, provider, place, now) or super().apply(tx, provider, now)
            if isinstance(outcome, Declined):
                self._decided.pop(place, None)
                self._declined.add(place)
            else:
                self._since.setdefault(place, now)
            return outcome
        balked = self._refused_by_habit(tx, provider, place, now)
        if balked is not None:
            return balked
        if self.mood == "refuses":
            self.fired["refuses"] += 1
            refusal = Declined(reason=Reason.PLAYER_NOT_FOUND, message="nobody here")
            if any_no(tx.act) and known is None:
                self._decided[place] = Decision(content_of(self._complete(tx, provider)), refusal)
                self._since.setdefault(place, now)
            return refusal
        self._decided.pop(place, None)
        outcome = super().apply(tx, provider, now)
        if known is not None and isinstance(known.outcome, Accepted):
            self._decided[place] = known  # a query is answered by what was applied
        elif isinstance(outcome, Declined) and any_no(tx.act):
            self._decided[place] = Decision(
                content_of(self._complete(tx, provider)), outcome
            )  # a known id hears its first decision
        self._since.setdefault(place, now)
        return outcome

    def _together(self, tx: Transaction, act: Batch, provider: str, now: datetime) -> Outcome:
        """A settle in one call, or its rollback, is taken again as a whole: as a debit, or as a rollback."""
        undoes = all(item.kind is Kind.ROLLBACK for item in act.items)
        self._as = "rollback" if undoes else "debit"
        try:
            return super().apply(tx, provider, now)
        finally:
            self._as = ""

    def takes_again(self, tx: Transaction) -> str:
        """How it takes a second asking; a correction is a debit or a credit by its sign, and a hold that it names itself is
        another one each time (rule 14)."""
        if tx.kind is Kind.RESERVE and self.wallet.dialect.as_wallet.makes_hold_ids:
            return "never"
        return self.wallet.repeats[self._as or repeats_as(tx.act)]

    def _refused_by_habit(self, tx: Transaction, provider: str, place: Place, now: datetime) -> Declined | None:
        """What this wallet will not do, or not yet; nothing moves and nothing is remembered."""
        if self.mood == "refuses" and self.takes_again(tx) == "applied":
            self.fired["refuses"] += 1
            return Declined(reason=Reason.PLAYER_NOT_FOUND, message="nobody here")
        if "balks" in self.plan.habits and tx.kind is Kind.CREDIT and place not in self.kept:
            self.kept[place] = False
            if self._chance.random() < 0.3:
                self.fired["balks"] += 1
                return Declined(reason=Reason.LIMIT_EXCEEDED, message="not now")
        if not isinstance(tx.act, Rollback) or place in self._decided:
            return None
        meant = self._reference(tx, provider)
        if self._lags("contradicts", meant, now):
            return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="not here, not yet")
        keeps = "keeps" in self.plan.habits and bool(self._targets(tx, tx.act, provider))
        if not keeps or not self.kept.setdefault(meant, self._chance.random() < 0.4):
            return None
        self.fired["keeps"] += 1
        return Declined(reason=Reason.ALREADY_SETTLED, message="it stays")

    def _lags(self, habit: str, place: Place, now: datetime) -> bool:
        """Whether what reads this place has not seen yet what was applied there."""
        at = self._entry_at.get(place)
        if habit not in self.plan.habits or at is None or now - self.book[at].at >= timedelta(seconds=LAG_SECONDS):
            return False
        self.fired[habit] += 1
        return True

    def applied(self, place: Place) -> bool:
        """Whether its book holds this movement."""
        return any(self._place(entry.provider, entry.kind, entry.id) == place for entry in self.book)

    def ran_out(self, place: Place) -> bool:
        """Whether it is a hold that came to its end by itself."""
        hold = self._holds.get(place)
        return hold is not None and hold.state == "expired"

    def undone(self, place: Place) -> bool:
        """Whether its book holds a rollback of it that stands: one that was itself taken back undoes nothing."""
        return any(not entry.over for entry in self.undoing(place))

    def undoing(self, place: Place) -> list[Entry]:
        """The rollbacks of it in its book."""
        return [
            entry for entry in self.book
            if entry.kind is Kind.ROLLBACK
            and self._place(entry.provider, self.meant[entry.wallet_id], entry.reference) == place
        ]  # fmt: skip

    def shares(self, by: Entry) -> list[tuple[Place, Entry]]:
        """What a rollback in its book undid, and how much of it: the refund of a round names one bet, and undoes several."""
        of = [(self.book[n], share) for n, share in self._shares.get(self.book.index(by), ())]
        return [
            (self._place(m.provider, m.kind, m.id), replace(by, delta=share.copy_sign(by.delta))) for m, share in of
        ]

    def _post(self, tx: Transaction, *given: Any, **more: Any) -> Accepted:
        yes = super()._post(tx, *given, **more)
        if isinstance(tx.act, Rollback):
            self.meant[yes.wallet_id] = tx.act.reference_kind
        elif isinstance(tx.act, Capture | Release):
            self.meant[yes.wallet_id] = Kind.RESERVE
        return yes

    def named(self, tx: Transaction) -> Place:
        """What a rollback names, or named when it was done."""
        provider = tx.extra.get("provider", "")
        done = self._entry_at.get(self._place(provider, tx.kind, tx.id)) if self.rules.by_stake else None
        if done is not None:
            return self._place(provider, Kind.DEBIT, self.book[done].reference)
        return self._reference(tx, provider)

    def _roll_back(self, tx: Transaction, act: Rollback, *where: Any) -> Outcome:
        """In the book a cancel by its stake names the bet that it was taken for."""
        if self.rules.by_stake:
            act = replace(act, reference=self._reference(tx, where[1])[2])
            tx = replace(tx, act=act)
        outcome = super()._roll_back(tx, act, *where)
        if self.rules.one_end and isinstance(outcome, Declined) and outcome.reason is Reason.ALREADY_SETTLED:
            self.kept[self._reference(tx, where[1])] = True  # its win keeps it
        return outcome

    def _ended(self, tx: Transaction, act: Credit, provider: str) -> Declined | None:
        """It stays refused: only a person can say what becomes of such a win where its provider's page does not."""
        no = super()._ended(tx, act, provider)
        if no is not None:
            self.kept[self._place(provider, tx.kind, tx.id)] = True
        return no

    def _reference(self, tx: Transaction, provider: str) -> Place:
        act = tx.act
        if self.rules.by_stake and isinstance(act, Rollback):
            meant = self._targets(tx, act, provider)
            return self._place(provider, Kind.DEBIT, self.book[meant[0]].id if meant else "")
        kind = getattr(act, "reference_kind", Kind.DEBIT)
        return self._place(provider, kind, str(getattr(act, "reference", "")))

    def _recall(self, place: Place, now: datetime) -> None:
        """Forgets what is too old: honestly, or sooner than it says."""
        since = self._since.get(place)
        if since is None:
            return
        lying = self.plan.lie == "forgets" and now - since > FORGETS_AFTER
        if lying or now - since > self.wallet.remembers:
            self.fired["forgets" if lying else "short_memory"] += 1
            if lying:
                self.lies[place] = "forgets"
            self._decided.pop(place, None)
            self._entry_at.pop(place, None)
            self._buried.discard(place)
            del self._since[place]


class Till:
    """A wallet's server: its teller, its purse, and when each request was sent and read."""

    def __init__(
        self,
        plan: WalletPlan,
        wallet: Wallet,
        players: list[str],
        fired: Counter[str],
        time: Callable[[], datetime] | None = None,
    ) -> None:
        self.plan, self.wallet = plan, wallet
        self.renames = pages.renames(wallet.dialect.name)
        self.purse = SimPurse(plan, wallet, fired, time)
        for player in players:
            self.purse.open(player, "EUR", Decimal(OPENING))
        self.teller = Teller(
            dialect=wallet.dialect, settings=wallet.settings, keys=keys_of(wallet.dialect, wallet.settings),
            purse=self.purse, currencies=CURRENCIES,
        )  # fmt: skip
        self.last: dict[Kind, Any] = {}

    def told(self, provider: str, kind: Kind, alias: str, id: str) -> Place:
        """Where a movement of the journal stands in this wallet's book."""
        return self.purse.place(provider, kind, alias or id)

    def rejects(self, request: Request, now: datetime) -> Response:
        """Our key is not its key any more: nothing is read."""
        self.purse.fired["key_rotated"] += 1
        refusal = Declined(reason=Reason.BAD_SIGNATURE, message="who are you?")
        try:
            return self.teller.dialect.answer(refusal, None, self._call(request, now), self.teller.keys)
        except Missing:
            return Response(status=401)

    def _call(self, request: Request, now: datetime) -> Call:
        settings = self.teller.settings
        name = self.teller.dialect.route(request, settings)
        return Call(settings=settings, now=now, request=request, name=name, currency="EUR", currencies=CURRENCIES)

    def kind_of(self, request: Request) -> Kind:
        return self.teller.dialect.decode_request(request, self._call(request, BEGIN)).kind

    def reads(self, tx: Transaction | None) -> list[Transaction]:
        """The movements that a request asks for."""
        items = tx.act.items if tx is not None and isinstance(tx.act, Batch) else (tx,)
        return [item for item in items if item is not None and item.kind in MONEY_KINDS]

    def place_of(self, tx: Transaction) -> Place:
        return self.purse.place(tx.extra.get("provider", ""), tx.kind, tx.id)

    def says(self, items: list[Transaction], outcome: Outcome | None) -> None:
        """What it answers; a no for which its page has the word for doubt alone is none that anybody hears. Nor is the first
        no to what may be refused, said again in a word that speaks of us, after the answer to the first asking was lost (rule 5):
        Groove has one for a player whom nobody knows and for a request that cannot be read."""
        if not isinstance(outcome, Declined):
            return
        for tx in items:
            heard = pages.refusing(self.teller.dialect.name, tx.kind, outcome.reason)
            of_us = isinstance(heard, Declined) and heard.reason in pages.OF_US and any_no(tx.act)
            if of_us or isinstance(heard, Unknown):
                self.purse.unsaid.add(self.place_of(tx))
                self.purse.fired["no_word"] += 1

    def lies(self, items: list[Transaction], lie: str) -> None:
        """About these, and about what they undo: some dialects make a rollback's id themselves."""
        for tx in items:
            self.purse.lies[self.place_of(tx)] = lie
            if tx.kind is Kind.ROLLBACK:
                self.purse.lies[self.purse.named(tx)] = lie
