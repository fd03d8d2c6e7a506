"""`make explore DEPTH=n`: every history of every world up to so many events."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from msgspec.structs import replace

from gateway.engine import rules
from tests.explore.search import Result, explore
from tests.explore.worlds import ELSEWHERE_TESTED, SCENES, WALLETS, World


def worlds() -> list[World]:
    """Every scene before a wallet of each kind: once with nobody between a look and its write, which leads
    far, and once with everybody."""
    return [
        replace(scene, name=f"{scene.name} ({name}{', races' if races else ''})", races=races, **wallet)  # type: ignore[arg-type]  # a wallet's words
        for races in (False, True)
        for scene in SCENES
        for name, wallet in WALLETS.items()
    ]


def tried(chosen: Sequence[World], *, depth: int, states: int, jobs: int) -> Iterator[Result]:
    """Each world, in as many processes as there are `jobs`."""
    if jobs == 1:
        yield from (explore(world, depth=depth, states=states) for world in chosen)
        return
    with ProcessPoolExecutor(jobs) as pool:
        found = [pool.submit(explore, world, depth=depth, states=states) for world in chosen]
        yield from (each.result() for each in found)


def silent_rules(fired: Counter[str]) -> list[str]:
    """Rules that spoke in no world, and are not excused."""
    return [rule.__name__ for rule in rules.RULES if not fired[rule.__name__] and rule.__name__ not in ELSEWHERE_TESTED]


def shown(result: Result) -> list[str]:
    """For people: what a world came to, and the shortest history of what is wrong there."""
    ends = "all of it" if result.complete else "to be continued"
    lines = [f"{result.world}: {result.states} states, {result.steps} events, depth {result.depth}, {ends}"]
    if result.violation:
        lines.append(f"  {result.violation}")
        lines += [f"  {number:3}. {line}" for number, line in enumerate(result.history, 1)]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=12, help="events of the longest history")
    parser.add_argument("--states", type=int, default=20_000, help="of each world at most")
    parser.add_argument("--only", default="", help="worlds whose name contains this")
    parser.add_argument("--jobs", type=int, default=1)
    said = parser.parse_args()
    chosen = [world for world in worlds() if said.only in world.name]
    began, fired, bad, states = time.monotonic(), Counter[str](), 0, 0
    for result in tried(chosen, depth=said.depth, states=said.states, jobs=said.jobs):
        print("\n".join(shown(result)), flush=True)
        fired.update(result.fired)
        bad += bool(result.violation)
        states += result.states
    seconds = time.monotonic() - began
    print(f"{len(chosen)} worlds, {states} states in {seconds:.0f} s; {bad} of the worlds with something wrong")
    print("rules: " + ", ".join(f"{name} {number}" for name, number in fired.most_common()))
    if silent := silent_rules(fired):
        print(f"never spoke: {', '.join(silent)}")
    return 1 if bad or (silent and not said.only) else 0


if __name__ == "__main__":
    sys.exit(main())
