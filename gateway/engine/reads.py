"""Calls that move nothing: asked of the wallet, or answered without it where it has no words."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.ends import StatusBy
from gateway.engine.asked import answering
from gateway.engine.complete import Completed
from gateway.engine.errand import Errand
from gateway.engine.exchange import Exchanges
from gateway.engine.gather import begins, knowing
from gateway.engine.identity import kinds_beside
from gateway.engine.journal import Change, Put, Steps, Write
from gateway.engine.judge import OUR_FAULT
from gateway.engine.listed import Listed, listing
from gateway.engine.movement import UNKNOWN, Event, Movement, Session, Step
from gateway.engine.movement import told as told_to
from gateway.engine.rules import NOT_HERE, ROLLED_BACK, clocked
from gateway.engine.states import State
from gateway.engine.words import Way, encode, for_wallet, lacking
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Capture,
    Check,
    CloseRound,
    CloseSession,
    Declined,
    Kind,
    Notice,
    Outcome,
    Profile,
    Reason,
    Refused,
    Release,
    Reserve,
    Status,
    Transaction,
    Unknown,
    unsupported,
)

TRIES = 2  # a read may be asked again: it moves nothing
STALE_MAX = 200  # looks of one status: more than this is a circle, and our bug


class Reads:
    """Reads of a provider, and the reads that the gateway makes for itself."""

    def __init__(self, exchanges: Exchanges) -> None:
        self.exchanges, self.world = exchanges, exchanges.world

    async def answer(self, errand: Errand, way: Way, done: Completed) -> Outcome:
        """What the wallet says, or what is said without it."""
        tx = done.tx
        outcome: Outcome | Refused = BEGUN if _begun(way, done) else await self.ask(errand, way, tx)
        if isinstance(outcome, Refused):
            outcome = await self._without_words(errand, way, done, outcome)
        if isinstance(outcome, Accepted) and isinstance(tx.act, Authenticate):
            outcome = await self._learn(way, done, outcome)
        return outcome

    async def ask(
        self, errand: Errand, way: Way, tx: Transaction, *, target: Movement | None = None, until: float | None = None
    ) -> Outcome | Refused:
        """One read of the wallet, twice where the first came to nothing; `Refused`: it cannot be told.

        `target` = the movement that it asks about, `until` = the tick at which it must be over; the
        provider's own time where it is not given.
        """
        known = await self.world.journal.look(knowing(way, tx, errand.session))
        wallet_tx = for_wallet(way, tx, tx.id, target, known.session_out(tx))
        outcome: Outcome = Unknown(detail="no time was left for the wallet")
        for _ in range(TRIES):
            left = errand.left() if until is None else until - self.world.ticks()
            seconds = min(left, way.wallet.answer_within.total_seconds())
            if seconds <= 0:
                break
            try:
                request = encode(known, wallet_tx, self.world.clock(), self.world.nonce())
            except Refused as refused:
                return refused.with_traceback(None)
            handle = self.world.spawn(self.exchanges.ask(errand, way, request, wallet_tx, tx.currency))
            await self.world.wait([handle], seconds)
            exchange = handle.result() if handle.done() else None
            if exchange is not None:
                outcome = exchange.outcome
                await self.exchanges.renewed(way, tx, wallet_tx.session, outcome)
            if not isinstance(outcome, Unknown) or (exchange is not None and exchange.hopeless):
                break
        return _ours(outcome)

    async def _without_words(self, errand: Errand, way: Way, done: Completed, refused: Refused) -> Outcome:
        """A call that the wallet lacks, answered by the balance (or by `authenticate`, which shows one)."""
        tx = done.tx
        if isinstance(tx.act, Balance):
            found = await self.ask(errand, way, replace(tx, act=Authenticate()))
            return found if not isinstance(found, Refused) else _unasked(done, refused, found)
        if isinstance(tx.act, Authenticate) and not tx.player:
            return Declined(reason=done.nobody, message="nobody knows this session")
        if isinstance(tx.act, Authenticate | Check | CloseRound | CloseSession | Notice):
            found = await self.ask(errand, way, replace(tx, act=Balance(), id=""))
            if isinstance(found, Refused):
                unasked = _unasked(done, refused, found)
                asks = isinstance(tx.act, Authenticate | Check)  # the others only tell
                found = unasked if asks and unasked.reason is done.nobody else Accepted()
            if isinstance(found, Accepted) and isinstance(tx.act, Authenticate):
                who = Profile(player=tx.player, session=tx.session)
                return replace(found, profile=who, currency=found.currency or tx.currency)
            return found
        return Declined(reason=Reason.UNSUPPORTED, message=f"this wallet has no {tx.kind.value}")

    async def _learn(self, way: Way, done: Completed, outcome: Accepted) -> Accepted:
        """A session is known from `authenticate` on; a new one from the wallet replaces the old."""
        tx, who = done.tx, outcome.profile or Profile()
        player = who.player or tx.player
        given = who.session or tx.session
        now, provider_id = self.world.clock(), way.provider.id
        seen = Session(
            provider=provider_id, session=tx.session or given, player=player, currency=outcome.currency or tx.currency,
            game=tx.game_id, wallet=way.wallet.name, seen_at=now,
            country=who.country,
        )  # fmt: skip
        if isinstance(tx.act, Authenticate) and way.provider.dialect.as_provider.one_time_launch:
            seen = replace(seen, launch_token=tx.act.launch_token)
        if way.provider.renews and player and tx.session:
            told = done.launched.wallet_session if done.launched is not None else ""
            own = given if given not in (tx.session, told) else self.world.nonce()
            await self.world.journal.learn(replace(seen, wallet_session=given, expires_at=now))
            await self.world.journal.learn(replace(seen, session=own, wallet_session=given))
            return replace(outcome, profile=replace(who, player=player, session=own))
        if player and seen.session:
            fresh = given if given != tx.session else ""
            await self.world.journal.learn(replace(seen, wallet_session=fresh or _of_launch(done.launched, seen)))
            if fresh and fresh != seen.session:
                await self.world.journal.learn(replace(seen, session=fresh, wallet_session=fresh))
        return replace(outcome, profile=replace(who, player=player))

    async def balance(self, errand: Errand, way: Way, tx: Transaction, seconds: float) -> Accepted | None:
        """A balance fetched in addition: never changes an outcome, and None where it fails (rule 8)."""
        wanted = Transaction(
            act=Balance(), player=tx.player, session=tx.session, currency=tx.currency, game=tx.game
        )  # fmt: skip
        until = self.world.ticks() + seconds
        found = await self.ask(errand, way, wanted, until=until)
        if isinstance(found, Refused):
            found = await self.ask(errand, way, replace(wanted, act=Authenticate()), until=until)
        return found if isinstance(found, Accepted) and found.balance is not None else None

    # -- what became of a movement

    async def status(self, errand: Errand, way: Way | None, done: Completed) -> Outcome:
        """The first decision by the journal, else by the wallet.

        A query names no currency, so routes that ask for one lead it nowhere. `way` None: that, or the wallet of the
        movement is gone, or points elsewhere by now, and is not asked (rule 23).

        Who hears here that a movement stands has heard it (rule 12). *Its provider asked, was told that the bet stands, and
        then the clock of the first doubt gave it back.*
        """
        for _ in range(STALE_MAX):
            outcome, told = await self._status(errand, way, done)
            if not isinstance(outcome, Accepted) or await self._heard(errand, told):
                return outcome
            again = await self.world.journal.get(done.meant.key) if done.meant is not None else None
            done = replace(done, meant=again)
        raise AssertionError("movements that are always stale")

    async def _status(self, errand: Errand, way: Way | None, done: Completed) -> tuple[Outcome, Sequence[Movement]]:
        """The answer, and the movements of which it tells that they stand."""
        match errand.provider.dialect.as_provider.status_by:
            case StatusBy.ALL:
                return await self._listed(errand, done.tx)
            case StatusBy.ID:
                return await self._of_any_kind(errand, way, done.tx), ()  # which writes down what it tells
        hold = done.meant
        if hold is not None and hold.kind is not Kind.RESERVE:
            undoer = await self.world.journal.get(hold.undone_by) if hold.undone_by else None
            return _first_decision(Listed(m=hold, tx=hold.tx, undoer=undoer)), (hold,)
        asked = await self.ask(errand, way, done.tx, target=hold) if way is not None else None
        asked = None if isinstance(asked, Refused) else asked
        if isinstance(asked, Declined) and asked.reason is Reason.UNSUPPORTED and not asked.replayed:
            asked = Unknown(detail=asked.message)  # that no is to the query: it is no decision about the movement
        if hold is not None and not isinstance(asked, Accepted):
            return await self._hold_by_journal(hold), (hold,)  # it came through here: who denies it is not believed
        if asked is not None and not isinstance(asked, Unknown):
            return _with_hold(asked, hold), (hold,) if hold is not None else ()
        return asked or NOT_HERE, ()

    async def _of_any_kind(self, errand: Errand, way: Way | None, tx: Transaction) -> Outcome:
        """By an id alone. What neither the journal nor its wallet knows is remembered as such (rule 15)."""
        known = await self._answered(errand, tx, denied=False)
        known = known or (await self._wallets_word(errand, way, tx) if way is not None else None)
        known = known or await self._answered(errand, tx, denied=True)
        return known or Unknown(detail="the journal changed meanwhile")

    async def _wallets_word(self, errand: Errand, way: Way, tx: Transaction) -> Outcome | None:
        """What its wallet knows of that id, as whatever kind; None: it knows nothing, or cannot be asked."""
        assert isinstance(tx.act, Status)
        for kind in kinds_beside(errand.provider.dialect, tx.act.reference_kind):
            asked = await self.ask(errand, way, replace(tx, act=replace(tx.act, reference_kind=kind)))
            if isinstance(asked, Accepted | Unknown):
                return asked
            if isinstance(asked, Declined) and (asked.replayed or asked.reason is not Reason.TRANSACTION_NOT_FOUND):
                # That a wallet does not take the query is no decision about the movement.
                ours = asked.reason is Reason.UNSUPPORTED and not asked.replayed
                return Unknown(detail=asked.message) if ours else asked
        return None

    async def _answered(self, errand: Errand, tx: Transaction, *, denied: bool) -> Outcome | None:
        now, provider = self.world.clock(), errand.provider
        found = await self.world.journal.make(
            Change(steps=lambda again: answering(provider, tx, errand.name, now, denied=denied))
        )
        errand.keys |= {found.key} if found.key else set()
        return found.outcome

    async def _listed(self, errand: Errand, tx: Transaction) -> tuple[Outcome, Sequence[Movement]]:
        """All that it may mean in the journal and that was accepted. Of what is open nobody knows whether it belongs there;
        that a round is known does not hang on it."""
        assert isinstance(tx.act, Status)
        found = await self.world.journal.look(listing(errand.provider, tx, tx.act))
        taken = [each for each in found if each.known and each.m.state is State.ACCEPTED]
        if any(not each.known for each in found) and not (taken and tx.act.scope == "round"):
            return Unknown(detail="its outcome is not known yet"), ()
        if taken:
            told = (
                taken if tx.act.scope != "round" else ()
            )  # of a round it is told when it began, not what stands in it
            return Accepted(meant=tuple(each.tx for each in taken)), tuple(each.m for each in told)
        return NOT_HERE, ()

    async def _heard(self, errand: Errand, told: Sequence[Movement]) -> bool:
        """Journalled first, where a clock runs for it; False: one of them is not any more as it was read."""
        clocks = [m for m in told if clocked(errand.provider, m) and m.told == UNKNOWN and m.state is State.ACCEPTED]
        now = self.world.clock()
        puts = tuple(Put(m, told_to(m, errand.name, now)) for m in clocks if not m.undone_by)
        if not puts:
            return True
        errand.keys.update(put.before.key for put in puts)
        steps = tuple((put.before.key, Step(now, Event.TOLD, put.after.told)) for put in puts)

        def write(again: bool) -> Steps[bool]:
            held: bool = yield Write(puts=puts, steps=steps)
            return held

        made: bool = await self.world.journal.make(Change(steps=write, key=puts[0].before.key, repeatable=False))
        return made

    async def _hold_by_journal(self, reserve: Movement) -> Outcome:
        """What the journal itself knows of a hold, for wallets that cannot be asked."""
        act, outcome = reserve.tx.act, reserve.outcome
        assert isinstance(act, Reserve)
        if not isinstance(outcome, Accepted):
            return _first_decision(Listed(m=reserve, tx=reserve.tx))
        ends = {Capture: "used", Release: "released"}
        state = "expired" if act.expires_at is not None and act.expires_at <= self.world.clock() else "active"
        for later in await self.world.journal.aimed_at(reserve.key):
            if later.state is State.ACCEPTED and type(later.tx.act) in ends:
                state = ends[type(later.tx.act)]
        return replace(_hold(outcome, reserve), state=state)


def _of_launch(launched: Session | None, seen: Session) -> str:
    """What the wallet calls a session that a provider began with the launch token of another, the operator's."""
    if launched is None or launched.session == seen.session or launched.player != seen.player:
        return ""
    return launched.wallet_session or launched.session


BEGUN = unsupported("a launch token that is used up")


def _begun(way: Way, done: Completed) -> bool:
    """Whether it asks again who plays in a session that its launch token, good once, has begun."""
    launched = done.launched
    if launched is None or done.expired or not way.provider.dialect.as_provider.one_time_launch:
        return False
    return launched.session == done.tx.session and begins(launched, done.tx.act)


def _ours(outcome: Outcome) -> Outcome:
    """What a wallet refuses because of us is never told as the provider's own fault (rule 4)."""
    if isinstance(outcome, Declined) and outcome.reason in OUR_FAULT and not outcome.replayed:
        return Declined(reason=Reason.UNSUPPORTED, message="the wallet does not take our call")
    return outcome


def _unasked(done: Completed, *refused: Refused) -> Declined:
    """A read that no call of its wallet can answer, and what is lacking (rule 21)."""
    reasons = [lacking(each, done.nobody) for each in refused]
    return Declined(reason=done.nobody if done.nobody in reasons else Reason.UNSUPPORTED, message=refused[0].message)


def _first_decision(found: Listed) -> Outcome:
    """As a repeat would hear it: what the gateway gave back, its provider was never told to stand (rule 12)."""
    m = found.m
    if m.outcome is None or (not found.known and m.told != State.ACCEPTED.value):
        return Unknown(detail="its outcome is not known yet")
    if found.given_back and m.state is State.ACCEPTED and m.told != State.ACCEPTED.value:
        return replace(ROLLED_BACK, replayed=True)
    return replace(m.outcome, replayed=True)


def _with_hold(outcome: Outcome, found: Movement | None) -> Outcome:
    return _hold(outcome, found) if isinstance(outcome, Accepted) and found is not None else outcome


def _hold(outcome: Accepted, reserve: Movement) -> Accepted:
    """A hold's amount and end, as they were asked for, where the answer does not say them."""
    act = reserve.tx.act
    assert isinstance(act, Reserve)
    return replace(
        outcome,
        moved=act.amount if outcome.moved is None else outcome.moved,
        expires_at=outcome.expires_at or act.expires_at,
        currency=outcome.currency or reserve.tx.currency,
    )
