"""No call works more than it did: the gate that holds on a machine that is busy (`tests/work.py`)."""

from __future__ import annotations

import msgspec
import pytest

from tests.alone import run_alone
from tests.work import PINNED, Work, worse


@pytest.fixture(scope="module")
def found() -> dict[str, Work]:
    """In a process of its own: what measures coverage would be counted, or would not see us."""
    done = run_alone("tests.work", "--json")
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=dict[str, Work])


@pytest.mark.parametrize("call", PINNED)
def test_a_call_works_no_more_than_it_did(found: dict[str, Work], call: str) -> None:
    """Every player pays for a line that was put into the way of a bet: it must have been meant. Whoever meant it, or
    made the way shorter, writes the new figures into `PINNED` (`python -m tests.work` prints them)."""
    assert worse(found[call], PINNED[call]) == []


BET = Work(entered=700, lines=2700, statements=14, transactions=2, tasks=3)


def test_a_twentieth_is_noticed_and_less_is_not() -> None:
    """A gate that lets a twentieth pass each time lets everything pass in the end; one that cannot bear a line is
    switched off."""
    assert worse(msgspec.structs.replace(BET, lines=2835, entered=735), BET) == []
    assert len(worse(msgspec.structs.replace(BET, lines=2836, entered=736), BET)) == 2


@pytest.mark.parametrize("what", ["statements", "transactions", "tasks"])
def test_one_more_trip_is_noticed(what: str) -> None:
    """One more commit a bet is one more wait for the disk, and a fraction of none of them."""
    more = msgspec.structs.replace(BET, **{what: getattr(BET, what) + 1})
    assert len(worse(more, BET)) == 1


def test_what_was_won_is_pinned() -> None:
    """Else a bet that became twice as quick could become as slow as before, and nobody would hear of it."""
    (complaint,) = worse(msgspec.structs.replace(BET, lines=1300), BET)
    assert "pin it" in complaint
