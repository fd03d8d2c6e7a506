"""What a transaction means to money, and what the other end of a dialect's wire understands of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from gateway.dialect import Call, Dialect
from gateway.ends import Word
from gateway.laws.calls import called, no_other_than
from gateway.model import (
    MONEY_KINDS,
    Batch,
    Credit,
    Debit,
    Kind,
    Refused,
    Rollback,
    Settle,
    Transaction,
    reference_of,
    unsupported,
)


def heard_again(dialect: Dialect, tx: Transaction, call: Call) -> Transaction | Refused:
    """What the other end understands of what this dialect says; refused where a part of the key stands for the session."""
    unspoken = dialect.as_wallet.unspoken(tx)
    if unspoken:
        return unsupported(unspoken)
    request = dialect.encode_request(tx, called(call))
    hearing = replace(call, request=request, name=dialect.route(request, call.settings))
    found: Transaction | Refused = no_other_than(Refused, dialect.decode_request, request, hearing)
    return found


def renamed(tx: Transaction, id: str) -> Transaction:
    return replace(tx, id=id)


def renaming(tx: Transaction, id: str) -> Transaction:
    return replace(tx, act=replace(tx.act, reference=id)) if reference_of(tx.act) else tx


def own_id(heard: Transaction | Refused) -> str:
    return heard.id if isinstance(heard, Transaction) else ""


def named_id(heard: Transaction | Refused) -> str:
    """Of a list of one, where that is how its wire says it (Slotegrator's rollback), what its item names."""
    if isinstance(heard, Refused):
        return ""
    items = heard.act.items if isinstance(heard.act, Batch) else ()
    return reference_of(items[0].act if len(items) == 1 else heard.act)


UNDONE = (Kind.DEBIT, Kind.CREDIT, Kind.RESERVE, Kind.CAPTURE, Kind.SETTLE, Kind.ROLLBACK)


def meant_otherwise(tx: Transaction) -> Iterator[Transaction]:
    """The transaction with another meaning, in each word that decides about money: whether it moves any, what it undoes and
    how much of it, and whether the round is at its end."""
    act, more = tx.act, Decimal("1.50")
    if isinstance(act, Debit):
        yield replace(tx, act=replace(act, free_round=not act.free_round))
    if isinstance(act, Debit | Credit):
        yield replace(tx, act=replace(act, tracking_only=not act.tracking_only))
        yield replace(tx, act=replace(act, amount=more))
    if isinstance(act, Rollback):
        yield from (replace(tx, act=replace(act, reference_kind=kind, reference_type="")) for kind in UNDONE)
        yield from (replace(tx, act=replace(act, amount=amount)) for amount in (None, more, 2 * more))
    if tx.round is not None:
        yield from (replace(tx, round=replace(tx.round, closed=closed)) for closed in (True, False, None))


def means(dialect: Dialect, tx: Transaction) -> list[tuple[object, ...]]:
    """What it moves, in parts: a settle is its bet and its win, a list its items; nothing is said of what moves nothing."""
    act = tx.act
    if isinstance(act, Batch):
        return [part for item in act.items for part in means(dialect, item)]
    if isinstance(act, Settle):
        return [(kind, amount) for kind, amount in ((Kind.DEBIT, act.debit), (Kind.CREDIT, act.credit)) if amount]
    if isinstance(act, Debit | Credit):
        nothing = act.tracking_only or (isinstance(act, Debit) and act.free_round) or not act.amount
        return [] if nothing else [(tx.kind, act.amount)]
    if isinstance(act, Rollback):
        return [(Kind.ROLLBACK, None if dialect.as_wallet.undoes_whole else act.amount)]
    return [(tx.kind,)] if tx.kind in MONEY_KINDS else []


def undoes(tx: Transaction) -> list[Kind]:
    """The kinds that its rollbacks name."""
    items = tx.act.items if isinstance(tx.act, Batch) else (tx,)
    return [item.act.reference_kind for item in items if isinstance(item.act, Rollback)]


def same_meaning(dialect: Dialect, meant: Transaction, heard: Transaction) -> bool:
    """Of a settle's rollback that is told as those of its two parts, the parts say what they undo."""
    if isinstance(meant.act, Rollback) and dialect.as_wallet.undoes_blindly and isinstance(heard.act, Credit):
        return heard.act.amount == meant.act.amount  # a gift, which the engine tells only of what was surely taken
    if isinstance(meant.act, Rollback) and meant.act.reference_kind is Kind.SETTLE and isinstance(heard.act, Batch):
        return {*undoes(heard)} <= {Kind.DEBIT, Kind.CREDIT}
    known = all(
        kind in dialect.as_provider.rollback_kinds.get(word.value, (word,))
        for kind, word in zip(undoes(meant), undoes(heard), strict=False)
    )
    ended = heard.kind is Kind.CLOSE_ROUND or (heard.round is not None and heard.round.closed is True)
    went_on = meant.kind is not Kind.CLOSE_ROUND and (meant.round is None or meant.round.closed is not True)
    return known and means(dialect, meant) == means(dialect, heard) and not (ended and went_on)


def worded(tx: Transaction) -> Iterator[tuple[Word | Kind, Transaction]]:
    """Each word that a dialect declares, and the transaction with it."""
    act = tx.act
    if isinstance(act, Rollback):
        yield from ((kind, replace(tx, act=replace(act, reference_kind=kind, reference_type=""))) for kind in Kind)
    if isinstance(act, Debit):
        yield Word.FREE_DEBIT, replace(tx, act=replace(act, free_round=True, tracking_only=False))
        yield Word.TRACKING_DEBIT, replace(tx, act=replace(act, free_round=False, tracking_only=True))
    if isinstance(act, Credit):
        yield Word.TRACKING_CREDIT, replace(tx, act=replace(act, tracking_only=True))
