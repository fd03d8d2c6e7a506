"""A signature over a form and three headers: who sends, when, and a word that is used once."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth import InHeader, Key, Part, Stamp, Stamped, hmac_of, sorted_form
from gateway.auth.scheme import Proved
from gateway.auth.stamped import Seen
from gateway.http import Request
from gateway.model import Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = Stamp(who=Part("house", secret=False, demo="h-1"), sender="X-House", moment="X-Time", nonce="X-Once")


def auth(late: bool = False) -> Stamped:
    return Stamped(
        stamp=STAMP, covers=sorted_form(headers=STAMP.names), digest=hmac_of("sha256"), carried=InHeader("x-proof"),
        demo="s", late=lambda request: late,
    )  # fmt: skip


def key(id: str, house: str = "h-1", secret: str = "") -> Key:
    return Key(id=id, parts={"house": house, "secret": secret or f"secret-of-{id}"})


OLD, NEW, OTHER = key("old"), key("new"), key("other", "h-2")


def signed(body: bytes, by: Key = NEW, at: datetime = NOW) -> Request:
    return auth().sign(Request(method="POST", path="/", body=body), [by], None, at)


def why(request: Request, keys: list[Key], *, late: bool = False) -> Refused:
    with pytest.raises(Refused) as refused:
        auth(late).verify(request, keys, None, NOW)
    return refused.value


def message(request: Request) -> str:
    return dict(auth().explain(request, NEW, None))["message 1"]


def test_what_is_signed_is_sorted_by_name_with_the_headers_among_the_fields() -> None:
    request = signed(b"b=2&a=%7E+%2F&Z=1")
    stamp = f"X-House=h-1&X-Once={request.header('x-once')}&X-Time=1767225600"
    assert message(request) == f"{stamp}&Z=1&a=%7E+%2F&b=2"
    proof = hmac.digest(b"secret-of-new", message(request).encode(), "sha256").hex()
    assert request.header("x-proof") == proof


def test_any_live_key_of_this_sender_verifies() -> None:
    for each in (OLD, NEW):
        assert auth().verify(signed(b"a=1", each), [OLD, NEW, OTHER], None, NOW) == each.id


def test_a_key_verifies_under_its_own_name_only() -> None:
    """Who knows one merchant's secret does not speak for another one."""
    stolen = Key(id="x", parts={"house": "h-2", "secret": NEW.part("secret")})
    assert why(signed(b"a=1", stolen), [NEW, OTHER]).reason is Reason.BAD_SIGNATURE
    assert why(signed(b"a=1", key("x", "h-3")), [NEW, OTHER]).field == "house"
    assert why(signed(b"a=1"), []).field == "house"


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
def test_a_moment_far_away_is_refused_but_of_a_repeat(seconds: int) -> None:
    request = signed(b"a=1", at=NOW + timedelta(seconds=seconds))
    assert "away" in why(request, [NEW]).message
    assert auth(late=True).verify(request, [NEW], None, NOW) == "new"


@pytest.mark.parametrize("moment", ["", "x", "1767225600.0", "-1", "１７６７２２５６００", "1" * 13])
def test_a_moment_is_whole_seconds(moment: str) -> None:
    request = auth().sign(signed(b"a=1").put(("x-time", moment or " ")), [NEW], None, NOW)
    assert why(request, [NEW], late=True).reason is Reason.BAD_SIGNATURE


def test_a_sample_is_explained_by_its_own_stamp() -> None:
    sample = Request(method="POST", path="/", body=b"a=1").put(("x-time", "1760000000"), ("x-once", "n-1"))
    again = auth().sign(sample, [NEW], None, NOW)
    assert (again.header("x-time"), again.header("x-once")) == ("1760000000", "n-1")


def test_a_form_that_cannot_be_covered() -> None:
    for body in (b"a=1&a=2", b"a=1&%61=2", b"X-Time=1"):
        assert why(replaced(body), [NEW]).reason is Reason.BAD_SIGNATURE
    assert why(replaced(b"%ff=a"), [NEW]).reason is Reason.INVALID_REQUEST


def test_a_value_that_was_cut_within_a_letter_is_signed_as_it_stands() -> None:
    request = signed(b"a=caf%C3&b=%ff~")
    assert message(request).endswith("&a=caf%C3&b=%FF%7E")
    assert auth().verify(request, [NEW], None, NOW) == "new"


def replaced(body: bytes) -> Request:
    """A form that we would not sign, with the proof of another one."""
    proven = signed(b"a=1")
    return Request(method="POST", path="/", headers=proven.headers, body=body)


def test_elements_stand_in_the_order_of_their_indices() -> None:
    body = "&".join(f"l%5B{n}%5D%5Bx%5D={n}" for n in (0, 1, 10, 2)) + "&k=1&l%5Bz%5D=9"
    ordered = message(signed("&".join(f"l[{n}][x]={n}" for n in (10, 2, 0, 1)).encode()))
    assert [part[-1] for part in ordered.split("&")[3:]] == ["0", "1", "2", "0"]
    assert message(signed(body.encode())).endswith("&k=1&" + body.replace("&k=1", ""))  # no list: as it came


TEXTS = st.text(max_size=8)


@given(st.dictionaries(TEXTS, TEXTS, max_size=6))
def test_what_we_sign_we_verify(fields: dict[str, str]) -> None:
    body = urlencode(fields).encode()
    assert auth().verify(signed(body), [OLD, NEW], None, NOW) == "new"


@given(st.dictionaries(TEXTS, TEXTS, max_size=4), st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_other_fields_are_another_message(one: dict[str, str], other: dict[str, str]) -> None:
    texts = [messages(urlencode(fields).encode()) for fields in (one, other)]
    assert one == other or not texts[0] & texts[1]


def messages(body: bytes) -> set[str]:
    """Every spelling that is believed, under one stamp."""
    request = signed(body).put(("x-once", "n"), ("x-time", "1"))
    return {text for title, text in auth().explain(request, NEW, None) if title.startswith("message")}


@pytest.mark.parametrize(
    ("blank", "tilde", "star", "spelling"), [("+", "%7E", "%2A", 1), ("%20", "~", "*", 2), ("%20", "~", "%2A", 3)]
)
def test_it_says_which_spelling_was_signed(blank: str, tilde: str, star: str, spelling: int) -> None:
    request = signed(b"a=+%7E%2A")
    text = message(request).replace("+", blank).replace("%7E", tilde).replace("%2A", star)
    proof = hmac.digest(b"secret-of-new", text.encode(), hashlib.sha256).hex()
    found = auth().verify(request.put(("x-proof", proof)), [NEW], None, NOW)
    assert found == "new"
    assert (found.spelling if isinstance(found, Proved) else 1) == spelling


# ---------------------------------------------------------------- what is used once


def used(seen: Seen, word: str, body: bytes, *, at: float = 0, sender: str = "a") -> bool:
    """Whether it was used for another body."""
    try:
        seen.check(sender, word, body, NOW + timedelta(seconds=at))
    except Refused as refused:
        return refused.reason is Reason.BAD_SIGNATURE
    return False


def test_a_word_with_another_body_is_refused_and_with_the_same_one_a_repeat() -> None:
    seen = Seen()
    assert not used(seen, "n-1", b"one")
    assert not used(seen, "n-1", b"one", at=1)
    assert used(seen, "n-1", b"two", at=2)
    assert not used(seen, "n-1", b"one", at=3)
    assert not used(seen, "n-2", b"two")
    assert not used(seen, "n-1", b"two", sender="b")


def test_a_word_is_forgotten_when_its_time_is_over() -> None:
    seen = Seen(timedelta(minutes=10))
    assert not used(seen, "n-1", b"one")
    assert used(seen, "n-1", b"two", at=599)
    assert not used(seen, "n-1", b"two", at=600)


def test_the_oldest_are_forgotten_where_there_are_too_many() -> None:
    seen = Seen()
    seen.MOST = 3  # type: ignore[misc]  # of this one only
    for n in range(5):
        assert not used(seen, f"n-{n}", b"one")
    assert used(seen, "n-4", b"two")
    assert not used(seen, "n-0", b"two")


def test_what_a_nonce_stands_for_is_the_body_or_what_a_repeat_leaves_of_it() -> None:
    request = signed(b"a=1&n=2")
    assert auth().once(request, None) == (f"h-1\x1f{request.header('x-once')}", b"a=1&n=2")
    short = Stamped(
        stamp=STAMP, covers=sorted_form(headers=STAMP.names), digest=hmac_of("sha256"), carried=InHeader("x-proof"),
        demo="s", content=lambda request: request.body.partition(b"&")[0],
    )  # fmt: skip
    assert short.once(request, None)[1] == b"a=1"


def test_a_nonce_is_its_senders_own() -> None:
    """*Two houses of one provider counted from one, and the win of the second was refused as a forgery.*"""
    seen, request = Seen(), signed(b"a=1").put(("x-once", "1"))
    for house, body in (("h-1", b"one"), ("h-2", b"two")):
        word, _ = auth().once(request.put(("x-house", house)), None)
        assert not used(seen, word, body)
