"""One call of a provider on its way: its name, its generation, its time, and what its wallet calls took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.engine.movement import Session
from gateway.engine.setup import Provider, Setup
from gateway.engine.world import NOBODY, Stay

RESERVE_SECONDS = 0.1  # kept for our own answer: the journal's last write and the encoding
RESERVE_SHARE = 0.1  # at most this share of the provider's limit
LEASE_MARGIN_SECONDS = 5.0  # a lease outlives its call
LEASE_USED_SECONDS = 2.0  # after the deadline bytes still leave; the lease itself lasts some seconds longer (rule 24)


class Errand:
    """Mutable on purpose: the only thing in the engine that is, and it dies with its call."""

    def __init__(
        self, setup: Setup, provider: Provider, ticks: Callable[[], float], clock: Callable[[], datetime],
        started: float, name: str,
    ) -> None:  # fmt: skip
        self.setup, self.provider, self.started, self.name = setup, provider, started, name
        self._ticks, self._clock = ticks, clock
        self.deadline = started  # until the kind is known
        self._wall = clock()  # the wall clock beside the ticks: what a machine slept through
        self._tick = ticks()
        self.open = True  # its provider still waits
        self.again = False  # its movement was there before
        self.settling = False  # no provider at all: settlement works
        self.session: Session | None = None  # the launch that it belongs to, once it is completed
        self.keys: set[str] = set()  # the movements whose decision it may have heard (rule 26)
        self.stay: Stay = NOBODY
        self.spelling = 1  # which of several spellings its signature was made of (`Proved`)
        self.wallet_seconds = 0.0
        self._wallets_open, self._wallets_since = 0, 0.0

    @classmethod
    def of_settlement(
        cls, setup: Setup, provider: Provider, ticks: Callable[[], float], clock: Callable[[], datetime], seconds: float,
        name: str,
    ) -> Errand:  # fmt: skip
        """Nobody waits: a debit is not asked again, and what is decided is not heard."""
        errand = cls(setup, provider, ticks, clock, ticks(), name)
        errand.deadline = errand.started + seconds
        errand.open, errand.settling = False, True
        return errand

    def allow(self, seconds: float) -> None:
        """The provider's limit, from its first byte, less a reserve for our own answer."""
        self.deadline = self.started + seconds - min(RESERVE_SECONDS, seconds * RESERVE_SHARE)

    def left(self) -> float:
        """Seconds until doubt must be told; not below zero."""
        return max(0.0, self.deadline - self._ticks())

    @property
    def lease(self) -> timedelta:
        """How long what it carries is no other process' from now on."""
        return timedelta(seconds=self.left() + LEASE_MARGIN_SECONDS)

    def may_send(self) -> bool:
        """Whether the lease of what this call carries still holds, looked at just before bytes leave.

        By both clocks: the monotonic one stands still while a machine is paused, and the lease runs on (rule 24).
        """
        ends = self.deadline + LEASE_USED_SECONDS
        slept = (self._clock() - self._wall).total_seconds() - (self._ticks() - self._tick)
        return self._ticks() + max(slept, 0.0) < ends

    def wallet_begins(self) -> None:
        if not self._wallets_open:
            self._wallets_since = self._ticks()
            self.stay.rests()
        self._wallets_open += 1

    def wallet_ends(self) -> None:
        self._wallets_open -= 1
        if not self._wallets_open and self.open:
            self.wallet_seconds += self._ticks() - self._wallets_since
            self.stay.goes_on()

    def close(self) -> None:
        """The provider is answered. What is still open at a wallet goes on without it."""
        if self._wallets_open:
            self.wallet_seconds += self._ticks() - self._wallets_since
        self.open = False
        self.stay.ends()
