"""What a provider's dialect declares of its page, and what that changes here."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.ends import Owed
from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import Authenticate, Declined, Kind, Outcome, Reason, Rollback, Transaction, Unknown
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_before, says
from tests.simulation.bench import SAFE, SESSION, Bench, a_call, a_provider, a_wallet, at_once, declaring

GONE = says(Declined(reason=Reason.ALREADY_ROLLED_BACK))
USED = says(Declined(reason=Reason.DUPLICATE_MISMATCH))
APPLIED = {**SAFE, "credit": "applied"}


# ---------------------------------------------------------------- noes that end a win


def test_rule_06_a_win_is_owed_unless_its_page_says_that_such_a_no_ends_it(bench_of: MakeBench) -> None:
    """Spribe takes that the bet of a win was rolled back for the end of the win, and never asks again."""
    noes = frozenset({Reason.ALREADY_ROLLED_BACK})
    for provider, state in ((declaring(), State.OWED), (declaring(final_noes={Owed.NAMED_WIN: noes}), State.DECLINED)):
        bench = bench_of(provider, a_wallet("native", repeats=APPLIED))
        bench.till.always(GONE, kind=Kind.CREDIT)
        heard = bench.call(win("w1", of="t1"))
        assert isinstance(heard, Declined if state is State.DECLINED else Unknown)
        assert bench.row(Kind.CREDIT, "w1").state is state
        other = says(Declined(reason=Reason.PLAYER_NOT_FOUND))
        bench.till.always(other, kind=Kind.CREDIT)
        assert isinstance(bench.call(win("w2", of="t1")), Unknown)


@pytest.mark.parametrize(("word", "state"), [("applied", State.OWED), ("safe", State.DECLINED)])
def test_rule_05_after_doubt_only_a_wallet_that_looks_for_the_id_first_ends_it(
    bench_of: MakeBench, word: str, state: State
) -> None:
    """The first attempt may have been queued, and paid since: of that another wallet's no says nothing."""
    provider = declaring(final_noes={Owed.NAMED_WIN: frozenset({Reason.ALREADY_ROLLED_BACK})})
    bench = bench_of(provider, a_wallet("native", repeats={**SAFE, "credit": word}))
    bench.till.then(lost_before, kind=Kind.CREDIT)
    bench.till.always(GONE, kind=Kind.CREDIT)
    bench.call(win("w1", of="t1"))
    assert bench.row(Kind.CREDIT, "w1").state is state


def test_rule_05_a_win_whose_id_was_used_is_not_asked_again(bench_of: MakeBench) -> None:
    """To a second asking the same word would be "it was done": a win was taken for paid that its wallet had refused."""
    bench = bench_of("native", a_wallet("native", repeats=APPLIED))
    bench.till.then(USED, kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w1")), Unknown)
    bench.settlement(600, 60)
    assert isinstance(bench.call(win("w1")), Unknown)
    assert (bench.row(Kind.CREDIT, "w1").state, bench.till.asked(Kind.CREDIT)) == (State.PERSON, 1)
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- what the wire does not say


def test_rule_21_an_amount_is_read_again_once_its_currency_is_known(bench_of: MakeBench) -> None:
    """Spribe's rollback names no currency, and its unit hangs on it. Here a euro is read as half a one."""
    read = a_provider("native").dialect.decode_request

    def silent(request: Request, call: Call) -> Transaction:
        tx = read(request, call)
        return replace(tx, currency="") if isinstance(tx.act, Rollback) else tx

    provider = declaring(
        decode_request=silent, rescaled=lambda amount, currency, settings: amount * {"EUR": 2, "USD": 1}[currency]
    )
    bench = bench_of(replace(provider, currency="USD"), "native")
    yes(bench.call(bet("t1", "10.00")))
    cancel = undo("r1", "t1", "5.00")
    yes(bench.call(cancel))
    assert bench.till.last(Kind.ROLLBACK).act == Rollback(reference="t1", amount=Decimal("10.00"))
    assert bench.till.balance() == Decimal("1000.00")
    assert yes(bench.call(cancel)).replayed
    assert why(bench.call(undo("r1", "t1", "4.00"))) is Reason.DUPLICATE_MISMATCH


def test_an_answer_knows_what_a_rollback_undid_and_whether_its_id_came_before(bench_of: MakeBench) -> None:
    """The wire may name an id without its kind, and what was said of a win is said of a bet the other way round."""
    provider = declaring(rollback_kinds={"debit": (Kind.DEBIT, Kind.CREDIT)})
    say, told = provider.dialect.encode_response, []

    def seen(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
        assert tx is not None
        told.append((tx.act.reference_kind if isinstance(tx.act, Rollback) else tx.kind, call.again))
        return say(outcome, tx, call)

    bench = bench_of(replace(provider, dialect=replace(provider.dialect, encode_response=seen)), "native")
    yes(bench.call(bet("t1")))
    yes(bench.call(win("w1")))
    calls = [undo(f"r{n}", reference, currency="") for n, reference in enumerate(("t1", "w1"))]
    for call in (*calls, *calls):
        yes(bench.call(call))
    kinds = [Kind.DEBIT, Kind.CREDIT]
    assert told == [(kind, again) for again in (False, False, True) for kind in kinds]


# ---------------------------------------------------------------- a launch token that is good once


def arrive(bench: Bench, token: str, session: str = "of-the-provider") -> Outcome:
    return bench.call(
        a_call(Authenticate(launch_token=token), session=session, player="", currency="", round_id="", game=None)
    )


def test_rule_22_a_session_that_a_launch_token_began_answers_for_it(bench_of: MakeBench) -> None:
    """After a reconnect Spribe asks again, and the operator knows the token no more."""
    bench = bench_of(declaring(one_time_launch=True), "native")
    first = yes(arrive(bench, SESSION))
    assert (first.profile and first.profile.player, first.balance) == ("p-1", Decimal("1000.00"))
    bench.till.always(says(Declined(reason=Reason.NOT_AUTHENTICATED)), kind=Kind.AUTHENTICATE)
    yes(bench.call(bet("t1", session="of-the-provider")))
    again = yes(arrive(bench, SESSION))
    assert (again.profile and again.profile.player, again.balance) == ("p-1", Decimal("990.00"))
    assert why(arrive(bench, "another")) is Reason.NOT_AUTHENTICATED
    assert why(arrive(bench, SESSION, "of-another-game")) is Reason.NOT_AUTHENTICATED


def test_rule_22_where_a_launch_token_is_good_for_long_the_wallet_is_asked(bench_of: MakeBench) -> None:
    """Native's authenticate is the wallet's word each time."""
    bench = bench_of("native", "native")
    yes(arrive(bench, SESSION))
    bench.till.always(says(Declined(reason=Reason.NOT_AUTHENTICATED)), kind=Kind.AUTHENTICATE)
    assert why(arrive(bench, SESSION)) is Reason.NOT_AUTHENTICATED


@pytest.mark.parametrize(("handed_over", "known_as"), [(SESSION, ""), ("of-the-operator", SESSION)])
@pytest.mark.parametrize("wallet", ["native", "netgaming", "scorpio_play"])
def test_rule_22_a_session_of_the_providers_own_is_known_by_its_launch(
    bench_of: MakeBench, wallet: str, handed_over: str, known_as: str
) -> None:
    """The operator handed the launch over under its own session, and cannot know the one that the provider makes."""
    bench = bench_of("native", wallet, routes=(Route(wallet="main"),))
    bench.launch(handed_over, launch_token="once", wallet_session=known_as)
    heard = yes(arrive(bench, "once"))
    assert heard.profile is not None
    assert heard.profile.player == "p-1"
    learnt = at_once(bench.journal.session(bench.provider.id, "of-the-provider"))
    assert learnt is not None
    assert (learnt.player, learnt.wallet_session) == ("p-1", SESSION)
    yes(bench.call(bet("t1", session="of-the-provider")))
    if wallet != "scorpio_play":  # it has no sessions, and answers by a balance who plays
        assert {tx.session for tx in bench.till.sent if tx.kind in (Kind.AUTHENTICATE, Kind.DEBIT)} == {SESSION}
