"""Valkyrie PAM: what one vector cannot show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.valkyrie_pam import wire
from adapters.valkyrie_pam.dialect import DIALECT
from gateway.auth import Key
from gateway.currency import Currencies
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Missing,
    Notice,
    Outcome,
    Reason,
    Refused,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    Unknown,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(settings=wire.Settings(), now=NOW, nonce="n-1", provider="acme", currencies=Currencies({"BTC": 8}))
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="b-1", player="u", session="s", currency="EUR", round=Round("r"), game=Game(id="g")
)  # fmt: skip
WIN = msgspec.structs.replace(BET, act=Credit(amount=Decimal("2.50"), reference="b-1"), id="w-1")
CANCEL = msgspec.structs.replace(BET, act=Rollback(reference="b-1", amount=Decimal("2.50")), id="x-1")
ASKED = msgspec.structs.replace(BET, act=Status(reference="b-1"), id="")
replace = msgspec.structs.replace


def asked(tx: Transaction, call: Call = CALL) -> Call:
    request = DIALECT.encode_request(tx, replace(call, name="", request=None))
    return replace(call, request=request, name=DIALECT.route(request, call.settings))


def heard(response: Response, tx: Transaction) -> Outcome:
    return DIALECT.decode_response(response, tx, asked(tx))


def error(code: str, status: int = 200) -> Response:
    return Response(
        status=status, body=json.dumps({"status": "ERROR", "error": {"code": code, "message": "x"}}).encode()
    )


def read(body: dict[str, Any], call: Call = CALL) -> Transaction:
    request = Request(
        method="POST", path="/players/u/transactions", query="provider=evolution", headers={"x-player-token": "s"},
        body=json.dumps(body).encode(),
    )  # fmt: skip
    return DIALECT.decode_request(request, replace(call, request=request, name="AddTransaction"))


WIRE = {
    "transactionType": "DEPOSIT", "providerTransactionId": "c-1", "cashAmount": 2.5, "bonusAmount": 0, "promoAmount": 0,
    "currency": "EUR", "provider": "evolution", "providerRoundId": "r", "providerGameId": "g", "providerBetRef": "b-1",
    "isGameOver": False, "transactionDateTime": "2026-01-01T00:00:00Z",
}  # fmt: skip

# ---------------------------------------------------------------- words


@pytest.mark.parametrize("tx", [BET, WIN, CANCEL], ids=lambda tx: tx.kind)
@pytest.mark.parametrize("reason", Reason)
def test_every_no_has_a_word_that_is_heard_as_a_no_or_as_doubt(tx: Transaction, reason: Reason) -> None:
    """Of a bet each as it was, but for a limit (there is no word); what a win or a cancel may not be told for good is doubt."""
    outcome = Declined(reason=reason, balance=Decimal(1), currency="EUR")
    back = heard(DIALECT.encode_response(outcome, tx, asked(tx)), tx)
    spelled = {
        Reason.LIMIT_EXCEEDED: Reason.PLAYER_BLOCKED,
        Reason.UNSUPPORTED: Reason.PLAYER_BLOCKED,
        Reason.ALREADY_SETTLED: Reason.ROUND_CLOSED,
    }
    if tx is BET:
        assert isinstance(back, Declined)
        assert back.reason is spelled.get(reason, reason)
    elif isinstance(back, Declined):
        alike = {Reason.ALREADY_SETTLED, Reason.ROUND_CLOSED}
        assert back.reason is reason or {back.reason, reason} == alike
    else:
        assert isinstance(back, Unknown)


def test_doubt_has_a_word_that_is_heard_as_doubt() -> None:
    for tx in (BET, WIN, CANCEL, ASKED, replace(BET, act=Balance()), replace(BET, act=Authenticate())):
        assert isinstance(heard(DIALECT.encode_response(Unknown(), tx, asked(tx)), tx), Unknown)
    assert json.loads(DIALECT.encode_response(Unknown(), None, CALL).body)["error"]["code"] == "PAM_ERR_UNDEFINED"


CODES: dict[str, Reason | None] = {
    "UNDEFINED": None, "TIMEOUT": None, "API_TOKEN": Reason.BAD_SIGNATURE, "SESSION_NOT_FOUND": Reason.NOT_AUTHENTICATED,
    "SESSION_EXPIRED": Reason.SESSION_EXPIRED, "PLAYER_NOT_FOUND": Reason.PLAYER_NOT_FOUND,
    "ACC_NOT_FOUND": Reason.PLAYER_NOT_FOUND, "MISSING_PROVIDER": Reason.INVALID_REQUEST,
    "GAME_NOT_FOUND": Reason.GAME_NOT_FOUND, "ROUND_NOT_FOUND": Reason.TRANSACTION_NOT_FOUND,
    "TRANS_NOT_FOUND": Reason.TRANSACTION_NOT_FOUND, "CANCEL_NOT_FOUND": Reason.TRANSACTION_NOT_FOUND,
    "CASH_OVERDRAFT": Reason.INSUFFICIENT_FUNDS, "BONUS_OVERDRAFT": Reason.INSUFFICIENT_FUNDS,
    "PROMO_OVERDRAFT": Reason.INSUFFICIENT_FUNDS, "BET_NOT_ALLOWED": Reason.PLAYER_BLOCKED,
    "TRANS_CURRENCY": Reason.CURRENCY_MISMATCH, "NEGATIVE_STAKE": Reason.INVALID_REQUEST,
    "TRANS_ALREADY_CANCELLED": Reason.ALREADY_ROLLED_BACK, "TRANS_ALREADY_SETTLED": Reason.ROUND_CLOSED,
    "CANCEL_NON_WITHDRAW": Reason.UNSUPPORTED, "DUPLICATE_TRANS": Reason.DUPLICATE_MISMATCH,
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("tx", [BET, WIN, CANCEL], ids=lambda tx: tx.kind)
def test_every_code_of_the_card_is_heard_as_one_thing(code: str, tx: Transaction) -> None:
    reason = CODES[code]
    if code == "TRANS_ALREADY_SETTLED" and tx is CANCEL:
        reason = Reason.ALREADY_SETTLED
    back = heard(error(f"PAM_ERR_{code}"), tx)
    assert (back.reason if isinstance(back, Declined) else None) is reason
    assert not isinstance(back, Accepted)


@pytest.mark.parametrize("status", [100, 202, 204, 302, 403, 404, 409, 429, 500, 502, 503, 599])
@pytest.mark.parametrize("code", ["CASH_OVERDRAFT", "TRANS_NOT_FOUND", "UNDEFINED"])
def test_a_status_that_the_card_does_not_name_is_doubt(status: int, code: str) -> None:
    assert isinstance(heard(error(f"PAM_ERR_{code}", status), BET), Unknown)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("status", [200, 201, 400, 401, 404])
def test_of_a_query_only_not_found_is_a_no(code: str, status: int) -> None:
    """And a refusal by status says nothing about the movement that was asked about."""
    back = heard(error(f"PAM_ERR_{code}", status), ASKED)
    not_found = CODES[code] is Reason.TRANSACTION_NOT_FOUND and status in (200, 201)
    assert isinstance(back, Declined) is (not_found or (status, code) == (404, "TRANS_NOT_FOUND"))


# ---------------------------------------------------------------- ids


IDS = st.text(st.sampled_from("ab:%promo25A3"), min_size=1, max_size=12) | st.sampled_from(
    ["promo:1", "promo%3A1", "promo"]
)


@pytest.mark.parametrize(
    ("listed", "found"), [(["acme"], Accepted), (["ACME"], Accepted), ([None], Accepted), (["other"], Unknown),
                          (["other", "acme"], Accepted)]
)  # fmt: skip
def test_a_movement_of_another_provider_under_the_same_id_is_not_ours(listed: list[str | None], found: type) -> None:
    """Ids are unique per provider only (card): a bet that another one has in a PAM was taken for a bet in doubt of ours."""
    rows = [WIRE | {"transactionType": "WITHDRAW", "providerTransactionId": "b-1", "provider": each} for each in listed]
    body = json.dumps({"status": "OK", "transactions": rows}).encode()
    assert isinstance(heard(Response(body=body), ASKED), found)


@given(st.tuples(IDS, IDS, st.booleans()), st.tuples(IDS, IDS, st.booleans()))
def test_canonical_ids_never_meet(one: tuple[str, str, bool], other: tuple[str, str, bool]) -> None:
    names = [wire.canonical_id(provider, id, promo=promo) for provider, id, promo in (one, other)]
    assert (names[0] == names[1]) is (one == other)
    assert wire.wire_id(names[0], one[0]) == one[1:]


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_an_id_fits_and_is_nobody_elses(one: str, other: str) -> None:
    assert 1 <= len(wire.fitted(one)) <= 40
    assert (wire.fitted(one) == wire.fitted(other)) is (one == other)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and "\x00" not in text))
def test_a_player_in_a_path_comes_back(player: str) -> None:
    tx = replace(BET, player=player)
    try:
        player.encode()
    except UnicodeEncodeError:
        return
    if player in (".", ".."):
        with pytest.raises(Refused):
            DIALECT.encode_request(tx, CALL)
        return
    call = asked(tx)
    assert call.request is not None
    assert call.request.path.isascii()
    assert DIALECT.decode_request(call.request, call).player == player


@pytest.mark.parametrize("path", ["/", "/players", "/players/", "/players/u", "/players//balance", "/players/u/x", "/x/session",
                                  "/players/u/gamerounds", "/players/u/gamerounds/", "/players/u/balance/x"])  # fmt: skip
def test_other_paths_are_no_calls(path: str) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path=path), wire.Settings())
    assert no_call.value.allow == ()


def test_other_methods_are_told_which_there_are() -> None:
    for path, methods in (("/players/session", ("GET", "PUT")), ("/players/u/transactions/", ("POST", "GET"))):
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(Request(method="DELETE", path=path), wire.Settings())
        assert no_call.value.allow == methods


# ---------------------------------------------------------------- money


@given(st.integers(0, 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_an_amount_comes_back_exactly(minor: int, currency: str) -> None:
    digits = CALL.currencies.digits(currency)
    tx = replace(BET, currency=currency, act=Debit(amount=Decimal(minor).scaleb(-digits)))
    call = asked(tx)
    assert call.request is not None
    back = DIALECT.decode_request(call.request, call)
    assert isinstance(back.act, Debit)
    assert back.act.amount == tx.act.amount  # type: ignore[union-attr]  # it is a debit
    assert str(back.act.amount) == str(CALL.currencies.exact(back.act.amount, currency))


def test_what_six_digits_cannot_hold_is_not_said() -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, currency="BTC", act=Debit(amount=Decimal("0.00000001"))), CALL)
    assert refused.value.reason is Reason.UNSUPPORTED
    DIALECT.encode_request(replace(BET, currency="BTC", act=Debit(amount=Decimal("0.00000100"))), CALL)


@pytest.mark.parametrize("amount", ["1e400", "1e-7", "-0.01", "", " 1", "1,0", "0x1", "١", True, None, [], {}, 10**16])
def test_an_amount_that_is_none_is_refused(amount: object) -> None:
    with pytest.raises(Refused):
        read({**WIRE, "cashAmount": amount})


ODD: tuple[Any, ...] = (True, [], {}, [[]], {"a": None}, "", "x", "\u0000", 5, -1.5, 10**30, "9" * 5000, None)


@pytest.mark.parametrize("kind", ["DEPOSIT", "PROMODEPOSIT", "CANCEL", "PROMOCANCEL"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:8])
@pytest.mark.parametrize(
    "name", ["transactionDateTime", "isGameOver", "betCode", "promos", "jackpots", "tip", "roundTransactions", "x"]
)
def test_what_only_describes_never_refuses_a_credit_or_a_cancel(name: str, odd: object, kind: str) -> None:
    tx = read({**WIRE, "transactionType": kind, name: odd})
    assert tx.kind in (Kind.CREDIT, Kind.ROLLBACK)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:8])
def test_a_cancels_amounts_are_not_read(odd: object) -> None:
    tx = read({**WIRE, "transactionType": "CANCEL", "cashAmount": odd, "promoAmount": odd})
    assert tx.act == Rollback(reference="evolution:b-1")


# ---------------------------------------------------------------- keys


def test_any_live_key_verifies_and_only_behind_bearer() -> None:
    keys = (Key(id="old", parts={"api_key": "one"}), Key(id="new", parts={"api_key": "two"}))
    request = Request(method="GET", path="/players/session")
    for text, id in (("Bearer one", "old"), ("Bearer two", "new"), ("bearer   two ", "new")):
        assert DIALECT.auth.verify(request.put(("Authorization", text)), keys, wire.Settings(), NOW) == id
    for text in ("", "one", "Bearer", "Bearer ", "Basic one", "Bearer three", "Bearer one two"):
        with pytest.raises(Refused) as refused:
            DIALECT.auth.verify(request.put(("Authorization", text)), keys, wire.Settings(), NOW)
        assert refused.value.reason is Reason.BAD_SIGNATURE


def test_a_late_token_is_the_wallets_and_may_be_missing() -> None:
    parts = {part.name: (part.end, part.needed) for part in DIALECT.auth.parts(wire.Settings())}
    assert parts == {"api_key": ("", True), "late_token": ("wallet", False)}
    key = Key(id="k", parts={"api_key": "one"})
    signed = DIALECT.auth.sign(asked(BET).request or Request(method="", path=""), (key,), wire.Settings(), NOW)
    assert signed.header("Authorization") == "Bearer one"
    assert signed.header("X-Player-Token") == "s"


# ---------------------------------------------------------------- what it needs, and what it cannot say


@pytest.mark.parametrize(
    ("tx", "what"),
    [
        (replace(BET, session=""), "session"),
        (replace(BET, player=""), "player"),
        (replace(BET, currency=""), "currency"),
        (replace(CANCEL, act=Rollback(reference="b-1")), "amount"),
        (replace(CANCEL, act=Rollback(amount=Decimal(1))), "reference"),
        (replace(BET, act=CloseRound(), round=None), "round"),
        (replace(ASKED, act=Status(reference="")), "reference"),
        (replace(ASKED, session=""), "session"),
    ],
)
def test_what_it_misses(tx: Transaction, what: str) -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(tx, CALL)
    assert missing.value.field == what


ONE = Decimal(1)
UNSAYABLE: tuple[Act, ...] = (
    Settle(debit=ONE, credit=ONE), Batch(items=(BET,)), Rollback(reference="a", reference_kind=Kind.CREDIT, amount=ONE),
    Rollback(reference="a", reference_kind=Kind.ROLLBACK, amount=ONE), Debit(amount=ONE, tracking_only=True),
    Credit(amount=ONE, tracking_only=True), Reserve(amount=ONE), Capture(reference="a"), Release(reference="a"),
    Adjust(amount=-ONE), CloseSession(), Notice(), Status(reference="a", reference_kind=Kind.RESERVE),
    Status(reference="a", scope="round"), Status(reference="a", scope="bet"),
)  # fmt: skip


@pytest.mark.parametrize("act", UNSAYABLE, ids=lambda act: type(act).__name__)
def test_what_it_cannot_say(act: Act) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, act=act), CALL)
    assert not isinstance(refused.value, Missing)
    assert refused.value.reason is Reason.UNSUPPORTED


def test_a_cancel_that_has_its_bets_id_cannot_be_queried() -> None:
    call = replace(CALL, settings=wire.Settings(cancel_id="bet"))
    DIALECT.encode_request(ASKED, call)
    with pytest.raises(Refused):
        DIALECT.encode_request(replace(ASKED, act=Status(reference="x-1", reference_kind=Kind.ROLLBACK)), call)


@pytest.mark.parametrize("text", ["a\nb", "ü", " a", "a\r", "\x7f"])
def test_what_no_header_can_hold(text: str) -> None:
    """A session is money's and refused; the id of a request only describes."""
    with pytest.raises(Refused):
        DIALECT.encode_request(replace(BET, session=text), CALL)
    request = DIALECT.encode_request(replace(BET, request_id=text), CALL)
    assert request.header("X-Correlation-ID") == "n-1"


def test_one_clock_for_all_movements() -> None:
    """Not the provider's: a PAM takes the latest for the last one (card, trap 6)."""
    for tx in (BET, WIN, CANCEL):
        said = json.loads(DIALECT.encode_request(replace(tx, occurred_at=datetime(2020, 1, 1, tzinfo=UTC)), CALL).body)
        assert said["transactionDateTime"] == "2026-01-01T00:00:00Z"


def test_a_rounds_end_is_the_same_movement_each_time_and_nobody_elses() -> None:
    def end(player: str, round_id: str, provider: str = "acme") -> str:
        tx = replace(BET, act=CloseRound(), player=player, round=Round(round_id))
        said = json.loads(DIALECT.encode_request(tx, replace(CALL, provider=provider)).body)
        return str(said["providerTransactionId"])

    assert end("u", "r") == end("u", "r")
    assert len({end("u", "r"), end("u", "r1"), end("u1", "r"), end("u", "1:r"), end("u", "r", "other")}) == 5


@pytest.mark.parametrize("reason", [Reason.PLAYER_NOT_FOUND, Reason.INSUFFICIENT_FUNDS, Reason.BAD_SIGNATURE])
def test_a_refused_bet_is_in_no_list_of_transactions(reason: Reason) -> None:
    """*Why it was refused was told in answer to the question about it, which then counted as refused itself: the bet stayed in
    doubt until it was a person's, and the win behind it.*"""
    call = replace(CALL, name="GetTransactions")
    of_the_bet, of_the_question = (Declined(reason=reason, replayed=replayed) for replayed in (True, False))
    said = DIALECT.encode_response(of_the_bet, ASKED, call)
    assert json.loads(said.body)["error"]["code"] == wire.TRANS_NOT_FOUND
    assert DIALECT.decode_response(said, ASKED, call) == Declined(reason=Reason.TRANSACTION_NOT_FOUND)
    assert isinstance(
        DIALECT.decode_response(DIALECT.encode_response(of_the_question, ASKED, call), ASKED, call), Unknown
    )
