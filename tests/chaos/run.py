"""Three nodes, one PostgreSQL, one wallet, a bad network, kill -9: does every purse add up?

    python -m tests.chaos.run --seconds 120 --seed 1 --repeats query --keep DIR

Exit status 0 if everything was settled and nothing was wrong. The seed draws the faults and what
the players do; how processes meet is the machine's, so a seed is a direction and not a replay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from tests.chaos import fates
from tests.chaos.players import Players
from tests.chaos.reckoning import Reckoning, journal_rows
from tests.chaos.stage import Options, Stage, kept, staged
from tests.end_to_end.stages import numbers

ROUND_SECONDS_MAX = 120.0  # until every provider has ended its last round
OPEN = ("gateway_unresolved", "gateway_owed", "gateway_for_person")
QUIET_LOOKS = 4
SHOWN_MAX = 40


class Report(Struct, frozen=True, kw_only=True):
    figures: dict[str, Any]
    wrong: list[str]


async def chaos(options: Options, keep: Path | None = None) -> Report:
    """One run, from nothing to nothing."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-chaos-"))
    try:
        async with staged(options, folder) as stage:
            return await _run(stage)
    finally:
        if keep is not None:
            _keep(folder, keep)
        shutil.rmtree(folder, ignore_errors=True)


def _keep(folder: Path, keep: Path) -> None:
    for path in kept(folder):
        to = keep / path.relative_to(folder)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


async def _run(stage: Stage) -> Report:
    options, players = stage.options, Players(stage)
    watching, playing = asyncio.create_task(fates.watch(stage)), asyncio.create_task(players.play())
    began = time.monotonic()
    try:
        await asyncio.gather(fates.play(stage), asyncio.sleep(options.seconds + fates.CALM_SECONDS))
        players.over.set()
        stormy = time.monotonic() - began
        async with asyncio.timeout(ROUND_SECONDS_MAX):
            await playing
        left, waited = await _settled(stage)
    finally:
        watching.cancel()
        playing.cancel()
        await asyncio.gather(watching, playing, return_exceptions=True)
    await _goodbye(stage)
    return await _reckoned(stage, players, stormy, left, waited)


async def _settled(stage: Stage) -> tuple[float, float]:
    """What is left in doubt, and how long it took until nothing was; the clock of silence runs out meanwhile."""
    began, quiet, left = time.monotonic(), 0, -1.0
    while time.monotonic() - began < stage.options.patience:
        left = sum([await _left(node.admin) for node in stage.nodes])
        quiet = quiet + 1 if left == 0 else 0
        if quiet >= QUIET_LOOKS and time.monotonic() - began > stage.options.silent + 2.0:
            break
        await asyncio.sleep(0.5)
    return left, time.monotonic() - began


async def _left(admin: str) -> float:
    try:
        async with httpx.AsyncClient(base_url=admin, trust_env=False, timeout=5) as client:
            found = await numbers(client)
    except (httpx.TransportError, AssertionError):
        return 1.0  # it does not say
    return sum(value for name in OPEN for value in found.series(name).values())


async def _goodbye(stage: Stage) -> None:
    for node in stage.nodes:
        status = await node.leave()
        if status:
            stage.wrong.append(f"{node.name}: exit status {status} at the end: {node.complained()[-300:]}")


async def _reckoned(stage: Stage, players: Players, stormy: float, left: float, waited: float) -> Report:
    rows, log = journal_rows(stage), stage.wallet_lines()
    reckoning = Reckoning(stage, players.movements, rows, await stage.wallet_rows("/_book"), log)
    reckoning.reckon(await stage.wallet_rows("/_players"))
    wrong = stage.wrong + fates.unready(stage) + reckoning.wrong
    for node in stage.nodes:
        wrong += [
            f"{node.name} said: {line[:300]}" for line in node.complained().splitlines() if '"level":"error"' in line
        ]
    if left:
        wrong.append(f"{left:.0f} movements in doubt, owed or for a person after {waited:.0f} s of quiet")
    bets = sum(m.kind == "debit" for m in players.movements)
    if reckoning.figures["bets accepted"] < 0.3 * bets:
        wrong.append(f"only {reckoning.figures['bets accepted']} of {bets} bets were accepted: too little was shown")
    faults = Counter(line["fault"] for line in log if line["fault"])
    figures = {
        "seed": stage.options.seed, "repeats": stage.options.repeats, "seconds": round(stormy, 1), "bets": bets,
        "movements in the journal": len(rows), "wallet requests": len(log), "settled after, s": round(waited, 1),
        "slowest answer beyond its limit, s": round(players.slowest, 2),
        **dict(sorted(reckoning.figures.items())), **dict(sorted(stage.counts.items())),
        **{f"wallet: {name}": number for name, number in sorted(faults.items())},
        **{f"to the wallet: {name}": number for name, number in sorted(stage.to_wallet.counts.items())},
        **{f"to the database: {name}": number for name, number in sorted(stage.to_database.counts.items())},
        "times this machine was too busy to judge": len(stage.machine_busy.spans), "wrong": len(wrong),
    }  # fmt: skip
    return Report(figures=figures, wrong=wrong)


def told(report: Report) -> str:
    lines = [f"{name:46} {value}" for name, value in report.figures.items()]
    lines += [f"WRONG {line}" for line in report.wrong[:SHOWN_MAX]]
    if len(report.wrong) > SHOWN_MAX:
        lines.append(f"WRONG ... and {len(report.wrong) - SHOWN_MAX} more")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--players", type=int, default=3, help="of each provider")
    parser.add_argument("--every", type=float, default=5.0, help="mean seconds between two faults of a kind")
    parser.add_argument("--repeats", choices=("safe", "query"), default="safe", help="what the wallet can take")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="logs and configurations stay here")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    options = Options(
        seconds=given.seconds, seed=given.seed, nodes=given.nodes, players=given.players, every=given.every,
        repeats=given.repeats,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))  # it ends what it started
    report = asyncio.run(chaos(options, given.keep))
    print(json.dumps(report.figures | {"all that was wrong": report.wrong}, indent=1) if given.json else told(report))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
