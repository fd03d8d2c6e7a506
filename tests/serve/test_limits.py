"""Load limits and circuit breakers, with a clock of our own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Breaker, Limits, Wallet
from gateway.engine.world import Leave, Silence
from gateway.serve.config.declaration import REQUESTS_MAX
from gateway.serve.limits import LoadGate
from gateway.serve.metrics import Metrics
from gateway.serve.pool import CONNECTIONS_MAX

from .helpers import provider, wallet

COOL_OFF, FAILURES = 5.0, 3
BREAKER = Breaker(failures=FAILURES, cool_off=timedelta(seconds=COOL_OFF))


class Place:
    def __init__(self, **limits: int) -> None:
        self.now = 100.0
        self.overloads: list[tuple[str, str]] = []
        self.turns: list[tuple[str, bool]] = []
        self.wallet: Wallet = replace(wallet("http://w"), limits=Limits(**limits, breaker=BREAKER))
        self.provider = replace(provider(), limits=Limits(in_flight=10, reserved=2))
        self.gate = LoadGate(
            lambda: self.now, lambda *who: self.overloads.append(who), lambda *turn: self.turns.append(turn)
        )  # fmt: skip

    def enter(self, *, owed: bool = False) -> Leave:
        return self.gate.wallet(self.provider, self.wallet, owed=owed)

    def refused(self, *, owed: bool = False) -> bool:
        try:
            self.enter(owed=owed)("broken")
        except Silence as silence:
            return silence.hopeless and not silence.left
        return False

    def fail(self, times: int = FAILURES, result: str = "unreachable") -> None:
        for _ in range(times):
            self.enter()(result)

    @property
    def open(self) -> bool:
        return self.gate.is_open("main")


# ---------------------------------------------------------------- the breaker


@pytest.mark.parametrize("result", ["unreachable", "timeout", "broken"])
def test_so_many_failures_in_a_row_open_it(result: str) -> None:
    place = Place()
    place.fail(FAILURES - 1, result)
    place.enter()("answered")
    place.fail(FAILURES - 1, result)
    assert not place.open
    place.fail(1, result)
    assert (place.open, place.refused(), place.turns) == (True, True, [("main", True)])
    assert not place.overloads, "that is no overload"


@pytest.mark.parametrize("result", ["answered", "refused"])
def test_a_no_is_an_answer(result: str) -> None:
    place = Place()
    place.fail(100, result)
    assert not place.open


def test_failures_far_apart_are_no_row() -> None:
    place = Place()
    for _ in range(10):
        place.fail(1)
        place.now += 61
    assert not place.open


def test_one_at_a_time_tries_whether_it_is_back() -> None:
    place = Place()
    place.fail()
    place.now += COOL_OFF
    probe = place.enter()
    assert place.refused()
    probe("unreachable")
    assert place.refused(), "another cool-off"
    place.now += COOL_OFF
    probe = place.enter()
    assert place.open
    probe("answered")
    assert not place.open
    assert place.turns == [("main", True), ("main", False)]
    assert not place.refused()
    place.fail(FAILURES - 2)
    assert not place.open, "the row begins anew"


def test_a_probe_that_hangs_makes_way_for_the_next() -> None:
    place = Place()
    place.fail()
    place.now += COOL_OFF
    place.enter()
    place.now += place.wallet.answer_within.total_seconds()
    assert place.refused()
    place.now += COOL_OFF
    assert not place.refused()


def test_a_wallet_that_hangs_is_known_before_its_calls_are_given_up() -> None:
    place = Place()
    leaves = [place.enter() for _ in range(FAILURES)]
    place.now += 2.4
    place.enter()("answered")
    place.now += 0.2
    for leave in leaves:  # they began before it answered
        leave("timeout")
    assert not place.open
    leaves = [place.enter() for _ in range(FAILURES)]
    place.now += 2.6
    assert place.refused()
    place.now += COOL_OFF
    place.enter()("answered")
    for leave in leaves:
        leave("timeout")  # each counts once only
    assert not place.open


def test_what_is_owed_goes_on_slowly_and_closes_it() -> None:
    place = Place()
    place.fail()
    assert not place.refused(owed=True)
    assert place.refused(owed=True)
    place.now += 0.11
    last = place.enter(owed=True)
    assert place.refused()
    last("answered")
    assert not place.open


def test_what_is_owed_and_fails_does_not_keep_new_bets_out() -> None:
    """A credit that breaks the wallet every time must not be all that is tried."""
    place = Place()
    place.fail()
    for _ in range(50):
        place.now += 0.11
        place.refused(owed=True)
    assert not place.refused(), "the probe's turn"


def test_a_wallet_that_is_elsewhere_now_begins_anew() -> None:
    place = Place()
    place.fail()
    assert place.refused()
    place.wallet = replace(place.wallet, url="http://elsewhere")
    assert not place.refused()


# ---------------------------------------------------------------- how much at once


def test_a_wallet_takes_so_much_at_once_and_a_reserve_is_kept_for_what_is_owed() -> None:
    place = Place(in_flight=5, reserved=2)
    leaves = [place.enter() for _ in range(3)]
    assert place.refused()
    assert place.overloads == [("acme", "main")]
    leaves += [place.enter(owed=True) for _ in range(2)]
    assert place.refused(owed=True)
    leaves[0]("answered")
    assert place.refused()
    assert not place.refused(owed=True)


def test_late_calls_are_still_under_way() -> None:
    place = Place(in_flight=4, reserved=0)
    place.wallet = replace(place.wallet, limits=replace(place.wallet.limits, breaker=Breaker(failures=100)))
    leaves = [place.enter() for _ in range(4)]
    place.now += 10
    assert place.refused()
    leaves[0]("timeout")
    assert not place.refused()


def test_both_are_seen_in_the_metrics() -> None:
    metrics = Metrics()
    metrics.wallets, metrics.breaker_open = ("main", "other"), lambda name: name == "main"
    metrics.overload("acme", "main")
    text = metrics.expose("")[0].decode()
    assert 'gateway_breaker_open{wallet="main"} 1.0' in text
    assert 'gateway_breaker_open{wallet="other"} 0.0' in text
    assert 'gateway_overload_total{provider="acme",wallet="main"} 1.0' in text


def test_the_client_has_a_connection_for_every_request_that_may_be_under_way() -> None:
    assert REQUESTS_MAX == CONNECTIONS_MAX
    assert Limits().in_flight == REQUESTS_MAX
