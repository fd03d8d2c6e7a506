"""The database goes away, stands still, or its word is lost on the way: nothing is taken for durable
that is not, and the journal comes back by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Ask, Change, Doubt, JournalLost, Look, Put, Steps, Write
from gateway.engine.movement import Movement, begun, decided
from gateway.engine.states import IllegalEdge, State
from gateway.journal import rows
from gateway.journal.commits import Commits
from gateway.journal.kept import JournalError
from gateway.journal.lanes import Ticket
from gateway.journal.postgres import DECODERS, SQL, PostgresJournal, connect, sees_what_it_waited_for, where
from tests.journal.homes import HOUR, YES, PostgresHome, bet, found, now, opened, win, writing, wrote
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


def yes(m: Movement) -> Put:
    return Put(m, decided(m, YES, now(), "call"))


async def test_a_restart_of_the_database_is_survived(server: Postgres) -> None:
    """A minor update of the database at noon: calls are lost for seconds, and nothing that was given up is done later."""
    journal = await PostgresJournal.start(server.create("restart"))
    before = await opened(journal, bet("b-1"))
    await asyncio.to_thread(server.stop)
    began = time.monotonic()
    with pytest.raises(JournalLost):
        await wrote(journal, yes(before))
    with pytest.raises(JournalLost):
        await journal.get(before.key)
    assert time.monotonic() - began < SECONDS_MAX
    await until(lambda: not journal.writable())
    began = time.monotonic()
    with pytest.raises(JournalLost):
        await wrote(journal, insert=(bet("b-2"),))
    assert time.monotonic() - began < 2.5  # once it is known to be away, nobody waits long
    await asyncio.to_thread(server.start)
    await until(journal.writable)
    assert (await found(journal, before.key)).state is State.ASKING  # what was given up was not done later
    assert await journal.get("acme/debit/b-2") is None
    assert await wrote(journal, yes(before))
    await journal.close()


async def test_a_database_that_stands_still_is_given_up(server: Postgres) -> None:
    """A host that hangs answers nothing: callers hear doubt in time, and what it did in the end is read again."""
    journal = await PostgresJournal.start(server.create("frozen"))
    m = await opened(journal, bet("b-1"))
    server.freeze(stopped=True)
    try:
        with pytest.raises(JournalLost):
            await wrote(journal, yes(m))
        await until(lambda: not journal.writable())
    finally:
        server.freeze(stopped=False)
    await until(journal.writable)
    await wrote(journal, yes(m))  # stale, where the first one was carried out by whoever woke up
    last = await found(journal, m.key)
    assert (last.state, last.revision) == (State.ACCEPTED, 1)
    await journal.close()


async def test_a_database_that_takes_no_writes_is_not_ready(server: Postgres) -> None:
    """A standby that was not promoted: the load balancer must send calls to another node."""
    journal = await PostgresJournal.start(server.create("standby"))
    server.execute("ALTER DATABASE standby SET default_transaction_read_only = on")
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'standby'")
    await until(lambda: not journal.writable())
    with pytest.raises(JournalLost):
        await wrote(journal, insert=(bet("b-1"),))
    server.execute("ALTER DATABASE standby RESET default_transaction_read_only")
    await until(journal.writable)
    assert await wrote(journal, insert=(bet("b-1"),))
    await journal.close()


async def test_what_cannot_be_reached_or_read_is_said(server: Postgres) -> None:
    """Whoever starts it reads what to do, not a stack trace."""
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
    """An engine that reads a snapshot would take a bet beside its cancel: it is refused at the start."""
    await nodes.journal()
    first, second = await connect(where(nodes.url, "")), await connect(where(nodes.url, ""))
    found = await sees_what_it_waited_for(first, second, f"BEGIN ISOLATION LEVEL {level}".encode())
    assert found is sees
    for connection in (first, second):
        await connection.close()


async def test_nodes_that_start_together_migrate_once(server: Postgres) -> None:
    """Four nodes of one deployment start in the same second."""
    url = server.create("together")
    for journal in await asyncio.gather(*(PostgresJournal.start(url) for _ in range(4))):
        await journal.close()


# ---------------------------------------------------------------- another server


@pytest.mark.parametrize("what", ["system = '1'", "timeline = '00000009'"])
async def test_another_server_is_refused_until_a_person_says_since_when(server: Postgres, what: str) -> None:
    """A backup was restored, or a standby took over that had not heard everything: bets that were
    taken look new there, and would be taken twice (rule 30)."""
    name = f"moved_{what[0]}"
    url = server.create(name)
    journal = await PostgresJournal.start(url)
    await journal.doubt(Doubt(since=now(), said_at=now() - HOUR), "said before, of another loss", "anna")
    arriving = f"""SELECT 1 FROM pg_stat_activity WHERE datname = '{name}' AND backend_type = 'client backend'
        AND pid <> pg_backend_pid() AND (state <> 'idle' OR query NOT SIMILAR TO '(INSERT|UPDATE|COMMIT)%')"""
    await until(lambda: not server.execute(arriving, name))  # its other lane says where it is, too
    server.execute(f"UPDATE homes SET {what}", name)
    with pytest.raises(JournalError, match="gateway journal doubt --since"):
        await PostgresJournal.start(url)
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    await until(lambda: not journal.writable())  # nor does one go on that was running
    with pytest.raises(JournalLost):
        await journal.get("acme/debit/b-1")
    at = rows.micros(now())
    server.execute(f"INSERT INTO doubts VALUES ({at}, {at}, 'restored', 'anna')", name)
    await until(journal.writable)
    await (await PostgresJournal.start(url)).close()
    await journal.close()


async def test_a_server_that_does_not_say_where_it_is_is_believed(server: Postgres) -> None:
    """A managed database may keep these functions for itself: its gateway must begin all the same."""
    url = server.create("silent")
    server.execute("CREATE USER plain; GRANT ALL ON SCHEMA public TO plain", "silent")
    server.execute("REVOKE EXECUTE ON FUNCTION pg_control_system FROM PUBLIC", "silent")
    journal = await PostgresJournal.start(url.replace("gateway@", "plain@"))
    assert await wrote(journal, insert=(bet("b-1"),))
    assert server.execute("SELECT * FROM homes", "silent") == []
    await journal.close()


# ---------------------------------------------------------------- a confirmation is lost


def opening(m: Movement) -> Change[str]:
    """Says what it found: nothing, its own insert of before, or another one's."""

    def steps(again: bool) -> Steps[str]:
        (own,) = yield Look((Ask("own", (m.key,)),), names=(m.key,))
        if own:
            return "mine" if again and own[0].created_at == m.created_at else "another's"
        held = yield Write(insert=(m,), lasts=HOUR)
        return "new" if held else "stale"

    return Change(steps=steps, key=m.key)


async def test_a_lost_confirmation_is_repeated_or_said_to_be_lost(server: Postgres) -> None:
    """The commit is durable and its word is lost: what was done must not be done twice, nor be taken for undone."""
    async with proxied(server.create("confirmed")) as proxy:
        journal = await PostgresJournal.start(proxy.url)
        journal._beating.cancel()  # its commits must not be the ones that are lost

        async def unconfirmed(work: Awaitable[Any]) -> Any:
            proxy.lose = 1
            try:
                return await work
            finally:
                assert not proxy.lose

        assert await unconfirmed(journal.make(opening(bet("b-1")))) == "mine"
        m = await found(journal, "acme/debit/b-1")
        asks = Write(puts=(Put(m, begun(m, now(), "n-1", first=False)),))
        with pytest.raises(JournalLost):
            await unconfirmed(journal.make(replace(writing(asks, m.key), repeatable=False)))
        asked = await found(journal, m.key)
        assert asked.attempts == 2  # it was durable all the same: at most one too many is counted
        assert not await unconfirmed(wrote(journal, yes(asked)))  # made again, it is stale: who asked looks again
        last = await found(journal, m.key)
        assert (last.outcome, last.revision) == (YES, 2)
        assert proxy.lost == 3
        await journal.close()


async def test_a_process_that_ends_between_two_statements_leaves_nothing(nodes: PostgresHome) -> None:
    """Killed between its insert and its commit: the bet was never read, and is new when it is repeated."""
    journal, m = await nodes.journal(), bet("b-1")
    for gates in range(3):
        beside = await connect(where(nodes.url, ""))
        connection = Paced(await connect(where(nodes.url, "")), beside)
        ticket = Ticket(opening(m), asyncio.get_running_loop().create_future())
        commits = Commits(SQL, DECODERS, lambda seconds: None)
        work = asyncio.create_task(commits.carry(connection, [ticket]))  # type: ignore[arg-type]  # it stands for the connection
        for _ in range(gates + 1):
            await connection.step(work)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await connection.close()
        await beside.close()
        assert (await journal.get(m.key) is None) == (gates < 2), gates
    assert await journal.make(opening(m)) == "another's"


async def test_who_holds_a_name_and_stands_still_is_put_out(nodes: PostgresHome) -> None:
    """A node that was stopped in the middle of a transaction must not stop the others."""
    journal = await nodes.journal()
    stopped = await connect(where(nodes.url, ""))
    await stopped.execute("BEGIN")
    await stopped.execute("SELECT 1 FROM name_locks FOR UPDATE")

    async def opens() -> bool:
        try:
            return await journal.make(opening(bet("b-1"))) == "new"
        except JournalLost:
            return False

    await until(opens)
    await stopped.close()


# ---------------------------------------------------------------- one of many


async def test_a_change_with_a_bug_does_not_take_its_neighbours_with_it(nodes: PostgresHome) -> None:
    """One call meets a bug of ours: it is told as one, and the thirty beside it are durable."""
    journal = await nodes.journal()
    owed = await opened(journal, replace(win("w-1"), state=State.OWED))

    def wrong(again: bool) -> Steps[None]:
        yield Look((Ask("latest", ("acme", "anna", "")),))
        raise ZeroDivisionError

    def goes_on(again: bool) -> Steps[None]:
        yield Write(leaned=(owed,))
        yield Look(())

    def unreadable(again: bool) -> Steps[None]:
        yield Look((Ask("found", ("only one",)),))

    bugs: list[Change[Any]] = [Change(steps=each) for each in (wrong, goes_on, unreadable)]
    illegal: Change[Any] = writing(Write(puts=(Put(owed, replace(owed, state=State.DOUBT)),)))
    work: list[Awaitable[Any]] = [journal.make(opening(bet(f"b-{n}"))) for n in range(30)]
    done = await asyncio.gather(
        *work[:15], *map(journal.make, bugs), journal.make(illegal), *work[15:], return_exceptions=True
    )
    failed = [type(each) for each in done if isinstance(each, BaseException)]
    assert failed == [ZeroDivisionError, AssertionError, JournalLost, IllegalEdge]
    assert [each for each in done if each == "new"] == ["new"] * 30
    for n in range(30):
        assert await journal.get(f"acme/debit/b-{n}") is not None
    assert journal.writable()


async def test_a_thousand_calls_of_two_processes_share_commits(nodes: PostgresHome) -> None:
    """Two durable commits a call would be a hundred calls a second on a slow disk."""
    commits: list[float] = []
    journals = [await PostgresJournal.start(nodes.url, committed=commits.append) for _ in range(2)]

    async def one(n: int) -> None:
        m = bet(f"b-{n}", round=None, player=f"p-{n}")
        assert await journals[n % 2].make(opening(m)) == "new"
        assert await wrote(journals[n % 2], yes(m))

    await asyncio.gather(*(one(n) for n in range(1000)))
    assert len(commits) < 500
    assert await journals[0].unresolved() == []
    for journal in journals:
        await journal.close()
