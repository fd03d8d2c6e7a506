"""SIGHUP under load: a right file is used from the next call on, a wrong one is refused and the old one stays."""

from __future__ import annotations

import asyncio
import copy
import re
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from gateway.play.faults import Fault
from gateway.play.wallet import listener
from gateway.play.wallet import serving as serving_wallet
from tests.end_to_end import configuration as c
from tests.end_to_end.load import Load
from tests.end_to_end.processes import run, serving, until
from tests.end_to_end.speakers import SPEAKERS, YES, new_id, speak
from tests.end_to_end.stages import Stage, clients, in_book, listed, numbers, staged, wallet_server

NEW_SECRET = "sp-new-token-0002"


async def reload(stage: Stage, config: dict[str, Any]) -> str:
    """What the process said to it."""
    c.write(stage.config.parent, config)
    return await reload_file(stage)


async def reload_file(stage: Stage) -> str:
    before = stage.process.complained()
    stage.process.send(signal.SIGHUP)

    def said() -> str:
        lines = stage.process.complained()[len(before) :].splitlines()
        return "\n".join(line for line in lines if not line.startswith("{"))

    await until(lambda: "is in use" in said() or "stays" in said())
    return said()


async def generation(stage: Stage) -> float:
    return (await numbers(stage.admin)).get("gateway_config_generation")


def changed(config: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return copy.deepcopy(config) | sections


async def test_reload_under_load(tmp_path: Path) -> None:
    """Generations come and go while everybody plays: a key is added, a wrong file is refused, nobody notices."""
    async with staged(tmp_path) as stage:
        load = Load(str(stage.client.base_url), list(SPEAKERS), clients=1)
        load.begin()
        await load.reach(20)
        assert await generation(stage) == 1

        whole = c.read(stage.config)
        whole["providers"]["sp"]["keys"].append({"id": "k2", "secret": NEW_SECRET})
        whole["providers"]["late"] = copy.deepcopy(whole["providers"]["na"])
        assert await reload(stage, whole) == "reload: generation 2 is in use"
        assert await generation(stage) == 2
        speaker = SPEAKERS["sp"]
        said = speaker.say("bet", new_id(), "anna", "")
        assert speaker.word(await speak(stage.client, speaker.sent("bet", said, {"secret": NEW_SECRET}))) == YES
        await load.reach(20)

        text = stage.config.read_text(encoding="utf-8").replace("dialect: kyren", "dialect: kyrem\n    colour: red")
        stage.config.write_text(text, encoding="utf-8")
        complaint = await reload_file(stage)
        line = next(n for n, line in enumerate(text.splitlines(), 1) if "kyrem" in line)
        place = re.escape(str(stage.config))
        assert re.search(rf"^{place}:{line}:\d+: .*kyrem.*kyren", complaint, re.MULTILINE), complaint
        assert re.search(rf"^{place}:{line + 1}:\d+: .*colour", complaint, re.MULTILINE), complaint
        assert complaint.splitlines()[-1] == "reload: refused, the configuration in use stays"
        assert await generation(stage) == 2
        await load.reach(20)

        assert await reload(stage, whole) == "reload: generation 3 is in use"
        await load.reach(20)
        await load.stop()
        assert [m for m in load.movements if m.lost or m.refused] == []
        assert {word for m in load.movements for word in m.words} == {YES}


async def test_a_file_that_is_gone_or_no_yaml_is_refused(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for text in ("", "version: 1\nserver: [", "version: 1\nversion: 1\n", "\x00"):
            stage.config.write_text(text, encoding="utf-8")
            complaint = await reload_file(stage)
            assert re.match(rf"{re.escape(str(stage.config))}:\d+:\d+: ", complaint), complaint
        stage.config.unlink()
        assert str(stage.config) in await reload_file(stage)
        speaker = SPEAKERS["na"]
        assert speaker.word(await speak(stage.client, speaker.good("bet", new_id(), "anna"))) == YES
        assert await generation(stage) == 1


async def test_a_start_with_another_wallet_pays_no_owed_win_there(tmp_path: Path) -> None:
    """*The gateway was stopped with an owed win, started with another wallet, and the player had it twice.*"""
    speaker, win = SPEAKERS["na"], new_id()
    old, new = wallet_server("native"), wallet_server("native")
    async with AsyncExitStack() as stack:
        here, moved, there = [
            await stack.enter_async_context(serving_wallet(wallet, listener("127.0.0.1", 0)))
            for wallet in (old, old, new)
        ]
        lost = {"limits": c.PATIENT, "answer_within": "300ms"}
        config = c.configuration({"main": c.native_wallet(here, **lost)})
        old.faults = (Fault(kind="drop-after", rate=1),)
        async with serving(c.write(tmp_path, config)) as (process, url, admin):
            async with clients(url, admin) as (client, _):
                assert speaker.word(await speak(client, speaker.good("win", win, "anna"))) == speaker.doubt
            process.send(signal.SIGTERM)
            assert await process.ended() == 0
        old.faults = ()
        for name, address, said in (("main", there, "pointed elsewhere"), ("other", there, "removed")):
            wallets = {name: c.native_wallet(address)}
            path = c.write(tmp_path, config | {"wallets": wallets, "routes": [{"wallet": name}]})
            status, out, err = await run("serve", "--config", str(path))
            assert (status, out) == (1, "")
            assert re.search(
                rf"^{re.escape(str(path))}:\d+:\d+: wallet main is {said}, and 1 of its", err, re.MULTILINE
            )
        wallets = {"main": c.native_wallet(moved, moved_from=here)}
        path = c.write(tmp_path, config | {"wallets": wallets})
        async with serving(path) as (_, url, admin), clients(url, admin) as (client, _):
            assert speaker.word(await speak(client, speaker.good("win", win, "anna"))) == YES
        assert (in_book(old, "credit"), in_book(new, "credit")) == ([win], [])


async def test_a_call_ends_on_the_generation_it_began_with(tmp_path: Path) -> None:
    """While one wallet thinks, the routes are turned to another: each call is the wallet's where it began."""
    speaker, first, second = SPEAKERS["na"], new_id(), new_id()
    other = wallet_server("native")
    async with staged(tmp_path) as stage, serving_wallet(other, listener("127.0.0.1", 0)) as url:
        stage.wallet.next_faults.append(Fault(kind="delay", rate=1, seconds=1))
        call = asyncio.create_task(speak(stage.client, speaker.good("bet", first, "anna")))
        await until(lambda: stage.wallet.next_faults == [])
        config = c.read(stage.config)
        turned = changed(
            config, wallets={**config["wallets"], "other": c.native_wallet(url)}, routes=[{"wallet": "other"}]
        )
        assert await reload(stage, turned) == "reload: generation 2 is in use"
        assert speaker.word(await speak(stage.client, speaker.good("bet", second, "bea"))) == YES
        assert speaker.word(await call) == YES
        assert (in_book(stage.wallet), in_book(other)) == ([first], [second])
        # what belongs to a movement goes where that went (rule 23)
        assert speaker.word(await speak(stage.client, speaker.good("undo", new_id(), "anna", first))) == YES
        assert len(in_book(stage.wallet, "rollback")) == 1


async def test_a_wallet_with_unresolved_movements_is_not_taken_away(tmp_path: Path) -> None:
    """Neither removed nor pointed elsewhere; their number is said (rule 25)."""
    speaker = SPEAKERS["na"]
    waits = {"na": {**c.PROVIDERS["na"], "answer_within": "700ms"}}
    strict = {"repeats": c.STRICT, "answer_within": "300ms", "tombstones": False, "in_flight_max": "1h"}
    async with staged(tmp_path, wallet=strict, providers=waits) as stage:
        stage.wallet.faults = (Fault(kind="error-after", rate=1),)
        for _ in range(3):
            assert speaker.word(await speak(stage.client, speaker.good("win", new_id(), "anna"))) == speaker.doubt
        config, url = c.read(stage.config), c.read(stage.config)["wallets"]["main"]["url"]
        others = {"other": {**config["wallets"]["main"], "url": "http://127.0.0.1:9"}}
        removed = await reload(stage, changed(config, wallets=others, routes=[{"wallet": "other"}]))
        assert re.search(r"main .*removed.* 3 of its movements", removed), removed
        moved = copy.deepcopy(config)
        moved["wallets"]["main"]["url"] = url + "/elsewhere"
        elsewhere = await reload(stage, moved)
        assert re.search(r"main .*elsewhere.* 3 of its movements", elsewhere), elsewhere
        assert await generation(stage) == 1
        assert len(await listed(stage.config, "--in-doubt")) == 3
        # the same wallet at another address may go on
        moved["wallets"]["main"]["moved_from"] = url
        assert await reload(stage, moved) == "reload: generation 2 is in use"
        moved["wallets"]["main"] = {**config["wallets"]["main"], "moved_from": url + "/elsewhere"}
        assert await reload(stage, moved) == "reload: generation 3 is in use"
        # what does not touch it is taken
        assert await reload(stage, changed(config, routes=[{"wallet": "main"}, {"wallet": "main"}]))
        assert await generation(stage) == 4
