"""One suite for both databases: SQLite in a file, PostgreSQL from its wheel (one server a session)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.journal.homes import Home, PostgresHome, SqliteHome
from tests.postgres import Given, Server, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The wheel's; another engine's where GATEWAY_TEST_POSTGRES names one."""
    given = os.environ.get("GATEWAY_TEST_POSTGRES")
    if given:
        yield Given(given)
        return
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Home]:
    found: Home
    if request.param == "sqlite":
        found = SqliteHome(tmp_path)
    else:
        found = PostgresHome(request.getfixturevalue("postgres"))
    yield found
    await found.close()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[SqliteHome]:
    """SQLite, for what is counted where only SQLite counts it."""
    found = SqliteHome(tmp_path)
    yield found
    await found.close()


@pytest.fixture
async def nodes(postgres: Server) -> AsyncIterator[PostgresHome]:
    """PostgreSQL, for what only several nodes can show."""
    found = PostgresHome(postgres)
    yield found
    await found.close()
