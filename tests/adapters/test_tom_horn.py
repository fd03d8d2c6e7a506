"""Tom Horn: what one vector cannot show."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.tom_horn.dialect import DIALECT
from adapters.tom_horn.wire import CALLS, MESSAGES, Settings
from gateway.auth import Key, hmac_of, upper_hex
from gateway.codec.ids import INT64_MAX
from gateway.dialect import Call, NoCall
from gateway.engine.setup import Provider
from gateway.http import JSON_HEADERS, XML_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Balance,
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
from gateway.vectors import CURRENCIES, demo_key
from gateway.xml import soap_of
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import Bench, a_provider, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JSON, SOAP = Settings(), Settings(transport="soap")
TRANSPORTS = pytest.mark.parametrize("settings", [JSON, SOAP], ids=["json", "soap"])
CALL = Call(settings=JSON, now=NOW, nonce="n-1", currency="EUR", currencies=CURRENCIES)
KEY = demo_key(DIALECT, JSON)
NAMES = [wire.name for wire in CALLS]
ONE = Decimal(1)
BET = Transaction(
    act=Debit(amount=Decimal("2.50")), id="9001", player="p", session="41", currency="EUR", round=Round("77"),
    game=Game(id="TESTSLOT"),
)  # fmt: skip
SAID = {
    "GetBalance": replace(BET, act=Balance(), id="", round=None),
    "Withdraw": BET,
    "Deposit": replace(BET, act=Credit(amount=ONE), id="9002"),
    "RollbackTransaction": replace(BET, act=Rollback(reference="9001"), id="refund:9001", currency="", round=None),
}


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def asked(name: str, settings: Settings = JSON) -> Call:
    """The call as it is being answered."""
    call = replace(CALL, settings=settings)
    return replace(call, name=name, request=DIALECT.encode_request(SAID[name], call))


def said(answer: Response, name: str) -> dict[str, Any]:
    """The fields of an answer, in either transport."""
    assert answer.status == 200
    if answer.headers == JSON_HEADERS:
        found: dict[str, Any] = json.loads(answer.body)
        return found
    assert answer.headers == XML_HEADERS
    message = soap_of(answer.body)
    assert isinstance(message, tuple)
    assert message[0] == f"{name}Response"
    return dict(message[1][f"{name}Result"])


# ---------------------------------------------------------------- two laws: every reason said, every code heard

CODES = {
    Reason.INVALID_REQUEST: 2, Reason.GAME_NOT_FOUND: 2, Reason.UNSUPPORTED: 2, Reason.BAD_SIGNATURE: 3,
    Reason.NOT_AUTHENTICATED: 4, Reason.SESSION_EXPIRED: 4, Reason.PLAYER_NOT_FOUND: 5, Reason.INSUFFICIENT_FUNDS: 6,
    Reason.CURRENCY_MISMATCH: 8, Reason.ALREADY_ROLLED_BACK: 9, Reason.ALREADY_SETTLED: 9, Reason.LIMIT_EXCEEDED: 10,
    Reason.DUPLICATE_MISMATCH: 11, Reason.TRANSACTION_NOT_FOUND: 12, Reason.PLAYER_BLOCKED: 1, Reason.ROUND_CLOSED: 1,
}  # fmt: skip
LISTED = {"GetBalance": {0, 1, 2, 3, 4, 5}, "RollbackTransaction": {0, 1, 2, 3, 4, 5, 9, 12}}


@TRANSPORTS
def test_every_reason_and_doubt_are_said_as_the_card_says_them(settings: Settings) -> None:
    assert set(CODES) == set(Reason)
    for name in NAMES:
        for tx in (SAID[name], None):  # also where the request could not be read
            for reason, code in CODES.items():
                wanted = code if code in LISTED.get(name, {code}) else 2
                found = said(DIALECT.encode_response(Declined(reason=reason), tx, asked(name, settings)), name)
                assert found == {"Code": found["Code"], "Message": MESSAGES[wanted]}
                assert int(found["Code"]) == wanted, (name, reason)
            doubt = said(DIALECT.encode_response(Unknown(), tx, asked(name, settings)), name)
            assert int(doubt["Code"]) == 1


def test_every_code_is_heard_as_one_of_yes_no_and_doubt() -> None:
    reasons = {
        2: Reason.INVALID_REQUEST, 3: Reason.BAD_SIGNATURE, 4: Reason.NOT_AUTHENTICATED, 5: Reason.PLAYER_NOT_FOUND,
        6: Reason.INSUFFICIENT_FUNDS, 8: Reason.CURRENCY_MISMATCH, 9: Reason.ALREADY_ROLLED_BACK,
        10: Reason.LIMIT_EXCEEDED, 11: Reason.DUPLICATE_MISMATCH, 12: Reason.TRANSACTION_NOT_FOUND,
    }  # fmt: skip
    assert {*reasons} | {0, 1} == {*MESSAGES}
    for name, tx in SAID.items():
        for code in range(-20, 200):
            for again in (False, True):
                body = json.dumps({"Code": code, "Message": "m", "Balance": 1, "Currency": "EUR"}).encode()
                heard = DIALECT.decode_response(Response(body=body), tx, replace(CALL, again=again))
                if code == 0:
                    assert isinstance(heard, Accepted), name
                elif code in reasons and not (code == 11 and again):
                    assert heard == Declined(reason=reasons[code], message="m"), (name, code)
                else:
                    assert isinstance(heard, Unknown), (name, code, again)


@TRANSPORTS
def test_what_is_said_for_doubt_is_heard_as_doubt_also_by_a_repeat(settings: Settings) -> None:
    for name, tx in SAID.items():
        answer = DIALECT.encode_response(Unknown(), tx, asked(name, settings))
        for again in (False, True):
            assert isinstance(DIALECT.decode_response(answer, tx, replace(CALL, again=again)), Unknown)


@TRANSPORTS
def test_a_no_is_never_heard_as_a_yes_also_by_a_repeat(settings: Settings) -> None:
    for name, tx in SAID.items():
        for reason in Reason:
            for replayed in (False, True):
                outcome = Declined(reason=reason, replayed=replayed, balance=ONE, currency="EUR", wallet_id="w")
                answer = DIALECT.encode_response(outcome, tx, asked(name, settings))
                for again in (False, True):
                    heard = DIALECT.decode_response(answer, tx, replace(CALL, again=again))
                    assert not isinstance(heard, Accepted), (name, reason)


@TRANSPORTS
def test_a_repeat_of_ours_is_accepted_with_the_transaction_and_in_doubt_without(settings: Settings) -> None:
    first = Accepted(balance=ONE, currency="EUR", wallet_id="w", replayed=True)
    for name in ("Withdraw", "Deposit"):
        answer = DIALECT.encode_response(first, SAID[name], asked(name, settings))
        assert DIALECT.decode_response(answer, SAID[name], replace(CALL, again=True)) == first
        answer = DIALECT.encode_response(Declined(reason=Reason.DUPLICATE_MISMATCH), SAID[name], asked(name, settings))
        assert isinstance(DIALECT.decode_response(answer, SAID[name], replace(CALL, again=True)), Unknown)


def test_a_balance_and_a_currency_that_are_not_known() -> None:
    for name in ("GetBalance", "Withdraw", "Deposit"):
        for outcome, what in ((Accepted(), "balance"), (Accepted(balance=ONE), "currency")):
            with pytest.raises(Missing) as missing:
                DIALECT.encode_response(outcome, replace(SAID[name], currency=""), replace(asked(name), currency=""))
            assert missing.value.field == what
    unknown = replace(asked("Withdraw"), unknown=frozenset({"balance"}))
    assert said(DIALECT.encode_response(Accepted(wallet_id="w"), BET, unknown), "Withdraw") == {
        "Code": 0, "Message": "", "Transaction": {"ID": "w", "Currency": "EUR"},
    }  # fmt: skip
    assert said(DIALECT.encode_response(Accepted(), SAID["RollbackTransaction"], asked("RollbackTransaction")), "") == {
        "Code": 0, "Message": "",
    }  # fmt: skip


def test_a_wallets_id_that_xml_cannot_hold_spoils_no_answer() -> None:
    answer = DIALECT.encode_response(Accepted(balance=ONE, wallet_id="w\x01-\ud800\r1"), BET, asked("Withdraw", SOAP))
    assert said(answer, "Withdraw")["Transaction"]["ID"] == "w-1"


# ---------------------------------------------------------------- signature


def test_the_clones_example() -> None:
    """skysoft: the only public example with its key."""
    key = Key(id="k", parts={"secret": "1234567890"})
    text = b"Partner01Player0112.30474e1a293c2f4e7ab122c52d68423fcbab9c15f2efdd46278e4a56b303127234"
    assert upper_hex(hmac_of("sha256")(key, text)) == "475D834ACC3AB61D7DF4EA42751C6275387BC1787A098D2D0E091698D9BF2043"


@TRANSPORTS
def test_each_partner_has_its_own_keys(settings: Settings) -> None:
    old, new = (Key(id=name, parts={"partner_id": "P1", "secret": f"s-{name}"}) for name in ("old", "new"))
    other = Key(id="other", parts={"partner_id": "P2", "secret": "s-other"})
    for name, tx in SAID.items():
        request = DIALECT.encode_request(tx, replace(CALL, settings=settings))
        for key in (old, new, other):
            signed = DIALECT.auth.sign(request, (key,), settings, NOW)
            assert DIALECT.auth.verify(signed, (old, new, other), settings, NOW) == key.id, name
        forged = DIALECT.auth.sign(
            request, (Key(id="x", parts={"partner_id": "P1", "secret": "s-other"}),), settings, NOW
        )
        with pytest.raises(Refused) as refused:
            DIALECT.auth.verify(forged, (old, new, other), settings, NOW)
        assert refused.value.reason is Reason.BAD_SIGNATURE
        strange = DIALECT.auth.sign(
            request, (Key(id="x", parts={"partner_id": "P3", "secret": "s-old"}),), settings, NOW
        )
        with pytest.raises(Refused) as refused:
            DIALECT.auth.verify(strange, (old, new, other), settings, NOW)
        assert refused.value.reason is Reason.NOT_AUTHENTICATED


AMOUNTS = st.decimals(0, Decimal("999999999999999.99"), places=2)
LONGS = st.integers(1, INT64_MAX).map(str)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@TRANSPORTS
@given(data=st.data())
def test_what_we_say_is_verified_and_understood(settings: Settings, data: st.DataObject) -> None:
    amount, code = data.draw(AMOUNTS), data.draw(st.just("") | TEXTS)
    closed, round_id = data.draw(st.sampled_from([None, True, False])), data.draw(LONGS)
    acts: list[tuple[Act, str]] = [
        (Debit(amount=amount, free_round=bool(code) and not amount), data.draw(LONGS)),
        (Credit(amount=amount, free_round=bool(code)), data.draw(LONGS)),
    ]
    player, session, game = data.draw(TEXTS), data.draw(LONGS), data.draw(TEXTS)
    for act, tx_id in acts:
        tx = Transaction(
            act=act, id=tx_id, player=player, session=session, currency="EUR", game=Game(id=game), free_round_id=code,
            round=Round(round_id, closed if isinstance(act, Credit) else None),
        )  # fmt: skip
        call = replace(CALL, settings=settings)
        request = DIALECT.auth.sign(DIALECT.encode_request(tx, call), (KEY,), settings, NOW)
        assert DIALECT.auth.verify(request, (KEY,), settings, NOW) == KEY.id
        name = DIALECT.route(request, settings)
        assert DIALECT.decode_request(request, replace(call, name=name, request=request)) == tx


def test_the_text_that_is_signed_hides_where_a_value_ends() -> None:
    """Not ours to change; NOTES says so, and what to put beside it."""
    body = (
        '{"partnerID":"Partner7","sign":"BC5BE3A65928C1529836A962F3508F9666322951CF831B88DE0B0FCA16EFFAE0","name":"p-7002",'
        '"amount":0.5,"currency":"EUR","reference":1,"sessionID":42,"gameRoundID":77,"gameModule":"TESTSLOT"}'
    )
    for other in (body, body.replace('"reference":1,"sessionID":42', '"reference":14,"sessionID":2')):
        request = Request(method="POST", path="/Withdraw", body=other.encode())
        assert DIALECT.auth.verify(request, (KEY,), JSON, NOW) == KEY.id


# ---------------------------------------------------------------- paths, bodies, words


@pytest.mark.parametrize("path", ["/", "", "/withdraw", "/Withdraws", "/x/Withdraw", "/soap", "/Withdraw%20"])
def test_other_paths_are_no_calls_in_json(path: str) -> None:
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="POST", path=path, body=b"{}"), JSON)
    assert no_call.value.allow == ()


@pytest.mark.parametrize(
    ("path", "allow"), [("/Withdraw", ("POST",)), ("/soap", ("POST",)), ("/Deposit/", ("POST",)), ("/x", ())]
)
def test_only_post(path: str, allow: tuple[str, ...]) -> None:
    for body in (b"", b"<a/>"):
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(Request(method="GET", path=path, body=body), JSON)
        assert no_call.value.allow == allow


def test_a_message_that_cannot_be_read_is_answered_as_the_call_that_it_names() -> None:
    for body, name in (
        (b"<s:Envelope><s:Body><t:Deposit>", "Deposit"), (b"<Withdraw/><Deposit", "Withdraw"), (b"<Withdraws>", "Unknown"), (b"<", "Unknown"),
    ):  # fmt: skip
        assert DIALECT.route(Request(method="POST", path="/any", body=body), JSON) == name


BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"[" * 3000, b'{"a":' * 3000, b"<a>" * 3000, b"\xff", b"NaN", b'{"partnerID":"\\ud800","sign":"\\ud800"}',
        b'{"partnerID":"Partner7","sign":"x","name":"\\ud800","amount":1e999999}', b'{"partnerID":"Partner7","sign":"x","amount":1e-999}',
        b'{"Code":' + b"9" * 5000 + b"}", b'{"Code":1e2}', b'{"Code":"\xd9\xa0"}', b'{"Code":[0]}', b"<Code>0</Code>",
    ]
)  # fmt: skip


@given(BODIES, st.sampled_from(NAMES), st.sampled_from(["text/xml", "application/json"]))
def test_nothing_but_refused_leaves(body: bytes, name: str, content_type: str) -> None:
    request = Request(method="POST", path=f"/{name}", headers={"content-type": content_type}, body=body)
    with contextlib.suppress(Refused):
        assert DIALECT.decode_request(request, replace(CALL, name=name))
    with pytest.raises(Refused):
        DIALECT.auth.verify(request, (KEY,), JSON, NOW)
    answer = DIALECT.encode_response(Unknown(), None, replace(CALL, name=name, request=request))
    assert int(said(answer, name)["Code"]) == 1 or answer.headers == XML_HEADERS
    heard = DIALECT.decode_response(Response(headers={"content-type": content_type}, body=body), SAID[name], CALL)
    assert isinstance(heard, Unknown)


def test_what_it_needs_and_what_it_cannot_say() -> None:
    bare = replace(CALL, currency="")
    for tx, what in (
        (replace(BET, player=""), "player"), (replace(BET, currency=""), "currency"), (replace(BET, id=""), "id"),
        (replace(SAID["GetBalance"], currency=""), "currency"), (replace(SAID["Deposit"], currency=""), "currency"),
        (replace(BET, act=Rollback()), "reference"),
    ):  # fmt: skip
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(tx, bare)
        assert missing.value.field == what
    acts: tuple[Act, ...] = (
        Settle(debit=ONE, credit=ONE), Reserve(amount=ONE), Adjust(amount=ONE), Authenticate(), Debit(amount=ONE, free_round=True),
        Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True), Debit(amount=Decimal("1.005")),
        Rollback(reference="1", reference_kind=Kind.ROLLBACK), Rollback(reference="1", amount=ONE),
    )  # fmt: skip
    for tx in (*(replace(BET, act=act) for act in acts), replace(BET, player="p" * 49)):
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(tx, CALL)
        assert refused.value.reason is Reason.UNSUPPORTED
        assert not isinstance(refused.value, Missing)
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, player="p\x01"), replace(CALL, settings=SOAP))
    assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("odd", ["yes", "1", " True", 1, 0, 7, "T"])
def test_a_round_end_in_another_form_says_nothing_and_stops_no_win(odd: Any) -> None:
    request = DIALECT.encode_request(SAID["Deposit"], CALL)
    body = json.dumps({**json.loads(request.body), "isRoundEnd": odd}).encode()
    signed = DIALECT.auth.sign(replace(request, body=body), (KEY,), JSON, NOW)
    assert DIALECT.auth.verify(signed, (KEY,), JSON, NOW) == KEY.id
    tx = DIALECT.decode_request(signed, replace(CALL, name="Deposit", request=signed))
    assert tx.round == Round("77", None)


def test_a_campaign_that_the_wire_cannot_hold_stops_no_win() -> None:
    tx = replace(SAID["Deposit"], act=Credit(amount=ONE, free_round=True), free_round_id="c" * 33)
    assert json.loads(DIALECT.encode_request(tx, CALL).body)["fgbCampaignCode"] is None
    with pytest.raises(Refused):  # a bet that cannot be said to be free is not said
        DIALECT.encode_request(replace(tx, act=Debit(amount=ONE, free_round=True)), CALL)


# ---------------------------------------------------------------- in the gateway


def tom_horn(**more: Any) -> Provider:
    return a_provider("tom_horn", **{"after_doubt": timedelta(0), **more})


def code(bench: Bench) -> int:
    """What the studio read last."""
    return int(json.loads(bench.answers[-1].response.body)["Code"])


def transaction(bench: Bench) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(bench.answers[-1].response.body).get("Transaction")
    return found


def cancel(of: str) -> Transaction:
    return undo(f"refund:{of}", of)


def test_a_bet_its_repeat_a_win_and_their_rollbacks(bench_of: MakeBench) -> None:
    bench = bench_of(tom_horn(), "native")
    yes(bench.call(bet("1")))
    first = transaction(bench)
    assert first is not None
    assert (code(bench), first["Balance"]) == (0, 990)
    yes(bench.call(win("2")))
    yes(bench.call(bet("1")))
    assert (code(bench), transaction(bench)) == (11, {**first, "Balance": 1015})  # its id, and the balance of now
    bench.call(bet("1", "11.00"))
    assert (code(bench), transaction(bench)) == (11, None)
    bench.call(win("1", "10.00"))  # a reference is one movement, whatever its call
    assert (code(bench), transaction(bench)) == (11, None)
    yes(bench.call(cancel("2")))
    assert (code(bench), bench.till.balance()) == (0, Decimal("990.00"))
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(reference="2", reference_kind=Kind.CREDIT)
    for _ in range(2):
        bench.call(cancel("2"))
        assert code(bench) == 9
    yes(bench.call(cancel("1")))
    assert bench.till.balance() == Decimal("1000.00")
    assert (bench.till.asked(Kind.DEBIT), bench.till.asked(Kind.ROLLBACK)) == (1, 2)


def test_a_rollback_before_its_bet(bench_of: MakeBench) -> None:
    bench = bench_of(tom_horn(), "native")
    bench.call(cancel("1"))
    assert code(bench) == 12
    for _ in range(2):
        bench.call(bet("1"))
        assert code(bench) == 9
    assert bench.till.balance() == Decimal("1000.00")


def test_a_bet_that_was_declined_is_not_found(bench_of: MakeBench) -> None:
    bench = bench_of(tom_horn(), "native")
    bench.call(bet("1", "5000.00"))
    assert code(bench) == 6
    bench.call(cancel("1"))
    assert code(bench) == 12


@pytest.mark.parametrize("lost", [lost_after, lost_before], ids=["taken", "never taken"])
def test_a_bet_in_doubt_is_given_back_although_no_rollback_comes(bench_of: MakeBench, lost: Any) -> None:
    """No rollback follows Code 1 by default: the player would have paid for a game that was not played."""
    bench = bench_of(tom_horn(), "native")
    bench.till.always(lost, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    bench.call(bet("1"))
    assert code(bench) == 1
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.unresolved() == {}
    bench.call(bet("1"))
    assert code(bench) == 9
    bench.call(cancel("1"))
    assert code(bench) in (9, 12)
    assert bench.till.balance() == Decimal("1000.00")


def test_a_rollback_joins_the_one_that_is_under_way(bench_of: MakeBench) -> None:
    bench = bench_of(tom_horn(), "native")
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.ROLLBACK)
    bench.call(bet("1"))
    assert code(bench) == 1
    bench.settlement(5, 1)
    bench.call(cancel("1"))
    assert code(bench) == 1  # while the first is in doubt
    bench.till.heal()
    bench.settlement(900, 5)
    bench.call(cancel("1"))
    assert code(bench) in (0, 9)
    assert bench.till.balance() == Decimal("1000.00")
    bench.call(cancel("1"))
    assert code(bench) == 9
    assert bench.unresolved() == {}


def test_a_win_in_doubt_stays_owed_and_is_paid_once(bench_of: MakeBench) -> None:
    bench = bench_of(tom_horn(), "native")
    yes(bench.call(bet("1")))
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.CREDIT)
    bench.call(win("2"))
    assert code(bench) == 1
    bench.till.heal()
    yes(bench.call(win("2")))
    assert bench.till.balance() == Decimal("1015.00")


@TRANSPORTS
def test_to_a_wallet(bench_of: MakeBench, settings: Settings) -> None:
    """Native's ids are no integers; a repeat of ours after an answer that was lost is Code 11 with the transaction."""
    applied = {"debit": "applied", "credit": "applied", "rollback": "applied"}
    wallet = a_wallet("tom_horn", repeats=applied, settings={"transport": settings.transport})
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b-1")))
    told = bench.till.last(Kind.DEBIT)
    assert (len(told.id), told.round_id, told.session, told.act) == (19, "880011", "", Debit(amount=Decimal("10.00")))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    assert yes(bench.call(win("w-1"))).wallet_id
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(undo("r-1", "b-1", "10.00")))  # asked again, it hears 9
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(reference=told.id)
    assert bench.till.balance() == Decimal("1025.00")
    assert why(bench.call(bet("b-2", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    assert isinstance(bench.call(undo("r-2", "w-1", "4.00", kind=Kind.CREDIT)), Unknown)  # a part cannot be said
    bench.till.always(says(Declined(reason=Reason.PLAYER_BLOCKED)), kind=Kind.DEBIT)  # Code 1
    assert isinstance(bench.call(bet("b-3")), Unknown)


def outcomes() -> list[Outcome]:
    return [Unknown(), Accepted(balance=ONE, currency="EUR", wallet_id="w"), Declined(reason=Reason.INSUFFICIENT_FUNDS)]


def test_an_answer_comes_as_it_was_asked() -> None:
    """Whatever `transport` says: that is how we speak to wallets."""
    for name in NAMES:
        for settings in (JSON, SOAP):
            asked_in = asked(name, settings)
            for ours in (JSON, SOAP):
                for outcome in outcomes():
                    answer = DIALECT.encode_response(outcome, SAID[name], replace(asked_in, settings=ours))
                    assert answer.headers == (XML_HEADERS if settings is SOAP else JSON_HEADERS)
                    heard = DIALECT.decode_response(answer, SAID[name], replace(CALL, settings=ours))
                    assert type(heard) is type(outcome) or name == "GetBalance" or isinstance(outcome, Declined)
