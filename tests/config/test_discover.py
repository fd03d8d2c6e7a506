"""Finding dialects."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import adapters
from gateway.serve import discover
from tests.config.helpers import mistakes, with_provider


@pytest.fixture
def more_adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A further folder of adapters, as another distribution of the namespace would bring."""
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])
    discover.find.cache_clear()
    return tmp_path


def test_every_folder_with_a_dialect_is_found() -> None:
    found = discover.names()
    assert "native" in found
    assert all(discover.find(name).dialect.name == name for name in found)
    assert all((discover.find(name).folder / "dialect.py").exists() for name in found)


def test_a_broken_adapter_stops_nobody_else(more_adapters: Path) -> None:
    folder = more_adapters / "zz_broken"
    folder.mkdir()
    (folder / "dialect.py").write_text("raise RuntimeError('half written')\n")
    assert "zz_broken" in discover.names()
    assert discover.find("native").dialect.name == "native"
    with pytest.raises(discover.BrokenDialect, match="zz_broken cannot be imported: RuntimeError: half written"):
        discover.find("zz_broken")
    found = mistakes(more_adapters, with_provider("{dialect: zz_broken}"))
    assert len(found) == 1
    assert "cannot be imported" in found[0]
    sys.modules.pop("adapters.zz_broken", None)


def test_an_adapter_that_is_no_dialect(more_adapters: Path) -> None:
    folder = more_adapters / "zz_empty"
    folder.mkdir()
    (folder / "dialect.py").write_text("DIALECT = 1\n")
    with pytest.raises(discover.BrokenDialect, match="is no Dialect"):
        discover.find("zz_empty")


def test_nobody_of_that_name() -> None:
    with pytest.raises(discover.NoDialect):
        discover.find("../native")
