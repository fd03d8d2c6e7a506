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
    Credit,
    Debit,
    Declined,
    Game,
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
from tests.simulation import pages

if TYPE_CHECKING:
    from tests.simulation.players import Actor, Story

Acted = Callable[["Actor", str], Coroutine[Any, Any, None]]
IN_THE_AIR_SECONDS = (0.01, 0.5)
LATER_SECONDS = 40.0  # a win comes when its cancel is owed, sent, or long done


class Play(Struct, frozen=True):
    """`says`: what its page must have words for (`Speech`); blank: nothing beside bets and wins. `first`: of the pages that
    came first, those whose providers were drawn with it; None: all of them."""

    acted: Acted
    says: str = ""
    first: frozenset[str] | None = None


NATIVE, NOBODY = frozenset({"native"}), frozenset[str]()


async def all_ended(actor: Actor, *tasks: Any) -> None:
    """The player goes on when all of them have ended."""
    while not all(task.done() for task in tasks):
        await actor.history.scheduler.sleep(0.5)


async def moment(actor: Actor, most: float = IN_THE_AIR_SECONDS[1]) -> None:
    await actor.history.scheduler.sleep(actor.chance.uniform(IN_THE_AIR_SECONDS[0], most))


def spawn(actor: Actor, coroutine: Coroutine[Any, Any, Any]) -> Any:
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
    bet = spawn(actor, actor.say(story.tx, [story], again=False))
    await moment(actor)
    cancel = spawn(actor, actor.cancel(story))
    await moment(actor, actor.chance.choice((1.0, LATER_SECONDS)))
    await actor.win(round_id, story)
    await all_ended(actor, bet, cancel)


async def win_then_cancel(actor: Actor, round_id: str) -> None:
    """The win is on its way, or taken, when the bet is given up."""
    actor.history.fire("win_then_cancel")
    story = _a_bet(actor, round_id)
    story.ignored = True
    bet = spawn(actor, actor.say(story.tx, [story], again=False))
    await moment(actor)
    win = spawn(actor, actor.win(round_id, story))
    await moment(actor, actor.chance.choice((0.5, 10.0)))
    await actor.cancel(story)
    await all_ended(actor, bet, win)


async def two_cancels(actor: Actor, round_id: str) -> None:
    """One bet is cancelled under two ids, beside each other or one after the other."""
    actor.history.fire("two_cancels")
    story = _a_bet(actor, round_id)
    await actor.say(story.tx, [story], again=False)
    story.ignored = True
    first = spawn(actor, actor.cancel(story))
    await moment(actor, actor.chance.choice((0.5, 20.0)))
    await actor.cancel(story, "8")
    await all_ended(actor, first)


async def win_elsewhere(actor: Actor, round_id: str) -> None:
    """The win names its bet and belongs to a bonus round, or to none."""
    story = _a_bet(actor, round_id if actor.likes(0.7) or not actor.speech.roundless else "")
    outcome = await actor.insist(story.tx, [story], persist=False)
    story.gave_up = False
    if isinstance(outcome, Declined):
        return
    actor.history.fire("win_elsewhere")
    await actor.win(actor.elsewhere(round_id), story, names=True)


async def batch_cancelled(actor: Actor, round_id: str) -> None:
    """The bets of a batch are given up, while it is in the air or when it was answered."""
    actor.history.fire("batch_cancelled")
    items = [actor.tx(Debit(amount=actor.money(10)), actor.new_id(), round_id) for _ in range(2)]
    whole = actor.whole(items, atomic=actor.likes(0.5))
    read = actor.read(whole).act
    assert isinstance(read, Batch)
    stories = [actor.story(*both) for both in zip(items, read.items, strict=True)]
    for story in stories:
        story.ignored, story.batched = True, True
    call = spawn(actor, actor.say(whole, stories, again=False))
    await moment(actor, actor.chance.choice((0.5, 5.0)))
    for story in stories:
        await actor.cancel(story)
    await all_ended(actor, call)


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
    whole = actor.whole([before.tx, more.tx], atomic=actor.likes(0.7))
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
    for number in range(actor.chance.choice((1, 2, 3)) if pages.several(actor.dialect) else 1):
        act = Rollback(reference=story.tx.id, reference_kind=Kind.DEBIT, amount=part)
        tx = replace(story.tx, act=act, id=actor.second_id(str(7 - number), story))
        if actor.known(tx) is not None:
            continue  # its page names a part by its amount
        undo = actor.story(tx)
        story.cancels.append(undo)
        told.append(spawn(actor, actor.insist(undo.tx, [undo], persist=actor.plan.persists)))
        await moment(actor, actor.chance.choice((0.5, 10.0)))
    await all_ended(actor, *told)


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
        await _ended(actor, story, Capture(reference=story.tx.id, amount=some or None), "6")
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
    call = spawn(actor, actor.say(story.tx, [story], again=False))
    await moment(actor, actor.chance.choice((0.5, 3.0)))
    await _released(actor, story)
    await all_ended(actor, call)


def _a_hold(actor: Actor, round_id: str) -> Story:
    return actor.story(actor.tx(Reserve(amount=actor.money(10)), actor.new_id(), round_id))


async def _released(actor: Actor, story: Story) -> None:
    await _ended(actor, story, Release(reference=story.tx.id), "6")


async def _ended(actor: Actor, story: Story, act: Capture | Release, sign: str) -> None:
    tx: Transaction = replace(story.tx, act=act, id=actor.second_id(sign, story))
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
    back = _restoring(actor, story, cancel)
    if back is None:
        return
    actor.history.fire("unrollback")
    tx = back.tx
    cancel.cancels.append(back)
    outcome: Outcome = await actor.insist(tx, [back], persist=actor.plan.persists)
    if isinstance(outcome, Accepted) and actor.likes(0.7):
        actor.history.fire("cancelled_again")
        await actor.cancel(story, "8")


def _restoring(actor: Actor, story: Story, cancel: Story) -> Story | None:
    """What takes a cancel back, in the words that its page has for it."""
    bare = actor.undo(cancel.tx, actor.second_id("5", story))
    assert isinstance(bare.act, Rollback)
    amount = getattr(story.tx.act, "amount", None)
    for tx in (bare, replace(bare, act=replace(bare.act, amount=amount, beyond=story.tx.id))):
        try:
            return actor.story(tx)
        except Refused:
            continue
    return None


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


async def same_id(actor: Actor, round_id: str) -> None:
    """Another movement under an id that was used: it moves nothing, and hears so, or what became of the first."""
    story = _a_bet(actor, round_id)
    if not isinstance(await actor.insist(story.tx, [story], persist=False), Accepted):
        await actor.after_a_bet(story)
        return
    if actor.likes(0.5):
        story = await actor.win(round_id, story)
    act = story.tx.act
    assert isinstance(act, Debit | Credit)
    if not story.decisions or actor.history.forgetful:
        return
    actor.history.fire("same_id")
    other = replace(story.tx, act=replace(act, amount=act.amount + 1))
    actor.must_not_move(story, await actor.say(other, [], again=False))


async def free_round(actor: Actor, round_id: str) -> None:
    """A free bet, which takes nothing, and its cancel, or a win of it."""
    actor.history.fire("free_round")
    act = Debit(amount=actor.money(10), free_round=True)
    tx = replace(actor.tx(act, actor.new_id(), round_id, closed=False), free_round_id="campaign-1")
    story = actor.story(tx)
    outcome = await actor.insist(tx, [story], persist=False)
    if not isinstance(outcome, Accepted):
        await actor.after_a_bet(story)
    elif actor.likes(0.6):
        await actor.cancel(story)
    else:
        await actor.win(round_id, story)


async def after_its_round(actor: Actor, round_id: str) -> None:
    """More comes for a round whose win said that it is over: a cancel of its bet, another bet, another win."""
    story = _a_bet(actor, round_id)
    if not isinstance(await actor.insist(story.tx, [story], persist=False), Accepted):
        await actor.after_a_bet(story)
        return
    actor.history.fire("after_its_round")
    await actor.win(round_id, story)
    for _ in range(actor.chance.choice((1, 2))):
        what = actor.chance.choice(("bet", "win", "cancel"))
        if what == "bet":
            await actor.bet(round_id)
        elif what == "win":
            await actor.win(round_id, story)
        else:
            await actor.cancel(story)


async def strange_session(actor: Actor, round_id: str) -> None:
    """A bet of another game than the one that its session was handed over for."""
    actor.history.fire("strange_session")
    tx = actor.tx(Debit(amount=actor.money(10)), actor.new_id(), round_id, closed=False)
    story = actor.story(replace(tx, game=Game(id="43", name="Another Fox", type="slots")))
    outcome = await actor.insist(story.tx, [story], persist=False)
    restored = actor.history.restored  # a launch of before may look like a later one than the loss (rules 22, 29, 30)
    set_back = restored is not None and any(at < restored for at, _ in actor.history.clock_set)
    if isinstance(outcome, Accepted) and not set_back:
        actor.history.wrong.append(f"ACCEPTED {story.id} is of a game that its session is not for")
    await actor.after_a_bet(story)


async def old_session(actor: Actor, round_id: str) -> None:
    """It is given another session, and a bet comes in the one before."""
    actor.history.fire("old_session")
    before = actor.session
    await actor.arrive()
    story = actor.story(replace(_a_bet(actor, round_id).tx, session=before))
    await actor.insist(story.tx, [story], persist=False)
    await actor.after_a_bet(story)


PLAYS: Mapping[str, Play] = {
    "settle_cancelled": Play(settle_cancelled, "undoes_settles", NATIVE),
    "cancel_then_win": Play(cancel_then_win, "cancels"),
    "win_then_cancel": Play(win_then_cancel, "cancels"),
    "two_cancels": Play(two_cancels, "cancels_twice", frozenset({"native", "gameball", "netgaming"})),
    "win_elsewhere": Play(win_elsewhere, "elsewhere", NATIVE),
    "batch_cancelled": Play(batch_cancelled, "batches", NATIVE),
    "batch_known": Play(batch_known, "batches", NATIVE),
    "partial": Play(partial, "parts", frozenset({"native", "gameball"})),
    "adjust": Play(adjust, "adjusts", NATIVE),
    "hold": Play(hold, "holds", NATIVE),
    "release_first": Play(release_first, "holds", NATIVE),
    "release_beside": Play(release_beside, "holds", NATIVE),
    "unrollback": Play(unrollback, "restores", NATIVE),
    "overtaken": Play(overtaken, "cancels", frozenset({"kyren"})),
    "same_id": Play(same_id, "", NOBODY),
    "free_round": Play(free_round, "frees", NOBODY),
    "after_its_round": Play(after_its_round, "rounds", NOBODY),
    "strange_session": Play(strange_session, "bound", NOBODY),
    "old_session": Play(old_session, "renews", NOBODY),
}


def plays_of(dialect: str) -> list[str]:
    """With what a provider of one of the pages that came first was drawn."""
    return [name for name, play in PLAYS.items() if play.first is None or dialect in play.first]


def more_plays(dialect: str, settings: Mapping[str, str], *, first: bool) -> list[str]:
    """What a provider of this page has words for, beside that."""
    speech, before = pages.speech_of(dialect, *settings.items()), plays_of(dialect) if first else []
    return [
        name for name, play in PLAYS.items() if name not in before and (not play.says or getattr(speech, play.says))
    ]
