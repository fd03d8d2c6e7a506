"""Gameball: what one vector cannot show."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.gameball import wire
from adapters.gameball.dialect import DIALECT, Settings
from gateway.auth.guards import hmac_signature
from gateway.auth.keys import Key
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Act,
    Balance,
    Capture,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Release,
    Reserve,
    Rollback,
    Settle,
    Status,
    Transaction,
    Unknown,
)
from gateway.vectors import CURRENCIES, DEFAULT_NOW

CALL = Call(settings=Settings(), now=DEFAULT_NOW, nonce="n-1", currency="USD", currencies=CURRENCIES)
TEN = Decimal("10.00")
ACTS: dict[str, Act] = {
    "redeem": Debit(amount=TEN),
    "capture": Capture(reference="h-1"),
    "refund": Rollback(reference="t-0", amount=TEN),
    "hold": Reserve(amount=TEN),
    "get_hold": Status(reference="h-1", reference_kind=Kind.RESERVE),
    "release_hold": Release(reference="h-1"),
    "manual": Credit(amount=TEN),
    "balance": Balance(),
}
TX = {call: Transaction(act=act, id="t-1", player="cus-77", currency="USD") for call, act in ACTS.items()}


def say(outcome: Outcome, name: str) -> Response:
    call = msgspec.structs.replace(CALL, name="redeem" if name == "capture" else name)
    return DIALECT.encode_response(outcome, TX[name], call)


def post(path: str, body: bytes) -> Request:
    return Request(method="POST", path=wire.PREFIX + path, headers={"content-type": "application/json"}, body=body)


def test_the_worked_guard_signature_of_the_card() -> None:
    body = (
        b'{"customerId":"cus-77","transactionId":"rdm-1001","transactionTime":"2026-01-01T00:00:00.000Z","amount":10}'
    )
    expected = "745b470e20042f22e9c729cab22597e70c97eef8681853f0892b55e56aa20750"
    assert hmac_signature("gw-test-secret-01", "1767225600", post(wire.REDEEM, body)) == expected


# ---------------------------------------------------------------- errors

ROWS = {
    Reason.INVALID_REQUEST: (422, 3003),
    Reason.BAD_SIGNATURE: (401, 1000),
    Reason.NOT_AUTHENTICATED: (403, 1002),
    Reason.SESSION_EXPIRED: (403, 1002),
    Reason.PLAYER_NOT_FOUND: (404, 7000),
    Reason.PLAYER_BLOCKED: (422, 3009),
    Reason.INSUFFICIENT_FUNDS: (422, 9008),
    Reason.LIMIT_EXCEEDED: (422, 3011),
    Reason.CURRENCY_MISMATCH: (422, 3003),
    Reason.GAME_NOT_FOUND: (400, 4000),
    Reason.TRANSACTION_NOT_FOUND: (404, 9002),
    Reason.ALREADY_ROLLED_BACK: (422, 9001),
    Reason.ALREADY_SETTLED: (422, 9000),
    Reason.DUPLICATE_MISMATCH: (422, 9004),
    Reason.ROUND_CLOSED: (400, 4000),
    Reason.UNSUPPORTED: (400, 3004),
}
EXCEPT = {
    ("refund", Reason.TRANSACTION_NOT_FOUND): (404, 9005),
    ("capture", Reason.TRANSACTION_NOT_FOUND): (404, 9006),
    ("get_hold", Reason.TRANSACTION_NOT_FOUND): (404, 9006),
    ("release_hold", Reason.TRANSACTION_NOT_FOUND): (404, 9006),
    ("release_hold", Reason.ALREADY_SETTLED): (404, 9006),
    ("release_hold", Reason.ALREADY_ROLLED_BACK): (404, 9006),
}


@pytest.mark.parametrize("name", TX)
@pytest.mark.parametrize("reason", Reason)
def test_every_no_has_its_code_and_is_never_heard_as_a_yes(name: str, reason: Reason) -> None:
    response = say(Declined(reason=reason), name)
    assert (response.status, json.loads(response.body)["code"]) == EXCEPT.get((name, reason), ROWS[reason])
    assert not isinstance(DIALECT.decode_response(response, TX[name], CALL), Accepted)


@pytest.mark.parametrize("name", [n for n in TX if n not in ("get_hold", "balance")])
def test_every_replayed_yes_is_9004(name: str) -> None:
    response = say(Accepted(wallet_id="1", moved=TEN, replayed=True), name)
    assert (response.status, json.loads(response.body)["code"]) == (422, 9004)


@pytest.mark.parametrize("name", TX)
def test_9004_is_a_yes_only_to_a_later_attempt_of_a_movement_with_an_id(name: str) -> None:
    """A release has that of its hold, and `test_every_replayed_yes_is_9004` says what it is told; a hold has none."""
    response = say(Declined(reason=Reason.DUPLICATE_MISMATCH), name)
    again = msgspec.structs.replace(CALL, again=True)
    with_id = name in ("redeem", "capture", "refund", "manual", "release_hold")
    assert isinstance(DIALECT.decode_response(response, TX[name], CALL), Unknown)
    assert (DIALECT.decode_response(response, TX[name], again) == Accepted(replayed=True)) is with_id


@pytest.mark.parametrize("name", TX)
def test_doubt_is_503_and_stays_doubt(name: str) -> None:
    response = say(Unknown(), name)
    assert (response.status, json.loads(response.body)["code"]) == (503, 5003)
    assert isinstance(DIALECT.decode_response(response, TX[name], CALL), Unknown)


# ---------------------------------------------------------------- what is missing, what cannot be said


@pytest.mark.parametrize(
    ("name", "outcome", "what"),
    [
        ("balance", Accepted(), "balance"),
        ("capture", Accepted(wallet_id="1"), "amount"),
        ("get_hold", Accepted(state="active"), "amount"),
        ("get_hold", Accepted(moved=TEN), "state"),
    ],
)
def test_an_answer_asks_for_what_it_needs(name: str, outcome: Accepted, what: str) -> None:
    with pytest.raises(Missing) as raised:
        say(outcome, name)
    assert raised.value.field == what


@pytest.mark.parametrize(
    ("tx", "what"),
    [
        (Transaction(act=Debit(amount=TEN, free_round=True), id="t", player="p", currency="USD"), "a free debit"),
        (Transaction(act=Debit(amount=Decimal(0)), id="t", player="p", currency="USD"), "a zero amount"),
        (Transaction(act=Credit(amount=Decimal(0)), id="t", player="p", currency="USD"), "a zero amount"),
        (Transaction(act=Settle(debit=TEN, credit=TEN), id="t", player="p", currency="USD"), "settle"),
        (Transaction(act=Status(reference="t"), player="p"), "a status of a debit"),
        (Transaction(act=Debit(amount=TEN), id="t", player="p", currency="EUR"), "a currency other than the account's"),
        (Transaction(act=Balance(), player=".."), "the player '..' in a path"),
        (Transaction(act=Debit(amount=TEN), id="t", currency="USD"), "player"),
        (Transaction(act=Rollback(), id="t", player="p"), "reference"),
    ],
)
def test_what_it_has_no_words_for_is_refused(tx: Transaction, what: str) -> None:
    with pytest.raises(Refused) as raised:
        DIALECT.encode_request(tx, CALL)
    assert (raised.value.reason, raised.value.field) == (Reason.UNSUPPORTED, what)


# ---------------------------------------------------------------- keys, settings, paths


def test_the_nearest_of_several_keys_says_which_part_is_wrong() -> None:
    keys = [Key(id=n, parts={"api_key": f"a{n}", "secret_key": f"s{n}"}) for n in "123"]

    def verify(api_key: str, secret_key: str, require: bool = True) -> str:
        request = Request(method="GET", path="/", headers={"apikey": api_key, "secretkey": secret_key})
        return DIALECT.auth.verify(request, keys, Settings(require_secret=require), DEFAULT_NOW)

    assert verify("a2", "s2") == "2"
    assert verify("a3", "", require=False) == "3"
    for api_key, secret_key, part in (("a2", "s1", "secret_key"), ("a9", "s1", "api_key"), ("", "", "api_key")):
        with pytest.raises(Refused) as raised:
            verify(api_key, secret_key)
        assert raised.value.field == part


@pytest.mark.parametrize(
    "wrong",
    [{"redemption_factor": x} for x in ("0", "-0.1", "NaN", "Infinity", "0.1234567891", "1e9")]
    + [{"hold_life": x} for x in ("10", "59s", "16d", "ten minutes")],
)
def test_an_impossible_setting_is_told_with_what_to_write(wrong: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"write"):
        msgspec.convert(wrong, Settings)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", wire.PREFIX + wire.REDEEM, ("POST",)),
        ("POST", wire.PREFIX + "/transactions/hold/h-1", ("GET", "DELETE")),
        ("POST", "/api/v3.0/integrations/transaction/redeem", ()),
        ("POST", wire.PREFIX + "/transaction/redeem", ()),
        ("GET", wire.PREFIX + "/customers//balance", ()),
        ("GET", wire.PREFIX + "/customers/a/b/balance", ()),
    ],
)
def test_other_paths_and_methods_are_no_calls(method: str, path: str, allow: tuple[str, ...]) -> None:
    with pytest.raises(NoCall) as raised:
        DIALECT.route(Request(method=method, path=path), Settings())
    assert raised.value.allow == allow


# ---------------------------------------------------------------- properties


@given(st.integers(-(10**12), 10**12), st.sampled_from(["0.1", "1", "0.01", "0.25", "3"]))
def test_points_survive_the_way_through_money(points: int, factor: str) -> None:
    amount = wire.money_of(points, Decimal(factor), "points", msgspec.structs.replace(CALL, currency="BTC"))
    assert wire.points_of(amount, Decimal(factor)) == points == wire.points_shown(amount, Decimal(factor))


@given(st.text(min_size=1, max_size=40).filter(lambda t: t.strip() and "\0" not in t and t not in (".", "..")))
def test_any_customer_survives_the_path(player: str) -> None:
    request = DIALECT.encode_request(Transaction(act=Balance(), player=player), CALL)
    call = msgspec.structs.replace(CALL, name=DIALECT.route(request, CALL.settings))
    assert DIALECT.decode_request(request, call).player == player


FIELDS = ["customerId", "transactionId", "transactionTime", "amount", "points", "holdReference", "refundTransactionId", "hash", "reverseTransactionId", "refundAmount", "lineItems", "amountToHold", "pointsToHold", "ruleId", "username", "reason", "expiryAfter", "gameballTransactionId", "redeemAmount", "holdAmount", "state", "availablePointsValue", "currency", "code", "error", "success"]  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(
        st.sampled_from(
            FIELDS
        ),
        st.one_of(
            st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=9),
            st.lists(st.integers(), max_size=2), st.sampled_from(["2026-01-01", "1e40", "-1e-40", "9" * 50, 10**400]),
        ),
        max_size=12,
    ).map(lambda body: json.dumps(body).encode()),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["redeem", "refund", "hold", "manual"]), BODIES)
def test_no_request_raises_anything_but_refused(name: str, body: bytes) -> None:
    call = msgspec.structs.replace(CALL, name=name)
    try:
        DIALECT.decode_request(post(f"/transactions/{name}", body), call)
    except Refused as refused:
        response = DIALECT.encode_response(refused.outcome(), None, call)
        assert 400 <= response.status < 500


@settings(deadline=None)
@given(st.text(max_size=20), st.sampled_from(["/customers/{}/balance", "/transactions/hold/{}"]))
def test_no_path_raises_anything_but_refused(segment: str, pattern: str) -> None:
    request = Request(method="GET", path=wire.PREFIX + pattern.format(segment))
    with contextlib.suppress(Refused, NoCall):
        DIALECT.decode_request(request, msgspec.structs.replace(CALL, name=DIALECT.route(request, CALL.settings)))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(TX)), st.sampled_from([200, 400, 401, 404, 422, 503]), BODIES)
def test_no_answer_raises(name: str, status: int, body: bytes) -> None:
    DIALECT.decode_response(Response(status=status, body=body), TX[name], CALL)
