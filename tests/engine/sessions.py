"""The scripted session of the pair law: what every provider plays, as far as its dialect can say it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.ids import Ids, TextIds
from gateway.model import Adjust, Batch, Capture, Credit, Kind, Release, Reserve, Rollback, Transaction, reference_of
from tests.engine.acts import bet, settle, undo, win
from tests.simulation.bench import Bench, a_call


class Step(Struct, frozen=True):
    """One call. `again`: it was said before."""

    name: str
    tx: Transaction


def steps(bench: Bench) -> Iterator[Step]:
    """In order; a holds' reference is known only when its hold was answered. A provider whose ids are numbers or UUIDs says such."""
    ids = bench.provider.dialect.as_wallet.ids
    for step in _steps(bench):
        yield step if isinstance(ids, TextIds) else replace(step, tx=_named(step.tx, ids))


def _named(tx: Transaction, ids: Ids) -> Transaction:
    act = tx.act
    if isinstance(act, Batch):
        return replace(tx, act=replace(act, items=tuple(_named(item, ids) for item in act.items)))
    meant = reference_of(act)
    told = replace(act, reference=ids.made(meant)) if meant else act
    return replace(tx, id=ids.made(tx.id) if tx.id else "", act=told)


def _steps(bench: Bench) -> Iterator[Step]:
    one, two, three = bet("b1", "10.00"), bet("b2", "20.00", round_id="2"), bet("b3", "30.00", round_id="3")
    yield Step("a bet", one)
    yield Step("the bet again", one)
    yield Step("a win", win("w1", "25.00", closed=True))
    yield Step("the win again", win("w1", "25.00", closed=True))
    yield Step("a bet to be undone", two)
    yield Step("its rollback", bench.undo(two, "refund:b2"))
    yield Step("the rollback again", bench.undo(two, "refund:b2"))
    yield Step("a cancel before its bet", bench.undo(three, "refund:b3"))
    yield Step("the late bet", three)
    poor = bet("b4", "99999.00", round_id="4")
    yield Step("an insufficient bet", poor)
    yield Step("the insufficient bet again", poor)
    yield Step("the cancel of what was declined", bench.undo(poor, "refund:b4"))
    yield from _promotions(bench)
    yield from _of_no_round(bench)
    yield from _wholes(bench)
    yield from _parts()
    yield from _round_refunds(bench)
    yield from _holds(bench)
    yield Step("the last bet", bet("b9", "7.01", round_id="9"))
    yield Step("the last win", win("w9", "0.07", round_id="9"))


def _promotions(bench: Bench) -> Iterator[Step]:
    free = bet("f1", "5.00", free=True, free_round_id="c-1", round_id="5")
    yield Step("a free round", free)
    yield Step("its win", win("fw1", "7.00", free=True, free_round_id="c-1", round_id="5"))
    other = bet("f2", "5.00", free=True, free_round_id="c-1", round_id="51")
    yield Step("a free round to be undone", other)
    yield Step("its rollback", bench.undo(other, "refund:f2"))
    yield Step("a tracking-only bet", bet("tr1", "5.00", tracking=True, round_id="5"))
    yield Step("a losing bet", bet("b5", "3.00", round_id="6"))
    yield Step("a zero win", win("z1", "0.00", round_id="6", closed=True))
    bonus = win("x1", "4.00", round_id="6")
    yield Step("a bonus", replace(bonus, act=Credit(amount=Decimal("4.00"), type="bonus")))
    yield Step("an adjustment that gives", a_call(Adjust(amount=Decimal("2.50")), "a1"))
    yield Step("an adjustment that takes", a_call(Adjust(amount=Decimal("-1.25")), "a2"))


def _of_no_round(bench: Bench) -> Iterator[Step]:
    """A tip, a bet in a shop, a payout of a promotion: some wallets are told nothing without a round."""
    other = bet("n2", "2.00", round_id="")
    yield Step("a bet of no round", bet("n1", "3.00", round_id=""))
    yield Step("the win that names it", win("nw1", "1.50", of="n1", round_id=""))
    yield Step("another bet of no round", other)
    yield Step("its rollback", bench.undo(other, "refund:n2"))
    yield Step("a settle of no round", settle("ns1", "2.00", "3.00", round_id=""))
    yield Step("a payout of a promotion", a_call(Credit(amount=Decimal("0.75"), type="promo"), "pp1", round_id=""))


def _wholes(bench: Bench) -> Iterator[Step]:
    yield Step("a settle", settle("s1", "4.00", "9.00", round_id="7"))
    yield Step("the settle again", settle("s1", "4.00", "9.00", round_id="7"))
    yield Step("an insufficient settle", settle("s2", "99999.00", "1.00", round_id="71"))
    if bench.provider.dialect.name != "softswiss":  # its settle is a list of two, and so is what undoes it
        yield Step("a settle to be undone", settle("s3", "2.00", "5.00", round_id="72"))
        yield Step("its rollback", undo("us3", "s3", kind=Kind.SETTLE, round_id="72"))
    items = (win("i2", "6.00", round_id="8"), bet("i1", "2.00", round_id="8"))
    yield Step("a batch", a_call(Batch(items=items, atomic=True), ""))
    poor = (bet("i3", "2.00", round_id="81"), bet("i4", "99999.00", round_id="81"), win("i5", "1.00", round_id="81"))
    yield Step("a batch that is declined", a_call(Batch(items=poor, atomic=True), ""))


def _parts() -> Iterator[Step]:
    yield Step("a bet to be refunded by half", bet("p1", "12.00", round_id="10"))
    yield Step("a partial refund", undo("pr1", "p1", "5.00", round_id="10"))


def _round_refunds(bench: Bench) -> Iterator[Step]:
    for number in (1, 2, 3):
        yield Step(f"bet {number} of a round", bet(f"r{number}", f"{number}.00", round_id="11"))
    yield Step("the cancel of one of them", bench.undo(bet("r2", "2.00", round_id="11"), "refund:r2"))
    if bench.provider.dialect.name == "kyren":
        refund = replace(bet("rf", round_id="11"), act=Rollback(reference="rf", scope="round"), id="refund:rf")
        yield Step("the refund of the round", refund)
        yield Step("the refund of the round again", refund)
        yield Step("the late bet that the refund named", bet("rf", round_id="11"))
    open_one, late = bet("k1", "3.00", round_id="12"), bet("k2", "4.00", round_id="12")
    yield Step("a bet whose round has another on its way", open_one)
    yield Step("the cancel that overtakes its bet", bench.undo(late, "refund:k2"))
    yield Step("the overtaken bet", late)
    yield Step("the cancel of the one that stood", bench.undo(open_one, "refund:k1"))


def _holds(bench: Bench) -> Iterator[Step]:
    for number, end in ((1, Capture), (2, Release)):
        made = "" if bench.provider.dialect.name == "gameball" else f"h{number}"
        yield Step(f"hold {number}", a_call(Reserve(amount=Decimal("8.00")), made, round_id=""))
        held = made or (bench.answers[-1].transaction_id if bench.answers else "")
        act: Any = end(reference=held)
        yield Step(f"the end of hold {number}", a_call(act, f"e{number}" if end is Capture else f"release:{held}"))
    yield Step("the refund of what was held", undo("er1", "e1", round_id=""))
