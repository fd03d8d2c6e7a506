"""Slotegrator GIS: an aggregator of games. One URL, an `action` in a form; HMAC-SHA1 over its fields and three headers.

Source: typed callback models and further public integrations in Python, Node and PHP; the vendor's own manual was read
through them only. What they leave open is decided in NOTES.md. The one call that holds a list is in rollback.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct

from adapters.slotegrator import rollback
from adapters.slotegrator.rollback import GONE, LIST, UNIT, of_refund, said_by_refund
from gateway.auth import InHeader, Part, Stamp, Stamped, hmac_of, sorted_form
from gateway.codec import form
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, known, moment, write_form
from gateway.codec.form import Draft, Line
from gateway.codec.frame import amount_of, answer, currency_of, heard, needed, unsaid
from gateway.codec.plain import utc_text
from gateway.codec.unix import from_millis
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Owed, Word
from gateway.http import FORM_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Balance,
    Batch,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
    unsupported,
)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`echoed_ids`: a wallet that repeats our `transaction_id` as its own, whatever it booked."""

    echoed_ids: bool = False


# ---------------------------------------------------------------- signature

SENDER, MOMENT, NONCE = "X-Merchant-Id", "X-Timestamp", "X-Nonce"  # signed by these very names, in this case
RETRIES = "casino_request_retry_count"


def is_repeated(request: Request) -> bool:
    """Whether its sender says that it sent it before: then its time may be long ago."""
    said = request.form
    count = said.get(RETRIES, "") if isinstance(said, Mapping) else ""
    return count.isascii() and count.isdigit() and len(count) < 10 and int(count) > 0


def without_count(request: Request) -> bytes:
    """The body but for the number of the retry: a repeat under the nonce of the first call is one all the same."""
    return write_form({name: value for name, value in Fields.of_form(request).raw.items() if name != RETRIES})


# Weak: SHA-1. The time and the nonce are signed, so who cannot sign cannot send a call again with another body.
SIGNED = Stamped(
    stamp=Stamp(who=Part("merchant_id", secret=False, demo="m-demo-1"), sender=SENDER, moment=MOMENT, nonce=NONCE),
    covers=sorted_form(headers=(SENDER, MOMENT, NONCE)),
    digest=hmac_of("sha1"),
    carried=InHeader("x-sign"),
    demo="slot-test-key",
    weak=True,
    late=is_repeated,
    content=without_count,
)

# ---------------------------------------------------------------- which call it is

CALLS = (
    Wire(name="balance", method="POST", path="/", kinds=(Kind.BALANCE,)),
    Wire(name="bet", method="POST", path="/", kinds=(Kind.DEBIT,)),
    Wire(name="win", method="POST", path="/", kinds=(Kind.CREDIT,)),
    Wire(name="refund", method="POST", path="/", kinds=(Kind.ROLLBACK,)),
    # A rollback of nothing is a read; at the wallet's end it takes one win or refund back.
    Wire(name="rollback", method="POST", path="/", kinds=(Kind.BATCH, Kind.ROLLBACK, Kind.BALANCE)),
)
ACTIONS = frozenset(wire.name for wire in CALLS)
NO_ACTION = "unknown"  # answered INTERNAL_ERROR, with status 200 like everything here


def route(request: Request, settings: Any) -> str:
    if request.path.strip("/"):
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    said = request.form
    word = said.get("action", "") if isinstance(said, Mapping) else ""
    return word if isinstance(word, str) and word in ACTIONS else NO_ACTION


# ---------------------------------------------------------------- errors

NO_MONEY, ANY_FAILURE = "INSUFFICIENT_FUNDS", "INTERNAL_ERROR"

# The one code for "no" and for "I do not know" is doubt when heard, whatever its description says.
ERRORS = ErrorTable(
    {Reason.INSUFFICIENT_FUNDS: NO_MONEY, Reason.INVALID_REQUEST: ANY_FAILURE},  # and every reason without a row
    doubt=frozenset({ANY_FAILURE}),
)
NO_MONEY_TEXT = "Not enough money"  # the card's example; every other description is the canonical reason
DOUBT_TEXT = "unknown"

# ---------------------------------------------------------------- the calls, field by field


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    draft.amount_if_any, _ = fields.decimal("amount")


def _read_currency(fields: Fields, draft: Draft, call: Call) -> None:
    """Behind its amount, which is exact in it."""
    draft.currency = call.currencies.meant(fields.text("currency"))
    if draft.amount_if_any is not None:
        draft.amount_if_any = rollback.read_amount(fields, draft.currency, call)


def _amount(tx: Transaction, call: Call) -> str:
    currency = needed("currency", tx.currency)
    return rollback.amount_text(amount_of(tx), currency, call)


def _read_bet(fields: Fields, draft: Draft, call: Call) -> None:
    draft[TYPE] = fields.choice("type", {"bet": "bet", "tip": "tip", "freespin": "freespin"})
    draft.free = draft[TYPE] == "freespin"


def _type(tx: Transaction) -> str:
    """A bet is free because of its type, and then names its campaign."""
    act = tx.act
    assert isinstance(act, Debit | Credit)
    usual, other = ("bet", "tip") if isinstance(act, Debit) else ("win", "jackpot")
    if act.free_round and not tx.free_round_id and usual == "bet":
        raise unsupported("a free debit without its campaign")
    return "freespin" if act.free_round else other if act.type == other else usual


def _read_campaign(fields: Fields, draft: Draft, call: Call) -> None:
    draft[form.FREE_ROUND] = fields.id("freespin_id") if draft.free else fields.id_if_any("freespin_id")


def _campaign(tx: Transaction, call: Call) -> Any:
    assert isinstance(tx.act, Debit | Credit)
    return (tx.free_round_id if tx.act.free_round else "") or UNSET


def _quantity(tx: Transaction, call: Call) -> Any:
    said = tx.extra.get("quantity", "")
    counted = said if said.isascii() and said.isdigit() else "1"
    return counted if _campaign(tx, call) is not UNSET else UNSET


def _read_own_round(fields: Fields, draft: Draft, call: Call) -> None:
    own = fields.id_if_any("provider_round_id")
    draft[form.ROUND] = draft[form.ROUND] or own
    draft.extra |= known(provider_round_id=own if own != draft[form.ROUND] else "")


def _read_finished(fields: Fields, draft: Draft, call: Call) -> None:
    draft.closed = {"1": True, "true": True, "0": False, "false": False}.get(fields.raw.get("finished", "").lower())


def _finished(tx: Transaction, call: Call) -> Any:
    return UNSET if tx.round is None or tx.round.closed is None else "1" if tx.round.closed else "0"


def _read_time(fields: Fields, draft: Draft, call: Call) -> None:
    """A text, seen with microseconds, or Unix seconds; only told on."""
    try:
        text = fields.text("transaction_datetime", "", length_max=64)
        if re.fullmatch(r"[0-9]{9,11}(\.[0-9]{1,9})?", text):
            draft.occurred_at = from_millis(Decimal(text) * 1000, "transaction_datetime")
        elif text:
            draft.occurred_at = moment(text, "transaction_datetime")
    except Refused:
        return


PLAYER, CURRENCY = form.PLAYER.id("player_id"), Line("currency", _read_currency, form.currency("currency").write)
WHO = (
    CURRENCY, form.GAME.described("game_uuid", strict_in={"bet"}), PLAYER,
    form.SESSION.described("session_id", strict_in={"bet"}, length_max=1024), form.ID.id("transaction_id"),
)  # fmt: skip
AMOUNT = Line("amount", _read_amount, _amount)
TYPE = form.Place("type", _type)
ANY_TYPE = TYPE.described(
    "type", length_max=64
)  # there are more words for wins than are documented: each pays its amount
BET_TYPE = Line("type", _read_bet, ANY_TYPE.write)
FREE = (Line("freespin_id", _read_campaign, _campaign), form.id_if_any("quantity", length_max=20, write=_quantity))
READ_FREE = tuple(
    Line(line.name, line.read) for line in FREE
)  # of what gives back or takes back: understood, never written
BET, ROUND = "bet_transaction_id", form.ROUND.id_if_any("round_id")
FINISHED = Line("finished", _read_finished, _finished)
TIME = Line("transaction_datetime", _read_time, lambda tx, call: utc_text(tx.occurred_at) if tx.occurred_at else UNSET)
OWN_ROUND = Line(
    "provider_round_id", _read_own_round, lambda tx, call: tx.extra.get("provider_round_id", tx.round_id)
)  # fmt: skip
FORMS = form.of_page(
    {
        "balance": (Line("action"), PLAYER, CURRENCY, form.SESSION.id_if_any("session_id", length_max=1024), Line(RETRIES)),
        "bet": (AMOUNT, *WHO, BET_TYPE, *FREE, form.ROUND.optional("round_id"), FINISHED, TIME),
        "win": (AMOUNT, *WHO, form.REFERENCE.id_if_any(BET), ANY_TYPE, *FREE, ROUND, FINISHED, TIME),
        "refund": (AMOUNT, *WHO, form.REFERENCE.id(BET), Line("type", ANY_TYPE.read), *READ_FREE, ROUND, FINISHED, TIME),
        "rollback": (
            *WHO, Line("type", write=lambda tx, call: "rollback"), *READ_FREE, form.ROUND.described("round_id"), OWN_ROUND,
            Line("finished", _read_finished), Line(LIST, write=rollback.elements), TIME,
        ),
    }
)  # fmt: skip

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    raw = Fields.of_form(request).raw
    fields = Fields({name: value for name, value in raw.items() if "[" not in name})
    if call.name not in FORMS:
        raise fields.wrong("action", Flaw.UNKNOWN_CALL, "is none of balance, bet, win, refund, rollback")
    said = FORMS[call.name].read(fields, call)
    word = said[TYPE]
    match call.name:
        case "balance":
            return said.transaction(Balance())
        case "bet":
            return said.transaction(Debit(amount=said.amount, type="bet" if said.free else word, free_round=said.free))
        case "win":
            said.extra |= known(type=word if word not in ("win", "jackpot", "freespin") else "")
            type_, free, bet = "jackpot" if word == "jackpot" else "win", word == "freespin", said[form.REFERENCE]
            return said.transaction(Credit(amount=said.amount, type=type_, free_round=free, reference=bet))
        case "refund":
            said[form.ID], said.extra = of_refund(said[form.ID]), said.extra | known(type=word)
            return said.transaction(Rollback(reference=said[form.REFERENCE], amount=said.amount))
        case _:
            return rollback.read(said.transaction(Balance()), raw, call)


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None and isinstance(tx.act, Batch):
        outcome = rollback.told(outcome)
    if isinstance(outcome, Declined) and tx is not None and call.name == "refund" and outcome.reason in GONE:
        # Nothing to give back (any more) is a success; the id of what did it before is not this one's.
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)
    match outcome:
        case Accepted():
            return answer(_accepted_fields(outcome, tx, call))
        case Declined():
            code = ERRORS.code(outcome.reason)
            text = NO_MONEY_TEXT if code == NO_MONEY else outcome.reason.value
            return answer({"error_code": code, "error_description": text})
        case _:
            return answer({"error_code": ANY_FAILURE, "error_description": DOUBT_TEXT})


def _accepted_fields(outcome: Accepted, tx: Transaction | None, call: Call) -> dict[str, Any]:
    currency = currency_of(outcome, tx, call)
    said: dict[str, Any] = {"balance": UNIT.number(needed("balance", outcome.balance), currency, call.currencies)}
    if call.name == "balance" or tx is None:
        return said
    said["transaction_id"] = outcome.wallet_id or (said_by_refund(tx.id) if call.name == "refund" else tx.id)
    if call.name == "rollback":
        said[LIST] = rollback.reversed_ids(outcome, tx)
    return said


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            action = "balance"
        case Debit(tracking_only=False):
            action = "bet"
        case Credit(tracking_only=False):
            action = "win"
        case Rollback(reference_kind=Kind.DEBIT):
            action = "refund"
        case Rollback() | Batch():
            action = "rollback"
        case _:
            raise unsaid(tx)
    headers = {**FORM_HEADERS, "accept": "application/json", **known(**{NONCE.lower(): call.nonce})}
    said = rollback.bracketed({"action": action} | FORMS[action].write(tx, call))
    return Request(method="POST", path="/", headers=headers, body=write_form(said))


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.value("error_code", None)
    if code and code != "0":  # 0, blank, false and PHP's [] are none
        return _heard_no(fields, code)
    return _heard_yes(fields, tx, call)


def _heard_no(fields: Fields, code: object) -> Outcome:
    if "transaction_id" in fields:
        return Unknown(detail="an error code beside a transaction_id")
    reason = ERRORS.reason(code) if isinstance(code, str) else None
    if reason is None:
        return Unknown(detail=ANY_FAILURE if code == ANY_FAILURE else "an error code that is not on the page")
    return Declined(reason=reason, message=fields.opaque("error_description").get("error_description", "")[:200])


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """Balance and, but for a balance, the wallet's id: what the page shows. Raises `Refused` where one is missing."""
    currency = tx.currency or call.currency
    balance = UNIT.balance(fields, "balance", currency, call.currencies)
    if tx.kind is Kind.BALANCE:
        return Accepted(balance=balance, currency=currency)
    yes = Accepted(balance=balance, currency=currency, wallet_id=fields.id("transaction_id", length_max=256))
    act = tx.act
    if isinstance(act, Batch):
        return Accepted(
            balance=balance,
            currency=currency,
            wallet_id=yes.wallet_id,
            items=tuple(rollback.heard_element(fields, item, yes) for item in act.items),
        )
    if not isinstance(act, Rollback):
        return yes
    if act.reference_kind is not Kind.DEBIT:
        return rollback.heard_element(fields, tx, yes)
    # Success for a bet that is not there (any more): no id of the wallet's but the call's own.
    nothing = yes.wallet_id == tx.id and not call.settings.echoed_ids
    return rollback.not_known(yes) if nothing else yes


DIALECT = Dialect(
    name="slotegrator",
    title="Slotegrator GIS: an aggregator, forms over one URL",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"x-sign", "session_id"}),
    as_provider=AsProvider(
        values_max=600,  # `route` and the proof read the form; a list of 140 elements, each of four fields
        answer_within={"default": "5s"},
        replay_balance="current",
        partial=True,
        excess="cut",
        undoes_rollbacks=True,
        final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})},
        bets_in_own_session=True,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
        yes_to_unknown=True,  # not documented; one that repeats our ids says it (`echoed_ids`)
        # Many wallets keep one key for all actions.
        separates=False,
        sessions=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK, Kind.BATCH}),
    ),
)
