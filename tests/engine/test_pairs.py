"""The pair law: every provider dialect in front of every wallet dialect."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.capability import (
    AMOUNT_STAND_IN,
    BET,
    BRIDGED,
    CURRENCY_STAND_IN,
    GAME,
    HOLD,
    ITS_ROUNDS_BET,
    PLAYER,
    REFUSED,
    ROUND,
    SESSION,
    Told,
    encodes,
    tell,
)
from gateway.engine.parts import items_of
from gateway.engine.states import State
from gateway.engine.words import IS_ALL_OF_IT, Way
from gateway.model import MONEY_KINDS, Batch, Credit, Kind, Refused, Rollback, Round, Transaction, reference_of
from tests.engine import pairs
from tests.engine.acts import undo
from tests.engine.conftest import MakeBench
from tests.engine.ledger import ACCEPTED, DOUBT, Entry, Ledger
from tests.engine.sessions import Step, steps
from tests.simulation.bench import CURRENCIES, Bench
from tests.simulation.bench import GAME as PLAYED

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


def _said(tx: Transaction) -> dict[str, Any]:
    """What a wallet reads in a request, field by field, without what is new in each."""
    said = {name: getattr(each, name) for each in (tx, tx.act) for name in each.__struct_fields__}
    return {name: value for name, value in said.items() if name not in NEW_IN_EACH} | {
        "act": tx.kind, "round": tx.round_id, "closed": tx.round and tx.round.closed, "game": tx.game_id,
    }  # fmt: skip


NEW_IN_EACH = frozenset({"request_id", "occurred_at", "expires_at"})


class Play:
    """One provider's session through the gateway to one wallet, with the ledger beside it."""

    def __init__(self, bench: Bench) -> None:
        says_yes = bench.wallet.dialect.name in SAY_YES
        wallet, undoings = bench.wallet, (undo("u", "t"), undo("u", "t", "1.00"))
        gives_back = any(encodes(wallet.dialect, wallet.settings, each, CURRENCIES) for each in undoings)
        self.bench = bench
        self.ledger = Ledger(bench.provider, OPENING, says_yes=says_yes, gives_back=gives_back)
        self.way = Way(setup=bench.setup, provider=bench.provider, wallet=wallet, route=bench.setup.routes[0])
        ids, rounds = wallet.dialect.as_wallet.ids, self.way.round(Round(ROUND))
        assert rounds is not None
        self.stand_ins = {
            PLAYER, SESSION, GAME, ROUND, BET, HOLD, str(AMOUNT_STAND_IN), CURRENCY_STAND_IN, rounds.id, ids.made(BET),
        }  # fmt: skip
        self.rounds: dict[str, str] = {}
        self.played: list[str] = []

    def step(self, step: Step) -> None:
        """What is heard must be what the ledger says; refused = no money request reached the wallet; and what reached it is
        what `gateway translate` shows."""
        bench, till = self.bench, self.bench.till
        try:
            wire, name = self._wire(step.tx)
        except Refused:
            return  # this provider has no words for it
        told = self._told(wire, name)
        refused = told.verdict == REFUSED
        asked, sent = till.asked(), len(till.sent)
        entries = len(self.ledger.entries)
        comparable = self._moved(wire) and bool(
            step.tx.id or wire.kind is not Kind.RESERVE
        )  # made anew in each reading
        expected = self.ledger.post(wire, refused)
        bench.call(step.tx)
        answer = bench.answers[-1]
        if wire.kind is Kind.RESERVE:
            self.ledger.rename(wire.id, answer.transaction_id)
        self.played.append(f"{step.name}: {expected}")
        where = f"{step.name}: {answer} (sayable: {not refused})"
        assert (answer.reason or answer.outcome) == expected, where
        assert till.balance() == self.ledger.cash, where
        if refused:
            assert till.asked() == asked, where
        elif expected == ACCEPTED and comparable and len(self.ledger.entries) > entries:
            self._heard(told, till.sent[sent:], where)
            self._in_one_round(wire, till.sent[sent:], where)
        if expected == DOUBT and wire.kind in MONEY_KINDS:
            assert bench.row(wire.kind, wire.id).state is State.PERSON, where

    def _moved(self, wire: Transaction) -> bool:
        """Whether it is told as what it looks like: what it undoes was sent, its bet was, and this is the first win of it."""
        act = wire.act
        if isinstance(act, Rollback):
            meant = self.ledger.meant(wire, act)
            return len(meant) == 1 and bool(meant[0].change)
        if isinstance(act, Credit) and self.bench.wallet.dialect.as_wallet.one_win:
            return self.ledger.is_first_win(wire)
        return True

    def _heard(self, told: Told, sent: Sequence[Transaction], where: str) -> None:
        """The wallet was told what was shown, in that order, and nothing else that moves money."""
        wallet, now = self.bench.wallet, self.bench.scheduler.clock()
        shown = []
        for request, tx in zip(told.requests, told.spoken, strict=True):
            aimed = replace(request, target=wallet.target(request.url))
            signed = wallet.dialect.auth.sign(aimed, wallet.keys, wallet.settings, now)
            shown.append((self.bench.till.meaning(signed, now), self._open(tx)))
        shown = [(tx, open) for tx, open in shown if tx.kind in MONEY_KINDS]
        heard = [tx for tx in sent if tx.kind in MONEY_KINDS]
        assert len(heard) == len(shown), f"{where}: heard {heard}, shown {shown}"
        for mine, (theirs, open) in zip(heard, shown, strict=True):
            found, said = _said(mine), _said(theirs)
            assert found.keys() == said.keys(), where
            differing = [name for name in said if found[name] != said[name] and name not in open]
            differing = [name for name in differing if not any(each in str(said[name]) for each in self.stand_ins)]
            assert not differing, f"{where}: {[(name, found[name], said[name]) for name in differing]}"

    def _in_one_round(self, wire: Transaction, sent: Sequence[Transaction], where: str) -> None:
        """A bet of no round, its win and what undoes either are told in one, or in none."""
        if wire.round_id or isinstance(wire.act, Batch):
            return
        rounds = {tx.round_id for tx in sent if tx.kind in MONEY_KINDS and tx.round_id}
        assert len(rounds) <= 1, where
        meant = self.rounds.get(reference_of(wire.act), "") or "".join(rounds)
        assert rounds <= {meant}, f"{where}: told in {rounds}, its bet in {meant}"
        if wire.kind is Kind.DEBIT:
            self.rounds[wire.id] = meant

    def _open(self, tx: Transaction) -> set[str]:
        """What stands there in the place of what only the launch or the journal knows, and a wire may write otherwise."""
        said = {"player": tx.player, "session": tx.session, "game": tx.game_id, "round": tx.round_id}
        open = {name for name, value in said.items() if value in self.stand_ins}
        if self.bench.provider.dialect.as_provider.session_token is not None:
            # Its provider's sessions are its own: its wallet is told the token that they stand for, also as a round.
            open |= {"session", "round"} if not tx.round_id else {"session"}
        return open

    def _wire(self, tx: Transaction) -> tuple[Transaction, str]:
        """The canonical act as the gateway will read it, completed with the settings' currency, and the name of its call."""
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
        return replace(wire, currency=wire.currency or provider.currency), call.name

    def _told(self, wire: Transaction, name: str) -> Told:
        """How the wallet is told of it, by what the ledger knows of the movement meant."""
        wallet, act = self.bench.wallet, wire.act
        told = tell(self.way, self._completed(wire), name, self.bench.scheduler.clock())
        no = replace(told, verdict=REFUSED)
        if isinstance(act, Batch):
            staked = {item.round_id for item in act.items if item.kind is Kind.DEBIT}
            mine = [item for item in act.items if item.round_id not in staked or item.kind is Kind.DEBIT]
            return no if any(self._told(item, name).verdict == REFUSED for item in mine) else told
        if isinstance(act, Rollback) and not self.ledger.meant(wire, act) and not wire.player:
            # Nobody knows whose it would be, so there is nothing that a wallet could be told.
            return told if wallet.dialect.as_wallet.undoes_blindly else replace(told, verdict=BRIDGED)
        if isinstance(act, Credit) and act.amount and ITS_ROUNDS_BET in told.text:
            return told if self.ledger.has_bet(wire) else no  # the journal knows no bet that it could belong to
        if not isinstance(act, Rollback) or not self.ledger.meant(wire, act):
            return told
        # Some cancels have no amount (Kyren's), or whatever it says are always of all of it (Scorpio Play's).
        whole = IS_ALL_OF_IT in told.text
        meant = self.ledger.named(act) or next(iter(self.ledger.meant(wire, act)), None)
        return no if meant is not None and whole and self._is_part(act, meant) else told

    def _completed(self, wire: Transaction) -> Transaction:
        """What a rollback undoes, and of what round, the journal knows; so does the ledger."""
        act = wire.act
        if not isinstance(act, Rollback):
            return wire
        meant = self.ledger.named(act)
        if self.bench.provider.dialect.by_stake:
            meant = next(iter(self.ledger.meant(wire, act)), None)
            act = replace(act, reference=meant.tx.id) if meant is not None else act
        if meant is None:
            return replace(wire, act=act)
        act = replace(act, reference_kind=meant.tx.kind)
        return replace(wire, act=act, round=wire.round or meant.tx.round)

    def _is_part(self, act: Rollback, meant: Entry) -> bool:
        return act.amount is not None and bool(meant.change) and act.amount != abs(self.ledger.left(meant))


@pytest.mark.parametrize(("provider", "wallet"), pairs.PAIRS)
def test_a_session_leaves_the_wallets_purse_as_the_ledger_says(bench_of: MakeBench, provider: str, wallet: str) -> None:
    """Bets, wins, repeats, rollbacks, a cancel before its bet, free rounds, settles, batches, holds."""
    bench = bench_of(provider, wallet)
    bench.launch(game=PLAYED)  # a bet in a shop names no game, and some wallets want one
    play = Play(bench)
    for step in steps(bench):
        play.step(step)
    assert len(play.played) >= 15
    assert bench.till.balance() == play.ledger.cash
    told = [line for line in play.played if line.endswith(f": {ACCEPTED}")]
    assert told or provider == "gameball"
