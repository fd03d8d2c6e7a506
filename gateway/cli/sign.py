"""`gateway sign`: a request with its signature, or an answer where those are signed, how it came about, and why two differ."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from gateway.auth import webhooks
from gateway.auth.answers import as_asked
from gateway.auth.guards import Guard, hmac_signature
from gateway.auth.keys import live
from gateway.auth.webhooks import StandardWebhooks
from gateway.cli.against import compare, held_by, others_of
from gateway.cli.common import FILE, chosen, config_option, fail, loaded
from gateway.cli.hide import Hider, named_in, secrets_of, sessions_of, who_is
from gateway.cli.raw import of_provider, of_wallet, read_message, written
from gateway.cli.trial import Entry
from gateway.dialect import Call, NoCall
from gateway.engine.setup import Provider, Send, Wallet
from gateway.http import Request, Response
from gateway.model import Refused, Transaction
from gateway.play.mask import Mask
from gateway.serve.config import Loaded


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

    Where a dialect signs its answers, REQUEST may be one: it begins with its status line (HTTP/1.1 200).
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
    entry: Entry = (
        chosen("provider", provider, setup.providers) if provider else chosen("wallet", wallet or "", setup.wallets)
    )
    pasted, notes = read_message(request_file)
    if isinstance(pasted, Response):
        request, entry = as_asked(pasted), answering(entry)
    elif isinstance(entry, Provider):
        request = of_provider(pasted, notes, entry).request
    else:
        request = of_wallet(pasted, entry)
    # Of a pair we may have the half that verifies: it signs nothing, and what is signed can be told all the same.
    half = (explain or against is not None) and not signs(entry)
    now = datetime.now(UTC)
    signed = request if half else signed_as(entry, request, now)
    hide = Hider(secrets_of(loaded_config))
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if not explain and against is None:
        ready = replace(pasted, body=signed.body) if isinstance(pasted, Response) else signed
        click.echo(hide(written(ready).decode(errors="surrogateescape")).encode(errors="surrogateescape"), nl=False)
        return
    quiet = Quiet(loaded_config, entry, signed, show_sessions=show_sessions)
    alone = (ALONE,) if isinstance(pasted, Response) else ()
    if explain:
        click.echo("\n".join((*explained(entry, signed, quiet), *alone)))
    if against is not None:
        others = [*others_of(entry, loaded_config)]
        verdict = compare(entry, request, signed, against.strip(), others, now=now, quiet=quiet)
        click.echo("\n".join(verdict.lines))
        if not verdict.same:
            if not explain:
                click.echo("\n".join((*explained(entry, signed, quiet), *alone)))
            raise click.exceptions.Exit(1)


ALONE = "its request is not looked at: that the answer signs the id of its request, or carries that one as its own, cannot be seen here"


def answering(entry: Entry) -> Entry:
    """The same, with the proof of an answer in the place of a request's: no guard and no `send` looks at one."""
    auth = entry.dialect.auth.answering(entry.settings)
    if auth is None:
        raise fail(f"{entry.dialect.name} does not sign its answers: write a request (POST /path HTTP/1.1)")
    dialect = replace(entry.dialect, auth=auth)
    if isinstance(entry, Provider):
        return replace(entry, dialect=dialect, guard=Guard())
    return replace(entry, dialect=dialect, send=Send())


def signs(entry: Entry) -> bool:
    """Whether its first key has the parts that a sender needs."""
    parts = [part.name for part in entry.dialect.auth.parts(entry.settings) if part.end != "provider"]
    return all(name in key.parts for key in entry.keys[:1] for name in parts)


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
        raise fail(f"this message cannot be signed for {dialect.name}: {refused.message}") from None
    except ValueError:
        raise fail(
            f"this message cannot be signed for {dialect.name}: its body is not what the dialect signs"
        ) from None
    return _proofs(entry, signed, now)


def _prepared(entry: Entry, request: Request) -> Request:
    if isinstance(entry.dialect.auth, StandardWebhooks) and not request.header(webhooks.ID):
        return request.put((webhooks.ID, request.header("idempotency-key") or str(uuid.uuid4())))
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
        self._mask = None if show_sessions else Mask(entry.dialect)
        named = named_in(request, self._mask.hides) if self._mask else ()
        self._hide = Hider(named, sessions_of(tx), secrets_of(config))

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
    """How each proof comes about by its first key, step by step."""
    yield f"{who_is(entry)}"
    proved = bool(entry.dialect.auth.parts(entry.settings))
    if not proved:
        by = "guards" if isinstance(entry, Provider) else "`send`"
        yield f"the dialect itself is unsigned: it signs nothing, and who calls is told by what the configuration names ({by})"
    for key in entry.keys[:1] if proved else ():
        yield f"key: {key.id}"
        for label, text in entry.dialect.auth.explain(signed, key, entry.settings):
            yield told(label, text, quiet)
    for held in held_by(entry):
        for key in held.keys[:1] if held.guards else ():
            for label, text in held.proof.explain(signed, key, entry.settings):
                yield told(label, text, quiet)
    yield from unsigned_guards(entry)


def told(label: str, text: str, quiet: Quiet) -> str:
    return f"{label}: {text if 'signature' in label else quiet(text)}"


def unsigned_guards(entry: Entry) -> Iterator[str]:
    """What says who calls beside every text: nothing is signed by it."""
    if isinstance(entry, Wallet):
        if entry.send.client_cert:
            yield "send client_cert: our TLS certificate. It signs nothing of the call"
        return
    guard = entry.guard
    if guard.networks:
        yield f"guard networks: the caller's address ({', '.join(map(str, guard.networks))}). It signs nothing of the call"
    if guard.client_cert:
        yield f"guard client_cert: the caller's TLS certificate ({', '.join(guard.client_cert)}). It signs nothing of the call"
    if guard.path_token:
        yield "guard path_token: a word in the path, behind the provider's name, as it is. It signs nothing of the call"
