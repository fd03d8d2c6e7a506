"""A state as data: rows, purse, requests on their way, and for every drive that goes on the case it holds and
the move that was chosen by it, to be performed later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.case import Case, Move
from gateway.engine.movement import Movement
from gateway.model import Outcome, Transaction
from tests.explore.purse import Entry

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=15)  # settlement's
PAUSE = timedelta(seconds=75)  # every lease and every pause of settlement is over by then
POLL = "*"  # what a drive waits for that looks what another process did


class Flown(Struct, frozen=True, kw_only=True):
    """A request. `open`: its task still listens. `young`: it has not had its share of the time."""

    number: int
    node: str
    key: str
    query: bool
    tx: Transaction  # in the wallet's terms
    case: Case
    began: datetime
    ordinary: bool
    name: str  # of the call that sent it
    sent: bool = False  # it has arrived, or is not on its way any more
    answer: Outcome | None = None
    open: bool = True
    young: bool = True


class Frame(Struct, frozen=True, kw_only=True):
    """One drive of one movement: what it holds, and where it stands."""

    case: Case
    waits: bool
    move: Move | None = None
    begun: bool = False
    parked: str = ""  # waits for requests about this key
    takes: bool = False
    share: bool = False  # until their share of the time is over, else until the call's is
    opened: tuple[str, ...] = ()  # by this move


class Drive(Struct, frozen=True, kw_only=True):
    """A provider's call, or work of settlement (`name` blank), in one node."""

    number: int
    node: str
    name: str = ""
    deed: str = ""
    open: bool = False
    key: str = ""
    keys: frozenset[str] = frozenset()
    frames: tuple[Frame, ...] = ()
    outcome: Outcome | None = None  # told, and on its way to the provider
    pending: str = ""  # of a batch: the item that is carried
    results: tuple[
        tuple[str, Outcome, str], ...
    ] = ()  # of a batch: what its items came to, and what undid them by then
    stalled: bool = False  # its process stood still: its lease is over


class Place:
    """All of one moment. Copied before it is changed, and what an event does not change is shared: of its values
    only `rows` are written in place, every other one is replaced."""

    __slots__ = ("died", "drives", "flown", "last", "left", "nodes", "now", "number", "purse", "rows", "said", "words")

    def __init__(self) -> None:
        self.now = BEGAN
        self.rows: dict[str, Movement] = {}
        self.purse: dict[str, Entry] = {}
        self.flown: tuple[Flown, ...] = ()
        self.drives: tuple[Drive, ...] = ()
        self.said: dict[str, int] = {}  # deeds, how often
        self.words: dict[str, tuple[str, ...]] = {}  # and what was heard
        self.last: dict[str, str] = {}  # the last word of each, doubt included
        self.left: dict[str, int] = {}  # faults that may still come
        self.nodes: tuple[str, ...] = ("1",)
        self.number = 0
        self.died = False

    def copy(self) -> Place:
        found = Place.__new__(Place)
        found.now, found.flown, found.drives = self.now, self.flown, self.drives
        found.rows, found.purse = dict(self.rows), self.purse
        found.said, found.words, found.last = self.said, self.words, self.last
        found.left, found.nodes, found.number, found.died = self.left, self.nodes, self.number, self.died
        return found

    def next(self) -> int:
        self.number += 1
        return self.number


def with_top(drive: Drive, frame: Frame) -> Drive:
    """With another frame on top."""
    return replace(drive, frames=(*drive.frames[:-1], frame))
