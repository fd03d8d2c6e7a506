"""A dialect, its settings and its keys as the command line names them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.auth.keys import Key
from gateway.dialect import Dialect
from gateway.serve.discover import BrokenDialect, NoDialect, find, names
from gateway.vectors import demo_key


class BadChoice(ValueError):
    """What was named does not exist; the message says what does."""


def dialect_named(name: str) -> Dialect:
    """The dialect of this name. Raises `BadChoice` where there is none, or a broken one."""
    try:
        return find(name).dialect
    except NoDialect:
        raise BadChoice(f"unknown dialect {name!r}{_instead(name, names())}") from None
    except BrokenDialect as broken:
        raise BadChoice(str(broken)) from None


def settings_of(dialect: Dialect, given: Sequence[str]) -> Any:
    """`NAME=VALUE` texts as the dialect's own typed settings."""
    known = [field.name for field in msgspec.structs.fields(dialect.settings)]
    plain = pairs("setting", given, known, f"{dialect.name} has no setting")
    try:
        return msgspec.convert(plain, dialect.settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadChoice(f"setting of {dialect.name}: {error}") from None


def keys_of(dialect: Dialect, settings: Any, given: Sequence[str]) -> tuple[Key, ...]:
    """The demo key with the parts that were given; `PART=@FILE` reads a file. Empty: unsigned."""
    demo = demo_key(dialect, settings)
    if not demo.parts and not given:
        return ()
    parts = pairs("key", given, list(demo.parts), f"{dialect.name}'s key has no part")
    return (Key(id="demo", parts={**demo.parts, **{part: _content(value) for part, value in parts.items()}}),)


def pairs(what: str, given: Sequence[str], known: Sequence[str], unknown: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadChoice(f"{what} {text!r} has no value (write NAME=VALUE)")
        if name not in known:
            raise BadChoice(f"{unknown} {name!r}{_instead(name, known)}")
        found[name] = value
    return found


def _content(value: str) -> str:
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadChoice(f"{value[1:]}: {error.strerror if isinstance(error, OSError) else 'is no text'}") from None


def _instead(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f" (did you mean {near[0]}?)"
    return f" (one of {', '.join(known)})" if known else " (it has none)"


def address_of(text: str) -> tuple[str, int]:
    """`127.0.0.1:9100`, `[::1]:9100`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadChoice(f"{text!r} is no address (write 127.0.0.1:9100)")
    return host.strip("[]"), int(port)


def headers_of(given: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as headers."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not (name + value).isascii():
            raise BadChoice(f"header {text!r} has no value (write X-Api-Key=VALUE)")
        found[name.lower()] = value
    return found
