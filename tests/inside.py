"""The gateway in one process without a socket: signed bets of Scorpio Play go in, a wallet of NetGaming answers at once.

Everything that a call has is there: path, headers, guard, signature, engine, limits, journal, metrics, log. What
is not there is what reads and writes bytes: the listener's protocol and the wallet client. The journal commits
in the caller's own thread, so that one call is the same work every time: `tests/work.py` counts it, and
`bench/stages.py` times it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bench import bets
from gateway.auth.keys import Key
from gateway.engine.pipeline import Engine
from gateway.engine.setup import Route, Setup, Wallet
from gateway.http import Request, Response
from gateway.journal.sqlite import MakeWriter, SqliteJournal
from gateway.journal.writer import DirectWriter
from gateway.serve.admission import Door
from gateway.serve.app import Asked, Current, ProviderApp
from gateway.serve.limits import LoadGate
from gateway.serve.live import Tasks, clock, live_world
from gateway.serve.logs import Log, Writer
from gateway.serve.metrics import Metrics
from tests.simulation.bench import CURRENCIES, a_provider, a_wallet

PROVIDER = "scorpio"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ANSWER = Response(status=200, headers={"content-type": "application/json"}, body=bets.WALLET_ANSWER.encode())
KEEP_BODY = 65536


Said = tuple[Asked, bytes]
"""A call as the listener's protocol hands it on: what is known of it, and its body."""


class Numbered:
    """Chance that is the same every time."""

    def __init__(self) -> None:
        self._made = 0

    def nonce(self) -> str:
        self._made += 1
        return f"6b1f0d5e-3f0b-4a53-9a51-{self._made:012x}"


class Nowhere(Writer):
    """Takes lines, and has no thread that may be slow or quick."""

    def write(self, line: bytes) -> None:
        return


class AtOnce:
    """The wallet client's place: the answer is there."""

    def __init__(self) -> None:
        self.asked: Request | None = None

    async def send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        self.asked = request
        return replace(ANSWER)  # a new one for each call, as of a wallet: what was read of it is kept with it

    async def close(self) -> None:
        """There is nothing open."""


class Inside:
    """One running gateway, and how it is called."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        path: str,
        committed: Callable[[float], None],
        log: Log,
        still: bool,
        make_writer: MakeWriter,
    ) -> None:
        self.loop = loop
        key = Key(id="k1", parts={"secret": bets.TOKEN})
        self.provider = a_provider("scorpio_play", PROVIDER, keys=(key,))
        self.wallet = a_wallet("netgaming")
        self.setup = Setup(
            providers={PROVIDER: self.provider},
            wallets={"main": self.wallet},
            routes=(Route(wallet="main", sessions="{player}"),),
            currencies=CURRENCIES,
        )
        self.metrics, self.log, self.tasks, self.till = Metrics(), log, Tasks(log), AtOnce()
        self.journal = loop.run_until_complete(SqliteJournal.start(path, clock(), committed, make_writer=make_writer))
        gate = LoadGate(time.monotonic, self.metrics.overload, log.breaker)
        door = Door(time.monotonic, self.metrics.overload)
        world = live_world(
            client=self.till, tasks=self.tasks, journal=self.journal, meter=self.metrics, gate=gate, door=door
        )
        if still:
            world = replace(world, clock=lambda: BEGIN, ticks=lambda: 0.0, nonce=Numbered().nonce)
        self.engine = Engine(world)
        self.app = ProviderApp(self.engine, Current(self.setup, max_body=KEEP_BODY), self.metrics, log)

    def call(self, body: dict[str, Any]) -> bytes:
        """The answer's body, when everything that the call began has ended."""
        return self.loop.run_until_complete(self.answer(said(body)))

    async def answer(self, call: Said) -> bytes:
        asked, body = call
        begun = self.app.begin(asked)
        answer = await self.app.carry(begun, body)
        self.app.told(begun, answer)
        if len(self.tasks):
            await self.tasks.drain(1.0)
        assert answer.response.status == 200, answer
        return answer.response.body


def said(body: dict[str, Any]) -> Said:
    text = bets.text(body)
    headers = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(text))}
    headers["x-request-signature"] = bets.signature(body)
    asked = Asked(
        method="POST", path="/scorpio", query="", target="/scorpio", headers=headers, client=("127.0.0.1", 40000),
        certificate="", started=time.monotonic(),
    )  # fmt: skip
    return asked, text


@contextmanager
def inside(
    path: Path | None,
    committed: Callable[[float], None] = lambda seconds: None,
    *,
    still: bool = False,
    make_writer: MakeWriter = DirectWriter,
) -> Iterator[Inside]:
    """With its journal in that file, or in memory; its log goes nowhere. `still`: time stands and chance is
    counted, so that one call is the same work to the last line."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    writer = Nowhere(nowhere) if still else Writer(nowhere)
    with asyncio.Runner() as runner:
        gateway = Inside(runner.get_loop(), str(path or ":memory:"), committed, Log(writer), still, make_writer)
        try:
            yield gateway
        finally:
            runner.run(gateway.journal.close())
            writer.close()
            os.close(nowhere)


__all__ = ["PROVIDER", "Inside", "inside", "said"]
