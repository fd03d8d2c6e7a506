"""One player at one provider: seeded chance decides what is played, and a book says what came of it."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from decimal import Decimal

from msgspec import Struct

from gateway.model import (
    Accepted,
    Act,
    Authenticate,
    Balance,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Outcome,
    Refused,
    Round,
    Transaction,
    Unknown,
)
from gateway.play.caller import Caller, Heard
from gateway.play.purse import SESSION_PREFIX

GAME = Game(id="4711", name="Polar Fox", type="slots", studio="Nordlicht")
FIRST_ID, IDS_PER_PLAYER = 10**11, 10**6
ZERO = Decimal(0)


class Totals(Struct, kw_only=True):
    """A player's book at the provider: what the answers said, in major units."""

    player: str
    currency: str
    rounds: int = 0
    bets: Decimal = ZERO
    wins: Decimal = ZERO
    refunds: Decimal = ZERO
    declined: int = 0
    cancelled: int = 0  # bets in doubt whose cancel was answered: moved or not, they are undone
    repeats: int = 0
    in_doubt: list[str] = []
    unsaid: list[str] = []  # what this dialect has no words for
    calls: Counter[str] = Counter()
    balance: Decimal | None = None  # as last shown

    @property
    def net(self) -> Decimal:
        return self.wins + self.refunds - self.bets

    def hear(self, heard: Heard) -> None:
        outcome = heard.outcome
        word = "silent" if heard.response is None else type(outcome).__name__.lower()
        self.calls[word] += 1
        if isinstance(outcome, Accepted | Declined) and outcome.balance is not None:
            self.balance = outcome.balance


def totals_for(player: str, currency: str) -> Totals:
    return Totals(player=player, currency=currency, calls=Counter(), in_doubt=[], unsaid=[])


class Player:
    """`number` makes its ids and its chance its own, whatever the others do meanwhile."""

    def __init__(self, caller: Caller, totals: Totals, seed: int, number: int) -> None:
        self.caller, self.totals = caller, totals
        self.chance = random.Random(f"{seed}/{number}")  # noqa: S311  # play, not secrets
        start = random.Random(seed).randrange(FIRST_ID, 9 * FIRST_ID)  # noqa: S311  # play, not secrets
        self._next_id = (start + number * IDS_PER_PLAYER) // 2 * 2
        self._speaks = caller.dialect.speaks
        self.session = SESSION_PREFIX + totals.player  # until its wallet gives it another one

    def new_id(self) -> str:
        self._next_id += 2
        if self.caller.habit.ids == "uuid":
            return str(uuid.UUID(int=self._next_id << 64 | self._next_id * 16, version=4))
        return str(self._next_id)

    def say(self, act: Act, tx_id: str = "", round_id: str = "", *, closed: bool | None = None) -> Transaction:
        """A complete transaction of this player."""
        return Transaction(
            act=act,
            id=tx_id,
            player=self.totals.player,
            session=self.session,
            currency=self.totals.currency,
            round=Round(round_id, closed) if round_id else None,
            game=GAME,
            channel="desktop",
            occurred_at=self.caller.clock(),
            request_id=self.caller.nonce(),
        )

    def amount(self, low: int, high: int) -> Decimal:
        """Between `low` and `high` hundredths of ten units, whatever digits the currency has."""
        digits = self.caller.currencies.digits(self.totals.currency)
        return Decimal(self.chance.randint(low, high) * 10**digits // 100 or 1).scaleb(-digits)

    async def arrive(self) -> None:
        """Log in and look at the balance, where the dialect can."""
        if Kind.AUTHENTICATE in self._speaks:
            heard = await self._ask(self.say(Authenticate(launch_token=self.session)))
            if isinstance(heard, Accepted) and heard.profile is not None:
                self.session = heard.profile.session or self.session
        if Kind.BALANCE in self._speaks:
            await self._ask(self.say(Balance()))

    async def play(self) -> None:
        """One round: a bet or two, then a win, a loss, or the bet is given back."""
        self.totals.rounds += 1
        round_id = self.new_id()
        bets = [await self.bet(round_id) for _ in range(1 + (self.chance.random() < 0.15))]
        stand = [bet for bet in bets if bet is not None]
        fate, prize = self.chance.random(), self.amount(10, 3000)
        if stand and fate < 0.45:
            await self.win(round_id, prize, stand[0].id)
        elif stand and fate < 0.55:
            for bet in stand:
                await self.refund(bet)
        if Kind.CLOSE_ROUND in self._speaks and self.caller.habit.closes:
            await self._ask(self.say(CloseRound(), round_id=round_id, closed=True))

    async def bet(self, round_id: str) -> Transaction | None:
        """The bet, if it stands."""
        tx = self.say(Debit(amount=self.amount(10, 1000)), self.new_id(), round_id, closed=False)
        again = self.chance.random() < 0.08
        try:
            heard, cancel = await self.caller.bet(tx)
        except Refused as refused:
            self._unsaid(tx, refused)
            return None
        self._hear(heard, cancel)
        stands = self._booked(tx, heard.outcome, cancel)
        if stands and again:
            self.totals.repeats += 1
            self._hear(await self.caller.say(tx, again=True))
        return tx if stands else None

    def _booked(self, tx: Transaction, outcome: Outcome, cancel: Heard | None) -> bool:
        """Write down what became of a bet; whether it stands."""
        assert isinstance(tx.act, Debit)
        if isinstance(outcome, Accepted):
            self.totals.bets += tx.act.amount
            return True
        if isinstance(outcome, Declined):
            self.totals.declined += 1
            return False
        if cancel is None or isinstance(cancel.outcome, Unknown):
            self.totals.in_doubt.append(tx.id)
        else:
            self.totals.cancelled += 1
        return False

    async def win(self, round_id: str, prize: Decimal, reference: str = "") -> None:
        credit = Credit(amount=prize, reference=reference)
        tx = self.say(credit, self.new_id(), round_id, closed=True)
        if isinstance(await self._insist(tx), Accepted):
            self.totals.wins += prize

    async def refund(self, bet: Transaction) -> None:
        tx = self.caller.undo(bet)
        outcome = await self._insist(tx)
        if isinstance(outcome, Accepted):
            assert isinstance(bet.act, Debit)
            self.totals.refunds += bet.act.amount if outcome.moved is None else outcome.moved

    async def _insist(self, tx: Transaction) -> Outcome | None:
        try:
            heard = await self.caller.insist(tx)
        except Refused as refused:
            self._unsaid(tx, refused)
            return None
        self._hear(heard)
        if isinstance(heard.outcome, Unknown):
            self.totals.in_doubt.append(tx.id)
        if isinstance(heard.outcome, Declined):
            self.totals.declined += 1
        return heard.outcome

    async def _ask(self, tx: Transaction) -> Outcome | None:
        try:
            heard = await self.caller.say(tx)
        except Refused as refused:
            self._unsaid(tx, refused)
            return None
        self._hear(heard)
        return heard.outcome

    def _hear(self, *heard: Heard | None) -> None:
        for one in heard:
            if one is not None:
                self.totals.hear(one)

    def _unsaid(self, tx: Transaction, refused: Refused) -> None:
        what = f"{tx.kind.value}: {refused.message}"
        if what not in self.totals.unsaid:
            self.totals.unsaid.append(what)
