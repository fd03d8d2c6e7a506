"""Coverage is not measured where whole histories are played: what they walk, the engine's own tests walk, too."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from itertools import islice

import coverage
import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("gateway.laws.contract")

# How long an example lasts is the machine's: the first text of all builds Unicode's tables.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

UNMEASURED = re.compile(
    r"(explore|simulation)/|engine/test_(pairs|history_\w+)\.py|adapters/test_laws\.py::(?!test_law_1_)"
    r"|end_to_end/test_(nodes|kill|dead_wallet|overload|bad_wallets|secrets)\.py|journal/test_(lost|interleavings)\.py"
)
"""Measured, their histories last 2.3 times as long, the laws try thousands of bytes on the lines that law 1 walks, and the
processes of the others only wait for their start. Without them the suite is some ten minutes shorter on two cores."""


WAITING = re.compile(
    r"(end_to_end|chaos|play)/|journal/test_(lost|retention|interleavings)|serve/test_process|cli/test_laws|bench/"
)
"""What waits for processes more than it works."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One of two workers begins with what waits, the other with the explorer and the simulation: where both waited at once a
    third of the machine was idle, and where neither did, what is timed was late."""
    waiting = [item for item in items if WAITING.search(item.nodeid)]
    walking = [item for item in items if "explore/" in item.nodeid or "simulation/test_simulation" in item.nodeid]
    special = {*waiting, *walking}
    rest = iter([item for item in items if item not in special])
    first = len(items) // 8  # what xdist gives each of two to begin with
    items[:] = [*waiting, *islice(rest, max(first - len(waiting), 0)), *walking, *rest]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Such a test, and whatever processes it starts, run with coverage stopped, if it was under way at all."""
    measuring = coverage.Coverage.current()
    if measuring is None or not UNMEASURED.search(item.nodeid):
        return (yield)
    inherited = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("COV")}  # by its processes
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()
        os.environ.update(inherited)
