"""`make profile` adds up: a stage that is left out of the table is work that nobody looks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.stages import measured


@pytest.mark.parametrize("journal", ["journal.db", ""])
def test_the_stages_of_a_bet_are_told(tmp_path: Path, journal: str) -> None:
    """Both journals, all stages, and what is left over is engine and loop: together they are the whole call."""
    rows = {row[0]: float(row[1]) for row in measured(tmp_path / journal if journal else None, calls=3, times=2)}
    whole = rows.pop("the whole call")
    assert {"route", "decode the bet", "encode for the wallet", "encode the answer"} < set(rows)
    assert sum(rows.values()) == pytest.approx(whole, abs=1.0)
    assert all(took > 0 for name, took in rows.items() if "rest" not in name)
