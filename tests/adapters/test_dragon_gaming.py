"""Dragon Gaming: what no single vector can show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.dragon_gaming.dialect import DIALECT
from gateway.auth import Key
from gateway.auth.guards import Guard, check
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Reason,
    Refused,
    Rollback,
    Round,
    Transaction,
    Unknown,
)

NOW = datetime.fromtimestamp(1767225600, UTC)
CODES = {
    Reason.INVALID_REQUEST: (2006, "INVALID_REQUEST_BODY"),
    Reason.BAD_SIGNATURE: (1001, "INVALID_API_KEY"),
    Reason.NOT_AUTHENTICATED: (101, "INVALID_TOKEN"),
    Reason.SESSION_EXPIRED: (101, "INVALID_TOKEN"),
    Reason.PLAYER_NOT_FOUND: (102, "ACCOUNT_DOESNT_EXIST"),
    Reason.PLAYER_BLOCKED: (108, "PLAYER_BLOCKED"),
    Reason.INSUFFICIENT_FUNDS: (105, "INSUFFICIENT_FUNDS"),
    Reason.LIMIT_EXCEEDED: (109, "LIMIT_EXCEEDED"),
    Reason.CURRENCY_MISMATCH: (2006, "INVALID_CURRENCY"),
    Reason.GAME_NOT_FOUND: (110, "GAME_NOT_FOUND"),
    Reason.TRANSACTION_NOT_FOUND: (107, "ROUND_NOT_FOUND"),
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
ACTS = (
    Authenticate(),
    Balance(),
    Debit(amount=Decimal("1.20")),
    Credit(amount=Decimal("1.20")),
    Rollback(reference="t-1", amount=Decimal("1.20")),
)


def call_of(**settings: Any) -> Call:
    return Call(settings=msgspec.convert(settings, DIALECT.settings), now=NOW)


def act_of(act: Any) -> Transaction:
    return Transaction(
        act=act, id="t-1", player="A-1", session="s-1", currency="CAD", round=Round("1"), game=Game(id="2")
    )


def answer(outcome: Any, tx: Transaction | None, call: Call) -> dict[str, Any]:
    response = DIALECT.encode_response(outcome, tx, call)
    assert response.status == 200
    found: dict[str, Any] = json.loads(response.body)
    return found


@pytest.mark.parametrize("success_status", [0, 1])
@pytest.mark.parametrize("tx", [*map(act_of, ACTS), None])
def test_every_reason_is_said_alike_by_every_call(success_status: int, tx: Transaction | None) -> None:
    call, failure = call_of(success_status=success_status), 1 - success_status
    for reason in Reason:
        number, word = CODES[reason]
        said = answer(Declined(reason=reason, message="why"), tx, call)
        assert said == {"status": failure, "error_id": number, "error_code": word, "error_message": "why"}
    for flaw in Flaw:
        said = answer(Declined(reason=Reason.INVALID_REQUEST, field="round_id", flaw=flaw), tx, call)
        assert (said["error_id"], said["error_code"]) == (FLAWS.get(flaw, 2006), "INVALID_ROUND_ID")
    assert answer(Unknown(), tx, call) == {"status": failure, "error_id": 104, "error_code": "SERVER_NOT_READY"}


def test_the_two_polarities_never_understand_each_others_yes() -> None:
    zero, one, yes = call_of(), call_of(success_status=1), Accepted(balance=Decimal(1), currency="CAD", wallet_id="w")
    for tx in map(act_of, ACTS):
        for said, heard in ((zero, one), (one, zero)):
            response = DIALECT.encode_response(yes, tx, said)
            assert isinstance(DIALECT.decode_response(response, tx, said), Accepted)
            assert isinstance(DIALECT.decode_response(response, tx, heard), Unknown)


def test_a_declined_one_is_understood_in_both_polarities() -> None:
    no = Declined(reason=Reason.INSUFFICIENT_FUNDS)
    response = DIALECT.encode_response(no, None, call_of())
    assert DIALECT.decode_response(response, act_of(ACTS[2]), call_of(success_status=1)) == no


@pytest.mark.parametrize(
    ("tx", "what"),
    [
        (act_of(CloseRound()), "close_round"),
        (act_of(Debit(amount=Decimal(1), tracking_only=True)), "a tracking-only debit"),
        (act_of(Rollback(reference="t", reference_kind=Kind.CREDIT)), "a rollback of a credit"),
    ],
)
def test_what_has_no_words(tx: Transaction, what: str) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(tx, call_of())
    assert (refused.value.reason, refused.value.field) == (Reason.UNSUPPORTED, what)


@pytest.mark.parametrize(
    ("blank", "what", "first"),
    [
        ({"session": ""}, "session", 0),
        ({"player": ""}, "player", 1),
        ({"game": None}, "game", 2),
        ({"currency": ""}, "currency", 2),
        ({"round": None}, "round", 2),
    ],
)
def test_what_a_request_needs(blank: dict[str, Any], what: str, first: int) -> None:
    for act in ACTS[first:]:
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(msgspec.structs.replace(act_of(act), **blank), call_of())
        assert missing.value.field == what
    # A GetBalance names no game here.
    DIALECT.encode_request(msgspec.structs.replace(act_of(Balance()), game=None), call_of())


def test_the_cards_worked_signature() -> None:
    keys = (Key(id="h", parts={"secret": "gw-test-secret-01"}),)
    signature = "acabbaa6cc52bf11951e3324ab5fd4bd4d4e3f6769b02d8a5f9c0abe06fd57f4"
    request = Request(
        method="POST",
        path="/get_balance",
        headers={"x-gw-timestamp": "1767225600", "x-gw-signature": signature},
        body=b'{"token":"dg-sess-9","account_id":"A-3007"}',
    )
    assert check(Guard(hmac=keys), request, DIALECT.as_provider.body_key, NOW) == ["h"]
    with pytest.raises(Refused):
        check(Guard(hmac=keys), request.put(("x-gw-signature", "0" * 64)), DIALECT.as_provider.body_key, NOW)


def test_paths() -> None:
    for path in ("/get_session", "/get-session", "/get-session/"):
        assert DIALECT.route(Request(method="POST", path=path), None) == "GetSession"
    for method, path in (("GET", "/debit"), ("POST", "/getsession"), ("POST", "/get_session/x")):
        with pytest.raises(NoCall):
            DIALECT.route(Request(method=method, path=path), None)


def test_answers_of_any_type_never_raise() -> None:
    said = answer(Accepted(balance=Decimal(1), currency="CAD", wallet_id="w"), act_of(ACTS[2]), call_of())
    odd: tuple[Any, ...] = (None, True, [], {}, "", "x", 1e300, -1, "9" * 100, [None], "\x00")
    for name in (*said, "error_id", "error_code", "error", "error_message"):
        for value in odd:
            body = json.dumps({**said, name: value}).encode()
            DIALECT.decode_response(Response(body=body), act_of(ACTS[2]), call_of())
