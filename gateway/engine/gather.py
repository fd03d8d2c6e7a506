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

from gateway.engine.case import NOTHING_TIES, Around, Case
from gateway.engine.journal import Ask as LookFor
from gateway.engine.journal import Looks
from gateway.engine.moment import Moment
from gateway.engine.movement import Movement, Session
from gateway.engine.places import route_of, way_of
from gateway.engine.setup import Provider, Setup
from gateway.engine.ties import (
    Found,
    aimed_at,
    bets_of,
    deeper_of,
    end_asks,
    ends_of,
    first_asks,
    guess_asks,
    guessing,
    is_misnamed,
    look,
    may_be_meant,
    named_bets,
    of_its_bets,
    of_its_target,
    one,
    over,
    second_asks,
    session_asks,
    target_of,
    third_asks,
    tombstone_of,
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
    provider, page, whole = hands.provider, hands.provider.dialect.as_provider, one(first, "whole")
    bets = bets_of(provider, own, first) if own.kind is Kind.CREDIT else ()
    asks = second_asks(provider, own, target, bets, whole) | guess_asks(way, own, target, hands.moment)
    ends = end_asks(way, own, target, bets, first)
    asks |= ends
    second = (yield from look(asks)) if asks else {}
    asks = third_asks(provider, own, target, first, second)
    third = (yield from look(asks)) if asks else {}
    session = one(first, "session")
    found: dict[str, Any] = {
        "target": target, "stranger": stranger, "own_session": session, "last_session": one(first, "last_session"),
        "target_session": one(second, "target_session") or session, "latest": one(first, "latest"),
    }  # fmt: skip
    if own.undone_by:
        found |= {"undoer": one(first, "undoer"), "restorer": one(third, "restorer")}
    if own.parent:
        found |= {"whole": whole, "whole_undoer": one(second, "whole_undoer")}
    if own.batch:
        found["siblings"] = tuple(m for m in first["batch"] if m.key != own.key)
    if fresh:
        found["tombstone"] = tombstone_of(provider, own, first)
    if own.takes and ("won.named" in first or not fresh):
        found["won"] = won(first, own, "won")
    if "parts" in first:
        found["parts"] = tuple(first["parts"])
    if "aimed" in first:
        found |= aimed_at(first["aimed"])
    if "of_round" in first:
        found["over"] = over(page, own, first)
    if "round_won" in first:
        found |= {"round_won": one(first, "round_won"), "round_bets": tuple(second.get("round_bets", ()))}
        found |= {"round_undoing": tuple(first["round_undoing"])}
    if own.kind is Kind.CREDIT:
        found |= of_its_bets(provider, own, first, second, bets)
    if target is not None:
        found |= of_its_target(target, second, third)
    if ends:
        found["ends"] = ends_of(way, own, second)
    if way is not None and second.get("guessing"):
        found["guesses"] = guessing(hands.moment, way, own, second, third)
    if own.undoes:
        guesses = [m for rows in (second, third) for name in rows if name.startswith("guess.") for m in rows[name]]
        found["guessed"] = any(may_be_meant(hands.moment, way, own, target, m) for m in guesses)
        found["guesses"] = tuple(m for m in guesses if m.wallet == own.wallet and not m.decided and m.key != own.target)
        found["unmet"] = "met" in second and not (second["met"] or session or found["last_session"])
        found["misnamed"] = page.misnamed is not None and is_misnamed(provider, own, first)
        if page.partial or page.undoes_rollbacks:
            if found.get("further") is not None:
                found["deeper"], aimed = yield from deeper_of(found["further"])
                found["aside"] = (*found["aside"], *aimed)
            roots = (*second.get("others", ()), *(found.get("aside", ()) if found.get("further") is not None else ()))
            found["undoings"] = yield from undoings_of(own, roots)
    if own.reference and target is None and not own.decided and way is not None:
        found["strange"] = yield from _strange(way, own, named_bets(provider, own, first))
    return replace(NOTHING_TIES, **found)


def _strange(way: Way, own: Movement, named: Sequence[Movement]) -> Looks[str]:
    """What is named that nobody here knows, where its id may be that of another movement (rules 3, 15): blank elsewhere. A bet
    that was declined is known, and told as it was, although a win ties to none such."""
    if not way.wallet.dialect.as_wallet.ids.scarce:
        return ""
    told = next((bet.alias for bet in named if bet.wallet == own.wallet and bet.alias), "")
    if told:
        return told
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
