"""Red Tiger's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.red_tiger.wire import (
    AFFILIATE_MAX,
    AUTH,
    BUYIN,
    CASINO_MAX,
    CHANNEL_MAX,
    CODE_MAX,
    CURRENCY_MAX,
    DIGITS,
    GAME_MAX,
    ID_MAX,
    LATE,
    NAMES,
    NO_JACKPOT,
    NOTHING,
    PAYOUT,
    PLAYER_MAX,
    PROMO,
    PROMO_REFUND,
    REFUND,
    REFUNDS,
    SETTLE,
    STAKE,
    TOKEN_MAX,
    canonical_id,
    read_amount,
    read_currency,
    softly,
    told_id,
)
from gateway.codec.fields import Fields, known, value_of, write_json
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
    Missing,
    Reason,
    Refused,
    Rollback,
    Round,
    Transaction,
    unsupported,
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of(request)
    if call.stand_in and call.name not in LATE:
        message = "the reconciliation token begins nothing"
        raise Refused(Reason.NOT_AUTHENTICATED, message, field="token", flaw=Flaw.IMPOSSIBLE)
    token = fields.id("token", length_max=TOKEN_MAX)
    head = Transaction(act=Authenticate(), session="" if call.stand_in else token)
    if call.name == AUTH:
        return _read_auth(fields, head, call)
    head = replace(head, player=fields.id("userId", length_max=PLAYER_MAX))
    movement = fields.object("transaction")
    id = movement.id("id", length_max=ID_MAX)
    if call.name in REFUNDS:
        return _read_refund(fields, head, movement, id, call)
    return _read_move(fields, head, movement, id, call)


def _read_auth(fields: Fields, head: Transaction, call: Call) -> Transaction:
    said = fields.opaque("channel", "casino", "ip", "affiliate", "extras")
    return replace(
        head,
        player=fields.id("userId", "", length_max=PLAYER_MAX),
        currency=read_currency(fields, call) if fields.text("currency", "") else "",
        channel=said.pop("channel", "")[:CODE_MAX],
        extra=fields.unknown(NAMES) | known(**said),
    )


def _read_move(fields: Fields, head: Transaction, movement: Fields, id: str, call: Call) -> Transaction:
    """A stake, a payout, a buyin or a settle."""
    currency = read_currency(fields, call)
    act: Debit | Credit
    if call.name in (STAKE, BUYIN):
        amount, promo = read_amount(movement, "stake", currency, call), call.name == BUYIN
        free = promo and call.settings.promo_buyin == "free"
        act = Debit(amount=amount, type=PROMO if promo else "bet", free_round=free)
    else:
        amount = read_amount(movement, "payout", currency, call)
        act = Credit(amount=amount, type=PROMO if call.name == SETTLE else _win_type(movement, amount, call))
    described = _described(fields, head, movement, call)
    return replace(described, act=act, id=canonical_id(call.name, id), currency=currency)


def _win_type(movement: Fields, amount: Decimal, call: Call) -> str:
    """`details` splits a payout into the game's and the jackpot's: it is a jackpot where that is all of it."""
    jackpot = softly(lambda: inner(movement, "details").decimal("jackpot")[0], Decimal(0), call)
    return "jackpot" if amount and jackpot == amount else "win"


def _read_refund(fields: Fields, head: Transaction, movement: Fields, id: str, call: Call) -> Transaction:
    """It repeats the id of what it undoes, and has none of its own. Its amount is not believed: all of it comes back."""
    promo, described = call.name == PROMO_REFUND, _described(fields, head, movement, call)
    reference = canonical_id(BUYIN if promo else STAKE, id)
    return replace(
        described,
        act=Rollback(reference=reference, reference_type=PROMO if promo else ""),
        id=f"refund:{reference}",
        currency=softly(lambda: read_currency(fields, call), "", call),
        extra=described.extra | known(**movement.opaque("stake")),
    )


def stake_said(tx: Transaction, call: Call) -> Decimal | None:
    """What a refund says that its stake was: told where nobody knows it. A wallet does not look at it."""
    return _passed_amount(Fields(tx.extra), "stake", tx, call)


def _passed_amount(fields: Fields, name: str, tx: Transaction, call: Call) -> Decimal | None:
    """An amount that was passed on as it came; None where it is none."""
    try:
        return read_amount(fields, name, tx.currency, call)
    except Refused:
        return None


def inner(fields: Fields, name: str) -> Fields:
    """An object inside that only describes: empty where it is none."""
    found = fields.raw.get(name)
    return Fields(found if isinstance(found, dict) else {}, f"{name}.")


def _described(fields: Fields, head: Transaction, movement: Fields, call: Call) -> Transaction:
    """Round and game, and what is passed on."""
    game, promo = inner(fields, "game"), inner(fields, "promo")
    played = Game(
        id=softly(lambda: game.id("key", "", length_max=GAME_MAX), "", call),
        type=game.opaque("type").get("type", "")[:CODE_MAX],
    )
    campaign = promo.opaque("campaignCode").get("campaignCode", "")
    passed_on = fields.opaque("casino", "ip", "jackpot", "promo")
    passed_on |= movement.opaque("stakePromo", "payoutPromo", "details", "sources")
    passed_on |= game.opaque("version") | inner(fields, "round").opaque("starts")
    return replace(
        head,
        round=_read_round(fields, call),
        game=played if played != Game() else None,
        free_round_id=campaign if len(campaign) <= CODE_MAX else "",
        extra=fields.unknown(NAMES) | known(**passed_on),
    )


def _read_round(fields: Fields, call: Call) -> Round | None:
    """A settle may have none, and then closes none; a refund means what it names, in whatever round."""
    if call.name in REFUNDS:
        said = inner(fields, "round")
        id = softly(lambda: said.id("id", "", length_max=ID_MAX), "", call)
    else:
        said = fields.object("round", None) if call.name == SETTLE else fields.object("round")
        id = said.id("id", "", length_max=ID_MAX) if call.name == SETTLE else said.id("id", length_max=ID_MAX)
    closed = softly(lambda: said.flag("ends") if "ends" in said else None, None, call)
    return Round(id, closed) if id else None


# ---------------------------------------------------------------- wallet's end

UNDER_SETTLE = frozenset({PROMO, "free_round", "bonus"})
"""Credits that no stake came before."""


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() | Balance():
            return _post(AUTH, _auth_fields(tx))
        case Debit() | Credit() if tx.act.tracking_only:
            raise unsupported(f"a tracking-only {tx.kind.value}")
        case Debit():
            return _say_debit(tx, tx.act, call)
        case Credit():
            return _say_credit(tx, tx.act, call)
        case Rollback() if tx.act.reference_kind is Kind.DEBIT:
            return _say_refund(tx, tx.act, call)
        case Rollback():
            raise unsupported(f"a rollback of a {tx.act.reference_kind.value}")
        case _:
            raise unsupported(tx.kind.value)


def _post(name: str, fields: dict[str, Any]) -> Request:
    return Request(method="POST", path=f"/{name}", headers=JSON_HEADERS, body=write_json(fields))


def _needed(what: str, value: str, length_max: int) -> str:
    if not value:
        raise Missing(what)
    if len(value) > length_max:
        raise unsupported(f"a {what} of more than {length_max} characters")
    return value


def _auth_fields(tx: Transaction) -> dict[str, Any]:
    """There is no call for a balance alone: `auth` shows one."""
    launched = tx.act.launch_token if isinstance(tx.act, Authenticate) else ""
    passed_on = {name: _short(tx, name, most) for name, most in (("casino", CASINO_MAX), ("affiliate", AFFILIATE_MAX))}
    passed_on |= {name: tx.extra.get(name, "") for name in ("ip", "extras")}
    channel = tx.channel if len(tx.channel) <= CHANNEL_MAX else ""
    token = _needed("session", tx.session or launched, TOKEN_MAX)
    return {"token": token} | known(userId=tx.player, currency=tx.currency, channel=channel, **passed_on)


def _say_debit(tx: Transaction, act: Debit, call: Call) -> Request:
    promo = act.type == PROMO
    if act.free_round != (promo and call.settings.promo_buyin == "free"):
        raise unsupported("a free debit" if act.free_round else "a buyin that takes cash")
    _needed("session", tx.session, TOKEN_MAX)  # the reconciliation token begins nothing
    _needed("round", tx.round_id, ID_MAX)
    movement = _stake(tx, act.amount, told_id(tx.id, "buyin") if promo else tx.id, call)
    return _post(BUYIN if promo else STAKE, _head_fields(tx, call) | {"transaction": movement})


def _say_credit(tx: Transaction, act: Credit, call: Call) -> Request:
    # A payout wants a stake in its round; what came without one is settled.
    settles = not tx.round_id or act.free_round or act.type in UNDER_SETTLE
    amount, is_jackpot = _amount(act.amount, tx.currency, call), act.type == "jackpot"
    sources = {"lines": NOTHING, "features": NOTHING, "jackpot": {}}
    sources |= {} if is_jackpot else {"features" if settles else "lines": amount}
    movement = {
        "id": _needed("id", told_id(tx.id, "settle") if settles else tx.id, ID_MAX),
        "payout": amount,
        "payoutPromo": _purse(tx, "payoutPromo", call),
        "details": _split(tx, act.amount) or _whole(amount, NO_JACKPOT, is_jackpot=is_jackpot),
        "sources": _sources(tx, call) or sources,
    }
    return _post(SETTLE if settles else PAYOUT, _head_fields(tx, call) | {"transaction": movement, "retry": False})


def _say_refund(tx: Transaction, act: Rollback, call: Call) -> Request:
    if act.amount is None:
        raise Missing("amount", otherwise=stake_said(tx, call))
    promo = act.reference_type == PROMO
    reference = told_id(act.reference, "buyin") if promo else act.reference
    movement = _stake(tx, act.amount, _needed("reference", reference, ID_MAX), call)
    return _post(PROMO_REFUND if promo else REFUND, _head_fields(tx, call) | {"transaction": movement})


def _head_fields(tx: Transaction, call: Call) -> dict[str, Any]:
    """What all movements share."""
    if not tx.session and not call.stand_in:
        raise Missing("session")
    game, closed = tx.game or Game(), tx.round is not None and tx.round.closed is True
    starts = tx.extra["starts"] == "true" if "starts" in tx.extra else isinstance(tx.act, Debit)
    round_id = tx.round_id and _needed("round", tx.round_id, ID_MAX)
    promo = _object(tx, "promo") | known(campaignCode=tx.free_round_id)
    return {
        "token": tx.session and _needed("session", tx.session, TOKEN_MAX),  # `sign` puts the reconciliation token
        "userId": _needed("player", tx.player, PLAYER_MAX),
        "currency": _needed("currency", tx.currency, CURRENCY_MAX),
        "game": known(type=game.type, key=_game_key(tx, game), version=_short(tx, "version", GAME_MAX)),
        "round": {"id": round_id, "starts": starts, "ends": closed},
        **known(casino=_short(tx, "casino", CASINO_MAX), ip=tx.extra.get("ip")),
        **known(promo=promo or None, jackpot=_object(tx, "jackpot") or None),
    }


def _game_key(tx: Transaction, game: Game) -> str:
    """A stake needs one. A payout or a refund is never held back for it: nothing in its page wants it there."""
    if isinstance(tx.act, Debit):
        return _needed("game", game.id, GAME_MAX)
    return game.id if len(game.id) <= GAME_MAX else ""


def _stake(tx: Transaction, amount: Decimal, id: str, call: Call) -> dict[str, Any]:
    text = _amount(amount, tx.currency, call)
    return {
        "id": _needed("id", id, ID_MAX),
        "stake": text,
        "stakePromo": _purse(tx, "stakePromo", call),
        "details": _split(tx, amount) or _whole(text, NOTHING, is_jackpot=False),
    }


def _amount(amount: Decimal, currency: str, call: Call) -> str:
    if not currency:
        raise Missing("currency")
    if not call.currencies.knows(currency) or call.currencies.digits(currency) != DIGITS:
        raise unsupported(f"an amount in {currency}")
    return call.currencies.text(amount, currency)


def _whole(amount: str, jackpot: str, *, is_jackpot: bool) -> dict[str, str]:
    """All of it the game's, or the jackpot's, which has six digits in a payout."""
    return (
        {"game": NOTHING, "jackpot": f"{Decimal(amount):.6f}"} if is_jackpot else {"game": amount, "jackpot": jackpot}
    )


def _split(tx: Transaction, amount: Decimal) -> dict[str, Any]:
    """The two parts as Red Tiger itself said them, if they are all of what moves: one wallet books them as two wins."""
    said = _object(tx, "details")
    try:
        parts = [Fields(said).decimal(name)[0] for name in ("game", "jackpot")]
    except Refused:
        return {}
    return said if min(parts) >= 0 and sum(parts) == amount else {}


def _sources(tx: Transaction, call: Call) -> dict[str, Any]:
    """Where a payout came from, as Red Tiger itself said it, if a wallet can read it."""
    said = _object(tx, "sources")
    parts = [_passed_amount(Fields(said), name, tx, call) for name in ("lines", "features")]
    return said if None not in parts and isinstance(said.get("jackpot"), dict) else {}


def _purse(tx: Transaction, name: str, call: Call) -> str:
    """What was said of the promo purse, if a wallet can read it: a payout or refund may not fail for it."""
    said = _passed_amount(Fields(tx.extra), name, tx, call)
    return NOTHING if said is None else call.currencies.text(said, tx.currency)


def _short(tx: Transaction, name: str, length_max: int) -> str:
    """A text that only describes, where it is as short as a wallet takes it."""
    text = tx.extra.get(name, "")
    return text if len(text) <= length_max else ""


def _object(tx: Transaction, name: str) -> dict[str, Any]:
    """An object that was passed on as JSON text."""
    found = value_of(tx.extra.get(name, ""))
    return found if isinstance(found, dict) else {}
