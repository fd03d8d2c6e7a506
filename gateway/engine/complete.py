"""What the wire did not say: player, currency and session (rules 21, 22)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.currency import Currencies
from gateway.engine.identity import same_player
from gateway.engine.journal import Ask, Look, Looks
from gateway.engine.movement import Movement, Session
from gateway.engine.setup import Provider
from gateway.model import (
    MONEY_KINDS,
    Authenticate,
    Batch,
    Capture,
    Game,
    Kind,
    Reason,
    Refused,
    Release,
    Rollback,
    Round,
    Status,
    Transaction,
    amounts,
    reference_of,
    with_amounts,
)

OF_THE_PAST = frozenset({Kind.BATCH, Kind.CLOSE_SESSION})
"""Calls beside the movements that are about what the player did before, so in the currency of that."""


class Completed(Struct, frozen=True, kw_only=True):
    """A transaction with what is known, and where it came from."""

    tx: Transaction
    session: Session | None = None  # where it goes: the one that it says, else its player's last one
    launched: Session | None = None  # the one that its token names, whoever plays there
    expired: bool = False  # the session was once good
    spoke: bool = True  # the wire itself said the currency
    meant: Movement | None = None  # what its reference names, where that was looked for

    @property
    def asks_who(self) -> bool:
        """Whether player or currency is missing, and a session may say it (rule 21)."""
        tx = self.tx
        if not tx.session or isinstance(tx.act, Authenticate):
            return False
        needs_currency = tx.kind in MONEY_KINDS and not isinstance(tx.act, Rollback | Capture)
        return not tx.player or (needs_currency and not tx.currency)

    def _undoes_all(self) -> bool:
        """A win that its currency has no coin for is kept as it was said, and undone as it was said."""
        act = self.tx.act
        return isinstance(act, Rollback) and self.meant is not None and amounts(self.meant.tx.act) == (act.amount,)

    @property
    def nobody(self) -> Reason:
        """What is said where nobody knows who plays: the session is over, or there was none."""
        return Reason.SESSION_EXPIRED if self.expired else Reason.NOT_AUTHENTICATED

    def checked(self, currencies: Currencies) -> Completed:
        """Its amounts with the currency's digits, where the wire did not say it. Raises `Refused`."""
        if self.spoke or not self.tx.currency or self._undoes_all():
            return self
        return replace(self, tx=amounts_checked(self.tx, currencies))


def completing(provider: Provider, tx: Transaction, now: datetime) -> Looks[Completed]:
    """Fills from the launch, the movement meant, the player's past and the settings, in this order. Raises `Refused` where
    its session is another's, and its dialect says that this may not be."""
    wire = tx
    tx = yield from _named(provider, tx)
    launched, meant, last = yield from _first_look(provider, tx)
    session = launched
    expired = session is not None and session.expires_at is not None and session.expires_at <= now
    if session is not None and tx.player and session.player != tx.player:
        if provider.dialect.own_sessions:
            raise Refused(Reason.PLAYER_NOT_FOUND, "its session is another player's")
        session = None  # another player's session says nothing about this one
    if session is not None:
        tx = replace(tx, player=tx.player or session.player, currency=tx.currency or session.currency)
        if provider.dialect.game_of_session and session.game and not tx.game_id:
            tx = replace(tx, game=replace(tx.game or Game(), id=session.game))
    mine = [m for m in meant if same_player(tx.player, m.tx.player)]
    target = next((m for kind in reference_kinds(provider, tx.act) for m in mine if m.kind is kind), None)
    if target is not None:
        currency = wire.currency or target.tx.currency or tx.currency  # of what it means, before its session's
        tx = replace(tx, player=tx.player or target.tx.player, currency=currency)
        if tx.round is None and target.tx.round is not None:
            tx = replace(tx, round=Round(target.tx.round.id))
        if isinstance(tx.act, Rollback):  # what it undoes is what the journal has there; the wire may not tell
            tx = replace(tx, act=replace(tx.act, reference_kind=target.kind))
    if not tx.player and provider.dialect.else_player is not None:
        tx = replace(tx, player=provider.dialect.else_player(tx, provider.settings))
    if not tx.currency and tx.player and (tx.kind in MONEY_KINDS or tx.kind in OF_THE_PAST):
        tx = replace(tx, currency=(yield from _last_currency(provider, tx.player)))
    tx = replace(tx, currency=tx.currency or provider.currency)
    rescaled = provider.dialect.rescaled
    if rescaled is not None and tx.currency and not wire.currency:
        currency, settings = tx.currency, provider.settings
        tx = replace(tx, act=with_amounts(tx.act, lambda amount: rescaled(amount, currency, settings)))
    return Completed(
        tx=tx, session=session or last, launched=launched, expired=expired, spoke=bool(wire.currency), meant=target
    )


def _named(provider: Provider, tx: Transaction) -> Looks[Transaction]:
    """With the id that its reference stands for, where its page writes it in several ways: of what is undone as a whole that
    of the amount which is said, if there is one."""
    kinds, said, first = reference_kinds(provider, tx.act), amounts(tx.act), ""
    for id in provider.dialect.also_named(tx):
        (found,) = yield Look((Ask("found", (provider.id, id)),))
        known = [m for m in found if m.kind in kinds and same_player(tx.player, m.tx.player)]
        first = first or (id if known else "")
        if any(m.kind not in provider.dialect.whole_only or amounts(m.tx.act) == said for m in known):
            first = id
            break
    return replace(tx, act=replace(tx.act, reference=first)) if first else tx


def _first_look(provider: Provider, tx: Transaction) -> Looks[tuple[Session | None, list[Movement], Session | None]]:
    """The launch that its token names, what it means and, where the wire says no session, its player's last one: that is
    told to the wallet, so it says which wallet (rule 22).

    *The operator had handed over another wallet and its session: the bet went by the routes, with the session of that
    other wallet.*
    """
    asks, silent = [], not tx.session and bool(tx.player) and not isinstance(tx.act, Authenticate)
    if silent:
        asks.append(Ask("last_session", (provider.id, tx.player, tx.game_id)))
    elif tx.session:
        asks.append(Ask("session", (provider.id, tx.session)))
    if isinstance(tx.act, Authenticate) and tx.act.launch_token:  # a session of the provider's own is new at its launch
        asks.append(Ask("session_by_launch", (provider.id, tx.act.launch_token)))
    means = isinstance(tx.act, Rollback | Capture | Release | Status) and bool(reference_of(tx.act))
    opened = tx.kind in MONEY_KINDS and tx.player and tx.currency and tx.round is not None  # then the opening finds it
    lacks = means and not opened
    if lacks:
        asks.append(Ask("found", (provider.id, reference_of(tx.act))))
    found = yield Look(tuple(asks))
    meant: list[Movement] = found[-1] if lacks else []
    known = found[:-1] if lacks else found
    one: Session | None = next((session for each in known for session in each), None)
    return (None, meant, one) if silent else (one, meant, None)


def _last_currency(provider: Provider, player: str) -> Looks[str]:
    """The player's currency from the last call of that player."""
    latest, sessions = yield Look(
        (Ask("latest", (provider.id, player, "")), Ask("last_session", (provider.id, player, "")))
    )
    said = [m.tx.currency for m in latest] + [session.currency for session in sessions]
    return next((currency for currency in said if currency), "")


def reference_kinds(provider: Provider, act: object) -> tuple[Kind, ...]:
    """The kinds that a reference of this provider may mean in the journal, the likeliest first."""
    if isinstance(act, Rollback):
        return provider.dialect.rollback_kinds.get(act.reference_kind.value, (act.reference_kind,))
    if isinstance(act, Status):
        return (act.reference_kind,)
    return (Kind.RESERVE,) if isinstance(act, Capture | Release) else ()


def amounts_checked(tx: Transaction, currencies: Currencies, otherwise: str = "") -> Transaction:
    """The amounts with the digits of its currency, now that it is known; of an item that names none, of its batch's.
    Raises `Refused`."""
    act, currency = tx.act, tx.currency or otherwise
    if isinstance(act, Batch):
        items = tuple(amounts_checked(item, currencies, currency) for item in act.items)
        return replace(tx, act=replace(act, items=items))
    return replace(tx, act=with_amounts(act, lambda amount: currencies.exact(amount, currency)))
