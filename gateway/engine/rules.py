"""The rules: one ordered list, the first that speaks wins.

A provider's call, a repeat, a win's bet, settlement, the clock of silence, `tx retry`, another node:
all ask this list, with another case. Each rule is pure. Its docstring says when it speaks, what it moves,
why (its history), and which rules of docs/rules.md it serves; docs/rules.md's table is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from gateway.ends import Owed
from gateway.engine.case import Ask, Asked, Case, Decide, First, Leave, Move, Query, Rollback, Split, Tell, Wait
from gateway.engine.complete import says_only_its_bet
from gateway.engine.judge import (
    beyond_memory,
    id_was_used,
    judge,
    refused_again,
    refused_at_once,
    remembered,
    said_of_either_end,
    session_refused,
    stands_for_cancel,
    undated,
    unseen,
)
from gateway.engine.memory import forgotten, journal_forgot, may_be_of_a_part, may_be_of_another_win, may_mean_forgotten
from gateway.engine.movement import UNKNOWN, Movement, by_a_person
from gateway.engine.parts import (
    CREDIT,
    DEBIT,
    UNDO,
    UNDONE,
    giving_back,
    gone,
    halves,
    kept,
    named,
    refused_item,
    stays,
    undoable,
    undoing_of,
)
from gateway.engine.setup import Provider
from gateway.engine.states import State
from gateway.engine.undoing import (
    another_rollback,
    forbidden,
    going_on,
    held_back,
    leaves_some,
    never_asked,
    nothing_was_sent,
    refund_parts,
    target_in_doubt,
    target_unsent,
    told_undone,
    undo_legs,
    undone_before,
)
from gateway.engine.words import AMOUNT_OF_ROLLBACK, NO_NAME, NOTHING, lacking, moves_nothing
from gateway.model import FACTS, Accepted, Declined, Kind, Missing, Outcome, Reason, Refused, Settle, Unknown, any_no

Rule = Callable[[Case], Move | None]
NAMING = (Kind.ROLLBACK, Kind.CAPTURE, Kind.RELEASE)  # what means another movement
UNSENT_GRACE = timedelta(seconds=5)  # for its provider's repeat, before a debit that never left us is declined
POLL_SECONDS = 0.05  # while another process carries a movement
IN_HAND_SECONDS = 0.005  # while another call here sends it, or journals what it heard


def next_move(case: Case) -> Move:
    """The move of the first rule that speaks; the last one always does."""
    for rule in RULES:
        if (move := rule(case)) is not None:
            return move
    raise AssertionError(f"{case.own.key}: no rule speaks")


# ---------------------------------------------------------------- what a call hears


def other_content(case: Case) -> Move | None:
    """A repeat with other content.

    Move: Tell `duplicate_mismatch`, or what became of the first one where the page wants that
    One id, another amount, player, round or reference: it is another movement under a used id, and the
    first decision stands. *The second payout of a bet heard "processed already" where the first had been refused.*
    Serves: 2
    """
    asked, own = case.asked, case.own
    if asked is None or not asked.again:
        return None
    if asked.same(own):
        return None
    if own.kind in case.provider.dialect.as_provider.first_stands:
        open_ = Unknown(detail="the first one is not decided yet")
        return Tell(_heard(case, asked, own.outcome) if own.outcome is not None else open_)
    return Tell(Declined(reason=Reason.DUPLICATE_MISMATCH, message="this id was used for another movement"))


def taken_back(case: Case) -> Move | None:
    """A repeat of what is, or is to be, undone, and its yes was not heard.

    Move: Tell `already_rolled_back`; doubt while that cancel is itself being undone
    From the moment its cancel is read nobody asks for the bet again. An item that its declined batch
    gave back was never accepted by itself, nor was a cancel that it undid; its batch goes on where it stopped. *A bet whose
    cancel was itself undone stood at its wallet, and its repeat heard that it was rolled back.* What one call of it heard
    the others hear, too. *The first call was still open at a slow node when the clock gave its bet back at another, and it was
    told as accepted:* what we give back by ourselves no call is told as standing. *A hold's repeat heard that it was released, its first call then that it is held, and the release
    was refused for a moment: the hold stayed.* *An accepted bet's repeat heard that it is rolled back, which was in no journal, and
    then a win kept the bet:* that it was heard is written down. *Four of a bet's ten were given back, and its repeat heard that it
    is rolled back, while six stayed taken:* a cancel of a part leaves the rest of its bet.
    Serves: 7, 11, 17, 19
    """
    own, asked = case.own, case.asked
    if asked is None or not own.undone_by or own.state is State.DECLINED:
        return None
    undoer = case.undoer
    if undoer is not None and own.told != State.DECLINED.value and leaves_some(undoer, own):
        return None
    ours = undoer is not None and undoer.ours
    if not asked.again and own.told != State.DECLINED.value and not ours:
        return None
    if own.batch and undoer is not None and undoer.batch == own.batch:
        if asked.batch == own.batch:
            return None
        if own.undoes:
            heard = STANDS if undoer.decided else Unknown(detail="its batch was declined")
            return Tell(heard) if undoer.ours else None
    elif own.undoes or own.told == State.ACCEPTED.value or _restored(case):
        return None
    restorer = case.restorer
    if restorer is not None and not restorer.decided:
        return Tell(Unknown(detail="its cancel is being undone")) if own.decided else None
    return Tell(Declined(reason=Reason.ALREADY_ROLLED_BACK, message="its cancel was read"))


def _restored(case: Case) -> bool:
    """Whether the rollback of it was itself undone: it stands."""
    restorer = case.restorer
    return restorer is not None and restorer.state is State.ACCEPTED


def silence_over(case: Case) -> Move | None:
    """Doubt was the last word that its provider heard, and its silence since means that it failed.

    Move: the gateway's own Rollback
    Only where `after_doubt` says so, of whatever takes, in doubt or accepted since. *A stake accepted on
    the repeat was given back by the clock of the first doubt:* what counts is the last word heard, and
    it never runs out while a call of the movement is open. *The clock looked for wins in the bet's round alone:* a
    win that ties to it in whatever round stops it, and so does a credit of its batch. *A hold was captured, then released
    by the clock, and told as rolled back:* its capture stops the clock, too. *Its provider released it, and the clock did it a
    second time, first: the wallet knew nothing to release any more, and the provider's waited for a person:* so does its
    release. *A win stopped a cancel, which was told
    `already_settled`; a person found that the win had never come, and the clock gave the bet back:* its provider had heard
    that it stands.
    Serves: 9, 11, 12
    """
    own = case.own
    if silence_left(case) != timedelta(0) or own.undone_by or case.air_of(own.key).calls or case.won:
        return None
    return Rollback() if not _anothers(case) else None


def silence_left(case: Case) -> timedelta | None:
    """Until silence means failure; None: no clock runs for it."""
    own, after = case.own, case.provider.after_doubt
    if after is None or own.parent or own.ours or not own.takes or own.told != UNKNOWN or own.told_at is None:
        return None
    if own.state not in (State.ASKING, State.DOUBT, State.ACCEPTED) or case.around.given_back:
        return None  # one rollback of ours for one movement, whatever became of it
    if case.around.ended or any(cancel.told == State.DECLINED.value for cancel in case.around.refused):
        return None
    return max(after - case.moment.passed(own.told_at), timedelta(0))


def taken_in_vain(case: Case) -> Move | None:
    """What an atomic batch did, and another item of it was declined; no call asks for it.

    Move: Split: it is undone
    *Settlement found that the second bet of a batch had never arrived, and the first one stood until its provider came
    again, which it never did.* While a call of the batch waits, that call gives it back and says so. *Of two cancels one
    was done and the other refused: the provider heard that nothing had moved, and the bet went on, free.*
    Serves: 19
    """
    own = case.own
    if case.asked is not None or own.state is not State.ACCEPTED or own.undone_by or own.ours or own.parent:
        return None
    if not own.atomic or not own.batch or not undoable(own, case.siblings) or stays(own, case.siblings):
        return None
    return Split((giving_back(own),), given_back=True) if refused_item(case.siblings) is not None else None


def already_decided(case: Case) -> Move | None:
    """It is decided.

    Move: Tell the decision; with nobody asking Leave it, watched while a clock runs for it
    A repeat hears the first decision, and the wallet is not asked. One that was accepted after doubt was told is
    still unresolved where silence would give it back. That a cancel was refused stops that clock only where it was heard.
    *Nobody read it, the clock gave the bet back, and the repeat read the refusal of before:* it hears that its bet is back.
    Serves: 7, 12
    """
    own = case.own
    if not own.decided or own.outcome is None:
        return None
    if case.asked is not None:
        return Tell(_given_back_since(case) or _heard(case, case.asked, own.outcome))
    left = silence_left(case) if not own.undone_by else None
    watched = left is not None and not case.won
    return Leave(own.state, own.note, case.moment.now + left if watched and left is not None else None)


def _given_back_since(case: Case) -> Outcome | None:
    """What the repeat of a refused cancel hears where we gave back what it names; doubt while that is under way."""
    claimer = case.claimer if kept(case.own) else None
    if claimer is None or not claimer.ours or (claimer.decided and not gone(claimer)):
        return None
    return ROLLED_BACK if claimer.decided else Unknown(detail="what it names is being given back")


def _heard(case: Case, asked: Asked, outcome: Accepted | Declined) -> Outcome:
    """The provider asked twice: a replay, whose balance is fetched again where this provider's answers
    show the current one. Who joined the first call hears the very same answer."""
    if not asked.again or asked.joined:
        return outcome
    found = replace(outcome, replayed=True)
    shows = case.provider.dialect.as_provider.replay_balance
    other = shows == "request" and asked.request_id != case.own.tx.request_id
    return replace(found, balance=None) if asked.decided and (shows == "current" or other) else found


# ---------------------------------------------------------------- what the wallet said


def wallet_gone(case: Case) -> Move | None:
    """Its wallet is not in the configuration any more, or its name points elsewhere by now.

    Move: Leave it, with that reason; nothing is sent. What would take and was never sent is Decided declined, and so is
    whatever the journal alone decides
    *A restart with another configuration paid an owed win at the new wallet, too.* The journal knows where each
    wallet was when a movement went there. *A new bet in a round of then stayed in doubt for ever, although no byte of it had
    left, and the next start was refused because of it.* *A settle's cancel had given its debit back and was told as done: the
    settle stayed in doubt, waiting for a wallet that it had nothing to ask.*
    Serves: 4, 18, 23, 25
    """
    if not case.astray or (case.own.fact is not None and isinstance(case.own.fact.outcome, Accepted)):
        return None
    by_journal = next((move for rule in BY_JOURNAL if (move := rule(case)) is not None), None)
    if isinstance(by_journal, Decide) and not _anothers(case):
        return by_journal
    if case.own.takes and never_asked(case) and case.own.forgot_at is None:
        return Decide(Declined(reason=Reason.UNSUPPORTED, message=case.astray))
    return Leave(case.own.open_state, case.astray)


def answered(case: Case) -> Move | None:
    """An attempt or a query said something definite.

    Move: Decide
    What a word means is judged by all attempts there are by now (`engine/judge.py`). A no to the second attempt
    is not a no to the first. *After a restored backup a bet's second cancel was asked, too, and its wallet said yes to
    both: the journal had it given back twice.* *A round's refund was told that there was nothing to give back, because
    its bets were in no journal any more:* that its wallet does not know the one that it names says nothing about those.
    *A wallet says yes to the rollback of what it does not know, too: days later a cancel was told as done, and the stake stayed
    taken:* once it may have forgotten what it took, such a yes is a person's. *The journal had forgotten a win, and at the
    repeat of its bet's cancel the word for both was taken for a yes:* it is a person's. *Our key was refused for a minute, and
    the release that silence had brought about waited for a person, as if the hold were used:* what gives back is owed. *A bet was
    on its way for a second time when its cancel overtook it, and the wallet's one word for "I have it" and "it was rolled back"
    was told as a yes, of a bet that had moved nothing:* it is doubt until the cancel has its answer. *It had it already, at another
    node, and the bet was told as taken all the same:* what its cancel ended was not. *The journal had forgotten a
    bet's first win, its wallet said that it has that, and the second one was told as paid:* where a wallet knows a bet's win by
    the bet, that is a person's. *Four of ten had been refunded, which the journal forgot, and a wallet that knows one rollback of
    a bet said of the refund of the rest that it was done:* where parts may be given back, that says nothing of how much. *A
    win was sent a moment before its bet came, its wallet knew no such bet, and that was told for good; then the bet was taken:* while
    its bet is on its way that is no decision.
    Serves: 4, 5, 6, 10, 14, 15, 16, 17, 28, 30
    """
    own = case.own
    if own.fact is None:
        return None
    if case.way is None or case.astray:
        return Decide(own.fact.outcome) if isinstance(own.fact.outcome, Accepted) else None
    target = case.target if own.kind in NAMING else None
    another = own.undoes and case.undone_by_another
    both = bool(case.around.ends)
    decision = judge(
        own, case.wallet, case.moment, target=target, refusable=case.refusable, another=another, final=case.final_noes,
        both=both,
    )  # fmt: skip
    if decision is None:
        if said_of_either_end(own, case.wallet, both=both):
            return Leave(State.PERSON, "its wallet has one word for this and for the other end of its bet")
        if beyond_memory(own, target, case.wallet, case.moment):
            return Leave(State.PERSON, f"wallet {case.wallet.name} does not remember what it names any more")
        return Leave(State.PERSON, USED) if id_was_used(own) else None
    if _met_its_rollback(case, decision):
        return None
    if may_be_of_another_win(case):
        return Leave(
            State.PERSON, "its wallet has paid a win of that bet, and the journal may have forgotten another win"
        )
    if own.undoes and isinstance(decision, Accepted):
        if may_be_of_a_part(case):
            return Leave(State.PERSON, "the journal may have forgotten that a part of it was given back")
        decision = undone_before(case, decision)
    if isinstance(decision, Declined) and decision.reason is NOT_FOUND and may_mean_forgotten(case):
        return Leave(State.PERSON, "the journal may have forgotten bets of its round")
    refused = isinstance(decision, Declined) and decision.reason not in UNDONE
    used = own.ours and isinstance(decision, Declined) and decision.reason is Reason.ALREADY_SETTLED
    if refused and not used and stands_for_cancel(own, target):
        return None
    if (
        own.ours and own.kind in NAMING and refused and isinstance(decision, Declined)
    ):  # it was told as undone, or will be
        return Leave(State.PERSON, f"its wallet does not give it back: {decision.reason.value}")
    return Decide(decision)


def _met_its_rollback(case: Case, decision: Accepted | Declined) -> bool:
    """Whether a bet that was asked again may have met its own rollback, which came before it, at a wallet that has one word for
    "I have that already" and "that was rolled back". What the rollback hears tells: once that has ended it, nothing moves."""
    own, fact = case.own, case.own.fact
    if fact is None or fact.query or not own.takes or own.attempts <= 1 or not own.undone_by:
        return False
    if case.way is None or not case.way.wallet.dialect.as_wallet.one_word:
        return False
    again = isinstance(fact.outcome, Accepted) and fact.outcome.replayed and isinstance(decision, Accepted)
    undoer = _undoing(case)
    return again and undoer is not None and undoer.sent and (not undoer.decided or gone(undoer))


USED = "its id was used at its wallet for another movement"
NOT_FOUND = Reason.TRANSACTION_NOT_FOUND


def never_applied(case: Case) -> Move | None:
    """The wallet never saw it, and nothing of it is on its way any more.

    Move: Ask as a first attempt where it is wanted and no rollback of it stands; else Decide `already_rolled_back`
    *Settlement looked at the bet alone, found it never applied and declined it; the win beside it was
    then paid:* a win that ties to it is one of the facts.
    Serves: 9, 10
    """
    own = case.own
    if case.way is None:
        return None
    owed = own.kind is Kind.RELEASE and stands_for_cancel(own, case.target)
    if not unseen(own, case.wallet, case.moment, owed=owed) or held_back(case):
        return None
    if own.owes or (case.wanted and not _to_be_undone(case)):
        return Ask(first=not may_mean_forgotten(case)) if case.left and case.met is None else None
    return Decide(NEVER_REACHED)


NEVER_REACHED = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it never reached the wallet")


# ---------------------------------------------------------------- who may go on


def carried_elsewhere(case: Case) -> Move | None:
    """Another process carries it.

    Move: Wait for its lease while the provider waits; else nothing
    A lease that changes hands is doubt, never permission to ask.
    Serves: 24
    """
    if not _anothers(case):
        return None
    if case.patient and case.left > POLL_SECONDS:
        return Wait(case.own.key, POLL_SECONDS, poll=True)
    return Tell(Unknown(detail="another process is asking"))


def _anothers(case: Case) -> bool:
    own = case.own
    if own.owner in ("", case.node) or own.decided:
        return False
    over = own.lease_over
    return not over if over is not None else own.due_at is None or own.due_at > case.moment.now


def came_too_late(case: Case) -> Move | None:
    """A rollback, capture or release named it before it came, and it was never asked.

    Move: Decide `already_rolled_back`; of a rollback `transaction_not_found`
    A cancel may overtake its bet. *A release that overtook its reserve left nothing behind, and the reserve held the
    money without end:* whatever names a movement that nobody has seen is its tombstone. *The journal forgot a bet, then
    came a refund of its round, and the bet's repeat was told that it was rolled back, while the stake stayed taken:* then
    only what names it buries it, or what a person has decided. *A person found no bet for a cancel by round and amount, it
    was told as done, and the bet that it had overtaken was taken.*
    Serves: 11, 15, 30
    """
    tombstone = case.around.tombstone
    if not isinstance(tombstone, Movement) or not (case.only_feared or never_asked(case)):
        return None
    guessed = tombstone.forgot_at is not None and tombstone.reference != case.own.tx.id
    if case.only_feared and guessed and not by_a_person(tombstone):
        return None
    undone = Reason.TRANSACTION_NOT_FOUND if case.own.undoes else Reason.ALREADY_ROLLED_BACK
    return Decide(Declined(reason=undone, message="it was rolled back before it came"))


def round_over(case: Case) -> Move | None:
    """A bet or a win of a round that its provider has said is over, and its page lets none come then.

    Move: Decide `round_closed`
    Its id is new, so it is no repeat of what was before. *The journal had forgotten the bet, the win that ended its round
    came again first, and the bet's repeat was declined while its stake was taken:* then the wallet is asked, as it is
    elsewhere. *The bet that had said that its round was over was cancelled, and the round stayed closed:* what was declined or
    undone has said nothing.
    Serves: 15, 30
    """
    if not case.around.over or not never_asked(case) or case.own.forgot_at is not None:
        return None
    return Decide(Declined(reason=Reason.ROUND_CLOSED, message="its round is over"))


def cancel_stopped(case: Case) -> Move | None:
    """A win ties to a bet whose cancel was never sent.

    Move: First: the cancel, which is declined; then Leave it to its win. Wait for a cancel whose wallet is being asked about it
    *Two truths were told: the cancel heard `already_settled`, and the bet was declined all the same.* The cancel is
    decided by its own rules, with the win among its facts; then the bet is looked at again. *While its wallet was asked whether
    a cancel had come that the journal may have forgotten, the wallet knew nothing of the bet, either: that was declined, and its
    win was paid.*
    Serves: 11, 30
    """
    undoer = case.undoer
    if case.own.decided or undoer is None or not case.won:
        return None
    stoppable, asked = not undoer.decided and not undoer.sent, case.air_of(undoer.key).requests > 0
    if not stoppable or told_undone(case.own, undoer) or (asked and undoer.forgot_at is None):
        return None
    if undoer.key in case.tried or (asked and not case.patient):
        return Leave(case.own.open_state, "a win came for it")
    return Wait(undoer.key, case.left) if asked else First(undoer)


def rollback_stands(case: Case) -> Move | None:
    """A rollback of it, or of the whole that it is a part of, was read.

    Move: Decide where it never left or its rollback has ended; else Wait or Query, never Ask; Leave it to a person
    *A win was asked for a bet whose rollback stood already.* Once its cancel was read a movement is
    never asked again by anybody; what left is waited for or queried. *A cancel that was itself undone before it left
    was declined as done, and the bet's next cancel heard `already_rolled_back`:* it frees its bet. *Four of the ten of a bet in
    doubt were given back, the bet was declined as rolled back, and six stayed taken:* that a part was given back says that it was
    taken, and it is accepted. From a wallet that says yes to that of nothing, too, the yes does not say so: such a bet is queried,
    else a person's.
    Serves: 5, 6, 11, 14, 15, 17, 18
    """
    own = case.own
    undoer = _undoing(case)
    if undoer is None or (own.undoes and not own.undone_by):
        return None
    if undoer.decided and gone(undoer):
        still = next((part for part in case.parts if not part.decided), None) if not own.undoes else None
        if still is not None:
            return going_on(case, still, "")
        if own.undone_by and leaves_some(undoer, own):
            return _taken_by_its_part(case)
        return Decide(STANDS if own.undoes else ROLLED_BACK)
    if undoer.decided:
        return None
    if case.parts:  # a whole follows what undoes it, also to a person
        person = undoer.state is State.PERSON
        return Leave(State.PERSON if person else own.open_state, undoer.note or "its rollback is under way")
    if case.unsent:
        return Decide(STANDS if own.undoes else NEVER_REACHED)
    return _only_asked_about(case, "its rollback is under way")


def _taken_by_its_part(case: Case) -> Move:
    """A movement in doubt of which a part was given back, and something is left."""
    if case.way is None or not case.wallet.dialect.as_wallet.yes_to_unknown:
        return Decide(taken(case.own))
    why = "its wallet gave back a part of it, but says so of what it never took, too"
    return _only_asked_about(case, why) if case.can_query else Leave(State.PERSON, why)


def taken(own: Movement) -> Accepted:
    """What is said of a movement of which a part was given back (rule 17)."""
    return Accepted(currency=own.tx.currency)


STANDS = Declined(reason=Reason.ALREADY_SETTLED, message="this rollback was itself undone")
"""Of a rollback: what it names moves all the same, and may be rolled back again."""
ROLLED_BACK = Declined(reason=Reason.ALREADY_ROLLED_BACK, message="it was rolled back")


def _undoing(case: Case) -> Movement | None:
    """The rollback that stands against it, or against the settle that it is a leg of."""
    if case.own.undone_by:
        return case.undoer if not _restored(case) else None
    whole = case.whole
    return case.whole_undoer if whole is not None and whole.undone_by and not case.own.undoes else None


def _to_be_undone(case: Case) -> bool:
    undoer = _undoing(case)
    return undoer is not None and not (undoer.decided and not gone(undoer))


def _only_asked_about(case: Case, why: str) -> Move:
    air = case.air_of(case.own.key)
    if air.young and case.patient:
        return Wait(case.own.key, air.young)
    if case.way is not None and not case.turn and case.left and case.remembered and case.can_query:
        return Query()
    if air.requests and case.patient and case.left:
        return Wait(case.own.key, case.left)
    lost = forgotten(case) if case.way is not None else None
    return lost if lost is not None else Leave(case.own.open_state, why)


# ---------------------------------------------------------------- who, where, how many


def nobody_knows(case: Case) -> Move | None:
    """No route leads to a wallet, nobody knows the player or the currency, or its session is another one's or was replaced.

    Move: a debit is Decided declined; what is owed is left to a person
    Nothing was sent, and nothing can be: a bet's provider may hear that, a win must not be lost by it. A session that was
    replaced by one that we gave refuses no cancel and no win, but that of a bet which nobody here knows:
    `transaction_not_found`. So is a win whose call says nothing but a bet that the journal has never seen, where its
    provider's bets come to one end: no wallet can be told whose it is, and the page has that word for it. Where the journal may
    have forgotten that bet, it is a person's. Where a session belongs to one player and one game, a bet in another one's is
    declined, and nothing but a bet. *After a restored backup a bet of another game was put to its wallet, and taken:* what the
    journal forgot came after the launch that it knows, and no such bet was sent then, either. *A hold that the journal had
    forgotten came again by other routes, was told as unsupported, and the amount stayed held:* what may have been asked is
    a person's.
    Serves: 4, 15, 21, 22, 30
    """
    own, tx = case.own, case.own.tx
    if case.replaced and never_asked(case):
        if own.takes:
            return _unsaid(case, REPLACED, Reason.SESSION_EXPIRED)
        if own.kind is Kind.CREDIT and case.one_end and not case.bets:
            return Decide(Declined(reason=NOT_FOUND, message=REPLACED))
    if case.way is None:
        return _unsaid(case, "no route leads to a wallet", Reason.UNSUPPORTED)
    strange = _in_a_strange_session(case)
    if strange is not None:
        return Decide(strange)
    facts = FACTS[own.kind]
    if case.one_end and says_only_its_bet(tx) and never_asked(case) and own.forgot_at is None:
        return Decide(Declined(reason=NOT_FOUND, message="nobody knows the bet that it names"))
    if not tx.player and own.kind not in NAMING:
        return _unsaid(case, "nobody knows the player", case.nobody)
    if tx.player and facts.needs_currency and not tx.currency:
        return _unsaid(case, "nobody knows the currency", case.nobody)
    return None


def _in_a_strange_session(case: Case) -> Declined | None:
    own, session = case.own, case.around.own_session
    bound = case.provider.dialect.as_provider.bets_in_own_session
    if session is None or not bound or not own.takes or not case.unasked:
        return None
    if own.forgot_at is not None and session.seen_at > own.forgot_at:  # it may have been asked before that launch
        return None
    tx = own.tx
    if tx.player and tx.player != session.player:
        return Declined(reason=Reason.NOT_AUTHENTICATED, message="that session is another player's")
    if session.game and tx.game_id not in ("", session.game):
        return Declined(reason=Reason.GAME_NOT_FOUND, message="that session is for another game")
    return None


REPLACED = "its session was replaced"


def _unsaid(case: Case, why: str, reason: Reason) -> Move:
    """Nothing was sent, and nothing can be; what may be held is not left behind. Where the journal may have forgotten that it
    was asked, by other routes or in a session that went with it, nobody here can find out (rule 30)."""
    own = case.own
    held = own.kind is Kind.RELEASE and case.target is not None and case.target.state is not State.DECLINED
    if held or not any_no(own.tx.act):
        return Leave(State.PERSON, why)
    if case.only_feared:
        return Leave(State.PERSON, f"{why}, and the journal may have forgotten that it was asked")
    if not case.unasked:
        return Leave(own.open_state, why)
    return Decide(Declined(reason=reason, message=why))


def settle_legs(case: Case) -> Move | None:
    """A settle that its wallet cannot be told in one movement.

    Move: Split, First, Decide or Leave
    The debit, then the credit; a credit that is declined (the one exception of rule 6) is followed by the rollback of the
    debit. *That rollback was refused, and the settle stayed in doubt for ever with nobody looking:* a whole never
    outlives its parts.
    Serves: 18
    """
    own, act = case.own, case.own.tx.act
    if not isinstance(act, Settle) or (not case.parts and (case.astray or not isinstance(case.said(), Refused))):
        return None
    bet, win = halves(own.tx, act)
    debit, credit, undo = (named(case.parts, own, name) for name in (DEBIT, CREDIT, UNDO))
    if debit is None:
        return Split((bet,))
    if not debit.decided:
        return going_on(case, debit, debit.note)
    if isinstance(debit.outcome, Declined):
        return Decide(replace(debit.outcome, replayed=False))
    if credit is None:
        return Split((win,))
    if not credit.decided:
        return going_on(case, credit, credit.note)
    if isinstance(credit.outcome, Accepted):
        return Decide(replace(credit.outcome, wallet_id=_made(debit), replayed=False))
    if undo is None:
        return Split((undoing_of(own, debit, UNDO, f"rollback:{own.tx.id}"),))
    if not undo.decided:
        return going_on(case, undo, "its win was declined, and its bet is not rolled back yet")
    if gone(undo) and credit.outcome is not None and undo.outcome is not None:
        shown = undo.outcome
        return Decide(replace(credit.outcome, balance=shown.balance, currency=shown.currency, replayed=False))
    return Leave(State.PERSON, "its win was declined, and the rollback of its bet was refused")


def _made(movement: Movement) -> str:
    return movement.outcome.wallet_id if movement.outcome is not None else ""


def batch_broken(case: Case) -> Move | None:
    """A credit of an atomic batch of which another item was declined.

    Move: Split: what this batch did is undone; then Decide declined
    *A batch gave back a bet that had stood before it, and a giving back that was refused was seen by nobody:* only what
    this batch took is given back, and what is refused waits for a person.
    Serves: 19
    """
    own = case.own
    if own.kind is not Kind.CREDIT or not own.batch or not own.atomic or not case.unasked:
        return None
    refused = refused_item(case.siblings)
    if refused is None:
        return None
    done = [m for m in case.siblings if undoable(m, case.siblings)]
    open_ones = [m for m in done if not (m.undone_by or m.state is State.DECLINED)]
    taken = next((m for m in open_ones if not stays(m, case.siblings)), None)
    if taken is not None:
        return First(taken) if not taken.decided and taken.key not in case.tried else _give_back(case, taken)
    return Decide(Declined(reason=refused.reason, message="another item of its batch was declined"))


def _give_back(case: Case, taken: Movement) -> Move:
    if not taken.decided:
        return Leave(case.own.open_state, "its batch is in doubt")
    return Split((giving_back(taken),), given_back=True)


def its_bet_was_undone(case: Case) -> Move | None:
    """A win names a bet whose rollback was accepted, or that ended so in doubt, at a provider whose page declines such a win
    for good.

    Move: Decide `already_rolled_back`
    What the journal knows need not be asked; of everything else the wallet decides, and at other providers of this, too. *Four of
    a bet's ten were given back, and its win was declined:* of a bet of which something is left the wallet decides, too.
    Serves: 6, 15, 17
    """
    own = case.own
    final = Reason.ALREADY_ROLLED_BACK in case.provider.dialect.as_provider.final_noes.get(Owed.NAMED_WIN, ())
    if own.kind is not Kind.CREDIT or own.parent or not case.names_its_bet or not final or not case.unasked:
        return None
    over = case.around.lost is not None
    for bet in case.bets:
        cancel = case.cancel_of(bet) if bet.undone_by and bet.tx.id == own.reference else None
        over = over or (cancel is not None and cancel.state is State.ACCEPTED and not leaves_some(cancel, bet))
    return Decide(Declined(reason=Reason.ALREADY_ROLLED_BACK, message="its bet was rolled back")) if over else None


def its_bet_first(case: Case) -> Move | None:
    """A win whose bet is in doubt, and no rollback of that bet may have left.

    Move: First: the bet; then Leave it owed; Decide, where the bet has come to its one end by a cancel
    *A win was paid, and its bet was then declined as never applied.* A credit is not sent, not even
    first, while the bet that it ties to is in doubt; once the bet's rollback may have left, the wallet decides. A
    settle's own follows its debit. At a provider whose bets come to one end the journal decides: the win of a bet that it
    cancelled is paid by nobody. (That the gateway gave it back by itself, its provider does not know.) *The cancel had not
    left, because its wallet was down: it waited for the win, and the win for it, for ever:* a win stops such a cancel. *Nor is the win
    of a bet that was declined: a purse too empty for the stake was paid its win;* where the page says so of that alone, too.
    *The journal forgot that such a win had been told so, and it was paid:* a bet whose no it knows never had one.
    *A wallet said that the bet had been given back, its answer was lost, and at the win's repeat its one word for both was
    taken for "it is paid":* at such a wallet the win waits for the cancel, and once that is done it is a person's.
    *The journal forgot both, the cancel came again first, and each waited for the other for ever:* one that only may have been
    asked goes after the win.
    *A bet in doubt had been told as rolled back, then it was found to be taken, and its win was paid before its cancel, which that
    win then kept from being sent:* a cancel that no win stops any more goes before a win of which nothing has left.
    Serves: 5, 11, 13, 15, 30
    """
    own = case.own
    if own.kind is not Kind.CREDIT or own.parent:
        return None
    refused = case.around.refused_bet if case.provider.dialect.as_provider.unpaid else None
    known = refused is not None and (own.forgot_at is None or refused.forgot_at is None)
    if refused is not None and known and own.reference and never_asked(case):
        return Decide(NO_BET if _refusal(refused) is not Reason.ALREADY_ROLLED_BACK else ROLLED_BACK)
    given_back = _given_back_there(case)
    if given_back is not None:
        return given_back
    for bet in case.bets:
        cancel = case.cancel_of(bet) if bet.undone_by else None
        if cancel is not None and case.one_end and case.unasked and not cancel.ours:
            if cancel.decided and gone(cancel):
                return Decide(ROLLED_BACK)
            if not cancel.decided and cancel.sent:
                return Leave(own.open_state, "its bet is being rolled back")
        if bet.decided and cancel is not None and case.unsent and _goes_before(cancel, bet):
            return (
                First(cancel) if cancel.key not in case.tried else Leave(own.open_state, "its bet is being rolled back")
            )
        if bet.decided or (cancel is not None and (cancel.sent or gone(cancel))):
            continue
        if bet.key not in case.tried:
            return First(bet)
        return Leave(own.open_state, "its bet is in doubt, and is completed first")
    return None


def _goes_before(cancel: Movement, bet: Movement) -> bool:
    """Whether a cancel that is still to be sent can be stopped by no win of its bet."""
    return not cancel.decided and not cancel.sent and told_undone(bet, cancel)


NO_BET = Declined(reason=NOT_FOUND, message="its bet was declined")


def _given_back_there(case: Case) -> Move | None:
    """A win of a bet whose cancel may have reached a wallet that has one word for "it is paid" and "the bet was given back"."""
    told = [m for m in case.around.ends if m.decided or m.sent]  # what is only feared waits for the win (rule 30)
    cancels = [m for m in told if m.undoes and m.target and not m.undone_by]
    if not cancels or not case.unasked:
        return None
    if any(not cancel.decided for cancel in cancels):
        return Leave(case.own.open_state, "its bet is being rolled back")
    if Reason.ALREADY_ROLLED_BACK in case.final_noes:
        return Decide(ROLLED_BACK)
    return Leave(State.PERSON, "its wallet gave that bet back, and pays no win of it")


def _refusal(bet: Movement) -> Reason | None:
    return bet.outcome.reason if isinstance(bet.outcome, Declined) else None


def _unknown_there(case: Case) -> bool:
    """Whether its wallet never heard of what it names, or does not remember it any more (rules 14, 15)."""
    if case.target is None:
        return case.unasked
    return not remembered(case.target, case.wallet, case.moment)


def _taken_for_another(case: Case) -> bool:
    """Whether its wallet, told of it now, would or might undo another movement of ours (rules 15, 16)."""
    return case.around.guessed is True and (_unknown_there(case) or (case.unasked and case.wallet.dialect.by_stake))


def _beside(case: Case) -> bool:
    """Whether nobody knows that what it names reached its wallet, which would then give back another bet that stands (rule 16)."""
    doubt = case.target is not None and not case.target.decided
    return doubt and case.around.guessed is True and case.unasked and case.says_round


def no_words(case: Case) -> Move | None:
    """The wallet's dialect cannot say it.

    Move: Decide, or Leave it to a person; Leave it owed, while another one may be taken for it
    What moves nothing is accepted and answered by a balance; a rollback of what never came through here is
    `transaction_not_found`; a debit is declined, `unsupported`, or as not authenticated where only the session is missing;
    what is owed waits for a person. *A wallet had forgotten a bet, took its refund for one of the whole round, and gave back
    another provider's bet:* so does what it would take for another movement; where it is told a round and an amount alone,
    that is another open bet that has them and is to stay. *A bet of a round had never arrived, and its part
    of the refund gave back the other one:* as long as nobody knows, what stands goes back first. *The cancel of a split
    settle that had lost waited for a person, because no wallet can be told to take a win of 0.00 back, and the stake stayed
    taken:* to undo what moved nothing moves nothing. *The route that said a wallet's sessions went, a bet there could be told
    no more and stayed in doubt for ever, its win behind it:* once its wallet has forgotten it, it is a person's. *The answer to
    a hold that its wallet names itself was lost; its release went out under a name of ours, which the wallet denied, and both
    were declined, while the amount stayed held:* the release of what may be held is a person's, too. So is what ends a hold there
    that the journal may have forgotten, and what may itself have been asked before it forgot that.
    Serves: 4, 14, 15, 16, 18, 20, 21, 30
    """
    own = case.own
    stranger = own.undoes and case.target is None and case.unsent
    if own.undoes and _taken_for_another(case):
        return Decide(NOT_HERE) if stranger else Leave(State.PERSON, "its wallet would take it for another movement")
    if own.ends and case.target is None and case.only_feared and case.wallet.dialect.as_wallet.makes_hold_ids:
        return Leave(State.PERSON, "the journal may have forgotten what its wallet calls that hold")
    refused = case.said()
    if not isinstance(refused, Refused):
        return Leave(own.open_state, "its wallet may take it for another bet of its round") if _beside(case) else None
    if moves_nothing(own.tx):
        return Decide(Accepted(currency=own.tx.currency))
    if own.undoes and case.target is not None and case.unasked and moves_nothing(case.target.tx):
        return Decide(Accepted(moved=NOTHING, currency=own.tx.currency))
    if stranger and (isinstance(refused, Missing) or refused.field == AMOUNT_OF_ROLLBACK):
        return Decide(NOT_HERE)
    if refused.field == NO_NAME and case.target is not None and case.target.state is State.DECLINED and case.unasked:
        return Decide(NO_HOLD)
    return forgotten(case) or _unsaid(case, refused.message, lacking(refused, case.nobody))


NOT_HERE = Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="no such movement came through here")
"""The wallet cannot have taken what we never brought, and the late bet meets the tombstone."""
NO_HOLD = Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="that hold was declined")


# ---------------------------------------------------------------- asking


def never_went(case: Case) -> Move | None:
    """It never left us, nobody waits for it and no win ties to it, for longer than a repeat would take.

    Move: Decide `already_rolled_back`
    An attempt of which no byte left was not made. *A bet that had never left was asked for by settlement, after its
    provider had told the player that it failed.*
    Serves: 10
    """
    own, whole = case.own, case.whole
    if own.owes or case.waits or not case.unsent or case.won or own.forgot_at:
        return None
    since = own.told_at or (whole.told_at if whole is not None else None) or own.created_at
    return Decide(NEVER_REACHED) if case.silent_for(since) >= UNSENT_GRACE else None


def in_the_air(case: Case) -> Move | None:
    """A request about it has not had its share of the time, or another call here is about to send one or to journal its answer.

    Move: Wait for it; with nobody waiting Leave it
    Asked again at once, a slow wallet would be asked twice for each bet. *Of a bet that was said twice at the same moment
    the one heard yes; the other looked while that yes was on its way into the journal, saw a bet that had been asked and
    nothing in the air, and heard doubt at once.*
    Serves: 14, 28
    """
    own, young = case.own, case.air_of(case.own.key).young
    if not young and not case.in_hand:
        return None
    if case.patient and case.left:
        return Wait(own.key, min(young or IN_HAND_SECONDS, case.left), poll=not young)
    return Leave(own.open_state, own.note)


def meets_a_rollback(case: Case) -> Move | None:
    """A bet, and its wallet was asked for a rollback that it may take for one of it, which may still arrive, or is to be asked
    again.

    Move: Wait for the answer to that; else Decide `unsupported`; what may have been asked is not asked meanwhile, nor what
    a win came for after doubt: Leave it, to a person where that is a person's
    *A refund was queued on its way; asked again its wallet said that it knows no such bet. The next bet of the round was taken,
    then the first asking arrived, and its wallet, which was told no bet that it knew, gave back that one.* To refuse a bet
    that was never asked loses nothing. What its wallet is known to have taken, it mistakes for nothing else.
    Serves: 10, 16
    """
    if not case.around.guesses or case.met is None:
        return None
    own, undoing = case.own, case.met
    believed = bool(own.told) and case.around.won is True  # its provider heard doubt, and a win came
    if not never_asked(case) or own.forgot_at is not None or believed:
        later = next((move for rule in (forgotten, query, late_answers) if (move := rule(case)) is not None), None)
        return later or Leave(State.PERSON if undoing.state is State.PERSON else own.open_state, MET)
    fresh = undoing.asked_at is not None and case.silent_for(undoing.asked_at) < case.wallet.answer_within
    if fresh and not undoing.decided and case.patient and case.left > POLL_SECONDS:
        return Wait(own.key, POLL_SECONDS, poll=True)
    return Decide(Declined(reason=Reason.UNSUPPORTED, message=MET))


MET = "its wallet may take a rollback of its round for one of it"


def first_asking(case: Case) -> Move | None:
    """Nothing was asked yet, and it is wanted: its provider waits, it is owed, or a win ties to it.

    Move: Ask
    *It never arrived, the provider gave up and told the player so; a settler that asks again takes the stake.*
    Serves: 9
    """
    return Ask() if case.unsent and case.wanted and case.may_act else None


def second_asking(case: Case) -> Move | None:
    """The wallet looks for the id first, it is wanted, and would land while the wallet remembers it.

    Move: Ask
    A wallet that looks for the id before anything else answers a known one with its first decision. *A second asking
    that was queued outlived the wallet's memory and was applied as a first one.* One that looks for what it applied says a
    plain no as long as it likes. *A bet that a win tied to was asked four times a minute, heard `insufficient_funds` each
    time, and waited for a person when the wallet's memory was over:* nothing is asked until every attempt must have landed,
    and then as a first one, whose no counts. What is owed and was plainly refused at its only asking is asked as a first one,
    too, where a wallet's word for "I have it already" is one for "the bet had its end": *a win of a bet that the wallet had
    given back was refused in that word, asked again, and taken for paid.*
    So is what is owed and whose session was plainly refused at its only asking, where a part of the key may stand in a
    session's place, also at a wallet that is `query`: nothing of it moved, and nothing is on its way.
    Serves: 5, 9, 14, 22
    """
    if case.unsent or not case.wanted or not case.may_act:
        return None
    once = case.again == "query" and session_refused(case.own, case.wallet) and refused_at_once(case.own, case.wallet)
    if case.again not in ("safe", "applied") and not once:
        return None
    if not case.remembered_in(case.wallet.in_flight_max):
        return None
    own = case.own
    if not refused_again(own, case.wallet):
        return Ask(first=refused_at_once(own, case.wallet))
    landing = case.until_landed(own)
    if landing == timedelta(0):
        return Ask(first=True)
    return Ask() if case.waits else Leave(own.open_state, own.note, case.moment.now + landing)


def query(case: Case) -> Move | None:
    """The wallet can be asked what became of it.

    Move: Query
    Its answer is the first decision; that it knows nothing counts once nothing can be on the way any more.
    Serves: 10, 14
    """
    return Query() if not case.unsent and case.may_act and case.can_query else None


def never_again(case: Case) -> Move | None:
    """It is owed, and its wallet may be asked only once.

    Move: Leave it to a person
    A second asking could pay twice, and nothing else can tell whether the first arrived. *The clock was set back by hours, and of
    a yes to the cancel of what its wallet may have forgotten a person read that it may not be asked again:* the note says so.
    Serves: 6, 14, 29
    """
    own = case.own
    if not own.owes or case.unasked or case.again != "never" or case.air_of(own.key).requests:
        return None
    if undated(own, case.target, case.wallet, case.moment):
        return Leave(State.PERSON, f"to what wallet {case.wallet.name} forgot it says yes, too, and {UNDATED}")
    return Leave(State.PERSON, f"wallet {case.wallet.name} may not be asked again")


UNDATED = "no clock says whether it remembers what it names"


def late_answers(case: Case) -> Move | None:
    """Requests about it are in the air, and its provider still waits.

    Move: Wait for them
    The first definite answer of any attempt decides, and may still come in time.
    Serves: 28
    """
    if not case.air_of(case.own.key).requests or not case.left or not case.patient:
        return None
    return Wait(case.own.key, case.left)


def doubt(case: Case) -> Move | None:
    """Nothing more can be done now.

    Move: Leave it in doubt or owed; its provider hears doubt
    Journalled before it is told, and looked at again ever more rarely, for days.
    Serves: 4, 13
    """
    own = case.own
    person = own.state is State.PERSON
    return Leave(State.PERSON if person else own.open_state, own.note)


RULES: tuple[Rule, ...] = (
    other_content,
    taken_back,
    silence_over,
    taken_in_vain,
    already_decided,
    answered,
    cancel_stopped,
    never_applied,
    wallet_gone,
    carried_elsewhere,
    came_too_late,
    round_over,
    rollback_stands,
    forbidden,
    another_rollback,
    nothing_was_sent,
    nobody_knows,
    settle_legs,
    undo_legs,
    refund_parts,
    target_unsent,
    target_in_doubt,
    batch_broken,
    its_bet_was_undone,
    its_bet_first,
    no_words,
    never_went,
    in_the_air,
    meets_a_rollback,
    first_asking,
    journal_forgot,
    forgotten,
    second_asking,
    query,
    never_again,
    late_answers,
    doubt,
)


BY_JOURNAL: tuple[Rule, ...] = (
    came_too_late,
    round_over,
    rollback_stands,
    forbidden,
    another_rollback,
    nothing_was_sent,
    settle_legs,
    undo_legs,
    refund_parts,
)
"""Those that decide by what is known already, where they decide."""


def clocked(provider: Provider, movement: Movement) -> bool:
    """Whether silence may give it back."""
    return provider.after_doubt is not None and movement.takes and not movement.parent


__all__ = ["RULES", "Split", "clocked", "next_move"]
