"""What the journal forgot, and what a wallet does not remember any more (rules 14, 30).

After a loss of the journal a wallet's word may be one about another movement, which is in no journal: whether it may be
is judged here, and what is asked of what came since.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.engine.case import Ask, Case, Leave, Move, Query
from gateway.engine.judge import denied
from gateway.engine.movement import Movement
from gateway.engine.parts import by_round, by_stake
from gateway.engine.states import State
from gateway.model import Accepted, Credit, Kind, Reason, Settle


def journal_forgot(case: Case) -> Move | None:
    """It may have been asked before the journal forgot it, and a query would not be final.

    Move: Query where the wallet looks at no id first, then Ask, a plain no being doubt (what is owed waits until the no to
    its query is final); with no query Leave it to a person
    *After a restored backup a repeat was a first attempt, its `insufficient_funds` final, while the
    first had been applied.* *A win's repeat was sent at once to a wallet that would have said that it was paid:* such a
    wallet is asked first what it knows, and a bet need not wait until its no to that is final. *A win that was still queued
    when the journal forgot it was unknown to its wallet, was sent again, and paid twice:* what is owed waits until then. *A win
    had been paid under the name of its bet, which the journal forgot, and came again as one of no bet:* at a wallet that knows a
    bet's win by the bet such a win is a person's. *It had been paid as one of no bet, its round having two, of which the
    journal forgot one, and was paid again as that of the other:* so is such a win. *A win had been paid, which the journal forgot, and could be sent again when its
    wallet had forgotten it, too: it was paid twice:* nothing is asked that would not land while it remembers what came before.
    Serves: 14, 30
    """
    own = case.own
    if own.forgot_at is None or not case.wanted or not case.may_act:
        return None
    if told_in_another_name(case):
        lost = "another bet of its round" if own.reference and not case.names_its_bet else "the bet"
        return Leave(State.PERSON, f"the journal may have forgotten {lost}, and its wallet was told this win otherwise")
    looks_first = case.again in ("safe", "applied")
    if looks_first and not case.remembered:
        return None
    blind = not looks_first and not case.can_query
    if own.attempts <= 1 and (blind or not case.landed(own) or not case.can_query):
        if own.owes and denied(own) and not looks_first:
            return Leave(own.open_state, "what the journal forgot of it may still be on its way")
        if looks_first and not case.remembered_in(case.wallet.in_flight_max):
            return forgotten(case)
        return Ask() if looks_first or blind or denied(own) else Query()
    if blind and not case.air_of(own.key).requests:
        return Leave(State.PERSON, "the journal forgot whether it was asked, and its wallet cannot be asked about it")
    return None


def forgotten(case: Case) -> Move | None:
    """Its wallet does not remember it any more.

    Move: Leave it to a person
    After `remembers` a 404 means nothing, and a second asking may move the money again.
    Serves: 14
    """
    if case.unsent or case.remembered or case.air_of(case.own.key).young:
        return None
    return Leave(State.PERSON, f"wallet {case.wallet.name} does not remember it any more")


# ---------------------------------------------------------------- of which movement its wallet speaks


def told_in_another_name(case: Case) -> bool:
    """Whether a win that came since the journal forgot may have been told before as the one of its bet, and is now told as a
    further one, or as one of no bet; or as one of no bet, and now as that of the only bet of its round that is left: to a
    wallet that pays one win for each bet that is another movement."""
    own, act, page = case.own, case.own.tx.act, case.wallet.dialect.as_wallet
    if not isinstance(act, Credit) or own.parent or not page.one_win or not case.only_feared:
        return False
    if not _came_since(own):
        return False
    had_a_bet = bool(own.tx.round_id) and not case.provider.dialect.as_provider.one_end
    found = case.bet_of_win
    anew = found is not None and _came_since(found)  # else its round may have had another bet, which the journal forgot
    otherwise = act.further or (had_a_bet and not case.names_its_bet and not anew)
    first = replace(act, reference=act.reference or own.tx.id, further=False)
    return otherwise and (page.ended_by is None or page.ended_by(first))


def may_be_of_another_win(case: Case) -> bool:
    """Whether a wallet that was told a win as that of its bet said that it has that one, and the journal may have forgotten
    which it was. A provider whose bets come to one end has no two wins of one."""
    own, act, fact = case.own, case.own.tx.act, case.own.fact
    if not isinstance(act, Credit) or fact is None or fact.query or not isinstance(fact.outcome, Accepted):
        return False
    by_its_bet = bool(act.reference) and not (act.further or own.parent) and case.wallet.dialect.as_wallet.one_win
    return by_its_bet and fact.outcome.replayed and _came_since(own) and not case.one_end


def _came_since(own: Movement) -> bool:
    """Whether it came since the journal forgot, and is in no copy under the name that it was told in (rule 30)."""
    return own.forgot_at is not None and own.created_at >= own.forgot_at


def may_be_of_a_part(case: Case) -> bool:
    """Whether its wallet said that what it names was rolled back before, and that may have been another rollback, of a part of
    it, which the journal forgot (rules 17, 30)."""
    own, page = case.own, case.provider.dialect.as_provider
    if own.forgot_at is None or own.fact is None or own.fact.query or isinstance(own.fact.outcome, Accepted):
        return False
    in_parts = page.partial or page.undoes_rollbacks if case.target is None else case.in_parts(case.target)
    return in_parts and own.fact.outcome.reason is Reason.ALREADY_ROLLED_BACK


def may_mean_forgotten(case: Case) -> bool:
    """A refund that names no movement of the journal, and the journal may have forgotten the very bet that it names, or
    others of its round (rules 16, 30)."""
    own, dialect = case.own, case.provider.dialect
    refund = (by_round(dialect, own.tx.act) and not own.parent) or by_stake(dialect, own)
    return own.forgot_at is not None and refund and case.target is None


def may_have_paid(settle: Movement, legs: Sequence[Movement]) -> bool:
    """Whether a settle that was open when the journal forgot may have sent its win since, of which nothing is left (rule 30):
    after its bet, so not if that was declined."""
    act = settle.tx.act
    if not isinstance(act, Settle) or not act.credit or settle.forgot_at is None or settle.decided:
        return False
    return all(leg.kind is Kind.DEBIT and leg.state is not State.DECLINED for leg in legs)
