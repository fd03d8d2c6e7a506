"""Rollbacks that meet another word: a wallet that contradicts itself, a second cancel, one that came too early."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.drive import row_change
from gateway.engine.states import State
from gateway.model import Capture, Declined, Kind, Reason, Release, Reserve, Transaction
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import (
    ACCEPTED,
    DAYS,
    DOUBT,
    SPLITTING,
    forgetting,
    last_word,
    listed,
    nothing_is_open,
    refuses,
    waits_for_a_person,
    word,
)
from tests.simulation.behaviours import late, lost_after, lost_before, queued, unreachable
from tests.simulation.bench import NEVER, QUERY, Bench, a_call, a_wallet, at_once

WALLETS = ("native", *SPLITTING)
CONTRADICTS = refuses(Reason.TRANSACTION_NOT_FOUND)
STOOD = ACCEPTED, Reason.ALREADY_ROLLED_BACK
"""What a cancel may hear of a bet that is back: it was this one, or another."""


def reserve(id: str = "h1") -> Transaction:
    return a_call(Reserve(amount=Decimal("10.00")), id)


TAKEN = [bet("x1"), settle("x1"), win("x1")]
"""Whatever a native provider may undo, at a native wallet."""
IDS = ["debit", "settle", "credit"]


# ---------------------------------------------------------------- history 9


@pytest.mark.parametrize("wallet", [*WALLETS, "gameball"])
def test_rule_06_not_found_of_a_bet_that_this_wallet_accepted_is_no_decision(bench_of: MakeBench, wallet: str) -> None:
    """A lagging replica said it for a minute: the provider took the bet for gone, and the stake stayed taken."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert listed(bench) == 1
    bench.till.heal()
    bench.settlement(600, 2)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_11_the_second_cancel_of_a_bet_that_ended_in_doubt_hears_the_first_ones_word(
    bench_of: MakeBench, wallet: str
) -> None:
    """The bet counts as declined from its cancel on, and a second cancel heard that nobody knows it."""
    bench = bench_of("native", wallet)
    bench.till.always(lost_after, kind=Kind.DEBIT)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.till.heal()
    bench.call(undo("r1", "b1"))
    bench.settlement(600, 2)
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    first, second = bench.call(undo("r1", "b1")), bench.call(undo("r2", "b1"))
    assert word(first) == ACCEPTED
    assert isinstance(second, Declined)
    assert (second.reason, second.wallet_id) == (Reason.ALREADY_ROLLED_BACK, yes(first).wallet_id)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_06_what_it_denied_once_is_asked_again(bench_of: MakeBench, wallet: str) -> None:
    """Within the call or after it: the provider never hears that there was no such bet."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.till.then(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) in (DOUBT, ACCEPTED)
    bench.settlement(600, 2)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_06_a_wallet_that_never_stops_to_contradict_itself_is_a_persons(bench_of: MakeBench, wallet: str) -> None:
    """It accepted the bet and knows nothing of it: after what it remembers, somebody asks them."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.settlement(DAYS, 3600)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    waits_for_a_person(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_06_a_denial_of_what_the_wallet_may_have_forgotten_is_a_persons_at_once(
    bench_of: MakeBench, wallet: str
) -> None:
    """*A cancel came when its wallet did not remember the bet any more; it was asked for days as if the wallet only
    contradicted itself, for as long as it would have remembered that cancel.* No later asking can tell more."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.settlement(DAYS, 3600)
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    waits_for_a_person(bench)
    asked = bench.till.asked(Kind.ROLLBACK)
    bench.settlement(DAYS, 3600)
    assert bench.till.asked(Kind.ROLLBACK) == asked


@pytest.mark.parametrize("wallet", ["swipegames", "vivo_vgs"])
@pytest.mark.parametrize("doubted", [False, True], ids=["accepted", "in doubt"])
def test_rule_14_a_yes_to_the_rollback_of_what_may_be_forgotten_is_a_persons(
    bench_of: MakeBench, wallet: str, doubted: bool
) -> None:
    """Such a wallet says it to the rollback of what it does not know, too. Days later the cancel was told as done, and the
    stake stayed taken."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(*[lost_after] * doubted, kind=Kind.DEBIT)
    bench.call(bet("b1"))
    bench.settlement(DAYS, 3600)
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert "does not remember what it names" in bench.row(Kind.ROLLBACK, "r1").note
    assert bench.row(Kind.ROLLBACK, "r1").state is State.PERSON
    bench.settlement(DAYS, 3600)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("wallet", ["swipegames", "vivo_vgs"])
def test_rule_29_a_clock_that_is_some_seconds_off_makes_no_such_yes_a_persons(bench_of: MakeBench, wallet: str) -> None:
    """By the clock of the other node the bet is still to come: how old it is nobody can say for a moment, and it is asked
    again then."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.crash()
    bench.scheduler.skew = -timedelta(seconds=5)
    bench.restart()
    bench.call(undo("r1", "b1", "10.00"))
    bench.settlement(60)
    nothing_is_open(bench)
    assert word(bench.call(undo("r1", "b1", "10.00"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize(("wallet", "lost"), [("swipegames", False), ("swipegames", True), ("vivo_vgs", False)])
def test_rule_14_a_yes_to_a_rollback_is_believed_as_long_as_its_wallet_remembers(
    bench_of: MakeBench, wallet: str, lost: bool
) -> None:
    """It is undone, or was never there."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER))
    bench.till.then(*[lost_before] * lost, kind=Kind.DEBIT)
    bench.call(bet("b1"))
    bench.rest(3600)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("call", TAKEN, ids=IDS)
def test_rule_06_not_found_of_whatever_was_accepted_is_no_decision(bench_of: MakeBench, call: Transaction) -> None:
    """The same of a settle and of a win."""
    bench = bench_of()
    yes(bench.call(call))
    before = bench.till.balance()
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(bench.undo(call, "r1"))) == DOUBT
    assert bench.till.balance() == before
    assert not bench.row(Kind.ROLLBACK, "r1").state.decided
    assert listed(bench) == 1


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_06_after_the_doubt_about_a_bet_its_wallets_yes_counts_as_much(bench_of: MakeBench, wallet: str) -> None:
    """The bet was lost, asked again and accepted: the wallet took it all the same."""
    bench = bench_of("native", wallet)
    bench.till.then(lost_after, kind=Kind.DEBIT)
    yes(bench.call(bet("b1")))
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 2)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 8b


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_11_a_second_cancel_comes_to_an_end_with_the_first(bench_of: MakeBench, wallet: str) -> None:
    """The first one met a lagging replica: the second waited for it for ever."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.till.always(CONTRADICTS, kind=Kind.ROLLBACK)
    bench.call(undo("r1", "b1"))
    bench.call(undo("r2", "b1"))
    bench.till.heal()
    bench.settlement(DAYS, 3600)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(undo("r1", "b1"))) in STOOD
    assert word(bench.call(undo("r2", "b1"))) in STOOD
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_11_where_the_first_cancel_undid_nothing_the_second_is_brought_in_its_place(
    bench_of: MakeBench, wallet: str
) -> None:
    """The wallet refused the first for good; what it says to the second is the second's."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    assert word(bench.call(undo("r1", "b1"))) == Reason.ALREADY_SETTLED
    assert word(bench.call(undo("r2", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_11_a_second_cancel_is_not_told_done_while_the_first_waits_for_its_bet(bench_of: MakeBench) -> None:
    """Where parts are known, the first was counted for what it was still to give back: the second heard that nothing
    was left, then the wallet refused the first for good, and the stake stayed taken."""
    bench = bench_of("gameball", a_wallet("native", repeats=QUERY, tombstones=False))
    bench.till.then(queued(40), kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    for id in ("r1", "r2"):
        bench.call(undo(id, "b1", "10.00"))
        assert last_word(bench) == DOUBT
    bench.till.then(refuses(Reason.ALREADY_SETTLED), kind=Kind.ROLLBACK)
    bench.settlement(600, 2)
    bench.call(undo("r1", "b1", "10.00"))
    assert last_word(bench) == Reason.ALREADY_SETTLED
    assert word(bench.call(undo("r2", "b1", "10.00"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


PLAYS = [*(("native", wallet) for wallet in WALLETS), ("netgaming", "kyren"), ("gameball", "native")]


@pytest.mark.parametrize(("provider", "wallet"), PLAYS)
def test_rule_15_after_the_journal_forgot_a_second_cancel_gives_nothing_back_again(
    bench_of: MakeBench, provider: str, wallet: str
) -> None:
    """It is asked, as rule 30 says; but some wallets call the rollback of one bet always the same, and say yes again:
    the journal had a bet that was given back twice, and an operator's sums were wrong by its stake."""
    bench = bench_of(provider, a_wallet(wallet))
    forgetting(bench)
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1", "10.00")))
    bench.call(undo("r2", "b1", "10.00"))
    assert last_word(bench) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("call", TAKEN, ids=IDS)
def test_rule_11_two_cancels_of_whatever_was_accepted_both_end(bench_of: MakeBench, call: Transaction) -> None:
    """The first is refused while the second waits for it."""
    bench = bench_of()
    yes(bench.call(call))

    async def slowly_refused(post: object) -> object:
        await bench.scheduler.sleep(1.0)
        return await refuses(Reason.ALREADY_SETTLED)(post)  # type: ignore[arg-type]  # a post

    bench.till.then(slowly_refused, kind=Kind.ROLLBACK)  # type: ignore[arg-type]  # a behaviour
    first = bench.begin(bench.undo(call, "r1"))
    bench.rest(0.2)
    second = bench.begin(bench.undo(call, "r2"))
    assert word(bench.finish(first).outcome) == Reason.ALREADY_SETTLED
    bench.finish(second)
    bench.settlement(120, 1)
    assert word(bench.call(bench.undo(call, "r2"))) != DOUBT
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", ["native", "gameball"])
def test_rule_17_a_cancel_that_did_not_leave_is_not_done_by_the_one_that_waits_for_it(
    bench_of: MakeBench, wallet: str
) -> None:
    """Gameball, where parts are known: each of two cancels was told that the other had given the stake back, and it
    stayed taken."""
    bench = bench_of("gameball", wallet)
    yes(bench.call(bet("b1")))

    async def does_not_leave(post: object) -> object:
        await bench.scheduler.sleep(0.5)
        return await unreachable(post)  # type: ignore[arg-type]  # a post

    bench.till.then(does_not_leave, kind=Kind.ROLLBACK)  # type: ignore[arg-type]  # a behaviour
    first = bench.begin(undo("r1", "b1"))
    bench.rest(0.2)
    bench.begin(undo("r2", "b1"))
    bench.finish(first)
    bench.settlement(120)
    assert bench.till.balance() == Decimal("1000.00")
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_12_two_cancels_at_once_are_one_rollback_at_the_wallet(bench_of: MakeBench, wallet: str) -> None:
    """One per target, unique in the journal."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.till.always(late(0.5), kind=Kind.ROLLBACK)
    calls = [bench.begin(undo("r1", "b1")), bench.begin(undo("r2", "b1"))]
    heard = sorted(word(bench.finish(call).outcome) for call in calls)
    assert heard[0] == ACCEPTED
    assert heard[1] in (DOUBT, Reason.ALREADY_ROLLED_BACK)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    bench.settlement(60, 1)
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_11_the_second_cancel_of_a_bet_that_never_came_ends_like_the_first(
    bench_of: MakeBench, wallet: str
) -> None:
    """Both waited for the bet; nobody had taken anything."""
    bench = bench_of("native", a_wallet(wallet, repeats=NEVER, tombstones=False))
    bench.till.then(lost_before, kind=Kind.DEBIT)
    assert word(bench.call(bet("b1"))) == DOUBT
    bench.call(undo("r1", "b1"))
    bench.call(undo("r2", "b1"))
    bench.settlement(600, 2)
    assert word(bench.call(bet("b1"))) == Reason.ALREADY_ROLLED_BACK
    assert word(bench.call(undo("r1", "b1"))) != DOUBT
    assert word(bench.call(undo("r2", "b1"))) != DOUBT
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 16


@pytest.mark.parametrize(
    "act", [Release(reference="h1"), Capture(reference="h1", amount=Decimal("4.00"))], ids=["release", "capture"]
)
@pytest.mark.parametrize("tombstones", [True, False])
def test_rule_15_what_ends_a_hold_that_nobody_has_seen_leaves_a_tombstone(
    bench_of: MakeBench, act: Release | Capture, tombstones: bool
) -> None:
    """The release overtook its reserve: 10.00 were held without an end."""
    bench = bench_of("native", a_wallet("native", tombstones=tombstones))
    assert word(bench.call(a_call(act, "end"))) == Reason.TRANSACTION_NOT_FOUND
    assert word(bench.call(reserve())) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_15_gameballs_release_that_comes_first_leaves_one_too(bench_of: MakeBench) -> None:
    """The wallet names its holds itself there: a release of one that nobody made is remembered, and no more."""
    bench = bench_of("gameball", "native")
    bench.call(a_call(Release(reference="h1"), "end"))
    assert bench.answers[-1].outcome == "declined"
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_15_the_tombstone_of_a_hold_buries_no_bet(bench_of: MakeBench) -> None:
    """`debit h1` is another movement."""
    bench = bench_of()
    bench.call(a_call(Release(reference="h1"), "end"))
    yes(bench.call(bet("h1")))
    yes(bench.call(reserve("h2")))
    assert bench.till.balance() == Decimal("980.00")


@pytest.mark.parametrize("tombstones", [True, False])
@pytest.mark.parametrize("way", [queued(15), lost_after, lost_before], ids=["queued", "applied", "never came"])
def test_rule_15_the_release_of_a_reserve_in_doubt_waits_like_a_cancel(
    bench_of: MakeBench, way: object, tombstones: bool
) -> None:
    """Its `transaction_not_found` was final while the reserve was on its way: held, and nobody knew."""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=tombstones))
    bench.till.then(way, kind=Kind.RESERVE)  # type: ignore[arg-type]  # a behaviour
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(reserve())) == DOUBT
    bench.call(a_call(Release(reference="h1"), "end"))
    bench.till.heal()
    bench.settlement(400)
    assert word(bench.call(a_call(Release(reference="h1"), "end"))) != DOUBT
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_15_a_release_that_is_told_as_a_cancel_is_owed_like_one(bench_of: MakeBench) -> None:
    """*A reserve in doubt was told `already_rolled_back`, since its release was read; then its wallet did not know the
    player for a minute, and that no was final: held, and its provider believed that it was not.*"""
    bench = bench_of("native", a_wallet("native", repeats=QUERY, tombstones=False))
    bench.till.then(lost_after, kind=Kind.RESERVE)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(reserve())) == DOUBT
    release = a_call(Release(reference="h1"), "end")
    assert word(bench.call(release)) == DOUBT
    assert word(bench.call(reserve())) == Reason.ALREADY_ROLLED_BACK
    bench.till.heal()
    bench.till.always(refuses(Reason.PLAYER_NOT_FOUND), kind=Kind.RELEASE)
    bench.settlement(60, 1)
    assert word(bench.call(release)) == DOUBT
    bench.till.heal()
    bench.settlement(400, 2)
    assert word(bench.call(release)) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


def test_rule_15_the_cancel_of_a_reserve_that_comes_first_buries_it(bench_of: MakeBench) -> None:
    """A rollback names a hold as well as a release does."""
    bench = bench_of("native", a_wallet("native", tombstones=False))
    assert word(bench.call(undo("r1", "h1", kind=Kind.RESERVE))) == Reason.TRANSACTION_NOT_FOUND
    assert word(bench.call(reserve())) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- history 17


def rolled_forward(bench: Bench) -> None:
    """A bet, its cancel, and the cancel of that: the bet stands again."""
    yes(bench.call(bet("b1")))
    yes(bench.call(undo("r1", "b1")))
    yes(bench.call(undo("u1", "r1", kind=Kind.ROLLBACK)))
    assert bench.till.balance() == Decimal("990.00")


def test_rule_15_after_an_un_rollback_a_second_cancel_goes_to_the_wallet(bench_of: MakeBench) -> None:
    """It was declined from the journal, `already_rolled_back`, though the stake was taken again."""
    bench = bench_of()
    rolled_forward(bench)
    sent = bench.till.asked(Kind.ROLLBACK)
    bench.call(undo("r2", "b1"))
    assert bench.till.asked(Kind.ROLLBACK) == sent + 1
    bench.settlement(60, 1)
    told = word(bench.call(undo("r2", "b1")))
    assert (told == ACCEPTED) is (bench.till.balance() == Decimal("1000.00"))
    assert told != DOUBT or listed(bench) == 1


def test_rule_15_so_does_that_of_a_bet_rolled_forward_under_the_version_before(bench_of: MakeBench) -> None:
    """In its journal such a bet still says by which cancel it had been undone."""
    bench = bench_of()
    rolled_forward(bench)
    stands, cancel = bench.row(Kind.DEBIT, "b1"), bench.row(Kind.ROLLBACK, "r1")
    assert at_once(bench.journal.make(row_change(stands.key, lambda m: replace(m, undone_by=cancel.key), ())))
    sent = bench.till.asked(Kind.ROLLBACK)
    bench.call(undo("r2", "b1"))
    assert bench.till.asked(Kind.ROLLBACK) == sent + 1


def test_rule_15_a_third_cancel_after_the_second_is_declined_from_the_journal(bench_of: MakeBench) -> None:
    """Rolled back, and not rolled forward again."""
    bench = bench_of()
    rolled_forward(bench)
    if word(bench.call(undo("r2", "b1"))) == ACCEPTED:
        sent = bench.till.asked(Kind.ROLLBACK)
        assert word(bench.call(undo("r3", "b1"))) == Reason.ALREADY_ROLLED_BACK
        assert bench.till.asked(Kind.ROLLBACK) == sent


def test_rule_01_a_cancel_and_an_un_rollback_of_one_id_are_two(bench_of: MakeBench) -> None:
    """Two key spaces where the dialect has two calls; here two ids, and each is its own movement."""
    bench = bench_of()
    rolled_forward(bench)
    yes(bench.call(undo("u1", "r1", kind=Kind.ROLLBACK)))
    yes(bench.call(undo("r1", "b1")))
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)
