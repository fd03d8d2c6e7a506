"""Files that are no configuration at all, and the places of what is wrong in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.serve.config import ConfigErrors, load
from tests.config.helpers import ENVIRON, GOOD, HEAD, good, mistakes, with_provider


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "gateway.yaml:1:1: the file is empty"),
        ("# nothing\n", "gateway.yaml:1:1: the file is empty"),
        ("- a\n- b\n", "gateway.yaml:1:1: the file holds a list, not a map"),
        ("hello\n", "gateway.yaml:1:1: the file holds a text, not a map"),
        ("a: [\n", "gateway.yaml:2:1: this is not YAML"),
        ("version: 1\na: b: c\n", "gateway.yaml:2:5: this is not YAML"),
        ("a: *nobody\n", "gateway.yaml:1:4: this is not YAML"),
        ("--- {a: 1}\n--- {b: 1}\n", "gateway.yaml:2:1: this is not YAML"),
        ("[" * 600, "gateway.yaml:1:1: this is not YAML"),
        ("a: \x01\n", "gateway.yaml:1:1: this is not YAML"),
    ],
)
def test_what_is_no_configuration_is_said_once(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(said)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(ConfigErrors, match=r":1:1: the file is not UTF-8 text"):
        load(path, ENVIRON)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load(tmp_path / "none.yaml", ENVIRON)


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = HEAD.replace("version: 1", "version: 2").replace("journal:", "jornal:") + "rutes: []\n"
    assert mistakes(tmp_path, text) == [
        "gateway.yaml:1:1: journal is missing (write journal: ...)",
        "gateway.yaml:1:10: this is not a number that is possible here: 2 (write 1)",
        "gateway.yaml:4:1: unknown key 'jornal' (write journal)",
        "gateway.yaml:5:1: unknown key 'rutes' (write routes)",
    ]


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    found = mistakes(tmp_path, GOOD + "routes: [{wallet: main}]\n")
    assert found == ["gateway.yaml:14:1: the key 'routes' stands twice, first in line 13 (keep one of them)"]


def test_anchors_aliases_and_merged_sections(tmp_path: Path) -> None:
    text = GOOD.replace("keys: [{id: w1", "keys: &keys [{id: w1") + ("x-nothing: 1\n")  # an unknown key stays one
    assert mistakes(tmp_path, text) == [
        "gateway.yaml:14:1: unknown key 'x-nothing' (one of version, server, admin, journal, retention, "
        "currencies, providers, wallets, routes)"
    ]
    merged = GOOD.replace("  main:\n", "  main: &main\n").replace(
        "routes:", "  second: {<<: *main, remembers: 1h}\nroutes:"
    )
    wallets = good(tmp_path, merged).setup.wallets
    assert wallets["second"].url == wallets["main"].url
    assert wallets["second"].remembers < wallets["main"].remembers


def test_a_cycle_of_aliases_ends(tmp_path: Path) -> None:
    found = mistakes(tmp_path, GOOD + "retention: &r {decided: *r}\n")
    assert found == ["gateway.yaml:14:12: this is a map, not a duration (write a duration)"]


def test_norway_is_a_text(tmp_path: Path) -> None:
    loaded = good(
        tmp_path, with_provider("{dialect: scorpio_play, keys: [{id: NO, secret: {env: SECRET}}], brand: NO}")
    )
    assert loaded.setup.providers["other"].brand == "NO"
