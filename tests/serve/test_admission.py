"""Who is carried next where more calls come than can be carried, with a clock of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bench import bets
from gateway.engine.setup import Limits, Provider
from gateway.engine.world import Crowded
from gateway.serve.admission import (
    BEAT_SECONDS,
    FIRST_SHARE,
    HANDS,
    OTHER_SHARE,
    STUCK_SECONDS,
    TOLD_AT_ONCE,
    TOLD_SECONDS,
    TOLD_SHARE,
    Door,
    Stay,
)
from gateway.serve.logs import Log
from tests.inside import inside, said

from .helpers import provider

WITHIN = 1.0  # so that nobody is taken to be stuck meanwhile


class Place:
    """A door, and the calls that come to it. Time passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.overloads: list[tuple[str, str]] = []
        self.told: list[tuple[str, int]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self.door = Door(
            lambda: self.now, lambda *who: self.overloads.append(who), lambda *told: self.told.append(told), self._later
        )
        self.carried: list[str] = []  # in the order in which they were let in
        self.refused: list[str] = []
        self.stays: dict[str, Stay] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._due.append((self.now + seconds, len(self._due), call))

    async def comes(
        self, name: str, *, first: bool = False, of: Provider | None = None, within: float = WITHIN, began: float = 0.0
    ) -> None:
        call = self._call(name, of or provider(), first, within, began or self.now)
        self.tasks[name] = asyncio.create_task(call)
        await settled()

    async def _call(self, name: str, of: Provider, first: bool, within: float, began: float) -> None:
        try:
            self.stays[name] = await self.door.enter(of, first=first, started=began, within=within)
        except Crowded:
            self.refused.append(name)
        else:
            self.carried.append(name)

    async def full(self) -> None:
        """As many calls in our hands as there may be."""
        for number in range(HANDS):
            await self.comes(f"full-{number}")
        assert len(self.carried) == HANDS
        self.carried.clear()

    async def ends(self, name: str) -> None:
        self.stays[name].ends()
        await settled()

    async def rests(self, name: str) -> None:
        self.stays[name].rests()
        await settled()

    async def passes(self, seconds: float) -> None:
        """Every timer has its moment."""
        end = self.now + seconds
        while self._due and min(self._due)[0] <= end:
            due = min(self._due)
            self._due.remove(due)
            self.now = max(self.now, due[0])
            due[2]()
            await settled()
        self.now = end


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_nobody_waits_while_there_are_hands() -> None:
    """On an ordinary day the door is open, and nothing is said about it."""
    place = Place()
    await place.full()
    assert place.overloads == []
    await place.ends("full-0")
    await place.comes("bet")
    assert place.carried == ["bet"]


async def test_a_win_that_comes_last_is_carried_first() -> None:
    """A player's win is not lost behind a thousand bets: its provider cannot be told no."""
    place = Place()
    await place.full()
    for name in ("bet-1", "bet-2"):
        await place.comes(name)
    for name in ("win-1", "win-2"):
        await place.comes(name, first=True)
    for number in range(4):
        await place.ends(f"full-{number}")
    assert place.carried == ["win-1", "win-2", "bet-2", "bet-1"], "wins: the oldest first; bets: the newest first"


async def test_a_call_that_a_wallet_has_leaves_its_place_to_another() -> None:
    """Else a wallet of one second would let a process carry 64 calls a second, and its processor would sleep."""
    place = Place()
    await place.full()
    await place.comes("bet")
    await place.rests("full-0")
    assert place.carried == ["bet"]
    await place.comes("win", first=True)
    place.stays["full-0"].goes_on()  # its wallet has answered: it goes on, whoever is there
    await place.ends("bet")
    assert place.carried == ["bet"], "there are as many as there may be"
    await place.ends("full-0")
    assert place.carried == ["bet", "win"]


async def test_a_bet_that_waited_is_refused_in_time_and_not_at_once() -> None:
    """Doubt within the provider's limit is an answer, later it is none; and whoever is answered at once asks at once."""
    place = Place()
    await place.full()
    await place.comes("bet")
    await place.passes(WITHIN * OTHER_SHARE - 0.01)
    assert place.refused == []
    await place.passes(2 * BEAT_SECONDS)
    assert place.refused == ["bet"]
    assert place.overloads == [("acme", "")]


async def test_a_bet_that_was_read_too_late_does_not_wait() -> None:
    """What it waited for before it was read is its provider's time, too."""
    place = Place()
    await place.full()
    await place.comes("bet", began=place.now - WITHIN * OTHER_SHARE)
    assert place.refused == ["bet"]
    await place.ends("full-0")
    await place.comes("another", began=place.now - WITHIN * OTHER_SHARE)
    assert place.carried == ["another"], "there is a hand free for it"


async def test_those_who_came_together_are_not_all_told_together() -> None:
    """A thousand answers at once are one long turn of the loop, and a thousand callers who ask again at once."""
    place = Place()
    await place.full()
    for number in range(TOLD_AT_ONCE * 6):
        await place.comes(f"bet-{number}")
    told = []
    await place.passes(WITHIN * OTHER_SHARE)
    for _ in range(2):
        await place.passes(BEAT_SECONDS)
        told.append(len(place.refused))
    assert told == [TOLD_AT_ONCE, 2 * TOLD_AT_ONCE]
    assert place.refused[0] == "bet-0"
    await place.passes(WITHIN * (TOLD_SHARE - OTHER_SHARE))
    assert len(place.refused) == 6 * TOLD_AT_ONCE, "when it is high time they are told turn by turn"


async def test_a_bet_that_waited_too_long_is_not_carried_any_more() -> None:
    """Its wallet could be slower than the time left, and a bet in doubt is worse than one that was not read."""
    place = Place()
    await place.full()
    await place.comes("bet")
    await place.passes(WITHIN * OTHER_SHARE)
    await place.ends("full-0")
    assert place.carried == []
    await place.comes("later")
    assert place.carried == ["later"], "the hand is free for the next one"
    await place.passes(WITHIN)
    assert place.refused == ["bet"]


async def test_a_win_waits_longer_than_a_bet_and_is_told_in_time() -> None:
    """Where there are more wins than can be carried, those that cannot be answered in time must not make the next ones
    late, too."""
    place = Place()
    await place.full()
    await place.comes("win-1", first=True)
    await place.passes(WITHIN * FIRST_SHARE - 0.1)
    await place.comes("win-2", first=True)
    assert place.refused == []
    await place.passes(0.1 + BEAT_SECONDS)
    assert place.refused == ["win-1"]
    await place.ends("full-0")
    assert place.carried == ["win-2"]


async def test_a_win_whose_time_is_over_between_two_beats_gives_way() -> None:
    """The hand that came free is for one that can still be answered."""
    place = Place()
    await place.full()
    await place.comes("win-1", first=True)
    place.now += WITHIN * FIRST_SHARE
    await place.comes("win-2", first=True)
    await place.ends("full-0")
    assert (place.carried, place.refused) == (["win-2"], ["win-1"])


async def test_providers_take_turns() -> None:
    """One provider that calls a hundred times as often as it should is no reason for another's players to wait."""
    place, other = Place(), provider("other")
    await place.full()
    for number in range(4):
        await place.comes(f"flood-{number}", first=True)
    await place.comes("other", first=True, of=other)
    for number in range(3):
        await place.ends(f"full-{number}")
    assert place.carried == ["flood-0", "other", "flood-1"]


async def test_each_limit_has_its_own_time() -> None:
    """A provider that waits one second for one call and four for another is told each in time."""
    place = Place()
    await place.full()
    await place.comes("slow")
    await place.comes("quick", within=0.5)
    await place.passes(0.5 * OTHER_SHARE + BEAT_SECONDS)
    assert place.refused == ["quick"]


async def test_what_waits_for_something_else_than_us_does_not_hold_up_the_others() -> None:
    """64 repeats of one bet whose wallet hangs would else stop every player."""
    place = Place()
    await place.full()
    for name in ("bet-1", "bet-2"):
        await place.comes(name, within=60)
    await place.passes(STUCK_SECONDS + BEAT_SECONDS)
    assert place.carried == ["bet-2"], "one at a time: on a slow machine they may all be at work"
    await place.ends("full-0")
    assert place.carried == ["bet-2"], "that it ended makes no second place"
    await place.passes(BEAT_SECONDS)
    assert place.carried == ["bet-2", "bet-1"]


async def test_so_many_calls_of_a_provider_are_carried_at_once() -> None:
    """`limits.in_flight`: what its wallets hold counts, and a reserve is kept for what gives."""
    place, few = Place(), replace(provider(), limits=Limits(in_flight=3, reserved=1))
    for name in ("one", "two", "three"):
        await place.comes(name, of=few)
    assert (place.carried, place.refused) == (["one", "two"], ["three"])
    await place.rests("one")
    await place.comes("four", of=few)
    await place.comes("win", first=True, of=few)
    await place.comes("another win", first=True, of=few)
    assert (place.carried, place.refused) == (["one", "two", "win"], ["three", "four", "another win"])
    await place.ends("one")
    await place.ends("one")
    await place.ends("win")
    await place.comes("five", of=few)
    assert place.carried[-1] == "five"
    assert place.overloads == [("acme", "")] * 3


async def test_a_provider_whose_calls_are_all_with_its_wallets_is_not_let_in_from_the_queue() -> None:
    """The limit holds for those who waited as for those who come."""
    place, few = Place(), replace(provider(), limits=Limits(in_flight=2, reserved=0))
    await place.comes("one", of=few)
    for number in range(HANDS - 1):
        await place.comes(f"full-{number}", of=provider("other"))
    for name in ("two", "three"):
        await place.comes(name, of=few)
    await place.rests("one")
    await place.rests("full-0")
    assert "three" in place.carried
    assert place.refused == ["two"]


async def test_a_caller_that_is_cut_off_while_it_waits_takes_no_place() -> None:
    """The process ends, or the server gives a connection up: nobody is carried for it, and no hand is lost."""
    place = Place()
    await place.full()
    await place.comes("bet")
    place.tasks["bet"].cancel()
    await settled()
    await place.comes("win", first=True)
    await place.ends("full-0")
    assert place.carried == ["win"]
    await place.comes("let in and cut off")
    place.stays["full-1"].ends()
    place.tasks["let in and cut off"].cancel()
    await settled()
    await place.comes("next")
    assert place.carried == ["win", "next"]


async def test_the_log_says_how_many_were_turned_away() -> None:
    """One line in five seconds, not one a call: who reads it knows that more processes are needed."""
    place = Place()
    await place.full()
    for name in ("one", "two"):
        await place.comes(name)
    await place.passes(WITHIN * TOLD_SHARE + 0.1)
    assert place.told == []
    await place.passes(TOLD_SECONDS)
    assert place.told == [("acme", 2)]
    await place.passes(TOLD_SECONDS)
    assert place.told == [("acme", 2)]


def test_a_line_of_the_log_names_the_provider_and_the_number(capfd: pytest.CaptureFixture[str]) -> None:
    log = Log()
    log.turned_away("acme", 7)
    log.close()
    (line,) = capfd.readouterr().err.splitlines()
    assert '"level":"warning"' in line
    assert '"provider":"acme","number":7' in line


class Shut:
    """A door that lets nobody in, and what came to it."""

    def __init__(self) -> None:
        self.came: list[tuple[bool, float]] = []

    async def enter(self, provider: Provider, *, first: bool, started: float, within: float) -> Stay:
        self.came.append((first, within))
        raise Crowded("more calls came than can be answered in time")


def test_who_is_not_let_in_hears_doubt_and_was_neither_proved_nor_read() -> None:
    """What is turned away must cost next to nothing, and its repeat must be a first call: no key, no movement, no attempt."""
    with inside(None) as gateway:
        open_world, shut = gateway.engine.world, Shut()
        gateway.engine.world = replace(open_world, door=shut)
        asked, body = said(bets.bet(1))
        del asked.headers["x-request-signature"]
        for call in ((asked, body), said(bets.bet(1)), said(bets.win(1)), said(bets.cancel(1))):
            answer = gateway.loop.run_until_complete(gateway.answer(call))
            assert answer == b'{"balance":0,"statusCode":"ERR_UNKNOWN"}'
        assert shut.came == [(False, 3.0), (False, 3.0), (True, 4.0), (True, 4.0)]
        text = gateway.metrics.expose("")[0].decode()
        assert 'kind="debit",outcome="unknown",provider="scorpio",reason=""} 2.0' in text
        assert 'gateway_key_uses_total{key="k1"' not in text
        assert gateway.loop.run_until_complete(gateway.journal.unresolved()) == []
        gateway.engine.world = open_world
        assert b'"OK"' in gateway.call(bets.bet(1))
        text = gateway.metrics.expose("")[0].decode()
        assert 'gateway_key_uses_total{key="k1"' in text
        assert "gateway_replays_total{" not in text
