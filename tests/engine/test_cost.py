"""What a call costs does not grow with its round (issue 7, 6): counted in rows and steps, not in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.model import Capture, Kind, Reserve, Status, Transaction
from tests.engine.acts import bet, yes
from tests.engine.crowds import in_a_round
from tests.engine.plays import PLAYS, Play
from tests.journal.effort import Effort, Work, counted
from tests.simulation.bench import Bench, a_call

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


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_a_bet_that_is_asked_about_is_looked_up_once(tmp_path: Path, wallet: str) -> None:
    """A provider asks after its bets in doubt, many at a time when it must: where the bet went, what became of it and
    whose it is stand in one row, which was read three times over."""
    with counted() as effort:
        bench = Bench(tmp_path / "journal.db", "native", wallet)
    yes(bench.call(bet("t1")))
    effort.taken()
    yes(bench.call(Transaction(act=Status(reference="t1"))))
    assert effort.taken().statements == 1
    bench.close()


def test_a_hold_that_is_asked_about_is_looked_up_once(tmp_path: Path) -> None:
    """Gameball's question names no customer, its answer does: that was looked up once more."""
    with counted() as effort:
        bench = Bench(tmp_path / "journal.db", "gameball", "gameball")
    yes(bench.call(a_call(Reserve(amount=Decimal("30.00")), "", round_id="")))
    asked = Transaction(act=Status(reference=bench.answers[-1].transaction_id, reference_kind=Kind.RESERVE))
    yes(bench.call(a_call(Capture(reference=bench.answers[-1].transaction_id), "rdm-1", round_id="")))
    effort.taken()
    assert yes(bench.call(asked)).state == "used"
    assert effort.taken().statements == 4  # the hold, what a wallet may want to hear beside it (two), and how it ended
    bench.close()
