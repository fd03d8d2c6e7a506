"""What a body costs whose sender proved nothing: less than a bet that is accepted, whatever it holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bench import bets
from gateway.auth.bounds import IN_TEXTS
from tests.inside import KEEP_BODY, Inside, Said, inside, said

ROUNDS = 7
ESCAPE = r"\u0041"
MOST = 100  # adapters/scorpio_play: values_max

SHAPES: dict[str, Callable[[int], str]] = {
    "numbers": lambda size: ",".join(f'"k{number:05}":{number}' for number in range(size // 14)),
    "as many numbers as there may be": lambda size: ",".join(f'"k{number:05}":{"7" * 700}.50' for number in range(MOST - 20)),
    "as many as are looked at": lambda size: ",".join(f'"k{number:05}":{number}' for number in range(MOST + IN_TEXTS - 20)),
    "a list": lambda size: f'"d":[{"1," * (size // 2 - 10)}1]',
    "one field again and again": lambda size: ",".join('"a":1' for _ in range(size // 6 - 1)),
    "nested": lambda size: f'"d":{"[" * (size // 2 - 10)}{"]" * (size // 2 - 10)}',
    "a text": lambda size: f'"d":"{"a" * (size - 10)}"',
    "a text of escapes": lambda size: f'"d":"{ESCAPE * (size // 6 - 10)}"',
    "a text of commas": lambda size: f'"d":"{"," * (size - 10)}"',
    "one number": lambda size: f'"d":{"9" * (size - 10)}',
    "no end": lambda size: f'"d":"{"a" * (size - 10)}',
}  # fmt: skip


def forged(shape: Callable[[int], str]) -> Said:
    """A bet with as much beside it as there may be, and the signature of another one."""
    asked, text = said(bets.bet(1))
    head = text.rstrip()[:-1] + b","
    body = head + shape(KEEP_BODY - len(head) - 100).encode() + b"}"
    assert len(body) <= KEEP_BODY
    return replace(asked, headers={**asked.headers, "content-length": str(len(body))}), body


@pytest.fixture(scope="module")
def gateway() -> Iterator[Inside]:
    with inside(None) as running:
        for number in range(20):
            running.call(bets.bet(number))
        yield running


@pytest.mark.parametrize("shape", SHAPES)
def test_a_forged_body_costs_less_than_a_bet_that_is_accepted(gateway: Inside, shape: str) -> None:
    """*Sixteen forgers with 64 KiB of numbers each left eight honest callers three bets a second.* The least of several
    times, taken in turn: what a busy machine adds to some of them is in neither."""
    bet, forgery = [], []
    for _ in range(ROUNDS):
        number = next(NUMBERS)
        bet.append(cpu(gateway, said(bets.bet(number)), b'"OK"'))
        forgery.append(cpu(gateway, forged(SHAPES[shape]), b'"ERR_'))
    assert min(forgery) < min(bet)


NUMBERS = iter(range(1000, 2000))


def cpu(gateway: Inside, call: Said, word: bytes) -> float:
    begun = time.process_time()
    answer = gateway.loop.run_until_complete(gateway.answer(call))
    taken = time.process_time() - begun
    assert word in answer, answer
    return taken


def test_it_is_refused_in_words_of_its_dialect_and_counted(gateway: Inside) -> None:
    """Its operator sees that somebody tries, and a provider that really sends so much hears that it was not read."""
    answer: dict[str, Any] = msgspec.json.decode(
        gateway.loop.run_until_complete(gateway.answer(forged(SHAPES["numbers"])))
    )
    assert answer["statusCode"] == "ERR_UNKNOWN"
    text = gateway.metrics.expose("")[0].decode()
    assert 'outcome="refused",provider="scorpio",reason="invalid_request"' in text
