"""The stages of one bet in microseconds, in this process, one call at a time: where the time goes.

CPU of the thread, the best of some batches, so that a busy machine hardly shows; beside it, for what
waits for the disk, the time that passed. The journal is on SQLite in a temporary folder, and once
more in memory; it commits in the loop's own thread, each bet alone: what calls beside each other save
and what threads cost each other is not seen here (`make bench` sees it), nor are sockets.

    make profile                        or: python -m bench.stages --calls 300 --best 7
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bench import bets
from bench.figures import markdown
from gateway.auth import guards
from gateway.dialect import Call
from gateway.engine.pipeline import Answer
from gateway.engine.words import Way
from gateway.http import Request
from gateway.journal.writer import DirectWriter, Operation
from gateway.serve.live import clock, nonce
from gateway.serve.logs import call_event
from tests.inside import ANSWER, Inside, inside, said

Stages = dict[str, Callable[[], object]]


class Taken(Struct):
    """Nanoseconds: of the thread's CPU, and that passed."""

    cpu: float = 0.0
    passed: float = 0.0


class TimedWriter(DirectWriter):
    """What each transaction took, in order."""

    taken: list[Taken]

    async def submit(self, operation: Operation) -> Any:
        cpu, passed = time.thread_time_ns(), time.perf_counter_ns()
        try:
            return await super().submit(operation)
        finally:
            self.taken.append(Taken(time.thread_time_ns() - cpu, time.perf_counter_ns() - passed))


def pure(gateway: Inside) -> Stages:
    """What needs no loop and no journal: the codecs, the proof, what is counted and logged."""
    provider, wallet = gateway.provider, gateway.wallet
    asked, body = said(bets.bet(0))
    headers = asked.headers
    request = Request(method="POST", path="/", headers=headers, body=body, peer="127.0.0.1")
    now, settings = clock(), provider.settings
    call = Call(
        settings=settings, now=now, nonce=nonce(), request=request, provider=provider.id,
        name=provider.dialect.route(request, settings), currency=provider.currency, currencies=gateway.setup.currencies,
    )  # fmt: skip
    tx = provider.dialect.decode_request(request, call)
    way = Way(setup=gateway.setup, provider=provider, wallet=wallet, route=gateway.setup.routes[0])
    wallets = way.call(now, nonce())
    complete = replace(tx, session=bets.PLAYER)
    asked = replace(wallets, request=wallet.dialect.encode_request(complete, wallets))
    outcome = wallet.dialect.decode_response(ANSWER, complete, asked)
    response = provider.dialect.encode_response(outcome, tx, call)
    answer = Answer(response=response, kind="debit", outcome="accepted", transaction_id=tx.id)
    metrics, name = gateway.metrics, provider.name

    def prove() -> None:
        guards.check(provider.guard, request, provider.dialect.as_provider.body_key, now)
        provider.dialect.auth.verify(request, provider.keys, settings, now)

    def told() -> None:
        metrics.call(name, provider.dialect.name, "debit", "accepted", "", 0.001, 0.0005)
        metrics.wallet_request(wallet.name, "debit", "answered", 0.0005)
        gateway.log.call(call_event(name, answer, "r-1", 0.001))

    return {
        "read the body": lambda: replace(request).said,  # of a new request: what was read is kept with it
        "route": lambda: provider.dialect.route(request, settings),
        "prove: guard, signature": prove,
        "decode the bet": lambda: provider.dialect.decode_request(request, call),
        "encode for the wallet": lambda: wallet.dialect.encode_request(complete, wallets),
        "decode the wallet's answer": lambda: wallet.dialect.decode_response(replace(ANSWER), complete, asked),
        "encode the answer": lambda: provider.dialect.encode_response(outcome, tx, call),
        "metrics and log line": told,
    }


def best(stage: Callable[[], object], calls: int, times: int) -> float:
    """Nanoseconds of CPU of one, in the best of so many batches."""
    found = []
    for _ in range(times):
        began = time.thread_time_ns()
        for _ in range(calls):
            stage()
        found.append((time.thread_time_ns() - began) / calls)
    return min(found)


def whole(gateway: Inside, taken: list[Taken], numbers: Iterator[int], calls: int) -> tuple[Taken, Taken, Taken]:
    """A batch of bets: (the whole call, open, decide), each the mean of one."""
    taken.clear()
    gave = [said(bets.bet(next(numbers))) for _ in range(calls)]

    async def play() -> Taken:
        cpu, passed = time.thread_time_ns(), time.perf_counter_ns()
        for each in gave:
            await gateway.answer(each)
        return Taken((time.thread_time_ns() - cpu) / calls, (time.perf_counter_ns() - passed) / calls)

    all_of_it = gateway.loop.run_until_complete(play())
    assert len(taken) == 2 * calls, "a bet is two transactions"
    return all_of_it, mean(taken[0::2]), mean(taken[1::2])


def mean(taken: list[Taken]) -> Taken:
    return Taken(statistics.fmean(each.cpu for each in taken), statistics.fmean(each.passed for each in taken))


def measured(path: Path | None, calls: int, times: int) -> list[list[str]]:
    """Rows of a table: stage, microseconds of CPU, share, microseconds passed."""
    taken: list[Taken] = []
    TimedWriter.taken = taken
    with inside(path, make_writer=TimedWriter) as gateway:
        numbers = count(1)
        whole(gateway, taken, numbers, calls)  # what is made once is made
        batches = [whole(gateway, taken, numbers, calls) for _ in range(times)]
        alone = {name: best(stage, calls, times) for name, stage in pure(gateway).items()}
    call, opened, decided = min(batches, key=lambda batch: batch[0].cpu)
    found = {name: Taken(cpu) for name, cpu in alone.items()}
    found["journal: open (look, rules, intent, commit)"] = opened
    found["journal: decide (outcome, commit)"] = decided
    found["the rest: engine, tasks, loop"] = Taken(call.cpu - sum(each.cpu for each in found.values()))
    found["the whole call"] = call
    return [
        [name, f"{each.cpu / 1000:.1f}", f"{100 * each.cpu / call.cpu:.0f} %", f"{each.passed / 1000:.0f}" if each.passed else ""]
        for name, each in found.items()
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300, help="of a batch (%(default)s)")
    parser.add_argument("--best", type=int, default=7, help="batches, of which the best is told (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stages-") as folder:
        for title, path in (("journal on SQLite", Path(folder) / "journal.db"), ("journal in memory", None)):
            head = [f"one bet, {title}", "CPU us", "share", "passed us"]
            print(markdown([head, *measured(path, options.calls, options.best)]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
