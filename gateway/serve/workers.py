"""`gateway serve --workers N`: a supervisor and its workers, each a whole gateway on the same port.

The supervisor binds, forks, and from then on only watches: it has no loop, no thread and no journal,
so that it can fork again whenever a worker dies. New connections of a dead worker wait in its socket,
which is the supervisor's, for the next one; what it carried is the journal's, as after any crash.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from msgspec.structs import replace

from gateway.serve.config import ConfigErrors, Loaded, load
from gateway.serve.family import LINE_MAX, SCRAPE_SECONDS_MAX, FromWorker, Seat, ToWorker, encode, from_worker
from gateway.serve.listener import bind, bind_several
from gateway.serve.metrics import Metrics, Snapshot

DRAIN_SECONDS_MAX = 30.0  # then what is left is killed
RELOAD_SECONDS_MAX = 30.0  # for one worker's answer
PAUSE_SECONDS_FIRST, PAUSE_SECONDS_MAX = 0.1, 5.0  # before a worker is started again
STEADY_SECONDS = 10.0  # a worker that lived so long did not die of its start
TICK_SECONDS = 0.1
STAYS = "the configuration in use stays"

Say = Callable[[str], None]
Work = Callable[[Loaded, Seat], int]
"""The life of a worker; its exit status."""


class Worker:
    """One place in the family; its processes come and go."""

    def __init__(self) -> None:
        self.pid = 0
        self.end: socket.socket | None = None
        self.ready = self.asked = False
        self.began, self.pause, self.again_at = 0.0, 0.0, 0.0
        self.unread, self.unsent = bytearray(), bytearray()
        self.numbers: Snapshot | None = None


class Supervisor:
    def __init__(self, loaded: Loaded, environ: dict[str, str], number: int, say: Say, ready: Say, work: Work) -> None:
        self._loaded, self._environ, self._say, self._ready, self._work = loaded, environ, say, ready, work
        self._workers = [Worker() for _ in range(number)]
        self._providers: list[socket.socket] = []  # one for each worker; it outlives them
        self._admin: socket.socket | None = None  # one for all
        self._selector = selectors.DefaultSelector()
        self._dead = Metrics()  # what workers counted that are no more
        self._scrape: tuple[list[Worker], float] | None = None
        self._reload: list[Worker] = []  # who has still to take the next generation, the first one first
        self._reload_until, self._next = 0.0, loaded
        self._signals: set[int] = set()
        self._was_ready = self._draining = False
        self._end_at, self._status = 0.0, 0

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit status. Raises `CannotListen`."""
        with ExitStack() as stack:
            stack.enter_context(self._selector)
            self._providers = bind_several(self._loaded.server.listen, len(self._workers))
            for bound in self._providers:
                stack.enter_context(bound)
            self._admin = stack.enter_context(bind(self._loaded.admin.listen))
            stack.callback(self._heed_signals(stack))
            gc.collect()
            gc.freeze()  # what all workers share is not touched again
            for worker in self._workers:
                self._start(worker)
            while any(worker.pid for worker in self._workers) or not self._draining:
                self._wait()
                self._reap()
                self._heed()
                self._go_on(time.monotonic())
        return self._status

    # -- processes

    def _start(self, worker: Worker) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become(worker, ours, theirs)
        theirs.close()
        ours.setblocking(False)
        worker.pid, worker.end, worker.began = pid, ours, time.monotonic()
        worker.ready, worker.unread, worker.unsent = False, bytearray(), bytearray()
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _become(self, worker: Worker, ours: socket.socket, theirs: socket.socket) -> None:
        """In the child: lets go of what is the supervisor's, and works. Never returns."""
        status = 1
        try:
            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(each, signal.SIG_IGN if each == signal.SIGHUP else signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            ours.close()
            self._selector.close()
            for other in self._workers:
                if other.end is not None:
                    other.end.close()
            own = self._workers.index(worker)
            for number, bound in enumerate(self._providers):
                if number != own:
                    bound.close()
            assert self._admin is not None
            status = self._work(self._loaded, Seat([self._providers[own], self._admin], theirs, again=self._was_ready))
        except BaseException:  # nothing is above us
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        for worker in self._workers:
            if not worker.pid:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: Worker, status: int) -> None:
        assert worker.end is not None
        self._hear(worker)  # its last words
        self._selector.unregister(worker.end)
        worker.end.close()
        if worker.numbers is not None:
            self._dead.absorb(replace(worker.numbers, inflight={}, open_breakers=[]))
        if worker in self._reload:
            self._reloaded(worker, in_use=False)
        pid, worker.pid, worker.end, worker.numbers = worker.pid, 0, None, None
        if self._draining:
            return
        if not self._was_ready:  # it has said why
            self._status = status if status > 0 else 1
            self._drain()
            return
        lived = time.monotonic() - worker.began
        worker.pause = (
            PAUSE_SECONDS_FIRST
            if lived > STEADY_SECONDS
            else min(max(worker.pause * 2, PAUSE_SECONDS_FIRST), PAUSE_SECONDS_MAX)
        )
        worker.again_at = time.monotonic() + worker.pause
        self._say(f"worker {pid} ended ({_how(status)}), another one starts")

    # -- signals

    def _heed_signals(self, stack: ExitStack) -> Callable[[], object]:
        woken, wakes = socket.socketpair()
        for end in (woken, wakes):
            stack.enter_context(end).setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ, None)
        before = {
            number: signal.signal(number, self._came)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        }
        old = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)

        def restore() -> None:
            signal.set_wakeup_fd(old)
            for number, handler in before.items():
                signal.signal(number, handler)

        return restore

    def _came(self, number: int, frame: FrameType | None) -> None:
        self._signals.add(number)

    def _heed(self) -> None:
        came, self._signals = self._signals, set()
        if came & {signal.SIGTERM, signal.SIGINT} and not self._draining:
            self._drain()
        if signal.SIGHUP in came and not self._draining:
            self._begin_reload()

    def _drain(self) -> None:
        """Nobody accepts any more, then all finish what they carry."""
        self._draining, self._end_at = True, time.monotonic() + DRAIN_SECONDS_MAX
        for bound in self._listening():
            bound.close()
        self._kill(signal.SIGTERM)

    def _listening(self) -> list[socket.socket]:
        return [*self._providers, *([self._admin] if self._admin is not None else [])]

    def _kill(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, number)

    # -- what workers say

    def _wait(self) -> None:
        for key, mask in self._selector.select(TICK_SECONDS):
            worker: Worker | None = key.data
            if worker is None:
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.recv(4096)  # a signal came
                continue
            if mask & selectors.EVENT_WRITE:
                self._flush(worker)
            if mask & selectors.EVENT_READ:
                self._hear(worker)

    def _hear(self, worker: Worker) -> None:
        assert worker.end is not None
        try:
            while data := worker.end.recv(1 << 16):
                worker.unread += data
        except OSError:
            pass  # for now, or for ever: `_reap` sees which
        *lines, rest = bytes(worker.unread).split(b"\n")
        worker.unread = bytearray(rest[-LINE_MAX:])
        for line in lines:
            self._understand(worker, from_worker(line))

    def _understand(self, worker: Worker, message: FromWorker) -> None:
        if message.ready:
            worker.ready = True
        if message.numbers is not None:
            worker.numbers, worker.asked = message.numbers, False
        if message.scraped:
            self._begin_scrape(worker)
        if message.reloaded is not None and worker in self._reload:
            self._reloaded(worker, in_use=message.reloaded)

    def _tell(self, worker: Worker, message: ToWorker) -> None:
        worker.unsent += encode(message) + b"\n"
        self._flush(worker)

    def _flush(self, worker: Worker) -> None:
        assert worker.end is not None
        try:
            while worker.unsent:
                del worker.unsent[: worker.end.send(worker.unsent)]
        except OSError:
            pass  # it reads when it can, or it is gone
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.unsent else 0)
        self._selector.modify(worker.end, events, worker)

    # -- one turn

    def _go_on(self, now: float) -> None:
        if self._draining:
            if now > self._end_at:
                self._kill(signal.SIGKILL)
            return
        for worker in self._workers:
            if not worker.pid and now >= worker.again_at:
                self._start(worker)
        if not self._was_ready and all(worker.ready for worker in self._workers):
            self._was_ready = True
            self._ready(self._addresses())
        self._end_scrape(now)
        if self._reload and now > self._reload_until:
            self._reloaded(self._reload[0], in_use=False)

    def _addresses(self) -> str:
        scheme = "https" if self._loaded.server.tls else "http"
        providers, *_, admin = (_shown(bound) for bound in self._listening())
        return f"ready {scheme}://{providers} admin http://{admin}"

    # -- one scrape: the numbers of all

    def _begin_scrape(self, worker: Worker) -> None:
        askers = [*(self._scrape[0] if self._scrape else ()), worker]
        self._scrape = (askers, time.monotonic() + SCRAPE_SECONDS_MAX)
        for other in self._workers:
            if other is not worker and other.ready and other.pid:
                other.asked = True
                self._tell(other, ToWorker(tell=True))

    def _end_scrape(self, now: float) -> None:
        if self._scrape is None:
            return
        askers, until = self._scrape
        if now < until and any(worker.asked and worker.pid for worker in self._workers):
            return
        self._scrape = None
        for asker in askers:
            if asker.pid:
                others = [w.numbers for w in self._workers if w is not asker and w.pid and w.numbers is not None]
                self._tell(asker, ToWorker(others=[self._dead.snapshot(), *others]))

    # -- reload: one worker decides, then the others follow

    def _begin_reload(self) -> None:
        try:
            new = load(self._loaded.path, self._environ)
        except ConfigErrors as errors:
            self._say(f"{errors}\nreload: refused, {STAYS}")
            return
        able = [worker for worker in self._workers if worker.pid and worker.ready]
        if not able or self._reload:
            self._say(f"reload: the workers are not ready for it, {STAYS}")
            return
        generation = self._loaded.setup.generation + 1
        self._next = replace(
            new,
            server=replace(new.server, listen=self._loaded.server.listen, tls=self._loaded.server.tls),
            admin=replace(new.admin, listen=self._loaded.admin.listen),
            journal=self._loaded.journal,
            setup=replace(new.setup, generation=generation),
        )
        self._reload, self._reload_until = able[:1], time.monotonic() + RELOAD_SECONDS_MAX
        self._tell(able[0], ToWorker(reload=generation, first=True))

    def _reloaded(self, worker: Worker, *, in_use: bool) -> None:
        first = self._loaded is not self._next
        self._reload.remove(worker)
        if in_use and first:
            self._loaded = self._next  # whoever starts from here on starts with it
            self._reload_until = time.monotonic() + RELOAD_SECONDS_MAX
            generation = self._loaded.setup.generation
            for other in self._workers:
                if other is not worker and other.pid:
                    self._reload.append(other)
                    self._tell(other, ToWorker(reload=generation))
        elif not in_use and not first:  # it finishes what it carries; the next one has the configuration
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)


def _how(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name


def _shown(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
