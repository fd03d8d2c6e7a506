"""What a wallet's word means: pure rules, numbered as in docs/rules.md.

`None` = no decision: the movement stays in doubt or owed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.engine.moment import Moment
from gateway.engine.movement import Fact, Movement
from gateway.engine.setup import Wallet
from gateway.engine.states import State
from gateway.model import Accepted, Act, Declined, Kind, Reason, Rollback, amounts, any_no, reference_of, repeats_as

OUR_FAULT = frozenset({Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST})
"""What a wallet says where our key or our form was wrong: it speaks of us, not of the player."""

_NO_BUSINESS = OUR_FAULT | {Reason.UNSUPPORTED, Reason.DUPLICATE_MISMATCH}

NO_SESSION = frozenset({Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED})

Decision = Accepted | Declined | None
NONE = timedelta(0)


def again(movement: Movement, wallet: Wallet) -> str:
    """`safe`, `applied`, `query` or `never`: how this wallet takes a second asking of this movement (rule 14). A hold that
    it names itself has no id of ours there, whatever it looks for first: each asking is another hold."""
    if movement.kind is Kind.RESERVE and wallet.dialect.as_wallet.makes_hold_ids:
        return "never"
    return wallet.repeats[repeats_as(movement.tx.act)]


def _perhaps_gone_by_it(movement: Movement, wallet: Wallet, outcome: Declined) -> bool:
    """A hold that is not there any more when it is released again, at a wallet that names it itself: the release is told under
    no id of its own, and the first one may have done it (rule 5)."""
    held = movement.kind is Kind.RELEASE and movement.target and wallet.dialect.as_wallet.makes_hold_ids
    return bool(held) and outcome.reason is Reason.TRANSACTION_NOT_FOUND


def remembered(movement: Movement, wallet: Wallet, moment: Moment, ahead: timedelta = NONE) -> bool:
    """Whether the wallet still knows the id of the first attempt (rule 14), so much later than now. Where the steps of a
    clock hide how old that is, it is no younger than the last one, whose time they began again (rule 29)."""
    return max(moment.passed(at) for at in _written(movement, wallet)) + ahead < wallet.remembers


def _surely_remembered(movement: Movement, wallet: Wallet, moment: Moment) -> bool:
    """The same, where a no, or a yes that it says to anything, is to be believed: also if all that the clock jumped ahead really
    passed (rules 14, 29). It is no older than since it came; only where its last attempt is surely older than that, the
    clock that showed when it came was not ours, and no more is sure than by the attempt's."""
    came, *asked = _written(movement, wallet)
    most = moment.at_most(came)
    return max([most, *(moment.at_most(at) for at in asked if moment.passed(at) > most)]) < wallet.remembers


def _written(movement: Movement, wallet: Wallet) -> list[datetime]:
    """When it came and was last asked. A clock that went back may hide the age of one; it is as old as the older says. What came
    so soon after the journal forgot that its wallet knew it, if it had been there before, is as old as that (rule 30): as what
    the journal has of before, or as the word about it, where the wallet may have forgotten the oldest that lies between."""
    most = wallet.remembers - wallet.in_flight_max
    forgot = (movement.forgot_since, movement.forgot_at) if movement.forgot_at is not None else ()
    known = next((at for at in forgot if at is not None and movement.created_at - at < most), None)
    asked = movement.asked_at if movement.sent else None
    return [movement.created_at, *(at for at in (known, asked) if at is not None)]


def landed(movement: Movement, wallet: Wallet, moment: Moment, ago: timedelta = NONE) -> bool:
    """Whether nothing of it can still be queued on the way to the wallet (rule 10); so long `ago`."""
    if movement.asked_at is None:
        return True
    return moment.in_flight(movement.asked_at) - ago >= wallet.in_flight_max


def judge(
    movement: Movement,
    wallet: Wallet,
    moment: Moment,
    *,
    target: Movement | None = None,
    refusable: bool = False,
    another: bool = False,
    final: frozenset[Reason] = frozenset(),
    both: bool = False,
) -> Decision:
    """The decision that the wallet's word about a movement makes.

    `refusable`: a credit that may be declined for good, the win of a settle (rule 18). `another`: another
    rollback undid its target. `both`: the other end of its bet may have reached this wallet, too. `final`: noes to a
    rollback or a credit that its page tells as such (rule 6).
    """
    fact = movement.fact
    if fact is None:
        return None
    if fact.query:
        return _judge_query(movement, wallet, fact, moment, target)
    outcome = fact.outcome
    first = movement.attempts <= 1 and movement.forgot_at is None
    if said_of_either_end(movement, wallet, both=both):
        return None
    if isinstance(outcome, Accepted):
        if undated(movement, target, wallet, moment):
            return None
        # Only the provider's second asking is a replay to it, never ours (rule 7).
        return outcome if first or not outcome.replayed else replace(outcome, replayed=False)
    if _of_before(movement, fact):
        return None
    looks_first = again(movement, wallet) == "safe" and movement.forgot_at is None
    if outcome.reason in final and (first or (looks_first and not movement.undoes)):
        return outcome if first else replace(outcome, replayed=False)
    if movement.undoes:
        return _judge_rollback(movement, wallet, outcome, fact, moment, first=first or another, target=target)
    if not any_no(movement.tx.act):
        return outcome if refusable and first and outcome.reason not in OUR_FAULT else None
    if first:
        return _first_no(outcome)
    safe = looks_first and outcome.reason not in _NO_BUSINESS and not _perhaps_gone_by_it(movement, wallet, outcome)
    if outcome.replayed or safe:
        return replace(outcome, replayed=False)
    if outcome.reason is Reason.TRANSACTION_NOT_FOUND and reference_of(movement.tx.act):
        return outcome if _never_applied(movement, wallet, target, fact, moment) else None  # of a hold
    return None


def _of_before(movement: Movement, fact: Fact) -> bool:
    """Whether a no answers a request that began before the attempt that is the only one that counts by now: that it was
    never applied was found out already, and of the one made since it says nothing (rules 10, 28). After a step of the
    clock (rule 29) the answer to that very one is not told from it, and is doubt."""
    return movement.attempts <= 1 and movement.asked_at is not None and fact.began < movement.asked_at


def _first_no(outcome: Declined) -> Declined:
    """A no to the only attempt is a no; what speaks of us is said as our own (rule 4)."""
    if outcome.reason is Reason.BAD_SIGNATURE:
        return Declined(reason=Reason.UNSUPPORTED, message="the wallet does not accept our key")
    if outcome.reason is Reason.INVALID_REQUEST:
        return replace(outcome, message=outcome.message or "the wallet cannot take this request")
    return outcome


def _judge_rollback(
    movement: Movement, wallet: Wallet, outcome: Declined, fact: Fact, moment: Moment, *, first: bool,
    target: Movement | None,
) -> Decision:  # fmt: skip
    reason = outcome.reason
    if reason is Reason.TRANSACTION_NOT_FOUND:
        return outcome if _never_applied(movement, wallet, target, fact, moment) else None
    if reason is Reason.ALREADY_ROLLED_BACK:
        return outcome if first else _done_before(outcome)
    if reason is Reason.DUPLICATE_MISMATCH and not (first or _in_parts_before(movement)):
        return _done_before(outcome)
    if reason is Reason.ALREADY_SETTLED and (first or outcome.replayed or again(movement, wallet) == "safe"):
        return outcome
    return None


def _done_before(outcome: Declined) -> Accepted:
    """Our own repeated rollback met the first one (rule 5)."""
    return Accepted(
        balance=outcome.balance, bonus=outcome.bonus, currency=outcome.currency, wallet_id=outcome.wallet_id
    )


def said_of_either_end(movement: Movement, wallet: Wallet, *, both: bool) -> bool:
    """Whether a wallet that has one word for both ends of a bet said it where `both` may have reached it, or where the journal
    may have forgotten the other one: it did this one before, or does not do it because of that one (rules 5, 30)."""
    fact = movement.fact
    if fact is None or fact.query or not (movement.undoes or movement.kind is Kind.CREDIT):
        return False
    if not both and movement.forgot_at is None:
        return False
    before = isinstance(fact.outcome, Accepted) and fact.outcome.replayed
    return before and wallet.dialect.as_wallet.ended_by is not None


def id_was_used(movement: Movement) -> bool:
    """A rollback or a credit whose only attempt met another movement under its id: asked again it would look done
    (rules 3, 5)."""
    fact = movement.fact
    if fact is None or fact.query or not (movement.undoes or movement.kind is Kind.CREDIT):
        return False
    only = movement.attempts <= 1 and movement.forgot_at is None
    mismatch = isinstance(fact.outcome, Declined) and fact.outcome.reason is Reason.DUPLICATE_MISMATCH
    return mismatch and (only or _in_parts_before(movement))


def _in_parts_before(refund: Movement) -> bool:
    """A round's refund that the journal may have forgotten: what its wallet has under its id may be the first of its parts
    (rules 16, 30). *One of two bets had been given back and the other refused; after the restored copy that was done.*"""
    act = refund.tx.act
    by_round = isinstance(act, Rollback) and act.scope == "round" and not refund.target
    return by_round and refund.forgot_at is not None


def _never_applied(
    movement: Movement, wallet: Wallet, target: Movement | None, fact: Fact, moment: Moment
) -> bool:  # fmt: skip
    """Whether a wallet's `transaction_not_found` to a rollback is final (rules 6, 10). What it names and the journal
    forgot may still have been queued at the moment of that word (rule 30)."""
    if target is None:
        ago, forgot_at = moment.passed(fact.began), movement.forgot_at
        arrived = forgot_at is None or moment.in_flight(forgot_at) - ago >= wallet.in_flight_max
        return wallet.buries or arrived
    if target.state is State.ACCEPTED and target.attempts:
        # This very wallet accepted it: it contradicts itself, perhaps for a moment only. Of nothing there may be no memory.
        return _of_nothing(target.tx.act)
    if target.attempts and not _surely_remembered(target, wallet, moment):
        return False  # it may have forgotten what it applied (rule 14)
    return wallet.buries or target.decided or landed(target, wallet, moment, moment.passed(fact.began))


def _of_nothing(act: Act) -> bool:
    """Whether it moved zero: a wallet that knows no such movement took it for the end of its round."""
    moved = amounts(act)
    return bool(moved) and not any(amount is None or amount for amount in moved)


def beyond_memory(rollback: Movement, target: Movement | None, wallet: Wallet, moment: Moment) -> bool:
    """A wallet that says that there is nothing to undo, or says yes to that, too, of what it took so long ago that it may have
    forgotten it: no later asking can tell more (rules 6, 14)."""
    return _tells_nothing(rollback, target, wallet) and target is not None and not remembered(target, wallet, moment)


def undated(rollback: Movement, target: Movement | None, wallet: Wallet, moment: Moment) -> bool:
    """A yes that its wallet says to that of nothing, too, where the steps of a clock hide whether it still remembers what it
    took (rules 14, 29)."""
    said = rollback.fact is not None and isinstance(rollback.fact.outcome, Accepted)
    nothing = said and _tells_nothing(rollback, target, wallet)
    return nothing and target is not None and not _surely_remembered(target, wallet, moment)


def _tells_nothing(rollback: Movement, target: Movement | None, wallet: Wallet) -> bool:
    """Whether its wallet said, to a rollback of what it may have taken, what it says of whatever it does not know."""
    fact = rollback.fact
    if fact is None or fact.query or target is None or not rollback.undoes:
        return False
    if not target.attempts or target.state is State.DECLINED:
        return False
    if isinstance(fact.outcome, Accepted):
        return wallet.dialect.as_wallet.yes_to_unknown and not _of_nothing(target.tx.act)
    return fact.outcome.reason is Reason.TRANSACTION_NOT_FOUND


def _judge_query(movement: Movement, wallet: Wallet, fact: Fact, moment: Moment, target: Movement | None) -> Decision:
    """The answer to a status query is the wallet's first decision: a no is judged as one to the first
    attempt. See also `unseen`."""
    outcome = fact.outcome
    if isinstance(outcome, Accepted):
        return replace(outcome, replayed=False)
    if not outcome.replayed:
        return None
    said = replace(outcome, replayed=False)
    if movement.undoes:
        return _judge_rollback(movement, wallet, said, fact, moment, first=True, target=target)
    return said if any_no(movement.tx.act) else None


def stands_for_cancel(movement: Movement, target: Movement | None) -> bool:
    """A release of a reserve whose provider has heard that it is undone, or that the gateway gives back by itself: it is owed
    as a cancel is (rules 11, 12, 15)."""
    if movement.kind is not Kind.RELEASE or target is None or target.undone_by != movement.key:
        return False
    return movement.ours or (target.told == State.DECLINED.value and target.state is not State.DECLINED)


def denied(movement: Movement) -> bool:
    """Whether its wallet, asked about it, did not know it just now: final or not."""
    fact = movement.fact
    if fact is None or not fact.query or not isinstance(fact.outcome, Declined) or fact.outcome.replayed:
        return False
    return fact.outcome.reason is Reason.TRANSACTION_NOT_FOUND


def refused_again(movement: Movement, wallet: Wallet) -> bool:
    """A wallet that looks for what it applied said a plain no to a later asking of what may be refused: it has not applied it,
    and of an earlier attempt that is still queued that says nothing (rule 14)."""
    fact = movement.fact
    if fact is None or fact.query or not isinstance(fact.outcome, Declined) or movement.undoes:
        return False
    if _perhaps_gone_by_it(movement, wallet, fact.outcome):
        return False
    looks_first = again(movement, wallet) == "applied" and movement.forgot_at is None
    return looks_first and any_no(movement.tx.act) and fact.outcome.reason not in _NO_BUSINESS


def session_refused(movement: Movement, wallet: Wallet) -> bool:
    """Whether the wallet did not take the session of what is owed, and is to be shown the part of the key that stands in a
    session's place (rule 22): with that attempt nothing moved, and no wallet that said so has it in flight."""
    fact = movement.fact
    if fact is None or fact.query or not isinstance(fact.outcome, Declined) or not movement.owes:
        return False
    return fact.outcome.reason in NO_SESSION and wallet.dialect.auth.holds_stand_in(wallet.keys)


def refused_at_once(movement: Movement, wallet: Wallet) -> bool:
    """Whether the only asking of what is owed was answered by a plain no, so that nothing of it moved and nothing is on its
    way: that is kept for a wallet which says in one word that it has a win already and that the bet had its end, and where the
    session was refused."""
    fact, kept = movement.fact, wallet.dialect.as_wallet.one_win or session_refused(movement, wallet)
    if not kept or fact is None or fact.query or not isinstance(fact.outcome, Declined):
        return False
    only = movement.attempts == 1 and movement.forgot_at is None
    return movement.owes and only and not _of_before(movement, fact)


def no_stays(movement: Movement, wallet: Wallet) -> bool:
    """Whether its wallet's no, though no decision, is to be known at the next asking."""
    return (
        refused_again(movement, wallet) or refused_at_once(movement, wallet) or session_refused(movement, wallet)
    )  # fmt: skip


def unseen(movement: Movement, wallet: Wallet, moment: Moment, *, owed: bool = False) -> bool:
    """A wallet that does not know the id, asked after everything in flight has landed (rule 10), or that
    declined what is owed (`owed`: whatever it is): either way nothing moved, and the next attempt is a first one."""
    fact = movement.fact
    if fact is None or not fact.query or not isinstance(fact.outcome, Declined):
        return False
    if fact.outcome.replayed:
        return owed or not any_no(movement.tx.act)
    since = moment.passed(fact.began)
    return denied(movement) and landed(movement, wallet, moment, since) and _surely_remembered(movement, wallet, moment)
