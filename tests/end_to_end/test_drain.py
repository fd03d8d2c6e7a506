"""SIGTERM under load: every call in flight is answered, no answer is lost, and the exit status is 0."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path

import httpx

from gateway.play.faults import Fault
from tests.end_to_end import configuration as c
from tests.end_to_end.load import Load
from tests.end_to_end.processes import until
from tests.end_to_end.speakers import SPEAKERS, YES, new_id, speak
from tests.end_to_end.stages import counted, in_book, listed, staged


async def test_sigterm_under_load(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.wallet.faults = (Fault(kind="delay", rate=0.5, seconds=0.2),)  # so that calls are in flight
        load = Load(str(stage.client.base_url), list(SPEAKERS))
        load.begin()
        await load.reach(60)
        stage.process.send(signal.SIGTERM)
        status = await stage.process.ended()
        await load.ended()
        assert status == 0, stage.process.complained()
    assert [m for m in load.movements if m.lost] == []
    assert any(m.refused for m in load.movements), "somebody called when nobody was there any more"
    for movement in load.movements:
        assert movement.words in ([], [YES], [YES, YES]), movement.words
    heard = Counter((m.call, m.id) for m in load.movements if m.taken)
    book = Counter(("bet", tx_id) for tx_id in in_book(stage.wallet))
    book.update(("win", tx_id) for tx_id in in_book(stage.wallet, "credit"))
    assert book == heard, "each answer stands in the wallet once, and nothing else does"
    assert await listed(stage.config, "--in-doubt") == []


async def test_while_it_drains_it_says_so_and_takes_nobody_in(tmp_path: Path) -> None:
    """A call is in flight: it is answered. New callers are refused, /readyz is 503, /livez is not."""
    speaker, tx_id = SPEAKERS["na"], new_id()
    async with staged(tmp_path) as stage, httpx.AsyncClient(base_url=stage.client.base_url, trust_env=False) as late:
        assert [(await stage.admin.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]
        stage.wallet.next_faults.append(Fault(kind="delay", rate=1, seconds=1.5))
        call = asyncio.create_task(speak(stage.client, speaker.good("bet", tx_id, "anna")))
        await until(lambda: stage.wallet.next_faults == [])
        stage.process.send(signal.SIGTERM)
        await until(lambda: '"draining"' in stage.process.complained())
        ready, alive = await stage.admin.get("/readyz"), await stage.admin.get("/livez")
        assert (ready.status_code, ready.text, alive.status_code) == (503, "draining\n", 200)
        assert await _refused(late)
        answer = await call
        assert speaker.word(answer) == YES
        assert answer.headers["connection"] == "close"
        assert await stage.process.ended() == 0
    assert in_book(stage.wallet) == [tx_id]


async def test_a_call_that_the_wallet_never_answers_does_not_hold_it(tmp_path: Path) -> None:
    """Its provider hears doubt in its own time, the journal keeps it, and the process ends."""
    speaker, tx_id = SPEAKERS["ng"], new_id()
    waits = {name: {**said, "answer_within": "700ms"} for name, said in c.PROVIDERS.items()}
    async with staged(tmp_path, wallet={"answer_within": "300ms", "give_up_after": "2s"}, providers=waits) as stage:
        stage.wallet.faults = (Fault(kind="delay", rate=1, seconds=30),)
        call = asyncio.create_task(speak(stage.client, speaker.good("bet", tx_id, "anna")))
        await counted(stage.admin, lambda found: found.get("gateway_inflight", provider="ng") == 1)
        stage.process.send(signal.SIGTERM)
        assert speaker.word(await call) == speaker.doubt
        assert await stage.process.ended() == 0
        (left,) = await listed(stage.config, "--in-doubt")
    assert left["transaction"]["transaction_id"] == tx_id


async def _refused(client: httpx.AsyncClient) -> bool:
    try:
        await speak(client, SPEAKERS["na"].good("bet", new_id(), "bea"))
    except httpx.ConnectError:
        return True
    return False
