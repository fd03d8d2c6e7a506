"""What a call costs in a round of 3 movements and in one of 6,000, side by side.

The real engine and a real SQLite file, in process: between them the dialects' own code, no network.
Each call is played so many times in turn in either round and the median is told; beside it, for one
call, the rows that were read or changed and the steps of SQLite's machine, which are the same on
every machine. The same calls are those of tests/engine/test_cost.py, which fails if one of them grows.

    python -m bench.rounds            or: python -m bench.rounds --movements 20000 --times 100
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.engine.crowds import in_a_round
from tests.engine.plays import PLAYS, Play
from tests.journal.effort import Effort, Work, counted
from tests.simulation.bench import Bench

SHORT = 3
LINE = "{:<56}{:>9}{:>9}{:>7}{:>7}{:>7}{:>9}{:>9}"
Crowd = tuple[str, str, bool]  # who calls, who answers, whether the round has wins


class Rounds:
    """A journal for each sort of round and each length: one to be timed, one to be counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._timed: dict[tuple[Crowd, int], Bench] = {}
        self._counted: dict[tuple[Crowd, int], tuple[Bench, Effort]] = {}

    def seconds(self, play: Play, number: int, id: str) -> float:
        crowd = (play.provider, play.wallet, play.wins)
        if (crowd, number) not in self._timed:
            self._timed[crowd, number] = self._bench(play, number, "timed")
        bench = self._timed[crowd, number]
        play.before(bench, id)
        started = time.perf_counter()
        play.act(bench, id)
        return time.perf_counter() - started

    def work(self, play: Play, number: int) -> Work:
        crowd, id = (play.provider, play.wallet, play.wins), f"counted-{PLAYS.index(play)}"
        if (crowd, number) not in self._counted:
            with counted() as effort:
                self._counted[crowd, number] = self._bench(play, number, "counted"), effort
        bench, effort = self._counted[crowd, number]
        play.before(bench, id)
        effort.taken()
        play.act(bench, id)
        return effort.taken()

    def _bench(self, play: Play, number: int, what: str) -> Bench:
        name = f"{play.provider}-{play.wallet}-{play.wins}-{number}-{what}.db"
        bench = Bench(self._folder / name, play.provider, play.wallet)
        in_a_round(bench, number, wins=play.wins)
        return bench


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movements", type=int, default=6000, help="in the long round (%(default)s)")
    parser.add_argument("--times", type=int, default=30, help="that each call is played (%(default)s)")
    options = parser.parse_args()
    print(LINE.format("", f"round {SHORT}", f"{options.movements}", "", "rows", "", "steps", ""))
    print(LINE.format("", "ms", "ms", "ratio", SHORT, options.movements, SHORT, options.movements))
    with tempfile.TemporaryDirectory(prefix="rounds-") as folder:
        rounds = Rounds(Path(folder))
        for number, play in enumerate(PLAYS):
            print(line(rounds, play, number, options.movements, options.times), flush=True)
    return 0


def line(rounds: Rounds, play: Play, number: int, long: int, times: int) -> str:
    taken: dict[int, list[float]] = {SHORT: [], long: []}
    for n in range(times):
        for length in (SHORT, long):
            taken[length].append(rounds.seconds(play, length, f"timed-{number}-{n}"))
    few, many = (statistics.median(taken[length]) * 1000 for length in (SHORT, long))
    one, other = rounds.work(play, SHORT), rounds.work(play, long)
    figures = (f"{few:.2f}", f"{many:.2f}", f"{many / few:.2f}", one.rows, other.rows, one.steps, other.steps)
    return LINE.format(play.name, *figures)


if __name__ == "__main__":
    sys.exit(main())
