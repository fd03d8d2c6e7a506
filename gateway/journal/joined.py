"""Several looks in one statement: for a small look the statement is most of what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.engine.journal import Ask
from gateway.engine.movement import Movement
from gateway.journal import rows
from gateway.journal.change import Row
from gateway.journal.queries import Decode


class Joined:
    """The statements for some asks, and their answers."""

    def __init__(self, sql: Mapping[str, bytes], decoders: Mapping[str, Decode], asks: Sequence[Ask]) -> None:
        self._decoders, self._asks = decoders, asks
        together = [n for n, ask in enumerate(asks) if decoders.get(ask.query) is rows.movement and plain(sql, ask)]
        self._together = together if len(together) > 1 else []
        self._alone = [n for n in range(len(asks)) if n not in self._together]
        self.statements = [(sql[asks[n].query], asks[n].values) for n in self._alone]
        if self._together:
            name = " ".join(("join", *(asks[n].query for n in self._together)))
            values = tuple(value for n in self._together for value in asks[n].values)
            self.statements.append((sql[name], values))

    def answers(self, found: Sequence[Sequence[Row]]) -> list[list[Any]]:
        """In the order of the asks, decoded."""
        answers: list[list[Any]] = [[] for _ in self._asks]
        for n, each in zip(self._alone, found, strict=False):
            answers[n] = [*map(self._decoders.get(self._asks[n].query, tuple), each)]
        if self._together:
            for look, *row in found[-1]:
                answers[self._together[look]].append(rows.movement(tuple(row)))
            for n in self._together:
                answers[n].sort(key=_arrival)  # which is what every look of more than one row asks for
        return answers


def plain(sql: Mapping[str, bytes], ask: Ask) -> bool:
    """Whether it may stand inside another statement: it reads, and locks nothing."""
    text = sql[ask.query]
    return text.startswith(b"SELECT") and b" FOR UPDATE" not in text


def _arrival(m: Movement) -> tuple[Any, str]:
    return m.created_at, m.key
