"""NeverEnding's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from adapters.neverending.wire import (
    AUTHENTICATE,
    CANCEL,
    CANCEL_NEEDED,
    ERRORS,
    MESSAGES,
    NO_CANCEL_NEEDED,
    NOTHING,
    OK,
    SESSION_MAX,
    STATUSES,
    TRANSACTION,
    UNIT,
    both_names,
    parted,
)
from gateway.auth import loosely
from gateway.codec.fields import Fields, Number
from gateway.codec.frame import answer, heard, needed, of_another
from gateway.codec.units import plain, token
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import Accepted, Authenticate, Declined, Missing, Outcome, Profile, Reason, Transaction, Unknown

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined) and call.name == CANCEL and tx and outcome.reason is Reason.ALREADY_ROLLED_BACK:
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)  # its stake is back
    if isinstance(outcome, Declined):
        return _error(ERRORS.code(outcome.reason))
    if isinstance(outcome, Unknown) or tx is None:
        return _error(CANCEL_NEEDED if _has_bet(call) else NO_CANCEL_NEEDED)
    return answer(_accepted_fields(outcome, tx, call), OK)


def _error(code: str) -> Response:
    return answer({"error": {"message": MESSAGES[code], "code": code}}, STATUSES[code])


def _has_bet(call: Call) -> bool:
    """Whether the list that was sent holds a bet, also where nobody has read it: then the provider shall cancel it."""
    said = loosely(call.request) if call.name == TRANSACTION and call.request is not None else None
    listed = (said or {}).get("transactions")
    return isinstance(listed, list) and any(isinstance(each, dict) and each.get("type") == "bet" for each in listed)


def _accepted_fields(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    cash, currency = needed("balance", outcome.balance), outcome.currency or tx.currency or call.currency
    balance = _balance_out(cash, currency, call)
    if call.name != AUTHENTICATE:
        return {"balance": balance}
    who = outcome.profile or Profile()
    player = who.player or tx.player
    if not player:
        raise Missing("player")
    if not currency:
        raise Missing("currency")
    return {
        "playerId": player,
        "token": who.session or tx.session,
        "balance": balance,
        "currency": currency.lower(),
        "brandId": tx.extra.get("operatorId", ""),
    }


def _balance_out(balance: Decimal, currency: str, call: Call) -> Number:
    """102.25, 20: a number without superfluous zeros and without exponent."""
    shown = UNIT.show(balance, currency, call.currencies) if call.currencies.knows(currency) else balance
    return token(plain(shown))


# ---------------------------------------------------------------- wallet's end

NO_DECISION = frozenset({CANCEL_NEEDED, NO_CANCEL_NEEDED})
REFUSALS = frozenset(STATUSES[code] for code in STATUSES.keys() - NO_DECISION)


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    """The page names no status of an error, so the code says what it means, under any of those that we say."""
    return heard(response, partial(_heard, response.status), tx, call, statuses=(OK, *REFUSALS))


def _heard(status: int, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    if fields.raw.get("error") not in NOTHING:
        return _heard_no(fields, fields.object("error"))
    if status != OK:
        return Unknown(detail=f"HTTP {status} without a code")
    if isinstance(tx.act, Authenticate):
        return _heard_authenticate(fields, tx, tx.act, call)
    return _heard_yes(fields, tx, call)


def _heard_no(fields: Fields, error: Fields) -> Outcome:
    """Raises `Refused` where there is no code."""
    code = error.text("code", length_max=64)
    if "balance" in fields:
        return Unknown(detail=f"{code} beside a balance")
    reason = ERRORS.reason(code)
    return Unknown(detail=code) if reason is None else Declined(reason=reason, message=error.words("message"))


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """Nothing but the balance says that it was done."""
    currency = tx.currency or call.currency
    balance = UNIT.heard(fields, "balance", currency, call.currencies)
    return Unknown(detail="no balance") if balance is None else Accepted(balance=balance, currency=currency)


def _heard_authenticate(fields: Fields, tx: Transaction, act: Authenticate, call: Call) -> Outcome:
    """Raises `Refused` where it says no player, no token or no currency that is known."""
    player, given = fields.id("playerId"), fields.text("token", length_max=SESSION_MAX)
    currency = call.currencies.meant(fields.text("currency", length_max=16))
    if doubt := of_another(tx, player=player):
        return doubt
    session_id, _ = parted(tx.session or act.launch_token)
    who = Profile(player=player, session=both_names(session_id, given))
    return Accepted(balance=UNIT.heard(fields, "balance", currency, call.currencies), currency=currency, profile=who)
