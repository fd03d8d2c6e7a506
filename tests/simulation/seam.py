"""The one place of the simulation that knows how the engine is made inside, so that it can be switched.

Everything else sees the engine from outside: calls, answers, the journal's rows, a wallet's book.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.engine.errand import Errand
from gateway.engine.exchange import Exchange
from gateway.engine.journal import Doubt, Journal
from gateway.engine.movement import Movement
from gateway.engine.pipeline import Engine
from gateway.engine.setup import Setup, Wallet
from gateway.engine.words import Way
from gateway.http import Request
from gateway.journal.kept import KeptJournal
from gateway.model import Transaction
from gateway.serve.placed import misplaced


def busy(engine: Engine) -> bool:
    """Whether something is in the air, or being driven, in this process."""
    return engine.busy()


def noting(engine: Engine, note: Callable[[str, Wallet, Request, Transaction], None]) -> None:
    """Whatever the engine tells a wallet is noted: whose it is, the wallet, the request and what it says there."""
    real = engine.exchanges.ask

    async def ask(errand: Errand, way: Way, request: Request, tx: Transaction, currency: str, **more: bool) -> Exchange:
        note(errand.provider.id, way.wallet, request, tx)
        return await real(errand, way, request, tx, currency, **more)

    engine.exchanges.ask = ask  # type: ignore[method-assign]  # the same words


def ours(row: Movement) -> bool:
    """Whether it is the gateway's own (rule 12)."""
    return row.ours


async def may_begin(journal: Journal, setup: Setup) -> bool:
    """Whether a process begins with this configuration (rule 25)."""
    return not misplaced(setup, await journal.unresolved())


async def say_doubt(journal: KeptJournal, since: datetime, now: datetime) -> None:
    """`gateway journal doubt --since`: the journal was told that it forgot (rule 30)."""
    await journal.doubt(Doubt(since=since, said_at=now), "restored", "ops")
