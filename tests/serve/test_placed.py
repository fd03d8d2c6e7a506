"""Which movements a configuration would leave behind, and what the operator is told (rule 25)."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Setup, Unresolved, Wallet
from gateway.serve.placed import misplaced, problems
from tests.config.helpers import GOOD, good

from .helpers import provider, setup, wallet

OLD = wallet("https://old.example")
HERE, MOVED = wallet("https://new.example"), replace(wallet("https://new.example"), moved_from="https://old.example")
REMOVED = (
    "wallet main is removed, and {} unresolved (put it back; if it is the same wallet at another address, "
    "with the new url and moved_from: URL)"
)
ELSEWHERE = (
    "wallet main is pointed elsewhere, and {} unresolved (put it back; if it is the same wallet at another "
    "address, write moved_from: URL)"
)
NO_PROVIDER = (
    "no provider has the id gone-id any more, and {} unresolved (put it back; under another name with id: gone-id)"
)


def left(number: int = 3, *, of: str = "acme-id", at: Wallet | None = OLD, place: str | None = None) -> Unresolved:
    """So many movements of a provider at a wallet, as the journal counts them."""
    name, kept = (at.name, at.place) if at is not None else ("", "")
    return Unresolved(of, name, kept if place is None else place, number)


def with_wallets(*wallets: Wallet) -> Setup:
    return replace(setup(provider()), wallets={found.name: found for found in wallets}, routes=[])


@pytest.mark.parametrize(
    ("wallets", "unresolved", "said"),
    [
        ([OLD], [left()], []),
        ([HERE], [], []),
        ([HERE], [left()], [ELSEWHERE.format("3 of its movements are")]),
        ([HERE], [left(1)], [ELSEWHERE.format("1 of its movements is")]),
        ([HERE], [left(0)], []),
        # what was counted before places were kept, and what went to no wallet, points nowhere else
        ([HERE], [left(place="")], []),
        ([HERE], [left(at=None)], []),
        # the same wallet at another address: both addresses are its own
        ([MOVED], [left(), left(at=MOVED)], []),
        ([replace(MOVED, ids_as_is=True)], [left()], [ELSEWHERE.format("3 of its movements are")]),
        ([replace(OLD, moved_from="https://older.example")], [left()], []),
        # the same name at another url and two places of it: one sentence, all of them
        ([HERE], [left(2), left(5, place="0123456789ab")], [ELSEWHERE.format("7 of its movements are")]),
        ([replace(OLD, name="renamed")], [left()], [REMOVED.format("3 of its movements are")]),
        ([], [left(place="")], [REMOVED.format("3 of its movements are")]),
        ([OLD], [left(of="gone-id")], [NO_PROVIDER.format("3 of its movements are")]),
        ([OLD], [left(of="gone-id", at=None)], [NO_PROVIDER.format("3 of its movements are")]),
        (
            [],
            [left(1, of="gone-id"), left(2)],
            [REMOVED.format("3 of its movements are"), NO_PROVIDER.format("1 of its movements is")],
        ),
    ],
)
def test_what_is_left_behind(wallets: list[Wallet], unresolved: list[Unresolved], said: list[str]) -> None:
    """An owed win must never be paid at a wallet that is not the one where it was sent."""
    assert misplaced(with_wallets(*wallets), unresolved) == said


def test_a_provider_is_known_by_its_id_and_not_by_its_name(tmp_path: Path) -> None:
    """Renaming an integration makes nothing new of its old movements (rule 1)."""
    renamed = good(tmp_path, GOOD.replace("  acme: {", "  other: {id: acme, ")).setup
    assert misplaced(renamed, [left(of="acme", place="")]) == []
    assert misplaced(good(tmp_path).setup, [left(of="other", place="")])


def test_what_is_wrong_has_its_place_in_the_file(tmp_path: Path) -> None:
    """The operator is led to the line that was changed, or to the section where it should stand."""
    loaded = good(tmp_path)
    rows = [Unresolved("acme", "main", "0123456789ab", 1), Unresolved("gone", "lost", "", 2)]
    at = [(found.line, found.problem.split(",")[0]) for found in problems(loaded, rows)]
    lines = GOOD.splitlines()
    assert at == [
        (lines.index("wallets:") + 2, "wallet lost is removed"),
        (lines.index("  main:") + 1, "wallet main is pointed elsewhere"),
        (lines.index("providers:") + 2, "no provider has the id gone any more"),
    ]
    assert str(problems(loaded, rows)[0]).startswith(f"{loaded.path}:")
