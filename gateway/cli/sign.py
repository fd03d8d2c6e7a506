"""`gateway sign`: a request with its signature, how it came about, and why two differ."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.guards import hmac_signature
from gateway.auth.keys import Key, live
from gateway.cli.common import FILE, chosen, config_option, fail, loaded
from gateway.cli.hide import Hider, secrets_of, sessions_of, who_is
from gateway.cli.raw import of_provider, read_request, written
from gateway.dialect import Call, NoCall
from gateway.engine.setup import Provider, Wallet
from gateway.http import Request
from gateway.model import Refused, Transaction
from gateway.play.mask import Mask
from gateway.serve.config import Loaded

Entry = Provider | Wallet


@click.command("sign")
@config_option
@click.option("--provider", metavar="NAME", help="Sign as this provider does.")
@click.option("--wallet", metavar="NAME", help="Sign as we do for this wallet.")
@click.option("--explain", is_flag=True, help="The exact text that is signed, and how it came about.")
@click.option("--against", metavar="SIG", help="A signature of somebody else's: where do they differ, and why?")
@click.option("--show-sessions", is_flag=True, help="Do not hide session tokens in the explanation.")
@click.argument("request_file", metavar="[REQUEST]", type=click.Path(path_type=Path, allow_dash=True), required=False)
def command(
    config: Path,
    provider: str | None,
    wallet: str | None,
    explain: bool,
    against: str | None,
    show_sessions: bool,
    request_file: Path | None,
) -> None:
    """Sign the raw HTTP request in the file REQUEST, or in standard input.

    Without --explain and --against the signed request is printed, ready to be sent. Secrets of the
    configuration are never shown.

    \b
    gateway sign --config gateway.yaml --provider acme-scorpio bet.http
    gateway sign --config gateway.yaml --provider acme-scorpio --explain bet.http
    gateway sign --config gateway.yaml --wallet main --against 'v1,K5o...' debit.http
    """
    if (provider is None) == (wallet is None):
        raise click.UsageError("name one: --provider NAME or --wallet NAME")
    if request_file is not None and str(request_file) != "-":
        FILE.convert(request_file, None, None)
    loaded_config = loaded(config)
    setup = loaded_config.setup
    entry: Entry = chosen("provider", provider, setup.providers) if provider else chosen("wallet", wallet or "", setup.wallets)
    request, notes = read_request(request_file)
    if isinstance(entry, Provider):
        request = of_provider(request, notes, entry).request
    signed = signed_as(entry, request, datetime.now(UTC))
    hide = Hider(secrets_of(loaded_config))
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if not explain and against is None:
        click.echo(hide(written(signed).decode(errors="surrogateescape")).encode(errors="surrogateescape"), nl=False)
        return
    quiet = Quiet(loaded_config, entry, signed, show_sessions=show_sessions)
    if explain:
        click.echo("\n".join(explained(entry, signed, quiet)))
    if against is not None and not compared(entry, request, signed, against.strip(), loaded_config, quiet):
        raise click.exceptions.Exit(1)


def signed_as(entry: Entry, request: Request, now: datetime) -> Request:
    """The request with the dialect's signature and the proofs of the guard or of `send`."""
    dialect = entry.dialect
    keys = live(entry.keys, now)
    if dialect.auth.parts(entry.settings) and not keys:
        raise fail(f"no key of the {who_is(entry)} holds any more")
    try:
        # What a dialect writes beside its signature is made where it is missing, as a sender would.
        signed = dialect.auth.sign(_prepared(entry, request), keys, entry.settings, now) if keys else request
    except Refused as refused:
        raise fail(f"this request cannot be signed for {dialect.name}: {refused.message}") from None
    except ValueError:
        raise fail(f"this request cannot be signed for {dialect.name}: its body is not what the dialect signs") from None
    return _proofs(entry, signed, now)


def _prepared(entry: Entry, request: Request) -> Request:
    if entry.dialect.name == "native" and not request.header("webhook-id"):
        return request.put(("webhook-id", request.header("idempotency-key") or str(uuid.uuid4())))
    return request


def _proofs(entry: Entry, request: Request, now: datetime) -> Request:
    if isinstance(entry, Provider):
        api_key = next((key.part("secret") for key in live(entry.guard.api_key, now)), "")
        hmac = next((key.part("secret") for key in live(entry.guard.hmac, now)), "")
    else:
        api_key, hmac = entry.send.api_key, entry.send.hmac
    if api_key:
        request = request.put(("x-api-key", api_key))
    if hmac:
        timestamp = str(int(now.timestamp()))
        proof = hmac_signature(hmac, timestamp, request)
        request = request.put(("x-gw-timestamp", timestamp), ("x-gw-signature", proof))
    return request


class Quiet:
    """Hides what an explanation must not show."""

    def __init__(self, config: Loaded, entry: Entry, request: Request, *, show_sessions: bool) -> None:
        tx = None if show_sessions else decoded(entry, request)
        self._hide = Hider(secrets_of(config), sessions_of(tx))
        self._mask = None if show_sessions else Mask(entry.dialect)

    def __call__(self, text: str) -> str:
        return self._hide(self._mask.text(text) if self._mask else text)


def decoded(entry: Entry, request: Request) -> Transaction | None:
    """What the request means, as far as it can be read."""
    call = Call(settings=entry.settings, now=datetime.now(UTC), request=request, currency=entry.currency)
    try:
        call = replace(call, name=entry.dialect.route(request, entry.settings))
        return entry.dialect.decode_request(request, call)
    except (Refused, NoCall):
        return None


# ---------------------------------------------------------------- explaining


def explained(entry: Entry, signed: Request, quiet: Quiet) -> Iterator[str]:
    """How the signature of the first key comes about, step by step."""
    yield f"{who_is(entry)}"
    keys = entry.keys[:1]
    if not keys:
        yield "the dialect itself is unsigned"
    for key in keys:
        yield f"key: {key.id}"
        for label, text in entry.dialect.auth.explain(signed, key, entry.settings):
            yield f"{label}: {text if label.startswith('signature') else quiet(text)}"
    if signed.header("x-gw-signature"):
        covered = signed.body.decode(errors="backslashreplace") or signed.target or signed.url
        yield f"guard hmac, message: {signed.header('x-gw-timestamp')}.{quiet(covered)}"
        yield f"guard hmac, signature: {signed.header('x-gw-signature')} (lowercase hex HMAC-SHA256)"
    if signed.header("x-api-key"):
        yield "guard api_key: header X-Api-Key, the secret as it is"


# ---------------------------------------------------------------- comparing


def compared(
    entry: Entry, request: Request, signed: Request, given: str, config: Loaded, quiet: Quiet
) -> bool:
    """Whether the signature is one that we accept; says which, or where it differs and why."""
    for key in entry.keys:
        label = _matches(entry, signed, key, given)
        if label:
            click.echo(f"the same: {label} of key {key.id}")
            return True
    reason = next(_reasons(entry, request, signed, given, config), "")
    click.echo(reason or "no common mistake explains it")
    ours = next(_signatures(entry, signed), "")
    if ours:
        click.echo(_difference(given, ours))
        click.echo("\n".join(explained(entry, signed, quiet)))
    return False


def _matches(entry: Entry, request: Request, key: Key, given: str) -> str:
    """The step of the explanation that is just this signature, or blank."""
    try:
        steps = entry.dialect.auth.explain(request, key, entry.settings)
    except (Refused, ValueError):
        return ""
    return next((label for label, text in steps if label.startswith("signature") and same(text, given)), "")


def _signatures(entry: Entry, signed: Request) -> Iterator[str]:
    for key in entry.keys:
        for label, text in entry.dialect.auth.explain(signed, key, entry.settings):
            if label.startswith("signature"):
                yield text
    if signed.header("x-gw-signature"):
        yield signed.header("x-gw-signature")


def _reasons(entry: Entry, request: Request, signed: Request, given: str, config: Loaded) -> Iterator[str]:
    """What explains the difference, the likeliest first."""
    for ours in _signatures(entry, signed):
        if same(given.lower(), ours.lower()):
            yield "only upper and lower case differ"
        elif _bytes(given) and same(_bytes(given), _bytes(ours)):
            yield "the digest is right, its encoding is not: hex and base64 are mixed up"
    for what, other in variants(signed):
        for key in entry.keys:
            if _matches(entry, other, key, given):
                yield f"it signs {what} (key {key.id})"
    for name, stranger in _others(entry, config):
        for key in stranger.keys:
            if _matches(stranger, signed, key, given):
                yield f"it is made with key {key.id} of {name}"
    lengths = {len(_bytes(ours)) for ours in _signatures(entry, signed)}
    if _bytes(given) and lengths and len(_bytes(given)) not in lengths:
        wanted = " or ".join(map(str, sorted(lengths)))
        yield f"it holds {len(_bytes(given))} bytes where {wanted} are wanted: another algorithm, or cut"
    if request.body and not _bytes(given):
        yield "it is neither hex nor base64"


def variants(request: Request) -> Iterator[tuple[str, Request]]:
    """The same request as a sender may have signed it by mistake."""
    body = request.body
    yield "the body with a line end behind it", replace(request, body=body + b"\n")
    yield "the body with CRLF behind it", replace(request, body=body + b"\r\n")
    yield "the body without white space around it", replace(request, body=body.strip())
    yield "the body with LF for CRLF", replace(request, body=body.replace(b"\r\n", b"\n"))
    yield "the body with CRLF for LF", replace(request, body=body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    yield "an empty body", replace(request, body=b"")
    for what, text in _respelled(body):
        yield what, replace(request, body=text)
    if request.query:
        yield "the request without its query", replace(request, query="", target=request.path)


def _respelled(body: bytes) -> Iterator[tuple[str, bytes]]:
    """JSON written again, as many libraries do before they sign."""
    import json  # noqa: PLC0415  # only here: spelling matters, not meaning

    try:
        found = json.loads(body, parse_float=str, parse_int=int)
        yield "the body as compact JSON", json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
        yield "the body as JSON with spaces", json.dumps(found, ensure_ascii=False).encode()
        yield "the body as JSON with sorted keys", json.dumps(found, separators=(",", ":"), sort_keys=True).encode()
    except (ValueError, RecursionError, TypeError):
        return


def _others(entry: Entry, config: Loaded) -> Iterator[tuple[str, Entry]]:
    """Other entries that speak this dialect: keys get mixed up."""
    everyone: list[Entry] = [*config.setup.providers.values(), *config.setup.wallets.values()]
    for other in everyone:
        if other is not entry and other.dialect.name == entry.dialect.name:
            yield who_is(other), other


def _bytes(signature: str) -> bytes:
    """The digest behind a signature, whichever way it is written; none if it is no such thing."""
    text = signature.removeprefix("v1,")
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _difference(given: str, ours: str) -> str:
    place = next((n for n, (a, b) in enumerate(zip(given, ours, strict=False), 1) if a != b), None)
    where = f"from character {place} on" if place else "in length"
    return f"they differ {where}:\n  given: {given}\n  ours:  {ours}"
