"""A dialect that was just begun: the living one that is most like it, with all that is still to be said.

No unit, no sign and no yes is guessed. What is copied works, and says of itself whose it is: each vector that its source
is another dialect's, the notes that no question is answered. `gateway laws` names what is left.
"""

from __future__ import annotations

import re
from pathlib import Path

OPEN = "- [ ] "
"""How a question stands in NOTES.md that nobody has answered."""
UNSAID = "as "
"""How the source of a vector begins that another dialect's page says."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SOURCE = re.compile(r"^source: *", re.MULTILINE)

QUESTIONS = (
    (
        "Money",
        "In what unit is an amount (whole, cents, thousandths), with how many digits, as a number or as text?",
        "5",
    ),
    ("Money", "Which currencies, and what becomes of one whose digits do not fit?", "5"),
    ("Money", "Is a balance rounded, and to what?", "5"),
    ("Money", "May a bet, a win, a refund be 0, and what does that say?", "17"),
    ("Ids", "Within what is a movement's id unique: all, its call, its round, its player?", "1"),
    ("Ids", "Do a bet and its win, or a refund and its bet, have the same id?", "1"),
    ("Ids", "What may an id be at a wallet: any text, how long, an integer, a UUID?", "3"),
    ("Repeats", "What is sent again, how often, for how long, and under which id?", "2"),
    ("Repeats", "What must a repeat hear: the first answer, the first balance or the current one?", "7"),
    ("Repeats", "What is another content under a used id, and how is it refused?", "2"),
    ("Silence", "How long does the provider wait for each call?", "10"),
    ("Silence", "What does it do after silence, after an error, after each code: repeat, cancel, nothing?", "12"),
    ("Silence", "Which codes and status lines mean that nobody knows?", "6"),
    ("Rollbacks", "What does a refund name: a bet, a round, an id of its own?", "15"),
    ("Rollbacks", "What is answered to the refund of what was never seen, and may that bet still come?", "15"),
    ("Rollbacks", "May a part be refunded, several times, more than is left?", "17"),
    ("Rollbacks", "May a win be taken back, and a refund?", "15"),
    ("Rollbacks", "What becomes of the refund of a bet that has a win, or that others follow in its round?", "11"),
    ("Rollbacks", "What does a second refund of the same bet hear?", "15"),
    ("Wins", "May a wallet decline a win, for what, and for good?", "6"),
    ("Wins", "How many wins may a bet have, and may one come before its bet?", "9"),
    ("Wins", "May a win come after its session, and for whom?", "22"),
    ("Rounds", "What ends a round, may anything come after it, and what if that end is undone?", "16"),
    ("Rounds", "Free rounds, tips, jackpots, tournaments: what moves cash and what is told only?", "17"),
    ("Players", "Who plays: a token, a player's id, both; what where they disagree?", "21"),
    ("Players", "How long does a session live, and what does it hear when it is over?", "22"),
    ("Signature", "What is signed, byte for byte, in what order, and with which part of the key?", "20"),
    ("Signature", "How is a request told from one that was caught and sent again?", "20"),
    ("Answers", "Which fields must every answer have, also a refusal?", "6"),
    ("Answers", "Is there a call that asks what became of a movement, and when does it speak the truth?", "13"),
)
"""(about, question, the rule of docs/rules.md that needs its answer)."""


class CannotBegin(ValueError):
    """Why not; for people."""


def begin(name: str, like: str, model: Path, into: Path, package: str) -> list[Path]:
    """Write the folder `into` of the dialect `name` after `model`, the folder of the dialect `like`; `package` is what it
    will be imported as. Returns its files. Raises `CannotBegin`: nothing was written."""
    if not _NAME.fullmatch(name):
        raise CannotBegin(f"{name!r} is no name of a dialect: lower case letters, digits and underscores")
    if into.exists():
        raise CannotBegin(f"{into} is there already")
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(model.rglob("*")) if _belongs(path)}
    written = {
        into / path.relative_to(model): _another(path, text, name, like, package) for path, text in texts.items()
    }
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [*written]


def begin_package(name: str, root: Path) -> list[Path]:
    """A project of its own around the package `name`, which announces its dialect and tries the laws."""
    files = {
        root / "pyproject.toml": _PYPROJECT.replace("NAME", name),
        root / "README.md": _README.replace("NAME", name),
        root / "tests" / "test_laws.py": _TESTS.replace("NAME", name),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [*files]


def _belongs(path: Path) -> bool:
    return path.suffix in {".py", ".txt", ".md"} and path.is_file()


def _another(path: Path, text: str, name: str, like: str, package: str) -> str:
    if path.suffix == ".txt":
        return _SOURCE.sub(f"source: {UNSAID}{like}: ", text, count=1)
    if path.name == "NOTES.md":
        return _notes(name, like, text)
    return text.replace(f"adapters.{like}", package).replace(f'"{like}"', f'"{name}"')


def _notes(name: str, like: str, model: str) -> str:
    """The questions, and the table of the settings that the code has."""
    settings = re.search(r"^## Settings\n(.*?)(?=^## |\Z)", model, re.MULTILINE | re.DOTALL)
    lines = [
        f"# {name}",
        "",
        f"Begun as a copy of {like}.",
        "",
        "## Sources",
        f"{OPEN}Where does what this says stand?",
        "",
    ]
    lines += ["## Settings", settings[1].strip() if settings else "None.", "", "## Decisions", ""]
    for about in dict.fromkeys(about for about, *_ in QUESTIONS):
        lines.append(f"### {about}")
        lines += [f"{OPEN}{asked} (rule {rule})" for topic, asked, rule in QUESTIONS if topic == about]
        lines.append("")
    return "\n".join([*lines, "## What it cannot say, as a wallet", f"{OPEN}Which acts has it no words for?", ""])


_PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "gateway-dialect-NAME"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["seamless-gateway[laws]"]

[project.entry-points."gateway.dialects"]
NAME = "NAME.dialect"

[tool.setuptools]
packages = ["NAME"]

[tool.setuptools.package-data]
"*" = ["*.txt", "*.md", "vectors/*.txt"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
addopts = "-p gateway.laws.plugin --dialect=NAME"
"""
_README = """# NAME

A dialect for the seamless wallet gateway.

```
pip install -e .      # gateway dialects NAME
gateway laws NAME     # what is still to say
pytest                # the same, as tests
```
"""
_TESTS = '''"""The laws of every dialect, on NAME."""

from gateway.laws.contract import *  # noqa: F403  # its tests, which are found here by their names
'''
