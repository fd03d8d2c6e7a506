"""A dialect: one value that names everything a protocol is.

Four pure functions between HTTP values and the canonical transaction, the signature, the calls,
typed settings. No I/O, no time, no chance: what a pure function may not fetch stands in `Call`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from gateway.auth.scheme import Auth
from gateway.currency import Currencies
from gateway.http import Request, Response
from gateway.model import Kind, Outcome, Reason, Transaction


class NoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """For a dialect without settings of its own."""


class Call(Struct, frozen=True, kw_only=True):
    """What the four functions may know beside their arguments."""

    settings: Any = NoSettings()  # the dialect's own `Settings`
    now: datetime
    nonce: str = ""  # a fresh UUID as text, for ids that we make
    name: str = ""  # the wire call, as `route` said; blank where a request is being encoded
    request: Request | None = None  # what is being answered, or what was sent
    provider: str = ""  # the integration's immutable id, for wallets that are told it
    currency: str = ""  # the integration's own, where the wire has none
    currencies: Currencies = Currencies()
    country: str = ""  # provider's end: the player's, as the wallet said it when the session began
    again: bool = False  # wallet's end: an earlier attempt of this movement may have arrived


class NoCall(Exception):
    """No call of this dialect has this path (404), or not with this method (405, `allow`)."""

    def __init__(self, allow: Sequence[str] = ()) -> None:
        super().__init__("method not allowed" if allow else "no such call")
        self.allow = tuple(allow)


class Wire(Struct, frozen=True, kw_only=True):
    """One documented call: its name on the page, where it is posted, what it can mean."""

    name: str
    method: str
    path: str  # for people and the generated matrix; `route` decides
    kinds: tuple[Kind, ...]


class TextIds(Struct, frozen=True):
    """A wallet that takes any text as id, up to `length_max` characters."""

    length_max: int = 128


class Dialect(Struct, frozen=True, kw_only=True):
    """Everything a protocol is. The rules of money behind the later fields: docs/rules.md."""

    name: str
    title: str  # one line for people
    calls: tuple[Wire, ...]
    auth: Auth
    route: Callable[[Request, Any], str]
    """(request, settings) -> name of the wire call. Raises `NoCall`."""
    decode_request: Callable[[Request, Call], Transaction]
    encode_response: Callable[[Outcome, Transaction | None, Call], Response]
    """`tx` is None where the request could not be read (then `call.name` may be blank, too)."""
    encode_request: Callable[[Transaction, Call], Request]
    """Raises `Missing` (say it and I can) or `unsupported` (I have no words for it)."""
    decode_response: Callable[[Response, Transaction, Call], Outcome]
    settings: type[Struct] = NoSettings
    body_key: str = ""
    """The body field that the page names for the guard's shared key (`api_key`)."""
    answer_within: Mapping[str, str] = MappingProxyType({"default": "4s"})
    """The provider's limits by kind, as durations; `default` for the rest."""
    spaces: Mapping[str, str] = {}
    """Key space by wire call; the native kind where it is not listed (rule 1)."""
    scope: str = "provider"
    """What makes an id unique beside the provider: `provider` (nothing), `player` or `round`."""
    ids: TextIds = TextIds()
    """The wallet end's domain of ids (rule 3)."""
    ids_as_is: bool = False
    tombstones: bool = False
    """The wallet end's defaults: whether it takes ids as they are and remembers rollbacks of
    movements it never saw (docs/configuration.md, `ids` and `tombstones`)."""
    separates: bool = True
    """Whether a wallet of this dialect keeps ids of different kinds apart (for `ids: as_is`)."""
    replay_balance: str = "stored"
    """What a replay shows: the `stored` balance or the `current` one (rule 7)."""
    partial: bool = False
    """Several partial rollbacks of one movement are allowed, until nothing is left (Gameball)."""
    excess: str = "refuse"
    """A rollback of more than is left: `refuse` it, or `pass` it on (its page says that the wallet decides)."""
    rollback_kinds: Mapping[str, tuple[Kind, ...]] = {}
    """Which kinds a rollback's `reference_kind` may mean in the journal, where the wire cannot tell
    (Gameball's refund reverses whatever has that id). Default: that kind alone."""
    stranger_noes: frozenset[Reason] = frozenset()
    """What its page tells of the rollback for a player whom nobody has ever seen: a wallet's no that is final there. Of
    anybody else a wallet may say it for a moment only, and it stays owed (rule 6; Gameball's unknown customer)."""
    undoes_rollbacks: bool = False
    """Whether a rollback may itself be named to be undone, so that what it undid stands again (native)."""
    round_refunds: bool = True
    """Whether a rollback of scope `round` may mean every bet of its round. Not native: there it is a
    word for the record, and exactly the movement named is meant."""
    undoes_whole: bool = False
    """A wallet of this dialect gives back all of a bet, whatever amount it is told (Scorpio Play)."""
    makes_hold_ids: bool = False
    """A wallet of this dialect names a hold itself (its `wallet_id`), and knows no name of ours (Gameball)."""
    sessions: frozenset[Kind] = frozenset()
    """Kinds that a wallet of this dialect is never told without a session: it is looked for before one is encoded, not
    when `encode_request` has found that it is missing."""
    wants_game: bool = False
    """A wallet of this dialect is told the game where anybody knows it: it is looked for before a request is encoded, which
    may go without (Valkyrie, whose page needs none and whose test wallet does)."""
    late_session: tuple[str, str] = ("", "")
    """(header, part of a wallet's key): what stands for the session of what gives, gives back or asks what became of a
    movement, where nobody knows a session, or where the wallet does not take it any more (Valkyrie's PAM)."""
    own_id_meant: bool = False
    """A rollback may carry the id of the movement that it means as its own: where nothing has the id that it names, that
    one is meant (Evolution's cancels through Valkyrie)."""
    game_counts: bool = False
    """The same id with another game is another movement, and no repeat (rule 2; Valkyrie's DUPLICATE_TRANS)."""
    settled_stands: bool = False
    """A bet that a win ties to is not cancelled any more: `already_settled` (rule 15; Valkyrie)."""
    lists_movements: bool = False
    """A status is answered by all that it may mean in the journal, as it was asked for (`Accepted.meant`), not by one
    first decision: the wire asks by an id alone (Valkyrie)."""
    hides: frozenset[str] = frozenset()
    """Names of headers and fields that hold a secret or a session, beside the usual ones: never
    shown by `sign`, `translate` or a log."""

    @property
    def speaks(self) -> frozenset[Kind]:
        return frozenset(kind for wire in self.calls for kind in wire.kinds)

    def space(self, call: str, kind: Kind) -> str:
        return self.spaces.get(call, kind.value)


def posts(paths: Mapping[str, str]) -> Callable[[Request, Any], str]:
    """A `route` for a dialect whose calls are all `POST <path>`: path -> name of the call."""
    return table({path: {"POST": name} for path, name in paths.items()})


def table(paths: Mapping[str, Mapping[str, str]]) -> Callable[[Request, Any], str]:
    """A `route` for fixed paths: path -> {method: name of the call}. A trailing slash is ignored."""

    def route(request: Request, settings: Any) -> str:
        methods = paths.get(request.path.rstrip("/") or "/")
        if methods is None:
            raise NoCall
        name = methods.get(request.method)
        if name is None:
            raise NoCall(tuple(methods))
        return name

    return route
