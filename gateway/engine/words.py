"""One transaction -> what this wallet can be asked. Where translation stops being renaming.

`for_wallet` says it with the wallet's ids, players, games and sessions; `spoken` supplies what the
wallet's dialect misses, one value at a time: the engine from what is known, `gateway check` from
stand-ins. All of it is pure: what may be supplied was gathered before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.keys import live
from gateway.dialect import Call, Dialect
from gateway.engine.identity import alias, key_of, own_id, space_of
from gateway.engine.movement import Movement, Session, what_moved
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.http import Request
from gateway.model import (
    OF_A_LAUNCH,
    Accepted,
    Act,
    Adjust,
    Capture,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
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
    of_another_currency,
    unsupported,
)

AMOUNT_OF_ROLLBACK = "the amount of a rollback"  # what a dialect says it has no words for
IS_ALL_OF_IT = "where the journal shows that it is all of the bet"
ALL_OF_IT = f"without its amount, {IS_ALL_OF_IT}"
CURRENCY_FROM, PLAYER_FROM = "the launch, the journal or the settings", "the launch or the journal"
NO_NAME = "the name of a hold that only its wallet knows"
NOTHING = Decimal(0)
SUPPLIED_MAX = 9  # values supplied to one request before we stop


class Way(Struct, frozen=True, kw_only=True):
    """Where a transaction goes: the wallet, and how this provider's things are called there."""

    setup: Setup
    provider: Provider
    wallet: Wallet
    route: Route

    def call(self, now: datetime, nonce: str) -> Call:
        """What the wallet's dialect may know."""
        auth = self.wallet.dialect.auth
        return Call(
            settings=self.wallet.settings, now=now, nonce=nonce, provider=self.provider.id,
            currency=self.wallet.currency, currencies=self.setup.currencies,
            stand_in=auth.stand_in != "" and auth.holds_stand_in(live(self.wallet.keys, now)),
        )  # fmt: skip

    def alias(self, space: str, tx: Transaction, *, made: bool = False, turn: int = 0) -> str:
        as_is, provider = self.wallet.ids_as_is, self.provider
        return alias(provider.dialect, self.wallet.dialect, as_is, provider.id, space, tx, made=made, turn=turn)

    def round(self, said: Round | None) -> Round | None:
        """A round as the wallet takes it."""
        ids = self.wallet.dialect.as_wallet.rounds
        if said is None or not said.id or ids.keeps(said.id):
            return said
        return Round(ids.made(f"{self.provider.id}:round:{said.id}"), said.closed)

    def round_made_of(self, key: str) -> str:
        """The round of its own that a movement of no round is told in: none that a provider said is ever told so."""
        return self.wallet.dialect.as_wallet.rounds.made(f"{self.provider.id}:own round:{key}")


# ---------------------------------------------------------------- what may be supplied

Supplied = tuple[Transaction, str] | None
Supply = Callable[[Transaction, str], Supplied]
"""(transaction, what its dialect misses) -> the transaction with it, and where it came from; None: nobody knows it."""


class Known(Struct, frozen=True, kw_only=True):
    """What is known beside a movement: what it means, and its player's sessions and last call.

    `own`: the movement itself; None: the call is none. `left`: how much of `target` is left, for a rollback that does not say
    how much. `bet`: the one that a win belongs to.
    `strange`: what its reference is told as, where nobody here knows what that names and ids are scarce.
    """

    way: Way
    own: Movement | None = None
    target: Movement | None = None
    bet: Movement | None = None
    strange: str = ""
    left: Decimal | None = None
    beyond: Movement | None = None  # what `target` undoes
    undone: bool = False  # another rollback of `target` was done
    own_session: Session | None = None  # the one that it came with
    target_session: Session | None = None
    last_session: Session | None = None  # the player's newest, of the same game first
    latest: Movement | None = None  # the player's last movement before it

    @property
    def begun(self) -> bool:
        """Whether a part of its target, and not all of it, was given back before."""
        whole = self.target.whole_amount if self.target is not None else None
        return self.left is not None and whole is not None and NOTHING < self.left < whole

    def supply(self, tx: Transaction, what: str) -> Supplied:
        target, way = self.target, self.way
        meant = target or self.bet
        if what == "session" and (session := self._some_session(tx)):
            return replace(tx, session=session), "the launch, the player's last session or the route"
        if what == "game" and (game := self.game()):
            source = "the launch" if meant is None else "the journal"
            return replace(tx, game=replace(tx.game or Game(), id=way.route.games.get(game, game))), source
        if what == "amount" and isinstance(tx.act, Rollback | Capture) and (left := self._all()) is not None:
            return replace(tx, act=replace(tx.act, amount=left)), "the journal"
        if what == "beyond" and isinstance(tx.act, Rollback) and (bet := self.beyond) is not None and bet.alias:
            # Only a bet: what took a win back has no such word anywhere.
            return (
                (replace(tx, act=replace(tx.act, beyond=bet.alias)), "the journal") if bet.kind is Kind.DEBIT else None
            )
        if what == "currency" and (currency := way.wallet.currency or (target.tx.currency if target else "")):
            return replace(tx, currency=currency), "the settings" if way.wallet.currency else CURRENCY_FROM
        if what == "reference" and isinstance(tx.act, Credit) and (bet := self.bet) is not None and bet.alias:
            # A wallet may want one of every win, and a provider whose wins belong to a round says none.
            told = replace(tx, act=replace(tx.act, reference=bet.alias))
            return (told, "the journal") if bet.wallet == way.wallet.name else None
        if what == "round" and (round := self.round()) is not None:
            return replace(tx, round=Round(round[0], tx.round.closed if tx.round else None)), round[1]
        if what == "player" and meant is not None and meant.tx.player:
            return replace(tx, player=way.route.player_out(meant.tx.player)), PLAYER_FROM
        return None

    def round(self) -> tuple[str, str] | None:
        """The id of the round that it is told in where it says none, and where that came from: the round of what it belongs
        to. Where that has none either, one that is made of it, for both: the bet's, also of its win and of what undoes either.

        None: what it undoes is not known here, and was perhaps told in a round that nobody here knows. A win that names such a
        bet is told in the one that this bet would have, for it is sent whatever is known of its bet (rule 15), and every
        attempt says the same.
        """
        own, meant = self.own, self.target or self.bet
        if own is not None and isinstance(own.tx.act, Credit) and own.tx.act.reference:
            meant = None  # it has the round of the bet that it names, if that was known when it came (`complete`)
        if meant is not None and meant.tx.round is not None and meant.tx.round.id:
            said = self.way.round(Round(meant.tx.round.id))
            return (said.id, "the journal") if said is not None else None
        for of in (self.target, self.beyond):
            own = of if own is not None and (own.undoes or own.ends) else own
        if own is None or own.undoes or own.ends:
            return None
        key = self._round_key(own)
        source = "its own id" if key in (own.key, own.parent) else "the id of its bet"
        return (self.way.round_made_of(key), source) if key else None

    def _round_key(self, m: Movement) -> str:
        """Key of the movement of which a round of its own is made: a part shares that of its whole."""
        if m.parent or not isinstance(m.tx.act, Credit):
            return m.parent or m.key
        if m.tx.act.reference:
            dialect = self.way.provider.dialect
            named = replace(m.tx, id=m.tx.act.reference)
            return key_of(dialect, m.provider, space_of(dialect, Kind.DEBIT), named)
        if m is self.own and self.bet is not None:
            return self.bet.key
        return "" if m is not self.own and m.batch else m.key  # to which bet of a batch it belonged, its batch knows

    def _all(self) -> Decimal | None:
        """What `all of it` is; of a rollback that nobody said an amount of, what it had undone."""
        if self.left is not None or self.target is None or self.beyond is None:
            return self.left
        return what_moved(self.target, self.beyond.whole_amount) or None

    def session_out(self, tx: Transaction) -> str:
        """The wallet's own session for the provider's, where the operator named one."""
        return wallets_own(tx.session, self.own_session)

    def _some_session(self, tx: Transaction) -> str:
        """The movement's own, else the player's last, else the configured template (rule 22)."""
        target, route = self.target, self.way.route
        if target is not None and target.tx.session:
            return wallets_own(target.tx.session, self.target_session)
        if self.last_session is not None:
            return self.last_session.wallet_session or self.last_session.session
        if self.latest is not None and self.latest.tx.session:
            return self.latest.tx.session
        return route.sessions.replace("{player}", tx.player) if tx.player else ""

    def game(self) -> str:
        """The provider's name of the game that it is played in, as far as anybody knows."""
        for movement in (self.target, self.bet, self.latest):
            if movement is not None and movement.tx.game_id:
                return movement.tx.game_id
        return self.last_session.game if self.last_session is not None else ""


def wallets_own(session: str, launched: Session | None) -> str:
    return (launched.wallet_session or session) if launched is not None and session else session


# ---------------------------------------------------------------- in the wallet's terms


def for_wallet(
    way: Way, tx: Transaction, own: str, target: Movement | None, session: str, strange: str = ""
) -> Transaction:  # fmt: skip
    """The transaction in the wallet's terms. `own` = the alias of its id, `session` = the wallet's, `target` = what it
    names, or the bet that a win names."""
    game = tx.game
    if game is not None and game.id in way.route.games:
        game = Game(id=way.route.games[game.id], name=game.name, type=game.type, studio=game.studio)
    act, round = _referring(way, tx, target, strange), way.round(tx.round)
    player = way.route.player_out(tx.player)
    return replace(tx, id=own, player=player, session=session, game=game, round=round, act=act)


def _referring(way: Way, tx: Transaction, target: Movement | None, strange: str) -> Act:
    """The act with its reference as the wallet knows it."""
    act = tx.act
    if not isinstance(act, Rollback | Capture | Release | Status | Credit) or not act.reference:
        return act
    if target is not None and target.alias:
        theirs = target.kind is Kind.RESERVE and way.wallet.dialect.as_wallet.makes_hold_ids
        act = replace(act, reference=_made(target) if theirs else target.alias)
        if not isinstance(act, Rollback):
            return act
        # What it undoes is what the journal has under that id; the wire may not tell (Gameball).
        act = replace(act, beyond="", reference_kind=target.kind, reference_type=getattr(target.tx.act, "type", ""))
        free = isinstance(target.tx.act, Debit) and target.tx.act.free_round
        act = replace(act, free_round=act.free_round or free)
        # A free bet took no cash, whatever its amount says: nor does its rollback give any.
        return replace(act, amount=NOTHING) if act.amount is not None and moves_nothing(target.tx) else act
    told = replace(act, reference=strange or named_as(way, tx))
    return replace(told, beyond="") if isinstance(told, Rollback) else told


def nameless(hold: Movement, dialect: Dialect) -> bool:
    """A hold whose name only its wallet knows: it names holds itself, and nobody heard its yes. A person's says no name."""
    return hold.kind is Kind.RESERVE and dialect.as_wallet.makes_hold_ids and _made(hold) in ("", own_id(hold.key))


def _made(hold: Movement) -> str:
    return hold.outcome.wallet_id if isinstance(hold.outcome, Accepted) else ""


def named_as(way: Way, tx: Transaction, turn: int = 0) -> str:
    """What is told of a movement that it names and nobody here knows."""
    act = tx.act
    assert isinstance(act, Rollback | Capture | Release | Status | Credit)
    return way.alias(space_of(way.provider.dialect, meant(act)), replace(tx, id=act.reference), turn=turn)


def meant(act: Rollback | Capture | Release | Status | Credit) -> Kind:
    """The kind of movement that a reference names."""
    if isinstance(act, Rollback | Status):
        return act.reference_kind
    return Kind.DEBIT if isinstance(act, Credit) else Kind.RESERVE


# ---------------------------------------------------------------- in the wallet's words


class Spoken(Struct, frozen=True):
    """A request in a dialect's words, what it says, and what was supplied to it from where."""

    request: Request
    tx: Transaction
    notes: tuple[str, ...] = ()


def spoken(dialect: Dialect, tx: Transaction, call: Call, supply: Supply) -> Spoken:
    """Raises `Missing` where nobody knows what the dialect needs, `Refused` where it has no words."""
    notes: list[str] = []
    unspoken = dialect.as_wallet.unspoken(tx)
    if unspoken:
        raise unsupported(unspoken)
    for _ in range(SUPPLIED_MAX):
        try:
            return Spoken(dialect.encode_request(tx, call), tx, tuple(notes))
        except Missing as missing:
            supplied = supply(tx, missing.field) or _otherwise(tx, missing)
            if supplied is None or supplied[0] == tx:
                raise
            tx, source = supplied
            notes.append(f"{missing.field} from {source}")
    raise Refused(Reason.UNSUPPORTED, "this dialect asks for more and more")


def _otherwise(tx: Transaction, missing: Missing) -> Supplied:
    """An amount that only the provider said: nobody here knows what it means."""
    if missing.otherwise is None or not isinstance(tx.act, Rollback | Capture):
        return None
    return replace(tx, act=replace(tx.act, amount=missing.otherwise)), "the provider"


def encode(known: Known, tx: Transaction, now: datetime, nonce: str, *, late: bool = False) -> Request:
    """The signed request; `late`: under no session, where a part of the key stands in its place. Raises `Refused`
    (unsupported) where this wallet cannot be told it."""
    way, wallet = known.way, known.way.wallet
    request = worded(known, tx, way.call(now, nonce), known.supply, late=late).request
    dialect, keys = wallet.dialect, live(wallet.keys, now)
    if dialect.auth.parts(wallet.settings) and not keys:
        raise Refused(Reason.UNSUPPORTED, f"no key of wallet {wallet.name} holds any more")
    return dialect.auth.sign(replace(request, target=wallet.target(request.url)), keys, wallet.settings, now)


def worded(known: Known, tx: Transaction, call: Call, supply: Supply, *, late: bool = False) -> Spoken:
    """The same before it is signed. `supply`: that of `known`, or more. Raises `Missing` and `Refused` as `spoken` does."""
    dialect = known.way.wallet.dialect
    notes: list[str] = []
    if late and call.stand_in:
        tx = replace(tx, session="")
    elif not tx.session and tx.kind in dialect.as_wallet.sessions:
        tx = _looked_for(tx, "session", supply, notes)
    tx = _within(tx, known)
    if dialect.as_wallet.wants_game and not tx.game_id:
        tx = _looked_for(tx, "game", supply, notes)
    if known.own is not None and known.own.parent and not tx.round_id:  # nothing else ties the halves of a settle
        tx = _looked_for(tx, "round", supply, notes)
    if known.target is not None and nameless(known.target, dialect):
        raise unsupported(NO_NAME)
    if dialect.as_wallet.undoes_whole and _is_part(tx, known):
        raise unsupported("a rollback of a part")
    if dialect.by_stake:
        tx = _in_its_round(tx, known, notes)
    if dialect.as_wallet.undoes_once and known.undone:
        raise unsupported("a second rollback of one movement")
    try:
        said = spoken(dialect, tx, call, supply)
    except Missing:
        raise
    except Refused as refused:
        said = spoken(dialect, _all_of_it(tx, refused, known), call, supply)
        notes.insert(0, ALL_OF_IT)
    return Spoken(said.request, said.tx, (*notes, *said.notes))


def _looked_for(tx: Transaction, what: str, supply: Supply, notes: list[str]) -> Transaction:
    """With what a request may go without, where anybody knows it."""
    supplied = supply(tx, what)
    if supplied is None:
        return tx
    notes.append(f"{what} from {supplied[1]}")
    return supplied[0]


def _within(tx: Transaction, known: Known) -> Transaction:
    """A rollback of no more than is left, where its provider's page says that what is left is given back (rule 17); and one of
    all of it says what is left, once a part was given back: `all of it` may mean the whole to its wallet."""
    act, left = tx.act, known.left
    if not isinstance(act, Rollback) or left is None:
        return tx
    cut = known.way.provider.dialect.as_provider.excess == "cut" and act.amount is not None and act.amount > left
    return replace(tx, act=replace(act, amount=left)) if cut or (act.amount is None and known.begun) else tx


def _in_its_round(tx: Transaction, known: Known, notes: list[str]) -> Transaction:
    """A rollback in the round that its bet was told in: in another one, or of a bet that came through nobody here, such a wallet
    would find nothing and say yes. Raises `Missing`."""
    if not isinstance(tx.act, Rollback):
        return tx
    if known.target is None:
        raise Missing("reference")
    found = known.round()
    if found is None:
        raise Missing("round")
    if not tx.round_id:
        notes.append(f"round from {found[1]}")
    return replace(tx, round=Round(found[0], tx.round.closed if tx.round is not None else None))


def _is_part(tx: Transaction, known: Known) -> bool:
    """Whether a rollback asks for less than all of what it undoes, also where that is all that is left."""
    asked = tx.act.amount if isinstance(tx.act, Rollback) else None
    return asked is not None and known.left is not None and (asked != known.left or known.begun)


def _all_of_it(tx: Transaction, refused: Refused, known: Known) -> Transaction:
    """A rollback without its amount, for a wallet that only knows `all of it`: the amount is all of
    the bet, or the bet is not known and this wallet decides by what it has. Raises `refused`."""
    act = tx.act
    if refused.field != AMOUNT_OF_ROLLBACK or not isinstance(act, Rollback) or act.amount is None:
        raise refused
    if _is_part(tx, known) or (
        known.left is None and (known.target is not None or known.way.provider.dialect.as_provider.partial)
    ):
        raise refused
    return replace(tx, act=replace(act, amount=None))


def lacking(refused: Refused, nobody: Reason) -> Reason:
    """Why a wallet that cannot be told it is not asked: nobody said who plays (`nobody`), or it has no words for it."""
    return nobody if isinstance(refused, Missing) and refused.field in OF_A_LAUNCH else Reason.UNSUPPORTED


def enveloped(tx: Transaction, item: Transaction) -> Transaction:
    """An item with what its batch says for all of them."""
    return replace(
        item,
        player=item.player or tx.player,
        session=item.session or tx.session,
        currency=item.currency or tx.currency,
        round=item.round or tx.round,
        game=item.game or tx.game,
        free_round_id=item.free_round_id or tx.free_round_id,
    )


def moves_nothing(tx: Transaction) -> bool:
    """Whether a wallet that cannot be told this may be left alone: no cash moves (rule 20)."""
    act = tx.act
    if isinstance(act, Debit):
        return act.free_round or act.tracking_only or not act.amount
    if isinstance(act, Credit):
        return act.tracking_only or not act.amount
    return isinstance(act, Rollback) and act.amount is not None and not act.amount


def gains(act: Act, moved: Decimal | None, target: Act | None) -> Decimal:
    """What an accepted movement gave the player (less than nothing: took). `target`: what it means."""
    match act:
        case Debit():
            return NOTHING if act.free_round or act.tracking_only else -act.amount
        case Credit():
            return NOTHING if act.tracking_only else act.amount
        case Settle():
            return act.credit - (NOTHING if act.free_round else act.debit)
        case Adjust():
            return act.amount
        case Reserve():
            return -act.amount
        case Release():
            return target.amount if isinstance(target, Reserve) else NOTHING
        case Capture() if isinstance(target, Reserve):
            return target.amount - (target.amount if act.amount is None else act.amount)
        case Rollback():
            undone = NOTHING if target is None else gains(target, None, None)
            size = next(n for n in (moved, act.amount, abs(undone)) if n is not None)
            return -size if undone > 0 else size
        case _:
            return NOTHING


def heard(way: Way, outcome: Outcome) -> Outcome:
    """A wallet's outcome in the provider's terms: players by the inverse of the route's template."""
    if isinstance(outcome, Accepted) and outcome.profile is not None and outcome.profile.player:
        player = way.route.player_in(outcome.profile.player)
        return replace(outcome, profile=replace(outcome.profile, player=player))
    if isinstance(outcome, Declined) and (outcome.field or outcome.flaw):
        return replace(outcome, field="", flaw=Flaw.NONE)  # the wallet's field is none of the provider's
    return outcome


def in_currency(outcome: Outcome, act: Act, currency: str) -> Outcome:
    """A yes in another currency is doubt, or the no to a read; of a no only the balance is dropped (rule 4)."""
    if isinstance(outcome, Unknown):
        return outcome
    other = of_another_currency(act, currency, outcome.currency)
    if other is not None and isinstance(outcome, Declined):
        return replace(outcome, balance=None, bonus=None, currency="")
    return outcome if other is None else other
