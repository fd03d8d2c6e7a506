"""What a movement is called: ids that a player or a round makes unique, ids that look like ours, and answers
that are another movement's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Provider
from gateway.http import Response
from gateway.model import Kind, Reason, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, SPLITTING, listed, nothing_is_open, word
from tests.simulation.behaviours import after, answers, lost_after, lost_before
from tests.simulation.bench import NEVER, QUERY, a_provider, a_wallet, declared

WALLETS = ("native", *SPLITTING)
TWO = {"p-1": Decimal("1000.00"), "p-2": Decimal("1000.00")}


def unique_by(scope: str, **more: Any) -> Provider:
    """A provider whose ids are unique only with the player or the round."""
    provider = a_provider("native", **more)
    return replace(provider, dialect=declared(provider.dialect, scope=scope))


def aliased(wallet: str, **more: Any) -> Any:
    return a_wallet(wallet, ids_as_is=False, **more)


def of(player: str, call: Transaction) -> Transaction:
    return replace(call, player=player, session=f"sess-{player}")


# ---------------------------------------------------------------- scope (rules 1, 3)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_03_one_id_of_two_players_is_two_movements_at_the_wallet(bench_of: MakeBench, wallet: str) -> None:
    """The second player's bet was taken for a replay of the first one's, and played free."""
    bench = bench_of(unique_by("player"), aliased(wallet), opening=TWO)
    for player, amount in (("p-1", "10.00"), ("p-2", "10.00")):
        assert word(bench.call(of(player, bet("b1", amount)))) == ACCEPTED
    assert {player: bench.till.balance(player) for player in TWO} == {
        "p-1": Decimal("990.00"),
        "p-2": Decimal("990.00"),
    }
    assert len({tx.id for tx in bench.till.sent if tx.kind is Kind.DEBIT}) == 2


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_03_a_cancel_undoes_its_own_players_bet(bench_of: MakeBench, wallet: str) -> None:
    """Both have a bet b1 and a cancel r1; one of them cancels, then the other."""
    bench = bench_of(unique_by("player"), aliased(wallet), opening=TWO)
    for player in TWO:
        yes(bench.call(of(player, bet("b1"))))
    yes(bench.call(of("p-2", undo("r1", "b1"))))
    assert {player: bench.till.balance(player) for player in TWO} == {
        "p-1": Decimal("990.00"),
        "p-2": Decimal("1000.00"),
    }
    yes(bench.call(of("p-1", undo("r1", "b1"))))
    assert bench.till.balance("p-1") == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_15_a_tombstone_buries_only_its_players_movement(bench_of: MakeBench, wallet: str) -> None:
    """A cancel of p-1 came first: p-2's bet of that id is another one."""
    bench = bench_of(unique_by("player"), aliased(wallet), opening=TWO)
    assert word(bench.call(of("p-1", undo("r1", "b1")))) == Reason.TRANSACTION_NOT_FOUND
    assert word(bench.call(of("p-2", bet("b1")))) == ACCEPTED
    assert word(bench.call(of("p-1", bet("b1")))) == Reason.ALREADY_ROLLED_BACK
    assert {player: bench.till.balance(player) for player in TWO} == {
        "p-1": Decimal("1000.00"),
        "p-2": Decimal("990.00"),
    }
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_03_one_id_in_two_rounds_is_two_movements_at_the_wallet(bench_of: MakeBench, wallet: str) -> None:
    """The same where the round makes it unique; a cancel and a tombstone stay in theirs."""
    bench = bench_of(unique_by("round"), aliased(wallet))
    assert word(bench.call(undo("r0", "b1", round_id="3"))) == Reason.TRANSACTION_NOT_FOUND
    for round_id in ("1", "2"):
        assert word(bench.call(bet("b1", round_id=round_id))) == ACCEPTED
    assert word(bench.call(bet("b1", round_id="3"))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("980.00")
    yes(bench.call(undo("r1", "b1", round_id="2")))
    assert word(bench.call(bet("b1", round_id="1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_11_a_win_ties_to_its_own_players_bet(bench_of: MakeBench, wallet: str) -> None:
    """p-1's bet b1 is in doubt: p-2's win for p-2's bet b1 does not wait for it."""
    bench = bench_of(unique_by("player"), aliased(wallet, tombstones=False), opening=TWO)
    yes(bench.call(of("p-2", bet("b1"))))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(of("p-1", bet("b1")))) == DOUBT
    assert word(bench.call(of("p-2", win("w1", of="b1")))) == ACCEPTED
    assert word(bench.call(of("p-1", win("w1", of="b1")))) == DOUBT
    bench.till.heal()
    bench.settlement(300, 2)
    assert {player: bench.till.balance(player) for player in TWO} == {
        "p-1": Decimal("1015.00"),
        "p-2": Decimal("1015.00"),
    }
    nothing_is_open(bench)


def test_rule_12_the_clocks_of_two_players_give_back_two_bets_of_one_id(bench_of: MakeBench) -> None:
    """Our own rollbacks have ids of their own, too."""
    provider = unique_by("player", after_doubt=timedelta(seconds=20))
    bench = bench_of(provider, aliased("netgaming"), opening=TWO)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    for player in TWO:
        assert word(bench.call(of(player, bet("b1")))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    assert {player: bench.till.balance(player) for player in TWO} == TWO
    nothing_is_open(bench)


# ---------------------------------------------------------------- ids that look like ours (rules 1, 12)


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("id", ["gw:b1", "gw:debit:b1", "gw:", "gw:x"])
def test_rule_01_a_providers_cancel_may_be_called_anything(bench_of: MakeBench, wallet: str, id: str) -> None:
    """Its second cancel was told that it had moved 10.00: the first was taken for one of ours."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    yes(bench.call(undo(id, "b1")))
    assert word(bench.call(undo("r2", "b1"))) == Reason.ALREADY_ROLLED_BACK
    assert word(bench.call(undo(id, "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def our_own_id(bench_of: MakeBench) -> str:
    """What the gateway calls its own rollback of the bet b1, as a native wallet hears it."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    return bench.till.last(Kind.ROLLBACK).id


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_12_a_provider_that_uses_our_id_does_not_keep_us_from_giving_back(
    bench_of: MakeBench, wallet: str
) -> None:
    """Its cancel of another bet has the id that our own rollback would have: the silent bet comes back, or is seen."""
    id = our_own_id(bench_of)
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=20)), wallet)
    yes(bench.call(bet("b0", round_id="0")))
    yes(bench.call(undo(id, "b0", round_id="0")))
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    back = bench.till.balance() == Decimal("1000.00")
    assert back or listed(bench) > 0
    if wallet != "native":  # an alias says whose it is
        assert back
        nothing_is_open(bench)


# ---------------------------------------------------------------- an answer that is another movement's (rule 4)


def changed(body: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Response], Response]:
    def alter(response: Response) -> Response:
        return replace(response, body=json.dumps(body(json.loads(response.body))).encode())

    return alter


@pytest.mark.parametrize(
    ("first", "second"),
    [(bet("b1"), bet("b2")), (win("w1"), win("w2")), (settle("s1"), settle("s2"))],
    ids=["debit", "credit", "settle"],
)  # fmt: skip
@pytest.mark.parametrize("repeats", [QUERY, NEVER], ids=["query", "never"])
def test_rule_04_a_native_answer_to_another_request_is_doubt(
    bench_of: MakeBench, first: Transaction, second: Transaction, repeats: Any
) -> None:
    """A reused connection gave the answer of the request before: the bet was told accepted, and never taken."""
    bench = bench_of("native", a_wallet("native", repeats=repeats))
    yes(bench.call(first))
    before = bench.till.balance()
    bench.till.always(answers(bench.till.exchanges[-1].response), kind=second.kind)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(second)) == DOUBT
    assert bench.till.balance() == before
    assert not bench.row(second.kind, second.id).state.decided


def test_rule_04_a_native_answer_to_another_cancel_is_doubt(bench_of: MakeBench) -> None:
    """The same of a rollback: it is owed on, and done when the wallet answers it."""
    bench = bench_of("native", "native")
    for id in ("b1", "b2"):
        yes(bench.call(bet(id)))
    yes(bench.call(undo("r1", "b1")))
    bench.till.then(*[answers(bench.till.exchanges[-1].response)] * 9, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r2", "b2"))) == DOUBT
    bench.till.heal()
    bench.settlement(60, 1)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_04_a_no_to_another_request_is_no_no(bench_of: MakeBench) -> None:
    """The answer of a bet that could not be paid, given to one that was taken."""
    bench = bench_of("native", a_wallet("native", repeats=NEVER))
    assert word(bench.call(bet("b1", "5000.00"))) == Reason.INSUFFICIENT_FUNDS
    said = bench.till.exchanges[-1].response
    bench.till.then(after(lambda response: said), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b2"))) == DOUBT
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("call", [bet("b1"), win("b1"), settle("b1")], ids=["debit", "credit", "settle"])
def test_rule_04_a_native_wallet_that_echoes_no_id_is_believed(bench_of: MakeBench, call: Transaction) -> None:
    """It was written before native said so."""
    bench = bench_of()
    silenced = changed(lambda body: {name: value for name, value in body.items() if name != "transaction_id"})
    bench.till.always(after(silenced))
    yes(bench.call(call))
    yes(bench.call(bench.undo(call, "r1")))
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("as_is", [True, False], ids=["as it is", "an alias"])
def test_rule_04_native_echoes_the_id_that_its_wallet_was_told(bench_of: MakeBench, as_is: bool) -> None:
    """Whatever it was told: that is what an answer is compared with."""
    bench = bench_of("native", a_wallet("native", ids_as_is=as_is))
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    told = [tx.id for tx in bench.till.sent if tx.id]
    assert [json.loads(exchange.response.body)["transaction_id"] for exchange in bench.till.exchanges] == told
