"""Evolution's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from adapters.evolution.wire import (
    BAD_FIELD,
    BAD_KEY,
    DOUBT,
    EXISTS,
    HEARD,
    OK,
    SETTLED,
    WITH_BALANCE,
    WITHOUT_BALANCE,
    label,
    read_balance,
    shown,
    status_of,
)
from gateway.auth import loosely
from gateway.codec.fields import Fields, known
from gateway.codec.frame import answer, heard, needed
from gateway.dialect import Call
from gateway.http import Request, Response
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
    Transaction,
    Unknown,
)

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    match outcome:
        case Accepted() if call.name == "check":
            return _answer({"status": OK, "sid": _sid(outcome, tx, call)}, call)
        case Accepted():
            needed("balance", outcome.balance)
            return _answer({"status": OK, **_money(outcome, tx, call)}, call)
        case Declined(reason=Reason.BAD_SIGNATURE):
            # Who asks is nobody we know: nothing of the call is told back.
            return answer({"status": BAD_KEY}, 401)
        case Declined() if tx is None and outcome.reason in (Reason.INVALID_REQUEST, Reason.CURRENCY_MISMATCH):
            return _answer({"status": BAD_FIELD}, call, 400)
        case Declined():
            return _declined(outcome, tx, call)
        case _:
            return _answer({"status": DOUBT, **_invitation(call)}, call)


def _answer(fields: dict[str, Any], call: Call, status: int = 200) -> Response:
    return answer(fields | known(uuid=_uuid(call.request)), status)


def _uuid(request: Request | None) -> str | None:
    """As it came, where it can be written again."""
    found = (loosely(request) or {}).get("uuid") if request is not None else None
    return found if isinstance(found, str) and found.isprintable() else None


def _invitation(call: Call) -> dict[str, Any]:
    return {"retransmission": True} if call.settings.retransmission else {}


def _sid(outcome: Accepted, tx: Transaction | None, call: Call) -> str:
    """The sid that it got, unless the settings say that it is to be a new one."""
    own, fresh = tx.session if tx else "", outcome.profile.session if outcome.profile else ""
    return (fresh if call.settings.check == "refresh" else "") or own or fresh


def _declined(declined: Declined, tx: Transaction | None, call: Call) -> Response:
    status = status_of(declined.reason, call.name)
    said = {"status": status} | (_invitation(call) if status == DOUBT else {})
    if call.name == "check" or status in WITHOUT_BALANCE:
        return _answer(said, call)
    if declined.balance is None and status in WITH_BALANCE and tx is not None and "balance" not in call.unknown:
        raise Missing("balance")
    return _answer(said | (_money(declined, tx, call) if declined.balance is not None else {}), call)


def _money(outcome: Accepted | Declined, tx: Transaction | None, call: Call) -> dict[str, Decimal]:
    currency = outcome.currency or (tx.currency if tx else "") or call.currency
    amounts = {"balance": outcome.balance or Decimal(0), "bonus": outcome.bonus or Decimal(0)}
    return {name: shown(amount, currency, call) for name, amount in amounts.items()}


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    if response.status == 401:
        return Declined(reason=Reason.BAD_SIGNATURE, message="the wallet says HTTP 401")
    return heard(response, partial(_heard, response.status), tx, call, statuses=(200, 400))


def _heard(http: int, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    status = fields.text("status", length_max=64)
    if label(fields.raw.get("uuid"), 1024) not in ("", _uuid(call.request)):
        return Unknown(detail="the answer to another request")
    if http == 400:
        return Declined(reason=HEARD[status]) if status == BAD_FIELD else Unknown(detail=f"HTTP 400 {status}")
    if status == OK:
        return _heard_yes(fields, tx, call)
    if status == (EXISTS if tx.kind is Kind.DEBIT else SETTLED) and tx.kind in ENDINGS:
        return _heard_before(fields, tx, call)
    reason = HEARD.get(status)
    return Unknown(detail=status) if reason is None else _no(reason, fields, tx, call)


ENDINGS = frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK})


def _heard_before(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """The wallet has it already, says it to our own repeat. To a first asking it is no yes: of a bet nobody knows then whose
    it is; a credit or a cancel came after the bet's end."""
    if call.again:
        balance, bonus, currency = _purse(fields, tx, call)
        return Accepted(balance=balance, bonus=bonus, currency=currency, replayed=True)
    if tx.kind is Kind.DEBIT:
        return Unknown(detail=f"{EXISTS} to a first asking")
    return _no(Reason.ALREADY_SETTLED, fields, tx, call)


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    sid = label(fields.raw.get("sid"), 1024)
    if isinstance(tx.act, Authenticate):
        return Accepted(profile=Profile(player=tx.player, session=sid or tx.session))
    balance, bonus, currency = _purse(fields, tx, call)
    if balance is None and isinstance(tx.act, Balance):
        return Unknown(detail="a balance call was answered without a balance")
    fresh = Profile(session=sid) if sid and sid != tx.session and tx.kind is Kind.CHECK else None
    return Accepted(balance=balance, bonus=bonus, currency=currency, profile=fresh)


def _no(reason: Reason, fields: Fields, tx: Transaction, call: Call) -> Declined:
    balance, bonus, currency = _purse(fields, tx, call)
    return Declined(reason=reason, balance=balance, bonus=bonus, currency=currency)


def _purse(fields: Fields, tx: Transaction, call: Call) -> tuple[Decimal | None, Decimal | None, str]:
    """Balance, bonus, and their currency: the answer names none, so it is that of the call."""
    currency = tx.currency or call.currency
    balance, bonus = (read_balance(fields, name, currency, call) for name in ("balance", "bonus"))
    return balance, bonus, currency if balance is not None or bonus is not None else ""
