"""Hub88's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.hub88.wire import (
    BALANCE,
    BET,
    CHECK,
    INFO,
    KNOWN,
    MOVES,
    PASSED_ON,
    PATHS,
    ROLLBACK,
    UNIT,
    WIN,
    Settings,
    caleta,
    is_caleta,
)
from gateway.codec.fields import Fields, Number, known, write_json
from gateway.codec.frame import needed, unsaid
from gateway.dialect import Call
from gateway.http import JSON_HEADERS, Request
from gateway.model import (
    Authenticate,
    Balance,
    Credit,
    Debit,
    Flaw,
    Game,
    Kind,
    Refused,
    Rollback,
    Round,
    Transaction,
    unsupported,
)

UNSAID = frozenset({Flaw.MISSING, Flaw.NULL, Flaw.BLANK})
TEXTS = ("bet", "campaign_uuid")
"""The texts of a bet or win that go on as they came. The others are no texts on this wire, or mean nothing elsewhere."""

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of(request)
    if call.name == INFO:
        return Transaction(act=Balance(), player=fields.id("user"), request_id=fields.id("request_uuid"))
    if call.name == BALANCE:
        return _head(fields, call)
    if call.name == CHECK:
        token = fields.id("token", length_max=1024)
        return Transaction(act=Authenticate(launch_token=token), session=token)
    return _read_rollback(fields, call) if call.name == ROLLBACK else _read_move(fields, call)


def _head(fields: Fields, call: Call) -> Transaction:
    """What the calls share."""
    player, beside = _player(fields, call)
    game = _soft(fields, "game_code", call)
    return Transaction(
        act=Balance(),
        player=player,
        session=_soft(fields, "token", call, 1024),
        request_id=_soft(fields, "request_uuid", call),
        game=Game(id=game) if game else None,
        extra=fields.unknown(KNOWN) | fields.opaque(*PASSED_ON) | beside,
    )


def _player(fields: Fields, call: Call) -> tuple[str, dict[str, str]]:
    """Who plays, and what else is said of it: at Caleta the player of the session goes before that (`else_player`)."""
    if not caleta(call):
        return (fields.id("user", "") if call.name == BALANCE else fields.id("user")), {}
    if call.name == ROLLBACK:
        return "", known(user=fields.id_if_any("user"))
    return "", {"supplier_user": fields.id("supplier_user")}


def else_player(tx: Transaction, settings: Settings) -> str:
    """Who plays at Caleta where no session is known: `supplier_user`, in a rollback `user`. At Hub88 that is a studio's
    name for somebody, and the player is never guessed from it."""
    return (tx.extra.get("supplier_user") or tx.extra.get("user") or "") if is_caleta(settings) else ""


def _soft(fields: Fields, name: str, call: Call, length_max: int = 128) -> str:
    """What a win or rollback is told with and no money hangs on: there it must be said, but in no form."""
    try:
        return fields.id(name, length_max=length_max)
    except Refused as refused:
        if call.name not in (WIN, ROLLBACK) or refused.flaw in UNSAID:
            raise
        return ""


def _closed(fields: Fields, call: Call) -> bool | None:
    try:
        return fields.flag("round_closed")
    except Refused as refused:
        if call.name not in (WIN, ROLLBACK) or refused.flaw in UNSAID:
            raise
        return None


def _read_move(fields: Fields, call: Call) -> Transaction:
    head, id = _head(fields, call), fields.text("transaction_uuid", length_max=128)
    round = Round(fields.id("round"), _closed(fields, call))
    free = fields.flag("is_free")
    currency = call.currencies.meant(fields.text("currency", length_max=16))
    amount = _amount(fields, currency, call)
    act: Debit | Credit
    if call.name == BET:
        act = Debit(amount=amount, free_round=free)
    else:
        reference = fields.text("reference_transaction_uuid", length_max=128)
        act = Credit(amount=amount, free_round=free, reference=reference)
    return replace(head, act=act, id=id, currency=currency, round=round, free_round_id=_bonus(fields)[:128])


def _bonus(fields: Fields) -> str:
    """The reward, else the campaign: a text, or none."""
    said = fields.opaque(*(name for name in ("reward_uuid", "campaign_uuid") if isinstance(fields.raw.get(name), str)))
    return said.get("reward_uuid") or said.get("campaign_uuid") or ""


def _read_rollback(fields: Fields, call: Call) -> Transaction:
    head, id = _head(fields, call), fields.text("transaction_uuid", length_max=128)
    # A bet or a win: the journal knows which (`rollback_kinds`).
    act = Rollback(reference=fields.text("reference_transaction_uuid", length_max=128))
    return replace(head, act=act, id=id, round=Round(fields.id("round"), _closed(fields, call)))


def _amount(fields: Fields, currency: str, call: Call) -> Decimal:
    """An integer and nothing else: "100" is of the wrong type, and so is 100.0."""
    found = fields.value("amount")
    if not isinstance(found, Number) or not found.removeprefix("-").isdigit():
        raise fields.wrong("amount", Flaw.NOT_INTEGER, "is not an integer")
    whole = fields.integer("amount")
    if whole < 0:
        raise fields.wrong("amount", Flaw.TOO_LOW, "is negative")
    finest = 10 ** max(5 - call.currencies.digits(currency), 0)
    if whole % finest and call.name == WIN and call.settings.round_down_credits:
        whole -= whole % finest
    elif whole % finest:  # what no wallet can book, and nobody may round
        raise fields.wrong("amount", Flaw.IMPOSSIBLE, f"has more digits than {currency}")
    return UNIT.read(whole, currency, call.currencies, "amount")


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() if caleta(call):
            token = tx.act.launch_token or tx.session
            return _post(CHECK, {"token": needed("session", token)}, call)
        case Balance():
            return _post(BALANCE, _who(tx, call, BALANCE) | _of_game(tx), call)
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit() | Credit():
            return _post(MOVES[tx.kind], _move(tx, tx.act, call), call)
        case Rollback():
            return _post(ROLLBACK, _rollback(tx, tx.act, call), call)
        case _:
            raise unsaid(tx)


def _post(name: str, fields: dict[str, Any], call: Call) -> Request:
    path = PATHS[call.settings.variant][name]
    headers = {**JSON_HEADERS, "accept": "application/json"}
    if caleta(call) and name in MOVES.values():
        headers["x-msg-timestamp"] = call.now.isoformat(" ", "microseconds")  # a space: no RFC 3339
    return Request(method="POST", path=path, headers=headers, body=write_json(fields))


def _who(tx: Transaction, call: Call, name: str) -> dict[str, Any]:
    """Who plays, and the id of this network call: a new one for each, so that its answer is no repeat of another's."""
    player = needed("player", tx.player)
    if not caleta(call):
        said = known(supplier_user=tx.extra.get("supplier_user")) | {"user": player}
    else:  # what such wallets take for their own player
        said = {"user" if name == ROLLBACK else "supplier_user": player}
    return said | {"token": needed("session", tx.session), "request_uuid": call.nonce}


def _of_game(tx: Transaction) -> dict[str, Any]:
    return {"game_code": needed("game", tx.game_id)}


def _in_round(tx: Transaction) -> dict[str, Any]:
    closed = tx.round is not None and tx.round.closed is True
    return {"round": needed("round", tx.round_id), "round_closed": closed} | _of_game(tx)


def _move(tx: Transaction, act: Debit | Credit, call: Call) -> dict[str, Any]:
    name, currency = MOVES[tx.kind], needed("currency", tx.currency)
    said = _who(tx, call, name) | {"transaction_uuid": needed("id", tx.id)}
    if isinstance(act, Credit):
        said["reference_transaction_uuid"] = needed("reference", act.reference)
    said |= _in_round(tx) | {"is_free": act.free_round, "currency": currency}
    said["amount"] = UNIT.write(act.amount, currency, call.currencies)
    kept = {name: tx.extra[name] for name in TEXTS if name in tx.extra}
    reward = tx.free_round_id if tx.free_round_id != kept.get("campaign_uuid") else ""
    return kept | known(reward_uuid=reward) | said


def _rollback(tx: Transaction, act: Rollback, call: Call) -> dict[str, Any]:
    if act.reference_kind not in (Kind.DEBIT, Kind.CREDIT):
        raise unsaid(tx)
    if act.amount is not None:
        raise unsupported("the amount of a rollback")
    said = _who(tx, call, ROLLBACK) | {"transaction_uuid": needed("id", tx.id)}
    return said | {"reference_transaction_uuid": needed("reference", act.reference)} | _in_round(tx)
