"""Providers at work: several at once, each one's calls in order, now and then one call twice at the same time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import httpx
from msgspec import Struct

from tests.end_to_end.processes import until
from tests.end_to_end.speakers import SPEAKERS, YES, Sent, Speaker, Word, new_id, speak

TWICE, WINS = 0.2, 0.5


class Movement(Struct, eq=False, kw_only=True):
    """One bet or win, and everything that was heard about it."""

    name: str
    call: str
    id: str
    player: str
    sent: Sent
    answers: list[httpx.Response] = []
    lost: int = 0  # sent, and no whole answer came
    refused: int = 0  # no connection

    @property
    def speaker(self) -> Speaker:
        return SPEAKERS[self.name]

    @property
    def words(self) -> list[Word]:
        return [self.speaker.word(answer) for answer in self.answers]

    @property
    def taken(self) -> bool:
        return YES in self.words

    @property
    def undecided(self) -> bool:
        """Its provider has heard nothing, or nothing but doubt: one of two that it said at once, where the other was lost."""
        return all(word == self.speaker.doubt for word in self.words)


class Load:
    """`clients` of every provider, until `stop`, or until the gateway is gone."""

    def __init__(self, url: str, names: Sequence[str], *, clients: int = 2, seed: int = 0) -> None:
        self._url, self._names, self._clients, self._seed = url, names, clients, seed
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.movements: list[Movement] = []

    @property
    def answered(self) -> int:
        return sum(len(movement.answers) for movement in self.movements)

    def begin(self) -> None:
        for name in self._names:
            self._tasks += [asyncio.create_task(self._play(name, number)) for number in range(self._clients)]

    async def reach(self, answers: int) -> None:
        """Until so many more answers have come."""
        wanted = self.answered + answers
        await until(lambda: self.answered >= wanted or all(task.done() for task in self._tasks), 30)
        assert self.answered >= wanted, "every provider has stopped"

    async def stop(self) -> None:
        self._over.set()
        await self.ended()

    async def ended(self) -> None:
        """Everybody has heard, or has met nobody."""
        async with asyncio.timeout(30):
            await asyncio.gather(*self._tasks)

    def moved(self, player: str) -> int:
        """What answers told about this player, in cents."""
        return sum({"bet": -250, "win": 1000}[m.call] for m in self.movements if m.taken and m.player == player)

    @property
    def players(self) -> set[str]:
        return {movement.player for movement in self.movements}

    async def _play(self, name: str, number: int) -> None:
        chance, player = random.Random(f"{self._seed}/{name}/{number}"), f"{name}-{self._seed}-{number}"
        async with httpx.AsyncClient(base_url=self._url, trust_env=False) as client:
            while not self._over.is_set():
                bet = self._new(name, "bet", player)
                # Gameball hears "already used" where it asks twice, which is no decision of the first asking.
                twice = name != "gb" and chance.random() < TWICE
                if number % 2:  # and some never keep a connection
                    bet.sent = bet.sent.but(connection="close")
                if not await self._say(client, bet, 2 if twice else 1):
                    return
                if bet.taken and chance.random() < WINS and not await self._say(client, self._won(bet), 1):
                    return

    def _new(self, name: str, call: str, player: str, reference: str = "") -> Movement:
        tx_id = new_id()
        sent = SPEAKERS[name].good(call, tx_id, player, reference)
        movement = Movement(name=name, call=call, id=tx_id, player=player, sent=sent, answers=[])
        self.movements.append(movement)
        return movement

    def _won(self, bet: Movement) -> Movement:
        return self._new(bet.name, "win", bet.player, bet.id)

    async def _say(self, client: httpx.AsyncClient, movement: Movement, times: int) -> bool:
        """Whether every asking was answered."""
        heard = await asyncio.gather(*(self._one(client, movement) for _ in range(times)))
        return all(heard)

    async def _one(self, client: httpx.AsyncClient, movement: Movement) -> bool:
        try:
            movement.answers.append(await speak(client, movement.sent))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            movement.refused += 1
        except httpx.TransportError:
            movement.lost += 1
        else:
            return True
        return False
