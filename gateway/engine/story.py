"""The story of a movement: what happened to it, with times, and nothing that is secret.

An ordinary call writes no step: that it was received, asked, answered and told is derived from its
row. The rest (doubt, queries, looks of settlement, what a person did) is in the journal's steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.engine.movement import Event, Movement, Step
from gateway.model import Accepted, Declined, Outcome

ONE_WORD = timedelta(seconds=1)
"""Doubt that two tasks tell within this time is one word to its provider."""


def said(outcome: Outcome) -> str:
    """What a wallet's answer came to; of a no only the reason, because its text is the wallet's."""
    if isinstance(outcome, Accepted):
        return "accepted, as before" if outcome.replayed else "accepted"
    if isinstance(outcome, Declined):
        return f"declined, {outcome.reason.value}" + (", as before" if outcome.replayed else "")
    return f"no decision: {outcome.detail}" if outcome.detail else "no decision"


def story(movement: Movement, steps: Sequence[Step], aimed: Sequence[Movement]) -> list[Step]:
    """Every step in order. `aimed`: the rollbacks, captures and releases that name it."""
    m, found = movement, list(steps)
    before = [Step(m.created_at, Event.RECEIVED, m.kind.value), *_claims(m, aimed)]
    if m.attempts and m.asked_at is not None and not _has(steps, Event.ASKED, m.asked_at):
        before.append(Step(m.asked_at, Event.ASKED, f"attempt {m.attempts}"))
    after = [*_rolled_back(aimed)]
    if m.decided_at is not None and m.outcome is not None:
        after.insert(0, Step(m.decided_at, Event.DECIDED, said(m.outcome)))
    if m.told_at is not None and not _has(steps, Event.TOLD, m.told_at):
        after.append(Step(m.told_at, Event.TOLD, m.told))
    return _once(sorted([*before, *found, *after], key=lambda step: step.at))


def scrubbed(steps: Sequence[Step], *secrets: str) -> list[Step]:
    """The same without these words, should a wallet or a library ever have said one."""
    hidden = [secret for secret in secrets if secret]
    return [Step(step.at, step.what, _without(step.detail, hidden)) for step in steps]


def _without(text: str, hidden: Sequence[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, "***")
    return text


def _claims(movement: Movement, aimed: Sequence[Movement]) -> list[Step]:
    return [
        Step(other.created_at, Event.CLAIMED, f"by {other.key}") for other in aimed if other.key == movement.undone_by
    ]


def _rolled_back(aimed: Sequence[Movement]) -> list[Step]:
    return [
        Step(other.decided_at, Event.ROLLED_BACK, f"by {other.key}")
        for other in aimed
        if isinstance(other.outcome, Accepted) and other.decided_at is not None and other.kind.value == "rollback"
    ]


def _has(steps: Sequence[Step], what: Event, at: datetime) -> bool:
    return any(step.what is what and step.at == at for step in steps)


def _once(steps: Sequence[Step]) -> list[Step]:
    kept: list[Step] = []
    for step in steps:
        last = next((before for before in reversed(kept) if before.what is step.what), None)
        twice = last is not None and last.detail == step.detail and step.at - last.at < ONE_WORD
        if step.what is not Event.TOLD or not twice:
            kept.append(step)
    return kept
