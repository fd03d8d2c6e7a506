"""The wallets' HTTP client: pooled, HTTP/1.1, no redirects, no second sending.

Wallets are called over connections of our own (`pool.py`, `wire.py`), which know whether a byte of
a request may have left; those with a `proxy` by a library (`proxied.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.guards import hmac_signature
from gateway.engine.setup import Send, Wallet, behind
from gateway.engine.world import Silence
from gateway.http import Request, Response
from gateway.serve.pool import CONNECT_SECONDS_MAX, Place, Pool, place_at
from gateway.serve.proxied import Proxied
from gateway.serve.wire import target, written


class WalletClient(Protocol):
    """How the outer ring talks to wallets."""

    async def send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        """The complete answer to `request`, sent at most once. Raises `Silence`."""
        ...

    async def close(self) -> None: ...


class _Way(Struct, frozen=True):
    """How one wallet is reached, by its name's present meaning."""

    url: str
    send: Send
    place: Place
    over: Pool | Proxied


class HttpWalletClient:
    """One pool of connections for each wallet and way of sending."""

    def __init__(self, clock: Callable[[], datetime], *, connect_seconds: float = CONNECT_SECONDS_MAX) -> None:
        self._clock, self._connect_seconds = clock, connect_seconds
        self._ways: dict[str, list[_Way]] = {}

    async def send(self, wallet: Wallet, request: Request, seconds: float) -> Response:
        if seconds <= 0:
            raise Silence("timeout", "no time was left to ask", left=False)
        way = self._way(wallet)
        asked_for = _target(way.place, request)
        dressed = dress(wallet, request, asked_for, self._clock)
        if isinstance(way.over, Proxied):
            return await way.over.ask(dressed, wallet.address(request.url), seconds)
        sent = written(dressed, asked_for, way.place.said)
        return await way.over.ask(sent, seconds, headless=request.method == "HEAD")

    def keep(self, wallets: Iterable[Wallet]) -> None:
        """After a reload: forgets pools that no wallet uses. Calls on them end undisturbed."""
        now = {wallet.name: wallet for wallet in wallets}
        for name, ways in list(self._ways.items()):
            wallet = now.get(name)
            self._ways[name] = [way for way in ways if wallet is not None and _fits(way, wallet)]
            for way in ways:
                if way not in self._ways[name]:
                    way.over.retire()

    async def close(self) -> None:
        for ways in self._ways.values():
            for way in ways:
                await way.over.close()
        self._ways.clear()

    def _way(self, wallet: Wallet) -> _Way:
        ways = self._ways.setdefault(wallet.name, [])
        for way in ways:
            if _fits(way, wallet):
                return way
        try:
            way = _way_to(wallet, self._connect_seconds)
        except ValueError as error:
            raise Silence("unreachable", f"the wallet's address: {error}", left=False) from None
        ways.insert(0, way)
        return way


def _fits(way: _Way, wallet: Wallet) -> bool:
    return way.url == wallet.url and (way.send is wallet.send or way.send == wallet.send)


def _way_to(wallet: Wallet, connect_seconds: float) -> _Way:
    send, place = wallet.send, place_at(wallet.url)
    over = Proxied(send, connect_seconds) if send.proxy else Pool(place, send, connect_seconds)
    return _Way(wallet.url, send, place, over)


def _target(place: Place, request: Request) -> str:
    """As `Wallet.address` has it: a dialect of one URL calls that very URL."""
    return target(place.path + behind(request.url))


def dress(wallet: Wallet, request: Request, target: str, clock: Callable[[], datetime]) -> Request:
    """The request with what `send` adds: headers, shared key, HMAC. A call without a body signs its target as it
    stands on the wire, the wallet's own path included."""
    send = wallet.send
    extra = [*send.headers.items()]
    if send.api_key:
        extra.append(("x-api-key", send.api_key))
    if send.hmac:
        stamp = str(int(clock().timestamp()))
        signed = request if request.body else replace(request, target=target)
        extra.append(("x-gw-timestamp", stamp))
        extra.append(("x-gw-signature", hmac_signature(send.hmac, stamp, signed)))
    return request.put(*extra) if extra else request
