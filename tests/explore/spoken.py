"""Which rules spoke: the engine's list, that notices where each asking of it ends. The rules stay as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from operator import length_hint

from gateway.engine import rules


class _Noticing(tuple[rules.Rule, ...]):
    """The rule that speaks ends the asking (`next_move`): it is the last one that was taken out."""

    ended: list[int]
    asking: Iterator[rules.Rule] | None

    def __iter__(self) -> Iterator[rules.Rule]:
        self.notice()
        self.asking = super().__iter__()
        return self.asking

    def notice(self) -> None:
        if self.asking is not None:
            self.ended[len(self) - 1 - length_hint(self.asking)] += 1
        self.asking = None


@contextmanager
def noticing(spoke: Counter[str]) -> Iterator[None]:
    """Counts which rule speaks meanwhile, wherever the engine asks the list. A wrapper round each rule says the same,
    and takes as long as the rules themselves."""
    real = rules.RULES
    noticed = _Noticing(real)
    noticed.ended, noticed.asking = [0] * len(real), None
    rules.RULES = noticed
    try:
        yield
    finally:
        rules.RULES = real
        noticed.notice()
        for rule, often in zip(real, noticed.ended, strict=True):
            if often:
                spoke[rule.__name__] += often
