"""Red Tiger's requests, written: what a wallet is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.red_tiger.requests import passed_amount, stake_said
from adapters.red_tiger.wire import (
    AFFILIATE_MAX,
    AUTH,
    BUYIN,
    CASINO_MAX,
    CHANNEL_MAX,
    CURRENCY_MAX,
    DIGITS,
    GAME_MAX,
    ID_MAX,
    NO_JACKPOT,
    NOTHING,
    PAYOUT,
    PLAYER_MAX,
    PROMO,
    PROMO_REFUND,
    REFUND,
    SETTLE,
    STAKE,
    TOKEN_MAX,
)
from gateway.codec.fields import Fields, known, value_of
from gateway.codec.frame import fitting, post, unsaid
from gateway.codec.ids import told_id
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Authenticate,
    Balance,
    Credit,
    Debit,
    Game,
    Kind,
    Missing,
    Refused,
    Rollback,
    Transaction,
    unsupported,
)

UNDER_SETTLE = frozenset({PROMO, "free_round", "bonus"})
"""Credits that no stake came before."""


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() | Balance():
            return post(f"/{AUTH}", _auth_fields(tx))
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            return _say_debit(tx, tx.act, call)
        case Credit():
            return _say_credit(tx, tx.act, call)
        case Rollback() if tx.act.reference_kind is Kind.DEBIT:
            return _say_refund(tx, tx.act, call)
        case _:
            raise unsaid(tx)


def _auth_fields(tx: Transaction) -> dict[str, Any]:
    """There is no call for a balance alone: `auth` shows one."""
    launched = tx.act.launch_token if isinstance(tx.act, Authenticate) else ""
    passed_on = {name: _short(tx, name, most) for name, most in (("casino", CASINO_MAX), ("affiliate", AFFILIATE_MAX))}
    passed_on |= {name: tx.extra.get(name, "") for name in ("ip", "extras")}
    channel = tx.channel if len(tx.channel) <= CHANNEL_MAX else ""
    token = fitting("session", tx.session or launched, TOKEN_MAX)
    return {"token": token} | known(userId=tx.player, currency=tx.currency, channel=channel, **passed_on)


def _say_debit(tx: Transaction, act: Debit, call: Call) -> Request:
    promo = act.type == PROMO
    if act.free_round != (promo and call.settings.promo_buyin == "free"):
        raise unsupported("a free debit" if act.free_round else "a buyin that takes cash")
    fitting("session", tx.session, TOKEN_MAX)  # the reconciliation token begins nothing
    fitting("round", tx.round_id, ID_MAX)
    movement = _stake(tx, act.amount, told_id(tx.id, "buyin:") if promo else tx.id, call)
    return post(f"/{BUYIN if promo else STAKE}", _head_fields(tx, call) | {"transaction": movement})


def _say_credit(tx: Transaction, act: Credit, call: Call) -> Request:
    # A payout wants a stake in its round; what came without one is settled.
    settles = not tx.round_id or act.free_round or act.type in UNDER_SETTLE
    amount, is_jackpot = _amount(act.amount, tx.currency, call), act.type == "jackpot"
    sources = {"lines": NOTHING, "features": NOTHING, "jackpot": {}}
    sources |= {} if is_jackpot else {"features" if settles else "lines": amount}
    movement = {
        "id": fitting("id", told_id(tx.id, "settle:") if settles else tx.id, ID_MAX),
        "payout": amount,
        "payoutPromo": _purse(tx, "payoutPromo", call),
        "details": _split(tx, act.amount) or _whole(amount, NO_JACKPOT, is_jackpot=is_jackpot),
        "sources": _sources(tx, call) or sources,
    }
    return post(f"/{SETTLE if settles else PAYOUT}", _head_fields(tx, call) | {"transaction": movement, "retry": False})


def _say_refund(tx: Transaction, act: Rollback, call: Call) -> Request:
    if act.amount is None:
        raise Missing("amount", otherwise=stake_said(tx, call))
    promo = act.reference_type == PROMO
    reference = told_id(act.reference, "buyin:") if promo else act.reference
    movement = _stake(tx, act.amount, fitting("reference", reference, ID_MAX), call)
    return post(f"/{PROMO_REFUND if promo else REFUND}", _head_fields(tx, call) | {"transaction": movement})


def _head_fields(tx: Transaction, call: Call) -> dict[str, Any]:
    """What all movements share."""
    if not tx.session and not call.stand_in:
        raise Missing("session")
    game, closed = tx.game or Game(), tx.round is not None and tx.round.closed is True
    starts = tx.extra["starts"] == "true" if "starts" in tx.extra else isinstance(tx.act, Debit)
    round_id = tx.round_id and fitting("round", tx.round_id, ID_MAX)
    promo = _object(tx, "promo") | known(campaignCode=tx.free_round_id)
    return {
        "token": tx.session and fitting("session", tx.session, TOKEN_MAX),  # `sign` puts the reconciliation token
        "userId": fitting("player", tx.player, PLAYER_MAX),
        "currency": fitting("currency", tx.currency, CURRENCY_MAX),
        "game": known(type=game.type, key=_game_key(tx, game), version=_short(tx, "version", GAME_MAX)),
        "round": {"id": round_id, "starts": starts, "ends": closed},
        **known(casino=_short(tx, "casino", CASINO_MAX), ip=tx.extra.get("ip")),
        **known(promo=promo or None, jackpot=_object(tx, "jackpot") or None),
    }


def _game_key(tx: Transaction, game: Game) -> str:
    """A stake needs one. A payout or a refund is never held back for it: nothing in its page wants it there."""
    if isinstance(tx.act, Debit):
        return fitting("game", game.id, GAME_MAX)
    return game.id if len(game.id) <= GAME_MAX else ""


def _stake(tx: Transaction, amount: Decimal, id: str, call: Call) -> dict[str, Any]:
    text = _amount(amount, tx.currency, call)
    return {
        "id": fitting("id", id, ID_MAX),
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
    parts = [passed_amount(Fields(said), name, tx, call) for name in ("lines", "features")]
    return said if None not in parts and isinstance(said.get("jackpot"), dict) else {}


def _purse(tx: Transaction, name: str, call: Call) -> str:
    """What was said of the promo purse, if a wallet can read it: a payout or refund may not fail for it."""
    said = passed_amount(Fields(tx.extra), name, tx, call)
    return NOTHING if said is None else call.currencies.text(said, tx.currency)


def _short(tx: Transaction, name: str, length_max: int) -> str:
    """A text that only describes, where it is as short as a wallet takes it."""
    text = tx.extra.get(name, "")
    return text if len(text) <= length_max else ""


def _object(tx: Transaction, name: str) -> dict[str, Any]:
    """An object that was passed on as JSON text."""
    found = value_of(tx.extra.get(name, ""))
    return found if isinstance(found, dict) else {}
