"""Cancels that say their bet by round and amount alone (`Dialect.by_stake`), at both ends; and ids that no proof covers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.capability import BRIDGED, alone, tell
from gateway.engine.person import Verdict, resolve
from gateway.engine.setup import Provider, Wallet
from gateway.engine.states import State
from gateway.http import Request
from gateway.model import Accepted, Declined, Kind, Missing, Reason, Rollback, Transaction
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, forgetting, nothing_is_open, word
from tests.simulation.behaviours import lost_after, lost_before, queued, says
from tests.simulation.bench import CURRENCIES, QUERY, Bench, a_call, a_provider, a_wallet, at_once, declared

WHOLE = Decimal("1000.00")
NOT_FOUND, UNDONE = Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK


def unnamed(**more: Any) -> Provider:
    """A provider whose cancels say no more than round and amount."""
    found = a_provider("native", **more)
    read = found.dialect.decode_request

    def decode(request: Request, call: Call) -> Transaction:
        tx = read(request, call)
        return replace(tx, act=replace(tx.act, reference="", scope="round")) if isinstance(tx.act, Rollback) else tx

    return replace(found, dialect=declared(found.dialect, by_stake=True, bare_ids=True, decode_request=decode))


def cancel(id: str, amount: str = "10.00", **more: Any) -> Transaction:
    return undo(id, "nobody hears this", amount, **more)


def undone(bench: Bench) -> list[str]:
    """Which bets the wallet was told to give back, in order."""
    return [tx.act.reference for tx in bench.till.sent if isinstance(tx.act, Rollback)]


# ---------------------------------------------------------------- which bet it means


def test_rule_16_such_a_cancel_means_the_newest_open_bet_of_its_round_and_amount(bench_of: MakeBench) -> None:
    """Each once: several cancels never give back more than the round's bets."""
    bench = bench_of(unnamed())
    for id, amount in (("a", "10.00"), ("b", "10.00"), ("c", "3.00")):
        yes(bench.call(bet(id, amount)))
    yes(bench.call(cancel("x1")))
    yes(bench.call(cancel("x2")))
    assert undone(bench) == ["b", "a"]
    assert why(bench.call(cancel("x3"))) is NOT_FOUND
    assert undone(bench) == ["b", "a"]
    assert bench.till.balance() == Decimal("997.00")
    nothing_is_open(bench)


def test_rule_16_two_cancels_at_once_mean_two_bets(bench_of: MakeBench) -> None:
    """Opens of one round go one after the other: the second sees which bet the first took."""
    bench = bench_of(unnamed())
    for id in ("a", "b", "c"):
        yes(bench.call(bet(id)))
    calls = [bench.begin(cancel(id)) for id in ("x1", "x2")]
    assert all(isinstance(bench.finish(call).outcome, Accepted) for call in calls)
    assert sorted(undone(bench)) == ["b", "c"]
    assert bench.till.balance() == Decimal("990.00")


def test_rule_16_a_bet_of_another_round_amount_or_player_is_not_meant(bench_of: MakeBench) -> None:
    """*Another player's stake was given back.*"""
    bench = bench_of(unnamed(), opening={"p-1": WHOLE, "p-2": WHOLE})
    yes(bench.call(bet("a", "10.00", round_id="2")))
    yes(bench.call(bet("b", "10.01")))
    yes(bench.call(bet("c", "10.00", player="p-2")))
    assert why(bench.call(cancel("x1"))) is NOT_FOUND
    assert undone(bench) == []


def test_rule_16_a_repeat_of_it_is_the_same_and_means_no_other_bet(bench_of: MakeBench) -> None:
    """*Its repeat found another equal bet and gave that back, too.*"""
    bench = bench_of(unnamed())
    yes(bench.call(bet("a")))
    yes(bench.call(bet("b")))
    yes(bench.call(cancel("x1")))
    assert yes(bench.call(cancel("x1"))).replayed
    assert undone(bench) == ["b"]
    assert why(bench.call(cancel("x1", "9.00"))) is Reason.DUPLICATE_MISMATCH


def test_rule_15_where_none_matches_the_next_such_bet_is_declined_once(bench_of: MakeBench) -> None:
    """*Its tombstone buried every bet of that amount, and the player could not bet any more.*"""
    bench = bench_of(unnamed())
    assert why(bench.call(cancel("x1"))) is NOT_FOUND
    yes(bench.call(bet("a", "9.99")))
    assert why(bench.call(bet("b"))) is UNDONE
    yes(bench.call(bet("c")))
    assert why(bench.call(bet("b"))) is UNDONE  # its repeat
    assert why(bench.call(cancel("x1"))) is NOT_FOUND  # the cancel's repeat buries nobody
    yes(bench.call(bet("d")))
    assert bench.till.asked(Kind.DEBIT) == 3
    assert undone(bench) == []


def test_rule_15_two_cancels_of_nothing_bury_two_bets(bench_of: MakeBench) -> None:
    """Each is a word about one bet."""
    bench = bench_of(unnamed())
    for id in ("x1", "x2"):
        assert why(bench.call(cancel(id))) is NOT_FOUND
    assert [why(bench.call(bet(id))) for id in ("a", "b")] == [UNDONE, UNDONE]
    yes(bench.call(bet("c")))


def test_rule_15_many_cancels_of_nothing_are_all_remembered(bench_of: MakeBench) -> None:
    """*Only the first five of a round were looked at.*"""
    bench = bench_of(unnamed())
    for n in range(1, 13):
        bench.call(cancel(f"x{n}", f"{n}.00"))
    assert why(bench.call(bet("a", "12.00"))) is UNDONE
    yes(bench.call(bet("b", "12.00")))


def test_a_declined_bet_is_not_open(bench_of: MakeBench) -> None:
    bench = bench_of(unnamed())
    assert why(bench.call(bet("a", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    assert why(bench.call(cancel("x1", "5000.00"))) is NOT_FOUND
    assert undone(bench) == []


def test_rule_16_a_bet_whose_end_its_provider_does_not_know_is_meant(bench_of: MakeBench) -> None:
    """*It had never reached its wallet, its cancel found none that was open, and the player's next bet was declined.*"""
    bench = bench_of(unnamed(), a_wallet("native", repeats=QUERY))
    bench.till.always(lost_before)
    assert word(bench.call(bet("a"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.row(Kind.DEBIT, "a").state is State.DECLINED
    assert why(bench.call(cancel("x1"))) is NOT_FOUND
    yes(bench.call(bet("b")))
    yes(bench.call(cancel("x2")))
    assert why(bench.call(cancel("x3"))) is NOT_FOUND
    assert why(bench.call(bet("c"))) is UNDONE  # x3 was one too many


def test_rule_11_a_bet_in_doubt_is_meant_and_the_cancel_is_owed(bench_of: MakeBench) -> None:
    """*It was not accepted, so it was not found, and the stake stayed taken.*"""
    bench = bench_of(unnamed(), a_wallet("native", repeats=QUERY))
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert word(bench.call(bet("a"))) == DOUBT
    bench.till.heal()
    bench.call(cancel("x1"))
    bench.settlement(600, 5)
    assert undone(bench)[-1] == "a"
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_15_a_second_cancel_waits_for_the_first_of_the_only_bet(bench_of: MakeBench) -> None:
    """*It was told as done while the first was under way, which was then refused, and the stake stayed taken.*"""
    bench = bench_of(unnamed(), a_wallet("native", repeats=QUERY))
    yes(bench.call(bet("a")))
    bench.till.always(lost_before, Kind.ROLLBACK)
    bench.till.always(lost_before, Kind.STATUS)
    assert word(bench.call(cancel("x1"))) == DOUBT
    assert word(bench.call(cancel("x2"))) == DOUBT
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.balance() == WHOLE
    assert why(bench.call(cancel("x2"))) is UNDONE
    nothing_is_open(bench)


def test_rule_15_the_second_cancel_is_brought_where_the_first_undid_nothing(bench_of: MakeBench) -> None:
    """The bet is open again, and the newest that is."""
    bench = bench_of(unnamed())
    yes(bench.call(bet("a")))
    bench.till.then(says(Declined(reason=Reason.ALREADY_SETTLED)), kind=Kind.ROLLBACK)
    assert why(bench.call(cancel("x1"))) is Reason.ALREADY_SETTLED
    yes(bench.call(cancel("x2")))
    assert undone(bench) == ["a", "a"]
    assert bench.till.balance() == WHOLE


def test_rule_12_a_cancel_joins_what_the_gateway_gave_back(bench_of: MakeBench) -> None:
    """*It found no open bet, and waited for the next one.*"""
    bench = bench_of(unnamed(after_doubt=timedelta(minutes=10)), a_wallet("native", repeats=QUERY))
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert word(bench.call(bet("a"))) == DOUBT
    bench.till.heal()
    bench.settlement(1200, 10)
    assert bench.till.balance() == WHOLE
    yes(bench.call(cancel("x1")))
    assert bench.till.balance() == WHOLE
    yes(bench.call(bet("b")))  # nobody's tombstone
    yes(bench.call(cancel("x2")))
    assert undone(bench)[-1] == "b"


def test_rule_21_it_is_told_in_the_currency_of_its_bet(bench_of: MakeBench) -> None:
    """*The player had come back with another currency, and the cancel was told in that.*"""
    provider = unnamed()
    read = provider.dialect.decode_request

    def silent(request: Request, call: Call) -> Transaction:
        tx = read(request, call)
        return replace(tx, currency="") if isinstance(tx.act, Rollback) else tx

    provider = replace(provider, currency="JPY", dialect=replace(provider.dialect, decode_request=silent))
    bench = bench_of(provider, a_wallet("native", currency=""))
    yes(bench.call(bet("a", "10.50")))
    bench.launch("s-2", currency="JPY")
    yes(bench.call(cancel("x1", "10.50", session="s-2")))
    assert (bench.till.last(Kind.ROLLBACK).currency, bench.till.balance()) == ("EUR", WHOLE)


def test_rule_30_what_the_journal_forgot_is_not_taken_for_nothing(bench_of: MakeBench) -> None:
    """*After a restored copy the cancel of a forgotten bet was told as done, and the stake stayed taken.*"""
    bench = bench_of(unnamed())
    yes(bench.call(bet("a")))
    forgetting(bench)
    assert word(bench.call(cancel("x1"))) == DOUBT
    assert bench.row(Kind.ROLLBACK, "x1").state is State.PERSON
    assert undone(bench) == []


def after_a_person(bench: Bench, *, accepted: bool) -> None:
    """Of a cancel that the journal may have forgotten the bet of, a person says what its wallet's book shows."""
    said = Verdict(accepted=accepted, reason="as its book says", by="anna")
    at_once(resolve(bench.journal, bench.setup, bench.row(Kind.ROLLBACK, "x1").key, said, bench.scheduler.clock()))


@pytest.mark.parametrize("accepted", [True, False])
def test_rule_15_what_a_person_said_of_such_a_cancel_buries_the_bet_that_comes(
    bench_of: MakeBench, accepted: bool
) -> None:
    """*A person found no such bet, the cancel was told as done, and then the bet that it had overtaken was taken.* Once."""
    bench = bench_of(unnamed())
    forgetting(bench)
    assert word(bench.call(cancel("x1"))) == DOUBT
    after_a_person(bench, accepted=accepted)
    assert word(bench.call(cancel("x1"))) in (NOT_FOUND, ACCEPTED)
    assert why(bench.call(bet("a"))) is UNDONE
    assert (bench.till.asked(Kind.DEBIT), bench.till.balance()) == (0, WHOLE)
    yes(bench.call(bet("b")))
    nothing_is_open(bench)


def test_rule_16_such_a_cancel_is_not_told_by_a_person_that_there_is_none_while_its_bet_stands(
    bench_of: MakeBench,
) -> None:
    """*The bet came while its cancel waited for a person, and was taken; the person said that the cancel was not done, its
    provider heard that there is no such bet, and the stake stayed taken.*"""
    bench = bench_of(unnamed())
    forgetting(bench)
    assert word(bench.call(cancel("x1"))) == DOUBT
    yes(bench.call(bet("other", "9.00")))
    yes(bench.call(bet("a")))
    after_a_person(bench, accepted=False)
    assert why(bench.call(cancel("x1"))) is Reason.ALREADY_SETTLED
    yes(bench.call(cancel("x2")))
    assert undone(bench) == ["a"]
    nothing_is_open(bench)


def test_that_it_is_bridged_where_a_wallet_knows_no_amount_of_a_rollback_is_told() -> None:
    """What `gateway check` says is what the engine does: the amount says which bet is meant, and is all of it."""
    tx = a_call(Rollback(amount=Decimal("10.00"), scope="round"), "x1")
    kyren = a_wallet("kyren")
    told = tell(alone(kyren.dialect, kyren.settings, CURRENCIES), tx)
    assert (told.verdict, told.text.split("; ")) == (
        BRIDGED,
        [
            "one rollback for the open bet of the round that has its amount",
            "without its amount, where the journal shows that it is all of the bet",
        ],
    )


# ---------------------------------------------------------------- a wallet that is told so


def hearing_no_name(**more: Any) -> Wallet:
    """Its words for a rollback say more here: what matters is when it is told one, and that it is told round and amount."""
    found = a_wallet("native", **more)
    say = found.dialect.encode_request

    def encode(tx: Transaction, call: Call) -> Request:
        if isinstance(tx.act, Rollback) and tx.act.amount is None:
            raise Missing("amount")
        return say(tx, call)

    return replace(found, dialect=declared(found.dialect, by_stake=True, undoes_whole=True, encode_request=encode))


def test_rule_15_such_a_wallet_is_told_of_no_bet_that_came_through_nobody_here(bench_of: MakeBench) -> None:
    """*It said yes, as to whatever it does not find, and the late bet stood.*"""
    bench = bench_of("native", hearing_no_name())
    assert why(bench.call(undo("x1", "never", "10.00"))) is NOT_FOUND
    assert undone(bench) == []
    assert why(bench.call(bet("never"))) is UNDONE


@pytest.mark.parametrize("repeated", [False, True])
def test_rule_16_while_an_equal_bet_is_to_stay_it_is_not_told(bench_of: MakeBench, repeated: bool) -> None:
    """It would give back the other one. Once that is to go as well, it is one which of the two goes first."""
    bench = bench_of("native", hearing_no_name())
    yes(bench.call(bet("a")))
    yes(bench.call(bet("b")))
    assert word(bench.call(undo("xa", "a", "10.00"))) == DOUBT
    assert bench.row(Kind.ROLLBACK, "xa").state is State.PERSON
    assert undone(bench) == []
    if repeated:
        assert word(bench.call(undo("xa", "a", "10.00"))) == DOUBT
    yes(bench.call(undo("xb", "b", "10.00")))
    yes(bench.call(undo("xa", "a", "10.00")))
    assert undone(bench) == ["b", "a"]
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_11_while_its_bet_is_on_the_way_it_is_not_told_whatever_it_remembers(bench_of: MakeBench) -> None:
    """*The cancel was sent at once and waited there for its bet; the next equal one met it and was declined, then the first
    one arrived and was taken, of which its provider had heard that it is cancelled (seed 7014697).*"""
    bench = bench_of("native", hearing_no_name(tombstones=True, repeats=QUERY))
    bench.till.then(queued(20), kind=Kind.DEBIT)
    assert word(bench.call(bet("a"))) == DOUBT
    assert word(bench.call(undo("xa", "a", "10.00"))) == DOUBT
    assert undone(bench) == []
    bench.settlement(600, 5)
    yes(bench.call(undo("xa", "a", "10.00")))
    assert undone(bench) == ["a"]
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_16_another_amount_or_round_is_no_equal_bet(bench_of: MakeBench) -> None:
    """*Every round with two bets waited for a person.*"""
    bench = bench_of("native", hearing_no_name())
    for id, amount, round_id in (("a", "10.00", "1"), ("b", "10.01", "1"), ("c", "10.00", "2")):
        yes(bench.call(bet(id, amount, round_id=round_id)))
    yes(bench.call(undo("xa", "a", "10.00", round_id="1")))
    assert undone(bench) == ["a"]


def test_rule_16_an_equal_bet_of_another_provider_stays_as_well(bench_of: MakeBench) -> None:
    """Its wallet knows no providers."""
    bench = bench_of("native", hearing_no_name(), providers=(a_provider("native", "other"),))
    yes(bench.call(bet("a")))
    yes(bench.call(bet("a"), "other"))
    assert word(bench.call(undo("xa", "a", "10.00"))) == DOUBT
    assert undone(bench) == []


def test_rule_16_equal_bets_of_a_refunded_round_all_go(bench_of: MakeBench) -> None:
    """*The first part waited for a person, because the second bet still stood.*"""
    bench = bench_of("kyren", hearing_no_name())
    for id in ("a", "b"):
        yes(bench.call(bet(id)))
    refund = a_call(Rollback(reference="rf", scope="round"), "refund:rf")
    yes(bench.call(refund))
    assert len(undone(bench)) == 2
    assert bench.till.balance() == WHOLE


def test_rule_16_it_is_told_the_round_that_the_journal_has(bench_of: MakeBench) -> None:
    """*The cancel named another round, its wallet found nothing there and said yes.*"""
    bench = bench_of("native", hearing_no_name())
    yes(bench.call(bet("a", round_id="1")))
    yes(bench.call(undo("xa", "a", "10.00", round_id="2")))
    assert bench.till.last(Kind.ROLLBACK).round_id == "1"


def test_rule_17_a_part_is_not_told(bench_of: MakeBench) -> None:
    """Its amount would mean no bet, or another one."""
    bench = bench_of("native", hearing_no_name())
    yes(bench.call(bet("a")))
    assert word(bench.call(undo("xa", "a", "4.00"))) == DOUBT
    assert undone(bench) == []


# ---------------------------------------------------------------- ids that no proof covers


def twins(bench: Bench) -> list[tuple[str, str, str]]:
    return [each for each in bench.tally.replays if each[2] == "twin"]


def test_two_of_a_round_that_say_the_same_are_told_to_people(bench_of: MakeBench) -> None:
    """Both are booked: two equal bets are possible. So is one, sent again by somebody under another id."""
    bench = bench_of(unnamed())
    yes(bench.call(bet("a")))
    yes(bench.call(bet("a")))
    assert twins(bench) == []
    yes(bench.call(bet("b", "9.00")))
    yes(bench.call(bet("c", round_id="2")))
    yes(bench.call(win("w", "10.00")))
    assert twins(bench) == []
    yes(bench.call(bet("d")))
    assert twins(bench) == [("acme", "debit", "twin")]
    story = at_once(bench.journal.story(bench.row(Kind.DEBIT, "d").key))
    assert [(step.what.value, step.detail) for step in story] == [("twin", bench.row(Kind.DEBIT, "a").key)]
    assert bench.till.balance() == Decimal("971.00")


def test_where_the_proof_covers_ids_nobody_is_told(bench_of: MakeBench) -> None:
    bench = bench_of("native")
    for id in ("a", "b"):
        yes(bench.call(bet(id)))
    assert twins(bench) == []
