"""What `sign` and `translate` never show: secrets of the configuration, and session tokens."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from gateway.auth.keys import Key
from gateway.body import form_text
from gateway.dialect import Dialect
from gateway.engine.setup import Provider, Wallet
from gateway.http import Request
from gateway.model import Transaction
from gateway.serve.config import Loaded

LENGTH_MIN = 4  # what is shorter stands in too many other words


def secrets_of(config: Loaded) -> Iterator[tuple[str, str]]:
    """(secret, what to show instead) for everything secret in the configuration."""
    for provider in config.setup.providers.values():
        guard = provider.guard
        yield from _parts(provider.keys, provider.dialect, provider.settings)
        for keys in (guard.api_key, guard.path_token, guard.hmac):
            yield from ((key.part("secret"), f"<secret of {key.id}>") for key in keys)
    for wallet in config.setup.wallets.values():
        yield from _parts(wallet.keys, wallet.dialect, wallet.settings)
        yield from ((text, "<secret>") for text in (wallet.send.api_key, wallet.send.hmac))
    yield from ((key.part("secret"), f"<secret of {key.id}>") for key in config.admin.keys)


def _parts(keys: Iterable[Key], dialect: Dialect, settings: object) -> Iterator[tuple[str, str]]:
    secret = {part.name for part in dialect.auth.parts(settings) if part.secret}
    for key in keys:
        yield from ((text, f"<{name} of {key.id}>") for name, text in key.parts.items() if name in secret)


def sessions_of(tx: Transaction | None) -> Iterator[tuple[str, str]]:
    if tx is None:
        return
    if tx.session != tx.player:  # some tests use one word for both
        yield from ((text, "<session>") for text in _written(tx.session))
    yield from ((text, "<launch token>") for text in _written(getattr(tx.act, "launch_token", "")))


def named_in(request: Request, hidden: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """What stands under a hidden name, also in a request that nobody can make sense of."""
    readings = (request.said, request.form, request.asked, request.xml, request.soap)
    for found in readings:
        yield from ((text, "<hidden>") for value in _under(found, hidden, named=False) for text in _written(value))


def _under(found: Any, hidden: Callable[[str], bool], *, named: bool) -> Iterator[str]:
    if isinstance(found, Mapping):
        for name, value in found.items():
            yield from _under(value, hidden, named=named or hidden(name))
    elif isinstance(found, list | tuple):
        for value in found:
            yield from _under(value, hidden, named=named)
    elif named and isinstance(found, str):
        yield found


def _written(text: str) -> Iterator[str]:
    """A text as signed texts may hold it."""
    once, blank = quote(text, safe="", errors="replace"), quote_plus(text, errors="replace")
    script, php = quote(text, safe="!'()*", errors="replace"), form_text([("", text)])[1:]
    escaped = json.dumps(text)[1:-1]
    slashed = escaped.replace("/", "\\/")
    for form in (text, once, blank, script, php, quote(once, safe=""), escaped, slashed, html.escape(text)):
        yield from (form, form.lower(), form.upper(), _LOWER.sub(lambda found: found[0].lower(), form))


_LOWER = re.compile("%[0-9A-F]{2}")


class Hider:
    """Puts words in the place of what is secret, wherever it stands in a text."""

    def __init__(self, *pairs: Iterable[tuple[str, str]]) -> None:
        found = {text: word for some in pairs for text, word in some if len(text) >= LENGTH_MIN}
        self._pairs = sorted(found.items(), key=lambda pair: -len(pair[0]))

    def __call__(self, text: str) -> str:
        for secret, word in self._pairs:
            text = text.replace(secret, word)
        return text


def who_is(entry: Provider | Wallet) -> str:
    return f"{'provider' if isinstance(entry, Provider) else 'wallet'} {entry.name} ({entry.dialect.name})"
