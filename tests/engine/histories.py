"""What the histories look at beside the purse: what was told, and what is still open and who would see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from gateway.engine.journal import Doubt, Listing, Movement
from gateway.engine.person import Verdict, resolve
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Outcome, Reason
from tests.simulation.behaviours import Behaviour, says
from tests.simulation.bench import Bench, at_once

DAYS = 3600 * 80.0  # longer than a wallet remembers
SPLITTING = ("netgaming", "dragon_gaming", "scorpio_play", "kyren")
"""Wallets that know neither settles nor batches, and no rollback of a win."""
NOES = [
    *[(w, Reason.TRANSACTION_NOT_FOUND) for w in SPLITTING],
    *[(w, Reason.ALREADY_ROLLED_BACK) for w in ("netgaming", "dragon_gaming", "scorpio_play")],
    *[(w, Reason.ALREADY_SETTLED) for w in ("netgaming", "dragon_gaming")],
]
"""Their final noes to a rollback, where they have words for them."""
DOUBT, ACCEPTED = "doubt", "accepted"


def word(outcome: Outcome) -> str:
    """`accepted`, `doubt` or the reason of a decline: what a provider makes of an answer."""
    if isinstance(outcome, Accepted):
        return ACCEPTED
    return outcome.reason.value if isinstance(outcome, Declined) else DOUBT


def last_word(bench: Bench) -> str:
    """The same, as the gateway meant it: for dialects that answer success to more than a yes."""
    answer = bench.answers[-1]
    return answer.reason or {"unknown": DOUBT}.get(answer.outcome, answer.outcome)


def refuses(reason: Reason) -> Behaviour:
    """The wallet says no, and moves nothing. Some dialects say no only with a balance."""
    return says(Declined(reason=reason, balance=Decimal("990.00"), currency="EUR"))


def forgetting(bench: Bench) -> None:
    """The journal is a copy of long ago, and a person says so."""
    bench.crash()
    for ending in ("", "-wal", "-shm", ".lock"):
        bench.path.with_name(f"{bench.path.name}{ending}").unlink(missing_ok=True)
    bench.restart()
    now = bench.scheduler.clock()
    at_once(bench.journal.doubt(Doubt(since=now - timedelta(days=1), said_at=now), "restored", "anna"))


def restored(bench: Bench, forgotten: Callable[[], object]) -> None:
    """The journal is the copy of a moment ago, and a person says so: it knows nothing of what was `forgotten`."""
    bench.crash()
    files = [bench.path.with_name(f"{bench.path.name}{ending}") for ending in ("", "-wal")]
    kept = {file: file.read_bytes() for file in files if file.exists()}
    bench.restart()
    since = bench.scheduler.clock()
    forgotten()
    bench.crash()
    for file in (*files, bench.path.with_name(f"{bench.path.name}-shm")):
        file.unlink(missing_ok=True)
    for file, content in kept.items():
        file.write_bytes(content)
    bench.restart()
    at_once(bench.journal.doubt(Doubt(since=since, said_at=bench.scheduler.clock()), "restored", "anna"))


def open_rows(bench: Bench) -> list[Movement]:
    rows: list[Movement] = at_once(bench.journal.listed(Listing(states=tuple(s for s in State if not s.decided))))
    return rows


def declined_by_a_person(bench: Bench) -> None:
    """All that waits for a person: it stands."""
    said = Verdict(accepted=False, reason="the wallet keeps it", by="anna")
    for row in open_rows(bench):
        if row.state is State.PERSON:
            at_once(resolve(bench.journal, bench.setup, row.key, said, bench.scheduler.clock()))


def listed(bench: Bench) -> int:
    """How many movements the gauges show as open: what an operator's alert can see."""
    return sum(count.number for count in at_once(bench.journal.counts()))


def nothing_is_open(bench: Bench) -> None:
    assert [(row.key, row.state.value, row.note) for row in open_rows(bench)] == []
    assert listed(bench) == 0


def waits_for_a_person(bench: Bench) -> None:
    """It is seen, and nothing looks at it for ever: whatever is open is a person's, with a reason."""
    rows = open_rows(bench)
    assert listed(bench) > 0
    assert [(row.key, row.state.value) for row in rows if row.state is not State.PERSON] == []
    assert [row.key for row in rows if not row.note] == []


def ended(bench: Bench) -> None:
    """Everything was decided, or a person sees it."""
    if open_rows(bench):
        waits_for_a_person(bench)
    else:
        nothing_is_open(bench)
