"""SOFTSWISS: what one vector cannot show."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.softswiss.dialect import DIALECT
from adapters.softswiss.wire import BODY_MAX
from gateway.auth import Key
from gateway.currency import Currencies
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Check,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    Unknown,
)
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.engine.histories import ACCEPTED, nothing_is_open, word
from tests.simulation.behaviours import lost_after, lost_before
from tests.simulation.bench import Bench, a_call, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = Key(id="old", parts={"secret": "ss-old"}), Key(id="new", parts={"secret": "ss-new"})
CALL = Call(settings=DIALECT.settings(), now=NOW, nonce="n-1")
ONE = Decimal("1.00")
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="b", player="p", currency="EUR", round=Round("r"), game=Game(id="g")
)
TXS = (
    BET,
    replace(BET, act=Credit(amount=ONE)),
    replace(BET, act=Settle(debit=ONE, credit=ONE)),
    replace(BET, id="", act=Batch(items=(BET, replace(BET, id="w", act=Credit(amount=ONE))), atomic=True)),
    replace(BET, id="x", act=Rollback(reference="b")),
    replace(BET, id="", act=Batch(items=(replace(BET, id="x", act=Rollback(reference="b")),))),
    replace(BET, id="", act=CloseRound()),
    replace(BET, id="", act=Balance()),
)
NAMES = ("betwin", "betwin", "betwin", "betwin", "rollback", "rollback", "finish", "balance")
CODES = {
    "100": Reason.INSUFFICIENT_FUNDS, "101": Reason.PLAYER_NOT_FOUND, "105": Reason.LIMIT_EXCEEDED,
    "106": Reason.LIMIT_EXCEEDED, "107": Reason.GAME_NOT_FOUND, "110": Reason.PLAYER_BLOCKED,
    "153": Reason.PLAYER_BLOCKED, "154": Reason.CURRENCY_MISMATCH, "155": Reason.DUPLICATE_MISMATCH,
    "400": Reason.INVALID_REQUEST, "403": Reason.BAD_SIGNATURE, "405": Reason.GAME_NOT_FOUND,
    "409": Reason.ALREADY_ROLLED_BACK, "410": Reason.PLAYER_BLOCKED, "411": Reason.UNSUPPORTED,
    "420": Reason.UNSUPPORTED, "421": Reason.UNSUPPORTED,
}  # fmt: skip
DOUBTS = ("406", "500", "501", "502", "503", "504", "600", "601", "620", "699", "700", "0", "", "abc", "4090", "1e2")


def signed(secret: str, body: bytes) -> Request:
    proof = hmac.digest(secret.encode(), body, "sha256").hex()
    return Request(method="POST", path="/betwin", headers={"x-request-sign": proof}, body=body)


def heard(tx: Transaction, status: int, body: object) -> Outcome:
    return DIALECT.decode_response(Response(status=status, body=json.dumps(body).encode()), tx, CALL)


def refusal(code: object) -> object:
    return {"code": "invalid_argument", "msg": "no", "meta": {"api_code": code, "api_message": "no"}}


# ---------------------------------------------------------------- signature


def test_any_live_key_verifies_and_signs_the_bytes_as_they_came() -> None:
    body = '{ "b": "é", "a":1.50 }'.encode()
    for key in (OLD, NEW):
        assert DIALECT.auth.verify(signed(key.part("secret"), body), (OLD, NEW), CALL.settings, NOW) == key.id
    other = replace(signed("ss-old", body), body=b'{"b":"\xc3\xa9","a":1.50}')
    with pytest.raises(Refused) as refused:
        DIALECT.auth.verify(other, (OLD, NEW), CALL.settings, NOW)
    assert refused.value.reason is Reason.BAD_SIGNATURE


@given(st.binary(max_size=80), st.text(min_size=1, max_size=12))
def test_what_we_sign_we_verify(body: bytes, secret: str) -> None:
    key = Key(id="k", parts={"secret": secret.encode("utf-8", "replace").decode()})
    request = DIALECT.auth.sign(Request(method="POST", path="/finish", body=body), (key,), CALL.settings, NOW)
    assert DIALECT.auth.verify(request, (key,), CALL.settings, NOW) == "k"


# ---------------------------------------------------------------- words


def test_every_reason_and_doubt_have_words_and_are_heard_as_what_they_are() -> None:
    """Doubt is never a refusal, nor a refusal doubt; what a rollback or a finish hears as done is none."""
    for tx, name in zip(TXS, NAMES, strict=True):
        call = replace(CALL, name=name)
        for reason in Reason:
            said = DIALECT.encode_response(Declined(reason=reason, balance=ONE, currency="EUR"), tx, call)
            outcome = DIALECT.decode_response(said, tx, call)
            undoes = name == "rollback" and reason in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)
            done = undoes or (name == "finish" and reason is Reason.ROUND_CLOSED)
            assert said.status == (200 if done else 400), (name, reason)
            assert not isinstance(outcome, Unknown), (name, reason)
            assert done or isinstance(outcome, Declined), (name, reason)
        doubt = DIALECT.encode_response(Unknown(), tx, call)
        assert doubt.status == 500
        assert isinstance(DIALECT.decode_response(doubt, tx, call), Unknown)


def test_every_code_of_the_table_is_one_of_yes_no_and_doubt() -> None:
    for tx, name in zip(TXS, NAMES, strict=True):
        wanted = CODES | ({"404": Reason.TRANSACTION_NOT_FOUND} if name == "betwin" else {})
        for code, reason in wanted.items():
            outcome = heard(tx, 400, refusal(code))
            assert isinstance(outcome, Declined)
            assert outcome.reason is reason, (name, code)
        for code in (*DOUBTS, *(() if name == "betwin" else ("404",))):
            assert isinstance(heard(tx, 400, refusal(code)), Unknown), (name, code)
        for code in (*wanted, *DOUBTS):
            for status in (200, 201, 401, 403, 404, 409, 412, 500, 502, 503, 504):
                assert isinstance(heard(tx, status, refusal(code)), Unknown), (name, code, status)


@pytest.mark.parametrize("code", [None, True, 1.5, [], {}, ["100"], {"code": "100"}])
def test_a_code_that_cannot_be_read_is_doubt(code: object) -> None:
    assert isinstance(heard(BET, 400, refusal(code)), Unknown)


@pytest.mark.parametrize("reason", [Reason.INSUFFICIENT_FUNDS, Reason.LIMIT_EXCEEDED])
def test_100_and_105_must_carry_the_balance(reason: Reason) -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_response(Declined(reason=reason), BET, replace(CALL, name="betwin"))
    assert missing.value.field == "balance"


def test_a_cut_answer_is_doubt() -> None:
    body = b'{"round_id":"r","transactions":[{"id_provider":"b","id":"w-501","bonus_amount":"0.00"}],"balance":"97.50"}'
    for end in range(len(body)):
        assert isinstance(DIALECT.decode_response(Response(body=body[:end]), BET, CALL), Unknown)


# ---------------------------------------------------------------- requests


def test_other_paths_and_methods_are_no_calls() -> None:
    for path in ("/", "/play", "/betwin/x", "/BETWIN", "/freespins/finish"):
        with pytest.raises(NoCall):
            DIALECT.route(Request(method="POST", path=path), CALL.settings)
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/balance"), CALL.settings)
    assert no_call.value.allow == ("POST",)


def test_the_limit_of_the_body_counts_the_bytes_that_came() -> None:
    head, tail = b'{"account_id":"p","currency":"EUR","round_id":"r","note":"', b'"}'
    for size, fits in ((BODY_MAX, True), (BODY_MAX + 1, False)):
        body = head + b"x" * (size - len(head) - len(tail)) + tail
        request = Request(method="POST", path="/finish", body=body)
        if fits:
            assert DIALECT.decode_request(request, replace(CALL, name="finish")).round_id == "r"
        else:
            with pytest.raises(Refused, match="64 KiB"):
                DIALECT.decode_request(request, replace(CALL, name="finish"))


@given(st.decimals(min_value=Decimal("0.01"), max_value=10**12, places=2))
def test_an_amount_comes_back_exact(amount: Decimal) -> None:
    for act in (Debit(amount=amount), Credit(amount=amount)):
        request = DIALECT.encode_request(replace(BET, act=act), CALL)
        assert DIALECT.decode_request(request, replace(CALL, name="betwin")).act == act


def test_what_it_needs() -> None:
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, currency=""), "currency"), (replace(BET, game=None), "game"),
        (replace(BET, round=None), "session"), (replace(BET, id=""), "id"), (replace(TXS[4], act=Rollback()), "reference"),
        (replace(TXS[6], round=None), "session"), (replace(TXS[7], game=None), "game"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, CALL)
        assert missing.value.field == what


def test_what_it_cannot_say() -> None:
    zero = Decimal(0)
    mixed = (BET, replace(BET, id="w", round=Round("other"), act=Credit(amount=ONE)))
    for act in (
        Authenticate(), Check(), Status(reference="b"), Adjust(amount=ONE), Reserve(amount=ONE), Debit(amount=zero),
        Credit(amount=zero), Debit(amount=ONE, free_round=True), Debit(amount=ONE, tracking_only=True),
        Credit(amount=ONE, tracking_only=True), Credit(amount=zero, tracking_only=True), Settle(debit=ONE, credit=zero),
        Settle(debit=zero, credit=ONE), Settle(debit=ONE, credit=ONE, free_round=True), Rollback(reference="b", amount=ONE),
        Rollback(reference="b", reference_kind=Kind.ROLLBACK), Batch(items=(BET,)), Batch(items=mixed, atomic=True),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert refused.value.reason is Reason.UNSUPPORTED
        assert not isinstance(refused.value, Missing), act
    currencies = Currencies({"mBTC": 5})
    with pytest.raises(Refused, match="mBTC"):
        DIALECT.encode_request(replace(BET, currency="mBTC"), replace(CALL, currencies=currencies))


def test_a_settle_that_could_be_taken_for_another_ones_win_is_not_said() -> None:
    """The settle `s` says a win `s:w`; the bet of a settle `s:w` would be that movement."""
    for act in (Settle(debit=ONE, credit=ONE), Rollback(reference="s", reference_kind=Kind.SETTLE)):
        with pytest.raises(Refused, match="ends with :w"):
            DIALECT.encode_request(replace(BET, id="s:w", act=act), CALL)


# ---------------------------------------------------------------- through the engine, both ends


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


APPLIED = dict.fromkeys(("debit", "credit", "rollback"), "applied")


def a_list(*items: Transaction, atomic: bool) -> Transaction:
    return a_call(Batch(items=items, atomic=atomic))


def played(bench: Bench) -> None:
    """A bet and its win in one list."""
    assert word(bench.call(a_list(bet("b1"), win("w1"), atomic=True))) == ACCEPTED
    assert bench.till.balance() == Decimal("1015.00")


@pytest.mark.parametrize("wallet", ["native", "softswiss"])
def test_a_rollback_says_no_kind_and_undoes_what_the_journal_has(bench_of: MakeBench, wallet: str) -> None:
    bench = bench_of("softswiss", a_wallet(wallet, repeats=APPLIED))
    played(bench)
    assert word(bench.call(a_list(undo("x1", "w1"), undo("x2", "b1"), atomic=False))) == ACCEPTED
    kinds = [tx.act.reference_kind for tx in bench.till.sent if isinstance(tx.act, Rollback)]
    assert wallet != "native" or kinds == [Kind.CREDIT, Kind.DEBIT]
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(undo("x3", "w1"))) == ACCEPTED  # again under another id: the first one's answer
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("first", ["bet", "win"])
def test_what_a_rollback_named_before_it_came_is_refused_whatever_it_is(bench_of: MakeBench, first: str) -> None:
    bench = bench_of("softswiss", a_wallet("native", repeats=APPLIED))
    late = bet("m1") if first == "bet" else win("m1")
    assert word(bench.call(undo("x1", "m1"))) == Reason.TRANSACTION_NOT_FOUND
    assert word(bench.call(late)) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


def test_only_the_last_movement_of_a_list_closes_the_round(bench_of: MakeBench) -> None:
    bench = bench_of("softswiss", a_wallet("native", repeats=APPLIED))
    items = tuple(replace(item, round=None) for item in (bet("b1"), win("w1")))
    assert word(bench.call(a_call(Batch(items=items, atomic=True), closed=True))) == ACCEPTED
    assert [tx.round.closed for tx in bench.till.sent if tx.round] == [None, True]


def test_a_bet_and_a_win_share_their_ids(bench_of: MakeBench) -> None:
    bench = bench_of("softswiss", a_wallet("native", repeats=APPLIED))
    played(bench)
    assert word(bench.call(win("b1"))) == Reason.DUPLICATE_MISMATCH
    assert word(bench.call(a_list(bet("w1"), win("w2"), atomic=True))) == Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("1015.00")


def test_a_bet_that_comes_again_beside_its_win_ties_to_it(bench_of: MakeBench) -> None:
    """By itself it is a movement of its own, and no batch."""
    bench = bench_of("softswiss", a_wallet("native", repeats=APPLIED))
    bench.till.then(lost_before, lost_before, lost_before, lost_before, kind=Kind.DEBIT)
    bench.call(bet("b1"))
    bench.till.heal()
    played(bench)
    nothing_is_open(bench)


def test_what_is_repeated_is_applied_once(bench_of: MakeBench) -> None:
    bench = bench_of("softswiss", a_wallet("softswiss", repeats=APPLIED))
    bench.till.always(lost_after)
    bench.call(a_list(bet("b1"), win("w1"), atomic=True))
    bench.till.heal()
    played(bench)
    assert word(bench.call(a_list(bet("b1"), win("w1"), win("w2", "5.00"), atomic=True))) == ACCEPTED
    assert bench.till.balance() == Decimal("1020.00")
    nothing_is_open(bench)


def test_a_list_shows_the_balance_after_what_is_new_in_it_and_a_known_one_that_of_then(bench_of: MakeBench) -> None:
    bench = bench_of("softswiss", a_wallet("native", repeats=APPLIED))
    first, mixed = a_list(win("w1"), bet("b1"), atomic=True), a_list(bet("b2"), win("w1"), atomic=True)
    shown = [yes(bench.call(each)).balance for each in (first, mixed, first)]
    assert shown == [Decimal("1015.00"), Decimal("1005.00"), Decimal("1015.00")]


@pytest.mark.parametrize(
    ("id", "gain", "left"), [("s1", "25.00", "1015.00"), ("s1", "0.00", "990.00"), ("s:w", "25.00", "1015.00")]
)
def test_a_settle_is_said_and_undone_whole(bench_of: MakeBench, id: str, gain: str, left: str) -> None:
    """In one betwin; where it lost, or its id could be taken for a win's, the gateway splits it, and a win of zero is a finish."""
    bench = bench_of("native", a_wallet("softswiss", repeats=APPLIED, ids_as_is=id != "s1"))
    whole = settle(id, gain=gain, closed=True)
    assert word(bench.call(whole)) == ACCEPTED
    assert bench.till.balance() == Decimal(left)
    assert word(bench.call(undo("x1", id, kind=Kind.SETTLE))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)
