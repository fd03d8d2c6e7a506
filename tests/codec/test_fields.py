"""What a field's reader takes at once is what the long way would give, and never more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from gateway.codec.fields import Fields, Number, read_json
from gateway.http import Request
from gateway.model import Flaw, Refused

VECTORS = sorted(Path(adapters.__path__[0]).glob("*/vectors/*.txt"))
EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True, database=None)
READERS: dict[str, Callable[[Fields], Any]] = {
    "id": lambda fields: fields.id("a"),
    "id or nothing": lambda fields: fields.id("a", ""),
    "short id": lambda fields: fields.id("a", length_max=3),
    "text": lambda fields: fields.text("a"),
    "text or nothing": lambda fields: fields.text("a", "", length_max=64),
    "flag": lambda fields: fields.flag("a", False),
    "decimal": lambda fields: fields.decimal("a"),
    "decimal or nothing": lambda fields: fields.decimal("a", None),
    "integer": lambda fields: fields.integer("a"),
    "integer or seven": lambda fields: fields.integer("a", 7),
    "unknown": lambda fields: fields.unknown(frozenset({"b"})),
}


class Text(str):
    """A text that no reader takes at once: each asks for the very type that the body's parser makes."""

    __slots__ = ()


class Figure(Number):
    """A number likewise."""

    __slots__ = ()


def long(value: Any) -> Any:
    if isinstance(value, Number):
        return Figure(value)
    return Text(value) if isinstance(value, str) else value


def said(read: Callable[[Fields], Any], value: Any) -> tuple[Any, ...]:
    """What it reads, in which type (an id is a plain text, whatever it was made of), or how it refuses."""
    try:
        found = read(Fields({"a": value}))
    except Refused as refused:
        return refused.reason, refused.message, refused.field, refused.flaw
    # `Text` comes back where the long way passes the parser's own object on, and `Decimal` has signs that `==` hides.
    return repr(found), "text" if isinstance(found, Text) else type(found).__name__.replace("str", "text")


def check(value: Any) -> None:
    for name, read in READERS.items():
        assert said(read, value) == said(read, long(value)), f"{name} of {value!r}"


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,60})(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
TEXTS = st.text() | st.text(st.sampled_from(" \t\x00\x1f\u00a0\u2003a0.-")) | NUMBERS
VALUES = st.none() | st.booleans() | TEXTS | NUMBERS.map(Number) | st.just([]) | st.just({"a": Number("1")})


@EXAMPLES
@given(value=VALUES)
def test_at_once_is_as_the_long_way(value: Any) -> None:
    """An amount, an id or a flag that the short way reads otherwise would be another bet."""
    check(value)


@pytest.mark.parametrize(
    "length", [0, 1, 2, 3, 4, 18, 19, 20, 38, 39, 40, 41, 42, 43, 63, 64, 65, 127, 128, 129, 1024, 1025]
)
def test_the_bounds_are_the_same(length: int) -> None:
    """One character more than a wallet takes must not get through because it is an ordinary one."""
    for value in ("a" * length, " " * length, "é" * length, Number("9" * length), Number("-" + "9" * length)):
        check(value)
    for value in (Number("0." + "0" * length + "1"), Number("1." + "0" * length), Number(f"1e{length}")):
        check(value)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def bodies() -> Iterator[dict[str, Any]]:
    for path in VECTORS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                try:
                    yield read_json(line.encode())
                except Refused:
                    continue


def test_every_value_of_every_vector() -> None:
    """What is in the pages' own examples is read in one way."""
    values = {repr(value): value for body in bodies() for value in leaves(body)}
    assert len(values) > 200
    for value in values.values():
        check(value)


@EXAMPLES
@given(name=st.sampled_from(["a", "b", "", "api_key", "c"]), value=VALUES)
def test_what_nobody_documented_is_kept_all_the_same(name: str, value: Any) -> None:
    """That all fields are documented is seen at once; one strange one is looked at as ever."""
    fields = Fields({"a": "x", name: value})
    wanted = fields.opaque(name) if name == "c" and isinstance(value, str | bool) else {}
    assert fields.unknown(frozenset({"a", "b"})) == {n: text for n, text in wanted.items() if len(text) <= 256}


FOR_PEOPLE = {
    '"Wild West"': "Wild West", "2048": "2048", "1.50": "1.50", "true": "true", "false": "", "null": "", "[]": "", "{}": "",
    '"  "': "", '"a\\u0000b"': "ab", '"Fruit \\ud83c"': "Fruit", '"Fruit \\ud83c\\udf52"': "Fruit 🍒",
    '{"a": [1]}': '{"a":[1]}', '"' + "x" * 300 + '"': "x" * 256,
}  # fmt: skip


@pytest.mark.parametrize("said", FOR_PEOPLE)
def test_what_is_for_people_is_never_refused(said: str) -> None:
    """A game whose name is a number, or was cut in the middle of an emoji, is a game all the same."""
    request = Request(method="POST", path="/", body=b'{"a": ' + said.encode() + b"}")
    assert Fields.of(request).words("a") == FOR_PEOPLE[said]


@pytest.mark.parametrize("reader", ["id", "text"])
@pytest.mark.parametrize("body", [b'{"a": "tx-\\ud83c"}', b'{"a": "tx-\\uDF52"}', b'{"a": "tx-\\u0000"}'])
def test_half_an_emoji_is_no_id(reader: str, body: bytes) -> None:
    """Two ids that differ in such a half would be one if it were replaced."""
    fields = Fields.of(Request(method="POST", path="/", body=body))
    with pytest.raises(Refused, match="a holds a zero byte, or half a surrogate pair"):
        READERS[reader](fields)


@pytest.mark.parametrize("said", ["null", "false", "[]", "{}"])
def test_php_says_nothing_in_four_ways(said: str) -> None:
    """Of an optional id or text; what moves money is asked for exactly."""
    fields = Fields(read_json(b'{"a": ' + said.encode() + b"}"))
    assert (fields.id("a", ""), fields.text("a", "")) == ("", "")
    with pytest.raises(Refused):
        fields.id("a")
    if said != "null":
        with pytest.raises(Refused):
            fields.decimal("a", None)


def asked(body: bytes) -> Request:
    return Request(method="POST", path="/", body=body)


@pytest.mark.parametrize("inner", ['{"b":1,"b":2}', '{"c":{"b":1,"b":2}}', '[{"b":1,"b":2}]', '{"c":"\\ud83c","c":1}'])
def test_a_key_that_stands_twice_in_what_is_passed_on(inner: str) -> None:
    """It is left out and stops nothing: *the details of a round had one key twice, and its win was refused.*"""
    fields = Fields.of(asked(f'{{"id":"w-1","amount":2.50,"details":{inner}}}'.encode()))
    assert (fields.id("id"), fields.decimal("amount")) == ("w-1", (Decimal("2.50"), True))
    assert (fields.opaque("details", "id"), fields.words("details")) == ({"id": "w-1"}, "")
    assert (fields.id_if_any("details"), fields.unknown(frozenset({"id"}))) == ("", {"amount": "2.50"})


LOOKS: dict[str, Callable[[Fields], object]] = {
    "a field": lambda fields: fields.object("a").id("b"),
    "one that may be missing": lambda fields: fields.object("a", None).id("c", ""),
    "whether it is there": lambda fields: "b" in fields.object("a"),
    "what is passed on": lambda fields: fields.object("a").opaque("b"),
    "what nobody documented": lambda fields: fields.object("a").unknown(frozenset()),
    "all of it": lambda fields: {**fields.raw["a"]},
    "its items": lambda fields: [*fields.raw["a"].items()],
    "a description": lambda fields: fields.object("a").words("c"),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("body", [b'{"a":{"b":1,"b":2}}', b'{"a":{"b":{"c":1},"b":{"c":2}}}', b'{"a":1,"a":{"b":1}}'])
def test_who_looks_where_a_key_stands_twice_refuses_the_body(look: str, body: bytes) -> None:
    """Nobody knows which one is meant, so nothing of either is believed, and none of them is taken for missing."""
    with pytest.raises(Refused) as refused:
        LOOKS[look](Fields.of(asked(body)))
    assert (refused.value.field, refused.value.flaw) == ("request_body", Flaw.UNPARSABLE)
