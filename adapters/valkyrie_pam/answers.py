"""The answers of a PAM, written and read: encode_response and decode_response."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.valkyrie_pam import wire
from gateway.codec.fields import Fields, Number, known
from gateway.codec.frame import answer
from gateway.codec.plain import utc_text
from gateway.codec.units import bounded
from gateway.dialect import Call
from gateway.http import Response
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Authenticate,
    Balance,
    Check,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Outcome,
    Profile,
    Reason,
    Refused,
    Rollback,
    Status,
    Transaction,
    Unknown,
)

# ---------------------------------------------------------------- provider's end


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Declined):
        # A list of transactions holds what moved: one that was refused is in none, and its reason is no word of the question.
        unlisted = outcome.replayed and tx is not None and isinstance(tx.act, Status)
        return _refusal(Declined(reason=Reason.TRANSACTION_NOT_FOUND) if unlisted else outcome, tx, call)
    if isinstance(outcome, Unknown) or tx is None:
        return _error(200, wire.UNDEFINED)
    if call.name == "GetGameRound" and outcome.meant and not _of_studio(outcome.meant, tx):
        return _refusal(Declined(reason=Reason.TRANSACTION_NOT_FOUND), tx, call)
    return answer({"status": wire.OK, **_entity(outcome, tx, call)})


def _error(status: int, code: str, message: str = "", **more: Any) -> Response:
    error = {"code": code, "message": message or wire.MESSAGES[code]}
    return answer({"status": wire.ERROR, "error": error, **more}, status)


_NOBODY = frozenset(
    {
        Reason.INVALID_REQUEST, Reason.BAD_SIGNATURE, Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED,
        Reason.PLAYER_NOT_FOUND, Reason.CURRENCY_MISMATCH,
    }
)  # fmt: skip
"""Reasons why there is no purse to be shown; any other refused transaction brings its balance, too."""


def _refusal(outcome: Declined, tx: Transaction | None, call: Call) -> Response:
    code, status = wire.code_of(outcome.reason, tx, call), wire.STATUSES.get(outcome.reason, 200)
    if code == wire.ROUND_NOT_FOUND:
        status = 404
    # Only what we found wrong with the request is told; a wallet's own words are for its operator.
    message = outcome.message[:200] if outcome.reason is Reason.INVALID_REQUEST else ""
    more: dict[str, Any] = {}
    if tx is not None and tx.kind in MONEY_KINDS and code != wire.UNDEFINED:
        if outcome.balance is not None:
            more = {"transactionResult": {"balance": _purses(outcome)}}
        elif outcome.reason not in _NOBODY:
            raise Missing("balance")
    return _error(status, code, message or ("bad request" if status == 400 else ""), **more)


def _entity(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    match tx.act:
        case Authenticate():
            return {"session": _session(outcome, tx, call)}
        case Status(scope="round"):
            return {"gameround": _round(outcome.meant, tx)}
        case Status():
            return {"transactions": _listed(outcome.meant)}
    if outcome.balance is None:
        raise Missing("balance")
    if tx.kind not in MONEY_KINDS:
        return {"balance": _purses(outcome)}
    # One module crashes without the id, another without the balance (card, Calls).
    return {"transactionResult": {"transactionId": outcome.wallet_id or tx.id, "balance": _purses(outcome)}}


def _purses(outcome: Accepted | Declined) -> dict[str, Number]:
    """Promotional money has no place in a canonical balance."""
    cash, bonus = outcome.balance or Decimal(0), outcome.bonus or Decimal(0)
    return wire.purses(cashAmount=wire.six_shown(cash), bonusAmount=wire.six_shown(bonus))


def _session(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    who, settings = outcome.profile or Profile(), call.settings
    currency = outcome.currency or tx.currency or call.currency
    if not (who.player or tx.player):
        raise Missing("player")
    if not currency:
        raise Missing("currency")
    return {
        "playerId": who.player or tx.player,
        "token": who.session or tx.session,
        "currency": currency,
        **known(country=(who.country or call.country or settings.default_country or "").upper()),
        "language": (who.language or settings.default_language).lower(),
        **known(gameId=tx.game_id),
    }


def _listed(meant: Sequence[Transaction]) -> list[dict[str, Any]]:
    told = [_movement(tx, tx.act) for tx in meant if isinstance(tx.act, Debit | Credit | Rollback)]
    if not told:  # a simulator's wallet may know that it is there, and not what it was
        raise Missing("movements")
    return told


def _movement(tx: Transaction, act: Debit | Credit | Rollback) -> dict[str, Any]:
    """One movement, as its provider told it."""
    game = tx.game_id
    provider = tx.game.studio if tx.game else ""
    id, promo = wire.wire_id(tx.id, provider)
    ref = wire.wire_id(act.reference, provider)[0] if not isinstance(act, Debit) else ""
    purse = wire.PROMO if act.free_round else wire.CASH
    return {
        "transactionType": wire.TYPE_OF[tx.kind, promo],
        "providerTransactionId": id,
        **known(providerBetRef=tx.extra.get(wire.BET_REF) or (ref if ref != id else "")),
        **wire.purses(**{purse: wire.six_shown(act.amount or Decimal(0))}),
        "currency": tx.currency,
        "provider": provider,
        **known(providerGameId=game, providerRoundId=tx.round_id),
        "isGameOver": tx.round is not None and tx.round.closed is True,
        **known(transactionDateTime=utc_text(tx.occurred_at) if tx.occurred_at else ""),
    }


def _of_studio(meant: Sequence[Transaction], asked: Transaction) -> list[Transaction]:
    """Those of the game provider that asks: ids of rounds are unique with it only."""
    studio = asked.game.studio if asked.game else ""
    return [tx for tx in meant if tx.game is not None and tx.game.studio == studio and tx.occurred_at is not None]


def _round(meant: Sequence[Transaction], asked: Transaction) -> dict[str, Any]:
    """It ended with the last movement that said so."""
    mine = _of_studio(meant, asked)
    if not mine:
        raise Missing("movements")
    ends = [tx.occurred_at for tx in mine if tx.round is not None and tx.round.closed and tx.occurred_at]
    first = mine[0]
    return {
        "providerGameId": next((tx.game.id for tx in mine if tx.game and tx.game.id), ""),
        "providerRoundId": first.round_id,
        "startTime": utc_text(min(tx.occurred_at for tx in mine if tx.occurred_at)),
        **known(endTime=utc_text(max(ends)) if ends else ""),
    }


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    try:
        fields: Fields | None = Fields.of(response)
    except Refused:
        fields = None
    if response.status in (200, 201):
        return _decision(fields, tx, call) if fields is not None else Unknown(detail="the answer is unreadable")
    if response.status in (400, 401):
        return _moved_nothing(response.status, fields, tx, call)
    not_seen = response.status == 404 and isinstance(tx.act, Status) and fields is not None
    if not_seen and fields is not None and _code(fields) == wire.TRANS_NOT_FOUND:
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND)
    return Unknown(detail=f"HTTP {response.status}")


def _moved_nothing(status: int, fields: Fields | None, tx: Transaction, call: Call) -> Outcome:
    """400 and 401 speak about this attempt only; of a query they say nothing about its movement."""
    if isinstance(tx.act, Status):
        return Unknown(detail=f"the query was refused: HTTP {status}")
    code = _code(fields) if fields is not None else ""
    if fields is not None and "error" in fields and not (status == 400 and code == wire.UNDEFINED):
        return _decision(fields, tx, call)
    if fields is not None and fields.raw.get("status") == wire.OK:
        return Unknown(detail=f"HTTP {status} and OK")
    return Declined(reason=Reason.INVALID_REQUEST if status == 400 else Reason.BAD_SIGNATURE)


def _code(fields: Fields) -> str:
    error = fields.raw.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def _decision(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    """Only `OK` without an error and with its entity is a yes, only `ERROR` with a listed code a no."""
    status, failed = fields.raw.get("status"), "error" in fields
    try:
        if status == wire.OK and not failed:
            return _accepted(fields, tx, call)
        if status in wire.FAILED and failed:
            return _declined(fields, tx, call)
    except Refused as refused:
        return Unknown(detail=refused.message)
    return Unknown(detail="status and error contradict each other")


def _declined(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = _code(fields)
    reason = wire.reason_heard(code, tx)
    if reason is None:
        return Unknown(detail=f"{code[:64] or 'an error without a code'} says nothing")
    if isinstance(tx.act, Status) and reason is not Reason.TRANSACTION_NOT_FOUND:
        return Unknown(detail=f"the query was refused: {code[:64]}")
    balance, bonus, currency = _balance_in(fields, tx, call)
    return Declined(reason=reason, balance=balance, bonus=bonus, currency=currency)


def _accepted(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    match tx.act:
        case Authenticate():
            return _session_heard(fields.object("session"), tx, call)
        case Check():
            fields.object("session")
            return Accepted()
        case Balance():
            balance, bonus, currency = _balance_heard(fields.object("balance"), tx, call)
            if balance is None:
                return Unknown(detail="a balance call was answered without a balance")
            return Accepted(balance=balance, bonus=bonus, currency=currency)
        case Status():
            return _found(fields, tx, tx.act, call)
    result = fields.object("transactionResult")
    balance, bonus, currency = _balance_in(fields, tx, call)
    made = result.opaque("transactionId").get("transactionId", "")[:256]
    return Accepted(balance=balance, bonus=bonus, currency=currency, wallet_id=made if made.strip() else "")


def _session_heard(session: Fields, tx: Transaction, call: Call) -> Outcome:
    player, token = session.id("playerId", length_max=1024), session.id("token", "", length_max=8192)
    if tx.player and player != tx.player:
        return Unknown(detail="the session is another player's")
    who = session.opaque("country", "language")
    return Accepted(
        currency=call.currencies.meant(session.text("currency")),
        profile=Profile(
            player=player,
            session="" if token == tx.session else token,  # a new one replaces ours
            country=who.get("country", "").strip().upper()[:2],
            language=who.get("language", "").strip().lower()[:2],
        ),
    )


_Balance = tuple[Decimal | None, Decimal | None, str]


def _balance_in(fields: Fields, tx: Transaction, call: Call) -> _Balance:
    """The balance beside a decision: whatever it looks like, it never spoils it."""
    result = fields.raw.get("transactionResult")
    balance = result.get("balance") if isinstance(result, dict) else None
    return _balance_heard(Fields(balance), tx, call) if isinstance(balance, dict) else (None, None, "")


def _balance_heard(purses: Fields, tx: Transaction, call: Call) -> _Balance:
    """Cash and bonus, rounded down: PAMs add floats. It names no currency: it is the session's."""
    currency = tx.currency or call.currency
    cash = _purse_heard(purses, wire.CASH, currency, call)
    if cash is None:
        return None, None, ""
    return cash, _purse_heard(purses, wire.BONUS, currency, call), currency


def _purse_heard(purses: Fields, name: str, currency: str, call: Call) -> Decimal | None:
    try:
        amount = bounded(purses.decimal(name)[0], name)
        return call.currencies.shown(amount, currency) if call.currencies.knows(currency) else amount
    except Refused:
        return None


_TYPES = {
    kind: {word for word, (meant, _) in wire.TYPES.items() if meant is kind}
    for kind in (Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK)
} | {Kind.ADJUST: {"PROMODEPOSIT"}}


def _found(fields: Fields, tx: Transaction, act: Status, call: Call) -> Outcome:
    """Whether the movement is there: by id alone a PAM lists a cancel that shares it, too (card, trap 10)."""
    listed, id = fields.value("transactions"), wire.fitted(act.reference)
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        return Unknown(detail="the transactions are no list")
    rows = [row for row in map(Fields, listed) if row.text("transactionType") in _TYPES[act.reference_kind]]
    mine = [row for row in rows if row.id("providerTransactionId", length_max=1024) == id]
    if not mine:
        return Declined(reason=Reason.TRANSACTION_NOT_FOUND)
    asked = wire.provider_of(tx, call).lower()
    if all(row.text("provider", asked).lower() != asked for row in mine):  # ids are unique per provider only
        return Unknown(detail="it is there as another provider's")
    if tx.currency and any(row.text("currency").upper() != tx.currency.upper() for row in mine):
        return Unknown(detail="it is there in another currency")
    return Accepted(replayed=True)
