"""Groove: an aggregator that calls the casino's wallet; GET with everything in the query, an HMAC, JSON answers with a code.

Source: groove-docs.pages.dev (operator's side) and groove-reverse.pages.dev (the provider's side of the same vendor).
What they leave open, or say in two ways, is decided in NOTES.md. requests.py holds the calls, field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from adapters.groove.requests import (
    BATCH,
    OLD_GAME,
    OWED,
    REVERSALS,
    UNIT,
    VERSION,
    also_named,
    decode_request,
    encode_request,
)
from gateway.auth import InHeader, OneOf, Signed, base64_bytes, base64_text, hmac_of, query_values, raw_target
from gateway.codec.errors import Row, of_rows
from gateway.codec.fields import Fields, Number, known, write_json
from gateway.codec.frame import currency_of, heard, needed
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Kept, Word
from gateway.http import JSON_HEADERS, Request, Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Profile,
    Reason,
    Rollback,
    Settle,
    Transaction,
    Unknown,
)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`signature_form`: `A` = over the values in the order of their names, `B` = over the target as sent, `none`."""

    signature_form: Literal["A", "B", "none"] = "A"


# ---------------------------------------------------------------- signature

# A covers no names and no borders between values: a session must be its player's, whatever the proof says (`calls_in_own_session`).
FORM_A = Signed(
    covers=query_values(without="request", sorted_as={OLD_GAME: "gameid"}),
    digest=hmac_of("sha256"),
    carried=InHeader("x-groove-signature"),
    demo="groove-test-key",
)
FORM_B = Signed(
    covers=raw_target,
    digest=hmac_of("sha256", key_of=base64_bytes),
    carried=InHeader("authorization", base64_text, before="HMAC-SHA256 Signature="),
    demo="Z3Jvb3ZlLXRlc3Qta2V5",
)


def form(settings: Any) -> str:
    return str(settings.signature_form)


SIGNED = OneOf(form, {"A": FORM_A, "B": FORM_B}, unproved="none")

# ---------------------------------------------------------------- which call it is

KINDS: Mapping[str, Kind] = {
    "getaccount": Kind.AUTHENTICATE, "getbalance": Kind.BALANCE, "wager": Kind.DEBIT, "result": Kind.CREDIT,
    "wagerAndResult": Kind.SETTLE, "jackpot": Kind.CREDIT, "rollback": Kind.ROLLBACK, "reversewin": Kind.ROLLBACK,
    "rollbackrollback": Kind.ROLLBACK,
}  # fmt: skip
CALLS = tuple(Wire(name=name, method="GET", path=f"/?request={name}", kinds=(kind,)) for name, kind in KINDS.items())
BY_WORD: Mapping[str, str] = {wire.name.lower(): wire.name for wire in CALLS}
NO_CALL = "unknown"


def route(request: Request, settings: Any) -> str:
    """One URL, `request` says which call; only the batch is posted. An unknown one is answered in Groove's own words."""
    if request.path.strip("/"):
        raise NoCall
    word = request.asks("request").lower()
    if request.method == "POST" and word in ("", BATCH.lower()):
        return BATCH
    if request.method != "GET":
        raise NoCall(("GET",) if word in BY_WORD else ("GET", "POST"))
    return BATCH if word == BATCH.lower() else BY_WORD.get(word, NO_CALL)


# ---------------------------------------------------------------- codes

OK, DOUBT, NOT_FOUND, REFUSED = 200, 1, 102, 110
MISMATCH, CLOSED, LOGGED_OFF, NOT_PROVED = 400, 409, 1000, 1003
DONE = 0  # "the only expected return code for a valid rollback": heard of one, never said
SUCCESS, DUPLICATE = "Success", "Success - duplicate request"

# Code -> its status, and what it says. A code is heard as the first of its row: 110 as `invalid_request`, of a rollback, too,
# for `already_settled` would be final there, and a stake could stay taken because of what may be another reason.
ROWS: Mapping[int, Row] = {
    DOUBT: ("Technical error",),
    NOT_FOUND: ("Wager not found", Reason.TRANSACTION_NOT_FOUND),
    REFUSED: (
        "Operation not allowed", Reason.INVALID_REQUEST, Reason.UNSUPPORTED, Reason.PLAYER_NOT_FOUND, Reason.ALREADY_SETTLED,
        Reason.ALREADY_ROLLED_BACK, Reason.CURRENCY_MISMATCH, Reason.GAME_NOT_FOUND,
    ),
    MISMATCH: ("Transaction parameter mismatch", Reason.DUPLICATE_MISMATCH),
    CLOSED: ("Round closed or transaction id exists", Reason.ROUND_CLOSED),
    LOGGED_OFF: ("Not logged on", Reason.SESSION_EXPIRED, Reason.NOT_AUTHENTICATED),
    NOT_PROVED: ("Authentication failed", Reason.BAD_SIGNATURE),
    1006: ("Out of money", Reason.INSUFFICIENT_FUNDS),
    1019: ("Gaming limit", Reason.LIMIT_EXCEEDED),
    1035: ("Account blocked", Reason.PLAYER_BLOCKED),
}  # fmt: skip
ERRORS = of_rows(ROWS)


def code_of(reason: Reason, name: str) -> int:
    """The code that says `reason` to this call."""
    if reason is Reason.TRANSACTION_NOT_FOUND and name not in REVERSALS:
        return REFUSED
    if reason is Reason.NOT_AUTHENTICATED and name == "getaccount":
        return NOT_PROVED
    code = ERRORS.code(reason)
    # "1000 is never a valid answer" there: it is sent again.
    return DOUBT if code == LOGGED_OFF and name in OWED else code


def reason_heard(code: int, kind: Kind, *, again: bool) -> Reason | None:
    """What a code means that is no success; None = doubt."""
    if code == CLOSED and again:
        return None  # "or transaction id exists": it may be what our first attempt did
    if code == NOT_PROVED and kind is Kind.AUTHENTICATE:
        return Reason.NOT_AUTHENTICATED
    return ERRORS.reason(code)


# ---------------------------------------------------------------- provider's end

VERSION_MAX = 16
WALLET_ID_MAX = 50
HEADERS: Mapping[str, str] = {**JSON_HEADERS, "cache-control": "no-store"}  # the calls are GET


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    match outcome:
        case Accepted() if tx is not None:
            again = outcome.replayed and tx.kind in MONEY_KINDS
            return _answer(OK, DUPLICATE if again else SUCCESS, call, _accepted(outcome, tx, call))
        case Declined():
            code = code_of(outcome.reason, call.name)
            shown = {} if code == DOUBT or outcome.balance is None else _whole(outcome, outcome.balance, tx, call)
            return _answer(code, ROWS[code][0], call, shown)
        case _:
            return _answer(DOUBT, ROWS[DOUBT][0], call, {})


def _answer(code: int, status: str, call: Call, fields: Mapping[str, Any]) -> Response:
    """HTTP 200 always. What the call said as its version comes back, also where nothing else of it could be read."""
    version = call.request.asks("apiversion") if call.request is not None else ""
    said = {"code": code, "status": status, "apiversion": version if 0 < len(version) <= VERSION_MAX else VERSION}
    return Response(status=200, headers=HEADERS, body=write_json(said | dict(fields)))


def _accepted(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    cash, currency = needed("balance", outcome.balance), currency_of(outcome, tx, call)
    bonus = UNIT.number(outcome.bonus or Decimal(0), currency, call.currencies)
    purses = {"real_balance": UNIT.number(cash, currency, call.currencies), "bonus_balance": bonus}
    if tx.kind is not Kind.AUTHENTICATE:
        whole = _whole(outcome, cash, tx, call)
        return known(accounttransactionid=outcome.wallet_id[:WALLET_ID_MAX]) | whole | purses
    country = (outcome.profile or Profile()).country or call.country
    said = {"accountid": tx.player, "gamesessionid": tx.session, "currency": needed("currency", currency)}
    return said | known(country=country) | purses | {"game_mode": 1}


def _whole(outcome: Accepted | Declined, cash: Decimal, tx: Transaction | None, call: Call) -> dict[str, Number]:
    """`balance` is cash and bonus money together."""
    both = cash + (outcome.bonus or Decimal(0))
    return {"balance": UNIT.number(both, currency_of(outcome, tx, call), call.currencies)}


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


def read_balances(fields: Fields, tx: Transaction, call: Call) -> dict[str, Any]:
    """Cash and bonus money of an answer, with their currency; `balance` alone is both together."""
    said = fields.opaque("currency").get("currency", "")
    currency = said if call.currencies.knows(said) else tx.currency or call.currency
    if not call.currencies.knows(currency):
        return {}
    found = {
        name: UNIT.heard(fields, name, currency, call.currencies)
        for name in ("balance", "real_balance", "bonus_balance")
    }
    whole, real, bonus = found.values()
    cash = real if real is not None or whole is None else whole - (bonus or Decimal(0))
    if cash is None:
        return {}
    return {"balance": cash, "bonus": bonus or None, "currency": currency}  # 0 is said for "there is none", too


# ---------------------------------------------------------------- the whole


def is_play(tx: Transaction) -> bool:
    """A bet or a result: none comes once a result has said `completed`. A jackpot may."""
    return isinstance(tx.act, Debit | Settle) or (isinstance(tx.act, Credit) and tx.act.type != "jackpot")


DIALECT = Dialect(
    name="groove",
    title="Groove: GET query, JSON answer, HMAC over sorted values",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"gamesessionid", "x-groove-signature"}),
    as_provider=AsProvider(
        answer_within={"default": "4s"},
        replay_balance="current",
        rounds_compared=False,
        partial=True,
        rollback_kinds={"debit": (Kind.DEBIT, Kind.SETTLE)},
        also_named=also_named,
        kept_by=lambda settings: Kept.LATER,
        whole_only=frozenset({Kind.CREDIT, Kind.ROLLBACK}),
        closed_to=is_play,
        closed_by=is_play,
        calls_in_own_session=True,
        undoes_rollbacks=True,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
        undoes_whole=True,
        undoes_once=True,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ROLLBACK}),
    ),
)
