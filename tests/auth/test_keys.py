"""HMAC under keys that were hashed beforehand, and how long what is kept of a key lives."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.auth import Key, hmac_of
from gateway.auth.mac import Mac

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)
ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@EXAMPLES
@given(secret=st.binary(max_size=300), message=st.binary(max_size=600))
def test_it_is_hmac(algorithm: str, secret: bytes, message: bytes) -> None:
    """Else no provider's signature would hold, or a wrong one would."""
    assert Mac(secret, algorithm).digest(message) == hmac.digest(secret, message, algorithm)


@EXAMPLES
@given(messages=st.lists(st.binary(max_size=200), max_size=5))
def test_one_message_leaves_nothing_for_the_next(messages: list[bytes]) -> None:
    """What is kept of a key must not learn from a call: the next one's signature would be another."""
    mac = Mac(b"secret", "sha512")
    for message in messages:
        assert mac.digest(message) == hmac.digest(b"secret", message, "sha512")


def test_a_key_that_was_replaced_signs_with_its_own_secret() -> None:
    """A rotated secret holds from the reload on, though the old one's state was kept under the same id."""
    digest, old = hmac_of("sha512"), Key(id="k1", parts={"secret": "old"})
    assert digest(old, b"x") == hmac.digest(b"old", b"x", "sha512")
    new = replace(old, parts={"secret": "new"})
    assert digest(new, b"x") == hmac.digest(b"new", b"x", "sha512")


def test_two_uses_of_one_key_do_not_meet() -> None:
    """Two parts of one key, or two algorithms under one part, are two signatures."""
    key = Key(id="k1", parts={"secret": "a", "api": "b"})
    for algorithm, part in (("sha256", "secret"), ("sha512", "secret"), ("sha256", "api")):
        assert hmac_of(algorithm, part)(key, b"x") == hmac.digest(key.part(part).encode(), b"x", algorithm)


def test_what_is_kept_of_a_key_is_never_shown() -> None:
    """A key that has signed is as silent in a log, and equal to itself before."""
    key, same = (Key(id="k1", parts={"secret": "s3cret"}) for _ in range(2))
    hmac_of("sha512")(key, b"x")
    assert repr(key) == "Key('k1')"
    assert key == same
