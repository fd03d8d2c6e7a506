"""What one vector of Hub88 cannot show: both laws of its statuses, keys, money, who plays, and whole plays of both variants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.hub88.dialect import DIALECT, Settings
from gateway.auth import Key
from gateway.dialect import Call, NoCall
from gateway.engine.setup import Provider, Wallet
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Round,
    Transaction,
    Unknown,
)
from gateway.vectors import CURRENCIES, DEFAULT_NOW, demo_key
from tests.engine.acts import bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench, benches
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import a_provider, a_wallet

CALETA = Settings(variant="caleta")
VARIANTS = (Settings(), CALETA)
NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"
E = "RS_ERROR_"
ANSWERS: dict[Kind, Transaction] = {
    act_kind: Transaction(
        act=act, id="ct-1", player="p-1", session="s-1", currency="EUR", round=Round("r-1", False), game=Game(id="g-1")
    )
    for act_kind, act in {
        Kind.BALANCE: Balance(),
        Kind.DEBIT: Debit(amount=Decimal("1.00")),
        Kind.CREDIT: Credit(amount=Decimal("1.00"), reference="ct-0"),
        Kind.ROLLBACK: Rollback(reference="ct-0"),
    }.items()
}


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make


def a_call(settings: Settings = VARIANTS[0], **more: Any) -> Call:
    return Call(settings=settings, now=DEFAULT_NOW, nonce=NONCE, currencies=CURRENCIES, **more)


def asked(tx: Transaction, settings: Settings = VARIANTS[0]) -> Call:
    """The call as its answer is written and read."""
    request = DIALECT.encode_request(tx, a_call(settings))
    return a_call(settings, request=request, name=DIALECT.route(request, settings))


def status_of(response: Response) -> str:
    return str(json.loads(response.body)["status"])


# ---------------------------------------------------------------- two laws of the statuses

# The card's table, at the wallet's end: each status is one of yes, no and doubt, on every call.
HEARD: dict[str, Outcome] = {
    "RS_OK": Accepted(balance=Decimal("1.00"), currency="EUR"),
    E + "UNKNOWN": Unknown(),
    E + "TIMEOUT": Unknown(),
    **{
        E + status: Declined(reason=reason)
        for status, reason in {
            "INVALID_PARTNER": Reason.PLAYER_BLOCKED,
            "INVALID_TOKEN": Reason.NOT_AUTHENTICATED,
            "TOKEN_EXPIRED": Reason.SESSION_EXPIRED,
            "INVALID_GAME": Reason.GAME_NOT_FOUND,
            "WRONG_CURRENCY": Reason.CURRENCY_MISMATCH,
            "NOT_ENOUGH_MONEY": Reason.INSUFFICIENT_FUNDS,
            "LIMIT_REACHED": Reason.LIMIT_EXCEEDED,
            "BET_LIMIT_EXCEEDED": Reason.LIMIT_EXCEEDED,
            "USER_DISABLED": Reason.PLAYER_BLOCKED,
            "INVALID_SIGNATURE": Reason.BAD_SIGNATURE,
            "WRONG_SYNTAX": Reason.INVALID_REQUEST,
            "WRONG_TYPES": Reason.INVALID_REQUEST,
            "DUPLICATE_TRANSACTION": Reason.DUPLICATE_MISMATCH,
            "TRANSACTION_DOES_NOT_EXIST": Reason.TRANSACTION_NOT_FOUND,
            "TRANSACTION_ROLLED_BACK": Reason.ALREADY_ROLLED_BACK,
        }.items()
    },
}
OF_NO_VARIANT = {
    "hub88": {E + "TIMEOUT", E + "BET_LIMIT_EXCEEDED"},
    "caleta": {E + "INVALID_PARTNER", E + "LIMIT_REACHED"},
}


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("status", HEARD)
def test_every_status_of_the_table_is_heard_as_one_thing(status: str, kind: Kind, settings: Settings) -> None:
    tx, call = ANSWERS[kind], asked(ANSWERS[kind], settings)
    body = {"status": status, "request_uuid": NONCE, "currency": "EUR", "balance": 100000}
    heard = DIALECT.decode_response(Response(body=json.dumps(body).encode()), tx, call)
    wanted = HEARD[status]
    assert type(heard) is type(wanted)
    assert getattr(heard, "reason", None) is getattr(wanted, "reason", None)
    assert isinstance(heard, Unknown) or heard.balance == Decimal("1.00")


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("outcome", [Unknown(), *(Declined(reason=reason) for reason in Reason)], ids=str)
def test_every_reason_has_words_of_the_table_and_doubt_is_never_a_no(
    outcome: Outcome, kind: Kind, settings: Settings
) -> None:
    """A status that this variant has; heard as the same reason or one that it is told like, or as doubt. Of what is owed
    every word that would end it is said only where that is meant."""
    tx, call = ANSWERS[kind], asked(ANSWERS[kind], settings)
    if isinstance(outcome, Declined):  # some are told with a balance, which is asked for where nobody said it
        outcome = replace(outcome, balance=Decimal(1), currency="EUR")
    response = DIALECT.encode_response(outcome, tx, call)
    said = status_of(response)
    assert response.status == 200
    assert said in set(HEARD) - OF_NO_VARIANT[settings.variant]
    heard = DIALECT.decode_response(response, tx, call)
    if isinstance(outcome, Unknown):
        assert isinstance(heard, Unknown)
    elif kind in (Kind.CREDIT, Kind.ROLLBACK) and isinstance(outcome, Declined):
        ends = {
            Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST, Reason.DUPLICATE_MISMATCH, Reason.ALREADY_SETTLED,
            Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK,
        }  # fmt: skip
        assert isinstance(heard, Unknown) is (outcome.reason not in ends)


def test_what_a_rollback_finds_undone_is_a_success_and_at_caleta_what_it_does_not_find_too() -> None:
    """With a balance, which is asked for where nobody said it."""
    for settings, reason, status in (
        (VARIANTS[0], Reason.ALREADY_ROLLED_BACK, "RS_OK"),
        (VARIANTS[0], Reason.TRANSACTION_NOT_FOUND, E + "TRANSACTION_DOES_NOT_EXIST"),
        (CALETA, Reason.ALREADY_ROLLED_BACK, "RS_OK"),
        (CALETA, Reason.TRANSACTION_NOT_FOUND, "RS_OK"),
    ):
        call = asked(ANSWERS[Kind.ROLLBACK], settings)
        said = Declined(reason=reason, balance=Decimal("1.00"), currency="EUR")
        assert status_of(DIALECT.encode_response(said, ANSWERS[Kind.ROLLBACK], call)) == status
        assert json.loads(DIALECT.encode_response(said, ANSWERS[Kind.ROLLBACK], call).body)["balance"] == 100000


def test_a_refusal_for_lack_of_money_needs_the_real_balance() -> None:
    with pytest.raises(Missing) as missing:
        DIALECT.encode_response(
            Declined(reason=Reason.INSUFFICIENT_FUNDS), ANSWERS[Kind.DEBIT], asked(ANSWERS[Kind.DEBIT])
        )
    assert missing.value.field == "balance"


def test_a_duplicate_is_no_yes_to_a_rollback_that_is_asked_again() -> None:
    """It may say that the bet is settled: believed as "done before", its stake would be nobody's."""
    answer = Response(body=json.dumps({"status": E + "DUPLICATE_TRANSACTION", "request_uuid": NONCE}).encode())
    for kind, again, doubt in ((Kind.ROLLBACK, True, True), (Kind.ROLLBACK, False, False), (Kind.DEBIT, True, False)):
        heard = DIALECT.decode_response(answer, ANSWERS[kind], replace(asked(ANSWERS[kind]), again=again))
        assert isinstance(heard, Unknown if doubt else Declined)


# ---------------------------------------------------------------- calls and keys


@pytest.mark.parametrize(
    ("settings", "method", "path", "name"),
    [
        (VARIANTS[0], "POST", "/transaction/bet", "transaction/bet"),
        (VARIANTS[0], "POST", "/wallet/bet", None),
        (VARIANTS[0], "POST", "/wallet/check", None),
        (CALETA, "POST", "/wallet/bet", "transaction/bet"),
        (CALETA, "POST", "/wallet/check", "wallet/check"),
        (CALETA, "POST", "/user/info", None),
        (CALETA, "POST", "/transaction/bet", None),
        (VARIANTS[0], "GET", "/transaction/bet", ("POST",)),
        (VARIANTS[0], "POST", "/", None),
    ],
)
def test_each_variant_has_its_own_paths(settings: Settings, method: str, path: str, name: Any) -> None:
    if isinstance(name, str):
        assert DIALECT.route(Request(method=method, path=path), settings) == name
    else:
        with pytest.raises(NoCall) as no_call:
            DIALECT.route(Request(method=method, path=path), settings)
        assert no_call.value.allow == (name or ())


def test_several_keys_live_at_once_and_the_header_is_the_variants() -> None:
    """An old and a new key while they are exchanged: Caleta takes one bad signature of a rollback for the end."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    old = Key(
        id="old",
        parts={
            "public_key": made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "private_key": made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        },
    )
    new = replace(demo_key(DIALECT, VARIANTS[0]), id="new")
    for settings, header in zip(VARIANTS, ("x-hub88-signature", "x-auth-signature"), strict=True):
        request = DIALECT.encode_request(ANSWERS[Kind.DEBIT], a_call(settings))
        for key in (old, new):
            signed = DIALECT.auth.sign(request, [key], settings, DEFAULT_NOW)
            assert signed.header(header)
            assert DIALECT.auth.verify(signed, [new, old], settings, DEFAULT_NOW) == key.id
        with pytest.raises(Refused):
            DIALECT.auth.verify(signed, [old], settings, DEFAULT_NOW)


def test_the_country_is_told_where_the_session_knows_it() -> None:
    request = Request(method="POST", path="/user/info", body=b'{"user":"p-1","request_uuid":"q-1"}')
    call = a_call(request=request, name="user/info", country="SE")
    tx = DIALECT.decode_request(request, call)
    answer = DIALECT.encode_response(Accepted(balance=Decimal("1.00"), currency="EUR"), tx, call)
    wanted = {"user": "p-1", "request_uuid": "q-1", "status": "RS_OK", "country": "SE", "currency": "EUR"}
    assert json.loads(answer.body) == wanted


# ---------------------------------------------------------------- money


@given(st.sampled_from(["EUR", "JPY", "KWD", "BTC"]), st.integers(0, 10**18))
def test_an_amount_is_exact_or_refused(currency: str, whole: int) -> None:
    """Read and written it is the same integer; what the currency cannot hold is refused, and never rounded."""
    finest = 10 ** max(5 - CURRENCIES.digits(currency), 0)
    call = asked(replace(ANSWERS[Kind.DEBIT], currency=currency, act=Debit(amount=Decimal(1))))
    assert call.request is not None
    body = json.loads(call.request.body) | {"amount": whole, "currency": currency}
    request = replace(call.request, body=json.dumps(body).encode())
    if whole % finest:
        with pytest.raises(Refused) as refused:
            DIALECT.decode_request(request, call)
        assert refused.value.flaw is Flaw.IMPOSSIBLE
        return
    tx = DIALECT.decode_request(request, call)
    assert isinstance(tx.act, Debit)
    assert tx.act.amount == Decimal(whole) / 100000
    assert json.loads(DIALECT.encode_request(tx, a_call()).body)["amount"] == whole


@given(st.sampled_from(["EUR", "JPY", "BTC"]), st.decimals(-(10**9), 10**9, places=8))
def test_a_balance_is_shown_rounded_down(currency: str, balance: Decimal) -> None:
    exact = CURRENCIES.shown(balance, currency)
    call = asked(replace(ANSWERS[Kind.DEBIT], currency=currency))
    body = DIALECT.encode_response(Accepted(balance=exact, currency=currency), ANSWERS[Kind.DEBIT], call).body
    shown = Decimal(json.loads(body)["balance"]) / 100000
    assert shown <= exact < shown + Decimal("0.00001")


def test_an_amount_finer_than_the_wire_cannot_be_said() -> None:
    with pytest.raises(Refused) as refused:
        DIALECT.encode_request(
            replace(ANSWERS[Kind.DEBIT], currency="BTC", act=Debit(amount=Decimal("0.00000001"))), a_call()
        )
    assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    "tx",
    [
        replace(ANSWERS[Kind.DEBIT], act=Debit(amount=Decimal(1), tracking_only=True)),
        replace(ANSWERS[Kind.CREDIT], act=Credit(amount=Decimal(1), reference="b", tracking_only=True)),
        replace(ANSWERS[Kind.ROLLBACK], act=Rollback(reference="b", amount=Decimal(1))),
        replace(ANSWERS[Kind.ROLLBACK], act=Rollback(reference="b", reference_kind=Kind.ROLLBACK)),
    ],
    ids=["a bet for the record", "a win for the record", "a part", "a rollback of a rollback"],
)
def test_what_it_cannot_say(tx: Transaction) -> None:
    for settings in VARIANTS:
        with pytest.raises(Refused) as refused:
            DIALECT.encode_request(tx, a_call(settings))
        assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("what", ["player", "session", "round", "game", "currency", "id", "reference"])
def test_what_it_needs_of_a_win(what: str) -> None:
    """It says what is missing, so that it can be supplied."""
    tx = ANSWERS[Kind.CREDIT]
    without = {"round": {"round": None}, "game": {"game": None}, "reference": {"act": Credit(amount=Decimal(1))}}
    with pytest.raises(Missing) as missing:
        DIALECT.encode_request(replace(tx, **without.get(what, {what: ""})), a_call())
    assert missing.value.field == what


# ---------------------------------------------------------------- whole plays, as a provider


def hub(variant: str = "hub88", **more: Any) -> Provider:
    return a_provider("hub88", settings={"variant": variant}, **more)


@pytest.mark.parametrize("reason", [Reason.UNSUPPORTED, Reason.ROUND_CLOSED])
def test_a_bet_that_no_status_refuses_is_rolled_back_and_was_never_there(bench_of: MakeBench, reason: Reason) -> None:
    """RS_ERROR_UNKNOWN to the bet; its rollback finds nothing, and nothing moves."""
    bench = bench_of(hub())
    bench.till.then(says(Declined(reason=reason)), kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("b")), Unknown)
    assert status_of(bench.answers[-1].response) == E + "UNKNOWN"
    assert why(bench.call(undo("u", "b"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.till.balance() == Decimal("1000.00")


def test_a_bet_in_doubt_is_never_told_as_surely_not_taken(bench_of: MakeBench) -> None:
    """It was applied, its answer was lost: RS_ERROR_UNKNOWN, and the rollback gives it back."""
    bench = bench_of(hub())
    bench.till.always(lost_after, Kind.DEBIT)
    bench.call(bet("b"))
    assert status_of(bench.answers[-1].response) == E + "UNKNOWN"
    bench.till.heal()
    yes(bench.call(undo("u", "b")))
    assert bench.till.balance() == Decimal("1000.00")


def test_a_win_of_an_unknown_bet_is_declined_and_of_a_rolled_back_one_too(bench_of: MakeBench) -> None:
    """The first by the wallet, the second by the journal."""
    bench = bench_of(hub())
    bench.till.then(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), kind=Kind.CREDIT)
    assert why(bench.call(win("w1", of="never"))) is Reason.TRANSACTION_NOT_FOUND
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b")))
    assert why(bench.call(win("w2", of="b"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.CREDIT) == 1


def test_a_win_that_its_wallet_refuses_for_now_is_owed(bench_of: MakeBench) -> None:
    bench = bench_of(hub())
    yes(bench.call(bet("b")))
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), Kind.CREDIT)
    assert isinstance(bench.call(win("w", of="b")), Unknown)
    bench.till.heal()
    yes(bench.call(win("w", of="b")))
    assert bench.till.balance() == Decimal("1015.00")


def test_one_id_is_one_movement_whatever_its_call(bench_of: MakeBench) -> None:
    """Another call, amount, game or reference under it is RS_ERROR_DUPLICATE_TRANSACTION, and moves nothing."""
    bench = bench_of(hub())
    yes(bench.call(bet("b")))
    others = (
        win("b", of="b"),
        undo("b", "b"),
        bet("b", "11.00"),
        bet("b", game=Game(id="other")),
        bet("b", round_id="x"),
    )
    for other in others:
        assert why(bench.call(other)) is Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("990.00")


def test_a_rollback_names_a_bet_or_a_win(bench_of: MakeBench) -> None:
    """The wire says neither which nor how much: the journal knows both."""
    bench = bench_of(hub())
    for each in (bet("b"), win("w", of="b"), undo("u1", "w", kind=Kind.CREDIT), undo("u2", "b")):
        yes(bench.call(each))
    kinds = [tx.act.reference_kind for tx in bench.till.sent if isinstance(tx.act, Rollback)]
    assert kinds == [Kind.CREDIT, Kind.DEBIT]
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- Caleta


def test_caleta_is_told_the_player_of_its_session(bench_of: MakeBench) -> None:
    """The studio's name for the player is taken only where no session is known."""
    bench = bench_of(hub("caleta"), opening={"p-1": Decimal("1000.00"), "studio-1": Decimal("500.00")})
    bench.launch("s-1", "p-1")
    yes(bench.call(bet("b1", player="studio-1", session="s-1")))
    yes(bench.call(bet("b2", player="studio-1", session="unknown")))
    assert (bench.till.balance("p-1"), bench.till.balance("studio-1")) == (Decimal("990.00"), Decimal("490.00"))


def test_hub88_never_takes_a_studios_name_for_its_player(bench_of: MakeBench) -> None:
    """A balance may name nobody but the token: of one that nobody knows nothing is told."""
    bench = bench_of(hub(), opening={"p-1": Decimal("1000.00"), "studio-1": Decimal("500.00")})
    body = b'{"token":"unknown","request_uuid":"q","game_code":"g","supplier_user":"studio-1"}'
    request = Request(method="POST", path="/user/balance", body=body)
    answer = bench.raw(DIALECT.auth.sign(request, bench.provider.keys, bench.provider.settings, DEFAULT_NOW))
    assert json.loads(answer.body) == {"request_uuid": "q", "status": E + "INVALID_TOKEN"}


@pytest.mark.parametrize(
    ("reward", "bonus"), [("cc-1", "cc-1"), ("", "c-2"), (False, "c-2"), (None, "c-2"), ([], "c-2")]
)
def test_a_reward_is_a_text_or_none(reward: Any, bonus: str) -> None:
    call = asked(ANSWERS[Kind.DEBIT])
    assert call.request is not None
    body = json.loads(call.request.body) | {"reward_uuid": reward, "campaign_uuid": "c-2"}
    assert DIALECT.decode_request(replace(call.request, body=json.dumps(body).encode()), call).free_round_id == bonus


def test_caletas_rollback_of_an_unknown_bet_is_a_success_and_buries_it(bench_of: MakeBench) -> None:
    bench = bench_of(hub("caleta"))
    yes(bench.call(undo("u", "late")))
    assert why(bench.call(bet("late"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


def test_caletas_rollback_is_no_success_while_its_refund_is_in_doubt(bench_of: MakeBench) -> None:
    bench = bench_of(hub("caleta"))
    yes(bench.call(bet("b")))
    bench.till.always(lost_before, Kind.ROLLBACK)
    assert isinstance(bench.call(undo("u", "b")), Unknown)
    assert status_of(bench.answers[-1].response) == E + "UNKNOWN"
    bench.till.heal()
    yes(bench.call(undo("u", "b")))
    assert bench.till.balance() == Decimal("1000.00")


def test_caletas_rollback_after_a_win_in_doubt_waits_for_it(bench_of: MakeBench) -> None:
    """It gave the bet up because nobody answered the win; the win is paid, and the bet stays."""
    bench = bench_of(hub("caleta"))
    yes(bench.call(bet("b")))
    bench.till.always(lost_after, Kind.CREDIT)
    assert isinstance(bench.call(win("w", of="b")), Unknown)
    bench.till.heal()
    heard = bench.call(undo("u", "b"))
    assert isinstance(heard, Declined)
    assert status_of(bench.answers[-1].response) == E + "DUPLICATE_TRANSACTION"
    assert bench.row(Kind.CREDIT, "w").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1015.00")


# ---------------------------------------------------------------- whole plays, as a wallet


def hub_wallet(variant: str = "hub88", **more: Any) -> Wallet:
    return a_wallet("hub88", settings={"variant": variant}, **more)


@pytest.mark.parametrize("variant", ["hub88", "caleta"])
@pytest.mark.parametrize("provider", ["native", "netgaming", "kyren", "hub88"])
def test_any_provider_plays_at_such_a_wallet(bench_of: MakeBench, provider: str, variant: str) -> None:
    """Ids are UUIDs, each movement has its own, and every win and rollback names a bet: also of providers whose wins name
    none, and of which bet and win have one number."""
    bench = bench_of(provider, hub_wallet(variant))
    first, second = bet("1"), bet("2")
    for each in (first, second, win("3", of="1")):
        yes(bench.call(each))
    yes(bench.call(bench.undo(second, "4")))
    moved = [tx for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK)]
    assert all(DIALECT.as_wallet.ids.holds(tx.id) for tx in moved)
    assert len({tx.id for tx in moved}) == 4
    debits = {tx.id for tx in moved if tx.kind is Kind.DEBIT}
    assert all(getattr(tx.act, "reference", "") in debits for tx in moved if tx.kind is not Kind.DEBIT)
    assert bench.till.balance() == Decimal("1015.00")


def test_its_own_ids_are_kept_where_they_are_uuids(bench_of: MakeBench) -> None:
    """`ids: as_is`, from Hub88 to a wallet of Hub88's: what is no UUID is made one all the same."""
    bench = bench_of("hub88", hub_wallet(ids_as_is=True))
    own = "6f5a3c10-2a8e-4a2e-8f57-1c6d2b7e9001"
    for id in (own, "tx-1"):
        yes(bench.call(bet(id)))
    first, second = (tx.id for tx in bench.till.sent if tx.kind is Kind.DEBIT)
    assert first == own
    assert second.startswith("0000")
    assert DIALECT.as_wallet.ids.holds(second)


def test_a_settle_is_told_as_a_bet_and_its_win(bench_of: MakeBench) -> None:
    bench = bench_of("native", hub_wallet())
    yes(bench.call(settle("s")))
    debit, credit = bench.till.last(Kind.DEBIT), bench.till.last(Kind.CREDIT)
    assert credit.act.reference == debit.id  # type: ignore[union-attr]  # a win has one
    assert bench.till.balance() == Decimal("1015.00")


def test_a_free_bet_is_told_as_free(bench_of: MakeBench) -> None:
    """And never as a real one; for the record only it is not told at all."""
    bench = bench_of("native", hub_wallet())
    yes(bench.call(bet("f", free=True)))
    yes(bench.call(bet("t", tracking=True)))
    debits = [tx.act for tx in bench.till.sent if isinstance(tx.act, Debit)]
    assert [act.free_round for act in debits] == [True]
    assert bench.till.balance() == Decimal("1000.00")


def test_each_attempt_has_a_request_uuid_of_its_own(bench_of: MakeBench) -> None:
    """Else its wallet would answer a new question with an old answer."""
    bench = bench_of("native", hub_wallet())
    bench.till.then(lost_before, kind=Kind.DEBIT)
    yes(bench.call(bet("b")))
    names = [tx.request_id for tx in bench.till.sent if tx.kind is Kind.DEBIT]
    assert len(set(names)) == len(names) >= 2
