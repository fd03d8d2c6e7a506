"""`gateway translate`: what one request of a provider means, and what a wallet would be sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import guards
from gateway.auth.keys import live
from gateway.cli.common import FILE, chosen, config_option, fail, loaded
from gateway.cli.hide import Hider, secrets_of, sessions_of
from gateway.cli.raw import Pasted, of_provider, read_request
from gateway.codec.plain import transaction_to_plain
from gateway.dialect import Call, NoCall
from gateway.engine.capability import (
    AMOUNT_STAND_IN,
    CURRENCY_STAND_IN,
    NONCE,
    REFUSED,
    Told,
    for_a_person,
    named,
    tell,
)
from gateway.engine.setup import Provider, Setup
from gateway.engine.words import Way
from gateway.model import Refused, Transaction
from gateway.play.mask import Mask

_AMOUNT = re.compile(rf'"?\b{AMOUNT_STAND_IN}(?:\.?0+)?(?:\.0+)?"?')


class Translation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is printed, as JSON: everything secret is hidden already."""

    provider: str
    call: str
    signature: str
    transaction: dict[str, Any]
    wallet: str = ""
    verdict: str = ""
    bridged_by: str = ""
    person: bool = False
    requests: list[dict[str, Any]] = []
    notes: list[str] = []


@click.command("translate")
@config_option
@click.option("--provider", required=True, metavar="NAME", help="Whose request it is.")
@click.option("--unsigned", is_flag=True, help="Check neither signature nor guard.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("request_file", metavar="[REQUEST]", type=click.Path(path_type=Path, allow_dash=True), required=False)
def command(config: Path, provider: str, unsigned: bool, as_json: bool, request_file: Path | None) -> None:
    """Translate the raw HTTP request in the file REQUEST, or in standard input.

    Prints the canonical transaction and the wallet requests in order. Nothing is sent and nothing
    is written down; what only the journal knows is shown as <amount of the bet> and the like.
    Session tokens are hidden.

    \b
    gateway translate --config gateway.yaml --provider acme-kyren bet.http
    gateway translate --config gateway.yaml --provider acme-kyren --unsigned --json < bet.http
    """
    if request_file is not None and str(request_file) != "-":
        FILE.convert(request_file, None, None)
    loaded_config = loaded(config)
    setup = loaded_config.setup
    entry = chosen("provider", provider, setup.providers)
    pasted = of_provider(*read_request(request_file), entry)
    now = datetime.now(UTC)
    try:
        found = translated(setup, entry, pasted, now, unsigned=unsigned, secrets=list(secrets_of(loaded_config)))
    except Refused as refused:
        where = f" ({refused.field})" if refused.field else ""
        raise fail(f"declined, {refused.reason.value}: {refused.message}{where}") from None
    except NoCall as no_call:
        if no_call.answer is not None:
            raise fail(f"{pasted.request.method} {pasted.request.path} asks for nothing: no wallet is told") from None
        allowed = f"; allowed: {', '.join(no_call.allow)}" if no_call.allow else ""
        raise fail(f"{entry.dialect.name} has no call {pasted.request.method} {pasted.request.path}{allowed}") from None
    click.echo(msgspec.json.encode(found) if as_json else shown(found))


def translated(
    setup: Setup,
    provider: Provider,
    pasted: Pasted,
    now: datetime,
    *,
    unsigned: bool,
    secrets: Sequence[tuple[str, str]],
) -> Translation:
    """Raises `Refused` or `NoCall` where the provider would be refused."""
    request, notes = pasted.request, list(pasted.notes)
    dialect = provider.dialect
    name = dialect.route(request, provider.settings)
    signature = "not checked" if unsigned else proved(provider, pasted, now, notes)
    call = Call(
        settings=provider.settings, now=now, nonce=NONCE, name=name, request=request, provider=provider.id,
        currency=provider.currency, currencies=setup.currencies,
        stand_in=dialect.auth.shows_stand_in(request, live(provider.keys, now)),
    )  # fmt: skip
    tx = dialect.decode_request(request, call)
    hide = Hider(secrets, sessions_of(tx))
    plain = transaction_to_plain(tx, provider.id, setup.currencies)
    if not tx.currency and provider.currency:
        tx = replace(tx, currency=provider.currency)
        plain["currency"] = provider.currency
    found = Translation(
        provider=provider.name,
        call=name,
        signature=signature,
        transaction=quiet(plain, hide, Mask(dialect)),
        notes=notes,
    )
    return _to_wallet(setup, provider, tx, name, now, found, hide)


# ---------------------------------------------------------------- the provider's proof


def proved(provider: Provider, pasted: Pasted, now: datetime, notes: list[str]) -> str:
    """Which proof holds. What cannot hold offline is left out, with a note."""
    guard, request = provider.guard, pasted.request
    skipped = [name for name in ("networks", "client_cert") if getattr(guard, name)]
    if skipped:
        notes.append(f"not checked offline: {', '.join(skipped)}")
    held = []
    if guard.path_token:
        if pasted.token is None:
            notes.append("path_token was not checked: the path has no provider's segments")
        else:
            holder = guards.path_token_holder(pasted.token, guard.path_token, now)
            if holder is None:
                raise fail("the path token is nobody's: the provider would be answered 404")
            held.append(f"path_token {holder}")
    offline = replace(guard, networks=(), client_cert=())
    held += guards.check(offline, request, provider.dialect.as_provider.body_key, now)
    key = provider.dialect.auth.verify(request, live(provider.keys, now), provider.settings, now)
    if key:
        held.append(f"key {key}")
    return f"verified: {', '.join(held)}" if held else "nothing to verify"


# ---------------------------------------------------------------- the wallet's requests


def _to_wallet(
    setup: Setup, provider: Provider, tx: Transaction, name: str, now: datetime, found: Translation, hide: Hider
) -> Translation:
    route = setup.route(provider, tx)
    notes = list(found.notes)
    if route is None:
        money = "a debit or a read is declined (unsupported), a credit or rollback waits for a person"
        return replace(found, verdict=REFUSED, bridged_by=f"no route fits: {money}", notes=notes)
    way = Way(setup=setup, provider=provider, wallet=setup.wallets[route.wallet], route=route)
    if not tx.player or not tx.currency:
        notes.append("the route may differ: the player or the currency comes from the launch or the journal")
    told = tell(way, tx, name, now)
    requests = (
        [] if told.verdict == REFUSED else [_wallet_request(way, told, n, now, hide) for n in range(len(told.requests))]
    )
    return replace(
        found, wallet=way.wallet.name, verdict=told.verdict, bridged_by=told.text, requests=requests, notes=notes,
        person=told.verdict == REFUSED and for_a_person(tx),
    )  # fmt: skip


def _wallet_request(way: Way, told: Told, number: int, now: datetime, hide: Hider) -> dict[str, Any]:
    """One request as it would be sent, its signature as a placeholder."""
    wallet, unsigned = way.wallet, told.requests[number]
    mask = Mask(wallet.dialect)
    headers, body = dict(unsigned.headers), unsigned.body
    keys = live(wallet.keys, now)
    proofs: dict[str, str] = {}
    if keys:
        try:
            aimed = replace(unsigned, target=wallet.target(unsigned.url))
            signed = wallet.dialect.auth.sign(aimed, keys, wallet.settings, now)
            proofs = {name: "<when sent>" for name, value in signed.headers.items() if headers.get(name) != value}
            body = signed.body
        except (Refused, ValueError):
            proofs = {"signature": "<when sent>"}
    send = wallet.send
    proofs |= {"x-api-key": "<secret>"} if send.api_key else {}
    proofs |= {"x-gw-timestamp": "<when sent>", "x-gw-signature": "<when sent>"} if send.hmac else {}
    shown_headers = {name: hide(mask.text(value)) for name, value in headers.items()}
    shown_headers |= {name.lower(): hide(value) for name, value in send.headers.items()} | proofs
    text = stood_in(way, hide(mask.body(body)), told.spoken[number])
    target = stood_in(way, hide(mask.text(wallet.address(unsigned.url))), told.spoken[number])
    return {"method": unsigned.method, "url": target, "headers": shown_headers, "body": text}


def stood_in(way: Way, text: str, tx: Transaction) -> str:
    """Stand-ins as what they stand for."""
    text = re.sub(r"%3C([a-z ]+)%3E", lambda found: unquote(found[0]), named(way, text))
    if getattr(tx.act, "amount", None) == AMOUNT_STAND_IN:
        text = _AMOUNT.sub("<amount of the bet>", text)
    if tx.currency == CURRENCY_STAND_IN:
        text = re.sub(rf"\b{CURRENCY_STAND_IN}\b", "<currency>", text)
    return text


def quiet(plain: dict[str, Any], hide: Hider, mask: Mask) -> dict[str, Any]:
    """The canonical JSON without sessions and whatever else the dialect hides, in `extra`, too."""
    text = mask.text(hide(msgspec.json.encode(plain).decode()))
    return msgspec.json.decode(text, type=dict[str, Any])


# ---------------------------------------------------------------- for people


def shown(found: Translation) -> str:
    lines = [f"{found.provider}: {found.call}, {found.signature}", *(f"note: {note}" for note in found.notes), ""]
    lines.append(msgspec.json.format(msgspec.json.encode(found.transaction), indent=2).decode())
    how = f", {found.bridged_by}" if found.bridged_by else ""
    then = "; it waits for a person" if found.person else ""
    lines += ["", f"-> {found.wallet or 'no wallet'}: {found.verdict}{how}{then}"]
    if found.verdict != REFUSED and not found.requests:
        lines.append("   nothing is sent for the movement itself")
    for request in found.requests:
        lines += ["", f"{request['method']} {request['url']}"]
        lines += [f"{name}: {value}" for name, value in request["headers"].items()]
        lines += ["", request["body"]] if request["body"] else []
    return "\n".join(lines)
