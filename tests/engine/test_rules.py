"""Every rule of docs/rules.md that the engine keeps has a test with its number in its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
KEPT = {*range(1, 27), *range(28, 32)}
"""27 is retention's, and tested there."""
NAMED = re.compile(r"test_rule_(\d\d)_")


def all_tests() -> list[ast.FunctionDef]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("test_*.py"))]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_every_rule_is_tested() -> None:
    found = {int(match[1]) for test in all_tests() if (match := NAMED.match(test.name))}
    assert found >= KEPT, f"no test of rule {sorted(KEPT - found)}"


def test_every_test_of_a_rule_says_why() -> None:
    silent = [test.name for test in all_tests() if NAMED.match(test.name) and not ast.get_docstring(test)]
    assert not silent
