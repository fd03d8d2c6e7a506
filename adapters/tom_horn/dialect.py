"""Tom Horn's Game Management System: a wallet service in SOAP 1.1 or JSON, an HMAC over listed values, numbered codes.

Source: the vendor's help centre (wallet service, its four calls, result codes); the rule of the signature is that of
services that clone the protocol. What they leave open is decided in NOTES.md.

`wire.py` holds names, codes, numbers and the signature.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.tom_horn.wire import (
    AUTH,
    BALANCE,
    CALLS,
    DEPOSIT,
    DOUBT,
    DUPLICATE,
    ERRORS,
    MESSAGES,
    NAMES,
    NAMESPACE,
    ROLLBACK,
    ROLLED_BACK,
    SIGNED,
    SOAP_PATH,
    SUCCESS,
    WITHDRAW,
    Settings,
    as_decimal,
    as_long,
    cents,
    code_of,
    fields_of,
    operation,
    read_amount,
    read_long,
    shown,
)
from gateway.codec.fields import Fields, Number, known
from gateway.codec.frame import answer, currency_out, heard, heard_currency, needed, of_another, post, unsaid
from gateway.codec.ids import INT64_MAX, integer_or_text
from gateway.codec.units import Major, plain, token
from gateway.dialect import Call, Dialect
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import XML_HEADERS, Request, Response
from gateway.ids import IntegerIds
from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Round,
    Transaction,
    Unknown,
    cancel_id,
    unsupported,
)
from gateway.xml import enveloped, sayable, written

# ---------------------------------------------------------------- which call it is


def route(request: Request, settings: Any) -> str:
    """By the path, or, of SOAP, by the element in its body."""
    return operation(request)


# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    fields = fields_of(request)
    if request.query and not request.in_xml:
        raise Refused(Reason.INVALID_REQUEST, "fields in the query are not allowed", field="query", flaw=Flaw.INVALID)
    match call.name:
        case "GetBalance":
            return replace(_head(fields), currency=_currency(fields, call))
        case "Withdraw" | "Deposit":
            return _read_movement(fields, call)
        case "RollbackTransaction":
            head, reference = _head(fields), read_long(fields, "reference")
            return replace(head, act=Rollback(reference=reference), id=cancel_id(reference))
        case _:
            raise Refused(Reason.INVALID_REQUEST, "no such call", flaw=Flaw.UNKNOWN_CALL)


def _head(fields: Fields) -> Transaction:
    """What the calls share; of it only the player must be right."""
    player, session, game = fields.id("name"), fields.id_if_any("sessionID"), fields.id_if_any("gameModule")
    return Transaction(
        act=Balance(),
        player=player,
        session="" if session == "0" else session,
        game=Game(id=game) if game else None,
        extra=_extra_in(fields),
    )


def _extra_in(fields: Fields) -> dict[str, str]:
    """What is stored: `fgbBetAmount` is not signed, and never moves money."""
    kept = fields.opaque("type", "fgbBetAmount")
    if kept.get("type") == "0":
        del kept["type"]
    return fields.unknown(NAMES) | known(**kept)


def _currency(fields: Fields, call: Call) -> str:
    return call.currencies.meant(fields.text("currency", length_max=16))


def _read_movement(fields: Fields, call: Call) -> Transaction:
    head, currency, code = _head(fields), _currency(fields, call), fields.id_if_any("fgbCampaignCode")
    amount, tx_id = call.currencies.exact(read_amount(fields), currency), read_long(fields, "reference")
    act: Debit | Credit
    if call.name == WITHDRAW:
        round_id = read_long(fields, "gameRoundID")
        # In a free game 0 is taken; what is above that is a bet as any other, with the name of its campaign.
        act = Debit(amount=amount, free_round=bool(code) and not amount)
    else:
        round_id = fields.id_if_any("gameRoundID")
        act = Credit(amount=amount, free_round=bool(code))
    round = Round(round_id, _closed(fields)) if round_id not in ("", "0") else None
    return replace(head, act=act, id=tx_id, currency=currency, round=round, free_round_id=code)


def _closed(fields: Fields) -> bool | None:
    """`True` or `False` in any case; what is neither says nothing, and stops no win."""
    return {"true": True, "false": False}.get(str(fields.raw.get("isRoundEnd")).lower())


# ---------------------------------------------------------------- provider's end: the answer


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        return _yes(outcome, tx, call)
    return _answer(code_of(outcome, call.name) if isinstance(outcome, Declined) else DOUBT, call)


def _answer(code: int, call: Call, **more: Any) -> Response:
    """As it was asked, in JSON or in SOAP."""
    said = {"Code": code, "Message": MESSAGES[code], **more}
    request = call.request
    if request is None or not request.in_xml:
        return answer(said)
    name = request.soap[0] if isinstance(request.soap, tuple) else call.name
    envelope = enveloped(f"{name}Response", {f"{name}Result": said}, NAMESPACE)
    return Response(headers=XML_HEADERS, body=written(envelope))


def _yes(outcome: Accepted, tx: Transaction, call: Call) -> Response:
    if call.name == ROLLBACK:  # it has no id of its own: each later one of its reference comes too late, a retry, too
        return _answer(ROLLED_BACK if outcome.replayed else SUCCESS, call)
    if outcome.balance is None and (call.name == BALANCE or "balance" not in call.unknown):
        raise Missing("balance")
    currency = outcome.currency or tx.currency or call.currency
    if not currency:
        raise Missing("currency")
    purse = known(Balance=None if outcome.balance is None else shown(outcome.balance), Currency=currency)
    if call.name == BALANCE:
        return _answer(SUCCESS, call, **purse)
    made = {"ID": sayable(outcome.wallet_id or tx.id)} | purse
    return _answer(DUPLICATE if outcome.replayed else SUCCESS, call, Transaction=made)


# ---------------------------------------------------------------- wallet's end: the request

PLAYER_MAX, CODE_MAX = 48, 32
NOTHING = Number("0")


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance():
            return _post(BALANCE, tx, call, currency=currency_out(tx, call))
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            return _withdraw(tx, tx.act, call)
        case Credit():
            ended = tx.round.closed if tx.round else None
            return _post(
                DEPOSIT, tx, call, **_move(tx, tx.act.amount, call), gameRoundID=_long(tx.round_id) or NOTHING,
                fgbCampaignCode=_code(tx), isRoundEnd=None if ended is None else str(ended),
            )  # fmt: skip
        case Rollback():
            return _rollback(tx, tx.act, call)
        case _:
            raise unsaid(tx)


def _post(name: str, tx: Transaction, call: Call, **more: Any) -> Request:
    """The fields in the order in which they are signed; who we are and the proof come with the signature."""
    if len(needed("player", tx.player)) > PLAYER_MAX:
        raise unsupported(f"a player's id of more than {PLAYER_MAX} characters")
    values = {
        "name": tx.player,
        "sessionID": as_long(tx.session) or NOTHING,
        "gameModule": tx.game_id,
        "type": as_long(tx.extra.get("type", "")) or NOTHING,
    } | more
    said = {"partnerID": "", "sign": ""} | {field: values[field] for field in SIGNED[name] if field in values}
    said |= known(fgbBetAmount=more.get("fgbBetAmount"))
    if call.settings.transport == "json":
        return post(f"/{name}", said)
    headers = {**XML_HEADERS, "soapaction": f'"{NAMESPACE}/{name}"'}
    return Request(method="POST", path=SOAP_PATH, headers=headers, body=written(enveloped(name, said, NAMESPACE)))


def _long(id: str) -> int | str:
    """An id as the number that it is: the house makes none that is not (`ids`, `rounds`)."""
    return integer_or_text(id, INT64_MAX)


def _move(tx: Transaction, amount: Decimal, call: Call) -> dict[str, Any]:
    return {
        "amount": token(plain(cents(amount))),
        "currency": currency_out(tx, call),
        "reference": _long(needed("id", tx.id)),
    }


def _code(tx: Transaction) -> str | None:
    return tx.free_round_id if 0 < len(tx.free_round_id) <= CODE_MAX else None


def _withdraw(tx: Transaction, act: Debit, call: Call) -> Request:
    """Free is what takes 0 and names its campaign, so a bet of 0 that is not free names none."""
    code, stands_for = _code(tx), tx.extra.get("fgbBetAmount", "")
    if act.free_round and code is None:
        raise unsupported("a free debit of no campaign")
    if act.free_round and act.amount:
        stands_for = f"{plain(cents(act.amount)):f}"
    taken = Decimal(0) if act.free_round else act.amount
    return _post(
        WITHDRAW, tx, call, **_move(tx, taken, call), gameRoundID=_long(tx.round_id or tx.id),
        fgbCampaignCode=code if taken or act.free_round else None, fgbBetAmount=as_decimal(stands_for),
    )  # fmt: skip


def _rollback(tx: Transaction, act: Rollback, call: Call) -> Request:
    if act.reference_kind not in (Kind.DEBIT, Kind.CREDIT):
        raise unsaid(tx)
    if act.amount is not None:
        raise unsupported("the amount of a rollback")  # it is always all of it
    return _post(ROLLBACK, tx, call, reference=_long(needed("reference", act.reference)))


# ---------------------------------------------------------------- wallet's end: the answer

UNIT = Major()
ASKED = {Kind.BALANCE: BALANCE, Kind.DEBIT: WITHDRAW, Kind.CREDIT: DEPOSIT, Kind.ROLLBACK: ROLLBACK}


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call, of=lambda response: _result(response, ASKED[tx.kind]))


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code, made = int(read_long(fields, "Code")), fields.raw.get("Transaction")
    again = code == DUPLICATE and isinstance(made, dict) and isinstance(tx.act, Debit | Credit)
    if code == SUCCESS or again:
        inside = fields if isinstance(tx.act, Balance) else Fields(made if isinstance(made, dict) else {})
        return _heard_yes(inside, tx, call, replayed=again)
    reason = ERRORS.reason(code)
    if reason is None or (code == DUPLICATE and call.again):
        # "Duplicate" without the movement, of what we asked before: it does not say what became of that.
        return Unknown(detail=f"Code {code}")
    return Declined(reason=reason, message=fields.words("Message", length_max=200))


def _result(response: Response, name: str) -> Fields:
    """Raises `Refused` where it is no answer to this call."""
    if not response.in_xml:
        return Fields.of(response)
    fields = Fields.of_soap(response)
    if not isinstance(response.soap, tuple) or response.soap[0] != f"{name}Response":
        raise fields.wrong(f"{name}Response", Flaw.MISSING, "is not what the body holds")
    return fields.object(f"{name}Result")


def _heard_yes(inside: Fields, tx: Transaction, call: Call, *, replayed: bool) -> Outcome:
    """Of a rollback nothing more is said. Raises `Refused` for a currency that nobody knows."""
    if isinstance(tx.act, Rollback):
        return Accepted()
    currency = heard_currency(inside, "Currency", tx, call)
    if doubt := of_another(tx, currency=currency):
        return doubt
    balance = UNIT.heard(inside, "Balance", currency, call.currencies)
    if balance is None and isinstance(tx.act, Balance):
        return Unknown(detail="accepted without a balance")
    return Accepted(
        balance=balance, currency=currency if balance is not None else "", replayed=replayed,
        wallet_id="" if isinstance(tx.act, Balance) else inside.id_if_any("ID"),
    )  # fmt: skip


# ---------------------------------------------------------------- the whole

DIALECT = Dialect(
    name="tom_horn",
    title="Tom Horn: wallet service in SOAP or JSON, HMAC over listed values, Code 0 = success",
    calls=CALLS,
    auth=AUTH,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,  # exactly what is named is undone
    hides=frozenset({"sign", "sessionID"}),
    as_provider=AsProvider(
        values_max=64,
        answer_within={"default": "8s"},  # it waits for 10 s
        after_doubt="0s",  # no rollback follows Code 1
        # A reference is unique over bets and wins, and a rollback names it without saying which it is.
        spaces={WITHDRAW: "movement", DEPOSIT: "movement"},
        replay_balance="current",
        rollback_kinds={"debit": (Kind.DEBIT, Kind.CREDIT)},
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT}),
        separates=False,
        ids=IntegerIds(),
        rounds=IntegerIds(),
    ),
)
