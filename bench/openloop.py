"""Calls at a fixed rate, each at its own moment, whatever became of the ones before it.

A closed loop asks the next question when the last one is answered: a server that stands still for a
second is asked less meanwhile, and the second hardly shows (coordinated omission). Here latency
counts from the moment at which a call was due, its waiting for a free connection included.

    python -m bench.openloop --port 8080 --path /scorpio --bets FILE --rate 1000 --seconds 5

prints one JSON line. A process of its own, so that nobody's interpreter is shared.
"""

from __future__ import annotations

import argparse
import asyncio
import selectors
import time
from collections import deque
from pathlib import Path

import httptools
import msgspec

from bench import bets
from bench.figures import CONNECTIONS, Open, percentile

LEAD_SECONDS = 0.1  # between the connections and the first call
PATIENCE_SECONDS = 10.0  # for answers after the last call
HEAD = "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-request-signature: {proof}\r\n"


def moments(rate: int, seconds: float) -> list[float]:
    """When each call is due, in seconds from the first: evenly, none twice."""
    return [n / rate for n in range(int(rate * seconds))]


def accepted(status: int, body: bytes) -> bool:
    """A yes in Scorpio Play's words or, through a bare proxy, in the wallet's own."""
    return status == 200 and (b'"OK"' in body or b'"status":1' in body)


class Heard:
    """Latencies in seconds, from the moment that a call was due."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.wrong = self.lost = 0

    def answer(self, due: float, status: int, body: bytes) -> None:
        self.latencies.append(time.perf_counter() - due)
        self.wrong += not accepted(status, body)


class Connection(asyncio.Protocol):
    """One call at a time; says when it is free again."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._due, self._body = pool, 0.0, b""
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def ask(self, due: float, request: bytes) -> None:
        self._due, self._body, self._busy = due, b"", True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._busy = False
        self._pool.heard.answer(self._due, self._parser.get_status_code(), self._body)
        if not self._transport.is_closing():
            self._pool.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._busy:
            self._pool.heard.lost += 1

    def close(self) -> None:
        self._transport.abort()


class Pool:
    """Connections, and the calls that are due and wait for one."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self._idle: list[Connection] = []
        self._waiting: deque[tuple[float, bytes]] = deque()

    def due(self, moment: float, request: bytes) -> None:
        if self._idle:
            self._idle.pop().ask(moment, request)
        else:
            self._waiting.append((moment, request))

    def free(self, connection: Connection) -> None:
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._idle.append(connection)


async def play(port: int, requests: list[bytes], due: list[float], connections: int = CONNECTIONS) -> Heard:
    """Every request at its moment. What is never answered counts as wrong."""
    loop, heard = asyncio.get_running_loop(), Heard()
    pool = Pool(heard)
    made = [(await loop.create_connection(lambda: Connection(pool), "127.0.0.1", port))[1] for _ in range(connections)]
    for each in made:
        pool.free(each)
    begin = time.perf_counter() + LEAD_SECONDS
    for moment, request in zip(due, requests, strict=True):
        ahead = begin + moment - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
        pool.due(begin + moment, request)
    end = time.perf_counter() + PATIENCE_SECONDS
    while len(heard.latencies) + heard.lost < len(requests) and time.perf_counter() < end:  # noqa: ASYNC110  # two plain numbers, read when all is over
        await asyncio.sleep(0.01)
    missing = len(requests) - len(heard.latencies)
    heard.latencies += [PATIENCE_SECONDS] * missing  # they took at least so long
    heard.wrong += missing
    for each in made:
        each.close()
    return heard


def written(path: str, proof: str, body: bytes) -> bytes:
    head = HEAD.format(path=path, proof=proof) + f"content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def loop_of_microseconds() -> asyncio.AbstractEventLoop:
    """epoll and uvloop wake up at whole milliseconds, select in between: half a millisecond of ours would be told as theirs."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/scorpio")
    parser.add_argument("--bets", type=Path, required=True)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    due = moments(options.rate, options.seconds)
    requests = [written(options.path, proof, body) for proof, body in bets.read(options.bets)[: len(due)]]
    with asyncio.Runner(loop_factory=loop_of_microseconds) as runner:
        heard = runner.run(play(options.port, requests, due[: len(requests)]))
    print(msgspec.json.encode(figures(options.rate, heard)).decode())


def figures(rate: int, heard: Heard) -> Open:
    found = heard.latencies
    p50, p99 = (percentile(found, share) * 1000 for share in (0.5, 0.99))
    return Open(rate, p50, p99, max(found) * 1000, len(found), heard.wrong)


if __name__ == "__main__":
    main()
