"""What is old and decided leaves in bounded steps, and nothing that rule 27 protects, on both databases."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import apsw
import psycopg
import pytest
from msgspec.structs import replace

from adapters.native.dialect import DIALECT as NATIVE
from gateway.engine import movement
from gateway.engine.journal import Put
from gateway.engine.moment import Clockwork, Moment
from gateway.engine.movement import Event, Movement, Session, decided, left, unheard
from gateway.engine.setup import Setup, Wallet
from gateway.engine.states import State
from gateway.journal.kept import KeptJournal
from gateway.journal.sqlite import Committed, SqliteJournal
from gateway.journal.writer import Writer
from gateway.model import Round
from gateway.serve.config import Retention
from gateway.serve.retention import ROUND_SECONDS, Movements, Sessions, Step, Times, Walk
from tests.journal.effort import Work, counted
from tests.journal.homes import YES, Home, PostgresHome, SqliteHome, bet, cancel, found, now, opened, win, wrote

DAY = timedelta(days=1)
RETENTION = Retention(decided=35 * DAY, sessions=7 * DAY)


def wallet(name: str, remembers: timedelta) -> Wallet:
    return Wallet(name=name, dialect=NATIVE, settings=None, url="http://wallet", repeats={}, remembers=remembers)


def times(retention: Retention = RETENTION, **remembers: timedelta) -> Times:
    wallets = {name: wallet(name, each) for name, each in ({"main": 2 * DAY} | remembers).items()}
    return Times.of(retention, Setup(providers={}, wallets=wallets, routes=()), Moment(now()))


def aged(m: Movement, days: int) -> Movement:
    return replace(m, created_at=m.created_at - days * DAY)


async def done(journal: KeptJournal, m: Movement, days: int) -> Movement:
    """Decided so many days ago, and told."""
    m = await opened(journal, aged(m, days))
    assert await wrote(journal, Put(m, decided(m, YES, now() - days * DAY, "call")))
    return m


async def waits(journal: KeptJournal, m: Movement, days: int, state: State) -> Movement:
    m = await opened(journal, aged(m, days))
    assert await wrote(journal, Put(m, left(m, state, "", now() + DAY)))
    return m


async def pruned(journal: KeptJournal, at: Times, *, step: int = 500) -> int:
    """All that may leave; then the sessions."""
    gone = 0
    for walk in (Movements(journal), Sessions(journal)):
        gone += sum([each.gone async for each in walked(walk, at, step)])
    return gone


async def walked(walk: Walk, at: Times, step: int) -> AsyncIterator[Step]:
    """To its end."""
    for _ in range(1000):
        found = await walk.step(at, step)
        yield found
        if not found.more:
            return
    raise AssertionError("it never ends")


async def there(journal: KeptJournal, *keys: str) -> list[bool]:
    return [await journal.get(key) is not None for key in keys]


async def test_the_old_leave_and_the_young_stay(home: Home) -> None:
    """A journal that only grows ends on a full disk."""
    journal = await home.journal()
    old, young = await done(journal, bet("old"), 36), await done(journal, bet("young"), 34)
    await journal.note(old.key, [movement.Step(now(), Event.REPEATED)])
    assert await pruned(journal, times()) == 1
    assert await there(journal, old.key, young.key) == [False, True]
    assert await journal.story(old.key) == []
    await opened(journal, bet("old"))  # as if it had never been
    assert await journal.story(old.key) == []


@pytest.mark.parametrize("step", [1, 3, 7, 500])
async def test_every_step_is_bounded(home: Home, step: int) -> None:
    """No call waits for retention."""
    journal = await home.journal()
    for number in range(20):
        await done(journal, bet(f"b-{number}", round=None), 40 - number)
    gone = [each.gone async for each in walked(Movements(journal), times(), step)]
    assert max(gone) <= step
    assert sum(gone) == 6
    assert len(gone) >= 5 / step
    assert await pruned(journal, times(), step=step) == 0


async def test_a_step_is_as_many_statements_whatever_its_size(lite: SqliteHome) -> None:
    """A movement at a time was three statements each in the calls' own writer: 500 of them, and calls came to a stop. What
    Python fetches row by row it waits for row by row, too, while calls are busy."""
    with counted() as effort:
        journal = await lite.journal()
        for number in range(60):
            m = await done(journal, bet(f"b-{number}", round=None), 40)
            await journal.note(m.key, [movement.Step(now(), Event.REPEATED)])
        took: list[Work] = []
        walk = Movements(journal)
        await journal.counts()  # the first read of its connection reads the schema, too
        for step in (5, 50):
            effort.taken()
            assert (await walk.step(times(), step)).gone == step
            took.append(effort.taken())
    assert took[0].statements == took[1].statements == 6  # the look, the transaction, what may leave, steps, movements
    assert took[1].rows - took[0].rows == 45  # of the look, which is not in the writer


async def test_its_end_is_looked_at_again_and_what_it_went_past_only_later(lite: SqliteHome) -> None:
    """1,000 movements become old in each second. If a walk began each time from the first, it would read all that is
    kept for a wallet that remembers long, again and again; if it waited for its next round, ten minutes' worth would wait."""
    clock = [0.0]
    with counted() as effort:
        journal = await lite.journal()
        for number in range(200):
            await done(journal, bet(f"k-{number}", wallet="long", round=None), 50)
        doubt = await waits(journal, bet("doubt", round=None), 50, State.DOUBT)
        walk, at = Movements(journal, lambda: clock[0]), times(long=90 * DAY)
        assert [each.gone async for each in walked(walk, at, 50)] == [0]  # one stride
        for number in range(3):
            old = await done(journal, bet(f"b-{number}", round=None), 40)
            await done(journal, bet(f"young-{number}", round=None), 1)
            effort.taken()
            assert [each.gone async for each in walked(walk, at, 50)] == [1]
            assert effort.taken().rows <= 6
            assert await there(journal, old.key) == [False]
        m = await found(journal, doubt.key)
        await wrote(journal, Put(m, decided(m, YES, now() - 50 * DAY, "call")))
        assert [each.gone async for each in walked(walk, at, 50)] == [0]
        clock[0] += ROUND_SECONDS
        assert [each.gone async for each in walked(walk, at, 50)] == [1]


async def test_the_writer_is_not_asked_about_what_is_kept(home: Home) -> None:
    """A million movements that a wallet remembers longer than others: going past them costs no call anything."""
    journal = await home.journal()
    for number in range(10):
        await done(journal, bet(f"k-{number}", wallet="long", round=None), 50)
        await waits(journal, bet(f"o-{number}", round=None), 50, State.PERSON)
    last = await done(journal, bet("last", round=None), 40)
    found = [each async for each in walked(Movements(journal), times(long=90 * DAY), 7)]
    assert [each.gone for each in found] == [1]
    assert await there(journal, last.key) == [False]
    assert [each.held async for each in walked(Movements(journal), times(long=90 * DAY), 7)] == [0.0]


async def test_a_walk_says_how_fast_what_it_went_over_had_arrived(home: Home) -> None:
    """By that it knows how fast it must be."""
    journal = await home.journal()
    for number in range(10):
        await done(journal, bet(f"b-{number}", round=None), 60 - number)
    found = [each async for each in walked(Movements(journal), times(), 3)]
    assert [round(each.stretch / DAY.total_seconds()) for each in found[1:3]] == [3, 3]


NAUGHTY = ("zero\x00byte", 'quo"te\\', "%s ?1 {x}", "\ufffe0", "\U0001f3b2")


async def test_whatever_an_id_is_it_leaves(home: Home) -> None:
    """Providers send ids with zero bytes and quotes in them."""
    journal = await home.journal()
    keys = [(await done(journal, bet(id, round=None), 40)).key for id in NAUGHTY]
    for id in NAUGHTY:
        await journal.learn(Session(provider="acme", session=id, player="b", seen_at=now() - 30 * DAY))
    assert await pruned(journal, times(), step=3) == 2 * len(NAUGHTY)
    assert not any(await there(journal, *keys))


async def test_killed_between_the_deletes_nothing_of_the_step_is_done(tmp_path: Path) -> None:
    """kill -9 after the lines of a step's movements were deleted and before they were: they are there with their
    stories, and leave with them at the next start."""
    code = f"import asyncio; from tests.journal.test_retention import killed; asyncio.run(killed({str(tmp_path)!r}))"
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    journal = await SqliteJournal.start(str(tmp_path / KILLED), now())
    keys = [f"acme/debit/b-{number}" for number in range(5)]
    assert all(await there(journal, *keys))
    assert [len(await journal.story(key)) for key in keys] == [1] * 5
    assert await pruned(journal, times()) == 5
    assert [len(await journal.story(key)) for key in keys] == [0] * 5
    await journal.close()


KILLED = "killed.db"


async def killed(folder: str) -> None:
    """The process of that test."""

    def writer(connection: apsw.Connection, committed: Committed) -> Writer:
        def dies(cursor: object, sql: str, values: object) -> bool:
            if sql.startswith("DELETE FROM movements"):
                os.kill(os.getpid(), signal.SIGKILL)
            return True

        connection.exec_trace = dies
        return Writer(connection, committed)

    journal = await SqliteJournal.start(f"{folder}/{KILLED}", now(), make_writer=writer)
    for number in range(5):
        m = await done(journal, bet(f"b-{number}", round=None), 40)
        await journal.note(m.key, [movement.Step(now(), Event.REPEATED)])
    await pruned(journal, times())


async def test_what_another_node_holds_is_left_and_waited_for_by_nobody(nodes: PostgresHome) -> None:
    """Another node writes a rollback of an old bet just now: retention does not wait for it, and sees it afterwards."""
    journal = await nodes.journal()
    held, free = await done(journal, bet("held", round=None), 40), await done(journal, bet("free", round=None), 40)
    await journal.note(free.key, [movement.Step(now(), Event.REPEATED)])
    async with await psycopg.AsyncConnection.connect(nodes.url) as other:
        await other.execute("SELECT 1 FROM movements WHERE key = %s FOR UPDATE", (held.key,))
        assert await pruned(journal, times()) == 1
        assert await there(journal, held.key, free.key) == [True, False]
        assert await journal.story(free.key) == []
    await opened(journal, cancel("held", target=held.key, round=None))
    assert await pruned(journal, times()) == 0
    assert await there(journal, held.key) == [True]


async def test_nodes_that_walk_together_do_no_harm_to_each_other(nodes: PostgresHome) -> None:
    """Each of four workers keeps retention, and none of them waits for another one's step."""
    journals = [await nodes.journal() for _ in range(3)]
    kept = await waits(journals[0], bet("kept", round=None), 50, State.DOUBT)
    for number in range(40):
        await done(journals[0], bet(f"b-{number}", round=None), 40)
    gone = await asyncio.gather(*(pruned(journal, times(), step=5) for journal in journals))
    assert sum(gone) + await pruned(journals[0], times()) == 40
    assert await there(journals[0], kept.key) == [True]


async def test_what_is_unresolved_stays_and_all_that_it_leans_on(home: Home) -> None:
    """What is not at its end, and what a decision about it will look at, is money (rule 27)."""
    journal = await home.journal()
    doubt = await waits(journal, bet("doubt"), 50, State.PERSON)
    watched = await opened(journal, aged(bet("watched"), 50))
    yes = decided(watched, YES, now() - 50 * DAY, "call")
    await wrote(journal, Put(watched, unheard(yes, "call", now())))
    # A rollback that is owed keeps its bet; a bet in doubt keeps its rollback, a part its whole, a whole its
    # parts, an item of a batch the others.
    target = await done(journal, bet("target", round=Round("r-2")), 50)
    owed = await waits(journal, cancel("target", target=target.key, round=Round("r-2")), 50, State.OWED)
    of_doubt = await done(journal, cancel("doubt", target=doubt.key), 50)
    whole = await done(journal, win("whole", round=None), 50)
    part = await waits(journal, bet("part", parent=whole.key, round=None), 50, State.DOUBT)
    open_whole = await waits(journal, win("open", round=None), 50, State.OWED)
    done_part = await done(journal, bet("done", parent=open_whole.key, round=None), 50)
    item = await done(journal, bet("item", batch="k", round=None), 50)
    other = await waits(journal, bet("other", batch="k", round=None), 50, State.DOUBT)
    kept = [m.key for m in (doubt, watched, target, owed, of_doubt, whole, part, open_whole, done_part, item, other)]
    assert await pruned(journal, times()) == 0
    assert all(await there(journal, *kept))
    for key in (owed.key, part.key, open_whole.key, doubt.key, other.key):
        m = await found(journal, key)
        await wrote(journal, Put(m, decided(m, YES, now() - 50 * DAY, "call")))
    m = await found(journal, watched.key)
    await wrote(journal, Put(m, replace(m, due_at=None)))
    assert await pruned(journal, times()) == len(kept)


async def test_nothing_leaves_that_its_wallet_remembers_or_its_provider_may_repeat(home: Home) -> None:
    """A repeat of what was forgotten would be asked again, and taken twice."""
    journal = await home.journal()
    kept = await done(journal, bet("kept", wallet="long", round=None), 60)
    gone = await done(journal, bet("gone", wallet="main", round=None), 60)
    nobodys = await done(journal, bet("nobodys", wallet="removed", round=None), 60)
    assert await pruned(journal, times(long=90 * DAY)) == 1
    assert await there(journal, kept.key, gone.key, nobodys.key) == [True, False, True]
    short = times(Retention(decided=timedelta(minutes=1)))
    assert short.before("main") == short.now - 2 * DAY  # what the wallet remembers
    assert short.youngest == short.now - DAY  # what providers repeat for


async def test_rule_27_nothing_leaves_because_a_clock_jumped_ahead(home: Home) -> None:
    """The machine's clock was set two months ahead, and within minutes every decided movement had left: the provider's
    repeat of a bet of that day was a new bet, and its stake was taken again."""
    journal = await home.journal()
    bet_of_today = await done(journal, bet("today"), 0)
    walls, ticks = [now(), now() + 60 * DAY], [0.0, 600.0]
    clockwork = Clockwork(lambda: walls.pop(0), lambda: ticks.pop(0))
    setup = Setup(providers={}, wallets={"main": wallet("main", 2 * DAY)}, routes=())
    assert await pruned(journal, Times.of(RETENTION, setup, clockwork.look())) == 0
    assert await there(journal, bet_of_today.key) == [True]


async def test_a_session_stays_while_a_movement_that_used_it_is_kept(home: Home) -> None:
    """A late win of that session would find no player."""
    journal = await home.journal()
    at = now()

    async def learnt(session: str, days: int, **said: object) -> None:
        given = {"player": "anna", "provider": "acme", "session": session, "seen_at": at - days * DAY} | said
        await journal.learn(Session(**given))  # type: ignore[arg-type]  # as the cases say

    await learnt("old", 8)
    await learnt("young", 6)
    await learnt("used", 30)
    await learnt("launched", 30, launch_token="lt-1")
    await learnt("nameless", 30)
    await learnt("lasting", 30, expires_at=at + DAY)
    await learnt("others", 30, player="bob")
    used = await done(journal, bet("b-1", session="used"), 30)
    await done(journal, bet("b-2", session="lt-1"), 30)
    await done(journal, cancel("b-9", player="", session="nameless"), 30)
    await done(journal, bet("b-4", session="others", round=None), 30)
    assert await pruned(journal, times(), step=2) == 2
    names = ["old", "young", "used", "launched", "nameless", "lasting", "others"]
    left = [name for name in names if await journal.session("acme", name) is not None]
    assert left == ["young", "used", "launched", "nameless", "lasting"]
    await learnt("last", 20, player="carl")
    await learnt("before", 30, player="carl")
    await learnt("elsewhere", 30, player="carl", game="g-2")
    await done(journal, bet("b-5", player="carl", session="", round=None), 30)
    await pruned(journal, times(), step=2)
    left = [name for name in ("last", "before", "elsewhere") if await journal.session("acme", name) is not None]
    assert left == ["last", "elsewhere"]  # it said no session: its wallet was told the player's last one
    later = replace(times(), now=at + 6 * DAY, sessions=at - DAY)
    await pruned(journal, later)
    assert await journal.get(used.key) is None
    assert await journal.session("acme", "used") is None
    assert await journal.session("acme", "lasting") is None
    assert await journal.session("acme", "young") is None
