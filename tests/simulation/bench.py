"""A workbench: the real engine and a real journal file between providers and wallets, in virtual time.

Wallets are the dialects' own server side with a strict purse, providers their client side; only
the network is ours to script, call by call. Nothing sleeps: the scheduler turns its own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.keys import Key
from gateway.auth.scheme import Auth
from gateway.codec.times import parse_duration
from gateway.currency import Currencies
from gateway.dialect import Call, Dialect
from gateway.ends import AsProvider, AsWallet
from gateway.engine.journal import Change, JournalLost, Write
from gateway.engine.movement import Movement, Session
from gateway.engine.pipeline import Answer, Engine
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.engine.world import Silence, World
from gateway.http import Request, Response
from gateway.journal.readhand import DirectReads
from gateway.journal.sqlite import SqliteJournal
from gateway.journal.writer import DirectWriter
from gateway.model import MONEY_KINDS, Act, Game, Kind, Outcome, Round, Transaction
from gateway.play.book import rules_of
from gateway.play.caller import Caller, Heard
from gateway.play.purse import Purse
from gateway.play.teller import Exchange, Teller
from gateway.serve.discover import find
from gateway.vectors import Vector, demo_key, load_all
from tests.simulation.behaviours import Behaviour, Post, arrives
from tests.simulation.scheduler import Killed, Scheduler, Task

CURRENCIES = Currencies({"BTC": 8, "PTS": 0})
PLAYER, SESSION, GAME, ROUND = "p-1", "sess-p-1", "42", "880011"
SAFE = {"debit": "safe", "credit": "safe", "rollback": "safe"}
QUERY = {"debit": "query", "credit": "query", "rollback": "query"}
NEVER = {"debit": "never", "credit": "never", "rollback": "never"}
A_MOMENT_SECONDS = 0.01  # what ends together with an answer has ended
MOVES = MONEY_KINDS | {Kind.BATCH}

NETWORK, OUTSIDE = object(), object()
"""Owners of what goes on when our process dies: requests on their way, and the providers."""


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that waits for nothing: this journal answers without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


def money(text: str) -> Decimal:
    return Decimal(text)


# ---------------------------------------------------------------- one wallet, and what is counted


class Till:
    """A wallet behind the network: its purse, what it was sent, and what it applied."""

    def __init__(self, wallet: Wallet, opening: dict[str, Decimal], currency: str, keys: tuple[Key, ...]) -> None:
        self.purse = Purse(rules_of(wallet.dialect), opening=None, currency=currency)
        for player, balance in opening.items():
            self.purse.open(player, currency, balance)
        self.teller = Teller(
            dialect=wallet.dialect, settings=wallet.settings, keys=keys, purse=self.purse, currencies=CURRENCIES
        )
        self.sent: list[Transaction] = []
        self.exchanges: list[Exchange] = []
        self.script: list[tuple[Kind | None, Behaviour]] = []
        self.habits: dict[Kind | None, Behaviour] = {}

    def then(self, *behaviours: Behaviour, kind: Kind | None = None) -> None:
        """What becomes of the next requests (of this kind), one each."""
        self.script += [(kind, behaviour) for behaviour in behaviours]

    def always(self, behaviour: Behaviour, kind: Kind | None = None) -> None:
        """What becomes of every request (of this kind) that no script is for."""
        self.habits[kind] = behaviour

    def heal(self) -> None:
        self.script.clear()
        self.habits.clear()

    def asked(self, *kinds: Kind) -> int:
        """How many requests of these kinds were sent; without kinds: of those that move money."""
        return sum(tx.kind in (kinds or MOVES) for tx in self.sent)

    def last(self, kind: Kind) -> Transaction:
        return next(tx for tx in reversed(self.sent) if tx.kind is kind)

    def balance(self, player: str = PLAYER) -> Decimal:
        """The player's purse, which must be what its own book adds up to."""
        moved = sum((entry.delta for entry in self.purse.book if entry.player == player), Decimal(0))
        cash = self.purse.cash[player, self.purse.currency]
        assert cash == self.purse.opened[player, self.purse.currency] + moved
        return cash

    def behaviour(self, kind: Kind) -> Behaviour:
        for number, (wanted, behaviour) in enumerate(self.script):
            if wanted in (None, kind):
                del self.script[number]
                return behaviour
        return self.habits.get(kind) or self.habits.get(None) or arrives

    def meaning(self, request: Request, now: Any) -> Transaction:
        """What a request says: every one of ours must be a call that the dialect knows."""
        return self.teller.dialect.decode_request(request, self._call(request, now))

    def words(self, outcome: Outcome, request: Request) -> Response:
        call = self._call(request, None)
        tx = self.teller.dialect.decode_request(request, call)
        return self.teller.dialect.answer(outcome, tx, call, self.teller.keys)

    def _call(self, request: Request, now: Any) -> Call:
        dialect, settings = self.teller.dialect, self.teller.settings
        return Call(
            settings=settings, now=now or BEGIN_AT, nonce=NONCE, request=request, name=dialect.route(request, settings),
            currency=self.purse.currency, currencies=CURRENCIES,
        )  # fmt: skip


class Tally:
    """The meter that remembers: tuples, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.wallet_requests: list[tuple[Any, ...]] = []
        self.replays: list[tuple[str, str, str]] = []
        self.signature_failures: list[tuple[str, str]] = []
        self.key_uses: list[tuple[str, str]] = []
        self.our_faults: list[tuple[str, str, str]] = []
        self.recoveries: list[tuple[str, str, str]] = []

    def call(self, *facts: Any) -> None:
        self.calls.append(facts)

    def wallet_request(self, *facts: Any) -> None:
        self.wallet_requests.append(facts)

    def signature_failure(self, provider: str, key: str) -> None:
        self.signature_failures.append((provider, key))

    def key_use(self, provider: str, key: str) -> None:
        self.key_uses.append((provider, key))

    def replay(self, provider: str, kind: str, verdict: str) -> None:
        self.replays.append((provider, kind, verdict))

    def recovered(self, wallet: str, kind: str, outcome: str) -> None:
        self.recoveries.append((wallet, kind, outcome))

    def our_fault(self, wallet: str, kind: str, reason: str) -> None:
        self.our_faults.append((wallet, kind, reason))


class Process(Struct, frozen=True):
    """One life of the gateway: it ends with a crash; the journal's file stays."""

    engine: Engine
    journal: SqliteJournal


# ---------------------------------------------------------------- the setup


def settings_of(dialect: Dialect, given: dict[str, Any] | None = None) -> Any:
    return dialect.settings(**(given or {}))


_KEYS: dict[tuple[str, str], tuple[Auth, tuple[Key, ...]]] = {}
"""A key is read once: an RSA key takes longer than a history."""


def keys_of(dialect: Dialect, settings: Any) -> tuple[Key, ...]:
    name = dialect.name, repr(settings)
    if name not in _KEYS or _KEYS[name][0] is not dialect.auth:
        made = (demo_key(dialect, settings),) if dialect.auth.parts(settings) else ()
        _KEYS[name] = dialect.auth, made
    return _KEYS[name][1]


def vectors_of(dialect: str) -> list[Vector]:
    found = find(dialect)
    return load_all(found.dialect, found.folder / "vectors")


def a_provider(dialect: str, name: str = "acme", **more: Any) -> Provider:
    found = find(dialect).dialect
    settings = settings_of(found, more.pop("settings", None))
    limits = {kind: parse_duration(text) for kind, text in found.as_provider.answer_within.items()}
    given = {
        "id": name, "keys": keys_of(found, settings), "currency": "EUR", "answer_within": limits, **more
    }  # fmt: skip
    return Provider(name=name, dialect=found, settings=settings, **given)


def declared(dialect: Dialect, **more: Any) -> Dialect:
    """The same, but that its page says this, each at the end that it is of."""
    ends = {"as_provider": AsProvider.__struct_fields__, "as_wallet": AsWallet.__struct_fields__}
    for end, names in ends.items():
        mine = {name: more.pop(name) for name in names if name in more}
        more |= {end: replace(getattr(dialect, end), **mine)} if mine else {}
    return replace(dialect, **more)


def declaring(dialect: str = "native", **more: Any) -> Provider:
    """A provider whose page says this."""
    found = a_provider(dialect)
    return replace(found, dialect=declared(found.dialect, **more))


def always(said: Any) -> Callable[[Any], Any]:
    """What a page says whatever its settings are."""
    return lambda settings: said


def a_wallet(dialect: str, name: str = "main", **more: Any) -> Wallet:
    found = find(dialect).dialect
    settings = settings_of(found, more.pop("settings", None))
    given = {
        "url": "https://wallet.example", "keys": keys_of(found, settings), "repeats": SAFE, "currency": "EUR",
        "tombstones": found.as_wallet.tombstones, "ids_as_is": found.as_wallet.ids_as_is, **more,
    }  # fmt: skip
    return Wallet(name=name, dialect=found, settings=settings, **given)


BEGIN_AT = Scheduler(0).clock()
NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"


class Bench:
    """Providers, the gateway, wallets. The first of each is meant where none is named."""

    def __init__(
        self,
        path: Path,
        provider: str | Provider = "native",
        wallet: str | Wallet = "native",
        *,
        routes: tuple[Route, ...] | None = None,
        providers: tuple[Provider, ...] = (),
        wallets: tuple[Wallet, ...] = (),
        opening: dict[str, Decimal] | None = None,
        currency: str = "EUR",
        seed: int = 1,
    ) -> None:
        self.path, self.scheduler, self.tally = path, Scheduler(seed), Tally()
        first = a_provider(provider, currency=currency) if isinstance(provider, str) else provider
        main = a_wallet(wallet, currency=currency) if isinstance(wallet, str) else wallet
        given = routes if routes is not None else (Route(wallet=main.name, sessions="sess-{player}"),)
        self.setup = Setup(
            providers={each.name: each for each in (first, *providers)},
            wallets={each.name: each for each in (main, *wallets)},
            routes=given,
            currencies=CURRENCIES,
        )
        self.provider, self.wallet = first, main
        opening = opening or {PLAYER: money("1000.00")}
        self.tills = {
            each.name: Till(each, opening, each.currency or currency, keys_of(each.dialect, each.settings))
            for each in self.setup.wallets.values()
        }
        self.elsewhere: dict[str, Till] = {}  # who answers at another address, whatever it is called
        self.callers = {name: self._caller(each) for name, each in self.setup.providers.items()}
        self.answers: list[Answer] = []
        self.said: set[tuple[str, Kind, str]] = set()
        self.process = self._start()

    # -- the process

    def _start(self) -> Process:
        journal = at_once(
            SqliteJournal.start(
                str(self.path), self.scheduler.clock(), make_writer=DirectWriter, make_reads=DirectReads
            )
        )
        return Process(self._engine(journal), journal)

    def _engine(self, journal: Any) -> Engine:
        world = World(
            clock=self.scheduler.clock,
            ticks=self.scheduler.ticks,
            nonce=self.scheduler.nonce,
            send=self._send,
            spawn=self.scheduler.spawn,
            wait=self.scheduler.wait,
            sleep=self.scheduler.sleep,
            journal=journal,
            meter=self.tally,
        )
        return Engine(world)

    def crash(self) -> None:
        """The process dies where it stands; what is on its way goes on."""
        self.scheduler.kill(self.process)
        self.process.journal.abandon()

    def restart(self) -> None:
        self.process = self._start()

    def close(self) -> None:
        """Lets everything in the air land; nothing may have failed unseen."""
        self.scheduler.run()
        assert not self.scheduler.errors, self.scheduler.errors
        self.process.journal.abandon()

    # -- the network

    async def _send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        """The port of the world: the request as the wallet's server would read it."""
        till = self.elsewhere.get(wallet.url) or self.tills[wallet.name]
        read = Request(
            method=request.method, path=request.path, query=request.query, body=bytes(request.body), target=request.target,
            headers={name.lower(): value for name, value in request.headers.items()},
        )  # fmt: skip
        tx = till.meaning(read, self.scheduler.clock())
        till.sent.append(tx)
        behaviour = till.behaviour(tx.kind)
        on_its_way = self.scheduler.spawn(self._carried(behaviour, Post(self, till, read)), NETWORK)
        await self.scheduler.wait([on_its_way], seconds)
        if not on_its_way.done():
            raise Silence("timeout", f"no answer in {seconds:g} s", left=True)
        result = on_its_way.result()
        if isinstance(result, Silence):
            raise result
        return result  # type: ignore[no-any-return]  # the task is untyped inside

    @staticmethod
    async def _carried(behaviour: Behaviour, post: Post) -> Response | Silence:
        try:
            return await behaviour(post)
        except Silence as silence:
            return silence

    # -- the providers

    def _caller(self, provider: Provider) -> Caller:
        async def send(request: Request, seconds: float) -> Response:
            return await self._deliver(provider.name, request, seconds)

        return Caller(
            dialect=provider.dialect, settings=provider.settings, keys=provider.keys, send=send, name=provider.id,
            sleep=self.scheduler.sleep, clock=self.scheduler.clock, nonce=self.scheduler.nonce,
            currency=provider.currency or "EUR", currencies=CURRENCIES,
        )  # fmt: skip

    async def _deliver(self, name: str, request: Request, seconds: float) -> Response:
        process = self.process
        call = process.engine.handle(self.setup, self.setup.providers[name], request, self.scheduler.ticks())
        task = self.scheduler.spawn(call, process)
        await self.scheduler.wait([task], seconds)
        if not task.done() or isinstance(task.finished.error, Killed):
            raise Silence("timeout", "the gateway did not answer", left=True)
        answer: Answer = task.result()
        self.answers.append(answer)
        return answer.response

    def begin(self, tx: Transaction, provider: str = "") -> Task:
        """A call that goes on beside others; `finish` hears its end. The second time it is a retry."""
        name = provider or self.provider.name
        again = (name, tx.kind, tx.id) in self.said
        self.said.add((name, tx.kind, tx.id))
        return self.scheduler.spawn(self.callers[name].say(tx, again=again), OUTSIDE)

    def finish(self, call: Task) -> Heard:
        self.scheduler.run(call.done)
        heard: Heard = call.result()
        return heard

    def call(self, tx: Transaction, provider: str = "") -> Outcome:
        """One call, to its end: what the provider makes of the answer."""
        outcome = self.finish(self.begin(tx, provider)).outcome
        self.rest(A_MOMENT_SECONDS)
        return outcome

    def raw(self, request: Request, provider: str = "") -> Response:
        """A request as it is, without a caller's hand."""
        name = provider or self.provider.name
        task = self.scheduler.spawn(self._deliver(name, request, 60), OUTSIDE)
        self.scheduler.run(task.done)
        response: Response = task.result()
        return response

    def undo(self, tx: Transaction, id: str, *, scope: str = "transaction", provider: str = "") -> Transaction:
        """The rollback of all of a movement, as this provider says it."""
        return self.callers[provider or self.provider.name].undo(tx, id, scope)

    def rest(self, seconds: float) -> None:
        """So much virtual time passes, even where nothing happens."""
        self.scheduler.at(seconds, lambda: None)
        self.scheduler.run(seconds=seconds)

    # -- looking at it

    @property
    def till(self) -> Till:
        return self.tills[self.wallet.name]

    @property
    def journal(self) -> SqliteJournal:
        return self.process.journal

    def row(self, kind: Kind, id: str, provider: str = "") -> Movement:
        whose = (provider and self.setup.providers[provider].id) or self.provider.id
        found = self.scheduler.finish(self.journal.find(whose, (kind,), id), OUTSIDE)
        assert found is not None, f"no {kind} {id} in the journal"
        return found

    def unresolved(self) -> dict[str, int]:
        """Open movements by wallet."""
        found: dict[str, int] = {}
        for each in at_once(self.journal.unresolved()):
            found[each.wallet] = found.get(each.wallet, 0) + each.number
        return found

    def launch(self, session: str = SESSION, player: str = PLAYER, **more: Any) -> None:
        """The operator hands over a launch."""
        given = {"provider": self.provider.id, "currency": "EUR", "seen_at": self.scheduler.clock(), **more}
        at_once(self.journal.learn(Session(session=session, player=player, **given), handed_over=True))

    # -- another configuration

    def restart_with(self, *wallets: Wallet) -> None:
        """The process ends, and another one begins with these wallets alone."""
        self.crash()
        named = {wallet.name: wallet for wallet in wallets}
        self.setup = replace(
            self.setup, wallets=named, routes=(Route(wallet=wallets[0].name, sessions="sess-{player}"),)
        )
        self.restart()

    # -- settlement, and other processes on the same journal

    def look(self, node: Process | None = None) -> None:
        """Settlement begins what is due, in this process or another."""
        process = node or self.process
        self.scheduler.spawn(process.engine.settler.look(self.setup), process)

    def settlement(self, seconds: float, step: float = 1.0, *nodes: Process) -> None:
        """So much time passes, and settlement looks every `step` seconds of it, at every node that is given."""
        for _ in range(max(1, int(seconds / step))):
            for node in nodes or (self.process,):
                self.look(node)
            self.rest(step)

    def second(self, trip: Trip | None = None) -> Process:
        """Another process on the same journal: what one of them carries, the other does not know."""
        journal = self.process.journal
        reached = journal if trip is None else Distant(journal, self.scheduler, trip)
        return Process(self._engine(reached), journal)

    def busy(self, seconds: float) -> Process:
        """The same, on a machine that is short of time: whatever it waited for, it goes on so much later."""

        async def wait(handles: Sequence[Any], most: float) -> None:
            await self.scheduler.wait(handles, most)
            await self.scheduler.sleep(seconds)

        return Process(Engine(replace(self.process.engine.world, wait=wait)), self.process.journal)

    def begin_at(self, node: Process, tx: Transaction, provider: str = "") -> Task:
        """As `begin`, and it is that process which reads the call."""
        home, self.process = self.process, node
        call = self.begin(tx, provider)
        self.scheduler.run(seconds=0)
        self.process = home
        return call


class Trip(Struct):
    """How long each trip of a process to the journal takes, and after which of them it stands still. `unconfirmed`: the
    number of the one whose commit is durable and not confirmed; 0: none. `changed`: of the one that finds its row changed by
    somebody else between its look and its write."""

    seconds: float = 0.0
    unconfirmed: int = 0
    changed: int = 0
    stops_after: int = 0  # the number of a trip; 0: none
    stands_still: float = 0.0
    made: int = 0

    def ends(self) -> float:
        """One more was made; how long the process stands still after it."""
        self.made += 1
        return self.stands_still if self.made == self.stops_after else 0.0


class Distant:
    """The journal as a process reaches it that is slow, or stands still between two of its steps."""

    def __init__(self, journal: SqliteJournal, scheduler: Scheduler, trip: Trip) -> None:
        self._journal, self._scheduler, self._trip = journal, scheduler, trip

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._journal, name)
        if not iscoroutinefunction(method):
            return method

        async def later(*given: Any, **more: Any) -> Any:
            await self._scheduler.sleep(self._trip.seconds)
            if name == "make" and self._trip.made + 1 == self._trip.changed:
                given = (_too_late(*given),)
            found = await method(*given, **more)
            await self._scheduler.sleep(self._trip.ends())
            lost = name == "make" and self._trip.made == self._trip.unconfirmed
            return await self._made_again(*given) if lost else found

        return later

    async def _made_again(self, change: Change[Any]) -> Any:
        """As PostgreSQL's commits do it: only what comes to the same twice."""
        if not change.repeatable:
            raise JournalLost("its confirmation was lost")
        return await self._journal.make(replace(change, steps=lambda again: change.steps(True)))


def _too_late(change: Change[Any]) -> Change[Any]:
    """The same, where its row is not any more as it was read when it is to be written: nothing is."""

    def steps(again: bool) -> Any:
        inner, answer = change.steps(again), None
        while True:
            try:
                asked = inner.send(answer)
            except StopIteration as stop:
                return stop.value
            answer = False if isinstance(asked, Write) else (yield asked)

    return replace(change, steps=steps)


def a_call(act: Act, id: str = "", **more: Any) -> Transaction:
    """A call of `PLAYER` that says everything; `closed` closes its round."""
    closed = more.pop("closed", None)
    round_id = more.pop("round_id", ROUND)
    given = {
        "player": PLAYER, "session": SESSION, "currency": "EUR", "game": Game(id=GAME, name="polarfox", type="slots"),
        "round": Round(round_id, closed) if round_id else None, **more,
    }  # fmt: skip
    return Transaction(act=act, id=id, **given)
