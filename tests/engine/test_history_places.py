"""A configuration that changed between two lives: what belongs to a wallet goes there, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Route, Wallet
from gateway.engine.states import State
from gateway.model import (
    MONEY_KINDS,
    Capture,
    CloseRound,
    Declined,
    Kind,
    Reason,
    Release,
    Reserve,
    Status,
    Transaction,
)
from gateway.serve.placed import misplaced
from tests.engine.acts import bet, settle, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, SPLITTING, listed, nothing_is_open, word
from tests.simulation.behaviours import late, lost_after, lost_before, says
from tests.simulation.bench import (
    NEVER,
    PLAYER,
    QUERY,
    Bench,
    Till,
    Trip,
    a_call,
    a_provider,
    a_wallet,
    at_once,
    keys_of,
)

OLD, NEW = "https://wallet.example", "https://elsewhere.example"
WALLETS = ("native", *SPLITTING)
Change = Callable[[Bench], tuple[Wallet, ...]]


def removed(bench: Bench) -> tuple[Wallet, ...]:
    """Another name, another purse."""
    return (a_wallet(bench.wallet.dialect.name, "new", url=NEW),)


def pointed_elsewhere(bench: Bench) -> tuple[Wallet, ...]:
    """The same name, another purse."""
    return (replace(bench.wallet, url=NEW),)


def speaks_otherwise(bench: Bench) -> tuple[Wallet, ...]:
    """The same name and address, another protocol."""
    other = "netgaming" if bench.wallet.dialect.name == "native" else "native"
    return (a_wallet(other, url=OLD),)


def told_other_ids(bench: Bench) -> tuple[Wallet, ...]:
    """The same in everything else: an id of then would be another movement's now."""
    return (replace(bench.wallet, ids_as_is=not bench.wallet.ids_as_is),)


CHANGES = [removed, pointed_elsewhere, speaks_otherwise, told_other_ids]
OWED = {
    "win": win("x1"),
    "cancel": undo("x1", "b0"),
    "bet": bet("x1"),
    "settle": settle("x1"),
    "reserve": a_call(Reserve(amount=Decimal("10.00")), "x1"),
}
NATIVE_ONLY = {"reserve"}
CASES = [
    pytest.param(wallet, call, change, id=f"{wallet}-{name}-{change.__name__}")
    for wallet in ("native", "netgaming", "scorpio_play")
    for name, call in OWED.items()
    for change in CHANGES
    if wallet == "native" or name not in NATIVE_ONLY
]


def changed(bench: Bench, change: Change) -> Till:
    """The process begins again with another configuration; the purse of whoever answers there now."""
    wallets = change(bench)
    there = wallets[0]
    far = Till(there, {PLAYER: Decimal("1000.00")}, "EUR", keys_of(there.dialect, there.settings))
    bench.elsewhere[there.url] = far
    bench.restart_with(*wallets)
    return far


def put_back(bench: Bench) -> None:
    bench.elsewhere.clear()
    bench.restart_with(bench.wallet)


def waits(bench: Bench, call: Transaction) -> None:
    """Not decided, seen by whoever looks at what is open, with a reason that names the wallet."""
    row = bench.row(call.kind, call.id)
    assert not row.state.decided
    assert "main" in row.note
    assert listed(bench) > 0


# ---------------------------------------------------------------- history 2


@pytest.mark.parametrize(("wallet", "call", "change"), CASES)
def test_rule_23_what_is_unresolved_is_sent_to_no_other_wallet(
    bench_of: MakeBench, wallet: str, call: Transaction, change: Change
) -> None:
    """A restart with another configuration paid an owed win at the new wallet, too."""
    bench = bench_of("native", a_wallet(wallet, tombstones=False))
    yes(bench.call(bet("b0", round_id="other")))
    bench.till.always(lost_after)
    assert word(bench.call(call)) == DOUBT
    bench.till.heal()
    before, sent = bench.till.balance(), bench.till.asked()
    far = changed(bench, change)
    bench.settlement(900, 5)
    assert word(bench.call(call)) == DOUBT
    assert far.sent == []
    assert (bench.till.asked(), bench.till.balance()) == (sent, before)
    waits(bench, call)


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("change", CHANGES)
def test_rule_25_put_back_it_goes_on_where_it_was(bench_of: MakeBench, wallet: str, change: Change) -> None:
    """The first of the two ways out: the win is paid once, where it was owed."""
    bench = bench_of("native", wallet)
    bench.till.always(lost_before)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.till.heal()
    far = changed(bench, change)
    bench.settlement(900, 5)
    put_back(bench)
    bench.settlement(900, 5)
    assert word(bench.call(win("w1"))) == ACCEPTED
    assert (bench.till.balance(), far.balance()) == (Decimal("1025.00"), Decimal("1000.00"))
    nothing_is_open(bench)


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("way", [lost_after, lost_before], ids=["applied", "never came"])
def test_rule_25_the_same_wallet_at_another_address_is_asked_there(
    bench_of: MakeBench, wallet: str, way: object
) -> None:
    """The second: `moved_from` says that this is the purse of then."""
    bench = bench_of("native", wallet)
    bench.till.always(way)  # type: ignore[arg-type]  # a behaviour
    assert word(bench.call(win("w1"))) == DOUBT
    bench.till.heal()
    bench.elsewhere[NEW] = bench.till
    bench.restart_with(a_wallet(wallet, url=NEW, moved_from=OLD))
    bench.settlement(900, 5)
    assert word(bench.call(win("w1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


def test_rule_25_moved_from_another_address_moves_nothing(bench_of: MakeBench) -> None:
    """It names the address of then, or it is no word about it."""
    bench = bench_of()
    bench.till.always(lost_before)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.till.heal()
    far = changed(bench, lambda bench: (a_wallet("native", url=NEW, moved_from="https://third.example"),))
    bench.settlement(900, 5)
    assert far.sent == []
    waits(bench, win("w1"))


# ---------------------------------------------------------------- what comes after the change


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("change", CHANGES)
def test_rule_23_the_cancel_of_an_old_bet_goes_to_its_wallet_or_nowhere(
    bench_of: MakeBench, wallet: str, change: Change
) -> None:
    """The new wallet knows nothing of it: its `transaction_not_found` was told as final."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    far = changed(bench, change)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    bench.settlement(900, 5)
    assert far.sent == []
    waits(bench, undo("r1", "b1"))
    put_back(bench)
    bench.settlement(900, 5)
    assert word(bench.call(undo("r1", "b1"))) == ACCEPTED
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("change", CHANGES)
def test_rule_23_the_win_of_an_old_round_goes_to_its_wallet_or_nowhere(bench_of: MakeBench, change: Change) -> None:
    """The stake lies there: the win is owed there."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    far = changed(bench, change)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.settlement(900, 5)
    assert far.sent == []
    waits(bench, win("w1"))


@pytest.mark.parametrize("wallet", ["evolution", "hundred_hp", "betgames"])
def test_rule_23_a_second_win_that_came_while_its_wallet_was_away_is_told_as_one(
    bench_of: MakeBench, wallet: str
) -> None:
    """*It was told as the first one of its bet once its wallet was there again, which said that it has that already: the
    provider heard that it was paid, and nobody paid it (seed 7013568).*"""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    yes(bench.call(win("w1", "5.00", of="b1")))
    changed(bench, removed)
    assert word(bench.call(win("w2", "7.00", of="b1"))) == DOUBT
    put_back(bench)
    bench.settlement(900, 5)
    yes(bench.call(win("w2", "7.00", of="b1")))
    assert bench.till.balance() == Decimal("1002.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("change", CHANGES)
def test_rule_23_what_is_new_goes_where_the_routes_say(bench_of: MakeBench, change: Change) -> None:
    """The old ones hold nobody up, and what was decided is still told."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    bench.till.always(lost_before)
    assert word(bench.call(win("w0", round_id="old"))) == DOUBT
    far = changed(bench, change)
    yes(bench.call(bet("b2", round_id="fresh")))
    yes(bench.call(win("w2", round_id="fresh")))
    yes(bench.call(bet("b1")))
    bench.settlement(60, 5)
    assert far.balance() == Decimal("1015.00")
    assert far.asked() == 2
    waits(bench, win("w0"))


def two_wallets(bench_of: MakeBench) -> Bench:
    """A bet without a round at the first of two wallets; what is new goes to the other one by now."""
    other = a_wallet("native", "other", url=NEW)
    bench = bench_of("native", "native", wallets=(other,))
    yes(bench.call(bet("b1", round_id="")))
    bench.setup = replace(bench.setup, routes=(Route(wallet="other", sessions="sess-{player}"),))
    return bench


def test_rule_23_a_win_goes_to_the_wallet_of_the_bet_that_it_names(bench_of: MakeBench) -> None:
    """It named its bet and no round, and went by the routes of that day: the stake was taken at one wallet, the win paid at
    another."""
    bench = two_wallets(bench_of)
    yes(bench.call(win("w1", of="b1", round_id="")))
    assert bench.till.balance() == Decimal("1015.00")
    assert bench.tills["other"].sent == []


def test_rule_23_so_it_does_where_that_bet_was_declined(bench_of: MakeBench) -> None:
    """Whether it is paid is for the wallet to say that knows the bet (rule 15)."""
    bench = two_wallets(bench_of)
    at_home = bench.setup
    bench.setup = replace(at_home, routes=(Route(wallet="main", sessions="sess-{player}"),))
    assert word(bench.call(bet("b2", "5000.00", round_id=""))) == Reason.INSUFFICIENT_FUNDS
    bench.setup = at_home
    bench.call(win("w2", of="b2", round_id=""))
    assert bench.tills["other"].sent == []


# ---------------------------------------------------------------- what asks about it, or speaks of its round

A_HOLD = a_call(Reserve(amount=Decimal("10.00")), "h1")
OF_THE_HOLD = a_call(Status(reference="h1", reference_kind=Kind.RESERVE), round_id="")


def test_rule_23_a_hold_is_asked_about_at_its_own_wallet(bench_of: MakeBench) -> None:
    """The wallet where new calls go by now did not know it: the provider was told that there is no such hold, while the
    player's money was held at the other one."""
    bench = two_wallets(bench_of)
    bench.setup, new = replace(bench.setup, routes=(Route(wallet="main", sessions="sess-{player}"),)), bench.setup
    yes(bench.call(A_HOLD))
    bench.setup = new
    heard = yes(bench.call(OF_THE_HOLD))
    assert (heard.state, heard.moved) == ("active", Decimal("10.00"))
    assert bench.tills["other"].sent == []


@pytest.mark.parametrize("change", CHANGES)
def test_rule_23_a_hold_whose_wallet_is_gone_is_told_from_the_journal(bench_of: MakeBench, change: Change) -> None:
    """No other wallet is asked about it."""
    bench = bench_of()
    yes(bench.call(A_HOLD))
    far = changed(bench, change)
    heard = yes(bench.call(OF_THE_HOLD))
    assert (heard.state, heard.moved) == ("active", Decimal("10.00"))
    assert far.sent == []


def test_rule_23_a_round_is_closed_where_it_was_played(bench_of: MakeBench) -> None:
    """Closed at the wallet of that day it stayed open at its own."""
    bench = two_wallets(bench_of)
    bench.setup, new = replace(bench.setup, routes=(Route(wallet="main", sessions="sess-{player}"),)), bench.setup
    yes(bench.call(bet("b2")))
    bench.setup = new
    yes(bench.call(a_call(CloseRound())))
    assert bench.tills["other"].sent == []
    assert bench.till.asked(Kind.CLOSE_ROUND) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_rule_23_a_round_whose_wallet_is_gone_is_closed_nowhere_else(bench_of: MakeBench, change: Change) -> None:
    """Its provider hears doubt, and closes it when the wallet is put back."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    far = changed(bench, change)
    assert word(bench.call(a_call(CloseRound()))) == DOUBT
    assert far.sent == []
    put_back(bench)
    assert word(bench.call(a_call(CloseRound()))) == ACCEPTED


@pytest.mark.parametrize("wallet", WALLETS)
def test_rule_23_a_round_ends_at_its_wallet_where_no_route_leads_any_more(bench_of: MakeBench, wallet: str) -> None:
    """The operator took the provider's routes away, so that nothing new begins: every win of an open round waited for a
    person, although its wallet was there."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("b1")))
    bench.setup = replace(bench.setup, routes=())
    assert word(bench.call(bet("b2", round_id="fresh"))) == Reason.UNSUPPORTED
    yes(bench.call(win("w1")))
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


NEW_ONES = [bet("x2"), settle("x2"), a_call(Reserve(amount=Decimal("10.00")), "x2")]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("call", NEW_ONES, ids=["debit", "settle", "reserve"])
def test_rule_25_what_is_new_in_a_round_whose_wallet_is_gone_is_declined(
    bench_of: MakeBench, call: Transaction, change: Change
) -> None:
    """The wallet was rightly taken away; the next bet of an old round was in doubt for ever, although no byte of it had
    left, and by it a provider could keep the next start from beginning."""
    bench = bench_of()
    yes(bench.call(bet("b1")))
    assert bench.unresolved() == {}
    far = changed(bench, change)
    assert word(bench.call(call)) == Reason.UNSUPPORTED
    bench.settlement(60, 5)
    assert word(bench.call(call)) == Reason.UNSUPPORTED
    assert far.asked() == 0  # the repeat of a no shows the balance of now, and asks for nothing else (rule 7)
    assert misplaced(bench.setup, at_once(bench.journal.unresolved())) == []
    nothing_is_open(bench)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("act", [Release(reference="h1"), Capture(reference="h1")], ids=["release", "capture"])
def test_rule_25_the_end_of_a_hold_waits_for_its_wallet(
    bench_of: MakeBench, act: Release | Capture, change: Change
) -> None:
    """Declined, the hold would keep the player's money at the old wallet, and nobody would see it."""
    bench = bench_of()
    yes(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h1")))
    far = changed(bench, change)
    assert word(bench.call(a_call(act, "e1"))) == DOUBT
    bench.settlement(60, 5)
    assert far.sent == []
    waits(bench, a_call(act, "e1"))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("wallet", SPLITTING)
def test_rule_25_what_needs_no_wallet_any_more_ends_although_it_is_gone(
    bench_of: MakeBench, wallet: str, change: Change
) -> None:
    """A settle's debit was accepted, its cancel gave that back and was told as done, and its wallet was pointed elsewhere:
    the settle itself stayed in doubt for ever, waiting for a wallet that it had nothing to ask."""
    bench = bench_of("native", wallet)
    bench.till.then(late(0.8), kind=Kind.DEBIT)
    bench.till.then(late(0.8), kind=Kind.ROLLBACK)
    slow = bench.second(Trip(seconds=0.05))
    bench.begin(settle("x1"))
    bench.rest(0.2)
    bench.begin_at(slow, undo("c1", "x1", kind=Kind.SETTLE))
    bench.rest(0.2)
    while not bench.row(Kind.ROLLBACK, "c1").state.decided:
        bench.rest(0.01)
    assert not bench.row(Kind.SETTLE, "x1").state.decided
    bench.scheduler.kill(slow)
    far = changed(bench, change)
    bench.settlement(60, 5)
    assert word(bench.call(settle("x1"))) == Reason.ALREADY_ROLLED_BACK
    assert far.asked(*MONEY_KINDS) == 0
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- a session that is dead


def with_a_dead_session(bench_of: MakeBench) -> Bench:
    bench = bench_of()
    bench.till.always(says(Declined(reason=Reason.SESSION_EXPIRED)), kind=Kind.AUTHENTICATE)
    return bench


NOBODYS = {"player": "", "session": "dead", "currency": ""}


def test_rule_22_a_dead_session_refuses_no_release(bench_of: MakeBench) -> None:
    """It heard `session_expired` and left no trace; the reserve that came late held the money without end."""
    bench = with_a_dead_session(bench_of)
    assert word(bench.call(a_call(Release(reference="h1"), "l1", **NOBODYS))) == Reason.TRANSACTION_NOT_FOUND
    bench.till.heal()
    assert word(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h1"))) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


# ---------------------------------------------------------------- history 10


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("call", [bet("x1"), settle("x1")], ids=["debit", "settle"])
def test_rule_23_our_own_rollback_goes_to_no_other_wallet(
    bench_of: MakeBench, call: Transaction, change: Change
) -> None:
    """The new wallet knew nothing of the bet: the stake was gone, and nothing was open."""
    bench = bench_of(a_provider("native", after_doubt=timedelta(seconds=30)), "native")
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(call)) == DOUBT
    bench.till.heal()
    bench.settlement(10, 1)
    assert bench.row(call.kind, "x1").state is State.ACCEPTED
    far = changed(bench, change)
    bench.settlement(900, 5)
    assert far.sent == []
    assert listed(bench) > 0
    assert bench.unresolved() != {}
    put_back(bench)
    bench.settlement(900, 5)
    assert word(bench.call(call)) == Reason.ALREADY_ROLLED_BACK
    assert bench.till.balance() == Decimal("1000.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("repeats", [QUERY, NEVER], ids=["query", "never"])
def test_rule_10_another_wallet_is_not_asked_what_became_of_a_bet(
    bench_of: MakeBench, change: Change, repeats: object
) -> None:
    """It said 404, and the bet was declined, "it never reached the wallet", with 10.00 gone at the old one."""
    bench = bench_of("native", a_wallet("native", repeats=repeats, tombstones=False))
    bench.till.always(lost_after)
    bench.till.always(lost_before, kind=Kind.STATUS)
    assert word(bench.call(bet("b1"))) == DOUBT
    far = changed(bench, change)
    bench.settlement(900, 5)
    assert word(bench.call(undo("r1", "b1"))) == DOUBT
    assert word(bench.call(bet("b1"))) in (DOUBT, Reason.ALREADY_ROLLED_BACK)
    bench.settlement(900, 5)
    assert far.sent == []
    waits(bench, bet("b1"))


# ---------------------------------------------------------------- a provider that is gone


def test_rule_25_the_movements_of_a_provider_that_is_not_configured_wait_and_are_listed(bench_of: MakeBench) -> None:
    """Nobody knows its wallets' words for it; put back, its win is paid."""
    bench = bench_of()
    bench.till.always(lost_before)
    assert word(bench.call(win("w1"))) == DOUBT
    bench.till.heal()
    providers, sent = bench.setup.providers, bench.till.asked()
    bench.crash()
    bench.setup = replace(bench.setup, providers={})
    bench.restart()
    bench.settlement(900, 5)
    assert bench.till.asked() == sent
    assert bench.unresolved() == {"main": 1}
    assert listed(bench) == 1
    bench.setup = replace(bench.setup, providers=providers)
    bench.settlement(900, 5)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)
