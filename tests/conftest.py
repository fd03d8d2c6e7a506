"""Coverage is not measured where whole histories are played: what they walk, the engine's own tests walk, too."""

from __future__ import annotations

import re
from collections.abc import Generator

import coverage
import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("gateway.laws.contract")

# How long an example lasts is the machine's: the first text of all builds Unicode's tables.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

UNMEASURED = re.compile(
    r"(explore|simulation)/|engine/test_(pairs|history_\w+)\.py|adapters/test_laws\.py::(?!test_law_1_)"
)
"""Measured, their histories last 2.3 times as long, and the laws try thousands of bytes on the lines that law 1 walks, too.
Without them the suite is some ten minutes shorter on two cores."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Such a test runs with coverage stopped, if it was under way at all."""
    measuring = coverage.Coverage.current()
    if measuring is None or not UNMEASURED.search(item.nodeid):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()
