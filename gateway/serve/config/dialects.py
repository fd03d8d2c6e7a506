"""What a dialect wants of its users: typed settings and the parts of its keys."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import fields

from gateway.auth.keys import Key
from gateway.auth.scheme import Part
from gateway.dialect import Dialect
from gateway.model import Refused
from gateway.serve import discover
from gateway.serve.config.places import Node, Reader, plain, shortened
from gateway.serve.config.secrets import Given, pem_ok, refuse_literal
from gateway.serve.config.sections import Section

PROVIDER, WALLET = "provider", "wallet"
_PEM_PARTS = {"public_key": "public key", "private_key": "private key"}


def find_dialect(section: Section, reader: Reader) -> Dialect | None:
    """The dialect that a provider or wallet names; None, and a problem, where there is none."""
    name = section["dialect"]
    if name is None:
        return None
    try:
        return discover.find(name).dialect
    except discover.NoDialect:
        reader.unknown(section.at("dialect"), "dialect", name, discover.names())
    except discover.BrokenDialect as error:
        reader.wrong(section.at("dialect"), str(error), "mend adapters/, or choose another dialect")
    return None


# ---------------------------------------------------------------- settings


def type_text(kind: Any) -> str:
    """A setting's type in words: `text`, `true | false`, `fixed2 | iso4217`."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(map(str, args))
    if origin in (Union, types.UnionType):
        return " | ".join(type_text(arg) for arg in args if arg is not type(None))
    if kind is bool:
        return "true | false"
    words = {str: "text", int: "integer", dict: "map", list: "list", tuple: "list"}
    return words.get(origin or kind, getattr(kind, "__name__", str(kind)).lower())


def settings_of(dialect: Dialect) -> list[tuple[str, Any, Any]]:
    """(name, type, default) of every setting."""
    hints = get_type_hints(dialect.settings)
    defaults = dialect.settings()
    return [(f.encode_name, hints[f.name], getattr(defaults, f.name)) for f in fields(dialect.settings)]


def read_settings(dialect: Dialect, node: Node | None, reader: Reader) -> Any:
    """The dialect's settings, checked one by one. One that is wrong is reported and left at its default."""
    known = {name: kind for name, kind, _ in settings_of(dialect)}
    values = {}
    for key, value in node.pairs if node is not None else ():
        if key.text not in known:
            reader.unknown(key, f"setting of {dialect.name}", key.text, known)
        elif _setting_ok(key.text, known[key.text], value, reader):
            values[key.text] = plain(value)
    try:
        return msgspec.convert(values, dialect.settings)
    except (msgspec.ValidationError, Refused) as error:
        assert node is not None
        reader.wrong(node, f"these settings are impossible: {error}", "see `gateway dialects`")
        return dialect.settings()


def _setting_ok(name: str, kind: Any, node: Node, reader: Reader) -> bool:
    value = plain(node)
    try:
        # strict: neither "true" for true nor 1 for "1"
        if get_origin(kind) is Literal:
            _check_choice(value, get_args(kind))
        else:
            msgspec.convert(value, kind, strict=True)
    except (msgspec.ValidationError, Refused) as error:
        detail = f" ({error})" if node.what in ("map", "list") else ""
        reader.wrong(
            node, f"{name}: {shortened(node.text) or node.shown} is not possible{detail}", _instead(kind, node)
        )
        return False
    return True


def _check_choice(value: Any, choices: Sequence[Any]) -> None:
    if not any(value == choice and type(value) is type(choice) for choice in choices):
        raise msgspec.ValidationError("none of the choices")


def _instead(kind: Any, node: Node) -> str:
    if node.what in ("integer", "number", "boolean", "time"):
        try:
            msgspec.convert(node.text, kind, strict=True)
        except (msgspec.ValidationError, Refused):
            pass
        else:
            return f'put it in quotes: "{shortened(node.text)}"'
    return f"write {type_text(kind)}"


# ---------------------------------------------------------------- keys


def parts_at(dialect: Dialect, settings: Any, end: str) -> tuple[Part, ...]:
    """The parts that a key needs at this end of ours."""
    return tuple(part for part in dialect.auth.parts(settings) if part.end in ("", end))


def read_keys(dialect: Dialect, settings: Any, end: str, section: Section, reader: Reader) -> tuple[Key, ...]:
    """The keys of a provider or wallet, with exactly the parts that its dialect wants, or may do without."""
    parts = parts_at(dialect, settings, end)
    given: Iterable[Section] = section["keys"] or ()
    if not parts:
        if "keys" in section:
            guard = "a guard says who may call" if end == PROVIDER else "send carries the proof"
            reader.wrong(
                section.at("keys"), f"{dialect.name} does not sign with these settings", f"leave keys out; {guard}"
            )
        return ()
    if "keys" not in section:
        named = ", ".join(f"{part.name}: ..." for part in parts if part.needed)
        reader.wrong(section.node, f"keys are missing: {dialect.name} signs", f"write keys: [{{id: k1, {named}}}]")
        return ()
    check_ids(given, reader)
    keys = [_key(dialect, settings, end, parts, each, reader) for each in given]
    return tuple(key for key in keys if key is not None)


def check_ids(sections: Iterable[Section], reader: Reader) -> None:
    """Two keys of one list never share an id: metrics and logs could not tell them apart."""
    seen: set[str] = set()
    for section in sections:
        if section["id"] in seen:
            reader.wrong(section.at("id"), f"two keys are called {section['id']}", "give each an id of its own")
        if section["id"]:
            seen.add(section["id"])


def _key(
    dialect: Dialect, settings: Any, end: str, parts: tuple[Part, ...], section: Section, reader: Reader
) -> Key | None:
    wanted = {part.name: part for part in parts}
    for name, (key, _) in section.extra.items():
        if name not in wanted:
            _strange_part(dialect, settings, name, key, wanted, reader)
    missing = [name for name, part in wanted.items() if part.needed and name not in section.extra]
    for name in missing:
        reader.wrong(section.node, f"the key has no {name}", f"write {name}: {{env: NAME}}")
    texts = {
        name: _part(dialect, settings, part, section.extra[name][1], reader)
        for name, part in wanted.items()
        if name in section.extra
    }
    if missing or None in texts.values() or not section.ok("id", "until"):
        return None
    return Key(id=section["id"], parts={name: str(text) for name, text in texts.items()}, until=section["until"])


def _strange_part(dialect: Dialect, settings: Any, name: str, key: Node, wanted: Iterable[str], reader: Reader) -> None:
    other = next((part.end for part in dialect.auth.parts(settings) if part.name == name), "")
    if other:
        reader.wrong(key, f"{name} belongs to the {other}'s end", f"write {', '.join(wanted)}")
    else:
        reader.unknown(key, f"part of a key of {dialect.name}", name, wanted)


def _part(dialect: Dialect, settings: Any, part: Part, given: Any, reader: Reader) -> str | None:
    if not isinstance(given, Given):
        return None  # wrong, and reported
    if part.secret and given.literal and not reader.demo:
        refuse_literal(given.node, reader)
        return None
    holds = _PEM_PARTS.get(part.name)
    if holds and not pem_ok(holds, given.text):
        reader.wrong(given.node, f"{part.name} is no {holds} in PEM form", f"-----BEGIN {holds.upper()}-----")
        return None
    fault = dialect.auth.fault(part.name, given.text, settings)
    if fault:
        reader.wrong(given.node, fault, f"see the key's parts in `gateway dialects {dialect.name}`")
        return None
    return given.text
