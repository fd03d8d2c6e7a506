"""Coverage is not measured where whole histories are played: what they walk, the engine's own tests walk, too."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import coverage
import pytest
from hypothesis import HealthCheck, settings

# How long an example lasts is the machine's: the first text of all builds Unicode's tables.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

UNMEASURED = tuple(Path(__file__).parent / name for name in ("explore", "simulation"))
"""Measured, their histories last 2.3 times as long; without them the suite is some five minutes shorter on two cores."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test of these folders runs with coverage stopped, if it was under way at all."""
    measuring = coverage.Coverage.current()
    if measuring is None or not any(item.path.is_relative_to(folder) for folder in UNMEASURED):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()
