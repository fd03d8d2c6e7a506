"""Cases by hand: a movement and what ties to it as plain values, and a move in a few words.

No journal and no clock. Where a case does not say otherwise, everything was gathered and nothing was found.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.engine.case import NOTHING_TIES as LOOKED_FOR
from gateway.engine.case import (
    Air,
    Around,
    Ask,
    Asked,
    Case,
    Decide,
    First,
    Leave,
    Move,
    Query,
    Rollback,
    Split,
    Tell,
    Wait,
)
from gateway.engine.identity import fingerprint
from gateway.engine.moment import Moment
from gateway.engine.movement import Fact, Movement
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.engine.states import State
from gateway.engine.words import Way
from gateway.model import Accepted, Declined, Outcome, Reason, Transaction
from tests.simulation.bench import CURRENCIES, NONCE, a_provider, a_wallet

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HERE, ELSEWHERE = "here", "elsewhere"
LATER = timedelta(hours=1)  # longer than anything is on its way
JUST_NOW = timedelta(seconds=1)
NOTHING_TIES = replace(
    LOOKED_FOR, won=False, target_won=False, tombstone=None, round_won=None, round_bets=(), round_undoing=()
)

# ---------------------------------------------------------------- movements


def row(tx: Transaction, ago: timedelta = JUST_NOW, **more: Any) -> Movement:
    """As it is read: nothing of it has left."""
    kind = tx.kind.value
    given = {
        "key": f"{kind}/{tx.id}", "provider": "acme", "space": kind, "kind": tx.kind, "fingerprint": fingerprint(tx),
        "wallet": "main", "alias": f"our-{tx.id}", "owner": HERE, "created_at": NOW - ago, **more,
    }  # fmt: skip
    return Movement(tx=tx, **given)


def sent(tx: Transaction, ago: timedelta = JUST_NOW, **more: Any) -> Movement:
    """One attempt of it left so long ago, and nobody knows what became of it."""
    own = row(tx, ago, **{"attempts": 1, "asked_at": NOW - ago, **more})
    return own if "state" in more else replace(own, state=own.open_state)


def done(tx: Transaction, outcome: Accepted | Declined | None = None, **more: Any) -> Movement:
    """Decided."""
    outcome = outcome or Accepted(balance=Decimal("90.00"), currency=tx.currency, wallet_id="w-1")
    state = State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED
    return sent(tx, **{"state": state, "outcome": outcome, "told": state.value, "told_at": NOW, **more})


def no(reason: Reason, **more: Any) -> Declined:
    return Declined(reason=reason, **more)


def said(outcome: Accepted | Declined, ago: timedelta = JUST_NOW, *, query: bool = False) -> Fact:
    """What a wallet said to a request that began so long ago."""
    return Fact(outcome=outcome, began=NOW - ago, query=query)


UNSEEN = said(no(Reason.TRANSACTION_NOT_FOUND), query=True)
YES = Accepted(currency="EUR")


def doubted(own: Movement, ago: timedelta) -> Movement:
    """Doubt was the last word that its provider heard, so long ago."""
    return replace(own, told="unknown", told_at=NOW - ago)


def undone(own: Movement, by: Movement) -> Movement:
    """That rollback undoes it, or is to."""
    return replace(own, undone_by=by.key)


# ---------------------------------------------------------------- cases


def settling(
    own: Movement, *, provider: str | Provider = "native", wallet: str | Wallet = "native", way: bool = True, **more: Any
) -> Case:  # fmt: skip
    """Nobody waits for it. `more`: fields of `Case` and of `Around`."""
    whose = a_provider(provider) if isinstance(provider, str) else provider
    where = a_wallet(wallet) if isinstance(wallet, str) else wallet
    route = Route(wallet=where.name)
    setup = Setup(
        providers={whose.name: whose}, wallets={where.name: where}, routes=(route,), currencies=CURRENCIES
    )  # fmt: skip
    ties = {name: more.pop(name) for name in list(more) if name in Around.__struct_fields__}
    given = {"moment": Moment(NOW), "left": 10.0, **more}
    return Case(
        own=own, provider=whose, node=HERE, nonce=NONCE, around=replace(NOTHING_TIES, **ties), memo={},
        way=Way(setup=setup, provider=whose, wallet=where, route=route) if way else None, **given,
    )  # fmt: skip


def waiting(own: Movement, **more: Any) -> Case:
    """Its provider waits for it, with some seconds left."""
    return settling(own, **{"waits": True, "patient": True, "left": 3.0, **more})


def repeat(tx: Transaction, **more: Any) -> Asked:
    """A call that asks for a movement which was there before."""
    return Asked(**{"call": "call-2", "content": fingerprint(tx), "player": tx.player, "again": True, **more})


def first_call(tx: Transaction) -> Asked:
    return repeat(tx, call="call-1", again=False)


def in_the_air(own: Movement, young: float = 1.0, requests: int = 1) -> dict[str, Air]:
    """A request about it, and how long it still has its share of the time."""
    return {own.key: Air(requests, young)}


def open_call(own: Movement) -> dict[str, Air]:
    """A call of its provider is open."""
    return {own.key: Air(calls=1)}


# ---------------------------------------------------------------- moves

SILENT = "-"
"""It has nothing to say."""


def in_words(move: Move | None) -> str:
    """`decide already_settled`, `ask first`, `split debit`: what is done, and to whom; not why it waits."""
    match move:
        case None:
            return SILENT
        case Tell(outcome=outcome) | Decide(outcome=outcome):
            return f"{type(move).__name__.lower()} {_word(outcome)}"
        case Ask(first=first):
            return "ask first" if first else "ask"
        case First(other=other):
            return f"first {other.key}"
        case Split(parts=parts, given_back=True):
            return f"give back {' '.join(part.target for part in parts)}"
        case Split(parts=parts):
            return f"split {' '.join(f'{part.name}:{part.target}'.strip(':') for part in parts)}"
        case Wait(key=key, seconds=seconds):
            return f"wait {seconds:g} for {key}"
        case Leave(state=state, due=due):
            return f"leave {state}" + (f" for {(due - NOW).total_seconds():g} s" if due is not None else "")
        case Query() | Rollback():
            return type(move).__name__.lower()


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Declined):
        return outcome.reason.value
    return ("replayed " if outcome.replayed else "") + "accepted" if isinstance(outcome, Accepted) else "doubt"
