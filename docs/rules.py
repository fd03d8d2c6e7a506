"""The rules of money: their numbers in `docs/rules.md`, and the table of those that are functions of the engine.

A rule of the engine says in its docstring what the table shows of it:

    A repeat with other content.                        when it speaks: a sentence, up to `Move:`
    Move: Tell `duplicate_mismatch`.                    one line
    Two calls of one id are two amounts, ...            why, with its history
    Serves: 2                                           the last line: numbers of docs/rules.md
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rule = Callable[[Any], Any]
"""`rule(case) -> Move | None`."""

TITLE = re.compile(r"^## ((\d+)\. .+)$", re.MULTILINE)
SERVES = re.compile(r"Serves: (\d+(?:, \d+)*)")


def anchor(title: str) -> str:
    """Where a heading is found, as the forges do it."""
    return "#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def numbers(page: str) -> dict[int, str]:
    """Number -> anchor of every rule on the page."""
    return {int(number): anchor(title) for title, number in TITLE.findall(page)}


def rules_table(rules: Sequence[Rule], page: Mapping[int, str]) -> str:
    """The engine's rules in their order, as a Markdown table; `page` is what `numbers` found."""
    rows = [("Rule", "When", "Move", "Why", "Serves"), ("---",) * 5, *(_row(rule, page) for rule in rules)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _row(rule: Rule, page: Mapping[int, str]) -> tuple[str, ...]:
    said = _said(rule)
    if lacking := [f"`{part}`" for part, text in said.items() if not text]:
        raise ValueError(f"rule `{rule.__name__}`: its docstring lacks {', '.join(lacking)} (docs/rules.py says how)")
    served = [int(number) for number in said["Serves"].split(", ")]
    if unknown := [number for number in served if number not in page]:
        raise ValueError(f"rule `{rule.__name__}` serves {unknown}, which docs/rules.md has not")
    *texts, _ = (text.replace("|", "\\|") for text in said.values())
    return rule.__name__.replace("_", " "), *texts, ", ".join(f"[{number}]({page[number]})" for number in served)


def _said(rule: Rule) -> dict[str, str]:
    """What the docstring says, part by part; blank where it does not."""
    lines = inspect.cleandoc(rule.__doc__ or "").splitlines()
    move = next((number for number, line in enumerate(lines) if line.startswith("Move:")), len(lines))
    serves = SERVES.fullmatch(lines[-1]) if lines else None
    return {
        "When": " ".join(" ".join(lines[:move]).split()),
        "Move": "".join(lines[move : move + 1]).removeprefix("Move:").strip(),
        "Why": " ".join(" ".join(lines[move + 1 : -1 if serves else None]).split()),
        "Serves": serves[1] if serves else "",
    }
