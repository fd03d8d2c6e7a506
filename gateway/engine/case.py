"""A case: everything that a rule may look at, as values; and a move: what is to be done next.

One look fills a case (`engine/gather.py`), the rules turn it into a move (`engine/rules.py`), the driver
performs the move and looks again (`engine/drive.py`). A rule that reads movements or wins that were not
gathered raises: that is a bug, loud. (What a wallet may be supplied with, sessions and the like, is blank then.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from gateway.ends import Owed
from gateway.engine.identity import names_none, own_id, same_player
from gateway.engine.judge import again, landed, remembered
from gateway.engine.moment import Moment
from gateway.engine.movement import Movement, Session, what_moved
from gateway.engine.parts import Part, gone, takes_back, told_as
from gateway.engine.setup import Provider, Wallet
from gateway.engine.states import State
from gateway.engine.words import NO_NAME, NOTHING, Known, Way, encode, for_wallet, moves_nothing, nameless
from gateway.http import Request
from gateway.model import Accepted, Credit, Declined, Outcome, Reason, Refused, Status, Transaction, unsupported
from gateway.model import Rollback as Undoing

T = TypeVar("T")
SEND_LEAST_SECONDS = 0.05  # less time than this is not worth an attempt


NONE: frozenset[Reason] = frozenset()
A_PART = Decimal(1)  # an amount that each currency has
ENDED = frozenset({Reason.ALREADY_SETTLED, Reason.ALREADY_ROLLED_BACK, Reason.TRANSACTION_NOT_FOUND})
"""What a wallet says of a bet that had its end, or that is not there."""

Said = tuple[Request, Transaction] | Refused
"""A signed request and what it says, or why it cannot be said."""


class NotGathered(AssertionError):
    """A rule looked at what nobody read: our bug."""


class Asked(Struct, frozen=True, kw_only=True):
    """The provider's call that asks for a movement."""

    call: str  # its name
    content: str  # its fingerprint
    player: str
    again: bool  # the movement was there before
    decided: bool = False  # and was decided
    request_id: str = ""  # its own name, if it has one
    joined: bool = False  # and another call of it was open in this process
    batch: str = ""  # the batch that it is an item of
    joint: bool = False  # its answer is that of several items: it is heard with all of them (rule 26)
    twin: str = ""  # key of another movement of its round that says the same (`AsProvider.bare_ids`)

    def same(self, own: Movement) -> bool:
        """Whether it is a repeat, by its content (rule 2)."""
        return self.content == own.fingerprint and same_player(own.tx.player, self.player)


class Air(Struct, frozen=True):
    """What of one movement is under way in this process."""

    requests: int = 0  # attempts and queries
    young: float = 0.0  # seconds until the youngest of them has had its share of the time
    calls: int = 0  # calls of its provider that are open
    in_hand: bool = False  # what one came to is with another call here, and not journalled yet


GROUND = Air()


class Around(Struct, frozen=True, kw_only=True):
    """The movements that rules tie to one, and the facts of its round. `UNSET`: not gathered."""

    target: Movement | UnsetType | None = UNSET  # what it undoes, captures or releases
    undoer: Movement | UnsetType | None = UNSET  # the rollback that undoes, or is to undo, it
    claimer: Movement | UnsetType | None = UNSET  # the one that undoes, or is to undo, its target
    unclaimed: bool | UnsetType = UNSET  # that one was itself undone
    unclaiming: bool | UnsetType = UNSET  # or is to be, and nobody knows yet
    restorer: Movement | UnsetType | None = UNSET  # the rollback of its undoer
    beyond: Movement | None = None  # what its target undoes: it stands again where its target is undone
    further: Movement | None = None  # and what that one undoes: it is undone again with it
    deeper: tuple[Movement, ...] = ()  # what that one undoes, and so on: they stand and are undone by turns
    others: tuple[Movement, ...] | UnsetType = UNSET  # all that is aimed at its target
    undoings: tuple[Movement, ...] = ()  # what undoes those, and each other, where several may undo a part each
    aside: tuple[Movement, ...] = ()  # the other rollbacks of what its target undoes, and of what that does, there
    stranger: bool | UnsetType = UNSET  # what it names is another player's
    misnamed: bool = False  # or of a kind that it cannot mean
    whole: Movement | UnsetType | None = UNSET
    whole_undoer: Movement | UnsetType | None = UNSET
    parts: tuple[Movement, ...] | UnsetType = UNSET
    legs: tuple[Movement, ...] | UnsetType = UNSET  # the parts of its target
    bets: tuple[Movement, ...] | UnsetType = UNSET  # those that this win ties to
    cancels: tuple[Movement, ...] | UnsetType = UNSET  # their rollbacks
    siblings: tuple[Movement, ...] | UnsetType = UNSET  # the items of its batch, with what gives them back
    won: bool | UnsetType = UNSET  # a win ties to it
    target_won: bool | UnsetType = UNSET  # a win ties to its target
    tombstone: Movement | UnsetType | None = UNSET
    round_won: Movement | UnsetType | None = UNSET  # the first win of its round that may stand
    round_bets: tuple[Movement, ...] | UnsetType = UNSET
    round_undoing: tuple[Movement, ...] | UnsetType = (
        UNSET  # a rollback of the round under way that is no part of this one
    )
    guessed: bool | UnsetType = UNSET  # its wallet would take it for another movement of ours
    guesses: tuple[Movement, ...] = ()  # such open bets; of a bet, the rollbacks that may be taken for one of it
    standing_win: Movement | None = None  # of its target, or what came after that, where such a bet stays
    win_undoer: Movement | None = None  # what is to undo that win, and nobody knows yet
    given_back: tuple[Movement, ...] = ()  # the gateway's own rollbacks of it
    refused: tuple[Movement, ...] = ()  # its provider's cancels of it that were declined, `already_settled`
    over: bool = False  # its round was closed before it came, where its page says that no bet follows
    unmet: bool = False  # nobody here has ever seen its player: no other movement of his, no session
    refused_bet: Movement | None = None  # the bet that a win names, where it was declined and its page pays none
    ended: bool = False  # its provider captured or released it, and that was not declined
    ends: tuple[Movement, ...] = ()  # what may have ended its bet otherwise, of which its wallet has the same word
    lost: Movement | None = None  # the bet that a win names, which ties to nothing because it was given back in doubt
    paid: Movement | None = None  # the first bet of the round of a win that names none, the debit of its settle
    strange: str = ""  # what it names and nobody here knows, as it is told, where ids are scarce
    own_session: Session | None = None
    target_session: Session | None = None
    last_session: Session | None = None
    latest: Movement | None = None

    def rows(self) -> dict[str, Movement]:
        """Every movement that was gathered, by its key: what a decision may lean on."""
        one = (
            self.target, self.undoer, self.claimer, self.restorer, self.beyond, self.further, self.whole,
            self.whole_undoer, self.tombstone, self.standing_win, self.win_undoer, self.refused_bet, self.lost,
            self.round_won,
        )  # fmt: skip
        many = (
            self.others, self.parts, self.legs, self.bets, self.cancels, self.siblings, self.round_bets,
            self.round_undoing, self.undoings, self.aside, self.ends, self.deeper, self.guesses,
        )  # fmt: skip
        found = {m.key: m for m in one if isinstance(m, Movement)}
        return found | {m.key: m for group in many if group for m in group}


NOTHING_TIES = Around(
    target=None, undoer=None, claimer=None, unclaimed=False, unclaiming=False, restorer=None, others=(), stranger=False,
    whole=None, whole_undoer=None, parts=(), legs=(), bets=(), cancels=(), siblings=(), guessed=False,
)  # fmt: skip
"""It was looked for, and is not there; wins, what came before it and the bets of its round are looked for by themselves."""


class Case(Struct, frozen=True, kw_only=True):
    """One movement and all that the rules tie to it, at one moment, in the hands of one process."""

    own: Movement
    provider: Provider
    way: Way | None  # None: no route leads to a wallet
    astray: str = ""  # why nothing may be sent: its wallet is gone, or points elsewhere
    moment: Moment
    node: str
    nonce: str
    asked: Asked | None = None  # None: nobody's call asks for it
    waits: bool = False  # its provider waits for it
    patient: bool = False  # some provider waits, with time left: more than one step may be taken
    left: float = 0.0  # seconds until doubt must be told
    turn: int = 0  # how often the wallet was asked in this drive
    hopeless: bool = False  # the wallet is not asked just now
    tried: frozenset[str] = frozenset()  # other movements that this drive went on with
    nobody: Reason = Reason.NOT_AUTHENTICATED  # what is said where nobody knows the player
    air: Mapping[str, Air] = {}
    around: Around = Around()
    late: bool = False  # its session was refused: what stands in its place is shown
    told_as: str = ""  # its alias, where no route led to a wallet when it was read
    memo: dict[str, Any] = {}

    # -- gathered, or a bug

    @property
    def target(self) -> Movement | None:
        return self._of(self.around.target, "target")

    @property
    def undoer(self) -> Movement | None:
        return self._of(self.around.undoer, "undoer") if self.own.undone_by else None

    @property
    def restorer(self) -> Movement | None:
        return self._of(self.around.restorer, "restorer") if self.own.undone_by else None

    @property
    def claimer(self) -> Movement | None:
        return self._of(self.around.claimer, "claimer")

    @property
    def whole(self) -> Movement | None:
        return self._of(self.around.whole, "whole") if self.own.parent else None

    @property
    def whole_undoer(self) -> Movement | None:
        return self._of(self.around.whole_undoer, "whole_undoer") if self.own.parent else None

    @property
    def parts(self) -> tuple[Movement, ...]:
        return self._of(self.around.parts, "parts")

    @property
    def unclaimed(self) -> bool:
        """Whether nobody has its target: the rollback that did is over without undoing, or was undone."""
        target, claimer = self.around.target, self.around.claimer
        if not isinstance(target, Movement) or not target.undone_by or not isinstance(claimer, Movement):
            return True
        return self.around.unclaimed is True or (claimer.decided and not gone(claimer))

    @property
    def legs(self) -> tuple[Movement, ...]:
        return self._of(self.around.legs, "legs")

    @property
    def bets(self) -> tuple[Movement, ...]:
        return self._of(self.around.bets, "bets")

    @property
    def won(self) -> bool:
        """A win ties to it (rule 11): a part has none of its own."""
        return not self.own.parent and self.own.takes and self._of(self.around.won, "won")

    @property
    def too_little(self) -> bool:
        """Whether less was gathered when it was opened than is asked for now: nobody waits for it, or its cancel came first."""
        own = self.own
        if own.undone_by and not own.decided and not isinstance(self.around.undoer, Movement):
            return True
        return not self.waits and not own.decided and own.takes and not own.parent and self.around.won is UNSET

    @property
    def target_won(self) -> bool:
        return self._of(self.around.target_won, "target_won")

    @property
    def round_won(self) -> Movement | None:
        return self._of(self.around.round_won, "round_won")

    @property
    def round_bets(self) -> tuple[Movement, ...]:
        return self._of(self.around.round_bets, "round_bets")

    @property
    def round_undoing(self) -> tuple[Movement, ...]:
        return self._of(self.around.round_undoing, "round_undoing")

    @property
    def siblings(self) -> tuple[Movement, ...]:
        return self._of(self.around.siblings, "siblings") if self.own.batch else ()

    def cancel_of(self, bet: Movement) -> Movement | None:
        cancels = self._of(self.around.cancels, "cancels")
        return next((cancel for cancel in cancels if cancel.key == bet.undone_by), None)

    @staticmethod
    def _of(value: T | UnsetType, name: str) -> T:
        if isinstance(value, UnsetType):
            raise NotGathered(f"{name} was not gathered")
        return value

    # -- what rules ask for

    @property
    def wallet(self) -> Wallet:
        assert self.way is not None, "rules before `nobody knows` ask no wallet"
        return self.way.wallet

    def air_of(self, key: str) -> Air:
        return self.air.get(key, GROUND)

    @property
    def unsent(self) -> bool:
        """No byte of it may have left, and none is about to."""
        return not self.own.attempts and not self.air_of(self.own.key).requests

    @property
    def only_feared(self) -> bool:
        """Its one attempt is that which the journal may have forgotten (rule 30)."""
        return self.own.forgot_at is not None and self.unasked

    @property
    def unasked(self) -> bool:
        """It was not asked, by what the journal knows: it never left, or that it did is only feared (rule 30). What is in the
        air of such a one asks whether it was. *While its wallet was asked, a cancel that a win had stopped was sent.*"""
        return not self.own.sent and (self.own.forgot_at is not None or not self.air_of(self.own.key).requests)

    @property
    def in_hand(self) -> bool:
        """Another call here has it in hand: it was opened and is about to be asked, or was answered and is about to be
        journalled."""
        own, air = self.own, self.air_of(self.own.key)
        again = self.asked is not None and self.asked.again
        opened = again and own.attempts == 1 and not own.revision and own.owner == self.node and not air.requests
        return air.in_hand or opened

    @property
    def may_act(self) -> bool:
        """One step in a look of settlement, as many as time allows while a provider waits."""
        return self.left >= SEND_LEAST_SECONDS and not self.hopeless and (self.patient or not self.turn)

    @property
    def overtakes(self) -> bool:
        """This drive came to it by another movement, while a call of its provider, or settlement, has it here."""
        return not self.waits and (
            self.air_of(self.own.key).calls > 0 or (bool(self.tried) and self.own.owner == self.node)
        )

    @property
    def wanted(self) -> bool:
        """Whether it may be asked for (rule 9)."""
        return self.waits or self.own.owes or self.won

    @property
    def met(self) -> Movement | None:
        """A rollback that was asked for, which its wallet may take for one of this bet."""
        return next((m for m in self.around.guesses if m.attempts), None) if not self.own.undoes else None

    @property
    def again(self) -> str:
        """How its wallet takes a second asking (rule 14)."""
        return again(self.own, self.wallet)

    @property
    def remembered(self) -> bool:
        return remembered(self.own, self.wallet, self.moment)

    def remembered_in(self, ahead: timedelta) -> bool:
        return remembered(self.own, self.wallet, self.moment, ahead)

    def landed(self, m: Movement) -> bool:
        """Whether nothing of it can still be queued on the way to the wallet (rule 10)."""
        return landed(m, self.wallet, self.moment)

    def until_landed(self, m: Movement) -> timedelta:
        """How long something of it may still be queued."""
        if m.asked_at is None:
            return timedelta(0)
        return max(self.wallet.in_flight_max - self.moment.in_flight(m.asked_at), timedelta(0))

    def silent_for(self, since: datetime | None) -> timedelta:
        return self.moment.passed(since) if since is not None else timedelta(0)

    def _page_noes(self, of: Owed, *, here: bool) -> frozenset[Reason]:
        """What its page lets a wallet say for good of that, `here` being whether this is one."""
        return self.provider.dialect.as_provider.final_noes.get(of, NONE) if here else NONE

    @property
    def one_end(self) -> bool:
        """Whether the bet that it names comes to one end, its win or its cancel."""
        return self.provider.dialect.as_provider.one_end and bool(self.own.reference)

    @property
    def names_its_bet(self) -> bool:
        """Whether its provider named a bet: where a wallet wants one (`one_win`), it is told the one that was found, too."""
        return bool(self.own.reference) and not names_none(self.own.fingerprint)

    @property
    def replaced(self) -> bool:
        """Whether it came under a session that its provider was given another one for (rule 22)."""
        session = self.around.own_session
        over = session.expires_at if session is not None and self.provider.renews else None
        return over is not None and over <= self.moment.now

    @property
    def final_noes(self) -> frozenset[Reason]:
        """What its provider's page lets a wallet say for good where any other no leaves it owed (rule 6). That it does not
        know a bet which this very wallet has taken is a contradiction, and none; and of one that is on its way it says that it has
        not come yet. *Its win was sent first, and the no to that was told for good; then the bet arrived.*"""
        if self.own.undoes:
            taking = takes_back(self.own.tx) and not self.own.ours  # what is ours is no provider's page's
            return self._page_noes(Owed.STRANGER, here=self.around.unmet) | self._page_noes(Owed.TAKING, here=taking)
        if not isinstance(self.own.tx.act, Credit) or self.own.parent:
            return frozenset()
        bet = self.bet_of_win
        taken = bet is not None and bet.state is State.ACCEPTED and bet.attempts > 0 and bet.wallet == self.own.wallet
        coming = bet is not None and not (bet.decided or bet.undone_by)
        final = self._page_noes(Owed.NAMED_WIN, here=self.names_its_bet) | (ENDED if self.one_end else frozenset())
        return final - ({Reason.TRANSACTION_NOT_FOUND} if taken or coming else set())

    @property
    def refusable(self) -> bool:
        """A settle's win may be declined for good (rule 18)."""
        return bool(self.own.parent) and self.own.owes and not self.own.undoes

    # -- words

    @property
    def known(self) -> Known:
        target = self.around.target if isinstance(self.around.target, Movement) else None
        undoable = target if target is not None and self.own.undoes else None
        around = self.around
        assert self.way is not None
        return Known(
            way=self.way, own=self.own, target=target, bet=self.bet_of_win, strange=around.strange, left=self.left_of(undoable),
            beyond=around.beyond, undone=undoable is not None and self._undone_there(undoable),
            own_session=around.own_session, target_session=around.target_session, last_session=around.last_session,
            latest=around.latest,
        )  # fmt: skip

    @property
    def bet_of_win(self) -> Movement | None:
        """The bet that a win names; where it names none, the one that it belongs to, or the first of its round."""
        around, named = self.around, self.own.reference
        bets = around.bets if isinstance(around.bets, tuple) else ()
        if named:
            return next((bet for bet in bets if bet.tx.id == named), None)
        return next(iter(bets), around.paid)

    def left_of(self, target: Movement | None) -> Decimal | None:
        """How much of a target is left for this rollback (rule 17); None: it has no amount to compare with."""
        if target is None:
            return None
        if moves_nothing(target.tx):
            return NOTHING
        whole, room = target.whole_amount, self.room(surely=False)
        if whole is None:
            return None
        left = whole - self.undone(target)
        return max(left if room is None else min(left, room), NOTHING)

    def rest_of(self, target: Movement) -> Decimal | None:
        """What is left of it where the one rollback that its page knows was undone in part; None: nothing or all of it is."""
        whole, undone = target.whole_amount, self.undone(target)
        return (
            whole - undone if whole is not None and undone and not self.provider.dialect.as_provider.partial else None
        )

    def room(self, *, surely: bool) -> Decimal | None:
        """How much may still be given back of all that is undone again with it; None: there is nothing such. `surely`: at
        the most, as far as anybody knows now.

        *The undoing of a cancel was undone and that undone, too, and the bet cancelled anew: when the last of them was undone
        the stake came back a second time.*
        """
        further = self.around.further
        again = (further, *self.around.deeper[1::2]) if further is not None else ()
        return min((room for m in again if (room := self._room_of(m, surely=surely)) is not None), default=None)

    def _room_of(self, undone: Movement, *, surely: bool) -> Decimal | None:
        whole = undone.whole_amount
        if whole is None:
            return None
        rollbacks = [m for m in self.around.aside if m.target == undone.key and m.state is not State.DECLINED]
        given = [self.given(m, whole)[0 if surely else 1] for m in rollbacks if self._before(m)]
        return whole - sum(given, NOTHING)

    def undone(self, target: Movement) -> Decimal:
        """What earlier accepted or open partial rollbacks of the target move together, at the most."""
        if not self.in_parts(target):
            return NOTHING
        return sum((self.given(m, target.whole_amount)[1] for m in self.earlier), NOTHING)

    def _undone_there(self, target: Movement) -> bool:
        """Whether its wallet did another rollback of it."""
        return any(m.state is State.ACCEPTED and m.attempts > 0 for m in self.rollbacks if m.key != self.own.key)

    def in_parts(self, target: Movement) -> bool:
        """Whether what is left of a target is what its rollbacks have not given back: its page knows parts, or the one that
        had it was itself undone, which may have been a part of it."""
        dialect = self.provider.dialect
        return dialect.as_provider.partial or (
            dialect.as_provider.undoes_rollbacks and target.undone_by in ("", self.own.key)
        )

    def given(self, m: Movement, whole: Decimal | None) -> tuple[Decimal, Decimal]:
        """What a rollback gives back of that whole, at the least and at the most, less what was taken back of it since: of
        what is open nobody knows."""
        gave, around = what_moved(m, whole), self.around
        rows = {each.key: each for each in (*around.undoings, *around.aside, *(around.others or ()))}
        undoings = [each for each in rows.values() if each.target == m.key and self._takes_back(each)]
        taken = [self.given(undoing, gave) for undoing in undoings]
        least = gave - sum((most for _, most in taken), NOTHING) if m.state is State.ACCEPTED else NOTHING
        return max(least, NOTHING), max(gave - sum((least for least, _ in taken), NOTHING), NOTHING)

    def others_known(self, target: Movement) -> bool:
        """Whether everybody knows what the earlier ones give back of it."""
        return all(least == most for least, most in (self.given(m, target.whole_amount) for m in self.earlier))

    @property
    def earlier(self) -> list[Movement]:
        """The other rollbacks of its target that may move something before it: those that were sent, or came first.
        What was never sent and came later waits for it, and takes nothing away from it."""
        others = [m for m in self.rollbacks if m.key != self.own.key and m.state is not State.DECLINED]
        return [m for m in others if self._before(m)]

    def _takes_back(self, m: Movement) -> bool:
        return m.undoes and m.key != self.own.key and m.state is not State.DECLINED and self._before(m)

    def _before(self, m: Movement) -> bool:
        """What was never sent comes after whatever was: two may have come in one moment. *The clock was set back between two
        cancels: the first, which had the bet, waited for the second, and that one for it:* who has it came first, whatever the
        clock says."""
        if m.decided or m.sent or self.own.sent:
            return m.decided or m.sent
        has_it = self.target.undone_by if self.target is not None and m.target == self.target.key else ""
        if has_it in (m.key, self.own.key):
            return has_it == m.key
        return (m.created_at, m.key) < (self.own.created_at, self.own.key)

    @property
    def undone_by_another(self) -> bool:
        """Whether another rollback of its target was done, and stands."""
        others = [m for m in self.rollbacks if m.key != self.own.key and m.state is State.ACCEPTED]
        return self.target is not None and any(not m.undone_by for m in others)

    @property
    def rollbacks(self) -> list[Movement]:
        """All rollbacks of its target."""
        return [m for m in self._of(self.around.others, "others") if m.undoes]

    def said(self) -> Said:
        """The signed request and what it says, or why this wallet cannot be told it."""
        found: Said = self._memo("said", lambda: self._encoded(self.own.tx))
        return found

    @property
    def says_round(self) -> bool:
        """Whether this wallet is told it in other words than the rollback of one movement: as that of a round."""
        tx, told = self.own.tx, self.said()
        if isinstance(told, Refused) or not isinstance(tx.act, Undoing):
            return False
        one = self._encoded(replace(tx, act=replace(tx.act, scope="transaction")))
        return isinstance(one, Refused) or one[0] != told[0]

    @property
    def says_part(self) -> bool:
        """Whether this wallet can be told that a part is given back, and does not give back all of it whatever it is told."""
        tx = self.own.tx
        if self.wallet.dialect.as_wallet.undoes_whole or not isinstance(tx.act, Undoing):
            return False
        a_part, all_of_it = (
            self._encoded(replace(tx, act=replace(tx.act, amount=amount))) for amount in (A_PART, None)
        )
        return not isinstance(a_part, Refused) and (isinstance(all_of_it, Refused) or a_part[0] != all_of_it[0])

    def status(self) -> Said:
        """The query about it."""
        found: Said = self._memo("status", self._encoded_status)
        return found

    @property
    def can_query(self) -> bool:
        return not isinstance(self.status(), Refused)

    def _memo(self, name: str, make: Any) -> Any:
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]

    @property
    def alias(self) -> str:
        """A movement that no route led to, when it was read, has no alias yet."""
        assert self.way is not None
        return self.own.alias or self.told_as or self.turn_of_alias(0)

    def turn_of_alias(self, turn: int) -> str:
        """What it may be told as."""
        assert self.way is not None
        return told_as(self.way, self.own, turn)

    def _encoded(self, tx: Transaction) -> Said:
        known = self.known
        if self.own.undoes and self.wallet.dialect.as_wallet.undoes_blindly and not self._surely_taken:
            return unsupported("a rollback of what it may never have taken")
        meant, session = known.target or known.bet, known.session_out(tx)
        tx = self._of_its_debit(tx, known.bet)
        own = for_wallet(known.way, tx, self.alias, meant, session, known.strange)
        try:
            return encode(known, own, self.moment.now, self.nonce, late=self.late), own
        except Refused as refused:
            return refused.with_traceback(None)  # kept with the case, which the frames that it came through hold

    @property
    def _surely_taken(self) -> bool:
        """Whether this very wallet has accepted what it is to undo."""
        target = self.around.target
        if not isinstance(target, Movement) or target.wallet != self.own.wallet:
            return False
        return isinstance(target.outcome, Accepted) and target.attempts > 0

    def _of_its_debit(self, tx: Transaction, debit: Movement | None) -> Transaction:
        """The win of a split settle, told as that of its debit where a wallet pays one win for each bet. To every rule it ties
        to nothing (rule 11)."""
        act = tx.act
        half = bool(self.own.parent) and isinstance(act, Credit) and self.wallet.dialect.as_wallet.one_win
        if not half or debit is None or not debit.attempts or debit.wallet != self.own.wallet:
            return tx
        return replace(tx, act=replace(act, reference=debit.tx.id))

    def _encoded_status(self) -> Said:
        if nameless(self.own, self.wallet.dialect):
            return unsupported(NO_NAME)
        known = self.known
        own = for_wallet(known.way, self.own.tx, self.alias, known.target, known.session_out(self.own.tx))
        # What it means is the wallet's, and it undoes nothing: only a session may be supplied.
        asking = replace(known, own=None, target=None, bet=None, left=None, beyond=None, undone=False)
        asks = replace(own, id="", act=Status(reference=own.id, reference_kind=self.own.kind), round=None)
        try:
            return encode(asking, asks, self.moment.now, self.nonce), asks
        except Refused as refused:
            return refused.with_traceback(None)


# ---------------------------------------------------------------- moves


class Tell(Struct, frozen=True):
    """The provider's call hears this."""

    outcome: Outcome


class Decide(Struct, frozen=True):
    """The decision, for ever. `person` and `note` are not: see `Leave`."""

    outcome: Accepted | Declined


class Ask(Struct, frozen=True):
    """The wallet is asked. `first`: as if nothing had been asked before."""

    first: bool = False


class Query(Struct, frozen=True):
    """The wallet is asked what became of it."""


class Wait(Struct, frozen=True):
    """For what is under way, at most so long: requests about `key`, or another process (`poll`)."""

    key: str
    seconds: float
    poll: bool = False


class First(Struct, frozen=True):
    """Another movement goes on first; then this one is looked at again."""

    other: Movement


class Rollback(Struct, frozen=True):
    """The gateway's own rollback of it is made (rule 12)."""


class Split(Struct, frozen=True):
    """Parts are opened and carried, one after the other; then this one is looked at again."""

    parts: tuple[Part, ...]
    given_back: bool = False  # not parts: what a batch took is given back


class Leave(Struct, frozen=True):
    """Nothing more can be done now. `due`: when settlement looks again; None: by back-off, or never for a
    person's and for what is decided."""

    state: State
    note: str = ""
    due: datetime | None = None


Move = Tell | Decide | Ask | Query | Wait | First | Rollback | Split | Leave


def shown(outcome: Accepted | Declined, key: str) -> Accepted | Declined:
    """An accepted one always has an id to show."""
    if isinstance(outcome, Accepted) and not outcome.wallet_id:
        return replace(outcome, wallet_id=own_id(key))
    return outcome
