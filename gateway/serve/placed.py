"""Movements that a configuration would leave without their wallet or their provider (rule 25).

*A restart with another configuration paid an owed win at the new wallet, too*: so neither a start nor
a reload may take away what is still needed to bring them to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from gateway.engine.setup import Setup, Unresolved
from gateway.serve.config import Loaded
from gateway.serve.config.places import Problem

_REMOVED = "put it back; if it is the same wallet at another address, with the new url and moved_from: URL"
_ELSEWHERE = "put it back; if it is the same wallet at another address, write moved_from: URL"


class Misplaced(Exception):
    """The configuration leaves unresolved movements behind; the text is for people."""


class _Stray(Struct, frozen=True):
    """One wallet or provider whose movements would be left behind; `section` is where it should stand."""

    section: str
    name: str
    problem: str
    instead: str


def misplaced(setup: Setup, unresolved: Sequence[Unresolved]) -> list[str]:
    """A sentence for each wallet that is gone or points elsewhere, and each provider that is gone, with how
    many movements still need it and what to do."""
    return [f"{stray.problem} ({stray.instead})" for stray in _strays(setup, unresolved)]


def problems(loaded: Loaded, unresolved: Sequence[Unresolved]) -> list[Problem]:
    """The same, each with its place in the configuration."""
    found = []
    for stray in _strays(loaded.setup, unresolved):
        line, column = loaded.places.get((stray.section, stray.name)) or loaded.places.get((stray.section, ""), (1, 1))
        found.append(Problem(str(loaded.path), line, column, stray.problem, stray.instead))
    return found


def _strays(setup: Setup, unresolved: Sequence[Unresolved]) -> list[_Stray]:
    def gone(row: Unresolved) -> bool:
        return bool(row.wallet) and row.wallet not in setup.wallets

    def elsewhere(row: Unresolved) -> bool:
        return row.wallet in setup.wallets and not setup.wallets[row.wallet].is_at(row.place)

    def unknown(row: Unresolved) -> bool:
        return setup.provider_by_id(row.provider) is None

    found = [
        _Stray("wallets", name, f"wallet {name} is removed, and {_of_its(number)}", _REMOVED)
        for name, number in _numbers(filter(gone, unresolved), lambda row: row.wallet)
    ]
    found += [
        _Stray("wallets", name, f"wallet {name} is pointed elsewhere, and {_of_its(number)}", _ELSEWHERE)
        for name, number in _numbers(filter(elsewhere, unresolved), lambda row: row.wallet)
    ]
    found += [
        _Stray("providers", name, f"no provider has the id {name} any more, and {_of_its(number)}", _back(name))
        for name, number in _numbers(filter(unknown, unresolved), lambda row: row.provider)
    ]
    return found


def _back(provider_id: str) -> str:
    return f"put it back; under another name with id: {provider_id}"


def _of_its(number: int) -> str:
    return f"{number} of its movements {'is' if number == 1 else 'are'} unresolved"


def _numbers(rows: Iterable[Unresolved], name_of: Callable[[Unresolved], str]) -> list[tuple[str, int]]:
    """How many in all, by name; what is none is left out."""
    numbers: dict[str, int] = {}
    for row in rows:
        numbers[name_of(row)] = numbers.get(name_of(row), 0) + row.number
    return [(name, number) for name, number in sorted(numbers.items()) if number]
