"""NeverEnding's requests, read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from adapters.neverending.wire import (
    AUTHENTICATE,
    FINISHED,
    FREE_BETS,
    JACKPOT,
    NAMES,
    NOTHING,
    SESSION_MAX,
    TOURNAMENT,
    TYPE,
    UNIT,
    bearer,
)
from gateway.codec.fields import Fields, known
from gateway.codec.units import plain
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Authenticate,
    Balance,
    Batch,
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

T = TypeVar("T")


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
        act=Rollback(reference=reference), id=cancel_id(reference), player=player, session=session,
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
