"""The end of a gateway: what is in flight is answered, what is in the background is waited for."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider, Setup
from gateway.http import Request
from gateway.journal.sqlite import SqliteJournal
from gateway.serve.app import ProviderApp
from gateway.serve.callers import CallerProtocol
from gateway.serve.client import HttpWalletClient
from gateway.serve.config import Admin, JournalAt, Listen, Loaded, Server
from gateway.serve.listener import Listener, bind
from gateway.serve.live import Tasks, clock
from gateway.serve.logs import Log
from gateway.serve.metrics import Metrics
from gateway.serve.process import Gateway

from .helpers import Mirror, connected, heard, setup, until


class Gated(Mirror):
    """Answers when the gate opens, and leaves work behind that ends with a second gate."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self.gate, self.background = asyncio.Event(), asyncio.Event()
        self._tasks = tasks

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
        self._tasks.spawn(self.background.wait())
        if request.path == "/slow":
            await self.gate.wait()
        return await super().handle(setup, provider, request, started)


class Place:
    def __init__(self, engine: Gated, metrics: Metrics, serving: asyncio.Task[None], ports: list[int]) -> None:
        self.engine, self.metrics, self.serving = engine, metrics, serving
        self.port, self.admin_port = ports


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    log, metrics = Log(), Metrics()
    tasks = Tasks(log)
    journal = await SqliteJournal.start(str(folder / "journal.db"), clock())
    client = HttpWalletClient(clock)
    anywhere = Listen("127.0.0.1", 0)
    loaded = Loaded(
        path=folder / "gateway.yaml", setup=setup(), server=Server(listen=anywhere), admin=Admin(listen=anywhere),
        journal=JournalAt(url="", path=""),
    )  # fmt: skip
    gateway = Gateway(loaded, {}, lambda text: None, log, metrics, journal, client, tasks)
    engine = Gated(tasks)
    sockets = [bind(anywhere), bind(anywhere)]
    listeners = (
        Listener(ProviderApp(engine, gateway.current, metrics, log), sockets[0], protocol=CallerProtocol),
        Listener(gateway.admin.app(), sockets[1]),
    )
    ready = asyncio.Event()
    serving = asyncio.create_task(gateway.serve(*listeners, lambda line: ready.set()))
    await ready.wait()
    yield Place(engine, metrics, serving, [bound.getsockname()[1] for bound in sockets])
    engine.gate.set()
    engine.background.set()
    os.kill(os.getpid(), signal.SIGTERM)
    await serving
    await client.close()
    await journal.close()


async def test_calls_in_flight_are_answered(tmp_path: Path) -> None:
    async with place(tmp_path) as here, connected(here.port) as (reader, writer), connected(here.port) as idle:
        writer.write(b"GET /acme/slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: here.metrics.inflight["acme"] == 1)
        os.kill(os.getpid(), signal.SIGTERM)
        async with httpx.AsyncClient(trust_env=False) as http:
            while (await http.get(f"http://127.0.0.1:{here.admin_port}/readyz")).status_code == 200:  # noqa: ASYNC110  # another listener answers
                await asyncio.sleep(0.01)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", here.port)
        idle[1].write(b"GET /acme/quick HTTP/1.1\r\nHost: x\r\n\r\n")  # an open connection, a new request
        status, headers, _ = await heard(idle[0])
        assert (status, headers["connection"]) == (200, "close")
        here.engine.gate.set()
        status, headers, _ = await heard(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert not here.serving.done()  # a wallet call goes on in the background
        here.engine.background.set()
        await here.serving
