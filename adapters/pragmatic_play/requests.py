"""Pragmatic Play's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from adapters.pragmatic_play.wire import (
    BONUS,
    DETAILS,
    JACKPOT,
    NAMES,
    NO_CODE,
    PASSED_ON,
    PROMO,
    PROVIDER,
    RESULT,
    UNIT,
    result_id,
)
from gateway.codec.fields import Fields, known, write_form
from gateway.codec.frame import needed, reader_of, unsaid
from gateway.codec.ids import told_id
from gateway.codec.unix import read_moment, to_millis
from gateway.dialect import Call
from gateway.http import FORM_HEADERS, Request
from gateway.model import (
    Adjust,
    Authenticate,
    Balance,
    Batch,
    CloseRound,
    Credit,
    Debit,
    Flaw,
    Game,
    Kind,
    Notice,
    Rollback,
    Round,
    Transaction,
    unsupported,
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    return reader_of(READERS, call)(Fields.of_form(request), call)


def _head(fields: Fields, *more: str) -> Transaction:
    """What the calls share; of it only the player must be right. No request names a currency or a session."""
    game_id, code = fields.id_if_any("gameId"), fields.id_if_any("bonusCode")
    return Transaction(
        act=Balance(),
        player=fields.id("userId"),
        game=Game(id=game_id) if game_id else None,
        free_round_id="" if code in NO_CODE else code,
        occurred_at=read_moment(fields, "timestamp"),  # hours ago in a repeat
        extra=_extra_in(fields, *more),
    )


def _extra_in(fields: Fields, *more: str) -> dict[str, str]:
    return known(**fields.unknown(NAMES), **fields.opaque(*PASSED_ON, *more))


def _amount(fields: Fields, call: Call, name: str = "amount") -> Decimal:
    amount, number = fields.decimal(name)
    return UNIT.read(amount, "", call.currencies, name, number=number)


def _read_authenticate(fields: Fields, call: Call) -> Transaction:
    return Transaction(act=Authenticate(), session=fields.id("token", length_max=1024), extra=_extra_in(fields))


def _read_balance(fields: Fields, call: Call) -> Transaction:
    if call.name == "GetBalancePerGame":
        fields.text("gameIdList", length_max=len(fields.raw.get("gameIdList", "")))  # its answer has a row for each
    return _head(fields)


def _read_bet(fields: Fields, call: Call) -> Transaction:
    head, _, round_id = _head(fields), fields.id("gameId"), fields.id("roundId")
    # Of a free round "no stake is taken per spin", whatever the amount says; only the code tells that it is one.
    free = fields.id("bonusCode", "") not in NO_CODE
    act = Debit(amount=_amount(fields, call), free_round=free)
    return replace(head, act=act, id=fields.id("reference"), round=Round(round_id))


def _read_win(fields: Fields, call: Call) -> Transaction:
    """A result or a jackpot. Whether the round is over with it is said by endRound, or not at all."""
    head, round_id, jackpot = _head(fields), fields.id("roundId"), call.name == "jackpotWin"
    word, free = "jackpot" if jackpot else "win", bool(head.free_round_id)
    act, said = Credit(amount=_amount(fields, call), type=word, free_round=free), fields.id("reference")
    return replace(head, act=act, id=JACKPOT + said if jackpot else result_id(said), round=Round(round_id))


def _read_result(fields: Fields, call: Call) -> Transaction:
    win = _read_win(fields, call)
    promo = _read_promo(fields, win, call)
    if promo is None:
        return win
    return replace(win, act=Batch(items=(win, promo)), id="", free_round_id="", occurred_at=None, extra={})


def _read_promo(fields: Fields, win: Transaction, call: Call) -> Transaction | None:
    """Extra money inside of a result, with a reference of its own."""
    if fields.raw.get("promoWinAmount", "") == "":
        return None
    amount, reference = _amount(fields, call, "promoWinAmount"), fields.id("promoWinReference", "")
    if not amount and not reference:
        return None
    if reference in ("", fields.id("reference")):
        raise fields.wrong("promoWinReference", Flaw.INVALID, "names no win of its own")
    return replace(win, act=Credit(amount=amount, type="promo"), id=PROMO + reference, free_round_id="", extra={})


def _read_promo_win(fields: Fields, call: Call) -> Transaction:
    # A round that comes with it is none of its own: no bet won this.
    head, act = _head(fields, "roundId"), Credit(amount=_amount(fields, call), type="promo")
    return replace(head, act=act, id=PROMO + fields.id("reference"))


def _read_bonus_win(fields: Fields, call: Call) -> Transaction:
    if call.settings.bonus_win == "notify":
        return replace(_head(fields, "amount"), act=Notice(), id=fields.id("reference"))
    act = Credit(amount=_amount(fields, call), type="free_round", free_round=True)
    return replace(_head(fields), act=act, id=BONUS + fields.id("reference"))


def _read_end_round(fields: Fields, call: Call) -> Transaction:
    head, _ = _head(fields), fields.id("gameId")
    return replace(head, act=CloseRound(), round=Round(fields.id("roundId")))


def _read_refund(fields: Fields, call: Call) -> Transaction:
    """It carries the bet's reference and no id. Whatever else it says is no part of what it means: two refunds of one bet
    are one, also where only one of them names the round."""
    head, reference = _head(fields, "amount", "roundId"), fields.id("reference")
    return replace(head, act=Rollback(reference=reference), id=f"refund:{reference}")


def _read_adjustment(fields: Fields, call: Call) -> Transaction:
    head, _, round_id = _head(fields), fields.id("gameId"), fields.id("roundId")
    act = Adjust(amount=_amount(fields, call))
    return replace(head, act=act, id=fields.id("reference"), round=Round(round_id))


READERS: Mapping[str, Callable[[Fields, Call], Transaction]] = {
    "authenticate": _read_authenticate,
    "balance": _read_balance,
    "bet": _read_bet,
    "result": _read_result,
    "bonusWin": _read_bonus_win,
    "jackpotWin": _read_win,
    "promoWin": _read_promo_win,
    "endRound": _read_end_round,
    "refund": _read_refund,
    "adjustment": _read_adjustment,
    "GetBalancePerGame": _read_balance,
}

# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            said = {"token": needed("session", tx.session or tx.act.launch_token), "providerId": PROVIDER}
            return _post("authenticate", said)
        case Balance():
            return _post("balance", _player(tx))
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            return _post("bet", _play(tx) | _move(tx, tx.act.amount, call) | _details(tx) | _bonus_code(tx, tx.act))
        case Credit():
            return _win(tx, tx.act, call)
        case Notice():
            return _notice(tx, call)
        case Rollback():
            return _post("refund", _refund(tx, tx.act))
        case Adjust():
            return _post("adjustment", _play(tx) | _move(tx, tx.act.amount, call))
        case CloseRound():
            return _post("endRound", _play(tx))
        case _:
            raise unsaid(tx)


def _post(name: str, fields: dict[str, str]) -> Request:
    return Request(method="POST", path=f"/{name}.html", headers=FORM_HEADERS, body=write_form(fields))


def _player(tx: Transaction) -> dict[str, str]:
    return {"userId": needed("player", tx.player), "providerId": PROVIDER}


def _play(tx: Transaction) -> dict[str, str]:
    """Who plays what. A round is one only together with its game."""
    return {
        "userId": needed("player", tx.player),
        "gameId": needed("game", tx.game_id),
        "roundId": needed("round", tx.round_id),
        "providerId": PROVIDER,
    }


def _move(tx: Transaction, amount: Decimal, call: Call) -> dict[str, str]:
    return {"timestamp": _timestamp(tx, call), "amount": _amount_text(tx, amount, call), "reference": tx.id}


def _timestamp(tx: Transaction, call: Call) -> str:
    return str(to_millis(tx.occurred_at or call.now))


def _amount_text(tx: Transaction, amount: Decimal, call: Call) -> str:
    """The wallet takes it in its player's own currency, which only its answer names: another than that of its
    configuration is not said, and where that has none, a yes in another one is doubt."""
    if tx.currency and call.currency not in ("", tx.currency):
        raise unsupported(f"{tx.currency} to a wallet of {call.currency}")
    return f"{UNIT.write(amount, tx.currency, call.currencies) if tx.currency else amount:f}"


def _details(tx: Transaction) -> dict[str, str]:
    return {"roundDetails": tx.extra.get("roundDetails") or DETAILS}


def _code(tx: Transaction) -> str:
    return "" if tx.free_round_id in NO_CODE else tx.free_round_id


def _bonus_code(tx: Transaction, act: Debit | Credit) -> dict[str, str]:
    """A bet is free because it has a code: without one a free bet cannot be said, and one that is not free never has it."""
    if isinstance(act, Debit) and act.free_round and not _code(tx):
        raise unsaid(tx)
    return known(bonusCode=_code(tx) if act.free_round else "")


def _win(tx: Transaction, act: Credit, call: Call) -> Request:
    pays = call.settings.bonus_win == "credit"  # else the wallet only takes note of a bonusWin
    if act.type == "jackpot" and tx.round_id:
        said = _said(tx, "roundDetails", "jackpotDetails")
        return _post("jackpotWin", _play(tx) | _move(_named(tx, JACKPOT), act.amount, call) | said)
    if act.type in ("free_round", "bonus") and pays and _code(tx):
        return _post("bonusWin", _bonus_win(_named(tx, BONUS), _amount_text(tx, act.amount, call), call))
    if act.type != "promo" and tx.round_id:
        return _post(
            "result", _play(tx) | _move(_named(tx, RESULT), act.amount, call) | _details(tx) | _bonus_code(tx, act)
        )
    tx = _named(tx, PROMO)
    # The only other win that belongs to no round. What campaign gave it need not be known, so the field has a filler.
    campaign = {"campaignId": tx.extra.get("campaignId") or tx.free_round_id or tx.id}
    said = {"amount": _amount_text(tx, act.amount, call), "reference": tx.id, "timestamp": _timestamp(tx, call)}
    return _post("promoWin", _player(tx) | campaign | said)


def _named(tx: Transaction, word: str) -> Transaction:
    return replace(tx, id=told_id(tx.id, word))


def _notice(tx: Transaction, call: Call) -> Request:
    """Only what came as a bonusWin, and only where the wallet takes that for a notice."""
    amount = tx.extra.get("amount", "")
    if call.settings.bonus_win != "notify" or not (amount and tx.id and _code(tx)):
        raise unsupported("a notice")
    return _post("bonusWin", _bonus_win(tx, amount, call))


def _bonus_win(tx: Transaction, amount: str, call: Call) -> dict[str, str]:
    said = {"amount": amount, "reference": tx.id, "bonusCode": _code(tx), "timestamp": _timestamp(tx, call)}
    return _player(tx) | said | _said(tx, "roundDetails")


def _said(tx: Transaction, *names: str) -> dict[str, str]:
    return known(**{name: tx.extra.get(name) for name in names})


def _refund(tx: Transaction, act: Rollback) -> dict[str, str]:
    if act.reference_kind is not Kind.DEBIT:
        raise unsaid(tx)
    if act.amount is not None:
        raise unsupported("the amount of a rollback")  # it is always all of the bet
    said = {"reference": needed("reference", act.reference)}
    return _player(tx) | said | known(gameId=tx.game_id, roundId=tx.round_id)
