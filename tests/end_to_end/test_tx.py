"""`gateway tx retry` and `resolve` beside a gateway that runs: through its admin side, with its key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from tests.end_to_end import configuration as c
from tests.end_to_end.processes import run, serving
from tests.end_to_end.speakers import SPEAKERS, YES, new_id, speak
from tests.end_to_end.stages import clients

ADMIN_KEY = "admin-key-000000000001"
KEYS = {"keys": [{"id": "ops", "secret": {"env": "ADMIN_KEY"}}]}
ENVIRON = {"ADMIN_KEY": ADMIN_KEY}
NATIVE = SPEAKERS["na"]
SAID = ("--as", "accepted", "--reason", "it was paid by hand", "--by", "Ada")


class Stage(Struct, frozen=True):
    config: Path
    client: httpx.AsyncClient

    async def person(self) -> tuple[str, str]:
        """(id, key) of a win that waits for a person: no route leads to a wallet."""
        id = new_id()
        assert NATIVE.word(await speak(self.client, NATIVE.good("win", id, "anna"))) == NATIVE.doubt
        return id, f"na/credit/{id}"

    async def tx(self, *arguments: str, environ: Mapping[str, str] = ENVIRON) -> tuple[int, str, str]:
        return await run("tx", arguments[0], "--config", str(self.config), *arguments[1:], environ=environ)


@asynccontextmanager
async def routeless(folder: Path, *, demo: bool = False) -> AsyncIterator[Stage]:
    config = c.configuration(
        {"main": c.native_wallet("http://127.0.0.1:1")}, providers={"na": c.PROVIDERS["na"]}, routes=[]
    )
    config["admin"] |= {} if demo else KEYS
    # Other secrets of the configuration are literal, which only a demo may.
    config["server"]["demo"] = True
    where = c.write(folder, config)
    if not demo:
        where.write_text(_without_literals(where.read_text(encoding="utf-8")), encoding="utf-8")
    async with (
        serving(where, {**ENVIRON, "NATIVE": c.NATIVE_SECRET}) as (_, url, admin),
        clients(url, admin) as (client, _),
    ):
        yield Stage(where, client)


def _without_literals(text: str) -> str:
    for secret in (c.NATIVE_SECRET, c.OLD_NATIVE_SECRET):
        text = text.replace(f"secret: {secret}", "secret: {env: NATIVE}")
    return text.replace("demo: true", "demo: false")


async def test_a_person_resolves_beside_a_running_gateway(tmp_path: Path) -> None:
    async with routeless(tmp_path) as stage:
        id, key = await stage.person()
        status, out, err = await stage.tx("resolve", key, *SAID)
        assert (status, out, err) == (0, f"{key}: accepted\n", "")
        assert NATIVE.word(await speak(stage.client, NATIVE.good("win", id, "anna"))) == YES
        _, shown, _ = await stage.tx("show", key, "--json")
    told: dict[str, Any] = json.loads(shown)
    resolved = [step["detail"] for step in told["story"] if step["what"] == "resolved"]
    assert resolved == ["accepted by Ada (key ops): it was paid by hand"]
    assert told["told"] == "accepted"


async def test_who_has_no_key_may_not(tmp_path: Path) -> None:
    async with routeless(tmp_path) as stage:
        _, key = await stage.person()
        for environ, said in (({"ADMIN_KEY": ""}, "admin.keys"), ({"ADMIN_KEY": "wrong"}, "an admin key is needed")):
            status, out, err = await stage.tx("resolve", key, *SAID, environ=environ)
            assert (status, out, said in err) == (1, "", True), err
        _, listed, _ = await stage.tx("list", "--person", "--json")
    assert [row["key"] for row in json.loads(listed)] == [key]


async def test_retry_and_what_cannot_be_done(tmp_path: Path) -> None:
    async with routeless(tmp_path) as stage:
        _, key = await stage.person()
        assert (await stage.tx("retry", key, "--by", "Ada"))[:2] == (0, f"{key}: owed, due at once\n")
        status, _, err = await stage.tx("retry", "na/credit/nobody")
        assert (status, "key" in err) == (1, True)
        status, _, err = await stage.tx("retry", key, "--admin", "http://127.0.0.1:1")
        assert (status, "does not answer" in err) == (1, True)


async def test_a_demo_wants_no_key(tmp_path: Path) -> None:
    async with routeless(tmp_path, demo=True) as stage:
        _, key = await stage.person()
        assert (await stage.tx("resolve", key, *SAID))[0] == 0
