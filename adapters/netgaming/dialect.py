"""NetGaming: its game server calls the operator's wallet; status 1 is success.

Source: docs-api.netgaming.com, the pages Debit, Credit, Refund, GetSession, GetBalance and errors.
What they leave open (nearly everything but the fields) is decided in NOTES.md.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct

from gateway.auth import Unsigned
from gateway.codec import form
from gateway.codec.cents import WireScale, money, read_balance, read_currency, unit_of
from gateway.codec.fields import Fields, known
from gateway.codec.form import Draft, Form, Line
from gateway.codec.frame import answer, heard, needed, of_another, post, reader_of, unsaid
from gateway.codec.ids import INT64_MAX
from gateway.codec.numbered import NumberedErrors, Pair
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
    Rollback,
    Transaction,
    Unknown,
)

# `status` and `error` say the same thing with opposite signs; the family's other member turns
# `status` round, so these are nobody else's.
SUCCESS, FAILURE = 1, 0
ERROR, NO_ERROR = 1, 0

AMOUNT_TYPES = {"real": False, "promo_freespin": True}  # word -> free round
TOKEN_LENGTH_MAX = 1024  # the operator makes it; nothing is documented
NOTE_LENGTH_MAX = 1024

# ---------------------------------------------------------------- errors, settings

ROWS: dict[Reason, Pair] = {
    Reason.BAD_SIGNATURE: (1001, "INVALID_API_KEY"),
    Reason.CURRENCY_MISMATCH: (2006, "INVALID_CURRENCY"),
    Reason.SESSION_EXPIRED: (101, "INVALID_TOKEN"),
    Reason.NOT_AUTHENTICATED: (101, "INVALID_TOKEN"),
    Reason.PLAYER_NOT_FOUND: (102, "PLAYER_NOT_FOUND"),
    Reason.DUPLICATE_MISMATCH: (103, "DUPLICATE_TRANSACTION"),
    Reason.INSUFFICIENT_FUNDS: (105, "INSUFFICIENT_FUNDS"),
    Reason.TRANSACTION_NOT_FOUND: (107, "TRANSACTION_NOT_FOUND"),
    Reason.PLAYER_BLOCKED: (108, "PLAYER_BLOCKED"),
    Reason.LIMIT_EXCEEDED: (109, "LIMIT_EXCEEDED"),
    Reason.GAME_NOT_FOUND: (110, "GAME_NOT_FOUND"),
    Reason.ALREADY_ROLLED_BACK: (112, "ALREADY_REFUNDED"),
    Reason.ALREADY_SETTLED: (113, "ALREADY_SETTLED"),
    Reason.ROUND_CLOSED: (114, "ROUND_CLOSED"),
}
DOUBT: tuple[Pair, ...] = ((104, "SERVER_NOT_READY"), (100, "INTERNAL_ERROR"))
ERRORS = NumberedErrors(ROWS, doubt=DOUBT)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    wire_scale: WireScale = "fixed2"
    default_country: str | None = None
    errors: dict[Reason, Pair] = {}
    """Rows that a certification replaced: `{insufficient_funds: [205, NO_MONEY]}`."""
    doubt: Pair = (104, "SERVER_NOT_READY")

    def __post_init__(self) -> None:
        if Reason.INVALID_REQUEST in self.errors:
            raise ValueError("errors: invalid_request is documented (2001 to 2011), it cannot be replaced")


def errors_of(call: Call) -> NumberedErrors:
    settings: Settings = call.settings
    if not settings.errors and settings.doubt == DOUBT[0]:
        return ERRORS
    return NumberedErrors({**ROWS, **settings.errors}, doubt=(settings.doubt, *DOUBT))


# ---------------------------------------------------------------- the calls, field by field

TOKEN, PLAYER = form.SESSION.id("token", length_max=TOKEN_LENGTH_MAX), form.PLAYER.id("player_id")
GAME, ROUND = form.GAME.id("game_id", integer_max=INT64_MAX), form.ROUND.id("round_id", integer_max=INT64_MAX)
AMOUNT, CURRENCY = money("amount", "currency")
GAME_NAME = form.GAME_NAME.words("game_name", strict_in={"Debit"})
GAME_TYPE = form.passed_on("game_type", lambda tx: (tx.game and tx.game.type) or UNSET)  # decides nothing
NOTE = form.words("note", length_max=NOTE_LENGTH_MAX, strict_in={"Debit"})
ID = form.ID.id("transaction_id")


def _read_details(fields: Fields, draft: Draft, call: Call) -> None:
    details = fields.object("additional_details", None)
    draft[form.FREE_ROUND] = details.id_if_any("bonus_id") if call.name == "Credit" else details.id("bonus_id", "")
    if call.name == "Credit":  # the win of an in-game feature, not of a promotional free round
        draft.extra |= details.opaque("is_freespin")


def _details(tx: Transaction, call: Call) -> dict[str, Any]:
    feature = {"true": True, "false": False}.get(tx.extra.get("is_freespin", ""))
    return {"bonus_id": tx.free_round_id or None} | known(is_freespin=feature if tx.kind is Kind.CREDIT else None)


MOVE = Form(
    TOKEN, PLAYER, AMOUNT, form.free_round("amount_type", lambda call: AMOUNT_TYPES, cash="real", free="promo_freespin"),
    CURRENCY, form.CHANNEL.words("channel", length_max=64, strict_in={"Debit"}), GAME, ROUND, GAME_NAME, ID,
    form.closes("game_ended"),  # a losing round by its Debit or by a Credit of 0: neither page says which
    GAME_TYPE, NOTE, Line("additional_details", _read_details, _details),
)  # fmt: skip
REFUND = Form(
    TOKEN, PLAYER, CURRENCY, GAME, ROUND, GAME_NAME, GAME_TYPE, NOTE, AMOUNT,
    form.free_round("amount_type", lambda call: AMOUNT_TYPES, cash="real"), form.REFERENCE.id("original_transaction_id"),
    ID,
)  # fmt: skip
FORMS = {
    "GetSession": Form(TOKEN),
    "GetBalance": Form(TOKEN, GAME, PLAYER),
    "Debit": MOVE,
    "Credit": MOVE,
    "Refund": REFUND,
}

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    said = reader_of(FORMS, call).read(Fields.of(request), call)
    match call.name:
        case "GetSession":
            return said.transaction(Authenticate())
        case "GetBalance":
            return said.transaction(Balance())
        case "Credit":
            return said.transaction(Credit(amount=said.amount, free_round=said.free))
        case "Debit":  # a free one carries its nominal stake or 0, the page does not say; it takes no cash either way
            return said.transaction(Debit(amount=said.amount, free_round=said.free))
        case _:
            # The page's own example has one number for both; a wallet with one id space could not take it.
            return said.cancel(amount=said.amount)


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    """200 for failures, too: nothing is documented about HTTP statuses."""
    if isinstance(outcome, Accepted) and tx is not None:
        return answer(_yes(outcome, tx, call))
    # The call pages say `status`, the errors page `error`: both, so that either reader understands.
    return answer({"status": FAILURE, "error": ERROR} | errors_of(call).fields(outcome))


def _yes(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    balance, who, unit = needed("balance", outcome.balance), outcome.profile or Profile(), unit_of(call)
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    said = {"status": SUCCESS, "currency": currency, "balance": unit.show(balance, currency, call.currencies)}
    if tx.kind is not Kind.AUTHENTICATE:
        said["bonus_amount"] = 0 if outcome.bonus is None else unit.show(outcome.bonus, currency, call.currencies)
    if tx.kind in (Kind.AUTHENTICATE, Kind.BALANCE):
        said |= known(country=who.country or call.country or call.settings.default_country)
        return said | {"player_id": needed("player", who.player or tx.player), "token": who.session or tx.session}
    # Every example answers another token than was asked with; ours is the one of the request.
    said |= {"player_id": tx.player, "token": tx.session, "transaction_id": outcome.wallet_id or tx.id}
    return said if tx.kind is Kind.ROLLBACK else said | {"bonus_bet": 0}


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            return post("/get-session", FORMS["GetSession"].write(tx, call))
        case Balance():
            return post("/get-balance", FORMS["GetBalance"].write(tx, call))
        case Debit(tracking_only=False):
            return post("/debit", MOVE.write(tx, call))
        case Credit(tracking_only=False):
            return post("/credit", MOVE.write(tx, call))
        case Rollback(reference_kind=Kind.DEBIT):
            return post("/refund", REFUND.write(tx, call))
        case _:
            raise unsaid(tx)


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    status = fields.integer("status") if "status" in fields else None
    error = fields.integer("error") if "error" in fields else None
    number, word = _error(fields)
    if status == SUCCESS and error in (None, NO_ERROR) and not number and not word:
        return _heard_yes(fields, tx, call)
    # The errors page knows no `status`, the call pages no `error`: one is enough, but not against the other.
    failed = status in (None, FAILURE) and error in (None, ERROR) and not (status is None and error is None)
    declined = errors_of(call).heard(number, word) if failed else None
    if declined is None:
        return Unknown(detail=f"no documented answer: status {status}, error {number} {word[:64]}")
    texts = fields.opaque("error_message") | fields.object("error_detail", None).opaque("message")
    message = next(iter(texts.values()), "")[:NOTE_LENGTH_MAX]
    return Declined(reason=declined.reason, message=message, field=declined.field, flaw=declined.flaw)


def _error(fields: Fields) -> tuple[int | None, str]:
    """The error's number and word; the game server itself nests them."""
    if "error_detail" in fields:
        nested = fields.object("error_detail")
        return nested.integer("id") if "id" in nested else None, nested.text("code", "")
    return fields.integer("error_id") if "error_id" in fields else None, fields.text("error_code", "")


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    player, currency = fields.id("player_id"), read_currency(fields, "currency", call.currencies)
    asks = isinstance(tx.act, Authenticate)
    if doubt := of_another(tx, player=player, currency="" if asks else currency):
        return doubt
    is_read, unit = asks or isinstance(tx.act, Balance), unit_of(call)
    return Accepted(
        balance=read_balance(fields, "balance", unit, currency, call.currencies),
        bonus=read_balance(fields, "bonus_amount", unit, currency, call.currencies) if "bonus_amount" in fields else None,
        currency=currency,
        wallet_id="" if is_read else fields.id("transaction_id", length_max=256),
        profile=_profile(fields, tx, player) if is_read else None,
    )  # fmt: skip


def _profile(fields: Fields, tx: Transaction, player: str) -> Profile | None:
    answered = fields.id("token", "", length_max=TOKEN_LENGTH_MAX)
    who = Profile(
        player=player if isinstance(tx.act, Authenticate) else "",
        session="" if answered == tx.session else answered,  # a new one replaces ours
        country=fields.text("country", "", length_max=64),
    )
    return None if who == Profile() else who


DIALECT = Dialect(
    name="netgaming",
    title="NetGaming: JSON, amounts in cents, status 1 = success, unsigned",
    calls=(
        Wire(name="GetSession", method="POST", path="/get-session", kinds=(Kind.AUTHENTICATE,)),
        Wire(name="GetBalance", method="POST", path="/get-balance", kinds=(Kind.BALANCE,)),
        Wire(name="Debit", method="POST", path="/debit", kinds=(Kind.DEBIT,)),
        Wire(name="Credit", method="POST", path="/credit", kinds=(Kind.CREDIT,)),
        Wire(name="Refund", method="POST", path="/refund", kinds=(Kind.ROLLBACK,)),
    ),
    auth=Unsigned(),
    route=posts(
        {
            "/get-session": "GetSession",
            "/get-balance": "GetBalance",
            "/debit": "Debit",
            "/credit": "Credit",
            "/refund": "Refund",
        }
    ),
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
        # A provider that gives a refund its debit's id shows that wallets see one space of ids.
        separates=False,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
