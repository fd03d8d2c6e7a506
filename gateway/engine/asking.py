"""One movement to its wallet: attempts, queries, and what their answers decide.

Each attempt is work of its own: it goes on to `give_up_after` when its provider is answered, and
its late answer is journalled and counts (SEMANTICS.md 28).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.errand import Errand
from gateway.engine.identity import own_id
from gateway.engine.journal import Event, JournalLost, Movement, Step, taken_back
from gateway.engine.judge import OUR_FAULT, again, judge, judge_query, never_applied_by_query, remembered
from gateway.engine.plan import Known, Way, encode, for_wallet, gains, heard
from gateway.engine.story import said
from gateway.engine.world import Handle, Silence, World
from gateway.http import Request
from gateway.model import Accepted, Declined, Outcome, Reason, Refused, Status, Transaction, Unknown

FIRST_PAUSE_SECONDS = 0.05  # between attempts that came back in doubt, doubled each time
BALANCES_MAX = 100_000  # remembered by one process
LOST_SECONDS = 3.0  # until what the journal lost is said again: a transaction that was cut off has ended by then
SEND_LEAST_SECONDS = 0.05  # less time than this is not worth an attempt
UNSENT_GRACE = timedelta(seconds=5)  # for its provider's repeat, before a debit that never left us is declined


class Job(Struct, frozen=True, kw_only=True):
    """A movement, where it goes, and for whom."""

    errand: Errand
    way: Way
    target: Movement | None = None
    left: Decimal | None = None  # of the target, for a rollback that does not say how much
    session: str = ""
    refusable: bool = False  # a settle's win may be declined for good (18)
    won: bool = False  # a win came that ties to this debit: it is completed although nobody waits (9)


class Result(Struct, frozen=True):
    """What one attempt or query came to. `movement` is decided, or None."""

    movement: Movement | None
    left: bool = True
    outcome: Outcome = Unknown()
    never_applied: bool = False
    hopeless: bool = False


class Exchange(Struct, frozen=True):
    """What one request to a wallet came to."""

    outcome: Outcome
    left: bool = True  # a byte of it may have left
    silence: str = ""  # what came instead of an answer
    hopeless: bool = False  # it is not asked just now: trying again at once is no use

    def told(self) -> tuple[Event, str]:
        """For the story of its movement."""
        if not self.silence:
            return Event.ANSWERED, said(self.outcome)
        return Event.SILENT, self.silence if self.left else f"{self.silence}; nothing was sent"


class Asker:
    """Knows what is in the air in this process, and the balances it heard last."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.air: dict[str, list[Handle[Result]]] = {}
        self.balances: dict[tuple[str, str, str], Decimal] = {}

    # -- one movement

    def wallet_tx(self, job: Job, movement: Movement) -> Transaction:
        # A movement that no route led to, when it was read, has no alias yet.
        alias = movement.alias or job.way.alias(movement.space, movement.tx.id)
        own = alias if not job.way.wallet.ids_as_is else movement.tx.id
        return for_wallet(job.way, movement.tx, own, job.target, job.session)

    async def request(self, job: Job, movement: Movement) -> tuple[Request, Transaction]:
        """The signed request and what it says. Raises `Refused` where the wallet cannot be told."""
        tx = self.wallet_tx(job, movement)
        known = self.known(job.way, movement.tx, job.target, job.left)
        return await encode(job.way, tx, known, self.world.clock(), self.world.nonce()), tx

    def known(self, way: Way, tx: Transaction, target: Movement | None, left: Decimal | None) -> Known:
        """What may be supplied, each looked up only when it is wanted."""

        async def session() -> str:
            return await self._some_session(way, tx, target)

        async def game() -> str:
            if target is not None and target.tx.game is not None and target.tx.game.id:
                return target.tx.game.id
            last = await self.world.journal.latest(way.provider.id, tx.player) if tx.player else None
            if last is not None and last.tx.game is not None and last.tx.game.id:
                return last.tx.game.id
            found = await self.world.journal.last_session(way.provider.id, tx.player) if tx.player else None
            return found.game if found else ""

        return Known(target=target, left=None if left is None else (lambda: left), session=session, game=game)

    async def _some_session(self, way: Way, tx: Transaction, target: Movement | None) -> str:
        """The movement's own, else the player's last, else the configured template (22)."""
        journal, provider_id = self.world.journal, way.provider.id
        if target is not None and target.tx.session:
            return await self.session_out(way, target.tx.session)
        found = await journal.last_session(provider_id, tx.player, tx.game.id if tx.game else "") if tx.player else None
        if found is not None:
            return found.wallet_session or found.session
        last = await journal.latest(provider_id, tx.player) if tx.player else None
        if last is not None and last.tx.session:
            return last.tx.session
        return way.route.sessions.replace("{player}", way.route.player_out(tx.player)) if tx.player else ""

    async def session_out(self, way: Way, session: str) -> str:
        """The wallet's own session for the provider's, where the operator named one."""
        found = await self.world.journal.session(way.provider.id, session) if session else None
        return (found.wallet_session or session) if found else session

    async def bring(self, job: Job, movement: Movement, *, fresh: bool) -> Movement:
        """Asks as often as the rules allow while the provider waits; the row as it is then.

        `fresh`: its first attempt is journalled and has not begun. Raises `Refused` where the
        wallet's dialect has no words for it; nothing was sent then.
        """
        if not fresh and self._over(job, movement):
            return await self._never_sent(job, movement)
        request, tx = await self.request(job, movement)
        handles = [handle for handle in self.air.get(movement.key, ()) if not handle.done()]
        step, pause = ("ask" if fresh else await self._step(job, movement)), FIRST_PAUSE_SECONDS
        while True:
            if step == "ask":
                if not fresh:
                    movement = await self._ask(movement)
                    if movement.state.decided:
                        return movement
                handles.append(self._launch(job, movement, request, tx, fresh=fresh))
            elif step == "query":
                handles.append(self._launch_query(job, movement))
            elif not handles:
                return movement
            fresh = False
            share = job.way.wallet.answer_within.total_seconds() if step != "wait" else job.errand.left()
            await self.world.wait(handles, min(job.errand.left(), share))
            movement, came_back, hopeless = self._collect(movement, handles)
            if movement.state.decided or job.errand.left() < SEND_LEAST_SECONDS or job.errand.settling:
                return movement
            handles = [handle for handle in handles if not handle.done()]
            if came_back and not hopeless:
                await self.world.sleep(min(pause, job.errand.left()))
                pause *= 2
            step = "wait" if hopeless else await self._step(job, movement)

    async def _ask(self, movement: Movement) -> Movement:
        now = self.world.clock()
        step = Step(now, Event.ASKED, f"attempt {movement.attempts + 1}")
        return await self.world.journal.ask(movement, now, steps=[step])

    def _over(self, job: Job, movement: Movement) -> bool:
        """A debit of which no byte ever left, and nobody waits for it any more (10)."""
        if movement.attempts or movement.owes or job.won or not job.errand.settling or movement.key in self.air:
            return False
        since = movement.told_at or movement.created_at
        return bool(movement.undone_by) or self.world.clock() - since >= UNSENT_GRACE

    async def _never_sent(self, job: Job, movement: Movement) -> Movement:
        refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it never reached the wallet")
        return await self.decide(job.errand, movement, refusal)

    async def _step(self, job: Job, movement: Movement) -> str:
        """What may be done next while the provider waits (9, 14): `ask`, `query` or `wait`."""
        wallet, now = job.way.wallet, self.world.clock()
        current = await self.world.journal.get(movement.key)
        undone = current is not None and bool(current.undone_by)  # its cancel was read: never asked again (11)
        may_ask = not undone and (movement.owes or job.won or not job.errand.settling)
        if movement.attempts == 0:
            return "ask" if may_ask else "wait"
        if not remembered(movement, wallet, now):
            return "wait"
        lands = now + wallet.in_flight_max  # a second asking that is queued must not outlive the wallet's memory
        if again(movement, wallet) == "safe" and may_ask and remembered(movement, wallet, lands):
            return "ask"
        return "query" if await self._can_query(job, movement) else "wait"

    async def _can_query(self, job: Job, movement: Movement) -> bool:
        try:
            await self._status_request(job, movement)
        except Refused:
            return False
        return True

    async def _status_request(self, job: Job, movement: Movement) -> tuple[Request, Transaction]:
        own = self.wallet_tx(job, movement)
        tx = replace(own, id="", act=Status(reference=own.id, reference_kind=movement.kind), round=None)
        return await encode(job.way, tx, Known(), self.world.clock(), self.world.nonce()), tx

    def _launch(
        self, job: Job, movement: Movement, request: Request, tx: Transaction, *, fresh: bool
    ) -> Handle[Result]:
        handle = self.world.spawn(self._attempt(job, movement, request, tx, fresh=fresh))
        self.air.setdefault(movement.key, []).append(handle)
        return handle

    def _launch_query(self, job: Job, movement: Movement) -> Handle[Result]:
        return self.world.spawn(self._query(job, movement))

    def _collect(self, movement: Movement, handles: list[Handle[Result]]) -> tuple[Movement, bool, bool]:
        """The movement after what came back, whether something did, and whether the wallet is not asked just now."""
        came_back = hopeless = False
        for handle in handles:
            if not handle.done():
                continue
            came_back, result = True, handle.result()
            if result.movement is not None:
                return result.movement, True, False
            hopeless = hopeless or result.hopeless
            if not result.left:
                movement = taken_back(movement)
            if result.never_applied:
                movement = replace(movement, attempts=0)
        return movement, came_back, hopeless

    async def ask_about(self, job: Job, movement: Movement) -> Movement:
        """One status query, where the wallet can be asked; the movement as it is then."""
        if job.errand.left() < SEND_LEAST_SECONDS or not await self._can_query(job, movement):
            return movement
        handle = self._launch_query(job, movement)
        share = min(job.errand.left(), job.way.wallet.answer_within.total_seconds())
        await self.world.wait([handle], share)
        if not handle.done():
            return movement
        result: Result = handle.result()
        return result.movement or movement

    # -- attempts

    async def _attempt(self, job: Job, movement: Movement, request: Request, tx: Transaction, *, fresh: bool) -> Result:
        try:
            again, owed = movement.attempts > 1, movement.owes or job.won
            exchange = await self.exchange(
                job.errand, job.way, request, tx, movement.tx.currency, again=again, owed=owed
            )
            outcome, steps = exchange.outcome, self._steps(movement, exchange, fresh=fresh)
            if not exchange.left:
                await self.world.journal.not_left(movement, steps=steps)
                return Result(None, left=False, outcome=outcome, hopeless=exchange.hopeless)
            if isinstance(outcome, Declined):  # judged by all attempts there are by now (5, 28)
                movement = await self.world.journal.get(movement.key) or movement
            return await self._judged(job, movement, outcome, steps, ordinary=fresh and job.errand.open)
        finally:
            self._landed(movement.key)

    def _landed(self, key: str) -> None:
        """Forgets handles that are done; this one is, as soon as it returns."""
        open_ones = [handle for handle in self.air.get(key, ()) if not handle.done()]
        if len(open_ones) <= 1:
            self.air.pop(key, None)
        else:
            self.air[key] = open_ones

    def _steps(self, movement: Movement, exchange: Exchange, *, fresh: bool) -> list[Step]:
        """An attempt in the story; that the first one was begun, the journal's row said alone until now."""
        steps = [Step(self.world.clock(), *exchange.told())]
        if fresh and movement.asked_at is not None:
            steps.insert(0, Step(movement.asked_at, Event.ASKED, "attempt 1"))
        return steps

    async def _judged(
        self, job: Job, movement: Movement, outcome: Outcome, steps: list[Step], *, ordinary: bool
    ) -> Result:
        now = self.world.clock()
        if isinstance(outcome, Declined) and outcome.reason in OUR_FAULT:
            self.world.meter.our_fault(job.way.wallet.name, movement.kind.value, outcome.reason.value)
        decision = judge(movement, job.way.wallet, outcome, now, target=job.target, refusable=job.refusable)
        if decision is None:
            await self.world.journal.note(movement.key, steps)
            return Result(None, outcome=outcome)
        decided = await self.decide(job.errand, movement, decision, () if ordinary else steps)
        return Result(decided, outcome=outcome)

    async def decide(
        self, errand: Errand, movement: Movement, decision: Accepted | Declined, steps: Sequence[Step] = ()
    ) -> Movement:
        """Journals a decision; the first one stands. An accepted one always has an id to show."""
        if isinstance(decision, Accepted) and not decision.wallet_id:
            decision = replace(decision, wallet_id=own_id(movement.key))
        now, heard = self.world.clock(), errand.open
        if heard:
            errand.deciding(movement.key)
        try:
            decided = await self.world.journal.decide(movement, decision, now, heard=heard, steps=steps)
        except JournalLost:
            takes_back = heard and movement.key in errand.counted  # else its call did, when its time was over
            errand.counted.discard(movement.key)
            later = self._decide_later(movement, decision, now, steps, heard=heard, takes_back=takes_back)
            self.world.spawn(later)
            raise
        if heard:
            errand.decided(movement.key, ours=decided.outcome is decision)
        if not errand.open and decided.outcome is decision:
            word = decided.state.value
            self.world.meter.recovered(decided.wallet, decided.kind.value, word)
        if isinstance(decision, Accepted) and decision.balance is None and decided.outcome is decision:
            await self._move_balance(decided, decision)
        return decided

    async def _decide_later(
        self, movement: Movement, decision: Accepted | Declined, at: datetime, steps: Sequence[Step], *, heard: bool,
        takes_back: bool,
    ) -> None:  # fmt: skip
        """As soon as the journal is back, for an answer that was heard once may never come again; a no
        is worth nothing where others attempted meanwhile (5). Doubt is what was told: if the decision
        was durable all the same, it was not heard (26)."""
        told, tried = Step(at, Event.TOLD, "unknown"), False
        journal, key = self.world.journal, movement.key
        while True:
            await self.world.sleep(LOST_SECONDS)
            with contextlib.suppress(JournalLost):
                found = await journal.get(key)
                if found is None:
                    return
                was_durable = not tried and (found.outcome, found.decided_at) == (decision, at)
                if not found.state.decided and (isinstance(decision, Accepted) or found.attempts == movement.attempts):
                    tried = True
                    await journal.decide(movement, decision, at, heard=heard and not takes_back, steps=steps)
                if takes_back and told not in await journal.story(key):
                    await journal.unheard(key, at, counted=was_durable, steps=[told])
                return

    async def _query(self, job: Job, movement: Movement) -> Result:
        request, tx = await self._status_request(job, movement)
        owed = movement.owes or job.won or bool(movement.undone_by)
        exchange = await self.exchange(job.errand, job.way, request, tx, movement.tx.currency, owed=owed)
        outcome, now, wallet = exchange.outcome, self.world.clock(), job.way.wallet
        steps = [Step(now, Event.QUERIED, exchange.told()[1])]
        if not exchange.left:
            await self.world.journal.note(movement.key, steps)
            return Result(None, outcome=outcome, hopeless=exchange.hopeless)
        current = await self.world.journal.get(movement.key) or movement
        decision = judge_query(current, wallet, outcome, now, job.target)
        if decision is not None:
            return Result(await self.decide(job.errand, current, decision, steps), outcome=outcome)
        if never_applied_by_query(current, wallet, outcome, now):
            return await self._never_applied(job, current, outcome, steps)
        await self.world.journal.note(movement.key, steps)
        return Result(None, outcome=outcome)

    async def _never_applied(self, job: Job, movement: Movement, outcome: Outcome, steps: list[Step]) -> Result:
        """Asked as a first attempt where somebody waits for it or it is owed; else it is over (10)."""
        if movement.owes or job.won or not (job.errand.settling or movement.undone_by):
            await self.world.journal.never_applied(movement, steps=steps)
            return Result(None, outcome=outcome, never_applied=True)
        refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it never reached the wallet")
        return Result(await self.decide(job.errand, movement, refusal, steps), outcome=outcome)

    async def exchange(
        self, errand: Errand, way: Way, request: Request, tx: Transaction, currency: str, *, again: bool = False,
        owed: bool = False,
    ) -> Exchange:  # fmt: skip
        """One request to a wallet. `owed`: it goes before what is new, where not all can be sent."""
        world, wallet, kind, started = self.world, way.wallet, tx.kind, self.world.ticks()
        if not errand.may_send():  # this process was stopped: its lease may be another's by now
            return _nothing(Silence("timeout", "the time to ask was over", left=False))
        try:
            leave = world.gate.wallet(errand.provider, wallet, owed=owed)
        except Silence as silence:
            return _nothing(silence)
        errand.wallet_begins()
        result = "broken"
        try:
            response = await world.send(wallet, request, wallet.give_up_after.total_seconds())
            call = replace(way.call(world.clock(), ""), request=request, again=again)
            outcome = self._in_currency(wallet.dialect.decode_response(response, tx, call), currency)
            result = {Accepted: "answered", Declined: "refused", Unknown: "broken"}[type(outcome)]
        except Silence as silence:
            result = silence.result
            return _nothing(silence)
        finally:
            errand.wallet_ends()
            leave(result)
            world.meter.wallet_request(wallet.name, kind.value, result, world.ticks() - started)
        outcome = heard(way, outcome)
        self._note_balance(way, tx, outcome, currency)
        return Exchange(outcome)

    @staticmethod
    def _in_currency(outcome: Outcome, currency: str) -> Outcome:
        """A yes in another currency is doubt; of a no only the balance is dropped (4)."""
        if isinstance(outcome, Unknown) or not currency or not outcome.currency or outcome.currency == currency:
            return outcome
        if isinstance(outcome, Declined):
            return replace(outcome, balance=None, bonus=None, currency="")
        return Unknown(detail=f"accepted in {outcome.currency}, asked in {currency}")

    # -- balances

    def _note_balance(self, way: Way, tx: Transaction, outcome: Outcome, currency: str) -> None:
        if isinstance(outcome, Unknown) or outcome.balance is None:
            return
        player = way.route.player_in(tx.player)
        if len(self.balances) > BALANCES_MAX:
            self.balances.clear()
        self.balances[(way.provider.id, player, outcome.currency or currency)] = outcome.balance

    async def _move_balance(self, movement: Movement, decision: Accepted) -> None:
        """A yes that shows no balance moved it all the same (8); a whole was moved by its parts."""
        place = (movement.provider, movement.tx.player, movement.tx.currency)
        known = self.balances.get(place)
        if known is None or not movement.attempts:
            return
        target = await self.world.journal.get(movement.target) if movement.target else None
        self.balances[place] = known + gains(movement.tx.act, decision.moved, target.tx.act if target else None)

    async def last_balance(self, provider_id: str, player: str, currency: str) -> Decimal | None:
        """The last balance heard, by this process or by the journal (7, 8)."""
        found = self.balances.get((provider_id, player, currency))
        if found is not None or not player:
            return found
        last = await self.world.journal.latest(provider_id, player)
        outcome = last.outcome if last is not None and last.tx.currency == currency else None
        return outcome.balance if isinstance(outcome, Accepted | Declined) else None


def _nothing(silence: Silence) -> Exchange:
    """No answer, and so no decision."""
    why = f"{silence.result}: {silence.detail}"
    return Exchange(Unknown(detail=silence.detail), silence.left, why, silence.hopeless)
