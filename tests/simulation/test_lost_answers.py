"""What becomes of a movement whose first request, or its answer, is lost: the whole matrix, as a table.

The provider is native and cancels a bet in doubt, as a native provider does; only the first request of the
kind is disturbed. `no tombstones`: the wallet does not remember the rollback of what it never saw.
`cannot be asked`: a dialect without a status call. Every end is also judged by all invariants.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.model import Accepted, Kind
from tests.simulation.history import History
from tests.simulation.invariants import violations
from tests.simulation.players import Story
from tests.simulation.rooms import a_room, played
from tests.simulation.scenes import a_plan, scene_of

CUTS = {
    "before": "lost_before",  # it left and never arrived
    "after": "lost_after",  # applied, and the answer is lost
    "half": "cut",  # applied, and half of the answer arrives
    "500": "error_after",  # applied, and answered with 500
    "late": "too_late_to_hear",  # applied, and answered when the provider has gone
}
WALLETS = {
    "safe": ("native", "safe", True),
    "safe, no tombstones": ("native", "safe", False),
    "query": ("native", "query", True),
    "query, no tombstones": ("native", "query", False),
    "never": ("native", "never", True),
    "never, no tombstones": ("native", "never", False),
    "cannot be asked, safe": ("netgaming", "safe", False),
    "cannot be asked, never": ("netgaming", "never", False),
}
# accepted: the provider hears a yes, and it is applied once. cancelled: it hears that its cancel is
# done, and nothing has moved. person: it waits for one, and its provider hears doubt. `never` with a
# query is no dead end: what a query shows never to have arrived is asked as a first attempt (rule 10).
TABLE = """
kind     wallet                 | before    after     half      500       late
debit    safe                   | accepted  accepted  accepted  accepted  accepted
debit    safe, no tombstones    | accepted  accepted  accepted  accepted  accepted
debit    query                  | cancelled accepted  accepted  accepted  accepted
debit    query, no tombstones   | cancelled accepted  accepted  accepted  accepted
debit    never                  | cancelled accepted  accepted  accepted  accepted
debit    never, no tombstones   | cancelled accepted  accepted  accepted  accepted
debit    cannot be asked, safe  | accepted  accepted  accepted  accepted  accepted
debit    cannot be asked, never | cancelled cancelled cancelled cancelled accepted
credit   safe                   | accepted  accepted  accepted  accepted  accepted
credit   safe, no tombstones    | accepted  accepted  accepted  accepted  accepted
credit   query                  | accepted  accepted  accepted  accepted  accepted
credit   query, no tombstones   | accepted  accepted  accepted  accepted  accepted
credit   never                  | accepted  accepted  accepted  accepted  accepted
credit   never, no tombstones   | accepted  accepted  accepted  accepted  accepted
credit   cannot be asked, safe  | accepted  accepted  accepted  accepted  accepted
credit   cannot be asked, never | person    person    person    person    accepted
rollback safe                   | accepted  accepted  accepted  accepted  accepted
rollback safe, no tombstones    | accepted  accepted  accepted  accepted  accepted
rollback query                  | accepted  accepted  accepted  accepted  accepted
rollback query, no tombstones   | accepted  accepted  accepted  accepted  accepted
rollback never                  | accepted  accepted  accepted  accepted  accepted
rollback never, no tombstones   | accepted  accepted  accepted  accepted  accepted
rollback cannot be asked, safe  | accepted  accepted  accepted  accepted  accepted
rollback cannot be asked, never | person    person    person    person    accepted
"""


def cells() -> Iterator[tuple[str, str, str, str]]:
    head, *rows = TABLE.strip().splitlines()
    cuts = head.partition("|")[2].split()
    for row in rows:
        left, _, ends = row.partition("|")
        kind, _, wallet = left.strip().partition(" ")
        for cut, end in zip(cuts, ends.split(), strict=True):
            yield kind, wallet.strip(), cut, end


def end_of(history: History, kind: Kind) -> str:
    """The end in one word, by what the provider heard and what the wallet's book shows."""
    story = next(s for s in history.stories.values() if s.kind is kind)
    row = next(r for r in history.rows.values() if (r.kind, r.id) == (kind.value, story.id))
    applied = sum(e.kind is kind for e in history.tills["wallet0"].purse.book)
    if row.state == "person":
        return "person"
    if any(isinstance(word, Accepted) for word in story.decisions) and not story.cancels:
        return "accepted" if applied == 1 else f"accepted, applied {applied} times"
    return "cancelled" if _cancelled(story) and not _moved(history) else f"{row.state}, applied {applied} times"


def _cancelled(story: Story) -> bool:
    return any(cancel.decided for cancel in story.cancels)


def _moved(history: History) -> bool:
    return any(sum(e.delta for e in till.purse.book) for till in history.tills.values())


@pytest.mark.parametrize(("kind", "wallet", "cut", "end"), list(cells()))
def test_a_lost_answer_ends_as_the_table_says(kind: str, wallet: str, cut: str, end: str) -> None:
    """24 rows, five cuts."""
    dialect, repeats, tombstones = WALLETS[wallet]
    plan = a_plan("native", dialect, repeats, tombstones=tombstones)
    with a_room() as room, played(room, plan, acts=scene_of(Kind(kind)), script={Kind(kind): [CUTS[cut]]}) as history:
        assert list(violations(history)) == []
        assert end_of(history, Kind(kind)) == end


def test_the_table_has_every_cell() -> None:
    """Three kinds, every wallet, every cut."""
    assert {(kind, wallet, cut) for kind, wallet, cut, _ in cells()} == {
        (kind, wallet, cut) for kind in ("debit", "credit", "rollback") for wallet in WALLETS for cut in CUTS
    }
