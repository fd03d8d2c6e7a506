"""Scorpio Play (SlotCity; also Bull Play, iGamingAce): one URL, a `command` in a flat, signed body.

Source: slotcity.gitbook.io/scorpio-play-casino-api-doc (balance, bet, win, cancel, the signature),
the Bull Play mirror of these pages, public code of two operators. The older Scorpio protocol with a
nested `data` is another one and refused. What the pages leave open is decided in NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from gateway.auth import InHeader, Signed, base64_text, hmac_of, js_number, loosely, sorted_values
from gateway.codec import form
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, Number
from gateway.codec.form import Draft, Line
from gateway.codec.frame import amount_of, answer, currency_of, heard, needed, post, unsaid, with_its_purse
from gateway.codec.ids import integer
from gateway.codec.units import Major, Scaled, plain, token, whole
from gateway.codec.unix import moment
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Reason,
    Rollback,
    Transaction,
    Unknown,
    unsupported,
)

MAJOR, MINOR = Major(), Scaled(None)

SIGNED = Signed(
    covers=sorted_values(between=",", php_booleans=lambda settings: bool(settings.php_booleans)),
    digest=hmac_of("sha512"),
    carried=InHeader("x-request-signature", base64_text),
    demo="sp-test-token-7f3a",
)

# ---------------------------------------------------------------- errors, settings, which call it is

OK, ANY_FAILURE = "OK", "ERR_UNKNOWN"
ERRORS = ErrorTable(
    {
        Reason.BAD_SIGNATURE: "ERR_INTEGRITY_CHECK_FAILED",
        Reason.SESSION_EXPIRED: "ERR_NOT_AUTHENTICATED",
        Reason.NOT_AUTHENTICATED: "ERR_NOT_AUTHENTICATED",
        Reason.PLAYER_NOT_FOUND: "ERR_INVALID_PLAYER_ID",
        Reason.CURRENCY_MISMATCH: "ERR_INVALID_ACCOUNT",
        Reason.INSUFFICIENT_FUNDS: "ERR_NOT_ENOUGH_MONEY",
        Reason.TRANSACTION_NOT_FOUND: "ERR_TRANSACTION_DOES_NOT_EXIST",
        Reason.ALREADY_ROLLED_BACK: "ERR_TRANSACTION_ROLLED_BACK",
        Reason.INVALID_REQUEST: ANY_FAILURE,  # and every reason without a row
    },
    doubt=frozenset({ANY_FAILURE}),
)
EVERYWHERE = frozenset({"ERR_INTEGRITY_CHECK_FAILED", "ERR_NOT_AUTHENTICATED"})
WIDE = frozenset({"ERR_INVALID_PLAYER_ID", "ERR_INVALID_ACCOUNT"})
# command -> the codes that its page lists
LISTED: Mapping[str, frozenset[str]] = {
    "balance": EVERYWHERE | WIDE,
    "bet": EVERYWHERE | {"ERR_NOT_ENOUGH_MONEY"},
    "win": EVERYWHERE,
    "cancel": EVERYWHERE | {"ERR_TRANSACTION_DOES_NOT_EXIST", "ERR_TRANSACTION_ROLLED_BACK"},
}


def code_of(reason: Reason, command: str, settings: Settings) -> str:
    """The code that says `reason` to this command: only codes that the command's page lists."""
    code, listed = ERRORS.code(reason), LISTED.get(command, EVERYWHERE)
    if code in listed or (settings.wide_codes and code in WIDE):
        return code
    # A player whom bet, win and cancel cannot call unknown is not logged in.
    return "ERR_NOT_AUTHENTICATED" if reason is Reason.PLAYER_NOT_FOUND else ANY_FAILURE


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`wide_codes`: wrong player and wrong account have their code on every command.
    `php_booleans`: the sender signs true as `1` and false as nothing. `variant`: iGamingAce's fields."""

    amount_unit: Literal["major", "minor"] = "major"
    wide_codes: bool = False
    php_booleans: bool = False
    variant: Literal["standard", "igamingace"] = "standard"


COMMAND_OF = {Kind.BALANCE: "balance", Kind.DEBIT: "bet", Kind.CREDIT: "win", Kind.ROLLBACK: "cancel"}
CALLS = tuple(Wire(name=name, method="POST", path="/", kinds=(kind,)) for kind, name in COMMAND_OF.items())
NO_COMMAND = "unknown"  # answered ERR_UNKNOWN, with status 200 like everything here


def route(request: Request, settings: Any) -> str:
    """The command in the body; else the one appended to the path; else a `referenceId` means cancel."""
    word = request.path.strip("/")
    if "/" in word:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    fields = loosely(request)
    if fields is None:
        return NO_COMMAND
    command = fields.get("command")
    if command is not None and command != "":
        word = command if isinstance(command, str) else NO_COMMAND
    elif word.lower() not in LISTED and fields.get("referenceId") is not None:
        return "cancel"
    return word.lower() if word.lower() in LISTED else NO_COMMAND


# ---------------------------------------------------------------- the calls, field by field


def _long(line: Line) -> Line:
    """iGamingAce's ids are long integers, here and nowhere else."""

    def write(tx: Transaction, call: Call) -> int | str:
        id: str = line.write(tx, call)
        if call.settings.variant != "igamingace":
            return id
        number = integer(id)
        if number is None:
            raise unsupported("an id that is not an integer")
        return number

    return Line(line.name, line.read, write)


def _marker(name: str) -> Line:
    """Inside a bonus call or not, the amount is what moves."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        if fields.words(name).lower() in ("true", "1"):
            draft.extra[name] = "true"

    return Line(name, read, lambda tx, call: tx.extra.get(name) == "true")


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    """A number; live traffic has texts, too, which are forgiven nothing."""
    amount, number = fields.decimal("amount")
    if call.settings.amount_unit == "minor":
        code = draft.currency or call.currency
        if not code:
            raise fields.wrong("currency", Flaw.MISSING, "is missing, and minor units mean nothing without it")
        draft.amount_if_any = MINOR.read(whole(amount, "amount", number=number), code, call.currencies, "amount")
    else:
        draft.amount_if_any = MAJOR.read(amount, draft.currency, call.currencies, "amount", number=number)


def _write_amount(tx: Transaction, call: Call) -> Number:
    """In JavaScript's form, so that every receiver signs the same text; plain where that would lose digits."""
    amount, currency = amount_of(tx), needed("currency", tx.currency)
    if call.settings.amount_unit == "minor":
        return Number(MINOR.write(amount, currency, call.currencies))
    exact = token(plain(MAJOR.write(amount, currency, call.currencies)))
    shortest = js_number(exact)
    return Number(shortest) if Decimal(shortest) == amount else exact


COMMAND = Line("command", write=lambda tx, call: COMMAND_OF[tx.kind])
PLAYER, CURRENCY = form.PLAYER.id("playerId"), form.currency("currency")
AMOUNT = Line("amount", _read_amount, _write_amount)
STUDIO, TIME = form.words("providerId").read, moment("timestamp")
HEAD = (  # all of it is mandatory, so what nobody knows has a filler
    COMMAND, _long(form.ID.id("transactionId")), PLAYER, _long(form.ROUND.id("roundId")),
    Line("providerId", STUDIO, lambda tx, call: integer(tx.extra.get("providerId", "")) or 0),
    form.words("providerName", otherwise=lambda tx: tx.game.studio if tx.game else ""),
    _long(form.GAME.id("gameCode")), form.GAME_NAME.words("gameName", otherwise=lambda tx: tx.game_id),
)  # fmt: skip
# Missing means false: a win may still follow. One operator assumes true, and closes too early.
CLOSES = form.closes("isRoundFinished")
REFERENCE = _long(form.REFERENCE.id("referenceId", may_lack=True))
BONUS = Line("bonusId", form.FREE_ROUND.id_if_any("bonusId").read, lambda tx, call: integer(tx.free_round_id) or 0)
READ = (COMMAND, PLAYER, Line("providerId", STUDIO), CURRENCY, TIME)
MOVE = (*HEAD, CURRENCY, AMOUNT, CLOSES, _marker("isCall"), TIME)
ACE_MOVE = (*HEAD, CURRENCY, AMOUNT, Line(CLOSES.name, CLOSES.read), _marker("isBonusBusy"), BONUS, TIME)
CANCEL = (*HEAD, CURRENCY, AMOUNT, REFERENCE, TIME)
# iGamingAce's table of a cancel has no amount: all of it.
ACE_CANCEL = (*HEAD, form.if_any(CURRENCY, "currency"), form.if_any(AMOUNT, "amount"), REFERENCE, TIME)
FORMS = form.of_page(
    {
        ("standard", "balance"): READ, ("standard", "bet"): MOVE, ("standard", "win"): MOVE,
        ("standard", "cancel"): CANCEL, ("igamingace", "balance"): READ, ("igamingace", "bet"): ACE_MOVE,
        ("igamingace", "win"): ACE_MOVE, ("igamingace", "cancel"): ACE_CANCEL,
    }
)  # fmt: skip

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields, known = Fields.of(request), FORMS.get((call.settings.variant, call.name))
    if "data" in fields.raw and "check" in fields.raw:
        raise fields.wrong("data", Flaw.INVALID, "and check are Scorpio's older protocol, which is another one")
    if known is None:
        raise fields.wrong("command", Flaw.UNKNOWN_CALL, "is none of balance, bet, win, cancel")
    said = known.read(fields, call)
    said[form.FREE_ROUND] = said[form.FREE_ROUND] if said[form.FREE_ROUND] != "0" else ""
    match call.name:
        case "balance":
            return said.transaction(Balance())
        case "bet":
            return said.transaction(Debit(amount=said.amount))
        case "win":
            return said.transaction(Credit(amount=said.amount))
        case _:
            # Live calls exist with the bet's id in `transactionId` and no reference.
            return said.cancel(amount=said.amount_if_any)


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted):
        balance = _balance_out(needed("balance", outcome.balance), outcome, tx, call)
        return answer({"balance": balance, "statusCode": OK})
    code = code_of(outcome.reason, call.name, call.settings) if isinstance(outcome, Declined) else ANY_FAILURE
    if call.name == "balance":
        return answer({"statusCode": code})  # the page's error answers carry none
    shown = Number("0")  # mandatory, so not known is 0
    if isinstance(outcome, Declined) and outcome.balance is not None:
        shown = _balance_out(outcome.balance, outcome, tx, call)
    return answer({"balance": shown, "statusCode": code})


def _balance_out(balance: Decimal, outcome: Accepted | Declined, tx: Transaction | None, call: Call) -> Number:
    """19989.5, 150, 0.3: no superfluous zeros and never an exponent."""
    currency = currency_of(outcome, tx, call)
    if not call.currencies.knows(currency):
        return token(plain(balance))
    if call.settings.amount_unit == "minor":
        return Number(MINOR.show(balance, currency, call.currencies))
    return token(plain(MAJOR.show(balance, currency, call.currencies)))


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Balance() | Debit(tracking_only=False, free_round=False) | Credit(tracking_only=False):
            pass
        case Rollback(reference_kind=Kind.DEBIT):
            pass
        case _:
            raise unsaid(tx)
    said = FORMS[call.settings.variant, COMMAND_OF[tx.kind]].write(tx, call)
    return post("/", said).put(("accept", "application/json"))


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code, currency = fields.text("statusCode", length_max=64), tx.currency or call.currency
    balance = MAJOR.heard(fields, "balance", currency, call.currencies, minor=call.settings.amount_unit == "minor")
    if code == OK:
        return with_its_purse(Accepted(balance=balance, currency=currency), tx)
    # Operators say the wide ones everywhere.
    reason = ERRORS.reason(code) if code in LISTED[COMMAND_OF.get(tx.kind, "win")] | WIDE else None
    if reason is None:
        return Unknown(detail="ERR_UNKNOWN" if code == ANY_FAILURE else "a code that is not on this command's page")
    shown = balance or None  # 0 is also how a wallet says that it does not know
    return Declined(reason=reason, balance=shown, currency=currency if shown else "")


DIALECT = Dialect(
    name="scorpio_play",
    title="Scorpio Play (SlotCity, Bull Play, iGamingAce)",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"x-request-signature"}),
    as_provider=AsProvider(
        values_max=100,
        answer_within={"default": "3s", "credit": "4s", "rollback": "4s"},
        excess="pass",
        says_how_much=True,
    ),
    # "Full bet amount": what a wallet makes of another amount is its own affair, so it is never told one.
    as_wallet=AsWallet(undoes_whole=True),
)
