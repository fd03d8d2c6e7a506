"""`gateway check`: is the configuration right, and what can each provider say on each route?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.cli.common import FILE, table
from gateway.currency import Currencies
from gateway.engine.capability import REFUSED, for_a_person, tell
from gateway.engine.setup import Provider
from gateway.engine.words import Way
from gateway.model import Batch, Credit, Debit, Rollback, Transaction
from gateway.serve.config import ConfigErrors, Loaded, Problem, load
from gateway.serve.config.checks import can_fit
from gateway.serve.config.declaration import json_schema
from gateway.serve.discover import find
from gateway.vectors import CURRENCIES, Broken, Vector, load_all


class Row(Struct, frozen=True, kw_only=True):
    """An act of the provider's dialect, and what becomes of it on the way to a wallet. `person`: refused, it is owed all the
    same, and waits for `gateway tx resolve`; anything else that is refused is declined."""

    act: str
    verdict: str
    text: str
    vectors: list[str]
    person: bool = False


@click.command("check")
@click.argument("file", type=FILE, required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of the configuration, for editors.")
def command(file: Path | None, as_json: bool, schema: bool) -> None:
    """Validate the configuration FILE without network, and show what each route can say.

    Every act in the provider's own vectors is tried on the wallet's dialect: it is said the same,
    bridged (and by what), refused (and why), or for a person: refused too, and owed all the same.

    \b
    gateway check gateway.yaml
    gateway check gateway.yaml --json | jq .routes
    gateway check --schema > schema.json
    """
    if schema:
        click.echo(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())
        return
    if file is None:
        raise click.UsageError("name the configuration: gateway check gateway.yaml")
    try:
        config = load(file, os.environ)
        problems = config.no_way
    except ConfigErrors as errors:
        config, problems = None, errors.problems
    routes = list(ways(config)) if config is not None else []
    for problem in problems:
        click.echo(str(problem), err=True)
    if as_json:
        click.echo(msgspec.json.encode(_report(file, problems, routes)))
    elif config is not None:
        click.echo(_shown(file, config, routes))
    if problems:
        raise click.exceptions.Exit(1)


def _report(file: Path, problems: tuple[Problem, ...], routes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"file": str(file), "ok": not problems, "problems": problems, "routes": routes}


def ways(config: Loaded) -> Iterator[dict[str, Any]]:
    """Every provider on every route that could ever fit it."""
    setup = config.setup
    for provider in setup.providers.values():
        for number, route in enumerate(setup.routes, 1):
            wallet = setup.wallets.get(route.wallet)
            if wallet is not None and can_fit(route, provider):
                yield {
                    "provider": provider.name,
                    "dialect": provider.dialect.name,
                    "route": number,
                    "wallet": wallet.name,
                    "wallet_dialect": wallet.dialect.name,
                    "acts": judged(Way(setup=setup, provider=provider, wallet=wallet, route=route)),
                }


def judged(way: Way) -> list[Row]:
    """The acts of the provider's vectors; those with one judgement are one row."""
    provider, setup = way.provider, way.setup
    currencies = Currencies({**CURRENCIES.configured, **setup.currencies.configured})
    way = replace(way, setup=replace(setup, currencies=currencies))
    rows: dict[tuple[str, str, str, bool], list[str]] = {}
    now = datetime.now(UTC)
    for vector in _vectors(provider):
        assert vector.transaction is not None
        tx = vector.transaction
        tx = replace(tx, currency=tx.currency or provider.currency or vector.call.currency)
        for meant in _meanings(provider, tx):
            told = tell(way, meant, vector.call.name, now)
            person = told.verdict == REFUSED and for_a_person(meant)
            rows.setdefault((_act(meant), told.verdict, told.text, person), []).append(vector.name)
    return [
        Row(act=act, verdict=verdict, text=text, vectors=names, person=person)
        for (act, verdict, text, person), names in rows.items()
    ]


def _meanings(provider: Provider, tx: Transaction) -> list[Transaction]:
    """A rollback once for each kind that it may mean, where the wire does not say it; anything else as it is."""
    act = tx.act
    if isinstance(act, Batch):  # all of its items as the likeliest that they may mean, then as the next
        several = [_meanings(provider, item) for item in act.items]
        most = max(map(len, several), default=1)
        lists = [tuple(each[min(turn, len(each) - 1)] for each in several) for turn in range(most)]
        return [replace(tx, act=replace(act, items=items)) for items in lists]
    if not isinstance(act, Rollback) or act.scope == "round":
        return [tx]
    kinds = provider.dialect.as_provider.rollback_kinds.get(act.reference_kind.value, (act.reference_kind,))
    return [replace(tx, act=replace(act, reference_kind=kind)) for kind in kinds]


def _vectors(provider: Provider) -> list[Vector]:
    try:
        vectors = load_all(provider.dialect, find(provider.dialect.name).folder / "vectors")
    except Broken as broken:
        raise click.ClickException(f"a vector of {provider.dialect.name} cannot be read: {broken}") from None
    order = list(type(vectors[0].transaction.kind)) if vectors and vectors[0].transaction else []
    found = [vector for vector in vectors if vector.transaction is not None and "in" in vector.ends]
    return sorted(found, key=lambda v: order.index(v.transaction.kind) if order and v.transaction else 0)


def _act(tx: Transaction) -> str:
    """`debit`, `debit (free)`, `rollback of a credit`, ..."""
    act = tx.act
    if isinstance(act, Rollback):
        whole = " of a round" if act.scope == "round" else f" of a {act.reference_kind.value}"
        return f"rollback{whole}"
    if isinstance(act, Debit | Credit):
        marks = [("free", act.free_round), ("tracking only", act.tracking_only), ("of nothing", not act.amount)]
        said = ", ".join(word for word, is_so in marks if is_so)
        return f"{tx.kind.value} ({said})" if said else tx.kind.value
    return tx.kind.value


def _shown(file: Path, config: Loaded, routes: list[dict[str, Any]]) -> str:
    setup = config.setup
    counted = [(len(setup.providers), "provider"), (len(setup.wallets), "wallet"), (len(setup.routes), "route")]
    counts = ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counted)
    verdict = "no provider may be without a way" if config.no_way else "right"
    parts = [f"{file}: {verdict}; {counts}"]
    for way in routes:
        head = (
            f"{way['provider']} ({way['dialect']}) -> {way['wallet']} ({way['wallet_dialect']}), route {way['route']}"
        )
        rows = [(row.act, "for a person" if row.person else row.verdict, row.text) for row in way["acts"]]
        parts.append(f"\n{head}\n{table(rows) or '  its dialect has no vectors'}")
    return "\n".join(parts)
