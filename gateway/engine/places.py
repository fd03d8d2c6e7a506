"""Where a call goes: by its session and the routes, or where the journal says that what it belongs to went (rule 23)."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.engine.complete import Completed
from gateway.engine.journal import Ask as LookFor
from gateway.engine.journal import Looks
from gateway.engine.movement import Movement, Session
from gateway.engine.setup import Provider, Route, Setup
from gateway.engine.ties import look, one
from gateway.engine.words import Way
from gateway.model import Check, CloseRound, Notice, Transaction


def route_of(setup: Setup, provider: Provider, tx: Transaction, session: Session | None) -> Way | None:
    """The session's wallet, else the first route that fits."""
    route = setup.route(provider, tx, session.brand if session else "")
    wallet = setup.wallets.get(session.wallet) if session and session.wallet else None
    if wallet is not None and (route is None or route.wallet != wallet.name):
        fitting = (r for r in setup.routes if r.wallet == wallet.name and _serves(r.providers, provider.name))
        route = next(fitting, route)
    if route is None:
        return None
    return Way(setup=setup, provider=provider, wallet=wallet or setup.wallets[route.wallet], route=route)


def _serves(providers: frozenset[str] | None, name: str) -> bool:
    return providers is None or name in providers


def way_of(setup: Setup, provider: Provider, own: Movement, default: Way | None) -> tuple[Way | None, str]:
    """Where the journal says it goes, else by the routes; and why nothing may be sent there (rule 23)."""
    if not own.wallet:
        return default, ""
    wallet = setup.wallets.get(own.wallet)
    if wallet is None:
        return None, f"its wallet {own.wallet} is not configured any more"
    if not wallet.is_at(own.place):
        return None, f"wallet {own.wallet} points elsewhere by now"
    here = default is not None and default.wallet.name == wallet.name
    if here and default is not None and default.route.players == own.route:
        return default, ""
    route = next((r for r in setup.routes if r.wallet == wallet.name and r.players == own.route), None)
    as_now = default.route if here and default is not None else Route(wallet=wallet.name)
    return Way(setup=setup, provider=provider, wallet=wallet, route=route or replace(as_now, players=own.route)), ""


def way_of_read(setup: Setup, provider: Provider, done: Completed) -> Looks[tuple[Way | None, str]]:
    """Where a call goes that moves nothing, and why it may be sent nowhere: what asks about a movement, or speaks of a round,
    goes where that went (rule 23).

    *Asked about a hold, the wallet of that day did not know it: its provider was told that there is none, and the hold
    stood.*
    """
    tx, meant = done.tx, done.meant
    if isinstance(tx.act, CloseRound | Check | Notice) and tx.round_id:
        here = LookFor("round_place", (provider.id, tx.player, tx.round_id))
        meant = one((yield from look({"place": here})), "place")
    default = route_of(setup, provider, tx, done.session)
    return way_of(setup, provider, meant, default) if meant is not None else (default, "")
