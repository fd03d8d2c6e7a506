"""What happens to processes, clocks, the journal and the configuration while a history is played.

Each is a coroutine that is asked again and again while the faults last; whether it strikes is the
history's own chance. What a fault touched is written down: a judgement is excused for that, and for
nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
from msgspec.structs import replace

from gateway.engine import person
from gateway.engine.journal import JournalLost, Movement
from gateway.engine.person import NotDone
from gateway.engine.setup import Setup
from gateway.play.book import Place
from tests.simulation import pages, seam
from tests.simulation.draw import SKEW_MAX_SECONDS, STEP_HOURS
from tests.simulation.setups import elsewhere, next_setup, readdressed

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.node import Node
    from tests.simulation.watch import Seen

TRIES_MAX = 5  # of a person, some seconds apart, when nothing fails any more
AWAY_SECONDS = (8.0, 30.0)  # until the old configuration is put back
FORCED_SHARE = 0.5  # of the starts that the gateway refuses
FORGOTTEN_SECONDS = (0.5, 20.0)  # so much of the journal is lost
Happens = Callable[["History"], Coroutine[Any, Any, None]]


async def kill(history: History) -> None:
    if history.strikes("kill"):
        history.fire("kill")
        history.die(history.chance.randrange(len(history.nodes)))


async def freeze(history: History) -> None:
    node = history.some_node()
    if node is None or not history.strikes("freeze"):
        return
    history.fire("freeze")
    await _still(history, node)


async def pause(history: History) -> None:
    """A machine is paused, with its monotonic clock; the wall clock is right when it goes on."""
    node = history.some_node()
    if node is None or not history.strikes("pause"):
        return
    history.fire("pause")
    began = history.scheduler.now
    await _still(history, node)
    node.paused += history.scheduler.now - began
    history.slept.append((began, history.scheduler.now))


async def _still(history: History, node: Node) -> None:
    history.event(f"{node.name} stands still")
    node.stop()
    await history.scheduler.sleep(history.chance.uniform(0.5, 20.0))
    node.go_on()
    history.event(f"{node.name} goes on")


async def skew(history: History) -> None:
    if history.hit("skew"):
        history.skewed = timedelta(seconds=history.chance.uniform(0, SKEW_MAX_SECONDS))
        _set_clock(history)


async def step(history: History) -> None:
    """By hours, and seldom back again before the faults stop."""
    if history.hit("step"):
        hours = history.chance.uniform(0.05, STEP_HOURS)
        history.stepped = timedelta(hours=hours if history.chance.random() < 0.5 else -hours)
        _set_clock(history)


def _set_clock(history: History) -> None:
    now, before, skew = history.scheduler.now, history.scheduler.clock(), history.scheduler.skew
    history.clock_set.append((now, before))
    history.scheduler.skew = history.skewed + history.stepped
    history.leaps.append((now, history.scheduler.skew - skew))
    history.event(f"the clock is {history.scheduler.skew.total_seconds():.1f} s ahead")


async def reload(history: History) -> None:
    if not history.hit("reload") or history.away:
        return
    history.setup = next_setup(history.setup, history.chance)
    for node in history.nodes:
        if node is not None:
            node.setup = history.setup
    for name in history.setup.wallets:
        till = history.tills[name]
        till.wallet = till.purse.wallet = history.setup.wallets[name]
    history.event(f"generation {history.setup.generation}: {[r.wallet for r in history.setup.routes]}")


async def mood(history: History) -> None:
    till = history.chance.choice(list(history.tills.values()))
    for name in ("key_rotated", "refuses"):
        if history.strikes(name):
            till.purse.mood = name
            history.event(f"{till.plan.name}: {name}")
            await history.scheduler.sleep(history.chance.uniform(1.0, 15.0))
            till.purse.mood = ""
            history.event(f"{till.plan.name} is itself again")
            return


# ---------------------------------------------------------------- another configuration


async def moved(history: History) -> None:
    """All processes end and begin again with a configuration in which a wallet is gone, or elsewhere;
    some time later the old one is put back. A start that is refused changes nothing, unless somebody
    forces it: then nothing may be sent for what belongs elsewhere."""
    if history.away or not history.strikes("moved"):
        return
    kept = history.setup
    name = history.chance.choice([wallet.name for wallet in history.plan.wallets])
    other = elsewhere(kept, name, gone=history.chance.random() < 0.5)
    history.away = name
    if not await _begin_with(history, other, forced=history.chance.random() < FORCED_SHARE):
        history.away = ""
        return
    history.fire("moved")
    await history.scheduler.sleep(history.chance.uniform(*AWAY_SECONDS))
    back = replace(kept, generation=other.generation + 1, wallets={**other.wallets, **kept.wallets})
    await _begin_with(history, back, forced=True)
    history.away = ""


async def readdress(history: History) -> None:
    """All processes end and begin again, and a wallet is at another address, for good: it moved once."""
    name = history.chance.choice([wallet.name for wallet in history.plan.wallets])
    if history.away or history.setup.wallets[name].moved_from or not history.strikes("readdressed"):
        return
    if await _begin_with(history, readdressed(history.setup, name), forced=False):
        history.fire("readdressed")


async def _begin_with(history: History, setup: Setup, *, forced: bool) -> bool:
    history.all_die()
    begins = await seam.may_begin(history.reopened(), setup) or forced
    if begins:
        history.setup = setup
        history.event(f"begins with {sorted((w.name, w.url) for w in setup.wallets.values())}")
    else:
        history.event("the start with another configuration is refused")
    while not all(history.nodes):
        await history.scheduler.sleep(0.5)
    return begins


# ---------------------------------------------------------------- the journal


async def lost_commits(history: History) -> None:
    """The journal is as it was some seconds ago: a restored backup, a standby that took over."""
    if history.restored is not None or not history.strikes("lost_commits"):
        return
    copy = Path(f"{history.path}.copy")
    since = history.scheduler.clock()  # what the copy cannot know came after this
    try:
        history.copy_journal(copy)
        await history.scheduler.sleep(history.chance.uniform(*FORGOTTEN_SECONDS))
        if history.calm:
            return
        history.fire("lost_commits")
        history.all_die()
        _put_back(copy, history.path)
        history.forgets()
        await seam.say_doubt(history.journal, since, history.scheduler.clock())
        history.event("the journal is as it was some seconds ago")
    finally:
        _removed(copy)


def _put_back(copy: Path, path: Path) -> None:
    for ending in ("-wal", "-shm"):
        _removed(Path(f"{path}{ending}"))
    shutil.copyfile(copy, path)


def _removed(path: Path) -> None:
    path.unlink(missing_ok=True)


def copied(source: Path, copy: Path) -> None:
    connection = apsw.Connection(str(source))
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()


# ---------------------------------------------------------------- a person


async def retry(history: History) -> None:
    """Something open is asked again, whatever is going on."""
    open_ones = [key for key, row in history.rows.items() if row.state in ("doubt", "owed", "person", "asking")]
    node = history.some_node()
    if open_ones and node is not None and history.strikes("retry"):
        key = history.chance.choice(open_ones)
        node.begin(_retried(history, node, key))


async def _retried(history: History, node: Node, key: str) -> None:
    try:
        await person.retry(node.journal, node.setup, key, "op", history.scheduler.clock())
    except (NotDone, JournalLost) as error:
        history.event(f"retry of {key}: {error}")
    else:
        history.fire("retry")
        history.event(f"{key} is asked again by a person")


async def resolve(history: History) -> None:
    """What waits for a person is looked up in its wallet's book, once nothing of it can arrive any more."""
    node = history.some_node()
    if node is None or not (history.strikes("resolve") or (history.calm and history.plan.rate("resolve"))):
        return
    for key, row in list(history.rows.items()):
        wanted = row.state == "person" and history.tried[key] < TRIES_MAX
        verdict = truth(history, row) if wanted else None
        if verdict is not None:
            node.begin(_resolved(history, node, key, accepted=verdict))
            return


async def _resolved(history: History, node: Node, key: str, *, accepted: bool) -> None:
    verdict = person.Verdict(accepted=accepted, reason="as its book says", by="op")
    history.resolved.add(key)
    try:
        row: Movement = await person.resolve(node.journal, node.setup, key, verdict, history.scheduler.clock())
    except (NotDone, JournalLost) as error:
        history.event(f"resolve of {key}: {error}")
        history.tried[key] += history.calm and "try again" not in str(
            error
        )  # a provider that insists is in nobody's way for long
    else:
        history.fire("resolve")
        history.event(f"{key} is {row.state} by a person")


def truth(history: History, row: Seen) -> bool | None:
    """What its wallet's book says of a movement; None: that cannot be said, or not yet."""
    till = history.tills.get(row.till)
    if till is None or any(wallet.lie for wallet in history.plan.wallets):
        return None
    near = [row, history.rows.get(row.target, row)]
    if any(history.scheduler.now - each.asked_at < till.plan.in_flight_max for each in near):
        return None
    places = history.places_of_row(row)
    if row.target and history.rows[row.target].state not in ("accepted", "declined"):
        return None  # what became of that comes first
    if any(other.parent == row.key for other in history.rows.values()):
        return None  # a whole follows its parts
    if row.kind == "rollback" and _is_one_of_several(history, row):
        return any(map(till.purse.applied, places)) or _is_left_over(history, row)
    if row.kind != "rollback":
        purse = till.purse
        there = [(place, e) for place in places for e in purse.book if purse.place(e.provider, e.kind, e.id) == place]
        return any(not history.is_anothers(row, row.till, *each) for each in there)
    target = history.rows.get(row.target)
    return any(map(till.purse.undone, _places_there(history, target) if target is not None else [])) or (
        target is None and any(map(till.purse.applied, places))
    )


def _places_there(history: History, row: Seen) -> list[Place]:
    """Where its wallet's book has it. A rollback may stand there under the name of its bet, where no other of it can (Groove)."""
    purse, places, bet = history.tills[row.till].purse, history.places_of_row(row), history.rows.get(row.target)
    if row.kind != "rollback" or bet is None or bet.till != row.till or any(map(purse.applied, places)):
        return places
    undoing = [entry for place in history.places_of_row(bet) for entry in purse.undoing(place)]
    return [purse.place(entry.provider, entry.kind, entry.id) for entry in undoing]


def _is_one_of_several(history: History, row: Seen) -> bool:
    """Whether other parts of the same movement were to be given back, too: that something was does not say which."""
    provider = history.setup.providers.get(row.provider)
    several = provider is not None and pages.several(provider.dialect)
    return several and sum(other.target == row.target for other in history.rows.values()) > 1


def _is_left_over(history: History, row: Seen) -> bool:
    """Whether the book has more that gave its bet back, under names that its page makes of the bet's and not of the cancel's
    (NeverEnding), than cancels that were accepted: it may be the one of another, and of that one it is as good as any."""
    bet, purse = history.rows.get(row.target), history.tills[row.till].purse
    if bet is None or bet.till != row.till or not row.attempts:
        return False
    undoing = [entry for place in history.places_of_row(bet) for entry in purse.undoing(place)]
    there = [purse.place(entry.provider, entry.kind, entry.id) for entry in undoing]
    nobodys = [place for place in there if (row.till, place) not in history.places]
    done = [other for other in history.rows.values() if other.target == row.target and other.state == "accepted"]
    return len(nobodys) > len(done)


TROUBLES: Mapping[str, Happens] = {
    "kill": kill,
    "freeze": freeze,
    "pause": pause,
    "skew": skew,
    "step": step,
    "reload": reload,
    "mood": mood,
    "moved": moved,
    "readdressed": readdress,
    "lost_commits": lost_commits,
    "retry": retry,
    "resolve": resolve,
}
MOODS = frozenset({"key_rotated", "refuses"})


def of(rates: Mapping[str, float]) -> list[Happens]:
    """What can happen at all in a history with these rates."""
    return [happens for name, happens in TROUBLES.items() if name in rates or (name == "mood" and MOODS & set(rates))]
