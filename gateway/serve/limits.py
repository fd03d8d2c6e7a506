"""How much a wallet is asked at once, and whom we leave alone: limits per wallet, circuit breakers.

A wallet that fails so many times in a row is not hammered: for a cool-off new bets and reads are
refused before anything is sent, then one of them at a time tries whether it is back. What is owed
(credits, rollbacks) goes on at a bounded rate meanwhile, and may use the reserve of every limit:
its provider cannot be told no. Nothing waits here: whoever may not, hears so at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from gateway.engine.setup import Limits, Provider, Wallet
from gateway.engine.world import Leave, Silence

OWED_PAUSE_SECONDS = 0.1  # between requests of what is owed to a wallet that does not answer
FORGET_SECONDS = 60.0  # failures farther apart are no row
ANSWERS = frozenset({"answered", "refused"})

Changed = Callable[[str, bool], None]
"""(wallet, whether its breaker is open now)."""


class LoadGate:
    """The engine's `Gate`. One per process; each call brings the limits of its own configuration."""

    def __init__(
        self,
        ticks: Callable[[], float],
        overload: Callable[[str, str], None],
        changed: Changed = lambda wallet, is_open: None,
    ) -> None:
        """`overload` counts what was refused: (provider, wallet)."""
        self._ticks, self._overload, self._changed = ticks, overload, changed
        self._lines: dict[str, Line] = {}

    def wallet(self, provider: Provider, wallet: Wallet, *, owed: bool) -> Leave:
        line = self._lines.get(wallet.name)
        if line is None or line.url != wallet.url:
            line = self._lines[wallet.name] = Line(wallet, self._changed)
        now = self._ticks()
        line.count_late(now, wallet)
        if line.under_way >= _most(wallet.limits, owed=owed):
            self._overload(provider.name, wallet.name)
            detail = f"{line.under_way} calls to wallet {wallet.name} are under way"
            raise Silence("unreachable", detail, left=False, hopeless=True)
        number = line.enter(now, owed=owed)
        return partial(self._left, line, wallet, number)

    def is_open(self, wallet: str) -> bool:
        line = self._lines.get(wallet)
        return line is not None and line.is_open

    def _left(self, line: Line, wallet: Wallet, number: int, result: str) -> None:
        line.leave(number, self._ticks(), wallet, well=result in ANSWERS)


def _most(limits: Limits, *, owed: bool) -> int:
    return limits.in_flight if owed else limits.in_flight - limits.reserved


class Line:
    """What is under way to one wallet, and whether it answers.

    A call that is open for longer than the wallet's `answer_within` has failed already: a wallet
    that hangs is known for one long before its calls are given up.
    """

    def __init__(self, wallet: Wallet, changed: Changed) -> None:
        self.name, self.url, self.is_open = wallet.name, wallet.url, False
        self._tell = changed
        self._fresh: OrderedDict[int, float] = OrderedDict()  # when each call began
        self._late: set[int] = set()
        self._number = 0
        self._failures, self._failed_at, self._well_at = 0, 0.0, 0.0
        self._shut_until = self._owed_from = 0.0
        self._probe = 0  # the number of the call that tries whether it is back

    @property
    def under_way(self) -> int:
        return len(self._fresh) + len(self._late)

    def enter(self, now: float, *, owed: bool) -> int:
        """The number of a call that may be sent. Raises `Silence` where it may not."""
        if self.is_open:
            may = now >= self._owed_from if owed else now >= self._shut_until and not self._probe
            if not may:
                detail = f"wallet {self.name} does not answer, and is not asked just now"
                raise Silence("unreachable", detail, left=False, hopeless=True)
        self._number += 1
        if self.is_open and owed:
            self._owed_from = now + OWED_PAUSE_SECONDS
        elif self.is_open:
            self._probe = self._number
        self._fresh[self._number] = now
        return self._number

    def count_late(self, now: float, wallet: Wallet) -> None:
        """What should have been answered by now."""
        within = wallet.answer_within.total_seconds()
        while self._fresh:
            number, began = next(iter(self._fresh.items()))
            if now - began < within:
                return
            del self._fresh[number]
            self._late.add(number)
            self._fail(number, began, now, wallet)

    def leave(self, number: int, now: float, wallet: Wallet, *, well: bool) -> None:
        began = self._fresh.pop(number, None)
        self._late.discard(number)
        if well:
            self._probe = self._failures = 0
            self._well_at = now
            self._turn(to_open=False)
        elif began is not None:
            self._fail(number, began, now, wallet)

    def _fail(self, number: int, began: float, now: float, wallet: Wallet) -> None:
        breaker = wallet.limits.breaker
        if number == self._probe:
            self._probe, self._shut_until = 0, now + breaker.cool_off.total_seconds()
        if began < self._well_at:
            return  # it has answered since: this one tells of an earlier time
        self._failures = 1 if now - self._failed_at > FORGET_SECONDS else self._failures + 1
        self._failed_at = now
        if self._failures >= breaker.failures and not self.is_open:
            self._shut_until = now + breaker.cool_off.total_seconds()
            self._turn(to_open=True)

    def _turn(self, *, to_open: bool) -> None:
        if self.is_open is not to_open:
            self.is_open = to_open
            self._tell(self.name, to_open)
