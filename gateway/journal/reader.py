"""Reads a journal without a loop: for the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.engine.movement import Listing, Movement, Step
from gateway.journal import rows
from gateway.journal.change import Row

Fetch = Callable[[str, tuple[Any, ...]], list[Row]]


class Reader:
    """`fetch` runs one statement; `sql` are the queries of its database."""

    def __init__(self, fetch: Fetch, sql: Mapping[str, str], row: str, newest_first: str) -> None:
        self._fetch, self._sql, self._listed = fetch, sql, (row, newest_first)

    def many(self, query: str, values: tuple[Any, ...]) -> list[Movement]:
        return [rows.movement(row) for row in self._fetch(self._sql[query], values)]

    def get(self, key: str) -> Movement | None:
        return next(iter(self.many("own", (key,))), None)

    def aimed(self, key: str) -> list[Movement]:
        return self.many("aimed", (key,))

    def parts(self, key: str) -> list[Movement]:
        return self.many("parts", (key,))

    def story(self, key: str) -> list[Step]:
        return [rows.step(row) for row in self._fetch(self._sql["story"], (key,))]

    def listed(self, listing: Listing) -> list[Movement]:
        sql, values = rows.listing(listing, *self._listed)
        return [rows.movement(row) for row in self._fetch(sql, values)]
