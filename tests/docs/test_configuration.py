"""Every key of the configuration stands in docs/configuration.md, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import fields

from docs.generate import ROOT
from gateway.codec.times import parse_duration
from gateway.engine.setup import Wallet
from gateway.serve.config.declaration import json_schema
from gateway.serve.config.texts import Listen
from gateway.serve.config.values import Retention, Server

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|", PAGE, re.MULTILINE))
# What is written in one piece: the page explains it in the row of the whole.
WHOLE = (
    "admin.keys",
    "currencies",
    "routes[].games",
    "send.headers",
    ".answer_within",
    ".repeats",
    ".settings",
    ".keys",
)
REFERENCE = {"env", "file"}
DEFAULTS = Server(listen=Listen("127.0.0.1", 0))


def keys(schema: dict[str, Any], path: str = "", must: bool = True) -> Iterator[tuple[str, bool]]:
    """(path, whether it must stand there, with all above it) of every key that ends there, as the page writes paths."""
    if path.endswith(WHOLE) or "guard." in path:
        return
    for name, inner in schema.get("properties", {}).items():
        if name in REFERENCE:
            continue
        at = f"{path}.{name}" if path else name
        needed = must and name in schema.get("required", ())
        yield from list(keys(inner, at, needed)) or [(at, needed)]
    for inner in schema.get("patternProperties", {}).values():
        yield from keys(inner, f"{path}.NAME")
    if "items" in schema:
        yield from keys(schema["items"], f"{path}[]")
    for way in schema.get("anyOf", ()):
        yield from keys(way, path, must)


KEYS = dict(keys(json_schema()))


def test_the_schema_was_walked() -> None:
    assert {"server.listen", "providers.NAME.guard.hmac", "wallets.NAME.send.proxy", "routes[].when.game"} <= set(KEYS)


def test_every_key_is_documented() -> None:
    assert sorted(set(KEYS) - set(ROWS)) == []


def test_every_documented_key_exists() -> None:
    sections = {key.rpartition(".")[0] for key in KEYS}
    assert sorted(set(ROWS) - set(KEYS) - sections) == []


@pytest.mark.parametrize("key", sorted(KEYS))
def test_the_page_says_what_is_required(key: str) -> None:
    assert (ROWS[key] == "required") == KEYS[key], key


def test_defaults_are_those_of_the_code() -> None:
    def said(key: str) -> timedelta:
        return parse_duration(ROWS[key].strip("`"))

    defaults = {field.name: field.default for field in fields(Wallet)}
    for name in ("answer_within", "give_up_after", "in_flight_max", "remembers"):
        assert said(f"wallets.NAME.{name}") == defaults[name], name
    assert said("retention.decided") == Retention().decided
    assert said("retention.sessions") == Retention().sessions
    assert ROWS["server.max_body"] == f"`{DEFAULTS.max_body // 1024}KiB`"
