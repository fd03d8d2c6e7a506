"""The commands as an operator meets them: all tools together, and what each says when it is called wrongly."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import configuration as c
from tests.end_to_end.processes import run, serving, started
from tests.end_to_end.stages import listed
from tests.end_to_end.test_kill import get, wallet_of

TOOLS = {
    "ng": ["--dialect=netgaming", f"--header=X-Api-Key={c.API_KEY}"],
    "dg": ["--dialect=dragon_gaming", f"--hmac={c.HMAC_SECRET}"],
    "ky": ["--dialect=kyren", f"--header=X-Api-Key={c.API_KEY}"],
    "sp": ["--dialect=scorpio_play"],
    "gb": ["--dialect=gameball"],
    "na": ["--dialect=native", f"--key=secret={c.NATIVE_SECRET}"],
}


async def test_all_tools_together(tmp_path: Path) -> None:
    """Providers of every dialect against a wallet that fails in every way it has: both books agree."""
    faults = ("drop-before:0.05", "drop-after:0.05", "error-after:0.05", "garbage:0.05", "delay:0.05:0.1")
    async with wallet_of(tmp_path, "native", *faults) as (wallet, _):
        config = c.write(tmp_path, c.configuration({"main": c.native_wallet(wallet)}))
        async with serving(config) as (_, url, _admin):
            books = await asyncio.gather(*(_played(name, f"{url}/{name}") for name in TOOLS))
            assert [book["in_doubt"] for book in books] == [[]] * len(TOOLS)
            assert await listed(config, "--in-doubt") == []
        nets: Counter[str] = Counter()
        for book in books:
            assert sum(player["rounds"] for player in book["players"]) == 12
            nets.update({player["player"]: Decimal(player["net"]) for player in book["players"]})
        purses = {
            row["player"]: Decimal(row["balance"]) - Decimal(row["opening"]) for row in await get(f"{wallet}/_players")
        }
    assert purses == nets


async def _played(name: str, url: str) -> dict[str, Any]:
    if name == "ky":
        url = f"{url}/{c.PATH_TOKEN}"
    status, out, err = await run(
        "provider", f"--url={url}", "--players=2", "--rounds=6", "--seed=7", "--json", *TOOLS[name]
    )
    assert (status, err) == (0, ""), err
    book: dict[str, Any] = json.loads(out)
    return book


# ---------------------------------------------------------------- called wrongly


async def test_serve_says_what_is_wrong(tmp_path: Path) -> None:
    config = c.configuration({"main": c.native_wallet("http://127.0.0.1:9")})
    path = c.write(tmp_path, config)

    async def refused() -> str:
        status, out, err = await run("serve", "--config", str(path))
        assert (status, out) == (1, "")
        assert "Traceback" not in err
        return err

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        c.write(tmp_path, config | {"admin": {"listen": f"127.0.0.1:{port}"}})
        assert f"127.0.0.1:{port}" in await refused()
    c.write(tmp_path, config | {"server": {"listen": "127.0.0.1:0"}})
    literal = await refused()
    assert literal.startswith(f"{path}:")
    assert c.SCORPIO_SECRET not in literal
    (tmp_path / "journal.db").write_text("this is no database, and long enough to be looked at\n" * 40)
    c.write(tmp_path, config)
    assert "journal" in await refused()


async def test_two_gateways_do_not_share_a_file(tmp_path: Path) -> None:
    config = c.configuration({"main": c.native_wallet("http://127.0.0.1:9")})
    async with serving(c.write(tmp_path, config)):
        (tmp_path / "other").mkdir()
        second = c.configuration({"main": c.native_wallet("http://127.0.0.1:9")})
        second["journal"]["url"] = f"sqlite:///{tmp_path}/journal.db"
        async with started(
            tmp_path, "second", "serve", "--config", str(c.write(tmp_path / "other", second))
        ) as process:
            assert await process.ended() == 1
            assert "journal" in process.complained()
            assert "Traceback" not in process.complained()


WRONG_CALLS = [
    ("serve",), ("serve", "--config", "nowhere.yaml"), ("serve", "--port", "1"), ("check", "nowhere.yaml"), ("tx",),
    ("tx", "show"), ("tx", "list", "--config", "nowhere.yaml"), ("tx", "forget", "k"), ("wallet", "--dialect", "latin"),
    ("translate",), ("demo", "--fast"), ("nonsense",), ("--nonsense",),
]  # fmt: skip


async def test_wrong_calls_are_told_in_a_sentence() -> None:
    """Exit status 2, on standard error, and never a traceback."""
    done = [await run(*arguments) for arguments in WRONG_CALLS]
    for arguments, (status, out, err) in zip(WRONG_CALLS, done, strict=True):
        assert (status, out) == (2, ""), arguments
        assert "Traceback" not in err
        assert len(err) > 20


async def test_the_journal_says_what_it_cannot_find(tmp_path: Path) -> None:
    path = c.write(tmp_path, c.configuration({"main": c.native_wallet("http://127.0.0.1:9")}))
    status, out, err = await run("tx", "list", "--config", str(path))
    assert (status, out) == (1, "")
    assert "journal" in err
    async with serving(path):
        status, out, err = await run("tx", "list", "--config", str(path), "--json")
        assert (status, json.loads(out), err) == (0, [], "")
        status, out, err = await run("tx", "show", "--config", str(path), "ng/debit/1")
        assert (status, out) == (1, "")
        assert "ng/debit/1" in err
        for bad in (("--older-than", "soon"), ("--limit", "0"), ("--state", "odd")):
            assert (await run("tx", "list", "--config", str(path), *bad))[0] == 2


@pytest.mark.parametrize("arguments", [("--help",), ("tx", "--help"), ("serve", "--help"), ("--version",)])
async def test_help_is_no_mistake(arguments: tuple[str, ...]) -> None:
    status, out, err = await run(*arguments)
    assert (status, err) == (0, "")
    assert out
