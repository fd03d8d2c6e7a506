"""NeverEnding: what one vector cannot show."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.neverending.dialect import DIALECT
from adapters.neverending.wire import IDS, STATUSES, Settings, bearer, both_names, parted
from gateway.auth import Key
from gateway.codec.fields import read_json
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Check,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Reserve,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)
from gateway.play.mask import Mask
from gateway.vectors import CURRENCIES, DEFAULT_NOW
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after, says
from tests.simulation.bench import PLAYER, Bench, a_provider

ONE, TWO = "7d0b5a86-3d7e-4d5b-9a58-0a2f53b1c001", "7d0b5a86-3d7e-4d5b-9a58-0a2f53b1c002"
CALL = Call(settings=Settings(), now=DEFAULT_NOW, currency="EUR", currencies=CURRENCIES)
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="b-1", player="p", session=both_names(ONE, "bt-1"), currency="EUR",
    round=Round("r-1"), game=Game(id="g"),
)  # fmt: skip
WIN = replace(BET, act=Credit(amount=Decimal("4.75")), id="w-1")
UNDO = replace(BET, act=Rollback(reference="b-1"), id="u-1")
NAMES = [wire.name for wire in DIALECT.calls]


def said(tx: Transaction, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DIALECT.encode_request(tx, replace(CALL, **more)).body)
    return found


def answered(outcome: Outcome, name: str, body: bytes = b"{}") -> tuple[int, str]:
    """HTTP status and code."""
    request = Request(method="POST", path=f"/{name}", body=body)
    response = DIALECT.encode_response(outcome, None, replace(CALL, name=name, request=request))
    return response.status, json.loads(response.body)["error"]["code"]


def heard(status: int, code: str, tx: Transaction) -> Outcome:
    body = json.dumps({"error": {"message": "x", "code": code}}).encode()
    return DIALECT.decode_response(Response(status=status, body=body), tx, CALL)


# ---------------------------------------------------------------- words

TABLE = {
    Reason.NOT_AUTHENTICATED: (401, "PLAYER_UNAUTHORIZED"),
    Reason.BAD_SIGNATURE: (401, "SERVER_UNAUTHORIZED"),
    Reason.SESSION_EXPIRED: (403, "SESSION_EXPIRED"),
    Reason.LIMIT_EXCEEDED: (403, "LOSS_LIMIT"),
    Reason.INSUFFICIENT_FUNDS: (402, "INSUFFICIENT_FUNDS"),
    Reason.TRANSACTION_NOT_FOUND: (404, "TRANSACTION_NOT_FOUND"),
}
FAILED = (400, "TRANSACTION_FAILED")
DOUBTS = ("CANCEL_REQUIRED", "INTERNAL_ERROR")


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_and_doubt_have_words(name: str) -> None:
    for reason in Reason:
        assert answered(Declined(reason=reason), name) == TABLE.get(reason, FAILED)
    assert answered(Unknown(), name) == (500, "INTERNAL_ERROR")


def test_every_code_of_the_card_is_heard_as_one_thing() -> None:
    """Under each status that is ours, because the page names none; what is said for doubt is doubt."""
    no = {code: reason for reason, (_, code) in TABLE.items()} | {"TRANSACTION_FAILED": Reason.INVALID_REQUEST}
    assert set(STATUSES) == set(no) | set(DOUBTS)
    for tx in (BET, WIN, UNDO, replace(BET, act=Balance()), replace(BET, act=Authenticate(launch_token="k"))):
        for status in (200, 400, 401, 402, 403, 404):
            for code, reason in no.items():
                assert heard(status, code, tx) == Declined(reason=reason, message="x")
            for code in DOUBTS:
                assert isinstance(heard(status, code, tx), Unknown)
        for code in STATUSES:
            assert isinstance(heard(500, code, tx), Unknown)


def test_doubt_of_a_list_asks_for_a_cancel_only_where_it_holds_a_bet() -> None:
    """Also of a list that nobody has read, and whatever else stands there."""
    for moves, code in (
        ([{"type": "bet"}], "CANCEL_REQUIRED"), ([{"type": "win"}, 7, {"type": "bet"}], "CANCEL_REQUIRED"),
        ([{"type": "win"}], "INTERNAL_ERROR"), ([], "INTERNAL_ERROR"), ("bet", "INTERNAL_ERROR"), (None, "INTERNAL_ERROR"),
    ):  # fmt: skip
        body = json.dumps({"transactions": moves}).encode()
        assert answered(Unknown(), "transaction", body) == (500, code)
        assert answered(Unknown(), "cancel", body) == (500, "INTERNAL_ERROR")
    for body in (b"", b"[]", b"\xff", b'{"transactions":[{"type":"bet"}'):
        assert answered(Unknown(), "transaction", body) == (500, "INTERNAL_ERROR")


def test_a_yes_needs_its_balance_and_who_plays() -> None:
    for name in NAMES:
        with pytest.raises(Missing) as missing:
            DIALECT.encode_response(Accepted(), BET, replace(CALL, name=name))
        assert missing.value.field == "balance"
    nobody = Transaction(act=Authenticate(launch_token="k"), session=ONE)
    call = replace(CALL, name="authenticate", currency="")
    for who, what in ((None, "player"), (Profile(player="p"), "currency")):
        with pytest.raises(Missing) as missing:
            DIALECT.encode_response(Accepted(balance=Decimal(1), profile=who), nobody, call)
        assert missing.value.field == what


# ---------------------------------------------------------------- signature

OLD, NEW = Key(id="old", parts={"secret": "ne-old"}), Key(id="new", parts={"secret": "ne-new"})


def proved(body: bytes, signed: bytes, key: Key) -> str:
    proof = hmac.new(key.part("secret").encode(), signed, hashlib.sha256).hexdigest()
    request = Request(method="POST", path="/balance", headers={"x-server-authorization": proof}, body=body)
    return DIALECT.auth.verify(request, (OLD, NEW), Settings(), DEFAULT_NOW)


def test_two_keys_live_side_by_side_and_none_is_weak() -> None:
    for key in (OLD, NEW):
        assert proved(b"{}", b"{}", key) == key.id
        assert proved(b'{ "a": "b  c" }', b'{"a":"b  c"}', key) == key.id
    assert not DIALECT.auth.weak(Settings())
    with pytest.raises(Refused) as refused:
        proved(b'{"a":"b  c"}', b'{"a":"bc"}', NEW)
    assert refused.value.reason is Reason.BAD_SIGNATURE


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())), st.sampled_from([None, 1, "\t"]))
def test_a_body_is_believed_in_any_layout_and_its_texts_are_not_touched(fields: Any, indent: Any) -> None:
    """Signed compact, sent with blanks between its tokens."""
    compact = json.dumps(fields, separators=(",", ":")).encode()
    assert proved(json.dumps(fields, indent=indent).encode(), compact, NEW) == "new"


# ---------------------------------------------------------------- a session and its two names


@given(st.text(min_size=1), st.text(min_size=1, max_size=60))
def test_a_session_keeps_both_of_its_names(session: str, token: str) -> None:
    """Whatever another provider calls its session, the wallet hears one UUID for it, always the same."""
    session_id, shown = parted(session)
    assert UUID(session_id)
    assert IDS.holds(session_id)
    assert shown == session or session == both_names(session_id, shown)
    assert parted(both_names(session_id, token)) == (session_id, token)


def test_the_wallets_token_is_shown_from_then_on() -> None:
    """What `authenticate` taught is one session to whoever keeps it."""
    hello = Transaction(act=Authenticate(launch_token="lk-1"), session="ks-1", game=Game(id="g"))
    request = DIALECT.encode_request(hello, CALL)
    body = b'{"playerId":"p","token":"bt-1","balance":1,"currency":"eur","brandId":"b"}'
    learnt = DIALECT.decode_response(Response(body=body), hello, replace(CALL, request=request))
    assert isinstance(learnt, Accepted)
    assert learnt.profile is not None
    assert "authorization" not in request.headers
    payout = replace(BET, act=Credit(amount=Decimal(1), type="promo"))
    for tx in (BET, WIN, UNDO, replace(BET, act=Balance(), id=""), payout):
        told = DIALECT.encode_request(replace(tx, session=learnt.profile.session), CALL)
        assert told.headers["authorization"] == "Bearer bt-1"
        assert json.loads(told.body)["sessionId"] == json.loads(request.body)["sessionId"]


def test_a_token_is_read_as_it_was_written() -> None:
    """A header's bytes are UTF-8, and come as Latin-1; what no header can hold is not written at all."""
    for token in ("bt-1", "bt-é", "bt-ї", "a b"):
        for text in (token, token.encode().decode("latin-1")):
            request = Request(method="POST", path="/balance", headers={"authorization": f"bearer  {text} "})
            assert bearer(request) == token
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, session="a\r\nb: c"), CALL)
    assert refused.value.reason is Reason.UNSUPPORTED


def test_neither_key_nor_token_is_shown() -> None:
    mask, signed = Mask(DIALECT), DIALECT.auth.sign(DIALECT.encode_request(BET, CALL), (NEW,), Settings(), DEFAULT_NOW)
    shown = f"{mask.headers(signed.headers)} {mask.body(signed.body)}"
    hello = DIALECT.encode_request(Transaction(act=Authenticate(launch_token="lk-1"), session=ONE), CALL)
    assert not [text for text in ("bt-1", ONE, signed.headers["x-server-authorization"]) if text in shown]
    assert "lk-1" not in mask.body(hello.body)


# ---------------------------------------------------------------- what it says, and what it cannot


def test_only_post_and_only_these_paths() -> None:
    assert [DIALECT.route(Request(method="POST", path=f"/{name}/"), Settings()) for name in NAMES] == NAMES
    for path in ("/", "", "/Balance", "/balance/x", "//balance", "/transactions"):
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(Request(method="POST", path=path), Settings())
        assert no_call.value.allow == ()
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/balance"), Settings())
    assert no_call.value.allow == ("POST",)


FREE = replace(BET, act=Debit(amount=Decimal(1), free_round=True))
UNSAID: tuple[Act, ...] = (
    Debit(amount=Decimal(1), tracking_only=True), Credit(amount=Decimal(1), tracking_only=True),
    Credit(amount=Decimal(1), type="promo", tracking_only=True), Settle(debit=Decimal(1), credit=Decimal(1)),
    Rollback(reference="b-1", amount=Decimal(1)), Rollback(reference="w-1", reference_kind=Kind.CREDIT),
    Adjust(amount=Decimal(1)), Check(), CloseRound(), Reserve(amount=Decimal(1)), FREE.act,
    Batch(items=(BET, WIN)), Batch(items=(UNDO,), atomic=True),
    Batch(items=(BET, replace(WIN, round=Round("r-2"))), atomic=True),
    Batch(items=(BET, replace(WIN, player="q")), atomic=True), Batch(items=(BET, replace(WIN, game=Game(id="h"))), atomic=True),
    Batch(items=(BET, replace(FREE, free_round_id="c")), atomic=True),
    Batch(items=(replace(WIN, act=Credit(amount=Decimal(1), type="promo")),), atomic=True),
)  # fmt: skip


@pytest.mark.parametrize("act", UNSAID, ids=lambda act: type(act).__name__)
def test_what_it_has_no_words_for(act: Act) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, act=act), CALL)
    assert refused.value.reason is Reason.UNSUPPORTED
    assert not isinstance(refused.value, Missing)


def test_what_it_needs() -> None:
    blank = {"player": "", "session": "", "round": None, "game": None, "id": ""}
    needs = [
        (BET, {"player", "session", "game", "id"}),
        (WIN, {"player", "session", "id"}),
        (UNDO, {"player", "session"}),
        (replace(BET, act=Balance(), id=""), {"player", "session"}),
        (replace(BET, act=Credit(amount=Decimal(1), type="promo")), {"session", "id"}),
    ]
    for tx, wanted in needs:
        found = set()
        for name, value in blank.items():
            try:
                DIALECT.encode_request(replace(tx, **{name: value}), CALL)
            except Missing as missing:
                found.add(missing.field)
        assert found == wanted, tx
    with pytest.raises(Missing) as nobody:
        DIALECT.encode_request(Transaction(act=Authenticate()), CALL)
    assert nobody.value.field == "session"
    with pytest.raises(Missing) as unnamed:
        DIALECT.encode_request(replace(UNDO, act=Rollback()), CALL)
    assert unnamed.value.field == "reference"


def test_no_amount_is_told_in_another_currency_than_its_wallets() -> None:
    """No call names one: it would be taken for the player's."""
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, currency="USD"), CALL)
    assert refused.value.reason is Reason.UNSUPPORTED
    assert said(replace(BET, currency="USD"), currency="")["transactions"][0]["amount"] == 2.5
    with pytest.raises(Missing):
        DIALECT.encode_request(replace(BET, currency=""), replace(CALL, currency=""))


def test_a_free_bet_is_not_told_where_its_wallet_takes_cash_for_it() -> None:
    free = replace(FREE, free_round_id="c-1")
    for extra in ({}, {"campaign.type": "missions"}):  # whatever else was said of it, it takes none
        assert said(replace(free, extra=extra))["campaign"] == {"id": "c-1", "type": "freeBets"}
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(free, replace(CALL, settings=Settings(free_bet_debit=True)))
    assert refused.value.reason is Reason.UNSUPPORTED


@given(st.decimals(min_value=0, max_value=10**12, places=2))
def test_an_amount_survives_the_wire(amount: Decimal) -> None:
    """As a number without an exponent, to the last digit."""
    request = DIALECT.encode_request(replace(BET, act=Debit(amount=amount)), CALL)
    told = DIALECT.decode_request(request, replace(CALL, name="transaction", request=request))
    assert told.act == Debit(amount=amount)
    text = read_json(request.body)["transactions"][0]["amount"]
    assert set(str(text)) <= set("0123456789.")


# ---------------------------------------------------------------- through the gateway


def uuid(number: int) -> str:
    return f"b1f3a1d0-0d0a-4a50-8f0e-{number:012d}"


class Games:
    """NeverEnding's side in its own words, through the gateway to a native wallet."""

    def __init__(self, bench: Bench, token: str = "bt-1") -> None:
        self.bench, self.token = bench, token
        who = Profile(player=PLAYER, session=token)
        yes = Accepted(balance=Decimal(1000), currency="EUR", profile=who)
        bench.till.always(says(yes), kind=Kind.AUTHENTICATE)
        hello = {"sessionId": ONE, "walletId": "w", "operatorId": "brand-1", "game": "owl", "key": "lk-1"}
        assert self.raw("authenticate", hello, token="") == (
            200, {"playerId": PLAYER, "token": token, "balance": 1000, "currency": "eur", "brandId": "brand-1"},
        )  # fmt: skip

    def raw(self, path: str, fields: Any, *, token: str, secret: str = "ne-test-secret") -> tuple[int, Any]:
        body = json.dumps(fields).encode()
        headers = {"x-server-authorization": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        response = self.bench.raw(Request(method="POST", path=f"/{path}", headers=headers, body=body))
        self.bench.rest(0.01)
        return response.status, json.loads(response.body)

    def __call__(self, path: str, **fields: Any) -> Any:
        """The balance, or the code."""
        token = fields.pop("token", self.token)
        status, found = self.raw(path, {"sessionId": ONE, "playerId": PLAYER, "game": "owl", **fields}, token=token)
        if "error" in found:
            assert STATUSES[found["error"]["code"]] == status
            return found["error"]["code"]
        return found["balance"]

    def play(self, *moves: tuple[str, int, float], round: int = 1, finished: bool = False, **more: Any) -> Any:
        listed = [{"id": uuid(number), "type": word, "amount": amount} for word, number, amount in moves]
        return self("transaction", transactions=listed, round={"id": uuid(900 + round), "finished": finished}, **more)

    def cancel(self, number: int, round: int = 1, **more: Any) -> Any:
        return self("cancel", transactionId=uuid(number), roundId=uuid(900 + round), **more)

    def payout(self, number: int, amount: float, **more: Any) -> Any:
        campaign = {"id": uuid(1), "type": "tournament"}
        fields = {"sessionId": ONE, "payoutId": uuid(number), "amount": amount, "campaign": campaign}
        status, found = self.raw("payout", fields | more, token="long-over")
        return found.get("balance") if status == 200 else found["error"]["code"]


@pytest.fixture
def bench_of(tmp_path: Any) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


@pytest.fixture
def games(bench_of: MakeBench) -> Games:
    return Games(bench_of(replace(a_provider("neverending"), currency=""), "native"))


def test_a_bet_its_win_and_their_repeats(games: Games) -> None:
    """Whichever way the repeats are grouped: each id moves once, and the current balance is told."""
    assert games("balance") == 1000
    assert games.play(("bet", 1, 2.5)) == 997.5
    assert games.play(("bet", 1, 2.5), ("win", 2, 4.75), finished=True) == 1002.25
    for moves in ([("win", 2, 4.75)], [("bet", 1, 2.5)], [("win", 2, 4.75), ("bet", 1, 2.5)]):
        assert games.play(*moves) == 1002.25
    assert games.bench.till.balance() == Decimal("1002.25")


def test_the_last_movement_of_a_list_ends_its_round_and_its_bet_does_not(games: Games) -> None:
    assert games.play(("bet", 1, 2.5), ("win", 2, 4.75), finished=True) == 1002.25
    rounds = {tx.kind: tx.round for tx in games.bench.till.sent if tx.round is not None}
    assert rounds == {Kind.DEBIT: Round(uuid(901)), Kind.CREDIT: Round(uuid(901), True)}


def test_a_finished_round_takes_no_bet_and_pays_its_wins(games: Games) -> None:
    assert games.play(("bet", 1, 10), finished=True) == 990
    assert games.play(("bet", 1, 10), finished=True) == 990
    assert games.play(("bet", 2, 10)) == "TRANSACTION_FAILED"
    assert games.play(("bet", 3, 10), ("win", 4, 50)) == "TRANSACTION_FAILED"
    assert games.play(("win", 5, 4)) == 994
    assert games.play(("bet", 6, 10), round=2) == 984


def test_a_list_is_all_or_nothing(games: Games) -> None:
    """A bet must be covered before the wins beside it; what a list had taken before one was refused is given back."""
    assert games.play(("bet", 1, 1000.01), ("win", 2, 5000)) == "INSUFFICIENT_FUNDS"
    assert games.play(("bet", 3, 600), ("bet", 4, 600), ("win", 5, 5000)) == "INSUFFICIENT_FUNDS"
    assert games("balance") == 1000
    assert games.play(("win", 5, 1), round=2) == 1001  # its id was used for nothing
    assert games.bench.till.balance() == Decimal("1001.00")


@pytest.mark.parametrize(
    "other", [{"moves": ("bet", 1, 3)}, {"moves": ("win", 1, 2.5)}, {"moves": ("bet", 1, 2.5), "round": 2}]
)
def test_one_id_with_another_amount_type_or_round_fails(games: Games, other: dict[str, Any]) -> None:
    """And takes what is beside it with it."""
    assert games.play(("bet", 1, 2.5)) == 997.5
    moves = other.pop("moves")
    assert games.play(moves, **other) == "TRANSACTION_FAILED"
    assert games.play(moves, ("win", 9, 1), **other) == "TRANSACTION_FAILED"
    assert games.bench.till.balance() == Decimal("997.50")


def test_a_cancel_its_repeat_and_the_late_bet(games: Games) -> None:
    assert games.play(("bet", 1, 10)) == 990
    assert games.cancel(1) == 1000
    assert games.cancel(1) == 1000
    assert games.cancel(1, token="any", sessionId=TWO, originalSessionId=ONE) == 1000
    assert games.cancel(7) == "TRANSACTION_NOT_FOUND"
    assert games.play(("bet", 7, 10)) == "TRANSACTION_FAILED"
    assert games.bench.till.balance() == Decimal("1000.00")


def test_what_may_not_be_cancelled(games: Games) -> None:
    """A bet whose round has a win, of its list or of another call; and a win. No wallet is asked."""
    assert games.play(("bet", 1, 10), ("win", 2, 4)) == 994
    assert games.cancel(1) == "TRANSACTION_FAILED"
    assert games.cancel(2) == "TRANSACTION_FAILED"
    assert games.play(("bet", 3, 10), ("bet", 4, 10), round=2) == 974
    assert games.cancel(3, round=2) == 984
    assert games.play(("win", 5, 1), round=2) == 985
    assert games.cancel(4, round=2) == "TRANSACTION_FAILED"
    assert games.payout(6, 1) == 986
    assert games.cancel(6) == "TRANSACTION_FAILED"
    assert games.bench.till.asked(Kind.ROLLBACK) == 1
    assert games.bench.till.balance() == Decimal("986.00")


def test_a_payout_names_its_player_by_its_session(games: Games) -> None:
    """Twice under one id it is one; its id may be no bet's."""
    assert games.payout(1, 5) == 1005
    assert games.payout(1, 5) == 1005
    assert games.payout(1, 6) == "TRANSACTION_FAILED"
    assert games.play(("bet", 1, 5)) == "TRANSACTION_FAILED"
    paid = games.bench.till.last(Kind.CREDIT)
    assert (paid.player, paid.currency, paid.free_round_id, paid.round) == (PLAYER, "EUR", uuid(1), None)
    assert games.bench.till.balance() == Decimal("1005.00")


def test_both_proofs_must_be_right(games: Games) -> None:
    """The HMAC of every call, the token of what takes or reads."""
    moves = [{"id": uuid(1), "type": "bet", "amount": 1}]
    calls: tuple[dict[str, Any], ...] = ({"transactions": moves, "round": {"id": uuid(2), "finished": False}}, {})
    for fields in calls:
        name = "transaction" if fields else "balance"
        who = {"sessionId": ONE, "playerId": PLAYER, "game": "owl"}
        for token, secret, code in (
            ("bt-2", "ne-test-secret", "PLAYER_UNAUTHORIZED"), ("", "ne-test-secret", "PLAYER_UNAUTHORIZED"),
            ("bt-1", "other", "SERVER_UNAUTHORIZED"), ("bt-2", "other", "SERVER_UNAUTHORIZED"),
        ):  # fmt: skip
            status, found = games.raw(name, who | fields, token=token, secret=secret)
            assert (status, found["error"]["code"]) == (401, code)
    assert games.play(("bet", 1, 1), ("win", 2, 9), token="bt-2") == "PLAYER_UNAUTHORIZED"
    assert games.play(("bet", 1, 1), playerId="p-2") == "PLAYER_UNAUTHORIZED"
    assert games.bench.till.asked() == 0
    assert games.play(("win", 2, 9), token="bt-2") == 1009


def test_a_free_bet_takes_no_cash_and_its_win_is_paid(games: Games) -> None:
    campaign = {"id": uuid(50), "type": "freeBets"}
    assert games.play(("bet", 1, 10), campaign=campaign) == 1000
    assert games.play(("bet", 2, 10), ("win", 3, 4), round=2, campaign=campaign) == 1004
    told = [tx for tx in games.bench.till.sent if isinstance(tx.act, Debit | Credit)]
    assert all(tx.act.free_round and tx.free_round_id == uuid(50) for tx in told)  # type: ignore[union-attr]  # see above
    assert games.cancel(1) == 1004
    assert games.bench.till.balance() == Decimal("1004.00")


def test_a_free_bet_takes_cash_where_the_operator_says_so(bench_of: MakeBench) -> None:
    provider = replace(a_provider("neverending"), currency="", settings=Settings(free_bet_debit=True))
    games = Games(bench_of(provider, "native"))
    assert games.play(("bet", 1, 10), campaign={"id": uuid(50), "type": "freeBets"}) == 990


def test_an_amount_that_its_currency_does_not_have(games: Games) -> None:
    assert games.play(("bet", 1, 2.505)) == "TRANSACTION_FAILED"
    assert games.play(("bet", 2, 0.30000000000000004)) == 999.7
    assert games.bench.till.balance() == Decimal("999.70")


def test_doubt_asks_for_a_cancel_which_gives_the_bet_back(games: Games) -> None:
    """Of a win it asks for the same call again."""
    games.bench.till.always(lost_after, kind=Kind.DEBIT)
    assert games.play(("bet", 1, 10)) == "CANCEL_REQUIRED"
    games.bench.till.heal()
    assert games.cancel(1) in (1000, "INTERNAL_ERROR")
    games.bench.settlement(300, 5)
    assert games.cancel(1) == 1000
    games.bench.till.always(lost_after, kind=Kind.CREDIT)
    assert games.play(("win", 2, 4), round=2) == "INTERNAL_ERROR"
    games.bench.till.heal()
    assert games.play(("win", 2, 4), round=2) == 1004
    assert games.bench.till.balance() == Decimal("1004.00")


def test_a_list_in_doubt_with_a_win_is_completed_and_its_cancel_refused(games: Games) -> None:
    games.bench.till.always(lost_after, kind=Kind.DEBIT)
    assert games.play(("bet", 1, 10), ("win", 2, 4)) == "CANCEL_REQUIRED"
    games.bench.till.heal()
    games.cancel(1)
    games.bench.settlement(300, 5)
    assert games.cancel(1) == "TRANSACTION_FAILED"
    assert games.play(("bet", 1, 10), ("win", 2, 4)) == 994
    assert games.bench.till.balance() == Decimal("994.00")
