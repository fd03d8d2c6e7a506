"""Between rows and values: one place knows the columns and their order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from gateway.engine.journal import Doubt
from gateway.engine.movement import Count, Event, Fact, Listing, Movement, Session, Step
from gateway.engine.setup import Unresolved
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Kind, Rollback, Transaction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DETAIL_MAX = 1000  # characters of a step's detail

MOVEMENT = (
    "key", "provider", "space", "kind", "fingerprint", "intent", "wallet", "place", "route", "alias", "state",
    "attempts", "asked_at", "forgot_at", "fact", "target", "undone_by", "parent", "batch", "ours", "outcome", "told",
    "told_at", "heard", "note", "owner", "due_at", "tries", "created_at", "decided_at", "revision", "atomic", "forgot_since",
)  # fmt: skip
DERIVED = ("id", "player", "currency", "round", "session", "reference", "reference_kind", "scope", "owes")
"""Columns that say again what the intent says: for queries."""
MUTABLE = (
    "wallet", "place", "route", "alias", "state", "attempts", "asked_at", "forgot_at", "fact", "target", "undone_by",
    "batch", "atomic", "outcome", "told", "told_at", "heard", "note", "owner", "due_at", "tries", "decided_at",
)  # fmt: skip
INSERTED = (*MOVEMENT, *DERIVED)
SESSION = (
    "provider", "session", "player", "currency", "game", "brand", "wallet", "wallet_session", "launch_token",
    "expires_at", "seen_at", "country",
)  # fmt: skip
SESSION_COLUMNS = ", ".join(SESSION)

_encode = msgspec.json.Encoder().encode
_intent = msgspec.json.Decoder(Transaction)
_outcome: msgspec.json.Decoder[Accepted | Declined] = msgspec.json.Decoder(Accepted | Declined)
_fact = msgspec.json.Decoder(Fact)
_KINDS, _STATES = {kind.value: kind for kind in Kind}, {state.value: state for state in State}


def micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def moment(number: int | None) -> datetime | None:
    return None if number is None else EPOCH + number * MICROSECOND


def stored(value: Any) -> Any:
    """A value of a movement as its column holds it."""
    if value is None or type(value) is str or type(value) is int:
        return value
    if isinstance(value, datetime):
        return (value - EPOCH) // MICROSECOND
    if type(value) is State or type(value) is Kind:
        return value.value
    if type(value) is bool:
        return int(value)
    return _encode(value).decode()


def insert_values(m: Movement, due: int | None) -> tuple[Any, ...]:
    """In the order of `INSERTED`. `due`: when it is due, or how long it is not."""
    tx, act = m.tx, m.tx.act
    undo = act if isinstance(act, Rollback) else None
    return (
        m.key, m.provider, m.space, m.kind.value, m.fingerprint, stored(tx), m.wallet, m.place, m.route, m.alias,
        m.state.value, m.attempts, micros(m.asked_at), micros(m.forgot_at), stored(m.fact), m.target, m.undone_by,
        m.parent, m.batch, int(m.ours), stored(m.outcome), m.told, micros(m.told_at), m.heard, m.note, m.owner, due,
        m.tries, micros(m.created_at), micros(m.decided_at), m.revision, int(m.atomic),
        micros(m.forgot_since),
        tx.id, tx.player, tx.currency, tx.round_id, tx.session, m.reference,
        undo.reference_kind.value if undo else "", undo.scope if undo else "", int(m.owes),
    )  # fmt: skip


def changed(before: Movement, after: Movement) -> dict[str, Any]:
    """What a put changes: indexes of what stays as it is are left alone."""
    found: dict[str, Any] = {}
    if before is after:  # only its revision is raised
        return found
    for name in MUTABLE:
        if (value := getattr(after, name)) is not (was := getattr(before, name)) and value != was:
            found[name] = stored(value)
    return found


def movement(row: tuple[Any, ...]) -> Movement:
    (
        key, provider, space, kind, fingerprint, intent, wallet, place, route, alias, state, attempts, asked_at, forgot_at,
        fact, target, undone_by, parent, batch, ours, outcome, told, told_at, heard, note, owner, due_at, tries, created_at,
        decided_at, revision, atomic, forgot_since, lease_over,
    ) = row  # fmt: skip
    return Movement(
        key=key, provider=provider, space=space, kind=_KINDS[kind], tx=_intent.decode(intent), fingerprint=fingerprint,
        wallet=wallet, place=place, route=route, alias=alias, state=_STATES[state], attempts=attempts,
        asked_at=None if asked_at is None else EPOCH + asked_at * MICROSECOND,
        forgot_at=None if forgot_at is None else EPOCH + forgot_at * MICROSECOND,
        forgot_since=None if forgot_since is None else EPOCH + forgot_since * MICROSECOND,
        fact=None if fact is None else _fact.decode(fact), target=target, undone_by=undone_by, parent=parent, batch=batch,
        atomic=atomic == 1, ours=ours == 1, outcome=None if outcome is None else _outcome.decode(outcome), told=told,
        told_at=None if told_at is None else EPOCH + told_at * MICROSECOND, heard=heard, note=note, owner=owner,
        due_at=None if due_at is None else EPOCH + due_at * MICROSECOND, lease_over=lease_over, tries=tries,
        created_at=EPOCH + created_at * MICROSECOND,
        decided_at=None if decided_at is None else EPOCH + decided_at * MICROSECOND, revision=revision,
    )  # fmt: skip


def count(row: tuple[Any, ...]) -> Count:
    wallet, kind, state, number, oldest = row
    return Count(wallet, kind, State(state), number, EPOCH + oldest * MICROSECOND)


def unresolved(row: tuple[Any, ...]) -> Unresolved:
    return Unresolved(*row)


def doubt(row: tuple[Any, ...]) -> Doubt:
    return Doubt(since=EPOCH + row[0] * MICROSECOND, said_at=EPOCH + row[1] * MICROSECOND)


def listing(listed: Listing, columns: str, newest_first: str) -> tuple[str, tuple[Any, ...]]:
    """The query of a listing, and its values.

    What is open, and what is one player's, is few: it is found by its index, and sorted then. The rest is read
    from the newest on until there is enough of it, which for a provider that sends nothing any more (and, on SQLite,
    for a moment long ago) is the whole journal: an index for that would cost every bet.
    """
    where, values = _filters(listed)
    place, ordered = newest_first.replace(" DESC", ""), f"ORDER BY {newest_first}"
    if listed.states or (listed.player and not listed.provider):
        sql = f"""WITH RECURSIVE {PROVIDERS}, chosen AS MATERIALIZED (SELECT {place} FROM movements WHERE {where})
            SELECT {columns} FROM movements WHERE ({place}) IN (SELECT {place} FROM chosen {ordered} LIMIT ?) {ordered}"""  # noqa: S608  # columns and marks only, every value is bound
    else:
        sql = f"SELECT {columns} FROM movements WHERE {where} {ordered} LIMIT ?"  # noqa: S608  # columns and marks only, every value is bound
    return sql, (*values, listed.limit)


PROVIDERS = """providers (name) AS (
  SELECT min(provider) FROM movements
  UNION ALL
  SELECT (SELECT min(m.provider) FROM movements m WHERE m.provider > providers.name)
  FROM providers WHERE providers.name IS NOT NULL)"""
"""Every provider that ever sent something: one step of an index each."""


def _filters(listed: Listing) -> tuple[str, list[Any]]:
    """What is compared behind `|| ''` has an index that is not to be asked: it would have more rows read, and sorted."""
    where, values = ["1 = 1"], list[Any]()
    if listed.states:
        where.append(f"state IN ({', '.join('?' * len(listed.states))})")
        values += [state.value for state in listed.states]
        if not {State.ACCEPTED, State.DECLINED} & {*listed.states}:
            where.append("state NOT IN ('accepted', 'declined')")  # said, so that their index is asked
    by_player = listed.player and not listed.states
    if listed.provider:
        where.append("provider = ?" if by_player else "provider || '' = ?")
        values.append(listed.provider)
    elif by_player:
        where.append("provider IN (SELECT name FROM providers)")
    if listed.player:
        where.append("player = ?" if by_player else "player || '' = ?")
        values.append(listed.player)
    if listed.before is not None:
        where.append("created_at < ?")
        values.append(micros(listed.before))
    return " AND ".join(where), values


def step(row: tuple[Any, ...]) -> Step:
    return Step(EPOCH + row[0] * MICROSECOND, Event(row[1]), row[2])


def session_values(s: Session) -> tuple[Any, ...]:
    """In the order of `SESSION`."""
    return (
        s.provider, s.session, s.player, s.currency, s.game, s.brand, s.wallet, s.wallet_session, s.launch_token,
        micros(s.expires_at), micros(s.seen_at), s.country,
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
        country=row[11],
    )


DECODED: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "{row}": movement, "{session}": session, "{doubt}": doubt, "{step}": step,
}  # fmt: skip
"""By what a query selects."""
