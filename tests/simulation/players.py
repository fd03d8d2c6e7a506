"""Providers in the made-up world: documented retries and cancels, and what each believes at the end.

A `Story` is one movement as its provider lived it: what was said, every word heard, and whether
it was cancelled. `believes` is what the money should be, by the provider's own book. What a page has no words for, none
of its providers says (`pages.py`).
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Batch,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
)
from gateway.play.caller import Caller
from gateway.play.habits import habit_of, is_cancelled, is_settled
from tests.simulation import pages
from tests.simulation.bench import CURRENCIES
from tests.simulation.conduct import PLAYS
from tests.simulation.draw import ProviderPlan
from tests.simulation.mixtures import MIXTURES

if TYPE_CHECKING:
    from tests.simulation.history import History

GAME = Game(id="42", name="Polar Fox", type="slots")
PERSISTS_MAX = 10  # further attempts of a provider that asks until it hears a decision
PERSISTS_SECONDS = (8.0, 40.0)
PLAYS_SHARE = 0.5  # of the rounds of a provider that knows any
STANDS, GONE, UNKNOWN = "stands", "gone", "unknown"
FINAL = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED})
"""Any other no to a rollback is none: its provider asks again (rule 6)."""


class Story:
    """One movement, as its provider lived it. `tx`: as it is said; `read`: as the gateway reads it."""

    def __init__(self, provider: str, tx: Transaction, read: Transaction | None = None) -> None:
        self.provider, self.tx, self.read = provider, tx, read or tx
        self.kind, self.id = self.read.kind, self.read.id
        self.words: list[tuple[float, Outcome]] = []
        self.spans: list[list[float]] = []  # when a call of it was open at the gateway
        self.cancels: list[Story] = []
        self.won: list[Story] = []
        self.ends: list[Story] = []  # of a reserve: what captures or releases it
        self.said: list[float] = []  # when it was sent
        self.stood = False  # it was decided before the batch that holds it
        self.batched = False  # the gateway may give it back with its batch (rule 19)
        self.silent = False  # its provider means by silence that it failed
        self.unread = False  # an answer that the gateway thinks was heard was not
        self.gave_up = False
        self.of_several = False  # it means every open bet of a round, and there are several
        self.ignored = False  # its provider went on without its answer: the cancel is what counts
        self.ending: frozenset[Reason] = frozenset()  # what its page lets it hear for good, as a win

    def begin(self, now: float) -> list[float]:
        span = [now, float("inf")]
        self.spans.append(span)
        return span

    def open_at(self, when: float, grace: float) -> bool:
        return any(begin <= when <= end + grace for begin, end in self.spans)

    @property
    def decisions(self) -> list[Accepted | Declined]:
        return [word for _, word in self.words if isinstance(word, Accepted | Declined)]

    @property
    def decided(self) -> bool:
        return bool(self.decisions)

    @property
    def plain(self) -> bool:
        """Whether one word says all: no part of it was given back, no cancel was cancelled, it is no hold."""
        parts = any(_is_part(cancel.read, self.read) for cancel in self.cancels)
        return not (parts or self.ends or self.kind is Kind.RESERVE or any(cancel.cancels for cancel in self.cancels))

    @property
    def over(self) -> bool:
        """Whether it is a win that its page lets be declined for good, and that was."""
        return self.kind is Kind.CREDIT and any(
            isinstance(word, Declined) and word.reason in self.ending for word in self.decisions
        )

    def believes(self) -> str:
        """What this provider takes for the truth about a bet or a win."""
        words = [word for cancel in self.cancels for word in cancel.decisions]
        reasons = [word.reason for word in words if isinstance(word, Declined)]
        if any(isinstance(word, Accepted) for word in words):
            return GONE
        taken = any(isinstance(word, Accepted) for word in self.decisions)
        if Reason.ALREADY_SETTLED in reasons:  # of several bets it says only that one of them stands
            return STANDS if taken or any(map(_kept_by, self.cancels)) else UNKNOWN
        if Reason.TRANSACTION_NOT_FOUND in reasons or Reason.ALREADY_ROLLED_BACK in reasons:
            return GONE
        if self.cancels or self.ignored:
            return UNKNOWN
        if taken:
            return STANDS
        if self.kind is Kind.CREDIT:
            return GONE if self.over else UNKNOWN  # any other win is owed, whatever its provider heard
        return GONE if self.decided else UNKNOWN


def _of_an_item(cancel: Story, outcome: Outcome) -> Outcome:
    """What the one word for a list says of a cancel in it: where that was declined nothing moved, and its bet stands (rule 19).
    Of a reason that may be the cancel's own nobody can tell whose it is."""
    if cancel.kind is not Kind.ROLLBACK or not isinstance(outcome, Declined):
        return outcome
    if outcome.reason in FINAL:
        return Unknown(detail="its list was declined, perhaps for it")
    return Declined(reason=Reason.ALREADY_SETTLED, message="its list was declined")


def _kept_by(cancel: Story) -> bool:
    """Whether a cancel of this bet alone heard that it stands."""
    kept = any(isinstance(word, Declined) and word.reason is Reason.ALREADY_SETTLED for word in cancel.decisions)
    return kept and not cancel.of_several


def _from_another_time(no: Declined) -> bool:
    """Whether what was refused is the moment at which the call was made: its next attempt says another one."""
    return no.reason is Reason.BAD_SIGNATURE or "is in the future" in no.message  # Gameball's transactionTime


def _naming_free(cancel: Transaction, bet: Transaction) -> Transaction:
    """The cancel of a free bet, which some pages name apart."""
    if not (isinstance(bet.act, Debit) and bet.act.free_round and isinstance(cancel.act, Rollback)):
        return cancel
    return replace(cancel, act=replace(cancel.act, free_round=True))


def _is_part(cancel: Transaction, tx: Transaction) -> bool:
    amount = getattr(cancel.act, "amount", None)
    return amount is not None and amount != getattr(tx.act, "amount", amount)


class Actor:
    """One player's thread at one provider."""

    def __init__(self, history: History, plan: ProviderPlan, provider: Provider, number: int) -> None:
        self.history, self.plan, self.provider = history, plan, provider
        self.dialect, self.habit = provider.dialect, habit_of(provider.dialect)
        self.speech = pages.speech_of(plan.dialect, *plan.settings.items())
        self.chance = random.Random(f"{history.plan.seed}/{plan.name}/{number}")
        self.player = f"p{number}"
        self.session = f"sess-{self.player}"
        self.mine: list[Story] = []
        self._next = 1000 * number  # two providers use the same ids

    def new_id(self) -> str:
        self._next += 1
        return pages.id_as(self.dialect, str(self._next))

    def second_id(self, sign: str, story: Story) -> str:
        """An id of what is about a movement: another one for each sign."""
        return pages.id_as(self.dialect, f"{sign}{story.tx.id}")

    def tx(self, act: Any, id: str, round_id: str, *, closed: bool | None = None) -> Transaction:
        if not self.speech.rounds:
            round_id = ""
        round_id = pages.round_as(self.dialect, round_id)
        return Transaction(
            act=act, id=id, player=self.player, session=self.session, currency="EUR",
            round=Round(round_id, closed) if round_id else None, game=GAME,
        )  # fmt: skip

    def read(self, tx: Transaction) -> Transaction:
        """As the gateway will read it. Raises `Refused`: this page has no words for it."""
        return pages.reading(self.dialect, self.provider.settings, tx, self.provider.id)

    def known(self, tx: Transaction) -> Story | None:
        """The movement that it is to the gateway, where it has been said before. Raises `Refused`, likewise."""
        read = self.read(tx)
        return self.history.stories.get((self.provider.id, read.kind, read.id))

    def money(self, most: int) -> Decimal:
        return Decimal(self.chance.randint(1, most * 4)) / 4

    def likes(self, share: float) -> bool:
        return self.chance.random() < share

    # -- talking

    async def say(self, tx: Transaction, stories: list[Story], *, again: bool) -> Outcome:
        """One attempt; every story of it hears the answer."""
        scheduler, answers = self.history.scheduler, list[Answer]()

        async def send(request: Request, seconds: float) -> Response:
            return await self.history.network.from_provider(self.plan.name, request, seconds, stories, answers)

        caller = self._caller(send)
        for story in stories:
            story.said.append(scheduler.now)
        self.history.note("says", self.plan.name, tx, None)
        heard = await caller.say(tx, again=again)
        self.history.note("hears", self.plan.name, tx, heard.outcome)
        outcome = self._as_meant(heard.outcome, answers)
        if isinstance(outcome, Declined) and _from_another_time(outcome):
            outcome = Unknown(detail="a clock jumped by more than a signature lives: the call was not read")
        if isinstance(outcome, Unknown) and answers and answers[-1].outcome in ("accepted", "declined"):
            self.history.unread(
                stories
            )  # a decision in a word that says nothing, as to the second copy of a first call
        if isinstance(tx.act, Batch):
            items = outcome.items if isinstance(outcome, Accepted) else ()
            for story, item in zip(stories, items or [outcome] * len(stories), strict=False):
                if items or not story.stood:  # a batch that was declined says nothing about what stood before it
                    story.words.append((scheduler.now, item if items else _of_an_item(story, item)))
        else:
            for story in stories:
                story.words.append((scheduler.now, outcome))
        return outcome

    def _as_meant(self, outcome: Outcome, answers: list[Answer]) -> Outcome:
        """A word that its page has for several, as the one that was meant: for several reasons, or for a replay and for what
        was decided otherwise. What its provider does hangs on what it read, what is right on what it was told."""
        if isinstance(outcome, Unknown) or not answers or answers[-1].outcome == "unknown":
            return outcome
        answer, reason = answers[-1], outcome.reason.value if isinstance(outcome, Declined) else ""
        if answer.reason == reason:
            return outcome
        self.history.fire("one_word")
        if not answer.reason:
            return Accepted(replayed=True)
        return Declined(reason=Reason(answer.reason), message=f"told in the word for {reason or 'a replay'}")

    def _caller(self, send: Any) -> Caller:
        scheduler = self.history.scheduler
        return Caller(
            dialect=self.dialect, settings=self.provider.settings, keys=self.provider.keys, send=send,
            name=self.provider.id, sleep=scheduler.sleep, clock=scheduler.clock, nonce=scheduler.nonce,
            currency="EUR", currencies=CURRENCIES,
        )  # fmt: skip

    def undo(self, tx: Transaction, id: str, scope: str = "transaction") -> Transaction:
        async def nobody(request: Request, seconds: float) -> Response:
            raise AssertionError("nothing is sent")

        return self._caller(nobody).undo(tx, id, scope)

    async def insist(self, tx: Transaction, stories: list[Story], *, persist: bool) -> Outcome:
        """The documented attempts, and then, where this provider persists, until it is settled."""
        tries = self.habit.tries(tx.kind)
        outcome: Outcome = Unknown()
        for attempt in range(1, tries + 1):
            if attempt > 1:
                await self.history.scheduler.sleep(min(self.habit.pause_seconds * attempt, 2.0))
            outcome = await self.say(tx, stories, again=attempt > 1)
            if self._settled(tx, stories, outcome):
                return outcome
        for _ in range(PERSISTS_MAX if persist else 0):
            await self.history.scheduler.sleep(self.chance.uniform(*PERSISTS_SECONDS))
            outcome = await self.say(tx, stories, again=True)
            if self._settled(tx, stories, outcome):
                return outcome
        for story in stories:
            story.gave_up = True
        if not persist and tx.kind is not Kind.DEBIT:
            self.history.fire("gives_up")
        return outcome

    @staticmethod
    def _settled(tx: Transaction, stories: list[Story], outcome: Outcome) -> bool:
        """Whether this provider stops asking: also where its page lets a win hear such a no for good."""
        no = isinstance(outcome, Declined) and len(stories) == 1 and outcome.reason in stories[0].ending
        return no or is_settled(tx, outcome)

    def story(self, tx: Transaction, read: Transaction | None = None) -> Story:
        """A movement begins. What its page reads as a list of one is that one."""
        read = read or self.read(tx)
        if isinstance(read.act, Batch):
            (read,) = read.act.items
        story = Story(self.provider.id, tx, read)
        story.ending = pages.wins_that_end(self.dialect, read)
        self.history.stories[self.provider.id, story.kind, story.id] = story
        self.mine.append(story)
        return story

    async def arrive(self) -> None:
        """It asks who plays, and goes on with the session that it is given."""
        self.history.fire("arrives")
        tx = replace(self.tx(Authenticate(launch_token=self.session), "", ""), game=GAME)
        outcome = await self.say(tx, [], again=False)
        if isinstance(outcome, Accepted) and outcome.profile is not None and outcome.profile.session:
            self.session = outcome.profile.session

    def must_not_move(self, first: Story, outcome: Outcome) -> None:
        """What another movement under the id of one that was decided may hear (rule 2)."""
        same = isinstance(outcome, Accepted) and pages.first_stands(self.dialect, first.kind)
        if isinstance(outcome, Accepted) and not same:
            self.history.wrong.append(f"SAME {first.provider} {first.kind} {first.id}: another movement was accepted")

    # -- playing

    async def play(self) -> None:
        await self.history.scheduler.sleep(self.chance.uniform(0, 3))
        if self.plan.arrives:
            await self.arrive()
        for _ in range(self.plan.rounds):
            await self.round()
            await self.history.scheduler.sleep(self.chance.uniform(0, 6))

    async def round(self) -> None:
        round_id = "r" + self.new_id()
        if self.plan.plays and self.likes(PLAYS_SHARE):
            play = self.chance.choice(self.plan.plays)
            await (PLAYS.get(play) or MIXTURES[play]).acted(self, round_id)
            return
        if self.speech.settles and self.likes(0.15):
            await self.settle(round_id)
            return
        if self.speech.mixes and self.likes(0.15):
            await self.batch(round_id)
            return
        bets = [await self.bet(round_id) for _ in range(1 + self.likes(0.2))]
        stand = [bet for bet in bets if bet.believes() == STANDS and not bet.ignored]
        fate = self.chance.random()
        if stand and fate < 0.45:
            await self.win(round_id, stand[0])
            if self.likes(0.15):
                await self.win(round_id, stand[0])
        elif stand and fate < 0.6:
            for bet in stand:
                await self.cancel(bet)
        elif stand and fate < 0.7 and self.speech.refunds_rounds and not any(b.won for b in bets):
            await self.round_refund(round_id, bets)
        if self.likes(0.25):
            await self.repeat(self.chance.choice(bets))

    async def bet(self, round_id: str) -> Story:
        tx = self.tx(Debit(amount=self.money(15)), self.new_id(), round_id, closed=False)
        story = self.story(tx)
        if self.likes(0.06):
            await self.cancelled_before(story)
            return story
        if self.plan.manner == "cancels" and self.likes(0.1):
            self.history.fire("cancel_beside")
            await self.cancelled_beside(story)
            return story
        outcome = await self.insist(tx, [story], persist=False)
        story.gave_up = False
        if self.plan.manner == "presumes" and isinstance(outcome, Unknown) and self.likes(0.7):
            self.history.fire("win_in_doubt")
            await self.win(round_id, story)
            return story
        await self.after_a_bet(story)
        return story

    async def after_a_bet(self, story: Story) -> None:
        """What the card says of a bet that was not accepted, whoever this provider is otherwise."""
        story.gave_up = False
        outcome = story.words[-1][1]
        if self.plan.manner == "quiet":
            if isinstance(outcome, Unknown):
                self.history.fire("silence")
        elif is_cancelled(self.habit, outcome):
            await self.cancel(story)

    async def cancelled_before(self, story: Story) -> None:
        """The cancel overtook its bet on the way."""
        self.history.fire("cancel_first")
        await self.cancel(story)
        await self.say(story.tx, [story], again=False)

    async def cancelled_beside(self, story: Story) -> None:
        """An impatient provider: the cancel goes out while the bet is in the air."""
        story.ignored = True
        bet = self.history.scheduler.spawn(self.say(story.tx, [story], again=False))
        await self.history.scheduler.sleep(self.chance.uniform(0.01, 0.5))
        await self.cancel(story)
        while not bet.done():
            await self.history.scheduler.sleep(0.5)

    async def cancel(self, bet: Story, sign: str = "9") -> Story | None:
        """None: there are no words for it. Where its page names it by its bet, a second one is the first again."""
        try:
            tx = _naming_free(self.undo(bet.tx, self.second_id(sign, bet)), bet.tx)
            known = self.known(tx)
        except Refused:
            return None
        story = known or self.story(tx)
        if story not in bet.cancels:
            bet.cancels.append(story)
        await self.insist(tx, [story], persist=self.plan.persists)
        return story

    async def win(self, round_id: str, bet: Story, *, names: bool = False) -> Story:
        """`names`: in words, because its round does not say which bet it is of."""
        own = bet.tx.id if self.speech.owns_wins and not bet.won and self.likes(0.3) else self.new_id()
        prize = self.money(20)
        if not names and "win_elsewhere" in self.plan.plays and self.likes(0.5):
            self.history.fire("win_elsewhere")
            round_id, names = self.elsewhere(round_id), True
        tx = self.tx(Credit(amount=prize, reference=bet.tx.id), own, round_id, closed=True)
        try:
            self._caller(None).request(tx)
            taken = self.known(tx) is not None
        except Refused:
            assert not names
            taken = True
        if taken:  # no words for the win of a bet, or for a second one of it: it is a win of none
            tx = replace(tx, act=Credit(amount=prize), id=own if own != bet.tx.id else self.new_id())
        story = self.story(tx)
        bet.won.append(story)
        await self.insist(tx, [story], persist=self.plan.persists)
        if self.likes(0.15):
            await self.repeat(story)
        return story

    def elsewhere(self, round_id: str) -> str:
        """Another round, or none where its page lets a call have none."""
        bonus = self.likes(0.5)
        return f"{round_id}-bonus" if bonus or not self.speech.roundless else ""

    async def repeat(self, story: Story) -> None:
        """A late copy of a call: it must hear the same."""
        if story.decided and not story.gave_up:
            self.history.fire("repeat_later")
            await self.say(story.tx, [story], again=True)

    async def round_refund(self, round_id: str, bets: list[Story]) -> None:
        """Kyren's Refund whose reference is no bet: every open bet of the round. What it hears says nothing of one that its
        provider knew to be gone."""
        self.history.fire("round_refund")
        reference = self.new_id()
        act = Rollback(reference=reference, scope="round")
        tx = replace(bets[0].tx, act=act, id=f"refund:{reference}", round=Round(round_id))
        story = self.story(tx)
        open_ones = [bet for bet in bets if bet.believes() != GONE]  # as its provider knows
        story.of_several = len(open_ones) > 1
        for bet in open_ones:
            bet.cancels.append(story)
        await self.insist(tx, [story], persist=self.plan.persists)

    async def settle(self, round_id: str) -> None:
        self.history.fire("settle")
        act = Settle(debit=self.money(10), credit=self.money(15))
        tx = self.tx(act, self.new_id(), round_id, closed=True)
        if self.speech.splits:
            await self._together(tx, self.read(tx), persist=self.plan.after_doubt is None)
            return
        story = self.story(tx)
        outcome = await self.insist(story.tx, [story], persist=self.likes(0.5) and self.plan.after_doubt is None)
        undoes = self.speech.undoes_settles and self.history.undoes_wins(self.plan.name)
        if isinstance(outcome, Unknown) and self.plan.manner == "cancels" and undoes:
            await self.cancel(story)

    async def batch(self, round_id: str) -> None:
        self.history.fire("batch")
        items = [self.tx(Debit(amount=self.money(10)), self.new_id(), round_id)]
        items.append(self.tx(Credit(amount=self.money(10), reference=items[0].id), self.new_id(), round_id))
        if self.likes(0.4):
            items.insert(1, self.tx(Debit(amount=self.money(40)), self.new_id(), round_id))
        atomic = self.likes(0.5)
        whole = self.whole(items, atomic=atomic)
        # Whoever falls silent means that it failed: nobody repeats after that.
        await self._together(whole, self.read(whole), persist=self.plan.after_doubt is None)

    def whole(self, items: list[Transaction], *, atomic: bool) -> Transaction:
        """Several movements as one call, in the words that this page has for it."""
        plain = self.tx(Batch(items=tuple(items), atomic=atomic), "", "")
        for tx in (plain, pages.together(items, atomic=atomic)):
            try:
                self.read(tx)
            except Refused:
                continue
            return tx
        return pages.together(items, atomic=True)

    async def _together(self, tx: Transaction, read: Transaction, *, persist: bool) -> None:
        """Bets and their win in one call."""
        assert isinstance(read.act, Batch)
        said = tx.act.items if isinstance(tx.act, Batch) else [tx] * len(read.act.items)
        stories = [self.story(*both) for both in zip(said, read.act.items, strict=True)]
        for story in stories:
            story.batched = True
            if story is not stories[-1]:  # a batch's win ties to all its bets (rule 11)
                story.won.append(stories[-1])
        outcome = await self.insist(tx, stories, persist=persist)
        if isinstance(outcome, Declined):
            for story in stories:
                story.ignored = story.kind is Kind.CREDIT
