"""What is made of measurements: medians, percentiles, ratios, tables. Nothing here measures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct

CONNECTIONS = 32
DATABASE = "database"


class Peak(Struct, frozen=True):
    """A closed loop: as many calls as it carries. Latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    requests: int
    wrong: int = 0
    exhausted: bool = False  # the bets ended before the time did: the rate is too low


class Open(Struct, frozen=True):
    """An open loop: calls at their moments, whatever becomes of the earlier ones. Milliseconds."""

    rate: int
    p50: float
    p99: float
    longest: float
    requests: int
    wrong: int = 0


class Played(Struct, frozen=True):
    """One subject in one round. `cpu`: microseconds a call, by thread. `wallet`: of a core that the wallet used."""

    peak: Peak
    cpu: dict[str, float]
    wallet: float
    opens: list[Open] = []


Rounds = Sequence[Mapping[str, Played]]
"""What each subject did, by its name, round by round; who failed in a round is not in it."""


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: a value that was seen."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(rounds: Rounds, one: str, other: str) -> tuple[float, float, float] | None:
    """How many times as fast: (median, least, most) of the ratios, each within one round."""
    found = sorted(
        played[one].peak.rate / played[other].peak.rate for played in rounds if one in played and other in played
    )
    return (statistics.median(found), found[0], found[-1]) if found else None


def cpu_a_call(before: Mapping[str, float], after: Mapping[str, float], calls: int) -> dict[str, float]:
    """Microseconds a call by thread, of nanoseconds before and after; threads that did nothing are left out."""
    used = {name: (after[name] - before.get(name, 0.0)) / 1000 / max(1, calls) for name in sorted(after)}
    return {name: found for name, found in used.items() if found >= 0.05}


def peak_of(said: str) -> Peak:
    """Of what wrk printed; its script says the figures in one line, in microseconds."""
    words = next((line.split() for line in said.splitlines() if line.startswith("bench ")), None)
    if words is None or len(words) != 7:
        raise ValueError(f"wrk said no figures:\n{said}")
    requests, duration, p50, p99, wrong, exhausted = map(int, words[1:])
    return Peak(requests * 1e6 / max(1, duration), p50 / 1000, p99 / 1000, requests, wrong, exhausted > 0)


# ---------------------------------------------------------------- tables


def own(cpu: Mapping[str, float]) -> float:
    """Of all that are ours: the database's processes are shown beside them."""
    return sum(used for thread, used in cpu.items() if thread != DATABASE)


def of(rounds: Rounds, name: str) -> list[Played]:
    return [played[name] for played in rounds if name in played]


def rates_table(rounds: Rounds, titles: Mapping[str, str]) -> list[list[str]]:
    """Rates and latencies of the closed loop, medians over the rounds."""
    rows = [["closed loop", "calls/s", "(least to most)", "p50 ms", "p99 ms", "CPU us a call", "wallet busy"]]
    for name, title in titles.items():
        found = of(rounds, name)
        if not found:
            continue
        rates = [each.peak.rate for each in found]
        rows.append(
            [
                title + _flaws([each.peak for each in found]),
                f"{statistics.median(rates):,.0f}",
                f"{min(rates):,.0f} to {max(rates):,.0f}",
                f"{statistics.median(each.peak.p50 for each in found):.2f}",
                f"{statistics.median(each.peak.p99 for each in found):.2f}",
                f"{statistics.median(own(each.cpu) for each in found):,.0f}",
                f"{100 * statistics.median(each.wallet for each in found):.0f} %",
            ]
        )
    return rows


def _flaws(peaks: Sequence[Peak]) -> str:
    wrong, exhausted = sum(peak.wrong for peak in peaks), any(peak.exhausted for peak in peaks)
    return (f" [{wrong} not OK]" if wrong else "") + (" [bets ran out]" if exhausted else "")


def ratios_table(
    rounds: Rounds, ours: Sequence[str], peers: Sequence[str], titles: Mapping[str, str]
) -> list[list[str]]:
    """How many times as fast as each peer: the median of the rounds' ratios, and the least and most of them."""
    rows = [["times as fast as", *peers]]
    for name in ours:
        found = [ratio(rounds, name, peer) for peer in peers]
        if any(found):
            rows.append([titles[name], *("" if r is None else f"{r[0]:.2f} ({r[1]:.2f} to {r[2]:.2f})" for r in found)])
    return rows if len(rows) > 1 and peers else []


def cpu_table(rounds: Rounds, titles: Mapping[str, str]) -> list[list[str]]:
    """Microseconds of CPU a call by thread, medians over the rounds."""
    threads = sorted({thread for name in titles for each in of(rounds, name) for thread in each.cpu})
    rows = [["CPU us a call", "all of ours", *threads]]
    for name, title in titles.items():
        found = of(rounds, name)
        if found:
            each = [statistics.median(one.cpu.get(thread, 0.0) for one in found) for thread in threads]
            total = statistics.median(own(one.cpu) for one in found)
            rows.append([title, f"{total:,.0f}", *(f"{value:,.0f}" if value else "" for value in each)])
    return rows


def open_table(rounds: Rounds, titles: Mapping[str, str]) -> list[list[str]]:
    """Latency at fixed rates, the whole time at the caller: medians over the rounds, and the longest of all."""
    rates = sorted({found.rate for played in rounds for each in played.values() for found in each.opens})
    rows = [["open loop, ms", *(f"{rate}/s {what}" for rate in rates for what in ("p50", "p99", "longest"))]]
    for name, title in titles.items():
        cells: list[str] = []
        for rate in rates:
            found = [each for one in of(rounds, name) for each in one.opens if each.rate == rate]
            if found:
                p50, p99 = (statistics.median(getattr(each, what) for each in found) for what in ("p50", "p99"))
                wrong = sum(each.wrong for each in found)
                cells += [f"{p50:.2f}", f"{p99:.2f}", f"{max(each.longest for each in found):.1f}"]
                cells[-1] += f" [{wrong} not OK]" if wrong else ""
            else:
                cells += [""] * 3
        if any(cells):
            rows.append([title, *cells])
    return rows if len(rows) > 1 else []


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table that reads as text, too; the first column to the left, the others to the right."""
    if not rows:
        return ""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [[row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:])) + "\n"
