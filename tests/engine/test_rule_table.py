"""Each rule of the engine by itself: a case in, a move out, as a list of pairs; at least one speaks, one is silent.

What the rules come to together is told by the other tests here, from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.ends import Kept, Owed
from gateway.engine.case import Air, Around, Case, NotGathered
from gateway.engine.moment import Moment, Stepped
from gateway.engine.movement import BY_A_PERSON, Movement, Session
from gateway.engine.rules import RULES, next_move
from gateway.engine.states import State
from gateway.model import Accepted, Adjust, Capture, Declined, Kind, Reason, Release, Reserve, Rollback, Transaction
from tests.engine.acts import bet, settle, undo, win
from tests.engine.cases import (
    ELSEWHERE,
    HERE,
    JUST_NOW,
    LATER,
    NOW,
    SILENT,
    UNSEEN,
    YES,
    done,
    doubted,
    first_call,
    in_the_air,
    in_words,
    no,
    open_call,
    repeat,
    row,
    said,
    sent,
    settling,
    undone,
    waiting,
)
from tests.simulation.bench import NEVER, QUERY, SAFE, a_call, a_provider, a_wallet, always, declared

Pairs = list[tuple[str, Case, str]]
"""(what is the case, the case, the move in words)."""

CLOCKED = a_provider("native", after_doubt=timedelta(minutes=10))
PARTLY = a_provider("gameball")
LATEST = a_provider("groove")
UNPAID = replace(CLOCKED, dialect=declared(CLOCKED.dialect, refused_unpaid=True))
ENDING = replace(
    CLOCKED, dialect=declared(CLOCKED.dialect, kept_by=always(Kept.ITS_WIN), one_end=True), after_doubt=None
)
RENEWING = replace(ENDING, dialect=declared(ENDING.dialect, renews=lambda settings: True))
STRICT = a_wallet("native", repeats=QUERY)
ONCE = a_wallet("native", repeats=NEVER)
APPLIED = a_wallet("native", repeats={**SAFE, "debit": "applied"})
BLIND = a_wallet("kyren")  # it cannot be asked what became of a movement
BLIND_STRICT = a_wallet("kyren", repeats=QUERY)
SPLITTING = a_wallet("netgaming")
FORGETFUL = a_wallet("netgaming", tombstones=False)
WON_ONCE = replace(a_wallet("native"), dialect=declared(ENDING.dialect, one_win=True))
SHORT = a_wallet("native", remembers=timedelta(minutes=30))
TEN = timedelta(minutes=10)
DAYS = timedelta(days=3)

BET, CANCEL, SECOND, WIN = bet("t1"), undo("c1", "t1"), undo("c2", "t1"), win("w1", of="t1")
BROKE = no(Reason.INSUFFICIENT_FUNDS)
GONE = no(Reason.TRANSACTION_NOT_FOUND)
SETTLED = no(Reason.ALREADY_SETTLED)
HOLD = a_call(Reserve(amount=Decimal("10.00")), "h1")
LIFT = a_call(Release(reference="h1"), "r1")
TAKE = a_call(Capture(reference="h1"), "p1")
LESS = a_call(Adjust(amount=Decimal("-5.00")), "a1")
MORE = a_call(Adjust(amount=Decimal("5.00")), "a2")

CANCELLED = undone(sent(BET), row(CANCEL))  # in doubt, and its cancel was read


def asked_again(own: Movement, tx: Transaction = BET, **more: Any) -> Case:
    return waiting(own, asked=repeat(tx), **more)


def looked(target: Movement, **more: Any) -> Case:
    """A cancel whose bet this drive went on with already, at a wallet that would take the late bet."""
    return waiting(row(CANCEL), target=target, tried=frozenset({target.key}), wallet=FORGETFUL, **more)


def silent(own: Movement, **more: Any) -> Case:
    """Nobody asks, at a provider whose silence of ten minutes means failure."""
    return settling(own, **{"provider": CLOCKED, **more})


# ---------------------------------------------------------------- what a call hears

FIRST_STANDS = replace(
    a_provider("native"), dialect=declared(a_provider("native").dialect, first_stands=frozenset({Kind.CREDIT}))
)
"""Its page has one win for each bet."""
OTHER_WIN = win("w1", "26.00", of="t1")
OTHER_CONTENT: Pairs = [
    (
        "where the first one stands, a yes",
        asked_again(done(WIN), OTHER_WIN, provider=FIRST_STANDS),
        "tell replayed accepted",
    ),
    ("its no", asked_again(done(WIN, GONE), OTHER_WIN, provider=FIRST_STANDS), "tell transaction_not_found"),
    ("or doubt", asked_again(sent(WIN), OTHER_WIN, provider=FIRST_STANDS), "tell doubt"),
    (
        "but of what it says so",
        asked_again(done(BET), bet("t1", "9.00"), provider=FIRST_STANDS),
        "tell duplicate_mismatch",
    ),
    ("another amount", asked_again(sent(BET), bet("t1", "11.00")), "tell duplicate_mismatch"),
    ("another amount, and it is decided", asked_again(done(BET), bet("t1", "11.00")), "tell duplicate_mismatch"),
    ("another player", asked_again(sent(BET), bet("t1", player="p-2")), "tell duplicate_mismatch"),
    ("another round", asked_again(sent(BET), bet("t1", round_id="2")), "tell duplicate_mismatch"),
    ("the same", asked_again(sent(BET)), SILENT),
    ("the same in other digits", asked_again(sent(BET), bet("t1", "10.0")), SILENT),
    ("its session is gone, so nobody names the player", asked_again(sent(BET), bet("t1", player="")), SILENT),
    ("the first call of it", waiting(row(BET), asked=first_call(bet("t1", "11.00"))), SILENT),
    ("nobody asks", settling(sent(BET)), SILENT),
]

GIVEN_BACK = undone(done(BET, batch="b1", atomic=True), row(CANCEL))
GIVES_BACK = done(CANCEL, ours=True, batch="b1")
AGAIN = undo("u1", "c1", kind=Kind.ROLLBACK)
UNHEARD = doubted(undone(done(BET), row(CANCEL)), TEN)
ROLLED = undone(done(CANCEL), row(AGAIN))
TAKEN_BACK: Pairs = [
    ("its cancel was read", asked_again(CANCELLED, undoer=row(CANCEL)), "tell already_rolled_back"),
    ("the same, after doubt", asked_again(doubted(CANCELLED, TEN), undoer=row(CANCEL)), "tell already_rolled_back"),
    (
        "accepted after doubt was told, and given back",
        asked_again(doubted(undone(done(BET), row(CANCEL)), TEN), undoer=done(CANCEL)),
        "tell already_rolled_back",
    ),
    ("its yes was heard", asked_again(undone(done(BET), row(CANCEL)), undoer=done(CANCEL)), SILENT),
    (
        "its first call is open while the clock gives it back at another node",
        waiting(doubted(undone(done(BET), row(CANCEL)), TEN), asked=first_call(BET), undoer=row(CANCEL, ours=True)),
        "tell already_rolled_back",
    ),
    (
        "the same, while its provider's cancel waits",
        waiting(doubted(undone(done(BET), row(CANCEL)), TEN), asked=first_call(BET), undoer=row(CANCEL)),
        SILENT,
    ),
    ("its cancel was itself undone", asked_again(UNHEARD, undoer=ROLLED, restorer=done(AGAIN)), SILENT),
    ("its cancel is being undone", asked_again(UNHEARD, undoer=ROLLED, restorer=sent(AGAIN)), "tell doubt"),
    (
        "the undoing of its cancel failed",
        asked_again(UNHEARD, undoer=ROLLED, restorer=done(AGAIN, GONE)),
        "tell already_rolled_back",
    ),
    ("the same, and it is in doubt", asked_again(CANCELLED, undoer=ROLLED, restorer=sent(AGAIN)), SILENT),
    ("it was declined", asked_again(undone(done(BET, BROKE), row(CANCEL)), undoer=row(CANCEL)), SILENT),
    ("no cancel", asked_again(sent(BET)), SILENT),
    ("nobody asks", settling(CANCELLED, undoer=row(CANCEL)), SILENT),
    ("a rollback that is itself undone", asked_again(undone(sent(CANCEL), row(SECOND)), CANCEL), SILENT),
    (
        "an item that its batch gave back, by itself",
        asked_again(GIVEN_BACK, undoer=GIVES_BACK),
        "tell already_rolled_back",
    ),
    ("the same, by its batch", waiting(GIVEN_BACK, asked=repeat(BET, batch="b1"), undoer=GIVES_BACK), SILENT),
    (
        "a cancel that its batch undid, by itself",
        asked_again(replace(undone(done(CANCEL), GIVES_BACK), batch="b1"), CANCEL, undoer=GIVES_BACK),
        "tell already_settled",
    ),
    (
        "the same, and that is in doubt",
        asked_again(
            replace(undone(done(CANCEL), GIVES_BACK), batch="b1"), CANCEL, undoer=sent(SECOND, batch="b1", ours=True)
        ),
        "tell doubt",
    ),
]

KEPT, OURS = done(CANCEL, SETTLED), row(SECOND, ours=True)
STEPPED = Moment(NOW, (Stepped(NOW - TEN, NOW - JUST_NOW),))  # nearly all of those minutes were a jump
SILENCE_OVER: Pairs = [
    ("in doubt, and over", silent(doubted(sent(BET), TEN)), "rollback"),
    ("accepted since", silent(doubted(done(BET), TEN)), "rollback"),
    ("a hold", silent(doubted(sent(HOLD), TEN)), "rollback"),
    ("a correction that takes", silent(doubted(sent(LESS), TEN)), "rollback"),
    ("a settle", silent(doubted(sent(settle("s1")), TEN)), "rollback"),
    ("not yet over", silent(doubted(sent(BET), TEN - JUST_NOW)), SILENT),
    ("over by a clock that jumped", silent(doubted(sent(BET), TEN), moment=STEPPED), SILENT),
    ("a call of it is open", silent(doubted(sent(BET), TEN), air=open_call(sent(BET))), SILENT),
    ("its yes was heard", silent(done(BET)), SILENT),
    ("a win ties to it", silent(doubted(sent(BET), TEN), won=True), SILENT),
    ("a hold that is being released", silent(doubted(done(HOLD), TEN), ended=True), SILENT),
    ("a hold that was captured", silent(doubted(done(HOLD), TEN), ended=True), SILENT),
    ("its cancel was told that it stands", silent(doubted(done(BET), TEN), refused=(done(CANCEL, SETTLED),)), SILENT),
    (
        "the same, and nobody heard it",
        silent(doubted(done(BET), TEN), refused=(done(CANCEL, SETTLED, told="unknown"),)),
        "rollback",
    ),
    ("declined since", silent(doubted(done(BET, BROKE), TEN)), SILENT),
    ("a rollback of it was read", silent(doubted(CANCELLED, TEN), undoer=row(CANCEL)), SILENT),
    ("what gives has no clock", silent(doubted(sent(WIN), TEN)), SILENT),
    ("a part has none of its own", silent(doubted(sent(BET, parent="settle/s1"), TEN)), SILENT),
    ("nor has what no provider asked for", silent(doubted(sent(BET, ours=True), TEN)), SILENT),
    ("another process carries it", silent(doubted(sent(BET, owner=ELSEWHERE, due_at=NOW + TEN), TEN)), SILENT),
    ("its provider has no clock", settling(doubted(sent(BET), DAYS)), SILENT),
]

KEPT, OURS = done(CANCEL, SETTLED), row(SECOND, ours=True)
ALREADY_DECIDED: Pairs = [
    ("accepted, and asked again", asked_again(done(BET)), "tell replayed accepted"),
    ("declined, and asked again", asked_again(done(BET, BROKE)), "tell insufficient_funds"),
    ("decided while its first call waits", waiting(done(BET), asked=first_call(BET)), "tell accepted"),
    ("a call that joined the first", waiting(done(BET), asked=repeat(BET, joined=True)), "tell accepted"),
    ("nobody asks", settling(done(BET)), "leave accepted"),
    ("nobody asks, and a clock runs", silent(doubted(done(BET), TEN - JUST_NOW)), "leave accepted for 1 s"),
    ("the same, and a win ties to it", silent(doubted(done(BET), TEN - JUST_NOW), won=True), "leave accepted"),
    ("in doubt", asked_again(sent(BET)), SILENT),
    (
        "a refused cancel whose bet was given back since",
        asked_again(KEPT, CANCEL, claimer=done(SECOND, ours=True)),
        "tell already_rolled_back",
    ),
    ("it is being given back", asked_again(KEPT, CANCEL, claimer=OURS), "tell doubt"),
    ("that failed", asked_again(KEPT, CANCEL, claimer=done(SECOND, SETTLED, ours=True)), "tell already_settled"),
    ("another cancel has it", asked_again(KEPT, CANCEL, claimer=done(SECOND)), "tell already_settled"),
    ("it was done itself", asked_again(done(CANCEL), CANCEL, claimer=OURS), "tell replayed accepted"),
    ("nobody has its bet", asked_again(KEPT, CANCEL, claimer=None), "tell already_settled"),
    ("nobody asks for it", settling(KEPT, claimer=OURS), "leave declined"),
]

# ---------------------------------------------------------------- what the wallet said

TWICE = sent(BET, attempts=2)
FEARED = sent(SECOND, forgot_at=NOW - LATER, attempts=2)
ANSWERED: Pairs = [
    ("yes", waiting(sent(BET, fact=said(YES))), "decide accepted"),
    ("yes to the second asking", waiting(replace(TWICE, fact=said(YES))), "decide accepted"),
    ("no to the only asking", waiting(sent(BET, fact=said(BROKE))), "decide insufficient_funds"),
    (
        "no to the second, by a wallet that looks for the id first",
        waiting(replace(TWICE, fact=said(BROKE))),
        "decide insufficient_funds",
    ),
    ("no to the second, by another one", waiting(replace(TWICE, fact=said(BROKE)), wallet=STRICT), SILENT),
    ("its bet had its end, to a win", waiting(sent(WIN, fact=said(SETTLED))), SILENT),
    (
        "the same, where a bet comes to one end",
        waiting(sent(WIN, fact=said(SETTLED)), bets=(done(BET),), provider=ENDING),
        "decide already_settled",
    ),
    (
        "there, its bet is not there",
        waiting(sent(WIN, fact=said(GONE)), provider=ENDING),
        "decide transaction_not_found",
    ),
    (
        "there, and this very wallet took it",
        waiting(sent(WIN, fact=said(GONE)), bets=(done(BET),), provider=ENDING),
        SILENT,
    ),
    ("there, for a moment only", waiting(sent(WIN, fact=said(no(Reason.PLAYER_NOT_FOUND))), provider=ENDING), SILENT),
    ("there, a win of no bet", waiting(sent(win("w1"), fact=said(GONE)), provider=ENDING), SILENT),
    (
        "there, to the second asking",
        waiting(sent(WIN, fact=said(SETTLED), attempts=2), provider=ENDING, wallet=STRICT),
        SILENT,
    ),
    (
        "there, to the second, by a wallet that looks for the id first",
        waiting(sent(WIN, fact=said(SETTLED), attempts=2), provider=ENDING),
        "decide already_settled",
    ),
    (
        "the same, by one that remembers what it applied",
        waiting(replace(TWICE, fact=said(BROKE)), wallet=APPLIED),
        SILENT,
    ),
    (
        "no to the second, marked as the first decision",
        waiting(replace(TWICE, fact=said(replace(BROKE, replayed=True))), wallet=STRICT),
        "decide insufficient_funds",
    ),
    (
        "after the journal forgot, a plain no",
        waiting(sent(BET, fact=said(BROKE), forgot_at=NOW), wallet=STRICT),
        SILENT,
    ),
    ("no to a win", settling(sent(WIN, fact=said(no(Reason.PLAYER_NOT_FOUND)))), SILENT),
    (
        "no to the win of a settle",
        settling(sent(WIN, parent="settle/s1", fact=said(no(Reason.PLAYER_NOT_FOUND)))),
        "decide player_not_found",
    ),
    (
        "not found to a rollback of what is not here",
        waiting(sent(CANCEL, fact=said(GONE))),
        "decide transaction_not_found",
    ),
    ("the same of what this wallet accepted", settling(sent(CANCEL, fact=said(GONE)), target=done(BET)), SILENT),
    (
        "the same of what may be queued",
        settling(sent(CANCEL, fact=said(GONE)), target=sent(BET), wallet=FORGETFUL),
        SILENT,
    ),
    (
        "a yes that its wallet says to nothing, too, and it may have forgotten",
        settling(sent(CANCEL, fact=said(YES)), target=done(BET, ago=DAYS), wallet="swipegames"),
        "leave person",
    ),
    (
        "the same while it remembers",
        settling(sent(CANCEL, fact=said(YES)), target=done(BET, ago=LATER), wallet="swipegames"),
        "decide accepted",
    ),
    (
        "the same of what moved nothing",
        settling(sent(CANCEL, fact=said(YES)), target=done(bet("t1", "0.00"), ago=DAYS), wallet="swipegames"),
        "decide accepted",
    ),
    (
        "the same of a wallet that says so where it knows nothing",
        settling(sent(CANCEL, fact=said(YES)), target=done(BET, ago=DAYS)),
        "decide accepted",
    ),
    (
        "its id is another movement's there",
        settling(sent(CANCEL, fact=said(no(Reason.DUPLICATE_MISMATCH))), target=done(BET)),
        "leave person",
    ),
    (
        "our own second asking met the first",
        settling(sent(CANCEL, attempts=2, fact=said(no(Reason.DUPLICATE_MISMATCH))), target=done(BET)),
        "decide accepted",
    ),
    (
        "after the journal forgot, a yes to what another one has undone",
        waiting(replace(FEARED, fact=said(YES)), target=done(BET), others=(done(CANCEL),)),
        "decide already_rolled_back",
    ),
    (
        "the same, and that one was taken back",
        waiting(replace(FEARED, fact=said(YES)), target=done(BET), others=(undone(done(CANCEL), FEARED),)),
        "decide accepted",
    ),
    (
        "the same, and that one was our own, which its provider joins",
        waiting(replace(FEARED, fact=said(YES)), target=done(BET), others=(done(CANCEL, ours=True),)),
        "decide accepted",
    ),
    (
        "after the journal forgot, a yes to what gives back the rest",
        waiting(
            replace(FEARED, fact=said(YES)), target=done(BET), provider=PARTLY, others=(done(undo("c4", "t1", "4.00")),)
        ),
        "decide accepted",
    ),
    (
        "the same, and there is no rest",
        waiting(
            replace(FEARED, fact=said(YES)),
            target=done(BET),
            provider=PARTLY,
            others=(done(undo("c4", "t1", "10.00")),),
        ),
        "decide already_rolled_back",
    ),
    (
        "a giving back is refused",
        settling(sent(CANCEL, ours=True, batch="b1", fact=said(SETTLED)), target=done(BET)),
        "leave person",
    ),
    (
        "what was given back had been undone",
        settling(sent(CANCEL, ours=True, batch="b1", fact=said(no(Reason.ALREADY_ROLLED_BACK))), target=done(BET)),
        "decide already_rolled_back",
    ),
    (
        "a yes of a wallet that is gone by now",
        settling(sent(BET, fact=said(YES)), way=False, astray="gone"),
        "decide accepted",
    ),
    ("a no of a wallet that is gone by now", settling(sent(BET, fact=said(BROKE)), way=False, astray="gone"), SILENT),
    ("it does not know the id", settling(sent(BET, fact=UNSEEN)), SILENT),
    ("nothing was said", settling(sent(BET)), SILENT),
]

PERHAPS = row(CANCEL, attempts=1, asked_at=NOW, forgot_at=NOW)
CANCEL_STOPPED: Pairs = [
    (
        "a win ties to it, and its cancel never left",
        settling(CANCELLED, undoer=row(CANCEL), won=True),
        "first rollback/c1",
    ),
    ("no win", settling(CANCELLED, undoer=row(CANCEL)), SILENT),
    ("the cancel may have left", settling(CANCELLED, undoer=sent(CANCEL), won=True), SILENT),
    ("it is leaving", settling(CANCELLED, undoer=row(CANCEL), won=True, air=in_the_air(row(CANCEL))), SILENT),
    (
        "its wallet is asked whether the cancel came, which the journal may have forgotten",
        waiting(CANCELLED, undoer=PERHAPS, won=True, air=in_the_air(PERHAPS)),
        "wait 3 for rollback/c1",
    ),
    (
        "the same, and nobody waits",
        settling(CANCELLED, undoer=PERHAPS, won=True, air=in_the_air(PERHAPS)),
        "leave doubt",
    ),
    ("its provider heard success", settling(CANCELLED, undoer=row(CANCEL, told="accepted"), won=True), SILENT),
    (
        "the cancel is decided",
        settling(CANCELLED, undoer=done(CANCEL, GONE, attempts=0, asked_at=None), won=True),
        SILENT,
    ),
    (
        "the cancel leads here itself",
        settling(CANCELLED, undoer=row(CANCEL), won=True, tried=frozenset({"rollback/c1"})),
        "leave doubt",
    ),
    ("no cancel", settling(sent(BET), won=True), SILENT),
]

LANDED = sent(BET, LATER, fact=UNSEEN)
NEVER_APPLIED: Pairs = [
    ("nobody waits", settling(LANDED), "decide already_rolled_back"),
    ("its provider waits", asked_again(LANDED), "ask first"),
    ("a win ties to it, whoever looks", settling(LANDED, won=True), "ask first"),
    (
        "a win ties to it, and it is to be undone",
        settling(undone(LANDED, row(CANCEL)), undoer=sent(CANCEL), won=True),
        "decide already_rolled_back",
    ),
    (
        "its provider waits, and it is to be undone",
        asked_again(undone(LANDED, row(CANCEL)), undoer=row(CANCEL)),
        "decide already_rolled_back",
    ),
    (
        "its cancel was declined without undoing",
        asked_again(undone(LANDED, row(CANCEL)), undoer=done(CANCEL, SETTLED)),
        "ask first",
    ),
    ("what is owed", settling(sent(WIN, LATER, fact=UNSEEN)), "ask first"),
    (
        "what is owed was declined",
        settling(sent(WIN, fact=said(replace(BROKE, replayed=True), query=True))),
        "ask first",
    ),
    ("it may be queued", settling(sent(BET, fact=UNSEEN)), SILENT),
    (
        "the query began while it might be queued",
        settling(sent(BET, LATER, fact=said(GONE, LATER, query=True))),
        SILENT,
    ),
    ("the wallet forgets so soon", settling(LANDED, wallet=SHORT), SILENT),
    ("not an answer to a query", settling(sent(BET, LATER, fact=said(GONE))), SILENT),
    ("a clock that jumped", settling(LANDED, moment=Moment(NOW, (Stepped(NOW - LATER, NOW - JUST_NOW),))), SILENT),
    ("nothing was said", settling(sent(BET, LATER)), SILENT),
]

WALLET_GONE: Pairs = [
    ("it points elsewhere", settling(sent(WIN), astray="it points elsewhere"), "leave owed"),
    ("it is not configured any more", waiting(sent(BET), way=False, astray="it is gone"), "leave doubt"),
    ("its no", settling(sent(BET, fact=said(BROKE)), astray="it is gone"), "leave doubt"),
    ("its yes", settling(sent(BET, fact=said(YES)), astray="it is gone"), SILENT),
    ("it is where it was", settling(sent(WIN)), SILENT),
    ("a new bet", waiting(row(BET), way=False, astray="it is gone"), "decide unsupported"),
    (
        "a bet that the journal may have forgotten",
        waiting(sent(BET, forgot_at=NOW), way=False, astray="it is gone"),
        "leave doubt",
    ),
    (
        "a settle of which a leg went there",
        settling(row(settle("s1")), parts=(sent(bet("s1")),), way=False, astray="it is gone"),
        "leave doubt",
    ),
    ("a new win", waiting(row(WIN), way=False, astray="it is gone"), "leave owed"),
    ("the release of a hold", waiting(row(LIFT), target=done(HOLD), astray="it is gone"), "leave owed"),
    ("the capture of a hold", waiting(row(TAKE), target=done(HOLD), astray="it is gone"), "leave doubt"),
]

# ---------------------------------------------------------------- who may go on

THEIRS = sent(BET, owner=ELSEWHERE, due_at=NOW + JUST_NOW)
CARRIED_ELSEWHERE: Pairs = [
    ("its provider waits here", asked_again(THEIRS), "wait 0.05 for debit/t1"),
    ("its provider's time is over", asked_again(THEIRS, left=0.0), "tell doubt"),
    ("nobody waits", settling(THEIRS), "tell doubt"),
    ("the lease holds by the database's clock", settling(replace(THEIRS, due_at=NOW, lease_over=False)), "tell doubt"),
    ("the lease is over by the database's clock", settling(replace(THEIRS, lease_over=True)), SILENT),
    ("the lease is over", settling(replace(THEIRS, due_at=NOW)), SILENT),
    ("this process carries it", settling(sent(BET, due_at=NOW + TEN)), SILENT),
    ("it is decided", settling(done(BET, owner=ELSEWHERE, due_at=NOW + TEN)), SILENT),
]

FEARED = row(BET, attempts=1, asked_at=NOW, forgot_at=NOW)
OF_ROUND = a_call(Rollback(reference="t8", scope="round"), "c8")
CAME_TOO_LATE: Pairs = [
    ("its cancel came first", waiting(row(BET), tombstone=done(CANCEL, GONE)), "decide already_rolled_back"),
    ("its cancel came first, and is owed", waiting(row(BET), tombstone=sent(CANCEL)), "decide already_rolled_back"),
    ("a hold that a release overtook", waiting(row(HOLD), tombstone=done(LIFT)), "decide already_rolled_back"),
    (
        "a rollback",
        waiting(row(CANCEL), tombstone=done(undo("u1", "c1", kind=Kind.ROLLBACK))),
        "decide transaction_not_found",
    ),
    ("it was asked", waiting(sent(BET), tombstone=done(CANCEL, GONE)), SILENT),
    ("its wallet has spoken", waiting(row(BET, fact=said(YES)), tombstone=done(CANCEL, GONE)), SILENT),
    ("nothing names it", waiting(row(BET)), SILENT),
    (
        "it may have been forgotten, and was then cancelled",
        waiting(FEARED, tombstone=done(CANCEL, GONE, forgot_at=NOW)),
        "decide already_rolled_back",
    ),
    ("the same, and a round was refunded", waiting(FEARED, tombstone=done(OF_ROUND, GONE, forgot_at=NOW)), SILENT),
    (
        "the same, of which a person said that nothing was there",
        waiting(FEARED, tombstone=done(OF_ROUND, replace(GONE, message=BY_A_PERSON), forgot_at=NOW)),
        "decide already_rolled_back",
    ),
    (
        "the same, before the journal forgot",
        waiting(FEARED, tombstone=done(OF_ROUND, GONE)),
        "decide already_rolled_back",
    ),
]

ROUND_OVER: Pairs = [
    ("a bet", waiting(row(BET), over=True), "decide round_closed"),
    ("a win", waiting(row(WIN), over=True), "decide round_closed"),
    ("it was asked", waiting(sent(WIN), over=True), SILENT),
    ("its wallet has spoken", waiting(row(BET, fact=said(YES)), over=True), SILENT),
    ("its round goes on", waiting(row(BET)), SILENT),
]

LEG = sent(bet("s1"), space="settle.debit", parent="settle/s1")
WHOLE = undone(sent(settle("s1")), row(undo("c3", "s1", kind=Kind.SETTLE)))
ROLLBACK_STANDS: Pairs = [
    ("it never left", settling(undone(row(BET), row(CANCEL)), undoer=row(CANCEL)), "decide already_rolled_back"),
    ("its rollback is done", settling(CANCELLED, undoer=done(CANCEL)), "decide already_rolled_back"),
    ("its rollback found nothing", settling(CANCELLED, undoer=done(CANCEL, GONE)), "decide already_rolled_back"),
    ("its rollback ended without undoing", settling(CANCELLED, undoer=done(CANCEL, SETTLED)), SILENT),
    (
        "a cancel that is itself undone before it left",
        settling(undone(row(CANCEL), row(AGAIN)), undoer=row(AGAIN)),
        "decide already_settled",
    ),
    (
        "a cancel in doubt that was itself undone",
        settling(undone(sent(CANCEL), row(AGAIN)), undoer=done(AGAIN)),
        "decide already_settled",
    ),
    ("its rollback was itself undone", settling(CANCELLED, undoer=ROLLED, restorer=done(AGAIN)), SILENT),
    ("in doubt", settling(CANCELLED, undoer=row(CANCEL)), "query"),
    ("in doubt, and its provider waits", waiting(CANCELLED, undoer=row(CANCEL)), "query"),
    ("a win came too late", settling(CANCELLED, undoer=sent(CANCEL), won=True), "query"),
    ("queried already in this look", settling(CANCELLED, undoer=row(CANCEL), turn=1), "leave doubt"),
    ("it cannot be queried", settling(CANCELLED, undoer=row(CANCEL), wallet=BLIND), "leave doubt"),
    ("its wallet has forgotten it", settling(undone(sent(BET, DAYS), row(CANCEL)), undoer=row(CANCEL)), "leave person"),
    ("in the air", waiting(CANCELLED, undoer=row(CANCEL), air=in_the_air(CANCELLED)), "wait 1 for debit/t1"),
    (
        "in the air for long, and it cannot be queried",
        waiting(CANCELLED, undoer=row(CANCEL), wallet=BLIND, air=in_the_air(CANCELLED, 0.0)),
        "wait 3 for debit/t1",
    ),
    ("a leg whose settle is cancelled", settling(LEG, whole=WHOLE, whole_undoer=row(CANCEL)), "query"),
    (
        "a leg of it that never left",
        settling(replace(LEG, attempts=0), whole=WHOLE, whole_undoer=row(CANCEL)),
        "decide already_rolled_back",
    ),
    ("a cancelled settle", settling(WHOLE, undoer=row(CANCEL), parts=(LEG,)), "leave doubt"),
    (
        "a cancelled settle, the cancel a person's",
        settling(WHOLE, undoer=sent(CANCEL, state=State.PERSON), parts=(LEG,)),
        "leave person",
    ),
    ("the undoing of a leg", settling(sent(CANCEL, parent="settle/s1"), whole=WHOLE, whole_undoer=row(SECOND)), SILENT),
    ("no rollback", settling(sent(BET)), SILENT),
]

# ---------------------------------------------------------------- rollbacks

ROUND = a_call(Rollback(reference="none", scope="round"), "c9")
PART = undo("c5", "t1", "4.00")
REFUND = done(undo("c4", "t1", "10.00"), target="debit/t1")
TAKEN_BACK_PART = undo("u4", "c4", "4.00", kind=Kind.ROLLBACK)
PARTLY_UNDONE: dict[str, Any] = {
    "target": done(BET), "others": (undone(REFUND, row(TAKEN_BACK_PART)),),
    "undoings": (done(TAKEN_BACK_PART, target=REFUND.key),),
}  # fmt: skip
FORBIDDEN: Pairs = [
    ("its target was declined", waiting(row(CANCEL), target=done(BET, BROKE)), "decide transaction_not_found"),
    ("its target is another player's", waiting(row(CANCEL), stranger=True), "decide transaction_not_found"),
    (
        "a win came for a bet in doubt",
        settling(row(CANCEL), target=sent(BET), target_won=True),
        "decide already_settled",
    ),
    ("the same, and its own call hears doubt", waiting(row(CANCEL), target=sent(BET), target_won=True), "leave owed"),
    (
        "the same, and its provider heard that the bet is rolled back",
        settling(row(CANCEL), target=sent(BET, told="declined"), target_won=True),
        SILENT,
    ),
    (
        "its provider heard success before",
        waiting(row(CANCEL, told="accepted"), target=sent(BET), target_won=True),
        SILENT,
    ),
    ("the bet is accepted: its wallet decides", waiting(row(CANCEL), target=done(BET), target_won=True), SILENT),
    (
        "the same, where a bet comes to one end",
        waiting(row(CANCEL), target=done(BET), standing_win=done(WIN), provider=ENDING),
        "decide already_settled",
    ),
    (
        "the same, and the win is in doubt",
        waiting(row(CANCEL), target=done(BET), standing_win=sent(WIN), provider=ENDING),
        "first credit/w1",
    ),
    (
        "the win came after another cancel",
        waiting(row(CANCEL), target=undone(done(BET), row(undo("c9", "t1"))), standing_win=done(WIN), provider=ENDING),
        SILENT,
    ),
    ("there, and no win came", waiting(row(CANCEL), target=done(BET), provider=ENDING), SILENT),
    (
        "there, of a bet whose provider heard that it is rolled back: nothing keeps it",
        settling(
            row(CANCEL), target=undone(done(BET, told="declined"), row(CANCEL)), standing_win=row(WIN), provider=ENDING
        ),
        SILENT,
    ),
    (
        "there, of a cancel that was told as done: neither",
        settling(row(CANCEL, told="accepted"), target=done(BET), standing_win=done(WIN), provider=ENDING),
        SILENT,
    ),
    (
        "and where only the last of a round may be undone",
        settling(row(CANCEL), target=done(BET, told="declined"), standing_win=done(bet("t2")), provider=LATEST),
        SILENT,
    ),
    (
        "there, the gateway's own",
        waiting(row(CANCEL, ours=True), target=done(BET), target_won=True, provider=ENDING),
        SILENT,
    ),
    ("there, and it may have left", waiting(sent(CANCEL), target=done(BET), target_won=True, provider=ENDING), SILENT),
    ("the round has a win", waiting(row(ROUND), provider="kyren", round_won=done(WIN)), "decide already_settled"),
    (
        "that win is being taken back",
        waiting(row(ROUND), provider="kyren", round_won=done(WIN, undone_by="rollback/c8")),
        "leave owed",
    ),
    (
        "a part of a round's refund",
        waiting(row(ROUND, parent="rollback/c8"), provider="kyren", round_won=done(WIN)),
        SILENT,
    ),
    ("where a round is a word for the record", waiting(row(ROUND), round_won=done(WIN)), SILENT),
    (
        "in another currency",
        waiting(row(undo("c5", "t1", "4.00", currency="USD")), target=done(BET)),
        "decide currency_mismatch",
    ),
    ("more than it was", waiting(row(undo("c5", "t1", "10.01")), target=done(BET)), "decide invalid_request"),
    ("all of it", waiting(row(undo("c5", "t1", "10.00")), target=done(BET)), SILENT),
    (
        "more than it was, where its wallet decides",
        waiting(row(undo("c5", "t1", "10.01")), target=done(BET), provider="scorpio_play"),
        SILENT,
    ),
    (
        "nothing is left of it",
        waiting(row(PART), target=done(BET), provider=PARTLY, others=(done(undo("c4", "t1", "10.00")),)),
        "decide already_rolled_back",
    ),
    (
        "nothing would be left, but for one in doubt",
        waiting(row(PART), target=done(BET), provider=PARTLY, others=(sent(undo("c4", "t1", "10.00")),)),
        SILENT,
    ),
    (
        "the same, for one that still waits for its bet",
        waiting(row(PART), target=sent(BET), provider=PARTLY, others=(row(undo("c4", "t1", "10.00")),)),
        SILENT,
    ),
    (
        "something is left of it",
        waiting(row(PART), target=done(BET), provider=PARTLY, others=(done(undo("c4", "t1", "6.00")),)),
        SILENT,
    ),
    (
        "more than is left of it, but for one in doubt",
        waiting(row(PART), target=done(BET), provider=LATEST, others=(sent(undo("c4", "t1", "8.00")),)),
        SILENT,
    ),
    (
        "more than the part that was taken back of its refund",
        waiting(row(undo("c5", "t1", "4.01")), **PARTLY_UNDONE),
        "decide invalid_request",
    ),
    ("that part", waiting(row(PART), **PARTLY_UNDONE), SILENT),
    (
        "nothing was taken back of its refund",
        waiting(row(PART), target=done(BET), others=(REFUND,)),
        "decide already_rolled_back",
    ),
    (
        "another one came after it in its round, and only the last may be undone",
        waiting(row(CANCEL), target=done(BET), standing_win=done(bet("t2")), provider=LATEST),
        "decide already_settled",
    ),
    (
        "there, that one is in doubt",
        waiting(row(CANCEL), target=done(BET), standing_win=sent(bet("t2")), provider=LATEST),
        "first debit/t2",
    ),
    (
        "there, a bet and its win in one movement",
        waiting(row(undo("c3", "s1", kind=Kind.SETTLE)), target=done(settle("s1")), provider=LATEST),
        "decide already_settled",
    ),
    (
        "the same in doubt",
        waiting(row(undo("c3", "s1", kind=Kind.SETTLE)), target=sent(settle("s1")), provider=LATEST),
        SILENT,
    ),
    (
        "what is undone as a whole, and another amount",
        waiting(row(undo("c6", "w1", "24.99", kind=Kind.CREDIT)), target=done(WIN), provider=LATEST),
        "decide duplicate_mismatch",
    ),
    (
        "the same, and its amount",
        waiting(row(undo("c6", "w1", "25.00", kind=Kind.CREDIT)), target=done(WIN), provider=LATEST),
        SILENT,
    ),
    ("it may have left", waiting(sent(CANCEL), target=done(BET, BROKE)), SILENT),
    ("no rollback", waiting(row(WIN), target=done(BET, BROKE)), SILENT),
    ("nothing is known of its target", waiting(row(CANCEL)), SILENT),
]

ONE, FIRST_ONE = undone(done(BET), row(CANCEL)), frozenset({"rollback/c1"})
ANOTHER_ROLLBACK: Pairs = [
    ("that one is done", waiting(row(SECOND), target=ONE, claimer=done(CANCEL)), "decide already_rolled_back"),
    (
        "that one found nothing",
        waiting(row(SECOND), target=ONE, claimer=done(CANCEL, GONE)),
        "decide already_rolled_back",
    ),
    ("that one was our own", waiting(row(SECOND), target=ONE, claimer=done(CANCEL, ours=True)), "decide accepted"),
    ("that one is in doubt", waiting(row(SECOND), target=ONE, claimer=sent(CANCEL)), "leave owed"),
    (
        "that one is in the air",
        waiting(row(SECOND), target=ONE, claimer=sent(CANCEL), air=in_the_air(sent(CANCEL))),
        "wait 3 for rollback/c1",
    ),
    (
        "nobody waits for it",
        settling(row(SECOND), target=ONE, claimer=sent(CANCEL), air=in_the_air(sent(CANCEL))),
        "leave owed",
    ),
    (
        "that one leads here itself",
        waiting(row(SECOND), target=ONE, claimer=sent(CANCEL), air=in_the_air(sent(CANCEL)), tried=FIRST_ONE),
        "leave owed",
    ),
    ("that one was declined without undoing", waiting(row(SECOND), target=ONE, claimer=done(CANCEL, SETTLED)), SILENT),
    ("that one was itself undone", waiting(row(SECOND), target=ONE, claimer=done(CANCEL), unclaimed=True), SILENT),
    ("that one is being undone", waiting(row(SECOND), target=ONE, claimer=ROLLED, unclaiming=True), "leave owed"),
    ("this one is it", waiting(row(CANCEL), target=ONE), SILENT),
    ("there is none", waiting(row(SECOND), target=done(BET)), SILENT),
    ("this one may have left", waiting(sent(SECOND), target=ONE, claimer=done(CANCEL)), SILENT),
    ("a capture", waiting(row(TAKE), target=undone(done(HOLD), row(CANCEL)), claimer=done(CANCEL)), SILENT),
    (
        "a part of it is under way, and this may be too much",
        waiting(row(PART), target=done(BET), provider=PARTLY, others=(sent(undo("c4", "t1", "8.00")),)),
        "leave owed",
    ),
    (
        "another one may have been told of what this one takes back",
        waiting(row(TAKEN_BACK_PART), target=REFUND, aside=(sent(SECOND),)),
        "leave owed",
    ),
    ("that one was not sent", waiting(row(TAKEN_BACK_PART), target=REFUND, aside=(row(SECOND),)), SILENT),
    ("that one is done", waiting(row(TAKEN_BACK_PART), target=REFUND, aside=(done(SECOND),)), SILENT),
    (
        "parts may stand beside each other",
        waiting(row(PART), target=ONE, claimer=sent(CANCEL), provider=PARTLY),
        SILENT,
    ),
]

FREE = done(bet("t1", free=True), attempts=0, asked_at=None)
NOTHING_WAS_SENT: Pairs = [
    ("a free bet that was answered by a balance", waiting(row(CANCEL), target=FREE), "decide accepted"),
    ("a bet that was accepted by a person alone", waiting(row(CANCEL), target=replace(FREE, tx=BET)), "leave person"),
    ("a bet that was sent", waiting(row(CANCEL), target=done(BET)), SILENT),
    ("a split settle: its parts were", waiting(row(CANCEL), target=FREE, legs=(LEG,)), SILENT),
    ("a bet that is not decided", waiting(row(CANCEL), target=row(BET)), SILENT),
    ("this one may have left", waiting(sent(CANCEL), target=FREE), SILENT),
    ("no rollback", waiting(row(TAKE), target=FREE), SILENT),
]

TARGET_UNSENT: Pairs = [
    ("a bet that never left", waiting(row(CANCEL), target=row(BET)), "first debit/t1"),
    ("a hold that never left", waiting(row(LIFT), target=row(HOLD)), "first reserve/h1"),
    ("the same, captured", waiting(row(TAKE), target=row(HOLD)), "first reserve/h1"),
    ("a bet that may have left", waiting(row(CANCEL), target=sent(BET)), SILENT),
    ("a bet that is leaving", waiting(row(CANCEL), target=row(BET), air=in_the_air(row(BET))), SILENT),
    ("a bet that is decided", waiting(row(CANCEL), target=done(FREE.tx, attempts=0)), SILENT),
    ("the bet leads here itself", waiting(row(CANCEL), target=row(BET), tried=frozenset({"debit/t1"})), SILENT),
    ("a split settle", waiting(row(CANCEL), target=row(settle("s1")), legs=(LEG,)), SILENT),
    ("a win names it", waiting(row(WIN), target=row(BET)), SILENT),
]

TARGET_IN_DOUBT: Pairs = [
    (
        "a wallet that would take the late bet",
        waiting(row(CANCEL), target=sent(BET), wallet=FORGETFUL),
        "first debit/t1",
    ),
    ("the bet was looked at, and may be queued", looked(sent(BET)), "leave owed"),
    ("the bet was looked at, and nothing is queued", looked(sent(BET, LATER)), SILENT),
    ("the same by a clock that jumped", looked(sent(BET, LATER), moment=STEPPED), "leave owed"),
    ("a wallet that refuses the late bet", waiting(row(CANCEL), target=sent(BET)), SILENT),
    ("a release, whatever the wallet remembers", waiting(row(LIFT), target=sent(HOLD)), "first reserve/h1"),
    ("the cancel may have left", waiting(sent(CANCEL), target=sent(BET), wallet=FORGETFUL), SILENT),
    ("the bet is decided", waiting(row(CANCEL), target=done(BET), wallet=FORGETFUL), SILENT),
    ("a split settle", waiting(row(CANCEL), target=sent(settle("s1")), legs=(LEG,), wallet=FORGETFUL), SILENT),
]

# ---------------------------------------------------------------- of what is more than one

CANCEL_S = undo("c3", "s1", kind=Kind.SETTLE)
THEIR_DEBIT = done(bet("s1"), key="d", space="settle.debit", parent="settle/s1")
THEIR_CREDIT = done(win("s1"), key="c", space="settle.credit", parent="settle/s1")
SPLIT = done(settle("s1"), attempts=0, asked_at=None)
FORGOTTEN_SPLIT = sent(settle("s1"), forgot_at=NOW)


def undoing(target: str, outcome: Accepted | Declined | None = None, **more: Any) -> Movement:
    """A part of `c3`, decided unless it is open."""
    tx = undo(f"c3:{target}", target)
    return done(tx, outcome, target=target, parent="rollback/c3", **more)


def undoes(*parts: Movement, legs: tuple[Movement, ...] = (THEIR_DEBIT, THEIR_CREDIT), **more: Any) -> Case:
    return settling(row(CANCEL_S), legs=legs, parts=parts, **{"target": SPLIT, **more})


OPEN_PART = sent(undo("c3:c", "c"), key="p", target="c", parent="rollback/c3")
UNDO_LEGS: Pairs = [
    ("the win first", undoes(), "split part:c"),
    ("the win is being undone", undoes(OPEN_PART), "first p"),
    ("the win's undoing led here", undoes(OPEN_PART, tried=frozenset({"p"})), "leave owed"),
    (
        "the win's undoing is a person's",
        undoes(replace(OPEN_PART, state=State.PERSON), tried=frozenset({"p"})),
        "leave person",
    ),
    ("then the bet", undoes(undoing("c")), "split part:d"),
    ("both are undone", undoes(undoing("c"), undoing("d")), "decide accepted"),
    ("the win stays, the bet went back", undoes(undoing("c", no(Reason.PLAYER_BLOCKED)), undoing("d")), "leave person"),
    ("its bet was declined", undoes(legs=(done(bet("s1"), BROKE),)), "decide transaction_not_found"),
    ("its win never came", undoes(legs=(THEIR_DEBIT,)), "split part:d"),
    ("its win may have been forgotten", undoes(legs=(THEIR_DEBIT,), target=FORGOTTEN_SPLIT), "leave person"),
    (
        "the same, and its bet was declined",
        undoes(legs=(done(bet("s1"), BROKE),), target=FORGOTTEN_SPLIT),
        "decide transaction_not_found",
    ),
    (
        "the undoing of such a rollback",
        settling(row(AGAIN), target=done(CANCEL, attempts=0), legs=(undoing("d"),)),
        "leave person",
    ),
    ("a settle that was told whole", settling(row(CANCEL_S), target=done(settle("s1"))), SILENT),
    ("no rollback", settling(row(WIN), target=SPLIT, legs=(THEIR_DEBIT,)), SILENT),
]


def refund(*parts: Movement, bets: tuple[Movement, ...] = (), **more: Any) -> Case:
    own = more.pop("own", row(ROUND))
    return settling(own, **{"provider": "kyren", "round_bets": bets, "parts": parts, **more})


REFUND_PARTS: Pairs = [
    ("two bets", refund(bets=(done(BET), sent(bet("t2")))), "split part.first:debit/t1 part.later:debit/t2"),
    ("one is being undone", refund(OPEN_PART), "first p"),
    ("another bet came meanwhile", refund(undoing("debit/t1"), bets=(done(bet("t2")),)), "split part.later:debit/t2"),
    ("all are undone", refund(undoing("debit/t1"), undoing("debit/t2", GONE)), "decide accepted"),
    (
        "one is refused, nothing moved",
        refund(undoing("debit/t1", SETTLED), undoing("debit/t2", GONE)),
        "decide already_settled",
    ),
    ("one is refused, another moved", refund(undoing("debit/t1"), undoing("debit/t2", SETTLED)), "leave person"),
    ("its bets are undone already", refund(bets=(ONE,)), SILENT),
    ("no bets", refund(), SILENT),
    ("it names a bet", refund(bets=(done(BET),), target=done(BET)), SILENT),
    ("it was asked as one", refund(bets=(done(BET),), own=sent(ROUND)), SILENT),
    ("a part of one", refund(bets=(done(BET),), own=row(ROUND, parent="rollback/c8")), SILENT),
    ("where a round is a word for the record", refund(bets=(done(BET),), provider="native"), SILENT),
    (
        "the bet that it names may have been forgotten",
        refund(bets=(done(BET),), own=row(ROUND, attempts=1, asked_at=NOW, forgot_at=NOW)),
        SILENT,
    ),
]


def whole(*parts: Movement, **more: Any) -> Case:
    return waiting(row(settle("s1")), **{"parts": parts, "wallet": SPLITTING, **more})


def leg(own: Movement, name: str, **more: Any) -> Movement:
    return replace(own, key=name, space=f"settle.{name}", parent="settle/s1", **more)


DEBIT, CREDIT = leg(done(bet("s1")), "debit"), leg(done(win("s1")), "credit")
NO_WIN = leg(done(win("s1"), no(Reason.PLAYER_BLOCKED)), "credit")
UNDONE = leg(done(undo("rollback:s1", "s1")), "rollback")
SETTLE_LEGS: Pairs = [
    ("the debit first", whole(), "split debit"),
    ("the debit is in doubt", whole(leg(sent(bet("s1")), "debit")), "first debit"),
    ("the debit was looked at", whole(leg(sent(bet("s1")), "debit"), tried=frozenset({"debit"})), "leave doubt"),
    ("the debit is declined", whole(leg(done(bet("s1"), BROKE), "debit")), "decide insufficient_funds"),
    ("then the credit", whole(DEBIT), "split credit"),
    ("the credit is owed", whole(DEBIT, leg(sent(win("s1")), "credit")), "first credit"),
    ("both are done", whole(DEBIT, CREDIT), "decide accepted"),
    ("the credit is declined: the debit goes back", whole(DEBIT, NO_WIN), "split rollback:debit"),
    ("it is going back", whole(DEBIT, NO_WIN, leg(sent(undo("x", "s1")), "rollback")), "first rollback"),
    ("it went back", whole(DEBIT, NO_WIN, UNDONE), "decide player_blocked"),
    ("it did not", whole(DEBIT, NO_WIN, leg(done(undo("x", "s1"), SETTLED), "rollback")), "leave person"),
    ("a wallet that has the words", whole(wallet="native"), SILENT),
    ("no settle", waiting(row(BET), wallet=SPLITTING), SILENT),
]

ITEM_1, ITEM_2 = bet("i1", round_id=""), bet("i2", round_id="")
LAST = win("i3", round_id="")


def item(own: Movement) -> Movement:
    """Of an atomic batch that has no answer yet."""
    return replace(own, batch="b1", atomic=True, told="")


def batch(*siblings: Movement, own: Movement | None = None, **more: Any) -> Case:
    return waiting(own or item(row(LAST)), siblings=tuple(item(m) for m in siblings), **more)


BATCH_BROKEN: Pairs = [
    ("the other was taken", batch(done(ITEM_1), done(ITEM_2, BROKE)), "give back debit/i1"),
    ("the other is in doubt", batch(sent(ITEM_1), done(ITEM_2, BROKE)), "first debit/i1"),
    ("the other stays in doubt", batch(sent(ITEM_1), done(ITEM_2, BROKE), tried=frozenset({"debit/i1"})), "leave owed"),
    (
        "the other is going back",
        batch(undone(done(ITEM_1), row(CANCEL)), done(ITEM_2, BROKE)),
        "decide insufficient_funds",
    ),
    ("nothing was taken", batch(done(ITEM_1, BROKE)), "decide insufficient_funds"),
    ("nothing was declined", batch(done(ITEM_1), sent(ITEM_2)), SILENT),
    (
        "the cancel of the other was refused, so it stands by itself",
        waiting(item(row(LAST)), siblings=(replace(item(done(ITEM_1)), atomic=False), item(done(ITEM_2, BROKE)))),
        "decide insufficient_funds",
    ),
    ("each for itself", batch(done(ITEM_1, BROKE), own=replace(item(row(LAST)), atomic=False)), SILENT),
    ("the credit may have left", batch(done(ITEM_1, BROKE), own=item(sent(LAST))), SILENT),
    ("a debit", batch(done(ITEM_1, BROKE), own=item(row(ITEM_2))), SILENT),
    ("a giving back that was refused is none of its debits", batch(done(CANCEL, SETTLED, ours=True)), SILENT),
]


def taken(own: Movement, *siblings: Movement, **more: Any) -> Case:
    """A debit of an atomic batch that is decided, beside the others."""
    return batch(*siblings, own=item(own), **more)


TAKEN_IN_VAIN: Pairs = [
    ("the other was declined", taken(done(ITEM_1), done(ITEM_2, BROKE)), "give back debit/i1"),
    ("the other is in doubt", taken(done(ITEM_1), sent(ITEM_2)), SILENT),
    ("it is in doubt itself", taken(sent(ITEM_1), done(ITEM_2, BROKE)), SILENT),
    ("it is going back", taken(undone(done(ITEM_1), row(CANCEL)), done(ITEM_2, BROKE)), SILENT),
    ("it was declined, too", taken(done(ITEM_1, BROKE), done(ITEM_2, BROKE)), SILENT),
    ("a win", taken(done(LAST), done(ITEM_2, BROKE)), SILENT),
    ("a cancel was refused", taken(done(ITEM_1), done(CANCEL, SETTLED)), "give back debit/i1"),
    ("a cancel, and another one was refused", taken(done(CANCEL), done(SECOND, SETTLED)), "give back rollback/c1"),
    ("what ended a hold", taken(done(LIFT), done(ITEM_2, BROKE)), SILENT),
    ("a person declined the win", taken(done(ITEM_1), done(LAST, no(Reason.UNSUPPORTED))), SILENT),
    ("each for itself", batch(done(ITEM_2, BROKE), own=replace(item(done(ITEM_1)), atomic=False)), SILENT),
    (
        "its provider heard that it stands",
        batch(done(ITEM_2, BROKE), own=replace(item(done(ITEM_1)), told="accepted")),
        SILENT,
    ),
    (
        "its giving back was refused",
        taken(done(ITEM_1), done(ITEM_2, BROKE), done(CANCEL, SETTLED, ours=True, target="debit/i1")),
        SILENT,
    ),
]


def won_by(*bets: Movement, own: Movement | None = None, **more: Any) -> Case:
    return settling(own or row(WIN), bets=bets, **more)


FINAL_WINS = replace(
    a_provider("native"),
    dialect=declared(
        a_provider("native").dialect, final_noes={Owed.NAMED_WIN: frozenset({Reason.ALREADY_ROLLED_BACK})}
    ),
)
"""Its page lets a wallet decline the win of a bet that was rolled back."""
ITS_BET_WAS_UNDONE: Pairs = [
    (
        "the journal knows of the rollback",
        won_by(CANCELLED, cancels=(done(CANCEL),), provider=FINAL_WINS),
        "decide already_rolled_back",
    ),
    (
        "it was given back in doubt",
        won_by(lost=done(BET, no(Reason.ALREADY_ROLLED_BACK)), provider=FINAL_WINS),
        "decide already_rolled_back",
    ),
    ("the wallet decides that, too, elsewhere", won_by(lost=done(BET, no(Reason.ALREADY_ROLLED_BACK))), SILENT),
    ("at another provider the wallet decides", won_by(CANCELLED, cancels=(done(CANCEL),)), SILENT),
    ("its rollback is under way", won_by(CANCELLED, cancels=(sent(CANCEL),), provider=FINAL_WINS), SILENT),
    ("its rollback was refused", won_by(CANCELLED, cancels=(done(CANCEL, GONE),), provider=FINAL_WINS), SILENT),
    ("its bet stands", won_by(done(BET), provider=FINAL_WINS), SILENT),
    (
        "it was asked: only its wallet knows",
        won_by(CANCELLED, own=sent(WIN), cancels=(done(CANCEL),), provider=FINAL_WINS),
        SILENT,
    ),
    ("it names none", won_by(CANCELLED, own=row(win("w1")), cancels=(done(CANCEL),), provider=FINAL_WINS), SILENT),
]

ITS_BET_FIRST: Pairs = [
    ("its bet is in doubt", won_by(sent(BET)), "first debit/t1"),
    ("its bet stays in doubt", won_by(sent(BET), tried=frozenset({"debit/t1"})), "leave owed"),
    ("a cancel was read, and never left", won_by(CANCELLED, cancels=(row(CANCEL),)), "first debit/t1"),
    ("a cancel that may have left: the wallet decides", won_by(CANCELLED, cancels=(sent(CANCEL),)), SILENT),
    ("its bet was undone", won_by(CANCELLED, cancels=(done(CANCEL, GONE, attempts=0),)), SILENT),
    ("one of two is in doubt", won_by(done(BET), sent(bet("t2"))), "first debit/t2"),
    ("its bet is accepted", won_by(done(BET)), SILENT),
    ("its bet was declined", won_by(refused_bet=done(BET, BROKE)), SILENT),
    (
        "the same, where a bet comes to one end",
        won_by(refused_bet=done(BET, BROKE), provider=ENDING),
        "decide transaction_not_found",
    ),
    (
        "the same, where no refused bet is paid",
        won_by(refused_bet=done(BET, BROKE), provider=UNPAID),
        "decide transaction_not_found",
    ),
    (
        "where each comes to one end, because its cancel came before it",
        won_by(refused_bet=done(BET, no(Reason.ALREADY_ROLLED_BACK)), provider=ENDING),
        "decide already_rolled_back",
    ),
    (
        "its bet was cancelled, where a bet comes to one end",
        won_by(undone(done(BET), row(CANCEL)), cancels=(done(CANCEL),), provider=ENDING),
        "decide already_rolled_back",
    ),
    (
        "there, and nobody knows yet",
        won_by(undone(done(BET), row(CANCEL)), cancels=(sent(CANCEL),), provider=ENDING),
        "leave owed",
    ),
    ("there, of a bet in doubt", won_by(CANCELLED, cancels=(sent(CANCEL),), provider=ENDING), "leave owed"),
    (
        "there, of a bet in doubt whose cancel never left: the win stops it",
        won_by(CANCELLED, cancels=(row(CANCEL),), provider=ENDING),
        "first debit/t1",
    ),
    (
        "there, of an accepted one: the same",
        won_by(undone(done(BET), row(CANCEL)), cancels=(row(CANCEL),), provider=ENDING),
        SILENT,
    ),
    (
        "an accepted one whose provider heard that it is rolled back: its cancel goes first",
        won_by(undone(done(BET, told="declined"), row(CANCEL)), cancels=(row(CANCEL),)),
        "first rollback/c1",
    ),
    (
        "the same, told of its cancel",
        won_by(undone(done(BET), row(CANCEL)), cancels=(row(CANCEL, told="accepted"),), provider=ENDING),
        "first rollback/c1",
    ),
    (
        "the same, and its cancel cannot be sent now",
        won_by(
            undone(done(BET, told="declined"), row(CANCEL)), cancels=(row(CANCEL),), tried=frozenset({"rollback/c1"})
        ),
        "leave owed",
    ),
    (
        "the same, and its cancel may have left: its wallet decides",
        won_by(undone(done(BET, told="declined"), row(CANCEL)), cancels=(sent(CANCEL),)),
        SILENT,
    ),
    (
        "the same, and the win may have left",
        won_by(undone(done(BET, told="declined"), row(CANCEL)), own=sent(WIN), cancels=(row(CANCEL),)),
        SILENT,
    ),
    (
        "there, and its cancel was refused",
        won_by(undone(done(BET), row(CANCEL)), cancels=(done(CANCEL, SETTLED),), provider=ENDING),
        SILENT,
    ),
    (
        "there, given back by the gateway: its provider does not know",
        won_by(undone(done(BET), row(CANCEL)), cancels=(done(CANCEL, ours=True),), provider=ENDING),
        SILENT,
    ),
    (
        "there, and it was asked already",
        won_by(undone(done(BET), row(CANCEL)), own=sent(WIN), cancels=(done(CANCEL),), provider=ENDING),
        SILENT,
    ),
    ("it ties to none", won_by(), SILENT),
    ("a settle's own", won_by(sent(BET), own=row(WIN, parent="settle/s1")), SILENT),
    ("a cancel", won_by(sent(BET), own=row(CANCEL)), SILENT),
]

# ---------------------------------------------------------------- who, where, how

OVER = Session(provider="acme", session="s", player="p-1", expires_at=NOW - TEN, seen_at=NOW - DAYS)


def under(own: Movement, **more: Any) -> Case:
    """It came under a session that is over."""
    return waiting(own, **{"provider": RENEWING, "own_session": OVER, **more})


ONLY = win("w1", of="t1", player="", session="", currency="", round_id="")
NOBODY_KNOWS: Pairs = [
    ("no route, a bet", waiting(row(BET), way=False), "decide unsupported"),
    ("no route, a win", settling(row(WIN), way=False), "leave person"),
    ("no route, a bet that may have left", settling(sent(BET), way=False), "leave doubt"),
    ("no route, a bet that the journal may have forgotten", waiting(FEARED, way=False), "leave person"),
    ("no player, a bet", waiting(row(bet("t1", player=""))), "decide not_authenticated"),
    (
        "no player, its session is over",
        waiting(row(bet("t1", player="")), nobody=Reason.SESSION_EXPIRED),
        "decide session_expired",
    ),
    ("no player, a win", settling(row(win("w1", player=""))), "leave person"),
    ("no currency, a bet", waiting(row(bet("t1", currency=""))), "decide not_authenticated"),
    ("no player, a cancel: it names a bet", waiting(row(undo("c1", "t1", player=""))), SILENT),
    ("no currency, a release", waiting(row(replace(LIFT, currency=""))), SILENT),
    ("all is known", waiting(row(BET)), SILENT),
    (
        "a win that says only a bet which is not here",
        waiting(row(ONLY), provider=ENDING),
        "decide transaction_not_found",
    ),
    ("the same, where bets come to several ends", waiting(row(ONLY)), "leave person"),
    (
        "the same, and the journal may have forgotten that bet",
        waiting(sent(ONLY, forgot_at=NOW), provider=ENDING),
        "leave person",
    ),
    (
        "the same, and its bet said who plays",
        waiting(row(replace(ONLY, player="p-1", currency="EUR")), provider=ENDING),
        SILENT,
    ),
    ("the same, and it says a session", waiting(row(replace(ONLY, session="s-9")), provider=ENDING), "leave person"),
    ("its session was replaced, a bet", under(row(BET)), "decide session_expired"),
    ("the same, and it may have left", under(sent(BET)), SILENT),
    ("the same, a win of a bet that is not here", under(row(WIN)), "decide transaction_not_found"),
    ("the same, a win of one that is", under(row(WIN), bets=(done(BET),)), SILENT),
    ("the same, a win of no bet", under(row(win("w1"))), SILENT),
    ("the same, a cancel", under(row(CANCEL)), SILENT),
    ("the same, where none is replaced", under(row(BET), provider=ENDING), SILENT),
    ("it is not over yet", under(row(BET), moment=Moment(NOW - DAYS)), SILENT),
]

OF_BET = replace(CANCEL, act=Rollback(reference="t1", scope="round"))
NO_WORDS: Pairs = [
    ("a hold", waiting(row(HOLD), wallet=SPLITTING), "decide unsupported"),
    ("a correction that gives", settling(row(MORE), wallet=SPLITTING), "leave person"),
    ("a hold that may have left", settling(sent(HOLD), wallet=SPLITTING), "leave doubt"),
    ("one that may have been forgotten", waiting(sent(HOLD, forgot_at=NOW), wallet=SPLITTING), "leave person"),
    ("a hold that its wallet has forgotten", settling(sent(HOLD, DAYS), wallet=SPLITTING), "leave person"),
    ("a free bet", waiting(row(bet("t1", free=True)), wallet=BLIND), "decide accepted"),
    ("a rollback of what its wallet would guess", waiting(row(CANCEL), guessed=True), "decide transaction_not_found"),
    ("the same, and it may have left", waiting(sent(CANCEL), guessed=True), SILENT),
    ("the same, of what is here", waiting(row(CANCEL), guessed=True, target=done(BET)), SILENT),
    ("of what it forgot", waiting(row(CANCEL), guessed=True, target=done(BET, ago=DAYS)), "leave person"),
    ("of a bet in doubt", waiting(row(OF_BET), guessed=True, target=sent(BET, TEN), wallet="kyren"), "leave owed"),
    (
        "the same, and it may have left",
        waiting(sent(OF_BET), guessed=True, target=sent(BET, TEN), wallet="kyren"),
        SILENT,
    ),
    ("one word for both", waiting(row(OF_BET), guessed=True, target=sent(BET, TEN), wallet="netgaming"), SILENT),
    ("the rollback of one", waiting(row(CANCEL), guessed=True, target=sent(BET, TEN), wallet="kyren"), SILENT),
    (
        "a part of what never came through here",
        waiting(row(PART), wallet=BLIND, provider=PARTLY),
        "decide transaction_not_found",
    ),
    ("a bet", waiting(row(BET), wallet=SPLITTING), SILENT),
]

# ---------------------------------------------------------------- asking

NEVER_WENT: Pairs = [
    ("long ago", settling(row(BET, TEN)), "decide already_rolled_back"),
    ("doubt was told long ago", settling(doubted(row(BET, TEN), TEN)), "decide already_rolled_back"),
    ("a repeat may still come", settling(doubted(row(BET, TEN), JUST_NOW)), SILENT),
    (
        "its settle's repeat may still come",
        settling(row(bet("s1"), TEN, parent="settle/s1"), whole=doubted(row(settle("s1")), JUST_NOW)),
        SILENT,
    ),
    ("it came a moment ago", settling(row(BET)), SILENT),
    ("its provider waits", waiting(row(BET, TEN)), SILENT),
    ("a win ties to it", settling(row(BET, TEN), won=True), SILENT),
    ("it may have left", settling(sent(BET, TEN)), SILENT),
    ("it is owed", settling(row(WIN, TEN)), SILENT),
    ("the journal may have forgotten it", settling(row(BET, TEN, forgot_at=NOW)), SILENT),
]

OPENED = sent(BET, owner=HERE, revision=0)
IN_THE_AIR: Pairs = [
    ("its share is not over", waiting(sent(BET), air=in_the_air(sent(BET))), "wait 1 for debit/t1"),
    (
        "its provider's time ends before",
        waiting(sent(BET), air=in_the_air(sent(BET)), left=0.4),
        "wait 0.4 for debit/t1",
    ),
    ("nobody waits", settling(sent(BET), air=in_the_air(sent(BET))), "leave doubt"),
    ("a win, and nobody waits", settling(sent(WIN), air=in_the_air(sent(WIN))), "leave owed"),
    ("its share is over", waiting(sent(BET), air=in_the_air(sent(BET), 0.0)), SILENT),
    ("nothing is in the air", waiting(sent(BET)), SILENT),
    (
        "another call journals its answer",
        waiting(sent(BET), air={"debit/t1": Air(in_hand=True)}),
        "wait 0.005 for debit/t1",
    ),
    ("the same, and nobody waits", settling(sent(BET), air={"debit/t1": Air(in_hand=True)}), "leave doubt"),
    ("another call is about to send it", waiting(OPENED, asked=repeat(BET)), "wait 0.005 for debit/t1"),
    ("it opened it itself", waiting(OPENED, asked=first_call(BET)), SILENT),
    ("another process opened it", waiting(replace(OPENED, owner=ELSEWHERE), asked=repeat(BET)), SILENT),
]

REFUNDED = (sent(replace(CANCEL, act=Rollback(reference="t0", scope="round")), TEN),)
SENT_NOW = (sent(REFUNDED[0].tx),)
MEETS_A_ROLLBACK: Pairs = [
    ("a refund that was asked may give it back", waiting(row(BET), guesses=REFUNDED), "decide unsupported"),
    ("its answer may come in time", waiting(row(BET), guesses=SENT_NOW), "wait 0.05 for debit/t1"),
    ("its provider's time is over", waiting(row(BET), guesses=SENT_NOW, left=0.01), "decide unsupported"),
    (
        "an asking that got no answer is on its way",
        waiting(row(BET), guesses=(replace(done(REFUNDED[0].tx), attempts=2),)),
        "decide unsupported",
    ),
    ("a win came for the bet after doubt", settling(doubted(row(BET), TEN), guesses=REFUNDED, won=True), "leave doubt"),
    (
        "a win was there, and nothing was told of the bet",
        waiting(row(BET), guesses=REFUNDED, won=True),
        "decide unsupported",
    ),
    (
        "the same, and that is a person's",
        settling(doubted(row(BET), TEN), guesses=(replace(REFUNDED[0], state=State.PERSON),), won=True),
        "leave person",
    ),
    ("the bet may have been asked", waiting(sent(BET, TEN), guesses=REFUNDED, wallet="kyren"), "leave doubt"),
    ("its wallet can be asked about it", waiting(sent(BET, TEN), guesses=REFUNDED), "query"),
    (
        "the journal may have forgotten that",
        waiting(sent(BET, forgot_at=NOW), guesses=REFUNDED, wallet="kyren"),
        "leave doubt",
    ),
    ("a refund that never left", waiting(row(BET), guesses=(row(REFUNDED[0].tx),)), SILENT),
    ("a refund beside a bet", waiting(row(CANCEL), guesses=(sent(BET),)), SILENT),
    ("none", waiting(row(BET)), SILENT),
]

FIRST_ASKING: Pairs = [
    ("its provider waits", waiting(row(BET)), "ask"),
    ("it is owed", settling(row(WIN)), "ask"),
    ("a win ties to it", settling(row(BET), won=True), "ask"),
    ("nobody wants it", settling(row(BET)), SILENT),
    ("it may have left", waiting(sent(BET)), SILENT),
    ("it is leaving", waiting(row(BET), air=in_the_air(row(BET))), SILENT),
    ("no time is left", waiting(row(BET), left=0.01), SILENT),
    ("its wallet is not asked just now", waiting(row(BET), hopeless=True), SILENT),
    ("one step in a look of settlement", settling(row(WIN), turn=1), SILENT),
]

BLANK = sent(BET, forgot_at=NOW - JUST_NOW)
JOURNAL_FORGOT: Pairs = [
    ("a wallet that looks for the id, and it may be queued", waiting(BLANK), "ask"),
    ("a strict wallet, and it may be queued", waiting(BLANK, wallet=STRICT), "query"),
    ("the same, and it does not know it", waiting(replace(BLANK, fact=UNSEEN), wallet=STRICT), "ask"),
    (
        "nothing can be queued: a query is final",
        waiting(sent(BET, LATER, forgot_at=NOW - LATER), wallet=STRICT),
        SILENT,
    ),
    ("a wallet that can be asked nothing, once", waiting(BLANK, wallet=BLIND_STRICT), "ask"),
    ("the same, after that", waiting(replace(BLANK, attempts=2), wallet=BLIND_STRICT), "leave person"),
    ("the same, in the air", waiting(replace(BLANK, attempts=2), wallet=BLIND_STRICT, air=in_the_air(BLANK)), SILENT),
    ("asked already, at a wallet that looks for the id", waiting(replace(BLANK, attempts=2)), SILENT),
    ("nobody wants it", settling(BLANK, wallet=STRICT), SILENT),
    ("it forgot nothing", waiting(sent(BET), wallet=STRICT), SILENT),
]

FORGOTTEN: Pairs = [
    ("a bet", settling(sent(BET, DAYS)), "leave person"),
    ("a win", settling(sent(WIN, DAYS)), "leave person"),
    ("a bet that its provider repeats", asked_again(sent(BET, DAYS)), "leave person"),
    ("it never left", settling(row(WIN, DAYS)), SILENT),
    ("its wallet remembers it", settling(sent(BET)), SILENT),
    ("a request is in the air", settling(sent(BET, DAYS), air=in_the_air(sent(BET))), SILENT),
    (
        "by a clock that jumped",
        settling(sent(BET, DAYS), moment=Moment(NOW, (Stepped(NOW - DAYS, NOW - JUST_NOW),))),
        SILENT,
    ),
]

NEARLY = SHORT.remembers - SHORT.in_flight_max
SECOND_ASKING: Pairs = [
    ("its provider waits", asked_again(sent(BET)), "ask"),
    ("it is owed", settling(sent(WIN)), "ask"),
    ("a win ties to it", settling(sent(BET), won=True), "ask"),
    ("a wallet that remembers what it applied", asked_again(sent(BET), wallet=APPLIED), "ask"),
    (
        "that one said no, and an attempt before may still be queued",
        settling(replace(TWICE, fact=said(BROKE)), won=True, wallet=APPLIED),
        "leave doubt for 119 s",
    ),
    ("the same, and its provider waits", asked_again(replace(TWICE, fact=said(BROKE)), wallet=APPLIED), "ask"),
    (
        "that one said no, and every attempt has landed",
        settling(sent(BET, LATER, attempts=2, fact=said(BROKE)), won=True, wallet=APPLIED),
        "ask first",
    ),
    ("a win was refused, and is owed", settling(sent(WIN, fact=said(SETTLED))), "ask"),
    (
        "the same, where the wallet says in one word that it has it and that its bet had its end",
        settling(sent(WIN, fact=said(SETTLED)), wallet=WON_ONCE),
        "ask first",
    ),
    (
        "there, a cancel",
        settling(sent(CANCEL, fact=said(no(Reason.SESSION_EXPIRED))), target=done(BET), wallet=WON_ONCE),
        "ask first",
    ),
    (
        "there, the answer is to an asking before",
        settling(sent(WIN, fact=said(SETTLED, LATER)), wallet=WON_ONCE),
        "ask",
    ),
    (
        "there, and of another asking nobody knows",
        settling(sent(WIN, fact=said(SETTLED), attempts=2), wallet=WON_ONCE),
        "ask",
    ),
    ("there, and nobody knows at all", settling(sent(WIN), wallet=WON_ONCE), "ask"),
    ("it lands while its wallet remembers", settling(sent(WIN, NEARLY - JUST_NOW), wallet=SHORT), "ask"),
    ("it would land after its wallet forgot", settling(sent(WIN, NEARLY), wallet=SHORT), SILENT),
    ("nobody wants it", settling(sent(BET)), SILENT),
    ("a strict wallet", asked_again(sent(BET), wallet=STRICT), SILENT),
    ("a wallet that may be asked once", asked_again(sent(BET), wallet=ONCE), SILENT),
    ("no time is left", asked_again(sent(BET), left=0.01), SILENT),
    ("its wallet is not asked just now", asked_again(sent(BET), hopeless=True), SILENT),
    ("nothing was asked yet", waiting(row(BET)), SILENT),
]

QUERY_IT: Pairs = [
    ("nobody wants it", settling(sent(BET)), "query"),
    ("its provider waits", asked_again(sent(BET), wallet=STRICT), "query"),
    ("it is owed", settling(sent(WIN), wallet=ONCE), "query"),
    ("a wallet without the words", settling(sent(BET), wallet=BLIND), SILENT),
    ("one step in a look of settlement", settling(sent(BET), turn=1), SILENT),
    ("no time is left", waiting(sent(BET), left=0.01), SILENT),
    ("nothing was asked yet", settling(row(WIN)), SILENT),
]

NEVER_AGAIN: Pairs = [
    ("a win", settling(sent(WIN), wallet=ONCE), "leave person"),
    ("a cancel", settling(sent(CANCEL), wallet=ONCE), "leave person"),
    ("a bet stays in doubt", settling(sent(BET), wallet=ONCE), SILENT),
    ("its answer may still come", settling(sent(WIN), wallet=ONCE, air=in_the_air(sent(WIN), 0.0)), SILENT),
    ("it never left", settling(row(WIN), wallet=ONCE), SILENT),
    ("a wallet that may be asked again", settling(sent(WIN), wallet=STRICT), SILENT),
]

LATE_ANSWERS: Pairs = [
    ("its provider waits", waiting(sent(BET), air=in_the_air(sent(BET), 0.0)), "wait 3 for debit/t1"),
    ("nobody waits", settling(sent(BET), air=in_the_air(sent(BET), 0.0)), SILENT),
    ("its provider's time is over", waiting(sent(BET), air=in_the_air(sent(BET), 0.0), left=0.0), SILENT),
    ("nothing is in the air", waiting(sent(BET)), SILENT),
]

DOUBT: Pairs = [
    ("a bet", waiting(sent(BET)), "leave doubt"),
    ("a win", settling(sent(WIN)), "leave owed"),
    ("it is a person's already", settling(sent(BET, state=State.PERSON)), "leave person"),
]
"""The last one: it always speaks."""

ALL: Mapping[str, Pairs] = {
    "other_content": OTHER_CONTENT, "taken_back": TAKEN_BACK, "silence_over": SILENCE_OVER,
    "taken_in_vain": TAKEN_IN_VAIN, "already_decided": ALREADY_DECIDED, "answered": ANSWERED, "cancel_stopped": CANCEL_STOPPED,
    "never_applied": NEVER_APPLIED, "wallet_gone": WALLET_GONE, "carried_elsewhere": CARRIED_ELSEWHERE,
    "came_too_late": CAME_TOO_LATE, "round_over": ROUND_OVER, "rollback_stands": ROLLBACK_STANDS,
    "forbidden": FORBIDDEN, "another_rollback": ANOTHER_ROLLBACK, "nothing_was_sent": NOTHING_WAS_SENT,
    "nobody_knows": NOBODY_KNOWS, "settle_legs": SETTLE_LEGS, "undo_legs": UNDO_LEGS, "refund_parts": REFUND_PARTS,
    "target_unsent": TARGET_UNSENT, "target_in_doubt": TARGET_IN_DOUBT, "batch_broken": BATCH_BROKEN,
    "its_bet_was_undone": ITS_BET_WAS_UNDONE, "its_bet_first": ITS_BET_FIRST, "no_words": NO_WORDS, "never_went": NEVER_WENT, "in_the_air": IN_THE_AIR,
    "meets_a_rollback": MEETS_A_ROLLBACK, "first_asking": FIRST_ASKING, "journal_forgot": JOURNAL_FORGOT, "forgotten": FORGOTTEN,
    "second_asking": SECOND_ASKING, "query": QUERY_IT, "never_again": NEVER_AGAIN, "late_answers": LATE_ANSWERS,
    "doubt": DOUBT,
}  # fmt: skip
NAMED = {rule.__name__: rule for rule in RULES}
EACH = [pytest.param(name, *pair[1:], id=f"{name}-{pair[0]}") for name, pairs in ALL.items() for pair in pairs]


@pytest.mark.parametrize(("rule", "case", "move"), EACH)
def test_what_a_rule_makes_of_a_case(rule: str, case: Case, move: str) -> None:
    """By itself, whatever the rules before it would have said."""
    assert in_words(NAMED[rule](case)) == move


def test_every_rule_has_pairs_in_which_it_speaks_and_in_which_it_is_silent() -> None:
    """A rule that nobody showed a case to may say anything; one that always speaks hides all that follow."""
    assert list(ALL) == [rule.__name__ for rule in RULES]
    for name, pairs in ALL.items():
        words = [move for _, _, move in pairs]
        assert [move for move in words if move != SILENT], name
        assert SILENT in words or name == RULES[-1].__name__, name


def test_the_first_rule_that_speaks_decides() -> None:
    """A repeat with other content hears that, although its movement is decided as well."""
    assert in_words(next_move(asked_again(done(BET), bet("t1", "11.00")))) == "tell duplicate_mismatch"
    assert in_words(next_move(asked_again(done(BET)))) == "tell replayed accepted"


def test_a_rule_that_looks_at_what_nobody_read_is_a_bug() -> None:
    """And loud: it must never take what was not looked for to be absent."""
    blind = replace(settling(doubted(sent(BET), TEN), provider=CLOCKED), around=Around())
    with pytest.raises(NotGathered):
        next_move(blind)
