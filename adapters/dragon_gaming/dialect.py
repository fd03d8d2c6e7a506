"""Dragon Gaming: its game server calls the operator's wallet; status 0 is success, unless set otherwise.

Source: support.dragongaming.com, the pages Debit, Credit, Refund, GetSession, GetBalance and error
codes. What they leave open, and where they contradict each other, is decided in NOTES.md.
"""

from __future__ import annotations

from typing import Any

from adapters.dragon_gaming.wire import (
    AMOUNT_TYPES,
    BALANCE_FIELDS,
    CREDIT_FIELDS,
    DEBIT_FIELDS,
    ERRORS,
    LEGACY_AMOUNT_TYPES,
    LEGACY_REFUND_TYPES,
    NAME_LENGTH_MAX,
    NOTE_LENGTH_MAX,
    REFUND_FIELDS,
    REFUND_TYPES,
    SESSION_FIELDS,
    TOKEN_LENGTH_MAX,
    Settings,
    error_of,
    extra_of,
    feature_of,
    is_free,
    status_of,
    token_of,
    unit_of,
)
from gateway.auth import Unsigned
from gateway.codec.cents import read_balance, read_currency, read_whole
from gateway.codec.fields import Fields, known, write_json
from gateway.codec.ids import INT64_MAX, UINT64_MAX, integer_or_text
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
            session, player = token_of(fields), fields.id("account_id")
            return Transaction(act=Balance(), session=session, player=player, extra=fields.unknown(BALANCE_FIELDS))
        case "Refund":
            return _read_refund(fields, call)
        case _:
            return _read_move(fields, call)


def _read_move(fields: Fields, call: Call) -> Transaction:
    """A Debit or a Credit: the same fields in the same order, and a Credit has two more at the end."""
    is_credit = call.name == "Credit"
    session, player = token_of(fields), fields.id("account_id")
    whole = read_whole(fields, "amount")
    free = is_free(fields, LEGACY_AMOUNT_TYPES if call.settings.legacy_amount_types else AMOUNT_TYPES)
    currency = read_currency(fields, "currency", call.currencies)
    amount = unit_of(call).read(whole, currency, call.currencies, "amount")
    game_id, tx_id = fields.id("game_id"), fields.id("transaction_id")
    round_id = fields.id("round_id")  # up to 2^64-1
    game_name = fields.words("game_name", length_max=NAME_LENGTH_MAX, strict=not is_credit)
    note = fields.words("note", length_max=NOTE_LENGTH_MAX, strict=not is_credit)
    free_round_id = fields.id("bonus_id", "")
    # A Debit has no round flag; only a Credit closes a round, a lost one with amount 0.
    closed = fields.flag("round_end_state", False) if is_credit else False
    extra = extra_of(fields, CREDIT_FIELDS if is_credit else DEBIT_FIELDS, note)
    return Transaction(
        act=Credit(amount=amount, free_round=free) if is_credit else Debit(amount=amount, free_round=free),
        id=tx_id, player=player, session=session, currency=currency, round=Round(round_id, closed),
        game=Game(id=game_id, name=game_name), free_round_id=free_round_id,
        extra=extra | feature_of(fields) if is_credit else extra,
    )  # fmt: skip


def _read_refund(fields: Fields, call: Call) -> Transaction:
    session, player = token_of(fields), fields.id("account_id")
    currency = read_currency(fields, "currency", call.currencies)
    game_id = fields.id("game_id")
    game_name = fields.words("game_name", length_max=NAME_LENGTH_MAX)
    note = fields.words("note", length_max=NOTE_LENGTH_MAX)
    amount = unit_of(call).read(read_whole(fields, "amount"), currency, call.currencies, "amount")
    reference = fields.id("original_transaction_id")
    tx_id = fields.id("transaction_id", "")
    is_free(fields, LEGACY_REFUND_TYPES if call.settings.legacy_amount_types else REFUND_TYPES)
    round_id = fields.id("round_id")
    return Transaction(
        act=Rollback(reference=reference, amount=amount),
        id=_own_id(reference) if tx_id in ("", reference) else tx_id,
        player=player, session=session, currency=currency, round=Round(round_id),
        game=Game(id=game_id, name=game_name), extra=extra_of(fields, REFUND_FIELDS, note),
    )  # fmt: skip


def _own_id(reference: str) -> str:
    """For a refund without an id, or with its debit's: the page forbids that, and it still occurs."""
    return f"refund:{reference}"


# ---------------------------------------------------------------- provider's end: the answer


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        return _json(_accepted_fields(outcome, tx, call))
    if isinstance(outcome, Accepted):
        outcome = Unknown(detail="accepted, and nobody knows what")
    number, word = ERRORS.said(outcome)
    message = outcome.message if isinstance(outcome, Declined) else ""
    said = {"status": status_of(call, success=False), "error_id": number, "error_code": word}
    return _json(said | known(error_message=message))


def _json(fields: dict[str, Any]) -> Response:
    # 200 for failures, too: the aggregator answers it to everything, and the pages say nothing.
    return Response(status=200, headers=JSON_HEADERS, body=write_json(fields))


def _accepted_fields(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    if outcome.balance is None:
        raise Missing("balance")
    who, unit = outcome.profile or Profile(), unit_of(call)
    currency = _needed("currency", outcome.currency or tx.currency or call.currency)
    player = _needed("player", who.player or tx.player)
    said: dict[str, Any] = {
        "status": status_of(call, success=True),
        "account_id": player,
        "token": tx.session,
        "balance": unit.show(outcome.balance, currency, call.currencies),
        "currency": currency,
        **known(country=who.country or call.country or call.settings.default_country),
    }
    if tx.kind in (Kind.AUTHENTICATE, Kind.BALANCE):
        said["token"] = who.session or tx.session
    else:
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
    return act.reference if isinstance(act, Rollback) and tx.id == _own_id(act.reference) else tx.id


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            return _post("/get_session", {"token": _needed("session", tx.session)})
        case Balance():
            return _post("/get_balance", _head(tx))
        case Debit() if not tx.act.tracking_only:
            return _post("/debit", _move_fields(tx, tx.act, call))
        case Credit() if not tx.act.tracking_only:
            return _post("/credit", _move_fields(tx, tx.act, call) | _credit_fields(tx))
        case Rollback() if tx.act.reference_kind is Kind.DEBIT:
            reference = _needed("reference", tx.act.reference)
            real = {"amount_type": "real", "original_transaction_id": reference}
            return _post("/refund", _shared(tx, tx.act, call) | real)
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
    return {"token": _needed("session", tx.session), "account_id": _needed("player", tx.player)}


def _move_fields(tx: Transaction, act: Debit | Credit, call: Call) -> dict[str, Any]:
    word = "promo_freespin" if act.free_round else "real"
    return _shared(tx, act, call) | {"amount_type": word, "bonus_id": tx.free_round_id or None}


def _credit_fields(tx: Transaction) -> dict[str, Any]:
    feature = {"true": True, "false": False}.get(tx.extra.get("in_game_freespin", ""))
    return {"round_end_state": bool(tx.round and tx.round.closed)} | known(isfreespin=feature)


def _shared(tx: Transaction, act: Debit | Credit | Rollback, call: Call) -> dict[str, Any]:
    """What the three movements have in common."""
    game, currency = tx.game or Game(), _needed("currency", tx.currency)
    if act.amount is None:
        raise Missing("amount")
    return _head(tx) | {
        "amount": unit_of(call).write(act.amount, currency, call.currencies),
        "currency": currency,
        "game_id": integer_or_text(_needed("game", game.id), INT64_MAX),
        "transaction_id": tx.id,
        # "Bigint unsigned": a round beyond 2^63 is still an integer here.
        "round_id": integer_or_text(_needed("round", tx.round_id), UINT64_MAX),
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
    # An error's number or word means failure whatever `status` says: its polarity is not to be trusted.
    if "error_id" in fields or "error_code" in fields:
        return _declined(fields)
    # The Chinese edition's `error` is 1 for a failure; beside a yes it is a contradiction.
    if fields.integer("status") == status_of(call, success=True) and not fields.integer("error", 0):
        return _accepted(fields, tx, call)
    return Unknown(detail="neither success nor a documented error")


def _declined(fields: Fields) -> Outcome:
    number, word = error_of(fields)
    # 101 is INVALID_TOKEN here and INVALID_PARAMETERS at the aggregator: the word counts more than the number.
    declined = ERRORS.heard(number, word) or ERRORS.heard(None, word)
    if declined is None:
        return Unknown(detail=f"no documented error: {number} {word[:64]}")
    message = fields.opaque("error_message").get("error_message", "")[:NOTE_LENGTH_MAX]
    return Declined(reason=declined.reason, message=message, field=declined.field, flaw=declined.flaw)


def _accepted(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    player, currency = fields.id("account_id"), read_currency(fields, "currency", call.currencies)
    if tx.player and player != tx.player:
        return Unknown(detail="accepted for another player")
    if tx.currency and currency != tx.currency and not isinstance(tx.act, Authenticate):
        return Unknown(detail=f"accepted in {currency}")
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
    username = fields.id("username", "", length_max=NAME_LENGTH_MAX)
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
        body_key="api_key", values_max=300, answer_within={"default": "4s"}, replay_balance="stored", excess="refuse"
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        # A refund's id "must not equal the failed one's": wallets see one space of ids.
        separates=False,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
