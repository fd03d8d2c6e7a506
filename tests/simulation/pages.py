"""What a page makes right, and what a provider of it can say: the judge and the players know no dialect by its name.

Flags are asked for here alone (`gateway/ends.py`); what a wire can say is found out by trying.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.codec.times import parse_duration
from gateway.dialect import Call, Dialect
from gateway.ends import Kept, Owed
from gateway.engine.parts import items_of
from gateway.ids import TextIds
from gateway.model import (
    Accepted,
    Act,
    Adjust,
    Authenticate,
    Batch,
    Credit,
    Debit,
    Declined,
    Game,
    Kind,
    Outcome,
    Reason,
    Refused,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
)
from gateway.play.habits import habit_of
from tests.simulation.bench import CURRENCIES, a_provider
from tests.simulation.scheduler import BEGIN

NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"
ONE, TWO = Decimal("2.50"), Decimal("5.00")


def flag(dialect: Dialect, name: str) -> Any:
    """What its page says of whoever asks in it."""
    return getattr(dialect.as_provider, name)


# ---------------------------------------------------------------- what is right by a page


def keeps_won(dialect: Dialect, settings: Any) -> bool:
    """Whether a bet stays, once a win of it stands."""
    return flag(dialect, "kept_by")(settings) is not Kept.NOTHING


def keeps_by_round(dialect: Dialect, settings: Any) -> bool:
    """Of those: whether any win of its round keeps it."""
    return flag(dialect, "kept_by")(settings) in (Kept.ROUND_WIN, Kept.LATER)


def wins_that_end(dialect: Dialect, tx: Transaction) -> frozenset[Reason]:
    """The noes that its page lets a win hear for good (rules 6, 15)."""
    found = frozenset[Reason]()
    if tx.kind is not Kind.CREDIT:
        return found
    if getattr(tx.act, "reference", ""):
        found |= flag(dialect, "final_noes").get(Owed.NAMED_WIN, frozenset())
        if one_end(dialect):
            found |= {Reason.ALREADY_SETTLED, Reason.ALREADY_ROLLED_BACK, Reason.TRANSACTION_NOT_FOUND}
    closed_to = flag(dialect, "closed_to")
    if closed_to is not None and closed_to(tx):
        found |= {Reason.ROUND_CLOSED}
    return found


def first_stands(dialect: Dialect, kind: Kind) -> bool:
    """Whether another movement under a used id hears what became of the first."""
    return kind in flag(dialect, "first_stands")


def several(dialect: Dialect) -> bool:
    """Whether a movement may be given back in parts."""
    return bool(flag(dialect, "partial"))


def by_stake(dialect: Dialect) -> bool:
    """Whether a cancel names its bet by round and amount alone."""
    return dialect.by_stake


def one_end(dialect: Dialect) -> bool:
    """Whether its bets come to one end, so that a win which names none ties to no bet."""
    return bool(flag(dialect, "one_end"))


def one_word(dialect: Dialect) -> bool:
    """Whether its wallets have one word for both ends of a bet, so that its win and its cancel wait for each other."""
    return dialect.as_wallet.ended_by is not None


def yes_to_unknown(dialect: Dialect) -> bool:
    """Whether a wallet of it may say yes to the rollback of what it does not know."""
    return dialect.as_wallet.yes_to_unknown


def silence(dialect: Dialect) -> float | None:
    """After how many seconds of silence its page believes that a bet failed; None: it says nothing."""
    text = flag(dialect, "after_doubt")
    return parse_duration(text).total_seconds() if text else None


# ---------------------------------------------------------------- what it can say


def reading(dialect: Dialect, settings: Any, tx: Transaction, provider: str = "acme") -> Transaction:
    """The call as the gateway will read it, with what was said of its player and currency. Raises `Refused`: no words."""
    call = Call(settings=settings, now=BEGIN, nonce=NONCE, provider=provider, currency="EUR", currencies=CURRENCIES)
    if tx.occurred_at is None:
        tx = replace(tx, occurred_at=BEGIN)
    request = dialect.encode_request(tx, call)
    name = dialect.route(request, settings)
    read = dialect.decode_request(request, replace(call, request=request, name=name))
    if isinstance(read.act, Batch):
        items = tuple(_completed(item, tx) for item in items_of(read, read.act))
        return replace(read, act=replace(read.act, items=items))
    return _completed(read, tx)


def _completed(read: Transaction, said: Transaction) -> Transaction:
    return replace(read, player=said.player, currency=said.currency)


class Speech(Struct, frozen=True, kw_only=True):
    """What a provider of this page has words for."""

    settles: bool  # a bet and its win in one call
    splits: bool  # which is read as two movements
    batches: bool
    mixes: bool  # batches of bets and wins
    cancels: bool
    cancels_twice: bool  # under ids of their own
    parts: bool
    undoes_settles: bool
    restores: bool  # takes a cancel back
    adjusts: bool
    holds: bool
    refunds_rounds: bool
    names_bets: bool  # a win says its bet, in whatever round
    elsewhere: bool  # also one of another round, or of none
    owns_wins: bool  # a win may have the id of its bet
    rounds: bool
    roundless: bool  # and a bet may be of none
    arrives: bool  # asks who plays
    frees: bool  # a free bet
    bound: bool  # a session belongs to one game
    renews: bool  # and is replaced


def id_as(dialect: Dialect, plain: str) -> str:
    """An id such as its provider draws: of the domain that its wallets take."""
    ids = dialect.as_wallet.ids
    return plain if isinstance(ids, TextIds) or not plain else ids.made(plain)


def round_as(dialect: Dialect, plain: str) -> str:
    rounds = dialect.as_wallet.rounds
    return plain if rounds is None or isinstance(rounds, TextIds) or not plain else rounds.made(plain)


@cache
def speech_of(name: str, *variant: tuple[str, Any]) -> Speech:
    """Tried once: each call is said and read again."""
    provider = a_provider(name, settings=dict(variant))
    dialect, settings = provider.dialect, provider.settings

    def tx(act: Any, id: str, round_id: str = "r1", **more: Any) -> Transaction:
        whole = Round(round_as(dialect, round_id), False) if round_id else None
        return Transaction(
            act=act, id=id_as(dialect, id), player="p1", session="sess-p1", currency="EUR", round=whole,
            game=Game(id="42", name="Polar Fox", type="slots"), **more,
        )  # fmt: skip

    def read(tx: Transaction) -> Transaction | None:
        try:
            return reading(dialect, settings, tx)
        except Refused:
            return None

    def undone(id: str, of: str = "11", amount: Decimal | None = ONE, kind: Kind = Kind.DEBIT) -> Transaction | None:
        act = Rollback(reference=id_as(dialect, of), reference_kind=kind, amount=amount)
        return read(tx(act, id)) or read(tx(replace(act, amount=None), id))

    bet, named = read(tx(Debit(amount=ONE), "11")), read(tx(Credit(amount=ONE, reference=id_as(dialect, "11")), "12"))
    whole, second, part = undone("911"), undone("811"), undone("711", amount=ONE / 2)
    settle = read(tx(Settle(debit=ONE, credit=TWO), "13"))
    refund = read(
        replace(tx(Rollback(reference=id_as(dialect, "19"), scope="round"), "14"), id=f"refund:{id_as(dialect, '19')}")
    )
    back = Rollback(
        reference=id_as(dialect, "911"), reference_kind=Kind.ROLLBACK, amount=ONE, beyond=id_as(dialect, "11")
    )  # fmt: skip
    says_its_bet = named is not None and bool(getattr(named.act, "reference", ""))
    loose = read(tx(Credit(amount=ONE, reference=id_as(dialect, "11")), "12", "r2"))
    own = read(tx(Credit(amount=ONE, reference=id_as(dialect, "11")), "11"))
    assert bet is not None, f"{name} cannot say a bet"
    return Speech(
        settles=settle is not None, splits=settle is not None and settle.kind is Kind.BATCH,
        batches=_batch(dialect, read, tx, Debit(amount=ONE), Debit(amount=TWO)),
        mixes=_batch(dialect, read, tx, Debit(amount=ONE), Credit(amount=TWO, reference=id_as(dialect, "11"))),
        cancels=whole is not None and habit_of(dialect).cancels,
        cancels_twice=whole is not None and second is not None and whole.id != second.id and not dialect.by_stake,
        parts=part is not None and getattr(part.act, "amount", None) == ONE / 2 and not dialect.by_stake,
        undoes_settles=undone("913", "13", None, Kind.SETTLE) is not None and settle is not None and settle.kind is Kind.SETTLE,
        restores=read(tx(back, "5911")) is not None and flag(dialect, "undoes_rollbacks"),
        adjusts=_reads_as(read(tx(Adjust(amount=-ONE), "15")), Kind.ADJUST),
        holds=_reads_as(read(tx(Reserve(amount=ONE), "16")), Kind.RESERVE, id_as(dialect, "16")),
        refunds_rounds=refund is not None and dialect.round_refunds and getattr(refund.act, "scope", "") == "round",
        names_bets=says_its_bet, elsewhere=says_its_bet and _same(loose, named) and loose is not None and loose.round_id != bet.round_id,
        owns_wins=says_its_bet and own is not None and own.id == bet.id and not flag(dialect, "rollback_kinds"),
        rounds=bool(bet.round_id), roundless=_same(read(tx(Debit(amount=ONE), "11", "")), bet), arrives=read(tx(Authenticate(launch_token="sess-p1"), "")) is not None,
        frees=_free(read(tx(Debit(amount=ONE, free_round=True), "17", free_round_id="campaign-1"))),
        bound=flag(dialect, "bets_in_own_session"), renews=flag(dialect, "renews")(settings),
    )  # fmt: skip


def _reads_as(read: Transaction | None, kind: Kind, id: str = "") -> bool:
    return read is not None and read.kind is kind and (not id or read.id == id)


def _free(read: Transaction | None) -> bool:
    return read is not None and isinstance(read.act, Debit) and read.act.free_round


def _same(one: Transaction | None, other: Transaction | None) -> bool:
    return one is not None and other is not None and one.id == other.id


def together(items: Sequence[Transaction], *, atomic: bool) -> Transaction:
    """A list of movements of one player in one round, as a call that says what they have in common for all."""
    first = items[0]
    return Transaction(
        act=Batch(items=tuple(items), atomic=atomic), player=first.player, session=first.session, currency=first.currency,
        round=first.round, game=first.game,
    )  # fmt: skip


def _batch(dialect: Dialect, read: Any, tx: Any, *acts: Any) -> bool:
    items = tuple(tx(act, str(11 + n)) for n, act in enumerate(acts))
    found = read(tx(Batch(items=items, atomic=True), "", "")) or read(together(items, atomic=True))
    return found is not None and isinstance(found.act, Batch) and len(found.act.items) == len(acts)


@cache
def renames(name: str) -> bool:
    """Whether a wallet of this dialect calls what it was told by other names than those: a win by its bet, a settle as two."""
    provider = a_provider(name)
    ids = provider.dialect.as_wallet.ids
    bet, one = ids.made("acme:debit:11", bare=True), ids.made("acme:credit:12", bare=True)
    rounds = (Round(round_as(provider.dialect, "r1"), True), None)
    acts: tuple[tuple[Act, str], ...] = (
        (Debit(amount=ONE), bet), (Credit(amount=ONE, reference=bet), one),
        (Credit(amount=ONE, reference=bet, further=True), one), (Settle(debit=ONE, credit=TWO), one),
        (Credit(amount=ONE), one), (Adjust(amount=ONE), one), (Adjust(amount=-ONE), one),
    )  # fmt: skip
    for (act, id), whole in product(acts, rounds):
        try:
            tx = Transaction(
                act=act, id=id, round=whole, player="p1", session="sess-p1", currency="EUR", game=Game(id="42")
            )  # fmt: skip
            read = reading(provider.dialect, provider.settings, tx)
        except Refused:
            continue
        if read.id != id:
            return True
    return provider.dialect.as_wallet.makes_hold_ids


@cache
def refusing(name: str, kind: Kind, reason: Reason, *, again: bool = False) -> Outcome | None:
    """What the gateway hears when a wallet of this dialect refuses a movement, asked `again`, for that reason; None: it is
    told none."""
    provider = a_provider(name)
    dialect, settings, ids = provider.dialect, provider.settings, provider.dialect.as_wallet.ids
    acts: Mapping[Kind, tuple[Act, ...]] = {
        Kind.DEBIT: (Debit(amount=ONE),), Kind.CREDIT: (Credit(amount=ONE, reference=ids.made("11")),),
        Kind.SETTLE: (Settle(debit=ONE, credit=TWO),),
        Kind.ROLLBACK: (Rollback(reference=ids.made("11"), amount=ONE), Rollback(reference=ids.made("11"))),
    }  # fmt: skip
    call = Call(settings=settings, now=BEGIN, nonce=NONCE, provider="acme", currency="EUR", currencies=CURRENCIES)
    for act in acts.get(kind, ()):
        tx = Transaction(
            act=act, id=ids.made("12"), player="p1", session="sess-p1", currency="EUR",
            round=Round(round_as(dialect, "r1")), game=Game(id="42"), occurred_at=BEGIN,
        )  # fmt: skip
        try:
            request = dialect.encode_request(tx, call)
        except Refused:
            continue
        call = replace(call, request=request, name=dialect.route(request, settings))
        no = Declined(reason=reason, balance=ONE, currency="EUR")
        response = dialect.encode_response(no, dialect.decode_request(request, call), call)
        return dialect.decode_response(response, tx, replace(call, again=again))
    return None


OF_US = frozenset({Reason.BAD_SIGNATURE, Reason.INVALID_REQUEST, Reason.UNSUPPORTED, Reason.DUPLICATE_MISMATCH})
"""What a wallet says of a request rather than of what it asks for: to a second asking no answer to the first (rule 5)."""
DONE = frozenset({Reason.ALREADY_ROLLED_BACK, Reason.DUPLICATE_MISMATCH, Reason.TRANSACTION_NOT_FOUND})
"""What a repeated rollback may hear when it was done before, or nothing was there (rules 5, 6)."""


def says_apart(name: str, reason: Reason, kind: Kind = Kind.ROLLBACK) -> bool:
    """Whether its wallets say that to a rollback, or a win, in another word than "done": nobody could tell it from that (rule 5)."""
    for again in (False, True):
        heard = refusing(name, kind, reason, again=again)
        done = isinstance(heard, Declined) and heard.reason is not reason and heard.reason in DONE
        if isinstance(heard, Accepted) or done:
            return False
    return True


@cache
def can_be_asked(name: str) -> bool:
    """Whether a wallet of this dialect can be asked what became of an id."""
    provider = a_provider(name)
    ids = provider.dialect.as_wallet.ids
    tx = Transaction(
        act=Status(reference=ids.made("11")), player="p1", session="sess-p1", currency="EUR", game=Game(id="42")
    )  # fmt: skip
    try:
        reading(provider.dialect, provider.settings, tx)
    except Refused:
        return False
    return True
