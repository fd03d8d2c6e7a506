"""Vivo Gaming VGS: everything in the query of a GET, an MD5 over listed values, answers in XML with RESULT and CODE.

Source: the vendor's common wallet manual (public copies of v1.5 and v5.31, readable in parts) and public integrations that quote
it. What they leave open is decided in NOTES.md. `wire.py` holds calls, names, codes, numbers and the frame of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from adapters.vivo_vgs.wire import (
    AUTH,
    AUTHENTICATE,
    BALANCE,
    CALLS,
    CHANGE,
    DOUBT,
    ERRORS,
    FAILED,
    KNOWN,
    NOT_FOUND,
    OK,
    PATHS,
    REQUEST,
    RESPONSE,
    ROOT,
    STATUS,
    booked_as,
    cents,
    code_of,
    echoed,
    fields_of,
    framed,
    read_amount,
    read_number,
    route,
    shown,
)
from gateway.codec.fields import Fields, known, write_form
from gateway.codec.frame import amount_of, heard, needed, of_another, unsaid
from gateway.codec.units import Major
from gateway.dialect import Call, Dialect
from gateway.ends import AsProvider, AsWallet, StatusBy
from gateway.http import Request, Response
from gateway.ids import IntegerIds
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Round,
    Status,
    Transaction,
    Unknown,
    unsupported,
)
from gateway.xml import parsed

TIP = "DEALER TIP"  # in the History of a bet that is one
CANCELS = frozenset({"CANCELED_BET", "CANCELLED_BET"})
TOKEN_MAX = 1024

# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    fields = fields_of(request)
    match call.name:
        case "Authenticate":
            token = fields.id("token", length_max=TOKEN_MAX)
            return Transaction(act=Authenticate(), session=token, extra=fields.unknown(KNOWN))
        case "GetBalance":
            return Transaction(act=Balance(), player=fields.id("userId"), extra=fields.unknown(KNOWN))
        case "Status":
            player, meant = fields.id("userId"), read_number(fields, "casinoTransactionId")
            return Transaction(act=Status(reference=meant), player=player, extra=fields.unknown(KNOWN))
        case _:
            return _read_change(fields)


def _read_change(fields: Fields) -> Transaction:
    """Whose, how much, under which id, what, and of a bet or a cancel the round; the rest stops no win and no cancel."""
    player, amount, tx_id = fields.id("userId"), read_amount(fields), read_number(fields, "TransactionID")
    word = fields.choice("TrnType", {name: name for name in ("BET", "WIN", "TIP", *sorted(CANCELS))})
    extra = known(**fields.unknown(KNOWN), **fields.opaque("TrnDescription", "History", "dealerId"))
    tips = word == "TIP" or (word == "BET" and TIP in extra.get("History", ""))
    act: Debit | Credit | Rollback
    if word == "WIN":
        act = Credit(amount=amount)
    elif word in CANCELS:  # it names no bet: which one is meant, its round and amount say
        act = Rollback(amount=amount, scope="round")
    else:
        act = Debit(amount=amount, type="tip" if tips else "bet")
    loose = word == "WIN" or tips
    game = fields.id_if_any("gameId")
    return Transaction(
        act=act,
        id=tx_id,
        player=player,
        session=_session(fields),
        round=_round(fields.id_if_any("roundId") if loose else fields.id("roundId"), fields),
        game=Game(id=game) if game else None,
        extra=extra,
    )


def _session(fields: Fields) -> str:
    try:
        return fields.id("sessionId", "", length_max=TOKEN_MAX)
    except Refused:
        return ""  # the proof covers it as little as a win hangs on it


def _round(id: str, fields: Fields) -> Round | None:
    closed = {"true": True, "1": True, "false": False, "0": False}.get(fields.words("isRoundFinished").lower())
    return Round(id, closed) if id or closed is not None else None


def content(tx: Transaction) -> tuple[str, ...]:
    """What the hash covers beside what every repeat must say again: the id itself it does not cover."""
    tip = "tip" if isinstance(tx.act, Debit) and tx.act.type == "tip" else ""
    return (tip, tx.game.id if tx.game else "", *(tx.extra.get(name, "") for name in ("TrnDescription", "History")))


# ---------------------------------------------------------------- provider's end: the answer

NOTHING_TO_UNDO = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})
"""Of a cancel these are success without movement."""


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined) and tx is not None and _cancels(tx, outcome) and outcome.reason in NOTHING_TO_UNDO:
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency, replayed=outcome.replayed)
    match outcome:
        case Accepted() if tx is not None:
            fields = {"RESULT": OK} | _yes(outcome, tx, call)
        case Declined():
            fields = {"RESULT": FAILED, "CODE": code_of(outcome, call.name)}
        case _:
            fields = {"RESULT": FAILED, "CODE": DOUBT}
    return framed(fields, call.request, call.now)


def _cancels(tx: Transaction, outcome: Declined) -> bool:
    """Whether it is a cancel, or asks what became of one."""
    act = tx.act
    return isinstance(act, Rollback) or (
        isinstance(act, Status) and act.reference_kind is Kind.ROLLBACK and outcome.replayed
    )


def _yes(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, str]:
    if isinstance(tx.act, Status):
        return {"ECSYSTEMTRANSACTIONID": booked_as(outcome.wallet_id, call.provider, tx.act.reference)}
    purse = {"BALANCE": shown(needed("balance", outcome.balance))}
    if call.name == BALANCE:
        return purse
    if call.name != AUTHENTICATE:
        return {"ECSYSTEMTRANSACTIONID": booked_as(outcome.wallet_id, call.provider, tx.id)} | purse
    who = outcome.profile or Profile()
    player = needed("player", who.player or tx.player)
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    named = {"USERID": player, "USERNAME": who.username or player, "FIRSTNAME": "", "LASTNAME": "", "EMAIL": ""}
    return {**named, "CURRENCY": currency, **purse, "GAMESESSIONID": who.session or tx.session}


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            return _get(AUTHENTICATE, {"token": needed("session", tx.session or tx.act.launch_token)})
        case Balance():
            return _get(BALANCE, {"userId": needed("player", tx.player)})
        case Status() if tx.act.scope == "transaction" and not tx.act.others and tx.act.reference_kind in MEANT:
            meant = needed("reference", tx.act.reference)
            return _get(STATUS, {"userId": needed("player", tx.player), "casinoTransactionId": meant})
        case Debit() if tx.act.tracking_only or tx.act.free_round:
            raise unsupported(f"a {'tracking-only' if tx.act.tracking_only else 'free'} debit")
        case Credit() if tx.act.tracking_only:
            raise unsupported("a tracking-only credit")
        case Debit():
            return _get(CHANGE, _change(tx, "BET", tx.act.amount, call))
        case Credit():
            return _get(CHANGE, _change(tx, "WIN", tx.act.amount, call))
        case Rollback() if tx.act.reference_kind is Kind.DEBIT:
            return _get(CHANGE, _change(tx, "CANCELED_BET", amount_of(tx), call))
        case _:
            raise unsaid(tx)


MEANT = (Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK)


def _get(name: str, fields: Mapping[str, str]) -> Request:
    return Request(method="GET", path=PATHS[name], query=write_form(fields).decode())


def _change(tx: Transaction, word: str, amount: Decimal, call: Call) -> dict[str, str]:
    """Every field that is signed stands there, also where it has nothing to say. A cancel means a bet by its round, so
    each bet has one."""
    return {
        "userId": needed("player", tx.player),
        "Amount": _amount_out(amount, tx, call),
        "TransactionID": needed("id", tx.id),
        "TrnType": word,
        "TrnDescription": tx.extra.get("TrnDescription", ""),
        "roundId": needed("round", tx.round_id) if isinstance(tx.act, Debit | Rollback) else tx.round_id,
        "gameId": _game_number(tx),
        "History": _history(tx),
        "isRoundFinished": "true" if tx.round is not None and tx.round.closed else "false",
    } | known(sessionId=tx.session, dealerId=tx.extra.get("dealerId"))


def _amount_out(amount: Decimal, tx: Transaction, call: Call) -> str:
    """The wallet takes it in its player's currency, which only `authenticate` names: another than that of its configuration is
    not said."""
    if tx.currency and call.currency not in ("", tx.currency):
        raise unsupported(f"{tx.currency} to a wallet of {call.currency}")
    return cents(amount)


def _game_number(tx: Transaction) -> str:
    """A game that is no number, or that nobody knows, is none: no bet is lost for it."""
    game = tx.game.id if tx.game else ""
    return game if game.isascii() and game.isdigit() else "0"


def _history(tx: Transaction) -> str:
    """What says that a bet is a tip stands in every tip, and in no other bet."""
    said, act = tx.extra.get("History", ""), tx.act
    if not isinstance(act, Debit) or (TIP in said) == (act.type == "tip"):
        return said
    return TIP if act.type == "tip" else ""


# ---------------------------------------------------------------- wallet's end: the answer

UNIT = Major()


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call, of=lambda response: Fields(parsed_frame(response)))


def _heard(frame: Fields, tx: Transaction, call: Call) -> Outcome:
    if _of_another(frame, call):
        return Unknown(detail="the answer to another call")
    said = frame.object(RESPONSE)
    result, code = said.text("RESULT", length_max=64), said.words("CODE")
    if result == OK and not code:
        return _heard_yes(said, tx, call)
    reason = ERRORS.reason(code) if result == FAILED else None
    # To Status only 302 speaks of the movement, and to nothing else does it: what is not on the page is doubt.
    if reason is None or (code == NOT_FOUND) is not isinstance(tx.act, Status):
        return Unknown(detail=f"RESULT {result}, CODE {code}"[:64])
    return Declined(reason=reason)


def parsed_frame(response: Response) -> Mapping[str, object]:
    """Raises `Refused` where the body holds none."""
    said = parsed(response.body)
    frame = said.get(ROOT) if isinstance(said, Mapping) else None
    if not isinstance(frame, Mapping):
        raise Fields({}).wrong(ROOT, Flaw.MISSING, "is not what the body holds")
    return frame


def _of_another(frame: Fields, call: Call) -> bool:
    """Whether what it repeats of the request is not what was sent. One that repeats nothing is forgiven."""
    told, sent = frame.raw.get(REQUEST), echoed(call.request)
    heard = told if isinstance(told, Mapping) else {}
    return any(
        str(heard[name]).strip() != sent[name].strip() for name in IDENTITY if name in heard and name in sent
    )  # fmt: skip


IDENTITY = ("USERID", "TRANSACTIONID", "CASINOTRANSACTIONID", "TOKEN")


def _heard_yes(said: Fields, tx: Transaction, call: Call) -> Outcome:
    """Raises `Refused` where what must be there is not."""
    currency, profile = tx.currency or call.currency, None
    if isinstance(tx.act, Authenticate):
        player = said.id("USERID")
        if doubt := of_another(tx, player=player):
            return doubt
        currency = call.currencies.meant(said.text("CURRENCY", length_max=16))
        session = said.text("GAMESESSIONID", "", length_max=TOKEN_MAX)
        profile = Profile(player=player, session=session, username=said.words("USERNAME"))
    balance = UNIT.heard(said, "BALANCE", currency, call.currencies)
    if balance is None and isinstance(tx.act, Balance):
        return Unknown(detail="accepted without a balance")
    made = said.id_if_any("ECSYSTEMTRANSACTIONID") if isinstance(tx.act, Debit | Credit | Rollback | Status) else ""
    shows = currency if balance is not None or profile is not None else ""
    return Accepted(balance=balance, currency=shows, wallet_id=made, profile=profile)


# ---------------------------------------------------------------- the whole

DIALECT = Dialect(
    name="vivo_vgs",
    title="Vivo Gaming VGS: a GET query, MD5 over listed values, answers in XML",
    calls=CALLS,
    auth=AUTH,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    by_stake=True,
    round_refunds=False,  # a cancel means one bet of its round
    hides=frozenset({"hash", "token", "sessionid"}),
    as_provider=AsProvider(
        answer_within={"default": "5s"},
        spaces={CHANGE: "movement"},  # one number for bets, wins and cancels, and Status asks by it alone
        status_by=StatusBy.ID,
        replay_balance="current",
        content=content,
        bare_ids=True,
    ),
    as_wallet=AsWallet(separates=False, ids=IntegerIds(), undoes_whole=True, yes_to_unknown=True),
)
