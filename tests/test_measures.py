"""The measures measure: the engine's inside changes, the script must not lose sight of it."""

from __future__ import annotations

from pathlib import Path

from tests.measures import of_the_calls, of_the_files


def test_the_files_are_counted() -> None:
    """A folder that moved would read as an engine of no lines, far below every limit."""
    found = {figure.what: figure.found for figure in of_the_files()}
    assert found["lines of the engine"] > 1000
    assert found["functions of the engine"] > 100
    assert 0 < found["functions of the engine that await something, %"] < 100


def test_a_call_is_followed_through_the_engine(tmp_path: Path) -> None:
    """A bet cannot be told yes without its intent and its outcome on disk: two trips, and more than one file."""
    found = {figure.what: figure.found for figure in of_the_calls(tmp_path)}
    assert found["bet: journal trips"] >= 2
    assert found["rollback: journal trips"] >= 2
    assert found["its repeat: journal trips"] >= 1
    for call in ("bet", "its repeat", "its win", "rollback"):
        assert found[f"{call}: calls in the engine"] >= found[f"{call}: distinct functions"] > 5
        assert found[f"{call}: moves between files"] >= found[f"{call}: files"] - 1 > 1
