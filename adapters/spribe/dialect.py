"""Spribe (Aviator): JSON, an HMAC over timestamp, path and body, the outcome as a code in the body, thousandths.

The vendor's manual needs a login. Source: what independent public operator wallets agree on; what they
leave open is decided in NOTES.md. `withdraw` takes and `deposit` gives, from the purse's point of view.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import UNSET, Struct

from gateway.auth import Field, InHeader, Part, Stamp, Stamped, hmac_of, loosely, spaced_body
from gateway.codec import form, frame
from gateway.codec.cents import read_whole
from gateway.codec.fields import Fields
from gateway.codec.form import Draft, Line
from gateway.codec.units import Scaled, bounded
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Owed
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Act,
    Authenticate,
    Balance,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Profile,
    Reason,
    Rollback,
    Transaction,
    Unknown,
    reference_of,
    unsupported,
)

LONG = 1024  # characters of the tokens, which are opaque


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`signed_path` own: the dialect's own path alone, behind a proxy that eats what stands before it.
    `crypto`: currencies that are counted in hundred millionths."""

    signed_path: Literal["full", "own"] = "full"
    crypto: tuple[str, ...] = ("BTC", "ETH", "LTC", "XRP", "USDT")


# ---------------------------------------------------------------- signature

STAMP = Stamp(
    who=Part("client_id", secret=False, demo="sp-test-operator"),
    sender="x-spribe-client-id",
    moment="x-spribe-client-ts",
)


def _head(request: Request, settings: Any) -> list[Field]:
    """The path with our own prefix and the query, both as a head's bytes were read."""
    path = request.url if settings.signed_path == "own" else request.target or request.url
    said = {"timestamp": request.header(STAMP.moment), "path": path}
    return [(name, text.encode("latin-1", "backslashreplace")) for name, text in said.items()]


SIGNED = Stamped(
    stamp=STAMP,
    covers=spaced_body(_head, selected="the time stamp, the path with its query and the body", order="in this order"),
    digest=hmac_of("sha256"),
    carried=InHeader("x-spribe-client-signature", folded=True),
    demo="sp-test-secret",
)

# ---------------------------------------------------------------- which call it is

KINDS = {
    "auth": Kind.AUTHENTICATE, "info": Kind.BALANCE, "withdraw": Kind.DEBIT, "deposit": Kind.CREDIT,
    "rollback": Kind.ROLLBACK,
}  # fmt: skip
CALLS = tuple(Wire(name=name, method="POST", path=f"/{name}", kinds=(kind,)) for name, kind in KINDS.items())
READS = frozenset({Kind.AUTHENTICATE, Kind.BALANCE})
# The last segment of a path, without an imitator's `_spribe` -> call
BY_WORD: Mapping[str, str] = {name: name for name in KINDS} | {"player_info": "info"}
# The same of `action` in the body, where an operator gave one URL for all
BY_ACTION: Mapping[str, str] = {**BY_WORD, "bet": "withdraw", "win": "deposit"}
NO_CALL = "unknown"


def route(request: Request, settings: Any) -> str:
    """The last segment of the path; where there is none, one URL stands for all and `action` says which."""
    word = request.path.rstrip("/").rpartition("/")[2]
    name = BY_WORD.get(word.removesuffix("_spribe"))
    if name is None and word:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    if name is not None:
        return name
    action = (loosely(request) or {}).get("action")
    return BY_ACTION.get(action, NO_CALL) if isinstance(action, str) else NO_CALL


# ---------------------------------------------------------------- codes

OK, DUPLICATE, REFUSED, DOUBT = 200, 409, 405, 500

# Code -> its message, what it is heard as, what it says of a withdraw or a read (of which the rest is 405)
ROWS: Mapping[int, tuple[str, Reason | None, tuple[Reason, ...]]] = {
    OK: ("ok", None, ()),
    401: ("User token is invalid", Reason.NOT_AUTHENTICATED, (Reason.NOT_AUTHENTICATED, Reason.PLAYER_NOT_FOUND)),
    402: ("Insufficient fund", Reason.INSUFFICIENT_FUNDS, (Reason.INSUFFICIENT_FUNDS,)),
    403: ("User token is expired", Reason.SESSION_EXPIRED, (Reason.SESSION_EXPIRED,)),
    404: ("", Reason.PLAYER_NOT_FOUND, ()),  # never said
    REFUSED: ("Internal error, no retry", Reason.INVALID_REQUEST, ()),  # heard of what is owed it is doubt
    408: ("Transaction does not found", Reason.TRANSACTION_NOT_FOUND, ()),  # said of a rollback
    DUPLICATE: (
        "Duplicate transaction", Reason.DUPLICATE_MISMATCH, (Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED),
    ),
    413: ("Invalid Client-Signature", Reason.BAD_SIGNATURE, (Reason.BAD_SIGNATURE,)),
    DOUBT: ("Internal error", None, ()),
}  # fmt: skip
CODES: Mapping[Reason, int] = {reason: code for code, (_, _, said) in ROWS.items() for reason in said}
# What is final of a deposit or a rollback. Whatever else was refused is sent again (500)
OF_A_WIN: Mapping[Reason, int] = {
    Reason.ALREADY_ROLLED_BACK: DUPLICATE, Reason.ALREADY_SETTLED: DUPLICATE, Reason.DUPLICATE_MISMATCH: REFUSED,
    Reason.BAD_SIGNATURE: 413,
}  # fmt: skip
FINAL = {"deposit": OF_A_WIN, "rollback": {**OF_A_WIN, Reason.TRANSACTION_NOT_FOUND: 408}}


def code_of(reason: Reason, name: str) -> int:
    """The code that says `reason` to this call."""
    return FINAL[name].get(reason, DOUBT) if name in FINAL else CODES.get(reason, REFUSED)


# ---------------------------------------------------------------- the calls, field by field

FIAT, CRYPTO = Scaled(3), Scaled(8)  # by the kind of the currency, not by its digits: 5 JPY is 5000
DEFAULT_PROVIDER = "spribe_crash"
FREE = "freebet"


def unit_of(currency: str, settings: Settings) -> Scaled:
    return CRYPTO if currency in settings.crypto else FIAT


def rescaled(amount: Decimal, currency: str, settings: Settings) -> Decimal:
    """An amount that was read in thousandths because its call named no currency."""
    unit = unit_of(currency, settings)
    return amount if unit is FIAT else amount.scaleb(3 - 8)


def _read_amount(fields: Fields, draft: Draft, call: Call) -> None:
    """Exact, also below what the currency has (6.125 EUR): whoever cannot book that says so. A rollback without one is of all
    of it."""
    if call.name == "rollback" and "amount" not in fields:
        return
    unit, currency = unit_of(draft.currency, call.settings), draft.currency
    amount = bounded(Decimal(read_whole(fields, "amount")).scaleb(-unit.scale(currency, call.currencies)), "amount")
    if call.name == "withdraw":
        amount = call.currencies.exact(amount, currency)
    shown = call.currencies.shown(amount, currency) if currency else amount
    draft.amount_if_any = shown if shown == amount else amount


def _amount(tx: Transaction, call: Call) -> int:
    currency, amount = frame.currency_out(tx, call), frame.amount_of(tx)
    return unit_of(currency, call.settings).write(amount, currency, call.currencies)


def _action(tx: Transaction, call: Call) -> str:
    if isinstance(tx.act, Credit):
        return FREE if tx.act.type == "free_round" or tx.act.free_round else "win"
    return "bet" if isinstance(tx.act, Debit) else "rollback"


def _studio(tx: Transaction) -> str:
    return form.STUDIO.of(tx) or DEFAULT_PROVIDER


PLAYER, AMOUNT, ID = form.PLAYER.id("user_id"), Line("amount", _read_amount, _amount), form.ID.id("provider_tx_id")
TOKEN = form.SESSION.id("session_token", length_max=LONG, may_lack=True)
ACTION = Line("action", form.passed_on("action").read, _action)
PLATFORM = form.CHANNEL.code_if_any("platform", length_max=64)
STUDIO = Line("provider", form.STUDIO.code_if_any("provider").read, lambda tx, call: _studio(tx))
TAIL = (  # in the order of the card's examples: it is signed as it stands
    Line("game", form.GAME.code_if_any("game").read, form.GAME.id("game").write), ACTION,
    # What belongs to a bet of no round is that one's.
    Line("action_id", form.ROUND.optional("action_id").read, lambda tx, call: tx.round_id or reference_of(tx.act) or tx.id),
    form.SESSION.code_if_any("session_token", length_max=LONG),
)  # fmt: skip
HEAD = (PLAYER, Line("currency", form.currency("currency").read, frame.currency_out), AMOUNT, STUDIO)
KNOWN = form.currency("currency", may_lack=True).read
FORMS = form.of_page(
    {
        "auth": (
            form.LAUNCH.id("user_token", length_max=LONG), TOKEN, PLATFORM,
            Line("currency", KNOWN, lambda tx, call: tx.currency or call.currency or UNSET),
        ),
        "info": (PLAYER, TOKEN, Line("currency", KNOWN, frame.currency_out)),
        "withdraw": (*HEAD, ID, *TAIL, PLATFORM),
        "deposit": (*HEAD, ID, form.REFERENCE.optional("withdraw_provider_tx_id"), *TAIL, PLATFORM),
        # It names no currency: it is the session's, or the bet's.
        "rollback": (PLAYER, AMOUNT, STUDIO, form.REFERENCE.id("rollback_provider_tx_id"), ID, *TAIL),
    },
    anywhere=(ACTION, PLATFORM),
)  # fmt: skip

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields, known = Fields.of(request), FORMS.get(call.name)
    if known is None:
        raise fields.wrong("action", Flaw.UNKNOWN_CALL, "is none of auth, info, withdraw, deposit, rollback")
    said = known.read(fields, call)
    match call.name:
        case "auth":
            return said.transaction(Authenticate(launch_token=said[form.LAUNCH]))
        case "info":
            return said.transaction(Balance())
        case "withdraw":
            return said.transaction(Debit(amount=said.amount))
        case "deposit":
            type_ = "free_round" if fields.raw.get("action") == FREE else "win"
            return said.transaction(Credit(amount=said.amount, type=type_, reference=said[form.REFERENCE]))
        case _:
            return said.transaction(Rollback(reference=said[form.REFERENCE], amount=said.amount_if_any))


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and tx is not None:
        # A replay of what moved is told as one, with what the first answer said.
        return _answer(DUPLICATE if outcome.replayed and tx.kind not in READS else OK, _data(outcome, tx, call))
    if not isinstance(outcome, Declined):
        return _answer(DOUBT)
    code = code_of(outcome.reason, call.name)
    undone = call.name == "rollback" and outcome.reason is Reason.ALREADY_ROLLED_BACK
    if code == DUPLICATE and not undone and (call.again or outcome.replayed):
        code = REFUSED  # a repeat hears 409 as "it was done": only what was done may hear it
    return _answer(code)


def _answer(code: int, data: dict[str, Any] | None = None) -> Response:
    return frame.answer({"code": code, "message": ROWS[code][0]} | ({} if data is None else {"data": data}))


def _data(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    held, who = frame.needed("balance", outcome.balance), outcome.profile or Profile()
    currency = frame.needed("currency", frame.currency_of(outcome, tx, call))
    player, unit = frame.needed("player", tx.player or who.player), unit_of(currency, call.settings)
    balance = unit.show(held, currency, call.currencies)
    if tx.kind in READS:
        return {"user_id": player, "username": who.username or player, "balance": balance, "currency": currency}
    return {
        "operator_tx_id": outcome.wallet_id or tx.id,
        "old_balance": unit.show(held - _gained(outcome, tx.act), currency, call.currencies),
        "new_balance": balance,
        "user_id": player,
        "currency": currency,
        "provider": _studio(tx), "provider_tx_id": tx.id,
    }  # fmt: skip


def _gained(outcome: Accepted, act: Act) -> Decimal:
    """What it gave the player, less than nothing where it took. A rollback of all of it says the amount in its outcome."""
    said: Decimal = frame.needed("amount", outcome.moved if outcome.moved is not None else getattr(act, "amount", None))
    taken = isinstance(act, Debit) or (isinstance(act, Rollback) and act.reference_kind is Kind.CREDIT)
    return -said if taken else said


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate() if tx.act.launch_token:
            name = "auth"
        case Authenticate() | Balance():
            name = "info"
        case Debit(tracking_only=True) | Credit(tracking_only=True) | Debit(free_round=True):
            raise frame.unsaid(tx)
        case Debit() | Credit() if not tx.act.amount:
            raise unsupported("a movement of nothing")  # a lost bet sends nothing, so no wallet knows a 0
        case Debit():
            frame.needed("session", tx.session)  # a win or a rollback goes without
            name = "withdraw"
        case Credit():
            name = "deposit"
        case Rollback(reference_kind=Kind.DEBIT | Kind.CREDIT):
            frame.needed("reference", tx.act.reference)
            name = "rollback"
        case _:
            raise frame.unsaid(tx)
    return frame.post(f"/{name}", FORMS[name].write(tx, call))


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return frame.heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.integer("code")
    if code == OK or (code == DUPLICATE and call.again):
        return _heard_yes(fields, tx, call, replayed=code == DUPLICATE)
    owed = tx.kind in (Kind.CREDIT, Kind.ROLLBACK)
    reason = ROWS[code][1] if code in ROWS and not (code == REFUSED and owed) else None
    if reason is None:
        return Unknown(detail=f"code {code}")
    return Declined(reason=reason, message=fields.opaque("message").get("message", "")[:200])


def _heard_yes(fields: Fields, tx: Transaction, call: Call, *, replayed: bool) -> Outcome:
    """A yes with what it holds; some wallets say nothing but the code to a repeat. Raises `Refused`."""
    if replayed and "data" not in fields:
        return Accepted(replayed=True)
    data = fields.object("data")
    player, currency = data.id("user_id", "", length_max=LONG), frame.heard_currency(data, "currency", tx, call)
    if doubt := frame.of_another(tx, player=player, currency=currency):
        return doubt
    if tx.kind in READS:
        return _heard_read(data, tx, currency, player, call)
    if data.id("provider_tx_id", tx.id, length_max=LONG) != tx.id:
        return Unknown(detail="accepted for another movement")
    balance = unit_of(currency, call.settings).heard(data, "new_balance", currency, call.currencies)
    wallet_id = data.id("operator_tx_id", "", length_max=256)
    yes = Accepted(balance=balance, currency=currency, replayed=replayed, wallet_id=wallet_id)
    return frame.with_its_purse(yes, tx)


def _heard_read(data: Fields, tx: Transaction, currency: str, player: str, call: Call) -> Outcome:
    balance = unit_of(currency, call.settings).heard(data, "balance", currency, call.currencies)
    if balance is None:
        return Unknown(detail="accepted without the balance")
    if isinstance(tx.act, Balance):
        return Accepted(balance=balance, currency=currency)
    if not (player or tx.player):
        return Unknown(detail="accepted without the player")
    username = data.opaque("username").get("username", "")[:256]
    who = Profile(player=player or tx.player, username=username if username != player else "")
    return Accepted(balance=balance, currency=currency, profile=who)


DIALECT = Dialect(
    name="spribe",
    title="Spribe: Aviator and other instant games, thousandths, codes in the body",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"user_token", "session_token", "x-spribe-client-signature"}),
    as_provider=AsProvider(
        values_max=300,  # `route` may look for the action in the body
        answer_within={"default": "4s"},
        replay_balance="stored",
        rollback_kinds={"debit": (Kind.DEBIT, Kind.CREDIT)},
        says_how_much=True,
        final_noes={Owed.NAMED_WIN: frozenset({Reason.ALREADY_ROLLED_BACK})},
        rescaled=rescaled,
        one_time_launch=True,
    ),
    as_wallet=AsWallet(
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT}),
        separates=False,  # a rollback names an id without its kind
        undoes_whole=True,
        one_word=True,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT}),
    ),
)
