"""Slotegrator's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.slotegrator.wire import (
    ANY_FAILURE,
    DOUBT_TEXT,
    ERRORS,
    GONE,
    LIST,
    NO_MONEY,
    NO_MONEY_TEXT,
    UNIT,
    said_by_refund,
)
from gateway.codec.fields import Fields, Number
from gateway.codec.frame import answer, heard, needed
from gateway.codec.units import bounded, plain, token
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import Accepted, Batch, Declined, Kind, Outcome, Reason, Refused, Rollback, Transaction, Unknown

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None and isinstance(tx.act, Batch):
        outcome = _of_list(outcome)
    if isinstance(outcome, Declined) and tx is not None and call.name == "refund" and outcome.reason in GONE:
        # Nothing to give back (any more) is a success; the id of what did it before is not this one's.
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)
    match outcome:
        case Accepted():
            return answer(_accepted_fields(outcome, tx, call))
        case Declined():
            code = ERRORS.code(outcome.reason)
            text = NO_MONEY_TEXT if code == NO_MONEY else outcome.reason.value
            return answer({"error_code": code, "error_description": text})
        case _:
            return answer({"error_code": ANY_FAILURE, "error_description": DOUBT_TEXT})


def _of_list(outcome: Accepted) -> Outcome:
    """Elements that nobody knows are left out; where nothing was reversed and one was refused, its reason is told."""
    refused = [item for item in outcome.items if isinstance(item, Declined) and item.reason not in GONE]
    return refused[0] if refused and not any(map(_is_reversed, outcome.items)) else outcome


def _is_reversed(item: Outcome) -> bool:
    """By this rollback, or by another one before it."""
    return isinstance(item, Accepted) or (isinstance(item, Declined) and item.reason is Reason.ALREADY_ROLLED_BACK)


def _accepted_fields(outcome: Accepted, tx: Transaction | None, call: Call) -> dict[str, Any]:
    said: dict[str, Any] = {"balance": _balance_out(needed("balance", outcome.balance), outcome, tx, call)}
    if call.name == "balance" or tx is None:
        return said
    own = said_by_refund(tx.id) if call.name == "refund" else tx.id
    said["transaction_id"] = outcome.wallet_id or own
    if call.name == "rollback":
        items = tx.act.items if isinstance(tx.act, Batch) else ()
        done = [item for item, each in zip(items, outcome.items, strict=False) if _is_reversed(each)]
        said[LIST] = [*dict.fromkeys(map(_reference, done))]
    return said


def _reference(item: Transaction) -> str:
    """As the wire said it."""
    assert isinstance(item.act, Rollback)
    reference = item.act.reference
    return said_by_refund(reference) if item.act.reference_kind is Kind.ROLLBACK else reference


def _balance_out(balance: Decimal, outcome: Accepted, tx: Transaction | None, call: Call) -> Number:
    """97.5, 20: a number without superfluous zeros and without exponent."""
    currency = outcome.currency or (tx.currency if tx else "") or call.currency
    shown = UNIT.show(balance, currency, call.currencies) if call.currencies.knows(currency) else balance
    return token(plain(shown))


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.value("error_code", None)
    if code and code != "0":  # 0, blank, false and PHP's [] are none
        return _heard_no(fields, code)
    return _heard_yes(fields, tx, call)


def _heard_no(fields: Fields, code: object) -> Outcome:
    if "transaction_id" in fields:
        return Unknown(detail="an error code beside a transaction_id")
    reason = ERRORS.reason(code) if isinstance(code, str) else None
    if reason is None:
        return Unknown(detail=ANY_FAILURE if code == ANY_FAILURE else "an error code that is not on the page")
    return Declined(reason=reason, message=fields.opaque("error_description").get("error_description", "")[:200])


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """Balance and, but for a balance, the wallet's id: what the page shows. Raises `Refused` where one is missing."""
    currency = tx.currency or call.currency
    balance = _balance_heard(fields, currency, call)
    if tx.kind is Kind.BALANCE:
        return Accepted(balance=balance, currency=currency)
    yes = Accepted(balance=balance, currency=currency, wallet_id=fields.id("transaction_id", length_max=256))
    act = tx.act
    if isinstance(act, Batch):
        return Accepted(
            balance=balance,
            currency=currency,
            wallet_id=yes.wallet_id,
            items=tuple(_heard_element(fields, item, yes) for item in act.items),
        )
    if not isinstance(act, Rollback):
        return yes
    if act.reference_kind is not Kind.DEBIT:
        return _heard_element(fields, tx, yes)
    # Success for a bet that is not there (any more): no id of the wallet's but the call's own.
    nothing = yes.wallet_id == tx.id and not call.settings.echoed_ids
    return _not_known(yes) if nothing else yes


def _heard_element(fields: Fields, item: Transaction, yes: Accepted) -> Outcome:
    """An element that is not in the answered list was not known, and moved nothing."""
    done = fields.value(LIST)
    if not isinstance(done, list):
        raise Refused(Reason.INVALID_REQUEST, f"{LIST} is no list")
    reference = item.act.reference if isinstance(item.act, Rollback) else ""
    if reference in map(str, done):
        return yes
    return _not_known(yes)


def _not_known(yes: Accepted) -> Declined:
    return Declined(reason=Reason.TRANSACTION_NOT_FOUND, balance=yes.balance, currency=yes.currency)


def _balance_heard(fields: Fields, currency: str, call: Call) -> Decimal:
    """Rounded down if it must be."""
    amount, number = fields.decimal("balance")
    bounded(amount, "balance")
    try:
        return UNIT.read(amount, currency, call.currencies, "balance", number=number)
    except Refused:
        return call.currencies.shown(amount, currency)
