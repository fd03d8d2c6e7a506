"""The short run: every kind of process is killed or stopped once, and every purse adds up.

`make test-chaos` is the long one; `python -m tests.chaos.run --help` says what else there is.
"""

from __future__ import annotations

from pathlib import Path

from tests.chaos.run import chaos, told
from tests.chaos.stage import Options

SHORT = Options(seconds=12.0, seed=1, repeats="query", every=3.0, silent=6.0, freeze=(9.0, 9.5), patience=60.0)
FIRED = ("node: freeze", "node: kill", "database: immediate stop", "bets at two nodes at once", "connections cut")


async def test_every_purse_adds_up(tmp_path: Path) -> None:
    """With the harder wallet: it moves the money again when it is asked again."""
    report = await chaos(SHORT, keep=tmp_path)
    print(told(report))
    assert report.wrong == [], told(report)
    assert [what for what in FIRED if not report.figures.get(what)] == [], "a fault that never fired shows nothing"
