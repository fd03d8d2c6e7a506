"""Law 12, on the whole process: no secret, no session token and no body in anything that is printed or shown."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from gateway.play.purse import SESSION_PREFIX
from tests.end_to_end import configuration as c
from tests.end_to_end.odd_wallets import ANSWERS, OddWallet, player, reply
from tests.end_to_end.processes import run, serving
from tests.end_to_end.speakers import GAMEBALL_PATH, SPEAKERS, YES, new_id, speak
from tests.end_to_end.stages import clients, listed, wallet_server

SECRETS = {
    "API_KEY": "mark-api-key-00000001",
    "HMAC": "mark-hmac-secret-0001",
    "PATH": "3c" * 32,
    "SCORPIO": "mark-scorpio-token-01",
    "GAMEBALL_KEY": "mark-gameball-key-001",
    "GAMEBALL_SECRET": "mark-gameball-secret-01",
    "NATIVE": "whsec_bWFyay1uYXRpdmUtc2VjcmV0LTAwMDE=",
    "WALLET_KEY": "mark-wallet-key-00001",
    "WALLET_HMAC": "mark-wallet-hmac-0001",
    "ADMIN": "mark-admin-key-000001",
}
BY_NAME = {
    "ng": {"api_key": SECRETS["API_KEY"]},
    "dg": {"hmac": SECRETS["HMAC"]},
    "ky": {"api_key": SECRETS["API_KEY"]},
    "sp": {"secret": SECRETS["SCORPIO"]},
    "gb": {"api_key": SECRETS["GAMEBALL_KEY"], "secret_key": SECRETS["GAMEBALL_SECRET"]},
    "na": {"secret": SECRETS["NATIVE"]},
}
TOKEN, LAUNCH, WALLET_TOKEN = "mark-session-token", "mark-launch-token", "mark-wallet-session"
BODY = "mark-of-a-body"
WALLET_SAYS = "mark-of-a-wallets-answer"
PROOFS = ("x-gw-signature", "x-request-signature", "webhook-signature")


def env(name: str) -> dict[str, str]:
    return {"env": f"MARK_{name}"}


def one(name: str) -> list[dict[str, Any]]:
    return [{"id": "k1", "secret": env(name)}]


PROVIDERS: dict[str, Any] = {
    "ng": {"dialect": "netgaming", "guard": {"api_key": one("API_KEY")}},
    "dg": {"dialect": "dragon_gaming", "guard": {"hmac": one("HMAC")}},
    "ky": {"dialect": "kyren", "currency": "EUR", "guard": {"path_token": one("PATH"), "api_key": one("API_KEY")}},
    "sp": {"dialect": "scorpio_play", "keys": one("SCORPIO")},
    "gb": {
        "dialect": "gameball",
        "currency": "EUR",
        "keys": [{"id": "k1", "api_key": env("GAMEBALL_KEY"), "secret_key": env("GAMEBALL_SECRET")}],
    },
    "na": {"dialect": "native", "keys": one("NATIVE")},
}


def odd_answers() -> dict[str, Any]:
    """The usual oddities, and some whose text a careless log would repeat."""
    loud = WALLET_SAYS.encode()
    declined = json.dumps({"outcome": "declined", "reason": "limit_exceeded", "message": WALLET_SAYS}).encode()
    return {
        **ANSWERS,
        "loud-html": lambda good: reply("200 OK", b"<p>" + loud + b"</p>", f"x-debug: {WALLET_SAYS}"),
        "loud-500": lambda good: reply("500 Oops", loud),
        "loud-401": lambda good: reply("401 Unauthorized", loud),
        "loud-400": lambda good: reply("400 Bad Request", loud),
        "loud-redirect": lambda good: reply("302 Found", b"", f"location: /{WALLET_SAYS}"),
        "loud-decline": lambda good: reply("200 OK", declined, "content-type: application/json"),
    }


async def test_nothing_that_is_secret_is_ever_shown(tmp_path: Path) -> None:
    environ = {f"MARK_{name}": value for name, value in SECRETS.items()}
    proofs: list[str] = []
    async with AsyncExitStack() as stack:
        teller = wallet_server("native", keys=[f"secret={SECRETS['NATIVE']}"])
        odd = await stack.enter_async_context(OddWallet(teller, odd_answers()).serving())
        config = c.write(tmp_path, _config(odd.url))
        process, url, admin_url = await stack.enter_async_context(serving(config, environ))
        client, admin = await stack.enter_async_context(clients(url, admin_url))
        await _hand_over(admin)
        await _play(client, proofs)
        await _misbehave(client)
        shown = await _shown(config, admin, environ)
        process.send(signal.SIGTERM)
        assert await process.ended() == 0
        logs = process.said() + process.complained()
    assert len(logs.splitlines()) > 60, "the lines are there"
    assert [mark for mark in (BODY, WALLET_SAYS) if mark in logs] == []
    for name, secret in _all_secrets(proofs):
        assert secret not in logs, f"{name} in a log line"
        for where, text in shown.items():
            assert secret not in text, f"{name} in {where}"


def _config(url: str) -> dict[str, Any]:
    wallet = {
        "dialect": "native", "url": url, "keys": one("NATIVE"), "repeats": c.SAFE, "answer_within": "200ms", "limits": c.PATIENT,
        "send": {"api_key": env("WALLET_KEY"), "hmac": env("WALLET_HMAC")},
    }  # fmt: skip
    waits = {name: {**said, "answer_within": "500ms"} for name, said in PROVIDERS.items()}
    config = c.configuration({"main": wallet}, providers=waits)
    config["server"].pop("demo")
    config["admin"]["keys"] = [{"id": "ops", "secret": env("ADMIN")}]
    config["routes"][0]["sessions"] = {"to_wallet": SESSION_PREFIX + "{player}"}
    return config


async def _hand_over(admin: httpx.AsyncClient) -> None:
    for name in PROVIDERS:
        launch = {
            "provider": name, "player": "anna", "session": f"{TOKEN}-{name}", "currency": "EUR",
            "wallet_session": f"{WALLET_TOKEN}-{name}", "launch_token": f"{LAUNCH}-{name}",
        }  # fmt: skip
        assert (await admin.post("/api/sessions", json=launch)).status_code == 201
    wrong = await admin.post("/api/sessions", json={**launch, "currency": "nothing"})
    assert TOKEN not in wrong.text


def _told(name: str, call: str, tx_id: str, who: str, reference: str = "") -> Any:
    """A call with the session where the dialect has one, secrets and tokens in every field that may hold one."""
    speaker, token = SPEAKERS[name], json.dumps(f"{TOKEN}-{name}")
    said = speaker.say(call, tx_id, who, reference)
    sessions = {"ng": "token", "dg": "token", "ky": "sessionId", "na": "session"}
    if name in sessions:
        said = said.put(**{sessions[name]: token})
    if name == "gb":
        said = said.put(hash=token, otp=token)
    said = said.put(undocumented=json.dumps(BODY), sessionToken=token)
    sent = speaker.sent(call, said, BY_NAME[name])
    prefix = {"ky": f"/ky/{SECRETS['PATH']}"}.get(name, speaker.prefix)
    return type(sent)(target=sent.target.replace(speaker.prefix, prefix, 1), headers=sent.headers, body=sent.body)


async def _play(client: httpx.AsyncClient, proofs: list[str]) -> None:
    """Every dialect's bet, win and cancel, with good and with odd wallets behind."""
    for name in PROVIDERS:
        bet = new_id()
        for call, tx_id, reference in (("bet", bet, ""), ("win", new_id(), bet), ("undo", new_id(), bet)):
            sent = _told(name, call, tx_id, "anna", reference)
            proofs += [sent.headers[header] for header in PROOFS if header in sent.headers]
            heard = await speak(client, sent)
            assert SPEAKERS[name].word(heard) == YES or call == "undo", heard.text
    odd = [(name, oddity) for name in PROVIDERS for oddity in odd_answers()]
    await asyncio.gather(*(speak(client, _told(name, "bet", new_id(), player(oddity))) for name, oddity in odd))


async def _misbehave(client: httpx.AsyncClient) -> None:
    """Forged, unreadable, too large, unheard of: each with marks in it."""
    for name in PROVIDERS:
        good = _told(name, "bet", new_id(), "anna")
        proof = next(h for h in ("x-api-key", "apikey", *PROOFS) if h in good.headers)
        await speak(client, good.but(**{proof: f"{BODY}-forged"}))
        broken = type(good)(target=good.target, headers=good.headers, body=good.body[:-1] + BODY.encode())
        await speak(client, SPEAKERS[name].prove(broken, BY_NAME[name]))
        await speak(client, type(good)(target=good.target, headers=good.headers, body=good.body * 400))
    await client.post(f"/{SECRETS['API_KEY']}/{TOKEN}", content=BODY.encode())
    await client.post(f"/ky/{SECRETS['HMAC']}/v1/Bet", content=BODY.encode())
    await client.get(
        f"/gb{GAMEBALL_PATH}/transactions/hold/{new_id()}?token={TOKEN}-query",
        headers={"apikey": SECRETS["GAMEBALL_KEY"]},
    )
    await client.get("/na/debit", headers={"x-request-id": f"{TOKEN} in a strange header"})


async def _shown(config: Path, admin: httpx.AsyncClient, environ: dict[str, str]) -> dict[str, str]:
    """Everything that a person can be shown of it."""
    movements = await listed(config)
    keys = list({movement["provider"]: movement["key"] for movement in movements}.values())
    paths = ["/api/transactions?limit=1000", "/api/config", "/metrics", *(f"/api/transactions/{key}" for key in keys)]
    shown = {path: (await admin.get(path)).text for path in paths}
    where = ("--config", str(config))
    commands = [
        ("tx", "list", *where),
        ("tx", "show", *where, keys[0]),
        *(("tx", "show", *where, "--json", key) for key in keys),
        ("check", str(config)),
        ("check", str(config), "--json"),
    ]
    done = await asyncio.gather(*(run(*command, environ=environ) for command in commands))
    assert {status for status, _, _ in done} == {0}
    shown |= {" ".join(command): out + err for command, (_, out, err) in zip(commands, done, strict=True)}
    return shown | {"tx list --json": json.dumps(movements)}


def _all_secrets(proofs: list[str]) -> Iterator[tuple[str, str]]:
    yield from SECRETS.items()
    yield from (("a session token", TOKEN), ("a launch token", LAUNCH), ("a wallet's session", WALLET_TOKEN))
    yield from (("a signature", proof.removeprefix("v1,")) for proof in proofs)
