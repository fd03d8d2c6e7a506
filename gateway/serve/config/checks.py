"""What must hold between the parts of a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from gateway.currency import Currencies
from gateway.engine.capability import encodes
from gateway.engine.setup import Provider, Route, Wallet
from gateway.model import MONEY_KINDS, Kind, Status, Transaction
from gateway.serve.config.build import Names, check_digits
from gateway.serve.config.places import Node, Problem, Reader
from gateway.serve.config.sections import Section


def check_ids_differ(providers: Mapping[str, Provider], sections: Names, reader: Reader) -> None:
    """An id is part of every key: two providers with one would be one."""
    seen: dict[str, str] = {}
    for name, provider in providers.items():
        if provider.id in seen:
            node = sections[name][1].at("id")
            reader.wrong(
                node, f"providers {seen[provider.id]} and {name} have one id, {provider.id}", "give it its own"
            )
        seen.setdefault(provider.id, name)


def check_client_ca(sections: Names, server: Section | Any, reader: Reader) -> None:
    """Without a CA no client shows a certificate, and the guard could never hold."""
    tls = server["tls"] if isinstance(server, Section) else None
    if isinstance(server, Section) and (not server.ok("tls") or (tls and "client_ca" in tls)):
        return
    for _, section in sections.values():
        guard = section["guard"] if isinstance(section, Section) else None
        if guard and guard["client_cert"]:
            reader.wrong(
                guard.at("client_cert"), "client_cert needs server.tls.client_ca", "write client_ca: {file: ca.pem}"
            )


def check_listeners(server: Any, admin: Any, reader: Reader) -> None:
    if not isinstance(admin, Section) or not admin["listen"]:
        return
    if not admin["listen"].loopback and "keys" not in admin:
        problem = "admin.keys are missing, and admin.listen is no loopback address"
        reader.wrong(
            admin.node, problem, "write keys: [{id: ops, secret: {env: ADMIN_KEY}}], or listen on 127.0.0.1:9090"
        )
    if isinstance(server, Section) and server["listen"] and server["listen"].port == admin["listen"].port != 0:
        reader.wrong(
            admin.at("listen"), "admin and server listen on the same port", "give admin.listen a port of its own"
        )


def check_route_names(section: Section, providers: Names, wallets: Names, reader: Reader) -> None:
    """Names of entries that exist, right or wrong: one mistake is told once."""
    if section["wallet"] and section["wallet"] not in wallets:
        reader.unknown(section.at("wallet"), "wallet", section["wallet"], wallets)
    when = section["when"]
    for name in (when["provider"] or ()) if when else ():
        if name not in providers:
            reader.unknown(_item(when.at("provider"), name), "provider", name, providers)


def check_route_digits(
    section: Section, wallets: Mapping[str, Wallet], currencies: Currencies, reader: Reader
) -> None:  # fmt: skip
    """A route may bring a currency to a wallet whose wire cannot hold it."""
    wallet, when = wallets.get(section["wallet"] or ""), section["when"]
    if wallet is not None and when:
        for code in when["currency"] or ():
            check_digits(wallet.dialect, code, _item(when.at("currency"), code), currencies, reader)


def _item(node: Node, text: str) -> Node:
    return next((item for item in node if item.text == text), node)


def can_fit(route: Route, provider: Provider) -> bool:
    """Whether some call of this provider could take the route. A brand may also come with a launch."""
    named = route.providers is None or provider.name in route.providers
    return named and (route.brands is None or not provider.brand or provider.brand in route.brands)


def without_a_way(
    providers: Mapping[str, Provider], sections: Names, routes: Sequence[Route], reader: Reader
) -> list[Problem]:
    found = []
    for name, provider in providers.items():
        if not any(can_fit(route, provider) for route in routes):
            node = sections[name][0]
            problem = f"the provider {name} has no way at all: no route could ever fit"
            found.append(
                Problem(str(reader.path), node.line, node.column, problem, f"add {name} to a route's when.provider")
            )
    return found


def check_pairs(
    providers: Mapping[str, Provider],
    wallets: Mapping[str, Wallet],
    sections: Names,
    routes: Sequence[Route],
    reader: Reader,
) -> None:
    """What a wallet must be for the providers that reach it."""
    for name, wallet in wallets.items():
        mine = [route for route in routes if route.wallet == name]
        callers = [p for p in providers.values() if any(can_fit(route, p) for route in mine)]
        _, section = sections[name]
        _check_time(wallet, callers, section, reader)
        if wallet.ids_as_is and not wallet.dialect.as_wallet.ids_as_is:
            _check_as_is(wallet, callers, section, reader)


def _check_time(wallet: Wallet, callers: Sequence[Provider], section: Section, reader: Reader) -> None:
    for provider in callers:
        kind, limit = min(provider.answer_within.items(), key=lambda item: item[1])
        if wallet.answer_within >= limit and section.ok("answer_within"):
            what = "" if kind == "default" else f" for {kind}"
            problem = f"answer_within {_shown(wallet.answer_within)} is not less than that of the provider {provider.name}{what}"
            reader.wrong(section.at("answer_within"), problem, f"write less than {_shown(limit)}")


def _shown(time: timedelta) -> str:
    return f"{round(time.total_seconds() * 1000)}ms"


def _check_as_is(wallet: Wallet, callers: Sequence[Provider], section: Section, reader: Reader) -> None:
    """Rule 3: two movements must never look like one to the wallet."""
    node = section.at("ids")
    if len(callers) > 1:
        names = ", ".join(p.name for p in callers)
        reader.wrong(
            node, f"ids: as_is with several providers ({names}): their ids may be the same", "write ids: alias"
        )
    for provider in callers:
        spaces = key_spaces(provider)
        if len(spaces) > 1 and not wallet.dialect.as_wallet.separates:
            problem = f"ids: as_is, but {provider.name} has several key spaces ({', '.join(sorted(spaces))})"
            reader.wrong(node, f"{problem} and {wallet.dialect.name} keeps one", "write ids: alias")


def key_spaces(provider: Provider) -> set[str]:
    dialect = provider.dialect
    return {
        dialect.as_provider.space(wire.name, kind)
        for wire in dialect.calls
        for kind in wire.kinds
        if kind in MONEY_KINDS
    }


_ASKED = {"debit": Kind.DEBIT, "credit": Kind.CREDIT, "rollback": Kind.ROLLBACK}


def check_query(wallet: Wallet, section: Section, currencies: Currencies, reader: Reader) -> None:
    """`query` exists only where the wallet's dialect can ask (rule 14)."""
    given = section["repeats"]
    for name, word in wallet.repeats.items():
        if word == "query" and not can_ask(wallet, _ASKED[name], currencies):
            node = given.at(name) if isinstance(given, Section) else section.at("repeats")
            problem = f"{wallet.dialect.name} cannot ask what became of a {name}"
            reader.wrong(node, f"{problem}: query does not exist there", "write safe, applied or never")
            if not isinstance(given, Section):
                return


def can_ask(wallet: Wallet, kind: Kind, currencies: Currencies) -> bool:
    asked = Transaction(act=Status(reference="t-1", reference_kind=kind), player="p-1")
    return encodes(wallet.dialect, wallet.settings, asked, currencies)
