"""What BetGames' XML is made of: settings, calls, the signature, codes, money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from gateway.auth import Edition, InXml, Mutual, digest_of, hmac_of, leaf, named_leaves, one_leaf
from gateway.codec.cents import read_whole
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, unparsable
from gateway.codec.units import Scaled, bounded
from gateway.dialect import Call, NoCall, Wire
from gateway.http import Request, Response
from gateway.model import Declined, Flaw, Kind, Reason, Refused

# ---------------------------------------------------------------- settings


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`signature`: which of the two editions is in use. `refund_as_promo`: a bet is given back as a gift, for want of a cancel."""

    signature: Literal["request_id", "md5"] = "request_id"
    refund_as_promo: bool = False


# ---------------------------------------------------------------- calls

PING, DETAILS, REFRESH, NEW_TOKEN, BALANCE = (
    "ping", "get_account_details", "refresh_token", "request_new_token", "get_balance",
)  # fmt: skip
PAYIN, SUBSCRIPTION, COMBINATION = (
    "transaction_bet_payin",
    "transaction_bet_subscription_payin",
    "transaction_bet_combination_payin",
)
PAYOUT, COMBINATION_PAYOUT, PROMO = (
    "transaction_bet_payout",
    "transaction_bet_combination_payout",
    "transaction_promo_payout",
)
CALLS = tuple(
    Wire(name=name, method="POST", path="/", kinds=(kind,))
    for name, kind in (
        (PING, Kind.NOTICE),
        (DETAILS, Kind.AUTHENTICATE),
        (REFRESH, Kind.CHECK),
        (NEW_TOKEN, Kind.AUTHENTICATE),
        (BALANCE, Kind.BALANCE),
        (PAYIN, Kind.DEBIT),
        (SUBSCRIPTION, Kind.BATCH),
        (COMBINATION, Kind.DEBIT),
        (PAYOUT, Kind.CREDIT),
        (COMBINATION_PAYOUT, Kind.CREDIT),
        (PROMO, Kind.CREDIT),
    )
)
METHODS = frozenset(wire.name for wire in CALLS)
PAYOUTS = frozenset({PAYOUT, COMBINATION_PAYOUT, PROMO})
UNKNOWN_METHOD = "unknown"
_METHOD = re.compile(rb"<method>\s*([a-z_]{1,64})\s*</method>")


def route(request: Request, settings: Any) -> str:
    """By the `<method>` in the body. Of one that cannot be read, the first that is named in it: only for the words of its
    refusal."""
    if request.path.strip("/"):
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    found = request.xml
    if isinstance(found, tuple):
        name = found[1].get("method")
    else:
        marked = _METHOD.search(request.body)
        name = marked[1].decode() if marked else None
    return name if isinstance(name, str) and name in METHODS else UNKNOWN_METHOD


# ---------------------------------------------------------------- the document

ROOT = "root"
LEVELS_MAX = 8
NOBODY = "-"  # for a token: payouts come when the player is long gone


def root_of(message: Request | Response) -> Fields:
    """Raises `Refused` (unparsable) for what is no such document."""
    root = Fields.of_xml(message, ROOT)
    if _levels(root.raw) > LEVELS_MAX:
        raise unparsable(f"the body is nested deeper than {LEVELS_MAX}")
    return root


def _levels(value: Any) -> int:
    if isinstance(value, list):
        return max(map(_levels, value))
    return 1 + max(map(_levels, value.values()), default=0) if isinstance(value, Mapping) else 1


def params_of(root: Fields) -> Fields:
    """What stands in `params`, which may be empty or missing."""
    found = root.raw.get("params")
    if isinstance(found, Mapping):
        return Fields(found)
    if found is None or (isinstance(found, str) and not found.strip()):
        return Fields({})
    raise root.wrong("params", Flaw.INVALID, "holds no fields")


def token_of(root: Fields) -> str:
    """The session, blank where there is none or it is none."""
    try:
        token = root.id("token", "", length_max=1024)
    except Refused:
        return ""
    return "" if token == NOBODY else token


# ---------------------------------------------------------------- time

TIME = "time"
WINDOW_SECONDS = 60


def check_time(root: Fields, call: Call, *, repeated: bool) -> None:
    """A repeat may carry the first call's time, a payout's repeat any. Raises `Refused` of the field `time`."""
    if repeated and call.name in PAYOUTS:
        return
    text, ahead = root.raw.get(TIME), WINDOW_SECONDS + 1
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 12:
        ahead = int(text) - int(call.now.timestamp())
    if ahead > WINDOW_SECONDS or (ahead < -WINDOW_SECONDS and not repeated):
        raise root.wrong(TIME, Flaw.INVALID, f"is more than {WINDOW_SECONDS} s away, or no time")


# ---------------------------------------------------------------- signature

_ALL = named_leaves(without="signature", unless_empty="params")
AUTH = Mutual(
    said=lambda settings: str(settings.signature),
    editions={
        # Only an id is signed: it proves who speaks. The other one covers all that is said, by MD5.
        "request_id": Edition(
            covers=one_leaf("request_id"),
            answers=one_leaf("response_id"),
            digest=hmac_of("sha256"),
            word=leaf("request_id"),
            answer_word=leaf("response_id"),
        ),
        "md5": Edition(covers=_ALL, answers=_ALL, digest=digest_of("md5")),
    },
    carried=InXml("signature"),
    demo="bg-test-secret",
    weak=True,
)

# ---------------------------------------------------------------- codes

SUCCESS, BAD_SIGNATURE, EXPIRED, BAD_TOKEN, NO_PAYIN, NO_PLAYER, NO_MONEY = 0, 1, 2, 3, 700, 702, 703

ERRORS = ErrorTable(
    {
        Reason.BAD_SIGNATURE: BAD_SIGNATURE,
        Reason.NOT_AUTHENTICATED: BAD_TOKEN,
        Reason.TRANSACTION_NOT_FOUND: NO_PAYIN,
        Reason.PLAYER_NOT_FOUND: NO_PLAYER,
        Reason.INSUFFICIENT_FUNDS: NO_MONEY,
    },
    heard={EXPIRED: Reason.INVALID_REQUEST, 4: Reason.INSUFFICIENT_FUNDS},
)
"""As heard; 500 and whatever is not listed are doubt."""

ENDING: Mapping[Reason, int] = {
    Reason.TRANSACTION_NOT_FOUND: NO_PAYIN,
    Reason.ALREADY_ROLLED_BACK: NO_PAYIN,
    Reason.PLAYER_NOT_FOUND: NO_PLAYER,
}
"""What ends a payout that names its bet, or its player."""

TEXTS: Mapping[int, str] = {
    BAD_SIGNATURE: "wrong signature",
    EXPIRED: "request is expired",
    NO_PAYIN: "there is no PAYIN with provided bet_id",
    NO_PLAYER: "invalid player",
    NO_MONEY: "insufficient balance",
}
_TOKEN_IS_BAD = frozenset({Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED, Reason.PLAYER_NOT_FOUND})


def code_of(declined: Declined, name: str) -> int | None:
    """The code that says it to this call; None: a code would end what is to come again, so doubt is said."""
    if declined.reason is Reason.BAD_SIGNATURE:
        return BAD_SIGNATURE
    if declined.reason is Reason.INVALID_REQUEST and declined.field == TIME:
        return EXPIRED
    if name == PROMO:  # it names no bet, so there is none that could be missing
        return NO_PLAYER if declined.reason is Reason.PLAYER_NOT_FOUND else None
    if name in PAYOUTS:
        return ENDING.get(declined.reason)
    return NO_MONEY if declined.reason is Reason.INSUFFICIENT_FUNDS else BAD_TOKEN


def text_of(declined: Declined, code: int) -> str:
    """The page has no code for many a no: the text says at least which it was."""
    if code == BAD_TOKEN:
        return "invalid token" if declined.reason in _TOKEN_IS_BAD else declined.reason.value.replace("_", " ")
    return TEXTS[code]


# ---------------------------------------------------------------- money

UNIT = Scaled(2)
DIGITS = 2
_BALANCE = re.compile(r"-?[0-9]{1,20}")


def read_currency(fields: Fields, call: Call) -> str:
    """In any case. Raises `Refused` (currency_mismatch): of one without two digits nobody has seen an amount."""
    currency = call.currencies.meant(fields.text("currency", length_max=16))
    if call.currencies.digits(currency) != DIGITS:
        raise Refused(Reason.CURRENCY_MISMATCH, f"{currency} has not two digits", field="currency", flaw=Flaw.INVALID)
    return currency


def read_amount(fields: Fields, currency: str, call: Call) -> Decimal:
    return UNIT.read(read_whole(fields, "amount"), currency, call.currencies, "amount")


def amount_out(amount: Decimal, currency: str, call: Call) -> int:
    """Raises `Refused` (unsupported)."""
    if not call.currencies.knows(currency) or call.currencies.digits(currency) != DIGITS:
        raise Refused(Reason.UNSUPPORTED, f"{currency} has not two digits", field="currency")
    return UNIT.write(amount, currency, call.currencies)


def read_balance(fields: Fields, name: str) -> Decimal | None:
    """Whole cents and nothing else: of `995.00` nobody knows whether it is 9.95."""
    found = fields.raw.get(name)
    if not isinstance(found, str) or not _BALANCE.fullmatch(found):
        return None
    try:
        return bounded(Decimal(found).scaleb(-DIGITS), name)
    except Refused:
        return None
