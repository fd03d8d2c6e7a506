"""Every rule taken away, every condition of one forgotten: a test from outside notices it, each within moments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gateway.engine.rules import RULES
from tests.engine.conftest import benches
from tests.simulation.bugs import BUGS, NOTICED, UNMISSED, planted
from tests.simulation.invariants import violations
from tests.simulation.rooms import a_room, play_seed
from tests.simulation.run import NOT_HEARD, main


def witness(named: str) -> Callable[..., None]:
    module, _, name = named.partition(".")
    found: Callable[..., None] = getattr(import_module(f"tests.engine.test_{module}"), f"test_{name}")
    return found


def variants(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """What it is called with, beside its bench: each of its parameters' values."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    for chosen in product(*[mark.args[1] for mark in marks]):
        given: dict[str, Any] = {}
        for mark, value in zip(marks, chosen, strict=True):
            names = mark.args[0].split(",") if isinstance(mark.args[0], str) else list(mark.args[0])
            values = getattr(value, "values", None)
            values = values if isinstance(values, tuple) else (value if len(names) > 1 else (value,))
            given |= zip((name.strip() for name in names), values, strict=True)
        yield given


def fails(test: Callable[..., None], given: dict[str, Any], folder: Path) -> bool:
    """Whatever is raised: a rule that is not there may be noticed as a circle, or as what was never gathered."""
    try:
        with benches(folder) as bench_of:
            own = {"bench_of": bench_of} if "bench_of" in inspect.signature(test).parameters else {}
            test(**own, **given)
    except Exception:  # a bug of any kind is what is looked for
        return True
    return False


def is_noticed(bug: str, folder: Path) -> bool:
    test = witness(NOTICED[bug])
    for number, given in enumerate(variants(test)):
        here = folder / str(number)
        here.mkdir()
        if fails(test, given, here):
            return True
    return False


@pytest.mark.parametrize("bug", NOTICED)
def test_a_planted_bug_is_noticed(bug: str, tmp_path: Path) -> None:
    """By the test that its table names: an engine that forgot this would be seen before it is let out."""
    with planted(bug):
        assert is_noticed(bug, tmp_path), f"{bug}: {NOTICED[bug]} passes"


def test_every_rule_was_taken_away_once() -> None:
    """A rule that nobody misses is not needed, or its test is; the last one always speaks."""
    assert {f"without_{rule.__name__}" for rule in RULES[:-1]} <= {*BUGS}
    assert {*NOTICED, *UNMISSED} == {*BUGS}
    assert not {*NOTICED} & {*UNMISSED}
    assert {f"without_{rule}" for rule in NOT_HEARD} <= {*NOTICED, *UNMISSED}, "who hears it, if no history does?"


@pytest.mark.parametrize("named", sorted({*NOTICED.values()}))
def test_what_notices_it_passes_where_nothing_is_planted(named: str, tmp_path: Path) -> None:
    """Or it would notice everything."""
    given = next(variants(witness(named)))
    assert not fails(witness(named), given, tmp_path)


# ---------------------------------------------------------------- the simulation notices, too

FOUND = {
    "second_no_is_a_no": "ZERO",
    "win_declined_for_good": "OWED",
    "not_found_is_final": "ZERO",
    "nothing_in_flight": "ONCE",
}
"""Bugs that a few histories find, and the invariant that they break."""
SEEDS_MAX = 250


@pytest.mark.parametrize("bug", FOUND)
def test_the_simulation_finds_a_planted_bug(bug: str) -> None:
    """Nobody wrote a test of it: some history of these breaks the invariant."""
    with a_room() as room, planted(bug):
        for seed in range(1, 1 + SEEDS_MAX):
            with play_seed(room, seed) as history:
                if any(said.startswith(FOUND[bug]) for said in violations(history)):
                    return
    pytest.fail(f"{bug} was not found by {SEEDS_MAX} seeds")


def test_a_violation_is_printed_as_a_short_history(capsys: pytest.CaptureFixture[str]) -> None:
    """With the seed that plays it again, and exit status 1."""
    with planted("win_declined_for_good"):
        assert main(["--seeds", "15", "--first", "1"]) == 1
    said = capsys.readouterr().out
    assert "OWED" in said
    assert "again: python -m tests.simulation.run --show " in said
    assert "violations " in said.splitlines()[-1]


@pytest.mark.parametrize("bug", BUGS)
def test_what_was_planted_is_taken_out_again(bug: str) -> None:
    """The next test has the real engine."""
    places = [(where, what) for where, what, _ in BUGS[bug].patches]
    before = [inspect.getattr_static(where, what) for where, what in places]
    with planted(bug):
        assert [inspect.getattr_static(where, what) for where, what in places] != before
    assert [inspect.getattr_static(where, what) for where, what in places] == before
