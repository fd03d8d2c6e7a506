"""Red Tiger's requests, read: the provider's end."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from adapters.red_tiger.wire import (
    AUTH,
    BUYIN,
    CODE_MAX,
    GAME_MAX,
    ID_MAX,
    LATE,
    NAMES,
    PLAYER_MAX,
    PROMO,
    PROMO_REFUND,
    REFUNDS,
    SETTLE,
    STAKE,
    TOKEN_MAX,
    canonical_id,
    read_amount,
    read_currency,
    softly,
)
from gateway.codec.fields import Fields, known
from gateway.codec.form import UNSAID
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Authenticate,
    Credit,
    Debit,
    Flaw,
    Game,
    Reason,
    Refused,
    Rollback,
    Round,
    Transaction,
    cancel_id,
)


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of(request)
    if call.stand_in and call.name not in LATE:
        message = "the reconciliation token begins nothing"
        raise Refused(Reason.NOT_AUTHENTICATED, message, field="token", flaw=Flaw.IMPOSSIBLE)
    token = _token(fields, call)
    head = Transaction(act=Authenticate(), session="" if call.stand_in else token)
    if call.name == AUTH:
        return _read_auth(fields, head, call)
    head = replace(head, player=fields.id("userId", length_max=PLAYER_MAX))
    movement = fields.object("transaction")
    id = movement.id("id", length_max=ID_MAX)
    if call.name in REFUNDS:
        return _read_refund(fields, head, movement, id, call)
    return _read_move(fields, head, movement, id, call)


def _token(fields: Fields, call: Call) -> str:
    """It must be there; in a late call one that is none is a dead session's, and stops nothing."""
    try:
        return fields.id("token", length_max=TOKEN_MAX)
    except Refused as refused:
        if call.name not in LATE or refused.flaw in UNSAID:
            raise
        return ""


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
        id=cancel_id(reference),
        currency=softly(lambda: read_currency(fields, call), "", call),
        extra=described.extra | known(**movement.opaque("stake")),
    )


def stake_said(tx: Transaction, call: Call) -> Decimal | None:
    """What a refund says that its stake was: told where nobody knows it. A wallet does not look at it."""
    return passed_amount(Fields(tx.extra), "stake", tx, call)


def passed_amount(fields: Fields, name: str, tx: Transaction, call: Call) -> Decimal | None:
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
    if call.name in REFUNDS or call.name == SETTLE:
        said = inner(fields, "round")
        id = softly(lambda: said.id("id", "", length_max=ID_MAX), "", call)
    else:
        said = fields.object("round")
        id = said.id("id", length_max=ID_MAX)
    closed = softly(lambda: said.flag("ends") if "ends" in said else None, None, call)
    return Round(id, closed) if id else None
