"""The gateway beside what a user could run instead: the same work, in the same run, on this machine.

Signed Scorpio Play bets, every id new, to a NetGaming wallet that answers at once. Every round plays
each subject in turn, so that a machine that gets slower gets slower for all; what is told are medians
over the rounds, and ratios within them. See bench/README.md.

    make bench                          or: python -m bench.run --rounds 5 --json bench.json
    python -m bench.run --quick         some seconds: does it run?
    python -m bench.run --only sqlite,journal --seconds 8 --rows 10000000
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench import figures, subjects
from bench.bets import Bets
from bench.figures import CONNECTIONS, Open, Peak, Played
from bench.processes import DidNotStart, cpu
from bench.subjects import SUBJECTS, Missing, Place, Subject, Target

HERE = Path(__file__).parent
BETS_A_SECOND = 15_000  # prepared; who plays more of them has come to their end, and that is said
BUSY = 0.5  # load a core before the run from which its figures are not to be trusted
WALLET_BUSY = 0.7  # of a core: a wallet that does more may be what is measured
START_SECONDS = 1.5  # of a process, for the estimate


class Options(Struct, frozen=True):
    only: tuple[Subject, ...]
    rounds: int = 5
    seconds: float = 3.0
    warm: float = 1.0
    rates: tuple[int, ...] = (300, 1000)
    open_seconds: float = 2.5
    rows: int = 200_000

    def estimate(self) -> float:
        """Seconds of the whole run, building aside."""
        opened = len(self.rates) * (self.open_seconds + 0.5)
        each = [START_SECONDS + self.warm + self.seconds + opened * opens(subject) for subject in self.only]
        return self.rounds * sum(each)


def opens(subject: Subject) -> bool:
    """Ours, and the bare proxy: what the wallet, the network and the generator take by themselves."""
    return subject.ours or subject.name == "nginx"


def options(arguments: Sequence[str] | None = None) -> tuple[Options, Path | None]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement (%(default)s)")
    parser.add_argument("--warm", type=float, default=1.0, help="seconds of load before it (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="each plays every subject in turn (%(default)s)")
    parser.add_argument("--only", default="", metavar="NAME,...", help=", ".join(each.name for each in SUBJECTS))
    parser.add_argument(
        "--rates", default="300,1000", help="of the open loop, calls a second; '' for none (%(default)s)"
    )
    parser.add_argument("--open-seconds", type=float, default=2.5, help="at each rate (%(default)s)")
    parser.add_argument("--rows", type=int, default=200_000, help="in the journal of `rows` (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of a second, to see whether it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure of every round")
    given = parser.parse_args(arguments)
    names = [name for name in given.only.split(",") if name]
    unknown = sorted(set(names) - {each.name for each in SUBJECTS})
    if unknown:
        parser.error(f"--only: nobody is called {', '.join(unknown)}")
    only = tuple(each for each in SUBJECTS if not names or each.name in names)
    rates = tuple(int(rate) for rate in given.rates.split(",") if rate)
    if given.quick:
        quick = Options(only, 1, 1.0, 0.3, rates[-1:], 1.0, min(given.rows, 20_000))
        return quick, given.json
    return Options(only, given.rounds, given.seconds, given.warm, rates, given.open_seconds, given.rows), given.json


def main() -> int:
    asked, json = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whoever was started is ended, too
    print(f"{machine()}; some {asked.estimate() / 60:.1f} minutes", flush=True)
    load = os.getloadavg()[0]
    if load > BUSY * (os.cpu_count() or 1):
        print(f"THE MACHINE IS BUSY (load {load:.1f}): compare nothing with another run", flush=True)
    if shutil.which("wrk") is None:
        print("wrk is not here (Debian: apt-get install wrk): no closed loop; the rates are those of the open loop")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.chmod(0o755)  # nginx's worker is somebody else
        run = Run(asked, folder, stack)
        rounds = run.all()
    print("\n" + report(asked, rounds))
    if json is not None:
        facts = written(asked, rounds, load) | {"wallet": run.wallet_is, "left_out": run.left_out}
        json.write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")
    return 0 if any(rounds) else 1


class Run:
    def __init__(self, asked: Options, folder: Path, stack: contextlib.ExitStack) -> None:
        self.asked, self.folder = asked, folder
        walls = folder / "wallet"
        walls.mkdir()
        port, self.wallet, self.wallet_is = stack.enter_context(subjects.wallet(walls))
        self.place = Place(folder=folder, wallet=port, rows=asked.rows, stack=stack, kept={})
        self.left_out: dict[str, str] = {}
        self.bets = Bets(folder)

    def all(self) -> list[dict[str, Played]]:
        print(f"wallet: {self.wallet_is}\n", flush=True)
        return [self.round(number) for number in range(self.asked.rounds)]

    def round(self, number: int) -> dict[str, Played]:
        """Every subject once, each with the same bets; none of them was in an earlier round."""
        asked, found = self.asked, {}
        warm, peak = (self.bets.file(int(BETS_A_SECOND * seconds)) for seconds in (asked.warm, asked.seconds))
        opened = {rate: self.bets.file(int(rate * asked.open_seconds)) for rate in asked.rates}
        for subject in asked.only:
            if subject.name in self.left_out:
                continue
            try:
                with subject.running(self.place, number) as target:
                    played = self.play(subject, target, warm, peak, opened)
            except (Missing, DidNotStart, subprocess.SubprocessError, ValueError) as error:
                why = self.left_out[subject.name] = " ".join(str(error).split())[:300]
                print(f"{number + 1}  {subject.title:<46} left out: {why}", flush=True)
                continue
            found[subject.name] = played
            print(f"{number + 1}  {subject.title:<46} {line(played)}", flush=True)
        for each in (warm, peak, *opened.values()):
            each.unlink()
        return found

    def play(self, subject: Subject, target: Target, warm: Path, peak: Path, opened: dict[int, Path]) -> Played:
        if shutil.which("wrk") is None:
            return self._only_open(target, opened)
        if self.asked.warm:
            closed(target.port, warm, self.asked.warm, again=subject.stateless)
        before, paid, began = target.cpu(), sum(cpu(self.wallet).values()), time.monotonic()
        found = closed(target.port, peak, self.asked.seconds, again=subject.stateless)
        after, seconds = target.cpu(), time.monotonic() - began
        wallet = (sum(cpu(self.wallet).values()) - paid) / 1e9 / seconds
        opens_ = [at_rate(target.port, path, rate, self.asked.open_seconds) for rate, path in opened.items()]
        used = figures.cpu_a_call(before, after, found.requests)
        return Played(found, used, wallet, opens_ if opens(subject) else [])

    def _only_open(self, target: Target, opened: dict[int, Path]) -> Played:
        """Without wrk: the fixed rates are what there is."""
        before = target.cpu()
        opens_ = [at_rate(target.port, path, rate, self.asked.open_seconds) for rate, path in opened.items()]
        calls = sum(each.requests for each in opens_)
        last = opens_[-1]
        peak = Peak(last.rate, last.p50, last.p99, calls, sum(each.wrong for each in opens_))
        return Played(peak, figures.cpu_a_call(before, target.cpu(), calls), 0.0, opens_)


def closed(port: int, bets: Path, seconds: float, *, again: bool) -> Peak:
    """As much as it carries, with 32 connections that ask again when they are answered."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(HERE / "load.lua")]
    command += [f"http://127.0.0.1:{port}/scorpio", "--", str(bets), *(["again"] if again else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    if done.stderr:
        print(done.stderr.strip()[:300], file=sys.stderr)
    return figures.peak_of(done.stdout)


def at_rate(port: int, bets: Path, rate: int, seconds: float) -> Open:
    command = [sys.executable, "-m", "bench.openloop", "--port", str(port), "--bets", str(bets)]
    command += ["--rate", str(rate), "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=True, timeout=seconds + 30)
    return msgspec.json.decode(done.stdout, type=Open)


# ---------------------------------------------------------------- what is told


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def line(played: Played) -> str:
    peak = played.peak
    opened = "".join(f"  {each.rate}/s p99 {each.p99:.1f}" for each in played.opens)
    flaw = (f"  {peak.wrong} NOT OK" if peak.wrong else "") + ("  BETS RAN OUT" if peak.exhausted else "")
    wallet = "  THE WALLET IS BUSY" if played.wallet > WALLET_BUSY else ""
    used = figures.own(played.cpu)
    return (
        f"{peak.rate:9,.0f}/s  p50 {peak.p50:6.2f}  p99 {peak.p99:6.2f} ms  CPU {used:6,.0f} us{opened}{flaw}{wallet}"
    )


def report(asked: Options, rounds: Sequence[dict[str, Played]]) -> str:
    titles = {each.name: title(each, asked) for each in asked.only}
    ours = [each.name for each in asked.only if each.ours]
    peers = [each.name for each in asked.only if not each.ours and figures.of(rounds, each.name)]
    ours_titles = {name: titles[name] for name in ours}
    tables: Iterable[list[list[str]]] = (
        figures.rates_table(rounds, titles),
        figures.ratios_table(rounds, ours, peers, titles),
        figures.cpu_table(rounds, ours_titles),
        figures.open_table(rounds, titles),
    )
    return "\n".join(figures.markdown(table) for table in tables if len(table) > 1)


def title(subject: Subject, asked: Options) -> str:
    """With the name by which --only and the ratios call it."""
    found = f"ours, SQLite, {asked.rows:,} rows" if subject.name == "rows" else subject.title
    return f"{subject.name}: {found}"


def written(asked: Options, rounds: Sequence[dict[str, Played]], load: float) -> dict[str, object]:
    names = [each.name for each in asked.only]
    ours = [each.name for each in asked.only if each.ours]
    return {
        "machine": machine(),
        "load_before": load,
        "rounds": rounds,
        "options": {
            each: getattr(asked, each) for each in ("rounds", "seconds", "warm", "rates", "open_seconds", "rows")
        },
        "ratios": {
            one: {
                other: found[0] for other in names if other not in ours and (found := figures.ratio(rounds, one, other))
            }
            for one in ours
        },
    }


if __name__ == "__main__":
    sys.exit(main())
