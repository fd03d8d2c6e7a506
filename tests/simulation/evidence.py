"""What can be read of a history when it is over: the journal's rows, the wallets' books, and what belongs together."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from gateway.engine.movement import Listing, Movement
from gateway.engine.states import State
from gateway.model import Debit, Kind, Rollback
from gateway.play.book import Entry, Place
from tests.simulation import pages
from tests.simulation.bench import at_once
from tests.simulation.history import History
from tests.simulation.outside import worth_of
from tests.simulation.players import Story
from tests.simulation.seam import ours


class Family(Struct, kw_only=True):
    """A movement of the journal with everything that undoes it, and what the wallets' books say."""

    row: Movement
    undoing: list[Movement]
    own: list[Entry]
    undone: list[Entry]
    lies: set[str]

    @property
    def net(self) -> Decimal:
        return sum((entry.delta for entry in [*self.own, *self.undone]), Decimal(0))

    @property
    def for_person(self) -> bool:
        return any(m.state is State.PERSON for m in [self.row, *self.undoing])


class Evidence:
    """The rows and the books of one history, by all that they are looked up by."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.rows = at_once(history.journal.listed(Listing(limit=100_000)))
        self.by_key = {row.key: row for row in self.rows}
        self.parents = {row.parent for row in self.rows if row.parent}
        self.books = {name: self._book(name) for name in history.tills}
        self.children: dict[str, list[Movement]] = {}
        self.aimed: dict[str, list[Movement]] = {}
        for row in self.rows:
            self.children.setdefault(row.parent, []).append(row)
            self.aimed.setdefault(row.target, []).append(row)
        self.named = {name: self._named(name) for name in history.tills}
        self._of_others = set[int]()
        self.of_rounds = {name: self._of_rounds(name) for name in history.tills}

    def _book(self, name: str) -> dict[Place, list[Entry]]:
        purse = self.history.tills[name].purse
        found: dict[Place, list[Entry]] = {}
        for entry in purse.book:
            found.setdefault(purse.place(entry.provider, entry.kind, entry.id), []).append(entry)
        return found

    def _named(self, name: str) -> dict[Place, list[Entry]]:
        """What names another movement of the book: rollbacks, captures and releases."""
        purse, found = self.history.tills[name].purse, dict[Place, list[Entry]]()
        for entry in purse.book:
            meant = purse.meant.get(entry.wallet_id)
            if meant is not None:
                found.setdefault(purse.place(entry.provider, meant, entry.reference), []).append(entry)
        return found

    def _of_rounds(self, name: str) -> dict[Place, list[Entry]]:
        """What undid movements of the book by their round, because what it named had never come there: its share of each."""
        purse, found = self.history.tills[name].purse, dict[Place, list[Entry]]()
        for place, named in self.named[name].items():
            for entry in named if place not in self.books[name] else ():
                for undone, share in purse.shares(entry):
                    found.setdefault(undone, []).append(share)
                    self._of_others.add(id(entry))
        return found

    def places(self, row: Movement) -> list[tuple[str, Place]]:
        """Where it stands, or would, in its wallet's book: a settle in one call may be two entries there."""
        name = self.history.rows[row.key].till
        return self.places_at(row, name) if name in self.history.tills else []

    def places_at(self, row: Movement, name: str) -> list[tuple[str, Place]]:
        found = self.history.places_of(row.key, name, row.provider, row.kind, row.alias or row.tx.id)
        return [(name, place) for place in found]

    def entries(self, row: Movement) -> list[Entry]:
        """What the wallet applied for this row; of a whole, its parts were applied, not itself."""
        if row.key in self.parents:
            return []
        own = [
            entry
            for name, place in self.places(row) for entry in self.books[name].get(place, [])
            if not self.history.is_anothers(self.history.rows[row.key], name, place, entry)
        ]  # fmt: skip
        if row.kind is Kind.ROLLBACK:  # some dialects make its id themselves: it is known by what it names
            alone = len(self.aimed.get(row.target, [])) == 1
            return own or (self._undoing(self.by_key.get(row.target)) if alone else [])
        return own

    def undone(self, row: Movement) -> list[Entry]:
        """The rollbacks of a movement, as its wallet applied them: those that name it, unless they undid others of its round in
        its stead, and those that undid it in another one's. *Of two bets in doubt the one that had never arrived was refunded
        first, which gave back the other one, whose refund found that done: both were told as given back, and one was.*"""
        named = [entry for entry in self._undoing(row) if id(entry) not in self._of_others]
        return [*named, *(e for name, place in self.places(row) for e in self.of_rounds[name].get(place, []))]

    def _undoing(self, target: Movement | None) -> list[Entry]:
        """The rollbacks that name it."""
        places = self.places(target) if target is not None else []
        found = [entry for name, place in places for entry in self.named[name].get(place, [])]
        return [
            entry for entry in found if entry.kind is Kind.ROLLBACK and not (entry.over and entry.undone_by)
        ]  # one that was rolled forward undoes nothing

    def undoes_all(self, m: Movement, target: Movement) -> bool:
        """A rollback of all of it that was sent, accepted, and not taken back itself. (Of two that are open
        one may have an attempt only because its process died before it could say that nothing left.)"""
        amount = getattr(m.tx.act, "amount", None)
        if m.kind is not Kind.ROLLBACK or not m.attempts or m.state is not State.ACCEPTED:
            return False
        back = any(each.kind is Kind.ROLLBACK and each.attempts for each in self.aimed.get(m.key, []))
        return not back and (amount is None or amount >= abs(worth_of(target.tx)))

    def taken_back(self, entry: Entry) -> bool:
        """Whether an un-rollback names it."""
        for name, named in self.named.items():
            place = self.history.tills[name].purse.place(entry.provider, entry.kind, entry.id)
            if any(each.kind is Kind.ROLLBACK for each in named.get(place, [])):
                return True
        return False

    def near(self, row: Movement) -> list[Movement]:
        """A movement, its whole, and all that these are about, or that is about them."""
        top = self.by_key.get(row.parent, row)
        near = {m.key: m for m in (*self.about(row), *self.about(top))}
        near |= {m.target: self.by_key[m.target] for m in [*near.values()] if m.target in self.by_key}
        return list(near.values())

    def alike(self) -> list[list[Story]]:
        """The stories; bets of one player, round and amount together, where a cancel says no more than that."""
        found: dict[object, list[Story]] = {}
        for story in self.history.stories.values():
            key: tuple[object, ...] = (story.provider, story.kind, story.id)
            stake = pages.by_stake(self.history.setup.providers[story.provider].dialect)
            if stake and isinstance(story.read.act, Debit):
                key = (story.provider, story.read.player, story.read.round_id, story.read.act.amount)
            found.setdefault(key, []).append(story)
        return [*found.values()]

    def row_of(self, story: Story) -> Movement | None:
        found = [
            row for row in self.rows
            if row.provider == story.provider and row.tx.id == story.id and row.kind is story.kind and not row.parent
        ]  # fmt: skip
        if not found and isinstance(story.read.act, Rollback):  # Kyren's cancel has no id on the wire but what it names
            found = [
                row for row in self.rows
                if row.provider == story.provider and row.kind is Kind.ROLLBACK and not (row.parent or ours(row))
                and row.reference == story.read.act.reference
            ]  # fmt: skip
        return found[0] if found else None

    def given_back(self, cancel: Movement) -> list[Movement]:
        """What the gateway gives back by itself, which a refused cancel is told as doubt until it is at its end (rule 12)."""
        return [m for m in self.aimed.get(cancel.target, []) if m.ours] if cancel.target else []

    def of_forgotten_legs(self, row: Movement) -> list[Entry]:
        """What its wallet's book holds of the legs that the journal forgot: a settle in doubt for one leg whose other one
        it forgot is as whole in the book as it was told, and only a person can read that there (rules 18, 30)."""
        legs = [seen for key, seen in self.history.rows.items() if seen.parent == row.key and key not in self.by_key]
        tills = self.history.tills
        found = [
            entry
            for leg in legs
            if leg.kind != Kind.ROLLBACK.value and leg.till in tills
            for place in self.history.places_of_row(leg)
            for entry in self.books[leg.till].get(place, [])
        ]
        return [entry for entry in found if not entry.undone_by]

    def about(self, row: Movement) -> list[Movement]:
        """The movement, its parts, and all that is aimed at one of these."""
        found, todo = list[Movement](), [row]
        while todo:
            one = todo.pop()
            found.append(one)
            todo += [*self.children.get(one.key, []), *self.aimed.get(one.key, [])] if one.key else []
        return list({m.key: m for m in found}.values())

    def tied(self, rows: list[Movement]) -> list[Entry]:
        """What all wallets' books hold of these movements, and of what names one of them there. Which of two equal bets a cancel
        by stake alone gave back, a wallet decides; which one it was sent for, the journal knows."""
        places = [place for name in self.history.tills for m in rows for place in self.places_at(m, name)]
        ours = {"", *(key for m in rows for key in (m.key, m.parent))}  # the first part of a refund has the refund's id
        found = [e for (name, _), e in self.tied_to(places).items() if self._sent_for(name, e) in ours]
        of_others = [e for name, place in places for e in self.of_rounds[name].get(place, [])]
        return [*(entry for entry in found if id(entry) not in self._of_others), *of_others]

    def equals(self, row: Movement) -> list[Movement]:
        """The bets of its player, round and amount, where its wallet is told no more of a bet that it is to undo."""
        till = self.history.tills.get(self.history.rows[row.key].till)
        if till is None or not till.purse.rules.by_stake or row.kind is not Kind.DEBIT:
            return []
        same = (row.kind, row.tx.player, row.tx.round_id, worth_of(row.tx), row.wallet)
        return [
            m for m in self.rows
            if m.key != row.key and same == (m.kind, m.tx.player, m.tx.round_id, worth_of(m.tx), m.wallet)
        ]  # fmt: skip

    def _sent_for(self, name: str, entry: Entry) -> str:
        """The row in the journal whose request a wallet applied as this entry, where only the journal can tell; else blank."""
        purse = self.history.tills[name].purse
        key = self.history.places.get((name, purse.place(entry.provider, entry.kind, entry.id)), "")
        return key if purse.rules.by_stake and key in self.by_key else ""

    def tied_to(self, places: list[tuple[str, Place]]) -> dict[tuple[str, str], Entry]:
        found: dict[tuple[str, str], Entry] = {}
        todo = [*places]
        while todo:
            name, place = todo.pop()
            for entry in (*self.books[name].get(place, ()), *self.named[name].get(place, ())):
                if (name, entry.wallet_id) not in found:
                    found[name, entry.wallet_id] = entry
                    purse = self.history.tills[name].purse
                    todo.append((name, purse.place(entry.provider, entry.kind, entry.id)))
                    # A refund may name a bet that nobody saw, and undo one whose round the journal forgot (rule 30).
                    by = [each for each in purse.book if entry.undone_by and each.wallet_id == entry.undone_by]
                    todo += [(name, purse.place(each.provider, each.kind, each.id)) for each in by]
        return found

    def moved(self, row: Movement) -> bool:
        """Whether its wallet's book has it under its own name, and that it moved something."""
        return any(entry.delta for name, place in self.places(row) for entry in self.books[name].get(place, []))


def is_open(row: Movement) -> bool:
    """Undecided, or its provider's silence still runs (rule 12)."""
    return not row.state.decided or row.due_at is not None
