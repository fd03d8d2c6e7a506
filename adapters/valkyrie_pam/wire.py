"""What stands on Valkyrie's wire: money, ids, paths, errors, settings. Its meaning is in requests.py and answers.py."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Literal
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from gateway.auth import loosely
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, Number
from gateway.codec.units import bounded
from gateway.currency import Currencies
from gateway.dialect import Call, NoCall, Wire
from gateway.http import Request
from gateway.model import Flaw, Kind, Reason, Refused, Rollback, Transaction, unsupported

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Card, Settings. `default_country`, `default_language`: what a session's answer says where nobody knows it."""

    cancel_id: Literal["own", "bet"] = "own"
    credit_bet_ref: Literal["none", "bet"] = "none"
    free_round_wins: Literal["cash", "promo"] = "cash"
    authenticate: Literal["read", "refresh"] = "read"
    provider_names: dict[str, str] = {}
    default_country: str | None = None
    default_language: str = "en"


# ---------------------------------------------------------------- money: major units, six digits

CASH, BONUS, PROMO = "cashAmount", "bonusAmount", "promoAmount"
PURSES = (CASH, BONUS, PROMO)
SIX = Decimal("0.000001")
NOTHING = Decimal(0)


def read_amount(fields: Fields, name: str, currency: str, currencies: Currencies) -> Decimal:
    """Exactly what stands there: a finer one, or one that its currency does not have, is refused, never rounded."""
    amount, _ = fields.decimal(name)
    bounded(amount, name)
    if amount < 0:
        raise fields.wrong(name, Flaw.TOO_LOW, "is negative")
    if amount != amount.quantize(SIX):
        raise fields.wrong(name, Flaw.INVALID, "has more than six digits")
    return currencies.exact(amount, currency, name)


def six(amount: Decimal) -> Number:
    """2.5 is `2.500000`. Raises `Refused` (unsupported) where six digits cannot hold it."""
    whole = amount.quantize(SIX)
    if whole != amount:
        raise Refused(Reason.UNSUPPORTED, f"{amount:f} has more than six digits", field="amount")
    return Number(f"{whole if whole else SIX * 0:f}")  # never -0.000000


def six_shown(balance: Decimal) -> Number:
    """A balance: rounded down, the only thing that may be."""
    return six(balance.quantize(SIX, rounding=ROUND_FLOOR))


def purses(**amounts: Number) -> dict[str, Any]:
    """All three are required, zeros included."""
    return {name: amounts.get(name, six(NOTHING)) for name in PURSES}


# ---------------------------------------------------------------- ids

ID_MAX = 40
BET_REF = "providerBetRef"
_OURS = "promo"


def canonical_id(provider: str, id: str, *, promo: bool) -> str:
    """`<provider>:<id>`, of the PROMO types `<provider>:promo:<id>`: ids are unique per game provider and type only.

    Injective: a colon of the provider's is escaped, and so is a plain id that looks like a promotional one.
    """
    plain = id.startswith((f"{_OURS}:", f"{_OURS}%")) and not promo
    return f"{_escaped(provider)}:{f'{_OURS}:' if promo else ''}{_escaped(id) if plain else id}"


def wire_id(canonical: str, provider: str) -> tuple[str, bool]:
    """The inverse: (id, whether it is of a PROMO type)."""
    id = canonical.removeprefix(f"{_escaped(provider)}:")
    if id.startswith(f"{_OURS}:"):
        return id.removeprefix(f"{_OURS}:"), True
    return (id.replace("%3A", ":").replace("%25", "%") if id.startswith(f"{_OURS}%") else id), False


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace(":", "%3A")


def fitted(id: str) -> str:
    """What a PAM is told: an id of 1 to 40 characters; a longer one as its digest, always the same."""
    return id if len(id) <= ID_MAX else ("~" + hashlib.sha256(id.encode()).hexdigest())[:ID_MAX]


# ---------------------------------------------------------------- paths, query, headers

TOKEN, CORRELATION = "x-player-token", "x-correlation-id"
_SEGMENT = "-._~!$&'()*+,;=:@"  # what a segment may hold beside letters and digits (RFC 3986): Valkyrie encodes nothing
_VALUE = "-._~!$'()*,;:@/?"  # the same for the value of a parameter
_MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")

CALLS = (
    Wire(name="GetSession", method="GET", path="/players/session", kinds=(Kind.AUTHENTICATE,)),
    Wire(name="RefreshSession", method="PUT", path="/players/session", kinds=(Kind.AUTHENTICATE,)),
    Wire(name="GetBalance", method="GET", path="/players/{playerId}/balance", kinds=(Kind.BALANCE,)),
    Wire(
        name="AddTransaction",
        method="POST",
        path="/players/{playerId}/transactions",
        kinds=(Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK),
    ),
    Wire(name="GetTransactions", method="GET", path="/players/{playerId}/transactions", kinds=(Kind.STATUS,)),
    Wire(
        name="GetGameRound",
        method="GET",
        path="/players/{playerId}/gamerounds/{providerGameRoundId}",
        kinds=(Kind.STATUS,),
    ),
)
_METHODS: Mapping[str, Mapping[str, str]] = {
    "session": {"GET": "GetSession", "PUT": "RefreshSession"},
    "balance": {"GET": "GetBalance"},
    "transactions": {"POST": "AddTransaction", "GET": "GetTransactions"},
    "gamerounds": {"GET": "GetGameRound"},
}


def route(request: Request, settings: Any) -> str:
    match request.path.rstrip("/").split("/")[1:]:
        case ["players", "session"]:
            methods = _METHODS["session"]
        case ["players", player, "balance" | "transactions" as word] if player:
            methods = _METHODS[word]
        case ["players", player, "gamerounds", round_id] if player and round_id:
            methods = _METHODS["gamerounds"]
        case _:
            raise NoCall
    if request.method not in methods:
        raise NoCall(tuple(methods))
    return methods[request.method]


def in_path(request: Request, name: str, position: int) -> str:
    """The id in a path. Valkyrie does not encode it, so what is no percent-encoding stands as it is."""
    parts = request.path.rstrip("/").split("/")
    text = parts[position] if position < len(parts) else ""
    if not _MALFORMED.search(text):
        try:
            text = unquote_to_bytes(text).decode()
        except UnicodeError:
            raise Refused(
                Reason.INVALID_REQUEST, f"{name} is no UTF-8", field=name, flaw=Flaw.INVALID
            ) from None  # fmt: skip
    return Fields({name: text}).id(name)


def segment(text: str, what: str) -> str:
    """An id as a part of a path. `.` and `..` would be taken out by every URL parser, encoded or not."""
    if text in (".", ".."):
        raise unsupported(f"the {what} {text!r} in a path")
    return quote(text, safe=_SEGMENT)


def query_of(request: Request) -> Fields:
    """The parameters; one that stands twice is refused: nobody knows which is meant. Bytes that are no UTF-8 are no text, and
    matter only to who reads them."""
    try:
        return Fields.of_query(request)
    except Refused:
        message = "the query holds a parameter twice, or one whose name is no UTF-8"
        raise Refused(Reason.INVALID_REQUEST, message, field="query", flaw=Flaw.INVALID) from None


def provider_of(tx: Transaction, call: Call) -> str:
    """Our provider's name, as this PAM calls it. Nobody's name: who plays Valkyrie by hand says the studio."""
    name = call.provider or (tx.game.studio if tx.game else "")
    return str(call.settings.provider_names.get(name, name)) or "gateway"


def query_text(**said: str) -> str:
    return "&".join(f"{name}={quote(value, safe=_VALUE)}" for name, value in said.items())


def is_header(text: str) -> bool:
    """Whether a header can hold it as it is."""
    return text.isascii() and text.isprintable() and text == text.strip() and bool(text)


# ---------------------------------------------------------------- types

# type -> (whether it takes, gives or undoes, whether it is a PROMO type)
TYPES: Mapping[str, tuple[Kind, bool]] = {
    "WITHDRAW": (Kind.DEBIT, False),
    "DEPOSIT": (Kind.CREDIT, False),
    "CANCEL": (Kind.ROLLBACK, False),
    "PROMOWITHDRAW": (Kind.DEBIT, True),
    "PROMODEPOSIT": (Kind.CREDIT, True),
    "PROMOCANCEL": (Kind.ROLLBACK, True),
}
TYPE_OF: Mapping[tuple[Kind, bool], str] = {meaning: word for word, meaning in TYPES.items()}

# ---------------------------------------------------------------- errors

OK, ERROR = "OK", "ERROR"
FAILED = (ERROR, "Error")  # card, trap 7: the prose writes it so
PREFIX = "PAM_ERR_"
UNDEFINED = "PAM_ERR_UNDEFINED"
TRANS_NOT_FOUND, CANCEL_NOT_FOUND, ROUND_NOT_FOUND = (
    f"{PREFIX}{word}_NOT_FOUND" for word in ("TRANS", "CANCEL", "ROUND")
)
ALREADY_SETTLED = "PAM_ERR_TRANS_ALREADY_SETTLED"
NOT_ALLOWED, NON_WITHDRAW = "PAM_ERR_BET_NOT_ALLOWED", "PAM_ERR_CANCEL_NON_WITHDRAW"
PROMO_OVERDRAFT = "PAM_ERR_PROMO_OVERDRAFT"

ERRORS = ErrorTable(
    {
        Reason.BAD_SIGNATURE: "PAM_ERR_API_TOKEN",
        Reason.NOT_AUTHENTICATED: "PAM_ERR_SESSION_NOT_FOUND",
        Reason.SESSION_EXPIRED: "PAM_ERR_SESSION_EXPIRED",
        Reason.PLAYER_NOT_FOUND: "PAM_ERR_PLAYER_NOT_FOUND",
        Reason.GAME_NOT_FOUND: "PAM_ERR_GAME_NOT_FOUND",
        Reason.TRANSACTION_NOT_FOUND: TRANS_NOT_FOUND,
        Reason.INSUFFICIENT_FUNDS: "PAM_ERR_CASH_OVERDRAFT",
        Reason.PLAYER_BLOCKED: NOT_ALLOWED,
        Reason.LIMIT_EXCEEDED: NOT_ALLOWED,
        Reason.CURRENCY_MISMATCH: "PAM_ERR_TRANS_CURRENCY",
        Reason.ALREADY_ROLLED_BACK: "PAM_ERR_TRANS_ALREADY_CANCELLED",
        Reason.ALREADY_SETTLED: ALREADY_SETTLED,
        Reason.ROUND_CLOSED: ALREADY_SETTLED,
        Reason.DUPLICATE_MISMATCH: "PAM_ERR_DUPLICATE_TRANS",
        Reason.UNSUPPORTED: UNDEFINED,  # of a debit and a rollback there is a word, see `code_of`
        Reason.INVALID_REQUEST: UNDEFINED,  # with HTTP 400
    },
    doubt=frozenset({UNDEFINED}),
)
_ALSO_HEARD: Mapping[str, Reason] = {
    "PAM_ERR_ACC_NOT_FOUND": Reason.PLAYER_NOT_FOUND,
    "PAM_ERR_MISSING_PROVIDER": Reason.INVALID_REQUEST,
    "PAM_ERR_NEGATIVE_STAKE": Reason.INVALID_REQUEST,
    ROUND_NOT_FOUND: Reason.TRANSACTION_NOT_FOUND,
    CANCEL_NOT_FOUND: Reason.TRANSACTION_NOT_FOUND,
    "PAM_ERR_BONUS_OVERDRAFT": Reason.INSUFFICIENT_FUNDS,
    PROMO_OVERDRAFT: Reason.INSUFFICIENT_FUNDS,
    NON_WITHDRAW: Reason.UNSUPPORTED,
}
"""Codes that are heard; TIMEOUT and UNDEFINED are doubt, as is every code that is not listed."""

STATUSES: Mapping[Reason, int] = {Reason.INVALID_REQUEST: 400, Reason.BAD_SIGNATURE: 401, Reason.NOT_AUTHENTICATED: 401}
"""HTTP statuses of declines; every other one is 200. Heard, they say that this attempt moved nothing."""

_FINAL = frozenset(
    {
        Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED, Reason.ROUND_CLOSED,
        Reason.DUPLICATE_MISMATCH, Reason.CURRENCY_MISMATCH,
    }
)  # fmt: skip
"""What a DEPOSIT or CANCEL is told for good; any other no of theirs may pass, and is told as doubt."""

MESSAGES: Mapping[str, str] = {
    UNDEFINED: "not known yet",
    "PAM_ERR_API_TOKEN": "key not accepted",
    "PAM_ERR_SESSION_NOT_FOUND": "no such session",
    "PAM_ERR_SESSION_EXPIRED": "session over",
    "PAM_ERR_PLAYER_NOT_FOUND": "no such player",
    "PAM_ERR_GAME_NOT_FOUND": "no such game",
    ROUND_NOT_FOUND: "no such round",
    TRANS_NOT_FOUND: "no such transaction",
    CANCEL_NOT_FOUND: "no such bet",
    "PAM_ERR_CASH_OVERDRAFT": "balance too low",
    PROMO_OVERDRAFT: "promotional balance too low",
    NOT_ALLOWED: "bet not allowed",
    "PAM_ERR_TRANS_CURRENCY": "another currency",
    "PAM_ERR_TRANS_ALREADY_CANCELLED": "cancelled before",
    ALREADY_SETTLED: "settled before",
    NON_WITHDRAW: "not a bet",
    "PAM_ERR_DUPLICATE_TRANS": "id used before",
}


def code_of(reason: Reason, tx: Transaction | None, call: Call) -> str:
    """What a no is called in answer to this call."""
    kind = tx.kind if tx is not None else _kind_asked(call)
    if reason is Reason.TRANSACTION_NOT_FOUND and call.name == "GetGameRound":
        return ROUND_NOT_FOUND
    if kind is Kind.ROLLBACK and reason in (Reason.TRANSACTION_NOT_FOUND, Reason.UNSUPPORTED):
        return CANCEL_NOT_FOUND if reason is Reason.TRANSACTION_NOT_FOUND else NON_WITHDRAW
    if kind in (Kind.CREDIT, Kind.ROLLBACK) and reason not in _FINAL and reason not in STATUSES:
        return UNDEFINED
    if kind is Kind.DEBIT and reason is Reason.UNSUPPORTED:
        return NOT_ALLOWED
    if reason is Reason.INSUFFICIENT_FUNDS and getattr(tx and tx.act, "free_round", False):
        return PROMO_OVERDRAFT
    return ERRORS.code(reason)


def _kind_asked(call: Call) -> Kind | None:
    """What a call that could not be read was about."""
    fields = loosely(call.request) if call.name == "AddTransaction" and call.request is not None else None
    word = (fields or {}).get("transactionType")
    return TYPES[word][0] if isinstance(word, str) and word in TYPES else None


def reason_heard(code: str, tx: Transaction) -> Reason | None:
    """What a code means; None = doubt."""
    if code == ALREADY_SETTLED:
        return Reason.ALREADY_SETTLED if isinstance(tx.act, Rollback) else Reason.ROUND_CLOSED
    return _ALSO_HEARD.get(code) or ERRORS.reason(code)
