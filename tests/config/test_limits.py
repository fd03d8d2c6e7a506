"""Load limits: what is said, what is not said, and what is impossible."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.engine.setup import Breaker, Limits
from tests.config.helpers import GOOD, good, mistakes

NO_LIMITS = "repeats: safe\n"


def with_limits(text: str) -> str:
    return GOOD.replace(NO_LIMITS, f"{NO_LIMITS}    limits: {text}\n")


def test_the_defaults(tmp_path: Path) -> None:
    setup = good(tmp_path).setup
    assert setup.wallets["main"].limits == Limits(in_flight=1000, reserved=200, breaker=Breaker())
    assert setup.providers["acme"].limits == Limits(in_flight=2000, reserved=400)


def test_what_is_said_holds_and_the_rest_stays(tmp_path: Path) -> None:
    text = with_limits("{in_flight: 99, reserve: 0.35, breaker: {cool_off: 250ms}}")
    wanted = Limits(in_flight=99, reserved=34, breaker=Breaker(cool_off=timedelta(milliseconds=250)))
    assert good(tmp_path, text).setup.wallets["main"].limits == wanted
    assert good(tmp_path, with_limits("{in_flight: 10}")).setup.wallets["main"].limits.reserved == 2
    assert good(tmp_path, with_limits("{reserve: 0}")).setup.wallets["main"].limits.reserved == 0


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("{in_flight: 0}", "write 1 to 1000"),
        ("{in_flight: 1001}", "write 1 to 1000"),
        ("{reserve: 0.95}", "this is not a share: 0.95 (write 0 to 0.9: 0.2)"),
        ("{reserve: -0.1}", "this is not a share"),
        ("{reserve: 20%}", "this is not a share"),
        ("{breaker: {failures: 0}}", "write 1 to 100000"),
        ("{breaker: {cool_off: 5}}", "not a duration"),
        ("{breaker: 5}", "not a section"),
        ("{inflight: 5}", "unknown key 'inflight' (write in_flight)"),
    ],
)
def test_what_is_impossible(tmp_path: Path, said: str, wrong: str) -> None:
    found = mistakes(tmp_path, with_limits(said))
    assert len(found) == 1
    assert wrong in found[0]
