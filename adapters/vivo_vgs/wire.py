"""What stands on Vivo's wire: calls, names, codes, numbers, the frame of an answer. Its meaning is in dialect.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from gateway.auth import InQuery, Signed, digest_of, listed_values
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.units import bounded
from gateway.dialect import NoCall, Wire
from gateway.http import XML_HEADERS, Request, Response
from gateway.ids import IntegerIds
from gateway.model import Declined, Flaw, Kind, Reason, unsupported
from gateway.xml import sayable, written

# ---------------------------------------------------------------- calls

AUTHENTICATE, BALANCE, CHANGE, STATUS = "Authenticate", "GetBalance", "ChangeBalance", "Status"
CALLS = (
    Wire(name=AUTHENTICATE, method="GET", path="/authenticate.do", kinds=(Kind.AUTHENTICATE,)),
    Wire(name=BALANCE, method="GET", path="/getbalance.do", kinds=(Kind.BALANCE,)),
    Wire(name=CHANGE, method="GET", path="/ChangeBalance.aspx", kinds=(Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK)),
    Wire(name=STATUS, method="GET", path="/requeststatus.do", kinds=(Kind.STATUS,)),
)
PATHS: Mapping[str, str] = {wire.name: wire.path for wire in CALLS}
_BY_WORD = {path[1:].partition(".")[0].lower(): name for name, path in PATHS.items()} | {"status": STATUS}
_PATH = re.compile(r"/([A-Za-z]+)(\.[A-Za-z]+)?/?")


def route(request: Request, settings: Any) -> str:
    """The path is the operator's choice, as far as it names the call: in any case, with any ending or none."""
    found = _PATH.fullmatch(request.path)
    name = _BY_WORD.get(found[1].lower()) if found else None
    if name is None:
        raise NoCall
    if request.method != "GET":
        raise NoCall(("GET",))
    return name


# ---------------------------------------------------------------- names, and what of them is signed

NAMES = (
    "token", "hash", "userId", "casinoTransactionId", "Amount", "TransactionID", "TrnType", "TrnDescription", "roundId",
    "gameId", "History", "isRoundFinished", "sessionId", "dealerId",
)  # fmt: skip
_SPELLED = {name.lower(): name for name in NAMES}
KNOWN = frozenset(NAMES)

SIGNED: Mapping[str, tuple[str, ...]] = {
    AUTHENTICATE: ("token",),
    CHANGE: ("userId", "Amount", "TrnType", "TrnDescription", "roundId", "gameId", "History"),
    STATUS: ("userId", "casinoTransactionId"),
    BALANCE: ("userId",),
}


def _signed(request: Request) -> tuple[str, ...]:
    try:
        return SIGNED[route(request, None)]
    except NoCall:
        return ()


# MD5, over values without separators: it only guards against mistakes.
AUTH = Signed(
    covers=listed_values(_signed), digest=digest_of("md5"), carried=InQuery("hash"), demo="vivo-test-pass", weak=True
)  # fmt: skip


SECRETS = frozenset({"PASSKEY", "PASS_KEY", "PASSWORD", "SECRET", "API_KEY", "APIKEY"})
"""What no page asks for in the query and somebody may put there: neither kept nor repeated."""


def fields_of(request: Request) -> Fields:
    """The fields of the query under the page's spelling, whatever the case of their names."""
    said = {name: value for name, value in Fields.of_query(request).raw.items() if name.upper() not in SECRETS}
    return Fields({_SPELLED.get(name.lower(), name): value for name, value in said.items()})


# ---------------------------------------------------------------- money and numbers

_AMOUNT = re.compile(r"[0-9]{1,64}(\.[0-9]{1,2})?")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,63}")
_CENT = Decimal("0.01")


def read_amount(fields: Fields) -> Decimal:
    """A decimal text of two places at most, exact; no call names its currency."""
    found = fields.text("Amount", length_max=80)
    if found.startswith("-"):
        raise fields.wrong("Amount", Flaw.TOO_LOW, "is negative")
    if not _AMOUNT.fullmatch(found):
        raise fields.wrong("Amount", Flaw.INVALID, "is no decimal such as 2.50, of two places at most")
    return bounded(Decimal(found), "Amount")


def read_number(fields: Fields, name: str) -> str:
    """An id that is a number, as its text: 007 is not 7, and nobody writes it."""
    found = fields.id(name)
    if not _NUMBER.fullmatch(found):
        raise fields.wrong(name, Flaw.INVALID, "is not a number")
    return found


def cents(amount: Decimal) -> str:
    """An amount that is told to a wallet. Raises `Refused` (unsupported) where two places do not hold it."""
    fitted = amount.quantize(_CENT)
    if fitted != amount:
        raise unsupported("an amount of more than two places")
    return f"{fitted:f}"


def shown(balance: Decimal) -> str:
    """A balance with two places, rounded down: nobody is shown what is not there."""
    return f"{balance.quantize(_CENT, rounding=ROUND_FLOOR):f}"


_IDS = IntegerIds()


def booked_as(wallet_id: str, provider: str, tx_id: str) -> str:
    """ECSYSTEMTRANSACTIONID, a long: the wallet's id where that is a number of up to 18 digits, else one of ours of 19, the same
    for ever because it is made of whose movement it is."""
    return wallet_id if _IDS.keeps(wallet_id) else _IDS.made(f"{provider}:{tx_id}")


# ---------------------------------------------------------------- codes

OK, FAILED, DOUBT, NOT_FOUND, NO = "OK", "FAILED", "399", "302", "301"

# Reason -> CODE. 301 is "operation failed", whatever for: heard, it is the first of its rows.
ERRORS = ErrorTable(
    {
        Reason.INVALID_REQUEST: NO,
        Reason.CURRENCY_MISMATCH: NO,
        Reason.GAME_NOT_FOUND: NO,
        Reason.ALREADY_SETTLED: NO,
        Reason.LIMIT_EXCEEDED: NO,
        Reason.PLAYER_BLOCKED: NO,
        Reason.DUPLICATE_MISMATCH: NO,
        Reason.ROUND_CLOSED: NO,
        Reason.ALREADY_ROLLED_BACK: NO,
        Reason.UNSUPPORTED: NO,
        Reason.INSUFFICIENT_FUNDS: "300",
        Reason.TRANSACTION_NOT_FOUND: NOT_FOUND,
        Reason.PLAYER_NOT_FOUND: "310",
        Reason.NOT_AUTHENTICATED: "400",
        Reason.SESSION_EXPIRED: "400",
        Reason.BAD_SIGNATURE: "500",
    },
    doubt=frozenset({DOUBT}),
)


def code_of(declined: Declined, call: str) -> str:
    """The CODE that says `declined` to this call: 302 is for Status only, where it says all that is not booked."""
    if call == STATUS and declined.replayed:
        return NOT_FOUND
    code = ERRORS.code(declined.reason)
    return NO if code == NOT_FOUND and call != STATUS else code


# ---------------------------------------------------------------- the frame

ROOT, REQUEST, TIME, RESPONSE = "VGSSYSTEM", "REQUEST", "TIME", "RESPONSE"
_ELEMENT = re.compile(r"[A-Z_][A-Z0-9_.-]{0,63}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def framed(fields: Mapping[str, str], request: Request | None, now: datetime) -> Response:
    said = {name: sayable(value) for name, value in fields.items()}
    frame = {ROOT: {REQUEST: echoed(request), TIME: _time(now), RESPONSE: said}}
    return Response(headers=XML_HEADERS, body=written(frame))


def echoed(request: Request | None) -> dict[str, str]:
    """What was received, in its order, as far as XML can say it, and no secret."""
    asked = request.asked if request is not None else {}
    if not isinstance(asked, Mapping):
        return {}
    texts = {
        name.upper(): value if isinstance(value, str) else value.decode(errors="replace")
        for name, value in asked.items()
    }
    return {
        name: sayable(text) for name, text in texts.items() if name not in SECRETS and _ELEMENT.fullmatch(name)
    }  # fmt: skip


def _time(now: datetime) -> str:
    """`12 Jan 2025 10:00:00`; no locale of the machine names its month."""
    utc = now.astimezone(UTC)
    return f"{utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} {utc.hour:02}:{utc.minute:02}:{utc.second:02}"
