"""100HP Gaming: crash and instant games; a key in every body, errors as numbers from 601, one id for bet, win and refund.

Source: the vendor's "Operator API v 2.7.0", a public Markdown copy (github.com/asyncc0xff/id-0492-2040295-docs). What it
leaves open, or says in two ways, is decided in NOTES.md. `wire.py` holds calls, money, ids and codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec.structs import replace

from adapters.hundred_hp.wire import (
    AUTH,
    BALANCE,
    BONUS,
    CALLS,
    DEPOSIT,
    DIGITS,
    DONE,
    DOUBT,
    ERRORS,
    HEARD,
    MESSAGES,
    NAMES,
    NO_PROMO,
    OK,
    REFUNDED,
    ROLLBACK,
    SESSION_MAX,
    STATUSES,
    UNIT,
    UNREAD,
    WITHDRAWAL,
    Settings,
    fits,
    read_amount,
    read_uuid,
    route,
    shown,
)
from gateway.auth import Part, StaticBody
from gateway.codec.fields import Fields
from gateway.codec.frame import (
    answer,
    heard,
    heard_currency,
    needed,
    of_another,
    post,
    reader_of,
    unnamed_currency,
    unsaid,
)
from gateway.dialect import Call, Dialect
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
    Refused,
    Rollback,
    Round,
    Transaction,
    Unknown,
    unsupported,
)

# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    reader = reader_of(READERS, call)
    fields = Fields.of(request)
    return replace(reader(fields), extra=fields.unknown(NAMES))


def _session(fields: Fields) -> str:
    """The operator's own: it alone says who plays, and in which currency."""
    return fields.id("sessionId", length_max=SESSION_MAX)


# The one id that bet, win and refund share is their round, too: each bet is a play of its own, and some wallets want one.


def _read_withdrawal(fields: Fields) -> Transaction:
    session, tx_id, amount = _session(fields), read_uuid(fields), read_amount(fields)
    if not amount:  # also one that was cut to nothing
        raise fields.wrong("amount", Flaw.TOO_LOW, "must be above 0")
    return Transaction(act=Debit(amount=amount), id=tx_id, session=session, round=Round(tx_id))


def _read_deposit(fields: Fields) -> Transaction:
    """0 is a lost bet. Whose it is, the bet says."""
    tx_id = read_uuid(fields)
    return Transaction(act=Credit(amount=read_amount(fields), reference=tx_id), id=tx_id, round=Round(tx_id))


def _read_rollback(fields: Fields) -> Transaction:
    tx_id = read_uuid(fields)
    return Transaction(act=Rollback(reference=tx_id), id=f"refund:{tx_id}")


def _read_bonus(fields: Fields) -> Transaction:
    session, tx_id, amount = _session(fields), f"bonus:{read_uuid(fields)}", read_amount(fields)
    campaign = fields.id_if_any("promoId")
    return Transaction(act=Credit(amount=amount, type="promo"), id=tx_id, session=session, free_round_id=campaign)


READERS: Mapping[str, Callable[[Fields], Transaction]] = {
    AUTH: lambda fields: Transaction(act=Authenticate(), session=_session(fields)),
    BALANCE: lambda fields: Transaction(act=Balance(), session=_session(fields)),
    WITHDRAWAL: _read_withdrawal,
    DEPOSIT: _read_deposit,
    ROLLBACK: _read_rollback,
    BONUS: _read_bonus,
}

# ---------------------------------------------------------------- provider's end: the answer


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        if call.name == ROLLBACK and outcome.replayed:
            return _error(REFUNDED, call)  # a second rollback hears that, its own repeat, too
        return answer(_yes(outcome, tx, call), OK)
    if isinstance(outcome, Declined):
        # What was wrong with the call's form, never a wallet's own words.
        data = outcome.message if outcome.flaw is not Flaw.NONE else ""
        return _error(ERRORS.get(call.name, UNREAD).code(outcome.reason), call, data)
    return _error(DOUBT, call)


def _error(code: int, call: Call, data: str = "") -> Response:
    status = code if call.settings.error_status == "same" else STATUSES[code]
    return answer({"data": data if code == 400 else "", "message": MESSAGES[code], "errCode": code}, status)


def _yes(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    who = outcome.profile or Profile()
    player = needed("player", tx.player or who.player)
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    said = {"userId": player, "currency": currency, "balance": shown(needed("balance", outcome.balance))}
    if call.name == AUTH:
        return said | {"userName": who.username or player, "type": "real", "status": "active"}
    return said | ({"txId": tx.id} if call.name == WITHDRAWAL else {})


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() | Balance():
            return _post(call_of(tx), sessionId=needed("session", tx.session))
        case Debit(tracking_only=True) | Credit(tracking_only=True) | Debit(free_round=True):
            raise unsaid(tx)
        case Debit() if not tx.act.amount:
            raise unsupported("a bet of nothing")
        case Debit() as act:
            session, amount = needed("session", tx.session), _amount_out(act.amount, tx, call)
            return _post(WITHDRAWAL, sessionId=session, txId=needed("id", tx.id), amount=amount)
        case Credit() as act if call_of(tx) == DEPOSIT:
            return _post(DEPOSIT, txId=act.reference, amount=_amount_out(act.amount, tx, call))
        case Credit() if not tx.act.amount:
            raise unsupported("a bonus of nothing")
        case Credit() as act:
            session, amount = needed("session", tx.session), _amount_out(act.amount, tx, call)
            promo = tx.free_round_id or NO_PROMO
            return _post(BONUS, sessionId=session, txId=needed("id", tx.id), amount=amount, promoId=promo)
        case Rollback() as act if act.reference_kind is not Kind.DEBIT:
            raise unsaid(tx)
        case Rollback() as act if act.amount is not None:
            raise unsupported("the amount of a rollback")  # it is always all of it
        case Rollback() as act:
            return _post(ROLLBACK, txId=needed("reference", act.reference))
        case _:
            raise unsaid(tx)


def call_of(tx: Transaction) -> str:
    """The call that a wallet is told it in: one deposit for each bet; a further win of it, or one of no bet, is a bonus."""
    if isinstance(tx.act, Credit):
        return DEPOSIT if tx.act.reference and not tx.act.further else BONUS
    return next(wire.name for wire in CALLS if tx.kind in wire.kinds)


def _post(name: str, **fields: str) -> Request:
    """The key comes with the proof."""
    return post(f"/{name}", fields)


def _amount_out(amount: Decimal, tx: Transaction, call: Call) -> str:
    """A wallet cuts what is finer than its currency: that is not risked."""
    currency = unnamed_currency(tx, call)
    if not call.currencies.knows(currency) or call.currencies.digits(currency) != DIGITS:
        raise unsupported(f"{currency}: its amounts have {DIGITS} digits")
    if not fits(amount):
        raise unsupported(f"{amount:f} {currency}: its amounts have {DIGITS} digits")
    return shown(amount)


# ---------------------------------------------------------------- wallet's end: the answer


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    """`errCode` says what it is; where the body does not say it, the HTTP status does. Any other status than the page's own,
    and those that HTTP has for them, is doubt, whatever stands there: a proxy may make 502 of 603."""
    return heard(response, partial(_heard, response.status), tx, call, of=_fields, statuses=HEARD)


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


def _fields(response: Response) -> Fields:
    """None of them, where the body is no JSON object."""
    try:
        return Fields.of(response)
    except Refused:
        return Fields({})


def _heard_yes(name: str, fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """200 alone is no yes. Raises `Refused`."""
    player, currency = fields.id("userId", length_max=1024), heard_currency(fields, "currency", tx, call)
    if doubt := of_another(tx, player=player, currency=currency):
        return doubt
    if name == WITHDRAWAL and fields.id("txId", tx.id).lower() != tx.id.lower():
        return Unknown(detail="accepted for another movement")
    balance = UNIT.heard(fields, "balance", currency, call.currencies)
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
    as_wallet=AsWallet(
        ids=UuidIds(version=7), one_win=True, sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT})
    ),
)
