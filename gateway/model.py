"""The canonical transaction: the one meaning that every dialect is translated to and from.

Money is `Decimal` in major units, never a float. A transaction has one currency, said once
(`Transaction.currency`), so a settle in two currencies cannot be written down. Ids are text,
exact. Values check themselves when they are made and raise `Refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

ID_LENGTH_MAX = 128

AMOUNT_MAX = Decimal(10) ** 15  # major units; with 12 digits behind the point still exact at 28


class Kind(StrEnum):
    """What a call means; the words of the native dialect."""

    AUTHENTICATE = "authenticate"
    BALANCE = "balance"
    CHECK = "check"
    DEBIT = "debit"
    CREDIT = "credit"
    SETTLE = "settle"
    ROLLBACK = "rollback"
    ADJUST = "adjust"
    CLOSE_ROUND = "close_round"
    CLOSE_SESSION = "close_session"
    RESERVE = "reserve"
    CAPTURE = "capture"
    RELEASE = "release"
    NOTICE = "notice"
    STATUS = "status"
    BATCH = "batch"


MONEY_KINDS = frozenset(
    {Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ROLLBACK, Kind.ADJUST, Kind.RESERVE, Kind.CAPTURE, Kind.RELEASE}
)
"""Kinds that are movements: they have an id of their own and a row in the journal."""


class Facts(Struct, frozen=True, kw_only=True):
    """What is true of a kind of movement, wherever it is asked.

    `owes`: open, it is owed to the wallet (rule 13); else it is in doubt. `any_no`: whatever a wallet
    declines it for is the end of it (rule 6). `takes`: open or
    accepted, it holds the player's money (rule 12). `repeats_as`: which word of a wallet's `repeats` speaks
    of it (rule 14). `amounts`: its amounts, in the order in which its content is compared. `buriable`:
    what names it may come before it, as its tombstone (rule 15).
    An `adjust` takes or gives by its sign: see `owes` and `takes`.
    """

    owes: bool = False
    any_no: bool = True
    takes: bool = False
    repeats_as: str = "debit"
    amounts: tuple[str, ...] = ("amount",)
    needs_currency: bool = True
    buriable: bool = True


FACTS: dict[Kind, Facts] = {
    Kind.DEBIT: Facts(takes=True),
    Kind.CREDIT: Facts(owes=True, any_no=False, repeats_as="credit"),
    Kind.SETTLE: Facts(takes=True, amounts=("debit", "credit")),
    Kind.ROLLBACK: Facts(owes=True, any_no=False, repeats_as="rollback", needs_currency=False),
    Kind.ADJUST: Facts(),
    Kind.RESERVE: Facts(takes=True),
    Kind.CAPTURE: Facts(needs_currency=False),
    Kind.RELEASE: Facts(owes=True, any_no=True, amounts=(), needs_currency=False, buriable=False),
}


class Reason(StrEnum):
    """Why something was declined: the closed list of the native dialect."""

    INVALID_REQUEST = "invalid_request"
    BAD_SIGNATURE = "bad_signature"
    NOT_AUTHENTICATED = "not_authenticated"
    SESSION_EXPIRED = "session_expired"
    PLAYER_NOT_FOUND = "player_not_found"
    PLAYER_BLOCKED = "player_blocked"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_EXCEEDED = "limit_exceeded"
    CURRENCY_MISMATCH = "currency_mismatch"
    GAME_NOT_FOUND = "game_not_found"
    TRANSACTION_NOT_FOUND = "transaction_not_found"
    ALREADY_ROLLED_BACK = "already_rolled_back"
    ALREADY_SETTLED = "already_settled"
    DUPLICATE_MISMATCH = "duplicate_mismatch"
    ROUND_CLOSED = "round_closed"
    UNSUPPORTED = "unsupported"


class Flaw(StrEnum):
    """How a field was wrong; dialects with finer codes than `invalid_request` choose by it."""

    NONE = ""
    MISSING = "missing"
    NULL = "null"
    BLANK = "blank"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID = "invalid"
    NOT_INTEGER = "not_integer"
    TOO_HIGH = "too_high"
    TOO_LOW = "too_low"
    UNPARSABLE = "unparsable"  # the whole body
    CONTENT_TYPE = "content_type"
    IMPOSSIBLE = "impossible"  # well formed, and this operation cannot be done
    UNKNOWN_CALL = "unknown_call"  # no such call in this dialect


class Refused(ValueError):
    """The one exception of a dialect: a call that is declined before any wallet is asked.

    `message` is for people; `field` is the wire's own name of what was wrong, `flaw` how.
    """

    def __init__(self, reason: Reason, message: str, *, field: str = "", flaw: Flaw = Flaw.NONE) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
        self.flaw = flaw

    def outcome(self) -> Declined:
        return Declined(reason=self.reason, message=self.message, field=self.field, flaw=self.flaw)


def unsupported(what: str) -> Refused:
    """This dialect has no words for `what`, whatever is supplied."""
    return Refused(Reason.UNSUPPORTED, f"this dialect cannot say {what}", field=what)


class Missing(Refused):
    """A dialect needs a value that nobody said: `amount`, `session`, `balance`, `round`, ...

    Raised by `encode_request` and `encode_response`; the engine supplies the value from what it
    knows and asks again, or gives up: as not authenticated where a session would say it, else as `unsupported`.
    `otherwise`: the amount that is told where nobody knows the right one.
    """

    def __init__(self, what: str, otherwise: Decimal | None = None) -> None:
        super().__init__(Reason.UNSUPPORTED, f"this dialect needs the {what}, and it is not known", field=what)
        self.otherwise = otherwise


OF_A_LAUNCH = frozenset({"player", "session", "currency"})
"""What may be `Missing` and a launch says, or `authenticate` (rule 21)."""

# ---------------------------------------------------------------- acts


def amount_checked(amount: Decimal, field: str = "amount", *, signed: bool = False) -> Decimal:
    """`amount` if it is finite, within bounds and, unless `signed`, not negative."""
    if not amount.is_finite():
        raise Refused(Reason.INVALID_REQUEST, f"{field} is not a number", field=field, flaw=Flaw.INVALID)
    if amount < 0 and not signed:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is negative", field=field, flaw=Flaw.TOO_LOW)
    if abs(amount) >= AMOUNT_MAX:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is too large", field=field, flaw=Flaw.TOO_HIGH)
    return amount


class Authenticate(Struct, frozen=True, kw_only=True, tag="authenticate", tag_field="kind", omit_defaults=True):
    """Who plays? `launch_token` is the operator's one-time key, where the dialect has one."""

    launch_token: str = ""


class Balance(Struct, frozen=True, tag="balance", tag_field="kind"):
    """How much is there?"""


class Check(Struct, frozen=True, tag="check", tag_field="kind"):
    """May this player bet? Nothing moves."""


class Debit(Struct, frozen=True, kw_only=True, tag="debit", tag_field="kind", omit_defaults=True):
    """A stake, tip or fee: takes `amount` from the player."""

    amount: Decimal
    type: str = "bet"
    free_round: bool = False  # promotional: takes no cash whatever the amount says
    tracking_only: bool = False  # told for the record

    def __post_init__(self) -> None:
        amount_checked(self.amount)


class Credit(Struct, frozen=True, kw_only=True, tag="credit", tag_field="kind", omit_defaults=True):
    """A win or gift: gives `amount` to the player. `reference` is the bet that won, if said.

    `further`: another win of that bet stood when this one came, or its wallet was never told of the bet. No wire says it,
    the engine knows it, for wallets that pay one win for each bet (`AsWallet.one_win`).
    """

    amount: Decimal
    type: str = "win"
    free_round: bool = False
    tracking_only: bool = False
    reference: str = ""
    further: bool = False

    def __post_init__(self) -> None:
        amount_checked(self.amount)


class Settle(Struct, frozen=True, kw_only=True, tag="settle", tag_field="kind", omit_defaults=True):
    """A bet and its win in one movement: all or nothing."""

    debit: Decimal
    credit: Decimal
    free_round: bool = False

    def __post_init__(self) -> None:
        amount_checked(self.debit, "debit_amount")
        amount_checked(self.credit, "credit_amount")


class Rollback(Struct, frozen=True, kw_only=True, tag="rollback", tag_field="kind", omit_defaults=True):
    """Undoes the movement that `reference` and `reference_kind` name. `amount` None = all of it.

    `scope` is what the provider asked for: `transaction`, or `round` (rule 16). `reference_type`: the `type` of that
    movement, for a wallet that undoes some in a call of their own; the wire or the journal says it, and native has no word
    for it. `free_round`: what it undoes is a free debit, said likewise, for wallets that have a word of their own for that.
    `beyond`: the id of the bet that the rollback which it undoes had given back, said likewise, for wallets that know a
    rollback by that id.
    """

    reference: str = ""
    reference_kind: Kind = Kind.DEBIT
    reference_type: str = ""
    amount: Decimal | None = None
    scope: str = "transaction"
    free_round: bool = False
    beyond: str = ""

    def __post_init__(self) -> None:
        if self.amount is not None:
            amount_checked(self.amount)


class Adjust(Struct, frozen=True, kw_only=True, tag="adjust", tag_field="kind", omit_defaults=True):
    """A correction; the only signed amount: negative takes, positive gives."""

    amount: Decimal

    def __post_init__(self) -> None:
        amount_checked(self.amount, signed=True)


class CloseRound(Struct, frozen=True, tag="close_round", tag_field="kind"):
    """Nothing more comes for this round."""


class CloseSession(Struct, frozen=True, tag="close_session", tag_field="kind"):
    """The player left."""


class Reserve(Struct, frozen=True, kw_only=True, tag="reserve", tag_field="kind", omit_defaults=True):
    """Holds `amount` until it is captured, released or `expires_at`."""

    amount: Decimal
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        amount_checked(self.amount)


class Capture(Struct, frozen=True, kw_only=True, tag="capture", tag_field="kind", omit_defaults=True):
    """Takes what the reserve `reference` holds; `amount` None = all of it."""

    reference: str
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        if self.amount is not None:
            amount_checked(self.amount)


class Release(Struct, frozen=True, kw_only=True, tag="release", tag_field="kind", omit_defaults=True):
    """Gives back what the reserve `reference` holds."""

    reference: str


class Notice(Struct, frozen=True, tag="notice", tag_field="kind"):
    """Something happened that moves nothing."""


class Status(Struct, frozen=True, kw_only=True, tag="status", tag_field="kind", omit_defaults=True):
    """What became of the movement (`reference_kind`, `reference`)?

    Of a provider that is told all that it may mean (`StatusBy.ALL`): `scope` is `transaction` (all that has
    that id), `bet` (and all that names it) or `round` (all of that round); `others` are further ids that are meant.
    """

    reference: str
    reference_kind: Kind = Kind.DEBIT
    scope: str = "transaction"
    others: tuple[str, ...] = ()


class Batch(Struct, frozen=True, kw_only=True, tag="batch", tag_field="kind", omit_defaults=True):
    """Several movements in one call. `atomic`: all or nothing."""

    items: tuple[Transaction, ...]
    atomic: bool = False


Act = (
    Authenticate
    | Balance
    | Check
    | Debit
    | Credit
    | Settle
    | Rollback
    | Adjust
    | CloseRound
    | CloseSession
    | Reserve
    | Capture
    | Release
    | Notice
    | Status
    | Batch
)

_KIND_OF: dict[type[Any], Kind] = {
    Authenticate: Kind.AUTHENTICATE,
    Balance: Kind.BALANCE,
    Check: Kind.CHECK,
    Debit: Kind.DEBIT,
    Credit: Kind.CREDIT,
    Settle: Kind.SETTLE,
    Rollback: Kind.ROLLBACK,
    Adjust: Kind.ADJUST,
    CloseRound: Kind.CLOSE_ROUND,
    CloseSession: Kind.CLOSE_SESSION,
    Reserve: Kind.RESERVE,
    Capture: Kind.CAPTURE,
    Release: Kind.RELEASE,
    Notice: Kind.NOTICE,
    Status: Kind.STATUS,
    Batch: Kind.BATCH,
}


def owes(act: Act) -> bool:
    """Whether it is owed to the wallet while it is open: it gives, or gives back."""
    if isinstance(act, Adjust):
        return act.amount > 0
    facts = FACTS.get(_KIND_OF[type(act)])
    return facts is not None and facts.owes


def any_no(act: Act) -> bool:
    """Whether whatever a wallet declines it for is the end of it."""
    if isinstance(act, Adjust):
        return act.amount <= 0
    facts = FACTS.get(_KIND_OF[type(act)])
    return facts is None or facts.any_no


def takes(act: Act) -> bool:
    """Whether it takes from the player: where its provider believes that it failed, it is given back."""
    if isinstance(act, Adjust):
        return act.amount < 0
    facts = FACTS.get(_KIND_OF[type(act)])
    return facts is not None and facts.takes


def repeats_as(act: Act) -> str:
    """The word of a wallet's `repeats` that speaks of it: debit, credit or rollback."""
    if isinstance(act, Adjust) and act.amount > 0:
        return "credit"
    return FACTS[_KIND_OF[type(act)]].repeats_as


def amounts(act: Act) -> tuple[Decimal | None, ...]:
    """Its amounts, in the order of `FACTS`; None = all of what it names."""
    facts = FACTS.get(_KIND_OF[type(act)])
    return tuple([getattr(act, name) for name in facts.amounts]) if facts is not None else ()


def with_amounts(act: Act, change: Callable[[Decimal], Decimal]) -> Act:
    """The act with each of its amounts changed. Raises what `change` or the act raises."""
    facts = FACTS.get(_KIND_OF[type(act)])
    names = facts.amounts if facts is not None else ()
    said = {name: change(getattr(act, name)) for name in names if getattr(act, name) is not None}
    return replace(act, **said) if said else act


def cancel_id(reference: str) -> str:
    """The id of a cancel that has none of its own on the wire: made of what it names."""
    return f"refund:{reference}"


def reference_of(act: Act) -> str:
    """The id of the movement that it means, or blank."""
    said: str = getattr(act, "reference", "")
    return said


class Round(Struct, frozen=True, omit_defaults=True):
    """One play. `closed` None = the call does not say."""

    id: str
    closed: bool | None = None


class Game(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The game played; blank fields are not known."""

    id: str = ""
    name: str = ""
    type: str = ""
    studio: str = ""


class Transaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a provider, in no dialect. Blank text = not known (yet: see engine/complete).

    `id` is the provider's id of the movement: it makes a retry a repeat. `extra` is what this
    dialect alone knows; the engine never reads it.
    """

    act: Act
    id: str = ""
    player: str = ""
    session: str = ""
    currency: str = ""
    round: Round | None = None
    game: Game | None = None
    free_round_id: str = ""
    channel: str = ""
    occurred_at: datetime | None = None
    request_id: str = ""
    extra: dict[str, str] = {}

    @property
    def kind(self) -> Kind:
        return _KIND_OF[type(self.act)]

    @property
    def round_id(self) -> str:
        return self.round.id if self.round else ""

    @property
    def game_id(self) -> str:
        """Blank also where a game is spoken of without its id: by its studio only (Valkyrie's prizes)."""
        return self.game.id if self.game else ""

    @property
    def asks_the_line(self) -> bool:
        """Whether it asks only if anybody answers: a notice of nobody, which means nothing to a wallet and is told to none."""
        return isinstance(self.act, Notice) and not (self.player or self.session)


# ---------------------------------------------------------------- outcomes


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who the player is, as `authenticate` answers; a new `session` may come with any answer."""

    player: str = ""
    session: str = ""
    country: str = ""
    username: str = ""
    language: str = ""


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted", tag_field="outcome", omit_defaults=True):
    """An explicit yes. Amounts are major units of `currency`; a balance may be negative."""

    balance: Decimal | None = None
    bonus: Decimal | None = None
    currency: str = ""
    wallet_id: str = ""  # the wallet's own id of the movement
    moved: Decimal | None = None  # what really moved, if not the amount asked
    replayed: bool = False  # decided before; this is that decision
    profile: Profile | None = None
    state: str = ""  # of a reserve: active, used, released, expired
    expires_at: datetime | None = None  # of a reserve
    items: tuple[Outcome, ...] = ()
    meant: tuple[Transaction, ...] = ()  # of a status: the accepted movements that it means, as they were asked for


class Declined(Struct, frozen=True, kw_only=True, tag="declined", tag_field="outcome", omit_defaults=True):
    """An explicit no. `field` and `flaw` say what was wrong with a request of the provider's."""

    reason: Reason
    message: str = ""
    field: str = ""
    flaw: Flaw = Flaw.NONE
    balance: Decimal | None = None
    bonus: Decimal | None = None
    currency: str = ""
    wallet_id: str = ""  # with already_rolled_back: of the rollback that did it
    replayed: bool = False
    items: tuple[Outcome, ...] = ()


class Unknown(Struct, frozen=True, kw_only=True, tag="unknown", tag_field="outcome", omit_defaults=True):
    """Doubt: nobody knows. `detail` is for people, and holds no body and no secret."""

    detail: str = ""


Outcome = Accepted | Declined | Unknown


def of_another_currency(act: Act, asked: str, said: str) -> Declined | Unknown | None:
    """Doubt, where a yes names another currency than it was asked for; of what only asks about the player's purse it is a no:
    nothing moved, and there is none in that currency. What either does not say is not compared.

    *A provider of EUR heard doubt of a player of USD at every launch, for ever.*
    """
    if not asked or not said or said == asked:
        return None
    if isinstance(act, Authenticate | Balance | Check):
        return Declined(reason=Reason.CURRENCY_MISMATCH, message=f"its player's currency is {said}")
    return Unknown(detail=f"accepted in {said}, asked in {asked}")
