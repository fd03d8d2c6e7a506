"""An outside checker: what a bet, a settle, a hold or a correction may have moved, by its provider's words alone.

It knows neither the journal nor the engine. A movement and all that its provider sent about it are
operations on an ideal book, each with its definite word, or none; an operation that was answered
before another one was sent came before it. Every order that makes sense of all words is tried, and
the sums that these orders leave are allowed. (Jepsen's question: is there any history of one
honest book in which everybody heard what they heard?)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from decimal import Decimal
from itertools import permutations

from msgspec import Struct
from msgspec.structs import replace

from gateway.model import (
    Accepted,
    Adjust,
    Capture,
    Credit,
    Debit,
    Declined,
    Kind,
    Reason,
    Reserve,
    Rollback,
    Settle,
    Transaction,
)
from tests.simulation.players import FINAL, Story

ZERO = Decimal(0)
YES, NO, NONE = "yes", "no", ""
ABSENT, BURIED, THERE, ENDED = "absent", "buried", "there", "ended"
JUDGED = frozenset({Kind.DEBIT, Kind.SETTLE, Kind.RESERVE, Kind.ADJUST})
"""A win is owed, whatever was heard of it: that is judged by what became of its row."""


OVER = (Reason.ALREADY_ROLLED_BACK, Reason.ROUND_CLOSED)
"""Of a bet whose cancel was read; Kyren has one word for both, and for `already_settled`."""


class Op(Struct, frozen=True, kw_only=True):
    """One operation as its provider knows it. `of`: the rollback that it takes back. `several`: it meant every open bet of a
    round, so that its no is one about them together."""

    name: str
    tx: Transaction | None  # None: the gateway's own rollback
    word: str = NONE
    reason: Reason | None = None
    moved: Decimal | None = None
    begun: float = 0.0
    known: float = float("inf")
    of: str = ""
    several: bool = False


class Book(Struct, frozen=True):
    """The movement on the ideal book. `given`: what each rollback gave back, and who can take it again."""

    root: str = ABSENT
    net: Decimal = ZERO
    left: Decimal = ZERO
    ever: bool = False  # whether anything of it was given back
    given: tuple[tuple[str, Decimal], ...] = ()


def worth_of(tx: Transaction) -> Decimal:
    """What a movement moves, as its player sees it."""
    match tx.act:
        case Debit(amount=amount) as act:
            return ZERO if act.free_round or act.tracking_only else -amount
        case Reserve(amount=amount):
            return -amount
        case Credit(amount=amount) as act:
            return ZERO if act.tracking_only else amount
        case Adjust(amount=amount):
            return amount
        case Settle(debit=debit, credit=credit):
            return credit - debit
        case _:
            return ZERO


def op_of(story: Story, of: str = "") -> Op:
    """Its first yes, or its first no, or nothing."""
    op = Op(name=story.id, tx=story.read, begun=min(story.said, default=0.0), of=of, several=story.of_several)
    for when, word in story.words:
        if isinstance(word, Accepted):
            return replace(op, word=YES, moved=word.moved, known=when)
    for when, word in story.words:
        if isinstance(word, Declined) and (story.kind is not Kind.ROLLBACK or word.reason in FINAL):
            return replace(op, word=NO, reason=word.reason, known=when)
    return op


def ops_of(story: Story) -> list[Op]:
    """A movement, and all that its provider sent about it."""
    found = [op_of(story)]
    for other in (*story.cancels, *story.ends):
        found.append(op_of(other))
        found += [op_of(back, other.id) for back in other.cancels]
    return found


def ways(alike: Sequence[Story], no_longer: Callable[[Story, Story], bool]) -> Iterator[list[Story]]:
    """Bets that no cancel of their page tells apart, with their cancels as these were meant, and then in every other way that
    the wire leaves open. A bet has those that were meant for one bet, so that none is spent twice, and none that was sent
    when it was `no_longer` there for it: (bet, cancel)."""
    yield [*alike]
    for order in permutations(alike):
        dealt = [(bet, other) for bet, other in zip(alike, order, strict=True) if bet is not other]
        if dealt and not any(no_longer(bet, cancel) for bet, other in dealt for cancel in other.cancels):
            yield [_cancelled_as(bet, other) for bet, other in zip(alike, order, strict=True)]


def _cancelled_as(bet: Story, other: Story) -> Story:
    """That its provider did not wait for the answer goes with the cancel that it sent in its stead."""
    found = copy(bet)
    found.cancels, found.ignored = other.cancels, other.ignored
    return found


def allowed(story: Story, *, clock: bool, refused: bool, kept: bool = False) -> frozenset[Decimal]:
    """The sums that some order of the words leaves.

    `clock`: the gateway may give it back by itself. `refused`: its wallet said an explicit no, perhaps
    when its provider had ceased to ask. `kept`: its wallet would not undo it.
    """
    ops = ops_of(story)
    if clock:
        ops.append(Op(name="", tx=None, begun=ops[0].begun))
    sums: set[Decimal] = set()
    seen: set[tuple[frozenset[int], Book]] = set()
    todo = [(frozenset(range(len(ops))), Book())]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        waiting, book = state
        if not waiting:
            if _ends(ops, book, refused=refused, kept=kept):
                sums.add(book.net)
            continue
        for n in waiting:
            if all(ops[other].known > ops[n].begun for other in waiting):
                todo += [(waiting - {n}, after) for after in _after(ops[n], ops[0], book)]
    return frozenset(sums)


def _ends(ops: list[Op], book: Book, *, refused: bool, kept: bool) -> bool:
    """What must hold when all has happened."""
    settled = [op for op in ops[1:] if op.word == NO and op.reason is Reason.ALREADY_SETTLED]
    stands = any(not op.several for op in settled)
    if stands and book.root in (ABSENT, BURIED) and not refused:
        return False
    gone = ops[0].word == NO and not any(op.of for op in ops)
    kept = kept and (bool(settled) or any(op.word == NONE or op.reason is Reason.ROUND_CLOSED for op in ops[1:]))
    if kept and ops[0].reason in OVER:  # its provider heard that it is kept, or ceased to ask before it could
        gone = False  # the repeat was told that its cancel was read, as it must be (rule 11); then its wallet kept it
    return not gone or not book.net


def _after(op: Op, root: Op, book: Book) -> Iterator[Book]:
    """The books that this operation may leave, by the word that was heard of it."""
    act = op.tx.act if op.tx is not None else Rollback()
    if op is root:
        yield from _made(op, book)
    elif op.of:
        yield from _taken_back(op, book)
    elif isinstance(act, Rollback):
        yield from _given_back(op, act, root, book)
    else:
        yield from _hold_ended(op, act, root, book)


def _made(op: Op, book: Book) -> Iterator[Book]:
    assert op.tx is not None
    worth = worth_of(op.tx)
    made = replace(book, root=THERE, net=worth, left=abs(worth))
    if op.word == YES:
        if book.root == ABSENT:
            yield made
        return
    yield book
    if book.root == ABSENT and (op.word == NONE or op.reason in OVER):
        yield made


def _given_back(op: Op, act: Rollback, root: Op, book: Book) -> Iterator[Book]:
    assert root.tx is not None
    done: list[Book] = []
    if book.root == THERE and (book.left or not book.ever):
        asked = book.left if act.amount is None else min(act.amount, book.left)
        moved = asked if worth_of(root.tx) < 0 else -asked
        done.append(
            replace(book, net=book.net + moved, left=book.left - asked, ever=True, given=(*book.given, (op.name, moved)))
        )  # fmt: skip
    buried = replace(book, root=BURIED) if book.root == ABSENT else book
    over = book.root in (ABSENT, BURIED) or (book.ever and not book.left)
    if op.word == YES:
        yield from done
        if over:  # what was never there, or is gone, may be called a success
            yield buried
    elif op.word == NONE:
        yield book
        yield from done
        yield buried
    elif op.reason is Reason.TRANSACTION_NOT_FOUND:
        if over:
            yield buried
    elif op.reason is Reason.ALREADY_ROLLED_BACK:
        if over or book.given:  # where it can be given back once only
            yield buried
    else:
        yield book


def _taken_back(op: Op, book: Book) -> Iterator[Book]:
    given = dict(book.given)
    moved = given.pop(op.of, None)
    if op.word != YES:
        yield book
    if op.word != NO and moved is not None:
        yield replace(book, net=book.net - moved, left=book.left + abs(moved), given=tuple(given.items()))


def _hold_ended(op: Op, act: object, root: Op, book: Book) -> Iterator[Book]:
    assert root.tx is not None
    held = -worth_of(root.tx)
    buried = replace(book, root=BURIED) if book.root == ABSENT else book
    not_there = op.reason is Reason.TRANSACTION_NOT_FOUND
    if op.word == NONE or (op.word == NO and not (not_there and book.root == THERE)):
        yield buried if not_there else book
    if op.word == NONE:
        yield buried
    if op.word == YES and book.root in (ABSENT, BURIED) and not isinstance(act, Capture):
        yield buried  # nothing is held, as was asked
    if op.word != NO and book.root == THERE:
        amount = act.amount if isinstance(act, Capture) else None
        taken = (held if amount is None else amount) if isinstance(act, Capture) else ZERO
        yield replace(book, root=ENDED, net=-taken)
