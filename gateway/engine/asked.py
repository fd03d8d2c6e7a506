"""What became of an id, where its provider asks by that alone (`StatusBy.ID`): what it hears, and what that leaves.

The answer is a word like that to a call of the movement itself: who hears that a bet was booked takes it for taken, and who
hears that it was not takes it for not taken, whatever comes later.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.identity import key_of, same_player, space_of
from gateway.engine.journal import Ask, Look, Put, Steps, Write
from gateway.engine.movement import Movement, told
from gateway.engine.parts import gone
from gateway.engine.setup import Provider
from gateway.engine.states import State
from gateway.model import Declined, Kind, Outcome, Reason, Status, Transaction, Unknown


class Found(Struct, frozen=True):
    """What is told; None: the journal knows nothing. `key`: the movement whose decision that is."""

    outcome: Outcome | None
    key: str = ""


NOT_FOUND = Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="no such movement came through here")
NOT_BOOKED = replace(NOT_FOUND, replayed=True)


def answering(provider: Provider, tx: Transaction, call: str, now: datetime, *, denied: bool) -> Steps[Found]:
    """The first decision of what has this id, journalled as heard by this call (rules 12, 26). `denied`: its wallet does not
    know it either: what nobody knows leaves a row under its key, whose content no movement has, so that a late call under that
    id is another movement under a used one (rules 2, 15).

    *A bet timed out, its provider asked, heard that it was not booked and told the player so; then the bet arrived.*
    """
    act = tx.act
    assert isinstance(act, Status)
    space = space_of(provider.dialect, act.reference_kind)
    key = key_of(provider.dialect, provider.id, space, replace(tx, id=act.reference))
    (rows,) = yield Look((Ask("own", (key,)),), (f"{provider.id}\x1f{act.reference}",))
    own: Movement | None = next(iter(rows), None)
    if own is None:
        if not denied:
            return Found(None)
        held: bool = yield Write(insert=(_nothing(provider, tx, act, key, space, now),))
        return Found(NOT_FOUND if held else None)
    if own.kind is Kind.STATUS or not same_player(own.tx.player, tx.player):
        return Found(NOT_FOUND)
    undoers = (yield Look((Ask("own", (own.undone_by,)),)))[0] if own.undone_by else []
    return (yield from _decision(own, next(iter(undoers), None), call, now))


def _decision(own: Movement, undoer: Movement | None, call: str, now: datetime) -> Steps[Found]:
    """What the gateway gave back by itself its provider believes not to be booked (rule 12)."""
    ours = undoer is not None and undoer.ours
    if own.outcome is None or (ours and undoer is not None and not undoer.decided):
        return Found(Unknown(detail="its outcome is not known yet"))
    if ours and undoer is not None and gone(undoer):
        return Found(NOT_BOOKED)
    if own.told != own.state.value:
        held: bool = yield Write(puts=(Put(own, told(own, call, now)),))
        if not held:
            return Found(Unknown(detail="it changes just now"))
    return Found(replace(own.outcome, replayed=True), own.key)


def _nothing(
    provider: Provider, tx: Transaction, act: Status, key: str, space: str, now: datetime
) -> Movement:  # fmt: skip
    """It is nobody's: whoever the late call is for, it is none of theirs."""
    said = Transaction(act=act, id=act.reference)
    return Movement(
        key=key, provider=provider.id, space=space, kind=Kind.STATUS, tx=said, fingerprint="", state=State.DECLINED,
        outcome=NOT_FOUND, told=State.DECLINED.value, told_at=now, created_at=now, decided_at=now,
        note="asked about, and nobody knew it",
    )  # fmt: skip
