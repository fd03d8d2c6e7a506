"""The event loop waits for no disk: whatever a gateway is asked while it serves, a thread asks the database and opens files."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import httpx

from gateway.play.faults import Fault
from gateway.play.wallet import WalletServer, listener
from gateway.play.wallet import serving as serving_wallet
from tests.end_to_end import configuration as c
from tests.end_to_end import spied
from tests.end_to_end.processes import Process, until
from tests.end_to_end.speakers import SPEAKERS, YES, Sent, new_id, speak
from tests.end_to_end.stages import clients, wallet_server
from tests.serve.rows import filled

FILTERS = (
    "",
    "?in_doubt=1",
    "?owed=1",
    "?person=1",
    "?older_than=1s",
    "?provider=na",
    "?player=anna",
    "?in_doubt=1&player=anna",
)


async def test_the_loop_waits_for_no_disk(tmp_path: Path) -> None:
    """*One GET over 1.5 million rows stopped every bet for 0.3 s.* A slow disk may make whoever asks it wait, and
    nobody else."""
    found = tmp_path / "found.json"
    await asyncio.to_thread(filled, tmp_path / "journal.db")
    async with AsyncExitStack() as stack:
        wallet = wallet_server("native")
        url = await stack.enter_async_context(serving_wallet(wallet, listener("127.0.0.1", 0)))
        providers = {**c.PROVIDERS, "acme": {"id": "acme-id", **c.PROVIDERS["na"]}}
        config = c.write(tmp_path, c.configuration({"main": c.native_wallet(url)}, providers=providers))
        process = Process(
            tmp_path, "serve", "serve", "--config", str(config),
            environ={spied.LIST: str(found)}, command=(sys.executable, spied.__file__),
        )  # fmt: skip
        stack.callback(process.kill)
        client, admin = await stack.enter_async_context(clients(*await process.ready()))
        await everything(client, wallet)
        await what_people_ask(admin)
        process.send(signal.SIGHUP)
        await until(lambda: "generation 2 is in use" in process.complained())
        process.send(signal.SIGTERM)
        assert await process.ended() == 0, process.complained()
    told = json.loads(found.read_text(encoding="utf-8"))
    assert told["on the loop"] == []
    assert told["elsewhere"]["sql"] > 100  # what is watched is there
    assert told["elsewhere"]["open"] > 0


async def everything(client: httpx.AsyncClient, wallet: WalletServer) -> None:
    """Calls of every dialect: first ones, repeats, rollbacks, queries, some that are refused, some in doubt."""
    for speaker in SPEAKERS.values():
        bet = speaker.good("bet", first := new_id(), "anna")
        assert speaker.word(await speak(client, bet)) == YES
        await speak(client, bet)
        await speak(client, speaker.good("win", new_id(), "anna", first))
        for _ in range(2):
            await speak(client, speaker.good("undo", new_id(), "anna", first))
        await speak(client, speaker.sent("bet", b"{"))
    native = SPEAKERS["na"]
    for key in ("debit/none", f"debit/{first}"):
        await speak(client, native.prove(Sent(method="GET", target=f"/na/transactions/na/{key}"), native.secrets))
    wallet.next_faults.append(Fault(kind="drop-after", rate=1))
    await speak(client, native.good("bet", new_id(), "berta"))
    assert (await client.get("/nobody/here")).status_code == 404
    await asyncio.gather(*(speak(client, native.good("bet", new_id(), f"p-{number}")) for number in range(20)))


async def what_people_ask(admin: httpx.AsyncClient) -> None:
    for query in FILTERS:
        assert (await admin.get(f"/api/transactions{query}")).status_code == 200
    keys = [m["key"] for m in (await admin.get("/api/transactions?limit=5")).json()["transactions"]]
    for key in (*keys, "acme-id/credit/w2"):
        assert (await admin.get(f"/api/transactions/{quote(key, safe='')}")).json()["key"] == key
    for path in ("/livez", "/readyz", "/metrics", "/api/config"):
        assert (await admin.get(path)).status_code == 200
    open_metrics = await admin.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert open_metrics.text.endswith("# EOF\n")
    launch = {"provider": "ng", "player": "anna", "session": "s-1", "currency": "EUR"}
    assert (await admin.post("/api/sessions", json=launch)).status_code == 201
    await admin.post("/api/transactions/acme-id%2Fcredit%2Fw2/retry", json={"by": "anna"})
    said = {"as": "accepted", "reason": "seen in its books", "by": "anna", "force": True}
    await admin.post("/api/transactions/acme-id%2Fcredit%2Fw1/resolve", json=said)
