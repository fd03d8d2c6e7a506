"""Evolution: what one vector cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.evolution.dialect import DIALECT
from adapters.evolution.wire import CALLS, SAID, Settings
from gateway.auth import Key
from gateway.dialect import Call, NoCall
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
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
    Profile,
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
from gateway.play.mask import Mask
from gateway.vectors import CURRENCIES
from tests.engine.acts import bet, undo, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.engine.test_person import decide
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import PLAYER, Bench, a_provider

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(settings=Settings(), now=NOW, nonce="n-1", currencies=CURRENCIES)
NAMES = [wire.name for wire in CALLS]
ONE = Decimal(1)
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="b-1", player="u", session="s", currency="EUR", round=Round("r"), game=Game(id="g")
)  # fmt: skip
WIN = replace(BET, act=Credit(amount=Decimal("4.00"), reference="b-1"), id="w-1")
CANCEL = replace(BET, act=Rollback(reference="b-1", amount=Decimal("2.50")), id="c-1")
PROMO = replace(WIN, act=Credit(amount=Decimal("3.00"), type="promo"), id="p-1")
LOOK = replace(BET, act=Balance(), id="")
HELLO = replace(LOOK, act=Authenticate())
ALL: dict[str, Transaction] = {
    "check": HELLO, "balance": LOOK, "debit": BET, "credit": WIN, "cancel": CANCEL, "promo_payout": PROMO,
}  # fmt: skip
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def said(outcome: Outcome, name: str, **more: Any) -> dict[str, Any]:
    """The answer to a call that was understood."""
    call = replace(CALL, name=name, unknown=frozenset({"balance"}), **more)
    found: dict[str, Any] = json.loads(DIALECT.encode_response(outcome, ALL[name], call).body)
    return found


def written(tx: Transaction, call: Call = CALL) -> tuple[str, dict[str, Any]]:
    request = DIALECT.encode_request(tx, call)
    return request.path, json.loads(request.body)


def heard(status: str, name: str, *, http: int = 200, again: bool = False) -> Outcome:
    body = json.dumps({"status": status, "balance": 97.5, "bonus": 0, "uuid": "n-1", "sid": "s"}).encode()
    request = DIALECT.encode_request(ALL[name], CALL)
    call = replace(CALL, name=name, request=request, again=again)
    return DIALECT.decode_response(Response(status=http, body=body), ALL[name], call)


# ---------------------------------------------------------------- every word, both ways


def test_every_reason_is_said_as_the_card_says_it() -> None:
    """Of a debit and a read all declines are final; of what gives, what a page ends for good."""
    ended = {Reason.ALREADY_SETTLED, Reason.ROUND_CLOSED, Reason.ALREADY_ROLLED_BACK, Reason.DUPLICATE_MISMATCH}
    assert set(SAID) == set(Reason)
    for name in NAMES:
        for reason in Reason:
            wanted = SAID[reason]
            if name in ("credit", "cancel", "promo_payout") and reason is not Reason.BAD_SIGNATURE:
                wanted = "TEMPORARY_ERROR"
            if name in ("credit", "cancel") and reason in ended:
                wanted = "BET_ALREADY_SETTLED"
            if name in ("credit", "cancel") and reason is Reason.TRANSACTION_NOT_FOUND:
                wanted = "BET_DOES_NOT_EXIST"
            if name == "promo_payout" and reason is Reason.DUPLICATE_MISMATCH:
                wanted = "FINAL_ERROR_ACTION_FAILED"
            assert said(Declined(reason=reason), name)["status"] == wanted, (name, reason)
        assert said(Unknown(), name) == {"status": "TEMPORARY_ERROR", "retransmission": True}


def test_doubt_invites_to_ask_again_and_nothing_else_does() -> None:
    """And only where the settings let it."""
    quiet = Settings(retransmission=False)
    for name in NAMES:
        assert said(Unknown(), name, settings=quiet) == {"status": "TEMPORARY_ERROR"}
        for reason in Reason:
            answer = said(Declined(reason=reason), name)
            assert answer.get("retransmission", False) is (answer["status"] == "TEMPORARY_ERROR")
            assert "retransmission" not in said(Declined(reason=reason), name, settings=quiet)


NOES = {
    "INVALID_SID": Reason.SESSION_EXPIRED, "INVALID_TOKEN_ID": Reason.BAD_SIGNATURE,
    "INVALID_PARAMETER": Reason.INVALID_REQUEST, "BET_DOES_NOT_EXIST": Reason.TRANSACTION_NOT_FOUND,
    "INSUFFICIENT_FUNDS": Reason.INSUFFICIENT_FUNDS, "FINAL_ERROR_ACTION_FAILED": Reason.UNSUPPORTED,
    "ACCOUNT_LOCKED": Reason.PLAYER_BLOCKED, "BONUS_LIMIT_EXCEEDED": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_STAKE": Reason.LIMIT_EXCEEDED, "CASINO_LIMIT_EXCEEDED_LOSS": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_TURNOVER": Reason.LIMIT_EXCEEDED,
    "CASINO_LIMIT_EXCEEDED_SESSION_TIME": Reason.LIMIT_EXCEEDED, "GEOLOCATION_FAIL": Reason.PLAYER_BLOCKED,
    "FATAL_ERROR_CLOSE_USER_SESSION": Reason.SESSION_EXPIRED, "INSUFFICIENT_FUNDS_TIPS": Reason.INSUFFICIENT_FUNDS,
}  # fmt: skip
DOUBTS = ("TEMPORARY_ERROR", "OPERATION_IN_PROCESS", "UNKNOWN_ERROR", "BET_ALREADY_EXISTS", "ok", "")


def test_every_word_is_heard_as_one_thing() -> None:
    """Yes, a no with its reason, or doubt; whatever was asked, and the second time as the first."""
    for name in NAMES:
        for again in (False, True):
            assert isinstance(heard("OK", name, again=again), Accepted)
            for word, reason in NOES.items():
                no = heard(word, name, again=again)
                assert isinstance(no, Declined), (word, name)
                assert no.reason is reason, (word, name)
            for word in DOUBTS:
                assert isinstance(heard(word, name, again=again), Unknown), (word, name)


def test_what_it_says_for_doubt_is_heard_as_doubt() -> None:
    """Also where a decline is said in the same word, because it may pass."""
    for name, tx in ALL.items():
        request = DIALECT.encode_request(tx, CALL)
        call = replace(CALL, name=name, request=request, unknown=frozenset({"balance"}))
        for outcome in (Unknown(), *(Declined(reason=reason) for reason in Reason)):
            answer = DIALECT.encode_response(outcome, tx, call)
            if json.loads(answer.body)["status"] == "TEMPORARY_ERROR":
                assert isinstance(DIALECT.decode_response(answer, tx, call), Unknown), (name, outcome)


def test_that_the_wallet_has_it_already_is_a_yes_to_our_own_repeat_only() -> None:
    """To a first asking a debit's is doubt, a credit's and a cancel's a no; of another call it is doubt for ever."""
    for name in NAMES:
        for word, calls in (("BET_ALREADY_EXIST", ("debit",)), ("BET_ALREADY_SETTLED", ("credit", "cancel"))):
            mine = name in calls or (name == "promo_payout" and word == "BET_ALREADY_SETTLED")
            repeat, first = heard(word, name, again=True), heard(word, name)
            assert isinstance(repeat, Accepted if mine else Unknown), (word, name)
            settled = mine and name != "debit"
            assert isinstance(first, Declined if settled else Unknown), (word, name)
            if isinstance(first, Declined):
                assert first.reason is Reason.ALREADY_SETTLED
            if isinstance(repeat, Accepted):
                assert (repeat.replayed, repeat.balance) == (True, Decimal("97.50"))


@pytest.mark.parametrize("status", [202, 204, 301, 403, 404, 405, 429, 500, 502, 503])
def test_another_http_status_is_doubt(status: int) -> None:
    """Whatever word stands there: some wallets say TEMPORARY_ERROR with 500, and a proxy says anything."""
    for word in ("OK", "INSUFFICIENT_FUNDS", "TEMPORARY_ERROR"):
        assert isinstance(heard(word, "debit", http=status), Unknown)


def test_an_unreadable_call_is_400_and_a_declined_one_200() -> None:
    """Of a win, too: what nobody can read is no better the second time."""
    for name in NAMES:
        call = replace(CALL, name=name, request=Request(method="POST", path=f"/{name}", body=b'{"uuid":"q-1"}'))
        answer = DIALECT.encode_response(Declined(reason=Reason.INVALID_REQUEST), None, call)
        assert (answer.status, json.loads(answer.body)) == (400, {"status": "INVALID_PARAMETER", "uuid": "q-1"})
        answer = DIALECT.encode_response(Declined(reason=Reason.INVALID_REQUEST), ALL[name], call)
        assert answer.status == 200


# ---------------------------------------------------------------- the balance


def test_these_declines_ask_for_the_balance_and_go_without_where_nobody_knows_it() -> None:
    """The page's tests compare it with the last one told; a made-up one would be another."""
    asks = {"INSUFFICIENT_FUNDS", "BET_DOES_NOT_EXIST", "BET_ALREADY_SETTLED", "FINAL_ERROR_ACTION_FAILED"}
    for name in NAMES:
        for reason in Reason:
            status = said(Declined(reason=reason), name)["status"]
            call = replace(CALL, name=name)
            if status in asks and name != "check":
                with pytest.raises(Missing):
                    DIALECT.encode_response(Declined(reason=reason), ALL[name], call)
            else:
                assert DIALECT.encode_response(Declined(reason=reason), ALL[name], call).body
            assert "balance" not in said(Declined(reason=reason), name)


def test_whose_session_is_dead_is_shown_no_balance() -> None:
    """Nor who has the wrong key, nor who said it wrongly."""
    for reason in (Reason.SESSION_EXPIRED, Reason.PLAYER_NOT_FOUND, Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST):
        assert "balance" not in said(Declined(reason=reason, balance=ONE, currency="EUR"), "debit")


# ---------------------------------------------------------------- amounts


@EXAMPLES
@given(
    amount=st.decimals(min_value=0, max_value=Decimal("999999999999.99"), places=2),
    currency=st.sampled_from(["EUR", "KWD", "BTC"]),
)
def test_an_amount_is_written_and_read_exactly(amount: Decimal, currency: str) -> None:
    """With six decimals on the wire."""
    tx = replace(BET, act=Debit(amount=amount), currency=currency)
    request = DIALECT.encode_request(tx, CALL)
    text = request.body.decode().partition('"amount":')[2].partition("}")[0]
    assert len(text.partition(".")[2]) == 6
    read = DIALECT.decode_request(request, replace(CALL, name="debit"))
    assert read.act == Debit(amount=amount)


def test_a_seventh_decimal_cannot_be_said() -> None:
    """0.00000001 BTC is money that this wire has no form for."""
    for tx in (BET, WIN, PROMO, CANCEL):
        fine = replace(tx, act=replace(tx.act, amount=Decimal("1E-8")), currency="BTC")  # type: ignore[type-var]  # an act
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(fine, CALL)
        assert refused.value.reason is Reason.UNSUPPORTED


# ---------------------------------------------------------------- requests


def test_what_it_needs() -> None:
    """Each call says who plays, under which session; each movement in what currency."""
    for name, tx in ALL.items():
        for what in ("session", "player", *(("currency",) if name != "check" else ())):
            with pytest.raises(Missing) as missing:
                DIALECT.encode_request(replace(tx, **{what: ""}), CALL)
            assert missing.value.field == what, name
    for act, what in ((Rollback(), "reference"), (Rollback(reference="b"), "amount")):
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(replace(CANCEL, act=act), CALL)
        assert missing.value.field == what


CANNOT = (
    Settle(debit=ONE, credit=ONE), Adjust(amount=ONE), CloseRound(), CloseSession(), Reserve(amount=ONE),
    Capture(reference="h"), Notice(), Status(reference="b"), Debit(amount=ONE, free_round=True),
    Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True, reference="b"),
    Rollback(reference="w", reference_kind=Kind.CREDIT, amount=ONE),
    Rollback(reference="c", reference_kind=Kind.ROLLBACK, amount=ONE),
)  # fmt: skip


@pytest.mark.parametrize("act", CANNOT, ids=repr)
def test_what_it_cannot_say(act: Any) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, act=act), CALL)
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


def test_a_further_win_of_a_bet_is_a_promo_payout() -> None:
    """A second credit for its refId would be swallowed."""
    path, body = written(WIN)
    assert (path, body["transaction"]["refId"]) == ("/credit", "b-1")
    assert isinstance(WIN.act, Credit)
    path, body = written(replace(WIN, act=replace(WIN.act, further=True)))
    assert (path, body["promoTransaction"]["type"], body["promoTransaction"]["id"]) == (
        "/promo_payout",
        "PromoPayout",
        "w-1",
    )


def test_each_attempt_has_a_uuid_of_its_own() -> None:
    """An answer that names another one is no answer to it."""
    assert written(replace(BET, request_id="theirs"))[1]["uuid"] == "n-1"
    assert written(BET, replace(CALL, nonce="n-2"))[1]["uuid"] == "n-2"
    late = Response(body=b'{"status":"OK","balance":1,"bonus":0,"uuid":"n-1"}')
    second = replace(CALL, request=DIALECT.encode_request(BET, replace(CALL, nonce="n-2")))
    assert isinstance(DIALECT.decode_response(late, BET, second), Unknown)


ODD = (None, True, 0, 1.5, "", " ", "x" * 5000, "\u0000", [], {}, [[]], {"id": {}}, {"a": None}, "１")


def unforeseen(path: str) -> Iterator[bytes]:
    """The call with what only describes in every form."""
    head = {"sid": "s", "userId": "u", "currency": "EUR"}
    moved = {"id": "t", "refId": "b", "amount": 1.25}
    promo = {"type": "JackpotWin", "id": "b", "amount": 1.25, "voucherId": "v", "remainingRounds": 1}
    game = {"id": "g", "type": "x", "details": {"table": {"id": "t", "vid": None}}}
    inner = "promoTransaction" if path == "/promo_payout" else "transaction"
    money = promo if path == "/promo_payout" else moved
    whole: dict[str, Any] = {**head, "game": game, inner: money, "uuid": "q"}
    for odd in ODD:
        yield json.dumps(whole | {"uuid": odd}).encode()
        yield json.dumps(whole | {"game": odd}).encode()
        yield json.dumps(whole | {"somethingNew": odd}).encode()
        for name in game:
            yield json.dumps(whole | {"game": game | {name: odd}}).encode()
        yield json.dumps(whole | {"game": game | {"details": {"table": odd}}}).encode()
        yield json.dumps(whole | {"game": game | {"details": {"table": {"id": odd, "vid": odd}}}}).encode()
        for name in set(money) - {"refId", "amount"} - ({"id"} if money is promo else set()):
            yield json.dumps(whole | {inner: money | {name: odd}}).encode()


@pytest.mark.parametrize("path", ["/credit", "/cancel", "/promo_payout"])
def test_what_only_describes_never_refuses_a_win_or_a_cancel(path: str) -> None:
    """In whatever form it comes: the player's money is not in it."""
    for body in unforeseen(path):
        call = replace(CALL, name=path[1:])
        tx = DIALECT.decode_request(Request(method="POST", path=path, body=body), call)
        assert tx.id in ("b", "refund:b", "promo:b")
        assert all(isinstance(value, str) for value in tx.extra.values())


def test_only_post_and_only_these_paths() -> None:
    """With and without a trailing slash."""
    assert DIALECT.route(Request(method="POST", path="/debit/"), Settings()) == "debit"
    for path in ("/", "", "/sid", "/Debit", "/debit/x", "//debit"):
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(Request(method="POST", path=path), Settings())
        assert no_call.value.allow == ()
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/debit"), Settings())
    assert no_call.value.allow == ("POST",)


def test_two_keys_live_side_by_side_and_none_is_shown() -> None:
    """The key stands in the URL, the sid in the body: neither reaches a log."""
    keys = (Key(id="old", parts={"api_key": "k-old-1"}), Key(id="new", parts={"api_key": "k-new-2"}))
    for key in keys:
        request = DIALECT.auth.sign(DIALECT.encode_request(BET, CALL), (key,), Settings(), NOW)
        assert DIALECT.auth.verify(request, keys, Settings(), NOW) == key.id
        assert request.url == f"/debit?authToken={key.part('api_key')}"
        assert key.part("api_key") not in Mask(DIALECT).target(request)
    assert '"s"' not in Mask(DIALECT).body(DIALECT.encode_request(BET, CALL).body)
    assert not DIALECT.auth.weak(Settings())


def test_check_says_the_sid_that_the_settings_want() -> None:
    """A new one only where they say so, and never none."""
    who = {"keep": "s", "refresh": "s-2"}
    for mode, sid in who.items():
        call = replace(CALL, name="check", settings=Settings(check=mode))  # type: ignore[arg-type]  # its two words
        fresh = Accepted(profile=Profile(player="u", session="s-2"))
        assert json.loads(DIALECT.encode_response(fresh, HELLO, call).body)["sid"] == sid
        assert json.loads(DIALECT.encode_response(Accepted(), HELLO, call).body)["sid"] == "s"
        assert DIALECT.as_provider.renews(call.settings) is (mode == "refresh")


# ---------------------------------------------------------------- through the gateway, as the card's Semantics have it


class Studio:
    """Evolution's side in its own words, through the gateway to a native wallet."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def __call__(self, path: str, **fields: Any) -> dict[str, Any]:
        body = json.dumps({"sid": "es-1", "userId": PLAYER, "uuid": "q", **fields}).encode()
        request = Request(method="POST", path=f"/{path}", query="authToken=evo-test-key", body=body)
        found: dict[str, Any] = json.loads(self.bench.raw(request).body)
        self.bench.rest(0.01)
        assert found.pop("uuid") == "q"
        return found

    def move(self, path: str, bet: str, amount: float, own: str = "t", **more: Any) -> dict[str, Any]:
        game = {"id": "g-1", "type": "baccarat", "details": {"table": {"id": "tbl", "vid": None}}}
        moved = {"id": own, "refId": bet, "amount": amount}
        return self(path, currency="EUR", game=game, transaction=moved, **more)

    def promo(self, id: str, amount: float) -> dict[str, Any]:
        paid = {"type": "JackpotWin", "id": id, "amount": amount}
        return self("promo_payout", currency="EUR", game=None, promoTransaction=paid)


def word(status: str, balance: float) -> dict[str, Any]:
    return {"status": status, "balance": balance, "bonus": 0}


def ok(balance: float) -> dict[str, Any]:
    return word("OK", balance)


@pytest.fixture
def studio(bench_of: MakeBench) -> Studio:
    return Studio(bench_of("evolution", "native"))


@pytest.fixture
def bench_of(tmp_path: Any) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def test_a_bet_its_repeat_its_win_and_a_second_one(studio: Studio) -> None:
    """One movement each, however often and under whatever transaction.id it comes."""
    for own in ("t-1", "t-1", "t-7"):
        assert studio.move("debit", "b-1", 2.5, own) == ok(997.5)
    for own in ("t-2", "t-2", "t-9"):
        assert studio.move("credit", "b-1", 4.5, own) == ok(1002)
    assert studio.move("credit", "b-1", 1, "t-10") == word("BET_ALREADY_SETTLED", 1002)
    assert studio.move("cancel", "b-1", 2.5, "t-1") == word("BET_ALREADY_SETTLED", 1002)
    assert studio.bench.till.balance() == Decimal("1002.00")


def test_a_cancel_its_repeat_and_the_win_after_it(studio: Studio) -> None:
    """The cancel carries the debit's own transaction.id, and is no replay of it."""
    assert studio.move("debit", "b-1", 10, "t-1") == ok(990)
    assert studio.move("cancel", "b-1", 10, "t-1") == ok(1000)
    assert studio.move("cancel", "b-1", 10, "t-1") == ok(1000)
    assert studio.move("credit", "b-1", 25, "t-2") == word("BET_ALREADY_SETTLED", 1000)
    assert studio.bench.till.balance() == Decimal("1000.00")


def test_a_win_may_have_all_the_digits_of_its_currency() -> None:
    """Eight for a crypto currency, though the page writes six."""
    moved = {"id": "t", "refId": "b", "amount": "0.00000001"}
    body = {"sid": "s", "userId": "p", "currency": "BTC", "transaction": moved}
    request = Request(method="POST", path="/credit", query="authToken=k", body=json.dumps(body).encode())
    assert DIALECT.decode_request(request, replace(CALL, name="credit")).act == Credit(
        amount=Decimal("0.00000001"), reference="b"
    )


def test_a_last_known_balance_is_told_with_its_bonus(studio: Studio) -> None:
    """The balance of a decline equals the last one told, its bonus money, too: also where no wallet can be asked."""
    shown = Accepted(balance=Decimal("990.00"), bonus=Decimal("5.00"), currency="EUR")
    studio.bench.till.then(says(shown), says(shown))
    for call in ("debit", "credit"):
        studio.move(call, "b-1", 10)
    told = {"balance": 990, "bonus": 5}
    assert studio.move("cancel", "b-1", 10) == {"status": "BET_ALREADY_SETTLED"} | told
    studio.bench.till.always(lost_before, kind=Kind.BALANCE)
    assert studio.move("credit", "b-1", 25) == {"status": "BET_ALREADY_SETTLED"} | told


def test_a_cancel_that_says_another_amount_gives_back_all_of_it(studio: Studio) -> None:
    assert studio.move("debit", "b-1", 10, "t-1") == ok(990)
    assert studio.move("cancel", "b-1", 3, "t-1") == ok(1000)


def test_a_win_below_a_cent_is_kept_for_a_person(studio: Studio) -> None:
    """INVALID_PARAMETER is final for Evolution, and nothing would be journalled: a player's win would be gone."""
    assert studio.move("debit", "b-1", 10, "t-1") == ok(990)
    for _ in range(2):
        assert studio.move("credit", "b-1", 4.005, "t-2")["status"] == "TEMPORARY_ERROR"
    row = studio.bench.row(Kind.CREDIT, "b-1")
    assert (row.state, row.tx.act) == (State.PERSON, Credit(amount=Decimal("4.005"), reference="b-1"))
    assert studio.bench.till.asked(Kind.CREDIT) == 0
    assert studio.move("debit", "b-2", 2.505, "t-3") == {"status": "INVALID_PARAMETER"}  # nothing is lost


def test_a_cancel_before_its_bet(studio: Studio) -> None:
    """It is remembered: the late bet moves nothing."""
    assert studio.move("cancel", "b-9", 10, "t-1") == word("BET_DOES_NOT_EXIST", 1000)
    assert studio.move("debit", "b-9", 10, "t-1") == word("FINAL_ERROR_ACTION_FAILED", 1000)


def test_two_players_of_one_table_share_a_round(bench_of: MakeBench) -> None:
    """And nothing else: the other's bet is untouched, and so is what they may do with it."""
    bench = bench_of("evolution", "native", opening={PLAYER: Decimal(1000), "p-2": Decimal(500)})
    studio = Studio(bench)
    assert studio.move("debit", "b-1", 10) == ok(990)
    assert studio.move("debit", "b-2", 10, userId="p-2", sid="es-2") == ok(490)
    assert studio.move("credit", "b-1", 20) == ok(1010)
    assert studio.move("cancel", "b-2", 10, userId="p-2", sid="es-2") == ok(500)


def test_bets_of_one_round_are_settled_and_cancelled_in_any_mix(studio: Studio) -> None:
    """One credit may pay for all of them; the others stay bets."""
    for number in range(4):
        studio.move("debit", f"b-{number}", 10)
    assert studio.move("credit", "b-0", 50) == ok(1010)
    assert studio.move("cancel", "b-1", 10) == ok(1020)
    assert studio.move("credit", "b-2", 0) == ok(1020)
    assert studio.move("cancel", "b-3", 10) == ok(1030)


def test_a_promo_payout_twice(studio: Studio) -> None:
    """OK both times, one movement; its id may be a bet's."""
    assert studio.move("debit", "b-1", 10) == ok(990)
    assert studio.promo("b-1", 5) == ok(995)
    assert studio.promo("b-1", 5) == ok(995)
    assert studio.promo("b-1", 6) == word("FINAL_ERROR_ACTION_FAILED", 995)
    assert studio.move("credit", "b-1", 20) == ok(1015)
    assert studio.bench.till.balance() == Decimal("1015.00")


def test_too_high_a_stake_shows_the_balance_and_an_unknown_player_none(studio: Studio) -> None:
    assert studio.move("debit", "b-1", 5000) == word("INSUFFICIENT_FUNDS", 1000)
    assert studio.move("debit", "b-2", 1, userId="nobody") == {"status": "INVALID_SID"}
    assert studio("balance", currency="EUR", game=None, userId="nobody") == {"status": "INVALID_SID"}


def test_doubt_and_what_comes_after_it(studio: Studio) -> None:
    """TEMPORARY_ERROR for the bet; its cancel is doubt, too, until the stake is given back."""
    till = studio.bench.till
    till.always(lost_after)
    doubt = {"status": "TEMPORARY_ERROR", "retransmission": True}
    assert studio.move("debit", "b-1", 10) == doubt
    assert studio.move("cancel", "b-1", 10) == doubt
    till.heal()
    studio.bench.settlement(3600, 30)
    assert studio.move("debit", "b-1", 10)["status"] == "FINAL_ERROR_ACTION_FAILED"
    assert till.balance() == Decimal("1000.00")
    assert not studio.bench.unresolved()


def test_a_check_that_gives_a_new_sid_ends_the_old_one(bench_of: MakeBench) -> None:
    """As the page's own tests ask for it."""
    provider = a_provider("evolution", settings={"check": "refresh"})
    studio = Studio(bench_of(provider, "native"))
    assert studio.move("debit", "b-1", 10) == ok(990)
    sid = studio("check", channel={"type": "P"})["sid"]
    assert sid != "es-1"
    assert studio("balance", currency="EUR", game=None) == {"status": "INVALID_SID"}
    assert studio.move("debit", "b-2", 10) == {"status": "INVALID_SID"}
    assert studio.move("credit", "b-2", 10) == word("BET_DOES_NOT_EXIST", 990)
    assert studio.move("credit", "b-1", 20) == ok(1010)
    assert studio.move("debit", "b-3", 10, sid=sid) == ok(1000)


def test_a_check_keeps_its_sid(studio: Studio) -> None:
    assert studio("check", channel={"type": "M"}) == {"status": "OK", "sid": "es-1"}
    assert studio.move("debit", "b-1", 10) == ok(990)


@pytest.mark.parametrize("provider", ["native", "kyren", "scorpio_play", "evolution"])
def test_bets_wins_and_cancels_at_an_evolution_wallet(bench_of: MakeBench, provider: str) -> None:
    """Under ids of its own, so that a win and its bet never meet in one."""
    bench = bench_of(provider, "evolution")
    one, two = bet("b-1"), bet("b-2", round_id="2")
    yes(bench.call(one))
    yes(bench.call(one))
    won = win("b-1" if provider == "evolution" else "w-1", "25.00", of="b-1")
    yes(bench.call(won))
    yes(bench.call(won))
    yes(bench.call(two))
    yes(bench.call(bench.undo(two, "refund:b-2")))
    assert bench.till.balance() == Decimal("1015.00")
    assert not bench.unresolved()


def test_a_second_win_of_a_bet_says_so_where_its_wallet_pays_one_for_each(bench_of: MakeBench) -> None:
    """As the first one's repeat it would be swallowed."""
    bench = bench_of("native", "evolution")
    yes(bench.call(bet("t1")))
    for number, amount in (("w1", "25.00"), ("w2", "5.00"), ("w2", "5.00")):
        yes(bench.call(win(number, amount, of="t1")))
    assert [entry.reference for entry in bench.till.purse.book] == ["", "acme:debit:t1", ""]
    assert bench.till.balance() == Decimal("1020.00")


def test_a_second_win_is_told_in_the_same_words_for_ever(bench_of: MakeBench) -> None:
    """In others it would be another movement: though a person declines the first one while the second is in doubt."""
    bench = bench_of("native", "evolution")
    yes(bench.call(bet("t1")))
    bench.till.always(lost_before, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1", "25.00", of="t1")), Unknown)
    bench.till.always(lost_after, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w2", "5.00", of="t1")), Unknown)
    decide(bench, bench.row(Kind.CREDIT, "w1").key, accepted=False, force=True)
    bench.till.heal()
    bench.settlement(3600)
    assert bench.row(Kind.CREDIT, "w2").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("995.00")


def test_a_licensees_wallet_ends_each_bet_once(bench_of: MakeBench) -> None:
    """Our simulated one, too. What it says of a win is no end of it for a provider whose page has no word for that; of a bet
    that it gave back it is not asked. *It was asked again, and the same word was then taken for a yes: a win that nobody had
    paid.*"""
    bench = bench_of("native", "evolution")
    yes(bench.call(bet("b-1")))
    yes(bench.call(win("w-1", "25.00", of="b-1")))
    settled = bench.call(undo("c-1", "b-1"))
    assert isinstance(settled, Declined)
    assert settled.reason is Reason.ALREADY_SETTLED
    yes(bench.call(bet("b-2", round_id="2")))
    yes(bench.call(undo("c-2", "b-2", round_id="2")))
    for number, of, state in (("w-2", "b-2", State.PERSON), ("w-3", "b-3", State.OWED)):
        assert isinstance(bench.call(win(number, of=of)), Unknown)
        bench.settlement(600, 10)
        assert isinstance(bench.call(win(number, of=of)), Unknown)
        assert bench.row(Kind.CREDIT, number).state is state
    assert bench.till.balance() == Decimal("1015.00")


def test_a_cancel_that_was_refused_for_a_moment_is_told_that_the_bet_was_won(bench_of: MakeBench) -> None:
    """By whom, nobody here knows. Its second asking is no repeat of what moved something: "settled" is that win's word then,
    not the cancel's."""
    bench = bench_of("native", "evolution")
    yes(bench.call(bet("b-1")))
    settled = Declined(reason=Reason.ALREADY_SETTLED, balance=Decimal("990.00"), currency="EUR")
    bench.till.then(says(Declined(reason=Reason.BAD_SIGNATURE)), says(settled), kind=Kind.ROLLBACK)
    heard = bench.call(undo("c-1", "b-1"))
    assert isinstance(heard, Declined)
    assert heard.reason is Reason.ALREADY_SETTLED
    assert bench.till.asked(Kind.ROLLBACK) == 2
