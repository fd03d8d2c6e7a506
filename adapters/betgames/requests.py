"""BetGames' requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.betgames.wire import (
    BALANCE,
    COMBINATION,
    COMBINATION_PAYOUT,
    DETAILS,
    NEW_TOKEN,
    NOBODY,
    PAYIN,
    PAYOUT,
    PING,
    PROMO,
    REFRESH,
    ROOT,
    SUBSCRIPTION,
    amount_out,
    check_time,
    params_of,
    read_amount,
    read_currency,
    root_of,
    token_of,
)
from gateway.codec.fields import Fields
from gateway.codec.frame import currency_out, needed, unsaid
from gateway.dialect import Call
from gateway.http import XML_HEADERS, Request
from gateway.model import (
    ID_LENGTH_MAX,
    Act,
    Adjust,
    Authenticate,
    Batch,
    Check,
    Credit,
    Debit,
    Flaw,
    Game,
    Kind,
    Notice,
    Reason,
    Refused,
    Rollback,
    Round,
    Transaction,
    unsupported,
)
from gateway.model import Balance as BalanceAct
from gateway.xml import SPACE, written

ID_MAX = 64

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    reader = READERS.get(call.name)
    if reader is None:
        raise Refused(Reason.INVALID_REQUEST, "no such method", field="method", flaw=Flaw.UNKNOWN_CALL)
    root = root_of(request)
    params = params_of(root)
    check_time(root, call, repeated=params.raw.get("retrying") == "1")
    return reader(token_of(root), params, call)


def _reads(act: Act) -> Callable[[str, Fields, Call], Transaction]:
    """A call that names nobody but its token."""
    return lambda token, params, call: Transaction(act=act, session=token)


def _read_ping(token: str, params: Fields, call: Call) -> Transaction:
    return Transaction(act=Notice())  # whoever's token it shows: it asks for nobody


def _read_payin(token: str, params: Fields, call: Call) -> Transaction:
    """The player is the token's."""
    currency = read_currency(params, call)
    return replace(_bet(params, BET_NAMES, "bet_id", currency, call), session=token)


def _read_combination(token: str, params: Fields, call: Call) -> Transaction:
    """One stake on several bets, which have no movements of their own."""
    currency = read_currency(params, call)
    return replace(_bet(params, COMBINATION_NAMES, "combination_id", currency, call), session=token)


def _bet(params: Fields, names: frozenset[str], id_name: str, currency: str, call: Call) -> Transaction:
    amount = read_amount(params, currency, call)
    if not amount:
        raise params.wrong("amount", Flaw.TOO_LOW, "is nothing")
    bet, kept = params.id(id_name, length_max=ID_MAX), _kept(params, names)
    # What it wins is its own draw's, so it is a round by itself: many a wallet is told no bet without one.
    return Transaction(
        act=Debit(amount=amount), id=bet, currency=currency, round=Round(bet), game=_game(params), extra=kept | _own(params)
    )  # fmt: skip


def _read_subscription(token: str, params: Fields, call: Call) -> Transaction:
    """All or nothing; each bet has its own payout."""
    currency = read_currency(params, call)
    whole = read_amount(params, currency, call)
    said = params.raw.get("bet")
    bets = [Fields(each, "bet.") for each in (said if isinstance(said, list) else [said]) if isinstance(each, Mapping)]
    if not bets or len(bets) != (len(said) if isinstance(said, list) else 1):
        raise params.wrong("bet", Flaw.INVALID, "is no list of bets")
    of_all = {"subscription_id": params.id("subscription_id", length_max=ID_MAX)}
    items = [_bet(each, BET_NAMES, "bet_id", currency, call) for each in bets]
    taken = sum((item.act.amount for item in items if isinstance(item.act, Debit)), Decimal(0))
    if taken != whole or len({item.id for item in items}) != len(items):
        raise params.wrong("amount", Flaw.INVALID, "is not what its bets come to, or a bet stands there twice")
    act = Batch(items=tuple(replace(item, extra=item.extra | of_all) for item in items), atomic=True)
    kept = _kept(params, SUBSCRIPTION_NAMES) | of_all
    return Transaction(act=act, session=token, currency=currency, game=_game(params), extra=kept)


def _read_payout(token: str, params: Fields, call: Call) -> Transaction:
    return _payout(token, params, PAYOUT_NAMES, "bet_id", call)


def _read_combination_payout(token: str, params: Fields, call: Call) -> Transaction:
    return _payout(token, params, COMBINATION_PAYOUT_NAMES, "combination_id", call)


def _payout(token: str, params: Fields, names: frozenset[str], id_name: str, call: Call) -> Transaction:
    """It is called as its bet is: one payout for each."""
    player, bet = params.id("player_id"), params.id(id_name, length_max=ID_MAX)
    currency = read_currency(params, call)
    act = Credit(amount=read_amount(params, currency, call), reference=bet)
    kept = _kept(params, names) | _own(params)
    return Transaction(
        act=act, id=bet, player=player, session=token, currency=currency, round=Round(bet), game=_game(params), extra=kept
    )  # fmt: skip


def _read_promo(token: str, params: Fields, call: Call) -> Transaction:
    player, currency = params.id("player_id"), read_currency(params, call)
    act, own = Credit(amount=read_amount(params, currency, call), type="promo"), _own(params)
    kept = _kept(params, PROMO_NAMES) | own
    return Transaction(
        act=act, id=f"promo:{own['transaction_id']}", player=player, session=token, currency=currency, game=_game(params),
        extra=kept,
    )  # fmt: skip


READERS: Mapping[str, Callable[[str, Fields, Call], Transaction]] = {
    PING: _read_ping,
    DETAILS: _reads(Authenticate()),
    REFRESH: _reads(Check()),
    NEW_TOKEN: _reads(Authenticate()),
    BALANCE: _reads(BalanceAct()),
    PAYIN: _read_payin,
    SUBSCRIPTION: _read_subscription,
    COMBINATION: _read_combination,
    PAYOUT: _read_payout,
    COMBINATION_PAYOUT: _read_combination_payout,
    PROMO: _read_promo,
}

# ---------------------------------------------------------------- what only describes

_SHARED = frozenset({"amount", "currency", "transaction_id", "retrying", "game", "game_id", SPACE})
BET_NAMES = _SHARED | {"bet_id"}
COMBINATION_NAMES = _SHARED | {"combination_id"}
SUBSCRIPTION_NAMES = _SHARED | {"subscription_id", "bet"}
PAYOUT_NAMES, COMBINATION_PAYOUT_NAMES, PROMO_NAMES = (
    _SHARED | names for names in ({"player_id", "bet_id"}, {"player_id", "combination_id"}, {"player_id"})
)


def _own(params: Fields) -> dict[str, str]:
    """A repeat carries it again, and another one is no repeat (`content`)."""
    return {"transaction_id": params.id("transaction_id", length_max=ID_MAX)}


def _kept(params: Fields, names: frozenset[str]) -> dict[str, str]:
    """The details of a bet, whose names differ from wallet to wallet; lists of them as one text."""
    lists = {name: text for name, text in params.opaque("bet").items() if not isinstance(params.raw[name], str)}
    found = params.unknown(names) | (lists if "bet" not in names else {})
    return {name: text for name, text in found.items() if text.strip()}


def _game(params: Fields) -> Game | None:
    id, name = params.id_if_any("game_id"), params.words("game", length_max=ID_LENGTH_MAX)
    game = Game(id=id, name=name) if id else Game(id=name)
    return game if game != Game() else None


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() as act:
            return _post(DETAILS, tx.session or act.launch_token, {}, call)
        case Check():
            return _post(REFRESH, tx.session, {}, call)
        case BalanceAct():
            return _post(BALANCE, tx.session, {}, call)
        case Debit(tracking_only=True) | Credit(tracking_only=True) | Debit(free_round=True):
            raise unsaid(tx)
        case Debit() as act:
            money = _money(act.amount, tx, call)
            own = needed("id", tx.id)
            params = money | {"bet_id": own, "transaction_id": own, "retrying": int(call.again)}
            return _post(PAYIN, tx.session, _something(params), call)
        case Credit() as act if act.reference and not act.further:
            named = {"bet_id": act.reference, "transaction_id": needed("id", tx.id), "retrying": int(call.again)}
            return _post(PAYOUT, tx.session or NOBODY, _player(tx) | _money(act.amount, tx, call) | named, call)
        case Credit() as act:
            return _gift(act.amount, tx, call)
        case Adjust() as act if act.amount > 0:
            return _gift(act.amount, tx, call)
        case Rollback() as act:
            return _refund(act, tx, call)
        case _:
            raise unsaid(tx)


def _player(tx: Transaction) -> dict[str, Any]:
    return {"player_id": needed("player", tx.player)}


def _money(amount: Decimal, tx: Transaction, call: Call) -> dict[str, Any]:
    currency = currency_out(tx, call)
    return {"amount": amount_out(amount, currency, call), "currency": currency.lower()}


def _something(params: dict[str, Any]) -> dict[str, Any]:
    """A payout of 0 is a lost bet; nothing else of 0 has words."""
    if not params["amount"]:
        raise unsupported("a bet or a gift of nothing")
    return params


def _gift(amount: Decimal, tx: Transaction, call: Call) -> Request:
    """A win of no bet, and a further one of a bet: a second payout for it would pay nothing."""
    params = _player(tx) | _money(amount, tx, call) | {"transaction_id": needed("id", tx.id)}
    return _post(PROMO, tx.session or NOBODY, _something(params), call)


def _refund(act: Rollback, tx: Transaction, call: Call) -> Request:
    """There is no cancel. The engine tells it of no bet but one that was surely taken (`undoes_blindly`)."""
    if not call.settings.refund_as_promo:
        raise unsupported("a rollback")
    if act.reference_kind is not Kind.DEBIT:
        raise unsaid(tx)
    return _gift(needed("amount", act.amount), tx, call)


def _post(method: str, token: str, params: Mapping[str, Any], call: Call) -> Request:
    """The proof comes behind it when it is sent."""
    head = {"method": method, "token": needed("session", token), "time": int(call.now.timestamp())}
    own = {"request_id": call.nonce} if call.settings.signature == "request_id" else {}
    body = written({ROOT: head | own | {"params": params}}, declared=False)
    return Request(method="POST", path="/", headers=XML_HEADERS, body=body)
