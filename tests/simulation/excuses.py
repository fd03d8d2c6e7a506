"""What cannot be promised, as data, and who could not have known better, and why.

Each excuse is of one movement or one provider's story, and says in its docstring what nobody could have known.
A law (`invariants.py`) asks for it where it judges that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from gateway.engine.movement import Movement, by_a_person
from gateway.engine.parts import kept
from gateway.engine.states import State
from gateway.model import Credit, Declined, Kind, Outcome, Reason
from gateway.play.book import Place
from tests.simulation import pages
from tests.simulation.draw import SKEW_MARGIN_SECONDS
from tests.simulation.evidence import Evidence, Family, is_open
from tests.simulation.outside import worth_of
from tests.simulation.players import Story
from tests.simulation.scheduler import BEGIN
from tests.simulation.watch import Seen

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
    "pause": (
        "that a machine slept no clock shows where that one was set back meanwhile: a wallet that has forgotten a bet by then is believed (rules 14, 29)",
        frozenset({"ACCEPTED", "ZERO", "JOURNAL", "ORDER"}),
    ),
    "lost_commits": (
        "what the journal forgot is asked again where the wallet can neither be asked nor looks for the id first, has forgotten it, too, has not seen it yet, or was never told of it (rule 30)",
        frozenset({"ONCE", "ACCEPTED", "ZERO", "JOURNAL", "PERSON", "ORDER"}),
    ),
}
"""Lies, and what cannot be promised of the movements (and their cancels) that were lied about."""


NONE = timedelta(0)

UNSAYABLE = ("this dialect", "its wallet would take it", "its wallet gave that bet back")
"""Notes of what a wallet's dialect has no words for: the cancel of a bet that nobody saw, of a win; the win of a bet that it
gave back, which it would call paid."""

MAY_HAVE_PAID = "the journal may have forgotten that its win was paid"
"""The note of a cancelled settle that was open when the journal forgot."""


class Excuses:
    """Asked about the movements and the stories of one history."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.history = evidence.history

    # -- what was lied about

    def lies(self, row: Movement) -> set[str]:
        """What was lied about it, what undoes it, and what it is about: `CANNOT` says what that excuses."""
        evidence, history = self.evidence, self.history
        lies: set[str] = set()
        near = [evidence.by_key[key] for key in (row.target, row.undone_by) if key in evidence.by_key]
        for each in [row, *evidence.aimed.get(row.key, []), *near]:
            places = evidence.places(each)
            for name, place in places:
                lie = history.tills[name].purse.lies.get(place)
                lies |= ({lie} if lie else set()) | self._lied_beside(name, place)
            name = history.rows[each.key].till
            if name in history.tills and each.key in history.touched:
                again = history.tills[name].purse.takes_again(each.tx)
                nobody = any(
                    self._nobody_remembers(each, *place) or self._not_seen_yet(each, *place) for place in places
                )
                nobody = nobody or self._nobody_was_told(each) or self._nobody_knows_its_win(each)
                nobody = nobody or self._told_elsewhere(each)
                lies |= {"lost_commits"} if again == "never" or nobody else set()
            lies |= {"pause"} if self._slept_over(each) else set()
        return lies | ({"lost_commits"} if self._forgot_what_buried_it(row) else set())

    def _slept_over(self, rollback: Movement) -> bool:
        """Its wallet had forgotten what it names, which no clock showed: a machine slept, and meanwhile its clock was set back, so
        that the two hide each other (rule 29)."""
        history, seen = self.history, self.history.rows[rollback.key]
        target = history.rows.get(rollback.target)
        if target is None or not rollback.undoes or seen.till not in history.tills:
            return False
        slept = [(at, ahead) for at, ahead in history.leaps if any(began <= at <= end for began, end in history.slept)]
        back = -sum(
            ahead.total_seconds() for at, ahead in slept if target.born < at <= seen.asked_at and not ahead > NONE
        )
        age, remembers = seen.asked_at - target.born, history.tills[seen.till].plan.remembers
        return age - back < remembers < age + 1

    def _lied_beside(self, name: str, place: Place) -> set[str]:
        """A wallet that lied about another bet of the round took that one's refund for the whole round."""
        purse = self.history.tills[name].purse
        by = {entry.undone_by for entry in self.evidence.books[name].get(place, ()) if entry.undone_by}
        meant = [
            purse.place(e.provider, purse.meant[e.wallet_id], e.reference) for e in purse.book if e.wallet_id in by
        ]
        return {purse.lies[each] for each in meant if each in purse.lies}

    # -- what the journal forgot

    def touched(self, row: Movement) -> bool:
        """Whether the journal's loss changed it, or what it is about."""
        return bool({row.key, row.target, row.parent, row.undone_by} & self.history.touched)

    def born_in_doubt(self, row: Movement) -> bool:
        """It came after the journal forgot: what is not known of it may be a person's (rule 30)."""
        restored = self.history.restored
        return restored is not None and (self.touched(row) or self.history.rows[row.key].born >= restored)

    def _nobody_remembers(self, row: Movement, name: str, place: Place) -> bool:
        """The journal forgot it whole, and when it came again its wallet's memory of it was over, too: to both it is a
        new movement. Nobody else could say that it is none, and nothing new may wait for a person until the longest
        retry of its provider has passed (rule 30)."""
        restored, seen = self.history.restored, self.history.rows[row.key]
        applied = [(entry.at - BEGIN).total_seconds() for entry in self.evidence.books[name].get(place, [])]
        if restored is None or seen.born < restored or not applied:
            return False
        return seen.born - min(applied) > self.history.tills[name].plan.remembers

    def _nobody_was_told(self, row: Movement) -> bool:
        """The journal forgot what it had decided by itself, like the bet that its cancel had overtaken: no byte of it had
        ever left, so no wallet can say that there is an old decision. Its late copy is a first call to everybody (rule 30)."""
        restored, seen = self.history.restored, self.history.rows[row.key]
        if restored is None or seen.forgotten == (0.0, 0.0):
            return False
        return seen.born >= restored and (seen.unasked or seen.first_asked >= restored)

    def _forgot_what_buried_it(self, row: Movement) -> bool:
        """The journal forgot the answered cancel that had overtaken it, and no wallet knows of that one either: it was never
        asked, or keeps no tombstones. The bet that comes after is a first call to everybody (rules 15, 30)."""
        restored, tills = self.history.restored, self.history.tills
        if restored is None or not row.takes or self.history.rows[row.key].born < restored:
            return False
        stake = pages.by_stake(self.history.setup.providers[row.provider].dialect)  # it names its bet by no id
        return any(
            (lost.provider, lost.kind) == (row.provider, Kind.ROLLBACK.value)
            and (lost.reference == row.tx.id or (stake and (lost.player, lost.round) == (row.tx.player, row.tx.round_id)))
            and lost.forgotten[0] and lost.key not in self.evidence.by_key and not lost.target
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
        return seen.asked_at < restored + till.plan.in_flight_max and bool(self.evidence.books[name].get(place))

    def _nobody_knows_its_win(self, row: Movement) -> bool:
        """A win had stopped this cancel before a byte of it left, and the journal forgot the win, which never came again:
        its provider has its yes. No wallet was told of this cancel, and none knows which bet a win was for (rules 11, 30)."""
        seen = self.history.rows[row.key]
        if not (row.undoes and seen.unasked):
            return False
        return any(
            (win.provider, win.kind, win.player) == (row.provider, Kind.CREDIT.value, row.tx.player)
            and (win.reference == row.reference if win.reference else win.round == seen.round)
            and win.decided_at is None and win.forgotten[0] and win.key not in self.evidence.by_key
            for win in self.history.rows.values()
        )  # fmt: skip

    def forgot_a_part(self, family: Family) -> bool:
        """The journal forgot the rollback of a part of it, and its wallet says to that of all, which may have been asked before,
        that it was given back already (rules 5, 17, 30)."""
        lost = any(
            seen.target == family.row.key and seen.kind == Kind.ROLLBACK.value
            and seen.forgotten[0] and seen.key not in self.evidence.by_key
            for seen in self.history.rows.values()
        )  # fmt: skip
        return lost and abs(sum(entry.delta for entry in family.undone)) < abs(worth_of(family.row.tx))

    def forgot_what_it_told(self, row: Movement) -> bool:
        """The journal forgot that its provider had heard that it stands, by its own call or by that of its cancel, which a win
        stopped: doubt is the last word that is known, and the silence after it gives it back (rules 12, 30)."""
        kept_by = [m for m in self.evidence.aimed.get(row.key, []) if m.undoes and kept(m)]
        clocked = self.history.setup.providers[row.provider].after_doubt is not None
        forgot = any(m.key in self.history.touched for m in kept_by) or any(m.unasked for m in self._lost_cancels(row))
        return clocked and (self.touched(row) or forgot)

    def forgot_before_a_win(self, story: Story, row: Movement) -> bool:
        """The journal forgot that a bet and its cancel had been decided and told. Then its provider, which knew better, said
        a win for it: by all that is known it stops a cancel whose success nobody heard, or completes a bet in doubt whose
        cancel is in no row any more (rules 9, 11, 30)."""
        cancels, lost = [m for m in self.evidence.aimed.get(row.key, []) if m.undoes], self._lost_cancels(row)
        return bool(story.won) and self.touched(row) and (any(self.touched(m) for m in cancels) or bool(lost))

    def _lost_cancels(self, row: Movement) -> list[Seen]:
        """The cancels of it that had been decided, and are in no journal since one forgot them."""
        return [
            seen for key, seen in self.history.rows.items()
            if (seen.provider, seen.kind, seen.reference) == (row.provider, Kind.ROLLBACK.value, row.tx.id)
            and seen.forgotten[0] and key not in self.evidence.by_key
        ]  # fmt: skip

    def forgot_its_undoing(self, rows: list[Movement]) -> bool:
        """The journal forgot that a cancel of it had been undone: it takes it for rolled back, and the next one hears
        `already_rolled_back`, and it is, by that very one, which no order of words says (rules 15, 30)."""
        keys = {m.key for m in rows if m.undoes}
        lost = [
            seen for key, seen in self.history.rows.items() if key not in self.evidence.by_key and seen.forgotten[0]
        ]
        return any(seen.target in keys for seen in lost)

    def was_undone(self, row: Movement) -> bool:
        """Its wallet said to a rollback that it had given it back before, and the journal forgot by which one (rule 30)."""
        undoing = [m for m in self.evidence.aimed.get(row.key, []) if m.undoes]
        said = [
            m for m in undoing
            if m.sent and isinstance(m.outcome, Declined) and m.outcome.reason is Reason.ALREADY_ROLLED_BACK
        ]  # fmt: skip
        known = any(m.state is State.ACCEPTED for m in undoing)
        return not known and any(self.born_in_doubt(m) for m in said)

    def joined(self, row: Movement) -> bool:
        """A rollback that was only feared to be sent (rule 30), and that heard what another one of its bet had done; or was
        asked in that fear, where the gateway's own had done it, which its provider joins. What was itself undone had done it, and
        so had what its wallet applied under its own name, before the journal forgot, as a part."""
        amount, target = getattr(row.tx.act, "amount", None), self.evidence.by_key.get(row.target)
        parts = pages.several(
            self.history.setup.providers[row.provider].dialect
        )  # else its page knows one, perhaps of a part
        parts = parts or (amount is not None and target is not None and amount < abs(worth_of(target.tx)))
        if parts and self.evidence.moved(row):
            return False
        others = [m for m in self.evidence.rows if m.undoes and m.target == row.target and m.key != row.key]
        done = [m for m in others if m.state is State.ACCEPTED and (m.sent or (m.ours and m.attempts))]
        feared = row.forgot_at is not None and not row.ours and any(m.ours for m in done)
        return row.undoes and not row.undone_by and (feared or (not row.sent and bool(done)))

    def _cannot_be_asked(self, row: Movement) -> bool:
        """The journal forgot whether it was, and its wallet cannot be asked about it; or, of a settle that is open, whether its
        win was paid: its cancel is a person's then, and nobody goes on with its legs (rules 18, 30)."""
        whole = self.evidence.by_key.get(row.parent, row)
        paid = whole.forgot_at is not None and whole.note == MAY_HAVE_PAID
        return paid or (row.forgot_at is not None and row.note.startswith("the journal forgot"))

    def only_bet_left(self, row: Movement) -> bool:
        """A win that names none ties to the only bet of its round that was not declined and is not undone, and stops its clock
        (rule 11): of others of its round that had their end, or that the journal forgot (rule 30), it knows none."""
        provider = self.history.setup.providers[row.provider]
        forgot = any(
            (seen.provider, seen.kind, seen.player, seen.round) == (row.provider, "debit", row.tx.player, row.tx.round_id)
            and seen.forgotten[0] and seen.key not in self.evidence.by_key
            for seen in self.history.rows.values()
        )  # fmt: skip
        if forgot or row.kind is not Kind.DEBIT or not row.tx.round_id or pages.one_end(provider.dialect):
            return forgot
        here = [
            m for m in self.evidence.rows
            if (m.provider, m.tx.player, m.tx.round_id) == (row.provider, row.tx.player, row.tx.round_id)
            and not (m.parent or m.undone_by or m.state is State.DECLINED)
        ]  # fmt: skip
        alone = [m.key for m in here if m.kind is Kind.DEBIT] == [row.key]
        return alone and any(m.kind is Kind.CREDIT and not (m.reference or m.batch) for m in here)

    # -- what a wallet cannot say, or would not

    def kept(self, row: Movement) -> bool:
        """Its wallet would not undo it, or what it is aimed at (its habit `keeps`)."""
        for each in self.evidence.near(row):
            name = self.history.rows[each.key].till
            if name not in self.history.tills:
                continue
            purse = self.history.tills[name].purse
            applied = [purse.place(entry.provider, entry.kind, entry.id) for entry in self.evidence.entries(each)]
            if any(purse.kept.get(place) for place in (*applied, *(place for _, place in self.evidence.places(each)))):
                return True
        return False

    def _unsaid(self, row: Movement) -> bool:
        """Its wallet refused it, or what it is about, and its page has no word for that but the one for doubt."""
        return any(
            place in self.history.tills[name].purse.unsaid
            for each in self.evidence.near(row)
            for name, place in self.evidence.places(each)
        )

    def _unsayable(self, row: Movement) -> bool:
        """It, what undoes it, or the whole that it is a part of cannot be said to its wallet."""
        whole = self.evidence.by_key.get(row.parent, row)
        near = [
            row,
            whole,
            *(self.evidence.by_key[m.undone_by] for m in (row, whole) if m.undone_by in self.evidence.by_key),
        ]
        return any(m.note.startswith(UNSAYABLE) for m in near)

    def _only_its_wallet_names(self, row: Movement) -> bool:
        """A hold at a wallet that names holds itself, or the release of one, and no yes with that name was heard: it can be
        asked neither again nor about (rules 14, 15)."""
        hold = row if row.kind is Kind.RESERVE else self.evidence.by_key.get(row.target)
        if hold is None or hold.kind is not Kind.RESERVE:
            return False
        till = self.history.tills.get(self.history.rows[hold.key].till)
        names = till is not None and till.wallet.dialect.as_wallet.makes_hold_ids
        return names and (hold.state is not State.ACCEPTED or hold.key in self.history.resolved)

    def yes_says_nothing(self, row: Movement) -> bool:
        """It undoes what its wallet may have forgotten, and such a wallet says yes to that of nothing, too (rule 14)."""
        seen, target = self.history.rows[row.key], self.evidence.by_key.get(row.target)
        till = self.history.tills.get(seen.till)
        stays = row.state is State.PERSON or self.is_away([row])
        if not stays or not row.undoes or target is None or till is None:
            return False
        remembers, born = till.plan.remembers - SKEW_MARGIN_SECONDS, self.history.rows[target.key].born
        old = seen.asked_at - born > remembers or self._undated(row, target, remembers)
        # Others are asked again until a clock leaves no question; one that may be asked once only is a person's at once.
        once = till.purse.takes_again(row.tx) == "never" and any(
            at <= seen.asked_at for at, _ in self.history.clock_set
        )
        return pages.yes_to_unknown(till.wallet.dialect) and (old or once)

    def _undated(self, row: Movement, target: Movement, seconds: float) -> bool:
        """No clock said, when it was asked, that what it names was younger than that: one showed so much later by then, or was
        set ahead by so much since, so that a machine may have slept, or a process of before the clock was set back have written
        it; or it was still to come, by the clock of a process that began since, or of its own birth (rule 29)."""
        seen, history = self.history.rows[row.key], self.history
        born, by = history.rows[target.key].born, seen.asked_at + SKEW_MARGIN_SECONDS
        shown = [row.asked_at or row.created_at, *(shown for at, shown in history.clock_set if at <= by)]
        later = max(shown) - target.created_at > timedelta(seconds=seconds)
        slept = sum((max(leap, timedelta(0)) for at, leap in history.leaps if born < at <= by), timedelta(0))
        older = timedelta(seconds=seen.asked_at - born) + slept > timedelta(seconds=seconds)
        to_come = [row.created_at, *(shown for at, shown in history.begun if born < at <= by)]
        return later or older or min(to_come) < target.created_at

    def has_one_word(self, row: Movement) -> bool:
        """A bet asked again beside its own sent cancel, of which nothing is known: its wallet says one word of a bet that it has
        and of one whose rollback came first (rule 11)."""
        cancel, till = self.evidence.by_key.get(row.undone_by), self.history.tills.get(self.history.rows[row.key].till)
        if cancel is None or till is None or cancel.state.decided or not cancel.sent or not row.takes:
            return False
        return row.attempts > 1 and till.wallet.dialect.as_wallet.one_word

    def may_be_of_another_win(self, row: Movement) -> bool:
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

    def ran_out(self, row: Movement) -> bool:
        """A hold that came to its end at its wallet, which gave it back by itself and wrote no movement."""
        places = self.evidence.places(row) if row.kind is Kind.RESERVE and row.state.decided else []
        return any(self.history.tills[name].purse.ran_out(place) for name, place in places)

    def is_away(self, rows: list[Movement]) -> bool:
        """One of them is open, and the configuration does not lead to its wallet any more: nothing may be sent, so a
        settle may be half of itself until that wallet is put back (rule 23)."""
        return any(is_open(m) and self.history.is_away(self.history.rows[m.key]) for m in rows)

    # -- what its provider or its page ended

    def given_up(self, bet: Movement) -> bool:
        """Whether a rollback that named it may have undone it, the gateway's own from before its win included."""
        return any(
            m.kind is Kind.ROLLBACK and m.reference == bet.tx.id and m.provider == bet.provider
            and not (isinstance(m.outcome, Declined) and m.outcome.reason is Reason.ALREADY_SETTLED)
            for m in self.evidence.rows
        )  # fmt: skip

    def ended_by_its_page(self, row: Movement) -> bool:
        """A win whose page lets it be declined for good, for such a reason: its bet was cancelled or declined, or is nowhere;
        it has another win; its round is over (rules 6, 15)."""
        dialect = self.history.setup.providers[row.provider].dialect
        reason = row.outcome.reason if isinstance(row.outcome, Declined) else None
        if reason not in pages.wins_that_end(dialect, row.tx):
            return False
        self.history.fire("win_ended")
        bets = [
            m for m in self.evidence.rows if (m.provider, m.kind, m.tx.id) == (row.provider, Kind.DEBIT, row.reference)
        ]
        seen, ended = self.history.rows, self.history.rows[row.key].decided_at
        bets = [m for m in bets if ended is None or seen[m.key].born <= ended]  # it was nowhere then
        stands = [
            m for m in bets if m.state is State.ACCEPTED and not m.undone_by and not self.evidence.aimed.get(m.key)
        ]
        others = [
            m for m in self.evidence.rows
            if m.kind is Kind.CREDIT and m.key != row.key and m.provider == row.provider
            and (m.reference == row.reference or m.tx.round_id == row.tx.round_id)
        ]  # fmt: skip
        excused = row.key in self.history.resolved or self.born_in_doubt(row) or self.lies(row)
        return bool(others or excused) or not stands

    def of_a_broken_batch(self, row: Movement) -> bool:
        """An atomic batch is all or nothing: its credit ends with a debit of it that was declined (rule 19)."""
        items = [m for m in self.evidence.rows if row.atomic and m.batch == row.batch and m.kind is Kind.DEBIT]
        return any(m.state is State.DECLINED for m in items)

    def no_longer(self, bet: Story, cancel: Story) -> bool:
        """Whether the bet had an end of its own, of which its provider knew or which nothing of the cancel's could be: it is
        not what this cancel was about."""
        no = [(when, word) for when, word in bet.words if isinstance(word, Declined)]
        said = min(cancel.said, default=0.0)
        declined = any(word.reason is not Reason.ALREADY_ROLLED_BACK or when < said for when, word in no)
        return declined or self.fell_silent(bet)

    def fell_silent(self, story: Story) -> bool:
        plan = next(p for p in self.history.plan.providers if p.name == story.provider)
        silent = plan.after_doubt is not None and (plan.manner == "quiet" or story.silent)
        return silent and not (story.decided or story.unread)

    def unread(self, when: float, row: Movement) -> bool:
        """Its call was refused before it was looked at: a clock had stepped, and its proof's time was over."""
        return bool(self.history.plan.rate("step")) and when < self.history.rows[row.key].born

    def read(self, story: Story, row: Movement | None) -> list[tuple[float, Outcome]]:
        """What its provider heard, without such refusals that it did not take for the end: it came again."""
        if row is None:
            return story.words
        last = max(story.said, default=0.0)
        return [
            (when, word)
            for when, word in story.words
            if not (isinstance(word, Declined) and when <= last and self.unread(when, row))
        ]

    # -- what only a person can say

    def must_settle(self, row: Movement) -> bool:
        """Whether this movement had all it needs to end without a person."""
        history = self.history
        till = history.tills.get(history.rows[row.key].till)
        wallet = till.plan if till is not None else None
        provider = next(p for p in history.plan.providers if p.name == row.provider)
        if wallet is None or not wallet.settles or wallet.remembers < 500:
            return False
        if (
            self._unsayable(row)
            or self.born_in_doubt(row)
            or self.kept(row)
            or self._unsaid(row)
            or history.is_away(history.rows[row.key])
            or self._cannot_be_asked(row)
            or self._only_its_wallet_names(row)
        ):
            return False
        parts = self.evidence.children.get(row.key, [])
        if any(part.key in history.resolved and part.state is State.DECLINED for part in parts):
            return (
                False  # a person said that one part stays, and the other is undone: only a person can go on (rule 16)
            )
        gave_up = any(s.gave_up for s in history.stories.values() if s.provider == row.provider)
        return provider.after_doubt is not None or (provider.manner == "cancels" and provider.persists and not gave_up)

    def in_a_persons_hands(self, row: Movement) -> bool:
        """A part of it, or of what undoes it, was a person's already: it could not be said, or nobody knew its end. What
        a no of that person means to the whole, and what a wallet has forgotten before the word came, only a person
        can say, too (rules 16, 18)."""
        return any(
            m.parent in (row.key, row.undone_by) and m.parent and m.key in self.history.resolved
            for m in self.evidence.rows
        )

    def stepped_over(self, row: Movement) -> bool:
        """The clock stepped by hours: a machine may have slept, or the process ended and the next one believes what the
        wall clock says of the wallet's memory. It rather asks a person too early than believes a wallet too late."""
        return bool(self.history.plan.rate("step")) and "does not remember" in row.note

    def left_to_a_person(self, row: Movement, story: Story) -> bool:
        """Its win stopped its cancel while it was in doubt, as it must (rule 11), and what became of it no wallet could
        say: it may not be asked, or has forgotten. Later a person finds in the book that it never came. Nobody could
        have known that when the cancel was answered, and an answered cancel stays answered (rule 7)."""
        seen, cancels = self.history.rows, [m for m in map(self.evidence.row_of, story.cancels) if m is not None]
        settled = [m for m in cancels if isinstance(m.outcome, Declined) and m.outcome.reason is Reason.ALREADY_SETTLED]
        stopped = [seen[m.key].decided_at for m in settled if not m.attempts]
        # Nor could anybody whose journal has forgotten that cancel, which never came again (rule 30).
        stopped += [lost.forgotten[0] for lost in self._lost_cancels(row) if lost.unasked]
        said = seen[row.key].decided_at if row.state is State.DECLINED and row.key in self.history.resolved else None
        return said is not None and bool(stopped) and all(when is not None and when < said for when in stopped)

    def a_person_keeps(self, row: Movement) -> bool:
        """A person said no to giving it back, whatever its provider had heard: its wallet had forgotten it, or would not,
        and an answered call stays answered (rules 6, 7, 14)."""
        undoing = [m for m in self.evidence.about(row) if m.target and m.kind in (Kind.ROLLBACK, Kind.RELEASE)]
        return any(refused_by_a_person(m) for m in undoing)


def refused_by_a_person(row: Movement) -> bool:
    return isinstance(row.outcome, Declined) and by_a_person(row)
