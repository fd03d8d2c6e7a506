"""What a provider's page may say of money beside the rules, as fields of its dialect: here on a native one that says it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.setup import Provider
from gateway.engine.states import State
from gateway.http import Request
from gateway.model import Accepted, Batch, Declined, Game, Kind, Reason, Transaction, Unknown
from gateway.serve.discover import find
from tests.engine.acts import bet, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_before, says
from tests.simulation.bench import a_call, a_provider, a_wallet

NATIVE = find("native").dialect
GONE, BACK = Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK


def a_page(**said: Any) -> Provider:
    """A provider whose page says this."""
    provider = a_provider("native")
    return replace(provider, dialect=replace(provider.dialect, **said))


FINAL = a_page(credit_noes=frozenset({GONE, BACK}))


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


# ---------------------------------------------------------------- which bets stay


def always(settings: object) -> bool:
    return True


STAYS = a_page(won_stays=always)


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
        bench = bench_of(a_page(won_stays=always, credit_noes=frozenset({BACK})))
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


# ---------------------------------------------------------------- what is another movement


def test_rule_02_another_game_is_another_content_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Elsewhere a game is a description, which a retry may change."""
    other = Game(id="43")
    for page, differs in ((a_page(same_game=True), True), ("native", False)):
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
    for page, differs in ((a_page(content=of_session), True), ("native", False)):
        bench = bench_of(page)
        yes(bench.call(bet("b")))
        assert yes(bench.call(bet("b"))).replayed
        heard = bench.call(bet("b", session="sess-p-1-again"))
        assert (isinstance(heard, Declined) and heard.reason is Reason.DUPLICATE_MISMATCH) is differs
        assert bench.till.balance() == Decimal("990.00")


# ---------------------------------------------------------------- which wins may be kept

SPENT = a_page(taking_noes=frozenset({Reason.INSUFFICIENT_FUNDS}))


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
    bench = bench_of(a_page(replay_balance="request"))
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
    bench = bench_of(a_page(else_player=by_extra, decode_request=nameless), opening=opening)
    bench.launch("s-1", "p-1")
    for id, session in (("a", "s-1"), ("b", "strange")):
        yes(bench.call(bet(id, session=session, extra={"nick": "nick-1"})))
    assert (bench.till.balance("p-1"), bench.till.balance("nick-1")) == (Decimal("990.00"), Decimal("490.00"))


# ---------------------------------------------------------------- which game it is


def gameless(request: Request, call: Call) -> Transaction:
    """A wire that names no game."""
    return replace(NATIVE.decode_request(request, call), game=None)


def test_rule_22_the_game_of_a_session_is_that_of_its_launch_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Of its own session, not of the player's last one. Elsewhere nobody may know whether the player has changed the game."""
    for said, games in ((True, ["poker", "dice", ""]), (False, ["", "", ""])):
        bench = bench_of(a_page(game_of_session=said, decode_request=gameless))
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
    bench = bench_of(a_page(game_of_session=True))
    bench.launch("s-1", game="poker")
    yes(bench.call(bet("a", session="s-1", game=Game(id="dice"))))
    assert bench.till.last(Kind.DEBIT).game == Game(id="dice")


# ---------------------------------------------------------------- wallets that give without looking


def test_rule_11_a_wallet_that_undoes_blindly_is_told_of_what_it_surely_took_only(bench_of: MakeBench) -> None:
    """Its rollback is a payment: *a bet that had never arrived was given back, because nobody knew.* A person is asked."""
    wallet = a_wallet("native")
    blind = replace(wallet, dialect=replace(wallet.dialect, undoes_blindly=True))
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
    bench = bench_of(a_page(replay_balance=shown))
    whole = a_call(Batch(items=(bet("i1", "1.00"), bet("i2", "2.00")), atomic=True), "")
    assert not yes(bench.call(whole)).replayed
    assert yes(bench.call(whole)).replayed
    assert bench.till.balance() == Decimal("997.00")
