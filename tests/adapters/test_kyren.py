"""Kyren: what one vector cannot show."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kyren.dialect import DIALECT, SCOPES, Settings
from gateway.auth import Key
from gateway.auth.guards import hmac_signature
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
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

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MD5 = Settings(family_md5=True)
OLD, NEW = Key(id="old", parts={"secret": "fam-old"}), Key(id="new", parts={"secret": "fam-new"})
CALL = Call(settings=Settings(), now=NOW, nonce="n-1")
NAMES = [wire.name for wire in DIALECT.calls]
BET = Transaction(
    act=Debit(amount=Decimal("12.50")), id="b-1", player="u", session="s", currency="USD", round=Round("r"), game=Game(id="g")
)  # fmt: skip
replace = msgspec.structs.replace


def error(outcome: Outcome, name: str) -> object:
    response = DIALECT.encode_response(outcome, None, replace(CALL, name=name))
    return json.loads(response.body)["error"]


def test_the_guards_worked_example() -> None:
    body = b'{"providerId":"Kyren","userId":"u-300","currency":"USD","sessionId":"ks-1","uuid":"0f5c0b2e6a"}'
    found = hmac_signature("gw-test-secret-01", "1767225600", Request(method="POST", path="/v1/Balance", body=body))
    assert found == "68cc8e096d328796bd8cd8c1a2e06fc48e5a7b0275ecab007a1dfe6fa7266d18"


def test_a_key_is_asked_for_only_with_family_md5() -> None:
    assert DIALECT.auth.parts(Settings()) == ()
    assert not DIALECT.auth.weak(Settings())
    assert [part.name for part in DIALECT.auth.parts(MD5)] == ["secret"]
    assert DIALECT.auth.weak(MD5)
    request = Request(method="POST", path="/v1/Bet", body=b"{}")
    assert DIALECT.auth.verify(request, (), Settings(), NOW) == ""
    assert DIALECT.auth.sign(request, (), Settings(), NOW) == request


def test_any_live_key_verifies_and_the_name_of_the_hash_has_any_case() -> None:
    for key in (OLD, NEW):
        proof = hashlib.md5(f"a=1&b=true&c=null?{key.part('secret')}".encode()).hexdigest()
        body = f'{{"b": true, "a": 1, "c": "null?", "o": {{"x": 1}}, "HASH": "{proof}"}}'.encode()
        request = Request(method="POST", path="/v1/Bet", body=body)
        assert DIALECT.auth.verify(request, (OLD, NEW), MD5, NOW) == key.id


def test_a_key_twice_is_not_verified() -> None:
    proof = hashlib.md5(b"a=2fam-old").hexdigest()
    request = Request(method="POST", path="/v1/Bet", body=f'{{"a": 1, "a": 2, "hash": "{proof}"}}'.encode())
    with pytest.raises(Refused) as refused:
        DIALECT.auth.verify(request, (OLD,), MD5, NOW)
    assert refused.value.reason is Reason.BAD_SIGNATURE


@given(
    st.dictionaries(
        st.sampled_from(["userId", "amount", "uuid", "roundDetails"]), st.booleans() | st.integers() | st.text()
    )
)
def test_what_we_sign_we_verify(fields: dict[str, object]) -> None:
    body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    request = DIALECT.auth.sign(Request(method="POST", path="/v1/Bet", body=body), (NEW,), MD5, NOW)
    assert DIALECT.auth.verify(request, (OLD, NEW), MD5, NOW) == "new"


def test_every_reason_is_said_as_the_card_says_it() -> None:
    codes = {
        Reason.INSUFFICIENT_FUNDS: 1, Reason.PLAYER_NOT_FOUND: 2, Reason.SESSION_EXPIRED: 4, Reason.NOT_AUTHENTICATED: 4,
        Reason.BAD_SIGNATURE: 5, Reason.PLAYER_BLOCKED: 6, Reason.INVALID_REQUEST: 7, Reason.CURRENCY_MISMATCH: 7,
        Reason.LIMIT_EXCEEDED: 50, Reason.ROUND_CLOSED: 120, Reason.ALREADY_SETTLED: 120, Reason.DUPLICATE_MISMATCH: 120,
        Reason.ALREADY_ROLLED_BACK: 120, Reason.UNSUPPORTED: 3,
    }  # fmt: skip
    credits = ("Result", "BonusWin", "JackpotWin", "PromoWin")
    for name in NAMES:
        wanted = codes | {
            Reason.GAME_NOT_FOUND: 8 if name == "Bet" else 3,
            Reason.TRANSACTION_NOT_FOUND: 0 if name in SCOPES else 100 if name in credits else 3,
        }
        if name in SCOPES:
            wanted[Reason.ALREADY_ROLLED_BACK] = 0
        if name == "EndRound":
            wanted[Reason.ROUND_CLOSED] = 0  # it is sent again until it is answered
        for reason in Reason:
            said = error(Declined(reason=reason, balance=Decimal(1), currency="USD"), name)
            assert said == (str(wanted[reason]) if name == "Refund" else wanted[reason]), (name, reason)
        assert int(str(error(Unknown(), name))) == 100


def test_a_cancel_of_what_is_not_there_needs_the_current_cash() -> None:
    call = replace(CALL, name="Cancel")
    for reason in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK):
        with pytest.raises(Missing):
            DIALECT.encode_response(Declined(reason=reason), None, call)
    with pytest.raises(Missing):
        DIALECT.encode_response(Accepted(wallet_id="w"), BET, replace(CALL, name="Bet"))


@pytest.mark.parametrize(
    "path", ["/", "", "/v1", "/v1/", "/v1/Bets", "/x/Bet", "/v1/x/Bet", "/Bet", "/v1/Bet%20", "//Bet"]
)
def test_other_paths_are_no_calls(path: str) -> None:
    with pytest.raises(NoCall):
        DIALECT.route(Request(method="POST", path=path), Settings())


def test_only_post() -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/v1/Bet"), Settings())
    assert no_call.value.allow == ("POST",)


BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"[" * 3000, b'{"a":' * 3000, b'{"userId":"u","roundId":"r","currency":"USD","amount":1e999999}', b'{"a":"\\ud800"}',
        b"\xff", b"NaN", b'{"userId":"u","timestamp":1e30}', b'{"userId":"u","sessionId":[]}', b'{"error":true}',
        b'{"userId":"u","roundId":"r","currency":"USD","amount":' + b"9" * 5000 + b"}", b'{"error":0.0}', b'{"error":"00"}',
    ]
)  # fmt: skip


@given(BODIES, st.sampled_from(NAMES))
def test_nothing_but_refused_leaves(body: bytes, name: str) -> None:
    request = Request(method="POST", path=f"/v1/{name}", body=body)
    with contextlib.suppress(Refused):
        assert DIALECT.decode_request(request, replace(CALL, name=name)).player
    with pytest.raises(Refused):
        DIALECT.auth.verify(request, (OLD,), MD5, NOW)
    assert isinstance(DIALECT.decode_response(Response(body=body), BET, CALL), Unknown)


def test_a_cut_answer_is_doubt() -> None:
    body = b'{"transactionId": "w-30001", "currency": "USD", "cash": "800.00", "error": 0, "description": "Success"}'
    for end in range(len(body)):
        assert isinstance(DIALECT.decode_response(Response(body=body[:end]), BET, CALL), Unknown)
    assert isinstance(DIALECT.decode_response(Response(status=500, body=body), BET, CALL), Unknown)


def test_what_it_needs_and_what_it_cannot_say() -> None:
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, session=""), "session"), (replace(BET, game=None), "game"),
        (replace(BET, round=None), "round"), (replace(BET, currency=""), "currency"),
        (replace(BET, act=Rollback()), "reference"), (replace(BET, act=Balance(), session=""), "session"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, CALL)
        assert missing.value.field == what
    one = Decimal(1)
    for act in (
        Authenticate(), Settle(debit=one, credit=one), Reserve(amount=one), Debit(amount=one, free_round=True),
        Debit(amount=one, tracking_only=True), Credit(amount=one, tracking_only=True), Rollback(reference="b", amount=one),
        Rollback(reference="b", reference_kind=Kind.CREDIT),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert refused.value.reason is Reason.UNSUPPORTED


def test_a_paid_bet_never_carries_a_bonus_code() -> None:
    """A wallet would take it for a free round and leave the stake with the player."""
    body = json.loads(DIALECT.encode_request(replace(BET, free_round_id="campaign"), CALL).body)
    assert "bonusCode" not in body


def test_extra_of_another_dialect_cannot_break_the_body() -> None:
    for text in ("{", '[1],"x":{}', '{"a":1}}', "[" * 3000, '{"a":NaN}'):
        request = DIALECT.encode_request(replace(BET, extra={"roundDetails": text}), CALL)
        assert json.loads(request.body)["roundDetails"] == text
