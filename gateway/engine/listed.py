"""All that a status may mean, where its wire asks for that (`StatusBy.ALL`)."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.identity import same_player
from gateway.engine.journal import Ask as LookFor
from gateway.engine.journal import Looks
from gateway.engine.movement import Movement
from gateway.engine.parts import gone
from gateway.engine.setup import Provider
from gateway.engine.ties import look, one
from gateway.model import Rollback, Status, Transaction


class Listed(Struct, frozen=True, kw_only=True):
    """A movement that a status may mean."""

    m: Movement
    tx: Transaction  # as it was asked for
    undoer: Movement | None = None  # what undoes, or is to undo, it

    @property
    def given_back(self) -> bool:
        """By the gateway itself: its provider believes that it failed, and cancels nothing (rule 12)."""
        return self.undoer is not None and self.undoer.ours and gone(self.undoer) and self.undoer.decided

    @property
    def known(self) -> bool:
        """What is being given back by the gateway is in doubt, whatever its wallet said."""
        undoer = self.undoer
        return self.m.decided and (undoer is None or not undoer.ours or undoer.decided)


def listing(provider: Provider, tx: Transaction, act: Status) -> Looks[list[Listed]]:
    """All that a status may mean, in the order of arrival, each as it was asked for: a rollback of all of it with what that
    was, and each with the time at which it came where its provider said none."""
    ids, asks = (act.reference, *act.others), {}
    if act.scope == "round":
        asks["round"] = LookFor("of_round", (provider.id, tx.player, act.reference))
    else:
        asks = {f"id.{id}": LookFor("found", (provider.id, id)) for id in ids}
    if act.scope == "bet":
        asks |= {f"undoing.{id}": LookFor("naming", (provider.id, id)) for id in ids}
        asks |= {f"wins.{id}": LookFor("wins", (provider.id, id, tx.player)) for id in ids}
    found = yield from look(asks)
    rows = {m.key: m for each in found.values() for m in each if same_player(tx.player, m.tx.player)}
    means = {m.key: LookFor("own", (m.target,)) for m in rows.values() if m.undoes and m.target}
    means |= {f"undoer.{m.key}": LookFor("own", (m.undone_by,)) for m in rows.values() if m.undone_by}
    meant = (yield from look(means)) if means else {}
    ordered = sorted(rows.values(), key=lambda m: (m.created_at, m.key))
    listed = [Listed(m=m, tx=_as_asked(m, one(meant, m.key)), undoer=one(meant, f"undoer.{m.key}")) for m in ordered]
    return [each for each in listed if not each.given_back]


def _as_asked(m: Movement, target: Movement | None) -> Transaction:
    tx = replace(m.tx, occurred_at=m.tx.occurred_at or m.created_at)
    if not isinstance(tx.act, Rollback) or tx.act.amount is not None or target is None:
        return tx
    return replace(tx, act=replace(tx.act, amount=target.whole_amount))
