"""Bugs that somebody could write into the engine, each planted by a patch: the simulation must find them.

Each makes one function of the real engine forget one thing. What the patch replaces is put back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from gateway.engine import asking, judge, movements, plan, recovery, rollbacks
from gateway.engine.asking import Asker, Result
from gateway.engine.errand import Errand
from gateway.engine.movements import Movements
from gateway.engine.rollbacks import Rollbacks
from gateway.engine.states import State
from gateway.journal.sqlite import SqliteJournal
from gateway.model import Accepted, Declined, Kind, Reason, Unknown

Patch = Callable[[Any], Any]
"""The real thing -> the one with the bug."""


def check_then_act(real: Any) -> Any:
    """Whoever finds the intent of another process carries it as if it had opened it."""

    async def open(self: Any, intent: Any) -> Any:
        opened = await real(self, intent)
        return replace(opened, fresh=True) if opened.movement.state is State.ASKING else opened

    return open


def no_tombstone(real: Any) -> Any:
    """The late bet is not refused although its cancel came first."""
    return lambda self, ticket: replace(real(self, ticket), buried_by=())


def doubt_is_a_no(real: Any) -> Any:
    """What nobody knows is told as a refusal."""

    async def carry(self: Any, ticket: Any) -> Any:
        outcome = await real(self, ticket)
        if isinstance(outcome, Unknown) and ticket.done.tx.kind is Kind.DEBIT:
            return Declined(reason=Reason.PLAYER_BLOCKED, message="it did not work")
        return outcome

    return carry


def lease_for_ever(real: Any) -> Any:
    """What a dead process carried is never taken over."""

    async def take(self: Any, movement: Any, owner: str, at: Any, until: Any) -> Any:
        found = await self.get(movement.key)
        if found is not None and found.owner not in ("", owner):
            return None
        return await real(self, movement, owner, at, until)

    return take


def never_is_asked_again(real: Any) -> Any:
    """`never` is read as `safe`: bytes that left are sent once more."""
    return lambda movement, wallet: "safe" if real(movement, wallet) == "never" else real(movement, wallet)


def query_is_asked_again(real: Any) -> Any:
    """`query` is read as `safe`: nobody asks what became of the first attempt."""
    return lambda movement, wallet: "safe" if real(movement, wallet) == "query" else real(movement, wallet)


def second_no_is_a_no(real: Any) -> Any:
    """A no to the second attempt is taken as a no to the first."""
    return lambda movement, *given, **more: real(replace(movement, attempts=1), *given, **more)


def late_answer_dropped(real: Any) -> Any:
    """What a wallet says after its provider has gone is thrown away."""

    async def judged(self: Any, job: Any, movement: Any, outcome: Any, *rest: Any, **more: Any) -> Any:
        if job.errand.open or job.errand.settling:
            return await real(self, job, movement, outcome, *rest, **more)
        return Result(None, outcome=outcome)

    return judged


def not_found_is_final(real: Any) -> Any:
    """A wallet's `transaction_not_found` is believed at once, whatever is still on its way."""
    return lambda wallet, target, now: True


def nothing_in_flight(real: Any) -> Any:
    """Nothing is thought to be queued on its way to a wallet, ever."""
    return lambda movement, wallet, now: True


def rollback_at_once(real: Any) -> Any:
    """A cancel is sent while its bet is in doubt, and what it hears is believed."""

    async def undoable(self: Any, ticket: Any, way: Any, movement: Any, target: Any) -> Any:
        return replace(target, asked_at=None)

    return undoable


def own_rollback_again(real: Any) -> Any:
    """The gateway's own rollback does not look for another one, and has a new id each time."""

    async def roll_back(self: Any, setup: Any, provider: Any, bet: Any) -> None:
        before = vars(recovery)["OWN_ROLLBACK"]
        vars(recovery)["OWN_ROLLBACK"] = f"gw:{bet.tries}:"
        try:
            await real(self, setup, provider, bet)
        finally:
            vars(recovery)["OWN_ROLLBACK"] = before

    return roll_back


def no_claim(real: Any) -> Any:
    """A rollback does not take its target for itself."""
    return lambda self, ticket: replace(real(self, ticket), claim=False, alone=False)


def win_declined_for_good(real: Any) -> Any:
    """A wallet that does not find a player for a minute loses the win for ever."""

    def judged(movement: Any, wallet: Any, outcome: Any, now: Any, **more: Any) -> Any:
        if movement.kind is Kind.CREDIT and isinstance(outcome, Declined):
            return outcome
        return real(movement, wallet, outcome, now, **more)

    return judged


def replay_asks_again(real: Any) -> Any:
    """A decided bet that is repeated is put to its wallet once more."""

    async def repeat(self: Any, ticket: Any, opened: Any) -> Any:
        answer = await real(self, ticket, opened)
        if isinstance(answer, Accepted) and ticket.way is not None and ticket.done.tx.kind is Kind.DEBIT:
            job = await self.job(ticket, ticket.way, opened.movement, None, ticket.done.tx.act.amount)
            request, tx = await self.asker.request(job, opened.movement)
            await self.asker.exchange(ticket.errand, ticket.way, request, tx, "EUR")
        return answer

    return repeat


def settler_asks_debits(real: Any) -> Any:
    """A debit in doubt is asked again although nobody waits for it."""

    async def step(self: Any, job: Any, movement: Any) -> str:
        found: str = await real(self, job, movement)
        patient = movement.kind is Kind.DEBIT and job.errand.settling and found in ("wait", "query")
        return "ask" if patient and judge.again(movement, job.way.wallet) == "safe" else found

    return step


def win_before_its_bet(real: Any) -> Any:
    """A win is sent while the bet it names is in doubt."""

    async def settled(self: Any, ticket: Any, opened: Any) -> bool:
        return True

    return settled


def doubt_forgotten(real: Any) -> Any:
    """An answer that nobody read counts as heard: the clock of `after_doubt` never runs."""

    async def unheard(self: Any, *given: Any, **more: Any) -> None:
        return None

    return unheard


def repeat_not_counted(real: Any) -> Any:
    """A decision heard by a repeat is not counted: the first call's lost answer gives the bet back."""

    async def hears(self: Any, ticket: Any, outcome: Any) -> Any:
        return outcome

    return hears


def one_id_for_all(real: Any) -> Any:
    """Two providers' ids meet in one wallet."""
    return lambda dialect, as_is, provider, space, id: id if as_is or not id else f"{space}:{id}"


def answer_before_it_is_durable(real: Any) -> Any:
    """The provider is answered, and the decision is written down a moment later."""

    async def decide(self: Any, errand: Any, movement: Any, decision: Any, steps: Any = ()) -> Any:
        async def later() -> None:
            await self.world.sleep(0.5)
            await real(self, errand, movement, decision, steps)

        self.world.spawn(later())
        state = State.ACCEPTED if isinstance(decision, Accepted) else State.DECLINED
        return replace(movement, state=state, outcome=decision)

    return decide


def forgotten_is_never_applied(real: Any) -> Any:
    """A wallet that has forgotten a bet, as it says it does, is believed that there was none."""
    return lambda wallet, target, now: real(wallet, None if target is None or target.state.decided else target, now)


def doubt_then_heard(real: Any) -> Any:
    """A call that was told doubt tells the journal that it heard the decision."""

    async def tell(self: Any, errand: Any, movement: Any, word: str) -> None:
        errand.counted.add(movement.key)
        await self.world.journal.tell(movement, word, self.world.clock())

    return tell


def second_attempt_uncounts(real: Any) -> Any:
    """Of two attempts of one call, the one that came second takes back what the first was counted for."""

    def decided(self: Any, key: str, *, ours: bool) -> None:
        real(self, key, ours=ours)
        if not ours:
            self.counted.discard(key)

    return decided


BUGS: Mapping[str, tuple[tuple[Any, str, Patch], ...]] = {
    "check_then_act": ((SqliteJournal, "open", check_then_act),),
    "no_tombstone": ((Movements, "_intent", no_tombstone),),
    "doubt_is_a_no": ((Movements, "carry", doubt_is_a_no),),
    "lease_for_ever": ((SqliteJournal, "take", lease_for_ever),),
    "never_is_asked_again": ((asking, "again", never_is_asked_again),),
    "query_is_asked_again": ((asking, "again", query_is_asked_again),),
    "second_no_is_a_no": ((asking, "judge", second_no_is_a_no),),
    "late_answer_dropped": ((Asker, "_judged", late_answer_dropped),),
    "nothing_in_flight": (
        (judge, "settled_in_flight", nothing_in_flight),
        (rollbacks, "settled_in_flight", nothing_in_flight),
    ),
    "not_found_is_final": ((judge, "_never_applied", not_found_is_final), (Rollbacks, "undoable", rollback_at_once)),
    "own_rollback_again": ((recovery.Settler, "_roll_back", own_rollback_again), (Movements, "_intent", no_claim)),
    "win_declined_for_good": ((asking, "judge", win_declined_for_good),),
    "replay_asks_again": ((Movements, "_repeat", replay_asks_again),),
    "settler_asks_debits": ((Asker, "_step", settler_asks_debits),),
    "win_before_its_bet": ((movements, "bets_settled", win_before_its_bet),),
    "doubt_forgotten": ((Movements, "unheard", doubt_forgotten),),
    "repeat_not_counted": ((Movements, "_hears", repeat_not_counted),),
    "forgotten_is_never_applied": ((judge, "_never_applied", forgotten_is_never_applied),),
    "doubt_then_heard": ((Movements, "_tell", doubt_then_heard),),
    "second_attempt_uncounts": ((Errand, "decided", second_attempt_uncounts),),
    "one_id_for_all": ((plan, "alias", one_id_for_all),),
    "answer_before_it_is_durable": ((Asker, "decide", answer_before_it_is_durable),),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    kept: list[tuple[Any, str, Any]] = []
    for where, what, patch in BUGS[name]:
        real = getattr(where, what)
        kept.append((where, what, inspect.getattr_static(where, what)))
        bad = patch(real)
        setattr(where, what, staticmethod(bad) if isinstance(kept[-1][2], staticmethod) else bad)
    try:
        yield
    finally:
        for where, what, real in reversed(kept):
            setattr(where, what, real)
