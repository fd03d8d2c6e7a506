"""Which rules spoke: a hook that tests put around the engine's list. The engine itself counts nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps

from gateway.engine import opening, rules
from gateway.engine.case import Case, Move
from gateway.engine.rules import Rule

NAMES = tuple(rule.__name__ for rule in rules.RULES)


@contextmanager
def counting(spoke: Counter[str]) -> Iterator[None]:
    """Counts every rule that speaks meanwhile: those of the list, and those that are asked by name of what is
    decided already."""

    def counted(rule: Rule) -> Rule:
        @wraps(rule)
        def asked(case: Case) -> Move | None:
            move = rule(case)
            if move is not None:
                spoke[rule.__name__] += 1
            return move

        return asked

    kept = {(rules, "RULES"): rules.RULES} | {
        (opening, name): vars(opening)[name] for name in NAMES if name in vars(opening)
    }  # fmt: skip
    for (where, name), real in kept.items():
        setattr(where, name, tuple(counted(rule) for rule in real) if isinstance(real, tuple) else counted(real))
    try:
        yield
    finally:
        for (where, name), real in kept.items():
            setattr(where, name, real)
