"""Valkyrie's requests, read and written: decode_request and encode_request."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.valkyrie_pam import wire
from gateway.codec.fields import Fields, Number, known, moment, write_json
from gateway.codec.frame import needed, unsaid
from gateway.codec.plain import utc_text
from gateway.dialect import Call
from gateway.http import JSON_HEADERS, Request
from gateway.model import (
    Adjust,
    Authenticate,
    Balance,
    Check,
    CloseRound,
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
    Status,
    Transaction,
    owes,
    unsupported,
)

# ---------------------------------------------------------------- provider's end: we are the PAM


def decode_request(request: Request, call: Call) -> Transaction:
    query = wire.query_of(request)
    provider = query.text("provider", length_max=128)
    head = Transaction(
        act=Balance(),
        session=request.header(wire.TOKEN).strip(),
        game=Game(studio=provider),
        request_id=_correlation(request),
    )
    if call.name in ("GetSession", "RefreshSession"):
        return _asking(replace(head, act=Authenticate()))
    head = replace(head, player=wire.in_path(request, "playerId", 2))
    match call.name:
        case "AddTransaction":
            return _read_movement(Fields.of(request), head, provider, call)
        case "GetTransactions":
            return _asking(replace(head, act=_read_question(query, provider)))
        case "GetGameRound":
            round_id = wire.in_path(request, "providerGameRoundId", 4)
            return _asking(replace(head, act=Status(reference=round_id, scope="round")))
        case _:
            return _asking(head)


def _correlation(request: Request) -> str:
    """`-` is what Valkyrie writes where it knows none."""
    said = request.header(wire.CORRELATION).strip()[:256]
    return "" if said == "-" else said


def _asking(tx: Transaction) -> Transaction:
    """X-Player-Token is required; without it only what gives or gives back is carried (rule 22)."""
    if not tx.session:
        raise Refused(Reason.NOT_AUTHENTICATED, "X-Player-Token is missing", field="X-Player-Token", flaw=Flaw.MISSING)
    return tx


def _read_question(query: Fields, provider: str) -> Status:
    """By id, or by what groups the movements of a bet: "the second wins if both"."""
    by_bet = "providerBetRef" in query.raw
    name = "providerBetRef" if by_bet else "providerTransactionId"
    id = query.id(name)
    plain, promo = (wire.canonical_id(provider, id, promo=promo) for promo in (False, True))
    return Status(reference=plain, others=(promo,), scope="bet" if by_bet else "transaction")


_NAMES = frozenset(
    {
        "transactionType", "providerTransactionId", "providerBetRef", *wire.PURSES, "currency", "provider",
        "transactionDateTime", "providerGameId", "providerRoundId", "isGameOver",
    }
)  # fmt: skip
_OPAQUE = ("betCode", "promos", "jackpots", "tip", "roundTransactions")


def _read_movement(fields: Fields, head: Transaction, provider: str, call: Call) -> Transaction:
    kind, promo = fields.choice("transactionType", wire.TYPES)
    id, ref = fields.id("providerTransactionId"), fields.id("providerBetRef", "")
    if fields.text("provider", provider, length_max=128) != provider:
        raise fields.wrong("provider", Flaw.INVALID, "is not the one of the query")
    currency = call.currencies.meant(fields.text("currency"))
    round_id = fields.id("providerRoundId", "")
    game_id = fields.id("providerGameId", "") if kind is Kind.DEBIT else fields.id_if_any("providerGameId")
    tx = replace(
        head,
        id=wire.canonical_id(provider, id, promo=promo),
        currency=currency,
        round=Round(round_id, _game_over(fields)) if round_id else None,
        game=Game(id=game_id, studio=provider),
        occurred_at=_time(fields),
        extra=fields.unknown(_NAMES | set(_OPAQUE)) | fields.opaque(*_OPAQUE),
    )
    if kind is Kind.DEBIT:  # a bet has no reference of its own: kept for whoever asks for it by that name
        tx = replace(tx, extra=tx.extra | known(providerBetRef=ref))
    bet = wire.canonical_id(provider, ref, promo=promo) if ref else ""
    match kind:
        case Kind.DEBIT:
            amount = _amount(fields, currency, call, wire.PROMO if promo else wire.CASH)
            return _asking(replace(tx, act=Debit(amount=amount, free_round=promo)))
        case Kind.CREDIT:
            return replace(tx, act=_read_credit(fields, currency, call, bet, promo=promo))
        case _:
            # Its amounts are ignored and the stored ones come back (card, Semantics): one module sends zeros.
            return replace(tx, act=Rollback(reference=bet or tx.id, free_round=promo))


def _read_credit(fields: Fields, currency: str, call: Call, bet: str, *, promo: bool) -> Credit:
    """Into cash; a free round's win may come as promotional money where the settings say so (card, trap 5)."""
    expected = (wire.CASH, wire.PROMO) if call.settings.free_round_wins == "promo" else (wire.CASH,)
    amounts = {name: wire.read_amount(fields, name, currency, call.currencies) for name in wire.PURSES}
    filled = [name for name, amount in amounts.items() if amount]
    if len(filled) > 1 or not set(filled) <= set(expected):
        raise _strange_purse(next(name for name in reversed(filled) if name not in expected[:1]))
    name = filled[0] if filled else wire.CASH
    return Credit(
        amount=amounts[name], type="promo" if promo else "win", free_round=name == wire.PROMO, reference=bet
    )  # fmt: skip


def _amount(fields: Fields, currency: str, call: Call, expected: str) -> Decimal:
    """What stands in the purse that is expected; money in another one is none that we could move."""
    amounts = {name: wire.read_amount(fields, name, currency, call.currencies) for name in wire.PURSES}
    strange = next((name for name, amount in amounts.items() if amount and name != expected), "")
    if strange:
        raise _strange_purse(strange)
    return amounts[expected]


def _strange_purse(name: str) -> Refused:
    return Refused(Reason.UNSUPPORTED, f"{name}: money in a purse that is not expected here", field=name)


def _game_over(fields: Fields) -> bool | None:
    with suppress(Refused):  # it only describes; not said where nobody can read it
        return fields.flag("isGameOver") if "isGameOver" in fields else None
    return None


def _time(fields: Fields) -> datetime | None:
    with suppress(Refused):  # never compared, and another one on a retry
        return moment(fields.text("transactionDateTime", length_max=64), "transactionDateTime")
    return None


# ---------------------------------------------------------------- wallet's end: we are Valkyrie


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() if call.settings.authenticate == "refresh":
            return replace(
                _call("PUT", "/players/session", tx, call), headers=_headers(tx, call, body=True), body=b"null"
            )
        case Authenticate() | Check():
            return _call("GET", "/players/session", tx, call)
        case Balance():
            return _call("GET", f"{_player(tx)}/balance", tx, call)
        case Status():
            return _question(tx, tx.act, call)
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            return _say_debit(tx, tx.act, call)
        case Credit():
            return _say_credit(tx, tx.act, call)
        case Rollback():
            return _say_cancel(tx, tx.act, call)
        case Adjust() if tx.act.amount >= 0:
            return _say(tx, call, "PROMODEPOSIT", tx.id, {wire.CASH: _amount_out(tx.act.amount, tx, call)})
        case Adjust():
            raise unsupported("an adjustment that takes")
        case CloseRound():
            return _say_end(tx, call)
        case _:
            raise unsaid(tx)


def _player(tx: Transaction) -> str:
    return f"/players/{wire.segment(needed('player', tx.player), 'player')}"


def _headers(tx: Transaction, call: Call, *, body: bool) -> dict[str, str]:
    launch = tx.act.launch_token if isinstance(tx.act, Authenticate) else ""
    token = tx.session or launch  # what a game is launched with is its token (card, Game launch)
    if not token and not (call.stand_in and (owes(tx.act) or isinstance(tx.act, Status))):  # then `sign` puts ours
        raise Missing("session")
    if token and not wire.is_header(token):
        raise unsupported("a session that no header can hold")
    said = next((text for text in (tx.request_id, call.nonce) if wire.is_header(text)), "-")
    shown = {wire.TOKEN: token} if token else {}
    return {**(JSON_HEADERS if body else {}), "accept": "application/json", **shown, wire.CORRELATION: said}


def _call(method: str, path: str, tx: Transaction, call: Call, **query: str) -> Request:
    query = {"provider": wire.provider_of(tx, call), **query}
    return Request(method=method, path=path, query=wire.query_text(**query), headers=_headers(tx, call, body=False))


def _question(tx: Transaction, act: Status, call: Call) -> Request:
    if act.others:
        raise unsupported("a query about all that may be meant")
    if act.scope != "transaction" or act.reference_kind not in (Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK, Kind.ADJUST):
        raise unsupported(f"a query about a {act.scope if act.scope != 'transaction' else act.reference_kind.value}")
    reference = wire.fitted(needed("reference", act.reference))
    if act.reference_kind is Kind.ROLLBACK and call.settings.cancel_id == "bet":
        raise unsupported("a query about a cancel that has its bet's id")
    return _call("GET", f"{_player(tx)}/transactions", tx, call, providerTransactionId=reference)


def _say_debit(tx: Transaction, act: Debit, call: Call) -> Request:
    """It names itself as its bet, and never ends a round (card, trap 3)."""
    word, purse = ("PROMOWITHDRAW", wire.PROMO) if act.free_round else ("WITHDRAW", wire.CASH)
    # A cancel must say a round (trap 4): a bet that is told in none is one by itself.
    said = _place(tx, tx.round_id or tx.id) | {wire.BET_REF: wire.fitted(tx.id)}
    return _say(tx, call, word, tx.id, said | {purse: _amount_out(act.amount, tx, call)})


def _say_credit(tx: Transaction, act: Credit, call: Call) -> Request:
    """A DEPOSIT needs its round; without one, and as promotional money, it is a PROMODEPOSIT, which needs neither."""
    promo = act.free_round and call.settings.free_round_wins == "promo"
    said: dict[str, Any] = {wire.PROMO if promo else wire.CASH: _amount_out(act.amount, tx, call)}
    over = tx.round is not None and bool(tx.round_id) and tx.round.closed is True
    if promo or not tx.round_id:
        return _say(tx, call, "PROMODEPOSIT", tx.id, said | _place(tx, tx.round_id), over=over)
    if act.reference and call.settings.credit_bet_ref == "bet":
        said |= {wire.BET_REF: wire.fitted(act.reference)}
    return _say(tx, call, "DEPOSIT", tx.id, said | _place(tx, tx.round_id), over=over)


def _say_cancel(tx: Transaction, act: Rollback, call: Call) -> Request:
    if act.reference_kind is not Kind.DEBIT:
        raise unsaid(tx)
    bet = needed("reference", act.reference)
    if act.amount is None:
        raise Missing("amount")
    word, purse = ("PROMOCANCEL", wire.PROMO) if act.free_round else ("CANCEL", wire.CASH)
    said = _place(tx, tx.round_id or bet) | {wire.BET_REF: wire.fitted(bet)}
    id = bet if call.settings.cancel_id == "bet" else tx.id
    return _say(tx, call, word, id, said | {purse: _amount_out(act.amount, tx, call)})


def _say_end(tx: Transaction, call: Call) -> Request:
    """A DEPOSIT of nothing that ends the round; its id is the same whenever this player's round is closed."""
    round_id, player = needed("round", tx.round_id), needed("player", tx.player)
    id = f"{call.provider}:{Kind.CLOSE_ROUND.value}:{len(player)}:{player}:{round_id}"
    return _say(tx, call, "DEPOSIT", id, _place(tx, round_id), over=True)


def _place(tx: Transaction, round_id: str) -> dict[str, Any]:
    return known(providerGameId=tx.game_id, providerRoundId=wire.fitted(round_id))


def _amount_out(amount: Decimal, tx: Transaction, call: Call) -> Number:
    return wire.six(call.currencies.exact(amount, needed("currency", tx.currency)))


def _say(
    tx: Transaction, call: Call, word: str, id: str, said: dict[str, Any], *, over: bool = False
) -> Request:  # fmt: skip
    """One movement. Its time is our clock's, for all of them the same: a PAM sorts by it (card, trap 6)."""
    body = wire.purses() | said
    body |= {
        "transactionType": word,
        "providerTransactionId": wire.fitted(needed("id", id)),
        "currency": needed("currency", tx.currency),
        "provider": wire.provider_of(tx, call),
        "isGameOver": over,
        "transactionDateTime": utc_text(call.now),
        **known(betCode=tx.extra.get("betCode")),
    }
    request = _call("POST", f"{_player(tx)}/transactions", tx, call)
    return replace(request, headers=_headers(tx, call, body=True), body=write_json(body))
