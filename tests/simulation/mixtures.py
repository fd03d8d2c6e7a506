"""What a player does only where a bias asks for it (`BIASES`): much at once in one round, and lists of all sorts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.model import Accepted, Batch, Credit, Debit, Declined, Kind, Refused, Transaction, Unknown
from tests.simulation.conduct import Play, all_ended, moment, spawn

if TYPE_CHECKING:
    from tests.simulation.players import Actor, Story

TOO_MUCH = 70  # more than any purse holds, now and then


async def table(actor: Actor, round_id: str) -> None:
    """Several bets of one round at once, each with a fate of its own."""
    actor.history.fire("table")
    same = actor.money(10) if actor.likes(0.4) else None  # some pages name a bet by its stake
    bets = [spawn(actor, _one_of_many(actor, round_id, same)) for _ in range(actor.chance.choice((2, 2, 3)))]
    await all_ended(actor, *bets)


async def _one_of_many(actor: Actor, round_id: str, stake: Decimal | None) -> None:
    await moment(actor, actor.chance.choice((0.05, 0.5, 6.0)))
    act = Debit(amount=stake or actor.money(12))
    story = actor.story(actor.tx(act, actor.new_id(), round_id, closed=False))
    if actor.speech.cancels and actor.likes(0.15):
        await actor.cancelled_beside(story)
        return
    outcome = await actor.insist(story.tx, [story], persist=False)
    if not isinstance(outcome, Accepted):
        await actor.after_a_bet(story)
        return
    fate = actor.chance.random()
    await moment(actor, actor.chance.choice((0.5, 6.0)))
    if fate < 0.4:
        await actor.win(round_id, story)
    elif fate < 0.7:
        await actor.cancel(story)
    elif fate < 0.8:
        await actor.repeat(story)


async def mixed_list(actor: Actor, round_id: str) -> None:
    """Bets, the cancels of bets that stand, and a win in one call; one of the bets may be too much for its purse."""
    before = [bet for bet in [await _a_bet(actor, round_id) for _ in range(actor.chance.choice((0, 1, 1, 2)))] if bet]
    cancels = [(actor.undo(bet.tx, actor.second_id("9", bet)), bet) for bet in before if actor.likes(0.7)]
    items: list[tuple[Transaction, Story | None]] = [*cancels]
    bets = [_a_stake(actor, round_id) for _ in range(actor.chance.choice((0, 1, 1, 2)) if cancels else 2)]
    items += [(tx, None) for tx in bets]
    if bets and actor.likes(0.4):
        act = Credit(amount=actor.money(10), reference=bets[0].id)
        items.append((actor.tx(act, actor.new_id(), round_id), None))
    if actor.likes(0.5):
        actor.chance.shuffle(items)
    await _said_together(actor, items)


async def _a_bet(actor: Actor, round_id: str) -> Story | None:
    """None: it does not stand."""
    story = actor.story(actor.tx(Debit(amount=actor.money(10)), actor.new_id(), round_id, closed=False))
    if isinstance(await actor.insist(story.tx, [story], persist=False), Accepted):
        return story
    await actor.after_a_bet(story)
    return None


def _a_stake(actor: Actor, round_id: str) -> Transaction:
    act = Debit(amount=actor.money(actor.chance.choice((10, 10, TOO_MUCH))))
    return actor.tx(act, actor.new_id(), round_id)


async def _said_together(actor: Actor, items: list[tuple[Transaction, Story | None]]) -> None:
    """Each with the bet that it cancels, if it does."""
    whole = actor.whole([tx for tx, _ in items], atomic=actor.likes(0.8))
    try:
        read = actor.read(whole).act
    except Refused:
        return  # its page has no words for lists of this sort
    if len(items) < 2 or not isinstance(read, Batch) or len(read.items) != len(items):
        return
    actor.history.fire("mixed_list")
    stories = [actor.story(tx, item) for (tx, _), item in zip(items, read.items, strict=True)]
    wins = [story for story in stories if story.kind is Kind.CREDIT]
    for story, (_, bet) in zip(stories, items, strict=True):
        story.batched = True
        if bet is not None:
            bet.cancels.append(story)
        if story.kind is Kind.DEBIT:
            story.won += wins  # a batch's win ties to all its bets (rule 11)
    outcome = await actor.insist(whole, stories, persist=actor.plan.after_doubt is None and actor.plan.persists)
    for story in stories:
        story.ignored = isinstance(outcome, Declined) and story.kind is Kind.CREDIT
        if isinstance(outcome, Unknown) and actor.plan.manner == "cancels" and story.kind is Kind.DEBIT:
            await actor.cancel(story)
    for bet in [bet for _, bet in items if bet is not None]:
        if isinstance(outcome, Declined) and actor.likes(0.5):
            await actor.cancel(bet, "8")
        elif actor.likes(0.3):
            await actor.repeat(bet)


MIXTURES: Mapping[str, Play] = {"table": Play(table, "rounds"), "mixed_list": Play(mixed_list, "batches")}
