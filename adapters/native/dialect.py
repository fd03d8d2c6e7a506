"""Native: the canonical transaction, said plainly over HTTP.

Ours: there is no page but this file, its vectors and NOTES.md. An operator without a wallet API
implements this one. What its JSON means stands in `gateway.codec.plain`, because vectors and tools
show transactions in the same words.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote_to_bytes

from msgspec.structs import replace

from gateway.auth.webhooks import StandardWebhooks
from gateway.codec.fields import Fields, read_json, write_json
from gateway.codec.frame import answer, of_another
from gateway.codec.plain import (
    KINDS,
    MOVEMENTS,
    NEED_CURRENCY,
    PLAIN_ID_MAX,
    outcome_from_plain,
    outcome_to_plain,
    transaction_from_plain,
    transaction_to_plain,
)
from gateway.currency import Currencies
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import JSON_HEADERS, Request, Response
from gateway.ids import TextIds
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    Declined,
    Flaw,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Release,
    Rollback,
    Settle,
    Status,
    Transaction,
    Unknown,
    unsupported,
    with_amounts,
)

# ---------------------------------------------------------------- signature, errors

SIGNED = StandardWebhooks(demo="whsec_bmF0aXZlIGRlbW8ga2V5LCBub3QgYSBzZWNyZXQ=")

BY_STATUS = {
    400: Reason.INVALID_REQUEST,
    401: Reason.BAD_SIGNATURE,
    403: Reason.BAD_SIGNATURE,
    413: Reason.INVALID_REQUEST,
}
"""Statuses that say "this attempt moved nothing". All others but 200 are doubt."""
SAID = {Reason.INVALID_REQUEST: 400, Reason.BAD_SIGNATURE: 401}
"""What we say ourselves, as a wallet; every other decision is 200."""

# ---------------------------------------------------------------- paths and keys

QUERIES = "transactions"  # GET /transactions/<provider>/<kind>/<transaction_id>
POSTED = tuple(kind for kind in Kind if kind is not Kind.STATUS)
UNKEYED = frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.CHECK, Kind.CLOSE_ROUND, Kind.CLOSE_SESSION})
CLOSES_ROUND = frozenset({Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ROLLBACK})
"""Where `round_closed` stands; elsewhere it is neither written nor heard."""


def encoded(part: str) -> str:
    """All but RFC 3986's unreserved characters percent-encoded."""
    return quote(part, safe="", errors="surrogatepass")


def decoded(part: str, field: str) -> str:
    try:
        text = unquote_to_bytes(part.encode()).decode()
    except UnicodeError:
        raise _wrong(field, "is not percent-encoded UTF-8") from None
    if not text.strip() or len(text) > PLAIN_ID_MAX or "\x00" in text:
        raise _wrong(field, "is no id")
    return text


def route(request: Request, settings: Any) -> str:
    parts = request.path.rstrip("/").split("/")[1:]
    if len(parts) == 4 and parts[0] == QUERIES:
        return _only("GET", Kind.STATUS, request)
    kind = KINDS.get(parts[0]) if len(parts) == 1 else None
    if kind is None or kind is Kind.STATUS:  # `GET` is the only form of status
        raise NoCall
    return _only("POST", kind, request)


def _only(method: str, kind: Kind, request: Request) -> str:
    if request.method != method:
        raise NoCall((method,))
    return kind.value


def idempotency_key(tx: Transaction, call: Call) -> str:
    if not tx.id or tx.kind in UNKEYED:
        return call.nonce
    return "/".join(map(encoded, (call.provider, tx.kind.value, tx.id)))


def movement_of(tx: Transaction) -> str:
    """The id of the movement that an answer to this is about; blank where it is about none."""
    if isinstance(tx.act, Status):
        return tx.act.reference
    return tx.id if tx.kind in MONEY_KINDS else ""


def _wrong(field: str, message: str) -> Refused:
    return Refused(Reason.INVALID_REQUEST, f"{field} {message}", field=field, flaw=Flaw.INVALID)


# ---------------------------------------------------------------- provider's end: we are the wallet


def decode_request(request: Request, call: Call) -> Transaction:
    if call.name == Kind.STATUS:
        tx, provider = _asked(request)
    else:
        fields = Fields.of(request)
        kind = fields.choice("kind", KINDS)
        if kind != call.name:
            raise _wrong("kind", f"is {kind.value}, but it was posted to /{call.name}")
        tx, provider = transaction_from_plain(fields, call.currencies)
        tx = _round_heard(tx)
    # The URL says who calls; what the sender calls itself is kept beside, if it is another name.
    return tx if provider == call.provider else replace(tx, extra={**tx.extra, "provider": provider})


def _asked(request: Request) -> tuple[Transaction, str]:
    parts = request.path.rstrip("/").split("/")
    if len(parts) != 5:
        raise _wrong("path", f"is not /{QUERIES}/<provider>/<kind>/<transaction_id>")
    provider, word, reference = (
        decoded(part, field)
        for part, field in zip(parts[2:], ("provider", "reference_kind", "transaction_id"), strict=True)
    )
    if word not in MOVEMENTS:
        raise _wrong("reference_kind", "is no movement")
    return Transaction(act=Status(reference=reference, reference_kind=MOVEMENTS[word])), provider


def _round_heard(tx: Transaction) -> Transaction:
    if tx.round and tx.round.closed is not None and tx.kind not in CLOSES_ROUND:
        tx = replace(tx, round=replace(tx.round, closed=None) if tx.round.id else None)
    if isinstance(tx.act, Batch):
        tx = replace(tx, act=replace(tx.act, items=tuple(map(_round_heard, tx.act.items))))
    return tx


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Unknown) or any(isinstance(item, Unknown) for item in outcome.items):
        # Items that are decided are answered from memory when the whole call is asked again.
        return answer({"message": "the outcome is not known yet; ask again"}, 503)
    if isinstance(outcome, Accepted) and tx and isinstance(tx.act, Balance) and outcome.balance is None:
        raise Missing("balance")
    if isinstance(tx.act if tx else None, Status):
        # A status tells the first decision as the POST gave it; only what was never seen is a 404.
        seen = outcome.replayed or isinstance(outcome, Accepted) or outcome.reason is not Reason.TRANSACTION_NOT_FOUND
        return answer(_said(replace(outcome, replayed=False), tx, call), 200 if seen else 404)
    status = 200
    if isinstance(outcome, Declined) and not outcome.replayed:  # a replay is a decision, whatever it says
        status = SAID.get(outcome.reason, 200)
    return answer(_said(outcome, tx, call), status)


def _said(outcome: Accepted | Declined, tx: Transaction | None, call: Call) -> dict[str, Any]:
    if not outcome.currency and (outcome.balance is not None or outcome.bonus is not None):
        outcome = replace(outcome, currency=(tx.currency if tx else "") or call.currency)
    plain = outcome_to_plain(outcome, call.currencies)
    return _echoing(plain, tx) if tx else plain


def _echoing(plain: dict[str, Any], tx: Transaction) -> dict[str, Any]:
    """The answer with the id of the movement that it is about, so that it is never taken for another's."""
    if isinstance(tx.act, Batch) and "items" in plain:
        plain["items"] = [_echoing(*pair) for pair in zip(plain["items"], tx.act.items, strict=True)]
    echo = movement_of(tx)
    return {"outcome": plain["outcome"], "transaction_id": echo} | plain if echo else plain


# ---------------------------------------------------------------- wallet's end: we are the provider


def encode_request(tx: Transaction, call: Call) -> Request:
    if isinstance(tx.act, Status):
        if not tx.act.reference:
            raise Missing("reference")
        if tx.act.scope != "transaction" or tx.act.others:
            raise unsupported("a status of all that may be meant")
        parts = (call.provider, tx.act.reference_kind.value, tx.act.reference)
        request = Request(method="GET", path=f"/{QUERIES}/" + "/".join(map(encoded, parts)))
        return request.put(("idempotency-key", call.nonce), ("webhook-id", call.nonce))
    _complete(tx, None, call.currencies)
    key = idempotency_key(tx, call)
    body = write_json(_rounds_said(transaction_to_plain(tx, call.provider, call.currencies)))
    request = Request(method="POST", path=f"/{tx.kind.value}", headers=JSON_HEADERS, body=body)
    return request.put(("idempotency-key", key), ("webhook-id", key))


def _complete(tx: Transaction, batch: Transaction | None, currencies: Currencies) -> None:
    """Raises `Missing` for what the dialect wants always, `unsupported` for what it has no word for."""
    act, currency = tx.act, tx.currency or (batch.currency if batch else "")
    if tx.kind in MONEY_KINDS and not tx.id:
        raise Missing("id")
    if not (tx.player or (batch and batch.player)) and not isinstance(act, Authenticate | Release):
        raise Missing("player")
    if isinstance(act, Rollback | Capture | Release) and not act.reference:
        raise Missing("reference")
    said = isinstance(act, Rollback | Capture) and act.amount is not None  # an amount needs its digits
    if (said or tx.kind in NEED_CURRENCY) and not currency:
        raise Missing("currency")
    if currency:  # a wallet refuses further digits: nothing it could be asked again for
        with_amounts(act, lambda amount: currencies.exact(amount, currency))
    if isinstance(act, Settle) and act.free_round and act.debit:
        # The dialect has `free_round` for debits and credits only: a wallet that does not look would take the stake.
        raise unsupported("a free settle with a stake")
    if isinstance(act, Batch):
        for item in act.items:
            _complete(item, tx, currencies)


def _rounds_said(plain: dict[str, Any]) -> dict[str, Any]:
    if KINDS[plain["kind"]] not in CLOSES_ROUND:
        plain.pop("round_closed", None)
    if plain["kind"] == Kind.ROLLBACK:
        plain.pop("free_round", None)  # a word of vectors; here what is undone says it
    for item in plain.get("items", ()):
        _rounds_said(item)
    return plain


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    query = isinstance(tx.act, Status)
    if response.status != 200 and _of_another(_readable(response.body), tx):
        return Unknown(detail="the answer of another movement")
    if query and response.status == 404:
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND, message="not seen so far")
    if response.status in BY_STATUS and not query:
        return Declined(reason=BY_STATUS[response.status], message=f"the wallet says HTTP {response.status}")
    if response.status != 200:  # a query that was refused says nothing about the movement either
        return Unknown(detail=f"the wallet says HTTP {response.status}")
    try:
        outcome = _heard(read_json(response.body), tx, call)
    except Refused as refused:
        return Unknown(detail=f"unreadable answer: {refused.message}")
    # What a query tells was decided before, by definition: the answer is that decision.
    return replace(outcome, replayed=True) if query and not isinstance(outcome, Unknown) else outcome


def _readable(body: bytes) -> dict[str, Any]:
    """What a body says where the status decides and the body may hold anything."""
    try:
        return read_json(body)
    except Refused:
        return {}


def _of_another(raw: dict[str, Any], tx: Transaction) -> bool:
    """Whether the answer names another movement than the one that was asked about. One that names none
    is forgiven: the field is younger than the card."""
    mine = movement_of(tx)
    return bool(mine) and raw.get("transaction_id") not in (None, "", mine)


def _heard(raw: dict[str, Any], tx: Transaction, call: Call) -> Outcome:
    """One answer; raises `Refused` where it is no native one."""
    if _of_another(raw, tx):
        return Unknown(detail="the answer of another movement")
    currency = tx.currency or call.currency
    items = raw.get("items")
    if raw.get("outcome") == "declined" and tx.currency and raw.get("currency") not in (None, tx.currency):
        # An explicit no stays one; only its balance is not ours to show.
        raw = {name: value for name, value in raw.items() if name not in ("currency", "balance", "bonus_balance")}
    outcome = outcome_from_plain(Fields({**raw, "items": None}), call.currencies, currency)
    if isinstance(tx.act, Batch) and not isinstance(outcome, Unknown):
        outcome = _with_items(outcome, items, tx, tx.act, call)
    return _believed(outcome, tx) if isinstance(outcome, Accepted) else outcome


def _with_items(outcome: Accepted | Declined, items: Any, tx: Transaction, act: Batch, call: Call) -> Outcome:
    if items is None and (act.atomic or isinstance(outcome, Declined)):
        return outcome  # all of it, or nothing
    if not isinstance(items, list) or len(items) != len(act.items):
        return Unknown(detail="not one answer per item")
    heard = tuple(_item(raw, item, tx, call) for raw, item in zip(items, act.items, strict=True))
    whole = isinstance(outcome, Accepted)
    if whole and act.atomic and not all(isinstance(item, Accepted) for item in heard):
        return Unknown(detail="an atomic batch was accepted, but not all of its items")
    if not whole and not all(isinstance(item, Declined) for item in heard):
        return Unknown(detail="a batch was declined, but not all of its items")
    return replace(outcome, items=heard)


def _item(raw: Any, item: Transaction, batch: Transaction, call: Call) -> Outcome:
    whole = replace(item, player=item.player or batch.player, currency=item.currency or batch.currency)
    try:
        return _heard(raw, whole, call) if isinstance(raw, dict) else Unknown(detail="no answer for an item")
    except Refused as refused:
        return Unknown(detail=f"unreadable answer: {refused.message}")


def _believed(outcome: Accepted, tx: Transaction) -> Outcome:
    """A yes that is not about this movement, or does not say what was asked, is doubt."""
    who = outcome.profile or Profile()
    if doubt := of_another(tx, player=who.player, currency=outcome.currency):
        return doubt
    if outcome.moved is not None and outcome.moved < 0 and not isinstance(tx.act, Adjust | Status):
        return Unknown(detail="what moved is negative")
    if isinstance(tx.act, Balance) and outcome.balance is None:
        return Unknown(detail="accepted without the balance")
    if isinstance(tx.act, Authenticate):
        if not (who.player or tx.player):
            return Unknown(detail="accepted without the player")
        return replace(outcome, profile=replace(who, player=who.player or tx.player))
    return outcome


DIALECT = Dialect(
    name="native",
    title="Native: the canonical transaction over HTTP, for wallets without an API of their own",
    calls=(
        *(Wire(name=kind.value, method="POST", path=f"/{kind.value}", kinds=(kind,)) for kind in POSTED),
        Wire(
            name=Kind.STATUS.value,
            method="GET",
            path=f"/{QUERIES}/<provider>/<kind>/<transaction_id>",
            kinds=(Kind.STATUS,),
        ),
    ),
    auth=SIGNED,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"launch_token", "session", "webhook-signature"}),
    as_provider=AsProvider(replay_balance="current", undoes_rollbacks=True),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT, Word.TRACKING_DEBIT, Word.TRACKING_CREDIT}),
        undoes=frozenset(
            {Kind.DEBIT, Kind.CREDIT, Kind.RESERVE, Kind.CAPTURE, Kind.SETTLE, Kind.ADJUST, Kind.ROLLBACK}
        ),
        ids=TextIds(length_max=PLAIN_ID_MAX),
        ids_as_is=True,
        tombstones=True,
        separates=True,
    ),
)
