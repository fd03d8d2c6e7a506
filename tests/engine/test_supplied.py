"""What the engine supplies to a dialect that misses it: to a provider's answer, to a wallet's request."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from gateway.dialect import Call, Dialect
from gateway.engine.identity import alias
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.ids import TextIds
from gateway.model import Accepted, Credit, Debit, Kind, Missing, Outcome, Reason, Rollback, Transaction, Unknown
from gateway.serve.discover import find
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_after, says
from tests.simulation.bench import Bench, a_provider, a_wallet, declared


def test_rule_03_a_digest_fits_the_wallet_it_is_told() -> None:
    """Too long for its domain: cut to it, and still another for another movement."""
    native = find("native").dialect
    short = declared(native, ids=TextIds(32))
    ids = [alias(native, short, False, "acme", "debit", replace(bet("t-1"), id="x" * 40 + end)) for end in "ab"]
    assert [len(each) for each in ids] == [32, 32]
    assert all(each.startswith("~") for each in ids)
    assert ids[0] != ids[1]
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
        answer = bench.call(undo("r-1", "b-1"))
        assert isinstance(answer, Unknown) if otherwise is None else yes(answer).moved == otherwise


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


# ---------------------------------------------------------------- a round of its own


def told(bench: Bench, kind: Kind) -> list[str]:
    """The rounds that its wallet heard."""
    return [tx.round_id for tx in bench.till.sent if tx.kind is kind]


def test_rule_03_a_round_of_its_own_is_the_same_at_every_asking(bench_of: MakeBench) -> None:
    """*A win was told in the round that its bet would have; then the bet came, in another one:* asked again in that, it would
    be another movement under a used id."""
    bench = bench_of("native", "netgaming")
    first = win("w-1", of="b-1", round_id="")
    bench.till.always(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(first), Unknown)
    bench.till.heal()
    yes(bench.call(bet("b-1", round_id="77")))
    yes(bench.call(first))
    bench.crash()
    bench.restart()
    yes(bench.call(bet("b-2", round_id="")))
    yes(bench.call(undo("r-2", "b-2", round_id="")))
    asked, *again = told(bench, Kind.CREDIT)
    assert again
    assert {asked} == set(again) != {"77"}
    assert told(bench, Kind.DEBIT)[1:] == told(bench, Kind.ROLLBACK) != [""]
    assert asked != told(bench, Kind.DEBIT)[1]


def test_a_win_of_no_round_is_told_in_that_of_the_bet_which_it_names(bench_of: MakeBench) -> None:
    """And so is what undoes it: its round was found out once, and kept."""
    bench = bench_of("native", "hub88")
    yes(bench.call(bet("b-1", round_id="77")))
    yes(bench.call(win("w-1", of="b-1", round_id="")))
    yes(bench.call(undo("r-1", "w-1", kind=Kind.CREDIT, round_id="")))
    yes(bench.call(bet("b-2", round_id="")))
    yes(bench.call(win("w-2", of="b-2", round_id="")))
    yes(bench.call(undo("r-2", "w-2", kind=Kind.CREDIT, round_id="")))
    heard = told(bench, Kind.DEBIT)
    assert heard == told(bench, Kind.CREDIT) == told(bench, Kind.ROLLBACK)
    assert heard[0] == "77"
    assert heard[1] not in ("", "77")


def test_rule_03_no_round_of_a_providers_is_told_as_one_that_was_made(bench_of: MakeBench) -> None:
    """Whatever it is called: a bet of no round shares its round with nobody."""
    bench = bench_of("native", "netgaming")
    yes(bench.call(bet("b-1", round_id="")))
    (made,) = told(bench, Kind.DEBIT)
    yes(bench.call(bet("b-2", round_id=made)))
    assert made not in told(bench, Kind.DEBIT)[1:]


def test_rule_15_what_nobody_knows_is_undone_in_no_made_up_round(bench_of: MakeBench) -> None:
    """A bet from before the gateway had a round, and only its wallet knows which."""
    bench = bench_of("native", "netgaming")
    assert why(bench.call(undo("r-1", "b-1", "5.00", round_id=""))) is Reason.TRANSACTION_NOT_FOUND
    assert told(bench, Kind.ROLLBACK) == []


def test_a_bet_is_never_made_up(bench_of: MakeBench) -> None:
    """Hub88 takes no win without its bet: a payout of none waits for a person, and no round brings it there."""
    bench = bench_of("native", "hub88")
    payout = replace(win("w-1", round_id=""), act=Credit(amount=Decimal("5.00"), type="promo"))
    assert isinstance(bench.call(payout), Unknown)
    assert bench.row(Kind.CREDIT, "w-1").state is State.PERSON
