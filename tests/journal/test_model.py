"""Both databases do what a plain list does, whatever is asked of them in whatever order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test
from msgspec.structs import replace

from gateway.engine.journal import Event, Intent, Listing, Movement, Opened, Step
from gateway.engine.states import EDGES, State
from gateway.journal.kept import KeptJournal
from gateway.journal.postgres import PostgresJournal
from gateway.journal.sqlite import SqliteJournal
from gateway.model import Accepted, Declined, Reason, Round
from tests.journal.homes import HOUR, bet, cancel, cancel_intent, debit_intent, now, win, win_intent
from tests.journal.model import Model
from tests.postgres import Server

T = TypeVar("T")
IDS = st.sampled_from(["1", "2", "3"])
ROUNDS = st.sampled_from([None, Round("r-1"), Round("r-2")])
PLAYERS = st.sampled_from(["anna", "bob", ""])
OWNERS = st.sampled_from(["n-1", "n-2"])
LEASES = st.sampled_from([-HOUR, HOUR])
DUES = st.sampled_from([None, -HOUR, HOUR])
OUTCOMES = st.sampled_from(
    [
        Accepted(balance=Decimal(5), currency="EUR"),
        Accepted(moved=Decimal(2)),
        Declined(reason=Reason.TRANSACTION_NOT_FOUND),
        Declined(reason=Reason.ALREADY_SETTLED),
        Declined(reason=Reason.INSUFFICIENT_FUNDS),
    ]
)
_examples = itertools.count(1)


class Journals(RuleBasedStateMachine):
    """One call at a time, to the model and to both journals; the rows are compared after each."""

    keys = Bundle("keys")

    def __init__(self, runner: asyncio.Runner, journals: list[KeptJournal]) -> None:
        super().__init__()
        self.runner, self.journals, self.model = runner, journals, Model()
        self.provider = f"provider-{next(_examples)}"
        self.over: dict[str, bool] = {}

    # -- opening

    def _named(self, m: Movement) -> Movement:
        return replace(m, provider=self.provider, key=f"{self.provider}/{m.kind.value}/{m.tx.id}")

    def _open(self, intent: Intent, lease: timedelta) -> str:
        key = intent.movement.key
        known = key in self.model.rows
        expected = self.model.open(intent)
        for found in self._all(lambda journal: journal.open(intent)):
            assert seen(found) == seen(expected)
        if not known and key in self.model.rows:
            self.over[key] = lease < timedelta(0)
        self._compare()
        return key if key in self.model.rows else expected.movement.key

    @rule(
        target=keys,
        id=IDS,
        round=ROUNDS,
        player=PLAYERS,
        node=OWNERS,
        lease=LEASES,
        wallet=st.sampled_from(["w", "v", ""]),
    )
    def bet(self, id: str, round: Round | None, player: str, node: str, lease: timedelta, wallet: str) -> str:
        m = bet(id, round=round, player=player, node=node, lease=lease, wallet=wallet, route=f"to-{wallet}")
        return self._open(debit_intent(self._named(m)), lease)

    @rule(target=keys, id=IDS, round=ROUNDS, player=PLAYERS, node=OWNERS, lease=LEASES)
    def win(self, id: str, round: Round | None, player: str, node: str, lease: timedelta) -> str:
        return self._open(win_intent(self._named(win(id, round=round, player=player, node=node, lease=lease))), lease)

    @rule(
        target=keys, of=IDS, id=st.sampled_from(["c-1", "c-2"]), round=ROUNDS, player=PLAYERS, lease=LEASES,
        lone=st.booleans(), several=st.booleans(), amount=st.sampled_from([None, Decimal(3)]),
    )  # fmt: skip
    def cancel(
        self,
        of: str,
        id: str,
        round: Round | None,
        player: str,
        lease: timedelta,
        lone: bool,
        several: bool,
        amount: Any,
    ) -> str:
        m = self._named(cancel(of, id, round=round, player=player, lease=lease, amount=amount))
        intent = cancel_intent(m, lone_bet=lone, several=several, claim=not several or amount is None)
        return self._open(intent, lease)

    @rule(target=keys, id=st.sampled_from(["f-1", "f-2"]), round=ROUNDS, player=PLAYERS, lease=LEASES)
    def refund(self, id: str, round: Round | None, player: str, lease: timedelta) -> str:
        m = self._named(cancel("", id, scope="round", round=round, player=player, lease=lease))
        return self._open(cancel_intent(m, by_round=True), lease)

    @rule(target=keys, of=IDS, lease=LEASES)
    def own_rollback(self, of: str, lease: timedelta) -> str:
        m = self._named(cancel(of, f"gw:{of}", round=None, player="", lease=lease))
        target = f"{self.provider}/debit/{of}"
        return self._open(cancel_intent(m, targets=(), target=target, alone=True), lease)

    # -- changes

    @rule(key=keys, node=OWNERS, lease=LEASES)
    def take(self, key: str, node: str, lease: timedelta) -> None:
        at, m = now(), self.model.rows[key]
        expected = self.model.take(key, node, at, at + lease, over=self.over[key])
        for found in self._all(lambda journal: journal.take(m, node, at, at + lease)):
            assert (found is None) == (expected is None)
        if expected is not None and not expected.state.decided:
            self.over[key] = lease < timedelta(0)
        self._compare()

    @rule(key=keys, steps=st.booleans())
    def ask(self, key: str, steps: bool) -> None:
        at, m = now(), self.model.rows[key]
        self.model.ask(key, at)
        lines = [Step(at, Event.ASKED)] if steps else []
        self._all(lambda journal: journal.ask(m, at, steps=lines))
        self._compare()

    @rule(key=keys)
    def not_left(self, key: str) -> None:
        m = self.model.rows[key]
        self.model.not_left(key)
        self._all(lambda journal: journal.not_left(m))
        self._compare()

    @rule(key=keys)
    def never_applied(self, key: str) -> None:
        m = self.model.rows[key]
        self.model.never_applied(key)
        self._all(lambda journal: journal.never_applied(m))
        self._compare()

    @rule(key=keys, outcome=OUTCOMES, heard=st.booleans(), steps=st.booleans())
    def decide(self, key: str, outcome: Accepted | Declined, heard: bool, steps: bool) -> None:
        at, m = now(), self.model.rows[key]
        self.model.decide(key, outcome, at, heard=heard)
        lines = [Step(at, Event.ANSWERED)] if steps else []
        self._all(lambda journal: journal.decide(m, outcome, at, heard=heard, steps=lines))
        self._compare()

    @rule(key=keys, person=st.booleans(), told=st.booleans(), due=DUES, owner=OWNERS)
    def leave_open(self, key: str, person: bool, told: bool, due: timedelta | None, owner: str) -> None:
        at, m = now(), replace(self.model.rows[key], owner=owner)
        state = State.PERSON if person else m.open_state
        if not m.state.decided and state not in EDGES[m.state]:
            return
        given = (state, "why", at if told else None, None if due is None else at + due)
        self.model.leave_open(key, *given, owner=owner)
        self._all(lambda journal: journal.leave_open(m, *given))
        self._compare()

    @rule(key=keys, due=DUES, owner=OWNERS)
    def watch(self, key: str, due: timedelta | None, owner: str) -> None:
        m, at = replace(self.model.rows[key], owner=owner), None if due is None else now() + due
        before = self.model.rows[key]
        self.model.watch(key, at, owner=owner)
        if before.owner == owner and due is not None:
            self.over[key] = due < timedelta(0)
        elif before.owner == owner:
            self.over[key] = False
        self._all(lambda journal: journal.watch(m, at))
        self._compare()

    @rule(key=keys)
    def tell(self, key: str) -> None:
        at, m = now(), self.model.rows[key]
        self.model.tell(key, m.state.value, at)
        self._all(lambda journal: journal.tell(m, m.state.value, at))
        self._compare()

    @rule(key=keys, counted=st.booleans())
    def unheard(self, key: str, counted: bool) -> None:
        at = now()
        self.model.unheard(key, at, counted=counted)
        self._all(lambda journal: journal.unheard(key, at, counted=counted))
        self._compare()

    @rule(key=keys)
    def release(self, key: str) -> None:
        self.model.release(key)
        self._all(lambda journal: journal.release_target(key, now()))
        self._compare()

    # -- comparing

    def _all(self, call: Callable[[KeptJournal], Awaitable[T]]) -> list[T]:
        async def together() -> list[T]:
            return list(await asyncio.gather(*(call(journal) for journal in self.journals)))

        return self.runner.run(together())

    def _compare(self) -> None:
        expected = [steady(m) for m in self.model.rows.values()]
        listing = Listing(provider=self.provider, limit=1000)
        for found in self._all(lambda journal: journal.listed(listing)):
            assert [steady(m) for m in reversed(found)] == expected

    def teardown(self) -> None:
        """What is open is counted and due in the same way."""
        due = {
            key for key, m in self.model.rows.items()
            if m.due_at is not None and (self.over.get(key, False) if m.owner else m.due_at <= now())
        }  # fmt: skip
        for journal, found in zip(self.journals, self._all(lambda journal: journal.due(now(), 100_000)), strict=True):
            assert {m.key for m in found if m.provider == self.provider} == due, journal


def steady(m: Movement) -> Movement:
    """Without the end of a lease, which PostgreSQL counts by its own clock."""
    return replace(m, due_at=None) if m.owner else m


def seen(found: Opened) -> Any:
    target = steady(found.target) if found.target is not None else None
    return replace(found, movement=steady(found.movement), target=target, round=tuple(map(steady, found.round)))


def test_both_databases_do_what_a_plain_list_does(tmp_path: Path, postgres: Server) -> None:
    async def started() -> list[KeptJournal]:
        url = postgres.create("model")
        return [
            await SqliteJournal.start(str(tmp_path / "model.db"), datetime.now().astimezone()),
            await PostgresJournal.start(url),
        ]

    with asyncio.Runner() as runner:
        journals = runner.run(started())
        try:
            run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis does not say
                lambda: Journals(runner, journals),
                settings=settings(
                    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            for journal in journals:
                runner.run(journal.close())
