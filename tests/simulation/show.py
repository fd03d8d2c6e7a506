"""A failing history, short: only the player's lines, and what happened to the processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.model import Accepted, Batch, Declined, Outcome, Settle, Transaction
from tests.simulation.draw import Plan
from tests.simulation.history import History


def described(plan: Plan) -> Iterator[str]:
    yield f"seed {plan.seed}, {plan.nodes} node(s), calm after {plan.calm_after:.1f} s"
    for provider in plan.providers:
        clock = f", after_doubt {provider.after_doubt:g} s" if provider.after_doubt else ""
        plays = f", plays {' '.join(provider.plays)}" if provider.plays else ""
        yield f"  {provider.name}: {provider.dialect}, {provider.manner}{', persists' * provider.persists}{clock}{plays}"
    for wallet in plan.wallets:
        lie = f", lies: {wallet.lie}" if wallet.lie else ""
        lie += f", habits: {' '.join(wallet.habits)}" if wallet.habits else ""
        yield (
            f"  {wallet.name}: {wallet.dialect}, {' '.join(f'{k}={v}' for k, v in wallet.repeats.items())}, tombstones"
            f" {wallet.tombstones}, in_flight_max {wallet.in_flight_max:g} s, remembers {wallet.remembers:g} s{lie}"
        )
    yield "  faults: " + (", ".join(f"{name} {rate:g}" for name, rate in plan.rates.items()) or "none")


def lines(history: History, about: Iterable[str] = ()) -> Iterator[str]:
    """`about`: ids that matter; none: everything."""
    wanted = set(about)
    for note in history.notes:
        text = _line(note, wanted)
        if text:
            yield f"{note[0]:9.3f}  {text}"


def _line(note: tuple[Any, ...], wanted: set[str]) -> str:
    if note[1] == "event":
        return f"-- {note[2]}"
    if note[1] == "row":
        key, before, after, told = note[2:]
        if wanted and not any(id in key for id in wanted):
            return ""
        return f"journal  {key}: {before or 'new'} -> {after}" + (f", told {told}" if told else "")
    what, who, tx, outcome = note[1:]
    if wanted and not _about(tx, wanted):
        return ""
    return f"{who} {what} {_tx(tx)}{f' = {_word(outcome)}' if outcome is not None else ''}"


def _about(tx: Transaction | None, wanted: set[str]) -> bool:
    if tx is None:
        return False
    if isinstance(tx.act, Batch):
        return any(_about(item, wanted) for item in tx.act.items)
    names = {tx.id, str(getattr(tx.act, "reference", ""))}
    return any(id in name for id in wanted for name in names if name)


def _tx(tx: Transaction | None) -> str:
    if tx is None:
        return "?"
    if isinstance(tx.act, Batch):
        return f"batch({', '.join(_tx(item) for item in tx.act.items)}){' atomic' * tx.act.atomic}"
    amount = getattr(tx.act, "amount", None)
    if isinstance(tx.act, Settle):
        return f"{tx.kind} {tx.id} {tx.act.debit}/{tx.act.credit}"
    reference = getattr(tx.act, "reference", "")
    return (
        f"{tx.kind} {tx.id}" + (f" {amount}" if amount is not None else "") + (f" of {reference}" if reference else "")
    )


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Accepted):
        return "accepted" + " again" * outcome.replayed
    return f"declined {outcome.reason}" if isinstance(outcome, Declined) else f"doubt ({outcome.detail[:60]})"
