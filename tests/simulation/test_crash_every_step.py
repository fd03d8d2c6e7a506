"""The process dies once at every await and every commit of each kind's path, and comes back: all is right.

The undisturbed history is played first, to count its points; then one history for each point.
"""

from __future__ import annotations

import pytest

from gateway.model import Kind
from tests.simulation.invariants import violations
from tests.simulation.rooms import Room, a_room, played
from tests.simulation.scenes import PROVIDERS, SCENES, SCRIPTS, a_plan

ALL_UP_TO, SOME_OF = 150, 11
POINTS_LEAST = 10  # a path with fewer awaits than this is not the path that was meant
WALLETS = {
    "native, safe": ("native", "safe", True),
    "native, to be queried, no tombstones": ("native", "query", False),
    "netgaming, safe": ("netgaming", "safe", False),
}


def points_of(room: Room, scene: str, wallet: str, nodes: int) -> int:
    """How many awaits the path has until its provider has heard everything."""
    dialect, repeats, tombstones = WALLETS[wallet]
    plan = a_plan(
        PROVIDERS.get(scene, "native"), dialect, repeats, tombstones=tombstones, nodes=nodes, in_flight_max=12.0
    )
    with played(room, plan, acts=SCENES[scene], script=SCRIPTS.get(scene)) as history:
        assert list(violations(history)) == []
        return history.points_when_done


def steps(points: int) -> list[int]:
    """Every point; of a path that waits long, later only some of the looks that repeat each other."""
    return [*range(1, min(points, ALL_UP_TO) + 1), *range(ALL_UP_TO + 1, points + 1, SOME_OF)]


@pytest.mark.parametrize("nodes", [1, 2], ids=["one node", "two nodes"])
@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_process_that_dies_at_any_step_leaves_nothing_wrong(scene: str, wallet: str, nodes: int) -> None:
    """Its provider repeats or cancels as its page says."""
    dialect, repeats, tombstones = WALLETS[wallet]
    plan = a_plan(
        PROVIDERS.get(scene, "native"), dialect, repeats, tombstones=tombstones, nodes=nodes, in_flight_max=12.0
    )
    with a_room() as room:
        points = points_of(room, scene, wallet, nodes)
        assert points >= POINTS_LEAST
        for point in steps(points):
            with played(room, plan, acts=SCENES[scene], script=SCRIPTS.get(scene), dies_at=point) as history:
                assert (list(violations(history)), point) == ([], point)
                assert history.killed == 1 or nodes == 2
                assert not [row for row in history.rows.values() if row.state == "person"], point


def test_the_scenes_are_the_paths_of_these_kinds() -> None:
    """A new kind of movement needs a scene of its own."""
    assert {Kind.DEBIT.value, Kind.CREDIT.value, Kind.ROLLBACK.value, Kind.SETTLE.value, Kind.BATCH.value} <= {*SCENES}
