"""What a configuration is once it was read: the engine's setup, and what the servers need beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from msgspec import Struct

from gateway.auth.keys import Key
from gateway.engine.setup import Setup
from gateway.serve.config.places import Problem
from gateway.serve.config.texts import Listen


class Tls(Struct, frozen=True, kw_only=True):
    """Files in PEM form. With `client_ca`, client certificates are asked for."""

    cert: Path
    key: Path
    client_ca: Path | None = None


class Server(Struct, frozen=True, kw_only=True):
    """The providers' listener."""

    listen: Listen
    max_body: int = 64 * 1024  # bytes
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    demo: bool = False
    tls: Tls | None = None


class Admin(Struct, frozen=True, kw_only=True):
    """The operator's listener. Keys hold one part, `secret`."""

    listen: Listen
    keys: tuple[Key, ...] = ()


class JournalAt(Struct, frozen=True, kw_only=True):
    """Where the journal is. `path` is absolute, or `:memory:`; blank on PostgreSQL."""

    url: str
    path: str
    password: str = ""

    def __repr__(self) -> str:
        return f"JournalAt({self.url!r})"  # never the password

    @property
    def shared(self) -> bool:
        """Whether several nodes and workers may use it: it is PostgreSQL's."""
        return not self.path


class Retention(Struct, frozen=True, kw_only=True):
    decided: timedelta = timedelta(days=35)
    sessions: timedelta = timedelta(days=7)


class Loaded(Struct, frozen=True, kw_only=True):
    """One configuration, whole and without mistakes.

    `no_way`: providers that no route could ever fit. Their calls have no wallet (rule 21), so a
    server may run with them; `gateway check` fails. `places`: line and column of each wallet and
    provider by section and name, and of the section under a blank name.
    """

    path: Path
    setup: Setup
    server: Server
    admin: Admin
    journal: JournalAt
    retention: Retention = Retention()
    no_way: tuple[Problem, ...] = ()
    places: Mapping[tuple[str, str], tuple[int, int]] = {}
