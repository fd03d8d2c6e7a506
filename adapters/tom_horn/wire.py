"""What Tom Horn's calls are made of: names, codes, money, and what of them is signed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_FLOOR, Decimal
from itertools import product
from typing import Any, Literal

from msgspec import Struct

from gateway.auth import Composed, Field, InCall, Named, Part, Steps, hmac_of, told, upper_hex
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, Number
from gateway.codec.ids import INT64_MAX
from gateway.codec.units import bounded
from gateway.dialect import NoCall, Wire
from gateway.http import Request
from gateway.model import Declined, Flaw, Kind, Reason, Refused, unsupported
from gateway.xml import SPACE

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`transport`: what we speak to a wallet. A provider may speak either at any time."""

    transport: Literal["json", "soap"] = "json"


# ---------------------------------------------------------------- calls

BALANCE, WITHDRAW, DEPOSIT, ROLLBACK = "GetBalance", "Withdraw", "Deposit", "RollbackTransaction"
CALLS = tuple(
    Wire(name=name, method="POST", path=f"/{name}", kinds=(kind,))
    for name, kind in (
        (BALANCE, Kind.BALANCE),
        (WITHDRAW, Kind.DEBIT),
        (DEPOSIT, Kind.CREDIT),
        (ROLLBACK, Kind.ROLLBACK),
    )
)
BY_PATH: Mapping[str, str] = {wire.path: wire.name for wire in CALLS}
UNKNOWN_CALL = "Unknown"  # a SOAP message of none of them
NAMESPACE = "http://GMS.Integration.Plugin/WalletService"
SOAP_PATH = "/soap"  # where we post SOAP; it is understood anywhere
_MARK = re.compile(rb"<(?:[\w.-]+:)?(GetBalance|Withdraw|Deposit|RollbackTransaction)[\s/>]")


def operation(request: Request) -> str:
    """Which call it is. Raises `NoCall`.

    Of a SOAP message that cannot be read, the first call that is named in it: only for the words of its refusal.
    """
    path = request.path.rstrip("/")
    if request.method != "POST":
        raise NoCall(("POST",) if path in BY_PATH or path == SOAP_PATH else ())
    if not request.in_xml:
        if path not in BY_PATH:
            raise NoCall
        return BY_PATH[path]
    if isinstance(request.soap, tuple):
        return request.soap[0] if request.soap[0] in SIGNED else UNKNOWN_CALL
    found = _MARK.search(request.body)
    return found[1].decode() if found else UNKNOWN_CALL


def fields_of(request: Request) -> Fields:
    return Fields.of_soap(request) if request.in_xml else Fields.of(request)


NAMES = frozenset(
    {
        "partnerID", "sign", "name", "currency", "amount", "reference", "sessionID", "gameRoundID", "gameModule", "type",
        "fgbCampaignCode", "fgbBetAmount", "isRoundEnd", SPACE,
    }
)  # fmt: skip

# ---------------------------------------------------------------- signature

# Call -> the fields whose values are signed, in this order and with nothing between them.
SIGNED: Mapping[str, tuple[str, ...]] = {
    BALANCE: ("partnerID", "name", "currency", "sessionID", "gameModule", "type"),
    WITHDRAW: (
        "partnerID", "name", "amount", "currency", "reference", "sessionID", "gameRoundID", "gameModule",
        "fgbCampaignCode",
    ),
    DEPOSIT: (
        "partnerID", "name", "amount", "currency", "reference", "sessionID", "gameRoundID", "gameModule", "type",
        "fgbCampaignCode", "isRoundEnd",
    ),
    ROLLBACK: ("partnerID", "name", "reference", "sessionID"),
}  # fmt: skip
DEFAULTS: Mapping[str, str] = {"sessionID": "0", "gameRoundID": "0", "type": "0"}


def _listed(request: Request) -> tuple[str, ...]:
    try:
        names = SIGNED.get(operation(request), ())
    except NoCall:
        names = ()
    if not names:
        raise Refused(Reason.INVALID_REQUEST, "no such call", flaw=Flaw.UNKNOWN_CALL)
    return names


def _found(request: Request, settings: Any) -> list[Field]:
    """What holds nothing is signed as nothing, `[]` and `{}` as well."""
    fields = fields_of(request)
    said = [(name, fields.raw.get(name)) for name in _listed(request)]
    return [(n, _spellings(fields, n)[0] if n == "amount" or value in ([], {}) else value) for n, value in said]


def _beside(request: Request, settings: Any) -> list[Field]:
    listed = _listed(request)
    return [(name, value) for name, value in fields_of(request).raw.items() if name not in listed]


@told(
    Steps(
        selected="the values of the fields that the page lists for this operation; names are not signed",
        order="that of the page's list",
        form="as they were sent, an amount with two digits; of what was not sent nothing, else its default",
        joined="with nothing between them",
        fields=Composed(found=_found, beside=_beside),
    )
)
def covered(request: Request, settings: Any) -> Iterator[bytes]:
    """The values as they were sent; of what was not sent nothing, or its default: the pages do not say which is signed."""
    names, fields = _listed(request), fields_of(request)
    for spelled in product(*(_spellings(fields, name) for name in names)):
        yield "".join(spelled).encode()


def _spellings(fields: Fields, name: str) -> tuple[str, ...]:
    if name == "amount":
        return (f"{read_amount(fields):.2f}",)
    found = fields.raw.get(name)
    if isinstance(found, bool):
        return ("true", "True") if found else ("false", "False")
    if isinstance(found, str | int) and found != "":
        return (str(found),)
    if found:
        raise fields.wrong(name, Flaw.INVALID, "is neither a text nor a number: that is not signed")
    return ("", DEFAULTS[name]) if name in DEFAULTS else ("",)


AUTH = Named(
    holder=Part("partner_id", secret=False, demo="Partner7"),
    named=InCall("partnerID"),
    covers=covered,
    digest=hmac_of("sha256"),
    carried=InCall("sign", upper_hex),
    demo="th-test-key",
)

# ---------------------------------------------------------------- numbers

_AMOUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?")
_LONG = re.compile(r"0|-?[1-9][0-9]{0,18}")
_CENT = Decimal("0.01")


def read_amount(fields: Fields) -> Decimal:
    """What a movement moves: two places at most, or it could not have been signed. A text has no exponent."""
    found = fields.value("amount")
    if isinstance(found, str) and not isinstance(found, Number) and found and not _AMOUNT.fullmatch(found):
        raise fields.wrong("amount", Flaw.INVALID, "is not a decimal such as 2.50")
    amount = bounded(fields.decimal("amount")[0], "amount")
    if amount < 0:
        raise fields.wrong("amount", Flaw.TOO_LOW, "is negative")
    fitted = amount.quantize(_CENT)
    if fitted != amount:
        raise fields.wrong("amount", Flaw.INVALID, "has more than two places")
    return abs(fitted)


def cents(amount: Decimal) -> Decimal:
    """An amount that is told to a wallet. Raises `Refused` (unsupported) where two places do not hold it."""
    fitted = amount.quantize(_CENT)
    if fitted != amount:
        raise unsupported("an amount of more than two places")
    return fitted


def shown(balance: Decimal) -> Decimal:
    """A balance with two places, rounded down: nobody is shown what is not there."""
    return balance.quantize(_CENT, rounding=ROUND_FLOOR)


def read_long(fields: Fields, name: str) -> str:
    """A 64-bit integer, as a number of any size or as its text."""
    found = fields.id(name)
    if not _LONG.fullmatch(found) or not -INT64_MAX - 1 <= int(found) <= INT64_MAX:
        raise fields.wrong(name, Flaw.NOT_INTEGER, "is not a 64-bit integer")
    return found


def as_long(text: str) -> Number | None:
    """An id as such a number, exactly; None where it is none."""
    fits = _LONG.fullmatch(text) and -INT64_MAX - 1 <= int(text) <= INT64_MAX
    return Number(text) if fits else None


def as_decimal(text: str) -> Number | None:
    """What was stored of a decimal; None where it is none."""
    return Number(f"{Decimal(text):f}") if _AMOUNT.fullmatch(text) else None


# ---------------------------------------------------------------- codes

SUCCESS, DOUBT, WRONG_INPUT, ROLLED_BACK, DUPLICATE = 0, 1, 2, 9, 11

# Reason -> Code. 1 is "general error": said for two refusals, and doubt whenever it is heard.
ERRORS = ErrorTable(
    {
        Reason.INVALID_REQUEST: WRONG_INPUT,
        Reason.GAME_NOT_FOUND: WRONG_INPUT,
        Reason.UNSUPPORTED: WRONG_INPUT,
        Reason.BAD_SIGNATURE: 3,
        Reason.NOT_AUTHENTICATED: 4,
        Reason.SESSION_EXPIRED: 4,
        Reason.PLAYER_NOT_FOUND: 5,
        Reason.INSUFFICIENT_FUNDS: 6,
        Reason.CURRENCY_MISMATCH: 8,
        Reason.ALREADY_ROLLED_BACK: ROLLED_BACK,
        Reason.ALREADY_SETTLED: ROLLED_BACK,
        Reason.LIMIT_EXCEEDED: 10,
        Reason.DUPLICATE_MISMATCH: DUPLICATE,
        Reason.TRANSACTION_NOT_FOUND: 12,
        Reason.PLAYER_BLOCKED: DOUBT,
        Reason.ROUND_CLOSED: DOUBT,
    },
    doubt=frozenset({DOUBT}),
)
# Call -> the codes that its page lists, beside those that every call has.
_ALL = frozenset(range(6))
LISTED: Mapping[str, frozenset[int]] = {BALANCE: _ALL, ROLLBACK: _ALL | {ROLLED_BACK, 12}}

MESSAGES: Mapping[int, str] = {
    SUCCESS: "",
    DOUBT: "general error",
    WRONG_INPUT: "wrong input",
    3: "invalid sign",
    4: "unknown or disabled partner",
    5: "unknown player",
    6: "not enough money",
    8: "invalid currency",
    ROLLED_BACK: "already rolled back",
    10: "limit of the player reached",
    DUPLICATE: "duplicate reference",
    12: "unknown transaction",
}


def code_of(declined: Declined, call: str) -> int:
    """The Code that says `declined` to this call: one that its page lists."""
    code = ERRORS.code(declined.reason)
    return code if code in LISTED.get(call, MESSAGES) else WRONG_INPUT
