"""Every history of small worlds, up to a bound: nobody loses or is given money, and everything comes to an end."""

from __future__ import annotations

from collections import Counter

from tests.explore.run import shown, silent_rules, tried, worlds

STATES = 300  # of each of some 400 worlds: 120,000 in all, in a minute on two idle cores
DEPTH = 40
JOBS = 2


def test_every_history_of_small_worlds_ends_well() -> None:
    """The shortest history in which a journal contradicts a purse, a word or itself is what fails."""
    fired, wrong, states = Counter[str](), list[str](), 0
    for result in tried(worlds(), depth=DEPTH, states=STATES, jobs=JOBS):
        fired.update(result.fired)
        states += result.states
        wrong += shown(result) if result.violation else []
    print(f"{states} states")
    assert not wrong, "\n".join(wrong)
    assert not silent_rules(fired), "these rules spoke in no world: they are not needed, or a world is missing"
