"""Filling a case: every look of the engine, in one place.

Generators of looks, pure: a database runs them in one transaction (`opening`, which ends with a
write) or beside all of them (`looking`). What a row's absence is read from is read after the row
whose revision a newcomer would raise: so whoever leans on that row leans on the absence, too (rule 31).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.ends import Owed
from gateway.engine.case import Around, Ask, Asked, Case, Decide, Move, Tell
from gateway.engine.complete import Completed, completing, reference_kinds
from gateway.engine.identity import fingerprint, key_of, same_player
from gateway.engine.journal import Answers, Doubt, Look, Looks, Put, Steps, Write
from gateway.engine.journal import Ask as LookFor
from gateway.engine.judge import remembered
from gateway.engine.moment import Moment
from gateway.engine.movement import UNKNOWN, Event, Movement, Session, Step, buried, carried, decided, told
from gateway.engine.parts import gone, kept, named_apart, refusable, undoable
from gateway.engine.rules import already_decided, clocked, next_move, other_content, taken_back
from gateway.engine.setup import Provider, Route, Setup
from gateway.engine.states import State
from gateway.engine.undoing import by_round, by_stake, claims
from gateway.engine.words import Known, Way, moves_nothing, named_as
from gateway.model import (
    FACTS,
    Accepted,
    Act,
    Authenticate,
    Check,
    CloseRound,
    Credit,
    Declined,
    Game,
    Kind,
    Notice,
    Reason,
    Refused,
    Rollback,
    Settle,
    Status,
    Transaction,
    amounts,
)

ROUND_MAX = 100_000  # bets of one round that its refund undoes
TURNS_MAX = 20  # ids that are another's, one after the other: more than this is no chance, and our bug
RETRY_MAX = timedelta(hours=24)  # the longest that a provider repeats a call (rule 30)


class Hands(Struct, frozen=True, kw_only=True):
    """In whose hands a case is: the process, its generation of the configuration, the moment."""

    setup: Setup
    provider: Provider
    node: str
    nonce: str
    moment: Moment
    lease: timedelta


class Order(Struct, frozen=True, kw_only=True):
    """A movement that is to be opened, if it is not there yet."""

    wire: Transaction  # as it was decoded: its content is what the wire said
    space: str
    call: str = ""  # the name of the provider's call that asks for it; blank: no provider named it
    waits: bool = False
    patient: bool = False
    left: float = 0.0
    parent: Movement | None = None
    target: str = ""  # the key of the movement meant, where it is known beforehand
    ours: bool = False
    batch: str = ""
    atomic: bool = False
    joint: bool = False  # one of several items: heard with all of them
    id_space: str = ""  # where the alias lives, if not in `space`
    leaned: tuple[Movement, ...] = ()  # what the wish to open it leaned on
    settled: bool = False  # everybody was asked who could say who plays


class Opened(Struct, frozen=True, kw_only=True):
    """What opening came to. `case` None: something is missing that a session may say (`lacking`), or what
    it leaned on changed meanwhile."""

    case: Case | None
    done: Completed
    move: Move | None = None
    lacking: bool = False


# ---------------------------------------------------------------- where it goes


def route_of(setup: Setup, provider: Provider, tx: Transaction, session: Session | None) -> Way | None:
    """The session's wallet, else the first route that fits."""
    route = setup.route(provider, tx, session.brand if session else "")
    wallet = setup.wallets.get(session.wallet) if session and session.wallet else None
    if wallet is not None and (route is None or route.wallet != wallet.name):
        fitting = (r for r in setup.routes if r.wallet == wallet.name and _serves(r.providers, provider.name))
        route = next(fitting, route)
    if route is None:
        return None
    return Way(setup=setup, provider=provider, wallet=wallet or setup.wallets[route.wallet], route=route)


def _serves(providers: frozenset[str] | None, name: str) -> bool:
    return providers is None or name in providers


def way_of(setup: Setup, provider: Provider, own: Movement, default: Way | None) -> tuple[Way | None, str]:
    """Where the journal says it goes, else by the routes; and why nothing may be sent there (rule 23)."""
    if not own.wallet:
        return default, ""
    wallet = setup.wallets.get(own.wallet)
    if wallet is None:
        return None, f"its wallet {own.wallet} is not configured any more"
    if not wallet.is_at(own.place):
        return None, f"wallet {own.wallet} points elsewhere by now"
    here = default is not None and default.wallet.name == wallet.name
    if here and default is not None and default.route.players == own.route:
        return default, ""
    route = next((r for r in setup.routes if r.wallet == wallet.name and r.players == own.route), None)
    as_now = default.route if here and default is not None else Route(wallet=wallet.name)
    return Way(setup=setup, provider=provider, wallet=wallet, route=route or replace(as_now, players=own.route)), ""


# ---------------------------------------------------------------- looks

Asks = Mapping[str, LookFor]
Found = Mapping[str, list[Any]]


def _look(asks: Asks, names: tuple[str, ...] = ()) -> Looks[Found]:
    answers: Answers = yield Look(tuple(asks.values()), names)
    return dict(zip(asks, answers, strict=True))


def _one(found: Found, name: str) -> Any:
    return next(iter(found.get(name, ())), None)


def _first_asks(provider: Provider, own: Movement, *, fresh: bool, waits: bool = False) -> dict[str, LookFor]:
    """What its own names lead to. Of a fresh bet that its provider waits for, no win matters."""
    tx, act = own.tx, own.tx.act
    here = (own.provider, tx.player, tx.round_id)
    asks: dict[str, LookFor] = {}
    if own.target:
        asks["target"] = LookFor("own", (own.target,))
    elif own.reference and not own.sent and not own.decided and reference_kinds(provider, act):
        asks["named"] = LookFor("found", (own.provider, own.reference))
        if provider.dialect.as_provider.own_id_meant and isinstance(act, Rollback):
            asks["same"] = LookFor("found", (own.provider, tx.id))
    if own.undone_by:
        asks["undoer"] = LookFor("own", (own.undone_by,))
    if own.parent:
        asks["whole"] = LookFor("own", (own.parent,))
    if isinstance(act, Rollback | Settle) and not fresh:
        asks["parts"] = LookFor("parts", (own.key,))
    if own.batch:
        asks["batch"] = LookFor("batch", (own.batch,))
    if isinstance(act, Credit) and not own.decided:
        asks |= {"halves": LookFor("parts", (own.parent,))} if own.parent else _tied_asks(provider, own, act)
    if by_round(provider.dialect, act) and not own.parent:
        asks["round_won"] = LookFor("round_win", here)
        asks["round_undoing"] = LookFor("round_undoing", (*here, own.key))
    if own.takes and own.told == UNKNOWN and not fresh:
        asks["aimed"] = LookFor("aimed", (own.key,))
    if own.takes and not own.parent and not waits:
        asks |= _won_asks(provider, own, "won")
    if fresh and own.kind is Kind.DEBIT and tx.round_id and provider.dialect.as_provider.ends_rounds and not own.parent:
        asks["closing"] = LookFor("of_round", here)
    if fresh and tx.round_id and not own.parent and provider.dialect.as_provider.ends_with_its_round(tx):
        asks["round_ends"] = LookFor("round_ends", here)
    if fresh and FACTS[own.kind].buriable and not own.parent and not own.ours:
        asks["naming"] = LookFor("naming", (own.provider, tx.id))
        if provider.dialect.as_provider.own_id_meant:
            asks["same"] = LookFor("found", (own.provider, tx.id))
        if tx.round_id and (provider.dialect.round_refunds or provider.dialect.by_stake):
            asks["refunds"] = LookFor("round_refunds", here)
    if (
        fresh
        and (provider.dialect.as_provider.last_only or provider.dialect.as_provider.won_by_round)
        and _keeps_others(provider, own)
    ):
        asks["kept"] = LookFor("of_round", here)
    meant_by_stake = provider.dialect.by_stake and by_stake(provider.dialect, own)
    if fresh and tx.round_id and (provider.dialect.as_provider.bare_ids or meant_by_stake):
        asks["of_round"] = LookFor("of_round", here)
    if fresh and tx.round_id and meant_by_stake:
        asks["stakes"] = LookFor("round_bets", (*here, ROUND_MAX))
    return asks | _session_asks(own.provider, tx, own.key, fresh=fresh, undoes=own.undoes)


def _keeps_others(provider: Provider, own: Movement) -> bool:
    """Whether its round's bets may stay because of it, whether it ties to them or not."""
    wins = own.kind in (Kind.CREDIT, Kind.SETTLE)
    keeps = wins or (own.kind is Kind.DEBIT and provider.dialect.as_provider.last_only)
    return keeps and bool(own.tx.round_id) and not own.parent


def _tied_asks(provider: Provider, own: Movement, act: Credit) -> dict[str, LookFor]:
    """The bets that a win ties to beside those of its batch: the same wins are loose as `round_loose_win` finds (rule 11)."""
    tx = own.tx
    if act.reference:
        return {"bets": LookFor("found", (own.provider, act.reference))}
    if own.batch or provider.dialect.as_provider.one_end:
        return {}
    return {"lone": LookFor("round_bets", (own.provider, tx.player, tx.round_id, 2))} if tx.round_id else {}


def _won_asks(provider: Provider, bet: Movement, name: str) -> dict[str, LookFor]:
    """The wins that tie to a movement that takes."""
    tx = bet.tx
    here = (bet.provider, tx.player, tx.round_id)
    asks = {f"{name}.named": LookFor("naming_wins", (bet.provider, tx.id, tx.player))}
    if bet.batch:
        asks[f"{name}.batch"] = LookFor("batch", (bet.batch,))
    if tx.round_id and bet.kind is Kind.DEBIT and not provider.dialect.as_provider.one_end:
        asks[f"{name}.loose"] = LookFor("round_loose_win", here)
        asks[f"{name}.bets"] = LookFor("round_bets", (*here, 2))
    return asks


def _won(found: Found, bet: Movement, name: str) -> bool:
    named = bet.kind is Kind.DEBIT and bool(found.get(f"{name}.named"))
    batch = any(m.kind is Kind.CREDIT and m.state is not State.DECLINED for m in found.get(f"{name}.batch", ()))
    bets = [m for m in found.get(f"{name}.bets", ()) if m.key != bet.key]
    loose = bool(found.get(f"{name}.loose")) and not bets
    return named or batch or loose


def _session_asks(provider: str, tx: Transaction, key: str, *, fresh: bool, undoes: bool = False) -> dict[str, LookFor]:
    """What a wallet's dialect may want and nobody said: a session, a game. `fresh`: its own was read before.

    *A win named no game, and at its second asking its player's last movement was that very win:* it is asked for by `key`.
    """
    asks: dict[str, LookFor] = {}
    if tx.session and not fresh:
        asks["session"] = LookFor("session", (provider, tx.session))
    if tx.player and not (tx.session and tx.game_id and not undoes):
        asks["last_session"] = LookFor("last_session", (provider, tx.player, tx.game_id))
        asks["latest"] = LookFor("latest", (provider, tx.player, key))
    return asks


def _second_asks(
    provider: Provider, own: Movement, target: Movement | None, bets: Sequence[Movement], whole: Any
) -> dict[str, LookFor]:
    """What the movements lead to that the first look found."""
    asks: dict[str, LookFor] = {}
    if target is None and own.undoes and Owed.STRANGER in provider.dialect.as_provider.final_noes and not own.decided:
        asks["met"] = LookFor("other_of", (own.provider, own.tx.player, own.key))
    if target is None and by_round(provider.dialect, own.tx.act) and not own.parent:
        here = (own.provider, own.tx.player, own.tx.round_id)
        asks["round_bets"] = LookFor("round_bets", (*here, ROUND_MAX))  # all of them are undone, else one
    if target is not None:
        asks["others"] = LookFor("aimed", (target.key,))
        asks["legs"] = LookFor("parts", (target.key,))
        if target.undone_by and target.undone_by != own.key:
            asks["claimer"] = LookFor("own", (target.undone_by,))
        if own.undoes and target.undoes and target.target:
            asks["beyond"] = LookFor("own", (target.target,))
        if target.takes and own.undoes and not own.decided and not target.decided:
            asks |= _won_asks(provider, target, "target_won")
        if _asks_for_wins(provider, own, target):
            asks |= _standing_asks(provider, target)
        if _asks_for_later(provider, own, target):
            here = (target.provider, target.tx.player, target.tx.round_id)
            asks["standing.last"] = LookFor("round_last", (*here, target.key))
        if target.tx.session and target.tx.session != own.tx.session:
            asks["target_session"] = LookFor("session", (target.provider, target.tx.session))
    for number, bet in enumerate(bets):
        if bet.undone_by:
            asks[f"cancel.{number}"] = LookFor("own", (bet.undone_by,))
    if whole is not None and whole.undone_by:
        asks["whole_undoer"] = LookFor("own", (whole.undone_by,))
    return asks


def _asks_for_wins(provider: Provider, own: Movement, target: Movement) -> bool:
    """Whether a win forbids this rollback, where its bet has one."""
    return _may_be_kept(own, target) and (
        provider.dialect.as_provider.one_end or provider.dialect.as_provider.won_stays(provider.settings)
    )


def _standing_asks(provider: Provider, bet: Movement) -> dict[str, LookFor]:
    """The wins that tie to a bet (rule 11), or one of its round, where they are not taken back."""
    tx = bet.tx
    here = (bet.provider, tx.player, tx.round_id)
    if provider.dialect.as_provider.won_by_round and tx.round_id:
        return {"standing.named": LookFor("round_win", here)}
    asks = {"standing.named": LookFor("standing_wins", (bet.provider, tx.id, tx.player))}
    if tx.round_id and not provider.dialect.as_provider.one_end:
        asks |= {
            "standing.loose": LookFor("standing_loose_wins", here),
            "standing.bets": LookFor("round_bets", (*here, 2)),
        }
    return asks


def _standing(found: Found, bet: Movement | None) -> list[Movement]:
    """Those wins, and what came after the bet in its round where that keeps it, too: the one that nobody undoes first."""
    lone = bet is not None and not any(m.key != bet.key for m in found.get("standing.bets", ()))
    later = [m for m in found.get("standing.last", ()) if bet is not None and m.key != bet.key]
    wins = [*later, *found.get("standing.named", ()), *(found.get("standing.loose", ()) if lone else ())]
    return sorted(wins, key=lambda win: win.undone_by != "")


def _keeps(win: Movement, found: Found) -> bool:
    """Whether a win was not undone for certain."""
    undoer: Movement | None = _one(found, f"spent.{win.key}")
    return not win.undone_by or (undoer is not None and not undoer.decided)


def _asks_for_later(provider: Provider, own: Movement, target: Movement) -> bool:
    """Whether what came after it in its round forbids this rollback. Of a bet in doubt nothing is known that could stay."""
    may = _may_be_kept(own, target) and provider.dialect.as_provider.last_only
    return may and target.state is State.ACCEPTED and bool(target.tx.round_id)


def _may_be_kept(own: Movement, target: Movement) -> bool:
    """Whether a page may say of this rollback that its bet stays. A leg of a settle goes with its whole: *its rollback waited
    for what came after it in its round, which was its own settle, and that for the rollback; the stake stayed taken.*"""
    fresh = own.undoes and not own.ours and not own.decided and not own.sent
    return fresh and target.kind is Kind.DEBIT and not target.parent


def _over(provider: Provider, found: Found) -> bool:
    """Whether its round was closed before it came: by a win that belongs to its play, or by whatever came, as the page says."""
    ends = provider.dialect.as_provider.ends_with_its_round
    return any(m.tx.round is not None and m.tx.round.closed and ends(m.tx) for m in found.get("round_ends", ())) or any(
        map(_closes, found.get("closing", ()))
    )


def _guess_asks(way: Way | None, own: Movement, target: Movement | None, moment: Moment) -> dict[str, LookFor]:
    """A wallet that takes an unknown reference for the whole round, or one that it does not remember any more, or that never
    reached it, would find bets of ours there; one that is told a round and an amount finds any that has them."""
    act, tx = own.tx.act, own.tx
    if way is not None and way.wallet.dialect.by_stake:
        return _equal_asks(way, own, target)
    if way is None or not tx.round_id or own.decided:
        return {}
    if target is not None and target.decided and (not target.sent or remembered(target, way.wallet, moment)):
        return {}
    if not isinstance(act, Rollback) or act.scope != "round" or not way.wallet.dialect.round_refunds:
        return {}
    providers = [provider.id for provider in way.setup.providers.values()]
    asks = {f"guess.{each}": LookFor("round_bets", (each, tx.player, tx.round_id, 2)) for each in providers}
    return asks | ({"beside": LookFor("parts", (own.parent,))} if own.parent else {})


def _may_be_meant(hands: Hands, way: Way | None, own: Movement, target: Movement | None, other: Movement) -> bool:
    """Whether its wallet may give that one back in its stead. Beside a bet in doubt only what stands there for certain counts:
    of two in doubt one must be first."""
    if other.wallet != own.wallet or other.key == own.target:
        return False
    if way is not None and way.wallet.dialect.by_stake:
        equal = target is not None and other.key != target.key and other.whole_amount == target.whole_amount
        return equal and not _goes_too(own, other)
    if other.state is State.ACCEPTED or way is None or target is None or target.decided:
        return True
    return not remembered(target, way.wallet, hands.moment)


def _equal_asks(way: Way, own: Movement, target: Movement | None) -> dict[str, LookFor]:
    if not own.undoes or own.decided or target is None or not target.tx.round_id:
        return {}
    here = (target.tx.player, target.tx.round_id, ROUND_MAX)
    return {f"guess.{each.id}": LookFor("round_bets", (each.id, *here)) for each in way.setup.providers.values()}


def _goes_too(own: Movement, other: Movement) -> bool:
    """Whether an equal bet is to be undone as well, by a cancel of its own, the same refund of their round, or the batch that
    both are items of: then it is one which of the two goes first."""
    act = own.tx.act
    refund = bool(own.parent) and isinstance(act, Rollback) and act.scope == "round" and other.provider == own.provider
    return bool(other.undone_by) or refund or (own.ours and bool(own.batch) and other.batch == own.batch)


def _of_its_stake(own: Movement, found: Found) -> Looks[Movement | None]:
    """The bet that a cancel means which says round and amount alone (rule 16): the newest that stands. Else one whose end its
    provider does not know, for it heard doubt last; else one whose cancel is under way: it is waited for.

    *Its second cancel was told as done while the first was under way, which was then refused.* *A bet had never reached its
    wallet, its cancel found none that was open, and the player's next bet was declined.*
    """
    stake = amounts(own.tx.act)
    rows = {m.key: m for m in (*found["of_round"], *found["stakes"])}.values()
    bets = [m for m in rows if m.kind is Kind.DEBIT and amounts(m.tx.act) == stake]
    ended = {m.key: LookFor("aimed", (m.key,)) for m in bets if not _stands(m)}
    aimed = (yield from _look(ended)) if ended else {}
    newest = sorted(bets, key=lambda m: (m.created_at, m.key), reverse=True)
    turns = [(_turn(m, aimed.get(m.key, ())), m) for m in newest]
    return min((each for each in turns if each[0] < OVER), key=lambda each: each[0], default=(OVER, None))[1]


STANDS, UNHEARD, UNDER_WAY, OVER = range(4)


def _stands(bet: Movement) -> bool:
    return bet.state is not State.DECLINED and not bet.undone_by


def _turn(bet: Movement, aimed: Sequence[Movement]) -> int:
    cancels = [m for m in aimed if m.undoes and not m.ours and (not m.decided or gone(m))]
    if _stands(bet):
        return STANDS
    if cancels:
        return OVER if any(m.decided for m in cancels) else UNDER_WAY
    heard = bet.state is State.DECLINED and bet.told != UNKNOWN and not bet.undone_by
    return OVER if heard else UNHEARD


def _with_its_stake(row: Movement, bet: Movement, *, spoke: bool) -> Movement:
    """The cancel with the bet that it means, found out once and kept; in that one's currency, where the wire says none."""
    act, currency = row.tx.act, row.tx.currency if spoke else bet.tx.currency or row.tx.currency
    assert isinstance(act, Rollback)
    return replace(row, tx=replace(row.tx, act=replace(act, reference=bet.tx.id), currency=currency))


def _bets(provider: Provider, own: Movement, found: Found) -> tuple[Movement, ...]:
    """The bets that a win ties to: those of its batch, the one it names, or the only one of its round."""
    named = [m for m in _named_bets(provider, own, found) if m.state is not State.DECLINED]
    lone = found.get("lone", ())
    batch = [m for m in found.get("batch", ()) if m.takes and not m.ours and m.state is not State.DECLINED]
    tied = {m.key: m for m in (*named[:1], *(lone if len(lone) == 1 else ()), *batch) if m.key != own.key}
    return tuple(tied.values())


def tied(setup: Setup, win: Movement) -> Looks[tuple[Movement, ...]]:
    """The same, of a win that is in nobody's hands just now."""
    provider, act = setup.provider_by_id(win.provider), win.tx.act
    if provider is None or not isinstance(act, Credit) or win.parent:
        return ()
    asks = _tied_asks(provider, win, act)
    if win.batch:
        asks["batch"] = LookFor("batch", (win.batch,))
    return _bets(provider, win, (yield from _look(asks)))


def _named_bets(provider: Provider, own: Movement, found: Found) -> list[Movement]:
    """The bet that a win names."""
    named = [m for m in found.get("bets", ()) if m.kind is Kind.DEBIT and same_player(m.tx.player, own.tx.player)]
    return [m for m in named if in_scope(provider, m.tx, own.tx)]


def _lost(provider: Provider, own: Movement, found: Found) -> Movement | None:
    """The bet that a win names, where that came to its end in doubt: it was given back, or never went. It ties to nothing."""
    for bet in _named_bets(provider, own, found):
        if isinstance(bet.outcome, Declined) and bet.outcome.reason is Reason.ALREADY_ROLLED_BACK:
            return bet
    return None


def in_scope(provider: Provider, one: Transaction, other: Transaction) -> bool:
    """Whether an id that both say means the same, where ids are unique only with the player or the round."""
    scope = provider.dialect.as_provider.scope
    if scope == "round":
        return one.round_id == other.round_id
    return scope != "player" or same_player(one.player, other.player)


def first_of(found: Sequence[Movement], kinds: Sequence[Kind]) -> Movement | None:
    """In the order of `kinds`."""
    return next((m for kind in kinds for m in found if m.kind is kind), None)


def _target(provider: Provider, own: Movement, found: Found) -> tuple[Movement | None, bool]:
    """The movement that it names, and whether that one is another player's: none that this call may touch."""
    if "target" in found:
        return _one(found, "target"), False
    kinds = reference_kinds(provider, own.tx.act)
    # What it names goes before what has its own id, where that may be meant (`own_id_meant`).
    several = [found.get("named", ()), found.get("same", ())]
    named = [m for each in several for m in each if m.kind in kinds and in_scope(provider, m.tx, own.tx)]
    mine = [m for m in named if same_player(m.tx.player, own.tx.player)]
    target = first_of([m for m in mine if m.tx.id == own.reference], kinds) or first_of(mine, kinds)
    return target, target is None and bool(named)


def _closes(m: Movement) -> bool:
    return m.tx.round is not None and m.tx.round.closed is True and m.state is not State.DECLINED


def _misnamed(provider: Provider, own: Movement, found: Found) -> bool:
    """Whether what it names is there, as nothing that it can mean."""
    kinds = reference_kinds(provider, own.tx.act)
    named = [m for m in found.get("named", ()) if in_scope(provider, m.tx, own.tx)]
    return bool(named) and not any(m.kind in kinds for m in named)


DEEPEST = 8  # of rollbacks that undo each other; what lies deeper counts as if nothing had undone it


def _undoings(own: Movement, others: Sequence[Movement]) -> Looks[tuple[Movement, ...]]:
    """The rollbacks of those rollbacks, theirs, and so on: what undid a part may itself be undone, in parts."""
    found: dict[str, Movement] = {}
    level = [m for m in others if m.undoes and m.key != own.key and m.state is not State.DECLINED]
    for _ in range(DEEPEST):
        if not level:
            break
        seen = {own.key, own.target, *found, *(m.key for m in others)}
        rows = yield from _look({m.key: LookFor("aimed", (m.key,)) for m in level})
        aimed = [m for each in rows.values() for m in each if m.key not in seen]
        level = [m for m in aimed if m.undoes and m.state is not State.DECLINED]
        found |= {m.key: m for m in level}
    return tuple(found.values())


def _aside_asks(provider: Provider, beyond: Movement | None) -> dict[str, LookFor]:
    """What else is aimed at what gets free where a rollback of a part is undone."""
    if beyond is None or not (provider.dialect.as_provider.partial or provider.dialect.as_provider.undoes_rollbacks):
        return {}
    keys = [beyond.key, *([beyond.target] if beyond.undoes and beyond.target else [])]
    return {f"aside.{key}": LookFor("aimed", (key,)) for key in keys}


def _around(
    hands: Hands, way: Way | None, own: Movement, first: Found, target: Movement | None, *, stranger: bool, fresh: bool
) -> Looks[Around]:  # fmt: skip
    """The rest of what ties to it, once the first look is there."""
    provider, whole = hands.provider, _one(first, "whole")
    bets, lost = (_bets(provider, own, first), _lost(provider, own, first)) if own.kind is Kind.CREDIT else ((), None)
    asks = _second_asks(provider, own, target, bets, whole) | _guess_asks(way, own, target, hands.moment)
    second = (yield from _look(asks)) if asks else {}
    claimer, undoer = _one(second, "claimer"), _one(first, "undoer")
    again, beyond = {"unclaimer": claimer, "restorer": undoer}, _one(second, "beyond")
    asks = {name: LookFor("own", (m.undone_by,)) for name, m in again.items() if m is not None and m.undone_by}
    if beyond is not None and beyond.undoes and beyond.target:
        asks["further"] = LookFor("own", (beyond.target,))
    asks |= _aside_asks(provider, beyond)
    wins = _standing(second, target)
    asks |= {f"spent.{win.key}": LookFor("own", (win.undone_by,)) for win in wins if win.undone_by}
    beside = [m for m in second.get("beside", ()) if m.key != own.key and not m.decided]
    asks |= {f"guess.{m.key}": LookFor("own", (m.target,)) for m in beside}  # what is to be given back stands as yet
    third = (yield from _look(asks)) if asks else {}
    counts = own.undoes and (provider.dialect.as_provider.partial or provider.dialect.as_provider.undoes_rollbacks)
    undoings = (yield from _undoings(own, second.get("others", ()))) if counts else ()
    unclaimer = _one(third, "unclaimer")
    standing = next((win for win in wins if _keeps(win, third)), None)
    guessed = any(
        _may_be_meant(hands, way, own, target, m)
        for name, rows in (*second.items(), *third.items()) if name.startswith("guess.") for m in rows
    )  # fmt: skip
    more: dict[str, Any] = {}
    if own.takes and ("won.named" in first or not fresh):
        more["won"] = _won(first, own, "won")
    if target is not None:
        more["target_won"] = _won(second, target, "target_won")
    if "round_won" in first:
        more |= {"round_won": bool(first["round_won"]), "round_bets": tuple(second.get("round_bets", ()))}
        more |= {"round_undoing": tuple(first["round_undoing"])}
    return Around(
        target=target,
        undoer=undoer,
        claimer=claimer,
        unclaimed=unclaimer is not None and unclaimer.state is State.ACCEPTED,
        unclaiming=unclaimer is not None and not unclaimer.decided,
        restorer=_one(third, "restorer"),
        beyond=beyond,
        further=_one(third, "further"),
        others=tuple(second.get("others", ())),
        undoings=undoings,
        aside=tuple(m for name, rows in third.items() if name.startswith("aside.") for m in rows if m.undoes),
        stranger=stranger,
        standing_win=standing,
        win_undoer=_one(third, f"spent.{standing.key}") if standing is not None else None,
        misnamed=provider.dialect.as_provider.misnamed is not None and _misnamed(provider, own, first),
        given_back=tuple(m for m in first.get("aimed", ()) if m.ours),
        refused=tuple(m for m in first.get("aimed", ()) if not m.ours and kept(m)),
        over=_over(provider, first),
        unmet="met" in second and not (second["met"] or first.get("session") or first.get("last_session")),
        ended=any(m.ends and not m.ours and m.state is not State.DECLINED for m in first.get("aimed", ())),
        whole=whole,
        whole_undoer=_one(second, "whole_undoer"),
        parts=tuple(first.get("parts", ())),
        legs=tuple(second.get("legs", ())),
        bets=bets,
        refused_bet=next(iter(_named_bets(provider, own, first)), None)
        if provider.dialect.as_provider.one_end and not bets
        else None,
        cancels=tuple(row for name, rows in second.items() if name.startswith("cancel.") for row in rows),
        siblings=tuple(m for m in first.get("batch", ()) if m.key != own.key),
        guessed=guessed,
        lost=lost,
        paid=next((m for m in (*first.get("lone", ()), *first.get("halves", ())) if m.kind is Kind.DEBIT), None),
        strange=(yield from _strange(way, own, target, bets)),
        own_session=_one(first, "session"),
        target_session=_one(second, "target_session") or _one(first, "session"),
        last_session=_one(first, "last_session"),
        latest=_one(first, "latest"),
        **more,
    )


def _strange(way: Way | None, own: Movement, target: Movement | None, bets: Sequence[Movement]) -> Looks[str]:
    """What is named that nobody here knows, where its id may be that of another movement (rules 3, 15): blank elsewhere."""
    if (
        way is None
        or not way.wallet.dialect.as_wallet.ids.scarce
        or target is not None
        or own.decided
        or not own.reference
    ):
        return ""
    if any(bet.tx.id == own.reference for bet in bets):
        return ""
    return (yield from _unmet(way, own, partial(named_as, way, own.tx)))


def begins(launched: Session, act: Act) -> bool:
    """Whether this call asks who plays with the launch token of that session."""
    return isinstance(act, Authenticate) and bool(act.launch_token) and act.launch_token == launched.launch_token


def knowing(way: Way, tx: Transaction, session: Session | None) -> Looks[Known]:
    """What may be supplied to a call that is no movement. `session`: its own, where that was read before."""
    own = session if session is not None and session.session == tx.session else None
    if own is None and session is not None and begins(session, tx.act):  # the wallet knows the launch, not this session
        own = replace(session, wallet_session=session.wallet_session or session.session)
    asks = _session_asks(way.provider.id, tx, "", fresh=own is not None)
    found = (yield from _look(asks)) if asks else {}
    return Known(
        way=way, own_session=own or _one(found, "session"), last_session=_one(found, "last_session"),
        latest=_one(found, "latest"),
    )  # fmt: skip


def way_of_read(setup: Setup, provider: Provider, done: Completed) -> Looks[tuple[Way | None, str]]:
    """Where a call goes that moves nothing, and why it may be sent nowhere: what asks about a movement, or speaks of a round,
    goes where that went (rule 23).

    *Asked about a hold, the wallet of that day did not know it: its provider was told that there is none, and the hold
    stood.*
    """
    tx, meant = done.tx, done.meant
    if isinstance(tx.act, CloseRound | Check | Notice) and tx.round_id:
        here = LookFor("round_place", (provider.id, tx.player, tx.round_id))
        meant = _one((yield from _look({"place": here})), "place")
    default = route_of(setup, provider, tx, done.session)
    return way_of(setup, provider, meant, default) if meant is not None else (default, "")


class Listed(Struct, frozen=True, kw_only=True):
    """A movement that a status may mean."""

    m: Movement
    tx: Transaction  # as it was asked for
    undoer: Movement | None = None  # what undoes, or is to undo, it

    @property
    def given_back(self) -> bool:
        """By the gateway itself: its provider believes that it failed, and cancels nothing (rule 12)."""
        return self.undoer is not None and self.undoer.ours and gone(self.undoer) and self.undoer.decided

    @property
    def known(self) -> bool:
        """What is being given back by the gateway is in doubt, whatever its wallet said."""
        undoer = self.undoer
        return self.m.decided and (undoer is None or not undoer.ours or undoer.decided)


def listing(provider: Provider, tx: Transaction, act: Status) -> Looks[list[Listed]]:
    """All that a status may mean, in the order of arrival, each as it was asked for: a rollback of all of it with what that
    was, and each with the time at which it came where its provider said none."""
    ids, asks = (act.reference, *act.others), {}
    if act.scope == "round":
        asks["round"] = LookFor("of_round", (provider.id, tx.player, act.reference))
    else:
        asks = {f"id.{id}": LookFor("found", (provider.id, id)) for id in ids}
    if act.scope == "bet":
        asks |= {f"undoing.{id}": LookFor("naming", (provider.id, id)) for id in ids}
        asks |= {f"wins.{id}": LookFor("wins", (provider.id, id, tx.player)) for id in ids}
    found = yield from _look(asks)
    rows = {m.key: m for each in found.values() for m in each if same_player(tx.player, m.tx.player)}
    means = {m.key: LookFor("own", (m.target,)) for m in rows.values() if m.undoes and m.target}
    means |= {f"undoer.{m.key}": LookFor("own", (m.undone_by,)) for m in rows.values() if m.undone_by}
    meant = (yield from _look(means)) if means else {}
    ordered = sorted(rows.values(), key=lambda m: (m.created_at, m.key))
    listed = [Listed(m=m, tx=_as_asked(m, _one(meant, m.key)), undoer=_one(meant, f"undoer.{m.key}")) for m in ordered]
    return [each for each in listed if not each.given_back]


def _as_asked(m: Movement, target: Movement | None) -> Transaction:
    tx = replace(m.tx, occurred_at=m.tx.occurred_at or m.created_at)
    if not isinstance(tx.act, Rollback) or tx.act.amount is not None or target is None:
        return tx
    return replace(tx, act=replace(tx.act, amount=target.whole_amount))


# ---------------------------------------------------------------- a movement that is there


def looking(hands: Hands, key: str) -> Looks[Case | None]:
    """All that the rules tie to one movement; None: it is not there."""
    found = yield from _look({"own": LookFor("own", (key,))})
    own = _one(found, "own")
    if own is None:
        return None
    return (yield from _case_of(hands, own))


def _case_of(hands: Hands, own: Movement) -> Looks[Case]:
    first = yield from _look(_first_asks(hands.provider, own, fresh=False))
    session = _one(first, "session")
    default = route_of(hands.setup, hands.provider, own.tx, session)
    way, astray = way_of(hands.setup, hands.provider, own, default)
    target, stranger = _target(hands.provider, own, first)
    target = target if own.target else None  # what came after it is not what it meant: it was its tombstone (rule 15)
    around = yield from _around(hands, way, own, first, target, stranger=stranger, fresh=False)
    case = _case(hands, own, way, astray, around)
    if way is None or own.alias:
        return case
    # No route led to a wallet when it was read.
    return replace(case, told_as=(yield from _unmet(way, own, case.turn_of_alias)))


def _case(hands: Hands, own: Movement, way: Way | None, astray: str, around: Around) -> Case:
    return Case(
        own=own, provider=hands.provider, way=way, astray=astray, moment=hands.moment, node=hands.node,
        nonce=hands.nonce, around=around,
    )  # fmt: skip


# ---------------------------------------------------------------- a movement that may be new


def opening(hands: Hands, order: Order, again: bool) -> Steps[Opened]:
    """Insert it, or find what is there, with all that must be known at that moment."""
    done = yield from completing(hands.provider, order.wire, hands.moment.now, order.space)
    done = done.checked(hands.setup.currencies)
    if done.asks_who and not order.settled:
        return Opened(case=None, done=done, lacking=True)
    row, way = _row(hands, order, done)
    here = (row.provider, row.tx.player, row.tx.round_id)
    asks = {"own": LookFor("own", (row.key,)), "doubts": LookFor("doubts")}
    if row.tx.round_id:
        asks["place"] = LookFor("round_place", here)
    asks |= _first_asks(hands.provider, row, fresh=True, waits=order.waits)
    first = yield from _look(asks, (*_names(row), *_told_names(way, order, row)))
    first = {**first, "session": [done.launched] if done.launched is not None else []}
    own = _one(first, "own")
    if own is not None:
        ours = again and (own.owner, own.created_at) == (row.owner, row.created_at) and own.state is State.ASKING
        if not ours:
            return (yield from _found(hands, order, own, done))
        return Opened(case=(yield from _case_of(hands, own)), done=done)  # committed, and nobody told us
    target, stranger = _target(hands.provider, row, first)
    if "stakes" in first:
        target = yield from _of_its_stake(row, first)
        row = _with_its_stake(row, target, spoke=done.spoke) if target is not None else row
    named = next(iter(_named_bets(hands.provider, row, first)), None)
    row = _placed(row, way, target or named, _one(first, "place"))
    way, astray = way_of(hands.setup, hands.provider, row, way)
    row = replace(row, alias=(yield from _unmet(way, row, _alias(way, order, row)))) if way is not None else row
    row = yield from _with_its_bet(way, row, first)
    row = _with_its_game(way, row, target, first)
    around = yield from _around(hands, way, row, first, target, stranger=stranger, fresh=True)
    tombstone = _tombstone(hands.provider, row, first)
    around = replace(around, tombstone=tombstone)
    row = replace(row, target=target.key if target is not None else "")
    fresh = _case(hands, row, way, astray, around)
    row = _perhaps_forgotten(fresh, first.get("doubts", ()))
    case = _asked_for(replace(fresh, own=row), order, done, again=False)
    if hands.provider.dialect.as_provider.bare_ids and case.asked is not None:
        case = replace(case, asked=replace(case.asked, twin=_twin(row, first)))
    return (yield from _inserted(hands, order, case, done, first))


def _twin(row: Movement, first: Found) -> str:
    """Another movement of its round that says the same, where only its id tells them apart and no proof covers that."""
    return next((m.key for m in first.get("of_round", ()) if m.fingerprint == row.fingerprint), "")


def _row(hands: Hands, order: Order, done: Completed) -> tuple[Movement, Way | None]:
    tx, provider, now = done.tx, hands.provider, hands.moment.now
    way = route_of(hands.setup, provider, tx, done.session)
    row = Movement(
        key=key_of(provider.dialect, provider.id, order.space, tx),
        provider=provider.id,
        space=order.space,
        kind=tx.kind,
        tx=tx,
        fingerprint=fingerprint(order.wire, provider.dialect),
        wallet=way.wallet.name if way is not None else "",
        place=way.wallet.place if way is not None else "",
        route=way.route.players if way is not None else "",
        target=order.target,
        parent=order.parent.key if order.parent is not None else "",
        batch=order.batch,
        atomic=order.atomic,
        ours=order.ours,
        owner=hands.node,
        due_at=now + hands.lease,
        created_at=now,
    )
    return row, way


def _with_its_bet(way: Way | None, row: Movement, first: Found) -> Looks[Movement]:
    """A win with the bet that it ties to, at a wallet that pays one win for each bet, and whether it is a further one of it
    (rule 11). Found out once and kept: asked in other words later, because another bet came or the first win was declined
    meanwhile, it would be another movement there."""
    act = row.tx.act
    if way is None or not way.wallet.dialect.as_wallet.one_win or not isinstance(act, Credit) or row.parent:
        return row
    named = _named_bets(way.provider, row, first)
    bets = named if act.reference else [m for m in _bets(way.provider, row, first) if m.kind is Kind.DEBIT]
    bet = bets[0] if len(bets) == 1 else None
    reference = act.reference or (bet.tx.id if bet is not None else "")
    if not reference:
        return row
    wins = yield from _look({"wins": LookFor("naming_wins", (row.provider, reference, row.tx.player))})
    untold = bet is not None and bet.state is State.ACCEPTED and not bet.attempts
    return replace(row, tx=replace(row.tx, act=replace(act, reference=reference, further=bool(wins["wins"]) or untold)))


def _with_its_game(way: Way | None, row: Movement, target: Movement | None, first: Found) -> Movement:
    """With the game that the wire did not name, for a wallet that wants one: found out once and kept, for by the next
    asking its player may have been launched into another one.

    *A win was told in the game of its player's launch, and asked again in that of the next one: to a wallet that looks
    whether the game is the same it was another movement under a used id.*
    """
    if way is None or not way.wallet.dialect.as_wallet.wants_game or row.tx.game_id:
        return row
    bet = next(iter(_named_bets(way.provider, row, first)), None)
    known = Known(
        way=way, target=target, bet=bet, last_session=_one(first, "last_session"), latest=_one(first, "latest")
    )
    id = known.game()
    return replace(row, tx=replace(row.tx, game=replace(row.tx.game or Game(), id=id))) if id else row


def _names(row: Movement) -> tuple[str, ...]:
    """What it is called, what it names, and its round: everything by which a movement and its tombstone,
    or two rollbacks of one movement, could miss each other."""
    tx = row.tx
    found = [f"{row.provider}\x1f{tx.id}"]
    if row.reference:
        found.append(f"{row.provider}\x1f{row.reference}")
    if tx.round_id:
        found.append(f"{row.provider}\x1f{tx.player}\x1f{tx.round_id}")
    if row.batch:
        found.append(f"batch\x1f{row.batch}")
    return tuple(found)


def _placed(row: Movement, way: Way | None, target: Movement | None, around: Movement | None) -> Movement:
    """What is later in a round, or names a movement, goes where that went, whatever the routes say by now (rule 23)."""
    for other in (target, around):
        if other is not None and other.wallet:
            return replace(row, wallet=other.wallet, place=other.place, route=other.route)
    return row


Turns = Callable[[int], str]
"""What a movement may be told as, and the next ones where that is another's."""


def _alias(way: Way, order: Order, row: Movement) -> Turns:
    """The parts of a round's refund are told as its own ids, in its own space (rule 16)."""
    if not row.parent and not row.ours:
        return partial(_told_as, way, row.space, named_apart(way.provider.dialect, row.tx), False)
    return partial(_told_as, way, order.id_space or order.space, row.tx, row.ours or not order.id_space)


def _told_as(way: Way, space: str, tx: Transaction, made: bool, turn: int) -> str:
    return way.alias(space, tx, made=made, turn=turn)


def _told_names(way: Way | None, order: Order, row: Movement) -> tuple[str, ...]:
    """Of two movements that come to one id, the second one sees the first."""
    scarce = way is not None and way.wallet.dialect.as_wallet.ids.scarce
    return (f"told\x1f{_alias(way, order, row)(0)}",) if way is not None and scarce else ()


def _unmet(way: Way, own: Movement, turns: Turns) -> Looks[str]:
    """The first id that no other movement at its wallet is told as: in a domain as small as 63 bits two may meet (rule 3).

    The part that is told as its whole (rule 16) meets nobody. What has left the journal is not seen: there chance is all
    that keeps two apart.
    """
    ids = way.wallet.dialect.as_wallet.ids
    for turn in range(TURNS_MAX):
        told = turns(turn)
        if not ids.scarce or not told or ids.keeps(told):
            return told
        found = yield from _look({"holder": LookFor("told_as", (way.wallet.name, told))})
        holder = _one(found, "holder")
        if holder is None or holder.key in (own.key, own.parent):
            return told
    raise AssertionError(f"{own.key}: every id that it may be told as is another's")


def _perhaps_forgotten(case: Case, doubts: Sequence[Doubt]) -> Movement:
    """As if one attempt of it had been made, whose last byte left at the moment of the word (rule 30). What
    its wallet is never told (rule 20) was not told before, either."""
    row = case.own
    if case.way is None:
        return row
    most = max(RETRY_MAX, case.wallet.remembers)
    word = next((doubt for doubt in doubts if case.moment.passed(doubt.said_at) < most), None)
    if word is None or (moves_nothing(row.tx) and isinstance(case.said(), Refused)):
        return row
    return replace(row, attempts=1, asked_at=word.said_at, forgot_at=word.said_at)


# -- its tombstone


def _tombstone(provider: Provider, row: Movement, first: Found) -> Movement | None:
    """What named it before it came, and was not refused for another reason (rule 15)."""
    kinds = {row.kind, *_also(provider, row.kind)}
    same = [m for m in first.get("same", ()) if m.undoes]
    for found in (*first.get("naming", ()), *same):
        act = found.tx.act
        meant = act.reference_kind if isinstance(act, Rollback) else Kind.RESERVE
        named = meant in kinds and not found.target and _same_scope(provider, found, row, act)
        if named and _buries(provider, found):
            return found  # type: ignore[no-any-return]  # a look's answer is untyped
    refunds = first.get("refunds", ()) if row.kind is Kind.DEBIT or row.takes else ()
    if provider.dialect.by_stake:
        refunds = [found for found in refunds if amounts(found.tx.act) == amounts(row.tx.act)]
    return next((found for found in refunds if _buries(provider, found)), None)


def _also(provider: Provider, kind: Kind) -> tuple[Kind, ...]:
    """The reference kinds under which a rollback may have meant a movement of `kind`."""
    said = provider.dialect.as_provider.rollback_kinds.items()
    return tuple(Kind(meant) for meant, kinds in said if kind in kinds and meant != kind.value)


def _same_scope(provider: Provider, found: Movement, row: Movement, act: Any) -> bool:
    """A round's tombstone holds for its round only, and where ids are unique only with the player or the
    round, that of another one names another movement."""
    if isinstance(act, Rollback) and act.scope == "round" and found.tx.round_id != row.tx.round_id:
        return False
    return in_scope(provider, found.tx, row.tx)


def _buries(provider: Provider, found: Movement) -> bool:
    outcome = found.outcome
    if isinstance(outcome, Declined):
        gone = (Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK)
        return outcome.reason in gone or outcome.reason in provider.dialect.as_provider.final_noes.get(
            Owed.STRANGER, ()
        )
    return True


# -- it was there before


def _found(hands: Hands, order: Order, own: Movement, done: Completed) -> Steps[Opened]:
    """A repeat: what it hears is journalled at once, and what is open is taken into these hands (rules 12, 24)."""
    if own.decided:
        undoer = yield from _undoer(own)
        restorer = (yield from _undoer(undoer)) if undoer is not None else None
        target = (yield from _own("target", own.target)) if kept(own) else None
        claimer = (yield from _undoer(target)) if target is not None else None
        around = Around(undoer=undoer, restorer=restorer, target=target, claimer=claimer)
        known = _case(hands, own, None, "", around)
    else:
        known = yield from _case_of(hands, _joined(own, order, hands.provider))
    case = _asked_for(known, order, done, again=True)
    rules: tuple[Callable[[Case], Move | None], ...] = (other_content, taken_back, already_decided)
    move = next((move for rule in rules if (move := rule(case)) is not None), None) if order.call else None
    after, lines = _as_a_repeat(hands, order, case, move)
    if after is own and not lines:
        return Opened(case=case, done=done, move=move)
    lasts = hands.lease if after.owner != own.owner else None
    puts = (Put(own, after, lasts),) if after is not own else ()
    if not (yield Write(puts=puts, steps=tuple((own.key, line) for line in lines))):
        return Opened(case=None, done=done)
    after = replace(after, revision=own.revision + 1) if puts else own
    return Opened(case=replace(case, own=after), done=done, move=move)


def _joined(own: Movement, order: Order, provider: Provider) -> Movement:
    """In doubt by itself, and now an item of a batch: that batch's credits tie to it from now on (rules 11, 19)."""
    if own.batch or own.owes or not order.batch or fingerprint(order.wire, provider.dialect) != own.fingerprint:
        return own
    if not same_player(own.tx.player, order.wire.player):
        return own
    return replace(own, batch=order.batch, atomic=order.atomic)


def _undoer(own: Movement) -> Looks[Movement | None]:
    return (yield from _own("undoer", own.undone_by))


def _own(name: str, key: str) -> Looks[Movement | None]:
    found = (yield from _look({name: LookFor("own", (key,))})) if key else {}
    return _one(found, name)  # type: ignore[no-any-return]  # a look's answer is untyped


def _as_a_repeat(hands: Hands, order: Order, case: Case, move: Move | None) -> tuple[Movement, list[Step]]:
    """The row after a call of it came again, and the lines of its story."""
    own, now = case.own, hands.moment.now
    lines = [Step(now, Event.REPEATED if case.asked.same(own) else Event.CONFLICT)] if case.asked is not None else []
    if isinstance(move, Tell) and own.decided:
        if not _tells(move, own) or not unheard_by(case):
            return own, lines
        after = told(own, order.call, now)
        return after, [*lines, Step(now, Event.TOLD, after.told)] if after.told != own.told else lines
    if isinstance(move, Tell) and isinstance(move.outcome, Declined) and not is_mismatch(move.outcome):
        # a word that a win must not undo
        after = replace(own, told=State.DECLINED.value, told_at=now)
        return after, [*lines, Step(now, Event.TOLD, after.told)] if after.told != own.told else lines
    if move is None and not own.decided and _free(own, hands):
        after = replace(carried(own, hands.node), due_at=now + hands.lease)
        died = after.state is not own.state
        return after, [*lines, Step(now, Event.TAKEN, "its process was silent")] if died else lines
    return own, lines


def unheard_by(case: Case) -> bool:
    """Whether that this call hears the decision must be known: doubt was the last word, or would be if
    another call turned out not to have heard it (rules 12, 26)."""
    own, asked = case.own, case.asked
    if asked is None or asked.joint or not own.decided or asked.call in own.names:
        return False
    stops = own.undoes and kept(own) and case.provider.after_doubt is not None  # the clock of what it names
    return own.told != own.state.value or stops or clocked(case.provider, own)


def _tells(move: Tell, own: Movement) -> bool:
    outcome = move.outcome
    yes = isinstance(outcome, Accepted)
    return yes is (own.state is State.ACCEPTED) and not is_mismatch(outcome)


def is_mismatch(outcome: object) -> bool:
    return isinstance(outcome, Declined) and outcome.reason is Reason.DUPLICATE_MISMATCH and not outcome.replayed


def _free(own: Movement, hands: Hands) -> bool:
    if own.owner in ("", hands.node):
        return own.owner == ""
    over = own.lease_over
    return over if over is not None else own.due_at is not None and own.due_at <= hands.moment.now


# -- it is new


def _asked_for(case: Case, order: Order, done: Completed, *, again: bool) -> Case:
    asked = None
    if order.call:
        content = fingerprint(order.wire, case.provider.dialect) if again else case.own.fingerprint
        asked = Asked(
            call=order.call, content=content, player=done.tx.player, again=again,
            request_id=order.wire.request_id, decided=case.own.decided, batch=order.batch, joint=order.joint,
        )  # fmt: skip
    return replace(
        case, asked=asked, waits=order.waits, patient=order.patient, left=order.left, nobody=done.nobody
    )  # fmt: skip


def _inserted(hands: Hands, order: Order, case: Case, done: Completed, first: Found) -> Steps[Opened]:
    """With its first attempt begun where the rules ask for it at once; with its end where it has come too late."""
    own, around = case.own, case.around
    target = around.target if isinstance(around.target, Movement) else None
    move: Move | None = next_move(case)
    row = own
    match move:
        case Ask():
            row = replace(own, attempts=own.attempts + 1, asked_at=hands.moment.now)
        case Decide(outcome=Declined() as outcome) if isinstance(around.tombstone, Movement):
            row = buried(own, around.tombstone.key, outcome, hands.moment.now)
        case Decide(outcome=outcome) if not own.undoes and not isinstance(outcome, Accepted):
            row = decided(own, outcome, hands.moment.now, "" if order.joint else order.call)
    wished = {m.key: m for m in order.leaned}  # as they were read when the wish came up: it is none once they changed
    siblings = around.siblings if isinstance(around.siblings, tuple) else ()
    puts = in_vain(row, siblings, hands.moment.now)
    if isinstance(around.tombstone, Movement) and hands.provider.dialect.by_stake:
        puts += _meant_at_last(hands.provider, row, around.tombstone)
    taken: Movement | None = None
    if target is not None and not row.decided and claims(row, target, hands.provider.dialect, free=case.unclaimed):
        given_back = row.ours and row.batch and target.decided  # nobody need look at it any more
        taken = replace(target, undone_by=row.key, due_at=None if given_back else target.due_at)
        puts.append(Put(target, taken))
    puts = [Put(wished.get(put.before.key, put.before), put.after) for put in puts]
    changed = {put.before.key for put in puts}
    touched = tuple(wished.get(m.key, m) for m in _concerned(row, around, first) if m.key not in changed)
    changed.update(m.key for m in touched)
    leaned = tuple(m for m in order.leaned if m.key not in changed)
    lasts = None if row.decided else hands.lease
    twin = case.asked.twin if case.asked is not None else ""
    steps = ((row.key, Step(hands.moment.now, Event.TWIN, twin)),) if twin else ()
    write = Write(insert=(row,), lasts=lasts, puts=tuple(puts), touched=touched, leaned=leaned, steps=steps)
    if not (yield write):
        return Opened(case=None, done=done)
    if taken is not None:
        around = replace(around, target=replace(taken, revision=taken.revision + 1))
    kept: Move | None = move if row.attempts > own.attempts else None
    if row.outcome is not None:
        kept = Tell(row.outcome)
    after = replace(case, own=row, around=_raised(around, touched), memo={} if kept is None else case.memo)
    return Opened(case=after, done=done, move=kept)


def _meant_at_last(provider: Provider, row: Movement, cancel: Movement) -> list[Put]:
    """A cancel by round and amount that came before its bet: this is the one that it meant, and no other."""
    buried_here = row.undone_by == cancel.key and by_stake(provider.dialect, cancel)
    return [Put(cancel, replace(cancel, target=row.key))] if buried_here else []


def in_vain(after: Movement, siblings: Sequence[Movement], now: datetime) -> list[Put]:
    """What an atomic batch did before one of its items was declined is looked at, at once: it is undone, also where
    nobody waits for the batch any more (rule 19)."""
    if after.state is not State.DECLINED or not after.atomic or not refusable(after):
        return []
    taken = [m for m in siblings if m.state is State.ACCEPTED and undoable(m, (*siblings, after)) and not m.undone_by]
    return [Put(m, replace(m, due_at=now)) for m in taken]


def _concerned(row: Movement, around: Around, first: Found) -> tuple[Movement, ...]:
    """The movements that are not at their end and that the newcomer concerns: their revision is raised."""
    rows = [around.target, around.whole, around.claimer, *first.get("naming", ()), *first.get("same", ())]
    rows += (*around.aside, *around.undoings)
    if "kept" in first:
        rows += [m for m in first["kept"] if m.undoes]
    if row.kind is Kind.CREDIT and isinstance(around.bets, tuple) and isinstance(around.cancels, tuple):
        rows += (*around.bets, *around.cancels)  # a cancel that is about to be sent found no win (rule 11)
    if isinstance(around.siblings, tuple):
        rows += around.siblings
    still = {m.key: m for m in rows if isinstance(m, Movement) and (not m.decided or m.due_at is not None)}
    return tuple(still.values())


def _raised(around: Around, touched: Sequence[Movement]) -> Around:
    """Their revisions as they are now."""
    keys = {m.key for m in touched}

    def raised(value: Any) -> Any:
        if isinstance(value, Movement) and value.key in keys:
            return replace(value, revision=value.revision + 1)
        if isinstance(value, tuple):
            return tuple(raised(each) for each in value)
        return value

    changed = {name: raised(getattr(around, name)) for name in around.__struct_fields__} if keys else {}
    return replace(around, **changed) if keys else around
