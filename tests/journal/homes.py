"""Where a journal of a test lives, and movements to put into it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.engine.journal import Intent, Movement
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

    async def execute(self, sql: str) -> None:
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
    given = {"player": "anna", "currency": "EUR", "session": "s-1", "round": Round("r-1")} | said
    return Transaction(act=act, id=id, **given)


def movement(act: Any, id: str, *, key: str = "", node: str = "n-1", lease: timedelta = HOUR, **said: Any) -> Movement:
    """As the engine makes one: carried by `node`, its first attempt journalled."""
    fields = {name: said.pop(name) for name in ("provider", "wallet", "parent", "route") if name in said}
    tx, at = transaction(act, id, **said), now()
    given = {"provider": "acme", "wallet": "main"} | fields
    return Movement(
        key=key or f"{given['provider']}/{tx.kind.value}/{id}", space=tx.kind.value, kind=tx.kind, tx=tx,
        fingerprint="f", alias=f"a-{id}", attempts=1, asked_at=at, owner=node, due_at=at + lease, created_at=at, **given,
    )  # fmt: skip


def bet(id: str, **said: Any) -> Movement:
    return movement(Debit(amount=Decimal("12.50")), id, **said)


def win(id: str, **said: Any) -> Movement:
    return movement(Credit(amount=Decimal(20)), id, **said)


def cancel(of: str, id: str = "", **said: Any) -> Movement:
    act = Rollback(
        reference=of, reference_kind=Kind.DEBIT, scope=said.pop("scope", "transaction"), amount=said.pop("amount", None)
    )
    return movement(act, id or f"c-{of}", **said)


def debit_intent(m: Movement) -> Intent:
    return Intent(movement=m, buried_by=(Kind.DEBIT,))


def win_intent(m: Movement) -> Intent:
    return Intent(movement=m, buried_by=(Kind.CREDIT,), wins=True)


def cancel_intent(m: Movement, **more: Any) -> Intent:
    given = {"targets": (Kind.DEBIT,)} | more
    return Intent(movement=m, **given)


__all__ = ["Home", "PostgresHome", "SqliteHome"]
