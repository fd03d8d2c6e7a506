"""Movements that are more than one: how a settle is split, a round undone, a batch ordered.

Pure: the engine does it, `gateway check` tells it (rules 16, 18, 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialect import Dialect
from gateway.engine.identity import own_rollback_id
from gateway.engine.movement import Movement
from gateway.engine.states import State
from gateway.engine.words import Way, enveloped
from gateway.model import (
    FACTS,
    Accepted,
    Act,
    Batch,
    Credit,
    Debit,
    Declined,
    Kind,
    Reason,
    Release,
    Rollback,
    Round,
    Settle,
    Transaction,
    owes,
)

DEBIT, CREDIT, UNDO, PART, GIVE_BACK = "debit", "credit", "rollback", "part", "batch.rollback"
"""Names of parts: what follows the whole's key space. A part's space is its own, so it meets no other movement's key."""

FIRST, LATER = "part.first", "part.later"
"""Of a round's refund: the part that is told as the refund itself, and those that have an id of their own."""

UNDONE = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})
"""What a wallet says of a rollback where what it names moves nothing any more."""


class Part(Struct, frozen=True, kw_only=True):
    """One movement of several. `id_space`: where its alias lives, if not in its own space."""

    name: str
    tx: Transaction
    target: str = ""  # key of the movement that it undoes
    id_space: str = ""


# ---------------------------------------------------------------- settle


def halves(tx: Transaction, act: Settle) -> tuple[Part, Part]:
    """The two movements of a settle; only the win may close the round."""
    bet = Debit(amount=act.debit, free_round=act.free_round)
    win = Credit(amount=act.credit, free_round=act.free_round)
    return Part(name=DEBIT, tx=replace(tx, round=_open(tx), act=bet)), Part(name=CREDIT, tx=replace(tx, act=win))


def undoing_of(whole: Movement, leg: Movement, name: str, id: str) -> Part:
    """The rollback of one movement as a part of `whole`, in the currency of what it undoes: a round may hold several, and
    *a stake of 7.00 USD was given back as 7.00 EUR, because the refund of its round said EUR*."""
    act = Rollback(reference=leg.tx.id, reference_kind=leg.kind)
    currency = leg.tx.currency or whole.tx.currency
    tx = replace(whole.tx, id=id, act=act, round=_open(whole.tx), currency=currency)
    return Part(name=name, tx=tx, target=leg.key)


def _open(tx: Transaction) -> Round | None:
    return Round(tx.round.id) if tx.round else None


def named(parts: Sequence[Movement], whole: Movement, name: str) -> Movement | None:
    return next((part for part in parts if part.space == f"{whole.space}.{name}"), None)


# ---------------------------------------------------------------- a round's refund


def by_round(dialect: Dialect, act: Act) -> bool:
    """Whether a rollback may mean a whole round (rule 16)."""
    return isinstance(act, Rollback) and act.scope == "round" and dialect.round_refunds


def by_stake(dialect: Dialect, own: Movement) -> bool:
    """Whether it is a cancel that says its bet by round and amount alone, and no bet was found that it means (rule 16)."""
    return dialect.by_stake and own.undoes and not (own.reference or own.target or own.ours or own.parent)


def refunds(whole: Movement, bets: Sequence[Movement], parts: Sequence[Movement]) -> list[Part]:
    """A rollback for each bet that has none yet; the first is told to the wallet as the refund itself."""
    begun = {part.target for part in parts}
    todo = [bet for bet in bets if bet.key not in begun]
    own = whole.tx.id
    first = 0 if parts else 1
    made = [undoing_of(whole, bet, FIRST, part_id(own)) for bet in todo[:first]]
    made += [undoing_of(whole, bet, LATER, part_id(own, bet.tx.id)) for bet in todo[first:]]
    return [replace(part, tx=_of_round(part.tx), id_space=whole.space) for part in made]


def part_id(refund: str, *bets: str) -> str:
    """`<refund id>`, or `<refund id>:<bet id>` (rule 16), and never the same of another refund and bet: a colon inside of
    one of them is escaped. The first one of a refund's id stands, behind its dialect's word for the call.

    Refund `a` of bet `b:c` and refund `a:b` of bet `c` were one rollback, and one of the stakes stayed taken.
    """
    word, colon, rest = refund.partition(":")
    return ":".join([f"{word}{colon}{_escaped(rest)}", *map(_escaped, bets)])


def named_apart(dialect: Dialect, tx: Transaction) -> Transaction:
    """A rollback that a provider named, called as no part of a round's refund can be: the same escape.

    Refund `a` of a round with the bet `b`, and the refund of the bet `a:b`, were one rollback to their wallet.
    """
    apart = tx.kind is Kind.ROLLBACK and dialect.round_refunds
    return replace(tx, id=part_id(tx.id)) if apart else tx


def told_as(way: Way, m: Movement, turn: int = 0) -> str:
    """What its wallet is told as its id, where the journal does not say it yet. `turn`: see `identity.alias`."""
    made = m.ours or bool(m.parent)
    return way.alias(m.space, m.tx if made else named_apart(way.provider.dialect, m.tx), made=made, turn=turn)


def _escaped(id: str) -> str:
    return id.replace("%", "%25").replace(":", "%3A")


def _of_round(tx: Transaction) -> Transaction:
    assert isinstance(tx.act, Rollback)
    return replace(tx, act=replace(tx.act, scope="round"))


def together(parts: Sequence[Movement]) -> Accepted | Declined | None:
    """One outcome of several rollbacks that are all decided; what moved is the sum. None: part of it is
    undone and another part is refused for good, and only a person can say what that means."""
    done = [part for part in parts if isinstance(part.outcome, Accepted)]
    refused = [part for part in parts if isinstance(part.outcome, Declined) and part.outcome.reason not in UNDONE]
    if refused:
        return None if done else refused[0].outcome
    if not done:
        return parts[0].outcome
    moved = sum((_moved(part) for part in done), Decimal(0))
    first, last = done[0].outcome, done[-1].outcome
    assert isinstance(first, Accepted)
    assert isinstance(last, Accepted)
    return replace(last, moved=moved, wallet_id=first.wallet_id, replayed=False)


def _moved(part: Movement) -> Decimal:
    said = part.outcome.moved if isinstance(part.outcome, Accepted) else None
    return said if said is not None else Decimal(0)


# ---------------------------------------------------------------- batch

TURNS = {Kind.SETTLE: 1, Kind.ROLLBACK: 2, Kind.CAPTURE: 3, Kind.RELEASE: 3}
LAST = 4
"""The turn of what is owed whatever its wallet says."""


def in_order(items: Sequence[Transaction], earlier: frozenset[int] = frozenset()) -> list[int]:
    """Debits first, credits last; between them what may be declined for good, the easier to be undone the earlier. Of one
    turn as they came, but for those that are to be `earlier`.

    *A hold was captured, then the bet beside it declined: its provider heard that nothing had moved (rule 19). A settle
    beside such a bet had paid its win, which its wallet could not be told to take back.*
    """
    return sorted(range(len(items)), key=lambda number: (_turn(items[number]), number not in earlier))


def _turn(item: Transaction) -> int:
    return TURNS.get(item.kind, LAST if owes(item.act) else 0)


def takes_back(tx: Transaction) -> bool:
    """Whether a rollback takes: what it undoes gave."""
    return isinstance(tx.act, Rollback) and not FACTS[tx.act.reference_kind].takes


def pays(items: Sequence[Transaction]) -> bool:
    """Whether all that it gives are credits, which tie to its debits and complete them (rule 11): nothing else that it
    gives is to be sent while one of its debits is in doubt."""
    owed = [item for item in items if owes(item.act)]
    return bool(owed) and all(item.kind is Kind.CREDIT for item in owed)


def items_of(tx: Transaction, act: Batch) -> list[Transaction]:
    """Its items, each with what the batch says for all of them; the round that it closes ends with the last one.

    *A bet's wallet heard that its round was over, and refused the win beside it.*
    """
    *before, last = in_order(act.items)
    items = {number: enveloped(replace(tx, round=_open(tx)), act.items[number]) for number in before}
    items[last] = enveloped(tx, act.items[last])
    return [items[number] for number in range(len(items))]


def own_undoing(taken: Movement, id: str) -> Transaction:
    """The gateway's own undoing of a movement; what is held is given back by its release (rules 12, 19)."""
    tx = taken.tx
    act: Rollback | Release = Rollback(reference=tx.id, reference_kind=taken.kind)
    if taken.kind is Kind.RESERVE:
        act = Release(reference=tx.id)
    return replace(tx, id=id, act=act, extra={}, free_round_id="", request_id="")


def giving_back(taken: Movement) -> Part:
    """Of what an atomic batch did and that is not to stand: one for each key space and id, whoever makes it."""
    id = own_rollback_id(f"batch.{taken.space}", taken.tx.id)
    return Part(name=GIVE_BACK, tx=own_undoing(taken, id), target=taken.key)


def refusable(item: Movement) -> bool:
    """Whether an item of a batch may be declined for good, so that the others are not to stand (rule 19)."""
    return not item.ours and _turn(item.tx) < LAST


def undoable(item: Movement, siblings: Sequence[Movement]) -> bool:
    """Whether it is undone where the batch that did it is declined: what it took, a capture included (rule 6), and the
    cancels that it did. A release can be told to no wallet to be undone. *A bet that its own batch had cancelled was taken
    again (rule 19).*"""
    inside = item.undoes and any(m.key == item.target for m in siblings)
    return not item.ours and not inside and (item.takes or item.undoes or item.kind is Kind.CAPTURE)


def refused_item(items: Sequence[Movement]) -> Declined | None:
    """The first decline of such an item."""
    return next((m.outcome for m in items if refusable(m) and isinstance(m.outcome, Declined)), None)


def stays(taken: Movement, siblings: Sequence[Movement]) -> bool:
    """Whether its giving back has ended without undoing it, or its provider's own cancel: somebody said that it stands. So
    did we, where its provider heard yes of it: an item of a batch in doubt that came again without the rest (rule 19)."""
    return (
        not taken.atomic
        or taken.told == State.ACCEPTED.value
        or any(m.ours and m.target == taken.key and m.decided and not gone(m) for m in siblings)
    )


def gone(rollback: Movement) -> bool:
    """Whether a decided rollback means that what it names moves nothing any more."""
    outcome = rollback.outcome
    return rollback.state is State.ACCEPTED or (isinstance(outcome, Declined) and outcome.reason in UNDONE)


def kept(rollback: Movement) -> bool:
    """Whether its provider hears of it that what it names stands."""
    outcome = rollback.outcome
    return isinstance(outcome, Declined) and outcome.reason is Reason.ALREADY_SETTLED
