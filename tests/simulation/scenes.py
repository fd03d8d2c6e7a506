"""Short plays for exact tests: one path of each kind, in a world without faults but the one in question."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

from gateway.model import Batch, Credit, Debit, Kind, Settle, Unknown
from gateway.play.habits import is_cancelled
from tests.simulation.draw import Plan, ProviderPlan, WalletPlan
from tests.simulation.history import Script
from tests.simulation.players import STANDS, Actor, Story

ROUND = "r1"


def a_plan(
    provider: str, wallet: str, repeats: str = "safe", *, tombstones: bool = True, nodes: int = 1, **more: Any
) -> Plan:
    """One player, one provider, one wallet, no fault."""
    first = ProviderPlan(
        name="prov0", dialect=provider, manner=more.pop("manner", "cancels"), persists=True,
        after_doubt=more.pop("after_doubt", None), players=1, rounds=1,
    )  # fmt: skip
    till = WalletPlan(
        name="wallet0", dialect=wallet, repeats=dict.fromkeys(("debit", "credit", "rollback"), repeats),
        tombstones=tombstones, in_flight_max=more.pop("in_flight_max", 60.0), remembers=600.0, answer_within=0.5, give_up_after=10.0,
    )  # fmt: skip
    return Plan(
        seed=more.pop("seed", 7), providers=(first,), wallets=(till,), rates={}, nodes=nodes, calm_after=50.0, **more
    )


async def _bet(actor: Actor, amount: str, id: str = "2001") -> Story:
    tx = actor.tx(Debit(amount=Decimal(amount)), id, ROUND, closed=False)
    story = actor.story(tx)
    outcome = await actor.insist(tx, [story], persist=False)
    story.gave_up = False
    if is_cancelled(actor.habit, outcome):
        await actor.cancel(story)
    return story


async def debit(actor: Actor) -> None:
    await _bet(actor, "10")


async def credit(actor: Actor) -> None:
    story = await _bet(actor, "10")
    if story.believes() == STANDS:
        tx = actor.tx(Credit(amount=Decimal(25), reference="2001"), "2002", ROUND, closed=True)
        won = actor.story(tx)
        story.won.append(won)
        await actor.insist(tx, [won], persist=True)


async def rollback(actor: Actor) -> None:
    story = await _bet(actor, "10")
    if story.believes() == STANDS:
        await actor.cancel(story)


async def round_refund(actor: Actor) -> None:
    bets = [await _bet(actor, "10", "2001"), await _bet(actor, "5", "2002")]
    standing = [bet for bet in bets if bet.believes() == STANDS]
    if standing:
        await actor.round_refund(ROUND, standing)


async def settle(actor: Actor) -> None:
    story = actor.story(actor.tx(Settle(debit=Decimal(10), credit=Decimal(25)), "2001", ROUND, closed=True))
    await actor.insist(story.tx, [story], persist=True)


async def batch(actor: Actor) -> None:
    items = (
        actor.tx(Debit(amount=Decimal(10)), "2001", ROUND),
        actor.tx(Debit(amount=Decimal(5)), "2002", ROUND),
        actor.tx(Credit(amount=Decimal(25)), "2003", ROUND),
    )
    stories = [actor.story(item) for item in items]
    outcome = await actor.insist(actor.tx(Batch(items=items), "", ""), stories, persist=True)
    assert not isinstance(outcome, Unknown)


SCENES: Mapping[str, Callable[[Actor], Coroutine[Any, Any, None]]] = {
    "debit": debit,
    "credit": credit,
    "rollback": rollback,
    "cancel": debit,
    "round_refund": round_refund,
    "settle": settle,
    "batch": batch,
}
SCRIPTS: Mapping[str, Script] = {"cancel": {Kind.DEBIT: ["lost_after"] * 30, Kind.STATUS: ["lost_before"] * 30}}
"""A bet that stays in doubt until its provider cancels it."""
PROVIDERS = {"round_refund": "kyren"}
"""Who plays a scene, if not native."""


def scene_of(kind: Kind) -> Callable[[Actor], Coroutine[Any, Any, None]]:
    return SCENES[kind.value]
