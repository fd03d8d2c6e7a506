"""Kyren: live baccarat; the white label of the Lucky Monaco / Stella API, itself rewritten from
the Pragmatic Play seamless protocol.

Source: the Kyren pages Check, Bet, Cancel Bet, Refund, EndRound, and for the other calls the same
pages of the Lucky Monaco edition. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct

from gateway.auth import InBody, Signed, When, digest_of, sorted_pairs
from gateway.codec import form, frame
from gateway.codec.errors import Row, of_rows
from gateway.codec.fields import Fields, known, read_json
from gateway.codec.form import Draft, Line
from gateway.codec.units import Major, in_major
from gateway.codec.unix import moment
from gateway.codec.wins import one_of, with_promo
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Balance,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
    unsupported,
)

UNIT = Major()  # the page's bet of "13" is 13.00 USD


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`error_as_string`: `"0"` in every answer. `family_md5`: the edition that sends `hash`."""

    error_as_string: bool = False
    family_md5: bool = False


# Unsigned, but for editions that still send the parent's `hash`. MD5 only guards against mistakes.
SIGNED = When(
    lambda settings: bool(settings.family_md5),
    Signed(
        covers=sorted_pairs(between="&", without="hash"),
        digest=digest_of("md5"),
        carried=InBody("hash", any_case=True),
        demo="fam-secret-9",
        weak=True,
    ),
)

# ---------------------------------------------------------------- which call it is

CALLS = (
    Wire(name="Check", method="POST", path="/v1/Check", kinds=(Kind.CHECK,)),
    Wire(name="Balance", method="POST", path="/v1/Balance", kinds=(Kind.BALANCE,)),
    Wire(name="Bet", method="POST", path="/v1/Bet", kinds=(Kind.DEBIT,)),
    Wire(name="Result", method="POST", path="/V4/Result", kinds=(Kind.CREDIT, Kind.BATCH)),
    Wire(name="BonusWin", method="POST", path="/V4/BonusWin", kinds=(Kind.CREDIT,)),
    Wire(name="JackpotWin", method="POST", path="/V4/JackPotWin", kinds=(Kind.CREDIT,)),
    Wire(name="PromoWin", method="POST", path="/V4/PromoWin", kinds=(Kind.CREDIT,)),
    Wire(name="Cancel", method="POST", path="/v1/Cancel", kinds=(Kind.ROLLBACK,)),
    Wire(name="Refund", method="POST", path="/v1/Refund", kinds=(Kind.ROLLBACK,)),
    Wire(name="EndRound", method="POST", path="/v1/EndRound", kinds=(Kind.CLOSE_ROUND,)),
    Wire(name="SessionExpired", method="POST", path="/v1/SessionExpired", kinds=(Kind.CLOSE_SESSION,)),
)
PATHS: Mapping[str, str] = {wire.name: wire.path for wire in CALLS}
BY_WORD: Mapping[str, str] = {wire.name.lower(): wire.name for wire in CALLS}
PATH = re.compile(r"/v\d{1,4}/([a-z]{1,20})/?", re.IGNORECASE | re.ASCII)  # /v1/Bet and /V4/Result are both seen

# credit_type -> call; every other credit is a Result
WINS: Mapping[str, str] = {"bonus": "BonusWin", "jackpot": "JackpotWin", "promo": "PromoWin"}
WIN_TYPES: Mapping[str, str] = {name: word for word, name in WINS.items()}
CREDITS = frozenset({"Result", *WIN_TYPES})
SCOPES: Mapping[str, str] = {"Cancel": "transaction", "Refund": "round"}
OWED = CREDITS | SCOPES.keys()


def route(request: Request, settings: Any) -> str:
    found = PATH.fullmatch(request.path)
    name = BY_WORD.get(found[1].lower()) if found else None
    if name is None:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    return name


# ---------------------------------------------------------------- errors

RETRY = 100  # "internal error, caller shall retry": doubt, said and heard
NOT_ALLOWED = 3

# The wallet's own table was not found; these are the parent protocol's numbers.
# 120 is heard as `round_closed`, of a rollback, too: heard as `already_settled` it would be final,
# and a stake could stay taken because of what the same number also calls an internal error.
ROWS: Mapping[int, Row] = {
    0: ("Success",),
    1: ("Insufficient balance", Reason.INSUFFICIENT_FUNDS),
    2: ("Player not found or logged out", Reason.PLAYER_NOT_FOUND),
    NOT_ALLOWED: ("Bet not allowed", Reason.UNSUPPORTED, Reason.TRANSACTION_NOT_FOUND),  # see also `error_of`
    4: ("Invalid or expired token", Reason.SESSION_EXPIRED, Reason.NOT_AUTHENTICATED),
    5: ("Invalid hash", Reason.BAD_SIGNATURE),
    6: ("Player frozen", Reason.PLAYER_BLOCKED),
    7: ("Bad parameters", Reason.INVALID_REQUEST, Reason.CURRENCY_MISMATCH),
    8: ("Game not found or disabled", Reason.GAME_NOT_FOUND),
    50: ("Bet limit reached", Reason.LIMIT_EXCEEDED),
    RETRY: ("Internal error, please retry",),
    120: (
        "Internal error, do not retry", Reason.ROUND_CLOSED, Reason.ALREADY_SETTLED, Reason.DUPLICATE_MISMATCH,
        Reason.ALREADY_ROLLED_BACK,
    ),
}  # fmt: skip
ERRORS = of_rows(ROWS, doubt=frozenset({RETRY}))


def error_of(declined: Declined, name: str) -> int:
    """The number that says `declined` to this call."""
    if declined.reason is Reason.TRANSACTION_NOT_FOUND and name in CREDITS:
        return RETRY  # the bet may still come; the Result is sent ten times
    if declined.reason is Reason.GAME_NOT_FOUND and name != "Bet":
        return NOT_ALLOWED  # 8 is a Bet's only: a Result is paid even for a game that is gone
    return ERRORS.code(declined.reason)


# ---------------------------------------------------------------- the calls, field by field

PASSED_ON = ("providerId", "roundDetails", "platform", "jackpotId", "promoCampaignType", "win")


def _details(tx: Transaction, call: Call) -> Any:
    """`roundDetails` as it came: an object or a list as JSON again, anything else as text."""
    text = tx.extra.get("roundDetails", "")
    if not text:
        return {}  # the Bet page's example is an object
    if text[0] not in "{[":
        return text
    try:
        found = read_json(b'{"is":' + text.encode() + b"}")
    except (Refused, UnicodeEncodeError):
        return text
    return found["is"] if len(found) == 1 else text  # not `[], "amount": 1`


def _bonus(tx: Transaction, call: Call) -> Any:
    """Of a Bet it is what makes it free, so one that is not free never has it."""
    told = not isinstance(tx.act, Debit | Credit) or tx.act.free_round
    return (tx.free_round_id if told else "") or UNSET


def _campaign(fields: Fields) -> dict[str, str]:
    # promoCampaignId in the table, campaignId in the page's example
    name = "promoCampaignId" if "promoCampaignId" in fields else "campaignId"
    said = fields.opaque(name, "promoCampaignType")
    return known(promoCampaignId=said.get(name), promoCampaignType=said.get("promoCampaignType"))


def _read_campaign(fields: Fields, draft: Draft, call: Call) -> None:
    draft.extra |= _campaign(fields)


def _read_loosely(fields: Fields, draft: Draft, call: Call) -> None:
    """SessionExpired's fields were not found: anything with a player and a session is understood."""
    said = fields.opaque("uuid", "currency", "providerId")
    draft[form.REQUEST], code = said.get("uuid", "")[:256], said.get("currency", "").upper()
    draft.currency = code if call.currencies.knows(code) else ""
    draft.extra |= known(providerId=said.get("providerId"))


# One provider speaks this dialect, so its name is a constant. `uuid` is unique per request: that of the provider's
# own call would stand in every second attempt and in each part of a refund or settle.
NAME = Line("providerId", form.keeps(*PASSED_ON, blanks=False), lambda tx, call: "Kyren")
PLAYER, UUID = form.PLAYER.id("userId"), Line("uuid", form.REQUEST.words("uuid").read, lambda tx, call: call.nonce)
CURRENCY = form.currency("currency")
SESSION = form.loose(form.SESSION.id("sessionId", length_max=1024, may_lack=True), OWED)
GAME, ROUND, ID = form.GAME.described("gameId"), form.ROUND.id("roundId"), form.ID.id("reference")
GAME_NAME = form.GAME_NAME.words("gameName", otherwise=lambda tx: tx.game_id)
TIME = moment("timestamp", seconds=False, as_text=True)
AMOUNT = in_major("amount")  # "the amount of the bet", says Result's page; it is what is added to the balance
BONUS = Line("bonusCode", form.loose(form.FREE_ROUND.optional("bonusCode"), OWED).read, _bonus)

HEAD = (NAME, PLAYER, UUID)
IN_SESSION = (*HEAD, CURRENCY, SESSION)
MOVE = (*IN_SESSION, Line("roundDetails", write=_details), ID, GAME, GAME_NAME, ROUND, TIME, AMOUNT, BONUS)
WIN = (AMOUNT, BONUS, *HEAD, ID, TIME)
SILENT_WIN = (  # they say no currency: it stays blank, `complete` knows the player's
    form.currency("currency", may_lack=True).read_only, *WIN, form.GAME.id_if_any("gameId"), form.ROUND.optional("roundId"),
    Line("sessionId", SESSION.read, form.SESSION.optional("sessionId").write), form.kept("platform"), Line("promoCampaignId", _read_campaign),
)  # fmt: skip
PROMO_WIN = (
    CURRENCY.read_only, *WIN, Line("promoCampaignId", _read_campaign, form.kept("promoCampaignId").write),
    form.kept("promoCampaignType"), Line("currency", write=CURRENCY.write), form.ROUND.optional("roundId").read_only,
)  # fmt: skip
UNDO = (*HEAD, CURRENCY, GAME, GAME_NAME, ROUND, form.REFERENCE.id("reference"))  # the bet's: it has no id of its own
NOTIFICATION = "SessionExpired"
FORMS = form.of_page(
    {
        "Check": IN_SESSION, "Balance": IN_SESSION, "Bet": MOVE, "Result": MOVE, "BonusWin": SILENT_WIN,
        "JackpotWin": (*SILENT_WIN, form.kept("jackpotId")), "PromoWin": PROMO_WIN, "Cancel": (*UNDO, SESSION),
        "Refund": (*UNDO, BONUS),
        # `win` is for information: Result has paid it already, so it is passed on and never read.
        "EndRound": (*IN_SESSION, GAME, ROUND, form.kept("win")),
    },
    anywhere=(GAME, GAME_NAME, SESSION, BONUS, TIME),
    alone={
        NOTIFICATION: (
            Line("providerId", _read_loosely, NAME.write), PLAYER, Line("uuid", write=UUID.write),
            form.SESSION.id("sessionId", length_max=1024),
        ),
    },
    also=(
        "campaignId", "promoWinAmount", "promoWinReference", "hash", "authToken", "transactionId", "cash", "bonus", "error",
        "description",
    ),
)  # fmt: skip
# The pages mix userId and userid, timeStamp and timestamp, TransactionId and transactionId.
SPELLED: Mapping[str, str] = {name.lower(): name for name in FORMS["Bet"].names}

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.caseless(request, SPELLED)
    said = frame.reader_of(FORMS, call).read(fields, call)
    free = bool(said[form.FREE_ROUND])
    match call.name:
        case "Check":
            return said.transaction(Check())
        case "Balance":
            return said.transaction(Balance())
        case "Bet":
            said.closed = False
            return said.transaction(Debit(amount=said.amount, free_round=free))
        case "Result":
            win = said.transaction(Credit(amount=said.amount, free_round=free))
            return with_promo(win, fields, call, _campaign(fields))  # in older editions
        case "Cancel" | "Refund":
            return said.cancel(scope=SCOPES[call.name])
        case "EndRound":
            return said.transaction(CloseRound())
        case "SessionExpired":
            return said.transaction(CloseSession())
        case _:
            return said.transaction(Credit(amount=said.amount, type=WIN_TYPES[call.name], free_round=free))


WITH_ID = frozenset({"Bet", "Cancel", "Refund"}) | CREDITS
WITH_CASH = frozenset({"Balance", "Bet", "Cancel", "EndRound"}) | CREDITS  # Refund's page has no balance
NOTHING_TO_UNDO = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined) and call.name == NOTIFICATION and tx is not None:
        return _answer(
            0, call, {}
        )  # it asks for nothing, so no wallet can refuse it; doubt is told, for it to come again
    if isinstance(outcome, Accepted) and outcome.items:
        outcome = one_of(outcome)
    if isinstance(outcome, Declined) and call.name in SCOPES and outcome.reason in NOTHING_TO_UNDO:
        outcome = _nothing_undone(outcome)
    if isinstance(outcome, Declined) and call.name == "EndRound" and outcome.reason is Reason.ROUND_CLOSED:
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)  # it is sent again until it is answered
    match outcome:
        case Accepted():
            return _answer(0, call, _accepted_fields(outcome, tx, call))
        case Declined():
            return _answer(error_of(outcome, call.name), call, {})
        case _:
            return _answer(RETRY, call, {})


def _answer(code: int, call: Call, fields: Mapping[str, Any]) -> Response:
    # Refund's page says `"0"`, in table and example; every other example says 0.
    error = str(code) if call.settings.error_as_string or call.name == "Refund" else code
    return frame.answer({**fields, "error": error, "description": ROWS[code][0]})


def _nothing_undone(declined: Declined) -> Accepted:
    """A Cancel or Refund of what is not there, or not there any more, is a success."""
    done = declined.reason is Reason.ALREADY_ROLLED_BACK
    return Accepted(wallet_id=declined.wallet_id if done else "", balance=declined.balance, currency=declined.currency)


def _accepted_fields(outcome: Accepted, tx: Transaction | None, call: Call) -> dict[str, Any]:
    said: dict[str, Any] = {"transactionId": outcome.wallet_id} if call.name in WITH_ID else {}
    if call.name not in WITH_CASH:
        return said
    balance = frame.needed("balance", outcome.balance)
    currency = frame.currency_of(outcome, tx, call)
    said |= {"currency": currency, "cash": _shown(balance, currency, call)}
    bonus = outcome.bonus
    if bonus is None and call.name in WIN_TYPES:
        bonus = Decimal(0)  # required there, and most wallets have no bonus money
    if bonus is not None and call.name in CREDITS:
        said["bonus"] = _shown(bonus, currency, call)
    return said


def _shown(balance: Decimal, currency: str, call: Call) -> str:
    return f"{UNIT.show(balance, currency, call.currencies) if currency else balance:f}"


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Check():
            name = "Check"
        case Balance():
            name = "Balance"
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise frame.unsaid(tx)
        case Debit(free_round=True) if not tx.free_round_id:
            raise frame.unsaid(tx)
        case Debit():
            name = "Bet"
        case Credit():
            name = WINS.get(tx.act.type, "Result")
        case Rollback(reference_kind=Kind.DEBIT, amount=None):
            name = "Refund" if tx.act.scope == "round" else "Cancel"
        case Rollback(reference_kind=Kind.DEBIT):
            raise unsupported("the amount of a rollback")  # it is always all of the bet
        case CloseRound():
            name = "EndRound"
        case CloseSession():
            name = "SessionExpired"
        case _:
            raise frame.unsaid(tx)
    return frame.post(PATHS[name], FORMS[name].write(tx, call))


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return frame.heard(response, _heard, tx, call, of=lambda response: Fields.caseless(response, SPELLED))


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = _error(fields)
    if code == 0:
        return _heard_yes(fields, tx, call)
    reason = ERRORS.reason(code) if code is not None else None
    if reason is None:
        return Unknown(detail="no error number" if code is None else f"error {code}")
    return Declined(reason=reason, message=fields.opaque("description").get("description", "")[:200])


def _error(fields: Fields) -> int | None:
    """The error of an answer, integer or text; None = it says none."""
    found = fields.value("error", None)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 4 and str(int(found)) == found:
        return int(found)
    return None


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    currency = frame.heard_currency(fields, "currency", tx, call)
    if doubt := frame.of_another(tx, currency=currency):
        return doubt
    balance = UNIT.heard(fields, "cash", currency, call.currencies)
    bonus = UNIT.heard(fields, "bonus", currency, call.currencies)
    if isinstance(tx.act, Rollback) and fields.value("transactionId", None) is None:
        return Unknown(detail="a rollback was answered without transactionId")
    wallet_id = fields.id("transactionId", "", length_max=256)
    if isinstance(tx.act, Rollback) and not wallet_id:  # how this family says that it knows no such bet
        shown = currency if balance is not None else ""
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND, balance=balance, currency=shown)
    return frame.with_its_purse(Accepted(balance=balance, bonus=bonus, currency=currency, wallet_id=wallet_id), tx)


DIALECT = Dialect(
    name="kyren",
    title="Kyren (Lucky Monaco, Stella): live baccarat and slots",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"hash", "sessionId", "authToken"}),
    as_provider=AsProvider(
        values_max=300,
        answer_within={"default": "4s"},
        spaces={"Cancel": "rollback", "Refund": "rollback"},
        replay_balance="current",
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes_rounds=True,
        yes_to_unknown=True,  # "success or a specific error"; most leave the transactionId empty then
        sessions=frozenset({Kind.CHECK, Kind.BALANCE, Kind.DEBIT, Kind.CLOSE_ROUND, Kind.CLOSE_SESSION}),
    ),
)
