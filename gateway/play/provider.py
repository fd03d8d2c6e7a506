"""Plays a provider over HTTP: several players at once, then its book."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from gateway.auth.guards import hmac_signature
from gateway.auth.keys import Key
from gateway.currency import Currencies
from gateway.dialect import Dialect
from gateway.http import Request
from gateway.play.caller import Caller
from gateway.play.client import sender
from gateway.play.player import Player, Totals, totals_for


class Plan(Struct, frozen=True, kw_only=True):
    """What is played."""

    players: int = 3
    rounds: int = 10
    rate: float = 0.0  # rounds a second, all players together; 0 = as fast as it goes
    seed: int = 0
    prefix: str = "demo-"  # of the players' names


class Guard(Struct, frozen=True, kw_only=True):
    """What the gateway's guard wants of a caller, beside the dialect's own signature."""

    headers: Mapping[str, str] = {}
    hmac: str = ""

    def dress(self, request: Request) -> Request:
        request = request.put(*self.headers.items())
        if not self.hmac:
            return request
        timestamp = str(int(datetime.now(UTC).timestamp()))
        signature = hmac_signature(self.hmac, timestamp, request)
        return request.put(("x-gw-timestamp", timestamp), ("x-gw-signature", signature))


@contextlib.asynccontextmanager
async def calling(
    dialect: Dialect,
    settings: Any,
    keys: tuple[Key, ...],
    url: str,
    *,
    currency: str = "EUR",
    guard: Guard | None = None,
) -> AsyncIterator[Callable[..., Caller]]:
    """A caller on real HTTP, real time and real chance; `caller(heard=...)` sets what may differ."""
    parts = urlsplit(url)
    guard = guard or Guard()
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:

        def caller(**more: Any) -> Caller:
            return Caller(
                dialect=dialect,
                settings=settings,
                keys=keys,
                send=sender(client, f"{parts.scheme}://{parts.netloc}"),
                clock=lambda: datetime.now(UTC),
                nonce=lambda: str(uuid.uuid4()),
                prefix=parts.path.rstrip("/"),
                dress=guard.dress,
                currency=currency,
                currencies=Currencies(),
                **{"sleep": asyncio.sleep, **more},
            )

        yield caller


async def play(caller: Caller, plan: Plan) -> list[Totals]:
    """All players at once, each one's calls in order."""
    books = [totals_for(f"{plan.prefix}{n}", caller.currency) for n in range(1, plan.players + 1)]
    pause = plan.players / plan.rate if plan.rate else 0.0

    async def one(number: int, totals: Totals) -> None:
        player = Player(caller, totals, plan.seed, number)
        await player.arrive()
        for _ in range(plan.rounds):
            await player.play()
            await asyncio.sleep(pause)

    await asyncio.gather(*(one(number, totals) for number, totals in enumerate(books)))
    return books


def summary(dialect: str, seed: int, books: Sequence[Totals]) -> dict[str, Any]:
    """The book as plain values; amounts are texts."""
    calls: Counter[str] = sum((book.calls for book in books), Counter())
    return {
        "dialect": dialect,
        "seed": seed,
        "calls": dict(sorted(calls.items())),
        "in_doubt": [tx_id for book in books for tx_id in book.in_doubt],
        "unsaid": sorted({what for book in books for what in book.unsaid}),
        "players": [
            {
                "player": book.player,
                "currency": book.currency,
                "rounds": book.rounds,
                "bets": f"{book.bets:f}",
                "wins": f"{book.wins:f}",
                "refunds": f"{book.refunds:f}",
                "net": f"{book.net:f}",
                "declined": book.declined,
                "cancelled": book.cancelled,
                "repeats": book.repeats,
                "balance": None if book.balance is None else f"{book.balance:f}",
            }
            for book in books
        ],
    }


def reached(books: Sequence[Totals]) -> bool:
    """Whether anybody ever answered."""
    return any(book.calls[word] for book in books for word in ("accepted", "declined", "unknown"))
