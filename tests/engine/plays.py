"""One call of each sort in a round that holds others: what `test_cost` counts and `bench.rounds` times.

Each has what must have happened before it, which is not counted, and an id of its own, so that all of
them may be played in one journal, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from gateway.model import Batch, Capture, Kind, Reserve, Transaction
from tests.engine.acts import bet, settle, undo, win
from tests.simulation.behaviours import lost_after
from tests.simulation.bench import Bench, a_call

Step = Callable[[Bench, str], object]
LOOKS_SECONDS = 8.0  # of settlement, where an answer was lost


class Play(Struct, frozen=True):
    name: str
    act: Step
    before: Step = lambda bench, id: None
    provider: str = "native"
    wallet: str = "native"
    wins: bool = True  # whether the round that it is played in has wins


def say(make: Callable[[str], Transaction]) -> Step:
    return lambda bench, id: bench.call(make(id))


def lost(make: Callable[[str], Transaction]) -> Step:
    """The wallet takes it, and every answer is lost until it has healed."""

    def play(bench: Bench, id: str) -> None:
        bench.till.always(lost_after)
        bench.call(make(id))
        bench.till.heal()

    return play


def then(*steps: Step) -> Step:
    def play(bench: Bench, id: str) -> None:
        for step in steps:
            step(bench, id)

    return play


def looks(bench: Bench, id: str) -> None:
    bench.settlement(LOOKS_SECONDS, 0.5)


def refund(bench: Bench, id: str) -> None:
    """Kyren's Refund, which means a round, and names one bet of it."""
    bench.call(bench.undo(bet(id), f"refund:{id}", scope="round"))


def named_win(id: str) -> Transaction:
    return win(f"{id}-w", of=id)


def lone_win(id: str) -> Transaction:
    return win(f"{id}-w")


def cancel(id: str) -> Transaction:
    return undo(f"{id}-u", id)


def batch(id: str) -> Transaction:
    return a_call(Batch(items=(bet(f"{id}-1"), win(f"{id}-2", of=f"{id}-1")), atomic=True))


def kyren_cancel(bench: Bench, id: str) -> None:
    bench.call(bench.undo(bet(id), f"refund:{id}"))


PLAYS = (
    Play("a bet", say(bet)),
    Play("a bet again", say(bet), say(bet)),
    Play("a win", say(named_win), say(bet)),
    Play("a win that names no bet", say(lone_win), say(bet)),
    Play("a cancel", say(cancel), say(bet)),
    Play("a cancel of nothing", say(cancel)),
    Play("a cancel in two", say(lambda id: undo(f"{id}-u", id, "4.00")), say(bet)),
    Play("a settle", say(settle)),
    Play("a split settle and its cancel", then(say(settle), say(lambda id: undo(f"{id}-u", id, kind=Kind.SETTLE))),
         wallet="netgaming"),
    Play("a batch", say(batch), wallet="netgaming"),
    Play("a reserve and its capture", then(
        say(lambda id: a_call(Reserve(amount=Decimal(5)), id)),
        say(lambda id: a_call(Capture(amount=Decimal(5), reference=id), f"{id}-c")))),
    Play("a bet whose answer is lost, settled", then(lost(bet), looks)),
    Play("a cancel of a bet in doubt, settled", then(say(cancel), looks), lost(bet)),
    Play("a win for a bet in doubt, settled", then(say(named_win), looks), lost(bet)),
    Play("a Kyren bet", say(bet), provider="kyren"),
    Play("a Kyren win", say(lone_win), say(bet), provider="kyren"),
    Play("a Kyren cancel of one bet", kyren_cancel, say(bet), provider="kyren", wins=False),
    Play("a refund that names one bet", refund, say(bet), provider="kyren", wins=False),
    Play("a refund that names one bet, in a round with wins", refund, say(bet), provider="kyren"),
    Play("the same at a wallet that undoes rounds", refund, say(bet), provider="kyren", wallet="kyren", wins=False),
)  # fmt: skip
