"""Rules 4 to 8: what is a yes, what is a no, and what nobody knows."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.journal import Doubt
from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.http import Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Declined,
    Kind,
    Outcome,
    Profile,
    Reason,
    Transaction,
    Unknown,
)
from gateway.play.caller import seconds_of
from gateway.play.habits import is_settled
from tests.engine.acts import balance, bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import (
    Behaviour,
    answers,
    cut,
    error_after,
    garbage,
    lost_after,
    lost_before,
    says,
    silent,
    unreachable,
)
from tests.simulation.bench import NEVER, PLAYER, QUERY, a_call, a_wallet, at_once

HTML = {"content-type": "text/html"}
DOUBTS: dict[str, Behaviour] = {
    "lost before it arrived": lost_before,
    "lost after it was applied": lost_after,
    "500 after it was applied": error_after,
    "HTML": garbage,
    "an empty body": cut(0),
    "half a JSON": cut(20),
    "a redirect": answers(Response(status=301, headers={"location": "https://elsewhere.example/"})),
    "a teapot": answers(Response(status=418, headers=HTML, body=b"short and stout")),
    "429": answers(Response(status=429, body=b"{}")),
    "another protocol's yes": answers(Response(body=b'{"ok": true}')),
}
WALLETS = ["native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"]


@pytest.mark.parametrize("behaviour", DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_04_what_is_neither_yes_nor_no_is_doubt(bench_of: MakeBench, wallet: str, behaviour: Behaviour) -> None:
    """Silence, cut or garbled replies, 5xx and statuses no page names: nobody knows."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(behaviour)
    bench.till.always(lost_before, Kind.STATUS)
    assert isinstance(bench.call(bet("t1")), Unknown)
    row = bench.row(Kind.DEBIT, "t1")
    assert (row.state, row.told, row.attempts) == (State.DOUBT, "unknown", 1)
    assert bench.till.asked(Kind.DEBIT) == 1


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_04_an_answer_cut_at_any_byte_is_doubt(bench_of: MakeBench, wallet: str) -> None:
    """A prefix of a yes is no yes; it is no no either."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.always(lost_before, Kind.STATUS)
    yes(bench.call(bet("whole", "0.01")))
    length = len(next(e.response.body for e in bench.till.exchanges if e.tx and e.tx.kind is Kind.DEBIT))
    for byte in range(length):
        bench.till.then(cut(byte), kind=Kind.DEBIT)
        assert isinstance(bench.call(bet(f"cut-{byte}", "0.01")), Unknown)


@pytest.mark.parametrize("wallet", ["netgaming", "dragon_gaming", "kyren", "scorpio_play"])
@pytest.mark.parametrize("kind", [Kind.DEBIT, Kind.CREDIT])
def test_rule_04_a_code_that_also_means_i_do_not_know_is_doubt(bench_of: MakeBench, wallet: str, kind: Kind) -> None:
    """100, 104 and ERR_UNKNOWN are said for failures and for doubt alike."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(says(Unknown(detail="the database is away")), kind=kind)
    assert isinstance(bench.call(bet("x") if kind is Kind.DEBIT else win("x")), Unknown)


def test_rule_04_a_yes_in_another_currency_is_doubt(bench_of: MakeBench) -> None:
    """An accepted answer in another currency than the movement's: who knows what moved."""
    bench = bench_of("native", a_wallet("native", repeats=NEVER))
    bench.till.then(says(Accepted(balance=Decimal("5.00"), currency="USD", wallet_id="w-1")))
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.row(Kind.DEBIT, "t1").state is State.DOUBT


@pytest.mark.parametrize("wallet", ["netgaming", "pragmatic_play", "hundred_hp"])
def test_rule_04_a_purse_in_another_currency_is_a_no_to_whoever_asks_about_it(bench_of: MakeBench, wallet: str) -> None:
    """Nothing moves by a read. A provider whose configuration says EUR heard doubt of a player of USD, launch after launch."""
    dollars = a_wallet(wallet, currency="")
    bench = bench_of("native", dollars, currency="USD", routes=(Route(wallet="main"),))
    bench.setup = replace(bench.setup, providers={"acme": replace(bench.provider, currency="EUR")})
    for act in (Authenticate(), Balance()):
        assert why(bench.call(a_call(act, currency="", round_id=""))) is Reason.CURRENCY_MISMATCH


def test_rule_04_of_a_no_in_another_currency_only_the_balance_is_dropped(bench_of: MakeBench) -> None:
    """A no stays a no."""
    bench = bench_of()
    refusal = Declined(reason=Reason.INSUFFICIENT_FUNDS, balance=Decimal("5.00"), currency="USD")
    bench.till.then(says(refusal))
    heard = bench.call(bet("t1"))
    assert why(heard) is Reason.INSUFFICIENT_FUNDS
    assert (heard.balance, heard.currency) in ((None, ""), (Decimal("1000.00"), "EUR"))  # type: ignore[union-attr]  # Declined


def test_rule_04_a_dialect_need_not_compare_the_currency_of_a_no(bench_of: MakeBench) -> None:
    """One that says what it heard and no more: NetGaming's answer has a number, and 5.00 USD would be read as EUR."""
    wallet = a_wallet("native")

    def as_heard(response: Response, tx: Transaction, call: Call) -> Outcome:
        return wallet.dialect.decode_response(response, replace(tx, currency=""), call)

    credulous = replace(wallet, dialect=replace(wallet.dialect, decode_response=as_heard))
    bench = bench_of("netgaming", credulous)
    refusal = Declined(reason=Reason.INSUFFICIENT_FUNDS, balance=Decimal("5.00"), currency="USD")
    bench.till.then(says(refusal))
    assert why(bench.call(bet("t1"))) is Reason.INSUFFICIENT_FUNDS
    outcome = bench.row(Kind.DEBIT, "t1").outcome
    assert isinstance(outcome, Declined)
    assert (outcome.balance, outcome.currency) != (Decimal("5.00"), "USD")


def test_rule_04_a_yes_for_another_player_is_doubt(bench_of: MakeBench) -> None:
    """NetGaming echoes the player: an answer to somebody else's call."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))

    def of_another(body: bytes) -> bytes:
        return body.replace(PLAYER.encode(), b"p-2")

    async def behave(post):  # type: ignore[no-untyped-def]  # a behaviour
        response = post.arrive()
        return replace(response, body=of_another(response.body))

    bench.till.then(behave, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)


@pytest.mark.parametrize("wallet", ["native", "gameball"])
def test_rule_04_our_bad_key_on_a_first_attempt_moved_nothing(bench_of: MakeBench, wallet: str) -> None:
    """A debit is declined `unsupported`, a credit is owed; counted as our fault; never `bad_signature`."""
    bench = bench_of("native", wallet)
    bench.till.then(says(Declined(reason=Reason.BAD_SIGNATURE)), kind=Kind.DEBIT)
    assert why(bench.call(bet("t1"))) is Reason.UNSUPPORTED
    bench.till.always(says(Declined(reason=Reason.BAD_SIGNATURE)), kind=Kind.CREDIT)
    assert isinstance(bench.call(win("t2")), Unknown)
    assert bench.row(Kind.CREDIT, "t2").state is State.OWED
    assert ("main", "debit", "bad_signature") in bench.tally.our_faults
    assert ("main", "credit", "bad_signature") in bench.tally.our_faults
    bench.till.heal()
    yes(bench.call(win("t2")))
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_04_what_the_wallet_cannot_read_declines_a_debit_as_invalid_request(bench_of: MakeBench) -> None:
    """`invalid_request` where the wallet says so; its field is none of the provider's."""
    bench = bench_of("netgaming", "netgaming")
    bench.till.then(says(Declined(reason=Reason.INVALID_REQUEST, field="game_id")))
    heard = bench.call(bet("t1"))
    assert why(heard) is Reason.INVALID_REQUEST
    assert heard.field != "game_id"  # type: ignore[union-attr]  # Declined


@pytest.mark.parametrize("repeats", ["safe", "query", "never"])
def test_rule_04_an_attempt_of_which_no_byte_left_was_not_made(bench_of: MakeBench, repeats: str) -> None:
    """It may be made again whatever `repeats` says."""
    words = dict.fromkeys(("debit", "credit", "rollback"), repeats)
    bench = bench_of("native", a_wallet("native", repeats=words))
    bench.till.then(unreachable, unreachable)
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 3
    assert bench.row(Kind.DEBIT, "t1").attempts == 1


def test_rule_04_until_it_left_the_movement_is_in_doubt(bench_of: MakeBench) -> None:
    """Nothing left for as long as the provider waited; its retry is a first attempt."""
    bench = bench_of("native", a_wallet("native", repeats=NEVER))
    bench.till.always(unreachable)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.row(Kind.DEBIT, "t1").state is State.DOUBT
    assert bench.row(Kind.DEBIT, "t1").attempts == 0
    bench.till.heal()
    yes(bench.call(bet("t1")))
    assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- 5


def test_rule_05_a_no_to_the_second_attempt_is_not_a_no_to_the_first(bench_of: MakeBench) -> None:
    """*Debit applied, answer lost, key rotated meanwhile, asked again: 401.*"""
    bench = bench_of()
    bench.till.then(lost_after)
    bench.till.always(says(Declined(reason=Reason.BAD_SIGNATURE)))
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.till.asked(Kind.DEBIT) > 1
    assert bench.row(Kind.DEBIT, "t1").state is State.DOUBT
    bench.till.heal()
    yes(bench.call(bet("t1")))
    assert bench.till.balance() == Decimal("990.00")


def test_rule_05_a_business_no_of_a_safe_wallet_is_believed(bench_of: MakeBench) -> None:
    """It looks for the id first, so it never saw the first attempt."""
    bench = bench_of()
    bench.till.then(lost_before, says(Declined(reason=Reason.INSUFFICIENT_FUNDS)))
    assert why(bench.call(bet("t1"))) is Reason.INSUFFICIENT_FUNDS
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED


def test_rule_05_a_replay_of_the_first_no_is_believed(bench_of: MakeBench) -> None:
    """Marked `replayed`, it is the first decision itself."""
    bench = bench_of(wallet=a_wallet("native", repeats=QUERY))
    bench.till.then(lost_before)
    bench.till.then(
        says(Declined(reason=Reason.LIMIT_EXCEEDED, replayed=True)), kind=Kind.STATUS
    )  # fmt: skip
    assert why(bench.call(bet("t1"))) is Reason.LIMIT_EXCEEDED


def test_rule_05_a_query_ends_the_doubt(bench_of: MakeBench) -> None:
    """The wallet applied it and its answer was lost: the query finds it."""
    bench = bench_of(wallet=a_wallet("native", repeats=QUERY))
    bench.till.then(lost_after)
    yes(bench.call(bet("t1")))
    assert (bench.till.asked(Kind.DEBIT), bench.till.asked(Kind.STATUS)) == (1, 1)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_05_already_rolled_back_for_our_own_repeated_rollback_is_a_yes(bench_of: MakeBench, wallet: str) -> None:
    """The first rollback was applied and its answer lost; the second meets it."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("t1")))
    met = Declined(reason=Reason.ALREADY_ROLLED_BACK, balance=Decimal("1000.00"), currency="EUR", wallet_id="w-3")
    bench.till.then(lost_after, says(met), kind=Kind.ROLLBACK)
    yes(bench.call(undo("r1", "t1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_05_already_settled_to_a_later_rollback_is_believed_only_where_the_id_comes_first(
    bench_of: MakeBench, wallet: str
) -> None:
    """A wallet that remembers only what it applied says it of the second request; the first may still arrive."""
    repeats = {"debit": "safe", "credit": "safe", "rollback": "applied"}
    bench = bench_of("native", a_wallet(wallet, repeats=repeats))
    yes(bench.call(bet("t1")))
    bench.till.then(lost_before, kind=Kind.ROLLBACK)
    bench.till.always(says(Declined(reason=Reason.ALREADY_SETTLED)), kind=Kind.ROLLBACK)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    assert bench.till.asked(Kind.ROLLBACK) > 1
    bench.till.heal()
    bench.settlement(60, 1)
    yes(bench.call(undo("r1", "t1")))
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- 6


FINAL = [Reason.INSUFFICIENT_FUNDS, Reason.PLAYER_NOT_FOUND, Reason.PLAYER_BLOCKED, Reason.LIMIT_EXCEEDED]


@pytest.mark.parametrize("reason", FINAL)
def test_rule_06_every_no_to_a_debit_is_final(bench_of: MakeBench, reason: Reason) -> None:
    """The repeat hears the first decision; the wallet is not asked again."""
    bench = bench_of()
    bench.till.then(says(Declined(reason=reason)))
    assert why(bench.call(bet("t1"))) is reason
    assert why(bench.call(bet("t1"))) is reason
    assert bench.till.asked(Kind.DEBIT) == 1


def test_rule_06_a_settle_counts_as_a_debit(bench_of: MakeBench) -> None:
    """`settle`, `reserve`, `capture`, `release` and a negative `adjust` do."""
    bench = bench_of()
    bench.till.then(says(Declined(reason=Reason.PLAYER_BLOCKED)))
    assert why(bench.call(settle("s1"))) is Reason.PLAYER_BLOCKED
    assert bench.row(Kind.SETTLE, "s1").state is State.DECLINED


@pytest.mark.parametrize("provider", WALLETS)
def test_rule_06_a_declined_win_is_owed_and_the_providers_retry_reaches_the_wallet(
    bench_of: MakeBench, provider: str
) -> None:
    """*A wallet says `player_not_found` for one minute; a cached no would lose the win for ever.*"""
    bench = bench_of(provider, "native")
    bench.till.then(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.CREDIT)
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.CREDIT)
    heard = bench.call(win("t1"))
    assert bench.answers[-1].outcome == "unknown"
    assert not is_settled(win("t1"), heard)
    assert bench.row(Kind.CREDIT, "t1").state is State.OWED
    bench.till.heal()
    yes(bench.call(win("t1")))
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_06_a_rollback_declined_for_another_reason_is_owed(bench_of: MakeBench) -> None:
    """Only three noes to a rollback are final."""
    bench = bench_of()
    yes(bench.call(bet("t1")))
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.OWED
    bench.till.heal()
    yes(bench.call(undo("r1", "t1")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_06_a_refund_for_a_customer_whom_nobody_has_ever_seen(bench_of: MakeBench) -> None:
    """Gameball's page says 7000 to it: it was 503, and the client came again for days. What is named is buried all the
    same: its redeem, held up on the way, must not be taken after its refund."""
    bench = bench_of("gameball", "native")
    bench.call(bet("t0", player="nobody"))  # of what was declined a wallet holds nothing
    for _ in range(2):
        assert why(bench.call(undo("r1", "t1", player="nobody", round_id=""))) is Reason.PLAYER_NOT_FOUND
        answer = bench.answers[-1].response
        assert (answer.status, json.loads(answer.body)["code"]) == (404, 7000)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    bench.till.purse.open("nobody", "EUR", Decimal("100.00"))
    bench.call(bet("t1", player="nobody"))
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance("nobody") == Decimal("100.00")


@pytest.mark.parametrize("known", ["reference", "player", "session", "doubt", "forgotten", "second"])
def test_rule_06_of_a_customer_whom_somebody_has_seen_it_stays_owed(bench_of: MakeBench, known: str) -> None:
    """*A wallet says `player_not_found` for one minute*: of a bet that it holds, or may hold, that is no decision."""
    bench = bench_of("gameball", a_wallet("native", repeats=dict.fromkeys(("debit", "credit", "rollback"), "applied")))
    stake = bet("t1" if known == "reference" else "t2", round_id="")
    if known in ("reference", "player"):
        yes(bench.call(stake))
    if known == "doubt":
        bench.till.always(lost_after, kind=Kind.DEBIT)
        assert isinstance(bench.call(stake), Unknown)
    if known == "session":
        bench.launch()
    if known == "forgotten":
        at_once(bench.journal.doubt(Doubt(since=bench.scheduler.clock(), said_at=bench.scheduler.clock()), "r", "b"))
    if known == "second":
        bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.till.always(says(Declined(reason=Reason.PLAYER_NOT_FOUND)), kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("r1", "t1", round_id="")), Unknown)
    assert bench.answers[-1].response.status == 503
    assert bench.row(Kind.ROLLBACK, "r1").state is State.OWED


@pytest.mark.parametrize("provider", ["native", "netgaming", "dragon_gaming", "scorpio_play"])
def test_rule_06_elsewhere_a_rollback_for_a_player_whom_nobody_has_seen_is_owed(
    bench_of: MakeBench, provider: str
) -> None:
    """No other page says so."""
    bench = bench_of(provider, "native", routes=(Route(wallet="main"),))
    assert isinstance(bench.call(undo("r1", "t1", "10.00", player="nobody", session="s")), Unknown)
    assert bench.row(Kind.ROLLBACK, "r1").state is State.OWED


@pytest.mark.parametrize("reason", [Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED])
def test_rule_06_two_noes_to_a_rollback_are_final(bench_of: MakeBench, reason: Reason) -> None:
    """They say that there is nothing to be undone."""
    bench = bench_of()
    yes(bench.call(bet("t1")))
    bench.till.then(says(Declined(reason=reason)), kind=Kind.ROLLBACK)
    assert why(bench.call(undo("r1", "t1"))) is reason
    assert why(bench.call(undo("r1", "t1"))) is reason
    assert bench.till.asked(Kind.ROLLBACK) == 1


def test_rule_06_not_found_is_final_of_what_this_wallet_never_accepted(bench_of: MakeBench) -> None:
    """It says that there is nothing to be undone; of a bet that it took it would contradict itself."""
    bench = bench_of()
    for _ in range(2):
        assert why(bench.call(undo("r1", "elsewhere"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.ROLLBACK) == 1


def test_rule_06_where_the_wallet_may_not_be_asked_again_a_declined_win_waits_for_a_person(bench_of: MakeBench) -> None:
    """`never`: for a person."""
    bench = bench_of(wallet=a_wallet("native", repeats=NEVER))
    bench.till.then(says(Declined(reason=Reason.PLAYER_NOT_FOUND)))
    assert isinstance(bench.call(win("t1")), Unknown)
    assert bench.row(Kind.CREDIT, "t1").state is State.PERSON
    assert isinstance(bench.call(win("t1")), Unknown)
    assert bench.till.asked(Kind.CREDIT) == 1


# ---------------------------------------------------------------- 7


def test_rule_07_a_replay_hears_the_same_decision_and_wallet_id(bench_of: MakeBench) -> None:
    """NetGaming's replay is the stored answer, byte for byte."""
    bench = bench_of("netgaming", "netgaming")
    first = bench.finish(bench.begin(bet("t1")))
    yes(bench.call(bet("t2", "5.00")))
    again = bench.finish(bench.begin(bet("t1")))
    assert first.response is not None
    assert again.response is not None
    assert again.response.body == first.response.body


@pytest.mark.parametrize("provider", ["native", "kyren"])
def test_rule_07_where_the_card_says_so_a_replay_shows_the_balance_of_now(bench_of: MakeBench, provider: str) -> None:
    """Kyren: "the actual balance on retries"."""
    bench = bench_of(provider, "netgaming")
    first = yes(bench.call(bet("t1")))
    yes(bench.call(bet("t2", "5.00")))
    again = yes(bench.call(bet("t1")))
    assert (again.wallet_id, again.balance) == (first.wallet_id, Decimal("985.00"))
    assert bench.till.asked(Kind.BALANCE) == 1


def test_rule_07_the_repeat_of_a_no_shows_the_balance_of_now_as_well(bench_of: MakeBench) -> None:
    """Native: "the first decision with `replayed: true` and the current balance"; the player has won since."""
    bench = bench_of("native", "native")
    first = bench.call(bet("t1", "5000.00"))
    yes(bench.call(win("w1", "25.00")))
    again = bench.call(bet("t1", "5000.00"))
    assert why(first) is why(again) is Reason.INSUFFICIENT_FUNDS
    assert isinstance(first, Declined)
    assert isinstance(again, Declined)
    assert (first.balance, again.balance, again.replayed) == (Decimal("1000.00"), Decimal("1025.00"), True)


def test_rule_07_a_repeated_cancel_that_undid_nothing_shows_the_balance_of_now(bench_of: MakeBench) -> None:
    """Kyren's Cancel of an unknown bet is a success with `cash`, and so is its repeat."""
    bench = bench_of("kyren", "native")
    first = bench.call(undo("c1", "never-came"))
    yes(bench.call(win("w1", "25.00")))
    again = bench.call(undo("c1", "never-came"))
    assert not isinstance(first, Unknown)
    assert not isinstance(again, Unknown)
    assert (first.balance, again.balance) == (Decimal("1000.00"), Decimal("1025.00"))


def test_rule_07_else_the_last_known_one(bench_of: MakeBench) -> None:
    """The balance call failed; the answer still comes, and in time."""
    bench = bench_of("kyren", "netgaming")
    yes(bench.call(bet("t1")))
    yes(bench.call(bet("t2", "5.00")))
    bench.till.always(lost_before, Kind.BALANCE)
    bench.till.always(lost_before, Kind.AUTHENTICATE)
    assert yes(bench.call(bet("t1"))).balance == Decimal("985.00")


def test_rule_07_a_replayed_no_stays_a_no(bench_of: MakeBench) -> None:
    """Also at Gameball, whose "already used" (9004) is for accepted ones only."""
    bench = bench_of("gameball", "native")
    for _ in range(2):
        assert why(bench.call(bet("t1", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.DEBIT) == 1


def test_rule_07_gameballs_already_used_is_said_when_the_provider_asked_twice_and_never_because_we_did(
    bench_of: MakeBench,
) -> None:
    """9004 on a first call would tell the provider that somebody else moved the money."""
    bench = bench_of("gameball", "native")
    bench.till.then(lost_after)
    heard = bench.finish(bench.begin(bet("t1")))
    assert heard.response is not None
    assert heard.response.status == 200
    assert bench.till.asked(Kind.DEBIT) == 2
    again = bench.finish(bench.begin(bet("t1")))
    assert again.response is not None
    assert (again.response.status, b"9004" in again.response.body) == (422, True)


# ---------------------------------------------------------------- 8


def test_rule_08_a_balance_is_fetched_where_the_answer_needs_one(bench_of: MakeBench) -> None:
    """Gameball's redeem answers none, NetGaming's debit must."""
    bench = bench_of("netgaming", "gameball")
    bench.launch()
    assert yes(bench.call(bet("t1"))).balance == bench.till.balance() == Decimal("990.00")
    assert bench.till.asked(Kind.BALANCE) == 1


def test_rule_08_if_that_fails_the_outcome_stands_and_the_last_balance_is_moved(bench_of: MakeBench) -> None:
    """The last known balance plus or minus what moved, rounded down."""
    bench = bench_of("netgaming", "gameball")
    assert yes(bench.call(balance())).balance == Decimal("1000.00")
    bench.till.always(lost_before, Kind.BALANCE)
    assert yes(bench.call(bet("t1", "10.00"))).balance == Decimal("990.00")
    assert yes(bench.call(win("t2", "25.00"))).balance == Decimal("1015.00")
    assert yes(bench.call(undo("r1", "t1", "10.00"))).balance == Decimal("1025.00")
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_08_a_balance_that_does_not_come_leaves_time_for_the_answer(bench_of: MakeBench) -> None:
    """The outcome is known at once: the provider does not wait for the last moment to hear it."""
    bench = bench_of("netgaming", "gameball")
    yes(bench.call(balance()))
    bench.till.always(silent(600), Kind.BALANCE)
    began = bench.scheduler.now
    assert yes(bench.finish(bench.begin(bet("t1"))).outcome).balance == Decimal("990.00")
    assert bench.scheduler.now - began < 0.9 * seconds_of(bench.provider.dialect, Kind.DEBIT)


def test_rule_08_a_profile_is_no_part_of_a_movement(bench_of: MakeBench) -> None:
    """What a balance answer says of the player does not leak into another's outcome."""
    bench = bench_of()
    bench.till.then(says(Accepted(balance=Decimal("5.00"), currency="EUR", profile=Profile(session="s-2"))))
    heard = yes(bench.call(bet("t1")))
    assert heard.balance == Decimal("5.00")
