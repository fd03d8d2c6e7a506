"""A wallet as a function from request to answer: a purse behind a dialect's provider end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.keys import Key
from gateway.currency import Currencies
from gateway.dialect import Call, Dialect, NoCall
from gateway.http import Request, Response
from gateway.model import Accepted, Declined, Missing, Outcome, Profile, Refused, Rollback, Status, Transaction, Unknown
from gateway.play.purse import Purse

SUPPLIES_MAX = 4  # values that an answer may lack, one after the other


class Exchange(Struct, frozen=True, kw_only=True):
    """One call of a wallet, whole. `tx` None: it was refused before it had a meaning."""

    request: Request
    response: Response
    tx: Transaction | None = None
    outcome: Outcome | None = None
    fault: str = ""  # what happened to the answer on its way
    at: datetime


class Teller(Struct, frozen=True, kw_only=True):
    """One wallet. `keys` empty: no proof is asked for (unsigned dialects)."""

    dialect: Dialect
    settings: Any
    keys: tuple[Key, ...]
    purse: Purse
    currencies: Currencies = Currencies()

    def answer(self, request: Request, now: datetime, nonce: str, *, forget: bool = False) -> Exchange:
        """Read, decide, answer. `forget`: the wallet has lost its memory of this very movement."""
        call = Call(
            settings=self.settings,
            now=now,
            nonce=nonce,
            request=request,
            currency=self.purse.currency,
            currencies=self.currencies,
        )
        try:
            call = replace(call, name=self.dialect.route(request, self.settings))
        except NoCall as stray:
            return Exchange(request=request, response=stray.answer or _stray(stray.allow), at=now)
        tx: Transaction | None = None
        try:
            if self.keys:
                self.dialect.auth.verify(request, self.keys, self.settings, now)
                call = replace(call, stand_in=self.dialect.auth.shows_stand_in(request, self.keys))
            tx = self.dialect.decode_request(request, call)
        except Refused as refused:
            outcome: Outcome = refused.outcome()
        else:
            outcome = self._decide(tx, now, forget=forget)
        response = self._say(outcome, tx, call)
        return Exchange(request=request, response=response, tx=tx, outcome=outcome, at=now)

    def _decide(self, tx: Transaction, now: datetime, *, forget: bool) -> Outcome:
        # Native tells who the provider is, in `extra`; every other wallet has one caller, us.
        provider = tx.extra.get("provider", "")
        if forget and not isinstance(tx.act, Status):
            self.purse.forget(tx, provider)
        return self.purse.apply(self._meant(tx, provider), provider, now)

    def _meant(self, tx: Transaction, provider: str) -> Transaction:
        """With the id that its reference stands for, of those that this wallet knows."""
        act = tx.act
        also_named = self.dialect.as_provider.also_named
        if isinstance(act, Rollback) and also_named is not None:
            for id in also_named(tx):
                if self.purse.took(provider, act.reference_kind, id):
                    return replace(tx, act=replace(act, reference=id))
        return tx

    def _say(self, outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
        try:
            for _ in range(SUPPLIES_MAX):
                try:
                    return self.dialect.answer(outcome, tx, call, self.keys)
                except Missing as missing:
                    if (
                        isinstance(outcome, Declined) and missing.field not in call.unknown
                    ):  # whose it is knows no purse
                        call = replace(call, unknown=call.unknown | {missing.field})
                    else:
                        outcome = self._supplied(outcome, missing.field, tx)
        except Refused as refused:
            return self.dialect.answer(Unknown(detail=refused.message), tx, call, self.keys)
        return self.dialect.answer(Unknown(detail="this dialect cannot say the answer"), tx, call, self.keys)

    def _supplied(self, outcome: Outcome, what: str, tx: Transaction | None) -> Outcome:
        """The same outcome with what the dialect's answer must hold."""
        if isinstance(outcome, Unknown):
            return outcome
        if what == "player" and isinstance(outcome, Accepted) and tx is not None:
            player = self.purse.player_of(tx, tx.extra.get("provider", ""))
            return replace(outcome, profile=replace(outcome.profile or Profile(), player=player))
        if what == "currency":
            return replace(outcome, currency=self.purse.currency)
        if what == "balance":
            return replace(outcome, balance=Decimal(0), currency=outcome.currency or self.purse.currency)
        if what == "wallet_id":
            return replace(outcome, wallet_id="0")
        if what == "moved" and isinstance(outcome, Accepted):
            return replace(outcome, moved=Decimal(0))
        return Unknown(detail=f"this wallet does not know the {what}")


def _stray(allow: Sequence[str]) -> Response:
    plain = {"content-type": "text/plain; charset=utf-8"}
    if not allow:
        return Response(status=404, headers=plain, body=b"no such call\n")
    return Response(status=405, headers={**plain, "allow": ", ".join(allow)}, body=b"method not allowed\n")


def reason_of(outcome: Outcome | None) -> str:
    """One word for a log line."""
    if isinstance(outcome, Declined):
        return outcome.reason.value
    return ""


def word_of(outcome: Outcome | None) -> str:
    if outcome is None:
        return "refused"
    return {Accepted: "accepted", Declined: "declined", Unknown: "unknown"}[type(outcome)]
