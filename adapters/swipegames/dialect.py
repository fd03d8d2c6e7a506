"""Swipe Games: canonical JSON under an HMAC, amounts as decimal texts, refusals as HTTP statuses with a word.

Source: the studio's public "Integration Adapter API" (github.com/SwipeGames/public-api, v1.7.5) and its SDKs. What they
leave open, or say in two ways, is decided in NOTES.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from adapters.swipegames.wire import (
    BAD_REQUEST,
    CALLS,
    CODES,
    DOUBT,
    FAILED,
    MESSAGES,
    NAMES,
    NOBODY,
    OK,
    REFUSED,
    SESSION_MAX,
    STATUSES,
    TYPES,
    UNIT,
    WRONG_SIGNATURE,
    amount_said,
    read_amount,
    reason_heard,
    route,
)
from gateway.auth import InHeader, Signed, canonical_query, hmac_of, raw_body
from gateway.codec.fields import Fields, known, write_json, write_query
from gateway.dialect import Call, Dialect
from gateway.ends import AsProvider, AsWallet, Owed, Word
from gateway.http import JSON_HEADERS, Request, Response
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
    Refused,
    Rollback,
    Round,
    Transaction,
    Unknown,
    reference_of,
    unsupported,
)

# ---------------------------------------------------------------- signature


def covered(request: Request, settings: Any) -> Iterable[bytes]:
    """The raw body, which is never written anew; a GET has none, and signs its query as canonical JSON."""
    return canonical_query(request, settings) if request.method == "GET" else raw_body(request, settings)


SIGNED = Signed(
    covers=covered, digest=hmac_of("sha256"), carried=InHeader("x-request-sign"), demo="sw-test-key"
)  # fmt: skip

# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    if call.name == "balance":
        fields = Fields.of_query(request)
        return Transaction(act=Balance(), session=_session(fields), extra=fields.unknown(NAMES))
    fields = Fields.of(request)
    return _read_refund(fields) if call.name == "refund" else _read_move(fields, call.name)


def _session(fields: Fields) -> str:
    """The operator's own: it alone says who plays, in which currency and what."""
    return fields.id("sessionID", length_max=SESSION_MAX)


def _read_move(fields: Fields, name: str) -> Transaction:
    free = fields.choice("type", TYPES)  # of a free round: told for the record, no money moves
    session, amount = _session(fields), read_amount(fields)
    tx_id, round_id, campaign = fields.id("txID"), fields.id("roundID"), fields.id_if_any("frID")
    if name == "bet":
        act: Debit | Credit = Debit(amount=amount, free_round=free, tracking_only=free)
    else:  # a regular one with a campaign is the total of its free rounds, and is paid
        type_ = "promo" if campaign and not free else "win"
        act = Credit(amount=amount, type=type_, free_round=free, tracking_only=free)
    return Transaction(
        act=act, id=tx_id, session=session, round=Round(round_id), free_round_id=campaign, extra=fields.unknown(NAMES)
    )  # fmt: skip


def _read_refund(fields: Fields) -> Transaction:
    """Always the whole bet: its amount is checked and kept, and decides nothing."""
    session, tx_id, reference = _session(fields), fields.id("txID"), fields.id("origTxID")
    said, round_id = {"amount": f"{read_amount(fields):f}"}, fields.id_if_any("roundID")
    return Transaction(
        act=Rollback(reference=reference), id=tx_id, session=session, round=Round(round_id) if round_id else None,
        extra=fields.unknown(NAMES) | said,
    )  # fmt: skip


def content(tx: Transaction) -> tuple[str, ...]:
    """What a repeat must say again beside what it must everywhere: type, session and, of a refund, the amount."""
    free = getattr(tx.act, "tracking_only", False)
    said = amount_said(tx.extra.get("amount", "")) if isinstance(tx.act, Rollback) else None
    return ("free" if free else "regular", tx.session, "" if said is None else f"{said.normalize():f}")


# ---------------------------------------------------------------- provider's end: the answer

NOTHING_LEFT = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})
"""Of a refund these are a success: it is repeated until it hears one, and there is nothing (more) to give back."""


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined) and call.name == "refund" and tx is not None and outcome.reason in NOTHING_LEFT:
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency, wallet_id=outcome.wallet_id)
    if isinstance(outcome, Accepted) and tx is not None:
        said = {"balance": _balance_text(outcome, tx, call)}
        return _answer(OK, said if call.name == "balance" else said | {"txID": outcome.wallet_id or tx.id})
    if isinstance(outcome, Declined):
        return _no(outcome)
    return _answer(DOUBT, {"message": FAILED})


def _answer(status: int, fields: dict[str, Any]) -> Response:
    return Response(status=status, headers=JSON_HEADERS, body=write_json(fields))


def _no(outcome: Declined) -> Response:
    """`details` are for the studio's engineers: what was wrong with the request, never a wallet's own words."""
    said = {"message": MESSAGES.get(outcome.reason, REFUSED)} | known(code=CODES.code(outcome.reason))
    details = outcome.message if outcome.flaw is not Flaw.NONE else ""
    return _answer(STATUSES.get(outcome.reason, BAD_REQUEST), said | known(details=details))


def _balance_text(outcome: Accepted, tx: Transaction, call: Call) -> str:
    """Exactly the currency's places. The form has no sign: a debt is shown as nothing."""
    if outcome.balance is None:
        raise Missing("balance")
    balance, currency = max(outcome.balance, Decimal(0)), outcome.currency or tx.currency or call.currency
    if not currency and balance:
        raise Missing("currency")
    return f"{UNIT.show(balance, currency, call.currencies) if call.currencies.knows(currency) else balance:f}"


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            query = write_query({"sessionID": _needed("session", tx.session)})
            return Request(method="GET", path="/balance", query=query)
        case Debit():
            # Either way no stake is taken.
            return _post("bet", _move(tx, tx.act, call, free=tx.act.tracking_only or tx.act.free_round))
        case Credit():
            # The win of a free round is paid where it is not only told, and `free` pays nothing.
            return _post("win", _move(tx, tx.act, call, free=tx.act.tracking_only))
        case Rollback() if tx.act.reference_kind in (Kind.DEBIT, Kind.CREDIT):
            return _post("refund", _refund(tx, tx.act, call))
        case Rollback():
            raise unsupported(f"a rollback of a {tx.act.reference_kind.value}")
        case _:
            raise unsupported(tx.kind.value)


def _post(name: str, fields: dict[str, str]) -> Request:
    """Canonical JSON: the studio's SDK may write a body anew before it looks at its signature."""
    return Request(method="POST", path=f"/{name}", headers=JSON_HEADERS, body=write_json(dict(sorted(fields.items()))))


def _needed(what: str, value: str) -> str:
    if not value:
        raise Missing(what)
    return value


def _amount_out(amount: Decimal, tx: Transaction, call: Call) -> str:
    """The wallet takes it in its session's currency, which no call and no answer names: another than that of its
    configuration is not said."""
    currency = _needed("currency", tx.currency or call.currency)
    if call.currency not in ("", currency):
        raise unsupported(f"{currency} to a wallet of {call.currency}")
    return f"{UNIT.write(amount, currency, call.currencies):f}"


def _move(tx: Transaction, act: Debit | Credit, call: Call, *, free: bool) -> dict[str, str]:
    session = _needed("session", tx.session)
    return {
        "type": "free" if free else "regular",
        "sessionID": session,
        "amount": _amount_out(act.amount, tx, call),
        "txID": _needed("id", tx.id),
        # One of its own, or its bet's: such a wallet pays the win of a round that it never saw.
        "roundID": tx.round_id or reference_of(act) or tx.id,
    } | known(frID=tx.free_round_id)


def _refund(tx: Transaction, act: Rollback, call: Call) -> dict[str, str]:
    session, reference = _needed("session", tx.session), _needed("reference", act.reference)
    if act.amount is None:  # all of it: what that is, only who was asked for it knows
        raise Missing("amount", otherwise=amount_said(tx.extra.get("amount", "")))
    said = {"sessionID": session, "txID": _needed("id", tx.id), "origTxID": reference}
    return said | {"amount": _amount_out(act.amount, tx, call)} | known(roundID=tx.round_id)


# ---------------------------------------------------------------- wallet's end: the answer


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    if response.status not in (OK, BAD_REQUEST, WRONG_SIGNATURE, NOBODY):
        return Unknown(detail=f"HTTP {response.status}")
    try:
        fields = Fields.of(response)
        return _heard_yes(fields, tx, call) if response.status == OK else _heard_no(fields, response.status)
    except Refused as refused:
        return Unknown(detail=refused.message)


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


def _heard_no(fields: Fields, status: int) -> Outcome:
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
        sessions=frozenset({Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
