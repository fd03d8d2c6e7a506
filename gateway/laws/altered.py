"""Requests and answers with one field or parameter removed, doubled or of another type, and noise (law 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from gateway.codec.fields import Number, text_of

ODD: tuple[Any, ...] = (
    None, True, [], {}, [[]], {"a": None}, "", " ", "x", "\u0000", "NaN", "1e999", "9" * 40, "A" * 5000,
    Number("0"), Number("-1"), Number("1.5"), Number("1e400"), Number("-0.0"), Number("9" * 40),
)  # fmt: skip


def altered(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object with one field removed or of another kind, two levels deep."""
    for name, value in fields.items():
        yield {key: part for key, part in fields.items() if key != name}
        for odd in ODD:
            yield fields | {name: odd}
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            for changed in altered(inner):
                yield fields | {name: changed if inner is value else [changed, *value[1:]]}


def pairs_changed(text: str) -> Iterator[str]:
    """A query or a form with one of its parameters removed, changed, or there twice."""
    pairs = text.split("&") if text else []
    for at, pair in enumerate(pairs):
        name = pair.partition("=")[0]
        odd = ("", "%ff", "%00", "-1", "1e400", "A" * 5000)
        for changed in ((), (name,), (pair, pair), *((f"{name}={value}",) for value in odd)):
            yield "&".join([*pairs[:at], *changed, *pairs[at + 1 :]])


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3)
)
BYTES = st.binary(max_size=80)


def bodies(body: bytes) -> st.SearchStrategy[bytes]:
    """Noise, JSON that nobody meant, and the real body with a piece replaced or nested absurdly."""
    at = st.integers(0, len(body))
    spliced = st.tuples(at, at, BYTES).map(lambda cut: body[: min(cut[:2])] + cut[2] + body[max(cut[:2]) :])
    deep = st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"\xef\xbb\xbf{}", b'{"a":"\\ud800"}'])
    return spliced | BYTES | deep | JSON.map(lambda value: text_of(plain(value)).encode("utf-8", "surrogatepass"))


def plain(value: Any) -> Any:
    return value if isinstance(value, dict) else {"a": value}
