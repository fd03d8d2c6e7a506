"""Rules 1 to 3: which movement is which, and what a wallet is told as its id."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Route
from gateway.journal.sqlite import SqliteJournal
from gateway.model import Accepted, Adjust, CloseSession, Credit, Declined, Game, Kind, Reason, Rollback, Round
from tests.engine.acts import REFUSING_PAIRS, bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_after, lost_before, says
from tests.simulation.bench import SAFE, a_call, a_provider, a_wallet


@pytest.mark.parametrize(("provider", "wallet"), REFUSING_PAIRS)
def test_rule_01_one_id_in_two_key_spaces_is_two_movements(bench_of: MakeBench, provider: str, wallet: str) -> None:
    """Two kinds may share an id, and both are real."""
    bench = bench_of(provider, wallet)
    yes(bench.call(bet("x", "10.00")))
    yes(bench.call(win("x", "25.00")))
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_01_gameball_redeem_and_manual_share_one_key_space(bench_of: MakeBench) -> None:
    """One transactionId is one movement, whichever of the two calls carries it."""
    bench = bench_of("gameball", "native")
    yes(bench.call(bet("x", "10.00")))
    bench.call(win("x", "25.00"))
    assert bench.answers[-1].reason == Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("990.00")


def test_rule_01_kyrens_cancel_and_refund_of_one_reference_are_one(bench_of: MakeBench) -> None:
    """Kyren's Cancel and Refund of one reference are one movement; the bet comes back once."""
    bench = bench_of("kyren", "native")
    one = bet("t1")
    yes(bench.call(one))
    yes(bench.call(bench.undo(one, "refund:t1")))
    yes(bench.call(bench.undo(one, "refund:t1", scope="round")))
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming", "pragmatic_play"])
def test_rule_01_what_pragmatic_play_pays_beside_a_result_is_paid(bench_of: MakeBench, wallet: str) -> None:
    """A reference is a key of its call: a jackpot with that of a result heard the result's answer, and was never paid."""
    bench = bench_of("pragmatic_play", wallet)
    for _ in range(2):
        for act in (Credit(amount=Decimal(10)), Credit(amount=Decimal(10), type="jackpot")):
            yes(bench.call(a_call(act, "x")))
        yes(bench.call(a_call(Credit(amount=Decimal(10), type="promo"), "x", round_id="")))
    assert bench.till.balance() == Decimal("1030.00")


def test_rule_01_one_id_of_two_providers_is_two_movements(bench_of: MakeBench) -> None:
    """*Kyren's bet `1` and Vivo's bet `1` reach one NetGaming wallet; the second is played free.*"""
    bench = bench_of(
        a_provider("kyren", "one"), "netgaming", providers=(a_provider("scorpio_play", "two"),),
    )  # fmt: skip
    yes(bench.call(bet("1"), "one"))
    yes(bench.call(bet("1"), "two"))
    assert bench.till.balance() == Decimal("980.00")


def test_rule_01_a_provider_that_is_renamed_keeps_its_movements(bench_of: MakeBench) -> None:
    """The id in the configuration is part of every key, and the name is not."""
    bench = bench_of()
    yes(bench.call(bet("t1")))
    renamed = replace(bench.provider, name="fresh")
    bench.setup = replace(bench.setup, providers={"fresh": renamed})
    bench.provider, bench.callers["fresh"] = renamed, bench.callers["acme"]
    bench.callers["fresh"] = bench._caller(renamed)
    assert yes(bench.call(bet("t1"))).replayed
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.till.last(Kind.DEBIT).extra["provider"] == "acme"


def test_rule_02_a_retry_may_change_what_is_not_content(bench_of: MakeBench) -> None:
    """Session, request id, time and extras are never content: retries change them."""
    bench = bench_of()
    yes(bench.call(bet("t1", "10.00")))
    again = bet("t1", "10.00", session="sess-new", request_id="r-2", extra={"retry": "1"}, game=Game(id="43"))
    assert yes(bench.call(again)).replayed
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.tally.replays == [("acme", "debit", "same")]


@pytest.mark.parametrize(
    "other",
    [bet("t1", "10.01"), bet("t1", round_id="880012"), bet("t1", player="p-2"), bet("t1", currency="USD")],
    ids=["amount", "round", "player", "currency"],
)  # fmt: skip
@pytest.mark.parametrize("provider", ["native", "netgaming", "scorpio_play"])
def test_rule_02_the_same_id_with_other_content_is_a_mismatch(
    bench_of: MakeBench, provider: str, other: object
) -> None:
    """The first decision stands, whatever is asked later under its id."""
    bench = bench_of(provider, "native")
    yes(bench.call(bet("t1")))
    bench.call(other)  # type: ignore[arg-type]  # a parameter of pytest
    assert bench.answers[-1].reason == Reason.DUPLICATE_MISMATCH
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.DEBIT) == 1
    assert bench.tally.replays == [("acme", "debit", "conflict"), ("acme", "debit", "same")]


def test_rule_02_another_reference_is_another_content(bench_of: MakeBench) -> None:
    """A rollback is judged by what it undoes, too."""
    bench = bench_of()
    for id in ("t1", "t2"):
        yes(bench.call(bet(id)))
    yes(bench.call(undo("r1", "t1")))
    assert why(bench.call(undo("r1", "t2"))) is Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("990.00")


def test_rule_02_concurrent_repeats_cause_one_wallet_call_and_hear_the_same(bench_of: MakeBench) -> None:
    """Two copies of one request arrive while the first is being asked."""
    bench = bench_of("netgaming", "netgaming")
    calls = [bench.begin(bet("t1")) for _ in range(5)]
    heard = [bench.finish(call).outcome for call in calls]
    assert bench.till.asked(Kind.DEBIT) == 1
    assert set(heard) == {heard[0]}
    assert isinstance(heard[0], Accepted)


def test_rule_02_a_concurrent_repeat_with_other_content_is_a_mismatch(bench_of: MakeBench) -> None:
    """Even before the first is decided."""
    bench = bench_of()
    first, second = bench.begin(bet("t1", "10.00")), bench.begin(bet("t1", "11.00"))
    outcomes = [bench.finish(first).outcome, bench.finish(second).outcome]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted", "Declined"]
    assert bench.till.asked(Kind.DEBIT) == 1


@pytest.mark.parametrize("wallet", ["netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"])
def test_rule_03_an_alias_carries_provider_and_key_space_and_is_used_in_references(
    bench_of: MakeBench, wallet: str
) -> None:
    """A wallet with one id space sees different ids for different movements, and the same in a reference."""
    bench = bench_of("native", wallet)
    for tx in (bet("x"), win("x"), undo("x", "x", "10.00")):
        yes(bench.call(tx))
    assert bench.till.balance() == Decimal("1025.00")
    debit, credit, back = (bench.till.last(kind) for kind in (Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK))
    assert len({debit.id, credit.id, back.id}) == 3
    assert back.act.reference == debit.id  # type: ignore[union-attr]  # a rollback has one
    assert bench.row(Kind.DEBIT, "x").alias == debit.id


def test_rule_03_an_alias_is_the_same_after_a_restart_and_another_for_ids_that_are_too_long(
    bench_of: MakeBench,
) -> None:
    """Stable for ever; what does not fit the wallet's domain is told as a digest."""
    bench = bench_of("native", "netgaming")
    long_ones = ["x" * 127 + end for end in "ab"]
    bench.till.always(lost_before, Kind.DEBIT)
    for id in ("t1", *long_ones):
        bench.call(bet(id))
    before = {tx.id for tx in bench.till.sent}
    bench.crash()
    bench.restart()
    bench.till.heal()
    for id in ("t1", *long_ones):
        yes(bench.call(bet(id)))
    assert {tx.id for tx in bench.till.sent} == before
    assert len(before) == 3
    assert all(len(id) <= 128 for id in before)


def test_rule_03_as_is_tells_the_providers_own_ids(bench_of: MakeBench) -> None:
    """Native's way, and opt-in elsewhere."""
    bench = bench_of("native", a_wallet("netgaming", ids_as_is=True))
    yes(bench.call(bet("t1")))
    yes(bench.call(undo("r1", "t1", "10.00")))
    assert bench.till.last(Kind.DEBIT).id == "t1"
    assert bench.till.last(Kind.ROLLBACK).act.reference == "t1"  # type: ignore[union-attr]  # a rollback has one


def test_rule_03_native_takes_the_ids_of_many_providers_as_they_are(bench_of: MakeBench) -> None:
    """(provider, native kind, id) is injective, so nothing is renamed."""
    bench = bench_of(a_provider("netgaming", "one"), "native", providers=(a_provider("netgaming", "two"),))
    for name in ("one", "two"):
        yes(bench.call(bet("1"), name))
    assert [(tx.id, tx.extra["provider"]) for tx in bench.till.sent] == [("1", "one"), ("1", "two")]
    assert bench.till.balance() == Decimal("980.00")


def test_rule_03_players_and_games_go_by_the_route_and_come_back(bench_of: MakeBench) -> None:
    """A template with an inverse, and a map: answers name the provider's player again."""
    route = Route(wallet="main", players="acme-{player}", games={"42": "4200"}, sessions="sess-{player}")
    bench = bench_of("netgaming", "netgaming", routes=(route,), opening={"acme-p-1": Decimal("50.00")})
    yes(bench.call(bet("t1")))
    yes(bench.call(undo("r1", "t1", "10.00")))
    assert {(tx.player, tx.game and tx.game.id) for tx in bench.till.sent} == {("acme-p-1", "4200")}
    assert bench.till.balance("acme-p-1") == Decimal("50.00")


def test_rule_03_an_id_over_2_to_the_53_stays_exact(bench_of: MakeBench) -> None:
    """Integers become decimal text and never pass through a float."""
    bench = bench_of("dragon_gaming", "netgaming")
    yes(bench.call(bet("9007199254740993", round_id="9007199254740995")))
    assert bench.till.last(Kind.DEBIT).round == Round("9007199254740995", False)
    assert "9007199254740993" in bench.till.last(Kind.DEBIT).id


def test_rule_01_a_signed_adjustment_has_its_own_space(bench_of: MakeBench) -> None:
    """An adjust is neither a debit nor a credit, and takes or gives as its sign says."""
    bench = bench_of()
    yes(bench.call(bet("x")))
    yes(bench.call(a_call(Adjust(amount=Decimal("-4.00")), "x")))
    yes(bench.call(a_call(Adjust(amount=Decimal("6.00")), "y")))
    assert bench.till.balance() == Decimal("992.00")


def test_rule_01_the_journal_belongs_to_one_process(bench_of: MakeBench) -> None:
    """A second process would take the first one's open calls for those of a dead one."""
    bench = bench_of()
    begin = SqliteJournal.start(str(bench.path), bench.scheduler.clock())
    with pytest.raises(Exception, match="belongs to a gateway that is running"):
        bench.scheduler.finish(begin)
    assert bench.scheduler.now < timedelta(seconds=1).total_seconds()
    bench.scheduler.errors.clear()  # the one that was expected


def test_every_request_to_a_kyren_wallet_has_a_uuid_of_its_own(bench_of: MakeBench) -> None:
    """Its page calls it unique per request; the provider's own stood in both legs of a settle, in each part of a round's
    refund and in every second asking: a wallet that takes a repeated one for the same request answers the wrong thing."""
    bench = bench_of("kyren", a_wallet("kyren", repeats=SAFE))
    for number in (1, 2):
        yes(bench.call(bet(f"b{number}", request_id=f"u-{number}", round_id="7")))
    bench.till.then(lost_after, lost_after, kind=Kind.CREDIT)
    bench.call(win("w1", request_id="u-3", round_id="8"))
    bench.settlement(60.0, 1.0)
    gone = a_call(Rollback(reference="nobody", scope="round"), "refund:nobody", request_id="u-4", round_id="7")
    yes(bench.call(gone))
    assert (bench.till.asked(Kind.CREDIT), bench.till.asked(Kind.ROLLBACK)) == (3, 2)
    told = [tx.request_id for tx in bench.till.sent]
    assert len(set(told)) == len(told)
    settled = bench_of("native", "kyren")
    yes(settled.call(settle("s1", request_id="u-5")))
    assert len({tx.request_id for tx in settled.till.sent}) == len(settled.till.sent) == 2


@pytest.mark.parametrize("no", [Reason.SESSION_EXPIRED, Reason.PLAYER_NOT_FOUND, Reason.UNSUPPORTED])
def test_kyrens_notification_that_a_session_is_over_is_taken_whatever_its_wallet_says(
    bench_of: MakeBench, no: Reason
) -> None:
    """Its page answers error 0 to any body: a wallet that had closed the session already made the provider hear an invalid
    token, about a session that it had just ended itself."""
    bench = bench_of("kyren", "native")
    bench.till.always(says(Declined(reason=no)), Kind.CLOSE_SESSION)
    bench.call(a_call(CloseSession(), currency="", round_id="", game=None))
    assert json.loads(bench.answers[-1].response.body)["error"] == 0
    assert bench.till.asked(Kind.CLOSE_SESSION) == 1
