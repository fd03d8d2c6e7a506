"""What every journal does, on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Event, Listing, Movement, Session, Step
from gateway.engine.states import IllegalEdge, State
from gateway.journal.kept import KeptJournal
from gateway.model import Accepted, Declined, Kind, Reason, Round
from tests.journal.homes import HOUR, YES, Home, bet, cancel, cancel_intent, debit_intent, now, win, win_intent

NO = Declined(reason=Reason.INSUFFICIENT_FUNDS)


async def opened(journal: KeptJournal, m: Movement) -> Movement:
    found = await journal.open(debit_intent(m) if m.kind is Kind.DEBIT else win_intent(m))
    assert found.fresh
    return found.movement


def steady(m: Movement) -> Movement:
    """Without the end of its lease, which on PostgreSQL is counted by the database's clock."""
    return replace(m, due_at=None)


async def same(journal: KeptJournal, expected: Movement) -> None:
    found = await journal.get(expected.key)
    assert found is not None
    assert steady(found) == steady(expected)


# ---------------------------------------------------------------- open


async def test_a_movement_is_there_as_it_was_opened(home: Home) -> None:
    journal = await home.journal()
    m = bet("b/1 ä\x00", player="ann\x00a", session="")
    assert (await journal.open(debit_intent(m))).movement == m
    await same(journal, m)
    assert await journal.get("acme/debit/none") is None
    found = await journal.find("acme", [Kind.DEBIT], "b/1 ä\x00")
    assert found is not None
    assert found.key == m.key


async def test_the_second_one_with_a_key_finds_the_first(home: Home) -> None:
    journal = await home.journal()
    first = await opened(journal, bet("b-1"))
    again = await journal.open(debit_intent(bet("b-1", node="n-2")))
    assert (again.fresh, steady(again.movement)) == (False, steady(first))


async def test_a_cancel_finds_its_bet_and_claims_it(home: Home) -> None:
    journal = await home.journal()
    first = await opened(journal, bet("b-1", wallet="w", route="r-{player}"))
    found = await journal.open(cancel_intent(cancel("b-1", wallet="elsewhere")))
    assert found.target is not None
    assert (found.target.key, found.target.undone_by) == (first.key, found.movement.key)
    assert (found.movement.wallet, found.movement.route) == ("w", "r-{player}")  # rule 23
    other = await journal.open(cancel_intent(cancel("b-1", "c-2")))
    assert other.target is not None
    assert other.target.undone_by == found.movement.key  # the first stays
    assert [m.key for m in await journal.aimed_at(first.key)] == [found.movement.key, other.movement.key]
    await journal.release_target(found.movement.key, now())
    assert [step.what for step in await journal.story(first.key)] == [Event.RELEASED]
    repeated = await journal.open(cancel_intent(cancel("b-1", "c-2")))
    assert not repeated.fresh
    assert repeated.target is not None
    assert repeated.target.undone_by == other.movement.key  # free again: the other one takes it
    bet_now = await journal.get(first.key)
    assert bet_now is not None
    assert bet_now.undone_by == other.movement.key


async def test_releasing_frees_nothing_that_another_one_claimed(home: Home) -> None:
    journal = await home.journal()
    first = await opened(journal, bet("b-1"))
    await journal.open(cancel_intent(cancel("b-1")))
    late = await journal.open(cancel_intent(cancel("b-1", "c-2")))
    await journal.release_target(late.movement.key, now())
    found = await journal.get(first.key)
    assert found is not None
    assert found.undone_by == "acme/rollback/c-b-1"


async def test_a_cancel_of_another_players_bet_has_no_target(home: Home) -> None:
    journal = await home.journal()
    await opened(journal, bet("b-1"))
    found = await journal.open(cancel_intent(cancel("b-1", player="bob")))
    assert found.target is None


@pytest.mark.parametrize("outcome", [None, Declined(reason=Reason.TRANSACTION_NOT_FOUND)])
async def test_a_tombstone_buries_the_late_bet(home: Home, outcome: Declined | None) -> None:
    journal = await home.journal()
    early = await journal.open(cancel_intent(cancel("b-1")))
    if outcome is not None:
        await journal.decide(early.movement, outcome, now(), heard=True)
    found = await journal.open(debit_intent(bet("b-1")))
    assert found.tombstone == early.movement.key
    assert (found.movement.state, found.movement.told) == (State.DECLINED, "declined")
    assert found.movement.outcome == Declined(
        reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back before it came"
    )
    await same(journal, found.movement)
    assert await journal.due(now() + 2 * HOUR, 10) == ([] if outcome else await journal.due(now() + 2 * HOUR, 10))


async def test_a_cancel_that_was_refused_otherwise_buries_nothing(home: Home) -> None:
    journal = await home.journal()
    early = await journal.open(cancel_intent(cancel("b-1")))
    await journal.decide(early.movement, Declined(reason=Reason.ALREADY_SETTLED), now(), heard=True)
    assert (await journal.open(debit_intent(bet("b-1")))).tombstone == ""


async def test_a_rounds_tombstone_holds_for_its_round_only(home: Home) -> None:
    journal = await home.journal()
    await journal.open(cancel_intent(cancel("", "refund", scope="round"), by_round=True))
    assert (await journal.open(debit_intent(bet("b-1")))).tombstone
    assert not (await journal.open(debit_intent(bet("b-2", round=Round("r-2"))))).tombstone
    assert not (await journal.open(debit_intent(bet("b-3", player="bob")))).tombstone


async def test_a_refund_of_a_round_sees_its_movements_in_order(home: Home) -> None:
    journal = await home.journal()
    keys = [(await opened(journal, m)).key for m in (bet("b-2"), bet("b-1"), win("w-1"))]
    await opened(journal, bet("b-3", round=Round("r-2")))
    found = await journal.open(cancel_intent(cancel("", "refund", scope="round"), by_round=True))
    assert [m.key for m in found.round] == [*keys, found.movement.key]
    assert [m.key for m in await journal.round("acme", "anna", "r-1")] == [m.key for m in found.round]


async def test_a_win_sees_its_round_only_while_a_bet_is_open(home: Home) -> None:
    journal = await home.journal()
    first = await opened(journal, bet("b-1"))
    assert [m.key for m in (await journal.open(win_intent(win("w-1")))).round] == [first.key, "acme/credit/w-1"]
    await journal.decide(first, YES, now(), heard=True)
    assert (await journal.open(win_intent(win("w-2")))).round == ()


async def test_the_only_open_bet_of_a_round_is_meant(home: Home) -> None:
    journal = await home.journal()
    first = await opened(journal, bet("b-1"))
    gone = await opened(journal, bet("b-2"))
    await journal.decide(gone, NO, now(), heard=True)
    found = await journal.open(cancel_intent(cancel("unknown"), lone_bet=True))
    assert found.target is not None
    assert (found.target.key, found.target.undone_by) == (first.key, found.movement.key)
    await opened(journal, bet("b-3"))
    await opened(journal, bet("b-4"))
    assert (await journal.open(cancel_intent(cancel("unknown-2"), lone_bet=True))).target is None


async def test_what_is_later_in_a_round_goes_where_the_round_went(home: Home) -> None:
    journal = await home.journal()
    await opened(journal, bet("b-1", wallet="first", route="f-{player}"))
    found = await journal.open(win_intent(win("w-1", wallet="second")))
    assert (found.movement.wallet, found.movement.route) == ("first", "f-{player}")


async def test_partial_rollbacks_know_what_the_others_undo(home: Home) -> None:
    journal = await home.journal()
    await opened(journal, bet("b-1"))
    some = {"claim": False, "several": True}
    first = await journal.open(cancel_intent(cancel("b-1", "c-1", amount=Decimal(5)), **some))
    assert first.undone == 0
    second = await journal.open(cancel_intent(cancel("b-1", "c-2", amount=Decimal(3)), **some))
    assert second.undone == 5
    await journal.decide(first.movement, replace(YES, moved=Decimal(4)), now(), heard=True)
    await journal.decide(second.movement, NO, now(), heard=True)
    third = await journal.open(cancel_intent(cancel("b-1", "c-3"), **some))
    assert third.undone == 4
    assert third.target is not None
    assert third.target.undone_by == ""


async def test_the_gateways_own_rollback_is_not_opened_beside_another(home: Home) -> None:
    journal = await home.journal()
    first = await opened(journal, bet("b-1"))
    theirs = await journal.open(cancel_intent(cancel("b-1")))
    own = cancel_intent(cancel("b-1", "gw:b-1"), targets=(), target=first.key, alone=True)
    found = await journal.open(own)
    assert (found.fresh, found.movement.key) == (False, theirs.movement.key)
    assert await journal.get(own.movement.key) is None
    await journal.release_target(theirs.movement.key, now())
    found = await journal.open(own)
    assert (found.fresh, found.movement.key) == (True, own.movement.key)


# ---------------------------------------------------------------- leases


async def test_a_lease_keeps_others_away_until_it_is_over(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, bet("b-1"))
    at = now()
    assert await journal.take(m, "n-2", at, at + HOUR) is None
    mine = await journal.take(m, "n-1", at, at - HOUR)  # its own is always taken
    assert mine is not None
    assert (mine.state, mine.told) == (State.ASKING, "")
    theirs = await journal.take(m, "n-2", at, at + HOUR)
    assert theirs is not None
    # What the other process was asking is doubt, and told as such (24, 26).
    assert (theirs.owner, theirs.state, theirs.told, theirs.told_at) == ("n-2", State.DOUBT, "unknown", at)
    assert [step.what for step in await journal.story(m.key)] == [Event.TAKEN]
    assert await journal.take(m, "n-1", at, at + HOUR) is None


async def test_a_credit_that_is_taken_over_is_owed(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, win("w-1", lease=-HOUR))
    taken = await journal.take(m, "n-2", now(), now() + HOUR)
    assert taken is not None
    assert taken.state is State.OWED


async def test_what_is_decided_is_nobodys(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, bet("b-1"))
    decided = await journal.decide(m, YES, now(), heard=True)
    found = await journal.take(m, "n-2", now(), now() + HOUR)
    assert found is not None
    assert (found.outcome, found.owner, found.due_at) == (YES, "", None)
    assert found == decided


async def test_who_lost_a_lease_changes_nothing_of_the_next_one(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, bet("b-1", lease=-HOUR))
    await journal.take(m, "n-2", now(), now() + HOUR)
    left = await journal.leave_open(m, State.DOUBT, "late", now(), now())
    assert (left.owner, left.note) == ("n-2", "")
    await journal.watch(m, now() - HOUR)
    assert await journal.due(now(), 10) == []
    late = await journal.decide(m, YES, now(), heard=False)  # a late answer counts (28)
    assert late.state is State.ACCEPTED


async def test_due_comes_in_order_and_in_bounds(home: Home) -> None:
    journal = await home.journal()
    at = now()
    for number, minutes in enumerate((3, 1, 2, -5)):
        m = await opened(journal, bet(f"b-{number}"))
        await journal.leave_open(m, State.DOUBT, "", at, at - timedelta(minutes=minutes))
    due = await journal.due(at, 2)
    assert [m.tx.id for m in due] == ["b-0", "b-2"]
    assert [m.tx.id for m in await journal.due(at, 10)] == ["b-0", "b-2", "b-1"]


# ---------------------------------------------------------------- attempts and decisions


async def test_attempts_are_counted(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, bet("b-1"))
    m = await journal.ask(m, now())
    assert m.attempts == 2
    await same(journal, m)
    m = await journal.not_left(m)
    m = await journal.not_left(m)
    assert (m.attempts, m.asked_at) == (0, None)
    await same(journal, m)
    await same(journal, await journal.not_left(m))
    m = await journal.never_applied(await journal.ask(m, now()))
    assert m.attempts == 0
    await same(journal, m)


async def test_the_first_decision_stands(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, bet("b-1"))
    first = await journal.decide(m, YES, now(), heard=True)
    assert (first.state, first.told) == (State.ACCEPTED, "accepted")
    await same(journal, first)
    second = await journal.decide(m, NO, now(), heard=True)
    assert steady(second) == steady(first)
    assert steady(await journal.leave_open(m, State.DOUBT, "", now(), now())) == steady(first)
    assert steady(await journal.ask(m, now())) == steady(first)


async def test_a_decision_that_nobody_heard_is_looked_at_until_it_is_told(home: Home) -> None:
    journal = await home.journal()
    debit, credit = await opened(journal, bet("b-1")), await opened(journal, win("w-1"))
    at = now()
    m = await journal.decide(debit, YES, at, heard=False)
    await journal.decide(credit, YES, at, heard=False)
    assert [found.key for found in await journal.due(now(), 10)] == [debit.key]
    assert (m.told, m.due_at) == ("", at)
    await journal.tell(m, "accepted", at)
    assert await journal.due(now(), 10) == []


async def test_an_edge_that_is_none_is_refused(home: Home) -> None:
    journal = await home.journal()
    m = await opened(journal, win("w-1"))
    await journal.leave_open(m, State.OWED, "", None, now())
    with pytest.raises(IllegalEdge):
        await journal.leave_open(replace(m, owner=""), State.DOUBT, "", None, now())


async def test_what_its_provider_heard_last_is_its_last_word(home: Home) -> None:
    journal = await home.journal()
    m = await journal.decide(await opened(journal, bet("b-1")), YES, now(), heard=True)
    at = now()
    await journal.unheard(m.key, at, counted=True, steps=[Step(at, Event.TOLD, "unknown")])
    found = await journal.get(m.key)
    assert found is not None
    assert (found.told, found.told_at, found.due_at) == ("unknown", at, at)
    await journal.tell(found, "accepted", at, steps=[Step(at, Event.TOLD, "accepted")])
    found = await journal.get(m.key)
    assert found is not None
    assert (found.told, found.due_at) == ("accepted", None)


# ---------------------------------------------------------------- stories


async def test_a_story_is_written_with_what_it_tells(home: Home) -> None:
    journal = await home.journal()
    m, at = await opened(journal, bet("b-1")), now()
    asked = [Step(at, Event.ASKED, "attempt 2")]
    m = await journal.ask(m, at, steps=asked)
    m = await journal.decide(m, YES, at, heard=True, steps=[Step(at, Event.ANSWERED, "x" * 2000)])
    await journal.leave_open(m, State.DOUBT, "", at, at, steps=[Step(at, Event.LOOKED), Step(at, Event.SILENT)])
    await journal.note(m.key, [Step(at, Event.REPEATED), Step(at, Event.REPEATED)])
    told = [step.what for step in await journal.story(m.key)]
    # Of a movement that was decided meanwhile only what the wallet did is told.
    assert told == [Event.ASKED, Event.ANSWERED, Event.SILENT, Event.REPEATED, Event.REPEATED]
    assert len((await journal.story(m.key))[1].detail) == 1000


async def test_a_long_story_keeps_its_beginning_its_end_and_what_a_person_did(home: Home) -> None:
    journal = await home.journal()
    m, at = await opened(journal, bet("b-1")), now()
    await journal.note(m.key, [Step(at, Event.LOOKED, str(number)) for number in range(120)])
    await journal.note(m.key, [Step(at, Event.RETRY, "by anna")])
    await journal.note(m.key, [Step(at, Event.LOOKED, str(number)) for number in range(121, 300)])
    details = [step.detail for step in await journal.story(m.key)]
    assert details == [*map(str, range(100)), "by anna", *map(str, range(200, 300))]


# ---------------------------------------------------------------- lists, counts, sessions


async def test_counts_and_listings(home: Home) -> None:
    journal = await home.journal()
    m, at = {}, now()
    for name, made in (
        ("b", bet("b-1")),
        ("c", bet("c-1", player="bob")),
        ("w", win("w-1", wallet="two", round=None)),
        ("d", bet("d")),
    ):
        m[name] = await opened(journal, made)
    await journal.leave_open(m["b"], State.DOUBT, "", at, at)
    await journal.leave_open(m["w"], State.PERSON, "why", at, None)
    await journal.decide(m["d"], YES, at, heard=True)
    counted = {(c.wallet, c.kind, c.state): (c.number, c.oldest) for c in await journal.counts()}
    assert counted == {
        ("main", "debit", State.DOUBT): (1, m["b"].created_at),
        ("two", "credit", State.PERSON): (1, m["w"].created_at),
    }
    assert await journal.unresolved_by_wallet() == {"main": 2, "two": 1}

    async def listed(**said: object) -> list[str]:
        return [found.tx.id for found in await journal.listed(Listing(**said))]  # type: ignore[arg-type]  # as the cases say

    assert await listed() == ["d", "w-1", "c-1", "b-1"]
    assert await listed(limit=2) == ["d", "w-1"]
    assert await listed(states=(State.DOUBT, State.PERSON)) == ["w-1", "b-1"]
    assert await listed(player="bob", provider="acme") == ["c-1"]
    assert await listed(provider="other") == []
    assert await listed(before=m["w"].created_at) == ["c-1", "b-1"]


async def test_finding_by_id_kind_and_parent(home: Home) -> None:
    journal = await home.journal()
    whole = await opened(journal, win("x"))
    await opened(journal, bet("x", key="part", parent=whole.key))
    assert await journal.find("acme", [Kind.DEBIT], "x") is None
    found = await journal.find("acme", [Kind.DEBIT, Kind.CREDIT], "x")
    assert found is not None
    assert found.key == whole.key
    assert [m.key for m in await journal.children(whole.key)] == ["part"]
    last = await journal.latest("acme", "anna")
    assert last is not None
    assert last.key == "part"
    assert await journal.latest("acme", "nobody") is None


async def test_sessions(home: Home) -> None:
    journal = await home.journal()
    at = now()
    first = Session(provider="acme", session="s-1", player="anna", currency="EUR", game="g-1", seen_at=at)
    await journal.learn(first)
    assert await journal.session("acme", "s-1") == first
    assert await journal.session("other", "s-1") is None
    more = Session(
        provider="acme",
        session="s-1",
        player="anna",
        wallet="w",
        launch_token="lt",
        expires_at=at + HOUR,
        seen_at=at + HOUR,
    )
    await journal.learn(more)
    assert await journal.session("acme", "s-1") == replace(more, currency="EUR", game="g-1")
    await journal.learn(replace(first, session="s-2", game="g-2", seen_at=at + 2 * HOUR))
    for game, expected in (("g-1", "s-1"), ("g-2", "s-2"), ("", "s-2")):
        found = await journal.last_session("acme", "anna", game)
        assert found is not None
        assert found.session == expected
    found = await journal.session_by_launch("acme", "lt")
    assert found is not None
    assert found.session == "s-1"


# ---------------------------------------------------------------- the process ends


async def test_what_a_process_had_open_is_doubt_told(home: Home) -> None:
    journal = await home.journal()
    m, credit = await opened(journal, bet("b-1", lease=-HOUR)), await opened(journal, win("w-1", lease=-HOUR))
    done = await journal.decide(await opened(journal, bet("b-2")), YES, now(), heard=True)
    journal = await home.again(journal)
    due = {found.key: found for found in await journal.due(now(), 10)}
    assert {key: (found.state, found.told, found.owner) for key, found in due.items()} == {
        m.key: (State.DOUBT, "unknown", ""),
        credit.key: (State.OWED, "unknown", ""),
    }
    assert [step.what for step in await journal.story(m.key)] == [Event.DIED]
    await same(journal, done)


async def test_everything_is_there_after_a_restart(home: Home) -> None:
    journal = await home.journal()
    m = await journal.decide(await opened(journal, bet("b-1")), Accepted(wallet_id="w"), now(), heard=True)
    session = Session(provider="acme", session="s", player="p", seen_at=now())
    await journal.learn(session)
    journal = await home.again(journal)
    await same(journal, m)
    assert await journal.session("acme", "s") == session
    assert journal.writable()
