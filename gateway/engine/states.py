"""A movement's states and the only edges between them. Enforced by the journal, drawn in the docs.

What people call *rolled back* is an accepted movement whose `undone_by` was accepted, a *tombstone*
a rollback that names a movement nobody has seen; both are facts about two rows, not states of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a movement stands. Only `accepted` and `declined` are final."""

    ASKING = "asking"  # a process carries it: its intent is durable, bytes may leave
    DOUBT = "doubt"  # a debit of which nobody knows
    OWED = "owed"  # a credit or rollback that must still be brought to the wallet
    PERSON = "person"  # waits for `gateway tx resolve`
    ACCEPTED = "accepted"
    DECLINED = "declined"

    @property
    def decided(self) -> bool:
        return self in (State.ACCEPTED, State.DECLINED)


EDGES: Mapping[State, Mapping[State, str]] = {
    State.ASKING: {
        State.ACCEPTED: "an explicit yes",
        State.DECLINED: "an explicit no that is final, or the journal's own",
        State.DOUBT: "silence, an unreadable answer, or the process died",
        State.OWED: "the same, of a credit or a rollback",
        State.PERSON: "it cannot be said, or may not be asked again",
        State.ASKING: "asked again while its provider waits",
    },
    State.DOUBT: {
        State.ASKING: "its provider repeats it, or sent a win for it",
        State.ACCEPTED: "a query, or a late answer",
        State.DECLINED: "a query, a late answer, a rollback, or it was never applied",
        State.DOUBT: "still nobody knows",
        State.PERSON: "the wallet has forgotten, or cannot be asked",
    },
    State.OWED: {
        State.ASKING: "brought to the wallet again",
        State.ACCEPTED: "an explicit yes, a query, or a late answer",
        State.DECLINED: "a no that is final for it",
        State.OWED: "not yet",
        State.PERSON: "the wallet may not be asked again, or has forgotten",
    },
    State.PERSON: {
        State.ASKING: "its provider repeats it, or `gateway tx retry`",
        State.ACCEPTED: "`gateway tx resolve`, or a late answer",
        State.DECLINED: "`gateway tx resolve`, or a late answer",
        State.PERSON: "still",
        State.DOUBT: "`gateway tx retry`, or a part of it came to its end",
        State.OWED: "`gateway tx retry`, or a part of it came to its end",
    },
    State.ACCEPTED: {},
    State.DECLINED: {},
}


class IllegalEdge(AssertionError):
    """A movement was to go where no edge leads: our bug, loud."""


def drawn() -> str:
    """The machine as a table in Markdown."""
    lines = ["| From | To | When |", "|---|---|---|"]
    for state, edges in EDGES.items():
        lines += [f"| `{state}` | `{target}` | {why} |" for target, why in edges.items()]
    return "\n".join(lines)
