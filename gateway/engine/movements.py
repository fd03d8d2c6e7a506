"""One movement from its first reading to its decision: identity, journal, rules, wallet.

Numbers in comments are those of SEMANTICS.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialect import Dialect
from gateway.engine import compound
from gateway.engine.asking import Asker, Job
from gateway.engine.backoff import pause
from gateway.engine.complete import Completed, reference_kinds
from gateway.engine.errand import Errand
from gateway.engine.identity import fingerprint, key_of, same_player
from gateway.engine.journal import Event, Intent, Movement, Opened, Step
from gateway.engine.judge import again, remembered, settled_in_flight
from gateway.engine.plan import Way, moves_nothing
from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.engine.ticket import Ticket
from gateway.engine.world import Handle
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Capture,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Reason,
    Refused,
    Reserve,
    Rollback,
    Settle,
    Transaction,
    Unknown,
)

BURIABLE = {Kind.DEBIT, Kind.SETTLE, Kind.CREDIT, Kind.ADJUST, Kind.RESERVE, Kind.CAPTURE}
"""Kinds whose rollback may come before them."""


OWN_ROLLBACK = "gw:"  # how the id of a rollback of the gateway's own begins (12)
LEASE_MARGIN = timedelta(seconds=5)  # a lease outlives its call: bytes never leave after it (24)
POLL_SECONDS = 0.05  # while another process carries a movement


class Flight(Struct, frozen=True):
    """A movement that this process carries just now."""

    handle: Handle[Outcome]
    content: str
    player: str


class Movements:
    """Carries movements; knows which are in the air in this process."""

    def __init__(self, asker: Asker) -> None:
        self.asker, self.world = asker, asker.world
        self.node = asker.world.nonce()  # who owns what this process carries
        self.flights: dict[str, Flight] = {}

    def ticket(self, errand: Errand, way: Way | None, done: Completed, space: str, wire: Transaction) -> Ticket:
        """`wire` is the transaction as it was decoded: content is what the wire said."""
        provider = errand.provider
        key = key_of(provider.dialect, provider.id, space, done.tx)
        return Ticket(errand=errand, way=way, done=done, space=space, content=fingerprint(wire), key=key)

    # -- one wallet call for all who ask at the same time

    async def carry(self, ticket: Ticket) -> Outcome:
        """The outcome, within the provider's time; doubt when it runs out."""
        flight = self.flights.get(ticket.key)
        if flight is not None:
            return await self._join(ticket, flight)
        handle: Handle[Outcome] = self.world.spawn(self._fly(ticket))
        if not handle.done():
            self.flights[ticket.key] = Flight(handle, ticket.content, ticket.done.tx.player)
        await self.world.wait([handle], ticket.errand.left())
        if handle.done():
            return await self._hears(ticket, handle.result())
        ticket.errand.open = False  # what is decided from here on is not heard
        self.world.spawn(self.unheard(ticket.key, counted=ticket.key in ticket.errand.counted))
        return Unknown(detail="the provider's time is over")

    async def unheard(self, key: str, *, counted: bool) -> None:
        """Doubt is what this call's provider heard, whatever was decided at the same moment (26);
        what another call of it heard stays. `counted`: this one was counted to hear the decision."""
        now = self.world.clock()
        await self.world.journal.unheard(key, now, counted=counted, steps=[Step(now, Event.TOLD, "unknown")])

    async def _hears(self, ticket: Ticket, outcome: Outcome) -> Outcome:
        """A decision that another call brought is heard by this one too: it turns the clock off (12)."""
        errand = ticket.errand
        clocked = errand.provider.after_doubt is not None and ticket.done.tx.kind in (Kind.DEBIT, Kind.SETTLE)
        if clocked and isinstance(outcome, Accepted) and not errand.settling and ticket.key not in errand.counted:
            movement = await self.world.journal.get(ticket.key)
            if movement is not None:
                await self._tell(errand, movement, State.ACCEPTED.value)
        return outcome

    async def _join(self, ticket: Ticket, flight: Flight) -> Outcome:
        """A repeat of what is still being asked waits for that decision, within its own time."""
        if not self._same(ticket, flight.content, flight.player):
            return _mismatch()
        await self.world.wait([flight.handle], ticket.errand.left())
        if not flight.handle.done():
            return Unknown(detail="still being asked")
        return await self._hears(ticket, flight.handle.result())

    async def _fly(self, ticket: Ticket) -> Outcome:
        try:
            return await self.run(ticket)
        finally:
            self.flights.pop(ticket.key, None)

    # -- the journal decides what is to be done

    async def run(self, ticket: Ticket) -> Outcome:
        """Open, and: repeat, tombstone, decided by the journal, or brought to the wallet."""
        opened = await self.world.journal.open(self._intent(ticket))
        movement = opened.movement
        if opened.tombstone:
            assert movement.outcome is not None
            return movement.outcome
        if not opened.fresh:
            answer = await self._repeat(ticket, opened)
            if answer is not None:
                return answer
            taken = await self._take(ticket, movement)
            if taken is None:
                return Unknown(detail="another process is asking")
            if taken.outcome is not None and not isinstance(taken.outcome, Unknown):
                return self._replayed(ticket, taken.outcome)
            opened, movement = replace(opened, movement=taken), taken
        try:
            movement = await self._settle(ticket, opened)
        except Exception:
            due = self.world.clock() + pause(movement.key, movement.tries)
            steps = [Step(self.world.clock(), Event.LOOKED, "our own fault")]
            await self.world.journal.leave_open(movement, movement.open_state, "our own fault", None, due, steps=steps)
            raise
        if movement.state.decided and movement.outcome is not None:
            if not opened.fresh and not isinstance(movement.outcome, Unknown):
                return replace(movement.outcome, replayed=True)  # the provider asked twice (7)
            return movement.outcome
        return await self._doubt(ticket.errand, movement)

    def _intent(self, ticket: Ticket) -> Intent:
        done, way, now = ticket.done, ticket.way, self.world.clock()
        tx, dialect = done.tx, ticket.errand.provider.dialect
        undo = isinstance(tx.act, Rollback)
        alias = way.alias(ticket.id_space or ticket.space, tx.id) if way is not None else ""
        movement = Movement(
            key=ticket.key,
            provider=ticket.errand.provider.id,
            space=ticket.space,
            kind=tx.kind,
            tx=tx,
            fingerprint=ticket.content,
            wallet=way.wallet.name if way is not None else "",
            route=way.route.players if way is not None else "",
            alias=alias,
            attempts=1 if way is not None else 0,
            asked_at=now if way is not None else None,
            parent=ticket.parent,
            owner=self.node,
            due_at=self._lease_ends(ticket.errand),
            created_at=now,
        )
        return Intent(
            movement=movement,
            buried_by=(tx.kind, *_also(dialect.rollback_kinds, tx.kind)) if tx.kind in BURIABLE else (),
            target=ticket.target,
            targets=reference_kinds(ticket.errand.provider, tx.act),
            by_round=_by_round(dialect, tx.act),
            rounds=dialect.round_refunds,
            lone_bet=undo and dialect.lone_bet,
            wins=tx.kind is Kind.CREDIT,
            claim=undo and (ticket.alone or not dialect.partial or _undoes_all(tx, done.target)),
            several=undo and dialect.partial,
            alone=ticket.alone,
        )

    async def _repeat(self, ticket: Ticket, opened: Opened) -> Outcome | None:
        """What a repeat hears at once, or None: it is to be asked again."""
        movement = opened.movement
        if not self._same(ticket, movement.fingerprint, movement.tx.player):
            return _mismatch()
        if self._is_cancelled(ticket, movement):
            if ticket.errand.settling:
                return None
            return Declined(reason=Reason.ALREADY_ROLLED_BACK, message="its cancel was read")  # 11
        if movement.outcome is not None and not isinstance(movement.outcome, Unknown):
            word = movement.state.value
            if movement.told != word:
                await self._tell(ticket.errand, movement, word)
            return self._replayed(ticket, movement.outcome)
        return None

    @staticmethod
    def _is_cancelled(ticket: Ticket, movement: Movement) -> bool:
        """Whether a repeat is declined, because the movement was, or is to be, rolled back (11)."""
        if movement.kind is Kind.ROLLBACK or not movement.undone_by or movement.state is State.DECLINED:
            return False
        if compound.GIVEN_BACK in movement.undone_by:
            return not ticket.in_batch  # its batch goes on where it stopped; by itself it was never accepted
        return movement.told != State.ACCEPTED.value

    def _same(self, ticket: Ticket, content: str, player: str) -> bool:
        """Whether a repeat is one, by its content; it is counted, and a line of the story."""
        tx, settling = ticket.done.tx, ticket.errand.settling
        same = content == ticket.content and same_player(player, tx.player)
        if not settling:
            self.world.meter.replay(ticket.errand.provider.name, tx.kind.value, "same" if same else "conflict")
            what = Event.REPEATED if same else Event.CONFLICT
            self.world.spawn(self.world.journal.note(ticket.key, [Step(self.world.clock(), what)]))
        return same

    async def _tell(self, errand: Errand, movement: Movement, word: str) -> None:
        now = self.world.clock()
        errand.counted.add(movement.key)
        await self.world.journal.tell(movement, word, now, steps=[Step(now, Event.TOLD, word)])

    def _replayed(self, ticket: Ticket, outcome: Accepted | Declined) -> Outcome:
        current = ticket.errand.provider.dialect.replay_balance == "current"
        found: Outcome = replace(outcome, replayed=True)
        if current and isinstance(found, Accepted):
            found = replace(found, balance=None)  # fetched again, where the answer shows one (7)
        return found

    async def _take(self, ticket: Ticket, movement: Movement) -> Movement | None:
        """The movement for this process; waits while another one carries it. None: it still does (24)."""
        errand, world = ticket.errand, self.world
        while True:
            taken = await world.journal.take(movement, self.node, world.clock(), self._lease_ends(errand))
            if taken is not None or errand.left() < POLL_SECONDS:
                return taken
            await world.sleep(POLL_SECONDS)

    def _lease_ends(self, errand: Errand) -> datetime:
        return self.world.clock() + timedelta(seconds=errand.left()) + LEASE_MARGIN

    async def _doubt(self, errand: Errand, movement: Movement) -> Outcome:
        """Doubt is journalled before it is told: as doubt, owed or for a person."""
        now, settling = self.world.clock(), errand.settling
        person = movement.state is State.PERSON
        state = State.PERSON if person else movement.open_state
        movement = replace(movement, tries=movement.tries + 1 if settling else 0)
        due = None if person else now + pause(movement.key, movement.tries)
        step = Step(now, Event.LOOKED, movement.note) if settling else Step(now, Event.TOLD, "unknown")
        left = await self.world.journal.leave_open(
            movement, state, movement.note, None if settling else now, due, steps=[] if settling and person else [step]
        )
        if left.state.decided and left.outcome is not None:  # an answer came at the last moment
            if not settling and left.told != left.state.value:
                await self._tell(errand, left, left.state.value)
            return left.outcome
        return Unknown(detail=movement.note or "the wallet's decision is not known")

    async def for_person(self, movement: Movement, note: str) -> Movement:
        steps = [Step(self.world.clock(), Event.PERSON, note)]
        return await self.world.journal.leave_open(movement, State.PERSON, note, None, None, steps=steps)

    # -- to a decision

    async def _settle(self, ticket: Ticket, opened: Opened) -> Movement:
        """The row when all is done that may be done while the provider waits."""
        movement, errand = opened.movement, ticket.errand
        if errand.settling and opened.fresh and not movement.owes:  # nobody waits for it: it is not asked (9)
            refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was never asked for")
            return await self.asker.decide(errand, replace(movement, attempts=0), refusal)
        ruled = await self._by_journal(ticket, opened)
        if ruled is not None:
            return ruled
        way = self._way_of(ticket, movement)
        if way is None:
            return await self._unsaid(errand, movement, "no route leads to a wallet")
        if (
            not ticket.done.tx.player
            and not isinstance(movement.tx.act, Rollback | Capture)
            and not _nameless(movement)
        ):
            return await self._unsaid(errand, movement, "nobody knows the player", _who(ticket.done))
        if ticket.done.tx.player and _needs_currency(movement) and not movement.tx.currency:
            return await self._unsaid(errand, movement, "nobody knows the currency", _who(ticket.done))
        parts = await compound.carry_parts(self, ticket, way, opened)
        return parts if parts is not None else await self.bring(ticket, way, opened)

    async def sayable(self, ticket: Ticket, way: Way, movement: Movement) -> bool:
        """Whether this wallet's dialect has words for the movement as it is."""
        try:
            await self.asker.request(await self.job(ticket, way, movement, None, Decimal(0)), movement)
        except Refused:
            return False
        return True

    async def bring(self, ticket: Ticket, way: Way, opened: Opened) -> Movement:
        """To the wallet, as one movement."""
        movement, errand, target = opened.movement, ticket.errand, opened.target
        if isinstance(movement.tx.act, Rollback) and target is not None:
            ready = await self._undoable(ticket, way, movement, target)
            if not isinstance(ready, Movement):
                return ready[0]
            target = ready
        if isinstance(movement.tx.act, Credit) and not await self._bets_settled(ticket, opened):
            return await self._hold_back(movement, opened.fresh, "its bet is in doubt, and is completed first")
        if target is None and await self._would_be_guessed(way, movement):
            return await self._unsaid(errand, movement, "this wallet would take it for another bet of the round")
        job = await self.job(ticket, way, movement, target, opened.undone)
        try:
            brought = await self.asker.bring(job, movement, fresh=opened.fresh)
        except Refused as refused:
            return await self._unsayable(ticket, way, opened, refused)
        if isinstance(movement.tx.act, Rollback) and target is not None:
            await self._undone(errand, brought, target)
        return await self._left_open(way, brought)

    async def _would_be_guessed(self, way: Way, movement: Movement) -> bool:
        """Whether a wallet that looks for an unknown reference in its round would find a bet of ours
        there: Kyren's Cancel means the only open one, and its Refund all of them."""
        tx = movement.tx
        if not isinstance(tx.act, Rollback) or not way.wallet.dialect.lone_bet or not tx.round_id:
            return False
        for provider in way.setup.providers.values():
            around = await self.world.journal.round(provider.id, tx.player, tx.round_id)
            if any(m.kind is Kind.DEBIT and m.wallet == way.wallet.name and _is_open(m) for m in around):
                return True
        return False

    async def _left_open(self, way: Way, movement: Movement) -> Movement:
        """What cannot be settled any more waits for a person (14)."""
        if movement.state.decided or not movement.attempts:
            return movement
        if not remembered(movement, way.wallet, self.world.clock()):
            return await self.for_person(movement, f"wallet {way.wallet.name} does not remember it any more")
        if movement.owes and again(movement, way.wallet) == "never":
            return await self.for_person(movement, f"wallet {way.wallet.name} may not be asked again")
        return movement

    async def job(self, ticket: Ticket, way: Way, movement: Movement, target: Movement | None, undone: Decimal) -> Job:
        whole = None
        if target is not None:
            whole = Decimal(0) if moves_nothing(target.tx) else _amount(target)
        session = await self.asker.session_out(way, movement.tx.session)
        left = None if whole is None else max(whole - undone, Decimal(0))
        return Job(errand=ticket.errand, way=way, target=target, left=left, session=session, refusable=ticket.refusable)

    def _way_of(self, ticket: Ticket, movement: Movement) -> Way | None:
        """Where the journal says it goes: with its round or its target (23), else by the routes."""
        way, setup = ticket.way, ticket.errand.setup
        wallet = setup.wallets.get(movement.wallet)
        if wallet is None:
            return way
        here = way is not None and way.wallet.name == wallet.name
        if way is not None and here and way.route.players == movement.route:
            return way
        route = next((r for r in setup.routes if r.wallet == wallet.name and r.players == movement.route), None)
        as_now = way.route if way is not None and here else Route(wallet=wallet.name)
        route = route or replace(as_now, players=movement.route)
        return Way(setup=setup, provider=ticket.errand.provider, wallet=wallet, route=route)

    async def _unsayable(self, ticket: Ticket, way: Way, opened: Opened, refused: Refused) -> Movement:
        """The wallet's dialect has no words for it; nothing was sent."""
        movement = opened.movement
        if moves_nothing(movement.tx):
            unsent = replace(movement, attempts=0) if opened.fresh else movement
            return await self.asker.decide(ticket.errand, unsent, Accepted(currency=movement.tx.currency))  # 20
        return await self._unsaid(ticket.errand, movement, refused.message)

    async def _unsaid(
        self, errand: Errand, movement: Movement, why: str, reason: Reason = Reason.UNSUPPORTED
    ) -> Movement:
        """Nothing was sent, and nothing can be: a debit is declined, anything else is a person's."""
        movement = replace(movement, attempts=0) if movement.attempts <= 1 else movement
        if movement.open_state is State.DOUBT:
            return await self.asker.decide(errand, movement, Declined(reason=reason, message=why))
        return await self.for_person(movement, why)

    async def _hold_back(self, movement: Movement, fresh: bool, note: str) -> Movement:
        """It is owed, and its turn has not come: the attempt that was journalled did not begin."""
        if fresh:
            held = [Step(self.world.clock(), Event.HELD, note)]
            movement = await self.world.journal.not_left(movement, steps=held)
        return replace(movement, note=note)

    # -- rollbacks

    async def _by_journal(self, ticket: Ticket, opened: Opened) -> Movement | None:
        """A rollback that is decided by what the journal knows (15, 16, 17)."""
        movement, target = opened.movement, opened.target
        was_sent = not opened.fresh and (movement.attempts > 0 or movement.asked_at is not None)
        if not isinstance(movement.tx.act, Rollback) or was_sent:
            return None  # what the wallet was asked is brought to its own answer (13)
        refusal: Accepted | Declined | None = await self._refusal(ticket, opened)
        if refusal is None and target is not None and target.undone_by not in ("", movement.key):
            refusal = await self._after_another(ticket, target.undone_by)
            if refusal is None and not ticket.errand.provider.dialect.partial:
                return await self._hold_back(movement, opened.fresh, "another rollback of it is under way")
        if refusal is None and target is not None and await self._never_sent(target):
            return await self._by_itself(ticket, movement, Accepted(moved=Decimal(0), currency=target.tx.currency))
        if refusal is None:
            return None
        if isinstance(refusal, Declined):
            await self.world.journal.release_target(movement.key, self.world.clock())
        return await self._by_itself(ticket, movement, refusal)

    async def _never_sent(self, movement: Movement) -> bool:
        """Accepted without a wallet: nothing moved there, so nothing is undone there (20).

        A split settle was not sent either, but its parts were (18).
        """
        unsent = movement.state is State.ACCEPTED and movement.attempts == 0
        return unsent and not await self.world.journal.children(movement.key)

    async def _by_itself(self, ticket: Ticket, movement: Movement, outcome: Accepted | Declined) -> Movement:
        tx = movement.tx
        balance = await self.asker.last_balance(movement.provider, tx.player, tx.currency)
        if outcome.balance is None and balance is not None:
            outcome = replace(outcome, balance=balance, currency=tx.currency)
        return await self.asker.decide(ticket.errand, replace(movement, attempts=0), outcome)

    async def _refusal(self, ticket: Ticket, opened: Opened) -> Declined | None:
        movement, target, dialect = opened.movement, opened.target, ticket.errand.provider.dialect
        act = movement.tx.act
        assert isinstance(act, Rollback)
        if _by_round(dialect, act) and any(_is_win(m) for m in opened.round):
            return Declined(reason=Reason.ALREADY_SETTLED, message="the round has a win")  # 16
        if target is None:
            return await self._of_another(ticket, movement)
        if target.state is State.DECLINED:
            return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement was declined")  # 15
        whole = _amount(target)
        if dialect.partial and whole is not None and opened.undone >= whole > 0 and await self._all_done(target):
            return Declined(reason=Reason.ALREADY_ROLLED_BACK, message="nothing is left of that movement")
        if act.amount is None or whole is None:
            return None
        if movement.tx.currency != target.tx.currency:
            return Declined(reason=Reason.CURRENCY_MISMATCH, message=f"that movement was in {target.tx.currency}")
        if dialect.excess == "refuse" and act.amount > whole - opened.undone:
            message = "more than is left of that movement"
            return Declined(reason=Reason.INVALID_REQUEST, message=message, field="amount", flaw=Flaw.TOO_HIGH)  # 17
        return None

    async def _of_another(self, ticket: Ticket, rollback: Movement) -> Declined | None:
        """A rollback of another player's movement: no wallet is to give this one that money."""
        provider, act = ticket.errand.provider, rollback.tx.act
        if provider.dialect.scope != "provider" or not rollback.reference:
            return None
        meant = await self.world.journal.find(provider.id, reference_kinds(provider, act), rollback.reference)
        if meant is None or same_player(meant.tx.player, rollback.tx.player):
            return None
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement is another player's")

    async def _all_done(self, target: Movement) -> bool:
        undoing = [m for m in await self.world.journal.aimed_at(target.key) if m.kind is Kind.ROLLBACK]
        return all(m.state.decided for m in undoing if m.attempts)

    async def _after_another(self, ticket: Ticket, other: str) -> Accepted | Declined | None:
        """What a second rollback of one movement hears when the first is done; None: it is not.

        The gateway's own rollback is one that this provider joins: it never heard of it (12).
        """
        flight = self.flights.get(other)
        if flight is not None:
            await self.world.wait([flight.handle], ticket.errand.left())
        found = await self.world.journal.get(other)
        if found is not None and isinstance(found.outcome, Accepted):
            if found.tx.id.startswith(OWN_ROLLBACK):
                return replace(found.outcome, balance=None, bonus=None)
            return Declined(
                reason=Reason.ALREADY_ROLLED_BACK, message="rolled back before", wallet_id=found.outcome.wallet_id
            )
        return None

    async def _undoable(
        self, ticket: Ticket, way: Way, movement: Movement, target: Movement
    ) -> Movement | tuple[Movement]:
        """The target when its rollback may be sent (11); in a tuple: the rollback, and it may not yet."""
        fresh = movement.attempts <= 1 and movement.state is State.ASKING
        if await self._unsent(ticket, movement, target):
            return (await self._never_was(ticket, movement),)
        if target.state.decided or way.wallet.tombstones or movement.attempts > 1:
            return target
        target = await self._wait_for(ticket, target)
        if not target.state.decided:
            target = await self._ask_about(ticket, way, target)
        if target.state is State.DECLINED:
            return (await self._never_was(ticket, movement),)
        if target.state.decided or settled_in_flight(target, way.wallet, self.world.clock()):
            return target
        return (await self._hold_back(movement, fresh, "its bet is in doubt"),)

    async def _unsent(self, ticket: Ticket, movement: Movement, target: Movement) -> bool:
        """Whether no byte of its bet ever left us: then the bet is over, and no wallet need be asked (10).

        The bet is taken first, and its repeats are refused since its cancel was read: nobody sends it now.
        """
        unsent = target.state is State.DOUBT and not target.attempts and target.undone_by == movement.key
        if not unsent or target.key in self.flights or target.key in self.asker.air:
            return False
        taken = await self.world.journal.take(target, self.node, self.world.clock(), self._lease_ends(ticket.errand))
        if taken is None or taken.state is not State.DOUBT or taken.attempts or target.key in self.flights:
            return False
        refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it never reached the wallet")
        ended = await self.world.journal.decide(taken, refusal, self.world.clock(), heard=False)
        return ended.state is State.DECLINED

    async def _never_was(self, ticket: Ticket, movement: Movement) -> Movement:
        await self.world.journal.release_target(movement.key, self.world.clock())
        refusal = Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that movement was declined")
        return await self._by_itself(ticket, movement, refusal)

    async def _wait_for(self, ticket: Ticket, target: Movement) -> Movement:
        """The target when the call that carries it in this process has ended, or our time has."""
        flight = self.flights.get(target.key)
        handles = [flight.handle] if flight is not None else [*self.asker.air.get(target.key, ())]
        if handles:
            await self.world.wait(handles, ticket.errand.left() / 2)
        return await self.world.journal.get(target.key) or target

    async def _ask_about(self, ticket: Ticket, way: Way, target: Movement) -> Movement:
        """A query, where this wallet can be asked about the movement."""
        job = await self.job(ticket, way, target, None, Decimal(0))
        return await self.asker.ask_about(job, target)

    async def _undone(self, errand: Errand, rollback: Movement, target: Movement) -> None:
        """What the end of a rollback says of its target."""
        if not rollback.state.decided:
            return
        outcome = rollback.outcome
        gone = isinstance(outcome, Accepted) or (
            isinstance(outcome, Declined) and outcome.reason is Reason.TRANSACTION_NOT_FOUND
        )
        if not target.state.decided and gone:  # a rollback ends the doubt about its target (5, 10)
            refusal = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back")
            await self.world.journal.decide(target, refusal, self.world.clock(), heard=False)
        elif not gone:
            await self.world.journal.release_target(rollback.key, self.world.clock())

    # -- credits

    async def _bets_settled(self, ticket: Ticket, opened: Opened) -> bool:
        """Whether the bet that a win ties to is out of doubt; it is completed first (13)."""
        for bet in tied_bets(opened.movement.tx, opened.round):
            if bet.state.decided or (bet.undone_by and not await self._cancel_stopped(ticket, bet)):
                continue  # once its rollback may have left, the win goes to the wallet (12, 15)
            if not (await self._complete_bet(ticket, bet)).state.decided:
                return False
        return True

    async def _cancel_stopped(self, ticket: Ticket, bet: Movement) -> bool:
        """A win stops a cancel that has not been sent and of which its provider heard no success (11)."""
        cancel = await self.world.journal.get(bet.undone_by)
        if cancel is None or cancel.attempts or cancel.state.decided or cancel.key in self.flights:
            return False
        await self.world.journal.release_target(cancel.key, self.world.clock())
        refusal = Declined(reason=Reason.ALREADY_SETTLED, message="a win came for this bet")
        await self.asker.decide(ticket.errand, cancel, refusal)
        return True

    async def _complete_bet(self, ticket: Ticket, bet: Movement) -> Movement:
        flight = self.flights.get(bet.key)
        if flight is not None:
            await self.world.wait([flight.handle], ticket.errand.left())
            return await self.world.journal.get(bet.key) or bet
        way = self._way_of(ticket, bet)
        if way is None:
            return bet
        job = replace(await self.job(ticket, way, bet, None, Decimal(0)), won=True)
        return await self.asker.bring(job, bet, fresh=False)


def tied_bets(tx: Transaction, around: tuple[Movement, ...]) -> list[Movement]:
    """The bet that a win names, or the only one of its round (11)."""
    bets = [m for m in around if isinstance(m.tx.act, Debit) and not m.parent and m.state is not State.DECLINED]
    said = tx.act.reference if isinstance(tx.act, Credit) else ""
    named = [bet for bet in bets if said and bet.tx.id == said]
    return named or (bets if len(bets) == 1 else [])


def _is_open(bet: Movement) -> bool:
    return bet.state is not State.DECLINED and not bet.undone_by


def _by_round(dialect: Dialect, act: Act) -> bool:
    """Whether a rollback may mean a whole round (16)."""
    return isinstance(act, Rollback) and act.scope == "round" and dialect.round_refunds


def _undoes_all(tx: Transaction, target: Movement | None) -> bool:
    """A rollback of all of it is a cancel (11), also where partial ones are known."""
    whole = _amount(target) if target is not None else None
    asked = tx.act.amount if isinstance(tx.act, Rollback) else None
    return asked is None or (whole is not None and asked >= whole)


def _also(rollback_kinds: object, kind: Kind) -> tuple[Kind, ...]:
    """The reference kinds under which a rollback may have meant a movement of `kind`."""
    assert hasattr(rollback_kinds, "items")
    return tuple(Kind(said) for said, kinds in rollback_kinds.items() if kind in kinds and said != kind.value)


def _mismatch() -> Declined:
    return Declined(reason=Reason.DUPLICATE_MISMATCH, message="this id was used for another movement")


def _nameless(movement: Movement) -> bool:
    """The release of a hold that nobody here knows carries no player."""
    return movement.kind is Kind.RELEASE


def _needs_currency(movement: Movement) -> bool:
    return isinstance(movement.tx.act, Debit | Credit | Settle | Adjust | Reserve)


def _who(done: Completed) -> Reason:
    return Reason.SESSION_EXPIRED if done.expired else Reason.NOT_AUTHENTICATED


def _is_win(movement: Movement) -> bool:
    return movement.kind in (Kind.CREDIT, Kind.SETTLE) and movement.state is not State.DECLINED


def _amount(movement: Movement) -> Decimal | None:
    """What a movement moved, where a rollback of it can be compared with it."""
    act = movement.tx.act
    if isinstance(act, Debit | Credit | Reserve):
        return act.amount
    return None


__all__ = ["Flight", "Movements", "Ticket"]
