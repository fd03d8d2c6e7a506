"""NetGaming: what no single vector can show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.netgaming.dialect import DIALECT
from gateway.auth import Key
from gateway.auth.guards import Guard, check
from gateway.dialect import Call
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Reason,
    Refused,
    Reserve,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)

NOW = datetime.fromtimestamp(1767225600, UTC)
CALL = Call(settings=DIALECT.settings(), now=NOW)
DEBIT = Transaction(
    act=Debit(amount=Decimal("2.50")),
    id="t-1",
    player="p-1",
    session="s-1",
    currency="EUR",
    round=Round("1"),
    game=Game(id="42"),
)
ACTS = {
    "GetSession": Authenticate(),
    "GetBalance": Balance(),
    "Debit": DEBIT.act,
    "Credit": Credit(amount=Decimal("2.50")),
    "Refund": Rollback(reference="t-1", amount=Decimal("2.50")),
}
CODES = {
    Reason.INVALID_REQUEST: (2006, "INVALID_REQUEST_BODY"),
    Reason.BAD_SIGNATURE: (1001, "INVALID_API_KEY"),
    Reason.NOT_AUTHENTICATED: (101, "INVALID_TOKEN"),
    Reason.SESSION_EXPIRED: (101, "INVALID_TOKEN"),
    Reason.PLAYER_NOT_FOUND: (102, "PLAYER_NOT_FOUND"),
    Reason.PLAYER_BLOCKED: (108, "PLAYER_BLOCKED"),
    Reason.INSUFFICIENT_FUNDS: (105, "INSUFFICIENT_FUNDS"),
    Reason.LIMIT_EXCEEDED: (109, "LIMIT_EXCEEDED"),
    Reason.CURRENCY_MISMATCH: (2006, "INVALID_CURRENCY"),
    Reason.GAME_NOT_FOUND: (110, "GAME_NOT_FOUND"),
    Reason.TRANSACTION_NOT_FOUND: (107, "TRANSACTION_NOT_FOUND"),
    Reason.ALREADY_ROLLED_BACK: (112, "ALREADY_REFUNDED"),
    Reason.ALREADY_SETTLED: (113, "ALREADY_SETTLED"),
    Reason.DUPLICATE_MISMATCH: (103, "DUPLICATE_TRANSACTION"),
    Reason.ROUND_CLOSED: (114, "ROUND_CLOSED"),
    Reason.UNSUPPORTED: (2006, "INVALID_REQUEST_BODY"),
}
FLAWS = {
    Flaw.MISSING: 2001, Flaw.NULL: 2002, Flaw.BLANK: 2003, Flaw.TOO_SHORT: 2004, Flaw.TOO_LONG: 2005,
    Flaw.NOT_INTEGER: 2008, Flaw.TOO_HIGH: 2009, Flaw.TOO_LOW: 2010,
}  # fmt: skip


def act_of(act: Any) -> Transaction:
    return msgspec.structs.replace(DEBIT, act=act)


def answer(outcome: Any, tx: Transaction | None, call: Call = CALL) -> dict[str, Any]:
    response = DIALECT.encode_response(outcome, tx, call)
    assert response.status == 200
    found: dict[str, Any] = json.loads(response.body)
    return found


@pytest.mark.parametrize("name", [*ACTS, ""])
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_said_alike_by_every_call(name: str, reason: Reason) -> None:
    tx = act_of(ACTS[name]) if name else None
    number, word = CODES[reason]
    said = answer(Declined(reason=reason, message="why"), tx)
    assert said == {"status": 0, "error": 1, "error_id": number, "error_code": word, "error_message": "why"}


@pytest.mark.parametrize("flaw", Flaw)
def test_every_flaw_has_its_number(flaw: Flaw) -> None:
    said = answer(Declined(reason=Reason.INVALID_REQUEST, field="round_id", flaw=flaw), None)
    assert (said["error_id"], said["error_code"]) == (FLAWS.get(flaw, 2006), "INVALID_ROUND_ID")


@pytest.mark.parametrize("name", [*ACTS, ""])
def test_doubt_is_said_as_not_ready(name: str) -> None:
    said = answer(Unknown(), act_of(ACTS[name]) if name else None)
    assert said == {"status": 0, "error": 1, "error_id": 104, "error_code": "SERVER_NOT_READY"}


@pytest.mark.parametrize("name", ACTS)
def test_a_yes_needs_a_balance(name: str) -> None:
    with pytest.raises(Missing, match="balance"):
        DIALECT.encode_response(Accepted(currency="EUR"), act_of(ACTS[name]), CALL)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (Debit(amount=Decimal(1), tracking_only=True), "a tracking-only debit"),
        (Credit(amount=Decimal(1), tracking_only=True), "a tracking-only credit"),
        (Rollback(reference="t", reference_kind=Kind.CREDIT), "a rollback of a credit"),
        (Settle(debit=Decimal(1), credit=Decimal(1)), "settle"),
        (Adjust(amount=Decimal(1)), "adjust"),
        (Reserve(amount=Decimal(1)), "reserve"),
    ],
)
def test_what_has_no_words(act: Any, what: str) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(act_of(act), CALL)
    assert (refused.value.reason, refused.value.field) == (Reason.UNSUPPORTED, what)


@pytest.mark.parametrize(
    ("blank", "what", "names"),
    [
        ({"session": ""}, "session", ACTS),
        ({"player": ""}, "player", ("GetBalance", "Debit", "Credit", "Refund")),
        ({"game": None}, "game", ("GetBalance", "Debit", "Credit", "Refund")),
        ({"currency": ""}, "currency", ("Debit", "Credit", "Refund")),
        ({"round": None}, "round", ("Debit", "Credit", "Refund")),
        ({"act": Rollback(reference="t-1")}, "amount", ("Refund",)),
        ({"act": Rollback(amount=Decimal(1))}, "reference", ("Refund",)),
    ],
)
def test_what_a_request_needs(blank: dict[str, Any], what: str, names: Any) -> None:
    for name in names:
        tx = msgspec.structs.replace(DEBIT, **{"act": ACTS[name], **blank})
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, CALL)
        assert missing.value.field == what


def test_an_amount_finer_than_the_wire_is_refused() -> None:
    tx = msgspec.structs.replace(DEBIT, act=Debit(amount=Decimal("1.255")), currency="KWD")
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(tx, CALL)
    assert refused.value.reason is Reason.UNSUPPORTED


BODY = b'{"token":"sess-51c0","player_id":"p-4471"}'
SIGNATURE = "291c7219c2937d72f39fc2ca1d467d0448db74f486811e82db9816d5a4f9bc86"  # the page's worked example
SECRET = (Key(id="h", parts={"secret": "gw-test-secret-01"}),)


SIGNED = {"x-gw-timestamp": "1767225600", "x-gw-signature": SIGNATURE}
NETWORK = Guard(networks=(ip_network("203.0.113.0/24"),))


def guarded(guard: Guard, headers: dict[str, str], body: bytes = BODY, peer: str = "203.0.113.9") -> list[str]:
    request = Request(method="POST", path="/get-session", headers=headers, body=body, peer=peer)
    return check(guard, request, DIALECT.as_provider.body_key, NOW)


def test_the_cards_three_guards_let_in() -> None:
    assert guarded(Guard(hmac=SECRET), SIGNED) == ["h"]
    assert guarded(Guard(api_key=SECRET), {"x-api-key": "gw-test-secret-01"}) == ["h"]
    assert guarded(Guard(api_key=SECRET), {}, b'{"token":"t","api_key":"gw-test-secret-01"}') == ["h"]
    assert guarded(NETWORK, {}) == []


@pytest.mark.parametrize(
    ("guard", "headers", "body", "peer"),
    [
        (Guard(hmac=SECRET), SIGNED, BODY + b" ", "203.0.113.9"),
        (Guard(api_key=SECRET), {}, BODY, "203.0.113.9"),
        (NETWORK, {}, BODY, "198.51.100.1"),
    ],
)
def test_a_guard_that_fails_is_1001(guard: Guard, headers: dict[str, str], body: bytes, peer: str) -> None:
    with pytest.raises(Refused) as refused:
        guarded(guard, headers, body, peer)
    assert answer(refused.value.outcome(), None)["error_id"] == 1001


def test_documented_rows_cannot_be_replaced() -> None:
    with pytest.raises(msgspec.ValidationError, match="invalid_request"):
        msgspec.convert({"errors": {"invalid_request": [1, "X"]}}, DIALECT.settings)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
REQUESTS = [(name, DIALECT.encode_request(act_of(act), CALL)) for name, act in ACTS.items()]
ANSWERS: list[dict[str, Any]] = [
    answer(Accepted(balance=Decimal(1), currency="EUR", wallet_id="w"), DEBIT),
    answer(Declined(reason=Reason.INSUFFICIENT_FUNDS), DEBIT),
    {"error": 1, "error_detail": {"id": 105, "code": "INSUFFICIENT_FUNDS"}},
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(REQUESTS), st.data())
def test_a_changed_field_is_read_or_refused(sent: tuple[str, Request], data: st.DataObject) -> None:
    name, request = sent
    fields = json.loads(request.body)
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(VALUES)
    call = msgspec.structs.replace(CALL, name=name)
    body = json.dumps(fields).encode()
    outcome: Unknown | Declined = Unknown()
    try:
        DIALECT.decode_request(msgspec.structs.replace(request, body=body), call)
    except Refused as refused:
        outcome = refused.outcome()
    assert answer(outcome, None, call)["status"] == 0


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ANSWERS), st.data())
def test_a_changed_answer_never_raises(said: dict[str, Any], data: st.DataObject) -> None:
    changed = {**said, data.draw(st.sampled_from(sorted(said))): data.draw(VALUES)}
    DIALECT.decode_response(Response(body=json.dumps(changed).encode()), DEBIT, CALL)
