"""A key as it is behind a word in a header, and a token of the key in a session's place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.auth import InBody, InHeader, Key, Part, SharedKey
from gateway.http import Request
from gateway.model import Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SharedKey(Part("api_key"), "authorization", "Basic")
BOTH = SharedKey(
    Part("api_key"), "authorization", "Basic", stand_in=Part("late_token", needed=False), instead_of=InBody("token")
)
ONE = Key(id="one", parts={"api_key": "k-one", "late_token": "late-one"})
TWO = Key(id="two", parts={"api_key": "k-two", "late_token": "late-two"})
BARE = Key(id="bare", parts={"api_key": "k-bare"})


def asking(token: Any = "sess-1", header: str = "Basic k-one") -> Request:
    return Request(
        method="POST", path="/x", headers={"authorization": header}, body=json.dumps({"token": token}).encode()
    )


@pytest.mark.parametrize("header", ["Basic k-one", "basic k-one", "BASIC  k-one ", "k-one", " k-one"])
def test_the_word_may_be_missing_and_has_any_case(header: str) -> None:
    assert KEY.verify(asking(header=header), (TWO, ONE), None, NOW) == "one"


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ", "Bearer k-one", "Basic k-onE", "Basic k-one k-one", "k-on\xe9"]
)
def test_any_other_key_is_refused(header: str) -> None:
    with pytest.raises(Refused) as refused:
        KEY.verify(asking(header=header), (TWO, ONE), None, NOW)
    assert (refused.value.reason, refused.value.field) == (Reason.BAD_SIGNATURE, "api_key")


def test_what_is_sent_is_the_first_key_behind_the_word() -> None:
    signed = KEY.sign(Request(method="POST", path="/x"), (ONE, TWO), None, NOW)
    assert signed.header("authorization") == "Basic k-one"


def test_the_token_of_any_live_key_is_shown() -> None:
    assert [part.name for part in BOTH.parts(None)] == ["api_key", "late_token"]
    assert BOTH.shows_stand_in(asking("late-two"), (ONE, TWO))
    assert BOTH.verify(asking("late-two"), (ONE, TWO), None, NOW) == "one"  # it is no proof, and takes none away


@pytest.mark.parametrize("token", ["sess-1", "", None, 5, [], {"a": "late-one"}, "late-one ", "LATE-ONE"])
def test_nothing_else_is_taken_for_it(token: Any) -> None:
    assert not BOTH.shows_stand_in(asking(token), (ONE, TWO))


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"token'])
def test_a_body_that_holds_no_field_shows_none(body: bytes) -> None:
    assert not BOTH.shows_stand_in(Request(method="POST", path="/x", body=body), (ONE,))


def test_a_key_without_such_a_part_knows_none() -> None:
    assert [part.name for part in KEY.parts(None)] == ["api_key"]
    assert not KEY.shows_stand_in(asking("late-one"), (ONE,))
    assert not KEY.holds_stand_in((ONE,))
    assert KEY.sign(asking(""), (ONE,), None, NOW).body == asking("").body


def test_a_key_may_do_without_it() -> None:
    """A blank session is then nobody's secret, and nothing is put in its place."""
    assert not BOTH.shows_stand_in(asking(""), (BARE,))
    assert not BOTH.holds_stand_in((BARE,))
    assert json.loads(BOTH.sign(asking(""), (BARE,), None, NOW).body) == {"token": ""}


def test_it_is_put_where_there_is_no_session_and_nowhere_else() -> None:
    assert BOTH.holds_stand_in((BARE, TWO))
    assert json.loads(BOTH.sign(asking(""), (BARE, TWO), None, NOW).body) == {"token": "late-two"}
    assert json.loads(BOTH.sign(asking("sess-1"), (TWO,), None, NOW).body) == {"token": "sess-1"}


def test_the_secrets_are_not_explained() -> None:
    told = str(BOTH.explain(asking(), ONE, None))
    assert "k-one" not in told
    assert "late-one" not in told


# ---------------------------------------------------------------- in a header

STRICT = SharedKey(
    Part("api_key"), "authorization", "Bearer", bare=False, stand_in=Part("late_token", needed=False),
    instead_of=InHeader("x-token"),
)  # fmt: skip
CALL = Request(method="GET", path="/x", headers={"authorization": "bearer k-one"})


def test_the_word_may_not_be_missing_where_the_page_wants_it() -> None:
    assert STRICT.verify(CALL, (ONE,), None, NOW) == "one"
    for header in ("k-one", "Basic k-one", "Bearer"):
        with pytest.raises(Refused):
            STRICT.verify(CALL.put(("authorization", header)), (ONE,), None, NOW)


def test_a_header_shows_and_holds_it() -> None:
    assert STRICT.shows_stand_in(CALL.put(("x-token", "late-two")), (ONE, TWO))
    assert not STRICT.shows_stand_in(CALL, (ONE, TWO))
    assert STRICT.sign(CALL, (ONE,), None, NOW).header("x-token") == "late-one"
    assert STRICT.sign(CALL.put(("x-token", "sess")), (ONE,), None, NOW).header("x-token") == "sess"
    assert (
        "stands in",
        "header x-token, where a call has no session: the key's late_token as it is",
    ) in STRICT.explain(CALL, ONE, None)


def test_it_stands_in_for_a_session_that_was_not_taken_once() -> None:
    late = STRICT.stood_in(CALL.put(("x-token", "sess")), (BARE, ONE))
    assert late is not None
    assert late.header("x-token") == "late-one"
    assert STRICT.stood_in(late, (BARE, ONE)) is None
    assert STRICT.stood_in(CALL, (BARE,)) is None
    body = BOTH.stood_in(asking("sess"), (ONE,))
    assert body is not None
    assert json.loads(body.body) == {"token": "late-one"}
