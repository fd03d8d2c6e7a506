"""Spribe: what one vector cannot show."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.spribe.dialect import CALLS, DIALECT, FIAT, ROWS, Settings, unit_of
from gateway.auth import Key
from gateway.dialect import Call, NoCall
from gateway.engine.setup import Provider, Route
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Capture,
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
    Transaction,
    Unknown,
)
from gateway.vectors import CURRENCIES
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import a_call, a_provider, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
OLD, NEW = (Key(id=name, parts={"client_id": "acme", "secret": f"sp-{name}"}) for name in ("old", "new"))
CALL = Call(settings=Settings(), now=NOW, nonce="n-1", currency="EUR", currencies=CURRENCIES)
NAMES = [wire.name for wire in CALLS]
ONE = Decimal(1)
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="t-1", player="p", session="s", currency="EUR", round=Round("r"),
    game=Game(id="aviator"),
)  # fmt: skip
SAID = {
    "auth": replace(BET, act=Authenticate(launch_token="lt"), id="", round=None, game=None),
    "info": replace(BET, act=Balance(), id="", round=None, game=None),
    "withdraw": BET,
    "deposit": replace(BET, act=Credit(amount=ONE, reference="t-0")),
    "rollback": replace(BET, act=Rollback(reference="t-0", amount=ONE)),
}


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def code(outcome: Outcome, name: str, *, again: bool = False) -> int:
    answer = DIALECT.encode_response(outcome, SAID[name], replace(CALL, name=name, again=again))
    assert answer.status == 200
    return int(json.loads(answer.body)["code"])


# ---------------------------------------------------------------- two laws: every reason said, every code heard


def test_every_reason_and_doubt_are_said_as_the_card_says_them() -> None:
    said = {
        Reason.NOT_AUTHENTICATED: 401, Reason.PLAYER_NOT_FOUND: 401, Reason.INSUFFICIENT_FUNDS: 402,
        Reason.SESSION_EXPIRED: 403, Reason.ALREADY_ROLLED_BACK: 409, Reason.ALREADY_SETTLED: 409, Reason.BAD_SIGNATURE: 413,
    }  # fmt: skip
    final = {
        Reason.ALREADY_ROLLED_BACK: 409, Reason.ALREADY_SETTLED: 409, Reason.BAD_SIGNATURE: 413,
        Reason.DUPLICATE_MISMATCH: 405,
    }  # fmt: skip
    for reason in Reason:
        for name in ("auth", "info", "withdraw"):
            assert code(Declined(reason=reason), name) == said.get(reason, 405), (name, reason)
        assert code(Declined(reason=reason), "deposit") == final.get(reason, 500), reason
        wanted = final | {Reason.TRANSACTION_NOT_FOUND: 408}
        assert code(Declined(reason=reason), "rollback") == wanted.get(reason, 500), reason
    assert {code(Unknown(), name) for name in NAMES} == {500}
    for name in ("", "unknown", *NAMES):  # also where the request could not be read
        for outcome in (Unknown(), *(Declined(reason=reason) for reason in Reason)):
            body = json.loads(DIALECT.encode_response(outcome, None, replace(CALL, name=name)).body)
            assert body == {"code": body["code"], "message": ROWS[body["code"]][0]}
            assert body["message"], outcome


def test_every_code_is_heard_as_one_of_yes_no_and_doubt() -> None:
    reasons = {
        401: Reason.NOT_AUTHENTICATED, 402: Reason.INSUFFICIENT_FUNDS, 403: Reason.SESSION_EXPIRED,
        404: Reason.PLAYER_NOT_FOUND, 408: Reason.TRANSACTION_NOT_FOUND, 413: Reason.BAD_SIGNATURE,
    }  # fmt: skip
    assert {number for number, (_, reason, _) in ROWS.items() if reason} == ROWS.keys() - {200, 500}
    for name, tx in SAID.items():
        owed = name in ("deposit", "rollback")
        for number in range(100, 1000):
            for again in (False, True):
                data = {"balance": 1, "user_id": "p", "currency": "EUR"}
                body = json.dumps({"code": number, "message": "m", "data": data}).encode()
                heard = DIALECT.decode_response(Response(body=body), tx, replace(CALL, again=again))
                if number == 200 or (number == 409 and again):
                    assert isinstance(heard, Accepted), (name, number)
                    assert heard.replayed is (number == 409) or name in ("auth", "info")
                elif number in reasons or (number == 405 and not owed) or number == 409:
                    wanted = reasons.get(number, Reason.INVALID_REQUEST if number == 405 else Reason.DUPLICATE_MISMATCH)
                    assert heard == Declined(reason=wanted, message="m"), (name, number)
                else:
                    assert isinstance(heard, Unknown), (name, number)


def test_what_is_said_for_doubt_is_heard_as_doubt_also_by_a_repeat() -> None:
    for name, tx in SAID.items():
        answer = DIALECT.encode_response(Unknown(), tx, replace(CALL, name=name))
        for again in (False, True):
            assert isinstance(DIALECT.decode_response(answer, tx, replace(CALL, again=again)), Unknown)


def test_a_no_to_a_repeat_is_never_heard_as_a_yes() -> None:
    """409 is how a repeat hears that it was done: of two gateways in a row, one would play a bet that the other gave back."""
    for name, reason in ((name, reason) for name in SAID for reason in Reason):
        if (name, reason) == ("rollback", Reason.ALREADY_ROLLED_BACK):
            continue  # that is undone
        for outcome, again in ((Declined(reason=reason, replayed=True), False), (Declined(reason=reason), True)):
            answer = DIALECT.encode_response(outcome, SAID[name], replace(CALL, name=name, again=again))
            heard = DIALECT.decode_response(answer, SAID[name], replace(CALL, again=True))
            assert not isinstance(heard, Accepted), (name, reason)


def test_a_repeat_of_ours_is_accepted_with_data_and_without() -> None:
    again = replace(CALL, again=True)
    bare = Response(body=b'{"code":409,"message":"Duplicate transaction"}')
    assert DIALECT.decode_response(bare, BET, again) == Accepted(replayed=True)
    data = {"operator_tx_id": "w", "new_balance": 17500, "provider_tx_id": "t-1", "user_id": "p", "currency": "EUR"}
    for more, heard in (
        ({}, Accepted(balance=Decimal("17.50"), currency="EUR", wallet_id="w", replayed=True)),
        ({"provider_tx_id": "t-2"}, Unknown), ({"user_id": "q"}, Unknown), ({"currency": "USD"}, Unknown),
    ):  # fmt: skip
        body = json.dumps({"code": 409, "message": "m", "data": data | more}).encode()
        found = DIALECT.decode_response(Response(body=body), BET, again)
        assert found == heard or (heard is Unknown and isinstance(found, Unknown)), more


# ---------------------------------------------------------------- signature


def signed(secret: str, body: bytes, target: str = "/acme/withdraw", covered: bytes = b"") -> Request:
    proof = hmac.new(secret.encode(), f"{STAMP}{target}".encode() + (covered or body), hashlib.sha256).hexdigest()
    headers = {"x-spribe-client-id": "acme", "x-spribe-client-ts": STAMP, "x-spribe-client-signature": proof}
    return Request(method="POST", path="/withdraw", target=target, headers=headers, body=body)


def test_any_live_key_and_either_spelling_of_the_body_verify() -> None:
    body, compact = b'{ "a" : "b  c",\n "n" : 1.50 }', b'{"a":"b  c","n":1.50}'
    for key in (OLD, NEW):
        for covered in (body, compact):
            request = signed(key.part("secret"), body, covered=covered)
            assert DIALECT.auth.verify(request, (OLD, NEW), Settings(), NOW) == key.id
    with pytest.raises(Refused):  # the blanks of a text are its own
        DIALECT.auth.verify(signed("sp-old", body, covered=b'{"a":"bc","n":1.50}'), (OLD, NEW), Settings(), NOW)


def test_the_path_is_signed_as_its_bytes_came() -> None:
    target = "/acme/withdraw?q=\xe4"  # as a server reads a byte beyond ASCII
    message = f"{STAMP}{target}".encode("latin-1") + b"{}"
    request = signed("sp-old", b"{}", target)
    request = request.put(("x-spribe-client-signature", hmac.new(b"sp-old", message, hashlib.sha256).hexdigest()))
    assert DIALECT.auth.verify(request, (OLD,), Settings(), NOW) == "old"


@given(
    st.binary(max_size=60), st.sampled_from(["/a/withdraw", "/withdraw?x=%20", "/"]), st.sampled_from(["full", "own"])
)
def test_what_we_sign_we_verify(body: bytes, target: str, signed_path: Any) -> None:
    settings = Settings(signed_path=signed_path)
    request = Request(method="POST", path="/withdraw", target=target, body=body)
    request = DIALECT.auth.sign(request, (NEW, OLD), settings, NOW)
    assert DIALECT.auth.verify(request, (OLD, NEW), settings, NOW + timedelta(seconds=299)) == "new"


# ---------------------------------------------------------------- paths, bodies, words


@pytest.mark.parametrize(
    "path", ["/withdraws", "/_spribe", "/withdraw_spribe_spribe", "/Withdraw", "/a/b", "/withdraw%20"]
)
def test_other_paths_are_no_calls(path: str) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="POST", path=path, body=b'{"action":"bet"}'), Settings())
    assert no_call.value.allow == ()


@pytest.mark.parametrize("path", ["/withdraw", "/withdraw/", "/", "", "/x/deposit_spribe"])
def test_only_post(path: str) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path=path), Settings())
    assert no_call.value.allow == ("POST",)


def test_one_url_reads_the_action_wherever_it_can() -> None:
    for action, name in {"bet": "withdraw", "win": "deposit", "player_info": "info"}.items():
        for body in (f'{{"action":"{action}"}}', f'{{"x":[1],"action":"{action}"}}'):
            assert DIALECT.route(Request(method="POST", path="/", body=body.encode()), Settings()) == name
    for body in (b"", b"[]", b'{"action":1}', b'{"action":["bet"]}', b'{"action":"refund"}', b"\xff", b"[" * 3000):
        assert DIALECT.route(Request(method="POST", path="/", body=body), Settings()) == "unknown"


BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"[" * 3000, b'{"a":' * 3000, b'{"a":"\\ud800"}', b"\xff", b"NaN", b'{"user_id":"u","amount":1e999999}',
        b'{"user_id":"u","currency":"EUR","amount":' + b"9" * 5000 + b"}", b'{"code":true}', b'{"code":2e2,"data":[]}',
        b'{"code":200,"data":{"user_id":[]}}', b'{"code":"\xd9\xa2\xd9\xa0\xd9\xa0"}', b'{"code":200.5}',
    ]
)  # fmt: skip


@given(BODIES, st.sampled_from(NAMES))
def test_nothing_but_refused_leaves(body: bytes, name: str) -> None:
    request = Request(method="POST", path=f"/{name}", body=body)
    with contextlib.suppress(Refused):
        assert DIALECT.decode_request(request, replace(CALL, name=name))
    with pytest.raises(Refused):
        DIALECT.auth.verify(request, (OLD,), Settings(), NOW)
    heard = DIALECT.decode_response(Response(body=body), BET, CALL)
    assert isinstance(heard, Unknown) or b'"code":200' in body.replace(
        b" ", b""
    )  # an object with nothing in it may be a yes


def test_what_it_needs_and_what_it_cannot_say() -> None:
    credit, cancel = SAID["deposit"], SAID["rollback"]
    bare = replace(CALL, currency="")
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, session=""), "session"), (replace(BET, game=None), "game"),
        (replace(BET, currency=""), "currency"), (replace(BET, id=""), "id"), (replace(credit, game=None), "game"),
        (replace(cancel, act=Rollback(amount=ONE)), "reference"), (replace(cancel, act=Rollback(reference="t-0")), "amount"),
        (replace(SAID["info"], session=""), "session"), (replace(SAID["info"], player=""), "player"),
        (replace(SAID["auth"], session=""), "session"), (replace(SAID["info"], currency=""), "currency"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, bare)
        assert missing.value.field == what
    for act in (
        Settle(debit=ONE, credit=ONE), Reserve(amount=ONE), Capture(reference="h"), Debit(amount=ONE, free_round=True),
        Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True), Debit(amount=Decimal(0)),
        Credit(amount=Decimal("0.00")), Rollback(reference="b", reference_kind=Kind.ROLLBACK, amount=ONE),
        Debit(amount=Decimal("1.2345")),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert refused.value.reason is Reason.UNSUPPORTED
        assert not isinstance(refused.value, Missing)


@given(st.integers(0, 10**15), st.sampled_from(["EUR", "JPY", "KWD", "BTC", "PTS"]), st.booleans())
def test_an_amount_is_read_and_written_exactly(whole: int, currency: str, as_text: bool) -> None:
    settings = Settings(crypto=("BTC",))
    call = replace(CALL, name="deposit", settings=settings)
    body = {"user_id": "p", "currency": currency, "amount": str(whole) if as_text else whole, "provider_tx_id": "t"}
    request = Request(method="POST", path="/deposit", body=json.dumps(body).encode())
    tx = DIALECT.decode_request(request, call)
    assert isinstance(tx.act, Credit)
    assert tx.act.amount == Decimal(whole) / (10**8 if currency == "BTC" else 1000)
    if whole:
        back = DIALECT.encode_request(replace(tx, game=Game(id="g")), call)
        assert json.loads(back.body)["amount"] == whole
    assert unit_of("EUR", settings) is FIAT


def test_a_balance_and_an_amount_that_are_not_known_are_asked_for() -> None:
    for outcome, tx, what in (
        (Accepted(), BET, "balance"), (Accepted(balance=ONE), replace(BET, currency=""), "currency"),
        (Accepted(balance=ONE, currency="EUR"), replace(BET, player=""), "player"),
        (Accepted(balance=ONE, currency="EUR"), replace(BET, act=Rollback(reference="t-0")), "amount"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_response(outcome, tx, replace(CALL, name="withdraw", currency=""))
        assert missing.value.field == what


# ---------------------------------------------------------------- in the gateway


def spribe(**more: Any) -> Provider:
    return a_provider("spribe", **more)


def told(bench: Any) -> dict[str, Any]:
    """The answer that Spribe read last."""
    found: dict[str, Any] = json.loads(bench.answers[-1].response.body)
    return found


def test_a_bet_its_repeat_a_win_and_their_rollbacks(bench_of: MakeBench) -> None:
    bench = bench_of(spribe(), "native")
    stake, prize = bet("t-1"), win("t-2", of="t-1")
    yes(bench.call(stake))
    first = told(bench)
    assert (first["data"]["old_balance"], first["data"]["new_balance"]) == (1_000_000, 990_000)
    yes(bench.call(prize))
    assert yes(bench.call(stake)).replayed
    assert told(bench) == {**first, "code": 409, "message": "Duplicate transaction"}  # the first balances
    assert bench.till.asked(Kind.DEBIT) == 1
    yes(bench.call(undo("t-3", "t-2", "25.00")))  # the wire does not say that t-2 was a win
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(
        reference="t-2", reference_kind=Kind.CREDIT, amount=Decimal(25)
    )
    assert (told(bench)["data"]["old_balance"], told(bench)["data"]["new_balance"]) == (1_015_000, 990_000)
    yes(bench.call(undo("t-4", "t-1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")
    bench.call(undo("t-5", "t-1", "10.00"))
    assert told(bench) == {"code": 409, "message": "Duplicate transaction"}
    bench.call(bet("t-1", "11.00"))
    assert told(bench)["code"] == 405
    bench.call(win("t-2", "26.00", of="t-1"))
    assert told(bench)["code"] == 405


def test_a_rollback_before_its_bet(bench_of: MakeBench) -> None:
    bench = bench_of(spribe(), "native")
    bench.call(undo("t-9", "t-1", "10.00"))
    assert told(bench)["code"] == 408
    bench.call(bet("t-1"))
    assert told(bench) == {"code": 409, "message": "Duplicate transaction"}
    bench.call(bet("t-1"))  # repeated, 409 would be a yes
    assert told(bench)["code"] == 405
    assert bench.till.balance() == Decimal("1000.00")


def test_a_bet_given_back_after_silence_is_never_told_as_taken(bench_of: MakeBench) -> None:
    bench = bench_of(spribe(after_doubt=timedelta(minutes=10)), "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.call(bet("t-1"))
    assert told(bench)["code"] == 500
    bench.till.heal()
    bench.settlement(1200, 30)
    assert bench.till.balance() == Decimal("1000.00")
    bench.call(bet("t-1"))
    assert told(bench)["code"] == 405


@pytest.mark.parametrize("known", [True, False])
def test_a_win_of_a_bet_that_was_rolled_back_is_final(bench_of: MakeBench, known: bool) -> None:
    """Where the journal knows of it, no wallet is asked; else the wallet's word counts."""
    bench = bench_of(spribe(), "native")
    if known:
        yes(bench.call(bet("t-1")))
        yes(bench.call(undo("t-3", "t-1", "10.00")))
    bench.till.always(says(Declined(reason=Reason.ALREADY_ROLLED_BACK)), kind=Kind.CREDIT)
    bench.call(win("t-2", of="t-1"))
    assert told(bench) == {"code": 409, "message": "Duplicate transaction"}
    bench.call(win("t-2", of="t-1"))  # repeated, 409 would be a yes
    assert told(bench)["code"] == 405
    assert bench.row(Kind.CREDIT, "t-2").state is State.DECLINED
    bench.till.always(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.CREDIT)
    bench.call(win("t-4", of="t-1"))
    assert told(bench)["code"] == (409 if known else 500)
    assert bool(bench.till.asked(Kind.CREDIT)) is not known


def test_a_win_below_the_smallest_coin_waits_for_a_person(bench_of: MakeBench) -> None:
    bench = bench_of(spribe(), "native")
    yes(bench.call(bet("t-1")))
    assert isinstance(bench.call(win("t-2", "6.125", of="t-1")), Unknown)
    row = bench.row(Kind.CREDIT, "t-2")
    assert (row.state, row.tx.act) == (State.PERSON, Credit(amount=Decimal("6.125"), reference="t-1"))
    assert bench.till.asked(Kind.CREDIT) == 0
    bench.call(undo("t-3", "t-2", "6.125"))
    assert (told(bench)["code"], bench.row(Kind.CREDIT, "t-2").state) == (408, State.DECLINED)  # nothing was ever given
    assert bench.till.balance() == Decimal("990.00")
    bench = bench_of(spribe(), "spribe")  # a wallet in thousandths can be told
    assert isinstance(bench.call(win("t-2", "6.125")), Accepted)


def test_a_rollback_in_crypto_is_counted_in_its_own_unit(bench_of: MakeBench) -> None:
    bench = bench_of(spribe(currency="EUR"), a_wallet("native", currency="BTC"), currency="BTC")
    yes(bench.call(bet("t-1", "0.05320000", currency="BTC")))
    cancel = undo("t-2", "t-1", "0.05320000", currency="BTC")
    assert json.loads(bench.callers["acme"].request(cancel)[0].body)["amount"] == 5320000
    yes(bench.call(cancel))
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(reference="t-1", amount=Decimal("0.0532"))
    assert bench.till.balance() == Decimal(1000)


def test_to_a_wallet_an_unanswered_bet_is_not_repeated_and_a_win_is(bench_of: MakeBench) -> None:
    """Its default of `repeats`: what this wallet may look at before it looks for the id is not known."""
    repeats = {"debit": "never", "credit": "applied", "rollback": "applied"}
    bench = bench_of("native", a_wallet("spribe", repeats=repeats))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    assert yes(bench.call(win("w-1"))).wallet_id  # the second attempt hears 409
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("b-1")), Unknown)
    assert bench.till.asked(Kind.DEBIT) == 1
    yes(bench.call(bet("b-2")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(undo("r-2", "b-2")))
    assert bench.till.balance() == Decimal("1025.00")


def test_a_win_that_meets_its_id_in_use_at_a_wallet_is_not_taken_for_paid(bench_of: MakeBench) -> None:
    bench = bench_of(
        "native", a_wallet("spribe", repeats={"debit": "never", "credit": "applied", "rollback": "applied"})
    )
    bench.till.always(says(Declined(reason=Reason.ALREADY_ROLLED_BACK)), kind=Kind.CREDIT)  # 409 here
    assert isinstance(bench.call(win("w-1")), Unknown)
    bench.settlement(600, 60)
    assert (bench.row(Kind.CREDIT, "w-1").state, bench.till.asked(Kind.CREDIT)) == (State.PERSON, 1)


def test_a_wallet_is_never_told_a_part_of_a_rollback(bench_of: MakeBench) -> None:
    bench = bench_of("native", "spribe")
    yes(bench.call(bet("b-1")))
    assert isinstance(bench.call(undo("r-1", "b-1", "4.00")), Unknown)
    assert bench.till.asked(Kind.ROLLBACK) == 0


def test_auth_again_is_answered_from_its_session(bench_of: MakeBench) -> None:
    bench = bench_of(spribe(), "native", routes=(Route(wallet="main"),))
    hello = a_call(
        Authenticate(launch_token="sess-p-1"), session="st-1", player="", round_id="", game=None, currency="EUR"
    )
    assert yes(bench.call(hello)).profile
    first = told(bench)
    bench.till.always(says(Declined(reason=Reason.NOT_AUTHENTICATED)), kind=Kind.AUTHENTICATE)
    yes(bench.call(bet("t-1", session="st-1")))
    yes(bench.call(hello))
    assert told(bench)["data"] == {**first["data"], "balance": 990_000}
    assert why(bench.call(replace(hello, act=Authenticate(launch_token="other")))) is Reason.NOT_AUTHENTICATED
