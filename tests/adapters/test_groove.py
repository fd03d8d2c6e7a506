"""Groove: what one vector cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.groove.dialect import CALLS, DIALECT, ERRORS, ROWS, Settings
from adapters.groove.requests import also_named, refund_id, result_id
from gateway.auth import Key
from gateway.codec.ids import told_id
from gateway.dialect import Call, NoCall
from gateway.engine.states import State
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
from gateway.vectors import CURRENCIES
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after
from tests.simulation.bench import Bench, a_provider, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = Key(id="old", parts={"secret": "gr-old"}), Key(id="new", parts={"secret": "gr-new"})
CALL = Call(settings=DIALECT.settings(), now=NOW, nonce="n-1", currencies=CURRENCIES)
ONE = Decimal("1.00")
BET = Transaction(
    act=Debit(amount=Decimal("2.50")),
    id="b",
    player="p1",
    session="s",
    currency="EUR",
    round=Round("r"),
    game=Game(id="g"),
)
TXS = {
    "getaccount": replace(BET, id="", act=Authenticate()),
    "getbalance": replace(BET, id="", act=Balance()),
    "wager": BET,
    "result": replace(BET, act=Credit(amount=ONE)),
    "wagerAndResult": replace(BET, act=Settle(debit=ONE, credit=ONE)),
    "jackpot": replace(BET, act=Credit(amount=ONE, type="jackpot")),
    "rollback": replace(BET, id="x", act=Rollback(reference="b")),
    "reversewin": replace(BET, id="x", act=Rollback(reference="w", reference_kind=Kind.CREDIT, amount=ONE)),
    "rollbackrollback": replace(
        BET, id="x", act=Rollback(reference="u", reference_kind=Kind.ROLLBACK, amount=ONE, beyond="b")
    ),
}


def answer(code: object, **more: object) -> Response:
    return Response(status=200, body=json.dumps({"code": code, "status": "x", **more}).encode())


def said(outcome: Outcome, tx: Transaction | None, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DIALECT.encode_response(outcome, tx, replace(CALL, name=name)).body)
    return found


# ---------------------------------------------------------------- signature


@pytest.mark.parametrize("form", ["A", "B"])
def test_any_key_verifies_and_the_first_signs(form: str) -> None:
    base64 = (Key(id="old", parts={"secret": "b2xk"}), Key(id="new", parts={"secret": "bmV3"}))
    keys = (OLD, NEW) if form == "A" else base64
    settings = Settings(signature_form=form)  # type: ignore[arg-type]  # one of its words
    for key in keys:
        signed = DIALECT.auth.sign(DIALECT.encode_request(BET, CALL), (key, *keys), settings, NOW)
        assert DIALECT.auth.verify(signed, keys, settings, NOW) == key.id


@given(st.dictionaries(st.text("abcXYZ", min_size=1, max_size=4), st.text(max_size=8), max_size=6))
def test_what_we_sign_we_verify(fields: dict[str, str]) -> None:
    query = urlencode(fields, errors="replace")
    signed = DIALECT.auth.sign(Request(method="GET", path="/", query=query), (NEW,), CALL.settings, NOW)
    assert DIALECT.auth.verify(signed, (OLD, NEW), CALL.settings, NOW) == "new"


def test_form_a_covers_no_borders() -> None:
    """1 and 12, or 11 and 2: one proof. So that it holds says nothing about whose call it is."""
    one, other = (
        Request(method="GET", path="/", query=f"request=wager&accountid=p{a}&amount={b}") for a, b in ((1, 12), (11, 2))
    )
    proof = DIALECT.auth.sign(one, (NEW,), CALL.settings, NOW).header("x-groove-signature")
    assert DIALECT.auth.verify(other.put(("x-groove-signature", proof)), (NEW,), CALL.settings, NOW) == "new"
    assert DIALECT.as_provider.calls_in_own_session


def test_a_key_that_proves_nothing_is_told_at_load() -> None:
    """Form B's access key is Base64; of any other every call would be 1003, and nobody told why. Form A takes any text."""
    for secret, said in (
        ("Z3Jvb3ZlLXRlc3Qta2V5", ""),
        ("groove-test-key", "the key is not Base64"),
        ("é", "the key is not Base64"),
    ):
        assert DIALECT.auth.fault("secret", secret, Settings(signature_form="B")) == said
        assert DIALECT.auth.fault("secret", secret, Settings()) == ""


def test_only_none_is_weak_and_needs_no_key() -> None:
    weak = {form: DIALECT.auth.weak(Settings(signature_form=form)) for form in ("A", "B", "none")}  # type: ignore[arg-type]  # its words
    assert weak == {"A": False, "B": False, "none": True}
    assert not DIALECT.auth.parts(Settings(signature_form="none"))


# ---------------------------------------------------------------- which call it is


@pytest.mark.parametrize("path", ["/wager", "/groove", "/a/b", "//wager"])
def test_it_has_one_url(path: str) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path=path, query="request=wager"), CALL.settings)
    assert no_call.value.allow == ()


@pytest.mark.parametrize(
    ("method", "query", "allow"),
    [
        ("POST", "request=wager", ("GET",)), ("POST", "request=rollback", ("GET",)), ("HEAD", "request=wager", ("GET",)),
        ("PUT", "", ("GET", "POST")), ("DELETE", "request=WagerByBatch", ("GET", "POST")),
    ],
)  # fmt: skip
def test_only_get_but_for_the_batch(method: str, query: str, allow: tuple[str, ...]) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method=method, path="/", query=query), CALL.settings)
    assert no_call.value.allow == allow


@pytest.mark.parametrize(
    ("method", "query", "name"),
    [
        ("POST", "", "WagerByBatch"), ("POST", "accountid=p1", "WagerByBatch"), ("POST", "request=wagerbybatch", "WagerByBatch"),
        ("GET", "", "unknown"), ("GET", "request=wager&request=result", "unknown"), ("GET", "request=%ff", "unknown"),
        ("GET", "REQUEST=WAGERANDRESULT", "wagerAndResult"),
    ],
)  # fmt: skip
def test_which_call_it_is(method: str, query: str, name: str) -> None:
    assert DIALECT.route(Request(method=method, path="/", query=query), CALL.settings) == name


# ---------------------------------------------------------------- words

CODES = {
    102: Reason.TRANSACTION_NOT_FOUND, 110: Reason.INVALID_REQUEST, 400: Reason.DUPLICATE_MISMATCH, 409: Reason.ROUND_CLOSED,
    1000: Reason.SESSION_EXPIRED, 1006: Reason.INSUFFICIENT_FUNDS, 1019: Reason.LIMIT_EXCEEDED, 1035: Reason.PLAYER_BLOCKED,
}  # fmt: skip


@pytest.mark.parametrize("name", TXS)
def test_every_code_is_heard_as_one_thing(name: str) -> None:
    """Yes, one reason, or doubt; of the first attempt."""
    tx = TXS[name]
    for code in (*ROWS, 0, 2, 500, 999, 1001, "1006x", "", None, True):
        heard = DIALECT.decode_response(answer(code), tx, CALL)
        reason = heard.reason if isinstance(heard, Declined) else None
        proof = Reason.NOT_AUTHENTICATED if name == "getaccount" else Reason.BAD_SIGNATURE
        assert reason is (proof if code == 1003 else CODES.get(code) if isinstance(code, int) else None), code
        assert reason or isinstance(heard, Unknown)


@pytest.mark.parametrize("name", [wire.name for wire in CALLS])
def test_every_reason_and_doubt_have_words(name: str) -> None:
    """A refusal is doubt in one case only: 1000 is no answer to what is owed, so that it is sent again."""
    owed = name in ("result", "jackpot", "rollback", "reversewin", "rollbackrollback")
    for reason in Reason:
        for tx in (None, TXS.get(name)):
            found = said(Declined(reason=reason), tx, name)
            assert found == {"code": found["code"], "status": ROWS[found["code"]][0], "apiversion": "1.2"}
            session = reason in (Reason.SESSION_EXPIRED, Reason.NOT_AUTHENTICATED)
            assert (found["code"] == 1) is (owed and session)
            assert found["code"] != 1000 or not owed
    assert said(Unknown(), TXS.get(name), name)["code"] == 1
    assert ERRORS.reason(1) is None


@pytest.mark.parametrize("name", ["wager", "result", "rollback", "wagerAndResult"])
def test_that_an_id_exists_may_be_our_first_attempts_yes(name: str) -> None:
    """409 says two things: to a repeat it is doubt."""
    assert isinstance(DIALECT.decode_response(answer(409), TXS[name], replace(CALL, again=True)), Unknown)
    assert isinstance(DIALECT.decode_response(answer(409), TXS[name], CALL), Declined)


def test_an_answer_to_what_nobody_could_read_has_its_version() -> None:
    asked = Request(method="GET", path="/", query="apiversion=1.7&a=1&A=2")
    body = DIALECT.encode_response(Unknown(), None, replace(CALL, request=asked)).body
    assert json.loads(body)["apiversion"] == "1.7"


@pytest.mark.parametrize(("tx", "name"), [(BET, "wager"), (TXS["getaccount"], "getaccount")])
def test_a_yes_asks_for_the_balance(tx: Transaction, name: str) -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_response(Accepted(), tx, replace(CALL, name=name))
    assert missing.value.field == "balance"


# ---------------------------------------------------------------- what a wallet cannot be told


@pytest.mark.parametrize(
    "tx",
    [
        replace(BET, act=Debit(amount=ONE, tracking_only=True)),
        replace(BET, act=Credit(amount=ONE, tracking_only=True)),
        replace(BET, act=Debit(amount=ONE, free_round=True)),
        replace(BET, act=Rollback(reference="b", amount=Decimal(0))),
        replace(BET, act=Rollback(reference="s", reference_kind=Kind.SETTLE)),
        replace(BET, act=Rollback(reference="refund:b", reference_kind=Kind.ROLLBACK, beyond="b", amount=Decimal(0))),
        replace(BET, act=Adjust(amount=ONE)),
        replace(BET, act=Reserve(amount=ONE)),
        replace(BET, act=CloseRound()),
        replace(BET, player="p" * 61),
        replace(BET, session="s" * 65),
        replace(BET, game=Game(id="g" * 101)),
        replace(BET, round=Round("r" * 256)),
        replace(BET, currency="BTC", act=Debit(amount=Decimal("1e-9"))),
    ],
)
def test_what_it_has_no_words_for(tx: Transaction) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(tx, CALL)
    assert not isinstance(refused.value, Missing)


def test_a_wallet_of_another_currency_is_not_told_an_amount() -> None:
    """No call names one: it would take it for its own."""
    for name in ("wager", "result", "wagerAndResult", "jackpot", "reversewin"):
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(TXS[name], replace(CALL, currency="USD"))
        assert refused.value.reason is Reason.UNSUPPORTED


def test_what_undoes_a_movement_of_no_round_names_the_same() -> None:
    for name, reference in (("rollback", "b"), ("reversewin", "w"), ("rollbackrollback", "b")):
        bare = replace(TXS[name], round=None)
        assert f"roundid={reference}&" in DIALECT.encode_request(bare, CALL).query
    assert "roundid=b&" in DIALECT.encode_request(replace(BET, round=None), CALL).query


@pytest.mark.parametrize("what", ["player", "session", "game"])
def test_what_a_rollback_needs(what: str) -> None:
    blank: Any = None if what == "game" else ""
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(replace(TXS["rollback"], **{what: blank}), CALL)
    assert missing.value.field == what


def test_a_paid_wager_never_carries_a_campaign() -> None:
    assert "frbid" not in DIALECT.encode_request(replace(BET, free_round_id="f"), CALL).query
    free = replace(BET, act=Debit(amount=ONE, free_round=True), free_round_id="f")
    assert "betamount=0&frbid=f" in DIALECT.encode_request(free, CALL).query


# ---------------------------------------------------------------- ids

IDS = st.text("ab:~re=0.", min_size=1, max_size=8) | st.sampled_from(
    ["a", "jackpot:a", "result:a", "result:jackpot:a", "refund:a", "refund=1:a", "re", "are"]
)


@given(st.sets(st.tuples(st.sampled_from(["result", "jackpot"]), IDS), min_size=2, max_size=6))
def test_a_result_and_a_jackpot_never_share_an_id(calls: set[tuple[str, str]]) -> None:
    assert len({result_id(id) if name == "result" else f"jackpot:{id}" for name, id in calls}) == len(calls)


AMOUNTS = st.none() | st.decimals(Decimal("0.1"), Decimal(100), places=1)


@given(st.sets(st.tuples(IDS, AMOUNTS), min_size=2, max_size=6))
def test_two_rollbacks_never_share_an_id(calls: set[tuple[str, Decimal | None]]) -> None:
    assert len({refund_id(*each) for each in calls}) == len(calls)


@given(IDS)
def test_our_word_is_not_told_and_an_alias_is_told_as_it_is(id: str) -> None:
    assert told_id(f"acme:credit:{id}", "jackpot:") == f"acme:credit:{id}"
    if ":" not in id and not id.startswith("~"):
        assert told_id(f"jackpot:{id}", "jackpot:") == id


def test_what_a_reversal_may_stand_for() -> None:
    def named(name: str, reference: str, kind: Kind, amount: str = "") -> tuple[str, ...]:
        act = Rollback(reference=reference, reference_kind=kind, amount=Decimal(amount) if amount else None)
        return also_named(Transaction(act=act, id=name))

    assert named("refund:t1", "t1", Kind.DEBIT) == ()
    assert named("refund:t1re", "t1re", Kind.DEBIT) == ("t1re", "t1")
    assert named("refund:re", "re", Kind.DEBIT) == ()
    assert named("reversewin:t1", "t1", Kind.CREDIT, "1") == ("t1", "jackpot:t1")
    assert named("reversewin:t1re", "t1re", Kind.CREDIT, "1") == ("t1re", "jackpot:t1re", "t1", "jackpot:t1")
    assert named("rollbackrollback:t1", "refund:t1", Kind.ROLLBACK, "0.50") == ("refund=0.5:t1", "refund:t1")
    assert also_named(BET) == ()


# ---------------------------------------------------------------- what only describes

OWED = {
    "result": "roundid=r1&result=1.5",
    "jackpot": "amount=1.5",
    "rollback": "rollbackamount=1.5",
    "reversewin": "amount=1.5",
    "rollbackrollback": "rollbackAmount=1.5",
}
DESCRIBES = ("gamesessionid", "device", "apiversion", "gameid", "nogsgameid", "gamestatus", "frbid", "note")


@pytest.mark.parametrize("odd", ["-", "", "null", "2048", "%00", "%ff", "A" * 300, "%F0%9F%8E%B0", "%5B%5D"])
@pytest.mark.parametrize("name", OWED)
def test_what_only_describes_stops_nothing_that_is_owed(name: str, odd: str) -> None:
    """Whatever stands there, or nothing (`-`): the same money moves. A law says so of every JSON dialect."""
    fields = DESCRIBES if name == "result" else (*DESCRIBES, "roundid")

    def read(field: str, value: str) -> tuple[object, ...]:
        said = "&".join(f"{each}={value if each == field else '1'}" for each in fields if each != field or value != "-")
        query = f"request={name}&accountid=p1&transactionid=t1&{OWED[name]}&{said}"
        request = Request(method="GET", path="/", query=query)
        tx = DIALECT.decode_request(request, replace(CALL, name=name, request=request))
        act: Any = tx.act
        return tx.id, tx.player, act.amount, act.reference, getattr(act, "type", "")

    for field in fields:
        assert read(field, odd) == read("", ""), field


# ---------------------------------------------------------------- through the engine


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def asks(bench: Bench, name: str, **more: str) -> dict[str, Any]:
    """What Groove hears."""
    fields = {
        "request": name,
        "accountid": "p-1",
        "gamesessionid": "sess-p-1",
        "device": "desktop",
        "apiversion": "1.2",
    }
    if name not in ("getaccount", "getbalance"):
        fields |= {"gameid": "42", "roundid": "r1"}
    fields |= more
    request = Request(method="GET", path="/", query=urlencode({k: v for k, v in fields.items() if v != "-"}))
    heard = bench.raw(DIALECT.auth.sign(request, bench.provider.keys, bench.provider.settings, bench.scheduler.clock()))
    assert heard.status == 200
    assert heard.header("cache-control") == "no-store"
    found: dict[str, Any] = json.loads(heard.body)
    return found


def code(bench: Bench, name: str, **more: str) -> int:
    return int(asks(bench, name, **more)["code"])


PAIRS = pytest.mark.parametrize("wallet", ["native", "groove"])


def told(bench_of: MakeBench, wallet: str = "native") -> Bench:
    bench = bench_of("groove", wallet)
    bench.launch("sess-p-1", "p-1", currency="EUR")
    return bench


@PAIRS
def test_a_round_and_its_repeats(bench_of: MakeBench, wallet: str) -> None:
    """A repeat hears the first decision and the balance of now; another amount under the same id is 400."""
    bench = told(bench_of, wallet)
    first = asks(bench, "wager", betamount="2.5", transactionid="t1")
    assert (first["code"], first["status"], first["balance"]) == (200, "Success", 997.5)
    assert code(bench, "result", result="4", gamestatus="pending", transactionid="t2") == 200
    again = asks(bench, "wager", betamount="2.50", transactionid="t1", device="mobile")
    assert again == first | {"status": "Success - duplicate request", "balance": 1001.5, "real_balance": 1001.5}
    assert code(bench, "wager", betamount="2.51", transactionid="t1") == 400
    assert code(bench, "wager", betamount="5000", transactionid="t3") == 1006
    assert bench.till.balance() == Decimal("1001.50")


@PAIRS
def test_a_rollback_has_the_wagers_id_and_is_none_of_its_repeats(bench_of: MakeBench, wallet: str) -> None:
    bench = told(bench_of, wallet)
    assert code(bench, "wager", betamount="2.5", transactionid="t1") == 200
    assert asks(bench, "rollback", transactionid="t1", gamesessionid="-")["balance"] == 1000
    assert asks(bench, "rollback", transactionid="t1")["status"] == "Success - duplicate request"
    assert code(bench, "rollback", rollbackamount="2.5", transactionid="t1") == 110
    assert code(bench, "rollback", transactionid="never") == 102
    assert code(bench, "wager", betamount="1", transactionid="never") == 110
    assert bench.till.balance() == Decimal("1000.00")


def test_a_repeat_in_another_round_is_a_repeat(bench_of: MakeBench) -> None:
    """The page compares id, account and amount, and no round; a rollback that heard 400 would be sent for ever."""
    bench = told(bench_of)
    first = asks(bench, "wager", betamount="2.5", transactionid="t1", roundid="r1")
    again = asks(bench, "wager", betamount="2.5", transactionid="t1", roundid="r2")
    assert (again["status"], again["accounttransactionid"]) == (
        "Success - duplicate request",
        first["accounttransactionid"],
    )
    assert code(bench, "wager", betamount="2.6", transactionid="t1", roundid="r2") == 400
    assert code(bench, "wager", betamount="2.5", transactionid="t1", accountid="p-2", gamesessionid="s-2") == 400
    assert code(bench, "rollback", transactionid="t1", roundid="r3") == 200
    assert asks(bench, "rollback", transactionid="t1", roundid="r1")["status"] == "Success - duplicate request"
    assert bench.till.balance() == Decimal("1000.00")


def test_only_the_latest_wager_before_a_result_is_rolled_back(bench_of: MakeBench) -> None:
    bench = told(bench_of)
    for id in ("t1", "t2"):
        assert code(bench, "wager", betamount="1", transactionid=id) == 200
    assert code(bench, "rollback", transactionid="t1") == 110
    assert code(bench, "rollback", transactionid="t2") == 200
    assert code(bench, "wager", betamount="1", transactionid="t3") == 200
    assert code(bench, "result", result="0", gamestatus="completed", transactionid="t4") == 200
    assert code(bench, "rollback", transactionid="t3") == 110
    assert (
        code(
            bench, "wagerAndResult", betamount="1", result="2", gamestatus="completed", transactionid="t5", roundid="r2"
        )
        == 200
    )
    assert code(bench, "rollback", transactionid="t5", roundid="r2") == 110
    assert bench.till.balance() == Decimal("999.00")


def test_a_completed_round_takes_no_wager_and_no_result(bench_of: MakeBench) -> None:
    """But its repeats, and a jackpot, as in the card's examples."""
    bench = told(bench_of)
    assert code(bench, "wager", betamount="1", transactionid="t1") == 200
    assert code(bench, "result", result="3", gamestatus="completed", transactionid="t2") == 200
    assert code(bench, "wager", betamount="1", transactionid="t3") == 409
    assert code(bench, "result", result="3", gamestatus="completed", transactionid="t4") == 409
    assert code(bench, "wagerAndResult", betamount="1", result="3", gamestatus="completed", transactionid="t5") == 409
    assert code(bench, "result", result="3", gamestatus="completed", transactionid="t2") == 200
    assert code(bench, "jackpot", amount="50", gamestatus="completed", transactionid="t2") == 200
    assert bench.till.balance() == Decimal("1052.00")


def test_a_wager_is_rolled_back_in_parts(bench_of: MakeBench) -> None:
    """Under one transactionid; never more than it was."""
    bench = told(bench_of)
    assert code(bench, "wager", betamount="5", transactionid="t1") == 200
    assert asks(bench, "rollback", rollbackamount="2", transactionid="t1")["balance"] == 997
    assert asks(bench, "rollback", rollbackamount="2.00", transactionid="t1")["status"] == "Success - duplicate request"
    assert code(bench, "rollback", rollbackamount="3.01", transactionid="t1") == 110
    assert asks(bench, "rollback", rollbackamount="null", transactionid="t1")["balance"] == 1000
    assert code(bench, "rollback", rollbackamount="1", transactionid="t1") == 110
    assert bench.till.balance() == Decimal("1000.00")


@PAIRS
def test_a_win_is_reversed_by_its_id_and_its_amount(bench_of: MakeBench, wallet: str) -> None:
    bench = told(bench_of, wallet)
    assert code(bench, "result", result="4", gamestatus="completed", transactionid="t2") == 200
    assert code(bench, "jackpot", amount="50", gamestatus="completed", transactionid="t3") == 200
    assert code(bench, "reversewin", amount="3", transactionid="t2") == 400
    assert code(bench, "reversewin", amount="4", transactionid="t2re", roundid="-", apiversion="-") == 200
    assert code(bench, "reversewin", amount="50", transactionid="t3") == 200
    assert code(bench, "reversewin", amount="4", transactionid="t9") == 102
    assert code(bench, "result", result="1", gamestatus="completed", transactionid="t4", roundid="r2") == 200
    assert code(bench, "jackpot", amount="60", gamestatus="completed", transactionid="t4", roundid="r2") == 200
    assert (
        code(bench, "reversewin", amount="60", transactionid="t4", roundid="r2") == 200
    )  # of two the one that is meant
    assert code(bench, "reversewin", amount="1", transactionid="t4", roundid="r2") == 400  # one key, as the card says
    assert bench.till.balance() == Decimal("1001.00")


@pytest.mark.parametrize("provider", ["groove", "native"])
def test_a_wallet_is_told_the_taking_back_of_a_refund_by_its_wager(bench_of: MakeBench, provider: str) -> None:
    """It knows no other id of that refund; and as it would take the next refund of that wager for the first, that one is
    not told as done: it waits for a person."""
    bench = bench_of(provider, "groove")
    bench.launch("sess-p-1", "p-1", currency="EUR")
    for tx in (
        replace(BET, id="t1", player="p-1", session="sess-p-1"),
        replace(BET, id="refund:t1", player="p-1", session="sess-p-1", act=Rollback(reference="t1")),
        replace(
            BET, id="rollbackrollback:t1", player="p-1", session="sess-p-1",
            act=Rollback(reference="refund:t1", reference_kind=Kind.ROLLBACK, amount=Decimal("2.50"), beyond="t1"),
        ),
    ):  # fmt: skip
        assert isinstance(bench.call(tx), Accepted)
    assert bench.till.last(Kind.ROLLBACK).act.amount == Decimal("2.50")  # type: ignore[union-attr]  # it is a rollback
    assert bench.till.balance() == Decimal("997.50")
    part = replace(
        BET, id="again", player="p-1", session="sess-p-1", act=Rollback(reference="t1", amount=Decimal("2.5"))
    )
    assert isinstance(bench.call(part), Unknown)
    assert bench.row(Kind.ROLLBACK, "again" if provider == "native" else "refund=2.5:t1").state is State.PERSON
    assert bench.till.balance() == Decimal("997.50")


def test_a_refund_is_taken_back(bench_of: MakeBench) -> None:
    """Of all or of a part; then the wager stands again."""
    bench = told(bench_of)
    assert code(bench, "wager", betamount="5", transactionid="t1") == 200
    assert code(bench, "rollbackrollback", rollbackAmount="5", transactionid="never") == 102
    assert code(bench, "rollback", transactionid="t1") == 200
    assert code(bench, "rollbackrollback", rollbackAmount="4", transactionid="t1") == 400
    assert code(bench, "wager", betamount="5", transactionid="t2", roundid="r2") == 200
    assert code(bench, "rollback", rollbackamount="2", transactionid="t2", roundid="r2") == 200
    assert code(bench, "rollbackrollback", rollbackAmount="2", transactionid="t2", roundid="r2") == 200
    assert bench.till.balance() == Decimal("995.00")


def test_the_rest_of_a_wager_is_taken_back_by_what_it_was(bench_of: MakeBench) -> None:
    """Two of five were given back, then all that was left: three. So much is taken back, and may be given once more."""
    bench = told(bench_of)
    assert code(bench, "wager", betamount="5", transactionid="t1") == 200
    assert code(bench, "rollback", rollbackamount="2", transactionid="t1") == 200
    assert code(bench, "rollback", transactionid="t1") == 200
    assert asks(bench, "rollbackrollback", rollbackAmount="3", transactionid="t1")["balance"] == 997
    assert not bench.row(Kind.DEBIT, "t1").undone_by
    assert code(bench, "rollback", rollbackamount="3.01", transactionid="t1") == 110
    assert asks(bench, "rollback", rollbackamount="3", transactionid="t1")["balance"] == 1000
    assert code(bench, "rollback", rollbackamount="1", transactionid="t1") == 110


@pytest.mark.parametrize("name", ["wager", "result", "rollback", "getbalance"])
def test_a_session_of_another_account_is_refused(bench_of: MakeBench, name: str) -> None:
    """Form A: `p-1` and `21.2` reads as `p-12` and `1.2` does."""
    bench = told(bench_of)
    more = {"betamount": "1", "result": "1", "gamestatus": "completed", "transactionid": "t1"}
    given = {} if name == "getbalance" else more
    assert code(bench, name, accountid="p-12", **given) == 110
    assert not bench.till.asked(Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK)


def test_who_plays_is_learnt_from_getaccount(bench_of: MakeBench) -> None:
    """No other call names a currency; a wallet that is asked who plays says it, too."""
    bench = bench_of("groove", "native")
    assert asks(bench, "getaccount")["currency"] == "EUR"
    assert code(bench, "wager", betamount="1", transactionid="t1") == 200
    assert code(bench, "wager", betamount="0.001", transactionid="t2") == 110
    assert bench.row(Kind.DEBIT, "t1").tx.currency == "EUR"


@PAIRS
def test_free_rounds_take_nothing(bench_of: MakeBench, wallet: str) -> None:
    bench = told(bench_of, wallet)
    assert asks(bench, "wager", betamount="0", frbid="f-1", transactionid="t1")["balance"] == 1000
    assert asks(bench, "result", result="3", frbid="f-1", gamestatus="completed", transactionid="t2")["balance"] == 1003
    assert (
        asks(bench, "result", result="3", frbid="f-1", gamestatus="completed", transactionid="t3", roundid="r2")[
            "balance"
        ]
        == 1006
    )


def test_a_wager_in_doubt_is_1_and_its_rollback_undoes_it(bench_of: MakeBench) -> None:
    bench = told(bench_of)
    bench.till.always(lost_after, Kind.DEBIT)
    assert code(bench, "wager", betamount="5", transactionid="t1") == 1
    bench.till.heal()
    assert code(bench, "rollback", transactionid="t1") in (1, 200)
    bench.settlement(300)
    assert code(bench, "rollback", transactionid="t1") == 200
    assert bench.till.balance() == Decimal("1000.00")


def test_a_part_is_not_told_to_a_wallet_that_may_take_the_next_for_its_repeat(bench_of: MakeBench) -> None:
    """Two parts of one amount are one rollback there: what is owed waits for a person rather than being told as done."""
    bench = told(bench_of, "groove")
    assert code(bench, "wager", betamount="5", transactionid="t1") == 200
    assert code(bench, "rollback", rollbackamount="2", transactionid="t1") == 1
    assert bench.row(Kind.ROLLBACK, "refund=2:t1").state is State.PERSON
    assert bench.till.balance() == Decimal("995.00")


def test_unsigned_behind_a_guard(bench_of: MakeBench) -> None:
    bench = bench_of(
        a_provider("groove", settings={"signature_form": "none"}), a_wallet("groove", settings={"signature_form": "B"})
    )
    bench.launch("sess-p-1", "p-1", currency="EUR")
    assert code(bench, "wager", betamount="1", transactionid="t1") == 200
