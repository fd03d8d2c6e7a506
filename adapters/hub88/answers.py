"""Hub88's answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.hub88.wire import (
    BET,
    CHECK,
    DUPLICATE,
    ENDS,
    ERRORS,
    INFO,
    INVALID_TOKEN,
    LIMITS,
    OK,
    ROLLBACK,
    UNIT,
    UNKNOWN,
    WIN,
    WRONG_SYNTAX,
    WRONG_TYPES,
    caleta,
    reason_heard,
)
from gateway.auth import loosely
from gateway.codec.cents import read_balance
from gateway.codec.fields import Fields, known
from gateway.codec.frame import answer, heard, heard_currency, of_another
from gateway.dialect import Call
from gateway.http import JSON_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Declined,
    Flaw,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
)

UNREADABLE = frozenset({Flaw.NONE, Flaw.MISSING, Flaw.NULL, Flaw.BLANK, Flaw.UNPARSABLE, Flaw.CONTENT_TYPE})
SHOWN = frozenset({Reason.INSUFFICIENT_FUNDS})
"""Refusals that are told with the real balance, which is asked for where the wallet did not say it."""

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if call.name == CHECK:
        return _checked(outcome, tx)
    if isinstance(outcome, Declined) and call.name == ROLLBACK and _nothing_left(outcome, call):
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)
    status = _status(outcome, call)
    said = _echoed(tx, call) | {"status": status}
    if call.name == INFO:
        currency = "" if isinstance(outcome, Unknown) else outcome.currency or (tx.currency if tx else "")
        return answer(said | (known(country=call.country, currency=currency) if status == OK else {}))
    if isinstance(outcome, Unknown) or (tx is None and outcome.balance is None):
        return answer(said)
    wanted = isinstance(outcome, Accepted) or (status != UNKNOWN and outcome.reason in SHOWN)
    if wanted and outcome.balance is None:
        raise Missing("balance")
    if outcome.balance is None:
        return answer(said)
    currency = outcome.currency or (tx.currency if tx else "") or call.currency
    return answer(said | known(currency=currency) | {"balance": UNIT.show(outcome.balance, currency, call.currencies)})


def _echoed(tx: Transaction | None, call: Call) -> dict[str, Any]:
    """`user` and `request_uuid` as they came, also where nothing else of the call could be read."""
    fields = (loosely(call.request) if call.request is not None else None) or {}
    player = _shortly(fields.get("user")) or (tx.player if tx is not None else "")
    return known(user=player) | {"request_uuid": _shortly(fields.get("request_uuid"))}


def _shortly(value: object) -> str:
    """A text, or a number as its text."""
    return str(value)[:128] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _nothing_left(declined: Declined, call: Call) -> bool:
    """What is undone already is a success; at Caleta so is what nobody knows, which is buried with it."""
    unknown = caleta(call) and declined.reason is Reason.TRANSACTION_NOT_FOUND
    return unknown or declined.reason is Reason.ALREADY_ROLLED_BACK


def _status(outcome: Outcome, call: Call) -> str:
    if isinstance(outcome, Accepted):
        return OK
    if isinstance(outcome, Unknown):
        return UNKNOWN
    reason, owed = outcome.reason, call.name in (WIN, ROLLBACK)
    if owed and (reason not in ENDS or outcome.flaw is Flaw.IMPOSSIBLE):
        return UNKNOWN
    if reason is Reason.INVALID_REQUEST:
        return WRONG_SYNTAX if outcome.flaw in UNREADABLE else WRONG_TYPES
    if reason is Reason.LIMIT_EXCEEDED:
        return LIMITS[call.settings.variant]
    if reason is Reason.SESSION_EXPIRED and call.name != BET:
        return INVALID_TOKEN  # TOKEN_EXPIRED is for bets only
    return ERRORS.code(reason)


def _checked(outcome: Outcome, tx: Transaction | None) -> Response:
    """Caleta's token exchange has no status: a refusal is an HTTP error."""
    if isinstance(outcome, Accepted):
        who = outcome.profile or Profile()
        return answer({"token": who.session or (tx.session if tx else "")})
    return Response(status=401 if isinstance(outcome, Declined) else 500, headers=JSON_HEADERS, body=b"{}")


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    if isinstance(tx.act, Authenticate):
        return _heard_check(response, tx)
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    status = fields.text("status", length_max=64)
    if _of_another(fields, call.request):
        return Unknown(detail="the answer to another request")
    if status == OK:
        return _heard_yes(fields, tx, call)
    reason = reason_heard(status)
    if reason is None or (status == DUPLICATE and call.again and isinstance(tx.act, Rollback)):
        # A rollback is repeated under the same words, which is RS_OK: this one may say that its bet is settled.
        return Unknown(detail=status)
    balance, currency = _balance_of_a_no(fields, tx, call)
    return Declined(reason=reason, balance=balance, currency=currency)


def _of_another(fields: Fields, request: Request | None) -> bool:
    """Whether it echoes the id of another network call than the one that was made."""
    asked = ((loosely(request) if request is not None else None) or {}).get("request_uuid")
    echo = fields.id("request_uuid", "", length_max=256)
    return bool(echo) and isinstance(asked, str) and echo != asked


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """A yes for another player or in another currency is doubt. Raises `Refused` where it cannot be read."""
    player, currency = fields.id("user", "", length_max=256), heard_currency(fields, "currency", tx, call)
    if doubt := of_another(tx, player="" if caleta(call) else player, currency=currency):
        return doubt
    balance = _balance(fields, currency, call)
    if balance is None and isinstance(tx.act, Balance):
        return Unknown(detail="a balance call was answered without a balance")
    return Accepted(balance=balance, currency=currency if balance is not None else "")


def _balance(fields: Fields, currency: str, call: Call) -> Decimal | None:
    """None where there is none, or none that can be read: what was said of the movement stands."""
    if type(fields.raw.get("balance")) is str:  # a number is one of a subclass
        return None
    try:
        return read_balance(fields, "balance", UNIT, currency, call.currencies)
    except Refused:
        return None


def _balance_of_a_no(fields: Fields, tx: Transaction, call: Call) -> tuple[Decimal | None, str]:
    """Only shown, and dropped where it is another player's or in another currency."""
    try:
        heard = _heard_yes(fields, tx, call)
    except Refused:
        return None, ""
    return (heard.balance, heard.currency) if isinstance(heard, Accepted) else (None, "")


def _heard_check(response: Response, tx: Transaction) -> Outcome:
    if response.status == 401:
        return Declined(reason=Reason.NOT_AUTHENTICATED)
    try:
        token = Fields.of(response).id("token", length_max=1024) if response.status == 200 else ""
    except Refused as refused:
        return Unknown(detail=refused.message)
    if not token:
        return Unknown(detail=f"HTTP {response.status}")
    return Accepted(profile=Profile(player=tx.player, session=token))
