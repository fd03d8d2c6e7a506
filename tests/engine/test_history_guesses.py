"""A wallet that takes a rollback of what it does not know for that of another bet of the round (rule 16): what may still be on its
way there meets no new bet. At Kyren's Refund, which names a round; and where a cancel says round and amount alone.

The whole file takes a second.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Wallet
from gateway.engine.states import State
from gateway.model import Kind, Reason, Rollback, Transaction
from tests.engine.acts import bet, undo, why, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import DOUBT, listed, nothing_is_open, open_rows, word
from tests.simulation.behaviours import Behaviour, arrives, kept_back, lost_after, lost_before, queued
from tests.simulation.bench import SAFE, Bench, a_provider, a_wallet

WHOLE = Decimal("1000.00")
ROLLBACK, DEBIT = Kind.ROLLBACK, Kind.DEBIT
APPLIED = SAFE | {"rollback": "applied"}


def undoes_rounds(**more: Any) -> Wallet:
    """Kyren's Refund is told there at once, also of a bet in doubt."""
    return a_wallet("kyren", **{"tombstones": True, **more})


def refund(id: str, **more: Any) -> Transaction:
    named = bet(id, **more)
    return replace(named, act=Rollback(reference=id, scope="round"), id=f"refund:{id}")


def lose(bench: Bench, tx: Transaction, how: Behaviour = lost_before, provider: str = "") -> None:
    """A call of which nobody hears what became."""
    bench.till.always(how, kind=tx.kind)
    assert word(bench.call(tx, provider)) == DOUBT
    bench.till.heal()


def a_refund_is_kept_back(bench: Bench, seconds: float = 10) -> None:
    """A bet never arrives, and the first asking of its refund is queued: the second one hears that there is no such bet."""
    lose(bench, bet("a"))
    bench.till.then(kept_back(seconds), arrives, kind=ROLLBACK)
    bench.call(refund("a"))
    assert bench.row(ROLLBACK, "refund:a").outcome is not None
    assert bench.row(ROLLBACK, "refund:a").attempts == 2


@pytest.mark.parametrize("repeats", [SAFE, APPLIED], ids=["safe", "applied"])
def test_rule_16_a_bet_meets_no_refund_of_its_round_that_is_still_on_its_way(
    bench_of: MakeBench, repeats: dict[str, str]
) -> None:
    """*The second asking heard that there is no such bet; the first was queued, arrived ten seconds later and gave back the next
    bet of the round, which had been told as taken (seed 13005463).* Never asked, it loses nothing; later it is taken."""
    bench = bench_of("kyren", undoes_rounds(repeats=repeats))
    a_refund_is_kept_back(bench)
    asked = bench.till.asked(DEBIT)
    assert why(bench.call(bet("b", "9.50"))) is Reason.UNSUPPORTED
    assert bench.till.asked(DEBIT) == asked
    bench.rest(bench.wallet.in_flight_max.total_seconds())
    yes(bench.call(bet("c", "9.50")))
    assert why(bench.call(bet("b", "9.50"))) is Reason.UNSUPPORTED  # its repeat
    assert bench.till.balance() == Decimal("990.50")
    nothing_is_open(bench)
