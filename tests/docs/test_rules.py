"""The table of the engine's rules says what their docstrings say, and none may leave a part out."""

from __future__ import annotations

import pytest

from docs.generate import ROOT
from docs.rules import numbers, rules_table


def other_content(case: object) -> None:
    """A repeat with other content.
    Move: Tell `duplicate_mismatch`.
    One id with two amounts is two movements to a player
    and one | to a wallet.

    Serves: 2
    """


def first_asking(case: object) -> None:
    """Not attempted, and wanted:
    somebody waits, it is owed, or a win came.

    Move: Ask.

    A settler that asked for what nobody wanted took the stake.
    Serves: 9, 13
    """


PAGE = "# The rules\n\n## 2. What makes a repeat the same\n\n## 9. A bet in doubt\n\n## 13. What is owed\n"
TABLE = """\
| Rule | When | Move | Why | Serves |
| --- | --- | --- | --- | --- |
| other content | A repeat with other content. | Tell `duplicate_mismatch`. | One id with two amounts is two movements to a player \
and one \\| to a wallet. | [2](#2-what-makes-a-repeat-the-same) |
| first asking | Not attempted, and wanted: somebody waits, it is owed, or a win came. | Ask. | A settler that asked for what \
nobody wanted took the stake. | [9](#9-a-bet-in-doubt), [13](#13-what-is-owed) |"""


def test_the_table_says_what_the_docstrings_say() -> None:
    """Who asks at night why a bet was not asked again reads the table, not the code."""
    assert rules_table((other_content, first_asking), numbers(PAGE)) == TABLE


WHOLE = "When.\nMove: Ask.\nWhy.\nServes: 9"


@pytest.mark.parametrize(
    ("docstring", "complaint"),
    [
        (None, "lacks `When`, `Move`, `Why`, `Serves`"),
        ("Move: Ask.\nWhy.\nServes: 9", "lacks `When`"),
        ("When.\nWhy.\nServes: 9", "lacks `Move`, `Why`"),
        ("When.\nMove:\nWhy.\nServes: 9", "lacks `Move`"),
        ("When.\nMove: Ask.\n\nServes: 9", "lacks `Why`"),
        ("When.\nMove: Ask.\nWhy.", "lacks `Serves`"),
        ("When.\nMove: Ask.\nWhy.\nServes: many", "lacks `Serves`"),
        ("When.\nMove: Ask.\nServes: 9\nWhy.", "lacks `Serves`"),
        ("When.\nMove: Ask.\nWhy.\nServes: 9, 4", r"serves \[4\], which docs/rules.md has not"),
    ],
)
def test_a_rule_that_leaves_a_part_out_is_named(docstring: str | None, complaint: str) -> None:
    """A row with an empty cell would be a rule that nobody can check against its history."""

    def some_rule(case: object) -> None:
        """Whatever the case says."""

    some_rule.__doc__ = docstring
    with pytest.raises(ValueError, match=f"rule `some_rule`.*{complaint}"):
        rules_table((some_rule,), numbers(PAGE))
    some_rule.__doc__ = WHOLE
    assert rules_table((some_rule,), numbers(PAGE)).count("\n") == 2


def test_the_rules_are_one_to_thirty_one() -> None:
    """A number keeps its meaning for ever: none is missing, none stands twice."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert list(numbers(page)) == list(range(1, 32))
    assert page.count("\n## ") == 31
