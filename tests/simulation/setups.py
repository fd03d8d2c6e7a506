"""The configuration of a history, and the next generation of it."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from gateway.engine.movement import Session
from gateway.engine.setup import Provider, Route, Setup
from gateway.model import Debit, Round, Transaction
from tests.simulation import pages
from tests.simulation.bench import CURRENCIES, a_provider, a_wallet
from tests.simulation.draw import Plan, seconds
from tests.simulation.players import GAME

ELSEWHERE = "-elsewhere"


def url(till: str) -> str:
    return f"https://{till}.example"


def at(address: str) -> str:
    """The till that answers there."""
    return address.removeprefix("https://").split("/")[0].removesuffix(".example")


def setup_of(plan: Plan) -> Setup:
    """The configuration that a plan means, as plain values."""
    providers = [
        a_provider(
            p.dialect,
            p.name,
            settings=dict(p.settings),
            after_doubt=seconds(p.after_doubt) if p.after_doubt is not None else None,
        )
        for p in plan.providers
    ]
    wallets = [
        a_wallet(
            w.dialect, w.name, url=url(w.name), repeats=dict(w.repeats), tombstones=w.tombstones,
            in_flight_max=seconds(w.in_flight_max), remembers=seconds(w.remembers),
            answer_within=seconds(w.answer_within), give_up_after=seconds(w.give_up_after),
        )
        for w in plan.wallets
    ]  # fmt: skip
    return Setup(
        providers={p.name: p for p in providers},
        wallets={w.name: w for w in wallets},
        routes=[Route(wallet=w.name, sessions="sess-{player}") for w in wallets],
        currencies=CURRENCIES,
    )


def a_launch(provider: Provider, player: str, now: datetime) -> Session:
    """What the operator says of a player who begins a game, in the session that this page shows."""
    tx = Transaction(
        act=Debit(amount=Decimal(1)), id=pages.id_as(provider.dialect, "1"), player=player, session=f"sess-{player}",
        currency="EUR", round=Round(pages.round_as(provider.dialect, "1")), game=GAME,
    )  # fmt: skip
    session = pages.reading(provider.dialect, provider.settings, tx).session or tx.session
    return Session(provider=provider.id, session=session, player=player, currency="EUR", game=GAME.id, seen_at=now)


def next_setup(setup: Setup, chance: random.Random) -> Setup:
    """Other routes and other times; what is in the air finishes on its own generation."""
    routes = list(setup.routes)
    chance.shuffle(routes)
    wallets = {
        name: replace(w, answer_within=seconds(chance.choice((0.4, 1.0)))) for name, w in setup.wallets.items()
    }  # fmt: skip
    return replace(setup, generation=setup.generation + 1, routes=routes, wallets=wallets)


def elsewhere(setup: Setup, name: str, *, gone: bool) -> Setup:
    """One wallet is not there any more, and another one in its place; or its name points elsewhere."""
    there = f"{name}{ELSEWHERE}"
    wallet = replace(setup.wallets[name], url=url(there), moved_from="", name=there if gone else name)
    wallets = {**{k: w for k, w in setup.wallets.items() if k != name}, wallet.name: wallet}
    routes = [replace(route, wallet=wallet.name) if route.wallet == name else route for route in setup.routes]
    return replace(setup, generation=setup.generation + 1, wallets=wallets, routes=routes)


def readdressed(setup: Setup, name: str) -> Setup:
    """The same wallet at another address, which says so (rule 25)."""
    wallet = setup.wallets[name]
    there = replace(wallet, url=f"{wallet.url}/v2", moved_from=wallet.url)
    return replace(setup, generation=setup.generation + 1, wallets={**setup.wallets, name: there})
