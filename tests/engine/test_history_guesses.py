"""A wallet that takes a rollback of what it does not know for that of another bet of the round (rule 16): what may still be on its
way there meets no new bet. At Kyren's Refund, which names a round; and where a cancel says round and amount alone.

The whole file takes a second.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.setup import Wallet
from gateway.http import Request
from gateway.model import Kind, Reason, Rollback, Status, Transaction, unsupported
from tests.engine.acts import bet, undo, why, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import DOUBT, nothing_is_open, word
from tests.engine.test_by_stake import hearing_no_name
from tests.simulation.behaviours import Behaviour, arrives, kept_back, lost_after, lost_before, queued
from tests.simulation.bench import NEVER, SAFE, Bench, a_provider, a_wallet, declared

WHOLE = Decimal("1000.00")
ROLLBACK, DEBIT = Kind.ROLLBACK, Kind.DEBIT
APPLIED = SAFE | {"rollback": "applied"}


def undoes_rounds(**more: Any) -> Wallet:
    """Kyren's Refund is told there at once, also of a bet in doubt."""
    return a_wallet("kyren", **{"tombstones": True, **more})


def refund(id: str, **more: Any) -> Transaction:
    named = bet(id, **more)
    return replace(named, act=Rollback(reference=id, scope="round"), id=f"refund:{id}")


def lose(bench: Bench, tx: Transaction, how: Behaviour = lost_before, provider: str = "") -> None:
    """A call of which nobody hears what became."""
    bench.till.always(how, kind=tx.kind)
    assert word(bench.call(tx, provider)) == DOUBT
    bench.till.heal()


def a_refund_is_kept_back(bench: Bench, seconds: float = 10) -> None:
    """A bet never arrives, and the first asking of its refund is queued: the second one hears that there is no such bet."""
    lose(bench, bet("a"))
    bench.till.then(kept_back(seconds), arrives, kind=ROLLBACK)
    bench.call(refund("a"))
    assert bench.row(ROLLBACK, "refund:a").outcome is not None
    assert bench.row(ROLLBACK, "refund:a").attempts == 2


@pytest.mark.parametrize("repeats", [SAFE, APPLIED], ids=["safe", "applied"])
def test_rule_16_a_bet_meets_no_refund_of_its_round_that_is_still_on_its_way(
    bench_of: MakeBench, repeats: dict[str, str]
) -> None:
    """*The second asking heard that there is no such bet; the first was queued, arrived ten seconds later and gave back the next
    bet of the round, which had been told as taken (seed 13005463).* Never asked, it loses nothing; later it is taken."""
    bench = bench_of("kyren", undoes_rounds(repeats=repeats))
    a_refund_is_kept_back(bench)
    asked = bench.till.asked(DEBIT)
    assert why(bench.call(bet("b", "9.50"))) is Reason.UNSUPPORTED
    assert bench.till.asked(DEBIT) == asked
    bench.rest(bench.wallet.in_flight_max.total_seconds())
    yes(bench.call(bet("c", "9.50")))
    assert why(bench.call(bet("b", "9.50"))) is Reason.UNSUPPORTED  # its repeat
    assert bench.till.balance() == Decimal("990.50")
    nothing_is_open(bench)


def test_rule_16_nor_does_a_bet_of_another_provider(bench_of: MakeBench) -> None:
    """Its wallet knows no providers: a round of the same name is the same round there. Another round, and another player's, is
    none."""
    purses = {"p-1": WHOLE, "p-2": WHOLE}
    bench = bench_of("kyren", undoes_rounds(), providers=(a_provider("kyren", "other"),), opening=purses)
    a_refund_is_kept_back(bench)
    assert why(bench.call(bet("b"), "other")) is Reason.UNSUPPORTED
    yes(bench.call(bet("c", round_id="2"), "other"))
    yes(bench.call(bet("d", player="p-2"), "other"))
    bench.rest(60)
    assert (bench.till.balance("p-1"), bench.till.balance("p-2")) == (Decimal("990.00"), Decimal("990.00"))


def test_rule_16_a_bet_waits_for_the_answer_to_such_a_refund(bench_of: MakeBench) -> None:
    """Once its only asking was answered nothing of it is on its way any more."""
    bench = bench_of("kyren", undoes_rounds())
    lose(bench, bet("a"))
    bench.till.then(queued(1), kind=ROLLBACK)
    first = bench.begin(refund("a"))
    yes(bench.call(bet("b")))
    bench.finish(first)
    assert [tx.kind for tx in bench.till.sent[-2:]] == [ROLLBACK, DEBIT]
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_16_nor_one_that_is_to_be_asked_again(bench_of: MakeBench) -> None:
    """*The refund was owed, the next bet was taken meanwhile, and the refund gave that one back.*"""
    bench = bench_of("kyren", undoes_rounds())
    lose(bench, bet("a"))
    lose(bench, refund("a"))
    assert why(bench.call(bet("b"))) is Reason.UNSUPPORTED
    bench.settlement(600, 5)
    assert bench.row(ROLLBACK, "refund:a").state.decided
    yes(bench.call(bet("c")))
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_16_what_its_wallet_has_taken_it_takes_for_no_other(bench_of: MakeBench) -> None:
    """The refund names a bet that is there: the round goes on."""
    bench = bench_of("kyren", undoes_rounds())
    yes(bench.call(bet("a")))
    lose(bench, refund("a"))
    yes(bench.call(bet("b")))
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_rule_16_a_refund_waits_for_another_bet_in_doubt_that_may_stand(bench_of: MakeBench) -> None:
    """*Of two bets in doubt the one that had never arrived was refunded; its wallet gave back the other one, whose repeat was
    told that it stands.* Once both are to go, it is one which of them goes first."""
    bench = bench_of("kyren", undoes_rounds())
    lose(bench, bet("a"))
    lose(bench, bet("b", "7.00"), lost_after)
    assert word(bench.call(refund("a"))) == DOUBT
    assert bench.till.asked(ROLLBACK) == 0
    yes(bench.call(bet("b", "7.00")))
    assert bench.till.balance() == Decimal("993.00")
    yes(bench.call(refund("b")))
    yes(bench.call(refund("a")))
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_16_a_refund_sees_every_bet_of_its_round(bench_of: MakeBench) -> None:
    """*Two bets in doubt were looked at, and a third one stood.*"""
    bench = bench_of("kyren", undoes_rounds())
    for id in ("a", "b"):
        lose(bench, bet(id))
    yes(bench.call(bet("c", "7.00")))
    for id in ("b", "a"):
        assert word(bench.call(refund(id))) == DOUBT
    assert bench.till.asked(ROLLBACK) == 0
    assert bench.till.balance() == Decimal("993.00")
    yes(bench.call(refund("c")))
    bench.settlement(600, 5)
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def unasked(wallet: Wallet) -> Wallet:
    """It cannot be asked what became of a movement."""
    say = wallet.dialect.encode_request

    def encode(tx: Transaction, call: Call) -> Request:
        if isinstance(tx.act, Status):
            raise unsupported("a status")
        return say(tx, call)

    return replace(wallet, dialect=declared(wallet.dialect, encode_request=encode))


@pytest.mark.parametrize("said", ["880011", ""], ids=["in its round", "in no round"])
def test_rule_16_where_round_and_amount_alone_are_told_an_equal_bet_waits(bench_of: MakeBench, said: str) -> None:
    """*A cancel that was queued gave back the next equal bet.* Another amount is another bet."""
    bench = bench_of("native", unasked(hearing_no_name(tombstones=False, repeats=NEVER | {"rollback": "applied"})))
    lose(bench, bet("a"))
    cancel = undo("xa", "a", "10.00", round_id=said)
    assert word(bench.call(cancel)) == DOUBT
    bench.rest(bench.wallet.in_flight_max.total_seconds())
    bench.till.then(kept_back(10), kind=ROLLBACK)
    bench.call(cancel)
    assert bench.row(ROLLBACK, "xa").attempts == 2
    assert why(bench.call(bet("b"))) is Reason.UNSUPPORTED
    yes(bench.call(bet("c", "9.00")))
    bench.settlement(600, 5)
    assert why(bench.call(bet("d"))) is Reason.ALREADY_ROLLED_BACK  # its wallet's own word: the cancel had found none
    yes(bench.call(bet("e")))
    assert bench.till.balance() == Decimal("981.00")
    nothing_is_open(bench)
