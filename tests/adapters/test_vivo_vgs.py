"""Vivo Gaming: what one vector cannot show."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.vivo_vgs.dialect import CALLS, DIALECT, ERRORS, booked_as, framed
from gateway.auth import Key
from gateway.dialect import Call, NoCall
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    Check,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Notice,
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
from gateway.vectors import CURRENCIES
from gateway.xml import parsed
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.engine.histories import DOUBT, nothing_is_open, word
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import PLAYER, QUERY, Bench, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(now=NOW, provider="acme", currency="EUR", currencies=CURRENCIES)
KEY = "vivo-test-pass"
OLD, NEW = (Key(id=name, parts={"secret": f"vivo-{name}"}) for name in ("old", "new"))
ONE = Decimal("1.00")
BET = Transaction(act=Debit(amount=Decimal("2.50")), id="1", player="p", session="s", currency="EUR", round=Round("r"))
SAID = {
    "Authenticate": Transaction(act=Authenticate(), session="s", player="p", currency="EUR"),
    "GetBalance": Transaction(act=Balance(), player="p", currency="EUR"),
    "ChangeBalance": BET,
    "Status": Transaction(act=Status(reference="1"), player="p"),
}
CANCEL = replace(BET, act=Rollback(amount=ONE, scope="round"))
WIN = replace(BET, act=Credit(amount=ONE))
NAMES = [wire.name for wire in CALLS]
ORDER = {
    "authenticate.do": ("token",),
    "getbalance.do": ("userId",),
    "ChangeBalance.aspx": ("userId", "Amount", "TrnType", "TrnDescription", "roundId", "gameId", "History"),
    "requeststatus.do": ("userId", "casinoTransactionId"),
}


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def asked(path: str, **fields: str) -> Request:
    """As the studio sends it, signed by a hand of our own."""
    text = "".join(fields.get(name, "") for name in ORDER[path]) + KEY
    proof = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in {**fields, "hash": proof}.items())
    return Request(method="GET", path=f"/{path}", query=query, target=f"/{path}?{query}")


def changing(word: str, id: str, amount: str, **more: str) -> Request:
    fields = {
        "userId": PLAYER, "Amount": amount, "TransactionID": id, "TrnType": word, "TrnDescription": "GameRound:TableID=7",
        "roundId": "R-1", "gameId": "14", "History": "", "isRoundFinished": "false", "sessionId": "sess-p-1", **more,
    }  # fmt: skip
    return asked("ChangeBalance.aspx", **fields)


def said_by(response: Response) -> dict[str, str]:
    frame = parsed(response.body)["VGSSYSTEM"]
    answer: dict[str, str] = frame["RESPONSE"]
    assert (response.status, list(frame)) == (200, ["REQUEST", "TIME", "RESPONSE"])
    return answer


def change(bench: Bench, word: str, id: str, amount: str, **more: str) -> str:
    """The balance, or the code."""
    answer = said_by(bench.raw(changing(word, id, amount, **more)))
    bench.rest(1)
    return answer["BALANCE"] if answer["RESULT"] == "OK" else answer["CODE"]


def number(bench: Bench, word: str, id: str, amount: str, **more: str) -> str:
    answer = said_by(bench.raw(changing(word, id, amount, **more)))
    bench.rest(1)
    return answer["ECSYSTEMTRANSACTIONID"]


def status(bench: Bench, id: str) -> str:
    """The number, or the code."""
    answer = said_by(bench.raw(asked("requeststatus.do", userId=PLAYER, casinoTransactionId=id)))
    bench.rest(1)
    return answer["ECSYSTEMTRANSACTIONID"] if answer["RESULT"] == "OK" else answer["CODE"]


# ---------------------------------------------------------------- two laws: every reason said, every code heard

TABLE = dict.fromkeys(Reason, "301") | {
    Reason.INSUFFICIENT_FUNDS: "300", Reason.PLAYER_NOT_FOUND: "310", Reason.NOT_AUTHENTICATED: "400",
    Reason.SESSION_EXPIRED: "400", Reason.BAD_SIGNATURE: "500",
}  # fmt: skip
UNDONE = (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)


@pytest.mark.parametrize("name", ["", *NAMES])
@pytest.mark.parametrize("read", [True, False])
def test_every_reason_and_doubt_are_said_as_the_card_says_them(name: str, read: bool) -> None:
    """Also where the request could not be read; 302 to Status alone."""
    tx, call = SAID.get(name) if read else None, replace(CALL, name=name)
    for reason, code in TABLE.items():
        answer = said_by(DIALECT.encode_response(Declined(reason=reason, balance=ONE), tx, call))
        only = name == "Status" and reason is Reason.TRANSACTION_NOT_FOUND
        assert answer == {"RESULT": "FAILED", "CODE": "302" if only else code}, reason
    assert said_by(DIALECT.encode_response(Unknown(), tx, call)) == {"RESULT": "FAILED", "CODE": "399"}


def test_a_cancel_alone_hears_two_of_them_as_success() -> None:
    call = replace(CALL, name="ChangeBalance")
    for reason, code in TABLE.items():
        answer = said_by(DIALECT.encode_response(Declined(reason=reason, balance=ONE, currency="EUR"), CANCEL, call))
        done = {"RESULT": "OK", "ECSYSTEMTRANSACTIONID": booked_as("", "acme", "1"), "BALANCE": "1.00"}
        assert answer == (done if reason in UNDONE else {"RESULT": "FAILED", "CODE": code})


def test_status_says_of_whatever_was_declined_that_it_is_not_booked() -> None:
    for reason in Reason:
        outcome = Declined(reason=reason, replayed=True)
        answer = DIALECT.encode_response(outcome, SAID["Status"], replace(CALL, name="Status"))
        assert said_by(answer) == {"RESULT": "FAILED", "CODE": "302"}


def test_status_says_of_a_cancel_that_moved_nothing_what_the_cancel_was_told() -> None:
    """OK, and the same number: the journal knows that it is a cancel, the wire does not."""
    status = replace(SAID["Status"], act=Status(reference="1", reference_kind=Kind.ROLLBACK))
    for reason in Reason:
        outcome = Declined(reason=reason, replayed=True)
        answer = said_by(DIALECT.encode_response(outcome, status, replace(CALL, name="Status")))
        done = {"RESULT": "OK", "ECSYSTEMTRANSACTIONID": booked_as("", "acme", "1")}
        assert answer == (done if reason in UNDONE else {"RESULT": "FAILED", "CODE": "302"})


HEARD = {
    "300": Reason.INSUFFICIENT_FUNDS, "301": Reason.INVALID_REQUEST, "310": Reason.PLAYER_NOT_FOUND,
    "400": Reason.NOT_AUTHENTICATED, "500": Reason.BAD_SIGNATURE,
}  # fmt: skip
ODD = ("", "0", "200", "299", "302", "303", "399", "401", "0300", "300.0", " 300", "\uff13\uff10\uff10", "OK")


@pytest.mark.parametrize("tx", [*SAID.values(), WIN, CANCEL], ids=lambda tx: str(tx.kind))
def test_every_code_is_heard_as_one_of_no_and_doubt(tx: Transaction) -> None:
    for code in (*HEARD, *ODD):
        heard = DIALECT.decode_response(framed({"RESULT": "FAILED", "CODE": code}, None, NOW), tx, CALL)
        if tx.kind is Kind.STATUS:
            wanted: Any = Reason.TRANSACTION_NOT_FOUND if code == "302" else None
        else:
            wanted = HEARD.get(code.strip())
        if wanted is None:
            assert isinstance(heard, Unknown), code
        else:
            assert heard == Declined(reason=wanted), code
    assert {ERRORS.code(reason) for reason in Reason} | {"399"} == {*HEARD, "302", "399"}


@pytest.mark.parametrize("tx", [*SAID.values(), WIN, CANCEL], ids=lambda tx: str(tx.kind))
def test_doubt_is_heard_as_doubt_and_no_refusal_as_a_yes(tx: Transaction) -> None:
    """A cancel that found nothing is a success at the other end as well: nothing moved, or it was undone before."""
    name = next(wire.name for wire in CALLS if tx.kind in wire.kinds)
    call = replace(CALL, name=name)
    heard = DIALECT.decode_response(DIALECT.encode_response(Unknown(), tx, call), tx, CALL)
    assert isinstance(heard, Unknown)
    for reason in Reason:
        answer = DIALECT.encode_response(Declined(reason=reason, balance=ONE, currency="EUR"), tx, call)
        success = tx is CANCEL and reason in UNDONE
        about_the_query = tx.kind is Kind.STATUS and reason is not Reason.TRANSACTION_NOT_FOUND
        wanted = Accepted if success else Unknown if about_the_query else Declined
        assert isinstance(DIALECT.decode_response(answer, tx, CALL), wanted), reason


# ---------------------------------------------------------------- calls, keys, money


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/authenticate.do", "Authenticate"), ("/Authenticate.aspx", "Authenticate"), ("/AUTHENTICATE/", "Authenticate"),
        ("/ChangeBalance.aspx", "ChangeBalance"), ("/changebalance.do", "ChangeBalance"),
        ("/requeststatus.do", "Status"), ("/Status.aspx", "Status"), ("/getbalance.do/", "GetBalance"),
        ("/GetBalance", "GetBalance"),
    ],
)  # fmt: skip
def test_the_path_names_its_call_in_any_case_with_any_ending(path: str, name: str) -> None:
    assert DIALECT.route(Request(method="GET", path=path), None) == name
    with pytest.raises(NoCall) as other:
        DIALECT.route(Request(method="POST", path=path), None)
    assert other.value.allow == ("GET",)


@pytest.mark.parametrize("path", ["/", "", "/refund.do", "/a/authenticate.do", "/authenticate.do.x", "/getbalance.1"])
def test_another_path_is_no_call(path: str) -> None:
    with pytest.raises(NoCall) as none:
        DIALECT.route(Request(method="GET", path=path), None)
    assert none.value.allow == ()


def test_any_key_verifies_and_the_first_signs() -> None:
    assert DIALECT.auth.weak(None)
    for key in (OLD, NEW):
        for tx in (*SAID.values(), WIN, CANCEL):
            signed = DIALECT.auth.sign(DIALECT.encode_request(tx, CALL), (key,), None, NOW)
            assert DIALECT.auth.verify(signed, (NEW, OLD), None, NOW) == key.id
            with pytest.raises(Refused) as refused:
                DIALECT.auth.verify(signed, (Key(id="x", parts={"secret": "other"}),), None, NOW)
            assert refused.value.reason is Reason.BAD_SIGNATURE


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    word=st.sampled_from(["WIN", "CANCELED_BET", "CANCELLED_BET"]),
    odd=st.dictionaries(
        st.sampled_from(
            ["TrnDescription", "gameId", "History", "isRoundFinished", "sessionId", "dealerId", "x", "y-1"]
        ),
        WORDS,
    ),
)
def test_what_only_describes_stops_no_win_and_no_cancel(word: str, odd: dict[str, str]) -> None:
    """And the echo of it is XML that says it again."""
    request = asked(
        "ChangeBalance.aspx", userId="p", Amount="2.50", TransactionID="7", TrnType=word, roundId="R", **odd
    )
    DIALECT.auth.verify(request, (Key(id="k", parts={"secret": KEY}),), None, NOW)
    call = replace(CALL, name="ChangeBalance", request=request)
    tx = DIALECT.decode_request(request, call)
    amount = Decimal("2.50")
    wanted = Credit(amount=amount) if word == "WIN" else Rollback(amount=amount, scope="round")
    assert (tx.act, tx.id, tx.player, tx.round_id) == (wanted, "7", "p", "R")
    frame = parsed(DIALECT.encode_response(Unknown(), tx, call).body)["VGSSYSTEM"]
    assert frame["REQUEST"]["TRANSACTIONID"] == "7"


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(cents=st.integers(0, 10**15))
def test_an_amount_is_exact_on_the_way_there_and_back(cents: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    request = DIALECT.encode_request(replace(BET, act=Debit(amount=amount)), CALL)
    tx = DIALECT.decode_request(request, replace(CALL, name="ChangeBalance", request=request))
    assert tx.act == Debit(amount=amount)


@pytest.mark.parametrize(("currency", "amount"), [("KWD", "1.259"), ("BTC", "0.00000001")])
def test_a_finer_amount_cannot_be_told(currency: str, amount: str) -> None:
    tx = replace(BET, currency=currency, act=Debit(amount=Decimal(amount)))
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(tx, replace(CALL, currency=currency))
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


def test_another_currency_than_its_wallets_cannot_be_told() -> None:
    with pytest.raises(Refused):
        DIALECT.encode_request(replace(BET, currency="USD"), CALL)
    assert DIALECT.encode_request(replace(BET, currency="USD"), replace(CALL, currency="")).query


UNSAID = [
    Check(), CloseRound(), Notice(), Reserve(amount=ONE), Capture(reference="1"), Adjust(amount=ONE),
    Settle(debit=ONE, credit=ONE), Batch(items=()), Debit(amount=ONE, free_round=True), Debit(amount=ONE, tracking_only=True),
    Credit(amount=ONE, tracking_only=True), Rollback(reference="1", reference_kind=Kind.CREDIT, amount=ONE),
    Status(reference="1", reference_kind=Kind.RESERVE), Status(reference="1", scope="bet"),
    Status(reference="1", others=("2",)),
]  # fmt: skip


@pytest.mark.parametrize("act", UNSAID, ids=lambda act: type(act).__name__)
def test_what_it_cannot_say(act: Any) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, act=act), CALL)
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


@pytest.mark.parametrize(
    ("tx", "what"),
    [
        (replace(SAID["Authenticate"], session=""), "session"), (replace(BET, player=""), "player"),
        (replace(BET, id=""), "id"), (replace(CANCEL, round=None), "round"),
        (replace(CANCEL, act=Rollback(reference="1")), "amount"), (replace(SAID["GetBalance"], player=""), "player"),
    ],
)  # fmt: skip
def test_what_it_needs(tx: Transaction, what: str) -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(tx, CALL)
    assert missing.value.field == what


@given(tx_id=st.integers(0, 10**20).map(str), wallet_id=st.text(max_size=20) | st.integers(0, 2**64).map(str))
def test_an_id_of_the_wallets_and_one_of_ours_never_meet(tx_id: str, wallet_id: str) -> None:
    told = booked_as(wallet_id, "acme", tx_id)
    assert told.isascii()
    assert told.isdigit()
    assert 1 <= int(told) < 2**63
    assert told == booked_as(wallet_id, "acme", tx_id)
    assert (len(told) < 19) is (told == wallet_id)


# ---------------------------------------------------------------- the provider's end, through the engine


def test_the_frame_repeats_the_request_and_is_escaped(bench_of: MakeBench) -> None:
    bench = bench_of("vivo_vgs")
    request = changing("BET", "1", "1.00", History="DEALER TIP<")
    frame = parsed(bench.raw(request).body)["VGSSYSTEM"]
    assert list(frame["REQUEST"]) == [pair.partition("=")[0].upper() for pair in request.query.split("&")]
    assert frame["REQUEST"]["HISTORY"] == "DEALER TIP<"
    assert bench.till.last(Kind.DEBIT).act == Debit(amount=ONE, type="tip")


def test_a_repeat_has_the_same_number_and_the_balance_of_now(bench_of: MakeBench) -> None:
    bench = bench_of("vivo_vgs")
    first = number(bench, "BET", "1", "2.50")
    assert change(bench, "WIN", "2", "10.00", isRoundFinished="true") == "1007.50"
    assert change(bench, "BET", "1", "2.50", sessionId="other", isRoundFinished="true") == "1007.50"
    assert number(bench, "BET", "1", "2.50") == first == status(bench, "1")
    assert bench.till.asked() == 2


@pytest.mark.parametrize(
    "other",
    [{"TrnDescription": "x"}, {"gameId": "15"}, {"History": "9"}, {"roundId": "R-2"}, {"gameId": ""}],
    ids=lambda other: next(iter(other)),
)
def test_rule_02_the_same_id_with_another_covered_field_is_another_movement(
    bench_of: MakeBench, other: dict[str, str]
) -> None:
    """The id itself is not covered, so what is covered is stored with it (trap 1)."""
    bench = bench_of("vivo_vgs")
    assert change(bench, "BET", "1", "2.50", History="8") == "997.50"
    assert change(bench, "BET", "1", "2.50", **{"History": "8", **other}) == "301"
    assert change(bench, "BET", "1", "5.00", History="8") == "301"
    assert change(bench, "TIP", "1", "2.50", History="8") == "301"
    assert change(bench, "WIN", "1", "2.50", History="8") == "301"  # one space of ids
    assert change(bench, "BET", "1", "2.5", History="8") == "997.50"
    assert bench.till.asked() == 1


def test_two_ids_that_say_the_same_are_told_to_people(bench_of: MakeBench) -> None:
    """Trap 1: somebody may have sent a call again under an id of his own."""
    bench = bench_of("vivo_vgs")
    for id in ("1", "2"):
        change(bench, "BET", id, "2.50", History="17,15")
    change(bench, "BET", "3", "2.50", History="4,8")
    assert [each for each in bench.tally.replays if each[2] == "twin"] == [("acme", "debit", "twin")]


def test_rule_16_a_cancel_means_the_newest_equal_bet_of_its_round(bench_of: MakeBench) -> None:
    """Trap 3: it has no reference."""
    bench = bench_of("vivo_vgs")
    for id, amount, round_id in (
        ("1", "5.00", "R-1"),
        ("2", "5.00", "R-1"),
        ("3", "7.00", "R-1"),
        ("4", "5.00", "R-2"),
    ):
        change(bench, "BET", id, amount, roundId=round_id)
    assert change(bench, "CANCELED_BET", "5", "5.00") == "983.00"
    assert change(bench, "CANCELLED_BET", "6", "5.0") == "988.00"
    assert change(bench, "CANCELED_BET", "7", "5.00") == "988.00"  # OK, and nothing moves
    assert [tx.act.reference for tx in bench.till.sent if isinstance(tx.act, Rollback)] == ["2", "1"]
    numbers = {number(bench, "CANCELED_BET", id, "5.00") for id in ("5", "7")}
    assert numbers == {status(bench, "5"), status(bench, "7")}
    assert len(numbers) == 2
    nothing_is_open(bench)


def test_rule_16_a_cancel_that_comes_first_is_remembered_by_round_and_amount_once(bench_of: MakeBench) -> None:
    """Trap 3: the bet that comes after it is 301, and no further one."""
    bench = bench_of("vivo_vgs")
    assert change(bench, "CANCELED_BET", "9", "5.00") == "1000.00"
    assert change(bench, "BET", "1", "5.00", roundId="R-2") == "995.00"
    assert change(bench, "BET", "2", "5.00") == "301"
    assert (status(bench, "2"), status(bench, "9").isdigit()) == ("302", True)
    assert change(bench, "BET", "3", "5.00") == "990.00"


@pytest.mark.parametrize("seed", range(3))
def test_rule_16_cancels_never_give_back_more_than_the_bets_of_their_round(bench_of: MakeBench, seed: int) -> None:
    """Any order of bets, wins, cancels and repeats, beside a count of what is open and of what is awaited."""
    chance, bench = random.Random(seed), bench_of("vivo_vgs")  # play, not secrets
    cash, open_, awaited = Decimal("1000.00"), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for id in range(1, 50):
        word, place = chance.choice(("BET", "BET", "WIN", "CANCELED_BET")), (chance.choice("ab"), chance.choice("12"))
        amount = Decimal(place[1])
        takes, buried = word == "BET" and not awaited[place], word == "BET" and awaited[place] > 0
        gives = word == "WIN" or (word == "CANCELED_BET" and open_[place] > 0)
        awaited[place] += (word == "CANCELED_BET" and not open_[place]) - buried
        open_[place] += takes - (gives and word == "CANCELED_BET")
        cash += amount * (gives - takes)
        for _ in range(chance.choice((1, 1, 2))):
            told = change(bench, word, str(id), f"{amount}.00", roundId=place[0])
            assert told == ("301" if buried else f"{cash}"), (id, word, place)
        assert bench.till.balance() == cash
    nothing_is_open(bench)


def test_a_cancel_after_the_win_gives_the_stake_back(bench_of: MakeBench) -> None:
    """As in the card's example."""
    bench = bench_of("vivo_vgs")
    assert change(bench, "BET", "1", "0.50") == "999.50"
    assert change(bench, "WIN", "2", "1.20", isRoundFinished="1") == "1000.70"
    assert change(bench, "CANCELED_BET", "3", "0.50", isRoundFinished="1") == "1001.20"


@pytest.mark.parametrize("word", ["BET", "WIN", "CANCELED_BET", "TIP"])
def test_rule_15_a_late_call_under_an_id_that_was_not_booked_moves_nothing(bench_of: MakeBench, word: str) -> None:
    """302, then 301: a timed out call may still be on its way when its provider asks."""
    bench = bench_of("vivo_vgs")
    assert change(bench, "BET", "1", "5.00") == "995.00"
    assert [status(bench, "9") for _ in range(2)] == ["302", "302"]
    assert [change(bench, word, "9", "5.00") for _ in range(2)] == ["301", "301"]
    assert status(bench, "9") == "302"
    assert change(bench, "CANCELED_BET", "2", "5.00") == "1000.00"


def test_status_tells_booked_not_booked_and_doubt(bench_of: MakeBench) -> None:
    bench = bench_of("vivo_vgs", a_wallet("native", repeats=QUERY))
    booked = number(bench, "BET", "1", "5.00")
    assert change(bench, "BET", "2", "5000.00") == "300"
    bench.till.always(lost_after)
    assert change(bench, "BET", "3", "5.00") == "399"
    assert [status(bench, id) for id in ("1", "2", "3")] == [booked, "302", "399"]
    assert status(bench, "4") == "399"  # its wallet does not say
    bench.till.heal()
    bench.settlement(600, 5)
    assert status(bench, "3").isdigit()
    assert status(bench, "4") == "302"


def test_rule_15_another_players_id_is_not_found_and_stays_that_players(bench_of: MakeBench) -> None:
    """*Somebody asked with his own name about another's bet, and its repeat was refused from then on.*"""
    bench = bench_of("vivo_vgs", opening={PLAYER: Decimal("1000.00"), "p-2": Decimal("1000.00")})
    booked = number(bench, "BET", "1", "5.00")
    assert said_by(bench.raw(asked("requeststatus.do", userId="p-2", casinoTransactionId="1")))["CODE"] == "302"
    assert status(bench, "1") == booked
    assert number(bench, "BET", "1", "5.00") == booked


def test_rule_06_a_win_that_its_wallet_refuses_for_a_moment_is_doubt(bench_of: MakeBench) -> None:
    """So that its repeats reach the wallet."""
    bench = bench_of("vivo_vgs")
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), Kind.CREDIT)
    assert change(bench, "WIN", "1", "5.00") == "399"
    bench.till.heal()
    assert change(bench, "WIN", "1", "5.00") == "1005.00"


def test_a_forged_call_moves_nothing(bench_of: MakeBench) -> None:
    bench = bench_of("vivo_vgs")
    request = changing("WIN", "1", "5.00")
    forged = replace(request, query=request.query.replace("Amount=5.00", "Amount=5000.00"))
    assert said_by(bench.raw(forged)) == {"RESULT": "FAILED", "CODE": "500"}
    assert bench.till.sent == []
    assert bench.tally.signature_failures == [("acme", "")]


def test_authenticate_says_who_plays_and_its_session_is_known(bench_of: MakeBench) -> None:
    bench = bench_of("vivo_vgs")
    answer = said_by(bench.raw(asked("authenticate.do", token="sess-p-1")))
    assert (answer["USERID"], answer["CURRENCY"], answer["BALANCE"]) == (PLAYER, "EUR", "1000.00")
    assert answer["GAMESESSIONID"] == "sess-p-1"
    assert said_by(bench.raw(asked("getbalance.do", userId=PLAYER))) == {"RESULT": "OK", "BALANCE": "1000.00"}


# ---------------------------------------------------------------- the wallet's end, through the engine


def test_a_wallet_of_it_is_told_numbers_and_a_cancel_by_round_and_amount(bench_of: MakeBench) -> None:
    bench = bench_of("native", "vivo_vgs")
    yes(bench.call(bet("t-1", "5.00")))
    yes(bench.call(win("w-1", "2.00")))
    assert bench.till.balance() == Decimal("997.00")
    yes(bench.call(undo("r-1", "t-1")))
    assert bench.till.balance() == Decimal("1002.00")
    told = [tx.id for tx in bench.till.sent]
    assert all(len(id) == 19 and id.isdigit() for id in told)
    assert len({*told}) == 3
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(amount=Decimal("5.00"), scope="round")
    nothing_is_open(bench)


def test_a_bet_in_doubt_there_is_asked_about(bench_of: MakeBench) -> None:
    bench = bench_of("native", a_wallet("vivo_vgs", repeats=QUERY))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    yes(bench.call(bet("t-1", "5.00")))
    assert (bench.till.asked(Kind.DEBIT), bench.till.asked(Kind.STATUS)) == (1, 1)
    assert bench.till.balance() == Decimal("995.00")


def test_rule_10_a_bet_that_never_arrived_there_is_not_booked(bench_of: MakeBench) -> None:
    """302 to our query, once nothing can be on its way any more."""
    bench = bench_of("native", a_wallet("vivo_vgs", repeats=QUERY))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("t-1", "5.00"))) == DOUBT
    bench.settlement(600, 5)
    assert bench.row(Kind.DEBIT, "t-1").state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")


def test_a_repeated_cancel_there_is_one(bench_of: MakeBench) -> None:
    """The first was applied and its answer lost: asked again under its own id it finds itself, not the other bet."""
    bench = bench_of("native", "vivo_vgs")
    yes(bench.call(bet("t-1", "5.00")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(undo("r-1", "t-1")))
    assert bench.till.asked(Kind.ROLLBACK) == 2
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_15_the_cancel_of_what_came_through_nobody_here_is_not_told(bench_of: MakeBench) -> None:
    """OK would be its answer, and then the bet might come."""
    bench = bench_of("native", "vivo_vgs")
    assert why(bench.call(undo("r-1", "never", "5.00"))) is Reason.TRANSACTION_NOT_FOUND
    assert why(bench.call(bet("never", "5.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked() == 0


def test_a_bet_of_no_round_there_has_one_of_its_own_and_can_be_undone(bench_of: MakeBench) -> None:
    bench = bench_of("native", "vivo_vgs")
    for id in ("t-1", "t-2"):
        yes(bench.call(bet(id, "5.00", round_id="")))
    yes(bench.call(undo("r-1", "t-1", round_id="")))
    told = [tx for tx in bench.till.sent if tx.kind is not Kind.BALANCE]
    one, other, cancel = (tx.round_id for tx in told)
    assert cancel == one != other
    assert one
    assert other
    assert bench.till.balance() == Decimal("995.00")


def test_rule_16_one_of_two_equal_bets_cannot_be_told_there(bench_of: MakeBench) -> None:
    """Which one such a wallet gives back is not known; both together are."""
    bench = bench_of("vivo_vgs", "vivo_vgs")
    for id in ("1", "2"):
        change(bench, "BET", id, "5.00")
    assert change(bench, "CANCELED_BET", "3", "5.00") == "399"
    assert bench.row(Kind.ROLLBACK, "3").state is State.PERSON
    assert change(bench, "CANCELED_BET", "4", "5.00") == "995.00"
    assert change(bench, "CANCELED_BET", "3", "5.00") == "1000.00"
    nothing_is_open(bench)


def test_from_end_to_end(bench_of: MakeBench) -> None:
    bench = bench_of("vivo_vgs", "vivo_vgs")
    assert change(bench, "BET", "1", "5.00", History="17,15") == "995.00"
    assert change(bench, "BET", "2", "1.00", History="DEALER TIP") == "994.00"
    assert change(bench, "WIN", "3", "2.00") == "996.00"
    assert change(bench, "CANCELED_BET", "4", "5.00") == "1001.00"
    told = [tx for tx in bench.till.sent if tx.kind is Kind.DEBIT]
    assert [tx.act for tx in told] == [Debit(amount=Decimal("5.00")), Debit(amount=ONE, type="tip")]
    assert [tx.extra["History"] for tx in told] == ["17,15", "DEALER TIP"]
    nothing_is_open(bench)
