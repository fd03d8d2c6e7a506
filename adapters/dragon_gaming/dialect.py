"""Dragon Gaming: its game server calls the operator's wallet; status 0 is success, unless set otherwise.

Source: support.dragongaming.com, the pages Debit, Credit, Refund, GetSession, GetBalance and error
codes. What they leave open, and where they contradict each other, is decided in NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct

from gateway.auth import Unsigned
from gateway.codec import form
from gateway.codec.cents import WireScale, money, read_balance, read_currency, unit_of
from gateway.codec.fields import Fields, Number, known
from gateway.codec.form import Draft, Form, Line
from gateway.codec.frame import answer, heard, needed, of_another, post, reader_of, unsaid
from gateway.codec.ids import INT64_MAX, UINT64_MAX
from gateway.codec.numbered import NumberedErrors
from gateway.dialect import Call, Dialect, Wire, posts
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Kind,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
    cancel_id,
)

TOKEN_LENGTH_MAX = 1024  # the operator makes it; nothing is documented
NOTE_LENGTH_MAX = 1024

# ---------------------------------------------------------------- errors, settings

ERRORS = NumberedErrors(
    {
        Reason.SESSION_EXPIRED: (101, "INVALID_TOKEN"),
        Reason.NOT_AUTHENTICATED: (101, "INVALID_TOKEN"),
        Reason.BAD_SIGNATURE: (1001, "INVALID_API_KEY"),
        Reason.CURRENCY_MISMATCH: (2006, "INVALID_CURRENCY"),
        Reason.PLAYER_NOT_FOUND: (102, "ACCOUNT_DOESNT_EXIST"),
        Reason.DUPLICATE_MISMATCH: (103, "DUPLICATE_TRANSACTION"),
        Reason.INSUFFICIENT_FUNDS: (105, "INSUFFICIENT_FUNDS"),
        Reason.TRANSACTION_NOT_FOUND: (107, "ROUND_NOT_FOUND"),
        Reason.PLAYER_BLOCKED: (108, "PLAYER_BLOCKED"),
        Reason.LIMIT_EXCEEDED: (109, "LIMIT_EXCEEDED"),
        Reason.GAME_NOT_FOUND: (110, "GAME_NOT_FOUND"),
        Reason.ALREADY_ROLLED_BACK: (112, "ALREADY_REFUNDED"),
        Reason.ALREADY_SETTLED: (113, "ALREADY_SETTLED"),
        Reason.ROUND_CLOSED: (114, "ROUND_CLOSED"),
    },
    doubt=((104, "SERVER_NOT_READY"), (100, "INTERNAL_ERROR")),
    also={"ROUND_EXISTS": Reason.DUPLICATE_MISMATCH},  # the aggregator's word for 103
)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    wire_scale: WireScale = "fixed2"
    default_country: str | None = None
    success_status: Literal[0, 1] = 0  # 1 on one of the pages and at the aggregator; the other one is failure
    legacy_amount_types: bool = False
    bonus_amount_as_string: bool = False
    echo_transaction_id: bool = False
    """Answer the request's `transaction_id` instead of the wallet's own id."""


# ---------------------------------------------------------------- the calls, field by field


def _amount_types(call: Call) -> Mapping[str, bool]:
    """Word -> whether it is a promotional free round."""
    types = {"real": False, "promo_freespin": True}
    return {**types, "cash": False} if call.settings.legacy_amount_types else types


def _read_feature(fields: Fields, draft: Draft, call: Call) -> None:
    """`isfreespins` in the table, `isfreespin` in the example: an in-game feature, no promotional round."""
    for text in fields.opaque("isfreespin", "isfreespins").values():
        draft.extra["in_game_freespin"] = text


FLAGS = {"true": True, "false": False}
FEATURE = Line("isfreespin", _read_feature, lambda tx, call: FLAGS.get(tx.extra.get("in_game_freespin", ""), UNSET))
TOKEN, ACCOUNT = form.SESSION.id("token", length_max=TOKEN_LENGTH_MAX), form.PLAYER.id("account_id")
AMOUNT, CURRENCY = money("amount", "currency")
GAME = form.GAME.id("game_id", integer_max=INT64_MAX)
ROUND = form.ROUND.id("round_id", integer_max=UINT64_MAX)  # "bigint unsigned": beyond 2^63 it is still an integer here
GAME_NAME = form.GAME_NAME.words("game_name", strict_in={"Debit"})
GAME_TYPE = form.passed_on("game_type", lambda tx: (tx.game and tx.game.type) or UNSET)
NOTE = form.words("note", length_max=NOTE_LENGTH_MAX, strict_in={"Debit"})
MOVE = (
    TOKEN, ACCOUNT, AMOUNT, form.free_round("amount_type", _amount_types, cash="real", free="promo_freespin"), CURRENCY,
    GAME, form.ID.id("transaction_id"), ROUND, GAME_NAME, GAME_TYPE, NOTE,
    form.loose(form.FREE_ROUND.optional("bonus_id", otherwise=None), {"Credit"}),
)  # fmt: skip
FORMS = {
    "GetSession": Form(TOKEN),
    "GetBalance": Form(TOKEN, ACCOUNT),
    "Debit": Form(*MOVE),
    "Credit": Form(*MOVE, form.closes("round_end_state"), FEATURE, also={"isfreespins"}),
    "Refund": Form(
        TOKEN, ACCOUNT, CURRENCY, GAME, GAME_NAME, GAME_TYPE, NOTE, AMOUNT, form.REFERENCE.id("original_transaction_id"),
        form.ID.id("transaction_id", may_lack=True), form.free_round("amount_type", _amount_types, cash="real"), ROUND,
    ),
}  # fmt: skip

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    said = reader_of(FORMS, call).read(Fields.of(request), call)
    match call.name:
        case "GetSession":
            return said.transaction(Authenticate())
        case "GetBalance":
            return said.transaction(Balance())
        case "Debit":
            said.closed = False  # it has no flag for it: only a Credit closes a round, a lost one with amount 0
            return said.transaction(Debit(amount=said.amount, free_round=said.free))
        case "Credit":
            return said.transaction(Credit(amount=said.amount, free_round=said.free))
        case _:
            # Without an id, or with its debit's: the page forbids that, and it still occurs.
            return said.cancel(amount=said.amount)


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    """200 for failures, too: the aggregator answers it to everything, and the pages say nothing."""
    if isinstance(outcome, Accepted) and tx is not None:
        return answer(_yes(outcome, tx, call))
    return answer({"status": 1 - call.settings.success_status} | ERRORS.fields(outcome))


def _yes(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    balance, who, unit = needed("balance", outcome.balance), outcome.profile or Profile(), unit_of(call)
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    player, reads = needed("player", who.player or tx.player), tx.kind in (Kind.AUTHENTICATE, Kind.BALANCE)
    said: dict[str, Any] = {
        "status": call.settings.success_status,
        "account_id": player,
        "token": (who.session if reads else "") or tx.session,
        "balance": unit.show(balance, currency, call.currencies),
        "currency": currency,
        **known(country=who.country or call.country or call.settings.default_country),
    }
    if not reads:
        said["transaction_id"] = _answered_id(outcome, tx, call)
    if tx.kind is Kind.AUTHENTICATE:
        said["username"] = who.username or player
    elif tx.kind is not Kind.ROLLBACK:
        bonus = 0 if outcome.bonus is None else unit.show(outcome.bonus, currency, call.currencies)
        said["bonus_amount"] = str(bonus) if call.settings.bonus_amount_as_string else bonus
    return said


def _answered_id(outcome: Accepted, tx: Transaction, call: Call) -> str:
    """The wallet's own id, unless the integration wants the request's back (the aggregator does so)."""
    if not call.settings.echo_transaction_id:
        return outcome.wallet_id or tx.id
    act = tx.act
    return act.reference if isinstance(act, Rollback) and tx.id == cancel_id(act.reference) else tx.id


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            name = "GetSession"
        case Balance():
            name = "GetBalance"
        case Debit(tracking_only=False):
            name = "Debit"
        case Credit(tracking_only=False):
            name = "Credit"
        case Rollback(reference_kind=Kind.DEBIT):
            name = "Refund"
        case _:
            raise unsaid(tx)
    return post(CALLS[name][0], FORMS[name].write(tx, call))


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    # An error's number or word means failure whatever `status` says: its polarity is not to be trusted.
    if "error_id" not in fields and "error_code" not in fields:
        # The Chinese edition's `error` is 1 for a failure; beside a yes it is a contradiction.
        if fields.integer("status") == call.settings.success_status and not fields.integer("error", 0):
            return _heard_yes(fields, tx, call)
        return Unknown(detail="neither success nor a documented error")
    number, word = _error(fields)
    # 101 is INVALID_TOKEN here and INVALID_PARAMETERS at the aggregator: the word counts more than the number.
    declined = ERRORS.heard(number, word) or ERRORS.heard(None, word)
    if declined is None:
        return Unknown(detail=f"no documented error: {number} {word[:64]}")
    message = fields.opaque("error_message").get("error_message", "")[:NOTE_LENGTH_MAX]
    return Declined(reason=declined.reason, message=message, field=declined.field, flaw=declined.flaw)


def _error(fields: Fields) -> tuple[int | None, str]:
    """The error's number and word. `error_code` is typed Integer and shown as a word: it may be either."""
    code = fields.value("error_code", "")
    if isinstance(code, Number) or (isinstance(code, str) and code.isascii() and code.isdigit()):
        return fields.integer("error_code"), ""
    try:
        number = fields.integer("error_id") if "error_id" in fields else None
    except Refused:
        number = None  # the word is what counts
    return number, fields.text("error_code", "")


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    player, currency = fields.id("account_id"), read_currency(fields, "currency", call.currencies)
    if doubt := of_another(tx, player=player, currency="" if isinstance(tx.act, Authenticate) else currency):
        return doubt
    wallet_id = ""
    if not isinstance(tx.act, Authenticate | Balance):
        wallet_id = fields.id("transaction_id", length_max=256)
        if call.settings.echo_transaction_id and wallet_id != tx.id:
            return Unknown(detail="accepted under another id")
    unit = unit_of(call)
    return Accepted(
        balance=read_balance(fields, "balance", unit, currency, call.currencies),
        bonus=read_balance(fields, "bonus_amount", unit, currency, call.currencies) if "bonus_amount" in fields else None,
        currency=currency,
        wallet_id="" if call.settings.echo_transaction_id else wallet_id,
        profile=_profile(fields, tx, player),
    )  # fmt: skip


def _profile(fields: Fields, tx: Transaction, player: str) -> Profile | None:
    """Every answer names the country; a new token counts where the session itself was asked about."""
    is_authenticate = isinstance(tx.act, Authenticate)
    answered = fields.id("token", "", length_max=TOKEN_LENGTH_MAX)
    is_new = answered != tx.session and isinstance(tx.act, Authenticate | Balance)
    username = fields.id("username", "", length_max=256)
    who = Profile(
        player=player if is_authenticate else "",
        session=answered if is_new else "",
        country=fields.text("country", "", length_max=64),
        # The account again where the name cannot be shared: then it is no name.
        username=username if is_authenticate and username != player else "",
    )
    return None if who == Profile() else who


CALLS = {
    "GetSession": ("/get_session", Kind.AUTHENTICATE),
    "GetBalance": ("/get_balance", Kind.BALANCE),
    "Debit": ("/debit", Kind.DEBIT),
    "Credit": ("/credit", Kind.CREDIT),
    "Refund": ("/refund", Kind.ROLLBACK),
}

DIALECT = Dialect(
    name="dragon_gaming",
    title="Dragon Gaming: JSON, amounts in cents, status 0 = success, unsigned",
    calls=tuple(Wire(name=name, method="POST", path=path, kinds=(kind,)) for name, (path, kind) in CALLS.items()),
    auth=Unsigned(),
    # `/get-session` is understood, too.
    route=posts({spelling: name for name, (path, _) in CALLS.items() for spelling in (path, path.replace("_", "-"))}),
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    settings=Settings,
    hides=frozenset({"token", "api_key"}),
    as_provider=AsProvider(
        body_key="api_key",
        values_max=300,
        answer_within={"default": "4s"},
        replay_balance="stored",
        excess="refuse",
        says_how_much=True,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        # A refund's id "must not equal the failed one's": wallets see one space of ids.
        separates=False,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
