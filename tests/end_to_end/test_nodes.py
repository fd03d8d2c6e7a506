"""Two gateways on one PostgreSQL: one wallet call for one movement, whichever of them dies, stands still or loses the database."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.play.faults import Fault
from gateway.play.teller import Exchange
from tests.end_to_end.nodes import NATIVE, Family, Node, eventually, nodes
from tests.end_to_end.processes import until
from tests.end_to_end.speakers import YES, new_id
from tests.end_to_end.stages import in_book, listed, numbers
from tests.postgres import Postgres, running

LEASE_SECONDS = 2.0 + 5.0  # what its provider waits, and the margin
SETTLED_SECONDS = 12.0
TWICE = 60


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running(fsync=True) as server:
        yield server


def attempts(family: Family) -> list[str]:
    """The id of every movement that reached the wallet, from here on, as often as it did."""
    seen: list[str] = []

    def note(exchange: Exchange) -> None:
        if exchange.tx is not None and exchange.tx.id:  # a balance has none
            seen.append(exchange.tx.id)

    family.wallet.seen = note
    return seen


async def in_the_end(node: Node, *call: str) -> object:
    """What is heard in the end: a node that is asked too much at once says doubt, and its provider says the same again."""
    while (word := await node.says(NATIVE.good(*call))) == NATIVE.doubt:
        pass
    return word


async def silent(node: Node, id: str) -> object:
    """What is heard, or that nothing was."""
    try:
        return await node.says(NATIVE.good("bet", id, f"p-{id}"))
    except httpx.HTTPError as error:
        return error


async def test_one_id_at_both_nodes_at_once_is_one_wallet_call(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "at_once", number=2) as family:
        first, second = family.nodes
        seen = attempts(family)
        ids = [new_id() for _ in range(TWICE)]
        calls = [in_the_end(node, "bet", id, f"p-{id}") for id in ids for node in (first, second)]
        assert await asyncio.gather(*calls) == [YES] * len(calls)
        assert Counter(seen) == dict.fromkeys(ids, 1)
        assert sorted(in_book(family.wallet)) == sorted(ids)
        # A bet and its cancel at the same moment: whichever is first, nothing is left of it.
        ids = [new_id() for _ in range(TWICE)]
        said = await asyncio.gather(
            *(first.says(NATIVE.good("bet", id, "anna")) for id in ids),
            *(in_the_end(second, "undo", new_id(), "anna", id) for id in ids),
        )

        async def settled() -> bool:
            return not await listed(first.config, "--in-doubt")

        await eventually(settled)
        bets, undone = Counter(in_book(family.wallet)), Counter(_rolled_back(family))
        for id, heard in zip(ids, said[:TWICE], strict=True):
            assert bets[id] == undone[id], (id, heard)


def _rolled_back(family: Family) -> list[str]:
    return [entry.reference for entry in family.wallet.teller.purse.book if entry.kind.value == "rollback"]


async def test_what_a_killed_node_left_the_other_one_settles(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "killed", number=2) as family:
        first, second = family.nodes
        seen = attempts(family)
        family.wallet.next_faults = [Fault(kind="delay", rate=1.0, seconds=1.0) for _ in range(10)]
        ids = [new_id() for _ in range(10)]
        wins = [asyncio.create_task(_win(first, id)) for id in ids]
        await asyncio.sleep(0.5)
        first.process.kill()
        await asyncio.gather(*wins)
        began = time.monotonic()

        async def settled() -> bool:
            found = {entry["transaction"]["transaction_id"]: entry["state"] for entry in await listed(second.config)}
            return found == dict.fromkeys(ids, "accepted")

        await eventually(settled, SETTLED_SECONDS)
        assert time.monotonic() - began < SETTLED_SECONDS
        assert sorted(in_book(family.wallet, "credit")) == sorted(ids)
        assert set(seen) == set(ids)
        found = await numbers(second.admin)
        assert found.get("gateway_unresolved", wallet="main", kind="credit") == 0
        assert found.get("gateway_recovered_total", wallet="main", kind="credit", outcome="accepted") == len(ids)


async def _win(node: Node, id: str) -> None:
    try:
        await node.says(NATIVE.good("win", id, f"p-{id}"))
    except httpx.HTTPError:
        return


async def test_a_node_that_stood_still_past_its_lease_does_not_send(tmp_path: Path, postgres: Postgres) -> None:
    """Its intent is durable and it has not heard so when it is stopped; the other node takes over."""
    async with nodes(tmp_path, postgres, "stopped", number=2) as family:
        first, second = family.nodes
        seen, id = attempts(family), new_id()
        _commits_wait(postgres, waiting=True)
        call = asyncio.create_task(silent(first, id))
        await eventually(lambda: _waits_for_commit(postgres))
        first.process.send(signal.SIGSTOP)
        _commits_wait(postgres, waiting=False)

        async def taken_over() -> bool:
            return await second.says(NATIVE.good("bet", id, f"p-{id}")) == YES

        await eventually(taken_over, LEASE_SECONDS * 2)
        assert seen == [id]
        first.process.send(signal.SIGCONT)
        await call
        assert await first.says(NATIVE.good("bet", id, f"p-{id}")) == YES
        await asyncio.sleep(0.5)
        assert seen == [id]
        assert in_book(family.wallet) == [id]


def _commits_wait(postgres: Postgres, *, waiting: bool) -> None:
    """Commits are on disk, and are not confirmed until a standby has them that is not there."""
    postgres.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{'nobody' if waiting else ''}'")
    postgres.execute("SELECT pg_reload_conf()")


async def _waits_for_commit(postgres: Postgres) -> bool:
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'COMMIT%'"
    written = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    return bool(postgres.execute(waits) or postgres.execute(written))


async def test_a_database_that_is_restarted_is_waited_for(tmp_path: Path, postgres: Postgres) -> None:
    async with nodes(tmp_path, postgres, "restarted", number=2, workers=2) as family:
        first, second = family.nodes
        seen = attempts(family)
        before = [new_id() for _ in range(5)]
        assert await asyncio.gather(*(first.says(NATIVE.good("bet", id, "anna")) for id in before)) == [YES] * 5
        await asyncio.to_thread(postgres.stop, "immediate")
        away = [new_id() for _ in range(6)]
        said = await asyncio.gather(*(silent(node, id) for id in away for node in (first, second)))
        assert YES not in said
        assert set(said) == {NATIVE.doubt}  # nothing is decided that is not durable, and it is said in native's words
        assert set(seen) == set(before)  # nor is the wallet asked
        for node in (first, second):
            await eventually(lambda node=node: _is_not_ready(node))  # type: ignore[misc]  # the node of this turn
            assert (await node.admin.get("/metrics")).status_code == 200
        await asyncio.to_thread(postgres.start)
        for node in (first, second):
            await eventually(node.ready)
        assert (
            await asyncio.gather(*(second.says(NATIVE.good("bet", id, "anna")) for id in [*before, *away]))
            == [YES] * 11
        )
        assert sorted(in_book(family.wallet)) == sorted([*before, *away])
        assert Counter(seen) == dict.fromkeys([*before, *away], 1)
        assert not await listed(first.config, "--in-doubt")
        await until(lambda: first.process.running and second.process.running)


async def _is_not_ready(node: Node) -> bool:
    return not await node.ready()
