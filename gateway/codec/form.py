"""The fields of a flat call (JSON, form or query), said once: an ordered list of lines, each of which reads one field and
writes it.

The order of the lines is the order in which a field is complained of, and in which the fields are written; their names are
the documented ones. A line is two functions: where none of those below says what a page means, a dialect writes its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import UNSET, Struct

from gateway.call import Call
from gateway.codec.fields import REQUIRED, Fields, known
from gateway.codec.frame import fitting
from gateway.codec.ids import integer_or_text
from gateway.model import (
    ID_LENGTH_MAX,
    OF_A_LAUNCH,
    Act,
    Authenticate,
    Credit,
    Debit,
    Flaw,
    Game,
    Missing,
    Refused,
    Rollback,
    Round,
    Transaction,
    cancel_id,
    reference_of,
)

K = TypeVar("K")
NO_GAME = Game()


class Draft(Struct):
    """What the lines of a form have read of a call, before its act is known: `draft[ID]` and so on are its texts, blank where
    no line has said them."""

    extra: dict[str, str]
    texts: dict[Place, str] = {}
    currency: str = ""
    whole: int | None = None  # an amount as it stands, until its currency is known
    amount_if_any: Decimal | None = None
    won_if_any: Decimal | None = None  # of a call that is a bet and its win
    free: bool = False
    closed: bool | None = None
    occurred_at: datetime | None = None

    def __getitem__(self, place: Place) -> str:
        return self.texts.get(place, "")

    def __setitem__(self, place: Place, text: str) -> None:
        self.texts[place] = text

    @property
    def amount(self) -> Decimal:
        """Of a form that always reads one."""
        assert self.amount_if_any is not None, "no line has read it"
        return self.amount_if_any

    @property
    def won(self) -> Decimal:
        assert self.won_if_any is not None, "no line has read it"
        return self.won_if_any

    def cancel(self, *, amount: Decimal | None = None, scope: str = "transaction") -> Transaction:
        """Of a call whose cancel has no id of its own, or may say that of what it names as one, and there alone."""
        reference = self[REFERENCE] or self[ID]
        self[ID] = cancel_id(reference) if self[ID] in ("", reference) else self[ID]
        return self.transaction(Rollback(reference=reference, amount=amount, scope=scope))

    def transaction(self, act: Act) -> Transaction:
        said = self.texts.get
        round_id = said(ROUND, "")
        game = Game(id=said(GAME, ""), name=said(GAME_NAME, ""), studio=said(STUDIO, ""))
        return Transaction(
            act=act,
            id=said(ID, ""),
            player=said(PLAYER, ""),
            session=said(SESSION, ""),
            currency=self.currency,
            round=Round(round_id, self.closed) if round_id or self.closed is not None else None,
            game=game if game != NO_GAME else None,
            free_round_id=said(FREE_ROUND, ""),
            channel=said(CHANNEL, ""),
            occurred_at=self.occurred_at,
            request_id=said(REQUEST, ""),
            extra=self.extra,
        )


Read = Callable[[Fields, Draft, Call], None]
"""Raises `Refused` where the field is wrong."""
Write = Callable[[Transaction, Call], Any]
"""The value of the field, `UNSET` where it is left out. Raises `Missing` or `unsupported`."""


def unread(fields: Fields, draft: Draft, call: Call) -> None:
    """Of a field that tells us nothing."""


def unwritten(tx: Transaction, call: Call) -> Any:
    """Of a field that is understood and never written."""
    return UNSET


class Line(Struct, frozen=True):
    """One field: its name on the wire, how it is read, how it is written."""

    name: str
    read: Read = unread
    write: Write = unwritten

    @property
    def read_only(self) -> Line:
        """In a call in which it is understood and never written."""
        return Line(self.name, self.read)


class Form:
    """The fields of one call. `also` are documented names that mean nothing in it, so that they are not kept as unknown."""

    __slots__ = ("_reads", "_writes", "names")

    def __init__(self, *lines: Line, also: Iterable[str] = ()) -> None:
        self._reads = tuple(line.read for line in lines if line.read is not unread)
        self._writes = tuple((line.name, line.write) for line in lines if line.write is not unwritten)
        self.names = frozenset(line.name for line in lines) | frozenset(also)

    def read(self, fields: Fields, call: Call) -> Draft:
        """Raises `Refused` with the first field, in the order of the lines, that is wrong."""
        draft = Draft(fields.unknown(self.names))
        for read in self._reads:
            read(fields, draft, call)
        return draft

    def write(self, tx: Transaction, call: Call) -> dict[str, Any]:
        """The fields in the order of the lines. Raises the first `Refused` of a line, but `Missing` for what says who plays
        before any other, whatever the order of the page: that is another answer to the provider (rule 21)."""
        said, first = {}, None
        for name, write in self._writes:
            try:
                value = write(tx, call)
            except Refused as refused:
                if isinstance(refused, Missing) and refused.field in OF_A_LAUNCH:
                    raise
                first = first or refused
            else:
                if value is not UNSET:
                    said[name] = value
        if first is not None:
            raise first
        return said


def of_page(
    calls: Mapping[K, Iterable[Line]],
    *,
    anywhere: Collection[Line] = (),
    alone: Mapping[K, Iterable[Line]] | None = None,
    also: Iterable[str] = (),
) -> dict[K, Form]:
    """The forms of a page: what it documents for one of its calls is kept as unknown in none. `anywhere` is understood in
    each call, also where it is not written, but in those that stand `alone`; `also` are names that mean nothing in any."""
    lines, others = {call: tuple(each) for call, each in calls.items()}, alone or {}
    names = {line.name for each in (*lines.values(), *others.values(), anywhere) for line in each}.union(also)

    def beside(each: tuple[Line, ...]) -> Iterable[Line]:
        written = {line.name for line in each}
        return (line.read_only for line in anywhere if line.name not in written)

    forms = {call: Form(*each, *beside(each), also=names) for call, each in lines.items()}
    return forms | {call: Form(*each, also=names) for call, each in others.items()}


# ---------------------------------------------------------------- lines of texts


class Place(Struct, frozen=True, eq=False):
    """Where a text stands in the canonical transaction. Its methods are the lines that carry it."""

    what: str
    """What `Missing` calls it."""
    of: Callable[[Transaction], str]

    def id(
        self,
        name: str,
        *,
        length_max: int = ID_LENGTH_MAX,
        integer_max: int | None = None,
        may_lack: bool = False,
        text_only: bool = False,
    ) -> Line:
        """An id that is always written. `integer_max`: the page types it as an integer of no more than that. `may_lack`: it
        is understood without it, else it must be there. `text_only`: a number is none."""
        what, of, default = self.what, self.of, "" if may_lack else REQUIRED
        reader = Fields.text if text_only else Fields.id

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            draft.texts[self] = reader(fields, name, default, length_max=length_max)

        def write(tx: Transaction, call: Call) -> str | int:
            text = of(tx)
            if not text:
                raise Missing(what)
            return text if integer_max is None else integer_or_text(text, integer_max)

        return Line(name, read, write)

    def optional(self, name: str, *, length_max: int = ID_LENGTH_MAX, otherwise: Any = UNSET) -> Line:
        """An id that may be missing, and is right where it is there. `otherwise`: what is written where there is none."""
        of = self.of

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            draft.texts[self] = fields.id(name, "", length_max=length_max)

        return Line(name, read, lambda tx, call: of(tx) or otherwise)

    def id_if_any(self, name: str, *, length_max: int = ID_LENGTH_MAX) -> Line:
        """An id that only describes: in no form it stops a call."""
        of = self.of

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            draft.texts[self] = fields.id_if_any(name, length_max=length_max)

        return Line(name, read, lambda tx, call: of(tx) or UNSET)

    def code_if_any(self, name: str, *, length_max: int = ID_LENGTH_MAX) -> Line:
        """A word that only describes, and means nothing where it is cut: what is no text, or too long, is left out."""
        of = self.of

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            text = fields.words(name, length_max=length_max + 1) if isinstance(fields.value(name, None), str) else ""
            draft.texts[self] = text if len(text) <= length_max else ""

        return Line(name, read, lambda tx, call: of(tx) or UNSET)

    def described(self, name: str, *, length_max: int = ID_LENGTH_MAX, strict_in: Collection[str] = ()) -> Line:
        """An id that is always written, and only describes what is read: in no form it stops a call, but one of those that are
        named in `strict_in`, which need it."""

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            read_id = fields.id if call.name in strict_in else fields.id_if_any
            draft.texts[self] = read_id(name, length_max=length_max)

        return Line(name, read, self.id(name).write)

    def words(
        self,
        name: str,
        *,
        length_max: int = 256,
        strict_in: Collection[str] = (),
        otherwise: Callable[[Transaction], Any] = lambda tx: UNSET,
    ) -> Line:
        """What is for people: in no form it stops a call, but one of those that are named in `strict_in`. `otherwise`: what
        is written where there is none."""
        of = self.of

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            draft.texts[self] = fields.words(name, length_max=length_max, strict=call.name in strict_in)

        return Line(name, read, lambda tx, call: of(tx) or otherwise(tx))


ID = Place("id", lambda tx: tx.id)
PLAYER = Place("player", lambda tx: tx.player)
SESSION = Place("session", lambda tx: tx.session)
REFERENCE = Place("reference", lambda tx: reference_of(tx.act))
ROUND = Place("round", lambda tx: tx.round.id if tx.round else "")
GAME = Place("game", lambda tx: tx.game.id if tx.game else "")
GAME_NAME = Place("game", lambda tx: tx.game.name if tx.game else "")
STUDIO = Place("studio", lambda tx: tx.game.studio if tx.game else "")
FREE_ROUND = Place("free_round", lambda tx: tx.free_round_id)
CHANNEL = Place("channel", lambda tx: tx.channel)
REQUEST = Place("request", lambda tx: tx.request_id)
LAUNCH = Place("launch token", lambda tx: tx.act.launch_token if isinstance(tx.act, Authenticate) else "")


def words(
    name: str,
    *,
    length_max: int = 256,
    strict_in: Collection[str] = (),
    otherwise: Callable[[Transaction], Any] = lambda tx: UNSET,
) -> Line:
    """What is for people, and what this dialect alone knows: as `Place.words`, under its own name in `extra`."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        text = fields.words(name, length_max=length_max, strict=call.name in strict_in)
        if text:
            draft.extra[name] = text

    return Line(name, read, lambda tx, call: tx.extra.get(name) or otherwise(tx))


def passed_on(name: str, otherwise: Callable[[Transaction], Any] = lambda tx: UNSET) -> Line:
    """What goes on as it came, under its own name; `otherwise`: what is written where no such thing came."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.extra |= fields.opaque(name)

    return Line(name, read, lambda tx, call: tx.extra.get(name) or otherwise(tx))


def keeps(*names: str, blanks: bool = True) -> Read:
    """Of what goes on as it came, in whatever call it stands; without `blanks` only what says something."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        said = fields.opaque(*names)
        draft.extra |= said if blanks else known(**said)

    return read


def kept(name: str, otherwise: Any = UNSET) -> Line:
    """What another line `keeps`, written under its own name; `otherwise`: where no such thing came."""
    return Line(name, write=lambda tx, call: tx.extra.get(name) or otherwise)


# ---------------------------------------------------------------- other lines


def closes(name: str, *, may_lack: bool = True) -> Line:
    """Whether the round is over; not said, it is not."""
    default = False if may_lack else REQUIRED

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.closed = fields.flag(name, default)

    return Line(name, read, lambda tx, call: tx.round is not None and tx.round.closed is True)


def free_round(name: str, words: Callable[[Call], Mapping[str, bool]], *, cash: str, free: str = "") -> Line:
    """The word that says whether a bet or win is of a promotional free round; not said, it is not. `words` are understood,
    `cash` and `free` are written; without `free` a word that means it is none."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        if name in fields:
            word, means = fields.text(name), words(call)
            draft.free = means.get(word, False)
            if word not in means or (draft.free and not free):
                understood = [each for each, promo in means.items() if free or not promo]
                raise fields.wrong(name, Flaw.INVALID, f"is none of {', '.join(understood)}")

    def write(tx: Transaction, call: Call) -> str:
        return free if isinstance(tx.act, Debit | Credit) and tx.act.free_round else cash

    return Line(name, read, write)


def currency(name: str, *, length_max: int = 1024, may_lack: bool = False) -> Line:
    """A currency that we know. `may_lack`: not said is not known."""
    default = "" if may_lack else REQUIRED

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        said = fields.text(name, default, length_max=length_max)
        draft.currency = call.currencies.meant(said) if said else ""

    def write(tx: Transaction, call: Call) -> str:
        if not tx.currency:
            raise Missing("currency")
        return tx.currency

    return Line(name, read, write)


UNSAID = frozenset({Flaw.MISSING, Flaw.NULL, Flaw.BLANK})


def loose(line: Line, calls: Collection[str]) -> Line:
    """A field that no money hangs on: in `calls` it must be there, and one in a form that is none is as if it said nothing."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        try:
            line.read(fields, draft, call)
        except Refused as refused:
            if call.name not in calls or refused.flaw in UNSAID:
                raise

    return Line(line.name, read, line.write)


def if_any(line: Line, what: str) -> Line:
    """A field that may be missing: read where it is there, left out where nobody knows `what` it says."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        if line.name in fields:
            line.read(fields, draft, call)

    def write(tx: Transaction, call: Call) -> Any:
        try:
            return line.write(tx, call)
        except Missing as missing:
            if missing.field != what:
                raise
            return UNSET

    return Line(line.name, read, write)


def id_if_any(name: str, *, length_max: int = ID_LENGTH_MAX, write: Write = unwritten) -> Line:
    """What this dialect alone knows, where it may be an id, under its own name in `extra`: in no form it stops a call."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        found = fields.id_if_any(name, length_max=length_max)
        if found:
            draft.extra[name] = found

    return Line(name, read, write)


def fitted(line: Line, what: str, length_max: int) -> Line:
    """The same towards a wallet that takes no more than `length_max` characters. Its `write` raises `unsupported`, too."""
    return Line(line.name, line.read, lambda tx, call: fitting(what, line.write(tx, call), length_max))
