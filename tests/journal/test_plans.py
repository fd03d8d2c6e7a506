"""What a look costs does not grow with a round, a player, a wallet or the journal."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import apsw
import psycopg
import pytest
from msgspec.structs import replace

from gateway.engine.movement import Listing, Movement, decided
from gateway.engine.states import State
from gateway.journal import postgres, rows, sqlite
from gateway.journal.kept import KeptJournal
from gateway.model import Round
from gateway.serve.shown import UNRESOLVED
from tests.journal.homes import HOUR, YES, SqliteHome, bet, cancel, looked, now, win, wrote
from tests.postgres import Server

LOOKS = {
    "own": 1, "found": 2, "naming": 2, "naming_wins": 3, "standing_win": 3, "standing_wins": 3, "wins": 3, "of_round": 3, "aimed": 1, "parts": 1, "batch": 1, "round_place": 3,
    "round_bets": 4, "standing_round_win": 3, "round_last": 4, "round_loose_win": 3, "standing_loose_win": 3, "standing_loose_wins": 3, "round_refunds": 3, "round_undoing": 4, "round_rollbacks": 3, "told_as": 2, "latest": 3, "other_of": 3, "session": 2,
    "session_by_launch": 2, "last_session": 3, "due": 3, "leaving_movements": 2, "forget_steps": 1,
    "forget_movements": 1, "leaving_sessions": 4, "forget_sessions": 2, "held": 1, "take": 6,
    "step": 5, "trim": 2, "story": 1,
}  # fmt: skip
"""Everything that is asked for a call or a look of settlement, and how many values it takes."""
ONE_TEXT = {"leaving_movements": 1, "leaving_sessions": 3, "forget_sessions": 1}  # SQLite takes many rows as one value
FEW = {"session_by_launch", "last_session"}  # sorted: one launch key's sessions; the two best ones
OF_THE_OPEN = {
    "orphan_steps": 1, "orphans": 2, "disowned": 1, "feared": 1, "unresolved": 0, "counts": 0, "hasten": 2, "catch_up": 4,
    "cut_short": 5, "fly_again": 1,
}  # fmt: skip
"""What is asked at a start, by gauges, by a reload and when the clock stepped: all that is open, and nothing else."""
SCANS = re.compile(r"SCAN (movements|sessions|steps|m|o|s)\b(?! USING (COVERING )?INDEX movements_(open|due)\b)")
LISTINGS = [
    Listing(states=open_states, provider=provider, player=player, before=before)
    for open_states, provider, player, before in itertools.product(
        ((), (State.PERSON,), UNRESOLVED), ("", "acme"), ("", "anna"), (None, now())
    )
]
"""Every way in which a person can ask for movements."""


def shown(listing: Listing) -> str:
    """The filters, as a person gives them."""
    said = [*listing.states, listing.provider and "provider", listing.player and "player", listing.before and "older"]
    return " ".join(filter(None, said)) or "all"


def walks(listing: Listing) -> bool:
    """Whether it is read from the newest movement on: no index knows it better."""
    return not listing.states and not listing.player


@pytest.fixture(scope="module")
def empty() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    sqlite.migrate(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize("query", LOOKS)
def test_sqlite_asks_an_index(empty: apsw.Connection, query: str) -> None:
    """SQLite takes a partial index only where the query says its condition: written otherwise it reads
    the whole journal, for every bet."""
    given = ONE_TEXT.get(query, LOOKS[query])
    plan = [row[-1] for row in empty.execute(f"EXPLAIN QUERY PLAN {sqlite.SQL[query]}", (None,) * given)]
    scanned = [line for line in plan if SCANS.match(line)]
    sorts = [line for line in plan if "TEMP B-TREE" in line and query not in FEW]
    assert not scanned, plan
    assert not sorts, plan


@pytest.mark.parametrize("query", OF_THE_OPEN)
def test_sqlite_reads_of_the_open_only_what_is_open(empty: apsw.Connection, query: str) -> None:
    """A start, a scrape and a step of the clock cost what is open, not what is kept: ten million rows later, too."""
    plan = [row[-1] for row in empty.execute(f"EXPLAIN QUERY PLAN {sqlite.SQL[query]}", (None,) * OF_THE_OPEN[query])]
    assert not [line for line in plan if SCANS.match(line)], plan
    assert any(re.search(r"INDEX movements_(open|due)\b", line) for line in plan), plan


@pytest.mark.parametrize("listing", LISTINGS, ids=shown)
def test_sqlite_lists_by_an_index(empty: apsw.Connection, listing: Listing) -> None:
    """*Whoever looked for what waits for a person read a million movements, and every bet stood still meanwhile; for one
    provider's last hundred all that it ever sent was sorted.* What is open, and what is a player's, is found by its index;
    the rest begins with the newest and sorts nothing."""
    sql, values = rows.listing(listing, sqlite.ROW, sqlite.NEWEST_FIRST)
    plan = [row[-1] for row in empty.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scanned = [line for line in plan if SCANS.match(line)]
    if walks(listing):
        assert plan == ["SCAN movements"]  # backwards: no sorting
    else:
        assert not scanned, plan


def test_sqlite_plans_once(tmp_path: Path) -> None:
    """Where partial indexes are about, SQLite plans again for every value that is bound, which costs ten
    times what the look does: a plan must not depend on values."""
    connection = sqlite.connect(str(tmp_path / "j.db"))
    assert connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1)
    connection.close()


async def test_a_name_at_a_time_is_read_of_what_is_due(empty: apsw.Connection) -> None:
    """100,000 owed credits of a wallet that is down are one step for the list of wallets, not 100,000."""
    plan = [row[-1] for row in empty.execute(f"EXPLAIN QUERY PLAN {sqlite.SQL['due_wallets']}")]
    assert all("movements_due" in line for line in plan if "SEARCH" in line)
    assert not [line for line in plan if re.match(r"SCAN (movements|m)\b", line)], plan


@pytest.fixture(scope="module")
def shared(postgres: Server) -> Iterator[psycopg.Connection]:
    url = postgres.create("plans")

    async def made() -> None:
        await (await postgres_journal(url)).close()

    asyncio.run(made())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET plan_cache_mode = force_generic_plan")  # as the hundredth call asks
        yield connection


CHANGED = {
    "key": "key || n", "id": "id || n", "alias": "alias || n", "player": "'player-' || mod(n, 500)", "round": "'r-' || n / 3",
    "created_at": "created_at - CAST(n AS BIGINT) * 1000000",
}  # fmt: skip
COPIED = f"""INSERT INTO movements ({", ".join(rows.INSERTED)})
    SELECT {", ".join(CHANGED.get(name, name) for name in rows.INSERTED)}
    FROM movements, generate_series(1, %s) AS numbers (n) WHERE key = %s"""


@pytest.fixture(scope="module")
def filled(postgres: Server) -> Iterator[psycopg.Connection]:
    """With movements, and with what the database knows of how many there are of which kind: a listing's plan is chosen by
    that, and of a table without rows every one is as good as another."""
    url = postgres.create("plans_filled")

    async def made() -> None:
        journal = await postgres_journal(url)
        await wrote(journal, insert=(decided(bet("b"), YES, now()), decided(win("w"), YES, now()), bet("open")))
        await journal.close()

    asyncio.run(made())
    with psycopg.connect(url, autocommit=True) as connection:
        for key, number in (("acme/debit/b", 20_000), ("acme/credit/w", 10_000), ("acme/debit/open", 100)):
            connection.execute(COPIED.encode(), (number, key))
        connection.execute("ANALYZE movements")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        yield connection


def planned(shared: psycopg.Connection, name: str, asked: str, given: int) -> str:
    """The plan of a prepared statement, whatever its values."""
    numbers = itertools.count(1)
    sql = re.sub(r"\?(\d?)", lambda mark: f"${mark[1] or next(numbers)}", asked)
    shared.execute(f"PREPARE {name} AS {sql}".encode())
    call = f"EXPLAIN EXECUTE {name}" + (f"({', '.join(['NULL'] * given)})" if given else "")
    return "\n".join(row[0] for row in shared.execute(call.encode()))


def used(plan: str) -> set[str]:
    return set(re.findall(r"(?:Scan(?: Backward)? using|Bitmap Index Scan on) (\w+)", plan))


async def postgres_journal(url: str) -> KeptJournal:
    return await postgres.PostgresJournal.start(url)


@pytest.mark.parametrize("query", [*LOOKS, "due_wallets", "hold_movements", "hold_sessions"])
def test_postgres_asks_an_index(shared: psycopg.Connection, query: str) -> None:
    """The same, also with a plan that does not know the values."""
    # the moment is the database's
    given = LOOKS.get(query, 2 if query.startswith("hold_") else 0) - (query == "due")
    plan = planned(shared, f"{query}_", postgres.NAMED[query], given)
    assert "Seq Scan on" not in plan, plan
    expected = {"aimed": "target", "own": "pkey", "held": "pkey", "latest": "pkey player", "parts": "parent"}
    # backwards, past what was undone of one round
    expected |= {"round_last": "pkey round_place"}
    if query.startswith(("round_", "naming")) or query in {"found", "batch", "due", "due_wallets", *expected}:
        name = "due" if query == "due_wallets" else expected.get(query, query)
        assert used(plan) == {f"movements_{each}" for each in name.split()}, plan
        assert "Filter:" not in plan or query in {"due_wallets", "round_undoing", "round_last"}, plan  # of few


@pytest.mark.parametrize("query", OF_THE_OPEN)
def test_postgres_reads_of_the_open_only_what_is_open(filled: psycopg.Connection, query: str) -> None:
    """As on SQLite; by the database's own clock."""
    own_clock = {"hasten": 0, "catch_up": 2, "cut_short": 3, "fly_again": 0}
    plan = planned(filled, f"{query}_", postgres.NAMED[query], own_clock.get(query, OF_THE_OPEN[query]))
    assert "Seq Scan on movements" not in plan, plan
    assert used(plan) - {"steps_pkey"} <= {"movements_open", "movements_due"}, plan


@pytest.mark.parametrize("listing", LISTINGS, ids=shown)
def test_postgres_lists_by_an_index(filled: psycopg.Connection, listing: Listing) -> None:
    """As on SQLite; a moment long ago has an index, too."""
    sql, values = rows.listing(listing, postgres.ROW, postgres.NEWEST_FIRST)
    plan = planned(filled, f"listing_{LISTINGS.index(listing)}", sql, len(values))
    assert "Seq Scan on" not in plan, plan
    if walks(listing):
        assert used(plan) == {"movements_arrival"}, plan
        assert "Sort" not in plan, plan
    else:
        by = "movements_open" if listing.states else "movements_player"
        assert used(plan) - {"movements_arrival", "movements_pkey"} == {by}, plan
        assert re.search(r"Index Cond: .*(state = (ANY|\$)|player = \$)", plan), (
            plan
        )  # 18 and later skip over providers alone


# ---------------------------------------------------------------- and in fact


async def test_a_long_round_costs_a_call_no_more_than_a_short_one(lite: SqliteHome) -> None:
    """6,000 movements in one round: a bot, or a crash game that never closes its rounds (issue 7, 6)."""
    journal, at = await lite.journal(), now()

    def made(kind: int, n: int) -> Movement:
        if kind == 0:
            return decided(bet(f"b-{n}"), YES, at)
        if kind == 1:
            return decided(win(f"w-{n}", of=f"b-{n}"), YES, at)
        return replace(bet(f"d-{n}"), undone_by="x")

    for n in range(0, 2000, 100):
        await wrote(journal, insert=tuple(made(kind, each) for kind in range(3) for each in range(n, n + 100)))
    await wrote(journal, insert=(bet("short", round=Round("r-2")), cancel("short", round=Round("r-2"))))
    steps = {}
    for round_id in ("r-1", "r-2"):
        here = ("acme", "anna", round_id)
        for query, more in (
            ("round_place", ()),
            ("standing_round_win", ()),
            ("round_loose_win", ()),
            ("standing_loose_win", ()),
            ("round_bets", (3,)),
        ):
            steps[query, round_id] = await _steps(lite, sqlite.SQL[query], (*here, *more))
            assert len(await looked(journal, query, *here, *more)) <= 3
    for query, round_id in steps:
        assert steps[query, round_id] < 600, steps


async def test_what_one_wallet_owes_costs_another_one_nothing(lite: SqliteHome) -> None:
    """A wallet that is down for a night: the others' credits are settled as quickly as before."""
    journal, at = await lite.journal(), now()
    for n in range(0, 3000, 500):
        owed = (replace(win(f"w-{each}", wallet="down"), due_at=at - HOUR) for each in range(n, n + 500))
        await wrote(journal, insert=tuple(owed))
    await wrote(journal, insert=(replace(win("w", wallet="well"), due_at=at - timedelta(seconds=1)),))
    assert await _steps(lite, sqlite.SQL["due_wallets"], ()) < 600
    assert await _steps(lite, sqlite.SQL["due"], ("well", 10**18, 9)) < 600


async def _steps(lite: SqliteHome, sql: str, values: tuple[object, ...]) -> int:
    """How much work SQLite's machine does for a query."""
    connection, count = apsw.Connection(str(lite.path)), 0

    def counted() -> bool:
        nonlocal count
        count += 1
        return False

    connection.set_progress_handler(counted, 1)
    connection.execute(sql, values).fetchall()
    connection.close()
    return count
