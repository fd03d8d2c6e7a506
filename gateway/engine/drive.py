"""The driver: the only loop of the engine. Look, `next_move`, perform, look again.

It decides nothing: the rules do (`engine/rules.py`). What it writes holds only if what was read still
does; else it looks again (rule 31).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine import movement as row
from gateway.engine.backoff import pause
from gateway.engine.case import Ask, Asked, Case, Decide, First, Leave, Move, Query, Rollback, Split, Tell, Wait, shown
from gateway.engine.complete import Completed
from gateway.engine.errand import Errand
from gateway.engine.exchange import Exchange, Exchanges
from gateway.engine.flights import Flight, Flights, Landed
from gateway.engine.gather import Hands, looking
from gateway.engine.identity import key_of, own_rollback_id, space_of
from gateway.engine.journal import Ask as LookFor
from gateway.engine.journal import Change, JournalLost, Look, Put, Steps, Write
from gateway.engine.judge import OUR_FAULT, id_was_used, no_stays, refused_at_once, session_refused
from gateway.engine.moment import Clockwork
from gateway.engine.movement import UNKNOWN, Event, Fact, Movement, Step
from gateway.engine.opening import (
    Opened,
    Order,
    hears_undone,
    in_vain,
    is_mismatch,
    opening,
    refused_already,
    unheard_by,
)
from gateway.engine.parts import GIVE_BACK, Part, giving_back, gone, kept, own_undoing, refused_item, undoable
from gateway.engine.rules import clocked, next_move, silence_left
from gateway.engine.setup import Provider, Setup
from gateway.engine.states import State
from gateway.engine.undoing import claims, turned, turns_told, undoes_round, with_amount
from gateway.engine.words import Way
from gateway.engine.world import World
from gateway.http import Request
from gateway.model import Accepted, Declined, Kind, Outcome, Refused, Transaction, Unknown

FIRST_PAUSE_SECONDS = 0.05  # between attempts that came back in doubt, doubled each time
LOST_SECONDS = 3.0  # until what the journal lost is said again: a transaction that was cut off has ended by then
SETTLE_SECONDS = 10.0  # one look with nobody waiting
STALE_MAX = 200  # looks in one drive: more than this is a circle, and our bug
OUT_OF_TIME = Unknown(detail="the provider's time is over")


class Carried(Struct, frozen=True):
    """What a call of a provider came to, and what it was understood as."""

    outcome: Outcome
    tx: Transaction
    again: bool = False  # its movement was there before
    undone_by: str = ""  # what undid it, or is to, as this call found it


Who = Callable[[Errand, Transaction, Completed], Awaitable[None]]
"""Asks the wallet who plays, where only a session may say it. Raises `Refused`."""


class Driver:
    """Carries movements; one per process."""

    def __init__(self, world: World, exchanges: Exchanges) -> None:
        self.world, self.exchanges = world, exchanges
        self.node = world.nonce()  # who owns what this process carries
        self.clockwork = Clockwork(world.clock, world.ticks)
        self.flights = Flights()
        self.who: Who | None = None
        self._driving: dict[str, int] = {}  # how many drives of each movement go on

    def busy(self) -> bool:
        """Whether anything is in the air or being driven in this process."""
        return bool(self._driving) or self.flights.any()

    def nobody(self, setup: Setup, provider: Provider) -> Errand:
        """For what goes on with no provider waiting."""
        world = self.world
        return Errand.of_settlement(setup, provider, world.ticks, world.clock, SETTLE_SECONDS, world.nonce())

    # -- a provider's call

    async def carry(self, errand: Errand, order: Order) -> Carried:
        """The outcome, within the provider's time; doubt when it runs out."""
        call = _Call(order)
        handle = self.world.spawn(self._carried(errand, call))
        await self.world.wait([handle], errand.left())
        if handle.done():
            return handle.result()  # type: ignore[no-any-return]  # the handle is untyped inside
        errand.open = False  # what is decided from here on is not heard
        if call.key:
            self.world.spawn(self.unheard(call.key, errand.name))
        return Carried(OUT_OF_TIME, call.tx, call.again)

    async def refuses(self, errand: Errand, order: Order) -> bool:
        """Whether the journal alone refuses it, as it stands now."""
        try:
            return await self.world.journal.look(refused_already(self._hands(errand), order))
        except Refused:
            return True

    async def _carried(self, errand: Errand, call: _Call) -> Carried:
        try:
            return await self._carry_on(errand, call)
        except JournalLost:  # it may be durable all the same, and doubt is what is told (rule 26)
            self.world.spawn(self.unheard(call.key or self._key(errand, call.order), errand.name))
            if errand.open:
                raise
            return Carried(OUT_OF_TIME, call.tx)  # its call has heard that already
        except Refused as refused:  # it cannot be read after all, now that its currency or its player is known
            return Carried(refused.outcome(), call.order.wire)

    @staticmethod
    def _key(errand: Errand, order: Order) -> str:
        return key_of(errand.provider.dialect, errand.provider.id, order.space, order.wire)

    async def _carry_on(self, errand: Errand, call: _Call) -> Carried:
        case, move, done = await self._opened(errand, call.order)
        call.key, call.tx, errand.session = case.own.key, done.tx, done.session
        if isinstance(move, Tell) and case.own.decided:
            errand.keys.add(call.key)
        if case.asked is not None and case.asked.again:
            errand.again = call.again = True
            verdict = "same" if case.asked.same(case.own) else "conflict"
            self.world.meter.replay(errand.provider.name, case.own.kind.value, verdict)
        if case.asked is not None and case.asked.twin:
            self.world.meter.replay(errand.provider.name, case.own.kind.value, "twin")
        if case.asked is not None and case.asked.again and not case.own.decided:
            joined = bool(self.flights.calls.get(call.key))
            case = replace(case, asked=replace(case.asked, joined=joined))
        outcome = await self._driven(errand, case, move, asked=case.asked)
        if not errand.open:
            await self.unheard(call.key, errand.name)
        return Carried(outcome, done.tx, call.again, case.own.undone_by)

    async def _opened(self, errand: Errand, order: Order) -> tuple[Case, Move | None, Completed]:
        """The movement, there from now on. Raises `Refused` where it cannot be read after all."""
        for _ in range(STALE_MAX):
            found = await self._open(errand, order)
            if found.lacking:
                assert self.who is not None
                await self.who(errand, order.wire, found.done)
                order = replace(order, settled=True)
            elif found.case is not None:
                return found.case, found.move, found.done
        raise AssertionError("a movement that is always stale")

    async def _open(self, errand: Errand, order: Order) -> Opened:
        hands, live = self._hands(errand), replace(order, **_patience(errand, order.waits))
        return await self.world.journal.make(Change(steps=lambda again: opening(hands, live, again)))

    def _hands(self, errand: Errand) -> Hands:
        return Hands(
            setup=errand.setup, provider=errand.provider, node=self.node, nonce=self.world.nonce(),
            moment=self.clockwork.look(), lease=errand.lease,
        )  # fmt: skip

    async def unheard(self, key: str, call: str) -> None:
        """Doubt is what this call heard, whatever was decided at the same moment (rule 26)."""
        now = self.world.clock()

        def changed(own: Movement) -> Movement:
            same = f"-{call}" in own.heard.split() and own.told == UNKNOWN
            return own if same else row.unheard(own, call, now)

        def watched(aim: Movement) -> Movement:  # that a cancel was refused had stopped its bet's clock (rule 12)
            return row.clocked_again(aim, now)

        await self._insist(row_change(key, changed, [Step(now, Event.TOLD, UNKNOWN)], aim=watched))

    async def heard(self, errand: Errand, told: Mapping[str, Carried]) -> bool:
        """The one answer of a batch is heard: all the decisions that it tells at the same moment, or none (rule 26). False:
        none, for one that it tells as accepted is being undone since.

        *The second bet of a list was asked for, and the clock gave the first one back (rule 12): the list was told as
        accepted, and one of its stakes was free.*
        """
        now, keys = self.world.clock(), sorted(told)
        errand.keys.update(keys)

        def steps(again: bool) -> Steps[bool | None]:
            found = yield Look(tuple(LookFor("own", (key,)) for key in keys))
            rows = [own for each in found for own in each if own.state is _decided(told[own.key].outcome)]
            if any(
                own.state is State.ACCEPTED and own.undone_by not in ("", told[own.key].undone_by, *keys)
                for own in rows
            ):
                return False
            heard = [(own, row.told(own, errand.name, now)) for own in rows]
            puts = tuple(Put(own, after) for own, after in heard if after is not own)
            lines = tuple((own.key, Step(now, Event.TOLD, after.told)) for own, after in heard if _doubted_before(own))
            held: bool = not puts or (yield Write(puts=puts, steps=lines))
            return True if held else None

        return not keys or await self._until_held(Change(steps=steps, key=keys[0]))

    # -- the loop

    async def bring(
        self, errand: Errand, key: str, *, waits: bool = False, tried: frozenset[str] = frozenset()
    ) -> None:
        """One movement as far as it can be brought now, without a call of its own."""
        case = await self._look(errand, key, None, tried)
        if case is not None:
            await self._driven(errand, case, None, asked=None, waits=waits)

    async def _driven(
        self, errand: Errand, case: Case, move: Move | None, *, asked: Asked | None, waits: bool | None = None
    ) -> Outcome:
        key = case.own.key
        counted = [self._driving] + ([self.flights.calls] if asked is not None else [])
        for counts in counted:
            counts[key] = counts.get(key, 0) + 1
        try:
            return await self._drive(errand, case, move, waits=asked is not None if waits is None else waits)
        except JournalLost:
            raise
        except Exception:
            await self._our_fault(key)
            raise
        finally:
            self.flights.put_down(key, errand)
            for counts in counted:
                counts[key] -= 1
                if not counts[key]:
                    del counts[key]

    async def _drive(self, errand: Errand, case: Case, move: Move | None, *, waits: bool) -> Outcome:
        begun, rest, looks = isinstance(move, Ask), FIRST_PAUSE_SECONDS, 0
        while looks < STALE_MAX:
            looks += 1
            move = move or case.memo.pop("move", None)
            if move is None:  # else it was chosen a moment ago: by its opening, or as its answer came
                case = self._timed(errand, case, waits=waits)
                if case.too_little:
                    if case.own.fact is not None:  # what its wallet said as its time ended outlives this look (rule 28)
                        await self._fact(case.own.key, case.own.fact, self._steps_of(case))
                    case = self._timed(errand, await self._look_again(errand, case), waits=waits)
                move = next_move(case)
            elif case.waits is not waits:
                case = replace(case, **_patience(errand, waits))
            after: Case | None = None
            match move:
                case Tell(outcome=outcome):
                    if await self._hears(errand, case, outcome):
                        return outcome
                case Decide(outcome=outcome):
                    after = await self._decide(errand, case, outcome)
                    self.flights.put_down(case.own.key, errand)
                case Leave():
                    told = await self._leave(errand, case, move)
                    if told is not None:
                        return told
                case Ask(first=first):
                    after = await self._ask(errand, case, first=first, begun=begun)
                case Query():
                    after = await self._query(errand, case)
                case Wait(poll=True):
                    looks -= 1  # its time alone bounds how often it is looked whether another is ready
                    await self.world.sleep(move.seconds)
                case Wait():
                    takes = move.key == case.own.key
                    await self.flights.wait(self.world, move.key, move.seconds, takes=takes)
                    after = await self._landed(errand, case) if takes else None
                case First(other=other):
                    part = other.parent == case.own.key
                    await self.bring(errand, other.key, waits=waits and part, tried=case.tried | {case.own.key})
                    case = replace(case, tried=case.tried | {other.key})
                case Rollback():
                    await self._roll_back(errand, case)
                case Split():
                    case = await self._split(errand, case, move, waits=waits)
            if after is None and isinstance(move, Ask | Query):
                if case.patient:
                    await self.world.sleep(min(rest, errand.left()))
                    rest *= 2
                case = replace(case, turn=case.turn + 1)
            begun, move = False, None
            case = after if after is not None else await self._look_again(errand, case)
        raise AssertionError(f"{case.own.key}: the rules go round in a circle ({case.own.state}, {move})")

    async def _look(self, errand: Errand, key: str, asked: Asked | None, tried: frozenset[str]) -> Case | None:
        case = await self.world.journal.look(looking(self._hands(errand), key))
        return replace(case, asked=asked, tried=tried) if case is not None else None

    async def _look_again(self, errand: Errand, case: Case) -> Case:
        again = await self._look(errand, case.own.key, case.asked, case.tried)
        assert again is not None, "a movement never leaves while it is carried"
        asked = case.asked
        return replace(again, turn=case.turn, hopeless=case.hopeless, nobody=case.nobody, asked=asked)

    def _timed(self, errand: Errand, case: Case, *, waits: bool) -> Case:
        keys, ticks = [case.own.key, case.own.undone_by], self.world.ticks()
        keys += [m.key for m in (case.around.target, case.around.claimer) if isinstance(m, Movement)]
        air = {key: self.flights.of(key, ticks, errand) for key in keys if key}
        if case.asked is not None:  # its own call is open, too
            mine = air[case.own.key]
            air[case.own.key] = replace(mine, calls=max(mine.calls, int(errand.open)))
        moment = self.clockwork.look()
        return replace(case, moment=moment, air=air, **_patience(errand, waits))

    # -- performing a move

    async def _write(self, write: Write, key: str) -> bool:
        def steps(again: bool) -> Steps[bool]:
            made: bool = yield write
            return made

        held: bool = await self.world.journal.make(Change(steps=steps, key=key, repeatable=False))
        return held

    async def _decide(self, errand: Errand, case: Case, outcome: Accepted | Declined) -> Case | None:
        """Journals a decision. None: it was stale."""
        own, now = case.own, self.world.clock()
        outcome = shown(await self._with_balance(case, with_amount(case, outcome)), own.key)
        call = errand.name if errand.open and case.asked is not None and not case.asked.joint else ""
        after = row.decided(own, outcome, now, call)
        if not call:
            after = _nobody_heard(errand.provider, after, now)
            # The call that it is an item of goes on: no clock runs out before that has ended (rule 12).
            if errand.open and after.due_at is not None:
                after = replace(after, due_at=now + errand.lease)
        broken = after.atomic and undoable(after, case.siblings) and refused_item(case.siblings) is not None
        if after.state is State.ACCEPTED and broken:
            after = replace(after, due_at=now)  # it is given back (rule 19)
        aim, freed = self._aim(case, after)
        steps = [(own.key, step) for step in self._steps_of(case)]
        if freed:
            steps.append((freed.key, Step(now, Event.RELEASED, own.key)))
        around = case.around
        chain = (around.beyond, around.further, *around.deeper)
        turns = turned(after, case.target, chain, case.provider.dialect) if around.beyond is not None else []
        steps += turns_told(own.key, turns, now)
        puts = (
            Put(own, after),
            *([aim] if aim is not None else []),
            *(Put(was, m) for was, m in turns),
            *_its_whole(case, now),
            *_its_hold(case, after, now),
            *in_vain(after, case.siblings, now),
        )
        write = Write(puts=puts, leaned=self._leaned(case, puts), steps=tuple(steps))
        try:
            held = await self._write(write, own.key)
        except JournalLost:
            if call:
                self.world.spawn(self.unheard(own.key, errand.name))
            if own.fact is not None:
                self.world.spawn(self._late(errand, own.key, own.fact, self._steps_of(case)))
            raise
        if not held:
            if own.fact is not None:
                await self._fact(own.key, own.fact, self._steps_of(case))
            return None
        after = replace(after, revision=own.revision + 1)
        if call:
            errand.keys.add(own.key)
        if not errand.open:
            self.world.meter.recovered(after.wallet, after.kind.value, after.state.value)
        if isinstance(outcome, Accepted):
            self.exchanges.moved(case, outcome)
        self._wake(errand, case, after)
        return replace(case, own=after, memo={})

    async def _hears(self, errand: Errand, case: Case, outcome: Outcome) -> bool:
        """What this call hears is journalled first, where money may hang on it. False: it was stale."""
        own, now = case.own, self.world.clock()
        if isinstance(outcome, Unknown) or case.asked is None or not errand.open or is_mismatch(outcome):
            return True
        if not own.decided or hears_undone(case, outcome):  # that it is to be undone: a word that a win must not undo
            heard = replace(own, told=State.DECLINED.value, told_at=now)
        elif unheard_by(case):
            heard = row.told(own, errand.name, now)
        else:
            return True
        if isinstance(outcome, Accepted) is not (heard.told == State.ACCEPTED.value):
            return True
        step = (own.key, Step(now, Event.TOLD, heard.told))
        puts = (Put(own, heard),)
        leaned = self._leaned(case, puts) if kept(own) else ()  # that nobody gives back what is said to stand
        held = await self._write(Write(puts=puts, leaned=leaned, steps=(step,)), own.key)
        if held and own.decided:
            errand.keys.add(own.key)
        return held

    async def _with_balance(self, case: Case, outcome: Accepted | Declined) -> Accepted | Declined:
        """What the journal decides of a rollback shows the last known balance (rule 15)."""
        own = case.own
        if not own.undoes or own.fact is not None or outcome.balance is not None or case.parts:
            return outcome
        last = await self.exchanges.last_balance(own.provider, own.tx.player, own.tx.currency)
        if last is None:
            return outcome
        return replace(outcome, balance=last.cash, bonus=last.bonus, currency=own.tx.currency)

    def _aim(self, case: Case, after: Movement) -> tuple[Put | None, Movement | None]:
        """What a rollback's decision says of its target: taken for good, or free again (and then which)."""
        target = case.around.target
        if not isinstance(target, Movement) or not (after.undoes or after.kind is Kind.RELEASE):
            return None, None
        if target.undone_by == after.key and after.decided and not gone(after):
            return Put(target, row.freed(target, after)), target
        if target.undone_by != after.key and claims(
            after, target, case.provider.dialect, free=case.unclaimed, rest=case.rest_of(target)
        ):
            return Put(target, replace(target, undone_by=after.key)), None
        return None, None

    def _wake(self, errand: Errand, case: Case, after: Movement) -> None:
        """What leans on this decision goes on at once: the doubt about a target ends with its rollback, or it is free again
        for its win; a whole with its part."""
        target, whole = case.around.target, case.around.whole
        if isinstance(target, Movement) and not target.decided and after.target and (after.undoes or gone(after)):
            self.world.spawn(self._later(self.nobody(errand.setup, errand.provider), target.key))
        if (
            isinstance(whole, Movement)
            and not whole.decided
            and whole.key not in self._driving
            and not undoes_round(whole)
        ):
            self.world.spawn(self._later(self.nobody(errand.setup, errand.provider), whole.key))

    async def _later(self, errand: Errand, key: str) -> None:
        try:
            await self.bring(errand, key)
        except JournalLost:
            return  # settlement looks at it

    @staticmethod
    def _leaned(case: Case, puts: Sequence[Put]) -> tuple[Movement, ...]:
        changed = {put.before.key for put in puts}
        return tuple(m for key, m in case.around.rows().items() if key not in changed)

    async def _leave(self, errand: Errand, case: Case, leave: Leave) -> Outcome | None:
        """Doubt is journalled before it is told. None: it was stale."""
        own, now, asked = case.own, self.world.clock(), case.asked
        if own.decided:
            return await self._watch(case, leave)
        if asked is None and own.owner == self.node and case.air_of(own.key).calls:
            # It is in the hands of a call here, which says what is left of it. *Left by another, it was nobody's: the process
            # died before that call was answered, and no clock ever ran for what its provider had not heard.*
            if own.fact is not None:
                await self._fact(own.key, own.fact, self._steps_of(case))
            return Unknown(detail=leave.note)
        tries = 0 if asked is not None else own.tries + 1
        stands = id_was_used(own) or (case.way is not None and no_stays(own, case.wallet))
        fact = own.fact if stands else None  # until a person decides, or nothing of it can be queued any more
        own = replace(own, fact=None) if fact is not None else own  # it came just now: it is to be written
        after = replace(row.left(own, leave.state, leave.note, None), tries=tries, fact=fact)
        steps = [(own.key, step) for step in self._steps_of(case)]
        if leave.state is State.PERSON and own.state is not State.PERSON:
            steps.append((own.key, Step(now, Event.PERSON, leave.note)))
        if asked is not None:
            after = row.doubted(after, now)
            steps.append((own.key, Step(now, Event.TOLD, UNKNOWN)))
        else:
            after = _never_told(after, now)
        if leave.state is State.PERSON:
            lasts = None
        else:
            silence = silence_left(replace(case, own=after))
            back = leave.due - now if leave.due is not None else pause(own.key, tries)
            lasts = min(back, silence) if silence is not None else back
            after = replace(after, due_at=now + lasts)
            if errand.settling:
                steps.append((own.key, Step(now, Event.LOOKED, leave.note)))
        aim, _ = self._aim(case, after)
        puts = (Put(own, after, lasts), *([aim] if aim is not None else []))
        if not await self._write(Write(puts=puts, leaned=self._leaned(case, puts), steps=tuple(steps)), own.key):
            if case.own.fact is not None:
                await self._fact(own.key, case.own.fact, self._steps_of(case))
            return None
        return Unknown(detail=leave.note or "the wallet's decision is not known")

    async def _watch(self, case: Case, leave: Leave) -> Outcome | None:
        """When settlement looks again at what is decided; never, where no clock runs for it."""
        own = case.own
        lasts = leave.due - self.world.clock() if leave.due is not None else None
        after = replace(own, due_at=leave.due, owner="")
        if after == own or await self._write(Write(puts=(Put(own, after, lasts),)), own.key):
            return own.outcome or Unknown()
        return None

    # -- asking

    async def _ask(self, errand: Errand, case: Case, *, first: bool, begun: bool) -> Case | None:
        own, now = case.own, self.world.clock()
        if not begun:
            after = self._sent_to(case, row.begun(own, now, self.node, first=first))
            after = replace(after, due_at=now + errand.lease)
            aim, _ = self._aim(case, after)
            puts = (Put(own, after, errand.lease), *([aim] if aim is not None else []))
            steps = [(own.key, step) for step in self._steps_of(case)]
            steps.append((own.key, Step(now, Event.ASKED, f"attempt {after.attempts}")))
            write = Write(puts=puts, leaned=self._leaned(case, puts), steps=tuple(steps))
            if not await self._write(write, own.key):
                return None
            raised = replace(after, revision=own.revision + 1)
            late = case.way is not None and session_refused(own, case.way.wallet)
            case = replace(case, own=raised, memo={}, late=late)
            if aim is not None:
                around = replace(case.around, target=replace(aim.after, revision=aim.before.revision + 1))
                case = replace(case, around=around)
        said = case.said()
        if isinstance(said, Refused):
            await self._never_left(case.own, [])
            return None
        request, tx = said
        ordinary = begun and not case.own.forgot_at
        again = case.own.attempts > 1
        flight = self.flights.launch(
            own.key, self.world.ticks(), case.wallet.answer_within.total_seconds(), again=again
        )
        owed = own.owes or not case.waits
        flight.handle = self.world.spawn(
            self._attempt(errand, case, flight, request, tx, again=again, owed=owed, ordinary=ordinary, began=now)
        )
        seconds = min(errand.left(), case.wallet.answer_within.total_seconds())
        await self.flights.wait(self.world, own.key, seconds, takes=True, launched=flight)
        return await self._landed(errand, case)

    @staticmethod
    def _sent_to(case: Case, own: Movement) -> Movement:
        """A movement that no route led to, when it was read, goes where the routes lead by now."""
        if own.wallet or case.way is None:
            return own if own.alias or case.way is None else replace(own, alias=case.alias)
        wallet = case.way.wallet
        return replace(
            own, wallet=wallet.name, place=wallet.place, route=case.way.route.players, alias=case.alias
        )  # fmt: skip

    async def _attempt(
        self, errand: Errand, case: Case, flight: Flight, request: Request, tx: Transaction, *, again: bool, owed: bool,
        ordinary: bool, began: datetime,
    ) -> None:  # fmt: skip
        own = case.own
        way, currency = _way(case), own.tx.currency
        exchange = await self.exchanges.ask(errand, way, request, tx, currency, flight=flight, owed=owed)
        await self.exchanges.renewed(way, own.tx, tx.session, exchange.outcome)

        def story() -> list[Step]:
            steps = [Step(self.world.clock(), *exchange.told())]
            if own.attempts == 1 and own.asked_at is not None and not again:
                steps.insert(0, Step(own.asked_at, Event.ASKED, "attempt 1"))
            return steps

        if not exchange.left:  # what its own task says, and nobody else may; lost, the attempt counts as made
            with contextlib.suppress(JournalLost):
                await self._never_left(own, story())
            self.flights.land(flight, Landed(hopeless=exchange.hopeless))
            return
        await self._came_back(errand, case, flight, exchange, story, query=False, ordinary=ordinary, began=began)

    async def _query(self, errand: Errand, case: Case) -> Case | None:
        said = case.status()
        assert not isinstance(said, Refused), "the rules ask whether it can be queried"
        request, tx = said
        share = case.wallet.answer_within.total_seconds()
        flight = self.flights.launch(case.own.key, self.world.ticks(), share)
        flight.handle = self.world.spawn(self._queried(errand, case, flight, request, tx))
        await self.flights.wait(self.world, case.own.key, min(errand.left(), share), takes=True, launched=flight)
        return await self._landed(errand, case)

    async def _queried(self, errand: Errand, case: Case, flight: Flight, request: Request, tx: Transaction) -> None:
        own, began = case.own, self.world.clock()
        owed = own.owes or not case.waits or bool(own.undone_by)
        exchange = await self.exchanges.ask(errand, _way(case), request, tx, own.tx.currency, owed=owed)

        def story() -> list[Step]:
            return [Step(self.world.clock(), Event.QUERIED, exchange.told()[1])]

        await self._came_back(errand, case, flight, exchange, story, query=True, ordinary=False, began=began)

    async def _came_back(
        self, errand: Errand, case: Case, flight: Flight, exchange: Exchange, story: Callable[[], list[Step]], *,
        query: bool, ordinary: bool, began: datetime,
    ) -> None:  # fmt: skip
        """An answer is a fact. Whoever waits for it decides; else a driver begins with nobody waiting. `story` is told only
        where it is out of the ordinary."""
        own, outcome = case.own, exchange.outcome
        if isinstance(outcome, Unknown):
            await self._note(own.key, story())
            self.flights.land(flight, Landed(hopeless=exchange.hopeless))
            return
        if not query and isinstance(outcome, Declined) and outcome.reason in OUR_FAULT and case.way is not None:
            self.world.meter.our_fault(case.way.wallet.name, own.kind.value, outcome.reason.value)
        fact = Fact(outcome=outcome, began=began, query=query)
        if flight.waiters:
            steps = () if ordinary and errand.open else tuple(story())
            self.flights.land(flight, Landed(fact=fact, steps=steps))
            return
        self.flights.land(flight, Landed())
        await self._late(errand, own.key, fact, story())

    async def _landed(self, errand: Errand, case: Case) -> Case | None:
        """The case with what came back, where that decides something; None: look again."""
        landed = self.flights.taken(case.own.key)
        hopeless = any(each.hopeless for each in landed)
        for each in landed:
            if each.fact is None:
                continue
            own = replace(case.own, fact=each.fact)
            found = replace(case, own=own, memo={"steps": each.steps}, turn=case.turn + 1)
            found = self._timed(errand, found, waits=case.waits)
            move = next_move(found)
            if _decides(found, move):
                found.memo["move"] = move
                self.flights.take_up(found.own.key, errand)
                return found
            if found.way is not None and no_stays(own, found.wallet):
                await self._fact(own.key, each.fact, each.steps)
            else:
                await self._note(own.key, each.steps)
        if hopeless:
            again = await self._look_again(errand, case)
            return replace(again, hopeless=True, turn=case.turn + 1)
        return None

    async def _late(self, errand: Errand, key: str, fact: Fact, steps: Sequence[Step]) -> None:
        """An answer that nobody waits for any more is journalled and counts (rule 28)."""
        self.flights.take_up(key, errand)
        while True:
            try:
                news = await self._fact(key, fact, steps)
                self.flights.put_down(key, errand)
                if news:
                    await self.bring(self.nobody(errand.setup, errand.provider), key)
                return
            except JournalLost:
                await self.world.sleep(LOST_SECONDS)

    async def _fact(self, key: str, fact: Fact, steps: Sequence[Step]) -> bool:
        """Journals what a wallet said; False: it is decided already, or will be by a yes that came before (rule 28). What waits
        for a person is due with that. *Its call heard that the bet is being given back, and nobody looked at the yes again.*"""

        def said(own: Movement) -> Movement:
            yes = own.fact is not None and isinstance(own.fact.outcome, Accepted)
            if yes and not isinstance(fact.outcome, Accepted):
                return own
            due = self.world.clock() if own.state is State.PERSON else own.due_at
            return replace(own, fact=fact, due_at=due)

        return await self._change(key, said, steps, undecided=True)

    # -- other movements

    async def _roll_back(self, errand: Errand, case: Case) -> None:
        """The gateway's own rollback (rule 12): sent as a cancel is; one for one movement."""
        own, dialect = case.own, case.provider.dialect
        tx = own_undoing(own, own_rollback_id(own.space, own.tx.id))
        space = f"{space_of(dialect, tx.kind)}.ours"
        leaned = (own, *case.around.refused)  # that none of these no's was heard
        order = Order(wire=tx, space=space, target=own.key, ours=True, settled=True, leaned=leaned)
        await self._carry_another(errand, order, waits=False, tried=case.tried | {own.key})

    async def _split(self, errand: Errand, case: Case, split: Split, *, waits: bool) -> Case:
        """Each part is opened and carried; the whole leads, so a part is opened only while it stands as it was read."""
        own, tried = case.own, set(case.tried)
        for part in split.parts:
            if split.given_back:
                order = replace(_giving_back(part, own.batch), leaned=(own,))
            else:
                order = Order(
                    wire=part.tx, space=f"{own.space}.{part.name}", target=part.target, parent=own, leaned=(own,),
                    id_space=part.id_space, waits=waits, settled=True,
                )  # fmt: skip
            opened = await self._carry_another(errand, order, waits=waits, tried=frozenset({*tried, own.key}))
            if opened is None:
                break
            tried.add(opened)
            own = replace(own, revision=own.revision + 1)
        return replace(case, tried=frozenset(tried))

    async def undo(self, errand: Errand, taken: Movement, batch: str) -> Movement | None:
        """What a batch took is given back, while the provider waits: what that is then. None: it stands by itself by now,
        or was declined."""
        for _ in range(STALE_MAX):
            order = replace(_giving_back(giving_back(taken), batch), waits=True, leaned=(taken,))
            key = await self._carry_another(errand, order, waits=True, tried=frozenset({taken.key}))
            if key is not None:
                return await self.world.journal.get(key)
            again = await self.world.journal.get(taken.key)
            if again is None or not again.atomic or again.state is State.DECLINED:
                return None
            taken = again
        raise AssertionError(f"{taken.key}: a movement that is always stale")

    async def _carry_another(self, errand: Errand, order: Order, *, waits: bool, tried: frozenset[str]) -> str | None:
        """Its key; None: what the wish leaned on has changed."""
        opened = await self._open(errand, order)
        if opened.case is None:
            return None
        whole = order.parent.key if order.parent is not None else ""
        assert opened.case.own.parent == whole, f"{opened.case.own.key} is a part of another movement"
        case = replace(opened.case, tried=tried)
        await self._driven(errand, case, opened.move, asked=None, waits=waits)
        return case.own.key

    # -- writing one row, whatever it is by now

    async def _change(
        self, key: str, change: Callable[[Movement], Movement], steps: Sequence[Step], *, undecided: bool = False
    ) -> bool:
        """One row read and written in one transaction."""
        return await self._until_held(row_change(key, change, steps, undecided=undecided))

    async def _until_held(self, change: Change[bool | None]) -> bool:
        """On a database of several processes a row may change between its look and its write."""
        for _ in range(STALE_MAX):
            held = await self.world.journal.make(change)
            if held is not None:
                return held
        raise AssertionError(f"{change.key}: a row that is always stale")

    async def _never_left(self, asked: Movement, steps: Sequence[Step]) -> None:
        """Said twice it would take back an attempt that left, too: so where nobody knows whether it was written, the
        attempt counts as made (rule 4). `asked`: the movement as it was when that attempt began."""
        change = row_change(asked.key, lambda own: row.not_left(own, asked.asked_at), steps)
        await self._until_held(replace(change, repeatable=False))

    async def _insist(self, change: Change[bool | None]) -> None:
        """The same, as soon as the journal is there: money hangs on it, and it may be said twice."""
        try:
            await self._until_held(change)
        except JournalLost:
            self.world.spawn(self._insist_later(change))

    async def _insist_later(self, change: Change[bool | None]) -> None:
        while True:
            await self.world.sleep(LOST_SECONDS)
            try:
                await self._until_held(change)
            except JournalLost:
                continue
            return

    async def _note(self, key: str, steps: Sequence[Step]) -> None:
        try:
            await self.world.journal.note(key, steps)
        except JournalLost:
            return  # a line of a story is worth no second try

    @staticmethod
    def _steps_of(case: Case) -> list[Step]:
        """The lines of the story that came with the wallet's word."""
        return list(case.memo.get("steps", ()))

    async def _our_fault(self, key: str) -> None:
        now = self.world.clock()
        due = now + pause(key, 1)

        def changed(own: Movement) -> Movement:
            return own if own.decided else _never_told(row.left(own, own.open_state, "our own fault", due), now)

        await self._insist(row_change(key, changed, [Step(now, Event.LOOKED, "our own fault")]))


def _giving_back(part: Part, batch: str) -> Order:
    return Order(wire=part.tx, space=GIVE_BACK, target=part.target, ours=True, batch=batch, settled=True)


def _way(case: Case) -> Way:
    assert case.way is not None, "rules before `nobody knows` ask no wallet"
    return case.way


def _decided(outcome: Outcome) -> State:
    return State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED


def _doubted_before(own: Movement) -> bool:
    """Whether doubt was told of it before it was decided."""
    told, decided = own.told_at, own.decided_at
    return own.told == UNKNOWN and told is not None and decided is not None and told < decided


def _nobody_heard(provider: Provider, after: Movement, now: datetime) -> Movement:
    """Decided with no call open to hear it: doubt is its provider's last word, and a clock may run (rules 12, 26)."""
    if after.parent or after.ours:
        return after
    after = _never_told(after, now)
    clock = clocked(provider, after) and after.state is State.ACCEPTED and after.told == UNKNOWN
    return replace(after, due_at=now) if clock else after


def _never_told(m: Movement, now: datetime) -> Movement:
    """No word of it was ever told, and no call is there to tell one: its provider is in doubt."""
    return m if m.told or m.parent or m.ours else row.doubted(m, now)


def _its_hold(case: Case, after: Movement, now: datetime) -> list[Put]:
    """A capture that was declined stops no clock any more."""
    hold = case.around.target
    if after.kind is not Kind.CAPTURE or after.state is not State.DECLINED or not isinstance(hold, Movement):
        return []
    again = row.clocked_again(hold, now)
    return [Put(hold, again)] if again is not hold else []


def _its_whole(case: Case, now: datetime) -> list[Put]:
    """A whole that waits for a person because a part of it did is due again with that part's end (rules 16, 18)."""
    whole = case.around.whole
    if not isinstance(whole, Movement) or whole.state is not State.PERSON:
        return []
    return [Put(whole, replace(row.left(whole, whole.open_state, "", now), tries=0))]


class _Call:
    """A provider's call on its way: what is known of it should its time run out."""

    def __init__(self, order: Order) -> None:
        self.order, self.key, self.tx, self.again = order, "", order.wire, False


def _patience(errand: Errand, waits: bool) -> dict[str, object]:
    left = errand.left()
    patient = errand.open and left > 0
    return {"waits": waits and errand.open, "patient": patient, "left": left}


def _decides(case: Case, move: Move) -> bool:
    """Whether the wallet's word moves anything."""
    asked = isinstance(move, Ask) and (move.first or case.only_feared) and not refused_at_once(case.own, case.wallet)
    return isinstance(move, Decide | First) or asked or _for_person(move)


def _for_person(move: Move) -> bool:
    return isinstance(move, Leave) and move.state is State.PERSON


def row_change(
    key: str, change: Callable[[Movement], Movement], steps: Sequence[Step], *, undecided: bool = False,
    aim: Callable[[Movement], Movement] | None = None,
) -> Change[bool | None]:  # fmt: skip
    """One row as it is by now, changed; with `aim`, what a rollback means, too. The answer: whether there was anything to
    change; None: it was stale.

    *That an answer had not been heard was not written, because its row changed at that moment, and the stake stayed taken.*
    """

    def made(again: bool) -> Steps[bool | None]:
        (found,) = yield Look((LookFor("own", (key,)),))
        if not found:
            return False  # the journal forgot it (rule 30)
        own: Movement = found[0]
        after = change(own)
        if after is own or (undecided and own.decided):
            return False
        puts = [Put(own, after)]
        if aim is not None and own.undoes and own.target:
            (named,) = yield Look((LookFor("own", (own.target,)),))
            puts += [Put(m, aimed) for m in named if (aimed := aim(m)) is not m]
        lines = tuple((key, step) for step in steps)
        held: bool = yield Write(puts=tuple(puts), steps=lines)
        return True if held else None

    return Change(steps=made, key=key)
