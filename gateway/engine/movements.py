"""One movement from its first reading to its decision: identity, journal, rules, wallet.

Numbers in comments are those of SEMANTICS.md.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from gateway.engine import compound
from gateway.engine.asking import LOST_SECONDS, Asker, Job
from gateway.engine.backoff import pause
from gateway.engine.complete import Completed, reference_kinds
from gateway.engine.errand import Errand
from gateway.engine.identity import alias, fingerprint, key_of, same_player
from gateway.engine.journal import Event, Intent, JournalLost, Movement, Opened, Step
from gateway.engine.judge import again, remembered
from gateway.engine.plan import AMOUNT_OF_ROLLBACK, Way, moves_nothing
from gateway.engine.rollbacks import OWN_ROLLBACK, Rollbacks, amount_of, by_round, undoes_all
from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.engine.ticket import Flight, Ticket
from gateway.engine.wins import bets_settled
from gateway.engine.world import Handle
from gateway.model import (
    Accepted,
    Adjust,
    Capture,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
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


LEASE_MARGIN = timedelta(seconds=5)  # a lease outlives its call: bytes never leave after it (24)
POLL_SECONDS = 0.05  # while another process carries a movement


class Movements:
    """Carries movements; knows which are in the air in this process."""

    def __init__(self, asker: Asker) -> None:
        self.asker, self.world = asker, asker.world
        self.rollbacks = Rollbacks(self)
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
        counted = ticket.key in ticket.errand.counted
        ticket.errand.counted.discard(ticket.key)
        self.world.spawn(self.unheard(ticket.key, counted=counted))
        return Unknown(detail="the provider's time is over")

    async def unheard(self, key: str, *, counted: bool) -> None:
        """Doubt is what this call's provider heard, whatever was decided at the same moment (26);
        what another call of it heard stays. `counted`: this one was counted to hear the decision."""
        step = Step(self.world.clock(), Event.TOLD, "unknown")
        try:
            await self.world.journal.unheard(key, step.at, counted=counted, steps=[step])
        except JournalLost:
            self.world.spawn(self._unheard_later(key, step, counted=counted))

    async def _unheard_later(self, key: str, step: Step, *, counted: bool, unless_lost: Step | None = None) -> None:
        """As soon as the journal is back: money hangs on the last word that a provider heard (12).
        `unless_lost`: it was counted by this step, if that is durable."""
        while True:
            await self.world.sleep(LOST_SECONDS)
            with contextlib.suppress(JournalLost):
                story = await self.world.journal.story(key)
                if step not in story:
                    really = counted and (unless_lost is None or unless_lost in story)
                    await self.world.journal.unheard(key, step.at, counted=really, steps=[step])
                return

    async def _hears(self, ticket: Ticket, outcome: Outcome) -> Outcome:
        """A decision that another call brought is heard by this one too: it turns the clock off (12)."""
        errand = ticket.errand
        clocked = errand.provider.after_doubt is not None and ticket.done.tx.kind in (Kind.DEBIT, Kind.SETTLE)
        if not clocked or not isinstance(outcome, Accepted) or errand.settling:
            return outcome
        if ticket.key not in errand.counted:
            movement = await self.world.journal.get(ticket.key)
            if movement is not None:
                await self._tell(errand, movement, State.ACCEPTED.value)
        return outcome if ticket.key in errand.first else await self._unless_given_back(ticket, outcome)

    async def _unless_given_back(self, ticket: Ticket, outcome: Outcome) -> Outcome:
        """Our own rollback may have begun while a repeat was on its way to its decision: nothing stops
        it then, and the repeat is declined (12). One that begins later finds the decision heard."""
        movement = await self.world.journal.get(ticket.key)
        undoing = await self.world.journal.get(movement.undone_by) if movement and movement.undone_by else None
        if undoing is None or not undoing.tx.id.startswith(OWN_ROLLBACK):
            return outcome
        counted = ticket.key in ticket.errand.counted
        ticket.errand.counted.discard(ticket.key)
        await self.unheard(ticket.key, counted=counted)
        return Declined(reason=Reason.ALREADY_ROLLED_BACK, message="its provider was silent: it is given back")

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
        if opened.fresh:
            ticket.errand.first.add(ticket.key)
        if opened.tombstone:
            assert movement.outcome is not None
            return movement.outcome
        if not opened.fresh:
            answer = await self._repeat(ticket, opened)
            if answer is not None:
                return answer
            taken = await self.take(ticket, movement)
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
        own = way.alias(ticket.id_space or ticket.space, tx.id) if way is not None else ""
        movement = Movement(
            key=ticket.key,
            provider=ticket.errand.provider.id,
            space=ticket.space,
            kind=tx.kind,
            tx=tx,
            fingerprint=ticket.content,
            wallet=way.wallet.name if way is not None else "",
            route=way.route.players if way is not None else "",
            alias=own,
            attempts=1 if way is not None else 0,
            asked_at=now if way is not None else None,
            parent=ticket.parent,
            owner=self.node,
            due_at=self.lease_ends(ticket.errand),
            created_at=now,
        )
        return Intent(
            movement=movement,
            buried_by=(tx.kind, *_also(dialect.rollback_kinds, tx.kind)) if tx.kind in BURIABLE else (),
            target=ticket.target,
            targets=reference_kinds(ticket.errand.provider, tx.act),
            by_round=by_round(dialect, tx.act),
            rounds=dialect.round_refunds,
            lone_bet=undo and dialect.lone_bet,
            wins=tx.kind is Kind.CREDIT,
            claim=undo and (ticket.alone or not dialect.partial or undoes_all(tx, done.target)),
            several=undo and dialect.partial,
            alone=ticket.alone,
            aliases=self._aliases(ticket, tx) if way is not None and (tx.round_id or undo) else {},
        )

    @staticmethod
    def _aliases(ticket: Ticket, tx: Transaction) -> dict[str, str]:
        """What each other wallet is told as id: the journal may know that it goes there (23)."""
        space, way = ticket.id_space or ticket.space, ticket.way
        assert way is not None
        wallets = way.setup.wallets.values()
        if len(wallets) <= 1:
            return {}
        own = ticket.errand.provider.id
        return {w.name: alias(w.dialect, w.ids_as_is, own, space, tx.id) for w in wallets if w.name != way.wallet.name}

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
        if not errand.open:
            return  # its provider was told doubt already, or it is settlement that looks
        told = Step(self.world.clock(), Event.TOLD, word)
        errand.counted.add(movement.key)
        try:
            await self.world.journal.tell(movement, word, told.at, steps=[told])
        except JournalLost:  # doubt is what it hears; only if this was durable all the same, it is taken back
            if movement.key in errand.counted:
                errand.counted.discard(movement.key)
                doubt = Step(told.at, Event.TOLD, "unknown")
                self.world.spawn(self._unheard_later(movement.key, doubt, counted=True, unless_lost=told))
            raise

    def _replayed(self, ticket: Ticket, outcome: Accepted | Declined) -> Outcome:
        current = ticket.errand.provider.dialect.replay_balance == "current"
        found: Outcome = replace(outcome, replayed=True)
        if current and isinstance(found, Accepted):
            found = replace(found, balance=None)  # fetched again, where the answer shows one (7)
        return found

    async def take(self, ticket: Ticket, movement: Movement) -> Movement | None:
        """The movement for this process; waits while another one carries it. None: it still does (24)."""
        errand, world = ticket.errand, self.world
        while True:
            taken = await world.journal.take(movement, self.node, world.clock(), self.lease_ends(errand))
            if taken is not None or errand.left() < POLL_SECONDS:
                return taken
            await world.sleep(POLL_SECONDS)

    def lease_ends(self, errand: Errand) -> datetime:
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
        if movement.undone_by and not movement.owes:
            movement = await self.rollbacks.ended(errand, movement)
            if movement.state.decided:
                return movement
        ruled = await self.rollbacks.by_journal(ticket, opened)
        if ruled is not None:
            return ruled
        way = self.way_of(ticket, movement)
        if way is None:
            return await self.unsaid(errand, movement, "no route leads to a wallet")
        if (
            not ticket.done.tx.player
            and not isinstance(movement.tx.act, Rollback | Capture)
            and not _nameless(movement)
        ):
            return await self.unsaid(errand, movement, "nobody knows the player", _who(ticket.done))
        if ticket.done.tx.player and _needs_currency(movement) and not movement.tx.currency:
            return await self.unsaid(errand, movement, "nobody knows the currency", _who(ticket.done))
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
            ready = await self.rollbacks.undoable(ticket, way, movement, target)
            if not isinstance(ready, Movement):
                return ready[0]
            target = ready
        if isinstance(movement.tx.act, Credit) and not await bets_settled(self, ticket, opened):
            return await self.hold_back(movement, opened.fresh, "its bet is in doubt, and is completed first")
        if target is None and await self._would_be_guessed(way, movement):
            return await self.rollbacks.unknown(ticket, movement)
        job = await self.job(ticket, way, movement, target, opened.undone)
        try:
            brought = await self.asker.bring(job, movement, fresh=opened.fresh)
        except Refused as refused:
            return await self._unsayable(ticket, way, opened, refused)
        if isinstance(movement.tx.act, Rollback) and target is not None:
            await self.rollbacks.undone(errand, brought, target)
        return await self.left_open(way, brought)

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

    async def left_open(self, way: Way, movement: Movement) -> Movement:
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
            whole = Decimal(0) if moves_nothing(target.tx) else amount_of(target)
        session = await self.asker.session_out(way, movement.tx.session)
        left = None if whole is None else max(whole - undone, Decimal(0))
        return Job(errand=ticket.errand, way=way, target=target, left=left, session=session, refusable=ticket.refusable)

    def way_of(self, ticket: Ticket, movement: Movement) -> Way | None:
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
        unseen = isinstance(movement.tx.act, Rollback) and opened.target is None and movement.attempts <= 1
        if unseen and (isinstance(refused, Missing) or refused.field == AMOUNT_OF_ROLLBACK):
            return await self.rollbacks.unknown(ticket, movement)
        return await self.unsaid(ticket.errand, movement, refused.message)

    async def unsaid(
        self, errand: Errand, movement: Movement, why: str, reason: Reason = Reason.UNSUPPORTED
    ) -> Movement:
        """Nothing was sent, and nothing can be: a debit is declined, anything else is a person's."""
        movement = replace(movement, attempts=0) if movement.attempts <= 1 else movement
        if movement.open_state is State.DOUBT:
            return await self.asker.decide(errand, movement, Declined(reason=reason, message=why))
        return await self.for_person(movement, why)

    async def hold_back(self, movement: Movement, fresh: bool, note: str) -> Movement:
        """It is owed, and its turn has not come: the attempt that was journalled did not begin."""
        if fresh:
            held = [Step(self.world.clock(), Event.HELD, note)]
            movement = await self.world.journal.not_left(movement, steps=held)
        return replace(movement, note=note)


def _is_open(bet: Movement) -> bool:
    return bet.state is not State.DECLINED and not bet.undone_by


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
