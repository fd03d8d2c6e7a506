"""What two nodes open or decide at the same moment is decided by the database, in every interleaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Ask, Change, Look, Put, Steps, Write
from gateway.engine.movement import Movement, decided
from gateway.engine.states import State
from gateway.journal.kept import KeptJournal
from gateway.model import Declined, Reason, Round
from tests.journal.homes import HOUR, YES, Home, PostgresHome, bet, cancel, found, now, opened, win, writing, wrote
from tests.journal.paced import OPENING, WRITING, orders, two_nodes

NO = Declined(reason=Reason.INSUFFICIENT_FUNDS)
Seen = list[str]


def opening(m: Movement) -> Change[Seen]:
    """As the engine opens: it names what it is called, what it names and its round, looks for what
    concerns it, and raises the revision of what it found. Its answer: what it saw of others."""
    tx, here = m.tx, (m.provider, m.tx.player, m.tx.round_id)
    names = tuple(f"{m.provider} {name}" for name in (tx.id, m.reference, f"{tx.player} {tx.round_id}") if name)
    asks = (
        Ask("own", (m.key,)),
        Ask("found", (m.provider, m.reference)),
        Ask("naming", (m.provider, tx.id)),
        Ask("naming", (m.provider, m.reference)),
        Ask("naming_wins", (m.provider, tx.id, tx.player)),
        Ask("naming_wins", (m.provider, m.reference, tx.player)),
        Ask("round_bets", (*here, 3)),
        Ask("standing_round_win", here),
        Ask("round_refunds", here),
        Ask("round_undoing", (*here, m.key)),
    )

    def steps(again: bool) -> Steps[Seen]:
        yield Look((Ask("session", (m.provider, tx.session)),))
        answers = yield Look(asks, names=names)
        (own,) = answers[0] or (None,)
        if own is not None:
            return [own.key]
        around = {each.key: each for answer in answers for each in answer}
        held = yield Write(insert=(m,), touched=tuple(each for each in around.values() if not each.decided))
        return sorted(around) if held else ["stale"]

    return Change(steps=steps, key=m.key)


def _bet_and_cancel(r: str) -> tuple[Movement, Movement]:
    return bet("b", round=Round(r)), cancel("b", round=None, player="")


def _bet_and_refund(r: str) -> tuple[Movement, Movement]:
    return bet("b", round=Round(r)), cancel("", "refund", scope="round", round=Round(r))


def _two_cancels(r: str) -> tuple[Movement, Movement]:
    return cancel("b", "c-1", round=None), cancel("b", "c-2", round=None)


def _bet_and_its_win(r: str) -> tuple[Movement, Movement]:
    return bet("b", round=Round(r)), win("w", of="b", round=None)


def _bet_and_win_of_its_round(r: str) -> tuple[Movement, Movement]:
    return bet("b", round=Round(r)), win("w", round=Round(r))


def _cancel_and_win(r: str) -> tuple[Movement, Movement]:
    return cancel("b", round=None), win("w", of="b", round=None)


def _twice(r: str) -> tuple[Movement, Movement]:
    return bet("b", node="n-1"), bet("b", node="n-2")


PAIRS: dict[str, Callable[[str], tuple[Movement, Movement]]] = {
    "a bet and its cancel": _bet_and_cancel,
    "a bet and the refund of its round": _bet_and_refund,
    "two cancels of one bet": _two_cancels,
    "a bet and its win": _bet_and_its_win,
    "a bet and a win of its round": _bet_and_win_of_its_round,
    "a cancel and a win of one bet": _cancel_and_win,
    "the same id twice": _twice,
}


def of(provider: str, m: Movement) -> Movement:
    """The same at another provider: a world of its own in one database."""
    return replace(m, provider=provider, key=f"{provider}/{m.kind.value}/{m.tx.id}")


@pytest.mark.parametrize("name", PAIRS)
async def test_of_two_that_open_at_once_the_second_sees_the_first(nodes: PostgresHome, name: str) -> None:
    """A bet that misses its tombstone takes a stake that its provider has given back already."""
    journal, firsts = await nodes.journal(), set()
    async with two_nodes(nodes.url, OPENING) as both:
        for number, order in enumerate(orders(3)):
            pair = [of(f"p-{number}", m) for m in PAIRS[name](f"r-{number}")]
            seen = await both(opening(pair[0]), opening(pair[1]), order)
            first = seen.index([])
            assert list(seen[1 - first]) == [pair[first].key], (order, seen)
            firsts.add(first)
            m = await found(journal, pair[first].key)
            assert m.revision == (pair[0].key != pair[1].key)  # who came later says so
    assert firsts == {0, 1}  # both nodes were the first one somewhere


# ---------------------------------------------------------------- decisions


Pair = Callable[[Movement, Movement], tuple[Write, Write]]


def _yes(m: Movement) -> Put:
    return Put(m, decided(m, YES, now()))


def _no(m: Movement) -> Put:
    return Put(m, decided(m, NO, now()))


RIVALS: dict[str, Pair] = {
    "two decisions of one bet": lambda m, other: (Write(puts=(_yes(m),)), Write(puts=(_no(m),))),
    "a decision and one that has more to write": lambda m, other: (
        Write(puts=(_yes(m),)),
        Write(puts=(_no(m), _no(other))),
    ),
    "a decision that leans on a bet, and that bet's": lambda m, other: (
        Write(puts=(_yes(other),), leaned=(m,)),
        Write(puts=(_no(m),), leaned=(other,)),
    ),
    "two that lean on what the other one writes": lambda m, other: (
        Write(puts=(_yes(m),), leaned=(other,)),
        Write(puts=(_yes(other),), leaned=(m,)),
    ),
    "a cancel that comes, and the decision of its bet": lambda m, other: (
        Write(insert=(cancel("b", "c", key=f"{m.key}-c"),), touched=(m,)),
        Write(puts=(_yes(m),)),
    ),
    "rows in the other order": lambda m, other: (
        Write(puts=(_yes(m), _yes(other))),
        Write(puts=(_no(other), _no(m))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIVALS)
async def test_of_two_rivals_one_holds(nodes: PostgresHome, name: str) -> None:
    """A win paid beside the cancel of its bet: each was right about what it had read, not together."""
    journal, held = await nodes.journal(), set()
    async with two_nodes(nodes.url, WRITING) as both:
        for number, order in enumerate(orders(2)):
            rows = [await opened(journal, bet(f"b-{number}-{each}")) for each in "xy"]
            writes = RIVALS[name](*rows)
            keys = [write.puts[0].before.key if write.puts else rows[0].key for write in writes]
            first, second = map(writing, writes, keys)
            answers = await both(first, second, order)
            assert sorted(answers) == [False, True], (order, answers)
            held.add(answers.index(True))
            kept = writes[answers.index(True)]
            for put in kept.puts:
                assert (await found(journal, put.before.key)).outcome == put.after.outcome
            for key in {row.key for row in rows} - {put.before.key for put in kept.puts}:
                assert (await found(journal, key)).state is State.ASKING
    assert held == {0, 1}


# ---------------------------------------------------------------- many at once


async def test_many_that_share_a_transaction_see_each_other(home: Home) -> None:
    """Calls of one round come side by side: in one group of one node they must not miss each other."""
    journal = await home.journal()
    if isinstance(home, PostgresHome):
        journals: list[KeptJournal] = [journal, await home.journal()]
    else:
        journals = [journal]

    def counting(m: Movement) -> Change[int]:
        def steps(again: bool) -> Steps[int]:
            (around,) = yield Look((Ask("round_bets", ("acme", "anna", "r-1", 100)),), names=("anna r-1",))
            held = yield Write(insert=(m,), touched=tuple(around[-1:]))
            assert held
            return len(around)

        return Change(steps=steps, key=m.key)

    work = [journals[n % len(journals)].make(counting(bet(f"b-{n}"))) for n in range(24)]
    assert sorted(await asyncio.gather(*work)) == list(range(24))


async def test_rivals_that_share_a_transaction(home: Home) -> None:
    """The same for decisions: of all that lean on one bet, one writes it."""
    journal = await home.journal()
    m, other = await opened(journal, bet("b-1")), await opened(journal, bet("b-2"))
    rivals = [
        Write(puts=(_yes(m),)), Write(puts=(_no(m),)), Write(puts=(_yes(m),), leaned=(other,)),
        Write(insert=(win("w-1"),), touched=(m, other)), Write(puts=(_no(other), _no(m))), Write(touched=(m,)),
    ]  # fmt: skip
    answers: list[Any] = await asyncio.gather(*(journal.make(writing(write, key=m.key)) for write in rivals))
    assert sorted(answers) == [False] * 5 + [True]
    assert (await found(journal, m.key)).revision == 1


async def test_nodes_share_what_is_due(nodes: PostgresHome) -> None:
    """Three nodes settle side by side: what two of them carried would be asked twice."""
    journals = [await nodes.journal() for _ in range(3)]
    due = tuple(replace(win(f"w-{n}"), owner="", state=State.OWED, due_at=now()) for n in range(60))
    assert await wrote(journals[0], insert=due)
    work = [journals[n % 3].take_due(now(), f"n-{n}", HOUR, {"*": 5}) for n in range(24)]
    taken = [m.key for found in await asyncio.gather(*work) for m in found]
    assert len(taken) == len(set(taken)) == 60
