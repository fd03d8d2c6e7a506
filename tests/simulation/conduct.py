"""What providers do beside an ordinary round: impatience, second thoughts, holds, corrections.

Each play is one round of one player. Which of them a provider knows is drawn with the plan, so that
one history has some of them often rather than all of them seldom.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.model import (
    Accepted,
    Adjust,
    Batch,
    Capture,
    Debit,
    Declined,
    Kind,
    Outcome,
    Refused,
    Release,
    Reserve,
    Rollback,
    Settle,
    Transaction,
    Unknown,
)

if TYPE_CHECKING:
    from tests.simulation.players import Actor, Story

Acted = Callable[["Actor", str], Coroutine[Any, Any, None]]
IN_THE_AIR_SECONDS = (0.01, 0.5)
LATER_SECONDS = 40.0  # a win comes when its cancel is owed, sent, or long done


class Play(Struct, frozen=True):
    """`dialects`: whose providers have words for it; none: everybody."""

    acted: Acted
    dialects: frozenset[str] = frozenset()


NATIVE = frozenset({"native"})


async def _both(actor: Actor, *tasks: Any) -> None:
    """The player goes on when all of them have ended."""
    while not all(task.done() for task in tasks):
        await actor.history.scheduler.sleep(0.5)


async def _moment(actor: Actor, most: float = IN_THE_AIR_SECONDS[1]) -> None:
    await actor.history.scheduler.sleep(actor.chance.uniform(IN_THE_AIR_SECONDS[0], most))


def _spawn(actor: Actor, coroutine: Coroutine[Any, Any, Any]) -> Any:
    return actor.history.scheduler.spawn(coroutine)


def _a_bet(actor: Actor, round_id: str, most: int = 15) -> Story:
    return actor.story(actor.tx(Debit(amount=actor.money(most)), actor.new_id(), round_id, closed=False))


async def settle_cancelled(actor: Actor, round_id: str) -> None:
    """An impatient provider gives a settle up while a part of it is in the air."""
    actor.history.fire("settle_cancelled")
    act = Settle(debit=actor.money(10), credit=actor.money(15))
    story = actor.story(actor.tx(act, actor.new_id(), round_id, closed=True))
    await actor.cancelled_beside(story)


async def cancel_then_win(actor: Actor, round_id: str) -> None:
    """The bet is given up, and then its round is won: the books of two machines at one provider."""
    actor.history.fire("cancel_then_win")
    story = _a_bet(actor, round_id)
    story.ignored = True
    bet = _spawn(actor, actor.say(story.tx, [story], again=False))
    await _moment(actor)
    cancel = _spawn(actor, actor.cancel(story))
    await _moment(actor, actor.chance.choice((1.0, LATER_SECONDS)))
    await actor.win(round_id, story)
    await _both(actor, bet, cancel)


async def win_then_cancel(actor: Actor, round_id: str) -> None:
    """The win is on its way, or taken, when the bet is given up."""
    actor.history.fire("win_then_cancel")
    story = _a_bet(actor, round_id)
    story.ignored = True
    bet = _spawn(actor, actor.say(story.tx, [story], again=False))
    await _moment(actor)
    win = _spawn(actor, actor.win(round_id, story))
    await _moment(actor, actor.chance.choice((0.5, 10.0)))
    await actor.cancel(story)
    await _both(actor, bet, win)


async def two_cancels(actor: Actor, round_id: str) -> None:
    """One bet is cancelled under two ids, beside each other or one after the other."""
    actor.history.fire("two_cancels")
    story = _a_bet(actor, round_id)
    await actor.say(story.tx, [story], again=False)
    story.ignored = True
    first = _spawn(actor, actor.cancel(story))
    await _moment(actor, actor.chance.choice((0.5, 20.0)))
    await actor.cancel(story, "8")
    await _both(actor, first)


async def win_elsewhere(actor: Actor, round_id: str) -> None:
    """The win names its bet and belongs to a bonus round, or to none."""
    story = _a_bet(actor, round_id if actor.likes(0.7) else "")
    outcome = await actor.insist(story.tx, [story], persist=False)
    story.gave_up = False
    if isinstance(outcome, Declined):
        return
    actor.history.fire("win_elsewhere")
    await actor.win(f"{round_id}-bonus" if actor.likes(0.5) else "", story, names=True)


async def batch_cancelled(actor: Actor, round_id: str) -> None:
    """The bets of a batch are given up, while it is in the air or when it was answered."""
    actor.history.fire("batch_cancelled")
    items = [actor.tx(Debit(amount=actor.money(10)), actor.new_id(), round_id) for _ in range(2)]
    whole = actor.tx(Batch(items=tuple(items), atomic=actor.likes(0.5)), "", "")
    stories = [actor.story(item) for item in items]
    for story in stories:
        story.ignored, story.batched = True, True
    call = _spawn(actor, actor.say(whole, stories, again=False))
    await _moment(actor, actor.chance.choice((0.5, 5.0)))
    for story in stories:
        await actor.cancel(story)
    await _both(actor, call)


async def batch_known(actor: Actor, round_id: str) -> None:
    """A bet that stands comes again as an item of a batch, which may be declined."""
    before = _a_bet(actor, round_id, 10)
    if not isinstance(await actor.insist(before.tx, [before], persist=False), Accepted):
        await actor.after_a_bet(before)
        return
    actor.history.fire("batch_known")
    before.stood = True
    more = _a_bet(actor, round_id, actor.chance.choice((10, 60)))
    more.batched = True
    whole = actor.tx(Batch(items=(before.tx, more.tx), atomic=actor.likes(0.7)), "", "")
    outcome = await actor.insist(whole, [before, more], persist=actor.plan.after_doubt is None)
    if isinstance(outcome, Unknown) and actor.plan.manner == "cancels":
        await actor.cancel(more)
    if actor.likes(0.5):
        await actor.repeat(before)


async def partial(actor: Actor, round_id: str) -> None:
    """Parts of a bet are given back, where the dialect knows several, until too much was asked for."""
    story = _a_bet(actor, round_id)
    if not isinstance(await actor.insist(story.tx, [story], persist=False), Accepted):
        await actor.after_a_bet(story)
        return
    whole, told = story.tx.act, []
    assert isinstance(whole, Debit)
    part = (whole.amount / 2).quantize(whole.amount)
    if not 0 < part < whole.amount:
        return
    actor.history.fire("partial")
    for number in range(actor.chance.choice((1, 2, 3)) if actor.dialect.as_provider.partial else 1):
        act = Rollback(reference=story.id, reference_kind=Kind.DEBIT, amount=part)
        undo = actor.story(replace(story.tx, act=act, id=f"{7 - number}{story.id}"))
        story.cancels.append(undo)
        told.append(_spawn(actor, actor.insist(undo.tx, [undo], persist=actor.plan.persists)))
        await _moment(actor, actor.chance.choice((0.5, 10.0)))
    await _both(actor, *told)


async def adjust(actor: Actor, round_id: str) -> None:
    """A correction, either way; whoever falls silent about one that takes means that it failed."""
    actor.history.fire("adjust")
    amount = actor.money(8) * (1 if actor.likes(0.5) else -1)
    story = actor.story(actor.tx(Adjust(amount=amount), actor.new_id(), round_id))
    silent = actor.plan.after_doubt is not None and amount < 0
    outcome = await actor.insist(story.tx, [story], persist=not silent)
    if silent and isinstance(outcome, Unknown):
        story.gave_up, story.silent = False, True
        actor.history.fire("silence")


async def hold(actor: Actor, round_id: str) -> None:
    """An amount is held, and then taken, in part, or released."""
    actor.history.fire("reserve")
    story = _a_hold(actor, round_id)
    outcome = await actor.insist(story.tx, [story], persist=actor.plan.after_doubt is None)
    if isinstance(outcome, Declined):
        return
    if isinstance(outcome, Unknown):
        story.gave_up, story.silent = False, actor.plan.after_doubt is not None
        if not story.silent:
            await _released(actor, story)
        return
    if actor.likes(0.6):
        actor.history.fire("capture")
        act = story.tx.act
        assert isinstance(act, Reserve)
        some = actor.chance.choice((None, act.amount, (act.amount / 2).quantize(act.amount)))
        await _ended(actor, story, Capture(reference=story.id, amount=some or None), "6")
    else:
        actor.history.fire("release")
        await _released(actor, story)


async def release_first(actor: Actor, round_id: str) -> None:
    """The release overtakes its reserve on the way."""
    actor.history.fire("release_first")
    story = _a_hold(actor, round_id)
    story.ignored = True
    await _released(actor, story)
    await actor.say(story.tx, [story], again=False)


async def release_beside(actor: Actor, round_id: str) -> None:
    """The release is sent while its reserve is in the air."""
    actor.history.fire("release_beside")
    story = _a_hold(actor, round_id)
    story.ignored = True
    call = _spawn(actor, actor.say(story.tx, [story], again=False))
    await _moment(actor, actor.chance.choice((0.5, 3.0)))
    await _released(actor, story)
    await _both(actor, call)


def _a_hold(actor: Actor, round_id: str) -> Story:
    return actor.story(actor.tx(Reserve(amount=actor.money(10)), actor.new_id(), round_id))


async def _released(actor: Actor, story: Story) -> None:
    await _ended(actor, story, Release(reference=story.id), "6")


async def _ended(actor: Actor, story: Story, act: Capture | Release, sign: str) -> None:
    tx: Transaction = replace(story.tx, act=act, id=f"{sign}{story.id}")
    end = actor.story(tx)
    story.ends.append(end)
    await actor.insist(tx, [end], persist=actor.plan.persists)


async def unrollback(actor: Actor, round_id: str) -> None:
    """A cancel is taken back, and then the bet is cancelled after all."""
    story = _a_bet(actor, round_id)
    if not isinstance(await actor.insist(story.tx, [story], persist=False), Accepted):
        await actor.after_a_bet(story)
        return
    cancel = await actor.cancel(story)
    if cancel is None or not _accepted(cancel):
        return
    try:
        tx = actor.undo(cancel.tx, f"5{story.id}")
    except Refused:
        return
    actor.history.fire("unrollback")
    back = actor.story(tx)
    cancel.cancels.append(back)
    outcome: Outcome = await actor.insist(tx, [back], persist=actor.plan.persists)
    if isinstance(outcome, Accepted) and actor.likes(0.7):
        actor.history.fire("cancelled_again")
        await actor.cancel(story, "8")


def _accepted(story: Story) -> bool:
    return any(isinstance(word, Accepted) for word in story.decisions)


async def overtaken(actor: Actor, round_id: str) -> None:
    """Another bet of the round is open when a cancel overtakes the bet that it names."""
    standing = _a_bet(actor, round_id)
    if not isinstance(await actor.insist(standing.tx, [standing], persist=False), Accepted):
        await actor.after_a_bet(standing)
        return
    actor.history.fire("overtaken")
    story = _a_bet(actor, round_id)
    await actor.cancelled_before(story)


PLAYS: Mapping[str, Play] = {
    "settle_cancelled": Play(settle_cancelled, NATIVE),
    "cancel_then_win": Play(cancel_then_win),
    "win_then_cancel": Play(win_then_cancel),
    "two_cancels": Play(two_cancels, frozenset({"native", "gameball", "netgaming"})),
    "win_elsewhere": Play(win_elsewhere, NATIVE),
    "batch_cancelled": Play(batch_cancelled, NATIVE),
    "batch_known": Play(batch_known, NATIVE),
    "partial": Play(partial, frozenset({"native", "gameball"})),
    "adjust": Play(adjust, NATIVE),
    "hold": Play(hold, NATIVE),
    "release_first": Play(release_first, NATIVE),
    "release_beside": Play(release_beside, NATIVE),
    "unrollback": Play(unrollback, NATIVE),
    "overtaken": Play(overtaken, frozenset({"kyren"})),
}


def plays_of(dialect: str) -> list[str]:
    """What a provider of this dialect has words for."""
    return [name for name, play in PLAYS.items() if not play.dialects or dialect in play.dialects]
