"""Wallets of every kind: honest ones, forgetful ones, and liars whose every lie is written down."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.setup import Wallet
from gateway.http import Request, Response
from gateway.model import MONEY_KINDS, Accepted, Batch, Declined, Kind, Missing, Outcome, Reason, Transaction
from gateway.play.book import Decision, Place, content_of, rules_of
from gateway.play.purse import Purse
from gateway.play.teller import Teller
from tests.simulation.bench import CURRENCIES, keys_of
from tests.simulation.draw import WalletPlan
from tests.simulation.scheduler import BEGIN

FORGETS_AFTER = timedelta(seconds=4)
OPENING = 60
DEBITS = frozenset({Kind.DEBIT, Kind.SETTLE})


class SimPurse(Purse):
    """As strict as its plan says: what is not `safe` applies a second asking again.

    `safe` looks for the id before anything else; every other kind has no memory for a repeat, but
    knows what became of an id where its dialect can ask.
    """

    def __init__(self, plan: WalletPlan, wallet: Wallet, fired: Counter[str]) -> None:
        rules = replace(rules_of(wallet.dialect), tombstones=plan.tombstones)
        super().__init__(rules, opening=None, currency="EUR")
        self.plan, self.wallet, self.fired = plan, wallet, fired
        self.mood = ""
        self.lies: dict[Place, str] = {}
        self._since: dict[Place, datetime] = {}

    def place(self, provider: str, kind: Kind, id: str) -> Place:
        return self._place(provider, kind, id)

    def apply(self, tx: Transaction, provider: str, now: datetime) -> Outcome:
        if isinstance(tx.act, Batch):
            return super().apply(tx, provider, now)
        self._recall(self._reference(tx, provider), now)
        if tx.kind not in MONEY_KINDS:
            return super().apply(tx, provider, now)
        place = self._place(provider, tx.kind, tx.id)
        self._recall(place, now)
        known = self._decided.get(place)
        if known is not None and self.wallet.takes_again(tx.kind) == "safe":
            return self._again(known, content_of(self._complete(tx, provider)), self._complete(tx, provider))
        if self.mood == "refuses":
            self.fired["refuses"] += 1
            refusal = Declined(reason=Reason.PLAYER_NOT_FOUND, message="nobody here")
            if tx.kind in DEBITS and known is None:
                self._decided[place] = Decision(content_of(self._complete(tx, provider)), refusal)
                self._since.setdefault(place, now)
            return refusal
        self._decided.pop(place, None)
        outcome = super().apply(tx, provider, now)
        if known is not None and isinstance(known.outcome, Accepted):
            self._decided[place] = known  # a query is answered by what was applied
        elif isinstance(outcome, Declined) and tx.kind in DEBITS:
            self._decided[place] = Decision(
                content_of(self._complete(tx, provider)), outcome
            )  # a known id hears its first decision
        self._since.setdefault(place, now)
        return outcome

    def named(self, tx: Transaction) -> Place:
        return self._reference(tx, tx.extra.get("provider", ""))

    def _reference(self, tx: Transaction, provider: str) -> Place:
        act = tx.act
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

    def __init__(self, plan: WalletPlan, wallet: Wallet, players: list[str], fired: Counter[str]) -> None:
        self.plan, self.wallet = plan, wallet
        self.purse = SimPurse(plan, wallet, fired)
        for player in players:
            self.purse.open(player, "EUR", Decimal(OPENING))
        self.teller = Teller(
            dialect=wallet.dialect, settings=wallet.settings, keys=keys_of(wallet.dialect, wallet.settings),
            purse=self.purse, currencies=CURRENCIES,
        )  # fmt: skip
        self.last: dict[Kind, Any] = {}

    def told(self, provider: str, kind: Kind, alias: str, id: str) -> Place:
        """Where a movement of the journal stands in this wallet's book."""
        return self.purse.place(provider, kind, id if self.wallet.ids_as_is else alias)

    def rejects(self, request: Request, now: datetime) -> Response:
        """Our key is not its key any more: nothing is read."""
        self.purse.fired["key_rotated"] += 1
        refusal = Declined(reason=Reason.BAD_SIGNATURE, message="who are you?")
        try:
            return self.teller.dialect.encode_response(refusal, None, self._call(request, now))
        except Missing:
            return Response(status=401)

    def _call(self, request: Request, now: datetime) -> Call:
        settings = self.teller.settings
        name = self.teller.dialect.route(request, settings)
        return Call(settings=settings, now=now, request=request, name=name, currency="EUR", currencies=CURRENCIES)

    def kind_of(self, request: Request) -> Kind:
        return self.teller.dialect.decode_request(request, self._call(request, BEGIN)).kind

    def read_as(self, tx: Transaction | None) -> Place | None:
        if tx is None or tx.kind not in MONEY_KINDS:
            return None
        return self.purse.place(tx.extra.get("provider", ""), tx.kind, tx.id)
