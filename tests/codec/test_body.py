"""A body is read quickly where that is as exact, and strictly where it is not: nobody can tell which it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

import adapters
from gateway.auth import sorted_pairs, sorted_values
from gateway.body import Number, Unreadable, parsed, strictly
from gateway.codec.fields import Fields, text_of
from gateway.http import Request
from gateway.model import Refused
from tests.codec.test_fields import EXAMPLES, READERS

VECTORS = sorted(Path(adapters.__path__[0]).glob("*/vectors/*.txt"))
BODIES = sorted(
    {
        line.encode()
        for path in VECTORS
        for line in path.read_text(encoding="utf-8").split("\n")
        if line.startswith("{") and line.endswith("}")
    }
)
FLAT = b'{"command":"bet","transactionId":"SPX-1","providerId":14,"amount":12.50,"isCall":false,"note":null,"n":""}'
PIECES = st.sampled_from([
    b"", b'"', b"\\", b"0", b"-", b"-0", b"{", b"}", b",", b":", b"\x00", b"\x1f", b"\x7f", b"\xc3", b"\xed\xa0\x80", b" ", b"e5",
    b"E-2", b".0", b"1e400", b"\\u0000", b"\\ud800", b"NaN", b"[1]", b"{}", b'"a":1', b'"amount":1,', b"+1", b"01", b"\t", b"\x0b",
    b"\xef\xbb\xbf", b"\xc2\xa0", b"/**/", b"true", b"9" * 30, b"9" * 4301,
])  # fmt: skip
COVERS = {
    "values": sorted_values(between=",", php_booleans=lambda settings: True),
    "pairs": sorted_pairs(between="&", without="hash"),
}


def exact(value: Any) -> Any:
    """The same with each number as its text, and its type told: 1 is neither `true` nor "1"."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    if type(value) is int:
        value = Number(value)
    return type(value), value


def told(read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except Refused as refused:
        return refused.reason, refused.message, refused.field, refused.flaw


def check(body: bytes) -> None:
    found, wanted = parsed(body), strictly(body)
    if isinstance(wanted, Unreadable):
        assert found == wanted, body
        return
    assert exact(found) == exact(wanted), body
    assert list(found) == list(wanted) if isinstance(wanted, dict) else True, "the first that is wrong is told"
    for name, value in wanted.items() if isinstance(wanted, dict) else ():
        pair = repr((exact(found[name]), exact(value)))
        if pair not in ALIKE:
            read_alike(found[name], value)
        ALIKE.add(pair)


ALIKE: set[str] = set()  # what was read twice before: the same values stand in vector after vector


def read_alike(found: Any, value: Any) -> None:
    for what, read in READERS.items():
        either = [told(read, Fields({"a": each})) for each in (found, value)]
        assert repr(either[0]) == repr(either[1]), f"{what} of {value!r}"
    assert text_of(found) == text_of(value)


def test_the_bodies_of_all_vectors() -> None:
    """What the pages themselves show."""
    assert len(BODIES) > 500
    for body in BODIES:
        check(body)


def test_an_ordinary_body_is_read_quickly() -> None:
    """Else all of this would be for nothing: an `int` is of the quick reader only."""
    assert type(parsed(FLAT)["providerId"]) is int
    assert type(strictly(FLAT)["providerId"]) is Number


def mutated(body: bytes) -> st.SearchStrategy[bytes]:
    at = st.integers(0, len(body))
    cut = st.tuples(at, st.integers(0, 3), PIECES)
    return st.lists(cut, min_size=1, max_size=3).map(lambda cuts: spliced(body, cuts))


def spliced(body: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for at, gone, piece in cuts:
        body = body[:at] + piece + body[at + gone :]
    return body


@EXAMPLES
@given(body=st.sampled_from([FLAT, *BODIES]).flatmap(mutated))
@example(body=b'{"amount":1,"amount":2}')
@example(body=b'{"amount":"1","amount":"2"}')
@example(body=b'{"a":{"b":1,"b":2}}')
@example(body=b'{"a":[{"b":1,"b":2}]}')
@example(body=b'{"a":{"b":1},"b":2}')
@example(body=b'{"a" :1,"a":2}')
@example(body=b'{"a"\t:1,"a"\n\t:2,"b"\r:3}')
@example(body=b'{"a":"\\":","a":1}')
@example(body=b'{"a":-0}')
@example(body=b'{"a":-0.0,"b":1E400}')
@example(body=b'{"a\\u0022":1}')
@example(body=b'{"a":1,"\\u0061":2}')
@example(body=b'{"a":"\\"","a":"\\""}')
@example(body=b'{"a":"\\ud83d\\ude00","b":"\\ud800"}')
@example(body=b'{"":1,"":"\xc3\xa9"}')
@example(body=b"{} {}")
@example(body=b"[" * 100_000)
@example(body=b'{"a":' * 50_000)
def test_any_body(body: bytes) -> None:
    """A body that the quick reader would take otherwise is a bet that nobody placed: equal keys, -0, odd numbers."""
    check(body)


KEYS = st.sampled_from(["amount", "Amount", "a", "", "é", "hash"])
VALUES = st.none() | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=8) | st.integers(-(10**30), 10**30)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(Number)


def written(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    """With and without white space, so that equal keys stay equal and stay two."""
    yield "{" + ",".join(f"{text_of(name)}:{text_of(value)}" for name, value in pairs) + "}"
    for space in " \t\n\r":
        pair = f"{{}}{space}:{space}{{}}{space}"
        yield "{" + space + ",".join(pair.format(text_of(name), text_of(value)) for name, value in pairs) + "}"


@EXAMPLES
@given(pairs=st.lists(st.tuples(KEYS, VALUES | NUMBERS), max_size=6))
def test_any_object_and_what_is_signed_of_it(pairs: list[tuple[str, Any]]) -> None:
    """A signature covers the number as it stood in the body, whoever read it."""
    for text in written(pairs):
        check(text.encode())
        quick, strict = (Request(method="POST", path="/", body=text.encode()) for _ in range(2))
        strict.__dict__["said"] = strictly(strict.body)
        for name, cover in COVERS.items():
            either = [told(lambda request, cover=cover: [*cover(request, None)], each) for each in (quick, strict)]
            assert either[0] == either[1], f"{name} of {text}"
