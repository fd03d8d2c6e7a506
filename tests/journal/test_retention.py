"""What is old and decided leaves in bounded steps, and nothing that SEMANTICS.md 27 protects, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Event, Intent, Movement, Session, Step
from gateway.engine.states import State
from gateway.journal.kept import KeptJournal
from gateway.model import Round
from gateway.serve.config import Retention
from gateway.serve.retention import Pruner, Times
from tests.journal.homes import YES, Home, bet, cancel, cancel_intent, debit_intent, now, win, win_intent
from tests.serve.helpers import setup

DAY = timedelta(days=1)
RETENTION = Retention(decided=35 * DAY, sessions=7 * DAY)


def times(**remembers: timedelta) -> Times:
    found = setup()
    wallets = {name: replace(found.wallets["main"], name=name, remembers=each) for name, each in remembers.items()}
    return Times.of(RETENTION, replace(found, wallets=found.wallets | wallets), now())


def aged(m: Movement, days: int) -> Movement:
    return replace(m, created_at=m.created_at - days * DAY)


async def decided(
    journal: KeptJournal, m: Movement, days: int, *, intent: Intent | None = None, heard: bool = True
) -> Movement:
    found = await journal.open(replace(intent or debit_intent(m), movement=aged(m, days)))
    return await journal.decide(found.movement, YES, now() - days * DAY, heard=heard)


async def pruned(journal: KeptJournal, at: Times, *, step: int = 500) -> int:
    pruner, gone = Pruner(journal), 0
    for _ in range(1000):
        left, more = await pruner.step(at, step)
        gone += left
        if not more:
            return gone
    raise AssertionError("it never ends")


async def there(journal: KeptJournal, *keys: str) -> list[bool]:
    return [await journal.get(key) is not None for key in keys]


async def test_the_old_leave_and_the_young_stay(home: Home) -> None:
    journal = await home.journal()
    old, young = await decided(journal, bet("old"), 36), await decided(journal, bet("young"), 34)
    await journal.note(old.key, [Step(now(), Event.REPEATED)])
    assert await pruned(journal, times()) == 1
    assert await there(journal, old.key, young.key) == [False, True]
    assert await journal.story(old.key) == []
    assert (await journal.open(debit_intent(bet("old")))).fresh  # as if it had never been
    assert await journal.story(old.key) == []


@pytest.mark.parametrize("step", [1, 3, 7, 500])
async def test_every_step_is_bounded(home: Home, step: int) -> None:
    journal = await home.journal()
    for number in range(20):
        await decided(journal, bet(f"b-{number}", round=None), 40 - number)
    pruner, looked, gone = Pruner(journal), 0, []
    while not looked or gone[-1][1]:
        gone.append(await pruner.step(times(), step))
        looked += 1
    assert max(left for left, _ in gone) <= step
    assert sum(left for left, _ in gone) == 6
    assert looked >= 5 / step
    assert await pruned(journal, times(), step=step) == 0


async def test_what_is_unresolved_stays_and_all_that_it_leans_on(home: Home) -> None:
    journal = await home.journal()
    doubt = aged(bet("doubt"), 50)
    await journal.open(debit_intent(doubt))
    await journal.leave_open(doubt, State.PERSON, "who knows", now(), None)
    watched = await decided(journal, bet("watched"), 50, heard=False)
    # A rollback that is owed keeps its bet; a bet in doubt keeps its rollback, a part its whole, a whole its parts.
    target = await decided(journal, bet("target", round=Round("r-2")), 50)
    owed = await journal.open(cancel_intent(aged(cancel("target", round=Round("r-2")), 50)))
    await journal.leave_open(owed.movement, State.OWED, "", None, now() + DAY)
    of_doubt = await decided(journal, cancel("doubt"), 50, intent=cancel_intent(cancel("doubt")))
    whole = await decided(journal, win("whole", round=None), 50, intent=win_intent(win("whole", round=None)))
    part = aged(bet("part", parent=whole.key, round=None), 50)
    await journal.open(debit_intent(part))
    await journal.leave_open(part, State.DOUBT, "", None, now() + DAY)
    open_whole = aged(win("open", round=None), 50)
    await journal.open(win_intent(open_whole))
    done_part = await decided(journal, bet("done", parent=open_whole.key, round=None), 50)
    kept = [
        doubt.key, watched.key, target.key, owed.movement.key, of_doubt.key, whole.key, part.key, open_whole.key,
        done_part.key,
    ]  # fmt: skip
    assert await pruned(journal, times()) == 0
    assert all(await there(journal, *kept))
    for key in (owed.movement.key, part.key, open_whole.key, doubt.key):
        found = await journal.get(key)
        assert found is not None
        await journal.decide(found, YES, now() - 50 * DAY, heard=True)
    await journal.watch(watched, None)
    assert await pruned(journal, times()) == len(kept)


async def test_nothing_leaves_that_its_wallet_remembers_or_its_provider_may_repeat(home: Home) -> None:
    journal = await home.journal()
    kept = await decided(journal, bet("kept", wallet="long", round=None), 60)
    gone = await decided(journal, bet("gone", wallet="main", round=None), 60)
    nobodys = await decided(journal, bet("nobodys", wallet="removed", round=None), 60)
    assert await pruned(journal, times(long=90 * DAY)) == 1
    assert await there(journal, kept.key, gone.key, nobodys.key) == [True, False, True]
    short = Times.of(Retention(decided=timedelta(minutes=1)), setup(), now())
    assert short.before("main") == short.now - 2 * DAY  # what the wallet remembers
    assert short.youngest == short.now - DAY  # what providers repeat for


async def test_a_session_stays_while_a_movement_that_used_it_is_kept(home: Home) -> None:
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
    used = await decided(journal, bet("b-1", session="used"), 30)
    await decided(journal, bet("b-2", session="lt-1"), 30)
    await decided(journal, cancel("b-9", player="", session="nameless"), 30, intent=cancel_intent(cancel("b-9")))
    await decided(journal, bet("b-4", session="others", round=None), 30)
    assert await pruned(journal, times(), step=2) == 2
    names = ["old", "young", "used", "launched", "nameless", "lasting", "others"]
    assert [await journal.session("acme", name) is not None for name in names] == [
        False,
        True,
        True,
        True,
        True,
        True,
        False,
    ]
    later = replace(times(), now=at + 6 * DAY, sessions=at - DAY)
    await pruned(journal, later)
    assert await journal.get(used.key) is None
    assert await journal.session("acme", "used") is None
    assert await journal.session("acme", "lasting") is None
    assert await journal.session("acme", "young") is None
