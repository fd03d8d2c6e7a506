"""The two ends of a dialect: what it is as a provider that asks, and what it is as a wallet that answers.

The rules of money behind them: docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from gateway.http import Request
from gateway.ids import Ids, TextIds
from gateway.model import Batch, Credit, Debit, Kind, Reason, Rollback, Transaction


class Word(StrEnum):
    """What a wallet may be told that is no bet of cash and no win of cash."""

    FREE_DEBIT = "a free debit"
    TRACKING_DEBIT = "a tracking-only debit"
    TRACKING_CREDIT = "a tracking-only credit"


class Owed(StrEnum):
    """Of what a wallet's no may be final, as its provider's page says (rule 6)."""

    NAMED_WIN = "a win whose call names its bet"
    TAKING = "a rollback that takes, of a win or of a refund"
    """The balance would fall below zero (Slotegrator, Swipe Games)."""
    STRANGER = "a rollback for a player whom nobody has ever seen"
    """Gameball's unknown customer: a wallet may say it of anybody else for a moment only."""


class Kept(StrEnum):
    """What keeps an accepted bet against its own cancel, which is then declined, `already_settled`, whatever its wallet would
    say (rule 15). What is itself being undone keeps it until that is done; what is in doubt is brought to its end first."""

    NOTHING = "nothing: its wallet decides"
    ITS_WIN = "a win that ties to it"
    """By rule 11; where each bet comes to `one_end`, one that names it (Valkyrie, Evolution)."""
    ROUND_WIN = "any win of its round"
    """Also one that ties to another bet or to none (NeverEnding)."""
    LATER = "what follows it in its round"
    """Another bet, a win; or its own win, where they were one movement (Groove)."""


class StatusBy(StrEnum):
    """What a status says of the movement that it asks about, and so how it is answered."""

    KIND = "an id and a kind"
    """By the first decision of that movement."""
    ID = "an id alone"
    """By that of whatever has it in the key space (`spaces`). An id that nobody knows is remembered: what comes under it later
    is declined and moves nothing, for its provider believes so by then (rule 15; Vivo)."""
    ALL = "an id of several"
    """By all that it may mean in the journal, as it was asked for (`Accepted.meant`; Valkyrie)."""


class AsProvider(Struct, frozen=True, kw_only=True):
    """What its page says of whoever asks in it: limits, ids, repeats, and what it believes of an answer."""

    body_key: str = ""
    """The body field that the page names for the guard's shared key (`api_key`)."""
    values_max: int = 0
    """How many values the JSON body of a call may hold, where `route` or the proof reads them: a body with more is
    refused before it is read. 0 = whoever reads them has seen the proof."""
    answer_within: Mapping[str, str] = MappingProxyType({"default": "4s"})
    """The provider's limits by kind, as durations; `default` for the rest."""
    after_doubt: str = ""
    """What its page makes of doubt, as a duration, where the configuration says nothing: silent for so long, it believes
    that a bet failed, and the bet is given back (rule 12). Blank: the gateway gives nothing back by itself."""
    spaces: Mapping[str, str] = {}
    """Key space by wire call; the native kind where it is not listed (rule 1)."""
    scope: str = "provider"
    """What makes an id unique beside the provider: `provider` (nothing), `player` or `round`."""
    replay_balance: str = "stored"
    """What a replay shows: the `stored` balance, the `current` one, or by the `request`: the stored one where the network
    call itself comes again, under the id that it had, and else the current one (rule 7)."""
    content: Callable[[Transaction], tuple[str, ...]] = lambda tx: ()
    """What its page compares of a repeat beside what is compared everywhere, as the wire said it (rule 2): where it differs,
    it is another movement under a used id (Hub88: the game; Swipe Games: the session, and whether a round is free)."""
    rounds_compared: bool = True
    """Whether a repeat in another round is another movement under a used id: its page may compare less (Groove)."""
    first_stands: frozenset[Kind] = frozenset()
    """Kinds of which another movement under a used id is told what became of the first, as a repeat of that would be: yes,
    no or doubt (BetGames' second payout of a bet). It moves nothing, and is counted as a conflict (rule 2)."""
    game_of_session: bool = False
    """Its calls name no game: theirs is that for which the operator launched the session (rule 22)."""
    calls_in_own_session: bool = False
    """Whether any call whose session is known as another player's is declined, `player_not_found`: its proof does not tell who
    of the two was meant (Groove). Elsewhere such a call goes on without a session."""
    bets_in_own_session: bool = False
    """Whether what takes in a session that the operator handed over for another player, or another game, is declined
    (Slotegrator)."""
    session_token: Callable[[Request], str] | None = None
    """What a call shows beside its session: the token that the answer to `authenticate` gave its player, which stands for the
    session where nobody knows that. A read, and what takes, that shows one which nobody gave that player is declined,
    `not_authenticated` (rule 22; NeverEnding)."""
    final_noes: Mapping[Owed, frozenset[Reason]] = {}
    """What its page lets a wallet say for good, by what it says it of; any other no to what is owed leaves it owed (rule
    6)."""
    kept_by: Callable[[Any], Kept] = lambda settings: Kept.NOTHING
    """(settings) -> what keeps a bet against its own cancel."""
    one_end: bool = False
    """A bet that is kept by its win comes to that one end: after its cancel the win is declined by what the journal knows (rule
    15), as is the win of a bet that was declined, or that nobody knows where its call says nothing else; and a wallet's no to a
    win because its bet is not there, or had its end, is final (rule 6). A win that names no bet is none of a bet's."""
    closed_to: Callable[[Transaction], bool] | None = None
    """(tx) -> whether it is declined, `round_closed`, once its round is over by what the journal knows: at NeverEnding and
    Red Tiger a bet, at Groove all play. None: its wallet decides."""
    closed_by: Callable[[Transaction], bool] = lambda tx: True
    """(tx) -> whether its word that the round is over counts. One that was declined or undone has said nothing."""
    misnamed: Reason | None = None
    """What a rollback hears that names a movement of a kind which it cannot mean, where one id is one movement of whatever
    kind (`spaces`): the cancel of a win at NeverEnding. None: its wallet is asked."""
    whole_only: frozenset[Kind] = frozenset()
    """Kinds that are undone as a whole: a rollback of one that says another amount is declined, `duplicate_mismatch`."""
    also_named: Callable[[Transaction], tuple[str, ...]] | None = None
    """(tx) -> the ids that the reference of a rollback may stand for, itself among them, the likeliest first: of those that the
    journal knows the first is meant, or of what is undone as a whole the first of that amount. Its own id may be one (Evolution's
    cancels through Valkyrie). Blank: the reference alone."""
    else_player: Callable[[Transaction, Any], str] | None = None
    """(transaction, settings) -> who plays by what the wire says of it otherwise, where neither the session nor what it means
    is known (rule 21)."""
    partial: bool = False
    """Several partial rollbacks of one movement are allowed, until nothing is left (Gameball)."""
    says_how_much: bool = False
    """Its cancel says an amount, so the one that its page knows of a bet may be of a part of it (NetGaming): that the bet was
    rolled back before does not say how much of it (rule 30)."""
    excess: str = "refuse"
    """A rollback of more than is left: `refuse` it, `pass` it on (its page says that the wallet decides), or `cut` it: what
    is left is given back (Slotegrator)."""
    rollback_kinds: Mapping[str, tuple[Kind, ...]] = {}
    """Which kinds a rollback's `reference_kind` may mean in the journal, where the wire cannot tell
    (Gameball's refund reverses whatever has that id). Default: that kind alone."""
    refused_unpaid: bool = False
    """A win that names a bet which the journal knows as declined is declined, `transaction_not_found`, and no wallet is asked
    (BetGames). It is so, too, where each bet comes to `one_end`."""
    rescaled: Callable[[Decimal, str, Any], Decimal] | None = None
    """(amount, currency, settings) -> the amount. Where the unit of an amount hangs on a currency that the wire does not
    say, it is read in the commonest one, and this is asked once the currency is known (Spribe's rollback of crypto)."""
    one_time_launch: bool = False
    """Its launch token is good once: an `authenticate` that says it again, and the session that it began, is answered from
    that session (Spribe, after a reconnect)."""
    undoes_rollbacks: bool = False
    """Whether a rollback may itself be named to be undone, so that what it undid stands again (native)."""
    renews: Callable[[Any], bool] = lambda settings: False
    """settings -> whether the answer to `authenticate` gives this provider a new session: the one before is then refused to
    reads and debits, and to a win of a bet that nobody here knows (rule 22)."""
    status_by: StatusBy = StatusBy.KIND
    """What a status says of the movement that it asks about."""
    bare_ids: bool = False
    """Its proof covers what a movement says and not its id: two of one round that say the same are told to people, for one may
    be the other, sent again by somebody under another id (Vivo)."""

    @property
    def unpaid(self) -> bool:
        """Whether the win of a bet that was declined is paid by nobody."""
        return self.one_end or self.refused_unpaid

    def space(self, call: str, kind: Kind) -> str:
        return self.spaces.get(call, kind.value)


class AsWallet(Struct, frozen=True, kw_only=True):
    """What a wallet of it can be told, which ids it takes, and how it undoes."""

    tells: frozenset[Word] = frozenset()
    """What a wallet of this dialect can be told beyond bets and wins of cash. *A dialect whose author did not think of free
    rounds took 5.00 for one:* what stands not here is never asked of `encode_request`."""
    undoes: frozenset[Kind] = frozenset({Kind.DEBIT})
    """The kinds that a rollback may name at a wallet of this dialect, likewise."""
    ids: Ids = TextIds()
    """The wallet end's domain of ids (rule 3)."""
    rounds: Ids = TextIds(length_max=1024)
    """The same of rounds: what is none is told as one that is made of it, and no journal looks whether two meet: a round is
    told with its player. A movement of no round is told in one that is made of it, where its request needs one."""
    ids_as_is: bool = False
    tombstones: bool = False
    """The wallet end's defaults: whether it takes ids as they are and remembers rollbacks of
    movements it never saw (docs/configuration.md, `ids` and `tombstones`)."""
    separates: bool = True
    """Whether a wallet of this dialect keeps ids of different kinds apart (for `ids: as_is`)."""
    one_win: bool = False
    """A wallet of this dialect pays one win for each bet, so a win is told with the bet that it ties to, and says whether it
    is a further one (`Credit.further`)."""
    ended_by: Callable[[Credit], bool] | None = None
    """(win) -> whether a wallet of this dialect is told it as the end of its bet. It then has one word for what it did before
    and for what it does not do, because the bet had its other end (Evolution): so neither end is sent while the other is in
    doubt, nor once that is done. None: it says the two apart."""
    one_word: bool = False
    """A wallet of this dialect has one word for a bet that it has already and for one whose rollback came before it (100HP's
    607): while its rollback has no answer, that word says nothing."""
    undoes_whole: bool = False
    """A wallet of this dialect gives back all of a bet, whatever amount it is told (Scorpio Play)."""
    undoes_rounds: bool = False
    """A wallet of this dialect that is told to undo a bet of a round, and does not know that bet, gives back every open bet of
    the player's round, whoever placed it (Kyren's Refund): so it is not told while another one stands there, and is put no bet
    that such a request, still on its way, would give back (rule 16)."""
    undoes_blindly: bool = False
    """A wallet of this dialect that is told to undo a bet pays, whatever it knows of the bet: it is told of none but one that
    it has surely taken (BetGames, whose refund is a gift)."""
    undoes_once: bool = False
    """A wallet of this dialect knows a rollback by what it undoes, so a second one of the same movement, after the first was
    itself undone, would be taken for the first: it is not told, and waits for a person (Groove)."""
    yes_to_unknown: bool = False
    """A wallet of this dialect may answer the rollback of what it does not know as that of what it did: by its page (Swipe
    Games, Vivo), or where that leaves it open. As long as it remembers, such a yes means that it is undone or was never there;
    later it says nothing (rule 14)."""
    makes_hold_ids: bool = False
    """A wallet of this dialect names a hold itself (its `wallet_id`), and knows no name of ours (Gameball)."""
    sessions: frozenset[Kind] = frozenset()
    """Kinds that a wallet of this dialect is never told without a session: it is looked for before one is encoded, not
    when `encode_request` has found that it is missing."""
    wants_game: bool = False
    """A wallet of this dialect is told the game where anybody knows it: it is looked for before a request is encoded, which
    may go without (Valkyrie, whose page needs none and whose test wallet does)."""

    def unspoken(self, tx: Transaction) -> str:
        """Why a wallet of this dialect is not asked for the words; blank: it is."""
        act = tx.act
        if isinstance(act, Batch):
            return next(filter(None, map(self.unspoken, act.items)), "")
        if isinstance(act, Rollback):
            return "" if act.reference_kind in self.undoes else f"a rollback of a {act.reference_kind}"
        words = []
        if isinstance(act, Debit) and act.free_round:
            words.append(Word.FREE_DEBIT)
        if isinstance(act, Debit | Credit) and act.tracking_only:
            words.append(Word.TRACKING_DEBIT if isinstance(act, Debit) else Word.TRACKING_CREDIT)
        return next((word.value for word in words if word not in self.tells), "")
