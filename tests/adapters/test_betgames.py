"""BetGames: what one vector cannot show."""

from __future__ import annotations

import hashlib
import hmac
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.betgames.dialect import DIALECT
from adapters.betgames.wire import CALLS, PAYOUTS, Settings
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
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Notice,
    Outcome,
    Profile,
    Reason,
    Refused,
    Reserve,
    Rollback,
    Settle,
    Status,
    Transaction,
    Unknown,
)
from gateway.play.mask import Mask
from gateway.vectors import CURRENCIES
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import PLAYER, SESSION, Bench, a_provider, a_wallet

NOW = datetime(2025, 10, 9, 8, 55, tzinfo=UTC)
T = 1760000100
CALL = Call(settings=Settings(), now=NOW, nonce="n-1", currencies=CURRENCIES)
MD5 = Settings(signature="md5")
SECRET = "bg-test-secret"
ONE = Decimal(1)
BET = Transaction(act=Debit(amount=Decimal("2.50")), id="501", player="u", session="s", currency="EUR")
WIN = replace(BET, act=Credit(amount=Decimal("6.00"), reference="501"), id="9002")
GIFT = replace(WIN, act=Credit(amount=Decimal("1.50"), type="promo"), id="9301")
LOOK = replace(BET, act=Balance(), id="")
NAMES = [wire.name for wire in CALLS]
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def proof(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def document(method: str, params: str, *, token: str = "bt-1", time: object = T, id: str = "q-1") -> Request:
    head = f"<method>{method}</method><token>{token}</token><time>{time}</time><request_id>{id}</request_id>"
    body = f"<root>{head}<params>{params}</params><signature>{proof(id)}</signature></root>"
    return Request(method="POST", path="/", body=body.encode())


def fields(**said: object) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in said.items())


def read(request: Request, call: Call = CALL) -> Transaction:
    return DIALECT.decode_request(request, replace(call, request=request, name=DIALECT.route(request, Settings())))


def said(outcome: Outcome, name: str) -> Response:
    request = document(name, "")
    return DIALECT.encode_response(outcome, LOOK, replace(CALL, name=name, request=request))


def in_it(response: Response, way: str) -> str:
    return ElementTree.fromstring(response.body).findtext(way) or ""


def heard(tx: Transaction, *, success: int = 1, code: object = 0, already: object = 0, again: bool = False) -> Outcome:
    """An answer to a movement, or to a read."""
    request = DIALECT.encode_request(tx, replace(CALL, again=again))
    method = DIALECT.route(request, Settings())
    shown = fields(balance=100) if tx is LOOK else fields(balance_after=100, already_processed=already)
    head = fields(method=method, token="s", success=success, error_code=code, error_text="x")
    body = f"<root>{head}<params>{shown}</params></root>"
    return DIALECT.decode_response(Response(body=body.encode()), tx, replace(CALL, request=request, again=again))


# ---------------------------------------------------------------- every word, both ways

SAID = {
    Reason.BAD_SIGNATURE: "1",
    Reason.NOT_AUTHENTICATED: "3",
    Reason.SESSION_EXPIRED: "3",
    Reason.PLAYER_NOT_FOUND: "3",
    Reason.INSUFFICIENT_FUNDS: "703",
}
ENDS = {
    Reason.BAD_SIGNATURE: "1",
    Reason.TRANSACTION_NOT_FOUND: "700",
    Reason.ALREADY_ROLLED_BACK: "700",
    Reason.PLAYER_NOT_FOUND: "702",
}


def test_every_reason_is_said_as_the_card_says_it() -> None:
    """Of a payin and a read all noes have a code; of a payout only what ends it, and all else is doubt."""
    for name in NAMES:
        for reason in Reason:
            answer = said(Declined(reason=reason, balance=ONE, currency="EUR"), name)
            gift = name == "transaction_promo_payout" and reason in (
                Reason.TRANSACTION_NOT_FOUND,
                Reason.ALREADY_ROLLED_BACK,
            )
            if name in PAYOUTS and reason is Reason.DUPLICATE_MISMATCH:
                assert (in_it(answer, "success"), in_it(answer, "params/already_processed")) == ("1", "1")
            elif name in PAYOUTS and (reason not in ENDS or gift):
                assert answer == Response(status=500), (name, reason)
            else:
                wanted = ENDS[reason] if name in PAYOUTS else SAID.get(reason, "3")
                assert (in_it(answer, "success"), in_it(answer, "error_code")) == ("0", wanted), (name, reason)
                assert in_it(answer, "error_text")
        assert said(Unknown(), name) == Response(status=500)


def test_a_request_out_of_its_time_is_code_2_in_every_call() -> None:
    """Whatever it asks for: a repeat comes with `retrying`, or with a time of its own."""
    for name in NAMES:
        answer = said(Declined(reason=Reason.INVALID_REQUEST, field="time"), name)
        assert (in_it(answer, "error_code"), in_it(answer, "error_text")) == ("2", "request is expired")


NOES = {
    1: Reason.BAD_SIGNATURE, 3: Reason.NOT_AUTHENTICATED, 4: Reason.INSUFFICIENT_FUNDS, 700: Reason.TRANSACTION_NOT_FOUND,
    702: Reason.PLAYER_NOT_FOUND, 703: Reason.INSUFFICIENT_FUNDS,
}  # fmt: skip


def test_every_code_is_heard_as_one_thing() -> None:
    """A no with its reason, or doubt, whatever was asked; 2 of our own repeat says nothing of what we asked before."""
    for tx in (BET, WIN, GIFT, LOOK):
        for again in (False, True):
            for code, reason in NOES.items():
                no = heard(tx, success=0, code=code, again=again)
                assert isinstance(no, Declined)
                assert no.reason is reason
            for code in (0, 5, 500, 701, "", "x", "-3"):
                assert isinstance(heard(tx, success=0, code=code, again=again), Unknown)
            for code in (1, 2, 700, 703):
                assert isinstance(heard(tx, success=1, code=code, again=again), Unknown)
        expired = heard(tx, success=0, code=2)
        assert isinstance(expired, Declined)
        assert expired.reason is Reason.INVALID_REQUEST
        assert isinstance(heard(tx, success=0, code=2, again=True), Unknown)


def test_what_was_processed_already_is_a_yes_to_our_own_repeat_only() -> None:
    """To a first asking it says that something else was here, and that this moved nothing: no yes, and no no."""
    for tx in (BET, WIN, GIFT):
        assert isinstance(heard(tx, already=1), Unknown)
        again = heard(tx, already=1, again=True)
        assert isinstance(again, Accepted)
        assert (again.replayed, again.balance) == (True, ONE)
        assert isinstance(heard(tx, already="2", again=True), Unknown)


def test_another_http_status_is_doubt() -> None:
    """Whatever its body says."""
    body = b"<root><success>1</success><error_code>0</error_code></root>"
    for status in (201, 204, 301, 400, 401, 404, 500, 503):
        assert isinstance(DIALECT.decode_response(Response(status=status, body=body), BET, CALL), Unknown)


# ---------------------------------------------------------------- proofs

OLD, NEW = (Key(id=name, parts={"secret": f"s-{name}-of-them"}) for name in ("old", "new"))


@pytest.mark.parametrize("edition", ["request_id", "md5"])
def test_two_keys_live_side_by_side_and_none_is_shown(edition: Any) -> None:
    """Whoever knows only one of them can read our answer: it is sealed by the key that proved the call."""
    given = Settings(signature=edition)
    call = replace(CALL, settings=given)
    for key in (OLD, NEW):
        request = DIALECT.auth.sign(DIALECT.encode_request(BET, call), (key,), given, NOW)
        assert DIALECT.auth.verify(request, (OLD, NEW), given, NOW) == key.id
        assert key.part("secret") not in request.body.decode()
        shown = Mask(DIALECT).body(request.body)
        assert "<token>s<" not in shown
        assert re.findall("<signature>(.*?)<", request.body.decode())[0] not in shown
    assert DIALECT.auth.weak(given)


def test_each_attempt_has_an_id_of_its_own() -> None:
    """And so has each answer: one under the request's own id is no answer."""
    first, second = (DIALECT.encode_request(BET, replace(CALL, nonce=nonce)) for nonce in ("n-1", "n-2"))
    assert (b"<request_id>n-1<" in first.body, b"<request_id>n-2<" in second.body) == (True, True)
    assert b"request_id" not in DIALECT.encode_request(BET, replace(CALL, settings=MD5)).body


# ---------------------------------------------------------------- requests


def test_a_repeat_says_so() -> None:
    for tx in (BET, WIN):
        for again, flag in ((False, "0"), (True, "1")):
            body = DIALECT.encode_request(tx, replace(CALL, again=again)).body.decode()
            assert f"<retrying>{flag}</retrying>" in body


def test_what_it_needs() -> None:
    """Who plays, under which session, in what currency: a payin's player is its session's, a payout's session may be gone."""
    for tx, needs in (
        (BET, ("session", "currency", "id")),
        (WIN, ("player", "currency", "id")),
        (GIFT, ("player", "currency", "id")),
    ):
        for what in needs:
            with pytest.raises(Missing) as missing:
                DIALECT.encode_request(replace(tx, **{what: ""}), CALL)
            assert missing.value.field == what
    for act in (Authenticate(), Check(), Balance()):
        with pytest.raises(Missing) as missing:
            DIALECT.encode_request(replace(LOOK, act=act, session=""), CALL)
        assert missing.value.field == "session"
    launched = DIALECT.encode_request(replace(LOOK, act=Authenticate(launch_token="l-1"), session=""), CALL)
    assert b"<method>get_account_details</method><token>l-1</token>" in launched.body


CANNOT = (
    Settle(debit=ONE, credit=ONE), Adjust(amount=-ONE), Adjust(amount=Decimal(0)), CloseRound(), CloseSession(), Reserve(amount=ONE),
    Capture(reference="h"), Notice(), Status(reference="b"), Debit(amount=ONE, free_round=True),
    Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True, reference="b"), Debit(amount=Decimal(0)),
    Credit(amount=Decimal(0)), Debit(amount=Decimal("0.001")), Rollback(reference="b", amount=ONE), Rollback(reference="b"),
)  # fmt: skip


@pytest.mark.parametrize("act", CANNOT, ids=repr)
def test_what_it_cannot_say(act: Any) -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, act=act), CALL)
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


def test_currencies_without_two_digits_cannot_be_said() -> None:
    for currency in ("JPY", "KWD", "BTC", "PTS"):
        for tx in (BET, WIN, GIFT):
            with pytest.raises(Refused) as refused:
                DIALECT.encode_request(replace(tx, currency=currency), CALL)
            assert refused.value.reason is Reason.UNSUPPORTED


def test_a_refund_as_a_gift_needs_its_setting_and_a_bet() -> None:
    call = replace(CALL, settings=Settings(refund_as_promo=True))
    back = replace(BET, act=Rollback(reference="501", amount=ONE), id="77")
    assert DIALECT.route(DIALECT.encode_request(back, call), call.settings) == "transaction_promo_payout"
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(replace(back, act=Rollback(reference="501")), call)
    assert missing.value.field == "amount"
    for kind in (Kind.CREDIT, Kind.ROLLBACK, Kind.SETTLE):
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(replace(back, act=Rollback(reference="501", reference_kind=kind, amount=ONE)), call)
        assert refused.value.reason is Reason.UNSUPPORTED


@EXAMPLES
@given(amount=st.decimals(min_value=Decimal("0.01"), max_value=Decimal("999999999999.99"), places=2))
def test_an_amount_is_written_and_read_exactly(amount: Decimal) -> None:
    """In cents, without a float on the way."""
    for tx in (BET, replace(BET, act=Credit(amount=amount, reference="501"))):
        request = DIALECT.encode_request(replace(tx, act=replace(tx.act, amount=amount)), CALL)  # type: ignore[type-var]  # an act
        assert f"<amount>{int(amount * 100)}</amount>".encode() in request.body
        assert getattr(read(request).act, "amount", None) == amount


ODD = ("", " ", "x" * 5000, "１", "-1", "<a/>", "<a><b>1</b></a>", "<![CDATA[<>&]]>", "2048", "null", "&#xFFFD;")
MONEY = {
    "transaction_bet_payout": {"player_id": "u", "amount": "600", "currency": "eur", "bet_id": "501", "transaction_id": "9"},
    "transaction_bet_combination_payout": {
        "player_id": "u", "combination_id": "501", "amount": "600", "currency": "eur", "transaction_id": "9",
    },
    "transaction_promo_payout": {"player_id": "u", "amount": "600", "currency": "eur", "transaction_id": "501"},
}  # fmt: skip


def unforeseen(method: str) -> Iterator[Request]:
    """The payout with what only describes in every form, once and twice."""
    plain = fields(**MONEY[method])
    for odd in ODD:
        for name in ("retrying", "game", "game_id", "draw", "bet", "odd", "note"):
            yield document(method, plain + fields(**{name: odd}))
            yield document(method, plain + fields(**{name: odd}) * 2)
        yield document(method, plain, token=odd)


@pytest.mark.parametrize("method", sorted(MONEY))
def test_what_only_describes_never_refuses_a_payout(method: str) -> None:
    """In whatever form it comes: the player's money is not in it."""
    for request in unforeseen(method):
        tx = read(request)
        assert (tx.player, tx.currency, tx.id.removeprefix("promo:")) == ("u", "EUR", "501")
        assert isinstance(tx.act, Credit)
        assert tx.act.amount == 6
        assert all(isinstance(value, str) and value for value in tx.extra.values())


@pytest.mark.parametrize("method", sorted(MONEY))
def test_what_decides_about_money_is_strict(method: str) -> None:
    """And the payout then hears doubt, so that it comes again: it is refused, not ended."""
    for name in MONEY[method]:
        for odd in ("", "x" * 5000, "<a>1</a>", f"{MONEY[method][name]}</{name}><{name}>{MONEY[method][name]}"):
            request = document(method, fields(**MONEY[method] | {name: odd}))
            with pytest.raises(Refused) as refused:
                read(request)
            call = replace(CALL, name=method, request=request)
            assert DIALECT.encode_response(refused.value.outcome(), None, call).status == 500


def test_only_post_and_only_one_path() -> None:
    assert DIALECT.route(document("ping", ""), Settings()) == "ping"
    for path in ("/ping", "/x/"):
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(replace(document("ping", ""), path=path), Settings())
        assert no_call.value.allow == ()
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(replace(document("ping", ""), method="GET"), Settings())
    assert no_call.value.allow == ("POST",)


def test_a_subscription_of_eighty_bets_is_read() -> None:
    """As many as anybody may send in a call; far more are refused before they are read."""

    def whole(number: int) -> Request:
        bets = "".join(f"<bet>{fields(bet_id=n, transaction_id=n, amount=1)}</bet>" for n in range(1, number + 1))
        return document(
            "transaction_bet_subscription_payin", fields(subscription_id="s", amount=number, currency="eur") + bets
        )

    assert len(getattr(read(whole(80)).act, "items", ())) == 80
    with pytest.raises(Refused):
        read(whole(5000))


# ---------------------------------------------------------------- through the gateway, as the card's Semantics have it


class Studio:
    """BetGames' side in its own words, through the gateway."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.calls = bench, 0

    def ask(self, method: str, params: str = "", *, token: str = SESSION, id: str = "", old: int = 0) -> Response:
        self.calls += 1
        time = int(self.bench.scheduler.clock().timestamp()) - old
        response = self.bench.raw(document(method, params, token=token, time=time, id=id or f"q-{self.calls}"))
        self.bench.rest(0.01)
        return response

    def __call__(self, method: str, params: str = "", **more: Any) -> tuple[str, ...]:
        """Success, code, and what of the params tells something; the proof of the answer holds, under an id of its own."""
        response = self.ask(method, params, **more)
        if response.status == 500:
            assert response.body == b""
            return ("doubt",)
        own = in_it(response, "response_id")
        assert own not in ("", f"q-{self.calls}")
        assert in_it(response, "signature") == proof(own)
        assert in_it(response, "method") == method
        shown = [in_it(response, f"params/{name}") for name in ("balance", "balance_after", "already_processed")]
        return (in_it(response, "success"), in_it(response, "error_code"), *filter(None, shown))

    def payin(self, bet: str, amount: int = 250, own: str = "", retrying: int = 0, **more: Any) -> tuple[str, ...]:
        said = fields(amount=amount, currency="eur", bet_id=bet, transaction_id=own or f"1{bet}", retrying=retrying)
        return self("transaction_bet_payin", said, **more)

    def payout(self, bet: str, amount: int = 600, own: str = "", player: str = PLAYER, **more: Any) -> tuple[str, ...]:
        said = fields(player_id=player, amount=amount, currency="eur", bet_id=bet, transaction_id=own or f"2{bet}")
        return self("transaction_bet_payout", said, **{"token": "-", **more})

    def subscribe(self, *bets: tuple[str, int]) -> tuple[str, ...]:
        inner = "".join(f"<bet>{fields(bet_id=b, transaction_id=f'1{b}', amount=a)}</bet>" for b, a in bets)
        head = fields(subscription_id="s-1", amount=sum(a for _, a in bets), currency="eur", retrying=0)
        return self("transaction_bet_subscription_payin", head + inner)


@pytest.fixture
def bench_of(tmp_path: Any) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


@pytest.fixture
def studio(bench_of: MakeBench) -> Studio:
    bench = bench_of("betgames", "native")
    bench.launch()
    return Studio(bench)


def test_a_bet_its_repeat_its_payout_and_another_one(studio: Studio) -> None:
    """One movement each, however often and under whatever transaction_id it comes; the second payout of a bet is counted."""
    assert studio.payin("501") == ("1", "0", "99750", "0")
    assert studio.payin("501", retrying=1) == ("1", "0", "99750", "1")
    for own, amount in (("9", 250), ("", 251)):
        assert studio.payin("501", amount, own) == ("0", "3")
    assert studio.payout("501") == ("1", "0", "100350", "0")
    assert studio.payout("501") == ("1", "0", "100350", "1")
    for own, amount in (("9", 600), ("9", 700), ("", 700)):
        assert studio.payout("501", amount, own) == ("1", "0", "100350", "1")
    assert studio.bench.till.balance() == Decimal("1003.50")
    assert studio.bench.tally.replays.count(("acme", "credit", "conflict")) == 3
    assert studio.bench.till.asked(Kind.CREDIT) == 1


def test_reads_and_the_line(studio: Studio) -> None:
    """ping asks no wallet, whatever token it shows; who forges it hears that."""
    assert studio("get_balance") == ("1", "0", "100000")
    assert studio("refresh_token")[:2] == ("1", "0")
    assert in_it(studio.ask("request_new_token"), "params/new_token") == SESSION
    details = studio.ask("get_account_details")
    assert [in_it(details, f"params/{name}") for name in ("user_id", "username", "currency", "info")] == [
        PLAYER, PLAYER, "eur", "-",
    ]  # fmt: skip
    asked = len(studio.bench.till.sent)
    for token in ("-", SESSION, "nobody"):
        assert studio("ping", token=token) == ("1", "0")
    assert studio("ping", token="-", old=61) == ("0", "2")
    forged = studio.bench.raw(
        replace(
            document("ping", "", time=int(studio.bench.scheduler.clock().timestamp())),
            body=b"<root><method>ping</method></root>",
        )
    )
    assert in_it(forged, "error_code") == "1"
    assert len(studio.bench.till.sent) == asked


def test_one_request_id_is_good_for_one_body(studio: Studio) -> None:
    """It alone is signed: who has seen it could say anything. The very same call may come twice."""
    for _ in range(2):
        assert studio.payin("501", id="q-same")[:2] == ("1", "0")
    assert studio.payin("502", id="q-same") == ("0", "1")
    studio.bench.rest(601)
    assert studio.payin("503", id="q-same")[:2] == ("1", "0")


def test_a_dead_token_refuses_a_bet_and_no_payout(studio: Studio) -> None:
    """The player is long gone when the draw comes."""
    bench = studio.bench
    assert studio.payin("501")[:2] == ("1", "0")
    bench.till.purse._dead.add(SESSION)  # the wallet's own table
    assert studio.payin("502") == ("0", "3")
    for bet_id, token in (("501", SESSION), ("503", "another"), ("504", "-")):
        assert studio.payout(bet_id, token=token)[:2] == ("1", "0")


def test_a_payout_of_a_bet_that_nobody_knows_is_the_wallets_to_decide(studio: Studio) -> None:
    """Its word ends it, and is told again from the journal; any other no of a wallet leaves the win owed."""
    bench = studio.bench
    bench.till.then(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.CREDIT)
    for own in ("", "", "9"):  # another payout of it is told what became of the first: nothing was paid
        assert studio.payout("777", own=own) == ("0", "700")
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.CREDIT)
    assert studio.payout("778") == ("doubt",)
    assert studio.payout("778", own="9") == ("doubt",)  # nor has the first one been paid
    assert bench.row(Kind.CREDIT, "778").state is State.OWED
    bench.till.heal()
    assert studio.payout("778")[:2] == ("1", "0")
    assert studio.payin("501")[:2] == ("1", "0")
    bench.till.always(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.CREDIT)
    assert studio.payout("501") == ("doubt",)  # this very wallet took that bet: no decision


def test_a_bet_that_was_refused_has_no_payout(studio: Studio) -> None:
    """There is no payin of it, as the journal knows: no wallet is asked, which may pay what names a bet of its own refusing."""
    assert studio.payin("501", 900000) == ("0", "703")
    assert studio.subscribe(("601", 100), ("602", 900000)) == ("0", "703")
    studio.bench.rest(5)
    for id in ("501", "501", "601", "602"):
        assert studio.payout(id) == ("0", "700")
    assert studio.bench.till.asked(Kind.CREDIT) == 0
    assert studio.bench.till.balance() == Decimal("1000.00")


def test_a_gift_is_ended_by_no_word_about_a_bet(studio: Studio) -> None:
    """It names none."""
    bench = studio.bench
    bench.till.always(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.CREDIT)
    given = fields(player_id=PLAYER, amount=150, currency="eur", transaction_id="9301")
    assert studio("transaction_promo_payout", given, token="-") == ("doubt",)
    bench.till.heal()
    assert studio("transaction_promo_payout", given, token="-")[:3] == ("1", "0", "100150")
    more = given.replace("150", "160")
    assert studio("transaction_promo_payout", more, token="-") == ("1", "0", "100150", "1")


def test_a_bet_in_doubt_is_ended_by_its_repeat(studio: Studio) -> None:
    """Doubt is told without a code; the repeat may carry the first call's time, and moves the stake once."""
    bench = studio.bench
    bench.till.always(lost_after, kind=Kind.DEBIT)
    assert studio.payin("501") == ("doubt",)
    bench.till.heal()
    assert studio.payin("501", retrying=1, old=300) == ("1", "0", "99750", "1")
    assert bench.till.balance() == Decimal("997.50")


def test_a_payout_completes_a_bet_in_doubt(studio: Studio) -> None:
    """The win is not sent before the bet that it names."""
    bench = studio.bench
    bench.till.always(lost_before, kind=Kind.DEBIT)
    assert studio.payin("501") == ("doubt",)
    bench.till.heal()
    assert studio.payout("501")[:2] == ("1", "0")
    assert bench.till.balance() == Decimal("1003.50")


@pytest.mark.parametrize("looks", [140, 1])
def test_a_bet_that_we_gave_back_is_over_for_its_payout(bench_of: MakeBench, looks: int) -> None:
    """Nobody repeated it, so after the silence the stake went back: what comes later finds no bet, and no wallet is asked."""
    provider = a_provider("betgames", after_doubt=timedelta(minutes=10))
    studio = Studio(bench_of(provider, "native"))
    studio.bench.launch()
    studio.bench.till.always(lost_after, kind=Kind.DEBIT)
    assert studio.payin("501") == ("doubt",)
    studio.bench.till.heal()
    for _ in range(looks):  # whether it was asked about before, or not
        studio.bench.rest(700 / looks)
        studio.bench.look()
    studio.bench.rest(5)
    assert studio.bench.till.balance() == Decimal("1000.00")
    assert studio.payout("501") == ("0", "700")
    assert studio.payin("501", retrying=1) == ("0", "3")


def test_a_subscription_is_all_or_nothing_and_each_bet_has_its_payout(studio: Studio) -> None:
    assert studio.subscribe(("601", 100), ("602", 200)) == ("1", "0", "99700", "0")
    assert studio.subscribe(("601", 100), ("602", 200)) == ("1", "0", "99700", "1")
    assert studio.subscribe(("603", 100), ("604", 99999999)) == ("0", "703")
    assert studio.bench.till.balance() == Decimal("997.00")
    assert studio.payout("601", 500)[:3] == ("1", "0", "100200")
    assert studio.payout("602", 0)[:3] == ("1", "0", "100200")


def test_a_combination_is_paid_by_its_own_name(studio: Studio) -> None:
    """Its bets are no movements. One under the id of a bet is a mismatch: a payout could not tell the two apart."""
    said = fields(combination_id="701", amount=500, currency="eur", transaction_id="1701", retrying=0)
    inner = "<bet><bet_id>1</bet_id></bet><bet><bet_id>2</bet_id></bet>"
    assert studio("transaction_bet_combination_payin", said + inner) == ("1", "0", "99500", "0")
    paid = fields(player_id=PLAYER, combination_id="701", amount=900, currency="eur", transaction_id="2701")
    assert studio("transaction_bet_combination_payout", paid, token="-") == ("1", "0", "100400", "0")
    assert studio.payin("501")[:2] == ("1", "0")
    clash = fields(combination_id="501", amount=250, currency="eur", transaction_id="1702")
    assert studio("transaction_bet_combination_payin", clash) == ("0", "3")


def test_the_answer_is_sealed_by_the_key_of_its_call(bench_of: MakeBench) -> None:
    """While a key is changed its caller knows no other; who is nobody hears the first one."""
    keys = (Key(id="new", parts={"secret": "new-secret"}), Key(id="old", parts={"secret": SECRET}))
    bench = bench_of(a_provider("betgames", keys=keys), "native")
    bench.launch()
    assert Studio(bench)("get_balance") == ("1", "0", "100000")
    forged = bench.raw(Request(method="POST", path="/", body=b"<root><method>ping</method></root>"))
    wanted = hmac.new(b"new-secret", in_it(forged, "response_id").encode(), hashlib.sha256).hexdigest()
    assert in_it(forged, "signature") == wanted


# ---------------------------------------------------------------- as a wallet, through the gateway

APPLIED = {"debit": "applied", "credit": "applied", "rollback": "never"}


def a_betgames_wallet(**given: Any) -> Any:
    return a_wallet("betgames", repeats=APPLIED, **given)


@pytest.mark.parametrize("edition", ["request_id", "md5"])
def test_a_wallet_takes_a_bet_pays_one_win_for_it_and_the_next_as_a_gift(bench_of: MakeBench, edition: str) -> None:
    """A second payout would be swallowed."""
    bench = bench_of("native", a_betgames_wallet(settings={"signature": edition}))
    for tx in (bet("b-1"), win("w-1", of="b-1"), win("w-2", "1.00", of="b-1"), win("w-3", "2.00", round_id="other")):
        yes(bench.call(tx))
    sent = [tx for tx in bench.till.sent if tx.kind is Kind.CREDIT]
    assert [bool(getattr(tx.act, "reference", "")) for tx in sent] == [True, False, False]
    assert bench.till.balance() == Decimal("1018.00")


def test_a_wallets_answer_that_is_lost_is_asked_for_again(bench_of: MakeBench) -> None:
    """Already processed: by our own first asking."""
    bench = bench_of("native", a_betgames_wallet())
    for tx, moved in ((bet("b-1"), "990.00"), (win("w-1", of="b-1"), "1015.00")):
        bench.till.then(lost_after, kind=tx.kind)
        yes(bench.call(tx))
        assert bench.till.balance() == Decimal(moved)


def test_a_wallets_answer_without_a_proof_is_none(bench_of: MakeBench) -> None:
    """Neither its yes nor its no: the bet stays in doubt."""

    async def unproved(post: Any) -> Response:
        response: Response = post.arrive()
        return replace(response, body=re.sub(rb"<signature>.*</signature>", b"", response.body))

    for amount in ("10.00", "99999.00"):
        bench = bench_of("native", a_betgames_wallet())
        bench.till.always(unproved, kind=Kind.DEBIT)
        assert isinstance(bench.call(bet("b-1", amount)), Unknown)
        assert bench.row(Kind.DEBIT, "b-1").state is State.DOUBT


@pytest.mark.parametrize(("stake", "gain"), [("10.00", "25.00"), ("10.00", "0.00"), ("0.00", "3.00")])
def test_a_settle_is_a_payin_and_its_payout(bench_of: MakeBench, stake: str, gain: str) -> None:
    """A lost one, too, is told as lost; the win of a bet of nothing is a gift, for that was never told."""
    bench = bench_of("native", a_betgames_wallet())
    yes(bench.call(settle("s-1", stake, gain)))
    assert bench.till.balance() == Decimal("1000.00") - Decimal(stake) + Decimal(gain)
    told = [tx for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.CREDIT)]
    if stake != "0.00":
        first, second = told
        assert getattr(second.act, "reference", "") == first.id
    else:
        assert [(tx.kind, getattr(tx.act, "reference", "")) for tx in told] == [(Kind.CREDIT, "")]


@pytest.mark.parametrize("gift", [False, True])
def test_a_bet_is_given_back_as_a_gift_only_where_that_is_allowed(bench_of: MakeBench, gift: bool) -> None:
    """Else it waits for a person; and never more or less than the stake."""
    bench = bench_of("native", a_betgames_wallet(settings={"refund_as_promo": gift}))
    yes(bench.call(bet("b-1")))
    outcome = bench.call(undo("r-1", "b-1", "10.00"))
    assert isinstance(outcome, Accepted if gift else Unknown)
    assert bench.till.balance() == Decimal("1000.00" if gift else "990.00")
    if not gift:
        assert bench.row(Kind.ROLLBACK, "r-1").state is State.PERSON


def test_a_gift_is_given_for_no_bet_that_may_never_have_been_taken(bench_of: MakeBench) -> None:
    """It pays, whatever the wallet knows of the bet: *a bet that had never arrived was given back.*"""
    bench = bench_of("native", a_betgames_wallet(settings={"refund_as_promo": True}))
    bench.till.always(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("b-1")), Unknown)
    bench.call(undo("r-1", "b-1", "10.00"))
    for _ in range(4):
        bench.rest(200)
        bench.look()
        bench.rest(5)
    bench.call(undo("r-2", "b-unknown", "10.00"))
    bench.rest(400)
    bench.look()
    assert bench.till.asked(Kind.CREDIT, Kind.ROLLBACK) == 0
    assert bench.till.balance() == Decimal("1000.00")


def test_who_plays_is_asked_of_the_wallet(bench_of: MakeBench) -> None:
    """A BetGames provider before a BetGames wallet: both know the session alone."""
    bench = bench_of("betgames", a_betgames_wallet())
    studio = Studio(bench)
    assert studio("get_balance") == ("1", "0", "100000")
    assert studio.payin("501") == ("1", "0", "99750", "0")
    assert studio.payout("501") == ("1", "0", "100350", "0")
    assert bench.till.balance() == Decimal("1003.50")


def test_a_new_session_of_the_wallet_is_told_as_the_new_token(bench_of: MakeBench) -> None:
    """And the old one goes on."""
    bench = bench_of("betgames", "native")
    bench.launch()
    studio = Studio(bench)
    fresh = Accepted(balance=ONE, currency="EUR", profile=Profile(player=PLAYER, session="w-2"))
    bench.till.then(says(fresh), kind=Kind.AUTHENTICATE)
    assert in_it(studio.ask("request_new_token"), "params/new_token") == "w-2"
    for token in ("w-2", SESSION):
        assert studio("get_balance", token=token)[:2] == ("1", "0")
