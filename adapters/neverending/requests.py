"""NeverEnding's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from msgspec.structs import replace

from adapters.neverending.wire import (
    AUTHENTICATE,
    BALANCE,
    CANCEL,
    FREE_BETS,
    NAMES,
    NOTHING,
    PAYOUT,
    SESSION_MAX,
    TOURNAMENT,
    TRANSACTION,
    UNIT,
    bearer,
    parted,
)
from gateway.codec.fields import Fields, Number, known, write_json
from gateway.codec.units import plain, token
from gateway.dialect import Call
from gateway.http import JSON_HEADERS, Request
from gateway.model import (
    Authenticate,
    Balance,
    Batch,
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

T = TypeVar("T")
NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?")
CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # what ends a header's line, or is no text at all
TYPE, FINISHED, JACKPOT = "campaign.type", "campaign.finished", "jpAmount"  # names in `extra`

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    if call.name == AUTHENTICATE:
        return _read_authenticate(Fields.of(request))
    if not bearer(request):  # whose it is, the engine looks; a win and a cancel only need any
        raise Refused(Reason.NOT_AUTHENTICATED, "no bearer token", field="authorization", flaw=Flaw.MISSING)
    fields = Fields.of(request)
    match call.name:
        case "balance":
            return Transaction(
                act=Balance(), player=fields.id("playerId"), session=_session(fields), game=_read_game(fields),
                extra=fields.unknown(NAMES),
            )  # fmt: skip
        case "transaction":
            return _read_list(fields, call)
        case "cancel":
            return _read_cancel(fields)
        case _:
            return _read_payout(fields, call)


def _session(fields: Fields) -> str:
    return fields.id("sessionId", length_max=SESSION_MAX)


def _read_game(fields: Fields) -> Game | None:
    """A read must say it; blank is what we ourselves say where nobody knows one."""
    found = "" if fields.raw.get("game") == "" else fields.id("game")
    return Game(id=found) if found else None


def _read_authenticate(fields: Fields) -> Transaction:
    session, named = _session(fields), {name: fields.id(name) for name in ("walletId", "operatorId")}
    game, key = _read_game(fields), fields.id("key", length_max=SESSION_MAX)
    extra = fields.unknown(NAMES) | named
    return Transaction(act=Authenticate(launch_token=key), session=session, game=game, extra=extra)


def _read_list(fields: Fields, call: Call) -> Transaction:
    player, moves = fields.id("playerId"), _moves(fields)
    bets = any(move.choice("type", {"bet": True, "win": False}) for move in moves)
    # A list with a bet is refused for whatever is wrong; wins are not, for what only describes them.
    session = _soft(lambda: _session(fields), "", strict=bets)
    game = _soft(lambda: fields.id("game"), "", strict=bets)
    round = _soft(lambda: fields.object("round"), Fields({}), strict=bets)
    round_id = _soft(lambda: round.id("id"), "", strict=bets)
    closed = _soft(lambda: round.flag("finished"), None, strict=bets)
    campaign, type_, said = _campaign(fields, call, strict=bets)
    common = fields.unknown(NAMES) | said | known(**fields.opaque("regulatory"))
    free = type_ == FREE_BETS
    items: dict[str, Transaction] = {}
    for move in moves:
        item = _item(move, call, common, free=free)
        if items.setdefault(item.id, item).act != item.act:
            raise Refused(Reason.DUPLICATE_MISMATCH, "one id for two transactions", field="transactions")
    named = tuple(replace(item, player=player) for item in items.values())
    head = Transaction(
        act=Batch(items=named, atomic=True), player=player, session=session,
        round=Round(round_id, closed) if round_id or closed is not None else None, game=Game(id=game) if game else None,
        free_round_id=campaign,
    )  # fmt: skip
    first = next(iter(items.values()))
    return head if len(items) > 1 else replace(head, act=first.act, id=first.id, extra=first.extra)


def _moves(fields: Fields) -> list[Fields]:
    found = fields.value("transactions")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise fields.wrong("transactions", Flaw.INVALID, "is no list of transactions")
    return [Fields(each, f"transactions[{number}].") for number, each in enumerate(found)]


def _soft(read: Callable[[], T], otherwise: T, *, strict: bool) -> T:
    """What a field says; where it is not there, or in another form, `otherwise`."""
    try:
        return read()
    except Refused:
        if strict:
            raise
        return otherwise


def _campaign(fields: Fields, call: Call, *, strict: bool) -> tuple[str, str, dict[str, str]]:
    """Its id, its type, and what is passed on of it. Whether a bet takes cash hangs on the type, so there it is strict."""
    if fields.raw.get("campaign") in NOTHING:
        return "", "", {}
    inner = _soft(lambda: fields.object("campaign"), Fields({}), strict=strict)
    id = inner.id("id") if strict else inner.id_if_any("id")
    type_ = inner.text("type", length_max=64) if strict else inner.words("type", length_max=64)
    said = type_ == FREE_BETS and not call.settings.free_bet_debit  # by `free_round`
    return id, type_, known(**{TYPE: "" if said else type_, FINISHED: inner.opaque("finished").get("finished")})


def _item(move: Fields, call: Call, common: dict[str, str], *, free: bool) -> Transaction:
    """`jpAmount` is a part of the amount: told on, and never added."""
    tx_id, takes = move.id("id"), move.choice("type", {"bet": True, "win": False})
    amount = _amount(move, call)
    act: Debit | Credit = Credit(amount=amount, free_round=free)
    if takes:
        act = Debit(amount=amount, free_round=free and not call.settings.free_bet_debit)
    return Transaction(act=act, id=tx_id, extra=common | known(**move.opaque(JACKPOT)))


def _amount(fields: Fields, call: Call) -> Decimal:
    """No call but the answer to `authenticate` names the currency: its digits are looked at once it is known."""
    amount, number = fields.decimal("amount")
    return plain(UNIT.read(amount, "", call.currencies, "amount", number=number))


def _read_cancel(fields: Fields) -> Transaction:
    """It has no id of its own. The stake goes back whatever else it says."""
    player, reference, round_id = fields.id("playerId"), fields.id("transactionId"), fields.id_if_any("roundId")
    session, game = _soft(lambda: _session(fields), "", strict=False), fields.id_if_any("game")
    return Transaction(
        act=Rollback(reference=reference), id=f"refund:{reference}", player=player, session=session,
        round=Round(round_id) if round_id else None, game=Game(id=game) if game else None,
        extra=fields.unknown(NAMES) | known(original_session=fields.id_if_any("originalSessionId")),
    )  # fmt: skip


def _read_payout(fields: Fields, call: Call) -> Transaction:
    """It names no player: that is its session's, which may be over."""
    session, id = _session(fields), fields.id("payoutId")
    campaign, _, said = _campaign(fields, call, strict=False)
    return Transaction(
        act=Credit(amount=_amount(fields, call), type="promo"), id=id, session=session, free_round_id=campaign,
        extra=fields.unknown(NAMES) | {name: text for name, text in said.items() if text != TOURNAMENT},
    )  # fmt: skip


# ---------------------------------------------------------------- wallet's end

NOT_SAID = "the amount of a rollback"  # which the engine leaves out where it is all of it


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            return _say_authenticate(tx, tx.act, call)
        case Balance():
            return _post(BALANCE, {**_who(tx), "game": _game(tx)}, tx)
        case Credit(tracking_only=False) if _is_payout(tx, tx.act):
            return _say_payout(tx, tx.act, call)
        case Debit() | Credit():
            return _say_list(tx, (tx,), call)
        case Batch(atomic=True):
            return _say_list(tx, tx.act.items, call)
        case Rollback() if tx.act.reference_kind is not Kind.DEBIT:
            raise unsupported(f"a rollback of a {tx.act.reference_kind.value}")
        case Rollback(amount=None):
            return _say_cancel(tx, tx.act)
        case Rollback():
            raise unsupported(NOT_SAID)
        case _:
            raise unsupported(tx.kind.value)


def _post(name: str, fields: dict[str, Any], tx: Transaction | None) -> Request:
    request = Request(method="POST", path=f"/{name}", headers=JSON_HEADERS, body=write_json(fields))
    if tx is None:
        return request
    _, shown = parted(tx.session)
    if CONTROL.search(shown):
        raise unsupported("a session that no header can hold")
    return request.put(("authorization", f"Bearer {shown}"))


def _needed(what: str, value: str) -> str:
    if not value:
        raise Missing(what)
    return value


def _session_id(tx: Transaction) -> str:
    return parted(_needed("session", tx.session))[0]


def _who(tx: Transaction) -> dict[str, Any]:
    return {"sessionId": _session_id(tx), "playerId": _needed("player", tx.player)}


def _game(tx: Transaction) -> str:
    """A bet needs one; nothing else is held back for it (`wants_game`)."""
    return tx.game.id if tx.game else ""


def _amount_out(amount: Decimal, tx: Transaction, call: Call) -> Number:
    """The wallet takes it in the currency that it named at `authenticate`, and no call repeats that: another than that of
    its configuration is not said."""
    currency = _needed("currency", tx.currency or call.currency)
    if call.currency not in ("", currency):
        raise unsupported(f"{currency} to a wallet of {call.currency}")
    return token(plain(UNIT.write(amount, currency, call.currencies)))


def _say_authenticate(tx: Transaction, act: Authenticate, call: Call) -> Request:
    session_id, shown = parted(_needed("session", tx.session or act.launch_token))
    us, brand = call.settings.wallet_id, call.settings.operator_id
    said = {
        "sessionId": session_id,
        "walletId": us or tx.extra.get("walletId") or "gateway",
        "operatorId": brand or tx.extra.get("operatorId") or "gateway",
        "game": _game(tx),
        "key": act.launch_token or shown,
    }
    return _post(AUTHENTICATE, said, None)


def _is_payout(tx: Transaction, act: Credit) -> bool:
    """What is no win of any round."""
    return act.type == "promo" or (not tx.round_id and act.type not in ("win", "jackpot"))


def _say_payout(tx: Transaction, act: Credit, call: Call) -> Request:
    session_id, id = _session_id(tx), _needed("id", tx.id)
    campaign = {"id": tx.free_round_id or id, "type": tx.extra.get(TYPE, TOURNAMENT)} | _finished(tx)
    said = {"sessionId": session_id, "payoutId": id, "amount": _amount_out(act.amount, tx, call), "campaign": campaign}
    return _post(PAYOUT, said, tx)


def _say_cancel(tx: Transaction, act: Rollback) -> Request:
    said = {
        "sessionId": _session_id(tx),
        **known(originalSessionId=tx.extra.get("original_session")),
        "playerId": _needed("player", tx.player),
        "transactionId": _needed("reference", act.reference),
        "roundId": tx.round_id or act.reference,
        "game": _game(tx),
    }
    return _post(CANCEL, said, tx)


def _say_list(tx: Transaction, items: Sequence[Transaction], call: Call) -> Request:
    whole = [_enveloped(item, tx) for item in items]
    moves, frames = [_move(item, call) for item in whole], [_frame(item, call) for item in whole]
    if any(frame != frames[0] for frame in frames):
        raise unsupported("a list of several players, rounds or campaigns")
    who, play, game, round_id = frames[0]
    if any(isinstance(item.act, Debit) for item in whole):
        _needed("game", game)
    closed = any(item.round is not None and item.round.closed is True for item in whole)
    round = {"id": round_id, "finished": closed}
    return _post(TRANSACTION, {**who, "transactions": moves, "game": game, "round": round, **play}, whole[0])


def _enveloped(item: Transaction, tx: Transaction) -> Transaction:
    """An item with what its list says for all of them."""
    return replace(
        item, player=item.player or tx.player, session=item.session or tx.session, currency=item.currency or tx.currency,
        round=item.round or tx.round, game=item.game or tx.game, free_round_id=item.free_round_id or tx.free_round_id,
    )  # fmt: skip


def _frame(tx: Transaction, call: Call) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """What a list says once for all of its items: whose it is, how it is played, the game, the round. What belongs to no
    round is one of its own."""
    play = known(campaign=_say_campaign(tx, call)) | {"regulatory": tx.extra.get("regulatory", "")}
    return _who(tx), play, _game(tx), tx.round_id or tx.id


def _say_campaign(tx: Transaction, call: Call) -> dict[str, Any] | None:
    """A bet is free, or takes cash, because of the campaign of its list: of one that takes cash none is said that would
    make it free there."""
    act, debited = tx.act, call.settings.free_bet_debit
    free = isinstance(act, Debit | Credit) and act.free_round
    if isinstance(act, Debit) and free and (debited or not tx.free_round_id):
        raise unsupported("a free debit" if debited else "a free debit without its campaign")
    type_ = tx.extra.get(TYPE) or (FREE_BETS if free else "")
    stake = isinstance(act, Debit) and not free
    if not tx.free_round_id or not type_ or (stake and type_ == FREE_BETS and not debited):
        return None
    return {"id": tx.free_round_id, "type": type_} | _finished(tx)


def _finished(tx: Transaction) -> dict[str, bool]:
    return known(finished={"true": True, "false": False}.get(tx.extra.get(FINISHED, "")))


def _move(tx: Transaction, call: Call) -> dict[str, Any]:
    act = tx.act
    if not isinstance(act, Debit | Credit) or (isinstance(act, Credit) and _is_payout(tx, act)):
        raise unsupported(f"a {tx.kind.value} in a list")
    if act.tracking_only:
        raise unsupported(f"a tracking-only {tx.kind.value}")
    amount, jackpot = _amount_out(act.amount, tx, call), tx.extra.get(JACKPOT, "")
    said = Number(jackpot) if NUMBER.fullmatch(jackpot) else amount if act.type == "jackpot" else None
    word = "bet" if isinstance(act, Debit) else "win"
    return {"id": _needed("id", tx.id), "type": word, "amount": amount} | known(jpAmount=said)
