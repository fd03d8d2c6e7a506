"""What the engine supplies to a dialect that misses it: to a provider's answer, to a wallet's request."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from gateway.dialect import Call, Dialect
from gateway.engine.identity import alias
from gateway.http import Request, Response
from gateway.ids import TextIds
from gateway.model import Accepted, Debit, Kind, Missing, Outcome, Rollback, Transaction, Unknown
from gateway.serve.discover import find
from tests.engine.acts import bet, undo, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import says
from tests.simulation.bench import a_provider, a_wallet, declared


def test_rule_03_a_digest_fits_the_wallet_it_is_told() -> None:
    """Too long for its domain: cut to it, and still another for another movement."""
    native = find("native").dialect
    short = declared(native, ids=TextIds(32))
    told = [alias(native, short, False, "acme", "debit", replace(bet("t-1"), id="x" * 40 + end)) for end in "ab"]
    assert [len(each) for each in told] == [32, 32]
    assert all(each.startswith("~") for each in told)
    assert told[0] != told[1]
    assert alias(native, short, False, "acme", "debit", bet("t-1")) == "acme:debit:t-1"


def telling(otherwise: Decimal | None) -> Dialect:
    """A dialect whose answers need the amount of a rollback."""
    native = find("native").dialect

    def encode(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
        rolls_back = tx is not None and tx.kind is Kind.ROLLBACK
        if isinstance(outcome, Accepted) and rolls_back and outcome.moved is None:
            raise Missing("amount", otherwise=otherwise)
        return native.encode_response(outcome, tx, call)

    return replace(native, encode_response=encode)


def test_an_answer_tells_the_amount_of_the_movement_meant(bench_of: MakeBench) -> None:
    """The journal knows better than what the provider said."""
    provider = replace(a_provider("native"), dialect=telling(Decimal("47.00")))
    bench = bench_of(provider)
    yes(bench.call(bet("b-1", "10.00")))
    assert yes(bench.call(undo("r-1", "b-1"))).moved == Decimal("10.00")


def test_where_nobody_knows_it_the_answer_tells_what_the_dialect_has(bench_of: MakeBench) -> None:
    """*A refund of a stake from before the gateway was done, and its provider heard doubt of it for ever.*"""
    for otherwise in (None, Decimal("7.00")):
        bench = bench_of(replace(a_provider("native"), dialect=telling(otherwise)))
        bench.till.then(says(Accepted(wallet_id="w-1", balance=Decimal("1000.00"), currency="EUR")), kind=Kind.ROLLBACK)
        told = bench.call(undo("r-1", "b-1"))
        assert isinstance(told, Unknown) if otherwise is None else yes(told).moved == otherwise


def test_a_wallet_hears_what_type_of_movement_a_rollback_means(bench_of: MakeBench) -> None:
    """Its page may undo a tip, or a promotional debit, in a call of its own."""
    native, heard = find("native").dialect, []

    def encode(tx: Transaction, call: Call) -> Request:
        if isinstance(tx.act, Rollback):
            heard.append(tx.act.reference_type)
        return native.encode_request(tx, call)

    bench = bench_of("native", replace(a_wallet("native"), dialect=replace(native, encode_request=encode)))
    yes(bench.call(replace(bet("b-1"), act=Debit(amount=Decimal("5.00"), type="tip"))))
    yes(bench.call(undo("r-1", "b-1")))
    bench.call(undo("r-2", "b-2"))
    assert (heard[0], heard[-1]) == ("tip", "")
