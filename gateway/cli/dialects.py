"""`gateway dialects`: what there is to speak, at which end, how it signs, what it wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import click
import msgspec
from msgspec.structs import replace

from gateway.auth.keys import Key
from gateway.auth.steps import steps_of
from gateway.cli.common import table
from gateway.currency import Currencies
from gateway.dialect import Dialect
from gateway.engine.capability import BRIDGED, SAME, alone, tell
from gateway.engine.words import IS_ALL_OF_IT
from gateway.http import Request
from gateway.model import (
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    Capture,
    Check,
    CloseRound,
    CloseSession,
    Credit,
    Debit,
    Game,
    Kind,
    Notice,
    Release,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
)
from gateway.serve import discover
from gateway.serve.config.dialects import settings_of, type_text
from gateway.vectors import demo_key

_AMOUNT = Decimal("12.50")
_WHOLE = Transaction(
    act=Balance(),
    id="t-1",
    player="p-1",
    session="s-1",
    currency="EUR",
    round=Round("r-1", closed=False),
    game=Game(id="g-1"),
    occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
)
_ACTS: tuple[Act, ...] = (
    Authenticate(),
    Balance(),
    Check(),
    Debit(amount=_AMOUNT),
    Credit(amount=_AMOUNT, reference="t-0"),
    Settle(debit=_AMOUNT, credit=_AMOUNT),
    Rollback(reference="t-0", amount=_AMOUNT),
    Rollback(reference="t-0"),
    Adjust(amount=_AMOUNT),
    CloseRound(),
    CloseSession(),
    Reserve(amount=_AMOUNT),
    Capture(reference="t-0", amount=_AMOUNT),
    Capture(reference="t-0"),
    Release(reference="t-0"),
    Notice(),
    Status(reference="t-0"),
    Batch(items=(replace(_WHOLE, act=Debit(amount=_AMOUNT)), replace(_WHOLE, id="t-2", act=Credit(amount=_AMOUNT)))),
)


@click.command("dialects")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(name: str | None, as_json: bool) -> None:
    """The dialects, or only NAME: calls, kinds at each end, signature, keys, settings.

    \b
    gateway dialects
    gateway dialects kyren
    gateway dialects --json
    """
    known = discover.names()
    if name is not None and name not in known:
        raise click.BadParameter(f"no dialect is called {name!r}; there are {', '.join(known)}", param_hint="NAME")
    found, broken = [], False
    for each in [name] if name else known:
        try:
            found.append(described(discover.find(each).dialect))
        except discover.BrokenDialect as error:
            broken = True
            click.echo(str(error), err=True)
    click.echo(msgspec.json.encode(found) if as_json else "\n\n".join(map(shown, found)))
    if broken and name:
        raise click.exceptions.Exit(1)


def described(dialect: Dialect) -> dict[str, Any]:
    """Everything about a dialect, as JSON."""
    settings = dialect.settings()
    return {
        "name": dialect.name,
        "title": dialect.title,
        "calls": [
            {"name": w.name, "method": w.method, "path": w.path, "kinds": [k.value for k in w.kinds]}
            for w in dialect.calls
        ],
        "provider_end": [kind.value for kind in Kind if kind in dialect.speaks],
        "wallet_end": wallet_end(dialect, settings),
        "signs": signs(dialect, settings),
        "signed": signed_text(dialect, settings),
        "guard": not dialect.auth.parts(settings) or dialect.auth.weak(settings),
        "weak": dialect.auth.weak(settings),
        "keys": list(key_parts(dialect)),
        "settings": [
            {"name": name, "type": type_text(kind), "default": msgspec.to_builtins(default)}
            for name, kind, default in settings_of(dialect)
        ],
        "answer_within": dict(dialect.as_provider.answer_within),
        "after_doubt": dialect.as_provider.after_doubt,
        "tombstones": dialect.as_wallet.tombstones,
        "ids": "as_is" if dialect.as_wallet.ids_as_is else "alias",
    }


def wallet_end(dialect: Dialect, settings: Any) -> dict[str, dict[str, str]]:
    """Kind -> how a wallet of this dialect is told of it at best, tried out; refused kinds are left out."""
    found: dict[str, dict[str, str]] = {}
    way = alone(dialect, settings, Currencies())
    for act in _ACTS:
        tx = replace(_WHOLE, act=act)
        told = tell(way, tx)
        if told.text == IS_ALL_OF_IT:  # and at best it is
            told = replace(told, verdict=SAME, text="")
        if told.verdict == SAME or (told.verdict == BRIDGED and tx.kind.value not in found):
            found[tx.kind.value] = {"verdict": told.verdict} | ({"by": told.text} if told.text else {})
    return found


def signs(dialect: Dialect, settings: Any) -> str:
    """How requests are proved, in one line."""
    if not dialect.auth.parts(settings):
        return "unsigned: a guard at the provider's end, send at the wallet's"
    said = "; ".join(proof.summary for proof in dialect.auth.proofs(settings)) or type(dialect.auth).__name__
    return f"{said}{'; weak: needs allow_weak and a guard' if dialect.auth.weak(settings) else ''}"


def signed_text(dialect: Dialect, settings: Any) -> list[dict[str, str]]:
    """What is signed, step by step; of a call with a body, where others are signed otherwise."""
    request = Request(method="POST", path="/")
    covers = [proof.covers for proof in dialect.auth.proofs(settings) if proof.covers]
    return [dict(steps_of(cover, request).lines()) for cover in covers]


def key_parts(dialect: Dialect) -> Iterator[dict[str, Any]]:
    """The parts of a key, with those that only a setting asks for."""
    seen: set[str] = set()
    for settings, said in _variants(dialect):
        demo: Key = demo_key(dialect, settings)
        for part in dialect.auth.parts(settings):
            if part.name not in seen:
                seen.add(part.name)
                row = {"part": part.name, "secret": part.secret, "demo": demo.part(part.name)}
                row |= {} if part.needed else {"needed": False}
                yield row | ({"end": part.end} if part.end else {}) | ({"with": said} if said else {})


def _variants(dialect: Dialect) -> Iterator[tuple[Any, str]]:
    """The default settings, then each with one switch or choice changed."""
    yield dialect.settings(), ""
    for name, kind, default in settings_of(dialect):
        options = get_args(kind) if get_origin(kind) is Literal else (True, False) if kind is bool else ()
        for value in options:
            if value != default:
                yield msgspec.convert({name: value}, dialect.settings), f"{name}: {str(value).lower()}"


def in_short(demo: str) -> str:
    """A demo value that fits into a line: of a PEM only what it is, and where it stands."""
    first, _, rest = demo.partition("\n")
    return f"{first} ... (gateway dialects --json)" if rest else demo


def shown(it: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"{it['name']}: {it['title']}", f"  signs: {it['signs']}"]
    lines += [f"  {title}: {words}" for steps in it["signed"] for title, words in steps.items()]
    for part in it["keys"]:
        with_ = f", only with {part['with']}" if "with" in part else ""
        end = f", at the {part['end']}'s end" if "end" in part else ""
        end += "" if part.get("needed", True) else ", may be missing"
        lines.append(
            f"  key: {part['part']}{'' if part['secret'] else ' (no secret)'}{end}{with_}, in demos {in_short(part['demo'])}"
        )
    for setting in it["settings"]:
        lines.append(f"  setting: {setting['name']} = {_yaml(setting['default'])} ({setting['type']})")
    lines.append(f"  as provider: {', '.join(it['provider_end'])}")
    same = [kind for kind, how in it["wallet_end"].items() if how["verdict"] == "same"]
    lines.append(f"  as wallet: {', '.join(same)}")
    bridged = [(f"    {kind}", how["by"]) for kind, how in it["wallet_end"].items() if how["verdict"] != "same"]
    if bridged:
        lines += ["  as wallet, bridged:", table(bridged)]
    lines.append("  calls:")
    rows = [(f"  {call['method']}", call["path"], call["name"], ", ".join(call["kinds"])) for call in it["calls"]]
    return "\n".join([*lines, table(rows)])


def _yaml(value: Any) -> str:
    """A default as it would stand in the configuration."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value) or '""'
