"""What the functions of a dialect may know beside their arguments: what a pure function may not fetch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway.currency import Currencies
from gateway.http import Request


class NoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """For a dialect without settings of its own."""


class Call(Struct, frozen=True, kw_only=True):
    """What the four functions may know beside their arguments."""

    settings: Any = NoSettings()  # the dialect's own `Settings`
    now: datetime
    nonce: str = ""  # a fresh UUID as text, for ids that we make
    name: str = ""  # the wire call, as `route` said; blank where a request is being encoded
    request: Request | None = None  # what is being answered, or what was sent
    provider: str = ""  # the integration's immutable id, for wallets that are told it
    currency: str = ""  # the integration's own, where the wire has none
    currencies: Currencies = Currencies()
    country: str = ""  # provider's end: the player's, as the wallet said it when the session began
    again: bool = False
    """Wallet's end: an earlier attempt of this movement may have arrived. Provider's end: its id came before."""
    unknown: frozenset[str] = frozenset()  # provider's end: what the answer missed, and nobody knows
    stand_in: bool = False
    """A part of the key stands in a session's place: the request shows one (provider's end), or `sign` puts ours where
    there is no session (wallet's end)."""
