"""What every journal does, on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Ask, Change, Doubt, Look, Looks, Put, Steps, Write
from gateway.engine.movement import Event, Fact, Listing, Session, Step, begun, decided, left, unheard
from gateway.engine.setup import Unresolved
from gateway.engine.states import IllegalEdge, State
from gateway.model import Declined, Kind, Reason, Round, Settle
from tests.journal.homes import HOUR, YES, Home, bet, cancel, found, looked, movement, now, opened, steady, win, wrote

NO = Declined(reason=Reason.INSUFFICIENT_FUNDS)
SHORT, SLACK = timedelta(seconds=10), timedelta(seconds=5)


def line(what: Event, detail: str = "") -> Step:
    return Step(now(), what, detail)


# ---------------------------------------------------------------- a write holds, or nothing of it does


async def test_a_movement_is_there_as_it_was_written(home: Home) -> None:
    """A provider's id may hold anything that its wire can say; a repeat must find it all the same."""
    journal = await home.journal()
    m = bet("b/1 ä\x00\ufffe", player="ann\x00a", session="", batch="batch\x00", key="acme/debit/b%2F1")
    m = replace(
        m,
        place="native http://w",
        forgot_at=now(),
        forgot_since=now(),
        fact=Fact(outcome=YES, began=now(), query=True),
        ours=True,
    )
    assert steady(await opened(journal, m)) == steady(m)
    assert await journal.get("acme/debit/none") is None


async def test_every_column_that_may_change_changes(home: Home) -> None:
    """What the engine forgot to write would be lost in a restart."""
    journal, at = await home.journal(), now()
    before = await opened(journal, bet("b-1"))
    after = replace(
        before, wallet="other", place="p", route="r", alias="a", state=State.PERSON, attempts=7, asked_at=at, forgot_at=at,
        fact=Fact(outcome=NO, began=at), target="t", undone_by="u", outcome=None, told="unknown", told_at=at, heard="x -y",
        note="n", owner="", due_at=at + HOUR, tries=3,
    )  # fmt: skip
    assert await wrote(journal, Put(before, after))
    last = await found(journal, before.key)
    assert replace(last, lease_over=None) == replace(after, lease_over=None, revision=1)
    over = replace(last, state=State.DECLINED, outcome=NO, decided_at=at, fact=None, due_at=None)
    assert await wrote(journal, Put(last, over))
    assert replace(await found(journal, before.key), lease_over=None) == replace(over, revision=2, lease_over=None)


async def test_what_was_read_before_somebody_else_wrote_is_stale(home: Home) -> None:
    """Two nodes decide one bet: the second one must look again, whatever it wants to write."""
    journal = await home.journal()
    before = await opened(journal, bet("b-1"))
    yes, no = decided(before, YES, now(), "call-1"), decided(before, NO, now(), "call-2")
    assert await wrote(journal, Put(before, yes))
    assert not await wrote(journal, Put(before, no))
    assert steady(await found(journal, before.key)) == steady(replace(yes, revision=1))


@pytest.mark.parametrize("how", ["put", "touched", "leaned"])
@pytest.mark.parametrize("gone", [False, True])
async def test_all_or_nothing(home: Home, how: str, gone: bool) -> None:
    """A win is paid for a bet that was read as accepted: not if its cancel has come since."""
    journal = await home.journal()
    first, other = await opened(journal, bet("b-1")), await opened(journal, bet("b-2"))
    stale = replace(other, key="acme/debit/gone") if gone else other
    if not gone:
        assert await wrote(journal, touched=(other,))
    puts = [Put(first, decided(first, YES, now()))] + ([Put(stale, decided(stale, YES, now()))] if how == "put" else [])
    lines = ((first.key, line(Event.DECIDED)),)
    more = {how: (stale,)} if how != "put" else {}
    assert not await wrote(journal, *puts, insert=(win("w-1"),), steps=lines, **more)
    assert steady(await found(journal, first.key)) == steady(first)
    assert await journal.get("acme/credit/w-1") is None
    assert await journal.story(first.key) == []
    more = {name: (await found(journal, other.key),) for name in more}
    assert await wrote(journal, puts[0], insert=(win("w-1"),), steps=lines, **more)
    assert (await found(journal, first.key)).state is State.ACCEPTED
    assert await journal.get("acme/credit/w-1") is not None
    assert await journal.story(first.key) == [lines[0][1]]


async def test_who_touches_is_noticed_and_who_leans_is_not(home: Home) -> None:
    """A cancel that comes makes a decision about its bet stale; two wins that look at one bet do not."""
    journal = await home.journal()
    read = await opened(journal, bet("b-1"))
    assert await wrote(journal, insert=(win("w-1"),), leaned=(read,))
    assert await wrote(journal, insert=(win("w-2"),), leaned=(read,))
    assert await wrote(journal, insert=(cancel("b-1"),), touched=(read,))
    assert not await wrote(journal, insert=(win("w-3"),), leaned=(read,))
    assert (await found(journal, read.key)).revision == 1
    last = await found(journal, read.key)
    assert await wrote(journal, Put(last, decided(last, YES, now())), touched=(last,))
    assert (await found(journal, read.key)).revision == 2  # put and touched: raised once


async def test_an_edge_that_is_none_is_loud_and_writes_nothing(home: Home) -> None:
    """A credit that was owed and is in doubt from then on would never be paid."""
    journal = await home.journal()
    first, other = await opened(journal, win("w-1")), await opened(journal, bet("b-1"))
    await wrote(journal, Put(first, left(first, State.OWED, "", None)))
    owed = await found(journal, first.key)
    wrong = Put(owed, left(owed, State.DOUBT, "", None))
    with pytest.raises(IllegalEdge):
        await wrote(journal, Put(other, decided(other, YES, now())), wrong)
    assert steady(await found(journal, other.key)) == steady(other)
    await wrote(journal, Put(other, decided(other, YES, now(), "call")))
    over = await found(journal, other.key)
    for change in (decided(over, NO, now()), decided(over, YES, now() + HOUR), left(over, State.DOUBT, "", None)):
        with pytest.raises(IllegalEdge):  # the first decision stands
            await wrote(journal, Put(over, change))
    assert await wrote(journal, Put(over, unheard(over, "call", now())))  # what its provider heard may still change
    assert (await found(journal, other.key)).told == "unknown"


async def test_a_change_looks_writes_and_is_answered(home: Home) -> None:
    """An open looks for what concerns it and writes in one transaction: nothing comes between."""
    journal = await home.journal()

    def opening(again: bool) -> Steps[tuple[bool, int]]:
        assert not again
        first = yield Look(())
        (own, beside) = yield Look(
            (Ask("own", ("acme/debit/b-1",)), Ask("latest", ("acme", "anna", ""))), names=("x", "y")
        )
        assert (first, own) == ([], [])
        held = yield Write(insert=(bet("b-1"),), lasts=HOUR)
        return held, len(beside)

    assert await journal.make(Change(steps=opening, key="acme/debit/b-1")) == (True, 0)
    m = await found(journal, "acme/debit/b-1")
    assert m.due_at is not None
    assert abs(m.due_at - now() - HOUR) < timedelta(minutes=1)

    def only_looks() -> Looks[list[str]]:
        (own,) = yield Look((Ask("own", (m.key,)),), names=("x",))
        (same, latest) = yield Look((Ask("found", ("acme", own[0].tx.id)), Ask("latest", ("acme", "anna", ""))))
        return [each.key for each in (*own, *same, *latest)]

    assert await journal.look(only_looks()) == [m.key] * 3


async def test_what_a_change_raises_is_its_own(home: Home) -> None:
    """A bug in one call must not read as a lost database, nor take a neighbour's bet with it."""
    journal = await home.journal()

    def wrong(again: bool) -> Steps[None]:
        yield Look((Ask("latest", ("acme", "anna", "")),))
        raise ZeroDivisionError

    def goes_on(again: bool) -> Steps[None]:
        yield Write(insert=(bet("b-2"),))
        yield Look(())

    with pytest.raises(ZeroDivisionError):
        await journal.make(Change(steps=wrong))
    with pytest.raises(AssertionError):
        await journal.make(Change(steps=goes_on))
    await opened(journal, bet("b-1"))
    assert journal.writable()


# ---------------------------------------------------------------- the looks


async def test_looks_by_what_is_named(home: Home) -> None:
    """A tombstone, a second cancel, a win that names its bet: each is found by what it names, once."""
    journal = await home.journal()
    first = await opened(journal, bet("b-1"))
    for m in (
        cancel("b-1", "c-1", target=first.key), cancel("b-1", "c-2"), cancel("b-1", "gw:b-1", ours=True),
        cancel("b-1", "part", parent="acme/rollback/c-1"), cancel("b-1", "other", provider="other"),
        win("w-1", of="b-1"), win("bob", of="b-1", player="bob"), win("part", of="b-1", parent=first.key, batch="k"), bet("b-2", batch="k"),
    ):  # fmt: skip
        await opened(journal, m)

    async def ids(query: str, *values: object) -> list[str]:
        return [m.tx.id for m in await looked(journal, query, *values)]

    assert await ids("naming", "acme", "b-1") == ["c-1", "c-2"]
    assert await ids("naming_wins", "acme", "b-1", "anna") == ["w-1"]
    assert await ids("naming_wins", "acme", "b-1", "bob") == ["bob"]
    assert await ids("found", "acme", "gw:b-1") == await ids("found", "acme", "part") == []
    assert await ids("found", "acme", "c-2") == ["c-2"]
    assert await ids("aimed", first.key) == [m.tx.id for m in await journal.aimed_at(first.key)] == ["c-1"]
    assert await ids("parts", first.key) == [m.tx.id for m in await journal.children(first.key)] == ["part"]
    assert await ids("batch", "k") == ["part", "b-2"]
    assert await ids("naming", "acme", "") == await ids("naming_wins", "acme", "", "anna") == []
    assert await ids("aimed", "") == await ids("parts", "") == await ids("batch", "") == []
    gone = await found(journal, "acme/credit/w-1")
    await wrote(journal, Put(gone, decided(gone, NO, now())))
    assert await ids("naming_wins", "acme", "b-1", "anna") == []


async def test_looks_into_a_round(home: Home) -> None:
    """A round's refund needs its bets, a win the place where they went: never all that was played."""
    journal = await home.journal()
    declined, undone = bet("b-1", wallet=""), bet("b-2")
    b3, b4, leaving = bet("b-3", wallet="w"), bet("b-4"), bet("b-5")
    settle = Settle(debit=Decimal(1), credit=Decimal(2))
    for m in (
        declined, undone, b3, b4, leaving, bet("part", parent="acme/settle/s-1"), bet("else", round=Round("r-2")),
        bet("bob", player="bob"), win("w-1", of="b-3"), win("w-2", batch="k"), win("w-3"), movement(settle, "s-1"),
        cancel("", "refund", scope="round"), cancel("", "aimed", scope="round", target="acme/debit/b-2", parent="acme/rollback/own"),
    ):  # fmt: skip
        await opened(journal, m)
    gone = replace(decided(undone, YES, now()), undone_by="acme/rollback/c")
    for m, over in (
        (declined, decided(declined, NO, now())),
        (undone, gone),
        (leaving, replace(leaving, undone_by="x")),
    ):
        await wrote(journal, Put(await found(journal, m.key), over))
    here = ("acme", "anna", "r-1")

    async def ids(query: str, *values: object) -> list[str]:
        return [m.tx.id for m in await looked(journal, query, *values)]

    assert await ids("round_place", *here) == ["b-2"]
    assert await ids("round_bets", *here, 5) == ["b-3", "b-4", "b-5"]
    assert await ids("round_bets", *here, 1) == ["b-3"]
    assert await ids("standing_round_win", *here) == ["w-1"]
    assert await ids("standing_round_win", "acme", "bob", "r-1") == []
    assert await ids("round_loose_win", *here) == ["w-3"]
    assert await ids("round_last", *here, "") == ["s-1"]
    assert await ids("round_last", "acme", "anna", "r-2", "") == ["else"]
    settled = await found(journal, "acme/settle/s-1")
    for undoer, last in (("acme/rollback/aimed", "s-1"), ("acme/debit/b-1", "w-3")):
        await wrote(journal, Put(settled, replace(settled, undone_by=undoer)))
        assert await ids("round_last", *here, "") == [last]
        settled = await found(journal, "acme/settle/s-1")
    await wrote(journal, Put(settled, replace(settled, undone_by="")))
    won = await found(journal, "acme/credit/w-1")
    for undoer, first in (("acme/rollback/aimed", "w-1"), ("acme/debit/b-1", "w-2")):  # likewise
        await wrote(journal, Put(won, replace(won, undone_by=undoer)))
        assert await ids("standing_round_win", *here) == [first]
        won = await found(journal, "acme/credit/w-1")
    await wrote(journal, Put(won, replace(won, undone_by="")))
    for win_id, query, values in (
        ("w-1", "standing_win", ("acme", "b-3", "anna")),
        ("w-3", "standing_loose_win", here),
    ):
        taken = await found(journal, f"acme/credit/{win_id}")
        for undoer, rest in (("acme/rollback/aimed", [win_id]), ("acme/debit/b-1", [])):
            await wrote(journal, Put(taken, replace(taken, undone_by=undoer)))
            assert await ids(query, *values) == rest
            taken = await found(journal, taken.key)
        await wrote(journal, Put(taken, replace(taken, undone_by="")))
    assert await ids("round_refunds", *here) == ["refund"]
    assert await ids("round_undoing", *here, "acme/rollback/refund") == ["aimed"]
    assert await ids("round_undoing", *here, "acme/rollback/own") == []
    asked_once = decided(await found(journal, "acme/rollback/refund"), NO, now())
    await wrote(journal, Put(await found(journal, asked_once.key), asked_once))
    assert await ids("round_rollbacks", "main", "anna", "r-1") == ["aimed"]
    asked_once = await found(journal, asked_once.key)
    await wrote(journal, Put(asked_once, replace(asked_once, attempts=2)))
    assert await ids("round_rollbacks", "main", "anna", "r-1") == ["refund", "aimed"]
    for other in (("w", "anna", "r-1"), ("main", "bob", "r-1"), ("main", "anna", "r-2"), ("main", "anna", "")):
        assert await ids("round_rollbacks", *other) == []
    for query in ("round_place", "standing_round_win", "round_loose_win", "round_refunds"):
        assert await ids(query, "acme", "anna", "") == []  # without a round there is nothing to tie to
    assert await ids("latest", "acme", "anna", "") == ["aimed"]
    assert await ids("latest", "acme", "nobody", "") == []
    assert await ids("latest", "acme", "anna", "acme/credit/w-1") == ["else"]  # before it, and bob's is another's
    assert await ids("latest", "acme", "anna", "acme/credit/none") == ["aimed"]
    assert len(await ids("other_of", "acme", "anna", "acme/debit/none")) == 1
    assert await ids("other_of", "acme", "nobody", "acme/debit/none") == []
    assert await ids("other_of", "other", "anna", "acme/debit/none") == []


async def test_sessions(home: Home) -> None:
    """What the operator handed over stays, also where the provider says less of it later."""
    journal, at = await home.journal(), now()
    first = Session(provider="acme", session="s-1", player="anna", currency="EUR", game="g-1", seen_at=at)
    await journal.learn(first)
    assert await journal.session("acme", "s-1") == first
    assert await journal.session("other", "s-1") is None
    more = Session(
        provider="acme", session="s-1", player="anna", wallet="w", launch_token="lt", expires_at=at + HOUR,
        seen_at=at + HOUR,
    )  # fmt: skip
    await journal.learn(more)
    both = replace(more, currency="EUR", game="g-1")
    assert await looked(journal, "session", "acme", "s-1") == [both]
    await journal.learn(replace(first, session="s-2", game="g-2", seen_at=at + 2 * HOUR))
    await journal.learn(replace(first, session="s-3", game="g-2", seen_at=at - HOUR))
    for game, expected in (("g-1", "s-1"), ("g-2", "s-2"), ("", "s-2")):
        last = await journal.last_session("acme", "anna", game)
        assert [last] == await looked(journal, "last_session", "acme", "anna", game)
        assert last is not None
        assert last.session == expected
    assert await journal.last_session("acme", "bob") is None
    assert await looked(journal, "session_by_launch", "acme", "lt") == [both]
    assert await looked(journal, "session_by_launch", "acme", "") == []


async def test_rule_22_a_token_that_is_handed_over_to_another_player_keeps_nothing_of_the_first(home: Home) -> None:
    """The second player's bets were told to the wallet with the first one's session, in the first one's currency; by what
    a wallet says nothing is forgotten: it may only write the name otherwise."""
    journal, at = await home.journal(), now()
    first = Session(
        provider="acme", session="s-1", player="anna", currency="SEK", game="g-1", brand="b", wallet="w",
        wallet_session="ws", launch_token="lt", expires_at=at + HOUR, seen_at=at, country="SE",
    )  # fmt: skip
    await journal.learn(first, handed_over=True)
    said = Session(provider="acme", session="s-1", player="ANNA", seen_at=at + HOUR)
    await journal.learn(said)
    assert await journal.session("acme", "s-1") == replace(first, player="ANNA", seen_at=at + HOUR)
    second = replace(said, player="bob")
    await journal.learn(second, handed_over=True)
    assert await journal.session("acme", "s-1") == second
    again = replace(second, currency="EUR", wallet_session="bobs")
    await journal.learn(again, handed_over=True)
    await journal.learn(second, handed_over=True)  # once more, and it says less
    assert await journal.session("acme", "s-1") == again
    other = replace(first, provider="other", player="eve")
    await journal.learn(other, handed_over=True)
    assert await journal.session("acme", "s-1") == again


async def test_doubts_are_kept(home: Home) -> None:
    """An operator who restored a backup says so once, for every node and every restart."""
    journal, at = await home.journal(), now()
    words = [Doubt(since=at - HOUR, said_at=at + each * HOUR) for each in range(2)]
    for word in words:
        await journal.doubt(word, "restored", "anna")
    journal = await home.again(journal)
    assert await journal.doubts() == await looked(journal, "doubts") == words[::-1]


async def test_what_is_open_may_have_been_asked_when_a_person_doubts_the_journal(home: Home) -> None:
    """The copy knows how often it had asked by then, and not how often after: once more, until the word (rule 30)."""
    journal, at = await home.journal(), now()
    unsent, asked, over, nowhere = bet("b-1"), bet("b-2"), bet("b-3"), bet("b-4", wallet="")
    for m in (replace(unsent, attempts=0), replace(asked, attempts=2, asked_at=at - HOUR), over, nowhere):
        await opened(journal, m)
    await wrote(journal, Put(await found(journal, over.key), decided(over, NO, at)))
    for word in (at + HOUR, at + 2 * HOUR):
        await journal.doubt(Doubt(since=at, said_at=word), "restored", "anna")
        for m, attempts in ((unsent, 1), (asked, 3)):
            row = await found(journal, m.key)
            assert (row.attempts, row.asked_at, row.forgot_at) == (attempts, word, word)
        for m in (over, nowhere):
            assert (await found(journal, m.key)).forgot_at is None


# ---------------------------------------------------------------- what is due


async def test_what_is_due_is_taken_once(home: Home) -> None:
    """Two nodes that settle side by side must not carry one bet both."""
    journal, at = await home.journal(), now()
    for number, minutes in enumerate((3, 1, 2, -5)):
        m = await opened(journal, bet(f"b-{number}"))
        await wrote(journal, Put(m, left(m, State.DOUBT, "", at - timedelta(minutes=minutes))))
    assert [m.tx.id for m in await journal.take_due(at, "n-2", HOUR, {"main": 2})] == ["b-0", "b-2"]
    taken = await journal.take_due(at, "n-3", HOUR, {"main": 2})
    assert [(m.tx.id, m.owner, m.revision) for m in taken] == [("b-1", "n-3", 2)]
    assert steady(taken[0]) == steady(await found(journal, taken[0].key))
    assert taken[0].due_at is not None
    assert abs(taken[0].due_at - at - HOUR) < timedelta(minutes=1)
    assert await journal.take_due(at, "n-2", HOUR, {"main": 9}) == []


async def test_every_wallet_has_its_share(home: Home) -> None:
    """A wallet that is down for hours owes thousands; the others' credits must not wait behind them."""
    journal, at = await home.journal(), now()
    for number, wallet in enumerate(["down"] * 6 + ["well", "", "removed", "old"]):
        await opened(journal, replace(win(f"w-{number}", wallet=wallet), due_at=at - HOUR + timedelta(seconds=number)))
    taken = await journal.take_due(at, "n-2", HOUR, {"down": 2, "well": 2, "*": 2})
    assert [m.wallet for m in taken] == ["down", "down", "well", "", "removed"]
    assert [m.wallet for m in await journal.take_due(at, "n-2", HOUR, {"down": 9, "*": 0})] == ["down"] * 4
    assert [m.wallet for m in await journal.take_due(at, "n-2", HOUR, {"*": 9})] == ["old"]


async def test_what_another_process_was_asking_is_doubt(home: Home) -> None:
    """It was silent for longer than its lease: whether its request left, nobody knows (rules 24, 26)."""
    journal, at = await home.journal(), now()
    for m in (bet("b-1", lease=-HOUR), win("w-1", lease=-HOUR), bet("mine", node="n-2", lease=-HOUR), bet("held")):
        await opened(journal, m)
    taken = {m.tx.id: m for m in await journal.take_due(at, "n-2", HOUR, {"main": 9})}
    states = {id: (m.state, m.told, m.told_at, m.owner) for id, m in taken.items()}
    assert states == {
        "b-1": (State.DOUBT, "unknown", at, "n-2"),
        "w-1": (State.OWED, "unknown", at, "n-2"),
        "mine": (State.ASKING, "", None, "n-2"),
    }
    told = [[step.what for step in await journal.story(m.key)] for m in taken.values()]
    assert sorted(told) == [[], [Event.DIED], [Event.DIED]]


async def test_what_is_watched_stays_nobodys(home: Home) -> None:
    """An accepted bet that its provider did not hear of is looked at; nobody carries it meanwhile."""
    journal, at = await home.journal(), now()
    m = await opened(journal, bet("b-1"))
    watched = unheard(decided(m, YES, at, "call"), "call", at)
    await wrote(journal, Put(m, watched))
    person = await opened(journal, bet("b-2"))
    await wrote(journal, Put(person, left(person, State.PERSON, "why", at - HOUR)))
    taken = {each.tx.id: each for each in await journal.take_due(at, "n-2", HOUR, {"main": 9})}
    assert (taken["b-1"].owner, taken["b-1"].outcome, taken["b-1"].told) == ("", YES, "unknown")
    assert (taken["b-2"].owner, taken["b-2"].state) == ("n-2", State.PERSON)
    assert await journal.take_due(at, "n-3", HOUR, {"main": 9}) == []


async def test_a_clock_that_stepped_makes_every_look_due(home: Home) -> None:
    """An NTP step back would else let owed credits wait for as long as it stepped."""
    journal, at = await home.journal(), now()
    later, carried = await opened(journal, bet("b-1")), await opened(journal, bet("b-2"))
    await wrote(journal, Put(later, left(later, State.DOUBT, "", at + HOUR)))
    assert await journal.take_due(at, "n-2", HOUR, {"*": 9}) == []
    await journal.hasten(at)
    assert [m.key for m in await journal.take_due(now(), "n-2", HOUR, {"*": 9})] == [later.key]
    assert (await found(journal, carried.key)).owner == carried.owner


async def test_looks_that_nobody_puts_off_so_long_are_due_when_a_process_begins(home: Home) -> None:
    """Its clock was set back while no process lived: an owed credit would else wait for as long as it was set back. What
    is looked at soon keeps its turn."""
    journal, at = await home.journal(), now()
    lost, soon = await opened(journal, bet("b-1")), await opened(journal, bet("b-2"))
    await wrote(journal, Put(lost, left(lost, State.DOUBT, "", at + HOUR)))
    await wrote(journal, Put(soon, left(soon, State.DOUBT, "", at + timedelta(seconds=60))))
    await journal.catch_up(at, timedelta(seconds=120), timedelta(seconds=30))
    assert [m.key for m in await journal.take_due(now(), "n-2", HOUR, {"*": 9})] == [lost.key]


async def test_a_lease_that_lasts_longer_than_any_ends_when_a_process_begins(home: Home) -> None:
    """Its node stood still when the clock was set back, and died since: what it carried would wait for hours. A lease that may
    be one keeps its end."""
    journal, at = await home.journal(), now()
    stale, held = await opened(journal, bet("b-1", lease=HOUR)), await opened(journal, bet("b-2", lease=SHORT))
    leases = timedelta(seconds=30)
    await journal.catch_up(at, timedelta(seconds=120), leases)
    ends = {m.key: m.due_at for m in await journal.listed(Listing()) if m.due_at is not None}
    assert SHORT - SLACK < ends[held.key] - at < SHORT + SLACK
    assert leases - SLACK < ends[stale.key] - at < leases + SLACK
    assert await journal.take_due(now(), "n-2", HOUR, {"*": 9}) == []


# ---------------------------------------------------------------- stories


async def test_a_story_belongs_to_its_movement(home: Home) -> None:
    """What support reads: each line once, in order, of a bounded length."""
    journal = await home.journal()
    m = await opened(journal, bet("b-1"), steps=(("acme/debit/b-1", line(Event.RECEIVED)),))
    await wrote(
        journal, Put(m, begun(m, now(), "n-1", first=False)), steps=((m.key, line(Event.ANSWERED, "x" * 2000)),)
    )
    await journal.note(m.key, [line(Event.REPEATED), line(Event.REPEATED)])
    told = await journal.story(m.key)
    assert [step.what for step in told] == [Event.RECEIVED, Event.ANSWERED, Event.REPEATED, Event.REPEATED]
    assert len(told[1].detail) == 1000
    assert (await found(journal, m.key)).revision == 1  # a line changes nothing that a decision leans on


async def test_a_long_story_keeps_its_beginning_its_end_and_what_a_person_did(home: Home) -> None:
    """A wallet that is down for days must not fill the disk with looks, nor hide who resolved what."""
    journal = await home.journal()
    m = await opened(journal, bet("b-1"))
    await journal.note(m.key, [line(Event.LOOKED, str(number)) for number in range(120)])
    await journal.note(m.key, [line(Event.RETRY, "by anna")])
    await journal.note(m.key, [line(Event.LOOKED, str(number)) for number in range(121, 300)])
    details = [step.detail for step in await journal.story(m.key)]
    assert details == [*map(str, range(100)), "by anna", *map(str, range(200, 300))]


# ---------------------------------------------------------------- lists and counts


async def test_counts_and_listings(home: Home) -> None:
    """An operator sees everything that is not at its end, and nothing twice."""
    journal, at = await home.journal(), now()
    made = [bet("b-1"), bet("c-1", player="bob"), win("w-1", wallet="two", round=None), bet("d"), bet("watched")]
    m = {each.tx.id: await opened(journal, replace(each, place="p")) for each in made}
    await opened(journal, bet("part", parent=m["w-1"].key, player="bob"))
    await wrote(journal, Put(m["b-1"], left(m["b-1"], State.DOUBT, "", at)))
    await wrote(journal, Put(m["w-1"], left(m["w-1"], State.PERSON, "why", None)))
    await wrote(journal, Put(m["d"], decided(m["d"], YES, at, "call")))
    await wrote(journal, Put(m["watched"], unheard(decided(m["watched"], YES, at, "call"), "call", at)))
    counted = {(c.wallet, c.kind, c.state): c.number for c in await journal.counts() if c.kind != "debit"}
    assert counted == {("two", "credit", State.PERSON): 1}
    bets = [c for c in await journal.counts() if c.kind == "debit"]
    assert {(c.wallet, c.state) for c in bets} == {("main", State.DOUBT)}
    assert sum(c.number for c in bets) == 2
    assert await journal.unresolved() == [
        Unresolved("acme", "main", "", 1), Unresolved("acme", "main", "p", 3), Unresolved("acme", "two", "p", 1),
    ]  # fmt: skip

    async def listed(**said: object) -> list[str]:
        return [each.tx.id for each in await journal.listed(Listing(**said))]  # type: ignore[arg-type]  # as the cases say

    assert await listed() == ["part", "watched", "d", "w-1", "c-1", "b-1"]
    assert await listed(limit=2) == ["part", "watched"]
    assert await listed(states=(State.DOUBT, State.PERSON)) == ["w-1", "b-1"]
    assert await listed(player="bob", provider="acme") == ["part", "c-1"]
    assert await listed(provider="other") == []
    assert await listed(before=m["w-1"].created_at) == ["c-1", "b-1"]


async def test_finding_by_id_and_kind(home: Home) -> None:
    """A status call names a movement by the provider's own id: never a part of another one, nor ours."""
    journal = await home.journal()
    whole = await opened(journal, win("x"))
    await opened(journal, bet("x", key="part", parent=whole.key))
    await opened(journal, cancel("x", "x", key="ours", ours=True))
    assert await journal.find("acme", [Kind.DEBIT, Kind.ROLLBACK], "x") is None
    m = await journal.find("acme", [Kind.DEBIT, Kind.CREDIT], "x")
    assert m is not None
    assert m.key == whole.key
    last = await journal.latest("acme", "anna")
    assert last is not None
    assert last.key == "ours"


# ---------------------------------------------------------------- the process ends


async def test_what_a_process_had_open_is_doubt_told(home: Home) -> None:
    """A crash between intent and outcome: its provider may hear anything, so it is told doubt."""
    journal = await home.journal()
    m, credit = await opened(journal, bet("b-1", lease=-HOUR)), await opened(journal, win("w-1", lease=-HOUR))
    done = await opened(journal, bet("b-2"))
    await wrote(journal, Put(done, decided(done, YES, now(), "call")))
    done = await found(journal, done.key)
    journal = await home.again(journal)
    taken = {each.key: each for each in await journal.take_due(now(), "n-2", HOUR, {"*": 9})}
    assert {key: (each.state, each.told) for key, each in taken.items()} == {
        m.key: (State.DOUBT, "unknown"),
        credit.key: (State.OWED, "unknown"),
    }
    assert [step.what for step in await journal.story(m.key)] == [Event.DIED]
    assert await found(journal, done.key) == done
    assert journal.writable()
