"""What must be true of a journal's movements, as queries that find what is not.

Each is an invariant that some rule rests on: a journal that breaks one tells two truths about money, or
keeps something open that nobody will ever look at. The SQL is what both databases speak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from gateway.engine.states import State

Fetch = Callable[[str], list[tuple[Any, ...]]]


class Violation(NamedTuple):
    """`key` is the movement's; blank where it is the file itself."""

    key: str
    what: str


HOUR = 3_600_000_000  # microseconds, as the journal counts; settlement looks every minute or so

STATES = ", ".join(f"'{state.value}'" for state in State)
DECIDED = "('accepted', 'declined')"
OPEN = "('doubt', 'owed')"  # what is `asking` a process carries, what is for a `person` a person has been told of

UNKNOWN_STATE = f"SELECT key, state FROM movements WHERE state NOT IN ({STATES})"  # noqa: S608  # words of ours only
WITHOUT_OUTCOME = (
    f"SELECT key, state FROM movements WHERE state IN {DECIDED} AND (outcome IS NULL OR decided_at IS NULL)"  # noqa: S608  # words of ours only
)
DANGLING = f"""
SELECT m.key, m.{{0}} FROM movements m
WHERE m.{{0}} <> '' AND NOT EXISTS (SELECT 1 FROM movements o WHERE o.key = m.{{0}})
  AND ({{1}} OR m.state NOT IN {DECIDED} OR m.due_at IS NOT NULL)
"""  # noqa: S608  # words of ours only
NEVER_LOOKED_AT = f"""
SELECT m.key, m.state FROM movements m
WHERE m.state IN {OPEN} AND m.due_at IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM movements w WHERE w.key = m.parent AND m.parent <> ''
      AND w.state NOT IN {DECIDED} AND (w.state NOT IN {OPEN} OR w.due_at IS NOT NULL))
"""  # noqa: S608  # words of ours only
# A part that has just ended brings its whole to an end at the next look; what was looked at for an hour since
# then, or will not be looked at, comes to none.
WITHOUT_AN_END = f"""
SELECT w.key, w.state FROM movements w
WHERE w.state IN {OPEN} AND EXISTS (SELECT 1 FROM movements p WHERE p.parent = w.key AND p.parent <> '')
  AND NOT EXISTS (SELECT 1 FROM movements p WHERE p.parent = w.key AND p.parent <> '' AND p.state NOT IN {DECIDED})
  AND (w.due_at IS NULL
    OR w.due_at - (SELECT max(p.decided_at) FROM movements p WHERE p.parent = w.key AND p.parent <> '') > {HOUR})
"""  # noqa: S608  # words of ours only
# Read while its bet was in doubt, a win is a reason to complete that bet, and never to decline it as never sent.
# A bet that was taken back by somebody is another matter: there the wallet decides about the win.
PAID_FOR_NOTHING = """
SELECT c.key, d.key FROM movements c
JOIN movements d ON d.provider = c.provider AND d.id = c.reference AND d.player = c.player
WHERE c.kind = 'credit' AND c.state = 'accepted' AND c.reference <> '' AND c.parent = ''
  AND d.kind = 'debit' AND d.state = 'declined' AND d.parent = '' AND d.undone_by = ''
  AND (d.outcome LIKE '%"reason":"already_rolled_back"%')
  AND c.created_at < d.decided_at
  AND NOT EXISTS (
    SELECT 1 FROM movements r WHERE r.kind = 'rollback' AND r.state <> 'declined'
      AND (r.target = d.key OR (r.provider = d.provider AND r.reference = d.id)))
"""
PRUNED_FROM = "SELECT count(*), coalesce(max(number), 0) FROM movements"


def violations(fetch: Fetch, *, sqlite: bool) -> list[Violation]:
    """Everything that does not hold; empty = the journal holds together."""
    found = list(_of_the_file(fetch)) if sqlite else []
    return found or [*_of_the_rows(fetch, sqlite=sqlite)]  # what a broken file says of its rows is no news


def _of_the_file(fetch: Fetch) -> Iterator[Violation]:
    for (line,) in fetch("PRAGMA integrity_check"):
        if line != "ok":
            yield Violation("", f"the file is damaged: {line}")


def _of_the_rows(fetch: Fetch, *, sqlite: bool) -> Iterator[Violation]:
    for key, state in fetch(UNKNOWN_STATE):
        yield Violation(key, f"no state is called {state!r}")
    for key, state in fetch(WITHOUT_OUTCOME):
        yield Violation(key, f"it is {state}, and what was decided, or when, is not there")
    # Retention takes decided movements one by one. Where it has taken none, every name has a row; else only
    # what open movements name must still be there.
    whole = sqlite and _nothing_pruned(fetch)
    for column in ("target", "undone_by", "parent"):
        for key, other in fetch(DANGLING.format(column, "1 = 1" if whole else "1 = 0")):
            yield Violation(key, f"its {column} {other} is not there")
    for key, state in fetch(NEVER_LOOKED_AT):
        yield Violation(key, f"it is in state {state}, nobody will look at it, and no person was told")
    for key, state in fetch(WITHOUT_AN_END):
        yield Violation(key, f"it is in state {state} although all its parts are decided")
    for key, bet in fetch(PAID_FOR_NOTHING):
        yield Violation(key, f"it was paid, and its bet {bet}, in doubt when it came, was then declined as never sent")


def _nothing_pruned(fetch: Fetch) -> bool:
    ((rows, newest),) = fetch(PRUNED_FROM)
    return bool(rows == newest)
