"""What a call costs does not grow with its round (issue 7, 6): counted in rows and steps, not in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.crowds import in_a_round
from tests.engine.plays import PLAYS, Play
from tests.journal.effort import Effort, Work, counted
from tests.simulation.bench import Bench

SHORT, LONG = 3, 6000
STEPS_MORE = 1.05  # a tree of thousands is a level deeper; nothing else of it is

Played = Callable[[Play, int], Work]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Plays it in a round of so many movements: what that took. One journal for all that fit into one."""
    made: dict[tuple[str, str, bool, int], tuple[Bench, Effort]] = {}
    folder: Path = tmp_path_factory.mktemp("rounds")

    def play(one: Play, number: int) -> Work:
        which = (one.provider, one.wallet, one.wins, number)
        if which not in made:
            with counted() as effort:
                bench = Bench(folder / f"journal-{len(made)}.db", one.provider, one.wallet)
            in_a_round(bench, number, wins=one.wins)
            made[which] = (bench, effort)
        bench, effort = made[which]
        id = f"play-{PLAYS.index(one)}"
        one.before(bench, id)
        effort.taken()
        one.act(bench, id)
        return effort.taken()

    yield play
    for bench, _ in made.values():
        bench.close()


@pytest.mark.parametrize("play", PLAYS, ids=[play.name for play in PLAYS])
def test_a_long_round_costs_no_more_than_a_short_one(played: Played, play: Play) -> None:
    """A bot, or a crash game that never closes its rounds: the six thousandth bet must be as quick as the
    third, and one player's long round must not slow everybody else's calls."""
    short, long = played(play, SHORT), played(play, LONG)
    assert short.rows
    assert long.rows <= short.rows + SHORT, f"{short} became {long}"
    assert long.statements <= short.statements, f"{short} became {long}"
    assert long.steps <= short.steps * STEPS_MORE, f"{short} became {long}"
