"""One transaction -> what this wallet can be asked. Where translation stops being renaming.

`for_wallet` says it with the wallet's ids, players, games and sessions; `encode` supplies what the
wallet's dialect misses, one value at a time, from what is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.keys import live
from gateway.dialect import Call
from gateway.engine.identity import alias, space_of
from gateway.engine.journal import Movement
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.http import Request
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Capture,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    unsupported,
)

AMOUNT_OF_ROLLBACK = "the amount of a rollback"  # what a dialect says it has no words for
NOTHING = Decimal(0)
SUPPLIED_MAX = 8  # values supplied to one request before we stop


class Way(Struct, frozen=True, kw_only=True):
    """Where a transaction goes: the wallet, and how this provider's things are called there."""

    setup: Setup
    provider: Provider
    wallet: Wallet
    route: Route

    def call(self, now: datetime, nonce: str) -> Call:
        """What the wallet's dialect may know."""
        return Call(
            settings=self.wallet.settings,
            now=now,
            nonce=nonce,
            provider=self.provider.id,
            currency=self.wallet.currency,
            currencies=self.setup.currencies,
        )

    def alias(self, space: str, id: str) -> str:
        return alias(self.wallet.dialect, self.wallet.ids_as_is, self.provider.id, space, id)


async def nothing() -> str:
    """What nobody knows."""
    return ""


class Known(Struct, frozen=True, kw_only=True):
    """What may be supplied: the movement meant, and a session for this player."""

    target: Movement | None = None
    left: Callable[[], object] | None = None
    session: Callable[[], Awaitable[str]] = nothing
    game: Callable[[], Awaitable[str]] = nothing


def for_wallet(way: Way, tx: Transaction, own: str, target: Movement | None, session: str) -> Transaction:
    """The transaction in the wallet's terms. `own` = the alias of its id, `session` = the wallet's."""
    game = tx.game
    if game is not None and game.id in way.route.games:
        game = Game(id=way.route.games[game.id], name=game.name, type=game.type, studio=game.studio)
    return replace(
        tx, id=own, player=way.route.player_out(tx.player), session=session, game=game, act=_referring(way, tx, target)
    )


def _referring(way: Way, tx: Transaction, target: Movement | None) -> object:
    """The act with its reference as the wallet knows it."""
    act = tx.act
    if not isinstance(act, Rollback | Capture | Release | Status | Credit) or not act.reference:
        return act
    if target is not None and target.alias:
        made = target.outcome.wallet_id if isinstance(target.outcome, Accepted) else ""
        theirs = made if way.wallet.dialect.makes_hold_ids and target.kind is Kind.RESERVE else ""
        act = replace(act, reference=theirs or target.alias)
        if not isinstance(act, Rollback):
            return act
        # What it undoes is what the journal has under that id; the wire may not tell (Gameball).
        act = replace(act, reference_kind=target.kind)
        # A free bet took no cash, whatever its amount says: nor does its rollback give any.
        return replace(act, amount=NOTHING) if act.amount is not None and moves_nothing(target.tx) else act
    return replace(act, reference=way.alias(space_of(way.provider.dialect, meant(act)), act.reference))


def meant(act: Rollback | Capture | Release | Status | Credit) -> Kind:
    """The kind of movement that a reference names."""
    if isinstance(act, Rollback | Status):
        return act.reference_kind
    return Kind.DEBIT if isinstance(act, Credit) else Kind.RESERVE


async def encode(way: Way, tx: Transaction, known: Known, now: datetime, nonce: str) -> Request:
    """The signed request. Raises `Refused` (unsupported) where this wallet cannot be told it."""
    call = way.call(now, nonce)
    dialect = way.wallet.dialect
    if dialect.undoes_whole and _is_part(tx, known):
        raise unsupported("a rollback of a part")
    for _ in range(SUPPLIED_MAX):
        try:
            request = dialect.encode_request(tx, call)
            break
        except Missing as missing:
            tx = await _supply(tx, missing, known, way)
        except Refused as refused:
            tx = _all_of_it(tx, refused, known, partial=way.provider.dialect.partial)
    else:
        raise Refused(Reason.UNSUPPORTED, "this wallet asks for more and more")
    keys = live(way.wallet.keys, now)
    if dialect.auth.parts(way.wallet.settings) and not keys:
        raise Refused(Reason.UNSUPPORTED, f"no key of wallet {way.wallet.name} holds any more")
    return dialect.auth.sign(request, keys, way.wallet.settings, now)


def _is_part(tx: Transaction, known: Known) -> bool:
    """Whether a rollback asks for less than is left of what it undoes."""
    asked = tx.act.amount if isinstance(tx.act, Rollback) else None
    return asked is not None and known.left is not None and asked != known.left()


def _all_of_it(tx: Transaction, refused: Refused, known: Known, *, partial: bool) -> Transaction:
    """A rollback without its amount, for a wallet that only knows `all of it`: the amount is all of
    the bet, or the bet is not known and this wallet decides by what it has. Raises `refused`."""
    act = tx.act
    if refused.field != AMOUNT_OF_ROLLBACK or not isinstance(act, Rollback) or act.amount is None:
        raise refused
    whole = known.left() if known.left is not None else None
    if whole != act.amount and (known.target is not None or partial):
        raise refused
    return replace(tx, act=replace(act, amount=None))


async def _supply(tx: Transaction, missing: Missing, known: Known, way: Way) -> Transaction:
    """The transaction with one value more; raises `missing` where nobody knows it."""
    what, target = missing.field, known.target
    if what == "session" and (session := await known.session()):
        return replace(tx, session=session)
    if what == "game" and (game := await known.game()):
        return replace(tx, game=Game(id=way.route.games.get(game, game)))
    if what == "amount" and isinstance(tx.act, Rollback | Capture) and known.left is not None:
        return replace(tx, act=replace(tx.act, amount=known.left()))
    if what == "currency" and (currency := way.wallet.currency):
        return replace(tx, currency=currency)
    if target is not None:
        meant_tx = target.tx
        if what == "round" and meant_tx.round is not None:
            return replace(tx, round=Round(meant_tx.round.id))
        if what == "player" and meant_tx.player:
            return replace(tx, player=way.route.player_out(meant_tx.player))
        if what == "currency" and meant_tx.currency:
            return replace(tx, currency=meant_tx.currency)
    raise missing


def enveloped(tx: Transaction, item: Transaction) -> Transaction:
    """An item with what its batch says for all of them."""
    return replace(
        item,
        player=item.player or tx.player,
        session=item.session or tx.session,
        currency=item.currency or tx.currency,
        round=item.round or tx.round,
        game=item.game or tx.game,
        free_round_id=item.free_round_id or tx.free_round_id,
    )


def moves_nothing(tx: Transaction) -> bool:
    """Whether a wallet that cannot be told this may be left alone: no cash moves (20)."""
    act = tx.act
    if isinstance(act, Debit):
        return act.free_round or act.tracking_only or not act.amount
    if isinstance(act, Credit):
        return act.tracking_only or not act.amount
    return isinstance(act, Rollback) and act.amount is not None and not act.amount


def gains(act: Act, moved: Decimal | None, target: Act | None) -> Decimal:
    """What an accepted movement gave the player (less than nothing: took). `target`: what it means."""
    match act:
        case Debit():
            return NOTHING if act.free_round or act.tracking_only else -act.amount
        case Credit():
            return NOTHING if act.tracking_only else act.amount
        case Settle():
            return act.credit - (NOTHING if act.free_round else act.debit)
        case Adjust():
            return act.amount
        case Reserve():
            return -act.amount
        case Release():
            return target.amount if isinstance(target, Reserve) else NOTHING
        case Capture() if isinstance(target, Reserve):
            return target.amount - (target.amount if act.amount is None else act.amount)
        case Rollback():
            undone = NOTHING if target is None else gains(target, None, None)
            size = next(n for n in (moved, act.amount, abs(undone)) if n is not None)
            return -size if undone > 0 else size
        case _:
            return NOTHING


def heard(way: Way, outcome: Outcome) -> Outcome:
    """A wallet's outcome in the provider's terms: players by the inverse of the route's template."""
    if isinstance(outcome, Accepted) and outcome.profile is not None and outcome.profile.player:
        player = way.route.player_in(outcome.profile.player)
        return replace(outcome, profile=replace(outcome.profile, player=player))
    if isinstance(outcome, Declined) and (outcome.field or outcome.flaw):
        return replace(outcome, field="", flaw=Flaw.NONE)  # the wallet's field is none of the provider's
    return outcome
