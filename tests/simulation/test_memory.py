"""Rule 14: `remembers` bounds `safe`, for a request that is queued on its way, too."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.model import Kind
from tests.simulation.draw import Plan
from tests.simulation.rooms import a_room, played
from tests.simulation.scenes import a_plan


def a_plan_of_lost_answers() -> Plan:
    """A wallet that knows an id for 200 s, where a request may be on its way for 120 s."""
    plan = a_plan("native", "native", "safe")
    wallet = replace(plan.wallets[0], in_flight_max=120.0, remembers=200.0)
    return replace(plan, wallets=(wallet,), rates={"lost_after": 1.0}, calm_after=400.0)


def test_rule_14_a_second_asking_that_may_be_queued_is_not_sent_at_the_end_of_the_wallets_memory() -> None:
    """It would arrive when the wallet has forgotten the first, and move the money again."""

    async def win(actor):  # type: ignore[no-untyped-def]  # an actor of the simulation
        actor.history.plan = replace(actor.history.plan, rates={})
        story = await actor.bet("r1")
        actor.history.plan = a_plan_of_lost_answers()
        await actor.win("r1", story)

    with a_room() as room, played(room, a_plan_of_lost_answers(), acts=win) as history:
        row = next(row for row in history.rows.values() if row.kind == "credit")
        read = [note[0] for note in history.notes if note[1] == "wallet" and note[3].kind is Kind.CREDIT]
        assert len(read) > 3
        assert max(read) - min(read) < 200.0 - 120.0 + 1.0
        assert row.state == "person"
