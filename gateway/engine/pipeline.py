"""The way of a transaction, in one direction.

receive -> guard, signature -> decode -> complete -> journal -> route -> plan -> wallet -> journal -> answer
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import guards
from gateway.auth.keys import live
from gateway.dialect import Call, NoCall
from gateway.engine.asking import Asker
from gateway.engine.complete import Completed, amounts_checked, complete, reference_kinds
from gateway.engine.compound import carry_batch
from gateway.engine.errand import Errand
from gateway.engine.identity import key_of
from gateway.engine.journal import JournalLost
from gateway.engine.movements import Movements
from gateway.engine.plan import Way
from gateway.engine.reads import Reads
from gateway.engine.recovery import Settler
from gateway.engine.setup import Provider, Setup
from gateway.engine.world import Silence, World
from gateway.http import Request, Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Adjust,
    Authenticate,
    Batch,
    Capture,
    Credit,
    Declined,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Release,
    Rollback,
    Transaction,
    Unknown,
)
from gateway.model import Balance as BalanceAct

TEXT = {"content-type": "text/plain; charset=utf-8"}
SUPPLIED_MAX = 6  # values supplied to one answer before we stop
BALANCE_SHARE = 0.8  # of the time left, for a balance fetched in addition


class Answer(Struct, frozen=True, kw_only=True):
    """What the provider is answered, and what the log line of the call says."""

    response: Response
    kind: str = ""
    outcome: str = ""  # accepted, declined, unknown, refused
    reason: str = ""
    transaction_id: str = ""
    wallet_seconds: float = 0.0
    detail: str = ""
    key: str = ""  # of the movement in the journal, if it is one
    counted: tuple[str, ...] = ()  # keys of the movements whose decisions it tells


class Engine:
    """Carries calls through. One per process; keeps what is in the air."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asker = Asker(world)
        self.movements = Movements(self.asker)
        self.reads = Reads(self.asker)
        self.settler = Settler(self.movements, self._way)

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
        """Answer one call of a provider. `started` = `world.ticks()` at its first byte."""
        errand = Errand(setup, provider, self.world.ticks, started)
        try:
            answer = await self._handle(errand, request)
        finally:
            errand.close()
        answer = replace(answer, wallet_seconds=errand.wallet_seconds, counted=tuple(sorted(errand.counted)))
        seconds = self.world.ticks() - started
        self.world.meter.call(
            provider.name, provider.dialect.name, answer.kind, answer.outcome, answer.reason, seconds,
            errand.wallet_seconds,
        )  # fmt: skip
        return answer

    async def unheard(self, answer: Answer) -> None:
        """The connection was gone before the answer was written: doubt is what was told (26)."""
        for key in sorted({*answer.counted, answer.key} - {""}):
            await self.movements.unheard(key, counted=key in answer.counted)

    async def _handle(self, errand: Errand, request: Request) -> Answer:
        provider, dialect = errand.provider, errand.provider.dialect
        call = Call(
            settings=provider.settings, now=self.world.clock(), nonce=self.world.nonce(), request=request,
            provider=provider.id, currency=provider.currency, currencies=errand.setup.currencies,
        )  # fmt: skip
        try:
            call = replace(call, name=dialect.route(request, provider.settings))
        except NoCall as no_call:
            return _no_call(no_call)
        errand.allow(provider.answer_within["default"].total_seconds())
        tx: Transaction | None = None
        try:
            self._prove(provider, request, call)
            tx = dialect.decode_request(request, call)
        except Refused as refused:
            return await self._answer(errand, refused.outcome(), None, call, "refused")
        errand.allow(provider.limit(tx.kind).total_seconds())
        try:
            self.world.gate.call(provider, owed=owed(tx))
            outcome, tx = await self._carry(errand, tx, call)
        except JournalLost:
            outcome = Unknown(detail="the journal cannot be written")
            for key in sorted(errand.counted):  # its decision may be durable, and doubt is what is told
                self.world.spawn(self.movements.unheard(key, counted=True))
            errand.counted.clear()
        except Silence as silence:  # too many calls: whatever it is, it was not read, and nothing moved
            outcome = Unknown(detail=silence.detail)
        return await self._answer(errand, outcome, tx, call, "")

    def _prove(self, provider: Provider, request: Request, call: Call) -> None:
        """Guard and signature; raises `Refused` (bad_signature)."""
        meter = self.world.meter
        try:
            used = guards.check(provider.guard, request, provider.dialect.body_key, call.now)
            keys = live(provider.keys, call.now)
            used.append(provider.dialect.auth.verify(request, keys, provider.settings, call.now))
        except Refused as refused:
            meter.signature_failure(provider.name, refused.field)
            raise
        for key in used:
            if key:
                meter.key_use(provider.name, key)

    async def _carry(self, errand: Errand, wire: Transaction, call: Call) -> tuple[Outcome, Transaction]:
        """What becomes of it, and the transaction as it was completed."""
        try:
            done = await self._completed(errand, wire)
        except Refused as refused:
            return refused.outcome(), wire
        if isinstance(done.tx.act, Batch):

            async def carry_one(item: Transaction, space: str) -> Outcome:
                return (await self._carry_one(errand, item, call, space))[0]

            outcome = await carry_batch(errand, done.tx, carry_one)
            if isinstance(outcome, Unknown):  # its items were decided, and nobody heard of it
                for key in sorted(errand.counted):
                    await self.movements.unheard(key, counted=True)
                errand.counted.clear()
            return outcome, done.tx
        return await self._carry_done(errand, wire, done, call, "")

    async def _carry_one(
        self, errand: Errand, wire: Transaction, call: Call, space: str
    ) -> tuple[Outcome, Transaction]:
        try:
            done = await self._completed(errand, wire)
        except Refused as refused:
            return refused.outcome(), wire
        return await self._carry_done(errand, wire, done, call, space or wire.kind.value)

    async def _carry_done(
        self, errand: Errand, wire: Transaction, done: Completed, call: Call, space: str
    ) -> tuple[Outcome, Transaction]:
        way = self._way(errand, done)
        if done.tx.kind in MONEY_KINDS:
            own = space or errand.provider.dialect.space(call.name, done.tx.kind)
            ticket = replace(self.movements.ticket(errand, way, done, own, wire), in_batch=bool(space))
            return await self.movements.carry(ticket), done.tx
        if way is None:
            return Declined(reason=Reason.UNSUPPORTED, message="no route leads to a wallet"), done.tx
        lacking = self._lacking(done)
        if lacking is not None:
            return lacking, done.tx
        return await self.reads.answer(errand, way, done), done.tx

    @staticmethod
    def _lacking(done: Completed) -> Declined | None:
        """A read whose session means nobody."""
        if done.tx.player or not isinstance(done.tx.act, BalanceAct):
            return None
        reason = Reason.SESSION_EXPIRED if done.expired else Reason.NOT_AUTHENTICATED
        return Declined(reason=reason, message="nobody knows this session")

    # -- complete, with the wallet's help where nothing else says who plays

    async def _completed(self, errand: Errand, wire: Transaction) -> Completed:
        """Raises `Refused` where an amount does not fit the currency, now that it is known."""
        done = await complete(self.world.journal, errand.provider, wire, self.world.clock())
        if self._asks_who(done):
            done = await self._ask_who(errand, wire, done)
        checked = done.tx
        if checked.currency and not wire.currency:
            checked = amounts_checked(checked, errand.setup.currencies)
        return replace(done, tx=checked)

    @staticmethod
    def _asks_who(done: Completed) -> bool:
        """Whether player or currency is missing, and a session may say it (21)."""
        tx = done.tx
        if not tx.session or isinstance(tx.act, Authenticate):
            return False
        needs_currency = tx.kind in MONEY_KINDS and not isinstance(tx.act, Rollback | Capture)
        return not tx.player or (needs_currency and not tx.currency)

    async def _ask_who(self, errand: Errand, wire: Transaction, done: Completed) -> Completed:
        """`authenticate`, asked of the wallet and remembered like a launch."""
        way = self._way(errand, done)
        if way is None:
            return done
        asked = Transaction(act=Authenticate(), session=done.tx.session, player=done.tx.player, game=done.tx.game)
        outcome = await self.reads.answer(errand, way, replace(done, tx=asked))
        if isinstance(outcome, Declined) and not isinstance(wire.act, Rollback) and _refusable(wire):
            raise Refused(outcome.reason, outcome.message)
        if not isinstance(outcome, Accepted):
            return done
        return await complete(self.world.journal, errand.provider, wire, self.world.clock())

    # -- route

    def _way(self, errand: Errand, done: Completed) -> Way | None:
        """The session's wallet, else the first route that fits."""
        setup, provider, session = errand.setup, errand.provider, done.session
        route = setup.route(provider, done.tx, session.brand if session else "")
        wallet = setup.wallets.get(session.wallet) if session and session.wallet else None
        if wallet is not None and (route is None or route.wallet != wallet.name):
            fitting = (r for r in setup.routes if r.wallet == wallet.name and _serves(r.providers, provider.name))
            route = next(fitting, route)
        if route is None:
            return None
        return Way(setup=setup, provider=provider, wallet=wallet or setup.wallets[route.wallet], route=route)

    # -- the answer

    async def _answer(self, errand: Errand, outcome: Outcome, tx: Transaction | None, call: Call, word: str) -> Answer:
        response = await self._encoded(errand, outcome, tx, call)
        declined = isinstance(outcome, Declined)
        words = {Accepted: "accepted", Declined: "declined", Unknown: "unknown"}
        return Answer(
            response=response,
            kind=tx.kind.value if tx is not None else _kind_of_call(errand.provider, call.name),
            outcome=word or words[type(outcome)],
            reason=outcome.reason.value if declined and isinstance(outcome, Declined) else "",
            transaction_id=tx.id if tx is not None else "",
            detail=_detail(outcome),
            key=self._key(errand.provider, tx, call),
        )

    @staticmethod
    def _key(provider: Provider, tx: Transaction | None, call: Call) -> str:
        if tx is None or tx.kind not in MONEY_KINDS:
            return ""
        return key_of(provider.dialect, provider.id, provider.dialect.space(call.name, tx.kind), tx)

    async def _encoded(self, errand: Errand, outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
        """In the dialect's words; what its answer needs beside the outcome is supplied."""
        dialect = errand.provider.dialect
        if not isinstance(outcome, Unknown) and outcome.balance is not None and not outcome.currency and tx is not None:
            outcome = replace(outcome, currency=tx.currency)
        if isinstance(outcome, Accepted) and tx is not None and _shows_now(dialect.replay_balance, outcome, tx):
            outcome = await self._balance(errand, outcome, tx)
        for _ in range(SUPPLIED_MAX):
            try:
                return dialect.encode_response(outcome, tx, call)
            except Missing as missing:
                if isinstance(outcome, Unknown) or tx is None:
                    raise
                outcome = await self._supplied(errand, outcome, tx, missing)
        return dialect.encode_response(Unknown(detail="the answer needs what nobody knows"), tx, call)

    async def _supplied(
        self, errand: Errand, outcome: Accepted | Declined, tx: Transaction, missing: Missing
    ) -> Outcome:
        """The outcome with what this dialect's answer needs; doubt where nobody knows it."""
        what = missing.field
        if what == "balance":
            shown = await self._balance(errand, outcome, tx)
            return shown if shown.balance is not None else replace(shown, balance=Decimal(0), currency=tx.currency)
        if what == "currency" and tx.currency:
            return replace(outcome, currency=tx.currency)
        if isinstance(outcome, Accepted):
            if what == "player" and tx.player:
                return replace(outcome, profile=replace(outcome.profile or Profile(), player=tx.player))
            amount = await self._moved(errand.provider, tx) if what == "amount" else None
            if amount is not None:
                return replace(outcome, moved=amount)
        return Unknown(detail=missing.message)

    async def _moved(self, provider: Provider, tx: Transaction) -> Decimal | None:
        """What a movement moved that says `all of it`: what its reference held or took."""
        act = tx.act
        said = getattr(act, "amount", None)
        if said is not None or not isinstance(act, Rollback | Capture):
            return said
        target = await self.world.journal.find(provider.id, reference_kinds(provider, act), act.reference)
        return getattr(target.tx.act, "amount", None) if target is not None else None

    async def _balance(self, errand: Errand, outcome: Accepted | Declined, tx: Transaction) -> Accepted | Declined:
        """A balance call inside the time left, else the last known one and what moved (8)."""
        done = await complete(self.world.journal, errand.provider, tx, self.world.clock())
        way = self._way(errand, done)
        found = None
        if way is not None and tx.player:
            found = await self.reads.balance(errand, way, tx, errand.left() * BALANCE_SHARE)
        if found is not None:
            return replace(outcome, balance=found.balance, bonus=found.bonus, currency=found.currency or tx.currency)
        last = await self.asker.last_balance(errand.provider.id, tx.player, tx.currency)
        return outcome if last is None else replace(outcome, balance=last, currency=tx.currency)


def owed(tx: Transaction) -> bool:
    """Whether a call goes before new bets and reads where not all can be carried: it gives, or gives back."""
    act = tx.act
    if isinstance(act, Batch):
        return any(owed(item) for item in act.items)
    return isinstance(act, Credit | Rollback | Release) or (isinstance(act, Adjust) and act.amount > 0)


def _shows_now(replay_balance: str, outcome: Accepted, tx: Transaction) -> bool:
    """A replay at a dialect whose replays show the balance of now (7)."""
    replayed = outcome.replayed and outcome.balance is None
    return replayed and replay_balance == "current" and tx.kind in MONEY_KINDS


def _serves(providers: frozenset[str] | None, name: str) -> bool:
    return providers is None or name in providers


def _refusable(wire: Transaction) -> bool:
    """A read or a debit may be declined because of its session; a credit may not (21)."""
    return wire.kind.value not in ("credit", "rollback")


def _kind_of_call(provider: Provider, name: str) -> str:
    wire = next((wire for wire in provider.dialect.calls if wire.name == name), None)
    # A call may be routed only to be refused: Gameball's orders are a basis for points, no movement.
    return wire.kinds[0].value if wire is not None and wire.kinds else "unknown"


def _detail(outcome: Outcome) -> str:
    return outcome.detail if isinstance(outcome, Unknown) else getattr(outcome, "message", "")


def _no_call(no_call: NoCall) -> Answer:
    if no_call.allow:
        headers = {**TEXT, "allow": ", ".join(no_call.allow)}
        response = Response(status=405, headers=headers, body=b"method not allowed\n")
    else:
        response = Response(status=404, headers=TEXT, body=b"no such call\n")
    return Answer(response=response, kind="unknown", outcome="refused", reason=Reason.INVALID_REQUEST.value)
