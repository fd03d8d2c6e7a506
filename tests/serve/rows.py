"""Movements for a journal, as a gateway would have left them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from gateway.engine.journal import Change, Steps, Write
from gateway.engine.movement import Movement, decided, doubted, left
from gateway.engine.states import State
from gateway.journal.sqlite import SqliteJournal
from gateway.model import Accepted, Credit, Debit, Profile, Round, Transaction


def now() -> datetime:
    """When it is asked for: a test session may be longer than a request may be in flight."""
    return datetime.now(UTC)


def bet(number: int, *, minutes_old: int = 0, player: str = "anna") -> Movement:
    tx = Transaction(
        act=Debit(amount=Decimal("12.50")), id=f"b/{number}", player=player, session="sess-secret", currency="EUR",
        round=Round("r-1"), extra={"token": "tok-secret"},
    )  # fmt: skip
    began = now() - timedelta(minutes=minutes_old)
    return Movement(
        key=f"acme-id/debit/b%2F{number}", provider="acme-id", space="debit", kind=tx.kind, tx=tx, fingerprint="f",
        wallet="main", alias=f"a-{number}", attempts=1, asked_at=began, created_at=began,
    )  # fmt: skip


def win(number: int) -> Movement:
    tx = Transaction(act=Credit(amount=Decimal(20)), id=f"w{number}", player="bob", currency="EUR")
    return Movement(
        key=f"acme-id/credit/w{number}", provider="acme-id", space="credit", kind=tx.kind, tx=tx, fingerprint="f",
        wallet="main", attempts=1, asked_at=now(), created_at=now(),
    )  # fmt: skip


async def inserted(journal: SqliteJournal, movement: Movement) -> None:
    def steps(again: bool) -> Steps[None]:
        yield Write(insert=(movement,))

    await journal.make(Change(steps=steps, key=movement.key))


async def fill(journal: SqliteJournal) -> None:
    """b/1 accepted, b/2 in doubt for ten minutes, w1 owed, w2 for a person."""
    profile = Profile(player="anna", session="sess-secret")
    yes = Accepted(balance=Decimal("87.50"), currency="EUR", profile=profile)
    rows = (
        decided(bet(1), yes, now(), "a-call"),
        doubted(left(bet(2, minutes_old=10), State.DOUBT, "no answer", now()), now()),
        doubted(left(win(1), State.OWED, "", now()), now()),
        doubted(left(win(2), State.PERSON, "it cannot be said", None), now()),
    )
    for movement in rows:
        await inserted(journal, movement)


def filled(path: Path, *, asking: bool = False) -> None:
    """A journal on disk that no process owns any more; `asking`: one died in the middle of a call."""

    async def make() -> None:
        journal = await SqliteJournal.start(str(path), now())
        await fill(journal)
        if asking:
            await inserted(journal, bet(3))
        await journal.close()

    asyncio.run(make())
