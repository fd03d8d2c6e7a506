"""What must hold at the end of every history.

The wallets' own books are the truth; the journal says what the gateway decided; the stories say
what each provider heard. The three must tell the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from gateway.ends import Kept
from gateway.engine.movement import Movement
from gateway.engine.states import EDGES, State
from gateway.model import Accepted, Declined, Kind, Reason, Unknown
from tests.simulation import pages
from tests.simulation.bench import at_once
from tests.simulation.evidence import Evidence, Family, is_open
from tests.simulation.excuses import CANNOT, Excuses
from tests.simulation.history import History
from tests.simulation.outside import JUDGED, allowed, ways, worth_of
from tests.simulation.players import GONE, STANDS, Story
from tests.simulation.seam import ours
from tests.simulation.trouble import TRIES_MAX

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


class Verdict:
    """Collects what is wrong with one history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.evidence = Evidence(history)
        self.excuses = Excuses(self.evidence)
        self.families = {row.key: self._family(row) for row in self.evidence.rows}
        self.wrong = [*history.wrong]

    def _family(self, row: Movement) -> Family:
        evidence, whole = self.evidence, row.key in self.evidence.parents
        undone = [] if whole else [e for e in evidence.undone(row) if not evidence.taken_back(e)]
        return Family(
            row=row, undoing=evidence.aimed.get(row.key, []), own=evidence.entries(row), undone=undone,
            lies=self.excuses.lies(row),
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
        for alike in self.evidence.alike():
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
        most = 1 if family.row.kind is Kind.RESERVE else max(1, len(self.evidence.places(family.row)))
        if len(family.own) > most:
            self.say("ONCE", f"{family.row.key} was applied {len(family.own)} times", family)
        # What a journal forgot may have been undone before, and its rollback cannot tell who did that (rule 30).
        live = [
            m for m in family.undoing if self.evidence.undoes_all(m, family.row) and not self.excuses.born_in_doubt(m)
        ]
        if any(m.ours for m in live):  # its provider's joined ours, and its attempt ended with a process before it left
            live = [m for m in live if m.ours or self.evidence.tied([m])]
        if len(live) > 1:
            self.say("ONCE", f"{family.row.key} is undone by {', '.join(m.key for m in live)}", family)
        given = family.undone
        if len(given) > 1 and abs(sum(entry.delta for entry in given)) > abs(worth_of(family.row.tx)):
            self.say("ONCE", f"{family.row.key} was given back {len(given)} times", family)

    def _stake(self, family: Family) -> None:
        """A win that was there when the gateway decided that its bet never came, or gave it back by itself."""
        win = family.row
        if win.kind is not Kind.CREDIT or win.state is not State.ACCEPTED or win.parent or not win.reference:
            return
        born = self.history.rows[win.key].born
        for bet in self.evidence.rows:
            if (bet.provider, bet.kind, bet.tx.id) != (win.provider, Kind.DEBIT, win.reference) or bet.parent:
                continue
            about = self.families[bet.key]
            seen = self.history.rows[bet.key]
            never = isinstance(bet.outcome, Declined) and bet.outcome.reason is Reason.ALREADY_ROLLED_BACK
            never = never and bet.key not in self.history.resolved
            if never and seen.decided_at is not None and seen.decided_at > born and not self.excuses.given_up(bet):
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
            for win in self.evidence.rows:
                here = win.provider == bet.provider and win.kind is Kind.CREDIT and win.tx.player == bet.tx.player
                follows = not later or seen[win.key].born > seen[bet.key].born
                ties = win.reference == bet.tx.id or (by_round and win.tx.round_id == bet.tx.round_id and follows)
                paid = seen[win.key].decided_at if win.state is State.ACCEPTED and not win.undone_by else None
                known = any(map(self.excuses.touched, (bet, cancel, win)))
                if here and ties and paid is not None and paid < seen[cancel.key].born and not known:
                    self.say("STAYS", f"{bet.key} was given back by {cancel.key}, and {win.key} keeps it", family)

    def _whole_left(self, family: Family) -> None:
        """All its parts are done, and it is still open: looked at for ever, or by nobody."""
        row, parts = family.row, self.evidence.children.get(family.row.key, [])
        done = parts and all(part.state.decided for part in parts)
        undoer = self.evidence.by_key.get(row.undone_by)  # it follows that to a person, at its next look
        follows = row.due_at is not None and undoer is not None and undoer.state is State.PERSON
        follows = follows or (
            undoer is not None and self.excuses.is_away([undoer])
        )  # and waits with it for its wallet (rule 23)
        follows = follows or self.history.round_waits(self.history.rows[row.key])
        if done and not row.state.decided and row.state is not State.PERSON and not follows:
            self.say("WHOLE", f"{row.key} is {row.state}, and its parts are decided", family)

    def _journal(self, family: Family) -> None:
        row, sent = family.row, family.row.attempts > 0
        if row.key in self.evidence.parents or not row.wallet:
            return
        if row.state is State.ACCEPTED:
            if sent and not family.own and _moves(row):
                self.say("JOURNAL", f"{row.key} is accepted, and was never applied", family)
            if not sent and family.own and row.kind is not Kind.ROLLBACK:  # one that joined another was not sent
                self.say("JOURNAL", f"{row.key} was never sent, and was applied", family)
        moves = row.kind in (Kind.DEBIT, Kind.SETTLE, Kind.CREDIT)
        part = self.excuses.forgot_a_part(family)
        if row.state is State.DECLINED and moves and family.net and not (family.for_person or part):
            self.say("JOURNAL", f"{row.key} is declined, and moved {family.net}", family)
        resolved = row.key in self.history.resolved
        may_end = row.parent or row.undone_by or resolved or self.excuses.of_a_broken_batch(row)
        if (
            row.kind is Kind.CREDIT
            and row.state is State.DECLINED
            and not (may_end or self.excuses.ended_by_its_page(row))
        ):
            self.say("OWED", f"{row.key} is a win, and is declined", family)
        if row.kind is Kind.ROLLBACK:
            return
        undone = next((m for m in family.undoing if self.evidence.undoes_all(m, row)), None)
        if undone is not None and family.net and not (part or self.excuses.forgot_its_undoing(family.undoing)):
            self.say("JOURNAL", f"{row.key} was rolled back, and moved {family.net}", family)

    def _person(self, family: Family) -> None:
        row, history = family.row, self.history
        if row.state is State.PERSON:
            if not row.note:
                self.say("REASON", f"{row.key} waits for a person and does not say why", family)
            if history.tried[row.key] >= TRIES_MAX:
                self.say("ENDS", f"{row.key} waits for a person, and a person is refused", family)
            lied = any(
                self.families[m.key].lies
                for m in self.evidence.rows
                if m.parent in (row.key, row.undone_by) and m.parent
            )
            by_hand = self.excuses.in_a_persons_hands(row)
            if self.excuses.must_settle(row) and not (lied or by_hand or self.excuses.stepped_over(row)):
                self.say("PERSON", f"{row.key}: {row.note}", family)
        elif (
            not row.state.decided and history.over == "settled" and not history.waits_for_person(history.rows[row.key])
        ):
            self.say("SETTLES", f"{row.key} is {row.state}, and nobody looks at it", family)

    def _heard(self) -> None:
        """What a wallet accepted, and said so to a process that lived on, is decided."""
        for wallet, place in self.history.intact:
            key = self.history.places.get((wallet, place))
            row = self.evidence.by_key.get(key or "")
            if (
                key is None
                or row is None
                or row.state.decided
                or key in self.evidence.parents
                or self.excuses.touched(row)
            ):
                continue
            if (
                self.excuses.yes_says_nothing(row)
                or self.excuses.has_one_word(row)
                or self.excuses.may_be_of_another_win(row)
            ):
                continue
            self.say(
                "HEARD",
                f"{key}: its wallet's yes was heard, and it is {self.evidence.by_key[key].state}",
                self.families[key],
            )

    # -- what the providers heard

    def _lived(self, alike: list[Story]) -> None:
        """What its wire does not tell apart is right where some way to tell it apart makes it so."""
        for story in alike:
            story.words = self.excuses.read(story, self.evidence.row_of(story))
        before, said = len(self.wrong), list[str]()
        for way in ways(alike, self.excuses.no_longer):
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

    def _told(self, story: Story) -> None:
        row = self.evidence.row_of(story)
        if story.kind not in (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE) or not story.plain:
            return
        if row is None:
            lost = any(seen.id == story.id and key in self.history.touched for key, seen in self.history.rows.items())
            if any(isinstance(w, Accepted) for w in story.decisions) and not lost:
                self.say("ACCEPTED", f"{story.provider} {story.kind} {story.id} was accepted, and is in no journal")
            return
        if self.excuses.forgot_before_a_win(story, row):
            return
        family, belief = self._whole(row), story.believes()
        net = family.net
        expected = worth_of(row.tx)
        business = isinstance(row.outcome, Declined) and row.outcome.reason is not Reason.ALREADY_ROLLED_BACK
        if belief == STANDS and business and story.cancels:
            return  # its win stopped its cancel, and then its wallet would not have it: a win is never refused (rule 15)
        if belief == STANDS and self.excuses.left_to_a_person(row, story):
            return
        forgot = self.excuses.forgot_what_it_told(row)
        waits = (story.cancels and family.for_person) or self.excuses.is_away([row])
        if belief == STANDS and net != expected and not (forgot or waits):
            self.say("ACCEPTED", f"{row.key} was told accepted: {net} moved, {expected} was said", family)
        resolved = row.key in self.history.resolved
        if (
            story.kind is Kind.CREDIT
            and not (story.cancels or resolved or story.over or self.excuses.of_a_broken_batch(row))
            and any(isinstance(w, Declined) and not self.excuses.unread(when, row) for when, w in story.words)
        ):
            self.say("OWED", f"{row.key} is a win, and its provider heard {story.decisions}", family)
        waits = self.excuses.is_away(
            [m for m in family.undoing if ours(m)]
        )  # what we give back by ourselves is told at once
        if belief == GONE and net and not (waits or family.for_person or self.excuses.a_person_keeps(row)):
            self.say("ZERO", f"{row.key} was told declined or cancelled: {net} moved", family)

    def _silence(self, story: Story) -> None:
        """A provider that fell silent after doubt, with the clock of rule 12 on: whatever takes is given back."""
        row = self.evidence.row_of(story)
        takes = story.kind in JUDGED and not (story.kind is Kind.ADJUST and worth_of(story.read) > 0)
        if row is None or not takes or story.cancels or story.won or story.ends or not self.excuses.fell_silent(story):
            return
        family = self._whole(row)
        rows = self.evidence.about(row)
        silent = not any(m.key in self.history.resolved for m in rows)
        net = sum((entry.delta for entry in self.evidence.tied(rows)), Decimal(0))  # a hold is given back by a release
        waits = family.for_person or self.excuses.is_away(rows) or self.excuses.only_bet_left(row)
        if silent and net and not (waits or self.excuses.touched(row) or self.excuses.kept(row)):
            self.say("ZERO", f"{row.key}: its provider's silence meant that it failed, and {net} moved", family)

    def _deaf(self, story: Story) -> None:
        """A native provider that asks to the end hears what was decided long ago (rule 7); a batch that is told
        doubt to the end has an item that is open, or for a person (rule 19)."""
        row, history = self.evidence.row_of(story), self.history
        if row is None or not story.gave_up or not story.words:
            return
        when, word = story.words[-1]
        native = history.setup.providers[story.provider].dialect.name == "native"
        if not native or not isinstance(word, Unknown) or when < history.calm_at + DEAF_SECONDS:
            return
        together = [s for s in history.stories.values() if s.words and s.words[-1] == (when, word)]
        rows = [each for each in map(self.evidence.row_of, together) if each is not None]
        ends = [
            history.rows[m.key].decided_at
            for each in rows
            for m in (*self.evidence.about(each), *self.evidence.given_back(each))
        ]
        if all(end is not None and end < when - DEAF_SECONDS for end in ends):
            self.say("DEAF", f"{row.key} is {row.state}, and its provider hears {word.detail}", self.families[row.key])

    def _whole(self, row: Movement) -> Family:
        """A settle that was split, or a round's refund, is the sum of its parts."""
        parts = [self.families[m.key] for m in self.evidence.children.get(row.key, [])]
        family = self.families[row.key]
        if not parts:
            return family
        undone = {entry.wallet_id: entry for part in parts for entry in part.undone}
        own = [entry for part in parts for entry in part.own if entry.wallet_id not in undone]
        own += self.evidence.of_forgotten_legs(row)
        lies = set.union(family.lies, *(part.lies for part in parts))
        undoing = [*family.undoing, *(m for part in parts for m in [part.row, *part.undoing])]
        return Family(row=row, undoing=undoing, own=own, undone=list(undone.values()), lies=lies)

    def _same(self, story: Story) -> None:
        """The same decision, unless a cancel or a win came between (rule 11)."""
        heard = {_word(word) for word in story.decisions}
        if self.history.plan.rate("step"):  # a signature's window refuses what comes hours off: it was not read
            heard -= {Reason.INVALID_REQUEST.value} if len(heard) > 1 else set()
        if story.kind is Kind.ROLLBACK:
            heard -= {Reason.ALREADY_ROLLED_BACK.value} if len(heard) > 1 else set()
        row = self.evidence.row_of(story)
        forgot = row is not None and self.excuses.touched(row)  # the journal does not know what it said
        if len(heard) > 1 and not forgot and not (story.kind is not Kind.ROLLBACK and (story.cancels or story.won)):
            self.say("SAME", f"{story.provider} {story.kind} {story.id} heard {sorted(heard)}")

    def _order(self, story: Story) -> None:
        """Some order of its words leaves what the books of all wallets together show."""
        if story.kind not in JUDGED:
            return
        row = self.evidence.row_of(story)
        if row is None or (not worth_of(story.read) and not any(entry.delta for entry in self.evidence.tied([row]))):
            return
        rows = self.evidence.about(row)
        if any(m.state is State.PERSON for m in rows) or self.excuses.is_away(rows) or self.excuses.a_person_keeps(row):
            return
        if self.excuses.forgot_before_a_win(story, row) or self.excuses.ran_out(row):
            return
        lies = set.union(*(self.families[m.key].lies for m in rows))
        sums, net = self._allowed(story, row), self._moved(rows)
        if not net and story.believes() == GONE and self.excuses.forgot_its_undoing(rows):
            return
        if net in sums or any("ORDER" in CANNOT[lie][1] for lie in lies) or self._with_its_equals(row, net, sums):
            return
        may = ", ".join(map(str, sorted(sums))) or "no order of its words at all"
        self.say("ORDER", f"{row.key} moved {net}, and its provider's words allow {may}")

    def _allowed(self, story: Story, row: Movement) -> frozenset[Decimal]:
        plan = next(p for p in self.history.plan.providers if p.name == story.provider)
        heard = any(isinstance(word, Accepted) for word in story.decisions)
        heard = heard and not self.excuses.touched(row)  # a journal may forget that its yes was heard
        clock = (plan.after_doubt is not None and not heard) or story.batched
        business = isinstance(row.outcome, Declined) and row.outcome.reason is not Reason.ALREADY_ROLLED_BACK
        business = business or self.excuses.left_to_a_person(row, story)
        return allowed(story, clock=clock, refused=business, kept=self.excuses.kept(row))

    def _moved(self, rows: list[Movement]) -> Decimal:
        return sum((entry.delta for entry in self.evidence.tied(rows)), Decimal(0))

    def _with_its_equals(self, row: Movement, net: Decimal, sums: frozenset[Decimal]) -> bool:
        """Whether the words allow what it moved together with the equal bets of its round that are to be undone as well: of
        which of them a cancel by stake alone gave back, none is better than another (rule 16)."""
        for other in self.evidence.equals(row):
            story = self.history.stories.get((other.provider, other.kind, other.tx.id))
            if story is not None and other.undone_by:
                net += self._moved(self.evidence.about(other))
                sums = frozenset(one + more for one in sums for more in self._allowed(story, other))
        return net in sums

    # -- sums

    def _strays(self) -> None:
        places = [
            (name, place)
            for name in self.history.tills
            for row in self.history.rows.values()
            for place in self.history.places_of(row.key, name, row.provider, Kind(row.kind), row.alias or row.id)
        ]  # of rows, too, that the journal forgot
        # Where it went, and as what, the journal forgot, too: by other routes its repeat may go elsewhere (rules 23, 30).
        places += [(name, place) for (name, place), key in self.history.places.items() if key in self.history.touched]
        known = {id(entry) for entry in self.evidence.tied_to(places).values()}
        for name, till in self.history.tills.items():
            for entry in till.purse.book:
                if id(entry) not in known and entry.delta:
                    self.say("STRAY", f"{name} moved {entry.delta} for {entry.player}, {entry.kind} {entry.id}")

    def _purses(self) -> None:
        """By the journal's decisions alone, over all wallets together, of players of whom nothing is open."""
        expected: dict[str, Decimal] = {}
        open_for, lied = set[str](), {m.tx.player for m in self.evidence.rows if self.families[m.key].lies}
        lied |= {row.player for key, row in self.history.rows.items() if key not in self.evidence.by_key}  # forgotten
        seen = self.history.rows  # or forgotten, and its repeat went elsewhere by other routes (rules 23, 30)
        lied |= {
            seen[key].player for (name, _), key in self.history.places.items()
            if key in self.history.touched and seen[key].till != name
        }  # fmt: skip
        for row in self.evidence.rows:
            if row.key in self.evidence.parents or self.excuses.ran_out(row):
                continue
            player = (
                row.tx.player or seen[row.key].player
            )  # which it may say by its bet alone, and the journal forgot that
            if not row.state.decided:
                open_for.add(player)
            elif (
                row.state is State.ACCEPTED
                and row.attempts
                and not (self.excuses.joined(row) or self.excuses.was_undone(row))
            ):
                expected[player] = expected.get(player, Decimal(0)) + self._gain(row)
        moved: dict[str, Decimal] = {}
        for till in self.history.tills.values():
            for (player, currency), cash in till.purse.cash.items():
                moved[player] = moved.get(player, Decimal(0)) + cash - till.purse.opened[player, currency]
        for player in moved.keys() - open_for - lied:
            if moved[player] != expected.get(player, Decimal(0)):
                self.say("PURSE", f"{player} has {moved[player]} more, should have {expected.get(player, Decimal(0))}")

    def _gain(self, row: Movement) -> Decimal:
        """What an accepted movement gave the player, by the journal alone."""
        if row.kind not in (Kind.ROLLBACK, Kind.CAPTURE, Kind.RELEASE):
            return worth_of(row.tx)
        target = self.evidence.by_key.get(row.target)
        # What was rolled back while it was in doubt is declined: the two net zero.
        if target is None or target.state is not State.ACCEPTED:
            return Decimal(0)
        gain = self._gain(target) if target.attempts or target.key in self.evidence.parents else Decimal(0)
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
        open_rows = [row for row in self.evidence.rows if is_open(row) and not row.parent]
        counts = at_once(history.journal.counts())
        if history.over == "settled" and sum(count.number for count in counts) != len(open_rows):
            self.say("METRICS", f"the gauges say {counts}, {len(open_rows)} are open")


def _moves(row: Movement) -> bool:
    return bool(worth_of(row.tx)) if row.kind is not Kind.ROLLBACK else False


def _word(outcome: Accepted | Declined) -> str:
    return "accepted" if isinstance(outcome, Accepted) else outcome.reason.value


def violations(history: History) -> Iterator[str]:
    yield from Verdict(history).found()
