"""Rules 9 to 15, 28: debits in doubt, cancels in between, what is owed, and time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.states import State
from gateway.engine.world import Silence
from gateway.http import Response
from gateway.model import Accepted, Declined, Kind, Reason, Unknown
from gateway.play.caller import seconds_of
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import open_rows
from tests.simulation.behaviours import Post, late, lost_after, lost_before, queued, says, silent, unreachable
from tests.simulation.bench import NEVER, QUERY, SAFE, Trip, a_provider, a_wallet, declared

IN_FLIGHT_SECONDS = 130.0  # more than `in_flight_max`
DIALECTS = ["native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"]
WITHOUT_TOMBSTONES = ["netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"]


# ---------------------------------------------------------------- 9


def test_rule_09_a_safe_wallet_is_asked_again_while_the_provider_waits(bench_of: MakeBench) -> None:
    """The provider hears a decision although the first answer was lost."""
    bench = bench_of()
    bench.till.then(lost_after)
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 2
    assert bench.till.balance() == Decimal("990.00")


def test_rule_09_nobody_asks_when_the_provider_is_gone(bench_of: MakeBench) -> None:
    """*It never arrived, the provider gave up and told the player so; who asks again takes the stake.*"""
    bench = bench_of()
    bench.till.always(lost_before)
    assert isinstance(bench.call(bet("t1")), Unknown)
    asked = bench.till.asked(Kind.DEBIT)
    bench.till.heal()
    bench.rest(3600)
    assert bench.till.asked(Kind.DEBIT) == asked
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_09_the_providers_repeat_asks_again(bench_of: MakeBench) -> None:
    """It still wants the bet."""
    bench = bench_of()
    bench.till.always(lost_before)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    yes(bench.call(bet("t1")))
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("wallet", WITHOUT_TOMBSTONES)
@pytest.mark.parametrize("repeats", [QUERY, NEVER], ids=["query", "never"])
def test_rule_09_a_wallet_that_is_not_safe_is_not_asked_again(
    bench_of: MakeBench, wallet: str, repeats: dict[str, str]
) -> None:
    """None of these can be queried, so the debit stays in doubt, whoever repeats it."""
    bench = bench_of("native", a_wallet(wallet, repeats=repeats))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    for _ in range(3):
        assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- 10


def test_rule_10_a_404_to_a_query_means_nothing_while_the_request_may_still_be_queued(bench_of: MakeBench) -> None:
    """The query overtakes the debit; the debit then arrives."""
    bench = bench_of(wallet=a_wallet("native", repeats=QUERY))
    bench.till.then(queued(20), kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.till.asked(Kind.STATUS) >= 1
    assert bench.till.asked(Kind.DEBIT) == 1
    bench.rest(60)
    assert bench.row(Kind.DEBIT, "t1").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("990.00")


def test_rule_10_once_nothing_can_be_in_flight_it_was_never_applied_and_is_asked_as_a_first(
    bench_of: MakeBench,
) -> None:
    """Its provider waits for it."""
    bench = bench_of(wallet=a_wallet("native", repeats=QUERY))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(IN_FLIGHT_SECONDS)
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 2
    assert bench.row(Kind.DEBIT, "t1").attempts == 1


def test_rule_10_a_debit_never_applied_that_nobody_waits_for_is_declined(bench_of: MakeBench) -> None:
    """A cancel came: its query shows that there is nothing to undo."""
    bench = bench_of(wallet=a_wallet("native", repeats=QUERY, tombstones=False))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(IN_FLIGHT_SECONDS)
    assert why(bench.call(undo("r1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.ROLLBACK) == 0


def test_rule_10_not_found_to_a_rollback_is_final_where_the_wallet_has_tombstones(bench_of: MakeBench) -> None:
    """The late movement will be refused there, so nothing can move any more."""
    bench = bench_of()
    bench.till.then(queued(20), kind=Kind.DEBIT)
    bench.till.always(lost_before, Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert why(bench.call(undo("r1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    bench.rest(60)
    row = bench.row(Kind.DEBIT, "t1")
    assert row.state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", WITHOUT_TOMBSTONES)
def test_rule_10_elsewhere_a_rollback_of_what_may_be_in_flight_is_not_sent_yet(
    bench_of: MakeBench, wallet: str
) -> None:
    """The wallet would say "not found", and then take the late bet."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(queued(20), kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert isinstance(bench.call(undo("r1", "t1")), Unknown)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    bench.rest(60)
    assert bench.till.balance() == Decimal("990.00")
    yes(bench.call(undo("r1", "t1")))
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["netgaming", "scorpio_play"])
def test_rule_10_after_in_flight_max_its_not_found_is_final_everywhere(bench_of: MakeBench, wallet: str) -> None:
    """The bet never arrived; the cancel is sent, and the wallet's word is the end of both."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(silent(1), kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(IN_FLIGHT_SECONDS)
    assert why(bench.call(undo("r1", "t1", "10.00"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.DEBIT) == 1


# ---------------------------------------------------------------- 11


@pytest.mark.parametrize("provider", DIALECTS)
def test_rule_11_from_the_cancel_on_repeats_of_the_bet_are_declined(bench_of: MakeBench, provider: str) -> None:
    """The cancel is owed from the moment it is read; the bet is never asked for again."""
    bench = bench_of(provider, a_wallet("native", repeats=NEVER, tombstones=False))
    bench.till.always(lost_before, Kind.STATUS)
    bench.till.then(lost_before, kind=Kind.DEBIT)
    one = bet("t1")
    bench.call(one)
    assert bench.answers[-1].outcome == "unknown"
    bench.call(bench.undo(one, "refund:t1"))
    assert bench.answers[-1].outcome == "unknown"
    bench.call(one)
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.DEBIT) == 1


def test_rule_11_a_cancel_while_its_bet_is_in_the_air_waits_for_it(bench_of: MakeBench) -> None:
    """The bet turns out accepted; the cancel undoes it within its own time."""
    bench = bench_of("native", "netgaming")
    bench.till.then(late(1.0), kind=Kind.DEBIT)
    first = bench.begin(bet("t1"))
    bench.rest(0.5)
    yes(bench.call(undo("r1", "t1", "10.00")))
    bench.finish(first)
    assert bench.till.balance() == Decimal("1000.00")
    assert why(bench.call(undo("r2", "t1", "10.00"))) is Reason.ALREADY_ROLLED_BACK


def test_rule_11_the_cancel_of_a_bet_that_the_wallet_then_declines_is_not_found(bench_of: MakeBench) -> None:
    """There is nothing to be undone, and nothing is sent."""
    bench = bench_of("scorpio_play", "netgaming")
    bench.till.then(late(1.0), kind=Kind.DEBIT)
    one = bet("t1", "5000.00")
    first = bench.begin(one)
    bench.rest(0.5)
    assert why(bench.call(bench.undo(one, "r1"))) is Reason.TRANSACTION_NOT_FOUND
    assert why(bench.finish(first).outcome) is Reason.INSUFFICIENT_FUNDS
    assert bench.till.asked(Kind.ROLLBACK) == 0


def test_rule_11_where_the_wallet_has_tombstones_the_cancel_is_sent_at_once(bench_of: MakeBench) -> None:
    """It need not wait: a late bet is refused there."""
    bench = bench_of()
    bench.till.always(silent(60), Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    at = bench.scheduler.now
    assert why(bench.call(undo("r1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.scheduler.now - at < 1
    assert why(bench.call(bet("t1"))) is Reason.ALREADY_ROLLED_BACK


def test_rule_11_a_query_finds_the_debit_and_the_cancel_is_sent(bench_of: MakeBench) -> None:
    """A wallet without tombstones that can be asked."""
    bench = bench_of(wallet=a_wallet("native", repeats=NEVER, tombstones=False))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    yes(bench.call(undo("r1", "t1")))
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- 13


@pytest.mark.parametrize("named", [True, False], ids=["that names its bet", "alone in its round"])
def test_rule_13_a_win_completes_its_bet_first(bench_of: MakeBench, named: bool) -> None:
    """The bet is in doubt, and a win came for it: it was a bet after all."""
    bench = bench_of()
    bench.till.always(lost_before)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    yes(bench.call(win("w1", of="t1" if named else "")))
    kinds = [exchange.tx.kind for exchange in bench.till.exchanges if exchange.tx]
    assert kinds == [Kind.DEBIT, Kind.CREDIT]
    assert bench.row(Kind.DEBIT, "t1").state is State.ACCEPTED
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_13_a_win_is_not_sent_while_its_bet_stays_in_doubt(bench_of: MakeBench) -> None:
    """Not even first: it is owed, and the provider hears doubt."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert isinstance(bench.call(win("w1")), Unknown)
    assert bench.till.asked(Kind.CREDIT) == 0
    row = bench.row(Kind.CREDIT, "w1")
    assert (row.state, row.attempts) == (State.OWED, 0)


def test_rule_13_with_an_accepted_bet_in_its_round_a_win_is_sent(bench_of: MakeBench) -> None:
    """It need not be the win of the bet in doubt."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    yes(bench.call(bet("t1")))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t2")), Unknown)
    yes(bench.call(win("w1")))
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_13_the_bets_of_other_rounds_do_not_matter(bench_of: MakeBench) -> None:
    """A doubt does not spread."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1", round_id="1")), Unknown)
    yes(bench.call(win("w1", round_id="2")))


# ---------------------------------------------------------------- 14


def test_rule_14_safe_is_a_word_about_what_the_wallet_remembers(bench_of: MakeBench) -> None:
    """After `remembers` a second asking would be a first one: for a person."""
    bench = bench_of(wallet=a_wallet("native", remembers=timedelta(hours=1)))
    bench.till.always(lost_after)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.till.heal()
    bench.till.always(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), Kind.STATUS)
    asked = bench.till.asked(Kind.DEBIT)
    bench.rest(3601)
    assert isinstance(bench.call(bet("t1")), Unknown)
    assert bench.till.asked(Kind.DEBIT) == asked
    assert bench.row(Kind.DEBIT, "t1").state is State.PERSON


def test_rule_14_no_second_asking_may_land_when_the_wallet_has_forgotten_the_first(bench_of: MakeBench) -> None:
    """It remembers ten minutes, and a request may be queued for two: after eight nothing is sent any more."""
    wallet = a_wallet("native", remembers=timedelta(minutes=10), in_flight_max=timedelta(minutes=2))
    bench = bench_of("native", wallet)
    bench.till.always(lost_before)
    assert isinstance(bench.call(win("w1")), Unknown)
    bench.settlement(8 * 60 + 5, 5)
    sent = bench.till.asked(Kind.CREDIT)
    assert sent > 1
    bench.settlement(110, 5)
    assert bench.till.asked(Kind.CREDIT) == sent


def test_rule_13_a_win_that_names_none_of_two_bets_waits_for_neither(bench_of: MakeBench) -> None:
    """Nobody knows which of them won: it ties to none, and is paid at once."""
    bench = bench_of()
    bench.till.always(lost_before, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    for id in ("b1", "b2"):
        assert isinstance(bench.call(bet(id)), Unknown)
    asked = bench.till.asked(Kind.DEBIT)
    yes(bench.call(win("w1")))
    assert bench.till.asked(Kind.DEBIT) == asked
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_13_what_is_owed_to_one_wallet_does_not_come_back_in_one_moment(bench_of: MakeBench) -> None:
    """A wallet that was away for a moment and owes forty players would be struck by all of them at once."""
    bench = bench_of("native", a_wallet("netgaming"))
    at: list[float] = []

    async def noted(post: Post) -> Response:
        at.append(bench.scheduler.now)
        raise Silence("unreachable", "no connection", left=False)

    bench.till.always(noted)
    calls = [bench.begin(win(f"w{number}", round_id=f"{number}")) for number in range(40)]
    for call in calls:
        bench.finish(call)
    began = bench.scheduler.now
    bench.settlement(60, 0.1)
    moments = Counter(round(moment - began, 1) for moment in at if moment > began + 10)
    assert len(moments) > 1
    assert max(moments.values()) < 20


def test_rule_14_a_strict_wallets_no_to_a_second_asking_says_nothing_about_the_first(bench_of: MakeBench) -> None:
    """*Its `insufficient_funds` to a second asking*: the first one took the money."""
    bench = bench_of("native", a_wallet("netgaming"), opening={"p-1": Decimal("10.00")})
    bench.till.then(lost_after)
    heard = bench.call(bet("t1", "10.00"))
    # Configured `safe`, NetGaming checks the balance first: such a wallet is `query`, as the rule says.
    assert isinstance(heard, Declined)
    careful = bench_of("native", a_wallet("netgaming", repeats=QUERY), opening={"p-1": Decimal("10.00")})
    careful.till.then(lost_after)
    assert isinstance(careful.call(bet("t1", "10.00")), Unknown)
    assert careful.row(Kind.DEBIT, "t1").state is State.DOUBT


@pytest.mark.parametrize("kind", [Kind.CREDIT, Kind.ROLLBACK])
def test_rule_14_never_allows_no_second_attempt_and_waits_for_a_person(bench_of: MakeBench, kind: Kind) -> None:
    """What nobody may ask again, and cannot be asked about, is for `gateway tx resolve`."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    yes(bench.call(bet("t1")))
    bench.till.then(lost_after, kind=kind)
    tx = win("w1") if kind is Kind.CREDIT else undo("w1", "t1", "10.00")
    for _ in range(2):
        assert isinstance(bench.call(tx), Unknown)
    assert bench.till.asked(kind) == 1
    assert bench.row(kind, "w1").state is State.PERSON


def test_rule_14_never_still_allows_the_rollback_that_names_its_debit(bench_of: MakeBench) -> None:
    """Once nothing can be in flight, it ends the doubt."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(IN_FLIGHT_SECONDS)
    yes(bench.call(undo("r1", "t1", "10.00")))
    assert bench.till.balance() == Decimal("1000.00")
    assert bench.row(Kind.DEBIT, "t1").state.decided


# ---------------------------------------------------------------- 15


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_15_a_cancel_that_comes_first_leaves_a_tombstone(bench_of: MakeBench, provider: str, wallet: str) -> None:
    """It is put to the wallet; the late bet is declined, and the wallet is not asked for it."""
    bench = bench_of(provider, wallet)
    one = bet("t1")
    bench.launch(game="42")
    bench.call(bench.undo(one, "refund:t1"))
    assert bench.answers[-1].reason == Reason.TRANSACTION_NOT_FOUND or bench.answers[-1].outcome == "unknown"
    bench.call(one)
    assert bench.answers[-1].reason == Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.DEBIT) == 0
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_15_the_wallets_answer_to_an_unknown_reference_is_the_decision(bench_of: MakeBench) -> None:
    """The bet is from before the gateway; the wallet knows it."""
    bench = bench_of()
    bench.till.then(says(Accepted(balance=Decimal("1010.00"), currency="EUR", wallet_id="w-9")))
    assert yes(bench.call(undo("r1", "old"))).wallet_id == "w-9"
    assert bench.till.last(Kind.ROLLBACK).act.reference == "old"  # type: ignore[union-attr]  # a rollback has one


@pytest.mark.parametrize("provider", DIALECTS)
def test_rule_15_the_cancel_of_a_declined_bet_is_not_found_with_the_last_known_balance(
    bench_of: MakeBench, provider: str
) -> None:
    """ "A failed bet is followed by a cancel": it is normal, and nothing is sent."""
    bench = bench_of(provider, "native")
    one = bet("t1", "5000.00")
    assert why(bench.call(one)) is Reason.INSUFFICIENT_FUNDS
    bench.call(bench.undo(one, "refund:t1"))
    assert bench.answers[-1].reason == Reason.TRANSACTION_NOT_FOUND
    assert bench.till.asked(Kind.ROLLBACK) == 0
    outcome = bench.row(Kind.ROLLBACK, "refund:t1").outcome
    assert outcome is not None
    assert outcome.balance == Decimal("1000.00")  # type: ignore[union-attr]  # decided


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_15_a_second_cancel_under_another_id_is_declined_from_the_journal(
    bench_of: MakeBench, wallet: str
) -> None:
    """Already rolled back: nothing moves, and the wallet is not asked."""
    bench = bench_of("netgaming", wallet)
    yes(bench.call(bet("t1")))
    yes(bench.call(undo("r1", "t1", "10.00")))
    assert why(bench.call(undo("r2", "t1", "10.00"))) is Reason.ALREADY_ROLLED_BACK
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("provider", DIALECTS)
def test_rule_15_a_win_without_a_bet_goes_to_the_wallet(bench_of: MakeBench, provider: str) -> None:
    """A credit is never refused by the gateway for lack of a bet: the wallet decides."""
    bench = bench_of(provider, "native")
    yes(bench.call(win("w1")))
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_15_the_tombstone_of_another_players_bet_refuses_nobody(bench_of: MakeBench) -> None:
    """A cancel names an id; another player's bet of that id is another content, and this one's stays dead."""
    bench = bench_of("native", "native", opening={"p-1": Decimal("100.00"), "p-2": Decimal("100.00")})
    yes(bench.call(bet("t1")))
    bench.call(undo("r1", "t1", player="p-2"))
    assert bench.till.balance() == Decimal("90.00")
    assert bench.till.balance("p-2") == Decimal("100.00")


# ---------------------------------------------------------------- 28


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("kind", [Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK])
def test_rule_28_doubt_is_told_in_time_when_the_wallet_hangs(bench_of: MakeBench, provider: str, kind: Kind) -> None:
    """`answer_within` is the provider's limit, counted from the first byte."""
    bench = bench_of(provider, "native")
    one = bet("t1")
    if kind is Kind.ROLLBACK:
        yes(bench.call(one))
    tx = {Kind.DEBIT: one, Kind.CREDIT: win("t2"), Kind.ROLLBACK: bench.undo(one, "refund:t1")}[kind]
    bench.till.always(silent(600))
    began = bench.scheduler.now
    heard = bench.finish(bench.begin(tx))
    assert heard.response is not None
    assert bench.answers[-1].outcome == "unknown"
    took, limit = bench.scheduler.now - began, seconds_of(bench.provider.dialect, kind)
    assert limit * 0.5 < took < limit


def test_rule_28_the_wallets_late_answer_is_journalled_and_counts(bench_of: MakeBench) -> None:
    """The wallet call goes on to `give_up_after`; the repeat hears what it said."""
    bench = bench_of("netgaming", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(late(20))
    bench.call(bet("t1"))
    assert bench.answers[-1].outcome == "unknown"
    bench.rest(20)
    row = bench.row(Kind.DEBIT, "t1")
    assert (row.state, row.told) == (State.ACCEPTED, "unknown")
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.row(Kind.DEBIT, "t1").told == "accepted"


@pytest.mark.parametrize(
    "wallet", ["betgames", "evolution", "gameball", "hundred_hp", "red_tiger", "spribe", "tom_horn"]
)
def test_rule_28_what_another_asking_overtook_is_not_the_first_any_more(bench_of: MakeBench, wallet: str) -> None:
    """*The first asking was queued, the second came before it and its answer was lost. "That is done already", said to the
    first, was read as of a stranger's movement: the bet went to a person (seed 18002156).* Whatever word a wallet has for
    it, it says of a later asking what it says of the last."""
    applied = SAFE | {"debit": "applied"}
    bench = bench_of("native", a_wallet(wallet, repeats=applied, answer_within=timedelta(seconds=1)))
    bench.launch()
    bench.till.then(queued(2.5), lost_after, *[lost_before] * 8, kind=Kind.DEBIT)
    yes(bench.call(bet("t1")))
    assert bench.till.balance() == Decimal("990.00")


def test_rule_28_an_answer_that_comes_as_the_providers_time_ends_is_journalled_and_counts(bench_of: MakeBench) -> None:
    """The process was short of time, and saw both at once: the wallet's yes was forgotten for a look at the bet's wins,
    and nobody could ask for it again."""
    bench = bench_of("native", a_wallet("kyren", repeats=NEVER, answer_within=timedelta(seconds=4)))
    node = bench.busy(0.5)
    for number in range(8):  # which of the two it sees first is chance
        bench.till.then(late(4.0), kind=Kind.DEBIT)
        bench.finish(bench.begin_at(node, bet(f"b{number}")))
        bench.rest(30)
    states = [bench.row(Kind.DEBIT, f"b{number}").state for number in range(8)]
    assert states == [State.ACCEPTED] * 8
    assert isinstance(bench.call(bet("b1")), Accepted)


def test_rule_28_a_yes_that_comes_when_its_bet_is_a_persons_still_decides(bench_of: MakeBench) -> None:
    """A slow node had the yes in its hand. Meanwhile the clock gave the bet back at another one, no answer to that came, and
    both were left to a person when their wallet had forgotten them. The yes was journalled, its call heard that the bet is
    rolled back, and nobody looked at it any more: the person read that nobody knows whether it was taken."""
    wallet = a_wallet("netgaming", in_flight_max=timedelta(seconds=5), remembers=timedelta(seconds=60))
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=5)), wallet)
    slow = bench.busy(200)
    bench.till.always(lost_after, kind=Kind.ROLLBACK)
    call = bench.begin_at(slow, bet("b1"))
    bench.settlement(190, 5)
    assert bench.row(Kind.DEBIT, "b1").state is State.PERSON
    bench.finish(call)
    bench.settlement(20, 5)
    row = bench.row(Kind.DEBIT, "b1")
    assert isinstance(row.outcome, Accepted), (row.state, row.note)
    assert [(m.kind, m.state) for m in open_rows(bench)] == [(Kind.ROLLBACK, State.PERSON)]


def test_rule_28_after_give_up_it_stays_in_doubt(bench_of: MakeBench) -> None:
    """An answer after `give_up_after` is nobody's any more."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER, give_up_after=timedelta(seconds=10)))
    bench.till.then(late(20))
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(60)
    assert bench.row(Kind.DEBIT, "t1").state is State.DOUBT


def test_rule_28_a_repeat_while_it_is_asked_waits_within_its_own_time(bench_of: MakeBench) -> None:
    """The second call joins the first one's wallet call, and hears its end."""
    bench = bench_of("native", a_wallet("netgaming", repeats=NEVER))
    bench.till.then(late(5))
    assert isinstance(bench.call(bet("t1")), Unknown)
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 1


def test_rule_28_the_first_definite_answer_of_any_attempt_decides(bench_of: MakeBench) -> None:
    """The first attempt hangs, the second is answered; the first one's answer changes nothing."""
    bench = bench_of(wallet=a_wallet("native", answer_within=timedelta(seconds=1)))
    bench.till.then(late(10))
    heard = yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 2
    assert bench.scheduler.now < 2
    bench.rest(20)
    row = bench.row(Kind.DEBIT, "t1")
    assert isinstance(row.outcome, Accepted)
    assert row.outcome.wallet_id == heard.wallet_id
    assert bench.till.balance() == Decimal("990.00")


def test_rule_28_a_no_to_the_second_attempt_while_the_first_is_open_is_judged_by_5(bench_of: MakeBench) -> None:
    """401 to the second; the first was applied and answers late: accepted."""
    bench = bench_of(wallet=a_wallet("native", answer_within=timedelta(seconds=1)))
    bench.till.then(late(20), kind=Kind.DEBIT)
    bench.till.always(says(Declined(reason=Reason.BAD_SIGNATURE)), Kind.DEBIT)
    assert isinstance(bench.call(bet("t1")), Unknown)
    bench.rest(30)
    assert bench.row(Kind.DEBIT, "t1").state is State.ACCEPTED


def test_rule_28_the_overhead_is_ours_and_the_wallets_time_is_the_wallets(bench_of: MakeBench) -> None:
    """`gateway_overhead_seconds` is what is left when the wallet's time is taken off."""
    bench = bench_of("netgaming", "netgaming")
    bench.till.then(late(1.5))
    yes(bench.call(bet("t1")))
    seconds, wallet_seconds = bench.tally.calls[-1][5:7]
    assert seconds >= wallet_seconds >= 1.5


def test_rule_11_a_second_asking_that_met_its_own_rollback_is_no_yes(bench_of: MakeBench) -> None:
    """*100HP's wallets say 607 of a bet that they have, and of one whose rollback came before it. A bet on its way for a second
    time was overtaken by its cancel, was told as taken, and had moved nothing; the cancel waited for a person.*"""
    wallet = a_wallet("hundred_hp", tombstones=True)
    bench = bench_of("native", replace(wallet, dialect=declared(wallet.dialect, tombstones=True)))
    bench.till.then(lost_before, queued(0.5), kind=Kind.DEBIT)
    bench.till.then(late(1.0), kind=Kind.ROLLBACK)
    call = bench.begin(bet("t1"))
    bench.scheduler.run(lambda: bench.till.asked(Kind.DEBIT) == 2)
    cancel = bench.begin(undo("r1", "t1"))
    assert not isinstance(bench.finish(call).outcome, Accepted)
    assert why(bench.finish(cancel).outcome) is Reason.TRANSACTION_NOT_FOUND
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_11_a_bet_that_its_decided_rollback_did_not_find_was_not_taken(bench_of: MakeBench) -> None:
    """*A cancel had its answer at another node, that nothing was there, when the bet's second asking met it and heard the word
    for both: the journal had the bet accepted.* It was declined by that cancel."""
    wallet = a_wallet("hundred_hp", tombstones=True)
    bench = bench_of("native", replace(wallet, dialect=declared(wallet.dialect, tombstones=True)))
    bench.till.then(lost_before, queued(0.5), kind=Kind.DEBIT)
    call = bench.begin_at(bench.second(), bet("t1"))
    bench.scheduler.run(lambda: bench.till.asked(Kind.DEBIT) == 2)
    assert why(bench.call(undo("r1", "t1"))) is Reason.TRANSACTION_NOT_FOUND
    assert why(bench.finish(call).outcome) is Reason.ALREADY_ROLLED_BACK
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_11_nor_is_one_whose_rollback_was_just_told_that_there_is_nothing(bench_of: MakeBench) -> None:
    """*The cancel had its answer, and was brought by a node whose journal is far; before that had said what follows from it the
    bet's own answer came, the same word, and the bet was told as taken beside its cancel's `transaction_not_found`.*"""
    wallet = a_wallet("hundred_hp", tombstones=True)
    bench = bench_of("native", replace(wallet, dialect=declared(wallet.dialect, tombstones=True)))
    bench.till.then(lost_before, queued(0.11), kind=Kind.DEBIT)
    call = bench.begin(bet("t1"))
    bench.scheduler.run(lambda: bench.till.asked(Kind.DEBIT) == 2)
    cancel = bench.begin_at(bench.second(Trip(seconds=0.02)), undo("r1", "t1"))
    assert not isinstance(bench.finish(call).outcome, Accepted)
    assert why(bench.finish(cancel).outcome) is Reason.TRANSACTION_NOT_FOUND
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_12_a_late_no_takes_no_bet_from_the_call_that_waits(bench_of: MakeBench) -> None:
    """*An attempt that was given up said, too late, that our key was wrong. Nothing followed from it, and the bet was left as
    nobody's, with no word told, while its call asked again; that process died, no clock ever ran for the bet, and ten minutes
    later it was a person's.*"""

    async def late_no(post: Post) -> Response:
        await post.bench.scheduler.sleep(1.5)
        return await says(Declined(reason=Reason.BAD_SIGNATURE))(post)

    provider = replace(a_provider("native"), after_doubt=timedelta(seconds=5))
    bench = bench_of(provider, a_wallet("kyren", answer_within=timedelta(seconds=1)))
    bench.till.then(late_no, lost_before, *[unreachable] * 9, kind=Kind.DEBIT)
    bench.begin(bet("t1"))
    bench.rest(1.6)
    assert bench.row(Kind.DEBIT, "t1").told == ""
    bench.crash()
    bench.restart()
    bench.settlement(300, 5)
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert not bench.unresolved()
