"""The pair law: every provider dialect in front of every wallet dialect."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.capability import REFUSED, encodes, sayable
from gateway.engine.parts import items_of
from gateway.engine.states import State
from gateway.model import MONEY_KINDS, Batch, Credit, Kind, Refused, Rollback, Transaction
from tests.engine import pairs
from tests.engine.acts import undo
from tests.engine.conftest import MakeBench
from tests.engine.ledger import ACCEPTED, DOUBT, Entry, Ledger
from tests.engine.sessions import Step, steps
from tests.simulation.bench import CURRENCIES, GAME, Bench

OPENING = Decimal("1000.00")
SAY_YES = frozenset({"swipegames"})
"""Wallets to which the rollback of what they never saw is a success, once somebody can say its amount."""


# ---------------------------------------------------------------- the matrix


@pytest.mark.parametrize(("provider", "wallet"), pairs.PAIRS)
def test_the_matrix_is_the_pinned_one(provider: str, wallet: str) -> None:
    """`python -m tests.engine.pairs --write` pins it anew, and is reviewed."""
    mine = {key: verdict for key, verdict in pairs.pinned().items() if key.startswith(f"{provider} -> {wallet}: ")}
    now = pairs.column(provider, wallet)
    assert not pairs.new_refusals(mine, now), "refusals may never grow"
    assert pairs.differences(mine, now) == []


def test_the_matrix_holds_every_pair() -> None:
    """All of them, as each is found to be above, and what is written reads back as itself."""
    pinned = pairs.pinned()
    assert {key.partition(": ")[0] for key in pinned} == {f"{a} -> {b}" for a, b in pairs.PAIRS}
    assert len(pairs.PAIRS) == len(pairs.DIALECTS) ** 2
    assert pairs.text_of(pinned) == pairs.PINNED.read_text(encoding="utf-8")


def test_a_dialect_can_say_to_itself_what_it_hears() -> None:
    """Refused only where the wire has no exact form of its own word."""
    own = {key: verdict for name in pairs.DIALECTS for key, verdict in pairs.column(name, name).items()}
    assert [key for key, verdict in own.items() if verdict.startswith(REFUSED)] == []


def test_refusals_may_never_grow() -> None:
    """What could be said must still be said; only a new vector may begin refused."""
    before = {"a -> b: x": "same", "a -> b: y": "refused: why", "a -> b: z": "bridged: by"}
    now = {"a -> b: x": "refused: why", "a -> b: y": "same", "a -> b: z": "same", "a -> b: new": "refused: why"}
    assert pairs.new_refusals(before, now) == ["a -> b: x"]
    assert len(pairs.differences(before, now)) == 4


# ---------------------------------------------------------------- a session through the engine


class Play:
    """One provider's session through the gateway to one wallet, with the ledger beside it."""

    def __init__(self, bench: Bench) -> None:
        says_yes = bench.wallet.dialect.name in SAY_YES
        wallet, undoings = bench.wallet, (undo("u", "t"), undo("u", "t", "1.00"))
        gives_back = any(encodes(wallet.dialect, wallet.settings, each, CURRENCIES) for each in undoings)
        self.bench = bench
        self.ledger = Ledger(bench.provider, OPENING, says_yes=says_yes, gives_back=gives_back)
        self.played: list[str] = []

    def step(self, step: Step) -> None:
        """What is heard must be what the ledger says; refused = no money request reached the wallet."""
        bench = self.bench
        try:
            wire = self._wire(step.tx)
        except Refused:
            return  # this provider has no words for it
        refused = self._is_refused(wire)
        asked = bench.till.asked()
        expected = self.ledger.post(wire, refused)
        bench.call(step.tx)
        answer = bench.answers[-1]
        if wire.kind is Kind.RESERVE:
            self.ledger.rename(wire.id, answer.transaction_id)
        self.played.append(f"{step.name}: {expected}")
        where = f"{step.name}: {answer} (sayable: {not refused})"
        assert (answer.reason or answer.outcome) == expected, where
        assert bench.till.balance() == self.ledger.cash, where
        if refused:
            assert bench.till.asked() == asked, where
        if expected == DOUBT and wire.kind in MONEY_KINDS:
            assert bench.row(wire.kind, wire.id).state is State.PERSON, where

    def _wire(self, tx: Transaction) -> Transaction:
        """The canonical act as the gateway will read it, completed with the settings' currency."""
        provider = self.bench.provider
        request, call = self.bench.callers[provider.name].request(tx)
        reading = Call(
            settings=provider.settings, now=call.now, nonce=call.nonce, request=request, name=call.name,
            provider=provider.id, currency=provider.currency, currencies=CURRENCIES,
        )  # fmt: skip
        wire = provider.dialect.decode_request(request, reading)
        if wire.kind is Kind.RESERVE and not tx.id:  # made anew in each reading
            wire = replace(wire, id=f"hold-{len(self.ledger.entries)}")
        if isinstance(wire.act, Batch):
            wire = replace(wire, act=replace(wire.act, items=tuple(items_of(wire, wire.act))))
        return replace(wire, currency=wire.currency or provider.currency)

    def _is_refused(self, wire: Transaction) -> bool:
        """Of the wallet's dialect, by what the ledger knows of the movement meant."""
        wallet, act = self.bench.wallet, wire.act
        if isinstance(act, Batch):
            staked = {item.round_id for item in act.items if item.kind is Kind.DEBIT}
            return any(
                self._is_refused(item) for item in act.items if item.round_id not in staked or item.kind is Kind.DEBIT
            )
        meant = self.ledger.named(act) if isinstance(act, Rollback) else None
        if isinstance(act, Rollback) and self.bench.provider.dialect.by_stake:
            meant = next(iter(self.ledger.meant(wire, act)), None)
            wire = replace(wire, act=replace(act, reference=meant.tx.id)) if meant is not None else wire
        if (
            isinstance(act, Rollback)
            and meant is None
            and not wire.player
            and not wallet.dialect.as_wallet.undoes_blindly
        ):
            return False  # nobody knows whose it would be, so there is nothing that a wallet could be told
        if isinstance(act, Rollback) and meant is not None:
            # What it undoes, and of what round, the journal knows; so does the ledger.
            wire = replace(
                wire, act=replace(act, reference_kind=meant.tx.kind), round=wire.round or meant.tx.round,
                game=wire.game or meant.tx.game,
            )  # fmt: skip
        verdict, how = sayable(wallet.dialect, wallet.settings, wire, CURRENCIES)
        if isinstance(act, Credit) and act.amount and "reference from the journal" in how:
            none = (
                self.bench.provider.dialect.as_provider.one_end and not act.reference
            )  # such a win is none of a bet's
            if none or not self.ledger.has_bet(wire):
                return True  # the journal knows no bet that it could belong to
        if not isinstance(wire.act, Rollback) or not self.ledger.meant(wire, wire.act):
            return verdict == REFUSED
        # Some cancels have no amount (Kyren's), or whatever it says are always of all of it (Scorpio Play's).
        whole = wallet.dialect.as_wallet.undoes_whole or "without its amount" in how
        return verdict == REFUSED or (meant is not None and self._is_part(wire.act, meant) and whole)

    def _is_part(self, act: Rollback, meant: Entry) -> bool:
        return act.amount is not None and bool(meant.change) and act.amount != abs(self.ledger.left(meant))


@pytest.mark.parametrize(("provider", "wallet"), pairs.PAIRS)
def test_a_session_leaves_the_wallets_purse_as_the_ledger_says(bench_of: MakeBench, provider: str, wallet: str) -> None:
    """Bets, wins, repeats, rollbacks, a cancel before its bet, free rounds, settles, batches, holds."""
    bench = bench_of(provider, wallet)
    bench.launch(game=GAME)  # a bet in a shop names no game, and some wallets want one
    play = Play(bench)
    for step in steps(bench):
        play.step(step)
    assert len(play.played) >= 15
    assert bench.till.balance() == play.ledger.cash
    told = [line for line in play.played if line.endswith(f": {ACCEPTED}")]
    assert told or provider == "gameball"
