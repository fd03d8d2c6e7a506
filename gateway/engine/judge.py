"""What a wallet's word means: pure rules, numbered as in SEMANTICS.md.

`None` = no decision: the movement stays in doubt or owed.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from gateway.engine.journal import Movement
from gateway.engine.setup import Wallet
from gateway.model import Accepted, Adjust, Declined, Kind, Outcome, Reason, Unknown

OUR_FAULT = frozenset({Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST})
"""What a wallet says where our key or our form was wrong: it speaks of us, not of the player."""

_NO_BUSINESS = OUR_FAULT | {Reason.UNSUPPORTED, Reason.DUPLICATE_MISMATCH}

Decision = Accepted | Declined | None


def again(movement: Movement, wallet: Wallet) -> str:
    """`safe`, `query` or `never`: how this wallet takes a second asking of this movement (14)."""
    act = movement.tx.act
    sign = (1 if act.amount > 0 else -1) if isinstance(act, Adjust) else 0
    return wallet.takes_again(movement.kind, sign)


def remembered(movement: Movement, wallet: Wallet, now: datetime) -> bool:
    """Whether the wallet still knows the id of the first attempt (14)."""
    return now - movement.created_at < wallet.remembers


def settled_in_flight(movement: Movement, wallet: Wallet, now: datetime) -> bool:
    """Whether nothing of it can still be queued on the way to the wallet (10)."""
    return movement.asked_at is None or now - movement.asked_at >= wallet.in_flight_max


def judge(
    movement: Movement,
    wallet: Wallet,
    outcome: Outcome,
    now: datetime,
    *,
    target: Movement | None = None,
    refusable: bool = False,
) -> Decision:
    """The decision that an answer to an attempt makes.

    `refusable`: a credit that may be declined for good, the win of a settle (18).
    """
    if isinstance(outcome, Unknown):
        return None
    first = movement.attempts <= 1
    if isinstance(outcome, Accepted):
        # Only the provider's second asking is a replay to it, never ours (7).
        return outcome if first or not outcome.replayed else replace(outcome, replayed=False)
    if movement.kind is Kind.ROLLBACK:
        return _judge_rollback(movement, wallet, outcome, now, first=first, target=target)
    if movement.owes:
        return outcome if refusable and first and outcome.reason not in OUR_FAULT else None
    if first:
        return _first_no(outcome)
    safe = again(movement, wallet) == "safe" and outcome.reason not in _NO_BUSINESS
    return replace(outcome, replayed=False) if outcome.replayed or safe else None


def _first_no(outcome: Declined) -> Declined:
    """A no to the only attempt is a no; what speaks of us is said as our own (4)."""
    if outcome.reason is Reason.BAD_SIGNATURE:
        return Declined(reason=Reason.UNSUPPORTED, message="the wallet does not accept our key")
    if outcome.reason is Reason.INVALID_REQUEST:
        return replace(outcome, message=outcome.message or "the wallet cannot take this request")
    return outcome


def _judge_rollback(
    movement: Movement, wallet: Wallet, outcome: Declined, now: datetime, *, first: bool, target: Movement | None
) -> Decision:
    reason = outcome.reason
    if reason is Reason.TRANSACTION_NOT_FOUND:
        return outcome if _never_applied(wallet, target, now) else None
    if reason is Reason.ALREADY_ROLLED_BACK:
        return outcome if first else _done_before(outcome)
    if reason is Reason.DUPLICATE_MISMATCH and not first:
        return _done_before(outcome)
    if reason is Reason.ALREADY_SETTLED and (first or outcome.replayed or again(movement, wallet) == "safe"):
        return outcome
    return None


def _done_before(outcome: Declined) -> Accepted:
    """Our own repeated rollback met the first one (5)."""
    return Accepted(
        balance=outcome.balance, bonus=outcome.bonus, currency=outcome.currency, wallet_id=outcome.wallet_id
    )


def _never_applied(wallet: Wallet, target: Movement | None, now: datetime) -> bool:
    """Whether a wallet's `transaction_not_found` to a rollback is final (10)."""
    in_doubt = target is not None and not target.state.decided
    if target is not None and target.attempts and not remembered(target, wallet, now):
        return False  # it may have forgotten what it applied (14)
    if wallet.tombstones or not in_doubt:
        return True
    assert target is not None
    return settled_in_flight(target, wallet, now)


def judge_query(
    movement: Movement, wallet: Wallet, outcome: Outcome, now: datetime, target: Movement | None
) -> Decision:
    """The decision that an answer to a status query makes; see also `never_applied_by_query`.

    The answer is the wallet's first decision, so a no is judged as a no to the first attempt.
    """
    if isinstance(outcome, Accepted):
        return replace(outcome, replayed=False)
    if not isinstance(outcome, Declined) or not outcome.replayed:
        return None
    first = replace(outcome, replayed=False)
    if movement.kind is Kind.ROLLBACK:
        return _judge_rollback(movement, wallet, first, now, first=True, target=target)
    return None if movement.owes else first


def never_applied_by_query(movement: Movement, wallet: Wallet, outcome: Outcome, now: datetime) -> bool:
    """A wallet that does not know the id, asked after everything in flight has landed (10), or that
    declined what is owed: either way nothing moved, and the next attempt is a first one."""
    if isinstance(outcome, Declined) and outcome.replayed:
        return movement.owes
    unseen = isinstance(outcome, Declined) and outcome.reason is Reason.TRANSACTION_NOT_FOUND and not outcome.replayed
    return unseen and settled_in_flight(movement, wallet, now) and remembered(movement, wallet, now)
