"""What is seen while a history is played: every change of a row, and every request that reaches a wallet."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import apsw

from gateway.engine.journal import Movement
from gateway.engine.setup import Wallet
from gateway.http import Request
from gateway.journal.readhand import DirectReads
from gateway.journal.sqlite import SqliteJournal
from gateway.journal.writer import DirectWriter
from gateway.model import MONEY_KINDS, Kind, Outcome, Transaction
from gateway.play.book import Entry, Place
from tests.simulation.bench import at_once
from tests.simulation.players import Story
from tests.simulation.scheduler import BEGIN, Scheduler
from tests.simulation.tills import Till

NOTES_MAX = 4000
BEGUN_SECONDS = 0.05  # an attempt that the journal had noted when the decision came is on its way
ARRIVED_SECONDS = 1e-3  # what a wallet did just now, it wrote down at this moment
ASKED_GRACE_SECONDS = 3.0  # a lease lives a little longer than its call


DECIDED = frozenset({"accepted", "declined"})
MEANING = frozenset({Kind.ROLLBACK.value, Kind.CAPTURE.value, Kind.RELEASE.value})  # what means another movement


class Seen:
    """What the journal's own trigger saw of one movement: the truth beside what the engine says."""

    __slots__ = (
        "alias",
        "asked_at",
        "attempts",
        "born",
        "called_off",
        "came",
        "decided_at",
        "due",
        "first_asked",
        "forgotten",
        "id",
        "key",
        "kind",
        "known_round",
        "number",
        "ours",
        "parent",
        "player",
        "provider",
        "reference",
        "round",
        "state",
        "target",
        "till",
        "told",
        "unasked",
        "undone",
        "undone_by",
        "wallet",
    )

    def __init__(self, provider: str, kind: str, id: str, player: str, round: str) -> None:
        self.provider, self.kind, self.id, self.player, self.round = provider, kind, id, player, round
        self.known_round = round  # as the journal has it now: one that forgot its bet may not know it
        self.wallet, self.alias, self.state, self.told = "", "", "", ""
        self.due: float | None = None
        self.decided_at: float | None = None
        self.forgotten = (0.0, 0.0)  # from when to when it was decided, where the journal forgot that
        self.unasked = False  # whether no attempt stood when that was decided
        self.called_off = float("-inf")  # when an attempt was last said to have never left
        self.undone = False
        self.reference, self.number, self.ours = "", 0, False
        self.undone_by, self.target, self.parent = "", "", ""
        self.attempts, self.born = 0, 0.0
        self.came = (0, "")  # its place among those that came, as the journal's own clock had it
        self.asked_at = float("-inf")  # when the last attempt was written down
        self.first_asked = float("inf")  # and the first one ever, also if the journal forgot it
        self.key, self.till = "", ""


def _belongs(seen: Seen, other: Seen) -> bool:
    """Whether it goes where that went (rule 23): it is of its round, or means it. The cancel of a bet that nobody knows means
    nothing, not even a win whose id is that bet's, and is of no round but the one that it says."""
    if other.known_round and other.known_round == seen.known_round:
        return True
    if seen.kind in MEANING:
        return bool(seen.target) and other.key == seen.target
    return other.kind == Kind.DEBIT.value and other.id == seen.reference


TRIGGER = """
CREATE TEMP TRIGGER seen_{event} AFTER {event} ON movements BEGIN
  SELECT saw(NEW.key, NEW.provider, NEW.kind, NEW.id, NEW.player, NEW.round, NEW.wallet, NEW.alias, NEW.state, NEW.told, NEW.due_at, NEW.undone_by, NEW.reference, NEW.target, NEW.parent, NEW.ours, NEW.attempts, NEW.created_at);
END
"""


class Watched:
    """The rows as the journal's trigger sees them, and what must hold the moment it happens."""

    def __init__(self, scheduler: Scheduler, path: Path) -> None:
        self.scheduler, self.path = scheduler, path
        self.states: Counter[str] = Counter()
        self.edges: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []
        self.notes: deque[tuple[Any, ...]] = deque(maxlen=NOTES_MAX)
        self.stories: dict[tuple[str, Kind, str], Story] = {}
        self.rows: dict[str, Seen] = {}
        self.births = 0
        self.places: dict[tuple[str, Place], str] = {}
        self.told: dict[tuple[str, str, str, str], str] = {}  # (till, provider, kind, what it is told as)
        self.placed: dict[str, dict[tuple[str, Place], None]] = {}  # where a movement stands in books of other names
        self.sent: dict[
            int, tuple[Request, str]
        ] = {}  # the movement that a request is about, where its wallet renames it
        self.tills: dict[str, Till] = {}
        self.where: dict[str, str] = {}  # where a wallet's name points just now
        self.pointed: dict[str, list[str]] = {}  # and where it ever did
        self.older = False  # the journal is just being put back: what its rows become is no step of theirs

    # -- the journal, and what its trigger sees

    def open_journal(self) -> SqliteJournal:
        def make_writer(connection: apsw.Connection, committed: Callable[[float], None]) -> DirectWriter:
            connection.execute("PRAGMA synchronous = OFF")  # the machine does not fail here, only the process
            connection.create_scalar_function("saw", self._saw, 18)
            for event in ("INSERT", "UPDATE"):
                connection.execute(TRIGGER.format(event=event))
            return DirectWriter(connection, committed)

        journal: SqliteJournal = at_once(
            SqliteJournal.start(str(self.path), self.scheduler.clock(), make_writer=make_writer, make_reads=DirectReads)
        )
        return journal

    def _saw(self, *row: Any) -> None:
        key, provider, kind, id, player, round_id, wallet, alias, state, told, due_at, undone_by, *more = row
        reference, target, parent, ours, attempts, created_at = more
        seen = self.rows.get(key)
        if seen is None:
            seen = self.rows[key] = Seen(provider, kind, id, player, round_id)
            seen.reference, seen.parent, seen.key, seen.ours = reference, parent, key, bool(ours)
            self.note_row(key, "", state, told)
        elif (seen.state, seen.told) != (state, told):
            self.note_row(key, seen.state, state, told)
        if seen.state != state:
            if not seen.state:
                self.births += 1  # one that the journal had forgotten came after what was read before it this time
                seen.born, seen.number, seen.came = self.scheduler.now, self.births, (created_at, key)
            elif not self.older:
                self.edges[seen.state, state] += 1
            self.states[state] += 1
            if state in DECIDED:
                seen.decided_at = self.scheduler.now
                self.scheduler.soon(lambda: self._whole_ended(key))
        seen.state, seen.told, seen.known_round = state, told, round_id
        seen.due = None if due_at is None else due_at / 1e6 - BEGIN.timestamp()
        if attempts > seen.attempts:
            seen.asked_at = self.scheduler.now
            seen.first_asked = min(seen.first_asked, seen.asked_at)
        if attempts < seen.attempts:
            seen.called_off = self.scheduler.now
        seen.attempts = attempts
        seen.undone, seen.undone_by, seen.target = seen.undone or bool(undone_by), undone_by, target
        if (seen.wallet, seen.alias) != (wallet, alias):
            seen.wallet, seen.alias, seen.till = wallet, alias, self._till_of(seen, wallet)
        if seen.till in self.tills:
            self.told[seen.till, provider, kind, alias or id] = key
            if not self.tills[seen.till].renames:
                place = self.tills[seen.till].told(provider, Kind(kind), alias, id)
                self.places[seen.till, place] = key  # a refund's first part is told under the refund's own id

    def _till_of(self, seen: Seen, wallet: str) -> str:
        """What a wallet's name meant when what this movement belongs to went there (rule 23)."""
        if len(set(self.pointed.get(wallet, ()))) > 1:
            for other in self.rows.values():
                same = (other.provider, other.player, other.wallet) == (seen.provider, seen.player, wallet)
                if other is not seen and same and other.till and _belongs(seen, other):
                    return other.till
        return self.pointed.get(wallet, [""])[-1]

    def words(self) -> dict[str, tuple[object, ...]]:
        """What the journal says of each movement."""
        return {key: (row.state, row.told, row.undone_by, row.attempts) for key, row in self.rows.items()}

    def as_the_journal_says(self, before: Mapping[str, tuple[object, ...]], rows: list[Movement]) -> set[str]:
        """The journal is an older one: the keys of what it does not know, or knows otherwise."""
        now = {row.key: row for row in rows}
        touched = set[str]()
        for key, seen in self.rows.items():
            row = now.get(key)
            if row is None:
                touched.add(key)
                seen.state, seen.told, seen.due, seen.attempts, seen.undone_by = "", "", None, 0, ""
                seen.wallet = ""  # should it come again, it may belong elsewhere: its round may have gone there since
            elif before[key] != (row.state.value, row.told, row.undone_by, row.attempts):
                touched.add(key)
                seen.state, seen.told, seen.undone_by = row.state.value, row.told, row.undone_by
                seen.attempts = row.attempts
            if row is not None:  # its next look may differ where none of its words does: nobody else will ever say so
                seen.due = None if row.due_at is None else (row.due_at - BEGIN).total_seconds()
            if not seen.state or seen.state not in DECIDED:
                if seen.decided_at is not None:
                    seen.forgotten = (seen.decided_at, self.scheduler.now)
                    seen.unasked = before[key][3] == 0
                seen.decided_at = None
        return touched

    # -- the log of this history

    def note(self, what: str, who: str, tx: Transaction | None, outcome: Outcome | None) -> None:
        self.notes.append((self.scheduler.now, what, who, tx, outcome))

    def note_row(self, key: str, before: str, after: str, told: str) -> None:
        self.notes.append((self.scheduler.now, "row", key, before, after, told))

    def event(self, text: str) -> None:
        self.notes.append((self.scheduler.now, "event", text))

    # -- where a movement stands in a wallet's book

    def telling(self, provider: str, wallet: Wallet, request: Request, tx: Transaction) -> None:
        """A request is about to leave: what its wallet will call the movement, where its page has names of its own."""
        name = self.where_at(wallet)
        till, key = self.tills[name], self.told.get((name, provider, tx.kind.value, tx.id))
        if key is None or not till.renames or tx.kind not in MONEY_KINDS:
            return
        self.sent[id(request)] = request, key

    def names(self, till: Till, request: Request, items: list[Transaction]) -> None:
        """A request arrived: its wallet calls the movement so."""
        _, key = self.sent.get(id(request), (None, ""))
        for tx in items if key else ():
            spot = (till.plan.name, till.place_of(tx))
            other = self.places.setdefault(spot, key)
            if other != key and self._came_to_nothing(other, key) and not self._stood_there(till, spot[1]):
                self.places[spot] = key
                self.placed[other].pop(spot, None)
            elif other != key and tx.kind is not Kind.ROLLBACK and self.rows[other].state:  # else forgotten (rule 30)
                self.wrong.append(f"ALIAS {other} and {key} are told as one, {spot[1]}")
            self.placed.setdefault(key, {})[spot] = None

    def _stood_there(self, till: Till, place: Place) -> bool:
        """Whether its wallet's book had a movement there before the request that has just been answered."""
        purse = till.purse
        found = [e for e in purse.book if purse.place(e.provider, e.kind, e.id) == place]
        return any((e.at - BEGIN).total_seconds() < self.scheduler.now - ARRIVED_SECONDS for e in found)

    def _came_to_nothing(self, first: str, second: str) -> bool:
        """Whether a win had been declined before another one of its bet came, which is then the first that its wallet hears of."""
        seen, ended = self.rows[first], self.rows[first].decided_at
        declined = seen.kind == Kind.CREDIT.value and seen.state == "declined"
        return declined and ended is not None and ended < self.rows[second].born

    def places_of(self, key: str, name: str, provider: str, kind: Kind, told: str) -> list[Place]:
        """Where a movement stands, or would stand, in the book of that till."""
        if self.tills[name].renames:
            return [place for till, place in self.placed.get(key, ()) if till == name]
        if key in self.rows and not self.rows[key].alias:
            # No route led to a wallet when it came again: it stands where it was told before the journal forgot it (rule 30).
            return [place for (till, place), placed in self.places.items() if (till, placed) == (name, key)]
        return [self.tills[name].told(provider, kind, told, told)]

    def places_of_row(self, row: Seen) -> list[Place]:
        return self.places_of(row.key, row.till, row.provider, Kind(row.kind), row.alias or row.id)

    def is_anothers(self, row: Seen, name: str, place: Place, entry: Entry) -> bool:
        """Whether what stands in a book under a movement's name was applied before anybody asked for that: it is another's that
        was told in the same name, as each win of a bet may be told as the bet's, and that the journal forgot (rule 30)."""
        other = self.places.get((name, place), row.key)
        before = (entry.at - BEGIN).total_seconds() < row.first_asked
        return before and other != row.key and not self.rows[other].state

    @staticmethod
    def where_at(wallet: Wallet) -> str:
        return wallet.url.removeprefix("https://").split("/")[0].removesuffix(".example")

    # -- online checks

    def arrived(self, till: Till, kind: Kind, place: Place, sent: float) -> None:
        """A debit reached a wallet: it was not decided when its bytes left, and somebody waited for it (rule 9)."""
        key = self.places.get((till.plan.name, place))
        if key is None:
            if kind is Kind.ROLLBACK:
                return  # some dialects make its id themselves
            others = [key for key, row in self.rows.items() if row.kind == kind and place[2] in (row.alias, row.id)]
            if others:
                self.wrong.append(f"ELSEWHERE {others[0]} was sent to {till.plan.name}, which is not its wallet")
            else:
                self.wrong.append(f"ALIAS a wallet was told {place}, which is no movement's id")
            return
        row = self.rows[key]
        if row.kind == "credit":
            self._win_came(row, sent)
        if row.kind not in ("debit", "settle"):
            return
        if row.decided_at is not None and row.decided_at < sent - BEGUN_SECONDS:
            self.wrong.append(f"ASKED_DECIDED {key} was asked at {sent:.3f}, decided at {row.decided_at:.3f}")
        if not self._waited_for(row, sent):
            self.wrong.append(f"ASKED_UNWAITED {key} was asked at {sent:.3f}, and nobody waited for it")

    def _whole_ended(self, key: str) -> None:
        """What is made of parts is not decided before them (rules 16, 18). Looked at when the commit is over. A part
        that a journal forgot is none: it is in no row that anybody could wait for, or bring to its end."""
        there = [part for part in self.rows.values() if part.parent == key and part.state]
        open_ones = [part for part in there if part.state not in DECIDED]
        if open_ones and self.rows[key].state in DECIDED:
            parts = ", ".join(f"{part.kind} {part.state}" for part in open_ones)
            self.wrong.append(f"WHOLE {key} is {self.rows[key].state}, and a part of it is not: {parts}")

    def _may_have_left(self, bet: Seen, when: float) -> bool:
        """Whether a rollback of it may be at the wallet: what was only read stops no win (rules 11, 13). An attempt that
        never left may have, as far as anybody knew, from when it was written down until its own task said so."""
        return any(
            row.kind == "rollback"
            and self.rows.get(row.target) is bet
            and (row.attempts or row.asked_at <= when < row.called_off + BEGUN_SECONDS)
            for row in self.rows.values()
        )

    def _win_came(self, win: Seen, sent: float) -> None:
        """The bet that a win names is out of doubt, or on its way back, when the win is sent (rule 13)."""
        for bet in self.rows.values():
            named = (bet.provider, bet.kind, bet.id) == (win.provider, "debit", win.reference)
            if (
                not win.reference
                or not named
                or not bet.state
                or bet.number > win.number
                or self._may_have_left(bet, sent)
            ):
                continue
            # A win that was queued arrives after the journal forgot its bet's decision: what counts is when it left.
            was_decided = bet.forgotten[0] <= sent < bet.forgotten[1]
            if not was_decided and (bet.decided_at is None or bet.decided_at > sent):
                self.wrong.append(f"WIN_FIRST {win.provider}/credit/{win.id} was sent at {sent:.3f}, {bet.id} in doubt")

    def _waited_for(self, row: Seen, when: float) -> bool:
        for story in self.stories.values():
            if story.provider != row.provider or story.read.player != row.player:
                continue
            names = story.kind is Kind.CREDIT and getattr(story.read.act, "reference", "") == row.id
            if story.read.round_id != row.round and not names:
                continue
            wanted = story.kind in (Kind.CREDIT, Kind.SETTLE) or story.id == row.id
            if wanted and ((story.kind is Kind.CREDIT and story.spans) or story.open_at(when, ASKED_GRACE_SECONDS)):
                return True
        return False
