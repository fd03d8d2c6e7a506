"""100HP Gaming: crash and instant games; a key in every body, errors as numbers from 601, one id for bet, win and refund.

Source: the vendor's "Operator API v 2.7.0", a public Markdown copy (github.com/asyncc0xff/id-0492-2040295-docs). What it
leaves open, or says in two ways, is decided in NOTES.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal
from functools import partial
from typing import Any, Literal

from msgspec import Struct

from gateway.auth import Part, StaticBody
from gateway.codec import form, frame
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields
from gateway.codec.form import Draft, Line
from gateway.codec.units import Major, bounded
from gateway.dialect import Call, Dialect, NoCall, Wire, posts
from gateway.ends import AsProvider, AsWallet, Kept
from gateway.http import Request, Response
from gateway.ids import UuidIds
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
    unsupported,
)

# ---------------------------------------------------------------- settings, calls


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`error_status`: an error's HTTP status is its code (603), as the page wants it, or one that HTTP knows (402)."""

    error_status: Literal["same", "http"] = "same"


AUTH, BALANCE, WITHDRAWAL, DEPOSIT, ROLLBACK, BONUS = "auth", "balance", "withdrawal", "deposit", "rollback", "bonusWin"
KINDS: Mapping[str, Kind] = {
    AUTH: Kind.AUTHENTICATE, BALANCE: Kind.BALANCE, WITHDRAWAL: Kind.DEBIT, DEPOSIT: Kind.CREDIT, ROLLBACK: Kind.ROLLBACK,
    BONUS: Kind.CREDIT,
}  # fmt: skip
CALLS = tuple(Wire(name=name, method="POST", path=f"/{name}", kinds=(kind,)) for name, kind in KINDS.items())
NAME_OF: Mapping[Kind, str] = {kind: name for name, kind in KINDS.items()}
NEED_SESSION = frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT})
_posted = posts({wire.path: wire.name for wire in CALLS})


def route(request: Request, settings: Any) -> str:
    if request.path.rstrip("/") == "/liveness":
        raise NoCall(answer=Response()) if request.method in ("GET", "HEAD") else NoCall(("GET",))
    return _posted(request, settings)


# ---------------------------------------------------------------- error codes

OK, EXISTS, REFUNDED, SETTLED, DOUBT = 200, 607, 608, 609, 702
ALL, OF_SESSION, OF_BET = {*KINDS, ""}, {AUTH, BALANCE, WITHDRAWAL, BONUS}, {DEPOSIT, ROLLBACK}
# errCode, its message, what HTTP calls it where `error_status` says so; in which calls it says what: heard, it is the first.
ROWS: tuple[tuple[int, str, int, Collection[str], tuple[Reason, ...]], ...] = (
    (400, "Validation error", 400, ALL, (Reason.INVALID_REQUEST,)),
    (601, "Invalid secret key", 401, ALL, (Reason.BAD_SIGNATURE,)),
    (603, "Insufficient balance", 402, {WITHDRAWAL}, (Reason.INSUFFICIENT_FUNDS,)),  # auth's page has it and 607, too: copied from another one
    (604, "Session not found", 404, OF_SESSION, (Reason.SESSION_EXPIRED, Reason.NOT_AUTHENTICATED, Reason.PLAYER_NOT_FOUND)),
    (605, "Transaction not found", 404, OF_BET, (Reason.TRANSACTION_NOT_FOUND,)),
    (EXISTS, "Transaction already exists", 409, {WITHDRAWAL, BONUS}, (Reason.DUPLICATE_MISMATCH,)),
    (EXISTS, "Transaction already exists", 409, {WITHDRAWAL}, (Reason.ALREADY_ROLLED_BACK,)),  # its rollback came before it
    (REFUNDED, "Transaction already refunded", 409, OF_BET, (Reason.ALREADY_ROLLED_BACK,)),
    (SETTLED, "Transaction already settled", 409, OF_BET, (Reason.ALREADY_SETTLED,)),
    (SETTLED, "Transaction already settled", 409, {DEPOSIT}, (Reason.DUPLICATE_MISMATCH,)),  # another amount: it has its win
    (DOUBT, "Internal Server Error", 500, ALL, ()),  # and what has no row of that call: a rollback follows any error of a bet
)  # fmt: skip
MESSAGES: Mapping[int, str] = {code: message for code, message, *_ in ROWS}
STATUSES: Mapping[int, int] = {code: status for code, _, status, *_ in ROWS}
HEARD = frozenset({OK, *STATUSES, *STATUSES.values()}) - {DOUBT, STATUSES[DOUBT]}
"""HTTP statuses of a wallet that mean something: an error may also come under 200, from a server that can say no other."""


def _table(call: str) -> ErrorTable[int]:
    """702 is doubt to whoever hears it, as is a code that the call does not have: what is owed is sent again."""
    said = {reason: code for code, _, _, calls, reasons in ROWS if call in calls for reason in reasons}
    return ErrorTable(said | dict.fromkeys(set(Reason) - said.keys(), DOUBT), doubt=frozenset({DOUBT}))


ERRORS = {call: _table(call) for call in ALL}  # blank: of one that nobody could read
DONE: Mapping[str, int] = {WITHDRAWAL: EXISTS, DEPOSIT: SETTLED, BONUS: EXISTS}
"""What a wallet says to a call that it has done already: a yes to our own repeat."""

# ---------------------------------------------------------------- the calls, field by field

DIGITS = 2  # of every amount and balance; nobody has seen a currency with others
_CENT = Decimal(1).scaleb(-DIGITS)
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    """A decimal text. Here, and here only, what is finer than the currency is cut, not refused: "more than 2 decimal places are
    truncated", so 104.129 and 104.12 are one amount."""
    found = fields.text("amount", length_max=64)
    if not _AMOUNT.fullmatch(found):
        raise fields.wrong("amount", Flaw.INVALID, "must be a decimal text such as 2.50")
    draft.amount_if_any = bounded(Decimal(found), "amount").quantize(_CENT, rounding=ROUND_DOWN)
    if call.name == WITHDRAWAL and not draft.amount:  # also one that was cut to nothing
        raise fields.wrong("amount", Flaw.TOO_LOW, "must be above 0")


def _amount(tx: Transaction, call: Call) -> str:
    """A wallet cuts what is finer than its currency: that is not risked."""
    amount, currency = frame.amount_of(tx), frame.unnamed_currency(tx, call)
    if not call.currencies.knows(currency) or call.currencies.digits(currency) != DIGITS:
        raise unsupported(f"{currency}: its amounts have {DIGITS} digits")
    if amount != amount.quantize(_CENT, rounding=ROUND_DOWN):
        raise unsupported(f"{amount:f} {currency}: its amounts have {DIGITS} digits")
    return shown(amount)


def shown(balance: Decimal) -> str:
    """Two places, rounded down; nothing has no sign."""
    return f"{balance.quantize(_CENT, rounding=ROUND_FLOOR) or Decimal(0).quantize(_CENT):f}"


def _uuid(place: form.Place, *also: form.Place) -> Line:
    """Of any version: the page wants version 7, and its own example of bonusWin has version 4."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        found = fields.text("txId")
        if not _UUID.fullmatch(found):
            raise fields.wrong("txId", Flaw.INVALID, "must be a UUID")
        draft.texts |= dict.fromkeys((place, *also), found)

    return Line("txId", read, place.id("txId").write)


SESSION = form.SESSION.id("sessionId", length_max=255)  # the operator's own: it alone says who plays, in which currency
AMOUNT = Line("amount", _read_amount, _amount)
NO_PROMO = "extra"  # the promotion of a win that belongs to none
PROMO = Line("promoId", form.FREE_ROUND.id_if_any("promoId").read, lambda tx, call: tx.free_round_id or NO_PROMO)
# The one id that bet, win and refund share is their round, too: each bet is a play of its own, and some wallets want one.
FORMS = form.of_page(
    {
        AUTH: (Line("secret"), SESSION),  # of every call; it comes with the proof
        BALANCE: (SESSION,),
        WITHDRAWAL: (SESSION, _uuid(form.ID, form.ROUND), AMOUNT),
        DEPOSIT: (_uuid(form.REFERENCE, form.ID, form.ROUND), AMOUNT),
        ROLLBACK: (_uuid(form.REFERENCE),),
        BONUS: (SESSION, _uuid(form.ID), AMOUNT, PROMO),
    }
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    said = frame.reader_of(FORMS, call).read(Fields.of(request), call)
    match call.name:
        case "auth" | "balance":
            return said.transaction(Authenticate() if call.name == AUTH else Balance())
        case "withdrawal":
            return said.transaction(Debit(amount=said.amount))
        case "deposit":  # 0 is a lost bet; whose it is, the bet says
            return said.transaction(Credit(amount=said.amount, reference=said[form.REFERENCE]))
        case "rollback":
            return said.cancel()
        case _:
            said[form.ID] = f"bonus:{said[form.ID]}"
            return said.transaction(Credit(amount=said.amount, type="promo"))


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        if call.name == ROLLBACK and outcome.replayed:
            return _error(REFUNDED, call)  # a second rollback hears that, its own repeat, too
        return frame.answer(_yes(outcome, tx, call), OK)
    if isinstance(outcome, Declined):
        # What was wrong with the call's form, never a wallet's own words.
        data = outcome.message if outcome.flaw is not Flaw.NONE else ""
        return _error(ERRORS.get(call.name, ERRORS[""]).code(outcome.reason), call, data)
    return _error(DOUBT, call)


def _error(code: int, call: Call, data: str = "") -> Response:
    said = {"data": data if code == 400 else "", "message": MESSAGES[code], "errCode": code}
    return frame.answer(said, code if call.settings.error_status == "same" else STATUSES[code])


def _yes(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    who = outcome.profile or Profile()
    player = frame.needed("player", tx.player or who.player)
    currency = frame.needed("currency", outcome.currency or tx.currency or call.currency)
    said = {"userId": player, "currency": currency, "balance": shown(frame.needed("balance", outcome.balance))}
    if call.name == AUTH:
        return said | {"userName": who.username or player, "type": "real", "status": "active"}
    return said | ({"txId": tx.id} if call.name == WITHDRAWAL else {})


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    name = call_of(tx)
    match tx.act:
        case Debit(tracking_only=True) | Credit(tracking_only=True) | Debit(free_round=True):
            raise frame.unsaid(tx)
        case _ if not name:
            raise frame.unsaid(tx)
        case Debit(amount=0) | Credit(amount=0) if name != DEPOSIT:
            raise unsupported(f"a {'bonus' if name == BONUS else 'bet'} of nothing")
        case Rollback(reference_kind=kind) if kind is not Kind.DEBIT:
            raise frame.unsaid(tx)
        case Rollback(amount=amount) if amount is not None:
            raise unsupported("the amount of a rollback")  # it is always all of it
    return frame.post(f"/{name}", FORMS[name].write(tx, call))


def call_of(tx: Transaction) -> str:
    """The call that a wallet is told it in: one deposit for each bet; a further win of it, or one of no bet, is a bonus."""
    act = tx.act
    return DEPOSIT if isinstance(act, Credit) and act.reference and not act.further else NAME_OF.get(tx.kind, "")


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    """`errCode` says what it is; where the body does not say it, the HTTP status does. Any other status than the page's own,
    and those that HTTP has for them, is doubt, whatever stands there: a proxy may make 502 of 603."""
    try:
        fields = Fields.of(response)
    except Refused:  # no JSON object: none of them
        fields = Fields({})
    return frame.heard(response, partial(_heard, response.status), tx, call, of=lambda response: fields, statuses=HEARD)


def _heard(status: int, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    name, code = call_of(tx), fields.integer("errCode", status)
    if code == OK and "errCode" not in fields:
        return _heard_yes(name, fields, tx, call)
    if call.again and DONE.get(name) == code:
        return Accepted(replayed=True)
    reason = ERRORS[name].reason(code)
    if reason is None:
        return Unknown(detail=f"errCode {code}")
    return Declined(reason=reason, message=fields.words("message", length_max=200))


def _heard_yes(name: str, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """200 alone is no yes. Raises `Refused`."""
    player, currency = fields.id("userId", length_max=1024), frame.heard_currency(fields, "currency", tx, call)
    if doubt := frame.of_another(tx, player=player, currency=currency):
        return doubt
    if name == WITHDRAWAL and fields.id("txId", tx.id).lower() != tx.id.lower():
        return Unknown(detail="accepted for another movement")
    balance = Major().heard(fields, "balance", currency, call.currencies)
    if balance is None:
        return Unknown(detail="accepted without the balance") if name in (AUTH, BALANCE) else Accepted()
    who = Profile(player=player, session=tx.session, username=fields.words("userName")) if name == AUTH else None
    return Accepted(balance=balance, currency=currency, profile=who)


DIALECT = Dialect(
    name="hundred_hp",
    title="100HP Gaming: a key in every body, errors from 601, one id for bet, win and refund",
    calls=CALLS,
    auth=StaticBody(Part("secret", demo="hp-test-key-01"), "secret"),
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,  # exactly one bet is named
    digits=DIGITS,
    as_provider=AsProvider(
        answer_within={"default": "4s"},
        values_max=64,  # the key stands in the body
        spaces={BONUS: BONUS},
        replay_balance="stored",  # a repeat hears the first answer
        game_of_session=True,
        kept_by=lambda settings: Kept.ITS_WIN,
        one_end=True,
    ),
    as_wallet=AsWallet(ids=UuidIds(version=7), one_win=True, one_word=True, sessions=NEED_SESSION),
)
