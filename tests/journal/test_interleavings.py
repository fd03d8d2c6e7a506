"""What two nodes open or change at the same moment is decided by the database, in every interleaving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.engine.journal import Intent, Movement, Opened
from gateway.journal import opening, rows
from gateway.journal.change import Ask, Change, write
from gateway.journal.kept import KeptJournal
from gateway.model import Round
from tests.journal.homes import HOUR, YES, PostgresHome, bet, cancel, cancel_intent, debit_intent, now, win, win_intent
from tests.journal.paced import both, orders

Pair = Callable[[str], tuple[Intent, Intent]]


def opens(intent: Intent) -> Change[Opened]:
    return opening.change(intent, lambda m: rows.insert_values(m, lasts=True))


def _bet_and_cancel(r: str) -> tuple[Intent, Intent]:
    return debit_intent(bet("b", round=Round(r), player=r)), cancel_intent(cancel("b", round=Round(r), player=r))


def _bet_and_refund(r: str) -> tuple[Intent, Intent]:
    refund = cancel("", "refund", scope="round", round=Round(r), player=r)
    return debit_intent(bet("b", round=Round(r), player=r)), cancel_intent(refund, by_round=True)


def _bet_and_lone_cancel(r: str) -> tuple[Intent, Intent]:
    unknown = cancel("unknown", round=Round(r), player=r)
    return debit_intent(bet("b", round=Round(r), player=r)), cancel_intent(unknown, lone_bet=True)


def _two_cancels(r: str) -> tuple[Intent, Intent]:
    return cancel_intent(cancel("known", "c-1", player="", round=None)), cancel_intent(
        cancel("known", "c-2", player="", round=None)
    )


def _own_and_theirs(r: str) -> tuple[Intent, Intent]:
    own = cancel("known", "gw:known", round=None, player="")
    theirs = cancel("known", "c-1", player="", round=None)
    return cancel_intent(own, targets=(), target=f"{r}/debit/known", alone=True), cancel_intent(theirs)


def _own_and_lone_cancel(r: str) -> tuple[Intent, Intent]:
    own = cancel("known", "gw:known", round=None, player="")
    theirs = cancel("another", "c-1", round=Round("r-1"))
    return cancel_intent(own, targets=(), target=f"{r}/debit/known", alone=True), cancel_intent(theirs, lone_bet=True)


def _two_partial(r: str) -> tuple[Intent, Intent]:
    some: dict[str, Any] = {"claim": False, "several": True}
    return (
        cancel_intent(cancel("known", "c-1", amount=Decimal(5)), **some),
        cancel_intent(cancel("known", "c-2", amount=Decimal(3)), **some),
    )


def _twice(r: str) -> tuple[Intent, Intent]:
    return debit_intent(bet("b", node="n-1")), debit_intent(bet("b", node="n-2"))


def _bet_and_win(r: str) -> tuple[Intent, Intent]:
    return debit_intent(bet("b", round=Round(r), wallet="one")), win_intent(win("w", round=Round(r), wallet="two"))


PAIRS: dict[str, Pair] = {
    "a bet and its cancel": _bet_and_cancel,
    "a bet and the refund of its round": _bet_and_refund,
    "a bet and a cancel that means the only one": _bet_and_lone_cancel,
    "two cancels of one bet": _two_cancels,
    "the gateway's own rollback and a cancel": _own_and_theirs,
    "the gateway's own rollback and a cancel by round": _own_and_lone_cancel,
    "two partial rollbacks": _two_partial,
    "the same id twice": _twice,
    "a bet and a win of its round": _bet_and_win,
}


def of(provider: str, intent: Intent) -> Intent:
    """The same at another provider: a world of its own in one database."""
    m = intent.movement
    return replace(intent, movement=replace(m, provider=provider, key=f"{provider}/{m.kind.value}/{m.tx.id}"))


def seen(found: Opened, provider: str) -> tuple[Any, ...]:
    """What a decision could depend on."""

    def name(m: Movement | None) -> str:
        return m.key.removeprefix(provider) if m is not None else ""

    m, target = found.movement, found.target
    around = sorted(name(other) for other in found.round)
    claimed = target.undone_by.removeprefix(provider) if target is not None else ""
    return (
        name(m), m.owner, m.state, m.wallet, found.fresh, name(target), claimed, around,
        found.tombstone.removeprefix(provider), found.undone,
    )  # fmt: skip


async def _fresh(journal: KeptJournal, provider: str, pair: Pair) -> tuple[Intent, Intent]:
    await journal.open(of(provider, debit_intent(bet("known", wallet="w"))))
    first, second = pair(provider)
    return of(provider, first), of(provider, second)


@pytest.mark.parametrize("name", PAIRS)
async def test_two_that_open_at_once_come_one_after_the_other(nodes: PostgresHome, name: str) -> None:
    journal, pair, serial = await nodes.journal(), PAIRS[name], []
    for number, turned in enumerate((False, True)):
        provider = f"serial-{number}"
        intents = list(await _fresh(journal, provider, pair))
        found = [await journal.open(intent) for intent in (reversed(intents) if turned else intents)]
        serial.append(tuple(seen(f, provider) for f in (reversed(found) if turned else found)))
    assert serial[0] != serial[1], "this pair shows nothing"
    met = set()
    for number, order in enumerate(orders()):
        provider = f"p-{number}"
        first, second = await _fresh(journal, provider, pair)
        found = await both(nodes.url, opens(first), opens(second), order)
        together = tuple(seen(f, provider) for f in found)
        assert together in serial, order
        met.add(serial.index(together))
    assert met == {0, 1}  # both nodes were the first one somewhere


# ---------------------------------------------------------------- leases and decisions


async def _changes(nodes: PostgresHome, m: Movement, *queries: Ask) -> list[tuple[bool, bool]]:
    """Whether each of two changes of one row took effect, in every interleaving."""
    journal, effects = await nodes.journal(), []
    for number, order in enumerate(orders(1)):
        key = f"{m.key}-{number}"
        await journal.open(debit_intent(replace(m, key=key, tx=replace(m.tx, id=key))))
        asks = [Ask(ask.query, tuple(key if value == m.key else value for value in ask.values)) for ask in queries]
        found = await both(nodes.url, *(write(ask, key=key) for ask in asks), order)
        effects.append((bool(found[0][0]), bool(found[1][0])))
    return effects


def _take(m: Movement, node: str) -> Ask:
    lease = HOUR // rows.MICROSECOND
    return Ask("take", (node, node, node, 0, node, lease, m.key, node))


async def test_a_lease_that_is_over_is_taken_by_one(nodes: PostgresHome) -> None:
    m = bet("b-1", lease=-timedelta(seconds=1))
    for first, second in await _changes(nodes, m, _take(m, "n-2"), _take(m, "n-3")):
        assert first != second


async def test_one_decision_of_two_stands(nodes: PostgresHome) -> None:
    m, at = bet("b-1"), rows.micros(now())
    yes = Ask("decide", ("accepted", rows.text(YES), at, 1, True, 1, at, 1, "accepted", 1, at, 1, m.key))
    no = Ask("decide", ("declined", rows.text(YES), at, 1, False, 1, at, 1, "declined", 1, at, 1, m.key))
    for first, second in await _changes(nodes, m, yes, no):
        assert first != second


async def test_what_was_taken_over_is_not_left_open_by_who_lost_it(nodes: PostgresHome) -> None:
    m, at = bet("b-1", lease=-timedelta(seconds=1)), rows.micros(now())
    leave = Ask("leave_open", ("doubt", "", at, 0, True, True, at, m.key, "doubt", m.owner))
    for taken, _ in await _changes(nodes, m, _take(m, "n-2"), leave):
        assert taken  # after the other has let go, or because its lease is over
    journal = await nodes.journal()
    for number in range(2):
        found = await journal.get(f"{m.key}-{number}")
        assert found is not None
        assert found.owner == "n-2"
