"""Vivo Gaming VGS: everything in the query of a GET, an MD5 over listed values, answers in XML with RESULT and CODE.

Source: the vendor's common wallet manual (public copies of v1.5 and v5.31, readable in parts) and public integrations that quote
it. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from gateway.auth import InQuery, Signed, digest_of, listed_values
from gateway.codec import form
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, known, write_form
from gateway.codec.form import Draft, Line
from gateway.codec.frame import amount_of, heard, in_its_currency, needed, of_another, unsaid
from gateway.codec.units import Major, bounded
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, StatusBy
from gateway.http import XML_HEADERS, Request, Response
from gateway.ids import IntegerIds
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
    Rollback,
    Status,
    Transaction,
    Unknown,
    unsupported,
)
from gateway.xml import parsed, sayable, written

# ---------------------------------------------------------------- calls

AUTHENTICATE, BALANCE, CHANGE, STATUS = "Authenticate", "GetBalance", "ChangeBalance", "Status"
CALLS = (
    Wire(name=AUTHENTICATE, method="GET", path="/authenticate.do", kinds=(Kind.AUTHENTICATE,)),
    Wire(name=BALANCE, method="GET", path="/getbalance.do", kinds=(Kind.BALANCE,)),
    Wire(name=CHANGE, method="GET", path="/ChangeBalance.aspx", kinds=(Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK)),
    Wire(name=STATUS, method="GET", path="/requeststatus.do", kinds=(Kind.STATUS,)),
)
PATHS: Mapping[str, str] = {wire.name: wire.path for wire in CALLS}
_BY_WORD = {path[1:].partition(".")[0].lower(): name for name, path in PATHS.items()} | {"status": STATUS}
_PATH = re.compile(r"/([A-Za-z]+)(\.[A-Za-z]+)?/?")


def route(request: Request, settings: Any) -> str:
    """The path is the operator's choice, as far as it names the call: in any case, with any ending or none."""
    found = _PATH.fullmatch(request.path)
    name = _BY_WORD.get(found[1].lower()) if found else None
    if name is None:
        raise NoCall
    if request.method != "GET":
        raise NoCall(("GET",))
    return name


# ---------------------------------------------------------------- signature

SIGNED: Mapping[str, tuple[str, ...]] = {
    AUTHENTICATE: ("token",),
    CHANGE: ("userId", "Amount", "TrnType", "TrnDescription", "roundId", "gameId", "History"),
    STATUS: ("userId", "casinoTransactionId"),
    BALANCE: ("userId",),
}


def _signed(request: Request) -> tuple[str, ...]:
    try:
        return SIGNED[route(request, None)]
    except NoCall:
        return ()


# MD5, over values without separators: it only guards against mistakes.
AUTH = Signed(
    covers=listed_values(_signed), digest=digest_of("md5"), carried=InQuery("hash"), demo="vivo-test-pass", weak=True
)  # fmt: skip

# ---------------------------------------------------------------- codes

OK, FAILED, DOUBT, NOT_FOUND, NO = "OK", "FAILED", "399", "302", "301"

# CODE -> what it says; heard, it is the first. 301 is "operation failed", whatever for; 302 is for Status only.
ROWS: Mapping[str, tuple[Reason, ...]] = {
    "300": (Reason.INSUFFICIENT_FUNDS,),
    NO: (
        Reason.INVALID_REQUEST, Reason.CURRENCY_MISMATCH, Reason.GAME_NOT_FOUND, Reason.ALREADY_SETTLED, Reason.LIMIT_EXCEEDED,
        Reason.PLAYER_BLOCKED, Reason.DUPLICATE_MISMATCH, Reason.ROUND_CLOSED, Reason.ALREADY_ROLLED_BACK, Reason.UNSUPPORTED,
    ),
    NOT_FOUND: (Reason.TRANSACTION_NOT_FOUND,),
    "310": (Reason.PLAYER_NOT_FOUND,),
    "400": (Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED),
    "500": (Reason.BAD_SIGNATURE,),
}  # fmt: skip
ERRORS = ErrorTable({reason: code for code, reasons in ROWS.items() for reason in reasons}, doubt=frozenset({DOUBT}))


def code_of(declined: Declined, call: str) -> str:
    """The CODE that says `declined` to this call: 302 is for Status only, where it says all that is not booked."""
    if call == STATUS and declined.replayed:
        return NOT_FOUND
    code = ERRORS.code(declined.reason)
    return NO if code == NOT_FOUND and call != STATUS else code


# ---------------------------------------------------------------- the calls, field by field

_AMOUNT = re.compile(r"[0-9]{1,64}(\.[0-9]{1,2})?")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,63}")
_CENT = Decimal("0.01")
TOKEN_MAX = 1024
CANCELED = "CANCELED_BET"
MARK = "DEALER TIP"  # in the History of a bet that is a tip
WORDS = {"BET": "BET", "WIN": "WIN", "TIP": "TIP", "CANCELED_BET": CANCELED, "CANCELLED_BET": CANCELED}


def _number(place: form.Place, name: str) -> Line:
    """An id that is a number, as its text: 007 is not 7, and nobody writes it."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft[place] = fields.id(name)
        if not _NUMBER.fullmatch(draft[place]):
            raise fields.wrong(name, Flaw.INVALID, "is not a number")

    return Line(name, read, place.id(name).write)


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    """A decimal text of two places at most, exact; no call names its currency."""
    found = fields.text("Amount", length_max=80)
    if found.startswith("-"):
        raise fields.wrong("Amount", Flaw.TOO_LOW, "is negative")
    if not _AMOUNT.fullmatch(found):
        raise fields.wrong("Amount", Flaw.INVALID, "is no decimal such as 2.50, of two places at most")
    draft.amount_if_any = bounded(Decimal(found), "Amount")


def _amount(tx: Transaction, call: Call) -> str:
    """The wallet takes it in its player's currency, which only `authenticate` names. Raises `unsupported` where two places do not
    hold it."""
    amount = amount_of(tx)
    in_its_currency(tx, call)
    fitted = amount.quantize(_CENT)
    if fitted != amount:
        raise unsupported("an amount of more than two places")
    return f"{fitted:f}"


def _read_type(fields: Fields, draft: Draft, call: Call) -> None:
    """A tip is a bet whose History says so; some versions send a word of its own for it."""
    word = fields.choice("TrnType", WORDS)
    draft[TYPE] = "TIP" if word == "BET" and MARK in fields.opaque("History").get("History", "") else word


def _read_round(fields: Fields, draft: Draft, call: Call) -> None:
    """It decides of a bet and of a cancel, and stops no win and no tip."""
    draft[form.ROUND] = fields.id_if_any("roundId") if draft[TYPE] in ("WIN", "TIP") else fields.id("roundId")


def _round(tx: Transaction, call: Call) -> str:
    """A cancel means a bet by its round, so each bet has one."""
    return tx.round_id if isinstance(tx.act, Credit) else needed("round", tx.round_id)


def _game(tx: Transaction, call: Call) -> str:
    """A game that is no number, or that nobody knows, is none: no bet is lost for it."""
    return tx.game_id if tx.game_id.isascii() and tx.game_id.isdigit() else "0"


def _history(tx: Transaction, call: Call) -> str:
    """What says that a bet is a tip stands in every tip, and in no other bet."""
    said, act = tx.extra.get("History", ""), tx.act
    if not isinstance(act, Debit) or (MARK in said) == (act.type == "tip"):
        return said
    return MARK if act.type == "tip" else ""


def _read_finished(fields: Fields, draft: Draft, call: Call) -> None:
    draft.closed = {"true": True, "1": True, "false": False, "0": False}.get(fields.words("isRoundFinished").lower())


def _token(tx: Transaction, call: Call) -> str:
    return needed("session", tx.session or (tx.act.launch_token if isinstance(tx.act, Authenticate) else ""))


TYPE = form.Place("type", lambda tx: {Kind.DEBIT: "BET", Kind.CREDIT: "WIN"}.get(tx.kind, CANCELED))
PLAYER = form.PLAYER.id("userId")
HASH = Line("hash")  # the proof's
FORMS = form.of_page(
    {
        AUTHENTICATE: (Line("token", form.SESSION.id("token", length_max=TOKEN_MAX).read, _token), HASH),
        BALANCE: (PLAYER,),
        STATUS: (PLAYER, _number(form.REFERENCE, "casinoTransactionId")),
        CHANGE: (  # what is signed stands there, also where it has nothing to say
            PLAYER, Line("Amount", _read_amount, _amount), _number(form.ID, "TransactionID"),
            Line("TrnType", _read_type, TYPE.id("TrnType").write), form.passed_on("TrnDescription", lambda tx: ""),
            Line("roundId", _read_round, _round), Line("gameId", form.GAME.id_if_any("gameId").read, _game),
            Line("History", form.passed_on("History").read, _history),
            Line("isRoundFinished", _read_finished, lambda tx, call: "true" if tx.round and tx.round.closed else "false"),
            form.SESSION.id_if_any("sessionId", length_max=TOKEN_MAX), form.passed_on("dealerId"),
        ),
    }
)  # fmt: skip
_SPELLED = {name.lower(): name for name in FORMS[CHANGE].names}
SECRETS = frozenset({"PASSKEY", "PASS_KEY", "PASSWORD", "SECRET", "API_KEY", "APIKEY"})
"""What no page asks for in the query and somebody may put there: neither kept nor repeated."""


def fields_of(request: Request) -> Fields:
    """The fields of the query under the page's spelling, whatever the case of their names."""
    said = {name: value for name, value in Fields.of_query(request).raw.items() if name.upper() not in SECRETS}
    return Fields({_SPELLED.get(name.lower(), name): value for name, value in said.items()})


# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    said = FORMS.get(call.name, FORMS[CHANGE]).read(fields_of(request), call)
    match call.name:
        case "Authenticate":
            return said.transaction(Authenticate())
        case "GetBalance":
            return said.transaction(Balance())
        case "Status":
            return said.transaction(Status(reference=said[form.REFERENCE]))
    said.extra = known(**said.extra)
    match said[TYPE]:
        case "WIN":
            return said.transaction(Credit(amount=said.amount))
        case "CANCELED_BET":  # it names no bet: which one is meant, its round and amount say
            return said.transaction(Rollback(amount=said.amount, scope="round"))
        case word:
            return said.transaction(Debit(amount=said.amount, type=word.lower()))


def content(tx: Transaction) -> tuple[str, ...]:
    """What the hash covers beside what every repeat must say again: the id itself it does not cover."""
    tip = "tip" if isinstance(tx.act, Debit) and tx.act.type == "tip" else ""
    return (tip, tx.game_id, *(tx.extra.get(name, "") for name in ("TrnDescription", "History")))


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


def shown(balance: Decimal) -> str:
    """A balance with two places, rounded down: nobody is shown what is not there."""
    return f"{balance.quantize(_CENT, rounding=ROUND_FLOOR):f}"


_IDS = IntegerIds()


def booked_as(wallet_id: str, provider: str, tx_id: str) -> str:
    """ECSYSTEMTRANSACTIONID, a long: the wallet's id where that is a number of up to 18 digits, else one of ours of 19, the same
    for ever because it is made of whose movement it is."""
    return wallet_id if _IDS.keeps(wallet_id) else _IDS.made(f"{provider}:{tx_id}")


# ---------------------------------------------------------------- the frame

ROOT, REQUEST, TIME, RESPONSE = "VGSSYSTEM", "REQUEST", "TIME", "RESPONSE"
_ELEMENT = re.compile(r"[A-Z_][A-Z0-9_.-]{0,63}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def framed(fields: Mapping[str, str], request: Request | None, now: datetime) -> Response:
    said = {name: sayable(value) for name, value in fields.items()}
    frame = {ROOT: {REQUEST: echoed(request), TIME: _time(now), RESPONSE: said}}
    return Response(headers=XML_HEADERS, body=written(frame))


def echoed(request: Request | None) -> dict[str, str]:
    """What was received, in its order, as far as XML can say it, and no secret."""
    asked = request.asked if request is not None else {}
    if not isinstance(asked, Mapping):
        return {}
    texts = {name.upper(): v if isinstance(v, str) else v.decode(errors="replace") for name, v in asked.items()}
    return {name: sayable(text) for name, text in texts.items() if name not in SECRETS and _ELEMENT.fullmatch(name)}


def _time(now: datetime) -> str:
    """`12 Jan 2025 10:00:00`; no locale of the machine names its month."""
    utc = now.astimezone(UTC)
    return f"{utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} {utc.hour:02}:{utc.minute:02}:{utc.second:02}"


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            name = AUTHENTICATE
        case Balance():
            name = BALANCE
        case Status(scope="transaction", others=(), reference_kind=Kind.DEBIT | Kind.CREDIT | Kind.ROLLBACK):
            name = STATUS
        case Debit(tracking_only=False, free_round=False) | Credit(tracking_only=False):
            name = CHANGE
        case Rollback(reference_kind=Kind.DEBIT):
            name = CHANGE
        case _:
            raise unsaid(tx)
    return Request(method="GET", path=PATHS[name], query=write_form(FORMS[name].write(tx, call)).decode())


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
