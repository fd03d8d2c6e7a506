"""Slotegrator: what one vector cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.slotegrator.dialect import ACTIONS, DIALECT
from adapters.slotegrator.rollback import apart, of_refund, said_by_refund
from gateway.auth import Key
from gateway.body import Unreadable
from gateway.codec.fields import write_form
from gateway.dialect import Call, NoCall
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)
from gateway.serve.logs import call_event
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import Post, lost_after, says
from tests.simulation.bench import a_call, a_provider

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(settings=DIALECT.settings(), now=NOW, nonce="n-1")
KEY = Key(id="demo", parts={"merchant_id": "m-demo-1", "secret": "slot-test-key"})
OTHER = Key(id="other", parts={"merchant_id": "m-2", "secret": "slot-other-key"})
ONE = Decimal(1)
BET = Transaction(
    act=Debit(amount=ONE), id="b-1", player="p", session="s", currency="EUR", round=Round("r"), game=Game(id="g")
)  # fmt: skip
TAKEN = replace(BET, act=Rollback(reference="w-1", reference_kind=Kind.CREDIT, amount=ONE))
LIST = replace(BET, act=Batch(items=(TAKEN,)))
FORM = {
    "action": "win", "amount": "3.25", "currency": "EUR", "game_uuid": "g", "player_id": "p", "session_id": "s",
    "transaction_id": "t", "type": "win", "round_id": "r", "finished": "1", "freespin_id": "f", "quantity": "1",
    "transaction_datetime": "2026-01-01 00:00:00", "casino_request_retry_count": "0", "bet_transaction_id": "b",
    "provider_round_id": "r", "rollback_transactions[0][action]": "bet", "rollback_transactions[0][amount]": "1",
    "rollback_transactions[0][transaction_id]": "x", "rollback_transactions[0][type]": "bet",
}  # fmt: skip
ODD = ("", " ", "\x00", "x" * 5000, "-1", "1e400", "NaN", "９", "[]", "null", "true", "9" * 40, "ü~&=", "2.5.1")


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    """The real engine and a real journal between a provider and a wallet."""
    with benches(tmp_path) as make:
        yield make


def a_form(fields: dict[str, str]) -> Request:
    return Request(method="POST", path="/", body=write_form(fields))


def read(fields: dict[str, str]) -> Transaction | Refused:
    """What a form means, or how it is refused; nothing else may happen."""
    request = a_form(fields)
    call = replace(CALL, request=request, name=DIALECT.route(request, None))
    try:
        return DIALECT.decode_request(request, call)
    except Refused as refused:
        DIALECT.encode_response(refused.outcome(), None, call)  # whatever was refused can be said
        return refused


def said(outcome: Outcome, name: str, tx: Transaction | None = BET) -> dict[str, Any]:
    response = DIALECT.encode_response(outcome, tx, replace(CALL, name=name))
    assert response.status == 200
    found: dict[str, Any] = json.loads(response.body)
    return found


def heard(tx: Transaction, **fields: Any) -> Outcome:
    return DIALECT.decode_response(Response(body=json.dumps(fields).encode()), tx, CALL)


# ---------------------------------------------------------------- signature


def test_its_signature_is_weak_and_its_merchant_no_secret() -> None:
    assert DIALECT.auth.weak(DIALECT.settings())
    assert [(part.name, part.secret) for part in DIALECT.auth.parts(None)] == [("merchant_id", False), ("secret", True)]


def test_each_merchant_verifies_with_its_own_key() -> None:
    for key in (KEY, OTHER):
        request = DIALECT.auth.sign(DIALECT.encode_request(BET, CALL), [key], None, NOW)
        assert DIALECT.auth.verify(request, [KEY, OTHER], None, NOW) == key.id
        forged = request.put(("x-merchant-id", "m-2" if key is KEY else "m-demo-1"))
        with pytest.raises(Refused) as refused:
            DIALECT.auth.verify(forged, [KEY, OTHER], None, NOW)
        assert refused.value.reason is Reason.BAD_SIGNATURE


def test_a_nonce_with_another_body_is_refused_and_with_the_same_one_a_repeat(bench_of: MakeBench) -> None:
    """Both are signed; only the repeat is believed, and it moves nothing twice."""
    bench = bench_of("slotegrator", "native")
    caller, auth = bench.callers["acme"], DIALECT.auth

    def sent(tx: Transaction, nonce: str) -> Response:
        request, _ = replace(caller, nonce=lambda: nonce).request(tx)
        return bench.raw(request)

    first = sent(bet("b1"), "one")
    assert json.loads(first.body)["balance"] == 990
    assert sent(bet("b1"), "one").body == first.body
    assert json.loads(sent(bet("b2"), "one").body) == {
        "error_code": "INTERNAL_ERROR", "error_description": "bad_signature"
    }  # fmt: skip
    assert bench.tally.signature_failures == [("acme", "")]
    request, _ = replace(caller, nonce=lambda: "one").request(bet("b1"))
    counted = replace(request, body=request.body + b"&casino_request_retry_count=1")
    again = bench.raw(auth.sign(counted, bench.provider.keys, None, bench.scheduler.clock()))
    assert again.body == first.body  # the same call, though its body counts
    assert json.loads(sent(bet("b2"), "two").body)["balance"] == 980
    assert bench.till.balance() == Decimal("980.00")


def test_the_log_says_which_spelling_was_signed(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    request, _ = bench.callers["acme"].request(bet("b 1"))
    bench.raw(request)
    auth, key = DIALECT.auth, bench.provider.keys[0]
    other, _ = bench.callers["acme"].request(bet("b 2"))
    steps = dict(auth.explain(other, key, None))
    bench.raw(other.put(("x-sign", steps["signature 2"])))
    events = [call_event("acme", answer, "q", 0) for answer in bench.answers]
    assert [event.get("spelling") for event in events] == [None, 2]
    assert bench.till.balance() == Decimal("980.00")


# ---------------------------------------------------------------- words


def test_every_reason_and_doubt_has_words() -> None:
    for name in ACTIONS:
        for reason in Reason:
            gone = name == "refund" and reason in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)
            no = Declined(reason=reason, balance=ONE, currency="EUR")
            if gone:
                assert said(no, name) == {"balance": 1, "transaction_id": "b-1"}
            elif reason is Reason.INSUFFICIENT_FUNDS:
                assert said(no, name) == {"error_code": "INSUFFICIENT_FUNDS", "error_description": "Not enough money"}
            else:
                assert said(no, name) == {"error_code": "INTERNAL_ERROR", "error_description": reason.value}
        assert said(Unknown(detail="secret"), name) == {"error_code": "INTERNAL_ERROR", "error_description": "unknown"}


@pytest.mark.parametrize("tx", [BET, replace(BET, act=Credit(amount=ONE)), replace(BET, act=Balance()), TAKEN, LIST])
def test_every_code_of_the_table_is_heard_as_one_thing(tx: Transaction) -> None:
    assert heard(tx, error_code="INSUFFICIENT_FUNDS") == Declined(reason=Reason.INSUFFICIENT_FUNDS)
    for reason in Reason:
        assert isinstance(heard(tx, error_code="INTERNAL_ERROR", error_description=reason.value), Unknown)
    assert isinstance(heard(tx, error_code="ERR_OTHER"), Unknown)
    assert isinstance(heard(tx), Unknown)


def test_other_paths_and_methods_are_no_calls() -> None:
    for path in ("/x", "/bet", "/v1/"):
        with pytest.raises(NoCall):
            DIALECT.route(Request(method="POST", path=path), None)
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/", query="action=balance"), None)
    assert no_call.value.allow == ("POST",)


def test_what_it_needs_and_what_it_cannot_say() -> None:
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, session=""), "session"), (replace(BET, game=None), "game"),
        (replace(BET, currency=""), "currency"), (replace(TAKEN, round=None), "round"), (replace(LIST, round=None), "round"),
        (replace(BET, act=Rollback(amount=ONE)), "reference"), (replace(BET, act=Rollback(reference="b")), "amount"),
        (replace(BET, act=Balance(), player=""), "player"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, CALL)
        assert missing.value.field == what
    for act in (
        Authenticate(), Settle(debit=ONE, credit=ONE), Adjust(amount=ONE), Debit(amount=ONE, free_round=True),
        Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True), Batch(items=(BET,)),
        Rollback(reference="s", reference_kind=Kind.SETTLE, amount=ONE),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert refused.value.reason is Reason.UNSUPPORTED


def test_a_paid_bet_never_names_a_campaign() -> None:
    """A wallet would take it for a free spin and leave the stake with the player."""
    form = DIALECT.encode_request(replace(BET, free_round_id="campaign"), CALL).form
    assert not isinstance(form, Unreadable)
    assert form["type"] == "bet"
    assert "freespin_id" not in form


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_ids_of_rollbacks_never_meet(one: str, its: str, other: str, others: str) -> None:
    """Neither a refund's an element's, nor two elements' of other lists (rule 3)."""
    assert said_by_refund(of_refund(one)) == one
    element = f"{apart(one)}:{apart(its)}"
    assert of_refund(other) not in (element, f"{element}%win")
    assert (of_refund(one) == of_refund(other)) == (one == other)
    assert (f"{apart(other)}:{apart(others)}" == element) == ((one, its) == (other, others))


# ---------------------------------------------------------------- whatever comes in


def altered() -> Iterator[tuple[str, dict[str, str]]]:
    """Each field removed, or saying something odd."""
    for name in FORM:
        yield name, {key: value for key, value in FORM.items() if key != name}
        for odd in ODD:
            yield name, FORM | {name: odd}


MONEY = frozenset({"amount", "currency", "player_id", "transaction_id", "bet_transaction_id", "action"})


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_field_removed_or_of_another_form(action: str) -> None:
    """What decides about money is strict; what only describes refuses no win, refund or rollback."""
    for name, fields in altered():
        found = read(fields | {"action": action} if name != "action" else fields)
        if action == "bet" or name in MONEY or name.startswith("rollback_transactions"):
            continue
        assert isinstance(found, Transaction), (action, name, fields.get(name), found)


@pytest.mark.parametrize("amount", ["１", "1,0", "1 ", "0x1", "1_0", "", "-1", "1e99", "0.001", "1.005", "Infinity"])
@pytest.mark.parametrize("action", ["bet", "win", "refund"])
def test_an_odd_amount_moves_nothing(action: str, amount: str) -> None:
    form = FORM | {"action": action, "type": "tip"}
    assert isinstance(read(form), Transaction)
    found = read(form | {"amount": amount})
    assert isinstance(found, Refused)
    assert found.field == "amount"
    element = read(FORM | {"action": "rollback", "rollback_transactions[0][amount]": amount})
    assert isinstance(element, Refused)
    assert element.field == "amount"


@given(st.binary(max_size=80))
def test_any_body_is_answered(body: bytes) -> None:
    request = Request(method="POST", path="/", body=b"action=rollback&transaction_id=t&" + body)
    call = replace(CALL, request=request, name=DIALECT.route(request, None))
    with pytest.raises(Refused):
        DIALECT.auth.verify(request, [KEY], None, NOW)
    with pytest.raises(Refused):
        DIALECT.decode_request(request, call)


# ---------------------------------------------------------------- carried through: refunds


def body(bench: Any) -> dict[str, Any]:
    """The last answer, as its provider reads it."""
    found: dict[str, Any] = json.loads(bench.answers[-1].response.body)
    return found


def test_a_replay_shows_the_balance_of_now_and_the_same_id(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    bench.call(bet("b1", "10.00"))
    first = body(bench)
    bench.call(win("w1", "0.50"))
    bench.call(bet("b1", "10.00"))
    assert body(bench) == first | {"balance": 990.5}
    bench.call(bet("b1", "11.00"))
    assert body(bench)["error_description"] == "duplicate_mismatch"


def test_refunds_in_parts_a_second_one_and_one_of_too_much(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    bench.call(bet("b1", "10.00"))
    bench.call(undo("r1", "b1", "4.00"))
    assert body(bench)["balance"] == 994
    bench.call(undo("r2", "b1", "9.00"))
    assert body(bench)["balance"] == 1000
    bench.call(undo("r3", "b1", "10.00"))
    assert body(bench) == {"balance": 1000, "transaction_id": "r3"}
    bench.call(undo("r3", "b1", "10.00"))
    assert body(bench) == {"balance": 1000, "transaction_id": "r3"}
    assert bench.till.asked(Kind.ROLLBACK) == 2
    bench.call(bet("b1", "10.00"))  # its first answer was heard, and a repeat hears the same
    assert body(bench)["balance"] == 1000
    assert bench.till.balance() == Decimal("1000.00")


def test_a_refund_before_its_bet(bench_of: MakeBench) -> None:
    """Success and no money; the late bet is refused."""
    bench = bench_of("slotegrator", "native")
    bench.call(undo("r1", "b1", "10.00"))
    assert body(bench) == {"balance": 1000, "transaction_id": "r1"}
    bench.call(bet("b1", "10.00"))
    assert body(bench) == {"error_code": "INTERNAL_ERROR", "error_description": "already_rolled_back"}
    assert bench.till.asked(Kind.DEBIT) == 0


def test_a_bet_in_doubt_and_its_refund(bench_of: MakeBench) -> None:
    """The bet was applied and its answer lost: the refund brings the stake back, once."""
    bench = bench_of("slotegrator", "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.call(bet("b1", "10.00"))
    assert body(bench) == {"error_code": "INTERNAL_ERROR", "error_description": "unknown"}
    bench.till.heal()
    bench.call(undo("r1", "b1", "10.00"))
    bench.settlement(300, 5)
    bench.call(undo("r1", "b1", "10.00"))
    assert body(bench)["balance"] == 1000
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


# ---------------------------------------------------------------- carried through: rollbacks


def a_rollback(id: str, *elements: Transaction) -> Transaction:
    return a_call(Batch(items=elements), id)


def element(of: str, amount: str, kind: Kind = Kind.DEBIT) -> Transaction:
    return undo("", of, amount, kind)


def test_a_rollback_of_a_round(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    bench.call(bet("b1", "10.00"))
    bench.call(win("w1", "25.00"))
    round_back = a_rollback(
        "x1", element("w1", "25.00", Kind.CREDIT), element("b1", "10.00"), element("zz", "3.00")
    )  # fmt: skip
    bench.call(round_back)
    first = body(bench)
    assert (first["balance"], first["rollback_transactions"]) == (1000, ["w1", "b1"])
    assert [tx.id for tx in bench.till.sent if tx.kind is Kind.ROLLBACK] == ["x1:w1", "x1:b1", "x1:zz"]
    bench.call(bet("b2", "1.00"))
    bench.call(round_back)
    assert body(bench) == first | {"balance": 999}
    bench.call(a_rollback("x2", element("b1", "10.00")))
    assert body(bench) == {"balance": 999, "transaction_id": "x2", "rollback_transactions": ["b1"]}
    bench.call(bet("zz", "3.00"))
    assert body(bench)["error_description"] == "already_rolled_back"
    assert bench.till.balance() == Decimal("999.00")


def test_a_bet_and_a_win_of_one_id_are_both_taken_back(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    bench.call(bet("t1", "10.00"))
    bench.call(win("t1", "25.00"))
    bench.call(a_rollback("x1", element("t1", "10.00"), element("t1", "25.00", Kind.CREDIT)))
    assert body(bench)["balance"] == 1000
    assert body(bench)["rollback_transactions"] == ["t1"]


def test_a_refunded_bet_and_its_refund_in_one_list_move_nothing_together(bench_of: MakeBench) -> None:
    """Whatever the order of the list: *bet, then refund would have left the player without the stake.*"""
    bench = bench_of("slotegrator", "native")
    bench.call(bet("b1", "10.00"))
    bench.call(undo("r1", "b1", "10.00"))
    bench.call(a_rollback("x1", element("b1", "10.00"), element("r1", "10.00", Kind.ROLLBACK)))
    assert body(bench)["balance"] == 1000
    assert sorted(body(bench)["rollback_transactions"]) == ["b1", "r1"]
    assert bench.till.balance() == Decimal("1000.00")


def test_a_win_that_is_spent_cannot_be_taken_back(bench_of: MakeBench) -> None:
    """INSUFFICIENT_FUNDS, and nothing moves later behind its provider's back."""
    bench = bench_of("slotegrator", "native")
    bench.call(win("w1", "25.00"))
    bench.till.then(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.ROLLBACK)
    bench.call(a_rollback("x1", element("w1", "25.00", Kind.CREDIT)))
    assert body(bench)["error_code"] == "INSUFFICIENT_FUNDS"
    bench.settlement(60, 5)
    assert bench.till.balance() == Decimal("1025.00")
    assert bench.unresolved() == {}


async def keeps_wins(post: Post) -> Response:
    """A wallet whose player has spent the win."""
    act = post.till.meaning(post.request, None).act
    spent = isinstance(act, Rollback) and act.reference_kind is Kind.CREDIT
    return post.till.words(Declined(reason=Reason.INSUFFICIENT_FUNDS), post.request) if spent else post.arrive()


@pytest.mark.parametrize("win_first", [True, False])
def test_a_bet_is_not_given_back_beside_its_win_that_is_spent(bench_of: MakeBench, *, win_first: bool) -> None:
    """*The win stayed, the bet of the same list was given back, and the player had both.* The list is refused, whenever it
    comes again; a list of the bet alone is none of this."""
    bench = bench_of("slotegrator", "native")
    bench.call(bet("b1", "10.00"))
    bench.call(win("w1", "25.00"))
    bench.till.always(keeps_wins, Kind.ROLLBACK)
    both = [element("w1", "25.00", Kind.CREDIT), element("b1", "10.00")]
    back = a_rollback("x1", *(both if win_first else reversed(both)))
    for _ in range(2):
        bench.call(back)
        assert body(bench)["error_code"] == "INSUFFICIENT_FUNDS"
    bench.settlement(60, 5)
    assert bench.till.balance() == Decimal("1015.00")
    assert bench.unresolved() == {}
    bench.call(a_rollback("x2", element("b1", "10.00")))
    assert body(bench)["rollback_transactions"] == ["b1"]


def test_a_rollback_in_doubt_is_doubt_until_all_of_it_is_done(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    bench.call(bet("b1", "10.00"))
    bench.call(bet("b2", "20.00"))
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    back = a_rollback("x1", element("b1", "10.00"), element("b2", "20.00"))
    bench.call(back)
    assert body(bench) == {"error_code": "INTERNAL_ERROR", "error_description": "unknown"}
    bench.till.heal()
    bench.settlement(60, 5)
    bench.call(back)
    assert (body(bench)["balance"], body(bench)["rollback_transactions"]) == (1000, ["b1", "b2"])
    assert bench.till.balance() == Decimal("1000.00")


def test_an_empty_rollback_is_a_read(bench_of: MakeBench) -> None:
    bench = bench_of("slotegrator", "native")
    caller = bench.callers["acme"]
    request, _ = caller.request(a_rollback("x1", element("b1", "1.00")))
    form = request.form
    assert not isinstance(form, Unreadable)
    empty = {name: value for name, value in form.items() if "[" not in name}
    unsigned = Request(method="POST", path="/", body=write_form(empty), target="/")
    bench.raw(DIALECT.auth.sign(unsigned, bench.provider.keys, None, bench.scheduler.clock()))
    assert body(bench) == {"balance": 1000, "transaction_id": "x1", "rollback_transactions": []}
    assert bench.till.asked() == 0


# ---------------------------------------------------------------- both ends at once


def test_through_the_gateway_to_a_wallet_that_speaks_it(bench_of: MakeBench) -> None:
    """Bet, win, refund, a win taken back, a refund taken back: ids and amounts survive the way."""
    bench = bench_of("slotegrator", "slotegrator")
    yes(bench.call(bet("b1", "10.00")))
    yes(bench.call(win("w1", "25.00")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    assert bench.till.balance() == Decimal("1025.00")
    bench.call(a_rollback("x1", element("w1", "25.00", Kind.CREDIT)))
    assert body(bench)["rollback_transactions"] == ["w1"]
    bench.call(a_rollback("x2", element("zz", "1.00"), element("b1", "10.00")))
    assert body(bench) == {"balance": 1000, "transaction_id": "x2", "rollback_transactions": ["b1"]}
    bench.call(undo("r2", "nn", "1.00"))
    assert body(bench) == {"balance": 1000, "transaction_id": "r2"}
    assert bench.row(Kind.ROLLBACK, "r2").state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}


@pytest.mark.parametrize("provider", ["native", "kyren", "netgaming"])
def test_other_providers_reach_such_a_wallet(bench_of: MakeBench, provider: str) -> None:
    bench = bench_of(provider, "slotegrator")
    one = bet("b1", "10.00")
    yes(bench.call(one))
    yes(bench.call(win("w1", "25.00")))
    assert bench.till.balance() == Decimal("1015.00")
    yes(bench.call(bet("b2", "5.00", round_id="77")))
    yes(bench.call(bench.undo(bet("b2", "5.00", round_id="77"), "refund:b2")))
    assert bench.till.balance() == Decimal("1015.00")
    assert bench.unresolved() == {}


def test_a_bet_in_a_session_of_another_game(bench_of: MakeBench) -> None:
    bench = bench_of(a_provider("slotegrator"), "native")
    bench.launch(game="42")
    bench.call(bet("b1", "10.00", game=Game(id="43")))
    assert body(bench) == {"error_code": "INTERNAL_ERROR", "error_description": "game_not_found"}
    yes(bench.call(win("w1", "1.00", game=Game(id="43"))))
    assert isinstance(bench.call(bet("b2", "10.00")), Accepted)
    assert why(bench.call(bet("b3", "99999.00"))) is Reason.INSUFFICIENT_FUNDS
