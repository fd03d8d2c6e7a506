"""One request to a wallet, and the balances that wallets showed."""

from __future__ import annotations

import contextlib
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import live
from gateway.engine.case import Case
from gateway.engine.errand import Errand
from gateway.engine.flights import Flight
from gateway.engine.journal import Ask, JournalLost, Look, Looks
from gateway.engine.movement import Event, Session
from gateway.engine.story import said
from gateway.engine.words import Way, gains, heard, in_currency
from gateway.engine.world import Silence, World
from gateway.http import Request
from gateway.model import Accepted, Authenticate, Declined, Outcome, Status, Transaction, Unknown

UNAUTHORIZED = 401
BALANCES_MAX = 100_000  # remembered by one process
RESULTS = {Accepted: "answered", Declined: "refused", Unknown: "broken"}


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


class Shown(Struct, frozen=True):
    """The balance that a wallet showed of a player, and the bonus money beside it."""

    cash: Decimal
    bonus: Decimal | None = None


class Exchanges:
    """Talks with wallets; knows the balances that this process heard last."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.balances: dict[tuple[str, str, str], Shown] = {}

    async def ask(
        self, errand: Errand, way: Way, request: Request, tx: Transaction, currency: str, *, flight: Flight | None = None,
        owed: bool = False,
    ) -> Exchange:  # fmt: skip
        """`owed`: it goes before what is new, where not all can be sent. `flight`: of an asking for a movement."""
        world, wallet, started = self.world, way.wallet, self.world.ticks()
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
            keys = live(wallet.keys, world.clock())
            if response.status == UNAUTHORIZED and isinstance(tx.act, Status) and errand.may_send():
                # A query moves nothing, whoever hears it twice; what moves is asked anew by the rules (`session_refused`).
                late = wallet.dialect.auth.stood_in(request, keys)
                if late is not None:
                    request, response = late, await world.send(wallet, late, wallet.give_up_after.total_seconds())
            again = flight is not None and flight.again  # by now: another one may have overtaken it
            call = replace(way.call(world.clock(), ""), request=request, again=again)
            outcome = in_currency(wallet.dialect.hear(response, tx, call, keys), tx.act, currency)
            result = RESULTS[type(outcome)]
        except Silence as silence:
            result = silence.result
            return _nothing(silence)
        finally:
            errand.wallet_ends()
            leave(result)
            world.meter.wallet_request(wallet.name, tx.kind.value, result, world.ticks() - started)
        outcome = heard(way, outcome)
        self._shown(way, tx, outcome, currency)
        return Exchange(outcome)

    async def renewed(self, way: Way, tx: Transaction, sent: str, outcome: Outcome) -> None:
        """A session that comes with any answer replaces the one that was `sent` (native).

        Not every provider can be told of it: NetGaming's movements hear their own token again. It goes on with that one,
        and the wallet hears the new one. What the launch said holds for the new one, too.
        """
        fresh = outcome.profile.session if isinstance(outcome, Accepted) and outcome.profile is not None else ""
        if not sent or fresh in ("", sent) or isinstance(tx.act, Authenticate):
            return  # an `authenticate` is learnt whole, see `Reads`
        journal = self.world.journal
        said = Session(
            provider=way.provider.id, session=tx.session or fresh, player=tx.player, currency=tx.currency,
            wallet_session=fresh, seen_at=self.world.clock(),
        )  # fmt: skip
        with contextlib.suppress(JournalLost):  # it never changes the outcome
            known = await journal.look(_session_of(said)) or said
            if known.wallet not in ("", way.wallet.name):
                return  # this movement belongs to a wallet of before, the session does not
            await journal.learn(said)
            await journal.learn(
                replace(
                    known, session=fresh, wallet_session=fresh, launch_token="", expires_at=None, seen_at=said.seen_at
                )
            )

    # -- balances

    def _shown(self, way: Way, tx: Transaction, outcome: Outcome, currency: str) -> None:
        if isinstance(outcome, Unknown) or outcome.balance is None:
            return
        player = way.route.player_in(tx.player)
        if len(self.balances) > BALANCES_MAX:
            self.balances.clear()
        place = (way.provider.id, player, outcome.currency or currency)
        self.balances[place] = Shown(outcome.balance, outcome.bonus)

    def moved(self, case: Case, decision: Accepted) -> None:
        """A yes that shows no balance moved it all the same (rule 8); a whole was moved by its parts."""
        own = case.own
        place = (own.provider, own.tx.player, own.tx.currency)
        known = self.balances.get(place)
        if decision.balance is not None or known is None or not own.attempts:
            return
        target = case.around.target
        meant = target.tx.act if own.target and target else None
        self.balances[place] = Shown(known.cash + gains(own.tx.act, decision.moved, meant), known.bonus)

    async def last_balance(self, provider_id: str, player: str, currency: str) -> Shown | None:
        """The last balance heard, by this process or by the journal (rules 7, 8)."""
        found = self.balances.get((provider_id, player, currency))
        if found is not None or not player:
            return found
        last = await self.world.journal.latest(provider_id, player)
        outcome = last.outcome if last is not None and last.tx.currency == currency else None
        return None if outcome is None or outcome.balance is None else Shown(outcome.balance, outcome.bonus)


def _session_of(said: Session) -> Looks[Session | None]:
    (found,) = yield Look((Ask("session", (said.provider, said.session)),))
    return next(iter(found), None)


def _nothing(silence: Silence) -> Exchange:
    """No answer, and so no decision."""
    why = f"{silence.result}: {silence.detail}"
    return Exchange(Unknown(detail=silence.detail), silence.left, why, silence.hopeless)
