"""A journal that the version before has written is read right: what was open is open, and nothing is new."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import apsw
import psycopg
import pytest
from msgspec.structs import replace

from gateway.engine.journal import Put
from gateway.engine.movement import Event, Listing, Movement, Step, decided
from gateway.engine.setup import Unresolved
from gateway.engine.states import State
from gateway.journal import postgres, rows, sqlite
from gateway.journal.kept import JournalError
from gateway.journal.reader import Reader
from gateway.model import Accepted, Credit, Debit, Declined, Kind, Reason, Rollback, Settle
from tests.journal.homes import HOUR, YES, Home, PostgresHome, SqliteHome, found, looked, now, transaction, wrote

COLUMNS = [
    "key",
    "provider",
    "space",
    "kind",
    "id",
    "player",
    "currency",
    "round",
    "reference",
    "reference_kind",
    "scope",
    "fingerprint",
    "intent",
    "wallet",
    "route",
    "alias",
    "state",
    "owes",
    "attempts",
    "asked_at",
    "target",
    "undone_by",
    "parent",
    "outcome",
    "told",
    "told_at",
    "note",
    "owner",
    "due_at",
    "tries",
    "created_at",
    "decided_at",
    "session",
]
"""As the version before inserted; `heard` began at 0 and was counted."""
START = rows.micros(now()) or 0
LATER, BEFORE = START + 10**10, START - 10**10
YES_BEFORE = '{"outcome":"accepted","balance":"87.50","currency":"EUR"}'
NO_BEFORE = '{"outcome":"declined","reason":"insufficient_funds"}'


def row(space: str, id: str, act: dict[str, str], heard: int = 0, **said: Any) -> dict[str, Any]:
    intent = {"act": act, "id": id, "player": "anna", "session": "s-1", "currency": "EUR", "round": {"id": "r-1"}}
    owes = act["kind"] in ("credit", "rollback")
    given: dict[str, Any] = {
        "key": f"acme/{space}/{id}", "provider": "acme", "space": space, "kind": act["kind"], "id": id, "player": "anna",
        "currency": "EUR", "round": "r-1", "reference": act.get("reference", ""),
        "reference_kind": "debit" if act["kind"] == "rollback" else "",
        "scope": "transaction" if act["kind"] == "rollback" else "", "fingerprint": "f", "intent": json.dumps(intent),
        "wallet": "main", "route": "r-{player}", "alias": f"a-{id}", "state": "asking", "owes": int(owes), "attempts": 1,
        "asked_at": BEFORE, "target": "", "undone_by": "", "parent": "", "outcome": None, "told": "", "told_at": None,
        "note": "", "owner": "", "due_at": None, "tries": 0, "created_at": BEFORE, "decided_at": None, "session": "s-1",
    }  # fmt: skip
    over = {"accepted": YES_BEFORE, "declined": NO_BEFORE}.get(said.get("state", ""))
    return given | ({"outcome": over, "decided_at": BEFORE + 5} if over else {}) | said | {"heard": heard}


def debit(id: str, **said: Any) -> dict[str, Any]:
    return row(said.pop("space", "debit"), id, {"kind": "debit", "amount": "12.50"}, **said)


def rollback(id: str, of: str, **said: Any) -> dict[str, Any]:
    return row("rollback", id, {"kind": "rollback", "reference": of}, **said)


def credit(id: str, **said: Any) -> dict[str, Any]:
    return row(said.pop("space", "credit"), id, {"kind": "credit", "amount": "20"}, **said)


DOUBT: dict[str, Any] = {"told": "unknown", "told_at": BEFORE + 9}
OLD = [
    debit("asking", owner="n-1", due_at=LATER),
    debit("doubt", state="doubt", due_at=BEFORE, tries=3, undone_by="acme/rollback/gw:doubt", **DOUBT),
    debit("person", state="person", note="the wallet has forgotten", **DOUBT),
    debit("later", state="doubt", due_at=LATER, **DOUBT),
    debit("heard", state="accepted", heard=2, told="accepted", told_at=BEFORE + 9),
    debit("watched", state="accepted", due_at=LATER, **DOUBT),
    debit("declined", state="declined", heard=1, told="declined", told_at=BEFORE + 9),
    credit("owed", state="owed", due_at=BEFORE, **DOUBT),
    # The gateway's own, taken over once; and two of a provider that calls its own so.
    rollback("gw:doubt", "doubt", target="acme/debit/doubt", state="owed", due_at=BEFORE, **DOUBT),
    rollback("gw:heard", "heard", target="acme/debit/heard", state="declined", heard=1, told="declined", told_at=BEFORE),
    rollback("gw:else", "unknown", state="owed", due_at=BEFORE, **DOUBT),
    # A settle for a wallet that cannot say it: its parts have key spaces of their own.
    row("settle", "s", {"kind": "settle", "debit": "12.50", "credit": "20"}, state="doubt", due_at=BEFORE, **DOUBT),
    debit("s", space="settle.debit", parent="acme/settle/s", state="accepted"),
    credit("s", space="settle.credit", parent="acme/settle/s", state="owed", due_at=BEFORE),
]  # fmt: skip


def sql_of(old: dict[str, Any], mark: str) -> tuple[str, list[Any]]:
    names = [*COLUMNS, "heard"]
    return f"INSERT INTO movements ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})", [
        old[name] for name in names
    ]


REST = (
    "INSERT INTO steps VALUES ('acme/debit/doubt', 1, 5, 'silent', 'no answer')",
    f"INSERT INTO sessions VALUES ('acme', 's-1', 'anna', 'EUR', 'g', '', 'main', '', 'lt', NULL, {START})",
)


def before(home: Home) -> None:
    """Schema 1, with rows."""
    if isinstance(home, SqliteHome):
        db = apsw.Connection(str(home.path))
        db.execute(sqlite.MIGRATIONS[0][1])
        db.execute("PRAGMA user_version = 1")
        for old in OLD:
            db.execute(*sql_of(old, "?"))
        for each in REST:
            db.execute(each)
        db.close()
    if isinstance(home, PostgresHome):
        with psycopg.connect(home.url) as connection:
            connection.execute("CREATE TABLE gateway_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)")
            connection.execute("INSERT INTO gateway_schema VALUES (1, 1)")
            connection.execute(postgres.MIGRATIONS[0][1].encode())
            for old in OLD:
                sql, values = sql_of(old, "%s")
                connection.execute(sql.encode(), values)
            for each in REST:
                connection.execute(each.encode())


def expected(home: Home) -> dict[str, Movement]:
    """As the engine reads them today. On SQLite the process that was asking is dead by now."""
    acts: dict[str, Callable[[str], Any]] = {
        "debit": lambda reference: Debit(amount=Decimal("12.50")),
        "credit": lambda reference: Credit(amount=Decimal(20)),
        "settle": lambda reference: Settle(debit=Decimal("12.50"), credit=Decimal(20)),
        "rollback": lambda reference: Rollback(reference=reference),
    }
    made = {}
    outcomes: dict[str, Accepted | Declined] = {
        YES_BEFORE: YES, NO_BEFORE: Declined(reason=Reason.INSUFFICIENT_FUNDS)
    }  # fmt: skip
    for old in OLD:
        m = Movement(
            key=old["key"], provider="acme", space=old["space"], kind=Kind(old["kind"]), fingerprint="f", wallet="main",
            tx=transaction(acts[old["kind"]](old["reference"]), old["id"]), route="r-{player}", alias=old["alias"],
            state=State(old["state"]), attempts=1, asked_at=rows.moment(BEFORE), target=old["target"],
            undone_by=old["undone_by"], parent=old["parent"], ours=old["id"] == "gw:doubt", told=old["told"],
            told_at=rows.moment(old["told_at"]), heard="before" if old["heard"] else "", note=old["note"],
            owner=old["owner"], due_at=rows.moment(old["due_at"]), tries=old["tries"],
            created_at=rows.EPOCH + BEFORE * rows.MICROSECOND, decided_at=rows.moment(old["decided_at"]),
            outcome=outcomes.get(old["outcome"]),
        )  # fmt: skip
        made[m.key] = m
    if isinstance(home, SqliteHome):
        m = made["acme/debit/asking"]
        made[m.key] = replace(m, state=State.DOUBT, told="unknown", owner="", revision=1)
        made["acme/debit/later"] = replace(made["acme/debit/later"], revision=1)
    return made


async def test_what_the_version_before_wrote_is_read_right(home: Home) -> None:
    """An update in the middle of a night with doubt: nothing that was owed is lost, nothing is asked anew."""
    before(home)
    journal = await home.journal()
    for key, m in expected(home).items():
        read = await found(journal, key)
        moved = key in ("acme/debit/asking", "acme/debit/later") and isinstance(home, SqliteHome)
        if moved:  # the wall clock may have been set back while nobody ran
            assert read.due_at is not None
            assert read.due_at < now() + timedelta(minutes=2)
            read = replace(read, due_at=m.due_at, told_at=m.told_at)
        assert replace(read, lease_over=None) == m
    assert [step.what for step in await journal.story("acme/debit/doubt")] == [Event.SILENT]
    session = await journal.session("acme", "s-1")
    assert session is not None
    assert (session.game, session.launch_token) == ("g", "lt")
    assert await journal.unresolved() == [Unresolved("acme", "main", "", 10)]


async def test_the_rules_find_what_the_version_before_wrote(home: Home) -> None:
    """A cancel of today finds the bet of yesterday, its other cancels and its round; a part stays a part."""
    before(home)
    journal = await home.journal()

    async def ids(query: str, *values: Any) -> list[str]:
        return sorted(m.tx.id for m in await looked(journal, query, *values))

    assert await ids("found", "acme", "heard") == ["heard"]
    assert [m.key for m in await looked(journal, "found", "acme", "s")] == ["acme/settle/s"]
    assert await ids("naming", "acme", "doubt") == []  # our own is nobody's word
    assert await ids("naming", "acme", "heard") == ["gw:heard"]
    assert await ids("naming", "acme", "unknown") == ["gw:else"]
    assert await ids("aimed", "acme/debit/doubt") == ["gw:doubt"]
    assert sorted(m.space for m in await looked(journal, "parts", "acme/settle/s")) == ["settle.credit", "settle.debit"]
    bets = ["asking", "doubt", "heard", "later", "person", "watched"]  # in doubt: undone, and not yet decided
    assert await ids("round_bets", "acme", "anna", "r-1", 99) == bets
    taken = await journal.take_due(now(), "n-2", HOUR, {"*": 99})
    due = {m.key.removeprefix("acme/") for m in taken}
    always = {"debit/doubt", "credit/owed", "rollback/gw:doubt", "rollback/gw:else", "settle/s", "settle.credit/s"}
    assert due == always | ({"debit/asking"} if isinstance(home, SqliteHome) else set())
    m = next(m for m in taken if m.key == "acme/credit/owed")
    assert await wrote(journal, Put(m, decided(m, Accepted(), now(), "call")))


async def test_a_reader_beside_it_reads_its_own_schema(home: Home) -> None:
    """`gateway tx list` of the new version, before the new gateway has started: said, no stack trace."""
    before(home)

    def reader() -> AbstractContextManager[Reader]:
        if isinstance(home, SqliteHome):
            return sqlite.reading(str(home.path))
        assert isinstance(home, PostgresHome)
        return postgres.reading(home.url, "")

    with pytest.raises(JournalError, match="has schema 1"), reader():
        pass
    await (await home.journal()).note("acme/debit/heard", [Step(now(), Event.REPEATED)])
    with reader() as read:
        m = read.get("acme/debit/heard")
        assert m is not None
        assert m.outcome == YES
        assert read.listed(Listing(limit=1)) != []
        assert [step.what for step in read.story(m.key)] == [Event.REPEATED]
        assert [each.tx.id for each in read.aimed(m.key)] == ["gw:heard"]
        assert len(read.parts("acme/settle/s")) == 2
