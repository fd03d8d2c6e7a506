"""What a dialect's answer shows beside a decline.

Native's words, with what such a page says: that it holds for any dialect that declares it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.setup import Provider
from gateway.http import Response
from gateway.model import Accepted, Declined, Kind, Missing, Outcome, Reason, Transaction
from tests.engine.acts import balance, bet, why
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_before, says
from tests.simulation.bench import PLAYER, a_provider


def declaring(**more: Any) -> Provider:
    provider = a_provider("native")
    return replace(provider, dialect=replace(provider.dialect, **more))


# ---------------------------------------------------------------- the balance beside a no


def shows_balances(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    """A dialect that says no decline without the balance, if anybody knows it."""
    if isinstance(outcome, Declined) and outcome.balance is None and "balance" not in call.unknown:
        raise Missing("balance")
    return a_provider("native").dialect.encode_response(outcome, tx, call)


def test_rule_08_the_balance_of_a_no_is_asked_for_and_never_made_up(bench_of: MakeBench) -> None:
    """*0.00 was shown, where nobody knew.*"""
    bench = bench_of(declaring(encode_response=shows_balances))
    limit = says(Declined(reason=Reason.LIMIT_EXCEEDED))
    bench.till.always(limit, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.BALANCE)
    assert why(bench.call(bet("t1"))) is Reason.LIMIT_EXCEEDED
    assert "balance" not in json.loads(bench.answers[-1].response.body)
    bench.till.heal()
    bench.till.always(limit, kind=Kind.DEBIT)
    heard = bench.call(bet("t2"))
    assert isinstance(heard, Declined)
    assert heard.balance == Decimal("1000.00")
    assert isinstance(bench.call(balance(player=PLAYER)), Accepted)
