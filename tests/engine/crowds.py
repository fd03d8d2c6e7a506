"""Journals that are full: a round of thousands of movements, a wallet that is owed a hundred thousand.

What fills them is written through the journal as the engine writes, decided or due, and never sent: so
that what is measured beside it takes the time, and not how it came to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.engine.identity import fingerprint, key_of
from gateway.engine.journal import Write
from gateway.engine.movement import Movement, decided
from gateway.engine.setup import Wallet
from gateway.engine.states import State
from gateway.journal import rows, sqlite
from gateway.model import Accepted, Declined, Reason, Transaction
from tests.engine.acts import bet, undo, win
from tests.journal.homes import writing
from tests.simulation.bench import Bench, at_once

AT_ONCE = 1000  # rows of one transaction
HOUR = timedelta(hours=1)
YES = Accepted(balance=Decimal("987.50"), currency="EUR", wallet_id="w-1")
NO = Declined(reason=Reason.INSUFFICIENT_FUNDS)


def row(bench: Bench, tx: Transaction, wallet: Wallet | None = None, **more: Any) -> Movement:
    """As the engine makes one that was asked once."""
    provider, wallet, now = bench.provider, wallet or bench.wallet, bench.scheduler.clock()
    return Movement(
        key=key_of(provider.dialect, provider.id, tx.kind.value, tx), provider=provider.id, space=tx.kind.value,
        kind=tx.kind, tx=tx, fingerprint=fingerprint(tx), wallet=wallet.name, place=wallet.place, alias=tx.id,
        attempts=1, asked_at=now, created_at=now, **more,
    )  # fmt: skip


def put(bench: Bench, movements: Iterable[Movement]) -> None:
    found = list(movements)
    for first in range(0, len(found), AT_ONCE):
        assert at_once(bench.journal.make(writing(Write(insert=tuple(found[first : first + AT_ONCE])))))


# ---------------------------------------------------------------- a round


def in_a_round(bench: Bench, number: int, *, wins: bool) -> None:
    """So many movements of one player in one round: bets that stand, bets that were refused, bets with their
    cancels and, where `wins`, wins that name a bet and wins that name none."""
    put(bench, _ended(bench, _round(bench, number, wins=wins)))


def _round(bench: Bench, number: int, *, wins: bool) -> Iterator[Movement]:
    made = 0
    for n in range(number):
        stands, refused = row(bench, bet(f"r{n}-a")), row(bench, bet(f"r{n}-b"))
        cancelled, cancel = row(bench, bet(f"r{n}-c")), row(bench, undo(f"r{n}-d", f"r{n}-c"))
        cancelled, cancel = replace(cancelled, undone_by=cancel.key), replace(cancel, target=cancelled.key)
        won = (row(bench, win(f"r{n}-e", of=f"r{n}-a")), row(bench, win(f"r{n}-f"))) if wins else ()
        for each in (stands, *won, cancelled, cancel, refused):
            yield each
            made += 1
            if made == number:
                return


def _ended(bench: Bench, movements: Iterable[Movement]) -> Iterator[Movement]:
    now = bench.scheduler.clock()
    for each in movements:
        yield decided(each, NO if each.tx.id.endswith("-b") else YES, now, "before")


# ---------------------------------------------------------------- what is owed


def owed(bench: Bench, wallet: Wallet, number: int) -> None:
    """So many wins that a wallet did not confirm, each in a round of its own, due for an hour and more.

    One is written as the engine writes it, and SQLite makes the others of it: seconds, not minutes.
    """
    name, now = f"{wallet.name}.0.", bench.scheduler.clock()
    first = row(bench, win(name, "1.00", round_id=name), wallet)
    put(bench, [replace(first, state=State.OWED, told="unknown", told_at=now, due_at=now - HOUR, tries=9)])
    renamed = {column: f"replace({column}, ?1, ?2 || n || '.')" for column in ("key", "id", "alias", "round", "intent")}
    values = ", ".join((renamed | {"due_at": "due_at - n"}).get(column, column) for column in rows.INSERTED)
    connection = sqlite.connect(str(bench.path))
    connection.execute(
        f"""WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?3)
        INSERT INTO movements ({", ".join(rows.INSERTED)})
        SELECT {values} FROM movements, numbers WHERE key = ?4 AND ?3 > 0""",
        (name, f"{wallet.name}.", number - 1, first.key),
    )
    connection.close()


__all__ = ["in_a_round", "owed", "put", "row"]
