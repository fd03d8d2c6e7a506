"""NeverEnding's requests, written: what a wallet is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.neverending.wire import (
    AUTHENTICATE,
    BALANCE,
    CANCEL,
    FINISHED,
    FREE_BETS,
    JACKPOT,
    PAYOUT,
    TOURNAMENT,
    TRANSACTION,
    TYPE,
    UNIT,
    parted,
)
from gateway.codec.fields import Number, known
from gateway.codec.frame import needed, post, unnamed_currency, unsaid
from gateway.codec.units import plain, token
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Authenticate,
    Balance,
    Batch,
    Credit,
    Debit,
    Kind,
    Rollback,
    Transaction,
    reference_of,
    unsupported,
)

NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?")
CONTROL = re.compile("[\\x00-\\x1f\\x7f\\ud800-\\udfff]")  # what ends a header's line, or is no text at all
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
            raise unsaid(tx)
        case Rollback(amount=None):
            return _say_cancel(tx, tx.act)
        case Rollback():
            raise unsupported(NOT_SAID)
        case _:
            raise unsaid(tx)


def _post(name: str, fields: dict[str, Any], tx: Transaction | None) -> Request:
    request = post(f"/{name}", fields)
    if tx is None:
        return request
    _, shown = parted(tx.session)
    if CONTROL.search(shown):
        raise unsupported("a session that no header can hold")
    return request.put(("authorization", f"Bearer {shown}"))


def _session_id(tx: Transaction) -> str:
    return parted(needed("session", tx.session))[0]


def _who(tx: Transaction) -> dict[str, Any]:
    return {"sessionId": _session_id(tx), "playerId": needed("player", tx.player)}


def _game(tx: Transaction) -> str:
    """A bet needs one; nothing else is held back for it (`wants_game`)."""
    return tx.game.id if tx.game else ""


def _amount_out(amount: Decimal, tx: Transaction, call: Call) -> Number:
    """The wallet takes it in the currency that it named at `authenticate`, and no call repeats that: another than that of
    its configuration is not said."""
    currency = unnamed_currency(tx, call)
    return token(plain(UNIT.write(amount, currency, call.currencies)))


def _say_authenticate(tx: Transaction, act: Authenticate, call: Call) -> Request:
    session_id, shown = parted(needed("session", tx.session or act.launch_token))
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
    session_id, id = _session_id(tx), needed("id", tx.id)
    campaign = {"id": tx.free_round_id or id, "type": tx.extra.get(TYPE, TOURNAMENT)} | _finished(tx)
    said = {"sessionId": session_id, "payoutId": id, "amount": _amount_out(act.amount, tx, call), "campaign": campaign}
    return _post(PAYOUT, said, tx)


def _say_cancel(tx: Transaction, act: Rollback) -> Request:
    before = tx.extra.get("original_session", "")
    said = {
        "sessionId": _session_id(tx),
        **known(originalSessionId=parted(before)[0] if before else ""),
        "playerId": needed("player", tx.player),
        "transactionId": needed("reference", act.reference),
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
        needed("game", game)
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
    round is one of its own, and a win of it the same."""
    play = known(campaign=_say_campaign(tx, call)) | {"regulatory": tx.extra.get("regulatory", "")}
    return _who(tx), play, _game(tx), tx.round_id or reference_of(tx.act) or tx.id


def _say_campaign(tx: Transaction, call: Call) -> dict[str, Any] | None:
    """A bet is free, or takes cash, because of the campaign of its list: of one that takes cash none is said that would
    make it free there."""
    act, debited = tx.act, call.settings.free_bet_debit
    free = isinstance(act, Debit | Credit) and act.free_round
    if isinstance(act, Debit) and free and (debited or not tx.free_round_id):
        raise unsupported("a free debit" if debited else "a free debit without its campaign")
    type_ = FREE_BETS if free else tx.extra.get(TYPE, "")
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
        raise unsaid(tx)
    amount, jackpot = _amount_out(act.amount, tx, call), tx.extra.get(JACKPOT, "")
    said = Number(jackpot) if NUMBER.fullmatch(jackpot) else amount if act.type == "jackpot" else None
    word = "bet" if isinstance(act, Debit) else "win"
    return {"id": needed("id", tx.id), "type": word, "amount": amount} | known(jpAmount=said)
