"""A provider as its calls: one movement is said, repeated and cancelled as its page documents.

The network, the clock and chance are arguments: `gateway provider` and the demo give the real
ones, a simulation its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.keys import Key
from gateway.currency import Currencies
from gateway.dialect import Call, Dialect
from gateway.engine.world import Silence
from gateway.http import Request, Response
from gateway.model import Debit, Outcome, Refused, Rollback, Transaction, Unknown
from gateway.play.habits import Habit, habit_of, is_cancelled, is_settled, seconds_of

PAUSE_MAX_SECONDS = 5.0


class Heard(Struct, frozen=True, kw_only=True):
    """What a provider said and what it made of the answer. `response` None: there was none."""

    tx: Transaction
    request: Request
    response: Response | None
    outcome: Outcome
    attempts: int = 1


class Caller(Struct, frozen=True, kw_only=True):
    """One provider. `send` raises `Silence`; `dress` adds what a guard of the gateway wants."""

    dialect: Dialect
    settings: Any
    keys: tuple[Key, ...]
    send: Callable[[Request, float], Awaitable[Response]]
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], datetime]
    nonce: Callable[[], str]
    name: str = "demo"
    prefix: str = ""  # the path in front of the dialect's own: the provider's segments
    dress: Callable[[Request], Request] = lambda request: request
    currency: str = "EUR"
    currencies: Currencies = Currencies()
    heard: Callable[[Heard], None] = lambda heard: None

    @property
    def habit(self) -> Habit:
        return habit_of(self.dialect)

    def request(self, tx: Transaction, *, again: bool = False) -> tuple[Request, Call]:
        """The signed request. Raises `Refused` where this dialect cannot say it."""
        call = Call(
            settings=self.settings,
            now=self.clock(),
            nonce=self.nonce(),
            provider=self.name,
            currency=self.currency,
            currencies=self.currencies,
            again=again,
        )
        request = self.dialect.encode_request(tx, call)
        request = replace(request, target=self.prefix + request.url)
        if self.keys:
            request = self.dialect.auth.sign(request, self.keys, self.settings, call.now)
        request = self.dress(request)
        name = self.dialect.route(request, self.settings)
        return request, replace(call, request=request, name=name)

    async def say(
        self, tx: Transaction, alter: Callable[[Request], Request] | None = None, *, again: bool = False
    ) -> Heard:
        """One attempt. `alter` changes the signed request: a forger's hand."""
        request, call = self.request(tx, again=again)
        if alter:
            request = alter(request)
        response: Response | None = None
        try:
            response = await self.send(request, seconds_of(self.dialect, tx.kind))
            outcome = self.dialect.hear(response, tx, call, self.keys)
        except Silence as silence:
            outcome = Unknown(detail=f"{silence.result}: {silence.detail}")
        heard = Heard(tx=tx, request=request, response=response, outcome=outcome)
        self.heard(heard)
        return heard

    async def insist(self, tx: Transaction) -> Heard:
        """As many attempts as this provider makes, until the answer settles it."""
        habit = self.habit
        for attempt in range(1, habit.tries(tx.kind) + 1):
            if attempt > 1:
                await self.sleep(min(habit.pause_seconds * (attempt - 1), PAUSE_MAX_SECONDS))
            heard = replace(await self.say(tx, again=attempt > 1), attempts=attempt)
            if is_settled(tx, heard.outcome):
                break
        return heard

    async def bet(self, tx: Transaction) -> tuple[Heard, Heard | None]:
        """A bet and, where this provider then sends one, its cancel."""
        heard = await self.insist(tx)
        if not is_cancelled(self.habit, heard.outcome):
            return heard, None
        try:
            return heard, await self.insist(self.undo(tx))
        except Refused:
            return heard, None  # this dialect has no words for a cancel

    def undo(self, tx: Transaction, tx_id: str = "", scope: str = "transaction") -> Transaction:
        """The rollback of all of a bet; it names the amount where the dialect has a word for it."""
        act = Rollback(reference=tx.id, reference_kind=tx.kind, scope=scope)
        # An id of its own, still the same in every run of one seed.
        undo = replace(tx, act=act, id=tx_id or _next(tx.id), occurred_at=self.clock(), request_id=self.nonce())
        if not isinstance(tx.act, Debit):
            return undo
        whole = replace(undo, act=replace(act, amount=tx.act.amount))
        try:
            self.request(whole)
        except Refused:
            return undo
        return whole


def _next(tx_id: str) -> str:
    """Another id in the same form, never one that the players draw: those are even."""
    if tx_id.isdigit():
        return str(int(tx_id) + 1)
    last = tx_id[-1]
    return tx_id[:-1] + ("1" if last == "0" else "0") if "-" in tx_id else f"{tx_id}-undo"
