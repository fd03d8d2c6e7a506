"""The operator's side over HTTP: keys, launches handed over and what they are good for, the journal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from gateway.play.teller import Exchange
from gateway.play.wallet import WalletServer, listener
from gateway.play.wallet import serving as serving_wallet
from tests.end_to_end import configuration as c
from tests.end_to_end.processes import Process, free_port, run, serving
from tests.end_to_end.speakers import SPEAKERS, YES, Body, body, new_id, speak
from tests.end_to_end.stages import clients, in_book, listed, staged, wallet_server

ADMIN_KEY = "admin-key-000000000001"
OLD_ADMIN_KEY = "admin-key-000000000000"


class Stage(Struct, frozen=True, kw_only=True):
    process: Process
    config: Path
    client: httpx.AsyncClient
    admin: httpx.AsyncClient
    wallet: WalletServer
    asked: list[Exchange]


@asynccontextmanager
async def behind(dialect: str, folder: Path, providers: dict[str, Any]) -> AsyncIterator[Stage]:
    """The gateway in front of one wallet, and everything that this was asked."""
    wallet, asked = wallet_server(dialect), list[Exchange]()
    wallet.seen = asked.append
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving_wallet(wallet, listener("127.0.0.1", 0)))
        said = c.native_wallet(url) if dialect == "native" else {"dialect": dialect, "url": url, "repeats": c.STRICT}
        config = c.write(folder, c.configuration({"main": said}, providers=providers))
        process, gateway, admin_url = await stack.enter_async_context(serving(config))
        client, admin = await stack.enter_async_context(clients(gateway, admin_url))
        yield Stage(process=process, config=config, client=client, admin=admin, wallet=wallet, asked=asked)


async def test_whoever_is_not_on_this_machine_needs_a_key(tmp_path: Path) -> None:
    keys = [{"id": "ops", "secret": ADMIN_KEY}, {"id": "old", "secret": OLD_ADMIN_KEY, "until": c.LONG_AGO}]
    async with staged(tmp_path, admin={"listen": f"0.0.0.0:{free_port()}", "keys": keys}) as stage:
        port = c.read(stage.config)["admin"]["listen"].rpartition(":")[2]
        launch = {"provider": "ng", "player": "anna", "session": "s-1", "currency": "EUR"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as admin:
            for path in ("/livez", "/readyz", "/metrics"):
                assert (await admin.get(path)).status_code == 200
            for given in (
                None,
                "",
                "Bearer",
                f"Basic {ADMIN_KEY}",
                "Bearer nobody",
                f"Bearer {OLD_ADMIN_KEY}",
                ADMIN_KEY,
            ):
                headers = {} if given is None else {"authorization": given}
                for path in ("/api/transactions", "/api/config", "/api/transactions/ng/debit/1"):
                    assert (await admin.get(path, headers=headers)).status_code == 401
                refused = await admin.post("/api/sessions", headers=headers, json=launch)
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            right = {"authorization": f"Bearer {ADMIN_KEY}"}
            assert (await admin.post("/api/sessions", headers=right, json=launch)).status_code == 201
            assert (await admin.get("/api/transactions", headers=right)).status_code == 200
            shown = (await admin.get("/api/config", headers=right)).text
            assert "ops" not in shown
            assert ADMIN_KEY not in shown


def bonus_win(player: str, reference: str) -> Body:
    """Kyren's BonusWin: no currency anywhere, and late, so without its session."""
    return body(
        uuid=f"u-{reference}", userId=player, amount="5.00", reference=reference, providerId="Kyren",
        timestamp="1767229999000", gameId="9_speed", roundId=f"r-{reference}", bonusCode="bc-7", platform="desktop",
    )  # fmt: skip


async def test_a_launch_says_in_which_currency_a_bonus_is_won(tmp_path: Path) -> None:
    """Without it the win is neither refused nor guessed: it waits for a person, and pays when it is known."""
    kyren = {"ky": {key: value for key, value in c.PROVIDERS["ky"].items() if key != "currency"}}
    async with behind("native", tmp_path, kyren) as stage:
        speaker, unknown, known = SPEAKERS["ky"], new_id(), new_id()

        async def win(player: str, reference: str) -> tuple[object, ...]:
            sent = speaker.sent("win", bonus_win(player, reference))
            target = f"{speaker.prefix}/V4/BonusWin"
            return speaker.word(await stage.client.post(target, headers=dict(sent.headers), content=sent.body))

        assert await win("hugo", unknown) == speaker.doubt
        assert [m["transaction"]["player"] for m in await listed(stage.config, "--person")] == ["hugo"]
        assert stage.asked == []
        launch = {"provider": "ky", "player": "ines", "session": "s-another", "currency": "CAD", "game": "9_speed"}
        assert (await stage.admin.post("/api/sessions", json=launch)).status_code == 201
        assert await win("ines", known) == YES
        (entry,) = stage.wallet.teller.purse.book
        assert (entry.player, entry.currency, f"{entry.delta:f}") == ("ines", "CAD", "5.00")


async def test_a_launch_brings_the_session_that_a_wallet_wants(tmp_path: Path) -> None:
    """Scorpio Play has no session, a NetGaming wallet wants a token: the operator's own for this player."""
    async with behind("netgaming", tmp_path, {"sp": c.PROVIDERS["sp"]}) as stage:
        speaker = SPEAKERS["sp"]
        refused = speaker.word(await speak(stage.client, speaker.good("bet", new_id(), "ines")))
        assert refused[1] != "yes"
        launch = {
            "provider": "sp", "player": "ines", "session": "provider-side", "currency": "EUR",
            "wallet_session": "wallet-side-token", "expires_at": "2099-01-01T00:00:00Z",
        }  # fmt: skip
        assert (await stage.admin.post("/api/sessions", json=launch)).status_code == 201
        stage.asked.clear()
        assert speaker.word(await speak(stage.client, speaker.good("bet", new_id(), "ines"))) == YES
        assert {json.loads(exchange.request.body)["token"] for exchange in stage.asked} == {"wallet-side-token"}
        stage.process.kill()
        async with (
            serving(stage.config) as (_, url, _admin),
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            assert speaker.word(await speak(client, speaker.good("win", new_id(), "ines"))) == YES
        assert json.loads(stage.asked[-1].request.body)["token"] == "wallet-side-token"


async def test_a_launch_chooses_the_wallet(tmp_path: Path) -> None:
    other = wallet_server("native")
    async with staged(tmp_path) as stage, serving_wallet(other, listener("127.0.0.1", 0)) as url:
        config = c.read(stage.config)
        config["wallets"]["other"] = c.native_wallet(url)
        stage.process.kill()
        async with (
            serving(c.write(tmp_path, config)) as (_, gateway, admin_url),
            clients(gateway, admin_url) as (client, admin),
        ):
            launch = {"provider": "ng", "player": "ines", "session": "sess-ines", "currency": "EUR", "wallet": "other"}
            assert (await admin.post("/api/sessions", json=launch)).status_code == 201
            speaker, here, there = SPEAKERS["ng"], new_id(), new_id()
            assert speaker.word(await speak(client, speaker.good("bet", here, "anna"))) == YES
            assert speaker.word(await speak(client, speaker.good("bet", there, "ines"))) == YES
            assert (in_book(stage.wallet), in_book(other)) == ([here], [there])


async def test_the_api_and_the_command_line_show_the_same(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for name in SPEAKERS:
            speaker = SPEAKERS[name]
            assert speaker.word(await speak(stage.client, speaker.good("bet", f"b/{name} 1", "anna"))) == YES
        by_api = (await stage.admin.get("/api/transactions")).json()["transactions"]
        assert by_api == await listed(stage.config)
        assert len(by_api) == len(SPEAKERS)
        for movement in by_api:
            whole = (await stage.admin.get(f"/api/transactions/{movement['key']}")).json()
            assert whole | movement == whole, "one alone says all that the list says, and its story"
        status, out, _ = await run("tx", "show", "--config", str(stage.config), "--json", by_api[-1]["key"])
        last = (await stage.admin.get(f"/api/transactions/{by_api[-1]['key']}")).json()
        assert (status, json.loads(out)) == (0, last)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 404), ("/api", 404), ("/api/sessions", 405), ("/api/transactions/nobody", 404), ("/ng/debit", 404)],
)
async def test_what_the_admin_side_has_not(tmp_path: Path, path: str, status: int) -> None:
    async with staged(tmp_path) as stage:
        assert (await stage.admin.get(path)).status_code == status
