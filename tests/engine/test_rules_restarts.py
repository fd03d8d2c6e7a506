"""Rules 25, 26: what a crash leaves, and what a reload must not lose. And who may call at all."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.auth.guards import Guard
from gateway.auth.keys import Key
from gateway.engine.states import State
from gateway.http import Request
from gateway.model import Kind, Reason, Refused, Unknown
from tests.engine.acts import bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import late, lost_before, queued, silent
from tests.simulation.bench import NEVER, QUERY, a_provider, a_wallet

DIALECTS = ["native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"]


def test_rule_25_the_number_of_unresolved_movements_of_a_wallet(bench_of: MakeBench) -> None:
    """A reload that removes or re-points that wallet is refused with it."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    assert bench.unresolved() == {}
    bench.till.always(lost_before)
    for call in (bet("t1"), win("w1", round_id="7")):
        assert isinstance(bench.call(call), Unknown)
    assert bench.unresolved() == {"main": 2}


@pytest.mark.parametrize(
    ("call", "state"),
    [(bet("x"), State.DOUBT), (win("x"), State.OWED), (undo("x", "t0"), State.OWED), (settle("x"), State.DOUBT)],
    ids=["debit", "credit", "rollback", "settle"],
)  # fmt: skip
def test_rule_26_a_crash_between_intent_and_outcome_is_doubt_told(
    bench_of: MakeBench, call: object, state: State
) -> None:
    """From the restart on; nothing is asked by itself for a debit, nothing is forgotten."""
    bench = bench_of()
    bench.till.then(silent(600))
    bench.begin(call)  # type: ignore[arg-type]  # a transaction
    bench.rest(0.5)
    assert bench.row(call.kind, "x").state is State.ASKING  # type: ignore[attr-defined]  # a transaction
    bench.crash()
    bench.restart()
    row = bench.row(call.kind, "x")  # type: ignore[attr-defined]  # a transaction
    assert (row.state, row.told) == (state, "unknown")


def test_rule_11_what_a_bet_heard_before_a_crash_no_win_takes_back(bench_of: MakeBench) -> None:
    """Its repeat had heard that its cancel was read. The process ended, and what was heard was doubt from then on: a win
    stopped the cancel, and the stake of a bet that was told as failed stayed taken."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    bench.till.always(late(600), kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    for tx in (bet("b1"), undo("r1", "b1")):
        bench.begin(tx)
        bench.rest(0.2)
    repeat = bench.begin(bet("b1"))
    bench.rest(0.2)
    assert why(bench.finish(repeat).outcome) == Reason.ALREADY_ROLLED_BACK
    assert bench.row(Kind.DEBIT, "b1").state is State.ASKING
    bench.crash()
    bench.restart()
    bench.till.heal()
    bench.call(win("w1", of="b1"))
    bench.settlement(600, 5)
    yes(bench.call(undo("r1", "b1")))
    assert why(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("applied", [True, False], ids=["the wallet had applied it", "it never arrived"])
def test_rule_26_after_a_restart_the_repeat_goes_on(bench_of: MakeBench, provider: str, applied: bool) -> None:
    """A safe wallet is asked again, and the money moves once."""
    bench = bench_of(provider, "native")
    bench.till.then(late(60) if applied else silent(60))
    bench.begin(bet("t1"))
    bench.rest(0.5)
    bench.crash()
    bench.rest(10)
    bench.restart()
    yes(bench.call(bet("t1")))
    assert bench.till.balance() == Decimal("990.00")


def test_rule_26_after_a_restart_a_wallet_that_may_not_be_asked_again_is_not(bench_of: MakeBench) -> None:
    """The journal knows that bytes may have left."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(late(60))
    bench.begin(bet("t1"))
    bench.rest(0.5)
    bench.crash()
    bench.restart()
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.till.asked(Kind.DEBIT) == 1


def test_rule_26_a_request_that_was_on_its_way_when_we_died_still_arrives(bench_of: MakeBench) -> None:
    """The query says so once it has."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY))
    bench.till.then(queued(5), kind=Kind.DEBIT)
    bench.begin(bet("t1"))
    bench.rest(0.5)
    bench.crash()
    bench.restart()
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(5)
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("990.00")


def test_rule_26_what_was_decided_before_the_crash_is_answered_after_it(bench_of: MakeBench) -> None:
    """The first decision, word for word; the wallet is not asked."""
    bench = bench_of("netgaming", "netgaming")
    first = bench.finish(bench.begin(bet("t1")))
    assert why(bench.call(bet("t2", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    bench.crash()
    bench.restart()
    again = bench.finish(bench.begin(bet("t1")))
    assert first.response is not None
    assert again.response is not None
    assert again.response.body == first.response.body
    assert why(bench.call(bet("t2", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.DEBIT) == 2


def test_rule_26_a_crash_in_the_middle_of_a_settle_goes_on_where_it_stopped(bench_of: MakeBench) -> None:
    """The debit was taken, the win not given; the repeat gives it."""
    bench = bench_of("native", "netgaming")
    bench.till.then(silent(60), kind=Kind.CREDIT)
    bench.begin(settle("s1"))
    bench.rest(0.5)
    bench.crash()
    bench.restart()
    yes(bench.call(settle("s1")))
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_26_a_tombstone_survives(bench_of: MakeBench) -> None:
    """The cancel came first, then the crash, then the bet."""
    bench = bench_of("netgaming", "native")
    bench.call(undo("r1", "t1", "10.00"))
    bench.crash()
    bench.restart()
    bench.call(bet("t1"))
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK


# ---------------------------------------------------------------- before anything is journalled


@pytest.mark.parametrize("provider", ["native", "scorpio_play", "gameball"])
def test_rule_04_a_forged_call_is_refused_counted_and_not_journalled(bench_of: MakeBench, provider: str) -> None:
    """`bad_signature`, in the dialect's words."""
    bench = bench_of(provider, "native")
    forgeries = tuple(forged(key) for key in bench.provider.keys)
    bench.callers["acme"] = replace(bench.callers["acme"], keys=forgeries)
    heard = bench.call(bet("t1"))
    assert bench.answers[-1].reason == Reason.BAD_SIGNATURE
    assert bench.answers[-1].outcome == "refused"
    assert why(heard) is Reason.BAD_SIGNATURE
    assert len(bench.tally.signature_failures) == 1
    assert bench.till.sent == []


def forged(key: Key) -> Key:
    return replace(key, parts={part: value[:8] + value[8:].swapcase() for part, value in key.parts.items()})


@pytest.mark.parametrize("provider", ["netgaming", "dragon_gaming", "kyren"])
def test_rule_04_an_unsigned_dialect_stands_behind_its_guard(bench_of: MakeBench, provider: str) -> None:
    """A shared key in X-Api-Key, the wrong one and the right one."""
    guard = Guard(api_key=(Key(id="a", parts={"secret": "let-me-in"}),))
    bench = bench_of(a_provider(provider, guard=guard), "native")
    request, _ = bench.callers["acme"].request(bet("t1"))
    bench.raw(request)
    bench.raw(request.put(("X-Api-Key", "let-me-out")))
    assert [answer.reason for answer in bench.answers] == [Reason.BAD_SIGNATURE] * 2
    bench.raw(request.put(("X-Api-Key", "let-me-in")))
    assert bench.answers[-1].outcome == "accepted"
    assert bench.tally.key_uses == [("acme", "a")]


@pytest.mark.parametrize("provider", DIALECTS)
def test_rule_04_an_unreadable_body_is_refused_and_not_journalled(bench_of: MakeBench, provider: str) -> None:
    """`invalid_request`, with a signature that is right for it."""
    bench = bench_of(provider, "native")
    whole, _ = bench.callers["acme"].request(bet("t1"))
    broken = replace(whole, body=b'{"a": ')
    with suppress(Refused):  # Scorpio Play signs values: there are none
        provider_end, now = bench.provider, bench.scheduler.clock()
        broken = provider_end.dialect.auth.sign(broken, provider_end.keys, provider_end.settings, now)
    bench.raw(broken)
    assert bench.answers[-1].outcome == "refused"
    assert bench.answers[-1].reason == Reason.INVALID_REQUEST
    assert bench.unresolved() == {}
    assert bench.till.sent == []


@pytest.mark.parametrize("provider", DIALECTS)
def test_rule_04_an_unknown_call_is_404_and_a_wrong_method_405(bench_of: MakeBench, provider: str) -> None:
    """One line of text, where the dialect has no answer of its own."""
    bench = bench_of(provider, "native")
    whole, _ = bench.callers["acme"].request(bet("t1"))
    assert bench.raw(Request(method="POST", path="/no/such/call/here")).status == 404
    wrong = bench.raw(replace(whole, method="PATCH"))
    assert wrong.status == 405
    assert wrong.headers["allow"]


@pytest.mark.parametrize("amount", ["0.01", "999999999999.99"])
def test_rule_04_the_last_minor_unit_arrives(bench_of: MakeBench, amount: str) -> None:
    """Exact at both ends of the scale."""
    bench = bench_of("scorpio_play", "netgaming", opening={"p-1": Decimal("999999999999.99")})
    yes(bench.call(bet("t1", amount)))
    assert bench.till.balance() == Decimal("999999999999.99") - Decimal(amount)


def test_rule_28_the_meter_hears_of_every_call(bench_of: MakeBench) -> None:
    """Provider, dialect, kind, outcome, reason; and of every request to a wallet its result."""
    bench = bench_of("netgaming", "kyren")
    bench.till.then(lost_before)
    yes(bench.call(bet("t1")))
    assert bench.tally.calls[-1][:5] == ("acme", "netgaming", "debit", "accepted", "")
    assert [(wallet, kind, result) for wallet, kind, result, _ in bench.tally.wallet_requests] == [
        ("main", "debit", "broken"),
        ("main", "debit", "answered"),
    ]
