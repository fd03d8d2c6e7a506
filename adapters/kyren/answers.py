"""Kyren's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.kyren.wire import (
    CREDITS,
    DESCRIPTIONS,
    ERRORS,
    RETRY,
    SCOPES,
    SPELLED,
    UNIT,
    WIN_TYPES,
    error_heard,
    error_of,
    error_out,
    shown_text,
)
from gateway.codec.fields import Fields
from gateway.codec.frame import answer, heard, heard_currency, needed, of_another
from gateway.codec.wins import one_of
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import Accepted, Declined, Kind, Outcome, Reason, Rollback, Transaction, Unknown

# ---------------------------------------------------------------- provider's end

WITH_ID = frozenset({"Bet", "Cancel", "Refund"}) | CREDITS
WITH_CASH = frozenset({"Balance", "Bet", "Cancel", "EndRound"}) | CREDITS  # Refund's page has no balance
NOTIFICATION = "SessionExpired"  # asks for nothing, so no wallet can refuse it; doubt is told, for it to come again
NOTHING_TO_UNDO = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined) and call.name == NOTIFICATION and tx is not None:
        return _answer(0, call, {})
    if isinstance(outcome, Accepted) and outcome.items:
        outcome = one_of(outcome)
    if isinstance(outcome, Declined) and call.name in SCOPES and outcome.reason in NOTHING_TO_UNDO:
        outcome = _nothing_undone(outcome)
    if isinstance(outcome, Declined) and call.name == "EndRound" and outcome.reason is Reason.ROUND_CLOSED:
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)  # it is sent again until it is answered
    match outcome:
        case Accepted():
            return _answer(0, call, _accepted_fields(outcome, tx, call))
        case Declined():
            return _answer(error_of(outcome, call.name), call, {})
        case _:
            return _answer(RETRY, call, {})


def _answer(code: int, call: Call, fields: Mapping[str, Any]) -> Response:
    head = {"error": error_out(code, call.name, call.settings), "description": DESCRIPTIONS[code]}
    return answer({**fields, **head})


def _nothing_undone(declined: Declined) -> Accepted:
    """A Cancel or Refund of what is not there, or not there any more, is a success."""
    done = declined.reason is Reason.ALREADY_ROLLED_BACK
    return Accepted(wallet_id=declined.wallet_id if done else "", balance=declined.balance, currency=declined.currency)


def _accepted_fields(outcome: Accepted, tx: Transaction | None, call: Call) -> dict[str, Any]:
    said: dict[str, Any] = {"transactionId": outcome.wallet_id} if call.name in WITH_ID else {}
    if call.name not in WITH_CASH:
        return said
    balance, currency = (
        needed("balance", outcome.balance),
        outcome.currency or (tx.currency if tx else "") or call.currency,
    )
    said |= {"currency": currency, "cash": shown_text(balance, currency, call)}
    bonus = outcome.bonus
    if bonus is None and call.name in WIN_TYPES:
        bonus = Decimal(0)  # required there, and most wallets have no bonus money
    if bonus is not None and call.name in CREDITS:
        said["bonus"] = shown_text(bonus, currency, call)
    return said


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call, of=lambda response: Fields.caseless(response, SPELLED))


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = error_heard(fields)
    if code == 0:
        return _heard_yes(fields, tx, call)
    reason = ERRORS.reason(code) if code is not None else None
    if reason is None:
        return Unknown(detail="no error number" if code is None else f"error {code}")
    return Declined(reason=reason, message=fields.opaque("description").get("description", "")[:200])


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    currency = heard_currency(fields, "currency", tx, call)
    if doubt := of_another(tx, currency=currency):
        return doubt
    balance = UNIT.heard(fields, "cash", currency, call.currencies)
    bonus = UNIT.heard(fields, "bonus", currency, call.currencies)
    if balance is None:
        currency = ""
        if tx.kind is Kind.BALANCE:
            return Unknown(detail="a balance call was answered without cash")
    if isinstance(tx.act, Rollback):
        # Success with `transactionId` "" is how this family says that it knows no such bet.
        if fields.value("transactionId", None) is None:
            return Unknown(detail="a rollback was answered without transactionId")
        if not fields.id("transactionId", "", length_max=256):
            return Declined(reason=Reason.TRANSACTION_NOT_FOUND, balance=balance, currency=currency)
    wallet_id = fields.id("transactionId", "", length_max=256)
    return Accepted(balance=balance, bonus=bonus, currency=currency, wallet_id=wallet_id)
