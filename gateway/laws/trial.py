"""A run of the laws on one dialect, in this process, and what came of it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import Struct, field

CONTRACT = Path(__file__).with_name("contract.py")  # not imported before pytest does: it explains failed assertions
_ASSERTED = re.compile(r"\n\s*assert .*", re.DOTALL)


class Failed(Struct, frozen=True):
    """A law that does not hold; `vector` is blank where it is about the dialect as a whole."""

    law: str
    vector: str
    message: str


class Verdict(Struct):
    """What came of the laws that were tried, and the names of all there are."""

    held: int = 0
    failed: list[Failed] = field(default_factory=list)
    laws: list[str] = field(default_factory=list)


class Trial:
    """The plugin that chooses what is tried, and listens."""

    def __init__(self, name: str, only: str) -> None:
        self._name, self._only = name, _plain(only)
        self.verdict = Verdict()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        laws = {item.nodeid: _law(item.nodeid) for item in items}
        self.verdict.laws = list(dict.fromkeys(laws.values()))
        items[:] = [item for item in items if re.search(rf"\b{re.escape(self._only)}\b", laws[item.nodeid])]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.verdict.failed.append(Failed(_law(report.nodeid), self._vector(report.nodeid), _message(report)))
        elif report.when == "call":
            self.verdict.held += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.verdict.failed.append(Failed("the laws can be read", "", report.longreprtext))

    def _vector(self, nodeid: str) -> str:
        """Of `…::test_law_7[kyren-bet_accepted]`, where several dialects may play a part."""
        subject = nodeid.partition("[")[2].removesuffix("]")
        return subject.removeprefix(self._name).removeprefix("-")


def tried(name: str, only: str = "", junit: Path | None = None, inputs: int | None = None) -> Verdict:
    """The laws on the dialect of that name (`subjects.given`), those alone whose name holds `only`, with so many broken `inputs`."""
    trial = Trial(name, only)
    report = [*([f"--junitxml={junit}"] if junit else []), *([f"--inputs={inputs}"] if inputs else [])]
    # Of a pyproject.toml that stands above nothing is read: the laws are the same wherever they are tried.
    pytest.main([str(CONTRACT), f"--dialect={name}", f"--config-file={os.devnull}", *QUIET, *report], [trial])
    return trial.verdict


QUIET: Sequence[str] = (
    "-p", "gateway.laws.plugin", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist", f"--rootdir={CONTRACT.parent}",
)  # fmt: skip


def _law(nodeid: str) -> str:
    """`law 7 a cut reply is doubt`."""
    return _plain(nodeid.partition("::")[2].partition("[")[0].removeprefix("test_"))


def _plain(text: str) -> str:
    return text.replace("_", " ").strip().lower()


def _message(report: pytest.TestReport) -> str:
    """What a law says of its failure, without the expression that was tried."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return report.longreprtext
    said = str(crash.message).removeprefix("AssertionError: ")
    return _ASSERTED.sub("", said) if "\n" in said else said
