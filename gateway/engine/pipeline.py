"""The way of a transaction, in one direction.

receive -> guard, signature -> decode -> complete, route, journal (one look) -> wallet -> journal -> answer
"""

from __future__ import annotations

import contextlib
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import guards
from gateway.auth.bounds import too_many_values
from gateway.auth.keys import Key, live
from gateway.auth.stamped import Seen
from gateway.dialect import Call, NoCall
from gateway.engine.batches import Batches
from gateway.engine.complete import Completed, completing, reference_kinds, under_token
from gateway.engine.drive import Driver
from gateway.engine.errand import Errand
from gateway.engine.exchange import Exchanges
from gateway.engine.identity import key_of
from gateway.engine.journal import JournalLost
from gateway.engine.opening import Order
from gateway.engine.parts import items_of
from gateway.engine.places import route_of, way_of_read
from gateway.engine.reads import Reads
from gateway.engine.settle import Settler
from gateway.engine.setup import Provider, Setup
from gateway.engine.words import Way
from gateway.engine.world import Crowded, World
from gateway.http import Request, Response
from gateway.model import (
    FACTS,
    MONEY_KINDS,
    Accepted,
    Authenticate,
    Batch,
    Capture,
    Declined,
    Flaw,
    Kind,
    Missing,
    Notice,
    Outcome,
    Profile,
    Reason,
    Refused,
    Release,
    Rollback,
    Status,
    Transaction,
    Unknown,
    owes,
    takes,
)
from gateway.model import Balance as BalanceAct

TEXT = {"content-type": "text/plain; charset=utf-8"}
UNREAD = Declined(
    reason=Reason.INVALID_REQUEST,
    message="the body holds more values than any call",
    field="request_body",
    flaw=Flaw.UNPARSABLE,
)
STRANGE = Declined(reason=Reason.NOT_AUTHENTICATED, message="nobody gave this player that token")
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
    call: str = ""  # the name under which the journal knows who heard what
    keys: tuple[str, ...] = ()  # of the movements whose decisions it tells
    spelling: int = 1  # which of the spellings that are believed its signature was made of


class Engine:
    """Carries calls through. One per process; keeps what is in the air."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.exchanges = Exchanges(world)
        self.driver = Driver(world, self.exchanges)
        self.driver.who = self._ask_who
        self.reads = Reads(self.exchanges)
        self.settler = Settler(self.driver)
        self.seen = Seen()

    def busy(self) -> bool:
        """Whether anything is in the air or being driven in this process."""
        return self.driver.busy()

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
        """Answer one call of a provider. `started` = `world.ticks()` at its first byte."""
        errand = Errand(setup, provider, self.world.ticks, self.world.clock, started, self.world.nonce())
        try:
            answer = await self._handle(errand, request)
        finally:
            errand.close()
        answer = replace(
            answer, wallet_seconds=errand.wallet_seconds, call=errand.name, keys=tuple(sorted(errand.keys)),
            spelling=errand.spelling,
        )  # fmt: skip
        seconds = self.world.ticks() - started
        self.world.meter.call(
            provider.name, provider.dialect.name, answer.kind, answer.outcome, answer.reason, seconds,
            errand.wallet_seconds,
        )  # fmt: skip
        return answer

    async def unheard(self, answer: Answer) -> None:
        """The connection was gone before the answer was written: doubt is what was told (rule 26)."""
        for key in sorted({*answer.keys, answer.key} - {""}):
            await self.driver.unheard(key, answer.call)

    async def _handle(self, errand: Errand, request: Request) -> Answer:
        provider, dialect = errand.provider, errand.provider.dialect
        call = Call(
            settings=provider.settings, now=self.world.clock(), nonce=self.world.nonce(), request=request,
            provider=provider.id, currency=provider.currency, currencies=errand.setup.currencies,
        )  # fmt: skip
        if too_many_values(request.body, dialect.as_provider.values_max):
            return await self._answer(errand, UNREAD, None, call, "refused")
        try:
            call = replace(call, name=dialect.route(request, provider.settings))
        except NoCall as no_call:
            return _no_call(no_call)
        errand.allow(provider.answer_within["default"].total_seconds())
        tx: Transaction | None = None
        first, within = may_be(provider, call.name)
        try:
            errand.stay = await self.world.door.enter(provider, first=first, started=errand.started, within=within)
            errand.proved = self._prove(provider, request, call)
            errand.spelling = getattr(errand.proved, "spelling", 1)
            if dialect.auth.stand_in:
                shown = dialect.auth.shows_stand_in(request, live(provider.keys, call.now))
                call = replace(call, stand_in=shown)
            tx = dialect.decode_request(request, call)
        except Refused as refused:
            return await self._answer(errand, refused.outcome(), None, call, "refused")
        except Crowded as crowded:
            return await self._answer(errand, Unknown(detail=str(crowded)), None, call, "")
        errand.allow(provider.limit(tx.kind).total_seconds())
        wire = tx
        try:
            outcome, tx = await self._carry(errand, tx, call)
            return await self._answer(errand, outcome, tx, call, "")
        except JournalLost:
            lost = Unknown(detail="the journal cannot be written")
            for key in sorted(errand.keys):  # its decision may be durable, and doubt is what is told
                self.world.spawn(self.driver.unheard(key, errand.name))
            errand.keys.clear()
            return await self._answer(errand, lost, wire, call, "")

    def _prove(self, provider: Provider, request: Request, call: Call) -> str:
        """Guard and signature; by which key. Raises `Refused` (bad_signature)."""
        meter = self.world.meter
        try:
            used = guards.check(provider.guard, request, provider.dialect.as_provider.body_key, call.now)
            keys = live(provider.keys, call.now)
            used.append(provider.dialect.auth.verify(request, keys, provider.settings, call.now))
            word, content = provider.dialect.auth.once(request, provider.settings)
            if word:
                self.seen.check(provider.name, word, content, call.now)
        except Refused as refused:
            meter.signature_failure(provider.name, refused.field)
            raise
        for key in used:
            if key:
                meter.key_use(provider.name, key)
        return used[-1]

    async def _carry(self, errand: Errand, wire: Transaction, call: Call) -> tuple[Outcome, Transaction]:
        """What becomes of it, and the transaction as it was completed."""
        if isinstance(wire.act, Notice) and wire.asks_the_line:
            return Accepted(), wire
        if errand.provider.dialect.as_provider.session_token is not None:
            wire, strange = await self._under_token(errand.provider, wire, call)
            if strange:
                return STRANGE, wire
        try:
            if isinstance(wire.act, Batch):
                return await self._batch(errand, wire, wire.act, call)
            if wire.kind in MONEY_KINDS:
                carried = await self.driver.carry(errand, self._order(errand, wire, call.name))
                return carried.outcome, carried.tx
            done = await self._completed(errand, wire)
        except Refused as refused:
            return refused.outcome(), wire
        return await self._read(errand, done), done.tx

    async def _under_token(self, provider: Provider, wire: Transaction, call: Call) -> tuple[Transaction, bool]:
        """The call under the session that its token names, where nobody knows its own; and whether it shows a token that
        nobody gave its player, where that matters: to a read, and to what takes. A dead session stops no win and no cancel
        (rule 22)."""
        token = provider.dialect.as_provider.session_token
        if token is None or call.request is None or isinstance(wire.act, Authenticate):
            return wire, False
        items = wire.act.items if isinstance(wire.act, Batch) else (wire,)
        takers = [item for item in items if takes(item.act)]
        keys = [self._key(provider, item, call) for item in takers]
        wire, strange = await self.world.journal.look(under_token(provider, wire, token(call.request), keys))
        return wire, strange and (bool(takers) or isinstance(wire.act, BalanceAct))

    def _order(self, errand: Errand, wire: Transaction, call: str) -> Order:
        space = errand.provider.dialect.as_provider.space(call, wire.kind)
        return Order(wire=wire, space=space, call=errand.name, waits=True)

    async def _batch(self, errand: Errand, wire: Transaction, act: Batch, call: Call) -> tuple[Outcome, Transaction]:
        done = await self._completed(errand, wire)
        assert isinstance(done.tx.act, Batch)
        # What the wire did not say is no part of an item's content (rule 2): it is completed as if it came alone.
        said = replace(done.tx, currency=wire.currency)
        outcome = await Batches(self.driver, call.name).carry(errand, items_of(said, done.tx.act), atomic=act.atomic)
        if isinstance(outcome, Unknown):  # its items were decided, and nobody heard of it
            for key in sorted(errand.keys):
                await self.driver.unheard(key, errand.name)
            errand.keys.clear()
        return outcome, done.tx

    async def _read(self, errand: Errand, done: Completed) -> Outcome:
        way, astray = await self.world.journal.look(way_of_read(errand.setup, errand.provider, done))
        if isinstance(done.tx.act, Status):
            return await self.reads.status(errand, way, done)
        if way is None:
            message = "no route leads to a wallet"
            return Unknown(detail=astray) if astray else Declined(reason=Reason.UNSUPPORTED, message=message)
        lacking = self._lacking(errand.provider, done)
        return lacking if lacking is not None else await self.reads.answer(errand, way, done)

    @staticmethod
    def _lacking(provider: Provider, done: Completed) -> Declined | None:
        """A read whose session means nobody, or was replaced."""
        if not isinstance(done.tx.act, BalanceAct):
            return None
        if done.expired and provider.renews:
            return Declined(reason=Reason.SESSION_EXPIRED, message="this session was replaced")
        if done.tx.player:
            return None
        return Declined(reason=done.nobody, message="nobody knows this session")

    # -- complete, with the wallet's help where nothing else says who plays

    async def _completed(self, errand: Errand, wire: Transaction) -> Completed:
        """Raises `Refused` where an amount does not fit the currency, now that it is known."""
        done = await self._complete(errand, wire)
        if done.asks_who:
            await self._ask_who(errand, wire, done)
            done = await self._complete(errand, wire)
        errand.session = done.session
        return done.checked(errand.setup.currencies)

    async def _complete(self, errand: Errand, tx: Transaction) -> Completed:
        return await self.world.journal.look(completing(errand.provider, tx, self.world.clock()))

    async def _ask_who(self, errand: Errand, wire: Transaction, done: Completed) -> None:
        """`authenticate`, asked of the wallet and remembered like a launch."""
        way = self._way(errand, done)
        if way is None:
            return
        asked = Transaction(act=Authenticate(), session=done.tx.session, player=done.tx.player, game=done.tx.game)
        outcome = await self.reads.answer(errand, way, replace(done, tx=asked))
        if isinstance(outcome, Declined) and _refusable(wire):
            raise Refused(outcome.reason, outcome.message)

    @staticmethod
    def _way(errand: Errand, done: Completed) -> Way | None:
        return route_of(errand.setup, errand.provider, done.tx, done.session)

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
        return key_of(provider.dialect, provider.id, provider.dialect.as_provider.space(call.name, tx.kind), tx)

    async def _encoded(self, errand: Errand, outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
        """In the dialect's words; what its answer needs beside the outcome is supplied."""
        dialect = errand.provider.dialect
        country = errand.session.country if errand.session is not None else ""
        call = replace(call, country=country, again=errand.again) if country or errand.again else call
        if not isinstance(outcome, Unknown) and outcome.balance is not None and not outcome.currency and tx is not None:
            outcome = replace(outcome, currency=tx.currency)
        if (
            not isinstance(outcome, Unknown)
            and tx is not None
            and _shows_now(dialect.as_provider.replay_balance, outcome, tx)
        ):
            outcome = await self._balance(errand, outcome, tx)
        keys = _sealing(errand, call) if dialect.auth.seals else []
        for _ in range(SUPPLIED_MAX):
            try:
                return dialect.answer(outcome, tx, call, keys)
            except Missing as missing:
                if isinstance(outcome, Unknown) or tx is None:
                    raise
                supplied = await self._supplied(errand, outcome, tx, missing, call.unknown)
                if supplied is outcome:
                    call = replace(call, unknown=call.unknown | {missing.field})
                outcome = supplied
        return dialect.answer(Unknown(detail="the answer needs what nobody knows"), tx, call, keys)

    async def _supplied(
        self, errand: Errand, outcome: Accepted | Declined, tx: Transaction, missing: Missing, unknown: frozenset[str]
    ) -> Outcome:
        """The outcome with what this dialect's answer needs; doubt where nobody knows it. As it is: a balance that nobody
        knows, which some answers can do without."""
        what = missing.field
        if what == "balance" and what in unknown:
            return replace(outcome, balance=Decimal(0), currency=tx.currency)
        if what == "balance":
            return await self._balance(errand, outcome, tx)
        if what == "currency" and tx.currency:
            return replace(outcome, currency=tx.currency)
        if isinstance(outcome, Accepted):
            if what == "player" and tx.player:
                return replace(outcome, profile=replace(outcome.profile or Profile(), player=tx.player))
            amount = await self._moved(errand.provider, tx) if what == "amount" else None
            amount = missing.otherwise if amount is None else amount
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
        """A balance call inside the time left, else the last known one and what moved (rule 8)."""
        if isinstance(outcome, Accepted) and outcome.profile is not None:  # an `authenticate` has just said who plays
            player, currency = tx.player or outcome.profile.player, outcome.currency or tx.currency
            tx = replace(tx, player=player, currency=currency, session=tx.session or outcome.profile.session)
        found = None
        with contextlib.suppress(JournalLost):  # it never changes the outcome
            way = route_of(errand.setup, errand.provider, tx, errand.session)
            if way is not None and tx.player:
                found = await self.reads.balance(errand, way, tx, errand.left() * BALANCE_SHARE)
        if found is not None:
            return replace(outcome, balance=found.balance, bonus=found.bonus, currency=found.currency or tx.currency)
        last = await self.exchanges.last_balance(errand.provider.id, tx.player, tx.currency)
        return outcome if last is None else replace(outcome, balance=last.cash, bonus=last.bonus, currency=tx.currency)


_MAY_GIVE = {Kind.BATCH, Kind.ADJUST, Kind.RELEASE, *(kind for kind, facts in FACTS.items() if facts.owes)}


def may_be(provider: Provider, call: str) -> tuple[bool, float]:
    """What the name of a call says before it is proved and decoded: whether it may be one that is served first, and the
    shortest of the limits that it may have."""
    for wire in provider.dialect.calls:
        if wire.name == call and wire.kinds:
            return not _MAY_GIVE.isdisjoint(wire.kinds), min(map(provider.limit, wire.kinds)).total_seconds()
    return False, provider.answer_within["default"].total_seconds()


def first_served(tx: Transaction) -> bool:
    """Whether a call goes before new bets and reads where not all can be carried: it gives, or gives back."""
    act = tx.act
    if isinstance(act, Batch):
        return any(first_served(item) for item in act.items)
    return owes(act) or isinstance(act, Release)


def _shows_now(replay_balance: str, outcome: Accepted | Declined, tx: Transaction) -> bool:
    """A replay, of a no as of a yes, at a dialect whose replays show the balance of now (rule 7)."""
    replayed = outcome.replayed and outcome.balance is None
    return replayed and replay_balance != "stored" and tx.kind in MONEY_KINDS


def _refusable(wire: Transaction) -> bool:
    """A read or a debit may be declined because of its session; what gives, or gives back, may not (rules 21, 22)."""
    return not first_served(wire)


def _sealing(errand: Errand, call: Call) -> list[Key]:
    """The keys for the answer's proof, the one that proved the call first: while a key is changed, its caller knows no other."""
    return sorted(live(errand.provider.keys, call.now), key=lambda key: key.id != errand.proved)


def _kind_of_call(provider: Provider, name: str) -> str:
    wire = next((wire for wire in provider.dialect.calls if wire.name == name), None)
    # A call may be routed only to be refused: Gameball's orders are a basis for points, no movement.
    return wire.kinds[0].value if wire is not None and wire.kinds else "unknown"


def _detail(outcome: Outcome) -> str:
    return outcome.detail if isinstance(outcome, Unknown) else getattr(outcome, "message", "")


def _no_call(no_call: NoCall) -> Answer:
    if no_call.answer is not None:
        return Answer(response=no_call.answer, kind="unknown", outcome="accepted")
    if no_call.allow:
        headers = {**TEXT, "allow": ", ".join(no_call.allow)}
        response = Response(status=405, headers=headers, body=b"method not allowed\n")
    else:
        response = Response(status=404, headers=TEXT, body=b"no such call\n")
    return Answer(response=response, kind="unknown", outcome="refused", reason=Reason.INVALID_REQUEST.value)
