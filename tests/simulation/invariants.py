"""What must hold at the end of every history, and what cannot be promised, as data.

The wallets' own books are the truth; the journal says what the gateway decided; the stories say
what each provider heard. The three must tell the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from gateway.engine.journal import Listing, Movement
from gateway.engine.states import EDGES, State
from gateway.model import Accepted, Adjust, Credit, Debit, Declined, Kind, Reason, Settle
from gateway.play.book import Entry, Place
from tests.simulation.bench import at_once
from tests.simulation.history import History
from tests.simulation.players import GONE, STANDS, Story

INVARIANTS: Mapping[str, str] = {
    "ONCE": "no movement is applied twice",
    "ACCEPTED": "what was told accepted was applied exactly once, and stands unless it was cancelled",
    "ZERO": "what was told declined or cancelled nets zero, or is listed for a person",
    "JOURNAL": "the journal's decisions are what the wallets' books show",
    "PURSE": "every purse is its opening less bets, plus wins and refunds, by the journal's decisions",
    "ASKED_DECIDED": "a decided debit is never asked again",
    "ASKED_UNWAITED": "a debit is asked only while its provider waits, repeats it, or sent a win",
    "SAME": "equal keys hear the same decision",
    "EDGES": "only the edges of the state machine",
    "METRICS": "the metrics agree with the journal",
    "PERSON": "with wallets that can be asked, and providers that cancel or have `after_doubt`, nothing is left for one",
    "OWED": "a win is never declined: it is brought to its wallet, or to a person",
    "HEARD": "a wallet's yes that reached the gateway whole decides its movement",
    "WIN_FIRST": "a win is not sent while the bet it names is in doubt",
    "REASON": "what waits for a person says why",
    "SETTLES": "after the faults stopped everything is settled",
    "ALIAS": "a wallet is told ids of movements only",
    "CRASH": "nothing failed with an exception",
}

CANNOT: Mapping[str, tuple[str, frozenset[str]]] = {
    "forgets": (
        "a wallet that forgets an id before `remembers` applies a second asking again, and denies what it applied",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON"}),
    ),
    "too_late": (
        "a request applied after `in_flight_max` was already held to be lost",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON"}),
    ),
    "other_answer": (
        "an answer to another call is believed where the dialect echoes no id",
        frozenset({"ACCEPTED", "ZERO", "JOURNAL", "PERSON"}),
    ),
    "repeated": (
        "a network that hands one request to a wallet twice moves the money twice, unless that kind is `safe`",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON"}),
    ),
}
"""Lies, and what cannot be promised of the movements (and their cancels) that were lied about."""


UNSAYABLE = ("this dialect", "this wallet would take it")
"""Notes of what a wallet's dialect has no words for: the cancel of a bet that nobody saw, of a win."""


class Family(Struct, kw_only=True):
    """A movement of the journal with everything that undoes it, and what the wallets' books say."""

    row: Movement
    undoing: list[Movement]
    own: list[Entry]
    undone: list[Entry]
    lies: set[str]

    @property
    def net(self) -> Decimal:
        return sum((entry.delta for entry in [*self.own, *self.undone]), Decimal(0))

    @property
    def for_person(self) -> bool:
        return any(m.state is State.PERSON for m in [self.row, *self.undoing])


class Verdict:
    """Collects what is wrong with one history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.rows = at_once(history.journal.listed(Listing(limit=100_000)))
        self.by_key = {row.key: row for row in self.rows}
        self.parents = {row.parent for row in self.rows if row.parent}
        self.books = {name: self._book(name) for name in history.tills}
        self.undoings = {name: self._undoings(name) for name in history.tills}
        self.families = {row.key: self._family(row) for row in self.rows}
        self.wrong = [*history.wrong]

    def _book(self, name: str) -> dict[Place, list[Entry]]:
        purse = self.history.tills[name].purse
        found: dict[Place, list[Entry]] = {}
        for entry in purse.book:
            found.setdefault(purse.place(entry.provider, entry.kind, entry.id), []).append(entry)
        return found

    def _undoings(self, name: str) -> dict[tuple[str, str], list[Entry]]:
        found: dict[tuple[str, str], list[Entry]] = {}
        purse = self.history.tills[name].purse
        for entry in purse.book:
            if entry.kind is Kind.ROLLBACK:
                found.setdefault((purse.place(entry.provider, entry.kind, "")[0], entry.reference), []).append(entry)
        return found

    def _place(self, row: Movement) -> tuple[str, Place] | None:
        till = self.history.tills.get(row.wallet)
        return (row.wallet, till.told(row.provider, row.kind, row.alias, row.tx.id)) if till else None

    def _entries(self, row: Movement) -> list[Entry]:
        """What the wallet applied for this row; of a whole, its parts were applied, not itself."""
        place = self._place(row)
        if place is None or row.key in self.parents:
            return []
        if row.kind is Kind.ROLLBACK:  # some dialects make its id themselves: it is known by what it names
            return self.books[place[0]].get(place[1], []) or self._undone(self.by_key.get(row.target), row)
        return self.books[place[0]].get(place[1], [])

    def _undone(self, target: Movement | None, rollback: Movement | None = None) -> list[Entry]:
        """The rollbacks that name a movement, as its wallet applied them."""
        place = self._place(target) if target is not None else None
        if place is None or target is None or (target.kind is Kind.CREDIT and place[1][0]):
            return []  # native's references say their kind, and no win is undone there
        return self.undoings[place[0]].get((place[1][0], place[1][2]), [])

    def _family(self, row: Movement) -> Family:
        undoing = [m for m in self.rows if m.target == row.key]
        lies: set[str] = set()
        target = self.by_key.get(row.target)
        for each in [row, *undoing, *([target] if target is not None else [])]:
            place = self._place(each)
            lie = self.history.tills[place[0]].purse.lies.get(place[1]) if place else None
            lies |= {lie} if lie else set()
        return Family(
            row=row, undoing=undoing, own=self._entries(row), lies=lies,
            undone=self._undone(row) if row.key not in self.parents else [],
        )  # fmt: skip

    def say(self, name: str, what: str, family: Family | None = None) -> None:
        if family is not None and any(name in CANNOT[lie][1] for lie in family.lies):
            return
        self.wrong.append(f"{name} {what}")

    # -- all of it

    def found(self) -> list[str]:
        self._engine()
        for family in self.families.values():
            self._once(family)
            self._journal(family)
            self._person(family)
        for story in self.history.stories.values():
            self._told(story)
            self._same(story)
        self._heard()
        self._purses()
        self._metrics()
        return self.wrong

    def _engine(self) -> None:
        history = self.history
        for error in history.scheduler.errors:
            self.say("CRASH", f"{type(error).__name__}: {error}")
        if history.over != "settled":
            late = [f"{key} {row.state}" for key, row in history.rows.items() if row.due is not None]
            self.say("SETTLES", f"{history.over}: {', '.join(late) or 'an actor never ended'}")
        for before, after in history.edges:
            if State(after) not in EDGES[State(before)]:
                self.say("EDGES", f"{before} -> {after}")

    def _once(self, family: Family) -> None:
        if len(family.own) > 1:
            self.say("ONCE", f"{family.row.key} was applied {len(family.own)} times", family)
        live = [m for m in family.undoing if m.kind is Kind.ROLLBACK and m.attempts and m.state is not State.DECLINED]
        if len(live) > 1:
            self.say("ONCE", f"{family.row.key} is undone by {', '.join(m.key for m in live)}", family)
        if len(family.undone) > 1:
            self.say("ONCE", f"{family.row.key} was given back {len(family.undone)} times", family)

    def _journal(self, family: Family) -> None:
        row, sent = family.row, family.row.attempts > 0
        if row.key in self.parents or not row.wallet:
            return
        if row.state is State.ACCEPTED:
            if sent and not family.own and _moves(row):
                self.say("JOURNAL", f"{row.key} is accepted, and was never applied", family)
            if not sent and family.own and row.kind is not Kind.ROLLBACK:  # one that joined another was not sent
                self.say("JOURNAL", f"{row.key} was never sent, and was applied", family)
        moves = row.kind in (Kind.DEBIT, Kind.SETTLE, Kind.CREDIT)
        if row.state is State.DECLINED and moves and family.net and not family.for_person:
            self.say("JOURNAL", f"{row.key} is declined, and moved {family.net}", family)
        if row.kind is Kind.CREDIT and row.state is State.DECLINED and not row.parent and not row.undone_by:
            self.say("OWED", f"{row.key} is a win, and is declined", family)
        if row.kind is Kind.ROLLBACK:
            return
        undone = next((m for m in family.undoing if m.state is State.ACCEPTED), None)
        if undone is not None and undone.kind is Kind.ROLLBACK and undone.attempts and family.net:
            self.say("JOURNAL", f"{row.key} was rolled back, and moved {family.net}", family)

    def _person(self, family: Family) -> None:
        row, history = family.row, self.history
        if row.state is State.PERSON:
            if not row.note:
                self.say("REASON", f"{row.key} waits for a person and does not say why", family)
            if self._must_settle(row):
                self.say("PERSON", f"{row.key}: {row.note}", family)
        elif (
            not row.state.decided and history.over == "settled" and not history.waits_for_person(history.rows[row.key])
        ):
            self.say("SETTLES", f"{row.key} is {row.state}, and nobody looks at it", family)

    def _unsayable(self, row: Movement) -> bool:
        """It, what undoes it, or the whole that it is a part of cannot be said to its wallet."""
        whole = self.by_key.get(row.parent, row)
        near = [row, whole, *(self.by_key[m.undone_by] for m in (row, whole) if m.undone_by in self.by_key)]
        return any(m.note.startswith(UNSAYABLE) for m in near)

    def _must_settle(self, row: Movement) -> bool:
        """Whether this movement had all it needs to end without a person."""
        history = self.history
        wallet = next((w for w in history.plan.wallets if w.name == row.wallet), None)
        provider = next(p for p in history.plan.providers if p.name == row.provider)
        if wallet is None or not wallet.settles or wallet.remembers < 500:
            return False
        if self._unsayable(row):
            return False
        gave_up = any(s.gave_up for s in history.stories.values() if s.provider == row.provider)
        return provider.after_doubt is not None or (provider.manner == "cancels" and provider.persists and not gave_up)

    def _heard(self) -> None:
        """What a wallet accepted, and said so to a process that lived on, is decided."""
        for wallet, place in self.history.intact:
            key = self.history.places.get((wallet, place))
            if key is None or self.by_key[key].state.decided or key in self.parents:
                continue
            self.say(
                "HEARD", f"{key}: its wallet's yes was heard, and it is {self.by_key[key].state}", self.families[key]
            )

    # -- what the providers heard

    def _row_of(self, story: Story) -> Movement | None:
        found = [
            row for row in self.rows
            if row.provider == story.provider and row.tx.id == story.id and row.kind is story.kind and not row.parent
        ]  # fmt: skip
        return found[0] if found else None

    def _told(self, story: Story) -> None:
        row = self._row_of(story)
        if story.kind not in (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE):
            return
        if row is None:
            if any(isinstance(w, Accepted) for w in story.decisions):
                self.say("ACCEPTED", f"{story.provider} {story.kind} {story.id} was accepted, and is in no journal")
            return
        family, belief = self._whole(row), story.believes()
        net = family.net
        expected = _worth(row)
        if belief == STANDS and net != expected and not (story.cancels and family.for_person):
            self.say("ACCEPTED", f"{row.key} was told accepted: {net} moved, {expected} was said", family)
        if story.kind is Kind.CREDIT and not story.cancels and any(isinstance(w, Declined) for w in story.decisions):
            self.say("OWED", f"{row.key} is a win, and its provider heard {story.decisions}", family)
        if belief == GONE and net and not family.for_person:
            self.say("ZERO", f"{row.key} was told declined or cancelled: {net} moved", family)
        if belief not in (STANDS, GONE) and self._believes_failed(story) and net and not family.for_person:
            self.say("ZERO", f"{row.key}: its provider's silence meant that it failed, and {net} moved", family)

    def _believes_failed(self, story: Story) -> bool:
        """A provider that fell silent after doubt, with the clock of SEMANTICS.md 12 on."""
        plan = next(p for p in self.history.plan.providers if p.name == story.provider)
        silent = not story.cancels and not story.won and story.kind is not Kind.CREDIT
        return plan.after_doubt is not None and plan.manner == "quiet" and silent and not story.unread

    def _whole(self, row: Movement) -> Family:
        """A settle that was split, or a round's refund, is the sum of its parts."""
        parts = [self.families[m.key] for m in self.rows if m.parent == row.key]
        family = self.families[row.key]
        if not parts:
            return family
        undone = {entry.wallet_id: entry for part in parts for entry in part.undone}
        own = [entry for part in parts for entry in part.own if entry.wallet_id not in undone]
        lies = set.union(family.lies, *(part.lies for part in parts))
        undoing = [*family.undoing, *(m for part in parts for m in [part.row, *part.undoing])]
        return Family(row=row, undoing=undoing, own=own, undone=list(undone.values()), lies=lies)

    def _same(self, story: Story) -> None:
        """The same decision, unless a cancel or a win came between (11)."""
        heard = {_word(word) for word in story.decisions}
        if story.kind is Kind.ROLLBACK:
            heard -= {Reason.ALREADY_ROLLED_BACK.value} if len(heard) > 1 else set()
        if len(heard) > 1 and not (story.kind is not Kind.ROLLBACK and (story.cancels or story.won)):
            self.say("SAME", f"{story.provider} {story.kind} {story.id} heard {sorted(heard)}")

    # -- sums

    def _purses(self) -> None:
        """By the journal's decisions alone, where nothing waits for a person and nobody lied."""
        for name, till in self.history.tills.items():
            rows = [row for row in self.rows if row.wallet == name and row.key not in self.parents]
            if till.purse.lies or any(not row.state.decided for row in rows):
                continue
            moved: dict[str, Decimal] = {}
            for row in rows:
                if row.state is State.ACCEPTED and row.attempts:
                    moved[row.tx.player] = moved.get(row.tx.player, Decimal(0)) + self._gain(row)
            for (player, currency), cash in till.purse.cash.items():
                expected = till.purse.opened[player, currency] + moved.get(player, Decimal(0))
                if cash != expected:
                    self.say("PURSE", f"{name} {player} has {cash}, and should have {expected}")

    def _gain(self, row: Movement) -> Decimal:
        if row.kind is not Kind.ROLLBACK:
            return _worth(row)
        target = self.by_key.get(row.target)
        # What was rolled back while it was in doubt is declined: the two net zero.
        return -_worth(target) if target is not None and target.state is State.ACCEPTED else Decimal(0)

    def _metrics(self) -> None:
        history, meter = self.history, self.history.meter
        said = sorted((answer.kind, answer.outcome) for answer in history.answers)
        counted = sorted((call[2], call[3]) for call in meter.calls)
        if not history.killed and said != counted:
            self.say("METRICS", f"{len(counted)} calls counted, {len(said)} answered")
        open_rows = [row for row in self.rows if not row.state.decided and not row.parent]
        counts = at_once(history.journal.counts())
        if sum(count.number for count in counts) != len(open_rows):
            self.say("METRICS", f"the gauges say {counts}, {len(open_rows)} are open")


def _moves(row: Movement) -> bool:
    return bool(_worth(row)) if row.kind is not Kind.ROLLBACK else False


def _worth(row: Movement) -> Decimal:
    match row.tx.act:
        case Debit(amount=amount):
            return -amount
        case Credit(amount=amount) | Adjust(amount=amount):
            return amount
        case Settle(debit=debit, credit=credit):
            return credit - debit
        case _:
            return Decimal(0)


def _word(outcome: Accepted | Declined) -> str:
    return "accepted" if isinstance(outcome, Accepted) else outcome.reason.value


def violations(history: History) -> Iterator[str]:
    yield from Verdict(history).found()
