"""Every history of small worlds, up to a bound: nobody loses or is given money, and everything comes to an end."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from tests.alone import run_alone
from tests.explore.run import worlds
from tests.explore.search import explore
from tests.explore.worlds import World

STATES = 1_160  # of each of some 530 worlds: more than half a million in all, in three and a half minutes of one core
LEAST = 500_000
DEPTH = 40
JOBS = 1  # beside it another worker tests over real sockets, in real time, on the other core
LAST = re.compile(r"(\d+) worlds, (\d+) states in \d+ s; (\d+) of the worlds with something wrong")


def test_every_history_of_small_worlds_ends_well() -> None:
    """The shortest history in which a journal contradicts a purse, a word or itself is what fails, and so does a rule
    that spoke in no world: it is not needed, or a world is missing."""
    done = run_alone(
        "tests.explore.run", "--depth", str(DEPTH), "--states", str(STATES), "--jobs", str(JOBS)
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    last = LAST.search(done.stdout)
    assert last is not None
    tried, states, wrong = map(int, last.groups())
    assert (tried, wrong) == (len(worlds()), 0)
    assert states >= LEAST


@pytest.mark.parametrize("world", worlds()[5::58], ids=lambda world: world.name)
def test_what_the_engine_did_once_it_would_do_again(world: World) -> None:
    """Looks, openings and choices are kept, to try more in the same time: with none of it kept there are the same
    states, and what an operator would be shown is found as before."""
    kept = explore(world, depth=DEPTH, states=100)
    again = explore(world, depth=DEPTH, states=100, keeps=0)
    assert replace(kept, fired={}) == replace(again, fired={})
    assert {*kept.fired} == {*again.fired}
