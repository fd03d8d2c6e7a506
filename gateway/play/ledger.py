"""An independent reckoning: what a provider's answers add up to, held against the wallet's purse. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from gateway.model import Accepted, Capture, Credit, Debit, Outcome, Rollback, Settle, Transaction

ZERO = Decimal(0)


class Purse(Struct, kw_only=True):
    """One player's column of the reconciliation."""

    player: str
    currency: str
    opening: Decimal
    bets: Decimal = ZERO
    wins: Decimal = ZERO
    refunds: Decimal = ZERO

    @property
    def expected(self) -> Decimal:
        return self.opening - self.bets + self.wins + self.refunds


class Bet(Struct, kw_only=True):
    """A bet that was taken, and how much of it was not given back yet."""

    player: str
    id: str
    round_id: str
    left: Decimal


class Ledger:
    """Books every accepted answer once, however often it is heard."""

    def __init__(self) -> None:
        self.purses: dict[str, Purse] = {}
        self._bets: list[Bet] = []
        self._booked: set[tuple[str, str, str]] = set()

    def open(self, player: str, currency: str, opening: Decimal) -> None:
        self.purses[player] = Purse(player=player, currency=currency, opening=opening)

    def hear(self, provider: str, tx: Transaction, outcome: Outcome) -> None:
        key = (provider, tx.kind.value, tx.id)
        if not isinstance(outcome, Accepted) or key in self._booked or tx.player not in self.purses:
            return
        self._booked.add(key)
        purse = self.purses[tx.player]
        match tx.act:
            case Debit() as act:
                self._bet(purse, tx, act.amount)
            case Settle() as act:
                self._bet(purse, tx, act.debit)
                purse.wins += act.credit
            case Capture():
                self._bet(purse, tx, outcome.moved or ZERO)
            case Credit() as act:
                purse.wins += act.amount
            case Rollback() as act:
                purse.refunds += self._given_back(tx, act, outcome)
            case _:
                pass

    def add(self, player: str, bets: Decimal, wins: Decimal, refunds: Decimal) -> None:
        """What was played unseen."""
        purse = self.purses[player]
        purse.bets, purse.wins, purse.refunds = purse.bets + bets, purse.wins + wins, purse.refunds + refunds

    def _bet(self, purse: Purse, tx: Transaction, amount: Decimal) -> None:
        purse.bets += amount
        self._bets.append(Bet(player=tx.player, id=tx.id, round_id=tx.round_id, left=amount))

    def _given_back(self, tx: Transaction, act: Rollback, outcome: Accepted) -> Decimal:
        """What a provider takes a yes to mean: the amount told, else asked, else all that it names."""
        named = [bet for bet in self._bets if bet.player == tx.player and bet.id == act.reference]
        if not named and act.scope == "round":
            named = [bet for bet in self._bets if bet.player == tx.player and bet.round_id == tx.round_id]
        left = sum((bet.left for bet in named), ZERO)
        told = outcome.moved if outcome.moved is not None else act.amount
        given = left if told is None else min(told, left)
        rest = given
        for bet in named:
            share = min(rest, bet.left)
            bet.left -= share
            rest -= share
        return given
