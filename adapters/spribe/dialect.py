"""Spribe (Aviator): JSON, an HMAC over timestamp, path and body, the outcome as a code in the body, thousandths.

The vendor's manual needs a login. Source: what independent public operator wallets agree on; what they
leave open is decided in NOTES.md. `withdraw` takes and `deposit` gives, from the purse's point of view.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from adapters.spribe.wire import (
    BY_ACTION,
    BY_WORD,
    CALLS,
    DEFAULT_PROVIDER,
    DOUBT,
    DUPLICATE,
    FREE,
    HEARD,
    MESSAGES,
    NAMES,
    NO_CALL,
    OK,
    REFUSED,
    Settings,
    code_of,
    read_amount,
    read_balance,
    rescaled,
    unit_of,
)
from gateway.auth import Composed, Field, InHeader, Part, Stamp, Stamped, Steps, compacted, hmac_of, loosely, told
from gateway.codec.fields import Fields, known
from gateway.codec.frame import answer, heard, heard_currency, needed, of_another, post, unsaid
from gateway.dialect import Call, Dialect, NoCall
from gateway.ends import AsProvider, AsWallet, Owed
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Act,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Rollback,
    Round,
    Transaction,
    Unknown,
    reference_of,
    unsupported,
)

# ---------------------------------------------------------------- signature


STAMP = Stamp(
    who=Part("client_id", secret=False, demo="sp-test-operator"),
    sender="x-spribe-client-id",
    moment="x-spribe-client-ts",
)


def _parts(request: Request, settings: Any) -> list[Field]:
    path = request.url if settings.signed_path == "own" else request.target or request.url
    stamp = request.header(STAMP.moment)
    return [("timestamp", stamp), ("path", path.encode("latin-1", "backslashreplace")), ("body", request.body)]


@told(
    Steps(
        selected="the time stamp, the path with its query and the body",
        order="in this order",
        form="as they were sent; the body else as compact JSON",
        joined="with nothing between them",
        fields=Composed(found=_parts),
    )
)
def covered(request: Request, settings: Any) -> Iterable[bytes]:
    """Timestamp, path, body: the path with our own prefix and the query, the body as it stands, else as compact JSON."""
    path = request.url if settings.signed_path == "own" else request.target or request.url
    stamp = request.header(STAMP.moment)
    head = f"{stamp}{path}".encode("latin-1", "backslashreplace")  # as a target's bytes were read
    yield head + request.body
    compact = compacted(request.body)
    if compact != request.body:
        yield head + compact


SIGNED = Stamped(
    stamp=STAMP,
    covers=covered,
    digest=hmac_of("sha256"),
    carried=InHeader("x-spribe-client-signature", folded=True),
    demo="sp-test-secret",
)

# ---------------------------------------------------------------- which call it is


def route(request: Request, settings: Any) -> str:
    """The last segment of the path; where there is none, one URL stands for all and `action` says which."""
    word = request.path.rstrip("/").rpartition("/")[2]
    name = BY_WORD.get(word.removesuffix("_spribe"))
    if name is None and word:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    if name is not None:
        return name
    action = (loosely(request) or {}).get("action")
    return BY_ACTION.get(action, NO_CALL) if isinstance(action, str) else NO_CALL


# ---------------------------------------------------------------- provider's end: the request


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of(request)
    match call.name:
        case "auth":
            return _read_auth(fields, call)
        case "info":
            currency = _currency(fields, call)
            return Transaction(
                act=Balance(), player=fields.id("user_id"), session=fields.id("session_token", "", length_max=1024),
                currency=currency, channel=_loosely(fields, "platform", 64), extra=_extra(fields),
            )  # fmt: skip
        case "withdraw" | "deposit" | "rollback":
            return _read_movement(fields, call)
        case _:
            raise fields.wrong("action", Flaw.UNKNOWN_CALL, "is none of auth, info, withdraw, deposit, rollback")


def _read_auth(fields: Fields, call: Call) -> Transaction:
    token = fields.id("user_token", length_max=1024)
    return Transaction(
        act=Authenticate(launch_token=token), session=fields.id("session_token", "", length_max=1024),
        currency=_currency(fields, call), channel=_loosely(fields, "platform", 64), extra=_extra(fields),
    )  # fmt: skip


def _read_movement(fields: Fields, call: Call) -> Transaction:
    player, currency = fields.id("user_id"), ""
    if call.name != "rollback":  # that one names none: it is the session's, or the bet's
        currency = call.currencies.meant(fields.text("currency"))
    act, tx_id = _read_act(fields, currency, call), fields.id("provider_tx_id")
    round_id = fields.id("action_id", "")
    game = Game(id=_loosely(fields, "game", 128), studio=_loosely(fields, "provider", 128))
    return Transaction(
        act=act, id=tx_id, player=player, session=_loosely(fields, "session_token", 1024), currency=currency,
        round=Round(round_id) if round_id else None, game=game if game != Game() else None,
        channel=_loosely(fields, "platform", 64), extra=_extra(fields),
    )  # fmt: skip


def _read_act(fields: Fields, currency: str, call: Call) -> Act:
    if call.name == "rollback":  # no amount: all of it
        amount = read_amount(fields, "", call) if "amount" in fields else None
        return Rollback(reference=fields.id("rollback_provider_tx_id"), amount=amount)
    amount = read_amount(fields, currency, call)
    if call.name == "withdraw":
        return Debit(amount=call.currencies.exact(amount, currency))
    free = fields.raw.get("action") == FREE
    return Credit(
        amount=amount, type="free_round" if free else "win", reference=fields.id("withdraw_provider_tx_id", "")
    )


def _currency(fields: Fields, call: Call) -> str:
    """Of a read: not said is not known."""
    said = fields.text("currency", "")
    return call.currencies.meant(said) if said else ""


def _loosely(fields: Fields, name: str, length_max: int) -> str:
    """What describes may not stop a win or a rollback, whatever its form: what is no text, or too long, is left out."""
    text = fields.opaque(name).get(name, "").strip() if isinstance(fields.value(name, None), str) else ""
    return text if len(text) <= length_max else ""


def _extra(fields: Fields) -> dict[str, str]:
    return fields.unknown(NAMES) | fields.opaque("action")


# ---------------------------------------------------------------- provider's end: the answer


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        # A replay of what moved is told as one, with what the first answer said.
        code = DUPLICATE if outcome.replayed and tx.kind not in (Kind.AUTHENTICATE, Kind.BALANCE) else OK
        return _answer(code, _data(outcome, tx, call))
    if not isinstance(outcome, Declined):
        return _answer(DOUBT)
    code = code_of(outcome.reason, call.name)
    undone = call.name == "rollback" and outcome.reason is Reason.ALREADY_ROLLED_BACK
    if code == DUPLICATE and not undone and (call.again or outcome.replayed):
        code = REFUSED  # a repeat hears 409 as "it was done": only what was done may hear it
    return _answer(code)


def _answer(code: int, data: dict[str, Any] | None = None) -> Response:
    said = {"code": code, "message": MESSAGES[code]} | ({} if data is None else {"data": data})
    return answer(said)


def _data(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    held, who = needed("balance", outcome.balance), outcome.profile or Profile()
    currency = needed("currency", outcome.currency or tx.currency or call.currency)
    player, unit = needed("player", tx.player or who.player), unit_of(currency, call.settings)
    balance = unit.show(held, currency, call.currencies)
    if tx.kind in (Kind.AUTHENTICATE, Kind.BALANCE):
        return {"user_id": player, "username": who.username or player, "balance": balance, "currency": currency}
    before = unit.show(held - _gained(outcome, tx.act), currency, call.currencies)
    return {
        "operator_tx_id": outcome.wallet_id or tx.id,
        "old_balance": before,
        "new_balance": balance,
        "user_id": player,
        "currency": currency,
        "provider": _studio(tx),
        "provider_tx_id": tx.id,
    }


def _gained(outcome: Accepted, act: Act) -> Decimal:
    """What it gave the player, less than nothing where it took. A rollback of all of it says the amount in its outcome."""
    said = outcome.moved if outcome.moved is not None else getattr(act, "amount", None)
    if said is None:
        raise Missing("amount")
    taken = isinstance(act, Debit) or (isinstance(act, Rollback) and act.reference_kind is Kind.CREDIT)
    return -said if taken else Decimal(said)


def _studio(tx: Transaction) -> str:
    return (tx.game.studio if tx.game else "") or DEFAULT_PROVIDER


# ---------------------------------------------------------------- wallet's end: the request


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() if tx.act.launch_token:
            said = {"user_token": tx.act.launch_token, "session_token": needed("session", tx.session)}
            return post("/auth", said | known(platform=tx.channel, currency=tx.currency or call.currency))
        case Authenticate() | Balance():
            said = {"user_id": needed("player", tx.player), "session_token": needed("session", tx.session)}
            return post("/info", said | {"currency": _currency_out(tx, call)})
        case Debit(tracking_only=True) | Credit(tracking_only=True) | Debit(free_round=True):
            raise unsaid(tx)
        case Debit() | Credit() if not tx.act.amount:
            raise unsupported("a movement of nothing")  # a lost bet sends nothing, so no wallet knows a 0
        case Debit():
            needed("session", tx.session)  # a win or a rollback goes without
            return post("/withdraw", _movement(tx, tx.act, "bet", call))
        case Credit():
            action = FREE if tx.act.type == "free_round" or tx.act.free_round else "win"
            return post("/deposit", _movement(tx, tx.act, action, call))
        case Rollback() if tx.act.reference_kind in (Kind.DEBIT, Kind.CREDIT):
            needed("reference", tx.act.reference)
            return post("/rollback", _movement(tx, tx.act, "rollback", call))
        case _:
            raise unsaid(tx)


def _currency_out(tx: Transaction, call: Call) -> str:
    return needed("currency", tx.currency or call.currency)


def _movement(tx: Transaction, act: Debit | Credit | Rollback, action: str, call: Call) -> dict[str, Any]:
    """In the order of the card's examples: it is signed as it stands."""
    currency, undoes = _currency_out(tx, call), isinstance(act, Rollback)
    if act.amount is None:
        raise Missing("amount")
    return {
        "user_id": needed("player", tx.player),
        **known(currency="" if undoes else currency),
        "amount": unit_of(currency, call.settings).write(act.amount, currency, call.currencies),
        "provider": _studio(tx),
        **known(rollback_provider_tx_id=act.reference if isinstance(act, Rollback) else ""),
        "provider_tx_id": needed("id", tx.id),
        **known(withdraw_provider_tx_id=act.reference if isinstance(act, Credit) else ""),
        "game": needed("game", tx.game_id),
        "action": action,
        "action_id": tx.round_id or reference_of(act) or tx.id,  # what belongs to a bet of no round is that one's
        **known(session_token=tx.session, platform="" if undoes else tx.channel),
    }


# ---------------------------------------------------------------- wallet's end: the answer


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.integer("code")
    if code == OK or (code == DUPLICATE and call.again):
        return _heard_yes(fields, tx, call, replayed=code == DUPLICATE)
    owed = tx.kind in (Kind.CREDIT, Kind.ROLLBACK)
    reason = HEARD.get(code) if not (code == REFUSED and owed) else None
    if reason is None:
        return Unknown(detail=f"code {code}")
    return Declined(reason=reason, message=_message(fields))


def _message(fields: Fields) -> str:
    return fields.opaque("message").get("message", "")[:200]


def _heard_yes(fields: Fields, tx: Transaction, call: Call, *, replayed: bool) -> Outcome:
    """A yes with what it holds; some wallets say nothing but the code to a repeat. Raises `Refused`."""
    if replayed and "data" not in fields:
        return Accepted(replayed=True)
    data = fields.object("data")
    player, currency = data.id("user_id", "", length_max=1024), heard_currency(data, "currency", tx, call)
    if doubt := of_another(tx, player=player, currency=currency):
        return doubt
    if tx.kind in (Kind.AUTHENTICATE, Kind.BALANCE):
        return _heard_read(data, tx, currency, player, call)
    if data.id("provider_tx_id", tx.id, length_max=1024) != tx.id:
        return Unknown(detail="accepted for another movement")
    balance = read_balance(data, "new_balance", currency, call)
    return Accepted(
        balance=balance, currency=currency if balance is not None else "", replayed=replayed,
        wallet_id=data.id("operator_tx_id", "", length_max=256),
    )  # fmt: skip


def _heard_read(data: Fields, tx: Transaction, currency: str, player: str, call: Call) -> Outcome:
    balance = read_balance(data, "balance", currency, call)
    if balance is None:
        return Unknown(detail="accepted without the balance")
    if isinstance(tx.act, Balance):
        return Accepted(balance=balance, currency=currency)
    if not (player or tx.player):
        return Unknown(detail="accepted without the player")
    username = data.opaque("username").get("username", "")[:256]
    who = Profile(player=player or tx.player, username=username if username != player else "")
    return Accepted(balance=balance, currency=currency, profile=who)


DIALECT = Dialect(
    name="spribe",
    title="Spribe: Aviator and other instant games, thousandths, codes in the body",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"user_token", "session_token", "x-spribe-client-signature"}),
    as_provider=AsProvider(
        values_max=300,  # `route` may look for the action in the body
        answer_within={"default": "4s"},
        replay_balance="stored",
        rollback_kinds={"debit": (Kind.DEBIT, Kind.CREDIT)},
        final_noes={Owed.NAMED_WIN: frozenset({Reason.ALREADY_ROLLED_BACK})},
        rescaled=rescaled,
        one_time_launch=True,
    ),
    as_wallet=AsWallet(
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT}),
        separates=False,  # a rollback names an id without its kind
        undoes_whole=True,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT}),
    ),
)
