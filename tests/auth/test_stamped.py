"""Proofs with a time stamp and a holder's name, and what of a body is signed where a sender writes it anew."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.auth import InHeader, Key, Part, Stamp, Stamped, hmac_of, spaced_body
from gateway.auth.covers import compacted
from gateway.auth.steps import steps_of
from gateway.http import Request
from gateway.model import Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
OLD, NEW = (Key(id=name, parts={"who": "acme", "secret": f"s-{name}"}) for name in ("old", "new"))
OTHER = Key(id="other", parts={"who": "else", "secret": "s-other"})


def covers(request: Request, settings: Any) -> Iterable[bytes]:
    stamp = request.header("x-when")
    yield stamp.encode() + request.target.encode() + request.body
    yield stamp.encode() + request.body


AUTH = Stamped(
    stamp=Stamp(who=Part("who", secret=False, demo="acme"), sender="x-who", moment="x-when"), covers=covers,
    digest=hmac_of("sha256"), carried=InHeader("x-proof", folded=True), demo="s",
)  # fmt: skip


def signed(secret: str, message: bytes, who: str = "acme", when: str = STAMP) -> Request:
    proof = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    headers = {"x-who": who, "x-when": when, "x-proof": proof}
    return Request(method="POST", path="/a", target="/p/a", headers=headers, body=b"{}")


def why(request: Request, *keys: Key, now: datetime = NOW) -> str:
    with pytest.raises(Refused) as refused:
        AUTH.verify(request, keys or (OLD, NEW, OTHER), None, now)
    assert refused.value.reason is Reason.BAD_SIGNATURE
    return refused.value.message


def test_any_key_of_its_holder_and_any_candidate_verify() -> None:
    for key in (OLD, NEW):
        for message in (f"{STAMP}/p/a{{}}", f"{STAMP}{{}}"):
            request = signed(key.part("secret"), message.encode())
            assert AUTH.verify(request, (OLD, NEW, OTHER), None, NOW) == key.id
            shouted = request.put(("x-proof", request.header("x-proof").upper()))
            assert AUTH.verify(shouted, (OLD, NEW, OTHER), None, NOW) == key.id


def test_the_secret_of_another_holder_proves_nothing() -> None:
    message = f"{STAMP}/p/a{{}}".encode()
    assert "does not verify" in why(signed("s-other", message))
    assert AUTH.verify(signed("s-other", message, "else"), (OLD, NEW, OTHER), None, NOW) == "other"
    assert "nobody's" in why(signed("s-old", message, "stranger"))
    assert "nobody's" in why(signed("s-old", message, ""))


@pytest.mark.parametrize("when", ["", "x", "-1", "1e9", "1767225600.0", "٣", "9" * 13, "1767225600 "])
def test_a_stamp_is_digits(when: str) -> None:
    assert "no Unix time" in why(signed("s-old", f"{when}/p/a{{}}".encode(), when=when))


def test_the_window_is_as_wide_on_both_sides() -> None:
    request = signed("s-old", f"{STAMP}/p/a{{}}".encode())
    for seconds in (-300, 300):
        assert AUTH.verify(request, (OLD,), None, NOW + timedelta(seconds=seconds)) == "old"
    for seconds in (-301, 301):
        assert "300 s away" in why(request, now=NOW + timedelta(seconds=seconds))


def test_the_stamp_the_target_and_the_body_are_covered() -> None:
    request = signed("s-old", f"{STAMP}/p/a{{}}".encode())
    for other in (replace(request, target="/q/a"), replace(request, body=b"[]"), request.put(("x-when", "1767225601"))):
        assert "does not verify" in why(other)
    assert "missing" in why(request.put(("x-proof", "")))


def test_what_we_sign_we_verify_and_explain() -> None:
    request = AUTH.sign(Request(method="POST", path="/a", target="/p/a", body=b"{}"), (NEW, OLD), None, NOW)
    assert AUTH.verify(request, (OLD, NEW), None, NOW) == "new"
    steps = dict(AUTH.explain(request, NEW, None))
    assert steps["message 1"] == f"{STAMP}/p/a{{}}"
    assert steps["signature 1"] == request.header("x-proof")


# ---------------------------------------------------------------- compact JSON

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
)


@given(JSON, st.sampled_from([None, 0, 1, "\t", "\r\n "]))
def test_blanks_outside_of_texts_are_left_out(value: object, indent: Any) -> None:
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    spaced = json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "surrogatepass")
    assert compacted(spaced) == compact
    assert compacted(compact) == compact


@pytest.mark.parametrize(
    ("body", "compact"),
    [
        (b'{ "a" : "b  c" , "d" : 1.50 }', b'{"a":"b  c","d":1.50}'), (rb'{"a": "\" \\" , "b" : 1}', rb'{"a":"\" \\","b":1}'),
        (b'{ "a : 1 ', b'{"a : 1 '), (b'" \\', b'" \\'), (b"", b""), (b" \n", b""),
    ],
)  # fmt: skip
def test_what_a_text_is(body: bytes, compact: bytes) -> None:
    assert compacted(body) == compact


def test_a_body_of_quotes_is_read_once() -> None:
    """Before anything is verified: a stranger's 64 KiB must not cost seconds."""
    for body in (b'\\"' * 32768, b'"' * 65535, b'"\\' * 32768, b"\\" * 65536):
        assert len(compacted(body)) == len(body)


def test_a_body_is_signed_as_it_stands_else_without_its_blanks() -> None:
    """What stands before it is signed as it stands in both, and told as a part of its own."""
    spaced = Request(method="POST", path="/a", headers={"x-when": "7"}, body=b'{"a": "b  c"}')
    plain = replace(spaced, body=b'{"a":"b  c"}')
    alone = spaced_body()
    headed = spaced_body(lambda request, settings: [("when", request.header("x-when"))], selected="both")
    assert [*alone(spaced, None)] == [spaced.body, plain.body]
    assert [*headed(spaced, None)] == [b"7" + spaced.body, b"7" + plain.body]
    assert [*alone(plain, None)] == [plain.body]
    assert steps_of(alone, spaced).fields is None
    composed = steps_of(headed, spaced).fields
    assert composed is not None
    assert composed.written(spaced, None) == b"7" + spaced.body
