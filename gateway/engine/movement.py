"""A movement: one row of the journal, and the pure changes that can be made to it.

Nothing here asks a clock, a wallet or a database. A change is a function from a row to the row as
it is afterwards; the journal writes it only if the row is still as it was read (rule 31).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.identity import own_id
from gateway.engine.states import State
from gateway.model import (
    Accepted,
    Credit,
    Debit,
    Declined,
    Kind,
    Reserve,
    Rollback,
    Transaction,
    owes,
    reference_of,
    takes,
)

BY_A_PERSON = "decided by a person"  # the message of such a no: a person's own words never leave the journal
GONE_MAX = 20  # calls remembered that did not hear a decision: each is over within seconds
UNKNOWN = "unknown"  # the last word that a provider heard, where it was doubt


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A definite word of a wallet about a movement, before anybody decided what it means.

    `began`: when the request that it answers began. `query`: it answers a status query.
    """

    outcome: Accepted | Declined
    began: datetime
    query: bool = False


class Movement(Struct, frozen=True, kw_only=True):
    """What a provider asked for and what became of it.

    `key` = provider, key space, id and, where the dialect says so, player or round (see
    `engine/identity.py`); it is what `gateway tx list` prints. A movement that is one of several (a
    settle's debit, a bet of a refunded round) has a `parent`; the items of one batch share `batch`.
    """

    key: str
    provider: str  # the integration's immutable id
    space: str
    kind: Kind
    tx: Transaction  # complete: as it was understood, before any alias or map
    fingerprint: str
    wallet: str = ""  # the name; blank: no route, or nothing to send
    place: str = ""  # where that name pointed (`Wallet.place`); blank: from before it was recorded
    route: str = ""  # how players and games are called there: the template, for later references
    alias: str = ""  # what the wallet is told as id
    state: State = State.ASKING
    attempts: int = 0  # attempts of which a byte may have left
    asked_at: datetime | None = None  # when the last of them began
    forgot_at: datetime | None = None  # the journal may have forgotten it: the moment of that word (rule 30)
    forgot_since: datetime | None = None  # and how long before that, where it came afterwards
    fact: Fact | None = None  # what the wallet said, where that is not decided yet
    target: str = ""  # key of the movement that it undoes, captures or releases, if known
    undone_by: str = ""  # key of the rollback that undoes, or is to undo, this one
    parent: str = ""
    batch: str = ""  # which batch asked for it
    atomic: bool = False  # that batch is all or nothing
    ours: bool = False  # the gateway's own: no provider ever named it (rules 1, 12)
    outcome: Accepted | Declined | None = None  # the decision
    told: str = ""  # the last word that the provider heard: accepted, declined, unknown
    told_at: datetime | None = None
    heard: str = ""  # the calls that may have heard its decision, `-` before those that did not (rule 26)
    note: str = ""  # why it waits
    owner: str = ""  # the process that carries it just now
    due_at: datetime | None = None  # not before this may another process, or settlement, touch it
    lease_over: bool | None = None  # by the database's clock, where that is another one than ours
    tries: int = 0  # how often settlement looked at it
    created_at: datetime
    decided_at: datetime | None = None
    revision: int = 0  # raised by every change, and by whoever comes that concerns it

    @property
    def owes(self) -> bool:
        """Whether it is owed to the wallet while it is open (rule 13), rather than in doubt."""
        return owes(self.tx.act)

    @property
    def takes(self) -> bool:
        """Whether it takes from the player: what silence may mean the failure of (rule 12)."""
        return takes(self.tx.act)

    @property
    def decided(self) -> bool:
        return self.state is State.ACCEPTED or self.state is State.DECLINED

    @property
    def open_state(self) -> State:
        return State.OWED if self.owes else State.DOUBT

    @property
    def reference(self) -> str:
        """The id of the movement that this one means, or blank."""
        return reference_of(self.tx.act)

    @property
    def undoes(self) -> bool:
        return self.kind is Kind.ROLLBACK

    @property
    def ends(self) -> bool:
        """Whether it is the end of a hold."""
        return self.kind in (Kind.CAPTURE, Kind.RELEASE)

    @property
    def sent(self) -> bool:
        """Whether a byte of it may have left, by what the journal knows: the attempt that it may have forgotten
        (rule 30) is none of those."""
        return self.attempts > (self.forgot_at is not None)

    @property
    def whole_amount(self) -> Decimal | None:
        """What it moved, where a rollback of it can be compared with it; of a rollback what its wallet said, else what it asked."""
        act = self.tx.act
        if isinstance(act, Rollback):
            said = self.outcome.moved if isinstance(self.outcome, Accepted) else None
            return act.amount if said is None else said
        return act.amount if isinstance(act, Debit | Credit | Reserve) else None

    @property
    def names(self) -> frozenset[str]:
        """The calls that may have heard its decision."""
        return frozenset(name for name in self.heard.split() if not name.startswith("-"))


# ---------------------------------------------------------------- pure changes


def begun(m: Movement, at: datetime, owner: str, *, first: bool) -> Movement:
    """One attempt more begins, before a byte of it leaves. `first`: nothing of those before was applied."""
    attempts = 1 if first else m.attempts + 1
    forgot = None if first else m.forgot_at
    return replace(
        m, state=State.ASKING, attempts=attempts, asked_at=at, fact=None, owner=owner, forgot_at=forgot, note=""
    )  # fmt: skip


def not_left(m: Movement, asked_at: datetime | None) -> Movement:
    """Without the attempt that began then, of which no byte left. Where another one began since, nobody can say which of
    those that are counted it was, or whether it still is (`first`): it counts as made (rule 4).

    *A node stood still before its bytes left. Another one found that the bet had never arrived, asked for it and heard yes;
    then the first woke up and took that attempt away: its cancel was told that nothing had moved (rules 24, 26).*
    """
    if m.asked_at != asked_at:
        return m
    left = max(0, m.attempts - 1)
    return replace(m, attempts=left, asked_at=m.asked_at if left else None)


def carried(m: Movement, owner: str) -> Movement:
    """In this process' hands; what another process was asking is doubt from now on (rules 24, 26)."""
    died = m.state is State.ASKING and m.owner not in ("", owner)
    return replace(m, owner=owner, state=m.open_state if died else m.state)


def decided(m: Movement, outcome: Accepted | Declined, at: datetime, call: str = "") -> Movement:
    """The decision. `call`: the name of the call that hears it; blank: nobody does."""
    state = State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED
    over = replace(m, state=state, outcome=outcome, decided_at=at, note="", owner="", due_at=None, fact=None)
    return told(over, call, at) if call else over


def by_a_person(m: Movement) -> bool:
    """Whether a person decided it. Under our own name of it the journal keeps no other yes."""
    match m.outcome:
        case Accepted(wallet_id=wallet_id):
            return wallet_id == own_id(m.key)
        case Declined(message=message):
            return message == BY_A_PERSON
    return False


def told(m: Movement, call: str, at: datetime) -> Movement:
    """A call hears the decision, unless it is known that it did not."""
    if f"-{call}" in m.heard.split():
        return m
    heard = m.heard if call in m.names else f"{m.heard} {call}".strip()
    return replace(m, heard=heard, told=m.state.value, told_at=at, due_at=None)


def unheard(m: Movement, call: str, at: datetime) -> Movement:
    """A call did not hear the decision: final for that call. Where no other did, doubt is the last word."""
    names = [name for name in m.heard.split() if name not in (call, f"-{call}")]
    gone = [name for name in names if name.startswith("-")][-GONE_MAX:]
    here = [name for name in names if not name.startswith("-")]
    m = replace(m, heard=" ".join([*here, *gone, f"-{call}"]))
    if here or (m.told == State.DECLINED.value and m.state is not State.DECLINED):
        return m  # another one heard that it is undone
    watched = m.state is State.ACCEPTED and m.takes
    return replace(m, told=UNKNOWN, told_at=at, due_at=at if watched else m.due_at)


def doubted(m: Movement, at: datetime) -> Movement:
    """Doubt is told, unless a call of it heard already that it is to be undone: a win must not undo that word."""
    if m.told == State.DECLINED.value and not m.decided:
        return m
    return replace(m, told=UNKNOWN, told_at=at)


def left(m: Movement, state: State, note: str, due_at: datetime | None) -> Movement:
    """Nobody carries it just now."""
    return replace(m, state=state, note=note, owner="", due_at=due_at)


def clocked_again(m: Movement, at: datetime) -> Movement:
    """What had stopped its clock is none after all: it is looked at, at once (rule 12)."""
    watched = m.state is State.ACCEPTED and m.takes and m.told == UNKNOWN and not m.undone_by
    return replace(m, due_at=at) if watched else m


def freed(m: Movement, by: Movement) -> Movement:
    """Its rollback ended without undoing it. What was put to the wallet and stays, as its provider is told, stands by
    itself from then on, whatever becomes of its batch. *A person found that a cancel had undone nothing, its provider was
    told that the bet stands, and then the bet was given back with its batch (rules 7, 19).*"""
    stands = by.undoes and by.sent and not by.ours and m.state is State.ACCEPTED
    free = replace(m, undone_by="", atomic=m.atomic and not stands)
    return restored(free) if by.undone_by else free


def restored(m: Movement) -> Movement:
    """Its rollback was itself undone: that it is rolled back is no word of it any more (rule 11).

    *Its next cancel was sent beside the later bet that the page keeps it for, because of what its repeat had heard of the first.*
    """
    return replace(m, told="", told_at=None) if m.told == State.DECLINED.value else m


def buried(m: Movement, by: str, reason: Declined, at: datetime) -> Movement:
    """It came too late: declined from the journal, and told so."""
    gone = decided(replace(m, attempts=0, asked_at=None, undone_by=by), reason, at)
    return replace(gone, told=State.DECLINED.value, told_at=at)


def what_moved(rollback: Movement, whole: Decimal | None) -> Decimal:
    """What a rollback moves of a `whole`, as far as it is known: more is never assumed to be left than is."""
    if isinstance(rollback.outcome, Accepted) and rollback.outcome.moved is not None:
        return rollback.outcome.moved
    said = rollback.tx.act.amount if isinstance(rollback.tx.act, Rollback) else None
    return said if said is not None else whole or Decimal(0)


# ---------------------------------------------------------------- what stands beside movements


class Session(Struct, frozen=True, kw_only=True):
    """What the operator handed over at a launch, or what `authenticate` taught (rule 22)."""

    provider: str
    session: str
    player: str
    currency: str = ""
    game: str = ""
    brand: str = ""
    wallet: str = ""
    wallet_session: str = ""
    launch_token: str = ""
    expires_at: datetime | None = None
    seen_at: datetime
    country: str = ""  # the player's, as the wallet's `authenticate` said it


class Event(StrEnum):
    """What a line of a movement's story tells. Those of an ordinary call are told by its row alone."""

    RECEIVED = "received"
    REPEATED = "repeated"
    CONFLICT = "conflict"  # the same id came with other content
    TWIN = "twin"  # the same content came with another id, which its proof does not cover
    ASKED = "asked"
    ANSWERED = "answered"
    SILENT = "silent"  # no complete answer came
    QUERIED = "queried"
    HELD = "held"  # only in stories that versions before schema 2 wrote: its turn had not come
    LOOKED = "looked"  # settlement did
    TOLD = "told"
    DECIDED = "decided"
    PERSON = "for_person"
    CLAIMED = "claimed"  # a rollback was read that is to undo it
    RELEASED = "released"  # that rollback will not
    ROLLED_BACK = "rolled_back"
    TAKEN = "taken"  # over, from a process whose lease had ended
    DIED = "died"  # the process that carried it
    RETRY = "retry"  # `gateway tx retry`
    RESOLVED = "resolved"  # `gateway tx resolve`


class Step(Struct, frozen=True):
    """A line of a movement's story that its row does not tell. `detail` holds no body and no secret."""

    at: datetime
    what: Event
    detail: str = ""


class Listing(Struct, frozen=True, kw_only=True):
    """A filter for `tx list`."""

    states: tuple[State, ...] = ()
    provider: str = ""
    player: str = ""
    before: datetime | None = None  # created before
    limit: int = 100


class Count(Struct, frozen=True):
    """For the gauges: how many open movements of one kind a wallet has, and the oldest."""

    wallet: str
    kind: str
    state: State
    number: int
    oldest: datetime
