"""`gateway tx retry` and `resolve`: through the admin side of the gateway that runs, else on the journal itself."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import httpx
import msgspec

from gateway.auth.keys import live
from gateway.cli.tx_journal import CONFIG, JSON, STANDS_IN, config_of, gateway_runs
from gateway.engine.journal import Journal, JournalLost
from gateway.engine.movement import Movement
from gateway.engine.person import NotDone, Verdict, resolve, retry
from gateway.journal.kept import JournalError
from gateway.serve.config import Loaded
from gateway.serve.journals import open_journal
from gateway.serve.live import clock
from gateway.serve.shown import movement_told

ADMIN = click.option(
    "--admin", default="", metavar="URL", help="Where the gateway's admin side is, if not at admin.listen."
)
ADMIN_SECONDS_MAX = 15.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  # compared with, never bound
Work = Callable[[Journal], Awaitable[Movement]]


@click.command("retry")
@CONFIG
@ADMIN
@click.option("--by", default="", metavar="NAME", help="Who says so; recorded. [default: who is logged in]")
@JSON
@click.argument("key")
def retry_command(config: Path, admin: str, by: str, as_json: bool, key: str) -> None:
    """Settle one movement at once; what waited for a person is the gateway's again.

    A wallet that may not be asked again (`repeats: never`, or it does not remember) is not.
    """
    loaded, name = config_of(config), by or _login()
    plain = _done(
        loaded, admin, key, "retry", {"by": name}, lambda journal: retry(journal, loaded.setup, key, name, clock())
    )
    _tell(plain, as_json, f"{key}: {plain['state']}, due at once")


@click.command("resolve")
@CONFIG
@ADMIN
@click.option("--as", "decision", required=True, type=click.Choice(["accepted", "declined"]), help="What became of it.")
@click.option("--reason", required=True, metavar="TEXT", help="How you know; recorded, never told to the provider.")
@click.option("--by", required=True, metavar="NAME", help="Who decides; recorded.")
@click.option("--wallet-id", default="", metavar="ID", help="What the wallet calls a hold that it named itself.")
@click.option("--force", is_flag=True, help="Although the wallet may still apply what was sent.")
@JSON
@click.argument("key")
def resolve_command(
    config: Path, admin: str, decision: str, reason: str, by: str, wallet_id: str, force: bool, as_json: bool, key: str
) -> None:
    """Decide one open movement, for ever: you know what became of it at the wallet.

    Accepted: the wallet applied it. Declined: it did not, and never will. A rollback that was
    accepted has undone its bet. Nothing is sent to the wallet; the provider hears the decision when
    it asks again. Of a hold at a wallet that names holds itself (Gameball) say its name there with
    --wallet-id: else its capture is declined, and its release waits for a person, too.
    """
    for name, text in (("--reason", reason), ("--by", by)):
        if not text.strip():
            raise click.UsageError(f"{name} is blank")
    loaded = config_of(config)
    verdict = Verdict(accepted=decision == "accepted", reason=reason, by=by, force=force, wallet_id=wallet_id)
    said = {"as": decision, "reason": reason, "by": by, "force": force}
    said |= {"wallet_id": wallet_id} if wallet_id else {}
    plain = _done(
        loaded, admin, key, "resolve", said, lambda journal: resolve(journal, loaded.setup, key, verdict, clock())
    )
    _tell(plain, as_json, f"{key}: {plain['state']}")


def _done(loaded: Loaded, admin: str, key: str, action: str, said: Mapping[str, Any], directly: Work) -> dict[str, Any]:
    """The movement as it is then, as the admin API shows it. What was not done is said: exit 1."""
    try:
        shared = loaded.journal.shared  # leases keep us and its gateways apart
        if admin or (not shared and gateway_runs(loaded.journal)):
            return _asked(loaded, admin or _address(loaded), key, action, said)
        if not shared and not Path(loaded.journal.path).exists():
            raise JournalError(f"there is no journal at {loaded.journal.path}")
        return asyncio.run(_directly(loaded, directly))
    except (NotDone, JournalError, JournalLost) as error:
        raise _wrong(str(error)) from None


async def _directly(loaded: Loaded, work: Work) -> dict[str, Any]:
    """On the journal itself; a file is ours alone meanwhile."""
    journal = await open_journal(loaded.journal, clock(), lambda seconds: None)
    try:
        return await movement_told(journal, await work(journal), loaded.setup)
    finally:
        await journal.close()


# ---------------------------------------------------------------- through the gateway


def _address(loaded: Loaded) -> str:
    listen = loaded.admin.listen
    if not listen.port:
        raise _wrong("a gateway runs, and admin.listen does not say its port: name it with --admin http://HOST:PORT")
    host = f"[{listen.host}]" if ":" in listen.host and listen.host not in ANYWHERE else listen.host
    return f"http://{ANYWHERE.get(host, host)}:{listen.port}"


def _asked(loaded: Loaded, url: str, key: str, action: str, said: Mapping[str, Any]) -> dict[str, Any]:
    path = f"{url.rstrip('/')}/api/transactions/{quote(key, safe='')}/{action}"
    try:
        with httpx.Client(trust_env=False, timeout=ADMIN_SECONDS_MAX) as client:
            answer = client.post(path, content=msgspec.json.encode(said), headers=_proof(loaded))
        plain = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _wrong(f"a gateway holds the journal, and its admin side at {url} does not answer: {error}") from None
    if answer.status_code != 200:
        raise _wrong(str(plain.get("error", answer.status_code)))
    assert isinstance(plain, dict)
    return plain


def _proof(loaded: Loaded) -> dict[str, str]:
    """The first admin key that this shell has the secret of."""
    keys = live(loaded.admin.keys, clock())
    secrets = [key.part("secret") for key in keys if key.part("secret") != STANDS_IN]
    if keys and not secrets and not loaded.server.demo:
        raise _wrong("a gateway runs, and the secret of none of admin.keys is in this shell's environment")
    return {"authorization": f"Bearer {secrets[0]}"} if secrets else {}


# ---------------------------------------------------------------- words


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _tell(plain: Mapping[str, Any], as_json: bool, line: str) -> None:
    click.echo(msgspec.json.encode(plain).decode() if as_json else line)


def _wrong(message: str) -> SystemExit:
    click.echo(message, err=True)
    return SystemExit(1)
