"""What a wallet can be told of a provider's transaction, and how what it cannot say is bridged.

Judged by trying, in the engine's own words (`engine/words.py`): what only the journal or a launch will know stands there as a
stand-in. So what `gateway check` says, what `gateway translate` shows and what is sent come from one function; when it is
sent, the rules say (docs/rules.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.currency import Currencies
from gateway.dialect import Call, Dialect
from gateway.ends import AsProvider
from gateway.engine.identity import key_of, space_of
from gateway.engine.movement import Movement, Session
from gateway.engine.parts import PART, halves, in_order, items_of, told_as, undoing_of
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.engine.words import (
    CURRENCY_FROM,
    IS_ALL_OF_IT,
    PLAYER_FROM,
    Known,
    Supplied,
    Way,
    for_wallet,
    meant,
    moves_nothing,
    worded,
)
from gateway.http import Request
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Act,
    Authenticate,
    Batch,
    Capture,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Game,
    Kind,
    Notice,
    Refused,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
    owes,
)

SAME, BRIDGED, REFUSED = "same", "bridged", "refused"

AMOUNT_STAND_IN = Decimal(31415926)
"""Stands for an amount that only the journal knows; its digits are not to be taken for money."""
CURRENCY_STAND_IN = "XTS"  # ISO 4217's code for tests
PLAYER, SESSION, GAME, ROUND, BET, HOLD, ID = "<player>", "<session>", "<game>", "<round>", "<bet>", "<hold>", "<id>"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"
ITS_ROUNDS_BET = "reference from the journal, where its round has one bet (else it waits for a person)"
READS = frozenset({Kind.BALANCE, Kind.CHECK, Kind.AUTHENTICATE, Kind.STATUS, Kind.CLOSE_ROUND, Kind.CLOSE_SESSION})


class Told(Struct, frozen=True, kw_only=True):
    """A judgement: the verdict, what bridges or is missing, and the requests in order.

    `spoken` are the transactions that the requests say, stand-ins included.
    """

    verdict: str
    text: str = ""
    requests: tuple[Request, ...] = ()
    spoken: tuple[Transaction, ...] = ()


def alone(dialect: Dialect, settings: Any, currencies: Currencies) -> Way:
    """A wallet of this dialect behind nobody in particular."""
    asks = replace(dialect, as_provider=AsProvider())
    provider = Provider(name="acme", id="acme", dialect=asks, settings=settings, answer_within={})
    wallet = Wallet(
        name="wallet", dialect=dialect, settings=settings, url="", repeats={}, ids_as_is=dialect.as_wallet.ids_as_is
    )
    route = Route(wallet=wallet.name)
    return Way(
        setup=Setup(
            providers={provider.name: provider}, wallets={wallet.name: wallet}, routes=(route,), currencies=currencies
        ),
        provider=provider,
        wallet=wallet,
        route=route,
    )  # fmt: skip


def encodes(dialect: Dialect, settings: Any, tx: Transaction, currencies: Currencies) -> bool:
    """Whether the dialect has words for exactly this, once everything is known."""
    way = alone(dialect, settings, currencies)
    return _plainly(way, _movement(way, tx, ""), _call(way, NOW)).verdict != REFUSED


def tell(way: Way, tx: Transaction, name: str = "", now: datetime = NOW) -> Told:
    """How the wallet is told of `tx`, which the provider said in its call `name`."""
    return _told(way, tx, name, _call(way, now))


def named(way: Way, said: str) -> str:
    """A text of a request with the ids and rounds that stand for what is not known yet as what they stand for."""
    wallet = way.wallet.dialect.as_wallet
    said = said.replace(wallet.ids.made(BET), BET)
    return said.replace(wallet.rounds.made(f"{way.provider.id}:round:{ROUND}"), ROUND)


def for_a_person(tx: Transaction) -> bool:
    """Whether what cannot be said to a wallet is kept for a person; anything else is declined (rule 6)."""
    act = tx.act
    return any(map(for_a_person, act.items)) if isinstance(act, Batch) else tx.kind in MONEY_KINDS and owes(act)


def _call(way: Way, now: datetime) -> Call:
    call = way.call(now, NONCE)
    return replace(call, currencies=Currencies({CURRENCY_STAND_IN: 2, **call.currencies.configured}))


def _told(way: Way, tx: Transaction, name: str, call: Call) -> Told:
    if isinstance(tx.act, Batch):  # always: each item has its own key, and a known one is not sent again
        items = items_of(tx, tx.act)
        ordered = [_told(way, items[number], name, call) for number in in_order(items)]
        return _several(ordered, "split: debits first, credits last")
    if tx.asks_the_line:
        return Told(verdict=BRIDGED, text="means nobody: answered without the wallet")
    own = _movement(way, tx, name)
    if isinstance(tx.act, Credit) and _is_given_a_bet(way, tx, tx.act):
        bet = _named(way, tx, tx.act, "")
        told = _plainly(way, replace(own, tx=replace(tx, act=replace(tx.act, reference=bet.tx.id))), call, bet)
        if told.verdict != REFUSED:
            return _noted(told, "as the win of its round's only bet, if there is one")
    if isinstance(tx.act, Rollback) and not tx.act.reference and not way.wallet.dialect.by_stake:
        return _round(way, own, tx.act, call)
    direct = _plainly(way, own, call)
    if direct.verdict != REFUSED:
        return direct
    match tx.act:
        case Debit() | Credit() | Rollback() if moves_nothing(tx):
            return Told(verdict=BRIDGED, text="moves no cash: not sent, answered by a balance")
        case Settle():
            return _settle(way, own, tx.act, name, call)
        case Rollback(reference_kind=Kind.SETTLE, amount=None) if _is_split(way, own, tx.act, call):
            return _unsettled(way, own, tx.act, call)
        case CloseRound() | CloseSession() | Notice():
            return Told(verdict=BRIDGED, text="moves nothing: not sent, answered by a balance")
        case Check() | Authenticate():
            return Told(verdict=BRIDGED, text="answered from the launch or the journal, and a balance")
        case Status():
            return Told(verdict=BRIDGED, text="answered from the journal")
        case _:
            return direct


# ---------------------------------------------------------------- one transaction


def _plainly(way: Way, own: Movement, call: Call, leg: Movement | None = None) -> Told:
    """Said with a stand-in for whatever the engine will know. `leg`: the debit of the win of a split settle, or what is undone
    of one."""
    told = _as_it_is(way, own, call, leg)
    if told.verdict == REFUSED:
        return told
    for fuller, note in _completed(way, own.tx):  # what it may go without, and is told once it is known
        own = replace(own, tx=fuller)
        other = _as_it_is(way, own, call, leg)
        if other.verdict != REFUSED:
            more = other.requests != told.requests
            told = _noted(other, *told.text.split("; "), note) if more else replace(told, spoken=other.spoken)
    return told


def _completed(way: Way, tx: Transaction) -> Iterator[tuple[Transaction, str]]:
    """What its wire leaves to what the engine knows whenever it sends a movement (rule 21), one after the other."""
    if tx.kind not in MONEY_KINDS:
        return
    if not tx.player:
        tx = replace(tx, player=PLAYER)
        yield tx, f"player from {PLAYER_FROM}"
    if not tx.currency and not way.wallet.currency:
        tx = replace(tx, currency=CURRENCY_STAND_IN)
        yield tx, f"currency from {CURRENCY_FROM}"
    if not tx.game_id and way.provider.dialect.as_provider.game_of_session:
        yield replace(tx, game=Game(id=GAME)), "game from the launch"


def _as_it_is(way: Way, own: Movement, call: Call, leg: Movement | None) -> Told:
    known = _known(way, own, leg)
    said = for_wallet(way, own.tx, own.alias, known.target or known.bet, own.tx.session)
    try:
        spoken = worded(known, said, call, partial(_supplied, known))
    except Refused as refused:
        return Told(verdict=REFUSED, text=refused.message)
    notes = list(spoken.notes)
    if own.kind is Kind.CREDIT and leg is None and "reference from the journal" in notes:
        notes[notes.index("reference from the journal")] = ITS_ROUNDS_BET
    if way.wallet.dialect.as_wallet.undoes_whole and getattr(own.tx.act, "amount", None) is not None and own.undoes:
        notes.insert(0, IS_ALL_OF_IT)
    verdict = BRIDGED if notes else SAME
    return Told(verdict=verdict, text="; ".join(notes), requests=(spoken.request,), spoken=(spoken.tx,))


def _movement(way: Way, tx: Transaction, name: str, *, whole: Movement | None = None, part: str = "") -> Movement:
    """As its journal would keep it. `part`: of a `whole`."""
    dialect = way.provider.dialect
    space = dialect.as_provider.space(name, tx.kind) if name else space_of(dialect, tx.kind)
    space = f"{whole.space}.{part}" if whole is not None else space
    own = Movement(
        key=key_of(dialect, way.provider.id, space, tx), provider=way.provider.id, space=space, kind=tx.kind, tx=tx,
        fingerprint="", wallet=way.wallet.name, parent=whole.key if whole is not None else "", created_at=NOW,
    )  # fmt: skip
    return replace(own, alias=told_as(way, own) if tx.kind in MONEY_KINDS else tx.id)


def _known(way: Way, own: Movement, leg: Movement | None) -> Known:
    """What may be known beside it, once it is real."""
    tx, act = own.tx, own.tx.act
    session = Session(provider=own.provider, session=SESSION, player=tx.player, seen_at=NOW)
    played = replace(own, tx=replace(tx, session="", game=Game(id=GAME), round=None))
    by_route = bool(way.route.sessions) and tx.player not in ("", PLAYER)
    known = Known(way=way, own=own, latest=played, last_session=None if by_route else session)
    if isinstance(act, Rollback | Capture | Release):
        target = leg or _named(way, tx, act, act.reference)
        left = getattr(act, "amount", None) or AMOUNT_STAND_IN
        first = _named(way, tx, Rollback(), getattr(act, "beyond", "")) if target.undoes else None
        return replace(known, target=target, left=left, beyond=first)
    if isinstance(act, Credit) and (leg is not None or _has_a_bet(way, tx, act)):
        return replace(known, bet=leg or _named(way, tx, act, act.reference))
    return known


def _is_given_a_bet(way: Way, win: Transaction, act: Credit) -> bool:
    """Whether it is told with the bet that it belongs to, though its request may go without."""
    return way.wallet.dialect.as_wallet.one_win and not act.reference and _has_a_bet(way, win, act)


def _noted(told: Told, *notes: str) -> Told:
    """Bridged by these, too."""
    said = dict.fromkeys(filter(None, (*notes, *told.text.split("; "))))
    return replace(told, verdict=BRIDGED, text="; ".join(said))


def _has_a_bet(way: Way, win: Transaction, act: Credit) -> bool:
    """Whether the journal may know to which bet a win belongs: it names that, or its round has no other (rule 11)."""
    return bool(act.reference) or (bool(win.round_id) and not way.provider.dialect.as_provider.one_end)


def _named(way: Way, tx: Transaction, act: Rollback | Capture | Release | Credit, id: str) -> Movement:
    """The movement that is named, as the journal may know it: what undoes it undoes all of it."""
    said = act.amount if isinstance(act, Rollback | Capture) else None
    amount = said or AMOUNT_STAND_IN
    bet = Debit(amount=amount)
    if isinstance(act, Rollback):
        bet = replace(bet, free_round=act.free_round, type=act.reference_type or bet.type)
    acts: dict[Kind, Act] = {
        Kind.CREDIT: Credit(amount=amount),
        Kind.SETTLE: Settle(debit=amount, credit=amount),
        Kind.ROLLBACK: Rollback(reference=BET, amount=amount),
        Kind.RESERVE: Reserve(amount=amount),
        Kind.CAPTURE: Capture(reference=BET, amount=amount),
    }
    named = Transaction(
        act=acts.get(meant(act), bet), id=id or BET, player=tx.player or PLAYER, currency=tx.currency or CURRENCY_STAND_IN,
        round=Round(ROUND if way.wallet.dialect.by_stake else tx.round_id or ROUND), game=Game(id=tx.game_id or GAME),
    )  # fmt: skip
    found, ids = replace(_movement(way, named, ""), outcome=Accepted(wallet_id=HOLD)), way.wallet.dialect.as_wallet.ids
    return found if id else replace(found, alias=BET if ids.holds(BET) else ids.made(BET))


def _supplied(known: Known, tx: Transaction, what: str) -> Supplied:
    """As the engine supplies it, and what was completed before (rule 21)."""
    act, target = tx.act, known.target
    if what == "player":
        return replace(tx, player=PLAYER), PLAYER_FROM
    if what == "currency" and not known.way.wallet.currency:
        return replace(tx, currency=CURRENCY_STAND_IN), CURRENCY_FROM
    if what == "reference" and isinstance(act, Rollback) and target is not None:
        return replace(tx, act=replace(act, reference=target.alias)), "the journal"
    if what == "round" and isinstance(act, Credit) and act.reference and known.bet is not None and not known.bet.parent:
        return replace(tx, round=known.way.round(Round(ROUND))), "the journal, else the id of its bet"
    if what == "id" and tx.kind in READS:  # a movement without an id of the provider's has none to be made from
        return replace(tx, id=ID), "the gateway"
    return known.supply(tx, what)


# ---------------------------------------------------------------- movements that are more than one


def _several(told: list[Told], how: str) -> Told:
    """Told one after the other; the worst of them decides."""
    refused = list(dict.fromkeys(each.text for each in told if each.verdict == REFUSED))
    if refused:
        return Told(verdict=REFUSED, text="; ".join(refused))
    notes = dict.fromkeys(note for each in told for note in each.text.split("; ") if note)
    return Told(
        verdict=BRIDGED,
        text="; ".join([how, *notes]),
        requests=tuple(request for each in told for request in each.requests),
        spoken=tuple(tx for each in told for tx in each.spoken),
    )


def _settle(way: Way, own: Movement, act: Settle, name: str, call: Call) -> Told:
    """The win as that of its debit, where the wallet is told of that and pays one win for each bet."""
    bet, win = halves(own.tx, act)
    debit, credit = (_movement(way, half.tx, name, whole=own, part=half.name) for half in (bet, win))
    stake = _plainly(way, debit, call)
    if stake.requests and way.wallet.dialect.as_wallet.one_win:
        assert isinstance(credit.tx.act, Credit)
        credit = replace(credit, tx=replace(credit.tx, act=replace(credit.tx.act, reference=debit.tx.id)))
    gain = _plainly(way, credit, call, debit)
    return _several([_or_nothing(stake, debit.tx), _or_nothing(gain, credit.tx)], "split: the debit, then the credit")


def _is_split(way: Way, own: Movement, act: Rollback, call: Call) -> bool:
    """Whether the settle that is to be undone was told as two."""
    return _plainly(way, _named(way, own.tx, act, act.reference), call).verdict == REFUSED


def _unsettled(way: Way, own: Movement, act: Rollback, call: Call) -> Told:
    """The win of a settle is undone, then its debit (rule 18)."""
    whole, told = _named(way, own.tx, act, act.reference), []
    assert isinstance(whole.tx.act, Settle)
    for half in reversed(halves(whole.tx, whole.tx.act)):
        leg = _movement(way, half.tx, "", whole=whole, part=half.name)
        part = undoing_of(own, leg, PART, f"{own.tx.id}:{leg.kind.value}")
        told.append(_plainly(way, _movement(way, part.tx, "", whole=own, part=PART), call, leg))
    return _several(told, "split: its win is undone, then its debit")


def _or_nothing(told: Told, tx: Transaction) -> Told:
    if told.verdict != REFUSED or not moves_nothing(tx):
        return told
    return Told(verdict=BRIDGED, text="moves no cash: not sent, answered by a balance")


def _round(way: Way, own: Movement, act: Rollback, call: Call) -> Told:
    """Rule 16: a rollback for every open bet of the round, or for the one that has its amount; the journal knows them."""
    told = _plainly(way, own, call)
    if told.verdict == REFUSED:
        return told
    meant = "every open bet of the round" if act.amount is None else "the open bet of the round that has its amount"
    notes = [note for note in told.text.split("; ") if note != "reference from the journal"]
    return _noted(replace(told, text="; ".join(notes)), f"one rollback for {meant}")
