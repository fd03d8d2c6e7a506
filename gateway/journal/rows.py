"""Between rows and values: one place knows the order of the columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from gateway.engine.journal import Event, Movement, Session, Step
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Kind, Outcome, Rollback, Transaction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DETAIL_MAX = 1000  # characters of a step's detail

MOVEMENT_COLUMNS = (
    "key, provider, space, kind, fingerprint, intent, wallet, route, alias, state, attempts, asked_at, target, undone_by,"
    " parent, outcome, told, told_at, note, owner, due_at, tries, created_at, decided_at"
)
SESSION_COLUMNS = (
    "provider, session, player, currency, game, brand, wallet, wallet_session, launch_token, expires_at, seen_at"
)

_encode = msgspec.json.Encoder().encode
_intent = msgspec.json.Decoder(Transaction)
_outcome: msgspec.json.Decoder[Accepted | Declined] = msgspec.json.Decoder(Accepted | Declined)


def micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def moment(number: int | None) -> datetime | None:
    return None if number is None else EPOCH + number * MICROSECOND


def states(listed: Iterable[State]) -> str:
    """For an IN list of a query; the names are ours."""
    return ", ".join(f"'{state.value}'" for state in listed)


def text(value: Transaction | Outcome) -> str:
    return _encode(value).decode()


def insert_values(m: Movement) -> tuple[Any, ...]:
    """In the order of the query `insert`."""
    act = m.tx.act
    undo = act if isinstance(act, Rollback) else None
    return (
        m.key, m.provider, m.space, m.kind.value, m.tx.id, m.tx.player, m.tx.currency, m.tx.round_id, m.reference,
        undo.reference_kind.value if undo else "", undo.scope if undo else "", m.fingerprint, text(m.tx), m.wallet,
        m.route, m.alias, m.state.value, int(m.owes), m.attempts, micros(m.asked_at), m.target, m.undone_by, m.parent,
        None if m.outcome is None else text(m.outcome), m.told, micros(m.told_at), m.note, m.owner,
        micros(m.due_at), m.tries, micros(m.created_at), micros(m.decided_at),
    )  # fmt: skip


def movement(row: tuple[Any, ...]) -> Movement:
    return Movement(
        key=row[0],
        provider=row[1],
        space=row[2],
        kind=Kind(row[3]),
        fingerprint=row[4],
        tx=_intent.decode(row[5]),
        wallet=row[6],
        route=row[7],
        alias=row[8],
        state=State(row[9]),
        attempts=row[10],
        asked_at=moment(row[11]),
        target=row[12],
        undone_by=row[13],
        parent=row[14],
        outcome=None if row[15] is None else _outcome.decode(row[15]),
        told=row[16],
        told_at=moment(row[17]),
        note=row[18],
        owner=row[19],
        due_at=moment(row[20]),
        tries=row[21],
        created_at=EPOCH + row[22] * MICROSECOND,
        decided_at=moment(row[23]),
    )


def step(row: tuple[Any, ...]) -> Step:
    return Step(EPOCH + row[0] * MICROSECOND, Event(row[1]), row[2])


def session_values(s: Session) -> tuple[Any, ...]:
    """In the order of the query `learn`."""
    return (
        s.provider, s.session, s.player, s.currency, s.game, s.brand, s.wallet, s.wallet_session, s.launch_token,
        micros(s.expires_at), micros(s.seen_at),
    )  # fmt: skip


def session(row: tuple[Any, ...]) -> Session:
    return Session(
        provider=row[0],
        session=row[1],
        player=row[2],
        currency=row[3],
        game=row[4],
        brand=row[5],
        wallet=row[6],
        wallet_session=row[7],
        launch_token=row[8],
        expires_at=moment(row[9]),
        seen_at=EPOCH + row[10] * MICROSECOND,
    )
