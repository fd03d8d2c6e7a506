"""What each provider does when an answer fails to come: its documented retries and cancels, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from gateway.dialect import Dialect
from gateway.model import Accepted, Declined, Kind, Outcome, Reason, Transaction

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Habit(Struct, frozen=True, kw_only=True):
    """Tries count all attempts, the first included."""

    bet: int = 1
    win: int = 5
    undo: int = 5
    cancels: bool = True  # a bet that was never answered clearly is cancelled
    cancels_declined: bool = False  # a bet that was declined is cancelled as well
    spares: frozenset[Reason] = frozenset()  # ... except one declined for these reasons
    ids: str = "number"  # or uuid
    closes: bool = True  # sends a close_round after a round, where the dialect has one
    pause_seconds: float = 0.2  # before the second attempt; grows with each

    def tries(self, kind: Kind) -> int:
        if kind in (Kind.DEBIT, Kind.SETTLE, Kind.RESERVE, Kind.BATCH):
            return self.bet
        return self.undo if kind is Kind.ROLLBACK else self.win


_HABITS: Mapping[str, Habit] = {
    # ours: every call may be repeated; a bet in doubt is rolled back
    "native": Habit(bet=3, win=10, undo=10),
    # "Refund on trouble"; any repeat of an id is taken for a retry
    "netgaming": Habit(bet=2, win=5, undo=5),
    "dragon_gaming": Habit(bet=2, win=5, undo=5),
    # "Bet: 3 retransmissions without an answer, then a Cancel; Result: 10 retransmissions"
    "kyren": Habit(bet=4, win=11, undo=11),
    # "bet is not retried, a failed bet is followed by a cancel; win, cancel up to 2 more times"
    "scorpio_play": Habit(bet=1, win=3, undo=3, cancels_declined=True),
    # "retry by the caller"; a redemption in doubt is refunded
    "gameball": Habit(bet=1, win=5, undo=5),
    # "any rollback answer other than success, 102 or 110 is sent again"
    "groove": Habit(bet=1, win=5, undo=10),
    # "any status except NOT_ENOUGH_MONEY and LIMIT_REACHED is rolled back; win until RS_OK"
    "hub88": Habit(
        win=10,
        undo=10,
        cancels_declined=True,
        spares=frozenset({Reason.INSUFFICIENT_FUNDS, Reason.LIMIT_EXCEEDED}),
        ids="uuid",
    ),
    # "betwin 4 attempts, finish 5; after the last one it may refund the round; a rollback until 200"
    "softswiss": Habit(bet=4, win=4, undo=10),
    # "CANCEL_REQUIRED: provider must send cancel"
    "neverending": Habit(ids="uuid"),
    # "repeated every 5 s, two times; then a queue repeats it" (the queue is shortened here)
    "pragmatic_play": Habit(bet=3, win=10, undo=10),
    "slotegrator": Habit(),
    # "bet is never retried; win and refund are repeated with the same txID until 200"
    "swipegames": Habit(win=10, undo=10, ids="uuid"),
    "tom_horn": Habit(),
    "vivo_vgs": Habit(bet=2),
    # "500 and silence are repeated"; how often, and what follows, is not readable: a rollback is expected
    "spribe": Habit(bet=3, win=10, undo=10),
    # "rollback is called if there is no response, or the response contains an error"; repeats are not documented
    "hundred_hp": Habit(cancels_declined=True, ids="uuid"),
    # "repeated with retrying 1"; no cancel exists: a bet in doubt waits for its repeat
    "betgames": Habit(bet=5, win=10, cancels=False),
}


def habit_of(dialect: Dialect) -> Habit:
    """An outsider's dialect has the cautious habit: no repeat of a bet, a cancel when in doubt."""
    return _HABITS.get(dialect.name, Habit())


_LOST = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED})


def is_settled(tx: Transaction, outcome: Outcome) -> bool:
    """Whether this provider stops asking after such an answer."""
    if isinstance(outcome, Accepted):
        return True
    if not isinstance(outcome, Declined):
        return False
    if tx.kind is Kind.CREDIT:
        return False  # a win is owed: it is sent again until it is taken
    return tx.kind is not Kind.ROLLBACK or outcome.reason in _LOST


def is_cancelled(habit: Habit, outcome: Outcome) -> bool:
    """Whether a bet that ended like this is cancelled."""
    if isinstance(outcome, Declined):
        return habit.cancels_declined and outcome.reason not in habit.spares
    return habit.cancels and not isinstance(outcome, Accepted)


def seconds_of(dialect: Dialect, kind: Kind) -> float:
    """How long this provider waits for an answer: its documented limit."""
    text = dialect.as_provider.answer_within.get(kind.value) or dialect.as_provider.answer_within["default"]
    found = re.fullmatch(r"(\d+)(ms|s|m|h)", text)
    assert found is not None, text
    return int(found[1]) * _UNITS[found[2]]
