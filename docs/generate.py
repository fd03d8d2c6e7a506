"""Writes the parts of README.md and of docs/ that the code knows best: `make docs`.

A generated part stands between two comments and is written over; `tests/docs/test_generated.py`
fails when one is stale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.rules import numbers, rules_table
from gateway.cli.causes import OF_DIGESTS, OF_KEYS, OF_REQUESTS, OF_TEXTS, OF_WHOLES, STAMP_SECONDS
from gateway.cli.causes_fields import OF_FIELDS
from gateway.cli.dialects import described, in_short
from gateway.engine.rules import RULES
from gateway.engine.states import EDGES
from gateway.model import Kind
from gateway.serve import discover
from tests.simulation.bugs import BUGS, NOTICED, UNMISSED, Planted

ROOT = Path(__file__).parent.parent
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
MEANING = re.compile(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", re.MULTILINE)


Described = Mapping[str, Any]


def dialects() -> list[Described]:
    return [described(discover.find(name).dialect) for name in discover.names()]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


# ---------------------------------------------------------------- README.md


def matrix(found: Sequence[Described]) -> str:
    """Kind by dialect: what a provider says, and what a wallet can be told."""
    rows = [[f"`{kind.value}`", *(_cell(it, kind.value) for it in found)] for kind in Kind]
    return table(["", *(it["name"] for it in found)], rows)


def _cell(it: Described, kind: str) -> str:
    told = it["wallet_end"].get(kind, {}).get("verdict", "")
    marks = ["P" if kind in it["provider_end"] else "", {"same": "W", "bridged": "w"}.get(told, "")]
    return " ".join(filter(None, marks)) or "–"


# ---------------------------------------------------------------- docs/dialects.md


def pages(found: Sequence[Described]) -> str:
    return "\n".join("\n".join(_page(it)) for it in found).rstrip()


def _page(it: Described) -> Iterator[str]:
    yield f"## {it['name']}\n\n{it['title']}. [Sources, decisions, limits](../adapters/{it['name']}/NOTES.md).\n"
    yield f"- Proof: {it['signs']}." + (" A guard is required at the provider's end." if it["guard"] else "")
    for steps in it["signed"]:
        yield "- What is signed: " + ". ".join(f"*{title}*: {words}" for title, words in steps.items()) + "."
    yield f"- The provider waits: {', '.join(f'{kind} {limit}' for kind, limit in it['answer_within'].items())}."
    tombstones = "remembers" if it["tombstones"] else "does not remember"
    yield f"- As a wallet, by default: `ids: {it['ids']}`; it {tombstones} rollbacks of movements it never saw.\n"
    keys = [(f"`{k['part']}`", _key_remarks(k), f"`{in_short(k['demo'])}`") for k in it["keys"]]
    if keys:
        yield table(("Part of a key", "", "In demos"), keys) + "\n"
    meanings = dict(MEANING.findall((ROOT / "adapters" / it["name"] / "NOTES.md").read_text(encoding="utf-8")))
    if it["settings"]:
        yield table(("Setting", "Type", "Default", "Meaning"), [_setting(s, meanings) for s in it["settings"]]) + "\n"
    rows = [(f"`{c['method']} {c['path']}`", c["name"], ", ".join(c["kinds"]) or "refused") for c in it["calls"]]
    yield table(("Call", "Name", "Means"), rows) + "\n"
    bridged = [(f"`{kind}`", how["by"]) for kind, how in it["wallet_end"].items() if how["verdict"] == "bridged"]
    if bridged:
        yield table(("As a wallet it is not told", "but"), bridged) + "\n"


def _key_remarks(key: Described) -> str:
    remarks = [
        "secret" if key["secret"] else "no secret",
        f"at the {key['end']}'s end" if "end" in key else "",
        f"only with `{key['with']}`" if "with" in key else "",
    ]
    return ", ".join(filter(None, remarks))


def _setting(setting: Described, meanings: Mapping[str, str]) -> tuple[str, ...]:
    default = setting["default"]
    shown = "none" if default is None else str(default).lower() if isinstance(default, bool) else f"{default}"
    shown = f"[{', '.join(map(str, default))}]" if isinstance(default, list | tuple) else shown
    kind = setting["type"].replace(" | ", ", ")
    return f"`{setting['name']}`", kind, f"`{shown}`", meanings[setting["name"]]


# ---------------------------------------------------------------- docs/semantics.md


def states(found: Sequence[Described]) -> str:
    """Every edge between the states of a movement, and what leads along it."""
    rows = [(f"`{state}`", f"`{to}`", why) for state, edges in EDGES.items() for to, why in edges.items()]
    final = [f"`{state}`" for state, edges in EDGES.items() if not edges]
    return f"{table(('From', 'To', 'By'), rows)}\n\n{' and '.join(final)} are final."


# ---------------------------------------------------------------- docs/rules.md


def rules(found: Sequence[Described]) -> str:
    """The engine's rules in the order of their precedence; nothing before there are any."""
    page = numbers((ROOT / "docs" / "rules.md").read_text(encoding="utf-8"))
    return f"{RULES_AS_CODE}\n\n{rules_table(RULES, page)}" if RULES else ""


RULES_AS_CODE = """\
# The rules as code

What happens next to a movement is asked of this list alone, by a provider's call and its repeat, a win for its bet, settlement, the clock, a person and another node alike. The first that speaks decides."""


# ---------------------------------------------------------------- CONTRIBUTING.md


def planted(found: Sequence[Described]) -> str:
    """What was taken out of the engine, one at a time, and the test that failed then."""
    rows = [(f"`{_subject(bug)}`", _forgotten(bug), _noticed(name)) for name, bug in BUGS.items()]
    return table(("Where", "Planted", "Noticed by"), rows)


def _subject(bug: Planted) -> str:
    where, what, _ = bug.patches[0]
    return bug.rule or f"{where.__name__.removeprefix('gateway.engine.')}.{what}".replace("._", ".")


def _forgotten(bug: Planted) -> str:
    return f"the rule {bug.how}" if bug.rule else bug.how


def _noticed(name: str) -> str:
    if name in UNMISSED:
        return f"nobody: {UNMISSED[name]}"
    module, _, test = NOTICED[name].partition(".")
    return f"test_{module}: {test.replace('_', ' ')}"


# ---------------------------------------------------------------- docs/operations.md


def causes(found: Sequence[Described]) -> str:
    """What senders do otherwise, step by step, as `gateway sign --against` tries it."""
    by_step: dict[str, dict[str, None]] = {"time stamp": {f"another one, up to {STAMP_SECONDS} s away": None}}
    for cause in (*OF_FIELDS, *OF_REQUESTS, *OF_WHOLES, *OF_TEXTS, *OF_KEYS, *OF_DIGESTS):
        by_step.setdefault(cause.step, {})[(cause.listed or cause.words).replace("<", "\\<")] = None
    return table(("Step", "Done otherwise"), [(step, "; ".join(words)) for step, words in by_step.items()])


# ---------------------------------------------------------------- writing


PARTS: Mapping[str, Callable[[Sequence[Described]], str]] = {
    "matrix": matrix, "dialects": pages, "states": states, "rules": rules, "planted": planted,
    "causes": causes,
}  # fmt: skip
FILES = ("CONTRIBUTING.md", "README.md", "docs/dialects.md", "docs/operations.md", "docs/rules.md", "docs/semantics.md")


def written(text: str, found: Sequence[Described]) -> str:
    """The text with every generated part as it must be."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]](found)}\n\n{part[3]}", text)


def main() -> None:
    found = dialects()
    for name in FILES:
        path = ROOT / name
        path.write_text(written(path.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
