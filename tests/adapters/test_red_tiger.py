"""Red Tiger: what one vector cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.red_tiger.dialect import DIALECT
from adapters.red_tiger.wire import CALLS, ERRORS, LATE, MESSAGES, REFUNDS, Settings, canonical_id
from gateway.auth import Key
from gateway.codec.ids import told_id
from gateway.dialect import Call, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    CloseRound,
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
from tests.config.helpers import HEAD, ROUTES, good, mistakes
from tests.engine.acts import why, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after
from tests.simulation.bench import SAFE, Bench, a_provider, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(settings=Settings(), now=NOW, nonce="n-1", stand_in=True)
ONE = Key(id="one", parts={"api_key": "k-one", "recon_token": "recon-one-0123456789abcdef01234567"})
TWO = Key(id="two", parts={"api_key": "k-two"})
NAMES = [wire.name for wire in CALLS]
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="acme:debit:1", player="u-300", session="t" * 32, currency="EUR",
    round=Round("r-77", closed=False), game=Game(id="Lanterns"),
)  # fmt: skip
WIN = replace(BET, act=Credit(amount=Decimal("4.00")), id="acme:credit:1")
UNDO = replace(BET, act=Rollback(reference="acme:debit:1", amount=Decimal("2.50")), id="acme:rollback:1")
ACTS = (BET, WIN, UNDO, replace(BET, act=Authenticate(), id=""), replace(BET, act=Balance(), id=""))


def coded(code: Any, status: int = 400) -> Response:
    return Response(
        status=status, body=json.dumps({"success": False, "error": {"message": "x", "code": code}}).encode()
    )


def heard(code: int, tx: Transaction = BET, *, again: bool = False) -> Outcome:
    return DIALECT.decode_response(coded(code), tx, replace(CALL, again=again))


def said(outcome: Outcome, tx: Transaction | None, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(DIALECT.encode_response(outcome, tx, replace(CALL, name=name)).body)
    return answer


# ---------------------------------------------------------------- the table, both ways

CODES = {
    Reason.BAD_SIGNATURE: 100, Reason.INVALID_REQUEST: 200, Reason.GAME_NOT_FOUND: 200, Reason.ROUND_CLOSED: 200,
    Reason.UNSUPPORTED: 200, Reason.NOT_AUTHENTICATED: 301, Reason.SESSION_EXPIRED: 301, Reason.PLAYER_NOT_FOUND: 302,
    Reason.PLAYER_BLOCKED: 303, Reason.INSUFFICIENT_FUNDS: 304, Reason.CURRENCY_MISMATCH: 305, Reason.LIMIT_EXCEEDED: 306,
    Reason.TRANSACTION_NOT_FOUND: 400, Reason.DUPLICATE_MISMATCH: 401, Reason.ALREADY_ROLLED_BACK: 401,
    Reason.ALREADY_SETTLED: 401,
}  # fmt: skip
HEARD = {
    100: Reason.BAD_SIGNATURE, 200: Reason.INVALID_REQUEST, 301: Reason.NOT_AUTHENTICATED, 302: Reason.PLAYER_NOT_FOUND,
    303: Reason.PLAYER_BLOCKED, 304: Reason.INSUFFICIENT_FUNDS, 305: Reason.CURRENCY_MISMATCH, 306: Reason.LIMIT_EXCEEDED,
    400: Reason.TRANSACTION_NOT_FOUND,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_and_doubt_have_words(name: str) -> None:
    assert set(CODES) == set(Reason)
    for reason, code in CODES.items():
        for tx in (BET, None):
            told = said(Declined(reason=reason), tx, name)
            assert told == {"success": False, "error": {"message": MESSAGES[code], "code": code}}
    for tx in (BET, None):
        assert said(Unknown(), tx, name)["error"]["code"] == 500
    assert said(Accepted(), None, name)["error"]["code"] == 500, "a yes to nobody knows what"


def test_http_401_is_for_the_two_secrets_only() -> None:
    misplaced = Declined(reason=Reason.NOT_AUTHENTICATED, field="token")
    for outcome in (misplaced, *(Declined(reason=reason) for reason in Reason), Unknown()):
        secret = outcome is misplaced or (isinstance(outcome, Declined) and outcome.reason is Reason.BAD_SIGNATURE)
        assert DIALECT.encode_response(outcome, BET, CALL).status == (401 if secret else 400)


@pytest.mark.parametrize("tx", ACTS, ids=lambda tx: tx.kind)
def test_every_code_is_heard_as_one_thing(tx: Transaction) -> None:
    for code, reason in HEARD.items():
        for again in (False, True):
            assert why(heard(code, tx, again=again)) is reason
    for code in (0, 201, 500, 501, 99, 1000, -1):
        for again in (False, True):
            assert isinstance(heard(code, tx, again=again), Unknown)


def test_401_depends_on_the_call_and_the_attempt() -> None:
    for tx in (BET, WIN):
        assert why(heard(401, tx)) is Reason.DUPLICATE_MISMATCH
        assert yes(heard(401, tx, again=True)).replayed
    for again in (False, True):
        assert why(heard(401, UNDO, again=again)) is Reason.ALREADY_ROLLED_BACK


def test_every_code_that_is_said_for_doubt_is_heard_as_doubt() -> None:
    for name in NAMES:
        code = said(Unknown(), BET, name)["error"]["code"]
        assert ERRORS.reason(code) is None
        assert all(isinstance(heard(code, tx, again=again), Unknown) for tx in ACTS for again in (False, True))


# ---------------------------------------------------------------- keys


def asking(name: str, body: dict[str, Any], key: str = "k-one") -> Request:
    headers = {"authorization": f"Basic {key}"}
    return Request(method="POST", path=f"/{name}", headers=headers, body=json.dumps(body).encode())


BODY: dict[str, Any] = {
    "token": "t" * 32, "userId": "u-300", "currency": "EUR", "round": {"id": "r-77"},
    "transaction": {"id": "1", "stake": "2.50", "payout": "4.00"},
}  # fmt: skip


def read(name: str, body: dict[str, Any], keys: tuple[Key, ...] = (TWO, ONE)) -> Transaction:
    request = asking(name, body)
    assert DIALECT.auth.verify(request, keys, Settings(), NOW) == "one"
    shown = DIALECT.auth.shows_stand_in(request, keys)
    return DIALECT.decode_request(request, replace(CALL, name=name, request=request, stand_in=shown))


@pytest.mark.parametrize("name", NAMES)
def test_the_reconciliation_token_is_no_session(name: str) -> None:
    """Late calls may come with it, and it begins nothing."""
    body = BODY | {"token": ONE.part("recon_token")}
    if name in LATE:
        assert read(name, body).session == ""
    else:
        with pytest.raises(Refused) as refused:
            read(name, body)
        assert (refused.value.reason, refused.value.field) == (Reason.NOT_AUTHENTICATED, "token")
    assert read(name, body, (replace(ONE, parts={"api_key": "k-one"}),)).session == body["token"], "no key knows it"


@pytest.mark.parametrize("tx", [WIN, UNDO], ids=lambda tx: tx.kind)
def test_what_is_late_needs_a_session_or_the_reconciliation_token(tx: Transaction) -> None:
    late = replace(tx, session="")
    request = DIALECT.auth.sign(DIALECT.encode_request(late, CALL), (TWO, ONE), Settings(), NOW)
    assert json.loads(request.body)["token"] == ONE.part("recon_token")
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(late, replace(CALL, stand_in=False))
    assert missing.value.field == "session"


@pytest.mark.parametrize(
    "tx", [BET, replace(BET, act=Authenticate()), replace(BET, act=Balance())], ids=lambda tx: tx.kind
)
def test_what_begins_needs_a_session(tx: Transaction) -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(replace(tx, session=""), CALL)
    assert missing.value.field == "session"


WALLET = (
    "wallets:\n  main: {%s, url: 'https://w.example', repeats: applied, keys: [{id: w, api_key: {env: SECRET}}]%s}\n"
)
LINK = "providers:\n  acme: {dialect: red_tiger, keys: [{id: k1, api_key: {env: SECRET}%s}]%s}\n"
QUICK = ", answer_within: 2s"


def test_the_reconciliation_token_may_be_missing_and_the_key_may_not(tmp_path: Path) -> None:
    wallet = WALLET % ("dialect: red_tiger", QUICK)
    loaded = good(tmp_path, HEAD + LINK % ("", "") + wallet + ROUTES)
    assert loaded.setup.providers["acme"].keys[0].parts == {"api_key": "s-1"}
    loaded = good(tmp_path, HEAD + LINK % (", recon_token: {env: OTHER}", "") + wallet + ROUTES)
    assert loaded.setup.providers["acme"].keys[0].parts == {"api_key": "s-1", "recon_token": "s-2"}
    for part in ("recon_token: {env: OTHER}", "secret: {env: OTHER}"):
        found = mistakes(tmp_path, HEAD + LINK.replace("api_key: {env: SECRET}", part) % ("", "") + wallet + ROUTES)
        assert any("the key has no api_key" in each for each in found), found


def test_a_currency_without_two_digits_is_refused_at_load(tmp_path: Path) -> None:
    """At the provider, at the wallet, and at the route that would bring it there."""
    wallet = WALLET % ("dialect: red_tiger", QUICK)
    texts = (
        LINK % ("", ", currency: JPY") + wallet + ROUTES,
        LINK % ("", "") + WALLET % ("dialect: red_tiger", QUICK + ", currency: KWD") + ROUTES,
        LINK % ("", "") + wallet + "routes: [{wallet: main, when: {currency: [EUR, JPY]}}]\n",
    )
    for text in texts:
        found = mistakes(tmp_path, HEAD + text)
        assert len(found) == 1, found
        assert "digits, and amounts of red_tiger have 2" in found[0]
    good(
        tmp_path, HEAD + LINK % ("", ", currency: USD") + wallet + "routes: [{wallet: main, when: {currency: [EUR]}}]\n"
    )


# ---------------------------------------------------------------- ids

IDS = st.text(st.sampled_from("ab:~") | st.characters(max_codepoint=127), min_size=1, max_size=32) | st.sampled_from(
    ["buyin:a", "stake:a", "settle:a", "payout:a", "stake:buyin:a", "a", "stake:", "buyin:"]
)


@given(st.sets(st.tuples(st.sampled_from(["stake", "promo/buyin"]), IDS), min_size=2, max_size=6))
def test_no_two_debits_have_one_id(calls: set[tuple[str, str]]) -> None:
    assert len({canonical_id(name, id) for name, id in calls}) == len(calls)


@given(st.sets(st.tuples(st.sampled_from(["payout", "promo/settle"]), IDS), min_size=2, max_size=6))
def test_no_two_credits_have_one_id(calls: set[tuple[str, str]]) -> None:
    assert len({canonical_id(name, id) for name, id in calls}) == len(calls)


@given(st.text(st.sampled_from("abc~"), min_size=1), st.text(st.sampled_from("ab:"), min_size=1))
def test_an_alias_is_told_as_it_is(provider: str, id: str) -> None:
    for alias in (f"{provider}:debit:{id}", f"buyin:debit:{id}", "~" + "0" * 31):
        assert told_id(alias, "buyin:") == alias
    assert told_id(canonical_id("promo/buyin", "pb-1"), "buyin:") == "pb-1"


def test_a_refund_means_what_has_its_id_in_its_own_call() -> None:
    for name, reference in (("refund", "1"), ("promo/refund", "buyin:1")):
        act = read(name, BODY).act
        assert isinstance(act, Rollback)
        assert (act.reference, act.amount) == (reference, None)
        assert read(name, BODY).id == f"refund:{reference}"


@pytest.mark.parametrize(
    ("reference", "type", "path"),
    [
        ("acme:debit:1", "", "/refund"),
        ("acme:debit:1", "bet", "/refund"),
        ("acme:debit:1", "promo", "/promo/refund"),
        ("buyin:1", "promo", "/promo/refund"),
        ("buyin:1", "", "/refund"),
    ],
)
def test_a_buyin_is_undone_in_a_call_of_its_own(reference: str, type: str, path: str) -> None:
    act = Rollback(reference=reference, reference_type=type, amount=Decimal(1))
    assert DIALECT.encode_request(replace(UNDO, act=act), CALL).path == path


# ---------------------------------------------------------------- what it says, and what it cannot


def encoded(act: Any, call: Call = CALL, **more: Any) -> Request:
    return DIALECT.encode_request(replace(BET, act=act, **more), call)


def test_a_promotional_debit_is_said_as_its_wallet_takes_it() -> None:
    """A buyin that takes cash must not be told to a wallet that takes nothing, nor the other way round."""
    paid = Debit(amount=Decimal(1), type="promo")
    free = replace(paid, free_round=True)
    charging, giving = CALL, replace(CALL, settings=Settings(promo_buyin="free"))
    assert encoded(paid, charging).path == encoded(free, giving).path == "/promo/buyin"
    for act, call in ((free, charging), (paid, giving), (Debit(amount=Decimal(1), free_round=True), giving)):
        with pytest.raises(Refused) as refused:
            encoded(act, call)
        assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    "act",
    [
        Settle(debit=Decimal(1), credit=Decimal(1)), CloseRound(), Reserve(amount=Decimal(1)), Adjust(amount=Decimal(1)),
        Debit(amount=Decimal(1), free_round=True), Debit(amount=Decimal(1), tracking_only=True),
        Credit(amount=Decimal(1), tracking_only=True),
        Rollback(reference="x", reference_kind=Kind.CREDIT, amount=Decimal(1)),
    ],
    ids=lambda act: type(act).__name__,
)  # fmt: skip
def test_what_it_has_no_words_for(act: Any) -> None:
    with pytest.raises(Refused) as refused:
        encoded(act)
    assert not isinstance(refused.value, Missing)
    assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    "more",
    [{"player": "u" * 37}, {"id": "i" * 33}, {"round": Round("r" * 33)}, {"session": "t" * 129}, {"currency": "JPY"}],
    ids=str,
)
def test_what_is_too_long_or_has_other_digits_is_not_said(more: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        encoded(BET.act, **more)
    assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    ("tx", "what"),
    [
        (replace(BET, round=None), "round"),
        (replace(BET, game=None), "game"),
        (replace(BET, currency=""), "currency"),
        (replace(WIN, player=""), "player"),
        (replace(UNDO, act=Rollback(reference="x")), "amount"),
        (replace(UNDO, act=Rollback(amount=Decimal(1))), "reference"),
    ],
)
def test_what_it_needs(tx: Transaction, what: str) -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(tx, CALL)
    assert missing.value.field == what


@given(st.decimals("0.00", "99999999.99", places=2), st.booleans())
def test_the_parts_of_a_payout_are_all_of_it(amount: Decimal, jackpot: bool) -> None:
    """One wallet books them as two wins."""
    act = Credit(amount=amount, type="jackpot" if jackpot else "win")
    movement = json.loads(encoded(act).body)["transaction"]
    assert Decimal(movement["details"]["game"]) + Decimal(movement["details"]["jackpot"]) == amount
    assert movement["payout"] == f"{amount:.2f}"
    assert len(movement["details"]["jackpot"].partition(".")[2]) == 6


@given(st.decimals("0.00", "999999999.99", places=2))
def test_an_amount_is_read_as_it_was_written(amount: Decimal) -> None:
    request = encoded(Debit(amount=amount))
    understood = DIALECT.decode_request(request, replace(CALL, name="stake", stand_in=False))
    assert understood.act == Debit(amount=amount)


ODD = {
    "stakePromo": "[]", "payoutPromo": "-1", "details": "[]", "sources": '{"lines":"x","features":"0.00","jackpot":{}}',
    "promo": "7", "jackpot": "[]", "version": "v" * 129, "casino": "c" * 51, "starts": "?",
}  # fmt: skip


@pytest.mark.parametrize("tx", [BET, WIN, UNDO], ids=lambda tx: tx.kind)
def test_what_was_passed_on_in_another_form_is_left_out(tx: Transaction) -> None:
    """A wallet that cannot read a description would refuse what it stands beside."""
    told, plain = (json.loads(DIALECT.encode_request(each, CALL).body) for each in (replace(tx, extra=ODD), tx))
    assert told | {"round": None} == plain | {"round": None}


def test_no_payout_and_no_refund_waits_for_a_game() -> None:
    for tx in (WIN, UNDO):
        for game in (None, Game(id="g" * 129)):
            assert json.loads(DIALECT.encode_request(replace(tx, game=game), CALL).body)["game"] == {}


@pytest.mark.parametrize(("stake", "otherwise"), [("2.50", "2.50"), ("x", None), ("-1", None), (None, None)])
def test_a_refund_whose_amount_nobody_knows_tells_its_own(stake: str | None, otherwise: str | None) -> None:
    tx, wanted = read("refund", BODY | {"transaction": {"id": "1", "stake": stake}}), otherwise and Decimal(otherwise)
    with pytest.raises(Missing) as answering:
        DIALECT.encode_response(Accepted(balance=Decimal(1)), tx, replace(CALL, name="refund"))
    with pytest.raises(Missing) as asking_for:
        DIALECT.encode_request(tx, CALL)
    for missing in (answering.value, asking_for.value):
        assert (missing.field, missing.otherwise) == ("amount", wanted)


@pytest.mark.parametrize("path", ["/", "", "/Stake", "/stakes", "/promo", "/promo/stake", "/session", "//stake"])
def test_other_paths_are_no_calls(path: str) -> None:
    with pytest.raises(NoCall):
        DIALECT.route(Request(method="POST", path=path), Settings())


@pytest.mark.parametrize("name", NAMES)
def test_only_post_and_a_trailing_slash(name: str) -> None:
    assert DIALECT.route(Request(method="POST", path=f"/{name}/"), Settings()) == name
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path=f"/{name}"), Settings())
    assert no_call.value.allow == ("POST",)


# ---------------------------------------------------------------- through the engine


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


BUYIN = Transaction(
    act=Debit(amount=Decimal("5.00"), type="promo"), id="buyin:pb-1", player="p-1", session="sess-p-1", currency="EUR",
    round=Round("r-80", closed=False), game=Game(id="42"),
)  # fmt: skip


def late(bench: Bench, name: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """A late call, with the reconciliation token unless said otherwise."""
    key = bench.provider.keys[0]
    whole = BODY | {"userId": "p-1", "token": token or key.part("recon_token")} | body
    answer: dict[str, Any] = json.loads(bench.raw(asking(name, whole, key.part("api_key"))).body)
    return answer


def test_a_buyins_refund_finds_it_at_a_wallet_of_the_same_kind(bench_of: MakeBench) -> None:
    """Told there under an alias, and undone in the call of its own."""
    bench = bench_of("red_tiger", "red_tiger")
    yes(bench.call(BUYIN))
    assert bench.till.balance() == Decimal("995.00")
    told = late(bench, "promo/refund", {"transaction": {"id": "pb-1", "stake": "9.00"}, "round": {"id": "r-80"}})
    assert told["result"]["stake"]["cash"] == "5.00"
    assert bench.till.balance() == Decimal("1000.00")
    assert [exchange.request.path for exchange in bench.till.exchanges][-1] == "/promo/refund"


def test_a_stakes_refund_ignores_its_amount_and_leaves_a_buyin_of_its_id(bench_of: MakeBench) -> None:
    bench = bench_of("red_tiger", "native")
    yes(bench.call(replace(BUYIN, act=Debit(amount=Decimal("10.00")), id="pb-1")))
    yes(bench.call(BUYIN))
    assert (
        late(bench, "refund", {"transaction": {"id": "pb-1", "stake": "47.00"}})["result"]["stake"]["cash"] == "10.00"
    )
    assert bench.till.balance() == Decimal("995.00")
    again = late(bench, "refund", {"transaction": {"id": "pb-1", "stake": "10.00"}})
    assert again["result"]["stake"]["cash"] == "10.00"
    assert bench.till.balance() == Decimal("995.00")


def test_the_refund_of_an_unknown_stake_refuses_it_when_it_comes(bench_of: MakeBench) -> None:
    bench = bench_of("red_tiger", "native")
    told = late(bench, "refund", {"transaction": {"id": "st-599", "stake": "1.00"}})
    assert told == {"success": False, "error": {"message": "Transaction not found", "code": 400}}
    bench.call(replace(BUYIN, act=Debit(amount=Decimal("1.00")), id="st-599"))
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


def test_a_stake_after_the_end_of_its_round_is_invalid_input(bench_of: MakeBench) -> None:
    """The vendor's own tests ask for that; what a round pays or gives back comes after its end, too."""
    bench = bench_of("red_tiger", "native")
    stake = replace(BUYIN, act=Debit(amount=Decimal("5.00")), id="st-1")
    yes(bench.call(stake))
    yes(bench.call(replace(stake, id="st-2")))  # several until it ends
    won = {"transaction": {"id": "po-1", "payout": "2.00"}, "round": {"id": "r-80", "ends": True}, "currency": "EUR"}
    assert late(bench, "payout", won)["success"]
    assert bench.call(replace(stake, id="st-3")) == Declined(reason=Reason.INVALID_REQUEST, message="Invalid input")
    yes(bench.call(stake))  # a repeat
    assert late(bench, "payout", won | {"transaction": {"id": "po-2", "payout": "1.00"}})["success"]
    assert late(bench, "refund", {"transaction": {"id": "st-2", "stake": "5.00"}})["success"]
    yes(bench.call(replace(stake, id="st-4", round=Round("r-81", closed=False))))
    assert bench.till.balance() == Decimal("993.00")


@pytest.mark.parametrize(
    ("call", "told", "act"),
    [
        ("refund", "acme:debit:x-1", Debit(amount=Decimal("10.00"))),
        ("promo/refund", "buyin:acme:debit:buyin:x-1", Debit(amount=Decimal("10.00"), type="promo")),
    ],
)
def test_a_refund_of_what_the_journal_does_not_know_reaches_the_wallet(
    bench_of: MakeBench, call: str, told: str, act: Debit
) -> None:
    """*A restored journal: the stake had been taken, its refund heard 400 and nobody was asked.*"""
    bench = bench_of("red_tiger", "red_tiger")
    bench.till.purse.apply(replace(BUYIN, act=act, id=told), "", bench.scheduler.clock())
    assert bench.till.balance() == Decimal("990.00")
    assert late(bench, call, {"transaction": {"id": "x-1", "stake": "47.00"}})["success"]
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize(("repeat", "code"), [("answer", None), ("code_401", 401)])
def test_an_equal_repeat_hears_what_the_settings_say(bench_of: MakeBench, repeat: str, code: int | None) -> None:
    bench = bench_of(a_provider("red_tiger", settings={"repeat": repeat}))
    first = late(bench, "payout", {})
    again = late(bench, "payout", {"retry": True})
    assert again == first if code is None else again["error"]["code"] == code
    assert bench.till.balance() == Decimal("1004.00")


def test_the_reconciliation_token_goes_to_no_wallet_and_no_journal(bench_of: MakeBench) -> None:
    bench = bench_of("red_tiger", "native")
    token = bench.provider.keys[0].part("recon_token")
    assert late(bench, "payout", {})["result"]["token"] == token
    assert not any(token.encode() in exchange.request.body for exchange in bench.till.exchanges)
    assert bench.row(Kind.CREDIT, "1").tx.session == ""


def test_a_repeat_that_hears_401_was_done(bench_of: MakeBench) -> None:
    """The answer to a payout was lost; its wallet says "duplicate" to the second asking."""
    applied = dict.fromkeys(SAFE, "applied")
    bench = bench_of("red_tiger", a_wallet("red_tiger", settings={"repeat": "code_401"}, repeats=applied))
    yes(bench.call(replace(BUYIN, act=Debit(amount=Decimal("1.00")), id="st-1")))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    late(bench, "payout", {"round": {"id": "r-80"}})
    bench.settlement(60)
    assert bench.till.balance() == Decimal("1003.00")
    assert isinstance(bench.row(Kind.CREDIT, "1").outcome, Accepted)


def test_refunds_are_late_calls() -> None:
    assert REFUNDS < LATE
