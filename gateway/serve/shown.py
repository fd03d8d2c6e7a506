"""What people see of the journal and the configuration: no secret, no session token.

The admin API and `gateway tx` show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gateway.codec.plain import outcome_to_plain, transaction_to_plain, utc_text
from gateway.engine.journal import Journal
from gateway.engine.movement import Movement, Step
from gateway.engine.setup import Provider, Route, Setup, Wallet
from gateway.engine.states import State
from gateway.engine.story import scrubbed, story
from gateway.model import Batch, Refused, Transaction

UNRESOLVED = (State.DOUBT, State.OWED, State.PERSON)
"""What is not definite. An owed movement and one that waits for a person are in doubt, too: their
provider heard doubt (rule 6)."""

_TOKENS = frozenset({"session", "launch_token"})
_EXTRA_TOKENS = frozenset({"sign", "otp"})
_EXTRA_SIGNS = ("token", "secret", "session", "passw", "signature", "hash", "auth", "api_key", "apikey")
"""An undocumented field (`sessionToken`) is kept, too: its name says what nobody should read."""


def states(*, in_doubt: bool, owed: bool, person: bool) -> tuple[State, ...]:
    """The states that the filters of `tx list` mean; none given = all."""
    if in_doubt:
        return UNRESOLVED
    return ((State.OWED,) if owed else ()) + ((State.PERSON,) if person else ())


def movement_to_plain(movement: Movement, setup: Setup) -> dict[str, Any]:
    """A row of the journal as JSON."""
    m = movement
    plain: dict[str, Any] = {
        "key": m.key,
        "state": m.state.value,
        "provider": m.provider,
        "space": m.space,
        "kind": m.kind.value,
        "transaction": _transaction(m.tx, m.provider, setup),
        "wallet": m.wallet,
        "wallet_knows_it_as": m.alias,
        "attempts": m.attempts,
        "asked_at": _time(m.asked_at),
        "target": m.target,
        "undone_by": m.undone_by,
        "parent": m.parent,
        "outcome": _outcome(m, setup),
        "told": m.told,
        "told_at": _time(m.told_at),
        "note": m.note,
        "created_at": _time(m.created_at),
        "decided_at": _time(m.decided_at),
    }
    return {name: value for name, value in plain.items() if value not in (None, "")}


async def movement_told(journal: Journal, movement: Movement, setup: Setup) -> dict[str, Any]:
    """A row with its whole story, and those of its parts."""
    plain = movement_to_plain(movement, setup)
    steps, aimed = await journal.story(movement.key), await journal.aimed_at(movement.key)
    plain["story"] = story_to_plain(movement, steps, aimed)
    parts = [await movement_told(journal, part, setup) for part in await journal.children(movement.key)]
    return plain | ({"parts": parts} if parts else {})


def story_to_plain(movement: Movement, steps: Sequence[Step], aimed: Sequence[Movement]) -> list[dict[str, Any]]:
    """What happened, with times: no body, no session token, no secret."""
    told = scrubbed(story(movement, steps, aimed), movement.tx.session, *_tokens(movement.tx))
    return [
        {"at": _time(step.at), "what": step.what.value} | ({"detail": step.detail} if step.detail else {})
        for step in told
    ]


def _tokens(tx: Transaction) -> list[str]:
    return [value for name, value in tx.extra.items() if _is_token(name.lower())]


def amount_text(tx: Transaction) -> str:
    """The amount for a table: `12.50 EUR`, `5.00/12.50 EUR` for a settle, blank where there is none."""
    act = tx.act
    said = [getattr(act, name, None) for name in ("amount", "debit", "credit")]
    amounts = "/".join(f"{amount:f}" for amount in said if amount is not None)
    return f"{amounts} {tx.currency}".strip() if amounts else ""


def _transaction(tx: Transaction, provider_id: str, setup: Setup) -> dict[str, Any]:
    provider = setup.provider_by_id(provider_id)
    try:
        plain = transaction_to_plain(tx, provider_id, setup.currencies)
    except Refused:  # a currency that the configuration knows no more
        plain = {"kind": tx.kind.value, "transaction_id": tx.id, "player": tx.player, "currency": tx.currency}
    _hide(plain, provider)
    if isinstance(tx.act, Batch):
        for item in plain.get("items", ()):
            _hide(item, provider)
    return plain


def _hide(plain: dict[str, Any], provider: Provider | None) -> None:
    for name in _TOKENS:
        plain.pop(name, None)
    extra: Mapping[str, str] = plain.pop("extra", {})
    shown = {
        name: value for name, value in extra.items() if provider and not _is_token(name.lower(), provider.dialect.hides)
    }
    if shown:
        plain["extra"] = shown


def _is_token(name: str, hides: Iterable[str] = ()) -> bool:
    """`hides`: what the dialect itself names so."""
    named = name in _EXTRA_TOKENS or name in {hidden.lower() for hidden in hides}
    return named or any(sign in name for sign in _EXTRA_SIGNS)


def _outcome(movement: Movement, setup: Setup) -> dict[str, Any] | None:
    if movement.outcome is None:
        return None
    try:
        plain = outcome_to_plain(movement.outcome, setup.currencies)
    except Refused:
        return {"outcome": movement.state.value}
    for shown in (plain, *plain.get("items", ())):
        for name in _TOKENS:
            shown.pop(name, None)
    return plain


def _time(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment else None


# ---------------------------------------------------------------- the configuration


def setup_to_plain(setup: Setup) -> dict[str, Any]:
    """What is configured; of keys only their ids."""
    return {
        "generation": setup.generation,
        "providers": {name: _provider(provider) for name, provider in setup.providers.items()},
        "wallets": {name: _wallet(wallet) for name, wallet in setup.wallets.items()},
        "routes": [_route(route) for route in setup.routes],
    }


def _provider(provider: Provider) -> dict[str, Any]:
    guard = provider.guard
    guards = {
        "networks": [str(network) for network in guard.networks],
        "api_key": [key.id for key in guard.api_key],
        "path_token": [key.id for key in guard.path_token],
        "hmac": [key.id for key in guard.hmac],
        "client_cert": list(guard.client_cert),
    }
    return {
        "id": provider.id,
        "dialect": provider.dialect.name,
        "guard": {name: value for name, value in guards.items() if value},
        "keys": [key.id for key in provider.keys],
        "currency": provider.currency,
        "brand": provider.brand,
        "answer_within": {kind: f"{limit.total_seconds():g}s" for kind, limit in provider.answer_within.items()},
        "after_doubt": f"{provider.after_doubt.total_seconds():g}s" if provider.after_doubt is not None else None,
    }


def _wallet(wallet: Wallet) -> dict[str, Any]:
    parts = urlsplit(wallet.url)
    return {
        "dialect": wallet.dialect.name,
        "url": urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")),
        "keys": [key.id for key in wallet.keys],
        "repeats": dict(wallet.repeats),
        "tombstones": wallet.tombstones,
        "ids": "as_is" if wallet.ids_as_is else "alias",
        "currency": wallet.currency,
    }


def _route(route: Route) -> dict[str, Any]:
    when = {
        "provider": sorted(route.providers) if route.providers is not None else None,
        "brand": sorted(route.brands) if route.brands is not None else None,
        "currency": sorted(route.currencies) if route.currencies is not None else None,
        "player": route.player.pattern if route.player else None,
        "game": route.game.pattern if route.game else None,
    }
    return {"when": {name: value for name, value in when.items() if value is not None}, "wallet": route.wallet}
