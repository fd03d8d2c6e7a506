"""Groove's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.groove.wire import (
    DONE,
    DOUBT,
    DUPLICATE,
    OK,
    STATUSES,
    SUCCESS,
    UNIT,
    VERSION,
    VERSION_MAX,
    WALLET_ID_MAX,
    code_of,
    read_balances,
    reason_heard,
)
from gateway.codec.fields import Fields, Number, known, write_json
from gateway.codec.frame import heard, needed
from gateway.codec.units import plain, token
from gateway.dialect import Call
from gateway.http import JSON_HEADERS, Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Declined,
    Kind,
    Missing,
    Outcome,
    Profile,
    Rollback,
    Transaction,
    Unknown,
)

HEADERS: Mapping[str, str] = {**JSON_HEADERS, "cache-control": "no-store"}  # the calls are GET

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    match outcome:
        case Accepted() if tx is not None:
            again = outcome.replayed and tx.kind in MONEY_KINDS
            return _answer(OK, DUPLICATE if again else SUCCESS, call, _accepted(outcome, tx, call))
        case Declined():
            code = code_of(outcome.reason, call.name)
            shown = {} if code == DOUBT or outcome.balance is None else _whole(outcome, outcome.balance, tx, call)
            return _answer(code, STATUSES[code], call, shown)
        case _:
            return _answer(DOUBT, STATUSES[DOUBT], call, {})


def _answer(code: int, status: str, call: Call, fields: Mapping[str, Any]) -> Response:
    """HTTP 200 always. What the call said as its version comes back, also where nothing else of it could be read."""
    said = {"code": code, "status": status, "apiversion": _version(call), **fields}
    return Response(status=200, headers=HEADERS, body=write_json(said))


def _version(call: Call) -> str:
    said = call.request.asks("apiversion") if call.request is not None else ""
    return said if 0 < len(said) <= VERSION_MAX else VERSION


def _accepted(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    cash = needed("balance", outcome.balance)
    purses = _purses(outcome, cash, tx, call)
    if tx.kind is not Kind.AUTHENTICATE:
        whole = _whole(outcome, cash, tx, call)
        return known(accounttransactionid=outcome.wallet_id[:WALLET_ID_MAX]) | whole | purses
    who, currency = outcome.profile or Profile(), _currency(outcome, tx, call)
    if not currency:
        raise Missing("currency")
    said = {"accountid": tx.player, "gamesessionid": tx.session, "currency": currency}
    return said | known(country=who.country or call.country) | purses | {"game_mode": 1}


def _whole(outcome: Accepted | Declined, cash: Decimal, tx: Transaction | None, call: Call) -> dict[str, Number]:
    """`balance` is cash and bonus money together."""
    return {"balance": _shown(cash + (outcome.bonus or Decimal(0)), _currency(outcome, tx, call), call)}


def _purses(outcome: Accepted, cash: Decimal, tx: Transaction, call: Call) -> dict[str, Number]:
    currency = _currency(outcome, tx, call)
    bonus = _shown(outcome.bonus or Decimal(0), currency, call)
    return {"real_balance": _shown(cash, currency, call), "bonus_balance": bonus}


def _currency(outcome: Accepted | Declined, tx: Transaction | None, call: Call) -> str:
    return outcome.currency or (tx.currency if tx is not None else "") or call.currency


def _shown(balance: Decimal, currency: str, call: Call) -> Number:
    """97.5, 20, 0: without superfluous zeros and without exponent."""
    known_here = call.currencies.knows(currency)
    return token(plain(UNIT.show(balance, currency, call.currencies) if known_here else balance))


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.integer("code")
    status = fields.opaque("status").get("status", "")
    if code == OK or (code == DONE and isinstance(tx.act, Rollback) and status == SUCCESS):
        return _heard_yes(fields, tx, call, replayed=status == DUPLICATE)
    reason = reason_heard(code, tx.kind, again=call.again)
    if reason is None:
        return Unknown(detail=f"code {code}"[:64])
    return Declined(reason=reason, message=status[:200], **read_balances(fields, tx, call))


def _heard_yes(fields: Fields, tx: Transaction, call: Call, *, replayed: bool) -> Outcome:
    said = fields.opaque("accountid", "gamesessionid", "currency", "country", "accounttransactionid")
    if said.get("accountid", tx.player) != tx.player:
        return Unknown(detail="accepted, but for another player")
    balances = read_balances(fields, tx, call)
    if tx.kind is Kind.AUTHENTICATE:
        return _heard_account(said, tx, balances)
    if said.get("currency", tx.currency) != tx.currency and tx.currency:
        return Unknown(detail="accepted, but in another currency")
    if tx.kind is Kind.BALANCE:
        return Accepted(**balances) if balances else Unknown(detail="a balance call was answered without a balance")
    return Accepted(wallet_id=said.get("accounttransactionid", "")[:256], replayed=replayed, **balances)


def _heard_account(said: Mapping[str, str], tx: Transaction, balances: Mapping[str, Any]) -> Outcome:
    if said.get("gamesessionid", tx.session) != tx.session:
        return Unknown(detail="accepted, but for another session")
    if not balances:
        return Unknown(detail="an account was answered without its balance and currency")
    return Accepted(profile=Profile(player=tx.player, country=said.get("country", "")[:64]), **balances)
