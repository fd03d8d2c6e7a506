"""The canonical transaction and its outcome as plain JSON: the fields of the native dialect.

The native dialect speaks it over HTTP; vectors, `gateway translate` and the journal's readers
show it. Amounts are decimal texts with the currency's digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.codec.fields import Fields, moment
from gateway.codec.units import bounded
from gateway.currency import Currencies
from gateway.model import (
    ID_LENGTH_MAX,
    MONEY_KINDS,
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

T = TypeVar("T")
KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
REASONS: Mapping[str, Reason] = {reason.value: reason for reason in Reason}
MOVEMENTS: Mapping[str, Kind] = {kind.value: kind for kind in Kind if kind in MONEY_KINDS}
OWED = frozenset({Kind.CREDIT, Kind.ROLLBACK, Kind.RELEASE})
NEED_CURRENCY = frozenset({Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ADJUST, Kind.RESERVE})
SCOPES = {"transaction": "transaction", "round": "round"}
STATUS_SCOPES = {word: word for word in ("transaction", "bet", "round")}
STATES = {word: word for word in ("", "active", "used", "released", "expired")}
# Ids that the gateway makes hold two of a provider's (`<refund>:<bet>`) and a word or two.
PLAIN_ID_MAX = 2 * ID_LENGTH_MAX + 144


def utc_text(moment: datetime) -> str:
    """RFC 3339 UTC, as many digits of the second as there are: none, three or six."""
    spec = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
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


def unsigned_zero(amount: Decimal) -> Decimal:
    """The same amount, zero without a sign: `-0.00` is no amount to a strict reader."""
    return amount if amount else amount.copy_abs()


def _put_act(plain: dict[str, Any], tx: Transaction, provider: str, currencies: Currencies) -> None:
    def money(amount: Decimal | None) -> str | None:
        if amount is None:
            return None
        amount = unsigned_zero(amount)
        if tx.currency and currencies.shown(amount, tx.currency) == amount:
            return currencies.text(amount, tx.currency)
        return f"{amount:f}"  # finer than its currency: as it was said

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
            # beyond native, so only said where it matters
            _put(plain, free_round=act.free_round or None, beyond=act.beyond)
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
            _put(plain, scope=act.scope if act.scope != "transaction" else "", others=[*act.others] or None)
        case Batch():
            plain["items"] = [transaction_to_plain(item, provider, currencies) for item in act.items]
            plain["atomic"] = act.atomic
        case _:
            pass
    if isinstance(act, Debit | Credit) or (isinstance(act, Settle) and act.free_round):
        plain["free_round"] = act.free_round  # of a settle beyond the rest of native, so only said where it matters
    if isinstance(act, Debit | Credit) and act.tracking_only:
        plain["tracking_only"] = True


def transaction_from_plain(fields: Fields, currencies: Currencies) -> tuple[Transaction, str]:
    """(transaction, provider). Raises `Refused` (invalid_request) with the first wrong field."""
    return _read(fields, currencies, None)


def _read(fields: Fields, currencies: Currencies, batch: Transaction | None) -> tuple[Transaction, str]:
    """`batch` is the call around an item, which may leave provider, player and currency to it."""
    kind = fields.choice("kind", KINDS)
    if batch and kind not in MONEY_KINDS:
        raise fields.wrong("kind", Flaw.INVALID, "is no movement, a batch holds only movements")
    provider = _id(fields, "provider", "") if batch else _id(fields, "provider")
    tx_id = _id(fields, "transaction_id") if kind in MONEY_KINDS else _id(fields, "transaction_id", "")
    inherited = batch.player if batch else ""
    optional = kind in (Kind.AUTHENTICATE, Kind.RELEASE) or bool(inherited)
    player = _id(fields, "player", inherited) if optional else _id(fields, "player")
    words = _Words(fields, strict=kind not in OWED)
    tx = Transaction(
        act=Balance(),
        id=tx_id,
        player=player,
        session=words.text("session", 1024),
        currency=_currency(fields, kind, currencies, batch),
        round=_round(fields),
        game=_game(words),
        free_round_id=words.text("free_round_id", PLAIN_ID_MAX),
        channel=words.text("channel", 64),
        occurred_at=words.if_any(lambda: _moment(fields, "occurred_at"), None),
        request_id=words.text("request_id", 256),
        extra=words.if_any(lambda: _extra(fields), {}),
    )
    return replace(tx, act=_act(fields, kind, tx, currencies)), provider


class _Words(Struct, frozen=True):
    """What decides about no money: of what is owed, one in another form than ours is left out, for it stops nothing."""

    fields: Fields
    strict: bool

    def text(self, name: str, length_max: int) -> str:
        return self.if_any(lambda: self.fields.text(name, "", length_max=length_max), "")

    def if_any(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Refused:
            if self.strict:
                raise
            return otherwise


def _id(fields: Fields, name: str, default: Any = ...) -> str:
    if default is ...:
        return fields.text(name, length_max=PLAIN_ID_MAX)
    return fields.text(name, default, length_max=PLAIN_ID_MAX)


def _currency(fields: Fields, kind: Kind, currencies: Currencies, batch: Transaction | None) -> str:
    if batch and batch.currency:
        code = fields.text("currency", batch.currency)
    else:
        code = fields.text("currency") if kind in NEED_CURRENCY else fields.text("currency", "")
    if code:
        try:
            currencies.digits(code)
        except Refused:
            raise fields.wrong("currency", Flaw.INVALID, "is no currency we know") from None
    return code


def _round(fields: Fields) -> Round | None:
    round_id, closed = _id(fields, "round_id", ""), fields.boolean("round_closed", None)
    return Round(round_id, closed) if round_id or closed is not None else None


def _game(words: _Words) -> Game | None:
    game = Game(
        id=words.text("game_id", PLAIN_ID_MAX),
        name=words.text("game_name", 256),
        type=words.text("game_type", 64),
        studio=words.text("studio", 128),
    )
    return game if game != Game() else None


def _extra(fields: Fields) -> dict[str, str]:
    inner = fields.object("extra", None)
    known = {name: value for name, value in inner.raw.items() if value is not None}
    for name, value in known.items():
        if type(value) is not str:  # a JSON number is kept as a subclass of it
            raise inner.wrong(name, Flaw.INVALID, "is not a text")
    return known


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
    amount = bounded(unsigned_zero(Decimal(text)), name)
    return currencies.exact(amount, currency, name) if currency else amount


def _act(fields: Fields, kind: Kind, tx: Transaction, currencies: Currencies) -> Act:
    def money(name: str, default: Any = ...) -> Any:
        return amount_from_plain(fields, name, tx.currency, currencies, default)

    def reference() -> str:
        return _id(fields, "reference_transaction_id")

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
            word, said = fields.text("credit_type", "win", length_max=64), _id(fields, "reference_transaction_id", "")
            return Credit(amount=money("amount"), type=word, free_round=free, tracking_only=tracking, reference=said)
        case Kind.SETTLE:
            return Settle(debit=money("debit_amount"), credit=money("credit_amount"), free_round=free)
        case Kind.ROLLBACK:
            return Rollback(
                amount=money("amount", None),
                reference=reference(),
                reference_kind=fields.choice("reference_kind", MOVEMENTS, Kind.DEBIT),
                scope=fields.choice("scope", SCOPES, "transaction"),
                free_round=free,
                beyond=fields.id("beyond", "", length_max=PLAIN_ID_MAX),
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
            return Status(
                reference=reference(),
                reference_kind=fields.choice("reference_kind", MOVEMENTS, Kind.DEBIT),
                scope=fields.choice("scope", STATUS_SCOPES, "transaction"),
                others=tuple(map(str, fields.value("others", []))),
            )
        case Kind.BATCH:
            return Batch(items=_items(fields, tx, currencies), atomic=fields.boolean("atomic", False) is True)


def _items(fields: Fields, tx: Transaction, currencies: Currencies) -> tuple[Transaction, ...]:
    items = fields.value("items")
    if not isinstance(items, list) or not items:
        raise fields.wrong("items", Flaw.INVALID, "is not a list of movements")
    if not all(isinstance(item, dict) for item in items):
        raise fields.wrong("items", Flaw.INVALID, "holds something that is not an object")
    return tuple(_read(type(fields)(item, f"items[{n}]."), currencies, tx)[0] for n, item in enumerate(items))


# ---------------------------------------------------------------- outcomes


def outcome_to_plain(outcome: Outcome, currencies: Currencies) -> dict[str, Any]:
    """Native JSON of an outcome. Doubt has no native answer; it is shown as `unknown`."""
    if isinstance(outcome, Unknown):
        return {"outcome": "unknown"} | ({"message": outcome.detail} if outcome.detail else {})

    def money(amount: Decimal | None) -> str | None:
        return None if amount is None else f"{unsigned_zero(shown(amount)):f}"

    def shown(amount: Decimal) -> Decimal:
        return currencies.shown(amount, outcome.currency) if currencies.knows(outcome.currency) else amount

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
        # What moved is no balance: with digits that the currency does not have it is said as it is.
        moved = outcome.moved
        _put(plain, moved=money(moved) if moved is None or shown(moved) == moved else f"{moved:f}")
    _put(plain, currency=outcome.currency, replayed=outcome.replayed or None)
    if outcome.items:
        plain["items"] = [outcome_to_plain(item, currencies) for item in outcome.items]
    return plain


def outcome_from_plain(fields: Fields, currencies: Currencies, currency: str = "") -> Outcome:
    """The outcome that native JSON says; `currency` is the one of amounts that name none.

    Raises `Refused` where it is no native answer.
    """
    word = fields.text("outcome")
    if word == "unknown":
        return Unknown(detail=_message(fields))
    said = fields.text("currency", "")
    if said:
        currencies.digits(said)

    def money(name: str) -> Decimal | None:
        found = amount_from_plain(fields, name, said or currency, currencies, None)
        return found if found is None else Decimal(found)

    items = _answers(fields, currencies, said or currency)
    balance, bonus, moved = money("balance"), money("bonus_balance"), money("moved")
    silent = balance is None and bonus is None and moved is None
    said = said or ("" if silent else currency)
    wallet_id = fields.id("wallet_transaction_id", "", length_max=256)
    replayed = fields.boolean("replayed", False) is True
    if word == "accepted":
        return Accepted(
            balance=balance, bonus=bonus, currency=said, wallet_id=wallet_id, moved=moved,
            replayed=replayed, profile=_profile(fields), state=fields.choice("state", STATES, ""),
            expires_at=_moment(fields, "expires_at"), items=items,
        )  # fmt: skip
    if word != "declined":
        raise fields.wrong("outcome", Flaw.INVALID, "is neither accepted nor declined")
    return Declined(
        reason=fields.choice("reason", REASONS), message=_message(fields), balance=balance,
        bonus=bonus, currency=said, wallet_id=wallet_id, replayed=replayed, items=items,
    )  # fmt: skip


def _message(fields: Fields) -> str:
    """The text for people: whatever it is, it never spoils a decision."""
    found = fields.value("message", None)
    return str(found)[:1024] if isinstance(found, str) else ""


def _answers(fields: Fields, currencies: Currencies, currency: str) -> tuple[Outcome, ...]:
    items = fields.value("items", None) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise fields.wrong("items", Flaw.INVALID, "is not a list of answers")
    return tuple(
        outcome_from_plain(type(fields)(item, f"items[{n}]."), currencies, currency) for n, item in enumerate(items)
    )


def _profile(fields: Fields) -> Profile | None:
    who = Profile(
        player=_id(fields, "player", ""),
        session=fields.text("session", ""),
        country=fields.text("country", "", length_max=64),
        username=fields.text("username", "", length_max=256),
        language=fields.text("language", "", length_max=64),
    )
    return who if who != Profile() else None
