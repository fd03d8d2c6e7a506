"""`gateway new-dialect` and `gateway laws`: a dialect outside of the tree, from its beginning to its proof."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT

MODEL = "scorpio_play"
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # else twice as long
SAYS_CASH_ONLY, SAYS_ANY = "Debit(tracking_only=False, free_round=False)", "Debit(tracking_only=False)"


def gateway(*arguments: object, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as pytest runs the laws in one."""
    env = {**UNMEASURED, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, path)))}
    command = [sys.executable, "-m", "gateway", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=120)


def begun(folder: Path) -> Path:
    made = gateway("new-dialect", "tinyplay", "--like", MODEL, "--package", folder)
    assert made.returncode == 0, made.stderr
    return folder / "tinyplay"


def answered(dialect: Path) -> None:
    """Each question and each source, as their author would."""
    for path in [dialect / "NOTES.md", *(dialect / "vectors").glob("*.txt")]:
        text = path.read_text(encoding="utf-8").replace("- [ ] ", "- ")
        path.write_text(re.sub(rf"^source: as {MODEL}: ", "source: ", text, flags=re.MULTILINE), encoding="utf-8")


def failures(dialect: object, *more: str) -> dict[str, list[str]]:
    """Law -> what it says, of those that do not hold."""
    tried = gateway("laws", dialect, "--json", *more)
    facts = json.loads(tried.stdout)
    assert tried.returncode == bool(facts["failed"])
    found: dict[str, list[str]] = {}
    for failed in facts["failed"]:
        found.setdefault(failed["law"], []).append(failed["message"])
    return found


def test_a_dialect_that_was_begun_fails_with_what_is_still_to_say(tmp_path: Path) -> None:
    """And holds once it is said: nothing else of the copy is wrong."""
    dialect = begun(tmp_path / "own")
    (law, (left,)), *others = failures(dialect).items()
    assert (law, others) == ("nothing is left to say", [])
    assert "In what unit is an amount" in left
    assert "vectors/bet_accepted.txt: its source is another dialect's" in left
    answered(dialect)
    assert failures(dialect) == {}


def test_what_a_careless_author_forgets_is_told(tmp_path: Path) -> None:
    """A free bet that is told as a bet took 5.00 for real, and a wrong signature in a vector cost an evening."""
    dialect = begun(tmp_path / "own")
    answered(dialect)
    code, vector = dialect / "dialect.py", dialect / "vectors" / "bet_accepted.txt"
    source = code.read_text(encoding="utf-8")
    assert SAYS_CASH_ONLY in source
    declared = source.replace("as_wallet=AsWallet(", 'as_wallet=AsWallet(tells=frozenset({"a free debit"}), ')
    code.write_text(declared.replace(SAYS_CASH_ONLY, SAYS_ANY), encoding="utf-8")
    text = vector.read_text(encoding="utf-8")
    (right,) = re.findall(r"^x-request-signature: (\S+)$", text, re.MULTILINE | re.IGNORECASE)
    vector.write_text(text.replace(right, "AAAA"), encoding="utf-8")
    found = failures(dialect)
    assert "free_round=True" in found["what it says it means"][0]
    assert f"expected '{right}', got 'AAAA'" in found["law 1 to 6 and 11"][0]
    assert {*found} == {"what it says it means", "law 1 to 6 and 11"}


def test_a_package_of_its_own_is_installed_and_known_by_its_name(tmp_path: Path) -> None:
    """In `gateway dialects`, in `gateway laws`, and by its own tests."""
    project, site = tmp_path / "own", tmp_path / "site"
    answered(begun(project))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", site, project], check=True, capture_output=True, timeout=120)
    assert gateway("dialects", "tinyplay", path=site).returncode == 0
    assert gateway("laws", "tinyplay", "--only", "law 10", path=site).stdout == "tinyplay: 1 held, 0 failed\n"
    env = {**UNMEASURED, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "law_10 or means"]
    own = subprocess.run(tests, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert own.returncode == 0, own.stdout
    assert "2 passed" in own.stdout


def test_laws_of_the_house_by_name(tmp_path: Path) -> None:
    report = tmp_path / "laws.xml"
    tried = gateway("laws", "native", "--only", "means", "--junit", report)
    assert (tried.returncode, tried.stdout) == (0, "native: 1 held, 0 failed\n")
    assert 'tests="1"' in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(("arguments", "status", "told"), [
    (["laws", "nativ"], 2, "did you mean native?"),
    (["laws", "native", "--only", "law 77"], 2, "no law is called so; there are: a dialect is complete, "),
    (["laws", "BROKEN"], 1, "dialect.py: SyntaxError: "),
    (["laws", "NONE"], 1, "DIALECT is no Dialect"),
    (["new-dialect", "Acme", "--like", "native"], 1, "'Acme' is no name of a dialect"),
    (["new-dialect", "broken", "--like", "native", "--out", "HERE"], 1, "is there already"),
    (["new-dialect", "acme", "--like", "nativ"], 2, "did you mean native?"),
    (["new-dialect", "acme", "--like", "native", "--out", "HERE", "--package", "HERE"], 2, "name one: "),
])  # fmt: skip
def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path, arguments: list[str], status: int, told: str) -> None:
    for name, text in (("broken", "def"), ("none", "DIALECT = 1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dialect.py").write_text(text, encoding="utf-8")
    places = {"BROKEN": tmp_path / "broken", "NONE": tmp_path / "none", "HERE": tmp_path}
    tried = gateway(*(places.get(argument, argument) for argument in arguments))
    assert tried.returncode == status, tried.stderr
    assert told in tried.stderr
    assert "Traceback" not in tried.stderr
