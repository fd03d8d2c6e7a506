"""Kyren's requests: read at the provider's end, written at the wallet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from adapters.kyren.wire import (
    NAMES,
    PASSED_ON,
    PATHS,
    SCOPES,
    SPELLED,
    WIN_TYPES,
    WINS,
    WITHOUT_CURRENCY,
    amount_text,
    details_out,
    read_amount,
    read_currency,
    read_time,
)
from gateway.codec.fields import Fields, known
from gateway.codec.frame import needed, post, reader_of, unsaid
from gateway.codec.unix import to_millis
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Balance,
    Batch,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Flaw,
    Game,
    Kind,
    Rollback,
    Round,
    Transaction,
    unsupported,
)

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.caseless(request, SPELLED)
    reader = reader_of(READERS, call)
    return reader(fields, call)


def _head(fields: Fields) -> Transaction:
    """What the calls share, without act, id, currency and round."""
    game = Game(id=fields.id_if_any("gameId"), name=fields.words("gameName"))
    return Transaction(
        act=Balance(),
        request_id=fields.words("uuid"),
        player=fields.id("userId"),
        session=fields.id("sessionId", "", length_max=1024),
        game=game if game != Game() else None,
        free_round_id=fields.id("bonusCode", ""),
        occurred_at=read_time(fields),
        extra=fields.unknown(NAMES) | known(**fields.opaque(*PASSED_ON)),
    )


def _read_plain(fields: Fields, call: Call) -> Transaction:
    head = replace(_head(fields), currency=read_currency(fields, call))
    return replace(head, act=Check()) if call.name == "Check" else head


def _read_bet(fields: Fields, call: Call) -> Transaction:
    head, round_id = _head(fields), fields.id("roundId")
    currency = read_currency(fields, call)
    amount = read_amount(fields, "amount", currency, call)
    act = Debit(amount=amount, free_round=bool(head.free_round_id))
    return replace(head, act=act, id=fields.id("reference"), currency=currency, round=Round(round_id, False))


def _read_result(fields: Fields, call: Call) -> Transaction:
    head, round_id = _head(fields), fields.id("roundId")
    currency = read_currency(fields, call)
    # "The amount of the bet", says the page; it is what is added to the balance.
    amount = read_amount(fields, "amount", currency, call)
    act = Credit(amount=amount, free_round=bool(head.free_round_id))
    win = replace(head, act=act, id=fields.id("reference"), currency=currency, round=Round(round_id))
    promo = _read_promo(fields, win, call)
    if promo is None:
        return win
    items = (replace(win, request_id=""), promo)
    return replace(win, act=Batch(items=items), id="", free_round_id="", occurred_at=None, extra={})


def _read_promo(fields: Fields, win: Transaction, call: Call) -> Transaction | None:
    """Older editions put a second win, with a reference of its own, into the Result."""
    if "promoWinAmount" not in fields or fields.raw["promoWinAmount"] == "":
        return None
    amount = read_amount(fields, "promoWinAmount", win.currency, call)
    if not amount and not fields.id("promoWinReference", ""):
        return None
    reference = fields.id("promoWinReference")
    if reference == win.id:
        raise fields.wrong("promoWinReference", Flaw.INVALID, "is the reference of the Result itself")
    act = Credit(amount=amount, type="promo")
    return replace(win, act=act, id=reference, request_id="", free_round_id="", extra=_campaign(fields))


def _campaign(fields: Fields) -> dict[str, str]:
    # promoCampaignId in the table, campaignId in the page's example
    name = "promoCampaignId" if "promoCampaignId" in fields else "campaignId"
    said = fields.opaque(name, "promoCampaignType")
    return known(promoCampaignId=said.get(name), promoCampaignType=said.get("promoCampaignType"))


def _read_win(fields: Fields, call: Call) -> Transaction:
    head, round_id = _head(fields), fields.id("roundId", "")
    # BonusWin and JackpotWin say no currency: it stays blank, `complete` knows the player's.
    silent = call.name in WITHOUT_CURRENCY and not fields.text("currency", "")
    currency = "" if silent else read_currency(fields, call)
    amount = read_amount(fields, "amount", currency, call)
    act = Credit(amount=amount, type=WIN_TYPES[call.name], free_round=bool(head.free_round_id))
    return replace(
        head,
        act=act,
        id=fields.id("reference"),
        currency=currency,
        round=Round(round_id) if round_id else None,
        extra=head.extra | _campaign(fields),
    )


def _read_rollback(fields: Fields, call: Call) -> Transaction:
    """Cancel and Refund name the bet in `reference` and have no id of their own."""
    head, round_id = _head(fields), fields.id("roundId")
    currency, reference = read_currency(fields, call), fields.id("reference")
    act = Rollback(reference=reference, scope=SCOPES[call.name])
    return replace(head, act=act, id=f"refund:{reference}", currency=currency, round=Round(round_id))


def _read_end_round(fields: Fields, call: Call) -> Transaction:
    head, round_id = _head(fields), fields.id("roundId")
    # `win` is for information: Result has paid it already, so it is passed on and never read.
    return replace(head, act=CloseRound(), currency=read_currency(fields, call), round=Round(round_id))


def _read_session_expired(fields: Fields, call: Call) -> Transaction:
    """Its fields were not found: anything with a player and a session is understood."""
    currency = fields.opaque("currency").get("currency", "").upper()
    return Transaction(
        act=CloseSession(),
        request_id=fields.opaque("uuid").get("uuid", "")[:256],
        player=fields.id("userId"),
        session=fields.id("sessionId", length_max=1024),
        currency=currency if call.currencies.knows(currency) else "",
        extra=fields.unknown(NAMES) | known(**fields.opaque("providerId")),
    )


READERS: Mapping[str, Callable[[Fields, Call], Transaction]] = {
    "Check": _read_plain,
    "Balance": _read_plain,
    "Bet": _read_bet,
    "Result": _read_result,
    "BonusWin": _read_win,
    "JackpotWin": _read_win,
    "PromoWin": _read_win,
    "Cancel": _read_rollback,
    "Refund": _read_rollback,
    "EndRound": _read_end_round,
    "SessionExpired": _read_session_expired,
}

# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Check():
            return post(PATHS["Check"], _session_fields(tx, call))
        case Balance():
            return post(PATHS["Balance"], _session_fields(tx, call))
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            return post(PATHS["Bet"], _bet_fields(tx, tx.act, call))
        case Credit():
            name = WINS.get(tx.act.type, "Result")
            return post(PATHS[name], _win_fields(tx, tx.act, name, call))
        case Rollback():
            name = "Refund" if tx.act.scope == "round" else "Cancel"
            return post(PATHS[name], _rollback_fields(tx, tx.act, name, call))
        case CloseRound():
            fields = _session_fields(tx, call) | {"gameId": _game(tx).id, "roundId": _round_id(tx)}
            return post(PATHS["EndRound"], fields | known(win=tx.extra.get("win")))
        case CloseSession():
            return post(PATHS["SessionExpired"], _head_fields(tx, call) | {"sessionId": needed("session", tx.session)})
        case _:
            raise unsaid(tx)


def _game(tx: Transaction) -> Game:
    game = tx.game or Game()
    return replace(game, name=game.name or needed("game", game.id), id=needed("game", game.id))


def _round_id(tx: Transaction) -> str:
    return needed("round", tx.round_id)


def _head_fields(tx: Transaction, call: Call) -> dict[str, Any]:
    # One provider speaks this dialect, so its name is a constant. `uuid` is unique per request: that of the provider's
    # own call would stand in every second attempt and in each part of a refund or settle.
    return {"providerId": "Kyren", "userId": needed("player", tx.player), "uuid": call.nonce}


def _session_fields(tx: Transaction, call: Call) -> dict[str, Any]:
    said = {"currency": needed("currency", tx.currency), "sessionId": needed("session", tx.session)}
    return _head_fields(tx, call) | said


def _timestamp(tx: Transaction, call: Call) -> str:
    return str(to_millis(tx.occurred_at or call.now))


def _play_fields(tx: Transaction, call: Call) -> dict[str, Any]:
    """What Bet and Result share, amount and bonus aside."""
    game = _game(tx)
    return _session_fields(tx, call) | {
        "roundDetails": details_out(tx.extra.get("roundDetails", "")),
        "reference": tx.id,
        "gameId": game.id,
        "gameName": game.name,
        "roundId": _round_id(tx),
        "timestamp": _timestamp(tx, call),
    }


def _bet_fields(tx: Transaction, act: Debit, call: Call) -> dict[str, Any]:
    # A Bet is free because it has a bonusCode: without an id it cannot be said, and a Bet that is
    # not free must not carry one.
    if act.free_round and not tx.free_round_id:
        raise unsaid(tx)
    bonus = known(bonusCode=tx.free_round_id if act.free_round else "")
    return _play_fields(tx, call) | {"amount": amount_text(act.amount, tx.currency, call)} | bonus


def _win_fields(tx: Transaction, act: Credit, name: str, call: Call) -> dict[str, Any]:
    said = {"amount": amount_text(act.amount, tx.currency, call)}
    said |= known(bonusCode=tx.free_round_id if act.free_round else "")
    if name == "Result":
        return _play_fields(tx, call) | said
    said |= _head_fields(tx, call) | {"reference": tx.id, "timestamp": _timestamp(tx, call)}
    if name == "PromoWin":
        campaign = known(**{part: tx.extra.get(part) for part in ("promoCampaignId", "promoCampaignType")})
        return said | campaign | {"currency": needed("currency", tx.currency)}
    game_id = tx.game_id
    said |= known(gameId=game_id, roundId=tx.round_id, sessionId=tx.session, platform=tx.extra.get("platform"))
    return said | (known(jackpotId=tx.extra.get("jackpotId")) if name == "JackpotWin" else {})


def _rollback_fields(tx: Transaction, act: Rollback, name: str, call: Call) -> dict[str, Any]:
    if act.reference_kind is not Kind.DEBIT:
        raise unsaid(tx)
    if act.amount is not None:
        raise unsupported("the amount of a rollback")  # it is always all of the bet
    game = _game(tx)
    said = _head_fields(tx, call) | {
        "currency": needed("currency", tx.currency),
        "gameId": game.id,
        "gameName": game.name,
        "roundId": _round_id(tx),
        "reference": needed("reference", act.reference),
    }
    if name == "Refund":
        return said | known(bonusCode=tx.free_round_id)
    return said | {"sessionId": needed("session", tx.session)}
