"""Swipe Games: canonical JSON under an HMAC, amounts as decimal texts, refusals as HTTP statuses with a word.

Source: the studio's public "Integration Adapter API" (github.com/SwipeGames/public-api, v1.7.5) and its SDKs. What they
leave open, or say in two ways, is decided in NOTES.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from gateway.auth import InHeader, Signed, canonical_query, hmac_of, raw_body, steps_of, told
from gateway.codec import form
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, known, write_query
from gateway.codec.form import Draft, Line
from gateway.codec.frame import answer, heard, needed, post, unnamed_currency, unsaid
from gateway.codec.units import Major, bounded
from gateway.dialect import Call, Dialect, Wire, table
from gateway.ends import AsProvider, AsWallet, Owed, Word
from gateway.http import Request, Response
from gateway.ids import UuidIds
from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Missing,
    Outcome,
    Reason,
    Rollback,
    Transaction,
    Unknown,
)

# ---------------------------------------------------------------- signature


@told(lambda request: steps_of(canonical_query if request.method == "GET" else raw_body, request))
def covered(request: Request, settings: Any) -> Iterable[bytes]:
    """The raw body, which is never written anew; a GET has none, and signs its query as canonical JSON."""
    return canonical_query(request, settings) if request.method == "GET" else raw_body(request, settings)


SIGNED = Signed(covers=covered, digest=hmac_of("sha256"), carried=InHeader("x-request-sign"), demo="sw-test-key")

# ---------------------------------------------------------------- calls

CALLS = (
    Wire(name="balance", method="GET", path="/balance", kinds=(Kind.BALANCE,)),
    Wire(name="bet", method="POST", path="/bet", kinds=(Kind.DEBIT,)),
    Wire(name="win", method="POST", path="/win", kinds=(Kind.CREDIT,)),
    Wire(name="refund", method="POST", path="/refund", kinds=(Kind.ROLLBACK,)),
)
route = table({wire.path: {wire.method: wire.name} for wire in CALLS})

# ---------------------------------------------------------------- refusals

OK, DOUBT = 200, 500  # of 500 and silence alone the studio believes that a stake may have been taken: it refunds them
BAD_REQUEST, WRONG_SIGNATURE, NOBODY = 400, 401, 404
STATUSES: Mapping[Reason, int] = {
    Reason.BAD_SIGNATURE: WRONG_SIGNATURE,
    Reason.NOT_AUTHENTICATED: NOBODY,
    Reason.PLAYER_NOT_FOUND: NOBODY,
}  # any other reason: 400

# Reason -> `code`; blank: only a message. What has no row here has none, either.
CODES = ErrorTable(
    {
        Reason.INVALID_REQUEST: "",
        Reason.BAD_SIGNATURE: "",
        Reason.NOT_AUTHENTICATED: "session_not_found",
        Reason.PLAYER_NOT_FOUND: "session_not_found",
        Reason.SESSION_EXPIRED: "session_expired",
        Reason.INSUFFICIENT_FUNDS: "insufficient_funds",
        Reason.LIMIT_EXCEEDED: "bet_limit",
        Reason.PLAYER_BLOCKED: "account_blocked",
        Reason.GAME_NOT_FOUND: "game_not_found",
        Reason.CURRENCY_MISMATCH: "currency_not_supported",
    },
    heard={
        "loss_limit": Reason.LIMIT_EXCEEDED,
        "time_limit": Reason.LIMIT_EXCEEDED,
        "locale_not_supported": Reason.INVALID_REQUEST,
        "client_connection_error": Reason.INVALID_REQUEST,
    },
)

# A player may be shown these.
MESSAGES: Mapping[Reason, str] = {
    Reason.BAD_SIGNATURE: "Wrong signature",
    Reason.NOT_AUTHENTICATED: "Session not found",
    Reason.PLAYER_NOT_FOUND: "Session not found",
    Reason.SESSION_EXPIRED: "Session expired",
    Reason.INSUFFICIENT_FUNDS: "Not enough money",
    Reason.LIMIT_EXCEEDED: "Limit reached",
    Reason.PLAYER_BLOCKED: "Account blocked",
    Reason.GAME_NOT_FOUND: "Game not found",
    Reason.CURRENCY_MISMATCH: "Currency not supported",
}
REFUSED, FAILED = "The request was refused", "Internal error"


def reason_heard(status: int, code: str) -> Reason | None:
    """What a refusal means; None = doubt. `code` goes before the status, where there is one."""
    if code or status == BAD_REQUEST:
        return CODES.reason(code)
    return Reason.BAD_SIGNATURE if status == WRONG_SIGNATURE else Reason.NOT_AUTHENTICATED


# ---------------------------------------------------------------- the calls, field by field

UNIT = Major()  # "2.50" is 2.50 EUR: main units since version 1.7.2 of the page, "smallest units" before
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_AMOUNT_LENGTH_MAX = 64


def _read_type(fields: Fields, draft: Draft, call: Call) -> None:
    draft.free = fields.choice("type", {"regular": False, "free": True})


def _type(tx: Transaction, call: Call) -> str:
    """A free bet takes no stake either way. The win of a free round is paid where it is not only told, and `free` pays
    nothing."""
    act = tx.act
    free = isinstance(act, Debit | Credit) and (act.tracking_only or (act.free_round and isinstance(act, Debit)))
    return "free" if free else "regular"


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    """A decimal text, exact. No call names its currency, so nothing is known of its digits yet."""
    found = fields.text("amount", length_max=_AMOUNT_LENGTH_MAX)
    if not _AMOUNT.fullmatch(found):
        raise fields.wrong("amount", Flaw.INVALID, "is no decimal text such as 2.50")
    draft.amount_if_any = bounded(Decimal(found), "amount")


def _amount(tx: Transaction, call: Call) -> str:
    """Of all of a bet, only who was asked for it knows what that is."""
    act = tx.act
    if not isinstance(act, Debit | Credit | Rollback) or act.amount is None:
        raise Missing("amount", otherwise=amount_said(tx.extra.get("amount", "")))
    return f"{UNIT.write(act.amount, unnamed_currency(tx, call), call.currencies):f}"


def amount_said(text: str) -> Decimal | None:
    """An amount that was passed on as it came; None where it is none."""
    return Decimal(text) if len(text) <= _AMOUNT_LENGTH_MAX and _AMOUNT.fullmatch(text) else None


# The operator's: it alone says who plays, in which currency and what.
SESSION = form.SESSION.id("sessionID", length_max=1024)
AMOUNT, ID = Line("amount", _read_amount, _amount), form.ID.id("txID")
# One of its own, or its bet's: such a wallet pays the win of a round that it never saw.
ROUND = Line("roundID", form.ROUND.id("roundID").read, lambda tx, call: tx.round_id or form.REFERENCE.of(tx) or tx.id)
MOVE = (Line("type", _read_type, _type), SESSION, AMOUNT, ID, ROUND, form.FREE_ROUND.id_if_any("frID"))
REFUND = (SESSION, ID, form.REFERENCE.id("origTxID"), AMOUNT, form.ROUND.id_if_any("roundID"))
FORMS = form.of_page({"balance": (SESSION,), "bet": MOVE, "win": MOVE, "refund": REFUND})

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    if call.name == "balance":
        return FORMS["balance"].read(Fields.of_query(request), call).transaction(Balance())
    said = FORMS[call.name].read(Fields.of(request), call)
    match call.name:
        case "bet":  # a free one is told for the record, no money moves
            return said.transaction(Debit(amount=said.amount, free_round=said.free, tracking_only=said.free))
        case "win":  # a regular one with a campaign is the total of its free rounds, and is paid
            type_ = "promo" if said[form.FREE_ROUND] and not said.free else "win"
            act = Credit(amount=said.amount, type=type_, free_round=said.free, tracking_only=said.free)
            return said.transaction(act)
        case _:  # always the whole bet: its amount is checked and kept, and decides nothing
            said.extra["amount"] = f"{said.amount:f}"
            return said.transaction(Rollback(reference=said[form.REFERENCE]))


def content(tx: Transaction) -> tuple[str, ...]:
    """What a repeat must say again beside what it must everywhere: type, session and, of a refund, the amount."""
    free = getattr(tx.act, "tracking_only", False)
    said = amount_said(tx.extra.get("amount", "")) if isinstance(tx.act, Rollback) else None
    return ("free" if free else "regular", tx.session, "" if said is None else f"{said.normalize():f}")


NOTHING_LEFT = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})
"""Of a refund these are a success: it is repeated until it hears one, and there is nothing (more) to give back."""


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined) and call.name == "refund" and tx is not None and outcome.reason in NOTHING_LEFT:
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency, wallet_id=outcome.wallet_id)
    if isinstance(outcome, Accepted) and tx is not None:
        said = {"balance": _balance_text(outcome, tx, call)}
        return answer(said if call.name == "balance" else said | {"txID": outcome.wallet_id or tx.id}, OK)
    if isinstance(outcome, Declined):
        return _no(outcome)
    return answer({"message": FAILED}, DOUBT)


def _no(outcome: Declined) -> Response:
    """`details` are for the studio's engineers: what was wrong with the request, never a wallet's own words."""
    said = {"message": MESSAGES.get(outcome.reason, REFUSED)} | known(code=CODES.code(outcome.reason))
    details = outcome.message if outcome.flaw is not Flaw.NONE else ""
    return answer(said | known(details=details), STATUSES.get(outcome.reason, BAD_REQUEST))


def _balance_text(outcome: Accepted, tx: Transaction, call: Call) -> str:
    """Exactly the currency's places. The form has no sign: a debt is shown as nothing."""
    balance = max(needed("balance", outcome.balance), Decimal(0))
    currency = outcome.currency or tx.currency or call.currency
    if not currency and balance:
        raise Missing("currency")
    return f"{UNIT.show(balance, currency, call.currencies) if call.currencies.knows(currency) else balance:f}"


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            return Request(method="GET", path="/balance", query=write_query(FORMS["balance"].write(tx, call)))
        case Debit():
            name = "bet"
        case Credit():
            name = "win"
        case Rollback(reference_kind=Kind.DEBIT | Kind.CREDIT):
            name = "refund"
        case _:
            raise unsaid(tx)
    # Canonical JSON: the studio's SDK may write a body anew before it looks at its signature.
    return post(f"/{name}", dict(sorted(FORMS[name].write(tx, call).items())))


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    read = _heard_yes if response.status == OK else partial(_heard_no, response.status)
    return heard(response, read, tx, call, statuses=(OK, BAD_REQUEST, WRONG_SIGNATURE, NOBODY))


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """200 alone is no yes. Raises `Refused`."""
    if fields.words("code"):
        return Unknown(detail="HTTP 200 with the code of a refusal")
    currency = tx.currency or call.currency
    balance = UNIT.heard(fields, "balance", currency, call.currencies)
    if isinstance(tx.act, Balance):
        return Accepted(balance=balance, currency=currency) if balance is not None else Unknown(detail="no balance")
    wallet_id = fields.id("txID", length_max=256)
    return Accepted(balance=balance, currency=currency if balance is not None else "", wallet_id=wallet_id)


def _heard_no(status: int, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """In the studio's own form, which a proxy before the wallet does not know. *While a wallet was restarted the balancer
    said 404 for it, to the second asking of a bet that was taken.* Raises `Refused`."""
    code, message = fields.text("code", "", length_max=64), fields.words("message")
    reason = reason_heard(status, code) if code or message else None
    if reason is None:
        return Unknown(detail=f"HTTP {status}, code {code!r}")
    return Declined(reason=reason, message=message)


DIALECT = Dialect(
    name="swipegames",
    title="Swipe Games: canonical JSON under an HMAC, decimal texts, refusals as HTTP statuses",
    calls=CALLS,
    auth=SIGNED,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"sessionid", "x-request-sign"}),
    as_provider=AsProvider(
        answer_within={"default": "4s"},  # the studio waits 5 s
        spaces=dict.fromkeys(("bet", "win", "refund"), "movement"),  # `txID` is the key
        replay_balance="stored",  # "the same successful answer"
        content=content,
        game_of_session=True,
        rollback_kinds={Kind.DEBIT.value: (Kind.DEBIT, Kind.CREDIT)},
        final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})},
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT, Word.TRACKING_DEBIT, Word.TRACKING_CREDIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT}),
        separates=False,
        ids=UuidIds(),
        rounds=UuidIds(),
        undoes_whole=True,
        yes_to_unknown=True,
        sessions=frozenset({Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
