"""NetGaming: its game server calls the operator's wallet; status 1 is success.

Source: docs-api.netgaming.com, the pages Debit, Credit, Refund, GetSession, GetBalance and errors.
What they leave open (nearly everything but the fields) is decided in NOTES.md.
"""

from __future__ import annotations

from typing import Any

from adapters.netgaming.wire import (
    AMOUNT_TYPES,
    BALANCE_FIELDS,
    CHANNEL_LENGTH_MAX,
    ERROR,
    FAILURE,
    MOVE_FIELDS,
    NAME_LENGTH_MAX,
    NO_ERROR,
    NOTE_LENGTH_MAX,
    REFUND_FIELDS,
    REFUND_TYPES,
    SESSION_FIELDS,
    SUCCESS,
    TOKEN_LENGTH_MAX,
    Settings,
    error_of,
    errors_of,
    extra_of,
    is_free,
    message_of,
    token_of,
    unit_of,
)
from gateway.auth import Unsigned
from gateway.codec.cents import read_balance, read_currency, read_whole
from gateway.codec.fields import Fields, known, write_json
from gateway.codec.ids import INT64_MAX, integer_or_text
from gateway.dialect import Call, Dialect, Wire, posts
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import JSON_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Missing,
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
    fields = Fields.of(request)
    match call.name:
        case "GetSession":
            return Transaction(act=Authenticate(), session=token_of(fields), extra=fields.unknown(SESSION_FIELDS))
        case "GetBalance":
            return _read_balance_call(fields)
        case "Refund":
            return _read_refund(fields, call)
        case _:
            return _read_move(fields, call)


def _read_balance_call(fields: Fields) -> Transaction:
    session, game_id, player = token_of(fields), fields.id("game_id"), fields.id("player_id")
    return Transaction(
        act=Balance(), session=session, player=player, game=Game(id=game_id), extra=fields.unknown(BALANCE_FIELDS)
    )


def _read_move(fields: Fields, call: Call) -> Transaction:
    """A Debit or a Credit: the same fields, in the order of the Debit page."""
    is_credit = call.name == "Credit"
    session, player = token_of(fields), fields.id("player_id")
    whole = read_whole(fields, "amount")
    free = is_free(fields, AMOUNT_TYPES)
    currency = read_currency(fields, "currency", call.currencies)
    amount = unit_of(call).read(whole, currency, call.currencies, "amount")
    channel = fields.words("channel", length_max=CHANNEL_LENGTH_MAX, strict=not is_credit)
    game_id, round_id = fields.id("game_id"), fields.id("round_id")
    game_name = fields.words("game_name", length_max=NAME_LENGTH_MAX, strict=not is_credit)
    tx_id = fields.id("transaction_id")
    # A losing round may be closed by its Debit or by a Credit of 0; neither page says which.
    closed = fields.flag("game_ended", False)
    note = fields.words("note", length_max=NOTE_LENGTH_MAX, strict=not is_credit)
    details = fields.object("additional_details", None)
    free_round_id = details.id("bonus_id", "")
    extra = extra_of(fields, MOVE_FIELDS, note)
    return Transaction(
        # A free debit carries its nominal stake or 0, the page does not say; it takes no cash either way.
        act=Credit(amount=amount, free_round=free) if is_credit else Debit(amount=amount, free_round=free),
        id=tx_id, player=player, session=session, currency=currency, round=Round(round_id, closed),
        game=Game(id=game_id, name=game_name), free_round_id=free_round_id, channel=channel,
        # The win of an in-game feature, not of a promotional free round.
        extra=extra | details.opaque("is_freespin") if is_credit else extra,
    )  # fmt: skip


def _read_refund(fields: Fields, call: Call) -> Transaction:
    session, player = token_of(fields), fields.id("player_id")
    currency = read_currency(fields, "currency", call.currencies)
    game_id, round_id = fields.id("game_id"), fields.id("round_id")
    game_name = fields.words("game_name", length_max=NAME_LENGTH_MAX)
    note = fields.words("note", length_max=NOTE_LENGTH_MAX)
    amount = unit_of(call).read(read_whole(fields, "amount"), currency, call.currencies, "amount")
    is_free(fields, REFUND_TYPES)
    reference = fields.id("original_transaction_id")
    tx_id = fields.id("transaction_id")
    return Transaction(
        act=Rollback(reference=reference, amount=amount),
        # The page's own example has one number for both; a wallet with one id space could not take it.
        id=f"refund:{reference}" if tx_id == reference else tx_id,
        player=player, session=session, currency=currency, round=Round(round_id),
        game=Game(id=game_id, name=game_name), extra=extra_of(fields, REFUND_FIELDS, note),
    )  # fmt: skip


# ---------------------------------------------------------------- provider's end: the answer


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        return _json(_accepted_fields(outcome, tx, call))
    if isinstance(outcome, Accepted):
        outcome = Unknown(detail="accepted, and nobody knows what")
    number, word = errors_of(call).said(outcome)
    message = outcome.message if isinstance(outcome, Declined) else ""
    # The call pages say `status`, the errors page `error`: both, so that either reader understands.
    said = {"status": FAILURE, "error": ERROR, "error_id": number, "error_code": word}
    return _json(said | known(error_message=message))


def _json(fields: dict[str, Any]) -> Response:
    # 200 for failures, too: nothing is documented about HTTP statuses.
    return Response(status=200, headers=JSON_HEADERS, body=write_json(fields))


def _accepted_fields(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    if outcome.balance is None:
        raise Missing("balance")
    who, unit = outcome.profile or Profile(), unit_of(call)
    currency = outcome.currency or tx.currency or call.currency
    if not currency:
        raise Missing("currency")
    balance = unit.show(outcome.balance, currency, call.currencies)
    said: dict[str, Any] = {"status": SUCCESS, "currency": currency, "balance": balance}
    if tx.kind is not Kind.AUTHENTICATE:
        bonus = 0 if outcome.bonus is None else unit.show(outcome.bonus, currency, call.currencies)
        said["bonus_amount"] = bonus
    if tx.kind in (Kind.AUTHENTICATE, Kind.BALANCE):
        said |= known(country=who.country or call.country or call.settings.default_country)
        return said | {"player_id": _needed("player", who.player or tx.player), "token": who.session or tx.session}
    # Every example answers another token than was asked with; ours is the one of the request.
    said |= {"player_id": tx.player, "token": tx.session, "transaction_id": outcome.wallet_id or tx.id}
    return said if tx.kind is Kind.ROLLBACK else said | {"bonus_bet": 0}


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            return _post("/get-session", {"token": _needed("session", tx.session)})
        case Balance():
            return _post("/get-balance", _head(tx) | {"game_id": _game_id(tx)})
        case Debit() if not tx.act.tracking_only:
            return _post("/debit", _move_fields(tx, tx.act, call))
        case Credit() if not tx.act.tracking_only:
            return _post("/credit", _move_fields(tx, tx.act, call))
        case Rollback() if tx.act.reference_kind is Kind.DEBIT:
            return _post("/refund", _refund_fields(tx, tx.act, call))
        case Rollback():
            raise unsupported(f"a rollback of a {tx.act.reference_kind.value}")
        case Debit() | Credit():
            raise unsupported(f"a tracking-only {tx.kind.value}")
        case _:
            raise unsupported(tx.kind.value)


def _post(path: str, fields: dict[str, Any]) -> Request:
    return Request(method="POST", path=path, headers=JSON_HEADERS, body=write_json(fields))


def _needed(what: str, value: str) -> str:
    if not value:
        raise Missing(what)
    return value


def _head(tx: Transaction) -> dict[str, Any]:
    return {"token": _needed("session", tx.session), "player_id": _needed("player", tx.player)}


def _game_id(tx: Transaction) -> int | str:
    return integer_or_text(_needed("game", tx.game_id), INT64_MAX)


def _move_fields(tx: Transaction, act: Debit | Credit, call: Call) -> dict[str, Any]:
    details: dict[str, Any] = {"bonus_id": tx.free_round_id or None}
    if isinstance(act, Credit) and tx.extra.get("is_freespin") in ("true", "false"):
        details["is_freespin"] = tx.extra["is_freespin"] == "true"
    return _shared(tx, act, call) | {
        "amount_type": "promo_freespin" if act.free_round else "real",
        "game_ended": bool(tx.round and tx.round.closed),
        "additional_details": details,
        **known(channel=tx.channel),
    }


def _refund_fields(tx: Transaction, act: Rollback, call: Call) -> dict[str, Any]:
    reference = _needed("reference", act.reference)
    return _shared(tx, act, call) | {"amount_type": "real", "original_transaction_id": reference}


def _shared(tx: Transaction, act: Debit | Credit | Rollback, call: Call) -> dict[str, Any]:
    """What the three movements have in common."""
    game, currency = tx.game or Game(), _needed("currency", tx.currency)
    if act.amount is None:
        raise Missing("amount")
    return _head(tx) | {
        "amount": unit_of(call).write(act.amount, currency, call.currencies),
        "currency": currency,
        "game_id": _game_id(tx),
        "round_id": integer_or_text(_needed("round", tx.round_id), INT64_MAX),
        "transaction_id": tx.id,
        **known(game_type=tx.extra.get("game_type") or game.type, game_name=game.name, note=tx.extra.get("note")),
    }


# ---------------------------------------------------------------- wallet's end: the answer


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    if response.status != 200:
        return Unknown(detail=f"HTTP {response.status}")
    try:
        return _heard(Fields.of(response), tx, call)
    except Refused as refused:
        return Unknown(detail=refused.message)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    status = fields.integer("status") if "status" in fields else None
    error = fields.integer("error") if "error" in fields else None
    number, word = error_of(fields)
    if status == SUCCESS and error in (None, NO_ERROR) and not number and not word:
        return _accepted(fields, tx, call)
    # The errors page knows no `status`, the call pages no `error`: one is enough, but not against the other.
    failed = status in (None, FAILURE) and error in (None, ERROR) and not (status is None and error is None)
    declined = errors_of(call).heard(number, word) if failed else None
    if declined is None:
        return Unknown(detail=f"no documented answer: status {status}, error {number} {word[:64]}")
    return Declined(reason=declined.reason, message=message_of(fields), field=declined.field, flaw=declined.flaw)


def _accepted(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    player, currency = fields.id("player_id"), read_currency(fields, "currency", call.currencies)
    if tx.player and player != tx.player:
        return Unknown(detail="accepted for another player")
    is_read = isinstance(tx.act, Authenticate | Balance)
    if tx.currency and currency != tx.currency and not isinstance(tx.act, Authenticate):
        return Unknown(detail=f"accepted in {currency}")
    unit = unit_of(call)
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
        body_key="api_key", values_max=300, answer_within={"default": "4s"}, replay_balance="stored", excess="refuse"
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        # A provider that gives a refund its debit's id shows that wallets see one space of ids.
        separates=False,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
