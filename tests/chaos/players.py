"""Providers with their documented retries and cancels (as `adapters/*/NOTES.md` and gateway/play/habits.py have them).

A call goes to whichever node answers the door, as behind a balancer; a repeat goes to another one,
and now and then the same id arrives at two nodes at once.

Scorpio Play: a bet is never retried, and is cancelled after anything but a yes; wins and cancels are
said up to three times, a cancel until it was read. NetGaming repeats an id, then refunds, or goes
silent after doubt (`after_doubt`). Kyren retransmits a bet three times, then cancels; a Result ten
times. Native repeats until it is told.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal

import httpx
from msgspec import Struct

from tests.chaos.stage import ANSWER_WITHIN, Node, Stage
from tests.end_to_end.speakers import SPEAKERS, YES, Body, Speaker, Word, speak

LATE_SECONDS = 0.5  # of grace, on a busy machine
PATIENCE_SECONDS = 1.5  # after its limit a provider goes away
ACCEPTED_TWICE = 0.08  # share of accepted calls that arrive a second time
AT_ONCE = 0.1  # share of bets that arrive at two nodes at one moment
FIRST_CANCEL = 0.03  # share of rounds whose cancel comes before the bet
BROKEN = 0.06  # share of accepted bets that are cancelled
LOST = 0.25  # share of rounds that end with the bet
SAME_ID = 0.3  # share of wins that use the number of their bet
SENT_MAX = 60  # times that one cancel is said, at the most


class Habits(Struct, frozen=True, kw_only=True):
    """How often a provider says the same, if it hears no decision, and what it waits between."""

    bets: int
    wins: int
    cancels: int
    between: float
    silent: float = 0.0  # share of bets in doubt that it forgets: it believes that they failed
    always_cancels: bool = False  # what was refused, too
    undone: Collection[object] = ()
    """What it may hear when a bet that it gave up is gone."""
    poor: object


HABITS: Mapping[str, Habits] = {
    "sp": Habits(
        bets=1, wins=3, cancels=3, between=0.4, always_cancels=True, poor="ERR_NOT_ENOUGH_MONEY",
        undone=("ERR_TRANSACTION_DOES_NOT_EXIST", "ERR_TRANSACTION_ROLLED_BACK"),
    ),
    "ng": Habits(bets=3, wins=6, cancels=6, between=0.3, silent=0.4, poor=105, undone=(107, 112)),
    "ky": Habits(bets=4, wins=11, cancels=11, between=0.3, poor=1),
    "na": Habits(bets=3, wins=30, cancels=30, between=0.4, poor="insufficient_funds", undone=("transaction_not_found", "already_rolled_back")),
}  # fmt: skip


class Heard(Struct, frozen=True, kw_only=True):
    """One asking. `word` None: no whole answer came."""

    word: Word | None
    node: Node | None
    since: float
    until: float


class Movement(Struct, eq=False, kw_only=True):
    """What its provider believes about a bet or a win."""

    name: str
    kind: str  # debit, credit
    id: str
    player: str
    cents: int
    state: str = "nothing"  # accepted, refused, nothing
    accepted_at: float = 0.0
    cancelled: bool = False  # the provider was told that it is undone or never was
    read: bool = False  # its cancel, or itself (a win), was answered, if only with doubt: owed from then on
    silent: bool = False  # the last word on the bet was doubt, and its provider went silent
    poor: bool = False
    twins: bool = False  # it arrived at two nodes at one moment, before the first fault
    asked: list[Heard] = []


class Players:
    """All of them, until `over`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.movements: list[Movement] = []
        self.over = asyncio.Event()
        self.slowest = 0.0
        self.late = 0
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def play(self) -> None:
        async with AsyncExitStack() as stack:
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
            for node in self.stage.nodes:
                client = httpx.AsyncClient(base_url=node.url, trust_env=False, limits=limits)
                self._clients[node.name] = await stack.enter_async_context(client)
            async with asyncio.TaskGroup() as all_of_them:
                for name in ANSWER_WITHIN:
                    for number in range(self.stage.options.players):
                        all_of_them.create_task(Player(self, name, number).play())

    async def call(self, movement: Movement, node: Node, call: str, body: Body) -> Heard:
        """One asking at one node; at another one where nobody answers the door."""
        others = [other for other in self.stage.nodes if other is not node]
        heard = await self._call(movement, node, call, body)
        while heard.node is None and others:
            heard = await self._call(movement, others.pop(), call, body)
        movement.asked.append(heard)
        return heard

    async def _call(self, movement: Movement, node: Node, call: str, body: Body) -> Heard:
        speaker, within, since = SPEAKERS[movement.name], ANSWER_WITHIN[movement.name], time.time()
        client, word, there = self._clients[node.name], None, True
        self.stage.counts["calls"] += 1
        try:
            answer = await speak(client, speaker.sent(call, body), within + PATIENCE_SECONDS)
            word = self._understood(speaker, answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            there = False
            self.stage.counts["nobody at the door"] += 1
        except httpx.TimeoutException:
            self.stage.counts["no answer"] += 1
        except httpx.TransportError:
            self.stage.counts["connections cut"] += 1
        heard = Heard(word=word, node=node if there else None, since=since, until=time.time())
        if there:
            self._judge_time(heard, node, within, f"{movement.name} {call} {movement.id}")
        return heard

    def _understood(self, speaker: Speaker, answer: httpx.Response) -> Word | None:
        try:
            return speaker.word(answer)
        except (ValueError, KeyError, AssertionError):
            self.stage.wrong.append(f"{speaker.dialect}: HTTP {answer.status_code} {answer.text[:150]!r}")
            return None

    def _judge_time(self, heard: Heard, node: Node, within: float, what: str) -> None:
        if node.excused(heard.since, heard.until) or self.stage.machine_busy.meet(heard.since, heard.until):
            return
        seconds = heard.until - heard.since
        self.slowest = max(self.slowest, seconds - within)
        if heard.word is None and seconds < within:
            self.stage.wrong.append(f"{node.name} cut {what} after {seconds:.2f} s, and it was not stopped")
        elif seconds > within + LATE_SECONDS:
            self.late += 1
            self.stage.wrong.append(f"{node.name} answered {what} after {seconds:.2f} s, allowed are {within} s")


class Player:
    def __init__(self, players: Players, name: str, number: int) -> None:
        self.players, self.stage, self.name = players, players.stage, name
        self.habits, self.speaker = HABITS[name], SPEAKERS[name]
        self.chance = random.Random(f"{self.stage.options.seed}/{name}/{number}")
        self.player, self._number, self._turn = f"{name}-player-{number}", number, 0

    async def play(self) -> None:
        while not self.players.over.is_set():
            self._turn += 1
            if self.chance.random() < FIRST_CANCEL:
                await self._cancel_first()
            else:
                await self._round()
            await asyncio.sleep(self.chance.uniform(0.0, 2 * self.stage.options.pause))

    async def _round(self) -> None:
        bet = self._new("debit", f"{self._stem}1", self.chance.randint(1, 900))
        await self._bet(bet)
        if bet.state == "accepted":
            await self._repeated(bet, "bet", self._body(bet, "bet"))
        if bet.state == "nothing" and self.chance.random() < self.habits.silent:
            # What it heard last is what it believes. Silence says nothing, so a cancel would follow it.
            bet.silent = bet.asked[-1].word == self.speaker.doubt
        broken = bet.state == "accepted" and self.chance.random() < BROKEN
        gives_up = bet.state == "nothing" and not bet.silent
        if broken or gives_up or (bet.state == "refused" and self.habits.always_cancels):
            await self._cancel(bet)
        elif bet.state == "accepted" and self.chance.random() >= LOST:
            await self._win(bet)

    async def _bet(self, bet: Movement) -> None:
        body = self._body(bet, "bet")
        nodes = self._nodes()
        twins = len(nodes) > 1 and self.chance.random() < AT_ONCE
        bet.twins = twins and time.time() < self.stage.calm_until
        if twins:
            self.stage.counts["bets at two nodes at once"] += 1
        for attempt in range(self.habits.bets):
            at = nodes[:2] if twins and not attempt else [nodes[attempt % len(nodes)]]
            words = [heard.word for heard in await asyncio.gather(*(self._ask(bet, node, "bet", body) for node in at))]
            self._decided(bet, words)
            if bet.state != "nothing":
                return
            await asyncio.sleep(self.habits.between * (attempt + 1))

    def _decided(self, bet: Movement, words: Sequence[Word | None]) -> None:
        refusals = [word for word in words if word not in (None, YES, self.speaker.doubt)]
        if YES in words:
            bet.state, bet.accepted_at = "accepted", time.time()
            if refusals:
                self.stage.wrong.append(f"{bet.id} came to two nodes at once and heard {words}")
        elif refusals:
            bet.state, bet.poor = "refused", any(word[1] == self.habits.poor for word in refusals if word)

    async def _win(self, bet: Movement) -> None:
        same = self.chance.random() < SAME_ID
        win = self._new("credit", bet.id if same else f"{self._stem}2", self.chance.randint(1, 1700))
        body = self._body(win, "win", bet.id)
        nodes = self._nodes()
        for attempt in range(self.habits.wins):
            heard = await self._ask(win, nodes[attempt % len(nodes)], "win", body)
            win.read = win.read or self._owed(heard)
            if heard.word == YES:
                win.state, win.accepted_at = "accepted", time.time()
                await self._repeated(win, "win", body)
                return
            await asyncio.sleep(self.habits.between * min(attempt + 1, 3))

    async def _cancel(self, bet: Movement) -> None:
        """Up to so many times that were answered."""
        was, bet.state = bet.state, "nothing" if bet.state == "accepted" else bet.state
        body = self._body(bet, "undo", f"{self._stem}3")
        nodes, answered = self._nodes(), 0
        for attempt in range(SENT_MAX):
            heard = await self._ask(bet, nodes[attempt % len(nodes)], "undo", body)
            bet.read = bet.read or self._owed(heard)
            if heard.word == YES or (heard.word and heard.word[1] in self.habits.undone):
                bet.cancelled = True
                return
            answered += heard.word is not None
            if answered >= self.habits.cancels:
                break
            await asyncio.sleep(self.habits.between * max(1, min(answered, 3)))
        if was == "refused":
            bet.state = was

    async def _cancel_first(self) -> None:
        """The bet arrives when it is undone already."""
        bet = self._new("debit", f"{self._stem}1", self.chance.randint(1, 900))
        await self._cancel(bet)
        if not bet.cancelled:
            return
        self.stage.counts["cancels before their bet"] += 1
        heard = await self._ask(bet, self._nodes()[0], "bet", self._body(bet, "bet"))
        if heard.word == YES:
            self.stage.wrong.append(f"{bet.id} was accepted after its cancel")

    async def _repeated(self, movement: Movement, call: str, body: Body) -> None:
        """The network delivered it twice, to another node; and then with another amount."""
        if self.chance.random() >= ACCEPTED_TWICE:
            return
        self.stage.counts["accepted calls repeated"] += 1
        again = await self._ask(movement, self._nodes()[0], call, body)
        if again.word not in (None, YES, self.speaker.doubt):
            self.stage.wrong.append(f"{movement.id} was accepted, its repeat heard {again.word}")
        other = self._amount(body, movement.cents + 1)
        heard = await self._ask(movement, self._nodes()[0], call, other)
        if heard.word == YES:
            self.stage.wrong.append(f"{movement.id} was accepted again with another amount")

    # -- words

    async def _ask(self, movement: Movement, node: Node, call: str, body: Body) -> Heard:
        return await self.players.call(movement, node, call, body)

    def _owed(self, heard: Heard) -> bool:
        """Whether it was read for certain: without its database a node can only tell doubt and keep nothing."""
        known = heard.word is not None and heard.word != self.speaker.doubt
        return known or (heard.word is not None and not self.stage.database_bad.meet(heard.since, heard.until))

    def _nodes(self) -> list[Node]:
        return self.chance.sample(self.stage.nodes, len(self.stage.nodes))

    @property
    def _stem(self) -> str:
        return f"{self._number + 1}{self._turn:06d}"

    def _new(self, kind: str, id: str, cents: int) -> Movement:
        movement = Movement(name=self.name, kind=kind, id=id, player=self.player, cents=cents, asked=[])
        self.players.movements.append(movement)
        return movement

    def _body(self, movement: Movement, call: str, other: str = "") -> Body:
        """`other`: of a win its bet, of a cancel its own id."""
        own, reference = (other, movement.id) if call == "undo" else (movement.id, other)
        body = self.speaker.say(call, own, self.player, reference)
        place = {"sp": "roundId", "ng": "round_id", "na": "round_id", "ky": "roundId"}[self.name]
        number = f"{self._number + 1}{self._turn:06d}0"
        return self._amount(body.put(**{place: number if self.name == "ng" else json.dumps(number)}), movement.cents)

    def _amount(self, body: Body, cents: int) -> Body:
        if "amount" not in dict(body.pairs):
            return body
        major = f"{Decimal(cents) / 100}"
        raw = {"ng": str(cents), "sp": major, "na": f'"{Decimal(cents) / 100:.2f}"', "ky": f'"{major}"'}[self.name]
        return body.put(amount=raw)
