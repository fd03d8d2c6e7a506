"""`make simulate SEEDS=100000 FIRST=1`: so many histories, each by its seed, each judged.

The last line says histories, violations and faults fired; the exit status is 1 on any violation,
and where a long run did not fire every fault, reach every state or hear every rule. A seed that fails is printed as
a short history; `--show SEED` plays it again and prints all of it. `--bias forgets` (`make simulate BIAS=forgets`) draws
what is rare more often: it finds in hundreds of histories what chance alone shows in ten thousands.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial

from msgspec import Struct

from gateway.engine.states import State
from tests.simulation.draw import BIASES, FAULTS
from tests.simulation.invariants import violations
from tests.simulation.rooms import Room, a_room, play_seed
from tests.simulation.show import described, lines
from tests.simulation.spoken import NAMES, counting

PROVES_FROM = 1000  # histories from which on a run must have fired every fault, reached every state, heard every rule
NOT_HEARD = frozenset({"batch_broken", "taken_in_vain", "meets_a_rollback"})
"""Rules of what its players do only where lists are drawn (`--bias lists`), or once in many thousand: tests/engine has them
speak, too (`NOTICED` in bugs.py)."""
CHUNK = 250
SHOWN_MAX = 5  # failing seeds that are printed whole
LINES_MAX = 60


class Found(Struct, kw_only=True):
    """What some histories came to."""

    histories: int = 0
    fired: Counter[str] = Counter()
    states: Counter[str] = Counter()
    spoke: Counter[str] = Counter()  # the rules of the engine
    failed: dict[int, list[str]] = {}
    seconds: float = 0.0

    def add(self, other: Found) -> None:
        self.histories += other.histories
        self.fired += other.fired
        self.states += other.states
        self.spoke += other.spoke
        self.failed |= other.failed

    def missing(self) -> list[str]:
        """Faults that never fired, states that were never reached and rules that never spoke."""
        wanted = [*FAULTS, *(state.value for state in State)]
        unseen = [name for name in wanted if not self.fired[name] and not self.states[name]]
        return [*unseen, *(f"rule {name}" for name in NAMES if not self.spoke[name] and name not in NOT_HEARD)]

    @property
    def wrong(self) -> bool:
        return bool(self.failed) or (self.histories >= PROVES_FROM and bool(self.missing()))

    def last_line(self) -> str:
        violated = sum(len(each) for each in self.failed.values())
        speed = self.histories / self.seconds if self.seconds else 0.0
        return (
            f"histories {self.histories}, violations {violated}, faults fired {sum(self.fired.values())}"
            f" ({len([f for f in FAULTS if self.fired[f]])} of {len(FAULTS)} kinds), {speed:.1f} histories a second"
        )

    def rules_line(self) -> str:
        """How often each rule spoke, in their order."""
        return "rules " + ", ".join(f"{name.replace('_', ' ')} {self.spoke[name]}" for name in NAMES)


def play(first: int, number: int, bias: str = "") -> Found:
    found = Found(fired=Counter(), states=Counter(), spoke=Counter(), failed={})
    with a_room() as room, counting(found.spoke):
        for seed in range(first, first + number):
            _one(room, seed, found, bias)
    return found


def _one(room: Room, seed: int, found: Found, bias: str) -> None:
    with play_seed(room, seed, bias=bias) as history:
        wrong = list(violations(history))
        found.histories += 1
        found.fired += history.fired
        found.states += history.states
        if wrong:
            found.failed[seed] = wrong


def chunks(first: int, number: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + number, CHUNK):
        yield start, min(CHUNK, first + number - start)


def run(first: int, number: int, jobs: int = 1, bias: str = "") -> Found:
    """What fails is told at once, on the error stream: a long run is read while it goes on."""
    whole, began = Found(fired=Counter(), states=Counter(), spoke=Counter(), failed={}), time.perf_counter()
    with ExitStack() as stack:
        each = map if jobs == 1 else stack.enter_context(ProcessPoolExecutor(jobs)).map
        for found in each(partial(play, bias=bias), *zip(*chunks(first, number), strict=True)):
            whole.add(found)
            for seed, wrong in found.failed.items():
                print(f"after {whole.histories}: seed {seed}: {wrong[0]}", file=sys.stderr, flush=True)
    whole.seconds = time.perf_counter() - began
    return whole


def shown(seed: int, *, whole: bool = False, first: bool = False, bias: str = "") -> Iterator[str]:
    """One seed again, in words: only what its violations are about, unless `whole`. `first`: as it was when only the pages
    that came first were drawn."""
    with a_room() as room, play_seed(room, seed, first=first, bias=bias) as history:
        wrong = list(violations(history))
        yield from described(history.plan)
        told = list(lines(history, () if whole else _ids(wrong)))
        if not whole and len(told) > LINES_MAX:
            told = [*told[: LINES_MAX // 2], "      ...", *told[-LINES_MAX // 2 :]]
        yield from told
        yield from wrong or [f"nothing is wrong: {history.over}"]


def _ids(wrong: list[str]) -> set[str]:
    return {id for each in wrong for id in re.findall(r"(?<![\d.])\d{4,}(?![\d.])", each)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, help="play this seed again, and print all of it")
    parser.add_argument("--bias", default="", help=f"what is drawn more often: {', '.join(BIASES)}, joined with +")
    parser.add_argument("--first-pages", action="store_true", help="of the pages that came first alone (REGRESSIONS)")
    given = parser.parse_args(arguments)
    if given.bias and not set(given.bias.split("+")) <= BIASES.keys():
        parser.error(f"--bias {given.bias}: write {', '.join(BIASES)}, or several joined with +")
    again = f" --bias {given.bias}" if given.bias else ""
    if given.show is not None:
        print("\n".join(shown(given.show, whole=True, first=given.first_pages, bias=given.bias)))
        return 0
    found = run(given.first, given.seeds, given.jobs, given.bias)
    for seed in list(found.failed)[:SHOWN_MAX]:
        print(
            *shown(seed, bias=given.bias),
            f"again: python -m tests.simulation.run --show {seed}{again}",
            sep="\n",
            end="\n\n",
        )
    for seed in list(found.failed)[SHOWN_MAX:]:
        print(f"seed {seed}: {found.failed[seed][0]}")
    if found.histories >= PROVES_FROM and found.missing():
        print(f"never fired or reached: {', '.join(found.missing())}")
    print(found.rules_line())
    print(found.last_line())
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
