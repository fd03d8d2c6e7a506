"""Hub88: an aggregator's wallet API, and its sibling Caleta (`variant`). RSA over the raw body, statuses in words.

Source: docs.hub88.io (operator API: wallet, signing, statuses) and Caleta's public OpenAPI 1.5, a near copy of the same
protocol. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import UNSET, Struct

from adapters.hub88.demo import DEMO
from gateway.auth import InHeader, RsaSigned, base64_text, loosely, raw_body
from gateway.codec import form, frame
from gateway.codec.errors import ErrorTable
from gateway.codec.fields import Fields, Number, known
from gateway.codec.form import Draft, Line
from gateway.codec.units import Scaled
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Kept, Owed, Word
from gateway.http import Request, Response
from gateway.ids import UuidIds
from gateway.model import (
    Accepted,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
    unsupported,
)

UNIT = Scaled(5)  # 1.25 EUR = 125000, 5 JPY = 500000: the same for every currency


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`variant`: the paths, fields and codes of Caleta. `round_down_credits`: a win finer than its currency is paid
    rounded down; else it waits."""

    variant: Literal["hub88", "caleta"] = "hub88"
    round_down_credits: bool = False


def is_caleta(settings: Settings) -> bool:
    return settings.variant == "caleta"


HEADERS = {"hub88": InHeader("x-hub88-signature", base64_text), "caleta": InHeader("x-auth-signature", base64_text)}

# ---------------------------------------------------------------- calls

INFO, BALANCE, BET, WIN, ROLLBACK, CHECK = (
    "user/info", "user/balance", "transaction/bet", "transaction/win", "transaction/rollback", "wallet/check",
)  # fmt: skip
KINDS = {
    INFO: Kind.BALANCE, BALANCE: Kind.BALANCE, BET: Kind.DEBIT, WIN: Kind.CREDIT, ROLLBACK: Kind.ROLLBACK,
    CHECK: Kind.AUTHENTICATE,
}  # fmt: skip
CALLS = tuple(Wire(name=name, method="POST", path=f"/{name}", kinds=(kind,)) for name, kind in KINDS.items())
PATHS: Mapping[str, Mapping[str, str]] = {
    "hub88": {name: f"/{name}" for name in KINDS if name != CHECK},
    "caleta": {name: f"/wallet/{name.partition('/')[2]}" for name in KINDS if name != INFO},
}
NAMES: Mapping[str, Mapping[str, str]] = {
    variant: {path: name for name, path in paths.items()} for variant, paths in PATHS.items()
}


def route(request: Request, settings: Settings) -> str:
    name = NAMES[settings.variant].get(request.path.rstrip("/"))
    if name is None:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    return name


# ---------------------------------------------------------------- statuses

OK = "RS_OK"
UNKNOWN, TIMEOUT = "RS_ERROR_UNKNOWN", "RS_ERROR_TIMEOUT"  # both are doubt when heard; the first is said
WRONG_SYNTAX, WRONG_TYPES = "RS_ERROR_WRONG_SYNTAX", "RS_ERROR_WRONG_TYPES"
INVALID_TOKEN = "RS_ERROR_INVALID_TOKEN"  # noqa: S105  # a status, and no secret
DUPLICATE = "RS_ERROR_DUPLICATE_TRANSACTION"
LIMITS: Mapping[str, str] = {"hub88": "RS_ERROR_LIMIT_REACHED", "caleta": "RS_ERROR_BET_LIMIT_EXCEEDED"}
ERRORS = ErrorTable(
    {
        Reason.NOT_AUTHENTICATED: INVALID_TOKEN,
        Reason.SESSION_EXPIRED: "RS_ERROR_TOKEN_EXPIRED",
        Reason.GAME_NOT_FOUND: "RS_ERROR_INVALID_GAME",
        Reason.CURRENCY_MISMATCH: "RS_ERROR_WRONG_CURRENCY",
        Reason.INSUFFICIENT_FUNDS: "RS_ERROR_NOT_ENOUGH_MONEY",
        Reason.PLAYER_BLOCKED: "RS_ERROR_USER_DISABLED",
        Reason.PLAYER_NOT_FOUND: "RS_ERROR_USER_DISABLED",
        Reason.BAD_SIGNATURE: "RS_ERROR_INVALID_SIGNATURE",
        Reason.INVALID_REQUEST: WRONG_SYNTAX,
        Reason.DUPLICATE_MISMATCH: DUPLICATE,
        Reason.ALREADY_SETTLED: DUPLICATE,
        Reason.TRANSACTION_NOT_FOUND: "RS_ERROR_TRANSACTION_DOES_NOT_EXIST",
        Reason.ALREADY_ROLLED_BACK: "RS_ERROR_TRANSACTION_ROLLED_BACK",
        Reason.UNSUPPORTED: UNKNOWN,  # no status says it: a rollback follows, and finds nothing
        Reason.ROUND_CLOSED: UNKNOWN,
    },
    doubt=frozenset({UNKNOWN, TIMEOUT}),
    heard={  # what has another word, or none, when it is said
        WRONG_TYPES: Reason.INVALID_REQUEST,
        "RS_ERROR_INVALID_PARTNER": Reason.PLAYER_BLOCKED,  # the operator or the brand is switched off
        **dict.fromkeys(LIMITS.values(), Reason.LIMIT_EXCEEDED),
    },
)
ENDS: frozenset[Reason] = frozenset(
    {
        Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST, Reason.DUPLICATE_MISMATCH, Reason.ALREADY_SETTLED,
        Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK,
    }
)  # fmt: skip
"""What ends a win or a rollback. Of everything else the provider must ask again: it takes most of its statuses for final."""
UNREADABLE = frozenset({Flaw.NONE, Flaw.MISSING, Flaw.NULL, Flaw.BLANK, Flaw.UNPARSABLE, Flaw.CONTENT_TYPE})
SHOWN = frozenset({Reason.INSUFFICIENT_FUNDS})
"""Refusals that are told with the real balance, which is asked for where the wallet did not say it."""


def _status(outcome: Outcome, call: Call) -> str:
    if isinstance(outcome, Accepted):
        return OK
    if isinstance(outcome, Unknown):
        return UNKNOWN
    reason = outcome.reason
    if call.name in OWED and (reason not in ENDS or outcome.flaw is Flaw.IMPOSSIBLE):
        return UNKNOWN
    if reason is Reason.INVALID_REQUEST:
        return WRONG_SYNTAX if outcome.flaw in UNREADABLE else WRONG_TYPES
    if reason is Reason.LIMIT_EXCEEDED:
        return LIMITS[call.settings.variant]
    if reason is Reason.SESSION_EXPIRED and call.name != BET:
        return INVALID_TOKEN  # TOKEN_EXPIRED is for bets only
    return ERRORS.code(reason)


# ---------------------------------------------------------------- the calls, field by field

OWED = frozenset({WIN, ROLLBACK})
PASSED_ON = (
    "supplier_user", "bet", "meta", "supplier_transaction_id", "is_aggregated", "campaign_uuid", "jackpot_win", "game_id",
)  # fmt: skip
"""What is kept and not interpreted; `jackpot_win` is part of `amount`."""


def _read_studios_name(fields: Fields, draft: Draft, call: Call) -> None:
    draft.extra["supplier_user"] = fields.id("supplier_user")


def _read_own_name(fields: Fields, draft: Draft, call: Call) -> None:
    draft.extra |= known(user=fields.id_if_any("user"))


def _read_reward(fields: Fields, draft: Draft, call: Call) -> None:
    """The reward, else the campaign: a text, or none."""
    said = fields.opaque(*(name for name in ("reward_uuid", "campaign_uuid") if isinstance(fields.raw.get(name), str)))
    draft[form.FREE_ROUND] = (said.get("reward_uuid") or said.get("campaign_uuid") or "")[:128]


def _reward(tx: Transaction, call: Call) -> Any:
    return UNSET if tx.free_round_id in ("", tx.extra.get("campaign_uuid")) else tx.free_round_id


def _read_free(fields: Fields, draft: Draft, call: Call) -> None:
    draft.free = fields.flag("is_free")


def _free(tx: Transaction, call: Call) -> bool:
    return isinstance(tx.act, Debit | Credit) and tx.act.free_round


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    """An integer and nothing else: "100" is of the wrong type, and so is 100.0."""
    found = fields.value("amount")
    if not isinstance(found, Number) or not found.removeprefix("-").isdigit():
        raise fields.wrong("amount", Flaw.NOT_INTEGER, "is not an integer")
    whole = fields.integer("amount")
    if whole < 0:
        raise fields.wrong("amount", Flaw.TOO_LOW, "is negative")
    finest = 10 ** max(5 - call.currencies.digits(draft.currency), 0)
    if whole % finest and call.name == WIN and call.settings.round_down_credits:
        whole -= whole % finest
    elif whole % finest:  # what no wallet can book, and nobody may round
        raise fields.wrong("amount", Flaw.IMPOSSIBLE, f"has more digits than {draft.currency}")
    draft.amount_if_any = UNIT.read(whole, draft.currency, call.currencies, "amount")


def _amount(tx: Transaction, call: Call) -> int:
    return UNIT.write(frame.amount_of(tx), frame.needed("currency", tx.currency), call.currencies)


def _kept(name: str) -> Line:
    """A text of a bet or win that goes on as it came. The others are no texts on this wire, or mean nothing elsewhere."""
    return Line(name, write=lambda tx, call: tx.extra.get(name, UNSET))


PASSED = Line("meta", form.keeps(*PASSED_ON))
USER, ID = form.PLAYER.id("user"), form.ID.id("transaction_uuid", text_only=True)
# A bet's, of a rollback also a win's: the journal knows which (`rollback_kinds`).
REFERENCE = form.REFERENCE.id("reference_transaction_uuid", text_only=True)
# The id of this network call: a new one for each, so that its answer is no repeat of another's.
CALL_ID = Line("request_uuid", form.REQUEST.id("request_uuid").read, lambda tx, call: call.nonce)
# What a win or rollback is told with and no money hangs on.
HEAD = (form.loose(form.SESSION.id("token", length_max=1024), OWED), form.loose(CALL_ID, OWED))
GAME = form.loose(form.GAME.id("game_code"), OWED)
IN_ROUND = (form.ROUND.id("round"), form.loose(form.closes("round_closed", may_lack=False), OWED), GAME)
MONEY = (
    Line("is_free", _read_free, _free), form.currency("currency", length_max=16), Line("amount", _read_amount, _amount),
)  # fmt: skip
TEXTS = (PASSED, _kept("bet"), _kept("campaign_uuid"), Line("reward_uuid", _read_reward, _reward))
STAKE, PAYOUT = (*HEAD, ID, *IN_ROUND, *MONEY), (*HEAD, ID, REFERENCE, *IN_ROUND, *MONEY)
UNDO = (*HEAD, ID, REFERENCE, *IN_ROUND)
NAMED = form.kept("supplier_user")
WHO = (NAMED, USER)
STUDIOS_NAME = Line("supplier_user", _read_studios_name, USER.write)  # what such wallets take for their own player
FORMS = form.of_page(
    {
        ("hub88", BALANCE): (PASSED, NAMED, form.PLAYER.id("user", may_lack=True), *HEAD, GAME),
        ("hub88", BET): (*TEXTS, *WHO, *STAKE),
        ("hub88", WIN): (*TEXTS, *WHO, *PAYOUT),
        ("hub88", ROLLBACK): (PASSED, *WHO, *UNDO),
        ("caleta", BALANCE): (PASSED, STUDIOS_NAME, *HEAD, GAME),
        ("caleta", BET): (*TEXTS, STUDIOS_NAME, *STAKE),
        ("caleta", WIN): (*TEXTS, STUDIOS_NAME, *PAYOUT),
        ("caleta", ROLLBACK): (PASSED, Line("user", _read_own_name, USER.write), *UNDO),
    },
    also=PASSED_ON,
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of(request)
    if call.name == INFO:
        return Transaction(act=Balance(), player=fields.id("user"), request_id=fields.id("request_uuid"))
    if call.name == CHECK:
        token = fields.id("token", length_max=1024)
        return Transaction(act=Authenticate(launch_token=token), session=token)
    said = FORMS[call.settings.variant, call.name].read(fields, call)
    reference = said[form.REFERENCE]
    match KINDS[call.name]:
        case Kind.BALANCE:
            return said.transaction(Balance())
        case Kind.DEBIT:
            return said.transaction(Debit(amount=said.amount, free_round=said.free))
        case Kind.CREDIT:
            return said.transaction(Credit(amount=said.amount, free_round=said.free, reference=reference))
        case _:
            return said.transaction(Rollback(reference=reference))


def else_player(tx: Transaction, settings: Settings) -> str:
    """Who plays at Caleta where no session is known: `supplier_user`, in a rollback `user`. At Hub88 that is a studio's
    name for somebody, and the player is never guessed from it."""
    return (tx.extra.get("supplier_user") or tx.extra.get("user") or "") if is_caleta(settings) else ""


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if call.name == CHECK:
        return _checked(outcome, tx)
    if isinstance(outcome, Declined) and call.name == ROLLBACK and _nothing_left(outcome, call):
        outcome = Accepted(balance=outcome.balance, currency=outcome.currency)
    status = _status(outcome, call)
    said = _echoed(tx, call) | {"status": status}
    if call.name == INFO:
        currency = "" if isinstance(outcome, Unknown) else outcome.currency or (tx.currency if tx else "")
        return frame.answer(said | (known(country=call.country, currency=currency) if status == OK else {}))
    if isinstance(outcome, Unknown) or (tx is None and outcome.balance is None):
        return frame.answer(said)
    wanted = isinstance(outcome, Accepted) or (status != UNKNOWN and outcome.reason in SHOWN)
    if wanted and outcome.balance is None:
        raise Missing("balance")
    if outcome.balance is None:
        return frame.answer(said)
    currency = frame.currency_of(outcome, tx, call)
    return frame.answer(
        said | known(currency=currency) | {"balance": UNIT.show(outcome.balance, currency, call.currencies)}
    )


def _echoed(tx: Transaction | None, call: Call) -> dict[str, Any]:
    """`user` and `request_uuid` as they came, also where nothing else of the call could be read."""
    fields = (loosely(call.request) if call.request is not None else None) or {}
    player = _shortly(fields.get("user")) or (tx.player if tx is not None else "")
    return known(user=player) | {"request_uuid": _shortly(fields.get("request_uuid"))}


def _shortly(value: object) -> str:
    """A text, or a number as its text."""
    return str(value)[:128] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _nothing_left(declined: Declined, call: Call) -> bool:
    """What is undone already is a success; at Caleta so is what nobody knows, which is buried with it."""
    unknown = is_caleta(call.settings) and declined.reason is Reason.TRANSACTION_NOT_FOUND
    return unknown or declined.reason is Reason.ALREADY_ROLLED_BACK


def _checked(outcome: Outcome, tx: Transaction | None) -> Response:
    """Caleta's token exchange has no status: a refusal is an HTTP error."""
    if isinstance(outcome, Accepted):
        who = outcome.profile or Profile()
        return frame.answer({"token": who.session or (tx.session if tx else "")})
    return frame.answer({}, 401 if isinstance(outcome, Declined) else 500)


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() if is_caleta(call.settings):
            return _post(CHECK, {"token": frame.needed("session", tx.act.launch_token or tx.session)}, call)
        case Balance():
            name = BALANCE
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise frame.unsaid(tx)
        case Debit():
            name = BET
        case Credit():
            name = WIN
        case Rollback(reference_kind=Kind.DEBIT | Kind.CREDIT, amount=None):
            name = ROLLBACK
        case Rollback(reference_kind=Kind.DEBIT | Kind.CREDIT):
            raise unsupported("the amount of a rollback")
        case _:
            raise frame.unsaid(tx)
    return _post(name, FORMS[call.settings.variant, name].write(tx, call), call)


def _post(name: str, fields: Mapping[str, Any], call: Call) -> Request:
    request = frame.post(PATHS[call.settings.variant][name], fields).put(("accept", "application/json"))
    if not is_caleta(call.settings) or name in (BALANCE, CHECK):
        return request
    return request.put(("x-msg-timestamp", call.now.isoformat(" ", "microseconds")))  # a space: no RFC 3339


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    if isinstance(tx.act, Authenticate):
        return _heard_check(response, tx)
    return frame.heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    status = fields.text("status", length_max=64)
    if _of_another(fields, call.request):
        return Unknown(detail="the answer to another request")
    if status == OK:
        return _heard_yes(fields, tx, call)
    reason = ERRORS.reason(status)
    if reason is None or (status == DUPLICATE and call.again and isinstance(tx.act, Rollback)):
        # A rollback is repeated under the same words, which is RS_OK: this one may say that its bet is settled.
        return Unknown(detail=status)
    balance, currency = _balance_of_a_no(fields, tx, call)
    return Declined(reason=reason, balance=balance, currency=currency)


def _of_another(fields: Fields, request: Request | None) -> bool:
    """Whether it echoes the id of another network call than the one that was made."""
    asked = ((loosely(request) if request is not None else None) or {}).get("request_uuid")
    echo = fields.id("request_uuid", "", length_max=256)
    return bool(echo) and isinstance(asked, str) and echo != asked


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """A yes for another player or in another currency is doubt. Raises `Refused` where it cannot be read."""
    player, currency = fields.id("user", "", length_max=256), frame.heard_currency(fields, "currency", tx, call)
    if doubt := frame.of_another(tx, player="" if is_caleta(call.settings) else player, currency=currency):
        return doubt
    # A text is no balance. Where there is none, or none that can be read, what was said of the movement stands.
    is_text = type(fields.raw.get("balance")) is str  # a number is one of a subclass
    balance = None if is_text else UNIT.heard(fields, "balance", currency, call.currencies)
    return frame.with_its_purse(Accepted(balance=balance, currency=currency), tx)


def _balance_of_a_no(fields: Fields, tx: Transaction, call: Call) -> tuple[Decimal | None, str]:
    """Only shown, and dropped where it is another player's or in another currency."""
    try:
        heard = _heard_yes(fields, tx, call)
    except Refused:
        return None, ""
    return (heard.balance, heard.currency) if isinstance(heard, Accepted) else (None, "")


def _heard_check(response: Response, tx: Transaction) -> Outcome:
    if response.status == 401:
        return Declined(reason=Reason.NOT_AUTHENTICATED)
    try:
        token = Fields.of(response).id("token", length_max=1024) if response.status == 200 else ""
    except Refused as refused:
        return Unknown(detail=refused.message)
    if not token:
        return Unknown(detail=f"HTTP {response.status}")
    return Accepted(profile=Profile(player=tx.player, session=token))


DIALECT = Dialect(
    name="hub88",
    title="Hub88, and Caleta: an aggregator of studios",
    calls=CALLS,
    auth=RsaSigned(covers=raw_body, carried=lambda settings: HEADERS[settings.variant], demo=DEMO),
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"token", "x-hub88-signature", "x-auth-signature"}),
    as_provider=AsProvider(
        answer_within={"default": "3s"},
        # `transaction_uuid` names one movement of money, whatever its call.
        spaces={"transaction/bet": "movement", "transaction/win": "movement", "transaction/rollback": "movement"},
        values_max=300,  # a refusal echoes the request's own name
        replay_balance="request",
        content=lambda tx: (tx.game_id,),
        rollback_kinds={Kind.DEBIT.value: (Kind.DEBIT, Kind.CREDIT)},
        final_noes={Owed.NAMED_WIN: frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})},
        # Caleta gives a bet up when it cannot deliver its win: paid all the same, the win stands for it.
        kept_by=lambda settings: Kept.ITS_WIN if is_caleta(settings) else Kept.NOTHING,
        else_player=else_player,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT}),
        separates=False,
        ids=UuidIds(),
        yes_to_unknown=True,  # Caleta's are asked to; what Hub88's answer is not documented
        sessions=frozenset({Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
