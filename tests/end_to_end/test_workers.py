"""`gateway serve --workers N`: one port, one page of metrics, one configuration, and no worker that is missed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.play.faults import Fault
from tests.end_to_end.configuration import NATIVE_SECRET
from tests.end_to_end.nodes import NATIVE, Node, eventually, nodes
from tests.end_to_end.processes import free_port, run, until
from tests.end_to_end.speakers import YES, new_id
from tests.end_to_end.stages import in_book, listed, numbers
from tests.postgres import Postgres, running

CALLS = 120
CLIENTS = 24


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


def workers_of(node: Node) -> list[int]:
    main = node.process.pid
    return [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]


async def play(node: Node, calls: int = CALLS) -> list[str]:
    """Bets of many players over connections of their own; the ids that were taken."""
    ids = [new_id() for _ in range(calls)]
    gate = asyncio.Semaphore(CLIENTS)

    async def one(number: int, id: str) -> object:
        async with gate:
            return await node.says(NATIVE.good("bet", id, f"player-{number}"))

    said = await asyncio.gather(*(one(number, id) for number, id in enumerate(ids)))
    assert said == [YES] * calls
    return ids


async def called(node: Node) -> float:
    found = await numbers(node.admin)
    return found.get(
        "gateway_calls_total", provider="na", dialect="native", kind="debit", outcome="accepted", reason=""
    )


async def test_several_workers_are_one_gateway(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "workers", workers=3) as family:
        (node,) = family.nodes
        assert node.process.said().count("ready ") == 1
        before = workers_of(node)
        assert len(before) == 3
        ids = await play(node)
        for _ in range(6):  # whichever of them answers
            found = await numbers(node.admin)
            assert await called(node) == CALLS
            assert found.get("gateway_call_seconds_count", provider="na", kind="debit") == CALLS
            assert found.get("gateway_unresolved", wallet="main", kind="debit") == 0
            assert found.get("gateway_config_generation") == 1
        assert sorted(in_book(family.wallet)) == sorted(ids)

        # One dies: another one starts, the others go on, and what it counted is not forgotten.
        os.kill(before[0], signal.SIGKILL)
        more = await play(node)
        await until(lambda: len(set(workers_of(node)) & set(before)) == 2 and len(workers_of(node)) == 3)
        assert await called(node) >= CALLS * 1.5
        assert sorted(in_book(family.wallet)) == sorted(ids + more)
        assert "another one starts" in node.process.complained()

        # A reload is taken by all or by none.
        text = node.config.read_text()
        node.config.write_text(text.replace("answer_within: 2s", "answer_within: two"))
        node.process.send(signal.SIGHUP)
        await until(lambda: "the configuration in use stays" in node.process.complained())
        node.config.write_text(text.replace("answer_within: 2s", "answer_within: 3s"))
        node.process.send(signal.SIGHUP)
        await until(lambda: node.process.complained().count("generation 2 is in use") == 1)

        async def everywhere() -> bool:
            return (await numbers(node.admin)).get("gateway_config_generation") == 2

        await eventually(everywhere)
        os.kill(workers_of(node)[1], signal.SIGKILL)
        await until(lambda: node.process.complained().count("another one starts") == 2)
        await until(lambda: len(workers_of(node)) == 3)
        for _ in range(6):
            config = (await node.admin.get("/api/config")).json()
            assert (config["generation"], config["providers"]["na"]["answer_within"]["default"]) == (2, "3s")

        # Drained together, in the middle of calls.
        playing = asyncio.create_task(play(node, 60))
        await asyncio.sleep(0.05)
        node.process.send(signal.SIGTERM)
        await asyncio.gather(playing, return_exceptions=True)
        assert await node.process.ended() == 0
        assert await listed(node.config, "--in-doubt") == []


async def test_a_worker_that_dies_leaves_its_calls_to_the_others(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "left_over", workers=2) as family:
        (node,) = family.nodes
        family.wallet.next_faults = [Fault(kind="delay", rate=1.0, seconds=1.5) for _ in range(6)]
        ids = [new_id() for _ in range(6)]
        held = [asyncio.create_task(node.says(NATIVE.good("bet", id, f"p-{id}"))) for id in ids]
        await asyncio.sleep(0.5)
        for pid in workers_of(node):
            os.kill(pid, signal.SIGKILL)
        said = await asyncio.gather(*held, return_exceptions=True)
        assert YES not in said

        async def again() -> bool:
            try:
                return [await node.says(NATIVE.good("bet", id, f"p-{id}")) for id in ids] == [YES] * 6
            except httpx.HTTPError:
                return False

        await eventually(again, 20)
        assert sorted(in_book(family.wallet)) == sorted(ids)


async def test_workers_end_with_their_supervisor(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "orphans", workers=2) as family:
        (node,) = family.nodes
        left = workers_of(node)
        node.process.kill()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), 15)


async def test_a_second_family_on_one_port_is_refused(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "first_family", workers=2) as family:
        (node,) = family.nodes
        taken = str(node.client.base_url).removeprefix("http://").rstrip("/")
        again = tmp_path / "again.yaml"
        again.write_text(node.config.read_text().replace("listen: 127.0.0.1:0", f"listen: {taken}", 1))
        found = await run("serve", "--config", str(again), "--workers", "2")
        assert found == (1, "", f"cannot listen on {taken}: Address already in use\n")


async def test_what_keeps_workers_from_starting_is_said(tmp_path: Path) -> None:
    for name, url, status, said in (
        ("sqlite", "sqlite:///journal.db", 2, "a journal on SQLite has one writer"),
        ("away", f"postgresql://gateway@127.0.0.1:{free_port()}/none", 1, "cannot reach the journal's database"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        config = folder / "gateway.yaml"
        config.write_text(
            f'version: 1\nserver: {{listen: "127.0.0.1:0", demo: true}}\nadmin: {{listen: "127.0.0.1:0"}}\n'
            f'journal: {{url: "{url}"}}\nproviders: {{a: {{dialect: native, keys: [{{id: k, secret: {NATIVE_SECRET}}}]}}}}\n'
            f'wallets: {{w: {{dialect: native, url: "http://127.0.0.1:1", repeats: safe, keys: [{{id: k, secret: {NATIVE_SECRET}}}]}}}}\n'
            "routes: [{wallet: w}]\n"
        )
        found = await run("serve", "--config", str(config), "--workers", "2")
        assert found[:2] == (status, "")
        assert said in found[2]
        assert "Traceback" not in found[2]
