"""Read a configuration: all of its mistakes at once, or all of its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from gateway.engine.setup import Setup
from gateway.serve.config import checks
from gateway.serve.config.build import Names, build_currencies, build_provider, build_route, build_wallet, shared_keys
from gateway.serve.config.declaration import ROOT
from gateway.serve.config.places import ConfigErrors, Node, Problem, Reader, read_tree
from gateway.serve.config.sections import Section
from gateway.serve.config.shapes import BAD
from gateway.serve.config.values import Admin, JournalAt, Loaded, Retention, Server, Tls

T = TypeVar("T")


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """The configuration in `path`. Raises `ConfigErrors` with everything that is wrong."""
    reader = Reader(path, environ)
    node = read_tree(reader)
    loaded = None
    if node is not None:
        reader.demo = _is_demo(node)
        loaded = _loaded(ROOT.read(node, reader), reader)
    if reader.problems or loaded is None:
        raise ConfigErrors(reader.problems)
    return loaded


def _is_demo(root: Node) -> bool:
    """Known before anything is read: it decides whether literal secrets are mistakes."""
    server = root.child("server")
    demo = server.child("demo") if server else None
    return demo is not None and demo.what == "boolean" and demo.text.lower() == "true"


def _loaded(root: Section, reader: Reader) -> Loaded | None:
    setup, no_way = _setup(root, reader)
    checks.check_listeners(root["server"], root["admin"], reader)
    admin_keys = shared_keys(root["admin"]["keys"], reader) if root["admin"] else ()
    if reader.problems:
        return None
    server, admin, journal = root["server"], root["admin"], root["journal"]
    return Loaded(
        path=reader.path,
        setup=setup,
        server=_server(server),
        admin=Admin(listen=admin["listen"], keys=admin_keys),
        journal=_journal(journal, reader),
        retention=_retention(root["retention"]),
        no_way=tuple(no_way),
        places=_places(root),
    )


def _places(root: Section) -> dict[tuple[str, str], tuple[int, int]]:
    """Where providers and wallets stand: what is wrong with one is sometimes known only later."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for section in ("providers", "wallets"):
        names: Names = root[section] or {}
        nodes = {"": root.at(section)} | {name: key for name, (key, _) in names.items()}
        found |= {(section, name): (node.line, node.column) for name, node in nodes.items()}
    return found


def _setup(root: Section, reader: Reader) -> tuple[Setup, list[Problem]]:
    currencies = build_currencies(root["currencies"], reader)
    names: Names = root["providers"] or {}
    wallet_names: Names = root["wallets"] or {}
    providers = _built(names, lambda name, section: build_provider(name, section, currencies, reader))
    wallets = _built(wallet_names, lambda name, section: build_wallet(name, section, currencies, reader))
    sections: list[Section] = root["routes"] or []
    for section in sections:
        checks.check_route_names(section, names, wallet_names, reader)
        checks.check_route_digits(section, wallets, currencies, reader)
    routes = [r for r in (build_route(section, currencies, reader) for section in sections) if r is not None]
    setup = Setup(providers=providers, wallets=wallets, routes=routes, currencies=currencies)
    _cross(root, setup, names, wallet_names, reader)
    no_way = checks.without_a_way(providers, names, routes, reader) if root.ok("routes") else []
    return setup, no_way


def _cross(root: Section, setup: Setup, providers: Names, wallets: Names, reader: Reader) -> None:
    checks.check_ids_differ(setup.providers, providers, reader)
    checks.check_client_ca(providers, root["server"], reader)
    checks.check_pairs(setup.providers, setup.wallets, wallets, setup.routes, reader)
    for name, wallet in setup.wallets.items():
        checks.check_query(wallet, wallets[name][1], setup.currencies, reader)


def _built(names: Names, build: Callable[[str, Section], T | None]) -> dict[str, T]:
    """Those that could be built; what was wrong with the others has been reported."""
    built = {name: build(name, section) for name, (_, section) in names.items() if section is not BAD}
    return {name: value for name, value in built.items() if value is not None}


def _server(section: Section) -> Server:
    tls = section["tls"]
    given: dict[str, Any] = {"max_body": section["max_body"]} if section["max_body"] else {}
    return Server(
        listen=section["listen"],
        trusted_proxies=tuple(section["trusted_proxies"] or ()),
        demo=section["demo"],
        tls=Tls(cert=tls["cert"], key=tls["key"], client_ca=tls["client_ca"]) if tls else None,
        **given,
    )


def _journal(section: Section, reader: Reader) -> JournalAt:
    at = section["url"]
    path = at.path if at.path in ("", ":memory:") else str(reader.folder / at.path)
    return JournalAt(url=at.url, path=path, password=section["password"] or "")


def _retention(section: Section | None) -> Retention:
    given = {name: value for name, value in section.values.items() if value} if section else {}
    return Retention(**given)
