"""The ports: everything uncertain enters the engine through one value.

The live world (`serve/live.py`) fills it with the machine's clock, asyncio, the wallet client and
the journal; a simulation fills it with a seed. The engine cannot tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from gateway.engine.journal import Journal
from gateway.engine.setup import Provider, Wallet
from gateway.http import Request, Response

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Silence(Exception):
    """No complete answer came. `left` says whether a byte of the request may have left us.

    `result` is the word of `gateway_wallet_requests_total`: `timeout`, `broken`, `unreachable`.
    `hopeless`: nothing was sent and nothing will be for a while, so trying again at once is no use.
    """

    def __init__(self, result: str, detail: str, *, left: bool, hopeless: bool = False) -> None:
        super().__init__(detail)
        self.result, self.detail, self.left, self.hopeless = result, detail, left, hopeless


class Crowded(Exception):
    """More calls came than can be carried: this one was not read, and nothing moved."""


class Handle(Protocol[T_co]):
    """Work that goes on by itself."""

    def done(self) -> bool: ...

    def result(self) -> T_co:
        """What it returned; raises what it raised. Only when it is done."""
        ...


class Meter(Protocol):
    """What is counted (docs/operations.md)."""

    def call(
        self, provider: str, dialect: str, kind: str, outcome: str, reason: str, seconds: float, wallet_seconds: float
    ) -> None: ...

    def wallet_request(self, wallet: str, kind: str, result: str, seconds: float) -> None: ...

    def signature_failure(self, provider: str, key: str) -> None: ...

    def key_use(self, provider: str, key: str) -> None: ...

    def replay(self, provider: str, kind: str, verdict: str) -> None: ...

    def recovered(self, wallet: str, kind: str, outcome: str) -> None:
        """A movement was decided after its provider had been told doubt."""
        ...

    def our_fault(self, wallet: str, kind: str, reason: str) -> None:
        """A wallet refused us for our key or our form: for the log, loud."""
        ...


Leave = Callable[[str], None]
"""Called once when a request to a wallet is over, with its result: `answered`, `refused`, `timeout`, ..."""


class Stay(Protocol):
    """A provider's call that is being carried."""

    def rests(self) -> None:
        """A wallet has it: that is no work of ours."""
        ...

    def goes_on(self) -> None: ...

    def ends(self) -> None:
        """It is answered. May be said twice."""
        ...


class Door(Protocol):
    """Which calls of providers are carried, and when, where not all can be."""

    async def enter(self, provider: Provider, *, first: bool, started: float, within: float) -> Stay:
        """Before a call is proved or decoded. Raises `Crowded`, in time.

        `first`: it may give, or give back, and goes before new bets and reads. `started` = `ticks()` at its first byte,
        `within` = the seconds that its provider waits from then on.
        """
        ...


class Gate(Protocol):
    """What may be sent just now: load limits, and wallets that do not answer.

    `owed`: it is owed to the wallet (credits, rollbacks), and goes before new bets and reads.
    """

    def wallet(self, provider: Provider, wallet: Wallet, *, owed: bool) -> Leave:
        """Before a request to a wallet is sent. Raises `Silence` (hopeless) where it may not be."""
        ...


class Nobody:
    """The stay of a call that nobody counts."""

    def rests(self) -> None:
        """Nobody waits for it."""

    def goes_on(self) -> None:
        """Nobody minds."""

    def ends(self) -> None:
        """Nobody comes after it."""


NOBODY = Nobody()


class OpenDoor:
    """No limits: for worlds that have none."""

    async def enter(self, provider: Provider, *, first: bool, started: float, within: float) -> Stay:
        return NOBODY


class OpenGate:
    """No limits: for worlds that have none."""

    def wallet(self, provider: Provider, wallet: Wallet, *, owed: bool) -> Leave:
        return _nobody_counts


def _nobody_counts(result: str) -> None:
    """Nothing is counted where nothing is limited."""


class World(Struct, frozen=True, kw_only=True):
    """What the engine may not fetch by itself."""

    clock: Callable[[], datetime]
    ticks: Callable[[], float]  # monotonic seconds, for budgets
    nonce: Callable[[], str]  # a fresh UUID as text
    send: Callable[[Wallet, Request, float], Awaitable[Response]]
    """(wallet, signed request with the dialect's path, seconds it may take) -> complete answer;
    raises `Silence`. Never sends a request twice."""
    spawn: Callable[[Coroutine[Any, Any, Any]], Handle[Any]]
    wait: Callable[[Sequence[Handle[Any]], float], Awaitable[None]]
    """Until one of the handles is done, or so many seconds are over; never cancels them."""
    sleep: Callable[[float], Awaitable[None]]
    journal: Journal
    meter: Meter
    gate: Gate = OpenGate()
    door: Door = OpenDoor()
