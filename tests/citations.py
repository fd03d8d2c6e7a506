"""What code, tests and pages cite: a page must ship with the product, a rule must stand in docs/rules.md.

A rule is cited as `rule 14`, several as `rules 11, 13` or `rules 9 to 15, 28`; a test of one is called
`test_rule_14_...`. `python -m tests.citations [FOLDER ...]` prints every wrong one.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from docs.rules import numbers

ROOT = Path(__file__).parent.parent
FOLDERS = ("gateway", "adapters", "tests", "docs", "config", "bench")
PLANTS = Path("tests/test_house_rules.py")  # what is looked for stands there on purpose
KINDS = {".py", ".sql", ".md", ".yaml", ".json", ".toml", ".lua", ".txt"}
MENTIONED = re.compile(r"[\w./-]*\w\.md\b")
ADDRESS = re.compile(r"\w+://\S+")
LINK = re.compile(r"\[(?:[Rr]ules? )?(\d+)\]\((?:[^)\s]*rules\.md)?#(\d+)-")
BY_PAGE = re.compile(r"\brules\.md,? (?:rules? )?\d")
NUMBERS = r"\d+(?: to \d+)?(?:, \d+(?: to \d+)?)*"
RULE = re.compile(rf"\b([Rr]ules?) ({NUMBERS})(?: (?:and|or) \d+)?")
BARE = re.compile(r"(?<=[\w`'\"*] )\(\d{1,2}(?:, \d{1,2})*\)")
TEST = re.compile(r"\btest_rules?_(\d+)")

Text = tuple[int, str, bool]
"""Line, text, and whether it is prose about code: a comment or a docstring."""


def files() -> list[Path]:
    """Every text of ours, relative to the root."""
    inner = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    outer = [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile", ROOT / "Dockerfile"]
    return sorted({path.relative_to(ROOT) for path in (*inner, *outer)} - {PLANTS})


def citation_violations(path: str, source: str, pages: set[str], rules: set[int]) -> Iterator[str]:
    """What this file cites wrongly; `pages` are the pages that ship, `rules` the numbers of docs/rules.md."""
    for start, text, prose in _texts(path, source):
        for at, complaint in _wrong(text, prose, pages, rules):
            yield f"{path}:{start + text.count(chr(10), 0, at)}: {complaint}"


def _wrong(text: str, prose: bool, pages: set[str], rules: set[int]) -> Iterator[tuple[int, str]]:
    for found in MENTIONED.finditer(ADDRESS.sub(lambda address: " " * len(address[0]), text)):
        name = re.sub(r"^(\.*/)+", "", found[0])
        if not any(page == name or page.endswith(f"/{name}") for page in pages):
            yield found.start(), f"{found[0]} is cited and does not ship"
    for found in RULE.finditer(text):
        cited = [int(number) for number in re.findall(r"\d+", found[2])]
        if found[0] != f"{found[1]} {found[2]}" or (len(cited) > 1) != found[1].endswith("s"):
            yield found.start(), f"`{found[0]}`; write `rule 14`, `rules 11, 13` or `rules 9 to 15`"
        yield from (
            (found.start(), f"rule {number} is not in docs/rules.md") for number in cited if number not in rules
        )
    for found in TEST.finditer(text):
        if int(found[1]) not in rules:
            yield found.start(), f"{found[0]}_...: rule {int(found[1])} is not in docs/rules.md"
    for found in LINK.finditer(text):
        if found[1] != found[2]:
            yield found.start(), f"a link says rule {found[1]} and leads to {found[2]}"
    for found in BY_PAGE.finditer(text):
        yield found.start(), f"`{found[0]}`; a rule is cited as `rule 14`"
    for found in BARE.finditer(text) if prose else ():
        yield found.start(), f"`{found[0]}` cites nothing; write `(rule 14)` or `(rules 11, 13)`"


def _texts(path: str, source: str) -> Iterator[Text]:
    if path.endswith(".py"):
        yield from _texts_of_python(source)
    elif path.endswith(".sql"):
        yield from ((number, line.partition("--")[2], True) for number, line in enumerate(source.splitlines(), 1))
    else:
        yield 1, source, False


def _texts_of_python(source: str) -> Iterator[Text]:
    """Comments, docstrings, other strings, and the names of functions."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string, True
    tree = ast.parse(source)
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value, id(node) in documents
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name, False


def shipped() -> tuple[set[str], set[int]]:
    """The pages and the rules that there are."""
    pages = {path.as_posix() for path in files() if path.suffix == ".md"}
    return pages, set(numbers((ROOT / "docs" / "rules.md").read_text(encoding="utf-8")))


def main(folders: list[str]) -> None:
    pages, rules = shipped()
    for path in files():
        if not folders or path.as_posix().startswith(tuple(folders)):
            source = (ROOT / path).read_text(encoding="utf-8")
            for complaint in citation_violations(path.as_posix(), source, pages, rules):
                print(complaint)


if __name__ == "__main__":
    main(sys.argv[1:])
