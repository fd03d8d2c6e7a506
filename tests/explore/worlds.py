"""The worlds in which everything is tried: each is a value, small enough for all of its histories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import Unsigned
from gateway.dialect import Call, Dialect, NoSettings, Wire
from gateway.ends import AsProvider, AsWallet, Kept, Owed
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.http import Request, Response
from gateway.model import (
    Act,
    Credit,
    Debit,
    Game,
    Kind,
    Outcome,
    Reason,
    Rollback,
    Round,
    Settle,
    Transaction,
    unsupported,
)

IN_FLIGHT = timedelta(seconds=120)
SILENT = timedelta(seconds=600)
REMEMBERS = timedelta(hours=48)
SAID = Request(method="POST", path="/", query="", headers={}, body=b"")
SAID_OF_A_ROUND = replace(SAID, path="/round")
WALLET_ENDS = {
    (settles, queries): (settles, queries) for settles in (True, False) for queries in (True, False)
}  # fmt: skip


PAGES: Mapping[str, AsProvider] = {
    "": AsProvider(),
    "one end": AsProvider(kept_by=lambda settings: Kept.ITS_WIN, one_end=True),
    "kept by its win": AsProvider(
        kept_by=lambda settings: Kept.ITS_WIN, final_noes={Owed.NAMED_WIN: frozenset({Reason.ALREADY_ROLLED_BACK})}
    ),
    "kept by its round": AsProvider(
        kept_by=lambda settings: Kept.ROUND_WIN, closed_to=lambda tx: isinstance(tx.act, Debit)
    ),
    "the last alone": AsProvider(kept_by=lambda settings: Kept.LATER, closed_to=lambda tx: True),
}
"""What pages say otherwise of what ends a bet, or a round."""


class Faults(Struct, frozen=True, kw_only=True):
    """How often each may come in one history."""

    lost: int = 1  # an answer or a request, on the way to the wallet or back
    slow: int = 1  # a wallet's share, or the provider's time, runs out while an answer is still to come
    dies: int = 0  # a process
    unheard: int = 0  # our answer never reached the provider
    refuses: int = 0  # the wallet says no to what it could do
    leases: int = 1  # times that all leases and pauses end
    lands: int = 1  # `in_flight_max` is over
    silent: int = 0  # `after_doubt` is over
    forgets: int = 0  # `remembers` is over
    stalls: int = 0  # a process stands still for a minute, and wakes up
    person: int = 0  # `gateway tx resolve`


FEW = Faults(lost=1, slow=0, leases=0, lands=0)
"""So few that most of a world is seen within the bound of `make test`."""


class Deed(Struct, frozen=True, kw_only=True):
    """What the provider may send, and how often. `after`: what it has sent before. `items`: a batch."""

    name: str
    tx: Transaction | None = None
    times: int = 1
    after: tuple[str, ...] = ()
    items: tuple[Transaction, ...] = ()


class World(Struct, frozen=True, kw_only=True):
    """One small world."""

    name: str
    deeds: tuple[Deed, ...]
    repeats: str = "safe"  # how its wallet takes a second asking
    queries: bool = True
    tombstones: bool = False
    settles: bool = True  # the wallet can be told a settle in one movement
    clock: bool = False  # `after_doubt`
    nodes: int = 1
    refunds: bool = False  # the provider's rollbacks of scope `round` mean every bet of it
    races: bool = False  # others may come between what a node reads and what it writes by it
    overlap: bool = False  # a repeat may come while the first call is open
    page: str = ""  # what its provider's page says of the ends of a bet and of a round (`PAGES`)
    one_word: bool = False  # its wallet ends a bet once, by its win or its cancel, and has one word for both
    met_word: bool = False  # its wallet has one word for a bet that it has and for one whose rollback came before it
    says_yes: bool = False  # its wallet says yes to the rollback of what it does not know
    rounds: bool = False  # its wallet takes the refund of a bet that it does not know for that of its round
    faults: Faults = Faults()

    def setup(self) -> Setup:
        """The configuration of this world."""
        provider = Provider(
            name="p", id="p", dialect=_dialect("p", settles=True, queries=True, refunds=self.refunds, end=AsWallet(), page=self.page),
            settings=NoSettings(), currency="EUR", answer_within={"default": timedelta(seconds=4)},
            after_doubt=SILENT if self.clock else None,
        )  # fmt: skip
        again = {"debit": self.repeats, "credit": self.repeats, "rollback": self.repeats}
        wallet = Wallet(
            name="w", dialect=_dialect("w", settles=self.settles, queries=self.queries, refunds=False, end=self._end()),
            settings=NoSettings(), url="https://w.example", repeats=again, tombstones=self.tombstones,
            in_flight_max=IN_FLIGHT, remembers=REMEMBERS,
        )  # fmt: skip
        return Setup(providers={"p": provider}, wallets={"w": wallet}, routes=(Route(wallet="w"),))

    def _end(self) -> AsWallet:
        return AsWallet(
            one_win=self.one_word, ended_by=ends_its_bet if self.one_word else None, one_word=self.met_word,
            yes_to_unknown=self.says_yes, undoes_rounds=self.rounds,
        )  # fmt: skip


def kept_by(world: World) -> Kept:
    """What keeps a bet against its cancel, as its provider's page says."""
    return PAGES[world.page].kept_by(NoSettings())


def closed_to(world: World, tx: Transaction) -> bool:
    """Whether a round that is over is closed to it."""
    page = PAGES[world.page]
    return page.closed_to is not None and page.closed_to(tx)


def _dialect(name: str, *, settles: bool, queries: bool, refunds: bool, end: AsWallet, page: str = "") -> Dialect:
    """Words that cost nothing: here a request is the transaction that it says."""

    def encode_request(tx: Transaction, call: Call) -> Request:
        free = isinstance(tx.act, Debit) and tx.act.free_round
        if free or (tx.kind is Kind.SETTLE and not settles) or (tx.kind is Kind.STATUS and not queries):
            raise unsupported(f"a {tx.kind.value}")
        return SAID_OF_A_ROUND if isinstance(tx.act, Rollback) and tx.act.scope == "round" else SAID

    kinds = (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ROLLBACK, Kind.RESERVE, Kind.CAPTURE, Kind.RELEASE)
    return Dialect(
        name=name, title=name, calls=tuple(Wire(name=k.value, method="POST", path="/", kinds=(k,)) for k in kinds),
        auth=Unsigned(), route=_never, decode_request=_never, encode_response=_never, encode_request=encode_request,
        decode_response=_never, round_refunds=refunds, as_provider=PAGES[page],
        as_wallet=end,
    )  # fmt: skip


def ends_its_bet(win: Credit) -> bool:
    """The first one that names it."""
    return bool(win.reference) and not win.further


def _never(*_: object) -> Response | Outcome | Transaction | str:  # pragma: no cover - no bytes are read here
    raise AssertionError("nothing is decoded in these worlds")


# ---------------------------------------------------------------- what the provider says


def _tx(id: str, act: Act, round: str = "r") -> Transaction:
    return Transaction(
        act=act, id=id, player="ann", currency="EUR", session="s", round=Round(round) if round else None,
        game=Game(id="g"),
    )  # fmt: skip


def bet(id: str = "b", amount: int = 10, *, round: str = "r", free: bool = False) -> Transaction:
    return _tx(id, Debit(amount=Decimal(amount), free_round=free), round)


def win(id: str = "w", *, of: str = "", round: str = "r", closes: bool = False) -> Transaction:
    tx = _tx(id, Credit(amount=Decimal(25), reference=of), round)
    return replace(tx, round=Round(round, True)) if closes else tx


def cancel(id: str = "c", *, of: str = "b", kind: Kind = Kind.DEBIT, round: str = "r") -> Transaction:
    return _tx(id, Rollback(reference=of, reference_kind=kind), round)


def refund(id: str = "f", *, of: str = "", round: str = "r") -> Transaction:
    return _tx(id, Rollback(reference=of, scope="round"), round)


def settle(id: str = "s") -> Transaction:
    return _tx(id, Settle(debit=Decimal(10), credit=Decimal(25)))


def _deed(tx: Transaction, times: int = 1, after: tuple[str, ...] = ()) -> Deed:
    return Deed(name=tx.id, tx=tx, times=times, after=after)


def _batch(*items: Transaction) -> Deed:
    return Deed(name="batch", items=items, times=2)


B, B2 = _deed(bet(), 2), _deed(bet("b2"))
B1 = _deed(bet())
C = _deed(cancel(), 1, ("b",))
AFTER_BATCH = _deed(cancel(), 1, ("batch",))
C2 = _deed(cancel("c2"), 1, ("b",))
OF_B2 = _deed(cancel("c2", of="b2"), 1, ("b2",))
EARLY = _deed(cancel(), 2)
W = _deed(win(of="b"), 1, ("b",))
LOOSE = _deed(win(), 1, ("b",))
ELSEWHERE = _deed(win(of="b", round="r2"), 1, ("b",))
LAST = _deed(win(closes=True), 1, ("b",))
LATE_BET = _deed(bet("b2"), 1, ("w",))
LATE_WIN = _deed(win("w2"), 1, ("w",))
S = _deed(settle(), 2)
FREE = _deed(bet(free=True), 2)
OTHER = Deed(name="another b", tx=bet(amount=11), after=("b",))
S1 = _deed(settle())
SC = _deed(cancel(of="s", kind=Kind.SETTLE), 1, ("s",))
R = _deed(refund(), 2, ("b",))
OF_B, ITS_OWN = _deed(refund(of="b"), 1, ("b",)), _deed(refund("f2", of="b2"), 1, ("b2",))
NEXT_BET = _deed(bet("b2"), 1, ("f",))

WALLETS: Mapping[str, Mapping[str, object]] = {
    "safe": {"repeats": "safe"},
    "safe, tombstones": {"repeats": "safe", "tombstones": True},
    "applied": {"repeats": "applied"},
    "query": {"repeats": "query"},
    "never": {"repeats": "never", "queries": False},
    "never, tombstones": {"repeats": "never", "queries": False, "tombstones": True},
    "safe, no query": {"repeats": "safe", "queries": False},
}

SCENES: tuple[World, ...] = (
    World(name="bet, cancel, repeat", deeds=(B, C), faults=Faults(lost=2, leases=2, lands=2)),
    World(name="bet, win, cancel", deeds=(B1, W, C), faults=Faults(lost=2, leases=2)),
    World(name="bet, win in its round, cancel", deeds=(B1, LOOSE, C)),
    World(name="bet, win in another round, cancel", deeds=(B1, ELSEWHERE, C)),
    World(name="settle, cancel", deeds=(S, SC), faults=Faults(lost=1, refuses=1, leases=2)),
    World(name="settle in two, cancel", deeds=(S, SC), settles=False, faults=Faults(lost=1, refuses=1, leases=2)),
    World(name="two cancels", deeds=(B1, C, C2), faults=Faults(lost=2, refuses=1)),
    World(name="an early cancel", deeds=(B, EARLY), faults=Faults(lost=1, slow=1)),
    World(name="bet, clock, win", deeds=(B, W), clock=True, faults=Faults(lost=2, silent=1, unheard=1)),
    World(name="bet, clock, loose win", deeds=(B1, LOOSE), clock=True, faults=Faults(lost=2, silent=1)),
    World(name="settle in two, clock", deeds=(S,), settles=False, clock=True, faults=Faults(lost=2, silent=1)),
    World(name="two bets, refund", deeds=(B1, B2, R), refunds=True, faults=Faults(lost=1, refuses=1)),
    World(name="bet, win, refund", deeds=(B1, LOOSE, R), refunds=True, faults=Faults(lost=2)),
    World(name="two nodes: bet, cancel", deeds=(B1, C), nodes=2, faults=Faults(lost=1, dies=1, leases=2)),
    World(name="two nodes: bet, win", deeds=(B, W), nodes=2, faults=Faults(lost=1, leases=2)),
    World(name="two nodes: bet, repeat", deeds=(B,), nodes=2, overlap=True, faults=Faults(lost=1, slow=1, dies=1)),
    World(name="two nodes: settle in two, cancel", deeds=(S1, SC), nodes=2, settles=False),
    World(name="two nodes: two cancels", deeds=(B1, C, C2), nodes=2, faults=Faults(lost=1, refuses=1)),
    World(name="a process stands still", deeds=(B, C), nodes=2, faults=Faults(lost=1, stalls=1)),
    World(name="a batch", deeds=(_batch(bet(), bet("b2")),), faults=Faults(lost=1, refuses=1, leases=2)),
    World(name="a batch that pays", deeds=(_batch(bet(), win(of="b")),), faults=Faults(lost=1, refuses=1, leases=2)),
    World(name="a batch, cancel", deeds=(_batch(bet(), win(of="b")), AFTER_BATCH), faults=Faults(lost=1, refuses=1)),
    World(name="a batch with a known bet", deeds=(B1, _batch(bet(), bet("b2"), win())), faults=Faults(refuses=1)),
    World(name="two nodes: a batch", deeds=(_batch(bet(), win(of="b")),), nodes=2, faults=Faults(dies=1, refuses=1)),
    World(name="a batch, clock", deeds=(_batch(bet(), win(of="b")),), clock=True, faults=Faults(lost=2, silent=1)),
    World(name="a free bet, cancel", deeds=(FREE, C), faults=Faults(lost=1)),
    World(name="another bet under the same id", deeds=(B1, OTHER), faults=Faults(lost=1)),
    World(name="a person", deeds=(B1, C), faults=Faults(lost=1, refuses=1, forgets=1, person=1)),
    World(name="memory ends", deeds=(B1, W), faults=Faults(lost=2, forgets=1)),
    World(name="one end: bet, win, cancel", deeds=(B1, W, C), page="one end", faults=Faults(lost=2, refuses=1)),
    World(name="one word: bet, win, cancel", deeds=(B1, W, C), one_word=True, faults=FEW),
    World(
        name="one word for what it has: bet, cancel, repeat", deeds=(B, C), met_word=True, faults=replace(FEW, lost=2)
    ),
    World(name="yes to what it does not know", deeds=(B1, C), says_yes=True, faults=replace(FEW, lost=2, forgets=1)),
    World(name="rounds: bet, refund, bet", deeds=(B1, OF_B, NEXT_BET), rounds=True, faults=FEW),
    World(name="rounds: two bets, refunds", deeds=(B1, B2, OF_B, ITS_OWN), rounds=True, faults=Faults(lost=2)),
    World(name="kept by its win: bet, win, cancel", deeds=(B1, W, C), page="kept by its win", faults=Faults(lost=2)),
    World(name="kept by its round: bet, win, bet, cancel", deeds=(B1, LAST, LATE_BET, C), page="kept by its round"),
    World(name="the last alone: bet, bet, cancel, cancel", deeds=(B1, B2, C, OF_B2), page="the last alone"),
    World(name="the last alone: bet, win, bet, win", deeds=(B1, LAST, LATE_BET, LATE_WIN), page="the last alone"),
    World(
        name="the last alone: settle in two, refused",
        deeds=(S1,),
        settles=False,
        page="the last alone",
        faults=Faults(lost=1, refuses=1),
    ),
)

ELSEWHERE_TESTED: Mapping[str, str] = {
    "other_content": "is asked by name when a repeat is opened: it speaks, and is not counted",
    "wallet_gone": "needs another configuration, and these worlds keep theirs (tests/engine/test_history_places.py)",
    "journal_forgot": "needs a journal that was restored (tests/engine/test_history_time.py)",
    "nobody_knows": "needs a call without its player or a route: in these worlds both are said",
}
"""Rules that cannot speak in these worlds, and why."""
