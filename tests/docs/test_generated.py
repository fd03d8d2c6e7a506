"""What the documentation says about dialects and states is what the code says."""

from __future__ import annotations

import re

import pytest

from docs.generate import FILES, ROOT, dialects, written
from gateway.model import Kind
from gateway.serve import discover


@pytest.fixture(scope="module")
def found() -> list[dict]:
    return dialects()


@pytest.mark.parametrize("name", FILES)
def test_no_generated_part_is_stale(name: str, found: list[dict]) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "<!-- generated: " in text
    assert text == written(text, found), f"{name} is stale: make docs"


def test_a_stale_part_would_be_found(found: list[dict]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    stale = text.replace("| `settle` |", "| `settled` |")
    assert stale != text
    assert written(stale, found) == text


def test_the_matrix_has_every_dialect_and_every_kind(found: list[dict]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head = next(line for line in text.splitlines() if "scorpio_play |" in line)
    assert [cell.strip() for cell in head.strip("|").split("|")][1:] == sorted(discover.names())
    for kind in Kind:
        assert f"| `{kind.value}` |" in text


def test_every_call_key_and_setting_of_a_dialect_is_documented(found: list[dict]) -> None:
    page = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
    for it in found:
        section = re.split(rf"^## {it['name']}$", page, flags=re.MULTILINE)[1].split("\n## ")[0]
        notes = (ROOT / "adapters" / it["name"] / "NOTES.md").read_text(encoding="utf-8")
        for setting in it["settings"]:
            assert f"| `{setting['name']}` |" in section, (it["name"], setting["name"])
            assert f"| `{setting['name']}` |" in notes, f"{it['name']}/NOTES.md does not explain {setting['name']}"
        for key in it["keys"]:
            assert f"| `{key['part']}` |" in section, (it["name"], key["part"])
        for call in it["calls"]:
            assert f"| `{call['method']} {call['path']}` | {call['name']} |" in section, (it["name"], call["name"])
