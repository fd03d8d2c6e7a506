"""Filling a case: all that the rules tie to one movement, looked for in one place.

Generators of looks, pure: a database runs them in one transaction, beside all others. What is looked for and how it is read: `ties`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.case import Around, Case
from gateway.engine.journal import Ask as LookFor
from gateway.engine.journal import Looks
from gateway.engine.moment import Moment
from gateway.engine.movement import Movement, Session
from gateway.engine.parts import kept
from gateway.engine.places import route_of, way_of
from gateway.engine.setup import Provider, Setup
from gateway.engine.states import State
from gateway.engine.ties import (
    Found,
    aside_asks,
    bets_of,
    first_asks,
    guess_asks,
    is_misnamed,
    look,
    lost_bet,
    may_be_meant,
    named_bets,
    one,
    over,
    second_asks,
    session_asks,
    standing_wins,
    still_keeps,
    target_of,
    undoings_of,
    won,
)
from gateway.engine.words import Known, Way, named_as
from gateway.model import Act, Authenticate, Kind, Transaction

TURNS_MAX = 20  # ids that are another's, one after the other: more than this is no chance, and our bug


class Hands(Struct, frozen=True, kw_only=True):
    """In whose hands a case is: the process, its generation of the configuration, the moment."""

    setup: Setup
    provider: Provider
    node: str
    nonce: str
    moment: Moment
    lease: timedelta


Turns = Callable[[int], str]
"""What a movement may be told as, and the next ones where that is another's."""


def looking(hands: Hands, key: str) -> Looks[Case | None]:
    """All that the rules tie to one movement; None: it is not there."""
    found = yield from look({"own": LookFor("own", (key,))})
    own = one(found, "own")
    if own is None:
        return None
    return (yield from case_of(hands, own))


def case_of(hands: Hands, own: Movement) -> Looks[Case]:
    first = yield from look(first_asks(hands.provider, own, fresh=False))
    session = one(first, "session")
    default = route_of(hands.setup, hands.provider, own.tx, session)
    way, astray = way_of(hands.setup, hands.provider, own, default)
    target, stranger = target_of(hands.provider, own, first)
    target = target if own.target else None  # what came after it is not what it meant: it was its tombstone (rule 15)
    around = yield from around_of(hands, way, own, first, target, stranger=stranger, fresh=False)
    case = case_with(hands, own, way, astray, around)
    if way is None or own.alias:
        return case
    # No route led to a wallet when it was read.
    return replace(case, told_as=(yield from unmet(way, own, case.turn_of_alias)))


def case_with(hands: Hands, own: Movement, way: Way | None, astray: str, around: Around) -> Case:
    return Case(
        own=own, provider=hands.provider, way=way, astray=astray, moment=hands.moment, node=hands.node,
        nonce=hands.nonce, around=around,
    )  # fmt: skip


def around_of(
    hands: Hands, way: Way | None, own: Movement, first: Found, target: Movement | None, *, stranger: bool, fresh: bool
) -> Looks[Around]:  # fmt: skip
    """The rest of what ties to it, once the first look is there."""
    provider, whole = hands.provider, one(first, "whole")
    bets, lost = (
        (bets_of(provider, own, first), lost_bet(provider, own, first)) if own.kind is Kind.CREDIT else ((), None)
    )
    asks = second_asks(provider, own, target, bets, whole) | guess_asks(way, own, target, hands.moment)
    second = (yield from look(asks)) if asks else {}
    claimer, undoer = one(second, "claimer"), one(first, "undoer")
    again, beyond = {"unclaimer": claimer, "restorer": undoer}, one(second, "beyond")
    asks = {name: LookFor("own", (m.undone_by,)) for name, m in again.items() if m is not None and m.undone_by}
    if beyond is not None and beyond.undoes and beyond.target:
        asks["further"] = LookFor("own", (beyond.target,))
    asks |= aside_asks(provider, beyond)
    wins = standing_wins(second, target)
    asks |= {f"spent.{win.key}": LookFor("own", (win.undone_by,)) for win in wins if win.undone_by}
    beside = [m for m in second.get("beside", ()) if m.key != own.key and not m.decided]
    asks |= {f"guess.{m.key}": LookFor("own", (m.target,)) for m in beside}  # what is to be given back stands as yet
    third = (yield from look(asks)) if asks else {}
    counts = own.undoes and (provider.dialect.as_provider.partial or provider.dialect.as_provider.undoes_rollbacks)
    undoings = (yield from undoings_of(own, second.get("others", ()))) if counts else ()
    unclaimer = one(third, "unclaimer")
    standing = next((win for win in wins if still_keeps(win, third)), None)
    guessed = any(
        may_be_meant(hands.moment, way, own, target, m)
        for name, rows in (*second.items(), *third.items()) if name.startswith("guess.") for m in rows
    )  # fmt: skip
    more: dict[str, Any] = {}
    if own.takes and ("won.named" in first or not fresh):
        more["won"] = won(first, own, "won")
    if target is not None:
        more["target_won"] = won(second, target, "target_won")
    if "round_won" in first:
        more |= {"round_won": bool(first["round_won"]), "round_bets": tuple(second.get("round_bets", ()))}
        more |= {"round_undoing": tuple(first["round_undoing"])}
    return Around(
        target=target,
        undoer=undoer,
        claimer=claimer,
        unclaimed=unclaimer is not None and unclaimer.state is State.ACCEPTED,
        unclaiming=unclaimer is not None and not unclaimer.decided,
        restorer=one(third, "restorer"),
        beyond=beyond,
        further=one(third, "further"),
        others=tuple(second.get("others", ())),
        undoings=undoings,
        aside=tuple(m for name, rows in third.items() if name.startswith("aside.") for m in rows if m.undoes),
        stranger=stranger,
        standing_win=standing,
        win_undoer=one(third, f"spent.{standing.key}") if standing is not None else None,
        misnamed=provider.dialect.as_provider.misnamed is not None and is_misnamed(provider, own, first),
        given_back=tuple(m for m in first.get("aimed", ()) if m.ours),
        refused=tuple(m for m in first.get("aimed", ()) if not m.ours and kept(m)),
        over=over(provider.dialect.as_provider, own, first),
        unmet="met" in second and not (second["met"] or first.get("session") or first.get("last_session")),
        ended=any(m.ends and not m.ours and m.state is not State.DECLINED for m in first.get("aimed", ())),
        whole=whole,
        whole_undoer=one(second, "whole_undoer"),
        parts=tuple(first.get("parts", ())),
        legs=tuple(second.get("legs", ())),
        bets=bets,
        refused_bet=next(iter(named_bets(provider, own, first)), None)
        if provider.dialect.as_provider.one_end and not bets
        else None,
        cancels=tuple(row for name, rows in second.items() if name.startswith("cancel.") for row in rows),
        siblings=tuple(m for m in first.get("batch", ()) if m.key != own.key),
        guessed=guessed,
        lost=lost,
        paid=next((m for m in (*first.get("lone", ()), *first.get("halves", ())) if m.kind is Kind.DEBIT), None),
        strange=(yield from _strange(way, own, target, bets)),
        own_session=one(first, "session"),
        target_session=one(second, "target_session") or one(first, "session"),
        last_session=one(first, "last_session"),
        latest=one(first, "latest"),
        **more,
    )


def _strange(way: Way | None, own: Movement, target: Movement | None, bets: Sequence[Movement]) -> Looks[str]:
    """What is named that nobody here knows, where its id may be that of another movement (rules 3, 15): blank elsewhere."""
    if (
        way is None
        or not way.wallet.dialect.as_wallet.ids.scarce
        or target is not None
        or own.decided
        or not own.reference
    ):
        return ""
    if any(bet.tx.id == own.reference for bet in bets):
        return ""
    return (yield from unmet(way, own, partial(named_as, way, own.tx)))


def unmet(way: Way, own: Movement, turns: Turns) -> Looks[str]:
    """The first id that no other movement at its wallet is told as: in a domain as small as 63 bits two may meet (rule 3).

    The part that is told as its whole (rule 16) meets nobody. What has left the journal is not seen: there chance is all
    that keeps two apart.
    """
    ids = way.wallet.dialect.as_wallet.ids
    for turn in range(TURNS_MAX):
        told = turns(turn)
        if not ids.scarce or not told or ids.keeps(told):
            return told
        found = yield from look({"holder": LookFor("told_as", (way.wallet.name, told))})
        holder = one(found, "holder")
        if holder is None or holder.key in (own.key, own.parent):
            return told
    raise AssertionError(f"{own.key}: every id that it may be told as is another's")


def begins(launched: Session, act: Act) -> bool:
    """Whether this call asks who plays with the launch token of that session."""
    return isinstance(act, Authenticate) and bool(act.launch_token) and act.launch_token == launched.launch_token


def knowing(way: Way, tx: Transaction, session: Session | None) -> Looks[Known]:
    """What may be supplied to a call that is no movement. `session`: its own, where that was read before."""
    own = session if session is not None and session.session == tx.session else None
    if own is None and session is not None and begins(session, tx.act):  # the wallet knows the launch, not this session
        own = replace(session, wallet_session=session.wallet_session or session.session)
    asks = session_asks(way.provider.id, tx, "", fresh=own is not None)
    found = (yield from look(asks)) if asks else {}
    return Known(
        way=way, own_session=own or one(found, "session"), last_session=one(found, "last_session"),
        latest=one(found, "latest"),
    )  # fmt: skip
