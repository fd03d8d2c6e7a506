"""Broken requests and answers, made from a dialect's vectors: fields dropped, doubled, of another type, bytes cut in.

Whatever comes, a dialect answers in its own words, and a movement is of no amount, id or player that the bytes do not say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any
from urllib.parse import quote_plus, unquote, unquote_plus
from xml.sax.saxutils import unescape

from msgspec.structs import replace

from gateway.body import Number, Unreadable, strictly
from gateway.codec.fields import read_json, text_of
from gateway.dialect import Call, Dialect, NoCall
from gateway.http import Request, Response
from gateway.model import (
    Accepted,
    Batch,
    Declined,
    Missing,
    Outcome,
    Reason,
    Refused,
    Transaction,
    Unknown,
    amounts,
    reference_of,
)
from gateway.vectors import Vector, demo_key

ODD: tuple[Any, ...] = (
    None, True, False, [], {}, [[]], {"a": None}, "", " ", "x", "\x00", "NaN", "Infinity", "1e999", "-1", "0", "1.005", "٣",
    "9" * 40, "A" * 5000, "9" * 100_000, Number("0"), Number("-1"), Number("1.5"), Number("1e400"), Number("-0.0"),
    Number("1e999999999"), Number("9" * 40), Number("9" * 100_000), Number("12345678901234567890.123456789"),
)  # fmt: skip
PIECES = (
    b"", b'"', b"\\", b"0", b"-", b"{", b"}", b"[", b",", b":", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"1e5", b"&",
    b"=", b"%", b"%00", b"%ff", b"<", b">", b"&lt;", b'<!DOCTYPE a [<!ENTITY b "c">]>', b"&b;", b"<![CDATA[", b"[" * 3000,
)  # fmt: skip
UNITS = tuple(Decimal(10) ** n for n in range(-9, 10))


def broken(body: bytes, header: str, chance: Random) -> bytes:
    """A body with one to three things wrong with it."""
    for _ in range(chance.randint(1, 3)):
        body = chance.choice((_fields, _fields, _spliced))(body, header, chance)
    return body


def _fields(body: bytes, header: str, chance: Random) -> bytes:
    if header.startswith("application/x-www-form-urlencoded"):
        return _pairs(body.decode("latin-1"), chance).encode("latin-1", "replace")
    try:
        return text_of(_altered(read_json(body), chance)).encode("utf-8", "surrogatepass")
    except Refused:
        return _spliced(body, header, chance)


def _altered(value: Any, chance: Random) -> Any:
    """A value with one field, at whatever depth, dropped, of another kind, renamed, or with a neighbour's value."""
    if isinstance(value, list) and value:
        at = chance.randrange(len(value))
        return [*value[:at], *((_altered(value[at], chance),) * chance.randint(0, 2)), *value[at + 1 :]]
    if not isinstance(value, dict) or not value or chance.random() < 0.1:
        return chance.choice(ODD)
    name = chance.choice([*value])
    if chance.random() < 0.2:
        return {each: part for each, part in value.items() if each != name}
    if chance.random() < 0.1:
        return {(each.upper() if each == name else each): part for each, part in value.items()}
    other = value[chance.choice([*value])] if chance.random() < 0.15 else _altered(value[name], chance)
    return {**value, name: other}


def _pairs(text: str, chance: Random) -> str:
    pairs = text.split("&")
    at = chance.randrange(len(pairs))
    name = pairs[at].partition("=")[0]
    odd = [quote_plus(each) for each in ODD if isinstance(each, str)]
    changed = chance.choice(((), (name,), (pairs[at], pairs[at]), (f"{name}[]=1",), (f"{name}={chance.choice(odd)}",)))
    return "&".join([*pairs[:at], *changed, *pairs[at + 1 :]])


def _spliced(body: bytes, header: str, chance: Random) -> bytes:
    at = chance.randint(0, len(body))
    return body[:at] + chance.choice(PIECES) + body[at + chance.choice((0, 0, 1, 3, 20)) :]


# ---------------------------------------------------------------- what must hold


def cuts(vectors: Iterable[Vector]) -> bool:
    """Whether its page cuts off what a currency does not have (Hub88, 100HP): then one of its vectors shows it."""
    return any(each.transaction and invented(each.transaction, each.request, each.call) for each in vectors)


def try_request(dialect: Dialect, vector: Vector, chance: Random, *, cut: bool) -> str:
    """What is wrong with the reading of a broken request; blank: nothing. `cut`: its page cuts amounts off. Lets every
    exception out that is not `Refused`."""
    said = vector.request
    body = broken(said.body, said.header("content-type"), chance) if said.body else said.body
    query = _pairs(said.query, chance) if said.query and chance.random() < 0.5 else said.query
    request = replace(said, body=body, query=query, target=f"{said.path}?{query}" if query else said.path)
    call = replace(vector.call, request=request, name="")
    try:
        call = replace(call, name=dialect.route(request, call.settings))
        _proved(dialect, request, call)
        found: Transaction | Refused = dialect.decode_request(request, call)
    except NoCall:
        return ""
    except Refused as refused:
        found = refused
    outcome: Outcome = found.outcome() if isinstance(found, Refused) else Declined(reason=Reason.INSUFFICIENT_FUNDS)
    for each in (outcome, Unknown()):
        _said(lambda each=each: dialect.encode_response(each, None, call))  # type: ignore[misc]  # bound where it stands
    if isinstance(found, Refused):
        return ""
    return invented(found, request, call, cut=cut)


def try_answer(dialect: Dialect, vector: Vector, tx: Transaction, call: Call, chance: Random) -> str:
    """The same for a broken answer of a wallet."""
    there = vector.response
    body = broken(there.body, there.headers.get("content-type", ""), chance)
    status = chance.choice((there.status, there.status, 200, 204, 400, 401, 404, 500, 503, 599))
    response = replace(there, status=status, body=body)
    heard = dialect.decode_response(response, tx, call)
    balance = heard.balance if isinstance(heard, Accepted | Declined) else None
    if balance is not None and not _is_sum(balance, [*_numbers(_texts_of(response))], shown=True):
        return f"nobody said the balance {balance}: {response}"
    return ""


def _proved(dialect: Dialect, request: Request, call: Call) -> None:
    try:
        dialect.auth.verify(request, [demo_key(dialect, call.settings)], call.settings, call.now)
    except Refused:
        return  # a forger's words are refused; here they are read all the same


def _said(answer: Callable[[], Response]) -> None:
    try:
        answer()
    except Missing:
        return


def invented(tx: Transaction, request: Request, call: Call, *, cut: bool = False) -> str:
    """What it says that stands nowhere in the request: an amount, perhaps with digits `cut` off, an id, a player."""
    texts = [
        *_texts_of(request),
        *(text for name, text in request.headers.items()),
        *map(unquote, request.path.split("/")),
    ]
    known = [text.casefold() for text in texts if text] + [call.nonce, call.provider]
    numbers = [*_numbers(texts)]
    for one in tx.act.items if isinstance(tx.act, Batch) else (tx,):
        for amount in filter(None, amounts(one.act)):
            if not _is_sum(amount, numbers, shown=cut):
                return f"nobody said the amount {amount}"
        for id in filter(None, (one.id, one.player, one.session, one.round_id, reference_of(one.act))):
            spelled = {id.casefold(), unquote(id).casefold()}  # ours is escaped where it is put together from two
            if not any(text in plain or plain in text for text in known for plain in spelled):
                return f"nobody said {id!r}"
    return ""


def _is_sum(amount: Decimal, numbers: list[Decimal], *, shown: bool = False) -> bool:
    """Whether it is one of them in some unit, or the sum or the difference of two; but for what a double's arithmetic leaves
    behind its digits, and for a balance that is `shown`, which is rounded down."""
    wanted, last = abs(amount), Decimal(1).scaleb(min(int(amount.as_tuple().exponent), 0))
    units = [unit for unit in UNITS if wanted]

    def is_it(number: Decimal) -> bool:
        return any(
            number * unit - wanted < (last if shown else last / 1000) and wanted - number * unit < last / 1000
            for unit in units
        )

    small = [abs(number) for number in numbers[:40]]
    return (
        not wanted
        or any(is_it(abs(number)) for number in numbers)
        or any(is_it(one + other) or is_it(abs(one - other)) for one in small for other in small)
    )


def _numbers(texts: Iterable[str]) -> Iterator[Decimal]:
    for text in texts:
        try:
            number = Decimal(text)
        except InvalidOperation:
            continue
        if number.is_finite() and abs(number.adjusted()) < 60:
            yield number


def _texts_of(message: Request | Response) -> list[str]:
    """All that a message says, leaf by leaf, however it is written."""
    doubled = isinstance(message.said, Unreadable) and message.said.twice  # what is passed on may hold a key twice
    found = [*_leaves(strictly(message.body, dict) if doubled else message.said)]
    if isinstance(message, Request):
        found += [*_leaves(message.form), *_leaves(message.asked)]
    if b"<" in message.body:
        found += [unescape(text) for text in re.split(r"<[^>]*>", message.body.decode("utf-8", "replace"))]
    return found


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        yield str(value)
        yield from _within(str(value))


def _within(text: str) -> Iterator[str]:
    """A text may be a document of its own: JSON in a field, an escaped form."""
    if text[:1] in ("{", "["):
        try:
            yield from _leaves(json.loads(text, parse_float=str, parse_int=str))
        except (ValueError, RecursionError):
            return
    elif "%" in text:
        yield unquote_plus(text)
