"""Rollbacks, captures and releases: what the journal decides, and what is waited for first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest

from msgspec.structs import replace

from gateway.dialect import Dialect
from gateway.ends import Kept
from gateway.engine.case import Case, Decide, First, Leave, Move, Query, Split, Tell, Wait
from gateway.engine.judge import unseen
from gateway.engine.memory import may_have_paid, may_mean_forgotten
from gateway.engine.movement import Event, Movement, Step, clocked_again, restored, what_moved
from gateway.engine.parts import PART, UNDONE, by_round, by_stake, gone, refunds, together, undoing_of
from gateway.engine.states import State
from gateway.engine.words import NOTHING, moves_nothing
from gateway.model import (
    Accepted,
    Act,
    Capture,
    Declined,
    Flaw,
    Kind,
    Reason,
    Release,
    Rollback,
    Settle,
    Transaction,
    Unknown,
)


def undoes_all(tx: Transaction, target: Movement | None) -> bool:
    """A rollback of all of it is a cancel (rule 11), also where partial ones are known."""
    whole = target.whole_amount if target is not None else None
    asked = tx.act.amount if isinstance(tx.act, Rollback) else None
    return asked is None or (whole is not None and asked >= whole)


def claims(own: Movement, target: Movement, dialect: Dialect, *, free: bool, rest: Decimal | None = None) -> bool:
    """Whether it takes its target for itself, so that the target knows of it. `free`: nobody else has it. `rest`: see
    `undoes_whole`."""
    if own.decided and not gone(own):
        return False
    if own.kind is Kind.RELEASE:  # of what is held it is only a word; of what is in doubt it is a cancel (rule 11)
        return free and (own.ours or not target.decided)
    return own.undoes and free and undoes_whole(own, target, dialect, rest)


def undoes_whole(own: Movement, target: Movement, dialect: Dialect | None, rest: Decimal | None = None) -> bool:
    """Whether nothing of its target is left once it is done. `dialect` None: its provider is not configured any more. `rest`:
    what is left of it, where the one rollback that its page knows was undone in part.

    *Four of a refund of ten were taken back, three were refunded, and the last one stayed taken for ever.*
    """
    if rest is not None and isinstance(own.tx.act, Rollback) and own.tx.act.amount is not None:
        return own.ours or own.tx.act.amount >= rest
    several = dialect is None or dialect.as_provider.partial
    return own.ours or not several or undoes_all(own.tx, target)


def leaves_some(own: Movement, target: Movement) -> bool:
    """Whether the rollback of a part leaves something of its target, also where its page knows no other: what it names is not
    rolled back by it (rule 17)."""
    whole, asked = target.whole_amount, own.tx.act.amount if isinstance(own.tx.act, Rollback) else None
    if whole is None or asked is None or own.state is State.DECLINED:
        return False
    return asked < whole and NOTHING < what_moved(own, whole) < whole


def turned(
    own: Movement, target: Movement | None, chain: Sequence[Movement | None], dialect: Dialect | None
) -> list[tuple[Movement, Movement]]:
    """What an accepted rollback turns of the `chain` below its target, of which each undoes the next, as it was and as it is
    from now on: the first stands again, the second is undone again with it, and so on by turns.

    *A cancel's undoing was itself undone and that undone, too: the bet stood, and counted as undone.*
    """
    found = []
    for beyond, further in zip_longest(chain[::2], chain[1::2]):
        stands = _stands_again(own, target, beyond)
        if stands is None or beyond is None:
            break
        found.append((beyond, stands))
        fallen = _falls_again(stands, further, dialect)
        found += [(further, fallen)] if further is not None and fallen is not None else []
        own, target = stands, further
    return found


def turns_told(by: str, turns: Sequence[tuple[Movement, Movement]], at: datetime) -> list[tuple[str, Step]]:
    """For the stories of what a rollback turned. `by`: its key."""
    return [
        (m.key, Step(at, Event.CLAIMED, m.undone_by) if m.undone_by else Step(at, Event.RELEASED, by)) for _, m in turns
    ]


def _stands_again(own: Movement, target: Movement | None, beyond: Movement | None) -> Movement | None:
    """What the target of an accepted rollback had undone: free again, and a bet of its round as before (rules 11, 16).

    *A bet whose cancel was undone counted as undone: its round's refund left it out, and another bet in doubt was taken
    for the only one of the round.* No clock runs for it where its provider has said that it stands; where its declined
    batch says so, doubt is still the last word about it (rule 12).
    """
    if own.state is not State.ACCEPTED or target is None or not target.undoes or beyond is None:
        return None
    if beyond.state is not State.ACCEPTED or beyond.undone_by != target.key:
        return None
    again = replace(beyond, undone_by="", due_at=None)
    return clocked_again(again, own.decided_at) if own.ours and own.decided_at is not None else restored(again)


def _falls_again(stands: Movement | None, further: Movement | None, dialect: Dialect | None) -> Movement | None:
    """What a rollback that stands again undoes: undone again, with it, but for a part of it (rules 15, 17).

    *A bet's cancel was undone and that undoing undone, too: the bet's next cancel was put to its wallet, which gave the
    stake back a second time.* *A refund of 4.00 of 10.00 stood again, and the other 6.00 were told as given back.*
    """
    if stands is None or not stands.undoes or further is None or not undoes_whole(stands, further, dialect):
        return None
    if further.key != stands.target or further.state is not State.ACCEPTED or further.undone_by:
        return None
    return replace(further, undone_by=stands.key, due_at=None)


def never_asked(case: Case) -> bool:
    """What the wallet was asked, itself or in parts, is brought to its own answer (rule 13). That the journal may
    have forgotten an attempt is a reason to ask with care, not to overlook what it does know (rule 30)."""
    return not case.parts and case.unasked and case.own.fact is None


# ---------------------------------------------------------------- the rules


def forbidden(case: Case) -> Move | None:
    """A rollback that was never sent, and that what the journal knows forbids.

    Move: Decide with that reason; Leave, Query or Tell doubt, while a win keeps its bet in doubt
    A rollback of another player's movement, of what was definitely declined, of more than is left or in
    another currency is decided by what the journal knows; no wallet is to give anybody that money. So is the cancel of a bet
    that a win named, where its provider's bets come to one end. *A cancel of all of a bet
    in EUR said USD, and its wallet gave USD; a release named another player's hold, and that player was given what was
    held:* whatever means a movement means it in its own currency, and only its own player's. *A win came for
    a bet in doubt and its bet was completed for it, while the cancel that stood before was still to be
    sent: the stake was given back beside its win.* So a win that ties to a bet in doubt stops the cancel as long as no byte
    of it left and its provider has not heard success: of the cancel, or that the bet is rolled back. The cancel's own
    call hears doubt meanwhile: nobody knows yet whether the bet stands; and nobody who comes by decides it before that. *After a
    restored backup a cancel that had been sent heard `already_settled`:* of one that may have been, its wallet is asked,
    whatever came for its bet or after it.
    Where the page says that a bet with a win stays, its rollback waits until that win is definite; so it does, where only the
    last bet of a round may be undone, for what came after it.
    *A batch's giving back waited for the cancel of its bet, the cancel was told that the bet stands, and then it was given
    back:* what stands by itself is given back with no batch.
    *A win was paid, its bet cancelled afterwards, and the stake was given back beside it:* where a page says so, it stands.
    *The win was being taken back, which its wallet then refused, and the stake was given back beside it:* that is waited for.
    *A bet in doubt had been told as rolled back, turned out to be taken, and stood for its win, which was paid:* nothing keeps a
    bet whose provider has heard success, either, and its cancel goes before the win.
    Where a page says so, what names a movement that it cannot mean is refused, too.
    *The undoing of a bet's cancel was itself undone after the bet had been cancelled anew: its stake was given back twice.* What
    makes a rollback stand again gives back no more than is left of what that undid.
    *A cancel's answer, that the bet was won, was lost; asked again, its wallet's one word for both was taken for its yes:* at
    such a wallet a win in doubt is brought to its end first, and its cancel is then decided by what became of it.
    *The win of a bet in doubt that had been told as rolled back may have been sent before the journal forgot it: the cancel waited
    for the win, the win for its bet, and that for the cancel:* there the cancel goes first.
    A cancel that says its bet by round and amount means nobody's where no open one has them: it waits for the one that comes.
    Serves: 5, 11, 15, 16, 17, 19, 30
    """
    own, act = case.own, case.own.tx.act
    if isinstance(act, Capture | Release) and never_asked(case):
        return not_its_own(case)
    if not isinstance(act, Rollback) or not (never_asked(case) or held_back(case)):
        return None
    if _has_won(case):
        if case.round_won is not None and case.round_won.undone_by:
            return Leave(own.open_state, "the win of its round is being taken back")
        perhaps = _perhaps_sent(case, WON) if case.only_feared else None
        return perhaps or _no(Reason.ALREADY_SETTLED, WON)
    target = case.target
    if target is None and by_stake(case.provider.dialect, own):
        if may_mean_forgotten(case):
            return Leave(State.PERSON, "the journal may have forgotten the bet that it means")
        return _no(Reason.TRANSACTION_NOT_FOUND, "no open bet of its round has this amount")
    if target is None:
        return not_its_own(case)
    if target.state is State.DECLINED:
        return _undone_in_doubt(case) or _no(Reason.TRANSACTION_NOT_FOUND, "that movement was declined")
    if stopped(case):
        if case.overtakes:
            return Tell(Unknown(detail=STOPPED))
        perhaps = _perhaps_sent(case, STOPPED) if case.only_feared else None
        if perhaps is not None or case.waits:
            return perhaps or Leave(own.open_state, STOPPED)
        return _no(Reason.ALREADY_SETTLED, STOPPED)
    if own.ours and own.batch and not target.atomic:
        return _no(Reason.ALREADY_SETTLED, "its provider was told that it stands")
    if (won_there := _won_there(case, target)) is not None:
        return won_there
    stands = _stands(case, target)
    if stands and target.kind is Kind.SETTLE and case.provider.kept_by is Kept.LATER and not own.ours:
        return _no(Reason.ALREADY_SETTLED, "it was a bet and its win")
    win = case.around.standing_win if stands else None
    first = win if win is not None and not win.decided else case.around.win_undoer
    if win is not None and first is None:
        kept = "its bet has a win" if win.kind is Kind.CREDIT else "it is not the last of its round"
        perhaps = _perhaps_sent(case, kept) if case.only_feared else None
        return perhaps or _no(Reason.ALREADY_SETTLED, kept)
    if win is not None and first is not None:
        return First(first) if first.key not in case.tried else Leave(own.open_state, "the win of its bet is in doubt")
    return not_its_own(case) or _another_amount(case, target, act) or _too_much(case, target, act)


def _won_there(case: Case, target: Movement) -> Move | None:
    """Its wallet was told a win as the end of the bet, and has the same word for that end and for a cancel that was done."""
    own = case.own
    wins = [m for m in case.around.ends if not (m.undoes or _waits_for_it(m, target, own))]
    first = next((win for win in wins if not win.decided), None)
    if first is not None:
        return First(first) if first.key not in case.tried else Leave(own.open_state, "the win of its bet is in doubt")
    if not wins:
        return None
    if own.ours or told_undone(target, own) or any(win.undone_by for win in wins):
        return Leave(State.PERSON, "its wallet ended that bet with its win")
    perhaps = _perhaps_sent(case, "its bet has a win") if case.only_feared else None
    return perhaps or _no(Reason.ALREADY_SETTLED, "its bet has a win")


def _waits_for_it(win: Movement, bet: Movement, cancel: Movement) -> bool:
    """Whether a win of which nothing was sent, but for what the journal may have forgotten, waits for its bet in doubt, and that
    for its cancel, which no win stops any more (rules 11, 30)."""
    return not (win.decided or win.sent or bet.decided) and told_undone(bet, cancel)


def _undone_in_doubt(case: Case) -> Move | None:
    """What it names was in doubt, and is declined because another rollback of it gave it back. *A second cancel of such a
    bet heard that there is none, the first one that it is done.*"""
    first = case.claimer
    if first is None or first.ours or first.key == case.own.key or first.state is not State.ACCEPTED or first.undone_by:
        return None
    return Decide(_after(first, case.own))


def not_its_own(case: Case) -> Move | None:
    """What it names is another player's, of another kind, or was in another currency."""
    if case.target is None:
        page = case.provider.dialect.as_provider.misnamed
        if page is not None and case.around.misnamed:
            return _no(page, "what it names is no movement of that kind")
        strange = case.around.stranger is True
        return _no(Reason.TRANSACTION_NOT_FOUND, "that movement is another player's") if strange else None
    asked, was = case.own.tx.currency, case.target.tx.currency
    if asked and was and asked != was:
        return _no(Reason.CURRENCY_MISMATCH, f"that movement was in {was}")
    return None


STOPPED = "a win came for this bet"


def stopped(case: Case) -> bool:
    """Whether a win stops this cancel as long as no byte of it left (rule 11)."""
    own, target = case.own, case.target if case.own.undoes else None
    if target is None or target.decided or case.parts:
        return False
    return not told_undone(target, own) and case.target_won


def told_undone(bet: Movement, cancel: Movement) -> bool:
    """Whether their provider heard that the bet is rolled back, of the one or of the other: nothing stops that cancel then, nor
    keeps the bet (rule 11)."""
    return cancel.told == State.ACCEPTED.value or bet.told == State.DECLINED.value


WON = "the round has a win"


def _has_won(case: Case) -> bool:
    """Whether it is the refund of a round that has a win."""
    return by_round(case.provider.dialect, case.own.tx.act) and not case.own.parent and case.round_won is not None


def _stands(case: Case, target: Movement) -> bool:
    """Whether a bet stands that something may keep."""
    free = target.undone_by in ("", case.own.key) and not told_undone(target, case.own)
    return target.state is State.ACCEPTED and free


def held_back(case: Case) -> bool:
    """Whether a cancel that may have been asked before the journal forgot it is not sent, whatever its wallet says of it: a win
    stops it, or its bet stays (rule 30)."""
    if not case.own.undoes or not case.only_feared:
        return False
    target = case.target
    if target is None or _has_won(case):
        return _has_won(case)
    return stopped(case) or (case.around.standing_win is not None and _stands(case, target))


def _perhaps_sent(case: Case, why: str) -> Move | None:
    """Such a cancel: whether it was asked, its wallet says where it can be asked and still remembers it, else a person, as of
    what was put to it in parts. None: it was not."""
    own = case.own
    if may_mean_forgotten(case):
        return Leave(State.PERSON, f"the journal forgot whether this refund was asked, and {why}")
    if case.way is not None and unseen(own, case.wallet, case.moment):
        return None
    if case.way is None or not case.can_query or not case.remembered:
        return Leave(State.PERSON, f"the journal forgot whether this cancel was asked, and {why}")
    asked = own.fact is not None or case.turn or not case.may_act or case.air_of(own.key).requests
    return Leave(own.open_state, why) if asked else Query()


def _another_amount(case: Case, target: Movement, act: Rollback) -> Move | None:
    """Another amount than that of what is undone as a whole, where the page says so."""
    whole = target.whole_amount
    if (
        target.kind not in case.provider.dialect.as_provider.whole_only
        or None in (act.amount, whole)
        or act.amount == whole
    ):
        return None
    return _no(Reason.DUPLICATE_MISMATCH, "not the amount of that movement")


def _too_much(case: Case, target: Movement, act: Rollback) -> Move | None:
    """*While a part was under way, a refund of the rest of it was told that it is more than is left:* it waits for that."""
    whole = target.whole_amount
    if whole is None:
        return None
    given = _given_back(case, target)
    room = case.room(surely=True)
    if given >= whole > 0 or (room is not None and room <= 0):
        return _no(Reason.ALREADY_ROLLED_BACK, "nothing is left of that movement")
    if act.amount is None or moves_nothing(target.tx):
        return None  # of what moved nothing nothing is given back, whatever is asked
    left = whole - given if room is None else min(whole - given, room)
    if case.provider.dialect.as_provider.excess == "refuse" and act.amount > left:
        message = "more than is left of that movement"
        return Decide(Declined(reason=Reason.INVALID_REQUEST, message=message, field="amount", flaw=Flaw.TOO_HIGH))
    return None


def _given_back(case: Case, target: Movement) -> Decimal:
    """What was given back for certain. *A cancel that had not left was told that nothing was left, because of a second
    one that waited for it:* of one that is open, or is itself to be undone, nobody knows, and this one waits for it."""
    before = case.earlier if case.in_parts(target) else []
    return sum((case.given(m, target.whole_amount)[0] for m in before), NOTHING)


def another_rollback(case: Case) -> Move | None:
    """Another rollback of the same movement came before this one, which was never sent.

    Move: Decide where that one is done, Wait or Leave owed while it is under way
    Two rollbacks of one movement under two ids give it back once. *The first was declined without
    undoing anything and the second waited for it for ever:* then the second is brought in its place; and one that was
    itself undone leaves the movement to be undone again. *The undoing of the first was in doubt, the second was told that
    it was done, and then the bet stood:* it waits for that, too. *The journal had forgotten that undoing, and the second was
    told the same:* then its wallet is asked. *Four of ten were refunded, then the rest, then the four were taken back, and
    their next refund was told as done:* so long as something is left, it is given back. *A refund of nine was cut to the six
    that were left, and its answer lost; then the first four were taken back, it was asked again for nine, and six of them
    counted as nine:* while a rollback of a part may have left, what is left of its target stays. The gateway's own is one
    that its provider joins.
    Serves: 11, 12, 15, 17, 30
    """
    own, target = case.own, case.target if case.own.undoes else None
    if target is None or not never_asked(case):
        return None
    if _waits_for_others(case, target):
        return Leave(own.open_state, "another rollback of it is under way")
    if any(m.sent and not m.decided and m.key != target.key for m in case.around.aside):
        return Leave(own.open_state, "another rollback of what that one undoes is under way")
    if target.undone_by in ("", own.key):
        return None
    first = case.claimer
    if first is None or case.around.unclaimed is True or (first.decided and not gone(first)):
        return None
    if first.decided and case.around.unclaiming is True:
        return Leave(own.open_state, "the rollback before it is being undone")
    if first.decided and own.forgot_at is not None and case.provider.dialect.as_provider.undoes_rollbacks:
        return None
    if first.decided and case.provider.dialect.as_provider.partial and case.left_of(target):
        return None
    if first.decided:
        return Decide(_after(first, own))
    if case.provider.dialect.as_provider.partial:
        return None
    if case.patient and case.air_of(first.key).requests and first.key not in case.tried:
        return Wait(first.key, case.left)
    return Leave(own.open_state, "another rollback of it is under way")


def _waits_for_others(case: Case, target: Movement) -> bool:
    """Whether what others may still move, those that were sent or came first, leaves too little for this one (rule 17)."""
    whole, act = target.whole_amount, case.own.tx.act
    if whole is None or not isinstance(act, Rollback) or not case.in_parts(target) or case.others_known(target):
        return False
    return (whole if act.amount is None else act.amount) + case.undone(target) > whole


def _after(first: Movement, own: Movement) -> Accepted | Declined:
    """What a second rollback hears when the first is done: of the gateway's own, which it joins, no more than it asks for.

    *A refund of 5.62 joined the gateway's own of all that was taken, and was told as one of 5.63.*
    """
    outcome = first.outcome
    if isinstance(outcome, Accepted) and first.ours:
        asked = own.tx.act.amount if isinstance(own.tx.act, Rollback) else None
        moved = min(asked, outcome.moved) if asked is not None and outcome.moved is not None else outcome.moved
        return replace(outcome, balance=None, bonus=None, replayed=False, moved=moved)
    made = outcome.wallet_id if outcome is not None else ""
    return Declined(reason=Reason.ALREADY_ROLLED_BACK, message="rolled back before", wallet_id=made)


def undone_before(case: Case, yes: Accepted) -> Accepted | Declined:
    """What a yes means to a rollback that was asked only because the journal may have forgotten it (rule 30): some
    wallets call the rollback of one bet always the same, so where others that stand left nothing of it, theirs. Some say it to
    that of nothing, also where it was asked as a first attempt, because nothing of it had arrived before."""
    own, target, dialect = case.own, case.target, case.provider.dialect
    if target is None or (own.forgot_at is None and not case.wallet.dialect.as_wallet.yes_to_unknown):
        return yes
    others = [m for m in case.rollbacks if m.key != own.key and m.state is State.ACCEPTED]
    others = [m for m in others if not m.undone_by and not m.ours]  # our own one is that which its provider joins
    if not others:
        return yes
    given = sum((case.given(m, target.whole_amount)[1] for m in others), NOTHING)
    if dialect.as_provider.partial and (target.whole_amount is None or given < target.whole_amount):
        return yes
    return replace(_after(others[0], own), balance=yes.balance, bonus=yes.bonus, currency=yes.currency)


def with_amount(case: Case, outcome: Accepted | Declined) -> Accepted | Declined:
    """A part of a round's refund says what it moved: the refund is their sum (rule 16). So does a rollback of all that was
    left, or of more: what is taken back of it is compared with that, and nothing more is counted (rule 17)."""
    whole, target = case.around.whole, case.around.target if case.own.undoes else None
    if not isinstance(outcome, Accepted) or outcome.moved is not None or not isinstance(target, Movement):
        return outcome
    if isinstance(whole, Movement) and undoes_round(whole):
        return replace(outcome, moved=target.whole_amount)
    return replace(outcome, moved=_rest(case, target))


def _rest(case: Case, target: Movement) -> Decimal | None:
    """What was left of its target, where it can have moved no more than that. Of others that are under way nobody knows, but
    where it was told no more than that (`cut`)."""
    act, left, page = case.own.tx.act, case.left_of(target), case.provider.dialect.as_provider
    if not isinstance(act, Rollback) or left is None:
        return None
    known = case.others_known(target)
    if act.amount is not None:
        return left if act.amount > left and (known or page.excess == "cut") else None
    return left if known and (page.partial or left != target.whole_amount) else None


def undoes_round(movement: Movement) -> bool:
    """Whether it is a round's refund: it may have thousands of parts, and is looked at by itself, not after each of them."""
    act = movement.tx.act
    return isinstance(act, Rollback) and act.scope == "round"


def nothing_was_sent(case: Case) -> Move | None:
    """A rollback of what was accepted without a wallet.

    Move: Decide accepted, nothing moved; Leave it to a person where it moved something all the same
    A free bet that the wallet cannot be told was answered by a balance: nothing moved there, so nothing
    is undone there. A split settle was not sent either, but its parts were. *A win that no wallet could be told was paid by
    hand, and its cancel was told as done, as was the undoing of a cancel that had joined the gateway's own rollback: both
    moved nothing, and both were believed.*
    Serves: 12, 18, 20
    """
    target = case.target if case.own.undoes else None
    if target is None or not never_asked(case) or target.attempts or target.state is not State.ACCEPTED or case.legs:
        return None
    moved = target.outcome.moved if isinstance(target.outcome, Accepted) else None
    if not moves_nothing(target.tx) and moved != NOTHING:
        return Leave(State.PERSON, "what it undoes was brought about without a call of its own to the wallet")
    return Decide(Accepted(moved=NOTHING, currency=target.tx.currency))


def target_unsent(case: Case) -> Move | None:
    """A rollback, capture or release whose target never left us.

    Move: First: the target, which is declined
    *The wallet was asked to roll back a bet that it had never been sent, said that it did not know it,
    and the bet was sent after all.* No wallet need be asked.
    Serves: 10, 11
    """
    target = _open_target(case)
    if target is None or target.attempts or case.air_of(target.key).requests or target.key in case.tried:
        return None
    return First(target) if not case.legs else None


def target_in_doubt(case: Case) -> Move | None:
    """The same, while its target is in doubt and a late request would not be refused.

    Move: First: the target, which is waited for or queried; else Leave owed
    *A cancel was sent while its bet was still queued: the wallet did not know it, said so, and took
    the bet afterwards.* A wallet that remembers rollbacks of what it never saw, by the id, is told at once; from any
    other one nothing may be on its way any more. What may have left already is brought to its answer.
    Serves: 10, 11, 15
    """
    target, own = _open_target(case), case.own
    if target is None or case.legs or not never_asked(case) or (case.wallet.buries and own.undoes):
        return None
    if target.key not in case.tried:
        return First(target)
    return None if case.landed(target) else Leave(own.open_state, "its bet is in doubt")


def _open_target(case: Case) -> Movement | None:
    if case.own.kind not in (Kind.ROLLBACK, Kind.CAPTURE, Kind.RELEASE):
        return None
    target = case.target
    return target if target is not None and not target.decided else None


# ---------------------------------------------------------------- of what is more than one


def undo_legs(case: Case) -> Move | None:
    """A rollback of a settle that was split.

    Move: Split, First, Decide or Leave
    The credit is undone first, then the debit; the undoing of such a rollback cannot be said, and is a person's. *The journal
    forgot that a settle's win was paid, and its cancel gave the stake back beside it and was told as done:* where that may be
    it is a person's, too. *A person
    said that the win stays, and the stake was given back beside it:* what cannot be undone is not undone by half. *A cancel
    of 3.00 of it undid all of it:* no wallet that was told two movements can be told a part of their sum. *A cancel was read while the debit was in the air, took
    the list of legs before the credit was there, and the win stayed:* the settle sends no further leg
    once its cancel was read, and the list is read again after each.
    Serves: 11, 17, 18, 30
    """
    own = case.own
    if not own.undoes or case.target is None or not case.legs:
        return None
    if case.target.undoes:
        return Leave(State.PERSON, "a rollback that was several movements cannot be undone as one")
    if not case.parts and _part_of_settle(
        own.tx.act, case.target.tx.act, partial=case.provider.dialect.as_provider.partial
    ):
        return Leave(State.PERSON, "a part of what was several movements cannot be undone")
    if not case.parts and may_have_paid(case.target, case.legs):
        return Leave(State.PERSON, "the journal may have forgotten that its win was paid")
    for leg in sorted((leg for leg in case.legs if not leg.undoes), key=lambda leg: leg.kind is not Kind.CREDIT):
        begun = next((part for part in case.parts if part.target == leg.key), None)
        if begun is not None and not begun.decided:
            return going_on(case, begun, "")
        if begun is not None and begun.decided and not gone(begun):
            return _undone(case)
        if begun is None and leg.state is not State.DECLINED:
            return Split((undoing_of(own, leg, PART, f"{own.tx.id}:{leg.kind.value}"),))
    if not case.parts:
        return _no(Reason.TRANSACTION_NOT_FOUND, "that movement was declined")
    return _undone(case)


def _part_of_settle(act: Act, whole: Act, *, partial: bool) -> bool:
    """Whether less, or more, is asked for than all that a settle moved together. Whose dialect knows no parts may say it
    by its stake or its win."""
    asked = act.amount if isinstance(act, Rollback) else None
    if asked is None or not isinstance(whole, Settle):
        return False
    return asked != abs(whole.credit - whole.debit) and (partial or asked not in (whole.debit, whole.credit))


def refund_parts(case: Case) -> Move | None:
    """A refund of a round.

    Move: Split, First, Decide or Leave
    One rollback for every open bet of that player and round. *One of two was refused for good and the
    refund was told as done:* a part that is refused for another reason than that it is undone already makes
    the refund that refusal where nothing moved, and a person's where something did. *A bet's own cancel was under way, the
    refund gave back the others and was told as done, and then that cancel was refused:* what undoes a movement of the
    round comes first. *The journal forgot a bet, its refund
    was taken for one of the whole round, and another bet was given back in its stead:* while that may be, no bet of the
    round is touched, and the wallet is asked for the one that it names.
    Serves: 16, 30
    """
    own = case.own
    if own.parent or not by_round(case.provider.dialect, own.tx.act) or case.target is not None:
        return None
    bets = [bet for bet in case.round_bets if not bet.undone_by]
    if not case.parts and (not case.unasked or may_mean_forgotten(case) or not (bets or case.round_undoing)):
        return None
    todo = refunds(own, bets, case.parts)
    if todo:
        return Split(tuple(todo))
    still = [part for part in case.parts if not part.decided]
    fresh = next((part for part in still if part.key not in case.tried), None)
    if still:
        return going_on(case, fresh or still[0], "")
    if case.round_undoing:
        return Leave(own.open_state, "another rollback of its round is under way")
    return _ended(case)


def _undone(case: Case) -> Move:
    """Of a settle: all of it, which its legs' amounts, that went both ways, do not add up to."""
    move = _ended(case)
    if isinstance(move, Decide) and isinstance(move.outcome, Accepted):
        return Decide(replace(move.outcome, moved=None))
    return move


def _ended(case: Case) -> Move:
    outcome = together(case.parts)
    if outcome is None:
        return Leave(State.PERSON, "a part of it was undone, and another part is refused for good")
    if case.own.ours and isinstance(outcome, Declined) and outcome.reason not in UNDONE:  # it was told as undone
        return Leave(State.PERSON, f"its wallet does not give it back: {outcome.reason.value}")
    return Decide(outcome)


def going_on(case: Case, part: Movement, note: str) -> Move:
    """A part goes on; what it waits for, the whole waits for."""
    if part.key not in case.tried:
        return First(part)
    if part.state is State.PERSON:
        return Leave(State.PERSON, part.note)
    return Leave(case.own.open_state, note or part.note)


def _no(reason: Reason, message: str) -> Decide:
    return Decide(Declined(reason=reason, message=message))
