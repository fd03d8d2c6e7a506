"""Native, where one vector is not enough: keys in rotation, the outside library, any transaction."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from adapters.native.dialect import DIALECT, encode_request
from gateway.auth import Key
from gateway.dialect import Call, NoCall, NoSettings
from gateway.http import Request
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Notice,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    Unknown,
)
from gateway.play.book import rules_of
from gateway.play.purse import Purse
from gateway.play.teller import Teller
from gateway.vectors import CURRENCIES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"
CALL = Call(now=NOW, nonce=NONCE, provider="acme", currencies=CURRENCIES)
DEBIT = Transaction(act=Debit(amount=Decimal("12.50")), id="t-1", player="u-1", currency="EUR")


def key(name: str, until: datetime | None = None) -> Key:
    return Key(id=name, parts={"secret": "whsec_" + base64.b64encode(f"the key {name}".encode()).decode()}, until=until)


OLD, NEW, OTHER = key("old"), key("new"), key("other")


def signed(*keys: Key, at: datetime = NOW, tx: Transaction = DEBIT) -> Request:
    return DIALECT.auth.sign(encode_request(tx, CALL), keys, NoSettings(), at)


def verified(request: Request, *keys: Key, at: datetime = NOW) -> str:
    return DIALECT.auth.verify(request, keys, NoSettings(), at)


def test_the_outside_library_verifies_what_we_sign() -> None:
    request = signed(OLD, NEW, at=datetime.now(UTC))
    for each in (OLD, NEW):
        assert Webhook(each.part("secret")).verify(request.body, dict(request.headers))["transaction_id"] == "t-1"


def test_we_verify_what_the_outside_library_signs() -> None:
    body = '{"player":"Ünal"}'
    signature = Webhook(NEW.part("secret")).sign("msg.1", NOW, body)
    headers = {"webhook-id": "msg.1", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}
    request = Request(method="POST", path="/debit", headers=headers, body=body.encode())
    assert verified(request, OLD, NEW) == "new"


def test_one_signature_per_live_key_so_that_either_side_may_rotate_first() -> None:
    request = signed(OLD, NEW)
    assert len(request.header("webhook-signature").split()) == 2
    assert verified(request, NEW) == "new"
    assert verified(request, OTHER, OLD) == "old"
    with pytest.raises(Refused):
        verified(request, OTHER)


def test_a_key_that_is_over_neither_signs_nor_verifies() -> None:
    over = replace(OLD, until=NOW)
    assert len(signed(over, NEW).header("webhook-signature").split()) == 1
    with pytest.raises(Refused):
        verified(signed(OLD), over)


def test_a_key_that_is_none_verifies_nothing() -> None:
    for secret in ("", "whsec_", "whsec_=", "whsec_***", "whsec_é", "bmF0aXZl"):
        empty = Key(id="empty", parts={"secret": secret})
        assert DIALECT.auth.fault("secret", secret, CALL.settings)
        with pytest.raises(Refused):
            verified(signed(NEW), empty)
        with pytest.raises(Refused):
            signed(empty)
    assert not DIALECT.auth.fault("secret", "whsec_" + base64.b64encode(b"12345").decode().rstrip("="), CALL.settings)


def test_the_window_is_300_seconds_both_ways() -> None:
    for seconds in (-300, 300):
        assert verified(signed(NEW), NEW, at=NOW + timedelta(seconds=seconds)) == "new"
    for seconds in (-301, 301):
        with pytest.raises(Refused):
            verified(signed(NEW), NEW, at=NOW + timedelta(seconds=seconds))


def test_routes() -> None:
    def name(method: str, path: str) -> str:
        return DIALECT.route(Request(method=method, path=path), NoSettings())

    for kind in set(Kind) - {Kind.STATUS}:
        assert name("POST", f"/{kind.value}") == name("POST", f"/{kind.value}/") == kind.value
        with pytest.raises(NoCall) as refused:
            name("GET", f"/{kind.value}")
        assert refused.value.allow == ("POST",)
    assert name("GET", "/transactions/acme/debit/t-1") == "status"
    for path in ("/status", "/", "/transactions", "/transactions/acme/debit", "/Debit", "/debit/x"):
        with pytest.raises(NoCall):
            name("POST", path)


def test_every_refusal_has_its_status() -> None:
    for reason in Reason:
        status = {Reason.BAD_SIGNATURE: 401, Reason.INVALID_REQUEST: 400}.get(reason, 200)
        answer = DIALECT.encode_response(Declined(reason=reason), DEBIT, CALL)
        assert answer.status == status
        assert DIALECT.decode_response(answer, DEBIT, CALL) == replace(
            Declined(reason=reason), message="" if status == 200 else f"the wallet says HTTP {status}"
        )


def test_the_answer_to_one_movement_is_never_believed_of_another() -> None:
    """A proxy that hands an answer to the next request must not make a bet look taken, or refused."""
    query = replace(DEBIT, act=Status(reference=DEBIT.id), id="")
    other = replace(DEBIT, id="t-other")
    for said in (Accepted(wallet_id="w"), *(Declined(reason=reason) for reason in Reason)):
        for asked, elsewhere in ((DEBIT, other), (query, replace(query, act=Status(reference=other.id)))):
            answer = DIALECT.encode_response(said, asked, CALL)
            assert json.loads(answer.body)["transaction_id"] == DEBIT.id
            assert not isinstance(DIALECT.decode_response(answer, asked, CALL), Unknown)
            assert isinstance(DIALECT.decode_response(answer, elsewhere, CALL), Unknown)


def test_a_call_without_an_id_has_no_echo() -> None:
    """An operator who compares the echo must not find one where there is nothing to compare it with."""
    for act in (Balance(), Check(), CloseRound(), CloseSession(), Notice(), Authenticate()):
        said = DIALECT.encode_response(Accepted(balance=Decimal(1)), replace(DEBIT, act=act, id="c-1"), CALL)
        assert "transaction_id" not in json.loads(said.body)


def test_the_simulated_wallet_echoes_what_it_was_asked() -> None:
    """Whoever builds a wallet from the example must see the field where it will be looked for."""
    teller = Teller(dialect=DIALECT, settings=NoSettings(), keys=(NEW,), purse=Purse(rules_of(DIALECT), currency="USD"))
    item = replace(DEBIT, id="t-2")
    batch = replace(DEBIT, act=Batch(items=(DEBIT, item)), id="")
    for tx in (DEBIT, batch):
        answer = json.loads(teller.answer(signed(NEW, tx=tx), NOW, NONCE).response.body)
        echoes = [said.get("transaction_id") for said in (answer, *answer.get("items", ()))]
        assert echoes == ([DEBIT.id] if tx is DEBIT else [None, DEBIT.id, item.id])


def test_the_simulated_wallet_has_seen_a_rollback_that_found_nothing() -> None:
    """404 = not seen so far. The rollback was decided, and its query hears that decision with 200."""
    teller = Teller(dialect=DIALECT, settings=NoSettings(), keys=(NEW,), purse=Purse(rules_of(DIALECT), currency="USD"))
    undo = replace(DEBIT, act=Rollback(reference="never-came"), id="u-1")
    query = replace(DEBIT, act=Status(reference="u-1", reference_kind=Kind.ROLLBACK), id="")
    first, told = (teller.answer(signed(NEW, tx=tx), NOW, NONCE).response for tx in (undo, query))
    assert (first.status, told.status) == (200, 200)
    assert told.body == first.body


def test_what_it_needs_is_named() -> None:
    def lacks(tx: Transaction) -> str:
        with pytest.raises(Missing) as missing:
            encode_request(tx, CALL)
        return missing.value.field

    rollback = replace(DEBIT, act=Rollback(reference="t-0"), currency="")
    assert encode_request(rollback, CALL).path == "/rollback"
    assert lacks(replace(DEBIT, player="")) == "player"
    assert lacks(replace(DEBIT, currency="")) == "currency"
    assert lacks(replace(DEBIT, act=Rollback())) == "reference"
    assert lacks(replace(rollback, act=Rollback(reference="t-0", amount=Decimal(1)))) == "currency"
    assert lacks(replace(DEBIT, act=Batch(items=(replace(DEBIT, id=""),)))) == "id"
    free = replace(DEBIT, act=Settle(debit=Decimal(1), credit=Decimal(0), free_round=True))
    with pytest.raises(Refused, match="free settle"):
        encode_request(free, CALL)


def test_a_zero_has_no_sign() -> None:
    request = encode_request(replace(DEBIT, act=Debit(amount=Decimal("-0"))), CALL)
    assert json.loads(request.body)["amount"] == "0.00"


IDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40).filter(str.strip)
CENTS = st.integers(0, 10**17 - 1).map(lambda cents: Decimal(cents).scaleb(-2))
ROUNDS = st.none() | st.builds(Round, IDS, st.none() | st.booleans())
SINGLE = (
    st.builds(Debit, amount=CENTS, free_round=st.booleans(), tracking_only=st.booleans())
    | st.builds(Credit, amount=CENTS, reference=IDS)
    | st.builds(Settle, debit=CENTS, credit=CENTS)
    | st.builds(Rollback, reference=IDS, amount=st.none() | CENTS, scope=st.sampled_from(["transaction", "round"]))
    | st.builds(Adjust, amount=CENTS | CENTS.map(lambda amount: -amount or amount))
)
EXTRA = st.dictionaries(IDS.filter(lambda name: name != "provider"), st.text(max_size=5), max_size=2)


def transactions(act: st.SearchStrategy[object]) -> st.SearchStrategy[Transaction]:
    return st.builds(
        Transaction, act=act, id=IDS, player=IDS, session=st.just("") | IDS, currency=st.sampled_from(["EUR", "USD"]),
        round=ROUNDS, occurred_at=st.none() | st.datetimes(timezones=st.just(UTC)), extra=EXTRA,
    ).map(lambda tx: replace(tx, round=None) if isinstance(tx.act, Adjust) else tx)  # fmt: skip


BATCHES = transactions(SINGLE).flatmap(
    lambda item: st.builds(Batch, items=st.just((item, replace(item, id=item.id + "2"))), atomic=st.booleans()).map(
        lambda batch: replace(item, act=batch, id="", round=None)
    )
)
QUERIES = st.builds(Transaction, act=st.builds(Status, reference=IDS, reference_kind=st.just(Kind.CREDIT)))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(tx=transactions(SINGLE) | BATCHES | QUERIES)
def test_any_transaction_arrives_as_it_was_sent(tx: Transaction) -> None:
    request = DIALECT.auth.sign(encode_request(tx, CALL), (NEW,), NoSettings(), NOW)
    assert verified(request, NEW) == "new"
    name = DIALECT.route(request, NoSettings())
    assert DIALECT.decode_request(request, replace(CALL, name=name, request=request)) == tx
    keyed = tx.kind in (Kind.BATCH, Kind.STATUS)
    assert (request.header("idempotency-key") == NONCE) == keyed
    assert request.header("idempotency-key") == request.header("webhook-id")
