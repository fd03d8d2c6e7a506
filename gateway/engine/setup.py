"""One generation of the configuration as plain values: what the engine works with.

`serve/config.py` makes it from YAML; tests and the simulation make it by hand. Secrets are read
already, durations are `timedelta`, everything is checked.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct

from gateway.auth.guards import Guard
from gateway.auth.keys import Key
from gateway.currency import Currencies
from gateway.dialect import Dialect
from gateway.ends import Kept
from gateway.model import Kind, Transaction


class Breaker(Struct, frozen=True, kw_only=True):
    """When a wallet that does not answer is left alone."""

    failures: int = 20  # in a row
    cool_off: timedelta = timedelta(seconds=5)


class Limits(Struct, frozen=True, kw_only=True):
    """How much may be under way at once; `reserved` of it for credits and rollbacks alone."""

    in_flight: int = 1000
    reserved: int = 200
    breaker: Breaker = Breaker()  # of a wallet


class Provider(Struct, frozen=True, kw_only=True):
    """One integration: a game provider that calls us."""

    name: str  # the first path segment
    id: str  # immutable; part of every key
    dialect: Dialect
    settings: Any
    keys: tuple[Key, ...] = ()
    guard: Guard = Guard()
    currency: str = ""
    answer_within: Mapping[str, timedelta]  # by kind; `default` for the rest
    after_doubt: timedelta | None = None
    brand: str = ""
    limits: Limits = Limits(in_flight=2000, reserved=400)

    @property
    def renews(self) -> bool:
        """Whether who authenticates is given a new session, and the one before is over."""
        return self.dialect.as_provider.renews(self.settings)

    @property
    def kept_by(self) -> Kept:
        """What keeps one of its bets against its own cancel."""
        return self.dialect.as_provider.kept_by(self.settings)

    def limit(self, kind: Kind) -> timedelta:
        """How long this provider waits for an answer, from its first byte."""
        return self.answer_within.get(kind.value) or self.answer_within["default"]


class Send(Struct, frozen=True, kw_only=True):
    """How calls to a wallet are dressed, beside the dialect's own signature. Secrets are read."""

    headers: Mapping[str, str] = {}
    api_key: str = ""  # header X-Api-Key
    hmac: str = ""  # X-Gw-Timestamp, X-Gw-Signature
    ca: bytes = b""  # PEM
    client_cert: bytes = b""  # PEM
    client_key: bytes = b""  # PEM
    proxy: str = ""

    def __repr__(self) -> str:
        return "Send(...)"  # never a secret in a log


@functools.lru_cache(maxsize=1024)  # asked twice for every movement, and there are as many as wallets
def place_of(dialect: str, url: str, ids_as_is: bool) -> str:
    """A short name for a wallet's address: how it is spoken to, where, and what it is told as id."""
    return hashlib.sha256(f"{dialect}\x1f{url}\x1f{int(ids_as_is)}".encode()).hexdigest()[:12]


_NO_TARGET = re.compile(r'[^!-~]|["#<>]')  # what a target cannot hold as it is
_AS_IT_IS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"#<>')


@functools.lru_cache(maxsize=1024)
def path_of(url: str) -> str:
    """The path of a URL, blank where it has none."""
    return urlsplit(url).path


def behind(path: str) -> str:
    """What stands behind a wallet's URL: nothing of the `/` of a dialect of one URL, with or without a query."""
    return path[1:] if path == "/" or path.startswith("/?") else path


class Wallet(Struct, frozen=True, kw_only=True):
    """One operator's wallet that we call."""

    name: str
    dialect: Dialect
    settings: Any
    url: str  # without a trailing slash; the dialect's paths are appended
    moved_from: str = ""  # the url that it had before, while unresolved movements still know that one
    keys: tuple[Key, ...] = ()
    send: Send = Send()
    answer_within: timedelta = timedelta(seconds=2.5)
    give_up_after: timedelta = timedelta(seconds=30)
    in_flight_max: timedelta = timedelta(minutes=2)
    repeats: Mapping[str, str]  # debit, credit, rollback -> safe, applied, query, never
    remembers: timedelta = timedelta(hours=48)
    tombstones: bool = False
    ids_as_is: bool = False
    currency: str = ""
    limits: Limits = Limits()

    @property
    def buries(self) -> bool:
        """Whether the rollback of what it never saw refuses just that when it comes: where a rollback says round and amount
        alone, it would refuse the next one that is equal."""
        return self.tombstones and not self.dialect.by_stake

    @property
    def guesses(self) -> bool:
        """Whether it may take a rollback for that of another bet of the round than the one that is meant (rule 16)."""
        return self.dialect.by_stake or self.dialect.as_wallet.undoes_rounds

    def address(self, path: str) -> str:
        """Where a call of the dialect goes: a dialect of one URL to that very URL."""
        return self.url + behind(path)

    def target(self, path: str) -> str:
        """The same as its request line has it: the wallet's own path in front, what cannot stand there escaped. Some
        dialects sign it."""
        whole = path_of(self.url) + behind(path)
        whole = whole if whole.startswith("/") else f"/{whole}"
        return quote(whole, safe=_AS_IT_IS) if _NO_TARGET.search(whole) else whole

    @property
    def place(self) -> str:
        """Where this name points, in a word that the journal keeps with each movement (rule 23):
        the dialect, the address and whose ids are told there make it the same wallet."""
        return place_of(self.dialect.name, self.url, self.ids_as_is)

    @property
    def moved_from_place(self) -> str:
        """Where it pointed before it moved; blank where it did not."""
        return place_of(self.dialect.name, self.moved_from, self.ids_as_is) if self.moved_from else ""

    def is_at(self, place: str) -> bool:
        """Whether a movement that was sent to `place` was sent to this wallet. One from before places were
        kept (blank) is taken to be: nobody can say otherwise."""
        return not place or place in (self.place, self.moved_from_place)


class Route(Struct, frozen=True, kw_only=True):
    """Which wallet, and how players, games and sessions are called there. None = any."""

    wallet: str
    providers: frozenset[str] | None = None  # names, as in the configuration
    brands: frozenset[str] | None = None
    currencies: frozenset[str] | None = None
    player: re.Pattern[str] | None = None
    game: re.Pattern[str] | None = None
    players: str = ""  # template with {player}; the inverse exists
    games: Mapping[str, str] = {}  # the provider's id -> the wallet's
    sessions: str = ""  # template with {player}

    def fits(self, provider: Provider, tx: Transaction, brand: str) -> bool:
        if self.providers is not None and provider.name not in self.providers:
            return False
        if self.brands is not None and brand not in self.brands:
            return False
        if self.currencies is not None and tx.currency not in self.currencies:
            return False
        if self.player is not None and not self.player.search(tx.player):
            return False
        return self.game is None or bool(self.game.search(tx.game_id))

    def player_out(self, player: str) -> str:
        return self.players.replace("{player}", player) if self.players and player else player

    def player_in(self, player: str) -> str:
        """The inverse; a player that does not fit the template passes as it is."""
        before, _, after = self.players.partition("{player}")
        fits = self.players and player.startswith(before) and player.endswith(after)
        return player[len(before) : len(player) - len(after)] if fits else player


class Setup(Struct, frozen=True, kw_only=True):
    """One generation, whole. A call finishes on the generation it began with."""

    generation: int = 1
    providers: Mapping[str, Provider]
    wallets: Mapping[str, Wallet]
    routes: Sequence[Route]
    currencies: Currencies = Currencies()

    def route(self, provider: Provider, tx: Transaction, brand: str = "") -> Route | None:
        """The first route that fits, or None."""
        for route in self.routes:
            if route.fits(provider, tx, brand or provider.brand):
                return route
        return None

    def provider_by_id(self, provider_id: str) -> Provider | None:
        return next((p for p in self.providers.values() if p.id == provider_id), None)


class Unresolved(Struct, frozen=True):
    """So many movements of one provider that are not at their end, or that a clock still watches; the
    wallet's name and place are those that the journal keeps, blank where they went to none."""

    provider: str  # its id
    wallet: str
    place: str
    number: int
