"""The pair law's matrix: what of each provider dialect's vectors each wallet dialect can be told.

python -m tests.engine.pairs            shows what differs from the pinned matrix
python -m tests.engine.pairs --write    pins it anew; refuses where a refusal would be new
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import adapters
from gateway.engine.capability import REFUSED, tell
from gateway.engine.setup import Route, Setup
from gateway.engine.words import Way
from gateway.model import Accepted
from gateway.vectors import CURRENCIES
from tests.simulation.bench import a_provider, a_wallet, vectors_of

DIALECTS = tuple(sorted(path.parent.name for path in Path(adapters.__path__[0]).glob("*/dialect.py")))
PAIRS = tuple((provider, wallet) for provider in DIALECTS for wallet in DIALECTS)
PINNED = Path(__file__).parent / "pairs.txt"
HEAD = """\
# The pair law: for every accepted vector of a provider's dialect and every wallet's dialect,
# `same`, `bridged` by what, or `refused` with what is missing. Made by `python -m tests.engine.pairs --write`.
"""

Matrix = dict[str, str]
"""`provider -> wallet: vector` -> `verdict: text`."""


def matrix() -> Matrix:
    return {key: verdict for provider, wallet in PAIRS for key, verdict in column(provider, wallet).items()}


@cache
def pinned() -> Matrix:
    return read(PINNED.read_text(encoding="utf-8"))


def column(provider: str, wallet: str) -> Matrix:
    """One pair."""
    way, found = way_of(provider, wallet), {}
    for vector in vectors_of(provider):
        if vector.transaction is None or "in" not in vector.ends or not isinstance(vector.outcome, Accepted):
            continue
        told = tell(way, vector.transaction, vector.call.name)
        found[f"{provider} -> {wallet}: {vector.name}"] = f"{told.verdict}: {told.text}" if told.text else told.verdict
    return found


def way_of(provider: str, wallet: str) -> Way:
    """From a provider of one dialect to a wallet of the other, neither of which has a currency of its own."""
    asks, told = a_provider(provider, currency=""), a_wallet(wallet, currency="")
    route = Route(wallet=told.name)
    setup = Setup(providers={asks.name: asks}, wallets={told.name: told}, routes=(route,), currencies=CURRENCIES)
    return Way(setup=setup, provider=asks, wallet=told, route=route)


def text_of(found: Matrix) -> str:
    lines, last = [HEAD], ""
    for key, verdict in found.items():
        pair, _, vector = key.partition(": ")
        if pair != last:
            lines.append(f"\n{pair}\n")
            last = pair
        lines.append(f"  {vector:<44} {verdict}\n")
    return "".join(lines)


def read(text: str) -> Matrix:
    found, pair = {}, ""
    for line in text.splitlines():
        if line.startswith("  "):
            vector, _, verdict = line.strip().partition(" ")
            found[f"{pair}: {vector}"] = verdict.strip()
        elif line and not line.startswith("#"):
            pair = line
    return found


def new_refusals(before: Matrix, now: Matrix) -> list[str]:
    """What could be said and cannot be any more: never allowed. A new vector may begin refused."""

    def refused(verdict: str) -> bool:
        return verdict.split(":")[0] == REFUSED

    return [key for key, verdict in now.items() if refused(verdict) and key in before and not refused(before[key])]


def differences(before: Matrix, now: Matrix) -> list[str]:
    keys = [*before, *(key for key in now if key not in before)]
    return [
        f"{key}: pinned {before.get(key, 'nothing')!r}, now {now.get(key, 'nothing')!r}"
        for key in keys
        if before.get(key) != now.get(key)
    ]


def main(arguments: list[str]) -> int:
    before, now = read(PINNED.read_text(encoding="utf-8")) if PINNED.exists() else {}, matrix()
    grown = new_refusals(before, now)
    if grown:
        print("refusals may never grow:", *grown, sep="\n  ")
        return 1
    if arguments == ["--write"]:
        PINNED.write_text(text_of(now), encoding="utf-8")
        return 0
    print(*differences(before, now), sep="\n")
    return int(before != now)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
