"""Between rows and values: one place knows the order of the columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from gateway.engine.journal import Count, Event, Listing, Movement, Session, Step
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


def text(value: Transaction | Outcome) -> str:
    return _encode(value).decode()


def insert_values(m: Movement, *, lasts: bool = False) -> tuple[Any, ...]:
    """In the order of the query `insert`. `lasts`: how long its lease lasts, instead of when it ends."""
    act = m.tx.act
    undo = act if isinstance(act, Rollback) else None
    due = (m.due_at - m.created_at) // MICROSECOND if lasts and m.due_at is not None else micros(m.due_at)
    return (
        m.key, m.provider, m.space, m.kind.value, m.tx.id, m.tx.player, m.tx.currency, m.tx.round_id, m.reference,
        undo.reference_kind.value if undo else "", undo.scope if undo else "", m.fingerprint, text(m.tx), m.wallet,
        m.route, m.alias, m.state.value, int(m.owes), m.attempts, micros(m.asked_at), m.target, m.undone_by, m.parent,
        None if m.outcome is None else text(m.outcome), m.told, micros(m.told_at), m.note, m.owner,
        due, m.tries, micros(m.created_at), micros(m.decided_at), m.tx.session,
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


def count(row: tuple[Any, ...]) -> Count:
    wallet, kind, state, number, oldest = row
    return Count(wallet, kind, State(state), number, EPOCH + oldest * MICROSECOND)


def listing(listed: Listing, newest_first: str) -> tuple[str, tuple[Any, ...]]:
    """The query of a listing, and its values."""
    where, values = ["1 = 1"], []
    if listed.states:
        where.append(f"state IN ({', '.join('?' * len(listed.states))})")
        values += [state.value for state in listed.states]
    for column, value in (("provider", listed.provider), ("player", listed.player)):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    before = micros(listed.before)
    bound: list[Any] = [*values, *([] if before is None else [before]), listed.limit]
    where += [] if before is None else ["created_at < ?"]
    sql = f"SELECT {MOVEMENT_COLUMNS} FROM movements WHERE {' AND '.join(where)} ORDER BY {newest_first} LIMIT ?"  # noqa: S608  # columns and marks only, every value is bound
    return sql, tuple(bound)


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
