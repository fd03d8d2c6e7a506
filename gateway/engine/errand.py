"""One call of a provider on its way: its generation, its time, and what its wallet calls took."""

from __future__ import annotations

from collections.abc import Callable

from gateway.engine.setup import Provider, Setup

RESERVE_SECONDS = 0.1  # kept for our own answer: the journal's last write and the encoding
LEASE_USED_SECONDS = 2.0  # after the deadline; the lease itself lasts some seconds longer
RESERVE_SHARE = 0.1  # at most this share of the provider's limit


class Errand:
    """Mutable on purpose: the only thing in the engine that is, and it dies with its call."""

    __slots__ = (
        "_deciding",
        "_ticks",
        "_wallets_open",
        "_wallets_since",
        "_won",
        "counted",
        "deadline",
        "first",
        "open",
        "provider",
        "settling",
        "setup",
        "started",
        "wallet_seconds",
    )

    def __init__(self, setup: Setup, provider: Provider, ticks: Callable[[], float], started: float) -> None:
        self.setup, self.provider, self.started = setup, provider, started
        self._ticks = ticks
        self.deadline = started  # until the kind is known
        self.open = True  # its provider still waits
        self.settling = False  # no provider at all: settlement works
        self.counted: set[str] = set()  # movements whose decision this call was counted to hear (12)
        self.first: set[str] = set()  # movements that nobody asked for before this call
        self._deciding: dict[str, int] = {}
        self._won: set[str] = set()
        self.wallet_seconds = 0.0
        self._wallets_open, self._wallets_since = 0, 0.0

    @classmethod
    def of_settlement(cls, setup: Setup, provider: Provider, ticks: Callable[[], float], seconds: float) -> Errand:
        """Nobody waits: a debit is not asked again, and what is decided is not heard."""
        errand = cls(setup, provider, ticks, ticks())
        errand.deadline = errand.started + seconds
        errand.open, errand.settling = False, True
        return errand

    def deciding(self, key: str) -> None:
        """A decision that it will hear is on its way to the journal."""
        self.counted.add(key)
        self._deciding[key] = self._deciding.get(key, 0) + 1

    def decided(self, key: str, *, ours: bool) -> None:
        """`ours`: it was the first, and counted; of several attempts of one call at most one is."""
        left = self._deciding.pop(key) - 1
        if left:
            self._deciding[key] = left
        if ours:
            self._won.add(key)
        elif not left and key not in self._won:
            self.counted.discard(key)

    def allow(self, seconds: float) -> None:
        """The provider's limit, from its first byte, less a reserve for our own answer."""
        self.deadline = self.started + seconds - min(RESERVE_SECONDS, seconds * RESERVE_SHARE)

    def left(self) -> float:
        """Seconds until doubt must be told; not below zero."""
        return max(0.0, self.deadline - self._ticks())

    def may_send(self) -> bool:
        """Whether the lease of what this call carries still holds, looked at just before bytes leave (24)."""
        return self._ticks() < self.deadline + LEASE_USED_SECONDS

    def wallet_begins(self) -> None:
        if not self._wallets_open:
            self._wallets_since = self._ticks()
        self._wallets_open += 1

    def wallet_ends(self) -> None:
        self._wallets_open -= 1
        if not self._wallets_open and self.open:
            self.wallet_seconds += self._ticks() - self._wallets_since

    def close(self) -> None:
        """The provider is answered. What is still open at a wallet goes on without it."""
        if self._wallets_open:
            self.wallet_seconds += self._ticks() - self._wallets_since
        self.open = False
