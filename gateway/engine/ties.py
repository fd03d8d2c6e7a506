"""What ties to a movement: the looks that find it, and how what they find is read.

Pure; who looks, and when, is `gather` and `opening`. What a row's absence is read from is read after the row whose revision a
newcomer would raise: so whoever leans on that row leans on the absence, too (rule 31).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from gateway.ends import AsProvider, Kept, Owed
from gateway.engine.complete import meant_ids, meant_of, reference_kinds
from gateway.engine.identity import same_player
from gateway.engine.journal import Answers, Look, Looks
from gateway.engine.journal import Ask as LookFor
from gateway.engine.judge import landed, remembered
from gateway.engine.moment import Moment
from gateway.engine.movement import UNKNOWN, Movement
from gateway.engine.parts import by_round, by_stake, gone, kept
from gateway.engine.setup import Provider, Setup
from gateway.engine.states import State
from gateway.engine.words import Way
from gateway.model import FACTS, Credit, Declined, Kind, Reason, Rollback, Settle, Transaction, amounts

ROUND_MAX = 100_000  # bets of one round that its refund undoes


Asks = Mapping[str, LookFor]


Found = Mapping[str, list[Any]]


def look(asks: Asks, names: tuple[str, ...] = ()) -> Looks[Found]:
    answers: Answers = yield Look(tuple(asks.values()), names)
    return dict(zip(asks, answers, strict=True))


def one(found: Found, name: str) -> Any:
    rows = found.get(name)
    return rows[0] if rows else None


def first_asks(provider: Provider, own: Movement, *, fresh: bool, waits: bool = False) -> dict[str, LookFor]:
    """What its own names lead to. Of a fresh bet that its provider waits for, no win matters."""
    tx, act, page = own.tx, own.tx.act, provider.dialect.as_provider
    here = (own.provider, tx.player, tx.round_id)
    asks: dict[str, LookFor] = {}
    if own.target:
        asks["target"] = LookFor("own", (own.target,))
    elif own.reference and not own.sent and not own.decided and reference_kinds(provider, act):
        asks |= {f"named.{id}": LookFor("found", (own.provider, id)) for id in meant_ids(provider, tx)}
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
    if fresh and FACTS[own.kind].buriable and not own.parent and not own.ours:
        asks["naming"] = LookFor("naming", (own.provider, tx.id))
        if page.also_named is not None:
            asks["same"] = LookFor("found", (own.provider, tx.id))
        if tx.round_id and (provider.dialect.round_refunds or provider.dialect.by_stake):
            asks["refunds"] = LookFor("round_refunds", here)
    if fresh and tx.round_id:
        stakes = provider.dialect.by_stake and by_stake(provider.dialect, own)
        if stakes:
            asks["stakes"] = LookFor("round_bets", (*here, ROUND_MAX))
        if stakes or page.bare_ids or _may_be_too_late(page, own) or keeps_others(provider, own):
            asks["of_round"] = LookFor("of_round", here)
    return asks | session_asks(own.provider, tx, own.key, fresh=fresh, undoes=own.undoes)


def _may_be_too_late(page: AsProvider, own: Movement) -> bool:
    """Whether it is declined where its round is over."""
    return page.closed_to is not None and not own.parent and page.closed_to(own.tx)


def keeps_others(provider: Provider, own: Movement) -> bool:
    """Whether its round's bets may stay because of it, whether it ties to them or not."""
    keeps = provider.kept_by
    if own.parent or not own.tx.round_id or keeps not in (Kept.ROUND_WIN, Kept.LATER):
        return False
    return own.kind in (Kind.CREDIT, Kind.SETTLE) or (own.kind is Kind.DEBIT and keeps is Kept.LATER)


def _tied_asks(provider: Provider, own: Movement, act: Credit) -> dict[str, LookFor]:
    """The bets that a win ties to beside those of its batch: the same wins are loose as `_won_asks` finds (rule 11)."""
    tx = own.tx
    if act.reference:
        return {"bets": LookFor("found", (own.provider, act.reference))}
    if own.batch or provider.dialect.as_provider.one_end:
        return {}
    return {"lone": LookFor("round_bets", (own.provider, tx.player, tx.round_id, 2))} if tx.round_id else {}


def _won_asks(provider: Provider, bet: Movement, name: str) -> dict[str, LookFor]:
    """The wins that tie to a movement that takes. One that was taken back is none any more; of what was accepted it says all the
    same that its provider believes that the bet stands, and no silence gives that back (rule 12)."""
    tx = bet.tx
    here = (bet.provider, tx.player, tx.round_id)
    named, loose = ("naming_wins", "round_loose_win") if bet.decided else ("standing_win", "standing_loose_win")
    asks = {f"{name}.named": LookFor(named, (bet.provider, tx.id, tx.player))}
    if bet.batch:
        asks[f"{name}.batch"] = LookFor("batch", (bet.batch,))
    if tx.round_id and bet.kind is Kind.DEBIT and not provider.dialect.as_provider.one_end:
        asks[f"{name}.loose"] = LookFor(loose, here)
        asks[f"{name}.bets"] = LookFor("round_bets", (*here, 2))
    return asks


def won(found: Found, bet: Movement, name: str) -> bool:
    named = bet.kind is Kind.DEBIT and bool(found.get(f"{name}.named"))
    batch = any(m.kind is Kind.CREDIT and m.state is not State.DECLINED for m in found.get(f"{name}.batch", ()))
    bets = [m for m in found.get(f"{name}.bets", ()) if m.key != bet.key]
    loose = bool(found.get(f"{name}.loose")) and not bets
    return named or batch or loose


def session_asks(provider: str, tx: Transaction, key: str, *, fresh: bool, undoes: bool = False) -> dict[str, LookFor]:
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


def second_asks(
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
        if own.undoes and not own.ours and not own.decided and not own.sent and target.kind is Kind.DEBIT:
            asks |= _standing_asks(provider, target) if not target.parent else {}
        if target.tx.session and target.tx.session != own.tx.session:
            asks["target_session"] = LookFor("session", (target.provider, target.tx.session))
    for number, bet in enumerate(bets):
        if bet.undone_by:
            asks[f"cancel.{number}"] = LookFor("own", (bet.undone_by,))
    if whole is not None and whole.undone_by:
        asks["whole_undoer"] = LookFor("own", (whole.undone_by,))
    return asks


def third_asks(
    provider: Provider, own: Movement, target: Movement | None, first: Found, second: Found
) -> dict[str, LookFor]:
    """What those lead to."""
    again, beyond = {"unclaimer": one(second, "claimer"), "restorer": one(first, "undoer")}, one(second, "beyond")
    asks = {name: LookFor("own", (m.undone_by,)) for name, m in again.items() if m is not None and m.undone_by}
    if beyond is not None:
        if beyond.undoes and beyond.target:
            asks["further"] = LookFor("own", (beyond.target,))
        asks |= _aside_asks(provider, beyond)
    if target is not None:
        asks |= {f"spent.{m.key}": LookFor("own", (m.undone_by,)) for m in _standing(second, target) if m.undone_by}
    asks |= {f"meant.{m.key}": LookFor("own", (m.target,)) for m in second.get("guessing", ()) if m.target}
    beside = [m for m in second.get("beside", ()) if m.key != own.key and not m.decided]
    return asks | {f"guess.{m.key}": LookFor("own", (m.target,)) for m in beside}  # what is to go back stands as yet


def _aside_asks(provider: Provider, beyond: Movement) -> dict[str, LookFor]:
    """What else is aimed at what gets free where a rollback of a part is undone."""
    if not (provider.dialect.as_provider.partial or provider.dialect.as_provider.undoes_rollbacks):
        return {}
    keys = [beyond.key, *([beyond.target] if beyond.undoes and beyond.target else [])]
    return {f"aside.{key}": LookFor("aimed", (key,)) for key in keys}


def _standing_asks(provider: Provider, bet: Movement) -> dict[str, LookFor]:
    """What keeps a bet against its cancel: wins, or what came after it, that are not taken back. Of a bet in doubt nothing is
    known that could come after it.

    Not of a leg of a settle, which goes with its whole: *its rollback waited for what came after it in its round, which was
    its own settle, and that for the rollback; the stake stayed taken.*"""
    tx = bet.tx
    here = (bet.provider, tx.player, tx.round_id)
    match provider.kept_by:
        case Kept.NOTHING:
            return {}
        case Kept.LATER:
            later = bool(tx.round_id) and bet.state is State.ACCEPTED
            return {"standing.last": LookFor("round_last", (*here, bet.key))} if later else {}
        case Kept.ROUND_WIN if tx.round_id:
            return {"standing.named": LookFor("standing_round_win", here)}
    asks = {"standing.named": LookFor("standing_wins", (bet.provider, tx.id, tx.player))}
    if tx.round_id and not provider.dialect.as_provider.one_end:
        asks |= {
            "standing.loose": LookFor("standing_loose_wins", here),
            "standing.bets": LookFor("round_bets", (*here, 2)),
        }
    return asks


def _standing(found: Found, bet: Movement) -> list[Movement]:
    """Those wins, and what came after the bet in its round where that keeps it, too: the one that nobody undoes first."""
    lone = not any(m.key != bet.key for m in found.get("standing.bets", ()))
    later = [m for m in found.get("standing.last", ()) if m.key != bet.key]
    wins = [*later, *found.get("standing.named", ()), *(found.get("standing.loose", ()) if lone else ())]
    return sorted(wins, key=lambda win: win.undone_by != "")


def _still_keeps(win: Movement, found: Found) -> bool:
    """Whether a win was not undone for certain."""
    undoer: Movement | None = one(found, f"spent.{win.key}")
    return not win.undone_by or (undoer is not None and not undoer.decided)


def of_its_target(target: Movement, second: Found, third: Found) -> dict[str, Any]:
    """What ties to what it undoes, captures or releases."""
    unclaimer: Movement | None = one(third, "unclaimer")
    standing = next((win for win in _standing(second, target) if _still_keeps(win, third)), None)
    return {
        "claimer": one(second, "claimer"),
        "unclaimed": unclaimer is not None and unclaimer.state is State.ACCEPTED,
        "unclaiming": unclaimer is not None and not unclaimer.decided,
        "beyond": one(second, "beyond"),
        "further": one(third, "further"),
        "others": tuple(second["others"]),
        "legs": tuple(second["legs"]),
        "aside": tuple(m for name, rows in third.items() if name.startswith("aside.") for m in rows if m.undoes),
        "standing_win": standing,
        "win_undoer": one(third, f"spent.{standing.key}") if standing is not None else None,
        "target_won": won(second, target, "target_won"),
    }


def aimed_at(aimed: Sequence[Movement]) -> dict[str, Any]:
    """What its rollbacks, captures and releases came to."""
    theirs = [m for m in aimed if not m.ours]
    return {
        "given_back": tuple(m for m in aimed if m.ours),
        "refused": tuple(m for m in theirs if kept(m)),
        "ended": any(m.ends and m.state is not State.DECLINED for m in theirs),
    }


def of_its_bets(
    provider: Provider, own: Movement, first: Found, second: Found, bets: tuple[Movement, ...]
) -> dict[str, Any]:
    """What ties to a win beside the bets that it ties to."""
    named = named_bets(provider, own, first)
    paid = (m for m in (*first.get("lone", ()), *first.get("halves", ())) if m.kind is Kind.DEBIT)
    return {
        "bets": bets,
        "lost": _lost_bet(named),
        "refused_bet": next(iter(named), None) if provider.dialect.as_provider.unpaid and not bets else None,
        "cancels": tuple(row for name, rows in second.items() if name.startswith("cancel.") for row in rows),
        "paid": next(paid, None),
    }


def over(page: AsProvider, own: Movement, found: Found) -> bool:
    """Whether its round was closed before it came, where its page lets nothing like it come then."""
    if "of_round" not in found or not _may_be_too_late(page, own):
        return False
    return any(_closes(m) and page.closed_by(m.tx) for m in found["of_round"])


def guess_asks(way: Way | None, own: Movement, target: Movement | None, moment: Moment) -> dict[str, LookFor]:
    """A wallet that takes an unknown reference for the whole round, or one that it does not remember any more, or that never
    reached it, would find bets of ours there; one that is told a round and an amount finds any that has them. Of a bet: what
    would find it."""
    if way is None or not way.wallet.guesses or own.decided:
        return {}
    act, tx = own.tx.act, own.tx
    if own.kind is Kind.DEBIT:
        return {"guessing": LookFor("round_rollbacks", (own.wallet, tx.player, tx.round_id))} if tx.round_id else {}
    if way.wallet.dialect.by_stake:
        return _equal_asks(way, own, target)
    if target is not None and target.decided and (not target.sent or remembered(target, way.wallet, moment)):
        return {}
    if not isinstance(act, Rollback) or act.scope != "round" or not tx.round_id:
        return {}
    here = (tx.player, tx.round_id, ROUND_MAX)
    asks = {f"guess.{each.id}": LookFor("round_bets", (each.id, *here)) for each in way.setup.providers.values()}
    return asks | ({"beside": LookFor("parts", (own.parent,))} if own.parent else {})


def may_be_meant(moment: Moment, way: Way | None, own: Movement, target: Movement | None, other: Movement) -> bool:
    """Whether its wallet may give that one back in its stead. Beside a bet in doubt another one in doubt counts as long as
    nobody undoes it: of two that are to be undone one must be first.

    *Of two bets in doubt the one that had never arrived was cancelled, its wallet gave back the other one, and that one's
    repeat was told that it stands.*"""
    if other.wallet != own.wallet or other.key == own.target:
        return False
    if way is not None and way.wallet.dialect.by_stake:
        equal = target is not None and other.key != target.key and other.whole_amount == target.whole_amount
        return equal and not _goes_too(own, other)
    if other.state is State.ACCEPTED or way is None or target is None or target.decided:
        return True
    return (bool(other.attempts) and not other.undone_by) or not remembered(target, way.wallet, moment)


def guessing(moment: Moment, way: Way, bet: Movement, second: Found, third: Found) -> tuple[Movement, ...]:
    """The rollbacks that the wallet of this bet may take for one of it: open ones, and those of which an attempt that nobody
    answered may still be on its way (rule 16). Of what this very wallet has taken none is: it knows that bet."""
    return tuple(
        m for m in second.get("guessing", ()) if _may_be_for(moment, way, bet, m, one(third, f"meant.{m.key}"))
    )


def _may_be_for(moment: Moment, way: Way, bet: Movement, undoing: Movement, target: Movement | None) -> bool:
    wallet, act = way.wallet, undoing.tx.act
    if undoing.target == bet.key or (undoing.decided and landed(undoing, wallet, moment)):
        return False
    if target is not None and target.state is State.ACCEPTED and target.sent and remembered(target, wallet, moment):
        return False
    if wallet.dialect.by_stake:
        return target is not None and target.whole_amount == bet.whole_amount
    return isinstance(act, Rollback) and act.scope == "round"


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


def end_asks(
    way: Way | None, own: Movement, target: Movement | None, bets: Sequence[Movement], first: Found
) -> dict[str, LookFor]:  # fmt: skip
    """What else may end the bet of a win, or of a cancel, at a wallet that has one word for both ends."""
    if way is None or way.wallet.dialect.as_wallet.ended_by is None or own.decided:
        return {}
    act = own.tx.act
    if isinstance(act, Credit) and way.wallet.dialect.as_wallet.ended_by(act) and not own.parent:
        meant = dict.fromkeys(bet.key for bet in (*bets, *named_bets(way.provider, own, first)))
        named = {"ends.naming": LookFor("naming", (own.provider, act.reference))}
        return named | {f"ends.{key}": LookFor("aimed", (key,)) for key in meant}
    bet = own.reference if target is None else target.tx.id
    if not isinstance(act, Rollback) or act.reference_kind is not Kind.DEBIT or not bet:
        return {}
    return {"ends.wins": LookFor("standing_wins", (own.provider, bet, own.tx.player))}


def ends_of(way: Way | None, own: Movement, found: Found) -> tuple[Movement, ...]:
    """Those that may have reached that wallet, and were not declined."""
    ended_by = way.wallet.dialect.as_wallet.ended_by if way is not None else None
    rows = {m.key: m for name, rows in found.items() if name.startswith("ends.") for m in rows if m.key != own.key}
    told = (m for m in rows.values() if m.attempts and m.wallet == own.wallet and m.state is not State.DECLINED)
    return tuple(m for m in told if m.undoes or (isinstance(m.tx.act, Credit) and ended_by and ended_by(m.tx.act)))


def of_its_stake(own: Movement, found: Found) -> Looks[Movement | None]:
    """The bet that a cancel means which says round and amount alone (rule 16): the newest that stands. Else one whose end its
    provider does not know, for it heard doubt last; else one whose cancel is under way: it is waited for.

    *Its second cancel was told as done while the first was under way, which was then refused.* *A bet had never reached its
    wallet, its cancel found none that was open, and the player's next bet was declined.*
    """
    stake = amounts(own.tx.act)
    rows = {m.key: m for m in (*found["of_round"], *found["stakes"])}.values()
    bets = [m for m in rows if m.kind is Kind.DEBIT and amounts(m.tx.act) == stake]
    ended = {m.key: LookFor("aimed", (m.key,)) for m in bets if not _stands(m)}
    aimed = (yield from look(ended)) if ended else {}
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


def with_its_stake(row: Movement, bet: Movement, *, spoke: bool) -> Movement:
    """The cancel with the bet that it means, found out once and kept; in that one's currency, where the wire says none."""
    act, currency = row.tx.act, row.tx.currency if spoke else bet.tx.currency or row.tx.currency
    assert isinstance(act, Rollback)
    return replace(row, tx=replace(row.tx, act=replace(act, reference=bet.tx.id), currency=currency))


def bets_of(provider: Provider, own: Movement, found: Found) -> tuple[Movement, ...]:
    """The bets that a win ties to: those of its batch, the one it names, or the only one of its round."""
    named = [m for m in named_bets(provider, own, found) if m.state is not State.DECLINED]
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
    return bets_of(provider, win, (yield from look(asks)))


def named_bets(provider: Provider, own: Movement, found: Found) -> list[Movement]:
    """The bet that a win names."""
    named = [m for m in found.get("bets", ()) if m.kind is Kind.DEBIT and same_player(m.tx.player, own.tx.player)]
    return [m for m in named if in_scope(provider, m.tx, own.tx)]


def _lost_bet(named: Sequence[Movement]) -> Movement | None:
    """The bet that a win names, where that came to its end in doubt: it was given back, or never went. It ties to nothing."""
    for bet in named:
        if isinstance(bet.outcome, Declined) and bet.outcome.reason is Reason.ALREADY_ROLLED_BACK:
            return bet
    return None


def in_scope(provider: Provider, one: Transaction, other: Transaction) -> bool:
    """Whether an id that both say means the same, where ids are unique only with the player or the round."""
    scope = provider.dialect.as_provider.scope
    if scope == "round":
        return one.round_id == other.round_id
    return scope != "player" or same_player(one.player, other.player)


def target_of(provider: Provider, own: Movement, found: Found) -> tuple[Movement | None, bool]:
    """The movement that it names, and whether that one is another player's: none that this call may touch."""
    if "target" in found:
        return one(found, "target"), False
    named = _named(provider, own, found)
    target = meant_of(provider, own.tx, [m for m in named if same_player(m.tx.player, own.tx.player)])
    kinds = reference_kinds(provider, own.tx.act)
    return target, target is None and any(m.kind in kinds for m in named)


def _named(provider: Provider, own: Movement, found: Found) -> list[Movement]:
    """What has an id that it may mean."""
    named = [m for id in meant_ids(provider, own.tx) for m in found.get(f"named.{id}", ())]
    return [m for m in named if in_scope(provider, m.tx, own.tx)]


def _closes(m: Movement) -> bool:
    """What was declined or undone has said nothing of its round."""
    said = m.tx.round is not None and m.tx.round.closed is True
    return said and m.state is not State.DECLINED and not m.undone_by


def is_misnamed(provider: Provider, own: Movement, found: Found) -> bool:
    """Whether what it names is there, as nothing that it can mean."""
    kinds, named = reference_kinds(provider, own.tx.act), _named(provider, own, found)
    return bool(named) and not any(m.kind in kinds for m in named)


def deeper_of(further: Movement) -> Looks[tuple[tuple[Movement, ...], tuple[Movement, ...]]]:
    """What a rollback undoes, what that one does, and so on, each the next; and all rollbacks of these."""
    chain, aimed = [further], list[Movement]()
    while chain[-1].undoes and chain[-1].target and len(chain) <= DEEPEST:
        key = chain[-1].target
        found = yield from look({"own": LookFor("own", (key,)), "aimed": LookFor("aimed", (key,))})
        if not found["own"]:
            break
        chain += found["own"]
        aimed += [m for m in found["aimed"] if m.undoes]
    return tuple(chain[1:]), tuple(aimed)


DEEPEST = 8  # of rollbacks that undo each other; what lies deeper counts as if nothing had undone it


def undoings_of(own: Movement, others: Sequence[Movement]) -> Looks[tuple[Movement, ...]]:
    """The rollbacks of those rollbacks, theirs, and so on: what undid a part may itself be undone, in parts."""
    found: dict[str, Movement] = {}
    level = [m for m in others if m.undoes and m.key != own.key and m.state is not State.DECLINED]
    for _ in range(DEEPEST):
        if not level:
            break
        seen = {own.key, own.target, *found, *(m.key for m in others)}
        rows = yield from look({m.key: LookFor("aimed", (m.key,)) for m in level})
        aimed = [m for each in rows.values() for m in each if m.key not in seen]
        level = [m for m in aimed if m.undoes and m.state is not State.DECLINED]
        found |= {m.key: m for m in level}
    return tuple(found.values())


def twin_of(row: Movement, first: Found) -> str:
    """Another movement of its round that says the same, where only its id tells them apart and no proof covers that."""
    return next((m.key for m in first.get("of_round", ()) if m.fingerprint == row.fingerprint), "")


def tombstone_of(provider: Provider, row: Movement, first: Found) -> Movement | None:
    """What named it before it came, and was not refused for another reason (rule 15)."""
    kinds = {row.kind, *_also(provider, row.kind)}
    same = [m for m in first.get("same", ()) if m.undoes and row.tx.id in meant_ids(provider, m.tx)]
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
