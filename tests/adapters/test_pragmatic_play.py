"""Pragmatic Play: what one vector cannot show."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pragmatic_play.dialect import DIALECT, FINAL, UNKNOWN_CALL, Settings
from gateway.auth import Key
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    CloseRound,
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
    Reserve,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = Key(id="old", parts={"secret": "pp-old"}), Key(id="new", parts={"secret": "pp-new"})
CALL = Call(settings=Settings(), now=NOW, nonce="n-1")
CREDITS = Call(settings=Settings(bonus_win="credit"), now=NOW, nonce="n-1")
ONE = Decimal(1)
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="b-1", player="u", currency="EUR", round=Round("r"), game=Game(id="g")
)
WIN, PROMO = Credit(amount=ONE), Credit(amount=ONE, type="promo")
ACTS: dict[str, Act] = {
    "authenticate": Authenticate(), "balance": Balance(), "GetBalancePerGame": Balance(), "bet": BET.act, "result": WIN,
    "bonusWin": Notice(), "jackpotWin": Credit(amount=ONE, type="jackpot"), "promoWin": PROMO, "endRound": CloseRound(),
    "refund": Rollback(reference="b-1"), "adjustment": Adjust(amount=-ONE),
}  # fmt: skip
OWED: list[tuple[str, Act]] = [
    ("result", WIN), ("result", Batch(items=(BET, BET))), ("jackpotWin", ACTS["jackpotWin"]), ("promoWin", PROMO),
    ("bonusWin", Credit(amount=ONE, type="free_round", free_round=True)), ("adjustment", Adjust(amount=ONE)),
    ("refund", ACTS["refund"]),
]  # fmt: skip
CODES = {
    Reason.INSUFFICIENT_FUNDS: 1, Reason.PLAYER_NOT_FOUND: 2, Reason.NOT_AUTHENTICATED: 4, Reason.SESSION_EXPIRED: 4,
    Reason.BAD_SIGNATURE: 5, Reason.PLAYER_BLOCKED: 6, Reason.INVALID_REQUEST: 7, Reason.GAME_NOT_FOUND: 8,
    Reason.LIMIT_EXCEEDED: 50, Reason.ALREADY_ROLLED_BACK: 120, Reason.ALREADY_SETTLED: 120, Reason.ROUND_CLOSED: 120,
    Reason.DUPLICATE_MISMATCH: 120, Reason.CURRENCY_MISMATCH: 120, Reason.UNSUPPORTED: 120, Reason.TRANSACTION_NOT_FOUND: 120,
}  # fmt: skip
HEARD = {
    "0": Accepted, "1": Reason.INSUFFICIENT_FUNDS, "2": Reason.PLAYER_NOT_FOUND, "3": Reason.LIMIT_EXCEEDED,
    "4": Reason.NOT_AUTHENTICATED, "5": Reason.BAD_SIGNATURE, "6": Reason.PLAYER_BLOCKED, "7": Reason.INVALID_REQUEST,
    "8": Reason.GAME_NOT_FOUND, "50": Reason.LIMIT_EXCEEDED, "100": Unknown, "120": Reason.ROUND_CLOSED, "130": Unknown,
}  # fmt: skip
replace = msgspec.structs.replace


def said(outcome: Outcome, name: str, act: Act | None) -> dict[str, object]:
    tx = replace(BET, act=act) if act is not None else None
    response = DIALECT.encode_response(outcome, tx, replace(CALL, name=name))
    assert (response.status, response.header("content-type")) == (200, "application/json")
    found: dict[str, object] = json.loads(response.body)
    assert found["description"]
    assert type(found["error"]) is int
    return found


def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def post(name: str, **fields: str) -> Request:
    return Request(method="POST", path=f"/{name}.html", body=urlencode(fields).encode())


def read(name: str, call: Call = CALL, **fields: str) -> Transaction:
    return DIALECT.decode_request(post(name, **fields), replace(call, name=name))


# ---------------------------------------------------------------- every word of the table


def test_every_reason_is_said_as_the_card_says_it() -> None:
    """Of a bet, a read and a negative adjustment; where the request could not be read, of every call."""
    assert set(CODES) == set(Reason)
    for name, act in ACTS.items():
        for reason, code in CODES.items():
            no = Declined(reason=reason)
            if name != "refund" or reason not in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK):
                assert said(no, name, None) == {"error": code, "description": said(no, name, None)["description"]}
                if (name, act) not in OWED:
                    assert said(no, name, act)["error"] == code, (name, reason)
        assert said(Unknown(), name, act)["error"] == (130 if name == "endRound" else 100)
        assert said(Unknown(), name, None)["error"] == (130 if name == "endRound" else 100)
    for outcome, code in ((Declined(reason=Reason.INVALID_REQUEST), 7), (Unknown(), 100)):
        assert said(outcome, UNKNOWN_CALL, None)["error"] == code


@pytest.mark.parametrize(("name", "act"), OWED)
def test_what_is_owed_is_sent_again_unless_its_decline_is_final(name: str, act: Act) -> None:
    for reason in Reason:
        nothing_undone = name == "refund" and reason in (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)
        wanted = 0 if nothing_undone else 120 if reason in FINAL else 100
        assert said(Declined(reason=reason), name, act)["error"] == wanted, reason


@pytest.mark.parametrize("name", [name for name in ACTS if name != "GetBalancePerGame"])
@pytest.mark.parametrize("as_text", [False, True])
def test_every_code_is_heard_as_one_thing(name: str, *, as_text: bool) -> None:
    """Number or text, of every call: a yes, one reason, or doubt; any other number is doubt."""
    tx = replace(BET, act=ACTS[name])
    for code in map(str, range(-1, 200)):
        body = f'{{"transactionId": "w", "userId": "u", "currency": "EUR", "cash": 1, "error": {code}}}'
        body = body.replace(f'"error": {code}', f'"error": "{code}"') if as_text else body
        heard = DIALECT.decode_response(Response(body=body.encode()), tx, CALL)
        wanted = HEARD.get(code, Unknown)
        if isinstance(wanted, Reason):
            assert isinstance(heard, Declined), code
            assert heard.reason is wanted, code
        else:
            assert isinstance(heard, wanted), code


@pytest.mark.parametrize(
    "error", ["0.0", "00", '"00"', '" 0"', "false", "null", "[]", "{}", '""', "-0", "0e1", "1e2", "true"]
)
def test_only_a_plain_number_is_one(error: str) -> None:
    body = f'{{"transactionId": "w", "currency": "EUR", "cash": 1, "error": {error}}}'.encode()
    assert isinstance(DIALECT.decode_response(Response(body=body), BET, CALL), Unknown)


def test_a_cut_answer_is_doubt() -> None:
    body = b'{"transactionId":"w-501","currency":"EUR","cash":97.5,"bonus":0,"usedPromo":0,"error":0,"description":"Success"}'
    for end in range(len(body)):
        assert isinstance(DIALECT.decode_response(Response(body=body[:end]), BET, CALL), Unknown)
    assert isinstance(DIALECT.decode_response(Response(status=500, body=body), BET, CALL), Unknown)
    assert isinstance(DIALECT.decode_response(Response(body=body), BET, CALL), Accepted)


def test_what_an_answer_needs() -> None:
    for name in ("bet", "result", "balance", "endRound", "bonusWin"):
        with pytest.raises(Missing) as missing:
            DIALECT.encode_response(Accepted(wallet_id="w"), replace(BET, act=ACTS[name]), replace(CALL, name=name))
        assert missing.value.field == "balance"
    bare, purse = replace(BET, currency="", player=""), Accepted(balance=ONE)
    for name, what in (("bet", "currency"), ("endRound", "currency")):
        with pytest.raises(Missing) as missing:
            DIALECT.encode_response(purse, replace(bare, act=ACTS[name]), replace(CALL, name=name))
        assert missing.value.field == what
    with pytest.raises(Missing) as missing:
        DIALECT.encode_response(
            replace(purse, currency="EUR"), replace(bare, act=Authenticate()), replace(CALL, name="authenticate")
        )
    assert missing.value.field == "player"


def test_a_session_that_is_over_is_told_as_such_where_the_currency_is_known() -> None:
    """A bet names no token. Its wallet may say that the session is over; that nobody knows the currency the engine says."""
    over = Declined(reason=Reason.SESSION_EXPIRED)
    assert said(over, "bet", BET.act)["error"] == 4
    bare = replace(BET, currency="")
    call = replace(CALL, name="bet")
    assert json.loads(DIALECT.encode_response(over, bare, call).body)["error"] == 2
    assert json.loads(DIALECT.encode_response(over, bare, replace(call, currency="EUR")).body)["error"] == 4
    for amount, code in (("2.50", 2), ("2.500", 2), ("2.505", 7), ("0.001", 7)):
        odd = replace(bare, act=Debit(amount=Decimal(amount)))
        assert json.loads(DIALECT.encode_response(over, odd, call).body)["error"] == code


def test_the_games_of_a_balance_per_game_may_be_many() -> None:
    games = [f"vs{number}game" for number in range(2000)]
    request = post("GetBalancePerGame", userId="u", gameIdList=", ".join([*games, "", " "]))
    call = replace(CALL, name="GetBalancePerGame", request=request)
    tx = DIALECT.decode_request(request, call)
    body = json.loads(DIALECT.encode_response(Accepted(balance=ONE, currency="EUR"), tx, call).body)
    assert body["gamesBalances"] == [{"gameId": game, "cash": 1, "bonus": 0} for game in games]


def test_a_refund_of_an_unknown_bet_has_a_blank_id_whatever_its_wallet_named() -> None:
    """A studio, and our own wallet's end, read any other as that of what was given back."""
    found = said(Declined(reason=Reason.TRANSACTION_NOT_FOUND, wallet_id="w-1"), "refund", ACTS["refund"])
    assert found == {"transactionId": "", "error": 0, "description": "Success"}


# ---------------------------------------------------------------- signature, calls


def test_it_is_weak_and_has_one_secret() -> None:
    assert DIALECT.auth.weak(Settings())
    assert [(part.name, part.secret) for part in DIALECT.auth.parts(Settings())] == [("secret", True)]


def test_any_live_key_verifies_and_the_first_one_signs() -> None:
    fields = {"userId": "ü&=+ %", "amount": "1.00", "bonusCode": "", "Zeta": "1"}
    for key in (OLD, NEW):
        text = f"Zeta=1&amount=1.00&userId=ü&=+ %{key.part('secret')}"
        request = post("bet", **fields, hash=hashlib.md5(text.encode()).hexdigest())
        assert DIALECT.auth.verify(request, (OLD, NEW), Settings(), NOW) == key.id
    assert DIALECT.auth.sign(post("bet", **fields), (NEW, OLD), Settings(), NOW).body == request.body


def test_there_is_no_freshness() -> None:
    """A queue repeats calls for a day: an old timestamp is no forgery."""
    request = DIALECT.auth.sign(post("result", userId="u", timestamp="1"), (NEW,), Settings(), NOW)
    assert DIALECT.auth.verify(request, (NEW,), Settings(), NOW) == "new"


@pytest.mark.parametrize("path", ["/bet.html", "/bet.html/", "/BET.HTML", "/Bet.html"])
def test_paths_of_a_call(path: str) -> None:
    assert DIALECT.route(Request(method="POST", path=path), Settings()) == "bet"


@pytest.mark.parametrize("path", ["/bet", "/bets.html", "/bet.html.html", "/bet%2ehtml", "/.html", "/unknown"])
def test_other_methods_are_unknown_ones(path: str) -> None:
    assert DIALECT.route(Request(method="POST", path=path), Settings()) == UNKNOWN_CALL


@pytest.mark.parametrize("path", ["", "/", "//bet.html", "/x/bet.html", "/bet.html//", "bet.html"])
def test_other_paths_are_no_calls(path: str) -> None:
    with pytest.raises(NoCall):
        DIALECT.route(Request(method="POST", path=path), Settings())


def test_only_post() -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/bet.html"), Settings())
    assert no_call.value.allow == ("POST",)


# ---------------------------------------------------------------- provider's end


def test_two_refunds_of_one_bet_are_one_whatever_else_they_say() -> None:
    """*The studio's own finalisation names the round, its first refund did not: the second would have been a conflict.*"""
    bare = read("refund", userId="u", reference="b-1")
    full = read(
        "refund", userId="u", reference="b-1", roundId="r", gameId="g", amount="9.99", timestamp="1760000000000"
    )
    assert (
        (bare.act, bare.id, bare.round)
        == (full.act, full.id, full.round)
        == (Rollback(reference="b-1"), "refund:b-1", None)
    )


def test_bonus_win_moves_money_only_where_the_settings_say_so() -> None:
    fields = {"userId": "u", "amount": "5.00", "reference": "x", "bonusCode": "c"}
    notice, credit = read("bonusWin", **fields), read("bonusWin", CREDITS, **fields)
    assert (notice.act, notice.id, notice.extra) == (Notice(), "x", {"amount": "5.00"})
    assert credit.act == Credit(amount=Decimal(5), type="free_round", free_round=True)


PAID = {"userId": "p-1", "gameId": "42", "roundId": "880011", "amount": "10.00", "reference": "w1"}
PAYING = ("result", "jackpotWin", "promoWin", "bonusWin")
REFERENCES = st.text("ab:~", min_size=1, max_size=8) | st.sampled_from(
    [f"{word}:a" for word in ("jackpot", "promo", "bonus", "result")]
)


@given(st.sets(st.tuples(st.sampled_from(PAYING), REFERENCES), min_size=2, max_size=6))
def test_two_wins_never_share_an_id(calls: set[tuple[str, str]]) -> None:
    """A jackpot with the reference of a result heard the result's answer, and was never paid."""
    assert len({read(name, CREDITS, **{**PAID, "reference": said}).id for name, said in calls}) == len(calls)


@pytest.mark.parametrize("amount", ["many", "", "-1", "9" * 40, "1e99"])
def test_a_notice_is_taken_whatever_its_amount_says(amount: str) -> None:
    assert read("bonusWin", userId="u", amount=amount, reference="x").act == Notice()


@pytest.mark.parametrize(
    "amount", ["1.", ".5", " 5", "5 ", "1,5", "1_0", "0x1", "NaN", "Infinity", "--1", "１", "1e999", "9" * 16]
)
@pytest.mark.parametrize("name", ["bet", "result", "jackpotWin", "promoWin", "adjustment"])
def test_an_amount_is_exact_or_refused(name: str, amount: str) -> None:
    with pytest.raises(Refused) as refused:
        read(name, userId="u", gameId="g", roundId="r", reference="x", amount=amount)
    assert (refused.value.reason, refused.value.field) == (Reason.INVALID_REQUEST, "amount")


ODD = st.sampled_from(
    ["", " ", "\x00", "x" * 5000, "[]", "null", "-1", "1e400", "2025-10-09T08:55:00Z", "\U0001f3b0", "%", "&="]
)
DESCRIBING = (
    "providerId",
    "timestamp",
    "roundDetails",
    "bonusCode",
    "gameId",
    "jackpotDetails",
    "campaignId",
    "platform",
)


@given(
    st.dictionaries(st.sampled_from(DESCRIBING), ODD), st.sampled_from(["result", "jackpotWin", "promoWin", "refund"])
)
def test_what_only_describes_stops_no_win_and_no_refund(odd: dict[str, str], name: str) -> None:
    tx = read(name, **{"userId": "u", "roundId": "r", "amount": "1.00", "reference": "x", **odd})
    assert tx.player == "u"
    assert getattr(tx.act, "amount", None) == (None if name == "refund" else ONE)
    assert all("\x00" not in text and len(text) <= 4096 for text in tx.extra.values())
    assert len(tx.free_round_id) <= 128


BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"&" * 5000, b"=" * 5000, b"userId=u&amount=%", b"userId=%00", b"%FF=1", b"userId=u&userId=u", b'{"userId":"u"}',
        b"userId=u&roundId=r&gameId=g&reference=x&amount=" + b"9" * 5000, b"userId=u&gameIdList=%FF", b"a=1&" * 3000,
    ]
)  # fmt: skip


@given(BODIES, st.sampled_from([*ACTS, UNKNOWN_CALL]))
def test_nothing_but_refused_leaves(body: bytes, name: str) -> None:
    request = Request(method="POST", path=f"/{name}.html", body=body)
    for call in (CALL, CREDITS):
        with contextlib.suppress(Refused):
            assert DIALECT.decode_request(request, replace(call, name=name)).kind
    with pytest.raises(Refused):
        DIALECT.auth.verify(request, (OLD,), Settings(), NOW)


# ---------------------------------------------------------------- wallet's end


def test_what_it_needs_and_what_it_cannot_say() -> None:
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, game=None), "game"), (replace(BET, round=None), "round"),
        (replace(BET, act=Rollback()), "reference"), (replace(BET, act=Authenticate()), "session"),
        (replace(BET, act=Balance(), player=""), "player"), (replace(BET, act=Adjust(amount=ONE), round=None), "round"),
        (replace(BET, act=CloseRound(), game=None), "game"), (replace(BET, act=PROMO, player=""), "player"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, CALL)
        assert missing.value.field == what
    for act in (
        Settle(debit=ONE, credit=ONE), Reserve(amount=ONE), Debit(amount=ONE, free_round=True), Notice(),
        Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True), Rollback(reference="b", amount=ONE),
        Rollback(reference="b", reference_kind=Kind.CREDIT), Batch(items=(BET,)),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(BET, act=act), CALL)
        assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("code", ["", "0", "false"])
def test_a_bet_is_free_with_a_code_and_only_then(code: str) -> None:
    """A wallet would take a stake for a free round, or none for a paid one."""
    with pytest.raises(Refused):
        DIALECT.encode_request(replace(BET, act=Debit(amount=ONE, free_round=True), free_round_id=code), CALL)
    assert "bonusCode" not in form(DIALECT.encode_request(replace(BET, free_round_id="campaign"), CALL))


BONUS = replace(BET, act=Credit(amount=ONE, type="bonus"), free_round_id="c")


@pytest.mark.parametrize(
    ("tx", "call", "path"),
    [
        (BONUS, CALL, "/result.html"), (replace(BONUS, round=None), CALL, "/promoWin.html"),
        (BONUS, CREDITS, "/bonusWin.html"), (replace(BONUS, round=None), CREDITS, "/bonusWin.html"),
        (replace(BONUS, free_round_id=""), CREDITS, "/result.html"),
        (replace(BONUS, free_round_id="", round=None), CREDITS, "/promoWin.html"),
        (replace(BET, act=WIN, round=None), CALL, "/promoWin.html"), (replace(BET, act=PROMO), CALL, "/promoWin.html"),
        (replace(BET, act=ACTS["jackpotWin"]), CALL, "/jackpotWin.html"),
        (replace(BET, act=ACTS["jackpotWin"], round=None), CALL, "/promoWin.html"),
    ],
)  # fmt: skip
def test_a_win_is_told_by_a_call_that_pays(tx: Transaction, call: Call, path: str) -> None:
    """*A wallet that only takes note of bonusWin was told a bonus by it: the player was never paid.*"""
    request = DIALECT.encode_request(tx, call)
    assert (request.path, form(request)["amount"], form(request)["reference"]) == (path, "1.00", "b-1")
    understood = DIALECT.decode_request(request, replace(call, name=DIALECT.route(request, call.settings)))
    assert isinstance(understood.act, Credit)
    assert understood.act.amount == ONE


@pytest.mark.parametrize(
    ("call", "extra", "code"),
    [
        (CREDITS, {"amount": "1.00"}, "c"),
        (CALL, {}, "c"),
        (CALL, {"amount": "1.00"}, ""),
        (CALL, {"amount": "1.00"}, "0"),
    ],
)
def test_a_notice_is_told_only_where_it_stays_one(call: Call, extra: dict[str, str], code: str) -> None:
    with pytest.raises(Refused):
        DIALECT.encode_request(replace(BET, act=Notice(), extra=extra, free_round_id=code), call)


@pytest.mark.parametrize("act", [BET.act, WIN, PROMO, ACTS["jackpotWin"], ACTS["adjustment"]])
def test_another_currency_than_its_wallets_is_not_said(act: Act) -> None:
    """*2.50 USD was taken as 2.50 EUR: no request names a currency, and the answer that did came too late.*"""
    tx = replace(BET, act=act)
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(tx, currency="USD"), replace(CALL, currency="EUR"))
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)
    for mine, theirs in (("EUR", "EUR"), ("USD", ""), ("", "EUR")):
        assert DIALECT.encode_request(replace(tx, currency=mine), replace(CALL, currency=theirs))


def test_extra_of_another_dialect_cannot_break_the_form() -> None:
    for text in ("a&amount=9", "=&=", "\ud83c", "\x00", "x" * 5000):
        request = DIALECT.encode_request(replace(BET, extra={"roundDetails": text, "amount": "9"}), CALL)
        assert form(request)["amount"] == "2.50"
        assert DIALECT.decode_request(request, replace(CALL, name="bet")).act == BET.act


def test_an_answer_for_another_player_is_doubt() -> None:
    body = b'{"userId": "other", "currency": "EUR", "cash": 1, "error": 0}'
    asks = Transaction(act=Authenticate(), session="s")
    assert isinstance(DIALECT.decode_response(Response(body=body), asks, CALL), Accepted)
    assert isinstance(DIALECT.decode_response(Response(body=body), replace(asks, player="u"), CALL), Unknown)
