"""What a simulated wallet remembers: immutable rows, so that a batch can be taken back whole."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from gateway.dialect import Dialect
from gateway.ends import StatusBy
from gateway.model import Adjust, Capture, Credit, Debit, Kind, Outcome, Reserve, Rollback, Settle, Transaction

ZERO = Decimal(0)
Place = tuple[str, str, str]
"""(provider, kind, id); in a wallet with one id space the first two are blank."""


class Rules(Struct, frozen=True, kw_only=True):
    """How this wallet behaves where dialects differ. `native`: as adapters/native/NOTES.md says."""

    native: bool = False
    tombstones: bool = False  # remembers rollbacks of movements that it never saw
    current_balance: bool = False  # a replay shows the balance of now
    several: bool = False  # partial rollbacks until nothing is left
    cuts: bool = False  # a rollback of more than is left gives what is left
    whole: bool = False  # a rollback gives back the whole debit, whatever its amount says
    lists: bool = False  # a status is answered with the movement itself
    undoes: frozenset[Kind] = frozenset()  # kinds that a rollback may mean beside the one it names
    one_end: bool = False  # a bet is won once or cancelled, and its win is called as the bet is
    by_stake: bool = False  # a cancel means the newest open bet of its round and amount, or the next one that comes


BURIES = frozenset({"kyren", "pragmatic_play"})
"""Kyren: whatever a Cancel or Refund names is buried (its NOTES), although no caller may rely on it; so is what a refund of
Pragmatic Play names."""


def rules_of(dialect: Dialect) -> Rules:
    """The rules that a dialect's page gives its wallets."""
    native = dialect.name == "native"
    return Rules(
        native=native,
        tombstones=dialect.as_wallet.tombstones or dialect.name in BURIES,
        current_balance=native or dialect.as_provider.replay_balance != "stored",  # we ask again under a new request id
        several=native or dialect.as_provider.partial,
        cuts=native or dialect.as_provider.excess in ("pass", "cut"),
        whole=dialect.as_wallet.undoes_whole,
        lists=dialect.as_provider.status_by is StatusBy.ALL,
        undoes=frozenset(kind for kinds in dialect.as_provider.rollback_kinds.values() for kind in kinds),
        one_end=dialect.as_provider.one_end or dialect.as_wallet.one_win,
        by_stake=dialect.by_stake,
    )


class Entry(Struct, frozen=True, kw_only=True):
    """One movement that was applied. Signs are the player's: a debit moves less than nothing."""

    wallet_id: str
    provider: str
    kind: Kind
    id: str
    player: str
    currency: str
    round_id: str
    reference: str
    delta: Decimal  # what it moved
    worth: Decimal  # what undoing all of it gives back
    at: datetime
    undone: Decimal = ZERO  # how much of `worth` was given back, as an amount
    undone_by: str = ""  # wallet id of the last rollback

    @property
    def left(self) -> Decimal:
        return abs(self.worth) - self.undone

    @property
    def over(self) -> bool:
        """Whether there is nothing to undo any more."""
        return bool(self.undone_by) and self.left <= 0


class Hold(Struct, frozen=True, kw_only=True):
    """A reserve. `state`: active, used, released, expired."""

    place: Place
    player: str
    currency: str
    held: Decimal
    expires_at: datetime | None
    state: str = "active"


class Decision(Struct, frozen=True):
    """What was answered to a movement first."""

    content: tuple[object, ...]
    outcome: Outcome
    tx: Transaction | None = None  # for a status that tells the movement itself


def content_of(tx: Transaction) -> tuple[object, ...]:
    """The fields that make it the same movement (rule 2)."""
    act = tx.act
    match act:
        case Settle():
            amounts: tuple[Decimal | None, ...] = (act.debit, act.credit)
        case Debit() | Credit() | Adjust() | Reserve() | Capture() | Rollback():
            amounts = (act.amount,)
        case _:
            amounts = ()
    reference = (getattr(act, "reference", ""), getattr(act, "reference_kind", None))
    return (tx.kind, tx.player, tx.currency, amounts, reference, tx.round_id)


def takes(tx: Transaction) -> Decimal:
    """How much cash the movement needs before it can be made; zero for what gives."""
    match tx.act:
        case Debit() as act:
            return ZERO if act.free_round or act.tracking_only else act.amount
        case Settle() as act:
            return ZERO if act.free_round else act.debit
        case Adjust() as act:
            return max(-act.amount, ZERO)
        case Reserve() as act:
            return act.amount
        case _:
            return ZERO
