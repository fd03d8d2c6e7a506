"""The walls of the house: who may import whom, who may touch the world, and what may be cited (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import citations
from tests.imports import ROOT, circles, graph, imports, module_of

FILES = sorted(path.relative_to(ROOT) for folder in ("gateway", "adapters") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))

# A part of the house -> the parts it may import beside itself. `gateway` alone is the version.
MAY_IMPORT: dict[str, set[str]] = {
    "gateway": set(),
    "gateway.model": set(),
    "gateway.body": set(),
    "gateway.xml": {"gateway.body", "gateway.model"},
    "gateway.http": {"gateway.body", "gateway.xml"},
    "gateway.currency": {"gateway.model"},
    "gateway.ids": set(),
    "gateway.auth": {"gateway.body", "gateway.model", "gateway.http", "gateway.currency", "gateway.xml"},
    "gateway.call": {"gateway.http", "gateway.currency"},
    "gateway.codec": {"gateway.body", "gateway.model", "gateway.http", "gateway.currency", "gateway.call"},
    "gateway.ends": {"gateway.model", "gateway.http", "gateway.ids"},
    "gateway.dialect": {"gateway.model", "gateway.http", "gateway.auth", "gateway.ends", "gateway.call"},
    "gateway.vectors": {"gateway.model", "gateway.http", "gateway.currency", "gateway.auth", "gateway.codec", "gateway.dialect"},
    "gateway.engine": {
        "gateway.model", "gateway.http", "gateway.currency", "gateway.auth", "gateway.dialect", "gateway.ends", "gateway.ids",
    },
    "gateway.journal": {"gateway.model", "gateway.engine.journal", "gateway.engine.movement", "gateway.engine.setup", "gateway.engine.states"},
}  # fmt: skip
ADAPTER = {
    "gateway.model", "gateway.http", "gateway.xml", "gateway.currency", "gateway.auth", "gateway.codec", "gateway.dialect",
    "gateway.ends", "gateway.ids",
}  # fmt: skip
OUTER = ("gateway.serve", "gateway.play", "gateway.laws", "gateway.cli", "gateway.__main__")  # may import everything
WORLDLY = (*OUTER, "gateway.journal")  # may touch clock, chance, network and disk
WORLD = (
    "time", "random", "secrets", "os", "socket", "ssl", "select", "selectors", "asyncio", "logging", "threading", "signal",
    "multiprocessing", "concurrent", "subprocess", "shutil", "tempfile", "sqlite3", "importlib", "http", "urllib.request",
)  # fmt: skip
THIRD_PARTY = {"msgspec", "iso4217", "cryptography", "defusedxml"}  # what is pure enough for everyone
EXACT = ("gateway.body", "gateway.model", "gateway.codec", "gateway.engine", "adapters")  # money passes here: no floats
DIRECTIVE = re.compile(r"(type:\s*ignore(\[[\w\-, ]*\])?|noqa(:\s*[A-Z]+\d+(\s*,\s*[A-Z]+\d+)*)?|pragma:\s*no cover)")
REASON = re.compile(r"[A-Za-z]{3}")


def within(module: str, *parts: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def part_of(module: str) -> str:
    """The part of the house: `gateway.auth`, `adapters.kyren`, ..."""
    return ".".join(module.split(".")[:2])


def allowed(module: str, imported: str) -> bool:
    part = part_of(module)
    if within(module, *OUTER) or imported == "gateway" or within(imported, part):
        return True
    rule = ADAPTER if within(module, "adapters") and module != "adapters" else MAY_IMPORT.get(part, set())
    return within(imported, *rule)


def import_violations(path: str, tree: ast.AST) -> Iterator[str]:
    module = module_of(path)
    if within(module, "gateway") and not within(module, *OUTER) and part_of(module) not in MAY_IMPORT:
        yield f"{path}: {part_of(module)} is in no row of the layering table (tests/test_house_rules.py)"
    for line, imported in imports(tree, path):
        top = imported.split(".")[0]
        if top in ("gateway", "adapters"):
            if not allowed(module, imported):
                yield f"{path}:{line}: {module} must not import {imported}"
        elif not within(module, *WORLDLY):
            if within(imported, *WORLD):
                yield f"{path}:{line}: imports {imported}; only serve/, journal/ and cli/ touch the world"
            elif top not in sys.stdlib_module_names and top not in THIRD_PARTY:
                yield f"{path}:{line}: imports {imported}; third-party packages belong to serve/, journal/ and cli/"


def call_violations(path: str, tree: ast.AST, timed: set[int]) -> Iterator[str]:
    """`timed` are the lines whose comment says that the float is a time."""
    module = module_of(path)
    for node in ast.walk(tree):
        name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "name", None)
        line = getattr(node, "lineno", 0)
        if name == "compare_digest" and module != "gateway.auth.compare":
            yield f"{path}:{line}: compare_digest; secrets are compared by gateway.auth.compare.same only"
        if not isinstance(node, ast.Call):
            continue
        called, owner = getattr(node.func, "attr", ""), getattr(node.func, "value", None)
        owner_name = getattr(owner, "id", "") or getattr(owner, "attr", "")
        asks = called in ("now", "utcnow", "today", "uuid1", "uuid4") and owner_name in ("datetime", "date", "uuid")
        if asks and not within(module, *WORLDLY):
            yield f"{path}:{line}: calls {called}(); only serve/, journal/ and cli/ ask clock or chance"
        if getattr(node.func, "id", "") == "float" and within(module, *EXACT) and line not in timed:
            yield f"{path}:{line}: calls float(); money is Decimal (a time says so in a comment on its line)"


def comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def comment_violations(path: str, source: str) -> Iterator[str]:
    for line, text in comments(source):
        found = DIRECTIVE.search(text)
        if found and not REASON.search(DIRECTIVE.sub("", text)):
            yield f"{path}:{line}: `{found.group()}` without a reason on its line"


def violations(path: str, source: str) -> list[str]:
    tree = ast.parse(source)
    timed = {line for line, text in comments(source) if re.search(r"\b(time|second)s?\b", text)}
    return [*import_violations(path, tree), *call_violations(path, tree, timed), *comment_violations(path, source)]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_house_keeps_its_rules(path: Path) -> None:
    found = violations(path.as_posix(), (ROOT / path).read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_tests_give_reasons(path: Path) -> None:
    assert not list(comment_violations(path.as_posix(), (ROOT / path).read_text(encoding="utf-8")))


PLANTED = {
    ("gateway/model.py", "from gateway.http import Request"): "gateway.model must not import gateway.http",
    ("gateway/currency.py", "import gateway.codec.units"): "gateway.currency must not import gateway.codec.units",
    ("gateway/auth/keys.py", "from gateway.codec import fields"): "gateway.auth.keys must not import gateway.codec.fields",
    ("gateway/codec/x.py", "from gateway.dialect import Call"): "gateway.codec.x must not import gateway.dialect",
    ("gateway/call.py", "from gateway.codec.fields import Fields"): "gateway.call must not import gateway.codec.fields",
    ("gateway/codec/x.py", "from ..engine import words"): "gateway.codec.x must not import gateway.engine",
    ("gateway/engine/words.py", "from gateway.codec.fields import Fields"): "gateway.engine.words must not import gateway.codec.fields",
    ("gateway/engine/words.py", "from adapters.native.dialect import DIALECT"): "must not import adapters.native.dialect",
    ("gateway/journal/x.py", "from gateway.engine.words import encode"): "gateway.journal.x must not import gateway.engine.words",
    ("adapters/a/dialect.py", "from gateway.engine import world"): "adapters.a.dialect must not import gateway.engine",
    ("adapters/a/dialect.py", "from adapters.b.wire import X"): "adapters.a.dialect must not import adapters.b.wire",
    ("adapters/a/dialect.py", "from ..b import wire"): "adapters.a.dialect must not import adapters.b",
    ("adapters/a/dialect.py", "from gateway.vectors import load"): "must not import gateway.vectors",
    ("adapters/a/dialect.py", "def f():\n    import time"): "adapters/a/dialect.py:2: imports time",
    ("gateway/engine/words.py", "import asyncio.tasks"): "imports asyncio.tasks",
    ("gateway/codec/x.py", "from urllib import request"): "imports urllib.request",
    ("gateway/codec/x.py", "import urllib.request"): "imports urllib.request",
    ("gateway/engine/words.py", "import httpx"): "imports httpx; third-party",
    ("gateway/engine/words.py", "from datetime import datetime\nx = datetime.now()"): "words.py:2: calls now()",
    ("adapters/a/dialect.py", "import uuid\nx = uuid.uuid4()"): "calls uuid4()",
    ("adapters/a/dialect.py", "import hmac\nhmac.compare_digest(a, b)"): "compare_digest",
    ("adapters/a/dialect.py", "from hmac import compare_digest"): "compare_digest",
    ("adapters/a/dialect.py", "x = float('1.5')"): "calls float()",
    ("adapters/a/dialect.py", "x = 1  # type: ignore[assignment]"): "without a reason",
    ("gateway/model.py", "x = 1  # noqa: S101, E501"): "without a reason",
    ("gateway/model.py", "if x:  # pragma: no cover\n    pass"): "without a reason",
    ("gateway/strange.py", "x = 1"): "gateway.strange is in no row",
}  # fmt: skip
FINE = (
    (
        "adapters/a/dialect.py",
        "from adapters.a import wire\nfrom . import wire\nfrom gateway.currency import Currencies",
    ),
    ("gateway/codec/x.py", "from gateway.call import Call"),
    ("gateway/serve/live.py", "import asyncio, random, httpx\nfrom adapters import native\nx = datetime.now()"),
    ("gateway/journal/x.py", "import apsw, threading\nfrom gateway.engine.journal import Journal"),
    ("gateway/vectors.py", "from gateway.codec.fields import Fields\nfrom pathlib import Path"),
    ("gateway/cli/main.py", "import gateway\nfrom gateway import __version__"),
    ("gateway/engine/words.py", "x = call.now\ny = world.now()\nz = float(x)  # seconds of time"),
    ("adapters/a/dialect.py", "x = 1  # type: ignore[assignment]  # the stub is wrong"),
    ("adapters/a/dialect.py", "text = '# noqa'"),
)


@pytest.mark.parametrize(("path", "source"), list(PLANTED))
def test_a_planted_violation_is_found(path: str, source: str) -> None:
    found = violations(path, source)
    assert any(PLANTED[path, source] in message for message in found), found


@pytest.mark.parametrize(("path", "source"), FINE)
def test_what_is_allowed_is_not_reported(path: str, source: str) -> None:
    assert violations(path, source) == []


# ---------------------------------------------------------------- flat dialects

FLAT_LINES_MAX = 300
# What is longer, and by no more than it is: its calls are lines, too, and it has more to say beside them.
LONGER = {
    "hub88": 493,  # two variants, a key pair of 46 lines for the demo, statuses that mean other things of what is owed
    "kyren": 411,  # eleven calls that share few fields, a batch in a Result, successes that say that nothing was there
    "pragmatic_play": 471,  # eleven calls, a bonusWin of two meanings, numbers by who would hear them, two purses
    "spribe": 379,  # a signature of its own, one URL for all calls, a table of codes by call, old and new balance
    "groove": 622,  # nine calls, two proofs, ids of its own for five of them, and what a reversal's id may stand for
    "slotegrator": 575,  # a list in brackets, whose elements have ids of their own; who asks, when and under which nonce
    "vivo_vgs": 445,  # paths and names in any case, a signature of its own, answers in XML that repeat the call
}


def flat_dialects() -> dict[str, int]:
    """The lines of each dialect that says its fields in forms, all of its code together."""
    lines: dict[str, int] = {}
    for folder in sorted((ROOT / "adapters").iterdir()):
        sources = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
        if any(
            re.search(r"^from gateway\.codec(\.form)? import .*\b[fF]orm\b", source, re.MULTILINE) for source in sources
        ):
            lines[folder.name] = sum(source.count("\n") for source in sources)
    return lines


def test_a_flat_dialect_is_read_in_one_go() -> None:
    """Its fields are said once and its frame is the house's: what is longer repeats something, or is not flat and says its
    calls in code."""
    found = flat_dialects()
    assert {"netgaming", "dragon_gaming", "scorpio_play", "swipegames", "hundred_hp"} <= found.keys()
    assert {name: lines for name, lines in found.items() if lines > LONGER.get(name, FLAT_LINES_MAX)} == {}
    assert {name for name in LONGER if found[name] <= FLAT_LINES_MAX} == set()


# ---------------------------------------------------------------- circles


def test_no_import_circle() -> None:
    """Two modules that need each other are one module that nobody can read from its beginning."""
    found = circles(graph({path.as_posix(): (ROOT / path).read_text(encoding="utf-8") for path in FILES}))
    assert not found, "\n".join(" <-> ".join(circle) for circle in found)


CIRCLES = {
    "two modules": {"gateway/a.py": "import gateway.b", "gateway/b.py": "from gateway.a import x"},
    "only for its types": {
        "gateway/a.py": "if TYPE_CHECKING:\n    from gateway.b import B",
        "gateway/b.py": "from .a import x",
    },
    "in a function": {"gateway/a.py": "def f():\n    import gateway.b", "gateway/b.py": "import gateway.a"},
    "by a third": {
        "gateway/a.py": "import gateway.b",
        "gateway/b.py": "import gateway.c",
        "gateway/c.py": "import gateway.a",
    },
    "a package and its own": {"adapters/a/__init__.py": "from .b import x", "adapters/a/b.py": "import adapters.a"},
}


@pytest.mark.parametrize("planted", list(CIRCLES))
def test_a_planted_circle_is_found(planted: str) -> None:
    beside = {"gateway/d.py": "import gateway.a\nimport gateway.e", "gateway/e.py": "import os"}
    assert circles(graph(CIRCLES[planted] | beside)) == [tuple(sorted(module_of(path) for path in CIRCLES[planted]))]


def test_a_straight_line_is_no_circle() -> None:
    line = {"gateway/a.py": "import gateway.b", "gateway/b.py": "import gateway.c", "gateway/c.py": "import gateway.c"}
    assert circles(graph(line)) == []


# ---------------------------------------------------------------- citations

PAGES, RULES = citations.shipped()
CITING = citations.files()
VECTORS = [path for path in CITING if path.parent.name == "vectors"]


def cited_wrongly(path: Path) -> list[str]:
    source = (ROOT / path).read_text(encoding="utf-8")
    return list(citations.citation_violations(path.as_posix(), source, PAGES, RULES))


@pytest.mark.parametrize("path", [path for path in CITING if path not in VECTORS], ids=str)
def test_what_is_cited_is_there(path: Path) -> None:
    """A number that leads nowhere, or to another law, is worse than none."""
    found = cited_wrongly(path)
    assert not found, "\n".join(found)


def test_what_vectors_cite_is_there() -> None:
    found = [each for path in VECTORS for each in cited_wrongly(path)]
    assert not found, "\n".join(found)


MISCITED = {
    ("gateway/x.py", "x = 1  # as LAW.md says"): "x.py:1: LAW.md is cited and does not ship",
    ("gateway/x.py", '"""Rules.\n\nNumbers are those of LAW.md."""'): "x.py:3: LAW.md is cited",
    ("gateway/x.py", 'class A:\n    a: int\n    """LAW.md."""'): "x.py:3: LAW.md is cited",
    ("gateway/x.py", "help = f'see {a}/LAW.md'"): "/LAW.md is cited",
    ("gateway/x.sql", "-- one\nSELECT 1 -- LAW.md"): "x.sql:2: LAW.md is cited",
    ("docs/x.md", "# Title\n\nSee [this](../LAW.md)."): "x.md:3: ../LAW.md is cited",
    ("adapters/a/vectors/x.txt", "source: LAW.md 4: no"): "LAW.md is cited",
    ("config/x.yaml", "a: 1 # LAW.md"): "LAW.md is cited",
    ("gateway/x.py", "# as rule 32 says"): "rule 32 is not in docs/rules.md",
    ("gateway/x.py", "x = 'as rule 0 says'"): "rule 0 is not in docs/rules.md",
    ("gateway/x.py", '"""As (rules 4, 99) say."""'): "rule 99 is not in docs/rules.md",
    ("gateway/x.py", '"""Rules 9 to 40, 41."""'): "rule 40 is not in docs/rules.md",
    ("gateway/x.sql", "-- a debit is looked at once more (rule 77)"): "rule 77 is not in docs/rules.md",
    ("docs/x.md", "As rule 77 says."): "rule 77 is not in docs/rules.md",
    ("tests/test_x.py", "def test_rule_77_a_bet():\n    pass"): "rule 77 is not in docs/rules.md",
    ("docs/x.md", "As in `test_rule_77_a_bet`."): "rule 77 is not in docs/rules.md",
    ("gateway/x.py", "# rule 4, 5"): "write `rule 14`",
    ("gateway/x.py", "# rules 4"): "write `rule 14`",
    ("gateway/x.py", "# rules 4 and 5"): "write `rule 14`",
    ("gateway/x.py", "# docs/rules.md 14"): "a rule is cited as `rule 14`",
    ("gateway/x.py", "x = 1  # of a cancel (11)"): "`(11)` cites nothing",
    ("gateway/x.py", '"""Of a cancel (11, 12)."""'): "`(11, 12)` cites nothing",
    ("gateway/x.sql", "SELECT 1 -- of a cancel (11)"): "`(11)` cites nothing",
    ("docs/x.md", "[9](rules.md#12-the-gateways-own-rollback)"): "a link says rule 9 and leads to 12",
}  # fmt: skip
WELL_CITED = (
    ("gateway/x.py", "# docs/rules.md, adapters/*/NOTES.md, ../README.md (rule 14; rules 11, 13; rules 9 to 15, 28)"),
    ("gateway/x.py", "x = f(1) + g (2)\ny = hashlib.md5  # https://example.com/OTHER.md"),
    ("gateway/x.py", "x = 'VALUES (1, 0)'"),
    ("tests/test_x.py", "def test_rule_14_a_bet():\n    pass"),
    ("docs/x.md", "1. [12](rules.md#12-the) and [rule 12](#12-the); laws (1) and (2)"),
    ("gateway/x.sql", "INSERT INTO t VALUES (1, 2); -- rule 4"),
)


@pytest.mark.parametrize(("path", "source"), list(MISCITED))
def test_a_planted_citation_is_found(path: str, source: str) -> None:
    found = list(citations.citation_violations(path, source, PAGES, RULES))
    assert any(MISCITED[path, source] in message for message in found), found


@pytest.mark.parametrize(("path", "source"), WELL_CITED)
def test_what_is_cited_well_is_not_reported(path: str, source: str) -> None:
    assert list(citations.citation_violations(path, source, PAGES, RULES)) == []
