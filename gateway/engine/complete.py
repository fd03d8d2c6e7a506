"""What the wire did not say: player, currency and session (SEMANTICS.md 21, 22)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.currency import Currencies
from gateway.engine.identity import same_player
from gateway.engine.journal import Journal, Movement, Session
from gateway.engine.setup import Provider
from gateway.model import (
    MONEY_KINDS,
    Adjust,
    Authenticate,
    Batch,
    Capture,
    Credit,
    Debit,
    Kind,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Transaction,
)


class Completed(Struct, frozen=True, kw_only=True):
    """A transaction with what is known, and where it came from."""

    tx: Transaction
    session: Session | None = None
    expired: bool = False  # the session was once good
    target: Movement | None = None  # of a rollback, capture or release that says too little, if the journal has it


async def complete(journal: Journal, provider: Provider, tx: Transaction, now: datetime) -> Completed:
    """Fills from the launch, the movement meant, the player's past and the settings, in this order."""
    session = await _session(journal, provider, tx)
    expired = session is not None and session.expires_at is not None and session.expires_at <= now
    if session is not None and tx.player and session.player != tx.player:
        session = None  # another player's session says nothing about this one
    if session is not None:
        tx = replace(tx, player=tx.player or session.player, currency=tx.currency or session.currency)
    target = await _meant(journal, provider, tx)
    if target is not None and same_player(tx.player, target.tx.player):
        tx = replace(tx, player=tx.player or target.tx.player, currency=tx.currency or target.tx.currency)
        if tx.round is None and target.tx.round is not None:
            tx = replace(tx, round=Round(target.tx.round.id))
    if not tx.currency and tx.player and (tx.kind in MONEY_KINDS or tx.kind is Kind.BATCH):
        tx = replace(tx, currency=await _last_currency(journal, provider, tx.player))
    return Completed(
        tx=replace(tx, currency=tx.currency or provider.currency), session=session, expired=expired, target=target
    )


async def _session(journal: Journal, provider: Provider, tx: Transaction) -> Session | None:
    found = await journal.session(provider.id, tx.session) if tx.session else None
    if found is None and isinstance(tx.act, Authenticate) and tx.act.launch_token:
        found = await journal.session_by_launch(provider.id, tx.act.launch_token)
    return found


async def _meant(journal: Journal, provider: Provider, tx: Transaction) -> Movement | None:
    act = tx.act
    if not isinstance(act, Rollback | Capture | Release) or (tx.player and tx.currency and tx.round is not None):
        return None  # nothing is missing: the journal finds it when it opens the movement
    if not act.reference:
        return None
    return await journal.find(provider.id, reference_kinds(provider, act), act.reference)


def reference_kinds(provider: Provider, act: object) -> tuple[Kind, ...]:
    """The kinds that a reference of this provider may mean in the journal, the likeliest first."""
    if isinstance(act, Rollback):
        return provider.dialect.rollback_kinds.get(act.reference_kind.value, (act.reference_kind,))
    return (Kind.RESERVE,) if isinstance(act, Capture | Release) else ()


async def _last_currency(journal: Journal, provider: Provider, player: str) -> str:
    """The player's currency from the last call of that player."""
    last = await journal.latest(provider.id, player)
    if last is not None and last.tx.currency:
        return last.tx.currency
    session = await journal.last_session(provider.id, player)
    return session.currency if session else ""


def amounts_checked(tx: Transaction, currencies: Currencies) -> Transaction:
    """The amounts with the currency's digits, now that it is known. Raises `Refused`."""

    def exact(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else currencies.exact(amount, tx.currency)

    act = tx.act
    match act:
        case Debit() | Credit() | Adjust() | Reserve() | Rollback() | Capture():
            return replace(tx, act=replace(act, amount=exact(act.amount)))
        case Settle():
            return replace(tx, act=replace(act, debit=exact(act.debit), credit=exact(act.credit)))
        case Batch():
            return replace(tx, act=replace(act, items=tuple(amounts_checked(item, currencies) for item in act.items)))
        case _:
            return tx
