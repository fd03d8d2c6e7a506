"""Pragmatic Play's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.pragmatic_play.wire import DESCRIPTIONS, ERRORS, RETRY, RETRY_END_ROUND, SUCCESS, UNIT, error_of
from gateway.codec.fields import Fields, Number
from gateway.codec.frame import answer, heard, needed, of_another
from gateway.codec.units import plain, token
from gateway.codec.wins import one_of
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Declined,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Rollback,
    Transaction,
    Unknown,
)

# ---------------------------------------------------------------- provider's end

READS = frozenset({"authenticate", "balance", "GetBalancePerGame"})
WITHOUT_ID = READS | {"endRound"}
NOTHING_TO_UNDO = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and outcome.items:
        outcome = one_of(outcome)
    if isinstance(outcome, Declined) and call.name == "refund" and outcome.reason in NOTHING_TO_UNDO:
        # An unknown bet: success, and the id is blank. One that is undone: success, with the id of what did it.
        done = outcome.reason is Reason.ALREADY_ROLLED_BACK
        outcome = Accepted(wallet_id=outcome.wallet_id if done else "")
    currency = (tx.currency if tx is not None else "") or call.currency
    match outcome:
        case Accepted():
            return _yes(outcome, tx, outcome.currency or currency, call)
        case Declined():
            return _answer(error_of(outcome, tx, currency), {})
        case _:
            return _answer(RETRY_END_ROUND if call.name == "endRound" else RETRY, {})


def _answer(code: str, fields: Mapping[str, Any]) -> Response:
    said = {**fields, "error": Number(code), "description": DESCRIPTIONS[code]}
    return answer(said)


def _yes(outcome: Accepted, tx: Transaction | None, currency: str, call: Call) -> Response:
    # A notice is no movement, so its wallet need not give it an id; the studio wants one.
    own = tx.id if tx is not None and tx.kind is Kind.NOTICE else ""
    said: dict[str, Any] = {} if call.name in WITHOUT_ID else {"transactionId": outcome.wallet_id or own}
    if call.name == "refund":
        return _answer(SUCCESS, said)
    cash = needed("balance", outcome.balance)
    if not currency and call.name in READS:
        return _answer(ERRORS.code(Reason.PLAYER_NOT_FOUND), {})
    purse = _purse(outcome, cash, currency, call)
    if call.name == "GetBalancePerGame":
        return _answer(SUCCESS, {"gamesBalances": [{"gameId": game, **purse} for game in _games(call)]})
    if call.name == "authenticate":
        said = {"userId": _player(outcome, tx)}
    said |= {"currency": currency, **purse}
    # No wallet of ours can say how much of a stake was bonus money.
    return _answer(SUCCESS, said | {"usedPromo": 0} if call.name == "bet" else said)


def _purse(outcome: Accepted, cash: Decimal, currency: str, call: Call) -> dict[str, Number]:
    """Two purses: bonus money is no part of `cash`. 97.5, 20, 0: without superfluous zeros and without exponent."""
    if not currency:
        raise Missing("currency")
    bonus = Decimal(0) if outcome.bonus is None else outcome.bonus

    def shown(amount: Decimal) -> Number:
        return token(plain(UNIT.show(amount, currency, call.currencies) if call.currencies.knows(currency) else amount))

    return {"cash": shown(cash), "bonus": shown(bonus)}


def _player(outcome: Accepted, tx: Transaction | None) -> str:
    player = (outcome.profile.player if outcome.profile else "") or (tx.player if tx is not None else "")
    if not player:
        raise Missing("player")
    return player


def _games(call: Call) -> list[str]:
    """What is asked for, in its order; from the request itself, for what is passed on is cut."""
    listed = Fields.of_form(call.request).value("gameIdList", "") if call.request is not None else ""
    return [game for game in map(str.strip, str(listed).split(",")) if game]


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.value("error", None)  # a number; some wallets write a text
    if code == SUCCESS:
        return _heard_yes(fields, tx, call)
    reason = ERRORS.reason(code) if isinstance(code, str) else None
    if reason is None:
        return Unknown(detail=f"error {code}"[:64])
    return Declined(reason=reason, message=fields.opaque("description").get("description", "")[:200])


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    wallet_id = fields.id("transactionId", "", length_max=256)
    if isinstance(tx.act, Rollback):
        # Success with a blank `transactionId` is how a wallet says that it knows no such bet; without any it says nothing.
        if "transactionId" not in fields:
            return Unknown(detail="a refund was answered without transactionId")
        return Accepted(wallet_id=wallet_id) if wallet_id else Declined(reason=Reason.TRANSACTION_NOT_FOUND)
    asks = isinstance(tx.act, Authenticate)
    said = fields.text("currency", "")
    currency = call.currencies.meant(said) if said else tx.currency or call.currency
    player = fields.id("userId") if asks else ""
    if doubt := of_another(tx, player=player, currency="" if asks else currency):
        return doubt
    cash = UNIT.heard(fields, "cash", currency, call.currencies)
    if cash is None and isinstance(tx.act, Balance):
        return Unknown(detail="a balance call was answered without cash")
    return Accepted(
        balance=cash,
        bonus=UNIT.heard(fields, "bonus", currency, call.currencies) or None,  # 0 is said for "not known", too
        currency=currency if said or cash is not None else "",
        wallet_id=wallet_id,
        profile=Profile(player=player) if asks else None,
    )
