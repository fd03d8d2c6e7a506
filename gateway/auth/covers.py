"""Covers over the fields of a flat body: what is signed where it is not the body's own bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import quote

from gateway.auth.scheme import bad_signature
from gateway.auth.steps import Composed, Cover, Field, Steps, as_bytes, none_beside, told
from gateway.body import Number, Unreadable, form_text
from gateway.http import Request
from gateway.model import Flaw, Reason, Refused


def sorted_values(*, between: str, php_booleans: Callable[[Any], bool]) -> Cover:
    """The values of a flat body in the order of their names; the names themselves are not signed.

    A sender signs what its language makes of a number, and the body may spell it otherwise. The
    candidates: numbers as they stand; in JavaScript's shortest form; that, with booleans as PHP
    prints them (`1` and nothing), where the settings ask for it.
    """

    said = Steps(
        selected="the values of all fields of the JSON body; their names are not signed",
        order="by their names, by UTF-16 code unit",
        form="texts decoded, numbers as they stand, else as JavaScript writes them; true, false, nothing for null",
        joined=between_words(between),
        fields=Composed(found=_all, order=code_units, between=between.encode()),
    )

    @told(said)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        fields = _object(request)
        values = [*map(fields.__getitem__, by_code_unit(fields))]
        as_sent = [value if isinstance(value, str) else _text(value) for value in values]
        yield _joined(between, as_sent)
        shortest = [
            js_number(text) if type(value) in _NUMBERS else text for value, text in zip(values, as_sent, strict=True)
        ]
        if shortest != as_sent:
            yield _joined(between, shortest)
        if php_booleans(settings) and any(isinstance(value, bool) for value in values):
            spelled = {True: "1", False: ""}
            php = [spelled[v] if isinstance(v, bool) else text for v, text in zip(values, shortest, strict=True)]
            yield _joined(between, php)

    return cover


def sorted_pairs(*, between: str, without: str) -> Cover:
    """`name=value` of the plain fields in the order of their names, `without` the proof's own.

    Objects and lists are left out. Some senders of this family leave out empty fields, too: that
    is the second candidate.
    """

    def taken(name: str, value: Any) -> bool:
        return not isinstance(value, dict | list) and name.lower() != without

    said = Steps(
        selected=f"the plain fields of the JSON body without {without}, objects and lists left out",
        order="by their names",
        form="name=value, decoded, numbers as they stand; else without the empty fields",
        joined=between_words(between),
        fields=split(_all, taken, order=_names, names=b"=", between=between.encode()),
    )

    @told(said)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        plain = [(name, _text(value)) for name, value in sorted(_object(request).items()) if taken(name, value)]
        yield _joined(between, [f"{name}={text}" for name, text in plain])
        if any(not text for _, text in plain):
            yield _joined(between, [f"{name}={text}" for name, text in plain if text])

    return cover


def filled_pairs(*, between: str, without: str) -> Cover:
    """`name=value` of a web form's fields, decoded, in the byte order of their names; empty ones and the proof's own are not
    signed."""

    def taken(name: str, value: Any) -> bool:
        return bool(value) and name != without

    steps = Steps(
        selected=f"the fields of the form without {without} and without the empty ones",
        order="by their names, by bytes",
        form="name=value, decoded",
        joined=between_words(between),
        fields=split(_form_fields, taken, order=_bytes, names=b"=", between=between.encode()),
    )

    @told(steps)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        said = sorted((name.encode(), value) for name, value in _form(request).items() if taken(name, value))
        pairs = [name + b"=" + (value.encode() if isinstance(value, str) else value) for name, value in said]
        yield between.encode().join(pairs)

    return cover


Pairs = list[tuple[str, str | bytes]]


def sorted_form(*, headers: Sequence[str]) -> Cover:
    """The fields of a form and these headers, sorted by name, as a form again; names of headers as they are given.

    A name with brackets is sorted by what stands before them: elements of a list stand in the order of their indices,
    the fields of each in their own. The candidates: as PHP's `http_build_query` writes it; with JavaScript's
    `encodeURIComponent`; by RFC 3986. Then the same three with the elements as they came, where that is another order.
    """

    def found(request: Request, settings: Any) -> list[Field]:
        return [*((name, request.header(name)) for name in headers), *_form(request).items()]

    said = Steps(
        selected=f"the fields of the form, and the headers {', '.join(headers)} by these names",
        order="by their names up to a bracket, by bytes; elements of a list by their indices, else as they came",
        form="name=value, encoded anew: as PHP does (+, %7E), else as JavaScript (%20, ~), else by RFC 3986",
        joined=between_words("&"),
        fields=Composed(found=found, order=_form_order, coded=_php_coded, names=b"=", between=b"&"),
    )

    @told(said)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        fields = _form(request)
        if not fields.keys().isdisjoint(headers):
            raise bad_signature("a field of the form has the name of a signed header")
        pairs = [*((name, request.header(name)) for name in headers), *fields.items()]
        came = sorted(pairs, key=lambda pair: _top(pair[0]).encode())
        seen: set[str] = set()
        for ordered in (_by_index(came), came):
            for write in (form_text, _uri_components, _rfc_3986):
                text = write(ordered)
                if text not in seen:
                    seen.add(text)
                    yield text.encode()

    return cover


def _form(request: Request) -> Mapping[str, str | bytes]:
    fields = request.form
    if isinstance(fields, Unreadable):
        raise not_read(fields, fields.message)
    return fields


def _top(name: str) -> str:
    return name.partition("[")[0]


def _by_index(pairs: Pairs) -> Pairs:
    """The elements of each list in the order of their indices: 2 before 10."""
    found: Pairs = []
    for _, group in groupby(pairs, key=lambda pair: _top(pair[0])):
        same = [*group]
        indices = [_INDEX.match(name) for name, _ in same]
        if all(indices):
            same.sort(key=lambda pair: int(pair[0].partition("[")[2].partition("]")[0]))
        found += same
    return found


_INDEX = re.compile(r"[^\[]*\[[0-9]{1,9}\]")


def _uri_components(pairs: Pairs) -> str:
    return "&".join(f"{_uri(name)}={_uri(value)}" for name, value in pairs)


def _rfc_3986(pairs: Pairs) -> str:
    return "&".join(f"{_uri(name, safe='')}={_uri(value, safe='')}" for name, value in pairs)


def _uri(text: str | bytes, safe: str = "!'()*") -> str:
    return quote(text.encode(errors="replace") if isinstance(text, str) else text, safe=safe)


def between_words(between: str) -> str:
    return f'by "{between}"' if between else "with nothing between them"


def _all(request: Request, settings: Any) -> list[Field]:
    return [*_object(request).items()]


def _form_fields(request: Request, settings: Any) -> list[Field]:
    return [*_form(request).items()]


def _names(fields: Sequence[Field]) -> list[Field]:
    return sorted(fields, key=lambda field: field[0])


def _bytes(fields: Sequence[Field]) -> list[Field]:
    return sorted(fields, key=lambda field: field[0].encode())


def code_units(fields: Sequence[Field]) -> list[Field]:
    said = dict(fields)
    return [(name, said[name]) for name in by_code_unit(said)]


def _form_order(fields: Sequence[Field]) -> Sequence[Field]:
    return _by_index(sorted(fields, key=lambda pair: _top(pair[0]).encode()))


def _php_coded(text: str | bytes) -> bytes:
    return form_text([("", text)])[1:].encode()


def split(
    source: Callable[[Request, Any], Sequence[Field]], taken: Callable[[str, Any], bool], **steps: Any
) -> Composed:
    """The fields of a source in two: what is signed, and what stands beside it."""

    def found(request: Request, settings: Any) -> list[Field]:
        return [field for field in source(request, settings) if taken(*field)]

    def beside(request: Request, settings: Any) -> list[Field]:
        return [field for field in source(request, settings) if not taken(*field)]

    return Composed(found=found, beside=beside, **steps)


def spaced_body(
    before: Callable[[Request, Any], Sequence[Field]] = none_beside, *, selected: str = "the body", order: str = ""
) -> Cover:
    """The body as it stands, else without the blanks between its tokens: a sender may sign JSON before it writes it with them.
    What stands `before` it is signed, too, as it is found; `selected` names all of it."""

    def found(request: Request, settings: Any) -> list[Field]:
        return [*before(request, settings), ("body", request.body)]

    several = before is not none_beside
    said = Steps(
        selected=selected,
        order=order,
        form="as it was sent; the body else without the blanks between its tokens (those within its texts stay)",
        joined=between_words("") if several else "",
        fields=Composed(found=found) if several else None,  # of one part nothing is composed
    )

    @told(said)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        head = b"".join(as_bytes(value) for _, value in before(request, settings))
        yield head + request.body
        compact = compacted(request.body)
        if compact != request.body:
            yield head + compact

    return cover


def compacted(body: bytes) -> bytes:
    """A JSON body without the blanks outside of its texts, all else as it stood: what a sender signs that writes it anew.

    A text without an end goes on to the body's: each byte is looked at once, whatever stands there.
    """
    return _TEXT_OR_BLANKS.sub(lambda found: found[1] or b"", body)


_TEXT_OR_BLANKS = re.compile(rb'("(?:[^"\\]|\\.)*(?:"|\\?\Z))|[ \t\r\n]+', re.DOTALL)


def js_number(token: str) -> str:
    """A JSON number as JavaScript writes it: 10.50 is `10.5`, 1e21 is `1e+21`, 1e-7 stays.

    JavaScript prints the shortest digits that read back as the same double, the nearest of them;
    `repr` finds the same digits. How they are laid out differs and is done here, as ECMAScript
    says (Number::toString). Only for signed texts: no amount comes this way.
    """
    value = float(token)
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if not value:
        return "0"  # minus zero, too
    negative, figures, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, figures))
    return ("-" if negative else "") + _laid_out(digits, len(digits) + exponent)


def _laid_out(digits: str, point: int) -> str:
    """`digits` with the decimal point behind the first `point` of them."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


_NUMBERS = (int, Number)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    if isinstance(value, dict | list):
        raise bad_signature("the body is not flat: such a body is not signed")
    return "" if value is None else "true" if value is True else "false"


def _joined(between: str, texts: list[str]) -> bytes:
    return as_bytes(between.join(texts))


def by_code_unit(fields: Mapping[str, Any]) -> list[str]:
    """Names as JavaScript sorts them: by UTF-16 code unit, so that `A` to `Z` come before `a`."""
    names = sorted(fields)
    if "".join(names).isascii():
        return names
    return sorted(fields, key=lambda name: name.encode("utf-16-be", "surrogatepass"))


def _object(request: Request) -> Mapping[str, Any]:
    """The fields of the body. A body that cannot be read is no forgery: it is told as unreadable."""
    said = request.said
    if isinstance(said, Unreadable):
        raise not_read(said, "the body is not JSON")
    if not isinstance(said, dict):
        raise unreadable("the body is not a JSON object")
    return said


def not_read(why: Unreadable, message: str) -> Refused:
    if why.twice:
        return bad_signature("a name stands twice: nobody knows which one was signed")
    return unreadable(message)


def unreadable(message: str) -> Refused:
    return Refused(Reason.INVALID_REQUEST, message, field="request_body", flaw=Flaw.UNPARSABLE)
