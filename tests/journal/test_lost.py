"""The database goes away, stands still, or its word is lost on the way: nothing is taken for durable
that is not, and the journal comes back by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from gateway.engine.journal import Event, JournalLost, Step
from gateway.engine.states import State
from gateway.journal import opening, rows
from gateway.journal.change import Change, Last, Look, Steps
from gateway.journal.commits import Commits
from gateway.journal.kept import JournalError
from gateway.journal.lanes import Ticket
from gateway.journal.postgres import SQL, PostgresJournal, connect, sees_what_it_waited_for, where
from tests.journal.homes import YES, PostgresHome, bet, cancel, cancel_intent, debit_intent, now
from tests.journal.paced import Paced
from tests.journal.proxy import proxied
from tests.postgres import Postgres, running

SECONDS_MAX = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of this file's own: it is stopped, frozen and restarted."""
    with running() as found:
        yield found


async def until(reached: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            found = reached()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


async def test_a_restart_of_the_database_is_survived(server: Postgres) -> None:
    journal = await PostgresJournal.start(server.create("restart"))
    before = (await journal.open(debit_intent(bet("b-1")))).movement
    await asyncio.to_thread(server.stop)
    began = time.monotonic()
    with pytest.raises(JournalLost):
        await journal.decide(before, YES, now(), heard=True)
    with pytest.raises(JournalLost):
        await journal.get(before.key)
    assert time.monotonic() - began < SECONDS_MAX
    await until(lambda: not journal.writable())
    began = time.monotonic()
    with pytest.raises(JournalLost):
        await journal.open(debit_intent(bet("b-2")))
    assert time.monotonic() - began < 2.5  # once it is known to be away, nobody waits long
    await asyncio.to_thread(server.start)
    await until(journal.writable)
    found = await journal.get(before.key)
    assert found is not None
    assert found.state is State.ASKING  # what was given up was not done later
    assert await journal.get("acme/debit/b-2") is None
    assert (await journal.decide(before, YES, now(), heard=True)).state is State.ACCEPTED
    await journal.close()


async def test_a_database_that_stands_still_is_given_up(server: Postgres) -> None:
    journal = await PostgresJournal.start(server.create("frozen"))
    m = (await journal.open(debit_intent(bet("b-1")))).movement
    server.freeze(stopped=True)
    try:
        with pytest.raises(JournalLost):
            await journal.decide(m, YES, now(), heard=True)
        await until(lambda: not journal.writable())
    finally:
        server.freeze(stopped=False)
    await until(journal.writable)
    assert (await journal.decide(m, YES, now(), heard=True)).state is State.ACCEPTED
    await journal.close()


async def test_a_database_that_takes_no_writes_is_not_ready(server: Postgres) -> None:
    journal = await PostgresJournal.start(server.create("standby"))
    server.execute("ALTER DATABASE standby SET default_transaction_read_only = on")
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'standby'")
    await until(lambda: not journal.writable())
    with pytest.raises(JournalLost):
        await journal.open(debit_intent(bet("b-1")))
    server.execute("ALTER DATABASE standby RESET default_transaction_read_only")
    await until(journal.writable)
    assert (await journal.open(debit_intent(bet("b-1")))).fresh
    await journal.close()


async def test_what_cannot_be_reached_or_read_is_said(server: Postgres) -> None:
    with pytest.raises(JournalError, match="cannot reach the journal's database"):
        await PostgresJournal.start("postgresql://gateway@127.0.0.1:1/none")
    with pytest.raises(JournalError, match="none_such"):
        await PostgresJournal.start(server.url("none_such"))
    url = server.create("newer")
    await (await PostgresJournal.start(url)).close()
    server.execute("UPDATE gateway_schema SET version = 99", "newer")
    with pytest.raises(JournalError, match="use a newer gateway"):
        await PostgresJournal.start(url)


@pytest.mark.parametrize(
    ("level", "sees"), [("READ COMMITTED", True), ("REPEATABLE READ", False), ("SERIALIZABLE", False)]
)
async def test_an_isolation_that_would_miss_a_tombstone_is_known(nodes: PostgresHome, level: str, sees: bool) -> None:
    await nodes.journal()
    first, second = await connect(where(nodes.url, "")), await connect(where(nodes.url, ""))
    found = await sees_what_it_waited_for(first, second, f"BEGIN ISOLATION LEVEL {level}".encode())
    assert found is sees
    for connection in (first, second):
        await connection.close()


async def test_nodes_that_start_together_migrate_once(server: Postgres) -> None:
    url = server.create("together")
    for journal in await asyncio.gather(*(PostgresJournal.start(url) for _ in range(4))):
        await journal.close()


# ---------------------------------------------------------------- a confirmation is lost


async def test_a_lost_confirmation_is_repeated_or_said_to_be_lost(server: Postgres) -> None:
    async with proxied(server.create("confirmed")) as proxy:
        journal = await PostgresJournal.start(proxy.url)
        journal._beating.cancel()  # its commits must not be the ones that are lost

        async def unconfirmed(work: Awaitable[Any]) -> Any:
            proxy.lose = 1
            try:
                return await work
            finally:
                assert not proxy.lose

        found = await unconfirmed(journal.open(debit_intent(bet("b-1"))))
        assert found.fresh  # its own insert, seen again
        m = found.movement
        with pytest.raises(JournalLost):
            await unconfirmed(journal.ask(m, now()))
        asked = await journal.get(m.key)
        assert asked is not None
        assert asked.attempts == 2  # it was durable all the same: at most one too many is counted
        rollback = await unconfirmed(journal.open(cancel_intent(cancel("b-1"))))
        assert rollback.fresh
        assert rollback.target.undone_by == rollback.movement.key
        decided = await unconfirmed(journal.decide(asked, YES, now(), heard=True))
        assert decided.outcome is YES
        at = now()
        told = [Step(at, Event.TOLD, "accepted")]
        await unconfirmed(journal.tell(decided, "accepted", at, steps=told))
        assert await journal.story(m.key) == told
        # Told twice, it would take two who heard doubt to make doubt the last word.
        await unconfirmed(journal.unheard(m.key, at, counted=True, steps=[Step(at, Event.TOLD, "unknown")]))
        await journal.unheard(m.key, at, counted=True, steps=[Step(at, Event.TOLD, "unknown")])
        last = await journal.get(m.key)
        assert last is not None
        assert last.told == "unknown"
        assert proxy.lost == 6
        await journal.close()


async def test_a_process_that_ends_between_two_statements_leaves_nothing(nodes: PostgresHome) -> None:
    journal, m = await nodes.journal(), bet("b-1")
    change = opening.change(debit_intent(m), lambda made: rows.insert_values(made, lasts=True))
    for gates in range(3):
        connection = Paced(await connect(where(nodes.url, "")))
        ticket = Ticket(change, asyncio.get_running_loop().create_future())
        work = asyncio.create_task(Commits(SQL, lambda seconds: None).carry(connection, [ticket]))  # type: ignore[arg-type]  # it stands for the connection
        for _ in range(gates + 1):
            await connection.step(work)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await connection.close()
        found = await journal.get(m.key)
        assert (found is None) == (gates < 2), gates
    assert not (await journal.open(debit_intent(m))).fresh


async def test_who_holds_a_name_and_stands_still_is_put_out(nodes: PostgresHome) -> None:
    journal = await nodes.journal()
    stopped = await connect(where(nodes.url, ""))
    await stopped.execute("BEGIN")
    await stopped.execute("SELECT 1 FROM name_locks FOR UPDATE")

    async def opens() -> bool:
        try:
            return (await journal.open(debit_intent(bet("b-1")))).fresh
        except JournalLost:
            return False

    await until(opens)
    await stopped.close()


# ---------------------------------------------------------------- one of many


async def test_a_change_with_a_bug_does_not_take_its_neighbours_with_it(nodes: PostgresHome) -> None:
    journal = await nodes.journal()
    assert isinstance(journal, PostgresJournal)

    def wrong(again: bool) -> Steps[None]:
        yield Look([])
        raise AssertionError("a bug")

    def unknown(again: bool) -> Steps[None]:
        yield Last([])
        yield Last([])

    work = [journal.open(debit_intent(bet(f"b-{n}"))) for n in range(30)]
    bugs = [journal._write(Change(steps=wrong)), journal._write(Change(steps=unknown))]
    done = await asyncio.gather(*work[:15], *bugs, *work[15:], return_exceptions=True)
    assert [type(found) for found in done if isinstance(found, BaseException)] == [JournalLost, JournalLost]
    for n in range(30):
        assert await journal.get(f"acme/debit/b-{n}") is not None
    assert journal.writable()


async def test_a_thousand_calls_of_two_processes_share_commits(nodes: PostgresHome) -> None:
    commits: list[float] = []
    journals = [await PostgresJournal.start(nodes.url, committed=commits.append) for _ in range(2)]

    async def one(n: int) -> None:
        journal = journals[n % 2]
        found = await journal.open(debit_intent(bet(f"b-{n // 2}", round=None, player=f"p-{n}")))
        await journal.decide(found.movement, YES, now(), heard=True)

    await asyncio.gather(*(one(n) for n in range(1000)))
    assert len(commits) < 500
    assert len({m.key for m in await journals[0].due(now(), 1000)}) == 0
    for journal in journals:
        await journal.close()
