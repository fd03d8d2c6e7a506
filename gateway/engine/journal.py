"""The journal as the engine sees it: movements, their keys and states, sessions.

`gateway/journal/` keeps it on SQLite (and, later, PostgreSQL). What a method returns is durable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.states import State
from gateway.model import Accepted, Adjust, Declined, Kind, Outcome, Transaction


class JournalLost(Exception):
    """A write is not durable: the disk is full, the file or the database is gone. It may still be
    there later (its confirmation may be what was lost): whoever asked for it knows nothing."""


class Movement(Struct, frozen=True, kw_only=True):
    """One row of the journal: what a provider asked for and what became of it.

    `key` = provider, key space, id and, where the dialect says so, player or round (see
    `engine/identity.py`); it is what `gateway tx list` prints. A movement that is one of several (a settle's debit, a bet of a
    refunded round) has a `parent`.
    """

    key: str
    provider: str  # the integration's immutable id
    space: str
    kind: Kind
    tx: Transaction  # complete: as it was understood, before any alias or map
    fingerprint: str
    wallet: str = ""  # the name; blank: no route, or nothing to send
    route: str = ""  # how players and games are called there: the template, for later references
    alias: str = ""  # what the wallet is told as id
    state: State = State.ASKING
    attempts: int = 0  # attempts of which a byte may have left
    asked_at: datetime | None = None  # when the last of them began
    target: str = ""  # key of the movement that it undoes, captures or releases, if known
    undone_by: str = ""  # key of the rollback that undoes, or is to undo, this one
    parent: str = ""
    outcome: Outcome | None = None  # the decision
    told: str = ""  # the last word that the provider heard: accepted, declined, unknown
    told_at: datetime | None = None
    note: str = ""  # why it waits for a person
    owner: str = ""  # the process that carries it just now
    due_at: datetime | None = None  # not before this may another process, or settlement, touch it
    tries: int = 0  # how often settlement looked at it
    created_at: datetime
    decided_at: datetime | None = None

    @property
    def owes(self) -> bool:
        """Whether it is owed to the wallet while it is open (13), rather than in doubt."""
        act = self.tx.act
        return self.kind in (Kind.CREDIT, Kind.ROLLBACK) or (isinstance(act, Adjust) and act.amount > 0)

    @property
    def open_state(self) -> State:
        return State.OWED if self.owes else State.DOUBT

    @property
    def reference(self) -> str:
        """The id of the movement that this one means, or blank."""
        return str(getattr(self.tx.act, "reference", ""))


def taken_back(movement: Movement) -> Movement:
    """The movement without its last attempt, of which no byte left."""
    left = max(0, movement.attempts - 1)
    return replace(movement, attempts=left, asked_at=movement.asked_at if left else None)


class Intent(Struct, frozen=True, kw_only=True):
    """A movement to be opened, and what must be known at the same moment.

    `buried_by`: the reference kinds under which an earlier rollback may have named this movement
    (its tombstone); empty for what cannot be buried. `targets`: the kinds that its own reference
    may mean; empty where it has none. `by_round` / `lone_bet`: SEMANTICS.md 16 and the Kyren card.
    """

    movement: Movement
    buried_by: tuple[Kind, ...] = ()
    target: str = ""  # the key of the movement meant, where it is known beforehand
    targets: tuple[Kind, ...] = ()
    by_round: bool = False
    rounds: bool = True  # whether its dialect's rollbacks may bury a whole round
    lone_bet: bool = False
    wins: bool = False  # a credit: the bets of its round matter, if one of them is open
    claim: bool = True
    """Whether a rollback takes its target for itself (`undone_by`); a partial one does not."""
    several: bool = False  # its dialect knows partial rollbacks: what the others undo counts
    aliases: Mapping[str, str] = {}
    """What other wallets are told as id, by their names, should it go where its round or target went (23)."""
    alone: bool = False
    """The gateway's own rollback: not opened at all where its target has another one (12)."""


class Opened(Struct, frozen=True, kw_only=True):
    """What the journal knew when the movement was opened.

    `fresh`: it was not there before. `target`: the movement meant. `round`: the movements of that
    player and round, where `by_round` or `wins` asked for them. `tombstone`: the
    key of the rollback that came before this movement. `undone`: what earlier accepted or open
    partial rollbacks of the target move together.
    """

    movement: Movement
    fresh: bool
    target: Movement | None = None
    round: tuple[Movement, ...] = ()
    tombstone: str = ""
    undone: Decimal = Decimal(0)


class Session(Struct, frozen=True, kw_only=True):
    """What the operator handed over at a launch, or what `authenticate` taught (SEMANTICS.md 22)."""

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


class Event(StrEnum):
    """What a line of a movement's story tells. Those of an ordinary call are told by its row alone."""

    RECEIVED = "received"
    REPEATED = "repeated"
    CONFLICT = "conflict"  # the same id came with other content
    ASKED = "asked"
    ANSWERED = "answered"
    SILENT = "silent"  # no complete answer came
    QUERIED = "queried"
    HELD = "held"  # its turn has not come: nothing was sent
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


OF_THE_WALLET = frozenset({Event.ASKED, Event.ANSWERED, Event.SILENT, Event.QUERIED})
"""What is told of a wallet whatever became of the movement meanwhile."""


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


class Journal(Protocol):
    """Reads see every write that was returned before. Writes are durable when they return.

    A write that takes a `Movement` returns it as it is now; what others may have changed meanwhile
    (`undone_by`) is as fresh as the movement that was given. `steps` are journalled in the same
    transaction as the change that they tell of; of a movement that was decided meanwhile, only
    those `OF_THE_WALLET`.
    """

    async def open(self, intent: Intent) -> Opened:
        """Insert, or find what is there under this key; one atomic step."""
        ...

    async def take(self, movement: Movement, owner: str, at: datetime, until: datetime) -> Movement | None:
        """The movement for this process until then; None: another process carries it."""
        ...

    async def ask(self, movement: Movement, at: datetime, *, steps: Sequence[Step] = ()) -> Movement:
        """Before bytes leave again: one attempt more, begun `at`. A decided one stays as it is."""
        ...

    async def not_left(self, movement: Movement, *, steps: Sequence[Step] = ()) -> Movement:
        """No byte of the last attempt left: take it back."""
        ...

    async def never_applied(self, movement: Movement, *, steps: Sequence[Step] = ()) -> Movement:
        """No attempt reached the wallet (SEMANTICS.md 10): the next one is a first attempt."""
        ...

    async def decide(
        self, movement: Movement, outcome: Accepted | Declined, at: datetime, *, heard: bool, steps: Sequence[Step] = ()
    ) -> Movement:
        """The first decision stands; returns the row as it is then. `heard`: its provider waits."""
        ...

    async def leave_open(
        self,
        movement: Movement,
        state: State,
        note: str,
        told_at: datetime | None,
        due_at: datetime | None,
        *,
        steps: Sequence[Step] = (),
    ) -> Movement:
        """Doubt, owed or for a person; a decided movement stays as it is. `told_at`: doubt is told
        now. `due_at`: when settlement looks at it. `movement.tries` is kept with it."""
        ...

    async def watch(self, movement: Movement, due_at: datetime | None) -> None:
        """When settlement looks again at a decided movement; None: never."""
        ...

    async def tell(self, movement: Movement, told: str, at: datetime, *, steps: Sequence[Step] = ()) -> None:
        """What one more call of the provider hears: a decision, which is watched no more."""
        ...

    async def unheard(self, key: str, at: datetime, *, counted: bool, steps: Sequence[Step] = ()) -> None:
        """One call heard doubt instead. `counted`: it was counted to hear the decision. Where no
        other call heard it, doubt is the last word, and settlement looks at it (12)."""
        ...

    async def release_target(self, key: str, at: datetime) -> None:
        """The rollback `key` will not undo its target: the target is free again, and its story says so."""
        ...

    async def note(self, key: str, steps: Sequence[Step]) -> None:
        """Steps that change nothing."""
        ...

    async def story(self, key: str) -> list[Step]:
        """The steps of a movement, in the order of the journal. Of a long story the first and the
        last hundred are kept, and what a person did."""
        ...

    async def due(self, at: datetime, limit: int) -> list[Movement]:
        """What settlement may look at now, the oldest first."""
        ...

    async def get(self, key: str) -> Movement | None: ...

    async def find(self, provider: str, kinds: Sequence[Kind], id: str) -> Movement | None:
        """The movement with the provider's own id."""
        ...

    async def children(self, parent: str) -> list[Movement]: ...

    async def aimed_at(self, target: str) -> list[Movement]:
        """The rollbacks, captures and releases of one movement."""
        ...

    async def latest(self, provider: str, player: str) -> Movement | None:
        """The player's last movement, for session and currency."""
        ...

    async def round(self, provider: str, player: str, round_id: str) -> list[Movement]: ...

    async def learn(self, session: Session) -> None: ...

    async def session(self, provider: str, session: str) -> Session | None: ...

    async def session_by_launch(self, provider: str, launch_token: str) -> Session | None: ...

    async def last_session(self, provider: str, player: str, game: str = "") -> Session | None:
        """Same player, then same game, then the newest; never across providers."""
        ...

    async def listed(self, listing: Listing) -> list[Movement]: ...

    async def counts(self) -> list[Count]: ...

    async def unresolved_by_wallet(self) -> Mapping[str, int]:
        """Open movements by wallet (SEMANTICS.md 25)."""
        ...

    def writable(self) -> bool:
        """Whether the last commit worked (`/readyz`)."""
        ...

    async def close(self) -> None: ...
