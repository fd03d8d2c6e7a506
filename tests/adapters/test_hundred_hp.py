"""100HP Gaming: what one vector cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.hundred_hp.dialect import CALLS, DIALECT, HEARD, MESSAGES, Settings
from gateway.auth import Key
from gateway.dialect import Call, NoCall
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.ids import UuidIds
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
    Reason,
    Refused,
    Reserve,
    Rollback,
    Settle,
    Status,
    Transaction,
    Unknown,
)
from gateway.play.book import rules_of
from gateway.play.mask import Mask
from gateway.play.purse import Purse
from gateway.play.teller import Teller
from gateway.play.wallet import WalletServer, listener, serving
from gateway.serve.client import HttpWalletClient
from gateway.serve.live import clock
from gateway.vectors import CURRENCIES
from tests.cli.helpers import call
from tests.engine.acts import bet, undo, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import PLAYER, SESSION, Bench, a_wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(settings=Settings(), now=NOW, currency="EUR", currencies=CURRENCIES)
KEY = "hp-test-key-01"
ONE = Decimal(1)
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def uuid(number: int) -> str:
    return f"017f22e6-0000-7000-8000-{number:012}"


BET = Transaction(act=Debit(amount=Decimal("2.50")), id=uuid(1), player="p", session="s", currency="EUR")
ALL: dict[str, Transaction] = {
    "auth": replace(BET, act=Authenticate(), id=""),
    "balance": replace(BET, act=Balance(), id=""),
    "withdrawal": BET,
    "deposit": replace(BET, act=Credit(amount=ONE, reference=uuid(1))),
    "rollback": replace(BET, act=Rollback(reference=uuid(1)), id=f"refund:{uuid(1)}"),
    "bonusWin": replace(BET, act=Credit(amount=ONE, type="promo"), id=uuid(5), free_round_id="promo_1"),
}
SESSION_NOES = {Reason.SESSION_EXPIRED: 604, Reason.NOT_AUTHENTICATED: 604, Reason.PLAYER_NOT_FOUND: 604}
BET_NOES = {Reason.TRANSACTION_NOT_FOUND: 605, Reason.ALREADY_ROLLED_BACK: 608, Reason.ALREADY_SETTLED: 609}
TABLE: dict[str, dict[Reason, int]] = {
    "auth": SESSION_NOES,
    "balance": SESSION_NOES,
    "withdrawal": SESSION_NOES
    | {Reason.INSUFFICIENT_FUNDS: 603, Reason.DUPLICATE_MISMATCH: 607, Reason.ALREADY_ROLLED_BACK: 607},
    "deposit": BET_NOES | {Reason.DUPLICATE_MISMATCH: 609},
    "rollback": BET_NOES,
    "bonusWin": SESSION_NOES | {Reason.DUPLICATE_MISMATCH: 607},
}
HTTP = {400: 400, 601: 401, 603: 402, 604: 404, 605: 404, 607: 409, 608: 409, 609: 409, 702: 500}


def said(outcome: Outcome, name: str, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = DIALECT.encode_response(outcome, ALL.get(name), replace(CALL, name=name, **more))
    return answer.status, json.loads(answer.body)


def heard(code: int, name: str, *, status: int = 0, again: bool = False) -> Outcome:
    body = json.dumps({"data": "", "message": "m", "errCode": code}).encode()
    return DIALECT.decode_response(Response(status=status or code, body=body), ALL[name], replace(CALL, again=again))


def written(tx: Transaction, call: Call = CALL) -> tuple[str, dict[str, Any]]:
    request = DIALECT.encode_request(tx, call)
    return request.path, json.loads(request.body)


# ---------------------------------------------------------------- two laws: every reason said, every code heard


@pytest.mark.parametrize("name", [*ALL, ""])
def test_every_reason_and_doubt_are_said_as_the_card_says_them(name: str) -> None:
    """What has no code in its call is 702; by either setting, and where the request could not be read."""
    rows = {Reason.INVALID_REQUEST: 400, Reason.BAD_SIGNATURE: 601} | TABLE.get(name, {})
    for outcome in (Unknown(), *(Declined(reason=reason) for reason in Reason)):
        code = rows.get(outcome.reason, 702) if isinstance(outcome, Declined) else 702
        wanted = {"data": "", "message": MESSAGES[code], "errCode": code}
        assert said(outcome, name) == (code, wanted)
        assert said(outcome, name, settings=Settings(error_status="http")) == (HTTP[code], wanted)


@pytest.mark.parametrize("name", ALL)
def test_every_code_is_heard_as_one_of_yes_no_and_doubt(name: str) -> None:
    """By the code itself, by what HTTP has for it, and under 200; a code that its page does not give the call is doubt."""
    first = {400: Reason.INVALID_REQUEST, 601: Reason.BAD_SIGNATURE}
    for reason, code in TABLE[name].items():
        first.setdefault(code, reason)
    done = {"withdrawal": 607, "deposit": 609, "bonusWin": 607}.get(name)
    for code in range(1000):
        for status in {200, HTTP.get(code, 200)} | ({code} if code in HTTP else set()):
            for again in (False, True):
                found = heard(code, name, status=status, again=again)
                if again and code == done:
                    assert found == Accepted(replayed=True)
                elif code in first:
                    assert found == Declined(reason=first[code], message="m"), (code, status)
                else:
                    assert isinstance(found, Unknown), (code, status)


def test_another_http_status_is_doubt_whatever_stands_there() -> None:
    """*A proxy made 502 of 603.*"""
    assert {200, 400, 401, 402, 404, 409, 601, 603, 604, 605, 607, 608, 609} == HEARD
    for status in {*range(100, 1000)} - HEARD:
        for body in (b"", b'{"errCode":603}', b'{"userId":"p","currency":"EUR","balance":"1.00"}'):
            answer = Response(status=status, body=body)
            assert isinstance(DIALECT.decode_response(answer, BET, CALL), Unknown), status


@pytest.mark.parametrize("name", ALL)
def test_doubt_is_heard_as_doubt_and_a_no_never_as_a_yes(name: str) -> None:
    """To a first asking; what is said as 702 is doubt to another gateway, whatever it was."""
    for mode in ("same", "http"):
        call = replace(CALL, name=name, settings=Settings(error_status=mode))  # type: ignore[arg-type]  # its two words
        for outcome in (Unknown(), *(Declined(reason=reason) for reason in Reason)):
            answer = DIALECT.encode_response(outcome, ALL[name], call)
            found = DIALECT.decode_response(answer, ALL[name], call)
            assert isinstance(found, Unknown if json.loads(answer.body)["errCode"] == 702 else Declined)


def test_data_tells_what_was_wrong_with_a_calls_form_and_nothing_else() -> None:
    """A wallet's own words are nobody's business."""
    for name in ALL:
        for reason in Reason:
            assert said(Declined(reason=reason, message="a wallet's words"), name)[1]["data"] == ""


# ---------------------------------------------------------------- amounts


def read(amount: str, name: str = "withdrawal") -> Transaction:
    body = json.dumps({"sessionId": "s", "txId": uuid(1), "amount": amount, "promoId": "p"}).encode()
    return DIALECT.decode_request(Request(method="POST", path=f"/{name}", body=body), replace(CALL, name=name))


@EXAMPLES
@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("999999999.999999"), places=6))
def test_an_amount_is_cut_and_never_rounded(amount: Decimal) -> None:
    """And what is equal after the cut is equal: so a repeat is one (trap 4)."""
    for name in ("withdrawal", "deposit", "bonusWin"):
        act = read(f"{amount:f}", name).act
        assert getattr(act, "amount", None) == amount.quantize(Decimal("0.01"), rounding=ROUND_DOWN)
        assert act == read(f"{getattr(act, 'amount', None):f}", name).act


@EXAMPLES
@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("999999999.99"), places=2))
def test_what_is_said_is_read(amount: Decimal) -> None:
    """With two places on the wire."""
    for name in ("withdrawal", "deposit", "bonusWin"):
        tx = ALL[name]
        assert isinstance(tx.act, Debit | Credit)
        request = DIALECT.encode_request(replace(tx, act=replace(tx.act, amount=amount)), CALL)
        assert json.loads(request.body)["amount"] == f"{amount:.2f}"
        found = DIALECT.decode_request(request, replace(CALL, name=name))
        assert getattr(found.act, "amount", None) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "wallets"),
    [("1.005", "EUR", ""), ("1", "JPY", ""), ("1", "KWD", ""), ("1", "ZZZ", ""), ("1", "USD", "EUR")],
)
def test_what_a_wallet_would_cut_or_take_in_another_currency_is_not_told(
    amount: str, currency: str, wallets: str
) -> None:
    """No call names the currency, and the wallet would say what it took only when it has."""
    for name in ("withdrawal", "deposit", "bonusWin"):
        act = ALL[name].act
        assert isinstance(act, Debit | Credit)
        tx = replace(ALL[name], act=replace(act, amount=Decimal(amount)), currency=currency)
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(tx, replace(CALL, currency=wallets))
        assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


# ---------------------------------------------------------------- requests


def test_what_it_needs() -> None:
    """A deposit and a rollback need no session, and a rollback no currency."""
    nobodys = replace(CALL, currency="")
    for name, tx in ALL.items():
        needs = [] if name in ("deposit", "rollback") else ["session"]
        needs += ["currency"] if name in ("withdrawal", "deposit", "bonusWin") else []
        for what in needs:
            with pytest.raises(Missing) as missing:
                DIALECT.encode_request(replace(tx, **{what: ""}), nobodys)
            assert missing.value.field == what, name
        others = {what: "" for what in ("player", "session", "currency") if what not in needs}
        assert DIALECT.encode_request(replace(tx, **others), nobodys)
    with pytest.raises(Missing):
        DIALECT.encode_request(replace(BET, act=Rollback()), CALL)


CANNOT = (
    Settle(debit=ONE, credit=ONE), Adjust(amount=ONE), Check(), CloseRound(), CloseSession(), Reserve(amount=ONE),
    Capture(reference="h"), Notice(), Status(reference="b"), Debit(amount=ONE, free_round=True),
    Debit(amount=ONE, tracking_only=True), Debit(amount=Decimal(0)), Credit(amount=ONE, tracking_only=True, reference="b"),
    Credit(amount=Decimal(0)), Credit(amount=Decimal(0), reference="b", further=True), Rollback(reference="b", amount=ONE),
    Rollback(reference="w", reference_kind=Kind.CREDIT), Rollback(reference="c", reference_kind=Kind.ROLLBACK),
)  # fmt: skip


@pytest.mark.parametrize("act", CANNOT, ids=repr)
def test_what_it_cannot_say(act: Any) -> None:
    """A bet of nothing is answered by a balance, as what moves nothing is."""
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(replace(BET, act=act), CALL)
    assert (refused.value.reason, isinstance(refused.value, Missing)) == (Reason.UNSUPPORTED, False)


def test_a_bet_has_one_deposit_and_every_other_win_is_a_bonus() -> None:
    """A second deposit would be refused, or taken for a repeat of the first."""
    one = Credit(amount=ONE, reference=uuid(1))
    for act, path in (
        (one, "/deposit"), (replace(one, amount=Decimal(0)), "/deposit"), (replace(one, type="jackpot"), "/deposit"),
        (replace(one, further=True), "/bonusWin"), (Credit(amount=ONE), "/bonusWin"),
    ):  # fmt: skip
        where, body = written(replace(BET, act=act, id=uuid(7)))
        assert where == path
        assert body["txId"] == uuid(1 if path == "/deposit" else 7)
    assert body["promoId"] == "extra"
    assert written(replace(BET, act=Credit(amount=ONE), free_round_id="c-7"))[1]["promoId"] == "c-7"


def test_only_post_and_only_these_paths() -> None:
    """With and without a trailing slash."""
    assert DIALECT.route(Request(method="POST", path="/bonusWin/"), Settings()) == "bonusWin"
    for path in ("/", "", "/bonuswin", "/withdrawal/x", "//withdrawal", "/games/v1/list"):
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(Request(method="POST", path=path), Settings())
        assert (no_call.value.allow, no_call.value.answer) == ((), None)
    with pytest.raises(NoCall) as no_call:
        DIALECT.route(Request(method="GET", path="/withdrawal"), Settings())
    assert no_call.value.allow == ("POST",)


def test_two_keys_live_side_by_side_and_none_is_shown() -> None:
    """They stand in every body: none reaches a log."""
    keys = tuple(Key(id=name, parts={"secret": f"hp-{name}-key"}) for name in ("old", "new"))
    for key in keys:
        request = DIALECT.auth.sign(DIALECT.encode_request(BET, CALL), (key,), Settings(), NOW)
        assert json.loads(request.body)["secret"] == key.part("secret")
        assert DIALECT.auth.verify(request, keys, Settings(), NOW) == key.id
        assert key.part("secret") not in Mask(DIALECT).body(request.body)
        assert '"s"' not in Mask(DIALECT).body(request.body)
    with pytest.raises(Refused) as refused:
        DIALECT.auth.verify(request, keys[:1], Settings(), NOW)
    assert refused.value.reason is Reason.BAD_SIGNATURE


def test_ids_of_ours_are_uuids_of_version_7() -> None:
    """Which the page asks for."""
    made = DIALECT.as_wallet.ids.made("acme:debit:b-1")
    assert (made[14], DIALECT.as_wallet.ids) == ("7", UuidIds(version=7))


# ---------------------------------------------------------------- through the gateway, as the card's Semantics have it


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


Heard = tuple[int, Any]


class Hub:
    """100HP's side in its own words, through the gateway to a native wallet."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def __call__(self, path: str, **fields: Any) -> Heard:
        """The status, and what it says: the balance of a yes, `data` of an error."""
        body = json.dumps({"secret": KEY, **fields}).encode()
        answer = self.bench.raw(Request(method="POST", path=f"/{path}", body=body))
        self.bench.rest(0.01)
        told = json.loads(answer.body)
        if answer.status == 200:
            return 200, told["balance"]
        assert told["errCode"] == answer.status
        return answer.status, told["data"]

    def bet(self, number: int, amount: str, session: str = SESSION) -> Heard:
        return self("withdrawal", sessionId=session, txId=uuid(number), amount=amount)

    def win(self, number: int, amount: str) -> Heard:
        return self("deposit", txId=uuid(number), amount=amount)

    def undo(self, number: int) -> Heard:
        return self("rollback", txId=uuid(number))

    def bonus(self, number: int, amount: str, session: str = SESSION) -> Heard:
        return self("bonusWin", sessionId=session, txId=uuid(number), amount=amount, promoId="promo_1")


@pytest.fixture
def hub(bench_of: MakeBench) -> Hub:
    bench = bench_of("hundred_hp", "native")
    bench.launch()
    return Hub(bench)


def ok(balance: str) -> Heard:
    return 200, balance


def test_a_bet_its_repeat_its_win_and_another_one(hub: Hub) -> None:
    """One id for all; a repeat hears the first answer, other content an error, and each moves money once."""
    assert hub("auth", sessionId=SESSION) == ok("1000.00")
    assert [hub.bet(1, amount) for amount in ("2.50", "2.5", "2.509")] == [ok("997.50")] * 3
    assert hub.bet(1, "2.51") == (607, "")
    assert [hub.win(1, amount) for amount in ("6.129", "6.12")] == [ok("1003.62")] * 2
    assert hub.bet(1, "2.50") == ok("997.50")
    assert hub.win(1, "6.13") == (609, "")
    assert hub.undo(1) == (609, "")
    assert hub("balance", sessionId=SESSION) == ok("1003.62")
    assert hub.bench.till.asked() == 2
    assert hub.bench.till.balance() == Decimal("1003.62")


def test_a_rollback_its_repeat_and_what_comes_after_it(hub: Hub) -> None:
    """The repeat hears 608, as the page says, and so does the win; that of the bet its first answer."""
    assert hub.bet(1, "10") == ok("990.00")
    assert hub.undo(1) == ok("1000.00")
    assert hub.undo(1) == (608, "")
    assert hub.win(1, "25") == (608, "")
    assert hub.bet(1, "10") == ok("990.00")
    assert hub.bench.till.balance() == Decimal("1000.00")


def test_each_refused_bet_is_followed_by_a_rollback_that_finds_nothing(hub: Hub) -> None:
    """No wallet is asked for it; the refusal stays one."""
    assert hub.bet(2, "5000") == (603, "")
    assert [hub.undo(2), hub.undo(2), hub.bet(2, "5000"), hub.undo(2)] == [(605, ""), (605, ""), (603, ""), (605, "")]
    assert hub.win(2, "25") == (605, "")
    assert hub.bench.till.asked() == 1
    assert not hub.bench.unresolved()


def test_a_rollback_before_its_bet_is_remembered(hub: Hub) -> None:
    """The late bet moves nothing."""
    assert hub.undo(3) == (605, "")
    assert [hub.bet(3, "10"), hub.undo(3), hub.bet(3, "10")] == [(607, ""), (605, ""), (607, "")]
    assert hub.win(3, "25") == (608, "")
    assert not hub.bench.till.asked()
    assert not hub.bench.unresolved()


def test_a_win_of_a_bet_that_nobody_knows_is_final(hub: Hub) -> None:
    """Nobody knows whose it is, and no wallet can be asked."""
    assert [hub.win(9, "10"), hub.win(9, "10")] == [(605, ""), (605, "")]
    assert hub.bench.row(Kind.CREDIT, uuid(9)).state is State.DECLINED
    assert not hub.bench.till.asked()


def test_a_win_and_a_rollback_go_to_the_player_of_their_bet(bench_of: MakeBench) -> None:
    """Their calls name nobody, whoever played last."""
    bench = bench_of("hundred_hp", "native", opening={PLAYER: Decimal(1000), "p-2": Decimal(500)})
    hub = Hub(bench)
    assert hub.bet(1, "10") == ok("990.00")
    assert hub.bet(2, "10", "sess-p-2") == ok("490.00")
    assert hub.bet(3, "10", "sess-p-2") == ok("480.00")
    assert hub.win(1, "25") == ok("1015.00")
    assert hub.win(2, "0") == ok("480.00")
    assert hub.undo(3) == ok("490.00")
    assert hub.bet(1, "10", "sess-p-2") == (607, "")  # another player's, under a used id


def test_a_bonus_has_a_key_space_of_its_own(hub: Hub) -> None:
    """Its id may be a bet's; it ends none."""
    assert hub.bet(1, "10") == ok("990.00")
    assert [hub.bonus(1, "5"), hub.bonus(1, "5.001")] == [ok("995.00")] * 2
    assert hub.bonus(1, "6") == (607, "")
    assert hub.undo(1) == ok("1005.00")
    assert hub.bench.till.last(Kind.CREDIT).free_round_id == "promo_1"
    assert hub.bench.till.balance() == Decimal("1005.00")


def test_a_session_that_nobody_knows(hub: Hub) -> None:
    """A read and a bet are refused; a bonus waits for a person, and is paid when somebody says who plays."""
    hub.bench.till.always(says(Declined(reason=Reason.SESSION_EXPIRED)), kind=Kind.AUTHENTICATE)
    for heard_ in (hub("auth", sessionId="gone"), hub("balance", sessionId="gone"), hub.bet(1, "10", "gone")):
        assert heard_ == (604, "")
    assert hub.bonus(5, "5", "gone") == (702, "")
    assert hub.bench.row(Kind.CREDIT, f"bonus:{uuid(5)}").state is State.PERSON
    assert not hub.bench.till.asked()


def test_a_session_that_is_over_stops_no_win(hub: Hub) -> None:
    """Nor a rollback: their calls carry none."""
    assert [hub.bet(1, "10"), hub.bet(2, "10")] == [ok("990.00"), ok("980.00")]
    hub.bench.rest(3600 * 24)
    assert hub.win(1, "25") == ok("1005.00")
    assert hub.undo(2) == ok("1015.00")


@pytest.mark.parametrize(
    "reason", [Reason.LIMIT_EXCEEDED, Reason.PLAYER_BLOCKED, Reason.CURRENCY_MISMATCH, Reason.ROUND_CLOSED]
)
def test_a_bet_that_is_refused_for_what_has_no_code_is_702_and_stays_refused(hub: Hub, reason: Reason) -> None:
    """A rollback follows it as any error, and hears that there is nothing."""
    hub.bench.till.then(says(Declined(reason=reason)), kind=Kind.DEBIT)
    assert [hub.bet(1, "10"), hub.bet(1, "10"), hub.undo(1)] == [(702, ""), (702, ""), (605, "")]
    assert hub.bench.till.asked(Kind.DEBIT) == 1


def test_a_win_that_a_wallet_refuses_for_a_moment_is_doubt_and_paid(hub: Hub) -> None:
    """*A wallet did not know its player for a minute: a final no would have lost the win for ever.*"""
    assert hub.bet(1, "10") == ok("990.00")
    for reason in (Reason.PLAYER_NOT_FOUND, Reason.TRANSACTION_NOT_FOUND, Reason.PLAYER_BLOCKED):
        hub.bench.till.always(says(Declined(reason=reason)), kind=Kind.CREDIT)
        assert hub.win(1, "25") == (702, "")
        assert hub.bonus(2, "5") == (702, "")
    assert hub.undo(1) == (702, "")  # its win may still come
    hub.bench.till.heal()
    assert [hub.win(1, "25"), hub.bonus(2, "5")] == [ok("1015.00"), ok("1020.00")]
    assert hub.undo(1) == (609, "")


def test_doubt_and_what_comes_after_it(hub: Hub) -> None:
    """702 for the bet, and for its rollback until the stake is given back; then the bet is as if it never was."""
    till = hub.bench.till
    till.always(lost_after)
    assert [hub.bet(1, "10"), hub.undo(1)] == [(702, ""), (702, "")]
    till.heal()
    hub.bench.settlement(3600, 30)
    assert [hub.undo(1), hub.bet(1, "10"), hub.win(1, "5")] == [(608, ""), (607, ""), (608, "")]
    assert till.balance() == Decimal("1000.00")
    assert not hub.bench.unresolved()


def test_a_wrong_key_moves_nothing(hub: Hub) -> None:
    """Nor does a missing one, in any call."""
    for path in (wire.path for wire in CALLS):
        for key, code in (("hp-wrong-key-01", 601), ("", 400), (None, 400)):
            body = json.dumps(
                {"secret": key, "sessionId": SESSION, "txId": uuid(1), "amount": "1", "promoId": "p"}
            ).encode()
            answer = hub.bench.raw(Request(method="POST", path=path, body=body))
            assert answer.status == json.loads(answer.body)["errCode"] == code
    assert not hub.bench.till.sent


def test_a_sign_of_life_needs_no_key_and_asks_no_wallet(hub: Hub) -> None:
    """And only that: everything else under its name is no call."""
    for path in ("/liveness", "/liveness/"):
        assert hub.bench.raw(Request(method="GET", path=path)) == Response()
    assert hub.bench.raw(Request(method="POST", path="/liveness", body=b"{}")).status == 405
    assert hub.bench.raw(Request(method="GET", path="/liveness/x")).status == 404
    assert [(answer.outcome, answer.key) for answer in hub.bench.answers[:2]] == [("accepted", "")] * 2
    assert not hub.bench.till.sent


CONFIG = """
version: 1
server: {listen: "127.0.0.1:8080", demo: true}
admin: {listen: "127.0.0.1:9090"}
journal: {url: "sqlite:///var/journal.db"}
providers:
  hp: {dialect: hundred_hp, guard: {networks: [127.0.0.0/8]}, keys: [{id: k1, secret: hp-test-key-01}], currency: EUR}
wallets:
  main:
    dialect: hundred_hp
    url: https://wallet.example
    keys: [{id: w1, secret: hp-wallet-key-01}]
    repeats: {debit: never, credit: applied, rollback: applied}
    answer_within: 3s
routes: [{wallet: main}]
"""


def test_a_configuration_of_both_ends(tmp_path: Path) -> None:
    """A currency without two digits is refused at load; what asks for nothing is told to no wallet."""
    file = tmp_path / "gateway.yaml"
    file.write_text(CONFIG)
    assert call("check", str(file)).exit_code == 0
    alive = call("translate", "--config", str(file), "--provider", "hp", stdin=b"GET /liveness\n\n")
    assert (alive.exit_code, "asks for nothing" in alive.stderr) == (1, True)
    for code in ("JPY", "KWD"):
        file.write_text(CONFIG.replace("currency: EUR", f"currency: {code}"))
        assert f"{code} has" in call("check", str(file)).stderr


# ---------------------------------------------------------------- a wallet that speaks it

REPEATS = {"debit": "never", "credit": "applied", "rollback": "applied"}


@pytest.mark.parametrize("provider", ["native", "kyren", "scorpio_play", "hundred_hp"])
def test_bets_wins_and_cancels_at_a_hundred_hp_wallet(bench_of: MakeBench, provider: str) -> None:
    """The first win of a bet is its deposit, a further one and one of no bet a bonus."""
    bench = bench_of(provider, a_wallet("hundred_hp", repeats=REPEATS))
    one, two = bet(uuid(1)), bet(uuid(2), round_id="2")
    yes(bench.call(one))
    yes(bench.call(two))
    assert yes(bench.call(win(uuid(3), of=uuid(1)))).balance == Decimal("1005.00")
    assert not isinstance(bench.call(win(uuid(3), of=uuid(1))), Unknown)
    yes(bench.call(win(uuid(4), "5.00", round_id="4")))
    yes(bench.call(bench.undo(two, uuid(5))))
    assert bench.till.balance() == Decimal("1020.00")
    paths = [
        exchange.request.path for exchange in bench.till.exchanges if exchange.request.path not in ("/auth", "/balance")
    ]
    assert paths == ["/withdrawal", "/withdrawal", "/deposit", "/bonusWin", "/rollback"]
    told = [json.loads(exchange.request.body) for exchange in bench.till.exchanges]
    assert {fields["txId"][14] for fields in told if "txId" in fields} == {"7"}


def test_a_second_win_of_a_bet_is_a_bonus_and_both_are_paid(bench_of: MakeBench) -> None:
    """Its repeat is told in the same words, for ever."""
    bench = bench_of("native", a_wallet("hundred_hp", repeats=REPEATS))
    yes(bench.call(bet(uuid(1))))
    yes(bench.call(win(uuid(3), "10.00", of=uuid(1))))
    bench.till.then(lost_before, kind=Kind.CREDIT)
    yes(bench.call(win(uuid(4), "5.00", of=uuid(1))))
    assert bench.till.balance() == Decimal("1005.00")
    assert [exchange.request.path for exchange in bench.till.exchanges[-2:]] == ["/deposit", "/bonusWin"]


def test_what_a_wallet_has_done_already_is_a_yes_to_our_own_repeat(bench_of: MakeBench) -> None:
    """607 and 609 there, as its page has it for repeats: paid once, and told as paid."""
    bench = bench_of("native", a_wallet("hundred_hp", repeats=REPEATS))
    yes(bench.call(bet(uuid(1))))
    for tx, code in ((win(uuid(3), "10.00", of=uuid(1)), 609), (win(uuid(4), "5.00"), 607)):
        no = Response(status=code, body=json.dumps({"data": "", "message": "m", "errCode": code}).encode())
        bench.till.then(lost_after, replies(no), kind=Kind.CREDIT)
        yes(bench.call(tx))
    assert bench.till.balance() == Decimal("1005.00")


def test_a_rollback_that_was_done_already_is_a_yes_to_our_own_repeat(bench_of: MakeBench) -> None:
    """Its wallet says 608 then, as its page has it."""
    bench = bench_of("native", a_wallet("hundred_hp", repeats=REPEATS))
    one = bet(uuid(1))
    yes(bench.call(one))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    yes(bench.call(bench.undo(one, uuid(2))))
    assert [exchange.response.status for exchange in bench.till.exchanges[-2:]] == [200, 608]
    assert bench.till.balance() == Decimal("1000.00")


def replies(response: Response) -> Any:
    async def behave(post: Any) -> Response:
        return response

    return behave


def test_a_bet_that_meets_another_under_its_id_is_refused(bench_of: MakeBench) -> None:
    """607 to a first asking is no yes."""
    bench = bench_of("native", a_wallet("hundred_hp", repeats=REPEATS))
    bench.till.then(says(Declined(reason=Reason.DUPLICATE_MISMATCH)), kind=Kind.DEBIT)
    heard_ = bench.call(bet(uuid(1)))
    assert isinstance(heard_, Declined)
    assert heard_.reason is Reason.DUPLICATE_MISMATCH


def test_a_refund_of_a_part_is_not_told(bench_of: MakeBench) -> None:
    """All of it would go back."""
    bench = bench_of("native", a_wallet("hundred_hp", repeats=REPEATS))
    yes(bench.call(bet(uuid(1))))
    assert isinstance(bench.call(undo(uuid(2), uuid(1), "3.00")), Unknown)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    assert bench.row(Kind.ROLLBACK, uuid(2)).state is State.PERSON


async def test_a_simulated_wallet_says_its_codes_as_statuses_and_we_hear_them() -> None:
    """Over real sockets: 603 is no status that a usual server can write."""
    wallet, purse = a_wallet("hundred_hp"), Purse(rules_of(DIALECT), opening=None)
    purse.open("p-1", "EUR", ONE)
    teller = Teller(dialect=DIALECT, settings=Settings(), keys=wallet.keys, purse=purse, currencies=CURRENCIES)
    client, bound = HttpWalletClient(clock), listener("127.0.0.1", 0)
    async with serving(WalletServer(teller), bound) as url:
        try:
            there = replace(wallet, url=url)
            request = DIALECT.encode_request(replace(BET, player="", session="sess-p-1"), CALL)
            request = DIALECT.auth.sign(request, wallet.keys, Settings(), NOW)
            answer = await client.send(there, request, 5.0)
            alive = await client.send(there, Request(method="GET", path="/liveness"), 5.0)
        finally:
            await client.close()
    assert (answer.status, json.loads(answer.body)["errCode"]) == (603, 603)
    assert DIALECT.decode_response(answer, BET, CALL) == Declined(
        reason=Reason.INSUFFICIENT_FUNDS, message="Insufficient balance"
    )
    assert alive.status == 200
