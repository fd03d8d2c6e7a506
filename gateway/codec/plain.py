"""The canonical transaction and its outcome as plain JSON: the fields of the native card.

The native dialect speaks it over HTTP; vectors, `gateway translate` and the journal's readers
show it. Amounts are decimal texts with the currency's digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.codec.fields import Fields, moment
from gateway.currency import Currencies
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Notice,
    Outcome,
    Profile,
    Reason,
    Refused,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    Unknown,
)

KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
REASONS: Mapping[str, Reason] = {reason.value: reason for reason in Reason}
_NEEDS_ID = {
    Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ROLLBACK, Kind.ADJUST, Kind.RESERVE, Kind.CAPTURE, Kind.RELEASE,
}  # fmt: skip
SCOPES = {"transaction": "transaction", "round": "round"}


def utc_text(moment: datetime) -> str:
    """RFC 3339 UTC, milliseconds where there are any."""
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")


# ---------------------------------------------------------------- transactions


def transaction_to_plain(tx: Transaction, provider: str, currencies: Currencies) -> dict[str, Any]:
    """Native JSON of a transaction; what is not known is left out."""
    plain: dict[str, Any] = {"kind": tx.kind.value, "provider": provider}
    _put(plain, transaction_id=tx.id, player=tx.player, session=tx.session)
    if isinstance(tx.act, Authenticate):
        _put(plain, launch_token=tx.act.launch_token)
    _put(plain, currency=tx.currency)
    _put_act(plain, tx, provider, currencies)
    if tx.round:
        _put(plain, round_id=tx.round.id, round_closed=tx.round.closed)
    if tx.game:
        _put(plain, game_id=tx.game.id, game_name=tx.game.name, game_type=tx.game.type, studio=tx.game.studio)
    _put(plain, free_round_id=tx.free_round_id, channel=tx.channel)
    _put(plain, occurred_at=utc_text(tx.occurred_at) if tx.occurred_at else "", request_id=tx.request_id)
    if tx.extra:
        plain["extra"] = dict(tx.extra)
    return plain


def _put(plain: dict[str, Any], **fields: Any) -> None:
    for name, value in fields.items():
        if value is not None and value != "":
            plain[name] = value


def _put_act(plain: dict[str, Any], tx: Transaction, provider: str, currencies: Currencies) -> None:
    def money(amount: Decimal | None) -> str | None:
        if amount is None:
            return None
        return currencies.text(amount, tx.currency) if tx.currency else f"{amount:f}"

    act = tx.act
    match act:
        case Debit():
            _put(plain, amount=money(act.amount), debit_type=act.type if act.type != "bet" else "")
        case Credit():
            _put(plain, amount=money(act.amount), credit_type=act.type if act.type != "win" else "")
            _put(plain, reference_transaction_id=act.reference)
        case Settle():
            _put(plain, debit_amount=money(act.debit), credit_amount=money(act.credit))
        case Rollback():
            _put(plain, amount=money(act.amount), reference_transaction_id=act.reference)
            _put(plain, reference_kind=act.reference_kind.value, scope=act.scope)
        case Adjust():
            _put(plain, amount=money(act.amount))
        case Reserve():
            _put(plain, amount=money(act.amount), expires_at=utc_text(act.expires_at) if act.expires_at else "")
        case Capture():
            _put(plain, amount=money(act.amount), reference_transaction_id=act.reference)
        case Release():
            _put(plain, reference_transaction_id=act.reference)
        case Status():
            _put(plain, reference_transaction_id=act.reference, reference_kind=act.reference_kind.value)
        case Batch():
            plain["items"] = [transaction_to_plain(item, provider, currencies) for item in act.items]
            plain["atomic"] = act.atomic
        case _:
            pass
    if isinstance(act, Debit | Credit | Settle):
        plain["free_round"] = act.free_round
    if isinstance(act, Debit | Credit) and act.tracking_only:
        plain["tracking_only"] = True


def transaction_from_plain(fields: Fields, currencies: Currencies) -> tuple[Transaction, str]:
    """(transaction, provider). Raises `Refused` (invalid_request) with the first wrong field."""
    return _read(fields, currencies, None)


def _read(fields: Fields, currencies: Currencies, batch: Transaction | None) -> tuple[Transaction, str]:
    kind = fields.choice("kind", KINDS)
    if batch and kind not in _NEEDS_ID:
        raise fields.wrong("kind", Flaw.INVALID, "is no movement, a batch holds only movements")
    provider = fields.id("provider", "") if batch else fields.id("provider")
    tx_id = fields.id("transaction_id") if kind in _NEEDS_ID else fields.id("transaction_id", "")
    inherited = batch.player if batch else ""
    optional = kind in (Kind.AUTHENTICATE, Kind.RELEASE) or bool(inherited)
    player = fields.id("player", inherited) if optional else fields.id("player")
    tx = Transaction(
        act=Balance(),
        id=tx_id,
        player=player,
        session=fields.text("session", batch.session if batch else ""),
        currency=_currency(fields, kind, currencies, batch),
        round=_round(fields, batch),
        game=_game(fields) or (batch.game if batch else None),
        free_round_id=fields.id("free_round_id", ""),
        channel=fields.text("channel", "", length_max=64),
        occurred_at=_moment(fields, "occurred_at"),
        request_id=fields.text("request_id", "", length_max=256),
        extra=_extra(fields),
    )
    return replace(tx, act=_act(fields, kind, tx, currencies)), provider


def _currency(fields: Fields, kind: Kind, currencies: Currencies, batch: Transaction | None) -> str:
    needed = kind in (Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ADJUST, Kind.RESERVE)
    if batch and batch.currency:
        code = fields.text("currency", batch.currency)
    else:
        code = fields.text("currency") if needed else fields.text("currency", "")
    if code:
        try:
            currencies.digits(code)
        except Refused:
            raise fields.wrong("currency", Flaw.INVALID, "is no currency we know") from None
    return code


def _round(fields: Fields, batch: Transaction | None) -> Round | None:
    round_id = fields.id("round_id", batch.round_id if batch else "")
    closed = fields.boolean("round_closed", None)
    if not round_id and closed is None:
        return batch.round if batch else None
    return Round(round_id, closed)


def _game(fields: Fields) -> Game | None:
    game = Game(
        id=fields.id("game_id", ""),
        name=fields.text("game_name", "", length_max=256),
        type=fields.text("game_type", "", length_max=64),
        studio=fields.text("studio", "", length_max=128),
    )
    return game if game != Game() else None


def _extra(fields: Fields) -> dict[str, str]:
    inner = fields.object("extra", None)
    return {name: inner.text(name, "", length_max=4096) for name in inner.raw}


def _moment(fields: Fields, name: str) -> datetime | None:
    text = fields.text(name, "", length_max=64)
    return moment(text, name) if text else None


def amount_from_plain(fields: Fields, name: str, currency: str, currencies: Currencies, default: Any = ...) -> Any:
    """A decimal text with the currency's digits; further zeros are accepted, further digits are not."""
    text = fields.value(name) if default is ... else fields.value(name, default)
    if text is default:
        return default
    digits = text[1:] if isinstance(text, str) and text.startswith("-") else text
    whole, _, rest = digits.partition(".") if isinstance(digits, str) else ("", "", "")
    plain = type(text) is str and len(text) <= 64 and whole.isascii() and whole.isdigit()
    if not plain or ("." in digits and not (rest.isascii() and rest.isdigit())):
        raise fields.wrong(name, Flaw.INVALID, "is not a decimal text such as 12.50")
    amount = Decimal(text)
    return currencies.exact(amount, currency, name) if currency else amount


def _act(fields: Fields, kind: Kind, tx: Transaction, currencies: Currencies) -> Act:
    def money(name: str, default: Any = ...) -> Any:
        return amount_from_plain(fields, name, tx.currency, currencies, default)

    def reference() -> str:
        return fields.id("reference_transaction_id")

    free, tracking = fields.boolean("free_round", False) is True, fields.boolean("tracking_only", False) is True
    match kind:
        case Kind.AUTHENTICATE:
            return Authenticate(launch_token=fields.text("launch_token", ""))
        case Kind.BALANCE:
            return Balance()
        case Kind.CHECK:
            return Check()
        case Kind.DEBIT:
            word = fields.text("debit_type", "bet", length_max=64)
            return Debit(amount=money("amount"), type=word, free_round=free, tracking_only=tracking)
        case Kind.CREDIT:
            word, said = fields.text("credit_type", "win", length_max=64), fields.id("reference_transaction_id", "")
            return Credit(amount=money("amount"), type=word, free_round=free, tracking_only=tracking, reference=said)
        case Kind.SETTLE:
            return Settle(debit=money("debit_amount"), credit=money("credit_amount"), free_round=free)
        case Kind.ROLLBACK:
            return Rollback(
                amount=money("amount", None),
                reference=reference(),
                reference_kind=fields.choice("reference_kind", KINDS, Kind.DEBIT),
                scope=fields.choice("scope", SCOPES, "transaction"),
            )
        case Kind.ADJUST:
            return Adjust(amount=money("amount"))
        case Kind.CLOSE_ROUND:
            return CloseRound()
        case Kind.CLOSE_SESSION:
            return CloseSession()
        case Kind.RESERVE:
            return Reserve(amount=money("amount"), expires_at=_moment(fields, "expires_at"))
        case Kind.CAPTURE:
            return Capture(reference=reference(), amount=money("amount", None))
        case Kind.RELEASE:
            return Release(reference=reference())
        case Kind.NOTICE:
            return Notice()
        case Kind.STATUS:
            return Status(reference=reference(), reference_kind=fields.choice("reference_kind", KINDS, Kind.DEBIT))
        case Kind.BATCH:
            return Batch(items=_items(fields, tx, currencies), atomic=fields.boolean("atomic", False) is True)


def _items(fields: Fields, tx: Transaction, currencies: Currencies) -> tuple[Transaction, ...]:
    items = fields.value("items")
    if not isinstance(items, list) or not items or len(items) > 100:
        raise fields.wrong("items", Flaw.INVALID, "is not a list of 1 to 100 movements")
    if not all(isinstance(item, dict) for item in items):
        raise fields.wrong("items", Flaw.INVALID, "holds something that is not an object")
    return tuple(_read(Fields(item, f"items[{n}]."), currencies, tx)[0] for n, item in enumerate(items))


# ---------------------------------------------------------------- outcomes


def outcome_to_plain(outcome: Outcome, currencies: Currencies) -> dict[str, Any]:
    """Native JSON of an outcome. Doubt has no native answer; it is shown as `unknown`."""
    if isinstance(outcome, Unknown):
        return {"outcome": "unknown"} | ({"message": outcome.detail} if outcome.detail else {})

    def money(amount: Decimal | None) -> str | None:
        if amount is None:
            return None
        return f"{currencies.shown(amount, outcome.currency):f}" if outcome.currency else f"{amount:f}"

    plain: dict[str, Any] = {"outcome": "accepted" if isinstance(outcome, Accepted) else "declined"}
    if isinstance(outcome, Declined):
        _put(plain, reason=outcome.reason.value, message=outcome.message)
    _put(plain, wallet_transaction_id=outcome.wallet_id)
    if isinstance(outcome, Accepted):
        _put(plain, state=outcome.state, expires_at=utc_text(outcome.expires_at) if outcome.expires_at else "")
        if outcome.profile:
            who = outcome.profile
            _put(plain, player=who.player, session=who.session, country=who.country)
            _put(plain, username=who.username, language=who.language)
    _put(plain, balance=money(outcome.balance), bonus_balance=money(outcome.bonus))
    if isinstance(outcome, Accepted):
        _put(plain, moved=money(outcome.moved))
    _put(plain, currency=outcome.currency, replayed=outcome.replayed or None)
    if outcome.items:
        plain["items"] = [outcome_to_plain(item, currencies) for item in outcome.items]
    return plain


def outcome_from_plain(fields: Fields, currencies: Currencies) -> Outcome:
    """The outcome that native JSON says. Raises `Refused` where it is no native answer."""
    word = fields.text("outcome")
    if word == "unknown":
        return Unknown(detail=fields.text("message", ""))
    currency = fields.text("currency", "")
    if currency:
        currencies.digits(currency)

    def money(name: str) -> Decimal | None:
        found = amount_from_plain(fields, name, currency, currencies, None)
        return found if found is None else Decimal(found)

    items = tuple(
        outcome_from_plain(Fields(item, f"items[{n}]."), currencies)
        for n, item in enumerate(fields.value("items", ()))
        if isinstance(item, dict)
    )
    balance, bonus = money("balance"), money("bonus_balance")
    wallet_id = fields.id("wallet_transaction_id", "", length_max=256)
    replayed = fields.boolean("replayed", False) is True
    if word == "accepted":
        return Accepted(
            balance=balance, bonus=bonus, currency=currency, wallet_id=wallet_id, moved=money("moved"),
            replayed=replayed, profile=_profile(fields), state=fields.text("state", "", length_max=32),
            expires_at=_moment(fields, "expires_at"), items=items,
        )  # fmt: skip
    if word != "declined":
        raise fields.wrong("outcome", Flaw.INVALID, "is neither accepted nor declined")
    return Declined(
        reason=fields.choice("reason", REASONS), message=fields.text("message", "", length_max=4096), balance=balance,
        bonus=bonus, currency=currency, wallet_id=wallet_id, replayed=replayed, items=items,
    )  # fmt: skip


def _profile(fields: Fields) -> Profile | None:
    who = Profile(
        player=fields.id("player", "", length_max=256),
        session=fields.text("session", ""),
        country=fields.text("country", "", length_max=64),
        username=fields.text("username", "", length_max=256),
        language=fields.text("language", "", length_max=64),
    )
    return who if who != Profile() else None
