"""Scorpio Play: what one vector cannot show."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.scorpio_play.dialect import DIALECT, LISTED, Settings, code_of
from gateway.auth import Key, js_number
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Missing,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = Key(id="old", parts={"secret": "sp-old"}), Key(id="new", parts={"secret": "sp-new"})
CALL = Call(settings=Settings(), now=NOW, nonce="n-1")
BET = Transaction(
    act=Debit(amount=Decimal("12.50")), id="t-1", player="p", currency="EUR", round=Round("r"), game=Game(id="g")
)


def signed(message: str, token: str, body: str) -> Request:
    proof = base64.b64encode(hmac.digest(token.encode(), message.encode(), "sha512")).decode()
    return Request(method="POST", path="/", headers={"x-request-signature": proof}, body=body.encode())


@pytest.mark.parametrize(
    ("token", "written"),
    [
        ("1500", "1500"), ("12.5", "12.5"), ("10.50", "10.5"), ("10.0", "10"), ("1e-7", "1e-7"), ("1e21", "1e+21"),
        ("-0", "0"), ("-0.0", "0"), ("0.000001", "0.000001"), ("123456789012345680000", "123456789012345680000"),
        ("1e2", "100"), ("1E+2", "100"), ("1.5e-9", "1.5e-9"), ("0.30000000000000004", "0.30000000000000004"),
        ("0.1000000000000000055511151231257827", "0.1"), ("9007199254740993", "9007199254740992"), ("-1.50", "-1.5"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"), ("5e-324", "5e-324"), ("1e400", "Infinity"),
        ("-1e400", "-Infinity"), ("1e-400", "0"), ("123456.7890", "123456.789"), ("100000000000000000000", "100000000000000000000"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_javascript_does(token: str, written: str) -> None:
    assert js_number(token) == written


@given(st.decimals(min_value=0, max_value=10**12, places=2))
def test_money_in_javascripts_form_is_the_same_money(amount: Decimal) -> None:
    assert Decimal(js_number(f"{amount:f}")) == amount


def test_any_live_key_and_any_candidate_verify() -> None:
    body = '{"command":"bet","amount":10.50,"isCall":true}'
    php = Settings(php_booleans=True)
    for key in (OLD, NEW):
        for message, settings in (("10.50,bet,true", Settings()), ("10.5,bet,true", Settings()), ("10.5,bet,1", php)):
            request = signed(message, key.part("secret"), body)
            assert DIALECT.auth.verify(request, (OLD, NEW), settings, NOW) == key.id
    with pytest.raises(Refused):
        DIALECT.auth.verify(signed("10.5,bet,1", "sp-old", body), (OLD, NEW), Settings(), NOW)


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=8))
def test_what_we_sign_we_verify(fields: dict[str, object]) -> None:
    body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    request = DIALECT.auth.sign(Request(method="POST", path="/", body=body), (NEW,), Settings(), NOW)
    assert DIALECT.auth.verify(request, (OLD, NEW), Settings(), NOW) == "new"


def test_keys_sort_by_utf16_code_unit() -> None:
    """Beyond the basic plane JavaScript's order is not Python's: U+10000 comes before U+E000."""
    request = signed("2,1", "sp-old", '{"\ue000": 1, "\U00010000": 2}')
    assert DIALECT.auth.verify(request, (OLD,), Settings(), NOW) == "old"


BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"[" * 3000, b'{"a":' * 3000, b'{"command":"bet","amount":1e999999}', b'{"a":"\\ud800"}', b"\xff\xfe", b"NaN",
        b'{"command":"bet","timestamp":1e30}', b'{"command":["bet"]}', b'{"command":"bet","amount":' + b"9" * 5000 + b"}",
        b'{"command":"cancel","transactionId":true}', b'{"timestamp":-5,"command":"balance","playerId":[],"currency":"EUR"}',
    ]
)  # fmt: skip


@given(BODIES, st.text(max_size=12), st.sampled_from(["", "/", "/bet", "/x", "/a/b"]))
def test_nothing_but_refused_leaves(body: bytes, proof: str, path: str) -> None:
    request = Request(method="POST", path=path, headers={"x-request-signature": proof}, body=body)
    with pytest.raises(Refused):
        DIALECT.auth.verify(request, (OLD,), Settings(php_booleans=True), NOW)
    try:
        name = DIALECT.route(request, Settings())
    except NoCall:
        return
    with pytest.raises(Refused):
        DIALECT.decode_request(request, msgspec.structs.replace(CALL, name=name))
    assert isinstance(DIALECT.decode_response(Response(body=body), BET, CALL), Unknown)


def test_every_reason_is_said_as_the_card_says_it() -> None:
    rows = {
        Reason.BAD_SIGNATURE: ["ERR_INTEGRITY_CHECK_FAILED"] * 4,
        Reason.SESSION_EXPIRED: ["ERR_NOT_AUTHENTICATED"] * 4,
        Reason.NOT_AUTHENTICATED: ["ERR_NOT_AUTHENTICATED"] * 4,
        Reason.PLAYER_NOT_FOUND: ["ERR_INVALID_PLAYER_ID"] + ["ERR_NOT_AUTHENTICATED"] * 3,
        Reason.CURRENCY_MISMATCH: ["ERR_INVALID_ACCOUNT"] + ["ERR_UNKNOWN"] * 3,
        Reason.INSUFFICIENT_FUNDS: ["ERR_UNKNOWN", "ERR_NOT_ENOUGH_MONEY", "ERR_UNKNOWN", "ERR_UNKNOWN"],
        Reason.TRANSACTION_NOT_FOUND: ["ERR_UNKNOWN"] * 3 + ["ERR_TRANSACTION_DOES_NOT_EXIST"],
        Reason.ALREADY_ROLLED_BACK: ["ERR_UNKNOWN"] * 3 + ["ERR_TRANSACTION_ROLLED_BACK"],
    }
    for reason in Reason:
        wanted = rows.get(reason, ["ERR_UNKNOWN"] * 4)
        assert [code_of(reason, command, Settings()) for command in LISTED] == wanted, reason


def test_wide_codes_are_said_on_every_command() -> None:
    wide = Settings(wide_codes=True)
    for command in LISTED:
        assert code_of(Reason.PLAYER_NOT_FOUND, command, wide) == "ERR_INVALID_PLAYER_ID"
        assert code_of(Reason.CURRENCY_MISMATCH, command, wide) == "ERR_INVALID_ACCOUNT"
        assert code_of(Reason.LIMIT_EXCEEDED, command, wide) == "ERR_UNKNOWN"


def test_a_cut_answer_is_doubt() -> None:
    body = b'{"balance": 228.25, "statusCode": "OK"}'
    for end in range(len(body)):
        assert isinstance(DIALECT.decode_response(Response(body=body[:end]), BET, CALL), Unknown)
    for status in (201, 400, 401, 404, 500, 503):
        assert isinstance(DIALECT.decode_response(Response(status=status, body=body), BET, CALL), Unknown)


def test_what_it_needs_and_what_it_cannot_say() -> None:
    replace = msgspec.structs.replace
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, currency=""), "currency"), (replace(BET, round=None), "round"),
        (replace(BET, game=None), "game"), (replace(BET, act=Rollback(reference="b")), "amount"),
        (replace(BET, act=Rollback(amount=Decimal(1))), "reference"), (Transaction(act=Balance(), player="p"), "currency"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, CALL)
        assert missing.value.field == what
    for act in (
        Settle(debit=Decimal(1), credit=Decimal(1)), Debit(amount=Decimal(1), free_round=True),
        Credit(amount=Decimal(1), tracking_only=True), Rollback(reference="b", reference_kind=Kind.CREDIT),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert refused.value.reason is Reason.UNSUPPORTED
    ace = replace(CALL, settings=Settings(variant="igamingace"))
    with pytest.raises(Refused, match="not an integer"):
        DIALECT.encode_request(BET, ace)


def test_a_balance_that_is_not_known_is_asked_for_only_where_it_is_needed() -> None:
    call = msgspec.structs.replace(CALL, name="bet")
    with pytest.raises(Missing):
        DIALECT.encode_response(Accepted(), BET, call)
    assert DIALECT.encode_response(Declined(reason=Reason.LIMIT_EXCEEDED), None, call).body.startswith(b'{"balance":0,')


def test_a_long_amount_keeps_its_digits() -> None:
    """JavaScript would write another number; the exact text verifies as the raw token."""
    amount = Decimal("123456789012345.12345678")
    call = msgspec.structs.replace(CALL, currencies=msgspec.structs.replace(CALL.currencies, configured={"BTC": 8}))
    tx = msgspec.structs.replace(BET, act=Debit(amount=amount), currency="BTC")
    assert b'"amount":123456789012345.12345678' in DIALECT.encode_request(tx, call).body
