"""A batch: debits first, credits last, each item by its own key; known ones from the journal (rule 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from msgspec.structs import replace

from gateway.ends import Owed
from gateway.engine.complete import reference_kinds
from gateway.engine.drive import STALE_MAX, Carried, Driver
from gateway.engine.errand import Errand
from gateway.engine.identity import batch_id, key_of
from gateway.engine.movement import Movement
from gateway.engine.opening import Order, is_mismatch
from gateway.engine.parts import gone, in_order, pays, refusable, refused_item, takes_back, undoable
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Kind, Outcome, Transaction, Unknown, owes, reference_of


class Batches:
    """Carries the batches of one process. `call`: the wire call, which says in which key space each item lives (rule 1)."""

    def __init__(self, driver: Driver, call: str) -> None:
        self.driver, self.world, self._call = driver, driver.world, call

    async def carry(self, errand: Errand, items: Sequence[Transaction], *, atomic: bool) -> Outcome:
        """All of it. A debit in doubt does not keep its credits from being read: they are owed from then
        on, and complete it (rules 11, 12)."""
        name = batch_id([self._key(errand, item) for item in items])
        given = all(owes(item.act) for item in items)
        if given and (not atomic or pays(items)):
            name = ""  # nothing ties its items to each other: its credits are loose ones of their rounds (rule 11)
        joint = bool(name) and len(items) > 1
        fresh: set[int] = set()  # the items that this call began
        for _ in range(STALE_MAX):  # until all of it is still so when it is told
            done = await self._items(errand, items, name, fresh, given=given, atomic=atomic, joint=joint)
            outcome, told = await self._together(errand, items, name, done, fresh, atomic=atomic)
            if not joint or not errand.open or isinstance(outcome, Unknown) or await self.driver.heard(errand, told):
                return outcome
        raise AssertionError("a batch that is always stale")

    async def _items(
        self, errand: Errand, items: Sequence[Transaction], name: str, fresh: set[int], *, given: bool, atomic: bool,
        joint: bool,
    ) -> dict[int, Carried]:  # fmt: skip
        """What became of each, by its number, in the order in which they were carried."""
        done: dict[int, Carried] = {}
        for number in await self._in_order(errand, items, atomic=atomic):
            so_far = [each.outcome for each in done.values()]
            if atomic and any(isinstance(outcome, Declined) for outcome in so_far):
                break
            if atomic and not pays(items) and any(isinstance(outcome, Unknown) for outcome in so_far):
                break
            kept = await self._kept(errand, items, number, done)
            ties = "" if given and items[number].kind is Kind.CREDIT else name
            order = self._order(errand, items[number], ties, atomic=atomic, joint=joint)
            done[number] = kept or await self.driver.carry(errand, order)
            if not done[number].again:
                fresh.add(number)
        return done

    async def _together(
        self, errand: Errand, items: Sequence[Transaction], name: str, done: Mapping[int, Carried], fresh: Set[int],
        *, atomic: bool,
    ) -> tuple[Outcome, dict[str, Carried]]:  # fmt: skip
        """All items as one answer, and which of them it tells, by their keys."""
        refused = next((number for number, each in done.items() if isinstance(each.outcome, Declined)), None)
        told = {number: each for number, each in done.items() if not is_mismatch(each.outcome)}
        if atomic and refused is not None:
            outcome = await self._give_back(errand, items, name, done, refused, fresh)
            told = {number: each for number, each in told.items() if isinstance(each.outcome, Declined)}
        else:
            outcome = _all({number: each.outcome for number, each in done.items()})
        return outcome, {self._key(errand, items[number]): each for number, each in told.items()}

    async def _in_order(self, errand: Errand, items: Sequence[Transaction], *, atomic: bool) -> list[int]:
        """Of several wins that are paid all or none those that the journal refuses come before everything.

        *Of two wins in a list the first was paid, the second had a used id, and its provider heard that nothing had moved.
        The bet beside them was in doubt until there was no time left, and the win was owed.*
        """
        ordered = in_order(items, await self._cancels_of_wins(errand, items))
        wins = [number for number in ordered if items[number].kind is Kind.CREDIT]
        refused: set[int] = set()
        for number in wins if atomic and len(wins) > 1 else ():
            if await self.driver.refuses(errand, self._order(errand, items[number], "", atomic=True, joint=True)):
                refused.add(number)
        return sorted(ordered, key=lambda number: number not in refused)

    async def _cancels_of_wins(self, errand: Errand, items: Sequence[Transaction]) -> frozenset[int]:
        """Which items undo a win. The wire may not tell what it names, the journal does.

        *A list cancelled a bet in doubt and then its win: the win, which stood as yet, stopped the first cancel, the second
        one took it back, and the stake stayed taken (rule 11).*
        """
        undoing = [number for number, item in enumerate(items) if item.kind is Kind.ROLLBACK]
        meant = {number: await self._meant(errand, items[number]) for number in undoing if len(undoing) > 1}
        return frozenset(number for number, m in meant.items() if m is not None and m.kind is Kind.CREDIT)

    async def _meant(self, errand: Errand, undoing: Transaction) -> Movement | None:
        kinds = reference_kinds(errand.provider, undoing.act)
        return await self.world.journal.find(errand.provider.id, kinds, reference_of(undoing.act))

    async def _kept(
        self, errand: Errand, items: Sequence[Transaction], number: int, done: Mapping[int, Carried]
    ) -> Carried | None:
        """What is said of a rollback that gives where its list was refused one that takes, as its page lets a wallet do: it
        is not sent, unless it was before. Those that take go first.

        *A list undid a bet and its win, the win was spent and stayed, and the stake was given back beside it.*
        """
        noes, item = errand.provider.dialect.as_provider.final_noes.get(Owed.TAKING), items[number]
        if not noes or item.kind is not Kind.ROLLBACK or takes_back(item):
            return None
        refused = [each.outcome for other, each in done.items() if takes_back(items[other])]
        no = next((each for each in refused if isinstance(each, Declined) and each.reason in noes), None)
        if no is None or await self.world.journal.get(self._key(errand, item)) is not None:
            return None
        return Carried(no, item)

    def _space(self, errand: Errand, item: Transaction) -> str:
        return errand.provider.dialect.as_provider.space(self._call, item.kind)

    def _key(self, errand: Errand, item: Transaction) -> str:
        return key_of(errand.provider.dialect, errand.provider.id, self._space(errand, item), item)

    def _order(self, errand: Errand, item: Transaction, name: str, *, atomic: bool, joint: bool) -> Order:
        return Order(
            wire=item, space=self._space(errand, item), call=errand.name, waits=True, batch=name, atomic=atomic,
            joint=joint,
        )  # fmt: skip

    async def _give_back(
        self, errand: Errand, items: Sequence[Transaction], name: str, done: Mapping[int, Carried], refused: int,
        fresh: Set[int],
    ) -> Outcome:  # fmt: skip
        """What an atomic batch did that was declined, also when it came before. What stood before it stays, what a cancel
        was refused for, what its provider heard to stand, and what was asked for with an item that is another one now: the
        first decision stands.

        *A person had said that a bet stands, and its batch's repeat gave it back. A batch came again with another amount:
        its stake was given back, and its win stayed paid (rule 2): so was what stands behind the item that is another one.*
        """
        shown, waits = done[refused].outcome, False
        assert isinstance(shown, Declined)
        rows = {number: await self.world.journal.get(self._key(errand, items[number])) for number in in_order(items)}
        no, before = rows[refused], rows.keys() - fresh
        other = is_mismatch(shown) and no is not None and no.state is not State.DECLINED
        whole = no is not None and no.batch == name
        stands = {n for n in before if (other and whole) or _told_to_stand(rows[n])}
        own = [m for number, m in rows.items() if m is not None and m.batch == name and number not in stands]
        if any(_stays_paid(m, own) for m in own):
            return Unknown(detail="part of the batch was cancelled, and another part stays paid")
        for taken in own:
            if taken.state is State.DECLINED or not taken.atomic or not undoable(taken, own):
                continue
            undo = await self.driver.undo(errand, taken, name)
            if undo is None:
                continue
            if not undo.decided:
                waits = True
            elif gone(undo) and undo.outcome is not None:
                shown = replace(shown, balance=undo.outcome.balance, currency=undo.outcome.currency)
        if waits:
            return Unknown(detail="part of the batch was declined, and another part is not given back yet")
        return replace(shown, items=())


def _told_to_stand(m: Movement | None) -> bool:
    """Whether yes was the last word that its provider heard of it, which is no word of its batch: that has one answer."""
    return m is not None and m.told == State.ACCEPTED.value


def _stays_paid(m: Movement, items: Sequence[Movement]) -> bool:
    """Whether an item is paid, or will be, though another one was refused: nobody may hear that nothing moved. Its
    provider's cancel of it ends that.

    *A bet and its win were in doubt, the bet alone was cancelled, and when the list came again its provider heard that it
    was rolled back: the win stayed paid.*
    """
    ended = m.state is State.DECLINED or m.undone_by
    never_goes = not m.sent and refused_item(items) is not None
    return not (m.ours or refusable(m) or ended or never_goes)


def _all(outcomes: dict[int, Outcome]) -> Outcome:
    """All items as one answer. `outcomes` by the item's number, in the order in which they came to it: the balance is that
    after the last one that was not known before, whatever its number is.

    *A list of a win and a bet showed the balance between them, and one of a new bet and a known win that of long ago.*
    """
    unknown = next((outcome for outcome in outcomes.values() if isinstance(outcome, Unknown)), None)
    if unknown is not None:
        return unknown
    told = [outcome for _, outcome in sorted(outcomes.items()) if not isinstance(outcome, Unknown)]
    done = [outcome for outcome in outcomes.values() if not isinstance(outcome, Unknown)]
    new = [outcome for outcome in done if not outcome.replayed] or done
    shown = next((outcome for outcome in reversed(new) if outcome.balance is not None), None)
    first = next((outcome.wallet_id for outcome in told if isinstance(outcome, Accepted)), "")
    replayed = all(outcome.replayed for outcome in told)
    if shown is None:  # also where a replay is to show the balance of now
        return Accepted(items=tuple(told), wallet_id=first, replayed=replayed)
    return Accepted(
        items=tuple(told), wallet_id=first, balance=shown.balance, bonus=shown.bonus, currency=shown.currency,
        replayed=replayed,
    )  # fmt: skip
