"""What the wire did not say: player, currency and session (rules 21, 22)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import same
from gateway.currency import Currencies
from gateway.ends import StatusBy
from gateway.engine.identity import key_of, kinds_beside, same_player
from gateway.engine.journal import Ask, Look, Looks
from gateway.engine.movement import Movement, Session
from gateway.engine.setup import Provider
from gateway.model import (
    MONEY_KINDS,
    Authenticate,
    Batch,
    Capture,
    Credit,
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
    silent: bool = False  # the wire said no session: it is that last one, or there is none
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
        """A win that its currency has no coin for is kept as it was said, and undone as it was said. An amount that stands for
        the name of a bet (`Dialect.by_stake`) is that bet's, or moves nothing."""
        act = self.tx.act
        if not isinstance(act, Rollback):
            return False
        return not act.reference or (self.meant is not None and amounts(self.meant.tx.act) == (act.amount,))

    @property
    def nobody(self) -> Reason:
        """What is said where nobody knows who plays: the session is over, or there was none."""
        return Reason.SESSION_EXPIRED if self.expired else Reason.NOT_AUTHENTICATED

    def checked(self, currencies: Currencies) -> Completed:
        """Its amounts with the currency's digits, where the wire did not say it. Raises `Refused`."""
        if self.spoke or not self.tx.currency or self._undoes_all():
            return self
        return replace(self, tx=amounts_checked(self.tx, currencies))


def completing(provider: Provider, tx: Transaction, now: datetime, space: str = "") -> Looks[Completed]:
    """Fills from the launch, the movement meant, the player's past and the settings, in this order. Raises `Refused` where
    its session is another's, and its dialect says that this may not be. `space`: of a movement, the space of its key."""
    wire = tx
    silent = not tx.session and bool(tx.player) and not isinstance(tx.act, Authenticate)
    launched, meant, last = yield from _first_look(provider, tx, silent=silent)
    session = launched
    expired = session is not None and session.expires_at is not None and session.expires_at <= now
    if session is not None and tx.player and session.player != tx.player:
        if provider.dialect.as_provider.calls_in_own_session and not (yield from _came_before(provider, wire, space)):
            raise Refused(Reason.PLAYER_NOT_FOUND, "its session is another player's")
        session = None  # another player's session says nothing about this one
    if session is not None:
        tx = replace(tx, player=tx.player or session.player, currency=tx.currency or session.currency)
        if provider.dialect.as_provider.game_of_session and session.game and not tx.game_id:
            tx = replace(tx, game=replace(tx.game or Game(), id=session.game))
    target = meant_of(provider, tx, [m for m in meant if same_player(tx.player, m.tx.player)])
    if target is not None:
        currency = wire.currency or target.tx.currency or tx.currency  # of what it means, before its session's
        tx = replace(tx, player=tx.player or target.tx.player, currency=currency)
        if not tx.round_id and target.tx.round_id:
            tx = replace(tx, round=Round(target.tx.round_id, tx.round.closed if tx.round is not None else None))
        if isinstance(tx.act, Rollback | Status):  # what it means is what the journal has there; the wire may not tell
            tx = replace(tx, act=replace(tx.act, reference_kind=target.kind))
    if not tx.player and provider.dialect.as_provider.else_player is not None:
        tx = replace(tx, player=provider.dialect.as_provider.else_player(tx, provider.settings))
    if not tx.currency and tx.player and (tx.kind in MONEY_KINDS or tx.kind in OF_THE_PAST):
        tx = replace(tx, currency=(yield from _last_currency(provider, tx.player)))
    if not tx.currency and provider.currency:
        tx = replace(tx, currency=provider.currency)
    rescaled = provider.dialect.as_provider.rescaled
    if rescaled is not None and tx.currency and not wire.currency:
        currency, settings = tx.currency, provider.settings
        tx = replace(tx, act=with_amounts(tx.act, lambda amount: rescaled(amount, currency, settings)))
    return Completed(
        tx=tx, session=session or last, silent=silent, launched=launched, expired=expired, spoke=bool(wire.currency),
        meant=target,
    )  # fmt: skip


def _came_before(provider: Provider, tx: Transaction, space: str) -> Looks[bool]:
    """A repeat hears the first decision, whoever has its session by now: whose that is was looked at then (rule 7)."""
    if not space:
        return False
    (found,) = yield Look((Ask("own", (key_of(provider.dialect, provider.id, space, tx),)),))
    return bool(found)


def _first_look(
    provider: Provider, tx: Transaction, *, silent: bool
) -> Looks[tuple[Session | None, list[Movement], Session | None]]:
    """The launch that its token names, what it means and, where the wire says no session, its player's last one: that is
    told to the wallet, so it says which wallet (rule 22).

    *The operator had handed over another wallet and its session: the bet went by the routes, with the session of that
    other wallet.*
    """
    asks = list[Ask]()
    if silent:
        asks.append(Ask("last_session", (provider.id, tx.player, tx.game_id)))
    elif tx.session:
        asks.append(Ask("session", (provider.id, tx.session)))
    if isinstance(tx.act, Authenticate) and tx.act.launch_token:  # a session of the provider's own is new at its launch
        asks.append(Ask("session_by_launch", (provider.id, tx.act.launch_token)))
    means = isinstance(tx.act, Rollback | Capture | Release | Status) and bool(reference_of(tx.act))
    scope, bare = provider.dialect.as_provider.scope, says_only_its_bet(tx) or names_its_round(tx)
    means = means or (bare and (scope == "provider" or (scope == "player" and bool(tx.player))))
    opened = tx.kind in MONEY_KINDS and tx.player and tx.currency and tx.round_id  # then the opening finds it
    lacks = means and not opened
    ids = meant_ids(provider, tx) if lacks else ()
    looks = [*asks, *(Ask("found", (provider.id, id)) for id in ids)]
    found = yield Look(tuple(looks))
    known = found[: len(asks)]
    meant: list[Movement] = [m for each in found[len(asks) :] for m in each]
    one: Session | None = next((session for each in known for session in each), None)
    return (None, meant, one) if silent else (one, meant, None)


def meant_ids(provider: Provider, tx: Transaction) -> tuple[str, ...]:
    """The ids of the movements that its reference may stand for, the likeliest first."""
    said, also = reference_of(tx.act), provider.dialect.as_provider.also_named
    named = also(tx) if also is not None and isinstance(tx.act, Rollback) else ()
    return named or ((said,) if said else ())


def meant_of(provider: Provider, tx: Transaction, rows: Sequence[Movement]) -> Movement | None:
    """Of the movements that have those ids the one that it means: the likeliest id goes before, then the kind; but before all,
    of what is undone as a whole, the amount that is said."""
    if not rows:
        return None
    kinds = (Kind.DEBIT,) if isinstance(tx.act, Credit) else reference_kinds(provider, tx.act)
    meant = [m for id in meant_ids(provider, tx) for kind in kinds for m in rows if m.tx.id == id and m.kind is kind]
    whole, said = provider.dialect.as_provider.whole_only, amounts(tx.act)
    likely = next((m for m in meant if m.kind not in whole or amounts(m.tx.act) == said), None)
    return likely or next(iter(meant), None)


def under_token(
    provider: Provider, tx: Transaction, token: str, keys: Sequence[str]
) -> Looks[tuple[Transaction, bool]]:
    """The call under the session that its token names, where nobody knows its own; and whether that token is strange: nobody
    gave it to its player. What came before, by its `keys`, was believed then, and hears its decision: of an attempt that may
    have taken the stake no refusal says anything (rule 5)."""
    names, known = (tx.session, token), [Ask("own", (key,)) for key in keys]
    named, given, *before = yield Look((*(Ask("session", (provider.id, name)) for name in names), *known))
    mine = [session for session in (*named, *given) if same_player(tx.player, session.player)]
    shown = any(same(token, name) for session in mine for name in (session.session, session.wallet_session) if name)
    return replace(tx, session=token) if shown and not named else tx, not (shown or (before and all(before)))


def says_only_its_bet(tx: Transaction) -> bool:
    """A win whose call names neither player nor session: who plays, and in what currency, its bet says."""
    return isinstance(tx.act, Credit) and bool(tx.act.reference) and not tx.player and not tx.session


def names_its_round(tx: Transaction) -> bool:
    """A win of no round that names its bet: that says in which one it is, now and at every later asking."""
    return isinstance(tx.act, Credit) and bool(tx.act.reference) and not tx.round_id


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
        return provider.dialect.as_provider.rollback_kinds.get(act.reference_kind.value, (act.reference_kind,))
    if isinstance(act, Status):
        by_id = provider.dialect.as_provider.status_by is StatusBy.ID
        return kinds_beside(provider.dialect, act.reference_kind) if by_id else (act.reference_kind,)
    return (Kind.RESERVE,) if isinstance(act, Capture | Release) else ()


def amounts_checked(tx: Transaction, currencies: Currencies, otherwise: str = "") -> Transaction:
    """The amounts with the digits of its currency, now that it is known; of an item that names none, of its batch's.
    Raises `Refused`."""
    act, currency = tx.act, tx.currency or otherwise
    if isinstance(act, Batch):
        items = tuple(amounts_checked(item, currencies, currency) for item in act.items)
        return replace(tx, act=replace(act, items=items))
    return replace(tx, act=with_amounts(act, lambda amount: currencies.exact(amount, currency)))
