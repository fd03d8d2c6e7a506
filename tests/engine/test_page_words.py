"""What a provider's page may say of money beside the rules, as fields of its dialect: here on a native one that says it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.auth import loosely
from gateway.dialect import Call, NoCall
from gateway.ends import Kept, Owed
from gateway.engine.movement import UNKNOWN
from gateway.engine.setup import Provider
from gateway.engine.states import State
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Batch,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Reason,
    Rollback,
    Round,
    Transaction,
    Unknown,
    reference_of,
)
from gateway.serve.discover import find
from tests.engine.acts import balance, bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import restored
from tests.simulation.behaviours import Post, late, lost_after, lost_before, says, unreachable
from tests.simulation.bench import ROUND, SESSION, Trip, a_call, a_wallet, always, declared, declaring

NATIVE = find("native").dialect
GONE, BACK = Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK


FINAL = declaring(final_noes={Owed.NAMED_WIN: frozenset({GONE, BACK})})


# ---------------------------------------------------------------- which wins may be declined


@pytest.mark.parametrize("reason", [GONE, BACK])
def test_rule_06_a_win_is_declined_for_good_where_the_page_says_so(bench_of: MakeBench, reason: Reason) -> None:
    """And its repeat hears the same, without the wallet."""
    bench = bench_of(FINAL)
    bench.till.then(says(Declined(reason=reason)), kind=Kind.CREDIT)
    for _ in range(2):
        assert why(bench.call(win("w", of="never"))) is reason
    assert bench.till.asked(Kind.CREDIT) == 1
    assert bench.row(Kind.CREDIT, "w").state is State.DECLINED


def test_rule_06_any_other_no_leaves_it_owed(bench_of: MakeBench) -> None:
    """And so does every no where the page is silent."""
    for page, reason in ((FINAL, Reason.PLAYER_NOT_FOUND), ("native", GONE)):
        bench = bench_of(page)
        bench.till.always(says(Declined(reason=reason)), kind=Kind.CREDIT)
        assert isinstance(bench.call(win("w", of="never")), Unknown)
        assert bench.row(Kind.CREDIT, "w").owes
        bench.till.heal()
        yes(bench.call(win("w", of="never")))


def test_rule_06_that_a_wallet_does_not_know_the_bet_which_it_took_is_no_decision(bench_of: MakeBench) -> None:
    """A replica lags for a moment: the win would be lost by it."""
    bench = bench_of(FINAL)
    yes(bench.call(bet("b")))
    bench.till.then(says(Declined(reason=GONE)), kind=Kind.CREDIT)
    yes(bench.call(win("w", of="b")))
    assert bench.till.asked(Kind.CREDIT) == 2
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_06_that_a_wallet_does_not_know_a_bet_which_is_on_its_way_is_no_decision(bench_of: MakeBench) -> None:
    """*A bet and its win came in one moment, held up on their way. The win was sent first, its wallet said that it knew no such
    bet, and that was told for good; then the bet arrived there, and was taken.*"""

    async def too_early(post: Post) -> Response:
        await post.bench.scheduler.sleep(0.3)
        return post.till.words(Declined(reason=GONE), post.request)

    bench = bench_of(FINAL)
    bench.till.then(too_early, kind=Kind.CREDIT)
    bench.till.then(late(1.0), kind=Kind.DEBIT)
    first = bench.begin(win("w", of="b"))
    bench.rest(0.1)
    second = bench.begin(bet("b"))
    yes(bench.finish(second).outcome)
    assert not isinstance(bench.finish(first).outcome, Declined)
    bench.settlement(30)
    yes(bench.call(win("w", of="b")))
    assert bench.till.balance() == Decimal("1015.00")


@pytest.mark.parametrize("reason", [GONE, BACK])
def test_rule_06_what_is_said_of_its_bet_ends_no_win_that_names_none(bench_of: MakeBench, reason: Reason) -> None:
    """BetGames' gifts: there is no bet that could be missing."""
    bench = bench_of(FINAL)
    bench.till.always(says(Declined(reason=reason)), kind=Kind.CREDIT)
    assert isinstance(bench.call(win("w")), Unknown)
    assert bench.row(Kind.CREDIT, "w").owes
    bench.till.heal()
    yes(bench.call(win("w")))


@pytest.mark.parametrize(("word", "final"), [("safe", True), ("query", False)])
def test_rule_05_a_no_to_a_later_attempt_counts_where_the_wallet_looks_for_the_id_first(
    bench_of: MakeBench, word: str, final: bool
) -> None:
    """The first attempt may have been applied: only such a wallet would have said so."""
    repeats = {"debit": "safe", "credit": word, "rollback": "safe"}
    bench = bench_of(FINAL, a_wallet("native", repeats=repeats))
    bench.till.then(lost_before, says(Declined(reason=BACK)), kind=Kind.CREDIT)
    bench.till.always(says(Unknown()), kind=Kind.STATUS)
    heard = bench.call(win("w", of="never"))
    assert isinstance(heard, Declined if final else Unknown)


def test_rule_15_a_win_of_a_bet_that_the_journal_knows_as_undone_is_not_asked(bench_of: MakeBench) -> None:
    """Its answer is known: the player was given the stake back."""
    bench = bench_of(FINAL)
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b")))
    assert why(bench.call(win("w", of="b"))) is BACK
    assert not bench.till.asked(Kind.CREDIT)
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_02_the_first_that_is_in_doubt_is_told_as_such(bench_of: MakeBench) -> None:
    """*A second payout of a bet came while the first was in doubt and heard doubt: the journal said that a no was told.*"""
    bench = bench_of(declaring(first_stands=frozenset({Kind.CREDIT})))
    bench.till.always(lost_before, Kind.CREDIT)
    for amount in ("25.00", "30.00"):
        assert isinstance(bench.call(win("w", amount)), Unknown)
        assert bench.row(Kind.CREDIT, "w").told == UNKNOWN


# ---------------------------------------------------------------- which bets stay


STAYS = declaring(kept_by=always(Kept.ITS_WIN))


def test_rule_15_the_bet_of_a_win_is_not_given_back_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Its provider gave the bet up because it could not deliver the win, which was paid: both would be the player's. The
    wallet is not asked; elsewhere it is."""
    for page, refused in ((STAYS, True), ("native", False)):
        bench = bench_of(page)
        for id in "ab":
            yes(bench.call(bet(id)))
        yes(bench.call(win("w", of="a")))
        heard = bench.call(undo("u", "a"))
        assert (isinstance(heard, Declined) and heard.reason is Reason.ALREADY_SETTLED) is refused
        yes(bench.call(undo("v", "b")))  # which has none


def test_rule_15_a_win_in_doubt_is_brought_to_its_end_first(bench_of: MakeBench) -> None:
    """Paid, it stands; declined for good, its bet is given back. Until then its rollback is doubt."""
    for paid in (True, False):
        bench = bench_of(declaring(kept_by=always(Kept.ITS_WIN), final_noes={Owed.NAMED_WIN: frozenset({BACK})}))
        yes(bench.call(bet("a")))
        bench.till.always(lost_before, Kind.CREDIT)
        assert isinstance(bench.call(win("w", of="a")), Unknown)
        assert isinstance(bench.call(undo("u", "a")), Unknown)
        bench.till.heal()
        if not paid:
            bench.till.always(says(Declined(reason=BACK)), kind=Kind.CREDIT)
        heard = bench.call(undo("u", "a"))
        assert isinstance(heard, Declined if paid else Accepted)
        assert bench.till.balance() == Decimal("1015.00" if paid else "1000.00")


def test_rule_15_a_win_that_was_taken_back_keeps_no_bet(bench_of: MakeBench) -> None:
    """A voided round: its win is undone, then its bet."""
    bench = bench_of(STAYS)
    yes(bench.call(bet("a")))
    yes(bench.call(win("w", of="a")))
    yes(bench.call(undo("u", "w", kind=Kind.CREDIT)))
    yes(bench.call(undo("v", "a")))
    assert bench.till.balance() == Decimal("1000.00")


BY_ROUND = declaring(kept_by=always(Kept.ROUND_WIN))
LAST = declaring(kept_by=always(Kept.LATER))


@pytest.mark.parametrize("page", [BY_ROUND, STAYS], ids=["any win of the round", "its own"])
def test_rule_15_a_bet_stays_for_its_second_win_where_the_first_was_taken_back(
    bench_of: MakeBench, page: Provider
) -> None:
    """*Only the first win of the round was looked at: the stake was given back beside the second.*"""
    bench = bench_of(page)
    yes(bench.call(bet("a")))
    for id in ("w", "x"):
        yes(bench.call(win(id)))
    yes(bench.call(undo("u", "w", kind=Kind.CREDIT)))
    assert why(bench.call(undo("v", "a"))) is Reason.ALREADY_SETTLED
    yes(bench.call(undo("y", "x", kind=Kind.CREDIT)))
    yes(bench.call(undo("z", "a")))
    assert bench.till.balance() == Decimal("1000.00")


@pytest.mark.parametrize(("trip", "offset"), [(0.01, 0.03), (0.02, 0.07), (0.02, 0.08), (0.05, 0.15)])
@pytest.mark.parametrize("page", [BY_ROUND, LAST], ids=["any win of the round", "what came last"])
def test_rule_31_so_it_sees_what_ties_to_its_round_alone(
    bench_of: MakeBench, page: Provider, trip: float, offset: float
) -> None:
    """*The win was another bet's, raised nothing, and the cancel left beside it.* What keeps a bet raises its cancel, whether
    it ties to it or not."""
    bench = bench_of(page)
    slow = bench.second(Trip(trip))
    yes(bench.call(bet("b")))
    yes(bench.call(bet("a")))
    bench.till.always(unreachable, Kind.ROLLBACK)
    assert isinstance(bench.call(undo("u", "a")), Unknown)
    bench.till.heal()
    bench.till.sent.clear()
    bench.till.always(late(0.3))
    bench.rest(30)
    bench.look(slow)
    bench.rest(offset)
    bench.call(win("w", of="b"))
    bench.till.heal()
    bench.settlement(300)
    assert [tx.kind for tx in bench.till.sent] != [Kind.CREDIT, Kind.ROLLBACK]
    assert not bench.unresolved()


@pytest.mark.parametrize(("trip", "offset"), [(0.01, 0.03), (0.02, 0.07), (0.02, 0.08), (0.05, 0.15)])
def test_rule_31_a_cancel_that_another_node_is_about_to_send_sees_the_win(
    bench_of: MakeBench, trip: float, offset: float
) -> None:
    """*That node had found no win when it looked, the win came and was paid, and then the cancel left: the stake was given
    back beside it.* The win raises the cancel, so what leaned on its absence is stale."""
    bench = bench_of(STAYS)
    slow = bench.second(Trip(trip))
    yes(bench.call(bet("a")))
    bench.till.always(unreachable, Kind.ROLLBACK)
    assert isinstance(bench.call(undo("u", "a")), Unknown)
    bench.till.heal()
    bench.till.sent.clear()
    bench.till.always(late(0.3))
    bench.rest(30)
    bench.look(slow)
    bench.rest(offset)
    bench.call(win("w", of="a"))
    bench.till.heal()
    bench.settlement(300)
    assert [tx.kind for tx in bench.till.sent] != [Kind.CREDIT, Kind.ROLLBACK]
    assert not bench.unresolved()


async def keeps_wins(post: Post) -> Response:
    """A wallet that takes no win back."""
    act = post.till.meaning(post.request, None).act
    kept = isinstance(act, Rollback) and act.reference_kind is Kind.CREDIT
    return post.till.words(Declined(reason=Reason.ALREADY_SETTLED), post.request) if kept else post.arrive()


@pytest.mark.parametrize(("page", "of"), [(STAYS, "a"), (STAYS, ""), (LAST, "a"), (LAST, "")])
def test_rule_15_a_win_that_is_being_taken_back_keeps_its_bet(bench_of: MakeBench, page: Provider, of: str) -> None:
    """*Its bet was given back meanwhile, then the wallet refused to take the win back: the player had both.*"""
    bench = bench_of(page)
    yes(bench.call(bet("a")))
    yes(bench.call(win("w", of=of)))
    bench.till.always(lost_before, Kind.ROLLBACK)
    assert isinstance(bench.call(undo("u", "w", kind=Kind.CREDIT)), Unknown)
    bench.till.heal()
    bench.till.always(keeps_wins, Kind.ROLLBACK)
    bench.call(undo("v", "a"))
    bench.settlement(600, 5)
    bench.till.heal()
    assert why(bench.call(undo("v", "a"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1015.00")
    assert not bench.unresolved()


@pytest.mark.parametrize("of", ["a", ""])
def test_rule_15_of_two_wins_one_was_taken_back(bench_of: MakeBench, of: str) -> None:
    """*It was the first that was looked at, and the other stood.*"""
    bench = bench_of(STAYS)
    yes(bench.call(bet("a")))
    for id in ("w", "x"):
        yes(bench.call(win(id, of=of)))
    yes(bench.call(undo("u", "w", kind=Kind.CREDIT)))
    assert why(bench.call(undo("v", "a"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_15_any_win_of_its_round_keeps_a_bet_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Two bets, and a win that ties to neither. A bet of a round without a win goes back."""
    for page, refused in ((BY_ROUND, True), (STAYS, False)):
        bench = bench_of(page)
        for id in "ab":
            yes(bench.call(bet(id)))
        yes(bench.call(win("w")))
        heard = bench.call(undo("u", "a"))
        assert (isinstance(heard, Declined) and heard.reason is Reason.ALREADY_SETTLED) is refused
        assert bench.till.asked(Kind.ROLLBACK) == (0 if refused else 1)
        yes(bench.call(bet("c", round_id="2")))
        yes(bench.call(undo("v", "c", round_id="2")))


def test_rule_15_so_does_the_win_of_its_own_list(bench_of: MakeBench) -> None:
    """*The bet of a list was cancelled beside its win: an item of a batch is no loose win of its round.*"""
    bench = bench_of(BY_ROUND)
    yes(bench.call(a_call(Batch(items=(bet("a"), win("w")), atomic=True))))
    assert why(bench.call(undo("u", "a"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_15_any_win_of_its_round_is_brought_to_its_end_first(bench_of: MakeBench) -> None:
    """Until then nobody knows whether the bet stands."""
    bench = bench_of(BY_ROUND)
    for id in "ab":
        yes(bench.call(bet(id)))
    bench.till.always(lost_before, Kind.CREDIT)
    assert isinstance(bench.call(win("w")), Unknown)
    assert isinstance(bench.call(undo("u", "a")), Unknown)
    bench.till.heal()
    assert why(bench.call(undo("u", "a"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1005.00")


@pytest.mark.parametrize("page", [STAYS, BY_ROUND, LAST], ids=["its win", "any win", "what came last"])
@pytest.mark.parametrize("done", [True, False])
def test_rule_30_of_a_cancel_that_may_have_left_its_wallet_says_whether_the_bet_stays(
    bench_of: MakeBench, page: Provider, *, done: bool
) -> None:
    """*It had been done, the journal was restored, a win came, and the cancel's repeat heard that the bet stands.* Where it was
    not done, the win keeps the bet."""
    bench = bench_of(page)
    yes(bench.call(bet("a")))
    restored(bench, lambda: bench.call(undo("u", "a")) if done else None)
    yes(bench.call(win("w", of="a")))
    heard = bench.call(undo("u", "a"))
    assert isinstance(heard, Accepted if done else Unknown)  # while it may still be on its way
    bench.settlement(600, 5)
    heard = bench.call(undo("u", "a"))
    assert isinstance(heard, Accepted) if done else why(heard) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1025.00" if done else "1015.00")
    assert not bench.unresolved()


# ---------------------------------------------------------------- which rounds are over


def a_bet(tx: Transaction) -> bool:
    return isinstance(tx.act, Debit)


def test_a_bet_of_a_round_that_is_over_is_declined_where_the_page_says_so(bench_of: MakeBench) -> None:
    """And no win is, and no other round's; what came before is answered as it was. What was declined closes nothing."""
    for page, refused in ((declaring(closed_to=a_bet), True), ("native", False)):
        bench = bench_of(page)
        assert why(bench.call(bet("much", "5000.00", closed=True))) is Reason.INSUFFICIENT_FUNDS
        yes(bench.call(a_call(Batch(items=(bet("a"), win("w", closed=True)), atomic=True))))
        yes(bench.call(bet("a")))
        heard = bench.call(bet("b"))
        assert (isinstance(heard, Declined) and heard.reason is Reason.ROUND_CLOSED) is refused
        yes(bench.call(win("x")))
        yes(bench.call(bet("c", round_id="2")))
        assert bench.till.balance() == Decimal("1030.00" if refused else "1020.00")


@pytest.mark.parametrize("page", [{"closed_to": a_bet}, {"closed_to": lambda tx: True}], ids=["bets", "all"])
def test_rule_30_what_the_journal_may_have_forgotten_is_not_declined_for_its_round(
    bench_of: MakeBench, page: dict[str, Any]
) -> None:
    """*Its answer was lost, the journal restored, and the win that ended the round came again first: the bet's repeat heard
    that the round was over, and the stake stayed taken.* It may be no newcomer: its wallet is asked."""
    bench = bench_of(declaring(**page))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    restored(bench, lambda: bench.call(bet("a")))
    yes(bench.call(win("w", closed=True)))
    yes(bench.call(bet("a")))
    assert bench.till.balance() == Decimal("1015.00")


@pytest.mark.parametrize("closing", [bet("a", closed=True), win("a", closed=True)], ids=["a bet", "a win"])
def test_rule_15_what_was_undone_closes_no_round(bench_of: MakeBench, closing: Transaction) -> None:
    """*The bet that had said that its round was over was cancelled, and every further bet of that round was declined,
    `round_closed`.* Where its cancel was refused, the round is over."""
    bench = bench_of(declaring(closed_to=a_bet))
    yes(bench.call(closing))
    bench.till.then(says(Declined(reason=Reason.ALREADY_SETTLED)), kind=Kind.ROLLBACK)
    assert why(bench.call(undo("u", "a", kind=closing.kind))) is Reason.ALREADY_SETTLED
    assert why(bench.call(bet("b"))) is Reason.ROUND_CLOSED
    yes(bench.call(undo("v", "a", kind=closing.kind)))
    yes(bench.call(bet("c")))
    assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- what a rollback may not name


def test_rule_15_a_rollback_that_names_a_win_hears_what_the_page_says(bench_of: MakeBench) -> None:
    """Where an id is one movement, it means no bet that may come yet; elsewhere the wallet is asked for a bet of that id."""
    for page, reason in ((declaring(misnamed=Reason.INVALID_REQUEST), Reason.INVALID_REQUEST), ("native", GONE)):
        bench = bench_of(page)
        yes(bench.call(win("w")))
        for _ in range(2):
            assert why(bench.call(undo("u", "w"))) is reason
        assert bench.till.asked(Kind.ROLLBACK) == (0 if reason is Reason.INVALID_REQUEST else 1)
        assert bench.till.balance() == Decimal("1025.00")


def test_rule_15_a_rollback_before_its_bet_is_none_of_those(bench_of: MakeBench) -> None:
    """It is a tombstone for a bet, and stops no win that comes under its id."""
    bench = bench_of(declaring(misnamed=Reason.INVALID_REQUEST))
    for id in ("b", "w"):
        assert why(bench.call(undo(f"u{id}", id))) is GONE
    assert why(bench.call(bet("b"))) is BACK
    yes(bench.call(win("w")))
    assert bench.till.balance() == Decimal("1025.00")


# ---------------------------------------------------------------- whose token it shows


def shown(request: Request) -> str:
    """Here the session itself."""
    return str((loosely(request) or {}).get("session", ""))


TOKEN = declaring(session_token=shown)


def test_rule_22_what_takes_shows_a_token_that_its_player_was_given(bench_of: MakeBench) -> None:
    """Nothing is sent, and nothing is kept of it: the same bet with the right one is taken."""
    bench = bench_of(TOKEN)
    bench.launch()
    bench.launch("sess-p-2", "p-2")
    for session in ("nobodys", "sess-p-2", ""):
        for call in (bet("b", session=session), balance(session=session), a_list("b", session=session)):
            assert why(bench.call(call)) is Reason.NOT_AUTHENTICATED
    assert bench.till.sent == []
    yes(bench.call(balance()))
    yes(bench.call(bet("b")))
    yes(bench.call(a_list("c")))
    assert bench.till.balance() == Decimal("1005.00")


def beside(request: Request) -> str:
    """Here the name of the call."""
    return str((loosely(request) or {}).get("request_id", ""))


def test_rule_22_a_session_that_nobody_knows_is_the_one_of_its_token(bench_of: MakeBench) -> None:
    """One that is known is told as what it is, whatever token it shows of that player's; nobody else's stands for it."""
    bench = bench_of(declaring(session_token=beside))
    bench.launch(wallet_session="ws-1")
    bench.launch("sess-new", wallet_session="ws-2")
    bench.launch("sess-p-2", "p-2", wallet_session="ws-3")
    yes(bench.call(bet("b", request_id="ws-1")))  # what it was given is known by its session, too
    told = []
    for number, (session, token) in enumerate(
        (("elsewhere", SESSION), ("sess-new", SESSION), ("elsewhere", "sess-p-2"))
    ):
        yes(bench.call(win(f"w{number}", session=session, request_id=token)))
        told.append(bench.till.last(Kind.CREDIT).session)
    assert told == ["ws-1", "ws-2", "elsewhere"]


def a_list(id: str, **more: Any) -> Transaction:
    return a_call(Batch(items=(bet(id), win(f"w{id}")), atomic=True), **more)


def test_rule_22_no_win_and_no_cancel_is_refused_for_its_token(bench_of: MakeBench) -> None:
    """The game may be long over."""
    bench = bench_of(TOKEN)
    bench.launch()
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b", session="nobodys")))
    yes(bench.call(win("w", session="nobodys")))
    yes(bench.call(a_call(Batch(items=(win("x"), win("y")), atomic=True), session="nobodys")))
    assert bench.till.balance() == Decimal("1075.00")


def test_rule_05_what_came_before_hears_its_decision_whatever_token_it_shows(bench_of: MakeBench) -> None:
    """*Its answer was lost, its session was forgotten meanwhile: a refusal would be taken for the bet's.* A list of which one
    bet is new shows a token for that one."""
    bench = bench_of(TOKEN)
    bench.launch()
    yes(bench.call(bet("b")))
    assert yes(bench.call(bet("b", session="nobodys"))).replayed
    more = a_call(Batch(items=(bet("b"), bet("n")), atomic=True), session="nobodys")
    assert why(bench.call(more)) is Reason.NOT_AUTHENTICATED
    assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- what is another movement


def test_rule_02_another_game_is_another_content_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Elsewhere a game is a description, which a retry may change."""
    other = Game(id="43")
    for page, differs in ((declaring(content=lambda tx: (tx.game_id,)), True), ("native", False)):
        bench = bench_of(page)
        yes(bench.call(bet("b")))
        yes(bench.call(bet("b", game=Game(id="42"))))  # its name is none of it
        heard = bench.call(bet("b", game=other))
        assert (isinstance(heard, Declined) and heard.reason is Reason.DUPLICATE_MISMATCH) is differs
        assert bench.till.balance() == Decimal("990.00")


def of_session(tx: Transaction) -> tuple[str, ...]:
    return (tx.session,)


def test_rule_02_what_else_is_content_the_page_says(bench_of: MakeBench) -> None:
    """As it stood on the wire: elsewhere a retry may come under another session."""
    for page, differs in ((declaring(content=of_session), True), ("native", False)):
        bench = bench_of(page)
        yes(bench.call(bet("b")))
        assert yes(bench.call(bet("b"))).replayed
        heard = bench.call(bet("b", session="sess-p-1-again"))
        assert (isinstance(heard, Declined) and heard.reason is Reason.DUPLICATE_MISMATCH) is differs
        assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- which wins may be kept

SPENT = declaring(final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})})


def test_rule_06_a_win_that_is_spent_is_kept_where_the_page_says_so(bench_of: MakeBench) -> None:
    """The wallet's no is the end of that rollback, and its repeat hears it; elsewhere it stays owed. Another one may be sent
    when there is money again."""
    for page, final in ((SPENT, True), ("native", False)):
        bench = bench_of(page)
        yes(bench.call(win("w")))
        bench.till.always(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.ROLLBACK)
        for _ in range(2):
            heard = bench.call(undo("u", "w", kind=Kind.CREDIT))
            assert isinstance(heard, Declined if final else Unknown)
        assert (bench.till.asked(Kind.ROLLBACK) == 1) is final
        assert bench.row(Kind.ROLLBACK, "u").state is (State.DECLINED if final else State.OWED)
        bench.till.heal()
        assert bench.till.balance() == Decimal("1025.00")
        heard = bench.call(undo("t", "w", kind=Kind.CREDIT))
        assert isinstance(heard, Accepted) is final  # else it waits for the one before it
        bench.settlement(600, 60)
        assert bench.till.balance() == Decimal("1000.00")


def test_rule_06_the_rollback_of_a_bet_is_owed_all_the_same(bench_of: MakeBench) -> None:
    """It gives: that there is no money is no answer to it."""
    bench = bench_of(SPENT)
    yes(bench.call(bet("b")))
    bench.till.always(says(Declined(reason=Reason.INSUFFICIENT_FUNDS)), kind=Kind.ROLLBACK)
    assert isinstance(bench.call(undo("u", "b")), Unknown)
    assert bench.row(Kind.ROLLBACK, "u").state is State.OWED


# ---------------------------------------------------------------- which balance a replay shows


def test_rule_07_the_network_call_again_shows_its_own_balance(bench_of: MakeBench) -> None:
    """Under another request id it is a new question about the same movement, and shows the balance of now; a no as a yes."""
    bench = bench_of(declaring(replay_balance="request"))
    first = yes(bench.call(bet("b", request_id="q-1")))
    yes(bench.call(bet("c", request_id="q-2")))
    same, other = (yes(bench.call(bet("b", request_id=name))) for name in ("q-1", "q-9"))
    assert (first.balance, same.balance, other.balance) == (Decimal("990.00"), Decimal("990.00"), Decimal("980.00"))
    assert same.replayed
    assert other.replayed
    broke = [bench.call(bet("d", "5000.00", request_id=name)) for name in ("q-3", "q-3", "q-4")]
    assert [why(each) for each in broke] == [Reason.INSUFFICIENT_FUNDS] * 3
    assert bench.till.asked(Kind.DEBIT) == 3


# ---------------------------------------------------------------- who plays, said otherwise


def by_extra(tx: Transaction, settings: object) -> str:
    return tx.extra.get("nick", "")


def nameless(request: Request, call: Call) -> Transaction:
    """A wire that names no player."""
    return replace(NATIVE.decode_request(request, call), player="")


def test_rule_21_who_plays_is_said_by_the_session_and_else_by_what_the_wire_says_beside(bench_of: MakeBench) -> None:
    """A studio's name for the player is a last resort: the session's player is the operator's own."""
    opening = {"p-1": Decimal("1000.00"), "nick-1": Decimal("500.00")}
    bench = bench_of(declaring(else_player=by_extra, decode_request=nameless), opening=opening)
    bench.launch("s-1", "p-1")
    for id, session in (("a", "s-1"), ("b", "strange")):
        yes(bench.call(bet(id, session=session, extra={"nick": "nick-1"})))
    assert (bench.till.balance("p-1"), bench.till.balance("nick-1")) == (Decimal("990.00"), Decimal("490.00"))


def only_its_bet(request: Request, call: Call) -> Transaction:
    """A wire whose wins name their bet, and nothing else."""
    tx = NATIVE.decode_request(request, call)
    return replace(tx, player="", session="", currency="", round=None) if tx.kind is Kind.CREDIT else tx


def naming_bets(**said: Any) -> Provider:
    provider = declaring(decode_request=only_its_bet, **said)
    return replace(provider, currency="")


def test_rule_21_a_win_that_says_only_its_bet_is_told_in_its_bets_words(bench_of: MakeBench) -> None:
    """Its player, currency and round are the bet's; and so is its repeat's."""
    opening = {"p-1": Decimal("1000.00"), "p-2": Decimal("500.00")}
    bench = bench_of(naming_bets(), opening=opening)
    yes(bench.call(bet("a")))
    yes(bench.call(bet("b", player="p-2", session="sess-p-2", round_id="r-2")))
    for replayed in (False, True):
        assert yes(bench.call(win("w", of="b"))).replayed is replayed
    told = bench.till.last(Kind.CREDIT)
    assert (told.player, told.currency, told.round_id) == ("p-2", "EUR", "r-2")
    assert (bench.till.balance("p-1"), bench.till.balance("p-2")) == (Decimal("990.00"), Decimal("515.00"))


def test_rule_15_a_win_that_says_only_a_bet_which_nobody_knows(bench_of: MakeBench) -> None:
    """Nobody can be asked whose it is. Where a bet comes to one end its page has a word for that; elsewhere it is a person's."""
    for ending in (True, False):
        bench = bench_of(naming_bets(kept_by=always(Kept.ITS_WIN), one_end=ending))
        for _ in range(2):
            heard = bench.call(win("w", of="never"))
            assert (isinstance(heard, Declined) and heard.reason is GONE) is ending
        assert bench.row(Kind.CREDIT, "w").state is (State.DECLINED if ending else State.PERSON)
        assert not bench.till.asked(Kind.CREDIT)


# ---------------------------------------------------------------- which game it is


def gameless(request: Request, call: Call) -> Transaction:
    """A wire that names no game."""
    return replace(NATIVE.decode_request(request, call), game=None)


def test_rule_22_the_game_of_a_session_is_that_of_its_launch_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Of its own session, not of the player's last one. Elsewhere nobody may know whether the player has changed the game."""
    for said, games in ((True, ["poker", "dice", ""]), (False, ["", "", ""])):
        bench = bench_of(declaring(game_of_session=said, decode_request=gameless))
        bench.launch("s-1", game="poker")
        bench.launch("s-2", game="dice")
        told = []
        for id, session in (("a", "s-1"), ("b", "s-2"), ("c", "sess-p-1")):
            yes(bench.call(bet(id, session=session)))
            game = bench.till.last(Kind.DEBIT).game
            told.append(game.id if game is not None else "")
        assert told == games


def test_rule_22_a_game_that_the_wire_names_stays(bench_of: MakeBench) -> None:
    """The launch only says what the wire does not."""
    bench = bench_of(declaring(game_of_session=True))
    bench.launch("s-1", game="poker")
    yes(bench.call(bet("a", session="s-1", game=Game(id="dice"))))
    assert bench.till.last(Kind.DEBIT).game == Game(id="dice")


# ---------------------------------------------------------------- what asks for nothing


def alive(request: Request, settings: Any) -> str:
    """A page that wants a sign of life."""
    if request.path == "/alive":
        raise NoCall(answer=Response(body=b"yes"))
    return NATIVE.route(request, settings)


def test_a_call_that_asks_for_nothing_is_answered_by_its_dialect(bench_of: MakeBench) -> None:
    """Whoever it is: nothing is proved, journalled or asked of a wallet. Every other call is as before."""
    bench = bench_of(declaring(route=alive))
    assert bench.raw(Request(method="GET", path="/alive")) == Response(body=b"yes")
    assert (bench.till.sent, bench.tally.signature_failures) == ([], [])
    yes(bench.call(bet("b")))
    assert bench.raw(Request(method="GET", path="/alive/x")).status == 404


# ---------------------------------------------------------------- wallets that give without looking


def test_rule_11_a_wallet_that_undoes_blindly_is_told_of_what_it_surely_took_only(bench_of: MakeBench) -> None:
    """Its rollback is a payment: *a bet that had never arrived was given back, because nobody knew.* A person is asked."""
    wallet = a_wallet("native")
    blind = replace(wallet, dialect=declared(wallet.dialect, undoes_blindly=True))
    bench = bench_of("native", blind)
    yes(bench.call(bet("taken")))
    yes(bench.call(undo("u1", "taken")))
    for id, fate in (("lost", lost_before), ("refused", says(Declined(reason=Reason.INSUFFICIENT_FUNDS)))):
        bench.till.always(fate, kind=Kind.DEBIT)
        bench.call(bet(id))
        bench.call(undo(f"u-{id}", id))
    bench.call(undo("u-never", "never"))
    bench.till.always(says(Unknown()), kind=Kind.STATUS)
    bench.settlement(600, 60)
    assert bench.till.asked(Kind.ROLLBACK) == 1
    assert bench.till.balance() == Decimal("1000.00")


# ---------------------------------------------------------------- lists


@pytest.mark.parametrize("shown", ["stored", "current"])
def test_rule_07_a_list_that_is_known_whole_is_a_replay_whatever_balance_it_shows(
    bench_of: MakeBench, shown: str
) -> None:
    """Where the balance of now is to be shown, its items bring none: *a subscription's repeat was told as a new one.*"""
    bench = bench_of(declaring(replay_balance=shown))
    whole = a_call(Batch(items=(bet("i1", "1.00"), bet("i2", "2.00")), atomic=True), "")
    assert not yes(bench.call(whole)).replayed
    assert yes(bench.call(whole)).replayed
    assert bench.till.balance() == Decimal("997.00")


# ---------------------------------------------------------------- what comes last, what is over, other names


def test_rule_15_only_the_last_bet_of_a_round_is_given_back_where_the_page_says_so(bench_of: MakeBench) -> None:
    """And only before a win, whether that names it or not; of another round nothing is said, and no wallet is asked."""
    bench = bench_of(LAST)
    for id in "ab":
        yes(bench.call(bet(id)))
    yes(bench.call(bet("c", round_id="880012")))
    assert why(bench.call(undo("u", "a"))) is Reason.ALREADY_SETTLED
    yes(bench.call(undo("v", "b")))
    yes(bench.call(undo("w", "a")))  # which is the last one now
    yes(bench.call(win("x")))
    yes(bench.call(undo("y", "c", round_id="880012")))
    yes(bench.call(bet("d")))
    yes(bench.call(win("z")))
    assert why(bench.call(undo("t", "d"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1040.00")
    assert bench.till.asked(Kind.ROLLBACK) == 3


def test_rule_15_a_bet_that_came_after_a_win_is_the_last(bench_of: MakeBench) -> None:
    """And a win that was taken back is none."""
    bench = bench_of(LAST)
    yes(bench.call(bet("a")))
    yes(bench.call(win("w")))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b")))
    yes(bench.call(undo("v", "w", kind=Kind.CREDIT)))
    yes(bench.call(undo("x", "a")))
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_15_what_came_after_it_and_is_in_doubt_is_brought_to_its_end_first(bench_of: MakeBench) -> None:
    """A win that cannot be delivered may be paid all the same."""
    bench = bench_of(LAST)
    yes(bench.call(bet("a")))
    bench.till.always(lost_before, Kind.CREDIT)
    assert isinstance(bench.call(win("w")), Unknown)
    assert isinstance(bench.call(undo("u", "a")), Unknown)
    bench.till.heal()
    assert why(bench.call(undo("u", "a"))) is Reason.ALREADY_SETTLED
    assert bench.till.balance() == Decimal("1015.00")


@pytest.mark.parametrize("wallet", ["native", "netgaming"])
def test_rule_15_a_bet_and_its_win_in_one_movement_stay(bench_of: MakeBench, wallet: str) -> None:
    """Whether its wallet can be told so or not; one in doubt is undone as elsewhere."""
    bench = bench_of(declaring(kept_by=always(Kept.LATER), rollback_kinds={"debit": (Kind.DEBIT, Kind.SETTLE)}), wallet)
    yes(bench.call(settle("s")))
    assert why(bench.call(undo("u", "s"))) is Reason.ALREADY_SETTLED
    bench.till.always(lost_after, Kind.SETTLE if wallet == "native" else Kind.DEBIT)
    assert isinstance(bench.call(settle("t")), Unknown)
    bench.till.heal()
    bench.call(undo("v", "t"))
    bench.settlement(300)
    assert isinstance(bench.row(Kind.ROLLBACK, "v").outcome, Accepted)
    assert bench.till.balance() == Decimal("1015.00")


def no_jackpot(tx: Transaction) -> bool:
    return tx.kind in (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE) and getattr(tx.act, "type", "") != "jackpot"


OVER = Round(ROUND, closed=True)


def test_rule_15_nothing_comes_once_a_round_is_over_where_the_page_says_so(bench_of: MakeBench) -> None:
    """But a repeat, a jackpot, another round's play and what undoes. Elsewhere the wallet decides."""
    jackpot = Credit(amount=Decimal("50.00"), type="jackpot")
    for page, over in ((declaring(closed_to=no_jackpot, closed_by=no_jackpot), True), ("native", False)):
        bench = bench_of(page)
        for id in "ab":
            yes(bench.call(bet(id)))
        yes(bench.call(win("v")))
        yes(bench.call(replace(win("w"), round=OVER)))
        late = [bench.call(tx) for tx in (bet("c"), win("x"), settle("s"))]
        assert [isinstance(heard, Declined) and heard.reason is Reason.ROUND_CLOSED for heard in late] == [over] * 3
        asked = bench.till.asked()
        assert [isinstance(bench.call(tx), Declined) for tx in (bet("c"), win("x"))] == [over] * 2  # and so do repeats
        assert bench.till.asked() == asked
        assert yes(bench.call(replace(win("w"), round=OVER))).replayed
        yes(bench.call(bet("d", round_id="880012")))
        yes(bench.call(a_call(jackpot, "j")))
        yes(bench.call(undo("u", "w", kind=Kind.CREDIT)))
        yes(bench.call(win("y")))  # the round was settled anew


def test_rule_15_a_round_is_not_over_for_a_win_that_was_declined(bench_of: MakeBench) -> None:
    """What it said of its round was not heard, either."""
    bench = bench_of(
        declaring(closed_to=no_jackpot, closed_by=no_jackpot, final_noes={Owed.NAMED_WIN: frozenset({BACK})})
    )
    bench.till.then(says(Declined(reason=BACK)), kind=Kind.CREDIT)
    assert why(bench.call(replace(win("w", of="gone"), round=OVER))) is BACK
    yes(bench.call(bet("a")))


def test_rule_17_what_is_undone_as_a_whole_is_named_with_its_amount(bench_of: MakeBench) -> None:
    """A win of 25.00 and the taking back of its bet's rollback: with another amount it is another one that was meant."""
    bench = bench_of(declaring(whole_only=frozenset({Kind.CREDIT, Kind.ROLLBACK}), partial=True))
    yes(bench.call(bet("a")))
    yes(bench.call(win("w")))
    for amount in ("24.99", "25.01"):
        assert why(bench.call(undo(f"u{amount}", "w", amount, kind=Kind.CREDIT))) is Reason.DUPLICATE_MISMATCH
    yes(bench.call(undo("u", "w", "25.00", kind=Kind.CREDIT)))
    yes(bench.call(undo("v", "a")))
    assert why(bench.call(undo("x", "v", "9.99", kind=Kind.ROLLBACK))) is Reason.DUPLICATE_MISMATCH
    yes(bench.call(undo("y", "v", "10.00", kind=Kind.ROLLBACK)))
    assert bench.till.balance() == Decimal("990.00")
    yes(bench.call(undo("z", "a")))  # it stands again, so it can be given back
    assert bench.till.balance() == Decimal("1000.00")


def test_rule_17_elsewhere_a_part_of_a_win_may_be_taken_back(bench_of: MakeBench) -> None:
    """Another amount says nothing of which one is meant, where the page does not say so."""
    bench = bench_of(declaring(partial=True))
    yes(bench.call(win("w")))
    yes(bench.call(undo("u", "w", "5.00", kind=Kind.CREDIT)))
    assert bench.till.balance() == Decimal("1020.00")


def or_without_re(tx: Transaction) -> tuple[str, ...]:
    named = reference_of(tx.act)
    return (named, named.removesuffix("re")) if named.endswith("re") else ()


def test_rule_15_a_reference_is_what_the_journal_knows_of_all_that_it_may_stand_for(bench_of: MakeBench) -> None:
    """As it was said first; its repeat is a repeat, whatever came to be known since; unknown, it is put to the wallet as it
    is. *The suffix of the page's examples hid a bet, and its stake stayed taken.*"""
    bench = bench_of(declaring(also_named=or_without_re))
    for id in ("a", "b", "bre"):
        yes(bench.call(bet(id)))
    yes(bench.call(undo("u", "are")))
    yes(bench.call(undo("v", "bre")))
    meant = [bench.row(Kind.DEBIT, id).undone_by for id in ("a", "b", "bre")]
    assert meant == [bench.row(Kind.ROLLBACK, "u").key, "", bench.row(Kind.ROLLBACK, "v").key]
    assert why(bench.call(undo("w", "cre"))) is GONE
    assert bench.till.last(Kind.ROLLBACK).act == undo("w", "cre").act
    yes(bench.call(bet("c")))
    assert why(bench.call(undo("w", "cre"))) is GONE
    assert yes(bench.call(undo("u", "are"))).replayed
    assert bench.till.balance() == Decimal("980.00")


def test_rule_22_a_session_of_another_player_is_refused_where_the_page_says_so(bench_of: MakeBench) -> None:
    """A win and a cancel, too: the proof of such a call does not tell who of the two was meant. Its own player's is not, nor
    is one that nobody knows; elsewhere it is not looked at."""
    for page, refused in ((declaring(calls_in_own_session=True), True), ("native", False)):
        bench = bench_of(page, opening={"p-1": Decimal("1000.00"), "p-2": Decimal("1000.00")})
        bench.launch("s-1", "p-1")
        for tx in (bet("a"), win("w"), balance(), undo("u", "b")):
            heard = bench.call(replace(tx, player="p-2", session="s-1"))
            assert (isinstance(heard, Declined) and heard.reason is Reason.PLAYER_NOT_FOUND) is refused
        yes(bench.call(bet("c", session="s-1")))
        yes(bench.call(win("x", session="s-9")))
        assert bench.till.balance("p-2") == (Decimal("1000.00") if refused else Decimal("1015.00"))


def test_rule_07_a_repeat_hears_its_decision_whoever_has_its_session_by_now(bench_of: MakeBench) -> None:
    """*A terminal's session was handed over for the next player, and the repeat of a bet that was taken heard a refusal.* Another
    player's call under that id is none."""
    bench = bench_of(
        declaring(calls_in_own_session=True), opening={"p-1": Decimal("1000.00"), "p-2": Decimal("1000.00")}
    )
    bench.launch("s-1", "p-1")
    yes(bench.call(bet("a", session="s-1")))
    bench.launch("s-1", "p-2")
    assert yes(bench.call(bet("a", session="s-1"))).replayed
    assert why(bench.call(bet("b", session="s-1"))) is Reason.PLAYER_NOT_FOUND
    assert why(bench.call(bet("a", session="s-1", player="p-2"))) is Reason.DUPLICATE_MISMATCH
    assert bench.till.balance() == Decimal("990.00")
