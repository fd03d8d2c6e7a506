"""What must hold at the end of every history, and what cannot be promised, as data.

The wallets' own books are the truth; the journal says what the gateway decided; the stories say
what each provider heard. The three must tell the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from gateway.ends import Kept
from gateway.engine.movement import Listing, Movement, by_a_person
from gateway.engine.states import EDGES, State
from gateway.model import Accepted, Credit, Debit, Declined, Kind, Reason, Rollback, Unknown
from gateway.play.book import Entry, Place
from tests.simulation import pages
from tests.simulation.bench import at_once
from tests.simulation.draw import SKEW_MARGIN_SECONDS
from tests.simulation.history import History
from tests.simulation.outside import JUDGED, allowed, ways, worth_of
from tests.simulation.players import GONE, STANDS, Story
from tests.simulation.scheduler import BEGIN
from tests.simulation.seam import ours
from tests.simulation.trouble import TRIES_MAX
from tests.simulation.watch import Seen

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
    "DEAF": "who asks to the end hears what was decided, or something is open",
    "ENDS": "what waits for a person can be resolved by one",
    "REASON": "what waits for a person says why",
    "STAKE": "no win is paid for a bet that the gateway itself then says never came, or gives back",
    "STAYS": "where a page says that a win keeps its bet, no cancel is sent once the win was paid",
    "WHOLE": "what is made of parts is decided after them, and not left open when they are done",
    "ORDER": "some order of all that a provider heard leaves what its movement moved",
    "ELSEWHERE": "a movement is sent to its own wallet only, whatever its wallet's name means by now",
    "STRAY": "no money moved that belongs to no movement",
    "SETTLES": "after the faults stopped everything is settled",
    "ALIAS": "a wallet is told ids of movements only",
    "CRASH": "nothing failed with an exception",
}

DEAF_SECONDS = 60.0  # a provider that asked so long after the decision should have heard it

CANNOT: Mapping[str, tuple[str, frozenset[str]]] = {
    "forgets": (
        "a wallet that forgets an id before `remembers` applies a second asking again, and denies what it applied",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON", "ORDER"}),
    ),
    "too_late": (
        "a request applied after `in_flight_max` was already held to be lost",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON", "ORDER"}),
    ),
    "other_answer": (
        "an answer to another call is believed where the dialect echoes no id",
        frozenset({"ACCEPTED", "ZERO", "JOURNAL", "PERSON", "ORDER"}),
    ),
    "repeated": (
        "a network that hands one request to a wallet twice moves the money twice, unless that kind is `safe`",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON", "ORDER"}),
    ),
    "lost_commits": (
        "what the journal forgot is asked again where the wallet can neither be asked nor looks for the id first, has forgotten it, too, has not seen it yet, or was never told of it (rule 30)",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON", "ORDER"}),
    ),
}
"""Lies, and what cannot be promised of the movements (and their cancels) that were lied about."""


UNSAYABLE = ("this dialect", "its wallet would take it", "its wallet gave that bet back")
"""Notes of what a wallet's dialect has no words for: the cancel of a bet that nobody saw, of a win; the win of a bet that it
gave back, which it would call paid."""

MAY_HAVE_PAID = "the journal may have forgotten that its win was paid"
"""The note of a cancelled settle that was open when the journal forgot."""


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
        self.children: dict[str, list[Movement]] = {}
        self.aimed: dict[str, list[Movement]] = {}
        for row in self.rows:
            self.children.setdefault(row.parent, []).append(row)
            self.aimed.setdefault(row.target, []).append(row)
        self.named = {name: self._named(name) for name in history.tills}
        self.families = {row.key: self._family(row) for row in self.rows}
        self.wrong = [*history.wrong]

    def _book(self, name: str) -> dict[Place, list[Entry]]:
        purse = self.history.tills[name].purse
        found: dict[Place, list[Entry]] = {}
        for entry in purse.book:
            found.setdefault(purse.place(entry.provider, entry.kind, entry.id), []).append(entry)
        return found

    def _named(self, name: str) -> dict[Place, list[Entry]]:
        """What names another movement of the book: rollbacks, captures and releases."""
        purse, found = self.history.tills[name].purse, dict[Place, list[Entry]]()
        for entry in purse.book:
            meant = purse.meant.get(entry.wallet_id)
            if meant is not None:
                found.setdefault(purse.place(entry.provider, meant, entry.reference), []).append(entry)
        return found

    def _places(self, row: Movement) -> list[tuple[str, Place]]:
        """Where it stands, or would, in its wallet's book: a settle in one call may be two entries there."""
        name = self.history.rows[row.key].till
        return self._places_at(row, name) if name in self.history.tills else []

    def _places_at(self, row: Movement, name: str) -> list[tuple[str, Place]]:
        found = self.history.places_of(row.key, name, row.provider, row.kind, row.alias or row.tx.id)
        return [(name, place) for place in found]

    def _entries(self, row: Movement) -> list[Entry]:
        """What the wallet applied for this row; of a whole, its parts were applied, not itself."""
        if row.key in self.parents:
            return []
        own = [
            entry
            for name, place in self._places(row) for entry in self.books[name].get(place, [])
            if not self.history.is_anothers(self.history.rows[row.key], name, place, entry)
        ]  # fmt: skip
        if row.kind is Kind.ROLLBACK:  # some dialects make its id themselves: it is known by what it names
            alone = len(self.aimed.get(row.target, [])) == 1
            return own or (self._undone(self.by_key.get(row.target)) if alone else [])
        return own

    def _undone(self, target: Movement | None) -> list[Entry]:
        """The rollbacks that name a movement, as its wallet applied them."""
        places = self._places(target) if target is not None else []
        found = [entry for name, place in places for entry in self.named[name].get(place, [])]
        return [
            entry for entry in found if entry.kind is Kind.ROLLBACK and not (entry.over and entry.undone_by)
        ]  # one that was rolled forward undoes nothing

    def _family(self, row: Movement) -> Family:
        undoing = self.aimed.get(row.key, [])
        lies: set[str] = set()
        near = [self.by_key[key] for key in (row.target, row.undone_by) if key in self.by_key]
        for each in [row, *undoing, *near]:
            places = self._places(each)
            for name, place in places:
                lie = self.history.tills[name].purse.lies.get(place)
                lies |= ({lie} if lie else set()) | self._lied_beside(name, place)
            name = self.history.rows[each.key].till
            if name in self.history.tills and each.key in self.history.touched:
                again = self.history.tills[name].purse.takes_again(each.tx)
                nobody = any(
                    self._nobody_remembers(each, *place) or self._not_seen_yet(each, *place) for place in places
                )
                nobody = nobody or self._nobody_was_told(each) or self._nobody_knows_its_win(each)
                nobody = nobody or self._told_elsewhere(each)
                lies |= {"lost_commits"} if again == "never" or nobody else set()
        lies |= {"lost_commits"} if self._forgot_what_buried_it(row) else set()
        return Family(
            row=row, undoing=undoing, own=self._entries(row), lies=lies,
            undone=[e for e in self._undone(row) if not self._taken_back(e)] if row.key not in self.parents else [],
        )  # fmt: skip

    def _lied_beside(self, name: str, place: Place) -> set[str]:
        """A wallet that lied about another bet of the round took that one's refund for the whole round."""
        purse = self.history.tills[name].purse
        by = {entry.undone_by for entry in self.books[name].get(place, ()) if entry.undone_by}
        meant = [
            purse.place(e.provider, purse.meant[e.wallet_id], e.reference) for e in purse.book if e.wallet_id in by
        ]
        return {purse.lies[each] for each in meant if each in purse.lies}

    def _nobody_remembers(self, row: Movement, name: str, place: Place) -> bool:
        """The journal forgot it whole, and when it came again its wallet's memory of it was over, too: to both it is a
        new movement. Nobody else could say that it is none, and nothing new may wait for a person until the longest
        retry of its provider has passed (rule 30)."""
        restored, seen = self.history.restored, self.history.rows[row.key]
        applied = [(entry.at - BEGIN).total_seconds() for entry in self.books[name].get(place, [])]
        if restored is None or seen.born < restored or not applied:
            return False
        return seen.born - min(applied) > self.history.tills[name].plan.remembers

    def _nobody_was_told(self, row: Movement) -> bool:
        """The journal forgot what it had decided by itself, like the bet that its cancel had overtaken: no byte of it had
        ever left, so no wallet can say that there is an old decision. Its late copy is a first call to everybody (rule 30)."""
        restored, seen = self.history.restored, self.history.rows[row.key]
        if restored is None or seen.forgotten == (0.0, 0.0):
            return False
        return seen.born >= restored and seen.first_asked >= restored

    def _forgot_what_buried_it(self, row: Movement) -> bool:
        """The journal forgot the answered cancel that had overtaken it, and no wallet knows of that one either: it was never
        asked, or keeps no tombstones. The bet that comes after is a first call to everybody (rules 15, 30)."""
        restored, tills = self.history.restored, self.history.tills
        if restored is None or not row.takes or self.history.rows[row.key].born < restored:
            return False
        return any(
            (lost.provider, lost.kind, lost.reference) == (row.provider, Kind.ROLLBACK.value, row.tx.id)
            and lost.forgotten[0] and lost.key not in self.by_key and not lost.target
            and not (lost.first_asked < restored and lost.till in tills and tills[lost.till].plan.tombstones)
            for lost in self.history.rows.values()
        )  # fmt: skip

    def _told_elsewhere(self, row: Movement) -> bool:
        """The journal forgot where it had gone, and by other routes its repeat came to a wallet that knows nothing of it, or
        cannot be told it (rules 23, 30)."""
        till = self.history.rows[row.key].till
        return any(key == row.key and name != till for (name, _), key in self.history.places.items())

    def _not_seen_yet(self, row: Movement, name: str, place: Place) -> bool:
        """Its wallet had not seen the bet that the journal forgot, queued or behind on a replica, and before all has landed
        a bet is asked all the same, so that after a restored copy everybody can play (rule 30)."""
        restored, seen, till = self.history.restored, self.history.rows[row.key], self.history.tills[name]
        if restored is None or row.owes or seen.born < restored:
            return False
        return seen.asked_at < restored + till.plan.in_flight_max and bool(self.books[name].get(place))

    def _nobody_knows_its_win(self, row: Movement) -> bool:
        """A win had stopped this cancel before a byte of it left, and the journal forgot the win, which never came again:
        its provider has its yes. No wallet was told of this cancel, and none knows which bet a win was for (rules 11, 30)."""
        seen = self.history.rows[row.key]
        if not (row.undoes and seen.unasked):
            return False
        return any(
            (win.provider, win.kind, win.player) == (row.provider, Kind.CREDIT.value, row.tx.player)
            and (win.reference == row.reference if win.reference else win.round == seen.round)
            and win.decided_at is None and win.forgotten[0] and win.key not in self.by_key
            for win in self.history.rows.values()
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
            self._stake(family)
            self._stays(family)
            self._whole_left(family)
        for alike in self._alike():
            self._lived(alike)
        self._heard()
        self._purses()
        self._strays()
        self._metrics()
        return self.wrong

    def _engine(self) -> None:
        history = self.history
        for crash in sorted({f"{type(error).__name__}: {error}" for error in history.scheduler.errors}):
            self.say("CRASH", crash)
        if history.over != "settled":
            late = [f"{key} {row.state}" for key, row in history.rows.items() if row.due is not None]
            self.say("SETTLES", f"{history.over}: {', '.join(late) or 'an actor never ended'}")
        for before, after in history.edges:
            if State(after) not in EDGES[State(before)]:
                self.say("EDGES", f"{before} -> {after}")

    def _once(self, family: Family) -> None:
        most = 1 if family.row.kind is Kind.RESERVE else max(1, len(self._places(family.row)))
        if len(family.own) > most:
            self.say("ONCE", f"{family.row.key} was applied {len(family.own)} times", family)
        # What a journal forgot may have been undone before, and its rollback cannot tell who did that (rule 30).
        live = [m for m in family.undoing if self._undoes_all(m, family.row) and not self._born_in_doubt(m)]
        if any(m.ours for m in live):  # its provider's joined ours, and its attempt ended with a process before it left
            live = [m for m in live if m.ours or self._tied([m])]
        if len(live) > 1:
            self.say("ONCE", f"{family.row.key} is undone by {', '.join(m.key for m in live)}", family)
        given = family.undone
        if len(given) > 1 and abs(sum(entry.delta for entry in given)) > abs(_worth(family.row)):
            self.say("ONCE", f"{family.row.key} was given back {len(given)} times", family)

    def _undoes_all(self, m: Movement, target: Movement) -> bool:
        """A rollback of all of it that was sent, accepted, and not taken back itself. (Of two that are open
        one may have an attempt only because its process died before it could say that nothing left.)"""
        amount = getattr(m.tx.act, "amount", None)
        if m.kind is not Kind.ROLLBACK or not m.attempts or m.state is not State.ACCEPTED:
            return False
        back = any(each.kind is Kind.ROLLBACK and each.attempts for each in self.aimed.get(m.key, []))
        return not back and (amount is None or amount >= abs(_worth(target)))

    def _taken_back(self, entry: Entry) -> bool:
        """Whether an un-rollback names it."""
        for name, named in self.named.items():
            place = self.history.tills[name].purse.place(entry.provider, entry.kind, entry.id)
            if any(each.kind is Kind.ROLLBACK for each in named.get(place, [])):
                return True
        return False

    def _stake(self, family: Family) -> None:
        """A win that was there when the gateway decided that its bet never came, or gave it back by itself."""
        win = family.row
        if win.kind is not Kind.CREDIT or win.state is not State.ACCEPTED or win.parent or not win.reference:
            return
        born = self.history.rows[win.key].born
        for bet in self.rows:
            if (bet.provider, bet.kind, bet.tx.id) != (win.provider, Kind.DEBIT, win.reference) or bet.parent:
                continue
            about = self.families[bet.key]
            seen = self.history.rows[bet.key]
            never = isinstance(bet.outcome, Declined) and bet.outcome.reason is Reason.ALREADY_ROLLED_BACK
            never = never and bet.key not in self.history.resolved
            if never and seen.decided_at is not None and seen.decided_at > born and not self._given_up(bet):
                self.say("STAKE", f"{win.key} was paid for {bet.key}, which then never reached its wallet", about)
            for own in about.undoing:
                if ours(own) and own.state is State.ACCEPTED and self.history.rows[own.key].born > born:
                    self.say("STAKE", f"{bet.key} was given back by {own.key}, beside its win {win.key}", about)

    def _stays(self, family: Family) -> None:
        """Where a page says that a bet stays for its win, no cancel of its provider's was sent once the win had been paid."""
        bet, seen = family.row, self.history.rows
        provider = self.history.setup.providers[bet.provider]
        if bet.kind is not Kind.DEBIT or bet.parent or not pages.keeps_won(provider.dialect, provider.settings):
            return
        by_round = pages.keeps_by_round(provider.dialect, provider.settings) and bool(bet.tx.round_id)
        later = provider.kept_by is Kept.LATER
        for cancel in family.undoing:
            if (
                ours(cancel)
                or cancel.parent
                or not cancel.undoes
                or cancel.state is not State.ACCEPTED
                or not cancel.sent
            ):
                continue
            for win in self.rows:
                here = win.provider == bet.provider and win.kind is Kind.CREDIT and win.tx.player == bet.tx.player
                follows = not later or seen[win.key].born > seen[bet.key].born
                ties = win.reference == bet.tx.id or (by_round and win.tx.round_id == bet.tx.round_id and follows)
                paid = seen[win.key].decided_at if win.state is State.ACCEPTED and not win.undone_by else None
                known = any(map(self._touched, (bet, cancel, win)))
                if here and ties and paid is not None and paid < seen[cancel.key].born and not known:
                    self.say("STAYS", f"{bet.key} was given back by {cancel.key}, and {win.key} keeps it", family)

    def _given_up(self, bet: Movement) -> bool:
        """Whether a rollback that named it may have undone it, the gateway's own from before its win included."""
        return any(
            m.kind is Kind.ROLLBACK and m.reference == bet.tx.id and m.provider == bet.provider
            and not (isinstance(m.outcome, Declined) and m.outcome.reason is Reason.ALREADY_SETTLED)
            for m in self.rows
        )  # fmt: skip

    def _whole_left(self, family: Family) -> None:
        """All its parts are done, and it is still open: looked at for ever, or by nobody."""
        row, parts = family.row, self.children.get(family.row.key, [])
        done = parts and all(part.state.decided for part in parts)
        undoer = self.by_key.get(row.undone_by)  # it follows that to a person, at its next look
        follows = row.due_at is not None and undoer is not None and undoer.state is State.PERSON
        follows = follows or (
            undoer is not None and self._is_away([undoer])
        )  # and waits with it for its wallet (rule 23)
        follows = follows or self.history.round_waits(self.history.rows[row.key])
        if done and not row.state.decided and row.state is not State.PERSON and not follows:
            self.say("WHOLE", f"{row.key} is {row.state}, and its parts are decided", family)

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
        part = self._forgot_a_part(family)
        if row.state is State.DECLINED and moves and family.net and not (family.for_person or part):
            self.say("JOURNAL", f"{row.key} is declined, and moved {family.net}", family)
        resolved = row.key in self.history.resolved
        may_end = row.parent or row.undone_by or resolved or self._of_a_broken_batch(row)
        if row.kind is Kind.CREDIT and row.state is State.DECLINED and not (may_end or self._ended_by_its_page(row)):
            self.say("OWED", f"{row.key} is a win, and is declined", family)
        if row.kind is Kind.ROLLBACK:
            return
        undone = next((m for m in family.undoing if self._undoes_all(m, row)), None)
        if undone is not None and family.net and not (part or self._forgot_its_undoing(family.undoing)):
            self.say("JOURNAL", f"{row.key} was rolled back, and moved {family.net}", family)

    def _forgot_a_part(self, family: Family) -> bool:
        """The journal forgot the rollback of a part of it, and its wallet says to that of all, which may have been asked before,
        that it was given back already (rules 5, 17, 30)."""
        lost = any(
            seen.target == family.row.key and seen.kind == Kind.ROLLBACK.value
            and seen.forgotten[0] and seen.key not in self.by_key
            for seen in self.history.rows.values()
        )  # fmt: skip
        return lost and abs(sum(entry.delta for entry in family.undone)) < abs(_worth(family.row))

    def _ended_by_its_page(self, row: Movement) -> bool:
        """A win whose page lets it be declined for good, for such a reason: its bet was cancelled or declined, or is nowhere;
        it has another win; its round is over (rules 6, 15)."""
        dialect = self.history.setup.providers[row.provider].dialect
        reason = row.outcome.reason if isinstance(row.outcome, Declined) else None
        if reason not in pages.wins_that_end(dialect, row.tx):
            return False
        self.history.fire("win_ended")
        bets = [m for m in self.rows if (m.provider, m.kind, m.tx.id) == (row.provider, Kind.DEBIT, row.reference)]
        seen, ended = self.history.rows, self.history.rows[row.key].decided_at
        bets = [m for m in bets if ended is None or seen[m.key].born <= ended]  # it was nowhere then
        stands = [m for m in bets if m.state is State.ACCEPTED and not m.undone_by and not self.aimed.get(m.key)]
        others = [
            m for m in self.rows
            if m.kind is Kind.CREDIT and m.key != row.key and m.provider == row.provider
            and (m.reference == row.reference or m.tx.round_id == row.tx.round_id)
        ]  # fmt: skip
        excused = row.key in self.history.resolved or self._born_in_doubt(row) or self.families[row.key].lies
        return bool(others or excused) or not stands

    def _of_a_broken_batch(self, row: Movement) -> bool:
        """An atomic batch is all or nothing: its credit ends with a debit of it that was declined (rule 19)."""
        items = [m for m in self.rows if row.atomic and m.batch == row.batch and m.kind is Kind.DEBIT]
        return any(m.state is State.DECLINED for m in items)

    def _person(self, family: Family) -> None:
        row, history = family.row, self.history
        if row.state is State.PERSON:
            if not row.note:
                self.say("REASON", f"{row.key} waits for a person and does not say why", family)
            if history.tried[row.key] >= TRIES_MAX:
                self.say("ENDS", f"{row.key} waits for a person, and a person is refused", family)
            lied = any(
                self.families[m.key].lies for m in self.rows if m.parent in (row.key, row.undone_by) and m.parent
            )
            by_hand = self._in_a_persons_hands(row)
            if self._must_settle(row) and not (lied or by_hand or self._stepped_over(row)):
                self.say("PERSON", f"{row.key}: {row.note}", family)
        elif (
            not row.state.decided and history.over == "settled" and not history.waits_for_person(history.rows[row.key])
        ):
            self.say("SETTLES", f"{row.key} is {row.state}, and nobody looks at it", family)

    def _in_a_persons_hands(self, row: Movement) -> bool:
        """A part of it, or of what undoes it, was a person's already: it could not be said, or nobody knew its end. What
        a no of that person means to the whole, and what a wallet has forgotten before the word came, only a person
        can say, too (rules 16, 18)."""
        return any(
            m.parent in (row.key, row.undone_by) and m.parent and m.key in self.history.resolved for m in self.rows
        )

    def _stepped_over(self, row: Movement) -> bool:
        """The clock stepped by hours: a machine may have slept, or the process ended and the next one believes what the
        wall clock says of the wallet's memory. It rather asks a person too early than believes a wallet too late."""
        return bool(self.history.plan.rate("step")) and "does not remember" in row.note

    def _touched(self, row: Movement) -> bool:
        """Whether the journal's loss changed it, or what it is about."""
        return bool({row.key, row.target, row.parent, row.undone_by} & self.history.touched)

    def _born_in_doubt(self, row: Movement) -> bool:
        """It came after the journal forgot: what is not known of it may be a person's (rule 30)."""
        restored = self.history.restored
        return restored is not None and (self._touched(row) or self.history.rows[row.key].born >= restored)

    def _is_away(self, rows: list[Movement]) -> bool:
        """One of them is open, and the configuration does not lead to its wallet any more: nothing may be sent, so a
        settle may be half of itself until that wallet is put back (rule 23)."""
        return any(_is_open(m) and self.history.is_away(self.history.rows[m.key]) for m in rows)

    def _kept(self, row: Movement) -> bool:
        """Its wallet would not undo it, or what it is aimed at (its habit `keeps`)."""
        for each in self._near(row):
            name = self.history.rows[each.key].till
            if name not in self.history.tills:
                continue
            purse = self.history.tills[name].purse
            applied = [purse.place(entry.provider, entry.kind, entry.id) for entry in self._entries(each)]
            if any(purse.kept.get(place) for place in (*applied, *(place for _, place in self._places(each)))):
                return True
        return False

    def _unsaid(self, row: Movement) -> bool:
        """Its wallet refused it, or what it is about, and its page has no word for that but the one for doubt."""
        return any(
            place in self.history.tills[name].purse.unsaid
            for each in self._near(row)
            for name, place in self._places(each)
        )

    def _near(self, row: Movement) -> list[Movement]:
        """A movement, its whole, and all that these are about, or that is about them."""
        top = self.by_key.get(row.parent, row)
        near = {m.key: m for m in (*self._about(row), *self._about(top))}
        near |= {m.target: self.by_key[m.target] for m in [*near.values()] if m.target in self.by_key}
        return list(near.values())

    def _unsayable(self, row: Movement) -> bool:
        """It, what undoes it, or the whole that it is a part of cannot be said to its wallet."""
        whole = self.by_key.get(row.parent, row)
        near = [row, whole, *(self.by_key[m.undone_by] for m in (row, whole) if m.undone_by in self.by_key)]
        return any(m.note.startswith(UNSAYABLE) for m in near)

    def _must_settle(self, row: Movement) -> bool:
        """Whether this movement had all it needs to end without a person."""
        history = self.history
        till = history.tills.get(history.rows[row.key].till)
        wallet = till.plan if till is not None else None
        provider = next(p for p in history.plan.providers if p.name == row.provider)
        if wallet is None or not wallet.settles or wallet.remembers < 500:
            return False
        if (
            self._unsayable(row)
            or self._born_in_doubt(row)
            or self._kept(row)
            or self._unsaid(row)
            or history.is_away(history.rows[row.key])
            or self._cannot_be_asked(row)
            or self._only_its_wallet_names(row)
        ):
            return False
        parts = self.children.get(row.key, [])
        if any(part.key in history.resolved and part.state is State.DECLINED for part in parts):
            return (
                False  # a person said that one part stays, and the other is undone: only a person can go on (rule 16)
            )
        gave_up = any(s.gave_up for s in history.stories.values() if s.provider == row.provider)
        return provider.after_doubt is not None or (provider.manner == "cancels" and provider.persists and not gave_up)

    def _cannot_be_asked(self, row: Movement) -> bool:
        """The journal forgot whether it was, and its wallet cannot be asked about it; or, of a settle that is open, whether its
        win was paid: its cancel is a person's then, and nobody goes on with its legs (rules 18, 30)."""
        whole = self.by_key.get(row.parent, row)
        paid = whole.forgot_at is not None and whole.note == MAY_HAVE_PAID
        return paid or (row.forgot_at is not None and row.note.startswith("the journal forgot"))

    def _only_its_wallet_names(self, row: Movement) -> bool:
        """A hold at a wallet that names holds itself, or the release of one, and no yes with that name was heard: it can be
        asked neither again nor about (rules 14, 15)."""
        hold = row if row.kind is Kind.RESERVE else self.by_key.get(row.target)
        if hold is None or hold.kind is not Kind.RESERVE:
            return False
        till = self.history.tills.get(self.history.rows[hold.key].till)
        names = till is not None and till.wallet.dialect.as_wallet.makes_hold_ids
        return names and (hold.state is not State.ACCEPTED or hold.key in self.history.resolved)

    def _heard(self) -> None:
        """What a wallet accepted, and said so to a process that lived on, is decided."""
        for wallet, place in self.history.intact:
            key = self.history.places.get((wallet, place))
            row = self.by_key.get(key or "")
            if key is None or row is None or row.state.decided or key in self.parents or self._touched(row):
                continue
            if self._yes_says_nothing(row) or self._has_one_word(row) or self._may_be_of_another_win(row):
                continue
            self.say(
                "HEARD", f"{key}: its wallet's yes was heard, and it is {self.by_key[key].state}", self.families[key]
            )

    def _yes_says_nothing(self, row: Movement) -> bool:
        """It undoes what its wallet may have forgotten, and such a wallet says yes to that of nothing, too (rule 14)."""
        seen, target = self.history.rows[row.key], self.by_key.get(row.target)
        till = self.history.tills.get(seen.till)
        stays = row.state is State.PERSON or self._is_away([row])
        if not stays or not row.undoes or target is None or till is None:
            return False
        remembers, born = till.plan.remembers - SKEW_MARGIN_SECONDS, self.history.rows[target.key].born
        old = seen.asked_at - born > remembers or self._undated(row, target, remembers)
        # Others are asked again until a clock leaves no question; one that may be asked once only is a person's at once.
        once = till.purse.takes_again(row.tx) == "never" and any(
            at <= seen.asked_at for at, _ in self.history.clock_set
        )
        return pages.yes_to_unknown(till.wallet.dialect) and (old or once)

    def _has_one_word(self, row: Movement) -> bool:
        """A bet asked again beside its own sent cancel, of which nothing is known: its wallet says one word of a bet that it has
        and of one whose rollback came first (rule 11)."""
        cancel, till = self.by_key.get(row.undone_by), self.history.tills.get(self.history.rows[row.key].till)
        if cancel is None or till is None or cancel.state.decided or not cancel.sent or not row.takes:
            return False
        return row.attempts > 1 and till.wallet.dialect.as_wallet.one_word

    def _may_be_of_another_win(self, row: Movement) -> bool:
        """A win that came since the journal forgot, asked again at a wallet that is told it as the one of its bet: that it has
        that already may be said of another win of the bet, which the journal forgot (rule 30)."""
        seen, act = self.history.rows[row.key], row.tx.act
        till = self.history.tills.get(seen.till)
        if self.history.restored is None or till is None or not isinstance(act, Credit) or row.parent:
            return False
        several = till.wallet.dialect.as_wallet.one_win and not pages.one_end(
            self.history.setup.providers[row.provider].dialect
        )
        again = row.state is State.PERSON and row.forgot_at is not None and row.attempts > 1
        return several and again and bool(act.reference) and not act.further and seen.born >= self.history.restored

    def _undated(self, row: Movement, target: Movement, seconds: float) -> bool:
        """No clock said, when it was asked, that what it names was younger than that: one showed so much later by then, or was
        set ahead by so much since, so that a machine may have slept, or a process of before the clock was set back have written
        it; or it was still to come, by the clock of a process that began since, or of its own birth (rule 29)."""
        seen, history = self.history.rows[row.key], self.history
        born, by = history.rows[target.key].born, seen.asked_at + SKEW_MARGIN_SECONDS
        shown = [row.asked_at or row.created_at, *(shown for at, shown in history.clock_set if at <= by)]
        later = max(shown) - target.created_at > timedelta(seconds=seconds)
        slept = sum((leap for at, leap in history.leaps if born < at <= by), timedelta(0))
        older = timedelta(seconds=seen.asked_at - born) + slept > timedelta(seconds=seconds)
        to_come = [row.created_at, *(shown for at, shown in history.begun if born < at <= by)]
        return later or older or min(to_come) < target.created_at

    # -- what the providers heard

    def _alike(self) -> list[list[Story]]:
        """The stories; bets of one player, round and amount together, where a cancel says no more than that."""
        found: dict[object, list[Story]] = {}
        for story in self.history.stories.values():
            key: tuple[object, ...] = (story.provider, story.kind, story.id)
            stake = pages.by_stake(self.history.setup.providers[story.provider].dialect)
            if stake and isinstance(story.read.act, Debit):
                key = (story.provider, story.read.player, story.read.round_id, story.read.act.amount)
            found.setdefault(key, []).append(story)
        return [*found.values()]

    def _lived(self, alike: list[Story]) -> None:
        """What its wire does not tell apart is right where some way to tell it apart makes it so."""
        before, said = len(self.wrong), list[str]()
        for way in ways(alike, self._no_longer):
            del self.wrong[before:]
            for story in way:
                self._told(story)
                self._same(story)
                self._order(story)
                self._silence(story)
                self._deaf(story)
            if len(self.wrong) == before:
                return
            said = said or self.wrong[before:]
        self.wrong[before:] = said

    def _no_longer(self, bet: Story, cancel: Story) -> bool:
        """Whether the bet had an end of its own, of which its provider knew or which nothing of the cancel's could be: it is
        not what this cancel was about."""
        no = [(when, word) for when, word in bet.words if isinstance(word, Declined)]
        said = min(cancel.said, default=0.0)
        declined = any(word.reason is not Reason.ALREADY_ROLLED_BACK or when < said for when, word in no)
        return declined or self._fell_silent(bet)

    def _fell_silent(self, story: Story) -> bool:
        plan = next(p for p in self.history.plan.providers if p.name == story.provider)
        silent = plan.after_doubt is not None and (plan.manner == "quiet" or story.silent)
        return silent and not (story.decided or story.unread)

    def _row_of(self, story: Story) -> Movement | None:
        found = [
            row for row in self.rows
            if row.provider == story.provider and row.tx.id == story.id and row.kind is story.kind and not row.parent
        ]  # fmt: skip
        if not found and isinstance(story.read.act, Rollback):  # Kyren's cancel has no id on the wire but what it names
            found = [
                row for row in self.rows
                if row.provider == story.provider and row.kind is Kind.ROLLBACK and not (row.parent or ours(row))
                and row.reference == story.read.act.reference
            ]  # fmt: skip
        return found[0] if found else None

    def _told(self, story: Story) -> None:
        row = self._row_of(story)
        if story.kind not in (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE) or not story.plain:
            return
        if row is None:
            lost = any(seen.id == story.id and key in self.history.touched for key, seen in self.history.rows.items())
            if any(isinstance(w, Accepted) for w in story.decisions) and not lost:
                self.say("ACCEPTED", f"{story.provider} {story.kind} {story.id} was accepted, and is in no journal")
            return
        if self._forgot_before_a_win(story, row):
            return
        family, belief = self._whole(row), story.believes()
        net = family.net
        expected = _worth(row)
        business = isinstance(row.outcome, Declined) and row.outcome.reason is not Reason.ALREADY_ROLLED_BACK
        if belief == STANDS and business and story.cancels:
            return  # its win stopped its cancel, and then its wallet would not have it: a win is never refused (rule 15)
        if belief == STANDS and self._left_to_a_person(row, story):
            return
        forgot = self._touched(row) and self.history.setup.providers[story.provider].after_doubt is not None
        waits = (story.cancels and family.for_person) or self._is_away([row])
        if belief == STANDS and net != expected and not (forgot or waits):
            self.say("ACCEPTED", f"{row.key} was told accepted: {net} moved, {expected} was said", family)
        resolved = row.key in self.history.resolved
        if (
            story.kind is Kind.CREDIT
            and not (story.cancels or resolved or story.over or self._of_a_broken_batch(row))
            and any(isinstance(w, Declined) and not self._unread(when, row) for when, w in story.words)
        ):
            self.say("OWED", f"{row.key} is a win, and its provider heard {story.decisions}", family)
        waits = self._is_away([m for m in family.undoing if ours(m)])  # what we give back by ourselves is told at once
        if belief == GONE and net and not (waits or family.for_person or self._a_person_keeps(row)):
            self.say("ZERO", f"{row.key} was told declined or cancelled: {net} moved", family)

    def _left_to_a_person(self, row: Movement, story: Story) -> bool:
        """Its win stopped its cancel while it was in doubt, as it must (rule 11), and what became of it no wallet could
        say: it may not be asked, or has forgotten. Later a person finds in the book that it never came. Nobody could
        have known that when the cancel was answered, and an answered cancel stays answered (rule 7)."""
        seen, cancels = self.history.rows, [m for m in map(self._row_of, story.cancels) if m is not None]
        settled = [m for m in cancels if isinstance(m.outcome, Declined) and m.outcome.reason is Reason.ALREADY_SETTLED]
        stopped = [seen[m.key].decided_at for m in settled if not m.attempts]
        # Nor could anybody whose journal has forgotten that cancel, which never came again (rule 30).
        stopped += [lost.forgotten[0] for lost in self._lost_cancels(row) if lost.unasked]
        said = seen[row.key].decided_at if row.state is State.DECLINED and row.key in self.history.resolved else None
        return said is not None and bool(stopped) and all(when is not None and when < said for when in stopped)

    def _a_person_keeps(self, row: Movement) -> bool:
        """A person said no to giving it back, whatever its provider had heard: its wallet had forgotten it, or would not,
        and an answered call stays answered (rules 6, 7, 14)."""
        undoing = [m for m in self._about(row) if m.target and m.kind in (Kind.ROLLBACK, Kind.RELEASE)]
        return any(_by_a_person(m) for m in undoing)

    def _silence(self, story: Story) -> None:
        """A provider that fell silent after doubt, with the clock of rule 12 on: whatever takes is given back."""
        row = self._row_of(story)
        takes = story.kind in JUDGED and not (story.kind is Kind.ADJUST and worth_of(story.read) > 0)
        if row is None or not takes or story.cancels or story.won or story.ends or not self._fell_silent(story):
            return
        family = self._whole(row)
        rows = self._about(row)
        silent = not any(m.key in self.history.resolved for m in rows)
        net = sum((entry.delta for entry in self._tied(rows)), Decimal(0))  # a hold is given back by a release
        waits = family.for_person or self._is_away(rows) or self._only_bet_left(row)
        if silent and net and not (waits or self._touched(row) or self._kept(row)):
            self.say("ZERO", f"{row.key}: its provider's silence meant that it failed, and {net} moved", family)

    def _only_bet_left(self, row: Movement) -> bool:
        """A win that names none ties to the only bet of its round that was not declined and is not undone, and stops its clock
        (rule 11): of others of its round that had their end, or that the journal forgot (rule 30), it knows none."""
        provider = self.history.setup.providers[row.provider]
        forgot = any(
            (seen.provider, seen.kind, seen.player, seen.round) == (row.provider, "debit", row.tx.player, row.tx.round_id)
            and seen.forgotten[0] and seen.key not in self.by_key
            for seen in self.history.rows.values()
        )  # fmt: skip
        if forgot or row.kind is not Kind.DEBIT or not row.tx.round_id or pages.one_end(provider.dialect):
            return forgot
        here = [
            m for m in self.rows
            if (m.provider, m.tx.player, m.tx.round_id) == (row.provider, row.tx.player, row.tx.round_id)
            and not (m.parent or m.undone_by or m.state is State.DECLINED)
        ]  # fmt: skip
        alone = [m.key for m in here if m.kind is Kind.DEBIT] == [row.key]
        return alone and any(m.kind is Kind.CREDIT and not (m.reference or m.batch) for m in here)

    def _deaf(self, story: Story) -> None:
        """A native provider that asks to the end hears what was decided long ago (rule 7); a batch that is told
        doubt to the end has an item that is open, or for a person (rule 19)."""
        row, history = self._row_of(story), self.history
        if row is None or not story.gave_up or not story.words:
            return
        when, word = story.words[-1]
        native = history.setup.providers[story.provider].dialect.name == "native"
        if not native or not isinstance(word, Unknown) or when < history.calm_at + DEAF_SECONDS:
            return
        together = [s for s in history.stories.values() if s.words and s.words[-1] == (when, word)]
        rows = [each for each in map(self._row_of, together) if each is not None]
        ends = [history.rows[m.key].decided_at for each in rows for m in (*self._about(each), *self._given_back(each))]
        if all(end is not None and end < when - DEAF_SECONDS for end in ends):
            self.say("DEAF", f"{row.key} is {row.state}, and its provider hears {word.detail}", self.families[row.key])

    def _unread(self, when: float, row: Movement) -> bool:
        """Its call was refused before it was looked at: a clock had stepped, and its proof's time was over."""
        return bool(self.history.plan.rate("step")) and when < self.history.rows[row.key].born

    def _given_back(self, cancel: Movement) -> list[Movement]:
        """What the gateway gives back by itself, which a refused cancel is told as doubt until it is at its end (rule 12)."""
        return [m for m in self.aimed.get(cancel.target, []) if m.ours] if cancel.target else []

    def _whole(self, row: Movement) -> Family:
        """A settle that was split, or a round's refund, is the sum of its parts."""
        parts = [self.families[m.key] for m in self.children.get(row.key, [])]
        family = self.families[row.key]
        if not parts:
            return family
        undone = {entry.wallet_id: entry for part in parts for entry in part.undone}
        own = [entry for part in parts for entry in part.own if entry.wallet_id not in undone]
        own += self._of_forgotten_legs(row)
        lies = set.union(family.lies, *(part.lies for part in parts))
        undoing = [*family.undoing, *(m for part in parts for m in [part.row, *part.undoing])]
        return Family(row=row, undoing=undoing, own=own, undone=list(undone.values()), lies=lies)

    def _of_forgotten_legs(self, row: Movement) -> list[Entry]:
        """What its wallet's book holds of the legs that the journal forgot: a settle in doubt for one leg whose other one
        it forgot is as whole in the book as it was told, and only a person can read that there (rules 18, 30)."""
        legs = [seen for key, seen in self.history.rows.items() if seen.parent == row.key and key not in self.by_key]
        tills = self.history.tills
        found = [
            entry
            for leg in legs
            if leg.kind != Kind.ROLLBACK.value and leg.till in tills
            for place in self.history.places_of_row(leg)
            for entry in self.books[leg.till].get(place, [])
        ]
        return [entry for entry in found if not entry.undone_by]

    def _same(self, story: Story) -> None:
        """The same decision, unless a cancel or a win came between (rule 11)."""
        heard = {_word(word) for word in story.decisions}
        if self.history.plan.rate("step"):  # a signature's window refuses what comes hours off: it was not read
            heard -= {Reason.INVALID_REQUEST.value} if len(heard) > 1 else set()
        if story.kind is Kind.ROLLBACK:
            heard -= {Reason.ALREADY_ROLLED_BACK.value} if len(heard) > 1 else set()
        row = self._row_of(story)
        forgot = row is not None and self._touched(row)  # the journal does not know what it said
        if len(heard) > 1 and not forgot and not (story.kind is not Kind.ROLLBACK and (story.cancels or story.won)):
            self.say("SAME", f"{story.provider} {story.kind} {story.id} heard {sorted(heard)}")

    def _order(self, story: Story) -> None:
        """Some order of its words leaves what the books of all wallets together show."""
        if story.kind not in JUDGED:
            return
        row = self._row_of(story)
        if row is None or (not worth_of(story.read) and not any(entry.delta for entry in self._tied([row]))):
            return
        rows = self._about(row)
        if any(m.state is State.PERSON for m in rows) or self._is_away(rows) or self._a_person_keeps(row):
            return
        if self._forgot_before_a_win(story, row) or self._ran_out(row):
            return
        lies = set.union(*(self.families[m.key].lies for m in rows))
        plan = next(p for p in self.history.plan.providers if p.name == story.provider)
        heard = any(isinstance(word, Accepted) for word in story.decisions)
        heard = heard and not self._touched(row)  # a journal may forget that its yes was heard
        clock = (plan.after_doubt is not None and not heard) or story.batched
        business = isinstance(row.outcome, Declined) and row.outcome.reason is not Reason.ALREADY_ROLLED_BACK
        business = business or self._left_to_a_person(row, story)
        sums = allowed(story, clock=clock, refused=business, kept=self._kept(row))
        net = sum((entry.delta for entry in self._tied(rows)), Decimal(0))
        if not net and story.believes() == GONE and self._forgot_its_undoing(rows):
            return
        if net not in sums and not any("ORDER" in CANNOT[lie][1] for lie in lies):
            may = ", ".join(map(str, sorted(sums))) or "no order of its words at all"
            self.say("ORDER", f"{row.key} moved {net}, and its provider's words allow {may}")

    def _forgot_before_a_win(self, story: Story, row: Movement) -> bool:
        """The journal forgot that a bet and its cancel had been decided and told. Then its provider, which knew better, said
        a win for it: by all that is known it stops a cancel whose success nobody heard, or completes a bet in doubt whose
        cancel is in no row any more (rules 9, 11, 30)."""
        cancels, lost = [m for m in self.aimed.get(row.key, []) if m.undoes], self._lost_cancels(row)
        return bool(story.won) and self._touched(row) and (any(self._touched(m) for m in cancels) or bool(lost))

    def _lost_cancels(self, row: Movement) -> list[Seen]:
        """The cancels of it that had been decided, and are in no journal since one forgot them."""
        return [
            seen for key, seen in self.history.rows.items()
            if (seen.provider, seen.kind, seen.reference) == (row.provider, Kind.ROLLBACK.value, row.tx.id)
            and seen.forgotten[0] and key not in self.by_key
        ]  # fmt: skip

    def _forgot_its_undoing(self, rows: list[Movement]) -> bool:
        """The journal forgot that a cancel of it had been undone: it takes it for rolled back, and the next one hears
        `already_rolled_back`, and it is, by that very one, which no order of words says (rules 15, 30)."""
        keys = {m.key for m in rows if m.undoes}
        lost = [seen for key, seen in self.history.rows.items() if key not in self.by_key and seen.forgotten[0]]
        return any(seen.target in keys for seen in lost)

    def _about(self, row: Movement) -> list[Movement]:
        """The movement, its parts, and all that is aimed at one of these."""
        found, todo = list[Movement](), [row]
        while todo:
            one = todo.pop()
            found.append(one)
            todo += [*self.children.get(one.key, []), *self.aimed.get(one.key, [])] if one.key else []
        return list({m.key: m for m in found}.values())

    def _tied(self, rows: list[Movement]) -> list[Entry]:
        """What all wallets' books hold of these movements, and of what names one of them there. Which of two equal bets a cancel
        by stake alone gave back, a wallet decides; which one it was sent for, the journal knows."""
        found = self._tied_to(
            [place for name in self.history.tills for m in rows for place in self._places_at(m, name)]
        )
        ours = {"", *(key for m in rows for key in (m.key, m.parent))}  # the first part of a refund has the refund's id
        return [entry for (name, _), entry in found.items() if self._sent_for(name, entry) in ours]

    def _sent_for(self, name: str, entry: Entry) -> str:
        """The row in the journal whose request a wallet applied as this entry, where only the journal can tell; else blank."""
        purse = self.history.tills[name].purse
        key = self.history.places.get((name, purse.place(entry.provider, entry.kind, entry.id)), "")
        return key if purse.rules.by_stake and key in self.by_key else ""

    def _tied_to(self, places: list[tuple[str, Place]]) -> dict[tuple[str, str], Entry]:
        found: dict[tuple[str, str], Entry] = {}
        todo = [*places]
        while todo:
            name, place = todo.pop()
            for entry in (*self.books[name].get(place, ()), *self.named[name].get(place, ())):
                if (name, entry.wallet_id) not in found:
                    found[name, entry.wallet_id] = entry
                    purse = self.history.tills[name].purse
                    todo.append((name, purse.place(entry.provider, entry.kind, entry.id)))
                    # A refund may name a bet that nobody saw, and undo one whose round the journal forgot (rule 30).
                    by = [each for each in purse.book if entry.undone_by and each.wallet_id == entry.undone_by]
                    todo += [(name, purse.place(each.provider, each.kind, each.id)) for each in by]
        return found

    def _strays(self) -> None:
        places = [
            (name, place)
            for name in self.history.tills
            for row in self.history.rows.values()
            for place in self.history.places_of(row.key, name, row.provider, Kind(row.kind), row.alias or row.id)
        ]  # of rows, too, that the journal forgot
        # Where it went, and as what, the journal forgot, too: by other routes its repeat may go elsewhere (rules 23, 30).
        places += [(name, place) for (name, place), key in self.history.places.items() if key in self.history.touched]
        known = {id(entry) for entry in self._tied_to(places).values()}
        for name, till in self.history.tills.items():
            for entry in till.purse.book:
                if id(entry) not in known and entry.delta:
                    self.say("STRAY", f"{name} moved {entry.delta} for {entry.player}, {entry.kind} {entry.id}")

    # -- sums

    def _joined(self, row: Movement) -> bool:
        """A rollback that was only feared to be sent (rule 30), and that heard what another one of its bet had done; or was
        asked in that fear, where the gateway's own had done it, which its provider joins. What was itself undone had done it, and
        so had what its wallet applied under its own name, before the journal forgot, as one of several parts."""
        if pages.several(self.history.setup.providers[row.provider].dialect) and self._moved(row):
            return False
        others = [m for m in self.rows if m.undoes and m.target == row.target and m.key != row.key]
        done = [m for m in others if m.state is State.ACCEPTED and (m.sent or (m.ours and m.attempts))]
        feared = row.forgot_at is not None and not row.ours and any(m.ours for m in done)
        return row.undoes and not row.undone_by and (feared or (not row.sent and bool(done)))

    def _moved(self, row: Movement) -> bool:
        """Whether its wallet's book has it under its own name, and that it moved something."""
        return any(entry.delta for name, place in self._places(row) for entry in self.books[name].get(place, []))

    def _was_undone(self, row: Movement) -> bool:
        """Its wallet said to a rollback that it had given it back before, and the journal forgot by which one (rule 30)."""
        undoing = [m for m in self.aimed.get(row.key, []) if m.undoes]
        said = [
            m for m in undoing
            if m.sent and isinstance(m.outcome, Declined) and m.outcome.reason is Reason.ALREADY_ROLLED_BACK
        ]  # fmt: skip
        known = any(m.state is State.ACCEPTED for m in undoing)
        return not known and any(self._born_in_doubt(m) for m in said)

    def _purses(self) -> None:
        """By the journal's decisions alone, over all wallets together, of players of whom nothing is open."""
        expected: dict[str, Decimal] = {}
        open_for, lied = set[str](), {m.tx.player for m in self.rows if self.families[m.key].lies}
        lied |= {row.player for key, row in self.history.rows.items() if key not in self.by_key}  # forgotten
        seen = self.history.rows  # or forgotten, and its repeat went elsewhere by other routes (rules 23, 30)
        lied |= {
            seen[key].player for (name, _), key in self.history.places.items()
            if key in self.history.touched and seen[key].till != name
        }  # fmt: skip
        for row in self.rows:
            if row.key in self.parents or self._ran_out(row):
                continue
            player = (
                row.tx.player or seen[row.key].player
            )  # which it may say by its bet alone, and the journal forgot that
            if not row.state.decided:
                open_for.add(player)
            elif row.state is State.ACCEPTED and row.attempts and not (self._joined(row) or self._was_undone(row)):
                expected[player] = expected.get(player, Decimal(0)) + self._gain(row)
        moved: dict[str, Decimal] = {}
        for till in self.history.tills.values():
            for (player, currency), cash in till.purse.cash.items():
                moved[player] = moved.get(player, Decimal(0)) + cash - till.purse.opened[player, currency]
        for player in moved.keys() - open_for - lied:
            if moved[player] != expected.get(player, Decimal(0)):
                self.say("PURSE", f"{player} has {moved[player]} more, should have {expected.get(player, Decimal(0))}")

    def _ran_out(self, row: Movement) -> bool:
        """A hold that came to its end at its wallet, which gave it back by itself and wrote no movement."""
        places = self._places(row) if row.kind is Kind.RESERVE and row.state.decided else []
        return any(self.history.tills[name].purse.ran_out(place) for name, place in places)

    def _gain(self, row: Movement) -> Decimal:
        """What an accepted movement gave the player, by the journal alone."""
        if row.kind not in (Kind.ROLLBACK, Kind.CAPTURE, Kind.RELEASE):
            return _worth(row)
        target = self.by_key.get(row.target)
        # What was rolled back while it was in doubt is declined: the two net zero.
        if target is None or target.state is not State.ACCEPTED:
            return Decimal(0)
        gain = self._gain(target) if target.attempts or target.key in self.parents else Decimal(0)
        if not gain:
            return gain  # a free bet, or what was told to nobody
        said = getattr(row.tx.act, "amount", None)
        moved = row.outcome.moved if isinstance(row.outcome, Accepted) and row.outcome.moved is not None else said
        if row.kind is Kind.CAPTURE:
            return Decimal(0) if moved is None else -gain - moved
        return -gain if moved is None or row.kind is Kind.RELEASE else moved.copy_sign(-gain)

    def _metrics(self) -> None:
        history, meter = self.history, self.history.meter
        said = sorted((answer.kind, answer.outcome) for answer in history.answers)
        counted = sorted((call[2], call[3]) for call in meter.calls)
        if not history.killed and said != counted:
            self.say("METRICS", f"{len(counted)} calls counted, {len(said)} answered")
        open_rows = [row for row in self.rows if _is_open(row) and not row.parent]
        counts = at_once(history.journal.counts())
        if history.over == "settled" and sum(count.number for count in counts) != len(open_rows):
            self.say("METRICS", f"the gauges say {counts}, {len(open_rows)} are open")


def _is_open(row: Movement) -> bool:
    """Undecided, or its provider's silence still runs (rule 12)."""
    return not row.state.decided or row.due_at is not None


def _by_a_person(row: Movement) -> bool:
    return isinstance(row.outcome, Declined) and by_a_person(row)


def _moves(row: Movement) -> bool:
    return bool(_worth(row)) if row.kind is not Kind.ROLLBACK else False


def _worth(row: Movement) -> Decimal:
    return worth_of(row.tx)


def _word(outcome: Accepted | Declined) -> str:
    return "accepted" if isinstance(outcome, Accepted) else outcome.reason.value


def violations(history: History) -> Iterator[str]:
    yield from Verdict(history).found()
