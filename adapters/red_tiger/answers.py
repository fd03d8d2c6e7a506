"""Red Tiger's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from adapters.red_tiger.requests import inner, stake_said
from adapters.red_tiger.wire import CODE_MAX, DOUBT, DUPLICATE, ERRORS, MESSAGES, NOTHING, STATUSES, TOKEN_MAX, shown
from gateway.codec.fields import Fields, known
from gateway.codec.frame import answer, heard, needed, of_another
from gateway.codec.units import bounded
from gateway.currency import Currencies
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Authenticate,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
)

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined):
        # HTTP 401 is for the two secrets only: the wrong key, and the reconciliation token where it may not stand.
        misplaced = outcome.reason is Reason.NOT_AUTHENTICATED and outcome.field == "token"
        forbidden = misplaced or outcome.reason is Reason.BAD_SIGNATURE
        return _error(ERRORS.code(outcome.reason), 401 if forbidden else 400)
    if isinstance(outcome, Unknown) or tx is None:
        return _error(DOUBT, 400)
    if outcome.replayed and tx.kind in MONEY_KINDS and call.settings.repeat == "code_401":
        return _error(DUPLICATE, 400)
    return answer({"success": True} | _accepted_fields(outcome, tx, call))


def _error(code: int, status: int) -> Response:
    return answer({"success": False, "error": {"message": MESSAGES[code], "code": code}}, status)


def _accepted_fields(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    cash = shown(needed("balance", outcome.balance))
    bonus = NOTHING if outcome.bonus is None else shown(outcome.bonus)
    purses = {"currency": currency, "balance": {"cash": cash, "bonus": bonus}}
    match tx.act:
        case Debit():
            moved = Decimal(0) if tx.act.free_round else tx.act.amount
            return {"result": _moved_fields("stake", moved, outcome, tx, call) | purses}
        case Credit():
            return {"result": _moved_fields("payout", tx.act.amount, outcome, tx, call) | purses}
        case Rollback():
            # [field] reads the balance inside, Valkyrie writes it beside.
            return {"result": _moved_fields("stake", tx.act.amount, outcome, tx, call) | purses} | purses
        case _:
            return {"result": _player_fields(outcome, tx, call) | purses}


def _player_fields(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    who = outcome.profile or Profile()
    player = who.player or tx.player
    if not player:
        raise Missing("player")
    country = who.country or call.country
    said = known(country=country, language=who.language, casino=tx.extra.get("casino"))
    return {"token": who.session or tx.session, "userId": player} | said


def _moved_fields(
    name: str, asked: Decimal | None, outcome: Accepted, tx: Transaction, call: Call
) -> dict[str, Any]:  # fmt: skip
    moved = asked if outcome.moved is None else outcome.moved
    if moved is None:
        raise Missing("amount", otherwise=stake_said(tx, call))
    # Its own token, the reconciliation token, too: only `auth` can hand out another.
    token = Fields.of(call.request).opaque("token").get("token", "") if call.request else ""
    return {"token": token or tx.session, "id": outcome.wallet_id, name: {"cash": shown(moved), "bonus": NOTHING}}


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, partial(_heard, response.status), tx, call, statuses=STATUSES)


def _heard(status: int, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    if not fields.boolean("success"):
        return _heard_no(fields.object("error"), tx, call)
    if status != 200 or fields.raw.get("error"):
        return Unknown(detail=f"success, and an error: HTTP {status}")
    return _heard_yes(fields, fields.object("result"), tx, call)


def _heard_no(error: Fields, tx: Transaction, call: Call) -> Outcome:
    code = error.integer("code")
    message = error.opaque("message").get("message", "")[:200]
    if code == DUPLICATE and isinstance(tx.act, Rollback):
        return Declined(reason=Reason.ALREADY_ROLLED_BACK, message=message)
    if code == DUPLICATE and call.again and tx.kind in MONEY_KINDS:
        return Accepted(replayed=True)  # our own repeat: the first attempt did it
    reason = ERRORS.reason(code)
    return Unknown(detail=f"error {code}") if reason is None else Declined(reason=reason, message=message)


def _heard_yes(fields: Fields, result: Fields, tx: Transaction, call: Call) -> Outcome:
    reads = tx.kind not in MONEY_KINDS
    said = result.text("currency", "") or fields.text("currency", "")  # Valkyrie's refund: beside the result, and blank
    currency = call.currencies.meant(said) if said else tx.currency or call.currency
    if doubt := of_another(tx, currency="" if isinstance(tx.act, Authenticate) else currency):
        return doubt
    profile = _profile(result, tx) if reads else None
    if reads and tx.player and (doubt := of_another(tx, player=result.id("userId", ""))):
        return doubt
    if isinstance(tx.act, Authenticate) and "userId" not in result and not tx.player:
        return Unknown(detail="authenticated, and nobody knows who plays")
    purses = inner(result if "balance" in result else fields, "balance")
    balance = _balance(purses, "cash", currency, call.currencies)
    if balance is None and tx.kind is Kind.BALANCE:
        return Unknown(detail="asked for a balance, and answered without one")
    return Accepted(
        balance=balance,
        bonus=_balance(purses, "bonus", currency, call.currencies),
        currency="" if balance is None and not said else currency,
        wallet_id="" if reads else result.opaque("id").get("id", "")[: 2 * TOKEN_MAX],
        profile=profile,
    )


def _profile(result: Fields, tx: Transaction) -> Profile | None:
    """Who plays, and the token from now on: it may be another."""
    token = result.id("token", "", length_max=TOKEN_MAX)
    session = "" if token == tx.session else token
    if not isinstance(tx.act, Authenticate):
        return Profile(session=session) if session else None
    said = {name: text[:CODE_MAX] for name, text in result.opaque("country", "language").items()}
    who = Profile(player=result.id("userId", ""), session=session, **said)
    return who if who != Profile() else None


def _balance(purses: Fields, name: str, currency: str, currencies: Currencies) -> Decimal | None:
    """A balance, rounded down if it must be; None if there is none to be read."""
    try:
        return currencies.shown(bounded(purses.decimal(name)[0], name), currency)
    except Refused:
        return None
