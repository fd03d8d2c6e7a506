"""What senders do otherwise with the fields of a text: which they take, in which order, in which form, how they are joined."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, starmap
from urllib.parse import quote, quote_plus, unquote_to_bytes

from msgspec.structs import replace

from gateway.auth import js_number
from gateway.auth.steps import Composed, Field, Spelling
from gateway.cli.causes import Cause, escapes
from gateway.http import Request

LISTED_MOST = 3  # parts of a list whose other orders are tried


def _order(words: str, order: Callable[[Sequence[Field]], Sequence[Field]]) -> Cause:
    return Cause(step="order", words=f"the fields {words}", fields=lambda fields: replace(fields, order=order))


def _by(rank: Callable[[Field], str | bytes]) -> Callable[[Sequence[Field]], Sequence[Field]]:
    return lambda fields: sorted(fields, key=rank)


def _named(field: Field) -> str:
    return field[0]


def _also(words: str, wanted: Callable[[Composed, Field], bool]) -> Cause:
    """With what stands beside the signed fields; a proof's own field was empty when it was signed."""

    def changed(fields: Composed) -> Composed:
        def found(request: Request, settings: object) -> list[Field]:
            beside = [field for field in fields.beside(request, settings) if wanted(fields, field)]
            cleared = [(name, "" if name.lower() == fields.own else value) for name, value in beside]
            return [*fields.found(request, settings), *cleared]

        return replace(fields, found=found)

    return Cause(step="selection", words=words, fields=changed)


def _only(words: str, kept: Callable[[Field], bool]) -> Cause:
    def changed(fields: Composed) -> Composed:
        return replace(fields, found=lambda request, settings: [*filter(kept, fields.found(request, settings))])

    return Cause(step="selection", words=words, fields=changed)


def _spelled(words: str, **steps: object) -> Cause:
    def changed(fields: Composed) -> Composed:
        return replace(fields, spelling=replace(fields.spelling, **steps))

    return Cause(step="form", words=words, fields=changed)


def _coded(words: str, coded: Callable[[str | bytes], bytes]) -> Cause:
    return Cause(step="form", words=words, fields=lambda fields: replace(fields, coded=coded))


_DECIMAL = re.compile(rb"-?[0-9]+\.[0-9]+")


def _decimals(words: str, change: Callable[[str], str]) -> Cause:
    """Also of those that are texts."""

    def changed(fields: Composed) -> Composed:
        def coded(text: str | bytes) -> bytes:
            found = fields.coded(text)
            return change(found.decode()).encode() if _DECIMAL.fullmatch(found) else found

        return replace(fields, coded=coded)

    return Cause(step="form", words=words, fields=changed)


def _raw(text: str | bytes) -> bytes:
    return text.encode(errors="replace") if isinstance(text, str) else text


def _empty(field: Field) -> bool:
    return field[1] in ("", b"", None)


_NAMES = {None: "the values alone", b"=": "name=value", b":": "name:value", b"": "names and values"}
_BETWEEN = (b"", b",", b"&", b"|", b";", b":", b".", b" ", b"\n", b"-", b"_", b"+")


def _names(names: bytes | None, words: str) -> Cause:
    return Cause(step="join", words=words, fields=lambda fields: replace(fields, names=names))


def _between(between: bytes) -> Cause:
    return Cause(
        step="join",
        words=f"the fields joined by {between.decode()!r}" if between else "the fields with nothing between them",
        listed="other signs between the fields",
        fields=lambda fields: replace(fields, between=between),
    )


OF_FIELDS: tuple[Cause, ...] = (
    _order("in the order in which they were sent, not sorted", lambda fields: fields),
    _order("sorted by their names", _by(_named)),
    _order("sorted by their names without regard to case", _by(lambda field: field[0].lower())),
    _order("sorted by their names, from z to a", lambda fields: sorted(fields, key=_named, reverse=True)),
    _order("sorted by their values", _by(lambda field: _raw(Spelling().text(field[1])))),
    _also("empty fields, too", lambda fields, field: _empty(field) and field[0].lower() != fields.own),
    _also("the field of the signature, too, empty", lambda fields, field: field[0].lower() == fields.own),
    _also("all fields, also those that are not signed", lambda fields, field: True),
    _also("all fields but that of the signature", lambda fields, field: field[0].lower() != fields.own),
    _only("no empty fields", lambda field: not _empty(field)),
    _only("no fields that are null", lambda field: field[1] is not None),
    _only("no fields that are false, empty or null", lambda field: field[1] not in (False, "", b"", None)),
    _spelled("booleans as PHP prints them (1 and nothing)", true="1", false=""),
    _spelled("booleans as 1 and 0", true="1", false="0"),
    _spelled("booleans as Python prints them (True, False)", true="True", false="False"),
    _spelled("booleans as true and false", true="true", false="false"),
    _spelled("null as null", null="null"),
    _spelled("null as None", null="None"),
    _spelled("numbers as JavaScript prints them", number=js_number),
    _spelled("numbers as floats are printed (5 as 5.0)", number=lambda text: repr(float(text))),
    _coded("the values decoded", _raw),
    _coded("the values encoded for a form (a blank is +)", lambda text: quote_plus(_raw(text)).encode()),
    _coded("the values encoded for a URL (a blank is %20)", lambda text: quote(_raw(text), safe="").encode()),
    _coded("the values encoded as JavaScript does", lambda text: quote(_raw(text), safe="!'()*").encode()),
    _coded("the values encoded in lower-case hex", lambda text: escapes(str.lower)(quote(_raw(text), safe="")).encode()),
    _coded("the values encoded for a form in lower-case hex", lambda text: escapes(str.lower)(quote_plus(_raw(text))).encode()),
    _coded("the values encoded twice", lambda text: quote(quote(_raw(text), safe=""), safe="").encode()),
    _coded("the values decoded once more", lambda text: unquote_to_bytes(_raw(text))),
    _coded("the values as XML and HTML write them (&amp;)", lambda text: html.escape(_raw(text).decode(errors="replace")).encode()),
    _coded("the values in lower case", lambda text: _raw(text).lower()),
    _coded("the values in upper case", lambda text: _raw(text).upper()),
    _decimals("amounts with two digits", lambda text: text.partition(".")[0] + "." + (text.partition(".")[2] + "00")[:2]),
    _decimals("amounts without zeros at the end", lambda text: text.rstrip("0").rstrip(".")),
    _decimals("amounts with one digit at least, none of them a zero at the end", lambda text: re.sub(r"(\.\d+?)0+$", r"\1", text)),
    *starmap(_names, _NAMES.items()),
    *map(_between, _BETWEEN),
    Cause(
        step="join",
        words="names in lower case",
        fields=lambda fields: replace(
            fields,
            found=lambda request, settings: [(n.lower(), value) for n, value in fields.found(request, settings)],
        ),
    ),
)  # fmt: skip


def of_these_fields(said: Sequence[Field]) -> Iterator[Cause]:
    """What hangs on which fields there are: one of them left out, and of a short list its other orders."""
    yield from map(_without, dict.fromkeys(map(_named, said)))
    if 1 < len(said) <= LISTED_MOST:
        yield from (_ranked(ranks, said) for ranks in permutations(range(len(said))))


def _without(name: str) -> Cause:
    return replace(_only(f"all but {name}", lambda field: field[0] != name), listed="each field left out", alone=True)


def _ranked(ranks: Sequence[int], said: Sequence[Field]) -> Cause:
    names = ", ".join(said[rank][0] for rank in ranks)
    other = _order(f"in the order {names}", lambda found: [found[rank] for rank in ranks if rank < len(found)])
    return replace(other, listed="its parts in each order", alone=True)
