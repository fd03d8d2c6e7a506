"""Where a journal of a test lives, and movements to put into it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from gateway.engine.journal import Ask, Change, Look, Looks, Put, Steps, Write
from gateway.engine.movement import Movement
from gateway.journal.kept import KeptJournal
from gateway.journal.postgres import PostgresJournal
from gateway.journal.sqlite import SqliteJournal
from gateway.model import Accepted, Credit, Debit, Kind, Rollback, Round, Transaction
from tests.postgres import Server

_numbers = itertools.count(1)
HOUR = timedelta(hours=1)
YES = Accepted(balance=Decimal("87.50"), currency="EUR")


def now() -> datetime:
    return datetime.now(UTC)


class Home:
    """A database of a test's own. `journal` is a process that uses it; `again` the next one."""

    def __init__(self) -> None:
        self._journals: list[KeptJournal] = []

    async def journal(self) -> KeptJournal:
        self._journals.append(await self._start())
        return self._journals[-1]

    async def again(self, journal: KeptJournal) -> KeptJournal:
        """The process ended, and another one starts."""
        self._journals.remove(journal)
        await journal.close()
        return await self.journal()

    async def close(self) -> None:
        for journal in self._journals:
            await journal.close()

    async def _start(self) -> KeptJournal:
        raise NotImplementedError


class SqliteHome(Home):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / f"journal-{next(_numbers)}.db"

    async def _start(self) -> KeptJournal:
        return await SqliteJournal.start(str(self.path), now())


class PostgresHome(Home):
    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server, self.name = server, f"journal_{next(_numbers)}"
        self.url = server.create(self.name)

    async def _start(self) -> KeptJournal:
        return await PostgresJournal.start(self.url)


def transaction(act: Any, id: str, **said: Any) -> Transaction:
    given: dict[str, Any] = {"player": "anna", "currency": "EUR", "session": "s-1", "round": Round("r-1")} | said
    return Transaction(act=act, id=id, **given)


def movement(act: Any, id: str, *, key: str = "", node: str = "n-1", lease: timedelta = HOUR, **said: Any) -> Movement:
    """As the engine makes one: carried by `node`, its first attempt journalled."""
    fields = {
        name: said.pop(name)
        for name in ("provider", "wallet", "parent", "route", "target", "batch", "ours", "undone_by")
        if name in said
    }
    tx, at = transaction(act, id, **said), now()
    given: dict[str, Any] = {"provider": "acme", "wallet": "main"} | fields
    return Movement(
        key=key or f"{given['provider']}/{tx.kind.value}/{id}", space=tx.kind.value, kind=tx.kind, tx=tx,
        fingerprint="f", alias=f"a-{id}", attempts=1, asked_at=at, owner=node, due_at=at + lease, created_at=at, **given,
    )  # fmt: skip


def bet(id: str, **said: Any) -> Movement:
    return movement(Debit(amount=Decimal("12.50")), id, **said)


def win(id: str, **said: Any) -> Movement:
    return movement(Credit(amount=Decimal(20), reference=said.pop("of", "")), id, **said)


def cancel(of: str, id: str = "", **said: Any) -> Movement:
    act = Rollback(
        reference=of, reference_kind=Kind.DEBIT, scope=said.pop("scope", "transaction"), amount=said.pop("amount", None)
    )
    return movement(act, id or f"c-{of}", **said)


# ---------------------------------------------------------------- what the engine says to a journal


def writing(write: Write, key: str = "") -> Change[bool]:
    def steps(again: bool) -> Steps[bool]:
        held: bool = yield write
        return held

    return Change(steps=steps, key=key)


async def wrote(journal: KeptJournal, *puts: Put, **more: Any) -> bool:
    return await journal.make(writing(Write(puts=puts, **more)))


async def opened(journal: KeptJournal, m: Movement, **more: Any) -> Movement:
    """There, and as it was read."""
    assert await wrote(journal, insert=(m,), **more)
    return await found(journal, m.key)


async def found(journal: KeptJournal, key: str) -> Movement:
    m = await journal.get(key)
    assert m is not None, key
    return m


def looking(query: str, *values: Any) -> Looks[list[Any]]:
    return (yield Look((Ask(query, values),)))[0]


async def looked(journal: KeptJournal, query: str, *values: Any) -> list[Any]:
    return await journal.look(looking(query, *values))


def steady(m: Movement) -> Movement:
    """Without what a database's clock says."""
    return replace(m, due_at=None, lease_over=None)


__all__ = ["Home", "PostgresHome", "SqliteHome"]
