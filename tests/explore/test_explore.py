"""Every history of small worlds, up to a bound: nobody loses or is given money, and everything comes to an end."""

from __future__ import annotations

from tests.alone import run_alone
from tests.explore.run import worlds

STATES = 300  # of each of some 400 worlds: 120,000 in all, in a minute on two idle cores
DEPTH = 40
JOBS = 2


def test_every_history_of_small_worlds_ends_well() -> None:
    """The shortest history in which a journal contradicts a purse, a word or itself is what fails, and so does a rule
    that spoke in no world: it is not needed, or a world is missing."""
    done = run_alone(
        "tests.explore.run", "--depth", str(DEPTH), "--states", str(STATES), "--jobs", str(JOBS)
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"{len(worlds())} worlds, " in done.stdout
    assert "; 0 of the worlds with something wrong" in done.stdout
