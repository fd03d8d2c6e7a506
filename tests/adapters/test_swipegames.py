"""Swipe Games: what one vector cannot show."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
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

from adapters.swipegames.dialect import CALLS, CODES, DIALECT
from gateway.auth import Key
from gateway.dialect import Call, NoCall, NoSettings
from gateway.engine.setup import Provider, Route
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Missing,
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
from gateway.vectors import CURRENCIES
from tests.engine.acts import balance, bet, undo, why, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import late, lost_after, lost_before, says
from tests.simulation.bench import PLAYER, Bench, a_provider, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = (Key(id=name, parts={"secret": f"sw-{name}"}) for name in ("old", "new"))
CALL = Call(now=NOW, nonce="n-1", currency="EUR", currencies=CURRENCIES)
ONE = Decimal(1)
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="t-1", player="p", session="s", currency="EUR", round=Round("r")
)  # fmt: skip
SAID = {
    "balance": Transaction(act=Balance(), session="s", player="p", currency="EUR"),
    "bet": BET,
    "win": replace(BET, act=Credit(amount=ONE)),
    "refund": replace(BET, act=Rollback(reference="t-0", amount=ONE)),
}
NAMES = [wire.name for wire in CALLS]


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def answered(status: int, **fields: Any) -> Response:
    return Response(status=status, body=json.dumps(fields).encode())


# ---------------------------------------------------------------- two laws: every reason said, every code heard

TABLE: dict[Reason, tuple[int, str]] = {
    Reason.BAD_SIGNATURE: (401, ""), Reason.NOT_AUTHENTICATED: (404, "session_not_found"),
    Reason.PLAYER_NOT_FOUND: (404, "session_not_found"), Reason.SESSION_EXPIRED: (400, "session_expired"),
    Reason.INSUFFICIENT_FUNDS: (400, "insufficient_funds"), Reason.LIMIT_EXCEEDED: (400, "bet_limit"),
    Reason.PLAYER_BLOCKED: (400, "account_blocked"), Reason.GAME_NOT_FOUND: (400, "game_not_found"),
    Reason.CURRENCY_MISMATCH: (400, "currency_not_supported"), Reason.INVALID_REQUEST: (400, ""),
    Reason.DUPLICATE_MISMATCH: (400, ""), Reason.ROUND_CLOSED: (400, ""), Reason.ALREADY_ROLLED_BACK: (400, ""),
    Reason.ALREADY_SETTLED: (400, ""), Reason.TRANSACTION_NOT_FOUND: (400, ""), Reason.UNSUPPORTED: (400, ""),
}  # fmt: skip
UNDONE = (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)


def test_every_reason_and_doubt_are_said_as_the_card_says_them() -> None:
    """Also where the request could not be read; a refund alone hears two of them as a success."""
    assert set(TABLE) == set(Reason)
    for name, tx in (*SAID.items(), *((name, None) for name in ("", *NAMES))):
        for reason, (status, code) in TABLE.items():
            said = Declined(reason=reason, balance=ONE, currency="EUR")
            answer = DIALECT.encode_response(said, tx, replace(CALL, name=name))
            fields = json.loads(answer.body)
            if name == "refund" and tx is not None and reason in UNDONE:
                assert (answer.status, fields) == (200, {"balance": "1.00", "txID": "t-1"})
            else:
                assert (answer.status, fields.get("code", "")) == (status, code), (name, reason)
                assert fields["message"]
        assert DIALECT.encode_response(Unknown(), tx, replace(CALL, name=name)).status == 500


HEARD = {
    "session_not_found": Reason.NOT_AUTHENTICATED, "session_expired": Reason.SESSION_EXPIRED,
    "insufficient_funds": Reason.INSUFFICIENT_FUNDS, "bet_limit": Reason.LIMIT_EXCEEDED, "loss_limit": Reason.LIMIT_EXCEEDED,
    "time_limit": Reason.LIMIT_EXCEEDED, "account_blocked": Reason.PLAYER_BLOCKED, "game_not_found": Reason.GAME_NOT_FOUND,
    "currency_not_supported": Reason.CURRENCY_MISMATCH, "locale_not_supported": Reason.INVALID_REQUEST,
    "client_connection_error": Reason.INVALID_REQUEST,
}  # fmt: skip
BARE = {400: Reason.INVALID_REQUEST, 401: Reason.BAD_SIGNATURE, 404: Reason.NOT_AUTHENTICATED}


@pytest.mark.parametrize("name", NAMES)
def test_every_status_and_code_is_heard_as_one_of_yes_no_and_doubt(name: str) -> None:
    for status in range(100, 600):
        for code in ("", "kyc_required", *HEARD):
            answer = answered(status, message="m", balance="1.00", txID="w", **({"code": code} if code else {}))
            heard = DIALECT.decode_response(answer, SAID[name], CALL)
            if status == 200 and not code:
                assert isinstance(heard, Accepted), code
            elif status in BARE and code != "kyc_required":
                assert heard == Declined(reason=HEARD[code] if code else BARE[status], message="m"), (status, code)
            else:
                assert isinstance(heard, Unknown), (status, code)
    assert all(CODES.reason(code) is reason for code, reason in HEARD.items())


@pytest.mark.parametrize("name", NAMES)
def test_doubt_is_heard_as_doubt_and_a_no_as_a_no(name: str) -> None:
    """What is said for a refusal is never doubt to another gateway, nor the other way round."""
    for outcome in (Unknown(), *(Declined(reason=reason, balance=ONE, currency="EUR") for reason in Reason)):
        heard = DIALECT.decode_response(
            DIALECT.encode_response(outcome, SAID[name], replace(CALL, name=name)), SAID[name], CALL
        )
        success = name == "refund" and isinstance(outcome, Declined) and outcome.reason in UNDONE
        assert isinstance(heard, Accepted if success else type(outcome))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 400, 401, 404])
def test_a_body_that_is_not_the_studios_is_doubt(name: str, status: int) -> None:
    """*A balancer said 404 for a wallet that was restarted, to the second asking of a bet that it had taken.*"""
    for body in (b"", b"{}", b"[]", b"null", b"<html>404</html>", b"\xff", b'{"error":"not found"}', b'{"message":""}'):
        assert isinstance(DIALECT.decode_response(Response(status=status, body=body), SAID[name], CALL), Unknown)


# ---------------------------------------------------------------- signature


def signed(secret: str, request: Request, text: bytes) -> Request:
    return request.put(("x-request-sign", hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()))


def test_any_live_key_verifies_a_body_and_a_query() -> None:
    post = Request(method="POST", path="/bet", body=b'{ "a": 1 }')
    get = Request(method="GET", path="/balance", query="sessionID=s%20%22")
    for key in (OLD, NEW):
        for request, text in ((post, post.body), (get, b'{"sessionID":"s \\""}')):
            assert DIALECT.auth.verify(signed(f"sw-{key.id}", request, text), (OLD, NEW), NoSettings(), NOW) == key.id
    with pytest.raises(Refused):
        DIALECT.auth.verify(signed("sw-new", post, post.body), (OLD,), NoSettings(), NOW)


def test_the_signature_of_a_query_is_none_of_a_body() -> None:
    """Whoever saw a balance call can not turn it into a bet."""
    text = b'{"sessionID":"s-42"}'
    get = signed("sw-old", Request(method="GET", path="/balance", query="sessionID=s-42"), text)
    for stolen in (
        replace(get, method="POST", path="/bet", query="", body=b'{"sessionID":"s-42","amount":"1"}'),
        replace(get, query="sessionID=s-42&x=1"), replace(get, query="sessionid=s-42"), replace(get, query=""),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.auth.verify(stolen, (OLD,), NoSettings(), NOW)
        assert refused.value.reason is Reason.BAD_SIGNATURE


SESSIONS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=40)


@given(SESSIONS.filter(str.strip))
def test_what_we_sign_we_verify_and_read(session: str) -> None:
    """Whatever the operator calls its sessions."""
    for name, tx in SAID.items():
        request = DIALECT.encode_request(replace(tx, session=session), CALL)
        request = DIALECT.auth.sign(request, (NEW, OLD), NoSettings(), NOW)
        assert DIALECT.auth.verify(request, (OLD, NEW), NoSettings(), NOW) == "new"
        assert DIALECT.decode_request(request, replace(CALL, name=name)).session == session


@given(SESSIONS, SESSIONS)
def test_a_body_is_written_in_canonical_form(session: str, campaign: str) -> None:
    """A wallet with the studio's SDK writes it anew before it looks at the signature."""
    for tx in list(SAID.values())[1:]:
        body = DIALECT.encode_request(replace(tx, session=session, free_round_id=campaign), CALL).body
        fields = json.loads(body)
        assert list(fields) == sorted(fields)
        assert body == json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def test_how_a_query_was_signed_is_explained() -> None:
    get = Request(method="GET", path="/balance", query="sessionID=s%C3%A9")
    steps = dict(DIALECT.auth.explain(get, OLD, NoSettings()))
    assert steps["message 1"] == '{"sessionID":"sé"}'
    assert "sw-old" not in str(steps)


# ---------------------------------------------------------------- paths, bodies, words


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/balance", ("GET",)), ("GET", "/bet", ("POST",)), ("PUT", "/win/", ("POST",)), ("GET", "/refund", ("POST",)),
        ("POST", "/", ()), ("POST", "/Bet", ()), ("POST", "/bet/x", ()), ("GET", "/balances", ()),
    ],
)  # fmt: skip
def test_other_paths_and_methods_are_no_calls(method: str, path: str, allow: tuple[str, ...]) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method=method, path=path), NoSettings())
    assert no_call.value.allow == allow


BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"[" * 3000, b'{"a":' * 3000, b'{"sessionID":"\\ud800"}', b"\xff", b"NaN", b'{"type":"regular","amount":1e999999}',
        b'{"type":"regular","sessionID":"s","amount":"' + b"9" * 5000 + b'"}', b'{"code":true}', b'{"code":[],"message":{}}',
        b'{"txID":"w","balance":"1e999"}',
    ]
)  # fmt: skip


@given(BODIES, st.sampled_from(NAMES))
def test_nothing_but_refused_leaves(body: bytes, name: str) -> None:
    request = Request(method="POST", path=f"/{name}", body=body, query=body.decode("latin-1"))
    with contextlib.suppress(Refused):
        assert DIALECT.decode_request(request, replace(CALL, name=name))
    for method in ("GET", "POST"):
        with pytest.raises(Refused):
            DIALECT.auth.verify(replace(request, method=method), (OLD,), NoSettings(), NOW)
    for status in (200, 400):
        assert DIALECT.decode_response(Response(status=status, body=body), SAID[name], CALL)


@given(st.integers(0, 10**14), st.integers(0, 8), st.booleans())
def test_an_amount_is_read_exactly_and_written_with_its_currencys_places(whole: int, places: int, more: bool) -> None:
    amount = Decimal(whole).scaleb(-places)
    text = f"{amount:f}" + ("0" if more and places else "")
    body = json.dumps({"type": "regular", "sessionID": "s", "amount": text, "txID": "t", "roundID": "r"}).encode()
    tx = DIALECT.decode_request(Request(method="POST", path="/win", body=body), replace(CALL, name="win"))
    assert tx.act == Credit(amount=amount)
    back = DIALECT.encode_request(replace(tx, currency="BTC"), replace(CALL, currency="BTC"))
    assert json.loads(back.body)["amount"] == f"{amount:.8f}"


NO_AMOUNTS = st.sampled_from(
    ["1.", ".5", "00.1", "-0", "1e1", "1_0", "1 ", " 1", "١", "１", "0x1", "Infinity", "1,0", "1.0.0", "\n1"]
)


@given(NO_AMOUNTS, st.sampled_from(["bet", "win", "refund"]))
def test_what_is_no_amount_is_refused(text: str, name: str) -> None:
    body = {"type": "regular", "sessionID": "s", "amount": text, "txID": "t", "roundID": "r", "origTxID": "o"}
    with pytest.raises(Refused) as refused:
        DIALECT.decode_request(
            Request(method="POST", path=f"/{name}", body=json.dumps(body).encode()), replace(CALL, name=name)
        )
    assert (refused.value.field, refused.value.flaw) == ("amount", Flaw.INVALID)


@pytest.mark.parametrize("odd", [None, False, True, "", " ", [], {}, [1], {"a": None}, "A" * 300, "a\x00b", 1.5])
def test_a_campaign_or_a_round_in_another_form_stops_nothing(odd: Any) -> None:
    """The win is paid as any other, the stake goes back."""
    body = {"type": "regular", "sessionID": "s", "amount": "7.00", "txID": "t", "roundID": "r", "frID": odd}
    won = DIALECT.decode_request(
        Request(method="POST", path="/win", body=json.dumps(body).encode()), replace(CALL, name="win")
    )
    assert (won.act, won.free_round_id) == (Credit(amount=Decimal("7.00")), "")
    body = {"sessionID": "s", "amount": "7.00", "txID": "t", "roundID": odd, "origTxID": "o"}
    request = Request(method="POST", path="/refund", body=json.dumps(body).encode())
    undone = DIALECT.decode_request(request, replace(CALL, name="refund"))
    assert (undone.act, undone.round) == (Rollback(reference="o"), None)


# ---------------------------------------------------------------- wallet's end


def test_what_it_needs_and_what_it_cannot_say() -> None:
    bare = replace(CALL, currency="")
    for tx, what in (
        *((replace(tx, session=""), "session") for tx in SAID.values()),
        *((replace(SAID[name], id=""), "id") for name in ("bet", "win", "refund")),
        *((replace(SAID[name], currency=""), "currency") for name in ("bet", "win", "refund")),
        (replace(BET, act=Rollback(amount=ONE)), "reference"), (replace(BET, act=Rollback(reference="t-0")), "amount"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, bare)
        assert missing.value.field == what
    for act in (
        Settle(debit=ONE, credit=ONE), Reserve(amount=ONE), Capture(reference="h"), Adjust(amount=ONE), CloseRound(),
        Status(reference="t-0"), Batch(items=(BET,)), Authenticate(launch_token="t"),
        Rollback(reference="b", reference_kind=Kind.ROLLBACK, amount=ONE),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


@pytest.mark.parametrize("name", ["bet", "win", "refund"])
def test_another_currency_than_its_wallets_is_not_said(name: str) -> None:
    """*2.50 USD would be taken as 2.50 EUR: neither the call nor its answer names a currency.*"""
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(SAID[name], currency="USD"), CALL)
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)
    for mine, theirs in (("EUR", "EUR"), ("USD", ""), ("", "EUR")):
        assert DIALECT.encode_request(replace(SAID[name], currency=mine), replace(CALL, currency=theirs))


def test_only_what_moves_no_money_is_told_as_free() -> None:
    """*A paid win that was told as free was never paid.*"""
    for act, word in (
        (Debit(amount=ONE), "regular"), (Debit(amount=ONE, free_round=True), "free"),
        (Debit(amount=ONE, tracking_only=True), "free"), (Credit(amount=ONE), "regular"),
        (Credit(amount=ONE, free_round=True), "regular"), (Credit(amount=ONE, type="promo"), "regular"),
        (Credit(amount=ONE, tracking_only=True), "free"), (Credit(amount=ONE, free_round=True, tracking_only=True), "free"),
    ):  # fmt: skip
        request = DIALECT.encode_request(replace(BET, act=act, free_round_id="c"), CALL)
        assert json.loads(request.body)["type"] == word, act


def test_the_amount_of_a_refund_that_nobody_knows_is_what_its_provider_said() -> None:
    for text, otherwise in (("0.50", Decimal("0.5")), ("", None), ("half", None), ("9" * 70, None)):
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(replace(BET, act=Rollback(reference="t-0"), extra={"amount": text}), CALL)
        assert missing.value.otherwise == otherwise


# ---------------------------------------------------------------- in the gateway


def swipe(**more: Any) -> Provider:
    return a_provider("swipegames", **more)


def told(bench: Bench) -> tuple[int, dict[str, Any]]:
    """The answer that the studio read last."""
    answer = bench.answers[-1].response
    return answer.status, json.loads(answer.body)


def posted(bench: Bench, name: str, **fields: str) -> Response:
    """A call as the studio may spell it."""
    said = {"type": "regular", "sessionID": "sess-p-1", "roundID": "r", **fields}
    request = Request(method="POST", path=f"/{name}", body=json.dumps(said).encode())
    return bench.raw(DIALECT.auth.sign(request, bench.provider.keys, NoSettings(), NOW))


def test_a_bet_its_repeat_a_win_and_their_refunds(bench_of: MakeBench) -> None:
    bench = bench_of(swipe(), "native")
    yes(bench.call(bet("t-1")))
    first = told(bench)
    assert first[1]["balance"] == "990.00"
    yes(bench.call(win("t-2")))
    yes(bench.call(bet("t-1")))
    assert told(bench) == first  # the same answer, the balance of then included
    for amount, status in (("10", 200), ("10.000", 200), ("10.001", 400), ("10.01", 400)):  # equal as numbers
        assert posted(bench, "bet", txID="t-1", amount=amount, roundID="880011").status == status
    assert bench.till.asked(Kind.DEBIT) == 1
    assert yes(bench.call(undo("t-3", "t-2", "25.00"))).balance == Decimal(
        "990.00"
    )  # the wire does not say that it was a win
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(reference="t-2", reference_kind=Kind.CREDIT)
    yes(bench.call(undo("t-4", "t-1", "10.00")))
    done = told(bench)
    assert bench.till.balance() == Decimal("1000.00")
    yes(bench.call(undo("t-5", "t-1", "10.00")))  # a second one under a new id: nothing moves
    assert told(bench)[1] == {"balance": "1000.00", "txID": done[1]["txID"]}
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize(
    "other",
    [
        bet("t-1", "11.00"), bet("t-1", free=True, tracking=True), bet("t-1", round_id="other"), bet("t-1", session="s-2"),
        bet("t-1", session="s-of-another"), win("t-1", "10.00"), undo("t-1", "t-0", "10.00"),
    ],
    ids=["amount", "type", "round", "session", "player", "a win", "a refund"],
)  # fmt: skip
def test_the_same_id_with_other_content_is_refused(bench_of: MakeBench, other: Transaction) -> None:
    """Of whatever call: `txID` is the key, and the first decision stands."""
    bench = bench_of(swipe(), "native", opening={PLAYER: Decimal(1000), "p-2": Decimal(1000)})
    bench.launch("s-2")
    bench.launch("s-of-another", "p-2")
    yes(bench.call(bet("t-1")))
    assert why(bench.call(other)) is Reason.INVALID_REQUEST
    assert told(bench)[0] == 400
    assert yes(bench.call(bet("t-1"))).balance == Decimal("990.00")
    assert (bench.till.balance(), bench.till.balance("p-2")) == (Decimal("990.00"), Decimal(1000))


def test_a_refund_with_another_amount_under_its_id_is_refused(bench_of: MakeBench) -> None:
    bench = bench_of(swipe(), "native")
    yes(bench.call(bet("t-1")))
    yes(bench.call(undo("t-2", "t-1", "10.00")))
    yes(bench.call(undo("t-2", "t-1", "10")))
    assert why(bench.call(undo("t-2", "t-1", "9.00"))) is Reason.INVALID_REQUEST
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("amount", ["4.00", "10.00", "99.00"])
def test_a_refund_gives_back_the_whole_bet_whatever_it_says(bench_of: MakeBench, amount: str) -> None:
    for wallet in ("native", "swipegames"):
        bench = bench_of(swipe(), wallet)
        bench.launch()
        yes(bench.call(bet("t-1")))
        yes(bench.call(undo("t-2", "t-1", amount)))
        assert bench.till.balance() == Decimal("1000.00")
        assert Decimal(bench.row(Kind.ROLLBACK, "t-2").tx.extra["amount"]) == Decimal(amount)


def test_a_refund_before_its_bet(bench_of: MakeBench) -> None:
    """A success with the real balance, each time; the late bet is refused."""
    bench = bench_of(swipe(), "native")
    for id in ("t-9", "t-9", "t-8"):
        yes(bench.call(undo(id, "t-1", "10.00")))
        assert told(bench)[1]["balance"] == "1000.00"
    assert why(bench.call(bet("t-1"))) is Reason.INVALID_REQUEST
    assert bench.till.balance() == Decimal("1000.00")


def test_a_refund_of_a_bet_that_was_declined(bench_of: MakeBench) -> None:
    """The page says it in two ways: a refund may follow any answer but 200, so it is a success at any time."""
    bench = bench_of(swipe(), "native")
    assert why(bench.call(bet("t-1", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    assert told(bench) == (400, {"code": "insufficient_funds", "message": "Not enough money"})
    yes(bench.call(undo("t-2", "t-1", "5000.00")))
    assert told(bench)[1]["balance"] == "1000.00"
    assert bench.till.balance() == Decimal("1000.00")


def test_a_bet_in_doubt_is_500_and_its_refund_is_true_when_it_is_200(bench_of: MakeBench) -> None:
    for behaviour in (lost_before, lost_after, late(30)):
        bench = bench_of(swipe(), a_wallet("native", repeats={"debit": "never", "credit": "safe", "rollback": "safe"}))
        bench.till.then(behaviour, kind=Kind.DEBIT)
        bench.till.always(says(Unknown()), kind=Kind.STATUS)
        assert isinstance(bench.call(bet("t-1")), Unknown)
        assert told(bench)[0] == 500
        bench.till.heal()
        for _ in range(40):
            if isinstance(bench.call(undo("t-2", "t-1", "10.00")), Accepted):
                break
            assert told(bench)[0] == 500
            bench.settlement(10, 5)
        assert told(bench)[0] == 200
        bench.settlement(120, 30)
        assert bench.till.balance() == Decimal("1000.00")


def test_a_win_that_is_spent_is_not_taken_back(bench_of: MakeBench) -> None:
    bench = bench_of(swipe(), "native")
    yes(bench.call(win("t-1")))
    bench.till.then(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.ROLLBACK)
    for _ in range(2):
        assert why(bench.call(undo("t-3", "t-1", "25.00"))) is Reason.INSUFFICIENT_FUNDS
        assert told(bench)[0] == 400
    assert (bench.till.balance(), bench.till.asked(Kind.ROLLBACK)) == (Decimal("1025.00"), 1)
    yes(bench.call(undo("t-5", "t-1", "25.00")))
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("reason", [Reason.PLAYER_BLOCKED, Reason.SESSION_EXPIRED, Reason.PLAYER_NOT_FOUND])
def test_a_win_or_refund_that_is_refused_for_a_moment_is_500_until_it_is_done(
    bench_of: MakeBench, reason: Reason
) -> None:
    """They are repeated until 200: 400 would say that it is no use."""
    bench = bench_of(swipe(), "native")
    yes(bench.call(bet("t-1")))
    bench.till.always(says(Declined(reason=reason)), kind=Kind.CREDIT)
    bench.till.always(says(Declined(reason=reason)), kind=Kind.ROLLBACK)
    late_ones = (win("t-2"), undo("t-3", "t-1", "10.00"))
    for tx in late_ones:
        assert isinstance(bench.call(tx), Unknown)
        assert told(bench)[0] == 500
    bench.till.heal()
    for tx in late_ones:
        yes(bench.call(tx))
    assert bench.till.balance() == Decimal("1025.00")


def test_free_rounds_move_nothing_and_their_total_is_paid(bench_of: MakeBench) -> None:
    """Told to a wallet that has words for it, and answered by a balance where it has none."""
    for wallet in ("native", "swipegames", "netgaming"):
        bench = bench_of(swipe(), wallet)
        bench.launch(game="g-1")
        tracked = {"tracking": True, "free": True, "free_round_id": "fr-1"}
        yes(bench.call(bet("t-1", **tracked)))
        spin = win("t-2", free=True, free_round_id="fr-1")
        yes(bench.call(replace(spin, act=replace(spin.act, tracking_only=True))))
        assert bench.till.balance() == Decimal("1000.00")
        total = win("t-3", "7.00", round_id="never-seen", free_round_id="fr-1")
        yes(bench.call(total))
        assert bench.till.balance() == Decimal("1007.00")
        assert bench.row(Kind.CREDIT, "t-3").tx.act == Credit(amount=Decimal("7.00"), type="promo")


def test_who_plays_is_said_by_the_session_alone(bench_of: MakeBench) -> None:
    bench = bench_of(swipe(currency=""), "native", routes=(Route(wallet="main"),))
    yes(bench.call(bet("t-1")))  # asked of the wallet
    assert bench.till.last(Kind.DEBIT).player == PLAYER
    bench.till.always(says(Declined(reason=Reason.NOT_AUTHENTICATED)), kind=Kind.AUTHENTICATE)
    for nobody in (bet("t-2", session="gone"), balance(session="gone")):
        assert why(bench.call(nobody)) is Reason.NOT_AUTHENTICATED
        assert told(bench) == (404, {"code": "session_not_found", "message": "Session not found"})
    assert isinstance(bench.call(win("t-3", session="gone")), Unknown)
    assert (told(bench)[0], bench.row(Kind.CREDIT, "t-3").state) == (500, State.PERSON)
    yes(bench.call(undo("t-4", "t-1", "10.00", session="gone")))  # its bet says whose it is
    assert bench.till.balance() == Decimal("1000.00")
    yes(bench.call(undo("t-5", "never", "1.00", session="gone")))
    assert told(bench) == (200, {"balance": "0", "txID": "t-5"})


def test_a_session_that_is_over_refuses_no_win_and_no_refund(bench_of: MakeBench) -> None:
    bench = bench_of(swipe(), "native")
    bench.launch("s-1", expires_at=bench.scheduler.clock())
    yes(bench.call(win("t-2", session="s-1")))
    yes(bench.call(undo("t-3", "t-2", "25.00", session="s-1")))
    assert bench.till.balance() == Decimal("1000.00")


def test_its_session_says_which_game_it_is(bench_of: MakeBench) -> None:
    """Routes and wallets go by it, and it is not the player's last one."""
    bench = bench_of(swipe(), "native")
    bench.launch("s-1", game="g-1")
    bench.launch("s-2", game="g-2")
    yes(bench.call(bet("t-1", session="s-1", round_id="same")))
    first = bench.till.last(Kind.DEBIT).game
    yes(bench.call(bet("t-2", session="s-2", round_id="same")))
    second = bench.till.last(Kind.DEBIT).game
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == ("g-1", "g-2")


def test_an_amount_that_its_currency_does_not_have_is_refused(bench_of: MakeBench) -> None:
    bench = bench_of(swipe(), "native")
    bench.launch()
    for name in ("bet", "win"):
        assert posted(bench, name, txID=f"x-{name}", amount="1.005").status == 400
    assert bench.till.asked() == 0


def test_to_a_wallet_ids_and_rounds_are_uuids_and_a_bet_is_not_repeated(bench_of: MakeBench) -> None:
    repeats = {"debit": "never", "credit": "applied", "rollback": "applied"}
    bench = bench_of("native", a_wallet("swipegames", repeats=repeats))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    yes(bench.call(win("w-1")))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("b-1")), Unknown)
    assert bench.till.asked(Kind.DEBIT) == 1
    yes(bench.call(bet("b-2")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(undo("r-2", "b-2")))
    assert bench.till.balance() == Decimal("1025.00")
    for tx in bench.till.sent:
        assert tx.id == "" or DIALECT.as_wallet.ids.holds(tx.id)
        assert tx.round is None or DIALECT.as_wallet.ids.holds(tx.round.id)


def test_a_wallet_is_never_told_a_part_of_a_rollback(bench_of: MakeBench) -> None:
    bench = bench_of("native", "swipegames")
    yes(bench.call(bet("b-1")))
    assert isinstance(bench.call(undo("r-1", "b-1", "4.00")), Unknown)
    assert bench.till.asked(Kind.ROLLBACK) == 0


def test_a_balancers_404_decides_nothing(bench_of: MakeBench) -> None:
    """*To the second asking of a bet that its wallet had taken: its provider would have heard that there is no session.*"""
    bench = bench_of("native", "swipegames")

    async def balancer(post: Any) -> Response:
        return Response(status=404, body=b"default backend - 404")

    bench.till.then(lost_after, balancer, kind=Kind.DEBIT)
    heard = bench.call(bet("b-1"))
    assert isinstance(heard, Accepted | Unknown)
    assert bench.till.balance() == Decimal("990.00")
