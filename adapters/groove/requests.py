"""Groove's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from adapters.groove.wire import (
    BATCH,
    DEVICES,
    FREE,
    GAME_MAX,
    ID_MAX,
    JACKPOT,
    NAMES,
    NOTHING,
    OLD_GAME,
    OWED,
    PLAYER_MAX,
    REFUND,
    RESTORE,
    RESULT,
    REVERSE,
    SESSION_MAX,
    SPELLED,
    STATUS,
    VERSION,
    amount_text,
    read_amount,
    refund_id,
    result_id,
)
from gateway.codec.fields import Fields, known, write_query
from gateway.codec.frame import fitting, unsaid
from gateway.codec.ids import told_id
from gateway.dialect import Call
from gateway.http import Request
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
    Settle,
    Transaction,
    unsupported,
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of_query(request, SPELLED)
    if call.name == BATCH:
        raise Refused(
            Reason.UNSUPPORTED, f"the layout of {BATCH} is not known", field="request", flaw=Flaw.UNKNOWN_CALL
        )
    reader = READERS.get(call.name)
    if reader is None:
        raise fields.wrong("request", Flaw.UNKNOWN_CALL, "is no call of this dialect")
    head = Transaction(
        act=Balance(),
        player=fields.id("accountid", length_max=PLAYER_MAX),
        session=_described(fields, "gamesessionid", SESSION_MAX, strict=call.name not in OWED),
        game=_game(fields, strict=call.name in ("wager", "wagerAndResult")),
        channel=fields.words("device", length_max=64),
        extra=fields.unknown(NAMES),
    )
    return reader(fields, head)


def _described(fields: Fields, name: str, length_max: int, *, strict: bool = False) -> str:
    """What is owed is not refused for what only describes it: blank where it is none."""
    if strict:
        return fields.id(name, length_max=length_max)
    try:
        return fields.id(name, "", length_max=length_max)
    except Refused:
        return ""


def _game(fields: Fields, *, strict: bool) -> Game | None:
    name = "gameid" if fields.raw.get("gameid") or not fields.raw.get(OLD_GAME) else OLD_GAME
    said = _described(fields, name, GAME_MAX, strict=strict)
    return Game(id=said) if said else None


def _read_getaccount(fields: Fields, head: Transaction) -> Transaction:
    return replace(head, act=Authenticate())


def _read_getbalance(fields: Fields, head: Transaction) -> Transaction:
    return head


def _read_wager(fields: Fields, head: Transaction) -> Transaction:
    round_id, amount, campaign = (
        fields.id("roundid", length_max=ID_MAX),
        read_amount(fields, "betamount"),
        _campaign(fields),
    )
    act = Debit(amount=_unpaid(fields, amount, campaign), free_round=bool(campaign))
    return replace(head, act=act, id=_transaction_id(fields), round=Round(round_id), free_round_id=campaign)


def _read_result(fields: Fields, head: Transaction) -> Transaction:
    round_id, campaign = fields.id("roundid", length_max=ID_MAX), _described(fields, "frbid", ID_MAX)
    campaign = "" if campaign in NOTHING else campaign
    act = Credit(amount=read_amount(fields, "result"), free_round=bool(campaign))
    return replace(
        head,
        act=act,
        id=result_id(_transaction_id(fields)),
        round=Round(round_id, _closed(fields)),
        free_round_id=campaign,
    )


def _read_both(fields: Fields, head: Transaction) -> Transaction:
    round_id, amount, campaign = (
        fields.id("roundid", length_max=ID_MAX),
        read_amount(fields, "betamount"),
        _campaign(fields),
    )
    stake, won = _unpaid(fields, amount, campaign), read_amount(fields, "result")
    act = Settle(debit=stake, credit=won, free_round=bool(campaign))
    return replace(
        head, act=act, id=_transaction_id(fields), round=Round(round_id, _closed(fields)), free_round_id=campaign
    )


def _read_jackpot(fields: Fields, head: Transaction) -> Transaction:
    act = Credit(amount=read_amount(fields, "amount"), type="jackpot")
    return replace(head, act=act, id=JACKPOT + _transaction_id(fields), round=_round(fields, _closed(fields)))


def _read_rollback(fields: Fields, head: Transaction) -> Transaction:
    """It carries the wager's transactionid; without an amount, or with 0, all of it is meant."""
    reference, amount = _transaction_id(fields), _amount_if_any(fields)
    act = Rollback(reference=reference, amount=amount)
    return replace(head, act=act, id=refund_id(reference, amount), round=_round(fields, None))


def _read_reversewin(fields: Fields, head: Transaction) -> Transaction:
    """The win is taken by its transactionid; the amount only proves that it is the one that was meant."""
    said = _transaction_id(fields)
    act = Rollback(reference=result_id(said), reference_kind=Kind.CREDIT, amount=read_amount(fields, "amount"))
    return replace(head, act=act, id=REVERSE + said, round=_round(fields, None))


def _read_rollbackrollback(fields: Fields, head: Transaction) -> Transaction:
    said = _transaction_id(fields)
    amount = _amount_if_any(fields)
    act = Rollback(reference=REFUND + said, reference_kind=Kind.ROLLBACK, amount=amount, beyond=said)
    return replace(head, act=act, id=RESTORE + said, round=_round(fields, None))


READERS: Mapping[str, Callable[[Fields, Transaction], Transaction]] = {
    "getaccount": _read_getaccount,
    "getbalance": _read_getbalance,
    "wager": _read_wager,
    "result": _read_result,
    "wagerAndResult": _read_both,
    "jackpot": _read_jackpot,
    "rollback": _read_rollback,
    "reversewin": _read_reversewin,
    "rollbackrollback": _read_rollbackrollback,
}


def also_named(tx: Transaction) -> tuple[str, ...]:
    """What the transactionid of a reversal may stand for, the likeliest first: as it is, or without the `re` that the page's
    own examples put behind it; a win may be a jackpot, a refund one of a part."""
    act = tx.act
    if not isinstance(act, Rollback):
        return ()
    match act.reference_kind:
        case Kind.CREDIT:
            ids = _with_and_without_re(tx.id.removeprefix(REVERSE))
            return tuple(name for id in ids for name in (result_id(id), JACKPOT + id))
        case Kind.ROLLBACK:
            ids = _with_and_without_re(tx.id.removeprefix(RESTORE))
            parts = [refund_id(id, act.amount) for id in ids if act.amount is not None]
            return (*parts, *(REFUND + id for id in ids))
        case _:
            ids = _with_and_without_re(act.reference)
            return ids if len(ids) > 1 else ()


def _with_and_without_re(id: str) -> tuple[str, ...]:
    return (id, id.removesuffix("re")) if id.endswith("re") and len(id) > len("re") else (id,)


def _transaction_id(fields: Fields) -> str:
    return fields.id("transactionid", length_max=ID_MAX)


def _campaign(fields: Fields) -> str:
    """Of a wager it decides whether a stake is taken, so it is read strictly."""
    found = fields.id("frbid", "", length_max=ID_MAX)
    return "" if found in NOTHING else found


def _unpaid(fields: Fields, amount: Decimal, campaign: str) -> Decimal:
    """ "Then betamount is 0": of a free round with a stake nobody knows which of the two is wrong."""
    if campaign and amount:
        raise fields.wrong("betamount", Flaw.INVALID, "is not 0 in a free round")
    return amount


def _amount_if_any(fields: Fields) -> Decimal | None:
    """ "Optional, may be null". A rollback of nothing is none: 0 says as little as null."""
    if str(fields.value("rollbackamount", "")).strip() in NOTHING:
        return None
    return read_amount(fields, "rollbackamount") or None


def _round(fields: Fields, closed: bool | None) -> Round | None:
    """Where it only says in which round that is which is named otherwise."""
    found = _described(fields, "roundid", ID_MAX)
    return Round(found, closed) if found else None


def _closed(fields: Fields) -> bool | None:
    found = fields.raw.get("gamestatus")
    return STATUS.get(found) if isinstance(found, str) else None


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            return _get("getaccount", tx)
        case Balance():
            return _get("getbalance", tx, known(gameid=_game_id(tx)))
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            stake = _stake(tx, tx.act.amount, call, free=tx.act.free_round)
            return _get("wager", tx, _play(tx) | stake | _id(tx.id))
        case Credit():
            return _win(tx, tx.act, call)
        case Settle():
            stake = _stake(tx, tx.act.debit, call, free=tx.act.free_round)
            won = {"result": amount_text(tx.act.credit, tx, call)} | _status(tx)
            return _get("wagerAndResult", tx, _play(tx) | stake | won | _id(tx.id))
        case Rollback():
            return _undo(tx, tx.act, call)
        case _:
            raise unsaid(tx)


def _get(name: str, tx: Transaction, more: Mapping[str, str] | None = None) -> Request:
    """In the order of the card's examples."""
    player, session = fitting("player", tx.player, PLAYER_MAX), fitting("session", tx.session, SESSION_MAX)
    device = tx.channel if tx.channel in DEVICES else DEVICES[0]
    head = {"request": name, "accountid": player, "gamesessionid": session, "device": device, "apiversion": VERSION}
    return Request(method="GET", path="/", query=write_query(head | dict(more or {})))


def _game_id(tx: Transaction) -> str:
    return tx.game.id if tx.game else ""


def _play(tx: Transaction, *, alone: str = "") -> dict[str, str]:
    """A movement of no round is one by itself, and what undoes it, or the win of it (`alone`: what that was told as), names
    the same."""
    game, round_id = fitting("game", _game_id(tx), GAME_MAX), tx.round_id or alone or tx.id
    return {"gameid": game, "roundid": fitting("round", round_id, ID_MAX)}


def _id(said: str) -> dict[str, str]:
    return {"transactionid": fitting("id", said, ID_MAX)}


def _stake(tx: Transaction, amount: Decimal, call: Call, *, free: bool) -> dict[str, str]:
    """Of a free one nothing is taken, and only its campaign tells that it is free; a paid one never carries one."""
    if not free:
        return {"betamount": amount_text(amount, tx, call)}
    if not tx.free_round_id:
        raise unsupported("a free debit without a campaign")
    return {"betamount": FREE, "frbid": tx.free_round_id[:ID_MAX]}


def _status(tx: Transaction) -> dict[str, str]:
    over = tx.round is not None and tx.round.closed is True
    return {"gamestatus": "completed" if over else "pending"}


def _win(tx: Transaction, act: Credit, call: Call) -> Request:
    amount, play = amount_text(act.amount, tx, call), _play(tx, alone=act.reference)
    if act.type == "jackpot":
        return _get("jackpot", tx, play | {"amount": amount} | _status(tx) | _id(told_id(tx.id, JACKPOT)))
    campaign = known(frbid=tx.free_round_id if act.free_round else "")
    return _get("result", tx, play | {"result": amount} | _status(tx) | campaign | _id(told_id(tx.id, RESULT)))


def _undo(tx: Transaction, act: Rollback, call: Call) -> Request:
    """A wager that was one with its result stays; a rollback is known by the wager that it gave back."""
    if act.reference_kind not in (Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK):
        raise unsaid(tx)
    again = act.reference_kind is Kind.ROLLBACK
    named = fitting("beyond" if again else "reference", act.beyond if again else act.reference, ID_MAX)
    play = _play(tx, alone=named)
    if act.reference_kind is Kind.DEBIT:
        if act.amount == 0:
            raise unsupported("a rollback of nothing")  # 0 is read as all of it
        part = {} if act.amount is None else {"rollbackamount": amount_text(act.amount, tx, call)}
        return _get("rollback", tx, play | part | _id(named))
    if act.amount is None:
        raise Missing("amount")
    if again:
        if act.amount == 0:
            raise unsupported("a rollback of nothing")
        return _get("rollbackrollback", tx, play | {"rollbackAmount": amount_text(act.amount, tx, call)} | _id(named))
    won = told_id(told_id(named, JACKPOT), RESULT)
    return _get("reversewin", tx, play | {"amount": amount_text(act.amount, tx, call)} | _id(won))
