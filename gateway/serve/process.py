"""`gateway serve`: one process, two listeners, one loop; reload and drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from msgspec.structs import replace

from gateway.engine.journal import Journal, JournalLost
from gateway.engine.moment import Clockwork
from gateway.engine.pipeline import Answer, Engine
from gateway.engine.setup import Provider, Setup
from gateway.serve import placed
from gateway.serve.admin import Admin
from gateway.serve.admission import Door
from gateway.serve.app import Current, ProviderApp
from gateway.serve.callers import CallerProtocol
from gateway.serve.client import HttpWalletClient
from gateway.serve.config import ConfigErrors, Loaded, load
from gateway.serve.family import Family, Seat
from gateway.serve.intake import Intake
from gateway.serve.journals import open_journal
from gateway.serve.limits import LoadGate
from gateway.serve.listener import Listener, bind, libraries_log_to, tls_context
from gateway.serve.live import Tasks, clock, live_world
from gateway.serve.logs import Log
from gateway.serve.metrics import Metrics
from gateway.serve.retention import Times, keep_pruning

DRAIN_SECONDS_MAX = 10.0  # for calls of providers
BACKGROUND_SECONDS_MAX = 5.0  # then for wallet calls whose provider has its answer
LINGER_SECONDS = 0.5  # requests that are on their way on open connections still get an answer

Say = Callable[[str], None]


async def run(loaded: Loaded, environ: dict[str, str], ready: Say, seat: Seat | None = None) -> None:
    """Serves until SIGTERM or SIGINT. `ready` speaks to who started us, the log to the person; `seat` is what a worker is
    given by its supervisor.

    Raises `CannotListen`, `JournalError` and `Misplaced`, each with a sentence.
    """
    log = Log()
    libraries_log_to(log)
    more_files()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(log.close)
        tls = tls_context(loaded.server.tls) if loaded.server.tls else None
        sockets = (
            seat.sockets
            if seat is not None
            else [stack.enter_context(bind(listen)) for listen in (loaded.server.listen, loaded.admin.listen)]
        )
        metrics = Metrics(fault=log.our_fault)
        journal = await open_journal(loaded.journal, clock(), metrics.committed)
        stack.push_async_callback(journal.close)
        if seat is None or not seat.again:
            left = placed.problems(loaded, await journal.unresolved())
            if left:  # before anything is sent
                raise placed.Misplaced("\n".join(map(str, left)))
        client = HttpWalletClient(clock)
        stack.push_async_callback(client.close)
        tasks = Tasks(log)
        gate = LoadGate(time.monotonic, metrics.overload, log.breaker)
        door = Door(time.monotonic, metrics.overload, log.turned_away)
        metrics.breaker_open = gate.is_open
        engine = Engine(live_world(client=client, tasks=tasks, journal=journal, meter=metrics, gate=gate, door=door))
        family = Family(seat.end, metrics) if seat is not None else None
        gateway = Gateway(loaded, environ, log.say, log, metrics, journal, client, tasks, family)
        gateway.go_on(engine.settler.run(lambda: gateway.current.setup))
        gateway.go_on(keep_pruning(journal, gateway.times, gateway.busy))

        def unheard(provider: Provider, answer: Answer) -> None:
            tasks.spawn(engine.unheard(answer))

        provider_side = ProviderApp(engine, gateway.current, metrics, log, unheard)
        protocol = partial(CallerProtocol, intake=Intake())
        provider_listener = Listener(provider_side, sockets[0], tls=tls, protocol=protocol)
        listeners = (provider_listener, Listener(gateway.admin.app(), sockets[1]))
        gc.collect()
        gc.freeze()  # what lives as long as the process is not searched again
        await gateway.serve(*listeners, ready)


class Gateway:
    """The running process: what it serves with, and how that changes."""

    def __init__(
        self,
        loaded: Loaded,
        environ: dict[str, str],
        say: Say,
        log: Log,
        metrics: Metrics,
        journal: Journal,
        client: HttpWalletClient,
        tasks: Tasks,
        family: Family | None = None,
    ) -> None:
        self._loaded, self._environ, self._say = loaded, environ, say
        self._log, self._metrics, self._journal = log, metrics, journal
        self._client, self._tasks, self._family = client, tasks, family
        self._clockwork = Clockwork(clock, time.monotonic)
        self._loops: list[asyncio.Task[Any]] = []
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self.current = Current(loaded.setup, max_body=loaded.server.max_body, trusted=loaded.server.trusted_proxies)
        self.admin = Admin(
            current=self.current, journal=journal, metrics=metrics,
            keys=loaded.admin.keys, open_to_all=loaded.admin.listen.loopback, demo=loaded.server.demo,
            others=family.others if family is not None else None,
        )  # fmt: skip
        self._use(loaded, loaded.setup)

    def times(self) -> Times:
        """How long what is decided stays in the journal."""
        return Times.of(self._loaded.retention, self.current.setup, self._clockwork.look())

    def busy(self) -> bool:
        return any(self._metrics.inflight.values())

    def stop(self) -> None:
        """As SIGTERM does: drain, then end."""
        self._stop.set()

    def go_on(self, work: Coroutine[Any, Any, Any]) -> None:
        """Work as long as the process lives (recovery, pruning); ended when the drain begins."""
        self._loops.append(asyncio.get_running_loop().create_task(work))

    async def serve(self, providers: Listener, admin: Listener, ready: Say) -> None:
        """Until it is told to stop, or a listener fails."""
        async with asyncio.TaskGroup() as serving:
            for listener in (providers, admin):
                serving.create_task(listener.run_until_told())
            await providers.ready.wait()
            await admin.ready.wait()
            self._heed_signals()
            living = serving.create_task(self._with_family())
            self.go_on(self._reloading())
            self._log.info("ready", providers=providers.address, admin=admin.address)
            ready(f"ready {providers.address} admin {admin.address}")
            await self._stop.wait()
            await self._drain(providers)
            for listener in (providers, admin):
                listener.should_exit = True
            living.cancel()
        self._log.info("stopped")

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if self._family is None:
            loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    # -- as one of several workers

    async def _with_family(self) -> None:
        """Ends with the process, or the process with its supervisor."""
        if self._family is not None:
            await self._family.live(self._follow, self.stop)

    async def _follow(self, generation: int, first: bool) -> bool:
        """A reload: the first worker decides and speaks, the others do as it did."""
        try:
            return await (self.reload() if first else self._take_over(generation))
        except Exception as error:  # the configuration in use stays, whatever happened
            self._log.bug("reload failed", error)
            return False

    async def _take_over(self, generation: int) -> bool:
        try:
            new = await asyncio.to_thread(load, self._loaded.path, self._environ)
        except ConfigErrors:
            return False
        self._use(new, replace(new.setup, generation=generation))
        return True

    # -- the end

    async def _drain(self, providers: Listener) -> None:
        self._log.info("draining", inflight=sum(self._metrics.inflight.values()))
        self.current.draining = True
        providers.stop_accepting()
        for work in self._loops:
            work.cancel()
        limits = [p.answer_within.values() for p in self.current.setup.providers.values()]
        longest = max((limit.total_seconds() for kinds in limits for limit in kinds), default=0.0)
        begun = time.monotonic()

        def idle() -> bool:
            return not any(self._metrics.inflight.values()) and time.monotonic() - begun >= LINGER_SECONDS

        await until(idle, max(LINGER_SECONDS, min(longest, DRAIN_SECONDS_MAX)))
        left = await self._tasks.drain(BACKGROUND_SECONDS_MAX)
        if left:
            self._log.warning("wallet calls were left open: they are in doubt", number=left)

    # -- reload

    async def _reloading(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            try:
                await self.reload()
            except Exception as error:  # the configuration in use stays, whatever happened
                self._log.bug("reload failed", error)
                self._say("reload: failed, the configuration in use stays")

    async def reload(self) -> bool:
        """The file read again. Refused as a whole where it is wrong; says why."""
        old = self._loaded
        try:
            new = await asyncio.to_thread(load, old.path, self._environ)
        except ConfigErrors as errors:
            self._say(f"{errors}\nreload: refused, the configuration in use stays")
            return False
        try:
            left = placed.problems(new, await self._journal.unresolved())
        except JournalLost as lost:
            self._say(f"the journal does not answer: {lost}\nreload: refused, the configuration in use stays")
            return False
        if left:
            self._say("\n".join([*map(str, left), "reload: refused, the configuration in use stays"]))
            return False
        for what in needs_restart(old, new):
            self._say(f"reload: {what} changed, which needs a restart")
        self._use(new, replace(new.setup, generation=self.current.setup.generation + 1))
        self._say(f"reload: generation {self.current.setup.generation} is in use")
        return True

    def _use(self, loaded: Loaded, setup: Setup) -> None:
        """From here on new calls begin with this configuration; listeners and journal stay."""
        kept = self._loaded
        self._loaded = replace(
            loaded,
            server=replace(loaded.server, listen=kept.server.listen, tls=kept.server.tls),
            admin=replace(loaded.admin, listen=kept.admin.listen),
            journal=kept.journal,
        )
        self.current.max_body = loaded.server.max_body
        self.current.trusted = loaded.server.trusted_proxies
        self.current.setup = setup
        self.admin.keys, self.admin.demo = loaded.admin.keys, loaded.server.demo
        self._client.keep(setup.wallets.values())
        self._metrics.generation = setup.generation
        self._metrics.wallets = tuple(setup.wallets)
        for name in setup.providers:
            self._metrics.inflight[name] += 0  # shown from the first scrape on
        for problem in loaded.no_way:
            self._say(str(problem))


def needs_restart(old: Loaded, new: Loaded) -> list[str]:
    pairs = {
        "server.listen": (old.server.listen, new.server.listen),
        "server.tls": (old.server.tls, new.server.tls),
        "admin.listen": (old.admin.listen, new.admin.listen),
        "journal": (old.journal, new.journal),
    }
    return [what for what, (before, after) in pairs.items() if before != after]


async def until(reached: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:  # noqa: ASYNC110  # plain numbers of the hot path tell nobody when they change
        await asyncio.sleep(0.02)


def more_files() -> None:
    """As many open files as the system lets us have: each call may hold two connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
