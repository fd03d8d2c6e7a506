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
from gateway.codec.fields import REQUIRED, Fields
from gateway.codec.ids import integer_or_text
from gateway.model import (
    ID_LENGTH_MAX,
    OF_A_LAUNCH,
    Act,
    Credit,
    Debit,
    Flaw,
    Game,
    Missing,
    Refused,
    Round,
    Transaction,
    reference_of,
)

K = TypeVar("K")


class Draft(Struct):
    """What the lines of a form have read of a call, before its act is known: `draft[ID]` and so on are its texts, blank where
    no line has said them."""

    extra: dict[str, str]
    texts: dict[Place, str] = {}
    currency: str = ""
    whole: int | None = None  # an amount as it stands, until its currency is known
    amount_if_any: Decimal | None = None
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

    def transaction(self, act: Act) -> Transaction:
        said = self.texts.get
        round_id, game_id, game_name = said(ROUND, ""), said(GAME, ""), said(GAME_NAME, "")
        return Transaction(
            act=act,
            id=said(ID, ""),
            player=said(PLAYER, ""),
            session=said(SESSION, ""),
            currency=self.currency,
            round=Round(round_id, self.closed) if round_id or self.closed is not None else None,
            game=Game(id=game_id, name=game_name) if game_id or game_name else None,
            free_round_id=said(FREE_ROUND, ""),
            channel=said(CHANNEL, ""),
            occurred_at=self.occurred_at,
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
        """The fields in the order of the lines. Raises `Refused` where a line does, and `Missing` for what says who plays
        before any other, whatever the order of the page: that is another answer to the provider (rule 21)."""
        said, lacking = {}, None
        for name, write in self._writes:
            try:
                value = write(tx, call)
            except Missing as missing:
                if missing.field in OF_A_LAUNCH:
                    raise
                lacking = lacking or missing
            except Refused as refused:
                raise lacking or refused from None
            else:
                if value is not UNSET:
                    said[name] = value
        if lacking is not None:
            raise lacking
        return said


def of_page(calls: Mapping[K, Iterable[Line]]) -> dict[K, Form]:
    """The forms of a page: what it documents for one of its calls is kept as unknown in none."""
    lines = {call: tuple(each) for call, each in calls.items()}
    names = {line.name for each in lines.values() for line in each}
    return {call: Form(*each, also=names) for call, each in lines.items()}


# ---------------------------------------------------------------- lines of texts


class Place(Struct, frozen=True, eq=False):
    """Where a text stands in the canonical transaction. Its methods are the lines that carry it."""

    what: str
    """What `Missing` calls it."""
    of: Callable[[Transaction], str]

    def id(
        self, name: str, *, length_max: int = ID_LENGTH_MAX, integer_max: int | None = None, may_lack: bool = False
    ) -> Line:
        """An id that is always written. `integer_max`: the page types it as an integer of no more than that. `may_lack`: it
        is understood without it, else it must be there."""
        what, of, default = self.what, self.of, "" if may_lack else REQUIRED

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            draft.texts[self] = fields.id(name, default, length_max=length_max)

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

    def id_if_any(self, name: str) -> Line:
        """An id that only describes: in no form it stops a call."""
        of = self.of

        def read(fields: Fields, draft: Draft, call: Call) -> None:
            draft.texts[self] = fields.id_if_any(name)

        return Line(name, read, lambda tx, call: of(tx) or UNSET)

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
FREE_ROUND = Place("free_round", lambda tx: tx.free_round_id)
CHANNEL = Place("channel", lambda tx: tx.channel)


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


# ---------------------------------------------------------------- other lines


def closes(name: str) -> Line:
    """Whether the round is over; not said, it is not."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.closed = fields.flag(name, False)

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


def currency(name: str) -> Line:
    """A currency that we know."""

    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.currency = call.currencies.meant(fields.text(name))

    def write(tx: Transaction, call: Call) -> str:
        if not tx.currency:
            raise Missing("currency")
        return tx.currency

    return Line(name, read, write)


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
